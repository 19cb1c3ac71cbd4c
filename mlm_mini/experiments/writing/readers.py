"""Who fills in the blanks: the exact language, or a model, each as a function from sentences with holes to logs.

Shape letters: B sentences, T positions, V tokens, N hidden positions in all.
"""

from collections.abc import Callable

import numpy as np
import torch

from mlm_mini.languages import ExactLanguage, Vocabulary
from mlm_mini.model import MaskedLM

# From ids (B, T), with [MASK] where a word is hidden, to log-probabilities (N, V) in nats, one row for each hidden
# position in the order of np.nonzero(ids == mask_id). Tokens that may not be written have -inf.
Filler = Callable[[np.ndarray], np.ndarray]
BLANKS_AT_ONCE = 256


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
    excluded = torch.ones(len(vocabulary), dtype=torch.bool)
    excluded[torch.from_numpy(vocabulary.regular_ids.copy())] = False

    @torch.no_grad()
    def read(ids: np.ndarray) -> np.ndarray:
        model.eval()
        parts = [_read(ids[i : i + BLANKS_AT_ONCE]) for i in range(0, len(ids), BLANKS_AT_ONCE)]
        return np.concatenate(parts) if parts else np.empty((0, len(vocabulary)))

    def _read(ids: np.ndarray) -> np.ndarray:
        hidden, padding = ids == vocabulary.mask_id, ids == vocabulary.pad_id
        k = max(1, int(hidden.sum(axis=1).max()))
        positions = np.argsort(~hidden, axis=1, kind="stable")[:, :k]  # those hidden first, from left to right
        mask = torch.from_numpy(~padding) if padding.any() else None
        logits = model(torch.from_numpy(ids), mask, torch.from_numpy(positions), trim=True)  # (B, k, V)
        asked = torch.from_numpy(np.take_along_axis(hidden, positions, axis=1))
        return logits[asked].double().masked_fill(excluded, -torch.inf).log_softmax(-1).numpy()

    return read
