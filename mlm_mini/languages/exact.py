"""Languages that know the right answer: what the scene language and the Markov language share.

A learner's loss means little without the loss of a perfect reader. Both languages can name it, since the probability
of any hidden word given any visible ones is computed exactly. What a reader sees of each word is described by two
numbers per position, so that hidden words, visible words and noisy words are one case:

    p(seen token o | true word v) = other + match * [v == o]

    visible     match 1, other 0          hidden     match 0, other 1          noisy     something between

Shape letters: B sentences, T positions, V tokens, k asked positions of a sentence, N asked positions in all.
Probabilities are float64, logarithms are natural: every information measure is in nats.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlm_mini.languages.vocabulary import CLS, SEP, Vocabulary
from mlm_mini.reference import corrupt, entropy, maskable_positions, select_positions

ALL_MASK = (1.0, 0.0, 0.0)  # every selected token becomes [MASK], none is replaced or kept
JOINT_LIMIT = 2**26  # entries of a joint table: 512 MiB
BLOCK = 2048  # sentences worked on at once: bounds memory whatever B is
FINGERPRINT_DIGITS = 12  # sums differ in the last digits from one processor to the next; names must not
WORD = re.compile(r"\[[A-Z]+\]|\w+|[^\w\s]")


class Floor(NamedTuple):
    """The Bayes floor: what a perfect reader still pays, in nats per selected token.

    mean: the estimate. standard_error: its standard error over sentences. sentences: how many were drawn.
    """

    mean: float
    standard_error: float
    sentences: int


class Evidence(NamedTuple):
    """What is seen at each position, all (B, T): p(ids | true word v) = other + match * [v == ids]."""

    ids: np.ndarray
    match: np.ndarray
    other: np.ndarray


@dataclass(frozen=True)
class Sentences:
    """A sample. ids: (n, T) int64, each row [CLS] words [SEP] [PAD]..."""

    vocabulary: Vocabulary
    ids: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def text(self, i: int) -> str:
        """Sentence i as words with spaces between them, without [CLS], [SEP] and [PAD]."""
        return plain_text(self.vocabulary, self.ids[i])


class ExactLanguage(ABC):
    """A distribution over sentences of `length` positions whose conditionals are all known.

    vocabulary: Vocabulary of V tokens. length: T, [CLS] and [SEP] included.
    """

    def __init__(self, vocabulary: Vocabulary, length: int):
        self.vocabulary = vocabulary
        self.length = length

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Sentences:
        """n independent sentences."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """A name for this very language: 16 hexadecimal digits that change with any word or probability."""

    @abstractmethod
    def _infer(self, evidence: Evidence, rows: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log-likelihood (B,) of the evidence, and the posterior (N, V) at N hidden places (rows[i], positions[i]).

        An impossible sentence has log-likelihood -inf, and its rows of the posterior mean nothing.
        """

    @abstractmethod
    def _joint(self, evidence: Evidence, positions: np.ndarray) -> np.ndarray:
        """Joint distribution (V,)*m of m distinct hidden positions of one sentence (B = 1) that is possible."""

    # ---- text

    def encode(self, text: str) -> np.ndarray:
        """The ids (T,) of a sentence: [CLS] words [SEP] [PAD]...; words may be [MASK]. Capitals become small letters.

        Raises ValueError for a word the language does not have, or a sentence with too many words.
        """
        words = [word if word.startswith("[") else word.lower() for word in WORD.findall(text)]
        allowed = {self.vocabulary.tokens[i] for i in [*self.vocabulary.regular_ids, self.vocabulary.mask_id]}
        for word in words:
            if word not in allowed:
                raise ValueError(_unknown_word(word, text, self.vocabulary))
        if not 0 < len(words) <= self.length - 2:
            raise ValueError(f"a sentence has 1 to {self.length - 2} words, {text!r} has {len(words)}")
        ids = np.full(self.length, self.vocabulary.pad_id, dtype=np.int64)
        ids[: len(words) + 2] = self.vocabulary.ids([CLS, *words, SEP])
        return ids

    def decode(self, ids) -> str:
        """The text of one sentence (T,), without [CLS], [SEP] and [PAD]."""
        return plain_text(self.vocabulary, self.vocabulary.checked_ids(ids, ndim=1))

    # ---- exact answers

    def log_marginal(self, ids) -> np.ndarray:
        """log p(the visible tokens), in nats: (B, T) ids with `mask_id` where hidden -> (B,); -inf when impossible."""
        ids = self._checked_sentences(ids)
        nothing = np.empty(0, dtype=np.int64)
        parts = [self._infer(self._clean(ids[block]), nothing, nothing)[0] for block in _blocks(len(ids))]
        return np.concatenate(parts) if parts else np.empty(0)

    def posterior(self, ids) -> np.ndarray:
        """p(word at each position | visible tokens): (B, T) ids with `mask_id` where hidden -> (B, T, V).

        At a visible position all the mass is on the token seen. Any position may be hidden, [SEP] and [PAD] too.
        Raises ValueError for a sentence the language cannot produce.
        """
        ids = self._checked_sentences(ids)
        return self.posterior_at(ids, np.broadcast_to(np.arange(self.length), ids.shape))

    def posterior_at(self, ids, positions) -> np.ndarray:
        """As `posterior`, at k positions of each sentence only: (B, T) ids, (B, k) positions -> (B, k, V)."""
        ids = self._checked_sentences(ids)
        positions = self._checked_positions(positions, len(ids))
        seen = np.take_along_axis(ids, positions, axis=1)
        result = np.zeros((*positions.shape, len(self.vocabulary)))
        np.put_along_axis(result, seen[..., None], 1.0, axis=2)
        for block in _blocks(len(ids)):
            rows, asked = np.nonzero(seen[block] == self.vocabulary.mask_id)
            log_likelihood, posterior = self._infer(self._clean(ids[block]), rows, positions[block][rows, asked])
            self._check_possible(log_likelihood, ids, np.arange(block.start, block.stop))
            result[block][rows, asked] = posterior
        return result

    def joint(self, ids, positions) -> np.ndarray:
        """p(words at m hidden positions together | visible tokens): (T,) ids, m positions -> (V,)*m, axes in order.

        Raises ValueError when a position is visible or asked twice, when the table would have more than JOINT_LIMIT
        entries, or when the language cannot produce the sentence.
        """
        ids = self._checked_sentences(np.asarray(ids)[None])
        positions = self._checked_positions(np.asarray(positions)[None], 1)[0]
        if len(set(positions.tolist())) != len(positions) or not len(positions):
            raise ValueError(f"positions must be distinct and at least one, got {positions.tolist()}")
        for t in positions:
            if ids[0, t] != self.vocabulary.mask_id:
                raise ValueError(f"position {t} shows {self.vocabulary.tokens[ids[0, t]]!r}: hide it with [MASK] first")
        if len(self.vocabulary) ** len(positions) > JOINT_LIMIT:
            raise ValueError(
                f"a joint table of {len(positions)} positions has {len(self.vocabulary)}**{len(positions)} entries, "
                f"more than the limit of {JOINT_LIMIT}: ask for fewer positions"
            )
        self._check_possible(self.log_marginal(ids), ids, [0])
        return self._joint(self._clean(ids), positions)

    def posterior_under_corruption(self, ids, positions, mask_ratio: float, split) -> np.ndarray:
        """p(true word | corrupted sentence) at k positions of each: (B, T) ids, (B, k) positions -> (B, k, V).

        The reader knows the recipe but not its outcome: each ordinary token was selected with probability mask_ratio,
        and a selected one became [MASK], a uniformly drawn regular token, or stayed, with the probabilities `split`.
        Of the position it is asked about the reader knows that it was selected; of the others it does not, just as a
        model that is trained on such text cannot tell. A [MASK] hides its word whatever the rates.
        Raises ValueError for a sentence the language cannot produce, or a position that shows [CLS], [SEP] or [PAD].
        """
        ids = self._checked_sentences(ids)
        positions = self._checked_positions(positions, len(ids))
        asked = np.take_along_axis(ids, positions, axis=1)
        never = np.isin(asked, self.vocabulary.special_ids) & (asked != self.vocabulary.mask_id)
        if never.any():
            raise ValueError(
                f"{self.vocabulary.tokens[asked[never][0]]} is never selected: ask at words or [MASK] only"
            )
        mask_ratio, split = _checked_ratio(mask_ratio), _checked_split(split)
        rows = np.repeat(np.arange(len(ids)), positions.shape[1])
        posterior = self._corrupted(ids, rows, positions.ravel(), mask_ratio, split)
        return posterior.reshape(*positions.shape, len(self.vocabulary))

    def bayes_floor(
        self,
        mask_ratio: float,
        rng: np.random.Generator,
        n: int = 10_000,
        method: str = "bernoulli",
        split: tuple[float, float, float] = ALL_MASK,
    ) -> Floor:
        """The mean surprisal per selected token of a reader who knows the language, in nats.

        Monte Carlo over n sentences and their masks; over the hidden word the mean is taken exactly, because the
        expected surprisal of an exact posterior is its entropy. mask_ratio, method, split: as in
        `mlm_mini.reference.select_positions` and `corrupt`; under a split that replaces or keeps tokens, the reader is
        that of `posterior_under_corruption`.
        Raises ValueError for mask_ratio 0 or n < 2, when nothing was selected, and for method "fixed" with such a split
        (the number of selected tokens would tie the noise of one position to that of the others).
        """
        mask_ratio, split = _checked_ratio(mask_ratio), _checked_split(split)
        if mask_ratio == 0:
            raise ValueError("mask_ratio is 0, so no token is ever predicted and no floor exists: choose one above 0")
        if n < 2:
            raise ValueError(f"n must be at least 2 sentences for a standard error, got {n}")
        if split != ALL_MASK and method != "bernoulli":
            raise ValueError(f"split {split} needs method 'bernoulli', got {method!r}: its noise must be independent")
        blocks = [self._floor_terms(_size(block), mask_ratio, rng, method, split) for block in _blocks(n)]
        return _ratio_estimate(*(np.concatenate(column) for column in zip(*blocks, strict=True)))

    def _floor_terms(self, n, mask_ratio, rng, method, split) -> tuple[np.ndarray, np.ndarray]:
        """Of n fresh sentences: expected nats (n,), and number of selected tokens (n,)."""
        vocabulary = self.vocabulary
        ids = self.sample(n, rng).ids
        selected = select_positions(maskable_positions(ids, vocabulary.special_ids), mask_ratio, rng, method)
        seen = corrupt(ids, selected, vocabulary.mask_id, vocabulary.regular_ids, rng, split)
        rows, positions = np.nonzero(selected)
        if split == ALL_MASK:
            posterior = self._infer(self._clean(seen), rows, positions)[1]
        else:
            posterior = self._corrupted(seen, rows, positions, mask_ratio, split)
        return np.bincount(rows, entropy(posterior), minlength=n), selected.sum(axis=1)

    # ---- evidence

    def _clean(self, ids) -> Evidence:
        visible = ids != self.vocabulary.mask_id
        return Evidence(ids, visible.astype(np.float64), (~visible).astype(np.float64))

    def _corrupted(self, seen, rows, positions, mask_ratio, split) -> np.ndarray:
        """Posterior (N, V) at N asked places of corrupted sentences (B, T).

        Each place gets a copy of its sentence in which it alone is hidden; what is seen there comes in afterwards,
        under the channel of a selected token. Raises ValueError for a sentence that the language cannot produce.
        """
        _, replaced, kept = split
        noise = replaced / len(self.vocabulary.regular_ids)
        result = np.empty((len(rows), len(self.vocabulary)))
        for block in _blocks(len(rows)):
            ids, here = seen[rows[block]], (np.arange(_size(block)), positions[block])
            word = ~np.isin(ids, self.vocabulary.special_ids)
            clean = self._clean(ids)
            match = np.where(word, 1 - mask_ratio + mask_ratio * kept, clean.match)
            other = np.where(word, mask_ratio * noise, clean.other)
            match[here], other[here] = 0.0, 1.0
            log_likelihood, posterior = self._infer(Evidence(ids, match, other), *here)

            shown = word[here]
            token = here[0], ids[here]
            agrees = posterior[token] * np.where(shown, kept, 0.0)
            posterior = posterior * np.where(shown, noise, 1.0)[:, None]
            posterior[token] += agrees
            total = posterior.sum(axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                self._check_possible(log_likelihood + np.log(total), seen, rows[block])
                result[block] = posterior / total[:, None]
        return result

    # ---- checks

    def _checked_sentences(self, ids) -> np.ndarray:
        ids = self.vocabulary.checked_ids(ids, ndim=2)
        if ids.shape[1] != self.length:
            raise ValueError(f"a sentence of this language has {self.length} positions, got ids of shape {ids.shape}")
        return ids

    def _checked_positions(self, positions, n: int) -> np.ndarray:
        positions = np.asarray(positions)
        if positions.size and not np.issubdtype(positions.dtype, np.integer):
            raise TypeError(f"positions must be integers, got dtype {positions.dtype}")
        if positions.ndim != 2 or len(positions) != n:
            raise ValueError(f"positions must have shape ({n}, k), one row per sentence, got {positions.shape}")
        outside = positions[(positions < 0) | (positions >= self.length)]
        if outside.size:
            raise ValueError(f"position {outside[0]} is outside the sentence: positions run 0..{self.length - 1}")
        return positions.astype(np.int64)

    def _check_possible(self, log_likelihood, ids, rows) -> None:
        """Raises ValueError when a log-likelihood is not finite, naming the row of `ids` that it belongs to."""
        impossible = np.flatnonzero(~np.isfinite(log_likelihood))
        if impossible.size:
            row = rows[impossible[0]]
            words = " ".join(self.vocabulary.words(ids[row]))
            raise ValueError(f"row {row} is impossible in this language, whatever its hidden words: {words!r}")


def plain_text(vocabulary: Vocabulary, ids: np.ndarray) -> str:
    """The words of one row of ids with spaces between them, without [CLS], [SEP] and [PAD]."""
    framing = {vocabulary.cls_id, vocabulary.sep_id, vocabulary.pad_id}
    return " ".join(vocabulary.words([i for i in ids if i not in framing]))


def checked_distribution(p, shape: tuple[int, ...], name: str) -> np.ndarray:
    """`p` as float64 of the given shape (-1: any size) whose last axis sums to one; ValueError names `name`."""
    p = np.array(p, dtype=np.float64)
    if p.ndim != len(shape) or any(want not in (-1, have) for want, have in zip(shape, p.shape, strict=True)):
        raise ValueError(f"{name} must have shape {shape}, got {p.shape}")
    if not (p >= 0).all():  # written so that NaN fails too
        raise ValueError(f"{name} has a negative or NaN entry: {p[~(p >= 0)][0]}")
    sums = p.sum(axis=-1)
    if not np.allclose(sums, 1.0, rtol=0, atol=1e-9):
        raise ValueError(f"{name} must sum to one along its last axis, got sums between {sums.min()} and {sums.max()}")
    return p / sums[..., None]


def _ratio_estimate(nats: np.ndarray, selected: np.ndarray) -> Floor:
    """Total nats / total selected tokens, with the standard error of a ratio: sentences differ in both."""
    n, count = len(nats), selected.sum()
    if count == 0:
        raise ValueError(f"no token was selected in {n} sentences: raise n or mask_ratio")
    mean = nats.sum() / count
    residual = nats - mean * selected
    return Floor(float(mean), float(np.sqrt(n / (n - 1) * (residual**2).sum()) / count), n)


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))


def _size(block: slice) -> int:
    return block.stop - block.start


def _checked_ratio(mask_ratio: float) -> float:
    if not 0 <= mask_ratio <= 1:  # NaN fails too
        raise ValueError(f"mask_ratio must lie in [0, 1], got {mask_ratio}")
    return float(mask_ratio)


def _checked_split(split) -> tuple[float, ...]:
    split = tuple(float(share) for share in split)
    if len(split) != 3 or not all(share >= 0 for share in split) or not np.isclose(sum(split), 1.0, rtol=0, atol=1e-9):
        raise ValueError(f"split must be three shares (mask, random, keep) that sum to 1, got {split}")
    return split


def _unknown_word(word: str, text: str, vocabulary: Vocabulary) -> str:
    near = vocabulary.nearest(word)
    hint = f"did you mean {' or '.join(repr(token) for token in near)}?" if near else "nothing in it is spelled alike"
    return f"{word!r} in {text!r} is not among the {len(vocabulary)} tokens of this language: {hint}"
