"""What a claim is: what is measured, and the rule by which a verdict follows from the finding.

A measurement takes an effort and gives a finding. A rule sees a finding and nothing else, so that a verdict is
computed, never typed in: another finding has another verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlm_mini.experiments.lab.intervals import Estimate

THIS_RUN, SHIPPED = "this run", "shipped"
HOLDS, FAILS = "holds", "does not hold as worded"
CLAIM_SEEDS = 5


@dataclass(frozen=True)
class Effort:
    """How much to measure. quick: at a size for a few minutes of two cores. workers: processes, as in `run_study`."""

    quick: bool = True
    workers: int | None = None
    seed: int = 0

    def of(self, quick: Any, full: Any) -> Any:
        """The size for this effort."""
        return quick if self.quick else full

    @property
    def rng(self) -> np.random.Generator:
        """A fresh generator: a claim measured alone has the same figure as among the others."""
        return np.random.default_rng(self.seed)


@dataclass(frozen=True)
class Finding:
    """figure: with its interval, in the unit of the claim. facts: what else the rule looks at, or a reader wants to
    know. source: "this run", or "shipped" for a study that takes too long."""

    figure: Estimate
    facts: dict[str, Any] = field(default_factory=dict)
    source: str = THIS_RUN


@dataclass(frozen=True, kw_only=True)
class Claim:
    """id, chapter: where it is taught. says: the claim in a line, quoted from the article that this course grew from or
    put in other words. figure: what is measured, unit: in what.

    rule: how the verdict follows from a finding, in words; judge: the same in code. measure: makes the finding.
    """

    id: str
    chapter: str
    says: str
    figure: str
    unit: str
    rule: str
    measure: Callable[[Effort], Finding]
    judge: Callable[[Finding], str]


def holds_if(condition: Callable[[Finding], bool]) -> Callable[[Finding], str]:
    """The rule of a claim that holds or does not."""
    return lambda finding: HOLDS if condition(finding) else FAILS


def in_columns(condition: Callable[[Estimate], bool]) -> Callable[[Finding], str]:
    """Holds where it does in every size and budget of the study; if only in some, these are named."""

    def judge(finding: Finding) -> str:
        columns = {name: Estimate(*figure) for name, figure in finding.facts.items() if name.endswith("steps")}
        where = [name for name, figure in columns.items() if condition(figure)]
        if len(where) == len(columns):
            return HOLDS
        return f"holds when the model is {' or '.join(where)}" if where else FAILS

    return judge
