"""Two numbers that a reader gets from the validation blanks before it is compared: how sure it is, and how humble.

A reader may know a lot and still pay dearly, because it is too sure of it. So what it says is raised to a power and
mixed with how frequent each candidate is, and both numbers are those that pay least on validation text. This holds for
those that count as for the masked model.

Shape letters: N blanks, C candidates.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.beyond.ngrams import LEAST

EXPONENTS = tuple(round(0.05 * i, 2) for i in range(1, 31))  # 1 is among them: a reader may stay as it is
UNIGRAM_SHARES = tuple(round(0.02 * i, 2) for i in range(46))  # and 0


@dataclass(frozen=True)
class Tuning:
    """exponent: of the probabilities, below 1 for a reader that was too sure (1 / temperature). unigram: the share of
    the unigram in what it says. validation: nats per blank paid with them on the blanks that they were chosen on."""

    exponent: float = 1.0
    unigram: float = 0.0
    validation: float = float("nan")

    def applied(self, posterior: np.ndarray, shares: np.ndarray) -> np.ndarray:
        """What the reader says then: (N, C) -> (N, C). shares: (C,), how frequent each candidate is."""
        return (1 - self.unigram) * sharpened(posterior, self.exponent) + self.unigram * shares


def sharpened(posterior: np.ndarray, exponent: float) -> np.ndarray:
    """Each row to a power, scaled to sum to one: (N, C) -> (N, C)."""
    log_p = exponent * np.log(np.maximum(posterior, LEAST))
    p = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def tune(posterior: np.ndarray, answers: np.ndarray, shares: np.ndarray) -> Tuning:
    """The pair out of EXPONENTS and UNIGRAM_SHARES that pays least at N blanks: (N, C), (N,), (C,)."""
    mixed = np.array(UNIGRAM_SHARES)[:, None]
    found = []
    for exponent in EXPONENTS:
        own = sharpened(posterior, exponent)[np.arange(len(answers)), answers]
        nats = -np.log(np.maximum((1 - mixed) * own + mixed * shares[answers], LEAST)).mean(axis=1)
        least = int(nats.argmin())
        found.append(Tuning(exponent, UNIGRAM_SHARES[least], float(nats[least])))
    return min(found, key=lambda tuning: tuning.validation)
