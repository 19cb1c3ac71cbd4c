"""What a mask ratio costs and what it buys, as two curves: the Bayes floor, and the noise of the gradient."""

import functools
from dataclasses import dataclass, replace

import numpy as np

from mlm_mini.experiments.lab.intervals import Estimate
from mlm_mini.experiments.variance.measure import quick_gradient_variance
from mlm_mini.experiments.variance.result import GradientVariance
from mlm_mini.languages import scene_language

FLOOR_RATIOS = (0.02, 0.05, 0.1, 0.15, 0.3, 0.5, 0.7, 0.8, 0.9)
# For the floor at a ratio: 600 over the ratio, since a small one asks for few words of each; 3,000 at least.
FEWEST_SENTENCES, SENTENCES = 3000, 600
SEED_OF_CURVES = 0


@dataclass(frozen=True)
class MaskingCurves:
    """The Bayes floor and the variance of the gradient at any mask ratio.

    ratios: (G,) mask ratios, rising. floor, floor_error: (G,) the Bayes floor at each, in nats per predicted token, and
    its standard error. variance: that of the gradient, hidden tokens and predicted ones being the same.
    Raises ValueError where the shapes differ, or for a variance of another kind, that has no curve to point at.
    """

    ratios: np.ndarray
    floor: np.ndarray
    floor_error: np.ndarray
    variance: GradientVariance

    def __post_init__(self):
        if len(self.ratios) < 2 or not np.shape(self.ratios) == np.shape(self.floor) == np.shape(self.floor_error):
            shapes = ", ".join(str(np.shape(part)) for part in (self.ratios, self.floor, self.floor_error))
            raise ValueError(
                f"ratios, floor and floor_error have shapes {shapes}: expected the same, (G,), G at least 2"
            )
        config = self.variance.config
        if config.method != "fixed" or config.corruption is not None:
            raise ValueError(
                f"variance has method {config.method!r} and corruption {config.corruption}: "
                'expected "fixed" and None, a number of tokens that are hidden and predicted'
            )

    def floor_at(self, ratio: float) -> float:
        """The floor, on a straight line between the two nearest ratios."""
        return float(np.interp(ratio, self.ratios, self.floor))

    def predictions_at(self, ratio: float) -> int:
        """How many of the tokens of a batch a ratio asks for: at least one, and not all."""
        return int(np.clip(np.floor(ratio * self.variance.tokens + 0.5), 1, len(self.law[0])))

    def noise_at(self, ratio: float) -> float:
        """The predicted variance at a ratio, in nats^2."""
        return float(self.law[1][self.predictions_at(ratio) - 1])

    @functools.cached_property
    def law(self) -> tuple[np.ndarray, np.ndarray]:
        """The predicted variance at every number of predictions k = 1, 2, ...: the ratios k / N, and nats^2."""
        ratios = np.arange(1, np.ceil(self.variance.tokens)) / self.variance.tokens
        config = replace(self.variance.config, ratios=tuple(ratios))
        # A draw of a fixed number is never empty, so that the agreements, unknown at these ratios, do not count.
        return ratios, replace(self.variance, config=config, agreements=np.zeros((len(ratios), 1))).predicted

    def nearest(self, ratio: float) -> tuple[float, Estimate]:
        """The measured ratio that lies nearest, as a factor, and the variance that was measured there."""
        i = int(np.abs(np.log(self.variance.ratios / ratio)).argmin())
        return float(self.variance.ratios[i]), self.measured[i]

    @functools.cached_property
    def measured(self) -> tuple[Estimate, ...]:
        """The measured variance at each ratio of `variance`."""
        return self.variance.variance


@functools.cache
def quick_curves() -> MaskingCurves:
    """The curves of the scene language, made in a few seconds when they are first asked for, and then kept.

    The floor is exact at each blank and averaged over sentences and masks: its standard error is near 0.015 nats.
    """
    floor, error = [], []
    for ratio in FLOOR_RATIOS:
        sentences = max(FEWEST_SENTENCES, round(SENTENCES / ratio))
        found = scene_language().bayes_floor(ratio, np.random.default_rng(SEED_OF_CURVES), sentences)
        floor.append(found.mean)
        error.append(found.standard_error)
    variance = quick_gradient_variance(np.random.default_rng(SEED_OF_CURVES))
    return MaskingCurves(np.array(FLOOR_RATIOS), np.array(floor), np.array(error), variance)
