"""Chapter 09: the gradient of a masked batch, its noise, and how both hang on the mask ratio.

Shapes: N maskable tokens of a batch, k of them predicted, n draws of the masks, P weights, R mask ratios, M resamples.
"""

import numpy as np

from mlm_mini.course.exercise import Case, Exercise, Mistake


def rng(seed):
    return np.random.default_rng(seed)


# 09.batch-gradient


def batch_gradient(gradients, selected):
    k = selected.sum()
    return gradients[selected].sum(axis=0) / max(k, 1)


def _mean_of_nothing(gradients, selected):
    with np.errstate(invalid="ignore"):
        return gradients[selected].sum(axis=0) / selected.sum()


BATCH_GRADIENT = Exercise(
    id="09.batch-gradient",
    title="The gradient of a masked batch",
    reference=batch_gradient,
    cases=(
        Case("two of three tokens", (np.array([[1.0, 0.0], [3.0, 2.0], [9.0, 9.0]]), np.array([True, True, False]))),
        Case("one of five", (rng(1).normal(size=(5, 3)), np.arange(5) == 2)),
        Case("some of a hundred", (rng(2).normal(size=(100, 7)), rng(3).random(100) < 0.15)),
        Case("all of them", (rng(4).normal(size=(6, 4)), np.ones(6, dtype=bool))),
        Case("none", (rng(5).normal(size=(6, 4)), np.zeros(6, dtype=bool))),
    ),
    minutes=6,
    mistakes=(
        Mistake(
            "divided by all tokens",
            "Your gradient shrinks with the mask ratio. The loss is a mean over the predicted tokens: how many "
            "are they?",
            lambda gradients, selected: gradients[selected].sum(axis=0) / len(gradients),
        ),
        Mistake(
            "the sum",
            "Your gradient grows with the number of predictions. The loss is a mean, and so is its gradient.",
            lambda gradients, selected: gradients[selected].sum(axis=0),
        ),
        Mistake(
            "a batch without predictions is NaN",
            "0 / 0 is NaN, and one such step spoils every weight. With nothing asked there is nothing to learn: zeros.",
            _mean_of_nothing,
        ),
        Mistake(
            "the tokens that were not selected",
            "You average over the visible tokens. The loss asks about the others.",
            lambda gradients, selected: gradients[~selected].sum(axis=0) / max((~selected).sum(), 1),
        ),
        Mistake(
            "every token counts",
            "Your answer does not depend on the selection.",
            lambda gradients, selected: gradients.mean(axis=0),
        ),
        Mistake(
            "one number for all weights",
            "You average over the weights too. Each weight has a gradient of its own: along which axis are the tokens?",
            lambda gradients, selected: gradients[selected].sum() / max(selected.sum() * gradients.shape[1], 1),
        ),
    ),
    hints=(
        "A mean of losses has as its gradient the mean of their gradients.",
        "gradients[selected] keeps the rows that are asked for. The mean goes along the tokens.",
        "Divide the sum by the number of selected tokens, or by one where there are none.",
    ),
)


# 09.trace


def trace_of_covariance(draws):
    deviations = draws - draws.mean(axis=0)
    return (deviations**2).sum() / (len(draws) - 1)


TRACE = Exercise(
    id="09.trace",
    title="The noise of a gradient, in one number",
    reference=trace_of_covariance,
    cases=(
        Case("two draws of one weight", (np.array([[1.0], [3.0]]),)),
        Case("three draws of two weights", (np.array([[1.0, 0.0], [2.0, 5.0], [6.0, 1.0]]),)),
        Case("fifty draws around a mean far from zero", (rng(1).normal(4.0, 1.0, size=(50, 20)),)),
        Case("weights of unlike scatter", (rng(2).normal(size=(9, 6)) * np.arange(6),)),
        Case("draws that are all alike", (np.ones((4, 3)),)),
    ),
    minutes=8,
    mistakes=(
        Mistake(
            "divided by n",
            "Too small by (n - 1) / n: the draws lie closer to their own mean than to the true one, which nobody "
            "knows. How many deviations are free, when they sum to zero?",
            lambda draws: draws.var(axis=0).sum(),
        ),
        Mistake(
            "the mean is still in it",
            "You measure how long the gradients are, not how they scatter. A gradient that is always the same has no "
            "noise.",
            lambda draws: (draws**2).sum() / (len(draws) - 1),
            variants=(lambda draws: (draws**2).sum() / len(draws),),
        ),
        Mistake(
            "the mean over the weights",
            "A trace is a sum: the variances of all weights add up. Yours is their mean.",
            lambda draws: draws.var(axis=0, ddof=1).mean(),
        ),
        Mistake(
            "each draw is centered by itself",
            "You subtract from each gradient the mean of its own entries. What scatters is one weight from draw to "
            "draw: along which axis are the draws?",
            lambda draws: ((draws - draws.mean(axis=1, keepdims=True)) ** 2).sum() / (len(draws) - 1),
        ),
        Mistake(
            "the root",
            "That is a standard deviation. Variances add up over weights, and it is they that fall as 1 / k.",
            lambda draws: np.sqrt(draws.var(axis=0, ddof=1).sum()),
        ),
        Mistake(
            "all entries of the covariance",
            "You add up the whole matrix. The trace is its diagonal: the variance of each weight, without the "
            "covariances between weights.",
            lambda draws: ((draws - draws.mean(axis=0)).sum(axis=1) ** 2).sum() / (len(draws) - 1),
        ),
        Mistake(
            "the length of the scatter",
            "You add up the lengths of the deviations. The trace has their squares.",
            lambda draws: np.linalg.norm(draws - draws.mean(axis=0), axis=1).sum() / (len(draws) - 1),
        ),
    ),
    hints=(
        "The diagonal of the covariance matrix holds the variance of each weight. No matrix is needed to add them up.",
        "Subtract the mean of the draws from each draw, and add up all squares.",
        "Divide by n - 1, as for any variance around a mean that comes from the same draws (Bessel).",
    ),
)


# 09.finite-population


def finite_population(gradients, k):
    N = len(gradients)
    spread = ((gradients - gradients.mean(axis=0)) ** 2).sum() / (N - 1)
    return spread * (1 / k - 1 / N)


def from_spread(combine, ddof=1):
    """A wrong `finite_population`: combine(spread, k, N), with the spread divided by N - ddof."""
    return lambda gradients, k: combine(gradients.var(axis=0, ddof=ddof).sum(), k, len(gradients))


FINITE_POPULATION = Exercise(
    id="09.finite-population",
    title="Drawn without replacement",
    reference=finite_population,
    cases=(
        Case("one of two tokens", (np.array([[0.0], [2.0]]), 1)),
        Case("two of three", (np.array([[1.0, 0.0], [2.0, 5.0], [6.0, 1.0]]), 2)),
        Case("fifteen of a hundred", (rng(1).normal(1.0, 1.0, size=(100, 5)), 15)),
        Case("ninety of a hundred", (rng(2).normal(1.0, 2.0, size=(100, 5)), 90)),
        Case("all of them", (rng(3).normal(size=(7, 4)), 7)),
    ),
    minutes=12,
    mistakes=(
        Mistake(
            "drawn with replacement",
            "Your variance stays above zero when all tokens are selected, although every draw is then the same. "
            "Without replacement, a token that was drawn cannot come again.",
            from_spread(lambda spread, k, N: spread / k),
            variants=(from_spread(lambda spread, k, N: spread / k, ddof=0),),
        ),
        Mistake(
            "spread divided by N",
            "Right but for a factor (N - 1) / N. With k = 1 the formula must give the plain variance of the N "
            "gradients: what does that ask of the spread?",
            from_spread(lambda spread, k, N: spread * (1 / k - 1 / N), ddof=0),
        ),
        Mistake(
            "not divided by k",
            "You have the share that is left, but a mean of k tokens is also k times quieter than one token.",
            from_spread(lambda spread, k, N: spread * (1 - k / N)),
        ),
        Mistake(
            "the odds alone",
            "Your answer depends on the ratio only. Fifteen of a hundred are less noisy than three of twenty: N "
            "counts.",
            from_spread(lambda spread, k, N: spread * (1 - k / N) / (k / N)),
        ),
        Mistake(
            "the gradients are not centered",
            "If all gradients were alike, it would not matter which are drawn. Yours would scatter: subtract their "
            "mean.",
            lambda gradients, k: (gradients**2).sum() / (len(gradients) - 1) * (1 / k - 1 / len(gradients)),
        ),
        Mistake(
            "the mean over the weights",
            "The trace adds the variances of all weights up.",
            lambda gradients, k: gradients.var(axis=0, ddof=1).mean() * (1 / k - 1 / len(gradients)),
        ),
    ),
    hints=(
        "Two factors: how unlike the N gradients are, and how much of that is left after averaging k of them.",
        "The spread is the sum of squared deviations of all N, divided by N - 1. What must come out for k = N?",
        "A mean of k draws with replacement would have spread / k. Without, 1 / k becomes 1 / k - 1 / N.",
    ),
)


# 09.log-log-slope


def log_log_slope(ratios, variances):
    slope, intercept = np.polyfit(np.log(ratios), np.log(variances), 1)
    return slope, np.exp(intercept)


def line(x=np.log, y=np.log, back=np.exp):
    """A wrong `log_log_slope`: other axes, or another way back from the intercept."""

    def fit(ratios, variances):
        slope, intercept = np.polyfit(x(ratios), y(variances), 1)
        return slope, back(intercept)

    return fit


def _swapped(ratios, variances):
    slope, intercept = np.polyfit(np.log(variances), np.log(ratios), 1)
    return slope, np.exp(intercept)


def _two_points(ratios, variances):
    slope = np.log(variances[-1] / variances[0]) / np.log(ratios[-1] / ratios[0])
    return slope, variances[0] * ratios[0] ** -slope


def _through_one(ratios, variances):
    x, y = np.log(ratios), np.log(variances)
    return (x * y).sum() / (x * x).sum(), 1.0


RATIOS = np.array([0.01, 0.02, 0.05, 0.1, 0.3, 0.9])
NOISY = 3.0 / RATIOS * np.exp(rng(1).normal(0, 0.1, len(RATIOS)))
LOG_LOG_SLOPE = Exercise(
    id="09.log-log-slope",
    title="A line through the logs",
    reference=log_log_slope,
    cases=(
        Case("two points", (np.array([0.1, 0.2]), np.array([10.0, 5.0]))),
        Case("an exact law, 3 / ratio", (RATIOS, 3.0 / RATIOS)),
        Case("a law with noise", (RATIOS, NOISY)),
        Case("a law with another exponent", (RATIOS, 0.5 * RATIOS**-0.4)),
        Case("a curve that is no law", (RATIOS, (1 - RATIOS) / RATIOS)),
    ),
    minutes=10,
    rtol=1e-6,
    mistakes=(
        Mistake(
            "no logs",
            "A line through ratio and variance: but 1 / ratio is no line there. On which axes is a power one?",
            line(np.asarray, np.asarray, float),
            variants=(line(np.asarray, np.asarray),),
        ),
        Mistake(
            "a log on one axis only",
            "The log of a power is a line in the log of the ratio: log v = log c + a log r. Both sides have a log.",
            line(np.asarray),
            variants=(line(np.log, np.asarray, float), line(np.log, np.asarray)),
        ),
        Mistake(
            "the axes are swapped",
            "Your slope is near 1 over the one asked for. What depends on what?",
            _swapped,
        ),
        Mistake(
            "the intercept is still a log",
            "The slope is right. The intercept of the line is log c; c is asked for.",
            line(back=float),
        ),
        Mistake(
            "logs to base ten, and back by e",
            "The slope is right, but the intercept was taken with logs to base ten and undone with those to base e.",
            line(np.log10, np.log10),
        ),
        Mistake(
            "only the ends",
            "You draw the line through the first and the last point. Those in between were measured too.",
            _two_points,
        ),
        Mistake(
            "through the point (1, 1)",
            "Your line has no intercept: it says that the variance at ratio 1 is 1, whatever was measured.",
            _through_one,
        ),
    ),
    hints=(
        "v = c r^a. Take the log of both sides: it is a line. What is its slope, and what its intercept?",
        "np.polyfit(x, y, 1) gives slope and intercept of the least-squares line.",
        "The intercept is log c. The exponential takes it back.",
    ),
)


# 09.slope-interval


def slope_interval(ratios, deviations, chosen):
    slopes = []
    for pick in chosen:
        variances = np.take_along_axis(deviations, pick, axis=1).mean(axis=1)
        slopes.append(np.polyfit(np.log(ratios), np.log(variances), 1)[0])
    return np.quantile(slopes, 0.025), np.quantile(slopes, 0.975)


def resampled(variance_of=None, ends=None):
    """A wrong `slope_interval`: another variance of a resample, or other ends for the slopes."""
    variance_of = variance_of or (lambda picked, deviations: picked.mean(axis=1))
    ends = ends or (lambda slopes: tuple(np.quantile(slopes, [0.025, 0.975])))

    def interval(ratios, deviations, chosen):
        slopes = [
            np.polyfit(
                np.log(ratios), np.log(variance_of(np.take_along_axis(deviations, pick, axis=1), deviations)), 1
            )[0]
            for pick in chosen
        ]
        return ends(np.array(slopes))

    return interval


def _one_pick_for_all(ratios, deviations, chosen):
    slopes = [np.polyfit(np.log(ratios), np.log(deviations[:, pick[0]].mean(axis=1)), 1)[0] for pick in chosen]
    return tuple(np.quantile(slopes, [0.025, 0.975]))


def _around(width):
    return lambda slopes: (slopes.mean() - width(slopes), slopes.mean() + width(slopes))


def _measured(seed, ratios, n, M):
    """Ratios, squared deviations of n draws whose mean falls as 1 / ratio, and which draws M resamples take."""
    r = rng(seed)
    deviations = r.gamma(2.0, 1.0, size=(len(ratios), n)) / ratios[:, None]
    return ratios, deviations, r.integers(n, size=(M, len(ratios), n))


SLOPE_INTERVAL = Exercise(
    id="09.slope-interval",
    title="How sure is the slope?",
    reference=slope_interval,
    cases=(
        Case("two ratios, four draws, five resamples", _measured(1, np.array([0.1, 0.4]), 4, 5)),
        Case("six ratios, fifty draws, a hundred resamples", _measured(2, RATIOS, 50, 100)),
        Case("few draws", _measured(3, RATIOS, 5, 60)),
    ),
    minutes=15,
    mistakes=(
        Mistake(
            "the mean of the logs",
            "You take logs first and average then. The log of a mean is not the mean of logs: the variance is the mean "
            "of the squared deviations, and only then comes the log.",
            resampled(lambda picked, deviations: np.exp(np.log(picked).mean(axis=1))),
        ),
        Mistake(
            "nothing was drawn anew",
            "Your interval has no width: each resample must use its own draws, some of them twice and some not at all.",
            resampled(lambda picked, deviations: deviations.mean(axis=1)),
        ),
        Mistake(
            "the same draws at every ratio",
            "Draw 7 at one ratio has nothing to do with draw 7 at another. Each ratio has its own row in `chosen`.",
            _one_pick_for_all,
        ),
        Mistake(
            "the smallest and the largest",
            "Those grow apart the more resamples there are. The interval holds the middle 95 in 100 of them.",
            resampled(ends=lambda slopes: (slopes.min(), slopes.max())),
        ),
        Mistake(
            "the middle 90",
            "You cut off 5 in 100 at each end. 95 are to be left in the middle.",
            resampled(ends=lambda slopes: tuple(np.quantile(slopes, [0.05, 0.95]))),
        ),
        Mistake(
            "one standard error",
            "The scatter of the slopes is their standard error already; on either side of the mean it holds 68 in 100.",
            resampled(ends=_around(lambda slopes: slopes.std())),
            variants=(resampled(ends=_around(lambda slopes: slopes.std(ddof=1))),),
        ),
        Mistake(
            "the error of the mean resample",
            "You divide by the root of the number of resamples. A computer can make as many as it likes, and nothing "
            "more would be known: it is the scatter of the slopes that tells how sure one of them is.",
            resampled(ends=_around(lambda slopes: 1.96 * slopes.std() / np.sqrt(len(slopes)))),
            variants=(resampled(ends=_around(lambda slopes: 1.96 * slopes.std(ddof=1) / np.sqrt(len(slopes)))),),
        ),
    ),
    hints=(
        "One resample: at each ratio the mean of the chosen deviations, and then the slope of the whole curve.",
        "np.take_along_axis(deviations, chosen[m], axis=1) picks for each ratio its own draws.",
        "With one slope for each resample, the interval runs from their quantile 0.025 to 0.975.",
    ),
)


# 09.correlated-variance


def correlated_variance(sigma2, rho, k):
    return sigma2 * (1 + (k - 1) * rho) / k


CORRELATED_VARIANCE = Exercise(
    id="09.correlated-variance",
    title="Gradients that are alike",
    reference=correlated_variance,
    cases=(
        Case("two independent tokens", (1.0, 0.0, 2)),
        Case("two tokens that agree completely", (3.0, 1.0, 2)),
        Case("one token", (5.0, 0.4, 1)),
        Case("a hundred tokens, a little alike", (2.0, 0.05, 100)),
        Case("drawn without replacement from eleven", (2.0, -0.1, 11)),
        Case("a curve", (2.0, 0.02, np.array([1, 2, 5, 10, 50, 100]))),
    ),
    minutes=12,
    mistakes=(
        Mistake(
            "as if independent",
            "Your answer does not depend on rho: a hundred copies of one gradient would be a hundred times as good as "
            "one.",
            lambda sigma2, rho, k: sigma2 / k + 0 * rho,
        ),
        Mistake(
            "each token pairs with itself",
            "One token by itself has the variance sigma^2 whatever rho is. With how many others does each of k tokens "
            "make a pair?",
            lambda sigma2, rho, k: sigma2 * (1 + k * rho) / k,
        ),
        Mistake(
            "each pair once",
            "In the square of a sum each pair stands twice, as a b and as b a.",
            lambda sigma2, rho, k: sigma2 * (1 + (k - 1) * rho / 2) / k,
        ),
        Mistake(
            "one pair only",
            "You have one covariance in all. In the square of a sum of k terms there are k (k - 1) of them.",
            lambda sigma2, rho, k: sigma2 * (1 + rho * (k > 1)) / k,
        ),
        Mistake(
            "of the sum, not of the mean",
            "That is the variance of the sum. A mean is the sum divided by k, and its variance by k squared.",
            lambda sigma2, rho, k: sigma2 * (1 + (k - 1) * rho) * k,
        ),
        Mistake(
            "divided by k twice",
            "The k variances on the diagonal and the 1 / k^2 leave one k below. You have two.",
            lambda sigma2, rho, k: sigma2 * (1 + (k - 1) * rho) / k**2,
        ),
        Mistake(
            "the sign of rho",
            "Gradients that agree make their mean noisier, not quieter: what is common to all does not average out.",
            lambda sigma2, rho, k: sigma2 * (1 - (k - 1) * rho) / k,
        ),
    ),
    hints=(
        "Write the variance of a sum as a table of k times k covariances. What stands on the diagonal, what beside it?",
        "k entries are sigma^2, and k (k - 1) are rho sigma^2. A mean is the sum over k: divide the variance by k^2.",
        "One k cancels: sigma^2 over k, times one plus k - 1 times rho.",
    ),
)


# 09.noise-scale


def noise_scale(draws):
    n, mean = len(draws), draws.mean(axis=0)
    noise = ((draws - mean) ** 2).sum() / (n - 1)
    signal = (mean**2).sum() - noise / n
    return noise / signal if signal > 0 else np.inf


def from_moments(combine):
    """A wrong `noise_scale`: combine(noise, |mean|^2, n, draws)."""

    def scale(draws):
        n, mean = len(draws), draws.mean(axis=0)
        noise = ((draws - mean) ** 2).sum() / (n - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return combine(noise, (mean**2).sum(), n, draws)

    return scale


def _or_inf(noise, signal):
    return noise / signal if signal > 0 else np.inf


NOISE_SCALE = Exercise(
    id="09.noise-scale",
    title="Noise and signal",
    reference=noise_scale,
    cases=(
        Case("two draws of one weight", (np.array([[2.0], [4.0]]),)),
        Case("a clear signal", (rng(1).normal(2.0, 1.0, size=(30, 10)),)),
        Case("a weak signal", (rng(2).normal(0.5, 1.0, size=(40, 12)),)),
        Case("a signal that is lost in the noise", (np.array([[1.0, -1.0], [-1.0, 1.0], [0.1, 0.0]]),)),
        Case("no noise", (np.full((3, 2), 2.0),)),
    ),
    minutes=12,
    mistakes=(
        Mistake(
            "noise counts as signal",
            "The mean of n draws is noisy itself, so its squared length is too long on average: by the variance of a "
            "mean of n. Take that off.",
            from_moments(lambda noise, mean2, n, draws: _or_inf(noise, mean2)),
        ),
        Mistake(
            "upside down",
            "That is signal over noise. The noise scale is large where the noise is.",
            from_moments(
                lambda noise, mean2, n, draws: (
                    (mean2 - noise / n) / noise if noise > 0 and mean2 > noise / n else np.inf
                )
            ),
            variants=(from_moments(lambda noise, mean2, n, draws: np.float64(mean2 - noise / n) / noise),),
        ),
        Mistake(
            "the length instead of its square",
            "A variance has the unit of a square, and so must what it is divided by: or the answer changes with the "
            "unit of the loss.",
            from_moments(
                lambda noise, mean2, n, draws: noise / np.sqrt(mean2 - noise / n) if mean2 > noise / n else np.inf
            ),
        ),
        Mistake(
            "the mean of the squared lengths",
            "You divide by how long a gradient is on average, noise included. The signal is the length of their mean.",
            from_moments(lambda noise, mean2, n, draws: noise / (draws**2).sum(axis=1).mean()),
        ),
        Mistake(
            "the noise of the mean",
            "You divide the noise by n: that is the noise of the mean of all your draws. Asked for is that of one "
            "batch.",
            from_moments(lambda noise, mean2, n, draws: _or_inf(noise / n, mean2 - noise / n)),
        ),
        Mistake(
            "a negative answer",
            "Where the noise outweighs the mean, the estimate of the signal falls below zero. No number of batches is "
            "negative: the draws say only that it is too large to tell.",
            from_moments(lambda noise, mean2, n, draws: noise / np.float64(mean2 - noise / n)),
        ),
    ),
    hints=(
        "The noise is the trace of exercise 09.trace. The signal is the squared length of the true mean gradient.",
        "|mean of n draws|^2 is on average |true mean|^2 + noise / n. Solve for what you want.",
        "If the signal comes out at zero or below, the answer is infinite.",
    ),
)

EXERCISES = (
    BATCH_GRADIENT,
    TRACE,
    FINITE_POPULATION,
    LOG_LOG_SLOPE,
    SLOPE_INTERVAL,
    CORRELATED_VARIANCE,
    NOISE_SCALE,
)
