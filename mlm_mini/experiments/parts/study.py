"""The recipe of the scene language, and the same without one of its parts, each at its own best learning rate.

All arms of a seed start from the same weights and read the same sentences with the same masks, so that two of them are
a pair. Rates are chosen with a seed that is not used again. What it finds holds for a short run of a small model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mlm_mini.experiments.lab.intervals import Estimate, mean_interval
from mlm_mini.experiments.lab.rates import HIGH_RATES, RateTrial, at_best_rates, best_rates, try_rates
from mlm_mini.experiments.lab.recipe import DECIMALS
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.lab.study import score_cells, study_folder
from mlm_mini.experiments.lab.verdicts import UNDECIDED, Decision, Sampled, decide
from mlm_mini.languages import scene_language
from mlm_mini.model import ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.training import find_material, recipe
from mlm_mini.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WHOLE = "the whole recipe"
NO_FALL, NO_ADAM = "no fall at the end", "plain gradient steps"
WITHOUT = {  # fields of the recipe; the other two are made in `run_parts_cell`
    WHOLE: {},
    "no warm-up": {"warmup": 0.0},
    NO_FALL: {},
    "no clipping": {"clip_norm": 1e9},
    "no decay": {"weight_decay": 0.0},
    "table at the rate of the rest": {"embedding_rate": 1.0},
    NO_ADAM: {},
}
PLAIN_RATES = (0.1, 0.3, 1.0, 3.0)  # a gradient is not of the size of a step of AdamW
FAR = 100  # times as many steps as are taken: so far away lies the end of the fall where there is to be none
MARGIN = 0.03  # nats: a smaller difference counts as none
NONE, WORSE, BETTER = f"no difference beyond {MARGIN}", "worse", "better"


@dataclass(frozen=True)
class PartsCell:
    """One run. arm: a name in WITHOUT."""

    arm: str
    learning_rate: float
    steps: int
    seed: int

    @property
    def name(self) -> str:
        return f"{self.arm.replace(' ', '_')}-{self.learning_rate:g}-{self.steps}-seed{self.seed}"


@dataclass(frozen=True)
class PartsConfig:
    """steps: of each run. seeds: 0, 1 ... so many of each arm."""

    steps: int = 400
    seeds: int = 10

    def cells(self, arms: Iterable[str]) -> list[PartsCell]:
        """All runs of some arms, each at the first of its rates."""
        return [PartsCell(arm, rates_of(arm)[0], self.steps, seed) for seed in range(self.seeds) for arm in arms]


@dataclass(frozen=True)
class PartsScore:
    """gap: to the Bayes floor at the end of the run, in nats per hidden word."""

    cell: PartsCell
    gap: float


@dataclass(frozen=True)
class RecipeParts(Result):
    """tried: every arm at every rate, by which rates were chosen; runs: those at the chosen rates."""

    config: PartsConfig
    tried: tuple[RateTrial, ...]
    runs: tuple[PartsScore, ...]

    def rate(self, arm: str) -> float:
        """The rate that was best with the seed that chooses."""
        return best_rates(self.tried)[arm]

    def gaps(self, arm: str) -> np.ndarray:
        """(S,): the gap of each seed, in their order."""
        return np.array([s.gap for s in sorted(self.runs, key=lambda s: s.cell.seed) if s.cell.arm == arm])

    def difference(self, arm: str) -> Estimate:
        """What the arm pays more than the whole recipe: the mean of the pairs, 95% by t over training seeds."""
        return mean_interval(self.gaps(arm) - self.gaps(WHOLE))

    def verdict(self, arm: str) -> Decision:
        """Whether the difference is one: its word, if nearly all resamples of the seeds have the same."""
        return decide(lambda x: _word(x["more"]), {"more": Sampled.mean(self.gaps(arm) - self.gaps(WHOLE))})

    def table(self) -> str:
        lines = [f"{'':32}{'rate':>6}  gap to the floor, nats  more than the whole recipe (95%, seeds)"]
        for arm in WITHOUT:
            line = f"{arm:32}{self.rate(arm):6g}  {mean_interval(self.gaps(arm)).with_margin():22}"
            if arm != WHOLE:
                line += f"  {self.difference(arm).with_margin('+')}: {self.verdict(arm)}"
            lines.append(line)
        return "\n".join(lines)

    def plot(self) -> Figure:
        from mlm_mini import figures

        figure, (axes,) = figures.new_figure(7.5, 3.2)
        arms = sorted((arm for arm in WITHOUT if arm != WHOLE), key=lambda arm: self.difference(arm).value)
        for place, arm in enumerate(arms):
            value, low, high = self.difference(arm)
            color = {WORSE: figures.RED, BETTER: figures.BLUE}.get(self.verdict(arm).word, figures.BLACK)
            axes.plot([low, high], [place, place], color=color)
            axes.plot(value, place, "o", color=color)
        axes.axvspan(-MARGIN, MARGIN, color="0.9")
        axes.axvline(0, color="0.5", linewidth=1)
        axes.set_yticks(range(len(arms)), arms)
        axes.set_xscale("symlog", linthresh=0.1)
        axes.set_xlim(right=2 * max(self.difference(arm).high for arm in arms))
        axes.set_xlabel("nats above the whole recipe (95% over seeds; grey: none; beyond 0.1 logarithmic)")
        axes.set_title(self._finding(), loc="left")
        return figure

    def _finding(self) -> str:
        words = [self.verdict(arm).word for arm in WITHOUT if arm != WHOLE]
        worse, undecided = words.count(WORSE), words.count(UNDECIDED)
        return f"{worse} of {len(words)} changes make the recipe worse, {undecided} are undecided"

    def describe(self) -> str:
        arms = "; ".join(f"{a} {self.difference(a)}, {self.verdict(a)}" for a in WITHOUT if a != WHOLE)
        return f"How many nats a change of the recipe costs, with 95% intervals over training seeds: {arms}."


def _word(more: float) -> str:
    """For a difference in nats."""
    return NONE if abs(more) <= MARGIN else WORSE if more > 0 else BETTER


def rates_of(arm: str) -> tuple[float, ...]:
    """The rates that an arm may choose from."""
    return PLAIN_RATES if arm == NO_ADAM else HIGH_RATES


def measure_parts(
    config: PartsConfig, rng: np.random.Generator, workers: int | None = None, finished: Finished = tell_nobody
) -> RecipeParts:
    """Every run of `config`, trained or read from the cache. rng: not used, since every run has a seed of its own.

    workers, finished: as in `run_study`.
    """
    folder = study_folder("recipe_parts", run_parts_cell, scene_language().fingerprint)
    how = run_parts_cell, folder, workers, finished
    tried: tuple[RateTrial, ...] = ()
    for arms in ([arm for arm in WITHOUT if arm != NO_ADAM], [NO_ADAM]):  # they have different rates
        tried += try_rates(config.cells(arms), rates_of(arms[0]), *how, score=lambda found: found["gap"])
    return RecipeParts(config, tried, score_cells(PartsScore, at_best_rates(config.cells(WITHOUT), tried), *how))


def run_parts_cell(cell: PartsCell) -> dict:
    """Train the model of a cell on the CPU; its gap, fit for JSON."""
    fields = {"steps": cell.steps, "seed": cell.seed, "learning_rate": cell.learning_rate} | WITHOUT[cell.arm]
    if cell.arm == NO_FALL:
        fields |= {"steps": FAR * cell.steps, "warmup": recipe("scenes").warmup / FAR}
    config = recipe("scenes", size="tiny", device="cpu", **fields)
    material = find_material("scenes", config)
    shape = ModelConfig.tiny(len(material.source.vocabulary))
    with torch.random.fork_rng([]):
        run = Run.start(shape, material.source, config, torch.device("cpu"))
        if cell.arm == NO_ADAM:
            run.optimizer = torch.optim.SGD(run.optimizer.param_groups)
        for _ in range(cell.steps):
            run.one_step()
        return {"gap": round(run.look(material.evaluation).gap, DECIMALS)}
