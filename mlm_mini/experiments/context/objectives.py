"""Masked beside causal: the same encoder and the same sentences, each against its own Bayes floor.

The two are asked different things, so that their losses do not compare. What compares is how long each takes to come
within a given distance of what it could know at best, in steps, in predictions, and in operations.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlm_mini.experiments.lab.cost import cost_to_reach, flops_spent
from mlm_mini.experiments.lab.intervals import Estimate, geometric_interval
from mlm_mini.experiments.lab.recipe import BATCH_SIZE, LEARNING_RATE, study_recipe
from mlm_mini.experiments.lab.study import run_study, study_folder
from mlm_mini.languages import scene_language
from mlm_mini.model import ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.training import find_material, train
from mlm_mini.training.config import OBJECTIVES

GAPS_MEASURED = 20  # on the way of each training


@dataclass(frozen=True)
class ObjectiveCell:
    """One tiny model to train; a masked one at the ratio of the article, 0.15."""

    objective: str
    steps: int
    seed: int

    @property
    def name(self) -> str:
        return f"{self.objective}-{self.steps}-seed{self.seed}"


def run_objective_cell(cell: ObjectiveCell) -> dict:
    """The curve of a cell: step, gap to its own floor, predictions and operations at each point."""
    config = study_recipe(cell.steps, cell.seed, objective=cell.objective)
    material, language = find_material("scenes", config), scene_language()
    shape = ModelConfig.of_size("tiny", len(language.vocabulary))
    every = max(1, cell.steps // GAPS_MEASURED)
    curve = train(
        shape, material.source, config, evaluation=material.evaluation, evaluate_every=every, device="cpu"
    ).curve
    return {
        "steps": [point.step for point in curve],
        "gaps": [point.gap for point in curve],
        "predictions": [point.predictions for point in curve],
        "flops": [flops_spent(shape, language, point) for point in curve],
    }


class Efficiency(NamedTuple):
    """How many times as much the masked objective needs as the causal one, to come within the same distance of its own
    floor: geometric means over seeds. target: that distance, in nats, for each seed, (S,)."""

    steps: Estimate
    predictions: Estimate
    flops: Estimate
    target: np.ndarray


def measure_objectives(
    steps: int, seeds: int, workers: int | None = None, finished: Finished = tell_nobody
) -> Efficiency:
    """Trains both objectives with each seed, or reads what the cache has. workers, finished: as in `run_study`."""
    cells = [ObjectiveCell(objective, steps, seed) for seed in range(seeds) for objective in OBJECTIVES]
    folder = study_folder(
        "objectives", run_objective_cell, scene_language().fingerprint, BATCH_SIZE, LEARNING_RATE, GAPS_MEASURED
    )
    found = run_study(cells, run_objective_cell, folder, workers, finished)
    return efficiency(list(zip(found[::2], found[1::2], strict=True)))


def efficiency(pairs: list[tuple[dict, dict]]) -> Efficiency:
    """Of pairs of a masked and a causal curve, one pair for each seed: lists steps, gaps, predictions, flops.

    The target of a pair is a tenth above the larger of its two final gaps, so that both reach it with a margin.
    """
    targets = np.array([1.1 * max(masked["gaps"][-1], causal["gaps"][-1]) for masked, causal in pairs])
    ratios = {}
    for unit in ("steps", "predictions", "flops"):
        spent = [
            [cost_to_reach(np.column_stack([curve[unit], curve["gaps"]]), target) for curve in pair]
            for pair, target in zip(pairs, targets, strict=True)
        ]
        ratios[unit] = geometric_interval([masked / causal for masked, causal in spent])
    return Efficiency(**ratios, target=targets)
