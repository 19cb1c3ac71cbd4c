"""The study of probes as it is run: one model for each seed, trained or read from the cache, and all read of it.

Every seed has a model, nouns, folds, control labels and random weights of its own, so that an interval over seeds
speaks for all of these together.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.lab.result import plain
from mlm_mini.experiments.lab.study import study_folder
from mlm_mini.experiments.probing import features, probe, reading, removed
from mlm_mini.experiments.probing.hiding import HIDEABLE
from mlm_mini.experiments.probing.nouns import role_task
from mlm_mini.experiments.probing.reading import READ_NOUNS, STATIC_TABLE, TRAINED, UNTRAINED, Reader, Reading
from mlm_mini.experiments.probing.removed import Removal
from mlm_mini.training import Reporter, cached_model

KEPT_DECIMALS = 4


@dataclass(frozen=True)
class ProbingCell:
    """One model. size, steps, seed: of its training. nouns: how many are probed."""

    size: str
    steps: int
    seed: int
    nouns: int

    @property
    def name(self) -> str:
        return f"{self.size}-{self.steps}-steps-{self.nouns}-nouns-seed{self.seed}"


@dataclass(frozen=True)
class Ceiling:
    """How often the exact posterior is right, by kind: (K,). noun, hidden: as in `Reading`. changed: in which share of
    the sentences of each kind a word is hidden, (K,)."""

    noun: str
    hidden: str
    right: np.ndarray
    changed: np.ndarray


@dataclass(frozen=True)
class ProbedModel:
    """All that was read of one model. gap: to the Bayes floor, in nats per hidden word. new_verbs: balanced accuracy
    on verbs that the probe never met, by reader and noun, and of a probe on the model's table of words."""

    cell: ProbingCell
    gap: float
    readings: tuple[Reading, ...]
    ceilings: tuple[Ceiling, ...]
    removals: tuple[Removal, ...]
    new_verbs: dict[str, float]


def probing_folder():
    """The place in the cache for cells of this study, named after all that they have in common."""
    constants = [probe.PENALTIES, reading.LEMMA_FOLDS, reading.VERB_FOLDS, removed.RANDOM_DRAWS, HIDEABLE]
    return study_folder("probing", run_probing_cell, role_task().language.fingerprint, constants)


def run_probing_cell(cell: ProbingCell) -> dict:
    """Train the model of a cell on the CPU, or find it, and read it; what `ProbedModel` holds, fit for JSON."""
    trained = cached_model("scenes", cell.size, Reporter, steps=cell.steps, seed=cell.seed)
    model = trained.model
    random = reading.random_copy(model, cell.seed)
    reader = Reader(role_task(), cell.nouns, cell.seed)
    models = {TRAINED: model, UNTRAINED: random}
    readings = [*reader.read_layers(models), *reader.read_hidden(model), *reader.read_text(model)]
    ceilings = [
        Ceiling(noun, what, reader.ceiling(noun, what), reader.changed(what))
        for noun in READ_NOUNS
        for what in HIDEABLE
    ]
    removals = [of for layer in (1, len(model.blocks)) for of in removed.measure_removal(reader, model, layer)]
    verbs = {
        f"{name}, {noun}": reader.new_verbs(reader.states(m, noun)[-1])
        for name, m in models.items()
        for noun in READ_NOUNS
    }
    verbs[STATIC_TABLE] = reader.new_verbs(features.word_vectors(model, reader.nouns.lemmas))
    found = {"readings": readings, "ceilings": ceilings, "removals": removals, "new_verbs": verbs}
    return _rounded(plain({"gap": trained.curve[-1].gap} | found))


def _rounded(value):
    if isinstance(value, float):
        return round(value, KEPT_DECIMALS) if np.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
