"""A special token left in the softmax, under a slider for its logit: what it takes, and how far apart that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.languages import scene_language
from mlm_mini.reference import exclude_tokens, kl_divergence, softmax, total_variation
from mlm_mini.widgets.picture import MovingPicture, scrolling
from mlm_mini.widgets.tokens import slider, status_html, status_line, with_field

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SENTENCE = "the chef cuts the [MASK] ."
LOWEST, HIGHEST = -8.0, 12.0
WORDS_SHOWN = 5


class Leak(NamedTuple):
    """The distribution of a blank with [CLS] excluded and with [CLS] left in, and the distances between them.

    correct, buggy: (V,) probabilities. kl_buggy_correct, kl_correct_buggy: nats.
    """

    correct: np.ndarray
    buggy: np.ndarray
    total_variation: float
    kl_buggy_correct: float
    kl_correct_buggy: float


def measure_leak(blank: np.ndarray, leaked_logit: float) -> Leak:
    """What a logit for [CLS] does to `blank`, the exact distribution (V,) of a hidden word.

    The words' logits are log-probabilities, so that together they weigh exp(0) = 1: a leaked logit of 0 is their equal.
    """
    vocabulary = scene_language().vocabulary
    with np.errstate(divide="ignore"):  # a word that is impossible here has the logit -inf
        logits = np.log(blank)
    logits[vocabulary.cls_id] = leaked_logit
    special = vocabulary.special_ids
    correct = softmax(exclude_tokens(logits, special))
    buggy = softmax(exclude_tokens(logits, special[special != vocabulary.cls_id]))
    return Leak(
        correct,
        buggy,
        float(total_variation(correct, buggy)),
        float(kl_divergence(buggy, correct)),
        float(kl_divergence(correct, buggy)),
    )


def blank_distribution(sentence: str) -> np.ndarray:
    """The exact distribution (V,) of the one [MASK] of a scene sentence. Raises ValueError for none or several."""
    language = scene_language()
    ids = language.encode(sentence)
    hidden = np.flatnonzero(ids == language.vocabulary.mask_id)
    if len(hidden) != 1:
        raise ValueError(f"{sentence!r} has {len(hidden)} [MASK]; expected exactly one blank")
    return language.posterior(ids[None])[0, hidden[0]]


def leak_widget(sentence: str = SENTENCE, leaked_logit: float = 0.5) -> LeakWidget:
    """The blank of a scene sentence, with [CLS] left among the candidates at a logit of the learner's choice.

    Raises ValueError for a sentence that the scene language cannot produce or that has not exactly one [MASK], and for
    a logit outside the slider's range, from -8 to 12.
    """
    return LeakWidget(sentence, checked_logit(leaked_logit))


def checked_logit(leaked_logit: float) -> float:
    """The logit, if the charts have room for it. Raises ValueError if they have not, or it is NaN."""
    if not LOWEST <= leaked_logit <= HIGHEST:
        raise ValueError(f"leaked_logit is {leaked_logit}: expected a number from {LOWEST:g} to {HIGHEST:g}")
    return leaked_logit


class LeakWidget(ipywidgets.VBox):
    """A slider, a line of text that says what the picture shows, and the picture."""

    def __init__(self, sentence: str, leaked_logit: float):
        self.charts = LeakCharts(sentence)
        self.moving = MovingPicture(self.charts.figure, self.charts.moving)
        self.slider = slider("Logit of [CLS]", leaked_logit, LOWEST, HIGHEST, 0.25)
        self.status = status_line()
        self.picture = ipywidgets.HTML()
        self.slider.observe(self._redraw, "value")
        super().__init__([with_field(self.slider), self.status, scrolling(self.picture, self.charts.figure)])
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        text = self.charts.move(self.slider.value)
        self.status.value = status_html(text)
        self.picture.value = self.moving.html(f"Three charts. {text}")


def leak_figure(sentence: str = SENTENCE, leaked_logit: float = 0.5) -> tuple[Figure, str]:
    """What the widget shows at one logit, as a figure and its alt text. Raises what `leak_widget` raises."""
    charts = LeakCharts(sentence)
    text = charts.move(checked_logit(leaked_logit))
    return charts.figure, f"Three charts. {text}"


class LeakCharts:
    """Three charts of one blank: its candidates; total variation and KL(correct, buggy) against the leaked logit.

    figure: with `moving`, the artists that `move` changes.
    """

    def __init__(self, sentence: str):
        self.blank = blank_distribution(sentence)
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
        leak = measure_leak(self.blank, leaked_logit)
        for bar, label, p in zip(self.bars, self.labels, leak.buggy[self.shown], strict=True):
            bar.set_width(p)
            label.set_text(f"{p:.2f}")
        self.tv_dot.set_data([leaked_logit], [leak.total_variation])
        self.kl_dot.set_data([leaked_logit], [leak.kl_correct_buggy])
        return describe(leak, leaked_logit)

    def _draw_bars(self, ax: Axes, names: list[str]) -> None:
        place = np.arange(len(names))[::-1]
        correct = measure_leak(self.blank, LOWEST).correct[self.shown]
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
        x = np.linspace(LOWEST, HIGHEST, 81)
        leaks = [measure_leak(self.blank, z) for z in x]
        tv.plot(x, [leak.total_variation for leak in leaks], color=figures.BLUE)
        kl.plot(x, [leak.kl_correct_buggy for leak in leaks], color=figures.GREEN, linestyle="--")
        (self.tv_dot,) = tv.plot([], [], "o", color=figures.RED, markersize=9)
        (self.kl_dot,) = kl.plot([], [], "o", color=figures.RED, markersize=9)
        tv.set(ylim=(-0.03, 1.05), xlabel="logit of [CLS] (nats)", ylabel="share of probability")
        tv.set_title("Total variation = mass of [CLS]", loc="left")
        kl.set(ylim=(-0.4, HIGHEST + 0.5), xlabel="logit of [CLS] (nats)", ylabel="nats")
        kl.set_title("KL(correct, buggy) is finite", loc="left")
        kl.text(LOWEST, HIGHEST * 0.95, "KL(buggy, correct)\nis infinite everywhere", va="top", fontsize=9)


def describe(leak: Leak, leaked_logit: float) -> str:
    """What the charts show, in a few plain sentences."""
    vocabulary = scene_language().vocabulary
    best = vocabulary.tokens[int(leak.buggy.argmax())]
    return (
        f"With a logit of {leaked_logit:.2f}, [CLS] takes {leak.buggy[vocabulary.cls_id]:.4f} of the probability, and "
        f"the best guess is {best}. Total variation: {leak.total_variation:.4f}. "
        f"KL(correct, buggy): {leak.kl_correct_buggy:.4f} nats. KL(buggy, correct): "
        f"{'infinite' if np.isinf(leak.kl_buggy_correct) else f'{leak.kl_buggy_correct:.4f} nats'}."
    )
