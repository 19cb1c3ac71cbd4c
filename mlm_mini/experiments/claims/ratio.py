"""Claims on how much to mask, from the shipped study of mask ratios."""

from collections.abc import Callable

import numpy as np

from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import SHIPPED, Claim, Effort, Finding, holds_above, in_columns
from mlm_mini.experiments.lab.intervals import mean_interval, paired_difference
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.experiments.ratio.best import lowest_points
from mlm_mini.experiments.ratio.result import MaskRatio
from mlm_mini.reference.masking import BERT_SPLIT

_FEW, _USUAL, _MANY = 0.01, 0.15, 0.5  # the ratios that the article names
NEAR = 1.25  # the factor within which a best ratio counts as the article's


def ratio_study() -> MaskRatio:
    return find_experiment("mask_ratio").shipped()


def _by_column(columns: list[tuple[str, int]], measure: Callable[[str, int], Sampled], **facts) -> Finding:
    """A figure for each size and budget; that of the last, the largest model, is the headline."""
    found = {f"{size}, {steps} steps": measure(size, steps) for size, steps in columns}
    intervals = {name: figure.estimate.rounded(4) for name, figure in found.items()}
    return Finding(found, intervals | facts, SHIPPED, headline=list(found)[-1])


def too_few(effort: Effort) -> Finding:
    study = ratio_study()

    def times(size: str, steps: int) -> Sampled:
        few, usual = (study.values("kl", size, steps, mask_ratio=ratio) for ratio in (_FEW, _USUAL))
        return Sampled.factor(few / usual)

    return _by_column(study.columns(), times)


def unstable(effort: Effort) -> Finding:
    """How often curves go up, and beside it how much runs scatter: the second is a fact, for want of seeds."""
    study = ratio_study()
    more = [
        study.rises(*column, mask_ratio=_FEW) - study.rises(*column, mask_ratio=_USUAL) for column in study.columns()
    ]
    scatter = {f"scatter of ln KL over seeds at {ratio}": round(study.scatter(ratio), 4) for ratio in (_FEW, _USUAL)}
    return Finding({"rises": Sampled.mean(100 * np.mean(more, axis=0))}, scatter, SHIPPED)


def too_many(effort: Effort) -> Finding:
    study = ratio_study()

    def worse_by(size: str, steps: int) -> Sampled:
        many, usual = (study.values("kl", size, steps, mask_ratio=ratio) for ratio in (_MANY, _USUAL))
        return Sampled.mean(many - usual)

    floor = dict(zip(study.config.ratios, study.floor[:, 0].round(3).tolist(), strict=True))
    return _by_column(study.columns(), worse_by, **{"floor at 0.15 and 0.5, nats": [floor[_USUAL], floor[_MANY]]})


def sweet_spot(effort: Effort) -> Finding:
    study = ratio_study()
    ratios = np.array(study.config.ratios)
    return _by_column(study.columns(), lambda *column: Sampled.factor(lowest_points(ratios, study.kl(*column))))


def _longest(study: MaskRatio) -> list[tuple[str, int]]:
    """The sizes at the largest budget, which have all arms."""
    return [(size, max(study.config.steps)) for size in study.config.sizes]


def mismatch(effort: Effort) -> Finding:
    """What a word before its eyes costs a model of [MASK] alone, less what it costs one that has seen words kept."""
    study = ratio_study()

    def dearer(size: str, steps: int) -> Sampled:
        plain, split = (
            [study.values("copy_nats", size, steps, mask_ratio=r, **fields) for r in study.config.split_ratios]
            for fields in ({}, {"split": BERT_SPLIT})
        )
        apart = [paired_difference(one, other) for one, other in zip(plain, split, strict=True)]
        return Sampled.mean(np.mean(apart, axis=0))

    return _by_column(_longest(study), dearer)


def damage(effort: Effort) -> Finding:
    study = ratio_study()

    def accuracy(size: str, steps: int, **fields) -> np.ndarray:
        return 100 * study.values("probe_accuracy", size, steps, **fields)

    facts = {}
    for size, steps in _longest(study):
        for ratio in study.config.split_ratios:
            split = accuracy(size, steps, mask_ratio=ratio, split=BERT_SPLIT)
            change = mean_interval(paired_difference(split, accuracy(size, steps, mask_ratio=ratio)))
            facts[f"80/10/10 less 100% [MASK], {size} at {ratio}"] = change.rounded(3)

    def change_of(size: str, steps: int) -> Sampled:
        many, usual = (accuracy(size, steps, mask_ratio=ratio) for ratio in (_MANY, _USUAL))
        return Sampled.mean(many - usual)

    return _by_column(_longest(study), change_of, **facts)


RATIO_CLAIMS = (
    Claim(
        id="too-few",
        chapter="10",
        says="Too few masks (1%) make training very inefficient and slow.",
        figure="KL to the exact posterior after training at 1%, in terms of that at 15%, at equal steps",
        unit="times",
        rule="holds where it is above 1",
        measure=too_few,
        judge=in_columns(lambda times: times > 1),
    ),
    Claim(
        id="unstable",
        chapter="10",
        says="Too few masks (1%) make training unstable.",
        figure="how much more often the gap to the floor goes up from one point of a curve to the next at 1%, beside "
        "15%, mean over sizes and budgets",
        unit="percentage points",
        rule="holds if it is above 0",
        measure=unstable,
        judge=holds_above(0),
    ),
    Claim(
        id="too-many",
        chapter="10",
        says="Too many masks (50%) leave insufficient context.",
        figure="KL to the exact posterior after training at 50%, less that at 15%, at the same questions and equal "
        "steps",
        unit="nats",
        rule="holds where it is above 0",
        measure=too_many,
        judge=in_columns(lambda nats: nats > 0),
    ),
    Claim(
        id="sweet-spot",
        chapter="10",
        says="15% is the sweet spot.",
        figure="the best mask ratio, each ratio at a learning rate of its own",
        unit="ratio",
        rule=f"holds where it lies within a factor of {NEAR} of 0.15, to either side",
        measure=sweet_spot,
        judge=in_columns(lambda best: _USUAL / NEAR <= best <= _USUAL * NEAR),
    ),
    Claim(
        id="mismatch",
        chapter="10",
        says="Masking creates a mismatch with the clean text of fine-tuning.",
        figure="surprisal of a word that the model sees, after [MASK] alone less that after 80/10/10",
        unit="nats",
        rule="holds where it is above 0",
        measure=mismatch,
        judge=in_columns(lambda nats: nats > 0),
    ),
    Claim(
        id="damage",
        chapter="10",
        says="With half of the words masked, that mismatch is damaging.",
        figure="accuracy of a role probe on clean text after training at 50%, less that at 15%",
        unit="percentage points",
        rule="holds where it is below 0",
        measure=damage,
        judge=in_columns(lambda points: points < 0),
    ),
)
