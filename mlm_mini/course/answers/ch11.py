"""The worked answers of 11_what_to_mask.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "11.scores": r"""
import numpy as np


def scores(log_q, labels):
    q = np.exp(log_q)
    surprisal = -np.take_along_axis(log_q, labels[:, None], axis=1)[:, 0]
    entropy = -(q * np.where(q > 0, log_q, 0.0)).sum(axis=1)
    return {"surprisal": surprisal, "entropy": entropy}
""",
    "11.inclusion": r"""
import numpy as np


def inclusion(scores, expected):
    probability = expected * scores / scores.sum()
    while (probability > 1 + 1e-12).any():  # by more than rounding
        capped = probability >= 1
        c = (expected - capped.sum()) / scores[~capped].sum()
        probability = np.where(capped, 1.0, c * scores)
    return probability
""",
    "11.weighted-sample": r"""
import numpy as np


def weighted_sample(weights, k, rng):
    with np.errstate(divide="ignore"):
        keys = np.log(weights) + rng.gumbel(size=weights.shape)
    order = np.argsort(-keys, axis=1)
    chosen = np.zeros(weights.shape, dtype=bool)
    np.put_along_axis(chosen, order[:, :k], True, axis=1)
    return chosen
""",
    "11.learned": r"""
def learned(p, s):
    questions = p * s  # how often a word is the answer to a question
    return questions / questions.sum(axis=-1, keepdims=True)
""",
    "11.fixed-point": r"""
import numpy as np


def fixed_point(p):
    low, high = 0.0, 1.0
    for _ in range(60):
        q = 0.5 * (low + high)
        pull_up, pull_down = -p * np.log(q) * (1 - q), -(1 - p) * np.log1p(-q) * q
        low, high = (q, high) if pull_up > pull_down else (low, q)
    return 0.5 * (low + high)
""",
    "11.importance": r"""
import numpy as np


def importance(nats, asked, probability):
    weights = np.where(asked, 1 / probability, 0.0)
    total = (weights * nats).sum()
    normalized = total / weights.sum() if asked.any() else 0.0
    return total / len(nats), normalized
""",
    "11.equal-steps": r"""
def equal_steps(steps, flops, mask_ratio, oversampling):
    step = flops(mask_ratio)
    look = flops(oversampling * mask_ratio) / 3
    return round(steps * step / (step + look))
""",
    "11.clinic-ratio": r"""
import numpy as np


def loss_and_error(nats, counts):
    loss = nats.sum() / counts.sum()
    residual = nats - loss * counts
    return loss, np.sqrt((residual**2).sum()) / counts.sum()
""",
    "11.clinic-ratios": r"""
def best_ratio(losses, ratios, common):
    same_questions = losses[:, list(ratios).index(common)]
    return float(ratios[same_questions.argmin()])
""",
    "11.clinic-seeds": r"""
import numpy as np


def compare(ours, theirs, t):
    of_seed = (ours - theirs).mean(axis=1)
    return of_seed.mean(), t * of_seed.std(ddof=1) / np.sqrt(len(of_seed))
""",
    "11.clinic-cost": r"""
def speed_up(uniform_steps, strategy_steps, training, scoring, every):
    scoring_passes = (strategy_steps + every - 1) // every
    return uniform_steps * training / (strategy_steps * training + scoring_passes * scoring)
""",
    "11.clinic-bessel": r"""
def signal_and_noise(gradients):
    R = len(gradients)
    mean = gradients.mean(axis=0)
    trace = ((gradients - mean) ** 2).sum() / (R - 1)
    return (mean**2).sum() - trace / R, trace
""",
}
