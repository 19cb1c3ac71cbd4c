"""What two steps cost, each by itself: how much of what its words tell about each other is lost.

Shape letters: B sentences, T positions.
"""

from typing import NamedTuple

import numpy as np

from mlm_mini.experiments.writing.readers import exact_reader
from mlm_mini.experiments.writing.unmasking import hide_all_words, unmask
from mlm_mini.languages import ExactLanguage


class StepCost(NamedTuple):
    """Of one step, over B sentences of the language, (B,) nats each. apart: what its words cost in one pass, each by
    itself. together: what they cost jointly, given what was there before. Their mean difference is the total
    correlation of what the step fills in."""

    apart: np.ndarray
    together: np.ndarray

    @property
    def lost(self) -> np.ndarray:
        return self.apart - self.together


def two_steps(language: ExactLanguage, ids: np.ndarray, order: str, rng: np.random.Generator) -> list[StepCost]:
    """Both steps of a writer who fills in half of the words, then the other half, with exact conditionals."""
    mask_id, blank = language.vocabulary.mask_id, hide_all_words(ids, language.vocabulary)
    written = unmask(exact_reader(language), blank, mask_id, 2, rng, order, answers=ids)
    logs = [language.log_marginal(written.after(step, mask_id)) for step in range(3)]
    apart = [np.where(written.step == step, written.surprisal, 0.0).sum(axis=1) for step in (1, 2)]
    return [StepCost(nats, logs[step] - logs[step + 1]) for step, nats in enumerate(apart)]
