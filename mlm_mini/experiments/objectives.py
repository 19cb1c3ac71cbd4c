"""Masked beside causal: the same encoder and the same sentences, each against its own Bayes floor.

The two are asked different things, so that their losses do not compare. What compares is how long each takes to come
within a given distance of what it could know at best, in steps, in predictions, and in operations.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlm_mini.experiments.cost import cost_to_reach, mean_length
from mlm_mini.experiments.statistics import Estimate, mean_interval
from mlm_mini.experiments.study import run_study, study_folder
from mlm_mini.languages import scene_language
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.training import TrainingConfig, find_material, train
from mlm_mini.training.folders import model_config

OBJECTIVES = ("masked", "causal")
BATCH_SIZE, LEARNING_RATE, LOOKS = 64, 3e-3, 20


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
    """The curve of a cell: step, gap to its own floor, predictions and operations at each look."""
    config = TrainingConfig(
        steps=cell.steps,
        batch_size=BATCH_SIZE,
        micro_batches=2,
        objective=cell.objective,
        learning_rate=LEARNING_RATE,
        seed=cell.seed,
    )
    material = find_material("scenes", config)
    language = scene_language()
    shape = model_config("tiny", len(language.vocabulary))
    looks = max(1, cell.steps // LOOKS)
    result = train(shape, material.source, config, evaluation=material.evaluation, evaluate_every=looks, device="cpu")
    rows = [
        (
            p.step,
            p.gap,
            p.predictions,
            shape.training_flops_per_token(mean_length(language), p.predictions / p.tokens) * p.tokens,
        )
        for p in result.curve
    ]
    return dict(zip(("steps", "gaps", "predictions", "flops"), map(list, zip(*rows, strict=True)), strict=True))


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
    folder = study_folder("objectives", scene_language().fingerprint, BATCH_SIZE, LEARNING_RATE, LOOKS)
    found = run_study(cells, run_objective_cell, folder, workers, finished)
    pairs = [(found[i], found[i + 1]) for i in range(0, len(found), 2)]
    return efficiency(pairs)


def efficiency(pairs: list[tuple[dict, dict]]) -> Efficiency:
    """Of pairs of a masked and a causal curve, one pair for each seed: lists steps, gaps, predictions, flops.

    The target of a pair is a tenth above the larger of its two final gaps, so that both reach it, and not by luck.
    """
    targets = np.array([1.1 * max(masked["gaps"][-1], causal["gaps"][-1]) for masked, causal in pairs])
    ratios = {}
    for unit in ("steps", "predictions", "flops"):
        spent = [
            [cost_to_reach(np.column_stack([curve[unit], curve["gaps"]]), target) for curve in pair]
            for pair, target in zip(pairs, targets, strict=True)
        ]
        logs = mean_interval([np.log(masked / causal) for masked, causal in spent])
        ratios[unit] = Estimate(*np.exp(logs).tolist())
    return Efficiency(**ratios, target=targets)
