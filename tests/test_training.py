"""Objectives, optimizer, evaluation and loop: what is asked, what it costs, and what a perfect reader would pay."""

import contextlib
import inspect
import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from devices import DEVICES
from tokenizers import Tokenizer
from torch import nn

from mlm_mini import __main__ as command_line
from mlm_mini import training
from mlm_mini.languages import WordPiece, markov_language, scene_language, train_wordpiece
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import MaskedLM, ModelConfig, WordLevel, note_trained_length, save_pretrained, trained_length
from mlm_mini.reference import IGNORE_INDEX, adamw_step, cross_entropy
from mlm_mini.training import (
    Blanks,
    Candidate,
    EvaluationSet,
    LiveCurve,
    Masking,
    Point,
    Reporter,
    TerminalProgress,
    TrainingConfig,
    accumulate_gradient,
    cached,
    cached_model,
    causal_batch,
    datasets,
    diffusion_batch,
    draw_evaluation,
    evaluate,
    fill,
    find_language,
    find_material,
    languages,
    learning_rate,
    load_folder,
    loop,
    make_optimizer,
    masked_batch,
    measured,
    model_folder,
    quick_model,
    recipe,
    surprisals,
    train,
    train_folder,
    train_minimal,
)
from mlm_mini.training.baselines import blank_nats
from mlm_mini.training.languages import LANGUAGES, ExactEntry
from mlm_mini.training.objectives import by_length
from mlm_mini.training.optimizer import kept_moments, set_learning_rates
from mlm_mini.training.progress import describe_curve, plot_curve
from mlm_mini.training.run import Run, seed_dropout
from mlm_mini.training.threaded_map import side_by_side

SHAPE = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def small_model(vocabulary, seed=0, **changes):
    dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = ModelConfig(vocab_size=len(vocabulary), max_position_embeddings=32, **SHAPE | dropout | changes)
    return MaskedLM(config, torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def scenes():
    return scene_language()


@pytest.fixture(scope="module")
def sentences(scenes):
    return scenes.sample(200, np.random.default_rng(0)).ids


def rng(seed=0):
    return np.random.default_rng(seed)


# ---------------------------------------------------------------- the config


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": 0}, ValueError, "steps is 0: expected at least 1"),
        ({"steps": 2.5}, TypeError, "steps is 2.5: expected an integer"),
        ({"steps": True}, TypeError, "steps is True"),
        ({"objective": "both"}, ValueError, "objective is 'both': expected 'masked', 'causal' or 'diffusion'"),
        ({"optimizer": "sgd"}, ValueError, "optimizer is 'sgd': expected 'adamw' or 'muon'"),
        ({"embedding_rate": 0}, ValueError, "embedding_rate is 0.0: expected a number above 0"),
        ({"method": "poisson"}, ValueError, "method is 'poisson'"),
        ({"mask_ratio": 0.0}, ValueError, "mask_ratio is 0.0: expected a share above 0, up to 1"),
        ({"mask_ratio": 1.5}, ValueError, "mask_ratio is 1.5"),
        ({"mask_ratio": float("nan")}, ValueError, "mask_ratio is nan: expected a finite number"),
        ({"mask_ratio": "0.15"}, TypeError, "mask_ratio is '0.15': expected a number"),
        ({"split": (0.8, 0.1, 0.2)}, ValueError, r"split is \(0.8, 0.1, 0.2\): expected three shares"),
        ({"split": (1.2, -0.2, 0.0)}, ValueError, "expected three shares"),
        ({"split": (0.5, 0.5)}, ValueError, "expected three shares"),
        ({"batch_size": 4, "micro_batches": 5}, ValueError, "micro_batches is 5: expected at most batch_size, 4"),
        ({"learning_rate": 0.0}, ValueError, "learning_rate is 0.0: expected a number above 0"),
        ({"warmup": 1.0}, ValueError, "warmup is 1.0"),
        ({"heavy_share": 1.0}, ValueError, "heavy_share is 1.0: expected from 0 up to, not including, 1"),
        ({"heavy_ratio": 0.0}, ValueError, "heavy_ratio is 0.0: expected a share above 0, up to 1"),
        (
            {"heavy_share": 0.1, "prediction_ratio": 0.1},
            ValueError,
            "heavy_share is 0.1: expected 0 where there is a prediction_ratio",
        ),
        ({"seed": -1}, ValueError, "seed is -1: expected 0 or more"),
        ({"batch_size": 0}, ValueError, "batch_size is 0: expected at least 1"),
        ({"micro_batches": 0}, ValueError, "micro_batches is 0: expected at least 1"),
        ({"epsilon": 0}, ValueError, "epsilon is 0.0: expected a number above 0"),
        ({"clip_norm": 0}, ValueError, "clip_norm is 0.0: expected a number above 0"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay is -0.1: expected 0 or more"),
        ({"beta1": 1}, ValueError, "beta1 is 1.0: expected from 0 up to, not including, 1"),
        ({"beta2": -0.1}, ValueError, "beta2 is -0.1: expected from 0 up to, not including, 1"),
    ],
)
def test_a_recipe_that_makes_no_sense_is_refused_by_name(change, error, message):
    with pytest.raises(error, match=message):
        TrainingConfig.of(**{"steps": 10} | change)


def test_what_is_not_said_is_what_the_lessons_say_and_the_same_on_one_page():
    adam = {"weight_decay": 0.01, "beta1": 0.9, "beta2": 0.98, "epsilon": 1e-6, "clip_norm": 1.0, "warmup": 0.1}
    rates = {"learning_rate": 3e-3, "embedding_rate": 1.0, "precision": "float32", "objective": "masked"}
    rates["optimizer"] = "adamw"
    masks = {"mask_ratio": 0.15, "method": "bernoulli", "split": [1.0, 0.0, 0.0], "prediction_ratio": None}
    masks |= {"heavy_share": 0.0, "heavy_ratio": 0.85}
    usual = {"batch_size": 128, "micro_batches": 1, "seed": 0} | adam | rates | masks
    assert TrainingConfig(steps=7).to_dict() == {"steps": 7} | usual
    page = inspect.signature(train_minimal).parameters.values()
    said = {parameter.name: parameter.default for parameter in page if parameter.default is not parameter.empty}
    assert said == {name: usual[name] for name in ("batch_size", "mask_ratio", "learning_rate", "seed")}


def test_a_recipe_may_go_to_the_ends_of_each_range():
    zeros = dict.fromkeys(("weight_decay", "warmup", "beta1", "beta2", "seed"), 0)
    config = TrainingConfig.of(steps=1, batch_size=1, mask_ratio=1, heavy_ratio=1, prediction_ratio=1, **zeros)
    assert (config.steps, config.masking.mask_ratio, config.masking.prediction_ratio) == (1, 1.0, 1.0)


def test_a_recipe_is_that_of_the_language_with_what_is_given():
    assert recipe("scenes").masking.mask_ratio == 0.35
    assert recipe("english").masking.mask_ratio == 0.3
    assert [recipe(name).embedding_rate for name in ("scenes", "markov", "bursty", "english")] == [3, 1, 1, 1]
    given = recipe("scenes", device="cpu", batch_size=2, mask_ratio=0.15)
    assert (given.batch_size, given.micro_batches, given.masking.mask_ratio) == (2, 2, 0.15)
    assert recipe("scenes", steps=7).masking.heavy_share == recipe("scenes").masking.heavy_share > 0
    assert (recipe("scenes").weight_decay, recipe("scenes").beta2) == (0.1, 0.995)
    assert recipe("markov").masking.method == "bernoulli"
    for fields in ({"mask_ratio": 0.15}, {"method": "bernoulli"}, {"prediction_ratio": 0.1}, {"objective": "causal"}):
        plain = recipe("scenes", **fields)
        assert (plain.masking.method, plain.masking.heavy_share) == ("bernoulli", 0.0)
        assert (plain.weight_decay, plain.beta2) == (0.01, 0.98)
        assert plain.embedding_rate == 3
    assert [recipe(name, device="cpu").micro_batches for name in ("scenes", "english")] == [4, 4]
    with pytest.raises(ValueError, match="batch_size is 0: expected at least 1"):
        recipe("scenes", batch_size=0)
    with pytest.raises(ValueError, match="micro_batches is 3: expected at most batch_size, 2"):
        recipe("scenes", batch_size=2, micro_batches=3)


def test_a_wide_model_takes_smaller_steps():
    rates = [recipe("english", size=size).learning_rate for size in ("tiny", "mini", "small", "base")]
    assert rates == pytest.approx([2e-3, 2e-3, 1e-3, 2e-3 / 6])
    assert recipe("english", size="base", learning_rate=0.01).learning_rate == 0.01
    with pytest.raises(ValueError, match="size is 'huge': expected one of tiny, mini, small, base"):
        recipe("english", size="huge")


def test_a_gpu_takes_a_batch_in_one_part(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert (recipe("scenes", device=None).micro_batches, recipe("scenes", device="cpu").micro_batches) == (1, 4)
    assert recipe("scenes", device=None, micro_batches=2).micro_batches == 2
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for here, parts in ((True, 1), (False, 4)):
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda here=here: here)
        assert recipe("scenes", device=None).micro_batches == parts


def test_a_config_survives_json():
    config = TrainingConfig.of(steps=np.int64(7), mask_ratio=np.float64(0.4), split=(0.8, 0.1, 0.1))
    assert TrainingConfig.of(**json.loads(json.dumps(config.to_dict()))) == config


# ---------------------------------------------------------------- what is asked


@pytest.mark.parametrize("method", ["bernoulli", "fixed"])
@pytest.mark.parametrize("split", [(1.0, 0.0, 0.0), (0.8, 0.1, 0.1), (0.0, 1.0, 0.0)])
def test_a_masked_batch_asks_for_words_that_it_hid(method, split, scenes, sentences):
    v = scenes.vocabulary
    batch = masked_batch(sentences, v, Masking(mask_ratio=0.3, method=method, split=split), rng())
    asked = (batch.labels != IGNORE_INDEX).numpy()
    rows, places = np.nonzero(asked)
    positions, labels = batch.positions.numpy()[rows, places], batch.labels.numpy()[rows, places]
    assert np.isin(labels, v.regular_ids).all()
    np.testing.assert_array_equal(sentences[rows, positions], labels)
    seen = batch.ids.numpy()
    changed = seen != sentences
    hidden = np.zeros_like(changed)
    hidden[rows, positions] = True
    assert not (changed & ~hidden).any()
    assert np.isin(seen[changed], [*v.regular_ids, v.mask_id]).all()
    np.testing.assert_array_equal(batch.attention_mask, sentences != v.pad_id)
    for row, k in zip(positions_of(batch), asked.sum(axis=1), strict=True):
        assert len(set(row)) == k
        assert sorted(row) == row
    if method == "fixed":
        words = np.isin(sentences, v.regular_ids).sum(axis=1)
        np.testing.assert_array_equal(asked.sum(axis=1), np.floor(0.3 * words + 0.5))
    shares = [(seen[hidden] == v.mask_id).mean(), (seen[hidden] == sentences[hidden]).mean()]
    np.testing.assert_allclose(shares, [split[0], split[2]], atol=0.07)


def positions_of(batch):
    return [row[label != IGNORE_INDEX].tolist() for row, label in zip(batch.positions, batch.labels, strict=True)]


def test_masks_are_new_every_time_and_come_from_the_generator_alone(scenes, sentences):
    same = rng(5)
    first, second = (masked_batch(sentences, scenes.vocabulary, Masking(), same) for _ in range(2))
    again = masked_batch(sentences, scenes.vocabulary, Masking(), rng(5))
    assert torch.equal(first.ids, again.ids)
    assert not torch.equal(first.ids, second.ids)


@pytest.mark.parametrize("method", ["bernoulli", "fixed"])
def test_a_share_of_the_sentences_hides_more(scenes, method):
    ids, v = scenes.sample(6000, rng(3)).ids, scenes.vocabulary
    masking = Masking(mask_ratio=0.2, method=method, heavy_share=0.25, heavy_ratio=0.9)
    batch = masked_batch(ids, v, masking, rng(4))
    words = np.isin(ids, v.regular_ids).sum(axis=1)
    asked = (batch.labels != IGNORE_INDEX).numpy().sum(axis=1)
    assert (asked == (batch.ids == v.mask_id).numpy().sum(axis=1)).all()
    long = words >= 8  # where 20% and 90% are hard to take for each other
    assert (asked[long] > 0.55 * words[long]).mean() == pytest.approx(0.25, abs=0.02)
    assert asked[long].sum() / words[long].sum() == pytest.approx(0.75 * 0.2 + 0.25 * 0.9, abs=0.02)
    if method == "fixed":
        light = np.floor(0.2 * words + 0.5) == asked
        assert (light | (np.floor(0.9 * words + 0.5) == asked)).all()
    again = masked_batch(ids, v, masking, rng(5))
    assert not np.array_equal(asked > 0.55 * words, (again.labels != IGNORE_INDEX).numpy().sum(axis=1) > 0.55 * words)


def test_an_evaluation_hides_every_word_alike(scenes, sentences):
    plain = TrainingConfig.of(steps=1, mask_ratio=0.3)
    heavy = replace(plain, masking=replace(plain.masking, method="fixed", heavy_share=0.5))
    one, other = (draw_evaluation(sentences, scenes.vocabulary, config, rng(6), scenes) for config in (plain, heavy))
    assert torch.equal(one.batch.ids, other.batch.ids)
    np.testing.assert_array_equal(one.floor_nats, other.floor_nats)


def test_without_padding_there_is_no_attention_mask():
    language = markov_language(6)
    ids = language.sample(5, rng()).ids
    assert masked_batch(ids, language.vocabulary, Masking(mask_ratio=0.5), rng()).attention_mask is None


def test_a_batch_in_which_nothing_was_selected_costs_nothing(scenes, sentences):
    batch = masked_batch(sentences[:3], scenes.vocabulary, Masking(mask_ratio=1e-9), rng())
    assert batch.count_labels() == 0
    assert batch.positions.shape == (3, 1)
    model = small_model(scenes.vocabulary)
    assert accumulate_gradient(model, batch, 2).item() == 0.0
    assert all((p.grad == 0).all() for p in model.parameters() if p.grad is not None)


def test_a_causal_batch_asks_for_each_token_given_those_before(scenes, sentences):
    v = scenes.vocabulary
    batch = causal_batch(sentences, v)
    for row, positions, labels in zip(sentences, batch.positions.numpy(), batch.labels.numpy(), strict=True):
        words = row[(row != v.pad_id) & (row != v.cls_id)]
        k = len(words)
        assert positions[:k].tolist() == list(range(k))
        assert labels[:k].tolist() == words.tolist()
        assert words[-1] == v.sep_id
        assert (labels[k:] == IGNORE_INDEX).all()


def test_a_causal_model_cannot_see_the_answer(scenes, sentences):
    batch = causal_batch(sentences[:4], scenes.vocabulary)
    model = small_model(scenes.vocabulary).eval()
    ids = batch.ids.clone()
    ids[:, 4:] = scenes.vocabulary.mask_id
    changed = replace(batch, ids=ids)
    torch.testing.assert_close(surprisals(model, batch)[:, :3], surprisals(model, changed)[:, :3])


@pytest.mark.parametrize("objective", ["masked", "causal"])
def test_the_cost_is_that_of_the_definition_at_every_position(objective, scenes, sentences):
    """Whatever is trimmed or gathered: against logits at all positions and the NumPy cross-entropy."""
    ids, v = by_length(sentences, scenes.vocabulary), scenes.vocabulary
    batch = masked_batch(ids, v, Masking(mask_ratio=0.3), rng()) if objective == "masked" else causal_batch(ids, v)
    model = small_model(v).eval()
    dense = np.full(ids.shape, IGNORE_INDEX)
    rows, places = np.nonzero(batch.labels.numpy() != IGNORE_INDEX)
    dense[rows, batch.positions.numpy()[rows, places]] = batch.labels.numpy()[rows, places]
    with torch.no_grad():
        logits = model(batch.ids, torch.from_numpy(ids != v.pad_id), causal=batch.causal)
        parts = [surprisals(model, part).sum() for part in batch.split(7)]
    mean = sum(parts).item() / batch.count_labels()
    assert mean == pytest.approx(cross_entropy(logits.numpy(), dense), abs=1e-5)


def test_all_of_a_batch_goes_to_a_device(scenes, sentences):
    ids, v = sentences[:9], scenes.vocabulary
    for batch in (diffusion_batch(ids, v, rng()), causal_batch(ids, v)):
        there = vars(batch.to(torch.device("meta")))
        assert there.keys() == vars(batch).keys()
        for name, mine in vars(batch).items():
            is_tensor = isinstance(mine, torch.Tensor)
            assert (there[name].is_meta and there[name].shape == mine.shape) if is_tensor else there[name] is mine


def test_questions_are_asked_where_the_model_is(scenes, sentences, monkeypatch):
    """With PyTorch's "meta" device, which has shapes and no numbers, in the place of a GPU."""
    v, seen = scenes.vocabulary, []
    model, batch = small_model(v).to("meta"), masked_batch(sentences[:9], v, Masking(mask_ratio=0.3), rng())

    def cost(model, batch):
        given = (batch.ids, batch.attention_mask, batch.positions, batch.labels)
        seen.append({tensor.device.type for tensor in given})
        return torch.zeros(batch.labels.shape)

    monkeypatch.setattr("mlm_mini.training.evaluation.surprisals", cost)
    assert evaluate(model, EvaluationSet(batch)).loss == 0

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.anything = nn.Parameter(torch.zeros(1, device="meta"))

        def forward(self, *given):
            seen.append({tensor.device.type for tensor in given})
            return torch.zeros(len(given[0]), 1, len(v))

    paid = blank_nats(Reader(), Blanks(sentences[:9], np.full(9, 1)), v)
    np.testing.assert_allclose(paid, np.log(len(v)))
    assert seen == [{"meta"}] * 2


def test_parts_are_trimmed_to_their_longest_sentence(scenes, sentences):
    batch = masked_batch(by_length(sentences, scenes.vocabulary), scenes.vocabulary, Masking(), rng())
    widths = [part.ids.shape[1] for part in batch.split(4)]
    assert widths == sorted(widths)
    assert widths[0] < widths[-1] == (sentences != 0).sum(axis=1).max()
    assert sum(len(part) for part in batch.split(4)) == len(sentences)


# ---------------------------------------------------------------- steps


@pytest.mark.parametrize("parts", [2, 3, 13])
def test_accumulated_gradients_are_those_of_one_big_batch(parts, scenes, sentences):
    batch = masked_batch(
        by_length(sentences[:13], scenes.vocabulary), scenes.vocabulary, Masking(mask_ratio=0.3), rng()
    )
    counts = [part.count_labels() for part in batch.split(parts)]
    assert len(set(counts)) > 1  # where all are equal, averaging averages would do
    gradients = []
    for n in (1, parts):
        model = small_model(scenes.vocabulary).double()
        loss = accumulate_gradient(model, batch, n)
        gradients.append([loss.double(), *(p.grad for p in model.parameters() if p.grad is not None)])
    for whole, added in zip(*gradients, strict=True):
        torch.testing.assert_close(added, whole, rtol=1e-5, atol=1e-8)


@pytest.fixture
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def test_parts_side_by_side_give_the_same_bits_as_one_after_the_other(scenes, sentences, two_threads):
    batch = masked_batch(by_length(sentences, scenes.vocabulary), scenes.vocabulary, Masking(mask_ratio=0.3), rng())
    gradients, names = [], set()

    def spy(map_):
        def spying(function, parts):
            return map_(lambda part: (names.add(threading.current_thread().name), function(part))[1], parts)

        return spying

    for threads in (1, 2):
        torch.set_num_threads(threads)
        model = small_model(scenes.vocabulary)
        with side_by_side(model, 4) as map_:
            assert torch.get_num_threads() == 1
            accumulate_gradient(model, batch, 4, map=spy(map_))
        assert torch.get_num_threads() == threads
        gradients.append([p.grad for p in model.parameters()])
    assert all(map(torch.equal, *gradients))
    assert len(names) == 3  # this thread, and two others


@pytest.mark.parametrize(
    ("parts", "changes"), [(1, {}), (4, {"hidden_dropout_prob": 0.1}), (4, {"attention_probs_dropout_prob": 0.1})]
)
def test_one_part_or_dropout_goes_one_after_the_other(parts, changes, scenes, two_threads):
    with side_by_side(small_model(scenes.vocabulary, **changes), parts) as map_:
        assert map_ is map
    with side_by_side(small_model(scenes.vocabulary).to("meta"), 4) as map_:  # as on a GPU
        assert map_ is map


def test_an_error_in_a_part_reaches_the_caller_and_the_threads_are_given_back(scenes, two_threads):
    model = small_model(scenes.vocabulary)
    with pytest.raises(ZeroDivisionError), side_by_side(model, 4) as map_:
        list(map_(lambda part: 1 / part, [1, 2, 0]))
    assert torch.get_num_threads() == 2


def test_the_rate_rises_and_falls_linearly_and_is_never_zero():
    config = TrainingConfig(steps=100, learning_rate=1.0, warmup=0.1)
    rates = [learning_rate(step, config) for step in range(100)]
    assert rates[10] == max(rates) == 1.0
    assert rates[0] == pytest.approx(1 / 11)
    assert rates[99] == pytest.approx(1 / 90)
    np.testing.assert_allclose(np.diff(rates[:11]), 1 / 11)
    np.testing.assert_allclose(np.diff(rates[10:]), -1 / 90)
    assert learning_rate(0, TrainingConfig(steps=1, learning_rate=1.0)) == 1.0


def test_only_the_matrices_of_linear_layers_decay(scenes):
    model = small_model(scenes.vocabulary)
    decayed, words, rest = make_optimizer(model, TrainingConfig(steps=1, weight_decay=0.3)).param_groups
    assert (decayed["weight_decay"], words["weight_decay"], rest["weight_decay"]) == (0.3, 0.0, 0.0)
    linear = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    assert set(decayed["param_names"]) == linear
    assert words["param_names"] == ["embeddings.words.weight"]
    names = [*decayed["param_names"], *words["param_names"], *rest["param_names"]]
    assert sorted(names) == sorted(name for name, _ in model.named_parameters())
    assert {"embeddings.positions.weight", "head.bias", "head.norm.weight"} <= set(rest["param_names"])


def test_the_table_of_words_has_a_rate_of_its_own(scenes):
    config = TrainingConfig(steps=10, learning_rate=0.01, embedding_rate=3, weight_decay=0.0, warmup=0.0)
    model = small_model(scenes.vocabulary)
    optimizer = make_optimizer(model, config)
    set_learning_rates(optimizer, 5, config)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.005, 0.015, 0.005])
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    optimizer.step()  # the first step of Adam moves each weight by its rate
    for name, weight in model.named_parameters():
        moved = 0.015 if name == "embeddings.words.weight" else 0.005
        torch.testing.assert_close(before[name] - weight, torch.full_like(weight, moved), rtol=1e-3, atol=1e-6)


def test_our_step_of_adamw_is_pytorchs():
    generator = rng()
    start = generator.normal(size=(3, 4))
    theirs = nn.Parameter(torch.from_numpy(start.copy()))
    optimizer = torch.optim.AdamW([theirs], lr=0.02, weight_decay=0.3, betas=(0.8, 0.95), eps=1e-4)
    ours, m, v = start, np.zeros_like(start), np.zeros_like(start)
    for step in range(1, 20):
        gradient = generator.normal(size=start.shape)
        theirs.grad = torch.from_numpy(gradient)
        optimizer.step()
        ours, m, v = adamw_step(ours, gradient, m, v, step, 0.02, 0.3, 0.8, 0.95, 1e-4)
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=0, atol=1e-12)


def test_a_run_steps_with_every_number_of_its_recipe():
    """Three steps with unusual numbers, against AdamW in NumPy, on gradients that were cut to a norm of 0.01."""
    adam = {"beta1": 0.6, "beta2": 0.7, "epsilon": 0.02, "weight_decay": 0.3, "clip_norm": 0.01, "warmup": 0.0}
    config = TrainingConfig.of(steps=3, batch_size=8, mask_ratio=0.4, learning_rate=0.05, embedding_rate=2, **adam)
    source = SampledSentences(markov_language(6), 0)
    run = Run.start(small_model(source.vocabulary).config, source, config, torch.device("cpu"))
    decayed = set(run.optimizer.param_groups[0]["param_names"])
    weights = {name: weight.detach().double().numpy().copy() for name, weight in run.model.named_parameters()}
    moments = {name: (np.zeros_like(weight), np.zeros_like(weight)) for name, weight in weights.items()}
    for step in (1, 2, 3):
        run.one_step()
        gradients = {name: weight.grad.double().numpy() for name, weight in run.model.named_parameters()}
        assert np.sqrt(sum((g**2).sum() for g in gradients.values())) == pytest.approx(0.01, rel=1e-3)
        for name, gradient in gradients.items():
            rate = learning_rate(step - 1, config) * (2 if name == "embeddings.words.weight" else 1)
            decay = 0.3 if name in decayed else 0.0
            weights[name], *moments[name] = adamw_step(
                weights[name], gradient, *moments[name], step, rate, decay, 0.6, 0.7, 0.02
            )
    for name, weight in run.model.named_parameters():
        np.testing.assert_allclose(weight.detach().numpy(), weights[name], rtol=0, atol=1e-6)


def muon_run(**fields):
    config = TrainingConfig.of(steps=3, batch_size=8, mask_ratio=0.4, warmup=0.0, optimizer="muon", **fields)
    source = SampledSentences(markov_language(6), 0)
    return Run.start(small_model(source.vocabulary).config, source, config, torch.device("cpu"))


def test_muon_turns_a_gradient_into_a_rotation_of_adamws_size():
    """The singular directions stay, their sizes become nearly alike: 1, times 0.2 root of the longer side."""
    run = muon_run(learning_rate=0.05, weight_decay=0.3, embedding_rate=2.0)
    matrices = [name for name, module in run.model.named_modules() if isinstance(module, nn.Linear)]
    before = {name: weight.detach().double().clone() for name, weight in run.model.named_parameters()}
    run.one_step()
    for name in matrices:
        weight = run.model.get_submodule(name).weight
        was = before[f"{name}.weight"]
        step = (was * (1 - 0.05 * 0.3) - weight.detach().double()) / (0.05 * 0.2 * max(weight.shape) ** 0.5)
        u, sizes, v = torch.linalg.svd(weight.grad.double(), full_matrices=False)
        turned = u.T @ step @ v.T
        large = sizes > 0.05 * sizes[0]  # five rounds bring no smaller one up to 1
        assert large.sum() >= 2, name
        turned = turned[large][:, large]
        sides = turned.diagonal()
        assert 0.6 < sides.min() <= sides.max() < 1.3, name
        assert (turned - sides.diag()).abs().max() < 0.1, name


def test_muon_remembers_nineteen_parts_of_twenty():
    """Its momentum after two steps, from their gradients; and a step looks once more at the newest (Nesterov)."""
    run, name = muon_run(weight_decay=0.0), "blocks.0.expand.weight"
    weight, gradients = run.model.get_parameter(name), []
    for _ in range(2):
        run.one_step()
        gradients.append(weight.grad.clone())
    first, second = gradients
    kept = kept_moments(run.optimizer, run.model)[f"{name}.momentum_buffer"]
    torch.testing.assert_close(kept, 0.05 * (0.95 * first + second))
    assert all(group["nesterov"] for group in run.optimizer.param_groups[:1])


def test_an_older_pytorch_has_no_muon(monkeypatch):
    monkeypatch.delattr(torch.optim, "Muon")
    with pytest.raises(ValueError, match=r"optimizer is 'muon', which PyTorch has from 2.9 on, and this is 2\."):
        muon_run()


def test_muon_is_for_the_matrices_of_linear_layers_and_adamw_for_the_rest():
    run = muon_run(learning_rate=0.05, weight_decay=0.3, embedding_rate=2.0, beta1=0.6, beta2=0.7, epsilon=0.02)
    matrices, table, rest = run.optimizer.param_groups
    assert [group["weight_decay"] for group in (matrices, table, rest)] == [0.3, 0.0, 0.0]
    linear = {f"{name}.weight" for name, module in run.model.named_modules() if isinstance(module, nn.Linear)}
    assert set(matrices["param_names"]) == linear
    assert table["param_names"] == ["embeddings.words.weight"]
    others = {name: w for name, w in run.model.named_parameters() if name not in linear}
    weights = {name: weight.detach().double().numpy().copy() for name, weight in others.items()}
    moments = {name: (np.zeros_like(weight), np.zeros_like(weight)) for name, weight in weights.items()}
    for step in (1, 2, 3):
        run.one_step()
        assert matrices["lr"] == rest["lr"] == pytest.approx(learning_rate(step - 1, run.config))
        for name, weight in others.items():
            rate = learning_rate(step - 1, run.config) * (2 if name == "embeddings.words.weight" else 1)
            gradient = weight.grad.double().numpy()
            weights[name], *moments[name] = adamw_step(
                weights[name], gradient, *moments[name], step, rate, 0.0, 0.6, 0.7, 0.02
            )
    for name, weight in others.items():
        np.testing.assert_allclose(weight.detach().numpy(), weights[name], rtol=0, atol=1e-6)
    run.optimizer.zero_grad()
    assert all(weight.grad is None for weight in run.model.parameters())


# ---------------------------------------------------------------- evaluation


class ExactReader(nn.Module):
    """A model that knows the language: its logits are exact log-probabilities."""

    def __init__(self, language, config):
        super().__init__()
        self.language, self.config = language, config
        self.anything = nn.Parameter(torch.zeros(1))

    def forward(self, ids, attention_mask, positions, causal, trim):
        pad = self.language.length - ids.shape[1]
        ids = np.pad(ids.numpy(), [(0, 0), (0, pad)])
        p = self.causal(ids, positions) if causal else self.masked(ids, positions.numpy())
        return torch.from_numpy(p).log()

    def masked(self, ids, positions):
        if self.config.masking.split == (1.0, 0.0, 0.0):
            return self.language.posterior_at(ids, positions)
        positions = np.where(np.isin(np.take_along_axis(ids, positions, 1), [0, 1, 2, 3]), 1, positions)  # unlabeled
        return self.language.posterior_under_corruption(
            ids, positions, self.config.masking.mask_ratio, self.config.masking.split
        )

    def causal(self, ids, positions):
        p = np.zeros((*positions.shape, len(self.language.vocabulary)))
        for i in range(positions.shape[1]):
            later = np.arange(ids.shape[1]) > positions[:, i : i + 1].numpy()
            p[:, i] = self.language.posterior_at(
                np.where(later, self.language.vocabulary.mask_id, ids),
                np.minimum(positions[:, i : i + 1].numpy() + 1, ids.shape[1] - 1),
            )[:, 0]
        return p


@pytest.mark.parametrize(
    "change", [{}, {"mask_ratio": 0.5}, {"mask_ratio": 0.3, "split": (0.8, 0.1, 0.1)}, {"objective": "causal"}]
)
@pytest.mark.parametrize("kind", ["scenes", "markov"])
def test_a_reader_who_knows_the_language_is_at_the_floor(kind, change, scenes):
    language = scenes if kind == "scenes" else markov_language(6)
    config = TrainingConfig.of(steps=1, **change)
    ids = by_length(language.sample(60, rng()).ids, language.vocabulary)
    evaluation = draw_evaluation(ids, language.vocabulary, config, rng(1), language)
    score = evaluate(ExactReader(language, config), evaluation)
    assert score.loss == pytest.approx(evaluation.floor, abs=1e-5)
    assert score.gap == pytest.approx(0, abs=1e-5)
    assert score.gap_error < 1e-5


def test_the_floor_of_the_set_is_near_that_of_the_language(scenes):
    evaluation = find_material("scenes", TrainingConfig(steps=1)).evaluation
    floor = scenes.bayes_floor(0.15, rng(), n=4000)
    assert evaluation.floor == pytest.approx(floor.mean, abs=5 * floor.standard_error)


def test_a_model_pays_more_and_the_error_of_the_gap_is_honest(scenes):
    """Over twenty sets the gaps scatter as the standard error says."""
    config, model = TrainingConfig(steps=1), small_model(scenes.vocabulary)
    scores = []
    for seed in range(20):
        ids = scenes.sample(100, rng(seed)).ids
        scores.append(evaluate(model, draw_evaluation(ids, scenes.vocabulary, config, rng(seed), scenes)))
    gaps, errors = np.array([(score.gap, score.gap_error) for score in scores]).T
    assert (gaps > 3).all()
    assert 0.5 < gaps.std(ddof=1) / errors.mean() < 2


def test_an_evaluation_side_by_side_gives_the_same_score(scenes, two_threads):
    config, model = TrainingConfig.of(steps=1, mask_ratio=0.3), small_model(scenes.vocabulary)
    evaluation = draw_evaluation(scenes.sample(700, rng()).ids, scenes.vocabulary, config, rng(1), scenes)
    names = set()
    with side_by_side(model, 2) as map_:
        score = evaluate(
            model,
            evaluation,
            lambda function, blocks: map_(
                lambda block: (names.add(threading.current_thread().name), function(block))[1], blocks
            ),
        )
    assert names
    assert all(name.startswith("part") for name in names)
    torch.set_num_threads(1)
    assert score == evaluate(model, evaluation)


def test_an_evaluation_leaves_the_model_as_it_was_and_repeats_itself(scenes, sentences):
    evaluation = draw_evaluation(sentences, scenes.vocabulary, TrainingConfig(steps=1), rng())
    model = small_model(scenes.vocabulary, hidden_dropout_prob=0.5).train()
    first = evaluate(model, evaluation)
    assert model.training
    assert first == evaluate(model, evaluation)
    assert first.gap is None
    assert evaluation.floor is None


def test_every_run_is_asked_the_same(scenes):
    one, other = (
        find_material("scenes", config).evaluation
        for config in (
            TrainingConfig(steps=1),
            TrainingConfig.of(steps=9, seed=5, mask_ratio=0.6, method="fixed", split=(0.8, 0.1, 0.1)),
        )
    )
    assert torch.equal(one.batch.ids, other.batch.ids)
    np.testing.assert_array_equal(one.floor_nats, other.floor_nats)


def test_whatever_is_asked_is_in_the_name_of_a_set(scenes, sentences):
    ids, plain = sentences[:20], TrainingConfig(steps=1)
    one = draw_evaluation(ids, scenes.vocabulary, plain, rng(1), scenes)
    batch, weights = one.batch, torch.ones(one.batch.labels.shape)
    others = [
        *(replace(batch, **{name: getattr(batch, name) + 1}) for name in ("ids", "positions", "labels")),
        replace(batch, causal=True),
        replace(batch, weights=weights),
        replace(batch, weights=2 * weights),
    ]
    names = [replace(one, batch=other).fingerprint for other in others]
    names += [one.fingerprint, replace(one, floor_nats=None).fingerprint]
    assert len(set(names)) == 8
    assert replace(one, floor_nats=one.floor_nats * (1 + 1e-15)).fingerprint == one.fingerprint


def test_an_evaluation_that_fails_leaves_the_model_in_its_mode(scenes, sentences):
    evaluation = draw_evaluation(sentences, scenes.vocabulary, TrainingConfig(steps=1), rng())
    model = small_model(scenes.vocabulary).train()
    with pytest.raises(ZeroDivisionError):
        evaluate(model, evaluation, lambda function, blocks: 1 / 0)
    assert model.training


def test_the_seed_of_a_run_draws_its_sentences(scenes, monkeypatch):
    monkeypatch.setattr(datasets, "EVALUATION_SENTENCES", 8)
    for seed in (0, 5):
        source = find_material("scenes", TrainingConfig(steps=1, seed=seed)).source
        np.testing.assert_array_equal(source.next_batch(4), SampledSentences(scenes, seed).next_batch(4))


def test_the_seed_of_a_run_orders_its_rows_and_the_questions_stay(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    (tmp_path / "a.txt").write_text("\n\n".join(f"The chef {i} cuts the bread {i * i}." for i in range(90)))
    seeds = (0, 5, 0)
    found = [find_material(tmp_path, TrainingConfig(steps=1, seed=seed), 16, 300) for seed in seeds]
    rows = [material.source.next_batch(9) for material in found]
    np.testing.assert_array_equal(rows[0], rows[2])
    assert not np.array_equal(rows[0], rows[1])
    assert found[0].evaluation.fingerprint == found[1].evaluation.fingerprint


def test_a_set_in_which_nothing_is_asked_is_refused(scenes, sentences):
    with pytest.raises(ValueError, match="in 3 sentences no token was selected"):
        draw_evaluation(sentences[:3], scenes.vocabulary, TrainingConfig.of(steps=1, mask_ratio=1e-9), rng())


# ---------------------------------------------------------------- the loop


def markov_run(steps=60, seed=0, device="cpu", **options):
    language = markov_language(6)
    config = TrainingConfig.of(steps=steps, batch_size=32, mask_ratio=0.3, learning_rate=1e-2, seed=seed)
    ids = language.sample(200, rng()).ids
    evaluation = draw_evaluation(ids, language.vocabulary, config, rng(1), language)
    source = SampledSentences(language, seed)
    wide = {"hidden_size": 32, "intermediate_size": 64, "initializer_range": 0.1}
    model = small_model(language.vocabulary, **wide).config
    return train(model, source, config, evaluation=evaluation, evaluate_every=20, device=device, **options)


@pytest.fixture(scope="module", params=DEVICES)
def learned(request):
    return markov_run(steps=400, device=request.param)


def test_a_model_learns_and_its_curve_says_so(learned):
    assert [point.step for point in learned.curve] == list(range(20, 401, 20))
    first, last = learned.curve[0], learned.curve[-1]
    assert 0 < last.gap < 0.8 * first.gap  # the first is what knowing the frequencies of words is worth
    assert last.gap == pytest.approx(last.loss - learned.floor)
    assert last.tokens == 400 * 32 * 8
    assert 0.25 < last.predictions / (400 * 32 * 6) < 0.35
    assert not learned.model.training


def test_the_seed_decides_everything_and_the_callers_generator_is_left_alone():
    torch.manual_seed(123)
    before = torch.get_rng_state()
    one, again, other = markov_run(steps=20), markov_run(steps=20), markov_run(steps=20, seed=1)
    assert torch.equal(torch.get_rng_state(), before)
    weights = [list(run.model.state_dict().values()) for run in (one, again, other)]
    assert all(map(torch.equal, weights[0], weights[1]))
    assert not torch.equal(weights[0][0], weights[2][0])


def test_a_model_that_does_not_fit_the_text_is_refused():
    source, config = SampledSentences(markov_language(6), 0), TrainingConfig(steps=1)
    right = small_model(source.vocabulary).config
    with pytest.raises(ValueError, match="the model has 7 tokens and the text 25"):
        train(replace(right, vocab_size=7), source, config)
    with pytest.raises(ValueError, match="the model has 5 positions, and the rows of the text 8"):
        train(replace(right, max_position_embeddings=5), source, config)


class Told(Reporter):
    """Notes what it is told."""

    def __init__(self):
        self.begun, self.losses, self.tokens = [], [], []

    def begin(self, steps, step, floor, curve):
        self.begun.append((steps, step, floor, list(curve)))

    def stepped(self, step, loss, tokens, seconds):
        self.losses.append(loss)
        self.tokens.append(tokens)


def test_a_point_has_the_mean_loss_since_the_one_before_and_padding_is_not_counted(scenes, sentences):
    config, told = TrainingConfig(steps=5, batch_size=8), Told()
    evaluation = draw_evaluation(sentences, scenes.vocabulary, config, rng(1), scenes)
    shape = small_model(scenes.vocabulary).config
    options = {"evaluation": evaluation, "evaluate_every": 2, "device": "cpu"}
    curve = train(shape, SampledSentences(scenes, 0), config, report=told, **options).curve
    losses, again = told.losses, SampledSentences(scenes, 0)
    assert [point.train_loss for point in curve] == pytest.approx(
        [sum(losses[:2]) / 2, sum(losses[2:4]) / 2, losses[4]]
    )
    read = [int((again.next_batch(8) != scenes.vocabulary.pad_id).sum()) for _ in range(5)]
    assert told.tokens == read
    assert [point.tokens for point in curve] == [sum(read[:2]), sum(read[:4]), sum(read)]
    assert sum(read) < 5 * 8 * scenes.length
    assert told.begun == [(5, 0, evaluation.floor, [])]


@pytest.mark.parametrize(("fewest", "steps"), [(1, [4, 8, 10]), (6, [6, 10])])
def test_looks_and_checkpoints_are_spread_over_a_run_unless_told_otherwise(fewest, steps, tmp_path, monkeypatch):
    assert (loop.EVALUATIONS, loop.FEWEST_STEPS) == (20, 50)
    monkeypatch.setattr(loop, "EVALUATIONS", 3)
    monkeypatch.setattr(loop, "FEWEST_STEPS", fewest)
    language, config, told = markov_language(6), TrainingConfig(steps=10, batch_size=4), Told()
    evaluation = draw_evaluation(language.sample(20, rng()).ids, language.vocabulary, config, rng(1))
    shape, source = small_model(language.vocabulary).config, SampledSentences(language, 0)
    settings = {"evaluation": evaluation, "out": tmp_path, "device": "cpu"}
    result = train(shape, source, config, **settings)
    assert [point.step for point in result.curve] == steps
    assert sorted(os.listdir(tmp_path)) == [f"step-{step:08d}" for step in steps[-2:]]
    train(shape, source, config, resume=True, report=told, **settings)
    assert told.begun == [(10, 10, None, result.curve)]


def test_an_objective_of_ones_own_asks_what_it_likes():
    language, told = markov_language(6), Told()
    config = TrainingConfig.of(steps=1, batch_size=2, mask_ratio=1e-9)
    shape, source = small_model(language.vocabulary).config, SampledSentences(language, 0)
    train(shape, source, config, objective=lambda ids, v, *_: causal_batch(ids, v), device="cpu", report=told)
    assert told.losses[0] > 1


@pytest.mark.parametrize(
    ("device", "seeded"),
    [
        ("cpu", []),
        ("cuda:1", [("on", torch.device("cuda", 1)), ("cuda", 5), "left"]),
        ("mps", [("mps", 5)]),
    ],
)
def test_dropout_is_seeded_on_its_device_and_on_no_other(device, seeded, monkeypatch):
    events = []

    @contextlib.contextmanager
    def on(device):
        events.append(("on", device))
        yield
        events.append("left")

    monkeypatch.setattr(torch.cuda, "device", on)
    monkeypatch.setattr(torch.cuda, "manual_seed", lambda seed: events.append(("cuda", seed)))
    monkeypatch.setattr(torch.mps, "manual_seed", lambda seed: events.append(("mps", seed)))
    with torch.random.fork_rng([]):
        seed_dropout(5, torch.device(device))
        assert torch.initial_seed() == 5
    assert events == seeded


# ---------------------------------------------------------------- what is shown


def test_the_terminal_shows_what_was_measured_and_nothing_else(capsys):
    with TerminalProgress() as shown:
        shown.begin(4, 0, None, [])
        for step in (1, 2):
            shown.stepped(step, 2.0, 100, 0.5)
        bar = shown._bar.tasks[0].fields["shown"]
        assert bar == "loss 2.000 · 200 tokens/s"
        shown.evaluated(Point(2, 2.0, 1.9, 0.75, 0.01, 200, 30, 1.0))
        shown.stepped(3, 1.0, 100, 0.5)
        bar = shown._bar.tasks[0].fields["shown"]
        assert bar == "loss 1.667 · 0.750 above the floor · 200 tokens/s"
        shown.evaluated(Point(3, 1.0, 1.5, None, None, 300, 45, 1.5))
    captured = capsys.readouterr()
    assert captured.out == ""  # which is kept for results
    assert "step      2: loss 1.900 nats, 0.750 above the Bayes floor; 1 s" in captured.err
    assert "step      3: loss 1.500 nats; 2 s" in captured.err


def test_the_bar_has_the_mean_of_the_last_fifty_steps(capsys):
    with TerminalProgress() as shown:
        shown.begin(80, 0, None, [])
        for step in range(1, 61):
            shown.stepped(step, 9.0 if step <= 10 else 1.0, 100, 0.5)
        (bar,) = shown._bar.tasks
        assert (bar.fields["shown"], bar.completed, bar.total) == ("loss 1.000 · 200 tokens/s", 60, 80)
        assert shown._bar.live.is_started
    assert not shown._bar.live.is_started


def test_whoever_shows_a_run_that_fails_is_told_that_it_has_ended():
    class Shown(Reporter):
        def stepped(self, *_):
            raise ZeroDivisionError

        def __exit__(self, kind, *_):
            ended.append(kind)

    ended, source = [], SampledSentences(markov_language(6), 0)
    with pytest.raises(ZeroDivisionError):
        train(small_model(source.vocabulary).config, source, TrainingConfig(steps=2), device="cpu", report=Shown())
    assert ended == [ZeroDivisionError]


def test_a_curve_in_a_notebook_goes_on_from_the_one_before(monkeypatch):
    import IPython.display

    from mlm_mini import figures

    class Handle:
        def update(self, data, raw):
            shown.append(data["text/plain"])

    shown, drawn = [], []
    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: Handle())
    monkeypatch.setattr(figures, "figure_html", lambda figure, alt: drawn.append((figure.axes[0].get_xlim(), alt)))
    curve = LiveCurve()
    curve.begin(100, 20, 0.8, [Point(20, 2.1, 2.0, 1.2, 0.01, 1, 1, 1.0)])
    curve.evaluated(Point(40, 1.6, 1.5, 0.7, 0.01, 2, 2, 2.0))
    expected = (
        "from 2.000 nats per token at step 20 to 1.500 at step 40. The Bayes floor is 0.800, so that 0.700 remain."
    )
    assert shown == [f"Loss on fixed masks: {expected}"]
    assert drawn == [((0, 100), shown[0])]


def test_a_resumed_run_says_where_it_goes_on(capsys):
    with TerminalProgress() as shown:
        before = Point(3, 3.0, 2.9, 2.1, 0.01, 1, 1, 1.0)
        shown.begin(10, 6, 0.8, [before, Point(6, 2.0, 1.9, 1.1, 0.01, 1, 1, 1.0)])
        assert shown._bar.tasks[0].completed == 6
        shown.stepped(7, 2.0, 10, 1.0)
        assert "1.100 above the floor" in shown._bar.tasks[0].fields["shown"]
    assert "going on after step 6 of 10" in capsys.readouterr().err


def test_a_notebook_gets_a_curve_that_grows(monkeypatch):
    import IPython.display

    class Handle:
        def update(self, data, raw):
            shown.append(data)

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: Handle())
    markov_run(steps=40, report=LiveCurve())
    assert len(shown) == 2
    assert all(data["text/html"].startswith("<img") for data in shown)
    assert "at step 20 to" in shown[-1]["text/plain"]


@pytest.mark.parametrize("reporter", [Reporter, TerminalProgress, LiveCurve])
def test_whoever_shows_a_run_leaves_its_curve_alone(reporter, monkeypatch):
    import IPython.display

    class Handle:
        def update(self, data, raw): ...

    monkeypatch.setattr(IPython.display, "display", lambda *_, **__: Handle())
    assert [point.step for point in markov_run(steps=40, report=reporter()).curve] == [20, 40]


def test_a_result_is_shown_with_its_description(learned, monkeypatch):
    import IPython.display

    shown = []
    monkeypatch.setattr(IPython.display, "display", lambda data, raw: shown.append(data))
    learned.show()
    assert f"The Bayes floor is {learned.floor:.3f}" in shown[0]["text/plain"]


def test_the_curve_is_drawn_over_the_floor(learned):
    (axes,) = learned.plot().axes
    assert f"Bayes floor {learned.floor:.3f}" in [text.get_text() for text in axes.get_legend().get_texts()]
    assert "above the Bayes floor after 400 steps" in axes.get_title()
    without = [point._replace(gap=None) for point in learned.curve]
    assert "nats after 400 steps" in plot_curve(without, None).axes[0].get_title()
    assert "floor" not in describe_curve(without, None)
    assert describe_curve([], None) == "No evaluation yet."
    assert plot_curve([], 0.8) is not None


# ---------------------------------------------------------------- blanks


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of the scene language after a few steps, in a folder."""
    out = tmp_path_factory.mktemp("model")
    train_folder("scenes", "tiny", TrainingConfig(steps=12, batch_size=64), out, device="cpu")
    return out


def test_a_trained_folder_holds_the_model_its_curve_and_its_checkpoints(folder):
    assert {"config.json", "model.safetensors", "tokenizer.json", "training.json", "checkpoints"} <= set(
        os.listdir(folder)
    )
    summary = json.loads((folder / "training.json").read_text())
    assert summary["language"] == "scenes"
    assert summary["training"]["steps"] == 12
    assert summary["curve"][-1]["gap"] == pytest.approx(summary["curve"][-1]["loss"] - summary["floor"])


def test_candidates_are_the_models_own_distribution(folder):
    model, tokenizer = load_folder(folder)
    text = "The chef [MASK] the [MASK]."
    everything = fill(model, tokenizer, text, top=len(tokenizer.vocabulary), all_tokens=True)
    assert len(everything) == 2
    for blank in everything:
        assert sum(candidate.probability for candidate in blank) == pytest.approx(1)
        assert [c.probability for c in blank] == sorted((c.probability for c in blank), reverse=True)
        for candidate in blank:
            assert candidate.surprisal == pytest.approx(-np.log(candidate.probability))
    assert fill(model, tokenizer, text, top=3, all_tokens=True) == [blank[:3] for blank in everything]
    ids = torch.from_numpy(tokenizer.encode(text))[None]
    p = model(ids)[0, 3].softmax(-1)
    best = everything[0][0]
    assert best == Candidate(best.token, pytest.approx(p.max().item(), rel=1e-5), best.surprisal)
    assert tokenizer.vocabulary.ids([best.token])[0] == p.argmax()


def test_a_model_in_training_mode_fills_in_without_dropout(scenes):
    tokenizer, text = WordLevel(scenes.vocabulary), "The chef [MASK] the [MASK]."
    model = small_model(scenes.vocabulary, hidden_dropout_prob=0.5)
    expected = fill(model.eval(), tokenizer, text)
    assert fill(model.train(), tokenizer, text) == expected


def test_special_tokens_are_no_answer(folder):
    model, tokenizer = load_folder(folder)
    with torch.no_grad():
        model.head.bias[tokenizer.vocabulary.cls_id] += 20
    words = len(tokenizer.vocabulary.regular_ids)
    (raw,) = fill(model, tokenizer, "The [MASK] cuts.", words + 5, all_tokens=True)
    (allowed,) = fill(model, tokenizer, "The [MASK] cuts.", words)
    assert (raw[0].token, raw[0].probability > 0.99) == ("[CLS]", True)
    assert {c.token for c in raw} - {c.token for c in allowed} == {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
    p = {candidate.token: candidate.probability for candidate in raw}
    total = sum(p[candidate.token] for candidate in allowed)
    for candidate in allowed:
        assert candidate.probability == pytest.approx(p[candidate.token] / total, rel=1e-6)


def test_logits_that_are_not_finite_are_refused(folder):
    model, tokenizer = load_folder(folder)
    with torch.no_grad():
        model.head.bias[7] = torch.inf
    with pytest.raises(ValueError, match="the model gives logits that are NaN or infinite"):
        fill(model, tokenizer, "The [MASK] cuts.")


def test_a_mask_that_the_tokenizer_does_not_find_everywhere_is_refused():
    content = json.loads(train_wordpiece(["the bread " * 3], 300).to_json())
    content["added_tokens"][-1]["single_word"] = True
    tokenizer = WordPiece(Tokenizer.from_str(json.dumps(content)))
    model = small_model(tokenizer.vocabulary)
    assert len(fill(model, tokenizer, "the [MASK] [MASK]")) == 2
    with pytest.raises(ValueError, match=r"\[MASK\] stands in the text 2 times, and the tokenizer finds it 1 times"):
        fill(model, tokenizer, "the [MASK] x[MASK]")


def test_an_error_quotes_no_more_than_a_line(folder):
    for text in ("chef " * 10_000, "x" * 10_000 + " [MASK]", "\x1b[2J\n" * 100):
        with pytest.raises(ValueError, match=r"there is no blank|not among") as refused:
            fill(*load_folder(folder), text)
        assert len(str(refused.value)) < 320
        assert str(refused.value).isprintable()


def test_transformers_fills_in_the_same(folder, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from transformers import pipeline

    theirs = pipeline("fill-mask", model=str(folder), device="cpu")("the chef [MASK] the bread .")
    (ours,) = fill(*load_folder(folder), "the chef [MASK] the bread .", all_tokens=True)
    assert [row["token_str"] for row in theirs] == [candidate.token for candidate in ours]
    np.testing.assert_allclose([row["score"] for row in theirs], [c.probability for c in ours], rtol=1e-4)


@pytest.mark.parametrize(
    ("text", "top", "message"),
    [
        ("The chef cuts the bread.", 5, r"there is no blank in 'The chef cuts the bread.': write \[MASK\]"),
        ("", 5, "there is no blank"),
        ("The chef [mask] the bread.", 5, "there is no blank"),
        ("The chfe [MASK] the bread.", 5, "'chfe' is not among the model's 399 words: did you mean 'chef'"),
        ("The \udcff [MASK].", 5, r"'The \\udcff \[MASK\].' holds a byte or half a character that is no text"),
        ("The xqzxq [MASK].", 5, "nothing in it is spelled alike"),
        (
            "The chef [MASK] the bread.",
            0,
            "top is 0: expected a number from 1 to 399, the tokens that may be an answer",
        ),
        ("The chef [MASK] the bread.", 400, "top is 400"),
        ("[MASK] " * 200, 5, "the text has 202 tokens .* and the model 128 positions"),
    ],
)
def test_text_that_cannot_be_filled_in_is_told_why(text, top, message, folder):
    with pytest.raises(ValueError, match=message):
        fill(*load_folder(folder), text, top)


SCENE = "the chef cuts the bread ."


def test_a_text_longer_than_those_trained_on_is_refused(folder, monkeypatch):
    model, tokenizer = load_folder(folder)
    assert trained_length(model) == scene_language().length == 17
    assert json.loads((folder / "training.json").read_text())["trained_length"] == 17
    (blank,) = fill(model, tokenizer, f"{SCENE} {SCENE} the [MASK] .", top=1)  # 2 * 6 + 3 words, [CLS] and [SEP]
    assert len(blank) == 1
    message = r"the text has 18 tokens with \[CLS\] and \[SEP\], and the model was trained on 17 .*--length"
    with pytest.raises(ValueError, match=message):
        fill(model, tokenizer, f"{SCENE} {SCENE} the [MASK] chef .")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from transformers import AutoConfig, AutoTokenizer

    assert AutoTokenizer.from_pretrained(folder).model_max_length == 17
    config = AutoConfig.from_pretrained(folder)
    assert (config.trained_length, config.max_position_embeddings) == (17, 128)


def test_a_folder_without_a_trained_length_is_read_as_before(folder, tmp_path):
    model, tokenizer = load_folder(folder)
    note_trained_length(model, None)
    save_pretrained(model, tmp_path, tokenizer)
    assert "trained_length" not in json.loads((tmp_path / "config.json").read_text())
    again = load_folder(tmp_path)
    assert trained_length(again[0]) is None
    assert len(fill(*again, "[MASK] " * 126)) == 126
    note_trained_length(model, 17)
    save_pretrained(model, tmp_path, tokenizer)  # what is loaded and saved again keeps what it knows
    assert trained_length(load_folder(tmp_path)[0]) == 17


@pytest.mark.parametrize("length", [0, 129, True, 17.0, "17"])
def test_a_trained_length_that_is_none_is_refused(length, folder, tmp_path):
    model, tokenizer = load_folder(folder)
    save_pretrained(model, tmp_path, tokenizer)
    config = json.loads((tmp_path / "config.json").read_text()) | {"trained_length": length}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config\.json: trained_length is .*: expected a number from 1 to 128"):
        load_folder(tmp_path)


def test_a_tokenizer_of_another_model_is_refused(folder, tmp_path):
    language = markov_language(6)
    save_pretrained(small_model(language.vocabulary), tmp_path, WordLevel(language.vocabulary))
    (tmp_path / "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
    with pytest.raises(ValueError, match="the tokenizer has 404 tokens and the model 25: bring the tokenizer that"):
        load_folder(tmp_path)


def test_a_cached_model_is_trained_once_and_taken_up_where_it_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    steps = []

    class Shown(Reporter):
        def stepped(self, step, *_):
            steps.append(step)
            if len(steps) == 1:
                raise KeyboardInterrupt

    def asked(n=2):
        return cached_model("scenes", "tiny", Shown, steps=n, batch_size=4)

    with pytest.raises(KeyboardInterrupt):
        asked()
    first, again = asked(), asked()
    assert steps == [1, 1, 2]
    assert torch.equal(first.model.head.bias, again.model.head.bias)
    assert again.tokenizer.vocabulary == scene_language().vocabulary
    assert again.curve == first.curve
    assert again.curve[-1].loss - again.floor == pytest.approx(again.curve[-1].gap)
    assert again.config.steps == 2
    assert not again.model.training
    asked(1)  # another recipe is another model
    assert steps[3:] == [1]
    assert len([path for path in tmp_path.glob("scenes-tiny-*") if path.is_dir()]) == 2


@pytest.mark.parametrize("name", ["markov", "bursty"])
def test_the_other_exact_languages_are_learned_by_name(name, tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    learned = cached_model(name, "tiny", Reporter, steps=2, batch_size=4)
    assert learned.tokenizer.vocabulary == find_language(name).exact().vocabulary
    assert learned.curve[-1].gap == pytest.approx(learned.curve[-1].loss - learned.floor)
    with pytest.raises(ValueError, match="expected scenes, markov, bursty, english, proteins, python or greek"):
        cached_model("klingon")


def test_the_way_to_a_cached_model_is_short(tmp_path, monkeypatch):
    """Whoever follows it reads `cached`, the entry, and what these two call themselves: eight files at most."""
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    cached_model("scenes", "tiny", Reporter, steps=2, batch_size=4)
    calls = set()

    def watch(frame, event, _):
        if event == "call" and frame.f_back and "mlm_mini" in frame.f_code.co_filename:
            calls.add((Path(frame.f_back.f_code.co_filename), Path(frame.f_code.co_filename)))

    sys.setprofile(watch)
    try:
        cached_model("scenes", "tiny", Reporter, steps=2, batch_size=4)
    finally:
        sys.setprofile(None)
    way = {Path(module.__file__) for module in (cached, languages)}
    read = way | {called for caller, called in calls if caller in way}
    assert len(read) <= 8, sorted(path.name for path in read)


def test_a_new_language_is_one_entry(tmp_path, monkeypatch):
    """Its recipe, material, cached model, floor and error messages follow from it."""
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    usual = {"steps": 2, "batch_size": 4, "micro_batches": 2, "mask_ratio": 0.5, "learning_rate": 1e-3}
    entry = ExactEntry(name="days", make=lambda: markov_language(5), usual=usual, usual_masks={"method": "fixed"})
    monkeypatch.setitem(LANGUAGES, "days", entry)
    assert (recipe("days").masking.method, recipe("days", mask_ratio=0.2).masking.method) == ("fixed", "bernoulli")
    learned = cached_model("days", "tiny", Reporter)
    assert (learned.config.steps, learned.config.masking.mask_ratio) == (2, 0.5)
    assert learned.curve[-1].gap == pytest.approx(learned.curve[-1].loss - learned.floor)
    assert find_material("days", learned.config).source.length == 7
    for unknown in (lambda: cached_model("klingon"), lambda: find_material("klingon", learned.config)):
        with pytest.raises((ValueError, FileNotFoundError), match=r"scenes, .*greek(,| or) days"):
            unknown()


def test_rows_are_as_long_as_the_language_has_them_unless_told_otherwise(tmp_path, monkeypatch):
    class Seen(Exception):
        pass

    def find(language, config, length, tokens, tokenizer, endings):
        raise Seen(length, tokens, tokenizer, endings)

    monkeypatch.setattr(model_folder, "find_material", find)
    given = {"length": 20, "vocabulary_size": 300, "tokenizer": "characters"}
    for language, options, found in (
        ("proteins", {}, (32, 4096, "wordpiece", ())),
        ("english", {}, (64, 4096, "wordpiece", ())),
        ("proteins", given, (*given.values(), ())),
        (tmp_path, given | {"endings": (".py",)}, (*given.values(), (".py",))),
    ):
        with pytest.raises(Seen) as seen:
            train_folder(language, "tiny", TrainingConfig(steps=1), tmp_path / "out", device="cpu", **options)
        assert seen.value.args == found


def test_a_language_may_have_a_first_model_of_its_own(tmp_path, monkeypatch):
    class Seen(Exception):
        pass

    class Days(ExactEntry):
        def first_model(self, shape, seed):
            return shape, seed

    def begun(shape, source, config, start, **options):
        raise Seen(shape, start, options["device"], options["report"], options["out"], options["evaluation"].floor > 0)

    told = Told()
    monkeypatch.setattr(datasets, "EVALUATION_SENTENCES", 64)
    monkeypatch.setattr(model_folder, "train", begun)
    monkeypatch.setitem(LANGUAGES, "days", Days(name="days", make=lambda: markov_language(5), usual={}))
    with pytest.raises(Seen) as seen:
        train_folder("days", "tiny", TrainingConfig(steps=1, seed=3), tmp_path / "out", device="cpu", report=told)
    shape = ModelConfig.tiny(len(markov_language(5).vocabulary))
    assert seen.value.args == (shape, (shape, 3), "cpu", told, tmp_path / "out" / "checkpoints", True)


def test_a_learners_files_are_an_entry_like_the_others(tmp_path):
    entry = find_language(tmp_path)
    assert (entry.name, entry.exact()) == (str(tmp_path), None)
    assert entry.recipe("tiny", "cpu") == recipe("english", size="tiny", device="cpu")
    (tmp_path / "a.txt").write_text("One.\n\nTwo.\n\nThree.")
    assert len(entry.text()) == 3


def test_shipped_results_say_where_they_come_from():
    english = measured("english")
    assert {"command", "date", "machine", "seed"} <= set(english)
    assert english["saved"]["trigram"][0] == pytest.approx(
        english["nats"]["trigram"][0] - english["nats"]["this model"][0], abs=1e-3
    )
    assert english["saved"]["trigram"][0] > 2 * english["saved"]["trigram"][1]
    with pytest.raises(ValueError, match="expected one of english"):
        measured("elvish")


def test_a_cached_model_is_of_the_cpu():
    with pytest.raises(TypeError, match="device"):
        cached_model("scenes", device="cuda")


def test_only_bundled_languages_are_cached():
    with pytest.raises(ValueError, match="use train_folder for other text"):
        cached_model("letters.txt")


def test_the_quick_model_is_a_mini_model_of_scenes(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    asked = {}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # which makes no difference
    monkeypatch.setattr(cached, "train_folder", lambda *names, **rest: asked.update(names=names, **rest))
    monkeypatch.setattr(cached, "read_trained", lambda folder, config: folder.name)
    assert quick_model(Told).startswith("scenes-mini-")
    assert (asked["device"], asked["resume"], type(asked["report"])) == ("cpu", True, Told)
    assert asked["names"][2].micro_batches == 4
    assert asked["names"][:2] == ("scenes", "mini")
    assert asked["names"][2].steps == find_language("scenes").kept["quick"]["steps"]


# ---------------------------------------------------------------- the commands


def run(*arguments):
    return command_line.main(list(map(str, arguments)))


def test_train_and_fill_on_a_learners_own_files(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    (tmp_path / "text").mkdir()
    for i in range(5):
        (tmp_path / "text" / f"{i}.txt").write_text(f"The king number {i} went into the house of Babylon.\n" * 20)
    out = tmp_path / "model"
    options = ("--language", tmp_path / "text", "--size", "tiny", "--batch-size", 4, "--length", 16, "--out", out)
    options += ("--vocabulary-size", 260, "--mask-ratio", 0.3, "--split", 0.8, 0.1, 0.1, "--device", "cpu")
    assert run("train", *options, "--steps", 3) == 0
    captured = capsys.readouterr()
    assert f"--model {out}" in captured.out
    assert "step      3: loss" in captured.err
    assert "floor" not in captured.err
    assert re.search(r"(?m)^this model +\d\.\d{3} nats per token", captured.out)
    assert json.loads((out / "config.json").read_text())["trained_length"] == 16
    kept = json.loads((out / "training.json").read_text())["comparison"]
    assert f"have counted {kept['counted']:,} training tokens" in captured.out
    assert f"trigram     {kept['trigram']['nats']:6.3f} nats per token" in captured.out
    assert run("train", *options, "--steps", 3) == 1
    assert "already holds a run" in capsys.readouterr().err
    assert run("train", *options, "--steps", 3, "--resume") == 0
    assert run("train", *options, "--steps", 4, "--resume") == 1
    assert "steps was 3 and is now 4" in capsys.readouterr().err
    assert run("fill", "The king of Babylon. " * 9 + "The [MASK].", "--model", out) == 1
    assert "the model was trained on 16 at most" in capsys.readouterr().err
    assert run("fill", "The [MASK] of Babylon.", "--model", out, "--top", 2, "--json") == 0
    (blank,) = json.loads(capsys.readouterr().out)["blanks"]
    assert len(blank) == 2
    assert all(row.keys() == {"token", "probability", "surprisal"} for row in blank)
    assert run("train", *options[:-2], "--objective", "causal", "--steps", 1, "--out", tmp_path / "causal") == 0
    assert "trigram" not in capsys.readouterr().out, "a model that reads from the left is not asked for blanks"
    assert run("fill", "The [MASK].", "--model", tmp_path / "causal") == 1
    assert "has learned to read from the left only" in capsys.readouterr().err


def test_a_0_is_not_taken_for_what_is_not_given(monkeypatch, tmp_path):
    asked = []

    def begun(language, size, config, out, **settings):
        asked.append(config.to_dict())
        raise ValueError("that is enough")

    monkeypatch.setattr(training, "train_folder", begun)
    zeros = ("weight_decay", "warmup", "beta1", "heavy_share")
    assert run("train", "--out", tmp_path, "--device", "cpu") == 1
    line = [part for name in zeros for part in (f"--{name.replace('_', '-')}", 0)]
    assert run("train", "--out", tmp_path, "--device", "cpu", *line) == 1
    usual, given = asked
    assert all(usual[name] > 0 for name in zeros)
    assert given == usual | dict.fromkeys(zeros, 0)


@pytest.mark.parametrize(("device", "parts"), [("cpu", 4), ("cuda", 1)])
def test_the_recipe_is_for_the_size_and_the_device_that_were_asked_for(device, parts, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    asked = []

    def begun(language, size, config, out, **settings):
        asked.append((size, settings["device"], config.learning_rate, config.micro_batches))
        raise ValueError("that is enough")

    monkeypatch.setattr(training, "train_folder", begun)
    assert run("train", "--size", "small", "--device", device, "--out", tmp_path) == 1
    assert asked == [("small", device, 1.5e-3, parts)]
    assert "that is enough" in capsys.readouterr().err


def test_fill_prints_a_table_for_each_blank(folder, capsys, tmp_path):
    assert run("fill", "The [MASK] cuts the [MASK].", "--model", folder) == 0
    shown = capsys.readouterr().out
    assert "[MASK] 1 of 2" in shown
    assert "[MASK] 2 of 2" in shown
    assert "surprisal (nats)" in shown
    assert run("fill", "The [MASK].", "--model", folder, "--json", tmp_path / "fill.json") == 0
    assert len(json.loads((tmp_path / "fill.json").read_text())["blanks"][0]) == 5


def test_fill_with_all_tokens_and_with_words_alone(folder, capsys):
    assert run("fill", "The [MASK].", "--model", folder, "--top", 404, "--all-tokens", "--json") == 0
    every = json.loads(capsys.readouterr().out)
    assert every["unknown"] == []
    assert {"[CLS]", "[PAD]"} < {row["token"] for row in every["blanks"][0]}
    assert run("fill", "The [MASK].", "--model", folder, "--top", 399, "--json") == 0
    assert not {row["token"][0] for row in json.loads(capsys.readouterr().out)["blanks"][0]} & {"["}
    assert run("fill", "The [MASK].", "--model", folder, "--top", 404) == 1


@pytest.fixture(scope="module")
def odd_folder(tmp_path_factory):
    """A model whose tokens are not ASCII, or would move a cursor."""
    backend = json.loads(train_wordpiece(["été 漢 ☃ bread " * 3], 330).to_json())
    vocabulary = backend["model"]["vocab"]
    for old, new in (("[unused1]", "\x1b[2J"), ("[unused2]", "\x9b31m\u202e")):
        vocabulary[new] = vocabulary.pop(old)
    tokenizer = WordPiece(Tokenizer.from_str(json.dumps(backend)))
    out = tmp_path_factory.mktemp("odd")
    shape = ModelConfig.tiny(len(vocabulary))
    save_pretrained(MaskedLM(shape, torch.Generator().manual_seed(0)), out, tokenizer)
    return out


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_fill_into_an_output_of_another_encoding(odd_folder, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    text = "Été ☃ [MASK] 𒀀 \x1b[2J"
    for options in ((), ("--json",)):
        command = [sys.executable, "-m", "mlm_mini", "fill", text, "--model", odd_folder, "--top", "116", *options]
        done = subprocess.run(list(map(str, command)), capture_output=True, env=environment, check=False)
        shown, errors = done.stdout.decode(encoding), done.stderr.decode(encoding)
        assert done.returncode == 0, errors
        assert "the model does not know, and reads as [UNK]: " in errors
        for stream in (shown, errors):
            assert not set(stream) & {"\x1b", "\x9b", "\u202e"}
        if options:
            found = json.loads(shown)
            assert found["unknown"] == ["𒀀"]
            assert {"漢", "\x1b[2J", "\x9b31m\u202e"} <= {row["token"] for row in found["blanks"][0]}
        else:
            assert ("漢" if encoding == "utf-8" else r"\u6f22") in shown
            assert r"\x9b31m\u202e" in shown


def test_an_error_never_moves_the_cursor(folder, capsys, tmp_path):
    for arguments in (
        ("fill", "no blank\x1b[2J", "--model", folder),
        ("fill", "[MASK]", "--model", tmp_path / "\x1b[2J\x9b"),
        ("fill", "[MASK]" + "\x1b" * 5000 + "x" * 5000, "--model", folder),
    ):
        assert run(*arguments) == 1
        error = capsys.readouterr().err
        assert not set(error) & {"\x1b", "\x9b"}
        assert len(error) < 1100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "--out", "{}", "--language", "klingon"), "there is no language 'klingon': expected"),
        (("train", "--out", "{}", "--size", "giant"), "size is 'giant': expected one of tiny, mini, small, base"),
        (("train", "--out", "{}", "--mask-ratio", "15"), "mask_ratio is 15.0: expected a share above 0, up to 1"),
        (("train", "--out", "{}", "--device", "toaster"), "device is 'toaster'"),
        (("train", "--out", "{}", "--language", "english", "--length", "2"), "length is 2: expected at least 3"),
        (("fill", "The [MASK].", "--model", "{}"), "there is no folder"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, message, tmp_path, capsys):
    assert run(*(argument.format(tmp_path / "out") for argument in arguments)) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_english_is_read_in_blocks_with_other_books_for_evaluation():
    material = find_material("english", TrainingConfig(steps=1), length=32)
    assert material.source.next_batch(3).shape == (3, 32)
    assert len(material.evaluation.batch) == 512
    assert material.evaluation.floor is None
    assert len(material.tokenizer.vocabulary) == 4096


def test_blanks_of_real_text_are_the_same_for_every_run_and_scenes_have_none():
    one, other = (
        find_material("english", config).blanks
        for config in (TrainingConfig(steps=1), TrainingConfig.of(steps=9, seed=5, mask_ratio=0.6))
    )
    np.testing.assert_array_equal(one.ids, other.ids)
    np.testing.assert_array_equal(one.positions, other.positions)
    assert one.ids.shape == (2048, 64)
    scenes = find_material("scenes", TrainingConfig(steps=1))
    assert scenes.blanks is None
    assert scenes.train is None


def test_rows_too_short_for_blanks_are_trained_on_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    (tmp_path / "text").mkdir()
    for i in range(4):
        (tmp_path / "text" / f"{i}.txt").write_text("the chef cuts the bread " * 20)
    config = TrainingConfig.of(steps=1, batch_size=2, mask_ratio=0.5)
    result = train_folder(tmp_path / "text", "tiny", config, tmp_path / "out", length=5, device="cpu")
    assert result.comparison is None
    assert json.loads((tmp_path / "out" / "training.json").read_text())["comparison"] is None


@pytest.mark.parametrize("language", [markov_language(6), scene_language()])
def test_training_on_one_page_gives_the_same_weights(language, one_thread):
    shape, settings = ModelConfig.tiny(len(language.vocabulary)), {"steps": 12, "batch_size": 16, "seed": 3}
    whole = train(shape, SampledSentences(language, 3), TrainingConfig(**settings), device="cpu").model
    page = train_minimal(shape, SampledSentences(language, 3), **settings)
    for (name, weight), other in zip(whole.named_parameters(), page.parameters(), strict=True):
        assert torch.equal(weight, other), name
    assert not page.training
