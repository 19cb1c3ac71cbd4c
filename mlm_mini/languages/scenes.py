"""The scene language: English-like sentences whose hidden words have exactly known probabilities.

A sentence is made in two steps. A scene s is drawn from a prior; then the word at each position t is drawn from a
distribution that the scene names, independently of the other words:

    p(x_1 ... x_T) = sum_s p(s) prod_t p(x_t | s, t)

Hence every exact answer takes two steps as well: weigh the scenes by the visible words, then mix the distributions
of the hidden position with those weights. Scenes share distributions, so both steps are small.

Shape letters: B sentences, T positions, V tokens, S scenes, D distinct word distributions, N asked positions in all,
and within one group of alike scenes G scenes, U distributions that they use at a position.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from mlm_mini.languages.exact import Evidence, ExactLanguage, Sentences, checked_distribution
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.storage import fingerprint

ROLES = ("none", "agent", "patient", "other")
ROLE_NONE, ROLE_AGENT, ROLE_PATIENT, ROLE_OTHER = range(4)


@dataclass(frozen=True)
class SceneSentences(Sentences):
    """A sample of n sentences of T positions, with what a linguist would write beside each.

    ids: (n, T) int64. roles: (n, T) int8, one of ROLE_NONE, ROLE_AGENT, ROLE_PATIENT, ROLE_OTHER; nouns have roles.
    referent: (n,) int64, the position of the word that "he" or "she" stands for, -1 where there is no pronoun.
    scene: (n,) int64. frame: (n,) int64, an index into `SceneLanguage.frames`.
    """

    roles: np.ndarray
    referent: np.ndarray
    scene: np.ndarray
    frame: np.ndarray


class SceneLanguage(ExactLanguage):
    """A mixture over S scenes of sentences with independent positions.

    prior: (S,) probabilities of the scenes. slot_distribution: (S, T) int, the row of `distributions` that position t
    of scene s is drawn from. distributions: (D, V), rows sum to one. Labels, all optional: roles (S, T) int8, referent
    (S,) int, frame (S,) int into `frames`, word_class: dict from regular token to the name of its class.
    Raises ValueError when shapes do not fit, probabilities do not sum to one, or an index is out of range.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        prior,
        slot_distribution,
        distributions,
        *,
        roles=None,
        referent=None,
        frame=None,
        frames: tuple[str, ...] = ("sentence",),
        word_class: dict[str, str] | None = None,
    ):
        slots = _checked_index(slot_distribution, (-1, -1), 0, len(distributions), "slot_distribution")
        S, T = slots.shape
        super().__init__(vocabulary, T)
        self.slot_distribution = slots
        self.prior = checked_distribution(prior, (S,), "prior")
        self.distributions = checked_distribution(distributions, (-1, len(vocabulary)), "distributions")
        self.roles = _checked_index(_or(roles, ROLE_NONE, (S, T)), (S, T), 0, len(ROLES), "roles").astype(np.int8)
        self.referent = _checked_index(_or(referent, -1, (S,)), (S,), -1, T, "referent")
        self.frame = _checked_index(_or(frame, 0, (S,)), (S,), 0, len(frames), "frame")
        self.frames = tuple(frames)
        self.word_class = dict(word_class or {})
        self._groups = _alike(self)
        self._cumulative = _cumulative(self.distributions)

    def __repr__(self) -> str:
        S, T = self.slot_distribution.shape
        return f"SceneLanguage({S} scenes, {len(self.distributions)} distributions, {self.vocabulary}, length {T})"

    @property
    def fingerprint(self) -> str:
        """A name for this very language: 16 hexadecimal digits that change with any word or probability."""
        return fingerprint(
            "scenes", list(self.vocabulary.tokens), self.prior, self.slot_distribution, self.distributions, self.roles
        )

    def sample(self, n: int, rng: np.random.Generator) -> SceneSentences:
        """n independent sentences with their labels."""
        if n < 0:
            raise ValueError(f"n must be a number of sentences, got {n}")
        scene = rng.choice(len(self.prior), size=n, p=self.prior)
        ids = self._draw(self.slot_distribution[scene], rng)
        return SceneSentences(
            self.vocabulary, ids, self.roles[scene], self.referent[scene], scene, self.frame[scene]
        )

    def _draw(self, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """One token from each named distribution, by inversion: row d of the table lives between d and d + 1."""
        u = np.minimum(rows + rng.random(rows.shape), np.nextafter(rows + 1.0, 0.0))
        return np.searchsorted(self._cumulative, u, side="right") - rows * len(self.vocabulary)

    # ---- exact answers

    def scene_posterior(self, ids) -> np.ndarray:
        """p(scene | visible tokens): (B, T) ids with `mask_id` where hidden -> (B, S).

        Raises ValueError for a sentence the language cannot produce.
        """
        ids = self._checked_sentences(ids)
        weights = np.zeros((len(ids), len(self.prior)))
        for group, rows, group_weights in self._weighed(self._clean(ids)):
            weights[rows[:, None], group.scenes] = group_weights
        total = weights.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            self._check_possible(np.log(total[:, 0]), ids, 0)
        return weights / total

    def referent_posterior(self, ids) -> np.ndarray:
        """p(the pronoun stands for the word at t | visible tokens): (B, T) ids -> (B, T).

        A row sums to the probability that the sentence has a pronoun at all.
        """
        antecedent = self.referent[:, None] == np.arange(self.length)  # (S, T)
        return self.scene_posterior(ids) @ antecedent

    def _infer(self, evidence: Evidence, rows, positions):
        likelihood = np.zeros(len(evidence.ids))
        mass = np.zeros((len(rows), len(self.vocabulary)))
        for group, sentences, weights in self._weighed(evidence):
            likelihood[sentences] += weights.sum(axis=1)
            local = np.full(len(evidence.ids), -1)
            local[sentences] = np.arange(len(sentences))
            here = np.flatnonzero(local[rows] >= 0)
            for t in np.unique(positions[here]):
                asked = here[positions[here] == t]
                used, chooser = group.slots[t]
                # (n, G) @ (G, U) @ (U, V): scenes to distributions to words
                mass[asked] += weights[local[rows[asked]]] @ chooser @ self.distributions[used]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(likelihood), mass / likelihood[rows, None]

    def _joint(self, evidence: Evidence, positions):
        joint = np.zeros((len(self.vocabulary),) * len(positions))
        for group, _, weights in self._weighed(evidence):
            tables = [self.distributions[self.slot_distribution[group.scenes, t]] for t in positions]  # each (G, V)
            operands = [weights[0], [0]]
            for axis, table in enumerate(tables, start=1):
                operands += [table, [0, axis]]
            joint += np.einsum(*operands, list(range(1, len(tables) + 1)), optimize=True)
        return joint / joint.sum()

    def _weighed(self, evidence: Evidence) -> Iterator[tuple["Group", np.ndarray, np.ndarray]]:
        """For each group: the sentences (n,) it may have produced, and p(scene, what is seen) for them, (n, G).

        Most groups are ruled out by the words that all their scenes share, before any scene is looked at.
        """
        ids, match, other = evidence
        shared = np.ones((len(ids), len(self._groups)))
        for t in range(self.length):
            only = np.array([group.only_word[t] for group in self._groups])
            agrees = np.where(only >= 0, ids[:, t, None] == only, 0.0)
            shared *= np.where(only >= 0, other[:, t, None] + match[:, t, None] * agrees, 1.0)
        for g, group in enumerate(self._groups):
            rows = np.flatnonzero(shared[:, g])
            if not rows.size:
                continue
            weights = shared[rows, g, None] * self.prior[group.scenes]
            for t in np.flatnonzero(group.only_word < 0):
                used, chooser = group.slots[t]
                seen = other[rows, t, None] + match[rows, t, None] * self.distributions[used][:, ids[rows, t]].T
                weights *= seen @ chooser.T  # (n, U) @ (U, G): each scene reads off the distribution that it uses
            yield group, rows, weights


@dataclass(frozen=True)
class Group:
    """Scenes that sound alike: the same positions hold the same fixed words.

    scenes: (G,) int. only_word: (T,) int, the word all of them have at t, or -1 where words vary.
    slots[t]: the distributions used there, (U,) int, and which scene uses which, (G, U) of zeros and ones.
    """

    scenes: np.ndarray
    only_word: np.ndarray
    slots: tuple[tuple[np.ndarray, np.ndarray], ...]


def _alike(language: SceneLanguage) -> tuple[Group, ...]:
    certain = language.distributions.max(axis=1) == 1.0
    only_word = np.where(certain, language.distributions.argmax(axis=1), -1)[language.slot_distribution]  # (S, T)
    skeletons, member = np.unique(only_word, axis=0, return_inverse=True)
    groups = []
    for g, skeleton in enumerate(skeletons):
        scenes = np.flatnonzero(member.ravel() == g)
        slots = []
        for column in language.slot_distribution[scenes].T:
            used, choice = np.unique(column, return_inverse=True)
            slots.append((used, np.eye(len(used))[choice.ravel()]))
        groups.append(Group(scenes, skeleton, tuple(slots)))
    return tuple(groups)


def _cumulative(distributions: np.ndarray) -> np.ndarray:
    """(D * V,) ascending: the cumulative probabilities of row d, moved up by d."""
    cumulative = distributions.cumsum(axis=1)
    cumulative /= cumulative[:, -1:]
    return (cumulative + np.arange(len(distributions))[:, None]).ravel()


def _or(labels, default: int, shape: tuple[int, ...]):
    return np.full(shape, default) if labels is None else labels


def _checked_index(index, shape: tuple[int, ...], low: int, high: int, name: str) -> np.ndarray:
    index = np.asarray(index)
    if index.ndim != len(shape) or any(want not in (-1, have) for want, have in zip(shape, index.shape, strict=True)):
        raise ValueError(f"{name} must have shape {shape}, got {index.shape}")
    if not np.issubdtype(index.dtype, np.integer):
        raise TypeError(f"{name} must be integers, got dtype {index.dtype}")
    outside = index[(index < low) | (index >= high)]
    if outside.size:
        raise ValueError(f"{name} has {outside[0]}, but runs {low}..{high - 1}")
    return index.astype(np.int64)
