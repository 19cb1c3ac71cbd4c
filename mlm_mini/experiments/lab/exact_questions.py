"""How far a model is from the exact posterior, at the same questions every time, in nats.

A loss at sampled labels is noisy twice: in the words that were hidden, and in which word happened to stand there. The
exact posterior p is known, so the second kind can be left out: the expected loss above the Bayes floor at a blank is
KL(p, q) = sum_v p_v (log p_v - log q_v), with q the model's distribution.

Shape letters: B sentences, T positions, V tokens, k predicted positions of a sentence, N questions in all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from mlm_mini.experiments.lab.asking import without_dropout
from mlm_mini.languages import ExactLanguage
from mlm_mini.model import MaskedLM
from mlm_mini.reference import IGNORE_INDEX, entropy
from mlm_mini.training import Batch, Masking, masked_batch

SENTENCES_AT_ONCE = 512


@dataclass(frozen=True)
class ExactQuestions:
    """Sentences with fixed blanks, and the exact answers.

    batch: B sentences with [MASK] where something is asked. rows: (N,) the sentence of each question.
    posterior: (N, V) float64, the exact distribution of each hidden word given all that is visible.
    """

    batch: Batch
    rows: np.ndarray
    posterior: np.ndarray

    @property
    def floor(self) -> float:
        """The mean entropy of the exact posteriors: what a perfect reader pays, in nats per question."""
        return float(entropy(self.posterior).mean())


def draw_questions(language: ExactLanguage, n: int, mask_ratio: float, rng: np.random.Generator) -> ExactQuestions:
    """Questions about n fresh sentences, each word hidden with probability mask_ratio, by [MASK] alone.

    Raises ValueError when no word is selected.
    """
    batch = masked_batch(language.sample(n, rng).ids, language.vocabulary, Masking(mask_ratio=mask_ratio), rng)
    if not batch.count_labels():
        raise ValueError(f"in {n} sentences no token was selected at mask_ratio {mask_ratio}: draw more")
    rows, places = np.nonzero(batch.labels.numpy() != IGNORE_INDEX)
    posterior = language.posterior_at(batch.ids.numpy(), batch.positions.numpy())[rows, places]
    return ExactQuestions(batch, rows, posterior)


def question_kl(model: MaskedLM, questions: ExactQuestions) -> np.ndarray:
    """KL(exact, model) at each question, in nats: (N,), zero only where the model is exact.

    Special tokens are never the answer, but the model may give them a share; it pays for that as for any mistake.
    """
    return np.concatenate([kl_from_logs(p, log_q) for p, log_q in answers(model, questions)])


def kl_from_logs(p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """KL(p, q) in nats of probabilities p and log-probabilities log_q, both (N, V): (N,)."""
    log_p = np.log(p, where=p > 0, out=np.zeros_like(p))  # 0 log 0 is 0
    return (p * (log_p - log_q)).sum(axis=1)


@torch.no_grad()
def answers(model: MaskedLM, questions: ExactQuestions) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Block by block the exact posteriors and the model's log-probabilities at the questions, both (n, V)."""
    start = 0
    with without_dropout(model):
        for first in range(0, len(questions.batch), SENTENCES_AT_ONCE):
            batch = questions.batch.rows(slice(first, first + SENTENCES_AT_ONCE))
            logits = model(batch.ids, batch.attention_mask, batch.positions)  # (B, k, V)
            log_q = logits[batch.labels != IGNORE_INDEX].double().log_softmax(-1).numpy()  # (B, k, V) -> (n, V)
            yield questions.posterior[start : start + len(log_q)], log_q
            start += len(log_q)
