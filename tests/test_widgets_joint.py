"""Two or three blanks, and what a written word changes (chapter 14), driven as a learner drives it."""

import numpy as np
import pytest
from driving import alt_of, text_of

from mlm_mini import widgets
from mlm_mini.experiments.joint.measures import total_correlation
from mlm_mini.experiments.joint.picture import read_blanks
from mlm_mini.languages import scene_language
from mlm_mini.widgets import joint_widget
from mlm_mini.widgets.joint import CHASE, OPEN, THREE_BLANKS, JointWidget, joint_figure


@pytest.fixture(scope="module")
def blanks():
    return read_blanks(scene_language(), THREE_BLANKS)


def ids(*words):
    return scene_language().vocabulary.ids(words)


def widths(bars):
    return [bar.get_width() for bar in bars]


def test_the_numbers_are_those_of_the_language(blanks):
    language = scene_language()
    positions = np.flatnonzero(blanks.ids == language.vocabulary.mask_id)
    whole = language.joint(blanks.ids, positions[:2])
    assert blanks.information == pytest.approx(total_correlation(whole))
    assert blanks.apart.sum() == pytest.approx(1)
    assert 0 < blanks.impossible == pytest.approx(blanks.apart[whole == 0].sum())
    (dog,) = ids("dog")
    second, third = blanks.after(dog)
    np.testing.assert_allclose(second, whole[dog] / whole[dog].sum(), atol=1e-12)
    pair = language.joint(blanks.ids, positions[[0, 2]])
    np.testing.assert_allclose(third, pair[dog] / pair[dog].sum(), atol=1e-12)
    moved = blanks.moved(dog)
    possible = second > 0
    ratio = second[possible] / blanks.alone[1][possible]
    assert moved[0] == pytest.approx(second[possible] @ np.log(ratio))


def test_the_package_exports_it():
    assert widgets.joint_widget is JointWidget


def test_a_word_that_is_written_moves_the_others_and_can_be_taken_back(blanks):
    widget = joint_widget(THREE_BLANKS)
    first = widget.status.value, widget.picture.value
    assert "this is one pass" in text_of(widget.status)
    assert f"tell {blanks.information:.2f} nats" in text_of(widget.status)
    assert not any(frame.get_visible() for frame in widget.charts.frames)
    widget.word.value = "dog"
    after = blanks.after(ids("dog")[0])
    for p, words, bars in zip(after, widget.charts.words[1:], widget.charts.bars, strict=True):
        assert widths(bars)[:-1] == pytest.approx(p[words])
        assert sum(widths(bars)) == pytest.approx(1)
    assert all(frame.get_visible() for frame in widget.charts.frames)
    assert "With dog written" in text_of(widget.status)
    assert alt_of(widget).endswith(text_of(widget.status))
    widget.word.value = OPEN
    assert (widget.status.value, widget.picture.value) == first


def test_the_maps_show_pairs_and_cross_out_those_that_cannot_be(blanks):
    widget = joint_widget(THREE_BLANKS)
    charts, (first, second) = widget.charts, (blanks.shown(0, 6), blanks.shown(1, 12))
    assert [len(first), len(second)] == [6, 12]
    for ax, table in zip(charts.figure.axes, (blanks.joint, blanks.apart), strict=False):
        part = table[first][:, second]
        assert np.asarray(ax.images[0].get_array()) == pytest.approx(part)
        assert ax.images[0].get_clim() == pytest.approx((0, blanks.joint[first][:, second].max()))
        crossed = {(first[int(y)], second[int(x)]) for x, y in ax.lines[0].get_xydata()}
        assert crossed == {(i, j) for i in first for j in second if blanks.joint[i, j] == 0}
    for word, row in ((widget.word.options[3], 2), (widget.word.options[1], 0)):
        widget.word.value = word
        assert [frame.get_y() for frame in charts.frames] == [row - 0.5] * 2
    for bars, labels in zip(charts.bars, charts.labels, strict=True):
        assert [label.get_text() for label in labels] == [f"{width:.2f}" for width in widths(bars)]
    for ax, p, words in zip(charts.figure.axes[2:], blanks.alone[1:], charts.words[1:], strict=True):
        assert ax.lines[0].get_xdata()[:-1] == pytest.approx(p[words])  # in one pass, black


def test_another_sentence_brings_its_own_words():
    widget = joint_widget()
    widget.word.value = "officer"
    widget.sentence.value = "the [MASK] [MASK] the bread ."
    assert widget.word.value == OPEN
    assert "chef" in widget.word.options
    assert "officer" not in widget.word.options
    assert "this is one pass" in text_of(widget.status)
    assert "'the [MASK] [MASK] the bread .'" in alt_of(widget)
    widget.sentence.value = THREE_BLANKS
    assert "third blank" in text_of(widget.status)


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("the dog chased the [MASK] .", "has 1 blanks"),
        ("[MASK] [MASK] [MASK] [MASK] .", "has 4 blanks"),
        ("the [MASK] blorps the [MASK] .", "blorps"),
        ("the [MASK] [MASK] cuts bread .", "impossible in this language"),
    ],
)
def test_a_sentence_that_cannot_be_read_is_explained_and_changes_nothing_else(sentence, message):
    widget = joint_widget()
    picture = widget.picture.value
    widget.sentence.value = sentence
    assert "Not read" in text_of(widget.status)
    assert message in text_of(widget.status)
    assert widget.picture.value == picture
    with pytest.raises(ValueError, match=message):
        joint_figure(sentence)


@pytest.mark.parametrize("make", [joint_widget, joint_figure])
def test_a_word_that_is_not_offered_is_refused(make):
    with pytest.raises(ValueError, match="word is 'thief': expected one of dog"):
        make(CHASE, "thief")


def test_the_still_picture_has_its_numbers_in_words():
    figure, alt = joint_figure(CHASE, "officer")
    assert len(figure.axes) == 3
    assert "crosses where a pair is impossible" in alt
    assert "Second blank: thief 0.31" in alt
