"""The result of the study of few masks: how much slower they make a training, and how much less steady."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini.experiments.lab.cost import cost_to_reach
from mlm_mini.experiments.lab.intervals import Estimate, mean_interval
from mlm_mini.experiments.lab.rates import RateTrial, best_rates
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.lab.verdicts import Sampled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEW, USUAL = 0.01, 0.15  # of the words; each training is judged at the usual ratio
FRACTIONS = (32, 16, 8, 4, 2, 1)  # trainings of a 32nd of the steps ... a half, and all of them
HURRIED = "hurried"  # few masks at the rate that suits the usual ratio
ARM_NAMES = {
    FEW: f"{FEW:.0%}, at its own rate",
    USUAL: f"{USUAL:.0%}",
    HURRIED: f"{FEW:.0%}, at the rate of {USUAL:.0%}",
}


@dataclass(frozen=True)
class FewMasksCell:
    """One tiny model to train on scenes, with the whole schedule. looks: so often its gap is measured on the way."""

    mask_ratio: float
    steps: int
    seed: int
    learning_rate: float
    looks: int

    @property
    def arm(self) -> str:
        """The mask ratio: it keeps the rate that is best for the longest training."""
        return f"{self.mask_ratio:g}"

    @property
    def name(self) -> str:
        return f"{self.arm}-{self.steps}-rate{self.learning_rate:g}-seed{self.seed}"


@dataclass(frozen=True)
class FewMasksConfig:
    """steps: of the longest trainings. seeds: 0, 1 ... so many of each. rates: among which each ratio chooses."""

    steps: int = 960
    seeds: int = 5
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)

    @property
    def lengths(self) -> list[int]:
        """The steps of the trainings, the longest last."""
        return [max(1, self.steps // part) for part in FRACTIONS]


@dataclass(frozen=True)
class FewMasksScore:
    """gaps: to the floor at the usual ratio, in nats, at each look; the last is at the end. error: of the last."""

    cell: FewMasksCell
    gaps: np.ndarray
    error: float


@dataclass(frozen=True)
class FewMasks(Result):
    """Of trainings with few masks, beside the usual ratio. tried: the rates; runs: those at the chosen rates, and few
    masks at the rate of the usual ratio. Intervals are Student's, 95% over training seeds."""

    config: FewMasksConfig
    tried: tuple[RateTrial, ...]
    runs: tuple[FewMasksScore, ...]

    @property
    def arms(self) -> tuple[float | str, ...]:
        """Both ratios; and few masks at the rate of the usual ratio, where their own is another."""
        return (FEW, USUAL) if self.rate(FEW) == self.rate(USUAL) else (FEW, USUAL, HURRIED)

    def rate(self, arm: float | str) -> float:
        """The rate that an arm learns at: the best with the seed that chooses."""
        return best_rates(self.tried)[f"{USUAL if arm == HURRIED else arm:g}"]

    def ends(self, ratio: float) -> np.ndarray:
        """(S, L): where the trainings of each seed end, in nats above the floor, for each length."""
        return np.array([[run.gaps[-1] for run in self._of(ratio, steps)] for steps in self.config.lengths]).T

    @cached_property
    def target(self) -> np.ndarray:
        """(S,): the distance from the floor at which steps are compared, in nats.

        A tenth above what both ratios came to: the larger of their smallest gaps, and not below their errors.
        """
        errors = {ratio: np.array([run.error for run in self._of(ratio, self.config.steps)]) for ratio in (FEW, USUAL)}
        return 1.1 * np.maximum(*(np.maximum(self.ends(ratio).min(axis=1), errors[ratio]) for ratio in (FEW, USUAL)))

    @cached_property
    def steps(self) -> Sampled:
        """How many times as many steps are needed with few masks, to end at the target."""
        few, usual = (
            [
                cost_to_reach(np.column_stack([self.config.lengths, gaps]), target)
                for gaps, target in zip(self.ends(ratio), self.target, strict=True)
            ]
            for ratio in (FEW, USUAL)
        )
        return Sampled.factor(np.divide(few, usual))

    def shares(self, arm: float | str) -> np.ndarray:
        """(S,): the share of its way that the longest training of each seed gives back. arm: one of `arms`."""
        return np.array([share_given_back(run.gaps) for run in self._of(arm, self.config.steps)])

    def given_back(self, arm: float | str) -> Sampled:
        """The share that an arm gives back, less that of the usual ratio."""
        return Sampled.mean(self.shares(arm) - self.shares(USUAL))

    def at_edge(self, ratio: float) -> bool:
        """Whether the best rate is the lowest or the highest that was tried, so that another might be better still."""
        return self.rate(ratio) in (min(self.config.rates), max(self.config.rates))

    def table(self) -> str:
        tried = {ratio: [t for t in self.tried if t.arm == f"{ratio:g}"] for ratio in (FEW, USUAL)}
        lines = [f"nats above the floor after {self.config.steps} steps, by learning rate (one seed)"]
        lines += [f"{r:4.0%}  " + "  ".join(f"{t.learning_rate:g}: {t.nats:.2f}" for t in tried[r]) for r in tried]
        lines += ["share of the way that is given back (95%, over seeds)"]
        lines += [f"{ARM_NAMES[arm]:25}{in_percent(mean_interval(self.shares(arm)))}" for arm in self.arms]
        lines += [
            f"steps for one at {USUAL:.0%}, to end {self.target.mean():.2f} nats above the floor: {self.steps.estimate}"
        ]
        return "\n".join(lines)

    def plot(self) -> Figure:
        from mlm_mini import figures

        figure, (left, right) = figures.new_figure(9, 3.4, columns=2)
        looks = {FEW: (figures.RED, "s", "--"), USUAL: (figures.BLUE, "o", "-"), HURRIED: (figures.ORANGE, "^", ":")}
        for ratio in (FEW, USUAL):
            color, marker, style = looks[ratio]
            value, low, high = np.array([mean_interval(gaps) for gaps in self.ends(ratio).T]).T
            bars = np.maximum((value - low, high - value), 0)
            left.errorbar(
                self.config.lengths, value, bars, color=color, marker=marker, linestyle=style, label=ARM_NAMES[ratio]
            )
        left.axhline(self.target.mean(), color=figures.BLACK, linewidth=0.8, linestyle=":")
        left.set(xscale="log", xlabel="steps of the training", ylabel="nats above the floor at the end")
        left.set_xticks(self.config.lengths, [str(n) for n in self.config.lengths])
        left.set_xticks([], minor=True)
        left.set_title(f"{FEW:.0%} takes {self.steps.estimate} steps for one")
        left.legend()
        for arm in self.arms:
            color, marker, style = looks[arm]
            gaps = np.mean([run.gaps for run in self._of(arm, self.config.steps)], axis=0)
            x = np.linspace(0, self.config.steps, len(gaps) + 1)[1:]
            right.plot(x, gaps, color=color, marker=marker, markersize=3, linestyle=style, label=ARM_NAMES[arm])
        right.set(xlabel="step", ylabel="nats above the floor, mean of the seeds")
        right.legend()
        more = self.given_back(HURRIED if HURRIED in self.arms else FEW)
        right.set_title(f"{FEW:.0%} gives back {in_percent(more.estimate, '+')}")
        return figure

    def describe(self) -> str:
        ends = "; ".join(
            f"{ARM_NAMES[ratio]}: "
            + ", ".join(f"{gap:.2f} after {n}" for n, gap in zip(self.config.lengths, means, strict=True))
            for ratio in (FEW, USUAL)
            for means in [self.ends(ratio).mean(axis=0)]
        )
        back = "; ".join(f"{ARM_NAMES[arm]}: {in_percent(mean_interval(self.shares(arm)))}" for arm in self.arms)
        return (
            f"Left, where trainings of several lengths end, in nats above the floor, means of seeds. {ends}. To the "
            f"dotted line {FEW:.0%} takes {self.steps.estimate} steps for one. Right, the longest trainings on their "
            f"way; the share of it that is given back: {back}."
        )

    def _of(self, arm: float | str, steps: int) -> list[FewMasksScore]:
        """The runs of an arm and a length, in the order of their seeds."""
        ratio = FEW if arm == HURRIED else arm
        wanted = ratio, steps, self.rate(arm)
        found = [run for run in self.runs if (run.cell.mask_ratio, run.cell.steps, run.cell.learning_rate) == wanted]
        return sorted(found, key=lambda run: run.cell.seed)


def in_percent(share: Estimate, sign: str = "") -> str:
    """A share with its interval, in percent."""
    value, low, high = share
    return f"{value:{sign}.1%} ({low:{sign}.1%} to {high:{sign}.1%})"


def share_given_back(gaps: Sequence[float]) -> float:
    """The sum of all rises over the sum of all falls, of gaps in the order of the looks; inf where nothing falls."""
    moves = np.diff(np.asarray(gaps, dtype=np.float64))
    falls = -moves[moves < 0].sum()
    return float(moves[moves > 0].sum() / falls) if falls > 0 else float("inf")
