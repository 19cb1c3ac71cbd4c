"""What a mask ratio costs and what it buys: the more is hidden the higher the floor, the more is asked the less noise.

One slider moves both at once, as most training does; two sliders move them apart. Both widgets point at the same two
curves: the Bayes floor of the scene language, and the variance of the gradient of a batch, predicted and measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from mlm_mini.experiments.variance.masking_curves import MaskingCurves, quick_curves
from mlm_mini.languages.drawn_sentence import DrawnSentence, hide_and_ask
from mlm_mini.widgets import controls
from mlm_mini.widgets.controls import EXAMPLE
from mlm_mini.widgets.economics_charts import EconomicsCharts
from mlm_mini.widgets.mask_ratio import give_or_take
from mlm_mini.widgets.picture import MovingPicture, scrolling
from mlm_mini.widgets.spoken import Picture
from mlm_mini.widgets.tokens import ASKED, PLAIN, SPECIAL, UNASKED, Token, token_row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAW_SEED = 30  # of the sentence: at 0.15 it draws 2 of the 15 tokens, about as many as expected
ONE_AXIS, TWO_AXES = ("mask ratio",) * 2, ("corruption: share that is hidden", "prediction: share that is asked for")


def check_ratios(mask_ratio: float, prediction_ratio: float) -> None:
    """Raises ValueError for a ratio that the sliders do not reach, or more predicted than hidden."""
    controls.check_ratio(mask_ratio)
    controls.check_ratio(prediction_ratio, "prediction_ratio")
    if prediction_ratio > mask_ratio:
        raise ValueError(
            f"prediction_ratio is {prediction_ratio}, mask_ratio {mask_ratio}: only a hidden token can be asked for"
        )


class EconomicsWidget(ipywidgets.VBox):
    """Sliders and a button; the tokens; a line of text; and two curves with a marker on each."""

    def __init__(self, sentence: str, seed: int, curves: MaskingCurves | None, axes: tuple[str, str], knobs: list):
        self.sentence, self.seed, self.curves = sentence, seed, curves or quick_curves()
        self.charts = EconomicsCharts(self.curves, axes)
        self.moving = MovingPicture(self.charts.figure, self.charts.moving)
        self.row, self.status, self.picture = Picture(), controls.status_line(), Picture()
        super().__init__([*knobs, self.row, self.status, scrolling(self.picture, self.charts.figure)])
        self._redraw()

    def _reseed(self) -> None:
        self.seed += 1
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        raise NotImplementedError

    def _show(self, ratios: tuple[float, float], describe, note: str = "") -> None:
        drawn = hide_and_ask(self.sentence, *ratios, *controls.two_generators(self.seed))
        text = describe(drawn, *ratios, self.curves) + note
        self.charts.move(*ratios)
        self.row.value = token_row(asked_boxes(drawn), "The sentence as the model reads it")
        self.status.value = text
        self.picture.value = self.moving.html(f"{self.charts.alt} {text}")


class MaskEconomicsWidget(EconomicsWidget):
    """A slider for the mask ratio: the sentence, how much is asked, the floor and the noise at that ratio.

    curves: what to point at; those of `quick_curves` where there are none.
    Raises ValueError for a ratio that the slider does not reach, from 0.02 to 0.9.
    """

    def __init__(
        self,
        sentence: str = EXAMPLE,
        mask_ratio: float = 0.15,
        seed: int = DRAW_SEED,
        curves: MaskingCurves | None = None,
    ):
        check_ratios(mask_ratio, mask_ratio)
        self.slider, self.button = controls.ratio_slider("Mask ratio", mask_ratio), controls.redraw_button(self._reseed)
        row = ipywidgets.HBox([self.slider, self.button], layout={"flex_flow": "row wrap"})
        super().__init__(sentence, seed, curves, ONE_AXIS, [row])
        self.slider.observe(self._redraw, "value")

    def _redraw(self, _: object = None) -> None:
        self._show((self.slider.value,) * 2, describe_one_ratio)


class TwoKnobsWidget(EconomicsWidget):
    """A slider for how much is hidden, and one for how much of all tokens is asked for, which cannot be more.

    Where one would pass the other, it takes it along. mask_ratio, prediction_ratio: as in `Masking`. curves: as in
    `MaskEconomicsWidget`.
    Raises ValueError for a ratio outside the sliders, or more to predict than is hidden.
    """

    def __init__(
        self,
        sentence: str = EXAMPLE,
        mask_ratio: float = 0.4,
        prediction_ratio: float = 0.15,
        seed: int = DRAW_SEED,
        curves: MaskingCurves | None = None,
    ):
        check_ratios(mask_ratio, prediction_ratio)
        self.corruption = controls.ratio_slider("Corruption", mask_ratio)
        self.prediction = controls.ratio_slider("Prediction", prediction_ratio)
        self.button = controls.redraw_button(self._reseed)
        knobs = [self.corruption, self.prediction, self.button]
        super().__init__(sentence, seed, curves, TWO_AXES, knobs)
        self._taking_along = False
        self.corruption.observe(self._step, "value")
        self.prediction.observe(self._step, "value")

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
            if abs(moved.value - before) > controls.RATIO_STEP / 2:  # more than a rounding error
                note = f" {name} to {moved.value:.2f} with it: only a hidden token can be asked for."
        self._redraw(note)

    def _redraw(self, note: str = "") -> None:
        self._show((self.corruption.value, self.prediction.value), describe_two_ratios, note)


# ---- the same as still pictures


def mask_economics_figure(
    sentence: str = EXAMPLE, mask_ratio: float = 0.15, seed: int = DRAW_SEED, curves: MaskingCurves | None = None
) -> tuple[Figure, str]:
    """What the widget shows at one ratio, as a figure and its alt text. Raises what the widget raises."""
    return _still(sentence, (mask_ratio,) * 2, seed, curves, ONE_AXIS, describe_one_ratio)


def two_knobs_figure(
    sentence: str = EXAMPLE,
    mask_ratio: float = 0.4,
    prediction_ratio: float = 0.15,
    seed: int = DRAW_SEED,
    curves: MaskingCurves | None = None,
) -> tuple[Figure, str]:
    """What the widget shows at two ratios, as a figure and its alt text. Raises what the widget raises."""
    return _still(sentence, (mask_ratio, prediction_ratio), seed, curves, TWO_AXES, describe_two_ratios)


def _still(sentence, ratios, seed, curves, axes, describe) -> tuple[Figure, str]:
    """The sentence stands above the charts, and what is asked for behind each [MASK]."""
    check_ratios(*ratios)
    curves = curves or quick_curves()
    drawn, charts = hide_and_ask(sentence, *ratios, *controls.two_generators(seed)), EconomicsCharts(curves, axes)
    charts.move(*ratios)
    boxes = asked_boxes(drawn)[1:-1]
    line = " ".join(f"[MASK] ({t.state.word})" if t.state in (ASKED, UNASKED) else t.text for t in boxes)
    charts.figure.suptitle(line, x=0.01, ha="left", fontsize=9.5, wrap=True)
    return charts.figure, f"{charts.alt} The sentence reads: {line}. {describe(drawn, *ratios, curves)}"


# ---- what they show, in words


def asked_boxes(drawn: DrawnSentence) -> list[Token]:
    """The sentence as the model reads it, and which of the hidden tokens are asked for."""
    return [
        Token("[MASK]", ASKED if drawn.asked[t] else UNASKED, f"was {word}")
        if drawn.selected[t]
        else Token(word, PLAIN if drawn.maskable[t] else SPECIAL)
        for t, word in enumerate(drawn.words)
    ]


def describe_one_ratio(drawn: DrawnSentence, ratio: float, _: float, curves: MaskingCurves) -> str:
    """What one ratio does, in a few plain sentences."""
    n, asked, (at, value) = int(drawn.maskable.sum()), int(drawn.asked.sum()), curves.nearest(ratio)
    return (
        f"At ratio {ratio:.2f}, {asked} of {_tokens(n)} {_are(asked, n)} hidden and asked "
        f"for; {give_or_take(n, ratio)} are expected (± one standard deviation). The floor is "
        f"{curves.floor_at(ratio):.2f} nats for each. {_noise(ratio, curves)} "
        f"Measured at {at:.2f}, the nearest ratio: {value}."
    )


def describe_two_ratios(drawn: DrawnSentence, mask_ratio: float, prediction_ratio: float, curves: MaskingCurves) -> str:
    """What two ratios do, in a few plain sentences."""
    n, hidden, asked = (int(places.sum()) for places in (drawn.maskable, drawn.selected, drawn.asked))
    at, value = curves.nearest(prediction_ratio)
    return (
        f"Corruption {mask_ratio:.2f}, prediction {prediction_ratio:.2f}: of {_tokens(n)} {hidden} "
        f"{_are(hidden)} hidden ({give_or_take(n, mask_ratio)} expected, ± one standard deviation) and {asked} of "
        f"these asked for ({give_or_take(n, prediction_ratio)} expected). The floor depends on what is hidden: "
        f"{curves.floor_at(mask_ratio):.2f} nats for each. The noise depends on what is asked. "
        f"{_noise(prediction_ratio, curves)} Measured with both at {at:.2f}: {value}."
    )


def _noise(ratio: float, curves: MaskingCurves) -> str:
    k = curves.predictions_at(ratio)
    return (
        f"In a batch of {curves.variance.tokens:.0f} tokens {k} {_are(k)} asked for, and the "
        f"variance of its gradient is predicted to be {curves.noise_at(ratio):.3g} nats²."
    )


def _are(*numbers: int) -> str:
    return "is" if 1 in numbers else "are"


def _tokens(n: int) -> str:
    return f"{n} {'token' if n == 1 else 'tokens'}"
