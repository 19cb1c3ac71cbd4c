"""Claims on what lies beyond English: proteins, code and ancient texts, from the shipped study."""

from collections.abc import Mapping

from mlm_mini.experiments.beyond.readers import MASKED_MODEL, UNIGRAM
from mlm_mini.experiments.beyond.study import Beyond
from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import SHIPPED, Claim, Finding, by_words
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, Sampled

OVER_COUNTING, OVER_FREQUENCY, WORST_SEED = "over the best n-gram", "over frequencies", "over it, the worst seed"
PARTLY = "holds against frequencies alone; an n-gram that looks at both sides is better"
BY_SEED = "holds against frequencies alone; against an n-gram it hangs on the training seed"
CLAIMED = {
    "proteins": ("proteins", "proteins"),
    "code": ("python", "Python code"),
    "ancient": ("greek", "ancient Greek"),
}


def beyond_study() -> Beyond:
    return find_experiment("beyond").shipped()


def beyond_finding(language: str) -> Finding:
    """What the masked model saves against models that count, at the same blanks of held-out documents."""
    study = beyond_study()
    seeds = study.saved_by_seed(language)
    figures = {
        OVER_COUNTING: study.saved(language),
        OVER_FREQUENCY: study.saved(language, UNIGRAM),
        WORST_SEED: Sampled.exact(seeds.min()),
    }
    best = study.best_counting(language)
    facts = {
        "untuned, nats saved": study.saved(language, unit="untuned").estimate.rounded(4),
        "best n-gram": f"{best}, order {study.of(language, best)[0].order}",
        "steps": study.of(language, MASKED_MODEL)[0].cell.steps,
        "seeds, nats saved": [round(float(x), 4) for x in seeds],
    }
    for unit in ("top1", "top20"):
        facts[f"{unit}, model"] = study.mean(language, MASKED_MODEL, unit).estimate.rounded(4)
        facts[f"{unit}, {best}"] = study.mean(language, best, unit).estimate.rounded(4)
    return Finding(figures, facts, SHIPPED)


def say_beyond(figures: Mapping[str, float]) -> str:
    if figures[OVER_FREQUENCY] <= 0:
        return FAILS
    if figures[OVER_COUNTING] <= 0:
        return PARTLY
    return HOLDS if figures[WORST_SEED] > 0 else BY_SEED


BEYOND_CLAIMS = tuple(
    Claim(
        id=name,
        chapter="15",
        says=f"The same idea works beyond English: {words}.",
        figure="what a tiny masked model saves per hidden token of held-out documents against the best n-gram, both "
        "tuned on validation text",
        unit="nats",
        rule="holds if it is above 0 over documents and with every seed; against frequencies alone if only the saving "
        "over a unigram is; undecided if the interval against the n-gram crosses 0",
        measure=lambda effort, language=language: beyond_finding(language),
        judge=by_words(say_beyond),
    )
    for name, (language, words) in CLAIMED.items()
)
