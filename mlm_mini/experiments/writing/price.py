"""What it costs to write in K steps: nats of the language's own sentences, beside their entropy; and what is written.

For a writer who fills in S_1, then S_2 and so on, each word of a step by itself, and sentences x of the language,

    E[-log q(x)] - E[-log p(x)] = sum_k E[ sum_{t in S_k} -log q(x_t | before) ] - H = KL(language, written).

With exact conditionals the k-th term of the sum exceeds the entropy of S_k by its total correlation given what was
filled in before: that is all that a step costs, and with one word a step it is nothing. Where the sets are drawn by lot
the figure is the mean over lots, which bounds the KL of the mixture from above. The other direction, KL(written,
language), is infinite as soon as one sentence can be written that the language cannot produce.

Shape letters: B sentences, T positions, K steps.
"""

from typing import NamedTuple

import numpy as np

from mlm_mini.experiments.lab.intervals import Estimate, mean_interval, share_interval
from mlm_mini.experiments.writing.floor_area import entropy_given_frame
from mlm_mini.experiments.writing.readers import Filler
from mlm_mini.experiments.writing.unmasking import BY_LOT, hide_all_words, unmask
from mlm_mini.languages import ExactLanguage


def price(
    reader: Filler,
    language: ExactLanguage,
    ids: np.ndarray,
    steps: int,
    rng: np.random.Generator,
    order: str = BY_LOT,
) -> np.ndarray:
    """KL(language, written) at each sentence (B, T) of the language: nats to write it, less its own: (B,).

    A single one may be below 0; their mean is not, but for the luck of the sample. order: random or most certain first.
    """
    hidden = hide_all_words(ids, language.vocabulary)
    nats = unmask(reader, hidden, language.vocabulary.mask_id, steps, rng, order, answers=ids).nats
    return nats - entropy_given_frame(language, ids)


class Quality(NamedTuple):
    """Of written sentences, each with a 95% interval over sentences. possible: the share that the language can produce.
    surprisal: nats of these, given the length; where it is below the entropy, likely sentences come too often."""

    possible: Estimate
    surprisal: Estimate


def judge_written(language: ExactLanguage, ids: np.ndarray) -> Quality:
    """What the language says of written sentences, (B, T)."""
    nats = entropy_given_frame(language, ids)
    possible = np.isfinite(nats)
    return Quality(share_interval(possible), mean_interval(nats[possible]) if possible.sum() > 1 else _NOTHING)


_NOTHING = Estimate(np.nan, np.nan, np.nan)


def staircase(floors: np.ndarray, area: float) -> float:
    """The price per word of K equal steps by ratios: floors at 1/K, 2/K ... 1, (K,), whose mean stands above the area.

    The step that begins with a share k/K hidden fills in a share 1/K of all words, each at the floor F(k/K).
    """
    return float(np.mean(floors) - area)
