# ---
# jupyter:
#   course:
#     title: Softmax
#     question: How do scores become probabilities?
#     minutes: 95
#     prerequisites: Chapter 00; what exp and log are; NumPy arrays and their axes; for section 9 what a derivative is
# ---

# %% [markdown] id="header"
# # 01 · Softmax
#
# **How do scores become probabilities?**
#
# You will be able to
#
# - write a softmax that is right for any scores, from -10,000 to 10,000 and -inf;
# - say what adding to all scores, or dividing them, does to the probabilities;
# - take the logarithm of a softmax without losing the words far behind;
# - predict how a nudge to one score moves every probability.
#
# *95 minutes. Prerequisites: chapter 00; what exp and log are; NumPy arrays and their axes; for section 9 what a
# derivative is. Everything but one measurement is NumPy on the CPU: on a machine with a GPU nothing changes.*

# %% [markdown] id="how-it-works"
# **How a chapter works.** A cell that begins with `# exercise:` is yours: replace its `raise` line, run it, and run the
# check below it. `hint("01.softmax")` in a new cell gives one step of help at a time, and `failing("01.softmax")` hands
# you the smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, such
# as `ref.softmax`, so they run before yours do. In an exercise you may use `ref.` for anything that an earlier exercise
# had you build.
#
# A shape written (..., V) means: any number of axes first, perhaps none, and last an axis of V entries. Your function
# should treat each row of V by itself; `[..., None]` adds an axis at the end. And log is the natural logarithm, here
# and in all chapters.

# %% id="setup"
import numpy as np
import scipy.special
import torch

from mlm_mini import figures
from mlm_mini import reference as ref
from mlm_mini.course import check, failing, hint

# %% [markdown] id="a-blank-has-scores"
# ## 1 · A blank has scores
#
# A masked language model reads "The quick brown fox `[MASK]` over the lazy dog" and gives every word it knows a score,
# called a **logit**. A higher logit means a better fit, and that is all a logit promises: it may be negative, and the
# logits of a blank need not sum to any particular number. Here are seven words with logits made up by hand.

# %% id="fox"
words = ["jumps", "leaps", "runs", "walks", "sleeps", "table", "the"]
logits = np.array([6.0, 5.0, 4.0, 2.5, 1.0, -1.0, -3.0])

for word, z in zip(words, logits):
    print(f"{word:7} {z:5.1f}")

# %% [markdown] id="why-exp"
# ## 2 · Why exponentiate
#
# To bet on a word, or to be scored on a guess, one needs probabilities: none below 0, and summing to one. So turn each
# score into a positive weight $f(z)$ and divide by the sum. Many functions are positive. What singles out the exponential
# is that scores have no zero point: the same number added to all of them should change nothing. Then the ratio of two
# weights must not change either,
#
# $$\frac{f(z_i + c)}{f(z_j + c)} = \frac{f(z_i)}{f(z_j)} \quad\text{for all } z_i, z_j, c,
# \qquad\text{so}\qquad \frac{f(z + c)}{f(z)} = \frac{f(c)}{f(0)} \quad\text{(take } z_i = z,\ z_j = 0).$$
#
# Equal steps of the score multiply the weight by equal factors, wherever they begin, and a continuous function that does
# so is $f(z) = a\, e^{bz}$. The $a$ cancels in the division. The $b$ sets the unit in which scores are counted, and
# $b = 1$ counts them in nats. This is the **softmax**:
#
# $$p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}, \qquad \frac{p_i}{p_j} = e^{z_i - z_j}.$$
#
# The second formula is what to remember. Only **differences** of logits count, and a lead of 1 is a factor of
# $e \approx 2.718$. So a logit is a log-probability up to a constant. With two words, divide above and below by
# $e^{z_1}$: $p_1 = 1 / (1 + e^{-(z_1 - z_2)})$, the **sigmoid** of the difference.

# %% id="fig-exp" tags=["nbval-ignore-output"]
p = ref.softmax(logits)
figure, (left, right) = figures.new_figure(width=8.0, height=3.0, columns=2)
left.barh(words[::-1], logits[::-1], color=figures.SKY)
left.axvline(0, color=figures.BLACK, linewidth=0.8)
left.set(title="Logits: each step is a difference ...", xlabel="logit (nats)")
right.barh(words[::-1], p[::-1], color=figures.BLUE)
for row, share in enumerate(p[::-1]):
    right.text(share + 0.01, row, f"{share:.2%}", va="center")
right.set(title="... probabilities: the same step is a factor", xlabel="probability", xlim=(0, 0.8))
figures.show(figure, alt="Two bar charts of the same seven words. Logits: jumps 6, leaps 5, runs 4, walks 2.5, "
             "sleeps 1, table -1, the -3. Probabilities: jumps 64.9%, leaps 23.9%, runs 8.8%, walks 2.0%, sleeps "
             "0.4%, table 0.06%, the 0.01%. Equal steps between logits become equal factors between probabilities.")

# %% [markdown] id="shift"
# The shift that we asked for, tried out, and the sigmoid. The shift looks like a curiosity, but it is about to save the
# whole computation.

# %% id="shift-demo"
for shift in (0.0, 10.0, -3.0):
    print(f"logits {shift:+5.1f}: ", *(f"{p:.4f}" for p in ref.softmax(logits + shift)))
for two in (np.array([6.0, 5.0]), np.array([-1.0, 2.0])):
    print(f"two words {two}: softmax {ref.softmax(two)[0]:.4f}, sigmoid {1 / (1 + np.exp(two[1] - two[0])):.4f}")

# %% [markdown] id="overflow"
# ## 3 · Where the formula breaks
#
# A computer's numbers end. Above the largest one stands inf, and whatever is nearer to 0 than the smallest is stored as
# 0. Then the formula as written fails in both directions: inf / inf is NaN, and so is 0 / 0. The fewer bits a number
# has, the sooner it ends. NumPy counts in float64; models are often trained in float32, and run on graphics cards in
# float16.

# %% id="overflow-demo"
for kind in (np.float16, np.float32, np.float64):
    limits = np.finfo(kind)
    highest, lowest = np.log(float(limits.max)), np.log(float(limits.smallest_subnormal))
    with np.errstate(over="ignore", under="ignore"):
        beyond = np.exp(np.array([highest + 0.1, lowest - 1], dtype=kind))
    print(f"{kind.__name__}: exp(z) is a number from about z = {lowest:.1f} to {highest:.1f}; beyond: {beyond}")

# %% [markdown] id="overflow-model"
# Do logits get that large? Here is the trained model of chapter 00. It fills one blank in each of 2,000 sentences, and we
# look at the logit of its best word. (If chapter 00 has not run yet, the cell first trains the model, for a minute or
# two. The digits depend on the machine that trained it.)

# %% id="measure-model" tags=["nbval-ignore-output"]
from mlm_mini.languages import scene_language
from mlm_mini.training import LiveCurve, quick_model

rng, vocabulary = np.random.default_rng(0), scene_language().vocabulary
sentences = scene_language().sample(2_000, rng).ids
rows = np.arange(len(sentences))
places = [rng.choice(np.flatnonzero(~np.isin(row, vocabulary.special_ids))) for row in sentences]
sentences[rows, places] = vocabulary.mask_id
with torch.no_grad():
    z = quick_model(LiveCurve).model(torch.tensor(sentences), torch.tensor(sentences != vocabulary.pad_id)).numpy()
best = z[rows, places].max(-1)  # (2000, T, V) -> (2000, V) -> (2000,)
with np.errstate(over="ignore"):
    overflows = np.isinf(np.exp(best.astype(np.float16)))
print(f"best logit: median {np.median(best):.1f}, highest {best.max():.1f}; "
      f"exp overflows in float16 at {overflows.mean():.0%} of the blanks")

# %% [markdown] id="overflow-note"
# In float16 a healthy model is enough to break the formula. In float64 it takes a bad training step, a low temperature
# or a large scale.

# %% [markdown] id="logsumexp"
# The cure is to factor the largest term out of the sum. With $m = \max_j z_j$,
#
# $$\log \sum_j e^{z_j} = m + \log \sum_j e^{z_j - m}.$$
#
# Now every exponent is 0 or less, so nothing overflows, and one term is $e^0 = 1$, so the sum is never 0. This
# quantity, the **log-sum-exp**, is never below the largest logit, and above it by at most $\log V$. You will meet it in
# every loss.

# %% [markdown] id="axes"
# Each row needs an $m$ of its own, and here NumPy has a trap. A reduction such as `max`, `sum` or `mean` removes the axis
# it runs along: from the shape (2, 3) to (2,). To combine the result with the rows again, NumPy lines shapes up from the
# *right*, and 2 does not fit 3. (Were there three rows of three, it would fit, in the wrong direction, without a word.)
# With `keepdims=True` the axis stays, with length 1, and an axis of length 1 fits any length: its one entry serves all.
# This is **broadcasting**. When the work is done, `np.squeeze(x, axis)` removes an axis of length 1. The mean shows it:

# %% id="axes-demo"
rows = np.array([[1.0, 2.0, 6.0], [0.5, -1.0, 2.0]])
mean = rows.mean(-1, keepdims=True)
print("shapes:", rows.shape, "reduced", rows.mean(-1).shape, "kept", mean.shape, "squeezed", np.squeeze(mean, -1).shape)
print("each row minus its own mean:", (rows - mean).tolist())

# %% id="ex-logsumexp"
# exercise: 01.logsumexp
def logsumexp(logits, axis=-1):
    """log sum_j exp(z_j), computed without overflow.

    logits: (..., V) scores in nats, with V tokens along `axis`; -inf marks an excluded token, and at least one logit
        per row is finite. Do not change the array itself.
    Returns (...) nats: the axis of the tokens is gone.
    """
    # Where to start: write the formula as it stands and look at the input on which the check says it fails.
    # <solution>
    m = logits.max(axis, keepdims=True)
    total = np.exp(logits - m).sum(axis, keepdims=True)
    return np.squeeze(m + np.log(total), axis)
    # </solution>

# %% id="check-logsumexp"
check("01.logsumexp", logsumexp)

# %% [markdown] id="picture-overflow"
# The picture shows both formulas on a blank with two logits, $z$ and $z - 1$, while $z$ moves along the whole range.
# The answer is always $z + 0.31$, a straight line. The formula as written ends abruptly at the top. At the bottom it
# goes wrong before it ends: the smallest numbers a computer stores have few digits left.

# %% id="fig-overflow" tags=["nbval-ignore-output"]
z = np.linspace(-1_100, 1_100, 2_201)
pair = np.stack([z, z - 1], axis=-1)
right = ref.logsumexp(pair)
with np.errstate(over="ignore", divide="ignore"):
    as_written = np.log(np.exp(pair).sum(-1))
works = np.isfinite(as_written) & (abs(as_written - right) < 1e-9)
lowest, highest = z[works][0], z[works][-1]

figure, (ax,) = figures.new_figure(height=3.4)
ax.plot(z, right, color=figures.BLUE)
ax.plot(z[works], right[works], color=figures.ORANGE, linewidth=6, alpha=0.6, zorder=1, solid_capstyle="butt")
for edge, answer in ((lowest, "inexact,\nthen -inf"), (highest, "inf")):
    ax.axvline(edge, color=figures.RED, linestyle="--", linewidth=1.2)
    side = np.sign(edge)
    ax.text(edge + side * 15, -side * 850, f"as written:\n{answer}", ha="left" if side > 0 else "right", va="center")
ax.text(30, -420, "as written: right only\non the thick stretch", ha="left")
ax.text(20, 310, "largest term factored out:\nright everywhere", ha="right", color=figures.BLUE)
ax.set(title=f"The formula as written is right from z = {lowest:.0f} to {highest:.0f} only",
       xlabel="z (nats)", ylabel="log-sum-exp (nats)")
figures.show(figure, alt="Log-sum-exp of the logits z and z - 1, for z from -1100 to 1100. With the largest term "
             "factored out it is a straight line over the whole range. The formula as written agrees to nine decimals "
             f"only between {lowest:.0f} and {highest:.0f}: below, it is inexact and from -746 on minus infinity; "
             "above, plus infinity.")

# %% [markdown] id="softmax"
# ## 4 · Softmax
#
# The same shift repairs the softmax, because a factor common to numerator and denominator cancels:
#
# $$p_i = \frac{e^{z_i - m}}{\sum_j e^{z_j - m}}, \qquad m = \max_j z_j.$$
#
# A batch of blanks arrives as one array `logits` of shape (B, T, V): B sentences, T positions, V tokens. Each blank has
# its own maximum and its own sum. A token that must not be predicted has the logit -inf, and $e^{-\infty} = 0$ is
# just the probability it should get.

# %% id="ex-softmax"
# exercise: 01.softmax
def softmax(logits, axis=-1):
    """p_i = exp(z_i) / sum_j exp(z_j), computed without overflow.

    logits: (..., V) scores in nats, with V tokens along `axis`; -inf marks an excluded token, and at least one logit
        per row is finite. Do not change the array itself.
    Returns (..., V) probabilities, which sum to one along `axis`; exactly 0 for an excluded token.
    """
    # Where to start: which number may be subtracted from every logit of a blank, so that no exponent is above 0?
    # <solution>
    shifted = logits - logits.max(axis, keepdims=True)
    exp = np.exp(shifted)
    return exp / exp.sum(axis, keepdims=True)
    # </solution>

# %% id="check-softmax"
check("01.softmax", softmax)

# %% [markdown] id="measured"
# ## 5 · Measured: hard logits
#
# SciPy and PyTorch have a softmax of their own. Four hard blanks, and all three beside the formula as it is written:

# %% id="measure-softmax"
hard = {
    "10000, 9999, -10000": [1e4, 9_999.0, -1e4],
    "-10000, -9999": [-1e4, -9_999.0],
    "0, -800, -1000": [0.0, -800.0, -1_000.0],
    "0, -inf, 1": [0.0, -np.inf, 1.0],
}
failed, equal = [], []
print(f"{'logits':22}{'as written':12}{'= SciPy':9}{'= PyTorch':11}sums to one")
for name, z in hard.items():
    p = ref.softmax(z)
    with np.errstate(all="ignore"):
        as_written = np.exp(z) / np.sum(np.exp(z))
    others = scipy.special.softmax(z), torch.softmax(torch.tensor(z, dtype=torch.float64), -1).numpy()
    agree = [bool(np.abs(p - other).max() < 1e-12) for other in others]
    first = "NaN" if np.isnan(as_written).any() else ("right" if np.abs(as_written - p).max() < 1e-12 else "wrong")
    failed += [name] * (first != "right")
    equal.append(all(agree) and abs(p.sum() - 1) < 1e-12)
    print(f"{name:22}{first:12}{agree[0]!s:9}{agree[1]!s:11}{abs(p.sum() - 1) < 1e-12}")
print("probability of the token at -inf:", p[1])

# %% [markdown] id="measured-note"
# "right" and "True" mean that the largest difference is below $10^{-12}$. The formula as written fails on two of the
# four blanks, by overflow on the first and by underflow on the second.

# %% [markdown] id="log-softmax"
# ## 6 · Log-softmax
#
# Training does not ask for $p$ but for $\log p$, as chapter 02 shows. Taking the logarithm of a finished softmax loses
# every word that is more than 745 nats behind: its probability was stored as 0, and $\log 0$ is $-\infty$.
# On paper the exponential and the logarithm undo each other first, and nothing is lost:
#
# $$\log p_i = z_i - \log \sum_j e^{z_j}.$$

# %% id="log-softmax-demo"
far_behind = np.array([0.0, -700.0, -800.0])
with np.errstate(divide="ignore"):
    print("log of the softmax:", np.log(ref.softmax(far_behind)))
print("log-softmax:       ", ref.log_softmax(far_behind))

# %% id="ex-log-softmax"
# exercise: 01.log-softmax
def log_softmax(logits, axis=-1):
    """log p_i = z_i - log sum_j exp(z_j).

    logits: (..., V) scores in nats, with V tokens along `axis`; -inf marks an excluded token, and at least one logit
        per row is finite. Do not change the array itself.
    Returns (..., V) log-probabilities in nats; -inf for an excluded token, and for no other.
    """
    # Where to start: the second term is an exercise you have done. Which shape must it have to be subtracted?
    # <solution>
    shifted = logits - logits.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
    # </solution>

# %% id="check-log-softmax"
check("01.log-softmax", log_softmax)

# %% [markdown] id="temperature"
# ## 7 · Temperature
#
# Since differences of logits are what counts, dividing all logits by one number, the **temperature** $\tau$, stretches
# or shrinks every difference at once:
#
# $$p_i = \frac{e^{z_i / \tau}}{\sum_j e^{z_j / \tau}}.$$
#
# Below 1 the leader pulls away, and in the limit of 0 it takes all. Above 1 the field closes up, and in the limit of
# infinity all words are equally likely. The order of the words never changes.

# %% id="ex-temperature"
# exercise: 01.temperature
def temperature(logits, tau):
    """softmax(z / tau): tau < 1 sharpens the distribution, tau > 1 flattens it.

    logits: (..., V) scores in nats; -inf marks an excluded token, and at least one logit per row is finite. Do not
        change the array itself. tau: a number above 0.
    Returns (..., V) probabilities, which sum to one along the last axis.
    """
    # Where to start: does tau act on the logits or on the probabilities? Low temperatures make large logits.
    # <solution>
    z = logits / tau
    exp = np.exp(z - z.max(-1, keepdims=True))
    return exp / exp.sum(-1, keepdims=True)
    # </solution>

# %% id="check-temperature"
check("01.temperature", temperature)

# %% id="fig-temperature" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(width=9.0, height=3.0, columns=3)
for ax, tau, color in zip(axes, (0.5, 1.0, 3.0), (figures.BLUE, figures.SKY, figures.ORANGE)):
    p = ref.temperature(logits, tau)
    ax.barh(words[::-1], p[::-1], color=color)
    for row, share in enumerate(p[::-1]):
        ax.text(share + 0.02, row, f"{share:.1%}" if share >= 0.0005 else "<0.1%", va="center")
    ax.set(title=f"τ = {tau:g}: jumps has {p[0]:.0%}", xlabel="probability", xlim=(0, 1.15), xticks=(0, 0.5, 1))
    ax.tick_params(labelleft=ax is axes[0])
figures.show(figure, alt="Bar charts of the seven words at three temperatures. At 0.5 jumps has 86.6% and leaps "
             "11.7%; at 1 jumps has 64.9%, leaps 23.9% and runs 8.8%; at 3 jumps has 34.8%, leaps 24.9%, runs 17.8%, "
             "and even the word \"the\" keeps 1.7%.")

# %% id="temperature-order"
same_order = {}
for tau in (0.5, 1.0, 3.0):
    p = ref.temperature(logits, tau)
    same_order[tau] = bool((np.argsort(p) == np.argsort(logits)).all())
    print(f"tau = {tau}: words in the same order: {same_order[tau]}, jumps / leaps = {p[0] / p[1]:.3f}")

# %% [markdown] id="fifty-thousand"
# ## 8 · Fifty thousand words
#
# The article this course grew from speaks of a vocabulary of 50,000 words, so of 50,000 logits for every blank. How
# many of them matter depends on how widely the logits are spread. Suppose they follow a bell curve with a standard
# deviation of 1, 2 or 3 nats, which is the same as one set of logits at three temperatures. How many words
# hold half of the probability?

# %% id="fifty-thousand-demo"
V = 50_000
bell = scipy.special.ndtri((np.arange(V) + 0.5) / V)[::-1]  # V logits along a bell curve, the best first

for spread in (1, 2, 3):
    p = ref.softmax(spread * bell)
    half = np.searchsorted(p.cumsum(), 0.5) + 1
    sums_to_one = abs(p.sum() - 1) < 1e-12
    print(f"spread {spread}: {half:5} words hold half; the best has {p[0]:.3%}; sums to one: {sums_to_one}")
print(f"no spread at all: each word has 1 in {V}, and log p = {ref.log_softmax(0 * bell)[0]:.4f}")

# %% id="fig-fifty-thousand" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(height=3.4)
rank = np.arange(1, V + 1)
looks = ((3, figures.BLUE, "-", 160, 0.62), (2, figures.RED, "--", 80, 0.2), (1, figures.GREEN, "-.", 1_300, 0.2))
needed = {}
for spread, color, line, x, y in looks:
    total = ref.softmax(spread * bell).cumsum()
    needed[spread] = rank[np.searchsorted(total, 0.5)]
    ax.plot(rank, total, color=color, linestyle=line)
    ax.plot(needed[spread], 0.5, "o", color=color)
    ax.text(x, y, f"spread {spread}:\n{needed[spread]:,} words", ha="right", color=color)
ax.axhline(0.5, color=figures.BLACK, linewidth=0.8)
ax.set(title=f"Half of the probability: {needed[1]:,} words at spread 1, {needed[3]} at spread 3", xscale="log",
       xlabel="number of words, the most probable first", ylabel="probability they hold together", ylim=(0, 1.02))
figures.show(figure, alt="Probability held by the most probable words of 50,000, against their number on a "
             "logarithmic axis, for logits with a spread of 1, 2 and 3 nats. Half of the probability is held by "
             f"{needed[1]:,} words at spread 1, {needed[2]:,} at spread 2 and {needed[3]} at spread 3.")

# %% [markdown] id="jacobian"
# ## 9 · A nudge to one logit
#
# Learning moves logits a little at a time, so the question that matters is: raise one logit, and what happens to
# every probability? The answer is a matrix of slopes, the **Jacobian**. Here $\partial p_i / \partial z_j$ is the slope
# of $p_i$ when only $z_j$ moves.
#
# $$J_{ij} = \frac{\partial p_i}{\partial z_j} = p_i \, (\delta_{ij} - p_j), \qquad \delta_{ij} = 1 \text{ if } i = j,
# \text{ else } 0.$$
#
# To derive it, start from $\log p_i = z_i - \log \sum_k e^{z_k}$. The slope of the log-sum-exp in $z_j$ is
# $e^{z_j} / \sum_k e^{z_k} = p_j$, so the slope of $\log p_i$ is $\delta_{ij} - p_j$; and by the chain rule the slope of
# $p_i$ is $p_i$ times the slope of its logarithm.

# %% id="ex-jacobian"
# exercise: 01.jacobian
def softmax_jacobian(logits):
    """J_ij = d p_i / d z_j = p_i (delta_ij - p_j), for p = softmax(z).

    logits: (..., V) scores in nats; -inf marks an excluded token, and at least one logit per row is finite. Do not
        change the array itself.
    Returns (..., V, V): for each row of logits a matrix, i down and j across.
    """
    # Where to start: ref.softmax gives p. For one row of logits, what is a column of p's times a row of p's?
    # <solution>
    p = ref.softmax(logits)
    identity = np.eye(p.shape[-1])
    return p[..., :, None] * (identity - p[..., None, :])  # (..., V, 1) * (..., V, V) -> (..., V, V)
    # </solution>

# %% id="check-jacobian"
check("01.jacobian", softmax_jacobian)

# %% id="fig-jacobian" tags=["nbval-ignore-output"]
J = ref.softmax_jacobian(logits)
figure, (ax,) = figures.new_figure(width=6.6, height=4.2)
ax.imshow(J, cmap="PuOr_r", vmin=-0.35, vmax=0.35, aspect="auto")
for i, j in np.ndindex(J.shape):
    ax.text(j, i, f"{J[i, j]:+.3f}", ha="center", va="center", fontsize=9)
ax.set_xticks(range(len(words)), words)
ax.set_yticks(range(len(words)), words)
ax.grid(False)
ax.set(title="A word gains what the others lose", xlabel="the logit that is raised",
       ylabel="the probability that moves")
figures.show(figure, alt="A table of slopes for the seven words: the change of each probability per nat added to one "
             "logit. Raising jumps: jumps +0.228, leaps -0.155, runs -0.057, walks -0.013, sleeps -0.003, table and "
             "\"the\" -0.000. The diagonal is positive, everything else negative, and the table is symmetric.")

# %% [markdown] id="jacobian-reading"
# Read a column: raising "jumps" takes most from "leaps", its strongest rival, and next to nothing from "sleeps".
# Each column sums to zero, since the probabilities go on summing to one. The slope $p(1 - p)$ on the diagonal is
# largest at $p = 1/2$: a blank that is already decided hardly moves.
#
# Nobody builds this matrix for a real vocabulary: with 50,000 words it has 2.5 billion entries, 20 gigabytes in float64,
# for one blank. Training only needs its product with a vector $g$, and that takes V numbers:
# $\sum_i g_i J_{ij} = p_j\, (g_j - \sum_i g_i p_i)$.
#
# A derivation deserves a second witness. Finite differences need no calculus: nudge each logit by $\pm 10^{-5}$ and
# see how far the probabilities go.

# %% id="measure-jacobian"
h = 1e-5
nudges = h * np.eye(len(logits))
measured = (ref.softmax(logits + nudges) - ref.softmax(logits - nudges)).T / (2 * h)
exact = ref.softmax_jacobian(logits)
print("largest difference from finite differences below 1e-8:", bool(np.abs(measured - exact).max() < 1e-8))
print("columns sum to zero, within 1e-12:", bool(np.abs(exact.sum(0)).max() < 1e-12))
p, g = ref.softmax(logits), np.arange(7.0)
print("its product with a vector, without the matrix:", bool(np.abs(g @ exact - p * (g - g @ p)).max() < 1e-12))

# %% [markdown] id="recap"
# ## Recap
#
# Logits become probabilities by exponentiating and dividing by the sum: the one way in which only differences count.
# So the largest logit may be subtracted first, and must be.

# %% id="recap-table"
from IPython.display import Markdown

zero = ref.softmax(hard["0, -inf, 1"])[1]
on_paper = "**holds** on paper; a computer must subtract the largest logit first" if failed else "**holds**"
exact_zero = "**holds**; chapter 04 looks at what happens when it is forgotten"
guess = "**holds**: the word with the highest logit is the same word"
wrong = "**does not hold as worded**"
Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| "exponentiates all the logits (making them positive) and then normalizes them so they sum to one" | on {len(hard)} hard \
blanks equal to SciPy's and PyTorch's within $10^{{-12}}$; sums to one there and on {V:,} logits; as written, not right on \
{len(failed)} of the {len(hard)} | {on_paper if all(equal) else wrong} |
| "setting the logits for invalid tokens to negative infinity so their resulting probability is zero" | probability of a \
token at -inf: {zero} | {exact_zero if zero == 0 else wrong} |
| "The word with the highest probability is the model's guess." | same order as the logits at {sum(same_order.values())} of \
{len(same_order)} temperatures | {guess if all(same_order.values()) else wrong} |
""")

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - John S. Bridle (1990). Probabilistic interpretation of feedforward classification network outputs, with
#   relationships to statistical pattern recognition. In *Neurocomputing: Algorithms, Architectures and Applications*,
#   Springer. The paper that gave the softmax its name.
# - Pierre Blanchard, Desmond J. Higham and Nicholas J. Higham (2021). Accurately computing the log-sum-exp and softmax
#   functions. *IMA Journal of Numerical Analysis* 41(4). How large the rounding errors can be, with proofs.
# - Ian Goodfellow, Yoshua Bengio and Aaron Courville (2016). *Deep Learning*, section 4.1, Overflow and underflow. MIT
#   Press.
# - Chuan Guo, Geoff Pleiss, Yu Sun and Kilian Q. Weinberger (2017). On calibration of modern neural networks. *ICML*.
#   What one well-chosen temperature can repair.
#
# Next: chapter 02 turns these probabilities into a price for every guess, one that can be learned from.
