"""What a claim is: what is measured, and the rule by which a verdict follows from the finding.

A measurement takes an effort and gives a finding. A rule sees the figures of a finding and nothing else, so that a
verdict is computed, never typed in: another finding has another verdict. What makes it "undecided" is in
`lab.verdicts`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlm_mini.experiments.lab.intervals import Estimate
from mlm_mini.experiments.lab.verdicts import Decision, Sampled, decide, decide_above, decide_below, decide_columns
from mlm_mini.processes import checked_workers

THIS_RUN, SHIPPED = "this run", "shipped"
CLAIM_SEEDS = 5
EXACT_ROUNDING = 1e-9  # nats, of what is computed and not sampled


@dataclass(frozen=True)
class Effort:
    """How much to measure. quick: at a size for a few minutes of two cores. workers: processes, as in `run_study`.

    Raises ValueError for fewer workers than one.
    """

    quick: bool = True
    workers: int | None = None
    seed: int = 0

    def __post_init__(self):
        checked_workers(self.workers)

    def of(self, quick: Any, full: Any) -> Any:
        """The size for this effort."""
        return quick if self.quick else full

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator: a claim measured alone has the same figure as among the others."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True)
class Finding:
    """figures: what the rule sees, by name; the first is the one that is printed, unless `headline` names another.
    verdicts: of parts that are decided by themselves, by a rule of their own. facts: what else a reader wants to know.
    source: "this run", or "shipped" for a study that takes too long."""

    figures: Mapping[str, Sampled]
    facts: dict[str, Any] = field(default_factory=dict)
    source: str = THIS_RUN
    headline: str | None = None
    verdicts: Mapping[str, Decision] = field(default_factory=dict)

    @property
    def figure(self) -> Estimate:
        """The one that is printed, with its interval, in the unit of the claim."""
        return self.figures[self.headline or next(iter(self.figures))].estimate


@dataclass(frozen=True, kw_only=True)
class Claim:
    """id, chapter: where it is taught. says: the claim in a line, quoted from the article that this course grew from or
    put in other words. figure: what is measured, unit: in what.

    rule: how the verdict follows from the figures, in words; judge: the same in code. measure: makes the finding.
    """

    id: str
    chapter: str
    says: str
    figure: str
    unit: str
    rule: str
    measure: Callable[[Effort], Finding]
    judge: Callable[[Finding], Decision]


def holds_above(threshold: float) -> Callable[[Finding], Decision]:
    """The rule of a claim with one figure, that holds where it lies above the threshold."""
    return lambda finding: decide_above(_only(finding.figures), threshold)


def holds_below(threshold: float) -> Callable[[Finding], Decision]:
    """The rule of a claim with one figure, that holds where it lies below the threshold."""
    return lambda finding: decide_below(_only(finding.figures), threshold)


def by_words(rule: Callable[[Mapping[str, float]], str]) -> Callable[[Finding], Decision]:
    """The rule of a claim with words of its own: from a number for each figure to a word."""
    return lambda finding: decide(rule, finding.figures)


def in_columns(condition: Callable[[float], bool]) -> Callable[[Finding], Decision]:
    """Each figure is a column of the study, a size and a budget: holds where it does in all; if in some, which."""
    return lambda finding: decide_columns(condition, finding.figures)


def _only(figures: Mapping[str, Sampled]) -> Sampled:
    (figure,) = figures.values()
    return figure
