"""From counts to vectors: positive pointwise mutual information, shifted and smoothed, and its best approximation.

After Levy, Goldberg and Dagan (2015). Shape letters: V words, C contexts, d dimensions.
"""

import numpy as np

SMOOTHING = 0.75  # of the contexts' distribution: the exponent that they recommend


def context_distribution(counts, smoothing: float = SMOOTHING) -> np.ndarray:
    """How often each context is met, raised to a power below 1 so that rare ones count as less rare: (C,), sum 1.

    counts: (V, C), not all of them 0.
    """
    smooth = np.asarray(counts).sum(axis=0) ** float(smoothing)
    return smooth / smooth.sum()


def ppmi(counts, shift: float = 1.0, smoothing: float = SMOOTHING) -> np.ndarray:
    """max(log p(w, c) / (p(w) p(c)) - log shift, 0) in nats, with p(c) smoothed: (V, C). Where nothing was counted, 0.

    counts: (V, C); rows or columns may be empty.
    """
    joint = np.asarray(counts) / np.sum(counts)
    independent = joint.sum(axis=1, keepdims=True) * context_distribution(counts, smoothing)
    ratio = np.divide(joint, independent, out=np.zeros(joint.shape), where=independent > 0)
    pmi = np.log(ratio, out=np.full(joint.shape, -np.inf), where=ratio > 0)
    return np.maximum(pmi - np.log(shift), 0.0)


def svd_vectors(matrix, d: int, power: float = 0.5) -> np.ndarray:
    """The first d left singular vectors, each times its singular value to the `power`: (V, d).

    With power 1 their inner products are those of the best approximation of rank d of the rows of `matrix`; lower
    powers weigh all directions more alike.
    """
    U, s, _ = np.linalg.svd(np.asarray(matrix, dtype=np.float64), full_matrices=False)
    return U[:, :d] * s[:d] ** power
