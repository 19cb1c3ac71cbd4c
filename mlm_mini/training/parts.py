"""How the parts of a batch go through a small model on a CPU: side by side, each on a core of its own.

The products of a small model are too short to be worth sharing among cores. Whole parts are: on two cores a step of
`mini` took 67 ms this way, and 102 ms with both cores at each product (medians of 60 that took turns, one machine).
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

    Each operation then runs on one thread, so that the result is the same to the last bit for any number of them.
    The builtin `map`, one part after the other, is what one gets with one part or one thread, on a GPU, and with
    dropout, whose numbers come from one generator and would be drawn in an order that nobody knows.
    """
    threads = torch.get_num_threads()
    workers = min(parts, threads)
    if workers == 1 or next(model.parameters()).device.type != "cpu" or _has_dropout(model):
        yield map
        return
    torch.set_num_threads(1)  # for this thread; the others say so for themselves
    try:
        with ThreadPoolExecutor(workers, "part", lambda: torch.set_num_threads(1)) as pool:
            yield pool.map
    finally:
        torch.set_num_threads(threads)


def _has_dropout(model: MaskedLM) -> bool:
    dropouts = [module.p for module in model.modules() if isinstance(module, nn.Dropout)]
    return any(p > 0 for p in (*dropouts, model.config.attention_probs_dropout_prob))
