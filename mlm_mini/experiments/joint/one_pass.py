"""What several blanks cost: all in one pass, or one after another, beside the exact joint.

For exact conditionals the loss of one pass is sum_i H(X_i) on average, that of the joint H(X_1 ... X_m), and they
differ by the total correlation. A model pays sum_i KL(p_i, q_i) on top.

Shape letters: B sentences, T positions, m blanks of a sentence, V tokens.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.joint.readers import BlankReader, reader_of_language
from mlm_mini.languages import ExactLanguage
from mlm_mini.reference import entropy

SEARCHES = 20  # draws of sentences, before it is given up to find long ones


@dataclass(frozen=True)
class HiddenWords:
    """Sentences with m blanks each. ids: (B, T), whole. positions: (B, m), in rising order."""

    language: ExactLanguage
    ids: np.ndarray
    positions: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def hidden(self) -> np.ndarray:
        """The sentences (B, T) with [MASK] at the blanks."""
        return self.hide(self.ids, range(self.positions.shape[1]))

    def hide(self, ids: np.ndarray, which) -> np.ndarray:
        """Sentences (B, T) with [MASK] at some of the blanks, by their numbers."""
        hidden = ids.copy()
        np.put_along_axis(hidden, self.positions[:, list(which)], self.language.vocabulary.mask_id, axis=1)
        return hidden

    @property
    def truth(self) -> np.ndarray:
        """What stood at the blanks, (B, m)."""
        return np.take_along_axis(self.ids, self.positions, axis=1)


def hide_words(language: ExactLanguage, n: int, m: int, rng: np.random.Generator, least: int = 0) -> HiddenWords:
    """n sentences with blanks at m of their words, every choice equally likely.

    Shorter sentences are passed over: a sentence has m words at the least, or `least` where that is more.
    Raises ValueError where the language has none that long.
    """
    ids, few = [], max(m, least)
    for _ in range(SEARCHES):
        drawn = language.sample(n, rng).ids
        ids.append(drawn[np.isin(drawn, language.vocabulary.regular_ids).sum(axis=1) >= few])
        if sum(map(len, ids)) >= n:
            break
    else:
        raise ValueError(f"in {SEARCHES * n} sentences fewer than {n} had {few} words: ask for less")
    ids = np.concatenate(ids)[:n]
    luck = np.where(np.isin(ids, language.vocabulary.regular_ids), rng.random(ids.shape), np.inf)
    return HiddenWords(language, ids, np.sort(np.argsort(luck, axis=1)[:, :m], axis=1))


def one_pass_nats(reader: BlankReader, blanks: HiddenWords) -> np.ndarray:
    """Surprisal of what stood at the blanks, all asked in one pass and added up: (B,) nats."""
    p = reader(blanks.hidden, blanks.positions)
    return -np.log(np.take_along_axis(p, blanks.truth[..., None], axis=2)[..., 0]).sum(axis=1)


def in_turn_nats(reader: BlankReader, blanks: HiddenWords) -> np.ndarray:
    """The same, asked one after another from left to right, each with the true words before it in place: (B,) nats."""
    m, nats = blanks.positions.shape[1], np.zeros(len(blanks))
    for i in range(m):
        seen = blanks.hide(blanks.ids, range(i, m))
        p = reader(seen, blanks.positions[:, i : i + 1])[:, 0]
        nats -= np.log(p[np.arange(len(p)), blanks.truth[:, i]])
    return nats


def joint_nats(blanks: HiddenWords) -> np.ndarray:
    """Surprisal of what stood at the blanks under the exact joint: (B,) nats, by two marginal likelihoods."""
    language = blanks.language
    return language.log_marginal(blanks.hidden) - language.log_marginal(blanks.ids)


def chained_total_correlation(blanks: HiddenWords) -> np.ndarray:
    """The total correlation of the blanks given all that is visible, without a table and right on average over
    sentences: each entropy given all blanks hidden, less that given the true words before it. (B,) nats; single values
    may be below 0."""
    reader, m = reader_of_language(blanks.language), blanks.positions.shape[1]
    nats = entropy(reader(blanks.hidden, blanks.positions)).sum(axis=1)
    for i in range(m):
        seen = blanks.hide(blanks.ids, range(i, m))
        nats -= entropy(reader(seen, blanks.positions[:, i : i + 1])[:, 0])
    return nats


def drawn_excess(table: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """What one pass of exact marginals pays more than the joint (V, V), at word pairs drawn from it: (draws,) nats."""
    cells = rng.choice(table.size, size=draws, p=table.ravel() / table.sum())
    a, b = np.unravel_index(cells, table.shape)
    return np.log(table[a, b]) - np.log(table.sum(axis=1)[a]) - np.log(table.sum(axis=0)[b])
