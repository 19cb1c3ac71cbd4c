"""What selecting by the hidden word's own surprisal does to a perfect learner, computed exactly.

Let a blank have the true distribution p, and let the word w that stands there be asked for with probability s(w). The
mean gradient with respect to the logits of the model's q = softmax(z) is then

    sum_w p(w) s(w) (q - e_w),      which is zero where      q(w) = p(w) s(w) / sum_v p(v) s(v),

with e_w the one-hot vector of w: the model learns how often a word is asked for, not how often it stands there. With
the weight 1 / s(w) on each loss the factors cancel, and q = p. If s depends on the context alone, as an entropy does,
it is the same for all words, and q = p without any weight.

When s is the surprisal under the model itself, s(w) = -log q(w), the model is its own fixed point, q(w) proportional
to -p(w) log q(w). With s(w) = q(w)^-a, the softmax of the surprisals at temperature 1 / a, it has a closed form:
q is proportional to p^(1 / (1 + a)).

Shape letters: V words, `...` any leading dimensions.
"""

import numpy as np
from scipy.special import wrightomega

from mlm_mini.reference import kl_divergence
from mlm_mini.reference.checks import checked_distribution, checked_number

HALVINGS = 60  # of an interval of 120 nats: down to the rounding of float64


def learned_distribution(p, s):
    """q(w) = p(w) s(w) / sum_v p(v) s(v): what is learned when word w is asked for with probability s(w).

    p: (..., V) probabilities. s: (..., V), at least 0, any scale. Returns (..., V) probabilities.
    Raises ValueError for a p that is no distribution, a negative s, or a row in which no word is ever asked for.
    """
    p, s = checked_distribution(p, "p"), np.asarray(s, dtype=np.float64)
    if not (s >= 0).all():
        raise ValueError(f"s has {s[~(s >= 0)][0]}: expected chances of being asked for, 0 or more")
    asked = p * s
    total = asked.sum(axis=-1, keepdims=True)
    if not (total > 0).all():
        raise ValueError("p * s is zero for every word of a row: no word is ever asked for, and nothing is learned")
    return asked / total


def surprisal_fixed_point(p):
    """The q with q(w) proportional to -p(w) log q(w): what selecting by the model's own surprisal ends in.

    p: (..., V) probabilities. Returns (..., V) probabilities; a word of probability 0 or 1 keeps it.
    With r = p(w) / Z, the equation q / -log q = r has the solution q = r W(1 / r), W being Lambert's function
    (Corless et al. 1996); it rises with r, so that bisection finds the Z at which q sums to one.
    Raises ValueError for a p that is no distribution.
    """
    p = checked_distribution(p, "p")
    low = np.full((*p.shape[:-1], 1), -60.0)  # log Z: here r is so large that q sums to more than one
    high = np.full_like(low, 60.0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        too_much = _solved(p, middle).sum(axis=-1, keepdims=True) > 1
        low, high = np.where(too_much, middle, low), np.where(too_much, high, middle)
    q = _solved(p, high)
    q = q / q.sum(axis=-1, keepdims=True)
    return np.where((p == 1).any(axis=-1, keepdims=True), p, q)


def _solved(p, log_z):
    """q = r W(1 / r) with r = p / Z, and 0 where p is. W(exp(x)) is Wright's omega of x, and never overflows."""
    log_r = np.log(np.where(p > 0, p, 1.0)) - log_z
    return np.where(p > 0, np.exp(log_r) * wrightomega(-log_r), 0.0)


def softmax_fixed_point(p, a):
    """q proportional to p^(1 / (1 + a)): what selecting with the chance q(w)^-a ends in.

    p: (..., V) probabilities; a: one number above -1; 0 selects all words alike. Returns (..., V) probabilities.
    Raises ValueError for a p that is no distribution, or another a.
    """
    p, a = checked_distribution(p, "p"), checked_number(a, "a")
    if not -1 < a < np.inf:
        raise ValueError(f"a is {a}: expected a finite number above -1")
    flattened = np.where(p > 0, p, 0.0) ** (1 / (1 + a))
    return flattened / flattened.sum(axis=-1, keepdims=True)


def bias(p, q):
    """KL(p, q), in nats: what the learned q costs at each blank beyond the Bayes floor. p, q: (..., V) -> (...)."""
    return np.maximum(kl_divergence(p, q), 0.0)  # rounding can leave -1e-17
