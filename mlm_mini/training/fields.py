"""Fields of a recipe: checks of what they hold, by their annotations, and their options on the command line."""

import dataclasses
import math
import typing
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

NUMBER_KINDS = {int: int, float: float, float | None: float}  # annotations of numbers, and what a number becomes


def text_of(help: str, metavar: str | None = None) -> dict:
    """The metadata of a field: what the command line says of it."""
    return {"help": help, "metavar": metavar}


def check_types(config: Any) -> None:
    """Turn the numbers in a frozen dataclass, NumPy's for instance, into Python's int and float.

    Raises TypeError for what is no number, ValueError for one that is not finite; the message names the field.
    """
    for name, annotation in typing.get_type_hints(type(config)).items():
        value = getattr(config, name)
        if annotation in NUMBER_KINDS and not (value is None and annotation == (float | None)):
            object.__setattr__(config, name, _number(name, value, NUMBER_KINDS[annotation]))


def check_range(config: Any, expected: str, fits: Callable[[float], bool], *names: str) -> None:
    """Raises ValueError where a field of those names does not fit; the message says which, and what was expected."""
    for name in names:
        if not fits(getattr(config, name)):
            raise ValueError(f"{name} is {getattr(config, name)}: expected {expected}")


def _number(name: str, value, kind: type):
    if isinstance(value, bool) or not isinstance(value, Integral if kind is int else Real):
        raise TypeError(f"{name} is {value!r}: expected {'an integer' if kind is int else 'a number'}")
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value}: expected a finite number")
    return kind(value)  # a NumPy number would not survive JSON


@dataclasses.dataclass(frozen=True)
class Option:
    """A field as an option of the command line. kind: of one value; count: how many it takes, None for one."""

    name: str
    kind: type
    count: int | None
    help: str
    metavar: str | None


def options_of(*configs: type) -> list[Option]:
    """The fields of some dataclasses as options, but for fields without a help text."""
    options = []
    for config in configs:
        hints = typing.get_type_hints(config)
        for field in dataclasses.fields(config):
            if "help" in field.metadata:
                inner = typing.get_args(hints[field.name])
                count = len(inner) if typing.get_origin(hints[field.name]) is tuple else None
                kind = inner[0] if inner else hints[field.name]
                options.append(Option(field.name, kind, count, **field.metadata))
    return options
