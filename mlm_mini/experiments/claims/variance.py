"""The claim on the variance of the gradient."""

from collections.abc import Mapping

import torch

from mlm_mini.experiments.claims.claim import Claim, Effort, Finding
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, UNDECIDED, Decision, decide_together
from mlm_mini.experiments.variance.config import QUICK_RATIOS, GradientVarianceConfig
from mlm_mini.experiments.variance.measure import measure_gradient_variance
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM
from mlm_mini.training import LANGUAGES, Reporter, cached_model


def variance_slopes(effort: Effort) -> Finding:
    """A new and a trained tiny model, over masks with the text fixed and over text; corruption tied to prediction."""
    trained = cached_model("scenes", report=Reporter, **LANGUAGES["scenes"].kept["tiny"]).model
    new = MaskedLM(trained.config, torch.Generator().manual_seed(effort.seed)).eval()
    results = {
        f"{state} model, {drawn}": measure_gradient_variance(
            model,
            scene_language(),
            GradientVarianceConfig(ratios=QUICK_RATIOS, over=over, draws=effort.of(40, 200)),
            effort.rng,
        )
        for over, drawn in (("masks", "text fixed"), ("data", "fresh text"))
        for state, model in (("new", new), ("trained", trained))
    }
    verdicts = {name: result.verdict() for name, result in results.items()}
    facts = {f"slope, {name}": result.slope().estimate.rounded(3) for name, result in results.items()}
    facts["share of resamples that agree"] = {name: round(v.agreement, 3) for name, v in verdicts.items()}
    slope = results["trained model, fresh text"].slope()
    return Finding({"slope": slope}, facts, verdicts=verdicts)


def judge_variance(finding: Finding) -> Decision:
    """Of verdicts by `variance.law`, one for each model and each kind of draw: their words together. Draws of one are
    independent of those of another, so that the shares that agree multiply."""
    return settings_together(finding.verdicts)


def settings_together(verdicts: Mapping[str, Decision]) -> Decision:
    """The verdict of several settings that were decided by themselves, by their names.

    It lists those where the claim holds, and those that are undecided.
    """
    return decide_together(verdicts, _in_words)


def _in_words(words: Mapping[str, str]) -> str:
    if set(words.values()) == {HOLDS}:
        return HOLDS
    if not any(word.startswith(HOLDS) for word in words.values()):
        return UNDECIDED if UNDECIDED in words.values() else FAILS
    where = [
        name + (f" ({word.removeprefix(f'{HOLDS} ')})" if word != HOLDS else "")
        for name, word in words.items()
        if word.startswith(HOLDS)
    ]
    open_ = [name for name, word in words.items() if word == UNDECIDED]
    said = f"holds when it is the {' or the '.join(where)}"
    return said + (f"; undecided for the {' and the '.join(open_)}" if open_ else "")


VARIANCE_CLAIMS = (
    Claim(
        id="variance",
        chapter="09",
        says="The variance of the gradient is inversely proportional to the mask ratio.",
        figure="slope of log variance on log ratio, trained model, over text and masks; -1 if inversely proportional",
        unit="slope",
        rule="holds if variance times ratio stays within a factor of 1.25 of its value at the smallest ratio, for a "
        "new and a trained model, over masks with text fixed and over text; where it leaves later than at the third "
        "ratio, holds when, with the ratio up to which it stays; undecided if less than 97.5% of the resamples agree",
        measure=variance_slopes,
        judge=judge_variance,
    ),
)
