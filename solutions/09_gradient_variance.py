# ---
# jupyter:
#   course:
#     title: Gradient variance
#     question: How noisy is the gradient of a masked batch, and does it fall as 1 over the ratio?
#     minutes: 200
#     prerequisites: Chapters 03, 06 and 07
# ---

# %% [markdown] id="header"
# # 09 · Gradient variance
#
# **How noisy is the gradient of a masked batch, and does it fall as 1 over the ratio?**
#
# You will be able to
#
# - say what is random in a training step, and put its noise into one number;
# - derive how that noise falls with the mask ratio, for text that stays and for text that is new;
# - fit a power law and say how sure its exponent is;
# - tell where the law ends, and which of two causes ended it;
# - say when noise makes training slow or unsteady, and when it does not matter.
#
# *200 minutes. Prerequisites: chapters 03, 06 and 07. The first time, section 6 trains small models of three languages,
# and sections 3, 5, 6 and 7 measure for half a minute here and there; everything is then kept. It runs on the CPU; a
# GPU would draw more masks in the same time, and the error bars would be shorter.*

# %% [markdown] id="how-it-works"
# `hint("09.trace")` in a new cell gives one step of help at a time, and `failing("09.trace")` hands you the smallest
# input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run before
# yours do.

# %% id="setup"
import numpy as np
import torch

from mlm_mini import figures
from mlm_mini.course import check, failing, hint
from mlm_mini.languages import markov_language, polya_language, scene_language

language = scene_language()
vocabulary = language.vocabulary

# %% [markdown] id="why-estimator"
# ## 1 · What is random in a training step
#
# A batch of text has $N$ tokens that may be masked. Hide token $i$, and it has a surprisal; the gradient $g_i$ of that
# surprisal points where the weights would have to go to make it larger. A training step draws a set $S$ of $k$ tokens
# and takes the mean of their surprisals. The gradient of a mean is the mean of the gradients:
#
# $$g = \frac{1}{k} \sum_{i \in S} g_i.$$
#
# Draw other masks and $g$ is another vector. That is the noise this chapter is about.

# %% id="ex-batch-gradient"
# exercise: 09.batch-gradient
def batch_gradient(gradients, selected):
    """The gradient of the mean surprisal of the selected tokens.

    gradients: (N, P), one row for each token; selected: (N,) bool; both left as they are. Returns (P,), zeros if no
    token is selected.
    """
    # Where to start: keep the selected rows. How many are they?
    # <solution>
    chosen = gradients[selected]
    return chosen.sum(axis=0) / max(len(chosen), 1)
    # </solution>


# %% id="check-batch-gradient"
check("09.batch-gradient", batch_gradient)

# %% [markdown] id="meet-the-batch"
# Here is a new tiny model, a batch of twelve scenes, and the gradient of each of its tokens, hidden by itself while
# all others are visible. We draw from the whole batch, the **population**: a mask ratio of 0.02 then means two of its
# hundred tokens, wherever they stand. (BERT draws within each sequence, and its sequences are long.)

# %% id="meet-gradients"
from mlm_mini.experiments.variance.draws import make_draws
from mlm_mini.experiments.variance.gradients import draw_gradients
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.reference import maskable_positions

new = MaskedLM(ModelConfig.tiny(len(vocabulary)), torch.Generator().manual_seed(0)).eval()
ids = language.sample(12, np.random.default_rng(9)).ids
places = np.argwhere(maskable_positions(ids, vocabulary.special_ids))
N = len(places)
alone = np.zeros((N, *ids.shape), dtype=bool)  # in each of N copies of the batch one token is hidden
alone[np.arange(N), places[:, 0], places[:, 1]] = True
gradients = draw_gradients(new, make_draws(ids, vocabulary, alone, alone)).numpy()
print(f"{N} tokens, each with a gradient of {gradients.shape[1]:,} numbers")

# %% [markdown] id="how-noisy"
# How much do two steps on the same batch agree, when only the masks differ? Their cosine is 1 where they point the
# same way and 0 where they have nothing in common.

# %% id="measure-cosines" tags=["nbval-ignore-output"]
rng = np.random.default_rng(91)
for k in (2, 10, 30, N):
    drawn = np.stack([gradients[rng.permutation(N)[:k]].mean(axis=0) for _ in range(25)])
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    cosine = (drawn @ drawn.T)[np.triu_indices(25, 1)].mean()
    print(f"{k:3} of {N} tokens predicted: two draws have a mean cosine of {cosine:.2f}")

# %% [markdown] id="why-trace"
# ## 2 · Noise in one number
#
# How far does $g$ scatter around its mean? Each number in it has a variance over the draws. The sum of these is the
# **trace of the covariance**, the mean squared distance of $g$ from its mean:
#
# $$\operatorname{tr} \operatorname{Cov}(g) = \mathbb{E}\, \lVert g - \mathbb{E} g \rVert^2.$$
#
# Nobody knows $\mathbb{E} g$; there are $n$ draws and their mean. Draws lie a little closer to their own mean than to
# the true one. Dividing by $n - 1$ instead of $n$ makes up for it exactly (Bessel).

# %% id="ex-trace"
# exercise: 09.trace
def trace_of_covariance(draws):
    """An unbiased estimate of tr Cov(g).

    draws: (n, P), the gradient of each of n draws, n at least 2, left as they are; their mean may be far larger than
    their scatter. Returns a float.
    """
    # Where to start: the deviation of each draw from the mean draw.
    # <solution>
    deviations = draws - draws.mean(axis=0)
    return (deviations**2).sum() / (len(draws) - 1)
    # </solution>


# %% id="check-trace"
check("09.trace", trace_of_covariance)

# %% [markdown] id="why-vmap"
# A hundred draws are a hundred gradients. PyTorch's `backward` gives one at a time, and with a small model most of
# that time goes into starting operations. `torch.func` has another way: `grad` turns a loss into a function that
# returns its gradient, and `vmap` gives that function one more axis, over the draws, with the weights shared by all.
# Every product of the model then works on all draws at once. Sentences in which nothing is asked are left out, since
# they add nothing. **The times are an example from one machine.**

# %% id="measure-vmap" tags=["nbval-ignore-output"]
from mlm_mini.experiments.variance.gradient_times import time_gradients
from mlm_mini.experiments.variance.measure import narrow_model
from mlm_mini.reference import select_positions

few = language.sample(6, np.random.default_rng(91)).ids
maskable = maskable_positions(few, vocabulary.special_ids)
asked = select_positions(np.tile(maskable.ravel(), (64, 1)), 0.15, np.random.default_rng(92), "fixed")
draws = make_draws(few, vocabulary, asked.reshape(64, *few.shape), asked.reshape(64, *few.shape))
times = time_gradients(narrow_model(np.random.default_rng(93)), draws, 6, int(maskable.sum()), repeats=5)
print(times.table())

# %% [markdown] id="why-population"
# ## 3 · Drawn without replacement
#
# Suppose that $g_i$ does not depend on which other tokens are hidden. Then the $N$ gradients are fixed, and $S$ is a
# random sample of $k$ of them, each at most once.
#
# For $k$ draws *with* replacement the variance of the mean would be that of one draw, $v$, over $k$. Without, two
# draws are never the same token, so they repel each other: their **covariance** $c$, the mean of the inner product of
# their deviations from $\bar g$, is below zero. By symmetry it is the same for any two. A sum of $k$ draws has the
# variance $k v + k (k - 1)\, c$. If all $N$ are drawn their sum is fixed, and its variance $N v + N (N - 1)\, c$ is
# zero, so $c = -v / (N - 1)$. The mean is the sum over $k$, so its variance is that of the sum over $k^2$. With $S^2 =
# \frac{1}{N-1} \sum_i \lVert g_i - \bar g \rVert^2 = \frac{N v}{N-1}$:
#
# $$\operatorname{tr} \operatorname{Cov}(g) = \frac{v}{k} + \frac{k - 1}{k}\, c
#   = S^2 \left( \frac{1}{k} - \frac{1}{N} \right) = \frac{S^2}{N} \cdot \frac{1 - r}{r}, \qquad r = \frac{k}{N}.$$
#
# With the text fixed, the noise falls not as $1/r$ but as $(1-r)/r$, the odds against being selected (Cochran 1977).
# At small ratios that is nearly the same. At $r = 1$ all is asked and nothing is left to chance.

# %% id="ex-finite-population"
# exercise: 09.finite-population
def finite_population(gradients, k):
    """tr Cov of the mean of k rows drawn without replacement, each set of k as likely as any other.

    gradients: (N, P), the gradient of each token, left as they are; their mean may be far larger than their spread.
    k: from 1 to N, which is at least 2. Returns a float.
    """
    # Where to start: the spread of all N. By what is it divided so that k = 1 gives the variance of one draw?
    # <solution>
    N = len(gradients)
    spread = ((gradients - gradients.mean(axis=0)) ** 2).sum() / (N - 1)
    return spread * (1 / k - 1 / N)
    # </solution>


# %% id="check-finite-population"
check("09.finite-population", finite_population)

# %% [markdown] id="by-hand"
# This formula can be checked on every case there is: take nine of the gradients, and all the ways to choose $k$ of
# them, 126 for $k = 4$. Here the mean is known and nothing is estimated, so the variance is divided by the number of
# ways.

# %% id="measure-all-subsets"
from itertools import combinations

nine = gradients[:9].astype(np.float64)
spread_of_nine = np.var(nine, axis=0, ddof=1).sum()
for k in (1, 2, 4, 8):
    means = np.array([nine[list(some)].mean(axis=0) for some in combinations(range(9), k)])
    off = np.var(means, axis=0).sum() / (spread_of_nine * (1 / k - 1 / 9)) - 1
    print(f"k = {k}: {len(means):3} ways; the formula is right to nine digits: {abs(off) < 1e-9}")

# %% [markdown] id="why-measure"
# But is the assumption true? In masked language modeling a hidden token changes what all the others can be guessed
# from. So measure: for each ratio draw masks, hide what is asked, take the gradients, and estimate the variance. The
# formula has no part in this. It has its $S^2$ from the $N$ gradients of tokens hidden alone.
#
# Some measurements of this chapter take half a minute. `kept_gradient_variance` keeps what it found in the cache
# folder, so that a second time is quick; change the model, the text or the config, and it measures anew.

# %% id="measure-new-masks" tags=["nbval-ignore-output"]
from mlm_mini.experiments.variance.config import GradientVarianceConfig
from mlm_mini.experiments.variance.study import kept_gradient_variance

RATIOS = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9)


def measure(model, text, name, seed=9, **fields):
    """The noise of the model's gradient on a text. `fields` are of the GradientVarianceConfig."""
    config = GradientVarianceConfig(**{"ratios": RATIOS, "draws": 80} | fields)
    return kept_gradient_variance(model, text, config, seed, name)


new_masks = measure(new, language, "scenes, new model, over masks", per_token=True)
for r, k, v, p in zip(new_masks.ratios, new_masks.predictions, new_masks.variance, new_masks.predicted):
    print(f"ratio {r:.2f}, {k:2.0f} predictions: variance {v!s:22} formula {p:6.2f}, off by {v.value / p - 1:+.0%}")

# %% [markdown] id="why-constant"
# If the law is right, variance times $r / (1 - r)$ is the same number at every ratio, but for its error bars. (All
# intervals and error bars over draws in this chapter are of 95%, by the bootstrap of section 4.) A $\chi^2$ test at 5%
# says whether the scatter is more than they explain:

# %% id="check-law"
usual = 0.015, 0.31
for against, name in (("odds", "r / (1 - r)"), ("ratio", "r")):
    constant = new_masks.chance_of_scatter(against, *usual) > 0.05
    print(f"variance times {name} is constant within its error bars from 0.02 to 0.3: {constant}")

# %% id="fig-odds" tags=["nbval-ignore-output"]
def bars(ax, x, estimates, look, unit=1.0):
    """Estimates with their intervals. look: color, marker and line style."""
    value, low, high = np.array(estimates).T / unit
    color, marker, style = look
    return ax.errorbar(x, value, (value - low, high - value), color=color, marker=marker, linestyle=style)


def ratio_axis(ax, lowest=0.02, y=(), **fields):
    """A logarithmic axis of ratios; y are the ticks of another one, if there are any."""
    ax.set(xscale="log", xlabel="mask ratio", **({"yscale": "log"} if y else {}) | fields)
    ratios = [r for r in (0.02, 0.05, 0.15, 0.3, 0.9) if r >= lowest]
    for axis, ticks in ((ax.xaxis, ratios), (ax.yaxis, y)):
        if ticks:
            axis.set_ticks([], minor=True)
            axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])


figure, (left, right) = figures.new_figure(9, 3.4, columns=2)
x, first = new_masks.ratios, new_masks.variance[0].value
bars(left, x, new_masks.variance, (figures.BLUE, "o", "")).set_label("measured")
left.plot(x, new_masks.predicted, color=figures.BLACK, linewidth=1, label="S² (1/k − 1/N)")
left.plot(x, first * x[0] / x, ":", color=figures.RED, label="1 / ratio")
ratio_axis(left, y=(1, 10, 100), ylabel="variance of the gradient (nats²)")
left.legend()
for against, name, look in (("ratio", "r", (figures.RED, "s", "--")), ("odds", "r/(1−r)", (figures.BLUE, "o", "-"))):
    scaled = new_masks.scaled(against)
    bars(right, x, scaled, look, scaled[0].value).set_label("variance × " + name)
ratio_axis(right, ylim=(0, 1.3), ylabel="relative to ratio 0.02")
right.legend(loc="lower left")
slope = new_masks.slope()
faster = "faster than" if slope.high < -1 else "slower than" if slope.low > -1 else "about as"
left.set_title(f"The noise falls {faster} 1 / ratio: slope {slope.value:.2f}")
right.set_title(f"In proportion to (1 − r) / r: {new_masks.verdict('odds').word}")
flat = ", ".join(f"{e.value / new_masks.scaled('odds')[0].value:.2f}" for e in new_masks.scaled("odds"))
figures.show(figure, alt=f"{new_masks.describe()} Times r / (1 - r), relative to the smallest ratio: {flat}.")

# %% [markdown] id="why-new-models"
# In a new model the formula is right within its error bars, as if the gradient of a token did not depend on which other
# words are hidden: the law of the finite population is all there is. Section 6 meets models for which it does not hold,
# and what breaks it.
#
# ### A fixed number, or a coin for each token?
#
# BERT's code selects a fixed number; many others toss a coin for each token (chapter 03's "bernoulli"). Then $k$
# varies, and $\mathbb{E}[1/k]$ is larger than $1/\mathbb{E}[k]$. And sometimes, with a probability $p$, nothing at all
# is selected, and the step is lost: its gradient is 0.
#
# A lost step looks quiet, for 0 does not scatter much. But it also makes the mean gradient shorter: if $m$ is the mean
# of all other draws, then $\mathbb{E} g = (1 - p)\, m$. So a coin must be compared at equal signal, as the noise of $g
# / (1 - p)$, which is $1 / (1 - p)^2$ times as large. In the formula for $g$ the empty draws add $p (1 - p) |m|^2$ to
# what the others scatter; in terms of $\mathbb{E} g$, which is what one can estimate, $p / (1 - p)\, |\mathbb{E} g|^2$.

# %% id="measure-bernoulli" tags=["nbval-ignore-output"]
from mlm_mini.experiments.lab.intervals import percentile_interval

COIN = (0.02, 0.05, 0.15, 0.5)
coin = measure(new, language, "a coin for each token", method="bernoulli", ratios=COIN, draws=100)
print("the variance of a coin, over that of a fixed number; in brackets by formula")
for i, r in enumerate(COIN):
    at, lost = RATIOS.index(r), coin.step_lost[i]
    resampled = coin.noise[i] / new_masks.noise[at]  # the measured variances first, then those of the resamples
    times, low, high = percentile_interval(resampled[0], resampled[1:])
    formula, signal = coin.predicted[i] / new_masks.predicted[at], (1 - lost) ** 2
    print(f"ratio {r:.2f}: {times:.2f} times ({formula:.2f}); at equal signal {times / signal:.2f} times, "
          f"{low / signal:.2f} to {high / signal:.2f} ({formula / signal:.2f}); nothing selected in "
          f"{coin.empty[i]:.0%} of the draws")

# %% [markdown] id="coin-note"
# A coin costs noise where few tokens are selected, and hardly any where many are: with $k = 51$ tokens, the number that
# a coin gives is seldom far from its mean.

# %% [markdown] id="why-line"
# ## 4 · A line through the logs
#
# The claim "inversely proportional to the ratio" is a power law with exponent $-1$. On logarithmic axes a power law
# $v = c\, r^a$ is a straight line,
#
# $$\ln v = \ln c + a \ln r,$$
#
# and least squares finds its slope $a$.

# %% id="ex-log-log-slope"
# exercise: 09.log-log-slope
def log_log_slope(ratios, variances):
    """a and c of the law variance = c ratio^a, by least squares on the logs.

    ratios, variances: (R,) floats above 0, in any order, R at least 2, left as they are. Returns two floats, a and c.
    """
    # Where to start: np.polyfit(x, y, 1) returns the slope and the intercept of a line.
    # <solution>
    slope, intercept = np.polyfit(np.log(ratios), np.log(variances), 1)
    return slope, np.exp(intercept)
    # </solution>


# %% id="check-log-log-slope"
check("09.log-log-slope", log_log_slope)

# %% [markdown] id="why-bootstrap"
# A slope without an interval is half an answer. The variance at one ratio is a mean of $n$ squared deviations, and
# other draws would have given another one. How different? The **bootstrap** (Efron 1979) asks the draws themselves:
# pick $n$ of the $n$ deviations, with replacement, so that some count twice and some not at all, and compute the slope
# again. A thousand such slopes scatter about as much as slopes of a thousand new experiments would.

# %% id="ex-slope-interval"
# exercise: 09.slope-interval
def slope_interval(ratios, deviations, chosen):
    """The interval that holds the middle 95 in 100 of the slopes of all resamples.

    ratios: (R,), in any order; deviations: (R, n), squared deviations whose mean over the draws is the variance at
    each ratio; chosen: (M, R, n) integers, for each of M resamples and each ratio the numbers of the draws that it
    uses; all left as they are. Returns two floats, low and high: the quantiles 0.025 and 0.975 of np.quantile.
    """
    # Where to start: one slope for chosen[0]. Then a loop, and np.quantile.
    # <solution>
    slopes = []
    for pick in chosen:
        resampled = np.take_along_axis(deviations, pick, axis=1).mean(axis=1)
        slopes.append(np.polyfit(np.log(ratios), np.log(resampled), 1)[0])
    low, high = np.quantile(slopes, [0.025, 0.975])
    return low, high
    # </solution>


# %% id="check-slope-interval"
check("09.slope-interval", slope_interval)

# %% [markdown] id="why-where-it-holds"
# An interval that contains $-1$ is not yet a law: a curve that bends has a slope too. So ask a second question: up to
# which ratio does *variance times ratio* stay within a factor of 1.25 of its value at the first? At each ratio it is
# *inside* if 97.5% of the resamples say so, *outside* if as many say so, and else undecided. Then the law
#
# - **holds** if all ratios are inside;
# - **holds up to a ratio of** $X$ if three or more of the measured ratios are inside, the first one included, and a
#   later one is outside; $X$ is the last before any doubt;
# - **does not hold as worded** if the second or the third is outside already;
# - is **undecided** otherwise.
#
# Beside a verdict stands the share of resamples that agree with it. (The test of section 3 is stricter: with enough
# draws every curve fails it, by differences that nobody would notice in training.)

# %% id="measure-slope" tags=["nbval-ignore-output"]
def summary(result, against="ratio"):
    slope = result.slope(against)
    return f"slope {slope.value:5.2f} ({slope.low:.2f} to {slope.high:.2f}); {result.verdict(against)}"


print("against the ratio:          ", summary(new_masks))
print("against the odds r / (1 - r):", summary(new_masks, "odds"))

# %% [markdown] id="why-correlated"
# ## 5 · New text in every batch
#
# Training does not ask the same batch again and again. Now let each draw bring its own text, too. There is then no
# fixed list of $N$ tokens to use up, and two draws no longer repel each other. If the gradients of two predicted tokens
# were independent, the variance would be that of one, $\sigma^2$, over $k$, and the claim would hold to the letter. Are
# they? Suppose that any two of the $k$ have the correlation $\rho$. The variance of a sum is the sum of all $k \times
# k$ covariances: $k$ times $\sigma^2$, and $k (k - 1)$ times $\rho \sigma^2$. A mean is the sum over $k$, so
#
# $$\operatorname{tr} \operatorname{Cov}(g) = \frac{\sigma^2}{k} \bigl( 1 + (k - 1)\, \rho \bigr).$$
#
# Two things can break the law, and there is no third: $\sigma^2$ depends on the ratio, or $\rho$ is not zero. The
# factor in brackets is what correlation does to the variance. Statisticians call it the **design effect** (Kish 1965),
# and it, not $\rho$, is what to look at: with a hundred tokens a correlation of 0.03 multiplies the variance by four.

# %% id="ex-correlated-variance"
# exercise: 09.correlated-variance
def correlated_variance(sigma2, rho, k):
    """The variance of the mean of k numbers of variance sigma2, any two of which have the correlation rho.

    sigma2, rho: floats; k: a whole number, at least 1, or an array of them, left as it is. Returns what k is, as
    floats.
    """
    # Where to start: how many of the k times k covariances are variances, and how many are not?
    # <solution>
    pairs = k * (k - 1)
    return (k * sigma2 + pairs * rho * sigma2) / k**2
    # </solution>


# %% id="check-correlated-variance"
check("09.correlated-variance", correlated_variance)

# %% [markdown] id="what-it-says"
# Section 3 is the case $\rho = -1/(N-1)$. A positive $\rho$ does the opposite: as $k$ grows the variance does not
# go to zero but to $\rho \sigma^2$. However many tokens are asked, what their gradients have in common does not
# average out.
#
# Where would gradients be alike? Where a text repeats itself. Real documents do: a rare name, once used, is no longer
# rare on that page (Church 2000). The **Polya urn** is the smallest model of such **bursty** text: each word is drawn
# from an urn and goes back with a second one like it. Compare scenes and a Markov chain, both of short sentences, with
# documents of 32 words from an urn, and with a control that has the same words but no urn.

# %% id="meet-bursty"
bursty, control = polya_language(), polya_language(1e9)
print("bursty: ", bursty.sample(1, np.random.default_rng(94)).text(0))
print("control:", control.sample(1, np.random.default_rng(94)).text(0))

# %% id="measure-new-data" tags=["nbval-ignore-output"]
TEXTS = {"scenes": (language, 12), "Markov": (markov_language(), 7), "bursty": (bursty, 3), "control": (control, 3)}
FEW = (0.02, 0.05, 0.15, 0.3, 0.5, 0.7, 0.9)


def new_model(text):
    return MaskedLM(ModelConfig.tiny(len(text.vocabulary)), torch.Generator().manual_seed(0)).eval()


over_data = {name: measure(new_model(text), text, name, over="data", sentences=B, ratios=FEW, draws=200,
                           per_token=True)
             for name, (text, B) in TEXTS.items()}
for name, result in over_data.items():
    print(f"{name:8} {summary(result)}; ρ at 0.7: {result.correlation[5].value:+.4f}")

# %% id="fig-texts" tags=["nbval-ignore-output"]
LOOKS = {"scenes": (figures.BLUE, "o", "-"), "Markov": (figures.SKY, "s", "--"), "bursty": (figures.RED, "^", "-"),
         "control": (figures.ORANGE, "v", ":")}
figure, (left, right) = figures.new_figure(9, 3.4, columns=2)
for name, result in over_data.items():
    bars(left, result.ratios, result.scaled(), LOOKS[name], result.scaled()[0].value).set_label(name)
    bars(right, result.ratios, result.design_effect, LOOKS[name])
ratio_axis(left, y=(0.5, 1, 2, 5), ylabel="variance × ratio, relative to 0.02")
ratio_axis(right, y=(0.5, 1, 2, 5), ylabel="1 + (k − 1) ρ")
left.legend()
flattest = min(over_data, key=lambda name: np.ptp(np.log([x.value for x in over_data[name].scaled()])))
steepest = max(over_data, key=lambda name: over_data[name].design_effect[-1].value)
left.set_title(f"A law of 1 / ratio is flat, as for {flattest}")
right.set_title(f"Alike gradients: {steepest}, {over_data[steepest].design_effect[-1].value:.1f} times at 0.9")
ends = "; ".join(f"{name} {r.scaled()[-1].value / r.scaled()[0].value:.1f} times, 1 + (k − 1) ρ "
                 f"{r.design_effect[-1].value:.1f}" for name, r in over_data.items())
figures.show(figure, alt="New models over fresh text, against the mask ratio. Left, variance times ratio, relative to "
             f"that at 0.02; right, 1 + (k − 1) ρ, by which correlation multiplies the variance. At 0.9: {ends}.")

# %% id="say-texts" tags=["nbval-ignore-output"]
from IPython.display import Markdown

scenes, urn = over_data["scenes"], over_data["bursty"]
rise = {name: r.scaled()[-1].value / r.scaled()[0].value for name, r in over_data.items()}
less = urn.variance[0].value / urn.variance[-1].value
k, rho = urn.predictions[-1], urn.correlation[-1].value
Markdown(f"""
For a new model that reads Markov text, variance times ratio changes by a factor of {rise["Markov"]:.2f} while the
ratio goes from 0.02 to 0.9. For bursty text it grows {rise["bursty"]:.1f}-fold: predicting nine tenths of the tokens
leaves {less:.0f} times less variance than predicting two in a hundred, and not 45 times. Two tokens of such a batch
have gradients with a correlation of {rho:.3f}. That sounds like little, but there are {k:.0f} of them, and
$1 + (k - 1)\\rho$ is {urn.design_effect[-1].value:.1f}. The control, with the same words and lengths, comes out at
{rise["control"]:.2f}.
""")

# %% [markdown] id="why-shuffled"
# Scenes err on the other side, a little: their noise falls faster than $1/r$. Perhaps because each sentence has one
# full stop and a verb or two, so that the tokens of a batch are less alike than tokens drawn at random. If that is the
# reason, it must go away when all words of the batch are shuffled among its sentences.

# %% id="measure-shuffled" tags=["nbval-ignore-output"]
class Shuffled:
    """Scenes whose words were shuffled, all sentences together."""

    vocabulary = vocabulary

    def sample(self, n, rng):
        sentences = language.sample(n, rng)
        words = np.isin(sentences.ids, vocabulary.regular_ids)
        sentences.ids[words] = rng.permutation(sentences.ids[words])
        return sentences


shuffled = measure(new, Shuffled(), "shuffled scenes", over="data", ratios=FEW[2:], draws=100, per_token=True)
for name, result in (("scenes", scenes), ("shuffled", shuffled)):
    late = result.design_effect[-1]
    print(f"{name:8} 1 + (k − 1) ρ at 0.9: {late.value:.2f} ({late.low:.2f} to {late.high:.2f}); "
          f"1 is in the interval: {late.low <= 1 <= late.high}")

# %% [markdown] id="why-trained"
# ## 6 · After training
#
# The models so far had learned nothing. Now the tiny model of chapter 08, trained on scenes with 15% masked, and one
# trained with 35%. Same batches, same draws, same measurement.

# %% id="measure-trained" tags=["nbval-ignore-output"]
from mlm_mini.training import LiveCurve, cached_model


def tiny_model(mask_ratio):
    return cached_model("scenes", "tiny", LiveCurve, steps=800, mask_ratio=mask_ratio).model


trained = {"trained at 15%": tiny_model(0.15), "trained at 35%": tiny_model(0.35)}
often = {"ratios": FEW, "draws": 400, "per_token": True}
by_model = {"new": new_masks} | {name: measure(model, language, name, **often) for name, model in trained.items()}
trained_data = measure(trained["trained at 15%"], language, "trained at 15%", over="data", **often)
for name, result in by_model.items():
    print(f"over masks, {name:14} {summary(result, 'odds')} (against the odds)")
print(f"over data,  trained at 15% {summary(trained_data)} (against the ratio)")

# %% id="fig-trained" tags=["nbval-ignore-output"]
STYLES = {"new": (figures.BLUE, "o", "-"), "trained at 15%": (figures.RED, "s", "-"),
          "trained at 35%": (figures.ORANGE, "^", "--")}
figure, axes = figures.new_figure(10, 3.4, columns=3)
for name, result in by_model.items():
    bars(axes[0], result.ratios, result.variance, STYLES[name]).set_label(name)
    bars(axes[1], result.ratios, result.token_variance, STYLES[name])
    bars(axes[2], result.ratios, result.design_effect, STYLES[name])
axes[2].plot(new_masks.ratios, 1 - new_masks.ratios, ":", color=figures.BLACK, label="without replacement: 1 − r")
labels = "tr Cov of the gradient (nats²)", "σ² of one token (nats²)", "1 + (k − 1) ρ"
for ax, label, y in zip(axes, labels, ((1, 10, 100), (100, 300, 1000, 3000), (0.1, 0.3, 1, 3))):
    ratio_axis(ax, y=y, ylabel=label)
axes[0].legend()
axes[2].legend(fontsize=8, loc="lower left")
turn = by_model["trained at 15%"]
lowest = int(np.argmin([e.value for e in turn.variance]))
AT = FEW.index(0.7)


def factors(result, i=AT):
    """By what the variance at a ratio is larger than S² (1/k − 1/N): because of σ², and because of correlation."""
    expected = 1 - (result.predictions[i] - 1) / (result.tokens - 1)  # the design effect of drawing without replacement
    return result.token_variance[i].value / result.token_variance[0].value, result.design_effect[i].value / expected


by_sigma, by_rho = factors(turn)
near_lowest = [r for r, e in zip(turn.ratios, turn.variance) if e.low <= turn.variance[lowest].high]
lowest_range = " to ".join(f"{r:.2f}" for r in dict.fromkeys((near_lowest[0], near_lowest[-1])))
for ax, title in zip(axes, (f"Trained at 15%: lowest at {lowest_range}",
                            f"σ² at 0.7: {by_sigma:.1f} times that at 0.02",
                            f"Correlation at 0.7: a factor of {by_rho:.1f}")):
    ax.set_title(title)
at = "; ".join(f"{name}: tr Cov {r.variance[0].value:.3g} and {r.variance[-2].value:.3g}, σ² "
               f"{r.token_variance[0].value:.0f} and {r.token_variance[-2].value:.0f}, 1 + (k − 1) ρ "
               f"{r.design_effect[0].value:.2f} and {r.design_effect[-2].value:.2f}" for name, r in by_model.items())
figures.show(figure, alt="Three charts against the mask ratio, text fixed, for a new model and two trained ones. "
             f"At 0.02 and 0.7, {at}. Without replacement alone, 1 + (k − 1) ρ would be 0.3 at 0.7.")

# %% [markdown] id="why-two-causes"
# The curve of the trained model has left the formula $S^2 (1/k - 1/N)$. By how much, and by which of the two causes?
# The measured variance is $\sigma^2 / k$ times $1 + (k - 1) \rho$, without a remainder. The formula has $\sigma^2$ as
# it is for tokens hidden alone, and $1 + (k - 1) \rho = 1 - (k - 1)/(N - 1)$, which is what drawing without replacement
# leaves. So there is a factor for each.

# %% id="say-trained" tags=["nbval-ignore-output"]
print("over the formula, at each ratio:   " + "".join(f"{r:7.2f}" for r in turn.ratios))
for name, result in by_model.items():
    split = np.array([factors(result, i) for i in range(len(result.ratios)) if result.config.ratios[i] in FEW]).T
    for cause, row in zip(("σ²", "correlation"), split):
        print(f"{name:15} because of {cause:12}" + "".join(f"{x:7.1f}" for x in row))
times = turn.variance[AT].value / turn.variance[lowest].value
low, high = turn.design_effect[AT][1:]
Markdown(f"""
The trained models' noise does not keep falling. That of the model trained at 15% is smallest at {lowest_range} (where
intervals overlap), and at 0.7 it is {times:.1f} times as large. Both causes are at work. $\\sigma^2$ has grown
{by_sigma:.1f}-fold. And correlation adds a factor of {by_rho:.1f}: drawing without replacement would leave $1 + (k -
1)\\rho$ at {1 - turn.ratios[AT]:.2f}, and it is {turn.design_effect[AT].value:.2f} ({low:.2f} to {high:.2f}). A guess
at the reason: the more is hidden, the harder each question, and all tokens of a draw suffer from the same missing
words. The correlation of two tokens is {turn.correlation[AT].value:.3f} and looks like nothing on an axis of its own.
In the model trained at 35%, which has met such sentences, the two factors are {factors(by_model["trained at 35%"])[0]:.1f} and
{factors(by_model["trained at 35%"])[1]:.1f}.
""")

# %% [markdown] id="why-held"
# If that guess is right, and what is hidden does it, then the law must come back when that does not change with the
# ratio. So separate the two knobs: hide half of the tokens, and ask for some of these only. Once **frozen**, with the
# same tokens hidden in every draw, and once **held**, with half of the tokens hidden anew in each draw.

# %% id="measure-held" tags=["nbval-ignore-output"]
APART, model = {"ratios": (0.02, 0.05, 0.1, 0.2, 0.4), "draws": 800}, trained["trained at 35%"]
frozen = measure(model, language, "frozen", corruption=0.5, frozen=True, **APART)
held = measure(model, language, "held", corruption=0.5, over="data", **APART)
tied = measure(model, language, "tied", over="data", **APART)
over_formula = ", ".join(f"{v.value / p:.2f}" for v, p in zip(frozen.variance, frozen.predicted))
print("frozen, text fixed, against the odds:", summary(frozen, "odds"))
print("        measured over the formula:   ", over_formula)
print("held, fresh text, against the ratio: ", summary(held))
print("tied, fresh text, against the ratio: ", summary(tied))

# %% id="held-note" tags=["nbval-ignore-output"]
straight, bent = held.slope(), tied.slope()
apart = "apart" if straight.high < bent.low else "not clearly apart"
Markdown(f"""
Frozen, the gradients are fixed vectors again, and the formula of section 3 comes out for a trained model too:
{frozen.verdict("odds")}. Over fresh text, with the corruption held, the slope is {straight.estimate}, and by the rule
the claim is {held.verdict()}. When the corruption grows with the predictions the slope is {bent.estimate}: the two are
{apart}. So most of what a mask ratio does beside asking more, it does by taking words away.

And the other texts, once they are learned?
""")

# %% id="measure-learned" tags=["nbval-ignore-output"]
from mlm_mini.chapters import BURSTY, MARKOV

learned = {"scenes": trained_data}
for name, recipe in (("Markov", MARKOV), ("bursty", BURSTY)):
    text, B = TEXTS[name]
    model = cached_model(report=LiveCurve, **recipe).model
    learned[name] = measure(model, text, name, over="data", sentences=B, ratios=FEW, draws=300, per_token=True)
for name, result in learned.items():
    grown_by = result.token_variance[-2].value / result.token_variance[0].value
    print(f"{name:7} {summary(result)}")
    print(f"        from 0.02 to 0.7: σ² grows {grown_by:.1f}-fold; 1 + (k − 1) ρ at 0.7 is "
          f"{result.design_effect[-2].value:.1f}")

# %% [markdown] id="why-noise-scale"
# ## 7 · When does noise matter?
#
# Noise is bad only in comparison with the signal. On a steep slope a noisy gradient points downhill well enough; near
# the bottom, where the true gradient is short, the same noise drowns it. The **gradient noise scale** compares the two
# (McCandlish et al. 2018):
#
# $$B = \frac{\operatorname{tr} \operatorname{Cov}(g)}{\lVert \mathbb{E} g \rVert^2},$$
#
# the number of such batches whose mean has as much noise as signal. The signal has to be estimated with care: the
# mean of $n$ draws is itself noisy, so that $\lVert \bar g \rVert^2$ is too large by
# $\operatorname{tr} \operatorname{Cov}(g) / n$ on average.

# %% id="ex-noise-scale"
# exercise: 09.noise-scale
def noise_scale(draws):
    """tr Cov(g) / |E g|^2, both estimated without bias.

    draws: (n, P), gradients of n draws, n at least 2, left as they are; their mean may be far larger than their
    scatter. Returns a float; infinity if the estimate of |E g|^2 is not above 0.
    """
    # Where to start: the noise as in 09.trace. Then the squared length of the mean draw, less what noise adds to it.
    # <solution>
    mean_draw = draws.mean(axis=0)
    noise = ((draws - mean_draw) ** 2).sum() / (len(draws) - 1)
    signal = (mean_draw**2).sum() - noise / len(draws)
    return noise / signal if signal > 0 else np.inf
    # </solution>


# %% id="check-noise-scale"
check("09.noise-scale", noise_scale)

# %% [markdown] id="why-steps"
# That paper has a model of what noise costs: a step with noise makes as much progress as $1 / (1 + B)$ steps without.
# It assumes that the loss is a bowl (a quadratic function of the weights); that its walls are equally steep in all
# directions in which gradients scatter (else noise in the steep ones counts more); and that each step goes straight
# down its own gradient, by the length that is best for its noise. AdamW does neither: it divides by the size of past
# gradients, and carries some of them along. So the model's figure is a prediction, to be held against trainings.
#
# Compare 1% with 15%, before training and after. The trainings below have 64 sentences in a batch and not our 12, so
# that their $B$ is smaller by 12/64. The signal at 15% is taken for both ratios, as if both pointed the same way on
# average.

# %% id="measure-noise-scale" tags=["nbval-ignore-output"]
from mlm_mini.experiments.variance.noise import steps_for_one

two_ratios = {"ratios": (0.01, 0.15), "over": "data", "draws": 400}
few_masks = {"new model": measure(new, language, "new", **two_ratios),
             "trained at 15%": measure(trained["trained at 15%"], language, "trained", **two_ratios)}
steps = {name: steps_for_one(result, 64 / 12) for name, result in few_masks.items()}
louder = {name: 15 / result.relative()[0].value for name, result in few_masks.items()}  # noise at 1% over that at 15%
scale = {name: result.noise_scale[1].value * 12 / 64 for name, result in few_masks.items()}
for name, result in few_masks.items():
    low, high = (x * 12 / 64 for x in result.noise_scale[1][1:])
    print(f"{name:14} noise scale of a training batch at 15%: {scale[name]:.2g} ({low:.2g} to {high:.2g})")
    print(f"{'':14} noise at 1% over noise at 15%: {louder[name]:.0f}; "
          f"by the model, steps for one: {steps[name].estimate}")

# %% id="say-noise-scale" tags=["nbval-ignore-output"]
Markdown(f"""
At 1% there are 15 times fewer predictions than at 15%. In the beginning a batch at 15% has {scale["new model"]:.2f}
times as much noise as signal, and one at 1% {scale["new model"] * louder["new model"]:.1f} times: that costs, says the
model, {steps["new model"].estimate} steps for one. At the end the true gradient is short, noise is nearly all there is
at either ratio, and it costs {steps["trained at 15%"].estimate} steps for one. (The signal of the trained model is
nearly gone, so its noise scale is a rough figure; the steps hardly depend on it.)
""")

# %% [markdown] id="why-train-few"
# Now train. The article says that a tiny ratio makes training "slow *and* unstable": two words, so two measurements.
#
# **Slow**: for how many steps must a training be planned to end within the same distance of the floor? Tiny models at
# 1% and at 15%, batches of 64, trainings of 30 to 960 steps, each with its whole schedule; a learning rate for each
# ratio, the best of five for the longest trainings, on a seed of its own; five seeds. All are judged by the same
# blanks, at 15%.
#
# **Unstable**: how much of its way down does a training give back? Look at the gap of the longest trainings 24 times on
# the way, with the same blanks each time, and divide the sum of all rises by the sum of all falls. A training that only
# falls gives back 0%. Steadiness can be bought with a small learning rate: if 1% chooses a smaller one than 15%, it is
# also tried at the rate of 15%.
#
# That takes some minutes, so it is shipped; the first line says how it was made.

# %% id="measure-few-masks"
from mlm_mini.experiments import find_experiment
from mlm_mini.shipped import shipped

run, origin = find_experiment("few_masks").shipped(), shipped("experiments", "few_masks")
print(origin["command"], f"({origin['date']}, {origin['machine']})\n")
print(run.table())

# %% id="fig-few-masks" tags=["nbval-ignore-output"]
run.show()

# %% [markdown] id="how-far-down"
# How far down is that? A reader who knows nothing but how frequent words are stands this far above the floor:

# %% id="measure-frequencies" tags=["nbval-ignore-output"]
words = language.sample(100_000, np.random.default_rng(95)).ids
_, count = np.unique(words[maskable_positions(words, vocabulary.special_ids)], return_counts=True)
share = count / count.sum()
frequencies = -(share * np.log(share)).sum() - language.bayes_floor(0.15, np.random.default_rng(96)).mean
print(f"word frequencies alone: {frequencies:.2f} nats above the floor; the trainings are compared at "
      f"{run.target.mean():.2f}")

# %% id="few-masks-note" tags=["nbval-ignore-output"]
from mlm_mini.experiments.variance.few_masks_result import FEW, USUAL, in_percent

rates = " and ".join(f"{run.rate(ratio):g} at {ratio:.0%}" for ratio in (FEW, USUAL))
edge = [f"{ratio:.0%}" for ratio in (FEW, USUAL) if run.at_edge(ratio)]
shortest = run.ends(USUAL)[:, 0].mean()
at_least = "at least " if shortest <= run.target.mean() else ""
hurried = "" if len(run.arms) == 2 else (f" At the rate of {USUAL:.0%} it gives back "
                                         f"{in_percent(run.given_back(run.arms[-1]).estimate, '+')}.")
Markdown(f"""
**Slow.** To end {run.target.mean():.1f} nats above the floor, a training at {FEW:.0%} must be planned for
{at_least}{run.steps.estimate} times the steps of one at {USUAL:.0%}, where the model of noise says
{steps["new model"].estimate.value:.1f} to {steps["trained at 15%"].estimate.value:.1f}. That distance is all that
{FEW:.0%} comes to in {run.config.steps} steps; who knows only how frequent words are is {frequencies:.2f} nats above the
floor. And both ratios learn at the rate that is best for the longest trainings
({rates}; {"at the edge of the rates tried: " + " and ".join(edge) if edge else "not at the edge of those tried"}),
while the shorter ones might like another.

**Unstable.** At {FEW:.0%} a training gives back {in_percent(run.given_back(FEW).estimate, "+")} more of its way down than
at {USUAL:.0%}, each at its own rate.{hurried} Chapter 10 trains at more ratios and to the end, and measures unrest in
another way: how far apart the ends of trainings with different seeds lie.
""")

# %% [markdown] id="why-widget"
# ## 8 · Under a slider
#
# One slider for the mask ratio. It changes the sentence, the number of predictions, and a marker on two curves: the
# exact floor of the scene language, and the variance of the gradient of a small new model, predicted and measured. The
# first time it takes a few seconds to measure.

# %% id="widget-economics" tags=["nbval-ignore-output"]
from mlm_mini.widgets import mask_economics_widget

mask_economics_widget()

# %% [markdown] id="without-a-kernel"
# Without a running kernel the slider does not move; this is what it shows at 0.15.

# %% id="fig-economics" tags=["nbval-ignore-output"]
from mlm_mini.widgets.economics import mask_economics_figure

figures.show(*mask_economics_figure())

# %% [markdown] id="recap"
# ## Recap
#
# Each verdict is computed from the figures above, and is a word only if at least 97.5% of their resamples get the same
# word; else it is *undecided*, and in brackets stands which way it leans. "Inversely proportional" is decided by the
# rule of section 4, for each of four settings by itself; the verdict on all of them names those where it holds, and is
# a word if all four are sure together. The other texts stand beside them. "Noisy": the variance at 1% is more than
# twice that at 15%, before training and after. "Slow": it takes more than twice the steps. "Unstable": more of the way
# is given back. The last two are about trainings, with five seeds.

# %% id="recap-table" tags=["nbval-ignore-output"]
from mlm_mini.experiments.claims.variance import settings_together

judged = {"new model, text fixed": new_masks, "new model, fresh text": over_data["scenes"],
          "trained model, text fixed": by_model["trained at 15%"], "trained model, fresh text": trained_data}
others = {"new model, fresh Markov text": over_data["Markov"], "new model, fresh bursty text": over_data["bursty"],
          "trained on Markov text": learned["Markov"], "trained on bursty text": learned["bursty"]}
verdicts = {name: result.verdict() for name, result in (judged | others).items()}
overall = settings_together({name: verdicts[name] for name in judged})
rows = "".join(f"| {name} | {r.slope().value:.2f} ({r.slope().low:.2f} to {r.slope().high:.2f}) | {verdicts[name]} |\n"
               for name, r in (judged | others).items())
Markdown(f"""
| "inversely proportional", setting | slope, 0.02 to 0.9 | verdict |
|---|---|---|
{rows}
""")

# %% id="recap-claims" tags=["nbval-ignore-output"]
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, decide, decide_above

slopes = [result.slope().value for result in (judged | others).values()]
noisy = decide(lambda times: HOLDS if max(times.values()) < 15 / 2 else FAILS,
               {name: r.relative()[0] for name, r in few_masks.items()})
slow = decide_above(run.steps, 2.0)
told = {FEW: f"at its own rate, {run.rate(FEW):g}", "hurried": f"at the rate of {USUAL:.0%}, {run.rate(USUAL):g}"}
back = {arm: f"{told[arm]}, {in_percent(run.given_back(arm).estimate, '+')} more of the way down is given back "
        f"| **{decide_above(run.given_back(arm), 0.0)}**" for arm in run.arms if arm != USUAL}
unsteady = " |\n| | ".join(back.values())
Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| the variance of the gradient is "inversely proportional to the mask ratio" | \
slopes from {min(slopes):.2f} to {max(slopes):.2f} | **{overall}** |
| at 1% "the learning signal can be extremely noisy" | the variance at 1% is {louder["new model"]:.0f} times that at \
15% in a new model, {louder["trained at 15%"]:.0f} times in a trained one | **{noisy}** |
| a tiny ratio makes training "slow ... | {run.steps.estimate} steps for one at 15%, to end \
{run.target.mean():.1f} nats above the floor; by the noise scale, {steps["new model"].estimate} in the beginning, \
{steps["trained at 15%"].estimate} at the end | **{slow}** |
| ... and unstable" | {unsteady} |
""")

# %% id="answer" tags=["nbval-ignore-output"]
def told_lowest(result):
    """Where a curve turns, as a range of ratios; or that it does not."""
    i = int(np.argmin([v.value for v in result.variance]))
    near = [r for r, e in zip(result.ratios, result.variance) if e.low <= result.variance[i].high]
    if i == len(result.ratios) - 1:
        return "falls all the way"
    return f"is lowest at {' to '.join(f'{r:.2f}' for r in dict.fromkeys((near[0], near[-1])))}"


turns = "; ".join(f"{name}, it {told_lowest(r)}" for name, r in (
    ("trained on scenes with the text fixed", by_model["trained at 15%"]), ("on fresh scenes", trained_data),
    ("on Markov text", learned["Markov"]), ("on bursty text", learned["bursty"])))
Markdown(f"""
So: with fresh text and gradients that are independent, twice the predictions is half the variance, and the claim is
right. With the text fixed it is the odds. It stops where gradients are alike, as in bursty text, and where more masks
make harder questions and tokens of a draw that err together, as in the models that have learned scenes. Noise after
training: {turns}.
""")

# %% [markdown] id="read-on"
# ## Where to read on
#
# - William G. Cochran (1977). *Sampling Techniques*, third edition. Wiley. Chapter 2: the finite population.
# - Sam McCandlish, Jared Kaplan, Dario Amodei and the OpenAI Dota Team (2018). An empirical model of large-batch
#   training. arXiv 1812.06162.
# - Leslie Kish (1965). *Survey Sampling*. Wiley. The design effect.
# - Bradley Efron (1979). Bootstrap methods: another look at the jackknife. *Annals of Statistics* 7(1).
# - Kenneth W. Church (2000). Empirical estimates of adaptation: the chance of two Noriegas is closer to p/2 than p².
#   *COLING*.
# - Rasmus E. Madsen, David Kauchak and Charles Elkan (2005). Modeling word burstiness using the Dirichlet
#   distribution. *ICML*.
# - Alexander Wettig, Tianyu Gao, Zexuan Zhong and Danqi Chen (2022). Should you mask 15% in masked language modeling?
#   arXiv 2202.08005. Corruption and prediction as two knobs.
#
# Next: chapter 10 asks how much to mask.
