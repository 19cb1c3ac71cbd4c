"""What each strategy picks of a sentence (chapter 11), driven as a learner drives it."""

import html
import re

import numpy as np
import pytest
import torch
from driving import alt_of

from mlm_mini import widgets
from mlm_mini.experiments.strategy.picks import chances, sentence_picks
from mlm_mini.experiments.strategy.selection import ENTROPY, KEPT_LOSS, STRATEGIES, SURPRISAL, UNIFORM
from mlm_mini.experiments.variance.measure import narrow_model
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.widgets import strategy_widget
from mlm_mini.widgets.strategy import (
    LABELS,
    MOST_NATS,
    RULES,
    StrategyWidget,
    bar_corners,
    read_scene,
    strategy_figure,
)

SENTENCE = "the chef cuts the fresh bread in the kitchen ."

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def model(one_thread):
    return narrow_model(np.random.default_rng(0))


def text_of(widget):
    """The text of an HTML widget, tags removed."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", widget.value)).split())


def picks_of(widget):
    vocabulary = scene_language().vocabulary
    return sentence_picks(widget.model, widget.ids, vocabulary, widget.slider.value, widget.seed)


def test_the_package_exports_it():
    assert widgets.strategy_widget is StrategyWidget


def test_every_strategy_has_a_name_and_a_rule():
    assert list(LABELS) == list(RULES) == list(STRATEGIES)
    assert len(set(LABELS.values())) == len(set(RULES.values())) == len(STRATEGIES)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_row_text_and_picture_show_what_the_experiment_picks(model, strategy):
    widget = strategy_widget(model, strategy, SENTENCE, 0.3, seed=1)
    picks = picks_of(widget)
    asked, hidden = picks.asked[strategy], picks.hidden[strategy]
    row, text = text_of(widget.row), text_of(widget.status)
    assert row.count("[MASK]") == hidden.sum()
    assert row.count("? asked") == asked.sum()
    assert row.count("▢ hidden only") == (hidden & ~asked).sum()
    assert f"{asked.sum()} of 10 tokens " in text
    for t in np.flatnonzero(asked):
        assert f"{picks.tokens[t]} ({picks.surprisal[t]:.2f}, {picks.entropy[t]:.2f})" in text
        assert f"was {picks.tokens[t]}, {picks.surprisal[t]:.1f} | {picks.entropy[t]:.1f}" in row
    assert f"of all tokens {picks.surprisal[picks.maskable].mean():.2f} and" in text
    assert alt_of(widget).endswith(text)
    charts = widget.charts
    assert width(charts.surprisal) == pytest.approx(picks.surprisal)
    assert width(charts.entropy) == pytest.approx(picks.entropy)
    assert width(charts.chance) == pytest.approx(chances(picks, strategy, 0.3))
    assert (width(charts.bands[0]) > 0).tolist() == asked.tolist()
    assert [(band > 0).tolist() for band in map(width, charts.bands)] == [asked.tolist()] * 2
    again = picks.candidates & ~hidden & (strategy != UNIFORM)
    said = np.select([asked, hidden, again], ["? asked", "▢ hidden only", "shown again"], "")
    assert [fate.get_text() for fate in charts.fates] == said.tolist()


def width(bars):
    return np.array([path.vertices[:, 0].max() for path in bars.get_paths()])


def test_strategy_slider_and_button_change_all_three(model):
    widget = strategy_widget(model, ENTROPY, SENTENCE, 0.3, seed=1)

    def shown():
        return widget.row.value, widget.status.value, widget.picture.value

    first = shown()
    widget.strategy.value = KEPT_LOSS
    second = shown()
    assert all(a != b for a, b in zip(first, second, strict=True))
    assert "All" in text_of(widget.status)
    widget.strategy.value = ENTROPY
    assert shown() == first
    widget.slider.value = 0.6
    assert all(a != b for a, b in zip(first, shown(), strict=True))
    widget.slider.value = 0.3
    assert shown() == first, "nothing may keep traces of where the slider was"
    widget.button.click()
    assert all(a != b for a, b in zip(first, shown(), strict=True))
    assert (widget.strategy.value, widget.slider.value) == (ENTROPY, 0.3)


def test_choosing_a_strategy_asks_the_model_nothing(model):
    widget = strategy_widget(model, ENTROPY, SENTENCE, 0.3)
    picks = widget.picks
    widget.strategy.value = SURPRISAL
    assert widget.picks is picks


def test_uniform_has_the_same_chance_everywhere_before_it_draws(model):
    picks = strategy_widget(model, UNIFORM, SENTENCE, 0.3).picks
    assert chances(picks, UNIFORM, 0.3).tolist() == [0.0, *[0.3] * 10, 0.0]


def test_a_draw_that_asks_for_nothing_says_so(model):
    for seed in range(20):
        widget = strategy_widget(model, ENTROPY, SENTENCE, 0.02, seed)
        if not widget.picks.asked[ENTROPY].any():
            break
    assert "none of the 10 tokens is asked for; 0.2 are expected" in text_of(widget.status)


def test_another_sentence_takes_the_place_of_the_first(model):
    widget = strategy_widget(model, ENTROPY, SENTENCE, 0.3)
    for sentence in ("the teenager closes the door .", SENTENCE):
        widget.sentence.value = sentence
        n = len(sentence.split())
        assert f"of {n} tokens" in text_of(widget.status)
        assert len(widget.charts.fates) == n + 2
        assert alt_of(widget).endswith(text_of(widget.status))


@pytest.mark.parametrize(
    ("sentence", "message"),
    [("the chef blorps", "'blorps'"), ("the [MASK] cuts .", "give all the words"), ("", "1 to 15 words")],
)
def test_a_sentence_that_cannot_be_read_is_explained_and_changes_nothing_else(model, sentence, message):
    widget = strategy_widget(model, ENTROPY, SENTENCE, 0.3)
    row, picture = widget.row.value, widget.picture.value
    widget.sentence.value = sentence
    assert "Not read" in text_of(widget.status)
    assert message in text_of(widget.status)
    assert (widget.row.value, widget.picture.value) == (row, picture)
    widget.slider.value = 0.4
    assert "at ratio 0.40" in text_of(widget.status)
    with pytest.raises(ValueError, match=message.strip("'")):
        read_scene(sentence)


@pytest.mark.parametrize("make", [strategy_widget, strategy_figure])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "clever"}, "strategy is 'clever': expected one of 'uniform'"),
        ({"mask_ratio": 0.0}, "mask_ratio is 0.0: expected a share from 0.02 to 0.9"),
        ({"mask_ratio": float("nan")}, "mask_ratio is nan"),
        ({"sentence": "the chef blorps"}, "'blorps'"),
    ],
)
def test_what_cannot_be_shown_is_refused(model, make, given, message):
    with pytest.raises(ValueError, match=message):
        make(model, **given)


def test_a_model_of_another_language_is_refused():
    other = MaskedLM(ModelConfig.tiny(50, num_hidden_layers=1), torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match=r"vocabulary of 50 tokens, the scene language \d+"):
        strategy_widget(other)


def test_the_still_picture_has_its_numbers_in_words(model):
    figure, alt = strategy_figure(model, SURPRISAL, SENTENCE, 0.3, 1)
    assert len(figure.axes) == 2
    assert alt.startswith("Two bar charts over the tokens")
    assert "Surprisal of the hidden word, at ratio 0.30." in alt


def test_bars_stand_on_their_lines():
    corners = bar_corners(np.array([2.0, 0.0]), -0.3, 0.3)
    assert corners.shape == (2, 4, 2)
    assert corners[0].tolist() == [[0, -0.3], [2, -0.3], [2, 0.3], [0, 0.3]]
    assert corners[1].tolist() == [[0, 0.7], [0, 0.7], [0, 1.3], [0, 1.3]]


def test_the_axis_has_room_for_what_a_model_usually_pays():
    assert np.log(len(scene_language().vocabulary)) < MOST_NATS  # a model that knows nothing
