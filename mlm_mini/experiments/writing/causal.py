"""A causal model beside: it writes from left to right, a word at each step, and says itself where a sentence ends.

Shape letters: B sentences, T positions, V tokens.
"""

import numpy as np
import torch

from mlm_mini.experiments.lab.asking import ASKED_AT_ONCE, without_dropout
from mlm_mini.experiments.writing.unmasking import draw
from mlm_mini.languages import ExactLanguage, Vocabulary
from mlm_mini.model import MaskedLM
from mlm_mini.reference import IGNORE_INDEX
from mlm_mini.training import causal_batch


def _log_q(model: MaskedLM, ids: torch.Tensor, positions: torch.Tensor, vocabulary: Vocabulary) -> torch.Tensor:
    """(B, k, V): special tokens are excluded before the softmax, but for [SEP], which ends a sentence."""
    excluded = torch.ones(len(vocabulary), dtype=torch.bool)
    excluded[torch.from_numpy(np.append(vocabulary.regular_ids, vocabulary.sep_id))] = False
    with without_dropout(model):
        logits = model(ids, None, positions, True)
    return logits.double().masked_fill(excluded, -torch.inf).log_softmax(-1)


@torch.no_grad()
def causal_nats(model: MaskedLM, ids: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """-log q(sentence), its end included, of sentences (B, T), in nats: (B,)."""
    nats = []
    for first in range(0, len(ids), ASKED_AT_ONCE):
        batch = causal_batch(ids[first : first + ASKED_AT_ONCE], vocabulary)
        log_q = _log_q(model, batch.ids, batch.positions, vocabulary)
        asked = batch.labels != IGNORE_INDEX
        chosen = log_q.gather(2, batch.labels.clamp(min=0)[..., None])[..., 0]
        nats.append(-torch.where(asked, chosen, 0.0).sum(dim=1).numpy())
    return np.concatenate(nats)


@torch.no_grad()
def write_causal(model: MaskedLM, language: ExactLanguage, sentences: int, rng: np.random.Generator) -> np.ndarray:
    """Sentences (B, T) drawn word by word at temperature 1; what has not ended by then ends at the last position."""
    vocabulary = language.vocabulary
    ids = np.full((sentences, language.length), vocabulary.pad_id, dtype=np.int64)
    ids[:, 0] = vocabulary.cls_id
    open_ = np.ones(sentences, dtype=bool)
    for t in range(1, language.length):
        rows = np.flatnonzero(open_)
        if t == language.length - 1:
            ids[rows, t] = vocabulary.sep_id
        elif len(rows):
            last = torch.full((len(rows), 1), t - 1)
            log_q = _log_q(model, torch.from_numpy(ids[rows, :t]), last, vocabulary)[:, 0]
            ids[rows, t] = draw(log_q.numpy(), rng)
        open_ &= ids[:, t] != vocabulary.sep_id
    return ids
