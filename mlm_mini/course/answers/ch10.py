"""The worked answers of 10_how_much_to_mask.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "10.two-knobs": r"""
def two_knobs(maskable, mask_ratio, prediction_ratio, rng):
    u = rng.random(maskable.shape)
    return maskable & (u < mask_ratio), maskable & (u < prediction_ratio)
""",
    "10.floor": r"""
import numpy as np


def floor(posteriors, rows):
    log_p = np.log(posteriors, where=posteriors > 0, out=np.zeros_like(posteriors))
    entropies = -(posteriors * log_p).sum(axis=1)
    mean = entropies.mean()
    residuals = np.bincount(rows, entropies - mean)
    return mean, np.sqrt((residuals**2).sum()) / len(entropies)
""",
    "10.context-nats": r"""
def context_nats(floors, without, prediction_ratios, words):
    return words * prediction_ratios * (without - floors)
""",
    "10.equal-steps": r"""
import numpy as np


def equal_steps(steps, reference, ratios, body, head, words):
    costs = body + head * words * ratios
    usual = body + head * words * reference
    return np.maximum(1, np.rint(steps * usual / costs)).astype(np.int64)
""",
    "10.behind": r"""
import numpy as np


def behind(scores, t):
    best = scores[scores.mean(axis=1).argmin()]
    difference = scores - best
    margin = t * difference.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    return difference.mean(axis=1), margin
""",
    "10.lowest-point": r"""
import numpy as np


def lowest_point(ratios, scores):
    i = int(np.argmin(scores))
    if i in (0, len(ratios) - 1):
        return float(ratios[i])
    x, y = np.log(ratios[i - 1 : i + 2]), np.log(scores[i - 1 : i + 2])
    a, b, _ = np.polyfit(x, y, 2)
    return float(np.exp(-b / (2 * a)))
""",
    "10.best-interval": r"""
import numpy as np


def best_interval(ratios, scores, lowest, t):
    logs = np.log([lowest(ratios, of_one_seed) for of_one_seed in scores.T])
    middle, margin = logs.mean(), t * logs.std(ddof=1) / np.sqrt(len(logs))
    return tuple(float(np.exp(x)) for x in (middle, middle - margin, middle + margin))
""",
    "10.trust": r"""
def trust(p, keep, random, V):
    true_and_seen = p * (keep + random / V)
    seen = p * keep + random / V
    return true_and_seen / seen
""",
}
