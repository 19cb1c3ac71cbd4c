"""From logits to probabilities, and how to compare two distributions.

Shapes: V is the number of tokens in the vocabulary; `...` stands for any leading dimensions, or none.
Where a function takes `axis`, V stands there instead of last. Logarithms are natural, so information is in nats.
"""

import numpy as np

from mlm_mini.reference.checks import (
    checked_distribution,
    checked_logits,
    checked_number,
    checked_pair,
    real_array,
    reject,
    tiny_is_zero,
)


def shift(logits, axis=-1):
    """z_i - max_j z_j: the same softmax, but exp(0) = 1 is now the largest term, so that nothing overflows."""
    logits = checked_logits(logits, axis)
    return logits - logits.max(axis, keepdims=True)


@tiny_is_zero
def logsumexp(logits, axis=-1, keepdims=False):
    """log sum_j exp(z_j) = m + log sum_j exp(z_j - m) with m = max_j z_j, computed without overflow.

    logits: (..., V) scores in nats; -inf marks an excluded token.
    Returns (...) nats, or (..., 1) with `keepdims`.
    Raises ValueError if every token of a row is excluded, or a logit is NaN or +inf.
    """
    logits = checked_logits(logits, axis)
    m = logits.max(axis, keepdims=keepdims)
    return m + np.log(np.exp(shift(logits, axis)).sum(axis, keepdims=keepdims))


@tiny_is_zero
def softmax(logits, axis=-1):
    """p_i = exp(z_i) / sum_j exp(z_j), computed without overflow.

    logits: (..., V) scores in nats; -inf marks an excluded token, whose probability is exactly zero.
    Returns (..., V) probabilities, which sum to one along `axis`.
    Raises ValueError if every token of a row is excluded, or a logit is NaN or +inf.
    """
    exp = np.exp(shift(logits, axis))
    return exp / exp.sum(axis, keepdims=True)


@tiny_is_zero
def log_softmax(logits, axis=-1):
    """log p_i = z_i - log sum_j exp(z_j), computed without overflow.

    logits: (..., V) scores in nats; -inf marks an excluded token.
    Returns (..., V) log-probabilities in nats; exp of them sums to one along `axis`.
    Raises ValueError if every token of a row is excluded, or a logit is NaN or +inf.
    """
    shifted = shift(logits, axis)  # log(softmax) would be -inf wherever exp underflows, below about -745
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


@tiny_is_zero
def temperature(logits, tau, axis=-1):
    """p_i = exp(z_i / tau) / sum_j exp(z_j / tau): tau < 1 sharpens the distribution, tau > 1 flattens it.

    logits: (..., V) scores in nats; tau: one number, finite and greater than 0.
    Returns (..., V) probabilities. As tau goes to 0 the largest logit takes all, and ties share.
    Raises ValueError if tau is not a finite number above 0, or for logits that softmax refuses.
    """
    tau = checked_number(tau, "tau")
    if not 0 < tau < np.inf:
        raise ValueError(f"tau is {tau}: expected a finite temperature above 0; 1 leaves the softmax as it is")
    with np.errstate(over="ignore"):  # z / tau may pass the largest float; after the shift it can only become -inf
        return softmax(shift(logits, axis) / tau, axis)


@tiny_is_zero
def softmax_jacobian(logits):
    """J_ij = d p_i / d z_j = p_i (delta_ij - p_j), for p = softmax(z).

    logits: (..., V) scores in nats; -inf marks an excluded token, whose row and column are zero.
    Returns (..., V, V), symmetric; every row sums to zero, because a shift of all logits changes nothing.
    Raises ValueError for logits that softmax refuses.
    """
    p = softmax(logits)
    delta = np.eye(p.shape[-1])
    return p[..., :, None] * (delta - p[..., None, :])  # (..., V, 1) * (..., V, V) -> (..., V, V)


@tiny_is_zero
def entropy(p, axis=-1):
    """H(p) = -sum_i p_i log p_i, with 0 log 0 = 0: the mean surprisal of a reader who knows p.

    p: (..., V) probabilities. Returns (...) nats, from 0 (certain) to log V (uniform).
    Raises ValueError if an entry is negative or NaN, or p does not sum to one along `axis`.
    """
    p = checked_distribution(p, "p", axis)
    log_p = np.log(p, where=p > 0, out=np.zeros_like(p))
    return 0.0 - (p * log_p).sum(axis)  # unary minus would print a certain outcome as -0.0


@tiny_is_zero
def kl_divergence(p, q, axis=-1):
    """KL(p, q) = sum_i p_i log(p_i / q_i): the surprisal added by expecting q where p is true.

    p, q: (..., V) probabilities of the same shape.
    Returns (...) nats: 0 where p = q, inf where some q_i = 0 < p_i; terms with p_i = 0 count nothing.
    Raises ValueError if the shapes differ, an entry is negative or NaN, or a distribution does not sum to one.
    """
    p, q = checked_pair(p, q, axis)
    with np.errstate(divide="ignore"):  # log 0 = -inf is meant: it is what makes the sum infinite
        log_ratio = np.subtract(np.log(p), np.log(q), where=p > 0, out=np.zeros_like(p))
    return (p * log_ratio).sum(axis)


def total_variation(p, q, axis=-1):
    """TV(p, q) = 1/2 sum_i |p_i - q_i|: the largest difference in probability that p and q give to any event.

    p, q: (..., V) probabilities of the same shape. Returns (...) numbers from 0 (equal) to 1 (nothing shared).
    Raises ValueError if the shapes differ, an entry is negative or NaN, or a distribution does not sum to one.
    """
    p, q = checked_pair(p, q, axis)
    return 0.5 * np.abs(p - q).sum(axis)


@tiny_is_zero
def perplexity(mean_surprisal):
    """exp(mean surprisal): the number of equally likely tokens that would be as hard to guess.

    mean_surprisal: (...) nats per token. Returns (...) numbers, 1 or more; inf above 709 nats, where float64 ends.
    Raises ValueError if an entry is negative or NaN.
    """
    nats = real_array(mean_surprisal, "mean_surprisal")
    reject(~(nats >= 0), nats, "mean_surprisal", "expected nats, zero or more; a surprisal is -log p, not log p")
    with np.errstate(over="ignore"):
        return np.exp(nats)
