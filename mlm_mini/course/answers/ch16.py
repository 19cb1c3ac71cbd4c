"""The worked answers of 16_writing_by_unmasking.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "16.area": r"""
import numpy as np


def area(floor, n):
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return float((weights * floor((nodes + 1) / 2)).sum() / 2)
""",
    "16.weighted-loss": r"""
import numpy as np


def weighted_loss(nats, hidden, words, ratios):
    each = np.where(hidden, nats, 0.0).sum(axis=1) / ratios
    return float(each.sum() / words.sum())
""",
    "16.ratios": r"""
def stratified(n, rng):
    return (rng.permutation(n) + 1 - rng.random(n)) / n
""",
    "16.mean-weight": r"""
import numpy as np


def mean_weight(hidden, words):
    k, W = hidden.sum(axis=1), words.sum(axis=1)
    return np.where(k > 0, (W + 1) / np.maximum(k, 1), 0.0)
""",
    "16.bound": r"""
import numpy as np


def bound(nats, words):
    of_sentence = nats.mean(axis=1)
    mean = of_sentence.sum() / words.sum()
    residuals = of_sentence - mean * words
    return mean, np.sqrt((residuals**2).sum()) / words.sum()
""",
    "16.schedule": r"""
import numpy as np


def schedule(words, K):
    done = words * np.arange(K + 1)[:, None] // K
    return np.diff(done, axis=0)
""",
    "16.draw": r"""
import numpy as np


def draw_words(logits, excluded, rng):
    allowed = np.where(excluded, -np.inf, logits)
    return (allowed + rng.gumbel(size=allowed.shape)).argmax(axis=1)
""",
    "16.pick": r"""
import numpy as np


def pick(scores, hidden, counts, rng):
    order = np.lexsort((rng.random(scores.shape), -scores, ~hidden))
    ranks = order.argsort(axis=1)
    return hidden & (ranks < counts[:, None])
""",
    "16.clinic-leak": r"""
import numpy as np


def cost_of(reader, ids, step, mask_id):
    nats = 0.0
    for now in range(1, step.max() + 1):
        log_q = reader(np.where(step >= now, mask_id, ids))
        nats -= log_q[step == now, ids[step == now]].sum()
    return float(nats)
""",
    "16.clinic-count": r"""
import numpy as np


def loss_by_count(nats, hidden, words):
    asked, all_words = hidden.sum(axis=1), words.sum(axis=1)
    of_row = np.where(hidden, nats, 0.0).sum(axis=1)
    return float((all_words / asked * of_row).sum() / all_words.sum())
""",
}
