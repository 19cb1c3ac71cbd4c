"""A plugin of pytest, named in pyproject.toml: a cell that ends its notebook's kernel fails at once, and is told so.

A cell may take a quarter of an hour, and nbval waits as long for the answer of a kernel that is no longer there.
"""

import queue
import signal
import time
from collections.abc import Iterator

import pytest

LOOK = 1.0  # seconds between two looks at whether a kernel lives
ENDED = pytest.StashKey[int]()  # of a notebook: the cell that ended its kernel


class KernelEndedError(Exception):
    """The kernel will not answer. The message says how it ended."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Around each cell of a notebook. Those after the one that ended the kernel are skipped: nothing can run them."""
    kernel, ended = getattr(item.parent, "kernel", None), item.parent.stash.get(ENDED, None)
    if ended is not None:
        pytest.skip(f"the kernel ended in cell {ended}")
    if kernel is not None and not isinstance(kernel.get_message, Waiting):
        kernel.get_message = Waiting(kernel)
    try:
        if kernel is not None and not kernel.is_alive() and not item.parent.timed_out:
            raise KernelEndedError(how_it_ended(kernel))
        return (yield)
    except KernelEndedError as error:
        item.parent.stash[ENDED] = item.cell_num
        item.raise_cell_error(f"the kernel ended {error}")


class Waiting:
    """nbval's `get_message` of a kernel, which looks whether somebody is there to answer while it waits."""

    def __init__(self, kernel):
        self.kernel, self.patiently = kernel, kernel.get_message

    def __call__(self, stream: str, timeout: float | None = None) -> dict:
        """timeout: in seconds; None waits as long as the kernel lives. Raises queue.Empty when it is over."""
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LOOK if end is None else end - time.monotonic()
            alive = self.kernel.is_alive()  # before the last look: what it has said is still to be read
            try:
                return self.patiently(stream, timeout=max(0.0, min(LOOK, left)))
            except queue.Empty:
                if not alive:
                    raise KernelEndedError(how_it_ended(self.kernel)) from None
                if left <= LOOK and end is not None:
                    raise


def how_it_ended(kernel) -> str:
    """By the status of its process, and what that is usually a sign of."""
    process = getattr(kernel.km.provisioner, "process", None)
    status = process.poll() if process else None
    if status is None or status >= 0:
        found = "" if status is None else f" with exit status {status}"
        return f"by itself{found}: look for a call such as exit or os._exit in this cell, or before it"
    name = signal.Signals(-status).name
    why = "as the system does when memory runs out" if name == "SIGKILL" else "as when a library fails"
    return f"by signal {name}, {why}"
