"""Verbs of one form and two uses: somebody opens it, and it opens.

English has many such verbs (Levin 1993, the causative alternation). Where three words after the verb are hidden,
nothing but the subject tells the use: "the guard opens [MASK] [MASK] [MASK] ." and "the gate opens [MASK] [MASK]
[MASK] .". Verb, place and length of the sentence are the same, so that a reader who tells the uses apart knows
something of subjects.

Shape letters: N sentences, T positions, D width.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from mlm_mini.experiments.company.geometry import centered, nearest
from mlm_mini.experiments.company.vectors import last_states
from mlm_mini.languages import SceneLanguage, scene_language
from mlm_mini.model import MaskedLM

VERBS = ("opens", "closes", "breaks", "stops")
PLACE = 3  # of the verb: [CLS] the gate opens
HIDDEN_AFTER = 3  # words after it


@dataclass(frozen=True, eq=False)
class Uses:
    """ids: (N, T). verb, subject: N words each. by_itself: (N,) bool, True where the subject is what it happens to."""

    ids: np.ndarray
    verb: np.ndarray
    subject: np.ndarray
    by_itself: np.ndarray


@cache
def two_uses() -> Uses:
    """All sentences "the SUBJECT VERB [MASK] [MASK] [MASK] ." of the scene language, with VERBS and the words that fit.

    The use is known exactly: it is the frame of every scene that fits what can be seen.
    """
    language = scene_language()
    words = language.vocabulary.words(language.vocabulary.regular_ids)
    pairs = np.array([(verb, word) for verb in VERBS for word in words])
    ids = np.stack([language.encode(f"the {word} {verb} {'[MASK] ' * HIDDEN_AFTER}.") for verb, word in pairs])
    possible = np.isfinite(language.log_marginal(ids))
    chance = chance_by_itself(language, ids[possible])
    sure = np.isclose(chance, 0) | np.isclose(chance, 1)
    if not sure.all():
        raise ValueError("a subject fits both uses of a verb: the sentence does not tell which is meant")
    verbs, subjects = pairs[possible].T
    return Uses(ids[possible], verbs, subjects, chance > 0.5)


def chance_by_itself(language: SceneLanguage, ids) -> np.ndarray:
    """The exact probability that nobody does it, (N,), of sentences (N, T) with or without [MASK]."""
    return language.scene_posterior(ids) @ (language.frame == language.frames.index("undergoing"))


def verb_vectors(model: MaskedLM, uses: Uses) -> np.ndarray:
    """The verb's vector in each sentence, after the last block: (N, D)."""
    return last_states(model, uses.ids, scene_language().vocabulary.pad_id)[:, PLACE]


def told_apart(vectors, uses: Uses) -> float:
    """How often the nearest vector of the same verb is of the same use: the mean of both uses, then of the verbs.

    vectors: (N, D). Every sentence has another subject, so that the nearest one never has the same. By chance it
    is a little below 0.5, since a sentence is not among its own neighbors.
    """
    shares = []
    for verb in VERBS:
        mine = uses.verb == verb
        use = uses.by_itself[mine]
        right = use[nearest(centered(vectors[mine]), 1)[:, 0]] == use
        shares.append((right[use].mean() + right[~use].mean()) / 2)
    return float(np.mean(shares))
