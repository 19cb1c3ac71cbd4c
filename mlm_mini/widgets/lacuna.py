"""A gap of 1 to 10 letters in a Greek sentence, under a slider for its width: the restorations, ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.beyond.slider import NARROWEST, SENTENCE, WIDEST, Restored, probabilities, restore, visible
from mlm_mini.widgets.controls import slider, status_html, status_line, with_field
from mlm_mini.widgets.picture import scrolling

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlm_mini.training import TrainedModel

SHOWN = 10


class LacunaWidget(ipywidgets.VBox):
    """A sentence with a gap, and what may have stood there. trained: a model of Greek letters.

    Raises ValueError for a width that is not from 1 to 10.
    """

    def __init__(self, trained: TrainedModel, width: int = 4, text: str = SENTENCE):
        self._trained, self._text, self._known = trained, text, {}
        self.slider = slider("Letters in the gap", self._checked(width), NARROWEST, WIDEST, 1)
        self.status, self.picture = status_line(), ipywidgets.HTML()
        figure, _ = draw_restored(self._restored(width))
        self.slider.observe(self._redraw, "value")
        super().__init__([with_field(self.slider), self.status, scrolling(self.picture, figure)])
        self._redraw()

    def _checked(self, width: int) -> float:
        self._restored(width)
        return float(width)

    def _restored(self, width: int) -> Restored:
        """Worked out once for each width."""
        if width not in self._known:
            self._known[width] = restore(self._trained.model, self._trained.tokenizer, width, self._text)
        return self._known[width]

    def _redraw(self, _: object = None) -> None:
        restored = self._restored(round(self.slider.value))
        figure, alt = draw_restored(restored)
        self.status.value = status_html(describe_restored(restored))
        self.picture.value = figures.figure_html(figure, alt)


def lacuna_figure(trained: TrainedModel, width: int = 4, text: str = SENTENCE) -> tuple[Figure, str]:
    """What the widget shows at one width, as a figure and its alt text. Raises what `LacunaWidget` raises."""
    return draw_restored(restore(trained.model, trained.tokenizer, width, text))


def draw_restored(restored: Restored) -> tuple[Figure, str]:
    """Two ranked lists side by side, beam search and one pass, the truth in another color; and the alt text."""
    figure, axes = figures.new_figure(9.0, 3.6, columns=2)
    lists = (("beam search", restored.beam, restored.place), ("one pass", restored.one_pass, restored.place_one_pass))
    for ax, (way, found, place) in zip(axes, lists, strict=True):
        found = found[:SHOWN]
        heights, at = probabilities(found), np.arange(len(found))[::-1]
        true = [f.text == restored.truth for f in found]
        bars = ax.barh(at, heights, height=0.7, color=[figures.RED if t else figures.SKY for t in true])
        for bar, t in zip(bars, true, strict=True):
            bar.set_hatch("//" if t else "")
        for y, p in zip(at, heights, strict=True):
            ax.text(p, y, f" {p:.3f}", va="center", fontsize=8)
        ax.set_yticks(at, [visible(f.text) for f in found])
        ax.set(xlabel="probability", xlim=(0, 1.25 * heights.max()))
        ax.grid(axis="y", visible=False)
        ax.set_title(f"{way}: the truth is {_placed(place)}")
    return figure, f"Two ranked lists of bars. {describe_restored(restored)}"


def describe_restored(restored: Restored) -> str:
    """What the lists show, in a few plain sentences."""
    parts = []
    for way, found, place in (
        ("Beam search", restored.beam, restored.place),
        ("One pass", restored.one_pass, restored.place_one_pass),
    ):
        best = ", ".join(f"{visible(f.text)} {p:.3f}" for f, p in zip(found[:3], probabilities(found[:3]), strict=True))
        parts.append(f"{way}: {best}; the truth is {_placed(place)}.")
    return f"{visible(restored.shown)} with {visible(restored.truth)} hidden. " + " ".join(parts)


def _placed(place: int | None) -> str:
    return "not in the list" if place is None else f"in place {place}"
