"""The claim on the variance of the gradient."""

import torch

from mlm_mini.experiments.claims.claim import FAILS, HOLDS, Claim, Effort, Finding
from mlm_mini.experiments.variance.config import QUICK_RATIOS, GradientVarianceConfig
from mlm_mini.experiments.variance.measure import measure_gradient_variance
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM
from mlm_mini.training import LANGUAGES, Reporter, cached_model


def variance_slopes(effort: Effort) -> Finding:
    """A new and a trained tiny model, over masks with the text fixed and over text; corruption tied to prediction."""
    trained = cached_model("scenes", report=Reporter, **LANGUAGES["scenes"].kept["tiny"]).model
    new = MaskedLM(trained.config, torch.Generator().manual_seed(effort.seed)).eval()
    slopes, ends = {}, {}
    for over in ("masks", "data"):
        config = GradientVarianceConfig(ratios=QUICK_RATIOS, over=over, draws=effort.of(40, 200))
        for state, model in (("new", new), ("trained", trained)):
            result = measure_gradient_variance(model, scene_language(), config, effort.rng)
            slopes[f"{state} model, over {over}"] = result.slope()
            ends[f"{state} model, over {over}"] = round(result.holds_up_to(), 2)
    facts = {f"slope, {name}": slope.rounded(3) for name, slope in slopes.items()}
    facts |= {"holds up to": ends, "measured up to": QUICK_RATIOS[-1]}
    return Finding(slopes["trained model, over data"], facts)


def judge_variance(finding: Finding) -> str:
    ends = finding.facts["holds up to"]
    held = {name: end for name, end in ends.items() if end >= QUICK_RATIOS[2]}
    if len(held) == len(ends) and min(ends.values()) >= 0.99 * finding.facts["measured up to"]:
        return HOLDS
    return f"holds when {'; '.join(f'{name}: up to {end:g}' for name, end in held.items())}" if held else FAILS


VARIANCE_CLAIMS = (
    Claim(
        id="variance",
        chapter="09",
        says="The variance of the gradient is inversely proportional to the mask ratio.",
        figure="slope of log variance on log ratio, trained model, over text and masks; -1 if inversely proportional",
        unit="slope",
        rule="holds if variance times ratio is constant within its errors over all ratios, for a new and a trained "
        "model, over masks with the text fixed and over text; otherwise holds when, with the ratios up to which it is",
        measure=variance_slopes,
        judge=judge_variance,
    ),
)
