"""The floor against what is hidden and the noise against what is asked for, with a marker that moves on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.variance.masking_curves import MaskingCurves
from mlm_mini.widgets.controls import LOWEST_RATIO

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class EconomicsCharts:
    """The floor against what is hidden, the variance of the gradient against what is asked; a marker on each.

    figure: with `moving`, the artists that `move` changes. alt: what does not move, in words.
    """

    def __init__(self, curves: MaskingCurves, labels: tuple[str, str]):
        self.curves = curves
        self.figure, (floor, noise) = figures.new_figure(9.0, 3.3, columns=2)
        self._draw_floor(floor, labels[0])
        self._draw_noise(noise, labels[1])
        self.moving = (self.floor_line, self.noise_line, self.ring, self.floor_marker, self.noise_marker)
        first, last = curves.measured[0], curves.measured[-1]
        ratios = curves.variance.ratios
        self.alt = (
            f"Two charts. The floor rises from {curves.floor[0]:.2f} nats at {curves.ratios[0]:g} to "
            f"{curves.floor[-1]:.2f} at {curves.ratios[-1]:g}. The measured variance falls from {first.value:.2g} "
            f"nats² at {ratios[0]:.2f} to {last.value:.2g} at {ratios[-1]:.2f}."
        )

    def move(self, mask_ratio: float, prediction_ratio: float) -> None:
        """Moves the markers to these ratios."""
        self.floor_line.set_xdata([mask_ratio, mask_ratio])
        self.floor_marker.set_data([mask_ratio], [self.curves.floor_at(mask_ratio)])
        self.noise_line.set_xdata([prediction_ratio, prediction_ratio])
        self.noise_marker.set_data([prediction_ratio], [self.curves.noise_at(prediction_ratio)])
        at, value = self.curves.nearest(prediction_ratio)
        self.ring.set_data([at], [value.value])

    def _draw_floor(self, ax: Axes, label: str) -> None:
        curves = self.curves
        ax.plot(curves.ratios, curves.floor, ".-", color=figures.BLUE)
        low, high = curves.floor - 2 * curves.floor_error, curves.floor + 2 * curves.floor_error
        ax.fill_between(curves.ratios, low, high, color=figures.BLUE, alpha=0.2, linewidth=0)
        self.floor_line, self.floor_marker = _marker(ax)
        ax.set(xlim=(0, 1), ylim=(0, 1.1 * max(curves.floor)), xlabel=label, ylabel="floor (nats per asked token)")
        ax.set_title("More hidden: a higher floor", loc="left")

    def _draw_noise(self, ax: Axes, label: str) -> None:
        value, low, high = np.array(self.curves.measured).T
        ax.plot(*self.curves.law, color=figures.GREEN, linestyle="--", linewidth=1.5, label="predicted")
        look = {"color": figures.BLUE, "fmt": "s", "markersize": 5, "linewidth": 1.5, "capsize": 3}
        bars, label_of_bars = (value - low, high - value), "measured, 95% interval"
        ax.errorbar(self.curves.variance.ratios, value, bars, label=label_of_bars, **look)
        (self.ring,) = ax.plot([], [], "o", markersize=13, markerfacecolor="none", markeredgecolor=figures.BLACK)
        self.noise_line, self.noise_marker = _marker(ax)
        ax.set(xscale="log", yscale="log", xlabel=label, ylabel="variance of the gradient (nats²)")
        ax.set(xlim=(0.8 * LOWEST_RATIO, 1), ylim=(min(low) / 2, 2 * max(high)))
        ticks = (0.02, 0.05, 0.1, 0.2, 0.5, 0.9)
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.set_xticks([], minor=True)
        ax.set_title("More asked: less noise", loc="left")
        ax.legend(loc="upper right", fontsize=9, frameon=False)


def _marker(ax: Axes):
    """A line from top to bottom and a diamond, both still without a place."""
    line = ax.axvline(0.5, color=figures.BLACK, linestyle=":", linewidth=1.2)
    (marker,) = ax.plot([], [], "D", color=figures.RED, markeredgecolor=figures.BLACK, markersize=9, zorder=5)
    return line, marker
