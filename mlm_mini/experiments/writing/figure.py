"""The picture of the study of writers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlm_mini import figures
from mlm_mini.experiments.lab.intervals import mean_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlm_mini.experiments.writing.study import Writers

ARM_COLORS = (figures.SKY, figures.ORANGE, figures.BLUE, figures.GREEN, figures.RED)


def plot_writers(study: Writers) -> Figure:
    """How many nats each arm pays above the entropy, and what share of its sentences is possible, one word a step."""
    figure, axes = figures.new_figure(10.0, 3.2, columns=2)
    arms = list(dict.fromkeys(score.cell.arm for score in study.runs))
    for ax, unit, scale in ((axes[0], "price", 1), (axes[1], "possible", 100)):
        for place, (arm, color) in enumerate(zip(arms, ARM_COLORS, strict=False)):
            value, low, high = mean_interval(scale * study.values(unit, arm))
            ax.errorbar(value, -place, xerr=[[value - low], [high - value]], fmt="o", color=color, capsize=3)
            ax.plot(scale * study.values(unit, arm), [-place - 0.22] * len(study.values(unit, arm)), "|", color=color)
        ax.set_yticks([-place for place in range(len(arms))], arms)
        ax.set(ylim=(-len(arms) + 0.5, 0.5), xlim=(0, None))
    axes[0].set(xlabel="nats per sentence above the entropy (95% over seeds)")
    axes[1].set(xlabel="written sentences that are possible, % (95% over seeds)", xlim=(0, 100), yticklabels=[])
    figure.suptitle(study.finding(), x=0.01, ha="left", fontsize=11)
    return figure
