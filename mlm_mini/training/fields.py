"""Fields of a recipe: what they hold, checked by their annotations, and what the command line says of them."""

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
    """Every numeric field of a frozen dataclass becomes a plain number, whatever number it was.

    Raises TypeError for what is no number, ValueError for one that is not finite; the message names the field.
    """
    for name, annotation in typing.get_type_hints(type(config)).items():
        value = getattr(config, name)
        if annotation in NUMBER_KINDS and not (value is None and annotation == (float | None)):
            object.__setattr__(config, name, _number(name, value, NUMBER_KINDS[annotation]))


def check_range(config: Any, expected: str, fits: Callable[[float], bool], *names: str) -> None:
    """Raises ValueError, which names the field, where one of those does not fit."""
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
    """The options that the fields of some dataclasses make; those without a help text make none."""
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
