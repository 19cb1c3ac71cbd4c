"""Surprisal, and the loss that averages it over the positions to predict.

Shapes: V is the number of tokens in the vocabulary; `...` stands for any leading dimensions, or none,
such as (B, T) for B sentences of T positions. Surprisal is in nats.
"""

import numpy as np

from mlm_mini.reference.checks import checked_logits, checked_targets, tiny_is_zero
from mlm_mini.reference.probability import log_softmax, softmax

IGNORE_INDEX = -100  # the label of a position where nothing is predicted, as PyTorch and Hugging Face have it


def surprisal(logits, targets):
    """-log p_t for p = softmax(z): how unexpected token t was.

    logits: (..., V) scores in nats; targets: (...) integer token ids from 0 to V - 1.
    Returns (...) nats: 0 for a sure token, inf for an excluded one.
    Raises ValueError for logits that softmax refuses, targets of another shape or out of range; TypeError for
    targets that are not integers.
    """
    log_p = log_softmax(logits)
    t = checked_targets(targets, "targets", log_p)
    # 0.0 - x and not -x, which would print a sure token as -0.0
    return 0.0 - np.take_along_axis(log_p, t[..., None], axis=-1)[..., 0]


def cross_entropy(logits, labels):
    """L = 1/n sum_k -log p_{k, y_k}, over the n positions k whose label y_k is not IGNORE_INDEX.

    logits: (..., V) scores in nats; labels: (...) integer token ids from 0 to V - 1, or IGNORE_INDEX.
    Returns the mean as a float, in nats; 0.0 when no position has a label; inf when a label is an excluded token.
    Raises ValueError for logits that softmax refuses, at any position, and for labels of another shape or out of
    range; TypeError for labels that are not integers.
    """
    logits = checked_logits(logits)
    labels = checked_targets(labels, "labels", logits, IGNORE_INDEX)
    selected = labels != IGNORE_INDEX
    if not selected.any():
        return 0.0  # the mean of nothing is NaN, and one NaN loss would spoil every weight it reaches
    return float(surprisal(logits[selected], labels[selected]).mean())  # (..., V) -> (n, V)


@tiny_is_zero
def cross_entropy_gradient(logits, labels):
    """dL/dz = (p - y) / n at the n positions whose label is not IGNORE_INDEX, and 0 at the others.

    Here p = softmax(z), and y is one at the label and zero at every other token.
    logits: (..., V) scores in nats; labels: (...) integer token ids from 0 to V - 1, or IGNORE_INDEX.
    Returns (..., V): each row sums to zero; all of it is zero when no position has a label.
    Raises what cross_entropy raises.
    """
    p = softmax(logits)
    labels = checked_targets(labels, "labels", p, IGNORE_INDEX)[..., None]  # (...) -> (..., 1)
    selected = labels != IGNORE_INDEX
    n = max(selected.sum(), 1)  # with nothing selected the loss is the constant 0, and 0 / 1 its gradient
    y = np.zeros_like(p)
    np.put_along_axis(y, np.where(selected, labels, 0), 1.0, axis=-1)
    return np.where(selected, (p - y) / n, 0.0)


def mean_and_error(sums, counts):
    """m = sum_b s_b / sum_b n_b, and its standard error over B rows, of which each has another sum s and count n.

    The error is sqrt(sum_b (s_b - m n_b)^2) / sum_b n_b (Cochran 1977, section 2.11, for many rows: with few of them
    it is too small, by a factor of about the root of (B - 1) / B).
    sums, counts: (B,), such as the nats of each sentence and how many tokens they are for.
    Returns two floats in the unit of the sums.
    """
    m = sums.sum() / counts.sum()
    return float(m), float(np.sqrt(((sums - m * counts) ** 2).sum()) / counts.sum())
