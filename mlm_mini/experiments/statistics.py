"""Figures with their uncertainty. Every interval of the experiments is a 95% interval unless it says otherwise."""

from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95


class Estimate(NamedTuple):
    """A figure and the interval around it, all three in the unit of the figure."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.value == self.high:  # computed, not sampled
            return f"{self.value:.3g}"
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


def mean_interval(values, level: float = LEVEL) -> Estimate:
    """The mean of n independent values, with Student's t interval.

    values: (n,), one for each seed for example, n at least 2; for paired runs, their differences.
    Raises ValueError for fewer than two values, or one that is not finite.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) < 2:
        raise ValueError(f"values has shape {values.shape}: expected (n,) with n at least 2, for an interval")
    if not np.isfinite(values).all():
        raise ValueError(f"values has {values[~np.isfinite(values)][0]}: expected finite numbers")
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    margin = stats.t.ppf(0.5 + level / 2, len(values) - 1) * error
    return Estimate(float(mean), float(mean - margin), float(mean + margin))


def percentile_interval(value: float, resampled, level: float = LEVEL) -> Estimate:
    """`value`, with the interval that holds the middle `level` of its bootstrap replicates (Efron 1979).

    resampled: (R,) the same figure computed on R resamples.
    """
    low, high = np.quantile(np.asarray(resampled), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(low), float(high))
