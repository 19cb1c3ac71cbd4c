"""Languages that know the right answer: what the scene language, the Markov language and the urn have in common.

A learner's loss means little without the loss of a perfect reader. These languages can name it, since the probability
of any hidden word given any visible ones is computed exactly. Two numbers for each position describe what a reader
sees of the word there, so that hidden words, visible words and noisy words are one case:

    p(seen token o | true word v) = other + match * [v == o]

    visible     match 1, other 0          hidden     match 0, other 1          noisy     something between

Shape letters: B sentences, T positions, V tokens, k asked positions of a sentence, N asked positions in all.
Probabilities are float64, logarithms are natural: every information measure is in nats.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np

from mlm_mini.languages.checks import ALL_MASK, checked_ratio, checked_split
from mlm_mini.languages.floor import Floor, estimate_floor
from mlm_mini.languages.sentences import Sentences, blocks_of, plain_text
from mlm_mini.languages.vocabulary import CLS, SEP, Vocabulary
from mlm_mini.languages.words import split_words_and_masks

JOINT_LIMIT = 2**26  # entries of a joint table: 512 MiB
FINGERPRINT_DIGITS = 12  # sums differ in the last digits from one processor to the next; names must not


class Evidence(NamedTuple):
    """What is seen at each position, all (B, T): p(ids | true word v) = other + match * [v == ids]."""

    ids: np.ndarray
    match: np.ndarray
    other: np.ndarray


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
        words = [word if word.startswith("[") else word.lower() for word in split_words_and_masks(text)]
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
        parts = [self._infer(self._clean(ids[block]), nothing, nothing)[0] for block in blocks_of(len(ids))]
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
        for block in blocks_of(len(ids)):
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
        The reader knows that the position it is asked about was selected. Of the others it cannot tell, and neither can
        a model that is trained on such text. A [MASK] hides its word whatever the rates.
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
        mask_ratio, split = checked_ratio(mask_ratio), checked_split(split)
        rows = np.repeat(np.arange(len(ids)), positions.shape[1])
        posterior = self._corrupted(ids, rows, positions.ravel(), mask_ratio, split)
        return posterior.reshape(*positions.shape, len(self.vocabulary))

    def posterior_of_selected(self, seen, rows, positions, mask_ratio: float, split) -> np.ndarray:
        """p(true word | corrupted sentence) at N selected places: (B, T) ids, N rows and N positions -> (N, V).

        As `posterior_under_corruption` says, but nothing is checked.
        """
        if split == ALL_MASK:
            return self._infer(self._clean(seen), rows, positions)[1]
        return self._corrupted(seen, rows, positions, mask_ratio, split)

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
        return estimate_floor(self, mask_ratio, rng, n, method, split)

    # ---- evidence

    def _clean(self, ids) -> Evidence:
        visible = ids != self.vocabulary.mask_id
        return Evidence(ids, visible.astype(np.float64), (~visible).astype(np.float64))

    def _corrupted(self, seen, rows, positions, mask_ratio, split) -> np.ndarray:
        """Posterior (N, V) at N asked places of corrupted sentences (B, T).

        Each place gets a copy of its sentence in which that place is hidden. What the place shows is weighed in
        afterwards, as the token of a selected place. Raises ValueError for a sentence that the language cannot produce.
        """
        _, replaced, kept = split
        noise = replaced / len(self.vocabulary.regular_ids)
        result = np.empty((len(rows), len(self.vocabulary)))
        for block in blocks_of(len(rows)):
            ids, here = seen[rows[block]], (np.arange(block.stop - block.start), positions[block])
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


def _unknown_word(word: str, text: str, vocabulary: Vocabulary) -> str:
    near = vocabulary.nearest(word)
    hint = f"did you mean {' or '.join(repr(token) for token in near)}?" if near else "nothing in it is spelled alike"
    return f"{word!r} in {text!r} is not among the {len(vocabulary)} tokens of this language: {hint}"
