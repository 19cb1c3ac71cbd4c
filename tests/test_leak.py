"""A special token left in the softmax, beside the algebra that chapter 04 does by hand."""

import numpy as np
import pytest

from mlm_mini.languages import scene_language
from mlm_mini.languages.leak import LEAKED_LOGITS, blank_distribution, leaks_at_blanks, measure_leak

SENTENCE = "the chef cuts the [MASK] ."


def leak_at(logit):
    language = scene_language()
    return measure_leak(blank_distribution(language, SENTENCE), language.vocabulary, logit)


@pytest.mark.parametrize("logit", [-8.0, -0.5, 0.0, 3.0, 12.0])
def test_the_leak_is_what_the_algebra_says(logit):
    leak = leak_at(logit)
    m = 1 / (1 + np.exp(-logit))
    assert leak.buggy[scene_language().vocabulary.cls_id] == pytest.approx(m)
    assert leak.total_variation == pytest.approx(m)
    assert leak.kl_correct_buggy == pytest.approx(-np.log1p(-m))
    assert leak.kl_buggy_correct == np.inf


def test_an_excluded_token_does_not_leak():
    assert leak_at(-np.inf)[2:] == (0.0, 0.0, 0.0)


def test_many_logits_and_many_blanks_are_measured_at_once():
    together = leak_at(np.array([-1.0, 0.0, 2.0]))
    for i, logit in enumerate((-1.0, 0.0, 2.0)):
        for many, one in zip(together, leak_at(logit), strict=True):
            np.testing.assert_array_equal(many[i], one)
    leaks = leaks_at_blanks(scene_language(), 7, np.random.default_rng(0))
    assert leaks.total_variation.shape == (len(LEAKED_LOGITS), 7)
    m = 1 / (1 + np.exp(-np.array(LEAKED_LOGITS)))
    np.testing.assert_allclose(leaks.total_variation, np.repeat(m[:, None], 7, axis=1))


@pytest.mark.parametrize("sentence", ["the chef cuts the bread .", "the [MASK] cuts the [MASK] ."])
def test_a_sentence_without_one_blank_is_refused(sentence):
    with pytest.raises(ValueError, match=f"has {sentence.count('[MASK]')} .MASK.; expected exactly one blank"):
        blank_distribution(scene_language(), sentence)
