"""What a probe may read of a noun: the frozen model's vectors, layer by layer, and what needs no model.

Shape letters: N nouns, T positions, L blocks, D the width of a position, V tokens.
"""

import numpy as np
import torch

from mlm_mini.experiments.lab.asking import without_dropout
from mlm_mini.model import MaskedLM

PROBED_AT_ONCE = 1024


@torch.no_grad()
def states_at(model: MaskedLM, seen: np.ndarray, places: np.ndarray, pad_id: int) -> np.ndarray:
    """The vector of one position of each sentence, after the embeddings and after each block: (L + 1, N, D) float64.

    seen: (N, T) ids; places: (N,). The last of them is what the head of the model reads.
    """
    parts = []
    for start in range(0, len(seen), PROBED_AT_ONCE):
        ids = torch.from_numpy(seen[start : start + PROBED_AT_ONCE])
        rows, at = torch.arange(len(ids)), torch.from_numpy(places[start : start + PROBED_AT_ONCE])
        states = all_states(model, ids, ids != pad_id)
        parts.append(torch.stack([x[rows, at] for x in states]).double().numpy())
    return np.concatenate(parts, axis=1)


def all_states(model: MaskedLM, ids: torch.Tensor, attention_mask: torch.Tensor) -> list[torch.Tensor]:
    """The vectors of all positions after the embeddings and after each block: L + 1 times (B, T, D)."""
    mask = attention_mask[:, None, None, :]  # (B, T) -> (B, 1, 1, T), for every head and query
    with without_dropout(model):
        states = [model.embeddings(ids, None)]
        for block in model.blocks:
            states.append(block(states[-1], mask, False))
    return states


def bag_of_words(seen: np.ndarray, places: np.ndarray, V: int) -> np.ndarray:
    """How often each token stands in the sentence, the noun itself left out: (N, V)."""
    rows, at = np.nonzero(np.arange(seen.shape[1]) != places[:, None])
    return np.bincount(rows * V + seen[rows, at], minlength=len(seen) * V).reshape(len(seen), V).astype(np.float64)


def position_one_hot(places: np.ndarray, T: int) -> np.ndarray:
    """Which position the noun has: (N, T)."""
    return np.eye(T)[places]


def word_vectors(model: MaskedLM, lemmas: np.ndarray) -> np.ndarray:
    """The row of the model's table for each noun, (N, D): the same in every sentence."""
    return model.embeddings.words.weight.detach().double().numpy()[lemmas]
