"""Does the model use what a probe finds? A direction is taken out of the vectors, and the predictions are compared.

After Elazar and others (2021), who took out all that an iterated probe finds (Ravfogel and others 2020) and compared
with random directions. Those carry little of what varies from sentence to sentence, so here stands a second control:
a random direction of the vectors' own spread, along which they are moved just as far.

Shape letters: N nouns, T positions, D the width of a position, k directions, V tokens.
"""

from collections.abc import Callable

import numpy as np
import torch

from mlm_mini.experiments.lab.asking import without_dropout
from mlm_mini.experiments.lab.exact_questions import kl_from_logs
from mlm_mini.experiments.probing.features import PROBED_AT_ONCE, all_states
from mlm_mini.experiments.probing.probe import fit_probe
from mlm_mini.model import MaskedLM

Change = Callable[[np.ndarray], np.ndarray]  # vectors (N, D) -> vectors (N, D)
REMOVAL_PENALTY = 10.0  # of the probes whose directions are removed one after the other


def remove_directions(x: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """x without its part along any of the directions: (N, D) and (k, D) -> (N, D), a new array.

    Directions need not have length 1, nor stand at right angles, nor be independent of each other.
    """
    return x - x @ np.linalg.pinv(directions) @ directions


def removing(directions: np.ndarray, center: np.ndarray) -> Change:
    """The change that brings all vectors to where the center lies along the directions, (k, D)."""
    return lambda x: center + remove_directions(x - center, directions)


def class_difference(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """From the mean of the patients to that of the agents, (1, D).

    Without this one direction both means are the same, and no linear probe has a smaller loss than a constant (Belrose
    and others 2023), on the nouns that it was taken from.
    """
    return x[y].mean(axis=0, keepdims=True) - x[~y].mean(axis=0, keepdims=True)


def probed_directions(x: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """The direction of a probe, then that of a probe fitted on what is left, and so on: (k, D), orthonormal."""
    found = np.empty((0, x.shape[1]))
    for _ in range(k):
        left = remove_directions(x, found) if len(found) else x
        direction = fit_probe(left, y, REMOVAL_PENALTY).weights[None]
        direction = remove_directions(direction, found) if len(found) else direction
        found = np.concatenate([found, direction / np.linalg.norm(direction)])
    return found


def random_removal(x: np.ndarray, k: int, rng: np.random.Generator) -> Change:
    """Takes out k directions that know nothing of the vectors."""
    return removing(rng.normal(size=(k, x.shape[1])), x.mean(axis=0))


def equally_far(x: np.ndarray, change: Change, rng: np.random.Generator) -> Change:
    """Moves vectors along one random direction of their own spread, towards their mean or beyond, as far as `change`.

    The direction is normal with the covariance of x, (N, D); the mean of the squared distances over x is the same.
    """
    center = x.mean(axis=0)
    direction = rng.normal(size=len(x)) @ (x - center)
    direction /= np.linalg.norm(direction)
    far = ((change(x) - x) ** 2).sum(axis=1).mean()
    share = np.sqrt(far / (((x - center) @ direction) ** 2).mean())
    return lambda given: given - share * np.outer((given - center) @ direction, direction)


@torch.no_grad()
def log_predictions(
    model: MaskedLM, seen: np.ndarray, places: np.ndarray, pad_id: int, layer: int = -1, change: Change | None = None
) -> np.ndarray:
    """log q(word at each place), (N, V) in nats, when the vector there is changed after a layer.

    seen: (N, T) ids; places: (N,). layer: as in `states_at`, 0 for the embeddings. What comes after the layer is
    computed with the changed vector, by all positions that read it.
    """
    parts = []
    layer %= len(model.blocks) + 1
    for start in range(0, len(seen), PROBED_AT_ONCE):
        ids = torch.from_numpy(seen[start : start + PROBED_AT_ONCE])
        rows, at = torch.arange(len(ids)), torch.from_numpy(places[start : start + PROBED_AT_ONCE])
        mask = (ids != pad_id)[:, None, None, :]
        x = all_states(model, ids, ids != pad_id)[layer].clone()  # (B, T, D)
        if change is not None:
            x[rows, at] = torch.from_numpy(change(x[rows, at].double().numpy())).float()
        with without_dropout(model):
            for block in model.blocks[layer:]:
                x = block(x, mask, False)
            logits = model.head(x[rows, at], model.embeddings.words.weight)  # (B, D) -> (B, V)
        parts.append(logits.double().log_softmax(-1).numpy())
    return np.concatenate(parts)


def moved_nats(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """KL(before, after) of log-probabilities, both (N, V): how far each prediction has moved, (N,) in nats."""
    return kl_from_logs(np.exp(before), after)
