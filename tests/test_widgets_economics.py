"""The mask ratio and its two knobs beside the floor and the noise (chapters 09 and 10), driven as a learner would."""

import re

import numpy as np
import pytest
from driving import alt_of, text_of

from mlm_mini import widgets
from mlm_mini.languages.drawn_sentence import hide_and_ask
from mlm_mini.widgets import mask_economics_widget, two_knobs_widget
from mlm_mini.widgets.controls import two_generators
from mlm_mini.widgets.economics import (
    MaskEconomicsWidget,
    TwoKnobsWidget,
    asked_boxes,
    mask_economics_figure,
    two_knobs_figure,
)
from mlm_mini.widgets.tokens import ASKED, PLAIN, SPECIAL, UNASKED

SENTENCE = "the chef cuts the fresh bread in the kitchen ."

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_package_exports_them():
    assert widgets.mask_economics_widget is MaskEconomicsWidget
    assert widgets.two_knobs_widget is TwoKnobsWidget


# ---- the sentence


def test_a_hidden_token_shows_a_mask_and_says_what_it_was():
    words = ["[CLS]", *SENTENCE.split(), "[SEP]"]
    drawn = hide_and_ask(SENTENCE, 0.6, 0.3, *two_generators(1))
    boxes = asked_boxes(drawn)
    assert {token.state for token in boxes} == {ASKED, UNASKED, PLAIN, SPECIAL}
    assert [token.state is ASKED for token in boxes] == drawn.asked.tolist()
    for token, word in zip(boxes, words, strict=True):
        hidden = token.state in (ASKED, UNASKED)
        assert (token.text, token.note) == (("[MASK]", f"was {word}") if hidden else (word, ""))


@pytest.mark.parametrize("sentence", ["", "[MASK] [SEP]"])
def test_a_sentence_without_a_word_is_drawn_as_it_is(sentence):
    drawn = hide_and_ask(sentence, 0.5, 0.5, *two_generators(0))
    assert [places.sum() for places in (drawn.maskable, drawn.selected, drawn.asked)] == [0, 0, 0]
    assert [token.text for token in asked_boxes(drawn)] == ["[CLS]", *sentence.split(), "[SEP]"]


# ---- one slider


def test_one_slider_moves_sentence_text_and_both_markers(curves):
    widget = mask_economics_widget(SENTENCE, 0.15, curves=curves)
    text = text_of(widget.status)
    assert text.startswith("At ratio 0.15, ")
    assert f"of 10 tokens are hidden and asked for; {10 * 0.15:.1f} ± 1.1 are expected" in text
    assert f"The floor is {curves.floor_at(0.15):.2f} nats" in text
    assert f"In a batch of {curves.variance.tokens:.0f} tokens 9 are asked for" in text
    assert f"predicted to be {curves.law[1][8]:.3g} nats²" in text
    assert f"Measured at {curves.variance.ratios[3]:.2f}, the nearest ratio: {curves.variance.variance[3]}" in text
    row, first = widget.row.value, widget.picture.value
    widget.slider.value = 0.9
    drawn = hide_and_ask(SENTENCE, 0.9, 0.9, *two_generators(widget.seed))
    assert f"At ratio 0.90, {drawn.asked.sum()} of 10 tokens are" in text_of(widget.status)
    assert widget.row.value != row
    assert widget.picture.value != first
    assert alt_of(widget).endswith(text_of(widget.status))
    charts = widget.charts
    assert [m.get_xdata()[0] for m in (charts.floor_marker, charts.noise_marker, charts.noise_line)] == [0.9] * 3
    assert charts.floor_marker.get_ydata()[0] == 1.8
    widget.slider.value = 0.15
    assert (widget.row.value, widget.picture.value) == (row, first), "nothing may keep traces of where the slider was"


def test_the_ring_stands_on_the_nearest_measured_ratio_and_lines_at_the_sliders(curves):
    charts = two_knobs_widget(SENTENCE, 0.5, 0.15, curves=curves).charts
    charts.move(0.7, 0.3)
    at, value = curves.nearest(0.3)
    assert abs(at - 0.3) == min(abs(curves.variance.ratios - 0.3))
    assert charts.ring.get_xydata().tolist() == [[at, value.value]]
    assert list(charts.floor_line.get_xdata()) == [0.7, 0.7]
    assert list(charts.noise_line.get_xdata()) == [0.3, 0.3]
    floor, noise = charts.figure.axes
    assert floor.lines[0].get_xydata().tolist() == [[0.02, 0.7], [0.5, 1.0], [0.9, 1.8]]
    band = floor.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((0.66, 1.84))  # two standard errors of 0.02
    value, low, high = np.array(curves.measured).T
    segments = np.array(noise.collections[0].get_segments())
    assert segments[:, :, 1] == pytest.approx(np.stack([low, high], axis=1))
    assert segments[:, 0, 0] == pytest.approx(curves.variance.ratios)


def test_drawing_again_changes_the_sentence_and_nothing_else(curves):
    widget = mask_economics_widget(SENTENCE, 0.5, curves=curves)
    rows, at = {widget.row.value}, widget.charts.floor_marker.get_xydata().tolist()
    for _ in range(4):
        widget.button.click()
        rows.add(widget.row.value)
    assert len(rows) == 5
    assert widget.slider.value == 0.5
    assert widget.charts.floor_marker.get_xydata().tolist() == at


def test_redrawing_changes_no_state(curves):
    widget = two_knobs_widget(curves=curves)
    shown = widget.row.value, widget.status.value, widget.picture.value
    for _ in range(3):
        widget._redraw()
    assert (widget.row.value, widget.status.value, widget.picture.value) == shown


# ---- two sliders


def test_corruption_moves_the_floor_and_prediction_the_noise(curves):
    widget = two_knobs_widget(SENTENCE, 0.4, 0.15, curves=curves)
    charts = widget.charts
    floor, noise = curves.floor_at(0.4), curves.law[1][8]
    assert f"The floor depends on what is hidden: {floor:.2f} nats" in text_of(widget.status)
    assert f"predicted to be {noise:.3g} nats²" in text_of(widget.status)
    widget.corruption.value = 0.7
    assert charts.floor_marker.get_xydata().tolist() == [[0.7, curves.floor_at(0.7)]]
    assert charts.noise_marker.get_xydata().tolist() == [[0.15, noise]]
    assert text_of(widget.status).startswith("Corruption 0.70, prediction 0.15: ")
    widget.prediction.value = 0.3
    assert charts.floor_marker.get_xydata().tolist() == [[0.7, curves.floor_at(0.7)]]
    assert charts.noise_marker.get_xydata().tolist() == [[0.3, curves.law[1][16]]]
    assert alt_of(widget).endswith(text_of(widget.status))
    assert "with it" not in text_of(widget.status)


def test_prediction_takes_corruption_along_upwards(curves):
    widget = two_knobs_widget(SENTENCE, 0.4, 0.15, curves=curves)
    widget.prediction.value = 0.55
    assert (widget.corruption.value, widget.prediction.value) == (0.55, 0.55)
    assert text_of(widget.status).endswith("Corruption went up to 0.55 with it: only a hidden token can be asked for.")
    assert widget.charts.floor_marker.get_xdata()[0] == 0.55
    widget.prediction.value = 0.3
    assert (widget.corruption.value, widget.prediction.value) == (0.55, 0.3)
    assert "with it" not in text_of(widget.status)


def test_a_rounding_error_is_not_a_step(curves):
    widget = two_knobs_widget(SENTENCE, 0.41, 0.15, curves=curves)
    widget.prediction.value = 0.41000000000000003  # as the page sends it
    assert "with it" not in text_of(widget.status)
    assert widget.corruption.value == widget.prediction.value


def test_corruption_takes_prediction_along_downwards(curves):
    widget = two_knobs_widget(SENTENCE, 0.4, 0.15, curves=curves)
    widget.corruption.value = 0.05
    assert (widget.corruption.value, widget.prediction.value) == (0.05, 0.05)
    assert text_of(widget.status).endswith(
        "Prediction went down to 0.05 with it: only a hidden token can be asked for."
    )
    assert widget.charts.noise_marker.get_xdata()[0] == 0.05
    widget.button.click()
    assert "with it" not in text_of(widget.status)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.9, "At ratio 0.90, 1 of 1 token is hidden"), (0.02, "At ratio 0.02, 0 of 1 token is hidden")],
)
def test_one_token_is_counted_in_the_singular(curves, ratio, text):
    seed = next(seed for seed in range(20) if 0.1 < np.random.default_rng([seed, 0]).random(3)[1] < 0.8)
    assert text_of(mask_economics_widget("word", ratio, seed, curves).status).startswith(text)


@pytest.mark.parametrize("values", [(0.02, 0.02), (0.9, 0.02), (0.9, 0.9)])
def test_the_ends_of_both_sliders_work(curves, values):
    widget = two_knobs_widget(SENTENCE, *values, curves=curves)
    assert f"Corruption {values[0]:.2f}, prediction {values[1]:.2f}" in text_of(widget.status)


# ---- what all share


@pytest.mark.parametrize("make", [mask_economics_widget, mask_economics_figure])
@pytest.mark.parametrize("ratio", [0.0, 0.01, 0.91, float("nan")])
def test_a_ratio_that_the_slider_does_not_reach_is_refused(curves, make, ratio):
    with pytest.raises(ValueError, match=r"mask_ratio is .*: expected a share from 0.02 to 0.9"):
        make(SENTENCE, ratio, curves=curves)


@pytest.mark.parametrize("make", [two_knobs_widget, two_knobs_figure])
def test_more_to_predict_than_is_hidden_is_refused(curves, make):
    with pytest.raises(ValueError, match=r"prediction_ratio is 0.5, mask_ratio 0.4: only a hidden token"):
        make(SENTENCE, 0.4, 0.5, curves=curves)
    with pytest.raises(ValueError, match=r"prediction_ratio is 0.01: expected"):
        make(SENTENCE, 0.4, 0.01, curves=curves)


def test_the_still_pictures_have_their_numbers_in_words(curves):
    figure, alt = mask_economics_figure(SENTENCE, 0.15, 1, curves)
    assert len(figure.axes) == 2
    assert "The floor rises from 0.70 nats at 0.02 to 1.80 at 0.9." in alt
    assert "At ratio 0.15, " in alt
    read = re.search(r"The sentence reads: (.*?) \.\. ", alt)[1]
    assert figure.get_suptitle() == f"{read} ."
    figure, alt = two_knobs_figure(SENTENCE, 0.8, 0.3, 1, curves)
    assert "[MASK] (asked)" in alt
    assert "[MASK] (hidden only)" in alt
    assert "Corruption 0.80, prediction 0.30: " in alt


def test_a_screen_reader_is_told_what_each_part_is(curves):
    widget = two_knobs_widget(curves=curves)
    assert 'role="list" aria-label="The sentence as the model reads it"' in widget.row.value
    assert [slider.description for slider in widget.children[:2]] == ["Corruption", "Prediction"]
