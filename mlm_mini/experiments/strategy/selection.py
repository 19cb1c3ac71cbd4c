"""Samplers of masks that look before they hide, and the weights that undo what the looking did to the sample.

A strategy draws candidates uniformly, hides all of them, and lets the model guess: the scoring pass. Each candidate
gets a score, the surprisal of its hidden word or the entropy of the model's guess, and is selected with a probability
in proportion to it. The others are shown again. Two things follow from scoring behind masks. Nothing leaks: the model
does not see a word that it is scored on. And with entropies the choice depends on nothing but words that stay visible,
so that, given what the model sees, the hidden words have the distribution they always had. Surprisals look at the
hidden words themselves (see `fixed_points`).

Shape letters: B sentences, T positions, N candidates of a batch, V tokens.
"""

from dataclasses import dataclass

import numpy as np
import torch

from mlm_mini.experiments.lab.asking import without_dropout
from mlm_mini.languages import Vocabulary
from mlm_mini.model import MaskedLM
from mlm_mini.reference import IGNORE_INDEX, maskable_positions, select_positions
from mlm_mini.reference.checks import checked_rng, real_array, reject
from mlm_mini.training import Batch, objectives

UNIFORM, SURPRISAL, ENTROPY, KEPT_LOSS, KEPT_AT_RANDOM = "uniform", "surprisal", "entropy", "kept", "kept at random"
STRATEGIES = (UNIFORM, SURPRISAL, ENTROPY, KEPT_LOSS, KEPT_AT_RANDOM)
# Uniform masks that hide more and ask for all of it, whatever the others ask for: what a strategy has to beat.
MORE_UNIFORM = {"uniform 30%": 0.3, "uniform 40%": 0.4}
SCORED = (SURPRISAL, ENTROPY)  # those that need a forward pass of their own
OVERSAMPLING = 2.0  # candidates for each position that is selected
POWER = 1.0  # of the score: 0 selects all candidates alike
ROWS_IN_A_PART = 32
SCORE_FLOOR = 0.1  # added to each score, as a share of their mean: nothing is ruled out, and no weight is unbounded


@dataclass(frozen=True)
class Scores:
    """The model's guess at each of N candidates, from left to right and row by row, with all of them hidden.

    surprisal: (N,) nats, of the hidden words. entropy: (N,) nats, of the model's distributions; the hidden words do
    not matter to it.
    """

    surprisal: np.ndarray
    entropy: np.ndarray


@dataclass(frozen=True)
class Selection:
    """Which words of (B, T) ids are hidden, which of them are asked for, and how much each of them counts.

    candidates, hidden, asked: (B, T) bool; probability: (B, T), of being asked for, given the candidates.
    weights: (B, T), 0 where nothing is asked: the loss of the batch is the sum of weight times surprisal.
    """

    candidates: np.ndarray
    hidden: np.ndarray
    asked: np.ndarray
    probability: np.ndarray
    weights: np.ndarray


def check_strategy(strategy: str) -> None:
    """Raises ValueError for a strategy that is neither in STRATEGIES nor in MORE_UNIFORM."""
    if strategy not in (known := (*STRATEGIES, *MORE_UNIFORM)):
        raise ValueError(f"strategy is {strategy!r}: expected one of {', '.join(map(repr, known))}")


def inclusion_probabilities(scores, expected: float) -> np.ndarray:
    """pi_i = min(1, c score_i), with c such that they sum to `expected`.

    scores: (N,) numbers, at least 0; where too few are above 0, the others share what is left evenly. expected: how
    many of the N are to be selected in the mean, from 0 to N. Returns (N,) probabilities.
    Raises ValueError for a score below 0 or not finite, and for another number than 0 to N.
    """
    scores = real_array(scores, "scores")
    reject(~((scores >= 0) & (scores < np.inf)), scores, "scores", "expected finite numbers, 0 or more")
    N = len(scores)
    if not 0 <= expected <= N:
        raise ValueError(f"expected is {expected}: expected a number of positions from 0 to {N}, the number of scores")
    positive = int((scores > 0).sum())
    if positive < expected:  # all of these, and some of those without a score
        return np.where(scores > 0, 1.0, (expected - positive) / max(N - positive, 1))
    if expected == 0:
        return np.zeros(N)
    falling = np.sort(scores)[::-1]
    rest = falling[::-1].cumsum()[::-1]  # the sum of the scores from the k-th largest on
    # With the k largest at 1, the others share expected - k. The first k for which none of them passes 1 is right.
    capped = np.arange(N)
    fits = (expected - capped) * falling <= rest * (1 + 1e-12)
    k = int(np.argmax(fits & (capped < expected) & (falling > 0)))
    return np.minimum(1.0, (expected - k) / rest[k] * scores)


def poisson_sample(probability, rng: np.random.Generator) -> np.ndarray:
    """True at each position with its probability, independently of the others (Hájek 1964). (...) -> (...) bool."""
    probability = real_array(probability, "probability")
    reject(~((probability >= 0) & (probability <= 1)), probability, "probability", "expected a number from 0 to 1")
    return checked_rng(rng).random(probability.shape) < probability


def select(
    strategy: str,
    weighted: bool,
    ids: np.ndarray,
    vocabulary: Vocabulary,
    mask_ratio: float,
    rng: np.random.Generator,
    model: MaskedLM | None = None,
) -> Selection:
    """What a strategy hides of (B, T) ids, and asks for: `mask_ratio` of the words in the mean.

    strategy: "uniform" hides what it asks for, drawn alike; "uniform 30%" and "uniform 40%" do so with that share,
    whatever mask_ratio is. "surprisal" and "entropy" draw candidates, OVERSAMPLING
    times as many, and select among them in proportion to score ** POWER, over the whole batch; the other candidates
    stay visible. "kept" hides all candidates and asks where the entropy selects, so that its forward pass is its
    scoring pass. "kept at random" does the same blindly: its control.
    weighted: each loss counts 1 / probability (Horvitz and Thompson 1952), so that the sum has the mean of the plain
    mean over the candidates. model: for all but "uniform" and "kept at random".
    Raises ValueError for an unknown strategy, no model where one is needed, or what `select_positions` refuses.
    """
    check_strategy(strategy)
    if strategy in MORE_UNIFORM:
        strategy, mask_ratio = UNIFORM, MORE_UNIFORM[strategy]
    maskable = maskable_positions(ids, vocabulary.special_ids)
    share = 1.0 if strategy == UNIFORM else min(OVERSAMPLING, 1 / mask_ratio if mask_ratio else 1.0)
    candidates = select_positions(maskable, min(1.0, share * mask_ratio), rng)
    score = _score(strategy, ids, vocabulary, candidates, model) ** POWER
    probability = np.zeros(ids.shape)
    if score.size:
        probability[candidates] = inclusion_probabilities(score + SCORE_FLOOR * score.mean(), len(score) / share)
    asked = candidates & poisson_sample(probability, rng)
    hidden = candidates if strategy in (KEPT_LOSS, KEPT_AT_RANDOM) else asked
    return Selection(candidates, hidden, asked, probability, _weights(asked, probability, len(score), weighted))


def _score(strategy, ids, vocabulary, candidates, model) -> np.ndarray:
    """(N,), at least 0."""
    if strategy in (UNIFORM, KEPT_AT_RANDOM):
        return np.ones(int(candidates.sum()))
    if model is None:
        raise ValueError(f"strategy {strategy!r} selects by what a model guesses: give the model")
    scores = score_candidates(model, ids, vocabulary, candidates)
    return scores.surprisal if strategy == SURPRISAL else scores.entropy


def _weights(asked: np.ndarray, probability: np.ndarray, candidates: int, weighted: bool) -> np.ndarray:
    """Plain: 1 over how many are asked. Weighted: 1 over the probability and the number of candidates."""
    if not weighted:
        return asked / max(int(asked.sum()), 1)
    return np.divide(1.0, probability * max(candidates, 1), where=asked, out=np.zeros(asked.shape))


@torch.no_grad()
def score_candidates(model: MaskedLM, ids: np.ndarray, vocabulary: Vocabulary, candidates: np.ndarray) -> Scores:
    """The scoring pass: (B, T) ids with all candidates, (B, T) bool, hidden. The model is left in the mode it was in.

    Neighboring rows go through the model together: sorted by length they share little padding.
    """
    batch = blanked_batch(ids, vocabulary, candidates, candidates)
    found = []
    with without_dropout(model):
        for part in batch.split(parts_of(len(ids))):
            asked = part.labels != IGNORE_INDEX
            logits = model(part.ids, part.attention_mask, part.positions, trim=True)  # (B, k, V)
            log_q = logits[asked].log_softmax(-1)  # (B, k, V) -> (n, V)
            surprisal = -log_q.gather(1, part.labels[asked][:, None])[:, 0]
            found.append(torch.stack([surprisal, -(log_q.exp() * log_q).sum(-1)]))
    return Scores(*torch.cat(found, dim=1).double().clamp(min=0.0).numpy())  # rounding can leave -1e-8


def parts_of(rows: int) -> int:
    """In how many parts a batch goes through a model on a CPU."""
    return max(1, rows // ROWS_IN_A_PART)


def blanked_batch(
    ids: np.ndarray, vocabulary: Vocabulary, hidden: np.ndarray, asked: np.ndarray, weights: np.ndarray | None = None
) -> Batch:
    """(B, T) ids with [MASK] where hidden, and a question where asked, both (B, T) bool; weights as in `Selection`."""
    return objectives.asking_batch(ids, vocabulary, np.where(hidden, vocabulary.mask_id, ids), asked, weights)


def selected_batch(ids: np.ndarray, vocabulary: Vocabulary, selection: Selection) -> Batch:
    """What a selection shows and asks of (B, T) ids; its loss is the sum of weight times surprisal."""
    return blanked_batch(ids, vocabulary, selection.hidden, selection.asked, selection.weights)
