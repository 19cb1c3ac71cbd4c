"""The right contents in another form: a list for an array, an axis too many, float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import allclose, asarray, broadcast_to

from mlm_mini.course.compare import difference, type_name
from mlm_mini.course.relations.values import TEXT, Near, Pair, is_true_or_false, numbers

SHAPE, TYPE, REPEATED = "their shape is off", "their type is off", "they are repeated"


def form(pairs: Sequence[Pair], near: Near) -> str:
    """A sentence when the contents are right on every input and only their type or shape is not."""
    wrong = [pair for pair in pairs if difference(pair.yours, pair.expected, near.rtol, near.atol)]
    if len(wrong) < 2:
        return ""
    if coarse := _precision(wrong, near):
        return f"The numbers are right, but only to the precision of {coarse}: somewhere they are kept in that type."
    found = []
    for pair in wrong:
        off = _off(pair, near)
        if not off:
            return ""
        found.append(off)
    what = found[0][0] if len({off[0] for off in found}) == 1 else "their form is off"
    return f"{_contents(wrong[0].expected)} are right, but {what}: {found[0][1]} where {found[0][2]} is expected."


def _off(pair: Pair, near: Near) -> tuple[str, str, str] | None:
    """What is off, what is there and what is expected, when the contents of a wrong answer are right."""
    yours, expected = _as_array(pair.yours), _as_array(pair.expected)
    if yours is None or expected is None or (yours.dtype.kind == "U") != (expected.dtype.kind == "U"):
        return None
    if yours.shape == expected.shape:
        names = _types(pair)
        return (TYPE, *names) if names[0] != names[1] and _same(yours, expected, near) else None
    shapes = (_shape_text(yours.shape), _shape_text(expected.shape))
    if yours.size == expected.size:
        return (SHAPE, *shapes) if _same(yours.ravel(), expected.ravel(), near) else None
    return (REPEATED, *shapes) if yours.ndim > expected.ndim and _repeats(yours, expected, near) else None


def _as_array(value: Any) -> np.ndarray | None:
    """Numbers or text as an array; None for anything else, and for ragged lists."""
    found = numbers(value)
    if found is not None:
        return found
    if isinstance(value, (np.ndarray, np.str_)):
        return asarray(value)
    flat = value if type(value) in (list, tuple) else [value]
    if any(type(item) not in TEXT for item in flat):
        return None
    return asarray(value, dtype=np.str_)


def _same(yours: np.ndarray, expected: np.ndarray, near: Near) -> bool:
    return bool((yours == expected).all()) if yours.dtype.kind == "U" else near.same(yours, expected)


def _repeats(yours: np.ndarray, expected: np.ndarray, near: Near) -> bool:
    """Whether an answer of more axes holds the right one over and over, along the first axes or along the last."""
    trailing = expected.reshape(expected.shape + (1,) * (yours.ndim - expected.ndim))
    for small in (expected, trailing):
        try:
            if small.size and yours.size > small.size and _same(yours, broadcast_to(small, yours.shape), near):
                return True
        except ValueError:  # these shapes do not fit
            continue
    return False


def _types(pair: Pair) -> tuple[str, str]:
    """How the types of two answers with the same contents differ: the kind of number, or what holds them."""
    yours, expected = pair.yours, pair.expected
    if isinstance(yours, (np.ndarray, np.generic)) and isinstance(expected, (np.ndarray, np.generic)):
        return str(yours.dtype), str(expected.dtype)
    if type(yours) is np.ndarray and yours.shape == () and type(expected) in (bool, int, float):
        return str(yours.dtype), type(expected).__name__
    return type_name(yours), type_name(expected)


def _shape_text(shape: tuple[int, ...]) -> str:
    return str(shape) if shape else "a single number"


def _contents(expected: Any) -> str:
    if is_true_or_false(expected):
        return "The values"
    return "The words" if numbers(expected) is None else "The numbers"


def _precision(wrong: Sequence[Pair], near: Near) -> str:
    """The coarse type in which every wrong answer fits and to whose rounding it is right, or ""."""
    arrays = [(numbers(pair.yours), numbers(pair.expected)) for pair in wrong]
    if any(one is None or other is None or one.shape != other.shape for one, other in arrays):
        return ""
    yours = np.concatenate([one.ravel() for one, _ in arrays])
    if (yours == yours.astype(np.float16)).all() or (yours % 1 == 0).all():  # round numbers, which fit in any type
        return ""
    rounded = all(
        bool((one == one.astype(np.float32)).all())
        and not near.same(one, other)  # else something other than rounding is off
        and allclose(one, other, rtol=1e-4, atol=1e-5)
        for one, other in arrays
    )
    return "float32" if rounded else ""
