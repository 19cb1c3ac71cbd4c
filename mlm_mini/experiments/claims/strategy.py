"""The claim on what to mask, from the shipped study of strategies."""

from collections.abc import Mapping

from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import SHIPPED, Claim, Effort, Finding, by_words
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS
from mlm_mini.experiments.strategy.config import arm_name
from mlm_mini.experiments.strategy.result import MaskStrategy
from mlm_mini.experiments.strategy.selection import MORE_UNIFORM, SURPRISAL, UNIFORM

GRADIENT_LENGTH = "length of the expected gradient"


def strategy_study() -> MaskStrategy:
    return find_experiment("mask_strategy").shipped()


def entropy_masking(effort: Effort) -> Finding:
    """Masks at surprising tokens, as the article has it, and every other strategy of the study as a fact."""
    study = strategy_study()
    uniforms = [uniform for uniform in (UNIFORM, *MORE_UNIFORM) if (uniform, False) in study.config.arms]
    arms = [arm for arm in study.config.arms if arm[0] not in uniforms]
    facts = {
        f"final KL less that of {uniform}, nats": {
            arm_name(*arm): study.versus("kl", *arm, against=uniform).rounded(4) for arm in arms
        }
        for uniform in uniforms
    }
    facts["useful part per length of step, times uniform"] = study.ratio("efficiency", SURPRISAL).rounded(3)
    facts["exact bias of a perfect learner, nats"] = round(study.exact_bias, 4)
    final = {f"KL less {uniform}": study.difference("kl", SURPRISAL, against=uniform) for uniform in uniforms}
    return Finding({GRADIENT_LENGTH: study.factor("norm", SURPRISAL)} | final, facts, SHIPPED)


def say_entropy_masking(figures: Mapping[str, float]) -> str:
    if figures[GRADIENT_LENGTH] <= 1:
        return FAILS
    if all(nats < 0 for name, nats in figures.items() if name != GRADIENT_LENGTH):
        return HOLDS
    return "holds for the length of the gradient; the final model is no better than with uniform masks"


STRATEGY_CLAIMS = (
    Claim(
        id="entropy-masking",
        chapter="11",
        says="Masking tokens of high surprisal gives a significantly stronger learning signal than uniform masks.",
        figure="length of the expected gradient with masks at surprising tokens, in terms of that with uniform masks",
        unit="times",
        rule="holds if it is above 1 and the final model is nearer to the exact posterior than those of uniform masks "
        "at 15, 30 and 40%, at equal compute and each at its own learning rate; for the length alone if only the "
        "former is so",
        measure=entropy_masking,
        judge=by_words(say_entropy_masking),
    ),
)
