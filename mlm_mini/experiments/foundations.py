"""What chapters 01 to 04 claim, measured: the softmax, the surprisal, and what happens at logits of minus infinity.

Shape letters: N rows, V tokens.
"""

from dataclasses import dataclass

import numpy as np
import scipy.special
import torch
import torch.nn.functional as F

from mlm_mini.languages import ExactLanguage
from mlm_mini.reference import cross_entropy, exclude_tokens, kl_divergence, softmax, total_variation

SCALES = (1.0, 30.0, 1e4)  # of the logits
LEAKED_LOGITS = (-8.0, -4.0, 0.0, 4.0, 8.0, 12.0)  # beside words that weigh exp(0) together


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


@dataclass(frozen=True)
class SoftmaxCheck:
    """off: per row the largest difference, from another hand's softmax or of the sum from one, (N,); inf where a row
    has a NaN."""

    off: np.ndarray

    @property
    def agreeing(self) -> float:
        """The share of rows that are right."""
        return float((self.off < 1e-12).mean())


def check_softmax(function, logits: np.ndarray) -> SoftmaxCheck:
    """A softmax, on logits (N, V), beside SciPy's."""
    p = function(logits)
    off = np.maximum(np.abs(p - scipy.special.softmax(logits, axis=-1)).max(axis=-1), np.abs(p.sum(axis=-1) - 1))
    return SoftmaxCheck(np.where(np.isfinite(off), off, np.inf))


def surprisal_differences(rng: np.random.Generator, rows: int = 200, V: int = 500) -> np.ndarray:
    """PyTorch's cross-entropy of each of N rows, less -log of the probability of its label: (N,) nats, not below 0."""
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


@dataclass(frozen=True)
class LeakCheck:
    """The distances between a blank with `[CLS]` left in and the same blank without, for each leaked logit, (L,).

    buggy_correct: KL(buggy, correct) in nats. correct_buggy: KL(correct, buggy). total_variation: from 0 to 1.
    """

    buggy_correct: np.ndarray
    correct_buggy: np.ndarray
    total_variation: np.ndarray


def check_leak(language: ExactLanguage, rng: np.random.Generator, blanks: int = 50) -> LeakCheck:
    """Blanks of fresh sentences, one each, at LEAKED_LOGITS; every distance is that of one blank: (L blanks,)."""
    vocabulary, ids = language.vocabulary, language.sample(blanks, rng).ids
    places = np.array([rng.choice(np.flatnonzero(np.isin(row, vocabulary.regular_ids))) for row in ids])
    ids[np.arange(blanks), places] = vocabulary.mask_id
    p = language.posterior_at(ids, places[:, None])[:, 0]  # (blanks, V)
    with np.errstate(divide="ignore"):
        logits = np.repeat(np.log(p)[None], len(LEAKED_LOGITS), axis=0)  # (L, blanks, V)
    logits[..., vocabulary.cls_id] = np.array(LEAKED_LOGITS)[:, None]
    special = vocabulary.special_ids
    correct = softmax(exclude_tokens(logits, special)).reshape(-1, len(vocabulary))
    buggy = softmax(exclude_tokens(logits, special[special != vocabulary.cls_id])).reshape(correct.shape)
    return LeakCheck(kl_divergence(buggy, correct), kl_divergence(correct, buggy), total_variation(correct, buggy))
