"""Learning rates: each arm keeps the one at which it came nearest, tried with a seed that is not used again."""

from dataclasses import dataclass

import pytest

from mlm_mini.experiments.lab import rates
from mlm_mini.experiments.lab.rates import RateTrial, at_best_rates, best_rates, try_rates
from mlm_mini.experiments.ratio.config import MaskRatioConfig, RatioCell
from mlm_mini.experiments.strategy.config import MaskStrategyConfig
from mlm_mini.seeds import TUNING_SEED

BEST = {"slow": 1e-3, "fast": 1e-2}


@dataclass(frozen=True)
class Cell:
    arm: str
    seed: int = 0
    learning_rate: float = 3e-3

    @property
    def name(self):
        return f"{self.arm}-{self.learning_rate:g}-{self.seed}"


def far(cell):
    return {"kl": abs(cell.learning_rate - BEST[cell.arm]), "gap": -cell.learning_rate}


CELLS = [Cell(arm, seed) for seed in range(3) for arm in BEST]


def test_each_arm_keeps_the_rate_at_which_it_came_nearest(tmp_path):
    trials = try_rates(CELLS, (1e-3, 1e-2, 1e-1), far, tmp_path, workers=1)
    assert len(trials) == 6
    assert best_rates(trials) == BEST
    tuned = at_best_rates(CELLS, trials)
    assert [(cell.arm, cell.seed) for cell in tuned] == [(cell.arm, cell.seed) for cell in CELLS]
    assert {cell.learning_rate for cell in tuned if cell.arm == "slow"} == {1e-3}
    assert {path.stem.rsplit("-", 1)[1] for path in tmp_path.glob("*.json")} == {str(TUNING_SEED)}


def test_the_figure_that_counts_can_be_named(tmp_path):
    trials = try_rates(CELLS, (1e-3, 1e-2), far, tmp_path, workers=1, score=lambda found: found["gap"])
    assert best_rates(trials) == {"slow": 1e-2, "fast": 1e-2}


def test_a_single_rate_is_not_tried_and_of_equals_the_first_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(rates, "run_study", pytest.fail)
    assert try_rates(CELLS, (5e-3,), far, tmp_path) == ()
    assert at_best_rates(CELLS, ()) == CELLS
    assert best_rates([RateTrial("a", 0.1, 1.0), RateTrial("a", 0.2, 1.0)]) == {"a": 0.1}


@pytest.mark.parametrize("config", [MaskRatioConfig(), MaskStrategyConfig()], ids=["ratio", "strategy"])
def test_no_study_measures_with_the_seed_that_chooses(config):
    cells = config.cells()
    assert TUNING_SEED not in {cell.seed for cell in cells}
    assert len({(cell.arm, cell.seed) for cell in cells}) == len(cells)  # an arm is all but seed and rate
    with pytest.raises(ValueError, match="seeds is 101"):
        type(config)(seeds=TUNING_SEED + 1)
    with pytest.raises(ValueError, match="rates is"):
        type(config)(rates=())
    with pytest.raises(ValueError, match="rates is"):
        type(config)(rates=(1e-3, 0.0))


def test_a_rate_is_part_of_a_cells_name_and_not_of_its_arm():
    one, other = RatioCell("tiny", 300, 0, 0.4), RatioCell("tiny", 300, 0, 0.4, learning_rate=1e-3)
    assert one.arm == other.arm
    assert one.name != other.name
