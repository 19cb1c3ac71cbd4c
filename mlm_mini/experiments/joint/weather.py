"""A small chain that every conditional can be listed of: a week and a day of weather, one word a day."""

from functools import cache

import numpy as np

from mlm_mini.languages import MarkovLanguage

WORDS = ["sun", "cloud", "rain", "storm", "snow", "fog"]
DAYS = 8
SEED = 1401


@cache
def weather_language() -> MarkovLanguage:
    """A first-order chain of six words in which any may follow any, so that no conditional is zero: a fifth of each
    row is even, the rest drawn once."""
    K = len(WORDS)
    transition = 0.8 * np.random.default_rng(SEED).dirichlet(np.full(K, 0.4), K) + 0.2 / K
    return MarkovLanguage(WORDS, transition, sentence_length=DAYS)
