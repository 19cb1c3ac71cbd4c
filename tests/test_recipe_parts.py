"""What each part of the recipe is for: the runs differ in that part alone, and a difference gets the word it earns."""

import numpy as np
import pytest

from mlm_mini.experiments.parts import study

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
    tuning = tuple(
        study.PartsScore(cell, abs(np.log(cell.rate / study.rates_of(cell.arm)[1]))) for cell in config.tuning_cells()
    )
    return study.RecipeParts(config, tuning, runs)


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
    assert result.verdict("no clipping") == verdict
    assert verdict in result.table()
    assert verdict in result.describe()
    assert result.rate("no clipping") == study.RATES[1]


def test_no_rate_is_chosen_on_a_seed_that_is_used_again():
    config = study.PartsConfig()
    assert min(cell.seed for cell in config.tuning_cells()) >= config.seeds


def test_runs_of_a_seed_differ_in_one_part_alone():
    gaps = {arm: study.run_parts_cell(study.PartsCell(arm, 3e-3, 4, 0))["gap"] for arm in study.WITHOUT}
    assert len(set(gaps.values())) > len(gaps) / 2  # in four steps decay, for one, does next to nothing
    assert gaps["no decay"] == pytest.approx(gaps[study.WHOLE], abs=0.01)
    assert gaps == {arm: study.run_parts_cell(study.PartsCell(arm, 3e-3, 4, 0))["gap"] for arm in study.WITHOUT}
