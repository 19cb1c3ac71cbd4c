"""One sentence under masks: what is selected, what becomes of it, and what of it is asked for."""

import numpy as np
import pytest

from mlm_mini.languages import scene_language
from mlm_mini.languages.drawn_sentence import LONGEST, corrupt_sentence, expected_count, hide_and_ask

SENTENCE = "the chef cuts the fresh bread in the kitchen ."
WORDS = ("[CLS]", *SENTENCE.split(), "[SEP]")


def corrupted(sentence, ratio, seed):
    return corrupt_sentence(sentence, ratio, *map(np.random.default_rng, ([seed, 0], [seed, 1])))


def asked(mask_ratio, prediction_ratio, seed, sentence=SENTENCE):
    return hide_and_ask(sentence, mask_ratio, prediction_ratio, *map(np.random.default_rng, ([seed, 0], [seed, 1])))


# ---- corrupted as in training


@pytest.mark.parametrize("seed", range(5))
def test_a_larger_ratio_adds_tokens_and_changes_no_fate(seed):
    previous = corrupted(SENTENCE, 0.0, seed)
    assert not previous.selected.any()
    for ratio in np.linspace(0, 1, 41)[1:]:
        drawn = corrupted(SENTENCE, float(ratio), seed)
        assert not (previous.selected & ~drawn.selected).any()
        assert all(drawn.read[t] == previous.read[t] for t in np.flatnonzero(previous.selected))
        previous = drawn
    assert np.flatnonzero(previous.selected).tolist() == list(range(1, 11))  # all but [CLS] and [SEP]


def test_what_a_token_reads_agrees_with_its_fate():
    met = set()
    for seed in range(40):
        drawn = corrupted(SENTENCE, 0.6, seed)
        assert drawn.words == WORDS
        assert np.array_equal(sum(drawn.fates.values()), drawn.selected)  # one fate each
        assert drawn.asked is drawn.selected
        fate_of = {t: fate for fate, places in drawn.fates.items() for t in np.flatnonzero(places)}
        for t, (read, word) in enumerate(zip(drawn.read, drawn.words, strict=True)):
            assert (read == "[MASK]") == (fate_of.get(t) == "masked")
            assert (read == word) == (fate_of.get(t, "kept") == "kept")
            assert read == "[MASK]" or read in scene_language().vocabulary
        met |= set(fate_of.values())
    assert met == {"masked", "random", "kept"}


def test_counts_over_many_draws_are_those_expected():
    draws = [corrupted("word " * 40, 0.25, seed) for seed in range(400)]
    for fate, share in zip(("masked", "random", "kept"), (0.8, 0.1, 0.1), strict=True):
        mean, deviation = expected_count(400 * 40, 0.25 * share)
        assert abs(sum(drawn.fates[fate].sum() for drawn in draws) - mean) < 5 * deviation
    none = np.mean([not corrupted("word word", 0.5, seed).selected.any() for seed in range(400)])
    assert draws[0].chance_of_none(0.5) == 0.5**40
    assert none == pytest.approx(0.25, abs=0.11)


def test_what_is_expected_is_the_binomial():
    assert expected_count(10, 0.8) == pytest.approx((8.0, np.sqrt(1.6)))
    assert expected_count(0, 0.3) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("sentence", "maskable", "cut"),
    [
        ("", 0, 0),
        ("   ", 0, 0),
        ("[MASK] [SEP] [PAD]", 0, 0),
        ("Zyzzyva, été & 日本 [FOO] <script>", 9, 0),
        ("word " * 500, LONGEST, 500 - LONGEST),
    ],
)
@pytest.mark.parametrize("ratio", [0.0, 0.15, 1.0])
def test_any_sentence_works(sentence, maskable, cut, ratio):
    drawn = corrupted(sentence, ratio, 0)
    assert (drawn.maskable.sum(), drawn.cut) == (maskable, cut)
    if ratio in (0.0, 1.0):
        assert drawn.selected.sum() == ratio * maskable


def test_how_a_sentence_is_cut_into_tokens():
    drawn = corrupted("Don't cut well-known words, it\u2019s [foo] [mask]!", 0.0, 0)
    words = ["don't", "cut", "well-known", "words", ",", "it\u2019s", "[FOO]", "[MASK]", "!"]
    assert drawn.read == drawn.words == ("[CLS]", *words, "[SEP]")
    assert [word for word, free in zip(drawn.words, drawn.maskable, strict=True) if not free] == [
        "[CLS]",
        "[MASK]",
        "[SEP]",
    ]


# ---- hidden and asked for


@pytest.mark.parametrize("seed", range(5))
def test_more_corruption_hides_the_same_tokens_and_more(seed):
    before = np.zeros(len(WORDS), dtype=bool)
    for ratio in np.linspace(0.02, 0.9, 30):
        drawn = asked(float(ratio), 0.02, seed)
        assert not (before & ~drawn.selected).any()
        assert drawn.maskable.sum() == 10
        before = drawn.selected


@pytest.mark.parametrize("seed", range(5))
def test_more_prediction_asks_for_the_same_tokens_and_more_of_the_hidden_ones(seed):
    before = np.zeros(len(WORDS), dtype=bool)
    for ratio in np.linspace(0.02, 0.7, 30):
        drawn = asked(0.7, float(ratio), seed)
        assert not (before & ~drawn.asked).any()
        assert not (drawn.asked & ~drawn.selected).any()
        before = drawn.asked
    assert np.array_equal(before, drawn.selected)


def test_counts_are_the_two_ratios_in_the_mean():
    draws = [asked(0.5, 0.2, seed, "word " * 40) for seed in range(300)]
    for name, ratio in (("selected", 0.5), ("asked", 0.2)):
        mean, deviation = expected_count(300 * 40, ratio)
        assert abs(sum(getattr(drawn, name).sum() for drawn in draws) - mean) < 5 * deviation


def test_a_hidden_token_reads_mask_and_no_other_does():
    drawn = asked(0.6, 0.3, 1)
    assert [read == "[MASK]" for read in drawn.read] == drawn.selected.tolist()
    assert 0 < drawn.asked.sum() < drawn.selected.sum()


@pytest.mark.parametrize("ratios", [(0.4, 0.5), (0.4, -0.1), (0.0, 0.0), (0.4, float("nan"))])
def test_no_more_is_asked_for_than_is_hidden(ratios):
    with pytest.raises(ValueError, match=r"prediction_ratio is .*: expected a share up to mask_ratio"):
        asked(*ratios, 0)
