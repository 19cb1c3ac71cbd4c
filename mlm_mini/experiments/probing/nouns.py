"""Nouns of scenes that are agent or patient, drawn so that neither the word nor the kind of sentence tells which.

Chefs only ever do things and bread never does. A probe that knows the words needs no sentence for these, so they are
left out: of each word and kind of sentence, agents and patients are kept in equal numbers, and words that cannot be
both in that kind are not kept at all. Whoever sees nothing but the noun is then right half of the time, exactly.

Shape letters: N nouns, T positions, S scenes, K kinds of sentences, V tokens; the last axis of 2 is agent, patient.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from mlm_mini.languages import ROLE_AGENT, ROLE_PATIENT, SceneLanguage, scene_language

ACTIVE, PASSIVE, SUBJECT_ALONE = range(3)
SENTENCE_KINDS = ("active", "passive", "subject alone")
KIND_OF_FRAME = {
    "active": ACTIVE,
    "passive": PASSIVE,
    "acting": SUBJECT_ALONE,
    "undergoing": SUBJECT_ALONE,
}  # -1 for others
ROLES_ASKED = (ROLE_AGENT, ROLE_PATIENT)
DRAWN_AT_ONCE = 4096


@dataclass(frozen=True)
class Nouns:
    """N nouns in their sentences. ids: (N, T), nothing hidden. places: (N,), where the noun stands. agent: (N,) bool,
    its role. kind: (N,) into SENTENCE_KINDS."""

    ids: np.ndarray
    places: np.ndarray
    agent: np.ndarray
    kind: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lemmas(self) -> np.ndarray:
        """(N,): the id of each noun."""
        return self.ids[np.arange(len(self)), self.places]

    def where(self, chosen: np.ndarray) -> "Nouns":
        """Some of them: by a bool for each, or by index."""
        return Nouns(self.ids[chosen], self.places[chosen], self.agent[chosen], self.kind[chosen])


class RoleTask:
    """Which nouns are asked about, and how often each is kept.

    keep: (K, V, 2), the chance that an agent or a patient with this word is kept: of the rarer role all, of the other
    as many, and of each kind of sentence as much as of the rarest. scene_kind: (S,) into SENTENCE_KINDS, or -1.
    """

    def __init__(self, language: SceneLanguage):
        self.language = language
        kinds = np.array([KIND_OF_FRAME.get(frame, -1) for frame in language.frames])
        self.scene_kind = kinds[language.frame]
        chances = self._chances()  # p(kind, word, role)
        rarer = chances.min(axis=2, keepdims=True)
        keep = np.divide(rarer, chances, out=np.zeros_like(chances), where=rarer > 0)
        mass = rarer.sum(axis=(1, 2))  # of each kind, and of either role
        self.keep = keep * (mass.min() / mass)[:, None, None]

    def _chances(self) -> np.ndarray:
        language = self.language
        chances = np.zeros((len(SENTENCE_KINDS), len(language.vocabulary), 2))
        for kind in range(len(SENTENCE_KINDS)):
            for column, role in enumerate(ROLES_ASKED):
                scenes, places = np.nonzero((language.roles == role) & (self.scene_kind == kind)[:, None])
                slots = language.slot_distribution[scenes, places]
                use = np.bincount(slots, language.prior[scenes], minlength=len(language.distributions))
                chances[kind, :, column] = use @ language.distributions
        return chances

    @property
    def lemmas(self) -> list[str]:
        """The nouns that can be both in one kind of sentence at least, in the order of the vocabulary."""
        asked = self.keep.any(axis=(0, 2))
        return self.language.vocabulary.words(np.flatnonzero(asked))

    def draw(self, n: int, rng: np.random.Generator) -> Nouns:
        """n nouns, each kept by its chance. Two may come from one sentence."""
        parts, found = [], 0
        while found < n:
            sample = self.language.sample(DRAWN_AT_ONCE, rng)
            rows, places = np.nonzero(np.isin(sample.roles, ROLES_ASKED))
            kind = self.scene_kind[sample.scene[rows]]
            agent = sample.roles[rows, places] == ROLE_AGENT
            chance = np.where(kind >= 0, self.keep[kind, sample.ids[rows, places], (~agent).astype(int)], 0.0)
            kept = rng.random(len(rows)) < chance
            parts.append(Nouns(sample.ids[rows[kept]], places[kept], agent[kept], kind[kept]))
            found += int(kept.sum())
        joined = (np.concatenate([getattr(part, name) for part in parts])[:n] for name in Nouns.__dataclass_fields__)
        return Nouns(*joined)

    def agent_posterior(self, seen, places) -> np.ndarray:
        """p(the noun is the agent | what is seen of its sentence, it was kept): the ceiling of every probe.

        seen: (N, T) ids with `mask_id` where hidden, the noun itself or not; places: (N,). Returns (N,). By Bayes'
        rule: a scene counts by p(scene | seen), times the chance that a noun of its role, word and kind is kept.
        Raises ValueError for a sentence that the language cannot produce, or a noun that is never kept.
        """
        language, places = self.language, np.asarray(places)
        seen = np.asarray(seen)
        words = seen[np.arange(len(seen)), places]
        hidden = words == language.vocabulary.mask_id
        both = np.zeros((len(seen), 2))
        for start in range(0, len(seen), DRAWN_AT_ONCE):
            block = slice(start, start + DRAWN_AT_ONCE)
            scenes = language.scene_posterior(seen[block])  # (n, S)
            for column, role in enumerate(ROLES_ASKED):
                with_role = language.roles.T[places[block]] == role  # (T, S) -> (n, S)
                named = self._kept_word(column)[words[block]]
                kept = np.where(hidden[block, None], self._kept_any(column).T[places[block]], named)
                both[block, column] = (scenes * with_role * kept).sum(axis=1)
        total = both.sum(axis=1)
        if not (total > 0).all():
            row = int(np.flatnonzero(~(total > 0))[0])
            text = " ".join(language.vocabulary.words(seen[row]))
            raise ValueError(f"row {row}: what stands at {places[row]} of {text!r} is never asked about")
        return both[:, 0] / total

    def _kept_word(self, column: int) -> np.ndarray:
        """(V, S): the chance that a word of this role is kept in each scene."""
        chances = self.keep[self.scene_kind, :, column].T
        return np.where(self.scene_kind >= 0, chances, 0.0)

    def _kept_any(self, column: int) -> np.ndarray:
        """(S, T): the same for a word that is not seen, over the words that the scene may have there."""
        by_kind = self.language.distributions @ self.keep[:, :, column].T  # (D, K)
        chances = by_kind[self.language.slot_distribution, self.scene_kind[:, None]]
        return np.where(self.scene_kind[:, None] >= 0, chances, 0.0)


@cache
def role_task() -> RoleTask:
    """The task in the scene language of the course."""
    return RoleTask(scene_language())
