"""What the entries of an argument may have that others lack, the most telling first: -inf, nothing selected, a tie.

A feature is tested on one argument at a time. Its phrases complete "Right on the 6 inputs ..., wrong on the 3 ...".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlm_mini.course.conditions.arguments import Argument
from mlm_mini.reference import IGNORE_INDEX

LARGEST_INT16 = 32_767
VERY_LOW, _BIG = -1e4, 1e3
Test = Callable[[Argument, str], Any]


@dataclass(frozen=True)
class Feature:
    """`has` and `lacks` are phrases with the argument's name at {}; `one` and `many` say again that it is there.

    by_chance      many inputs have it for no reason: then a few inputs prove nothing.
    both_ways      that just the right ones have it is worth saying too.
    looks_inside   needs every entry of an array, not its shape alone.
    """

    has: str
    lacks: str
    test: Test
    one: str = "that has it"
    many: str = "that have one"
    by_chance: bool = False
    both_ways: bool = False
    looks_inside: bool = True


def with_one(what: str, test: Test, many: str = "that have one", **more: bool) -> Feature:
    """An argument with something in it, or without."""
    return Feature(f"with {what} in {{}}", f"without {what} in {{}}", test, many=many, **more)


def where(has: str, lacks: str, again: str, test: Test, **more: bool) -> Feature:
    """An argument of which something is true, and of which it is not."""
    return Feature(f"where {has}", f"where {lacks}", test, f"where {again}", f"where {again}", **more)


def any_array(kinds: str, test: Callable[[np.ndarray], Any]) -> Test:
    """Whether an array of the argument, of one of NumPy's kinds, has it."""
    return lambda argument, _: any(bool(test(array)) for array in argument.of(kinds) if array.size)


def _selected(test: Callable[[np.ndarray], Any]) -> Test:
    return lambda argument, _: any(bool(test(array)) for array in argument.selections if array.size)


def _is(*numbers: float) -> Test:
    return lambda argument, _: argument.number in numbers and type(argument.value) is not bool


def _axis(test: Callable[[float], bool]) -> Test:
    return lambda argument, name: name == "axis" and argument.number is not None and test(argument.number)


def _finite(array: np.ndarray) -> np.ndarray:
    return array[np.isfinite(array)]


def _rows(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, array.shape[-1]) if array.size else np.zeros((0, 1), array.dtype)


def _is_empty(argument: Argument, _: str) -> bool:
    return argument.length == 0 or any(array.size == 0 for array in argument.arrays)


def _repeats(argument: Argument, _: str) -> bool | None:
    """An entry twice in one row of ids or words; 0 and -100, which fill up rows, do not count.

    None where there is nothing but 0 and 1: they may be ids or a mask, and a mask does not repeat itself.
    """
    undecided = False
    for array in [] if argument.is_labels else argument.of("iU"):
        if array.dtype.kind == "i" and set(np.unique(array).tolist()) <= {0, 1}:
            undecided = True
            continue
        for row in _rows(array):
            kept = row if array.dtype.kind == "U" else row[(row != IGNORE_INDEX) & ((row != 0) | (array.ndim == 1))]
            if len(set(kept.tolist())) < kept.size:
                return True
    return None if undecided else False


def _ties(array: np.ndarray) -> bool:
    ordered = np.sort(_rows(array), -1)
    return bool(((ordered[:, 1:] == ordered[:, :-1]) & np.isfinite(ordered[:, 1:])).any())


def _unsorted(argument: Argument, name: str) -> bool:
    """Of whole numbers and ratios: scores and probabilities stand in any order, and mean nothing by it."""
    arrays = argument.of("if" if "ratio" in name else "i")
    return any(array.ndim == 1 and bool((array[1:] < array[:-1]).any()) for array in arrays)


def _negative(array: np.ndarray) -> bool:
    return bool(((array < 0) & (array != IGNORE_INDEX) & np.isfinite(array)).any())


def _unequal(array: np.ndarray) -> bool:
    return array.ndim > 1 and len(set(array.sum(-1).ravel().tolist())) > 1


def _zero_at(place: int) -> Test:
    """Whether a row of ids has 0 at that end, as padding has, and something else besides."""

    def test(argument: Argument, _: str) -> bool:
        ids = [] if argument.is_labels else [_rows(array) for array in argument.of("i") if (array >= 0).all()]
        return any(bool(((rows[:, place] == 0) & (rows != 0).any(-1)).any()) for rows in ids)

    return test


def _false_at(place: int) -> Test:
    return any_array("b", lambda array: (~_rows(array)[:, place] & _rows(array).any(-1)).any())


optional = Feature(
    "that give {}", "that leave {} out", lambda *_: True, "that gives it", "that give it", both_ways=True
)

VALUES: tuple[Feature, ...] = (
    with_one("a score of -inf", any_array("f", lambda a: np.isneginf(a).any())),
    with_one("NaN", any_array("f", lambda a: np.isnan(a).any()), "that have it"),
    with_one("a score below -10,000", any_array("f", lambda a: (_finite(a) < VERY_LOW).any())),
    with_one("numbers beyond 1,000", any_array("f", lambda a: (np.abs(_finite(a)) > _BIG).any()), "that have some"),
    where("{} has no entries", "{} has some entries", "it has none", _is_empty, looks_inside=False),
    where("{} selects nothing", "{} selects something", "it selects nothing", _selected(lambda a: not a.any())),
    where(
        "a row of {} selects nothing",
        "every row of {} selects something",
        "a row selects nothing",
        _selected(lambda a: a.ndim > 1 and not a.any(-1).all()),
    ),
    where("{} is not -1, the last", "{} is -1 or left out", "it is another", _axis(lambda n: n != -1)),
    where("{} is 0", "{} is not 0", "it is", _is(0.0), both_ways=True),
    where("{} is 1", "{} is not 1", "it is", _is(1.0), both_ways=True),
    where("{} is 0 or 1", "{} is neither 0 nor 1", "it is", _is(0.0, 1.0), both_ways=True),
    optional,
    where("{} is negative", "{} is not negative", "it is", _axis(lambda n: n < 0), both_ways=True),
    where("{} is None", "{} is not None", "it is", lambda argument, _: argument.value is None, both_ways=True),
    with_one("an id above 32,767", any_array("i", lambda a: a.max() > LARGEST_INT16)),
    with_one("a repeated entry", _repeats),
    with_one("a tie among the numbers", any_array("f", _ties)),
    where("{} is not in ascending order", "{} is in ascending order", "it is not", _unsorted, by_chance=True),
    with_one("a 0", any_array("f", lambda a: (a == 0).any())),
    with_one("negative numbers", any_array("if", _negative), "that have some", by_chance=True),
    where(
        "the rows of {} select unequal numbers",
        "the rows of {} select equally many",
        "they do not",
        _selected(_unequal),
    ),
    with_one("a row that starts with 0 and has other entries", _zero_at(0)),
    with_one("a row that ends with 0 and has other entries", _zero_at(-1)),
    with_one("a row that starts with False and has a True", _false_at(0)),
    with_one("a row that ends with False and has a True", _false_at(-1)),
)
