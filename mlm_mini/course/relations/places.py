"""Answers that are right but for certain places: where NaN stands, or one value for another, or on the diagonal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from mlm_mini.course.relations.order import AXES, MOST_ENTRIES
from mlm_mini.course.relations.values import Answers, Both, distinct, number_text
from mlm_mini.reference import IGNORE_INDEX

RIGHT_ENOUGH = 3  # numbers that are right, before one says that all others are


def right_but_for_a_value(answers: Answers) -> str:
    """A sentence when what is off has one value, in yours or in the right answer, or is no number in yours."""
    if not answers.alike_in_shape:
        return ""
    off = [~answers.near.close(both.yours, both.expected) for both in answers.both]
    if sum(bool(one.any()) for one in off) < 2 or sum(int((~one).sum()) for one in off) < RIGHT_ENOUGH:
        return ""
    yours, expected = _gather(answers, off, "yours"), _gather(answers, off, "expected")
    right = _gather(answers, [~one for one in off], "expected")
    made, wanted = _single(yours), _single(expected)
    only_there = wanted is not None and _stands_out(wanted, answers, off) and not _among(wanted, right)
    if made is not None and only_there:
        return f"Wherever {number_text(wanted)} is expected you have {number_text(made)}; all else is right."
    if not np.isfinite(yours).any() and np.isfinite(expected).any() and np.isfinite(right).any():
        what = "NaN" if np.isnan(yours).all() else "inf" if not np.isnan(yours).any() else "NaN or inf"
        where = f"where {_example(expected)}, for one, is expected"
        return f"Wherever your answer is a number it is right; elsewhere it is {what}, {where}."
    if made is not None and not _among(made, right) and distinct([expected]) >= 2:
        return f"Your answer is right except where it is {number_text(made)}."
    if only_there and distinct([right]) >= 2:
        return f"Your answer is right except where {number_text(wanted)} is expected."
    return ""


def _gather(answers: Answers, places: list[np.ndarray], side: str) -> np.ndarray:
    every = [getattr(both, side)[place] for both, place in zip(answers.both, places, strict=True)]
    return np.concatenate(every)


def _single(values: np.ndarray) -> float | None:
    """The one value of them all, or None."""
    first = values[0]
    alike = np.isnan(values) if np.isnan(first) else values == first
    return float(first) if alike.all() else None


def _among(value: float, values: np.ndarray) -> bool:
    return bool((np.isnan(values) if np.isnan(value) else values == value).any())


def _stands_out(wanted: float, answers: Answers, off: list[np.ndarray]) -> bool:
    """Whether the one value that is off is a special one, or stands among others that are right, on two inputs.

    That two answers of one number happen to be alike says nothing about the others.
    """
    mixed = sum(bool(one.any() and not one.all()) for one in off)
    return mixed >= 2 or wanted == 0 or not np.isfinite(wanted)


def _example(expected: np.ndarray) -> str:
    return number_text(float(expected[np.isfinite(expected)][0]))


def right_but_for_places(answers: Answers) -> str:
    """A sentence when all that is off lies in places that can be named: a mask, the diagonal, an end."""
    if not answers.alike_in_shape or answers.largest > MOST_ENTRIES:
        return ""
    off = {id(both): ~answers.near.close(both.yours, both.expected) for both in answers.both}
    for says, places in _places(answers):
        if _only_there(answers, off, places):
            return f"Your answer is right except {says}."
    return ""


def _only_there(answers: Answers, off: dict[int, np.ndarray], places: Callable[[Both], np.ndarray | None]) -> bool:
    """Whether nothing is off elsewhere and most is off there, on two pairs that have both kinds of places."""
    telling = named = wrong = right = 0
    for both in answers.both:
        here, bad = places(both), off[id(both)]
        if here is None or here.shape != bad.shape or (bad & ~here).any():
            return False
        if bad.any() and (~here).any():
            telling += 1
            right += int((~here).sum())
        named, wrong = named + int(here.sum()), wrong + int(bad.sum())
    return telling >= 2 and right >= RIGHT_ENOUGH and 2 * wrong >= named


def _places(answers: Answers) -> Iterator[tuple[str, Callable[[Both], np.ndarray | None]]]:
    for name in answers.both[0].pair.arguments():
        for says, mask in IN_ARGUMENT:
            yield says.format(name), lambda both, n=name, m=mask: _spread(both, both.pair.arguments().get(n), m)
    yield "on the diagonal", lambda both: _compare_places(both, np.equal)
    yield "above the diagonal", lambda both: _compare_places(both, np.less)
    yield "below the diagonal", lambda both: _compare_places(both, np.greater)
    yield "off the diagonal", lambda both: _compare_places(both, np.not_equal)
    for axis, name in AXES:
        along = f" along the {name} axis" if any(both.expected.ndim > 1 for both in answers.both) else ""
        yield f"for the first entry{along}", lambda both, axis=axis: _end(both, axis, 0)
        yield f"for the last entry{along}", lambda both, axis=axis: _end(both, axis, -1)


def _spread(both: Both, value: Any, mask: Callable[[np.ndarray], np.ndarray]) -> np.ndarray | None:
    """mask(argument) over the answer's shape: its leading axes are the argument's, or the other way round."""
    if type(value) is not np.ndarray or value.dtype.kind not in "bif" or not value.ndim:
        return None
    if value.ndim <= both.expected.ndim and value.shape == both.expected.shape[: value.ndim]:
        found = mask(value)
        return np.broadcast_to(
            found.reshape(found.shape + (1,) * (both.expected.ndim - found.ndim)), both.expected.shape
        )
    if value.shape[: both.expected.ndim] == both.expected.shape:  # a row of the argument for each number
        return mask(value).any(tuple(range(both.expected.ndim, value.ndim)))
    return None


def _of_kind(kind: str, test: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: test(array) if array.dtype.kind in kind else np.zeros(array.shape, dtype=bool)


IN_ARGUMENT: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("where {} is -100", _of_kind("i", lambda array: array == IGNORE_INDEX)),
    ("where {} is not -100", _of_kind("i", lambda array: (array != IGNORE_INDEX) & (array == IGNORE_INDEX).any())),
    ("where {} is -inf", _of_kind("f", np.isneginf)),
    ("where {} is NaN", _of_kind("f", np.isnan)),
    ("where {} is False", _of_kind("b", np.logical_not)),
    ("where {} is True", _of_kind("b", lambda array: array)),
    ("where {} is 0", _of_kind("if", lambda array: array == 0)),
    ("where {} is 1", _of_kind("f", lambda array: array == 1)),
    ("where {} is negative", _of_kind("f", lambda array: array < 0)),
)


def _compare_places(both: Both, compare: Callable) -> np.ndarray | None:
    """compare(row, column) for each place of the last two axes."""
    shape = both.expected.shape
    if len(shape) < 2:
        return None
    return np.broadcast_to(compare(np.arange(shape[-2])[:, None], np.arange(shape[-1])), shape)


def _end(both: Both, axis: int, place: int) -> np.ndarray | None:
    here = np.zeros(both.expected.shape, dtype=bool)
    if here.ndim <= (axis if axis >= 0 else -axis - 1) or here.shape[axis] < 2:
        return here
    np.moveaxis(here, axis, 0)[place] = True
    return here


def of_true_and_false(answers: Answers) -> str:
    """Of answers that select: the opposite, more than the expected, or less."""
    if not answers.alike_in_shape:
        return ""
    if answers.hold(lambda y, e: bool((y != e).all())) and distinct([both.expected for both in answers.both]) == 2:
        return "Your answer is True where False is expected, and False where True is."
    yours = np.concatenate([both.yours.ravel() for both in answers.both]) > 0
    expected = np.concatenate([both.expected.ravel() for both in answers.both]) > 0
    # By chance each of them agrees half of the time: five are some evidence.
    if answers.hold(lambda y, e: bool((y >= e).all())) and expected.sum() >= 5 and not yours.all():
        return "Your answer is True wherever it should be, and in other places too."
    if answers.hold(lambda y, e: bool((y <= e).all())) and (~expected).sum() >= 5 and yours.any():
        return "Your answer is True in some of the places where it should be, and nowhere else."
    return ""
