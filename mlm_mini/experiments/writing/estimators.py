"""Is the weighted loss right on average, and how noisy is it? Told by the exact language, batch by batch.

At the exact surprisals of the hidden words, the loss of a batch must be the surprisal of its sentences, on average over
ratios and masks. What it is off by, for several ways to draw the ratios and to weigh the words, is measured here.

Shape letters: B rows of a batch, T positions.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.writing.floor_area import entropy_given_frame, hidden_nats
from mlm_mini.languages import ExactLanguage
from mlm_mini.training import stratified_ratios
from mlm_mini.training.objectives import count_weights

INDEPENDENT_RATIOS, STRATIFIED_RATIOS = "independent ratios", "stratified ratios"
RATIO_WEIGHT, MEAN_WEIGHT = "weight 1 / ratio", "mean weight"
EMPTY_LEFT_OUT, ALL_ALIKE = "wrong: rows with nothing hidden left out", "wrong: all blanks weigh alike"


@dataclass(frozen=True)
class EstimatorErrors:
    """errors: for each way, (batches,) nats per word by which the loss is above the exact surprisal of the batch.
    empty: the share of rows in which nothing was hidden. largest: the largest weight of each unbiased way."""

    errors: dict[str, np.ndarray]
    empty: float
    largest: dict[str, float]

    @property
    def batches(self) -> int:
        return len(next(iter(self.errors.values())))


def measure_estimators(language: ExactLanguage, batches: int, rows: int, rng: np.random.Generator) -> EstimatorErrors:
    """So many batches of fresh sentences, with the same sentences for each way, and the same masks where ratios are."""
    ids = language.sample(batches * rows, rng).ids
    word, u = np.isin(ids, language.vocabulary.regular_ids), rng.random(ids.shape)
    words, own = word.sum(axis=1), entropy_given_frame(language, ids)
    drawn = {
        INDEPENDENT_RATIOS: 1 - rng.random(len(ids)),
        STRATIFIED_RATIOS: np.concatenate([stratified_ratios(rows, rng) for _ in range(batches)]),
    }
    errors, empty, largest = {}, 0.0, {}
    for name, ratios in drawn.items():
        hidden = word & (u < ratios[:, None])
        nats, count = hidden_nats(language, ids, hidden).sum(axis=1), hidden.sum(axis=1)
        weights = count_weights(words, count)
        sums = {f"{name}, {RATIO_WEIGHT}": nats / ratios, f"{name}, {MEAN_WEIGHT}": nats * weights}
        largest |= {
            f"{name}, {RATIO_WEIGHT}": float((1 / ratios)[count > 0].max()),
            f"{name}, {MEAN_WEIGHT}": float(weights.max()),
        }
        if name == STRATIFIED_RATIOS:
            sums |= {EMPTY_LEFT_OUT: nats * weights, ALL_ALIKE: nats}
            empty = float((count == 0).mean())
        for way, each in sums.items():
            per = {EMPTY_LEFT_OUT: np.where(count > 0, words, 0), ALL_ALIKE: count}.get(way, words)
            of_batch = (part.reshape(batches, rows).sum(axis=1) for part in (each, per, own, words))
            total, counted, exact, all_words = of_batch
            errors[way] = total / counted - exact / all_words
    return EstimatorErrors(errors, empty, largest)
