"""What an experiment gives back: plain arrays that can be stored, printed as a table, and drawn.

A result knows the config it came from, so that a stored one says how to make it again.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Result(ABC):
    """The base of every result: a frozen dataclass of numbers, strings, arrays, tuples and further dataclasses."""

    @abstractmethod
    def table(self) -> str:
        """The figures as lines of text, units in the heading."""

    @abstractmethod
    def plot(self) -> Figure:
        """The figures as a picture whose title states the finding."""

    @abstractmethod
    def describe(self) -> str:
        """The picture in words, numbers included, for someone who cannot see it."""

    def show(self) -> None:
        """Displays the picture in a notebook, with its description."""
        from mlm_mini import figures

        figures.show(self.plot(), self.describe())

    def to_dict(self) -> dict:
        """The fields, for JSON and for `from_dict`. Arrays become lists."""
        return plain(self)

    def to_json(self) -> str:
        """The fields as a JSON object, for `from_json`."""
        return json.dumps(self.to_dict(), indent=1) + "\n"

    @classmethod
    def from_dict(cls, content: Mapping) -> Self:
        """What `to_dict` wrote; further keys are left aside. Raises ValueError naming a field that is missing."""
        return restored(cls, content)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote. Raises ValueError for text that is no JSON object, or lacks a field."""
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"a result must be JSON: {error}") from error
        if not isinstance(content, dict):
            raise ValueError(f"a result must be a JSON object, not {text.strip()[:40]!r}")
        return cls.from_dict(content)


def plain(value: Any) -> Any:
    """A value as JSON can have it: dataclasses become dicts, arrays and tuples lists."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def restored(kind: Any, value: Any) -> Any:
    """What `plain` made of an object of a type, as such an object: `kind` is the type, as a field declares it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):  # a type or None
        return None if value is None else restored(next(a for a in arguments if a is not type(None)), value)
    if kind is np.ndarray:
        return np.asarray(value)
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        names = [field.name for field in dataclasses.fields(kind)]
        missing = [name for name in names if name not in value]
        if missing:
            raise ValueError(f"not a {kind.__name__}: {', '.join(missing)} missing")
        return kind(**{name: restored(hints[name], value[name]) for name in names})
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return kind(*value)
    if origin is tuple:
        inner = arguments[0] if arguments else Any
        return tuple(restored(inner, item) for item in value)
    if origin is dict:
        return {key: restored(arguments[1], item) for key, item in value.items()}
    return value
