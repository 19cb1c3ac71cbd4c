"""Information measures of a joint table: how much several hidden words have in common. All in nats.

Shape letters: m hidden positions, V words of each; a joint table is (V,)*m, though axes may differ in length.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import xlogy


def table_entropy(table: np.ndarray) -> float:
    """H of all axes together, with 0 log 0 = 0."""
    return float(-xlogy(table, table).sum())


def marginal(table: np.ndarray, axes: Sequence[int]) -> np.ndarray:
    """The joint table of some axes alone, in their old order."""
    return table.sum(axis=tuple(i for i in range(table.ndim) if i not in axes))


def independent(table: np.ndarray) -> np.ndarray:
    """The product of the marginals, of the shape of `table`: what is left where each blank is judged by itself."""
    product = np.ones(())
    for i in range(table.ndim):
        product = product[..., None] * marginal(table, [i])
    return product


def total_correlation(table: np.ndarray) -> float:
    """sum_i H(X_i) - H(X_1 ... X_m) (Watanabe 1960): what it costs to predict the axes one by one, in ignorance of each
    other. With two axes, their mutual information. Never below 0."""
    return sum(table_entropy(marginal(table, [i])) for i in range(table.ndim)) - table_entropy(table)


def dual_total_correlation(table: np.ndarray) -> float:
    """H(X_1 ... X_m) - sum_i H(X_i | all the others) (Han 1978): what is counted too low where each axis is predicted
    with all the others in sight. Never below 0."""
    whole = table_entropy(table)
    others = [table_entropy(table.sum(axis=i)) for i in range(table.ndim)]
    return whole - sum(whole - other for other in others)


def conditional_information(table: np.ndarray, i: int, j: int, given: Sequence[int]) -> float:
    """I(X_i; X_j | X_given) = H(i, given) + H(j, given) - H(i, j, given) - H(given); other axes are summed out."""

    def of(*axes: int) -> float:
        return table_entropy(marginal(table, [*axes, *given]))

    return of(i) + of(j) - of(i, j) - of()


def kl_tables(p: np.ndarray, q: np.ndarray) -> float:
    """KL(p, q) of two joint tables; inf where q rules out what p allows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(p > 0, p * (np.log(p) - np.log(q)), 0.0).sum())


def table_variation(p: np.ndarray, q: np.ndarray) -> float:
    """Half of sum |p - q|: the largest difference in probability that two tables give to any event."""
    return float(0.5 * np.abs(p - q).sum())
