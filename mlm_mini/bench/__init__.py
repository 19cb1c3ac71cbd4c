"""Speed, side by side: what is ours and its peer take turns in one run, so that a busy machine slows both alike.

A row's ratio is the peer's median time over ours, above 1 where ours is faster; its limit is the least that the
course promises. Some rows are about memory, and above 1 where ours takes less, some about how work grows, where the
peer is what counting its operations expects; for a widget the peer is the tenth of a second within which a step must
be seen.

row.py          a row, its sides, and how they take turns at their best settings
whole_steps.py  a step of training, ours and those of `transformers`
steps.py, data.py, learner.py, growth.py, quality.py   the rows
limits.py       what the device can do at most
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from mlm_mini.bench.row import BenchRow
from mlm_mini.model import choose_device

BENCH_ROUNDS = 11
ON_REQUEST = ("quality", "floor")  # minutes to an hour: only when they are asked for


def groups(rounds: int, device: torch.device, threads: int) -> dict[str, Callable[[], Iterator[BenchRow]]]:
    """The rows by the name that `--only` has for them."""
    from mlm_mini.bench import data, growth, learner, quality, steps

    return {
        "step": lambda: steps.step_rows(rounds, device, threads),
        "memory": lambda: steps.memory_rows(device),
        "masking": lambda: data.masking_rows(rounds),
        "text": lambda: data.text_rows(rounds),
        "gradients": lambda: learner.gradient_rows(rounds),
        "posterior": lambda: learner.english_posterior_rows(rounds),
        "widgets": lambda: learner.widget_rows(rounds),
        "checks": lambda: learner.check_rows(rounds),
        "growth": lambda: growth.growth_rows(rounds),
        "quality": lambda: quality.quality_rows(threads),
        "floor": lambda: quality.floor_rows(threads),
    }


def measure(
    rounds: int = BENCH_ROUNDS,
    only: str | None = None,
    device: str | None = None,
    threads: int | None = None,
    left_out: Callable[[str, ImportError], None] | None = None,
) -> Iterator[BenchRow]:
    """Every row that takes minutes at most, one after the other; or those of one group.

    only: the name of a group. device: of the whole steps, as in `choose_device`. threads: the most that a side may use,
    as many as PyTorch would unless given; each side takes what is best for it. left_out: told of a group whose peer is
    not installed, and why; without it that is an ImportError.
    Raises ValueError for less than one round or thread, and for a name that no group has.
    """
    for name, number in (("rounds", rounds), ("threads", 1 if threads is None else threads)):
        if number < 1:
            raise ValueError(f"{name} is {number}: expected at least 1")
    found = groups(rounds, choose_device(device), threads or torch.get_num_threads())
    if only is not None and only not in found:
        raise ValueError(f"there are no rows called {only!r}: expected one of {', '.join(found)}")
    for name, rows in found.items():
        if name == only or (only is None and name not in ON_REQUEST):
            try:
                yield from rows()
            except ImportError as error:
                if left_out is None:
                    raise
                left_out(name, error)
