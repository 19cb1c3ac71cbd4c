"""The gradient of each strategy on one model: how long it is, and how much of it goes where the exact KL falls.

Shape letters: B sentences, T positions, n predicted tokens of a part, V tokens, P weights of the model, R batches.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mlm_mini.experiments.lab.exact_questions import draw_questions
from mlm_mini.experiments.lab.recipe import BATCH_SIZE, DECIMALS
from mlm_mini.experiments.strategy.config import STUDY_RATIO, StrategyCell
from mlm_mini.experiments.strategy.scores import about_words
from mlm_mini.experiments.strategy.selection import parts_of, select, selected_batch
from mlm_mini.languages import SceneLanguage
from mlm_mini.model import MaskedLM
from mlm_mini.reference import IGNORE_INDEX
from mlm_mini.seeds import Stream, generator
from mlm_mini.training import accumulate_gradient
from mlm_mini.training.objectives import by_length

TARGET_SENTENCES = 3072  # for the gradient that all others are held against


@dataclass(frozen=True)
class Signal:
    """The gradient of a strategy's loss on one model, over R batches.

    after: the share of a training with uniform masks that the model has behind it. signal: |E g|^2, the square of the
    expected gradient, free of the noise that R batches have, so that it may come out below 0 where it is small.
    batch: E |g|^2, that of a single batch. useful: E g along the gradient of the exact KL over the words: what such a
    step, to first order, takes off that KL. nats: the mean loss.
    """

    strategy: str
    weighted: bool
    after: float
    signal: float
    batch: float
    useful: float
    nats: float


def measure_signals(model: MaskedLM, language: SceneLanguage, cell: StrategyCell, after: float) -> list[Signal]:
    """The gradients of each of cell.arms on the model as it is, all on the same sentences."""
    rng = generator(cell.seed, Stream.PROBES, round(1000 * after))
    target = kl_gradient(model, language, rng)
    batches = [_next_sentences(language, rng) for _ in range(cell.probe_batches)]
    seed = int(rng.integers(2**32))
    signals = []
    for strategy, weighted in cell.arms:
        masks = np.random.default_rng(seed)
        found = [_batch_gradient(model, ids, language, strategy, weighted, masks) for ids in batches]
        gradients = torch.stack([gradient for gradient, _ in found])  # (R, P)
        nats = float(np.mean([loss for _, loss in found]))
        signal, batch = squared_norms(gradients)
        useful = float(gradients.mean(0) @ target / target.norm())
        figures = (round(figure, DECIMALS) for figure in (signal, batch, useful, nats))
        signals.append(Signal(strategy, weighted, after, *figures))
    model.zero_grad()
    return signals


def squared_norms(gradients: Tensor) -> tuple[float, float]:
    """|E g|^2 and E |g|^2 from R independent gradients, (R, P), R at least 2.

    The mean of R gradients is longer than their expectation: its square has tr(Cov) / R in it. The mean product of two
    *different* gradients has not.
    """
    R = len(gradients)
    own = float((gradients**2).sum())
    different = float((gradients.sum(0) ** 2).sum()) - own
    return different / (R * (R - 1)), own / R


def kl_gradient(model: MaskedLM, language: SceneLanguage, rng: np.random.Generator) -> Tensor:
    """The gradient of the mean KL(exact, model) over words hidden uniformly at 15%, (P,), on a large sample."""
    model.zero_grad()
    questions = draw_questions(language, TARGET_SENTENCES, STUDY_RATIO, rng)
    words, done = about_words(questions, language), 0
    for part in questions.batch.split(parts_of(TARGET_SENTENCES)):
        asked = part.labels != IGNORE_INDEX
        n = int(asked.sum())
        rows, done = slice(done, done + n), done + n
        log_q = model(part.ids, part.attention_mask, part.positions)[asked].log_softmax(-1)  # (n, V)
        p = torch.from_numpy(questions.posterior[rows] * words[rows, None]).float()
        (-(p * log_q).sum() / words.sum()).backward()
    return _flat(model)


def _next_sentences(language: SceneLanguage, rng: np.random.Generator) -> np.ndarray:
    """A batch of fresh sentences (B, T), the short ones first."""
    return by_length(language.sample(BATCH_SIZE, rng).ids, language.vocabulary)


def _batch_gradient(model, ids, language, strategy, weighted, rng) -> tuple[Tensor, float]:
    """(P,), and the loss in nats."""
    model.zero_grad()
    selection = select(strategy, weighted, ids, language.vocabulary, STUDY_RATIO, rng, model)
    loss = accumulate_gradient(model, selected_batch(ids, language.vocabulary, selection), parts_of(len(ids)))
    return _flat(model), loss.item()


def _flat(model: MaskedLM) -> Tensor:
    return torch.cat([weight.grad.flatten() for weight in model.parameters()])
