"""What of two answers may be looked into, their numbers, and when a rule that joins them holds.

Nothing here calls a method of the learner's: only exact plain types are opened, as in `compare.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import asarray, isclose, stack, unique  # by name: a learner may have put something else in their place

from mlm_mini.course.compare import DICTS

_MOST_ITEMS = 100_000
_DEEPEST = 8
TEXT = (str, np.str_)
KEYS = (str, int, np.str_, np.int64)


@dataclass(frozen=True)
class Pair:
    """One input, the learner's answer to it and the right one. `names` are those of the positional arguments."""

    name: str
    args: tuple
    kwargs: dict[str, Any]
    yours: Any
    expected: Any
    names: tuple[str, ...] = ()

    def arguments(self) -> dict[str, Any]:
        """Every argument by the name a sentence uses: `logits` in backticks, or "argument 2"."""
        named = {
            f"`{self.names[place]}`" if place < len(self.names) else f"argument {place + 1}": value
            for place, value in enumerate(self.args)
        }
        return named | {f"`{name}`": value for name, value in self.kwargs.items()}


def is_plain(value: Any) -> bool:
    """Whether a value holds arrays, numbers, text, None and lists, tuples or dicts of them alone, and not too many."""
    waiting, seen = [(value, 0)], 0
    while waiting:
        item, depth = waiting.pop()
        seen += 1
        if seen > _MOST_ITEMS or depth > _DEEPEST:
            return False
        if type(item) in (list, tuple):
            if len(item) > _MOST_ITEMS:
                return False
            waiting += [(inner, depth + 1) for inner in item]
        elif type(item) in DICTS:
            if any(type(key) not in KEYS for key in dict.keys(item)):
                return False
            waiting += [(inner, depth + 1) for inner in dict.values(item)]
        elif not _is_plain_item(item):
            return False
    return True


def _is_plain_item(item: Any) -> bool:
    if type(item) is np.ndarray or (isinstance(item, np.generic) and type(item).__module__ == "numpy"):
        return item.dtype.kind in "biufU"
    return item is None or type(item) in (bool, int, float, str)


def plain_dict(value: Any) -> dict:
    """A plain dict of one of the known kinds as a `dict` with Python's own keys."""
    return {key.item() if isinstance(key, np.generic) else key: item for key, item in dict.items(value)}


def numbers(value: Any) -> np.ndarray | None:
    """A plain value as a float64 array; None when it is not numbers alone, or ragged."""
    if isinstance(value, (np.ndarray, np.generic)):
        return asarray(value, dtype=np.float64) if value.dtype.kind in "biuf" else None
    if type(value) in (bool, int, float):
        try:
            return asarray(float(value))
        except OverflowError:
            return None
    if type(value) not in (list, tuple):
        return None
    if {type(item) for item in value} <= {bool, int, float}:
        try:
            return np.array(value, dtype=np.float64)
        except OverflowError:
            return None
    parts = [numbers(item) for item in value]
    if any(part is None or part.shape != parts[0].shape for part in parts):
        return None
    return stack(parts)


def is_true_or_false(value: Any) -> bool:
    """Whether a plain value is a bool, an array of them, or a list of them."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind == "b"
    if type(value) in (list, tuple):
        return bool(value) and all(is_true_or_false(item) for item in value)
    return type(value) is bool


@dataclass(frozen=True)
class Near:
    """When two numbers count as equal."""

    rtol: float
    atol: float

    @classmethod
    def after_a_transform(cls, rtol: float, atol: float) -> Near:
        """A little more generous than the exercise: a square or a logarithm rounds once more."""
        return cls(max(10 * rtol, 1e-8), max(10 * atol, 1e-12))

    def close(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return isclose(one, other, rtol=self.rtol, atol=self.atol, equal_nan=True)

    def same(self, one: np.ndarray, other: np.ndarray) -> bool:
        return one.shape == other.shape and bool(self.close(one, other).all())


@dataclass(frozen=True)
class Both:
    """The numbers of one pair."""

    yours: np.ndarray
    expected: np.ndarray
    pair: Pair


@dataclass(frozen=True)
class Answers:
    """The numbers of all pairs, the smallest first: a rule that does not hold then fails soon."""

    both: tuple[Both, ...]
    near: Near

    def hold(self, test: Callable[[np.ndarray, np.ndarray], bool]) -> tuple[Both, ...]:
        """The telling pairs, in which the answers differ, if test(yours, expected) holds on every pair; else none."""
        telling = []
        for both in self.both:
            if not test(both.yours, both.expected):
                return ()
            if not self.near.same(both.yours, both.expected):
                telling.append(both)
        return tuple(telling) if len(telling) >= 2 else ()

    def follow(self, rule: Callable[[np.ndarray], np.ndarray | None]) -> tuple[Both, ...]:
        """The telling pairs if `yours` is rule(expected) on every pair.

        A rule that has nothing to say of an array (it has too few axes, say) leaves it as it is.
        """

        def test(yours: np.ndarray, expected: np.ndarray) -> bool:
            try:
                made = rule(expected)
            except (ValueError, IndexError):  # numpy's AxisError is both
                made = None
            return self.near.same(yours, expected if made is None else asarray(made))

        return self.hold(test)

    def turned(self) -> Answers:
        """The same with the two sides exchanged: what makes the right answer of the learner's?"""
        return Answers(tuple(Both(both.expected, both.yours, both.pair) for both in self.both), self.near)

    @property
    def alike_in_shape(self) -> bool:
        return all(both.yours.shape == both.expected.shape for both in self.both)

    @property
    def largest(self) -> int:
        return max(max(both.yours.size, both.expected.size) for both in self.both)

    @property
    def most_axes(self) -> int:
        return max(both.expected.ndim for both in self.both)

    @property
    def whole(self) -> bool:
        """Whether every number is whole: among few small numbers a coincidence is easy."""
        every = [array for both in self.both for array in (both.yours, both.expected)]
        return all(bool((array[np.isfinite(array)] % 1 == 0).all()) for array in every)


def numeric(pairs: Sequence[Pair], near: Near) -> Answers | None:
    """The numbers of all pairs; None when one of the answers is not numbers alone."""
    both = []
    for pair in pairs:
        yours, expected = pair.yours, pair.expected
        if type(yours) in DICTS and type(expected) in DICTS:
            yours, expected = plain_dict(yours), plain_dict(expected)
            if set(yours) != set(expected):
                return None
            yours, expected = [yours[key] for key in expected], list(expected.values())
        ours, theirs = numbers(yours), numbers(expected)
        if ours is None or theirs is None:
            return None
        both.append(Both(ours, theirs, pair))
    return Answers(tuple(sorted(both, key=lambda one: one.expected.size)), near)


def distinct(arrays: Sequence[np.ndarray]) -> int:
    """How many different finite numbers the arrays hold together, up to rounding."""
    every = np.concatenate([array.ravel() for array in arrays]) if arrays else np.zeros(0)
    every = unique(every[np.isfinite(every)][:: 1 + every.size // _MOST_ITEMS])
    return int(len(every) and 1 + (np.diff(every) > 1e-9 * np.abs(every[1:])).sum())


def number_text(number: float) -> str:
    """0.5, 1e-09, 1234567, NaN, -inf."""
    if np.isnan(number):
        return "NaN"
    return f"{int(number)}" if number % 1 == 0 and abs(number) < 1e7 else f"{float(number):.6g}"
