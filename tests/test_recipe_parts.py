"""What each part of the recipe is for: the runs differ in that part alone, and a difference gets the word it earns."""

import numpy as np
import pytest

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.lab.rates import HIGH_RATES, RateTrial
from mlm_mini.experiments.parts import study
from mlm_mini.seeds import TUNING_SEED
from mlm_mini.training.optimizer import learning_rate

pytestmark = pytest.mark.usefixtures("one_thread")


def made_up(more):
    """A result whose arms pay `more`, (S,) nats, than the whole recipe, whatever their rate."""
    config = study.PartsConfig(seeds=5)
    base = np.array([0.5, 0.52, 0.48, 0.51, 0.49])
    runs = tuple(
        study.PartsScore(study.PartsCell(arm, 1e-3, 400, seed), base[seed] + (arm != study.WHOLE) * more[seed])
        for arm in study.WITHOUT
        for seed in range(5)
    )
    tried = tuple(
        RateTrial(arm, rate, abs(np.log(rate / study.rates_of(arm)[1])))
        for arm in study.WITHOUT
        for rate in study.rates_of(arm)
    )
    return study.RecipeParts(config, tried, runs)


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ([0.1, 0.11, 0.09, 0.1, 0.1], "worse"),
        ([-0.1, -0.11, -0.09, -0.1, -0.1], "better"),
        ([0.001, 0.0, -0.001, 0.002, 0.0], "no difference beyond 0.03"),
        ([0.2, -0.1, 0.1, 0.0, -0.1], "undecided"),
    ],
)
def test_a_verdict_is_that_of_its_interval(more, verdict):
    result = made_up(np.array(more))
    assert result.verdict("no clipping").word == verdict
    assert verdict in result.table()
    assert verdict in result.describe()
    assert result.rate("no clipping") == HIGH_RATES[1]


def test_runs_of_a_seed_differ_in_one_part_alone():
    gaps = {arm: study.run_parts_cell(study.PartsCell(arm, 3e-3, 4, 0))["gap"] for arm in study.WITHOUT}
    assert len(set(gaps.values())) > len(gaps) / 2  # in four steps decay, for one, does next to nothing
    assert gaps["no decay"] == pytest.approx(gaps[study.WHOLE], abs=0.01)
    assert gaps == {arm: study.run_parts_cell(study.PartsCell(arm, 3e-3, 4, 0))["gap"] for arm in study.WITHOUT}


def test_the_shipped_study_has_every_arm_at_the_rate_that_its_trials_chose():
    result = find_experiment("recipe_parts").shipped()
    assert result.config == study.PartsConfig()
    for arm in study.WITHOUT:
        assert len(result.gaps(arm)) == result.config.seeds
        assert {s.cell.learning_rate for s in result.runs if s.cell.arm == arm} == {result.rate(arm)}
    assert TUNING_SEED not in {s.cell.seed for s in result.runs}


def test_what_the_chapter_says_of_the_shipped_study():
    result = find_experiment("recipe_parts").shipped()
    worse = {arm for arm in study.WITHOUT if arm != study.WHOLE and result.verdict(arm).word == "worse"}
    assert worse == {"no warm-up", "table at the rate of the rest", study.NO_ADAM}
    assert result.rate("no warm-up") < result.rate(study.WHOLE)
    assert "3 of 6 changes" in result.plot().axes[0].get_title(loc="left")


def test_where_the_rate_does_not_fall_it_stays_after_the_same_warm_up(monkeypatch):
    """The schedule is that of a training a hundred times as long, of which the first steps are taken."""
    given = []

    class Started(Exception):
        pass

    def start(shape, source, config, device):
        given.append(config)
        raise Started

    monkeypatch.setattr(study.Run, "start", start)
    for arm in (study.WHOLE, study.NO_FALL):
        with pytest.raises(Started):
            study.run_parts_cell(study.PartsCell(arm, 3e-3, 400, 0))
    whole, no_fall = ([learning_rate(step, config) for step in range(400)] for config in given)
    rising = int(400 * given[0].warmup)
    assert no_fall[:rising] == pytest.approx(whole[:rising], rel=1e-3)
    assert whole[-1] < 0.02 * max(whole)
    assert no_fall[-1] > 0.99 * max(no_fall)


def test_what_a_seed_does_to_both_recipes_cancels():
    more = made_up(np.full(5, 0.1))  # seeds differ by 0.04, and their differences by nothing
    assert more.difference("no decay") == pytest.approx((0.1, 0.1, 0.1))
