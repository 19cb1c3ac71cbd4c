"""The softmax, the surprisal, and logits of minus infinity, each held against another way to the same numbers.

Shape letters: N rows, V tokens.
"""

from collections.abc import Callable

import numpy as np
import scipy.special
import torch
import torch.nn.functional as F

from mlm_mini.reference import cross_entropy, exclude_tokens, softmax

SCALES = (1.0, 30.0, 1e4)  # of the logits


def hard_logits(rng: np.random.Generator, rows: int = 200, V: int = 500) -> np.ndarray:
    """Logits (3 rows, V): ordinary ones, large ones, and ones of ten thousand, some of them -inf."""
    logits = np.concatenate([scale * rng.standard_normal((rows, V)) for scale in SCALES])
    logits[rng.random(logits.shape) < 0.1] = -np.inf
    return logits


def softmax_as_worded(logits: np.ndarray) -> np.ndarray:
    """exp(z_i) / sum_j exp(z_j), to the letter: with large logits inf / inf, which is NaN."""
    with np.errstate(over="ignore", invalid="ignore"):
        powers = np.exp(logits)
        return powers / powers.sum(axis=-1, keepdims=True)


def agreeing_share(function: Callable[[np.ndarray], np.ndarray], logits: np.ndarray) -> float:
    """The share of the rows of logits (N, V) on which a softmax agrees with SciPy's and sums to one, within 1e-12."""
    p = function(logits)
    off = np.maximum(np.abs(p - scipy.special.softmax(logits, axis=-1)).max(axis=-1), np.abs(p.sum(axis=-1) - 1))
    return float((off < 1e-12).mean())  # a row with a NaN is off by NaN, and does not agree


def surprisal_differences(rng: np.random.Generator, rows: int = 200, V: int = 500) -> np.ndarray:
    """How far PyTorch's cross-entropy and ours are from -log of the probability of the label: the larger, (N,) nats."""
    logits, labels = rng.standard_normal((rows, V)) * 5, rng.integers(0, V, rows)
    loss = F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), reduction="none").numpy()
    ours = np.array([cross_entropy(z[None], y[None]) for z, y in zip(logits, labels, strict=True)])
    direct = -np.log(softmax(logits)[np.arange(rows), labels])
    return np.maximum(np.abs(loss - direct), np.abs(ours - direct))


def excluded_mass(rng: np.random.Generator, rows: int = 200, V: int = 500, excluded: int = 5) -> np.ndarray:
    """Per row, the larger of the probability and the gradient's size at tokens whose logit is -inf: (N,).

    The gradient is that of the surprisal of a token that is not excluded, by PyTorch, with respect to the logits before
    they were set to -inf.
    """
    logits = torch.from_numpy(rng.standard_normal((rows, V)) * 30).requires_grad_()
    allowed = torch.arange(V) >= excluded
    labels = torch.from_numpy(rng.integers(excluded, V, rows))
    F.cross_entropy(logits.masked_fill(~allowed, -torch.inf), labels, reduction="sum").backward()
    p = softmax(exclude_tokens(logits.detach().numpy(), range(excluded)))
    return np.maximum(p[:, :excluded].max(axis=1), logits.grad[:, :excluded].abs().numpy().max(axis=1))
