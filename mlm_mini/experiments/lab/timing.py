"""Times that can be compared: taken in turns, on one thread."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

# The time that this process has computed, in which other programs count little. That of Windows ticks too slowly.
BUSY_CLOCK = time.perf_counter if sys.platform == "win32" else time.process_time


@contextlib.contextmanager
def on_threads(number: int) -> Iterator[None]:
    """PyTorch on so many threads, and afterwards on as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_thread() -> contextlib.AbstractContextManager[None]:
    """PyTorch on one thread: the operations of a small model are so short that two threads took as long as one."""
    return on_threads(1)


def take_turns(
    ways: Sequence[Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> np.ndarray:
    """Milliseconds that each of w ways took in each round: (w, rounds). A first round warms up and is not counted.

    In every round each way has its turn, so that a moment in which the machine is busy slows all of them alike.
    clock: seconds since some moment.
    """
    times = np.empty((len(ways), rounds + 1))
    for turn in range(rounds + 1):
        for i, way in enumerate(ways):
            start = clock()
            way()
            times[i, turn] = 1e3 * (clock() - start)
    return times[:, 1:]
