"""The worked answers of 09_gradient_variance.py, made by `course.py build`: do not edit."""

ANSWERS = {
    "09.batch-gradient": r"""
def batch_gradient(gradients, selected):
    chosen = gradients[selected]
    return chosen.sum(axis=0) / max(len(chosen), 1)
""",
    "09.trace": r"""
def trace_of_covariance(draws):
    deviations = draws - draws.mean(axis=0)
    return (deviations**2).sum() / (len(draws) - 1)
""",
    "09.finite-population": r"""
def finite_population(gradients, k):
    N = len(gradients)
    spread = ((gradients - gradients.mean(axis=0)) ** 2).sum() / (N - 1)
    return spread * (1 / k - 1 / N)
""",
    "09.log-log-slope": r"""
import numpy as np


def log_log_slope(ratios, variances):
    slope, intercept = np.polyfit(np.log(ratios), np.log(variances), 1)
    return slope, np.exp(intercept)
""",
    "09.slope-interval": r"""
import numpy as np


def slope_interval(ratios, deviations, chosen):
    slopes = []
    for pick in chosen:
        resampled = np.take_along_axis(deviations, pick, axis=1).mean(axis=1)
        slopes.append(np.polyfit(np.log(ratios), np.log(resampled), 1)[0])
    low, high = np.quantile(slopes, [0.025, 0.975])
    return low, high
""",
    "09.correlated-variance": r"""
def correlated_variance(sigma2, rho, k):
    pairs = k * (k - 1)
    return (k * sigma2 + pairs * rho * sigma2) / k**2
""",
    "09.noise-scale": r"""
import numpy as np


def noise_scale(draws):
    mean_draw = draws.mean(axis=0)
    noise = ((draws - mean_draw) ** 2).sum() / (len(draws) - 1)
    signal = (mean_draw**2).sum() - noise / len(draws)
    return noise / signal if signal > 0 else np.inf
""",
}
