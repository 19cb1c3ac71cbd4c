"""What few masks do to a training: is it slower, and is it less steady? Two words, two measurements.

Slower: how many steps a training must be planned for, to end within the same distance of the floor. As in
`context.objectives`, each point is the end of a training of its own, at the best of a few learning rates for its ratio.

Less steady: what share of the way down a training gives back. It is looked at again and again on the way, by the same
questions each time; the sum of all rises of the gap is held against the sum of all falls. A training that only falls
gives back nothing. Steadiness can be bought with a small learning rate, so that few masks are also tried at the rate
that suits the usual ratio.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlm_mini.experiments.lab.cost import cost_to_reach
from mlm_mini.experiments.lab.rates import HIGH_RATES, best_rates, try_rates
from mlm_mini.experiments.lab.recipe import LEARNING_RATE, study_recipe
from mlm_mini.experiments.lab.study import run_study, study_folder
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.languages import scene_language
from mlm_mini.model import ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.training import find_material, train

FEW, USUAL = 0.01, 0.15  # of the words; each training is judged at the usual ratio
SAME_RATE = "few masks at the rate of the usual ratio"
FRACTIONS = (32, 16, 8, 4, 2, 1)  # trainings of a 32nd of the steps ... a half, and all of them
LOOKS = 24  # at the gap of each training


@dataclass(frozen=True)
class FewMasksCell:
    """One tiny model to train on scenes, with the whole schedule."""

    mask_ratio: float
    steps: int
    seed: int
    learning_rate: float = LEARNING_RATE

    @property
    def arm(self) -> str:
        """The mask ratio: it keeps the rate that is best for the longest training."""
        return f"{self.mask_ratio:g}"

    @property
    def name(self) -> str:
        return f"{self.arm}-{self.steps}-rate{self.learning_rate:g}-seed{self.seed}"


def run_few_masks_cell(cell: FewMasksCell) -> dict:
    """The gap to the floor at the usual ratio on the way and at the end, and the error of the last."""
    at_usual = study_recipe(cell.steps, cell.seed, mask_ratio=USUAL)
    material, shape = find_material("scenes", at_usual), ModelConfig.of_size("tiny", len(scene_language().vocabulary))
    config = study_recipe(cell.steps, cell.seed, mask_ratio=cell.mask_ratio, learning_rate=cell.learning_rate)
    every = max(1, cell.steps // LOOKS)
    result = train(shape, material.source, config, evaluation=material.evaluation, evaluate_every=every, device="cpu")
    return {"gaps": [point.gap for point in result.curve], "error": result.curve[-1].gap_error}


class FewMasks(NamedTuple):
    """Of trainings with few masks, beside the usual ratio: with Student's intervals over seeds.

    steps: how many times as many are needed. given_back: the share of the way that is given back, less the same at the
    usual ratio. at_same_rate: likewise, with few masks at the rate of the usual ratio. shares: the share itself for
    each ratio, and for few masks at that rate. target: the distance from the floor, in nats, for each seed, (S,).
    rates: the learning rate that was chosen for each ratio. gaps: for each ratio, (S, 6), where trainings end.
    """

    steps: Sampled
    given_back: Sampled
    at_same_rate: Sampled
    shares: Mapping[float | str, Sampled]
    target: np.ndarray
    rates: Mapping[float, float]
    gaps: Mapping[float, np.ndarray]


def measure_few_masks(steps: int, seeds: int, workers: int | None = None, finished: Finished = tell_nobody) -> FewMasks:
    """Chooses a rate for each ratio, and with each seed trains for all of the steps, half of them, and fewer.

    What the cache has is read from there. workers, finished: as in `run_study`.
    """
    folder = study_folder("few_masks", run_few_masks_cell, scene_language().fingerprint)
    longest = [FewMasksCell(ratio, steps, 0) for ratio in (FEW, USUAL)]
    how = run_few_masks_cell, folder, workers
    best = best_rates(try_rates(longest, HIGH_RATES, *how, score=lambda found: found["gaps"][-1]))
    rates = {cell.mask_ratio: best[cell.arm] for cell in longest}
    lengths = [max(1, steps // part) for part in FRACTIONS]
    cells = [
        FewMasksCell(ratio, n, seed, rates[ratio]) for ratio in (FEW, USUAL) for seed in range(seeds) for n in lengths
    ]
    found = run_study(cells, run_few_masks_cell, folder, workers, finished)
    runs = {FEW: found[: len(found) // 2], USUAL: found[len(found) // 2 :]}
    hurried = [FewMasksCell(FEW, steps, seed, rates[USUAL]) for seed in range(seeds)]
    same_rate = run_study(hurried, run_few_masks_cell, folder, workers)
    return few_masks(lengths, {ratio: _by_seed(of, len(lengths)) for ratio, of in runs.items()}, same_rate, rates)


def _by_seed(found: list[dict], lengths: int) -> list[list[dict]]:
    return [found[first : first + lengths] for first in range(0, len(found), lengths)]


def few_masks(
    lengths: Sequence[int],
    runs: Mapping[float, list[list[dict]]],
    same_rate: list[dict],
    rates: Mapping[float, float],
) -> FewMasks:
    """Of what the cells found: for each ratio and each seed one dict for each length, the longest last.

    same_rate: for each seed the longest training with few masks, at the rate of the usual ratio.
    The target of a seed is a tenth above the larger of the two ratios' smallest gaps, and not below their errors.
    """
    gaps = {ratio: np.array([[run["gaps"][-1] for run in one] for one in of]) for ratio, of in runs.items()}
    error = {ratio: np.array([one[-1]["error"] for one in of]) for ratio, of in runs.items()}
    nearest = [np.maximum(gaps[ratio].min(axis=1), error[ratio]) for ratio in (FEW, USUAL)]
    target = 1.1 * np.maximum(*nearest)
    needed = {
        ratio: np.array(
            [cost_to_reach(np.column_stack([lengths, g]), t) for g, t in zip(gaps[ratio], target, strict=True)]
        )
        for ratio in (FEW, USUAL)
    }
    longest = {ratio: [one[-1] for one in runs[ratio]] for ratio in (FEW, USUAL)} | {SAME_RATE: same_rate}
    back = {name: np.array([share_given_back(one["gaps"]) for one in of]) for name, of in longest.items()}
    return FewMasks(
        Sampled.factor(needed[FEW] / needed[USUAL]),
        Sampled.mean(back[FEW] - back[USUAL]),
        Sampled.mean(back[SAME_RATE] - back[USUAL]),
        {name: Sampled.mean(shares) for name, shares in back.items()},
        target,
        rates,
        gaps,
    )


def share_given_back(gaps: Sequence[float]) -> float:
    """The sum of all rises over the sum of all falls, of gaps in the order of the looks; inf where nothing falls."""
    moves = np.diff(np.asarray(gaps, dtype=np.float64))
    falls = -moves[moves < 0].sum()
    return float(moves[moves > 0].sum() / falls) if falls > 0 else float("inf")
