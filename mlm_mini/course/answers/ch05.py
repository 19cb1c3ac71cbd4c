"""The worked answers of 05_attention.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "05.attention-weights": r"""
import numpy as np
from mlm_mini import reference as ref


def attention_weights(q, k):
    scores = q @ k.mT / np.sqrt(q.shape[-1])  # (..., T, d) @ (..., d, S) -> (..., T, S)
    return ref.softmax(scores)
""",
    "05.padding-mask": r"""
def padding_mask(attention_mask):
    return attention_mask.astype(bool)[:, None, None, :]  # (B, T) -> (B, 1, 1, T)
""",
    "05.causal-mask": r"""
import numpy as np


def causal_mask(T):
    return np.tri(T, dtype=bool)
""",
    "05.attention": r"""
import numpy as np
from mlm_mini import reference as ref


def attention(q, k, v, mask=None):
    scores = q @ k.mT / np.sqrt(q.shape[-1])  # (..., T, d) @ (..., d, S) -> (..., T, S)
    if mask is None:
        return ref.softmax(scores) @ v
    sees = mask.any(axis=-1, keepdims=True)  # (..., T, 1)
    visible = np.where(mask, scores, -np.inf)
    weights = ref.softmax(np.where(sees, visible, 0.0))  # of a query that sees nothing, any weights will do
    return np.where(sees, weights @ v, 0.0)
""",
    "05.split-heads": r"""
def split_heads(x, H):
    *leading, T, D = x.shape
    cut = x.reshape(*leading, T, H, D // H)  # (..., T, D) -> (..., T, H, d)
    return cut.swapaxes(-3, -2)  # (..., T, H, d) -> (..., H, T, d)
""",
    "05.multi-head": r"""
from mlm_mini import reference as ref
from mlm_mini.reference.layers import layer


def multi_head_attention(x, weights, H, mask=None):
    views = (ref.linear(x, *layer(weights, f"self.{name}")) for name in ("query", "key", "value"))
    q, k, v = (ref.split_heads(view, H) for view in views)
    y = ref.scaled_dot_product_attention(q, k, v, mask)
    joined = y.swapaxes(-3, -2).reshape(x.shape)  # (..., H, T, d) -> (..., T, H, d) -> (..., T, D)
    return ref.linear(joined, *layer(weights, "output.dense"))
""",
    "05.layer-norm": r"""
import numpy as np


def layer_norm(x, gain, bias, eps=1e-12):
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    return gain * (x - mean) / np.sqrt(variance + eps) + bias
""",
    "05.gelu": r"""
import numpy as np
from scipy.special import erf


def gelu(x):
    phi = 0.5 * (1 + erf(x / np.sqrt(2)))
    return x * phi
""",
    "05.block": r"""
from mlm_mini import reference as ref
from mlm_mini.reference.layers import below, layer


def encoder_block(x, weights, H, mask=None):
    mixed = ref.multi_head_attention(x, below(weights, "attention."), H, mask)
    h = ref.layer_norm(x + mixed, *layer(weights, "attention.output.LayerNorm"))
    inner = ref.gelu(ref.linear(h, *layer(weights, "intermediate.dense")))  # (..., T, D) -> (..., T, I)
    outer = ref.linear(inner, *layer(weights, "output.dense"))  # (..., T, I) -> (..., T, D)
    return ref.layer_norm(h + outer, *layer(weights, "output.LayerNorm"))
""",
    "05.attention-gradient": r"""
import numpy as np
from mlm_mini import reference as ref


def attention_gradient(upstream, q, k, v):
    A = ref.attention_weights(q, k)
    dv = A.mT @ upstream  # (..., S, T) @ (..., T, d) -> (..., S, d)
    dA = upstream @ v.mT  # (..., T, d) @ (..., d, S) -> (..., T, S)
    dz = A * (dA - (A * dA).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[-1])
    return dz @ k, dz.mT @ q, dv
""",
}
