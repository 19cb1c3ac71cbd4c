"""The picture of the study: what each hidden word costs the probe, beside what it costs the exact posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.experiments.probing.hiding import HIDEABLE, VERB
from mlm_mini.experiments.probing.nouns import SENTENCE_KINDS
from mlm_mini.experiments.probing.reading import NOUN_MASKED, NOUN_SEEN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlm_mini.experiments.probing.study import Probing

NOUN_LOOKS = {NOUN_MASKED: ("o", figures.BLUE, -0.14), NOUN_SEEN: ("s", figures.ORANGE, 0.14)}


def drops_figure(study: Probing) -> Figure:
    """A panel for each kind of sentence, a row for each hidden word; a black bar is the drop of the exact posterior.

    A row stays empty where no sentence of the kind has such a word."""
    figure, axes = figures.new_figure(10, 3.8, columns=len(SENTENCE_KINDS))
    places = np.arange(len(HIDEABLE) - 1)
    for kind, (ax, name) in enumerate(zip(axes, SENTENCE_KINDS, strict=True)):
        there = np.array([study.changed(hidden)[:, kind].any() for hidden in HIDEABLE[1:]])
        rows, hid = places[there], [HIDEABLE[1:][row] for row in places[there]]
        for row in places[~there]:
            ax.text(1, row, "no such word", color="0.4", va="center", fontsize=9)
        for noun, (marker, color, shift) in NOUN_LOOKS.items():
            drops = [mean_interval(100 * study.drop(noun, hidden)[:, kind]) for hidden in hid]
            value, low, high = np.array(drops).T
            ax.errorbar(
                value, rows + shift, xerr=[value - low, high - value], fmt=marker, color=color, markersize=4,
                capsize=2, linestyle="", label=noun,
            )  # fmt: skip
            exact = [100 * study.exact_drop(noun, hidden)[:, kind].mean() for hidden in hid]
            label = "exact posterior" if noun == NOUN_SEEN else None
            ax.plot(exact, rows + shift, "|", color=figures.BLACK, markersize=11, markeredgewidth=2, label=label)
        ax.axvline(0, color="0.5", linewidth=1)
        ax.set(xlim=(-10, 58), xlabel="points lost")
        ax.set_yticks(places, [f"{hidden} hidden" for hidden in HIDEABLE[1:]] if kind == 0 else [""] * len(places))
        ax.set_ylim(len(places) - 0.5, -0.5)
        lost = mean_interval(100 * study.drop(NOUN_MASKED, VERB)[:, kind])
        ax.set_title(f"{name}, noun hidden:\nwithout the verb {round(lost.value) + 0} points lost")
    axes[0].legend(loc="center right", fontsize=8)
    return figure
