"""The vectors of a model: its table of words, and what becomes of a word in its sentences.

Shape letters: B sentences, T positions, V words, D the model's width, N occurrences.
"""

import numpy as np
import torch

from mlm_mini.experiments.lab.asking import without_dropout
from mlm_mini.languages import Vocabulary
from mlm_mini.model import MaskedLM

READ_AT_ONCE = 1024


def table(model: MaskedLM, ids) -> np.ndarray:
    """The rows of the table of words for V tokens: float64 (V, D), a copy."""
    return model.embeddings.words.weight.detach().cpu().double().numpy()[np.asarray(ids)]


@torch.no_grad()
def last_states(model: MaskedLM, ids, pad_id: int) -> np.ndarray:
    """The states after the last block, in eval mode: (B, T) ids -> float32 (B, T, D)."""
    with without_dropout(model):
        blocks = torch.from_numpy(np.asarray(ids)).split(READ_AT_ONCE)
        return np.concatenate([model.encode(block, block != pad_id).cpu().numpy() for block in blocks])


def occurrences(model: MaskedLM, ids, vocabulary: Vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """Every regular token of some sentences (B, T): its id (N,), and its vector in its sentence (N, D)."""
    ids = np.asarray(ids)
    word = np.isin(ids, vocabulary.regular_ids)
    return ids[word], last_states(model, ids, vocabulary.pad_id)[word]


def mean_vectors(tokens, vectors, ids) -> np.ndarray:
    """The mean vector of each of V tokens over its occurrences: (V, D); zeros for one that does not occur.

    tokens: (N,); vectors: (N, D).
    """
    size = max(np.max(tokens, initial=0), np.max(ids)) + 1
    sums = np.stack([np.bincount(tokens, column, minlength=size) for column in np.asarray(vectors).T], axis=1)
    times = np.bincount(tokens, minlength=size)
    return (sums / np.maximum(times, 1)[:, None])[ids]
