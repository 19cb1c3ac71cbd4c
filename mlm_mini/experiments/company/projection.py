"""Word vectors laid flat: the plane in which they spread most, and how far it can be believed.

Shape letters: V words, D dimensions, k neighbors.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlm_mini.experiments.company.baseline import CountSetting
from mlm_mini.experiments.company.counts import expected_cooccurrence
from mlm_mini.experiments.company.geometry import centered, cosines, nearest_by, unit
from mlm_mini.experiments.company.truth import Company, scene_company
from mlm_mini.experiments.company.vectors import mean_vectors, occurrences, table
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM

COUNTED = CountSetting(window=2, shift=1.0, smoothing=0.75, dimensions=64, power=0.5)
PLANE_SEED, PLANE_SENTENCES = 1291, 4_000  # sentences in which a model's words are read
SOURCES = OF_COUNTS, OF_TABLE, OF_CONTEXT = "exact counts", "the model's table", "the model, in context"


@dataclass(frozen=True, eq=False)
class Plane:
    """Words in two dimensions.

    words: V. classes: (V,). vectors: (V, D), as they were given. points: (V, 2), their directions less the mean along
    the two main ones. shares: (2,), of the spread of the directions, that lie along these.
    """

    words: tuple[str, ...]
    classes: np.ndarray
    vectors: np.ndarray
    points: np.ndarray
    shares: np.ndarray

    def neighbors(self, word: str, k: int) -> list[tuple[str, float]]:
        """The k words nearest to a word in all dimensions, by the cosine of centered vectors. Raises ValueError for a
        word that is not there."""
        row = self.place(word)
        return [(self.words[i], float(self._cosines[row, i])) for i in nearest_by(self._cosines, k)[row]]

    def seen_in_plane(self, word: str, k: int) -> int:
        """How many of these are also among the k points nearest to the word's own in the plane."""
        row = self.place(word)
        distances = np.linalg.norm(self.points - self.points[row], axis=1)
        distances[row] = np.inf
        flat = np.argsort(distances, kind="stable")[:k]
        return len(np.intersect1d(flat, nearest_by(self._cosines, k)[row]))

    def place(self, word: str) -> int:
        """The row of a word. Raises ValueError for one that is not there."""
        if word not in self.words:
            raise ValueError(f"{word!r} is not among the {len(self.words)} words of this picture")
        return self.words.index(word)

    @cached_property
    def _cosines(self) -> np.ndarray:
        return cosines(centered(self.vectors))


def plane_of(vectors, company: Company) -> Plane:
    """The plane of vectors (V, D), one for each word of `company`: principal components of their directions.

    Each axis is turned so that its largest coordinate is positive: an SVD leaves the sign open.
    """
    directions = centered(unit(centered(vectors)))
    U, s, _ = np.linalg.svd(directions, full_matrices=False)
    points = U[:, :2] * s[:2]
    points = points * np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])
    return Plane(company.words, company.classes, np.asarray(vectors), points, s[:2] ** 2 / (s**2).sum())


def scene_planes(model: MaskedLM) -> dict[str, Plane]:
    """Three planes of the words of the scene language: of exact counts, of a model's table, of its mean vectors in
    sentences. Raises ValueError for a model with another vocabulary."""
    company, language = scene_company(), scene_language()
    if model.config.vocab_size != len(language.vocabulary):
        raise ValueError(
            f"the model has a vocabulary of {model.config.vocab_size} tokens, the scene language "
            f"{len(language.vocabulary)}: use a model that learned the scene language"
        )
    counts = expected_cooccurrence(language, COUNTED.window)[np.ix_(company.ids, company.ids)]
    ids = language.sample(PLANE_SENTENCES, np.random.default_rng(PLANE_SEED)).ids
    vectors = {
        OF_COUNTS: COUNTED.vectors(counts),
        OF_TABLE: table(model, company.ids),
        OF_CONTEXT: mean_vectors(*occurrences(model, ids, language.vocabulary), company.ids),
    }
    return {name: plane_of(some, company) for name, some in vectors.items()}
