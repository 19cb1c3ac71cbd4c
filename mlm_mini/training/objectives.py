"""What a model is asked: the two objectives, as batches of hidden words and the nats they cost.

Both go through the same encoder and are averaged over the same kind of thing, a predicted token. The masked objective
draws its masks anew for every batch (dynamic masking: Liu et al. 2019), so that no sentence is asked twice alike.

Shape letters: B sentences, T positions, V tokens, k predicted positions of a sentence (the most that any one has).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import MaskedLM
from mlm_mini.reference import IGNORE_INDEX, corrupt, make_labels, maskable_positions, select_positions
from mlm_mini.training.config import TrainingConfig


@dataclass(frozen=True)
class Batch:
    """Sentences as the model sees them, and what it is to say about them.

    ids: (B, T) int64. attention_mask: (B, T) bool, True at tokens; None where nothing hides behind it.
    positions: (B, k) int64, where the predictions are read off. labels: (B, k) int64, IGNORE_INDEX behind the last one
    of a row that has fewer than k. causal: whether a position sees no later one.
    """

    ids: Tensor
    attention_mask: Tensor | None
    positions: Tensor
    labels: Tensor
    causal: bool

    def __len__(self) -> int:
        return len(self.ids)

    def count_labels(self) -> int:
        """How many tokens are to be predicted."""
        return int((self.labels != IGNORE_INDEX).sum())

    def rows(self, rows: slice) -> "Batch":
        """Some of the sentences, without the columns that none of them needs: T and k are what their longest has."""
        positions, labels = self.positions[rows], self.labels[rows]
        asked = labels != IGNORE_INDEX
        k = max(1, int(asked.sum(dim=1).max()))
        if self.causal:  # nothing is seen after the last prediction
            mask, T = None, int((positions * asked).max()) + 1
        elif self.attention_mask is None:
            mask, T = None, self.ids.shape[1]
        else:
            T = int(self.attention_mask[rows].sum(dim=1).max())
            mask = self.attention_mask[rows, :T]
        positions = positions[:, :k].clamp(max=T - 1)  # those without a label may lie anywhere
        return Batch(self.ids[rows, :T], mask, positions, labels[:, :k], self.causal)

    def split(self, parts: int) -> Iterator["Batch"]:
        """`parts` batches of nearly the same size that make up this one, each trimmed as `rows` does."""
        edges = [len(self) * i // parts for i in range(parts + 1)]
        return (self.rows(slice(*edge)) for edge in pairwise(edges))

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        mask = None if self.attention_mask is None else self.attention_mask.to(device)
        return Batch(self.ids.to(device), mask, self.positions.to(device), self.labels.to(device), self.causal)


def by_length(ids: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """Sentences (B, T) with the short ones first, so that those in one part of a batch share little padding."""
    return ids[np.argsort((ids != vocabulary.pad_id).sum(axis=1), kind="stable")]


def make_batch(ids: np.ndarray, vocabulary: Vocabulary, config: TrainingConfig, rng: np.random.Generator) -> Batch:
    """The objective of `config` on sentences (B, T), with masks drawn from `rng`."""
    if config.objective == "causal":
        return causal_batch(ids, vocabulary)
    return masked_batch(
        ids,
        vocabulary,
        config.mask_ratio,
        rng,
        config.method,
        config.split,
        config.prediction_ratio,
        config.heavy_share,
        config.heavy_ratio,
    )


def masked_batch(
    ids: np.ndarray,
    vocabulary: Vocabulary,
    mask_ratio: float,
    rng: np.random.Generator,
    method: str = "bernoulli",
    split: tuple[float, float, float] = (1.0, 0.0, 0.0),
    prediction_ratio: float | None = None,
    heavy_share: float = 0.0,
    heavy_ratio: float = 0.85,
) -> Batch:
    """Hide some of the words of (B, T) ids and ask for them, given all that is left on both sides.

    mask_ratio, method, split: as in `select_positions` and `corrupt`. Special tokens are neither hidden nor used as
    replacements. A batch in which nothing was selected has k = 1 and no label.
    prediction_ratio: the share of the words that is asked for, at most mask_ratio, which is the share that is
    corrupted (Wettig et al. 2022 name the two); the words to ask for are drawn among the corrupted ones. None asks for
    all of them.
    heavy_share: the share of the sentences, drawn anew each time, that have `heavy_ratio` in place of mask_ratio: so a
    model meets sentences of which it sees next to nothing, whatever the ratio of the others (Tay et al. 2022 mix a
    usual and an extreme way to hide likewise).
    """
    words = maskable_positions(ids, vocabulary.special_ids)
    selected = select_positions(words, mask_ratio, rng, method)
    if heavy_share:
        heavy = rng.random(len(ids)) < heavy_share
        selected[heavy] = select_positions(words[heavy], heavy_ratio, rng, method)
    seen = corrupt(ids, selected, vocabulary.mask_id, vocabulary.regular_ids, rng, split)
    if prediction_ratio is not None:
        selected = select_positions(selected, min(1.0, prediction_ratio / mask_ratio), rng, method)
    return batch_of(ids, seen, selected, vocabulary)


def batch_of(ids: np.ndarray, seen: np.ndarray, asked: np.ndarray, vocabulary: Vocabulary) -> Batch:
    """Sentences (B, T) as they are `seen`, asking what of `ids` stands where `asked`, (B, T) bool, is True."""
    padding = ids == vocabulary.pad_id
    # Without padding there is nothing to mask, and attention takes a faster way.
    return _batch(seen, ~padding if padding.any() else None, asked, make_labels(ids, asked), causal=False)


def causal_batch(ids: np.ndarray, vocabulary: Vocabulary) -> Batch:
    """Ask for each word of (B, T) ids, and for the [SEP] that ends them, given what comes before it.

    The label of position t is the token at t + 1. [SEP] counts, since otherwise the number of words would come for
    free; with it the nats of a sentence sum to -log p(sentence). Padding comes last, where no token can see it.
    """
    asked = maskable_positions(ids, vocabulary.special_ids) | (ids == vocabulary.sep_id)
    selected, labels = np.zeros_like(asked), np.full_like(ids, IGNORE_INDEX)
    selected[:, :-1], labels[:, :-1] = asked[:, 1:], make_labels(ids, asked)[:, 1:]
    return _batch(ids, None, selected, labels, causal=True)


def _batch(seen, attention_mask, selected, labels, causal: bool) -> Batch:
    """Tensors, with labels (B, T) only where they are selected: (B, k)."""
    k = max(1, int(selected.sum(axis=1).max(initial=0)))
    positions = np.argsort(~selected, axis=1, kind="stable")[:, :k]  # those selected first, from left to right
    labels = np.take_along_axis(labels, positions, axis=1)
    mask = None if attention_mask is None else torch.from_numpy(attention_mask)
    return Batch(torch.from_numpy(seen), mask, torch.from_numpy(positions), torch.from_numpy(labels), causal)


def surprisals(model: MaskedLM, batch: Batch) -> Tensor:
    """What each label costs the model, in nats: (B, k) float32, 0 where there is no label."""
    logits = model(batch.ids, batch.attention_mask, batch.positions, batch.causal, trim=True)  # (B, k, V)
    nats = F.cross_entropy(
        logits.flatten(0, 1).float(), batch.labels.flatten(), ignore_index=IGNORE_INDEX, reduction="none"
    )  # (B, k, V) -> (B k,)
    return nats.view_as(batch.labels)
