"""The article's claims in the order of the chapters, measured one after the other, with their verdicts.

A new claim goes into the tuple at the end of its theme's module; a new theme is a module more, and a tuple more here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.claims.beyond import BEYOND_CLAIMS
from mlm_mini.experiments.claims.claim import Claim, Effort, Finding
from mlm_mini.experiments.claims.company import COMPANY_CLAIMS
from mlm_mini.experiments.claims.context import CONTEXT_CLAIMS
from mlm_mini.experiments.claims.foundations import FOUNDATION_CLAIMS
from mlm_mini.experiments.claims.joint import JOINT_CLAIMS
from mlm_mini.experiments.claims.probing import PROBING_CLAIMS
from mlm_mini.experiments.claims.ratio import RATIO_CLAIMS
from mlm_mini.experiments.claims.strategy import STRATEGY_CLAIMS
from mlm_mini.experiments.claims.variance import VARIANCE_CLAIMS
from mlm_mini.experiments.claims.writing import WRITING_CLAIMS
from mlm_mini.experiments.lab.verdicts import Decision

CLAIMS = FOUNDATION_CLAIMS + CONTEXT_CLAIMS + VARIANCE_CLAIMS + RATIO_CLAIMS + STRATEGY_CLAIMS
CLAIMS += COMPANY_CLAIMS + PROBING_CLAIMS + JOINT_CLAIMS + BEYOND_CLAIMS + WRITING_CLAIMS


@dataclass(frozen=True)
class MeasuredClaim:
    """A claim with its finding and the verdict."""

    claim: Claim
    finding: Finding
    verdict: Decision

    def to_dict(self) -> dict:
        """As JSON has it. An interval that nothing can be said about has null at its ends. agreement: the share of the
        resamples that have the word to which the figures lean, which is the verdict unless that is "undecided"."""
        claim, verdict, (value, low, high) = self.claim, self.verdict, (_finite(x) for x in self.finding.figure)
        said = {"id": claim.id, "chapter": claim.chapter, "claim": claim.says, "measured": claim.figure}
        found = {"figure": value, "low": low, "high": high, "unit": claim.unit, "source": self.finding.source}
        judged = {"verdict": verdict.word, "agreement": round(verdict.agreement, 4), "leaning": verdict.leaning}
        return said | found | judged | {"rule": claim.rule, "facts": self.finding.facts}


def measure_claims(
    effort: Effort, only: list[str] | None = None, begin: Callable[[Claim], None] = lambda claim: None
) -> Iterator[MeasuredClaim]:
    """The verdicts, one after the other, as they are measured. only: ids; all unless given. begin: told before each.

    Raises ValueError for an id that there is not.
    """
    for claim in find_claims(only):
        begin(claim)
        finding = claim.measure(effort)
        yield MeasuredClaim(claim, finding, claim.judge(finding))


def find_claims(ids: list[str] | None = None) -> list[Claim]:
    """The claims with these ids, all unless given, in the order of the chapters. Raises ValueError for another id."""
    known = {claim.id: claim for claim in CLAIMS}
    for name in ids or ():
        if name not in known:
            raise ValueError(f"there is no claim {name!r}: expected one of {', '.join(known)}")
    return [claim for claim in CLAIMS if ids is None or claim.id in ids]


def _finite(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None
