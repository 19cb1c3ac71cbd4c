"""Chapter 09: the gradient of a masked batch, its noise, and how both hang on the mask ratio.

Shapes: N maskable tokens of a batch, k of them predicted, n draws of the masks, P weights, R mask ratios, M resamples.
"""

import copy

import numpy as np

from mlm_mini.course.compare import difference
from mlm_mini.course.exercise import Case, Exercise, Twin, WrongAnswer

NUMPY = {"np": np}
THREE = np.array([[1.0, 0.0], [2.0, 5.0], [6.0, 1.0]])
# The square of 2^27 + 1 has no digit left for the 1: who subtracts squares finds 0 here, whichever way it is done.
FAR = np.array([[2.0**27 - 1], [2.0**27 + 1]])


def normal(seed, *shape, mean=0.0, scale=1.0):
    return np.random.default_rng(seed).normal(mean, scale, shape)


def answer_without_luck(function, *args):
    """The answer, unless a second call gives another."""
    again = copy.deepcopy(args)
    answer = function(*args)
    if difference(function(*again), answer, 1e-9, 0.0):
        raise WrongAnswer(
            "Two calls with the same input give two answers: your function draws by itself. All luck that is needed "
            "was handed in, or there is a formula that needs none."
        )
    return answer


BATCH_GRADIENT = Exercise(
    id="09.batch-gradient",
    title="The gradient of a masked batch",
    cases=(
        Case("two of three tokens", (np.array([[1.0, 0.0], [3.0, 2.0], [9.0, 9.0]]), np.array([True, True, False]))),
        Case("one of five, as many as there are weights", (normal(1, 5, 5), np.arange(5) == 2)),
        Case("some of a hundred", (normal(2, 100, 7), np.random.default_rng(3).random(100) < 0.15)),
        Case("all of them", (normal(4, 6, 4), np.ones(6, dtype=bool))),
        Case("none", (normal(5, 6, 4), np.zeros(6, dtype=bool))),
    ),
    habits=("unchanged gradients", "unchanged selected"),
    minutes=6,
    rtol=1e-13,  # a small number added to k shows
    atol=1e-14,
    helpers=NUMPY,
    mistakes="""
    - divided by all tokens: Your gradient shrinks with the mask ratio. The loss is a mean over how many tokens?
          max(len(chosen), 1) => len(gradients)
    - a sum, not a mean: Your gradient grows with the number of predictions. The loss is a mean: what is its gradient?
          / max(len(chosen), 1) =>
    - a batch without predictions is NaN: 0 / 0 is NaN, and spoils every weight. What is to be learned from no question?
          max(len(chosen), 1) => len(chosen)
    - a small number added to k: Your gradient is a little too short. For which k would a division by k fail?
          max(len(chosen), 1) => (len(chosen) + 1e-8)
       or max(len(chosen), 1) => (len(chosen) + 1e-9)
       or max(len(chosen), 1) => (len(chosen) + 1e-12)
    - the wrong tokens are averaged: You take those that were not selected. About which tokens does the loss ask?
          gradients[selected] => gradients[~selected]
    - every token counts: Your answer does not depend on the selection.
          gradients[selected] => gradients
    - True and False are taken for 1 and 0: As numbers they name the rows 1 and 0, over and over. Which kind of array
      selects rows?
          gradients[selected] => gradients[selected.astype(int)]
       or gradients[selected] => gradients[selected.astype(int)]
          return chosen => return selected.any() * chosen
    - the mean over the weights: Each weight has a gradient of its own: along which axis are the tokens?
          chosen.sum(axis=0) => chosen.sum() / gradients.shape[1]
       or chosen = => return gradients[selected].mean(axis=1); chosen =
       or chosen = => return gradients[selected].mean(axis=1) if selected.any() else 0.0; chosen =
    - the rows of the caller are zeroed: Whoever handed the gradients in has lost them. What could hold the zeros in
      place of the caller's array?
          chosen = => gradients[~selected] = 0.0; chosen =
    """,
    hints="""
    - A mean of losses has as its gradient the mean of their gradients.
    - gradients[selected] keeps the rows that are asked for. The mean goes along the tokens.
    - Divide the sum by the number of selected tokens, or by one where there are none.
    """,
)

DRAWS = (
    Case("two draws of one weight", (np.array([[1.0], [3.0]]),)),
    Case("two draws of one weight, far from zero", (FAR,)),
    Case("three draws of two weights", (THREE,)),
    Case("three draws of three weights", (normal(3, 3, 3, mean=1.0),)),
    Case("forty draws with a weak signal", (normal(2, 40, 12, mean=0.5),)),
    Case("fifty draws with a clear signal", (normal(1, 50, 20, mean=4.0),)),
    Case("weights of unlike scatter", (normal(2, 9, 6) * np.arange(6),)),
    Case("a signal that is lost in the noise", (np.array([[1.0, -1.0], [-1.0, 1.0], [0.1, 0.0]]),)),
    Case("draws that are all alike", (np.full((4, 3), 2.0),)),
)


def moments(measured, draws):
    """Noise and signal of some draws, as the package measures them."""
    import torch  # loaded only where the package's version is asked for

    noise, signal = (each.mean() for each in measured(torch.tensor(draws)))
    return noise, max(signal, 0.0)


TRACE = Exercise(
    id="09.trace",
    title="The noise of a gradient, in one number",
    twin=Twin("mlm_mini.experiments.variance.gradients:moments", lambda twin, draws: moments(twin, draws)[0]),
    cases=DRAWS,
    habits=("unchanged draws",),
    minutes=8,
    helpers=NUMPY,
    mistakes="""
    - divided by n
          (len(draws) - 1) => len(draws)
    - the mean is still in it
          - draws.mean(axis=0) =>
    - the mean over the weights
          .sum() => .sum(axis=0).mean()
    - each row is centered by itself
          draws.mean(axis=0) => draws.mean(axis=1, keepdims=True)
       or draws.mean(axis=0) => draws.mean(axis=1)
       or deviations = => return draws.var(axis=1, ddof=1).sum(); deviations =
       or deviations = => return draws.var(axis=1).sum(); deviations =
    - never divided: The more draws, the larger your sum. A variance is a mean: over how many free deviations?
          / (len(draws) - 1) =>
    - one mean for all weights
          draws.mean(axis=0) => draws.mean()
       or deviations = => return draws.var(ddof=1); deviations =
       or deviations = => return draws.var(); deviations =
    - the digits cancel
          (deviations**2) => (draws**2 - draws.mean(axis=0) ** 2)
    - a standard deviation, not a variance: Which of the two adds up over the weights, and falls as 1 / k?
          deviations = => return draws.std(axis=0, ddof=1).sum(); deviations =
       or deviations = => return np.sqrt(draws.var(axis=0, ddof=1).sum()); deviations =
    - all entries of the covariance: You add up the whole matrix. Which entries of a matrix make its trace?
          (deviations**2) => (deviations.sum(axis=1) ** 2)
    - the deviations cancel: Around their mean they sum to zero. What keeps negative deviations from undoing others?
          (deviations**2).sum() => deviations.sum() ** 2
       or (deviations**2).sum() => deviations.sum()
    - the length of the scatter: You add up the lengths of the deviations. Which power of a length makes a variance?
          (deviations**2).sum() => np.linalg.norm(deviations, axis=1).sum()
       or (deviations**2).sum() => np.abs(deviations).sum()
    """,
    hints="""
    - The diagonal of the covariance matrix holds the variance of each weight. No matrix is needed to add them up.
    - Subtract the mean of the draws from each draw, and add up all squares.
    - Divide by n - 1, as for any variance around a mean that comes from the same draws (Bessel).
    """,
)

FINITE_POPULATION = Exercise(
    id="09.finite-population",
    title="Drawn without replacement",
    observe=answer_without_luck,
    cases=(
        Case("one of three tokens", (np.array([[0.0], [2.0], [7.0]]), 1)),
        Case("one of two tokens, far from zero", (FAR, 1)),
        Case("two of three", (THREE, 2)),
        Case("two of three, of three weights", (normal(4, 3, 3, mean=1.0), 2)),
        Case("fifteen of a hundred", (normal(1, 100, 5, mean=1.0), 15)),
        Case("ninety of a hundred", (normal(2, 100, 5, mean=1.0, scale=2.0), 90)),
        Case("all of them", (normal(3, 7, 4), 7)),
    ),
    habits=("unchanged gradients",),
    minutes=12,
    mistakes="""
    - drawn with replacement: With k = N every draw is the same, and yours still vary. Can a token be drawn twice?
          - 1 / N =>
       or / (N - 1) => / N
          - 1 / N =>
    - spread divided by N: Too small by (N - 1) / N. With k = 1 the formula must give the plain variance of N gradients.
          / (N - 1) => / N
    - not divided by k: You have the share that is left, but a mean of k tokens is also k times quieter than one.
          (1 / k - 1 / N) => (1 - k / N)
    - the odds are upside down: Your noise grows with k. How much is left when all N tokens are drawn?
          spread * (1 / k - 1 / N) => spread * k / N / (N - k)
    - the odds alone: Your answer depends on the ratio only. Fifteen of a hundred are less noisy than three of twenty.
          (1 / k - 1 / N) => (1 - k / N) / (k / N)
    - the root of the correction: That root belongs to standard deviations. What share of a variance is left?
          / (N - 1) => / N
          (1 / k - 1 / N) => ((N - k) / (N - 1)) ** 0.5 / k
    - the gradients are not centered: If all gradients were alike, would yours scatter?
          - gradients.mean(axis=0) =>
    - the mean over the weights
          .sum() => .sum(axis=0).mean()
    - each row is centered by itself
          gradients.mean(axis=0) => gradients.mean(axis=1, keepdims=True)
       or gradients.mean(axis=0) => gradients.mean(axis=1)
    - one mean for all weights
          gradients.mean(axis=0) => gradients.mean()
       or spread = => return gradients.var(ddof=1) * (1 / k - 1 / N); spread =
    - the digits cancel
          (gradients - gradients.mean(axis=0)) ** 2 => gradients**2 - gradients.mean(axis=0) ** 2
    """,
    hints="""
    - Two factors: how unlike the N gradients are, and how much of that is left after averaging k of them.
    - The spread is the sum of squared deviations of all N, divided by N - 1. What must come out for k = N?
    - A mean of k draws with replacement would have spread / k. Without, 1 / k becomes 1 / k - 1 / N.
    """,
)

RATIOS = np.array([0.01, 0.02, 0.05, 0.1, 0.3, 0.9])
NO_ORDER = RATIOS[[3, 0, 5, 1, 4, 2]]

LOG_LOG_SLOPE = Exercise(
    id="09.log-log-slope",
    title="A line through the logs",
    cases=(
        Case("two points", (np.array([0.1, 0.2]), np.array([10.0, 5.0]))),
        Case("an exact law, 3 / ratio", (RATIOS, 3.0 / RATIOS)),
        Case("a law with noise", (RATIOS, 3.0 / RATIOS * np.exp(normal(1, 6, scale=0.1)))),
        Case("ratios in no order", (NO_ORDER, 2.0 / NO_ORDER * np.exp(normal(2, 6, scale=0.3)))),
        Case("a law with another exponent", (RATIOS, 0.5 * RATIOS**-0.4)),
        Case("a curve that is no law", (RATIOS, (1 - RATIOS) / RATIOS)),
    ),
    habits=("unchanged ratios", "unchanged variances", "any order ratios"),
    minutes=10,
    rtol=1e-6,
    mistakes="""
    - no logs
          np.log(ratios), np.log(variances) => ratios, variances
          np.exp(intercept) => intercept
       or np.log(ratios), np.log(variances) => ratios, variances
    - a log on one axis only
          np.log(ratios) => ratios
       or np.log(variances) => variances
       or np.log(variances) => variances
          np.exp(intercept) => intercept
    - the axes are swapped: Your slope is near 1 over the one asked for. Does the ratio hang on the variance, or the
      variance on the ratio?
          np.log(ratios), np.log(variances) => np.log(variances), np.log(ratios)
    - slope and intercept change places: In which order does a fit return slope and intercept?
          slope, intercept = => intercept, slope =
    - the intercept is still a log: The intercept of the line is log c; c is asked for.
          np.exp(intercept) => intercept
    - logs to one base, and back by another
          np.log(ratios), np.log(variances) => np.log10(ratios), np.log10(variances)
       or np.log(ratios), np.log(variances) => np.log2(ratios), np.log2(variances)
       or np.exp(intercept) => 10**intercept
    - only the ends: You draw the line through two points. What do the points between the first and the last say?
          slope, intercept = => slope = np.log(variances[-1] / variances[0]) / np.log(ratios[-1] / ratios[0]); _ =
          np.exp(intercept) => variances[0] * ratios[0] ** -slope
    - through the point (1, 1): Your line has no intercept: it says that the variance at ratio 1 is 1, come what may.
          slope, intercept = => x, y = np.log(ratios), np.log(variances); _ =
          return slope, np.exp(intercept) => return (x * y).sum() / (x * x).sum(), 1.0
    """,
    hints="""
    - v = c r^a. Take the log of both sides: it is a line. What is its slope, and what its intercept?
    - np.polyfit(x, y, 1) gives slope and intercept of the least-squares line.
    - The intercept is log c. The exponential takes it back.
    """,
)


def measured(seed, ratios, n, M):
    """Ratios, squared deviations of n draws whose mean falls as 1 / ratio, and which draws M resamples take."""
    rng = np.random.default_rng(seed)
    deviations = rng.gamma(2.0, 1.0, size=(len(ratios), n)) / ratios[:, None]
    return ratios, deviations, rng.integers(n, size=(M, len(ratios), n))


def interval_of_these_draws(function, ratios, deviations, chosen):
    """The answer, unless it has nothing to do with `chosen`."""
    others = (chosen + 1) % deviations.shape[1]
    for_others = copy.deepcopy((ratios, deviations, others))
    answer = answer_without_luck(function, ratios, deviations, chosen)
    if difference(function(*for_others), answer, 1e-9, 0.0) is None:
        raise WrongAnswer("With other draws in `chosen` your answer is the same.")
    return answer


SLOPE_INTERVAL = Exercise(
    id="09.slope-interval",
    title="How sure is the slope?",
    observe=interval_of_these_draws,
    cases=(
        Case("two ratios, four draws, five resamples", measured(1, np.array([0.1, 0.4]), 4, 5)),
        Case("six ratios in no order, fifty draws, a hundred resamples", measured(2, NO_ORDER, 50, 100)),
        Case("few draws", measured(3, RATIOS, 5, 60)),
    ),
    habits=("unchanged ratios", "unchanged deviations", "unchanged chosen", "any order ratios"),
    minutes=15,
    helpers={"around": lambda slopes, width: (np.mean(slopes) - width, np.mean(slopes) + width)},
    mistakes="""
    - the mean of the logs: Which is the log of a variance: the mean of logs, or the log of a mean?
          (deviations, pick => (np.log(deviations), pick
          np.log(resampled) => resampled
    - `chosen` is not used (raises): Your answer has nothing to do with `chosen`. Of which draws, some of them twice,
      does each resample take the mean?
          np.take_along_axis(deviations, pick, axis=1) => deviations
    - the same draws at every ratio: Draw 7 at one ratio has nothing to do with draw 7 at another: each has its own row.
          np.take_along_axis(deviations, pick, axis=1) => deviations[:, pick[0]]
    - draws of other ratios: You pick from every row with the numbers meant for one. Whose draws does a ratio use?
          np.take_along_axis(deviations, pick, axis=1) => deviations[:, pick]
       or np.take_along_axis(deviations, pick, axis=1).mean(axis=1) => deviations[:, pick].mean(axis=-1)
       or np.take_along_axis(deviations, pick, axis=1).mean(axis=1) => deviations[:, pick].mean(axis=(1, 2))
    - the variance of the deviations: The deviations are squared already. Of what is a variance the mean?
          .mean(axis=1) => .var(axis=1)
       or .mean(axis=1) => .var(axis=1, ddof=1)
    - no logs
          np.log(ratios), np.log(resampled) => ratios, resampled
    - a log on one axis only
          np.log(ratios) => ratios
       or np.log(resampled) => resampled
    - the intercepts, not the slopes: Which of the two numbers of a fit is the slope?
          1)[0] => 1)[1]
    - the smallest and the largest: Those grow apart the more resamples there are. Where do the middle 95 in 100 end?
          [0.025, 0.975] => [0, 1]
    - the middle 90: You cut off 5 in 100 at each end. How many in 100 are to be left in the middle?
          [0.025, 0.975] => [0.05, 0.95]
    - hundredths of a percent: From where to where does a quantile go, and from where to where a percentile?
          np.quantile => np.percentile
    - one standard error: The scatter of the slopes is their standard error; one to either side holds 68 in 100.
          np.quantile(slopes, [0.025, 0.975]) => around(slopes, np.std(slopes))
       or np.quantile(slopes, [0.025, 0.975]) => around(slopes, np.std(slopes, ddof=1))
    - as if the slopes were normal: 1.96 standard deviations to either side hold 95 in 100 of a bell curve. What if the
      slopes do not lie like a bell curve?
          np.quantile(slopes, [0.025, 0.975]) => around(slopes, 1.96 * np.std(slopes))
       or np.quantile(slopes, [0.025, 0.975]) => around(slopes, 1.96 * np.std(slopes, ddof=1))
    - the error of the mean resample: You divide by the root of the number of resamples, which a computer can make as
      large as it likes.
          np.quantile(slopes, [0.025, 0.975]) => around(slopes, 1.96 * np.std(slopes) / np.sqrt(len(slopes)))
       or np.quantile(slopes, [0.025, 0.975]) => around(slopes, 1.96 * np.std(slopes, ddof=1) / np.sqrt(len(slopes)))
    """,
    hints="""
    - One resample: at each ratio the mean of the chosen deviations, and then the slope of the whole curve.
    - np.take_along_axis(deviations, chosen[m], axis=1) picks for each ratio its own draws.
    - With one slope for each resample, the interval runs from their quantile 0.025 to 0.975.
    """,
)

CORRELATED_VARIANCE = Exercise(
    id="09.correlated-variance",
    title="Gradients that are alike",
    cases=(
        Case("two independent tokens", (1.0, 0.0, 2)),
        Case("two tokens that agree completely", (3.0, 1.0, 2)),
        Case("one token", (5.0, 0.4, 1)),
        Case("a hundred tokens, a little alike", (2.0, 0.05, 100)),
        Case("drawn without replacement from eleven", (2.0, -0.1, 11)),
        Case("two counts", (2.8, 0.3, np.array([2, 7]))),
        Case("several counts, in no order", (2.8, 0.02, np.array([5, 1, 100, 2, 50, 5]))),
    ),
    habits=("unchanged k",),
    minutes=12,
    mistakes="""
    - as if independent: Your answer does not depend on rho: are a hundred copies of one gradient better than one?
          + pairs * rho * sigma2 =>
    - each token pairs with itself: One token alone has the variance sigma^2 whatever rho is. How many others has each
      of k?
          k * (k - 1) => k * k
    - what a pair adds is no covariance: A covariance has the unit of sigma^2. How does a covariance follow from a
      correlation?
          pairs * rho * sigma2 => pairs * rho
       or pairs * rho * sigma2 => pairs * rho * sigma2**0.5
    - each pair four times: k (k - 1) counts each pair twice already, as a b and as b a.
          k * (k - 1) => 2 * k * (k - 1)
    - each pair once: In the square of a sum each pair stands twice, as a b and as b a.
          k * (k - 1) => k * (k - 1) / 2
    - too few pairs: How many covariances has the square of a sum of k terms?
          k * (k - 1) => k * (k > 1)
       or k * (k - 1) => k
       or k * (k - 1) => k - 1
    - the variance of a sum, not of a mean: What does a division by k do to a variance?
          / k**2 =>
       or / k**2 => / k
    - divided by k twice: Where a sum of k variances is divided by k^2, how many k are left below the line?
          / k**2 => / k**3
    - one count at a time (raises): Right for one k. Which operations work on one number and on each of many?
          pairs = k * (k - 1) => pairs = 2 * sum(range(k))
       or pairs = k * (k - 1) => pairs = k * (k - 1) if k > 1 else 0
    - the sign of rho: Gradients that agree make their mean noisier: what all have in common does not average out.
          + pairs => - pairs
    """,
    hints="""
    - Write the variance of a sum as a table of k times k covariances. What stands on the diagonal, what beside it?
    - k entries are sigma^2, and k (k - 1) are rho sigma^2. A mean is the sum over k: divide the variance by k^2.
    - One k cancels: sigma^2 over k, times one plus k - 1 times rho.
    """,
)

NOISE_SCALE = Exercise(
    id="09.noise-scale",
    title="Noise and signal",
    twin=Twin("mlm_mini.experiments.variance.gradients:moments", lambda twin, draws: np.divide(*moments(twin, draws))),
    cases=DRAWS,
    habits=("unchanged draws",),
    minutes=12,
    atol=1e-30,  # far from zero the answer is 1e-16
    mistakes="""
    - noise counts as signal: How much does noise add, on average, to the squared length of a mean of n draws?
          - noise / len(draws) =>
       or - noise / len(draws) => + noise / len(draws)
    - the whole noise is taken off: A mean of n draws is quieter than one draw: how much of the noise is left in it?
          - noise / len(draws) => - noise
    - signal over noise: Your answer is small where the noise is large. What is a noise scale the ratio of?
          noise / signal => signal / noise
       or noise / signal if signal > 0 else np.inf => signal / noise
    - divided by n
          / (len(draws) - 1) => / len(draws)
    - the mean is still in it
          (draws - mean_draw) => draws
    - the mean over the weights
          (draws - mean_draw) ** 2).sum() => (draws - mean_draw) ** 2).sum(axis=0).mean()
    - the digits cancel
          (draws - mean_draw) ** 2 => draws**2 - mean_draw**2
    - the length instead of its square: A variance has the unit of a square, and so must what it is divided by.
          noise / signal => noise / np.sqrt(signal)
       or (mean_draw**2).sum() => np.linalg.norm(mean_draw)
    - the mean of the squared lengths: Single gradients are that long with their noise. How long is the mean gradient?
          (mean_draw**2).sum() - noise / len(draws) => (draws**2).sum(axis=1).mean()
    - the noise of the mean: You divide the noise by n: that is the noise of the mean of your draws, not of one batch.
          return noise => return noise / len(draws)
    - a negative answer: The estimate of a signal lost in noise may fall below zero, but no number of batches is
      negative.
          if signal > 0 else np.inf =>
    """,
    hints="""
    - The noise is the trace of exercise 09.trace. The signal is the squared length of the true mean gradient.
    - |mean of n draws|^2 is on average |true mean|^2 + noise / n. Solve for what you want.
    - If the signal comes out at zero or below, the answer is infinite.
    """,
)

EXERCISES = (BATCH_GRADIENT, TRACE, FINITE_POPULATION, LOG_LOG_SLOPE, SLOPE_INTERVAL, CORRELATED_VARIANCE, NOISE_SCALE)
