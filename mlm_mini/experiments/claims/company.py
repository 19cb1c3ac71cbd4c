"""The claims on word vectors, from the shipped study."""

from collections.abc import Mapping

from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import SHIPPED, Claim, Effort, Finding, by_words, holds_above
from mlm_mini.experiments.company.arms import ALONE, BARKS, RARE_DOG
from mlm_mini.experiments.company.geometry import chance_purity
from mlm_mini.experiments.company.result import IN_CONTEXT, WordCompany
from mlm_mini.experiments.company.truth import scene_company
from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, Sampled

NEARBY = 0.95  # the share of the other words that must be further off, for the nearest to count as close
CLOSEST, BEYOND_UNTRAINED, BEYOND_ALONE = "closest", "likeness beyond an untrained table", "likeness beyond words alone"
AS_TRAINED, STRETCHED = "as trained", "wide and narrow directions exchanged"
FALL = "cosine where the dog only barks, less that of a dog as rare"
NEARER, LEAD = "nearer than the other words", "nearer, beyond words alone"
PURITY = "purity"
HALF_WAY = 0.25
TOLD, BEYOND_RANDOM = "told apart", "told apart beyond random weights"


def company_study() -> WordCompany:
    return find_experiment("word_company").shipped()


def similar_contexts(effort: Effort) -> Finding:
    """Whether likeness of contexts is likeness of vectors, beside two tables that cannot know of contexts."""
    study = company_study()
    likeness = study.values("likeness")
    figures = {
        CLOSEST: Sampled.mean(study.values("closest")),
        BEYOND_UNTRAINED: Sampled.mean(likeness - study.values("likeness", 0)),
        BEYOND_ALONE: Sampled.mean(likeness - study.values("likeness", arm=ALONE)),
    }
    names = ("likeness", "beyond_frequency", "other_class", "likeness_raw")
    facts = {name: mean_interval(study.values(name)).rounded(3) for name in names}
    return Finding(figures, facts | {"likeness, counts": mean_interval(study.counted("likeness")).rounded(3)}, SHIPPED)


def say_similar(figures: Mapping[str, float]) -> str:
    beyond = figures[BEYOND_UNTRAINED] > 0 and figures[BEYOND_ALONE] > 0
    return HOLDS if beyond and figures[CLOSEST] > NEARBY else FAILS


def forced(effort: Effort) -> Finding:
    """Whether the same predictions allow another answer to the same question."""
    study = company_study()
    figures = {
        STRETCHED: Sampled.mean(study.stretched("closest")[-1]),
        AS_TRAINED: Sampled.mean(study.values("closest")),
    }
    facts = {"purity, stretched": mean_interval(study.stretched("purity")[-1]).rounded(3)}
    facts |= {"equally wide in all directions": mean_interval(study.stretched("closest")[0]).rounded(3)}
    return Finding(
        figures, facts | {"largest change of a probability": max(s.changed for s in study.scores())}, SHIPPED
    )


def say_forced(figures: Mapping[str, float]) -> str:
    if figures[STRETCHED] > NEARBY:
        return HOLDS
    return "holds for the training, not for the objective" if figures[AS_TRAINED] > NEARBY else FAILS


def cat_and_dog(effort: Effort) -> Finding:
    """How near the two are, beyond what frequency alone does, and what becomes of it without the sentences they share.

    What is taken away is all of the dog's sentences but those in which it barks: verbs, and what goes with them.
    """
    study = company_study()
    cosines = {arm: study.values("cat_dog", arm=arm) for arm in (BARKS, RARE_DOG)}
    figures = {
        FALL: Sampled.mean(cosines[BARKS] - cosines[RARE_DOG]),
        NEARER: Sampled.mean(study.values("dog_nearer")),
        LEAD: Sampled.mean(study.values("dog_nearer") - study.values("dog_nearer", arm=ALONE)),
    }
    facts = {"cosine": mean_interval(study.values("cat_dog")).rounded(3)}
    facts |= {"nearer, words alone": mean_interval(study.values("dog_nearer", arm=ALONE)).rounded(3)}
    facts |= {f"cosine, {arm}": mean_interval(values).rounded(3) for arm, values in cosines.items()}
    return Finding(figures, facts, SHIPPED)


def say_cat_and_dog(figures: Mapping[str, float]) -> str:
    if figures[NEARER] <= NEARBY or figures[LEAD] <= 0:
        return FAILS
    return HOLDS if figures[FALL] < 0 else "holds, but not because of the sentences that they share"


def semantics(effort: Effort) -> Finding:
    """Classes that nobody told the model of, among the nearest words."""
    study, company = company_study(), scene_company()
    purity = study.values("purity")
    controls = {
        "untrained": study.values("purity", 0),
        "words drawn alone": study.values("purity", arm=ALONE),
        "in context, untrained": study.values("purity", 0, of=IN_CONTEXT),
    }
    figures = {PURITY: Sampled.mean(purity)}
    figures |= {f"beyond {name}": Sampled.mean(purity - values) for name, values in controls.items()}
    facts = {name: mean_interval(values).rounded(3) for name, values in controls.items()}
    facts |= {"chance": round(chance_purity(company.classes[company.judged]), 4)}
    facts |= {"counts of the same sentences": mean_interval(study.counted("purity")).rounded(3)}
    facts |= {"adjusted Rand index of k-means": mean_interval(study.values("agreement")).rounded(3)}
    return Finding(figures, facts, SHIPPED)


def say_semantics(figures: Mapping[str, float]) -> str:
    beyond = all(value > 0 for name, value in figures.items() if name != PURITY)
    return HOLDS if beyond and figures[PURITY] > 0.5 else FAILS


def in_context(effort: Effort) -> Finding:
    """Two uses of a verb, by its vector in sentences that differ in the subject alone."""
    study = company_study()
    told, by_luck = ([look.told_apart for look in study.looks(step)] for step in (None, 0))
    beyond = [one - other for one, other in zip(told, by_luck, strict=True)]
    figures = {BEYOND_RANDOM: Sampled.mean(beyond)}
    return Finding(figures, {TOLD: mean_interval(told).rounded(3)}, SHIPPED)


COMPANY_CLAIMS = (
    Claim(
        id="distributional",
        chapter="12",
        says="Words appearing in similar contexts have geometrically close embeddings.",
        figure="share of the other words further from a word than the one whose contexts are most like its own",
        unit="of the words",
        rule=f"holds if it is above {NEARBY}, and cosines follow the exact likeness of contexts more than in a "
        "table that was never trained, and in one that learned from words drawn alone",
        measure=similar_contexts,
        judge=by_words(say_similar),
    ),
    Claim(
        id="forced",
        chapter="12",
        says="The MLM objective forces the model to place words of similar contexts close together.",
        figure="the same share, in output tables with the same predictions, wide and narrow directions exchanged",
        unit="of the words",
        rule=f"holds if it is above {NEARBY} in these too; for the training alone if only the tables as trained "
        "have it",
        measure=forced,
        judge=by_words(say_forced),
    ),
    Claim(
        id="cat-dog",
        chapter="12",
        says="'cat' and 'dog' appear with verbs like 'chased', 'ate', or 'played', which places them close together.",
        figure="cosine of cat and dog where the dog only barks, less that where it is as rare, in any of its sentences",
        unit="in cosine",
        rule=f"holds if in the whole language the two are nearer to each other, on average, than {NEARBY:.0%} of the "
        "words, by more than in a table that learned from words drawn alone, and the cosine falls",
        measure=cat_and_dog,
        judge=by_words(say_cat_and_dog),
    ),
    Claim(
        id="semantics",
        chapter="12",
        says="This is how semantics emerge from statistics.",
        figure="share of a word's nearest three that are of its class, of which no model is told",
        unit="of the neighbors",
        rule="holds if it is above a half and above that of an untrained table, of untrained vectors in context, and "
        "of words drawn alone",
        measure=semantics,
        judge=by_words(say_semantics),
    ),
    Claim(
        id="in-context",
        chapter="12",
        says="Models that see both sides have richer and more nuanced representations of words in context.",
        figure="how much more often two uses of a verb are told apart by its subject than with random weights",
        unit="of the verbs",
        rule=f"holds if it is above {HALF_WAY}, half of the way from chance, about 0.5, to always",
        measure=in_context,
        judge=holds_above(HALF_WAY),
    ),
)
