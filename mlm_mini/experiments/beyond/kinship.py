"""How near held-out text is to what was read: identity of proteins, and runs of characters that occur on both sides."""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from mlm_mini.languages.corpus import Corpus

SEED_LENGTH = 5  # residues: sequences that share many runs of so many are candidates for the nearest
CANDIDATES = 3  # that are aligned
GAP_OPENS, GAP_GROWS = -11.0, -1.0  # the usual scores with BLOSUM62


def nearest_identities(corpus: Corpus, n: int, rng: np.random.Generator, split: str = "test") -> np.ndarray:
    """Of n held-out proteins, drawn from the test side unless another is given, the identity with the nearest found on
    the training side: (n,).

    The share of a protein's residues that stand opposite the same letter in a local alignment (Smith & Waterman 1981),
    with the best of CANDIDATES training sequences. It may miss a nearer one that shares few runs.
    Raises ImportError, with the command that installs it, without Biopython.
    """
    try:
        from Bio.Align import PairwiseAligner, substitution_matrices
    except ImportError:
        raise ImportError("alignments need Biopython: install it with python -m pip install biopython") from None
    aligner = PairwiseAligner(mode="local", open_gap_score=GAP_OPENS, extend_gap_score=GAP_GROWS)
    aligner.substitution_matrix = substitution_matrices.load("BLOSUM62")
    train, test = (_sequences(corpus, side) for side in ("train", split))
    where = defaultdict(set)
    for number, sequence in enumerate(train):
        for run in runs_of(sequence, SEED_LENGTH):
            where[run].add(number)
    identities = []
    for pick in np.sort(rng.choice(len(test), n, replace=False)):
        sequence = test[pick]
        shared = Counter(number for run in runs_of(sequence, SEED_LENGTH) for number in where.get(run, ()))
        nearest = sorted(shared, key=lambda number: (-shared[number], number))[:CANDIDATES]
        identities.append(max((_identity(aligner, sequence, train[i]) for i in nearest), default=0.0))
    return np.array(identities)


def _identity(aligner, one: str, other: str) -> float:
    top, bottom = (aligner.align(one, other)[0][row] for row in (0, 1))
    return sum(a == b for a, b in zip(top, bottom, strict=True)) / len(one)


def _sequences(corpus: Corpus, split: str) -> list[str]:
    return [sequence for document in corpus.split(split).documents for sequence in document.text.split("\n")]


def runs_of(text: str, length: int) -> set[str]:
    """The different runs of so many neighboring characters."""
    return {text[i : i + length] for i in range(len(text) - length + 1)}


def repeated_runs(corpus: Corpus, length: int, test: str | None = None, training: Iterable[str] | None = None) -> float:
    """The share of the test side's different runs of `length` characters that the training side has too.

    test, training: in place of the sides, documents whose names begin with these words, as "Mk" and ("Mt", "Lk").
    """
    own = [d for d in corpus.documents if (d.split == "test" if test is None else d.name.split()[0] == test)]
    others = [d for d in corpus.documents if (d.split == "train" if not training else d.name.split()[0] in training)]
    found = set().union(*(runs_of(d.text, length) for d in own))
    return len(found & set().union(*(runs_of(d.text, length) for d in others))) / len(found)
