"""What becomes of a model's predictions when the direction of the role is taken out, beside two controls.

Shape letters: N nouns, D the width of a position, K kinds of sentences.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.lab.exact_questions import kl_from_logs
from mlm_mini.experiments.probing import removal
from mlm_mini.experiments.probing.nouns import SENTENCE_KINDS, Nouns
from mlm_mini.experiments.probing.probe import by_kind, choose_probe
from mlm_mini.experiments.probing.reading import LEMMA_FOLDS, NOUN_MASKED, Reader
from mlm_mini.model import MaskedLM

ROLE_REMOVED, RANDOM_REMOVED, EQUALLY_FAR = "role direction", "random direction", "random, equally far"
RANDOM_DRAWS = 5


@dataclass(frozen=True)
class Removal:
    """What taking something out of the vector of a hidden noun does. what: ROLE_REMOVED, RANDOM_REMOVED or
    EQUALLY_FAR. layer: after which. moved: nats by which the prediction moves, (K,); farther: by how much it is farther
    from the exact posterior then, (K,); flips: share of best guesses that change, (K,); left: balanced accuracy of a
    new probe, (K,)."""

    what: str
    layer: int
    moved: np.ndarray
    farther: np.ndarray
    flips: np.ndarray
    left: np.ndarray


def measure_removal(reader: Reader, model: MaskedLM, layer: int) -> list[Removal]:
    """The direction between the class means, and the two controls, each on words that it was not taken from.

    Random directions are drawn RANDOM_DRAWS times in each fold.
    """
    language, nouns = reader.language, reader.nouns
    seen, pad = reader.seen(NOUN_MASKED), language.vocabulary.pad_id
    exact = language.posterior_at(seen, nouns.places[:, None])[:, 0]
    before = removal.log_predictions(model, seen, nouns.places, pad)
    x = reader.states(model, NOUN_MASKED)[layer]
    rng = np.random.default_rng([reader.seed, layer])
    found: dict[str, list] = {ROLE_REMOVED: [], RANDOM_REMOVED: [], EQUALLY_FAR: []}
    for fold in range(LEMMA_FOLDS):
        out = reader.lemma_folds == fold
        given, roles = x[~out], nouns.agent[~out]
        role = removal.removing(removal.class_difference(given, roles), given.mean(axis=0))
        changes = [(ROLE_REMOVED, role)]
        for _ in range(RANDOM_DRAWS):
            changes.append((RANDOM_REMOVED, removal.random_removal(given, 1, rng)))
            changes.append((EQUALLY_FAR, removal.equally_far(given, role, rng)))
        for draw, (what, change) in enumerate(changes):
            after = removal.log_predictions(model, seen[out], nouns.places[out], pad, layer, change)
            kl = kl_from_logs(exact[out], after) - kl_from_logs(exact[out], before[out])
            numbers = [removal.moved_nats(before[out], after), kl, before[out].argmax(1) != after.argmax(1)]
            left = _left(change(x), nouns, out) if draw <= 2 else None
            found[what].append(([_means(values, nouns.kind[out]) for values in numbers], left))
    return [
        Removal(
            what,
            layer,
            *np.mean([numbers for numbers, _ in of], axis=0),
            np.nanmean([left for _, left in of if left is not None], axis=0),
        )
        for what, of in found.items()
    ]


def _means(values: np.ndarray, kind: np.ndarray) -> np.ndarray:
    return np.array([values[kind == k].mean() for k in range(len(SENTENCE_KINDS))])


def _left(x: np.ndarray, nouns: Nouns, out: np.ndarray) -> np.ndarray:
    """Accuracy by kind, (K,), of a new probe that is fitted and tested on changed vectors."""
    probe = choose_probe(x[~out], nouns.agent[~out], nouns.lemmas[~out])
    return by_kind(probe.scores(x[out]), nouns.where(out), np.zeros(int(out.sum()), dtype=int))[0]
