"""What a mask ratio costs and what it buys: the more is hidden the higher the floor, the more is asked the less noise.

One slider moves both at once, as most training does; two sliders move them apart. Both widgets point at the same two
curves: the Bayes floor of the scene language, and the variance of the gradient of a batch, predicted and measured.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.gradient_variance import quick_gradient_variance
from mlm_mini.experiments.statistics import Estimate
from mlm_mini.experiments.variance_curve import GradientVariance
from mlm_mini.languages import scene_language
from mlm_mini.reference import maskable_positions, select_positions
from mlm_mini.widgets.mask_ratio import SENTENCE, encode_any, expected
from mlm_mini.widgets.picture import MovingPicture, scrolling
from mlm_mini.widgets.tokens import (
    PLAIN,
    SPECIAL,
    State,
    Token,
    redraw_button,
    slider,
    status_html,
    status_line,
    token_row,
    with_field,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LOWEST, HIGHEST, STEP = 0.02, 0.9, 0.01
FLOOR_RATIOS = (0.02, 0.05, 0.1, 0.15, 0.3, 0.5, 0.7, 0.8, 0.9)
FEWEST_SENTENCES, SENTENCES = 3000, 600  # for the floor, at any ratio; over the ratio: a small one asks for fewer words
CURVES_SEED = 0
SEED = 30  # of the sentence: at 0.15 it draws 2 of the 15 tokens, about as many as expected
ASKED = State("asked", "?", "solid", figures.BLUE)
UNASKED = State("hidden only", "▢", "dashed", figures.RED)
TWO_AXES = ("corruption: share that is hidden", "prediction: share that is asked for")
SENTENCE_LABEL = "The sentence as the model reads it"


@dataclass(frozen=True)
class MaskingCurves:
    """What the markers move along.

    ratios: (G,) mask ratios, rising. floor, floor_error: (G,) the Bayes floor at each, in nats per predicted token, and
    its standard error. variance: that of the gradient, hidden tokens and predicted ones being the same.
    Raises ValueError where the shapes differ, or for a variance of another kind, that has no curve to point at.
    """

    ratios: np.ndarray
    floor: np.ndarray
    floor_error: np.ndarray
    variance: GradientVariance

    def __post_init__(self):
        if len(self.ratios) < 2 or not np.shape(self.ratios) == np.shape(self.floor) == np.shape(self.floor_error):
            shapes = ", ".join(str(np.shape(part)) for part in (self.ratios, self.floor, self.floor_error))
            raise ValueError(
                f"ratios, floor and floor_error have shapes {shapes}: expected the same, (G,), G at least 2"
            )
        config = self.variance.config
        if config.method != "fixed" or config.corruption is not None:
            raise ValueError(
                f"variance has method {config.method!r} and corruption {config.corruption}: "
                'expected "fixed" and None, a number of tokens that are hidden and predicted'
            )

    def floor_at(self, ratio: float) -> float:
        """The floor, on a straight line between the two nearest ratios."""
        return float(np.interp(ratio, self.ratios, self.floor))

    def predictions_at(self, ratio: float) -> int:
        """How many of the tokens of a batch a ratio asks for: at least one, and not all."""
        return int(np.clip(np.floor(ratio * self.variance.tokens + 0.5), 1, len(self.law[0])))

    @functools.cached_property
    def law(self) -> tuple[np.ndarray, np.ndarray]:
        """The predicted variance at every number of predictions k = 1, 2, ...: the ratios k / N, and nats^2."""
        ratios = np.arange(1, np.ceil(self.variance.tokens)) / self.variance.tokens
        config = replace(self.variance.config, ratios=tuple(ratios))
        # The number being fixed, no draw is empty, and what draws agree on does not enter.
        return ratios, replace(self.variance, config=config, agreements=np.zeros((len(ratios), 1))).predicted

    def nearest(self, ratio: float) -> tuple[float, Estimate]:
        """The measured ratio that lies nearest, as a factor, and the variance that was measured there."""
        i = int(np.abs(np.log(self.variance.ratios / ratio)).argmin())
        return float(self.variance.ratios[i]), self.measured[i]

    @functools.cached_property
    def measured(self) -> tuple[Estimate, ...]:
        return self.variance.variance


@functools.cache
def quick_curves() -> MaskingCurves:
    """The curves of the scene language, made in a few seconds when they are first asked for, and then kept.

    The floor is exact at each blank and averaged over sentences and masks: its standard error is near 0.015 nats.
    """
    language = scene_language()
    floors = [
        language.bayes_floor(ratio, np.random.default_rng(CURVES_SEED), max(FEWEST_SENTENCES, round(SENTENCES / ratio)))
        for ratio in FLOOR_RATIOS
    ]
    return MaskingCurves(
        np.array(FLOOR_RATIOS),
        np.array([floor.mean for floor in floors]),
        np.array([floor.standard_error for floor in floors]),
        quick_gradient_variance(np.random.default_rng(CURVES_SEED)),
    )


# ---- the sentence


@dataclass(frozen=True)
class AskedSentence:
    """A sentence with some of its tokens hidden, and some of these asked for.

    tokens: one box per token, [CLS] and [SEP] included. maskable, hidden, asked: how many may be hidden, are, and are
    asked for.
    """

    tokens: tuple[Token, ...]
    maskable: int
    hidden: int
    asked: int


def hide_and_ask(sentence: str, mask_ratio: float, prediction_ratio: float, seed: int) -> AskedSentence:
    """Hides tokens of any sentence at `mask_ratio`, all as [MASK], and asks for `prediction_ratio` of the tokens.

    The asked ones are drawn among the hidden ones, as in `mlm_mini.training.objectives.masked_batch`. With the same
    seed a larger mask_ratio hides the same tokens and more.
    Raises ValueError for a ratio out of range; the message names it.
    """
    check_ratios(mask_ratio, prediction_ratio)
    vocabulary, ids, _ = encode_any(sentence)
    maskable = maskable_positions(ids, vocabulary.special_ids)
    # A generator for each question, both new: so the uniform numbers are the same at every ratio.
    hidden = select_positions(maskable, mask_ratio, np.random.default_rng([seed, 0]))
    share = min(1.0, prediction_ratio / mask_ratio)
    asked = select_positions(hidden, share, np.random.default_rng([seed, 1]))
    tokens = [
        Token("[MASK]", ASKED if asked[t] else UNASKED, f"was {word}")
        if hidden[t]
        else Token(word, PLAIN if maskable[t] else SPECIAL)
        for t, word in enumerate(vocabulary.words(ids))
    ]
    return AskedSentence(tuple(tokens), int(maskable.sum()), int(hidden.sum()), int(asked.sum()))


def check_ratios(mask_ratio: float, prediction_ratio: float) -> None:
    """Raises ValueError for a ratio that the sliders do not reach, or more predicted than hidden."""
    for name, ratio in (("mask_ratio", mask_ratio), ("prediction_ratio", prediction_ratio)):
        if not LOWEST <= ratio <= HIGHEST:
            raise ValueError(f"{name} is {ratio}: expected a share from {LOWEST} to {HIGHEST}")
    if prediction_ratio > mask_ratio:
        raise ValueError(
            f"prediction_ratio is {prediction_ratio}, mask_ratio {mask_ratio}: only a hidden token can be asked for"
        )


# ---- one slider


def mask_economics_widget(
    mask_ratio: float = 0.15, sentence: str = SENTENCE, seed: int = SEED, curves: MaskingCurves | None = None
) -> MaskEconomicsWidget:
    """A slider for the mask ratio: the sentence, how much is asked, the floor and the noise at that ratio.

    curves: what to point at; those of `quick_curves` where there are none.
    Raises ValueError for a ratio that the slider does not reach, from 0.02 to 0.9.
    """
    check_ratios(mask_ratio, mask_ratio)
    return MaskEconomicsWidget(mask_ratio, sentence, seed, curves or quick_curves())


class MaskEconomicsWidget(ipywidgets.VBox):
    """A slider and a button; the tokens; a line of text; and two curves with a marker on each."""

    def __init__(self, mask_ratio: float, sentence: str, seed: int, curves: MaskingCurves):
        self.sentence, self.seed, self.curves = sentence, seed, curves
        self.charts = EconomicsCharts(curves, ("mask ratio", "mask ratio"))
        self.moving = MovingPicture(self.charts.figure, self.charts.moving)
        self.slider = slider("Mask ratio", mask_ratio, LOWEST, HIGHEST, STEP)
        self.button = redraw_button(self._reseed)
        self.row, self.status, self.picture = ipywidgets.HTML(), status_line(), ipywidgets.HTML()
        self.slider.observe(self._redraw, "value")
        controls = ipywidgets.HBox([with_field(self.slider), self.button], layout={"flex_flow": "row wrap"})
        super().__init__([controls, self.row, self.status, scrolling(self.picture, self.charts.figure)])
        self._redraw()

    def _reseed(self) -> None:
        self.seed += 1
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        ratio = self.slider.value
        drawn = hide_and_ask(self.sentence, ratio, ratio, self.seed)
        text = describe_ratio(drawn, ratio, self.curves)
        self.charts.move(ratio, ratio)
        self.row.value = token_row(drawn.tokens, SENTENCE_LABEL)
        self.status.value = status_html(text)
        self.picture.value = self.moving.html(f"{self.charts.alt} {text}")


def mask_economics_figure(
    mask_ratio: float = 0.15, sentence: str = SENTENCE, seed: int = SEED, curves: MaskingCurves | None = None
) -> tuple[Figure, str]:
    """What the widget shows at one ratio, as a figure and its alt text. Raises what `mask_economics_widget` raises."""
    curves = curves or quick_curves()
    drawn = hide_and_ask(sentence, mask_ratio, mask_ratio, seed)
    charts = EconomicsCharts(curves, ("mask ratio", "mask ratio"))
    charts.move(mask_ratio, mask_ratio)
    return charts.still(drawn), f"{charts.alt} {aloud(drawn)} {describe_ratio(drawn, mask_ratio, curves)}"


def describe_ratio(drawn: AskedSentence, ratio: float, curves: MaskingCurves) -> str:
    """What one ratio does, in a few plain sentences."""
    at, value = curves.nearest(ratio)
    return (
        f"At ratio {ratio:.2f}, {drawn.asked} of {_tokens(drawn)} {_are(drawn.asked, drawn.maskable)} hidden and asked "
        f"for; {expected(drawn.maskable, ratio)} are expected. The floor is {curves.floor_at(ratio):.2f} nats for "
        f"each. {_noise(ratio, curves)} Measured at {at:.2f}, the nearest ratio: {value}."
    )


def _noise(ratio: float, curves: MaskingCurves) -> str:
    k = curves.predictions_at(ratio)
    return (
        f"In a batch of {curves.variance.tokens:.0f} tokens {k} {_are(k)} asked for, and the "
        f"variance of its gradient is predicted to be {curves.law[1][k - 1]:.3g} nats²."
    )


def _are(*numbers: int) -> str:
    return "is" if 1 in numbers else "are"


def _tokens(drawn: AskedSentence) -> str:
    return f"{drawn.maskable} {'token' if drawn.maskable == 1 else 'tokens'}"


# ---- two sliders


def two_knobs_widget(
    mask_ratio: float = 0.4,
    prediction_ratio: float = 0.15,
    sentence: str = SENTENCE,
    seed: int = SEED,
    curves: MaskingCurves | None = None,
) -> TwoKnobsWidget:
    """A slider for how much is hidden, and one for how much of all tokens is asked for, which cannot be more.

    mask_ratio, prediction_ratio: as in `mlm_mini.training.objectives.masked_batch`. curves: as in
    `mask_economics_widget`. Raises ValueError for a ratio outside the sliders, or more to predict than is hidden.
    """
    check_ratios(mask_ratio, prediction_ratio)
    return TwoKnobsWidget(mask_ratio, prediction_ratio, sentence, seed, curves or quick_curves())


class TwoKnobsWidget(ipywidgets.VBox):
    """As `MaskEconomicsWidget`, with two sliders. Where one would pass the other, it takes it along."""

    def __init__(self, mask_ratio: float, prediction_ratio: float, sentence: str, seed: int, curves: MaskingCurves):
        self.sentence, self.seed, self.curves = sentence, seed, curves
        self.charts = EconomicsCharts(curves, TWO_AXES)
        self.moving = MovingPicture(self.charts.figure, self.charts.moving)
        self.corruption = slider("Corruption", mask_ratio, LOWEST, HIGHEST, STEP)
        self.prediction = slider("Prediction", prediction_ratio, LOWEST, HIGHEST, STEP)
        self.button = redraw_button(self._reseed)
        self.row, self.status, self.picture = ipywidgets.HTML(), status_line(), ipywidgets.HTML()
        self._taking_along = False
        self.corruption.observe(self._step, "value")
        self.prediction.observe(self._step, "value")
        knobs = [with_field(self.corruption), with_field(self.prediction), self.button]
        super().__init__([*knobs, self.row, self.status, scrolling(self.picture, self.charts.figure)])
        self._redraw()

    def _step(self, change: dict) -> None:
        if self._taking_along:  # the other slider, moved by this very method
            return
        note, moved = "", change["owner"]
        if self.prediction.value > self.corruption.value:
            other = self.corruption if moved is self.prediction else self.prediction
            before = other.value
            self._taking_along = True
            try:
                other.value = moved.value
            finally:
                self._taking_along = False
            name = "Corruption went up" if other is self.corruption else "Prediction went down"
            if abs(moved.value - before) > STEP / 2:  # more than a rounding error
                note = f" {name} to {moved.value:.2f} with it: only a hidden token can be asked for."
        self._redraw(note)

    def _reseed(self) -> None:
        self.seed += 1
        self._redraw()

    def _redraw(self, note: str = "") -> None:
        ratios = self.corruption.value, self.prediction.value
        drawn = hide_and_ask(self.sentence, *ratios, self.seed)
        text = describe_knobs(drawn, *ratios, self.curves) + note
        self.charts.move(*ratios)
        self.row.value = token_row(drawn.tokens, SENTENCE_LABEL)
        self.status.value = status_html(text)
        self.picture.value = self.moving.html(f"{self.charts.alt} {text}")


def two_knobs_figure(
    mask_ratio: float = 0.4,
    prediction_ratio: float = 0.15,
    sentence: str = SENTENCE,
    seed: int = SEED,
    curves: MaskingCurves | None = None,
) -> tuple[Figure, str]:
    """What the widget shows at two ratios, as a figure and its alt text. Raises what `two_knobs_widget` raises."""
    curves = curves or quick_curves()
    drawn = hide_and_ask(sentence, mask_ratio, prediction_ratio, seed)
    charts = EconomicsCharts(curves, TWO_AXES)
    charts.move(mask_ratio, prediction_ratio)
    text = describe_knobs(drawn, mask_ratio, prediction_ratio, curves)
    return charts.still(drawn), f"{charts.alt} {aloud(drawn)} {text}"


def describe_knobs(drawn: AskedSentence, mask_ratio: float, prediction_ratio: float, curves: MaskingCurves) -> str:
    """What two ratios do, in a few plain sentences."""
    n, (at, value) = drawn.maskable, curves.nearest(prediction_ratio)
    return (
        f"Corruption {mask_ratio:.2f}, prediction {prediction_ratio:.2f}: of {_tokens(drawn)} {drawn.hidden} "
        f"{_are(drawn.hidden)} hidden ({expected(n, mask_ratio)} expected) and {drawn.asked} of these asked for "
        f"({expected(n, prediction_ratio)} expected). The floor depends on what is hidden: "
        f"{curves.floor_at(mask_ratio):.2f} nats for each. The noise depends on what is asked. "
        f"{_noise(prediction_ratio, curves)} Measured with both at {at:.2f}: {value}."
    )


# ---- the picture


def aloud(drawn: AskedSentence) -> str:
    """The sentence as it is read, what is asked for behind each [MASK]."""
    return f"The sentence reads: {_line(drawn)}."


def _line(drawn: AskedSentence) -> str:
    return " ".join(f"[MASK] ({t.state.word})" if t.state in (ASKED, UNASKED) else t.text for t in drawn.tokens[1:-1])


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
        k = self.curves.predictions_at(prediction_ratio)
        self.floor_line.set_xdata([mask_ratio, mask_ratio])
        self.floor_marker.set_data([mask_ratio], [self.curves.floor_at(mask_ratio)])
        self.noise_line.set_xdata([prediction_ratio, prediction_ratio])
        self.noise_marker.set_data([prediction_ratio], [self.curves.law[1][k - 1]])
        at, value = self.curves.nearest(prediction_ratio)
        self.ring.set_data([at], [value.value])

    def still(self, drawn: AskedSentence) -> Figure:
        """The figure with the sentence above it."""
        self.figure.suptitle(_line(drawn), x=0.01, ha="left", fontsize=9.5, wrap=True)
        return self.figure

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
        ax.errorbar(
            self.curves.variance.ratios,
            value,
            (value - low, high - value),
            color=figures.BLUE,
            fmt="s",
            markersize=5,
            linewidth=1.5,
            capsize=3,
            label="measured, 95% interval",
        )
        (self.ring,) = ax.plot([], [], "o", markersize=13, markerfacecolor="none", markeredgecolor=figures.BLACK)
        self.noise_line, self.noise_marker = _marker(ax)
        ax.set(xscale="log", yscale="log", xlabel=label, ylabel="variance of the gradient (nats²)")
        ax.set(xlim=(0.8 * LOWEST, 1), ylim=(min(low) / 2, 2 * max(high)))
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
