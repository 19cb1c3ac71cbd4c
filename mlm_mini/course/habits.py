"""Habits that a right answer has everywhere, and how each is broken.

An exercise declares the habits that it asks for. Whether its inputs really tell who lacks one is not believed but
tried: from the worked answer each habit makes wrong ones, and the tests see that the check refuses them all. A habit is
written "name", or "name argument" where it concerns one argument: "any order ratios".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Spoiler = Callable[[Callable, str], Iterator[Callable]]
HABITS: dict[str, Spoiler] = {}


def habit(name: str) -> Callable[[Spoiler], Spoiler]:
    """Registers what makes wrong answers for a habit: it gets the right function and the argument that is named."""

    def register(spoiler: Spoiler) -> Spoiler:
        HABITS[name] = spoiler
        return spoiler

    return register


def spoiled(declared: str, right: Callable) -> list[Callable]:
    """The wrong answers that lack a habit, made from a right one."""
    name, argument = split(declared)
    return list(HABITS[name](right, argument))


def split(declared: str) -> tuple[str, str]:
    """The name of a habit and of the argument that it concerns. Raises ValueError for a habit that is not known."""
    for name in sorted(HABITS, key=len, reverse=True):
        if declared == name or declared.startswith(name + " "):
            return name, declared[len(name) + 1 :]
    raise ValueError(f"{declared!r} is no habit; the habits are {', '.join(sorted(HABITS))}")


def changed(right: Callable, argument: str, change: Callable[[Any], Any]) -> Callable:
    """`right`, with one of its arguments changed before it is called."""
    signature = inspect.signature(right)

    def wrong(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        bound.arguments[argument] = _changed(bound.arguments[argument], change)
        return right(*bound.args, **bound.kwargs)

    return wrong


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    """change(value), which sees an array where a function of PyTorch's gets a tensor."""
    if not _is_tensor(value):
        return change(value)
    import torch

    changed = torch.from_numpy(np.ascontiguousarray(change(value.detach().numpy().copy())))
    return changed.requires_grad_() if value.requires_grad else changed


def _is_tensor(value: Any) -> bool:
    return type(value).__module__.startswith("torch") and hasattr(value, "detach")


def _value(right: Callable, argument: str, args: tuple, kwargs: dict) -> Any:
    bound = inspect.signature(right).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.arguments[argument]


@habit("unchanged")
def _unchanged(right: Callable, argument: str) -> Iterator[Callable]:
    """Every input is left as it was: here an array is changed after use, a list or dict emptied."""

    def wrong(*args: Any, **kwargs: Any) -> Any:
        answer = right(*args, **kwargs)
        given = _value(right, argument, args, kwargs)
        given = given.detach().numpy() if _is_tensor(given) else given  # of the same memory
        if isinstance(given, np.ndarray) and given.size:
            given[...] = ~given if given.dtype == bool else given + 1
        elif isinstance(given, list | dict) and given:
            given.clear()
        return answer

    yield wrong


@habit("fresh")
def _fresh(right: Callable, _: str) -> Iterator[Callable]:
    """A new object is returned, even where the answer equals an input."""

    def wrong(*args: Any, **kwargs: Any) -> Any:
        answer = right(*args, **kwargs)
        return next((given for given in [*args, *kwargs.values()] if _same(given, answer)), answer)

    def parts(*args: Any, **kwargs: Any) -> Any:
        answer = right(*args, **kwargs)
        if type(answer) not in (list, tuple):
            return wrong(*args, **kwargs)
        given = [item for value in args for item in (value if type(value) in (list, tuple) else [value])]
        return type(answer)(next((g for g in given if _same(g, part)), part) for part in answer)

    yield parts


def _same(given: Any, answer: Any) -> bool:
    if not (isinstance(given, np.ndarray) and isinstance(answer, np.ndarray)):
        return False
    return given.dtype == answer.dtype and np.array_equal(given, answer, equal_nan=given.dtype.kind == "f")


@habit("rng")
def _rng(right: Callable, argument: str) -> Iterator[Callable]:
    """The caller's generator is used, and no other."""
    argument = argument or "rng"
    yield changed(right, argument, lambda _: np.random.default_rng(0))
    yield changed(right, argument, lambda _: np.random.default_rng())
    yield changed(right, argument, lambda _: np.random.default_rng(np.random.randint(2**31)))  # noqa: NPY002
    yield from _no_global_luck(right, argument)


@habit("no global luck")
def _no_global_luck(right: Callable, _: str) -> Iterator[Callable]:
    """Nobody's generator is drawn from, and none is seeded."""

    def draws(*args: Any, **kwargs: Any) -> Any:
        np.random.random()  # noqa: NPY002
        return right(*args, **kwargs)

    def seeds(*args: Any, **kwargs: Any) -> Any:
        np.random.seed(0)  # noqa: NPY002
        return right(*args, **kwargs)

    yield draws
    yield seeds


@habit("axis")
def _axis(right: Callable, argument: str) -> Iterator[Callable]:
    """Every axis, by positive and by negative number, in three dimensions too."""
    argument = argument or "axis"
    yield changed(right, argument, lambda axis: -1)
    yield changed(right, argument, lambda axis: 0 if axis in (0, -2) else -1)  # right in two dimensions
    yield changed(right, argument, lambda axis: -1 if axis > 0 else axis)
    yield changed(right, argument, lambda axis: axis if axis >= -1 else 0)


@habit("leading")
def _leading(right: Callable, argument: str) -> Iterator[Callable]:
    """Any number of leading axes: here the first array may have only the usual number of them.

    The argument is followed by the number of its own axes: "leading logits 1".
    """
    argument, own = argument.rsplit(" ", 1)

    def refusing(allowed: Callable[[int], bool]) -> Callable:
        def checked(value: Any) -> Any:
            if not allowed(np.ndim(value)):
                raise IndexError("too many indices for array")
            return value

        return changed(right, argument, checked)

    yield refusing(lambda ndim: ndim <= int(own) + 1)
    yield refusing(lambda ndim: ndim > int(own))

    def first_only(value: Any) -> Any:
        return np.broadcast_to(value[:1], value.shape).copy() if np.ndim(value) > int(own) else value

    yield changed(right, argument, first_only)


@habit("large ids")
def _large_ids(right: Callable, argument: str) -> Iterator[Callable]:
    """Ids above 32,767 are ids like others."""
    yield changed(right, argument, lambda ids: np.asarray(ids).astype(np.int16).astype(np.int64))


@habit("any order")
def _any_order(right: Callable, argument: str) -> Iterator[Callable]:
    """The entries of an argument come in any order, and may repeat."""
    yield changed(right, argument, lambda values: np.sort(values, axis=-1))


@habit("scattered ids")
def _scattered_ids(right: Callable, argument: str) -> Iterator[Callable]:
    """Special ids stand in any order and with others between them."""
    yield changed(right, argument, lambda ids: np.arange(ids[0], ids[-1] + 1))
    yield changed(right, argument, lambda ids: np.arange(min(ids), max(ids) + 1))
    yield changed(right, argument, lambda ids: np.arange(0, max(ids) + 1))


@habit("left padding")
def _left_padding(right: Callable, argument: str) -> Iterator[Callable]:
    """Padding may stand on the left, or in the middle: it is told by the mask, not by a length."""

    def to_the_right(mask: Any) -> Any:
        return None if mask is None else np.sort(mask, axis=-1)[..., ::-1].copy()

    yield changed(right, argument, to_the_right)


@habit("low scores")
def _low_scores(right: Callable, argument: str) -> Iterator[Callable]:
    """A score of -inf is excluded and one of -1e10 is not."""
    yield changed(right, argument, lambda scores: np.where(np.isneginf(scores), -1e9, scores))
    yield changed(right, argument, lambda scores: np.where(scores < -1e9, -1e9, scores))


@habit("unequal counts")
def _unequal_counts(right: Callable, argument: str) -> Iterator[Callable]:
    """Rows hold different numbers of what counts: here each is taken to hold as many as the first."""

    def as_the_first(chosen: Any) -> Any:
        counts = (chosen if chosen.dtype == bool else chosen != -100).sum(-1)
        if len(np.unique(counts)) > 1:
            raise ValueError("setting an array element with a sequence: the rows differ in length")
        return chosen

    yield changed(right, argument, as_the_first)
