"""What is true of the words of the scene language: their classes, and how alike their contexts are.

Shape letters: V words (the regular tokens, in the order of their ids), P pairs of words.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from mlm_mini.experiments.company.contexts import sentence_divergence
from mlm_mini.experiments.company.geometry import SMALLEST_CLASS, nearest_by
from mlm_mini.languages import SceneLanguage, scene_language

CONTEXTS, CONTEXTS_SEED = 60_000, 1200
NOTHING_SHARED = 0.99 * np.log(2)  # nats: from here on two words count as having no context in common
SAME = 1e-9  # nats: below it two words have the same contexts, rounding aside


@dataclass(frozen=True, eq=False)
class Company:
    """words: V names. ids: (V,), what they have as tokens. classes: (V,) text, the lexicon's. frequency: (V,), exact,
    sum 1. divergence: (V, V), JS of the sentences in which two words stand, in nats."""

    words: tuple[str, ...]
    ids: np.ndarray
    classes: np.ndarray
    frequency: np.ndarray
    divergence: np.ndarray

    @property
    def judged(self) -> np.ndarray:
        """(V,) bool: words whose class has at least SMALLEST_CLASS members."""
        _, which, sizes = np.unique(self.classes, return_inverse=True, return_counts=True)
        return sizes[which] >= SMALLEST_CLASS

    @property
    def pairs(self) -> tuple[np.ndarray, np.ndarray]:
        """The P pairs of words that have contexts in common: two (P,) index arrays, each pair once."""
        return self._pairs(self.divergence < NOTHING_SHARED)

    @property
    def strangers(self) -> tuple[np.ndarray, np.ndarray]:
        """The pairs that have none."""
        return self._pairs(self.divergence >= NOTHING_SHARED)

    @property
    def twins(self) -> tuple[np.ndarray, np.ndarray]:
        """The pairs whose contexts are the same."""
        return self._pairs(self.divergence < SAME)

    def _pairs(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.nonzero(np.triu(wanted, 1))

    @property
    def as_frequent(self) -> np.ndarray:
        """(V, V): how close two words are in frequency, 0 where they are equally frequent, else below."""
        logs = np.log(self.frequency)
        return -np.abs(logs[:, None] - logs)

    @property
    def most_alike(self) -> np.ndarray:
        """(V,): for each word the other one whose contexts are most like its own, the first of equals."""
        return nearest_by(-self.divergence, 1)[:, 0]

    def place(self, word: str) -> int:
        """The row of a word. Raises ValueError for one that the language does not have."""
        return self.words.index(word)


@cache
def scene_company() -> Company:
    """The company of the words of the scene language, worked out once; takes a few seconds."""
    language = scene_language()
    ids = language.vocabulary.regular_ids
    words = tuple(language.vocabulary.words(ids))
    classes = np.array([language.word_class[word] for word in words])
    divergence = sentence_divergence(language, CONTEXTS, np.random.default_rng(CONTEXTS_SEED))
    return Company(words, ids, classes, word_frequency(language)[ids], divergence)


def word_frequency(language: SceneLanguage) -> np.ndarray:
    """The exact share of each token among the regular tokens of the language: (V,), 0 for special ones."""
    slots, D = language.slot_distribution, len(language.distributions)
    prior = np.broadcast_to(language.prior[:, None], slots.shape)
    used = np.bincount(slots.ravel(), prior.ravel(), minlength=D)
    frequency = used @ language.distributions
    frequency[language.vocabulary.special_ids] = 0.0
    return frequency / frequency.sum()
