"""A sentence that is written by unmasking (chapter 16), driven as a learner drives it."""

import html
import re

import numpy as np
import pytest
import torch

from mlm_mini import widgets
from mlm_mini.experiments.writing.unmasking import BY_LOT, MOST_CERTAIN, WRITING_ORDERS
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.widgets import unmasking_widget
from mlm_mini.widgets.unmasking import BY_LANGUAGE, BY_MODEL, ORDER_LABELS, UnmaskingWidget, unmasking_figure

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def model(one_thread):
    return MaskedLM(ModelConfig.tiny(404, num_hidden_layers=1), torch.Generator().manual_seed(0)).eval()


def text_of(widget):
    """The text of an HTML widget, tags removed."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", widget.value)).split())


def test_the_package_exports_it_and_every_order_has_a_name():
    assert widgets.unmasking_widget is UnmaskingWidget
    assert list(ORDER_LABELS) == list(WRITING_ORDERS)


@pytest.mark.parametrize("order", WRITING_ORDERS)
@pytest.mark.parametrize("who", [BY_MODEL, BY_LANGUAGE])
def test_row_and_text_show_what_the_experiment_writes(model, order, who):
    widget = unmasking_widget(model, words=8, steps=4, order=order, seed=1)
    widget.who.value = who
    for step in range(5):
        widget.slider.value = step
        row, text = text_of(widget.row), text_of(widget.status)
        written = widget.written
        assert row.count("[MASK]") == written.stages[step].count("[MASK]") == 8 - 2 * step
        assert row.count("+ new") == (2 if step else 0)
        assert f"After step {step} of 4, {2 * step} of 8 words are written" in text
        assert f"{ORDER_LABELS[order]}, written by {who}." in text
        there = (written.step > 0) & (written.step <= step)
        if step:
            assert f"They cost {written.surprisal[there].sum():.1f} nats" in text
        assert ("cannot produce this any more" in text) == (not written.possible[step])
    assert ("can produce this sentence, for" in text) == bool(np.isfinite(written.nats))


def test_the_slider_goes_back_and_nothing_is_left_of_where_it_was(model):
    widget = unmasking_widget(model, seed=2)
    first = widget.row.value, widget.status.value
    widget.slider.value = 3
    assert (widget.row.value, widget.status.value) != first
    widget.slider.value = 0
    assert (widget.row.value, widget.status.value) == first


def test_fewer_steps_take_the_slider_along_and_the_button_writes_another(model):
    widget = unmasking_widget(model, steps=6)
    widget.slider.value = 6
    last = text_of(widget.row)
    widget.button.click()
    assert text_of(widget.row) != last
    assert "After step 6 of 6" in text_of(widget.status)
    widget.steps.value = 2
    assert (widget.slider.max, widget.slider.value) == (2, 2)
    assert "After step 2 of 2" in text_of(widget.status)
    widget.steps.value = 9
    assert widget.slider.max == 9


@pytest.mark.parametrize("make", [unmasking_widget, unmasking_figure])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"words": 12}, "words is 12: expected one of 4, 5"),
        ({"steps": 0}, "steps is 0: expected a number from 1 to 15"),
        ({"steps": 16}, "steps is 16"),
        ({"order": "left"}, "order is 'left': expected one of 'random'"),
    ],
)
def test_what_cannot_be_shown_is_refused(model, make, given, message):
    with pytest.raises(ValueError, match=message):
        make(model, **given)


def test_a_model_of_another_language_is_refused():
    other = MaskedLM(ModelConfig.tiny(50, num_hidden_layers=1), torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="vocabulary of 50 tokens, the scene language 404"):
        unmasking_widget(other)


def test_the_still_picture_tells_every_step_in_words(model):
    figure, alt = unmasking_figure(model, words=5, steps=3, order=MOST_CERTAIN, seed=4)
    written = unmasking_widget(model, 5, 3, MOST_CERTAIN, 4).written
    for stage in written.stages:
        assert " ".join(stage[1:-1]) in alt
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("▢") == sum(stage.count("[MASK]") for stage in written.stages)
    assert unmasking_figure(model, words=5, steps=3, order=BY_LOT, seed=4)[1] != alt
