"""Masked beside causal: the same encoder and the same sentences, each against its own Bayes floor.

The two are asked different things, so that their losses do not compare. What compares is how long each must be trained
to end within a given distance of what it could know at best, in steps, in predictions, and in operations.

A learning rate falls in the course of a training, and a model comes nearest to its floor when it is low. So a point in
the middle of one curve, at a high rate, is no match for the end of another. Here each point is the end of a training
of its own, with the whole schedule behind it, at the best of a few rates for its objective.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlm_mini.experiments.lab.cost import cost_to_reach, flops_spent
from mlm_mini.experiments.lab.rates import HIGH_RATES, best_rates, try_rates
from mlm_mini.experiments.lab.recipe import LEARNING_RATE, study_recipe
from mlm_mini.experiments.lab.study import run_study, study_folder
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.languages import scene_language
from mlm_mini.model import ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.training import find_material, train

TWO_OBJECTIVES = "masked", "causal"
SHORTER = (64, 32, 16, 8, 4, 2, 1)  # trainings of a 64th of the steps ... a half, and all of them


@dataclass(frozen=True)
class ObjectiveCell:
    """One tiny model to train, with the whole schedule; a masked one at the ratio of the article, 0.15."""

    objective: str
    steps: int
    seed: int
    learning_rate: float = LEARNING_RATE

    @property
    def arm(self) -> str:
        """The objective: it keeps the rate that is best for the longest training."""
        return self.objective

    @property
    def name(self) -> str:
        return f"{self.objective}-{self.steps}-rate{self.learning_rate:g}-seed{self.seed}"


def run_objective_cell(cell: ObjectiveCell) -> dict:
    """The end of a training: its gap to its own floor and the error of that, and what it cost to get there."""
    config = study_recipe(cell.steps, cell.seed, objective=cell.objective, learning_rate=cell.learning_rate)
    material, language = find_material("scenes", config), scene_language()
    shape = ModelConfig.of_size("tiny", len(language.vocabulary))
    (end,) = train(
        shape, material.source, config, evaluation=material.evaluation, evaluate_every=cell.steps, device="cpu"
    ).curve
    spent = {"steps": end.step, "predictions": end.predictions, "flops": flops_spent(shape, language, end)}
    return spent | {"gap": end.gap, "error": end.gap_error}


class Efficiency(NamedTuple):
    """How many times as much the masked objective needs as the causal one, to come within the same distance of its own
    floor: geometric means over seeds, which all three have in common. target: that distance, in nats, for each seed,
    (S,). rates: the learning rate that was chosen for each objective. ends: what `efficiency` was given."""

    steps: Sampled
    predictions: Sampled
    flops: Sampled
    target: np.ndarray
    rates: Mapping[str, float]
    ends: list[tuple[list[dict], list[dict]]]


def measure_objectives(
    steps: int, seeds: int, workers: int | None = None, finished: Finished = tell_nobody
) -> Efficiency:
    """Chooses a rate for each objective, and with each seed trains for all of the steps, half of them, and fewer.

    What the cache has is read from there. workers, finished: as in `run_study`.
    """
    folder = study_folder("objectives", run_objective_cell, scene_language().fingerprint)
    longest = [ObjectiveCell(objective, steps, 0) for objective in TWO_OBJECTIVES]
    how = run_objective_cell, folder, workers
    rates = best_rates(try_rates(longest, HIGH_RATES, *how, score=lambda end: end["gap"]))
    cells = [
        ObjectiveCell(objective, max(1, steps // part), seed, rates[objective])
        for seed in range(seeds)
        for objective in TWO_OBJECTIVES
        for part in SHORTER
    ]
    found = run_study(cells, run_objective_cell, folder, workers, finished)
    k = len(SHORTER)
    curves = [found[first : first + k] for first in range(0, len(found), k)]  # of masked and causal in turns
    return efficiency(list(zip(curves[::2], curves[1::2], strict=True)), rates)


def efficiency(pairs: list[tuple[list[dict], list[dict]]], rates: Mapping[str, float]) -> Efficiency:
    """Of the ends of masked and of causal trainings, one pair of lists for each seed; in a list they grow longer.

    The target of a pair is a tenth above the larger of its two smallest gaps, so that both reach it with a margin; and
    not below the errors of these gaps, since a distance smaller than that cannot be seen.
    """
    targets = np.array([_target(pair) for pair in pairs])
    factors = {}
    for unit in ("steps", "predictions", "flops"):
        spent = [
            [cost_to_reach([(end[unit], end["gap"]) for end in ends], target) for ends in pair]
            for pair, target in zip(pairs, targets, strict=True)
        ]
        factors[unit] = Sampled.factor([masked / causal for masked, causal in spent])
    return Efficiency(**factors, target=targets, rates=rates, ends=pairs)


def _target(pair: tuple[list[dict], list[dict]]) -> float:
    nearest = [min(ends, key=lambda end: end["gap"]) for ends in pair]
    return 1.1 * max(max(end["gap"], end["error"]) for end in nearest)
