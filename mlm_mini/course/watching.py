"""Sees what a learner's code does besides giving an answer: whom it calls, and whose random numbers it draws."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlm_mini.course.answer import ANSWER_FILE


@dataclass(frozen=True)
class Calls:
    """What is looked for: functions as "module:name".

    given_away   calling one of these, at whatever depth, is handing in the course's own answer.
    allowed      the learner may call these; what they call in turn is their own affair.
    """

    given_away: frozenset[str] = frozenset()
    allowed: frozenset[str] = frozenset()


@contextlib.contextmanager
def watch_calls(calls: Calls) -> Iterator[list[str]]:
    """Yields a list that collects the names of functions that give the answer away, called from wherever.

    Functions are told by their module and name, so that nothing has to be imported to be looked for. The worked answers
    themselves are told by the file that their code claims to come from.
    """
    names = {path.split(":")[1].split(".")[-1] for path in calls.given_away | calls.allowed}
    inside = threading.local()  # how many allowed functions are on the stack of this thread
    seen: list[str] = []

    def profile(frame: Any, event: str, _: Any) -> None:
        code = frame.f_code
        if event not in ("call", "return"):
            return
        if code.co_filename.startswith(ANSWER_FILE):
            if event == "call":
                seen.append(code.co_name)
        elif code.co_name in names:
            path = f"{frame.f_globals.get('__name__')}:{code.co_qualname}"
            depth = getattr(inside, "depth", 0)
            if path in calls.given_away:
                if event == "call" and not depth:
                    seen.append(code.co_name)
            elif path in calls.allowed:
                inside.depth = depth + (1 if event == "call" else -1)

    previous = sys.getprofile()
    sys.setprofile(profile)
    threading.setprofile(profile)
    try:
        yield seen
    finally:
        sys.setprofile(previous)
        threading.setprofile(None)


def generators_in(values: Any) -> list[dict]:
    """The state of every generator among the arguments of a call."""
    if isinstance(values, np.random.Generator):
        return [values.bit_generator.state]
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, (list, tuple)):
        return [state for value in values for state in generators_in(value)]
    return []


def arrays_in(values: Any, depth: int = 4) -> list[np.ndarray]:
    """Every array among some values, not too deep down, for asking whether an answer shares memory with an input."""
    if isinstance(values, np.ndarray):
        return [values]
    if type(values) is dict:
        values = list(values.values())
    if type(values) not in (list, tuple) or not depth:
        return []
    return [array for value in values for array in arrays_in(value, depth - 1)]
