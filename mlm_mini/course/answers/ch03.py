"""The worked answers of 03_masking.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "03.maskable": r"""
import numpy as np


def maskable_positions(ids, special_ids):
    return ~np.isin(ids, special_ids)
""",
    "03.select": r"""
def select_positions(maskable, mask_ratio, rng):
    u = rng.random(maskable.shape)
    return maskable & (u < mask_ratio)
""",
    "03.no-question": r"""
def no_question(mask_ratio, n):
    return (1 - mask_ratio) ** n
""",
    "03.select-fixed": r"""
import numpy as np


def select_fixed(maskable, mask_ratio, rng):
    n = maskable.sum(axis=-1, keepdims=True)  # (B, 1)
    k = np.floor(mask_ratio * n + 0.5)
    keys = np.where(maskable, rng.random(maskable.shape), np.inf)
    ranks = keys.argsort(axis=-1).argsort(axis=-1)
    return ranks < k
""",
    "03.labels": r"""
import numpy as np


def make_labels(ids, selected):
    return np.where(selected, ids, -100)
""",
    "03.corrupt": r"""
import numpy as np


def corrupt(ids, selected, mask_id, random_ids, rng, split=(0.8, 0.1, 0.1)):
    u = rng.random(ids.shape)
    becomes_mask = selected & (u < split[0])
    becomes_random = selected & (u >= split[0]) & (u < split[0] + split[1])
    drawn = rng.choice(random_ids, size=ids.shape)
    return np.where(becomes_mask, mask_id, np.where(becomes_random, drawn, ids))
""",
    "03.z-score": r"""
import numpy as np


def z_score(count, n, p):
    standard_error = np.sqrt(p * (1 - p) / n)
    return (count / n - p) / standard_error
""",
}
