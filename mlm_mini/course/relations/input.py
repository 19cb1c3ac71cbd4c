"""Answers that do not depend on the input, or are the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlm_mini.course.compare import difference
from mlm_mini.course.relations.values import Near, Pair, distinct, is_plain, is_true_or_false, number_text, numbers


def an_argument(pairs: Sequence[Pair], near: Near) -> str:
    """A sentence when `yours` is one of the arguments on every input, and not always the same."""
    if not _changes([pair.yours for pair in pairs], near):
        return ""
    for name in pairs[0].arguments():
        if all(name in pair.arguments() and _is(pair.yours, pair.arguments()[name], near) for pair in pairs):
            return f"You return {name if name[0] == '`' else 'your ' + name} unchanged."
    return ""


def _is(yours: Any, argument: Any, near: Near) -> bool:
    return is_plain(argument) and difference(yours, argument, near.rtol, near.atol) is None


def _changes(answers: Sequence[Any], near: Near) -> bool:
    return not all(_is(answer, answers[0], near) for answer in answers)


def the_same_always(pairs: Sequence[Pair], near: Near) -> str:
    """A sentence when all numbers of `yours` are the same, or all its answers are, and the right ones differ."""
    yours, expected = [numbers(pair.yours) for pair in pairs], [numbers(pair.expected) for pair in pairs]
    if all(mine is not None and right is not None for mine, right in zip(yours, expected, strict=True)):
        if _one_number(yours, expected, near):
            value = next(array.flat[0] for array in yours if array.size)
            text = str(bool(value)) if is_true_or_false(pairs[0].yours) else number_text(_round(value, near))
            return f"Your answer is {text} everywhere, on every input."
        if _filled(yours, expected, near):
            return "All numbers of your answer are equal; those of the right one are not."
    if len(pairs) < 3 or _changes([pair.yours for pair in pairs], near):
        return ""
    differ = _changes([pair.expected for pair in pairs], near)
    return "Your answer is the same on every input; the right ones differ." if differ else ""


def _one_number(yours: list[np.ndarray], expected: list[np.ndarray], near: Near) -> bool:
    """Whether all answers are made of one number, three times at least."""
    every = np.concatenate([array.ravel() for array in yours])
    return every.size >= 3 and distinct(expected) >= 2 and near.same(every, np.full_like(every, every[0]))


def _filled(yours: list[np.ndarray], expected: list[np.ndarray], near: Near) -> bool:
    """Whether every answer is filled with one number, another for each input. NaN is none."""
    telling = 0
    for mine, right in zip(yours, expected, strict=True):
        if mine.size and (np.isnan(mine).any() or not near.same(mine, np.full_like(mine, mine.flat[0]))):
            return False
        telling += mine.size >= 3 and mine.shape == right.shape and distinct([right]) >= 2
    return telling >= 2


def _round(number: float, near: Near) -> float:
    """What rounding left of a 0 is 0."""
    return 0.0 if abs(number) <= near.atol else float(number)
