"""What a trained encoder makes of text with nothing hidden in it, as it will meet it after pre-training.

Shape letters: B sentences, T positions, D the width of a position, N words looked at.
"""

from typing import NamedTuple

import numpy as np
import torch

from mlm_mini.languages import ROLE_AGENT, ROLE_PATIENT, SceneSentences
from mlm_mini.model import MaskedLM

REGULARIZATION = 1.0  # scikit-learn's C; hidden states have a LayerNorm behind them, so that one value fits all


class CleanText(NamedTuple):
    """probe_accuracy: share of held-out agents and patients that a linear probe tells apart. copy_nats: the model's
    mean surprisal at a word that it sees, in nats."""

    probe_accuracy: float
    copy_nats: float


@torch.no_grad()
def read_clean_text(model: MaskedLM, train: SceneSentences, test: SceneSentences) -> CleanText:
    """Fits the probe on the hidden states of one sample of scenes, and tests it on another.

    The probe is a logistic regression on the last hidden state of each noun that is an agent or a patient.
    Raises ValueError when a sample has no agent or no patient.
    """
    from sklearn.linear_model import LogisticRegression

    (x, y), (x_test, y_test) = (_role_states(model, sentences) for sentences in (train, test))
    probe = LogisticRegression(C=REGULARIZATION, max_iter=1000).fit(x, y)
    return CleanText(float(probe.score(x_test, y_test)), _copy_nats(model, test))


def _role_states(model: MaskedLM, sentences: SceneSentences) -> tuple[np.ndarray, np.ndarray]:
    """Hidden states (N, D) of agents and patients, and which of the two each is, (N,) bool."""
    asked = np.isin(sentences.roles, [ROLE_AGENT, ROLE_PATIENT])
    agent = sentences.roles[asked] == ROLE_AGENT
    if agent.all() or not agent.any():
        raise ValueError(f"{len(sentences)} sentences hold no agent or no patient: draw more")
    ids = torch.from_numpy(sentences.ids)
    states = model.encode(ids, ids != sentences.vocabulary.pad_id)  # (B, T, D)
    return states.numpy()[asked], agent


def _copy_nats(model: MaskedLM, sentences: SceneSentences) -> float:
    ids = torch.from_numpy(sentences.ids)
    log_p = model(ids, ids != sentences.vocabulary.pad_id).log_softmax(-1)  # (B, T, V)
    word = torch.from_numpy(~np.isin(sentences.ids, sentences.vocabulary.special_ids))
    return -float(log_p.gather(-1, ids[..., None])[..., 0][word].double().mean())
