"""How many tokens a draw asks for: k of N, a fixed number or as the coins fall."""

import numpy as np
from scipy import stats

from mlm_mini.experiments.variance.config import GradientVarianceConfig


def inverse_counts(config: GradientVarianceConfig, N: int) -> np.ndarray:
    """(R, 2): E[1/k; k > 0] and P(k = 0) at each ratio of the config, for draws from N tokens."""
    share = np.array(config.ratios) / (config.corruption if config.frozen else 1.0)
    if config.method == "fixed":
        return np.column_stack([1 / np.floor(share * N + 0.5), np.zeros(len(share))])
    k = np.arange(1, N + 1)
    inverse = [(stats.binom.pmf(k, N, each) / k).sum() for each in share]
    return np.column_stack([inverse, stats.binom.pmf(0, N, share)])
