"""When the losses of two blanks are independent, and when their gradients are: by listing every sentence.

The model is a table of scores W[left, right, word], one softmax for each pair of neighbors and the same at every place:
its conditionals of a first-order chain can be exact, and all places share its parameters.

Shape letters: K words, n words of a sentence, N sentences, all K^n of them.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.reference import log_softmax


@dataclass(frozen=True)
class PartedCorrelation:
    """How two numbers (or vectors) of two blanks vary together. within: the part of their covariance that is left where
    all visible words are given, averaged over these; between: the part that the visible words bring in; both as shares
    of the variance of one, so that they add up to the correlation."""

    within: float
    between: float

    @property
    def correlation(self) -> float:
        return self.within + self.between


def exact_scores(step: np.ndarray) -> np.ndarray:
    """log p(word | left, right) of a first-order chain, (K, K, K), from its steps (K, K)."""
    joint = step[:, None, :] * step.T[None, :, :]  # p(word | left) p(right | word), as (left, right, word)
    return np.log(joint / joint.sum(axis=-1, keepdims=True))


def all_sentences(K: int, n: int) -> np.ndarray:
    """(K^n, n), in the order of a table's `ravel`."""
    return np.indices((K,) * n).reshape(n, -1).T


def blank_losses(scores: np.ndarray, sentences: np.ndarray, t: int) -> np.ndarray:
    """The loss at position t of each sentence, its neighbors visible: (N,) nats."""
    log_q = log_softmax(scores)
    return -log_q[sentences[:, t - 1], sentences[:, t + 1], sentences[:, t]]


def blank_gradients(scores: np.ndarray, sentences: np.ndarray, t: int) -> np.ndarray:
    """The gradient of that loss by all scores: (N, K * K * K). It is q - onehot at the row of the two neighbors."""
    K, N = len(scores), len(sentences)
    left, word, right = sentences[:, t - 1], sentences[:, t], sentences[:, t + 1]
    gradient = np.zeros((N, K, K, K))
    rows = np.arange(N)
    gradient[rows, left, right] = np.exp(log_softmax(scores))[left, right]
    gradient[rows, left, right, word] -= 1
    return gradient.reshape(N, -1)


def one_pass_losses(table: np.ndarray, i: int, j: int) -> tuple[np.ndarray, np.ndarray]:
    """The losses of two blanks of each sentence of a table (K,)*n, for who knows the language and sees all other words:
    two (N,) nats, in the order of `all_sentences`. Raises ValueError where a sentence is impossible."""
    if (table <= 0).any():
        raise ValueError("a sentence is impossible: its loss is not defined")
    rest = table.sum(axis=(i, j), keepdims=True)
    one, other = (-np.log(table.sum(axis=hidden, keepdims=True) / rest) for hidden in (j, i))
    return tuple(np.broadcast_to(loss, table.shape).ravel() for loss in (one, other))


def parted_correlation(
    values_i: np.ndarray, values_j: np.ndarray, table: np.ndarray, i: int, j: int
) -> PartedCorrelation:
    """The covariance of what two blanks i and j of the sentences of a table (K,)*n have, parted by what is visible.

    values_i, values_j: (N,) or (N, P), one for each sentence, in the order of `all_sentences`; of vectors, the trace of
    the covariance is taken. Raises ValueError where one of the two never varies: it has no correlation.
    """
    p = table.ravel()
    one, other = (v.reshape(len(p), -1) for v in (values_i, values_j))
    if not all(np.ptp(v, axis=0).any() for v in (one, other)):
        raise ValueError("one of the two is the same in every sentence: it has no correlation with anything")
    one, other = one - p @ one, other - p @ other
    size = np.sqrt(p @ (one**2).sum(1)) * np.sqrt(p @ (other**2).sum(1))
    whole = p @ (one * other).sum(1)
    mean_one, mean_other = (_given_the_rest(v, table, i, j) for v in (one, other))
    between = p @ (mean_one * mean_other).sum(1)
    return PartedCorrelation(float((whole - between) / size), float(between / size))


def _given_the_rest(values: np.ndarray, table: np.ndarray, i: int, j: int) -> np.ndarray:
    """E[values | all words but those at i and j], for each sentence: (N, P)."""
    shaped = values.reshape(*table.shape, -1)
    weights = table[..., None]
    mean = (weights * shaped).sum(axis=(i, j), keepdims=True) / weights.sum(axis=(i, j), keepdims=True)
    return np.broadcast_to(mean, shaped.shape).reshape(values.shape)
