"""The worked answers of 13_probing.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "13.balanced-accuracy": r"""
import numpy as np


def balanced_accuracy(predicted, true):
    recalls = [(predicted[true == role] == role).mean() for role in (False, True) if (true == role).any()]
    return float(np.mean(recalls))
""",
    "13.lemma-folds": r"""
import numpy as np


def lemma_folds(lemmas, number, rng):
    words, which = np.unique(lemmas, return_inverse=True)
    return (rng.permutation(len(words)) % number)[which]
""",
    "13.role-posterior": r"""
import numpy as np


def role_posterior(prior, likelihood, agent, patient):
    weights = prior * likelihood
    as_agent = np.where(agent, weights, 0.0).sum(axis=1)
    as_patient = np.where(patient, weights, 0.0).sum(axis=1)
    return as_agent / (as_agent + as_patient)
""",
    "13.nouns-vector": r"""
import numpy as np


def nouns_vector(states, places):
    return states[:, np.arange(states.shape[1]), places]
""",
    "13.bag-of-words": r"""
import numpy as np


def bag_of_words(seen, places, V):
    bag = np.zeros((len(seen), V))
    rows, at = np.nonzero(np.arange(seen.shape[1]) != places[:, None])
    np.add.at(bag, (rows, seen[rows, at]), 1)
    return bag
""",
    "13.logistic": r"""
import numpy as np


def logistic_loss(weights, bias, x, y, penalty):
    z = x @ weights + bias
    loss = np.logaddexp(0.0, np.where(y, -z, z)).sum() + penalty / 2 * (weights**2).sum()
    error = np.exp(-np.logaddexp(0.0, -z)) - y
    return loss, x.T @ error + penalty * weights, error.sum()
""",
    "13.control-labels": r"""
import numpy as np


def control_labels(lemmas, rng):
    words, which = np.unique(lemmas, return_inverse=True)
    return (rng.random(len(words)) < 0.5)[which]
""",
    "13.paired-drop": r"""
import numpy as np


def paired_drop(before, after, t):
    drops = before - after
    margin = t * drops.std(ddof=1) / np.sqrt(len(drops))
    return np.array([drops.mean(), drops.mean() - margin, drops.mean() + margin])
""",
    "13.remove-directions": r"""
import numpy as np


def remove_directions(x, directions):
    return x - x @ np.linalg.pinv(directions) @ directions
""",
}
