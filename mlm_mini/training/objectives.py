"""What a model is asked: the three objectives, as batches of hidden words and the nats they cost.

All use the same encoder. The loss of the masked and of the causal one is a mean over predicted tokens, that of
diffusion a weighted sum which estimates nats per word. Masks are drawn anew for every batch (dynamic masking: Liu et
al. 2019), so that no sentence is asked twice alike.

Shape letters: B sentences, T positions, V tokens, k predicted positions of a sentence (the most that any one has).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
    if config.objective == "diffusion":
        return lambda ids, vocabulary, rng, model: diffusion_batch(ids, vocabulary, rng)
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


def stratified_ratios(n: int, rng: np.random.Generator) -> np.ndarray:
    """n ratios above 0, up to 1, one in each of n equal strata, in random order: (n,).

    Each by itself is uniform, so that a mean over them expects what n independent draws would, but no batch has all of
    its ratios high or low (one of the variance reductions of Sahoo et al. 2024).
    """
    return (rng.permutation(n) + 1 - rng.random(n)) / n  # 1 - [0, 1) is never 0, by which one could not divide


def diffusion_batch(ids: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator) -> Batch:
    """Hide the words of each row of (B, T) ids at a ratio of its own, and weigh them so that the ratios cancel.

    With r_b the ratio of row b, H_b what it hides and N the number of words of all rows, hidden or not,

        1/N sum_b 1/r_b sum_{t in H_b} -log q(x_t | what is visible)

    has an expectation, over ratios and masks, of -log q(sentence) per word where the words are filled in one by one in
    an order drawn at random: a bound on the likelihood, given [CLS], [SEP] and padding, which are never hidden (Uria et
    al. 2014; Austin et al. 2021; Sahoo et al. 2024; Shi et al. 2024; Ou et al. 2024). In place of 1 / r_b stands its
    mean over all ratios that might have hidden as many, (W_b + 1) / |H_b| for a row of W_b words: the expectation is
    the same, and no weight is above W_b + 1, where the square of 1 / r_b has no mean at all.
    A row in which nothing was hidden adds 0 to the sum and its words to N: left out of N it would make the others count
    too much. Rows are matched with ratios at random, so that sentences may come in any order. A batch in which nothing
    was hidden has k = 1 and no label.
    """
    words = maskable_positions(ids, vocabulary.special_ids)
    hidden = words & (rng.random(ids.shape) < stratified_ratios(len(ids), rng)[:, None])
    each = count_weights(words.sum(axis=1), hidden.sum(axis=1)) / max(words.sum(), 1)  # (B,)
    weights = np.broadcast_to(each[:, None], ids.shape)
    return asking_batch(ids, vocabulary, np.where(hidden, vocabulary.mask_id, ids), hidden, weights)


def count_weights(words: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The mean of 1 / ratio over all ratios by which so many of so many words may have been hidden: (B,) each -> (B,).

    A ratio that is uniform hides k of W words with a chance in proportion to r^k (1 - r)^(W - k), whose mean of 1 / r
    is (W + 1) / k. Nothing was hidden: 0, since there is nothing to weigh.
    """
    return np.where(hidden > 0, (words + 1) / np.maximum(hidden, 1), 0.0)


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


def surprisals(model: nn.Module, batch: Batch) -> Tensor:
    """What each label costs the model, in nats: (B, k) float32, 0 where there is no label."""
    logits = model(batch.ids, batch.attention_mask, batch.positions, batch.causal, trim=True)  # (B, k, V)
    nats = F.cross_entropy(
        logits.flatten(0, 1).float(), batch.labels.flatten(), ignore_index=IGNORE_INDEX, reduction="none"
    )  # (B, k, V) -> (B k,)
    return nats.view_as(batch.labels)
