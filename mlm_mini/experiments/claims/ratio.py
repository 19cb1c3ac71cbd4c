"""Claims on how much to mask, from the shipped study of mask ratios."""

from collections.abc import Callable

import numpy as np

from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import FAILS, HOLDS, SHIPPED, Claim, Effort, Finding, in_columns
from mlm_mini.experiments.lab.intervals import Estimate, geometric_interval, mean_interval, paired_difference
from mlm_mini.experiments.ratio.result import MaskRatio
from mlm_mini.reference.masking import BERT_SPLIT


def ratio_study() -> MaskRatio:
    return find_experiment("mask_ratio").shipped()


def _columns(study: MaskRatio, measure: Callable[[str, int], Estimate]) -> tuple[Estimate, dict]:
    """A figure for the largest size and budget, and for each of them as a fact: [value, low, high]."""
    found = {f"{size}, {steps} steps": measure(size, steps) for size, steps in study.columns()}
    return list(found.values())[-1], {name: figure.rounded(4) for name, figure in found.items()}


def too_few(effort: Effort) -> Finding:
    study = ratio_study()

    def times(size: str, steps: int) -> Estimate:
        few, usual = (study.values("kl", size, steps, mask_ratio=ratio) for ratio in (0.01, 0.15))
        return geometric_interval(few / usual)

    return Finding(*_columns(study, times), SHIPPED)


def too_many(effort: Effort) -> Finding:
    study = ratio_study()

    def worse_by(size: str, steps: int) -> Estimate:
        many, usual = (study.values("kl", size, steps, mask_ratio=ratio) for ratio in (0.5, 0.15))
        return mean_interval(many - usual)

    figure, facts = _columns(study, worse_by)
    floor = dict(zip(study.config.ratios, study.floor[:, 0].round(3).tolist(), strict=True))
    return Finding(figure, facts | {"floor at 0.15 and 0.5, nats": [floor[0.15], floor[0.5]]}, SHIPPED)


def sweet_spot(effort: Effort) -> Finding:
    study = ratio_study()
    return Finding(*_columns(study, lambda size, steps: study.best(size, steps).ratio), SHIPPED)


def mismatch(effort: Effort) -> Finding:
    study = ratio_study()
    size, steps = study.columns()[-1]

    def accuracy(**fields) -> np.ndarray:
        return 100 * study.values("probe_accuracy", size, steps, **fields)

    facts = {}
    for ratio in study.config.split_ratios:
        split, plain = accuracy(mask_ratio=ratio, split=BERT_SPLIT), accuracy(mask_ratio=ratio)
        change = mean_interval(paired_difference(split, plain))
        facts[f"80/10/10 less 100% [MASK], at {ratio}"] = change.rounded(3)
    return Finding(mean_interval(accuracy(mask_ratio=0.5) - accuracy(mask_ratio=0.15)), facts, SHIPPED)


def judge_mismatch(finding: Finding) -> str:
    damage = finding.figure.high < 0
    repair = all(low > 0 for name, (_, low, _) in finding.facts.items() if name.startswith("80/10/10"))
    if damage and repair:
        return HOLDS
    if damage:
        return "holds when half of the words are masked; 80/10/10 does not repair it"
    return "holds for 100% [MASK], which 80/10/10 improves on; not for more masks" if repair else FAILS


RATIO_CLAIMS = (
    Claim(
        id="too-few",
        chapter="10",
        says="Too few masks (1%) make training very inefficient.",
        figure="KL to the exact posterior after training at 1%, in terms of that at 15%, at equal steps",
        unit="times",
        rule="holds if the interval lies above 1 for every size and budget",
        measure=too_few,
        judge=in_columns(lambda figure: figure.low > 1),
    ),
    Claim(
        id="too-many",
        chapter="10",
        says="Too many masks (50%) leave insufficient context.",
        figure="KL to the exact posterior after training at 50%, less that at 15%, at the same questions and equal "
        "steps",
        unit="nats",
        rule="holds if the interval lies above 0 for every size and budget",
        measure=too_many,
        judge=in_columns(lambda figure: figure.low > 0),
    ),
    Claim(
        id="sweet-spot",
        chapter="10",
        says="15% is the sweet spot.",
        figure="the best mask ratio for the largest size and budget of the study",
        unit="ratio",
        rule="holds if the interval includes 0.15 for every size and budget",
        measure=sweet_spot,
        judge=in_columns(lambda figure: figure.low <= 0.15 <= figure.high),
    ),
    Claim(
        id="mismatch",
        chapter="10",
        says="Masking creates a damaging mismatch with the clean text of fine-tuning.",
        figure="accuracy of a role probe on clean text after training at 50%, less that at 15%",
        unit="percentage points",
        rule="holds if the interval lies below 0, and 80/10/10 improves on 100% [MASK] at every ratio",
        measure=mismatch,
        judge=judge_mismatch,
    ),
)
