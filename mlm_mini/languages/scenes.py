"""The scene language: English-like sentences whose hidden words have exactly known probabilities.

A sentence is made in two steps. A scene s is drawn from a prior; then the word at each position t is drawn from a
distribution that the scene names, independently of the other words:

    p(x_1 ... x_T) = sum_s p(s) prod_t p(x_t | s, t)

Hence every exact answer takes two steps as well: weigh the scenes by the visible words, then mix the distributions
of the hidden position with those weights. Scenes share distributions, so both steps are small.

Shape letters: B sentences, T positions, V tokens, S scenes, D distinct word distributions, N asked positions in all,
and within one group of alike scenes G scenes, U distributions that they use at a position.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlm_mini.languages.checks import checked_shares
from mlm_mini.languages.exact import FINGERPRINT_DIGITS, Evidence, ExactLanguage
from mlm_mini.languages.sentences import Sentences
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.storage import fingerprint

ROLES = ("none", "agent", "patient", "other")
ROLE_NONE, ROLE_AGENT, ROLE_PATIENT, ROLE_OTHER = range(4)
LOG_SMALLEST = -700.0  # about the logarithm of the smallest positive float64: sentences are products of T probabilities


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
    Raises ValueError when shapes do not fit, probabilities do not sum to one or are too small to be multiplied, or an
    index is out of range.
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
        self.prior = checked_shares(prior, (S,), "prior")
        self.distributions = checked_shares(distributions, (-1, len(vocabulary)), "distributions")
        _check_products(self.prior, self.distributions, T)
        self.roles = _checked_index(_or(roles, ROLE_NONE, (S, T)), (S, T), 0, len(ROLES), "roles").astype(np.int8)
        self.referent = _checked_index(_or(referent, -1, (S,)), (S,), -1, T, "referent")
        self.frame = _checked_index(_or(frame, 0, (S,)), (S,), 0, len(frames), "frame")
        self.frames = tuple(frames)
        self.word_class = dict(word_class or {})
        self._groups = _alike(slots, self.distributions)
        self._only_words = [_numbered(column) for column in np.array([group.only_word for group in self._groups]).T]
        self._uses = [_uses(column) for column in slots.T]
        self._by_token = np.ascontiguousarray(self.distributions.T)  # (V, D)
        self._cumulative = _cumulative(self.distributions)

    def __repr__(self) -> str:
        S, T = self.slot_distribution.shape
        return f"SceneLanguage({S} scenes, {len(self.distributions)} distributions, {self.vocabulary}, length {T})"

    @property
    def fingerprint(self) -> str:
        chances = [p.round(FINGERPRINT_DIGITS) for p in (self.prior, self.distributions)]
        labels = [self.roles, self.referent, self.frame, list(self.frames), self.word_class]
        return fingerprint("scenes", list(self.vocabulary.tokens), self.slot_distribution, chances, labels)

    def sample(self, n: int, rng: np.random.Generator) -> SceneSentences:
        """n independent sentences with their labels."""
        if n < 0:
            raise ValueError(f"n must be a number of sentences, got {n}")
        scene = rng.choice(len(self.prior), size=n, p=self.prior)
        ids = self._draw(self.slot_distribution[scene], rng)
        return SceneSentences(self.vocabulary, ids, self.roles[scene], self.referent[scene], scene, self.frame[scene])

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
        weights = self._weights(self._clean(ids))
        total = weights.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            self._check_possible(np.log(total[:, 0]), ids, np.arange(len(ids)))
        return weights / total

    def referent_posterior(self, ids) -> np.ndarray:
        """p(the pronoun stands for the word at t | visible tokens): (B, T) ids -> (B, T).

        A row sums to the probability that the sentence has a pronoun at all.
        """
        antecedent = self.referent[:, None] == np.arange(self.length)  # (S, T)
        return self.scene_posterior(ids) @ antecedent

    def _infer(self, evidence: Evidence, rows, positions):
        weights = self._weights(evidence)
        likelihood = weights.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            log_likelihood, weights = np.log(likelihood), weights / likelihood[:, None]
        used_mass = np.zeros((len(rows), len(self.distributions)))  # p(the word is drawn from d | what is seen), (N, D)
        for t in np.unique(positions):
            here = np.flatnonzero(positions == t)
            by_use, starts, used = self._uses[t]
            used_mass[here[:, None], used] = np.add.reduceat(weights[rows[here, None], by_use], starts, axis=1)
        return log_likelihood, used_mass @ self.distributions

    def _joint(self, evidence: Evidence, positions):
        weights = self._weights(evidence)[0]
        scenes = np.flatnonzero(weights)
        operands = [weights[scenes] / weights.sum(), [0]]
        for axis, t in enumerate(positions, start=1):
            operands += [self.distributions[self.slot_distribution[scenes, t]], [0, axis]]
        return np.einsum(*operands, list(range(1, len(positions) + 1)), optimize=True)

    def _weights(self, evidence: Evidence) -> np.ndarray:
        """p(scene, what is seen), (B, S).

        Most groups of scenes are ruled out by the words that all of them share, before any scene is looked at.
        """
        ids, match, other = evidence
        weights = np.zeros((len(ids), len(self.prior)))
        shared = np.ones((len(self._groups), len(ids)))
        for t, (words, choice) in enumerate(self._only_words):
            agrees = other[:, t] + match[:, t] * (ids[:, t] == words[:, None])  # one row per fixed word
            agrees[words < 0] = 1.0
            shared *= agrees[choice]
        for g, group in enumerate(self._groups):
            rows = np.flatnonzero(shared[g])
            if not rows.size:
                continue
            product = shared[g, rows][:, None] * self.prior[group.scenes]  # (n, G)
            for t, used, choice in group.varying:
                seen = other[rows, t, None] + match[rows, t, None] * self._by_token[ids[rows, t, None], used]
                product *= seen[:, choice]  # (n, U) -> (n, G): each scene reads off the distribution it uses
            weights[rows[:, None], group.scenes] = product
        return weights


class Group(NamedTuple):
    """Scenes that sound alike: the same positions hold the same fixed words.

    scenes: (G,) int. only_word: (T,) int, the word all of them have at t, or -1 where words vary.
    varying: for each position of the second sort t, the distributions used there, (U,) int, and which of them each
    scene uses, (G,) int into the former.
    """

    scenes: np.ndarray
    only_word: np.ndarray
    varying: list[tuple[int, np.ndarray, np.ndarray]]


def _alike(slot_distribution: np.ndarray, distributions: np.ndarray) -> list[Group]:
    certain = distributions.max(axis=1) == 1.0
    only_word = np.where(certain, distributions.argmax(axis=1), -1)[slot_distribution]  # (S, T)
    skeletons, member = np.unique(only_word, axis=0, return_inverse=True)
    groups = []
    for g, skeleton in enumerate(skeletons):
        scenes = np.flatnonzero(member.ravel() == g)
        varying = [(t, *_numbered(slot_distribution[scenes, t])) for t in np.flatnonzero(skeleton < 0)]
        # pyrefly: ignore[bad-argument-type] an index of NumPy's is as good as an int
        groups.append(Group(scenes, skeleton, varying))
    return groups


def _uses(column: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The scenes in the order of the distribution they use at one position, (S,); where each begins and which, (U,)."""
    by_use = np.argsort(column, kind="stable")
    used, starts = np.unique(column[by_use], return_index=True)
    return by_use, starts, used


def _numbered(column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used, choice = np.unique(column, return_inverse=True)
    return used, choice.ravel()


def _check_products(prior: np.ndarray, distributions: np.ndarray, T: int) -> None:
    smallest = np.log(prior[prior > 0].min()) + T * np.log(distributions[distributions > 0].min())
    if smallest < LOG_SMALLEST:
        raise ValueError(f"a sentence may have probability exp({smallest:.0f}), which float64 cannot hold")


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
