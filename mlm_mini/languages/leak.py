"""A special token left in the softmax: what it takes from the words, and how far that moves the prediction.

Shape letters: V tokens; `...` any leading dimensions, or none.
"""

from typing import NamedTuple

import numpy as np

from mlm_mini.languages.exact import ExactLanguage
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.reference import exclude_tokens, kl_divergence, softmax, total_variation

LEAKED_LOGITS = (-8.0, -4.0, 0.0, 4.0, 8.0, 12.0)  # the words' exponentials sum to exp(0) = 1


class Leak(NamedTuple):
    """The distribution of a blank with [CLS] excluded and with [CLS] left in, and the distances between them.

    correct, buggy: (..., V) probabilities. total_variation: (...) from 0 to 1. kl_buggy_correct, kl_correct_buggy:
    (...) nats.
    """

    correct: np.ndarray
    buggy: np.ndarray
    total_variation: np.ndarray
    kl_buggy_correct: np.ndarray
    kl_correct_buggy: np.ndarray


def measure_leak(blank: np.ndarray, vocabulary: Vocabulary, leaked_logit) -> Leak:
    """What a logit for [CLS] does to `blank`, the exact distribution (..., V) of a hidden word.

    The words' logits are log-probabilities, whose exponentials sum to 1 = exp(0). So a logit of 0 makes [CLS] as likely
    as all words together.
    leaked_logit: one number, or (...) of them.
    """
    with np.errstate(divide="ignore"):  # a word that is impossible here has the logit -inf
        logits = np.log(blank) + np.zeros((*np.shape(leaked_logit), 1))
    logits[..., vocabulary.cls_id] = leaked_logit
    special = vocabulary.special_ids
    correct = softmax(exclude_tokens(logits, special))
    buggy = softmax(exclude_tokens(logits, special[special != vocabulary.cls_id]))
    distances = total_variation(correct, buggy), kl_divergence(buggy, correct), kl_divergence(correct, buggy)
    return Leak(correct, buggy, *distances)


def blank_distribution(language: ExactLanguage, sentence: str) -> np.ndarray:
    """The exact distribution (V,) of the one [MASK] of a sentence. Raises ValueError for none or several."""
    ids = language.encode(sentence)
    hidden = np.flatnonzero(ids == language.vocabulary.mask_id)
    if len(hidden) != 1:
        raise ValueError(f"{sentence!r} has {len(hidden)} [MASK]; expected exactly one blank")
    return language.posterior(ids[None])[0, hidden[0]]


def leaks_at_blanks(language: ExactLanguage, blanks: int, rng: np.random.Generator) -> Leak:
    """The leak at one blank in each of some fresh sentences, at each of LEAKED_LOGITS: (logits, blanks)."""
    vocabulary, ids = language.vocabulary, language.sample(blanks, rng).ids
    places = np.array([rng.choice(np.flatnonzero(np.isin(row, vocabulary.regular_ids))) for row in ids])
    ids[np.arange(blanks), places] = vocabulary.mask_id
    p = language.posterior_at(ids, places[:, None])[:, 0]  # (blanks, V)
    return measure_leak(p, vocabulary, np.array(LEAKED_LOGITS)[:, None])
