"""What probes read in several models, with intervals over them: the study that stands behind the claims on roles.

Shape letters: S models, each with a seed of its own, F folds, K kinds of sentences.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini.experiments.lab.intervals import Estimate, mean_interval
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.lab.study import score_cells
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.experiments.probing.hiding import HIDEABLE, NOTHING
from mlm_mini.experiments.probing.nouns import SENTENCE_KINDS
from mlm_mini.experiments.probing.reading import (
    CONTROL_TASK,
    KNOWN_WORDS,
    NOUN_SEEN,
    READ_NOUNS,
    ROLE,
    STATIC_TABLE,
    TRAINED,
    UNTRAINED,
)
from mlm_mini.experiments.probing.run import ProbedModel, ProbingCell, probing_folder, run_probing_cell
from mlm_mini.processes import Finished, tell_nobody

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PROBED_FIRST_SEED = 1300


@dataclass(frozen=True)
class ProbingConfig:
    """size, steps: of the models. seeds: how many, from PROBED_FIRST_SEED on. nouns: how many are probed in each."""

    size: str = "tiny"
    steps: int = 1500
    seeds: int = 5
    nouns: int = 4000

    def cells(self) -> list[ProbingCell]:
        return [ProbingCell(self.size, self.steps, PROBED_FIRST_SEED + i, self.nouns) for i in range(self.seeds)]


QUICK_PROBING = ProbingConfig(steps=100, seeds=2, nouns=600)


@dataclass(frozen=True)
class Probing(Result):
    """All models of the study. What its methods return has a row for each of them, in the order of the seeds."""

    config: ProbingConfig
    models: tuple[ProbedModel, ...]

    @property
    def last(self) -> int:
        """The number of the last layer, which is that of the blocks."""
        return max(reading.layer for reading in self.models[0].readings)

    def accuracy(
        self, noun: str, reader: str = TRAINED, hidden: str = NOTHING, task: str = ROLE, layer: int | None = None
    ) -> np.ndarray:
        """Balanced accuracies, (S, K). layer: the last unless given. Raises ValueError for what was not read."""
        wanted = (reader, noun, self.last if layer is None else layer, hidden, task)
        found = [
            reading.accuracy
            for model in self.models
            for reading in model.readings
            if (reading.reader, reading.noun, reading.layer, reading.hidden, reading.task) == wanted
        ]
        if len(found) != len(self.models):
            raise ValueError(f"the study has {len(found)} readings of {wanted}, of {len(self.models)} models")
        return np.array(found)

    def selectivity(self, noun: str, reader: str = TRAINED, layer: int | None = None) -> np.ndarray:
        """Accuracy on roles less that on the control task, at words that the probe has met: (S,)."""
        known = self.accuracy(noun, reader, task=KNOWN_WORDS, layer=layer)
        return (known - self.accuracy(noun, reader, task=CONTROL_TASK, layer=layer)).mean(axis=1)

    def over_random(self, noun: str) -> np.ndarray:
        """Accuracy on new words less that of a probe on random weights: (S,)."""
        return (self.accuracy(noun) - self.accuracy(noun, UNTRAINED)).mean(axis=1)

    def drop(self, noun: str, hidden: str, reader: str = TRAINED) -> np.ndarray:
        """What hiding a word costs, (S, K), as shares."""
        return self.accuracy(noun, reader) - self.accuracy(noun, reader, hidden)

    def ceiling(self, noun: str, hidden: str = NOTHING) -> np.ndarray:
        """How often the exact posterior is right, (S, K): every model has nouns of its own."""
        return np.array(
            [
                ceiling.right
                for model in self.models
                for ceiling in model.ceilings
                if (ceiling.noun, ceiling.hidden) == (noun, hidden)
            ]
        )

    def changed(self, hidden: str) -> np.ndarray:
        """In which share of the sentences a word is hidden, (S, K)."""
        return np.array(
            [
                of.changed
                for model in self.models
                for of in model.ceilings
                if (of.noun, of.hidden) == (NOUN_SEEN, hidden)
            ]
        )

    def exact_drop(self, noun: str, hidden: str) -> np.ndarray:
        """What hiding a word costs the exact posterior, (S, K)."""
        return self.ceiling(noun) - self.ceiling(noun, hidden)

    def removed(self, what: str, quantity: str = "moved", layer: int | None = None) -> np.ndarray:
        """A quantity of `Removal`, (S, K)."""
        layer = self.last if layer is None else layer
        return np.array(
            [
                getattr(removal, quantity)
                for model in self.models
                for removal in model.removals
                if (removal.what, removal.layer) == (what, layer)
            ]
        )

    def new_verbs(self, noun: str, reader: str = TRAINED) -> np.ndarray:
        """Balanced accuracy with verbs that the probe never met, (S,). reader: TRAINED or UNTRAINED."""
        return np.array([model.new_verbs[f"{reader}, {noun}"] for model in self.models])

    def new_verbs_by_word(self) -> np.ndarray:
        """The same of a probe that reads the word alone, in the model's table, (S,)."""
        return np.array([model.new_verbs[STATIC_TABLE] for model in self.models])

    def table(self) -> str:
        lines = [f"{'accuracy, %, 95% over models':46}" + "".join(f"{kind:>22}" for kind in SENTENCE_KINDS)]
        for noun in READ_NOUNS:
            for reader in (TRAINED, UNTRAINED):
                lines.append(_line(f"{noun}, {reader}", self.accuracy(noun, reader)))
            for hidden in HIDEABLE[1:]:
                lines.append(_line(f"{noun}, {hidden} hidden", self.accuracy(noun, hidden=hidden)))
                exact = self.ceiling(noun, hidden).mean(axis=0)
                lines.append(f"{'    the exact posterior':46}" + "".join(f"{100 * x:22.1f}" for x in exact))
            for reader in (TRAINED, UNTRAINED):
                selectivity = mean_interval(100 * self.selectivity(noun, reader))
                lines.append(f"{noun}, {reader}: selectivity {points(selectivity)} points")
        return "\n".join(lines)

    def plot(self) -> Figure:
        from mlm_mini.experiments.probing.figure import drops_figure

        return drops_figure(self)

    def describe(self) -> str:
        said = []
        for noun, hidden in itertools.product(READ_NOUNS, HIDEABLE[1:]):
            lost, exact, changed = self.drop(noun, hidden), self.exact_drop(noun, hidden), self.changed(hidden)
            for kind, name in enumerate(SENTENCE_KINDS):
                if changed[:, kind].any():
                    numbers = (
                        f"{points(mean_interval(100 * lost[:, kind]))}, posterior {100 * exact[:, kind].mean():.1f}"
                    )
                    said.append(f"{noun}, {hidden} hidden, {name}: {numbers}")
        return (
            "How many points a probe on the vector of the noun loses, with 95% intervals over models, and the exact "
            f"posterior: {'; '.join(said)}."
        )


def points(estimate: Estimate) -> str:
    """Points of a percentage with their interval."""
    return with_ends(estimate, sign="+")


def with_ends(estimate: Estimate, decimals: int = 1, sign: str = "") -> str:
    """Value and interval, with as many decimals as it takes to tell value, ends and 0 apart; the value alone where all
    that was measured is the same. decimals: at least so many. sign: "+" to have it in front of positive values too.
    """
    if np.isclose(estimate.low, estimate.high, rtol=0, atol=1e-9):
        return f"{estimate.value + 0.0:{sign}.{decimals}f}"
    while len({f"{x:.{decimals}f}" for x in estimate}) < 3 or (
        decimals < 3 and any(_looks_like_zero(x, decimals) for x in estimate)
    ):
        decimals += 1
    value, low, high = (f"{x:{sign}.{decimals}f}" for x in estimate)
    return f"{value} ({low} to {high})"


def _looks_like_zero(x: float, decimals: int) -> bool:
    return x != 0 and round(x, decimals) == 0


def _line(name: str, shares: np.ndarray) -> str:
    each = (mean_interval(100 * column) for column in shares.T)
    return f"{name:46}" + "".join(f"{f'{x.value:.1f} ± {x.high - x.value:.2f}':>22}" for x in each)


def sampled_points(shares: np.ndarray) -> Sampled:
    """The mean of shares, (S,), in points of a percentage."""
    return Sampled.mean(100 * shares)


def measure_probing(
    config: ProbingConfig, rng: np.random.Generator, workers: int | None = None, finished: Finished = tell_nobody
) -> Probing:
    """Every model of `config`, trained and read, or found in the cache. rng: not used, since every model has a seed.

    workers, finished: as in `run_study`. A study that was stopped goes on where it stopped.
    """
    how = run_probing_cell, probing_folder(), workers, finished
    return Probing(config, score_cells(ProbedModel, config.cells(), *how))
