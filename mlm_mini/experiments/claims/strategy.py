"""The claim on what to mask, from the shipped study of strategies."""

from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import FAILS, HOLDS, SHIPPED, Claim, Effort, Finding
from mlm_mini.experiments.strategy.config import arm_name
from mlm_mini.experiments.strategy.selection import SURPRISAL, UNIFORM


def entropy_masking(effort: Effort) -> Finding:
    """Masks at surprising tokens, as the article has it, and every other strategy of the study as a fact."""
    study = find_experiment("mask_strategy").shipped()
    arms = [arm for arm in study.config.arms if arm != (UNIFORM, False)]
    facts = {
        "final KL less that of uniform masks, nats": {
            arm_name(*arm): study.versus("kl", *arm).rounded(4) for arm in arms
        },
        "useful part per length of step, times uniform": study.ratio("efficiency", SURPRISAL).rounded(3),
        "exact bias of a perfect learner, nats": round(study.exact_bias, 4),
    }
    return Finding(study.ratio("norm", SURPRISAL), facts, SHIPPED)


def judge_entropy_masking(finding: Finding) -> str:
    final = finding.facts["final KL less that of uniform masks, nats"]
    better = [name for name, (_, _, high) in final.items() if high < 0]
    if finding.figure.low <= 1:
        return FAILS
    if arm_name(SURPRISAL, False) in better:
        return HOLDS
    return "holds for the length of the gradient; the final model is " + (
        f"better only with {' or '.join(better)}" if better else "no better with any strategy"
    )


STRATEGY_CLAIMS = (
    Claim(
        id="entropy-masking",
        chapter="11",
        says="Masking tokens of high surprisal gives a significantly stronger learning signal than uniform masks.",
        figure="length of the expected gradient with masks at surprising tokens, in terms of that with uniform masks",
        unit="times",
        rule="holds if the interval lies above 1 and the final model is nearer to the exact posterior at equal "
        "compute; for the length alone if only the former is so",
        measure=entropy_masking,
        judge=judge_entropy_masking,
    ),
)
