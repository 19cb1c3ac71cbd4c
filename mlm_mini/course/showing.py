"""Shows values in a few short lines, as a learner would type them."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

WIDTH = 110
MOST_LINES = 2
MOST_CHARACTERS = 2000
MOST_NUMBERS = 300  # of a larger array a few numbers say nothing
INDEX = re.compile(r"\[(\d+)\](.*)")
KEY = re.compile(r"\['(.*?)'\](.*)")


def lines_of(text: str, width: int, most: int) -> list[str]:
    """`text` wrapped to `width`, at most `most` lines; what is cut off ends in an ellipsis."""
    wrapped = [line for part in text.splitlines() for line in (textwrap.wrap(part, width) or [""])]
    if len(wrapped) > most:
        wrapped = [*wrapped[: most - 1], wrapped[most - 1][: width - 4] + " ..."]
    return wrapped


def safe_text(write: Callable[[Any], str], value: Any) -> str:
    """write(value), shortened, for a `str` or `repr` that may be the learner's and may raise."""
    try:
        return write(value)[:MOST_CHARACTERS]
    except Exception:  # whatever it is, there is still the rest of the report to show
        return f"a {type(value).__name__} that cannot be shown"


def one_line(value: Any, depth: int = 4) -> str:
    """A value as a learner would type it, on one line, long arrays shortened and deep lists cut."""
    if isinstance(value, np.random.Generator):
        return "rng"
    if callable(value):
        return getattr(type(value), "__name__", "") if not inspect.isroutine(value) else value.__name__
    if type(value) is np.ndarray and value.size > MOST_NUMBERS:
        return f"{value.dtype} array of shape {value.shape}"
    if type(value) is np.ndarray:
        with np.printoptions(precision=4, threshold=16, edgeitems=2, linewidth=10_000, suppress=False):
            text = safe_text(lambda array: np.array2string(array, separator=", "), value)
        return " ".join(text.split()).replace("[ ", "[")
    if type(value) is float or (isinstance(value, np.floating) and type(value).__module__ == "numpy"):
        return f"{float(value):.6g}"
    if type(value) in (list, tuple, dict) and depth == 0:
        return "..."
    if type(value) in (list, tuple):
        shown = ", ".join(one_line(item, depth - 1) for item in value[:8]) + (", ..." if len(value) > 8 else "")
        return f"[{shown}]" if type(value) is list else f"({shown})"
    if type(value) is dict:
        items = list(value.items())[:8]
        return "{" + ", ".join(f"{one_line(key, 0)}: {one_line(item, depth - 1)}" for key, item in items) + "}"
    if isinstance(value, np.generic) and type(value).__module__ == "numpy":
        return str(value)
    if value is None or type(value) in (str, int, bool):
        return safe_text(repr, value)
    return f"a {type(value).__name__}"


def call_text(name: str, arguments: list[tuple[str, Any]], width: int = WIDTH) -> str:
    """The call that a check makes, `softmax(logits=[[1000., 0.]], axis=-1)`, on at most two lines of `width`.

    The largest arguments are described where they do not fit; no array is shown cut in the middle.
    """
    shown = [(key, one_line(value)) for key, value in arguments]
    while True:
        text = f"{name}({', '.join(f'{key}={value}' for key, value in shown)})"
        longest = max(range(len(shown)), key=lambda i: len(shown[i][1]), default=None)
        if len(text) <= 2 * width - 10 or longest is None or shown[longest][1] == summary(arguments[longest][1]):
            return text
        shown[longest] = (shown[longest][0], summary(arguments[longest][1]))


def summary(value: Any) -> str:
    """A value in a few words, for one that is too long to be shown whole."""
    if type(value) is np.ndarray:
        return f"<{value.dtype} array of shape {value.shape}>"
    if type(value) in (list, tuple, dict, set, frozenset):
        return f"<{type(value).__name__} of {len(value)}>"
    return one_line(value)[:40]


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
