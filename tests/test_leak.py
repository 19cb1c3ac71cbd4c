"""A special token left in the softmax, beside the algebra that chapter 04 does by hand."""

import numpy as np
import pytest
import torch

from mlm_mini.languages import scene_language
from mlm_mini.languages.leak import LEAKED_LOGITS, blank_distribution, leaks_at_blanks, measure_leak
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.training import quick_model

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


def logits_at_blanks(model, ids):
    """(B, V) float64 logits of sentences (B, T) with one [MASK] each."""
    vocabulary, ids = scene_language().vocabulary, torch.tensor(ids)
    blanks = (ids == vocabulary.mask_id).nonzero()[:, 1:]
    return model(ids, ids != vocabulary.pad_id, blanks)[:, 0].double()


def test_training_takes_the_probability_of_special_tokens_and_not_their_logits():
    language = scene_language()
    vocabulary, ids = language.vocabulary, language.sample(500, np.random.default_rng(0)).ids
    ids[:, 2] = vocabulary.mask_id
    trained = quick_model().model
    untrained = MaskedLM(trained.config, torch.Generator().manual_seed(0)).eval()
    with torch.no_grad():
        before, after = (logits_at_blanks(model, ids) for model in (untrained, trained))
    share = [z.softmax(-1)[:, vocabulary.special_ids.tolist()].sum(-1).mean().item() for z in (before, after)]
    assert share[0] == pytest.approx(len(vocabulary.special_ids) / len(vocabulary), rel=0.2)
    assert share[1] < 1e-3
    assert after.max(-1).values.max() > np.log(np.finfo(np.float16).max)  # as chapter 01 says of its model
    special, words = after[:, vocabulary.special_ids.tolist()].mean(), after[:, vocabulary.regular_ids.tolist()]
    assert abs(special - words.mean()) < 0.3 * (words.max(-1).values.mean() - words.mean())


def test_an_excluded_logit_has_no_gradient_and_moves_all_the_same():
    language = scene_language()
    vocabulary, ids = language.vocabulary, language.encode(SENTENCE)[None]
    model = MaskedLM(ModelConfig.of_size("tiny", len(vocabulary)), torch.Generator().manual_seed(0)).eval()
    special = torch.zeros(len(vocabulary), dtype=torch.bool)
    special[torch.tensor(vocabulary.special_ids.tolist())] = True
    before = logits_at_blanks(model, ids)
    before.retain_grad()
    answer = torch.tensor(vocabulary.ids(["bread"]))
    torch.nn.functional.cross_entropy(before.masked_fill(special, -torch.inf), answer).backward()
    with torch.no_grad():
        for weight in model.parameters():
            weight -= 0.01 * weight.grad
        change = (logits_at_blanks(model, ids) - before)[0]
    assert (before.grad[0, special] == 0).all()
    assert (change[special].abs() > 1e-4).all()
