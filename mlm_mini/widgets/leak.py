"""A special token left in the softmax, under a slider for its logit: what it takes from the words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.languages import scene_language
from mlm_mini.languages.leak import Leak, blank_distribution, measure_leak
from mlm_mini.widgets.controls import slider, status_line
from mlm_mini.widgets.picture import MovingPicture, scrolling
from mlm_mini.widgets.spoken import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAKY_SENTENCE = "the chef cuts the [MASK] ."
LOWEST_LOGIT, HIGHEST_LOGIT = -8.0, 12.0
WORDS_SHOWN = 5


def checked_logit(leaked_logit: float) -> float:
    """The logit, if the charts have room for it. Raises ValueError if they have not, or it is NaN."""
    if not LOWEST_LOGIT <= leaked_logit <= HIGHEST_LOGIT:
        span = f"from {LOWEST_LOGIT:g} to {HIGHEST_LOGIT:g}"
        raise ValueError(f"leaked_logit is {leaked_logit}: expected a number {span}")
    return leaked_logit


class LeakWidget(ipywidgets.VBox):
    """The blank of a scene sentence, with [CLS] left among the candidates at a logit of the learner's choice.

    Raises ValueError for a sentence that the scene language cannot produce or that has not exactly one [MASK], and for
    a logit outside the slider's range, from -8 to 12.
    """

    def __init__(self, sentence: str = LEAKY_SENTENCE, leaked_logit: float = 0.5):
        self.charts = LeakCharts(sentence)
        self.moving = MovingPicture(self.charts.figure, self.charts.moving)
        self.slider = slider("Logit of [CLS]", checked_logit(leaked_logit), LOWEST_LOGIT, HIGHEST_LOGIT, 0.25)
        self.status = status_line()
        self.picture = Picture()
        self.slider.observe(self._redraw, "value")
        super().__init__([self.slider, self.status, scrolling(self.picture, self.charts.figure)])
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        text = self.charts.move(self.slider.value)
        self.status.value = text
        self.picture.value = self.moving.html(f"Three charts. {text}")


def leak_figure(sentence: str = LEAKY_SENTENCE, leaked_logit: float = 0.5) -> tuple[Figure, str]:
    """What the widget shows at one logit, as a figure and its alt text. Raises what `LeakWidget` raises."""
    charts = LeakCharts(sentence)
    text = charts.move(checked_logit(leaked_logit))
    return charts.figure, f"Three charts. {text}"


class LeakCharts:
    """Three charts of one blank: its candidates; total variation and KL(correct, buggy) against the leaked logit.

    figure: with `moving`, the artists that `move` changes.
    """

    def __init__(self, sentence: str):
        self.blank = blank_distribution(scene_language(), sentence)
        vocabulary = scene_language().vocabulary
        top = np.argsort(-self.blank, kind="stable")[:WORDS_SHOWN]
        self.shown = np.append(top[self.blank[top] > 0], vocabulary.cls_id)
        self.figure, (bars, tv, kl) = figures.new_figure(9.0, 2.9, columns=3)
        self._draw_bars(bars, vocabulary.words(self.shown))
        bars.set_title(sentence, loc="left")
        self._draw_curves(tv, kl)
        self.moving = (*self.bars, *self.labels, self.tv_dot, self.kl_dot)

    def move(self, leaked_logit: float) -> str:
        """Moves the bars and the dots to this logit, and says in words what the charts now show."""
        leak = self._measure(leaked_logit)
        for bar, label, p in zip(self.bars, self.labels, leak.buggy[self.shown], strict=True):
            bar.set_width(p)
            label.set_text(f"{p:.2f}")
        self.tv_dot.set_data([leaked_logit], [leak.total_variation])
        self.kl_dot.set_data([leaked_logit], [leak.kl_correct_buggy])
        return describe_leak(leak, leaked_logit)

    def _measure(self, leaked_logit) -> Leak:
        return measure_leak(self.blank, scene_language().vocabulary, leaked_logit)

    def _draw_bars(self, ax: Axes, names: list[str]) -> None:
        place = np.arange(len(names))[::-1]
        correct = self._measure(LOWEST_LOGIT).correct[self.shown]
        colors = [figures.SKY] * (len(place) - 1) + [figures.RED]
        hatches = [""] * (len(place) - 1) + ["///"]
        # No outline: one around an empty bar would paint over the axis.
        self.bars = ax.barh(place, correct, height=0.6, color=colors, hatch=hatches, edgecolor="white", linewidth=0)
        self.labels = [ax.text(1.04, y, "", va="center", fontsize=9) for y in place]
        ax.plot(correct[:-1], place[:-1], "k|", markersize=15, markeredgewidth=2)
        ax.set_yticks(place, names)
        ax.set(xlim=(0, 1.2), xticks=(0, 0.5, 1), xlabel="probability (black: without the leak)")
        ax.grid(axis="y", visible=False)

    def _draw_curves(self, tv: Axes, kl: Axes) -> None:
        x = np.linspace(LOWEST_LOGIT, HIGHEST_LOGIT, 81)
        leaks = self._measure(x)
        tv.plot(x, leaks.total_variation, color=figures.BLUE)
        kl.plot(x, leaks.kl_correct_buggy, color=figures.GREEN, linestyle="--")
        (self.tv_dot,) = tv.plot([], [], "o", color=figures.RED, markersize=9)
        (self.kl_dot,) = kl.plot([], [], "o", color=figures.RED, markersize=9)
        tv.set(ylim=(-0.03, 1.05), xlabel="logit of [CLS] (nats)", ylabel="share of probability")
        tv.set_title("Total variation = mass of [CLS]", loc="left")
        kl.set(ylim=(-0.4, HIGHEST_LOGIT + 0.5), xlabel="logit of [CLS] (nats)", ylabel="nats")
        kl.set_title("KL(correct, buggy) is finite", loc="left")
        kl.text(LOWEST_LOGIT, HIGHEST_LOGIT * 0.95, "KL(buggy, correct)\nis infinite everywhere", va="top", fontsize=9)


def describe_leak(leak: Leak, leaked_logit: float) -> str:
    """What the charts show, in a few plain sentences."""
    vocabulary = scene_language().vocabulary
    best = vocabulary.tokens[int(leak.buggy.argmax())]
    return (
        f"With a logit of {leaked_logit:.2f}, [CLS] takes {leak.buggy[vocabulary.cls_id]:.4f} of the probability, and "
        f"the best guess is {best}. Total variation: {leak.total_variation:.4f}. "
        f"KL(correct, buggy): {leak.kl_correct_buggy:.4f} nats. KL(buggy, correct): "
        f"{'infinite' if np.isinf(leak.kl_buggy_correct) else f'{leak.kl_buggy_correct:.4f} nats'}."
    )
