"""Gradients of many draws against one at a time, and their variance against every draw there is."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch

from mlm_mini.experiments.lab import study as lab_study
from mlm_mini.experiments.variance import gradient_times, study
from mlm_mini.experiments.variance.config import GradientVarianceConfig
from mlm_mini.experiments.variance.draws import draw_hidden_and_asked, make_draws, sample_batches, select_one
from mlm_mini.experiments.variance.gradient_times import GradientTimes, time_gradients
from mlm_mini.experiments.variance.gradients import draw_gradients, loop_gradients
from mlm_mini.experiments.variance.measure import measure_gradient_variance, quick_gradient_variance
from mlm_mini.experiments.variance.result import GradientVariance
from mlm_mini.experiments.variance.study import kept_gradient_variance
from mlm_mini.languages import markov_language, polya_language, scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.reference import maskable_positions
from mlm_mini.training import Masking, masked_batch, surprisals

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = {"num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}


def rng(seed):
    return np.random.default_rng(seed)


def small_model(language, seed=0):
    shape = ModelConfig.tiny(len(language.vocabulary), **SMALL)
    return MaskedLM(shape, torch.Generator().manual_seed(seed)).eval()


@pytest.fixture(scope="module")
def scenes():
    return scene_language()


@pytest.fixture(scope="module")
def model(scenes):
    return small_model(scenes)


def all_subsets(language, sentence_length, sizes):
    """One sentence, its words as a (1, 1, T) mask, and for each size every way to select so many of them."""
    ids = language.sample(1, rng(4)).ids[None]
    words = np.flatnonzero(maskable_positions(ids, language.vocabulary.special_ids))
    assert len(words) == sentence_length
    for size in sizes:
        chosen = np.array(list(combinations(words, size)))
        asked = np.zeros((len(chosen), 1, ids.shape[2]), dtype=bool)
        np.put_along_axis(asked[:, 0], chosen, True, axis=1)
        yield ids, asked


# ---- gradients


@pytest.mark.parametrize("ratio", [0.1, 0.6])
def test_side_by_side_is_one_at_a_time(scenes, model, ratio):
    ids = scenes.sample(40, rng(0)).ids.reshape(10, 4, -1)
    asked = maskable_positions(ids, scenes.vocabulary.special_ids) & (rng(1).random(ids.shape) < ratio)
    draws = make_draws(ids, scenes.vocabulary, asked, asked)
    together = draw_gradients(model, draws, at_once=4)
    np.testing.assert_allclose(together, loop_gradients(model, draws), atol=2e-6)
    assert together.shape == (10, sum(weight.numel() for weight in model.parameters()))


def test_a_gradient_is_that_of_the_training_loss(scenes, model):
    ids = scenes.sample(6, rng(2)).ids
    batch = masked_batch(ids, scenes.vocabulary, Masking(mask_ratio=0.3), rng(3))
    loss = surprisals(model, batch).sum() / batch.count_labels()
    weights = list(model.parameters())
    wanted = torch.cat([g.flatten() for g in torch.autograd.grad(loss, weights)])
    hidden = (batch.ids.numpy() != ids)[None]
    found = draw_gradients(model, make_draws(ids, scenes.vocabulary, hidden, hidden))[0]
    np.testing.assert_allclose(found, wanted, atol=2e-6)


def test_sentences_with_nothing_to_predict_are_left_out_and_change_nothing(scenes, model):
    ids = scenes.sample(8, rng(5)).ids[None]
    hidden = maskable_positions(ids, scenes.vocabulary.special_ids) & (rng(6).random(ids.shape) < 0.5)
    asked = hidden & (np.arange(8) == 3)[:, None]
    draws = make_draws(ids, scenes.vocabulary, hidden, asked)
    assert draws.ids.shape[1] == 1
    alone = make_draws(ids[:, [3]], scenes.vocabulary, hidden[:, [3]], asked[:, [3]])
    np.testing.assert_allclose(draw_gradients(model, draws), draw_gradients(model, alone), atol=1e-7)


def test_a_draw_without_a_question_has_gradient_zero(scenes, model):
    ids = scenes.sample(2, rng(7)).ids[None]
    nothing = np.zeros((2, *ids.shape[1:]), dtype=bool)
    nothing[1, 0, 1] = True
    gradients = draw_gradients(model, make_draws(ids, scenes.vocabulary, nothing, nothing))
    assert not gradients[0].any()
    assert gradients[1].any()


def test_the_model_is_left_in_its_mode(scenes, model):
    ids = scenes.sample(1, rng(8)).ids[None]
    asked = np.zeros(ids.shape, dtype=bool)
    asked[0, 0, 1] = True
    draws = make_draws(ids, scenes.vocabulary, asked, asked)
    for mode in (True, False):
        for way in (draw_gradients, loop_gradients):
            way(model.train(mode), draws)
            assert model.training is mode
    assert all(weight.grad is None for weight in model.parameters())


def test_both_ways_are_timed_and_said(scenes, model):
    ids = scenes.sample(3, rng(9)).ids[None]
    asked = np.repeat(maskable_positions(ids, scenes.vocabulary.special_ids), 16, axis=0)
    times = time_gradients(model, make_draws(ids, scenes.vocabulary, asked, asked), 3, 30, repeats=2)
    assert times.vmap.shape == times.loop.shape == (2,)
    assert times.ratio > 1  # that it is three times, and more, is for a machine with nothing else to do
    assert "times as fast" in times.table()
    assert "Two bars" in times.describe()
    assert times.plot().axes
    assert GradientTimes.from_json(times.to_json()).ratio == times.ratio
    one_stalled = GradientTimes(3, 30, 5, 1000, 16, vmap=np.array([1.0, 90.0, 1.0]), loop=np.array([3.0, 3.0, 4.0]))
    assert one_stalled.ratio == 3.0


def test_times_are_milliseconds_of_one_draw(scenes, model, monkeypatch):
    ids = scenes.sample(3, rng(9)).ids[None]
    asked = np.repeat(maskable_positions(ids, scenes.vocabulary.special_ids), 16, axis=0)
    asked[1:] &= rng(10).random(asked[1:].shape) < 0.5
    planted_times = np.array([[32.0, 64.0, 48.0], [160.0, 96.0, 128.0]])  # of sixteen draws: side by side, in a loop
    monkeypatch.setattr(gradient_times, "take_turns", lambda ways, rounds: planted_times[:, :rounds])
    times = time_gradients(model, make_draws(ids, scenes.vocabulary, asked, asked), 3, 30, repeats=3)
    assert times.vmap.tolist() == [2.0, 4.0, 3.0]
    assert times.loop.tolist() == [10.0, 6.0, 8.0]
    assert (times.draws, times.predictions) == (16, asked[0].sum())
    assert times.weights == sum(weight.numel() for weight in model.parameters())
    lines = times.table().splitlines()
    assert [line.split() for line in lines[1:3]] == [["loop", "8.00"], ["vmap", "3.00"]]
    assert lines[3].startswith("vmap is 2.7 times as fast: 16 draws of ")
    (ax,) = times.plot().axes
    widths = [bar.get_width() for bar in ax.patches]
    assert dict(zip([label.get_text() for label in ax.get_yticklabels()], widths, strict=True)) == {
        "vmap": 3,
        "loop": 8,
    }
    assert ax.get_title() == "Side by side, a gradient takes one part in 2.7 of the time"
    assert "3.00 ms with vmap and 8.00 ms in a loop" in times.describe()


# ---- the draws


@pytest.mark.parametrize("frozen", [False, True])
def test_what_is_hidden_and_what_of_it_is_asked_for_are_two_shares(scenes, frozen):
    """Of a hundred words half are hidden, in every draw others unless they are frozen, and a fifth is asked for."""
    maskable = np.broadcast_to(np.arange(125).reshape(1, 5, 25) % 5 > 0, (40, 5, 25))
    config = GradientVarianceConfig(ratios=(0.1, 0.2), corruption=0.5, frozen=frozen)
    kept = maskable[:1] & (np.arange(25) < 13) if frozen else None
    hidden, asked = draw_hidden_and_asked(maskable, kept, config, 0.2, rng(0))
    assert not (asked & ~hidden).any()
    assert not (hidden & ~maskable).any()
    assert set(hidden.sum(axis=(1, 2))) == {50}
    assert set(asked.sum(axis=(1, 2))) == {20}
    assert len({draw.tobytes() for draw in hidden}) == (1 if frozen else 40)
    assert len({draw.tobytes() for draw in asked}) == 40
    tied = replace(config, corruption=None, frozen=False)
    hidden, asked = draw_hidden_and_asked(maskable, None, tied, 0.2, rng(0))
    assert (hidden == asked).all()
    assert set(asked.sum(axis=(1, 2))) == {20}


def test_of_the_asked_tokens_of_a_batch_each_is_as_often_the_one(scenes):
    asked = np.zeros((6000, 2, 3), dtype=bool)
    asked[:, 0, [0, 2]] = asked[:, 1, 1] = True
    one = select_one(asked, rng(1))
    assert (one.sum(axis=(1, 2)) == 1).all()
    np.testing.assert_allclose(one.mean(axis=0), [[1 / 3, 0, 1 / 3], [0, 1 / 3, 0]], atol=0.025)


def test_batches_of_fresh_text_are_as_long_as_their_longest_sentence(scenes):
    ids, maskable = sample_batches(scenes, 4, 5, rng(2))
    assert ids.shape == maskable.shape
    assert ids.shape[:2] == (5, 4)
    sentences = scenes.sample(20, rng(2)).ids
    assert ids.shape[2] == (sentences != scenes.vocabulary.pad_id).sum(axis=1).max() < sentences.shape[1]
    np.testing.assert_array_equal(ids.reshape(20, -1), sentences[:, : ids.shape[2]])
    np.testing.assert_array_equal(maskable, np.isin(ids, scenes.vocabulary.regular_ids))


# ---- the variance


def exact_variance(model, language, sizes):
    """tr Cov over all ways to select `size` of the words of one sentence, each as likely as another; float64."""
    answers = []
    for ids, asked in all_subsets(language, 6, sizes):
        gradients = draw_gradients(model, make_draws(ids, language.vocabulary, asked, asked)).double().numpy()
        answers.append(((gradients - gradients.mean(axis=0)) ** 2).sum(axis=1).mean())
    return np.array(answers)


def test_the_estimate_is_that_of_all_subsets():
    """One sentence of six words: for each k all subsets are listed, and the measured interval is held against them."""
    language = markov_language(sentence_length=6)
    model = small_model(language)
    config = GradientVarianceConfig(ratios=(1 / 6, 2 / 6, 3 / 6, 5 / 6), sentences=1, draws=400)
    result = measure_gradient_variance(model, language, config, rng(4))  # rng(4) draws the sentence first
    exact = exact_variance(model, language, (1, 2, 3, 5))
    estimate, low, high = np.array(result.variance).T
    assert (np.abs(estimate - exact) < (high - low)).all()  # about four standard errors
    np.testing.assert_allclose(result.spread, exact[0] * 6 / 5, rtol=1e-4)  # Bessel's N - 1 in the place of N
    np.testing.assert_allclose(result.predicted[0], exact[0], rtol=1e-4)


def test_with_what_is_hidden_frozen_the_population_formula_is_exact():
    """Every subset of six hidden words of one sentence, so that each token's gradient is one fixed vector."""
    language = markov_language(sentence_length=6)
    model = small_model(language)
    singles = None
    for ids, asked in all_subsets(language, 6, range(1, 6)):
        everything = maskable_positions(ids, language.vocabulary.special_ids)
        gradients = draw_gradients(model, make_draws(ids, language.vocabulary, everything, asked)).double().numpy()
        trace = ((gradients - gradients.mean(axis=0)) ** 2).sum(axis=1).mean()
        singles = gradients if singles is None else singles
        spread = ((singles - singles.mean(axis=0)) ** 2).sum() / 5
        np.testing.assert_allclose(trace, spread * (1 / asked[0].sum() - 1 / 6), rtol=1e-5)
    assert singles.shape[0] == 6


def test_frozen_corruption_is_measured_as_the_formula_says(scenes, model):
    config = GradientVarianceConfig(
        ratios=(0.05, 0.1, 0.2, 0.4), corruption=0.5, frozen=True, sentences=6, draws=150, per_token=True
    )
    result = measure_gradient_variance(model, scenes, config, rng(10))
    _, low, high = np.array(result.variance).T
    assert (np.abs(result.variance[0].value - result.predicted[0]) < (high - low)[0]).all()
    assert result.slope("odds").low < -1 < result.slope("odds").high
    assert result.slope("ratio").high < -1  # the finite population bends it
    assert result.chance_of_scatter("odds") > 0.01
    hidden = np.floor(0.5 * result.tokens + 0.5)
    for rho in result.correlation[1:]:
        assert rho.low - 0.02 < -1 / (hidden - 1) < rho.high + 0.02


def test_at_initialization_with_fixed_text_variance_goes_with_the_odds(scenes, model):
    result = measure_gradient_variance(
        model, scenes, GradientVarianceConfig(ratios=(0.02, 0.05, 0.1, 0.2, 0.3), sentences=8, draws=150), rng(11)
    )
    assert result.chance_of_scatter("odds") > 0.01
    assert abs(result.slope("odds").value + 1) < 0.06


def test_bernoulli_pays_for_its_varying_count_and_its_empty_draws(scenes, model):
    config = GradientVarianceConfig(ratios=(0.02, 0.1, 0.4), sentences=6, draws=300)
    fixed = measure_gradient_variance(model, scenes, config, rng(12))
    bernoulli = measure_gradient_variance(model, scenes, replace(config, method="bernoulli"), rng(12))
    assert fixed.empty.sum() == 0 < bernoulli.empty[0] < 0.6
    for i in (1, 2):
        assert abs(bernoulli.variance[i].value / bernoulli.predicted[i] - 1) < 0.2
    assert bernoulli.predicted[1] > fixed.predicted[1]


def test_alike_gradients_are_seen_and_break_the_law():
    """A planted case: every document repeats one word, so that the tokens of a batch have gradients nearly alike."""
    text = polya_language(0.02)
    config = GradientVarianceConfig(
        ratios=(0.05, 0.1, 0.2, 0.4, 0.8), over="data", sentences=1, draws=120, per_token=True
    )
    result = measure_gradient_variance(small_model(text), text, config, rng(13), "one word")
    assert result.slope().low > -0.5
    assert result.correlation[2].low > 0.5
    assert result.verdict().word == "does not hold as worded"
    assert result.variance[-1].low > 3 * result.predicted[-1]
    scattered = polya_language(1e9)
    result = measure_gradient_variance(small_model(scattered), scattered, config, rng(14), "all words")
    assert abs(result.slope().value + 1) < 0.15
    assert abs(result.correlation[2].value) < 0.1


def test_the_tokens_of_a_draw_are_in_its_row(scenes, model):
    """A draw that asks for one token has but that one to take singly: both times its gradient, of 2 n in all."""
    config = GradientVarianceConfig(ratios=(0.07, 0.5), sentences=2, draws=20, per_token=True)
    result = measure_gradient_variance(model, scenes, config, rng(18))
    assert result.predictions[0] == 1
    bessel = (40 / 39) / (20 / 19)
    np.testing.assert_allclose(result.token_deviations[0], bessel * result.deviations[0], rtol=1e-3)


def test_noise_scale_is_variance_over_squared_mean(scenes, model):
    config = GradientVarianceConfig(ratios=(0.1, 0.5), sentences=6, draws=200)
    result = measure_gradient_variance(model, scenes, config, rng(15))
    ids = scenes.sample(6, rng(15)).ids
    maskable = maskable_positions(ids, scenes.vocabulary.special_ids)
    many = np.stack([maskable & (rng([16, i]).random(ids.shape) < 0.5) for i in range(400)])
    gradients = draw_gradients(model, make_draws(ids, scenes.vocabulary, many, many)).double().numpy()
    signal = (gradients.mean(axis=0) ** 2).sum()
    assert result.noise_scale[1].value == pytest.approx(result.variance[1].value / signal, rel=0.1)
    assert result.noise_scale[0].value > 3 * result.noise_scale[1].value
    for estimate in result.noise_scale:
        assert estimate.low < estimate.value < estimate.high


def planted(variances, n=200, ratios=None, **config):
    """A result whose deviations have these means, with 7% of noise in each."""
    R = len(variances)
    ratios = np.geomspace(0.02, 0.8, R) if ratios is None else np.array(ratios)
    noise = rng(20).gamma(200.0, 1 / 200.0, size=(R, n))
    noise /= noise.mean(axis=1, keepdims=True)
    deviations = np.asarray(variances)[:, None] * noise
    return GradientVariance(
        config=GradientVarianceConfig(ratios=tuple(ratios), draws=n, **config),
        name="planted",
        tokens=1000.0,
        predictions=ratios * 1000,
        empty=np.zeros(R),
        deviations=deviations,
        agreements=np.ones((R, n)),
        token_deviations=None,
        spread=1.0,
    )


def test_a_result_shows_itself_and_survives_json(scenes, model):
    result = quick_gradient_variance(rng(17), draws=12)
    assert result.predicted.shape == result.ratios.shape == (8,)
    back = GradientVariance.from_json(result.to_json())
    assert back.config == result.config
    assert back.variance == result.variance
    assert back.table() == result.table()
    assert "noise scale" in result.table()
    assert "Slope" in result.describe()
    assert result.plot().axes[0].get_xscale() == "log"
    again = quick_gradient_variance(rng(17), draws=12)
    assert again.variance == result.variance


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"over": "words"}, "over is 'words'"),
        ({"method": "random"}, "method is 'random'"),
        ({"ratios": (0.5,)}, "two or more"),
        ({"ratios": (0.5, 0.2)}, "larger than the one before"),
        ({"ratios": (0.0, 0.2)}, "above 0"),
        ({"ratios": (0.5, 1.0)}, "below 1"),
        ({"ratios": (0.1, 0.5), "corruption": 0.4}, "below 0.4"),
        ({"corruption": 1.5}, "corruption is 1.5"),
        ({"frozen": True}, "frozen is True"),
        ({"ratios": (0.1, 0.2), "corruption": 0.4, "frozen": True, "over": "data"}, "frozen is True"),
        ({"method": "bernoulli", "per_token": True}, "per_token is True"),
        ({"sentences": 0}, "sentences is 0"),
        ({"draws": 1}, "draws is 1"),
    ],
)
def test_bad_configs_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        GradientVarianceConfig(**fields)


def test_bad_requests_are_refused(scenes, model):
    with pytest.raises(ValueError, match=r"ratios has 0\.001: of \d+ tokens that is none"):
        measure_gradient_variance(model, scenes, GradientVarianceConfig(ratios=(0.001, 0.1), sentences=2), rng(0))
    result = planted([3.0, 2.0, 1.0])
    with pytest.raises(ValueError, match="against is 'logit'"):
        result.slope("logit")
    with pytest.raises(ValueError, match="lie 1 of the measured ratios"):
        result.slope(low=0.5)
    with pytest.raises(ValueError, match="per_token=True"):
        _ = result.correlation


# ---- kept results


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """An empty cache, and how often something was measured since."""
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    calls = []
    measure = study.measure_gradient_variance
    monkeypatch.setattr(study, "measure_gradient_variance", lambda *args: calls.append(args) or measure(*args))
    return calls


def test_a_kept_result_is_measured_once_and_is_what_measuring_finds(model, scenes, counted):
    config = GradientVarianceConfig(ratios=(0.2, 0.5), sentences=3, draws=6, per_token=True)
    first, second = (kept_gradient_variance(model, scenes, config, 5, "kept") for _ in range(2))
    assert len(counted) == 1
    fresh = measure_gradient_variance(model, scenes, config, rng(5), "kept")
    assert first.to_dict() == second.to_dict() == fresh.to_dict()


def test_a_kept_result_is_measured_anew_when_anything_that_made_it_changes(model, scenes, counted, monkeypatch):
    config = GradientVarianceConfig(ratios=(0.2, 0.5), sentences=3, draws=4)
    usual = {"model": model, "text": scenes, "config": config, "seed": 5, "name": "kept"}
    changes = (
        {"model": small_model(scenes, seed=1)},
        {"text": polya_language(concentration=100.0), "model": small_model(polya_language())},
        {"text": polya_language(), "model": small_model(polya_language())},
        {"config": replace(config, draws=5)},
        {"seed": 6},
        {"name": "other"},
    )
    for change in ({}, *changes):
        kept_gradient_variance(**usual | change)
    assert len(counted) == 1 + len(changes)
    monkeypatch.setattr(lab_study, "code_fingerprint", lambda *_: "other code")  # as if a source had changed
    kept_gradient_variance(**usual)
    assert len(counted) == 2 + len(changes)


def test_a_kept_result_that_is_damaged_is_measured_anew(model, scenes, counted, tmp_path):
    config = GradientVarianceConfig(ratios=(0.2, 0.5), sentences=3, draws=4)
    first = kept_gradient_variance(model, scenes, config, 5)
    (path,) = tmp_path.glob("gradient_variance-*/*.json")
    path.write_text(path.read_text()[:100])
    with pytest.warns(UserWarning, match="is damaged"):
        assert kept_gradient_variance(model, scenes, config, 5).to_dict() == first.to_dict()
    assert len(counted) == 2
