"""Logistic regression as equations: what a linear probe minimizes, and its slope.

Shape letters: N vectors, D numbers of each.
"""

import numpy as np


def logistic_loss(
    weights: np.ndarray, bias: float, x: np.ndarray, y: np.ndarray, penalty: float
) -> tuple[float, np.ndarray, float]:
    """The loss of a probe in nats, and its gradient: for the weights, (D,), and for the bias.

    weights: (D,); x: (N, D); y: (N,) bool. The loss is the sum of the N cross-entropies plus penalty / 2 times the
    squared weights; the bias is not penalized.
    """
    z = x @ weights + bias  # log p / (1 - p)
    loss = np.logaddexp(0.0, np.where(y, -z, z)).sum() + penalty / 2 * (weights**2).sum()
    error = np.exp(-np.logaddexp(0.0, -z)) - y  # p - y, without an overflow at either side
    return float(loss), x.T @ error + penalty * weights, float(error.sum())
