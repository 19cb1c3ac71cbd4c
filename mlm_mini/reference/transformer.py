"""BERT's encoder and its masked-language-modeling head (Devlin et al. 2019), forward and backward.

Shapes: B sentences, T positions, k predicted positions per sentence, D the width of a position, I the width inside a
block, H heads, L blocks, V tokens, P the largest number of positions; `...` stands for any leading dimensions.

`weights` is one flat dict of arrays, named as in the state dict of Hugging Face's BertForMaskedLM, so that the same
file serves this encoder and the PyTorch one. The decoder's matrix is the table of word embeddings and has no entry
of its own. Gradients stand under their functions, and come as a dict with the names of the weights.
"""

import numpy as np

from mlm_mini.reference.attention import (
    attention_weights,
    causal_mask,
    multi_head_attention,
    multi_head_attention_gradient,
    padding_mask,
    queries_keys_values,
)
from mlm_mini.reference.checks import checked_ids, real_array
from mlm_mini.reference.layers import (
    above,
    below,
    gelu,
    gelu_gradient,
    layer,
    layer_norm,
    layer_norm_gradient,
    linear,
    linear_gradient,
    named,
)

WORDS, POSITIONS, TYPES = (f"bert.embeddings.{table}_embeddings.weight" for table in ("word", "position", "token_type"))
EMBEDDINGS_NORM = "bert.embeddings.LayerNorm"
TRANSFORM, TRANSFORM_NORM = "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm"
HEAD_BIAS = "cls.predictions.bias"


def embed(ids, weights, token_type_ids=None):
    """LayerNorm(word + position + type): the three vectors that say what stands here, where, and in which segment.

    ids, token_type_ids: (B, T) integers; without token_type_ids every type is 0, whose vector is added all the same.
    Returns (B, T, D). Raises ValueError for ids out of range or shapes that do not fit, TypeError for other dtypes.
    """
    return layer_norm(embedding_sum(ids, weights, token_type_ids), *layer(weights, EMBEDDINGS_NORM))


def embed_gradient(upstream, ids, weights, token_type_ids=None):
    """Each row of a table collects the gradient of every place where it was used. upstream: (B, T, D)."""
    total = embedding_sum(ids, weights, token_type_ids)
    d_total, *norm = layer_norm_gradient(upstream, total, layer(weights, EMBEDDINGS_NORM)[0])
    gradients = {name: np.zeros(weights[name].shape) for name in (WORDS, POSITIONS, TYPES)}
    np.add.at(gradients[WORDS], np.asarray(ids), d_total)  # a plain += would count a repeated token once
    np.add.at(gradients[TYPES], np.zeros_like(ids) if token_type_ids is None else np.asarray(token_type_ids), d_total)
    gradients[POSITIONS][: d_total.shape[1]] = d_total.sum(0)
    return gradients | named(EMBEDDINGS_NORM, *norm)


def embedding_sum(ids, weights, token_type_ids):
    """word + position + type, before the LayerNorm: (B, T) -> (B, T, D)."""
    words, positions, types = (real_array(weights[name], name) for name in (WORDS, POSITIONS, TYPES))
    ids = checked_ids(ids, "ids", len(words))
    if ids.ndim != 2 or ids.shape[1] > len(positions):
        raise ValueError(f"ids has shape {ids.shape}: expected (B, T), with T at most {len(positions)} positions")
    token_type_ids = np.zeros_like(ids) if token_type_ids is None else token_type_ids
    token_type_ids = checked_ids(token_type_ids, "token_type_ids", len(types))
    if token_type_ids.shape != ids.shape:
        raise ValueError(f"token_type_ids has shape {token_type_ids.shape}: expected {ids.shape}, the shape of ids")
    return words[ids] + positions[: ids.shape[1]] + types[token_type_ids]


def encoder_block(x, weights, H, mask=None):
    """h = LayerNorm(x + MultiHead(x)), then y = LayerNorm(h + W_2 gelu(W_1 h + b_1) + b_2).

    x: (..., T, D); weights: those of one block, named from `attention.` on; mask as in multi_head_attention.
    Returns (..., T, D).
    """
    mixed = x + multi_head_attention(x, below(weights, "attention."), H, mask)
    h = layer_norm(mixed, *layer(weights, "attention.output.LayerNorm"))
    inner = linear(h, *layer(weights, "intermediate.dense"))  # (..., T, D) -> (..., T, I)
    fed = h + linear(gelu(inner), *layer(weights, "output.dense"))  # (..., T, I) -> (..., T, D)
    return layer_norm(fed, *layer(weights, "output.LayerNorm"))


def encoder_block_gradient(upstream, x, weights, H, mask=None):
    """First forward again, for the values in between, then backward; a sum passes its gradient to both of its terms.

    upstream, x: (..., T, D). Returns dx (..., T, D), and a dict with the gradient of each of the block's weights.
    """
    mixed = x + multi_head_attention(x, below(weights, "attention."), H, mask)
    h = layer_norm(mixed, *layer(weights, "attention.output.LayerNorm"))
    inner = linear(h, *layer(weights, "intermediate.dense"))
    fed = h + linear(gelu(inner), *layer(weights, "output.dense"))

    d_fed, *output_norm = layer_norm_gradient(upstream, fed, layer(weights, "output.LayerNorm")[0])
    d_active, *output = linear_gradient(d_fed, gelu(inner), layer(weights, "output.dense")[0])
    dh, *intermediate = linear_gradient(gelu_gradient(d_active, inner), h, layer(weights, "intermediate.dense")[0])
    gain = layer(weights, "attention.output.LayerNorm")[0]
    d_mixed, *attention_norm = layer_norm_gradient(d_fed + dh, mixed, gain)
    dx, attention = multi_head_attention_gradient(d_mixed, x, below(weights, "attention."), H, mask)
    return d_mixed + dx, (
        above("attention.", attention)
        | named("attention.output.LayerNorm", *attention_norm)
        | named("intermediate.dense", *intermediate)
        | named("output.dense", *output)
        | named("output.LayerNorm", *output_norm)
    )


def hidden_states(ids, weights, H, attention_mask=None, causal=False, token_type_ids=None):
    """The vectors of all positions, before the first block and after each of them: a list of L + 1 arrays (B, T, D).

    ids: (B, T) integers; attention_mask: (B, T), True or 1 at tokens and False or 0 at padding, or None; with
    `causal` a position sees no later one; token_type_ids: (B, T) integers, or None for zeros.
    """
    states = [embed(ids, weights, token_type_ids)]
    mask = combined_mask(np.shape(ids), attention_mask, causal)
    for prefix in blocks(weights):
        states.append(encoder_block(states[-1], below(weights, prefix), H, mask))
    return states


def encoder(ids, weights, H, attention_mask=None, causal=False, token_type_ids=None):
    """The blocks one after the other: (B, T) -> (B, T, D). Arguments as in hidden_states."""
    return hidden_states(ids, weights, H, attention_mask, causal, token_type_ids)[-1]


def encoder_gradient(upstream, ids, weights, H, attention_mask=None, causal=False, token_type_ids=None):
    """The blocks backward, last one first. upstream: (B, T, D). Returns a dict with the gradient of their weights, and
    of the embeddings.
    """
    states = hidden_states(ids, weights, H, attention_mask, causal, token_type_ids)
    mask = combined_mask(np.shape(ids), attention_mask, causal)
    gradients = {}
    for prefix, x in reversed(list(zip(blocks(weights), states, strict=False))):  # the last state enters no block
        upstream, block = encoder_block_gradient(upstream, x, below(weights, prefix), H, mask)
        gradients |= above(prefix, block)
    return gradients | embed_gradient(upstream, ids, weights, token_type_ids)


def attention_maps(ids, weights, H, attention_mask=None, causal=False, token_type_ids=None):
    """Who reads from whom, to look at: the attention weights of every block and head, (L, B, H, T, T)."""
    states = hidden_states(ids, weights, H, attention_mask, causal, token_type_ids)
    mask = combined_mask(np.shape(ids), attention_mask, causal)
    maps = []
    for prefix, x in zip(blocks(weights), states, strict=False):
        q, k, _ = queries_keys_values(x, below(weights, f"{prefix}attention."), H)
        maps.append(attention_weights(q, k, mask))
    return np.stack(maps)


def mlm_head(hidden, weights):
    """z = E LayerNorm(gelu(W h + b)) + c: one score for each token, with E the table of word embeddings.

    hidden: (..., D). Returns (..., V) logits.
    """
    features = layer_norm(gelu(linear(hidden, *layer(weights, TRANSFORM))), *layer(weights, TRANSFORM_NORM))
    return linear(features, real_array(weights[WORDS], WORDS), weights[HEAD_BIAS])  # (..., D) -> (..., V)


def mlm_head_gradient(upstream, hidden, weights):
    """upstream: (..., V), for instance cross_entropy_gradient(logits, labels); hidden: (..., D).

    Returns d_hidden (..., D), and a dict with the gradients of the head's weights; that of the word embeddings is
    the decoder's part only.
    """
    inner = linear(hidden, *layer(weights, TRANSFORM))
    features = layer_norm(gelu(inner), *layer(weights, TRANSFORM_NORM))

    d_features, d_words, d_bias = linear_gradient(upstream, features, real_array(weights[WORDS], WORDS))
    d_active, *norm = layer_norm_gradient(d_features, gelu(inner), layer(weights, TRANSFORM_NORM)[0])
    d_hidden, *dense = linear_gradient(gelu_gradient(d_active, inner), hidden, layer(weights, TRANSFORM)[0])
    return d_hidden, {WORDS: d_words, HEAD_BIAS: d_bias} | named(TRANSFORM, *dense) | named(TRANSFORM_NORM, *norm)


def masked_lm(ids, weights, H, attention_mask=None, positions=None, causal=False, token_type_ids=None):
    """The whole model: (B, T) ids -> (B, T, V) logits, or (B, k, V) at positions (B, k) where they are given."""
    hidden = encoder(ids, weights, H, attention_mask, causal, token_type_ids)
    return mlm_head(hidden if positions is None else hidden[at(positions, hidden)], weights)


def masked_lm_gradient(
    upstream, ids, weights, H, attention_mask=None, positions=None, causal=False, token_type_ids=None
):
    """The gradient of every weight. upstream: (B, T, V), or (B, k, V) with positions. Returns a dict like weights."""
    hidden = encoder(ids, weights, H, attention_mask, causal, token_type_ids)
    if positions is None:
        d_hidden, head = mlm_head_gradient(upstream, hidden, weights)
    else:
        d_read, head = mlm_head_gradient(upstream, hidden[at(positions, hidden)], weights)
        d_hidden = np.zeros_like(hidden)
        np.add.at(d_hidden, at(positions, hidden), d_read)  # a position may be asked twice
    body = encoder_gradient(d_hidden, ids, weights, H, attention_mask, causal, token_type_ids)
    return body | head | {WORDS: body[WORDS] + head[WORDS]}  # used twice: at the entrance and at the exit


def at(positions, hidden):
    """The index that reads positions (B, k) out of hidden: (B, T, D) -> (B, k, D)."""
    B, T, _ = hidden.shape
    positions = checked_ids(positions, "positions", T)
    if positions.ndim != 2 or len(positions) != B:
        raise ValueError(f"positions has shape {positions.shape}: expected ({B}, k), one row per sentence")
    return np.arange(B)[:, None], positions


def blocks(weights):
    """The prefix of each block's weights, in order."""
    numbers = {int(name.split(".")[3]) for name in weights if name.startswith("bert.encoder.layer.")}
    return [f"bert.encoder.layer.{i}." for i in sorted(numbers)]


def combined_mask(shape, attention_mask, causal):
    """Padding and causality in one mask that broadcasts to (B, H, T, T), or None where all may see all."""
    if attention_mask is None:
        return causal_mask(shape[1]) if causal else None
    if np.shape(attention_mask) != shape:
        raise ValueError(f"attention_mask has shape {np.shape(attention_mask)}: expected {shape}, the shape of ids")
    return padding_mask(attention_mask) & (causal_mask(shape[1]) if causal else True)
