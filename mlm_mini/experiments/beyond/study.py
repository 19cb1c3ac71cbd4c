"""Proteins, code and Greek: the masked model beside models that count, at the same blanks of held-out documents.

Shape letters: D held-out documents, S training seeds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini.experiments.beyond.readers import COUNTING, MASKED_MODEL, PER_DOCUMENT, TOP, BeyondCell, run_beyond_cell
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.lab.study import score_cells, study_folder
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.training import LANGUAGES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NGRAMS = COUNTING[1:]


@dataclass(frozen=True)
class BeyondConfig:
    """steps: of the model of each language, in the order of PER_DOCUMENT; seeds: 0, 1 ... so many of each of them."""

    steps: tuple[int, ...] = (4000, 1800, 4000)
    seeds: tuple[int, ...] = (5, 5, 5)

    def cells(self) -> Iterator[BeyondCell]:
        """Every reader. The models come seed by seed, so that a study that is cut short has some of each language."""
        for seed in range(max(self.seeds)):
            for language, steps, seeds in zip(PER_DOCUMENT, self.steps, self.seeds, strict=True):
                if seed < seeds:
                    yield BeyondCell(language, MASKED_MODEL, steps, seed)
        for language in PER_DOCUMENT:
            for arm in COUNTING:
                yield BeyondCell(language, arm)


@dataclass(frozen=True)
class BeyondScore:
    """Means over the blanks of each of D documents. order: of the n-gram, 1 for a unigram and 0 for the model.

    exponent, unigram, validation: as in `Tuning`. nats: (D,), surprisal of the tuned reader; top1, top5, top20: (D,),
    how often the answer is among so many best. untuned: (D,), surprisal of the reader as it was fitted.
    """

    cell: BeyondCell
    order: int
    exponent: float
    unigram: float
    validation: float
    documents: tuple[str, ...]
    nats: np.ndarray
    top1: np.ndarray
    top5: np.ndarray
    top20: np.ndarray
    untuned: np.ndarray


@dataclass(frozen=True)
class Beyond(Result):
    """scores: of every reader."""

    config: BeyondConfig
    scores: tuple[BeyondScore, ...]

    def of(self, language: str, arm: str) -> list[BeyondScore]:
        """The scores of a reader, one for each seed."""
        return [s for s in self.scores if (s.cell.language, s.cell.arm) == (language, arm)]

    def values(self, language: str, arm: str, unit: str) -> np.ndarray:
        """(S, D): a figure of a reader for each seed and document; S is 1 for one that counts."""
        return np.array([getattr(score, unit) for score in self.of(language, arm)])

    def mean(self, language: str, arm: str, unit: str) -> Sampled:
        """A figure with its interval over documents, seeds averaged."""
        return Sampled.mean(self.values(language, arm, unit).mean(axis=0))

    def best_counting(self, language: str) -> str:
        """The name of the best of NGRAMS, chosen as its order and its tuning are: on the validation blanks."""
        return min(NGRAMS, key=lambda arm: self.of(language, arm)[0].validation)

    def saved(self, language: str, against: str | None = None, unit: str = "nats") -> Sampled:
        """What the model saves against a reader that counts, the best n-gram unless given: over documents, seeds
        averaged. Above 0 where the model is better, in nats ("nats", "untuned") as in shares."""
        sign = -1 if unit.startswith("top") else 1
        other = self.values(language, against or self.best_counting(language), unit)[0]
        return Sampled.mean(sign * (other - self.values(language, MASKED_MODEL, unit).mean(axis=0)))

    def saved_by_seed(self, language: str) -> np.ndarray:
        """The same in nats for each seed, documents averaged: (S,)."""
        other = self.values(language, self.best_counting(language), "nats")[0]
        return (other - self.values(language, MASKED_MODEL, "nats")).mean(axis=1)

    def table(self) -> str:
        titles = f"{'':10}{'reader':20}{'order':>6}{'power':>7}{'unigram':>9}{'untuned':>9}  "
        lines = [titles + f"{'nats (95%, documents)':24}{'first':>7}{'in 5':>7}"]
        for language in PER_DOCUMENT:
            for arm in (*COUNTING, MASKED_MODEL):
                first = self.of(language, arm)[0]
                shares = "".join(f"{self.mean(language, arm, f'top{k}').value:7.1%}" for k in TOP[:2])
                nats = self.mean(language, arm, "nats").estimate.with_margin()
                lines.append(
                    f"{language:10}{arm:20}{first.order or '-'!s:>6}{first.exponent:7.2f}{first.unigram:9.2f}"
                    f"{self.mean(language, arm, 'untuned').value:9.2f}  {nats:24}{shares}"
                )
        return "\n".join(lines)

    def plot(self) -> Figure:
        from mlm_mini import figures

        figure, panels = figures.new_figure(11, 3.2, columns=len(PER_DOCUMENT))
        colors = [figures.SKY, figures.SKY, figures.BLUE, figures.BLUE, figures.RED]
        arms = (*COUNTING, MASKED_MODEL)
        for axes, language in zip(panels, PER_DOCUMENT, strict=True):
            for place, arm in enumerate(arms[::-1]):
                value, low, high = self.mean(language, arm, "nats").estimate
                color = colors[arms.index(arm)]
                hatch = "//" if arm == MASKED_MODEL else ""
                axes.barh(place, value, color=color, hatch=hatch, edgecolor="white", linewidth=0)
                axes.plot([low, high], [place, place], color=figures.BLACK, linewidth=1)
            axes.set_yticks(range(len(arms)), arms[::-1] if language == next(iter(PER_DOCUMENT)) else [""] * len(arms))
            axes.grid(axis="y", visible=False)
            axes.set_xlabel("nats per hidden token (95%, documents)")
            saved = self.saved(language)
            axes.set_title(
                f"{language}: model saves {saved.value:+.2f} nats\n({saved.low:+.2f} to {saved.high:+.2f}) on n-grams",
                loc="left",
            )
        return figure

    def describe(self) -> str:
        parts = []
        for language in PER_DOCUMENT:
            nats = ", ".join(f"{arm} {self.mean(language, arm, 'nats').value:.2f}" for arm in (*COUNTING, MASKED_MODEL))
            parts.append(f"{language}: {nats}; the model saves {self.saved(language).estimate}")
        return (
            "Bars of the nats that each reader pays for a hidden token of held-out documents. " + ". ".join(parts) + "."
        )


def measure_beyond(
    config: BeyondConfig, rng: np.random.Generator, workers: int | None = None, finished: Finished = tell_nobody
) -> Beyond:
    """Every reader of `config`, measured or read from the cache. rng: not used, since all luck has seeds of its own.

    workers, finished: as in `run_study`.
    """
    texts = [LANGUAGES[language].text() for language in PER_DOCUMENT]
    folder = study_folder("beyond", run_beyond_cell, texts)
    return Beyond(config, score_cells(BeyondScore, config.cells(), run_beyond_cell, folder, workers, finished))
