"""A gap of 1 to 10 letters in a Greek sentence, under a slider for its width: the restorations, ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.beyond.slider import NARROWEST, SENTENCE, WIDEST, Restored, probabilities, restore, visible
from mlm_mini.widgets.controls import slider, status_line
from mlm_mini.widgets.picture import scrolling
from mlm_mini.widgets.spoken import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlm_mini.experiments.beyond.ngrams import Ngram
    from mlm_mini.training import TrainedModel

BARS = 10


class LacunaWidget(ipywidgets.VBox):
    """A sentence with a gap, and what may have stood there. trained: a model of Greek letters; ngram: one that counts.

    Raises ValueError for a width that is not from 1 to 10.
    """

    def __init__(self, trained: TrainedModel, ngram: Ngram, width: int = 4, text: str = SENTENCE):
        self._trained, self._ngram, self._text, self._known = trained, ngram, text, {}
        self.slider = slider("Letters in the gap", self._checked(width), NARROWEST, WIDEST, 1)
        self.status, self.picture = status_line(), Picture()
        figure, _ = draw_restored(self._restored(width))
        self.slider.observe(self._redraw, "value")
        super().__init__([self.slider, self.status, scrolling(self.picture, figure)])
        self._redraw()

    def _checked(self, width: int) -> float:
        self._restored(width)
        return float(width)

    def _restored(self, width: int) -> Restored:
        """Worked out once for each width."""
        if width not in self._known:
            self._known[width] = restore(self._trained.model, self._ngram, self._trained.tokenizer, width, self._text)
        return self._known[width]

    def _redraw(self, _: object = None) -> None:
        restored = self._restored(round(self.slider.value))
        figure, alt = draw_restored(restored)
        self.status.value = describe_restored(restored)
        self.picture.value = figures.figure_html(figure, alt)


def lacuna_figure(trained: TrainedModel, ngram: Ngram, width: int = 4, text: str = SENTENCE) -> tuple[Figure, str]:
    """What the widget shows at one width, as a figure and its alt text. Raises what `LacunaWidget` raises."""
    return draw_restored(restore(trained.model, ngram, trained.tokenizer, width, text))


def draw_restored(restored: Restored) -> tuple[Figure, str]:
    """A ranked list for each way, side by side, the truth in another color and hatched; and the alt text."""
    figure, axes = figures.new_figure(11.0, 3.6, columns=len(restored.lists))
    for ax, (way, found) in zip(axes, restored.lists.items(), strict=True):
        found = found[:BARS]
        heights, at = probabilities(found), np.arange(len(found))[::-1]
        true = [f.text == restored.truth for f in found]
        bars = ax.barh(
            at, heights, height=0.7, color=[figures.RED if t else figures.SKY for t in true], edgecolor="white"
        )
        for bar, p, t in zip(bars, heights, true, strict=True):
            bar.set_hatch("//" if t else "")
            ax.text(p, bar.get_y() + bar.get_height() / 2, f" {p:.2g}", va="center", fontsize=8)
        ax.set_yticks(at, [visible(f.text) for f in found])
        ax.set(xlabel="probability", xlim=(0, 1.25), xticks=(0, 0.5, 1))  # one scale: lists differ in how sure they are
        ax.grid(axis="y", visible=False)
        ax.set_title(f"{way}: truth {_placed(restored.place(way))}")
    return figure, f"Three ranked lists of bars. {describe_restored(restored)}"


def describe_restored(restored: Restored) -> str:
    """What the lists show, in a few plain sentences."""
    parts = []
    for way, found in restored.lists.items():
        best = ", ".join(f"{visible(f.text)} {p:.2g}" for f, p in zip(found[:3], probabilities(found[:3]), strict=True))
        parts.append(f"{way.capitalize()}: {best}; the truth {_placed(restored.place(way))}.")
    return f"{visible(restored.shown)} with {visible(restored.truth)} hidden. " + " ".join(parts)


def _placed(place: int | None) -> str:
    return "not in the first 20" if place is None else f"in place {place}"
