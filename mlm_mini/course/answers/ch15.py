"""The worked answers of 15_beyond_english.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "15.letters": r"""
import numpy as np


def letters(sequence, alphabet, length):
    id_of = {letter: 5 + i for i, letter in enumerate(alphabet)} | {"?": 4}
    ids = [2, *(id_of.get(letter, 1) for letter in sequence[: length - 2]), 3]
    return np.array(ids + [0] * (length - len(ids)))
""",
    "15.held-out": r"""
import numpy as np


def held_out(groups, ranking, share):
    sizes = np.array([(groups == group).sum() for group in ranking])
    before = sizes.cumsum() - sizes
    return np.isin(groups, ranking[before < share * len(groups)])
""",
    "15.top-k": r"""
import numpy as np


def top_k(scores, answers, k):
    own = scores[np.arange(len(answers)), answers][:, None]
    better, alike = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.clip((k - better) / alike, 0.0, 1.0)
""",
    "15.two-sided": r"""
def two_sided(left, right, prior):
    p = left * right / prior
    return p / p.sum(axis=-1, keepdims=True)
""",
    "15.log-odds": r"""
import numpy as np


def log_odds(posterior, answers):
    joint = np.zeros((posterior.shape[1],) * 2)
    np.add.at(joint, answers, posterior)
    joint = (joint + joint.T) / (2 * len(answers))
    margin = joint.sum(axis=1)
    return np.log(joint / np.outer(margin, margin))
""",
    "15.permutation": r"""
import numpy as np
from scipy.stats import spearmanr


def permutation_test(one, other, orders):
    below = np.tril_indices(len(one), -1)
    rho = spearmanr(one[below], other[below]).statistic
    drawn = [spearmanr(one[below], other[np.ix_(order, order)][below]).statistic for order in orders]
    return rho, (1 + (np.array(drawn) >= rho).sum()) / (1 + len(orders))
""",
    "15.mutation": r"""
def mutation_scores(log_q, wild, places, mutants):
    return log_q[places, mutants] - log_q[places, wild[places]]
""",
    "15.balanced": r"""
def balanced(tokens):
    partner, opened = {")": "(", "]": "[", "}": "{"}, []
    for token in tokens:
        if token in partner.values():
            opened.append(token)
        elif token in partner and (not opened or opened.pop() != partner[token]):
            return False
    return not opened
""",
    "15.beam": r"""
import numpy as np


def beam_search(next_log_p, k, beam):
    kept = [((), 0.0)]
    for _ in range(k):
        longer = [((*begun, i), total + log_p) for begun, total in kept for i, log_p in enumerate(next_log_p(begun))]
        kept = sorted(longer, key=lambda pair: -pair[1])[:beam]
    return np.array([begun for begun, _ in kept]), np.array([total for _, total in kept])
""",
}
