"""Sentences written by unmasking: all words hidden at first, some of them filled in at each of K steps.

All that one step fills in is drawn from the same pass, each word for itself: what these words tell about each other is
lost, and that is the price of a step that fills in more than one. The picture has a cousin that writes images (MaskGIT:
Chang et al. 2022).

Shape letters: B sentences, T positions, V tokens, N hidden positions in all, K steps.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.writing.readers import Filler
from mlm_mini.languages import Vocabulary

BY_LOT, MOST_CERTAIN, LIKELIEST_DRAW = "random", "most certain first", "likeliest draw first"
WRITING_ORDERS = (BY_LOT, MOST_CERTAIN, LIKELIEST_DRAW)
SCORE_DIGITS = 9  # what differs by rounding alone is equal


@dataclass(frozen=True)
class Unmasked:
    """B sentences and how they came about.

    ids: (B, T), with nothing hidden. step: (B, T), the step, from 1 on, at which a word was filled in, 0 where nothing
    was hidden. surprisal: (B, T) nats of each word when it was filled in, 0 where nothing was hidden.
    """

    ids: np.ndarray
    step: np.ndarray
    surprisal: np.ndarray

    @property
    def nats(self) -> np.ndarray:
        """(B,): -log of the probability that the writer writes these words on this way."""
        return self.surprisal.sum(axis=1)

    def after(self, step: int, mask_id: int) -> np.ndarray:
        """(B, T): what stood there after a step, 0 for the beginning."""
        return np.where(self.step > step, mask_id, self.ids)


def step_counts(words, steps: int) -> np.ndarray:
    """How many of each sentence's words each of K steps fills in: (B,) -> (K, B), which sum to `words`.

    As equal as may be, the smaller ones first, when least is known. With more steps than words some fill in none.
    Raises ValueError for fewer than one step.
    """
    if steps < 1:
        raise ValueError(f"steps is {steps}: expected at least 1")
    done = np.asarray(words) * np.arange(steps + 1)[:, None] // steps  # (K + 1, B)
    return np.diff(done, axis=0)


def pick(scores: np.ndarray, hidden: np.ndarray, counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The counts[b] hidden positions of each row with the highest scores, of equal ones by lot: (B, T) bool.

    scores: (B, T), of which only those at hidden positions count; hidden: (B, T) bool; counts: (B,) integers.
    """
    order = np.lexsort((rng.random(scores.shape), -scores, ~hidden))  # the last key comes first
    ranks = order.argsort(axis=1)
    return hidden & (ranks < counts[:, None])


def draw(log_q: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A token from each row, at temperature 1: (N, V) log-probabilities -> (N,). By Gumbel's maximum."""
    return (log_q + rng.gumbel(size=log_q.shape)).argmax(axis=1)


def hide_all_words(ids: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """Sentences (B, T) with every word hidden: what is left is where a sentence begins and ends."""
    return np.where(np.isin(ids, vocabulary.regular_ids), vocabulary.mask_id, ids)


def unmask(
    reader: Filler,
    ids: np.ndarray,
    mask_id: int,
    steps: int,
    rng: np.random.Generator,
    order: str = BY_LOT,
    answers: np.ndarray | None = None,
) -> Unmasked:
    """Fill in all that is hidden in (B, T) ids, in K steps, with words drawn at temperature 1, or with `answers`.

    order: which come first. "random"; "most certain first", by the largest probability at a position, before anything
    is drawn; "likeliest draw first", by the probability of the word that was drawn there, as MaskGIT does it: then the
    draw decides whether it is kept, so that likely words come too often, even one at a time.
    answers: (B, T), the words to fill in; the result then says what it costs to write them. Not for the third order,
    in which that hangs on draws that were dropped.
    Raises ValueError for another order, answers to the third one, or fewer than one step.
    """
    if order not in WRITING_ORDERS:
        raise ValueError(f"order is {order!r}: expected one of {', '.join(map(repr, WRITING_ORDERS))}")
    if answers is not None and order == LIKELIEST_DRAW:
        raise ValueError(f"nobody knows what given words cost in the order {LIKELIEST_DRAW!r}: expected another order")
    ids = ids.copy()
    step, surprisal = np.zeros(ids.shape, dtype=np.int64), np.zeros(ids.shape)
    for now, counts in enumerate(step_counts((ids == mask_id).sum(axis=1), steps), start=1):
        if not counts.any():
            continue
        hidden = ids == mask_id
        log_q = reader(ids)
        words = draw(log_q, rng) if answers is None else answers[hidden]
        log_p = log_q[np.arange(len(words)), words]
        scores, filled, nats = np.zeros(ids.shape), ids.copy(), np.zeros(ids.shape)
        sure = {BY_LOT: np.zeros(len(words)), MOST_CERTAIN: log_q.max(axis=1), LIKELIEST_DRAW: log_p}[order]
        scores[hidden] = sure.round(SCORE_DIGITS)  # equal ones go by lot, and the lot has equal ones only
        filled[hidden], nats[hidden] = words, -log_p
        picked = pick(scores, hidden, counts, rng)
        ids, step, surprisal = (
            np.where(picked, filled, ids),
            np.where(picked, now, step),
            np.where(picked, nats, surprisal),
        )
    return Unmasked(ids, step, surprisal)
