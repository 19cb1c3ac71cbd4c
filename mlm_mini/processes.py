"""Work spread over processes, one PyTorch thread each: the best that several cores do for many small models."""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TypeVar

Item = TypeVar("Item")
Finished = Callable[[int, int], None]  # is told how many pieces of work are done, of how many


def tell_nobody(done: int, total: int) -> None:
    """The `Finished` of work that shows nothing."""


def checked_workers(workers: int | None) -> int:
    """How many processes are meant: as many as there are cores for None. Raises ValueError for fewer than one."""
    if workers is None:
        return os.cpu_count() or 1
    if workers < 1:
        raise ValueError(f"workers is {workers}: expected at least 1")
    return workers


def as_they_finish(work: Callable[[Item], object], items: Iterable[Item], workers: int) -> Iterator[None]:
    """Does `work` for each item, the first ones first, and yields once after each that is done.

    work: a function at the top of a module; items: fit to be sent to another process. workers: how many processes;
    with one, or for a single item, it is done in this one, with the threads it has.
    Raises what `work` raises; pieces that were not begun are then left, and the others brought to their end.
    """
    items = list(items)
    if min(workers, len(items)) <= 1:
        for item in items:
            work(item)
            yield
        return
    # Spawned: a fork would inherit the locks of PyTorch's threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(items)), context, _one_thread) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in as_completed(futures):
                future.result()
                yield
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)
