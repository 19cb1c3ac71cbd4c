"""The worked answers of 02_surprisal.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "02.surprisal": r"""
import numpy as np
from mlm_mini import reference as ref


def surprisal(logits, targets):
    log_p = ref.log_softmax(logits)
    picked = np.take_along_axis(log_p, targets[..., None], axis=-1)  # (..., V) -> (..., 1)
    return -picked[..., 0]
""",
    "02.cross-entropy": r"""
from mlm_mini import reference as ref


def cross_entropy(logits, labels):
    selected = labels != -100
    s = ref.surprisal(logits[selected], labels[selected])  # (..., N, V) -> (n, V)
    return float(s.sum() / selected.sum()) if selected.any() else 0.0
""",
    "02.gradient": r"""
import numpy as np
from mlm_mini import reference as ref


def cross_entropy_gradient(logits, labels):
    p = ref.softmax(logits)
    y = np.arange(logits.shape[-1]) == labels[..., None]  # (V,) beside (..., N, 1) -> (..., N, V)
    selected = labels[..., None] != -100  # (..., N, 1)
    n = max(selected.sum(), 1)  # with no label the gradient is 0, not 0 / 0
    return np.where(selected, (p - y) / n, 0.0)
""",
    "02.entropy": r"""
import numpy as np


def entropy(p):
    possible = np.where(p > 0, p, 1.0)  # log 1 = 0, so an impossible word adds nothing
    return -(p * np.log(possible)).sum(-1)
""",
    "02.perplexity": r"""
import numpy as np


def perplexity(mean_surprisal):
    return np.exp(mean_surprisal)
""",
    "02.kl": r"""
import numpy as np


def kl_divergence(p, q):
    log_p = np.log(np.where(p > 0, p, 1.0))
    with np.errstate(divide="ignore"):  # log 0 = -inf is meant here
        log_q = np.log(np.where(p > 0, q, 1.0))
    return (p * (log_p - log_q)).sum(-1)
""",
    "02.clinic-mean": r"""
from mlm_mini import reference as ref


def weighted_loss(logits, targets, weights):
    loss = ref.surprisal(logits, targets) * weights  # one finite number per position until the weights have acted
    return float(loss.sum() / weights.sum())
""",
    "02.clinic-broadcast": r"""
def masked_mean(surprisals, mask):
    selected = mask[:, 0] == 1  # (N, 1) -> (N,)
    return float(surprisals[selected].sum() / selected.sum())  # taken out, not multiplied by 0
""",
    "02.clinic-empty": r"""
def epoch_loss(batches):
    total = sum(batch.sum() for batch in batches)
    count = sum(len(batch) for batch in batches)
    return float(total / count) if count else 0.0
""",
}
