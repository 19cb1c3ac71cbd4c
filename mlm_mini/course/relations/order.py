"""The right numbers in other places: transposed, reversed, shifted, sorted, summed on the way, mixed up, cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy import sort

from mlm_mini.course.relations.values import Answers, Both, Near, distinct

AXES = ((-1, "last"), (0, "first"), (-2, "last but one"), (1, "second"))
MOST_ENTRIES = 100_000
MOST_ROWS = 64
_Rule = Callable[[np.ndarray], np.ndarray | None]

SWAPPED: tuple[tuple[str, _Rule], ...] = (
    ("transposed", lambda e: e.T),
    ("with its last two axes swapped", lambda e: e.swapaxes(-1, -2)),
    ("with its first two axes swapped", lambda e: e.swapaxes(0, 1)),
    ("with its second and third axes swapped", lambda e: e.swapaxes(1, 2)),
)
# Each takes the right answer and an axis to the learner's.
ALONG: tuple[tuple[str, Callable[[np.ndarray, int], np.ndarray]], ...] = (
    ("reversed", np.flip),
    ("with everything moved on by one place", lambda e, axis: np.roll(e, 1, axis)),
    ("with everything moved back by one place", lambda e, axis: np.roll(e, -1, axis)),
    ("summed up step by step", lambda e, axis: np.cumsum(e, axis)),
    ("sorted", lambda e, axis: sort(e, axis)),
    ("sorted, the largest first", lambda e, axis: np.flip(sort(e, axis), axis)),
    ("without its first entry", lambda e, axis: np.delete(e, 0, axis)),
    ("without its last entry", lambda e, axis: np.delete(e, -1, axis)),
)
_UNDONE = (
    ("The right answer is yours summed up step by step", ALONG[3][1]),
    ("The right answer is yours sorted", ALONG[4][1]),
    ("The right answer is yours without its first entry", ALONG[6][1]),
    ("The right answer is yours without its last entry", ALONG[7][1]),
)


def reordered(answers: Answers) -> str:
    """A sentence when the right numbers stand in other places, or ""."""
    if answers.largest > MOST_ENTRIES:
        return ""
    return _swapped(answers) or _along_an_axis(answers) or _shifted(answers)


def mixed_up(answers: Answers) -> str:
    """The right numbers, or the right rows, in an order that no simpler rule explains."""
    if answers.largest > MOST_ENTRIES or not answers.alike_in_shape:
        return ""
    for says, test in (
        ("The rows of your answer are the right ones, in another order.", _same_rows),
        ("Each row of your answer holds the right numbers, in another order.", _same_within_rows),
        ("Your answer holds the right numbers, in another order.", _same_numbers),
    ):
        if _tells(answers.hold(lambda y, e, test=test: answers.near.same(y, e) or test(y, e, answers.near))):
            return says
    return ""


def _tells(telling: Sequence[Both]) -> bool:
    """Whether there are enough numbers: two of them change places in too many ways at once, and so do 0 and 1."""
    if not telling:
        return False
    different, sizes = distinct([both.expected for both in telling]), [both.expected.size for both in telling]
    enough = (different >= 3 and max(sizes) >= 3) or (different == 2 and sum(sizes) >= 12)
    return enough and distinct([both.yours for both in telling]) >= 2


def _swapped(answers: Answers) -> str:
    for says, rule in SWAPPED:
        if _tells(answers.follow(rule)):
            return f"Your answer is the right one {says}."
    return ""


def _along_an_axis(answers: Answers) -> str:
    turned = answers.turned()
    for axis, name in AXES:
        for says, rule in ALONG:
            telling = answers.follow(_with_axis(rule, axis))
            if _tells(telling):
                return f"Your answer is the right one {says}{_along(telling, name)}."
        for says, rule in _UNDONE:
            telling = turned.follow(_with_axis(rule, axis))
            if _tells(telling):
                return f"{says}{_along(telling, name)}."
    return ""


def _with_axis(rule: Callable[[np.ndarray, int], np.ndarray], axis: int) -> _Rule:
    """`rule` along that axis; nothing for an array without it, nor for one number."""
    return lambda array: rule(array, axis) if array.ndim > (axis if axis >= 0 else -axis - 1) else None


def _along(telling: Sequence[Both], name: str) -> str:
    """ " along the last axis", where there is more than one."""
    return f", along its {name} axis" if any(both.expected.ndim > 1 for both in telling) else ""


def _shifted(answers: Answers) -> str:
    """Moved by one place along an axis, with anything in the place that became free."""
    for axis, name in AXES:
        for step, says in ((1, "on"), (-1, "back")):
            telling = answers.hold(lambda y, e, a=axis, s=step: _is_shifted(y, e, a, s, answers.near))
            if _tells(telling):
                return f"Your answer is the right one moved {says} by one place{_along(telling, name)}."
    return ""


def _is_shifted(yours: np.ndarray, expected: np.ndarray, axis: int, step: int, near: Near) -> bool:
    if near.same(yours, expected):
        return True
    if yours.shape != expected.shape or yours.ndim <= (axis if axis >= 0 else -axis - 1) or yours.shape[axis] < 3:
        return False
    y, e = np.moveaxis(yours, axis, 0), np.moveaxis(expected, axis, 0)
    if step < 0:
        y, e = y[::-1], e[::-1]
    return near.same(y[1:], e[:-1]) and not near.same(y[1:], e[1:])


def _same_numbers(yours: np.ndarray, expected: np.ndarray, near: Near) -> bool:
    return distinct([expected]) >= 3 and near.same(sort(yours, None), sort(expected, None))


def _same_within_rows(yours: np.ndarray, expected: np.ndarray, near: Near) -> bool:
    return yours.ndim > 1 and distinct([expected]) >= 3 and near.same(sort(yours, -1), sort(expected, -1))


def _same_rows(yours: np.ndarray, expected: np.ndarray, near: Near) -> bool:
    """Whether each row of yours is a different one of the right rows."""
    if yours.ndim < 2 or yours.shape[-1] < 2 or yours.size // yours.shape[-1] > MOST_ROWS:
        return False
    left = list(expected.reshape(-1, expected.shape[-1]))
    for row in yours.reshape(-1, yours.shape[-1]):
        place = next((place for place, other in enumerate(left) if near.same(row, other)), None)
        if place is None:
            return False
        del left[place]
    return True
