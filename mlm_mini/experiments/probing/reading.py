"""What probes read in one model: by layer, with the noun seen or hidden, with another word hidden, beside controls.

Shape letters: N nouns, F folds, K kinds of sentences.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from mlm_mini.experiments.probing import features
from mlm_mini.experiments.probing.hiding import HIDEABLE, NOTHING, VERB, hide, hide_noun, words_meant
from mlm_mini.experiments.probing.nouns import SENTENCE_KINDS, SUBJECT_ALONE, Nouns, RoleTask
from mlm_mini.experiments.probing.probe import by_kind, control_labels, held_out_scores, split_folds
from mlm_mini.model import MaskedLM
from mlm_mini.seeds import Stream, generator

READ_NOUNS = NOUN_SEEN, NOUN_MASKED = "noun visible", "noun hidden"
TRAINED, UNTRAINED, STATIC_TABLE = "trained", "random weights", "static table"
ROLE, KNOWN_WORDS, CONTROL_TASK = "role", "role, words known", "control task"  # the first is tested on new words
LEMMA_FOLDS, VERB_FOLDS = 6, 4


@dataclass(frozen=True)
class Reading:
    """The balanced accuracy of one kind of probe. reader: TRAINED, UNTRAINED, or what else was read. noun: one of
    READ_NOUNS. layer: 0 for the embeddings. hidden: one of HIDEABLE. task: ROLE, KNOWN_WORDS or CONTROL_TASK.
    folds: (F, K), by fold and kind of sentence; accuracy: (K,), their mean."""

    reader: str
    noun: str
    layer: int
    hidden: str
    task: str
    folds: np.ndarray

    def __post_init__(self):
        object.__setattr__(self, "folds", np.asarray(self.folds, dtype=np.float64))  # JSON has null for NaN

    @property
    def accuracy(self) -> np.ndarray:
        return np.nanmean(self.folds, axis=0)


class Reader:
    """Probes on one draw of nouns, always the same and always in the same folds.

    nouns: N of them; lemma_folds, row_folds: (N,), by word and by noun.
    """

    def __init__(self, task: RoleTask, n: int, seed: int):
        self.task, self.language = task, task.language
        rng = np.random.default_rng(seed)
        self.nouns: Nouns = task.draw(n, rng)
        self.lemma_folds = split_folds(self.nouns.lemmas, LEMMA_FOLDS, rng)
        self.row_folds = split_folds(np.arange(n), LEMMA_FOLDS, rng)
        self.control = control_labels(self.nouns.lemmas, rng)
        self.seed = seed

    def seen(self, noun: str, hidden: str = NOTHING) -> np.ndarray:
        """The sentences as they are read, (N, T); the same at every call."""
        seen = hide(self.language, self.nouns, hidden, generator(self.seed, Stream.MASKS, HIDEABLE.index(hidden)))
        return hide_noun(self.language, self.nouns, seen) if noun == NOUN_MASKED else seen

    def ceiling(self, noun: str, hidden: str = NOTHING) -> np.ndarray:
        """How often the exact posterior is right about the role, in each kind of sentence: (K,)."""
        p = self.task.agent_posterior(self.seen(noun, hidden), self.nouns.places)
        return np.array([np.maximum(p, 1 - p)[self.nouns.kind == kind].mean() for kind in range(len(SENTENCE_KINDS))])

    def changed(self, hidden: str) -> np.ndarray:
        """In which share of the sentences of each kind a word is hidden, (K,): 0 where no sentence has such a word."""
        rows = (self.seen(NOUN_SEEN, hidden) != self.nouns.ids).any(axis=1)
        return np.array([rows[self.nouns.kind == kind].mean() for kind in range(len(SENTENCE_KINDS))])

    def states(self, model: MaskedLM, noun: str, hidden: str = NOTHING) -> np.ndarray:
        """(L + 1, N, D)."""
        pad = self.language.vocabulary.pad_id
        return features.states_at(model, self.seen(noun, hidden), self.nouns.places, pad)

    def fold_accuracy(self, x: np.ndarray, task: str = ROLE) -> np.ndarray:
        """Balanced accuracy on held-out nouns by fold and kind, (F, K), of probes on x, (N, D)."""
        groups, folds = self.nouns.lemmas, self.lemma_folds
        if task != ROLE:
            groups, folds = np.arange(len(self.nouns)), self.row_folds
        true = self.control if task == CONTROL_TASK else self.nouns.agent
        return by_kind(held_out_scores(x, true, groups, folds), self.nouns, folds, true)

    def text_features(self, noun: str, hidden: str = NOTHING) -> dict[str, np.ndarray]:
        """What a probe may read without a model: the position, the bag of words, and both."""
        seen, places = self.seen(noun, hidden), self.nouns.places
        bag = features.bag_of_words(seen, places, len(self.language.vocabulary))
        at = features.position_one_hot(places, seen.shape[1])
        return {"position": at, "bag of words": bag, "bag and position": np.hstack([bag, at])}

    def read_layers(self, models: dict[str, MaskedLM]) -> Iterator[Reading]:
        """Each layer of each model, the noun visible or hidden, the verb visible or hidden, with the controls."""
        for noun in READ_NOUNS:
            for reader, model in models.items():
                for hidden in (NOTHING, VERB):
                    for layer, x in enumerate(self.states(model, noun, hidden)):
                        for task in (ROLE, KNOWN_WORDS, CONTROL_TASK) if hidden == NOTHING else (ROLE,):
                            yield Reading(reader, noun, layer, hidden, task, self.fold_accuracy(x, task))

    def read_hidden(self, model: MaskedLM) -> Iterator[Reading]:
        """The last layer with each sort of word hidden; `read_layers` has the verb."""
        for noun in READ_NOUNS:
            for hidden in HIDEABLE:
                if hidden not in (NOTHING, VERB):
                    x = self.states(model, noun, hidden)[-1]
                    yield Reading(TRAINED, noun, len(model.blocks), hidden, ROLE, self.fold_accuracy(x))

    def read_text(self, model: MaskedLM) -> Iterator[Reading]:
        """What needs no model, and the rows of the model's table of words."""
        others = self.text_features(NOUN_SEEN) | {STATIC_TABLE: features.word_vectors(model, self.nouns.lemmas)}
        for reader, x in others.items():
            yield Reading(reader, NOUN_SEEN, 0, NOTHING, ROLE, self.fold_accuracy(x))

    def new_verbs(self, x: np.ndarray) -> float:
        """Balanced accuracy where the subject stands alone and the probe on x, (N, D), never met the verb.

        Over folds of verbs; each fold has verbs of both roles.
        """
        alone = self.nouns.kind == SUBJECT_ALONE
        nouns = self.nouns.where(alone)
        verbs = nouns.ids[words_meant(self.language, nouns, VERB)]
        folds, rng = np.empty(len(nouns), dtype=int), np.random.default_rng(self.seed)
        for role in (False, True):
            folds[nouns.agent == role] = split_folds(verbs[nouns.agent == role], VERB_FOLDS, rng)
        scores = held_out_scores(x[alone], nouns.agent, verbs, folds)
        return float(by_kind(scores, nouns, folds)[:, SUBJECT_ALONE].mean())


def random_copy(model: MaskedLM, seed: int) -> MaskedLM:
    """A model of the same shape as it was before its first step, with weights of another seed."""
    return MaskedLM(model.config, torch.Generator().manual_seed(seed)).eval()
