"""What is drawn to measure the variance of the gradient, and how often."""

from dataclasses import dataclass
from itertools import pairwise

from mlm_mini.training.fields import check_range
from mlm_mini.training.masking import METHODS

OVER = ("masks", "data")
VARIANCE_RATIOS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
QUICK_RATIOS = (0.02, 0.05, 0.1, 0.15, 0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, kw_only=True)
class GradientVarianceConfig:
    """What is drawn, and how often.

    ratios: shares of the maskable tokens to predict, rising, above 0 and below 1.
    over: "masks", with one batch of text, or "data", with a fresh batch for each draw.
    method: "fixed", exactly k of the N tokens of the batch, or "bernoulli", each on its own.
    corruption: the share of the tokens that [MASK] hides; the predicted ones are drawn among them. None ties both: all
    hidden tokens are predicted. frozen: hide the same tokens in every draw, so that only the question varies.
    sentences: B. draws: n, for each ratio. per_token: also measure sigma^2 and rho, at up to twice the cost.
    Raises ValueError for a value out of range; the message names it.
    """

    ratios: tuple[float, ...] = VARIANCE_RATIOS
    over: str = "masks"
    method: str = "fixed"
    corruption: float | None = None
    frozen: bool = False
    sentences: int = 12
    draws: int = 100
    per_token: bool = False

    def __post_init__(self):
        object.__setattr__(self, "ratios", tuple(float(ratio) for ratio in self.ratios))
        for name, allowed in (("over", OVER), ("method", METHODS)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}: expected {' or '.join(map(repr, allowed))}")
        highest = 1.0 if self.corruption is None else self.corruption
        check_range(
            self, "a share above 0, up to 1, or None", lambda value: value is None or 0 < value <= 1, "corruption"
        )
        rising = "two or more, each larger than the one before"
        check_range(self, rising, lambda r: len(r) >= 2 and all(a < b for a, b in pairwise(r)), "ratios")
        within = f"shares above 0 and below {highest}, what is hidden"
        check_range(self, within, lambda r: r[0] > 0 and r[-1] < highest, "ratios")
        if self.frozen and (self.corruption is None or self.over == "data"):
            raise ValueError('frozen is True: it needs corruption, a share to hide, and over="masks", text that stays')
        if self.per_token and self.method != "fixed":
            raise ValueError('per_token is True: it needs method="fixed", so that every draw has a token')
        check_range(self, "at least 1", lambda value: value >= 1, "sentences")
        check_range(self, "at least 2", lambda value: value >= 2, "draws")
