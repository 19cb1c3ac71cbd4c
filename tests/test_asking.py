"""A model asked for hidden words: what is excluded, in blocks or at once, and the mode that it is left in."""

import numpy as np
import pytest
import torch

from mlm_mini.experiments.lab import asking
from mlm_mini.experiments.lab.asking import without_dropout, word_log_probabilities
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM, ModelConfig

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def model():
    """With dropout, and in the middle of a training."""
    shape = ModelConfig.tiny(len(scene_language().vocabulary), num_hidden_layers=1, hidden_dropout_prob=0.5)
    return MaskedLM(shape, torch.Generator().manual_seed(0)).train()


def hidden_sentences(n=7):
    language = scene_language()
    ids = language.sample(n, np.random.default_rng(1)).ids
    positions = np.tile([2, 4], (n, 1))
    np.put_along_axis(ids, positions, language.vocabulary.mask_id, axis=1)
    return ids, positions, language.vocabulary


def test_words_alone_share_the_probability(model):
    ids, positions, vocabulary = hidden_sentences()
    log_q = word_log_probabilities(model, ids, positions, vocabulary)
    assert log_q.shape == (7, 2, len(vocabulary))
    assert log_q.dtype == np.float64
    assert np.isneginf(log_q[..., vocabulary.special_ids]).all()
    np.testing.assert_allclose(np.exp(log_q).sum(axis=-1), 1)
    with torch.no_grad():
        logits = model.eval()(torch.from_numpy(ids), torch.from_numpy(ids != vocabulary.pad_id)).double().numpy()
    words = vocabulary.regular_ids
    scores = np.take_along_axis(logits, positions[..., None], axis=1)[..., words]
    np.testing.assert_allclose(np.diff(log_q[..., words]), np.diff(scores), atol=1e-5)


def test_a_sentence_is_told_the_same_in_any_block(model, monkeypatch):
    ids, positions, vocabulary = hidden_sentences()
    whole = word_log_probabilities(model, ids, positions, vocabulary)
    monkeypatch.setattr(asking, "ASKED_AT_ONCE", 3)
    np.testing.assert_allclose(word_log_probabilities(model, ids, positions, vocabulary), whole, atol=1e-5)
    assert word_log_probabilities(model, ids[:0], positions[:0], vocabulary).shape == (0, 2, len(vocabulary))


@pytest.mark.parametrize("training", [True, False])
def test_a_model_is_read_without_dropout_and_left_as_it_was(model, training):
    model.train(training)
    ids, positions, vocabulary = hidden_sentences()
    once, again = (word_log_probabilities(model, ids, positions, vocabulary) for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert model.training is training
    with pytest.raises(RuntimeError, match="on the way"):
        stopped(model)
    assert model.training is training


def stopped(model):
    with without_dropout(model):
        assert not model.training
        raise RuntimeError("on the way")
