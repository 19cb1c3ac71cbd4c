"""The area under the floor curve, beside the entropy of the sentence by its exact likelihood.

Let each word be hidden with probability r, and F(r) be the floor, what a hidden word costs a reader who knows the
language. In a random order, the words that come after a word are hidden when it is its turn: a share r of them, where r
is uniform. So the integral of F over r is the entropy per word of a sentence, given what is never hidden ([CLS], [SEP]
and padding, and with them the length). Where all sentences have W words F is a polynomial of degree W - 1, so that the
Gauss-Legendre quadrature of n points leaves no error where W is at most 2 n.

Shape letters: B sentences, T positions, n ratios.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.lab.exact_questions import SENTENCES_AT_ONCE
from mlm_mini.experiments.writing.unmasking import hide_all_words
from mlm_mini.languages import ExactLanguage
from mlm_mini.reference import entropy
from mlm_mini.reference.loss import mean_and_error


def gauss_ratios(n: int) -> tuple[np.ndarray, np.ndarray]:
    """The n ratios between 0 and 1 and their weights, which sum to 1, for an integral over all ratios (Gauss 1814)."""
    nodes, weights = np.polynomial.legendre.leggauss(n)  # on -1 to 1, a length of 2
    return (nodes + 1) / 2, weights / 2


def entropy_given_frame(language: ExactLanguage, ids: np.ndarray) -> np.ndarray:
    """-log p(words | [CLS], [SEP] and padding) of each sentence, in nats: (B, T) -> (B,); inf when impossible."""
    own = language.log_marginal(ids)
    frame = language.log_marginal(hide_all_words(ids, language.vocabulary))
    return np.where(np.isfinite(own), np.where(np.isfinite(frame), frame, 0.0) - own, np.inf)


@dataclass(frozen=True)
class FloorArea:
    """ratios, floors, errors: (n,), the curve in nats per hidden word, errors over sentences. area, exact: what a word
    costs by the area under the curve, and by the exact likelihood of the same B sentences, each with its error over
    sentences. differences: (B,), the first less the second for each sentence, over the mean number of words: what luck
    the sentences have cancels. words: per sentence, on average. All errors are standard errors."""

    ratios: np.ndarray
    floors: np.ndarray
    errors: np.ndarray
    area: tuple[float, float]
    exact: tuple[float, float]
    differences: np.ndarray
    words: float


def measure_area(language: ExactLanguage, sentences: int, n: int, rng: np.random.Generator) -> FloorArea:
    """Both sides of the identity on fresh sentences, with n ratios, each word hidden on its own."""
    ids, vocabulary = language.sample(sentences, rng).ids, language.vocabulary
    word = np.isin(ids, vocabulary.regular_ids)
    words, (ratios, weights) = word.sum(axis=1), gauss_ratios(n)
    points, area = [], np.zeros(sentences)
    for ratio, weight in zip(ratios, weights, strict=True):
        hidden = word & (rng.random(ids.shape) < ratio)
        nats = expected_nats(language, ids, hidden)
        points.append(mean_and_error(nats, hidden.sum(axis=1)))
        area += weight * nats / ratio
    exact = entropy_given_frame(language, ids)
    sides = [mean_and_error(nats, words) for nats in (area, exact)]
    floors, errors = np.array(points).T
    return FloorArea(ratios, floors, errors, *sides, (area - exact) / words.mean(), float(words.mean()))


def expected_nats(language: ExactLanguage, ids: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """What the hidden words of each sentence cost an exact reader of one pass, in the mean over words: (B,) nats."""
    return np.bincount(np.nonzero(hidden)[0], entropy(_posteriors(language, ids, hidden)), minlength=len(ids))


def hidden_nats(language: ExactLanguage, ids: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The exact surprisal of each hidden word in one pass, 0 at what is visible: (B, T) nats."""
    posterior, nats = _posteriors(language, ids, hidden), np.zeros(ids.shape)
    nats[hidden] = -np.log(posterior[np.arange(len(posterior)), ids[hidden]])
    return nats


def _posteriors(language: ExactLanguage, ids: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The exact posterior at each hidden word, (N, V)."""
    seen = np.where(hidden, language.vocabulary.mask_id, ids)
    places = np.broadcast_to(np.arange(ids.shape[1]), ids.shape)
    blocks = (slice(first, first + SENTENCES_AT_ONCE) for first in range(0, len(ids), SENTENCES_AT_ONCE))
    return np.concatenate([language.posterior_at(seen[b], places[b])[hidden[b]] for b in blocks])
