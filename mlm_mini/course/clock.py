"""Stops code that runs too long, wherever it is: in a loop, in a sleep, but never in the middle of an import."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType

MOST_IMPORTING = 120.0  # seconds that imports may take beside the limit
AGAIN = 0.5


class TimeLimitReached(BaseException):
    """Stops code that ran too long. Not an `Exception`, so that a learner's `except Exception` lets it through."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises TimeLimitReached in the running code after `seconds`.

    Where the system has alarms and this is the main thread (as in a notebook on Linux and macOS) even a sleep is cut
    short; elsewhere the exception arrives at the next line of Python code. A single call into C, such as a sum over an
    endless iterator, goes on until it returns. An import that the limit would cut off is brought to its end.
    """
    clock = _Clock(seconds, sys._getframe(2))
    on_main_thread = threading.current_thread() is threading.main_thread()
    if hasattr(signal, "setitimer") and on_main_thread:
        reached = False

        def stop(_: int, frame: FrameType | None) -> None:
            nonlocal reached
            if left := clock.left(frame):
                signal.setitimer(signal.ITIMER_REAL, left, AGAIN)
                return
            reached = True
            raise TimeLimitReached

        previous = signal.signal(signal.SIGALRM, stop)
        # The alarm repeats, in case a bare `except:` in the running code swallows the first.
        previous_timer = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)
            signal.setitimer(signal.ITIMER_REAL, *previous_timer)
        if reached:  # and swallowed
            raise TimeLimitReached
    else:
        over = threading.Event()
        threading.Thread(target=_watch, args=(clock, threading.get_ident(), over), daemon=True).start()
        try:
            yield
        finally:
            over.set()


class _Clock:
    """When to stop. Half a module is worse than none, for whoever imports it next: an import goes on, and afterwards
    the clock begins anew, since what is imported is not the function's work."""

    def __init__(self, seconds: float, outside: FrameType):
        self.seconds, self.outside = seconds, outside
        self.last = time.monotonic() + seconds + MOST_IMPORTING
        self.importing = False

    def left(self, frame: FrameType | None) -> float:
        """Seconds to wait before asking again; 0 when it is time to stop."""
        if time.monotonic() < self.last:
            if self._is_importing(frame):
                self.importing = True
                return AGAIN
            if self.importing:
                self.importing = False
                return self.seconds
        return 0.0

    def _is_importing(self, frame: FrameType | None) -> bool:
        while frame is not None and frame is not self.outside:
            if frame.f_code.co_filename.startswith("<frozen importlib"):
                return True
            frame = frame.f_back
        return False


def _watch(clock: _Clock, thread: int, over: threading.Event) -> None:
    """Raises in another thread when its time is up, unless it is over before."""
    left = clock.seconds
    while left:
        if over.wait(left):
            return
        left = clock.left(sys._current_frames().get(thread))
    raise_in_thread = ctypes.pythonapi.PyThreadState_SetAsyncExc
    raise_in_thread(ctypes.c_ulong(thread), ctypes.py_object(TimeLimitReached))
