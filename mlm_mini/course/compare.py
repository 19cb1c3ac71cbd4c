"""Compares a learner's answer with the expected one, by NumPy's rules and never by the learner's own code.

Only plain values are looked into: NumPy arrays and scalars, Python numbers, text, None, lists, tuples and dicts. An
object of any other type could define its own equality, so it is reported by the name of its type alone.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy import allclose, asarray, isclose  # by name: a learner may have put something else in their place

DICTS = (dict, Counter, defaultdict, OrderedDict)  # exactly these types: their own methods are known
KINDS = {"b": "true or false", "i": "whole numbers", "u": "whole numbers", "f": "real numbers", "U": "text"}


@dataclass(frozen=True)
class Difference:
    """How an answer differs: a sentence, where in the answer, and by how much when that is a number."""

    sentence: str
    where: str = ""
    largest: float | None = None
    of_type: bool = False  # the two are not even of one kind


def difference(yours: Any, expected: Any, rtol: float, atol: float, where: str = "") -> Difference | None:
    """None when `yours` agrees with `expected`, else the first difference found, or the largest in an array."""
    if isinstance(expected, np.ndarray):
        return _array_difference(yours, expected, rtol, atol, where)
    if isinstance(expected, dict):
        return _dict_difference(yours, expected, rtol, atol, where)
    if isinstance(expected, (list, tuple)):
        return _sequence_difference(yours, expected, rtol, atol, where)
    return _scalar_difference(yours, expected, rtol, atol, where)


def without_names(value: Any, depth: int = 4) -> Any:
    """The value with a tuple in place of every NamedTuple, or other kind of tuple: names of places are no difference.

    It is decided here for every judge. What such a type does otherwise, when it is compared say, is of no interest.
    """
    kind = type(value)
    if issubclass(kind, tuple) and depth:
        return tuple([without_names(item, depth - 1) for item in tuple.__iter__(value)])
    if kind is list and any(issubclass(type(item), tuple) and type(item) is not tuple for item in value):
        return [without_names(item, depth - 1) for item in value]
    return value


def type_name(value: Any) -> str:
    """What a learner would call it: `list of 3`, `float32 array of shape (2, 5)`, `None`."""
    if value is None:
        return "None"
    if type(value) is np.ndarray:
        return f"{value.dtype} array of shape {value.shape}"
    if type(value) in (list, tuple, dict):
        return f"{type(value).__name__} of {len(value)}"
    module = type(value).__module__
    known = ("builtins", "numpy", "__main__")
    return type(value).__name__ if module in known else f"{module.split('.')[0]} {type(value).__name__}"


def _of_wrong_type(yours: Any, expected: Any, where: str) -> Difference:
    if yours is None and not where:
        return Difference("Your answer is None: is a `return` missing?", where, of_type=True)
    return Difference(
        f"{_part(where)} is {_a(type_name(yours))}; expected {_a(type_name(expected))}.", where, of_type=True
    )


def _part(where: str) -> str:
    return f"The part at {where}" if where else "Your answer"


def _a(name: str) -> str:
    """The name of a type with its article."""
    if name == "None":
        return name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def _array_difference(yours: Any, expected: np.ndarray, rtol: float, atol: float, where: str) -> Difference | None:
    # A subclass of ndarray could bring its own comparison.
    if type(yours) is not np.ndarray and not (expected.ndim == 0 and isinstance(yours, (np.generic, int, float))):
        return _of_wrong_type(yours, expected, where)
    yours = asarray(yours)
    if yours.shape != expected.shape:
        return Difference(f"Your array has shape {yours.shape}; expected {expected.shape}.", where)
    if KINDS.get(yours.dtype.kind) != KINDS.get(expected.dtype.kind):
        kind = KINDS.get(expected.dtype.kind, str(expected.dtype))
        return Difference(f"Your array holds {yours.dtype}; expected {kind} ({expected.dtype}).", where)
    return _value_difference(yours, expected, rtol, atol, where)


def _value_difference(
    yours: np.ndarray, expected: np.ndarray, rtol: float, atol: float, where: str
) -> Difference | None:
    if expected.dtype.kind != "f":
        agree = yours == expected
    else:
        agree = isclose(yours, expected, rtol=rtol, atol=atol, equal_nan=True)
    if agree.all():
        return None
    if expected.dtype.kind == "U":
        worst, largest = tuple(np.argwhere(~agree)[0]), None
    else:
        with np.errstate(invalid="ignore"):  # inf - inf is a difference that no number describes
            gap = np.abs(yours.astype(np.float64) - expected.astype(np.float64))
        gap = np.where(agree, -1.0, np.where(np.isnan(gap), np.inf, gap))
        worst = np.unravel_index(int(gap.argmax()), gap.shape)
        largest = float(gap[worst])
    if expected.dtype.kind == "f" and yours.dtype == np.float32:
        sentence = "Your answer is computed in float32, which is too coarse here: work in float64."
        if allclose(yours, expected, rtol=1e-4, atol=1e-5, equal_nan=True):
            return Difference(sentence, where, largest)
    index = f"{where}[{', '.join(str(int(i)) for i in worst)}]" if worst else where
    wrong = int((~agree).sum())
    count = f"{wrong} of {agree.size} numbers differ" if agree.size > 1 else "The number differs"
    return Difference(f"{count}: {yours[worst]!s} where {expected[worst]!s} is expected.", index, largest)


def _scalar_difference(yours: Any, expected: Any, rtol: float, atol: float, where: str) -> Difference | None:
    if expected is None or isinstance(expected, (str, bool, np.bool_)):
        plain = (type(None), str, bool, np.bool_, np.str_)
        if type(yours) not in plain or (yours is None) != (expected is None):
            return _of_wrong_type(yours, expected, where)
        if isinstance(yours, str) != isinstance(expected, str):
            return _of_wrong_type(yours, expected, where)
        if yours == expected:
            return None
        return Difference(f"{yours!r} where {expected!r} is expected.", where)
    is_number = type(yours) in (int, float, np.ndarray) or (
        isinstance(yours, np.number) and type(yours).__module__ == "numpy"
    )
    kinds = "iuf" if isinstance(expected, (float, np.floating)) else "iu"
    if not is_number or np.ndim(yours) or asarray(yours).dtype.kind not in kinds:
        return _of_wrong_type(yours, expected, where)
    return _value_difference(asarray(yours), asarray(expected), rtol, atol, where)


def _sequence_difference(yours: Any, expected: Any, rtol: float, atol: float, where: str) -> Difference | None:
    if type(yours) is np.ndarray and yours.ndim == 1 and yours.dtype.kind in "iuf" and _all_numbers(expected):
        yours = yours.tolist()  # who promises two numbers does not say in what they come
    if type(yours) not in (list, tuple):
        return _of_wrong_type(yours, expected, where)
    if len(yours) != len(expected):
        items = "item" if len(yours) == 1 else "items"
        return Difference(f"{_part(where)} has {len(yours)} {items}; expected {len(expected)}.", where)
    for index, (one, other) in enumerate(zip(yours, expected, strict=True)):
        if found := difference(one, other, rtol, atol, f"{where}[{index}]"):
            return found
    return None


def _all_numbers(values: Any) -> bool:
    numbers = (int, float, np.integer, np.floating)
    return all(isinstance(value, numbers) and not isinstance(value, bool) for value in values)


def _dict_difference(yours: Any, expected: dict, rtol: float, atol: float, where: str) -> Difference | None:
    if type(yours) not in DICTS:
        return _of_wrong_type(yours, expected, where)
    for key in dict.keys(yours):
        if type(key) not in (str, int, np.str_, np.int64):
            return Difference(
                f"{_part(where)} has {_a(type_name(key))} as a key; expected {list(expected)[:6]}.", where
            )
    # A dict with plain keys: looking a missing one up in a defaultdict would add it.
    yours = {key.item() if isinstance(key, np.generic) else key: value for key, value in dict.items(yours)}
    if set(yours) != set(expected):
        return Difference(f"{_part(where)} has the keys {list(yours)[:6]}; expected {list(expected)[:6]}.", where)
    for key in expected:
        if found := difference(yours[key], expected[key], rtol, atol, f"{where}[{key!r}]"):
            return found
    return None
