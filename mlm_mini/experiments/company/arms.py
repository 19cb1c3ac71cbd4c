"""Texts that differ in the company that words keep: the scene language, and the same with something taken away.

Shapes: n sentences, T positions.
"""

from collections.abc import Callable

import numpy as np

from mlm_mini.languages import Vocabulary, scene_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.seeds import Stream, generator

Rewrite = Callable[[np.ndarray, Vocabulary, np.random.Generator], np.ndarray]
WHOLE_TEXT, ALONE = "the language", "words drawn alone"
BARKS, RARE_DOG = "dog only barks", "dog as often, in any sentence"


def as_it_is(ids: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator) -> np.ndarray:
    """The sentences themselves."""
    return ids


def drawn_alone(ids: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator) -> np.ndarray:
    """All words of the batch in a random order: each is as frequent as before, and keeps no company."""
    word = np.isin(ids, vocabulary.regular_ids)
    ids = ids.copy()
    ids[word] = rng.permutation(ids[word])
    return ids


def dog_barks(ids: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator) -> np.ndarray:
    """Where dog or puppy barks it is the dog; in every other sentence of theirs it is the puppy."""
    barks = (ids == vocabulary.ids(["barked"])[0]).any(axis=1, keepdims=True)
    return _named(ids, vocabulary, np.broadcast_to(barks, ids.shape))


def dog_anywhere(ids: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator) -> np.ndarray:
    """Dog or puppy by lot, whatever the sentence, with the dog as frequent as in `dog_barks`."""
    return _named(ids, vocabulary, rng.random((len(ids), 1)) < barking_share())


COMPANY_ARMS: dict[str, Rewrite] = {WHOLE_TEXT: as_it_is, ALONE: drawn_alone, BARKS: dog_barks, RARE_DOG: dog_anywhere}


def barking_share() -> float:
    """How many of the dogs and puppies bark: the exact share of their sentences with the word "barked"."""
    language = scene_language()
    dog, puppy, barked = language.vocabulary.ids(["dog", "puppy", "barked"])
    there = language.distributions[language.slot_distribution]  # (S, T, V)
    either = (there[:, :, dog] + there[:, :, puppy]).sum(axis=1) * language.prior  # at most one of them in a sentence
    return float((either * there[:, :, barked].sum(axis=1)).sum() / either.sum())


def _named(ids: np.ndarray, vocabulary: Vocabulary, is_dog: np.ndarray) -> np.ndarray:
    dog, puppy = vocabulary.ids(["dog", "puppy"])
    return np.where((ids == dog) | (ids == puppy), np.where(is_dog, dog, puppy), ids)


class ArmSentences(SampledSentences):
    """Fresh sentences of the scene language, rewritten as an arm of the study says. seed: of the run."""

    def __init__(self, arm: str, seed: int):
        super().__init__(scene_language(), seed)
        self.rewrite = COMPANY_ARMS[arm]
        self.luck = generator(seed, Stream.TEXT, 1)

    def next_batch(self, n: int) -> np.ndarray:
        return self.rewrite(super().next_batch(n), self.vocabulary, self.luck)
