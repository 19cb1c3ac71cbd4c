"""The plane of word vectors (chapter 12), driven as a learner drives it."""

import numpy as np
import pytest
import torch
from driving import alt_of, text_of

from mlm_mini import widgets
from mlm_mini.experiments.company.projection import OF_CONTEXT, OF_COUNTS, OF_TABLE
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.widgets import projection_widget
from mlm_mini.widgets.projection import LIT, ProjectionWidget, group_of, in_column, projection_figure

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def model(one_thread):
    return MaskedLM(ModelConfig.tiny(len(scene_language().vocabulary)), torch.Generator().manual_seed(1)).eval()


@pytest.fixture(scope="module")
def shared(model):
    return projection_widget(model)


@pytest.fixture
def widget(shared):
    """As it is when it is new."""
    shared.word.value, shared.source.value = "cat", OF_TABLE
    return shared


def test_the_package_exports_it():
    assert widgets.projection_widget is ProjectionWidget


def test_a_typed_word_is_marked_and_its_neighbors_light_up(widget):
    widget.word.value = "bread"
    plane, chart = widget.planes[OF_TABLE], widget.charts[OF_TABLE]
    near = plane.neighbors("bread", LIT)
    assert all(f"{name} {cosine:.2f}" in text_of(widget.status) for name, cosine in near)
    assert np.array(chart.marked.get_data())[:, 0] == pytest.approx(plane.points[plane.place("bread")])
    lit = np.array(chart.lit.get_data()).T
    assert lit == pytest.approx(plane.points[[plane.place(name) for name, _ in near]])
    assert [label.get_text().strip() for label in chart.labels] == ["bread", *(name for name, _ in near)]
    assert f"{plane.shares.sum():.0%} of the spread" in alt_of(widget)
    assert "399 words as dots" in alt_of(widget)


def test_a_line_leads_from_each_lit_word_to_its_name(widget):
    widget.word.value = "bread"
    plane, chart = widget.planes[OF_TABLE], widget.charts[OF_TABLE]
    names = [label.get_text().strip() for label in chart.labels]
    points = plane.points[[plane.place(name) for name in names]]
    begins, ends = np.array([line.get_xydata() for line in chart.lines]).transpose(1, 0, 2)
    assert begins == pytest.approx(points)
    assert ends == pytest.approx(np.array([label.get_position() for label in chart.labels]))
    assert np.argsort(ends[:, 1]).tolist() == np.argsort(points[:, 1]).tolist()
    assert (ends[:, 0] > plane.points[:, 0].max()).all()
    assert [label.get_weight() for label in chart.labels] == ["bold"] + ["normal"] * LIT


def test_the_word_stays_when_the_vectors_change(widget):
    widget.word.value = "dog"
    pictures = set()
    for source in (OF_TABLE, OF_COUNTS, OF_CONTEXT):
        widget.source.value = source
        assert text_of(widget.status).startswith("Nearest to dog")
        pictures.add(widget.picture.value)
    assert len(pictures) == 3
    widget.source.value = OF_TABLE
    assert widget.picture.value in pictures


def test_half_a_word_changes_nothing_and_says_so(widget):
    before = widget.picture.value
    widget.word.value = "ca"
    assert widget.picture.value == before
    assert text_of(widget.status).startswith("'ca' is no word of the scene language: Nearest to cat")
    widget.word.value = ""
    assert text_of(widget.status).startswith("Type a word. Nearest to cat")
    widget.word.value = " Cats"
    assert "'cats' is no word" in text_of(widget.status)


@pytest.mark.parametrize("make", [projection_widget, projection_figure])
def test_what_cannot_be_shown_is_refused(model, make):
    with pytest.raises(ValueError, match="'axolotl' is not among the 399 words"):
        make(model, word="axolotl")
    with pytest.raises(ValueError, match=r"source is 'dreams': expected one of 'exact counts'"):
        make(model, source="dreams")
    with pytest.raises(ValueError, match=r"vocabulary of 50 tokens, the scene language \d+"):
        make(MaskedLM(ModelConfig.tiny(50, num_hidden_layers=1), torch.Generator().manual_seed(0)))


def test_the_still_picture_says_the_same_in_words(model, widget):
    figure, alt = projection_figure(model, word="cat", source=OF_COUNTS)
    near = widget.planes[OF_COUNTS].neighbors("cat", LIT)
    assert near[0][0] in alt
    assert f"vectors of {OF_COUNTS}" in alt
    assert len(figure.axes) == 1


def test_labels_in_a_column_keep_their_order_and_their_room():
    heights = in_column([0.9, 0.1, 0.5], 0.0, 1.0)
    assert np.argsort(heights).tolist() == [1, 2, 0]
    assert np.diff(sorted(heights)) == pytest.approx([1 / 6, 1 / 6])
    assert min(in_column([-5.0, -4.0], 0.0, 1.0)) == 0
    assert max(in_column([5.0, 4.0], 0.0, 1.0)) == 1


def test_every_class_has_a_group_or_none():
    groups = {group_of(kind) for kind in scene_language().word_class.values()}
    assert groups == {"people", "animals", "verbs", ""}
