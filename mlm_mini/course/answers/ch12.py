"""The worked answers of 12_the_company_a_word_keeps.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "12.cooccurrence": r"""
import numpy as np


def cooccurrence(ids, special_ids, V, window):
    counts = np.zeros((V, V), dtype=np.int64)
    word = ~np.isin(ids, special_ids)
    for distance in range(1, window + 1):
        both = word[:, :-distance] & word[:, distance:]
        np.add.at(counts, (ids[:, :-distance][both], ids[:, distance:][both]), 1)
    return counts + counts.T
""",
    "12.context-distribution": r"""
import numpy as np


def context_distribution(counts, smoothing):
    met = counts.sum(axis=0)
    smooth = np.where(met > 0, met ** float(smoothing), 0.0)
    return smooth / smooth.sum()
""",
    "12.ppmi": r"""
import numpy as np


def ppmi(counts, context, shift):
    joint = counts / counts.sum()
    chance = joint.sum(axis=1, keepdims=True) * context
    times = np.divide(joint, chance, out=np.zeros(joint.shape), where=joint > 0)
    return np.log(np.maximum(times / shift, 1))
""",
    "12.neighbors": r"""
import numpy as np


def neighbors(vectors, k):
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    directions = vectors / np.where(lengths > 0, lengths, 1)
    cosines = directions @ directions.T
    np.fill_diagonal(cosines, -np.inf)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :k]
""",
    "12.svd-vectors": r"""
import numpy as np


def svd_vectors(matrix, d, power):
    U, s, Vt = np.linalg.svd(matrix, full_matrices=False)
    return U[:, :d] * s[:d] ** power
""",
    "12.divergence": r"""
from mlm_mini import reference as ref


def divergence(p, q):
    middle = (p + q) / 2
    return ref.entropy(middle) - (ref.entropy(p) + ref.entropy(q)) / 2
""",
    "12.permutation": r"""
import numpy as np


def permutation(x, y, orders):
    pairs = np.triu_indices(len(x), 1)
    measured = np.corrcoef(x[pairs], y[pairs])[0, 1]
    dealt = [np.corrcoef(x[pairs], y[np.ix_(order, order)][pairs])[0, 1] for order in orders]
    return (1 + sum(r >= measured for r in dealt)) / (1 + len(orders))
""",
    "12.purity": r"""
import numpy as np


def purity(neighbors, classes):
    measured = (classes[neighbors] == classes[:, None]).mean()
    _, which, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    return measured, (sizes[which] - 1).mean() / (len(classes) - 1)
""",
    "12.mean-cosine": r"""
import numpy as np


def mean_cosine(vectors):
    def off_diagonal(x):
        lengths = np.linalg.norm(x, axis=1, keepdims=True)
        cosines = (unit := x / np.where(lengths > 0, lengths, 1)) @ unit.T
        return cosines[~np.eye(len(x), dtype=bool)].mean()

    return off_diagonal(vectors), off_diagonal(vectors - vectors.mean(axis=0))
""",
}
