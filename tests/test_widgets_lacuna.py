"""The slider for a gap in a Greek sentence."""

import html
import re

import numpy as np
import pytest
import torch

from mlm_mini.experiments.beyond.blanks import as_numbers
from mlm_mini.experiments.beyond.lacunae import RESTORING_WAYS, Restoration
from mlm_mini.experiments.beyond.ngrams import Ngram
from mlm_mini.experiments.beyond.slider import SENTENCE, Restored, restore
from mlm_mini.languages.corpus import Corpus, Document
from mlm_mini.languages.token_store import text_tokenizer
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.training import TrainedModel
from mlm_mini.widgets import lacuna_widget
from mlm_mini.widgets.lacuna import draw_restored, lacuna_figure


@pytest.fixture(scope="module")
def readers():
    """A model that has learned nothing, and an n-gram that has read the sentence itself."""
    corpus = Corpus((Document("d", SENTENCE, "train"),), "s", "l", "n")
    tokenizer = text_tokenizer(corpus, 4096, "characters")
    model = MaskedLM(ModelConfig.tiny(len(tokenizer.vocabulary), num_hidden_layers=1), torch.Generator().manual_seed(0))
    numbers = as_numbers(tokenizer.encode(SENTENCE)[1:-1], tokenizer.vocabulary)
    ngram = Ngram.fit([numbers], 4, len(tokenizer.vocabulary.regular_ids))
    return TrainedModel(model.eval(), tokenizer, None, [], None), ngram


@pytest.mark.parametrize("width", [1, 4, 10])
def test_the_gap_is_as_wide_as_asked_and_who_has_read_the_text_restores_it(readers, width):
    trained, ngram = readers
    restored = restore(trained.model, ngram, trained.tokenizer, width)
    assert restored.shown.count("·") == len(restored.truth) == width
    assert restored.shown.replace("·" * width, restored.truth) == SENTENCE[:30]
    assert list(restored.lists) == list(RESTORING_WAYS)
    assert restored.place("n-gram beam") == 1


def test_the_slider_changes_the_lists_and_leaves_no_trace(readers):
    widget = lacuna_widget(*readers, 3)
    first = widget.status.value, widget.picture.value
    assert "···" in first[0]
    widget.slider.value = 5
    assert "·····" in widget.status.value
    assert widget.picture.value != first[1]
    widget.slider.value = 3
    assert (widget.status.value, widget.picture.value) == first
    alt = html.unescape(re.search('alt="([^"]*)"', widget.picture.value)[1])
    assert alt.startswith("Three ranked lists of bars.")


def test_the_still_picture_says_the_same(readers):
    figure, alt = lacuna_figure(*readers, 2)
    assert len(figure.axes) == 3
    assert "n-gram beam" in alt.lower()


def test_bars_are_probabilities_and_the_truth_is_hatched():
    found = [Restoration(text, np.log(p)) for text, p in (("αβ", 0.5), ("δ ", 0.25), ("εζ", 0.1))]
    restored = Restored("··", "δ ", {"first": found, "second": found[::2]})
    figure, alt = draw_restored(restored)
    first, second = figure.axes
    assert [bar.get_width() for bar in first.patches] == pytest.approx([0.5, 0.25, 0.1])
    heights = [bar.get_y() for bar in first.patches]
    assert heights == sorted(heights, reverse=True)  # the likeliest above
    assert [bool(bar.get_hatch()) for ax in (first, second) for bar in ax.patches] == [False, True, False, False, False]
    assert (first.get_title(), second.get_title()) == (
        "first: truth in place 2",
        "second: truth not in the first 20",
    )
    assert [text.get_text() for text in second.texts] == [" 0.5", " 0.1"]
    assert "First: αβ 0.5, δ␣ 0.25, εζ 0.1; the truth in place 2." in alt


@pytest.mark.parametrize("width", [0, 11])
def test_a_gap_that_the_slider_does_not_reach_is_refused(readers, width):
    with pytest.raises(ValueError, match=f"width is {width}: expected 1 to 10 letters"):
        lacuna_widget(*readers, width)
