"""What to mask: the exact bias, the samplers and their weights, what a step costs, and the study as a whole."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from mlm_mini.experiments import draw_questions, find_experiment, question_kl
from mlm_mini.experiments.lab import study as lab_study
from mlm_mini.experiments.lab.cost import mean_length
from mlm_mini.experiments.lab.rates import at_best_rates, best_rates
from mlm_mini.experiments.lab.verdicts import HOLDS, UNDECIDED, decide_above
from mlm_mini.experiments.strategy import run, scores, selection, signals
from mlm_mini.experiments.strategy.config import (
    STUDY_RATIO,
    MaskStrategyConfig,
    StrategyCell,
    equal_steps,
    step_flops,
)
from mlm_mini.experiments.strategy.fixed_points import (
    bias,
    learned_distribution,
    softmax_fixed_point,
    surprisal_fixed_point,
)
from mlm_mini.experiments.strategy.noisy_scenes import code_ids, noisy_scenes
from mlm_mini.experiments.strategy.picks import sentence_picks
from mlm_mini.experiments.strategy.result import MaskStrategy, StrategyScore
from mlm_mini.experiments.strategy.run import measure_mask_strategy, run_strategy_cell
from mlm_mini.experiments.strategy.scores import calibration
from mlm_mini.experiments.strategy.selection import (
    OVERSAMPLING,
    SCORE_FLOOR,
    STRATEGIES,
    Selection,
    blanked_batch,
    inclusion_probabilities,
    poisson_sample,
    score_candidates,
    select,
    selected_batch,
)
from mlm_mini.experiments.strategy.signals import Signal, measure_signals, squared_norms
from mlm_mini.languages import scene_language
from mlm_mini.model import ModelConfig
from mlm_mini.reference import entropy, softmax
from mlm_mini.shipped import results_folder
from mlm_mini.training import accumulate_gradient
from mlm_mini.training.run import first_model

pytestmark = pytest.mark.usefixtures("one_thread")

TWO = np.array([0.9, 0.1])


@pytest.fixture(scope="module")
def model():
    return first_model(ModelConfig.tiny(len(scene_language().vocabulary)), 0)


@pytest.fixture(scope="module")
def ids():
    return scene_language().sample(48, np.random.default_rng(0)).ids


@pytest.fixture
def small_study(monkeypatch, tmp_path):
    """A study of a few seconds, in a cache of its own."""
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    monkeypatch.setattr(scores, "ASKED_SENTENCES", 60)
    monkeypatch.setattr(signals, "TARGET_SENTENCES", 64)
    monkeypatch.setattr(run, "BIASED_QUESTIONS", 20)
    scores.questions_of.cache_clear()
    yield MaskStrategyConfig(
        languages=("scenes", "noisy"),
        arms=(("uniform", False), ("surprisal", True)),
        free=("surprisal",),
        steps=3,
        seeds=2,
        rates=(1e-3, 3e-3),
        probed=(1.0,),
        probe_batches=2,
    )
    scores.questions_of.cache_clear()


# ---- two words


def test_the_exact_numbers_of_two_words():
    q = surprisal_fixed_point(TWO)
    np.testing.assert_allclose(q, [0.711438500, 0.288561500], atol=1e-9)
    assert bias(TWO, q) == pytest.approx(0.105621406, abs=1e-8)
    np.testing.assert_allclose(softmax_fixed_point(TWO, 1), [0.75, 0.25], atol=1e-12)  # sqrt(0.9 / 0.1) = 3
    assert bias(TWO, softmax_fixed_point(TWO, 1e9)) == pytest.approx(np.log(2) - entropy(TWO), abs=1e-6)


def test_the_fixed_point_is_its_own_answer_for_any_number_of_words():
    p = np.random.default_rng(0).dirichlet(np.ones(7) * 0.4, size=20)
    p[0, 2] = 0
    p[0] /= p[0].sum()
    q = surprisal_fixed_point(p)
    np.testing.assert_allclose(q, learned_distribution(p, -np.log(np.where(p > 0, q, 1.0))), atol=1e-10)
    np.testing.assert_allclose(q.sum(-1), 1)
    assert q[0, 2] == 0
    a = 2.5
    q = softmax_fixed_point(p, a)
    np.testing.assert_allclose(q, learned_distribution(p, np.where(q > 0, q, 1.0) ** -a), atol=1e-10)


def test_certain_words_stay_certain_and_even_ones_even():
    np.testing.assert_array_equal(surprisal_fixed_point([[1.0, 0.0, 0.0]]), [[1.0, 0.0, 0.0]])
    np.testing.assert_allclose(surprisal_fixed_point(np.full(5, 0.2)), np.full(5, 0.2))


def test_training_by_its_own_surprisal_ends_at_the_fixed_point_and_weights_or_entropies_mend_it():
    """Plain gradient descent on the two logits, with the mean gradient sum_w p(w) s(w) weight(w) (q - e_w)."""

    def descend(chance, weight):
        z = np.zeros(2)
        for _ in range(4000):
            q = softmax(z)
            s = chance(q)
            z -= 0.5 * ((TWO * s * weight(s))[:, None] * (q - np.eye(2))).sum(0)
        return softmax(z)

    own = descend(lambda q: -np.log(q), lambda s: 1.0)
    np.testing.assert_allclose(own, surprisal_fixed_point(TWO), atol=1e-6)
    np.testing.assert_allclose(descend(lambda q: -np.log(q), lambda s: 1 / s), TWO, atol=1e-6)
    np.testing.assert_allclose(descend(lambda q: np.full(2, entropy(q)), lambda s: 1.0), TWO, atol=1e-6)


def test_what_is_learned_is_how_often_a_word_is_asked_for():
    np.testing.assert_allclose(learned_distribution([0.5, 0.3, 0.2], [1, 2, 0]), [0.5 / 1.1, 0.6 / 1.1, 0])
    np.testing.assert_allclose(learned_distribution(TWO, [3, 3]), TWO)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: learned_distribution([0.5, 0.6], [1, 1]), "sum"),
        (lambda: learned_distribution(TWO, [1, -1]), "s has -1"),
        (lambda: learned_distribution(TWO, [0, 0]), "no word is ever asked"),
        (lambda: surprisal_fixed_point([0.5, 0.6]), "sum"),
        (lambda: softmax_fixed_point(TWO, -1), "a is -1"),
    ],
)
def test_two_words_refuse_what_has_no_answer(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- samplers


def test_inclusion_probabilities_are_proportional_up_to_one_and_sum_to_what_is_expected():
    scores = np.array([0.5, 1.0, 1.5, 20.0, 0.0])
    pi = inclusion_probabilities(scores, 2)
    assert pi[3] == 1
    np.testing.assert_allclose(pi, [1 / 6, 1 / 3, 1 / 2, 1, 0])
    np.testing.assert_allclose(inclusion_probabilities([1, 2, 3], 1), [1 / 6, 1 / 3, 1 / 2])
    np.testing.assert_array_equal(inclusion_probabilities([1, 2, 3], 3), [1, 1, 1])
    np.testing.assert_array_equal(inclusion_probabilities([1, 2, 3], 0), [0, 0, 0])
    np.testing.assert_allclose(inclusion_probabilities([0, 0, 4, 0], 2), [1 / 3, 1 / 3, 1, 1 / 3])
    np.testing.assert_allclose(inclusion_probabilities([0, 0], 1), [0.5, 0.5])


def test_inclusion_probabilities_on_many_random_scores():
    rng = np.random.default_rng(0)
    for _ in range(200):
        scores = rng.gamma(0.3, size=int(rng.integers(1, 60)))
        expected = rng.uniform(0, len(scores))
        pi = inclusion_probabilities(scores, expected)
        assert pi.sum() == pytest.approx(expected)
        assert ((pi >= 0) & (pi <= 1)).all()
        free = pi < 1
        ratios = pi[free] / scores[free]
        np.testing.assert_allclose(ratios, ratios[:1].repeat(len(ratios)))
        assert (pi[~free] <= scores[~free] * ratios.max(initial=np.inf) + 1e-12).all()  # nobody is capped without need


@pytest.mark.parametrize(
    ("scores", "expected", "message"),
    [
        ([1.0, -0.1], 1, "scores"),
        ([1.0, np.nan], 1, "scores"),
        ([1.0, np.inf], 1, "scores"),
        ([1.0], 2, "expected is 2"),
    ],
)
def test_inclusion_probabilities_refuse_impossible_scores_and_numbers(scores, expected, message):
    with pytest.raises(ValueError, match=message):
        inclusion_probabilities(scores, expected)


def test_a_poisson_sample_has_the_probabilities_it_was_given():
    pi, draws = np.array([0.0, 0.02, 0.3, 0.77, 1.0]), 20_000
    share = poisson_sample(np.tile(pi, (draws, 1)), np.random.default_rng(3)).mean(axis=0)
    assert (np.abs(share - pi) <= 4.5 * np.sqrt(pi * (1 - pi) / draws)).all()
    with pytest.raises(ValueError, match="probability"):
        poisson_sample([1.2], np.random.default_rng(0))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_asks_for_its_share_of_words_and_hides_what_it_says(strategy, weighted, model, ids):
    vocabulary, rng = scene_language().vocabulary, np.random.default_rng(1)
    asked = hidden = 0
    for _ in range(30):
        chosen = select(strategy, weighted, ids, vocabulary, 0.15, rng, model)
        assert not (chosen.asked & ~chosen.hidden).any()
        assert not (chosen.hidden & ~chosen.candidates).any()
        assert not np.isin(ids[chosen.candidates], vocabulary.special_ids).any()
        assert (chosen.weights[~chosen.asked] == 0).all()
        assert (chosen.weights[chosen.asked] > 0).all()
        if not weighted:
            assert chosen.weights.sum() == pytest.approx(1)
        asked, hidden = asked + chosen.asked.sum(), hidden + chosen.hidden.sum()
    words = 30 * (~np.isin(ids, vocabulary.special_ids)).sum()
    assert asked / words == pytest.approx(0.15, abs=0.012)  # four standard errors and a half
    twice = strategy in ("kept", "kept at random")
    assert hidden / words == pytest.approx(0.15 * OVERSAMPLING if twice else 0.15, abs=0.016)


def test_selected_words_are_more_surprising_and_the_weights_undo_it(model, ids):
    vocabulary = scene_language().vocabulary

    def loss(strategy, weighted):
        rng, total = np.random.default_rng(2), []
        for _ in range(60):
            chosen = select(strategy, weighted, ids, vocabulary, 0.15, rng, model)
            nats = np.zeros(ids.shape)
            nats[chosen.candidates] = score_candidates(model, ids, vocabulary, chosen.candidates).surprisal
            total.append((chosen.weights * nats).sum())
        return np.mean(total), np.std(total, ddof=1) / np.sqrt(60)

    (plain, _), (mean, error), (weighted, weighted_error) = (
        loss(*arm) for arm in (("surprisal", False), ("kept at random", False), ("surprisal", True))
    )
    assert plain > mean + 0.02
    assert abs(weighted - mean) < 4 * np.hypot(error, weighted_error)


def test_importance_weights_give_the_gradient_of_all_candidates_exactly_in_the_mean(model, ids):
    """All 2^4 outcomes of a Poisson sample among four hidden words, each with its probability."""
    language = scene_language()
    row = ids[:1]
    candidates = np.zeros(row.shape, dtype=bool)
    candidates[0, [1, 2, 3, 4]] = True
    score = score_candidates(model, row, language.vocabulary, candidates).surprisal ** 2
    pi = np.zeros(row.shape)
    pi[candidates] = inclusion_probabilities(score + SCORE_FLOOR * score.mean(), 2)

    def gradient(asked, weights):
        model.zero_grad()
        selection = Selection(candidates, candidates, asked, pi, weights)
        accumulate_gradient(model, selected_batch(row, language.vocabulary, selection))
        return torch.cat(
            [w.grad.flatten() if w.grad is not None else torch.zeros(w.numel()) for w in model.parameters()]
        )

    wanted = gradient(candidates, candidates / 4)
    weighted, plain = torch.zeros_like(wanted), torch.zeros_like(wanted)
    for outcome in itertools.product([False, True], repeat=4):
        asked = candidates.copy()
        asked[candidates] = outcome
        chance = float(np.where(outcome, pi[candidates], 1 - pi[candidates]).prod())
        inverse = np.divide(1.0, 4 * pi, where=asked, out=np.zeros(row.shape))
        weighted += chance * gradient(asked, inverse)
        plain += chance * gradient(asked, asked / max(asked.sum(), 1))
    assert torch.allclose(weighted, wanted, atol=1e-6)
    assert not torch.allclose(plain, wanted, atol=1e-3)


def test_entropy_does_not_look_at_the_hidden_words_and_surprisal_does(model, ids):
    vocabulary = scene_language().vocabulary
    candidates = np.zeros(ids.shape, dtype=bool)
    candidates[:, [2, 3]] = True
    other = np.where(candidates, vocabulary.ids(["bread"])[0], ids)
    here, there = (score_candidates(model, x, vocabulary, candidates) for x in (ids, other))
    np.testing.assert_array_equal(here.entropy, there.entropy)
    assert (here.surprisal != there.surprisal).mean() > 0.9
    assert here.entropy.shape == (candidates.sum(),)


def test_scores_agree_with_logits_at_every_position(model, ids):
    vocabulary, rng = scene_language().vocabulary, np.random.default_rng(4)
    candidates = (rng.random(ids.shape) < 0.3) & (ids > 4)
    scores = score_candidates(model, ids, vocabulary, candidates)
    batch = blanked_batch(ids, vocabulary, candidates, candidates)
    with torch.no_grad():
        q = softmax(model(batch.ids, batch.attention_mask).double().numpy())[candidates]
    np.testing.assert_allclose(scores.entropy, entropy(q), atol=1e-5)
    np.testing.assert_allclose(scores.surprisal, -np.log(q[np.arange(len(q)), ids[candidates]]), atol=1e-5)


@pytest.mark.parametrize(("strategy", "ratio"), [("uniform 30%", 0.3), ("uniform 40%", 0.4)])
def test_uniform_masks_that_hide_more_ask_for_all_of_it(ids, strategy, ratio):
    vocabulary = scene_language().vocabulary
    more = select(strategy, False, ids, vocabulary, 0.15, np.random.default_rng(6))
    plain = select("uniform", False, ids, vocabulary, ratio, np.random.default_rng(6))
    np.testing.assert_array_equal(more.hidden, plain.hidden)
    np.testing.assert_array_equal(more.asked, more.hidden)
    assert more.weights.sum() == pytest.approx(1)
    assert more.asked.sum() / np.isin(ids, vocabulary.regular_ids).sum() == pytest.approx(ratio, abs=0.06)


def test_no_candidate_is_ruled_out(monkeypatch, ids):
    """A tenth of the mean score is added to each, so that no weight is without bound."""
    certain = []

    def score(strategy, ids, vocabulary, candidates, model):
        certain.append(np.arange(int(candidates.sum())) % 3 == 0)
        return np.where(certain[-1], 0.0, 3.0)

    monkeypatch.setattr(selection, "_score", score)
    chosen = select("surprisal", False, ids, scene_language().vocabulary, 0.15, np.random.default_rng(0))
    probability = chosen.probability[chosen.candidates]
    unlikely, likely = probability[certain[0]], probability[~certain[0]]
    assert unlikely[0] / likely[0] == pytest.approx(0.2 / 3.2, rel=0.02)  # the mean score is 2
    assert probability.sum() == pytest.approx(len(probability) / 2)


def test_select_refuses_unknown_strategies_and_a_missing_model(ids):
    vocabulary, rng = scene_language().vocabulary, np.random.default_rng(0)
    with pytest.raises(ValueError, match="strategy is 'hard'"):
        select("hard", False, ids, vocabulary, 0.15, rng)
    with pytest.raises(ValueError, match="give the model"):
        select("entropy", False, ids, vocabulary, 0.15, rng)


def test_the_picks_of_one_sentence(model):
    language = scene_language()
    ids = language.encode("the chef cuts the bread in the kitchen .")
    ids = ids[ids != language.vocabulary.pad_id]
    picks, again, more = (sentence_picks(model, ids, language.vocabulary, ratio, 5) for ratio in (0.2, 0.2, 0.4))
    assert picks.tokens[1:4] == ("the", "chef", "cuts")
    assert set(picks.asked) == set(STRATEGIES)
    for strategy in STRATEGIES:
        np.testing.assert_array_equal(picks.asked[strategy], again.asked[strategy])
        assert not (picks.asked[strategy] & ~picks.hidden[strategy]).any()
    assert not (picks.candidates & ~more.candidates).any()
    assert not (picks.asked["uniform"] & ~picks.candidates).any()
    assert (picks.surprisal[picks.maskable] > 0).all()
    assert (picks.surprisal[~picks.maskable] == 0).all()
    at = np.flatnonzero(~picks.candidates & picks.maskable)[0]
    alone = picks.candidates | (np.arange(len(ids)) == at)
    score = score_candidates(model, ids[None], language.vocabulary, alone[None])
    assert picks.entropy[at] == pytest.approx(score.entropy[np.flatnonzero(alone) == at][0], abs=1e-5)
    for ratio in (0.0, 1.0):
        assert sentence_picks(model, ids, language.vocabulary, ratio, 5).asked["entropy"].sum() == ratio * 9


# ---- noise


def test_codes_are_pure_noise_and_the_words_are_as_they_were():
    scenes, noisy = scene_language(), noisy_scenes()
    text = "the chef cuts the bread ."
    ids = noisy.encode(f"{text} x01 x63 x00 x17")
    codes = np.isin(ids, code_ids(noisy.vocabulary))
    assert codes.sum() == 4
    hidden = np.where(codes, noisy.vocabulary.mask_id, ids)
    hidden[2] = noisy.vocabulary.mask_id
    p = noisy.posterior(hidden[None])[0]
    np.testing.assert_allclose(entropy(p[codes]), np.log(64))
    plain = scenes.encode(text)
    plain[2] = scenes.vocabulary.mask_id
    np.testing.assert_allclose(p[2, : len(scenes.vocabulary)], scenes.posterior(plain[None])[0, 2], atol=1e-12)
    sample = noisy.sample(200, np.random.default_rng(0))
    assert (np.isin(sample.ids, code_ids(noisy.vocabulary)).sum(axis=1) == 4).all()
    assert np.isfinite(noisy.log_marginal(sample.ids)).all()
    assert (sample.roles > 0).any(axis=1).all()
    with pytest.raises(ValueError, match="codes is 0"):
        noisy_scenes(0)


# ---- one cell


def test_what_a_step_costs():
    language = scene_language()
    shape = ModelConfig.tiny(len(language.vocabulary))
    length = mean_length(language)
    words = length - 2
    assert length == pytest.approx((language.sample(4000, np.random.default_rng(0)).ids != 0).sum(axis=1).mean())
    plain, twice = (shape.training_flops_per_token(length, r * words / length) for r in (0.15, 0.3))
    assert step_flops("uniform", shape, language) == step_flops("kept at random", shape, language) == plain
    assert step_flops("uniform 30%", shape, language) == twice
    assert step_flops("uniform 40%", shape, language) > twice
    assert step_flops("surprisal", shape, language) == step_flops("entropy", shape, language) == plain + twice / 3
    assert step_flops("surprisal", shape, language, charged=False) == plain
    assert step_flops("kept", shape, language) == pytest.approx(plain + (twice - plain) / 3)
    steps = {s: equal_steps(StrategyCell("scenes", s, False, 1000, 0)) for s in STRATEGIES}
    assert steps["uniform"] == 1000
    assert 720 < steps["surprisal"] < 750
    assert 980 < steps["kept"] < 1000


def test_calibration_measures_confidence_against_exact_probabilities():
    p = np.array([[0.7, 0.3], [0.6, 0.4], [0.2, 0.8]])
    assert calibration(p, p) == pytest.approx((0, 0))
    sure = np.array([[0.95, 0.05], [0.95, 0.05], [0.05, 0.95]])
    assert calibration(p, sure) == pytest.approx((0.25, 0.25))
    error, overconfidence = calibration(p, np.array([[0.9, 0.1], [0.51, 0.49], [0.2, 0.8]]))
    assert error == pytest.approx((0.2 + 0.09 + 0) / 3)
    assert overconfidence == pytest.approx((0.2 - 0.09) / 3)
    # 0.84 and 0.86 are in the same tenth, where one too sure and one too unsure cancel; 0.86 and 0.94 are not.
    assert calibration(np.array([[0.8, 0.2], [0.9, 0.1]]), np.array([[0.84, 0.16], [0.86, 0.14]])) == pytest.approx(
        (0, 0), abs=1e-12
    )
    apart = calibration(np.array([[0.82, 0.18], [0.98, 0.02]]), np.array([[0.86, 0.14], [0.94, 0.06]]))
    assert apart == pytest.approx((0.04, 0), abs=1e-12)


def test_words_and_codes_are_scored_apart(monkeypatch):
    p = np.tile([0.5, 0.5], (3, 1))
    log_q = np.log([[0.5, 0.5], [0.25, 0.75], [0.125, 0.875]])
    kl = (p * (np.log(p) - log_q)).sum(axis=1)
    monkeypatch.setattr(scores, "answers", lambda model, questions: iter([(p[:2], log_q[:2]), (p[2:], log_q[2:])]))
    for words, at_codes in (([True, True, False], kl[2]), ([True, False, False], kl[1:].mean()), ([True] * 3, None)):
        monkeypatch.setattr(scores, "questions_of", lambda language, words=words: (None, np.array(words)))
        found = scores.score_model(None, None)
        assert found["kl"] == pytest.approx(kl[words].mean(), abs=1e-4)
        assert found["kl_noise"] == (None if at_codes is None else pytest.approx(at_codes, abs=1e-4))
        too_sure = np.array([0.0, 0.25, 0.375])[words].mean()  # beside a half, what each likeliest word is worth
        assert (found["calibration_error"], found["overconfidence"]) == pytest.approx((too_sure, too_sure), abs=1e-4)


def test_the_useful_part_goes_along_the_target_whatever_its_length(monkeypatch, model):
    cell = StrategyCell("scenes", "uniform", False, steps=1, seed=0, arms=(("uniform", False),), probe_batches=2)
    drawn = torch.tensor([[3.0, 1.0], [5.0, -1.0]])
    for length in (1.0, 7.0):
        batches = iter([(drawn[0], torch.tensor(1.0)), (drawn[1], torch.tensor(2.0))])
        monkeypatch.setattr(signals, "kl_gradient", lambda *_, length=length: length * torch.tensor([0.6, 0.8]))
        monkeypatch.setattr(signals, "_batch_gradient", lambda *_, batches=batches: next(batches))
        (found,) = measure_signals(model, scene_language(), cell, 1.0)
        assert found.useful == pytest.approx(4 * 0.6)  # the mean gradient is (4, 0)
        assert found.nats == pytest.approx(1.5)


def test_all_arms_are_probed_on_the_same_sentences_with_the_same_luck(monkeypatch, model):
    drawn = {}

    def batch_gradient(model, ids, language, strategy, weighted, masks):
        drawn.setdefault((strategy, weighted), []).append((ids.tobytes(), masks.random()))
        return torch.ones(2), torch.tensor(0.0)

    monkeypatch.setattr(signals, "kl_gradient", lambda *_: torch.ones(2))
    monkeypatch.setattr(signals, "_batch_gradient", batch_gradient)
    arms = (("uniform", False), ("entropy", False), ("entropy", True))
    cell = StrategyCell("scenes", "uniform", False, steps=1, seed=0, arms=arms, probe_batches=3)
    found = measure_signals(model, scene_language(), cell, 0.5)
    assert [(s.strategy, s.weighted, s.after) for s in found] == [(*arm, 0.5) for arm in arms]
    assert drawn["uniform", False] == drawn["entropy", False] == drawn["entropy", True]
    assert len(set(drawn["uniform", False])) == 3
    once = drawn.copy()
    drawn.clear()
    measure_signals(model, scene_language(), cell, 1.0)
    assert drawn["uniform", False] != once["uniform", False]  # other sentences at another moment of the training


def test_the_target_is_the_gradient_of_the_divergence_at_words_alone(monkeypatch):
    """A small step against it takes off, of the mean KL at words, the step times the squared length."""
    monkeypatch.setattr(signals, "TARGET_SENTENCES", 64)
    language = noisy_scenes()
    noisy_model = first_model(ModelConfig.tiny(len(language.vocabulary)), 0)
    target = signals.kl_gradient(noisy_model, language, np.random.default_rng(1))
    questions = draw_questions(language, 64, STUDY_RATIO, np.random.default_rng(1))
    words = scores.about_words(questions, language)
    before, step = question_kl(noisy_model, questions)[words].mean(), 0.001 / float(target.norm())
    weights = list(noisy_model.parameters())
    nn.utils.vector_to_parameters(nn.utils.parameters_to_vector(weights).detach() - step * target, weights)
    taken_off = before - question_kl(noisy_model, questions)[words].mean()
    assert 0 < words.sum() < len(words)
    assert taken_off == pytest.approx(step * float(target @ target), rel=0.01)


def test_the_squared_norm_of_a_mean_gradient_is_free_of_noise():
    rng = np.random.default_rng(0)
    mean, spread = np.array([1.0, 2.0, 0.0]), 5.0
    found = [squared_norms(torch.from_numpy(mean + spread * rng.normal(size=(6, 3)))) for _ in range(4000)]
    signal, batch = np.mean(found, axis=0)
    assert signal == pytest.approx(5, abs=4 * np.std([f[0] for f in found]) / np.sqrt(4000))
    assert batch == pytest.approx(5 + 75, rel=0.03)
    naive = (mean**2).sum() + 3 * spread**2 / 6
    assert naive > 3 * signal  # what the square of the mean of six gradients would say


def test_a_cell_is_the_same_every_time_and_its_pairs_share_text_and_weights(small_study):
    cell = StrategyCell("noisy", "surprisal", True, 2, 1)
    one, two = run_strategy_cell(cell), run_strategy_cell(cell)
    assert {k: v for k, v in one.items() if k != "cpu_seconds"} == {k: v for k, v in two.items() if k != "cpu_seconds"}
    assert one["steps"] == 1
    assert one["kl_noise"] > 0
    assert run_strategy_cell(StrategyCell("noisy", "surprisal", True, 2, 2))["kl"] != one["kl"]


def test_the_share_of_masks_on_noise_is_that_of_the_last_quarter(small_study, monkeypatch):
    shares = iter(np.arange(1, 9) / 10)
    monkeypatch.setattr(run, "noise_share", lambda *_: next(shares))
    monkeypatch.setattr(run, "equal_steps", lambda cell: 8)
    cell = StrategyCell("noisy", "uniform", False, 8, 0)
    assert run_strategy_cell(cell)["noise_share"] == pytest.approx((0.7 + 0.8) / 2)


# ---- the study


def test_a_study_is_measured_shown_stored_and_gone_on_with(small_study, monkeypatch):
    result = measure_mask_strategy(small_study, np.random.default_rng(0), workers=1)
    assert len(result.scores) == len(small_study.cells()) == 10
    assert len({cell.name for cell in small_study.cells()}) == 10
    assert [score.cell for score in result.scores] == at_best_rates(small_study.cells(), result.tried)
    assert len(result.tried) == 2 * 5  # both rates, for two arms in each language and one that looks for free
    assert set(best_rates(result.tried).values()) <= {1e-3, 3e-3}
    text = result.to_json()
    again = MaskStrategy.from_json(text)
    assert again.to_json() == text
    assert again.table() == result.table()
    assert again.config == small_study
    for word in ("surprisal, weighted", "looking free", "noisy", "overconfidence"):
        assert word in result.table()
    assert "surprisal, weighted" in result.describe()
    result.plot()
    assert result.ratio("norm", "uniform").value == 1
    assert result.versus("kl", "uniform").value == 0
    assert 0 <= result.exact_bias < 0.5

    monkeypatch.setattr(lab_study, "_run_and_keep", pytest.fail)  # nothing is trained a second time
    kept = measure_mask_strategy(small_study, np.random.default_rng(0), workers=1)
    assert kept.to_json() == text


def planted(kl_of_surprisal):
    """A result whose models by surprisal have these KLs, uniform masks 0.5 and 0.6."""
    config = MaskStrategyConfig(
        languages=("scenes",), arms=(("uniform", False), ("surprisal", False)), free=(), seeds=2, probed=(1.0,)
    )
    signal = Signal("uniform", False, 1.0, 1.0, 4.0, 0.5, 2.0)
    signals = (signal, Signal("surprisal", False, 1.0, 2.25, 9.0, 0.5, 3.0))
    kl = {"uniform": (0.5, 0.6), "surprisal": kl_of_surprisal}
    scores = tuple(
        StrategyScore(
            cell,
            1,
            kl[cell.strategy][cell.seed],
            None,
            0.0,
            0.0,
            0.0,
            signals if cell.strategy == "uniform" else (),
            0.0,
        )
        for cell in config.cells()
    )
    return MaskStrategy(config, scores, 0.1)


def test_figures_come_from_the_scores():
    result = planted((0.3, 0.401))
    assert result.versus("kl", "surprisal").value == pytest.approx(-0.1995)
    assert result.ratio("norm", "surprisal").value == pytest.approx(1.5)
    assert result.ratio("useful", "surprisal").value == pytest.approx(1)
    assert result.ratio("efficiency", "surprisal").value == pytest.approx(2 / 3)
    assert result.ratio("nats", "surprisal").value == pytest.approx(1.5)
    titles = [ax.get_title() for ax in result.plot().axes]
    assert titles[0].endswith("surprisal, 1.50 times uniform")
    assert titles[1] == "Nearest: surprisal, -0.20 nats"
    assert planted((0.6, 0.701)).plot().axes[1].get_title().endswith("surprisal, +0.10 nats")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seeds": 1}, "seeds is 1"),
        ({"steps": 0}, "steps is 0"),
        ({"languages": ("french",)}, "languages is"),
        ({"languages": ()}, "languages is"),
        ({"arms": (("entropy", False),)}, "arms is"),
        ({"arms": (("uniform", False), ("hard", True))}, "strategy is 'hard'"),
        ({"free": ("hard",)}, "strategy is 'hard'"),
        ({"probed": (0.0,)}, "probed is"),
        ({"probed": ()}, "probed is"),
        ({"probe_batches": 1}, "probe_batches is 1"),
    ],
)
def test_a_config_says_what_is_wrong(fields, message):
    with pytest.raises(ValueError, match=message):
        MaskStrategyConfig(**fields)


def signals_of(values):
    """Signals of uniform masks and of surprisal for each seed: `signal` and `useful` of both, and (S,) norms."""
    config = MaskStrategyConfig(
        languages=("scenes",),
        arms=(("uniform", False), ("surprisal", False)),
        free=(),
        seeds=len(values),
        probed=(1.0,),
    )
    both = [
        (Signal("uniform", False, 1.0, one, 4.0, 0.5, 2.0), Signal("surprisal", False, 1.0, other, 4.0, 0.5, 2.0))
        for one, other in values
    ]
    scores = tuple(
        StrategyScore(cell, 1, 0.5, None, 0.0, 0.0, 0.0, both[cell.seed] if cell.strategy == "uniform" else (), 0.0)
        for cell in config.cells()
    )
    return MaskStrategy(config, scores, 0.1)


def test_the_interval_of_a_factor_holds_the_truth_as_often_as_it_says():
    rng, held = np.random.default_rng(0), []
    for _ in range(300):
        luck = rng.normal(0, 0.3, (5, 1)) + rng.normal(0, 0.15, (5, 2))  # what a seed does to both, and to each
        found = signals_of(np.array([1.0, 4.0]) * np.exp(luck)).ratio("norm", "surprisal")
        held.append(found.low <= 2 <= found.high)
    assert 0.91 < np.mean(held) < 0.985


def test_a_factor_that_is_lost_in_the_noise_is_undecided():
    lost = signals_of([(1.0, 4.0), (1.0, -3.0), (1.0, -2.0)]).factor("norm", "surprisal")
    assert (lost.estimate.low, lost.estimate.high) == (-np.inf, np.inf)
    assert decide_above(lost, 1.0).word == UNDECIDED
    nothing_to_divide_by = [(1.0, 4.0), (-0.5, 4.0), (-0.6, 4.0)]  # uniform masks have no signal without the first seed
    lost = signals_of(nothing_to_divide_by).factor("norm", "surprisal")
    assert (lost.estimate.low, lost.estimate.high) == (-np.inf, np.inf)
    assert decide_above(lost, 1.0).word == UNDECIDED
    sure = signals_of([(1.0, 4.0), (1.1, 4.1), (0.9, 3.9)]).factor("norm", "surprisal")
    assert decide_above(sure, 1.0).word == HOLDS
    wide = signals_of([(1.0, 4.0), (1.0, 1.1), (1.0, 0.5)]).factor("norm", "surprisal")
    assert wide.value > 1.2
    assert decide_above(wide, 1.0).word == UNDECIDED  # the value lies beyond 1, the interval does not


def test_the_gradients_of_a_language_are_those_of_models_that_learned_it():
    config = MaskStrategyConfig(arms=(("uniform", False), ("surprisal", False)), free=(), seeds=2)
    squares, kl = {"scenes": 4.0, "noisy": 9.0}, {"scenes": 0.5, "noisy": 2.0}
    scores = tuple(
        StrategyScore(
            cell,
            1,
            kl[cell.language] + 0.1 * (cell.strategy == "surprisal"),
            None,
            0.0,
            0.0,
            0.0,
            tuple(
                Signal(strategy, False, after, signal + 16 * (after < 1), 4.0, 0.5, 2.0)
                for strategy, signal in (("uniform", 1.0), ("surprisal", squares[cell.language] + 0.1 * cell.seed))
                for after in config.probed
            )
            if cell.strategy == "uniform"
            else (),
            0.0,
        )
        for cell in config.cells()
    )
    study = MaskStrategy(config, scores, 0.1)
    for language, square in squares.items():
        signals = [signal.signal for signal in study.signals("surprisal", language=language)]
        assert signals == [square, square + 0.1]
        norm = study.ratio("norm", "surprisal", language=language).value
        assert norm == pytest.approx(np.sqrt(square + 0.05))
        assert study.versus("kl", "surprisal", language=language).value == pytest.approx(0.1)
        block = next(part for part in study.table().split("\n\n") if part.startswith(f"{language}:"))
        assert f"{norm:.2f} (" in block
        early = study.ratio("norm", "surprisal", after=0.25, language=language).value
        assert early == pytest.approx(np.sqrt((square + 16.05) / 17))
    titles = [ax.get_title() for ax in study.plot().axes]  # of the first language, at the end of the training
    assert titles == ["The longest: surprisal, 2.01 times uniform", "Nearest: surprisal, +0.10 nats"]


def test_a_result_says_what_it_does_not_have():
    result = planted((0.6, 0.7))
    with pytest.raises(ValueError, match="no such arm"):
        result.of("entropy")
    with pytest.raises(ValueError, match="no gradients"):
        result.signals("surprisal", after=0.5)
    with pytest.raises(ValueError, match="measure is 'loss'"):
        result.values("loss", "uniform")
    with pytest.raises(ValueError, match="figure is 'length'"):
        result.ratio("length", "surprisal")
    with pytest.raises(ValueError, match="missing"):
        MaskStrategy.from_json("{}")


def test_the_shipped_study_is_the_full_one():
    experiment = find_experiment("mask_strategy")
    study = experiment.shipped()
    assert study.config == experiment.full == MaskStrategyConfig()
    assert [score.cell for score in study.scores] == at_best_rates(study.config.cells(), study.tried)
    assert study.config.seeds >= 5
    file = results_folder("experiments") / "mask_strategy.json"
    assert file.stat().st_size < 200_000
    assert study.of("surprisal")[0].steps == equal_steps(study.of("surprisal")[0].cell)


# ---- what is shown


def every_arm():
    """A result whose arms differ: (kl, overconfidence, share of masks on codes) of arm i are i + 1 times (0.1, 0.01,
    0.02), a language adds 3 to the first, seeds 10, and their gradients grow with the arm."""
    config = MaskStrategyConfig(
        arms=(("uniform", False), ("entropy", False), ("surprisal", True)),
        free=("entropy",),
        seeds=2,
        probed=(0.25, 1.0),
    )
    places = {(*arm, True): i for i, arm in enumerate(config.arms)} | {("entropy", False, False): 5}

    def score(cell):
        i = places[cell.strategy, cell.weighted, cell.charged] + 1
        kl = 0.1 * i + 3 * (cell.language == "noisy") + 10 * cell.seed
        over = 0.01 * i + 0.002 * (cell.seed - 0.5)
        probed = tuple(
            Signal(strategy, weighted, after, (1 + j) ** 2 * after, 4.0 * (1 + j) ** 2, 0.5 * (1 + j) ** 3, 2.0)
            for j, (strategy, weighted) in enumerate(config.arms)
            for after in config.probed
        )
        return StrategyScore(cell, 100 + i, kl, None, 0.5, over, 0.02 * i, probed if i == 1 else (), 1.0)

    scores = [score(cell) for cell in config.cells()]
    return MaskStrategy(config, tuple(scores[::-1]), 0.1)


def test_the_table_has_each_arms_own_figures():
    plain, noisy = (block.splitlines() for block in every_arm().table().split("\n\n"))
    assert plain[0].startswith("scenes: final models, mean and 95% interval over 2 seeds")
    margin = 12.7062 * np.std([0, 10], ddof=1) / np.sqrt(2)  # t for one degree of freedom
    rows = {line[:28].strip(): line[28:].split() for line in plain[2:6]}
    assert rows == {
        "uniform": ["101", "5.100", "±", f"{margin:.3f}", "0.010"],
        "entropy": ["102", "5.200", "±", f"{margin:.3f}", "+0.100", "±", "0.000", "0.020"],
        "surprisal, weighted": ["103", "5.300", "±", f"{margin:.3f}", "+0.200", "±", "0.000", "0.030"],
        "entropy, looking free": ["106", "5.600", "±", f"{margin:.3f}", "+0.500", "±", "0.000", "0.060"],
    }
    assert "masks on noise" not in plain[1]
    assert noisy[1].endswith("masks on noise")
    assert {line[:28].strip(): line.split()[-1] for line in noisy[2:5]} == {
        "uniform": "2%",
        "entropy": "4%",
        "surprisal, weighted": "6%",
    }
    assert noisy[3].split()[2] == "8.200"
    assert [line for line in noisy if "looking free" in line] == []
    early = plain.index("scenes: gradients after 25% of a training with uniform masks, over those of uniform")
    late = plain.index("scenes: gradients after 100% of a training with uniform masks, over those of uniform")
    assert early < late
    for block in (early, late):
        assert plain[block + 1].split("  ")[-1].strip() == "per length of step"
        told = [float(x) for x in plain[block + 4][28:].replace("(", " ").replace(")", " ").split() if x != "to"]
        assert told == [3.0] * 3 + [27.0] * 3 + [9.0] * 3  # the third arm: its norm, useful part and efficiency


def test_the_picture_and_its_words_have_each_arms_own_figures():
    result = every_arm()
    left, right = result.plot().axes
    norms, useful = left.containers[:2], left.containers[2:4]
    assert [bar[0].get_xydata()[0].round(9).tolist() for bar in norms] == [[2.0, -0.14], [3.0, 0.86]]
    assert [bar[0].get_xydata()[0].round(9).tolist() for bar in useful] == [[4.0, 0.14], [9.0, 1.14]]
    assert [text.get_text() for text in left.get_yticklabels()] == ["entropy", "surprisal, weighted"]
    assert left.get_title() == "The longest: surprisal, weighted, 3.00 times uniform"
    legend = {text.get_text(): line.get_color() for text, line in
              zip(left.get_legend().get_texts(), left.get_legend().get_lines(), strict=True)}  # fmt: skip
    assert legend == {
        "expected gradient": norms[0][0].get_color(),
        "useful part per length of step": useful[0][0].get_color(),
    }
    assert left.get_ylim()[0] > left.get_ylim()[1]  # the first arm is at the top
    names = [text.get_text() for text in right.get_yticklabels()]
    apart = {name: bar[0].get_xdata()[0] for name, bar in zip(names, right.containers, strict=True)}
    assert apart == pytest.approx({"entropy": 0.1, "surprisal, weighted": 0.2, "entropy, looking free": 0.5})
    assert right.get_title() == "Nearest: entropy, +0.10 nats"
    said = result.describe()
    assert "entropy 2.00 and 4.00, surprisal, weighted 3.00 and 9.00." in said
    assert "in nats: entropy +0.100, surprisal, weighted +0.200, entropy, looking free +0.500." in said


def test_bars_reach_from_the_lower_to_the_upper_end():
    result = planted((0.3, 0.42))  # beside 0.5 and 0.6: differences of -0.2 and -0.18
    (bar,) = result.plot().axes[1].containers
    half = 12.7062 * np.std([0.2, 0.18], ddof=1) / np.sqrt(2)
    ends = np.array(bar[2][0].get_segments())[0, :, 0]
    np.testing.assert_allclose(ends, [-0.19 - half, -0.19 + half], rtol=1e-4)
    result = signals_of([(1.0, 4.0), (1.1, 4.1), (0.9, 3.5)])
    norm = result.ratio("norm", "surprisal")
    assert norm.high - norm.value > 1.02 * (norm.value - norm.low)  # a factor's interval reaches further up
    ends = np.array(result.plot().axes[0].containers[0][2][0].get_segments())[0, :, 0]
    np.testing.assert_allclose(ends, [norm.low, norm.high])


def test_the_exact_bias_is_what_the_fixed_point_costs_beyond_the_floor(monkeypatch, tmp_path):
    """Half of the blanks have the two words whose fixed point is known, the others are certain."""
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    posterior = np.array([TWO, [1.0, 0.0]] * 50)
    monkeypatch.setattr(scores, "questions_of", lambda language: (SimpleNamespace(posterior=posterior), None))
    monkeypatch.setattr(run, "score_cells", lambda kind, cells, *how: ())
    config = MaskStrategyConfig(rates=(1e-3,), seeds=2)
    monkeypatch.setattr(run, "BIASED_QUESTIONS", 100)
    found = measure_mask_strategy(config, np.random.default_rng(0))
    assert found.exact_bias == pytest.approx(0.105621406 / 2, abs=1e-8)


def test_the_share_of_masks_on_noise_is_of_what_is_asked_for():
    language = noisy_scenes()
    ids = language.encode("the chef cuts the bread . x01 x63 x00 x17")[None]
    asked = np.zeros(ids.shape, dtype=bool)
    assert run.noise_share(ids, asked, language) == 0
    asked[0, [1, 2, 3, 7]] = True
    assert run.noise_share(ids, asked, language) == 1 / 4
    assert run.noise_share(ids[:, :7], asked[:, :7], language) == 0


def test_models_are_probed_after_the_shares_of_the_training_that_they_had(small_study, monkeypatch):
    probed = []
    monkeypatch.setattr(signals, "measure_signals", lambda model, language, cell, after: probed.append(after) or [])
    steps = []
    train = run.train

    def counted(*args, after_step, **fields):
        def count(step, model):
            before = len(probed)
            after_step(step, model)
            steps.extend([step] * (len(probed) - before))

        return train(*args, after_step=count, **fields)

    monkeypatch.setattr(run, "train", counted)
    run_strategy_cell(
        StrategyCell("scenes", "uniform", False, 5, 0, probed=(0.1, 0.4, 1.0), arms=(("uniform", False),))
    )
    assert dict(zip(steps, probed, strict=True)) == {1: 0.1, 2: 0.4, 5: 1.0}


def test_uniform_masks_alone_are_probed_and_the_first_language_looks_for_free():
    config = MaskStrategyConfig(languages=("noisy", "scenes"), seeds=2, steps=7, probed=(0.5,), probe_batches=3)
    cells = config.cells()
    assert {(c.strategy, c.probed, c.probe_batches, c.arms) for c in cells if c.probed} == {
        ("uniform", (0.5,), 3, config.arms)
    }
    assert sorted((c.language, c.seed) for c in cells if c.probed) == [
        (language, seed) for language in ("noisy", "scenes") for seed in (0, 1)
    ]
    free = [(c.language, c.strategy, c.weighted, c.seed) for c in cells if not c.charged]
    assert sorted(free) == [("noisy", s, False, seed) for s in ("entropy", "surprisal") for seed in (0, 1)]
    assert {c.steps for c in cells} == {7}
    assert equal_steps(StrategyCell("scenes", "surprisal", False, 1000, 0, charged=False)) == 1000
