"""What few masks do to a training: is it slower, and is it less steady? Two words, two measurements.

Slower: how many steps a training must be planned for, to end within the same distance of the floor. As in
`context.objectives`, each point is the end of a training of its own, at the best of a few learning rates for its ratio.

Less steady: what share of the way down a training gives back. It is looked at again and again on the way, by the same
questions each time; the sum of all rises of the gap is held against the sum of all falls. A training that only falls
gives back nothing. Steadiness can be bought with a small learning rate, so that few masks are also tried at the rate
that suits the usual ratio.
"""

import numpy as np

from mlm_mini.experiments.lab.rates import best_rates, try_rates
from mlm_mini.experiments.lab.recipe import DECIMALS, LEARNING_RATE, study_recipe
from mlm_mini.experiments.lab.study import score_cells, study_folder
from mlm_mini.experiments.variance.few_masks_result import (
    FEW,
    USUAL,
    FewMasks,
    FewMasksCell,
    FewMasksConfig,
    FewMasksScore,
)
from mlm_mini.languages import scene_language
from mlm_mini.model import ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.training import find_material, train

LOOKS = 24  # at the gap of each of the longest trainings; of the others only the end counts


def measure_few_masks(
    config: FewMasksConfig, rng: np.random.Generator, workers: int | None = None, finished: Finished = tell_nobody
) -> FewMasks:
    """Chooses a rate for each ratio, and with each seed trains for all of the steps, half of them, and fewer.

    rng: not used, since every run has a seed of its own. What the cache has is read from there. workers, finished: as
    in `run_study`.
    """
    folder = study_folder("few_masks", run_few_masks_cell, scene_language().fingerprint)
    how = run_few_masks_cell, folder, workers, finished
    longest = [FewMasksCell(ratio, config.steps, 0, LEARNING_RATE, LOOKS) for ratio in (FEW, USUAL)]
    tried = try_rates(longest, config.rates, *how, score=lambda found: found["gaps"][-1])
    best = best_rates(tried)
    rates = {cell.mask_ratio: best.get(cell.arm, cell.learning_rate) for cell in longest}
    cells = [
        FewMasksCell(ratio, steps, seed, rates[ratio], LOOKS if steps == config.steps else 1)
        for steps in reversed(config.lengths)
        for ratio in (FEW, USUAL)
        for seed in range(config.seeds)
    ]
    hurried = [FewMasksCell(FEW, config.steps, seed, rates[USUAL], LOOKS) for seed in range(config.seeds)]
    cells += [cell for cell in hurried if cell not in cells]
    return FewMasks(config, tried, score_cells(FewMasksScore, cells, *how))


def run_few_masks_cell(cell: FewMasksCell) -> dict:
    """The gap to the floor at the usual ratio on the way and at the end, and the error of the last."""
    at_usual = study_recipe(cell.steps, cell.seed, mask_ratio=USUAL)
    material, shape = find_material("scenes", at_usual), ModelConfig.of_size("tiny", len(scene_language().vocabulary))
    config = study_recipe(cell.steps, cell.seed, mask_ratio=cell.mask_ratio, learning_rate=cell.learning_rate)
    every = max(1, cell.steps // cell.looks)
    result = train(shape, material.source, config, evaluation=material.evaluation, evaluate_every=every, device="cpu")
    gaps = [round(point.gap, DECIMALS) for point in result.curve]
    return {"gaps": gaps, "error": round(result.curve[-1].gap_error, DECIMALS)}
