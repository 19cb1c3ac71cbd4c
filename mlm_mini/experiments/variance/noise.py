"""What noise costs in steps, by a model of training: McCandlish, Kaplan, Amodei and others 2018.

The loss is taken for a quadratic bowl, equally curved in all directions in which the gradient scatters, and each step
goes down the gradient by the length that is best for its noise; no momentum, no Adam. Then a step makes 1 / (1 + B) of
the progress of a step without noise, B being the noise scale. So a recipe with little noise needs (1 + B') / (1 + B) as
many steps as one with much.
"""

import numpy as np

from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.experiments.variance.result import GradientVariance


def steps_for_one(result: GradientVariance, batches: float) -> Sampled:
    """How many steps at the first ratio of a result do the work of one at its last, by the model above.

    batches: of how many of the measured batches a step of training consists; noise falls by as much. The signal, hard
    to tell from noise at a small ratio, is taken from the last one for both, as if the two pointed the same way.
    """
    signal, resampled = result.signal
    signal = np.append(signal[-1], resampled[-1]).clip(min=0)
    noise = result.noise / batches
    steps = (signal + noise[0]) / (signal + noise[-1])
    return Sampled.bootstrap(steps[0], steps[1:])
