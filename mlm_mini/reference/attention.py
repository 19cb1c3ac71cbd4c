"""Attention: every position reads from those that it may see, and most from those that match (Vaswani et al. 2017).

Shapes: B sentences, H heads, T positions that ask (queries), S positions that answer (keys and values; S = T in an
encoder), d the width of a head, D = H d the width of a position; `...` stands for any leading dimensions, or none.
A mask is True where a query may see a key. A query that may see no key would have weights of 0 / 0. Here its weights
and its output are zero, and no gradient passes through it.
Each gradient stands under its function, and takes the `upstream` that layers.py describes.
"""

import numpy as np

from mlm_mini.reference.checks import bool_array, real_array, tiny_is_zero
from mlm_mini.reference.layers import layer, linear, linear_gradient, named
from mlm_mini.reference.probability import softmax


def padding_mask(attention_mask):
    """Nobody sees padding. attention_mask: (B, T) bool, or 1 for a token and 0 for padding. Returns (B, 1, 1, T)."""
    mask = np.asarray(attention_mask)
    if mask.ndim != 2 or not (mask.dtype == bool or (mask.dtype.kind in "iu" and np.isin(mask, (0, 1)).all())):
        raise ValueError(
            f"attention_mask is {mask.dtype} of shape {mask.shape}: expected (B, T), bool or 1 (token) and 0 (padding)"
        )
    return mask.astype(bool)[:, None, None, :]  # (B, T) -> (B, 1, 1, T), for every head and every query


def causal_mask(T):
    """Nobody sees what comes later: query t sees keys 0 to t. Returns (T, T) bool."""
    return np.tri(T, dtype=bool)


def attention_weights(q, k, mask=None):
    """A_ts = exp(q_t . k_s / sqrt d) / sum_r exp(q_t . k_r / sqrt d), over the keys s and r that t may see.

    q: (..., T, d); k: (..., S, d); mask: bool that broadcasts to (..., T, S), or None where all may see all.
    Returns (..., T, S): a row sums to one, and to zero where the query may see nothing; zero at every unseen key.
    Raises ValueError for shapes that do not fit, S = 0 or numbers that are not finite; TypeError for a mask that is
    not bool.
    """
    q, k = real_array(q, "q"), real_array(k, "k")
    check_keys(q, k)
    scores = q @ k.mT / np.sqrt(q.shape[-1])  # (..., T, d) @ (..., d, S) -> (..., T, S)
    if mask is None:
        return softmax(scores)
    mask = broadcast_mask(mask, scores.shape)
    sees = mask.any(-1, keepdims=True)
    return sees * softmax(np.where(mask | ~sees, scores, -np.inf))


def scaled_dot_product_attention(q, k, v, mask=None):
    """y_t = sum_s A_ts v_s, with A = attention_weights(q, k, mask).

    q: (..., T, d); k, v: (..., S, d); mask: bool that broadcasts to (..., T, S), or None.
    Returns (..., T, d), zero where a query may see nothing. Raises what attention_weights raises.
    """
    k, v = real_array(k, "k"), real_array(v, "v")
    check_values(k, v)
    return attention_weights(q, k, mask) @ v  # (..., T, S) @ (..., S, d) -> (..., T, d)


@tiny_is_zero
def scaled_dot_product_attention_gradient(upstream, q, k, v, mask=None):
    """dv = A^T dy; dA = dy v^T; dz = A (dA - sum_s A dA), the softmax's; dq = dz k / sqrt d; dk = dz^T q / sqrt d.

    upstream: (..., T, d), and the arguments of scaled_dot_product_attention. Returns dq, dk, dv.
    """
    q, k, v = real_array(q, "q"), real_array(k, "k"), real_array(v, "v")
    A = attention_weights(q, k, mask)
    dA = upstream @ v.mT  # (..., T, d) @ (..., d, S) -> (..., T, S)
    dz = A * (dA - (A * dA).sum(-1, keepdims=True)) / np.sqrt(q.shape[-1])
    return dz @ k, dz.mT @ q, A.mT @ upstream


def split_heads(x, H):
    """(..., T, D) -> (..., H, T, d): the first d numbers of a position go to the first head, and so on.

    Raises ValueError when H does not divide D.
    """
    *leading, T, D = x.shape
    if H < 1 or D % H:
        raise ValueError(f"a width of {D} cannot be shared by {H} heads: the number of heads must divide it")
    return x.reshape(*leading, T, H, D // H).swapaxes(-3, -2)  # (..., T, D) -> (..., T, H, d) -> (..., H, T, d)


def join_heads(x):
    """(..., H, T, d) -> (..., T, D): the inverse of split_heads."""
    *leading, H, T, d = x.shape
    return x.swapaxes(-3, -2).reshape(*leading, T, H * d)  # (..., H, T, d) -> (..., T, H, d) -> (..., T, D)


def queries_keys_values(x, weights, H):
    """Three linear views of x, one head beside the other: (..., T, D) -> three times (..., H, T, d)."""
    return [split_heads(linear(x, *layer(weights, f"self.{name}")), H) for name in ("query", "key", "value")]


def multi_head_attention(x, weights, H, mask=None):
    """W_o [y_1 ... y_H] + b_o, where head h reads y_h = attention(W_q x, W_k x, W_v x) in its own d dimensions.

    x: (..., T, D); weights: self.query, self.key, self.value and output.dense, each a .weight (D, D) and .bias (D,);
    mask: bool that broadcasts to (..., H, T, T), or None. Returns (..., T, D).
    Raises ValueError when H does not divide D, KeyError for a missing weight, and what attention_weights raises.
    """
    q, k, v = queries_keys_values(x, weights, H)
    y = scaled_dot_product_attention(q, k, v, mask)
    return linear(join_heads(y), *layer(weights, "output.dense"))


@tiny_is_zero
def multi_head_attention_gradient(upstream, x, weights, H, mask=None):
    """Back through the lines above, the last one first; dx adds up what came through queries, keys and values.

    upstream: (..., T, D), and the arguments of multi_head_attention.
    Returns dx (..., T, D), and a dict with the gradient of each of the eight weights under its name.
    """
    q, k, v = queries_keys_values(x, weights, H)
    y = scaled_dot_product_attention(q, k, v, mask)
    dy, *dense = linear_gradient(upstream, join_heads(y), layer(weights, "output.dense")[0])
    gradients = named("output.dense", *dense)
    dx = np.zeros(x.shape)
    dq, dk, dv = scaled_dot_product_attention_gradient(split_heads(dy, H), q, k, v, mask)
    for name, d_view in (("self.query", dq), ("self.key", dk), ("self.value", dv)):
        dx_here, *view = linear_gradient(join_heads(d_view), x, layer(weights, name)[0])
        gradients |= named(name, *view)
        dx += dx_here
    return dx, gradients


# What attention asks of its arguments


def check_keys(q, k):
    """Raises ValueError unless each query has keys of its own width to be compared with."""
    if q.ndim < 2 or q.shape[:-2] != k.shape[:-2] or q.shape[-1] != k.shape[-1]:
        raise ValueError(f"q has shape {q.shape} and k {k.shape}: expected (..., T, d) and (..., S, d)")


def check_values(k, v):
    """Raises ValueError unless each key has one value."""
    if v.ndim < 2 or k.shape[:-1] != v.shape[:-1]:
        raise ValueError(f"k has shape {k.shape} and v {v.shape}: expected (..., S, d), one value for each key")


def broadcast_mask(mask, shape):
    """A bool mask at the full shape of the scores."""
    mask = bool_array(mask, "mask")
    try:
        return np.broadcast_to(mask, shape)
    except ValueError:
        raise ValueError(f"mask has shape {mask.shape}: expected one that broadcasts to the scores' {shape}") from None
