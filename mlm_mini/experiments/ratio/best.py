"""The best mask ratio of some that were run, with its interval over seeds.

Shape letters: R mask ratios, S seeds.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.lab.intervals import Estimate, geometric_interval, mean_interval


@dataclass(frozen=True)
class Best:
    """The best ratio of one column of the study.

    ratio: where the parabola through the lowest score of a seed and its neighbors, on log axes, is lowest; geometric
    mean over seeds, with its t interval. lowest: of the ratios that were run, the one with the lowest mean. as_good:
    those whose paired difference from it has an interval that holds 0 (or lies below). spread: how many nats the worst
    of `as_good` is above the lowest.
    """

    ratio: Estimate
    lowest: float
    as_good: tuple[float, ...]
    spread: float


def best_ratio(ratios: np.ndarray, scores: np.ndarray) -> Best:
    """The ratio with the lowest score. ratios: (R,) ascending; scores: (R, S), lower is better, S at least 2 seeds.

    Each seed has a lowest point of its own. The interval is Student's, on their logs: a bootstrap of five seeds would
    be too narrow.
    """
    mean = scores.mean(axis=1)
    lowest = int(mean.argmin())
    as_good = [i for i in range(len(ratios)) if i == lowest or mean_interval(scores[i] - scores[lowest]).low <= 0]
    return Best(
        geometric_interval(lowest_points(ratios, scores)),
        float(ratios[lowest]),
        tuple(float(ratios[i]) for i in as_good),
        float(mean[as_good].max() - mean[lowest]),
    )


def lowest_points(ratios: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The ratio at which each seed by itself is best: ratios (R,) ascending, scores (R, S) -> (S,)."""
    return np.array([lowest_point(np.asarray(ratios), of_one_seed) for of_one_seed in scores.T])


def lowest_point(ratios: np.ndarray, mean: np.ndarray) -> float:
    """Where a parabola through the lowest point and its neighbors, on log axes, is lowest; at an end, the end."""
    i = int(mean.argmin())
    if i in (0, len(ratios) - 1):
        return float(ratios[i])
    x, y = np.log(ratios[i - 1 : i + 2]), np.log(mean[i - 1 : i + 2])
    a, b, _ = np.polyfit(x - x[1], y, 2)
    if a <= 0:  # three points on a line
        return float(ratios[i])
    return float(np.exp(np.clip(x[1] - b / (2 * a), x[0], x[2])))
