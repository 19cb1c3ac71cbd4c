"""Whether chance could: rank correlations of tables, and what they are when names are shuffled.

Shape letters: V things, P pairs of them, R random orders.
"""

import numpy as np
from scipy.stats import rankdata


def rank_correlation(x, y) -> float:
    """Spearman's: the correlation of the ranks of x and y, (P,) each, equal values sharing their mean rank.

    Raises ValueError where one of them never varies.
    """
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        raise ValueError("one of the two never varies: it has no ranks")
    return float(np.corrcoef(rankdata(x), rankdata(y))[0, 1])


def shuffled_correlations(one: np.ndarray, other: np.ndarray, pairs, orders) -> tuple[float, np.ndarray]:
    """The rank correlation of two tables (V, V) over `pairs`, and what it is under each of R orders, (R,).

    Pairs with one thing in common are not independent, so whole things are shuffled: rows and columns of `other`
    together (Mantel 1967). pairs: two (P,) index arrays. orders: (R, V), a permutation of the things in each row.
    """
    first, second = pairs
    observed = rank_correlation(one[first, second], other[first, second])
    ranks = rankdata(one[first, second])
    shuffled = (rankdata(other[order[first], order[second]]) for order in orders)
    return observed, np.array([np.corrcoef(ranks, theirs)[0, 1] for theirs in shuffled])


def permutation_share(observed: float, permuted) -> float:
    """The p-value of a permutation test: the share of the orders, the true one included, that reach `observed`.

    permuted: (R,), the same figure under R random orders. Never 0, since the true order is one of the possible ones.
    """
    return float((1 + (np.asarray(permuted) >= observed).sum()) / (1 + len(permuted)))
