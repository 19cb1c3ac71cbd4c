"""What becomes of a model's predictions when the direction of the role is taken out, beside two controls.

Shape letters: N nouns, D the width of a position, K kinds of sentences.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.lab.exact_questions import kl_from_logs
from mlm_mini.experiments.probing import removal
from mlm_mini.experiments.probing.nouns import SENTENCE_KINDS
from mlm_mini.experiments.probing.probe import balanced_accuracy, choose_probe
from mlm_mini.experiments.probing.reading import LEMMA_FOLDS, NOUN_MASKED, Reader
from mlm_mini.model import MaskedLM
from mlm_mini.seeds import Stream, generator

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

    All of this within each kind of sentence: a direction that separates the roles in actives need not do so elsewhere,
    and vectors of one kind may lie farther apart than those of another. Random directions are drawn RANDOM_DRAWS times
    in each fold.
    """
    bench = RemovalBench(reader, model, layer)
    found: dict[str, list] = {ROLE_REMOVED: [], RANDOM_REMOVED: [], EQUALLY_FAR: []}
    for fold, kind in np.ndindex(LEMMA_FOLDS, len(SENTENCE_KINDS)):
        for draw, (what, change) in enumerate(bench.changes(fold, kind)):
            found[what].append((kind, *bench.measure(change, fold, kind, new_probe=draw <= 2)))
    return [Removal(what, layer, *_means(of)) for what, of in found.items()]


class RemovalBench:
    """The vectors of hidden nouns after one layer, what is predicted from them, and what should be."""

    def __init__(self, reader: Reader, model: MaskedLM, layer: int):
        self.nouns, self.folds, self.model, self.layer = reader.nouns, reader.lemma_folds, model, layer
        self.seen, self.pad = reader.seen(NOUN_MASKED), reader.language.vocabulary.pad_id
        self.exact = reader.language.posterior_at(self.seen, self.nouns.places[:, None])[:, 0]
        self.before = removal.log_predictions(model, self.seen, self.nouns.places, self.pad)
        self.x = reader.states(model, NOUN_MASKED)[layer]
        self.rng = generator(reader.seed, Stream.PROBES, layer)

    def changes(self, fold: int, kind: int) -> Iterator[tuple[str, removal.Change]]:
        """What is done to the vectors, made of the nouns of one kind outside a fold."""
        given = (self.folds != fold) & (self.nouns.kind == kind)
        x, roles = self.x[given], self.nouns.agent[given]
        role = removal.removing(removal.class_difference(x, roles), x.mean(axis=0))
        yield ROLE_REMOVED, role
        for _ in range(RANDOM_DRAWS):
            yield RANDOM_REMOVED, removal.random_removal(x, 1, self.rng)
            yield EQUALLY_FAR, removal.equally_far(x, role, self.rng)

    def measure(self, change: removal.Change, fold: int, kind: int, new_probe: bool) -> list[float]:
        """moved, farther, flips and left of `Removal`, of the nouns of one kind in a fold; left is NaN without a
        new probe, which is fitted on changed vectors outside of the fold and tested on those inside."""
        of_kind = self.nouns.kind == kind
        given, out = of_kind & (self.folds != fold), of_kind & (self.folds == fold)
        at = self.seen[out], self.nouns.places[out], self.pad
        before, after = self.before[out], removal.log_predictions(self.model, *at, self.layer, change)
        farther = kl_from_logs(self.exact[out], after) - kl_from_logs(self.exact[out], before)
        left = np.nan
        if new_probe:
            probe = choose_probe(change(self.x[given]), self.nouns.agent[given], self.nouns.lemmas[given])
            left = balanced_accuracy(probe.scores(change(self.x[out])) > 0, self.nouns.agent[out])
        flips = before.argmax(1) != after.argmax(1)
        return [removal.moved_nats(before, after).mean(), farther.mean(), flips.mean(), left]


def _means(measured: list[tuple]) -> np.ndarray:
    """(4, K): over folds and draws. measured: kind, and four numbers."""
    numbers = np.array(measured)
    return np.array([np.nanmean(numbers[numbers[:, 0] == k, 1:], axis=0) for k in range(len(SENTENCE_KINDS))]).T
