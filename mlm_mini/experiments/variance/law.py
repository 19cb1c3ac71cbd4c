"""How far a law holds: the one rule of the course for it.

The law says that a figure, such as variance times mask ratio, is the same at every ratio. So the figure at each ratio
is divided by that at the first one. A quotient is *inside* where it lies within a factor that was fixed before anything
was measured, and *outside* where it lies beyond; either way nearly all of its resamples must agree, else that ratio is
undecided. From this follows the verdict:

- holds: inside at every ratio;
- holds up to a ratio of X: inside at three or more of the measured ratios, the first one included, and outside at a
  later one; X is the last of those up to which all are inside;
- does not hold as worded: outside at the second or third ratio;
- undecided: anything else.

Shape letters: R mask ratios, M resamples.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, SURE, UNDECIDED, Decision, Sampled

FACTOR = 1.25  # by which a quotient may miss 1 where a law is said to hold
FEWEST = 3  # ratios, the first one included, at which a law must be seen to hold


@dataclass(frozen=True)
class LawVerdict(Decision):
    """end: the last measured ratio for a law that holds, X for one that holds up to X, else 0."""

    end: float = 0.0


def decide_law(ratios: Sequence[float], relative: Sequence[Sampled], factor: float = FACTOR) -> LawVerdict:
    """The verdict of the rule above.

    ratios: (R,) rising, R at least 2. relative: R - 1 figures, the quotients from the second ratio on, with the same
    number of resamples each. What they share, such as the chance in the first ratio, is the same in the same resample.
    """
    value = np.array([figure.value for figure in relative])
    resampled = np.array([figure.resampled for figure in relative])  # (R - 1, M)
    inside, off = _inside(resampled, factor), _beyond(resampled, value, factor)
    outside = ~_inside(value, factor) & (off.mean(axis=1) >= SURE)
    first_out = int(outside.argmax()) if outside.any() else len(value)
    together = np.logical_and.accumulate(inside, axis=0)  # inside here and at all ratios before
    said = _in_words(ratios, _inside(value, factor))
    if first_out < min(FEWEST - 1, len(value)):
        return LawVerdict(FAILS, float(off[first_out].mean()), said)
    if first_out == len(value):
        sure = together[-1].mean()
        if sure >= SURE:
            return LawVerdict(HOLDS, float(sure), said, float(ratios[-1]))
    else:
        for m in range(first_out, FEWEST - 2, -1):  # the first m quotients are inside, and a later one is outside
            sure = (together[m - 1] & off[first_out]).mean()
            if sure >= SURE:
                word = _up_to(ratios[m])
                return LawVerdict(word, float(sure), word, float(ratios[m]))
    same = [_in_words(ratios, column) == said for column in inside.T]
    return LawVerdict(UNDECIDED, float(np.mean(same)), said)


def _inside(quotient: np.ndarray, factor: float) -> np.ndarray:
    return (1 / factor <= quotient) & (quotient <= factor)


def _beyond(resampled: np.ndarray, value: np.ndarray, factor: float) -> np.ndarray:
    """Which resamples miss 1 by more than the factor, to the side to which the measured value misses it: (R - 1, M).

    To that side alone: figures so noisy that they lie now far above and now far below would miss it nearly always.
    """
    return np.where(value[:, None] > 1, resampled > factor, resampled < 1 / factor)


def _in_words(ratios: Sequence[float], inside: np.ndarray) -> str:
    """What the rule would say, and of which ratio, if the quotients were known exactly. inside: (R - 1,) bool."""
    if inside.all():
        return HOLDS
    last = int((~inside).argmax())  # the number of the last ratio before one is outside
    return _up_to(ratios[last]) if last >= FEWEST - 1 else FAILS


def _up_to(ratio: float) -> str:
    return f"{HOLDS} up to a ratio of {ratio:.2g}"
