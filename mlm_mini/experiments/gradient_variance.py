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

import sys
from dataclasses import asdict
from typing import NamedTuple, Protocol

import numpy as np
import torch

from mlm_mini.experiments import gradients, variance_curve
from mlm_mini.experiments.gradients import draw_gradients, make_draws
from mlm_mini.experiments.study import kept_result
from mlm_mini.experiments.variance_curve import GradientVariance, GradientVarianceConfig
from mlm_mini.languages import Sentences, Vocabulary, scene_language
from mlm_mini.model import MaskedLM, ModelConfig, encoder
from mlm_mini.reference import maskable_positions, select_positions

TOKENS_PER_DRAW = 2
TELLTALE_SENTENCES = 256  # that stand for a text, when it is asked whether it is the same
QUICK_RATIOS, QUICK_SENTENCES = (0.02, 0.05, 0.1, 0.15, 0.3, 0.5, 0.7, 0.9), 6


class Text(Protocol):
    """Where sentences come from: any language of the course."""

    vocabulary: Vocabulary

    def sample(self, n: int, rng: np.random.Generator) -> Sentences: ...


def measure_gradient_variance(
    model: MaskedLM, text: Text, config: GradientVarianceConfig, rng: np.random.Generator, name: str = ""
) -> GradientVariance:
    """The noise of the model's gradient on `text` at each ratio of `config`. The model is left as it was.

    name: how the result calls itself. Takes 4 n P bytes at a time. Raises ValueError where a ratio of the batch is less
    than one token.
    """
    ids, maskable = _batches(text, config.sentences, 1, rng)
    frozen = _select(maskable, config.corruption, "fixed", rng) if config.frozen else None
    spread = _spread(model, text, ids, maskable if frozen is None else frozen, frozen, config, rng)
    rows = [_measure_ratio(model, text, config, ratio, (ids, maskable, frozen), rng) for ratio in config.ratios]
    columns = {name: np.array([getattr(row, name) for row in rows]) for name in _Row._fields}
    tokens = float(columns.pop("tokens").mean())
    if not config.per_token:
        columns["token_deviations"] = None
    return GradientVariance(config, name, tokens, spread=spread, **columns)


def kept_gradient_variance(
    model: MaskedLM, text: Text, config: GradientVarianceConfig, seed: int, name: str = ""
) -> GradientVariance:
    """As `measure_gradient_variance` with a generator of this seed; kept in the cache, so that a second time is quick.

    Measured anew when weights, text or config differ, or the code that measures.
    """
    weights = {key: tensor.detach().cpu().numpy() for key, tensor in model.state_dict().items()}
    text_is = [list(text.vocabulary.tokens), text.sample(TELLTALE_SENTENCES, np.random.default_rng(0)).ids]
    return kept_result(
        GradientVariance,
        "gradient_variance",
        lambda: measure_gradient_variance(model, text, config, np.random.default_rng(seed), name),
        *(weights, text_is, asdict(config), seed, name),
        code=(sys.modules[__name__], gradients, variance_curve, encoder),
    )


def quick_gradient_variance(rng: np.random.Generator, draws: int = 60) -> GradientVariance:
    """A small picture of the whole: fresh scenes, a new model of width 32, the masks drawn anew. A few seconds."""
    language = scene_language()
    config = GradientVarianceConfig(ratios=QUICK_RATIOS, sentences=QUICK_SENTENCES, draws=draws)
    return measure_gradient_variance(quick_model(rng), language, config, rng, "scenes, at initialization")


def quick_model(rng: np.random.Generator) -> MaskedLM:
    """The model of `quick_gradient_variance`: one block of width 32 for the scene language, not trained."""
    shape = ModelConfig.tiny(
        len(scene_language().vocabulary), num_hidden_layers=1, hidden_size=32, intermediate_size=128
    )
    return MaskedLM(shape, torch.Generator().manual_seed(int(rng.integers(2**31)))).eval()


class _Row(NamedTuple):
    """What is measured at one ratio; names as in GradientVariance."""

    tokens: float
    predictions: float
    empty: float
    deviations: np.ndarray
    agreements: np.ndarray
    token_deviations: np.ndarray | None


def _measure_ratio(model, text, config, ratio, fixed, rng) -> _Row:
    ids, maskable, frozen = (
        fixed if config.over == "masks" else (*_batches(text, config.sentences, config.draws, rng), None)
    )
    maskable = np.broadcast_to(maskable, (config.draws, *maskable.shape[1:]))
    hidden, asked = _hide_and_ask(maskable, frozen, config, ratio, rng)
    draws = make_draws(ids, hidden, asked, text.vocabulary)
    k, tokens = draws.count_labels(), maskable.sum(axis=(1, 2)).mean()
    if config.method == "fixed" and not k.all():
        raise ValueError(
            f"ratios has {ratio}: of {tokens:.0f} tokens that is none; take more sentences, or a larger ratio"
        )
    deviations, agreements = _moments(draw_gradients(model, draws))
    single = _single_tokens(model, text, ids, hidden, asked, rng) if config.per_token else None
    return _Row(tokens, k.mean(), np.mean(k == 0), deviations, agreements, single)


def _single_tokens(model, text, ids, hidden, asked, rng) -> np.ndarray:
    """The squared deviations (n,) of the gradients of single asked tokens, a few of each draw."""
    ids, hidden, asked = (
        np.tile(np.broadcast_to(array, asked.shape), (TOKENS_PER_DRAW, 1, 1)) for array in (ids, hidden, asked)
    )
    draws = make_draws(ids, hidden, _select_one(asked, rng), text.vocabulary)
    deviations, _ = _moments(draw_gradients(model, draws))
    return deviations.reshape(TOKENS_PER_DRAW, -1).mean(axis=0)


def _hide_and_ask(maskable, frozen, config, ratio, rng) -> tuple[np.ndarray, np.ndarray]:
    """Which tokens of n batches are replaced by [MASK], and which of these are predicted: both (n, B, T) bool."""
    if config.corruption is None:
        hidden = _select(maskable, ratio, config.method, rng)
        return hidden, hidden
    if frozen is None:
        hidden = _select(maskable, config.corruption, config.method, rng)
    else:
        hidden = np.broadcast_to(frozen, maskable.shape)
    return hidden, _select(hidden, ratio / config.corruption, config.method, rng)


def _select(maskable: np.ndarray, ratio: float, method: str, rng) -> np.ndarray:
    """As `select_positions`, with each batch (B, T) as one row."""
    return select_positions(maskable.reshape(len(maskable), -1), ratio, rng, method).reshape(maskable.shape)


def _select_one(asked: np.ndarray, rng) -> np.ndarray:
    """One of the asked tokens of each batch, any of them with the same chance."""
    u = np.where(asked, rng.random(asked.shape), -1.0)
    return u == u.max(axis=(1, 2), keepdims=True)


def _batches(text: Text, sentences: int, n: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """n batches and where they may be masked: (n, B, T), T being what the longest sentence has."""
    ids = text.sample(n * sentences, rng).ids
    ids = ids[:, : int((ids != text.vocabulary.pad_id).sum(axis=1).max())].reshape(n, sentences, -1)
    return ids, maskable_positions(ids, text.vocabulary.special_ids)


def _spread(model, text, ids, population, frozen, config, rng) -> float:
    if config.over == "data":
        ids, maskable = _batches(text, 1, config.draws, rng)
        asked = _select_one(maskable, rng)
    else:
        places = np.flatnonzero(population)
        asked = np.zeros((len(places), population.size), dtype=bool)
        asked[np.arange(len(places)), places] = True
        asked = asked.reshape(-1, *population.shape[1:])
    hidden = asked if frozen is None else frozen
    return float(_moments(draw_gradients(model, make_draws(ids, hidden, asked, text.vocabulary)))[0].mean())


def _moments(gradients: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Of n gradients (n, P): n/(n-1) |g_d - mean|^2, and the mean inner product of g_d with the n - 1 others, (n,)."""
    n = len(gradients)
    total = gradients.sum(dim=0)
    agreements = ((gradients @ total).double().numpy() - _squared_lengths(gradients)) / (n - 1)
    gradients -= total / n
    return _squared_lengths(gradients) * (n / (n - 1)), agreements


def _squared_lengths(gradients: torch.Tensor) -> np.ndarray:
    """(n, P) -> (n,), in float64, row by row, since all rows in float64 would take twice the memory again."""
    return np.array([float(row.double().square().sum()) for row in gradients])
