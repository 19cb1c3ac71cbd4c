"""An argument of a call, opened: the arrays it is made of, or the number it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlm_mini.reference import IGNORE_INDEX

_DEEPEST = 6
_MOST_ITEMS = 20_000


@dataclass(frozen=True)
class Argument:
    """`arrays`: those of numbers, true or false, and words, that the value is or holds. `number`: when it is one."""

    value: Any
    arrays: tuple[np.ndarray, ...]
    number: float | None = None
    is_labels: bool = False

    @property
    def size(self) -> int:
        return sum(array.size for array in self.arrays)

    @property
    def has_ignored(self) -> bool:
        return any(bool((array == IGNORE_INDEX).any()) for array in self.of("i"))

    @property
    def length(self) -> int | None:
        """How long a list, a text or the last axis of an array is."""
        if type(self.value) is np.ndarray:
            return self.value.shape[-1] if self.value.ndim else None
        return len(self.value) if type(self.value) in (list, tuple, dict, str) else None

    def of(self, kinds: str) -> list[np.ndarray]:
        """The arrays of those kinds of NumPy's: b, i, f, U."""
        return [array for array in self.arrays if array.dtype.kind in kinds]

    def as_labels(self) -> Argument:
        return replace(self, is_labels=True)

    @property
    def selections(self) -> list[np.ndarray]:
        """What is selected: where a bool array is True, or a label is there to be predicted."""
        chosen = [array != IGNORE_INDEX for array in self.of("i")] if self.is_labels else []
        return self.of("b") + chosen


def open_argument(value: Any) -> Argument:
    """Looks into exact plain types only; of anything else nothing is known."""
    if type(value) in (bool, int, float) or (isinstance(value, np.number) and type(value).__module__ == "numpy"):
        try:
            return Argument(value, (), float(value))
        except (OverflowError, TypeError):
            return Argument(value, ())
    return Argument(value, tuple(_arrays(value, _DEEPEST)))


def _arrays(value: Any, depth: int) -> Iterator[np.ndarray]:
    """A list of equal rows is an array; of a list of other things each is opened for itself."""
    if type(value) is np.ndarray:
        if value.dtype.kind in "biufU":
            yield value.astype(np.int64) if value.dtype.kind == "u" else value
        return
    if type(value) is dict:
        value = list(value.values())
    if type(value) not in (list, tuple) or not depth or len(value) > _MOST_ITEMS:
        return
    kinds = _kinds(value, depth)
    one_kind = kinds <= {int, float} or (len(kinds) == 1 and object not in kinds)
    if kinds and one_kind and _is_even(value):
        yield np.array(value)
        return
    for item in value:
        yield from _arrays(item, depth - 1)


def _kinds(value: Any, depth: int) -> set[type]:
    """The types of the single values in nested lists."""
    if type(value) not in (list, tuple):
        return {type(value)} if type(value) in (bool, int, float, str) else {object}
    return set().union(*(_kinds(item, depth - 1) for item in value)) if depth else {object}


def _is_even(value: Any) -> bool:
    """Whether nested lists have rows of equal length, at every depth, as an array has."""
    if type(value) not in (list, tuple):
        return True
    shapes = {len(item) if type(item) in (list, tuple) else -1 for item in value}
    return len(shapes) <= 1 and all(_is_even(item) for item in value)
