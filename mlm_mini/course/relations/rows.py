"""Rows that are right up to a factor or a number added, and sums that are one along another axis than they should."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlm_mini.course.relations.order import AXES, MOST_ENTRIES
from mlm_mini.course.relations.values import Answers, Near, distinct

_ROUNDING = Near(1e-6, 1e-6)
UP_TO: tuple[tuple[str, Callable, Callable, bool], ...] = (
    ("a factor, another one for each {}: how is it normalized?", np.divide, np.multiply, False),
    ("a number added to all of it, another one for each {}.", np.subtract, np.add, True),
)
_LINES = (
    (None, "Your answer", "input"),
    (-1, "Each row of your answer", "row"),
    (-2, "Each column of your answer", "column"),
)


def normalized_otherwise(answers: Answers) -> str:
    """A sentence when sums are one along another axis, or each row is right up to a factor or a number added."""
    if answers.largest > MOST_ENTRIES or not answers.alike_in_shape:
        return ""
    return _sum_to_one_elsewhere(answers) or _right_up_to(answers)


def _sum_to_one_elsewhere(answers: Answers) -> str:
    telling = [both for both in answers.both if not answers.near.same(both.yours, both.expected)]
    if len(telling) < 2:
        return ""
    for right, right_name in AXES:
        if not all(_sums_to_one(both.expected, right) for both in answers.both):
            continue
        if any(_sums_to_one(both.yours, right) for both in telling):
            continue
        for axis, name in ((None, "all together"), *((axis, f"along its {name} axis") for axis, name in AXES)):
            if all(_sums_to_one(both.yours, axis) for both in telling):
                return f"The numbers of your answer sum to one {name}; they should along the {right_name} axis."
    return ""


def _sums_to_one(array: np.ndarray, axis: int | None) -> bool:
    """Whether all sums along an axis are one, of numbers of which some are neither 0 nor 1."""
    if not _has_axis(array, axis):
        return False
    sums = np.asarray(array.sum(axis))
    return _ROUNDING.same(sums, np.ones_like(sums)) and bool(((array > 0) & (array < 1)).any())


def _has_axis(array: np.ndarray, axis: int | None) -> bool:
    return array.ndim > (0 if axis is None else axis if axis >= 0 else -axis - 1)


def _right_up_to(answers: Answers) -> str:
    for axis, start, one in _LINES:
        for says, undo, join, added in UP_TO:
            if _confirmed(answers, axis, undo, join, added):
                return f"{start} is right up to {says.format(one)}"
    return ""


def _confirmed(answers: Answers, axis: int | None, undo: Callable, join: Callable, added: bool) -> bool:
    """Whether one constant joins yours and the right answer all along each row, in rows that could show otherwise."""

    def test(yours: np.ndarray, expected: np.ndarray) -> bool:
        if answers.near.same(yours, expected):
            return True
        if yours.shape != expected.shape or not _has_axis(yours, axis):
            return False
        e = _lines(expected, axis)
        constant = _constants(_lines(yours, axis), e, undo, added)
        return (added or bool((constant != 0).all())) and answers.near.same(_lines(yours, axis), join(e, constant))

    telling = answers.hold(test)
    # A row with k different numbers confirms its constant k - 1 times.
    confirmed = [
        max(0, distinct([right]) - 1)
        for both in telling
        for mine, right in zip(_lines(both.yours, axis), _lines(both.expected, axis), strict=True)
        if not answers.near.same(mine, right)
    ]
    return sum(confirmed) >= 3 and sum(count > 0 for count in confirmed) >= 2


def _lines(array: np.ndarray, axis: int | None) -> np.ndarray:
    """The array as rows, each of which may have a constant of its own."""
    if axis is None:
        return array.reshape(1, -1)
    moved = np.moveaxis(array, axis, -1)
    return moved.reshape(-1, moved.shape[-1])


def _constants(yours: np.ndarray, expected: np.ndarray, undo: Callable, added: bool) -> np.ndarray:
    """Per row what joins the two at the largest right number; of no effect in a row without numbers."""
    usable = np.isfinite(expected) & np.isfinite(yours)
    sizes = np.where(usable & (added | (expected != 0)), np.abs(expected), -1.0)
    place = sizes.argmax(-1)[:, None]
    found = undo(np.take_along_axis(yours, place, -1), np.take_along_axis(expected, place, -1))
    return np.where(np.take_along_axis(sizes, place, -1) < 0, 0.0 if added else 1.0, found)
