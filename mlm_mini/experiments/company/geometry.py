"""Which vectors are near each other, and whether near ones are of a kind.

Shape letters: V words, D dimensions, k neighbors, C classes.
"""

import numpy as np

SMALLEST_CLASS = 4  # of the classes that count: a word then has at least three of its own kind


def unit(vectors) -> np.ndarray:
    """Each row divided by its length, (V, D); a row of zeros has no direction and stays."""
    vectors = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros(vectors.shape), where=lengths > 0)


def centered(vectors) -> np.ndarray:
    """The vectors (V, D) less their mean."""
    vectors = np.asarray(vectors, dtype=np.float64)
    return vectors - vectors.mean(axis=0)


def cosines(vectors) -> np.ndarray:
    """The cosine of each two rows: (V, V); 0 with a row of zeros."""
    directions = unit(vectors)
    return directions @ directions.T


def mean_cosine(vectors) -> float:
    """The mean cosine of two different rows: near 0 where directions are spread evenly, far above it in a cone."""
    directions = unit(vectors)
    V = len(directions)
    itself = (directions**2).sum()
    return float(((directions.sum(axis=0) ** 2).sum() - itself) / (V * (V - 1)))


def nearest(vectors, k: int) -> np.ndarray:
    """The k rows with the largest cosine to each row, itself left out, nearest first: int (V, k).

    Of two that are equally near the one with the lower index comes first.
    """
    return nearest_by(cosines(vectors), k)


def nearest_by(similarity, k: int) -> np.ndarray:
    """As `nearest`, by a table of similarities (V, V)."""
    others = np.array(similarity, dtype=np.float64)
    np.fill_diagonal(others, -np.inf)
    return np.argsort(-others, axis=1, kind="stable")[:, :k]


def purity(neighbors, classes) -> float:
    """The share of neighbors (V, k) that are of the same class as the word whose neighbors they are. classes: (V,)."""
    classes = np.asarray(classes)
    return float((classes[neighbors] == classes[:, None]).mean())


def chance_purity(classes) -> float:
    """The purity of neighbors that are drawn at random from the other words, on average. classes: (V,)."""
    _, which, sizes = np.unique(classes, return_inverse=True, return_counts=True)
    return float((sizes[which] - 1).mean() / (len(which) - 1))


def cluster_agreement(vectors, classes, seed: int) -> float:
    """Adjusted Rand index of k-means clusters and classes: 1 where both agree, 0 on average for a random division.

    As many clusters as classes, on directions. After Hubert and Arabie (1985). seed: of the first centers.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score

    clusters = KMeans(len(np.unique(classes)), n_init=4, random_state=seed).fit_predict(unit(vectors))
    return float(adjusted_rand_score(classes, clusters))
