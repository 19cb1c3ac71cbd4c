"""Other angles, the same predictions: what the loss of a masked model does not settle.

A score is an inner product, h . e, of a hidden vector and the word's row of the output table. With any matrix A that
can be inverted, the rows e A and the hidden vectors h A^-T have the same inner products, so that every probability is
the same, and other cosines. This concerns the table that gives the scores; a model that uses the table for its input as
well would have to be changed there too.

Shape letters: V words, D dimensions, N hidden vectors.
"""

import numpy as np
import torch

from mlm_mini.experiments.company.geometry import centered
from mlm_mini.experiments.company.vectors import last_states
from mlm_mini.model import MaskedLM
from mlm_mini.reference import softmax


def stretch(vectors, power: float) -> tuple[np.ndarray, np.ndarray]:
    """Matrices (D, D) for table rows and for hidden vectors: the spread of the centered rows (V, D) along each of their
    main directions becomes its `power`. 1 changes nothing, 0 makes all spreads equal, -1 turns large into small."""
    _, s, Vt = np.linalg.svd(centered(vectors), full_matrices=False)
    return (Vt.T * s ** (power - 1)) @ Vt, (Vt.T * s ** (1 - power)) @ Vt


@torch.no_grad()
def output_pair(model: MaskedLM, ids, pad_id: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the scores of a model are made of, in float64: hidden vectors (N, D), table (V, D), bias (V,).

    ids: (B, T) sentences; every position is a question, as it stands. V counts all tokens.
    """
    head, rows = model.head, model.embeddings.words.weight
    states = torch.from_numpy(last_states(model, ids, pad_id).reshape(-1, rows.shape[1]))  # (B, T, D) -> (N, D)
    hidden = head.norm(torch.nn.functional.gelu(head.dense(states)))
    return tuple(part.detach().double().numpy() for part in (hidden, rows, head.bias))


def predictions(hidden, rows, bias) -> np.ndarray:
    """The probabilities that follow from hidden vectors (N, D), a table (V, D) and a bias (V,): (N, V)."""
    return softmax(hidden @ rows.T + bias)
