"""The layers that look at one position at a time: linear, GELU and layer normalization, each with its gradient.

Shapes: D numbers go in at each position, E come out; `...` stands for any leading dimensions, or none.
Each gradient stands under its function. It takes `upstream`, the slope of the loss in every number that the function
returned (so it has their shape), and gives the slope of the loss in each of the arguments that its docstring names.

A layer's weights are two entries of a flat dict, named as Hugging Face names them: `NAME.weight` and `NAME.bias`.
"""

import math

import numpy as np

from mlm_mini.reference.checks import real_array, tiny_is_zero

LAYER_NORM_EPS = 1e-12  # BERT's; PyTorch's own default is 1e-5

# NumPy has no erf. This one goes through Python number by number: slow, and right to the last digit.
erf = np.vectorize(math.erf, otypes=[np.float64])


def linear(x, weight, bias):
    """y = W x + b at each position. x: (..., D); weight: (E, D); bias: (E,). Returns (..., E)."""
    return real_array(x, "x") @ weight.T + bias


def linear_gradient(upstream, x, weight):
    """dx = W^T dy, dW = sum dy x^T and db = sum dy, summed over the positions.

    upstream: (..., E); x: (..., D); weight: (E, D). Returns dx (..., D), dW (E, D), db (E,).
    """
    flat_upstream, flat_x = rows(upstream), rows(x)  # (..., E) -> (N, E) and (..., D) -> (N, D)
    return upstream @ weight, flat_upstream.T @ flat_x, flat_upstream.sum(0)


@tiny_is_zero
def gelu(x):
    """x Phi(x), with Phi(x) = (1 + erf(x / sqrt 2)) / 2 the standard normal distribution function.

    x: any shape. Returns the same shape. This is BERT's own; the tanh formula differs by up to 5e-4.
    Source: Hendrycks and Gimpel 2016.
    """
    x = real_array(x, "x")
    return x * normal_distribution(x)


@tiny_is_zero
def gelu_gradient(upstream, x):
    """dx = dy (Phi(x) + x phi(x)), with phi(x) = exp(-x^2 / 2) / sqrt(2 pi) the standard normal density."""
    x = real_array(x, "x")
    density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
    return upstream * (normal_distribution(x) + x * density)


@tiny_is_zero
def normal_distribution(x):
    """Phi(x), the probability that a standard normal number is below x."""
    return 0.5 * (1 + erf(x / math.sqrt(2)))


def layer_norm(x, gain, bias, eps=LAYER_NORM_EPS):
    """y = g * n + b with n = (x - mean) / sqrt(var + eps), over the D numbers of each position.

    x: (..., D); gain, bias: (D,); var divides by D, not D - 1. Returns (..., D). A position whose numbers are all
    equal becomes the bias. Source: Ba, Kiros and Hinton 2016.
    """
    n, _ = normalized(x, eps)
    return gain * n + bias


def layer_norm_gradient(upstream, x, gain, eps=LAYER_NORM_EPS):
    """dx = (dn - mean(dn) - n mean(dn n)) / sqrt(var + eps) with dn = g dy; dg = sum dy n; db = sum dy.

    The two means are there because x also moves the mean and the variance that it is divided by. upstream, x: (..., D);
    gain: (D,).
    Returns dx (..., D), dg (D,), db (D,).
    """
    n, scale = normalized(x, eps)
    dn = gain * upstream
    dx = (dn - dn.mean(-1, keepdims=True) - n * (dn * n).mean(-1, keepdims=True)) / scale
    return dx, rows(upstream * n).sum(0), rows(upstream).sum(0)  # (..., D) -> (N, D) -> (D,)


def normalized(x, eps):
    """n = (x - mean) / sqrt(var + eps) and its denominator: (..., D) and (..., 1)."""
    x = real_array(x, "x")
    scale = np.sqrt(x.var(-1, keepdims=True) + eps)
    return (x - x.mean(-1, keepdims=True)) / scale, scale


def rows(x):
    """(..., D) -> (N, D): all leading dimensions as one."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])  # -1 would be ambiguous where N = 0


# The flat dict of weights


def layer(weights, name):
    """The weight and the bias of the layer `name`. Raises KeyError when the dict lacks one."""
    return real_array(weights[f"{name}.weight"], f"{name}.weight"), real_array(weights[f"{name}.bias"], f"{name}.bias")


def named(name, weight, bias):
    """The entries of the layer `name`: the inverse of `layer`."""
    return {f"{name}.weight": weight, f"{name}.bias": bias}


def below(weights, prefix):
    """The entries whose name begins with `prefix`, without it."""
    return {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}


def above(prefix, weights):
    """The same entries with `prefix` in front of their names: the inverse of `below`."""
    return {prefix + name: array for name, array in weights.items()}
