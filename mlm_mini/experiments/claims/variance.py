"""The claim on the variance of the gradient."""

import torch

from mlm_mini.experiments.claims.claim import FAILS, HOLDS, Claim, Effort, Finding
from mlm_mini.experiments.lab.verdicts import UNDECIDED
from mlm_mini.experiments.variance.config import QUICK_RATIOS, GradientVarianceConfig
from mlm_mini.experiments.variance.measure import measure_gradient_variance
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM
from mlm_mini.training import LANGUAGES, Reporter, cached_model


def variance_slopes(effort: Effort) -> Finding:
    """A new and a trained tiny model, over masks with the text fixed and over text; corruption tied to prediction."""
    trained = cached_model("scenes", report=Reporter, **LANGUAGES["scenes"].kept["tiny"]).model
    new = MaskedLM(trained.config, torch.Generator().manual_seed(effort.seed)).eval()
    slopes, verdicts = {}, {}
    for over in ("masks", "data"):
        config = GradientVarianceConfig(ratios=QUICK_RATIOS, over=over, draws=effort.of(40, 200))
        for state, model in (("new", new), ("trained", trained)):
            result = measure_gradient_variance(model, scene_language(), config, effort.rng)
            slopes[f"{state} model, over {over}"] = result.slope()
            verdicts[f"{state} model, over {over}"] = result.verdict()
    facts = {f"slope, {name}": slope.rounded(3) for name, slope in slopes.items()}
    facts |= {
        "holds up to": {name: round(verdict.end, 2) for name, verdict in verdicts.items()},
        "undecided": [name for name, verdict in verdicts.items() if verdict.word == UNDECIDED],
        "share of resamples that agree": {name: round(verdict.agreement, 3) for name, verdict in verdicts.items()},
        "measured up to": QUICK_RATIOS[-1],
    }
    return Finding(slopes["trained model, over data"], facts)


def judge_variance(finding: Finding) -> str:
    """Of verdicts by `variance.law`, one for each model and each kind of draw: their words together."""
    ends, unsure = finding.facts["holds up to"], finding.facts.get("undecided", [])
    held = {name: end for name, end in ends.items() if end > QUICK_RATIOS[0]}
    if len(held) == len(ends) and min(ends.values()) >= 0.99 * finding.facts["measured up to"]:
        return HOLDS
    said = [f"{name}: up to {end:g}" for name, end in held.items()] + [f"{name}: {UNDECIDED}" for name in unsure]
    if held:
        return f"holds when {'; '.join(said)}"
    return UNDECIDED if unsure else FAILS


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
