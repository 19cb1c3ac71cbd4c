"""Mutations scored by a masked model, held against substitutions that nature has made.

Shape letters: N substitutions, T positions of a row, A = 20 amino acids.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mlm_mini.experiments.beyond.blanks import candidate_probabilities
from mlm_mini.languages.corpus import Corpus
from mlm_mini.languages.proteins import AMINO_ACIDS
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import MaskedLM

MOST_DIFFERENT = 0.1  # the share of residues in which two sequences of a species may differ to be taken for variants


@dataclass(frozen=True)
class Substitutions:
    """Places at which two sequences of one species differ, and a third amino acid for each, drawn by lot.

    rows: (N, T) ids with the blank hidden; places: (N,). wild, natural, drawn: (N,), numbers in AMINO_ACIDS: what
    stands there, what stands there in the other sequence, and another one. species: (N,), the number of the species.
    """

    rows: np.ndarray
    places: np.ndarray
    wild: np.ndarray
    natural: np.ndarray
    drawn: np.ndarray
    species: np.ndarray


def natural_substitutions(
    corpus: Corpus, tokenizer: FileTokenizer, per_species: int, length: int, rng: np.random.Generator
) -> Substitutions:
    """Up to so many substitutions of each species of a corpus that has variants: sequences of one length that differ in
    at most a tenth of their residues. What is drawn by lot is as frequent among the draws as in the corpus."""
    shares = np.array([sum(text.count(a) for text in corpus.texts()) for a in AMINO_ACIDS], dtype=float)
    vocabulary, width, found = tokenizer.vocabulary, length - 2, []
    for number, document in enumerate(corpus.documents):
        places = [
            (one, i, other[i])
            for one, other in combinations(document.text.split("\n"), 2)
            if len(one) == len(other)
            for i in differing(one, other)
        ]
        places = sorted(set(places))
        for pick in rng.permutation(len(places))[:per_species]:
            sequence, i, natural = places[pick]
            start = max(0, min(i - width // 2, len(sequence) - width))
            row = tokenizer.encode(sequence[start : start + width])
            row[i - start + 1] = vocabulary.mask_id
            others = shares * [a not in (sequence[i], natural) for a in AMINO_ACIDS]
            drawn = rng.choice(len(AMINO_ACIDS), p=others / others.sum())
            found.append(
                (row, i - start + 1, AMINO_ACIDS.index(sequence[i]), AMINO_ACIDS.index(natural), drawn, number)
            )
    return Substitutions(*map(np.array, zip(*found, strict=True)))


def differing(one: str, other: str) -> list[int]:
    """Where two sequences of one length differ, if they differ in so few places that they count as variants."""
    places = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    return places if len(places) <= MOST_DIFFERENT * len(one) else []


def masked_log_p(model: MaskedLM, substitutions: Substitutions, tokenizer: FileTokenizer) -> np.ndarray:
    """log of the model's probability of each amino acid at each blank, in nats: (N, A)."""
    vocabulary = tokenizer.vocabulary
    p = candidate_probabilities(model, substitutions.rows, substitutions.places[:, None], vocabulary)[:, 0]
    letters = vocabulary.words(vocabulary.regular_ids)
    return np.log(p[:, [letters.index(a) for a in AMINO_ACIDS]])


def preferred(scores: np.ndarray, substitutions: Substitutions) -> np.ndarray:
    """For each species, how often what nature put there has a higher score than what was drawn, ties counting half.

    scores: (N, A), of each amino acid in the place of what stands there. Returns one share for each species.
    """
    each = np.arange(len(scores))
    difference = scores[each, substitutions.natural] - scores[each, substitutions.drawn]
    won = (difference > 0) + 0.5 * (difference == 0)
    return np.array([won[substitutions.species == s].mean() for s in np.unique(substitutions.species)])
