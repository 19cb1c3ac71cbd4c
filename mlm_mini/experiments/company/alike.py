"""Whether one table of similarities says what another says, and whether chance could.

Shape letters: V words, P pairs of them, R random orders.
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


def partial_rank_correlation(x, y, held) -> float:
    """The rank correlation of x and y that `held` leaves, all (P,): what each has of the ranks of `held` is removed."""
    xy, xh, yh = (rank_correlation(*pair) for pair in ((x, y), (x, held), (y, held)))
    return (xy - xh * yh) / np.sqrt((1 - xh**2) * (1 - yh**2))


def permutation_share(observed: float, permuted) -> float:
    """The p-value of a permutation test: the share of the orders, the true one included, that reach `observed`.

    permuted: (R,), the same figure under R random orders. Never 0, since the true order is one of the possible ones.
    """
    return float((1 + (np.asarray(permuted) >= observed).sum()) / (1 + len(permuted)))


def mantel(similarity, other, pairs, orders) -> tuple[float, float]:
    """Rank correlation of two tables of similarities (V, V) over `pairs`, and its p-value (Mantel 1967).

    Pairs with a word in common are not independent, so whole words are permuted: rows and columns of `other` together.
    pairs: two (P,) index arrays. orders: (R, V), a permutation of the words in each row.
    """
    one, two = pairs
    mine = similarity[one, two]
    observed = rank_correlation(mine, other[one, two])
    permuted = [rank_correlation(mine, other[order[one], order[two]]) for order in orders]
    return observed, permutation_share(observed, permuted)
