"""Filling several blanks: all at once, from left to right, in any order, the most certain first, or by Gibbs sampling.

A filling is judged by the exact language: is the sentence possible, and how likely are these words together?

Shape letters: B sentences, T positions, m blanks of a sentence, V tokens.
"""

import numpy as np

from mlm_mini.experiments.joint.one_pass import HiddenWords
from mlm_mini.experiments.joint.readers import BlankReader
from mlm_mini.reference import entropy

ONE_PASS, LEFT_FIRST, ANY_ORDER, CERTAIN_FIRST = "one pass", "left to right", "random order", "most certain first"
FILLING_ORDERS = (ONE_PASS, LEFT_FIRST, ANY_ORDER, CERTAIN_FIRST)
GIBBS = "one pass, then Gibbs"


def fill_blanks(
    reader: BlankReader, blanks: HiddenWords, order: str, rng: np.random.Generator, best: bool = False
) -> np.ndarray:
    """Sentences (B, T) with all blanks filled.

    order: one of FILLING_ORDERS. best: take the likeliest word, do not draw one.
    Raises ValueError for another order.
    """
    if order not in FILLING_ORDERS:
        raise ValueError(f"order is {order!r}: expected one of {', '.join(map(repr, FILLING_ORDERS))}")
    ids, positions = blanks.hidden, blanks.positions
    if order == ONE_PASS:
        words = _chosen(reader(ids, positions), rng, best)
        np.put_along_axis(ids, positions, words, axis=1)
        return ids
    rows = np.arange(len(ids))
    open_ = np.ones(positions.shape, dtype=bool)
    luck = rng.random(positions.shape)
    for _ in range(positions.shape[1]):
        p = reader(ids, positions)  # of blanks that are filled already, nothing is used
        score = {LEFT_FIRST: np.arange(positions.shape[1]) + 0 * luck, ANY_ORDER: luck, CERTAIN_FIRST: entropy(p)}[
            order
        ]
        which = np.where(open_, score, np.inf).argmin(axis=1)
        ids[rows, positions[rows, which]] = _chosen(p[rows, which], rng, best)
        open_[rows, which] = False
    return ids


def gibbs_sweeps(
    reader: BlankReader, blanks: HiddenWords, ids: np.ndarray, sweeps: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Sentences (B, T) after 1, 2 ... sweeps over the blanks, from left to right, each drawn anew given all the others.

    ids: the filled sentences to begin with. Raises ValueError where the reader cannot read one.
    """
    found, ids = [], ids.copy()
    rows = np.arange(len(ids))
    for _ in range(sweeps):
        for i in range(blanks.positions.shape[1]):
            p = reader(blanks.hide(ids, [i]), blanks.positions[:, i : i + 1])[:, 0]
            ids[rows, blanks.positions[:, i]] = _chosen(p, rng, best=False)
        found.append(ids.copy())
    return found


def _chosen(p: np.ndarray, rng: np.random.Generator, best: bool) -> np.ndarray:
    """One token from each distribution (..., V), or its likeliest."""
    if best:
        return p.argmax(axis=-1)
    cumulative = p.cumsum(axis=-1)
    return (cumulative > rng.random((*p.shape[:-1], 1)) * cumulative[..., -1:]).argmax(axis=-1)


def judged(blanks: HiddenWords, filled: np.ndarray) -> np.ndarray:
    """log p(the words in the blanks | all that was visible), in nats, under the exact language: (B,), -inf where the
    sentence is impossible."""
    return blanks.language.log_marginal(filled) - blanks.language.log_marginal(blanks.hidden)
