"""One model trained by one strategy, what that cost, and how much of its gradient was of use.

Shape letters: B sentences, T positions, n predicted tokens of a part, V tokens, P weights of the model, R batches.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from mlm_mini.experiments.cost import mean_length
from mlm_mini.experiments.noisy_scenes import code_ids, noisy_scenes
from mlm_mini.experiments.scoring import ExactQuestions, answers, draw_questions, kl_from_logs
from mlm_mini.experiments.selection import (
    KEPT,
    OVERSAMPLING,
    SCORED,
    UNIFORM,
    Selection,
    batch_of,
    check_strategy,
    parts_of,
    select,
)
from mlm_mini.languages import SceneLanguage, scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.reference import IGNORE_INDEX
from mlm_mini.training import TrainingConfig, surprisals
from mlm_mini.training.loop import MASKS, first_model
from mlm_mini.training.material import TEXT
from mlm_mini.training.objectives import by_length
from mlm_mini.training.optimizer import make_optimizer, set_learning_rates

SCENES, NOISY = "scenes", "noisy"
LANGUAGES = {SCENES: scene_language, NOISY: noisy_scenes}
MASK_RATIO, BATCH_SIZE, LEARNING_RATE = 0.15, 64, 3e-3
SCORED_SENTENCES, SCORING_SEED = 1500, 1100
TARGET_SENTENCES = 3072  # for the gradient that all others are held against
PROBES = 3  # which of a seed's generators draws for the gradients; the others are named in `loop` and `material`
BINS = 10  # of the calibration
ROUNDING = 5  # decimals kept of what a cell found


@dataclass(frozen=True)
class Cell:
    """One model to train.

    language: "scenes" or "noisy". steps: updates of the weights that uniform masks may take; a strategy takes fewer
    where it costs more, if it is `charged`. probed: the shares of the training after which the gradients of `arms`
    are measured, pairs of a strategy and whether it is weighted. probe_batches: for each of them.
    """

    language: str
    strategy: str
    weighted: bool
    seed: int
    steps: int
    charged: bool = True
    probed: tuple[float, ...] = ()
    arms: tuple[tuple[str, bool], ...] = ()
    probe_batches: int = 48

    @property
    def name(self) -> str:
        """All fields, as a file's name."""
        words = [self.language, self.strategy.replace(" ", "_"), "weighted" if self.weighted else "plain"]
        words += [f"{self.steps}", "charged" if self.charged else "free"]
        if self.probed:
            words.append(f"probed{len(self.probed)}x{len(self.arms)}x{self.probe_batches}")
        return "-".join(words) + f"-seed{self.seed}"


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


# ---- cost


def step_flops(strategy: str, shape: ModelConfig, language: SceneLanguage, charged: bool = True) -> float:
    """Operations per token of the text for one step of a strategy, its scoring pass included if it is `charged`.

    A training pass costs F(m) = `training_flops_per_token` with m the share of the tokens that is predicted; a forward
    pass costs a third of it. "surprisal" and "entropy" score all candidates in a pass of their own: F(m) + F(c) / 3,
    with c the share of candidates. "kept" asks the head for all candidates and goes back from those it keeps:
    F(m) + (F(c) - F(m)) / 3. Drawing and sorting are not counted.
    """
    check_strategy(strategy)
    length = mean_length(language)
    words = length - 2  # all but [CLS] and [SEP]
    full, candidates = (
        shape.training_flops_per_token(length, ratio * words / length)
        for ratio in (MASK_RATIO, min(1.0, OVERSAMPLING * MASK_RATIO))
    )
    if charged and strategy in SCORED:
        return full + candidates / 3
    return full + (candidates - full) / 3 if strategy == KEPT else full


def equal_steps(cell: Cell) -> int:
    """How many steps of a cell's strategy cost what cell.steps cost with uniform masks."""
    language = LANGUAGES[cell.language]()
    shape = ModelConfig.tiny(len(language.vocabulary))
    uniform = step_flops(UNIFORM, shape, language)
    return max(1, round(cell.steps * uniform / step_flops(cell.strategy, shape, language, cell.charged)))


# ---- training


def run_cell(cell: Cell) -> dict:
    """Train the model of a cell on the CPU and score it; the fields of a `CellScore` beside the cell, fit for JSON."""
    started = time.process_time()
    language, steps = LANGUAGES[cell.language](), equal_steps(cell)
    config = TrainingConfig(steps=steps, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE, seed=cell.seed)
    model = first_weights(language, cell.seed)
    optimizer = make_optimizer(model, config)
    text, masks = (np.random.default_rng([cell.seed, use]) for use in (TEXT, MASKS))
    probes, signals, noise = {max(1, round(share * steps)): share for share in cell.probed}, [], []
    for step in range(steps):
        ids = next_sentences(language, text)
        selection = select(cell.strategy, cell.weighted, ids, language.vocabulary, MASK_RATIO, masks, model)
        set_learning_rates(optimizer, step, config)
        optimizer.zero_grad()
        add_gradient(model, ids, language, selection)
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_norm)
        optimizer.step()
        noise.append(noise_share(ids, selection, language))
        if step + 1 in probes:
            signals += measure_signals(model, language, cell, probes[step + 1])
    last = noise[-max(1, steps // 4) :]
    return scores(model.eval(), language) | {
        "steps": steps,
        "noise_share": round(float(np.mean(last)), ROUNDING),
        "signals": [asdict(signal) for signal in signals],
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def noise_share(ids: np.ndarray, selection: Selection, language: SceneLanguage) -> float:
    """The share of the asked positions where a code stands; 0 where nothing is asked."""
    asked = ids[selection.asked]
    return float(np.isin(asked, code_ids(language.vocabulary)).mean()) if asked.size else 0.0


def first_weights(language: SceneLanguage, seed: int) -> MaskedLM:
    """The untrained tiny model of a seed: the same for every strategy."""
    return first_model(ModelConfig.tiny(len(language.vocabulary)), seed)


def next_sentences(language: SceneLanguage, rng: np.random.Generator) -> np.ndarray:
    """A batch of fresh sentences (B, T), the short ones first."""
    return by_length(language.sample(BATCH_SIZE, rng).ids, language.vocabulary)


def add_gradient(model: MaskedLM, ids: np.ndarray, language: SceneLanguage, selection: Selection) -> float:
    """Add the gradient of the sum of weight times surprisal to the model's; returns that sum, in nats."""
    batch = batch_of(ids, language.vocabulary, selection.hidden, selection.asked)
    weights, total = torch.from_numpy(selection.weights[selection.asked]).float(), 0.0
    for part in batch.split(parts_of(len(ids))):
        n = part.count_labels()
        if n:
            nats = surprisals(model, part)[part.labels != IGNORE_INDEX]  # (B, k) -> (n,)
            loss = (weights[:n] * nats).sum()
            loss.backward()
            total, weights = total + loss.item(), weights[n:]
    return total


# ---- scores


@cache
def questions_of(language: SceneLanguage) -> tuple[ExactQuestions, np.ndarray]:
    """What every model of a language is asked, and which of the N questions are about a word, (N,) bool."""
    questions = draw_questions(language, SCORED_SENTENCES, MASK_RATIO, np.random.default_rng(SCORING_SEED))
    return questions, about_words(questions, language)


def about_words(questions: ExactQuestions, language: SceneLanguage) -> np.ndarray:
    """(N,) bool: False where a code is asked for."""
    return questions.posterior[:, code_ids(language.vocabulary)].sum(axis=1) < 0.5


def scores(model: MaskedLM, language: SceneLanguage) -> dict:
    """kl, kl_noise: mean KL(exact, model) in nats over questions about words, and about codes, None without any.
    calibration_error, overconfidence: see `calibration`, over questions about words."""
    questions, words = questions_of(language)
    p, log_q = (np.concatenate(column) for column in zip(*answers(model, questions), strict=True))
    kl = kl_from_logs(p, log_q)
    error, overconfidence = calibration(p[words], np.exp(log_q[words]))
    return {
        "kl": round(float(kl[words].mean()), ROUNDING),
        "kl_noise": None if words.all() else round(float(kl[~words].mean()), ROUNDING),
        "calibration_error": round(error, ROUNDING),
        "overconfidence": round(overconfidence, ROUNDING),
    }


def calibration(p: np.ndarray, q: np.ndarray) -> tuple[float, float]:
    """Expected calibration error of the likeliest word, and mean confidence minus mean accuracy.

    p, q: (N, V), exact and model. Confidence is the largest q of a question; its accuracy is exact, the p of that word,
    where others have but one sampled answer (Guo et al. 2017). The error is the mean over BINS equal bins of
    confidence, weighted by their questions, of how far mean confidence and mean accuracy lie apart.
    """
    best = q.argmax(axis=1)[:, None]
    confidence, accuracy = (np.take_along_axis(of, best, axis=1)[:, 0] for of in (q, p))
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    apart = np.bincount(bins, confidence - accuracy, minlength=BINS)
    return float(np.abs(apart).sum() / len(p)), float((confidence - accuracy).mean())


# ---- gradients


def measure_signals(model: MaskedLM, language: SceneLanguage, cell: Cell, after: float) -> list[Signal]:
    """The gradients of each of cell.arms on the model as it is: every one sees the same sentences."""
    rng = np.random.default_rng([cell.seed, PROBES, round(1000 * after)])
    target = kl_gradient(model, language, rng)
    batches = [next_sentences(language, rng) for _ in range(cell.probe_batches)]
    seed = int(rng.integers(2**32))
    signals = []
    for strategy, weighted in cell.arms:
        masks = np.random.default_rng(seed)
        found = [_batch_gradient(model, ids, language, strategy, weighted, masks) for ids in batches]
        gradients = torch.stack([gradient for gradient, _ in found])  # (R, P)
        nats = float(np.mean([loss for _, loss in found]))
        signal, batch = squared_norms(gradients)
        useful = float(gradients.mean(0) @ target / target.norm())
        figures = (round(figure, ROUNDING) for figure in (signal, batch, useful, nats))
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
    """The gradient of the mean KL(exact, model) over words hidden uniformly at MASK_RATIO, (P,), on a large sample."""
    model.zero_grad()
    questions = draw_questions(language, TARGET_SENTENCES, MASK_RATIO, rng)
    words, done = about_words(questions, language), 0
    for part in questions.batch.split(parts_of(TARGET_SENTENCES)):
        asked = part.labels != IGNORE_INDEX
        n = int(asked.sum())
        rows, done = slice(done, done + n), done + n
        log_q = model(part.ids, part.attention_mask, part.positions)[asked].log_softmax(-1)  # (n, V)
        p = torch.from_numpy(questions.posterior[rows] * words[rows, None]).float()
        (-(p * log_q).sum() / words.sum()).backward()
    return _flat(model)


def _batch_gradient(model, ids, language, strategy, weighted, rng) -> tuple[Tensor, float]:
    """(P,), and the loss in nats."""
    model.zero_grad()
    selection = select(strategy, weighted, ids, language.vocabulary, MASK_RATIO, rng, model)
    loss = add_gradient(model, ids, language, selection)
    return _flat(model), loss


def _flat(model: MaskedLM) -> Tensor:
    return torch.cat([weight.grad.flatten() for weight in model.parameters()])
