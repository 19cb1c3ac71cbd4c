"""What few masks do to a training: planted trainings whose slowness and unrest are known."""

import math

import numpy as np
import pytest

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.lab import rates
from mlm_mini.experiments.lab import study as lab_study
from mlm_mini.experiments.lab.rates import RateTrial
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, UNDECIDED, decide_above
from mlm_mini.experiments.variance import few_masks as room
from mlm_mini.experiments.variance.few_masks_result import (
    FEW,
    HURRIED,
    USUAL,
    FewMasks,
    FewMasksCell,
    FewMasksConfig,
    FewMasksScore,
    share_given_back,
)
from mlm_mini.seeds import TUNING_SEED

CONFIG = FewMasksConfig(steps=320, seeds=5, rates=(1e-3, 1e-2))
LENGTHS = [10, 20, 40, 80, 160, 320]
LUCK = np.array([-1.2, -0.4, 0.1, 0.5, 1.0])


def test_what_is_given_back_is_rises_over_falls():
    assert share_given_back([4.0, 3.0, 2.0]) == 0
    assert share_given_back([4.0, 2.0, 3.0, 1.0]) == pytest.approx(1 / 4)
    assert share_given_back([4.0, 2.0, 2.5, 1.0, 1.5]) == pytest.approx(1 / 3.5)
    assert share_given_back([1.0, -0.5, 0.0]) == pytest.approx(1 / 3)  # an estimate below the floor is a number too
    assert share_given_back([1.0, 2.0]) == math.inf


def test_lengths_are_halves_of_halves():
    assert CONFIG.lengths == LENGTHS


def trainings(speed, back=0.0, error=1e-6):
    """Of one seed: for each length, a gap that falls to 1 / (speed steps) and gives `back` of its way back once."""

    def gaps(n):
        end = 1 / (speed * n)
        up = back * (5 - end) / (1 - back)  # rises over falls, with falls = 5 - end + up
        return [5.0, end + (5 - end) / 2, end + (5 - end) / 2 + up, end]

    return [{"gaps": gaps(n), "error": error} for n in LENGTHS]


def result(few, usual, hurried=None, rate=None):
    """Of planted trainings for each seed. rate: of few masks; another than that of the usual ratio unless given."""
    rate = {FEW: 1e-3 if rate is None else rate, USUAL: 1e-2}
    tried = tuple(RateTrial(f"{r:g}", lr, float(lr != rate[r])) for r in rate for lr in CONFIG.rates)
    runs = [
        FewMasksScore(FewMasksCell(ratio, steps, seed, rate[ratio], 4), np.array(found["gaps"]), found["error"])
        for ratio, seeds in ((FEW, few), (USUAL, usual))
        for seed, lengths in enumerate(seeds)
        for steps, found in zip(LENGTHS, lengths, strict=True)
    ]
    runs += [
        FewMasksScore(FewMasksCell(FEW, 320, seed, 1e-2, 4), np.array(found["gaps"]), found["error"])
        for seed, found in enumerate(hurried or [])
    ]
    return FewMasks(CONFIG, tried, tuple(runs[::-1]))  # their order must not matter


def planted(speeds, backs):
    few = [trainings(s, b) for s, b in zip(speeds, backs, strict=True)]
    return result(few, [trainings(1.0, 0.2)] * 5, [trainings(1.0, 0.5)[-1]] * 5)


def test_planted_slowness_and_unrest_are_found():
    found = planted([0.25] * 5, [0.4] * 5)
    assert found.arms == (FEW, USUAL, HURRIED)
    assert found.steps.value == pytest.approx(4)
    assert found.given_back(FEW).value == pytest.approx(0.2)
    assert found.shares(FEW).mean() == pytest.approx(0.4)
    assert found.shares(USUAL).mean() == pytest.approx(0.2)
    assert found.shares(HURRIED).mean() == pytest.approx(0.5)
    assert found.given_back(HURRIED).value == pytest.approx(0.3)
    np.testing.assert_allclose(found.target, 1.1 / (0.25 * 320))
    assert found.ends(USUAL).shape == (5, 6)
    assert found.at_edge(FEW)
    assert found.at_edge(USUAL)


def test_where_both_choose_one_rate_there_is_no_third_arm():
    found = result([trainings(0.5, 0.3)] * 5, [trainings(1.0, 0.1)] * 5, rate=1e-2)
    assert found.arms == (FEW, USUAL)
    assert found.given_back(FEW).value == pytest.approx(0.2)
    assert "at its own rate" in found.describe()
    assert "at the rate of" not in found.describe() + found.table()


def test_the_picture_and_the_table_have_the_figures():
    found = planted([0.25] * 5, 0.4 + 0.01 * LUCK)
    left, right = found.plot().axes
    assert left.get_title() == "1% takes 4 steps for one"
    assert right.get_title().startswith("1% gives back +30.0%")  # at the rate of 15%, which is the larger one
    assert "above the floor: 4\n" in found.table() + "\n"
    assert len(right.lines) == 3


def test_the_picture_shows_means_of_seeds_with_their_intervals():
    speeds = 0.25 * np.exp(0.2 * LUCK)
    found = planted(speeds, 0.4 + 0.01 * LUCK)
    left, right = found.plot().axes
    few, usual = left.containers
    ends = np.array([1 / (speeds * n) for n in LENGTHS])  # (lengths, seeds)
    margin = 2.776445 * ends.std(axis=1, ddof=1) / np.sqrt(5)
    assert (few.get_label(), usual.get_label()) == ("1%, at its own rate", "15%")
    np.testing.assert_allclose(few[0].get_xydata(), np.column_stack([LENGTHS, ends.mean(axis=1)]))
    np.testing.assert_allclose(usual[0].get_xydata(), np.column_stack([LENGTHS, 1 / np.array(LENGTHS)]))
    low_and_high = np.array(few[2][0].get_segments())[:, :, 1]
    np.testing.assert_allclose(low_and_high, ends.mean(axis=1)[:, None] + margin[:, None] * [-1, 1], rtol=1e-5)
    (target,) = [line for line in left.lines if line.get_linestyle() == ":"]
    assert target.get_ydata()[0] == pytest.approx(found.target.mean())
    on_the_way = {line.get_label(): line.get_xydata() for line in right.lines}
    assert list(on_the_way) == ["1%, at its own rate", "15%", "1%, at the rate of 15%"]
    for name, back in (("15%", 0.2), ("1%, at the rate of 15%", 0.5)):
        gaps = trainings(1.0, back)[-1]["gaps"]
        np.testing.assert_allclose(on_the_way[name], np.column_stack([[80, 160, 240, 320], gaps]))


def test_the_table_and_the_words_name_each_ratio_with_its_own_figures():
    found = planted([0.25] * 5, 0.4 + 0.01 * LUCK)
    margin = 2.776445 * (0.01 * LUCK).std(ddof=1) / np.sqrt(5)
    own = f"40.0% ({0.4 - margin:.1%} to {0.4 + margin:.1%})"
    assert found.table().splitlines() == [
        "nats above the floor after 320 steps, by learning rate (one seed)",
        "  1%  0.001: 0.00  0.01: 1.00",
        " 15%  0.001: 1.00  0.01: 0.00",
        "share of the way that is given back (95%, over seeds)",
        f"1%, at its own rate      {own}",
        "15%                      20.0% (20.0% to 20.0%)",
        "1%, at the rate of 15%   50.0% (50.0% to 50.0%)",
        "steps for one at 15%, to end 0.01 nats above the floor: 4",
    ]
    said = found.describe()
    assert "1%, at its own rate: 0.40 after 10, 0.20 after 20, 0.10 after 40" in said
    assert "15%: 0.10 after 10, 0.05 after 20" in said
    assert f"given back: 1%, at its own rate: {own}; 15%: 20.0% (20.0% to 20.0%); 1%, at the rate of 15%: 50.0%" in said


@pytest.mark.parametrize(("factor", "word"), [(4.0, HOLDS), (2.16, UNDECIDED), (1.85, UNDECIDED), (1.0, FAILS)])
def test_slowness_is_undecided_where_seeds_disagree_about_the_threshold(factor, word):
    verdict = decide_above(planted(np.exp(0.2 * LUCK) / factor, [0.1] * 5).steps, 2.0)
    assert verdict.word == word
    assert verdict.leaning == (HOLDS if factor > 2 else FAILS)


def test_slowness_is_a_mean_of_logs():
    """One over the speed: 4 and 1 have the mean factor 2, not 2.5, and the interval is that of ln 4 and ln 1."""
    found = planted([0.25, 1.0, 0.25, 1.0, 0.5], [0.1] * 5).steps.estimate
    margin = 2.776445 * np.log(2) / np.sqrt(5)  # the logs are 2, 0, 2, 0, 1 times ln 2: their deviation is ln 2
    assert found == pytest.approx((2, 2 * np.exp(-margin), 2 * np.exp(margin)), rel=1e-6)


def test_what_a_seed_does_to_both_ratios_cancels():
    speeds, backs = np.exp(LUCK), 0.2 + 0.1 * LUCK
    few = [trainings(s / 2, b + 0.1) for s, b in zip(speeds, backs, strict=True)]
    usual = [trainings(s, b) for s, b in zip(speeds, backs, strict=True)]
    hurried = [trainings(s / 2, b + 0.3)[-1] for s, b in zip(speeds, backs, strict=True)]
    found = result(few, usual, hurried)
    assert found.steps.estimate == pytest.approx((2, 2, 2))
    assert found.given_back(FEW).estimate == pytest.approx((0.1, 0.1, 0.1))
    assert found.given_back(HURRIED).estimate == pytest.approx((0.3, 0.3, 0.3))


def test_the_target_is_what_both_came_nearest_to_at_any_length():
    """The longest trainings fail: what counts is the one of half their length, and of the two the slower."""
    few, usual = [trainings(0.5) for _ in range(5)], [trainings(1.0) for _ in range(5)]
    for seed in few + usual:
        seed[-1]["gaps"][-1] = 4.0
    found = result(few, usual)
    np.testing.assert_allclose(found.target, 1.1 / (0.5 * 160))
    assert found.steps.value == pytest.approx(2)


@pytest.mark.parametrize(("more", "word"), [(0.1, HOLDS), (0.02, UNDECIDED), (-0.02, UNDECIDED), (-0.08, FAILS)])
def test_unrest_is_undecided_where_seeds_disagree(more, word):
    given_back = planted([1.0] * 5, 0.2 + more + 0.04 * LUCK).given_back(FEW)
    assert decide_above(given_back, 0.0).word == word
    margin = 2.776445 * (0.04 * LUCK).std(ddof=1) / np.sqrt(5)
    found = given_back.estimate
    assert (found.low, found.high) == pytest.approx((more - margin, more + margin), abs=1e-6)


def test_a_gap_below_the_floor_does_not_end_a_study():
    few, usual = [trainings(0.5) for _ in range(5)], [trainings(1.0, error=0.02) for _ in range(5)]
    for seed in few + usual:
        seed[-1]["gaps"][-1] = -0.01
    found = result(few, usual)
    np.testing.assert_allclose(found.target, 1.1 * 0.02)
    assert np.isfinite(found.steps.resampled).all()


def study(monkeypatch, best):
    """What `measure_few_masks` finds where these rates are best, and the cells that it asked for, call by call."""
    asked = []

    def run_study(cells, run, folder, workers, finished=None):
        asked.append(list(cells))
        return [
            {"gaps": [5.0, -off, {FEW: 6.0, USUAL: 2.0}[c.mask_ratio] / c.steps + off]} | {"error": 1e-6}
            for c in cells
            for off in [abs(c.learning_rate - best[c.mask_ratio])]  # low on the way is not low at the end
        ]

    for module in (lab_study, rates):
        monkeypatch.setattr(module, "run_study", run_study)
    return room.measure_few_masks(
        FewMasksConfig(steps=640, seeds=5, rates=(1e-3, 1e-2)), np.random.default_rng(0)
    ), asked


def test_a_study_chooses_a_rate_for_each_ratio_on_a_seed_of_its_own(monkeypatch):
    best = {FEW: 1e-3, USUAL: 1e-2}
    found, (trials, cells) = study(monkeypatch, best)
    assert {ratio: found.rate(ratio) for ratio in best} == best
    assert found.steps.value == pytest.approx(3)
    assert {c.seed for c in trials} == {TUNING_SEED}
    hurried = [c for c in cells if (c.mask_ratio, c.learning_rate) == (FEW, 1e-2)]
    assert [(c.steps, c.seed) for c in hurried] == [(640, seed) for seed in range(5)]
    assert {c.learning_rate for c in cells if c.mask_ratio == FEW} == {1e-3, 1e-2}
    assert sorted({c.seed for c in cells}) == [0, 1, 2, 3, 4]
    assert len({c.name for c in cells}) == len(cells) == 2 * 5 * 6 + 5
    assert {c.looks > 1 for c in cells if c.steps == 640} == {True}


def test_a_study_of_one_best_rate_trains_nothing_twice(monkeypatch):
    found, (_, cells) = study(monkeypatch, {FEW: 1e-2, USUAL: 1e-2})
    assert found.arms == (FEW, USUAL)
    assert len({c.name for c in cells}) == len(cells) == 2 * 5 * 6


def test_a_cell_is_judged_at_the_usual_ratio_whatever_it_trains_at():
    few, usual = (room.run_few_masks_cell(FewMasksCell(ratio, 3, 0, 1e-9, 3)) for ratio in (FEW, USUAL))
    assert len(few["gaps"]) == 3
    np.testing.assert_allclose(few["gaps"], usual["gaps"], rtol=1e-4)  # at next to no rate both stay where they began
    assert 0 < few["error"] < 0.1


def test_what_the_chapter_says_of_the_shipped_study():
    found = find_experiment("few_masks").shipped()
    assert found.arms == (FEW, USUAL)  # the recap has a row for each arm beside the usual ratio
    assert all(min(found.config.rates) < found.rate(ratio) < max(found.config.rates) for ratio in (FEW, USUAL))
    assert not any(map(found.at_edge, (FEW, USUAL)))
    assert decide_above(found.steps, 2.0).word == HOLDS
    assert decide_above(found.given_back(FEW), 0.0).word == HOLDS
    assert (found.ends(USUAL)[:, 0] > found.target).all()  # else the factor of steps would be a lower bound only
