"""The worked answers of 14_joint_predictions.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "14.apart": r"""
def apart(joint):
    first = joint.sum(axis=1, keepdims=True)
    second = joint.sum(axis=0, keepdims=True)
    return first * second
""",
    "14.total-correlation": r"""
import numpy as np


def total_correlation(joint):
    def H(p):
        p = p[p > 0]
        return -(p * np.log(p)).sum()

    axes = range(joint.ndim)
    marginals = [joint.sum(axis=tuple(j for j in axes if j != i)) for i in axes]
    return sum(H(p) for p in marginals) - H(joint)
""",
    "14.certain-first": r"""
import numpy as np


def certain_first(ids, mask_id, ask):
    ids = ids.copy()
    while (ids == mask_id).any():
        p = ask(ids)
        log_p = np.log(p, where=p > 0, out=np.zeros_like(p))
        entropies = np.where(ids == mask_id, -(p * log_p).sum(axis=1), np.inf)
        t = entropies.argmin()
        ids[t] = p[t].argmax()
    return ids
""",
    "14.information-given": r"""
import numpy as np


def information_given(table):
    def H(p):
        p = p[p > 0]
        return -(p * np.log(p)).sum()

    return H(table.sum(axis=1)) + H(table.sum(axis=0)) - H(table) - H(table.sum(axis=(0, 1)))
""",
    "14.odds-gap": r"""
import numpy as np


def odds_gap(first_given_second, second_given_first, one, other):
    (a, b), (c, d) = one, other
    p, q = np.log(first_given_second), np.log(second_given_first)
    return (p[a, b] + p[c, d] - p[c, b] - p[a, d]) - (q[a, b] + q[c, d] - q[a, d] - q[c, b])
""",
    "14.gibbs": r"""
import numpy as np


def gibbs(first_given_second, second_given_first, rounds):
    law = np.full(first_given_second.shape, 1 / first_given_second.size)
    for _ in range(rounds):
        law = first_given_second * law.sum(axis=0, keepdims=True)
        law = second_given_first * law.sum(axis=1, keepdims=True)
    return law
""",
    "14.hidden-pieces": r"""
import numpy as np


def hidden_pieces(words):
    place = np.arange(len(words))
    same_word = words[:, None] == words[None, :]
    not_earlier = place[None, :] >= place[:, None]
    return same_word & not_earlier & (words[:, None] >= 0)
""",
    "14.clinic-neighbors": r"""
import numpy as np


def neighbors(vectors, word, n):
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = unit @ unit[word]
    scores[word] = -np.inf
    return np.argsort(-scores)[:n]
""",
    "14.clinic-split": r"""
import numpy as np


def held_out(words):
    _, number = np.unique(words, return_inverse=True)
    return number % 5 == 0
""",
    "14.clinic-sweep": r"""
def sweep(ids, places, mask_id, ask):
    ids = ids.copy()
    for t in places:
        ids[t] = mask_id
        ids[t] = ask(ids)[t].argmax()
    return ids
""",
    "14.clinic-candidates": r"""
import numpy as np


def score(before, pieces, after, mask_id, ask):
    ids = np.concatenate([before, np.full(len(pieces), mask_id), after])
    nats = 0.0
    for t, piece in enumerate(pieces, start=len(before)):
        nats += ask(ids)[t, piece]
        ids[t] = piece
    return nats
""",
}
