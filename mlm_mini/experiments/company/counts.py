"""How often two words stand near each other: counted in text, and expected exactly where the language is known.

Shape letters: B sentences, T positions, V tokens, S scenes, D word distributions.
"""

import numpy as np

from mlm_mini.languages import SceneLanguage


def cooccurrence(ids, special_ids, V: int, window: int) -> np.ndarray:
    """How often token j stands at most `window` positions from token i, on either side: int64 (V, V), symmetric.

    ids: (B, T), a sentence in each row, so that no pair crosses from one to the next. special_ids: tokens that are
    nobody's company; they keep their places. A pair of equal words counts twice, once from each of its ends.
    """
    ids = np.asarray(ids)
    word = ~np.isin(ids, special_ids)
    counts = np.zeros(V * V, dtype=np.int64)
    for distance in range(1, window + 1):
        left, right = ids[:, :-distance], ids[:, distance:]
        both = word[:, :-distance] & word[:, distance:]
        counts += np.bincount(left[both] * V + right[both], minlength=V * V)
    counts = counts.reshape(V, V)
    return counts + counts.T


def expected_cooccurrence(language: SceneLanguage, window: int) -> np.ndarray:
    """What `cooccurrence` counts in a sentence of the language on average, exactly: (V, V).

    Given the scene, words are independent: each pair of places adds the product of its two word distributions. The sum
    over scenes is taken for pairs of distributions first, of which there are far fewer than pairs of words.
    """
    slots, D = language.slot_distribution, len(language.distributions)
    together = np.zeros(D * D)
    for distance in range(1, window + 1):
        left, right = slots[:, :-distance], slots[:, distance:]
        weight = np.broadcast_to(language.prior[:, None], left.shape)
        together += np.bincount((left * D + right).ravel(), weight.ravel(), minlength=D * D)
    words = language.distributions.copy()
    words[:, language.vocabulary.special_ids] = 0.0
    counts = words.T @ together.reshape(D, D) @ words
    return counts + counts.T
