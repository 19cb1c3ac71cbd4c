"""The first blanks of a sentence, as a picture needs them: the joint beside the product, and what a choice changes.

Shape letters: T positions, m blanks, V tokens, W words shown of a blank.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.joint.measures import independent, total_correlation
from mlm_mini.languages import ExactLanguage
from mlm_mini.reference import kl_divergence

MOST_BLANKS = 3


@dataclass(frozen=True)
class ReadBlanks:
    """A sentence with two or three blanks, read by who knows the language.

    ids: (T,). positions: (m,). joint: (V, V) of the first two blanks, given all that is visible. apart: the product of
    its marginals. alone: (m, V), each blank in one pass.
    """

    language: ExactLanguage
    ids: np.ndarray
    positions: np.ndarray
    joint: np.ndarray
    apart: np.ndarray
    alone: np.ndarray

    @property
    def information(self) -> float:
        """What the first two blanks tell about each other, in nats: what one pass pays too much for them."""
        return total_correlation(self.joint)

    @property
    def impossible(self) -> float:
        """The share of what one pass gives to pairs of words that cannot stand there together."""
        return float(self.apart[self.joint == 0].sum())

    def shown(self, blank: int, words: int) -> np.ndarray:
        """The likeliest words of a blank, (W,) ids with at most `words` of them, none impossible."""
        p = self.alone[blank]
        top = np.argsort(-p, kind="stable")[:words]
        return top[p[top] > 0]

    def after(self, word: int) -> np.ndarray:
        """The distributions of the other blanks once the first holds `word`, asked again: (m - 1, V).

        Raises ValueError for a word that cannot stand there.
        """
        written = self.ids.copy()
        written[self.positions[0]] = word
        return self.language.posterior_at(written[None], self.positions[None, 1:])[0]

    def moved(self, word: int) -> np.ndarray:
        """KL(after, before) of each other blank when the first becomes `word`: (m - 1,) nats."""
        return kl_divergence(self.after(word), self.alone[1:])


def read_blanks(language: ExactLanguage, sentence: str) -> ReadBlanks:
    """Raises ValueError for a sentence that has not two or three blanks, or that the language cannot produce."""
    ids = language.encode(sentence)
    positions = np.flatnonzero(ids == language.vocabulary.mask_id)
    if not 2 <= len(positions) <= MOST_BLANKS:
        raise ValueError(f"the sentence has {len(positions)} blanks: write [MASK] two or three times")
    joint = language.joint(ids, positions[:2])
    alone = language.posterior_at(ids[None], positions[None])[0]
    return ReadBlanks(language, ids, positions, joint, independent(joint), alone)
