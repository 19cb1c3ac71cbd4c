"""AdamW, one step of it (Loshchilov and Hutter 2019), as PyTorch's `torch.optim.AdamW` takes it."""

import numpy as np

from mlm_mini.reference.checks import tiny_is_zero


@tiny_is_zero
def adamw_step(weight, gradient, m, v, step, rate, decay=0.01, beta1=0.9, beta2=0.98, epsilon=1e-6):
    """The weight and its two running means after one step.

        m = beta1 m + (1 - beta1) g                 the mean of the gradients
        v = beta2 v + (1 - beta2) g^2               the mean of their squares
        w = w - rate (m_hat / (sqrt(v_hat) + epsilon) + decay w)

    where m_hat = m / (1 - beta1^step) makes up for the zero that m began with, and v_hat likewise.

    weight, gradient, m, v: arrays of one shape; step: 1 for the first. Returns new arrays (weight, m, v).
    """
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    m_hat = m / (1 - beta1**step)
    v_hat = v / (1 - beta2**step)
    return weight - rate * (m_hat / (np.sqrt(v_hat) + epsilon) + decay * weight), m, v
