"""Who fills in blanks: a reader gives the distribution of each hidden word, all of a sentence in one pass.

Shape letters: B sentences, T positions, k asked positions of a sentence, V tokens, m blanks, W words.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.lab.asking import word_log_probabilities
from mlm_mini.languages import ExactLanguage
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import MaskedLM


@dataclass(frozen=True)
class BlankReader:
    """ask: ids (B, T), positions (B, k) -> probabilities (B, k, V), each blank with the other blanks still hidden."""

    vocabulary: Vocabulary
    ask: Callable[[np.ndarray, np.ndarray], np.ndarray]

    def __call__(self, ids: np.ndarray, positions: np.ndarray) -> np.ndarray:
        return self.ask(ids, positions)


def reader_of_language(language: ExactLanguage) -> BlankReader:
    """Who knows the language. It raises ValueError at a sentence that the language cannot produce."""
    return BlankReader(language.vocabulary, language.posterior_at)


def reader_of_model(model: MaskedLM, vocabulary: Vocabulary) -> BlankReader:
    """A model, its special tokens excluded before the softmax: a hidden word is never one of them."""
    return BlankReader(
        vocabulary, lambda ids, positions: np.exp(word_log_probabilities(model, ids, positions, vocabulary))
    )


def conditional_tables(
    reader: BlankReader, ids: np.ndarray, positions: np.ndarray, words: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """p(word at each blank | words at the others) for each of m blanks of a sentence: m tables (W_1, ..., W_m).

    ids: (T,) a sentence, whatever stands at the m positions. words: of each blank, the (W_i,) words that it is confined
    to. What the reader gives to other words is left out and the rest scaled to sum to one.
    """
    tables = []
    for i, position in enumerate(positions):
        others = [j for j in range(len(positions)) if j != i]
        sizes = [len(words[j]) for j in others]
        filled = np.repeat(ids[None], int(np.prod(sizes)), axis=0)
        filled[:, position] = reader.vocabulary.mask_id
        for j, chosen in zip(others, np.indices(sizes).reshape(len(sizes), -1), strict=True):
            filled[:, positions[j]] = words[j][chosen]
        p = reader(filled, np.full((len(filled), 1), position))[:, 0, words[i]]
        p = p / p.sum(axis=1, keepdims=True)
        tables.append(np.moveaxis(p.reshape(*sizes, -1), -1, i))
    return tables


def one_pass_marginals(reader: BlankReader, ids: np.ndarray, positions: np.ndarray, words: np.ndarray) -> np.ndarray:
    """The distribution of each of m blanks among W words with all of them hidden, in one pass: (m, W)."""
    hidden = ids.copy()
    hidden[positions] = reader.vocabulary.mask_id
    p = reader(hidden[None], np.asarray(positions)[None])[0][:, words]
    return p / p.sum(axis=1, keepdims=True)
