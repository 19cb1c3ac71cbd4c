"""The mask-ratio study: cells that are kept, scores against the exact posterior, and what is made of them."""

import dataclasses
import itertools
import json
import math
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mlm_mini import __main__ as command_line
from mlm_mini import shipped as shipping
from mlm_mini.experiments import (
    EXPERIMENTS,
    catalog,
    draw_questions,
    find_experiment,
    for_shipping,
    mean_interval,
    percentile_interval,
    question_kl,
)
from mlm_mini.experiments.lab import rates, recipe
from mlm_mini.experiments.lab import study as lab_study
from mlm_mini.experiments.lab.cost import cost_to_reach, flops_at_ratio, flops_spent, mean_length
from mlm_mini.experiments.lab.intervals import Estimate, geometric_interval, paired_difference
from mlm_mini.experiments.lab.rates import at_best_rates
from mlm_mini.experiments.lab.result import restored
from mlm_mini.experiments.lab.study import run_study
from mlm_mini.experiments.ratio import run
from mlm_mini.experiments.ratio.best import best_ratio, lowest_points
from mlm_mini.experiments.ratio.clean_text import read_clean_text
from mlm_mini.experiments.ratio.config import (
    TRAINED_RATIOS,
    MaskRatioConfig,
    RatioCell,
    steps_at_equal_flops,
    study_shape,
)
from mlm_mini.experiments.ratio.result import MaskRatio, RatioScore
from mlm_mini.experiments.ratio.run import measure_mask_ratio, ratio_folder, run_ratio_cell
from mlm_mini.languages import ROLE_AGENT, ROLE_PATIENT, scene_language
from mlm_mini.languages.checks import ALL_MASK
from mlm_mini.model import ModelConfig
from mlm_mini.reference import IGNORE_INDEX, entropy
from mlm_mini.reference.masking import BERT_SPLIT
from mlm_mini.training import Masking, Point, TrainingConfig, masked_batch
from mlm_mini.training.objectives import objective_of

pytestmark = pytest.mark.usefixtures("one_thread")
SHIPPED = shipping.results_folder("experiments") / "mask_ratio.json"


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def scenes():
    return scene_language()


# ---------------------------------------------------------------- studies


def small_cells(n=4):
    return [RatioCell("tiny", 10, seed, 0.15) for seed in range(n)]


class Runner:
    """Runs cells, and remembers how often each; fails at the one called `failing`."""

    def __init__(self, failing=None):
        self.runs, self.failing = Counter(), failing

    def __call__(self, cell):
        self.runs[cell.name] += 1
        if cell.name == self.failing:
            raise RuntimeError(f"no luck with {cell.name}")
        return {"seed": cell.seed}


def test_a_study_gives_what_was_found_in_the_order_of_the_cells(tmp_path):
    told = []
    found = run_study(small_cells(), Runner(), tmp_path, 1, lambda done, total: told.append((done, total)))
    assert found == [{"seed": seed} for seed in range(4)]
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_study_that_failed_goes_on_and_runs_nothing_twice(tmp_path):
    cells = small_cells()
    failing = Runner(failing=cells[2].name)
    with pytest.raises(RuntimeError, match="no luck"):
        run_study(cells, failing, tmp_path, 1)
    assert {path.stem for path in tmp_path.glob("*.json")} == {cell.name for cell in cells[:2]}
    healed, told = Runner(), []
    assert run_study(cells, healed, tmp_path, 1, lambda done, total: told.append(done)) == [
        {"seed": s} for s in range(4)
    ]
    assert healed.runs == Counter({cells[2].name: 1, cells[3].name: 1})
    assert told == [2, 3, 4]
    run_study(cells, nothing_to_do := Runner(), tmp_path, 1)
    assert not nothing_to_do.runs


@pytest.mark.parametrize("damage", ["", "{", '{"seed": 1', "\x00\x00"])
def test_a_damaged_cell_is_run_anew(damage, tmp_path):
    cells = small_cells(2)
    run_study(cells, Runner(), tmp_path, 1)
    (tmp_path / f"{cells[1].name}.json").write_text(damage, encoding="utf-8")
    again = Runner()
    with pytest.warns(UserWarning, match="is damaged"):
        assert run_study(cells, again, tmp_path, 1) == [{"seed": 0}, {"seed": 1}]
    assert again.runs == Counter({cells[1].name: 1})


def test_a_study_runs_in_several_processes(tmp_path):
    cells = small_cells(3)
    found = run_study(cells, dataclasses.asdict, tmp_path, workers=2)
    assert [content["seed"] for content in found] == [0, 1, 2]


def test_a_study_refuses_cells_of_one_name_and_no_workers(tmp_path):
    with pytest.raises(ValueError, match="same name"):
        run_study([*small_cells(2), small_cells(1)[0]], Runner(), tmp_path, 1)
    for workers in (0, -2):
        with pytest.raises(ValueError, match=f"workers is {workers}: expected at least 1"):
            run_study(small_cells(1), Runner(), tmp_path, workers)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- the cells of the study


def test_the_study_has_whole_seeds_one_after_the_other():
    cells = MaskRatioConfig().cells()
    assert len({cell.name for cell in cells}) == len(cells) == 320
    assert [cell.seed for cell in cells] == sorted(cell.seed for cell in cells)
    assert Counter(cell.seed for cell in cells) == dict.fromkeys(range(5), 64)
    few_arms = MaskRatioConfig(arm_seeds=3).cells()
    assert {cell.seed for cell in few_arms if cell.budget == "flops"} == {0, 1, 2}
    fewer = MaskRatioConfig(seeds=2).cells()
    assert fewer == cells[: len(fewer)]
    assert all(cell.name.isprintable() and not set(cell.name) & set("/\\ :") for cell in cells)


def test_runs_are_compared_over_the_seeds_that_both_have():
    np.testing.assert_allclose(paired_difference(np.array([3.0, 4.0]), np.array([1.0, 1.0, 9.0])), [2.0, 3.0])
    np.testing.assert_allclose(paired_difference(np.array([3.0, 4.0, 9.0]), np.array([1.0, 1.0])), [2.0, 3.0])


def test_a_cell_trains_as_its_name_says():
    names = {
        RatioCell("tiny", 300, 1, 0.4).name,
        RatioCell("tiny", 300, 1, 0.4, 0.15).name,
        RatioCell("tiny", 300, 1, 0.4, split=BERT_SPLIT).name,
        RatioCell("tiny", 300, 1, 0.4, budget="flops").name,
    }
    assert names == {
        "tiny-300-steps-0.4-rate0.003-seed1",
        "tiny-300-steps-0.4p0.15-rate0.003-seed1",
        "tiny-300-steps-0.4-811-rate0.003-seed1",
        "tiny-300-flops-0.4-rate0.003-seed1",
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 1}, "seeds is 1: expected from 2"),
        ({"arm_seeds": 1}, "arm_seeds is 1: expected from 2"),
        ({"ratios": (0.1, 0.2)}, "ratios is .*: expected at least 3"),
        ({"ratios": (0.0, 0.1, 0.2)}, "expected shares above 0, up to 1"),
        ({"ratios": (0.1, 0.2, 1.1)}, "expected shares above 0, up to 1"),
        ({"sizes": ()}, "sizes is .*: expected at least 1"),
        ({"steps": ()}, "steps is .*: expected at least 1"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        MaskRatioConfig(**changes)


@pytest.mark.parametrize("size", ["tiny", "mini"])
def test_equal_flops_are_equal_within_half_a_step(size, scenes):
    shape, length = getattr(ModelConfig, size)(len(scenes.vocabulary)), mean_length(scenes)

    def step(ratio):
        return shape.training_flops_per_token(length, ratio * (length - 2) / length)

    assert steps_at_equal_flops(size, 0.15, 300) == 300
    steps = [steps_at_equal_flops(size, ratio, 300) for ratio in TRAINED_RATIOS]
    assert steps == sorted(steps, reverse=True)
    for ratio, n in zip(TRAINED_RATIOS, steps, strict=True):
        assert abs(n * step(ratio) - 300 * step(0.15)) <= step(ratio) / 2
    assert steps_at_equal_flops(size, 1.0, 1) == 1


# ---------------------------------------------------------------- intervals


def test_the_mean_has_students_interval():
    mean = mean_interval([1, 2, 3, 4, 5])
    margin = 2.7764451 * np.sqrt(2.5 / 5)  # t for four degrees of freedom
    np.testing.assert_allclose(mean, [3, 3 - margin, 3 + margin], rtol=1e-6)
    np.testing.assert_allclose(mean_interval([0.0, 1.0], level=0.5), [0.5, 0.0, 1.0], atol=1e-9)  # t is 1 here
    assert mean_interval([7.0] * 3) == (7.0, 7.0, 7.0)


@pytest.mark.parametrize("values", [[1.0], [], [[1.0, 2.0]], 3.0])
def test_an_interval_needs_two_values(values):
    with pytest.raises(ValueError, match="n at least 2"):
        mean_interval(values)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_interval_needs_numbers(bad):
    with pytest.raises(ValueError, match="expected finite numbers"):
        mean_interval([1.0, bad, 2.0])


def test_ratios_have_an_interval_on_their_logs():
    np.testing.assert_allclose(geometric_interval([2.0, 8.0])[0], 4.0)
    np.testing.assert_allclose(np.log(geometric_interval([1.0, 2.0, 5.0])), mean_interval(np.log([1.0, 2.0, 5.0])))
    with pytest.raises(ValueError, match="expected finite numbers"), np.errstate(divide="ignore"):
        geometric_interval([1.0, 0.0])


def test_an_estimate_says_whether_it_was_sampled():
    assert str(Estimate.exact(np.float64(0.5))) == "0.5"
    sampled = Estimate(0.25, 0.125, 0.375)
    assert str(sampled) == "0.25 (0.125 to 0.375)"
    assert sampled.with_margin("+") == "+0.250 ± 0.125"
    assert sampled.rounded(2) == [0.25, 0.12, 0.38]


def test_a_percentile_interval_holds_the_middle():
    np.testing.assert_allclose(percentile_interval(50.0, np.arange(101.0)), [50.0, 2.5, 97.5])
    np.testing.assert_allclose(percentile_interval(50.0, np.arange(101.0), level=0.5), [50.0, 25.0, 75.0])


# ---------------------------------------------------------------- scoring


class ExactReader(nn.Module):
    """Stands in for a model: its logits are the exact log-posterior, at a temperature, plus a constant."""

    def __init__(self, language, temperature=1.0):
        super().__init__()
        self.language, self.temperature = language, temperature

    def forward(self, ids, attention_mask=None, positions=None):
        full = np.full((len(ids), self.language.length), self.language.vocabulary.pad_id)
        full[:, : ids.shape[1]] = ids
        p = self.language.posterior_at(full, positions.numpy())
        return torch.from_numpy(np.log(np.maximum(p, 1e-300)) / self.temperature + 5.0)


class Indifferent(nn.Module):
    """Every token of the vocabulary is as likely as any other, wherever one looks."""

    def __init__(self, language):
        super().__init__()
        self.V = len(language.vocabulary)

    def forward(self, ids, attention_mask=None, positions=None):
        return torch.zeros(*(ids if positions is None else positions).shape, self.V)


@pytest.fixture(scope="module")
def questions(scenes):
    return draw_questions(scenes, 700, 0.3, rng(1))  # more than are scored at once


def test_the_exact_reader_has_no_divergence(scenes, questions):
    model = ExactReader(scenes).train()
    nats = question_kl(model, questions)
    assert nats.shape == questions.rows.shape
    np.testing.assert_allclose(nats, 0, atol=1e-9)
    assert model.training


def test_the_divergence_is_the_expected_loss_above_the_floor(scenes, questions):
    h = entropy(questions.posterior)
    np.testing.assert_allclose(
        question_kl(Indifferent(scenes), questions), np.log(len(scenes.vocabulary)) - h, atol=1e-6
    )
    assert questions.floor == pytest.approx(h.mean())
    hot = question_kl(ExactReader(scenes, temperature=2.0), questions)
    assert (hot > -1e-9).all()
    worst = int(hot.argmax())
    p = questions.posterior[worst]
    q = np.sqrt(p) / np.sqrt(p).sum()
    assert hot[worst] == pytest.approx((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())


def test_questions_are_about_hidden_words_and_none_is_an_error(scenes, questions):
    ids, positions = questions.batch.ids.numpy(), questions.batch.positions.numpy()
    asked = (questions.batch.labels != IGNORE_INDEX).numpy()
    assert (np.take_along_axis(ids, positions, axis=1)[asked] == scenes.vocabulary.mask_id).all()
    assert (ids == scenes.vocabulary.mask_id).sum() == len(questions.rows) == asked.sum()
    np.testing.assert_allclose(questions.posterior.sum(axis=1), 1)
    with pytest.raises(ValueError, match="in 3 sentences no token was selected at mask_ratio 1e-09: draw more"):
        draw_questions(scenes, 3, 1e-9, rng())


class RoleTeller(Indifferent):
    """Its hidden states hold the role of each noun as the sentences have it, for a probe to find."""

    def __init__(self, language, told):
        super().__init__(language)
        self.told = told  # sentences whose ids are looked up

    def encode(self, ids, attention_mask=None):
        found = next(s for s in self.told if s.ids.shape == ids.shape and (s.ids == ids.numpy()).all())
        agent = torch.from_numpy(found.roles == ROLE_AGENT).float()
        return torch.stack([agent, torch.ones_like(agent)], dim=-1)


def test_the_probe_finds_a_role_that_is_there_and_none_that_is_not(scenes):
    fit, test = (scenes.sample(300, rng(seed)) for seed in (3, 4))
    told = read_clean_text(RoleTeller(scenes, (fit, test)), fit, test)
    assert told.probe_accuracy == 1.0
    assert told.copy_nats == pytest.approx(np.log(len(scenes.vocabulary)), abs=1e-6)
    blind = RoleTeller(scenes, (fit, test))
    blind.encode = lambda ids, attention_mask=None: torch.ones(*ids.shape, 2)
    agents, patients = ((test.roles == role).sum() for role in (ROLE_AGENT, ROLE_PATIENT))
    assert read_clean_text(blind, fit, test).probe_accuracy == pytest.approx(
        max(agents, patients) / (agents + patients)
    )


def test_a_seen_word_costs_what_the_model_says_of_words_alone(scenes):
    sample = scenes.sample(100, rng(5))
    teller = RoleTeller(scenes, (sample,))
    special = torch.from_numpy(np.array(scenes.vocabulary.special_ids))

    def forward(ids, attention_mask=None, positions=None):
        """Every third word is certain, for the others it may be [MASK] as well, and specials are thought impossible."""
        logits = torch.full((*ids.shape, len(scenes.vocabulary)), -60.0)
        likely = torch.where(ids % 3 == 0, 0.0, torch.log(torch.tensor(0.5)))
        logits.scatter_(-1, ids[..., None], likely[..., None])
        logits[..., scenes.vocabulary.mask_id] = torch.where(ids % 3 == 0, -60.0, torch.log(torch.tensor(0.5)))
        return torch.where(torch.isin(ids, special)[..., None], torch.arange(logits.shape[-1]) * 9.0, logits)

    teller.forward = forward
    words = sample.ids[~np.isin(sample.ids, scenes.vocabulary.special_ids)]
    assert read_clean_text(teller, sample, sample).copy_nats == pytest.approx(np.log(2) * (words % 3 != 0).mean())


def test_a_probe_needs_both_roles(scenes):
    sample = scenes.sample(50, rng())
    without = dataclasses.replace(sample, roles=np.where(sample.roles == ROLE_PATIENT, ROLE_AGENT, sample.roles))
    with pytest.raises(ValueError, match="50 sentences hold no agent or no patient: draw more"):
        read_clean_text(RoleTeller(scenes, (sample,)), sample, without)


def test_the_mean_divergence_is_that_of_the_questions_and_its_error_that_of_sentences(monkeypatch, questions):
    """Three sentences with one, three and no question: 4 nats, 1 each, and the mean is 7 over 4."""
    planted = dataclasses.replace(questions, rows=np.array([0, 1, 1, 1]))
    monkeypatch.setattr(run, "question_kl", lambda model, questions: np.array([4.0, 1.0, 0.0, 2.0]))
    mean, error = run._mean_kl(None, planted)
    assert mean == 7 / 4
    assert error == pytest.approx(np.hypot(4 - 7 / 4, 3 - 3 * 7 / 4) / 4)


def test_the_probe_is_tested_on_other_scenes_than_those_it_is_fitted_on(monkeypatch):
    monkeypatch.setattr(run, "SCORED_SENTENCES", 30)
    monkeypatch.setattr(run, "PROBED_SENTENCES", 40)
    blanks, (fit, test) = run.fixed_questions.__wrapped__()
    hidden = [(each.batch.ids == scene_language().vocabulary.mask_id).sum().item() for each in blanks]
    assert 2 * hidden[0] < hidden[1]  # at 15% and at a half
    assert len(fit) == len(test) == 40
    assert (fit.ids != test.ids).any()


# ---------------------------------------------------------------- what a training costs


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_operations_are_those_of_all_tokens_with_the_share_that_was_predicted(scenes, share):
    shape = ModelConfig.tiny(len(scenes.vocabulary))
    point = Point(7, 1.0, 1.0, 0.5, 0.1, tokens=5000, predictions=round(5000 * share), seconds=1.0)
    per_token = shape.training_flops_per_token(mean_length(scenes), share)
    assert flops_spent(shape, scenes, point) == pytest.approx(5000 * per_token)
    words = 1 - 2 / mean_length(scenes)
    assert flops_at_ratio(shape, scenes, share / words) == pytest.approx(per_token)  # of the words: [CLS] is none


# ---------------------------------------------------------------- the best ratio

RATIOS = np.array(TRAINED_RATIOS)


def bowl(lowest, width=0.1, floor=0.5):
    return floor * np.exp(width * np.log(RATIOS / lowest) ** 2)


def luck(of_seed, of_run, seeds=5, seed=0):
    r = rng(seed)
    return np.exp(of_seed * r.normal(size=(1, seeds)) + of_run * r.normal(size=(len(RATIOS), seeds)))


@pytest.mark.parametrize("lowest", [0.12, 0.22, 0.35, 0.45, 0.6])
def test_the_bottom_of_a_planted_bowl_is_found_between_the_ratios(lowest):
    best = best_ratio(RATIOS, bowl(lowest)[:, None] * luck(0.3, 0))  # a seed's luck is the same for all ratios
    np.testing.assert_allclose(best.ratio, lowest, rtol=1e-6)
    assert best.lowest == RATIOS[np.argmin(bowl(lowest))]
    assert best.as_good == (best.lowest,)
    assert best.spread == 0


def test_the_interval_holds_a_planted_bottom_as_often_as_it_says():
    held = []
    for seed in range(200):
        best = best_ratio(RATIOS, bowl(0.35)[:, None] * luck(0.3, 0.01, seed=seed))
        held.append(best.ratio.low <= 0.35 <= best.ratio.high)
        assert best.ratio.low <= best.ratio.value <= best.ratio.high
    assert np.mean(held) > 0.85  # 95% less what a parabola through noisy neighbors is off


@pytest.mark.parametrize(("lowest", "end"), [(0.001, 0.01), (3.0, 0.8)])
def test_a_bottom_beyond_the_ratios_is_the_end(lowest, end):
    best = best_ratio(RATIOS, bowl(lowest)[:, None] * luck(0.3, 0))
    assert best.ratio == pytest.approx((end, end, end))
    assert best.lowest == end


def test_what_is_as_good_is_decided_within_seeds():
    scores = bowl(0.4, width=0.05)[:, None] * luck(0.5, 0.001)
    paired = best_ratio(RATIOS, scores)
    assert paired.as_good == (0.4,)
    shuffled = np.stack([row[rng(i).permutation(5)] for i, row in enumerate(scores)])
    assert len(best_ratio(RATIOS, shuffled).as_good) > 3
    noisy = best_ratio(RATIOS, bowl(0.4, width=0.01)[:, None] * luck(0.0, 0.05))
    means = (bowl(0.4, width=0.01)[:, None] * luck(0.0, 0.05)).mean(axis=1)
    assert noisy.lowest in noisy.as_good
    assert noisy.spread == pytest.approx(max(means[list(RATIOS).index(r)] for r in noisy.as_good) - means.min())


def test_the_best_ratio_is_a_mean_of_logs_over_seeds():
    bottoms = np.array([0.2, 0.4, 0.5])
    best = best_ratio(RATIOS, np.stack([bowl(bottom) for bottom in bottoms], axis=1))
    logs = np.log(bottoms)
    margin = 4.302653 * logs.std(ddof=1) / np.sqrt(3)  # t for two degrees of freedom
    middle = logs.mean()
    assert best.ratio == pytest.approx(np.exp([middle, middle - margin, middle + margin]), rel=1e-6)


def test_a_ratio_is_as_good_where_the_interval_of_its_difference_holds_zero():
    """Five seeds of spread 1 have the margin 1.24: a mean of 1.1 more may be none, and one of 1.35 may not."""
    luck = np.array([-1.2, -0.4, 0.1, 0.5, 1.0])
    luck = (luck - luck.mean()) / luck.std(ddof=1)
    scores = 50 + np.stack([1.35 + luck, 1.1 + luck, np.zeros(5), 1.35 - luck])
    best = best_ratio(np.array([0.1, 0.2, 0.4, 0.8]), scores)
    assert best.as_good == (0.2, 0.4)
    assert best.lowest == 0.4
    assert best.spread == pytest.approx(1.1)


def test_each_seed_has_a_lowest_point():
    scores = np.stack([bowl(0.2), bowl(0.5), bowl(2.0)], axis=1)
    np.testing.assert_allclose(lowest_points(RATIOS, scores), [0.2, 0.5, 0.8], rtol=1e-6)
    flat = np.ones((8, 2))
    assert lowest_points(RATIOS, flat).tolist() == [0.01, 0.01]


def test_steps_to_reach_go_along_the_logs():
    curve = np.array([[100, 1.0], [200, 0.5], [400, 0.6], [800, 0.1]])
    assert cost_to_reach(curve, 0.5) == pytest.approx(200)
    assert cost_to_reach(curve, np.sqrt(0.5)) == pytest.approx(100 * np.sqrt(2))
    assert cost_to_reach(curve, np.sqrt(0.06)) == pytest.approx(400 * np.sqrt(2))
    assert cost_to_reach(curve, 2.0) == 100
    assert cost_to_reach(curve, 0.1) == pytest.approx(800)
    assert cost_to_reach(curve, 0.05) == math.inf


# ---------------------------------------------------------------- the result


def planted(config, best=0.4, **figures):
    """A study whose cells were never trained: KL by a bowl around `best`, and a curve that nears it."""
    scores = []
    for cell in config.cells():
        kl = 0.5 * math.exp(0.1 * math.log(cell.mask_ratio / best) ** 2 + 0.01 * cell.seed)
        kl *= 1.5 if cell.prediction_ratio else 1.0
        curve = tuple((float(step), kl * cell.steps / step) for step in (cell.steps // 2, cell.steps))
        known = {"probe_accuracy": 0.9, "copy_nats": 2.0, "flops": 1e9 * cell.steps, "tokens": 100, "predictions": 15}
        scores.append(RatioScore(cell, (kl, 2 * kl), (0.01, 0.02), curve=curve, cpu_seconds=1.0, **known | figures))
    floor = np.stack([np.linspace(0.7, 1.6, len(config.ratios)), np.full(len(config.ratios), 0.01)], axis=1)
    return MaskRatio(config, tuple(scores), floor)


@pytest.fixture(scope="module")
def study():
    return planted(MaskRatioConfig(seeds=2))


def test_a_result_survives_json(study):
    again = MaskRatio.from_json(study.to_json())
    assert again.config == study.config
    assert again.scores == study.scores
    assert isinstance(again.scores[0].cell, RatioCell)
    assert hash(again.scores[0].cell) == hash(study.scores[0].cell)
    np.testing.assert_array_equal(again.floor, study.floor)
    assert again.to_json() == study.to_json()
    assert MaskRatio.from_dict(study.to_dict() | {"a later field": 1}).config == study.config


def test_a_result_that_lacks_something_is_refused(study):
    content = json.loads(study.to_json())
    with pytest.raises(ValueError, match="not a MaskRatio: floor missing"):
        MaskRatio.from_dict({name: value for name, value in content.items() if name != "floor"})
    del content["scores"][0]["cell"]["seed"]
    with pytest.raises(ValueError, match="not a RatioCell: seed missing"):
        MaskRatio.from_dict(content)
    with pytest.raises(ValueError, match="must be JSON"):
        MaskRatio.from_json("{")
    with pytest.raises(ValueError, match="must be a JSON object"):
        MaskRatio.from_json("[1]")


def test_figures_are_found_by_cell(study):
    kl = study.kl("tiny", 900)
    assert kl.shape == (8, 2)
    np.testing.assert_allclose(study.kl("tiny", 900, at=1), 2 * kl)
    np.testing.assert_array_equal(study.values("kl", "tiny", 900, mask_ratio=0.4), kl[4])
    np.testing.assert_allclose(study.values("flops", "mini", 300, mask_ratio=0.4), 3e11)
    assert study.values("probe_accuracy", "mini", 900, mask_ratio=0.15, split=BERT_SPLIT).tolist() == [0.9, 0.9]
    assert study.kl("mini", budget="flops").shape == (8, 2)
    with pytest.raises(ValueError, match="the study has no cell with"):
        study.kl("mini", 901)


def test_the_planted_best_is_reported_wherever_it_is_looked_for(study):
    assert study.columns() == [("tiny", 300), ("tiny", 900), ("mini", 300), ("mini", 900), ("wide", 300)]
    for column in study.columns():
        assert study.best(*column).ratio.value == pytest.approx(0.4, rel=1e-6)
        assert study.best(*column, at=1).lowest == 0.4
    assert "best for mini, 900 steps: 0.40" in study.table()
    moved = planted(MaskRatioConfig(seeds=2), best=0.2)
    assert moved.best("tiny", 300).ratio.value == pytest.approx(0.2, rel=1e-6)
    assert "best at 0.20" in moved.describe()


def test_the_two_knobs_are_beside_the_runs_with_one(study):
    knobs = study.knobs("tiny")
    assert set(knobs) == {(0.05, 0.05), (0.15, 0.05), (0.15, 0.15), (0.4, 0.05), (0.4, 0.15), (0.4, 0.4), (0.65, 0.15),
                          (0.65, 0.65)}  # fmt: skip
    np.testing.assert_allclose(knobs[0.4, 0.05], 1.5 * knobs[0.4, 0.4])
    np.testing.assert_array_equal(knobs[0.4, 0.4], study.kl("tiny", 900)[4])
    with pytest.raises(ValueError, match="size is 'mini': the two knobs were turned for tiny"):
        study.knobs("mini")


def test_arms_may_have_fewer_seeds():
    study = planted(MaskRatioConfig(seeds=4, arm_seeds=2))
    assert study.kl("tiny", 900).shape == (8, 4)
    assert study.kl("tiny", budget="flops").shape == (8, 2)
    assert {kl.shape for kl in study.knobs("tiny").values()} == {(2,)}
    assert study.best("mini", budget="flops").ratio.value == pytest.approx(0.4, rel=1e-6)


def test_steps_to_a_gap_are_found_for_every_ratio(study):
    last = study.kl("mini", 300)
    steps = study.steps_to_reach("mini", 300, float(last.max()))
    assert steps.shape == (8, 2)
    assert steps[0, 1] == pytest.approx(300)
    assert (steps[1:] < 300).all()
    assert np.isinf(study.steps_to_reach("mini", 300, 1e-3)).all()
    each = study.steps_to_reach("mini", 300, last[0])  # where 1% ends, seed by seed
    np.testing.assert_allclose(each[0], 300)
    with pytest.raises(ValueError, match="broadcast"):
        study.steps_to_reach("mini", 300, np.ones(3))


def test_rises_and_scatter_are_counted(study):
    config = study.config
    gaps = {0: (3.0, 2.0, 2.5, 1.0, 1.5), 1: (3.0, 2.0, 2.0, 0.5, 0.6)}  # up at two and at one of four points
    zigzag = [dataclasses.replace(s, curve=tuple(enumerate(gaps[s.cell.seed]))) for s in study.scores]
    counted = MaskRatio(config, tuple(zigzag), study.floor)
    assert counted.rises("tiny", 900, mask_ratio=0.4).tolist() == [0.5, 0.25]
    # ln KL is 0.01 * seed plus what all seeds share: two values 0.01 apart have this deviation, with n - 1.
    assert study.scatter(0.4) == pytest.approx(0.01 / np.sqrt(2))


@pytest.mark.parametrize(("size", "width"), [("tiny", 64), ("mini", 128), ("wide", 256)])
def test_sizes_of_the_study_differ_in_width_alone(size, width):
    shape = study_shape(size, 100)
    assert (shape.hidden_size, shape.num_hidden_layers) == (width, 2)
    with pytest.raises(ValueError, match="size is 'vast'"):
        study_shape("vast", 100)


def test_the_picture_says_what_was_found(study):
    left, right = study.plot().axes
    assert left.get_title() == "Equal steps: the best ratio is 0.40"
    assert right.get_title() == "Equal FLOPs: the best ratio is 0.40"
    names = {text.get_text(): text.xy[1] for text in left.texts}
    assert set(names) == {f"{size}, {steps} steps" for size, steps in study.columns()}
    heights = sorted(names.values())
    assert all(above >= 1.11 * below for below, above in itertools.pairwise(heights))  # no name lies on another
    small = planted(
        MaskRatioConfig(sizes=("tiny",), largest=(), steps=(7,), seeds=2, flops_steps=None, knobs=(), split_ratios=())
    )
    assert len(small.plot().axes) == 1
    text = study.describe()
    assert all(f"{size}, equal FLOPs: " in text for size in ("tiny", "mini"))


def wobbling(study):
    """The same with seeds that differ, at a ratio of 0.5 so much that it may be the best, and mini worse than tiny. At
    equal FLOPs the best is near 0.15."""
    scores = [
        dataclasses.replace(s, kl=(x, 0.0))
        for s in study.scores
        for up in [0.5 if s.cell.mask_ratio == 0.5 else 0.01]
        for dear in [(s.cell.mask_ratio / 0.4) ** 0.2 if s.cell.budget == "flops" else 1]
        for x in [s.kl[0] * (1 + up * (s.cell.seed - 0.5)) * (2 if s.cell.size == "mini" else 1) * dear]
    ]
    return MaskRatio(study.config, tuple(scores), study.floor)


def test_the_picture_has_means_and_intervals_and_fills_what_is_as_good_as_the_best(study):
    found = wobbling(study)
    left, right = found.plot().axes
    for ax, columns in ((left, found.columns()), (right, [("tiny", None), ("mini", None)])):
        assert len(ax.containers) == len(ax.collections) // 2 == len(columns)
        dots = [marks for marks in ax.collections if len(marks.get_offsets()) == len(RATIOS)]
        for (size, steps), bars, marks in zip(columns, ax.containers, dots, strict=True):
            kl = found.kl(size, steps, **({} if steps else {"budget": "flops"}))
            half = 12.7062 * kl.std(axis=1, ddof=1) / np.sqrt(2)  # t for one degree of freedom
            np.testing.assert_allclose(bars[0].get_xydata(), np.column_stack([RATIOS, kl.mean(axis=1)]))
            ends = np.array(bars[2][0].get_segments())[:, :, 1]
            np.testing.assert_allclose(ends[:, 1], kl.mean(axis=1) + half, rtol=1e-4)
            np.testing.assert_allclose(
                ends[:, 0], kl.mean(axis=1) - np.minimum(half, 0.999 * kl.mean(axis=1)), rtol=1e-4
            )
            np.testing.assert_allclose(marks.get_offsets(), bars[0].get_xydata())
            filled = {r for r, face in zip(TRAINED_RATIOS, marks.get_facecolors(), strict=True) if face[:3].min() < 1}
            assert filled == set(found.best(size, steps, **({} if steps else {"budget": "flops"})).as_good)
            assert {0.4 if steps else 0.15, 0.5} <= filled != set(TRAINED_RATIOS)
            assert not {0.01, 0.15 if steps else 0.8} & filled
    assert left.get_ylim() == right.get_ylim()
    for text in left.texts:  # a name beside the end of its own line, or pushed down by the one above
        size, steps = text.get_text().removesuffix(" steps").split(", ")
        assert text.xy[0] == 0.8
        assert text.xy[1] <= found.kl(size, int(steps))[-1].mean() * (1 + 1e-9)
        assert text.get_color() == left.containers[found.columns().index((size, int(steps)))][0].get_color()


def test_the_table_and_the_words_have_the_figures_of_each_ratio_and_column(study):
    found = wobbling(study)
    rows = {line.split()[0]: line for line in found.table().splitlines()[2:10]}
    assert list(rows) == [f"{ratio}" for ratio in TRAINED_RATIOS]
    lines = found.table().splitlines()
    assert lines[1].split("  ")[0] == "trained at"
    for place, column in enumerate(found.columns()):
        assert lines[1][12 + 26 * place : 38 + 26 * place].strip() == f"{column[0]}, {column[1]} steps"
        kl = found.kl(*column)[2]  # at 0.15
        margin = 12.7062 * kl.std(ddof=1) / np.sqrt(2)
        told = rows["0.15"][12 + 26 * place : 38 + 26 * place].strip()
        assert told == f"{kl.mean():.3f} ± {margin:.3f}"
        best = found.best(*column)
        good = ", ".join(str(r) for r in TRAINED_RATIOS if r in best.as_good)
        assert lines[10 + place] == (
            f"best for {column[0]}, {column[1]} steps: {best.ratio.value:.2f} ({best.ratio.low:.2f} to "
            f"{best.ratio.high:.2f}); as good within the error: {good}"
        )
        assert best.ratio.low < best.ratio.value < best.ratio.high
    said = dict(
        part.split(": ", 1) for part in found.describe().split("training. ")[1].rstrip(".").split("; ") if ": " in part
    )
    for name, kl in (
        ("mini, 900 steps", found.kl("mini", 900)),
        ("tiny, equal FLOPs", found.kl("tiny", budget="flops")),
    ):
        assert said[name] == ", ".join(
            f"{m:.3f} at {r:g}" for m, r in zip(kl.mean(axis=1), TRAINED_RATIOS, strict=True)
        )


def test_a_rate_is_chosen_by_the_divergence_at_the_usual_questions(monkeypatch, tmp_path):
    """At a half hidden the other rate would be the better one; the floor is kept with its error, for each ratio."""
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    asked = []

    def run_study(cells, run, folder, workers, finished=None):
        asked.append(list(cells))
        known = {"kl_error": [0.1, 0.1], "probe_accuracy": 0.9, "copy_nats": 1.0, "flops": 1.0, "tokens": 1}
        known |= {"predictions": 1, "curve": [], "cpu_seconds": 1.0}
        return [known | {"kl": [c.learning_rate, 1 - c.learning_rate]} for c in asked[-1]]

    for module in (rates, lab_study):
        monkeypatch.setattr(module, "run_study", run_study)
    monkeypatch.setattr(run, "FLOOR_SENTENCES", 40)
    config = MaskRatioConfig(sizes=("tiny",), largest=(), steps=(2,), ratios=(0.15, 0.4, 0.8), seeds=2,
                             flops_steps=None, knobs=(), split_ratios=(), rates=(1e-2, 1e-3))  # fmt: skip
    found = measure_mask_ratio(config, rng(3))
    assert {score.cell.learning_rate for score in found.scores} == {1e-3}
    assert [len(cells) for cells in asked] == [6, 6]
    r = rng(3)
    wanted = [scene_language().bayes_floor(ratio, r, 40) for ratio in config.ratios]
    np.testing.assert_allclose(found.floor, [[floor.mean, floor.standard_error] for floor in wanted])


def test_the_title_says_where_nothing_was_tried_above_the_best(study):
    beyond = planted(study.config, best=5.0)  # falls up to the highest ratio
    assert beyond.plot().axes[0].get_title() == "Equal steps: the best ratio is 0.80 or more"
    mixed = [one if one.cell.size == "tiny" else other for one, other in zip(study.scores, beyond.scores, strict=True)]
    for ax in MaskRatio(study.config, tuple(mixed), study.floor).plot().axes:
        assert ax.get_title().endswith(": the best ratio lies at 0.40 to 0.80 or more")


# ---------------------------------------------------------------- predictions as a knob of their own


@pytest.mark.parametrize("method", ["bernoulli", "fixed"])
@pytest.mark.parametrize("split", [ALL_MASK, BERT_SPLIT])
def test_predictions_are_a_share_of_what_is_corrupted(method, split, scenes):
    ids, v = scenes.sample(4000, rng(5)).ids, scenes.vocabulary
    both = masked_batch(ids, v, Masking(mask_ratio=0.4, method=method, split=split), rng(6))
    fewer = masked_batch(ids, v, Masking(mask_ratio=0.4, method=method, split=split, prediction_ratio=0.15), rng(6))
    assert torch.equal(both.ids, fewer.ids)  # what is corrupted does not depend on what is asked
    words = np.isin(ids, v.regular_ids).sum()
    assert both.count_labels() / words == pytest.approx(0.4, abs=0.02)
    assert fewer.count_labels() / words == pytest.approx(0.15, abs=0.02 if method == "bernoulli" else 0.04)

    def places(batch):
        rows, k = np.nonzero((batch.labels != IGNORE_INDEX).numpy())
        positions = batch.positions.numpy()[rows, k]
        np.testing.assert_array_equal(batch.labels.numpy()[rows, k], ids[rows, positions])
        return set(zip(rows.tolist(), positions.tolist(), strict=True))

    assert places(fewer) < places(both)


def test_each_corrupted_word_has_the_same_chance_to_be_asked_for(scenes):
    ids, v = scenes.sample(6000, rng(7)).ids, scenes.vocabulary
    batch = masked_batch(ids, v, Masking(mask_ratio=0.6, prediction_ratio=0.3), rng(8))
    asked = np.zeros(ids.shape, dtype=bool)
    rows, k = np.nonzero((batch.labels != IGNORE_INDEX).numpy())
    asked[rows, batch.positions.numpy()[rows, k]] = True
    hidden = (batch.ids == v.mask_id).numpy()
    for place in range(1, 6):
        assert asked[:, place][hidden[:, place]].mean() == pytest.approx(0.5, abs=0.06)


def test_all_that_is_corrupted_may_be_asked_for(scenes):
    ids, v = scenes.sample(50, rng()).ids, scenes.vocabulary
    one, other = (masked_batch(ids, v, Masking(mask_ratio=0.3, prediction_ratio=m), rng(9)) for m in (None, 0.3))
    assert torch.equal(one.labels, other.labels)
    config = TrainingConfig.of(steps=1, mask_ratio=0.5, prediction_ratio=0.1)
    batch = objective_of(config)(ids, v, rng(9), None)
    assert 0 < batch.count_labels() < (batch.ids == v.mask_id).sum() / 2


@pytest.mark.parametrize(
    ("ratio", "error", "message"),
    [
        (0.0, ValueError, "prediction_ratio is 0.0: expected a share above 0, up to mask_ratio, 0.15"),
        (0.2, ValueError, "prediction_ratio is 0.2: expected a share above 0, up to mask_ratio, 0.15"),
        (float("nan"), ValueError, "prediction_ratio is nan: expected a finite number"),
        ("0.1", TypeError, "prediction_ratio is '0.1': expected a number"),
        (True, TypeError, "prediction_ratio is True: expected a number"),
    ],
)
def test_a_prediction_ratio_that_makes_no_sense_is_refused(ratio, error, message):
    with pytest.raises(error, match=message):
        TrainingConfig.of(steps=1, prediction_ratio=ratio)


def test_a_prediction_ratio_is_a_plain_number_in_json():
    config = TrainingConfig.of(steps=1, mask_ratio=0.4, prediction_ratio=np.float64(0.15))
    assert TrainingConfig.of(**json.loads(json.dumps(config.to_dict()))) == config
    assert TrainingConfig(steps=1).masking.prediction_ratio is None


# ---------------------------------------------------------------- the whole way, in small


@pytest.fixture
def in_small(tmp_path, monkeypatch):
    """The experiment with two steps of training, a few questions, and a cache of its own."""
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    for name, value in {"SCORED_SENTENCES": 30, "PROBED_SENTENCES": 60, "CURVE_SENTENCES": 20}.items():
        monkeypatch.setattr(run, name, value)
    monkeypatch.setattr(run, "FLOOR_SENTENCES", 40)
    monkeypatch.setattr(recipe, "BATCH_SIZE", 8)
    config = MaskRatioConfig(
        sizes=("tiny",), largest=(), steps=(2,), ratios=(0.15, 0.4, 0.8), seeds=2, flops_steps=None,
        knobs=((0.4, 0.15),), split_ratios=(0.15,), rates=(1e-3,),
    )  # fmt: skip
    small = dataclasses.replace(EXPERIMENTS["mask_ratio"], quick=config, full=config)
    monkeypatch.setitem(catalog.EXPERIMENTS, "mask_ratio", small)
    for cached in (run.fixed_questions, run._curve_questions):
        cached.cache_clear()
    yield config
    for cached in (run.fixed_questions, run._curve_questions):
        cached.cache_clear()


def run_command(*arguments):
    return command_line.main(list(map(str, arguments)))


def test_an_experiment_is_measured_kept_and_measured_no_more(in_small, monkeypatch, capsys):
    result = find_experiment("mask_ratio").run(full=False, workers=1)
    assert len(result.scores) == len(in_small.cells()) == 10
    assert result.floor.shape == (3, 2)
    assert (np.diff(result.floor[:, 0]) > 0).all()
    for score in result.scores:
        assert all(0 < nats < 10 for nats in score.kl)
        assert all(error > 0 for error in score.kl_error)
        assert 0 < score.probe_accuracy <= 1
        assert [step for step, _ in score.curve] == [1, 2]
    asked = {s.cell.prediction_ratio or s.cell.mask_ratio: s.predictions / s.tokens for s in result.scores}
    assert asked[0.15] < asked[0.4] < asked[0.8]
    monkeypatch.setattr(lab_study, "_run_and_keep", pytest.fail)  # nothing is left to run
    again = measure_mask_ratio(in_small, rng(0), workers=1)
    assert again.to_json() == result.to_json()
    assert len(list(ratio_folder().glob("*.json"))) == 10
    assert run_command("experiment", "mask_ratio", "--workers", 1) == 0
    assert capsys.readouterr().out == result.table() + "\n"


def test_a_cell_is_the_same_when_it_is_run_again(in_small):
    cell = in_small.cells()[0]
    one, other = (run_ratio_cell(cell) for _ in range(2))
    del one["cpu_seconds"], other["cpu_seconds"]
    assert one == other
    assert one != run_ratio_cell(dataclasses.replace(cell, seed=1))


def test_the_command_writes_json_with_what_made_it(in_small, tmp_path, capsys):
    assert run_command("experiment", "mask_ratio", "--workers", 1, "--json", tmp_path / "quick.json") == 0
    content = json.loads((tmp_path / "quick.json").read_text())
    assert content["experiment"] == "mask_ratio"
    assert content["command"] == "python3 course.py experiment mask_ratio"
    assert {"date", "machine", "seed", "result"} <= set(content)
    assert MaskRatio.from_dict(content["result"]).config == in_small
    capsys.readouterr()
    assert (
        run_command("experiment", "mask_ratio", "--full", "--workers", 1, "--out", tmp_path / "full.json", "--json")
        == 0
    )
    shown = capsys.readouterr()
    assert json.loads(shown.out)["command"] == "python3 course.py experiment mask_ratio --full"
    assert f"Written to {tmp_path / 'full.json'}." in shown.err
    assert json.loads((tmp_path / "full.json").read_text())["result"] == content["result"]
    assert "\n " not in (tmp_path / "full.json").read_text()  # compact: it is shipped


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mask_ration"], "there is no experiment 'mask_ration': expected one of "),
        (["mask_ratio", "--out", "x.json"], "--out is for --full: a quick result goes to --json FILE"),
        (["mask_ratio", "--workers", "0"], "workers is 0: expected at least 1"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert run_command("experiment", *arguments) == 1
    assert message in capsys.readouterr().err
    assert not Path("x.json").exists()


# ---------------------------------------------------------------- what is shipped


def test_a_shipped_result_is_found_by_name(tmp_path, monkeypatch, study):
    monkeypatch.setattr(shipping, "results_folder", lambda room: tmp_path)
    experiment = find_experiment("mask_ratio")
    with pytest.raises(ValueError, match="there is no shipped result 'mask_ratio'"):
        experiment.shipped()
    content = for_shipping(experiment, study, "python3 course.py experiment mask_ratio --full")
    (tmp_path / "mask_ratio.json").write_text(json.dumps(content), encoding="utf-8")
    assert experiment.shipped().to_json() == study.to_json()
    with pytest.raises(ValueError, match="no shipped result 'mask_ration': expected one of mask_ratio"):
        shipping.shipped("experiments", "mask_ration")


def test_provenance_says_how_when_and_on_what(monkeypatch):
    made = shipping.provenance("a command")
    assert made["command"] == "a command"
    assert len(made["date"].split("-")) == 3
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert made["machine"].startswith(f"{cores} cores, ")
    assert f"torch {torch.__version__}" in made["machine"]
    assert f"numpy {np.__version__}" in made["machine"]
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)  # which only Linux has
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert shipping.provenance("a command")["machine"].startswith("3 cores, ")
    with pytest.raises(ValueError, match="there is no shipped result 'x': expected one of none"):
        shipping.shipped("model", "x")


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("vendor_id\t: Maker\nmodel name\t: CPU: 2 GHz \nmodel name\t: other\n", "CPU: 2 GHz"),
        ("CPU part\t: 0xd0c\n", "a processor"),  # as ARM has it
        (None, "a processor"),
    ],
)
def test_the_processor_is_named_as_far_as_the_system_tells(content, name, tmp_path, monkeypatch):
    if content is not None:
        (tmp_path / "cpuinfo").write_text(content, encoding="utf-8")
    monkeypatch.setattr(shipping, "Path", lambda path: tmp_path / "cpuinfo")
    monkeypatch.setattr(shipping.platform, "processor", lambda: "")
    monkeypatch.setattr(shipping.platform, "machine", lambda: "a processor")
    assert shipping._processor() == name


@pytest.mark.skipif(not SHIPPED.is_file(), reason="no full result is shipped yet")
def test_the_shipped_study_is_whole_and_says_what_made_it():
    assert SHIPPED.stat().st_size < 200_000
    content = json.loads(SHIPPED.read_text(encoding="utf-8"))
    assert content["command"] == "python3 course.py experiment mask_ratio --full"
    assert all(content[name] for name in ("machine", "date", "experiment"))
    assert content["seed"] == find_experiment("mask_ratio").seed
    study = find_experiment("mask_ratio").shipped()
    assert study.config == MaskRatioConfig()
    assert [score.cell for score in study.scores] == at_best_rates(study.config.cells(), study.tried)
    assert {trial.learning_rate for trial in study.tried} == set(study.config.rates)
    assert len(study.tried) == len(study.config.rates) * len({cell.arm for cell in study.config.cells()})
    assert all(np.isfinite([*s.kl, *s.kl_error, s.probe_accuracy, s.copy_nats]).all() for s in study.scores)


@pytest.mark.skipif(not SHIPPED.is_file(), reason="no full result is shipped yet")
def test_a_shipped_cell_comes_out_again():
    shipped = find_experiment("mask_ratio").shipped().of("tiny", 300, mask_ratio=0.4)[0]
    again = restored(RatioScore, run_ratio_cell(shipped.cell) | {"cell": dataclasses.asdict(shipped.cell)})
    assert (again.tokens, again.predictions) == (shipped.tokens, shipped.predictions)  # the text is the same anywhere
    for ours, theirs, error in zip(again.kl, shipped.kl, shipped.kl_error, strict=True):
        assert abs(ours - theirs) <= error
