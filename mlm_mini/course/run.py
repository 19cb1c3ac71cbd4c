"""Runs a learner's function on one case, so that nothing it does can harm the judge.

It may hang, print a million lines, change its arguments, exit, or raise: each is recorded in an `Outcome`.
"""

from __future__ import annotations

import contextlib
import copy
import ctypes
import io
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlm_mini.course.compare import difference
from mlm_mini.course.exercise import Case, Exercise

SECONDS_PER_CASE = 10.0
PRINTED_KEPT = 400


class TimeLimitReached(BaseException):
    """Stops code that ran too long. Not an `Exception`, so that a learner's `except Exception` lets it through."""


@dataclass(frozen=True)
class Outcome:
    """What came of one call: a value, or the error that was raised, and what happened on the way."""

    value: Any = None
    error: BaseException | None = None
    changed: str = ""  # the name or place of an argument that the call modified
    printed: str = ""
    printed_characters: int = 0
    from_reference: bool = False


class KeptText(io.TextIOBase):
    """A text stream that keeps the first characters and counts the rest."""

    def __init__(self, keep: int = PRINTED_KEPT) -> None:
        self.keep, self.text, self.characters = keep, "", 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text[: max(0, self.keep - len(self.text))]
        self.characters += len(text)
        return len(text)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeLimitReached in the running code after `seconds`.

    Where the system has alarms and this is the main thread (as in a notebook on Linux and macOS) even a sleep is cut
    short; elsewhere the exception arrives at the next line of Python code. A single call into C, such as a sum over an
    endless iterator, goes on until it returns.
    """
    on_main_thread = threading.current_thread() is threading.main_thread()
    if hasattr(signal, "setitimer") and on_main_thread:
        reached = False

        def stop(*_: object) -> None:
            nonlocal reached
            reached = True
            raise TimeLimitReached

        previous = signal.signal(signal.SIGALRM, stop)
        # The alarm repeats, in case a bare `except:` in the running code swallows the first.
        previous_timer = signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
            signal.setitimer(signal.ITIMER_REAL, *previous_timer)
        if reached:  # and swallowed
            raise TimeLimitReached
    else:
        thread = ctypes.c_ulong(threading.get_ident())
        raise_in_thread = ctypes.pythonapi.PyThreadState_SetAsyncExc
        timer = threading.Timer(seconds, raise_in_thread, (thread, ctypes.py_object(TimeLimitReached)))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


@contextlib.contextmanager
def watch_calls(functions: tuple[Callable, ...]) -> Iterator[list[str]]:
    """Yields a list that collects the names of those `functions` that are called, from wherever."""
    codes = {function.__code__: function.__name__ for function in functions if hasattr(function, "__code__")}
    seen: list[str] = []

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in codes:
            seen.append(codes[frame.f_code])

    previous = sys.getprofile()
    sys.setprofile(profile)
    threading.setprofile(profile)
    try:
        yield seen
    finally:
        sys.setprofile(previous)
        threading.setprofile(None)


def run_case(
    exercise: Exercise, function: Callable, case: Case, seconds: float = SECONDS_PER_CASE, watch: bool = False
) -> Outcome:
    """Calls `function` on copies of the case's arguments and records what came of it.

    With `watch`, also whether the reference was called on the way. KeyboardInterrupt is passed on, because it is the
    learner's own.
    """
    args, kwargs = copy.deepcopy((case.args, case.kwargs))
    kept = KeptText()
    value, error = None, None
    answers = (exercise.reference, *exercise.answers_in) if watch else ()
    with (
        contextlib.redirect_stdout(kept),
        contextlib.redirect_stderr(kept),
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        try:
            with time_limit(seconds), watch_calls(answers) if watch else contextlib.nullcontext([]) as called:
                value = exercise.observe(function, *args, **kwargs) if exercise.observe else function(*args, **kwargs)
        except KeyboardInterrupt:
            raise
        except TimeLimitReached:
            error = TimeLimitReached(seconds)
        except BaseException as caught:  # SystemExit too
            error = caught
    return Outcome(
        value=value,
        error=error,
        changed=_changed_argument(case, args, kwargs),
        printed=kept.text,
        printed_characters=kept.characters,
        from_reference=bool(called),
    )


def _changed_argument(case: Case, args: tuple, kwargs: dict) -> str:
    """The name of the first argument that no longer equals the case's, or "" when all do."""
    before = {f"argument {place}": value for place, value in enumerate(case.args, 1)} | case.kwargs
    after = {f"argument {place}": value for place, value in enumerate(args, 1)} | kwargs
    for name, value in before.items():
        plain = isinstance(value, (np.ndarray, list, dict))  # what can be modified, other than a random generator
        if plain and difference(after[name], value, rtol=0.0, atol=0.0):
            return name
    return ""


def same_outcome(one: Outcome, other: Outcome, rtol: float, atol: float) -> bool:
    """Whether two functions did the same thing on a case: the same answer or kind of error, the same side effect."""
    if (one.error is None) != (other.error is None) or bool(one.changed) != bool(other.changed):
        return False
    if one.error is not None:
        return type(one.error) is type(other.error)
    return difference(one.value, other.value, rtol, atol) is None
