"""What probes and the exact posterior say of one noun of one sentence, with any of its words hidden.

Shape letters: N nouns, T positions, D the width of a position.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.probing.features import states_at
from mlm_mini.experiments.probing.hiding import HALF, NOTHING
from mlm_mini.experiments.probing.nouns import role_task
from mlm_mini.experiments.probing.probe import Probe, fit_probe
from mlm_mini.experiments.probing.reading import (
    NOUN_MASKED,
    NOUN_SEEN,
    READ_NOUNS,
    TRAINED,
    UNTRAINED,
    Reader,
    random_copy,
)
from mlm_mini.model import MaskedLM

PROBED_NOUNS, PROBED_SEED, SENTENCE_PENALTY = 1500, 1305, 10.0


@dataclass(frozen=True)
class RoleShares:
    """The probability that a noun is the agent: of the exact posterior, and by the probe on each model."""

    exact: float
    probes: dict[str, float]


class SentenceProbes:
    """Probes on the last layer of a model and of one with random weights, for nouns that are visible and hidden.

    They are fitted on whole sentences and on some of which half is hidden, so that they have met [MASK]; the words
    `left_out`, ids, are not among their nouns. Raises ValueError for a model of another vocabulary.
    """

    def __init__(self, model: MaskedLM, left_out: np.ndarray):
        self.task = role_task()
        self.language = self.task.language
        if model.config.vocab_size != (V := len(self.language.vocabulary)):
            raise ValueError(f"the model has a vocabulary of {model.config.vocab_size} tokens, the scene language {V}")
        self.models = {TRAINED: model, UNTRAINED: random_copy(model, PROBED_SEED)}
        reader = Reader(self.task, PROBED_NOUNS, PROBED_SEED)
        kept = ~np.isin(reader.nouns.lemmas, left_out)
        self.probes = {
            (name, noun): _fitted(reader, m, noun, kept) for name, m in self.models.items() for noun in READ_NOUNS
        }

    def read(self, seen: np.ndarray, place: int) -> RoleShares:
        """Of the noun at a place of one sentence, (T,) ids with `mask_id` where hidden, the noun itself or not.

        Raises ValueError for a sentence that the language cannot produce, or a noun that cannot be both.
        """
        vocabulary, at = self.language.vocabulary, np.array([place])
        noun = NOUN_MASKED if seen[place] == vocabulary.mask_id else NOUN_SEEN
        shares = {}
        for name, model in self.models.items():
            x = states_at(model, seen[None], at, vocabulary.pad_id)[-1]
            shares[name] = float(1 / (1 + np.exp(-self.probes[name, noun].scores(x)[0])))
        return RoleShares(float(self.task.agent_posterior(seen[None], at)[0]), shares)


def _fitted(reader: Reader, model: MaskedLM, noun: str, kept: np.ndarray) -> Probe:
    x = np.concatenate([reader.states(model, noun, hidden)[-1][kept] for hidden in (NOTHING, HALF)])
    y = np.tile(reader.nouns.agent[kept], 2)
    return fit_probe(x, y, SENTENCE_PENALTY)
