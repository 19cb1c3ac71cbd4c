"""Figures with their uncertainty. Every interval of the experiments is a 95% interval unless it says otherwise."""

from typing import NamedTuple, Self

import numpy as np
from scipy import stats

LEVEL = 0.95


class Estimate(NamedTuple):
    """A figure and the interval around it, all three in the unit of the figure."""

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Self:
        """Of a figure that is computed and not sampled."""
        return cls(float(value), float(value), float(value))

    def rounded(self, digits: int) -> list[float]:
        """Value, low and high, as JSON has them."""
        return [round(x, digits) for x in self]

    def with_margin(self, sign: str = "") -> str:
        """Value and half of a symmetric interval. sign: "+" to have it in front of a positive value too."""
        return f"{self.value:{sign}.3f} ± {self.high - self.value:.3f}"

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


def geometric_interval(values) -> Estimate:
    """The geometric mean of n independent positive values, such as ratios of paired runs: `mean_interval` of the logs.

    Raises what `mean_interval` raises; the log of 0 is not finite.
    """
    return Estimate(*np.exp(mean_interval(np.log(values))).tolist())


def percentile_interval(value: float, resampled, level: float = LEVEL) -> Estimate:
    """`value`, with the interval that holds the middle `level` of its bootstrap replicates (Efron 1979).

    resampled: (R,) the same figure computed on R resamples.
    """
    low, high = np.quantile(np.asarray(resampled), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(float(value), float(low), float(high))


def share_interval(truths) -> Estimate:
    """The share of n independent truths, (n,) bool, with Wilson's interval, which has a width at 0 and 1 too and stays
    within them (Wilson 1927)."""
    n, z, share = len(truths), stats.norm.ppf(0.5 + LEVEL / 2), float(np.mean(truths))
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    margin = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return Estimate(share, min(share, float(middle - margin)), max(share, float(middle + margin)))


def paired_difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """one - other, of figures of seeds 0, 1 ..., over the seeds that both have: (S,) and (S',) give the shorter."""
    shared = min(len(one), len(other))
    return one[:shared] - other[:shared]
