"""A model asked for hidden words: what it says of each, and left in the mode it was in.

Shape letters: B sentences, T positions, k asked positions of a sentence, V tokens.
"""

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from mlm_mini.languages import Vocabulary
from mlm_mini.model import MaskedLM

ASKED_AT_ONCE = 512  # sentences that go through the model together


@contextlib.contextmanager
def without_dropout(model: MaskedLM) -> Iterator[None]:
    """The model in eval mode; afterwards it is in the mode it was in, as a training that goes on needs it."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


@torch.no_grad()
def word_log_probabilities(
    model: MaskedLM, ids: np.ndarray, positions: np.ndarray, vocabulary: Vocabulary
) -> np.ndarray:
    """log q(word) at the asked positions, in nats: ids (B, T) as the model sees them, positions (B, k) -> (B, k, V).

    Tokens that are no words are excluded before the softmax and have -inf: a hidden word is never one of them.
    """
    excluded = torch.ones(len(vocabulary), dtype=torch.bool)
    excluded[torch.from_numpy(vocabulary.regular_ids.copy())] = False
    found = [np.empty((0, positions.shape[1], len(vocabulary)))]
    with without_dropout(model):
        for first in range(0, len(ids), ASKED_AT_ONCE):
            block = torch.from_numpy(ids[first : first + ASKED_AT_ONCE])
            asked = torch.from_numpy(np.ascontiguousarray(positions[first : first + ASKED_AT_ONCE]))
            logits = model(block, block != vocabulary.pad_id, asked, trim=True)
            found.append(logits.double().masked_fill(excluded, -torch.inf).log_softmax(-1).numpy())
    return np.concatenate(found)
