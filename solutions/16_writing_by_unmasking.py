# ---
# jupyter:
#   course:
#     title: Writing by unmasking
#     question: Which mask ratio makes a reader into a writer?
#     minutes: 210
#     prerequisites: Chapters 07, 08, 10 and 14
# ---

# %% [markdown] id="header"
# # 16 · Writing by unmasking
#
# **Which mask ratio makes a reader into a writer?**
#
# You will be able to
#
# - derive why the area under the floor curve is the entropy of a sentence, and see the two numbers agree;
# - turn the masked loss into a bound on the likelihood, with a ratio for each row and a weight that undoes it;
# - write sentences by filling in blanks, a few at each step;
# - say in nats what parallel steps cost, and why the most certain word first is not the best plan;
# - set a writer that unmasks beside one that goes from left to right, at equal operations;
# - take all of this to text of your own.
#
# *210 minutes, with a bug clinic at the end. Prerequisites: chapters 07, 08, 10 and 14. Beside the models of those
# chapters, one small model is trained the first time, about a minute on one core; all are then kept. Everything runs on
# the CPU; on a GPU nothing changes but the time.*

# %% [markdown] id="how-it-works"
# `hint("16.area")` in a new cell gives one step of help at a time, and `failing("16.area")` hands you the smallest
# input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run before
# yours do.

# %% id="setup"
import numpy as np

from mlm_mini import figures
from mlm_mini.course import check, failing, hint
from mlm_mini.experiments import find_experiment, mean_interval
from mlm_mini.languages import scene_language

language = scene_language()
vocabulary = language.vocabulary

# %% [markdown] id="why-area"
# ## 1 · The area under the floor
#
# Chapter 10 drew the **floor** $F(r)$: what a hidden word costs a reader who knows the language, when each word is
# hidden with probability $r$. It was a curve of readers. Here it becomes a curve of writers, by a thought experiment.
# Give each of a sentence's $W$ words a number drawn uniformly between 0 and 1, hide them all, and fill them in from the
# largest number down. When it is the turn of a word with the number $r$, a word is still hidden if its number is below
# $r$: each with probability $r$, on its own.
#
# So the word in turn is a blank of a sentence masked at ratio $r$, and costs $F(r)$ on average. Its own number is
# uniform, so that all ratios come up alike. But the chain rule says that the words of a sentence, filled in one by one
# in whatever order, cost its surprisal $-\ln p(x)$ in all. With $H$ the mean of that, the entropy,
#
# $$\frac{H}{W} = \int_0^1 F(r)\, dr.$$
#
# Whoever knows the floor at every ratio knows the entropy, given what is never hidden: `[CLS]`, `[SEP]` and padding,
# and with them the length. (For sentences of several lengths, $W$ is the mean number of words.)

# %% [markdown] id="why-quadrature"
# An integral is a mean over all ratios, and can be had from few. A **quadrature** takes a function at $n$ points and
# weighs the values. If a sentence has $W$ words, $F$ is a polynomial in $r$ of degree $W - 1$, for it is made of
# products of $r$ and $1 - r$. The rule of Gauss and Legendre with $n$ points is exact up to degree $2n - 1$, and NumPy
# knows its points $x_i$ and weights $w_i$ for integrals from $-1$ to $1$.

# %% id="ex-area"
# exercise: 16.area
def area(floor, n):
    """The integral of floor(r) over r from 0 to 1, by the rule of Gauss and Legendre with n points.

    floor: a function of ratios (n,), which returns nats (n,); n: at least 1. Returns a float.
    """
    # Where to start: np.polynomial.legendre.leggauss(n) has the points between -1 and 1. Where do they lie between 0
    # and 1?
    # <solution>
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return float((weights * floor((nodes + 1) / 2)).sum() / 2)
    # </solution>


# %% id="check-area"
check("16.area", area)

# %% [markdown] id="area-note"
# Nine points are exact for sentences of up to 18 words; scenes have 15 at most. All error that is left is that of the
# sample: 3,000 sentences, with fresh masks at each ratio. The other side of the equation needs no mask at all, since
# the language knows the probability of every sentence.
#
# Your rule on the row of floors gives a slightly other area than the one with an interval. A floor in the row divides
# the nats by the number of words that *came out* hidden, the area by the number that is expected, $r$ times the words.
# Only the second can be had for each sentence by itself, which is what the interval of the difference needs.

# %% id="measure-area"
from mlm_mini.experiments.writing.floor_area import gauss_ratios, measure_area

sides = measure_area(language, 3_000, 9, np.random.default_rng(1601))
W = sides.words
print("ratio    " + "".join(f"{ratio:6.2f}" for ratio in sides.ratios))
print("floor    " + "".join(f"{nats:6.2f}" for nats in sides.floors))
for name, (nats, error) in (("area under the floor", sides.area), ("exact likelihood", sides.exact)):
    margin = 1.96 * error
    print(f"{name:22}{nats:.3f} ± {margin:.3f} nats per word, {W * nats:.2f} ± {W * margin:.2f} per sentence")
print(f"the rule on the row of floors {gauss_ratios(9)[1] @ sides.floors:.3f}")
apart = mean_interval(sides.differences)
print(f"the difference, on the same sentences: {apart.with_margin('+')} (all 95%, over sentences)")

# %% id="fig-area" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 3.4)
dense = np.linspace(0, 1, 101)
smooth = np.polynomial.Polynomial.fit(sides.ratios, sides.floors, 4, w=1 / sides.errors)(dense)
ax.fill_between(dense, smooth, color=figures.SKY, alpha=0.35, linewidth=0)
ax.errorbar(sides.ratios, sides.floors, 1.96 * sides.errors, fmt="o", color=figures.BLUE, markersize=4, capsize=2)
ax.axhline(sides.exact[0], color=figures.RED, linestyle="--")
ax.text(0.02, sides.exact[0] + 0.04, f"entropy per word by exact likelihoods: {sides.exact[0]:.2f}", color=figures.RED)
ax.text(0.55, 0.5, f"area {sides.area[0]:.2f}", color=figures.BLUE, fontsize=12)
ax.set(xlim=(0, 1), ylim=(0, None), xlabel="share of the words that is hidden", ylabel="exact floor (nats per blank)")
ax.set_title(f"Area {sides.area[0]:.3f}, entropy {sides.exact[0]:.3f}: {apart.with_margin('+')} nats apart")
figures.show(figure, alt="The floor in nats per hidden word at nine ratios, with 95% intervals over sentences: "
             + ", ".join(f"{nats:.2f} at {ratio:.2f}" for ratio, nats in zip(sides.ratios, sides.floors))
             + f". The area under it is {sides.area[0]:.3f}, the entropy per word {sides.exact[0]:.3f}.")

# %% [markdown] id="why-loss"
# ## 2 · From the floor to a loss
#
# A model $q$ has a curve of its own above the floor, its loss at each ratio. The area under that is what *it* pays for
# a sentence, filled in one by one in a random order. Each order gives a probability to the sentence, and their mean is
# the probability that the model writes it. Since $-\ln$ bends upward, the mean of the surprisals of several
# probabilities is no smaller than the surprisal of their mean (Jensen's inequality: a chord lies above the curve). So
# the area is a **bound** on the model's surprisal: the true one is at most that. For exact conditionals all orders
# agree, and it is tight.
#
# To train with it, draw a ratio $r_b$ for each row $b$ of a batch, hide its words, $H_b$, and undo the ratio by a
# weight. With $N$ words in the batch, hidden or not,
#
# $$L = \frac{1}{N} \sum_b \frac{1}{r_b} \sum_{t \in H_b} -\ln q(x_t \mid \text{what is visible}).$$
#
# This is how diffusion models with masks are trained (Austin and others 2021; Sahoo and others 2024; Shi and others
# 2024; Ou and others 2024); the random order itself is older (Uria and others 2014).

# %% id="ex-weighted-loss"
# exercise: 16.weighted-loss
def weighted_loss(nats, hidden, words, ratios):
    """L of the equation, in nats per word.

    nats: (B, T), -ln q of the true token at each position, of which those that are visible mean nothing and may be inf
    or NaN; hidden: (B, T) bool; words: (B, T) bool, True at every word, hidden or not; ratios: (B,), above 0, that each
    row was masked at. A row may have nothing hidden. Returns a float.
    """
    # Where to start: the nats of each row, over the hidden positions alone.
    # <solution>
    each = np.where(hidden, nats, 0.0).sum(axis=1) / ratios
    return float(each.sum() / words.sum())
    # </solution>


# %% id="check-weighted-loss"
check("16.weighted-loss", weighted_loss)

# %% [markdown] id="why-strata"
# A row at ratio 0.02 and a row at 0.98 ask quite different questions, and a batch may happen to get many of one kind.
# So the ratios are **stratified**: the range from 0 to 1 is cut into as many equal strata as there are rows, and each
# row gets one stratum, by lot, and a ratio drawn uniformly in it. Every row by itself still has a uniform ratio, so
# that the mean of $L$ is what it was.

# %% id="ex-ratios"
# exercise: 16.ratios
def stratified(n, rng):
    """n ratios between 0 and 1, one in each of the strata from i/n to (i + 1)/n, in random order: (n,).

    Within its stratum each is uniform and has luck of its own. rng: a NumPy Generator, the only one to draw from.
    """
    # Where to start: which stratum has each row? rng.permutation says it.
    # <solution>
    return (rng.permutation(n) + 1 - rng.random(n)) / n
    # </solution>


# %% id="check-ratios"
check("16.ratios", stratified)

# %% [markdown] id="why-mean-weight"
# There is one more thing to mend. Once in a while a ratio of 0.001 hides a word, and that one word counts a thousand
# times. Such weights make the mean right, but their square has no mean: $\int_0^1 r \cdot r^{-2}\, dr$ is infinite, and
# no number of rows makes that go away. But what is known of a row is not only its ratio: it is how many of its $W$
# words were hidden, $k$. The ratios that may have done it come with a chance in proportion to $r^k (1-r)^{W-k}$, and
# over these
#
# $$\text{the mean of } \frac1r = \frac{\int_0^1 r^{k-1} (1-r)^{W-k}\, dr}{\int_0^1 r^k (1-r)^{W-k}\, dr}
# = \frac{W + 1}{k}.$$
#
# The step to the last fraction: for whole numbers $a$ and $b$, $\int_0^1 r^a (1-r)^b\, dr = a!\, b! / (a+b+1)!$, by
# $b$ integrations by parts. Above the line $a = k - 1$, below it $a = k$, and nearly all factors cancel.
#
# A weight may be replaced by its mean given what the loss uses of the row, which is its mask: the expectation stays,
# and only noise goes (Rao 1945; Blackwell 1947). The new weight is never above $W + 1$. Where nothing is hidden there
# is nothing to weigh: 0.

# %% id="ex-mean-weight"
# exercise: 16.mean-weight
def mean_weight(hidden, words):
    """The mean of 1 / ratio for each row, given how many of its words were hidden: (B,).

    hidden: (B, T) bool; words: (B, T) bool, True at every word, hidden or not, at least one in each row. A row with
    nothing hidden has the weight 0.
    """
    # Where to start: W and k are two sums along each row. What would you divide by where k is 0?
    # <solution>
    k, W = hidden.sum(axis=1), words.sum(axis=1)
    return np.where(k > 0, (W + 1) / np.maximum(k, 1), 0.0)
    # </solution>


# %% id="check-mean-weight"
check("16.mean-weight", mean_weight)

# %% [markdown] id="estimator-note"
# Is the estimator right, and what has each device brought? The exact language can tell: with its conditionals in place
# of a model's, $L$ must be the surprisal of the batch on average. Here are 300 batches of 32 sentences, the same ones
# for each way, and two wrong turns beside them: to leave rows with nothing hidden out of $N$, and to weigh all blanks
# alike.

# %% id="measure-estimators"
from mlm_mini.experiments.writing.estimators import measure_estimators

found = measure_estimators(language, batches=300, rows=32, rng=np.random.default_rng(1602))
print(f"L less the exact surprisal, in nats per word: mean of {found.batches} batches with 95%, and scatter of one")
for name, errors in found.errors.items():
    largest = f"   largest weight {found.largest[name]:,.0f}" if name in found.largest else ""
    print(f"{name:41}{mean_interval(errors).with_margin('+')}   {errors.std(ddof=1):5.2f}{largest}")
print(f"rows with nothing hidden: {found.empty:.1%}")

# %% [markdown] id="estimators-note"
# All four ways are unbiased, and with $1/r$ a single word decides how noisy: the interval of such a line cannot be
# trusted either, since it is made of squares that have no mean. Strata show what they bring once the weights are
# tamed. A row with nothing hidden is no accident to be swept aside: it adds nothing to the sum, but its words count.
# And all blanks alike, random ratios without weights, is the mean over *blanks*, most of which stand in heavily masked
# rows. It is too high here because a blank costs more where more is hidden; for a loss that falls with the ratio it
# would be too low, so nothing makes it a bound.
#
# ## 3 · A model of all ratios
#
# `python3 course.py train --objective diffusion` trains with stratified ratios and the mean weight, here a `tiny` model
# for 800 steps. Its curve shows nats per word, at fixed masks of all ratios, above what an exact reader pays for the
# very same blanks. Beside it stand three models of chapter 08 with the same steps and text: masked at 15%, masked at
# 35%, and causal.

# %% id="train" tags=["nbval-ignore-output"]
from mlm_mini.chapters import kept_fields
from mlm_mini.experiments.writing.readers import exact_reader, model_reader
from mlm_mini.training import LiveCurve, cached_model

trained = {name: cached_model(report=LiveCurve, **kept_fields("scenes", kept)) for name, kept in (
    ("all ratios", "tiny, diffusion"), ("15%", "tiny"), ("35%", "tiny, 35%"), ("causal", "tiny, causal"))}
readers = {"exact": exact_reader(language)}
readers |= {name: model_reader(trained[name].model, vocabulary) for name in ("all ratios", "15%", "35%")}
last = trained["all ratios"].curve[-1]
print(f"after {last.step} steps: {last.loss:.3f} nats per word, {last.gap:.3f} ± {1.96 * last.gap_error:.3f} above "
      "the floor")

# %% id="measure-by-ratio" tags=["nbval-ignore-output"]
from mlm_mini.experiments import draw_questions, question_kl

from mlm_mini.reference.loss import mean_and_error

by_ratio, by_errors = ({"all ratios": [], "15%": [], "35%": []} for _ in range(2))
for ratio in sides.ratios:
    questions = draw_questions(language, 1_000, ratio, np.random.default_rng(1603))
    asked = np.bincount(questions.rows, minlength=1_000)
    for name, line in by_ratio.items():
        nats = np.bincount(questions.rows, question_kl(trained[name].model, questions), minlength=1_000)
        mean, error = mean_and_error(nats, asked)
        line.append(float(mean))
        by_errors[name].append(float(error))
areas = {name: float(gauss_ratios(9)[1] @ line) for name, line in by_ratio.items()}
for name, line in by_ratio.items():
    print(f"{name:12}KL " + " ".join(f"{nats:.2f}" for nats in line) + f"; area {areas[name]:.2f} nats per word")

# %% id="fig-by-ratio" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 3.4)
for (name, line), style, color in zip(by_ratio.items(), ("o-", "s--", "D-."),
                                      (figures.BLUE, figures.ORANGE, figures.GREEN)):
    ax.errorbar(sides.ratios, line, 1.96 * np.array(by_errors[name]), fmt=style, color=color, markersize=4, capsize=2,
                label=f"trained at {name}")
ax.set(xlim=(0, 1), ylim=(0, None), xlabel="share of the words that is hidden when asked",
       ylabel="KL to the exact posterior (nats per blank)")
ax.legend()
ax.set_title("Area, in nats per word: " + ", ".join(f"{name} {nats:.2f}" for name, nats in areas.items()))
figures.show(figure, alt="KL in nats per blank at nine ratios, with 95% intervals over sentences: " + "; ".join(
    f"trained at {name} " + ", ".join(f"{nats:.2f} at {r:.2f}" for r, nats in zip(sides.ratios, line))
    for name, line in by_ratio.items()) + ".")

# %% [markdown] id="why-bound"
# The bars are 95% over sentences; these are one model each, of one seed, and section 7 has five. Now the bound itself,
# for sentences of the language: fill in their true words one by one in a random order, and add up what the model pays.
# Several orders of a sentence are several measurements of the same thing. What scatters by chance is first of all the
# sentence.

# %% id="ex-bound"
# exercise: 16.bound
def bound(nats, words):
    """The likelihood bound in nats per word, and its standard error over sentences.

    nats: (B, R), what each of B sentences costs in each of R random orders; words: (B,), how many words it has. With
    s the mean of a sentence's orders, m = sum s / sum words, and the error is the root of sum (s - m words)^2, over
    sum words. Returns two floats.
    """
    # Where to start: one number for each sentence.
    # <solution>
    of_sentence = nats.mean(axis=1)
    mean = of_sentence.sum() / words.sum()
    residuals = of_sentence - mean * words
    return mean, np.sqrt((residuals**2).sum()) / words.sum()
    # </solution>


# %% id="check-bound"
check("16.bound", bound)

# %% id="measure-bound" tags=["nbval-ignore-output"]
from mlm_mini.experiments.writing.causal import causal_nats
from mlm_mini.experiments.writing.floor_area import entropy_given_frame
from mlm_mini.experiments.writing.unmasking import hide_all_words, unmask

ids = language.sample(800, np.random.default_rng(1604)).ids
words, blank = np.isin(ids, vocabulary.regular_ids).sum(axis=1), hide_all_words(ids, vocabulary)
own = entropy_given_frame(language, ids)
costs = {}  # nats of each sentence, two orders
for name, reader in readers.items():
    costs[name] = np.stack([unmask(reader, blank, vocabulary.mask_id, language.length, np.random.default_rng(seed),
                                   answers=ids).nats for seed in (1605, 1606)], axis=1)
    above = mean_interval(costs[name].mean(axis=1) - own)
    apart_orders = np.abs(costs[name][:, 0] - costs[name][:, 1]).mean()
    print(f"{name:12}{costs[name].mean(axis=1).sum() / words.sum():.3f} nats per word, per sentence "
          f"{above.with_margin('+')} above its own; two orders differ by {apart_orders:.2f}")
    if name in areas:
        print(f"{'':12}{(costs[name].mean(axis=1) - own).sum() / words.sum():.3f} above the entropy per word, and the "
              f"area of its KL was {areas[name]:.2f}")
print(f"{'entropy':12}{own.sum() / words.sum():.3f} nats per word, given the length")
above_causal = mean_interval(causal_nats(trained["causal"].model, ids, vocabulary) + language.log_marginal(ids))
print(f"{'causal':12}per sentence {above_causal.with_margin('+')} above its own, the length included")

# %% [markdown] id="bound-note"
# For the exact reader all orders cost the same, to the last digits, and the bound is the entropy. For a model the bound
# lies above the entropy by the area of its KL curve, measured at other sentences in another way: the same equation as
# in section 1, less the floor on both sides. A model contradicts itself: what it says of a word in one order does not
# fit what it says in another. And the causal model, which has to know only one order and is asked for every word of it
# at every step, is far ahead after as many steps. Its figure includes what it pays for the length, which the others are
# told.
#
# ## 4 · Writing
#
# To write, start from a sentence of `[MASK]`, with a length drawn from the language. At each of $K$ steps ask for all
# blanks in one pass, draw words for some of them, and leave the rest hidden. How many at each step? As equal shares
# as may be: after $k$ steps $k/K$ of the words, rounded down, so that all are filled in at the end. Where that does not
# divide evenly, the larger shares are spread over the steps, and the first step never has one: least is known then.

# %% id="ex-schedule"
# exercise: 16.schedule
def schedule(words, K):
    """How many words each of K steps fills in: (K, B) integers.

    words: (B,) integers, how many are hidden in each sentence. Within a sentence the numbers differ by at most one, and
    sum to `words`: after k steps, words k / K of them are filled in, rounded down. K may be larger than `words`.
    """
    # Where to start: how many are filled in after 0, 1 ... K steps?
    # <solution>
    done = words * np.arange(K + 1)[:, None] // K
    return np.diff(done, axis=0)
    # </solution>


# %% id="check-schedule"
check("16.schedule", schedule)

# %% [markdown] id="why-draw"
# What to write at a blank? The likeliest word would be the same every time. A writer **draws**, from the model's own
# distribution, at temperature 1, for only so does it write words as often as they are due. Special tokens are excluded
# before the softmax, as in chapter 04.
#
# There are two usual ways. One makes probabilities, sums them up from the left, and looks where a uniform number falls.
# The other adds to each logit a random number of Gumbel's distribution, the one of $-\ln(-\ln u)$ for a uniform $u$,
# and takes the largest sum: that is a draw from the softmax, without computing it.

# %% id="ex-draw"
# exercise: 16.draw
def draw_words(logits, excluded, rng):
    """A token for each of N blanks, drawn from the softmax of its row at temperature 1: (N,) integers.

    logits: (N, V), finite; excluded: (V,) bool, True at tokens that must not be drawn, which leave their share to the
    others. rng: a NumPy Generator, the only one to draw from; each blank has luck of its own.
    """
    # Where to start: which logit has a token that cannot be drawn?
    # <solution>
    allowed = np.where(excluded, -np.inf, logits)
    return (allowed + rng.gumbel(size=allowed.shape)).argmax(axis=1)
    # </solution>


# %% id="check-draw"
check("16.draw", draw_words)

# %% [markdown] id="why-order"
# And which blanks first? By lot, as in the bound. Or the most certain first, those at which the largest probability is
# highest: it sounds like good sense, and we shall see. There will be ties: in *the [MASK] [MASK] the [MASK] .* the full
# stop is certain, and so are other words.
#
# Sorting gives an *order*, the positions from first to last; what is needed is a *rank*, the place of each position in
# it. For scores 5, 9, 7 sorted downward the order is 1, 2, 0 and the ranks are 2, 0, 1: the order's own order.

# %% id="ex-pick"
# exercise: 16.pick
def pick(scores, hidden, counts, rng):
    """Which blanks to fill in: the counts[b] hidden positions of row b with the highest scores, (B, T) bool.

    scores: (B, T), of any sign, -inf too, of which those at visible positions mean nothing; hidden: (B, T) bool;
    counts: (B,) integers, from 0 to the number of hidden ones. Of equal scores those are taken that the lot falls on,
    each with the same chance. rng: a NumPy Generator, the only one to draw from.
    """
    # Where to start: np.lexsort sorts by its last key, and equal ones by the key before it.
    # <solution>
    order = np.lexsort((rng.random(scores.shape), -scores, ~hidden))
    ranks = order.argsort(axis=1)
    return hidden & (ranks < counts[:, None])
    # </solution>


# %% id="check-pick"
check("16.pick", pick)

# %% id="show-writing" tags=["nbval-ignore-output"]
from mlm_mini.experiments.writing.sentence import write_sentence

for K, order in ((4, "random"), (4, "most certain first")):
    story = write_sentence(readers["all ratios"], language, 9, K, order, seed=1607)
    print(f"{order}, {K} steps:")
    for stage, tokens in enumerate(story.stages):
        print(f"  {stage}", " ".join("____" if token == "[MASK]" else token for token in tokens[1:-1]),
              "" if story.possible[stage] else "  (impossible from here on)")

# %% [markdown] id="try-unmasking"
# *Impossible* is meant strictly: the scene language has rules about who does what, beside those of grammar. Only people
# bring things there, for example, so that *the cat brings* is beyond repair, however it goes on. *cat* alone and
# *brings* alone could both become sentences; drawn in the same step, neither knows of the other.
#
# Go through the steps yourself (arrow keys work, and numbers can be typed). Who writes, in which order, and in how many
# steps can be chosen; below each word stands the step at which it was filled in and what it cost there.

# %% id="widget-unmasking" tags=["nbval-ignore-output"]
from mlm_mini.widgets import unmasking_widget

unmasking_widget(trained["all ratios"].model)

# %% [markdown] id="without-a-kernel"
# Without a running kernel the sliders do not move; this is a sentence of nine words in four steps, one row for each.

# %% id="fig-unmasking" tags=["nbval-ignore-output"]
from mlm_mini.widgets.unmasking import unmasking_figure

figure, alt = unmasking_figure(trained["all ratios"].model, words=9, steps=4, seed=1607)
figures.show(figure, alt)

# %% [markdown] id="why-price"
# ## 5 · What parallel steps cost
#
# In one step all words are drawn from the same pass, each for itself. Two words may then be likely, each where it
# stands, and impossible together: neither blank knows what the other became. What is lost is the **total correlation**
# (Watanabe 1960), which you wrote in chapter 14, of the words that are filled in together, given what is visible,
#
# $$C = \sum_i H(x_i) - H(x_1, \ldots, x_m) = \mathrm{KL}\Big(p(x_1, \ldots, x_m)\, \Big\|\, \prod_i p(x_i)\Big).$$

# %% id="measure-total-correlation"
from mlm_mini.experiments.joint.measures import independent, total_correlation

for text in ("the [MASK] [MASK] .", "the [MASK] was chased by the [MASK] .", "the [MASK] cuts the [MASK] .",
             "the minister spoke to the activist about the [MASK] because he advocated for [MASK] ."):
    sentence = language.encode(text)
    one, other = np.flatnonzero(sentence == vocabulary.mask_id)
    together = language.joint(sentence, [one, other])
    impossible = independent(together)[together == 0].sum()
    print(f"{abs(total_correlation(together)):.2f} nats; drawn apart, {impossible:3.0%} of the pairs are impossible: "
          f"{text}")

# %% [markdown] id="why-stairs"
# Over all steps these losses add up to the price of writing in $K$ steps: KL(language, written). And the floor curve
# shows it. If the shares that are hidden fall from 1 to 0 in $K$ equal steps, the step that begins at $k/K$ fills in a
# share $1/K$ of the words, each at the price $F(k/K)$. All steps together are a staircase over the curve,
#
# $$\text{price per word} = \frac1K \sum_{k=1}^{K} F\Big(\frac kK\Big) - \int_0^1 F(r)\, dr,$$
#
# and what lies between stairs and curve is paid for the haste.

# %% id="measure-stairs"
from mlm_mini.experiments.writing.price import staircase

eighths = {k / 8: language.bayes_floor(k / 8, np.random.default_rng(1608), 3_000).mean for k in range(1, 9)}
stairs = {K: staircase(np.array([eighths[k / K] for k in range(1, K + 1)]), sides.exact[0]) for K in (1, 2, 4, 8)}
for K, nats in stairs.items():
    print(f"{K} step{'s' if K > 1 else ' '}: {nats:.3f} nats per word, {W * nats:.2f} per sentence")

# %% id="fig-stairs" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(10, 3.2, columns=3)
for ax, K in zip(axes, (1, 2, 4)):
    ax.plot(dense, smooth, color=figures.BLUE)
    ax.fill_between(dense, smooth, color=figures.SKY, alpha=0.35, linewidth=0)
    for k in range(1, K + 1):
        left, height = (k - 1) / K, eighths[k / K]
        inside = (dense >= left) & (dense <= k / K)
        ax.fill_between(dense[inside], smooth[inside], height, color=figures.ORANGE, alpha=0.5, hatch="//", linewidth=0)
        ax.plot([left, k / K], [height, height], color=figures.RED)
    ax.set(xlim=(0, 1), ylim=(0, 2.2), xlabel="share hidden")
    ax.set_title(f"{K} step{'s' if K > 1 else ''}: {stairs[K]:.2f} nats per word")
axes[0].set_ylabel("exact floor (nats per blank)")
figures.show(figure, alt="The floor curve with stairs of 1, 2 and 4 steps over it; the hatched area between them is "
             "the price per word: " + ", ".join(f"{stairs[K]:.2f} nats for {K}" for K in (1, 2, 4)) + ".")

# %% [markdown] id="orders-note"
# The stairs belong to a writer who lets luck decide how many words a step fills in. Our schedule fixes the numbers:
# with as many steps as words it never fills in two at once, which luck does. How much cheaper is it? Now write in
# earnest. The price in nats is measured at sentences of the language, as the bound was, but in $K$ steps. The other
# direction, KL(written, language), is infinite as soon as one impossible sentence can be written (chapter 04).
#
# So what is written is judged by two figures: the share of sentences that the language can produce at all, and the mean
# surprisal of these, which should be the entropy.

# %% id="measure-orders"
from mlm_mini.experiments.writing.price import judge_written, price
from mlm_mini.experiments.writing.unmasking import WRITING_ORDERS

LOT, CERTAIN, DRAW = WRITING_ORDERS
many, KS = 500, (1, 2, 4, 8, 15)


def writing(name, order, K):
    """Price at sentences of the language, None where nobody knows it; and quality of as many that are written."""
    some = np.random.default_rng(1609), np.random.default_rng(1610)
    known = order != DRAW
    paid = mean_interval(price(readers[name], language, ids[:many], K, some[0], order)) if known else None
    written = unmask(readers[name], blank[:many], vocabulary.mask_id, K, some[1], order)
    return paid, judge_written(language, written.ids)


table = {("exact", order, K): writing("exact", order, K) for order in WRITING_ORDERS for K in KS}
print(f"exact conditionals; entropy of these sentences {own[:many].mean():.2f} nats")
for (_, order, K), (paid, (possible, nats)) in table.items():
    cost = "" if paid is None else f"price {abs(paid.value):5.2f} ± {paid.high - paid.value:.2f} nats, "
    cost += f"the stairs {W * stairs[K]:.2f}, " if order == LOT and K in stairs else ""
    print(f"{order:24}K {K:2}: {cost}possible {possible.value:4.0%}, which have {nats.value:.1f} nats")

# %% id="fig-orders" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(10, 3.4, columns=2)
lines = dict(zip(WRITING_ORDERS, (("o-", figures.BLUE), ("s--", figures.RED), ("^:", figures.GREEN))))
for order, (style, color) in lines.items():
    rows = [table["exact", order, K] for K in KS]
    for ax, line in ((axes[0], [paid for paid, _ in rows]), (axes[1], [quality.possible for _, quality in rows])):
        if line[0] is not None:
            value, low, high = np.array(line).T
            ax.errorbar(KS, value, [value - low, high - value], fmt=style, color=color, markersize=4, label=order)
axes[0].plot(list(stairs), [W * nats for nats in stairs.values()], "x", color=figures.BLACK, label="the stairs")
for ax, label in zip(axes, ("price (nats per sentence)", "share of possible sentences")):
    ax.set(xscale="log", xlabel="steps K", ylabel=label, ylim=(0, None))
    ax.set_xticks(KS, KS)
    ax.minorticks_off()
    ax.legend(fontsize=8)
four = {order: table["exact", order, 4] for order in WRITING_ORDERS}
cost, share = ({order: found[place] for order, found in four.items()} for place in (0, 1))
axes[0].set_title(f"Four steps: {cost[LOT].value:.1f} nats at random, {cost[CERTAIN].value:.1f} most certain first")
axes[1].set_title("Possible in four steps: " + ", ".join(f"{quality.possible.value:.0%}" for quality in share.values()))
figures.show(figure, alt="Price in nats and share of possible sentences of an exact reader against the steps: "
             + "; ".join(f"{order} in {K} steps {'' if paid is None else f'{abs(paid.value):.2f} nats, '}"
                         f"{quality.possible.value:.0%}" for (name, order, K), (paid, quality) in table.items())
             + ".")

# %% [markdown] id="order-surprise"
# One word a step is exact, in any order that is chosen before the word is drawn: price 0, all sentences possible. With
# fewer steps, **the most certain words first is the worse plan**. Why should that be? A certain word tells nothing that
# was not known. A step that is spent on certain words leaves the others as unsure as before, and they are then drawn
# together. By lot, some of the words that matter come early, and the rest can heed them.

# %% [markdown] id="why-mechanism"
# That is a guess until it is measured. In two steps, each half of the words has a price of its own: what they cost in
# one pass, each by itself, less what they cost together. If the guess is right, the most certain half is cheap, and
# the other half is dearer than by lot.

# %% id="measure-mechanism"
from mlm_mini.experiments.writing.mechanism import two_steps

for order in WRITING_ORDERS[:2]:
    for name, cost in zip(("first", "second"), two_steps(language, ids, order, np.random.default_rng(1611))):
        print(f"{order:20} {name:6} step: apart {cost.apart.mean():5.2f}, together {cost.together.mean():5.2f} nats; "
              f"lost {mean_interval(cost.lost).with_margin()}")

# %% id="verdict-orders"
from mlm_mini.experiments.lab.verdicts import Sampled, decide_above, decide_below, decide_within

prices = {order: price(readers["exact"], language, ids[:many], 4, np.random.default_rng(1609), order)
          for order in WRITING_ORDERS[:2]}
certain_costs_more = decide_above(Sampled.mean(prices[CERTAIN] - prices[LOT]), 0)
print(f"four steps: most certain first costs {mean_interval(prices[CERTAIN] - prices[LOT]).with_margin('+')} "
      f"nats more; it costs more: {certain_costs_more}")
by_draw, by_lot = (table["exact", order, 15][1].surprisal for order in (DRAW, LOT))
print(f"one word a step: sentences have {by_draw} nats with the likeliest draw first, {by_lot} by lot")

# %% [markdown] id="maskgit-note"
# The third order is that of MaskGIT (Chang and others 2022), which writes images in a few steps: draw everywhere, and
# keep the draws that came out likeliest. Here it is the draw that decides whether it stays, so that likely words are
# kept more often than they are due. Even one by one, where all its sentences are possible, they are likelier than those
# of the language: a writer who never makes mistakes, and says the same things too often.

# %% [markdown] id="why-models-write"
# ## 6 · Models write, and what it takes
#
# A trained model pays twice: for the haste of parallel steps, as everybody does, and for what it has not learned. The
# model of chapter 07 is asked as well. It is larger, was trained for far longer, at another mix of masks, and never to
# write.

# %% id="measure-models-write" tags=["nbval-ignore-output"]
from mlm_mini.experiments.writing.causal import write_causal

trained["chapter 07"] = cached_model("scenes", report=LiveCurve)
readers["chapter 07"] = model_reader(trained["chapter 07"].model, vocabulary)
WRITERS = ("all ratios", "15%", "35%", "chapter 07")
table |= {(name, LOT, K): writing(name, LOT, K) for name in WRITERS for K in KS}
table |= {("all ratios", order, K): writing("all ratios", order, K) for order in WRITING_ORDERS[1:] for K in (4, 15)}
by_causal = write_causal(trained["causal"].model, language, many, np.random.default_rng(1612))
causal_written = judge_written(language, by_causal)
for (name, order, K), (paid, (possible, nats)) in table.items():
    if name != "exact":
        cost = " " * 24 if paid is None else f"price {paid.value:5.2f} ± {paid.high - paid.value:.2f} nats, "
        print(f"{name:11}{order:24}K {K:2}: {cost}possible {possible.value:4.0%}, which have {nats.value:.1f} nats")
print(f"{'causal':11}{'left to right':30}price {above_causal.value:5.2f} ± "
      f"{above_causal.high - above_causal.value:.2f} nats, possible {causal_written.possible.value:4.0%}, which have "
      f"{causal_written.surprisal.value:.1f} nats")

# %% id="models-orders" tags=["nbval-ignore-output"]
paid = [price(readers["all ratios"], language, ids[:many], 4, np.random.default_rng(1609), order)
        for order in (CERTAIN, LOT)]
more = paid[0] - paid[1]
print(f"the model of all ratios, four steps: most certain first costs {mean_interval(more).with_margin('+')} nats "
      f"more; it costs more: {decide_above(Sampled.mean(more), 0)}")
for K in (4, 15):
    shares = [table["all ratios", order, K][1].possible for order in WRITING_ORDERS]
    print(f"possible in {K} steps: " + ", ".join(
        f"{order} {share.value:.0%} ({share.low:.0%} to {share.high:.0%})"
        for order, share in zip(WRITING_ORDERS, shares)))

# %% [markdown] id="models-orders-note"
# What section 5 found of the most certain first was said of exact readers; the first line asks it of a model. With a
# word at each step there is nothing to choose between orders for an exact reader, but a model says different things in
# different orders. Look at the likeliest draw first in the last line. A likely draw is more often a correct one, and so
# this order may write *more* possible sentences than the others, at the price of section 5: the likely ones come too
# often. A share of possible sentences alone does not tell a good writer from a cautious one.

# %% [markdown] id="why-operations"
# A step is a pass over the whole sentence, with logits at every blank. A causal model needs a step for each word, but
# keeps the keys and values of what it has written, so that each token is read once: it writes a sentence for about the
# price of *one* step of a writer who unmasks. Without that memory it reads everything before a word again. Operations
# are counted as in chapter 08, forward passes only, over the lengths of these sentences.

# %% id="fig-operations" tags=["nbval-ignore-output"]
from mlm_mini.experiments.writing.operations import causal_flops, unmasking_flops
from mlm_mini.model import ModelConfig

shape, larger = ModelConfig.tiny(len(vocabulary)), ModelConfig.mini(len(vocabulary))
figure, axes = figures.new_figure(10, 3.6, columns=2)
looks = (("o-", figures.BLUE, shape), ("s--", figures.ORANGE, shape), ("D-.", figures.GREEN, shape),
         ("^:", figures.BLACK, larger))
lengths = words[:many].tolist()
for name, (style, color, size) in zip(WRITERS, looks):
    flops = [np.mean([unmasking_flops(size, n, K) for n in lengths]) / 1e6 for K in KS]
    rows = [table[name, LOT, K] for K in KS]
    for ax, line in ((axes[0], [paid for paid, _ in rows]), (axes[1], [quality.possible for _, quality in rows])):
        value, low, high = np.array(line).T
        ax.errorbar(flops, value, [value - low, high - value], fmt=style, color=color, markersize=4, label=name)
for kept, marker, label in ((True, "D", "causal, keys kept"), (False, "X", "causal, all read again")):
    for ax, (value, low, high) in ((axes[0], above_causal), (axes[1], causal_written.possible)):
        flops = np.mean([causal_flops(shape, n, kept) for n in lengths]) / 1e6
        ax.errorbar(flops, value, [[value - low], [high - value]], fmt=marker, color=figures.RED, label=label)
for ax, label in zip(axes, ("price (nats per sentence)", "share of possible sentences")):
    ax.set(xscale="log", xlabel="million operations to write a sentence", ylabel=label, ylim=(0, None))
    ax.set_xticks((2, 5, 10, 20, 50, 100), (2, 5, 10, 20, 50, 100))
    ax.minorticks_off()
axes[0].legend(fontsize=8)
nearest = table["all ratios", LOT, 1]
axes[0].set_title(f"At equal operations: {nearest[0].value:.1f} nats in one step, causal {above_causal.value:.1f}")
axes[1].set_title(f"Possible: {nearest[1].possible.value:.0%} in one step, causal {causal_written.possible.value:.0%}")
figures.show(figure, alt="Price in nats and share of possible sentences against the operations it takes to write one: "
             + "; ".join(f"{name} in {K} steps {table[name, LOT, K][0].value:.1f} nats, "
                         f"{table[name, LOT, K][1].possible.value:.0%}" for name in WRITERS for K in KS)
             + f"; causal {above_causal.value:.1f} nats, {causal_written.possible.value:.0%}.")

# %% [markdown] id="operations-note"
# Bars are 95% over sentences, of one model each. The causal model's price includes what it pays for the length, which
# the others are told. Counted in operations, unmasking has nothing to offer here. What it
# can save is passes that have to wait for each other: a causal model has one for each word, a writer of $K$ steps has
# $K$ for a text of any length. On a machine that works on many positions at once that may be time; here nobody
# measured it.

# %% id="training-cost"
from mlm_mini.experiments.lab.cost import flops_spent

for name in ("all ratios", "15%", "35%", "causal"):
    point = trained[name].curve[-1]
    print(f"{name:12}{point.step} steps, {point.predictions:,} words asked for, "
          f"{flops_spent(shape, language, point) / 1e12:.2f}e12 operations of training")

# %% [markdown] id="why-study"
# ## 7 · Which mask ratio?
#
# One model of each kind is an anecdote. Here is a study, shipped with the course: five arms, five seeds, `tiny` models
# and 400 steps of 64 sentences, which is a short training. Every arm has the learning rate at which it *writes* best,
# of four, chosen with a seed that is not used again. The KL of a reader in the last column is measured at that rate
# too; nobody looked for the rate that is best for reading. Equal steps are not equal questions: the cell above tells
# how many words a model is asked for at each ratio. All arms of a seed start from the same weights and read the same
# text. Intervals are 95% by t, over seeds.

# %% id="load-study"
from mlm_mini.shipped import shipped

study, origin = find_experiment("writing").shipped(), shipped("experiments", "writing")
print(f"{len(study.runs)} models of {study.config.seeds} seeds, {len(study.tried)} more to choose rates among "
      f"{', '.join(f'{rate:g}' for rate in study.config.rates)}")
print(f"by `{origin['command']}`, {origin['date']}, on {origin['machine']}")
print(study.table())

# %% id="fig-study" tags=["nbval-ignore-output"]
study.show()

# %% id="verdicts-study"
COMPARED = (("price", "all ratios", "15%"), ("price", "all ratios", "40%"), ("kl", "all ratios", "15%"),
            ("kl", "all ratios", "40%"), ("price", "40%", "15%"),
            ("price", "all ratios, weight 1/ratio", "all ratios"),
            ("price", "causal", "all ratios"))
UNIT = {"price": "nats per sentence above the entropy", "kl": "nats per blank, with 15% hidden"}
for unit, one, other in COMPARED:
    print(f"{one} beside {other}: {study.difference(unit, one, other).with_margin('+')} {UNIT[unit]}: "
          f"{study.verdict(unit, one, other)}")

# %% [markdown] id="clinic"
# ## 8 · Bug clinic of Part V
#
# Two patients, the last of the course. Their code runs, their numbers are plausible, and what they conclude is wrong.
# Run the check first to see the symptom, then find the cause.

# %% [markdown] id="clinic-leak-story"
# ### Better than the truth
#
# *"We measured what our model pays for sentences of the language, in four steps, word for word. It is far less than
# the entropy! Our model must know something about the language that the language does not."*

# %% id="ex-clinic-leak"
# exercise: 16.clinic-leak
def cost_of(reader, ids, step, mask_id):
    """What a writer pays for one sentence that was filled in by steps, in nats.

    ids: (T,), the whole sentence; step: (T,) integers, the step from 1 on at which each word was filled in, 0 where
    nothing was ever hidden; some steps fill in nothing. reader: takes (T,) ids with mask_id where something is hidden,
    returns log-probabilities (T, V). All words of a step come from one pass, drawn apart. Returns a float.
    """
    # Where to start: at step 3, which words does the reader see?
    # <broken>
    #| nats = 0.0
    #| for now in range(1, step.max() + 1):
    #|     log_q = reader(np.where(step > now, mask_id, ids))
    #|     nats -= log_q[step == now, ids[step == now]].sum()
    #| return float(nats)
    # </broken>
    # <solution>
    nats = 0.0
    for now in range(1, step.max() + 1):
        log_q = reader(np.where(step >= now, mask_id, ids))
        nats -= log_q[step == now, ids[step == now]].sum()
    return float(nats)
    # </solution>


# %% id="check-clinic-leak"
check("16.clinic-leak", cost_of)

# %% [markdown] id="clinic-count-story"
# ### No row wasted
#
# *"A row with nothing hidden teaches nothing. So we draw how many words are hidden, uniformly from 1 to all of them,
# instead of a ratio; all the rest is as in the chapter. Only the exact language now seems to pay more than a tenth
# above its entropy. Must be noise: the error bar is honest, though, and zero is far outside it."*

# %% id="ex-clinic-count"
# exercise: 16.clinic-count
def loss_by_count(nats, hidden, words):
    """L in nats per word, right on average if the number of hidden words is uniform from 1 to all words of the row.

    nats: (B, T), of which those that are visible mean nothing and may be inf or NaN; hidden: (B, T) bool, at least one
    in each row, all sets of so many words alike; words: (B, T) bool, True at every word. Returns a float.
    """
    # Where to start: how many different counts can a row of W words have here, and how many had it before?
    # <broken>
    #| asked, all_words = hidden.sum(axis=1), words.sum(axis=1)
    #| of_row = np.where(hidden, nats, 0.0).sum(axis=1)
    #| return float(((all_words + 1) / asked * of_row).sum() / all_words.sum())
    # </broken>
    # <solution>
    asked, all_words = hidden.sum(axis=1), words.sum(axis=1)
    of_row = np.where(hidden, nats, 0.0).sum(axis=1)
    return float((all_words / asked * of_row).sum() / all_words.sum())
    # </solution>


# %% id="check-clinic-count"
check("16.clinic-count", loss_by_count)

# %% [markdown] id="recap"
# ## Recap
#
# Each verdict is computed from the figures above and is a word only if at least 97.5% of their resamples get the same
# word; otherwise it is *undecided*. The area *holds* if it is within 0.03 nats per word of the entropy, a margin set
# beforehand. The sweet spot *holds* if a model masked at 15% pays less than one of all ratios; all ratios *hold* if a
# model masked at 40% pays more. A few words at once cost next to nothing if four steps cost less than 0.1 nats a
# sentence. Figures of models are those of the study, over its seeds, after its few steps
# and at the rates that are best for writing; those of exact conditionals, over sentences.

# %% id="recap-table" tags=["nbval-ignore-output"]
from IPython.display import Markdown

same = decide_within(Sampled.mean(sides.differences), -0.03, 0.03)
sweet = decide_below(Sampled.mean(study.values("price", "15%") - study.values("price", "all ratios")), 0)
at_15 = decide_below(Sampled.mean(study.values("kl", "15%") - study.values("kl", "all ratios")), 0)
exact_one, exact_four = (table["exact", LOT, K][0].value for K in (1, 4))
free = decide_below(Sampled.mean(prices[LOT]), 0.1)
shares = ", ".join(f"{table['exact', LOT, K][1].possible.value:.0%} in {K}" for K in KS)
saved, lost = study.difference("price", "15%", "all ratios"), study.difference("kl", "15%", "all ratios")
after = f"after {study.config.steps} steps"
middle = Sampled.mean(study.values("price", "40%") - study.values("price", "all ratios"))
weighed = Sampled.mean(study.values("price", "all ratios, weight 1/ratio") - study.values("price", "all ratios"))
ahead = Sampled.mean(study.values("price", "causal") - study.values("price", "all ratios"))


def beside(estimate, unit):
    """A difference in words, its sign included."""
    word = "more" if estimate.value > 0 else "less"
    return f"{abs(estimate.value):.3f} ± {estimate.high - estimate.value:.3f} {unit} {word}"


dearer, keeps_up = Sampled.mean(prices[CERTAIN] - prices[LOT]), decide_above(ahead, 0)
Markdown(f"""
| what was said, and what it leaves open | measured in this chapter | verdict |
|---|---|---|
| the area under the floor is the entropy per word | {sides.area[0]:.3f} by nine ratios, {sides.exact[0]:.3f} by exact \
likelihoods: {apart.with_margin("+")} nats | **{same}** |
| the article: "The 15% ratio is an empirically derived sweet spot". For a writer too? | {after}, a model of 15% pays \
{beside(saved, "nats per sentence")} than one of all ratios | **{sweet}** |
| and for a reader who is asked at 15%? | {after} at the rate best for *writing*, its KL there is \
{beside(lost, "nats per blank")} than that of all ratios, which was asked for more words | **{at_15}** |
| whoever wants to write should train at all ratios | {after}, a model of 40% pays \
{beside(middle.estimate, "nats per sentence")} than one of all ratios | **{decide_above(middle, 0)}** |
| a weight without a tail trains better | {after}, a model with 1/ratio pays \
{beside(weighed.estimate, "nats per sentence")} than with the mean weight | **{decide_above(weighed, 0)}** |
| the most certain words first are cheaper | with exact conditionals and four steps they cost \
{beside(dearer.estimate, "nats")} than the lot | **{decide_below(dearer, 0)}** |
| a few words at once cost next to nothing | with exact conditionals a sentence costs {exact_one:.1f} nats too many \
in one step and {exact_four:.2f} in four; possible are {shares} steps | **{free}** |
| a writer of all ratios writes as well as a causal model | {after} each, the causal one pays \
{beside(ahead.estimate, "nats per sentence")}, though it pays for the length too | **{keeps_up}** |
""")

# %% id="say-longer" tags=["nbval-ignore-output"]
for name in WRITERS:
    (paid, quality), config = table[name, LOT, 15], trained[name].config
    print(f"{name:11}{config.steps:5,} steps of {config.batch_size} sentences: price {paid.value:.2f} ± "
          f"{paid.high - paid.value:.2f} nats, possible {quality.possible.value:.0%}")

# %% [markdown] id="story-closes"
# Which mask ratio, then? Chapter 03 took 15% because BERT does. Chapter 10 found that the best ratio hangs on size,
# budget and question. Chapter 11 asked which words instead of how many. Here every ratio is one point of a curve, and
# the area under it is what a sentence costs: to *judge* a writer, **all of them** are the answer, and that is no
# finding but an equation.
#
# To *train* one is another matter, and there the study contradicts the neat end of the story: in its short training a
# ratio in the middle made the better writer, although nobody asked it for likelihoods. (It was 40% there, the ratio
# that chapter 10 discusses; the single models above, with more training, have 35% because chapter 08 had trained one
# already. One seed of another ratio says nothing about how the difference goes on with more steps.) A guess at the
# reason, which nobody measured here: weights that make the mean right give few words much to say, and that noise costs
# most when time is short. What is asked in training need not be what is wanted in the end; chapter 10 knew that
# already.
#
# What this does not say: scenes are short, the models tiny, and their training brief. With eight billion parameters,
# models that unmask have been reported to keep up with causal ones of their size (Nie and others 2025).

# %% [markdown] id="yours"
# ## Yours now
#
# All of this works on text of your own. The next cell does in small what the commands below it do at length: it writes
# a folder of text files, trains a model of all ratios on it, goes on from that model, and opens the result in
# `transformers`, where others can use it. Thirty steps are far too few, and are only there to be seen.

# %% id="train-your-own" tags=["nbval-ignore-output"]
import tempfile
from pathlib import Path

from mlm_mini.training import Reporter, fill, load_folder, open_start, recipe, train_folder

place = tempfile.TemporaryDirectory()
texts, first, second = (Path(place.name) / name for name in ("texts", "first", "second"))
texts.mkdir()
story = language.sample(2_000, np.random.default_rng(1613))
for part in range(4):
    lines = "\n".join(story.text(i) for i in range(part, len(story), 4))
    (texts / f"part{part}.txt").write_text(lines, encoding="utf-8")
short = {"steps": 30, "batch_size": 16, "objective": "diffusion"}
train_folder(texts, "tiny", recipe(texts, size="tiny", **short), first, vocabulary_size=600, report=Reporter())
start = open_start(first)  # any folder with a BERT and its tokenizer, from Hugging Face too
train_folder(texts, None, recipe(texts, size=start.model.config, **short), second, start=start, report=Reporter())
print("files to share:", ", ".join(sorted(path.name for path in second.glob("[a-z]*.*"))))

# %% id="share-your-own" tags=["nbval-ignore-output"]
import torch
import transformers

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
model, tokenizer = load_folder(second)
(guesses,) = fill(model, tokenizer, "the chef cuts the [MASK] .")
print("its blank:", ", ".join(f"{guess.token} {guess.probability:.2f}" for guess in guesses))
theirs = transformers.AutoModelForMaskedLM.from_pretrained(second)
row = torch.from_numpy(tokenizer.encode("the [MASK] ."))
with torch.no_grad():
    apart_logits = (theirs(row[None]).logits - model(row[None])).abs().max().item()
print("transformers gives the same logits within 0.0001:", apart_logits < 1e-4)
place.cleanup()

# %% [markdown] id="commands"
# - **Train on your own files:** `python3 course.py train --language my-texts --objective diffusion --out my-writer`.
#   Without `--objective` it learns to read, at one ratio. A `--mask-ratio` is refused here: a writer has all of them.
# - **Go on from a real BERT:** save one with `AutoModelForMaskedLM.from_pretrained(name).save_pretrained("bert")` and
#   the same with `AutoTokenizer`, then
#   `python3 course.py train --from bert --language my-texts --objective diffusion --out my-bert`. The first line,
#   *step 0*, says how well it did before.
# - **Stop and go on:** `--resume`; on a CPU the result is the same to the last bit.
# - **Export and share:** the folder is in Hugging Face's format already; `my-writer` and its tokenizer open with
#   `from_pretrained`. `training.json` beside them tells recipe and curve: share it too.
# - **Ask the claims yourself:** `python3 course.py claims` measures what this course says, on your machine, and prints
#   each rule with its verdict; `experiment writing --full` makes this chapter's study anew.
#
# You have built every part of this: the softmax, the loss, the mask, the encoder, the training, and the doubts. When
# you next read that something "is a sweet spot", you know what to ask: measured how, against what, and how sure?

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Carl Friedrich Gauss (1814). Methodus nova integralium valores per approximationem inveniendi. The quadrature.
# - Satosi Watanabe (1960). Information theoretical analysis of multivariate correlation. *IBM Journal of Research and
#   Development* 4. Total correlation.
# - Calyampudi Radhakrishna Rao (1945), *Bulletin of the Calcutta Mathematical Society* 37, and David Blackwell (1947),
#   *Annals of Mathematical Statistics* 18. Why a mean given what is seen has less noise.
# - Benigno Uria, Iain Murray and Hugo Larochelle (2014). A deep and tractable density estimator. *ICML*. All orders at
#   once.
# - Jacob Austin, Daniel D. Johnson, Jonathan Ho, Daniel Tarlow and Rianne van den Berg (2021). Structured denoising
#   diffusion models in discrete state-spaces. *NeurIPS*. Diffusion with masks, D3PM.
# - Huiwen Chang, Han Zhang, Lu Jiang, Ce Liu and William T. Freeman (2022). MaskGIT: Masked generative image
#   transformer. *CVPR*. Images in a few steps.
# - Subham Sekhar Sahoo and others (2024). Simple and effective masked diffusion language models. *NeurIPS*. MDLM.
# - Jiaxin Shi, Kehang Han, Zhe Wang, Arnaud Doucet and Michalis K. Titsias (2024). Simplified and generalized masked
#   diffusion for discrete data. *NeurIPS*.
# - Jingyang Ou and others (2025). Your absorbing discrete diffusion secretly models the conditional distributions of
#   clean data. *ICLR*. arXiv 2406.03736, where it appeared in 2024.
# - Shen Nie and others (2025). Large language diffusion models. arXiv 2502.09992. The same objective at eight billion
#   parameters.
# - Alex Wang and Kyunghyun Cho (2019). BERT has a mouth, and it must speak. *NeuralGen*. An earlier way to write with
#   BERT, with a correction worth reading.
