"""How alike the contexts of two words are, exactly: by whole sentences, and by the words around them.

The measure is the Jensen-Shannon divergence JS(p, q) = (KL(p, m) + KL(q, m)) / 2 with m = (p + q) / 2 (Lin 1991): 0
for words that are met in the same contexts equally often, ln 2 = 0.69 nats for words that share none.

Shape letters: V words, C contexts, B sentences, T positions.
"""

import numpy as np

from mlm_mini.languages import SceneLanguage


def jensen_shannon(p, q) -> float:
    """Of two distributions over the same C contexts, (C,) each, in nats."""
    p, q = np.asarray(p, dtype=np.float64), np.asarray(q, dtype=np.float64)
    middle = (p + q) / 2
    return float(_nats(p, middle) / 2 + _nats(q, middle) / 2)


def _nats(p: np.ndarray, m: np.ndarray) -> float:
    seen = p > 0
    return (p[seen] * np.log(p[seen] / m[seen])).sum()


def pairwise_divergence(weights) -> np.ndarray:
    """JS of each two rows of `weights` (V, C), each scaled to sum to one: (V, V) in nats. No row may be all zeros.

    Only contexts that both have are looked at one by one: what JS takes from the others is known beforehand.
    """
    p = np.asarray(weights, dtype=np.float64)
    p = p / p.sum(axis=1, keepdims=True)
    V = len(p)
    overlap = np.zeros((V, V))
    for i, row in enumerate(p):
        met = row > 0
        a, b = row[met], p[:, met]  # (c,), (V, c)
        m = (a + b) / 2
        # What the contexts that i has lack of a divergence of ln 2: sum over a ln(2a / (a + b)) and b ln(2b / (a + b)).
        with np.errstate(divide="ignore", invalid="ignore"):
            of_b = np.where(b > 0, b * (np.log(2.0) - np.log(b / m)), 0.0)
        of_a = a * (np.log(2.0) - np.log(a / m))
        overlap[i] = np.where(b > 0, of_a + of_b, 0.0).sum(axis=1) / 2
    return np.maximum(np.log(2.0) - overlap, 0.0)


def sentence_divergence(
    language: SceneLanguage, contexts: int, rng: np.random.Generator, words_each: int = 4
) -> np.ndarray:
    """JS of the sentences in which two words of the language may stand: (V', V') over its regular tokens, in nats.

    A context is a sentence with one hole, all other words visible. p(context | word) is proportional to p(word |
    context) p(context): the exact posterior of a hole tells how often each word would be met there. `contexts` holes
    are drawn, and the sum over them is the only thing that is left to chance. words_each: that a sentence has at least.
    """
    vocabulary = language.vocabulary
    ids = language.sample(1 + contexts // words_each, rng).ids
    rows, places = np.nonzero(np.isin(ids, vocabulary.regular_ids))
    drawn = np.sort(rng.choice(len(rows), contexts, replace=False))
    holes = ids[rows[drawn]]
    holes[np.arange(contexts), places[drawn]] = vocabulary.mask_id
    posterior = language.posterior_at(holes, places[drawn, None])[:, 0]  # (contexts, V)
    return pairwise_divergence(posterior.T[vocabulary.regular_ids])
