"""The definition of every quantity of the course, in NumPy float64: short enough to check by hand.

Each function takes any number of leading dimensions, leaves its inputs as they are, and works in nats.
"""

from mlm_mini.reference.loss import IGNORE_INDEX, cross_entropy, cross_entropy_gradient, surprisal
from mlm_mini.reference.masking import corrupt, exclude_tokens, make_labels, maskable_positions, select_positions
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

__all__ = [
    "IGNORE_INDEX",
    "corrupt",
    "cross_entropy",
    "cross_entropy_gradient",
    "entropy",
    "exclude_tokens",
    "kl_divergence",
    "log_softmax",
    "logsumexp",
    "make_labels",
    "maskable_positions",
    "perplexity",
    "select_positions",
    "softmax",
    "softmax_jacobian",
    "surprisal",
    "temperature",
    "total_variation",
]
