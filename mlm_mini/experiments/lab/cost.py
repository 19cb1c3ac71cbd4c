"""What a training costs in operations, and what it had cost when its curve came down to a given gap."""

import math
from functools import cache

import numpy as np

from mlm_mini.languages import ExactLanguage
from mlm_mini.model import ModelConfig
from mlm_mini.training import Point


@cache
def mean_length(language: ExactLanguage, sentences: int = 4000) -> float:
    """The mean number of tokens of a sentence, [CLS] and [SEP] included, over a fixed sample."""
    ids = language.sample(sentences, np.random.default_rng(0)).ids
    return float((ids != language.vocabulary.pad_id).sum() / sentences)


def flops_at_ratio(shape: ModelConfig, language: ExactLanguage, mask_ratio: float) -> float:
    """Operations per token of the text for a training step that asks for this share of the words."""
    length = mean_length(language)
    return shape.training_flops_per_token(length, mask_ratio * (length - 2) / length)  # [CLS] and [SEP] are no words


def flops_spent(shape: ModelConfig, language: ExactLanguage, point: Point) -> float:
    """Operations of a training up to a point of its curve."""
    return shape.training_flops_per_token(mean_length(language), point.predictions / point.tokens) * point.tokens


def cost_to_reach(curve, target: float) -> float:
    """The cost at which a curve of (cost, gap) pairs, (n, 2), first is at or below the target; inf if it never is.

    Costs are steps, predictions or operations, rising from 0 or more. Between two points the logs go along a line. A
    gap is an estimate, and may come out at 0 or below: there every target has been reached, but nothing has a logarithm
    to interpolate by, so that the cost of that point counts, the first one known to be enough. So it does after cost 0.
    Raises ValueError for a target that is not above 0, and for a gap that is not a number.
    """
    costs, gaps = np.asarray(curve, dtype=np.float64).T
    if not target > 0:
        raise ValueError(f"target is {target}: expected a distance above 0")
    if np.isnan(gaps).any():
        raise ValueError(f"gap {int(np.isnan(gaps).argmax())} is NaN: expected numbers")
    below = np.flatnonzero(gaps <= target)
    if not below.size:
        return math.inf
    i = int(below[0])
    if i == 0 or gaps[i] <= 0 or costs[i - 1] <= 0:
        return float(costs[i])
    share = np.log(gaps[i - 1] / target) / np.log(gaps[i - 1] / gaps[i])
    return float(costs[i - 1] * (costs[i] / costs[i - 1]) ** share)
