"""The definition of every quantity of the course, in NumPy float64: short enough to check by hand.

Each function takes any number of leading dimensions (the whole encoder takes sentences, (B, T)), leaves its inputs as
they are, and works in nats.
"""

from mlm_mini.reference.attention import (
    attention_weights,
    causal_mask,
    join_heads,
    multi_head_attention,
    multi_head_attention_gradient,
    padding_mask,
    scaled_dot_product_attention,
    scaled_dot_product_attention_gradient,
    split_heads,
)
from mlm_mini.reference.layers import (
    LAYER_NORM_EPS,
    gelu,
    gelu_gradient,
    layer_norm,
    layer_norm_gradient,
    linear,
    linear_gradient,
)
from mlm_mini.reference.loss import IGNORE_INDEX, cross_entropy, cross_entropy_gradient, surprisal
from mlm_mini.reference.masking import corrupt, exclude_tokens, make_labels, maskable_positions, select_positions
from mlm_mini.reference.optimizer import adamw_step
from mlm_mini.reference.probability import (
    entropy,
    kl_divergence,
    log_softmax,
    logsumexp,
    perplexity,
    softmax,
    softmax_jacobian,
    temperature,
    total_variation,
)
from mlm_mini.reference.transformer import (
    attention_maps,
    embed,
    embed_gradient,
    encoder,
    encoder_block,
    encoder_block_gradient,
    encoder_gradient,
    hidden_states,
    masked_lm,
    masked_lm_gradient,
    mlm_head,
    mlm_head_gradient,
)

attention = scaled_dot_product_attention  # for short, and in place of the module, whose functions are all above

__all__ = [
    "IGNORE_INDEX",
    "LAYER_NORM_EPS",
    "adamw_step",
    "attention",
    "attention_maps",
    "attention_weights",
    "causal_mask",
    "corrupt",
    "cross_entropy",
    "cross_entropy_gradient",
    "embed",
    "embed_gradient",
    "encoder",
    "encoder_block",
    "encoder_block_gradient",
    "encoder_gradient",
    "entropy",
    "exclude_tokens",
    "gelu",
    "gelu_gradient",
    "hidden_states",
    "join_heads",
    "kl_divergence",
    "layer_norm",
    "layer_norm_gradient",
    "linear",
    "linear_gradient",
    "log_softmax",
    "logsumexp",
    "make_labels",
    "maskable_positions",
    "masked_lm",
    "masked_lm_gradient",
    "mlm_head",
    "mlm_head_gradient",
    "multi_head_attention",
    "multi_head_attention_gradient",
    "padding_mask",
    "perplexity",
    "scaled_dot_product_attention",
    "scaled_dot_product_attention_gradient",
    "select_positions",
    "softmax",
    "softmax_jacobian",
    "split_heads",
    "surprisal",
    "temperature",
    "total_variation",
]
