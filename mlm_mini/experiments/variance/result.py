"""The noise of the gradient against the mask ratio: what was measured, and what may be concluded from it.

The law that is put to the test is in `variance.measure`. Gradients g are of nats with respect to weights, so that a
variance has the unit nats^2.

Shape letters: n draws, N maskable tokens of a batch, k predicted tokens of a draw, R mask ratios.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from mlm_mini import figures
from mlm_mini.experiments.lab.intervals import Estimate, percentile_interval
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.lab.verdicts import RESAMPLING_SEED, Sampled
from mlm_mini.experiments.variance.config import GradientVarianceConfig
from mlm_mini.experiments.variance.counts import inverse_counts
from mlm_mini.experiments.variance.law import FACTOR, LawVerdict, decide_law

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AGAINST = ("ratio", "odds")
DRAW_RESAMPLES = 1000


@dataclass(frozen=True)
class GradientVariance(Result):
    """The noise of the gradient at each mask ratio.

    name: of what was measured, such as "scenes, trained". tokens: N, or its mean over batches.
    predictions: (R,) mean k. empty: (R,) the share of draws that asked for nothing; their gradient is 0.
    deviations: (R, n), n/(n-1) |g_d - mean g|^2, whose mean over the draws d estimates tr Cov(g) without bias.
    agreements: (R, n), the mean inner product of g_d with the other draws; their mean estimates |E g|^2 without bias.
    token_deviations: (R, n), as deviations, for single tokens of each draw; their mean estimates sigma^2. Or None.
    spread: the variance of the gradient of a token that is hidden and asked for alone: with text fixed S^2 of all N
    tokens, no draw involved; over data sigma^2, from n draws. For what is hidden frozen, S^2 of the hidden tokens.
    """

    config: GradientVarianceConfig
    name: str
    tokens: float
    predictions: np.ndarray
    empty: np.ndarray
    deviations: np.ndarray
    agreements: np.ndarray
    token_deviations: np.ndarray | None
    spread: float

    # ---- figures

    @property
    def ratios(self) -> np.ndarray:
        """(R,) the share of the tokens that was predicted, k / N: as near to the config's as whole numbers come."""
        return self.predictions / self.tokens

    @property
    def variance(self) -> tuple[Estimate, ...]:
        """tr Cov(g) at each ratio, in nats^2, with its bootstrap interval over draws."""
        return tuple(map(percentile_interval, self.noise[:, 0], self.noise[:, 1:]))

    @cached_property
    def noise(self) -> np.ndarray:
        """tr Cov(g) at each ratio and, behind it, resampled: (R, 1 + DRAW_RESAMPLES)."""
        return np.column_stack([self.deviations.mean(axis=1), self._resampled(self.deviations)])

    @property
    def predicted(self) -> np.ndarray:
        """(R,) what tr Cov(g) would be if a token's gradient did not depend on which others are hidden and, over data,
        no two were correlated: over masks S^2 (1/k - 1/N), over data sigma^2 / k, both from `spread`.

        Where k varies it is the mean of that over k. Draws without a label, a share p, have gradient 0. If the others
        have the mean m, then E g = (1 - p) m, and the empty draws add p (1 - p) |m|^2 = p / (1 - p) |E g|^2.
        """
        inverse, empty = self._inverse_counts.T
        if self.config.over == "masks":
            inverse = inverse - (1 - empty) / self._population
        return self.spread * inverse + empty / (1 - empty) * self.agreements.mean(axis=1).clip(min=0)

    @property
    def step_lost(self) -> np.ndarray:
        """(R,) the probability p that a draw has no label, for batches of N tokens; 0 for a fixed number.

        Such draws make the mean gradient shorter, by a factor of 1 - p, and the noise with it. At equal signal, that of
        g / (1 - p), the variance is 1 / (1 - p)^2 times as large.
        """
        return self._inverse_counts[:, 1]

    @property
    def noise_scale(self) -> tuple[Estimate, ...]:
        """tr Cov(g) / |E g|^2 (McCandlish et al. 2018): how many such batches make noise and signal equal.

        Times k or N it is a number of predicted or read tokens. Infinite where the signal is lost in the noise.
        """
        signal, resampled = self.signal
        noise, resampled_noise = self.noise[:, 0], self.noise[:, 1:]
        per_noise = map(percentile_interval, signal.clip(min=0) / noise, resampled.clip(min=0) / resampled_noise)
        with np.errstate(divide="ignore"):
            return tuple(Estimate(*(float(1 / np.float64(x)) for x in (e.value, e.high, e.low))) for e in per_noise)

    @property
    def signal(self) -> tuple[np.ndarray, np.ndarray]:
        """|E g|^2 at each ratio, (R,), and resampled, (R, DRAW_RESAMPLES); an estimate may fall below zero."""
        signal = self.agreements.mean(axis=1)  # each draw enters it twice, on either side of the inner product
        return signal, 2 * self._resampled(self.agreements) - signal[:, None]

    @property
    def token_variance(self) -> tuple[Estimate, ...]:
        """sigma^2 at each ratio: the variance of the gradient of one predicted token, in nats^2."""
        return tuple(map(percentile_interval, self._token().mean(axis=1), self._resampled(self._token())))

    @property
    def design_effect(self) -> tuple[Estimate, ...]:
        """1 + (k - 1) rho at each ratio: what correlation multiplies the variance by, since it is sigma^2 / k without.

        1 for independent gradients; 1 - (k - 1) / (N - 1) for drawing without replacement from text that stays.
        """
        return tuple(map(percentile_interval, self._effects[:, 0], self._effects[:, 1:]))

    @property
    def correlation(self) -> tuple[Estimate, ...]:
        """rho at each ratio, the mean correlation of the gradients of two tokens of a draw, NaN where k is 1.

        The cosine of their deviations from the mean, weighted by length: from tr Cov(g) = sigma^2 (1 + (k-1) rho) / k.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            rho = (self._effects - 1) / (self.predictions[:, None] - 1)
        return tuple(map(percentile_interval, rho[:, 0], rho[:, 1:]))

    # ---- is it proportional?

    def scaled(self, against: str = "ratio") -> tuple[Estimate, ...]:
        """The variance times the ratio ("ratio"), or times ratio / (1 - ratio) ("odds"): flat where the law holds.

        At equal signal: see `step_lost`.
        """
        scale = self._scale(against)
        return tuple(
            Estimate(*(value * x for value in estimate)) for estimate, x in zip(self.variance, scale, strict=True)
        )

    def slope(self, against: str = "ratio", low: float = 0.0, high: float = 1.0) -> Sampled:
        """Of the least-squares line of log variance on log ratio, or on log (ratio / (1 - ratio)), from low to high.

        -1 where the variance is inversely proportional. The interval is from the bootstrap over draws.
        """
        chosen = self._chosen(low, high)
        share = self._share(against)[chosen]
        x = np.log(share) - np.log(share).mean()
        # At equal signal, as the scaled variances are; with a fixed number the second factor is 1.
        slopes = x @ np.log(self.noise[chosen] * (self._scale(against)[chosen] / share)[:, None]) / (x @ x)
        return Sampled.bootstrap(slopes[0], slopes[1:])

    def chance_of_scatter(self, against: str = "ratio", low: float = 0.0, high: float = 1.0) -> float:
        """The probability of a scatter this large, if variance times ratio (or odds) were constant from low to high.

        A chi-square test on the logs of the scaled variances, each with its bootstrap error: below 0.05 they differ by
        more than their errors explain.
        """
        chosen = self._chosen(low, high)
        logs = np.log(self.noise[:, 0] * self._scale(against))[chosen]
        weights = 1 / np.log(self.noise[chosen, 1:]).var(axis=1)
        scatter = (weights * (logs - np.average(logs, weights=weights)) ** 2).sum()
        return float(stats.chi2.sf(scatter, chosen.sum() - 1))

    def relative(self, against: str = "ratio", low: float = 0.0) -> tuple[Sampled, ...]:
        """The scaled variance at each ratio from low on, over that at the first of them; from the second ratio on."""
        chosen = self._chosen(low, 1.0)
        scaled = (self.noise * self._scale(against)[:, None])[chosen]
        quotients = scaled[1:] / scaled[0]
        return tuple(Sampled.bootstrap(row[0], row[1:]) for row in quotients)

    def verdict(self, against: str = "ratio", low: float = 0.0, factor: float = FACTOR) -> LawVerdict:
        """Is the scaled variance the same at every ratio from low on? By the rule of `variance.law`."""
        return decide_law(self.ratios[self._chosen(low, 1.0)], self.relative(against, low), factor)

    # ---- views

    def table(self) -> str:
        head = f"{self.name}: {self.config.draws} draws at each ratio, {self.tokens:.0f} tokens"
        lines = [head, f"{'ratio':>6}{'k':>7}{'variance':>32}{'predicted':>11}{'noise scale':>32}"]
        columns = self.ratios, self.predictions, self.variance, self.predicted, self.noise_scale
        lines += [f"{r:6.3f}{k:7.1f}{v!s:>32}{p:11.3g}{n!s:>32}" for r, k, v, p, n in zip(*columns, strict=True)]
        return "\n".join([*lines, f"inversely proportional: {self.verdict()}"])

    def plot(self) -> Figure:
        """Measured variances with their intervals and, dashed, what `predicted` says; both axes logarithmic."""
        figure, (ax,) = figures.new_figure(7, 3.6)
        value, low, high = np.array(self.variance).T
        bars = (value - low, high - value)
        ax.errorbar(self.ratios, value, bars, color=figures.BLUE, marker="o", label=self.name)
        ax.plot(self.ratios, self.predicted, color=figures.BLUE, linestyle="--", linewidth=1)
        ax.set(xscale="log", yscale="log", xlabel="mask ratio", ylabel="tr Cov of the gradient (nats²)")
        ax.set_title(self.finding())
        ax.legend()
        return figure

    def finding(self) -> str:
        return f"Log-log slope {self.slope().value:.2f}; inversely proportional: {self.verdict()}"

    def describe(self) -> str:
        slope, first, last = self.slope(), self.variance[0], self.variance[-1]
        return (
            f"{self.name}: variance of the gradient against the mask ratio, both axes logarithmic, from "
            f"{first.value:.2g} at {self.ratios[0]:.2g} to {last.value:.2g} at {self.ratios[-1]:.2g}. "
            f"Slope {slope.value:.2f}, interval {slope.low:.2f} to {slope.high:.2f}. "
            f"Inversely proportional to the ratio: {self.verdict()}."
        )

    def _resampled(self, values: np.ndarray) -> np.ndarray:
        """Means of values (R, n) over resampled draws, the same ones at every call: (R, DRAW_RESAMPLES)."""
        R, n = values.shape
        chosen = np.random.default_rng(RESAMPLING_SEED).integers(n, size=(R, DRAW_RESAMPLES, n))
        return np.stack([row[draws].mean(axis=1) for row, draws in zip(values, chosen, strict=True)])

    @property
    def _effects(self) -> np.ndarray:
        """The design effect, as `noise`: what the draws above and below the line have in common cancels."""
        token = np.column_stack([self._token().mean(axis=1), self._resampled(self._token())])
        return self.predictions[:, None] * self.noise / token

    def _token(self) -> np.ndarray:
        if self.token_deviations is None:
            raise ValueError("per_token is False in this result's config: measure with per_token=True for this figure")
        return self.token_deviations

    @property
    def _population(self) -> float:
        """How many tokens a draw selects from."""
        return np.floor(self.config.corruption * self.tokens + 0.5) if self.config.frozen else self.tokens

    @property
    def _inverse_counts(self) -> np.ndarray:
        return inverse_counts(self.config, round(self._population))

    def _share(self, against: str) -> np.ndarray:
        if against not in AGAINST:
            raise ValueError(f"against is {against!r}: expected {' or '.join(map(repr, AGAINST))}")
        share = self.predictions / self._population
        return self.ratios if against == "ratio" else share / (1 - share)

    def _scale(self, against: str) -> np.ndarray:
        """By what a variance is multiplied; with the second factor it is that at equal signal, see `step_lost`."""
        return self._share(against) / (1 - self.step_lost) ** 2

    def _chosen(self, low: float, high: float) -> np.ndarray:
        chosen = (self.ratios >= low) & (self.ratios <= high)
        if chosen.sum() < 2:
            raise ValueError(f"from {low} to {high} lie {chosen.sum()} of the measured ratios: expected two or more")
        return chosen
