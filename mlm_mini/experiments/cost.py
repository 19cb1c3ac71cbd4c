"""What a training costs, and what it cost until a curve had come somewhere."""

import math
from functools import cache

import numpy as np

from mlm_mini.languages import ExactLanguage


@cache
def mean_length(language: ExactLanguage, sentences: int = 4000) -> float:
    """The mean number of tokens of a sentence, [CLS] and [SEP] included, over a fixed sample."""
    ids = language.sample(sentences, np.random.default_rng(0)).ids
    return float((ids != language.vocabulary.pad_id).sum() / sentences)


def cost_to_reach(curve: np.ndarray, target: float) -> float:
    """The cost at which a curve of (cost, gap) pairs, (n, 2), first is at or below the target; inf if it never is.

    Costs are steps, predictions or operations. Between two points the logs go along a line.
    """
    costs, gaps = np.asarray(curve, dtype=np.float64).T
    below = np.flatnonzero(gaps <= target)
    if not below.size:
        return math.inf
    i = int(below[0])
    if i == 0:
        return float(costs[0])
    share = np.log(gaps[i - 1] / target) / np.log(gaps[i - 1] / gaps[i])
    return float(costs[i - 1] * (costs[i] / costs[i - 1]) ** share)
