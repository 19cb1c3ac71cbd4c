"""How noisy is the gradient of a masked batch, and how does that depend on the mask ratio?

The estimator is g = 1/k sum_{i in S} g_i: the mean, over the k predicted tokens S of a batch, of the gradient of each
one's surprisal. Its noise is the trace of its covariance, tr Cov(g) = E |g - E g|^2, over draws of the masks with the
text fixed, or over text and masks. If any two of the k gradients have correlation rho, and each variance sigma^2,

    tr Cov(g) = sigma^2 (1 + (k - 1) rho) / k.

With the text fixed, S is drawn from N tokens without replacement. If a gradient does not depend on which others are
hidden, then rho = -1 / (N - 1), and the noise is S^2 (1/k - 1/N), S^2 being the variance of the N gradients with
Bessel's N - 1 (Cochran 1977, theorem 2.2): proportional to (1 - ratio) / ratio, not to 1 / ratio.

Shape letters: n draws, B sentences, T positions, N maskable tokens of a batch, k predicted tokens, R mask ratios.
Gradients are of nats with respect to weights, so that a variance has the unit nats^2.
"""

from __future__ import annotations

import numpy as np

from mlm_mini.experiments.lab.recipe import untrained_model
from mlm_mini.experiments.variance.config import QUICK_RATIOS, GradientVarianceConfig
from mlm_mini.experiments.variance.draws import (
    draw_hidden_and_asked,
    make_draws,
    sample_batches,
    select_from_batch,
    select_one,
)
from mlm_mini.experiments.variance.gradients import draw_gradients, moments
from mlm_mini.experiments.variance.result import GradientVariance
from mlm_mini.languages import ExactLanguage, scene_language
from mlm_mini.model import MaskedLM, ModelConfig

TOKENS_PER_DRAW = 2  # whose gradients are also taken one by one, for sigma^2
QUICK_SENTENCES = 6


def measure_gradient_variance(
    model: MaskedLM, text: ExactLanguage, config: GradientVarianceConfig, rng: np.random.Generator, name: str = ""
) -> GradientVariance:
    """The noise of the model's gradient on `text` at each ratio of `config`. The model is left as it was.

    name: how the result calls itself. Takes 4 n P bytes at a time. Raises ValueError where a ratio of the batch is less
    than one token.
    """
    ids, maskable = sample_batches(text, config.sentences, 1, rng)
    frozen = select_from_batch(maskable, config.corruption, rng, "fixed") if config.frozen else None
    spread = _spread(model, text, ids, maskable if frozen is None else frozen, frozen, config, rng)
    rows = [_measure_ratio(model, text, config, ratio, (ids, maskable, frozen), rng) for ratio in config.ratios]
    columns = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    tokens = float(columns.pop("tokens").mean())
    if not config.per_token:
        columns["token_deviations"] = None
    return GradientVariance(config, name, tokens, spread=spread, **columns)


def quick_gradient_variance(rng: np.random.Generator, draws: int = 60) -> GradientVariance:
    """A small picture of the whole: fresh scenes, a new model of width 32, the masks drawn anew. A few seconds."""
    language = scene_language()
    config = GradientVarianceConfig(ratios=QUICK_RATIOS, sentences=QUICK_SENTENCES, draws=draws)
    return measure_gradient_variance(narrow_model(rng), language, config, rng, "scenes, at initialization")


def narrow_model(rng: np.random.Generator) -> MaskedLM:
    """The model of `quick_gradient_variance`: one block of width 32 for the scene language, not trained."""
    sizes = {"num_hidden_layers": 1, "hidden_size": 32, "intermediate_size": 128}
    return untrained_model(ModelConfig.tiny(len(scene_language().vocabulary), **sizes), rng)


def _measure_ratio(model, text, config, ratio, fixed, rng) -> dict:
    """What is measured at one ratio; names as in GradientVariance."""
    ids, maskable, frozen = (
        fixed if config.over == "masks" else (*sample_batches(text, config.sentences, config.draws, rng), None)
    )
    maskable = np.broadcast_to(maskable, (config.draws, *maskable.shape[1:]))
    hidden, asked = draw_hidden_and_asked(maskable, frozen, config, ratio, rng)
    draws = make_draws(ids, text.vocabulary, hidden, asked)
    k, tokens = draws.count_labels(), maskable.sum(axis=(1, 2)).mean()
    if config.method == "fixed" and not k.all():
        raise ValueError(
            f"ratios has {ratio}: of {tokens:.0f} tokens that is none; take more sentences, or a larger ratio"
        )
    deviations, agreements = moments(draw_gradients(model, draws))
    single = _single_tokens(model, text, ids, hidden, asked, rng) if config.per_token else None
    row = {"tokens": tokens, "predictions": k.mean(), "empty": np.mean(k == 0)}
    return row | {"deviations": deviations, "agreements": agreements, "token_deviations": single}


def _single_tokens(model, text, ids, hidden, asked, rng) -> np.ndarray:
    """The squared deviations (n,) of the gradients of single asked tokens, a few of each draw."""
    ids, hidden, asked = (
        np.tile(np.broadcast_to(array, asked.shape), (TOKENS_PER_DRAW, 1, 1)) for array in (ids, hidden, asked)
    )
    draws = make_draws(ids, text.vocabulary, hidden, select_one(asked, rng))
    deviations, _ = moments(draw_gradients(model, draws))
    return deviations.reshape(TOKENS_PER_DRAW, -1).mean(axis=0)


def _spread(model, text, ids, population, frozen, config, rng) -> float:
    """The variance of the gradient of a single asked token: `spread` of the result."""
    if config.over == "data":
        ids, maskable = sample_batches(text, 1, config.draws, rng)
        asked = select_one(maskable, rng)
    else:
        places = np.flatnonzero(population)
        asked = np.zeros((len(places), population.size), dtype=bool)
        asked[np.arange(len(places)), places] = True
        asked = asked.reshape(-1, *population.shape[1:])
    hidden = asked if frozen is None else frozen
    return float(moments(draw_gradients(model, make_draws(ids, text.vocabulary, hidden, asked)))[0].mean())
