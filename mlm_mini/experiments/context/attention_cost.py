"""What attention costs, by counting and by the clock, and from what length on its quadratic part is the larger one.

By counting it does not matter how attention is computed. By the clock it does: the plain kernel writes every score into
memory and reads it again, a fused one (Dao et al. 2022) keeps a few at a time. So each is timed by itself.

Shape letters: k lengths, r rounds.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import nnls
from torch.nn.attention import SDPBackend, sdpa_kernel

from mlm_mini.experiments.lab.intervals import Estimate
from mlm_mini.experiments.lab.recipe import untrained_model
from mlm_mini.experiments.lab.timing import BUSY_CLOCK, one_thread, take_turns
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.model import MaskedLM, ModelConfig

KERNELS = {"plain": SDPBackend.MATH, "fused": SDPBackend.FLASH_ATTENTION}


class AttentionCost(NamedTuple):
    """lengths: (k,) tokens. seconds: (k, r) of r passes at each.

    crossing: the length at which the quadratic term of the fitted time a n + b n^2 equals the linear one. counted: the
    same by counting operations, 6 D for a block whose inside is four times as wide.
    """

    lengths: np.ndarray
    seconds: np.ndarray
    crossing: Sampled
    counted: int


def measure_attention_cost(
    lengths: np.ndarray, repeats: int, rng: np.random.Generator, kernel: str = "fused"
) -> AttentionCost:
    """Times the tiny encoder, forward, one sentence of each length, on one thread of the CPU.

    lengths: (k,) tokens, k at least 3, which take turns, so that a busy moment slows all alike. repeats: r, at least 2.
    kernel: "plain" or "fused". A short sentence is read several times in a turn, since one pass is over too soon.
    """
    lengths = np.asarray(lengths)
    shape = ModelConfig.tiny(100, max_position_embeddings=int(lengths.max()))
    model = untrained_model(shape, rng)
    passes = np.maximum(1, lengths.max() // (4 * lengths))
    with one_thread(), sdpa_kernel(KERNELS[kernel]):
        turns = [partial(_read, model, int(n), int(times)) for n, times in zip(lengths, passes, strict=True)]
        seconds = take_turns(turns, repeats, BUSY_CLOCK) / 1e3 / passes[:, None]  # (k, r)
    return AttentionCost(lengths, seconds, crossing_of_rounds(lengths, seconds), 6 * shape.hidden_size)


@torch.no_grad()
def _read(model: MaskedLM, n: int, times: int) -> None:
    for _ in range(times):
        model.encode(torch.zeros(1, n, dtype=torch.int64))


def crossing_of_rounds(lengths: np.ndarray, seconds: np.ndarray) -> Sampled:
    """The crossing in tokens, with Student's interval over the rounds: (k,), (k, r), r at least 2.

    A round without a square has no finite crossing, and no mean. What always has one is the share of the time of the
    longest input that is quadratic: the crossing is that of the mean share, and its interval follows. Infinite where
    the share may be none.
    """
    longest = float(np.max(lengths))
    shares = [longest / (longest + crossing(lengths, each)) for each in seconds.T]
    share = Sampled.mean(shares)
    low, high = (_crossing_at(x, longest) for x in (share.estimate.high, share.estimate.low))
    value = Estimate(_crossing_at(share.value, longest), low, high)
    return Sampled(value, np.array([_crossing_at(x, longest) for x in share.resampled]))


def _crossing_at(share: float, longest: float) -> float:
    """The length at which two parts are even, if the quadratic one has this share of the time of the longest input."""
    return longest * (1 - min(share, 1.0)) / share if share > 0 else float("inf")


def crossing(lengths: np.ndarray, seconds: np.ndarray) -> float:
    """a / b of the a, b >= 0 that fit seconds = a n + b n^2 with the least relative error; inf where b is 0.

    lengths, seconds: (k,), above 0. With absolute errors, long runs would count a thousand times as much as short ones.
    """
    n = np.asarray(lengths, dtype=np.float64)
    (a, b), _ = nnls(np.stack([n, n**2], axis=1) / seconds[:, None], np.ones(len(n)))
    return float(a / b) if b > 0 else float("inf")
