"""Shows inputs and answers in a few short lines."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import Any

import numpy as np

from mlm_mini.course.exercise import Case, Exercise

WIDTH = 110
MOST_LINES = 2
MOST_NUMBERS = 300  # of a larger array a few numbers say nothing
INDEX = re.compile(r"\[(\d+)\](.*)")
KEY = re.compile(r"\['(.*?)'\](.*)")


def lines_of(text: str, width: int, most: int) -> list[str]:
    """`text` wrapped to `width`, at most `most` lines; what is cut off ends in an ellipsis."""
    wrapped = [line for part in text.splitlines() for line in (textwrap.wrap(part, width) or [""])]
    if len(wrapped) > most:
        wrapped = [*wrapped[: most - 1], wrapped[most - 1][: width - 4] + " ..."]
    return wrapped


def one_line(value: Any) -> str:
    """A value as a learner would type it, on one line, long arrays shortened."""
    if isinstance(value, np.random.Generator):
        return "rng"
    if callable(value):
        return getattr(value, "__name__", "function")
    if type(value) is np.ndarray and value.size > MOST_NUMBERS:
        return f"{value.dtype} array of shape {value.shape}"
    if type(value) is np.ndarray:
        with np.printoptions(precision=4, threshold=16, edgeitems=2, linewidth=10_000, suppress=False):
            return " ".join(np.array2string(value, separator=", ").split()).replace("[ ", "[")
    if isinstance(value, (float, np.floating)):
        return f"{float(value):.6g}"
    if isinstance(value, np.generic):
        return str(value)
    if type(value) in (list, tuple):
        shown = ", ".join(one_line(item) for item in value[:8]) + (", ..." if len(value) > 8 else "")
        return f"[{shown}]" if type(value) is list else f"({shown})"
    if type(value) is dict:
        return "{" + ", ".join(f"{key!r}: {one_line(item)}" for key, item in list(value.items())[:8]) + "}"
    if value is None or isinstance(value, (str, int, bool)):
        return repr(value)
    return f"a {type(value).__name__}"


def size(value: Any) -> int:
    """How many numbers or words a value holds: what makes one input smaller than another."""
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, dict):
        return sum(size(item) for item in value.values())
    return sum(size(item) for item in value) if isinstance(value, (list, tuple)) else 1


def call_text(exercise: Exercise, case: Case) -> str:
    """The call that a check makes: `softmax(logits=[[1000., 0.]], axis=-1)`."""
    parameters = list(inspect.signature(exercise.reference).parameters)
    named = [f"{name}={one_line(value)}" for name, value in zip(parameters, case.args, strict=False)]
    named += [f"{name}={one_line(value)}" for name, value in case.kwargs.items()]
    return f"{exercise.reference.__name__}({', '.join(named)})"


def value_text(label: str, value: Any, near: str = "") -> list[str]:
    """`label` and the value on at most two lines; of a dict, only the part at `near`, such as "['share'][2]"."""
    key, index = KEY.fullmatch(near), INDEX.fullmatch(near)
    if type(value) is dict and key and key[1] in value:
        return value_text(f"{label}{key[1]} = ", value[key[1]], near=key[2])
    if type(value) in (list, tuple) and index and int(index[1]) < len(value) and len(one_line(value)) > WIDTH:
        return value_text(f"{label}part [{index[1]}] = ", value[int(index[1])], near=index[2])
    kind = f" ({value.dtype}, shape {value.shape})" if type(value) is np.ndarray and value.size <= MOST_NUMBERS else ""
    lines = lines_of(one_line(value) + kind, WIDTH - len(label), MOST_LINES)
    return [label + lines[0], *(" " * len(label) + line for line in lines[1:])]
