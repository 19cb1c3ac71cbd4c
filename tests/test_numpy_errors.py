"""A notebook's np.seterr is for the learner's own numbers: it changes nothing of what is ours."""

import copy

import numpy as np
import pytest

from mlm_mini import reference
from mlm_mini.course import CheckFailed, check
from mlm_mini.course.exercises import all_exercises

pytest.importorskip("ipywidgets")
from mlm_mini.widgets import leak_widget, mask_ratio_widget

WITH_TWIN = [e for e in all_exercises().values() if e.twin and not e.observe and e.twin.path.startswith("mlm_mini.ref")]


@pytest.fixture(autouse=True)
def strict(monkeypatch, tmp_path):
    monkeypatch.setenv("MLM_MINI_DATA", str(tmp_path))
    with np.errstate(all="raise"):
        yield


def answer(function, args, kwargs):
    try:
        return function(*args, **kwargs)
    except (ValueError, TypeError) as error:
        return str(error)


@pytest.mark.parametrize("exercise", WITH_TWIN, ids=lambda exercise: exercise.id)
def test_the_reference_answers_as_ever(exercise):
    function = exercise.twin.function()
    for case in exercise.cases:
        with np.errstate(all="ignore"):
            usual = answer(function, *copy.deepcopy((case.args, case.kwargs)))
        strict = answer(function, *copy.deepcopy((case.args, case.kwargs)))
        np.testing.assert_equal(strict, usual)


def test_a_gradient_that_is_too_small_is_zero():
    weight, m, v = reference.optimizer.adamw_step(np.ones(2), np.full(2, 1e-200), np.zeros(2), np.zeros(2), 1, 0.1)
    np.testing.assert_array_equal(v, [0, 0])
    assert np.isfinite(weight).all()
    assert (m > 0).all()


def softmax(logits, axis=-1):
    exp = np.exp(logits - logits.max(axis, keepdims=True))
    return exp / exp.sum(axis, keepdims=True)


def test_check_passes_and_explains_as_ever(capsys):
    check("01.softmax", softmax)
    assert "01.softmax" in capsys.readouterr().out
    with pytest.raises(CheckFailed) as failed:
        check("01.softmax", lambda logits, axis=-1: softmax(logits, axis) * np.log(2))
    with np.errstate(all="warn"), pytest.raises(CheckFailed) as usual:
        check("01.softmax", lambda logits, axis=-1: softmax(logits, axis) * np.log(2))
    assert str(failed.value) == str(usual.value)


def test_widgets_move_as_ever():
    leak = leak_widget("the chef cuts the [MASK] .")
    leak.slider.value = leak.slider.max
    ratio = mask_ratio_widget()
    ratio.slider.value = 0.9
