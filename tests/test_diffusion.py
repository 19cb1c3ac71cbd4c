"""The objective of all mask ratios: what is asked, how it is weighed, and that it runs like the others."""

import json

import numpy as np
import pytest
import torch

from mlm_mini import __main__ as command_line
from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.languages import MarkovLanguage, scene_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.reference import IGNORE_INDEX
from mlm_mini.training import (
    TrainingConfig,
    accumulate_gradient,
    diffusion_batch,
    draw_evaluation,
    evaluate,
    find_material,
    load_folder,
    recipe,
    stratified_ratios,
    surprisals,
    train,
)
from mlm_mini.training.memory import reckoned_bytes
from mlm_mini.training.objectives import count_weights

pytestmark = pytest.mark.usefixtures("one_thread")


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def scenes():
    return scene_language()


def tiny(vocabulary, seed=0):
    config = ModelConfig.tiny(len(vocabulary), num_hidden_layers=1)
    return MaskedLM(config, torch.Generator().manual_seed(seed))


# ---------------------------------------------------------------- ratios and weights


@pytest.mark.parametrize("n", [1, 2, 128])
def test_each_stratum_has_one_ratio_and_none_is_zero(n):
    for seed in range(20):
        ratios = stratified_ratios(n, rng(seed))
        assert (np.sort(np.ceil(ratios * n).astype(int)) == np.arange(1, n + 1)).all()
        assert ((ratios > 0) & (ratios <= 1)).all()


def test_every_row_has_a_uniform_ratio_of_its_own():
    luck = rng()
    ratios = np.stack([stratified_ratios(4, luck) for _ in range(4000)])
    assert ratios.mean(axis=0) == pytest.approx(np.full(4, 0.5), abs=0.02)
    assert ratios.std(axis=0) == pytest.approx(np.full(4, 12**-0.5), abs=0.01)
    assert abs(np.corrcoef(ratios[:, 0] * 4 % 1, ratios[:, 1] * 4 % 1)[0, 1]) < 0.08


def test_the_weight_is_the_mean_of_one_over_the_ratio_given_the_count():
    luck, W = rng(), 5
    ratios = luck.random(400_000)
    counts = luck.binomial(W, ratios)
    for k in (2, 3, 5):  # at k = 1 the square of 1 / ratio has no mean
        assert (1 / ratios[counts == k]).mean() == pytest.approx(count_weights(np.array(W), np.array(k)), rel=0.02)
    assert np.bincount(counts) / len(counts) == pytest.approx(np.full(W + 1, 1 / (W + 1)), abs=0.005)
    assert count_weights(np.array([4, 7]), np.array([0, 0])).tolist() == [0, 0]


# ---------------------------------------------------------------- what is asked


def test_a_batch_asks_for_what_it_hides_by_mask_alone(scenes):
    v, ids = scenes.vocabulary, scenes.sample(64, rng()).ids
    batch = diffusion_batch(ids, v, rng(1))
    seen = batch.ids.numpy()
    rows, places = np.nonzero(batch.labels.numpy() != IGNORE_INDEX)
    positions = batch.positions.numpy()[rows, places]
    assert (ids[rows, positions] == batch.labels.numpy()[rows, places]).all()
    assert np.isin(ids[seen != ids], v.regular_ids).all()
    assert (seen[seen != ids] == v.mask_id).all()
    assert (seen == v.mask_id).sum() == batch.count_labels()
    shares = (seen == v.mask_id).sum(axis=1) / np.isin(ids, v.regular_ids).sum(axis=1)
    assert shares.min() < 0.15
    assert shares.max() > 0.85
    assert 0.35 < (seen == v.mask_id).sum() / np.isin(ids, v.regular_ids).sum() < 0.65


def test_a_row_with_nothing_hidden_adds_nothing_and_its_words_count(scenes):
    v, ids = scenes.vocabulary, scenes.sample(200, rng()).ids
    batch = diffusion_batch(ids, v, rng(1))
    words, asked = np.isin(ids, v.regular_ids), (batch.labels != IGNORE_INDEX).numpy()
    empty = ~asked.any(axis=1)
    assert 10 < empty.sum() < 60
    assert (batch.weights.numpy()[empty] == 0).all()
    each = (words.sum(axis=1) + 1) / np.maximum(asked.sum(axis=1), 1) / words.sum()
    np.testing.assert_allclose(
        batch.weights.numpy()[~empty], np.tile(each[~empty, None], (1, asked.shape[1])), rtol=1e-6
    )


def test_a_batch_in_which_nothing_is_hidden_costs_nothing(scenes):
    v, ids = scenes.vocabulary, scenes.sample(1, rng()).ids
    for seed in range(200):
        batch = diffusion_batch(ids, v, rng(seed))
        if not batch.count_labels():
            break
    assert not batch.count_labels()
    model = tiny(v)
    assert accumulate_gradient(model, batch).item() == 0.0
    assert all((weight.grad == 0).all() for weight in model.parameters())


def test_no_sentence_at_all_has_a_length_to_be_divided_by(scenes):
    v = scenes.vocabulary
    ids = np.full((2, scenes.length), v.pad_id)
    batch = diffusion_batch(ids, v, rng())
    assert not batch.count_labels()
    assert torch.isfinite(batch.weights).all()


def test_the_loss_is_unbiased_for_what_the_words_cost_one_by_one():
    """Over all ratios and masks: for exact conditionals every sentence costs -log p, in whatever order."""
    language = MarkovLanguage(["a", "b"], np.array([[0.8, 0.2], [0.3, 0.7]]), sentence_length=5)
    v, one = language.vocabulary, language.sample(1, rng(4)).ids
    own = -language.log_marginal(one)[0] / 5
    losses = []
    for seed in range(150):
        ids = np.repeat(one, 16, axis=0)
        batch = diffusion_batch(ids, v, rng(seed))
        labels, positions = batch.labels.numpy(), batch.positions.numpy()
        p = language.posterior_at(batch.ids.numpy(), positions)
        asked = labels != IGNORE_INDEX
        nats = -np.log(
            np.take_along_axis(p, np.maximum(labels, 0)[..., None], axis=2)[..., 0], where=asked, out=0 * p[..., 0]
        )
        losses.append((nats * batch.weights.numpy()).sum())
    found = mean_interval(losses)
    assert found.low < own < found.high
    assert found.high - found.low < 0.15 * own


@pytest.mark.parametrize("parts", [2, 5])
def test_parts_of_a_batch_sum_to_the_gradient_of_the_whole(parts, scenes):
    v = scenes.vocabulary
    batch = diffusion_batch(scenes.sample(20, rng()).ids, v, rng(1))
    whole, cut = tiny(v), tiny(v)
    losses = accumulate_gradient(whole, batch).item(), accumulate_gradient(cut, batch, parts).item()
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0] == pytest.approx(float((surprisals(whole, batch) * batch.weights).sum()), rel=1e-5)
    for one, other in zip(whole.parameters(), cut.parameters(), strict=True):
        assert torch.allclose(one.grad, other.grad, atol=1e-5)


# ---------------------------------------------------------------- the recipe


@pytest.mark.parametrize(
    "given",
    [
        {"mask_ratio": 0.3},
        {"mask_ratio": 0.15},
        {"method": "fixed"},
        {"split": (0.8, 0.1, 0.1)},
        {"prediction_ratio": 0.1},
        {"heavy_share": 0.1},
    ],
)
def test_a_masking_is_refused_beside_all_ratios(given):
    (name,) = given
    with pytest.raises(
        ValueError, match=f"{name} is .*draws a ratio from 0 to 1.*leave --{name.replace('_', '-')} out"
    ):
        recipe("scenes", objective="diffusion", **given)
    if given != {"mask_ratio": 0.15}:  # what is not given has that value
        with pytest.raises(ValueError, match=f"{name} is "):
            TrainingConfig.of(steps=1, objective="diffusion", **given)


def test_the_recipe_leaves_the_usual_masks_out_and_survives_json():
    config = recipe("scenes", objective="diffusion", device="cpu")
    assert config.objective == "diffusion"
    assert (config.steps, config.embedding_rate, config.masking.heavy_share) == (3400, 3, 0)
    assert TrainingConfig.of(**json.loads(json.dumps(config.to_dict()))) == config


def test_memory_is_reckoned_for_every_word():
    shape, on = ModelConfig.tiny(404), torch.device("cpu")
    asks = [
        reckoned_bytes(shape, TrainingConfig.of(steps=1, objective=objective), 17, on)
        for objective in ("causal", "diffusion")
    ]
    assert asks[0] == asks[1]


# ---------------------------------------------------------------- evaluation


class Oracle(torch.nn.Module):
    """Answers with the exact posterior."""

    def __init__(self, language):
        super().__init__()
        self.language, self.parameter = language, torch.nn.Parameter(torch.zeros(1))

    def forward(self, ids, attention_mask, positions, causal, trim):
        full = np.full((len(ids), self.language.length), self.language.vocabulary.pad_id)
        full[:, : ids.shape[1]] = ids.numpy()
        p = self.language.posterior_at(full, positions.numpy())
        return torch.from_numpy(np.log(np.maximum(p, 1e-30))).float()


def test_a_reader_who_knows_the_language_is_at_the_floor_of_all_ratios(scenes):
    config = TrainingConfig.of(steps=1, objective="diffusion")
    evaluation = draw_evaluation(scenes.sample(400, rng()).ids, scenes.vocabulary, config, rng(1), scenes)
    score = evaluate(Oracle(scenes), evaluation)
    assert score.gap == pytest.approx(0, abs=1e-4)
    assert score.loss == pytest.approx(evaluation.floor, abs=1e-4)


def test_the_floor_of_all_ratios_is_the_entropy_per_word(scenes):
    config = TrainingConfig.of(steps=1, objective="diffusion")
    evaluation = draw_evaluation(scenes.sample(4000, rng()).ids, scenes.vocabulary, config, rng(1), scenes)
    assert evaluation.floor == pytest.approx(1.18, abs=0.05)


def test_the_gap_is_what_the_model_pays_more_at_the_same_words(scenes):
    config = TrainingConfig.of(steps=1, objective="diffusion")
    evaluation = draw_evaluation(scenes.sample(300, rng()).ids, scenes.vocabulary, config, rng(1), scenes)
    model = tiny(scenes.vocabulary)
    score = evaluate(model, evaluation)
    assert score.gap == pytest.approx(score.loss - evaluation.floor, abs=1e-9)
    with torch.no_grad():
        nats = surprisals(model, evaluation.batch) * evaluation.batch.weights
    assert score.loss == pytest.approx(float(nats.sum()) / evaluation.words.sum(), rel=1e-4)


def test_every_run_of_all_ratios_is_asked_the_same(scenes):
    asked = [find_material("scenes", recipe("scenes", objective="diffusion", seed=seed)).evaluation for seed in (0, 1)]
    assert asked[0].fingerprint == asked[1].fingerprint
    masked = find_material("scenes", recipe("scenes")).evaluation
    assert masked.fingerprint != asked[0].fingerprint
    assert masked.words is None


# ---------------------------------------------------------------- runs


def test_a_resumed_run_is_the_same_to_the_last_bit(tmp_path):
    language = MarkovLanguage(["a", "b", "c"], np.full((3, 3), 1 / 3), sentence_length=6)
    shape = ModelConfig.tiny(len(language.vocabulary), num_hidden_layers=1)
    config = TrainingConfig.of(steps=6, batch_size=8, micro_batches=2, objective="diffusion")
    whole = train(shape, SampledSentences(language, 0), config, device="cpu").model

    class Stop(Exception):
        pass

    def stop(step, model):
        if step == 4:
            raise Stop

    how = {"device": "cpu", "out": tmp_path, "checkpoint_every": 3}
    with pytest.raises(Stop):
        train(shape, SampledSentences(language, 0), config, after_step=stop, **how)
    again = train(shape, SampledSentences(language, 0), config, resume=True, **how).model
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_command_line_trains_at_all_ratios_goes_on_and_fills_in(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    text = tmp_path / "text"
    text.mkdir()
    for part in range(3):
        (text / f"{part}.txt").write_text(f"the cat {part} sat on the mat. the dog lay in the sun. " * 60)
    options = ["--language", str(text), "--objective", "diffusion", "--device", "cpu", "--batch-size", "4"]
    options += ["--steps", "2", "--length", "16"]

    def run(*arguments):
        return command_line.main(["train", *options, *map(str, arguments)])

    assert run("--size", "tiny", "--vocabulary-size", 240, "--out", tmp_path / "one") == 0
    assert run("--from", tmp_path / "one", "--out", tmp_path / "two") == 0
    summary = json.loads((tmp_path / "two" / "training.json").read_text())
    assert summary["training"]["objective"] == "diffusion"
    assert summary["comparison"]["blanks"] > 1, "it fills in blanks, so that it is compared with models that count"
    model, tokenizer = load_folder(tmp_path / "two")
    assert model.config.vocab_size == len(tokenizer.vocabulary)
    capsys.readouterr()
    assert run("--size", "tiny", "--mask-ratio", 0.15, "--out", tmp_path / "three") == 1
    said = capsys.readouterr().err
    assert "mask_ratio is 0.15, but the objective 'diffusion' draws a ratio" in said
    assert "leave --mask-ratio out" in said
