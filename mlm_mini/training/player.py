"""A trained model as a player of the cloze game (`mlm_mini.languages.cloze`)."""

from collections.abc import Sequence

import numpy as np
import torch

from mlm_mini.languages.cloze import Player, Question
from mlm_mini.training.cached import TrainedModel

QUESTIONS_AT_ONCE = 256


def model_player(trained: TrainedModel, words: Sequence[str], name: str = "the trained model") -> Player:
    """The model as a player who guesses among `words`: its probabilities of these are scaled to sum to one.

    Raises ValueError, at a question, for a word that the model does not know.
    """
    return Player(name, lambda question: dict(zip(words, np.exp(_log_q(trained, [question], words)[0]), strict=True)))


def model_nats(trained: TrainedModel, questions: Sequence[Question], words: Sequence[str]) -> np.ndarray:
    """Surprisal (N,) of the model at N questions, in nats, as the player of `model_player` would pay."""
    log_q = np.concatenate(
        [
            _log_q(trained, questions[i : i + QUESTIONS_AT_ONCE], words)
            for i in range(0, len(questions), QUESTIONS_AT_ONCE)
        ]
    )
    answers = [words.index(question.answer) for question in questions]
    return -log_q[np.arange(len(questions)), answers]


@torch.no_grad()
def _log_q(trained: TrainedModel, questions: Sequence[Question], words: Sequence[str]) -> np.ndarray:
    """Log-probabilities over `words` for the blank of each question: (N, W) float64."""
    vocabulary = trained.tokenizer.vocabulary
    rows = [trained.tokenizer.encode(" ".join(question.shown)) for question in questions]
    ids = np.full((len(rows), max(map(len, rows))), vocabulary.pad_id)
    for row, tokens in zip(ids, rows, strict=True):
        row[: len(tokens)] = tokens
    if (ids == vocabulary.unk_id).any() or vocabulary.unk_id in vocabulary.ids(words):
        raise ValueError("a question or the list of words holds a word that the model does not know")
    ids = torch.from_numpy(ids)
    blanks = (ids == vocabulary.mask_id).nonzero()[:, 1:]  # (N, 1)
    logits = trained.model(ids, ids != vocabulary.pad_id, blanks)[:, 0, vocabulary.ids(words)]  # (N, V) -> (N, W)
    return logits.double().log_softmax(-1).numpy()
