"""What a model of proteins thinks may stand in the place of what, beside what evolution was seen to put there.

Shape letters: N blanks, A = 20 amino acids.
"""

import numpy as np

from mlm_mini.experiments.beyond.blanks import DocumentBlanks
from mlm_mini.experiments.lab.permutations import shuffled_correlations
from mlm_mini.languages.proteins import AMINO_ACIDS

PERMUTATIONS = 2000
LEAST_SHARE = 1e-12  # of a probability


def substitution_scores(posterior: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Symmetric log odds in nats, (A, A): how much likelier two amino acids share a place than by chance.

    posterior: (N, A), what a model says at each blank; answers: (N,), what stands there. P(a, b) is the share of blanks
    with a, times what the model gives to b at these on average; it is made symmetric and divided by the product of its
    own margins: log P(a, b) / (p(a) p(b)), as BLOSUM's are made from pairs (Henikoff & Henikoff 1992).
    """
    joint = np.zeros((posterior.shape[1],) * 2)
    np.add.at(joint, answers, posterior)
    joint = (joint + joint.T) / (2 * len(answers))
    margin = joint.sum(axis=1)
    return np.log(joint / np.outer(margin, margin))


def residue_posterior(posterior: np.ndarray, blanks: DocumentBlanks) -> tuple[np.ndarray, np.ndarray]:
    """Of probabilities of all candidates (N, C) those of AMINO_ACIDS, scaled to sum to one, (N, A), and the answers."""
    letters = blanks.vocabulary.words(blanks.vocabulary.regular_ids)
    columns = [letters.index(a) for a in AMINO_ACIDS]
    q = np.maximum(posterior[:, columns], LEAST_SHARE)
    return q / q.sum(axis=1, keepdims=True), np.array([columns.index(c) for c in blanks.answers])


def blosum62() -> np.ndarray:
    """The matrix BLOSUM62 for AMINO_ACIDS, (A, A), in half bits, out of Biopython.

    Raises ImportError, with the command that installs it, where that is missing.
    """
    try:
        from Bio.Align import substitution_matrices
    except ImportError:
        raise ImportError("BLOSUM62 comes with Biopython: install it with python -m pip install biopython") from None
    matrix = substitution_matrices.load("BLOSUM62")
    return np.array([[matrix[a, b] for b in AMINO_ACIDS] for a in AMINO_ACIDS])


def pairs_below(matrix: np.ndarray) -> np.ndarray:
    """The entries below the diagonal: (A (A - 1) / 2,)."""
    return matrix[np.tril_indices(len(matrix), -1)]


def permutation_test(one: np.ndarray, other: np.ndarray, rng: np.random.Generator, n: int = PERMUTATIONS):
    """Spearman's rho of two (A, A) matrices over pairs, and rho after each of n shufflings of the names of one: (n,).

    Rows and columns are shuffled together (Mantel 1967): the 190 pairs are not independent, 20 amino acids are.
    """
    orders = np.array([rng.permutation(len(other)) for _ in range(n)])
    return shuffled_correlations(one, other, np.tril_indices(len(one), -1), orders)
