"""The Bayes floor: what even a reader who knows the language pays for hidden words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mlm_mini.languages.checks import ALL_MASK, checked_ratio, checked_split
from mlm_mini.languages.sentences import blocks_of
from mlm_mini.reference import corrupt, entropy, maskable_positions, select_positions
from mlm_mini.reference.loss import mean_and_error

if TYPE_CHECKING:
    from mlm_mini.languages.exact import ExactLanguage


class Floor(NamedTuple):
    """The Bayes floor in nats per selected token.

    mean: the estimate. standard_error: its standard error over sentences. sentences: how many were drawn.
    """

    mean: float
    standard_error: float
    sentences: int


def estimate_floor(
    language: ExactLanguage,
    mask_ratio: float,
    rng: np.random.Generator,
    n: int,
    method: str,
    split: tuple[float, float, float],
) -> Floor:
    """As `ExactLanguage.bayes_floor`, which says what the arguments mean and what is raised."""
    # pyrefly: ignore[bad-assignment] `checked_split` has counted them
    mask_ratio, split = checked_ratio(mask_ratio), checked_split(split)
    if mask_ratio == 0:
        raise ValueError("mask_ratio is 0, so no token is ever predicted and no floor exists: choose one above 0")
    if n < 2:
        raise ValueError(f"n must be at least 2 sentences for a standard error, got {n}")
    if split != ALL_MASK and method != "bernoulli":
        raise ValueError(f"split {split} needs method 'bernoulli', got {method!r}: its noise must be independent")
    sizes = [block.stop - block.start for block in blocks_of(n)]
    terms = [_floor_terms(language, size, mask_ratio, rng, method, split) for size in sizes]
    nats, selected = (np.concatenate(column) for column in zip(*terms, strict=True))
    if not selected.any():
        raise ValueError(f"no token was selected in {n} sentences: raise n or mask_ratio")
    return Floor(*mean_and_error(nats, selected), n)


def _floor_terms(language: ExactLanguage, n, mask_ratio, rng, method, split) -> tuple[np.ndarray, np.ndarray]:
    """Of n fresh sentences: expected nats (n,), and number of selected tokens (n,)."""
    vocabulary = language.vocabulary
    ids = language.sample(n, rng).ids
    selected = select_positions(maskable_positions(ids, vocabulary.special_ids), mask_ratio, rng, method)
    seen = corrupt(ids, selected, vocabulary.mask_id, vocabulary.regular_ids, rng, split)
    rows, positions = np.nonzero(selected)
    posterior = language.posterior_of_selected(seen, rows, positions, mask_ratio, split)
    return np.bincount(rows, entropy(posterior), minlength=n), selected.sum(axis=1)
