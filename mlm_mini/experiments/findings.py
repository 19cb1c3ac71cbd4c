"""What is measured for each claim, and how a verdict follows from it, in the order of the chapters.

A measurement takes an effort and gives a finding; a rule sees a finding and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from mlm_mini.experiments.attention_cost import measure_attention_cost
from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.context import referent_nats, side_nats
from mlm_mini.experiments.foundations import (
    check_leak,
    check_softmax,
    excluded_mass,
    hard_logits,
    softmax_as_worded,
    surprisal_differences,
)
from mlm_mini.experiments.gradient_variance import QUICK_RATIOS, measure_gradient_variance
from mlm_mini.experiments.mask_ratio import (
    BERT_SPLIT,
    Cell,
    MaskRatio,
    fixed_questions,
    paired_difference,
    run_cell,
    study_folder,
)
from mlm_mini.experiments.mask_strategy import MaskStrategy, arm_name
from mlm_mini.experiments.objectives import measure_objectives
from mlm_mini.experiments.selection import SURPRISAL, UNIFORM
from mlm_mini.experiments.statistics import Estimate, mean_interval
from mlm_mini.experiments.study import run_study
from mlm_mini.experiments.variance_curve import GradientVarianceConfig
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM
from mlm_mini.reference import kl_divergence, softmax
from mlm_mini.training import Reporter, cached_model
from mlm_mini.training.cached import TINY_STEPS

THIS_RUN, SHIPPED = "this run", "shipped"
HOLDS, FAILS = "holds", "does not hold as worded"
EXACT = 1e-12  # how far two ways to the same float64 may differ
SEEDS = 5


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


# ---- chapters 00 to 04


def self_supervision(effort: Effort) -> Finding:
    """Tiny models that saw nothing but text, against the unigram distribution, both against the exact posterior."""
    language = scene_language()
    cells = [Cell("tiny", effort.of(100, 900), seed, 0.4) for seed in range(SEEDS)]
    found = run_study(cells, run_cell, study_folder(), effort.workers)
    (questions, *_), _ = fixed_questions()
    ids = language.sample(20_000, effort.rng).ids
    counts = np.bincount(ids[np.isin(ids, language.vocabulary.regular_ids)], minlength=len(language.vocabulary))
    unigram = np.broadcast_to(counts / counts.sum(), questions.posterior.shape)
    start = float(kl_divergence(questions.posterior, unigram).mean())
    closed = [1 - cell["kl"][0] / start for cell in found]
    return Finding(mean_interval(closed), {"unigram KL in nats": round(start, 3)})


def softmax_agreement(effort: Effort) -> Finding:
    logits = hard_logits(effort.rng)
    ours, worded = check_softmax(softmax, logits), check_softmax(softmax_as_worded, logits)
    return Finding(_exactly(worded.agreeing), {"agreeing with the largest logit subtracted": ours.agreeing})


def judge_softmax(finding: Finding) -> str:
    stable = finding.facts["agreeing with the largest logit subtracted"]
    if finding.figure.value == 1:
        return HOLDS
    return "holds when the largest logit is subtracted first" if stable == 1 else FAILS


def surprisal_agreement(effort: Effort) -> Finding:
    return Finding(_exactly(surprisal_differences(effort.rng).max()))


def excluded_probability(effort: Effort) -> Finding:
    return Finding(_exactly(excluded_mass(effort.rng).max()))


def kl_leak(effort: Effort) -> Finding:
    leak = check_leak(scene_language(), effort.rng, effort.of(50, 500))
    return Finding(
        _exactly(np.isinf(leak.buggy_correct).mean()),
        {
            "share with KL(correct, buggy) infinite": float(np.isinf(leak.correct_buggy).mean()),
            "smallest total variation": float(leak.total_variation.min()),
            "largest total variation": float(leak.total_variation.max()),
        },
    )


def judge_leak(finding: Finding) -> str:
    there, back = finding.figure.value, finding.facts["share with KL(correct, buggy) infinite"]
    if there == 1 and back == 1:
        return HOLDS
    return "holds when the mean is taken over the buggy prediction" if there == 1 else FAILS


# ---- chapter 08


def bidirectional(effort: Effort) -> Finding:
    nats = side_nats(scene_language(), effort.of(2_000, 20_000), effort.rng)
    means = {f"{side}, nats": round(float(values.mean()), 3) for side, values in nats.items()}
    return Finding(mean_interval(nats["left"] - nats["both"]), means)


def coreference(effort: Effort) -> Finding:
    before, after = referent_nats(scene_language(), effort.of(10_000, 100_000), effort.rng)
    right = float((after < np.log(2)).mean())
    return Finding(mean_interval(before - after), {"the likelier person is right in": round(right, 3)})


def clm_efficiency(effort: Effort) -> Finding:
    found = measure_objectives(effort.of(120, 900), SEEDS, effort.workers)
    facts = {name: [round(x, 3) for x in getattr(found, name)] for name in ("predictions", "flops")}
    return Finding(found.steps, facts)


def attention_cost(effort: Effort) -> Finding:
    lengths = 2 ** np.arange(6, effort.of(13, 14))  # twice as far as where the parts are usually even
    cost = measure_attention_cost(lengths, effort.of(5, 9), effort.rng)
    return Finding(cost.crossing, {"shortest": int(lengths[0]), "longest": int(lengths[-1]), "counted": cost.counted})


def judge_cost(finding: Finding) -> str:
    length = finding.figure.value
    if length <= finding.facts["shortest"]:
        return HOLDS
    beyond = f"holds when a text has more than about {round(length, -1):.0f} tokens"
    return beyond if length <= finding.facts["longest"] else FAILS


# ---- chapter 09


def variance(effort: Effort) -> Finding:
    """A new and a trained tiny model, over masks with the text fixed and over text; corruption tied to prediction."""
    trained = cached_model("scenes", "tiny", Reporter, steps=TINY_STEPS, mask_ratio=0.15).model
    new = MaskedLM(trained.config, torch.Generator().manual_seed(effort.seed)).eval()
    slopes, ends = {}, {}
    for over in ("masks", "data"):
        config = GradientVarianceConfig(ratios=QUICK_RATIOS, over=over, draws=effort.of(40, 200))
        for state, model in (("new", new), ("trained", trained)):
            result = measure_gradient_variance(model, scene_language(), config, effort.rng)
            slopes[f"{state} model, over {over}"] = result.slope()
            ends[f"{state} model, over {over}"] = round(result.holds_up_to(), 2)
    facts = {f"slope, {name}": [round(x, 3) for x in slope] for name, slope in slopes.items()}
    return Finding(
        slopes["trained model, over data"], facts | {"holds up to": ends, "measured up to": QUICK_RATIOS[-1]}
    )


def judge_variance(finding: Finding) -> str:
    ends = finding.facts["holds up to"]
    held = {name: end for name, end in ends.items() if end >= QUICK_RATIOS[2]}
    if len(held) == len(ends) and min(ends.values()) >= 0.99 * finding.facts["measured up to"]:
        return HOLDS
    return f"holds when {'; '.join(f'{name}: up to {end:g}' for name, end in held.items())}" if held else FAILS


# ---- chapter 10, from the shipped study


def _study() -> MaskRatio:
    return find_experiment("mask_ratio").shipped()


def _columns(study: MaskRatio, measure: Callable[[str, int], Estimate]) -> tuple[Estimate, dict]:
    """A figure for the largest size and budget, and for each of them as a fact: [value, low, high]."""
    found = {f"{size}, {steps} steps": measure(size, steps) for size, steps in study.columns()}
    return list(found.values())[-1], {name: [round(x, 4) for x in figure] for name, figure in found.items()}


def too_few(effort: Effort) -> Finding:
    study = _study()

    def times(size: str, steps: int) -> Estimate:
        few, usual = (study.values("kl", size, steps, mask_ratio=ratio) for ratio in (0.01, 0.15))
        return Estimate(*np.exp(mean_interval(np.log(few / usual))).tolist())

    return Finding(*_columns(study, times), SHIPPED)


def too_many(effort: Effort) -> Finding:
    study = _study()

    def worse_by(size: str, steps: int) -> Estimate:
        many, usual = (study.values("kl", size, steps, mask_ratio=ratio) for ratio in (0.5, 0.15))
        return mean_interval(many - usual)

    figure, facts = _columns(study, worse_by)
    floor = dict(zip(study.config.ratios, study.floor[:, 0].round(3).tolist(), strict=True))
    return Finding(figure, facts | {"floor at 0.15 and 0.5, nats": [floor[0.15], floor[0.5]]}, SHIPPED)


def sweet_spot(effort: Effort) -> Finding:
    study = _study()
    return Finding(*_columns(study, lambda size, steps: study.best(size, steps).ratio), SHIPPED)


def mismatch(effort: Effort) -> Finding:
    study = _study()
    size, steps = study.columns()[-1]

    def accuracy(**fields) -> np.ndarray:
        return 100 * study.values("probe_accuracy", size, steps, **fields)

    split = {ratio: accuracy(mask_ratio=ratio, split=BERT_SPLIT) for ratio in study.config.split_ratios}
    plain = {ratio: accuracy(mask_ratio=ratio) for ratio in (*study.config.split_ratios, 0.15, 0.5)}
    facts = {f"80/10/10 less 100% [MASK], at {r}": mean_interval(paired_difference(split[r], plain[r])) for r in split}
    rounded = {name: [round(x, 3) for x in figure] for name, figure in facts.items()}
    return Finding(mean_interval(plain[0.5] - plain[0.15]), rounded, SHIPPED)


def judge_mismatch(finding: Finding) -> str:
    damage = finding.figure.high < 0
    repair = all(low > 0 for name, (_, low, _) in finding.facts.items() if name.startswith("80/10/10"))
    if damage and repair:
        return HOLDS
    if damage:
        return "holds when half of the words are masked; 80/10/10 does not repair it"
    return "holds for 100% [MASK], which 80/10/10 improves on; not for more masks" if repair else FAILS


# ---- chapter 11, from the shipped study


def _strategies() -> MaskStrategy:
    return find_experiment("mask_strategy").shipped()


def entropy_masking(effort: Effort) -> Finding:
    """Masks at surprising tokens, as the article has it, and every other strategy of the study as a fact."""
    study = _strategies()
    arms = [arm for arm in study.config.arms if arm != (UNIFORM, False)]
    final = {arm_name(*arm): [round(x, 4) for x in study.versus("kl", *arm)] for arm in arms}
    useful = study.ratio("efficiency", SURPRISAL)
    facts = {
        "final KL less that of uniform masks, nats": final,
        "useful part per length of step, times uniform": [round(x, 3) for x in useful],
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


# ---- rules that several claims share


def _exactly(value: float) -> Estimate:
    """A figure that is computed and not sampled."""
    return Estimate(float(value), float(value), float(value))


def holds_if(condition: Callable[[Finding], bool]) -> Callable[[Finding], str]:
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
