"""Gaps of several letters, restored: by one pass of the model, letter by letter in a beam, and by a model that counts.

Shape letters: k letters of a gap, T positions of a row, C candidates, B kept in a beam, R restorations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mlm_mini.experiments.beyond.blanks import as_numbers, candidate_probabilities
from mlm_mini.experiments.beyond.ngrams import EDGE, LEAST, Ngram
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import MaskedLM

BEAM, MOST_RANKED = 20, 20
RESTORING_WAYS = ("one pass", "beam", "n-gram beam")


class Restoration(NamedTuple):
    """What may have stood in the gap, and the logarithm of its probability, in nats."""

    text: str
    log_p: float


@dataclass(frozen=True)
class Lacuna:
    """A gap in a row. ids: (T,) as written; start: of the gap; size: k. document: where the row is from."""

    ids: np.ndarray
    start: int
    size: int
    document: str

    @property
    def positions(self) -> np.ndarray:
        """(k,)"""
        return np.arange(self.start, self.start + self.size)


def draw_lacunae(
    documents: dict[str, np.ndarray], vocabulary: Vocabulary, size: int, per_document: int, length: int, rng
) -> list[Lacuna]:
    """So many gaps of `size` letters in each document, (L,) ids each, in the middle of rows of `length` tokens."""
    width, found = length - 2, []
    for name, tokens in documents.items():
        room = len(tokens) - width + 1
        if room < 1:
            continue
        for start in np.sort(rng.choice(room, min(per_document, room), replace=False)):
            ids = np.concatenate([[vocabulary.cls_id], tokens[start : start + width], [vocabulary.sep_id]])
            found.append(Lacuna(ids.astype(np.int64), 1 + (width - size) // 2, size, name))
    return found


def one_pass(model: MaskedLM, lacuna: Lacuna, vocabulary: Vocabulary, keep: int = MOST_RANKED) -> list[Restoration]:
    """The `keep` likeliest fillings when each letter is guessed with all others of the gap hidden, the best first.

    Their probabilities are products: one pass knows of no letter what the others became.
    """
    seen = lacuna.ids.copy()
    seen[lacuna.positions] = vocabulary.mask_id
    p = candidate_probabilities(model, seen[None], lacuna.positions[None], vocabulary)[0]  # (k, C)
    beam = [((), 0.0)]
    for row in np.log(np.maximum(p, LEAST)):
        beam = _best(
            [(*taken, i) for taken, _ in beam for i in range(len(row))],
            np.add.outer([s for _, s in beam], row).ravel(),
            keep,
        )
    return _as_text(beam, vocabulary)


def beam_search(model: MaskedLM, lacuna: Lacuna, vocabulary: Vocabulary, beam: int = BEAM) -> list[Restoration]:
    """Letter by letter from the left: each is guessed with those before it filled in, and the `beam` best are kept.

    The probability of a filling is the product of the k guesses, each given those before it: by the chain rule these
    sum to one over all fillings.
    """
    taken, scores = np.zeros((1, 0), dtype=np.int64), np.zeros(1)
    candidates = np.asarray(vocabulary.regular_ids)
    for step, position in enumerate(lacuna.positions):
        seen = np.tile(lacuna.ids, (len(taken), 1))
        seen[:, lacuna.positions] = vocabulary.mask_id
        seen[:, lacuna.positions[:step]] = candidates[taken]
        p = candidate_probabilities(model, seen, np.full((len(seen), 1), position), vocabulary)[:, 0]  # (B, C)
        total = (scores[:, None] + np.log(np.maximum(p, LEAST))).ravel()
        best = np.argsort(-total, kind="stable")[:beam]
        taken = np.column_stack([taken[best // p.shape[1]], best % p.shape[1]])
        scores = total[best]
    return _as_text(list(zip(map(tuple, taken.tolist()), scores.tolist(), strict=True)), vocabulary)


def ngram_beam(model: Ngram, lacuna: Lacuna, vocabulary: Vocabulary, beam: int = 10 * BEAM) -> list[Restoration]:
    """As `beam_search`, by a model that counts: from the left, and in the end with what stands on the right.

    Probabilities are scaled to sum to one over what is left of the beam.
    """
    n, numbers = model.n, as_numbers(lacuna.ids, vocabulary)
    before = np.pad(numbers[: lacuna.start], (n, 0))[-(n - 1) :]
    after = numbers[lacuna.start + lacuna.size :][: n - 1]
    x = np.arange(1, model.tokens + 1)
    taken, scores = np.tile(before, (1, 1)), np.zeros(1)  # the letters on the left come first
    for _ in range(lacuna.size):
        context = [column[:, None] for column in taken[:, -(n - 1) :].T]
        total = (scores[:, None] + np.log(np.maximum(model.probability(context, x[None]), LEAST))).ravel()
        best = np.argsort(-total, kind="stable")[:beam]
        taken, scores = np.column_stack([taken[best // len(x)], best % len(x) + 1]), total[best]
    filled = taken[:, n - 1 :] - 1
    for token in after:
        if token != EDGE:
            column = np.full(len(taken), token)
            scores = scores + np.log(np.maximum(model.probability(list(taken[:, -(n - 1) :].T), column), LEAST))
            taken = np.column_stack([taken, column])
    scores -= np.log(np.exp(scores - scores.max()).sum()) + scores.max()
    order = np.argsort(-scores, kind="stable")
    return _as_text([(tuple(filled[i].tolist()), float(scores[i])) for i in order], vocabulary)


def _best(taken: list, scores: np.ndarray, keep: int) -> list:
    return [(taken[i], float(scores[i])) for i in np.argsort(-scores, kind="stable")[:keep]]


def _as_text(beam: list, vocabulary: Vocabulary) -> list[Restoration]:
    letters = vocabulary.words(vocabulary.regular_ids)
    return [Restoration("".join(letters[i] for i in taken), float(score)) for taken, score in beam]


def rank_of(restorations: list[Restoration], truth: str) -> int | None:
    """The place of the true text in a ranked list, 1 for the first; None where it is not in it."""
    return next((place for place, found in enumerate(restorations, start=1) if found.text == truth), None)


def letters_of(ids: np.ndarray, tokenizer: FileTokenizer) -> str:
    """The letters of some ids."""
    return "".join(tokenizer.tokens(ids))


def restore_all(
    model: MaskedLM, ngram: Ngram, lacunae: list[Lacuna], tokenizer: FileTokenizer, beam: int = BEAM
) -> dict[str, np.ndarray]:
    """The place of the truth in the list of each of RESTORING_WAYS, 0 where it is not in it: (N,) for each."""
    vocabulary = tokenizer.vocabulary
    ways = {
        RESTORING_WAYS[0]: lambda lacuna: one_pass(model, lacuna, vocabulary),
        RESTORING_WAYS[1]: lambda lacuna: beam_search(model, lacuna, vocabulary, beam),
        RESTORING_WAYS[2]: lambda lacuna: ngram_beam(ngram, lacuna, vocabulary),
    }
    truths = [letters_of(lacuna.ids[lacuna.positions], tokenizer) for lacuna in lacunae]
    return {
        name: np.array(
            [rank_of(way(gap)[:MOST_RANKED], truth) or 0 for gap, truth in zip(lacunae, truths, strict=True)]
        )
        for name, way in ways.items()
    }
