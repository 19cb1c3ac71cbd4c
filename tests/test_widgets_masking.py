"""The widgets of chapters 03 and 04, driven as a learner drives them: by a slider, a text box and a button."""

import html
import re
import subprocess
import sys

import numpy as np
import pytest
from driving import text_of

from mlm_mini import widgets
from mlm_mini.languages import scene_language
from mlm_mini.languages.drawn_sentence import LONGEST, corrupt_sentence
from mlm_mini.languages.leak import measure_leak
from mlm_mini.widgets import leak_widget, mask_ratio_widget
from mlm_mini.widgets.controls import slider, two_generators
from mlm_mini.widgets.leak import LEAKY_SENTENCE, LOWEST_LOGIT, LeakCharts, leak_figure
from mlm_mini.widgets.mask_ratio import counts_table, fate_boxes, mask_ratio_figure
from mlm_mini.widgets.picture import MovingPicture
from mlm_mini.widgets.tokens import (
    ASKED,
    MASKED,
    PLAIN,
    RANDOM,
    SPECIAL,
    UNASKED,
    UNCHANGED,
    Token,
    token_row,
)

SENTENCE = "the chef cuts the fresh bread in the kitchen ."


# ---- the package


def test_importing_the_package_loads_no_ipywidgets():
    code = (
        "import sys, mlm_mini.widgets, mlm_mini.widgets.tokens; print({'ipywidgets', 'matplotlib'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"


def test_every_exported_name_exists_and_no_other():
    for name in widgets.__all__:
        assert callable(getattr(widgets, name))
    with pytest.raises(AttributeError, match="no_such_widget"):
        widgets.no_such_widget  # noqa: B018 - looking it up is the point


# ---- a row of tokens


def test_a_row_is_a_labeled_list_with_one_item_per_token():
    row = token_row(
        [Token("[CLS]", SPECIAL), Token("the"), Token("[MASK]", MASKED, "was chef")], "What the model reads"
    )
    assert 'role="list" aria-label="What the model reads"' in row
    assert row.count('role="listitem"') == 3
    assert "was chef" in row


def test_states_differ_in_word_sign_and_border_as_well_as_color():
    states = (MASKED, RANDOM, UNCHANGED)
    for part in ("word", "sign", "border", "color"):
        assert len({getattr(state, part) for state in states}) == 3
    for state in states:
        row = token_row([Token("x", state)], "a row")
        assert state.word in row
        assert state.sign in row
        assert f"{state.border} {state.color}" in row


def test_typed_text_cannot_become_markup():
    row = token_row([Token("<b>", PLAIN, "</div><script>")], '"quoted" <label>')
    assert "<b>" not in row
    assert "<script>" not in row
    assert 'aria-label="&quot;quoted&quot; &lt;label&gt;"' in row


def test_a_row_without_a_label_is_refused():
    with pytest.raises(ValueError, match="label"):
        token_row([Token("x")], " ")


def test_contrast_of_the_state_colors_on_white_and_on_dark():
    def luminance(color):
        c = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])

    for state in (MASKED, RANDOM, UNCHANGED, ASKED, UNASKED):
        own = luminance(state.color) + 0.05
        assert (luminance("#ffffff") + 0.05) / own >= 3
        assert own / (luminance("#111111") + 0.05) >= 3


# ---- the mask ratio


def test_a_box_says_what_became_of_its_token():
    fates, seen = (MASKED, RANDOM, UNCHANGED), set()
    for seed in range(40):
        drawn = corrupt_sentence(SENTENCE, 0.6, *two_generators(seed))
        for token, read, old in zip(fate_boxes(drawn), drawn.read, drawn.words, strict=True):
            seen.add(token.state)
            assert token.text == read
            assert (token.text == "[MASK]") == (token.state is MASKED)
            assert (token.text == old) == (token.state in (PLAIN, SPECIAL, UNCHANGED))
            assert token.note == (f"was {old}" if token.state in fates else "")
    assert seen == {PLAIN, SPECIAL, *fates}


def test_slider_text_box_and_button_change_row_text_and_table():
    widget = mask_ratio_widget(SENTENCE, mask_ratio=0.0)
    assert "0 of 10 tokens are selected" in text_of(widget.status)
    widget.slider.value = 1.0
    assert "10 of 10 tokens are selected" in text_of(widget.status)
    assert "8.0 ± 1.3" in text_of(widget.table)
    widget.slider.value = 0.3
    assert "The chance that none is selected is 0.0282" in text_of(widget.status)
    rows = {widget.row.value}
    for _ in range(5):
        widget.button.click()
        rows.add(widget.row.value)
    assert len(rows) == 6
    widget.sentence.value = ""
    assert "type a sentence" in text_of(widget.status)
    widget.sentence.value = "word " * 60
    assert f"last {60 - LONGEST} tokens are left out" in text_of(widget.status)


@pytest.mark.parametrize(
    ("sentence", "ratio", "words"),
    [
        ("word", 1.0, "1 of 1 token is selected"),
        ("word", 0.0, "0 of 1 token is selected"),
        ("two words", 0.0, "0 of 2 tokens are selected"),
        ("word " * (LONGEST + 1), 0.0, "The last token is left out"),
    ],
)
def test_one_token_is_counted_in_the_singular(sentence, ratio, words):
    assert words in text_of(mask_ratio_widget(sentence, mask_ratio=ratio).status)


def test_the_table_counts_what_is_here_beside_what_is_expected():
    drawn = corrupt_sentence(SENTENCE, 0.6, *two_generators(3))
    lines = re.findall(r"<tr><th scope=\"row\".*?</tr>", counts_table(drawn, 0.6))
    cells = [re.findall(r">([^<]+)<", line) for line in lines]
    masked, replaced, kept = (int(places.sum()) for places in drawn.fates.values())
    assert masked + replaced + kept == drawn.selected.sum() > 3
    assert cells == [
        ["selected", str(drawn.selected.sum()), "6.0 ± 1.5"],  # of 10 tokens, 0.6 each
        ["▢ masked", str(masked), "4.8 ± 1.6"],
        ["⇄ random", str(replaced), "0.6 ± 0.8"],
        ["= kept", str(kept), "0.6 ± 0.8"],
    ]


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_that_is_no_share_is_refused(ratio):
    with pytest.raises(ValueError, match="mask_ratio is"):
        mask_ratio_widget(mask_ratio=ratio)


def test_the_still_picture_says_what_it_shows():
    figure, alt = mask_ratio_figure(SENTENCE, (0.0, 1.0), seed=1)
    assert len(figure.axes) == 1
    assert f"at ratio 0: [CLS] {SENTENCE} [SEP]" in alt
    assert "[MASK]" in alt.split("at ratio 1:")[1]


# ---- a slider


def test_a_slider_stays_within_its_range():
    handle = slider("Mask ratio", 0.15, 0.0, 1.0, 0.01)
    assert (handle.description, handle.value) == ("Mask ratio", 0.15)
    handle.value = 7
    assert handle.value == 1.0
    handle.max = 0.5
    assert handle.value == 0.5


# ---- the leak


def test_the_slider_changes_the_text_and_the_picture():
    widget = leak_widget(leaked_logit=LOWEST_LOGIT)
    assert "the best guess is bread" in text_of(widget.status)
    first = widget.picture.value
    widget.slider.value = 10.0
    assert "the best guess is [CLS]" in text_of(widget.status)
    assert "KL(correct, buggy): 10.0000 nats" in text_of(widget.status)
    assert "KL(buggy, correct): infinite" in text_of(widget.status)
    assert widget.picture.value != first
    alt = html.unescape(re.search(r'alt="([^"]*)"', widget.picture.value)[1])
    assert alt.endswith(text_of(widget.status))
    widget.slider.value = LOWEST_LOGIT
    assert widget.picture.value == first, "a picture must not keep traces of where the slider was"


def test_the_charts_of_the_leak_show_what_is_measured():
    charts, language = LeakCharts(LEAKY_SENTENCE), scene_language()
    leak = measure_leak(charts.blank, language.vocabulary, 2.0)
    charts.move(-3.0)
    charts.move(2.0)
    best = np.sort(charts.blank)[::-1][:5] / (1 + np.exp(2.0))  # [CLS] has exp(2) to the words' 1
    found = [bar.get_width() for bar in charts.bars]
    assert found == pytest.approx([*best[best > 0], np.exp(2.0) / (1 + np.exp(2.0))])
    assert [label.get_text() for label in charts.labels] == [f"{p:.2f}" for p in found]
    assert [name.get_text() for name in charts.figure.axes[0].get_yticklabels()][-1] == "[CLS]"
    assert charts.tv_dot.get_xydata().tolist() == [[2.0, leak.total_variation]]
    assert charts.kl_dot.get_xydata().tolist() == [[2.0, leak.kl_correct_buggy]]
    for ax, name in zip(charts.figure.axes[1:], ("total_variation", "kl_correct_buggy"), strict=True):
        x, y = ax.lines[0].get_data()
        assert (x[0], x[-1], len(x)) == (-8, 12, 81)
        assert y[40] == pytest.approx(getattr(leak, name))  # at a logit of 2
    marks = charts.figure.axes[0].lines[0].get_xdata()
    assert marks == pytest.approx(best[best > 0] * (1 + np.exp(2.0)))


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("the chef cuts the bread .", "0 .MASK."),
        ("the [MASK] cuts the [MASK] .", "2 .MASK."),
        ("the chef cuts the [MASK] quickly tomorrow .", "tomorrow"),
    ],
)
def test_a_sentence_without_one_blank_is_refused(sentence, message):
    with pytest.raises(ValueError, match=message):
        leak_widget(sentence)


@pytest.mark.parametrize("logit", [50.0, LOWEST_LOGIT - 0.5, float("nan"), -float("inf")])
@pytest.mark.parametrize("show", [leak_widget, leak_figure])
def test_a_logit_that_the_slider_does_not_reach_is_refused(show, logit):
    with pytest.raises(ValueError, match=r"leaked_logit is .* from -8 to 12"):
        show(leaked_logit=logit)


def test_on_a_narrow_page_the_picture_stays_legible_and_its_box_scrolls():
    widget = leak_widget()
    box = widget.children[-1]
    assert box.children == (widget.picture,)
    assert box.layout.overflow == "auto"
    assert widget.picture.layout.min_width == "653px"  # two thirds of 990: the smallest with labels one can read


def test_the_still_picture_of_the_leak_has_its_numbers_in_words():
    figure, alt = leak_figure(leaked_logit=0.0)
    assert len(figure.axes) == 3
    assert "Total variation: 0.5000" in alt


def test_a_moving_picture_needs_alt_text():
    figure, _ = leak_figure()
    with pytest.raises(ValueError, match="alt text"):
        MovingPicture(figure, []).html(" ")
