"""How far a model is from perfect: the same sentences and masks every time, and what a perfect reader pays for them.

Losses at different masks, or at different ratios, cannot be compared. So an evaluation set is drawn once, from a seed.
For a language with exact answers it holds the Bayes floor too, at the very tokens that the model is asked for. An easy
or a hard draw then changes both alike, and their difference hardly at all.

Shape letters: B sentences, T positions, V tokens, k predicted positions of a sentence.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mlm_mini.languages.checks import ALL_MASK
from mlm_mini.languages.exact import ExactLanguage
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import MaskedLM
from mlm_mini.reference import maskable_positions
from mlm_mini.reference.loss import IGNORE_INDEX, mean_and_error
from mlm_mini.storage import fingerprint
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.objectives import Batch, causal_batch, diffusion_batch, masked_batch, surprisals
from mlm_mini.training.threaded_map import Map

ROWS_AT_ONCE = 256


class Score(NamedTuple):
    """A model's result on an evaluation set.

    loss: mean surprisal per predicted token, in nats; of a diffusion objective, where each word is predicted once in
    the mean over ratios, the estimate of its bound per word. gap: loss minus the Bayes floor, None where no floor is
    known. gap_error: the standard error of the gap, over sentences.
    """

    loss: float
    gap: float | None = None
    gap_error: float | None = None


@dataclass(frozen=True)
class EvaluationSet:
    """Sentences with fixed masks.

    batch: B sentences and what is asked about them. floor_nats: (B,) float64, what the labels of each sentence cost a
    reader who knows the language, or None where nobody does; weighed where the batch has weights.
    words: (B,), how many words each sentence has, hidden or not, where the batch has weights, which sum to so many.
    """

    batch: Batch
    floor_nats: np.ndarray | None = None
    words: np.ndarray | None = None

    @property
    def counts(self) -> np.ndarray:
        """(B,): for how many predictions the nats of each sentence stand."""
        return (self.batch.labels != IGNORE_INDEX).sum(dim=1).numpy() if self.words is None else self.words

    @property
    def floor(self) -> float | None:
        """The Bayes floor at these labels, in nats per predicted token."""
        return None if self.floor_nats is None else float(self.floor_nats.sum() / self.counts.sum())

    @property
    def fingerprint(self) -> str:
        """A name for what is asked. The floor's digits are no part of it: they may differ between machines."""
        asked = [tensor.numpy() for tensor in (self.batch.ids, self.batch.positions, self.batch.labels)]
        if self.batch.weights is not None:
            asked.append(self.batch.weights.numpy())
        return fingerprint(asked, self.batch.causal, self.floor_nats is None)


def draw_evaluation(
    ids: np.ndarray,
    vocabulary: Vocabulary,
    config: TrainingConfig,
    rng: np.random.Generator,
    language: ExactLanguage | None = None,
) -> EvaluationSet:
    """An evaluation set of sentences (B, T), with masks from `rng` as `config` would draw them.

    language: where the sentences are from, if it knows the exact answers; the set then has a floor. Selection is
    always "bernoulli" and at one ratio: only where each word is hidden or replaced on its own is the floor exact.
    For a diffusion objective, ratios are stratified over all B sentences, and labels are weighed as in training.
    Raises ValueError when no token is selected.
    """
    if config.objective == "diffusion":
        return _diffusion_evaluation(ids, vocabulary, config, rng, language)
    alike = replace(config.masking, method="bernoulli", heavy_share=0.0)
    causal = config.objective == "causal"
    batch = causal_batch(ids, vocabulary) if causal else masked_batch(ids, vocabulary, alike, rng)
    _check_asks(batch)
    return EvaluationSet(batch, None if language is None else floor_nats(language, ids, batch, config))


def _diffusion_evaluation(ids, vocabulary, config, rng, language) -> EvaluationSet:
    batch, words = diffusion_batch(ids, vocabulary, rng), maskable_positions(ids, vocabulary.special_ids).sum(axis=1)
    _check_asks(batch)
    # pyrefly: ignore[bad-argument-type, unsupported-operation] a diffusion batch has weights
    batch = replace(batch, weights=batch.weights * float(words.sum()))  # the sum of a sentence is in nats
    return EvaluationSet(batch, None if language is None else floor_nats(language, ids, batch, config), words)


def _check_asks(batch: Batch) -> None:
    if not batch.count_labels():
        raise ValueError(f"in {len(batch)} sentences no token was selected to be predicted: evaluate on more of them")


def floor_nats(language: ExactLanguage, ids: np.ndarray, batch: Batch, config: TrainingConfig) -> np.ndarray:
    """The exact surprisal of the labels of `batch`, summed over each of its sentences (B, T), in nats: (B,).

    Masked: under the exact posterior given what the batch shows, and given the corruption where it is more than
    [MASK]; weighed as the batch says. Causal: the chain rule makes the sum of all surprisals -log p(sentence).
    """
    if batch.causal:
        return -language.log_marginal(ids)
    seen, positions, labels = batch.ids.numpy(), batch.positions.numpy(), batch.labels.numpy()
    rows, places = np.nonzero(labels != IGNORE_INDEX)
    labels, asked = labels[rows, places], positions[rows, places]
    if config.masking.split == ALL_MASK:
        p = language.posterior_at(seen, positions)[rows, places, labels]
    else:
        posterior = language.posterior_under_corruption(
            seen[rows], asked[:, None], config.masking.mask_ratio, config.masking.split
        )
        p = posterior[np.arange(len(rows)), 0, labels]
    weights = 1.0 if batch.weights is None else batch.weights.numpy()[rows, places]
    return np.bincount(rows, -np.log(p) * weights, minlength=len(ids))


def evaluate(model: MaskedLM, evaluation: EvaluationSet, map: Map = map) -> Score:
    """The model's score, in float32, without dropout. The model is left in the mode it was in.

    map: goes through the blocks of rows, like the builtin or that of `side_by_side`.
    """
    batch, device = evaluation.batch, next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        blocks = [slice(i, i + ROWS_AT_ONCE) for i in range(0, len(batch), ROWS_AT_ONCE)]
        nats = torch.cat(list(map(lambda block: _nats(model, batch.rows(block).to(device)), blocks))).numpy()
    finally:
        model.train(was_training)
    counts = evaluation.counts
    loss = float(nats.sum() / counts.sum())
    if evaluation.floor_nats is None:
        return Score(loss)
    return Score(loss, *mean_and_error(nats - evaluation.floor_nats, counts))


@torch.no_grad()  # here, because each thread has a mode of its own
def _nats(model: MaskedLM, batch: Batch) -> Tensor:
    nats = surprisals(model, batch)
    weighed = nats if batch.weights is None else nats * batch.weights
    return weighed.sum(dim=1).cpu().double()  # (B, k) -> (B,); some GPUs have no float64
