"""What every strategy picks of one sentence, beside what a model finds hard in it.

Shape letters: n tokens of the sentence, [CLS] and [SEP] included.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.strategy.selection import ENTROPY, STRATEGIES, UNIFORM, score_candidates, select
from mlm_mini.languages import Vocabulary
from mlm_mini.model import MaskedLM
from mlm_mini.reference import maskable_positions


@dataclass(frozen=True)
class Picks:
    """One sentence of n tokens under every strategy, with the same random numbers.

    tokens: n strings, [CLS] and [SEP] included. maskable, candidates: (n,) bool. scores at every maskable position:
    surprisal and entropy, (n,) nats, with that position hidden together with the candidates. probability, asked,
    hidden: for each strategy (n,), see `Selection`.
    """

    tokens: tuple[str, ...]
    maskable: np.ndarray
    candidates: np.ndarray
    surprisal: np.ndarray
    entropy: np.ndarray
    probability: dict[str, np.ndarray]
    asked: dict[str, np.ndarray]
    hidden: dict[str, np.ndarray]


def sentence_picks(model: MaskedLM, ids: np.ndarray, vocabulary: Vocabulary, mask_ratio: float, seed: int) -> Picks:
    """What each strategy does with one sentence, (n,) ids without padding, at a mask ratio.

    The random numbers depend on the seed alone: a larger ratio has the same candidates and more.
    Raises ValueError for a mask_ratio outside [0, 1].
    """
    maskable = maskable_positions(ids, vocabulary.special_ids)
    drawn = {}
    for strategy in STRATEGIES:  # each with a new generator, so that all draw the same candidates
        rng = np.random.default_rng(seed)
        drawn[strategy] = select(strategy, False, ids[None], vocabulary, mask_ratio, rng, model)
    candidates = drawn[ENTROPY].candidates[0]
    rows = np.flatnonzero(maskable)
    hidden = (np.arange(len(ids)) == rows[:, None]) | candidates  # (words, n): a copy of the sentence for each word
    scores = score_candidates(model, np.tile(ids, (len(rows), 1)), vocabulary, hidden)
    row, place = np.nonzero(hidden)
    here = place == rows[row]
    surprisal, entropy = np.zeros(len(ids)), np.zeros(len(ids))
    surprisal[rows], entropy[rows] = scores.surprisal[here], scores.entropy[here]
    parts = ("probability", "asked", "hidden")
    by_strategy = ({name: getattr(one, part)[0] for name, one in drawn.items()} for part in parts)
    return Picks(tuple(vocabulary.words(ids)), maskable, candidates, surprisal, entropy, *by_strategy)


def chances(picks: Picks, strategy: str, mask_ratio: float) -> np.ndarray:
    """The chance (n,) of each token to be asked for: of a candidate, once the candidates are drawn.

    "uniform" asks for all its candidates; before they are drawn, each token has the chance `mask_ratio`.
    """
    return np.where(picks.maskable, mask_ratio, 0.0) if strategy == UNIFORM else picks.probability[strategy]
