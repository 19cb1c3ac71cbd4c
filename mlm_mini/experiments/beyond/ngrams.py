"""Models that count n neighbors, of any order, and what they say about one hidden token when both sides are seen.

P(x | n - 1 tokens before) is interpolated Kneser-Ney, as in `mlm_mini/languages/ngram.py`, here for tokens by number
and any n. It looks to the left alone. Three ways to ask about a token in the middle of a text:

    left             P(x | left)
    product          P(x | left) P(x | right) / P(x), scaled to sum to one: as if both sides were independent given x
    both sides       the product of all n factors in which x stands, scaled likewise: Bayes' rule, exact for the model

Shape letters: N blanks, T positions of a row, C candidates, n the order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mlm_mini.languages.ngram import _Order as Order

EDGE = 0  # stands where no token is: before the first one and after the last
AT_ONCE = 2**21  # numbers looked up together
LEAST = 1e-300


@dataclass(frozen=True)
class Ngram:
    """P(x | n - 1 tokens before). Make one with `Ngram.fit`. Tokens are numbers from 1 to `tokens`; 0 is EDGE.

    unigram: (tokens + 1,). orders: of 2, 3 ... n tokens.
    """

    tokens: int
    unigram: np.ndarray
    orders: tuple[Order, ...]

    @property
    def n(self) -> int:
        """How many tokens an n-gram has."""
        return len(self.orders) + 1

    @classmethod
    def fit(cls, texts: Iterable[np.ndarray], n: int, tokens: int) -> "Ngram":
        """Count the n-grams of texts, each (L,) numbers from 1 to `tokens`.

        Raises ValueError for an order below 1, for no text, and where an n-gram has no number of 64 bits.
        """
        base = tokens + 1
        if n < 1 or base**n >= 2**63:
            raise ValueError(f"n is {n}: expected at least 1, and {base} ** n below 2 ** 63")
        edge = np.zeros(n - 1, dtype=np.int64)
        stream = np.concatenate([part for text in texts for part in (edge, np.asarray(text, dtype=np.int64))] + [edge])
        if not stream.any():
            raise ValueError("there are no tokens to count")
        keys = np.zeros(len(stream) - n + 1, dtype=np.int64)
        for i in range(n):
            keys = keys * base + stream[i : len(stream) - n + 1 + i]
        grams, counts = np.unique(keys[keys % base != EDGE], return_counts=True)
        orders = []
        for order in range(n, 1, -1):
            orders.append(Order.fit(grams, counts, base))
            grams, counts = np.unique(grams % base ** (order - 1), return_counts=True)
        shares = np.zeros(base)
        shares[grams] = counts
        shares[1:] = (shares[1:] + 0.5) / (shares[1:] + 0.5).sum()  # half a count for what never came
        return cls(tokens, shares, tuple(orders[::-1]))

    def probability(self, context: Sequence[np.ndarray], x: np.ndarray) -> np.ndarray:
        """P(x | context): the n - 1 tokens before x, from left to right, and x, arrays that broadcast."""
        base = self.tokens + 1
        p = self.unigram[x]
        key = np.zeros_like(x)
        for k, order in enumerate(self.orders):
            key = context[-1 - k] * base**k + key  # one more token to the left
            p = order.probability(key, x, p, base)
        return p


def token_shares(texts: Iterable[np.ndarray], tokens: int) -> np.ndarray:
    """How frequent each token is in texts of numbers from 1 to `tokens`, half a one added to each count: (tokens,)."""
    counts = sum(np.bincount(text, minlength=tokens + 1) for text in texts)[1:] + 0.5
    return counts / counts.sum()


def left_posterior(model: Ngram, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """P(token | what stands on its left): (N, C), of rows (N, T) with 0 outside the text, and places (N,)."""
    context = _around(rows, places, model.n - 1)[:, : model.n - 1]
    return _filled(model, len(rows), lambda some, x: model.probability([c[:, None] for c in context[some].T], x))


def both_sides_posterior(model: Ngram, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """P(token | n - 1 tokens on either side), by Bayes' rule: (N, C). What stands at the places is not looked at."""
    reach = model.n - 1
    window = _around(rows, places, reach)  # (N, 2 n - 1)

    def weights(some: slice, x: np.ndarray) -> np.ndarray:
        around = [column[:, None] for column in window[some].T]
        around[reach] = x
        log_p = np.zeros((len(window[some]), model.tokens))
        for at in range(reach, 2 * reach + 1):
            p = model.probability(around[at - reach : at], around[at] + 0 * x)
            log_p += np.where(around[at] == EDGE, 0.0, np.log(np.maximum(p, LEAST)))  # nothing is said about an edge
        return np.exp(log_p - log_p.max(axis=1, keepdims=True))

    return _filled(model, len(rows), weights)


def product_posterior(left: Ngram, right: Ngram, prior: np.ndarray, rows: np.ndarray, places: np.ndarray) -> np.ndarray:
    """P(x | left) P(x | right) / P(x), scaled: (N, C). right: fitted to the texts read backwards. prior: (C,)."""
    before = left_posterior(left, rows, places)
    after = left_posterior(right, rows[:, ::-1], rows.shape[1] - 1 - places)
    return two_sided(before, after, prior)


def two_sided(left: np.ndarray, right: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """P(x | left) P(x | right) / P(x), scaled to sum to one over the last axis: (..., C). prior: (C,), above 0."""
    log_p = np.log(np.maximum(left, LEAST)) + np.log(np.maximum(right, LEAST)) - np.log(prior)
    p = np.exp(log_p - log_p.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def _around(rows: np.ndarray, places: np.ndarray, reach: int) -> np.ndarray:
    """The tokens at most `reach` away from each place: (N, 2 reach + 1), EDGE outside the rows."""
    padded = np.pad(rows, ((0, 0), (reach, reach)))
    return padded[np.arange(len(rows))[:, None], places[:, None] + np.arange(2 * reach + 1)]


def _filled(model: Ngram, N: int, weights) -> np.ndarray:
    """Weights of all candidates for N blanks, some at a time, scaled to sum to one: (N, C)."""
    x = np.arange(1, model.tokens + 1)[None]
    found = np.empty((N, model.tokens))
    step = max(1, AT_ONCE // model.tokens)
    for i in range(0, N, step):
        some = slice(i, min(N, i + step))
        w = weights(some, x)
        found[some] = w / w.sum(axis=1, keepdims=True)
    return found
