"""The article's claims, each with what is measured, the rule that turns the figure into a verdict, and the verdict.

A verdict is computed, never typed in: `judge` sees a finding and nothing else, so that another finding has another
verdict. The article is the one this course grew from; `says` quotes it or says it in a line.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.findings import (
    EXACT,
    Effort,
    Finding,
    attention_cost,
    bidirectional,
    clm_efficiency,
    coreference,
    entropy_masking,
    excluded_probability,
    holds_if,
    in_columns,
    judge_cost,
    judge_entropy_masking,
    judge_leak,
    judge_mismatch,
    judge_softmax,
    judge_variance,
    kl_leak,
    mismatch,
    self_supervision,
    softmax_agreement,
    surprisal_agreement,
    sweet_spot,
    too_few,
    too_many,
    variance,
)


@dataclass(frozen=True)
class Claim:
    """id, chapter: where it is taught. says: the claim in a line. figure: what is measured, unit: in what.

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


@dataclass(frozen=True)
class Row:
    """A claim with its finding and the verdict."""

    claim: Claim
    finding: Finding
    verdict: str

    def to_dict(self) -> dict:
        """The row for JSON. An interval that nothing can be said about has null at its ends."""
        claim, (value, low, high) = self.claim, (_finite(x) for x in self.finding.figure)
        return {
            "id": claim.id,
            "chapter": claim.chapter,
            "claim": claim.says,
            "measured": claim.figure,
            "figure": value,
            "low": low,
            "high": high,
            "unit": claim.unit,
            "verdict": self.verdict,
            "rule": claim.rule,
            "facts": self.finding.facts,
            "source": self.finding.source,
        }


def measure_claims(
    effort: Effort, only: list[str] | None = None, begin: Callable[[Claim], None] = lambda claim: None
) -> Iterator[Row]:
    """The rows, one after the other, as they are measured. only: ids; all unless given. begin: told before each claim.

    Raises ValueError for an id that there is not.
    """
    for claim in find_claims(only):
        begin(claim)
        finding = claim.measure(effort)
        yield Row(claim, finding, claim.judge(finding))


def find_claims(ids: list[str] | None = None) -> list[Claim]:
    """The claims with these ids, all unless given, in the order of the chapters. Raises ValueError for another id."""
    known = {claim.id: claim for claim in CLAIMS}
    for name in ids or ():
        if name not in known:
            raise ValueError(f"there is no claim {name!r}: expected one of {', '.join(known)}")
    return [claim for claim in CLAIMS if ids is None or claim.id in ids]


def _finite(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None


CLAIMS = (
    Claim(
        "self-supervision",
        "00",
        "The text itself supplies the labels: a model can learn from raw text alone.",
        "share of the distance from the unigram distribution to the exact posterior that training closes",
        "share",
        "holds if the interval lies above 0",
        self_supervision,
        holds_if(lambda finding: finding.figure.low > 0),
    ),
    Claim(
        "softmax",
        "01",
        "The softmax exponentiates all logits and normalizes, so that they sum to one.",
        "share of rows, some with logits of 10,000 or -inf, on which the formula as worded agrees with SciPy's",
        "share",
        "holds if that is 1; holds when the largest logit is subtracted first if the share is then 1",
        softmax_agreement,
        judge_softmax,
    ),
    Claim(
        "surprisal",
        "02",
        "The cross-entropy loss is also known as surprisal.",
        "largest difference of three ways to it: PyTorch's, the definition's, and -log p",
        "nats",
        f"holds if it is at most {EXACT}",
        surprisal_agreement,
        holds_if(lambda finding: finding.figure.value <= EXACT),
    ),
    Claim(
        "logit-mask",
        "04",
        "Logits of minus infinity before the softmax make probabilities of zero.",
        "largest probability, and largest gradient, of an excluded token",
        "share",
        "holds if it is 0, exactly",
        excluded_probability,
        holds_if(lambda finding: finding.figure.value == 0),
    ),
    Claim(
        "kl-leak",
        "04",
        "A leaked [CLS] makes the KL divergence infinite.",
        "share of blanks and leaked logits at which KL(buggy, correct) is infinite",
        "share",
        "holds if that is 1 in both directions; holds when the mean is over the buggy prediction if only in this one",
        kl_leak,
        judge_leak,
    ),
    Claim(
        "bidirectional",
        "08",
        "The meaning of a word often depends on what comes after it.",
        "what the right side saves per word when the left side is known, exact",
        "nats",
        "holds if the interval lies above 0",
        bidirectional,
        holds_if(lambda finding: finding.figure.low > 0),
    ),
    Claim(
        "coreference",
        "08",
        'The clause after "he" provides a strong clue to whom it means.',
        "what the clause saves about the referent where the pronoun leaves an even choice, exact",
        "nats",
        "holds if the interval lies above half of ln 2, the even choice",
        coreference,
        holds_if(lambda finding: finding.figure.low > np.log(2) / 2),
    ),
    Claim(
        "clm-efficiency",
        "08",
        "With fewer predictions in a batch, masked models can need more steps than causal ones.",
        "steps that a masked model needs for one step of a causal one, to the same distance from its own floor",
        "times",
        "holds if the interval lies above 1",
        clm_efficiency,
        holds_if(lambda finding: finding.figure.low > 1),
    ),
    Claim(
        "attention-cost",
        "08",
        "The cost of self-attention scales quadratically with the length.",
        "length at which the quadratic part of a pass overtakes the linear one, by the clock of this machine",
        "tokens",
        "holds beyond that length, if it lies within the measured ones; holds if it is shorter than all of them",
        attention_cost,
        judge_cost,
    ),
    Claim(
        "variance",
        "09",
        "The variance of the gradient is inversely proportional to the mask ratio.",
        "slope of log variance on log ratio, trained model, over text and masks; -1 if inversely proportional",
        "slope",
        "holds if variance times ratio is constant within its errors over all ratios, for a new and a trained model, "
        "over masks with the text fixed and over text; otherwise holds when, with the ratios up to which it is",
        variance,
        judge_variance,
    ),
    Claim(
        "too-few",
        "10",
        "Too few masks (1%) make training very inefficient.",
        "KL to the exact posterior after training at 1%, in terms of that at 15%, at equal steps",
        "times",
        "holds if the interval lies above 1 for every size and budget",
        too_few,
        in_columns(lambda figure: figure.low > 1),
    ),
    Claim(
        "too-many",
        "10",
        "Too many masks (50%) leave insufficient context.",
        "KL to the exact posterior after training at 50%, less that at 15%, at the same questions and equal steps",
        "nats",
        "holds if the interval lies above 0 for every size and budget",
        too_many,
        in_columns(lambda figure: figure.low > 0),
    ),
    Claim(
        "sweet-spot",
        "10",
        "15% is the sweet spot.",
        "the best mask ratio for the largest size and budget of the study",
        "ratio",
        "holds if the interval includes 0.15 for every size and budget",
        sweet_spot,
        in_columns(lambda figure: figure.low <= 0.15 <= figure.high),
    ),
    Claim(
        "mismatch",
        "10",
        "Masking creates a damaging mismatch with the clean text of fine-tuning.",
        "accuracy of a role probe on clean text after training at 50%, less that at 15%",
        "percentage points",
        "holds if the interval lies below 0, and 80/10/10 improves on 100% [MASK] at every ratio",
        mismatch,
        judge_mismatch,
    ),
    Claim(
        "entropy-masking",
        "11",
        "Masking tokens of high surprisal gives a significantly stronger learning signal than uniform masks.",
        "length of the expected gradient with masks at surprising tokens, in terms of that with uniform masks",
        "times",
        "holds if the interval lies above 1 and the final model is nearer to the exact posterior at equal compute; for "
        "the length alone if only the former is so",
        entropy_masking,
        judge_entropy_masking,
    ),
)
