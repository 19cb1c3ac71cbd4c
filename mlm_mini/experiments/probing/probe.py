"""A linear probe: logistic regression on frozen vectors, always tested on nouns that it was not fitted on.

Shape letters: N nouns, D numbers of each, F folds, K kinds of sentences.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.probing.nouns import SENTENCE_KINDS, Nouns

PENALTIES = (0.1, 1.0, 10.0, 100.0)  # of the squared weights, in one probe; 1 / C in the words of scikit-learn
MOST_STEPS = 100


@dataclass(frozen=True)
class Probe:
    """sign(weights . x + bias) for raw vectors x. weights: (D,). penalty: the one it was fitted with."""

    weights: np.ndarray
    bias: float
    penalty: float

    def scores(self, x: np.ndarray) -> np.ndarray:
        """log p(agent) / p(patient) by the probe, (N,) in nats."""
        return x @ self.weights + self.bias


def fit_probe(x: np.ndarray, y: np.ndarray, penalty: float) -> Probe:
    """Logistic regression of y, (N,) bool, on x, (N, D), whose columns are brought to mean 0 and variance 1 first.

    Minimizes the sum of the cross-entropies plus penalty / 2 times the squared weights. Raises ValueError where y has
    one value only.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    mean, scale = x.mean(axis=0), x.std(axis=0)
    scale = np.where(scale > 1e-8, scale, 1.0)  # what never varies tells nothing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        fitted = LogisticRegression(C=1 / penalty, solver="newton-cholesky", max_iter=MOST_STEPS)
        fitted.fit((x - mean) / scale, y)
    weights = fitted.coef_[0] / scale
    return Probe(weights, float(fitted.intercept_[0] - weights @ mean), penalty)


def choose_probe(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> Probe:
    """The probe with the best penalty of PENALTIES, tried on a fifth of the groups, then fitted on all of them.

    groups: (N,) integers; nouns of one group stay together. A tie goes to the larger penalty.
    """
    tried = _fifth(groups)
    best = max(sorted(PENALTIES, reverse=True), key=lambda penalty: _tried_on(x, y, tried, penalty))
    return fit_probe(x, y, best)


def _tried_on(x, y, tried, penalty) -> float:
    probe = fit_probe(x[~tried], y[~tried], penalty)
    return balanced_accuracy(probe.scores(x[tried]) > 0, y[tried])


def _fifth(groups: np.ndarray) -> np.ndarray:
    """(N,) bool: whether a noun's group is among every fifth."""
    return np.isin(groups, np.unique(groups)[::5])


def balanced_accuracy(predicted: np.ndarray, true: np.ndarray) -> float:
    """The mean of the share of agents, and of patients, that are recognized: 1/2 for whoever always says the same.

    predicted, true: (N,) bool. A role that does not occur is left out.
    """
    return float(np.mean([(predicted[true == role] == role).mean() for role in (False, True) if (true == role).any()]))


def split_folds(groups: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """A fold for each noun, (N,) from 0 to number - 1: a group lies in one fold, and folds have as many groups, give or
    take one. groups: (N,) integers."""
    names, which = np.unique(groups, return_inverse=True)
    return (rng.permutation(len(names)) % number)[which]


def held_out_scores(x: np.ndarray, y: np.ndarray, groups: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """The score of each noun by a probe that was fitted on the other folds, (N,). groups: as in `choose_probe`."""
    scores = np.empty(len(x))
    for fold in np.unique(folds):
        out = folds == fold
        scores[out] = choose_probe(x[~out], y[~out], groups[~out]).scores(x[out])
    return scores


def by_kind(scores: np.ndarray, nouns: Nouns, folds: np.ndarray, true: np.ndarray | None = None) -> np.ndarray:
    """Balanced accuracy of scores above 0, for each fold and kind of sentence: (F, K). true: (N,), the roles unless
    given. A fold without a kind has NaN there."""
    true = nouns.agent if true is None else true
    accuracy = np.full((folds.max() + 1, len(SENTENCE_KINDS)), np.nan)
    for fold, kind in np.ndindex(*accuracy.shape):
        chosen = (folds == fold) & (nouns.kind == kind)
        if chosen.any():
            accuracy[fold, kind] = balanced_accuracy(scores[chosen] > 0, true[chosen])
    return accuracy


def control_labels(lemmas: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A control task (Hewitt and Liang 2019): (N,) bool, a coin for each word, the same wherever the word stands."""
    words, which = np.unique(lemmas, return_inverse=True)
    return (rng.random(len(words)) < 0.5)[which]
