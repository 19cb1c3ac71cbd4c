"""Claims on the foundations: that text is its own supervision, the softmax, the surprisal, and excluded tokens."""

from collections.abc import Mapping

import numpy as np

from mlm_mini.experiments.claims.claim import CLAIM_SEEDS, Claim, Effort, Finding, by_words, holds_above
from mlm_mini.experiments.claims.softmax_checks import (
    agreeing_share,
    excluded_mass,
    hard_logits,
    softmax_as_worded,
    surprisal_differences,
)
from mlm_mini.experiments.lab.study import run_study
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, Sampled
from mlm_mini.experiments.ratio.config import RatioCell
from mlm_mini.experiments.ratio.run import fixed_questions, ratio_folder, run_ratio_cell
from mlm_mini.languages import scene_language
from mlm_mini.languages.leak import leaks_at_blanks
from mlm_mini.reference import kl_divergence, softmax

ROUNDING_ERROR = 1e-12  # how far two ways to the same float64 may differ


def self_supervision(effort: Effort) -> Finding:
    """Tiny models that saw nothing but text, against the unigram distribution, both against the exact posterior."""
    language = scene_language()
    cells = [RatioCell("tiny", effort.of(100, 900), seed, 0.4) for seed in range(CLAIM_SEEDS)]
    found = run_study(cells, run_ratio_cell, ratio_folder(), effort.workers)
    (questions, *_), _ = fixed_questions()
    ids = language.sample(20_000, effort.rng).ids
    counts = np.bincount(ids[np.isin(ids, language.vocabulary.regular_ids)], minlength=len(language.vocabulary))
    unigram = np.broadcast_to(counts / counts.sum(), questions.posterior.shape)
    start = float(kl_divergence(questions.posterior, unigram).mean())
    closed = [1 - cell["kl"][0] / start for cell in found]
    return Finding({"closed": Sampled.mean(closed)}, {"unigram KL in nats": round(start, 3)})


def softmax_agreement(effort: Effort) -> Finding:
    logits = hard_logits(effort.rng)
    ours = agreeing_share(softmax, logits)
    worded = agreeing_share(softmax_as_worded, logits)
    return Finding({"as worded": Sampled.exact(worded), "largest logit subtracted": Sampled.exact(ours)})


def say_softmax(agreeing: Mapping[str, float]) -> str:
    if agreeing["as worded"] == 1:
        return HOLDS
    return "holds when the largest logit is subtracted first" if agreeing["largest logit subtracted"] == 1 else FAILS


def surprisal_agreement(effort: Effort) -> Finding:
    return Finding({"difference": Sampled.exact(surprisal_differences(effort.rng).max())})


def excluded_probability(effort: Effort) -> Finding:
    return Finding({"left": Sampled.exact(excluded_mass(effort.rng).max())})


def kl_leak(effort: Effort) -> Finding:
    leak = leaks_at_blanks(scene_language(), effort.of(50, 500), effort.rng)
    infinite = {
        "KL(buggy, correct)": Sampled.exact(np.isinf(leak.kl_buggy_correct).mean()),
        "KL(correct, buggy)": Sampled.exact(np.isinf(leak.kl_correct_buggy).mean()),
    }
    apart = {"smallest": leak.total_variation.min(), "largest": leak.total_variation.max()}
    return Finding(infinite, {f"{which} total variation": float(of) for which, of in apart.items()})


def say_leak(infinite: Mapping[str, float]) -> str:
    there, back = infinite["KL(buggy, correct)"], infinite["KL(correct, buggy)"]
    if there == 1 and back == 1:
        return HOLDS
    return "holds when the mean is taken over the buggy prediction" if there == 1 else FAILS


FOUNDATION_CLAIMS = (
    Claim(
        id="self-supervision",
        chapter="00",
        says="The text itself supplies the labels: a model can learn from raw text alone.",
        figure="share of the distance from the unigram distribution to the exact posterior that training closes",
        unit="share",
        rule="holds if it is above 0",
        measure=self_supervision,
        judge=holds_above(0),
    ),
    Claim(
        id="softmax",
        chapter="01",
        says="The softmax exponentiates all logits and normalizes, so that they sum to one.",
        figure="share of rows, some with logits of 10,000 or -inf, on which the formula as worded agrees with SciPy's",
        unit="share",
        rule="holds if that is 1; holds when the largest logit is subtracted first if the share is then 1",
        measure=softmax_agreement,
        judge=by_words(say_softmax),
    ),
    Claim(
        id="surprisal",
        chapter="02",
        says="The cross-entropy loss is also known as surprisal.",
        figure="largest difference of three ways to it: PyTorch's, the definition's, and -log p",
        unit="nats",
        rule=f"holds if it is at most {ROUNDING_ERROR}",
        measure=surprisal_agreement,
        judge=by_words(lambda figures: HOLDS if figures["difference"] <= ROUNDING_ERROR else FAILS),
    ),
    Claim(
        id="logit-mask",
        chapter="04",
        says="Logits of minus infinity before the softmax make probabilities of zero.",
        figure="largest probability, and largest gradient, of an excluded token",
        unit="share",
        rule="holds if it is 0, exactly",
        measure=excluded_probability,
        judge=by_words(lambda figures: HOLDS if figures["left"] == 0 else FAILS),
    ),
    Claim(
        id="kl-leak",
        chapter="04",
        says="A leaked [CLS] makes the KL divergence infinite.",
        figure="share of blanks and leaked logits at which KL(buggy, correct) is infinite",
        unit="share",
        rule="holds if that is 1 in both directions; holds when the mean is over the buggy prediction if only in this "
        "one",
        measure=kl_leak,
        judge=by_words(say_leak),
    ),
)
