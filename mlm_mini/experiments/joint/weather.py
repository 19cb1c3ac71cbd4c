"""A small chain that every conditional can be listed of: a week and a day of weather, one word a day."""

from functools import cache

import numpy as np

from mlm_mini.languages import MarkovLanguage

WEATHER = ["sun", "cloud", "rain", "storm", "snow", "fog"]
DAYS = 8
WEATHER_SEED = 1401


@cache
def weather_language() -> MarkovLanguage:
    """A first-order chain of six words in which any may follow any, so that no conditional is zero: a fifth of each
    row is even, the rest drawn once."""
    K = len(WEATHER)
    transition = 0.8 * np.random.default_rng(WEATHER_SEED).dirichlet(np.full(K, 0.4), K) + 0.2 / K
    return MarkovLanguage(WEATHER, transition, sentence_length=DAYS)
