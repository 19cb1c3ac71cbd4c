"""The Markov language: a first-order chain of words, the ground on which joint predictions are studied.

    p(x_1 ... x_n) = p(x_1) prod_t p(x_t | x_t-1)

Hidden words are inferred by forward-backward (Baum et al. 1970; Rabiner 1989): what the left context predicts for a
position, times how well each word there would explain the right context.

Shape letters: B sentences, T positions ([CLS] and [SEP] included), V tokens, K words (V without the special tokens),
N asked positions in all, m asked positions of one sentence.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from mlm_mini.languages.checks import checked_shares
from mlm_mini.languages.exact import FINGERPRINT_DIGITS, Evidence, ExactLanguage
from mlm_mini.languages.sentences import Sentences
from mlm_mini.languages.vocabulary import SPECIAL_TOKENS, Vocabulary
from mlm_mini.storage import fingerprint

# A day, told as a chain of things done: each line mostly leads to itself or to the next, and the last to the first.
DAY = (
    "wake stretch wash dress",
    "cook eat drink chat",
    "walk ride wait climb",
    "read write count build",
    "sing dance rest sleep",
)


class MarkovLanguage(ExactLanguage):
    """Sentences of exactly `sentence_length` words, each drawn given the one before it.

    words: K distinct tokens. transition: (K, K), row i is p(next word | word i). initial: (K,), the distribution of the
    first word; the stationary distribution of `transition` when None.
    Raises ValueError for wrong shapes, rows that do not sum to one, a length below 1, or a chain without a unique
    stationary distribution when `initial` is None.
    """

    def __init__(self, words: Sequence[str], transition, initial=None, *, sentence_length: int = 14):
        if sentence_length < 1:
            raise ValueError(f"sentence_length must be at least 1 word, got {sentence_length}")
        super().__init__(Vocabulary([*SPECIAL_TOKENS, *words]), sentence_length + 2)
        K = len(words)
        self.transition = checked_shares(transition, (K, K), "transition")
        initial = stationary_distribution(self.transition) if initial is None else initial
        self.initial = checked_shares(initial, (K,), "initial")
        self._steps = self._all_steps()

    def _all_steps(self) -> np.ndarray:
        """p(token at t + 1 | token at t) with [CLS] and [SEP] as tokens like any other: (T - 1, V, V)."""
        cls, sep, words = self.vocabulary.cls_id, self.vocabulary.sep_id, self.vocabulary.regular_ids
        steps = np.zeros((self.length - 1, len(self.vocabulary), len(self.vocabulary)))
        steps[0, cls, words] = self.initial
        steps[1:-1, words[:, None], words] = self.transition
        steps[-1, words, sep] = 1.0
        return steps

    def __repr__(self) -> str:
        return f"MarkovLanguage({len(self.initial)} words, sentences of {self.length - 2})"

    @property
    def fingerprint(self) -> str:
        chances = [p.round(FINGERPRINT_DIGITS) for p in (self.initial, self.transition)]
        return fingerprint("markov", list(self.vocabulary.tokens), self.length, chances)

    def encode(self, text: str) -> np.ndarray:
        """As `ExactLanguage.encode`; a sentence of another length than this language's is a ValueError."""
        ids = super().encode(text)
        if ids[-1] != self.vocabulary.sep_id:
            count = np.count_nonzero(ids != self.vocabulary.pad_id) - 2
            raise ValueError(f"a sentence has exactly {self.length - 2} words, {text!r} has {count}")
        return ids

    def sample(self, n: int, rng: np.random.Generator) -> Sentences:
        """n independent sentences."""
        if n < 0:
            raise ValueError(f"n must be a number of sentences, got {n}")
        ids = np.full((n, self.length), self.vocabulary.cls_id, dtype=np.int64)
        cumulative = self._steps.cumsum(axis=2)
        for t, step in enumerate(cumulative):
            row = step[ids[:, t]]  # (n, V)
            # The first token whose cumulative probability exceeds u; u stays below a total that rounding left under 1.
            u = rng.random((n, 1)) * row[:, -1:]
            ids[:, t + 1] = (row > u).argmax(axis=1)
        return Sentences(self.vocabulary, ids)

    def _infer(self, evidence: Evidence, rows, positions):
        log_likelihood, from_left, from_right = self._messages(evidence)
        posterior = from_left[positions, rows] * from_right[positions, rows]  # (N, V)
        with np.errstate(invalid="ignore"):
            return log_likelihood, posterior / posterior.sum(axis=1, keepdims=True)

    def _joint(self, evidence: Evidence, positions):
        _, from_left, from_right = self._messages(evidence)
        seen = _likelihoods(evidence, len(self.vocabulary))[:, 0]  # (T, V)
        order = np.argsort(positions)
        path = positions[order]
        joint = from_left[path[0], 0]
        for start, stop in pairwise(path):
            bridge = self._steps[start]
            for t in range(start + 1, stop):
                bridge = (bridge * seen[t]) @ self._steps[t]
            joint = joint[..., None] * (bridge / bridge.max())  # (V, ..., V) -> one axis more
        joint = joint * from_right[path[-1], 0]
        return np.transpose(joint / joint.sum(), np.argsort(order))

    def _messages(self, evidence: Evidence) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Log-likelihood (B,); p(token at t | what is seen before t), and p(what is seen after t | token at t) up to a
        factor, both (T, B, V)."""
        seen = _likelihoods(evidence, len(self.vocabulary))
        from_left, from_right = np.zeros_like(seen), np.ones_like(seen)
        from_left[0, :, self.vocabulary.cls_id] = 1.0
        log_likelihood = np.zeros(len(evidence.ids))
        with np.errstate(divide="ignore", invalid="ignore"):
            for t in range(self.length):
                here = from_left[t] * seen[t]
                total = here.sum(axis=1)
                log_likelihood += np.log(total)
                if t + 1 < self.length:
                    from_left[t + 1] = (here / total[:, None]) @ self._steps[t]
            for t in reversed(range(self.length - 1)):
                message = (seen[t + 1] * from_right[t + 1]) @ self._steps[t].T
                from_right[t] = message / message.max(axis=1, keepdims=True)
        return np.where(np.isnan(log_likelihood), -np.inf, log_likelihood), from_left, from_right


def _likelihoods(evidence: Evidence, V: int) -> np.ndarray:
    """p(what is seen at t | true token), (T, B, V)."""
    seen = np.repeat(evidence.other.T[..., None], V, axis=2)
    t, b = np.indices(seen.shape[:2])
    seen[t, b, evidence.ids.T] += evidence.match.T
    return seen


def stationary_distribution(transition: np.ndarray) -> np.ndarray:
    """The distribution (K,) with p = p @ transition.

    Raises ValueError when there are several, which is so when the chain falls apart into parts that never meet.
    """
    K = len(transition)
    # p (I - transition) = 0 and sum(p) = 1, as one least-squares problem of rank K
    equations = np.vstack([np.eye(K) - transition.T, np.ones(K)])
    if np.linalg.matrix_rank(equations) < K:
        raise ValueError("the chain has no unique stationary distribution: give `initial`, or connect its words")
    p = np.linalg.lstsq(equations, np.append(np.zeros(K), 1.0), rcond=None)[0].clip(min=0.0)
    return p / p.sum()


def markov_language(sentence_length: int = 14, seed: int = 0) -> MarkovLanguage:
    """The bundled chain of 20 words in five groups; `seed` draws its probabilities.

    A word is followed by a word of its own group (4 in 10), of the next group (5 in 10), or, its one surprise, by one
    fixed word from elsewhere (1 in 10): about 9 of 20 words can come next, some far likelier than others.
    """
    rng = np.random.default_rng(seed)
    groups = [line.split() for line in DAY]
    words = [word for group in groups for word in group]
    group_of = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    transition = np.zeros((len(words), len(words)))
    for i, g in enumerate(group_of):
        own, following = group_of == g, group_of == (g + 1) % len(groups)
        transition[i, own] = 0.4 * rng.dirichlet(np.ones(own.sum()))
        transition[i, following] = 0.5 * rng.dirichlet(np.ones(following.sum()))
        transition[i, rng.choice(np.flatnonzero(~own & ~following))] = 0.1
    return MarkovLanguage(words, transition, sentence_length=sentence_length)
