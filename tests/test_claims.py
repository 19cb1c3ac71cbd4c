"""The claims: another finding has another verdict, and a planted wrong experiment changes it."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mlm_mini.__main__ import main
from mlm_mini.course import notebook as nb
from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.catalog import EXPERIMENTS, Experiment, for_shipping
from mlm_mini.experiments.claims import company as company_claims
from mlm_mini.experiments.claims import context, foundations, joint, probing, ratio, softmax_checks, variance
from mlm_mini.experiments.claims.all_claims import CLAIMS, MeasuredClaim, find_claims, measure_claims
from mlm_mini.experiments.claims.beyond import BY_SEED, OVER_COUNTING, OVER_FREQUENCY, WORST_SEED
from mlm_mini.experiments.claims.claim import Effort, Finding
from mlm_mini.experiments.claims.company import (
    AS_TRAINED,
    BEYOND_ALONE,
    BEYOND_UNTRAINED,
    CLOSEST,
    FALL,
    LEAD,
    NEARER,
    PURITY,
    STRETCHED,
)
from mlm_mini.experiments.claims.joint import EXACT_GAP, GAP, NEARER_BY_GIBBS
from mlm_mini.experiments.claims.strategy import GRADIENT_LENGTH
from mlm_mini.experiments.company import arms
from mlm_mini.experiments.context.objectives import Efficiency
from mlm_mini.experiments.context.right_side import referent_nats, side_nats
from mlm_mini.experiments.joint.chains import small_languages
from mlm_mini.experiments.joint.measures import total_correlation
from mlm_mini.experiments.joint.one_pass import hide_words, joint_nats, one_pass_nats
from mlm_mini.experiments.joint.readers import BlankReader, reader_of_language
from mlm_mini.experiments.lab.intervals import Estimate, mean_interval
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, SURE, UNDECIDED, Sampled, decide_above
from mlm_mini.experiments.probing.hiding import HALF
from mlm_mini.experiments.probing.nouns import SENTENCE_KINDS
from mlm_mini.experiments.ratio.config import MaskRatioConfig
from mlm_mini.experiments.ratio.result import MaskRatio, RatioScore
from mlm_mini.experiments.variance import measure
from mlm_mini.experiments.variance.law import LawVerdict
from mlm_mini.languages import leak as leaks
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.reference import softmax
from mlm_mini.reference.masking import BERT_SPLIT

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"
QUICK = Effort(quick=True, workers=1)


@pytest.mark.parametrize("workers", [0, -3])
def test_too_few_workers_are_refused_before_anything_is_measured(workers, capsys):
    assert main(["claims", "variance", "--workers", str(workers)]) == 1
    assert f"workers is {workers}: expected at least 1" in capsys.readouterr().err


SEEDS = np.array([-1.2, -0.4, 0.1, 0.5, 1.0])
SEEDS = (SEEDS - SEEDS.mean()) / SEEDS.std(ddof=1)  # mean 0, standard deviation 1; the mean has the margin 1.24


def seeds(center, spread=0.1):
    """A figure of five seeds with this mean and standard deviation; 95% intervals are 1.24 spreads to either side."""
    return Sampled.mean(center + spread * SEEDS)


def exact(**figures):
    return {name.replace("_", " "): Sampled.exact(value) for name, value in figures.items()}


def leak(there, back):
    return {"KL(buggy, correct)": Sampled.exact(there), "KL(correct, buggy)": Sampled.exact(back)}


def softmax_agrees(worded, stable):
    return {"as worded": Sampled.exact(worded), "largest logit subtracted": Sampled.exact(stable)}


def one(center, spread=0.1):
    return {"figure": seeds(center, spread)}


def columns(*centers):
    return {f"model {i}, 9 steps": seeds(center) for i, center in enumerate(centers)}


def race(length, *nats):
    names = ("KL less uniform", "KL less uniform 30%", "KL less uniform 40%")
    return {GRADIENT_LENGTH: length} | dict(zip(names, nats, strict=True))


def company(closest, untrained, alone):
    return {CLOSEST: seeds(closest, 0.01), BEYOND_UNTRAINED: seeds(untrained), BEYOND_ALONE: seeds(alone)}


def blanks(*pairs):
    """What is saved in one pass and in turn, of two blanks and of three."""
    return {
        f"{name}, {m} blanks": seeds(value)
        for m, pair in zip(("two", "three"), pairs, strict=True)
        for name, value in zip(("one pass", "in turn"), pair, strict=True)
    }


def agreement(exact_gap, gap, spread, nearer=0.3):
    return {
        "gap of trained models": seeds(gap, spread),
        "gap of exact conditionals": Sampled.exact(exact_gap),
        "KL by Gibbs in terms of one pass": seeds(nearer, 0.01),
    }


def probes(selectivity, control):
    visible = {"selectivity, noun visible": seeds(selectivity, 1), "selectivity, noun hidden": seeds(30, 1)}
    return visible | {"control task at its best": seeds(control, 1)}


def lost(*points):
    return {kind: seeds(of, 1) for kind, of in zip(("subject alone", "active", "passive"), points, strict=True)}


def pair(fall, nearer, lead):
    return {FALL: seeds(fall), NEARER: seeds(nearer, 0.01), LEAD: seeds(lead, 0.01)}


def crossing(center, spread=1.0):
    figure = Sampled.exact(center) if np.isinf(center) else seeds(center, spread)
    return Finding({"crossing": figure}, {"shortest": 64, "longest": 2048})


def laws(*verdicts):
    named = {f"setting {i}": verdict for i, verdict in enumerate(verdicts)}
    return Finding({"slope": seeds(-1.0)}, verdicts=named)


def beyond(counting, frequency, worst):
    return {OVER_COUNTING: seeds(counting), OVER_FREQUENCY: seeds(frequency), WORST_SEED: Sampled.exact(worst)}


BEHIND_COUNTING = "holds against frequencies alone; an n-gram that looks at both sides is better"
SURELY = LawVerdict(HOLDS, 1.0, HOLDS, 0.9)
UP_TO = LawVerdict("holds up to a ratio of 0.5", 1.0, HOLDS, 0.5)
NOT, NO_TELLING = LawVerdict(FAILS, 1.0, FAILS), LawVerdict(UNDECIDED, 0.6, FAILS)
MIXED = "holds when the model is model 1, 9 steps"
OPEN = "holds when the model is model 1, 9 steps; undecided for model 0, 9 steps"
LENGTH_ALONE = "holds for the length of the gradient; the final model is no better than with uniform masks"
TRAINING_ALONE = "holds for the training, not for the objective"
# Of each claim that a threshold decides, one finding lies beyond it with its value and not with its interval.
PLANTED = [
    ("self-supervision", one(0.4), HOLDS),
    ("self-supervision", one(-0.4), FAILS),
    ("self-supervision", one(0.1), UNDECIDED),
    ("self-supervision", one(-0.1), UNDECIDED),
    ("softmax", softmax_agrees(1.0, 1.0), HOLDS),
    ("softmax", softmax_agrees(0.7, 1.0), "holds when the largest logit is subtracted first"),
    ("softmax", softmax_agrees(0.7, 0.7), FAILS),
    ("surprisal", exact(difference=1e-15), HOLDS),
    ("surprisal", exact(difference=1e-3), FAILS),
    ("logit-mask", exact(left=0.0), HOLDS),
    ("logit-mask", exact(left=1e-300), FAILS),
    ("kl-leak", leak(1.0, 1.0), HOLDS),
    ("kl-leak", leak(1.0, 0.0), "holds when the mean is taken over the buggy prediction"),
    ("kl-leak", leak(0.9, 0.0), FAILS),
    ("bidirectional", one(0.7), HOLDS),
    ("bidirectional", one(-0.7), FAILS),
    ("bidirectional", one(0.1), UNDECIDED),
    ("coreference", one(0.5), HOLDS),
    ("coreference", one(0.2), FAILS),
    ("coreference", one(0.4), UNDECIDED),
    ("clm-efficiency", one(3.0), HOLDS),
    ("clm-efficiency", one(0.8), FAILS),
    ("clm-efficiency", one(1.1), UNDECIDED),
    ("attention-cost", crossing(50.0), HOLDS),
    ("attention-cost", crossing(512.3), "holds when a text has more than about 510 tokens"),
    ("attention-cost", crossing(np.inf), FAILS),
    ("attention-cost", crossing(2000.0, 1000.0), UNDECIDED),
    ("variance", laws(SURELY, SURELY), HOLDS),
    ("variance", laws(UP_TO, NOT), "holds when it is the setting 0 (up to a ratio of 0.5)"),
    (
        "variance",
        laws(UP_TO, NO_TELLING),
        "holds when it is the setting 0 (up to a ratio of 0.5); undecided for the setting 1",
    ),
    ("variance", laws(SURELY, NO_TELLING), "holds when it is the setting 0; undecided for the setting 1"),
    ("variance", laws(NOT, NO_TELLING), UNDECIDED),
    ("variance", laws(NOT, NOT), FAILS),
    ("variance", laws(LawVerdict(HOLDS, 0.98, HOLDS, 0.9), LawVerdict(HOLDS, 0.98, HOLDS, 0.9)), UNDECIDED),
    ("too-few", columns(2, 3), HOLDS),
    ("too-few", columns(0.5, 3), MIXED),
    ("too-few", columns(1.1, 3), OPEN),
    ("too-few", columns(0.5, 0.5), FAILS),
    ("too-few", columns(1.1, 0.9), UNDECIDED),
    ("unstable", one(5, 1), HOLDS),
    ("unstable", one(-5, 1), FAILS),
    ("unstable", one(1, 1), UNDECIDED),
    ("too-many", columns(0.3, 0.3), HOLDS),
    ("too-many", columns(-0.3, 0.3), MIXED),
    ("too-many", columns(-0.3, -0.3), FAILS),
    ("too-many", columns(-0.1, 0.1), UNDECIDED),
    ("sweet-spot", {"model 0, 9 steps": seeds(0.15, 0.01), "model 1, 9 steps": seeds(0.14, 0.01)}, HOLDS),
    ("sweet-spot", {"model 0, 9 steps": seeds(0.3, 0.01), "model 1, 9 steps": seeds(0.14, 0.01)}, MIXED),
    ("sweet-spot", {"model 0, 9 steps": seeds(0.3, 0.01), "model 1, 9 steps": seeds(0.05, 0.01)}, FAILS),
    ("sweet-spot", {"model 0, 9 steps": seeds(0.15, 0.2), "model 1, 9 steps": seeds(0.15, 0.2)}, UNDECIDED),
    ("mismatch", columns(0.5, 0.3), HOLDS),
    ("mismatch", columns(-0.5, -0.3), FAILS),
    ("mismatch", columns(0.1, 0.1), UNDECIDED),
    ("damage", columns(-0.5, -0.3), HOLDS),
    ("damage", columns(0.5, -0.3), MIXED),
    ("damage", columns(0.5, 0.3), FAILS),
    ("damage", columns(-0.1, -0.1), UNDECIDED),
    ("entropy-masking", race(seeds(1.5), seeds(-0.2), seeds(-0.2), seeds(-0.2)), HOLDS),
    ("entropy-masking", race(seeds(1.5), seeds(-0.2), seeds(0.2), seeds(-0.2)), LENGTH_ALONE),
    ("entropy-masking", race(seeds(1.5), seeds(-0.2), seeds(-0.2), seeds(-0.1)), UNDECIDED),
    ("entropy-masking", race(seeds(1.1), seeds(0.2), seeds(0.2), seeds(0.2)), UNDECIDED),
    ("entropy-masking", race(seeds(0.8), seeds(-0.2), seeds(-0.2), seeds(-0.2)), FAILS),
    ("distributional", company(0.99, 0.5, 0.5), HOLDS),
    ("distributional", company(0.9, 0.5, 0.5), FAILS),
    ("distributional", company(0.99, 0.5, -0.5), FAILS),
    ("distributional", company(0.955, 0.5, 0.5), UNDECIDED),
    ("distributional", company(0.99, -0.5, 0.5), FAILS),
    ("distributional", company(0.99, 0.1, 0.5), UNDECIDED),
    ("distributional", company(0.99, 0.5, 0.1), UNDECIDED),
    ("forced", {STRETCHED: seeds(0.99, 0.01), AS_TRAINED: seeds(0.99, 0.01)}, HOLDS),
    ("forced", {STRETCHED: seeds(0.8, 0.01), AS_TRAINED: seeds(0.99, 0.01)}, TRAINING_ALONE),
    ("forced", {STRETCHED: seeds(0.8, 0.01), AS_TRAINED: seeds(0.8, 0.01)}, FAILS),
    ("forced", {STRETCHED: seeds(0.945, 0.01), AS_TRAINED: seeds(0.99, 0.01)}, UNDECIDED),
    ("cat-dog", pair(-0.4, 0.99, 0.05), HOLDS),
    ("cat-dog", pair(0.4, 0.99, 0.05), "holds, but not because of the sentences that they share"),
    ("cat-dog", pair(-0.4, 0.8, 0.05), FAILS),
    ("cat-dog", pair(-0.4, 0.99, -0.05), FAILS),
    ("cat-dog", pair(-0.4, 0.99, 0.005), UNDECIDED),
    ("cat-dog", pair(-0.1, 0.99, 0.05), UNDECIDED),
    ("cat-dog", pair(-0.4, 0.955, 0.05), UNDECIDED),
    ("semantics", {PURITY: seeds(0.9), "beyond untrained": seeds(0.5)}, HOLDS),
    ("semantics", {PURITY: seeds(0.3), "beyond untrained": seeds(0.2)}, FAILS),
    ("semantics", {PURITY: seeds(0.9), "beyond untrained": seeds(-0.2)}, FAILS),
    ("semantics", {PURITY: seeds(0.9), "beyond untrained": seeds(0.1)}, UNDECIDED),
    ("semantics", {PURITY: seeds(0.6), "beyond untrained": seeds(0.5)}, UNDECIDED),
    ("semantics", {PURITY: seeds(0.9), "beyond untrained": seeds(0.5), "beyond words": seeds(-0.2)}, FAILS),
    ("in-context", one(0.45), HOLDS),
    ("in-context", one(0.05), FAILS),
    ("in-context", one(0.3), UNDECIDED),
    ("joint", blanks((0.2, 0.3), (0.2, 0.3)), HOLDS),
    ("joint", blanks((-0.2, 0.3), (-0.2, 0.3)), "holds when the blanks are filled one after the other"),
    ("joint", blanks((-0.2, -0.2), (-0.2, -0.2)), FAILS),
    ("joint", blanks((0.1, 0.3), (0.1, 0.3)), UNDECIDED),
    (
        "joint",
        blanks((-0.2, 0.1), (-0.2, 0.3)),
        "holds when three blanks are filled one after the other; undecided for two",
    ),
    (
        "joint",
        blanks((-0.2, -0.2), (-0.2, 0.3)),
        "holds when three blanks are filled one after the other; does not hold as worded for two",
    ),
    (
        "joint",
        blanks((0.2, 0.3), (-0.2, 0.3)),
        "holds when there are two blanks; holds when three blanks are filled one after the other",
    ),
    ("joint", blanks((-0.2, 0.1), (-0.2, -0.3)), UNDECIDED),
    ("adjacency", exact(chain=0.0, hidden=1e-16), HOLDS),
    ("adjacency", exact(chain=0.0, hidden=0.01), "holds when the language is a chain"),
    ("adjacency", exact(chain=0.1, hidden=0.01), FAILS),
    ("mrf", agreement(1e-16, 0.2, 0.1), "holds when the conditionals are exact; those of a model fit no joint"),
    ("mrf", agreement(1e-16, 1e-5, 1e-6), HOLDS),
    ("mrf", agreement(1e-16, 0.01, 0.1), UNDECIDED),
    ("mrf", agreement(1e-3, 0.2, 0.1), FAILS),
    ("mrf", agreement(1e-16, 0.2, 0.1, nearer=2.0), FAILS),
    ("mrf", agreement(1e-16, 0.2, 0.01, nearer=0.99), UNDECIDED),
    ("sweet-spot-writing", one(-0.5), HOLDS),
    ("sweet-spot-writing", one(0.5), FAILS),
    ("sweet-spot-writing", one(0.1), UNDECIDED),
    ("probing", probes(20, 80), HOLDS),
    ("probing", probes(20, 100), "holds when a control task is not solved as well"),
    ("probing", probes(-5, 100), FAILS),
    ("probing", probes(2.5, 100), UNDECIDED),
    ("probing", probes(20, 90.5), UNDECIDED),
    ("verb", lost(40, 30, 30), HOLDS),
    ("verb", lost(40, 0, 0), "holds when the sentence is one whose subject stands alone"),
    ("verb", lost(0, 0, 0), FAILS),
    ("verb", lost(40, 2.5, 0), UNDECIDED),
    ("verb", lost(0, 40, 30), "holds when the sentence is an active or a passive"),
    ("proteins", beyond(0.3, 0.5, 0.2), HOLDS),
    ("proteins", beyond(0.3, 0.5, -0.1), BY_SEED),
    ("proteins", beyond(-0.5, 0.5, -0.6), BEHIND_COUNTING),
    ("proteins", beyond(-0.9, -0.3, -1.0), FAILS),
    ("proteins", beyond(0.1, 0.5, 0.05), UNDECIDED),
    ("proteins", beyond(0.3, 0.1, 0.2), UNDECIDED),
    ("code", beyond(0.3, 0.5, 0.2), HOLDS),
    ("code", beyond(0.3, 0.5, -0.1), BY_SEED),
    ("code", beyond(-0.5, 0.5, -0.6), BEHIND_COUNTING),
    ("code", beyond(-0.9, -0.3, -1.0), FAILS),
    ("code", beyond(0.1, 0.5, 0.05), UNDECIDED),
    ("ancient", beyond(0.3, 0.5, 0.2), HOLDS),
    ("ancient", beyond(0.3, 0.5, -0.1), BY_SEED),
    ("ancient", beyond(-0.5, 0.5, -0.6), BEHIND_COUNTING),
    ("ancient", beyond(-0.9, -0.3, -1.0), FAILS),
    ("ancient", beyond(0.1, 0.5, 0.05), UNDECIDED),
]


@pytest.mark.parametrize(("name", "planted", "verdict"), PLANTED)
def test_a_verdict_follows_from_the_finding(name, planted, verdict):
    (claim,) = find_claims([name])
    found = planted if isinstance(planted, Finding) else Finding(planted)
    assert claim.judge(found).word == verdict


THREE = {"one pass, three blanks": 1, "in turn, three blanks": 1}
IN_TURN_FOR_TWO = "holds when there are three blanks; holds when two blanks are filled one after the other"
NOT_TWO = "holds when there are three blanks; does not hold as worded for two"
OTHERWISE = "holds, but not because of the sentences that they share"
EXACT_ALONE = "holds when the conditionals are exact; those of a model fit no joint"
CONTROLLED = "holds when a control task is not solved as well"
TWO_KINDS = "holds when the sentence is one whose subject stands alone or an active"
# Of each claim: the figures, all exact, of which one lies just below its threshold, at it, and just above; the words.
EDGES = [
    ("bidirectional", {}, "figure", 0, (FAILS, FAILS, HOLDS)),
    ("coreference", {}, "figure", np.log(2) / 2, (FAILS, FAILS, HOLDS)),
    ("clm-efficiency", {}, "figure", 1, (FAILS, FAILS, HOLDS)),
    ("attention-cost", {}, "crossing", 64, (HOLDS, HOLDS, "holds when a text has more than about 60 tokens")),
    ("attention-cost", {}, "crossing", 2048, ("holds when a text has more than about 2050 tokens",) * 2 + (FAILS,)),
    ("self-supervision", {}, "figure", 0, (FAILS, FAILS, HOLDS)),
    ("surprisal", {}, "difference", 1e-12, (HOLDS, HOLDS, FAILS)),
    ("in-context", {}, "figure", 0.25, (FAILS, FAILS, HOLDS)),
    ("sweet-spot-writing", {}, "figure", 0, (HOLDS, FAILS, FAILS)),
    ("distributional", {BEYOND_UNTRAINED: 0.5, BEYOND_ALONE: 0.5}, CLOSEST, 0.95, (FAILS, FAILS, HOLDS)),
    ("distributional", {CLOSEST: 0.99, BEYOND_ALONE: 0.5}, BEYOND_UNTRAINED, 0, (FAILS, FAILS, HOLDS)),
    ("distributional", {CLOSEST: 0.99, BEYOND_UNTRAINED: 0.5}, BEYOND_ALONE, 0, (FAILS, FAILS, HOLDS)),
    ("forced", {AS_TRAINED: 0.99}, STRETCHED, 0.95, (TRAINING_ALONE, TRAINING_ALONE, HOLDS)),
    ("forced", {STRETCHED: 0.5}, AS_TRAINED, 0.95, (FAILS, FAILS, TRAINING_ALONE)),
    ("cat-dog", {FALL: -0.4, LEAD: 0.05}, NEARER, 0.95, (FAILS, FAILS, HOLDS)),
    ("cat-dog", {FALL: -0.4, NEARER: 0.99}, LEAD, 0, (FAILS, FAILS, HOLDS)),
    ("cat-dog", {LEAD: 0.05, NEARER: 0.99}, FALL, 0, (HOLDS, OTHERWISE, OTHERWISE)),
    ("semantics", {"beyond untrained": 0.5}, PURITY, 0.5, (FAILS, FAILS, HOLDS)),
    ("semantics", {PURITY: 0.9}, "beyond untrained", 0, (FAILS, FAILS, HOLDS)),
    ("probing", {"control task at its best": 80}, "selectivity, noun visible", 2, (FAILS, FAILS, HOLDS)),
    ("probing", {"selectivity, noun visible": 9}, "control task at its best", 90, (HOLDS, CONTROLLED, CONTROLLED)),
    ("verb", {"subject alone": 40, "active": 40}, "passive", 2, (TWO_KINDS, TWO_KINDS, HOLDS)),
    ("joint", THREE | {"in turn, two blanks": 1}, "one pass, two blanks", 0, (IN_TURN_FOR_TWO, IN_TURN_FOR_TWO, HOLDS)),
    ("joint", THREE | {"one pass, two blanks": -1}, "in turn, two blanks", 0, (NOT_TWO, NOT_TWO, IN_TURN_FOR_TWO)),
    ("adjacency", {"chain": 0.0}, "hidden", 1e-9, (HOLDS,) + ("holds when the language is a chain",) * 2),
    ("mrf", {GAP: 0.2, NEARER_BY_GIBBS: 0.3}, EXACT_GAP, 1e-9, (EXACT_ALONE, EXACT_ALONE, FAILS)),
    ("mrf", {GAP: 0.2, EXACT_GAP: 0.0}, NEARER_BY_GIBBS, 1, (EXACT_ALONE, FAILS, FAILS)),
    ("mrf", {NEARER_BY_GIBBS: 0.3, EXACT_GAP: 0.0}, GAP, 1e-3, (HOLDS, EXACT_ALONE, EXACT_ALONE)),
    ("proteins", {OVER_COUNTING: 0.3, WORST_SEED: 0.2}, OVER_FREQUENCY, 0, (FAILS, FAILS, HOLDS)),
    ("proteins", {OVER_FREQUENCY: 0.3, WORST_SEED: 0.2}, OVER_COUNTING, 0, (BEHIND_COUNTING, BEHIND_COUNTING, HOLDS)),
    ("proteins", {OVER_FREQUENCY: 0.3, OVER_COUNTING: 0.2}, WORST_SEED, 0, (BY_SEED, BY_SEED, HOLDS)),
]


@pytest.mark.parametrize(("name", "others", "figure", "threshold", "words"), EDGES)
def test_a_verdict_changes_at_its_threshold_and_nowhere_else(name, others, figure, threshold, words):
    (claim,) = find_claims([name])
    step = 1e-6 * abs(threshold) or 1e-9
    for value, word in zip((threshold - step, threshold, threshold + step), words, strict=True):
        figures = {of: Sampled.exact(x) for of, x in (others | {figure: value}).items()}
        assert claim.judge(Finding(figures, {"shortest": 64, "longest": 2048})).word == word


ALONE_HOLDS = "holds when the language is a chain"
EXACT_ONLY = "holds when the conditionals are exact; those of a model fit no joint"
WITHOUT_SHARED = "holds, but not because of the sentences that they share"
CONTROL_SOLVED = "holds when a control task is not solved as well"
EVEN = np.log(2) / 2
# Of a claim: the figures, with None for the one that is moved; its threshold and spread; the words above and below.
THRESHOLDS = [
    ("self-supervision", {"figure": None}, 0, 0.1, HOLDS, FAILS),
    ("bidirectional", {"figure": None}, 0, 0.1, HOLDS, FAILS),
    ("coreference", {"figure": None}, EVEN, 0.02, HOLDS, FAILS),
    ("clm-efficiency", {"figure": None}, 1, 0.02, HOLDS, FAILS),
    ("too-few", {"model": None}, 1, 0.02, HOLDS, FAILS),
    ("unstable", {"figure": None}, 0, 0.1, HOLDS, FAILS),
    ("too-many", {"model": None}, 0, 0.1, HOLDS, FAILS),
    ("sweet-spot", {"model": None}, 0.1875, 1e-3, FAILS, HOLDS),
    ("sweet-spot", {"model": None}, 0.12, 1e-3, HOLDS, FAILS),
    ("mismatch", {"model": None}, 0, 0.1, HOLDS, FAILS),
    ("damage", {"model": None}, 0, 0.1, FAILS, HOLDS),
    ("distributional", company(0.99, 0.5, 0.5) | {CLOSEST: None}, 0.95, 1e-3, HOLDS, FAILS),
    ("distributional", company(0.99, 0.5, 0.5) | {BEYOND_UNTRAINED: None}, 0, 0.1, HOLDS, FAILS),
    ("distributional", company(0.99, 0.5, 0.5) | {BEYOND_ALONE: None}, 0, 0.1, HOLDS, FAILS),
    ("forced", {STRETCHED: None, AS_TRAINED: seeds(0.8, 1e-3)}, 0.95, 1e-3, HOLDS, FAILS),
    ("forced", {STRETCHED: seeds(0.8, 1e-3), AS_TRAINED: None}, 0.95, 1e-3, TRAINING_ALONE, FAILS),
    ("cat-dog", pair(-0.4, 0.99, 0.05) | {NEARER: None}, 0.95, 1e-3, HOLDS, FAILS),
    ("cat-dog", pair(-0.4, 0.99, 0.05) | {LEAD: None}, 0, 0.1, HOLDS, FAILS),
    ("cat-dog", pair(-0.4, 0.99, 0.05) | {FALL: None}, 0, 0.1, WITHOUT_SHARED, HOLDS),
    ("semantics", {PURITY: None, "beyond untrained": seeds(0.5)}, 0.5, 1e-3, HOLDS, FAILS),
    ("semantics", {PURITY: seeds(0.9), "beyond untrained": seeds(0.5), "beyond words": None}, 0, 0.1, HOLDS, FAILS),
    ("in-context", {"figure": None}, 0.25, 0.01, HOLDS, FAILS),
    ("adjacency", {"chain": Sampled.exact(0.0), "hidden": None}, 1e-9, 1e-11, ALONE_HOLDS, HOLDS),
    ("mrf", agreement(0.0, 0.2, 0.1) | {"gap of trained models": None}, 1e-3, 1e-5, EXACT_ONLY, HOLDS),
    ("mrf", agreement(0.0, 0.2, 0.1) | {"gap of exact conditionals": None}, 1e-9, 1e-11, FAILS, EXACT_ONLY),
    ("mrf", agreement(0.0, 0.2, 0.1) | {"KL by Gibbs in terms of one pass": None}, 1, 1e-3, FAILS, EXACT_ONLY),
    ("surprisal", {"difference": None}, 1e-12, 1e-14, FAILS, HOLDS),
    ("sweet-spot-writing", {"figure": None}, 0, 0.1, FAILS, HOLDS),
    ("probing", probes(20, 80) | {"selectivity, noun visible": None}, 2, 0.1, HOLDS, FAILS),
    ("probing", probes(20, 80) | {"control task at its best": None}, 90, 0.1, CONTROL_SOLVED, HOLDS),
    ("verb", lost(40, 30, 30) | {"passive": None}, 2, 0.1, HOLDS, None),
    ("entropy-masking", race(None, *[seeds(-0.2)] * 3), 1, 0.02, HOLDS, FAILS),
    ("entropy-masking", race(seeds(1.5), seeds(-0.2), None, seeds(-0.2)), 0, 0.02, LENGTH_ALONE, HOLDS),
    ("proteins", beyond(0.3, 0.5, 0.2) | {OVER_COUNTING: None}, 0, 0.1, HOLDS, BEHIND_COUNTING),
    ("code", beyond(-0.3, 0.5, 0.2) | {OVER_FREQUENCY: None}, 0, 0.1, BEHIND_COUNTING, FAILS),
]


@pytest.mark.parametrize(("name", "figures", "threshold", "spread", "above", "below"), THRESHOLDS)
def test_a_threshold_is_the_one_of_the_rule(name, figures, threshold, spread, above, below):
    """The margin of five seeds is 1.24 spreads: at 1.35 of them a verdict is sure, at 1.1 it is open."""
    (claim,) = find_claims([name])
    words = []
    for steps in (1.35, 1.1, -1.1, -1.35):
        moved = {of: seeds(threshold + steps * spread, spread) if it is None else it for of, it in figures.items()}
        words.append(claim.judge(Finding(moved)).word)
    below = below or "holds when the sentence is one whose subject stands alone or an active"
    assert words == [above, UNDECIDED, UNDECIDED, below]


@pytest.mark.parametrize(
    ("tokens", "word"),
    [
        (63.0, HOLDS),
        (65.5, "holds when a text has more than about 70 tokens"),
        (2040.0, "holds when a text has more than about 2040 tokens"),
        (2060.0, FAILS),
    ],
)
def test_the_crossing_is_held_against_the_lengths_that_were_timed(tokens, word):
    (claim,) = find_claims(["attention-cost"])
    assert claim.judge(crossing(tokens, 0.1)).word == word


@pytest.mark.parametrize(
    ("there", "back", "word"),
    [(1.0, 0.99, "holds when the mean is taken over the buggy prediction"), (0.99, 1.0, FAILS), (0.0, 1.0, FAILS)],
)
def test_a_leak_is_infinite_everywhere_or_not_as_worded(there, back, word):
    (claim,) = find_claims(["kl-leak"])
    assert claim.judge(Finding(leak(there, back))).word == word


def test_no_verdict_is_a_constant():
    verdicts = {claim.id: {v for name, _, v in PLANTED if name == claim.id} for claim in CLAIMS}
    assert [name for name, found in verdicts.items() if not {HOLDS, FAILS} <= found] == []


def test_each_claim_says_what_it_measures_and_belongs_to_a_chapter():
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    chapters = [chapter.number for chapter in nb.read_chapters(SOLUTIONS)]
    for claim in CLAIMS:
        assert claim.chapter in chapters, claim.id
        assert claim.rule.startswith("holds"), claim.id
        assert claim.says.endswith("."), claim.id
        assert claim.figure, claim.id
        assert claim.unit, claim.id


# ---- planted wrong experiments


def verdict_of(name):
    (row,) = measure_claims(QUICK, [name])
    return row.verdict.word


def test_a_softmax_that_overflows_is_seen(monkeypatch):
    assert verdict_of("softmax") == "holds when the largest logit is subtracted first"
    monkeypatch.setattr(foundations, "softmax", softmax_checks.softmax_as_worded)
    assert verdict_of("softmax") == FAILS


def test_a_loss_in_bits_is_no_surprisal_in_nats(monkeypatch):
    assert verdict_of("surprisal") == HOLDS
    monkeypatch.setattr(softmax_checks, "cross_entropy", lambda z, y: np.log2(np.e) * -np.log(softmax(z))[0, y[0]])
    assert verdict_of("surprisal") == FAILS


def test_masking_after_the_softmax_is_seen(monkeypatch):
    assert verdict_of("logit-mask") == HOLDS
    monkeypatch.setattr(softmax_checks, "exclude_tokens", lambda logits, excluded: logits)
    assert verdict_of("logit-mask") == FAILS


def test_without_a_leak_nothing_is_infinite(monkeypatch):
    assert verdict_of("kl-leak") == "holds when the mean is taken over the buggy prediction"
    monkeypatch.setattr(leaks, "LEAKED_LOGITS", (-np.inf,))
    assert verdict_of("kl-leak") == FAILS


def test_a_reader_of_the_left_side_alone_finds_no_value_in_the_right(monkeypatch):
    assert verdict_of("bidirectional") == HOLDS

    def deaf(*args):
        nats = side_nats(*args)
        return nats | {"both": nats["left"]}

    monkeypatch.setattr(context, "side_nats", deaf)
    assert verdict_of("bidirectional") == FAILS


def test_a_clause_that_is_not_read_settles_nothing(monkeypatch):
    assert verdict_of("coreference") == HOLDS
    monkeypatch.setattr(context, "referent_nats", lambda *args: (referent_nats(*args)[0],) * 2)
    assert verdict_of("coreference") == FAILS


def test_gradients_that_agree_do_not_shrink_with_their_number(monkeypatch):
    """All tokens of a draw have one gradient, which differs from draw to draw: a mean of many is as noisy as one."""
    tiny = MaskedLM(ModelConfig.tiny(len(scene_language().vocabulary)), torch.Generator().manual_seed(0))
    monkeypatch.setattr(variance, "cached_model", lambda *args, **fields: SimpleNamespace(model=tiny))
    monkeypatch.setattr(variance, "QUICK_RATIOS", (0.05, 0.1, 0.3))
    assert verdict_of("variance").startswith(HOLDS)
    rng = torch.Generator().manual_seed(1)
    monkeypatch.setattr(measure, "draw_gradients", lambda model, draws: torch.randn(len(draws), 1, generator=rng))
    assert verdict_of("variance") == FAILS


@pytest.fixture
def planted_study(monkeypatch):
    """planted_study(kl, ...): `claims` sees a study of five seeds with KL kl(ratio) in nats, probe accuracy
    probe(ratio), a seen word's surprisal seen(split), and curves that go up rises(ratio) times.

    wobble: the standard deviation over seeds, of ln KL and of the rest."""
    config = MaskRatioConfig()

    def plant(kl, probe=lambda ratio: 0.9, seen=lambda split: 1.0, rises=lambda ratio: 0, wobble=0.01):
        rng = np.random.default_rng(5)
        luck = {cell: wobble * rng.normal() for cell in config.cells()}
        scores = [
            RatioScore(
                cell,
                (kl(cell.mask_ratio) * np.exp(luck[cell]),) * 2,
                (0.01, 0.01),
                probe(cell.mask_ratio) + 0.1 * luck[cell],
                seen(cell.split) + luck[cell],
                1e9,
                1000,
                100,
                zigzag(rises(cell.mask_ratio) + (cell.seed == 0)),
                1.0,
            )
            for cell in config.cells()
        ]
        floor = np.column_stack([config.ratios, np.zeros(len(config.ratios))])
        monkeypatch.setattr(ratio, "ratio_study", lambda: MaskRatio(config, tuple(scores), floor))

    return plant


def zigzag(rises, points=12):
    """A curve of (step, gap) that goes up this often."""
    gaps = [2.0 + (-1) ** i if i <= 2 * rises else 1.0 - 0.01 * i for i in range(points)]
    return tuple((float(i), gap) for i, gap in enumerate(gaps))


def test_verdicts_on_the_ratio_follow_the_study(planted_study):
    names = ("too-few", "too-many", "sweet-spot")
    planted_study(lambda ratio: np.exp(np.log(ratio / 0.15) ** 2))  # 15% is best
    assert [verdict_of(name) for name in names] == [HOLDS] * 3
    planted_study(lambda ratio: np.exp(np.log(ratio / 0.8) ** 2))  # the more the better
    assert [verdict_of(name) for name in names] == [HOLDS, FAILS, FAILS]
    planted_study(lambda ratio: 1.0)
    assert verdict_of("too-few") == UNDECIDED


@pytest.mark.parametrize("value", [1.05, 0.95])
def test_a_borderline_study_is_undecided_though_its_figures_lie_beyond_the_thresholds(planted_study, value):
    planted_study(lambda ratio: value if ratio in (0.01, 0.5) else 1.0, lambda ratio: 0.9, wobble=0.3)
    for name in ("too-few", "too-many", "mismatch", "damage"):
        (row,) = measure_claims(QUICK, [name])
        assert row.verdict.word == UNDECIDED
        assert row.to_dict()["agreement"] < SURE


def test_the_verdict_on_instability_counts_rises(planted_study):
    planted_study(lambda ratio: 1.0, rises=lambda ratio: 3 if ratio == 0.01 else 0)
    (row,) = measure_claims(QUICK, ["unstable"])
    assert row.verdict.word == HOLDS
    assert row.finding.figure.value == pytest.approx(100 * 3 / 11)
    planted_study(lambda ratio: 1.0, rises=lambda ratio: 3 if ratio == 0.15 else 0)
    assert verdict_of("unstable") == FAILS


def test_the_verdicts_on_the_mismatch_follow_the_seen_word_and_the_probe(planted_study):
    planted_study(lambda ratio: 1.0, lambda ratio: 0.9 - 0.1 * ratio, lambda split: 1.0 - 0.5 * (split == BERT_SPLIT))
    assert [verdict_of(name) for name in ("mismatch", "damage")] == [HOLDS, HOLDS]
    planted_study(lambda ratio: 1.0, lambda ratio: 0.9 + 0.1 * ratio, lambda split: 1.0 + 0.5 * (split == BERT_SPLIT))
    assert [verdict_of(name) for name in ("mismatch", "damage")] == [FAILS, FAILS]


def test_of_a_study_of_columns_the_largest_model_is_printed(planted_study):
    planted_study(lambda ratio: np.exp(np.log(ratio / 0.3) ** 2), lambda ratio: 0.9 - 0.1 * ratio, wobble=0.05)
    for name, column in (
        ("too-few", "wide, 300 steps"),
        ("too-many", "wide, 300 steps"),
        ("sweet-spot", "wide, 300 steps"),
        ("mismatch", "mini, 900 steps"),
        ("damage", "mini, 900 steps"),
    ):
        (row,) = measure_claims(QUICK, [name])
        assert row.finding.figure == row.finding.figures[column].estimate
        assert len({figure.value for figure in row.finding.figures.values()}) == len(row.finding.figures)


# ---- the measurements behind them


def test_both_sides_are_never_worse_than_one_in_the_mean():
    nats = side_nats(scene_language(), 1500, np.random.default_rng(3))
    assert nats["both"].mean() < min(nats["left"].mean(), nats["right"].mean())
    assert all((values > -1e-12).all() for values in nats.values())


def test_before_the_clause_the_choice_is_even():
    before, after = referent_nats(scene_language(), 3000, np.random.default_rng(3))
    np.testing.assert_allclose(before, np.log(2))
    assert len(before) == len(after) > 100
    with pytest.raises(ValueError, match="none of 1 sentences"):
        referent_nats(scene_language(), 1, np.random.default_rng(0))


# ---- what programs and people get


def test_a_row_for_programs_has_the_documented_keys():
    (claim,) = find_claims(["bidirectional"])
    endless = Sampled(Estimate(np.inf, 100.0, np.inf), np.full(4, np.inf))
    row = MeasuredClaim(claim, Finding({"figure": endless}), decide_above(seeds(0.1), 0.0)).to_dict()
    keys = {"id", "chapter", "claim", "figure", "low", "high", "unit", "verdict", "agreement", "leaning", "source"}
    assert keys <= row.keys()
    assert (row["figure"], row["low"], row["high"]) == (None, 100.0, None)
    assert (row["verdict"], row["leaning"]) == (UNDECIDED, HOLDS)
    assert 0.5 < row["agreement"] < SURE
    json.dumps(row, allow_nan=False)


def test_the_command_prints_verdicts_and_writes_json(capsys, tmp_path):
    assert main(["claims", "--quick", "softmax", "logit-mask"]) == 0
    shown = capsys.readouterr().out
    assert "01  softmax: holds when the largest logit is subtracted first" in shown
    assert "04  logit-mask: holds (100% of resamples)" in shown
    assert main(["claims", "--quick", "surprisal", "--json", str(tmp_path / "claims.json")]) == 0
    (row,) = json.loads((tmp_path / "claims.json").read_text())["claims"]
    assert (row["id"], row["verdict"], row["source"]) == ("surprisal", HOLDS, "this run")
    assert row["agreement"] == 1


def test_an_unknown_claim_names_those_there_are(capsys):
    assert main(["claims", "sweetspot"]) == 1
    assert "expected one of self-supervision, softmax" in capsys.readouterr().err


def test_a_claim_measured_alone_has_the_same_figure():
    (alone,) = measure_claims(QUICK, ["coreference"])
    among = {row.claim.id: row for row in measure_claims(QUICK, ["bidirectional", "coreference"])}
    assert alone.finding.figure == among["coreference"].finding.figure
    (other,) = measure_claims(replace(QUICK, seed=1), ["coreference"])
    assert other.finding.figure != alone.finding.figure


def test_rises_are_those_of_seeds():
    study = find_experiment("mask_ratio").shipped()
    more = [study.rises(*c, mask_ratio=0.01) - study.rises(*c, mask_ratio=0.15) for c in study.columns()]
    of_seeds = mean_interval([100 * np.mean([column[seed] for column in more]) for seed in range(study.config.seeds)])
    (claim,) = find_claims(["unstable"])
    assert claim.measure(Effort()).figure == pytest.approx(of_seeds)


def test_the_worst_of_many_tries_is_judged(monkeypatch):
    monkeypatch.setattr(foundations, "surprisal_differences", lambda rng: np.array([0.0, 1e-3, 1e-15]))
    monkeypatch.setattr(foundations, "excluded_mass", lambda rng: np.array([0.0, 0.0, 1e-9]))
    assert foundations.surprisal_agreement(QUICK).figure.value == 1e-3
    assert foundations.excluded_probability(QUICK).figure.value == 1e-9
    distances = np.array([[0.25, 0.5], [0.125, 0.75]])
    leak = leaks.Leak(None, None, distances, np.array([[np.inf, 1.0]] * 2), np.array([[1.0, 1.0], [1.0, np.inf]]))
    monkeypatch.setattr(foundations, "leaks_at_blanks", lambda *given: leak)
    finding = foundations.kl_leak(QUICK)
    assert {name: figure.value for name, figure in finding.figures.items()} == {
        "KL(buggy, correct)": 0.5,
        "KL(correct, buggy)": 0.25,
    }
    assert finding.facts == {"smallest total variation": 0.125, "largest total variation": 0.75}


@pytest.mark.parametrize("full", [False, True])
def test_an_experiment_runs_the_config_that_is_asked_for_with_its_own_seed(full):
    asked = []
    planted = Experiment("planted", "quick", "full", lambda *given: asked.extend(given), None, seed=7)
    planted.run(full, 3)
    config, rng, workers, _ = asked
    assert (config, workers) == ("full" if full else "quick", 3)
    assert rng.random() == np.random.default_rng(7).random()
    assert find_experiment("writing").name == "writing"
    assert list(EXPERIMENTS) == [experiment.name for experiment in EXPERIMENTS.values()]


def test_what_is_shipped_says_which_command_made_it():
    result = SimpleNamespace(to_dict=lambda: {"x": 1})
    row = for_shipping(Experiment("planted", 0, 1, None, None, seed=7), result, "python -m it")
    assert (row["experiment"], row["seed"], row["command"], row["result"]) == ("planted", 7, "python -m it", {"x": 1})


def test_the_steps_of_two_objectives_are_judged_and_the_rest_are_facts(monkeypatch):
    found = SimpleNamespace(steps=seeds(3.0), predictions=seeds(0.6), flops=seeds(2.0), rates={"masked": 0.01})
    asked = []
    monkeypatch.setattr(context, "measure_objectives", lambda *given: asked.append(given) or found)
    finding = context.clm_efficiency(QUICK)
    assert finding.figures == {"steps": found.steps}
    assert finding.facts["predictions"] == pytest.approx(seeds(0.6).estimate, abs=6e-4)
    assert finding.facts["flops"] == pytest.approx(seeds(2.0).estimate, abs=6e-4)
    assert finding.facts["learning rates"] == {"masked": 0.01}
    context.clm_efficiency(Effort(quick=False, workers=1))
    assert asked == [(120, 5, 1), (900, 5, 1)]


def test_attention_is_timed_at_powers_of_two_and_its_crossing_judged(monkeypatch):
    cost, asked = SimpleNamespace(crossing=seeds(500.0), counted=384), []
    monkeypatch.setattr(
        context, "measure_attention_cost", lambda lengths, *given: asked.append(lengths.tolist()) or cost
    )
    for quick, longest in ((True, 4096), (False, 8192)):
        finding = context.attention_crossing(Effort(quick=quick))
        assert finding.figures == {"crossing": cost.crossing}
        assert finding.facts == {"shortest": 64, "longest": longest, "counted": 384}
    assert asked[0] == [64, 128, 256, 512, 1024, 2048, 4096]


def test_a_clause_is_right_where_the_likelier_person_is_the_one_who_was_meant(monkeypatch):
    after = np.array([0.1, 0.6, 0.69, 0.7])  # ln 2 is 0.693
    monkeypatch.setattr(context, "referent_nats", lambda *given: (np.full(4, np.log(2)), after))
    finding = context.pronoun_clue(QUICK)
    assert finding.figure.value == pytest.approx(np.log(2) - after.mean())
    assert finding.facts["the likelier person is right in"] == 0.75


def test_two_blanks_that_are_not_neighbors_tell_what_the_tables_say():
    (claim,) = find_claims(["adjacency"])
    finding = claim.measure(QUICK)
    for name, table in small_languages(n=8).items():
        nats = []
        for j in range(3, 7):  # the first blank is the second word, and the last word is no blank
            contexts = np.moveaxis(table, (1, j), (-2, -1)).reshape(-1, 3, 3)
            nats.append(sum(of.sum() * total_correlation(of / of.sum()) for of in contexts))
        assert finding.figures[name].value == pytest.approx(max(nats), abs=1e-9)
    assert finding.figure.value == finding.figures["second-order chain"].value


def of_arm(study, arm, measure):
    """The mean over the seeds of an arm of a shipped study, straight from its runs."""
    return np.mean([measure(run) for run in study.runs if run.cell.arm == arm])


def test_the_claims_on_vectors_compare_the_tables_that_they_name():
    study = find_experiment("word_company").shipped()
    whole, alone, barks, rare = arms.WHOLE_TEXT, arms.ALONE, arms.BARKS, arms.RARE_DOG
    likeness = of_arm(study, whole, lambda run: run.looks[-1].table.likeness)
    nearer = of_arm(study, whole, lambda run: run.looks[-1].table.dog_nearer)
    told = of_arm(study, whole, lambda run: run.looks[-1].told_apart - run.looks[0].told_apart)
    expected = {
        "distributional": {
            CLOSEST: of_arm(study, whole, lambda run: run.looks[-1].table.closest),
            BEYOND_UNTRAINED: likeness - of_arm(study, whole, lambda run: run.looks[0].table.likeness),
            BEYOND_ALONE: likeness - of_arm(study, alone, lambda run: run.looks[-1].table.likeness),
        },
        "forced": {
            STRETCHED: of_arm(study, whole, lambda run: run.stretched[-1].closest),
            AS_TRAINED: of_arm(study, whole, lambda run: run.looks[-1].table.closest),
        },
        "cat-dog": {
            FALL: of_arm(study, barks, lambda run: run.looks[-1].table.cat_dog)
            - of_arm(study, rare, lambda run: run.looks[-1].table.cat_dog),
            NEARER: nearer,
            LEAD: nearer - of_arm(study, alone, lambda run: run.looks[-1].table.dog_nearer),
        },
        "in-context": {"told apart beyond random weights": told},
    }
    nearest = of_arm(study, alone, lambda run: run.looks[-1].table.dog_nearer)
    facts = {
        "distributional": {
            "likeness": likeness,
            "likeness, counts": of_arm(study, whole, lambda run: run.looks[-1].counts[0].likeness),
            "other_class": of_arm(study, whole, lambda run: run.looks[-1].table.other_class),
        },
        "forced": {
            "purity, stretched": of_arm(study, whole, lambda run: run.stretched[-1].purity),
            "equally wide in all directions": of_arm(study, whole, lambda run: run.stretched[0].closest),
            "largest change of a probability": [max(run.changed for run in study.runs if run.cell.arm == whole)],
        },
        "cat-dog": {
            "cosine": of_arm(study, whole, lambda run: run.looks[-1].table.cat_dog),
            "nearer, words alone": nearest,
            f"cosine, {barks}": of_arm(study, barks, lambda run: run.looks[-1].table.cat_dog),
        },
        "in-context": {"told apart": of_arm(study, whole, lambda run: run.looks[-1].told_apart)},
    }
    for name, told in facts.items():
        (claim,) = find_claims([name])
        measured = claim.measure(QUICK).facts
        found = {of: np.atleast_1d(measured[of])[0] for of in told}
        assert found == pytest.approx({of: np.atleast_1d(x)[0] for of, x in told.items()}, abs=6e-4)
    for name, figures in expected.items():
        (claim,) = find_claims([name])
        found = {of: figure.value for of, figure in claim.measure(QUICK).figures.items()}
        assert found == pytest.approx(figures)
        assert claim.measure(QUICK).figure.value == pytest.approx(next(iter(figures.values())))


def test_the_claims_on_writers_and_strategies_compare_the_arms_that_they_name():
    study = find_experiment("writing").shipped()
    (claim,) = find_claims(["sweet-spot-writing"])
    price = of_arm(study, "15%", lambda run: run.price) - of_arm(study, "all ratios", lambda run: run.price)
    finding = claim.measure(QUICK)
    assert finding.figure.value == pytest.approx(price)
    for arm, unit, fact in (
        ("40%", "price", "nats per sentence, 40%, less all ratios"),
        ("causal", "price", "nats per sentence, causal, less all ratios"),
        ("15%", "kl", "KL at 15% hidden, 15% less all ratios, nats"),
    ):
        more = [of_arm(study, a, lambda run, unit=unit: getattr(run, unit)) for a in (arm, "all ratios")]
        assert finding.facts[fact][0] == pytest.approx(more[0] - more[1], abs=6e-4)
    study = find_experiment("mask_strategy").shipped()

    def kl(strategy):
        wanted = ("scenes", strategy, False, True)
        cells = [(score, score.cell) for score in study.scores]
        return np.mean([s.kl for s, c in cells if (c.language, c.strategy, c.weighted, c.charged) == wanted])

    (claim,) = find_claims(["entropy-masking"])
    found = claim.measure(QUICK).figures
    for uniform in ("uniform", "uniform 30%", "uniform 40%"):
        assert found[f"KL less {uniform}"].value == pytest.approx(kl("surprisal") - kl(uniform))
    assert claim.measure(QUICK).figure.value == study.ratio("norm", "surprisal").value


def test_the_claim_on_the_verb_is_about_a_hidden_noun_in_each_kind_of_sentence():
    study = find_experiment("probing").shipped()

    def read(hidden):
        wanted = ("trained", "noun hidden", study.last, hidden, "role")
        found = [
            reading.accuracy
            for model in study.models
            for reading in model.readings
            if (reading.reader, reading.noun, reading.layer, reading.hidden, reading.task) == wanted
        ]
        return 100 * np.mean(found, axis=0)

    drop = dict(zip(SENTENCE_KINDS, read("nothing") - read("the verb"), strict=True))
    (claim,) = find_claims(["verb"])
    found = claim.measure(QUICK)
    assert {kind: figure.value for kind, figure in found.figures.items()} == pytest.approx(drop)
    assert found.figure.value == pytest.approx(drop["subject alone"])
    told = found.facts["the verb hidden, noun hidden, points lost"]
    assert {kind: estimate[0] for kind, estimate in told.items()} == pytest.approx(drop, abs=6e-3)
    assert list(found.facts["by hidden, noun hidden, points lost"]) == ["passive"], "no other sentence has a by"
    ceilings = [c for model in study.models for c in model.ceilings if c.noun == "noun hidden"]
    whole, half = (np.mean([c.right for c in ceilings if c.hidden == what], axis=0) for what in ("nothing", HALF))
    told = found.facts[f"{HALF} hidden, noun hidden, points the exact posterior loses"]
    assert [told[kind] for kind in SENTENCE_KINDS] == pytest.approx(100 * (whole - half), abs=0.06)


def test_the_facts_on_probes_are_those_of_their_readers():
    study = find_experiment("probing").shipped()

    def read(reader, noun, task):
        wanted = (reader, noun, study.last, "nothing", task)
        found = [
            r.accuracy
            for m in study.models
            for r in m.readings
            if (r.reader, r.noun, r.layer, r.hidden, r.task) == wanted
        ]
        return 100 * np.mean(found)

    (claim,) = find_claims(["probing"])
    finding = claim.measure(QUICK)
    told = {name: x[0] for name, x in finding.facts.items() if isinstance(x, list)}
    for noun in ("noun visible", "noun hidden"):
        for reader in ("trained", "random weights"):
            tasks = {
                "": "role",
                " on words the probe knows": "role, words known",
                " on the control task": "control task",
            }
            for words, task in tasks.items():
                assert told[f"accuracy{words}, {noun}, {reader}, %"] == pytest.approx(
                    read(reader, noun, task), abs=6e-3
                )
            verbs = 100 * np.mean([m.new_verbs[f"{reader}, {noun}"] for m in study.models])
            assert told[f"accuracy on verbs the probe does not know, {noun}, {reader}, %"] == pytest.approx(
                verbs, abs=6e-3
            )
        more = read("trained", noun, "role") - read("random weights", noun, "role")
        assert told[f"points beyond random weights, {noun}"] == pytest.approx(more, abs=6e-3)
        selectivity = read("trained", noun, "role, words known") - read("trained", noun, "control task")
        assert finding.figures[f"selectivity, {noun}"].value == pytest.approx(selectivity)
    for layer, what in ((1, "role direction"), (2, "random, equally far")):
        moved = np.mean(
            [r.moved for m in study.models for r in m.removals if (r.what, r.layer) == (what, layer)], axis=0
        )
        told = finding.facts[f"nats moved, {what}, layer {layer}"]
        assert {kind: x[0] for kind, x in told.items()} == pytest.approx(
            dict(zip(SENTENCE_KINDS, moved, strict=True)), abs=6e-5
        )


def test_the_claims_beyond_english_are_held_against_the_best_ngram_and_a_unigram():
    study = find_experiment("beyond").shipped()
    for name, language in (("proteins", "proteins"), ("code", "python"), ("ancient", "greek")):
        nats = {score.cell.arm: score.nats for score in study.scores if score.cell.language == language}
        of_seeds = [s.nats for s in study.scores if (s.cell.language, s.cell.arm) == (language, "masked model")]
        ngrams = [s for s in study.scores if s.cell.language == language and s.cell.arm.startswith("n-gram")]
        best = min(ngrams, key=lambda score: score.validation).nats
        (claim,) = find_claims([name])
        facts = claim.measure(QUICK).facts
        unsharpened = [s.untuned for s in study.scores if (s.cell.language, s.cell.arm) == (language, "masked model")]
        (ngram,) = [s for s in ngrams if s.nats is best]
        assert facts["untuned, nats saved"][0] == pytest.approx((ngram.untuned - unsharpened).mean(), abs=6e-5)
        assert facts["best n-gram"] == f"{ngram.cell.arm}, order {ngram.order}"
        assert facts["seeds, nats saved"] == pytest.approx([(best - each).mean() for each in of_seeds], abs=6e-5)
        for unit in ("top1", "top20"):
            assert facts[f"{unit}, {ngram.cell.arm}"][0] == pytest.approx(getattr(ngram, unit).mean(), abs=6e-5)
            of_model = [getattr(s, unit) for s in study.scores if s.cell.language == language and s.cell.steps]
            assert facts[f"{unit}, model"][0] == pytest.approx(np.mean(of_model), abs=6e-5)
            assert {s.cell.steps for s in study.scores if s.cell.language == language} == {0, facts["steps"]}
        found = {of: figure.value for of, figure in claim.measure(QUICK).figures.items()}
        assert found == pytest.approx(
            {
                OVER_COUNTING: (best - np.mean(of_seeds, axis=0)).mean(),
                OVER_FREQUENCY: (nats["unigram"] - np.mean(of_seeds, axis=0)).mean(),
                WORST_SEED: min((best - each).mean() for each in of_seeds),
            }
        )


def test_a_model_is_held_against_the_exact_marginals_in_one_pass_and_in_turn(monkeypatch):
    language = scene_language()
    words = language.vocabulary.regular_ids
    even = np.zeros(len(language.vocabulary))
    even[words] = 1 / len(words)
    exact = reader_of_language(language)
    blunt = BlankReader(language.vocabulary, lambda ids, positions: np.tile(even, (*positions.shape, 1)))
    few = SimpleNamespace(of=lambda quick, full: 150)
    monkeypatch.setattr(joint, "cached_model", lambda name: SimpleNamespace(model=None))
    for reader in (exact, blunt):
        monkeypatch.setattr(joint, "reader_of_model", lambda model, vocabulary, reader=reader: reader)
        few.rng, rng = np.random.default_rng(6), np.random.default_rng(6)
        found = {name: figure.value for name, figure in joint.saved_by_model(few).figures.items()}
        for m, blanks in ((m, hide_words(language, 150, m, rng)) for m in (2, 3)):
            name, apart = {2: "two", 3: "three"}[m], one_pass_nats(exact, blanks).mean()
            told = apart - joint_nats(blanks).mean()  # what the blanks tell each other, which no single guess knows
            if reader is exact:
                one_pass, in_turn, by_turns = 0.0, told, told
            else:
                one_pass, in_turn, by_turns = apart - m * np.log(len(words)), apart - m * np.log(len(words)), 0.0
            assert found[f"one pass, {name} blanks"] == pytest.approx(one_pass, abs=1e-9)
            assert found[f"in turn, {name} blanks"] == pytest.approx(in_turn, abs=1e-9)
            assert found[f"in turn beside its own one pass, {name} blanks"] == pytest.approx(by_turns, abs=1e-9)


def test_the_claim_on_fields_compares_trained_models_at_their_end():
    study = find_experiment("joint_agreement").shipped()
    gap, one_pass, gibbs = (study.values[:, -1, i] for i in (0, 2, 4))
    (claim,) = find_claims(["mrf"])
    found = {of: figure.value for of, figure in claim.measure(QUICK).figures.items()}
    nearer = np.exp(np.log(gibbs / one_pass).mean())
    assert list(found.values()) == pytest.approx([gap.mean(), study.exact[0], nearer])
    facts = claim.measure(QUICK).facts
    assert facts["gap by step, nats"] == pytest.approx(
        dict(zip(study.config.looks, study.values[:, :, 0].mean(axis=0), strict=True)), abs=6e-5
    )
    assert (facts["seeds"], facts["log odds ratios"]) == (
        len(study.values),
        pytest.approx(study.values[:, -1, 1].mean()),
    )


def test_the_control_task_is_looked_at_where_a_probe_solves_it_best():
    study = find_experiment("probing").shipped()
    best = []
    for model in study.models:
        read = [r for r in model.readings if (r.reader, r.noun, r.task) == ("trained", "noun visible", "control task")]
        assert sorted(reading.layer for reading in read) == [0, 1, 2]
        best.append(100 * max(reading.accuracy.mean() for reading in read))
    (claim,) = find_claims(["probing"])
    assert claim.measure(QUICK).figures["control task at its best"].value == pytest.approx(np.mean(best))


def test_what_training_closed_is_judged_at_the_usual_questions(monkeypatch):
    """Each model is asked at 15% hidden and at a half; the start is that of the same questions."""
    starts = iter([])

    def found(cells, *_):
        return [{"kl": [0.25 * start, 9.0]} for start in [next(starts)] * len(cells)]

    (questions, *_), _ = foundations.fixed_questions()
    ids = scene_language().sample(20_000, Effort().rng).ids
    counts = np.bincount(ids.ravel(), minlength=len(scene_language().vocabulary)).astype(float)
    counts[scene_language().vocabulary.special_ids] = 0
    p, unigram = questions.posterior, np.maximum(counts / counts.sum(), 1e-300)
    start = (p * (np.log(np.where(p > 0, p, 1.0)) - np.log(unigram))).sum(axis=1).mean()
    starts = iter([start])
    monkeypatch.setattr(foundations, "run_study", found)
    assert foundations.self_supervision(Effort()).figure.value == pytest.approx(0.75)


# ---- the facts beside the figures


def claimed(name):
    (claim,) = find_claims([name])
    return claim.measure(QUICK)


@pytest.fixture
def ratio_runs(monkeypatch):
    """ratio_runs(size, steps, field, ...): the field of the seeds of a cell, straight from the shipped scores."""
    study = find_experiment("mask_ratio").shipped()
    monkeypatch.setattr(ratio, "ratio_study", lambda: study)
    return partial(of_ratio_study, study)


def of_ratio_study(study, size, steps, field, **fields):
    wanted = {"prediction_ratio": None, "split": (1.0, 0.0, 0.0), "budget": "steps", "size": size, "steps": steps}
    cells = [
        (score.cell.seed, getattr(score, field))
        for score in study.scores
        if all(getattr(score.cell, name) == value for name, value in (wanted | fields).items())
    ]
    return np.array([value for _, value in sorted(cells)])


def test_the_claims_on_the_ratio_compare_the_runs_that_they_name(ratio_runs):
    few, usual, many = (ratio_runs("mini", 900, "kl", mask_ratio=r)[:, 0] for r in (0.01, 0.15, 0.5))
    assert claimed("too-few").figures["mini, 900 steps"].value == pytest.approx(np.exp(np.log(few / usual).mean()))
    assert claimed("too-many").figures["mini, 900 steps"].value == pytest.approx((many - usual).mean())
    seen = [
        ratio_runs("tiny", 900, "copy_nats", mask_ratio=r) - ratio_runs("tiny", 900, "copy_nats", **split)
        for r in (0.15, 0.4)
        for split in [{"mask_ratio": r, "split": (0.8, 0.1, 0.1)}]
    ]
    assert claimed("mismatch").figures["tiny, 900 steps"].value == pytest.approx(np.mean(seen))
    many, usual = (ratio_runs("tiny", 900, "probe_accuracy", mask_ratio=r) for r in (0.5, 0.15))
    assert claimed("damage").figures["tiny, 900 steps"].value == pytest.approx(100 * (many - usual).mean())


def test_the_facts_on_the_ratio_are_those_of_the_runs_that_they_name(ratio_runs):
    study = ratio.ratio_study()
    floor = dict(zip(study.config.ratios, study.floor[:, 0], strict=True))
    told = claimed("too-many").facts["floor at 0.15 and 0.5, nats"]
    assert told == pytest.approx([floor[0.15], floor[0.5]], abs=5.1e-4)
    assert told[0] < told[1]
    logs = [np.log(ratio_runs(*column, "kl", mask_ratio=0.01)[:, 0]) for column in study.columns()]
    scatter = np.sqrt(np.mean([((x - x.mean()) ** 2).sum() / (len(x) - 1) for x in logs]))
    assert claimed("unstable").facts["scatter of ln KL over seeds at 0.01"] == pytest.approx(scatter, abs=1e-4)
    split = ratio_runs("mini", 900, "probe_accuracy", mask_ratio=0.4, split=(0.8, 0.1, 0.1))
    more = 100 * (split - ratio_runs("mini", 900, "probe_accuracy", mask_ratio=0.4))
    margin = 2.776445 * more.std(ddof=1) / np.sqrt(5)
    told = claimed("damage").facts["80/10/10 less 100% [MASK], mini at 0.4"]
    assert told == pytest.approx([more.mean(), more.mean() - margin, more.mean() + margin], abs=1e-3)


def test_the_facts_on_strategies_and_writers_are_those_of_the_arms_that_they_name():
    study = find_experiment("mask_strategy").shipped()
    kl = {
        (strategy, weighted): np.array([s.kl for s in sorted(study.scores, key=lambda s: s.cell.seed) if s.cell.charged
        and (s.cell.language, s.cell.strategy, s.cell.weighted) == ("scenes", strategy, weighted)])
        for strategy in ("entropy", "uniform", "uniform 40%") for weighted in (True, False)
    }  # fmt: skip
    facts = claimed("entropy-masking").facts
    for uniform in ("uniform", "uniform 40%"):
        told = facts[f"final KL less that of {uniform}, nats"]["entropy, weighted"]
        assert told[0] == pytest.approx((kl["entropy", True] - kl[uniform, False]).mean(), abs=1e-4)
    probed = [
        {s.strategy: s for s in score.signals if (s.after, s.weighted) == (1.0, False)}
        for score in study.scores
        if score.signals and score.cell.language == "scenes"
    ]
    along = {name: np.mean([each[name].useful for each in probed]) for name in ("surprisal", "uniform")}
    length = {name: np.sqrt(np.mean([each[name].batch for each in probed])) for name in along}
    wanted = along["surprisal"] / length["surprisal"] / (along["uniform"] / length["uniform"])
    assert facts["useful part per length of step, times uniform"][0] == pytest.approx(wanted, abs=1e-3)
    study = find_experiment("writing").shipped()
    price = {arm: of_arm(study, arm, lambda run: run.price) for arm in ("40%", "causal", "all ratios")}
    facts = claimed("sweet-spot-writing").facts
    for arm in ("40%", "causal"):
        told = facts[f"nats per sentence, {arm}, less all ratios"]
        assert told[0] == pytest.approx(price[arm] - price["all ratios"], abs=1e-3)
    kl = [of_arm(study, arm, lambda run: run.kl) for arm in ("15%", "all ratios")]
    assert facts["KL at 15% hidden, 15% less all ratios, nats"][0] == pytest.approx(kl[0] - kl[1], abs=1e-4)


def test_the_facts_beyond_english_are_those_of_the_readers_that_they_name():
    study = find_experiment("beyond").shipped()
    facts = claimed("code").facts
    ours = [s for s in study.scores if (s.cell.language, s.cell.arm) == ("python", "masked model")]
    ngrams = [s for s in study.scores if s.cell.language == "python" and s.cell.arm.startswith("n-gram")]
    best = min(ngrams, key=lambda score: score.validation)
    assert facts["best n-gram"] == f"{best.cell.arm}, order {best.order}"
    assert facts["steps"] == ours[0].cell.steps > 0
    assert facts["seeds, nats saved"] == pytest.approx([(best.nats - s.nats).mean() for s in ours], abs=1e-4)
    untuned = (best.untuned - np.mean([s.untuned for s in ours], axis=0)).mean()
    assert facts["untuned, nats saved"][0] == pytest.approx(untuned, abs=1e-4)
    assert facts["top1, model"][0] == pytest.approx(np.mean([s.top1 for s in ours]), abs=1e-4)
    assert facts[f"top20, {best.cell.arm}"][0] == pytest.approx(best.top20.mean(), abs=1e-4)


def test_the_facts_on_probes_are_those_of_the_readings_that_they_name():
    study = find_experiment("probing").shipped()

    def read(noun, reader, task, hidden="nothing", kind=slice(None)):
        wanted = (reader, noun, study.last, hidden, task)
        of_models = [
            r.accuracy[kind]
            for model in study.models
            for r in model.readings
            if (r.reader, r.noun, r.layer, r.hidden, r.task) == wanted
        ]
        return 100 * np.mean(of_models)

    facts = claimed("probing").facts
    for noun, reader in (("noun hidden", "trained"), ("noun visible", "random weights")):
        for told, task in (
            (f"accuracy, {noun}, {reader}, %", "role"),
            (f"accuracy on words the probe knows, {noun}, {reader}, %", probing.KNOWN_WORDS),
            (f"accuracy on the control task, {noun}, {reader}, %", "control task"),
        ):
            assert facts[told][0] == pytest.approx(read(noun, reader, task), abs=0.01)
    beyond_random = read("noun hidden", "trained", "role") - read("noun hidden", "random weights", "role")
    assert facts["points beyond random weights, noun hidden"][0] == pytest.approx(beyond_random, abs=0.01)
    new = 100 * np.mean([model.new_verbs["random weights, noun hidden"] for model in study.models])
    told = facts["accuracy on verbs the probe does not know, noun hidden, random weights, %"]
    assert told[0] == pytest.approx(new, abs=0.01)
    moved = np.mean(
        [r.moved for m in study.models for r in m.removals if (r.what, r.layer) == (probing.RANDOM_REMOVED, 1)], axis=0
    )
    told = facts[f"nats moved, {probing.RANDOM_REMOVED}, layer 1"]
    assert [told[kind][0] for kind in SENTENCE_KINDS] == pytest.approx(moved, abs=1e-4)
    facts = claimed("verb").facts
    for kind, told in facts["the verb hidden, noun visible, points lost"].items():
        place = list(SENTENCE_KINDS).index(kind)
        lost = [read("noun visible", "trained", "role", hidden, place) for hidden in ("nothing", "the verb")]
        assert told[0] == pytest.approx(lost[0] - lost[1], abs=0.01)
    right = {
        hidden: 100 * np.mean([c.right for m in study.models for c in m.ceilings
        if (c.noun, c.hidden) == ("noun hidden", hidden)], axis=0)
        for hidden in ("nothing", "the verb")
    }  # fmt: skip
    told = facts["the verb hidden, noun hidden, points the exact posterior loses"]
    lost = dict(zip(SENTENCE_KINDS, right["nothing"] - right["the verb"], strict=True))
    assert told == pytest.approx({kind: lost[kind] for kind in told}, abs=0.051)
    assert set(told) == set(SENTENCE_KINDS)


def test_the_facts_on_vectors_are_those_of_the_tables_that_they_name():
    study = find_experiment("word_company").shipped()
    whole = arms.WHOLE_TEXT
    facts = claimed("distributional").facts
    for name in ("likeness", "beyond_frequency", "other_class", "likeness_raw"):
        wanted = of_arm(study, whole, lambda run, name=name: getattr(run.looks[-1].table, name))
        assert facts[name][0] == pytest.approx(wanted, abs=1e-3)
    facts = claimed("forced").facts
    assert facts["purity, stretched"][0] == pytest.approx(
        of_arm(study, whole, lambda run: run.stretched[-1].purity), abs=1e-3
    )
    assert facts["equally wide in all directions"][0] == pytest.approx(
        of_arm(study, whole, lambda run: run.stretched[0].closest), abs=1e-3
    )
    assert facts["largest change of a probability"] == max(run.changed for run in study.runs if run.cell.arm == whole)
    facts = claimed("cat-dog").facts
    assert facts["cosine"][0] == pytest.approx(of_arm(study, whole, lambda r: r.looks[-1].table.cat_dog), abs=1e-3)
    for arm in (arms.BARKS, arms.RARE_DOG):
        wanted = of_arm(study, arm, lambda run: run.looks[-1].table.cat_dog)
        assert facts[f"cosine, {arm}"][0] == pytest.approx(wanted, abs=1e-3)


def test_the_facts_on_classes_are_those_of_the_tables_that_they_name(monkeypatch):
    study = find_experiment("word_company").shipped()
    whole, alone = arms.WHOLE_TEXT, arms.ALONE
    five = SimpleNamespace(classes=np.array([0, 0, 1, 1, 1, 7]), judged=np.arange(5))
    monkeypatch.setattr(company_claims, "scene_company", lambda: five)
    found = claimed("semantics")
    assert found.facts["chance"] == pytest.approx((2 * 1 / 4 + 3 * 2 / 4) / 5)
    purity = of_arm(study, whole, lambda run: run.looks[-1].table.purity)
    controls = {
        "untrained": of_arm(study, whole, lambda run: run.looks[0].table.purity),
        "words drawn alone": of_arm(study, alone, lambda run: run.looks[-1].table.purity),
        "in context, untrained": of_arm(study, whole, lambda run: run.looks[0].context.purity),
    }
    for name, value in controls.items():
        assert found.facts[name][0] == pytest.approx(value, abs=1e-3)
        assert found.figures[f"beyond {name}"].value == pytest.approx(purity - value)
    assert found.figure.value == pytest.approx(purity)
    agreement = of_arm(study, whole, lambda run: run.looks[-1].table.agreement)
    assert found.facts["adjusted Rand index of k-means"][0] == pytest.approx(agreement, abs=1e-3)


def test_the_likelier_person_is_the_one_with_more_than_half(monkeypatch):
    after = np.array([*-np.log([0.9, 0.51, 0.49]), np.log(2) - 1e-15])  # the last is even, but for a rounding
    monkeypatch.setattr(context, "referent_nats", lambda *args: (np.full(4, np.log(2)), after))
    found = claimed("coreference")
    assert found.facts["the likelier person is right in"] == 0.5
    assert found.figure.value == pytest.approx(np.log(2) - after.mean())


def test_the_claim_on_adjacency_prints_the_second_order_at_a_distance_of_two():
    found = claimed("adjacency")
    reach = {name.removesuffix(", nats by distance"): nats for name, nats in found.facts.items()}
    assert set(reach) == set(found.figures)
    for name, nats in reach.items():
        assert nats[0] > 0.001  # neighbors do know of each other, and do not count
        assert found.figures[name].value == pytest.approx(max(nats[1:]), abs=1e-6)
    assert found.figure.value == found.figures[joint.SECOND_ORDER].value > 0.001
    assert found.figures[joint.FIRST_ORDER].value < 1e-9


def test_the_claim_on_the_variance_names_each_setting_by_its_model_and_its_draws(monkeypatch):
    """Of four planted results each has its own slope; that of the trained model over fresh text is printed."""
    tiny = MaskedLM(ModelConfig.tiny(len(scene_language().vocabulary)), torch.Generator().manual_seed(0)).eval()
    monkeypatch.setattr(variance, "cached_model", lambda *args, **fields: SimpleNamespace(model=tiny))
    measured = []

    def measure_variance(model, language, config, rng):
        slope = -1 - 0.1 * (model is tiny) - 0.2 * (config.over == "data")
        measured.append((model is tiny, config.over, config.draws, config.method, config.corruption))
        word = UP_TO if model is tiny else NOT
        return SimpleNamespace(slope=lambda: Sampled.exact(slope), verdict=lambda: word)

    monkeypatch.setattr(variance, "measure_gradient_variance", measure_variance)
    found = claimed("variance")
    assert set(measured) == {
        (trained, over, 40, "fixed", None) for trained in (True, False) for over in ("masks", "data")
    }
    names = {"new model, text fixed": -1.0, "trained model, text fixed": -1.1,
             "new model, fresh text": -1.2, "trained model, fresh text": -1.3}  # fmt: skip
    assert {name: found.facts[f"slope, {name}"][0] for name in names} == names
    assert {name: verdict.word for name, verdict in found.verdicts.items()} == {
        name: UP_TO.word if "trained" in name else FAILS for name in names
    }
    assert found.figure.value == pytest.approx(-1.3)


def test_the_claims_on_both_directions_print_what_they_say(monkeypatch):
    nats = {"left": np.array([3.0, 2.0, 4.0]), "both": np.array([1.0, 0.5, 1.5]), "right": np.array([9.0, 9.0, 9.0])}
    monkeypatch.setattr(context, "side_nats", lambda *args: nats)
    found = claimed("bidirectional")
    assert found.figure.value == pytest.approx(2.0)
    assert found.facts == {"left, nats": 3.0, "both, nats": 1.0, "right, nats": 9.0}
    race = Efficiency(*map(Sampled.exact, (2.0, 0.3, 0.7)), np.ones(5), {"masked": 1e-2, "causal": 3e-3}, [])
    monkeypatch.setattr(context, "measure_objectives", lambda *args: race)
    found = claimed("clm-efficiency")
    assert found.figure.value == 2.0
    assert found.facts == {"predictions": [0.3] * 3, "flops": [0.7] * 3, "learning rates": dict(race.rates)}
    monkeypatch.setattr(
        context,
        "measure_attention_cost",
        lambda lengths, *args: SimpleNamespace(crossing=Sampled.exact(lengths[-1] + 1.0), counted=384),
    )
    found = claimed("attention-cost")
    assert found.facts == {"shortest": 64, "longest": 4096, "counted": 384}
    (claim,) = find_claims(["attention-cost"])
    assert claim.judge(found).word == FAILS
