"""The figures by which a set of word vectors is judged: the same for a model's table, for counts, and for controls.

Shape letters: V words, D dimensions.
"""

from typing import NamedTuple

import numpy as np

from mlm_mini.experiments.company.alike import partial_rank_correlation
from mlm_mini.experiments.company.geometry import (
    centered,
    cluster_agreement,
    cosines,
    mean_cosine,
    nearest_by,
    purity,
)
from mlm_mini.experiments.company.truth import Company
from mlm_mini.experiments.lab.permutations import rank_correlation

NEIGHBORS = 3  # a word of the smallest class that counts has as many of its own kind


class CompanyFigures(NamedTuple):
    """All but the first two are of vectors less their mean.

    mean_cosine, likeness_raw: of the vectors as they are; mean_cosine is that of two different words.
    purity: the share of a word's NEIGHBORS nearest that are of its class, over words of classes that count.
    agreement: adjusted Rand index of k-means and these classes.
    likeness: rank correlation of cosine and likeness of contexts, over pairs that have contexts in common.
    beyond_frequency: the same, with closeness in frequency held. other_class: over pairs of different classes.
    by_frequency: rank correlation of cosine and closeness in frequency, over pairs without a context in common.
    closest: for a word, the share of all others that are further from it than the one whose contexts are most alike.
    twins: mean cosine of words with the same contexts.
    cat_dog: cosine of the two. dog_nearer: the share of the other words that are further from cat than dog is, and from
    dog than cat is, on average.
    """

    mean_cosine: float
    likeness_raw: float
    purity: float
    agreement: float
    likeness: float
    beyond_frequency: float
    other_class: float
    by_frequency: float
    closest: float
    twins: float
    cat_dog: float
    dog_nearer: float


def company_figures(vectors, company: Company, seed: int = 0) -> CompanyFigures:
    """The figures of vectors (V, D), one for each word of `company`. seed: of k-means."""
    near, judged, classes = cosines(centered(vectors)), company.judged, company.classes
    alike, as_often, pairs, apart = -company.divergence, company.as_frequent, company.pairs, company.strangers
    mixed = tuple(words[classes[pairs[0]] != classes[pairs[1]]] for words in pairs)
    of_kind = nearest_by(near[np.ix_(judged, judged)], NEIGHBORS)
    cat, dog = company.place("cat"), company.place("dog")
    return CompanyFigures(
        mean_cosine=mean_cosine(vectors),
        likeness_raw=rank_correlation(alike[pairs], cosines(vectors)[pairs]),
        purity=purity(of_kind, classes[judged]),
        agreement=cluster_agreement(centered(vectors)[judged], classes[judged], seed),
        likeness=rank_correlation(alike[pairs], near[pairs]),
        beyond_frequency=partial_rank_correlation(alike[pairs], near[pairs], as_often[pairs]),
        other_class=rank_correlation(alike[mixed], near[mixed]),
        by_frequency=rank_correlation(as_often[apart], near[apart]),
        closest=float(further(near, np.arange(len(near)), company.most_alike).mean()),
        twins=float(near[company.twins].mean()),
        cat_dog=float(near[cat, dog]),
        dog_nearer=float(further(near, np.array([cat, dog]), np.array([dog, cat])).mean()),
    )


def further(similarity, words, others) -> np.ndarray:
    """For n pairs of a word and another, the share of all remaining words that are less similar to the word: (n,).

    Equally similar ones count half. similarity: (V, V).
    """
    rows, limit = similarity[words].copy(), similarity[words, others]
    rows[np.arange(len(words)), words] = np.nan
    rows[np.arange(len(words)), others] = np.nan
    below, equal = rows < limit[:, None], rows == limit[:, None]
    return (below.sum(axis=1) + equal.sum(axis=1) / 2) / (similarity.shape[1] - 2)
