"""A trained model as a player of the cloze game: a distribution over the words of the game, and what it pays."""

import math

import numpy as np
import pytest
import torch

from mlm_mini.languages import scene_language
from mlm_mini.languages.cloze import FULL_STOP, Game, Question, SceneCloze, scene_cloze, scene_questions, score
from mlm_mini.model import MaskedLM, ModelConfig, WordLevel
from mlm_mini.training import TrainedModel, TrainingConfig, fill, model_nats, model_player, player

pytestmark = pytest.mark.usefixtures("one_thread")

CHEF = Question(("the", "chef", "cuts", "the", "bread", "."), 4)


@pytest.fixture(scope="module")
def untrained():
    """A model with random weights, large enough that its beliefs depend on the sentence."""
    language = scene_language()
    shape = ModelConfig(
        vocab_size=len(language.vocabulary),
        max_position_embeddings=32,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.3,
    )
    model = MaskedLM(shape, torch.Generator().manual_seed(0)).eval()
    return TrainedModel(model, WordLevel(language.vocabulary), TrainingConfig(steps=1), [], None)


@pytest.fixture(scope="module")
def words():
    return scene_cloze().words


@pytest.fixture(scope="module")
def questions():
    """Sentences of different lengths, so that some rows are padded."""
    drawn = scene_questions(scene_language(), 40, np.random.default_rng(0))
    assert len({len(question.words) for question in drawn}) > 3
    return drawn


def test_a_model_believes_a_distribution_over_exactly_the_words(untrained, words, questions):
    believe = model_player(untrained, words).believe
    for question in questions[:10]:
        q = believe(question)
        assert tuple(q) == words
        assert FULL_STOP not in q
        assert math.isclose(sum(q.values()), 1)
        assert min(q.values()) > 0
    assert believe(questions[0]) != believe(questions[1])


def test_it_sees_the_blank_and_not_the_answer(untrained, words):
    believe = model_player(untrained, words).believe
    cheese = Question((*CHEF.words[:4], "cheese", "."), 4)
    assert believe(CHEF) == believe(cheese)


def test_it_believes_what_fill_says_shared_out_among_the_words(untrained, words):
    q = model_player(untrained, words).believe(CHEF)
    vocabulary = untrained.tokenizer.vocabulary
    (candidates,) = fill(untrained.model, untrained.tokenizer, " ".join(CHEF.shown), len(vocabulary), all_tokens=True)
    p = {candidate.token: candidate.probability for candidate in candidates}
    total = sum(p[word] for word in words)
    assert total < 1, "something is left for the full stop and the special tokens"
    assert q == pytest.approx({word: p[word] / total for word in words}, rel=1e-4)


def test_a_few_words_are_enough(untrained):
    q = model_player(untrained, ["bread", "cheese"]).believe(CHEF)
    assert list(q) == ["bread", "cheese"]
    assert math.isclose(sum(q.values()), 1)


@pytest.mark.parametrize("at_once", [7, 256])
def test_many_questions_cost_what_they_cost_one_by_one(at_once, untrained, words, questions, monkeypatch):
    monkeypatch.setattr(player, "QUESTIONS_AT_ONCE", at_once)  # 7 does not divide 40
    believe = model_player(untrained, words).believe
    one_by_one = [score(believe(question), question.answer) for question in questions]
    np.testing.assert_allclose(model_nats(untrained, questions, words), one_by_one, rtol=1e-4)


def test_a_word_that_the_model_does_not_know_is_refused(untrained, words):
    wug = Question(("the", "wug", "cuts", "the", "bread", "."), 4)
    for trial in (
        lambda: model_player(untrained, words).believe(wug),
        lambda: model_nats(untrained, [CHEF, wug], words),
        lambda: model_player(untrained, ["bread", "wug"]).believe(CHEF),
    ):
        with pytest.raises(ValueError, match="a word that the model does not know"):
            trial()


def test_it_plays_the_game(untrained, words):
    game = Game(SceneCloze(scene_language(), model_player(untrained, words)), np.random.default_rng(3))
    played = game.play(game.question.answer, 0.5)
    assert played.rival_nats == pytest.approx(model_nats(untrained, [played.question], words)[0], rel=1e-4)
    assert played.rival_nats > 0
    assert game.text.rival.name == "the trained model"
