"""The worked answers of 04_masking_the_logits.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "04.exclude": r"""
import numpy as np


def exclude_tokens(logits, excluded):
    out = np.array(logits, dtype=np.float64)
    out[..., excluded] = -np.inf
    if np.isneginf(out).all(axis=-1).any():
        raise ValueError("a row has no token left: every one is excluded")
    return out
""",
    "04.total-variation": r"""
import numpy as np


def total_variation(p, q):
    return 0.5 * np.abs(p - q).sum(axis=-1)
""",
    "04.kl-directions": r"""
from mlm_mini import reference as ref


def kl_directions(logits, special_ids, leaked_id):
    p = ref.softmax(ref.exclude_tokens(logits, special_ids))
    q = ref.softmax(ref.exclude_tokens(logits, special_ids[special_ids != leaked_id]))
    return ref.kl_divergence(q, p), ref.kl_divergence(p, q)
""",
    "04.clinic-split": r"""
import numpy as np


def corrupt_split(ids, selected, mask_id, random_ids, rng):
    u = rng.random(ids.shape)
    becomes_mask = selected & (u < 0.8)
    becomes_random = selected & (0.8 <= u) & (u < 0.9)
    drawn = rng.choice(random_ids, size=ids.shape)
    return np.where(becomes_mask, mask_id, np.where(becomes_random, drawn, ids))
""",
    "04.clinic-random": r"""
import numpy as np


def replace_at_random(ids, selected, V, special_ids, rng):
    regular_ids = np.setdiff1d(np.arange(V), special_ids)
    return np.where(selected, rng.choice(regular_ids, size=ids.shape), ids)
""",
    "04.clinic-inplace": r"""
import numpy as np


def make_example(ids, selected, mask_id):
    inputs = ids.copy()
    inputs[selected] = mask_id
    labels = np.where(selected, ids, -100)
    return inputs, labels
""",
    "04.clinic-labels": r"""
import numpy as np
from mlm_mini import reference as ref


def masked_loss(logits, ids, selected):
    labels = np.full(ids.shape, -100)
    labels[selected] = ids[selected]
    return ref.cross_entropy(logits, labels)
""",
    "04.clinic-cls": r"""
from mlm_mini import reference as ref


def word_probabilities(logits, special):
    blocked = list(special.values())
    return ref.softmax(ref.exclude_tokens(logits, blocked))
""",
}
