"""What attention costs: counted, and by the clock, with the length at which its square overtakes the rest."""

import time
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import nnls

from mlm_mini.experiments.gradients import one_thread
from mlm_mini.experiments.statistics import Estimate, percentile_interval
from mlm_mini.model import MaskedLM, ModelConfig

RESAMPLES = 500


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
    """Times the tiny encoder, forward, one sentence of each length, on one thread.

    lengths: (k,) tokens, k at least 3. The rounds are interleaved, so that a busy moment meets every length alike;
    each resample of the interval takes medians of r resampled rounds. On a GPU nothing changes: it is the CPU's time.
    """
    lengths = np.asarray(lengths)
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    shape = ModelConfig.tiny(100, max_position_embeddings=int(lengths.max()))
    model = MaskedLM(shape, generator).eval()
    with one_thread():
        seconds = np.array([[_seconds(model, n) for n in lengths] for _ in range(repeats + 1)])[1:].T  # (k, r)
    rounds = rng.integers(repeats, size=(RESAMPLES, repeats))
    resampled = [crossing(lengths, np.median(seconds[:, some], axis=1)) for some in rounds]
    value = crossing(lengths, np.median(seconds, axis=1))
    return AttentionCost(lengths, seconds, percentile_interval(value, resampled), 6 * shape.hidden_size)


@torch.no_grad()
def _seconds(model: MaskedLM, n: int) -> float:
    ids = torch.zeros(1, int(n), dtype=torch.int64)
    started = time.perf_counter()
    model.encode(ids)
    return time.perf_counter() - started


def crossing(lengths: np.ndarray, seconds: np.ndarray) -> float:
    """a / b of the a, b >= 0 that fit seconds = a n + b n^2 with the least relative error; inf where b is 0.

    lengths, seconds: (k,), above 0. Long runs would otherwise count a thousand times as much as short ones.
    """
    n = np.asarray(lengths, dtype=np.float64)
    (a, b), _ = nnls(np.stack([n, n**2], axis=1) / seconds[:, None], np.ones(len(n)))
    return float(a / b) if b > 0 else float("inf")
