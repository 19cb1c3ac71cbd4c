"""What `check` says about code of every kind, on an exercise made for these tests."""

import contextlib
import dataclasses
import functools
import importlib
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np
import pytest
import torch

from mlm_mini import reference
from mlm_mini.course import clock, judging
from mlm_mini.course.answer import Answer, Edit, Wrong
from mlm_mini.course.clock import TimeLimitReached, time_limit
from mlm_mini.course.compare import difference
from mlm_mini.course.diagnosis import Diagnosis, Problem, _plainest, diagnose, expected_outcomes, size
from mlm_mini.course.exercise import Case, Exercise, Mistake
from mlm_mini.course.judging import CheckFailed, check, failing, hint, judge
from mlm_mini.course.report import explanation
from mlm_mini.course.run import Outcome
from mlm_mini.course.showing import call_text, lines_of, one_line, value_text
from mlm_mini.course.surroundings import global_generators, quiet, restore_generators
from mlm_mini.course.watching import Calls, arrays_in, watch_calls

MOST_LINES = 15


ANSWER = Answer(
    "99.center",
    """
    import numpy as np


    def center(values, axis=-1):
        if values.shape[axis] == 0:
            raise ValueError("no values to center")
        return values - values.mean(axis, keepdims=True)
    """,
)
CENTER = Exercise(
    id="99.center",
    title="Center",
    answer=ANSWER,
    cases=(
        Case("two rows", (np.array([[1.0, 3.0], [5.0, 9.0]]),)),
        Case("one number", (np.array([2.0]),)),
        Case("the other axis", (np.arange(6.0).reshape(2, 3),), {"axis": 0}),
        Case("random rows", (np.random.default_rng(0).normal(size=(3, 4)),)),
        Case("nothing", (np.zeros((2, 0)),)),
    ),
    mistakes="""
    - whole mean: Each row keeps its own offset.
          values.mean(axis, keepdims=True) => values.mean()
    - no keepdims: The means line up with the wrong axis.
          values.mean(axis, keepdims=True) => values.mean(axis)
    - added: The mean goes the wrong way.
          values - => values +
    """,
    hints="""
    - Think of one row.
    - Which axis is averaged?
    - Keep the dimension.
    """,
    minutes=3,
)


def subtract_whole_mean(values, axis=-1):
    return values - values.mean() if values.size else right(values, axis)


@pytest.fixture(autouse=True)
def known(monkeypatch, data_folder):
    def find(name):
        if name != CENTER.id:
            raise ValueError(name)
        return CENTER

    monkeypatch.setattr(judging, "find_exercise", find)


def right(values, axis=-1):
    if not values.shape[axis]:
        raise ValueError("empty")
    return values - np.mean(values, axis=axis, keepdims=True)


def said(function, seconds=10.0):
    verdict = judge(CENTER, function, seconds)
    assert not verdict.correct
    assert len(verdict.lines) <= MOST_LINES
    return "\n".join(verdict.lines)


def test_a_right_answer_is_told_in_one_line(capsys):
    check("99.center", right)
    assert capsys.readouterr().out == "99.center: correct on all 5 inputs.\n"


def test_a_wrong_answer_raises_with_the_report_alone():
    with pytest.raises(CheckFailed) as caught:
        check("99.center", subtract_whole_mean)
    lines = caught.value._render_traceback_()
    assert lines == str(caught.value).splitlines()
    assert lines[0] == "99.center: not right yet."
    assert "Known mistake: whole mean." in lines
    assert isinstance(caught.value, AssertionError)


def test_report_shows_the_smallest_failing_input_both_answers_and_the_largest_difference():
    text = said(lambda values, axis=-1: right(values, axis) + (values.size > 1))
    assert "Smallest failing input: two rows; 2 of 5 inputs are right." in text
    assert "center(values=[[1., 3.], [5., 9.]])" in text
    assert "Yours:    [[0., 2.], [-1., 3.]]" in text
    assert "Expected: [[-1., 1.], [-2., 2.]]" in text
    assert "Largest difference: 1 at [0, 0]" in text
    assert 'hint("99.center")' in text


def test_each_kind_of_wrong_code_gets_its_sentence():
    assert "is a `return` missing" in said(lambda values, axis=-1: None)
    assert "is a list of 1; expected a float64 array" in said(lambda values, axis=-1: right(values, axis).tolist())
    assert "shape (4,); expected (2, 2)" in said(lambda values, axis=-1: right(values, axis).ravel())
    assert "holds int64; expected real numbers" in said(lambda values, axis=-1: right(values, axis).astype(int))
    assert "float32, which is too coarse" in said(lambda v, axis=-1: right(v, axis).astype("f4"))
    assert "which is not a function" in said(3.0)
    assert "without parentheses" in said(np.zeros(3))
    assert "the class int" in said(int)
    assert "cannot be called so" in said(lambda: 0)
    assert "not written yet" in said(unwritten)
    assert "calls exit()" in said(lambda values, axis=-1: exit(1))


def unwritten(values, axis=-1):
    raise NotImplementedError("99.center is yours to write")


def test_changed_input_is_told_even_when_the_answer_is_right():
    def in_place(values, axis=-1):
        answer = right(values, axis)
        values *= 0
        return answer

    assert "modifies its input (argument 1)" in said(in_place)


def test_an_error_of_the_learners_own_names_the_line():
    def broken(values, axis=-1):
        return values.no_such_thing

    text = said(broken)
    assert "raised AttributeError" in text
    assert "return values.no_such_thing" in text


def test_an_error_inside_the_package_names_the_learners_line_that_called_it():
    def careless(values, axis=-1):
        return reference.softmax(values * np.nan)

    text = said(careless)
    assert "raised ValueError" in text
    assert "of your code: return reference.softmax(values * np.nan)" in text


def test_a_list_that_is_changed_is_told_too():
    count = Answer("99.count", "def count(words):\n    return len(words)\n")
    case = Case("two", (["a", "b"],))
    exercise = Exercise("99.count", "Count", (case,), (), ("Think of one word.",), 1, answer=count)
    assert "modifies its input (argument 1)" in " ".join(judge(exercise, lambda w: (len(w), w.clear())[0]).lines)


def test_an_expected_error_is_asked_for():
    text = said(lambda values, axis=-1: values - (values.mean(axis, keepdims=True) if values.size else 0))
    assert "Expected a ValueError for this input" in text
    text = said(lambda values, axis=-1: right(values, axis) if values.size else ValueError("empty"))
    assert "returns the ValueError" in text
    assert "returns the ValueError" in said(lambda values, axis=-1: right(values, axis) if values.size else ValueError)


def test_code_that_hangs_is_stopped():
    def forever(values, axis=-1):
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    begun = time.monotonic()
    assert "did not finish" in said(forever, seconds=0.2)
    assert time.monotonic() - begun < 3


def test_the_time_limit_holds_outside_the_main_thread():
    stopped = []

    def work():
        try:
            with time_limit(0.1):
                while True:
                    pass
        except TimeLimitReached:
            stopped.append(True)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    assert stopped


def test_a_time_limit_that_was_kept_is_over_outside_the_main_thread_too():
    timers = []

    def work():
        before = set(threading.enumerate())
        with time_limit(1000):
            timers.extend(set(threading.enumerate()) - before)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    (timer,) = timers
    timer.join(20)
    assert not timer.is_alive()


PAIR = Exercise(
    "99.pair",
    "the least and the most",
    cases=(Case("three", (np.array([3.0, 1.0, 2.0]),)), Case("one", (np.array([5.0]),))),
    mistakes="""
    - the wrong way round: The first is to be the least.
          values.min(), values.max() => values.max(), values.min()
    """,
    hints="- Which of the two comes first?",
    minutes=1,
    answer=Answer("99.pair", "def pair(values):\n    return values.min(), values.max()\n"),
)


class Ends(NamedTuple):
    least: float
    most: float

    def __eq__(self, other):
        return True


def test_a_named_tuple_counts_as_a_tuple_and_by_its_content():
    assert judge(PAIR, lambda values: Ends(values.min(), values.max())).correct
    swapped = judge(PAIR, lambda values: Ends(values.max(), values.min()))
    assert swapped.mistake.name == "the wrong way round"


def test_what_a_library_draws_when_it_is_loaded_is_not_laid_to_the_function(tmp_path, monkeypatch):
    (tmp_path / "drawing_module.py").write_text("import random; random.random()")
    monkeypatch.syspath_prepend(tmp_path)

    def loads(values):
        importlib.import_module("drawing_module")
        return values.min(), values.max()

    def draws_too(values):
        random.random()
        return loads(values)

    assert judge(PAIR, loads).correct
    sys.modules.pop("drawing_module")
    assert "generator that everybody shares" in " ".join(judge(PAIR, draws_too).lines)


SLOW_MODULE = "import time\ntime.sleep(0.5)\nWHOLE = True\n"


def importing(name):
    """Imports a module that takes longer than the limit, and goes on within it, or, if it can be, for ever."""
    with time_limit(0.2):
        module = importlib.import_module(name)
        time.sleep(0.05)
        yield module.WHOLE
        while True:
            time.sleep(0.01)


@pytest.mark.parametrize("in_main_thread", [True, False])
def test_a_time_limit_cuts_no_import_off_and_counts_none(in_main_thread, tmp_path, monkeypatch):
    name = f"slow_module_{in_main_thread}"
    (tmp_path / f"{name}.py").write_text(SLOW_MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    seen = []

    def work():
        with contextlib.suppress(TimeLimitReached):
            seen.extend(importing(name))
            seen.append("no end")

    if in_main_thread:
        work()
    else:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive()
    assert seen == [True]


def test_an_import_that_never_ends_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(clock, "MOST_IMPORTING", 0.5)
    (tmp_path / "endless_module.py").write_text("while True: pass")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TimeLimitReached), time_limit(0.1):
        importlib.import_module("endless_module")


def test_what_an_exercise_needs_is_loaded_before_the_clock_runs():
    code = """if True:
        import contextlib, sys
        from mlm_mini.course import run
        from mlm_mini.course.exercises import find_exercise

        loaded = []

        def limit(seconds):
            loaded.append("torch" in sys.modules)
            return contextlib.nullcontext()

        exercise = find_exercise("06.gather-positions")
        run.time_limit = limit
        loaded.append("torch" in sys.modules)
        run.run_case(exercise, exercise.reference, exercise.cases[0])
        print(*loaded)
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_a_swallowed_time_limit_comes_again():
    def stubborn():
        count = 0
        while True:
            try:
                while True:
                    pass
            except:  # noqa: E722
                count += 1
                if count == 2:
                    raise

    with pytest.raises(TimeLimitReached), time_limit(0.1):
        stubborn()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="an alarm is for systems like Unix")
def test_a_time_limit_leaves_the_one_around_it_as_it_was():
    before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    with time_limit(1000):
        around = signal.getsignal(signal.SIGALRM)
        with time_limit(500):
            assert signal.getitimer(signal.ITIMER_REAL)[0] <= 500
        assert signal.getsignal(signal.SIGALRM) is around
        assert 500 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1000
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)) == before


def test_a_lot_of_printing_is_kept_out(capsys):
    def chatty(values, axis=-1):
        print("looking at it " * 1000)
        return right(values, axis)

    check("99.center", chatty)
    out = capsys.readouterr().out
    assert "It printed 14001 characters" in out
    assert len(out) < 200
    assert "beginning: looking at it" in said(lambda values, axis=-1: print("looking at it"))


def only_at_first(values, axis=-1):
    return right(values, axis) if values.shape == (2, 2) else CENTER.reference(values, axis)


def only_at_last(values, axis=-1):
    return CENTER.reference(values, axis) if not values.size else right(values, axis)


def in_a_thread(values, axis=-1):
    answer = []
    thread = threading.Thread(target=lambda: answer.append(CENTER.reference(values, axis)))
    thread.start()
    thread.join()
    return answer[0] if answer else right(values, axis)


@pytest.mark.parametrize(
    "handed_in",
    [
        CENTER.reference,
        functools.partial(CENTER.reference, axis=-1),
        lambda values, axis=-1: CENTER.reference(values, axis),
        functools.wraps(CENTER.reference)(lambda values, axis=-1: CENTER.reference(values, axis)),
        only_at_first,
        only_at_last,
        in_a_thread,
    ],
    ids=["itself", "partial", "wrapped in a lambda", "wraps", "after the first input", "at the last", "in a thread"],
)
def test_handing_in_the_courses_answer_is_noticed_kindly(handed_in):
    assert "the course's own answer" in said(handed_in)


def test_other_functions_can_give_the_answer_away_too():
    exercise = dataclasses.replace(CENTER, answers_in=("mlm_mini.reference.probability:softmax",))

    def near(values, axis=-1):
        return values - reference.softmax(values, axis)

    assert judge(exercise, near).lines[1].startswith("This calls the course's own answer")
    assert not judge(CENTER, near).lines[1].startswith("This calls")


def test_only_the_expected_kind_of_error_is_accepted():
    def wrong_kind(values, axis=-1):
        if not values.size:
            raise KeyError("nothing")
        return right(values, axis)

    text = said(wrong_kind)
    assert "raised KeyError" in text
    assert "Expected: ValueError" in text


def test_a_keyword_argument_that_is_changed_is_named():
    add = Answer("99.add", "def add(values, more):\n    return values + more\n")

    def in_place(values, more):
        more += values
        return more.copy()

    case = Case("two", (np.ones(2),), {"more": np.ones(2)})
    exercise = Exercise("99.add", "Add", (case,), (), ("Think of one number.",), 1, answer=add)
    assert "modifies its input (more)" in "\n".join(judge(exercise, in_place).lines)


@pytest.mark.parametrize("place", ["argument 1", "weights"])
@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.update(c=np.ones(2)),
        lambda weights: weights.pop("b"),
        lambda weights: weights.update(a=weights["a"] * 2),
        lambda weights: weights["a"].__imul__(2),
        lambda weights: weights["b"].append(3.0),
        lambda weights: weights.clear(),
    ],
    ids=["one more", "one less", "another value", "an array inside", "a list inside", "empty"],
)
def test_a_dict_that_is_changed_is_named(change, place):
    total = Answer("99.total", "def total(weights):\n    return weights['a'].sum() + sum(weights['b'])\n")

    def changing(weights):
        answer = weights["a"].sum() + sum(weights["b"])
        change(weights)
        return answer

    given = {"a": np.ones(2), "b": [1.0, 2.0]}
    case = Case("two", (given,)) if place == "argument 1" else Case("two", (), {"weights": given})
    exercise = Exercise("99.total", "Total", (case,), (), ("Think of one number.",), 1, answer=total)
    assert f"modifies its input ({place})" in "\n".join(judge(exercise, changing).lines)
    assert judge(exercise, lambda weights: weights["a"].sum() + sum(weights["b"])).correct


def test_code_that_swallows_its_time_limit_does_not_pass():
    def swallow(values, axis=-1):
        begun = time.monotonic()
        while time.monotonic() - begun < 0.3:
            try:
                time.sleep(0.3)
            except:  # noqa: E722
                break
        return right(values, axis)

    assert "did not finish within 0.1 seconds" in said(swallow, seconds=0.1)


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def raise_mute(values, axis=-1):
    raise Mute


def endless(values, axis=-1):
    answer = []
    answer.append(answer)
    return answer


async def later(values, axis=-1):
    return values


class Callable:
    def __call__(self, values, axis=-1):
        return None

    def __getattr__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (raise_mute, "raised Mute"),
        (endless, "is a list of 1"),
        (later, "async def"),
        (lambda values, axis=-1: statistics.mean([]), "of your code: (lambda values"),
        (lambda values, axis=-1: 10**5000, "is an int"),
        (Callable(), "None"),
    ],
    ids=["mute error", "endless list", "async", "error in Python's library", "huge number", "hostile object"],
)
def test_strange_code_gets_a_sentence_and_no_traceback(function, words):
    assert words in said(function)


DIFFERENT = [
    (1.5, 1.5 + 1e-5, "1.5 where 1.50001 is expected"),
    (True, 1.0, "a bool; expected a float"),
    (2.0, 2, "a float; expected an int"),
    (np.complex128(2), 2.0, "a complex128; expected a float"),
    (np.complex128(2), 2, "a complex128; expected an int"),
    (np.timedelta64(2), 2, "a timedelta64; expected an int"),
    (np.array(None), 1.0, "expected a float"),
    (np.array("2"), 2, "expected an int"),
    (10**400, 1.0, "an int; expected a float"),
    ("a", "b", "'a' where 'b' is expected"),
    (None, "b", "None"),
    ("b", None, "a str; expected None"),
    (np.array(["a", "b"]), np.array(["a", "c"]), "b where c is expected"),
    (np.array([1, 2]), np.array([1, 3]), "2 where 3 is expected"),
    (np.array([1.0, 2.0]), np.array([1, 2]), "holds float64; expected whole numbers"),
    (np.array([1, 0]), np.array([True, False]), "holds int64; expected true or false"),
    (np.array([1j]), np.array([1.0]), "holds complex128; expected real numbers"),
    (np.array([np.nan, 1.0]), np.array([0.0, 1.0]), "nan where 0.0 is expected"),
    (np.array([1.1, 7.0, 3.0]), np.array([1.0, 2.0, 3.0]), "7.0 where 2.0 is expected"),
    ([1.0], [1.0, 2.0], "has 1 item; expected 2"),
    (np.ma.array([1.0]), np.array([1.0]), "MaskedArray"),
    ({"a": 1}, {"b": 1}, "has the keys ['a']"),
    ([("a", 1.0)], {"a": 1.0}, "a list of 1; expected a dict of 1"),
    (np.array([1.1], np.float32), np.array([1.0]), "1.1 where 1.0"),  # no matter of float32 alone
    (np.array([1.0], np.float16), np.array([1.5]), "1.0 where 1.5"),
    (np.array([np.inf, 1.0]), np.array([np.inf, 2.0]), "1 of 2 numbers differ: 1.0 where 2.0"),
    (np.array([7.0, np.inf]), np.array([1.0, 2.0]), "inf where 2.0"),
    (np.array([True, False]), (1.0, 0.0), "bool array of shape (2,); expected a tuple of 2"),
    (np.array([1.0, 2.0]), ("a", 2.0), "float64 array of shape (2,); expected a tuple of 2"),
]


@pytest.mark.parametrize(("yours", "expected", "words"), DIFFERENT)
def test_what_differs_is_said(yours, expected, words):
    assert words in difference(yours, expected, 1e-8, 1e-10).sentence


ALIKE = [
    (np.float64(0.5), 0.5),
    (np.array(0.5), 0.5),
    (1, 1.0),
    (np.int32(3), 3),
    (np.str_("a"), "a"),
    ((1.0, [2]), [1.0, (2,)]),
    (np.array([np.nan, np.inf]), np.array([np.nan, np.inf])),
    (0.5, np.array(0.5)),
    (np.array([1], dtype=np.int32), np.array([1])),
    (np.array([1.0, 2.0]), (1.0, 2.0)),
    ({np.int64(1): 0.5, "a": 1}, {1: 0.5, "a": 1}),
]


@pytest.mark.parametrize(("yours", "expected"), ALIKE)
def test_what_agrees_is_accepted(yours, expected):
    assert difference(yours, expected, 1e-8, 1e-10) is None


def test_a_hint_is_given_even_where_nothing_can_be_remembered(monkeypatch, capsys):
    def refuse(*_):
        raise OSError("read-only")

    monkeypatch.setattr(judging.progress, "next_hint", refuse)
    with pytest.warns(UserWarning, match="read-only"):
        hint("99.center")
    assert "Hint 1 of 3" in capsys.readouterr().out


def test_the_judge_never_asks_the_learners_own_equality():
    class Agreeable(np.ndarray):
        def __eq__(self, other):
            return True

    class Liar:
        shape = (2, 2)

        def __array__(self, *args, **kwargs):
            raise AssertionError("the judge looked inside")

        def __eq__(self, other):
            return True

    assert "Agreeable" in said(lambda values, axis=-1: np.zeros((2, 2)).view(Agreeable))
    assert "Liar" in said(lambda values, axis=-1: Liar())


def test_an_interrupt_of_the_learners_is_passed_on():
    def interrupted(values, axis=-1):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(CENTER, interrupted)


COIN = Exercise(
    id="99.coin",
    title="Coin",
    answer=Answer("99.coin", "def draw(n, rng):\n    return rng.random(n) < 0.25\n"),
    cases=(Case("many", (100_000, np.random.default_rng(0))),),
    mistakes="""
    - fair: Half of yours are heads.
          0.25 => 0.5
    """,
    hints=("Compare a uniform number with the ratio.",),
    minutes=1,
    observe=lambda function, n, rng: {"share": float(np.mean(function(n, rng))), "length": len(function(n, rng))},
    rtol=0,
    atol=0.01,
)


def test_random_answers_are_compared_by_what_is_measured():
    assert judge(COIN, lambda n, rng: rng.permutation(n) < n // 4).correct
    verdict = judge(COIN, lambda n, rng: rng.integers(0, 2, n) == 1)
    assert verdict.mistake is COIN.mistakes[0]
    assert any(line.startswith("Yours:    share = 0.") for line in verdict.lines)
    assert any(line.startswith("Expected: about share = 0.2") for line in verdict.lines)
    assert any("chance alone stays within 0.01" in line for line in verdict.lines)


def test_of_several_measurements_those_that_are_off_are_named():
    verdict = judge(COIN, lambda n, rng: rng.random(n) < 0.3)
    assert verdict.mistake is None
    assert verdict.explanation == 'Of the 2 things that are measured, only this is not as expected: "share".'


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda n, rng: np.random.default_rng(0).random(n) < 0.25, "never draws from the generator"),
        (lambda n, rng: (rng.random(), np.random.random(n) < 0.25)[1], "a generator that everybody shares"),  # noqa: NPY002
        (lambda n, rng: (np.random.seed(0), rng.random(n) < 0.25)[1], "a generator that everybody shares"),  # noqa: NPY002
        (lambda n, rng: (random.random(), rng.random(n) < 0.25)[1], "a generator that everybody shares"),
    ],
    ids=["its own", "NumPy's", "NumPy's, seeded", "Python's"],
)
def test_the_callers_generator_and_no_other(draw, words):
    verdict = judge(COIN, draw)
    assert not verdict.correct
    assert words in " ".join(verdict.lines)


def test_a_seed_that_is_set_again_is_noticed_again_and_nobodys_luck_is_spoiled():
    several = dataclasses.replace(COIN, cases=tuple(Case(name, COIN.cases[0].args) for name in "abc"))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    verdict = judge(several, lambda n, rng: (np.random.seed(0), rng.random(n) < 0.25)[1])  # noqa: NPY002
    assert "0 of 3 inputs are right" in " ".join(verdict.lines)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_pytorchs_generator_belongs_to_nobody_too():
    torch = pytest.importorskip("torch")
    verdict = judge(COIN, lambda n, rng: (torch.manual_seed(0), rng.random(n) < 0.25)[1])
    assert "a generator that everybody shares" in " ".join(verdict.lines)


def test_an_answer_that_is_an_input_is_no_new_object():
    fresh = dataclasses.replace(CENTER, habits=("fresh",), cases=(*CENTER.cases, Case("centered", (np.zeros((2, 3)),))))

    def same_when_centered(values, axis=-1):
        return values if values.size and not right(values, axis).any() and not values.any() else right(values, axis)

    assert judge(fresh, right).correct
    assert judge(CENTER, same_when_centered).correct
    assert "shares its memory with an input" in " ".join(judge(fresh, same_when_centered).lines)
    measured = dataclasses.replace(fresh, observe=lambda function, *args, **kwargs: function(*args, **kwargs))
    assert judge(measured, same_when_centered).correct, "what is measured is no answer"


def test_a_counter_is_as_good_as_a_dict_and_numpys_words_as_words():
    expected = {"a": 0.5, "b": 0.5}
    for yours in (Counter(a=0.5, b=0.5), defaultdict(float, expected), {np.str_(key): 0.5 for key in "ab"}):
        assert difference(yours, expected, 1e-9, 0) is None
    assert "keys ['a']" in difference(defaultdict(float, a=0.5), expected, 1e-9, 0).sentence
    assert "a tuple of 1 as a key" in difference({("a",): 1.0}, expected, 1e-9, 0).sentence


def test_a_difference_deep_inside_says_where():
    found = difference([["a"], ["b", None]], [["a"], ["b", "c"]], 0, 0)
    assert found.where == "[1][1]"
    assert found.sentence == "The part at [1][1] is None; expected a str."
    assert difference([["a"], ["b"]], [["a"], ["b", "c"]], 0, 0).sentence == "The part at [1] has 1 item; expected 2."


def test_a_mistake_has_variants():
    page = """
    - a constant: Not the mean.
          values.mean(axis, keepdims=True) => 100
       or values.mean(axis, keepdims=True) => 200
    """
    exercise = dataclasses.replace(CENTER, mistakes=page)
    for constant in (100, 200):
        assert judge(exercise, minus(constant)).mistake is exercise.mistakes[0]
    assert judge(exercise, minus(400)).mistake is None


def minus(constant):
    return lambda values, axis=-1: right(values, axis) if not values.size else values - constant


def test_two_known_mistakes_at_once_are_told_as_two():
    def both(values, axis=-1):
        return right(values, axis) if not values.size else values + values.mean()

    verdict = judge(CENTER, both)
    assert verdict.mistake.parts == (CENTER.mistakes[0], CENTER.mistakes[2])
    assert "Two known mistakes: whole mean; and added." in verdict.lines
    assert verdict.explanation.startswith("Two things are left. One: whole mean. Each row keeps")


def test_two_mistakes_that_change_the_same_text_make_no_compound():
    names = {compound.name for compound in CENTER.compounds}
    assert names == {"whole mean; and added", "no keepdims; and added"}


def test_a_mistake_is_known_by_answers_and_not_by_errors_alone():
    """An error may come of anything: to fail everywhere is not to make the mistake that fails everywhere."""
    page = "- asks too much: The array has no such method.\n      values.mean(axis, keepdims=True) => values.median()"
    raising = dataclasses.replace(CENTER, mistakes=page)
    asks = dataclasses.replace(CENTER, mistakes=page.replace("asks too much:", "asks too much (raises):"))

    def careless(values, axis=-1):
        return right(values, axis) if not values.size else values.no_such_thing

    assert judge(raising, careless).mistake is None
    assert judge(asks, careless).mistake is asks.mistakes[0]


def test_a_known_mistake_that_raises_elsewhere_is_recognized_where_it_answers():
    def fails_for_one_number(values, axis=-1):
        if values.shape == (1,):
            raise IndexError("tuple index out of range")
        return subtract_whole_mean(values, axis)

    verdict = judge(CENTER, fails_for_one_number)
    assert verdict.mistake is None
    assert "that of a known mistake, whole mean: Each row keeps" in verdict.explanation
    assert "What it looks like:" in verdict.lines

    def now_and_then(values, axis=-1):
        return subtract_whole_mean(values, axis) if values.shape == (2, 2) else values - 7 * values.shape[0]

    assert "known mistake" not in judge(CENTER, now_and_then).explanation


def test_the_failing_input_is_at_hand():
    with pytest.raises(ValueError, match="run check"):
        failing("99.center")
    with pytest.raises(CheckFailed, match=r"bad = failing\(\"99.center\"\); center\(\*bad.args"):
        check("99.center", subtract_whole_mean)
    bad = failing("99.center")
    assert np.array_equal(subtract_whole_mean(*bad.args, **bad.kwargs), bad.yours)
    assert np.array_equal(CENTER.reference(*bad.args, **bad.kwargs), bad.expected)
    bad.args[0][...] = 0
    assert failing("99.center").args[0].any(), "what is tried on it does not change it"
    check("99.center", right)
    with pytest.raises(ValueError, match="run check"):
        failing("99.center")


def test_an_input_with_an_axis_of_tensors_is_handed_out_as_the_function_gets_it():
    prepared = dataclasses.replace(CENTER, prepare=lambda args: tuple(value.tolist() for value in args))
    assert judge(prepared, subtract_whole_mean).failing.args == ([[1.0, 3.0], [5.0, 9.0]],)


def test_no_input_is_shown_cut_in_the_middle():
    named = [("qkv", np.zeros((12, 12))), ("names", [f"layer.{i}.weight" for i in range(40)]), ("n", 3)]
    text = call_text("attend", named, width=60)
    assert text == "attend(qkv=<float64 array of shape (12, 12)>, names=<list of 40>, n=3)"
    assert call_text("f", [("x", np.arange(3))]) == "f(x=[0, 1, 2])"


def test_a_report_shows_the_part_that_differs_and_the_shape_of_what_is_large():
    assert value_text("Yours: ", {"a": {"b": 1.5, "c": 2.5}}, near="['a']['c']") == ["Yours: a = c = 2.5"]
    assert one_line(np.zeros((30, 40))) == "float64 array of shape (30, 40)"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (list(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
        (tuple(range(8)), "(0, 1, 2, 3, 4, 5, 6, 7)"),
        (dict.fromkeys("abcdefghi", 1), "{" + ", ".join(f"'{c}': 1" for c in "abcdefgh") + "}"),
        ([[[[[1]]]]], "[[[[...]]]]"),
        (np.zeros(301), "float64 array of shape (301,)"),
        (1 / 3, "0.333333"),
        (np.float32(0.1), "0.1"),
        (np.int64(3), "3"),
        (np.random.default_rng(0), "rng"),
        (len, "len"),
        (functools.partial(len), "partial"),
        (object(), "a object"),
        ("x" * 3000, "'" + "x" * 1999),
        (True, "True"),
    ],
)  # fmt: skip
def test_a_value_is_shown_on_one_short_line(value, shown):
    assert one_line(value) == shown


def test_long_text_is_cut_and_says_so():
    assert lines_of("one two three\n\nfour", 8, 4) == ["one two", "three", "", "four"]
    assert lines_of("one two zzzzz four five", 8, 2) == ["one two", "zzzz ..."]
    assert lines_of("", 8, 2) == []


def test_of_what_is_long_the_part_that_differs_is_shown():
    rows = [[float(i)] * 8 for i in range(8)]
    assert value_text("Yours: ", rows, near="[5][2]") == ["Yours: part [5] = [5, 5, 5, 5, 5, 5, 5, 5]"]
    assert value_text("Yours: ", rows[:2], near="[1]") == [f"Yours: {one_line(rows[:2])}"]
    assert value_text("Yours: ", rows, near="[8]")[0].startswith("Yours: [[0, 0")
    assert value_text("Yours: ", {"a": 1}, near="['b']") == ["Yours: {'a': 1}"]
    assert value_text("Yours: ", np.arange(2)) == ["Yours: [0, 1] (int64, shape (2,))"]
    both = value_text("Yours: ", "word " * 40)
    assert [line[:12] for line in both] == ["Yours: 'word", "       word "]
    assert max(map(len, both)) <= 110


def test_the_failing_input_that_is_shown_is_small_and_has_an_answer():
    def first(*failing):
        problems = [Problem("differs") if i in failing else None for i in range(len(CENTER.cases))]
        return Diagnosis(CENTER, expected, expected, problems).first

    expected = expected_outcomes(CENTER)  # 4 numbers, 1, 6 along an axis, 12, and an error for none
    assert [first(0, 2, 3), first(2, 3), first(0, 1), first(3, 4), first(4)] == [0, 2, 1, 3, 4]
    assert [size(value) for value in (np.zeros((2, 3)), "abc", [1, [2, 3]], {"a": np.zeros(2), "b": 1}, None)] == [
        6,
        1,
        3,
        3,
        1,
    ]
    empty = dataclasses.replace(
        CENTER, cases=(Case("nothing", (np.zeros((0, 2)), 0)), Case("none", ([],)), Case("one", (np.ones(2),)))
    )
    found = Diagnosis(empty, [Outcome()] * 3, [Outcome()] * 3, [Problem("differs")] * 3)
    assert found.first == 0  # two zeros count 1; of an empty list there is nothing to see
    error, value = Outcome(error=ValueError()), Outcome()
    assert dataclasses.replace(found, expected=[error, value, value]).first == 2


def test_of_two_mistakes_that_do_the_same_the_smaller_change_is_named():
    def mistake(*edits):
        return Mistake(" ".join(edits), "So.", (Wrong(ANSWER, tuple(Edit("axis", edit) for edit in edits)),))

    small, large = mistake("a"), mistake("bcd", "e")
    assert _plainest([large, small]) is small
    assert _plainest([small, large]) is small
    assert _plainest([]) is None


def test_what_is_told_counts_in_the_singular_and_in_the_plural():
    def wrong_from(place):
        """Right on the first inputs alone."""
        shapes = [case.args[0].shape for case in CENTER.cases]
        return lambda values, axis=-1: right(values, axis) + (values.size and shapes.index(values.shape) >= place)

    assert "1 of 5 inputs is right." in said(wrong_from(0))
    assert "2 of 5 inputs are right." in said(wrong_from(1))

    def fails_on_one(values):
        if values.size == 7:
            raise IndexError
        return values.sum(-1)

    assert judge(SUM, fails_on_one).explanation.startswith(
        "Right wherever it answers; on the only other input it raises"
    )

    three = dataclasses.replace(
        COIN, observe=lambda function, n, rng: dict.fromkeys("ab", len(function(n, rng))) | {"c": 1}
    )
    told = judge(three, lambda n, rng: rng.random(n + 1) < 0.25).explanation
    assert told == 'Of the 3 things that are measured, only these are not as expected: "a" and "b".'


def test_printing_is_remarked_on_only_where_it_is_a_lot(capsys):
    for count, remarks in ((999, 0), (1000, 1)):
        check("99.center", lambda values, axis=-1, count=count: print("x" * count) or right(values, axis))
        assert capsys.readouterr().out.count("It printed 1001 characters on one input") == remarks


def test_watching_leaves_the_profiler_that_there_was():
    def profiler(*_):
        return None

    sys.setprofile(profiler)
    try:
        with watch_calls(Calls()):
            pass
        assert sys.getprofile() is profiler
        assert threading.getprofile() is None
    finally:
        sys.setprofile(None)


def test_arrays_are_found_four_levels_down_and_no_deeper():
    array = np.zeros(2)
    assert arrays_in({"a": [([array],)]})[0] is array
    assert arrays_in([[[[[array]]]]]) == []


def test_a_folder_that_is_called_solutions_by_chance_is_a_learners(tmp_path, monkeypatch):
    (tmp_path / "solutions").mkdir()
    monkeypatch.chdir(tmp_path / "solutions")
    remembered = []
    monkeypatch.setattr(judging.progress, "record_attempt", lambda *what: remembered.append(what))
    check("99.center", right)
    (tmp_path / "chapters").mkdir()
    check("99.center", right)
    assert remembered == [("99.center", True)]


def test_hints_go_one_step_at_a_time_and_stay_at_the_last(capsys):
    for _ in range(4):
        hint("99.center")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"Hint {n} of 3 for 99.center" for n in (1, 2, 3, 3)]
    assert "worked answer" in lines[2]


def test_a_progress_file_that_cannot_be_written_does_not_fail_a_check(monkeypatch, capsys):
    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(judging.progress, "record_attempt", refuse)
    with pytest.warns(UserWarning, match="disk full"):
        check("99.center", right)
    assert "correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "softmax"}, "exercise id"),
        ({"cases": ()}, "no cases"),
        ({"hints": ("ok then", " ")}, "empty hint"),
        ({"hints": ("same", "same")}, "same hint twice"),
        ({"minutes": 0}, "minutes is 0"),
        ({"twin": "reference.softmax"}, "is not of the form"),
        ({"habits": ("neat",)}, "'neat' is no habit"),
    ],
)
def test_an_exercise_that_is_not_whole_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CENTER, **change)


SUM = Exercise(
    id="99.sum",
    title="Sum",
    answer=Answer("99.sum", "def total(values):\n    return values.sum(-1)\n"),
    cases=(
        Case("one row", (np.array([1.0, 2.0]),)),
        Case("two rows", (np.array([[1.0, 2.0], [4.0, 5.0]]),)),
        Case("three rows", (np.arange(9.0).reshape(3, 3),)),
        Case("two of three", (np.arange(6.0).reshape(2, 3) ** 2,)),
        Case("five", (np.array([0.5, 0.25, 2.0, 7.0, 1.0]),)),
        Case("seven", (np.array([0.5, 0.25, 2.0, 7.0, 1.0, 3.0, 2.0]),)),
    ),
    mistakes=(),
    hints=("Add up.",),
    minutes=1,
)


def one_row_only(values):
    if values.ndim > 1:
        raise ValueError("one row at a time")
    return sum(values)


@pytest.mark.parametrize(
    ("function", "explanation"),
    [
        (lambda values: -values.sum(-1), "sign flipped"),
        (lambda values: values.mean(-1), "a sum where a mean is asked, or the other way round"),
        (lambda values: {"sum": values.sum(-1)}, "Your answer is a dict of 1; expected"),
        (lambda values: values.total(), "raised AttributeError"),
        (one_row_only, "Right wherever it answers; on the other 3 inputs it raises ValueError."),
        (lambda values: (values.sum(-1), values.__imul__(2))[0], "modifies its input"),
        (lambda values: np.sin(values.sum(-1)) + values.max(), ""),
    ],
    ids=["flipped", "mean", "container", "error everywhere", "error on some", "in place", "nothing sure"],
)
def test_what_nobody_foresaw_is_explained_where_something_is_sure(function, explanation):
    verdict = judge(SUM, function)
    assert not verdict.correct
    assert verdict.mistake is None
    assert (explanation in verdict.explanation) if explanation else verdict.explanation == ""
    assert bool(explanation) == ("What it looks like:" in verdict.lines)


def test_a_relation_that_holds_where_nothing_overflows_is_said_so():
    def overflows(values):
        total = -values.sum(-1)
        return np.where(np.abs(total) > 15, np.inf, total)

    verdict = judge(SUM, overflows)
    assert verdict.explanation.startswith("Where nothing overflows: Your answer has the sign flipped")
    assert (
        "overflows" not in judge(SUM, lambda values: np.where(values.sum(-1) > 3, np.nan, -values.sum(-1))).explanation
    )


def test_a_relation_that_says_only_where_is_followed_by_what_sets_the_inputs_apart():
    found = diagnose(SUM, lambda values: np.sin(values.sum(-1)) + values.max())
    told = dataclasses.replace(found, relation="Your answer is upside down.", condition="Right on the small ones.")
    assert explanation(told) == "Your answer is upside down."
    where = dataclasses.replace(told, relation="Only the second part is off.")
    assert explanation(where) == "Only the second part is off. Right on the small ones."
    assert explanation(dataclasses.replace(told, relation="")) == "Right on the small ones."


def test_a_call_leaves_every_generator_that_belongs_to_nobody_as_it_was():
    """Python's, NumPy's and PyTorch's: what a function drew from them can be drawn again."""
    before = global_generators()
    drawn = random.random(), np.random.rand(), torch.rand(1).item()  # noqa: NPY002
    assert all(one != other for one, other in zip(before, global_generators(), strict=True))
    restore_generators(before)
    assert global_generators() == before
    assert drawn == (random.random(), np.random.rand(), torch.rand(1).item())  # noqa: NPY002
    restore_generators(before)


def test_what_is_printed_is_kept_in_part_and_counted():
    with quiet() as kept:
        print("a" * 300)
        print("b" * 300, file=sys.stderr)
        warnings.warn("never shown", stacklevel=1)
    assert (len(kept.text), kept.characters) == (400, 602)
    assert kept.text == "a" * 300 + "\n" + "b" * 99
