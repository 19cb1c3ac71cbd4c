"""The picture of the study of strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlm_mini import figures
from mlm_mini.experiments.lab.intervals import Estimate
from mlm_mini.experiments.strategy.config import arm_name
from mlm_mini.experiments.strategy.selection import UNIFORM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlm_mini.experiments.strategy.result import MaskStrategy

EFFICIENCY = "useful part per length of step"


def plot_strategies(study: MaskStrategy) -> Figure:
    """How long the gradients are, and what became of the models, beside uniform masks, on the first language."""
    figure, (left, right) = figures.new_figure(10.0, 4.0, columns=2)
    _plot_gradients(left, study)
    _plot_kl(right, study)
    return figure


def _plot_gradients(ax: Axes, study: MaskStrategy) -> None:
    arms, where = study.arms(), {"after": study.config.probed[-1], "language": study.config.languages[0]}
    for figure, label, color, marker, shift in (
        ("norm", "expected gradient", figures.RED, "s", -0.14),
        ("efficiency", EFFICIENCY, figures.BLUE, "o", 0.14),
    ):
        for y, arm in enumerate(arms):
            _bar(ax, study.ratio(figure, *arm, **where), y + shift, color, marker)
        ax.plot([], [], color=color, marker=marker, markersize=5, linestyle="none", label=label)
    ax.axvline(1, color="0.4", linewidth=1)
    ax.set_yticks(range(len(arms)), [arm_name(*arm) for arm in arms])
    ax.set(ylim=(len(arms) - 0.4, -0.6), xlabel="ratio to uniform masks (log scale)", xscale="log")
    ax.set_xticks([0.5, 0.7, 1, 1.5, 2], ["0.5", "0.7", "1", "1.5", "2"])
    ax.minorticks_off()
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.13), "ncols": 2}
    ax.legend(**below, handletextpad=0.1, columnspacing=1.0, frameon=False)
    norms = {arm: study.ratio("norm", *arm, **where).value for arm in arms}
    longest = max(norms, key=norms.get)
    ax.set_title(f"The longest: {arm_name(*longest)}, {norms[longest]:.2f} times uniform")


def _plot_kl(ax: Axes, study: MaskStrategy) -> None:
    language = study.config.languages[0]
    rows = [row for row in study.rows(language) if row[0] != UNIFORM]
    for y, (strategy, weighted, charged) in enumerate(rows):
        difference = study.versus("kl", strategy, weighted, language=language, charged=charged)
        _bar(ax, difference, y, figures.BLUE if charged else figures.ORANGE, "o" if charged else "D")
    ax.axvline(0, color="0.4", linewidth=1)
    ax.set_yticks(range(len(rows)), [arm_name(*row) for row in rows])
    ax.set(ylim=(len(rows) - 0.4, -0.6), xlabel="KL minus that of uniform masks (nats)")
    apart = {arm: study.versus("kl", *arm, language=language).value for arm in study.arms()}
    best = min(apart, key=apart.get)
    ax.set_title(f"Nearest: {arm_name(*best)}, {apart[best]:+.2f} nats")


def _bar(ax: Axes, estimate: Estimate, y: float, color: str, marker: str) -> None:
    bars = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
    ax.errorbar(estimate.value, y, xerr=bars, color=color, marker=marker, markersize=5, capsize=2)
