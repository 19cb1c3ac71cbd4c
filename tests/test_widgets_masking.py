"""The widgets of chapters 03 and 04, driven as a learner drives them: by a slider, a text box and a button."""

import html
import re
import subprocess
import sys

import ipywidgets
import numpy as np
import pytest
from driving import text_of

from mlm_mini import widgets
from mlm_mini.languages import scene_language
from mlm_mini.widgets.economics import ASKED, UNASKED
from mlm_mini.widgets.leak import LOWEST, blank_distribution, leak_figure, leak_widget, measure_leak
from mlm_mini.widgets.mask_ratio import (
    FATES,
    MOST_TOKENS,
    mask_ratio_figure,
    mask_ratio_widget,
    mask_sentence,
)
from mlm_mini.widgets.picture import MovingPicture
from mlm_mini.widgets.tokens import (
    KEPT,
    MASKED,
    PLAIN,
    RANDOM,
    SPECIAL,
    Token,
    slider,
    status_html,
    token_row,
    with_field,
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
    states = (MASKED, RANDOM, KEPT)
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
    assert "<i>" not in status_html("<i>")


def test_a_row_without_a_label_is_refused():
    with pytest.raises(ValueError, match="label"):
        token_row([Token("x")], " ")


def test_contrast_of_the_state_colors_on_white_and_on_dark():
    def luminance(color):
        c = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
        return float(np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])

    for state in (MASKED, RANDOM, KEPT, ASKED, UNASKED):
        own = luminance(state.color) + 0.05
        assert (luminance("#ffffff") + 0.05) / own >= 3
        assert own / (luminance("#111111") + 0.05) >= 3


# ---- the mask ratio


def selected(masked):
    return {t for t, token in enumerate(masked.tokens) if token.state in FATES}


@pytest.mark.parametrize("seed", range(5))
def test_a_larger_ratio_adds_tokens_and_changes_no_fate(seed):
    previous = mask_sentence(SENTENCE, 0.0, seed)
    assert not selected(previous)
    for ratio in np.linspace(0, 1, 41)[1:]:
        masked = mask_sentence(SENTENCE, float(ratio), seed)
        assert selected(previous) <= selected(masked)
        assert all(masked.tokens[t] == previous.tokens[t] for t in selected(previous))
        previous = masked
    assert selected(previous) == set(range(1, 11))  # all but [CLS] and [SEP]


def test_what_a_token_reads_agrees_with_its_state():
    words = ["[CLS]", *SENTENCE.split(), "[SEP]"]
    seen = set()
    for seed in range(40):
        for token, old in zip(mask_sentence(SENTENCE, 0.6, seed).tokens, words, strict=True):
            seen.add(token.state)
            assert (token.text == "[MASK]") == (token.state is MASKED)
            assert (token.text == old) == (token.state in (PLAIN, SPECIAL, KEPT))
            assert token.note == (f"was {old}" if token.state in FATES else "")
            if token.state is RANDOM:
                assert token.text in scene_language().vocabulary
    assert seen == {PLAIN, SPECIAL, MASKED, RANDOM, KEPT}


def test_counts_over_many_draws_are_those_expected():
    draws = [mask_sentence("word " * 40, 0.25, seed) for seed in range(400)]
    for fate, share in zip(FATES, (0.8, 0.1, 0.1), strict=True):
        p, n = 0.25 * share, 400 * 40
        count = sum(masked.count(fate) for masked in draws)
        assert abs(count - n * p) < 5 * np.sqrt(n * p * (1 - p))


@pytest.mark.parametrize(
    ("sentence", "maskable", "cut"),
    [
        ("", 0, 0),
        ("   ", 0, 0),
        ("[MASK] [SEP] [PAD]", 0, 0),
        ("Zyzzyva, été & 日本 [FOO] <script>", 9, 0),
        ("word " * 500, MOST_TOKENS, 500 - MOST_TOKENS),
    ],
)
@pytest.mark.parametrize("ratio", [0.0, 0.15, 1.0])
def test_any_sentence_works(sentence, maskable, cut, ratio):
    masked = mask_sentence(sentence, ratio, 0)
    assert (masked.maskable, masked.cut) == (maskable, cut)
    if ratio in (0.0, 1.0):
        assert masked.count(*FATES) == ratio * maskable


def test_slider_text_box_and_button_change_row_text_and_table():
    widget = mask_ratio_widget(SENTENCE, mask_ratio=0.0)
    assert "0 of 10 tokens are selected" in text_of(widget.status)
    widget.slider.value = 1.0
    assert "10 of 10 tokens are selected" in text_of(widget.status)
    assert "8.0 ± 1.3" in text_of(widget.table)
    widget.slider.value = 0.3
    assert "The chance that none is selected is 0.0282" in text_of(widget.status)
    assert 'role="status"' in widget.status.value
    rows = {widget.row.value}
    for _ in range(5):
        widget.button.click()
        rows.add(widget.row.value)
    assert len(rows) == 6
    widget.sentence.value = ""
    assert "type a sentence" in text_of(widget.status)
    widget.sentence.value = "word " * 60
    assert f"last {60 - MOST_TOKENS} tokens are left out" in text_of(widget.status)


@pytest.mark.parametrize(
    ("sentence", "ratio", "words"),
    [
        ("word", 1.0, "1 of 1 token is selected"),
        ("word", 0.0, "0 of 1 token is selected"),
        ("two words", 0.0, "0 of 2 tokens are selected"),
        ("word " * (MOST_TOKENS + 1), 0.0, "The last token is left out"),
    ],
)
def test_one_token_is_counted_in_the_singular(sentence, ratio, words):
    assert words in text_of(mask_ratio_widget(sentence, mask_ratio=ratio).status)


def test_how_a_sentence_is_cut_into_tokens():
    tokens = mask_sentence("Don't cut well-known words, it\u2019s [foo] [mask]!", 0.0, 0).tokens
    words = ["don't", "cut", "well-known", "words", ",", "it\u2019s", "[FOO]", "[MASK]", "!"]
    assert [token.text for token in tokens] == ["[CLS]", *words, "[SEP]"]
    assert [token.text for token in tokens if token.state is SPECIAL] == ["[CLS]", "[MASK]", "[SEP]"]


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_a_ratio_that_is_no_share_is_refused(ratio):
    with pytest.raises(ValueError, match="mask_ratio is"):
        mask_ratio_widget(mask_ratio=ratio)


def test_the_still_picture_says_what_it_shows():
    figure, alt = mask_ratio_figure(SENTENCE, (0.0, 1.0), seed=1)
    assert len(figure.axes) == 1
    assert f"at ratio 0: [CLS] {SENTENCE} [SEP]" in alt
    assert "[MASK]" in alt.split("at ratio 1:")[1]


# ---- a slider and its field


def test_a_field_carries_the_label_and_moves_with_the_slider():
    handle = slider("Mask ratio", 0.15, 0.0, 1.0, 0.01)
    field, shown = with_field(handle).children
    assert shown is handle
    assert (field.description, handle.description, handle.readout) == ("Mask ratio", "", False)
    assert (field.min, field.max, field.step) == (handle.min, handle.max, handle.step)
    field.value = 0.4
    assert handle.value == 0.4
    handle.value = 0.41
    assert field.value == 0.41
    handle.value = 0.41000000000000003  # as the page sends it
    assert field.value == 0.41
    field.value = 7
    assert (field.value, handle.value) == (1.0, 1.0)


@pytest.mark.parametrize("make", [leak_widget, mask_ratio_widget])
def test_every_slider_is_shown_with_its_field(make):
    fields = [child for child in every_child(make()) if isinstance(child, ipywidgets.BoundedFloatText)]
    assert [field.description for field in fields] == [{leak_widget: "Logit of [CLS]"}.get(make, "Mask ratio")]


def every_child(widget):
    for child in getattr(widget, "children", ()):
        yield child
        yield from every_child(child)


# ---- the leak


@pytest.mark.parametrize("logit", [-8.0, -0.5, 0.0, 3.0, 12.0])
def test_the_leak_is_what_the_algebra_says(logit):
    leak = measure_leak(blank_distribution("the chef cuts the [MASK] ."), logit)
    m = 1 / (1 + np.exp(-logit))
    assert leak.buggy[scene_language().vocabulary.cls_id] == pytest.approx(m)
    assert leak.total_variation == pytest.approx(m)
    assert leak.kl_correct_buggy == pytest.approx(-np.log1p(-m))
    assert leak.kl_buggy_correct == np.inf


def test_an_excluded_token_does_not_leak():
    leak = measure_leak(blank_distribution("the chef cuts the [MASK] ."), -np.inf)
    assert leak[2:] == (0.0, 0.0, 0.0)


def test_the_slider_changes_the_text_and_the_picture():
    widget = leak_widget(leaked_logit=LOWEST)
    assert "the best guess is bread" in text_of(widget.status)
    first = widget.picture.value
    widget.slider.value = 10.0
    assert "the best guess is [CLS]" in text_of(widget.status)
    assert "KL(correct, buggy): 10.0000 nats" in text_of(widget.status)
    assert "KL(buggy, correct): infinite" in text_of(widget.status)
    assert widget.picture.value != first
    alt = html.unescape(re.search(r'alt="([^"]*)"', widget.picture.value)[1])
    assert alt.endswith(text_of(widget.status))
    widget.slider.value = LOWEST
    assert widget.picture.value == first, "a picture must not keep traces of where the slider was"


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


@pytest.mark.parametrize("logit", [50.0, LOWEST - 0.5, float("nan"), -float("inf")])
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
