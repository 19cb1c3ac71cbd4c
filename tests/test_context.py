"""Masked beside causal, the two sides of a word, and what attention costs: planted cases whose answer is known."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from mlm_mini.experiments.context import attention_cost, objectives
from mlm_mini.experiments.context.right_side import referent_nats, side_nats
from mlm_mini.experiments.lab import rates
from mlm_mini.experiments.lab.cost import cost_to_reach
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, UNDECIDED, decide_above, decide_within
from mlm_mini.languages import markov_language, scene_language
from mlm_mini.languages.markov import MarkovLanguage
from mlm_mini.seeds import TUNING_SEED

LENGTHS = 2 ** np.arange(6, 13)


def rng(seed):
    return np.random.default_rng(seed)


# ---- the cost of a target


def test_between_two_points_the_logs_go_along_a_line():
    curve = [(100, 1.0), (200, 0.25), (400, 0.5), (800, 0.125)]
    assert cost_to_reach(curve, 0.5) == pytest.approx(100 * math.sqrt(2))
    assert cost_to_reach(curve, 1.0) == 100
    assert cost_to_reach(curve, 0.2) == pytest.approx(400 * 2 ** (math.log(0.5 / 0.2) / math.log(4)))
    assert cost_to_reach(curve, 0.1) == math.inf


@pytest.mark.parametrize("gap", [0.0, -0.02, -math.inf])
def test_an_estimate_at_or_below_the_floor_has_reached_any_target(gap):
    assert cost_to_reach([(100, 1.0), (200, gap)], 0.01) == 200
    assert cost_to_reach([(100, gap), (200, 1.0)], 0.01) == 100
    assert cost_to_reach([(100, 1.0), (200, 0.1), (400, gap)], 0.1) == 200  # points before it still have logs
    assert cost_to_reach([(100, 1.0), (200, 0.1), (400, gap)], math.sqrt(0.1)) == pytest.approx(100 * math.sqrt(2))


def test_a_cost_of_nothing_has_no_logarithm():
    assert cost_to_reach([(0, 3.0), (50, 1.0)], 2.0) == 50
    assert cost_to_reach([(0, 1.0), (50, 0.5)], 2.0) == 0


def test_what_is_no_distance_is_refused():
    for target in (0.0, -0.1, math.nan):
        with pytest.raises(ValueError, match="expected a distance above 0"):
            cost_to_reach([(100, 1.0), (200, -0.2)], target)
    with pytest.raises(ValueError, match="gap 1 is NaN"):
        cost_to_reach([(100, 1.0), (200, math.nan), (400, 0.1)], 0.5)


# ---- two objectives


def ends(speed, per_step, noise=1.0, error=1e-6, lowest=-1.0):
    """Trainings of 10 to 160 steps that end at gaps of 1 / (speed steps), less 1 / 1000 for whoever is below that."""
    steps = 10 * 2 ** np.arange(5)
    gaps = np.maximum(noise / (speed * steps), lowest)
    columns = (steps, per_step * steps, 1e6 * steps, gaps)
    names = ("steps", "predictions", "flops", "gap")
    return [dict(zip(names, map(float, row), strict=True)) | {"error": error} for row in zip(*columns, strict=True)]


def test_a_planted_efficiency_is_found():
    found = objectives.efficiency([(ends(1.0, 15), ends(4.0, 100)) for _ in range(5)], {})
    assert found.steps.value == pytest.approx(4, rel=1e-6)
    assert found.predictions.value == pytest.approx(0.6, rel=1e-6)
    assert found.flops.value == pytest.approx(4, rel=1e-6)
    np.testing.assert_allclose(found.target, 1.1 / 160)


@pytest.mark.parametrize(("speed", "word"), [(8.0, HOLDS), (1.08, UNDECIDED), (0.92, UNDECIDED), (0.125, FAILS)])
def test_the_verdict_on_an_efficiency_is_open_where_seeds_disagree(speed, word):
    """Five seeds whose factors scatter by 20%: the interval of a factor of 1.08 holds 1, though the value does not."""
    luck = np.exp(0.2 * np.array([-1.2, -0.4, 0.1, 0.5, 1.0]))
    found = objectives.efficiency([(ends(1.0, 15), ends(speed, 100, noise=1 / x)) for x in luck], {})
    assert decide_above(found.steps, 1.0).word == word
    assert decide_above(found.steps, 1.0).leaning == (HOLDS if speed > 1 else FAILS)
    of_logs = np.log(luck * speed)
    margin = 2.776445 * of_logs.std(ddof=1) / np.sqrt(5)
    low, high = np.exp(of_logs.mean() + margin * np.array([-1, 1]))
    assert found.steps.estimate == pytest.approx((np.exp(of_logs.mean()), low, high), rel=1e-6)


def test_an_objective_at_its_floor_has_reached_the_target():
    """The causal gap comes out below zero in the end; the target is what the masked one reaches, or can see."""
    causal = ends(4.0, 100)
    causal[-1]["gap"] = -0.01
    found = objectives.efficiency([(ends(1.0, 15), causal) for _ in range(5)], {})
    assert found.steps.value == pytest.approx(160 / 1.1 / (160 / 4 / 1.1))
    both = [ends(1.0, 15, error=0.02), ends(1.0, 100, error=0.01)]
    for one in both:
        one[-1]["gap"] = -0.01
    found = objectives.efficiency([tuple(both) for _ in range(5)], {})
    np.testing.assert_allclose(found.target, 1.1 * 0.02)  # the larger error: nothing smaller can be told from 0
    assert found.steps.value == pytest.approx(1)


def test_a_study_trains_with_the_chosen_rate_and_whole_schedules(monkeypatch):
    """A planted gap is 1 / steps at rate 1e-2, and worse at others; masked trainings are thrice as slow."""
    asked = []

    def run_study(cells, run, folder, workers, finished=None):
        asked.append(cells)
        slow = {"masked": 3.0, "causal": 1.0}
        return [
            {"steps": c.steps, "predictions": c.steps, "flops": c.steps, "error": 1e-9}
            | {"gap": slow[c.objective] / c.steps + abs(c.learning_rate - 1e-2)}
            for c in cells
        ]

    for module in (objectives, rates):
        monkeypatch.setattr(module, "run_study", run_study)
    found = objectives.measure_objectives(320, 5)
    assert found.rates == {"masked": 1e-2, "causal": 1e-2}
    assert found.steps.value == pytest.approx(3)
    trials, cells = asked
    assert {c.seed for c in trials} == {TUNING_SEED}
    assert sorted({c.seed for c in cells}) == [0, 1, 2, 3, 4]
    assert sorted({c.steps for c in cells}) == [5, 10, 20, 40, 80, 160, 320]
    assert len(cells) == len({c.name for c in cells}) == 2 * 5 * 7


def test_an_objective_cell_is_measured_to_its_own_floor():
    masked, causal = (
        objectives.run_objective_cell(objectives.ObjectiveCell(name, 4, 0)) for name in objectives.TWO_OBJECTIVES
    )
    for end in (masked, causal):
        assert end["steps"] == 4
        assert end["gap"] > 1 > end["error"] > 0
    assert masked["predictions"] < causal["predictions"] / 4
    assert masked["flops"] < causal["flops"]
    other = objectives.run_objective_cell(objectives.ObjectiveCell("masked", 4, 0, 3e-2))
    assert other["gap"] != masked["gap"]


# ---- two sides


def test_a_length_is_news_from_the_right():
    nats = side_nats(scene_language(), 1500, rng(3))
    mean = {side: values.mean() for side, values in nats.items()}
    assert mean["both"] < mean["left and length"] < mean["left"] - 0.2
    assert all((values > -1e-12).all() for values in nats.values())


def test_where_all_sentences_are_of_one_length_it_is_none():
    nats = side_nats(markov_language(), 300, rng(4))
    np.testing.assert_allclose(nats["left"], nats["left and length"], atol=1e-9)
    assert nats["both"].mean() < nats["left"].mean()


def test_one_word_of_a_chain_is_as_likely_as_its_side_leaves_it():
    """Of two words that change with a chance of 0.1, in sentences of three that begin with "a": by hand."""
    language = MarkovLanguage(["a", "b"], [[0.9, 0.1], [0.1, 0.9]], [1.0, 0.0], sentence_length=3)
    nats = side_nats(language, 6000, rng(5))
    middle = {0.81 / 0.82, 0.01 / 0.82, 0.5}  # the second given the third, which is "a" in 0.82
    wanted = {
        "left": {1.0, 0.9, 0.1},
        "left and length": {1.0, 0.9, 0.1},
        "right": {1.0, 0.82, 0.18} | middle,
        "both": {1.0, 0.9, 0.1} | middle,
    }
    for side, chances in wanted.items():
        found = np.exp(-nats[side])
        assert np.unique(found.round(9)).tolist() == pytest.approx(sorted(chances))
        assert found[found < 1 - 1e-9].size == pytest.approx(4000, abs=150)  # the first word is no question


def test_a_clause_that_tells_names_the_person_who_was_meant():
    """Two persons are even before it. Where the exact posterior is sure behind it, it is right; else it stays near."""
    before, after = referent_nats(scene_language(), 20_000, rng(6))
    np.testing.assert_allclose(before, math.log(2))
    p = np.exp(-after)
    sure = p > 0.99
    assert 0.7 < sure.mean() < 0.9
    assert (np.abs(p[~sure] - 0.5) < 0.2).all()


# ---- attention


@pytest.mark.parametrize(("a", "b"), [(2e-5, 1e-7), (1e-6, 1e-6)])
def test_the_crossing_of_a_planted_cost_is_found(a, b):
    assert attention_cost.crossing(LENGTHS, a * LENGTHS + b * LENGTHS**2) == pytest.approx(a / b, rel=1e-6)


def test_a_cost_without_a_square_never_crosses():
    assert attention_cost.crossing(LENGTHS, 3e-5 * LENGTHS) == np.inf


def rounds(seed, crossing=300.0, noise=0.1, r=5):
    seconds = 1e-6 * (LENGTHS + LENGTHS**2 / crossing)
    return seconds[:, None] * np.exp(noise * rng(seed).normal(size=(len(LENGTHS), r)))


def test_the_interval_of_five_rounds_covers_the_crossing():
    found = [attention_cost.crossing_of_rounds(LENGTHS, rounds(seed)).estimate for seed in range(300)]
    assert np.median([f.value for f in found]) == pytest.approx(300, rel=0.03)
    assert 0.91 < np.mean([f.low <= 300 <= f.high for f in found]) < 0.985


def test_one_length_that_is_slow_in_one_round_is_no_other_length():
    """All lengths of a round twice as slow: the crossing is that of a quiet round, and nothing scatters."""
    seconds = rounds(0, noise=0.0) * np.array([1.0, 2.0, 1.0, 3.0, 1.0])
    assert attention_cost.crossing_of_rounds(LENGTHS, seconds).estimate == pytest.approx((300, 300, 300), rel=1e-6)


def test_rounds_without_a_square_leave_the_crossing_open():
    linear = np.repeat(3e-5 * LENGTHS[:, None], 5, axis=1)
    never = attention_cost.crossing_of_rounds(LENGTHS, linear)
    assert never.estimate == (np.inf, np.inf, np.inf)
    assert np.isinf(never.resampled).all()
    mixed = np.column_stack([linear[:, :4], rounds(1, noise=0.0, r=1)])
    found = attention_cost.crossing_of_rounds(LENGTHS, mixed)
    assert found.estimate.low < 20_000 < found.estimate.high == np.inf
    assert not np.isnan(found.resampled).any()
    within = decide_within(found, LENGTHS[0], LENGTHS[-1])
    assert within.word == UNDECIDED


def test_whether_the_crossing_lies_within_what_was_timed_is_decided():
    near = attention_cost.crossing_of_rounds(LENGTHS, rounds(2))
    assert decide_within(near, 64, 4096).word == HOLDS
    edge = attention_cost.crossing_of_rounds(LENGTHS, rounds(3, crossing=62.0, noise=0.2))
    assert edge.estimate.low < 64 < edge.estimate.high
    assert decide_within(edge, 64, 4096).word == UNDECIDED


@pytest.mark.parametrize("kernel", attention_cost.KERNELS)
def test_each_kernel_is_timed(kernel):
    cost = attention_cost.measure_attention_cost(np.array([16, 32, 64]), 3, rng(0), kernel)
    assert cost.seconds.shape == (3, 3)
    assert (cost.seconds > 0).all()
    assert cost.counted == 6 * 64


def test_the_time_is_that_of_one_pass_in_seconds(monkeypatch):
    """On a machine where n tokens take 2 n + n^2 / 32 microseconds; short sentences are read several times."""
    read = []

    def take_turns(ways, rounds, clock):
        read.extend((way.args[1], way.args[2]) for way in ways)
        times = [1e-3 * way.args[2] * (2 * way.args[1] + way.args[1] ** 2 / 32) for way in ways]
        return np.repeat(np.array(times)[:, None], rounds, axis=1)  # milliseconds

    monkeypatch.setattr(attention_cost, "take_turns", take_turns)
    cost = attention_cost.measure_attention_cost(np.array([16, 64, 256]), 3, rng(0))
    assert read == [(16, 4), (64, 1), (256, 1)]
    np.testing.assert_allclose(cost.seconds[:, 0], [40e-6, 256e-6, 2560e-6])
    assert cost.crossing.estimate == pytest.approx((64, 64, 64))


def test_a_crossing_counts_relative_errors():
    """Where no a and b fit, the best are those that miss the least as shares of the times."""
    lengths = np.array([64.0, 256.0, 1024.0])
    seconds = 1e-6 * (lengths + lengths**2 / 300) * np.array([0.8, 1.1, 1.0])
    x = np.stack([lengths, lengths**2], axis=1)

    def miss(log_ab):
        return (((x @ np.exp(log_ab)) / seconds - 1) ** 2).sum()

    best = minimize(miss, np.log([1e-6, 1e-8]), method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-14}).x
    assert attention_cost.crossing(lengths, seconds) == pytest.approx(np.exp(best[0] - best[1]), rel=1e-4)
    absolute = np.linalg.lstsq(x, seconds, rcond=None)[0]
    assert absolute[0] / absolute[1] > 1.2 * np.exp(best[0] - best[1])


def test_a_seed_settles_what_is_trained_on():
    first, other = (objectives.run_objective_cell(objectives.ObjectiveCell("masked", 2, seed)) for seed in (0, 1))
    assert first["gap"] != other["gap"]
    assert first == objectives.run_objective_cell(objectives.ObjectiveCell("masked", 2, 0))
