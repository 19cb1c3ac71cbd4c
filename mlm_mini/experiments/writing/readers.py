"""Who fills in the blanks: the exact language, or a model, each as a function from sentences with holes to logs.

Shape letters: B sentences, T positions, V tokens, N hidden positions in all.
"""

from collections.abc import Callable

import numpy as np

from mlm_mini.experiments.lab.asking import word_log_probabilities
from mlm_mini.languages import ExactLanguage, Vocabulary
from mlm_mini.model import MaskedLM

# From ids (B, T), with [MASK] where a word is hidden, to log-probabilities (N, V) in nats, one row for each hidden
# position in the order of np.nonzero(ids == mask_id). Tokens that may not be written have -inf.
Filler = Callable[[np.ndarray], np.ndarray]


def exact_reader(language: ExactLanguage) -> Filler:
    """The reader who knows the language. What has become impossible already is lost, whatever follows: there all words
    are equally likely."""
    vocabulary = language.vocabulary
    anything = np.full(len(vocabulary), -np.inf)
    anything[vocabulary.regular_ids] = -np.log(len(vocabulary.regular_ids))

    def read(ids: np.ndarray) -> np.ndarray:
        rows, places = np.nonzero(ids == vocabulary.mask_id)
        possible = np.isfinite(language.log_marginal(ids))
        known = possible[rows]
        places_of = np.broadcast_to(np.arange(ids.shape[1]), ids[possible].shape)
        row_of = (np.cumsum(possible) - 1)[rows[known]]  # among the possible ones
        log_p = np.tile(anything, (len(rows), 1))
        with np.errstate(divide="ignore"):
            log_p[known] = np.log(language.posterior_at(ids[possible], places_of)[row_of, places[known]])
        return log_p

    return read


def model_reader(model: MaskedLM, vocabulary: Vocabulary) -> Filler:
    """A model's guesses, with special tokens excluded before the softmax: nobody may write [PAD] or [MASK]."""

    def read(ids: np.ndarray) -> np.ndarray:
        hidden = ids == vocabulary.mask_id
        k = max(1, int(hidden.sum(axis=1).max(initial=0)))
        positions = np.argsort(~hidden, axis=1, kind="stable")[:, :k]  # those hidden first, from left to right
        log_q = word_log_probabilities(model, ids, positions, vocabulary)
        return log_q[np.take_along_axis(hidden, positions, axis=1)]  # (B, k, V) -> (N, V)

    return read
