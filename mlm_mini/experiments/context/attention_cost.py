"""What attention costs, by counting and by the clock, and from what length on its quadratic part is the larger one."""

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import nnls

from mlm_mini.experiments.lab.intervals import Estimate, percentile_interval
from mlm_mini.experiments.lab.recipe import untrained_model
from mlm_mini.experiments.lab.timing import one_thread, take_turns
from mlm_mini.model import MaskedLM, ModelConfig

ROUND_RESAMPLES = 500


class AttentionCost(NamedTuple):
    """lengths: (k,) tokens. seconds: (k, r) of r passes at each.

    crossing: the length at which the quadratic term of the fitted time a n + b n^2 equals the linear one. counted: the
    same by counting operations, 6 D for a block whose inside is four times as wide.
    """

    lengths: np.ndarray
    seconds: np.ndarray
    crossing: Estimate
    counted: int


def measure_attention_cost(lengths: np.ndarray, repeats: int, rng: np.random.Generator) -> AttentionCost:
    """Times the tiny encoder, forward, one sentence of each length, on one thread of the CPU.

    lengths: (k,) tokens, k at least 3. They take turns, so that a busy moment slows all alike; each resample of the
    interval takes medians of r resampled rounds.
    """
    lengths = np.asarray(lengths)
    shape = ModelConfig.tiny(100, max_position_embeddings=int(lengths.max()))
    model = untrained_model(shape, rng)
    with one_thread():
        seconds = take_turns([partial(_read, model, int(n)) for n in lengths], repeats) / 1e3  # (k, r)
    rounds = rng.integers(repeats, size=(ROUND_RESAMPLES, repeats))
    resampled = [crossing(lengths, np.median(seconds[:, some], axis=1)) for some in rounds]
    value = crossing(lengths, np.median(seconds, axis=1))
    return AttentionCost(lengths, seconds, percentile_interval(value, resampled), 6 * shape.hidden_size)


@torch.no_grad()
def _read(model: MaskedLM, n: int) -> None:
    model.encode(torch.zeros(1, n, dtype=torch.int64))


def crossing(lengths: np.ndarray, seconds: np.ndarray) -> float:
    """a / b of the a, b >= 0 that fit seconds = a n + b n^2 with the least relative error; inf where b is 0.

    lengths, seconds: (k,), above 0. With absolute errors, long runs would count a thousand times as much as short ones.
    """
    n = np.asarray(lengths, dtype=np.float64)
    (a, b), _ = nnls(np.stack([n, n**2], axis=1) / seconds[:, None], np.ones(len(n)))
    return float(a / b) if b > 0 else float("inf")
