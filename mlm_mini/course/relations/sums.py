"""Answers of which one is the other summed up, averaged, or a part of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mlm_mini.course.relations.counts import sources
from mlm_mini.course.relations.order import AXES, MOST_ENTRIES
from mlm_mini.course.relations.values import Answers, distinct

REDUCED: tuple[tuple[str, Callable], ...] = (
    ("sum", np.sum),
    ("mean", np.mean),
    ("largest", np.max),
    ("smallest", np.min),
    ("first", lambda array, axis: np.take(array, 0, axis)),
    ("last", lambda array, axis: np.take(array, -1, axis)),
)
DIAGONAL_ALONE = "Your answer is only the diagonal of the right one."
ALL_PAIRS = "The right answer is the diagonal of yours: you pair everything with everything, not each with its own."


def summed(answers: Answers) -> str:
    """A sentence when one side is a sum, a mean or one entry of the other, along an axis or of everything."""
    if answers.largest > MOST_ENTRIES or answers.alike_in_shape:
        return ""
    for ours, sentence in ((answers, DIAGONAL_ALONE), (answers.turned(), ALL_PAIRS)):
        if _reduces(ours, lambda array: np.diagonal(array, axis1=-2, axis2=-1)):
            return sentence
    for says, reduce in REDUCED:
        what = f"the {says} of" if says in ("sum", "mean") else f"only the {says} of"
        if _reduces(answers, lambda e, reduce=reduce: reduce(e.ravel(), 0)):
            return f"Your answer is {what} all that the right one holds: one number for each entry is asked."
        if _reduces(answers.turned(), lambda y, reduce=reduce: reduce(y.ravel(), 0)):
            return f"You return a number for every entry; the {says} of all of them is the right answer."
        for axis, name in AXES:
            if _reduces(answers, lambda e, reduce=reduce, axis=axis: reduce(e, axis)):
                return f"Your answer is {what} the right one along its {name} axis, which should be kept."
            if _reduces(answers.turned(), lambda y, reduce=reduce, axis=axis: reduce(y, axis)):
                return f"Your answer has an axis too many: the {says} along its {name} axis is the right answer."
    return _summed_and_divided(answers)


def _summed_and_divided(answers: Answers) -> str:
    """A sum of the learner's numbers that a count is still to divide."""
    for text, counts, _ in sources(answers):
        of = {id(both.yours): count for both, count in zip(answers.both, counts, strict=True)}
        if _reduces(answers.turned(), lambda y, of=of: y.sum() / of[id(y)]):
            return f"You return a number for every entry; their sum divided by {text} is the right answer."
    return ""


def _reduces(answers: Answers, rule: Callable) -> bool:
    """Whether rule(expected) are the numbers of `yours`, which are fewer, axes of length 1 aside."""

    def test(yours: np.ndarray, expected: np.ndarray) -> bool:
        if answers.near.same(yours, expected):
            return True
        if not expected.size:
            return False
        try:
            made = rule(expected)
        except (ValueError, IndexError):
            return False
        return made.size == yours.size and answers.near.same(yours.ravel(), np.ravel(made))

    telling = answers.hold(test)
    fewer = sum(both.yours.size < both.expected.size for both in telling)
    results, wholes = [both.yours for both in telling], [both.expected for both in telling]
    return fewer >= 2 and distinct(results) >= 2 and distinct(wholes) >= 3
