"""What the study of mask ratios found, and how to read it.

Shape letters: R mask ratios, S seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini.experiments.lab.cost import cost_to_reach
from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.experiments.lab.rates import RateTrial
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.ratio.best import Best, best_ratio
from mlm_mini.experiments.ratio.config import SCORED_AT, MaskRatioConfig, RatioCell
from mlm_mini.experiments.ratio.figure import mark_ratios, plot_ratios
from mlm_mini.languages.checks import ALL_MASK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class RatioScore:
    """What one model came to.

    kl, kl_error: KL(exact, model) in nats per blank at each of SCORED_AT, and its standard error over the sentences of
    the questions. probe_accuracy, copy_nats: see `CleanText`. flops, tokens, predictions: spent in training.
    curve: pairs of step and gap to the Bayes floor in nats. cpu_seconds: on the machine that ran it.
    """

    cell: RatioCell
    kl: tuple[float, ...]
    kl_error: tuple[float, ...]
    probe_accuracy: float
    copy_nats: float
    flops: float
    tokens: int
    predictions: int
    curve: tuple[tuple[float, ...], ...]
    cpu_seconds: float


@dataclass(frozen=True)
class MaskRatio(Result):
    """The study. config: which cells. scores: one for each. floor: for each of config.ratios, the Bayes floor and its
    standard error, in nats per masked token. tried: the rates from which each arm's was chosen."""

    config: MaskRatioConfig
    scores: tuple[RatioScore, ...]
    floor: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    tried: tuple[RateTrial, ...] = ()

    def of(self, size: str, steps: int | None = None, **fields) -> np.ndarray:
        """Scores (S,) of one cell, one for each seed, as objects.

        fields: of the RatioCell, where they differ from its own defaults. Raises ValueError when there is none.
        """
        wanted = {"size": size, "prediction_ratio": None, "split": ALL_MASK, "budget": "steps"} | fields
        if steps is not None:
            wanted["steps"] = steps
        found = [s for s in self.scores if all(getattr(s.cell, name) == value for name, value in wanted.items())]
        if not found:
            raise ValueError(f"the study has no cell with {wanted}")
        return np.array(sorted(found, key=lambda score: score.cell.seed), dtype=object)

    def values(self, figure: str, size: str, steps: int | None = None, at: int = 0, **fields) -> np.ndarray:
        """One figure of one cell, (S,): a field of RatioScore by name, "kl" being that at SCORED_AT[at]."""
        found = [getattr(score, figure) for score in self.of(size, steps, **fields)]
        return np.array([value[at] if isinstance(value, tuple) else value for value in found])

    def kl(self, size: str, steps: int | None = None, at: int = 0, **fields) -> np.ndarray:
        """KL(exact, model) in nats at SCORED_AT[at], over ratios and seeds: (R, S)."""
        return np.array([self.values("kl", size, steps, at, mask_ratio=r, **fields) for r in self.config.ratios])

    def steps_to_reach(self, size: str, steps: int, target: float | np.ndarray) -> np.ndarray:
        """The steps at which each curve first was within `target` nats of the floor, (R, S); inf where never.

        target: one for all, or (S,), one for each seed.
        """
        rows = [self.of(size, steps, mask_ratio=r) for r in self.config.ratios]
        targets = np.broadcast_to(target, len(rows[0]))
        return np.array(
            [[cost_to_reach(np.array(s.curve), t) for s, t in zip(row, targets, strict=True)] for row in rows]
        )

    def rises(self, size: str, steps: int, **fields) -> np.ndarray:
        """The share of the points of a curve at which the gap is larger than at the point before, (S,)."""
        gaps = [np.array(score.curve)[:, 1] for score in self.of(size, steps, **fields)]
        return np.array([(np.diff(curve) > 0).mean() for curve in gaps])

    def scatter(self, mask_ratio: float) -> float:
        """The standard deviation of ln KL over seeds at a ratio, pooled over sizes and budgets."""
        logs = [np.log(self.values("kl", *column, mask_ratio=mask_ratio)) for column in self.columns()]
        return float(np.sqrt(np.mean([of_column.var(ddof=1) for of_column in logs])))

    def knobs(self, size: str, at: int = 0) -> dict[tuple[float, float], np.ndarray]:
        """KL in nats, (S,), for each pair of corruption and prediction ratio that was run at the largest budget: those
        of the config, and one ratio for both knobs where it is one of these. S: the seeds that all of them have."""
        if size not in self.config.knob_sizes:
            raise ValueError(f"size is {size!r}: the two knobs were turned for {', '.join(self.config.knob_sizes)}")
        longest, turned = max(self.config.steps), set(self.config.knobs)
        both = {(r, r) for pair in turned for r in pair if r in self.config.ratios}
        found = {
            (c, p): self.values("kl", size, longest, at, mask_ratio=c, prediction_ratio=p if c != p else None)
            for c, p in sorted(turned | both)
        }
        shared = min(map(len, found.values()))
        return {pair: kl[:shared] for pair, kl in found.items()}

    def best(self, size: str, steps: int | None = None, at: int = 0, **fields) -> Best:
        """The best ratio for a size and a budget, scored at SCORED_AT[at]."""
        return best_ratio(np.array(self.config.ratios), self.kl(size, steps, at, **fields))

    def columns(self) -> list[tuple[str, int]]:
        """The pairs of size and steps that were run at every ratio."""
        return self.config.columns()

    def table(self) -> str:
        """KL at the fixed questions, one line a ratio, one column a size and budget."""
        lines = [f"KL(exact, model) at ratio {SCORED_AT[0]}, nats per blank: mean and 95% interval over seeds"]
        lines.append(
            f"{'trained at':12}" + "".join(f"{f'{size}, {steps:,} steps':>26}" for size, steps in self.columns())
        )
        for i, ratio in enumerate(self.config.ratios):
            means = [mean_interval(self.kl(size, steps)[i]) for size, steps in self.columns()]
            lines.append(f"{ratio:<12}" + "".join(f"{m.with_margin():>26}" for m in means))
        for size, steps in self.columns():
            best = self.best(size, steps)
            lines.append(
                f"best for {size}, {steps:,} steps: {best.ratio.value:.2f} ({best.ratio.low:.2f} to "
                f"{best.ratio.high:.2f}); as good within the error: {', '.join(map(str, best.as_good))}"
            )
        return "\n".join(lines)

    def plot(self) -> Figure:
        return plot_ratios(self)

    def mark_ratios(self, ax: Axes) -> None:
        """Makes the horizontal axis that of the ratios of the study, on a logarithmic scale."""
        mark_ratios(ax, self.config.ratios)

    def describe(self) -> str:
        """The picture in words."""
        lines = [self._in_words(f"{size}, {steps:,} steps", size, steps) for size, steps in self.columns()]
        if self.config.flops_steps:
            lines += [self._in_words(f"{size}, equal FLOPs", size, budget="flops") for size in self.config.sizes]
        return f"KL to the exact posterior in nats against the mask ratio of the training. {'; '.join(lines)}."

    def _in_words(self, name: str, size: str, steps: int | None = None, **fields) -> str:
        means = self.kl(size, steps, **fields).mean(axis=1)
        pairs = ", ".join(f"{m:.3f} at {r:g}" for r, m in zip(self.config.ratios, means, strict=True))
        best = self.best(size, steps, **fields)
        return f"{name}: {pairs}; best at {best.ratio.value:.2f}"
