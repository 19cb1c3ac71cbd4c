"""How near a final model is to the exact posterior, over words and over noise, and how well it knows what it knows.

Shape letters: N questions, V tokens.
"""

from functools import cache

import numpy as np

from mlm_mini.experiments.lab.exact_questions import ExactQuestions, answers, draw_questions, kl_from_logs
from mlm_mini.experiments.lab.recipe import DECIMALS
from mlm_mini.experiments.strategy.config import STUDY_RATIO
from mlm_mini.experiments.strategy.noisy_scenes import code_ids
from mlm_mini.languages import SceneLanguage
from mlm_mini.model import MaskedLM
from mlm_mini.seeds import STRATEGY_QUESTIONS_SEED

ASKED_SENTENCES = 1500
BINS = 10  # of the calibration


@cache
def questions_of(language: SceneLanguage) -> tuple[ExactQuestions, np.ndarray]:
    """What every model of a language is asked, and which of the N questions are about a word, (N,) bool."""
    questions = draw_questions(language, ASKED_SENTENCES, STUDY_RATIO, np.random.default_rng(STRATEGY_QUESTIONS_SEED))
    return questions, about_words(questions, language)


def about_words(questions: ExactQuestions, language: SceneLanguage) -> np.ndarray:
    """(N,) bool: False where a code is asked for."""
    return questions.posterior[:, code_ids(language.vocabulary)].sum(axis=1) < 0.5


def score_model(model: MaskedLM, language: SceneLanguage) -> dict:
    """kl, kl_noise: mean KL(exact, model) in nats over questions about words, and about codes, None without any.
    calibration_error, overconfidence: see `calibration`, over questions about words."""
    questions, words = questions_of(language)
    p, log_q = (np.concatenate(column) for column in zip(*answers(model, questions), strict=True))
    kl = kl_from_logs(p, log_q)
    error, overconfidence = calibration(p[words], np.exp(log_q[words]))
    return {
        "kl": round(float(kl[words].mean()), DECIMALS),
        "kl_noise": None if words.all() else round(float(kl[~words].mean()), DECIMALS),
        "calibration_error": round(error, DECIMALS),
        "overconfidence": round(overconfidence, DECIMALS),
    }


def calibration(p: np.ndarray, q: np.ndarray) -> tuple[float, float]:
    """Expected calibration error of the likeliest word, and mean confidence minus mean accuracy.

    p, q: (N, V), exact and model. Confidence is the largest q of a question. Its accuracy is exact, the p of that word,
    while data without an exact posterior would give one sampled answer (Guo et al. 2017). The error is the mean over
    BINS equal bins of confidence, weighted by their questions, of how far mean confidence and mean accuracy lie apart.
    """
    best = q.argmax(axis=1)[:, None]
    confidence, accuracy = (np.take_along_axis(of, best, axis=1)[:, 0] for of in (q, p))
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    apart = np.bincount(bins, confidence - accuracy, minlength=BINS)
    return float(np.abs(apart).sum() / len(p)), float((confidence - accuracy).mean())
