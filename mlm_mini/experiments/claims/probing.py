"""The claims on probes, from the shipped study of five models."""

from collections.abc import Mapping

import numpy as np

from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import SHIPPED, Claim, Effort, Finding, by_words
from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS
from mlm_mini.experiments.probing.hiding import HIDEABLE, VERB
from mlm_mini.experiments.probing.nouns import ACTIVE, PASSIVE, SENTENCE_KINDS, SUBJECT_ALONE
from mlm_mini.experiments.probing.reading import (
    CONTROL_TASK,
    KNOWN_WORDS,
    NOUN_MASKED,
    NOUN_SEEN,
    READ_NOUNS,
    TRAINED,
    UNTRAINED,
)
from mlm_mini.experiments.probing.removed import EQUALLY_FAR, RANDOM_REMOVED, ROLE_REMOVED
from mlm_mini.experiments.probing.study import Probing, sampled_points

POINTS_MARGIN = 2.0  # points: less counts as no difference
HIGH = 90.0  # per cent: an accuracy that anybody would call high
CONTROL_BEST = "control task at its best"


def probing_study() -> Probing:
    return find_experiment("probing").shipped()


def probing(effort: Effort) -> Finding:
    """Selectivity, and how well a probe solves the control task in the layer where it does best."""
    study = probing_study()
    figures = {f"selectivity, {noun}": sampled_points(study.selectivity(noun)) for noun in READ_NOUNS}
    control = [study.accuracy(NOUN_SEEN, task=CONTROL_TASK, layer=layer) for layer in range(study.last + 1)]
    figures[CONTROL_BEST] = sampled_points(np.mean(control, axis=2).max(axis=0))
    facts = {}
    for noun in READ_NOUNS:
        for reader in (TRAINED, UNTRAINED):
            facts[f"accuracy, {noun}, {reader}, %"] = _percent(study.accuracy(noun, reader).mean(axis=1))
            known = study.accuracy(noun, reader, task=KNOWN_WORDS)
            facts[f"accuracy on words the probe knows, {noun}, {reader}, %"] = _percent(known.mean(axis=1))
            control = study.accuracy(noun, reader, task=CONTROL_TASK)
            facts[f"accuracy on the control task, {noun}, {reader}, %"] = _percent(control.mean(axis=1))
            facts[f"accuracy on verbs the probe does not know, {noun}, {reader}, %"] = _percent(
                study.new_verbs(noun, reader)
            )
        facts[f"points beyond random weights, {noun}"] = _percent(study.over_random(noun))
    for layer in range(1, study.last + 1):
        for what in (ROLE_REMOVED, RANDOM_REMOVED, EQUALLY_FAR):
            facts[f"nats moved, {what}, layer {layer}"] = {
                kind: mean_interval(moved).rounded(4)
                for kind, moved in zip(SENTENCE_KINDS, study.removed(what, layer=layer).T, strict=True)
            }
    return Finding(figures, facts, SHIPPED)


def say_probing(figures: Mapping[str, float]) -> str:
    if figures[f"selectivity, {NOUN_SEEN}"] <= POINTS_MARGIN:
        return FAILS
    return HOLDS if figures[CONTROL_BEST] < HIGH else "holds when a control task is not solved as well"


def verb(effort: Effort) -> Finding:
    """What hiding the verb costs in each kind of sentence, with the noun hidden, beside the exact posterior."""
    study = probing_study()
    by_kind = study.drop(NOUN_MASKED, VERB)
    drops = {SENTENCE_KINDS[kind]: sampled_points(by_kind[:, kind]) for kind in (SUBJECT_ALONE, ACTIVE, PASSIVE)}
    facts = {}
    for noun in READ_NOUNS:
        for hidden in HIDEABLE[1:]:
            drop, exact = study.drop(noun, hidden), study.exact_drop(noun, hidden)
            there = [kind for kind in range(len(SENTENCE_KINDS)) if study.changed(hidden)[:, kind].any()]
            facts[f"{hidden} hidden, {noun}, points lost"] = {
                SENTENCE_KINDS[kind]: _percent(drop[:, kind]) for kind in there
            }
            facts[f"{hidden} hidden, {noun}, points the exact posterior loses"] = {
                SENTENCE_KINDS[kind]: round(100 * float(exact[:, kind].mean()), 1) for kind in there
            }
    return Finding(drops, facts, SHIPPED)


def say_verb(drops: Mapping[str, float]) -> str:
    hurt = [kind for kind, points in drops.items() if points > POINTS_MARGIN]
    if len(hurt) == len(drops):
        return HOLDS
    return f"holds when the sentence is {' or '.join(_NAMES[kind] for kind in hurt)}" if hurt else FAILS


def say_used(times: Mapping[str, float]) -> str:
    """In which kinds of sentences the predictions move farther than after an equally far move. times: how many times
    as far, by kind."""
    more = [kind for kind, x in times.items() if x > 1]
    if not more:
        return "less in every kind"
    return "more in every kind" if len(more) == len(times) else f"more in {' and '.join(more)} only"


_NAMES = {"active": "an active", "passive": "a passive", "subject alone": "one whose subject stands alone"}


def _percent(shares: np.ndarray) -> list[float]:
    return mean_interval(100 * shares).rounded(2)


PROBING_CLAIMS = (
    Claim(
        id="probing",
        chapter="13",
        says="If a linear probe on frozen embeddings achieves high accuracy, the information was present in them.",
        figure="selectivity of a probe for agent and patient on a noun that is visible: its accuracy less that on a "
        "control task",
        unit="points",
        rule=f"holds when a control task is not solved as well, if selectivity is above {POINTS_MARGIN:g} points; "
        f"as worded if moreover no layer of the model lets a probe solve the control task to {HIGH:g}%",
        measure=probing,
        judge=by_words(say_probing),
    ),
    Claim(
        id="verb",
        chapter="13",
        says="If the verb is hidden, the accuracy of the probe drops: the verb is a critical signal for roles.",
        figure="what hiding the verb costs a probe on the vector of a hidden noun, where the subject stands alone",
        unit="points",
        rule=f"holds for a kind of sentence if the drop is above {POINTS_MARGIN:g} points; "
        "holds as worded if it does for all",
        measure=verb,
        judge=by_words(say_verb),
    ),
)
