"""A `map` on several threads: the parts of a batch go through a small model side by side, each on a core of its own.

The matrix products of a small model are too short to be shared among cores, but whole parts are not: on two cores a
step of `mini` took 67 ms this way, and 102 ms with both cores at each product (medians of 60 that took turns, one
machine).
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn

from mlm_mini.model import MaskedLM

Map = Callable[[Callable, Iterable], Iterable]


@contextlib.contextmanager
def side_by_side(model: MaskedLM, parts: int) -> Iterator[Map]:
    """A `map`, for gradients and evaluations, that works on as many parts at once as PyTorch was allowed threads.

    Each operation then runs on one thread, so that the result has the same bits with any number of threads.
    With one part or one thread, and on a GPU, it is the builtin `map`, one part after the other. The same goes for a
    model with dropout, whose numbers come from one generator: chance would decide which thread draws first.
    """
    threads = torch.get_num_threads()
    workers = min(parts, threads)
    if workers == 1 or next(model.parameters()).device.type != "cpu" or _has_dropout(model):
        yield map
        return
    torch.set_num_threads(1)  # holds for this thread; the others set it as they start
    try:
        with ThreadPoolExecutor(workers, "part", lambda: torch.set_num_threads(1)) as pool:
            yield pool.map
    finally:
        torch.set_num_threads(threads)


def _has_dropout(model: MaskedLM) -> bool:
    dropouts = [module.p for module in model.modules() if isinstance(module, nn.Dropout)]
    return any(p > 0 for p in (*dropouts, model.config.attention_probs_dropout_prob))
