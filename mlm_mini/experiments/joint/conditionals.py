"""What a set of conditionals p(word | all other words) amounts to: does one joint distribution have them all?

Each blank of m has a table of conditionals (K,)*m, the i-th summing to one along axis i. Tables of one joint agree with
each other; tables that were learned need not (Arnold and Press 1989; Heckerman et al. 2000 call such a set a dependency
network, and what Gibbs sampling makes of it pseudo-Gibbs).

Shape letters: m blanks, K words that may stand in each.
"""

from collections.abc import Sequence

import numpy as np


def conditionals_of(joint: np.ndarray) -> list[np.ndarray]:
    """The m tables of a joint (K,)*m. Where the other words are impossible together, an even distribution."""
    tables = []
    for i in range(joint.ndim):
        total = joint.sum(axis=i, keepdims=True)
        even = np.full(joint.shape, 1 / joint.shape[i])
        tables.append(np.divide(joint, total, where=total > 0, out=even))
    return tables


def chained(first: np.ndarray, second_given_first: np.ndarray) -> np.ndarray:
    """The joint (K, K) of two blanks filled in turn: first (K,), then second_given_first (K, K), its rows summing to 1.

    Axis 0 is what is filled first.
    """
    return first[:, None] * second_given_first


def log_odds_gap(tables: Sequence[np.ndarray], support: np.ndarray | None = None) -> float:
    """How far two tables (K, K) are from having a joint: the root mean square of the difference between the log odds
    ratios that the two give for the same four words, in nats; exactly 0 for the conditionals of one joint.

    Over every a, a', b, b', all equally often:  log p(a|b) p(a'|b') / p(a'|b) p(a|b')  less  the same of p(b|a).
    support: (K,) words to which both blanks are confined; all unless given.
    Raises ValueError where a probability is 0: its log odds are not defined.
    """
    return _square_root_of_fours(_logs(tables[0], support) - _logs(tables[1], support))


def log_odds_size(table: np.ndarray, support: np.ndarray | None = None) -> float:
    """The root mean square of the log odds ratios themselves: how strongly two blanks depend on each other, in nats."""
    return _square_root_of_fours(_logs(table, support))


def _logs(table: np.ndarray, support: np.ndarray | None) -> np.ndarray:
    part = table if support is None else table[np.ix_(support, support)]
    if (part <= 0).any():
        raise ValueError("a probability is 0: confine the blanks to words that are possible together")
    return np.log(part)


def _square_root_of_fours(R: np.ndarray) -> float:
    """The root of the mean of (R_ab - R_a'b - R_ab' + R_a'b')^2 over all a, a', b, b'.

    That is 4 times the mean square of R without its row and column means, since the four are drawn independently.
    """
    centered = R - R.mean(0) - R.mean(1, keepdims=True) + R.mean()
    return float(2 * np.sqrt((centered**2).mean()))


def gibbs_law(
    tables: Sequence[np.ndarray], order: Sequence[int] | None = None, tolerance: float = 1e-13, most: int = 100_000
) -> np.ndarray:
    """The stationary law (K,)*m of Gibbs sampling (Geman and Geman 1984), by power iteration from the even law.

    One step draws one blank anew from its conditional: which one is drawn by lot, or goes round in `order`, and then
    the law is that after the last of a round. Where the tables leave parts that never meet, the answer depends on the
    start. Raises ValueError if the law has not settled after `most` rounds.
    """
    shape = tables[0].shape
    law = np.full(shape, 1 / np.prod(shape))
    for _ in range(most):
        moved = _round(law, tables, order)
        if np.abs(moved - law).sum() < tolerance:
            return moved / moved.sum()
        law = moved
    raise ValueError(f"the law still moves after {most} rounds")


def _round(law: np.ndarray, tables: Sequence[np.ndarray], order: Sequence[int] | None) -> np.ndarray:
    if order is None:
        return sum(table * law.sum(axis=i, keepdims=True) for i, table in enumerate(tables)) / len(tables)
    for i in order:
        law = tables[i] * law.sum(axis=i, keepdims=True)
    return law


def energy_law(tables: Sequence[np.ndarray]) -> np.ndarray:
    """The Markov random field whose log-potential is the pseudo-log-likelihood: p(x) ~ prod_i p(x_i | all others).

    Its own conditionals are not the tables it is made of, unless the words are independent.
    """
    log_p = sum(np.log(np.maximum(table, 1e-300)) for table in tables)
    law = np.exp(log_p - log_p.max())
    return law / law.sum()


def closed_parts(joint: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The parts of the possible pairs (K, L), between which Gibbs sampling never passes: one word at a time is changed,
    and on the way a pair would be impossible. Of each, the first words and the second words, the likeliest part first.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    a, b = np.nonzero(joint)
    _, label = connected_components(coo_array((np.ones(len(a)), (a, b + len(joint))), shape=[sum(joint.shape)] * 2))
    found = [(np.unique(a[label[a] == part]), np.unique(b[label[a] == part])) for part in np.unique(label[a])]
    return sorted(found, key=lambda part: -joint[np.ix_(*part)].sum())
