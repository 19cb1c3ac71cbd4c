"""Many questions at once, to compare players: how they are drawn, and what a perfect player pays."""

from collections.abc import Sequence

import numpy as np

from mlm_mini.languages.cloze.texts import FULL_STOP, Question
from mlm_mini.languages.exact import ExactLanguage


def scene_questions(language: ExactLanguage, n: int, rng: np.random.Generator) -> list[Question]:
    """n different pairs of those that n sentences supply, in random order. Nobody is asked for a full stop."""
    sentences = language.sample(n, rng)
    texts = [tuple(sentences.text(i).split()) for i in range(n)]
    pairs = [Question(words, index) for words in texts for index in range(len(words) - 1)]
    return [pairs[i] for i in rng.choice(len(pairs), size=n, replace=False)]


def exact_nats(language: ExactLanguage, questions: Sequence[Question], left_only: bool = False) -> np.ndarray:
    """What the exact posterior pays at N questions, (N,) nats; inf for an answer that the language rules out.

    left_only: it sees nothing but the words to the left of the blank, as a model that writes from left to right.
    """
    vocabulary = language.vocabulary
    ids = np.stack([language.encode(" ".join(question.shown)) for question in questions])
    positions = np.array([[question.index + 1] for question in questions])  # + 1 for [CLS]
    if left_only:
        ids = np.where(np.arange(language.length) > positions, vocabulary.mask_id, ids)
    posterior = language.posterior_at(ids, positions)[:, 0]  # (N, 1, V) -> (N, V)
    # As far as the left side tells, the sentence might end here. The player knows that it does not: a word is hidden.
    words = np.setdiff1d(vocabulary.regular_ids, vocabulary.ids([FULL_STOP]))
    answers = vocabulary.ids(question.answer for question in questions)
    with np.errstate(divide="ignore"):
        return np.log(posterior[:, words].sum(axis=1)) - np.log(posterior[np.arange(len(questions)), answers])
