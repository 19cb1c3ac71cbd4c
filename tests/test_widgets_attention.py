"""The attention map of chapter 05, driven as a learner drives it: by a text box, a choice of head and a slider."""

import numpy as np
import pytest
from driving import alt_of, text_of

from mlm_mini import widgets
from mlm_mini.widgets import attention_widget
from mlm_mini.widgets.attention import (
    MOST_MAPPED,
    AttentionCharts,
    AttentionMaps,
    AttentionWidget,
    attention_figure,
    describe_attention,
    named_maps,
    squares,
)

SENTENCE = "the chef cuts the bread ."


def read(sentence):
    """Two heads: the word before, and everything evenly. Refuses capitals, as a language refuses unknown words."""
    if sentence.isupper():
        raise ValueError(f"{sentence!r} is too <loud>")
    tokens = ("[CLS]", *sentence.split(), "[SEP]")
    T = len(tokens)
    return AttentionMaps(tokens, {"before": np.eye(T, k=-1), "even": np.full((T, T), 1 / T)})


def test_the_package_exports_it():
    assert "attention_widget" in widgets.__all__
    assert widgets.attention_widget is AttentionWidget


def test_the_slider_moves_the_query_and_the_text_says_what_it_reads():
    widget = attention_widget(read, SENTENCE, query=3)
    assert "before: cuts, token 3 of 0 to 7, reads most from chef (1.00)." in text_of(widget.status)
    first = widget.picture.value
    widget.query.value = 4
    assert "the, token 4 of 0 to 7, reads most from cuts (1.00)" in text_of(widget.status)
    assert widget.picture.value != first
    assert alt_of(widget).endswith(text_of(widget.status))
    widget.query.value = 3
    assert widget.picture.value == first, "a picture must not keep traces of where the slider was"


def test_the_sliders_words_carry_their_position():
    labels = [label for label, _ in attention_widget(read, SENTENCE).query.options]
    assert labels == ["0 [CLS]", "1 the", "2 chef", "3 cuts", "4 the", "5 bread", "6 .", "7 [SEP]"]


def test_the_slider_keeps_its_place_as_the_sentence_allows():
    widget = attention_widget(read, SENTENCE, query=3)
    widget.query.index = 5  # as the page sends it
    assert "bread, token 5" in text_of(widget.status)
    widget.sentence.value = "go home"
    assert (widget.query.index, len(widget.query.options)) == (3, 4)
    widget.query.index = 1
    assert "go, token 1 of 0 to 3" in text_of(widget.status)
    widget.sentence.value = "one two three four five"
    assert (widget.query.index, len(widget.query.options)) == (1, 7)


def test_another_head_shows_other_weights_of_the_same_word():
    widget = attention_widget(read, SENTENCE, query=3)
    first = widget.picture.value
    widget.head.value = "even"
    assert text_of(widget.status).startswith("even: cuts, token 3 of 0 to 7, reads most from none: each weight is 0.1")
    assert "as spread out as 8.0 equal ones" in text_of(widget.status)
    assert widget.picture.value != first


def test_a_query_that_sees_nothing_reads_nothing():
    widget = attention_widget(read, SENTENCE, query=0)
    assert "[CLS], token 0 of 0 to 7, may see nothing" in text_of(widget.status)


@pytest.mark.parametrize("sentence", ["go", "one two three four five six seven eight nine ten"])
@pytest.mark.parametrize("query", [0, 7])
def test_a_shorter_or_longer_sentence_takes_the_place_of_the_first(sentence, query):
    widget = attention_widget(read, SENTENCE, query=query)
    widget.head.value = "even"
    widget.sentence.value = sentence
    T = len(sentence.split()) + 2
    assert len(widget.query.options) == T
    assert widget.query.index == min(query, T - 1)
    assert f"token {widget.query.index} of 0 to {T - 1}" in text_of(widget.status)
    assert f"as spread out as {T:.1f} equal ones" in text_of(widget.status)
    widget.query.index = T - 1
    assert "even: [SEP]" in text_of(widget.status)


def test_a_sentence_that_cannot_be_read_is_explained_and_changes_nothing_else():
    widget = attention_widget(read, SENTENCE, query=3)
    before = widget.picture.value
    widget.sentence.value = "LOUD"
    assert "'LOUD' is too <loud>" in text_of(widget.status)
    assert widget.picture.value == before
    widget.query.value = 4
    assert "reads most from cuts" in text_of(widget.status)
    widget.sentence.value = "word " * MOST_MAPPED
    assert f"{MOST_MAPPED + 2} tokens" in text_of(widget.status)


def test_the_still_picture_has_its_numbers_in_words():
    figure, alt = attention_figure(read(SENTENCE), "before", 3)
    assert len(figure.axes) == 2
    assert alt.endswith(describe_attention(read(SENTENCE), "before", 3))
    assert [text.get_text() for text in figure.axes[1].texts].count("1.00") == 1


def test_the_marked_row_stands_in_the_map_and_beside_it():
    weights = {"a": np.array([[0.2, 0.8, 0.0], [0.004, 0.5, 0.496], [0, 0, 1]]), "b": np.eye(3)}
    charts = AttentionCharts(AttentionMaps(("x", "y", "z"), weights))
    for head, query in (("b", 0), ("a", 1)):
        charts.move(head, query)
    assert [bar.get_width() for bar in charts.bars] == [0.004, 0.5, 0.496]
    assert [bar.get_y() + bar.get_height() / 2 for bar in charts.bars] == pytest.approx([0, 1, 2])
    assert [(n.get_text(), n.get_position()[1]) for n in charts.numbers] == [("", 0), ("0.50", 1), ("0.50", 2)]
    assert charts.numbers[1].get_position()[0] > 0.5
    assert (charts.frame.get_y(), charts.frame.get_height(), charts.frame.get_width()) == (0.5, 1, 3)
    assert charts.pointer.get_ydata() == [1]
    drawn = [path.vertices[:4] for path in charts.squares.get_paths()]
    np.testing.assert_array_equal(drawn, squares(weights["a"]))
    assert len(drawn) == 6  # of those that can be seen


def test_a_square_has_the_area_of_its_weight_and_stands_at_its_place():
    corners = squares(np.array([[0.0, 0.25], [1.0, 0.001]]))
    assert corners.shape == (2, 4, 2)
    assert corners.mean(axis=1).tolist() == [[1, 0], [0, 1]]  # key 1 of query 0, key 0 of query 1
    assert np.ptp(corners, axis=1).tolist() == [[0.5, 0.5], [1, 1]]


def test_the_weights_of_a_model_get_the_names_of_its_heads():
    weights = np.random.default_rng(0).dirichlet(np.ones(4), size=(2, 3, 4))
    maps = named_maps(weights)
    assert list(maps)[:4] == ["layer 1, head 1", "layer 1, head 2", "layer 1, head 3", "layer 2, head 1"]
    assert np.array_equal(maps["layer 2, head 3"], weights[1, 2])
    AttentionMaps(("a", "b", "c", "d"), maps)


@pytest.mark.parametrize(
    ("tokens", "maps", "message"),
    [
        ((), {"a": np.zeros((0, 0))}, "0 tokens"),
        (("x",) * (MOST_MAPPED + 1), {"a": np.eye(MOST_MAPPED + 1)}, f"1 to {MOST_MAPPED}"),
        (("x", "y"), {}, "at least one head"),
        (("x", "y"), {"a": np.eye(3)}, r"shape \(3, 3\)"),
        (("x", "y"), {"a": np.eye(2), "b": np.ones((2, 2))}, "'b' are no distributions"),
        (("x", "y"), {"a": np.array([[2.0, -1.0], [0.5, 0.5]])}, "no distributions"),
        (("x", "y"), {"a": np.array([[np.nan, 1.0], [0.5, 0.5]])}, "no distributions"),
    ],
)
def test_what_is_no_attention_map_is_refused(tokens, maps, message):
    with pytest.raises(ValueError, match=message):
        AttentionMaps(tokens, maps)


def test_weights_in_float32_are_accepted():
    weights = np.random.default_rng(0).dirichlet(np.ones(9), size=9).astype(np.float32)
    _, alt = attention_figure(AttentionMaps(tuple("abcdefghi"), {"a": weights}), "a", 8)
    assert "a: i, token 8" in alt


@pytest.mark.parametrize(("head", "query", "message"), [("other", 0, "no head 'other'"), ("even", 9, "query is 9")])
def test_an_unknown_head_or_position_is_refused(head, query, message):
    with pytest.raises(ValueError, match=message):
        attention_figure(read(SENTENCE), head, query)
