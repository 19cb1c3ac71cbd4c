"""Draws of the masks: which tokens of a batch are hidden, which of these are asked for, and what the model then sees.

A batch is treated as one population of N maskable tokens: a draw selects some of them, wherever they stand. So one
token in a hundred can be asked for, though no sentence has a hundred.

Shape letters: n draws, B sentences, R sentences with something to predict (the most that a draw has), T positions,
N maskable tokens of a batch, k predicted tokens of a draw (the most that a draw has).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlm_mini.experiments.variance.config import GradientVarianceConfig
from mlm_mini.languages import ExactLanguage, Vocabulary
from mlm_mini.reference import IGNORE_INDEX, make_labels, maskable_positions, select_positions


@dataclass(frozen=True)
class Draws:
    """n times a batch with some of its tokens asked for.

    ids: (n, R, T) int64, what the model sees. attention_mask: (n, R, T) bool, True at tokens; None without padding.
    places: (n, k) int64, where the predictions are read off, counted through the R T positions of a draw. labels:
    (n, k) int64, IGNORE_INDEX behind the last one of a draw that has fewer than k.
    """

    ids: Tensor
    attention_mask: Tensor | None
    places: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def count_labels(self) -> np.ndarray:
        """How many tokens each draw asks for, (n,)."""
        return (self.labels != IGNORE_INDEX).sum(dim=1).numpy()

    def split(self, at_once: int) -> Iterator[Draws]:
        """Some of the draws after the other, `at_once` of them and at last the rest."""
        for first in range(0, len(self), at_once):
            rows = slice(first, first + at_once)
            mask = None if self.attention_mask is None else self.attention_mask[rows]
            yield Draws(self.ids[rows], mask, self.places[rows], self.labels[rows])


def make_draws(ids: np.ndarray, vocabulary: Vocabulary, hidden: np.ndarray, asked: np.ndarray) -> Draws:
    """n draws from ids, hidden and asked, all (n, B, T) or of a shape that broadcasts to it.

    hidden: bool, the tokens that are replaced by [MASK]. asked: bool, those that are to be predicted.
    No sentence sees another, so those with nothing to predict add nothing to the gradient, and are left out.
    """
    asked = np.asarray(asked)
    ids, hidden = (np.broadcast_to(array, asked.shape) for array in (ids, hidden))
    some = asked.any(axis=2)  # (n, B)
    R, k = max(1, int(some.sum(axis=1).max())), max(1, int(asked.sum(axis=(1, 2)).max()))
    rows = np.argsort(~some, axis=1, kind="stable")[:, :R, None]  # those with something to predict first
    ids, hidden, asked = (np.take_along_axis(array, rows, axis=1) for array in (ids, hidden, asked))  # (n, R, T)
    places = np.argsort(~asked.reshape(len(asked), -1), axis=1, kind="stable")[:, :k]
    labels = np.take_along_axis(make_labels(ids, asked).reshape(len(asked), -1), places, axis=1)
    padding = ids == vocabulary.pad_id
    seen = np.where(hidden, vocabulary.mask_id, ids)
    mask = torch.from_numpy(~padding) if padding.any() else None
    return Draws(torch.from_numpy(seen), mask, torch.from_numpy(places), torch.from_numpy(labels))


def sample_batches(text: ExactLanguage, sentences: int, n: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """n batches and where they may be masked: (n, B, T), T being what the longest sentence has."""
    ids = text.sample(n * sentences, rng).ids
    ids = ids[:, : int((ids != text.vocabulary.pad_id).sum(axis=1).max())].reshape(n, sentences, -1)
    return ids, maskable_positions(ids, text.vocabulary.special_ids)


def draw_hidden_and_asked(
    maskable: np.ndarray, frozen: np.ndarray | None, config: GradientVarianceConfig, ratio: float, rng
) -> tuple[np.ndarray, np.ndarray]:
    """Which tokens of n batches are replaced by [MASK], and which of these are predicted: both (n, B, T) bool.

    maskable: (n, B, T) bool. frozen: what every draw hides, where the config has it so.
    """
    if config.corruption is None:
        hidden = select_from_batch(maskable, ratio, rng, config.method)
        return hidden, hidden
    if frozen is None:
        hidden = select_from_batch(maskable, config.corruption, rng, config.method)
    else:
        hidden = np.broadcast_to(frozen, maskable.shape)
    return hidden, select_from_batch(hidden, ratio / config.corruption, rng, config.method)


def select_from_batch(maskable: np.ndarray, ratio: float, rng: np.random.Generator, method: str) -> np.ndarray:
    """As `select_positions`, with each batch (B, T) as one row: (n, B, T) -> (n, B, T) bool."""
    return select_positions(maskable.reshape(len(maskable), -1), ratio, rng, method).reshape(maskable.shape)


def select_one(asked: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One of the asked tokens of each batch, any of them with the same chance: (n, B, T) -> (n, B, T) bool."""
    u = np.where(asked, rng.random(asked.shape), -1.0)
    return u == u.max(axis=(1, 2), keepdims=True)
