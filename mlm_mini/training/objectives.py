"""What a model is asked: the two objectives, as batches of hidden words and the nats they cost.

Both use the same encoder, and the loss of either is a mean over predicted tokens. The masked objective
draws its masks anew for every batch (dynamic masking: Liu et al. 2019), so that no sentence is asked twice alike.

Shape letters: B sentences, T positions, V tokens, k predicted positions of a sentence (the most that any one has).
"""

from collections.abc import Callable, Iterator
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
from mlm_mini.training.masking import Masking


@dataclass(frozen=True)
class Batch:
    """Sentences as the model sees them, and what it is to say about them.

    ids: (B, T) int64. attention_mask: (B, T) bool, True at tokens; None where there is no padding to hide.
    positions: (B, k) int64, where the predictions are read off. labels: (B, k) int64, IGNORE_INDEX behind the last one
    of a row that has fewer than k. causal: whether a position sees no later one.
    weights: (B, k) float32, what each label counts for; None counts all alike, so that the loss is their mean.
    """

    ids: Tensor
    attention_mask: Tensor | None
    positions: Tensor
    labels: Tensor
    causal: bool
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def count_labels(self) -> int:
        """How many tokens are to be predicted."""
        return int((self.labels != IGNORE_INDEX).sum())

    def rows(self, rows: slice) -> "Batch":
        """Some of the sentences, cut to the T and the k that the longest of them needs."""
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
        weights = None if self.weights is None else self.weights[rows, :k]
        return Batch(self.ids[rows, :T], mask, positions, labels[:, :k], self.causal, weights)

    def split(self, parts: int) -> Iterator["Batch"]:
        """`parts` batches of nearly the same size that make up this one, each trimmed as `rows` does."""
        edges = [len(self) * i // parts for i in range(parts + 1)]
        return (self.rows(slice(*edge)) for edge in pairwise(edges))

    def to(self, device: torch.device) -> "Batch":
        """The same on another device."""
        mask, weights = (None if t is None else t.to(device) for t in (self.attention_mask, self.weights))
        return Batch(self.ids.to(device), mask, self.positions.to(device), self.labels.to(device), self.causal, weights)


# Makes questions of sentences (B, T), with masks drawn from the generator. The model is handed over for objectives that
# choose by what it knows already.
Objective = Callable[[np.ndarray, Vocabulary, np.random.Generator, MaskedLM], Batch]


def by_length(ids: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """Sentences (B, T) with the short ones first, so that those in one part of a batch share little padding."""
    return ids[np.argsort((ids != vocabulary.pad_id).sum(axis=1), kind="stable")]


def objective_of(config: TrainingConfig) -> Objective:
    """The objective that a recipe names."""
    if config.objective == "causal":
        return lambda ids, vocabulary, rng, model: causal_batch(ids, vocabulary)
    return lambda ids, vocabulary, rng, model: masked_batch(ids, vocabulary, config.masking, rng)


def masked_batch(ids: np.ndarray, vocabulary: Vocabulary, masking: Masking, rng: np.random.Generator) -> Batch:
    """Hide some of the words of (B, T) ids and ask for them, given all that is left on both sides.

    Special tokens are neither hidden nor used as replacements. Where fewer words are asked for than are corrupted, they
    are drawn among the corrupted ones. A batch in which nothing was selected has k = 1 and no label.
    """
    words = maskable_positions(ids, vocabulary.special_ids)
    selected = select_positions(words, masking.mask_ratio, rng, masking.method)
    if masking.heavy_share:
        heavy = rng.random(len(ids)) < masking.heavy_share
        selected[heavy] = select_positions(words[heavy], masking.heavy_ratio, rng, masking.method)
    seen = corrupt(ids, selected, vocabulary.mask_id, vocabulary.regular_ids, rng, masking.split)
    if masking.prediction_ratio is not None:
        kept = min(1.0, masking.prediction_ratio / masking.mask_ratio)
        selected = select_positions(selected, kept, rng, masking.method)
    return asking_batch(ids, vocabulary, seen, selected)


def asking_batch(
    ids: np.ndarray, vocabulary: Vocabulary, seen: np.ndarray, asked: np.ndarray, weights: np.ndarray | None = None
) -> Batch:
    """A batch that shows `seen`, (B, T), and asks for the tokens of `ids` where `asked`, (B, T) bool, is True.

    weights: (B, T), what each label counts for; None counts all alike.
    """
    padding = ids == vocabulary.pad_id
    # Without padding there is nothing to mask, and attention takes a faster way.
    return _batch(seen, ~padding if padding.any() else None, asked, make_labels(ids, asked), False, weights)


def causal_batch(ids: np.ndarray, vocabulary: Vocabulary) -> Batch:
    """Ask for each word of (B, T) ids, and for the [SEP] that ends them, given what comes before it.

    The label of position t is the token at t + 1. [SEP] is asked for as well: only then do the nats of a sentence pay
    for its length too, and sum to -log p(sentence). Padding comes last, where no token can see it.
    """
    asked = maskable_positions(ids, vocabulary.special_ids) | (ids == vocabulary.sep_id)
    selected, labels = np.zeros_like(asked), np.full_like(ids, IGNORE_INDEX)
    selected[:, :-1], labels[:, :-1] = asked[:, 1:], make_labels(ids, asked)[:, 1:]
    return _batch(ids, None, selected, labels, causal=True)


def _batch(seen, attention_mask, selected, labels, causal: bool, weights=None) -> Batch:
    """Tensors, with labels and weights (B, T) only where they are selected: (B, k)."""
    k = max(1, int(selected.sum(axis=1).max(initial=0)))
    positions = np.argsort(~selected, axis=1, kind="stable")[:, :k]  # those selected first, from left to right
    labels = np.take_along_axis(labels, positions, axis=1)
    if weights is not None:
        weights = torch.from_numpy(np.take_along_axis(weights, positions, axis=1)).float()
    mask = None if attention_mask is None else torch.from_numpy(attention_mask)
    return Batch(torch.from_numpy(seen), mask, torch.from_numpy(positions), torch.from_numpy(labels), causal, weights)


def surprisals(model: MaskedLM, batch: Batch) -> Tensor:
    """What each label costs the model, in nats: (B, k) float32, 0 where there is no label."""
    logits = model(batch.ids, batch.attention_mask, batch.positions, batch.causal, trim=True)  # (B, k, V)
    nats = F.cross_entropy(
        logits.flatten(0, 1).float(), batch.labels.flatten(), ignore_index=IGNORE_INDEX, reduction="none"
    )  # (B, k, V) -> (B k,)
    return nats.view_as(batch.labels)
