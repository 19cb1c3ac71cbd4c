"""Counting as a rival: PPMI and SVD on the sentences that a model reads, with settings that were tried beforehand."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlm_mini.experiments.company.figures_of import CompanyFigures, company_figures
from mlm_mini.experiments.company.ppmi import ppmi, svd_vectors
from mlm_mini.experiments.company.truth import Company

TUNED_FOR = ("likeness", "purity")  # a baseline has the setting that is best for the figure in question


class CountSetting(NamedTuple):
    """How counts become vectors. window: in positions. shift, smoothing: of the PPMI. dimensions, power: of the SVD."""

    window: int
    shift: float
    smoothing: float
    dimensions: int
    power: float

    def vectors(self, counts) -> np.ndarray:
        """Vectors (V, dimensions) of counts (V, V) with this window."""
        return svd_vectors(ppmi(counts, self.shift, self.smoothing), self.dimensions, self.power)

    def __str__(self) -> str:
        shifted = f", shift {self.shift:g}" if self.shift != 1 else ""
        made = f"window {self.window}{shifted}, smoothing {self.smoothing:g}"
        return f"{made}, {self.dimensions} dimensions, power {self.power:g}"


@dataclass(frozen=True)
class CountTrial:
    """What a setting came to with the seed that chooses."""

    setting: CountSetting
    figures: CompanyFigures


WINDOWS = (1, 2, 5)
GRID = tuple(
    itertools.starmap(CountSetting, itertools.product(WINDOWS, (1.0, 5.0), (0.75, 1.0), (32, 64, 128), (0.0, 0.5, 1.0)))
)


def try_settings(
    counts: dict[int, np.ndarray], company: Company, grid: Iterable[CountSetting]
) -> tuple[CountTrial, ...]:
    """Every setting of the grid. counts: (V, V) for each window."""
    return tuple(CountTrial(s, company_figures(s.vectors(counts[s.window]), company)) for s in grid)


def best_setting(trials: Iterable[CountTrial], figure: str) -> CountSetting:
    """The setting with the highest figure, the first of equals. figure: a field of CompanyFigures."""
    return max(trials, key=lambda trial: getattr(trial.figures, figure)).setting
