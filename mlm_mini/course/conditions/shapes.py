"""What the form of an argument may have that others lack: one item, many rows, three axes, more entries than some."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mlm_mini.course.conditions.arguments import Argument
from mlm_mini.course.conditions.features import Feature, Test, where

MANY_LENGTHS = 3  # different ones on either side, before odd and even are worth a word
FEWEST_PARTINGS = 20  # ways to choose the wrong inputs among all, before their being the longest is no coincidence


def _all_arrays(test: Callable[[np.ndarray], bool]) -> Test:
    """A test of the shape or type of every array in the argument."""
    return lambda argument, _: bool(argument.arrays) and all(bool(test(array)) for array in argument.arrays)


def _is_single(argument: Argument, _: str) -> bool:
    if type(argument.value) in (list, tuple, dict, str):
        return len(argument.value) == 1
    return type(argument.value) is np.ndarray and argument.value.size == 1


def _shape(has: str, lacks: str, again: str, test: Test, by_chance: bool = True) -> Feature:
    """A feature that shows without a look at the entries, and may part right from wrong in either direction."""
    return where(has, lacks, again, test, by_chance=by_chance, both_ways=True, looks_inside=False)


SHAPES: tuple[Feature, ...] = (
    _shape("{} has a single item", "{} has more items than one, or none", "it has one", _is_single, by_chance=False),
    _shape(
        "{} has three or more axes",
        "{} has fewer axes than three",
        "it has three or more",
        _all_arrays(lambda a: a.ndim > 2),
    ),
    _shape("{} has one axis", "{} has no axis, or more than one", "it has one", _all_arrays(lambda a: a.ndim == 1)),
    _shape(
        "{} has more than one row",
        "{} has a single row, or none",
        "it has more",
        _all_arrays(lambda a: a.ndim > 1 and a.size > a.shape[-1]),
    ),
    _shape(
        "{} is not square",
        "{} is square, or no table",
        "it is not",
        _all_arrays(lambda a: a.ndim > 1 and a.shape[-1] != a.shape[-2]),
    ),
    _shape(
        "{} has an axis of length 1",
        "{} has no axis of length 1",
        "it has one",
        _all_arrays(lambda a: a.ndim > 1 and 1 in a.shape),
    ),
    _shape(
        "{} is float32", "{} is not float32", "it is", _all_arrays(lambda a: a.dtype == np.float32), by_chance=False
    ),
    _shape("{} is a list", "{} is not a list", "it is", lambda a, _: type(a.value) is list, by_chance=False),
)


def limits(arguments: Sequence[Argument], right: Sequence[bool]) -> Iterator[Feature]:
    """Features that no table can list: longer than the longest that is right, above the largest number that is."""
    if math.comb(len(right), sum(right)) < FEWEST_PARTINGS:
        return
    lengths = [None if any(a.ndim > 1 for a in argument.arrays) else argument.length for argument in arguments]
    if all(length is not None for length in lengths):  # of several axes, which one is meant is not clear
        yield from _parity(lengths, right)
        yield from _limits("the length of {}", lambda argument: argument.length, lengths, right)
    numbers = [argument.number for argument in arguments]
    whole = all(type(argument.value) is int for argument in arguments)
    if all(number is not None for number in numbers) and (whole or len(numbers) >= 6):
        yield from _limits("{}", lambda argument: argument.number, numbers, right)


def _limits(
    what: str, measure: Callable[[Argument], float], measured: Sequence[float], right: Sequence[bool]
) -> Iterator[Feature]:
    good = [value for value, is_right in zip(measured, right, strict=True) if is_right]
    bad = [value for value, is_right in zip(measured, right, strict=True) if not is_right]
    highest, lowest = max(good), min(good)
    if min(bad) > highest:
        yield _limit(what, "above", "at most", highest, lambda argument, _: measure(argument) > highest)
    elif max(bad) < lowest:
        yield _limit(what, "below", "at least", lowest, lambda argument, _: measure(argument) < lowest)


def _limit(what: str, beyond: str, within: str, limit: float, test: Test) -> Feature:
    text = f"{limit:,.6g}"
    again = f"it is {beyond} that"
    return where(f"{what} is {beyond} {text}", f"{what} is {within} {text}", again, test, by_chance=True)


def _parity(lengths: Sequence[int], right: Sequence[bool]) -> Iterator[Feature]:
    """Odd or even, which any few lengths are by chance."""
    for is_right in (True, False):
        if len({length for length, here in zip(lengths, right, strict=True) if here == is_right}) < MANY_LENGTHS:
            return
    yield _shape(
        "the length of {} is odd",
        "the length of {} is even",
        "it is odd",
        lambda argument, _: (argument.length or 0) % 2 == 1,
    )
