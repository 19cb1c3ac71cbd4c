"""The picture of the study of mask ratios."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.experiments.ratio.config import TRAINED_RATIOS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlm_mini.experiments.ratio.result import MaskRatio

# Color and marker of each column of a study, and the ratios whose names have no room on a logarithmic axis.
LINES = ((figures.SKY, "o"), (figures.BLUE, "s"), (figures.ORANGE, "D"), (figures.RED, "^"), (figures.GREEN, "v"))
CROWDED = (0.4, 0.65)
NAME_GAP = 1.12  # a factor, as the axis is logarithmic


def plot_ratios(study: MaskRatio) -> Figure:
    """KL at the fixed questions against the ratio of the training: at equal steps, and at equal FLOPs if run."""
    if not study.config.flops_steps:
        figure, (ax,) = figures.new_figure(7, 3.6)
        _draw(ax, study, study.columns())
        return figure
    figure, (left, right) = figures.new_figure(10, 3.8, columns=2)
    _draw(left, study, study.columns())
    _draw(right, study, [(size, None) for size in study.config.sizes], budget="flops")
    right.set(ylabel="", ylim=left.get_ylim())
    return figure


def mark_ratios(ax: Axes, ratios: tuple[float, ...]) -> None:
    """Makes the horizontal axis that of these ratios, on a logarithmic scale."""
    ax.set(xscale="log", xlabel="mask ratio in training")
    named = [r for r in ratios if r not in CROWDED or ratios != TRAINED_RATIOS]
    ax.set_xticks(named, [f"{r:g}" for r in named])
    ax.minorticks_off()


def _draw(ax: Axes, study: MaskRatio, columns: list[tuple[str, int | None]], **fields) -> None:
    """A line for each size and budget, with filled markers where a ratio is as good as the best."""
    from matplotlib.ticker import LogLocator

    ratios, bests, names = study.config.ratios, [], []
    for size, steps in columns:
        color, marker = _look(study, size, steps or study.config.flops_steps)
        best = study.best(size, steps, **fields)
        bests.append(best.ratio.value)
        nats = [mean_interval(row) for row in study.kl(size, steps, **fields)]
        means = np.array([m.value for m in nats])
        # On a logarithmic axis a bar can come near zero, but not to it.
        bars = [[min(m.value - m.low, 0.999 * m.value) for m in nats], [m.high - m.value for m in nats]]
        ax.errorbar(ratios, means, bars, color=color, capsize=2, linewidth=1.5)
        face = [color if r in best.as_good else "white" for r in ratios]
        ax.scatter(ratios, means, 28, face, marker=marker, edgecolors=color, zorder=3)
        names.append((float(means[-1]), f"{size}, {steps:,} steps" if steps else size, color))
    _name_lines(ax, ratios[-1], names)
    ax.set(yscale="log", ylabel="KL to the exact posterior (nats)")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter("{x:g}")
    mark_ratios(ax, ratios)
    ax.set_xlim(min(ratios) * 0.85, max(ratios) * (4 if columns[0][1] else 1.8))
    ax.set_title(f"Equal {'FLOPs' if fields else 'steps'}: {_finding(bests, max(ratios))}")


def _name_lines(ax: Axes, x: float, names: list[tuple[float, str, str]]) -> None:
    """Writes a line's name beside its end, from the top down, each at least NAME_GAP below the one before."""
    below = np.inf
    for y, name, color in sorted(names, reverse=True):
        below = min(y, below / NAME_GAP)
        ax.annotate(name, (x, below), (7, 0), textcoords="offset points", color=color, va="center")


def _look(study: MaskRatio, size: str, steps: int) -> tuple[str, str]:
    """Color and marker of a column; one at equal FLOPs looks like that of as many steps."""
    columns = study.columns()
    at = columns.index((size, steps)) if (size, steps) in columns else study.config.sizes.index(size)
    return LINES[at % len(LINES)]


def _finding(bests: list[float], highest: float) -> str:
    low, high = f"{min(bests):.2f}", f"{max(bests):.2f}"
    beyond = " or more" if np.isclose(max(bests), highest) else ""  # nothing was tried above
    return f"the best ratio is {low}{beyond}" if low == high else f"the best ratio lies at {low} to {high}{beyond}"
