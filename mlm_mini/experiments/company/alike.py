"""Whether one table of similarities says what another says, and whether chance could.

Shape letters: V words, P pairs of them, R random orders.
"""

import numpy as np

from mlm_mini.experiments.lab.permutations import permutation_share, rank_correlation, shuffled_correlations


def partial_rank_correlation(x, y, held) -> float:
    """The rank correlation of x and y that `held` leaves, all (P,): what each has of the ranks of `held` is removed."""
    xy, xh, yh = (rank_correlation(*pair) for pair in ((x, y), (x, held), (y, held)))
    return (xy - xh * yh) / np.sqrt((1 - xh**2) * (1 - yh**2))


def mantel(similarity, other, pairs, orders) -> tuple[float, float]:
    """Rank correlation of two tables of similarities (V, V) over `pairs`, and its p-value by shuffled words.

    pairs, orders: as in `shuffled_correlations`.
    """
    observed, permuted = shuffled_correlations(similarity, other, pairs, orders)
    return observed, permutation_share(observed, permuted)
