# ---
# jupyter:
#   course:
#     title: How much to mask
#     question: Is 15% the right amount?
#     minutes: 150
#     prerequisites: Chapters 03, 07 and 08
# ---

# %% [markdown] id="header"
# # 10 · How much to mask
#
# **Is 15% the right amount?**
#
# You will be able to
#
# - turn the two knobs of masking apart: how much is hidden, and how much is asked;
# - say exactly how much a sentence with holes in it still tells;
# - compare models that were asked different questions in training, at equal steps and at equal cost;
# - find the best ratio with an error bar, and say what a few seeds can tell and what they cannot;
# - say what `[MASK]` does to a model that will later read text without it.
#
# *150 minutes. Prerequisites: chapters 03, 07 and 08. The study of section 5 is too long to wait for and comes with the
# course; section 9 repeats a small part of it on your machine, which takes about two minutes the first time. Everything
# here runs on the CPU; on a GPU nothing changes but the time.*

# %% [markdown] id="how-it-works"
# `hint("10.two-knobs")` in a new cell gives one step of help at a time, and `failing("10.two-knobs")` hands you the
# smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run
# before yours do.

# %% id="setup"
import numpy as np
from IPython.display import Markdown

from mlm_mini import figures
from mlm_mini import reference as ref
from mlm_mini.course import check, failing, hint
from mlm_mini.experiments import draw_questions, find_experiment, mean_interval, question_kl
from mlm_mini.languages import scene_language

language = scene_language()
vocabulary = language.vocabulary

# %% [markdown] id="why-knobs"
# ## 1 · Two knobs
#
# Whoever masks more does two things at once. Less is left to read, so each question is harder. And more is asked, so
# each sentence teaches more. Wettig and others (2022) gave the two shares names, *corruption rate* and *prediction
# rate*. BERT turns both with one knob, but nothing ties them together: a word may be hidden and never asked for. Let
# $c$ be the share of the words that is hidden and $m \le c$ the share that is asked for. With $H$ the hidden and $A$
# the asked positions,
#
# $$A \subseteq H, \qquad P(t \in H) = c, \qquad P(t \in A) = m.$$

# %% id="ex-two-knobs"
# exercise: 10.two-knobs
def two_knobs(maskable, mask_ratio, prediction_ratio, rng):
    """Which tokens are hidden, and which of these are asked for.

    maskable: (B, T) bool; mask_ratio: the chance of a maskable token to be hidden, 0 and 1 included; prediction_ratio:
    its chance to be asked for, at most mask_ratio; rng: a NumPy Generator, the only one to draw from. Each token has
    its own luck, so that their number varies. Returns two (B, T) bool arrays.
    """
    # Where to start: chapter 03 selected with one uniform number for each token. How many are needed here?
    # <solution>
    u = rng.random(maskable.shape)
    return maskable & (u < mask_ratio), maskable & (u < prediction_ratio)
    # </solution>


# %% id="check-two-knobs"
check("10.two-knobs", two_knobs)

# %% [markdown] id="knobs-seen"
# `masked_batch` has both knobs too. Here a question mark is hidden and asked for, and a dot is hidden only.

# %% id="show-knobs"
from mlm_mini.reference import IGNORE_INDEX
from mlm_mini.training import Masking, masked_batch

text = "the minister spoke to the activist about the protest because he advocated for change ."
for c, m in ((0.15, 0.15), (0.4, 0.15), (0.4, 0.4)):
    batch = masked_batch(language.encode(text)[None], vocabulary, Masking(mask_ratio=c, prediction_ratio=m),
                         np.random.default_rng(3))
    shown = ["·" if token == "[MASK]" else token for token in vocabulary.words(batch.ids[0].numpy())]
    for position in batch.positions[0][batch.labels[0] != IGNORE_INDEX].tolist():
        shown[position] = "?"
    print(f"hidden {c:.0%}, asked {m:.0%}: ", *(token for token in shown if not token.startswith("[")))

# %% id="measure-knobs"
sample = language.sample(20_000, np.random.default_rng(10))
words = int(np.isin(sample.ids, vocabulary.regular_ids).sum())
batch = masked_batch(sample.ids, vocabulary, Masking(mask_ratio=0.4, prediction_ratio=0.15), np.random.default_rng(11))
hidden, asked = (batch.ids == vocabulary.mask_id).numpy(), (batch.labels != IGNORE_INDEX).numpy()
seen = ~np.take_along_axis(hidden, batch.positions.numpy(), axis=1)
print(f"of {words:,} words {hidden.sum() / words:.2f} are hidden and {asked.sum() / words:.2f} asked for; "
      f"asked for and visible: {(asked & seen).sum()}")

# %% [markdown] id="why-floor"
# ## 2 · What the rest of a sentence still tells
#
# The article this course grew from says that with half of the words missing the model has "insufficient context". Is
# it so? For the scene language there is an exact answer. Hide each word with probability $c$, and let $H_{bt}$ be the
# entropy of the exact posterior at a blank $t$ of sentence $b$. What the best possible reader pays per blank is the
# **floor**, with the error over sentences of chapter 07:
#
# $$F = \frac{1}{N} \sum_{b,t} H_{bt}, \qquad
# \mathrm{error} = \frac{1}{N} \sqrt{\sum_b \Big( \sum_t (H_{bt} - F) \Big)^2}, \qquad N \text{ blanks in all.}$$
#
# Blanks of one sentence are hard or easy together, so it is sentences that count as independent.

# %% id="ex-floor"
# exercise: 10.floor
def floor(posteriors, rows):
    """What the best reader pays per blank, and the standard error of that, in nats.

    posteriors: (N, V), the exact distribution at each blank, with zeros in it; rows: (N,) integers, the sentence of
    each blank, in any order, not every sentence having one. The error as in the formula: N blanks, and no n - 1.
    Returns two floats.
    """
    # Where to start: the entropy of each row, with 0 log 0 = 0. Then their mean.
    # <solution>
    log_p = np.log(posteriors, where=posteriors > 0, out=np.zeros_like(posteriors))
    entropies = -(posteriors * log_p).sum(axis=1)
    mean = entropies.mean()
    residuals = np.bincount(rows, entropies - mean)
    return mean, np.sqrt((residuals**2).sum()) / len(entropies)
    # </solution>


# %% id="check-floor"
check("10.floor", floor)

# %% [markdown] id="two-ends"
# Two ends frame the curve. At one, a single word is hidden and all others are visible: more context there cannot be.
# At the other every word is hidden, and all that is left is where a blank stands and how long the sentence is.

# %% id="how-to-ask"
def per_blank(posteriors, rows):
    """As in the exercise, and how often the best guess is right."""
    entropies = ref.entropy(posteriors)
    residuals = np.bincount(rows, entropies - entropies.mean())
    return entropies.mean(), np.sqrt((residuals**2).sum()) / len(rows), posteriors.max(axis=1).mean()


def one_at_a_time(sentences):
    """Posteriors (N, V) of each word of some sentences (B, T) when it alone is hidden, and its sentence (N,)."""
    rows, places = np.nonzero(np.isin(sentences, vocabulary.regular_ids))
    seen = sentences[rows]
    seen[np.arange(len(rows)), places] = vocabulary.mask_id
    return language.posterior_at(seen, places[:, None])[:, 0], rows


# %% id="measure-floor"
exact = {0.0: per_blank(*one_at_a_time(sample.ids[:600]))}
for ratio in (0.05, 0.15, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
    questions = draw_questions(language, 3_000, ratio, np.random.default_rng(12))  # the same sentences for each ratio
    exact[ratio] = per_blank(questions.posterior, questions.rows)
all_others, only_length = exact[0.0][0], exact[1.0][0]
left = {ratio: (only_length - F) / (only_length - all_others) for ratio, (F, _, _) in exact.items()}
unigram = ref.entropy(np.bincount(sample.ids.ravel(), minlength=len(vocabulary))[vocabulary.regular_ids] / words)
print(f"who knows only how frequent words are pays {unigram:.1f} nats; who knows place and length, {only_length:.1f}")
print("(± is one standard error, over the sentences of the sample)")
for ratio in (0.0, 0.15, 0.5, 0.8, 1.0):
    F, error, right = exact[ratio]
    name = f"{ratio:.0%} hidden" if ratio else "one word hidden"
    print(f"{name:16} floor {F:.2f} ± {error:.2f} nats, {F / unigram:.0%} of {unigram:.1f}; "
          f"best guess right in {right:.0%}; context left {left[ratio]:.0%}")

# %% id="fig-floor" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 3.4)
ratios, (floors, errors, _) = np.array(list(exact)), np.array(list(exact.values())).T
ax.fill_between(ratios, floors - 1.96 * errors, floors + 1.96 * errors, color=figures.SKY, alpha=0.4, linewidth=0)
ax.plot(ratios, floors, "o-", color=figures.BLUE, markersize=4)
ax.axhline(only_length, color=figures.BLACK, linestyle=":")
ax.text(0.0, only_length, "all hidden: only place and length are known", va="bottom")
ax.text(1.0, 0.05, "band: 95%, over sentences (barely wider than the line)", ha="right", fontsize=9)
for ratio in (0.15, 0.5, 0.8):
    ax.annotate(f"{left[ratio]:.0%} of the context left", (ratio, exact[ratio][0]), (8, -10),
                textcoords="offset points")
ax.set(xlabel="share of the words that is hidden", ylabel="exact floor (nats per blank)", ylim=(0, 1.12 * only_length))
ax.set_title(f"With half of the words hidden, {left[0.5]:.0%} of what the others can tell is still told")
figures.show(figure, alt="The exact floor in nats per blank rises with the share of hidden words: "
             + ", ".join(f"{F:.2f} at {ratio:g}" for ratio, (F, _, _) in exact.items())
             + f". Half hidden, {left[0.5]:.0%} of the context's value is left, at 0.8 {left[0.8]:.0%}.")

# %% [markdown] id="floor-note"
# "Context left" is what the visible words tell about a hidden one, in nats, as a share of what *all* the other words
# would tell. Words repeat each other: a verb tells its object and the object its verb, so half of them tell far more
# than half. The scene language is small and its sentences are short; in real text nobody knows the floor, and how fast
# context is lost there has to be judged by what models learn.
#
# The other effect goes the other way: more is asked. Both together: if a sentence has $W$ words, a share $m$ is asked
# for, and a share $c$ is hidden, then the visible words of one sentence tell about the words asked for
#
# $$W \, m \, \big( F(1) - F(c) \big) \text{ nats.}$$

# %% id="ex-context-nats"
# exercise: 10.context-nats
def context_nats(floors, without, prediction_ratios, words):
    """What the visible words of a sentence tell about those that are asked for, in nats per sentence.

    floors: (R,), the floor per blank at each of R corruption ratios; without: what a blank costs when nothing is
    visible; prediction_ratios: (R,), the share of the words asked for; words: how many a sentence has. Returns (R,).
    """
    # Where to start: for one blank, the difference that context makes. Then: how many blanks are asked for?
    # <solution>
    return words * prediction_ratios * (without - floors)
    # </solution>


# %% id="check-context-nats"
check("10.context-nats", context_nats)

# %% id="measure-context-nats"
W = words / len(sample)
told = W * ratios * (only_length - floors)  # one knob: what is hidden is asked for
peak = ratios[told.argmax()]
print(f"a sentence has {W:.1f} words on average; with one knob, its context tells most about its questions at ratio "
      f"{peak:g}: {told.max():.1f} nats, beside {told[ratios == 0.15][0]:.1f} at 0.15")

# %% [markdown] id="context-note"
# That is a rule of thumb, and no more: how much there is to learn from is not how well a model learns from it. It
# gives a first guess that can be held against a measurement. For large models of English the published answer, by two
# collections of language tasks, GLUE and SQuAD, is this: Wettig and others (2022) "find that masking 40% outperforms
# 15% for BERT-large size models on GLUE and SQuAD", and that a rate of 80% "can still preserve 95% fine-tuning
# performance".

# %% [markdown] id="try-knobs"
# Turn both knobs yourself (arrow keys work, and numbers can be typed). The floor follows what is hidden. The noise of
# the gradient, measured as in chapter 09 on a small new model, follows what is asked. Asking cannot go further than
# hiding: the knob that would be passed is taken along, and the line of text says so.

# %% id="widget-two-knobs" tags=["nbval-ignore-output"]
from mlm_mini.widgets import two_knobs_widget

two_knobs_widget()

# %% [markdown] id="without-a-kernel"
# Without a running kernel the sliders do not move; this is what they show at 0.4 hidden and 0.15 asked for.

# %% id="fig-two-knobs" tags=["nbval-ignore-output"]
from mlm_mini.widgets.economics import two_knobs_figure

figure, alt = two_knobs_figure(mask_ratio=0.4, prediction_ratio=0.15)
figures.show(figure, alt)

# %% [markdown] id="why-same-questions"
# ## 3 · The same questions for everyone
#
# One model was trained at 15% and ends with a loss of 1.4 nats, another at 50% and ends with 1.6. Which is better?
# From these numbers nobody can tell: the second was asked harder questions. Here is a single model, that of chapter
# 07, asked at five ratios. Its loss is the floor of the questions, which is not its fault, plus KL(exact, model),
# which is.

# %% id="measure-same-model" tags=["nbval-ignore-output"]
from mlm_mini.training import LiveCurve, cached_model

trained = cached_model("scenes", report=LiveCurve)
parts = {}
for ratio in (0.05, 0.15, 0.3, 0.5, 0.8):
    questions = draw_questions(language, 1_000, ratio, np.random.default_rng(13))
    parts[ratio] = questions.floor, float(question_kl(trained.model, questions).mean())
    floor_part, kl_part = parts[ratio]
    error = per_blank(questions.posterior, questions.rows)[1]
    print(f"asked at {ratio:4}: loss {floor_part + kl_part:.2f} = floor {floor_part:.2f} + KL {kl_part:.2f} nats "
          f"(one standard error of the floor: {error:.2f})")

# %% id="fig-same-model" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 2.8)
names, heights = [f"{ratio:.0%}" for ratio in parts], np.array(list(parts.values())).T
ax.bar(names, heights[0], color=figures.SKY, label="floor of the questions")
ax.bar(names, heights[1], bottom=heights[0], color=figures.RED, hatch="//", label="KL: the model's own part")
ax.set(xlabel="share of the words hidden when asked", ylabel="loss (nats per blank)")
ax.grid(axis="x", visible=False)
ax.legend()
low, high = heights.sum(axis=0)[[0, -1]]
share = (heights[0, -1] - heights[0, 0]) / (high - low)
ax.set_title(f"One model, losses from {low:.1f} to {high:.1f} nats: {share:.0%} of the rise is the questions'")
figures.show(figure, alt="Bars of one model's loss in nats at five ratios, in two parts: " + "; ".join(
    f"at {ratio:g} floor {a:.2f} and KL {b:.2f}" for ratio, (a, b) in parts.items()) + ".")

# %% [markdown] id="same-questions"
# So every model of the study, whatever it was trained at, is asked at the same blanks: 1,500 sentences with 15% of the
# words hidden, drawn once. What counts is KL(exact, model), over the whole distribution and not at the word that
# happened to stand there. A second set, with half of the words hidden, will tell whether the answer hangs on the
# question.
#
# ## 4 · Equal what?
#
# Equal steps are not equal cost. A token that is asked for needs logits, and these need operations (chapter 08). If
# the blocks cost $a$ operations per token, a prediction costs $h$, and a share $w$ of the tokens are words, then at
# ratio $m$ a token costs $a + h\,w\,m$.

# %% id="ex-equal-steps"
# exercise: 10.equal-steps
def equal_steps(steps, reference, ratios, body, head, words):
    """How many steps at each ratio cost what `steps` cost at the ratio `reference`.

    ratios: (R,); body: operations per token whatever is asked; head: operations per prediction; words: the share of
    the tokens that are words, of which a ratio asks for its share. Returns (R,) integers, the nearest, at least 1.
    """
    # Where to start: what one token costs at each ratio, and at the reference.
    # <solution>
    costs = body + head * words * ratios
    usual = body + head * words * reference
    return np.maximum(1, np.rint(steps * usual / costs)).astype(np.int64)
    # </solution>


# %% id="check-equal-steps"
check("10.equal-steps", equal_steps)

# %% id="measure-cost"
from mlm_mini.model import ModelConfig

length, V = (sample.ids != vocabulary.pad_id).sum() / len(sample), len(vocabulary)
shapes = {"tiny": (ModelConfig.tiny(V), length), "mini": (ModelConfig.mini(V), length),
          "BERT-base": (ModelConfig.base(), 128)}
for name, (shape, T) in shapes.items():
    cost = {r: shape.training_flops_per_token(T, r * (T - 2) / T) for r in (0.01, 0.15, 0.4, 0.8)}
    steps = ", ".join(f"{1000 * cost[0.15] / cost[r]:,.0f} at {r:g}" for r in cost if r != 0.15)
    print(f"{name:10}for 1,000 steps at 0.15: {steps}")

# %% [markdown] id="cost-note"
# Questions are cheap beside reading, for BERT too. That is because logits are computed only where something is asked
# (chapter 06); code that computes them everywhere pays for all of them at any ratio.

# %% [markdown] id="the-study"
# ## 5 · The study
#
# Eight ratios from 1% to 80%, at equal steps: for two sizes with two budgets, and for a third size, `wide`, with the
# smaller budget. All three have two blocks, of width 64, 128 and 256. The same again at equal FLOPs for the smaller
# budget; some runs with the knobs apart, some with 80/10/10. Each is run with several seeds. A seed settles the text
# and the first weights, so that two ratios of one seed are a pair.
#
# And one thing that is easily forgotten. A ratio that asks for more has gradients with less noise, and can bear a
# higher learning rate. With one rate for all, the study would compare how well each ratio puts up with that rate. So
# every **arm**, as the ways that a study compares are called, has a rate of its own, the best of four, chosen with one
# seed that is used for nothing else. All of it was measured once:

# %% id="load-study"
from mlm_mini.shipped import shipped

study, origin = find_experiment("mask_ratio").shipped(), shipped("experiments", "mask_ratio")
hours = sum(score.cpu_seconds for score in study.scores) / 3600
print(f"{len(study.scores)} models, of {study.config.seeds} seeds, in {hours:.1f} hours of one core")
print(f"by `{origin['command']}`, {origin['date']}, on {origin['machine']}")

# %% id="show-rates"
print(f"learning rates tried: {', '.join(f'{rate:g}' for rate in study.config.rates)}. Chosen at a mask ratio of")
print(f"{'':18}" + "".join(f"{ratio:>8g}" for ratio in study.config.ratios))
for size, steps in study.columns():
    chosen = [study.of(size, steps, mask_ratio=ratio)[0].cell.learning_rate for ratio in study.config.ratios]
    edge = [f"{rate:g}{'*' * (rate in (min(study.config.rates), max(study.config.rates)))}" for rate in chosen]
    print(f"{f'{size}, {steps:,} steps':18}" + "".join(f"{rate:>8}" for rate in edge))
print("* at the edge of the rates tried: a rate beyond it might be better still")

# %% id="fig-study" tags=["nbval-ignore-output"]
study.show()

# %% [markdown] id="read-study"
# Both axes are logarithmic. Bars are 95% intervals over seeds; they leave out that the rate was chosen by one run,
# which may choose another one tomorrow. A filled marker stands at each ratio that is as good as the best one of its
# line, as far as these seeds can tell. How is that decided? Not by whether two bars overlap: a seed that brings lucky
# first weights brings them to every ratio. Take the difference within each seed. For $S$ seeds with differences $d_s$
# from the ratio with the lowest mean, the interval is
#
# $$\bar d \pm t \, \frac{\mathrm{sd}(d)}{\sqrt S},$$
#
# where $t$ is 4.30 for three seeds, 2.78 for five, and nears 1.96 for many (Student 1908): a standard deviation of a
# few numbers is itself uncertain. A ratio is as good as the best if its interval reaches down to zero.

# %% id="ex-behind"
# exercise: 10.behind
def behind(scores, t):
    """How far each ratio is behind the one with the lowest mean, and the margin of that.

    scores: (R, S), lower is better, one column for each of S seeds, S at least 2; t: the quantile for S - 1 degrees of
    freedom. Returns two (R,) arrays: the mean differences, and t standard errors of them (n - 1 in the standard
    deviation); both are 0 for the best itself.
    """
    # Where to start: which row is the best? Subtract it from every row, seed by seed.
    # <solution>
    best = scores[scores.mean(axis=1).argmin()]
    difference = scores - best
    margin = t * difference.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
    return difference.mean(axis=1), margin
    # </solution>


# %% id="check-behind"
check("10.behind", behind)

# %% id="measure-as-good"
COLORS = (figures.SKY, figures.BLUE, figures.ORANGE, figures.RED, figures.GREEN)
COLUMNS = {f"{size}, {steps:,} steps": (size, steps, {}) for size, steps in study.columns()}
COLUMNS |= {f"{size}, equal FLOPs": (size, None, {"budget": "flops"}) for size in study.config.sizes}
bests = {name: study.best(size, steps, **fields) for name, (size, steps, fields) in COLUMNS.items()}
at = {ratio: place for place, ratio in enumerate(study.config.ratios)}  # a ratio's row
for name, (size, steps, fields) in COLUMNS.items():
    kl, best = study.kl(size, steps, **fields), bests[name]
    lost, usual = mean_interval(kl[at[0.15]] - kl[at[best.lowest]]), kl[at[0.15]].mean()
    print(f"{name:18} lowest at {best.lowest:g}, as good: {', '.join(f'{r:g}' for r in best.as_good)}")
    print(f"{'':18} 15% is behind by {lost.value:.3f} ± {lost.high - lost.value:.3f} nats, of {usual:.3f}")

# %% [markdown] id="why-lowest"
# The lowest of eight measured ratios is a coarse answer. Three points, the lowest and its neighbors, lie on a
# parabola, whose bottom may be between them. Ratios and scores go by factors, so take logs of both.

# %% id="ex-lowest-point"
# exercise: 10.lowest-point
def lowest_point(ratios, scores):
    """The ratio at which a parabola through the lowest score and its two neighbors is lowest, on the logs of both.

    ratios: (R,), rising; scores: (R,), above 0, R at least 3. Of equally low scores the first counts. If the lowest
    score is the first or the last one, its ratio. Returns a float.
    """
    # Where to start: the place of the lowest score. Is it an end?
    # <solution>
    i = int(np.argmin(scores))
    if i in (0, len(ratios) - 1):
        return float(ratios[i])
    x, y = np.log(ratios[i - 1 : i + 2]), np.log(scores[i - 1 : i + 2])
    a, b, _ = np.polyfit(x, y, 2)
    return float(np.exp(-b / (2 * a)))
    # </solution>


# %% id="check-lowest-point"
check("10.lowest-point", lowest_point)

# %% [markdown] id="why-interval"
# And how sure is that number? Each seed is an experiment of its own, with a lowest point of its own. These are $S$
# numbers like any others, and their logs have a mean and a t interval.

# %% id="ex-best-interval"
# exercise: 10.best-interval
def best_interval(ratios, scores, lowest, t):
    """The best ratio with its 95% interval: the mean of the seeds' lowest points, on the log.

    ratios: (R,); scores: (R, S), one column for each seed; lowest: a function of ratios (R,) and scores (R,) that
    returns a float; t: the quantile for S - 1 degrees of freedom, n - 1 in the standard deviation too. Returns three
    floats: middle, lower and upper end.
    """
    # Where to start: one lowest point for each column of scores.
    # <solution>
    logs = np.log([lowest(ratios, of_one_seed) for of_one_seed in scores.T])
    middle, margin = logs.mean(), t * logs.std(ddof=1) / np.sqrt(len(logs))
    return tuple(float(np.exp(x)) for x in (middle, middle - margin, middle + margin))
    # </solution>


# %% id="check-best-interval"
check("10.best-interval", best_interval)

# %% [markdown] id="why-not-bootstrap"
# Many papers take the **bootstrap** here (Efron 1979): draw as many seeds again from those there are, with repetition,
# and see how the mean varies. It is a fine tool for many values. From five it can draw only what these five have,
# which is less than what there is. How often does each interval hold the true mean? Try it where the truth is known,
# at zero:

# %% id="measure-coverage"
from scipy import stats

rng = np.random.default_rng(14)
for S in (5, 20, 100):
    values = rng.normal(size=(4_000, S))
    margin = stats.t.ppf(0.975, S - 1) * values.std(axis=1, ddof=1) / np.sqrt(S)
    drawn = (rng.integers(0, S, values.shape) for _ in range(200))
    again = [np.take_along_axis(values, seeds, axis=1).mean(axis=1) for seeds in drawn]
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    print(f"{S:3} values: the t interval holds the truth in {(np.abs(values.mean(axis=1)) <= margin).mean():.0%}, "
          f"the bootstrap's in {((low <= 0) & (high >= 0)).mean():.0%}")

# %% id="measure-best"
harder = {name: study.best(size, steps, at=1, **fields) for name, (size, steps, fields) in COLUMNS.items()}


def two_digits(estimate):
    """A ratio with its interval, for printing."""
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"


for name in COLUMNS:
    print(f"{name:18} best ratio, asked at 15%: {two_digits(bests[name].ratio)}; "
          f"asked at 50%: {two_digits(harder[name].ratio)}")
print(f"the rule of thumb of section 2: {peak:g}")

# %% id="fig-best" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 3.6)
for found, color, marker, lift in ((bests, figures.BLUE, "o", 0.13), (harder, figures.RED, "s", -0.13)):
    middle, low, high = np.array([best.ratio for best in found.values()]).T
    name = "asked at 15%" if found is bests else "asked at 50%"
    ax.errorbar(middle, np.arange(len(found))[::-1] + lift, xerr=[middle - low, high - middle], fmt=marker, label=name,
                color=color)
for ratio, who in ((0.15, "BERT"), (0.4, "Wettig et al.")):
    ax.plot([ratio, ratio], [-0.5, len(bests) - 0.5], color=figures.BLACK, linestyle=":", linewidth=1)
    ax.text(ratio, len(bests) - 0.5, who, ha="center", va="bottom", fontsize=9)
ax.set_yticks(range(len(bests)), list(bests)[::-1])
study.mark_ratios(ax)
ax.set(xlim=(0.1, 1), ylim=(-0.5, len(bests)), xlabel="best mask ratio, with its 95% interval over seeds")
ax.legend(loc="lower left")
values = [best.ratio.value for best in bests.values()]
ax.set_title(f"Asked at 15%, the best ratio is {min(values):.2f} to {max(values):.2f}")
figures.show(figure, alt="The best mask ratio and its interval for each size and budget: " + "; ".join(
    f"{n} {two_digits(bests[n].ratio)} asked at 15%, {two_digits(harder[n].ratio)} at 50%" for n in COLUMNS) + ".")

# %% [markdown] id="why-moves"
# What moves it? The seeds are pairs here as well: the same seed has a lowest point in each column, and the log of
# their quotient has an interval. Where that holds 1, these seeds cannot tell. One of the questions is that of Wettig
# and others (2022), who report that larger models do best at larger ratios: does a larger model want more?

# %% id="measure-moves"
from mlm_mini.experiments.ratio.best import lowest_points


def moved(one, other, asked=(0, 0)):
    """By which factor the best ratio changes from one column to another, in words."""
    points = [np.log(lowest_points(study.config.ratios, study.kl(size, steps, at=where, **fields)))
              for where, (size, steps, fields) in zip(asked, (COLUMNS[one], COLUMNS[other]))]
    factor = np.exp(mean_interval(points[1] - points[0]))
    word = "no telling" if factor[1] <= 1 <= factor[2] else "higher" if factor[0] > 1 else "lower"
    return f"times {factor[0]:.3f} ({factor[1]:.3f} to {factor[2]:.3f}): {word}", word


told = []


def tell(what, one, other, asked=(0, 0)):
    """Print how the best ratio moves, and keep the word."""
    sentence, word = moved(one, other, asked)
    told.append((what, word))
    print(f"{what}: {sentence}")


(small, large), (short, long) = study.config.sizes, study.config.steps
for size in (small, large):
    tell(f"{size}, from {short} to {long} steps", f"{size}, {short:,} steps", f"{size}, {long:,} steps")
for steps in (short, long):
    tell(f"{steps} steps, from {small} to {large}", f"{small}, {steps:,} steps", f"{large}, {steps:,} steps")
for wide in study.config.largest:
    for size in (small, large):
        tell(f"{short} steps, from {size} to {wide}", f"{size}, {short:,} steps", f"{wide}, {short:,} steps")
for name in COLUMNS:
    tell(f"{name}, from asked at 15% to asked at 50%", name, name, asked=(0, 1))
print(f"{len(told)} intervals of 95%, each by itself: about {0.05 * len(told):.1f} of them miss by chance")

# %% id="moves-note" tags=["nbval-ignore-output"]
sized = [(what, word) for what, word in told if "steps, from" in what and "asked" not in what]
sure = [f"{what}: {word}" for what, word in sized if word != "no telling"]
answer = (f"These seeds tell in {len(sure)} of {len(sized)} comparisons of sizes: {'; '.join(sure)}." if sure else
          f"These seeds cannot tell: in all {len(sized)} comparisons of sizes the interval of the factor holds 1.")
Markdown(f"""
**Does a larger model want more?** {answer}
The largest model here is small, and Wettig and others compare models hundreds of times larger.

Set the rule of thumb of section 2 beside the figures, which counts only how much the context tells about what is asked.
It does not count everything. A hard question has many possible answers, and one sampled answer is then a poor witness
of the whole distribution: it may take more questions to learn as much.
""")

# %% [markdown] id="why-too-few"
# ## 6 · Too few
#
# How slow is 1%? Spend all the steps of a run at 1%. How many does another ratio need, with the same seed, to come as
# near to the floor? `study.steps_to_reach` is chapter 08's cost to reach. A curve has twelve points; if its first is
# near enough already, its steps count, though fewer would have done, and the advantage is *at least* that. The same in
# operations (flops), and in predictions, of which 1% makes few.

# %% id="measure-reach"
faster, bounded = {}, set()  # how much faster than 1%, in steps, (R, S); of which columns it is a lower bound
for size, steps in study.columns():
    ends = np.array([score.curve[-1][1] for score in study.of(size, steps, mask_ratio=0.01)])
    taken = study.steps_to_reach(size, steps, ends)  # (R, S)
    faster[f"{size}, {steps:,} steps"], usual = steps / taken, taken[at[0.15]]
    bound = "at least " if usual.min() == study.of(size, steps, mask_ratio=0.15)[0].curve[0][0] else ""
    bounded |= {f"{size}, {steps:,} steps"} if bound else set()
    print(f"{size}: where {steps} steps at 1% end, 15% is after {usual.mean():.0f} steps. 1% spends")
    for unit in ("steps", "flops", "predictions"):
        price = [study.values(unit, size, steps, mask_ratio=r) for r in (0.01, 0.15)] if unit != "steps" else [1, 1]
        more, low, high = np.exp(mean_interval(np.log(steps / usual * price[0] / price[1])))
        print(f"    {bound}{more:.2g} times the {unit} ({low:.2g} to {high:.2g})")

# %% [markdown] id="why-unstable"
# The article also calls training at 1% "unstable". The gradient's noise is chapter 09's matter. What comes of it shows
# in two ways: in how often a curve goes up from one of its points to the next, and in how much the ends of runs differ
# that differ in nothing but their seed. (Chapter 09 asked on the way as well, for how *much* of the way is given back.)
# For the ends, take the standard deviation of the KL over seeds, in nats; and that of ln KL, which is a relative
# scatter. Both are pooled over sizes and budgets, as if these were independent. A variance of $n$ independent normal
# numbers, over the true one, follows the **chi-squared distribution** with $n - 1$ degrees of freedom, divided by
# $n - 1$; its quantiles give the relative scatter an interval.

# %% id="measure-unstable"
rises = [mean_interval(100 * np.mean([study.rises(*column, mask_ratio=ratio) for column in study.columns()], axis=0))
         for ratio in study.config.ratios]  # a curve goes up: in percent of its points, for each seed
logs = np.log(np.stack([study.kl(size, steps) for size, steps in study.columns()]))  # (columns, R, S)
freedom = logs.shape[0] * (logs.shape[2] - 1)
scatter = np.array([100 * study.scatter(ratio) for ratio in study.config.ratios])  # (R,) in percent
bounds = scatter[:, None] * np.sqrt(freedom / stats.chi2.ppf([0.975, 0.025], freedom))
in_nats = np.sqrt(np.exp(logs).var(axis=2, ddof=1).mean(axis=0))  # (R,)
for ratio, rise, nats, sd, (low, high) in zip(study.config.ratios, rises, in_nats, scatter, bounds):
    print(f"trained at {ratio:4g}: up at {rise.value:.1f}% of the points ({rise.low:.1f} to {rise.high:.1f}); "
          f"ends scatter by {nats:.3f} nats, {sd:.1f}% of their KL ({low:.1f} to {high:.1f})")

# %% id="unstable-note" tags=["nbval-ignore-output"]
Markdown(f"""
So the word has several answers. On the way, a training at 1% goes up more often. Its ends scatter by
{in_nats[at[0.01]]:.3f} nats over seeds, those at 15% by {in_nats[at[0.15]]:.3f}; as a share of how far they stayed from
the goal, by {scatter[at[0.01]]:.1f}% and {scatter[at[0.15]]:.1f}%.
""")

# %% id="fig-too-few" tags=["nbval-ignore-output"]
figure, (ax, bx) = figures.new_figure(10, 3.4, columns=2)
for (name, times), style, color in zip(faster.items(), ("o-", "s--", "D-.", "^:", "v-"), COLORS):
    ax.plot(study.config.ratios, np.exp(np.log(times).mean(axis=1)), style, color=color, markersize=4, label=name)
middle, low, high = np.array(rises).T
bx.errorbar(study.config.ratios, middle, [middle - low, high - middle], color=figures.BLUE, marker="o", capsize=2)
study.mark_ratios(ax)
study.mark_ratios(bx)
ax.axhline(12, color=figures.BLACK, linestyle=":", linewidth=1)
ax.text(0.01, 12, "at the first of twelve points: at least 12", va="bottom", fontsize=9)
ax.set(ylabel="times as fast as 1%, in steps", ylim=(0, 13.5))
ax.legend()
bx.set(ylabel="points at which the gap goes up (%)", ylim=(0, None))
quick = [float(np.exp(np.log(times[at[0.15]]).mean())) for times in faster.values()]
at_least = "at least " if bounded else ""
ax.set_title(f"15% is {at_least}{min(quick):.1f} to {max(quick):.1f} times as fast as 1%")
bx.set_title(f"Curves go up at {middle[at[0.01]]:.0f}% of their points at 1%, {middle[at[0.15]]:.0f}% at 15%")
by_column = ", ".join(f"{name} {each:.1f}" for name, each in zip(faster, quick))
by_ratio = ", ".join(f"{share:.0f}% at {ratio:g}" for ratio, share in zip(study.config.ratios, middle))
figures.show(figure, alt=f"Left, how many times faster in steps than 1% is 15%: {by_column}. Right, share of the "
             f"points at which the gap goes up: {by_ratio}.")

# %% [markdown] id="why-apart"
# ## 7 · The knobs apart
#
# Now the two effects by themselves. Hold the predictions and hide more: only the context gets poorer. Hold what is
# hidden and ask for more of it: only the number of questions grows. Differences are within seeds.

# %% id="measure-apart"
size = study.config.knob_sizes[0]
knobs = study.knobs(size)  # (hidden, asked) -> KL (S,)


def neighbors(held):
    """Pairs of settings that differ in one knob, by one notch: held is the place of the other knob in a pair."""
    ordered = sorted(knobs, key=lambda pair: (pair[held], pair[1 - held]))
    return [(one, other) for one, other in zip(ordered, ordered[1:]) if one[held] == other[held]]


effects = {"hide more": neighbors(1), "ask more": neighbors(0)}
changes = {kind: [mean_interval(knobs[other] - knobs[one]) for one, other in pairs] for kind, pairs in effects.items()}
for kind, pairs in effects.items():
    for (one, other), change in zip(pairs, changes[kind]):
        print(f"{kind + ':':10} hidden {one[0]:.0%}, asked {one[1]:.0%} -> {other[0]:.0%}, {other[1]:.0%}:  "
              f"KL {change.value:+.3f} ({change.low:+.3f} to {change.high:+.3f}) nats")

# %% id="fig-apart" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(10, 3.4, columns=2)
looks = dict(zip(sorted({x for pair in knobs for x in pair}), zip(("o-", "s--", "D-.", "^:"), COLORS)))
for ax, held, word in ((axes[0], 1, "asked"), (axes[1], 0, "hidden")):
    for fixed in sorted({one[held] for one, _ in effects["hide more" if held else "ask more"]}):
        line = sorted((pair[1 - held], kl.mean()) for pair, kl in knobs.items() if pair[held] == fixed)
        ax.plot(*zip(*line), looks[fixed][0], color=looks[fixed][1])
        side = "right" if line[-1][0] < 0.2 else "left"
        ax.annotate(f"  {word} {fixed:.0%}  ", line[-1], color=looks[fixed][1], va="center", ha=side)
    ax.set(xlim=(-0.05, 0.85), ylim=(0, 1.1 * max(kl.mean() for kl in knobs.values())))
harm, help_ = sum(c.low > 0 for c in changes["hide more"]), sum(c.high < 0 for c in changes["ask more"])
axes[0].set(xlabel="share hidden", ylabel="KL to the exact posterior (nats)")
axes[1].set(xlabel="share asked")
axes[0].set_title(f"Hiding more does harm in {harm} of {len(changes['hide more'])} steps")
axes[1].set_title(f"Asking more helps in {help_} of {len(changes['ask more'])} steps")
figures.show(figure, alt=f"KL in nats of {size} models with the knobs apart: " + "; ".join(
    f"hidden {c:.0%}, asked {m:.0%}: {kl.mean():.3f}" for (c, m), kl in knobs.items()) + ".")

# %% [markdown] id="apart-note"
# Where asking more helps and hiding more does harm, the mask ratio is a compromise of the two, and no quantity of its
# own. Whoever can ask for more without hiding more should: a causal model asks for every token, and ELECTRA (Clark and
# others 2020) found a way to ask about every token with both sides visible.
#
# ## 8 · What `[MASK]` does to clean text
#
# `[MASK]` never occurs in the text that a finished model reads. Chapter 03 told BERT's remedy: of the selected tokens
# 10% are replaced by a random word and 10% stay. So the model is sometimes asked about a word that it sees, and cannot
# know whether to believe it. How far should it? Let $p$ be the probability of the word given all others, $k$ the share
# kept, and $r$ the share replaced by a word drawn uniformly from all $V$, itself included. Bayes' rule asks for two
# probabilities:
#
# $$P(\text{true} \mid \text{seen}) = \frac{P(\text{it stood there and is seen})}{P(\text{it is seen})}.$$

# %% id="ex-trust"
# exercise: 10.trust
def trust(p, keep, random, V):
    """The probability that a selected token which shows a word really was that word.

    p: (N,), the probability of the shown word given all the others; keep, random: the shares of selected tokens that
    stay, and that become a word drawn uniformly from all V. The rest became [MASK]. Returns (N,).
    """
    # Where to start: in which two ways can the true word be what is seen? And in which ways can this word be seen?
    # <solution>
    true_and_seen = p * (keep + random / V)
    seen = p * keep + random / V
    return true_and_seen / seen
    # </solution>


# %% id="check-trust"
check("10.trust", trust)

# %% [markdown] id="trust-note"
# The scene language's `posterior_under_corruption` computes the same for whole sentences. On clean text, where it may
# trust all the other words, a perfect reader of 80/10/10 pays this much for a word before its eyes:

# %% id="measure-trust"
clean, n = sample.ids[:150], len(vocabulary.regular_ids)
alone, rows = one_at_a_time(clean)
_, places = np.nonzero(np.isin(clean, vocabulary.regular_ids))
each = np.arange(len(rows)), clean[rows, places]  # a word and its place, for an array (N, V)
believed = alone[each] * (0.1 + 0.1 / n) / (alone[each] * 0.1 + 0.1 / n)
checked = language.posterior_under_corruption(clean[rows], places[:, None], 0.0, (0.8, 0.1, 0.1))[:, 0][each]
print("the language agrees within 1e-9:", bool(np.abs(checked - believed).max() < 1e-9))
copying = -np.log(believed).mean()
print(f"words are believed at {believed.mean():.1%} on average, the least likely of {len(rows):,} at "
      f"{believed.min():.0%}")
print(f"on clean text the perfect reader of 80/10/10 pays {copying:.2f} nats for a word that it sees")

# %% [markdown] id="why-clean"
# A model that knows only `[MASK]` was never asked about a visible word: what it answers there, nothing has trained.
# The mismatch, as a number: the surprisal of a word before its eyes, less what it is after 80/10/10. Whether it does
# damage is another question. After pre-training, a model's vectors are used. So a **probe** is fitted to them: on clean
# text, does the vector of a noun tell whether it is the agent or the patient of its sentence? (Chapter 13 has more on
# probes.)

# %% id="measure-clean"
from mlm_mini.experiments.lab.intervals import paired_difference
from mlm_mini.reference.masking import BERT_SPLIT

UNITS = {"kl": "KL in nats", "probe_accuracy": "probe right", "copy_nats": "seen word in nats"}
mixed = {}  # figures of 80/10/10, over its seeds
for size in study.config.sizes:
    for ratio in study.config.split_ratios:
        print(f"{size}, {long} steps, {ratio:.0%}: with [MASK] alone, with 80/10/10, and the difference within seeds")
        for unit, name in UNITS.items():
            plain, split = (study.values(unit, size, long, mask_ratio=ratio, **fields)
                            for fields in ({}, {"split": BERT_SPLIT}))
            change, mixed[size, ratio, unit] = mean_interval(paired_difference(split, plain)), split.mean()
            of_these = plain[: len(split)].mean()  # the seeds that 80/10/10 has
            print(f"    {name:18}{of_these:7.3f}{split.mean():7.3f}  {change.low:+.3f} to {change.high:+.3f}")

# %% id="measure-probe"
def over_ratios(unit, size):
    """Mean, lower and upper end of a figure at each ratio, with [MASK] alone, after the longer training: (3, R)."""
    return np.array([mean_interval(study.values(unit, size, long, mask_ratio=r)) for r in study.config.ratios]).T


both = [at[ratio] for ratio in study.config.split_ratios]  # where 80/10/10 was run as well
copied = np.mean([over_ratios("copy_nats", size)[0, both] for size in (small, large)])
copied_split = np.mean([nats for (_, _, unit), nats in mixed.items() if unit == "copy_nats"])
halved = {size: mean_interval(100 * (study.values("probe_accuracy", size, long, mask_ratio=0.5)
                                     - study.values("probe_accuracy", size, long, mask_ratio=0.15)))
          for size in (small, large)}
for size, change in halved.items():
    print(f"{size}, from 15% to 50%: probe {change.value:+.1f} points ({change.low:+.1f} to {change.high:+.1f})")
print(f"a seen word costs {copied:.2f} nats after [MASK] alone and {copied_split:.2f} after 80/10/10, which is "
      f"{copied - copied_split:.2f} less; the perfect reader pays {copying:.2f}")

# %% id="fig-clean" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(10, 3.6, columns=2)
for size, style, color in ((small, "o-", figures.BLUE), (large, "s-", figures.RED)):
    for ax, unit, scale in ((axes[0], "probe_accuracy", 100), (axes[1], "copy_nats", 1)):
        middle, low, high = scale * over_ratios(unit, size)
        ax.errorbar(study.config.ratios, middle, [middle - low, high - middle], fmt=style, color=color, capsize=2,
                    markersize=4, label=f"{size}, [MASK] alone")
        stars = [scale * mixed[size, r, unit] for r in study.config.split_ratios]
        ax.plot(study.config.split_ratios, stars, "*", color=color, markersize=12, label=f"{size}, 80/10/10")
        study.mark_ratios(ax)
axes[0].set(ylabel="probe right on clean text (%)")
axes[1].axhline(copying, color=figures.BLACK, linestyle=":", linewidth=1)
axes[1].set(ylabel="surprisal of a word that is seen (nats)", ylim=(0, None))
axes[1].legend(fontsize=9)
axes[0].set_title("From 15% to 50%: " + ", ".join(f"{size} {c.value:+.1f} points" for size, c in halved.items()))
axes[1].set_title(f"A seen word costs {copied:.1f} nats, after 80/10/10 {copied_split:.1f}")
probes = "; ".join(f"{size} " + ", ".join(f"{mean:.1%} at {r:g}" for r, mean in zip(
    study.config.ratios, over_ratios("probe_accuracy", size)[0])) for size in (small, large))
figures.show(figure, alt=f"Left, accuracy of a role probe on clean text: {probes}. Right, surprisal of visible "
             f"words: {copied:.2f} nats after [MASK] alone, {copied_split:.2f} after 80/10/10; dotted, {copying:.2f}.")

# %% [markdown] id="clean-note"
# Two things about this comparison. The KL is measured at blanks that read `[MASK]`, and a model of 80/10/10 has
# practised these in only 80% of its questions. And a linear probe reads what the vectors hold as they are, while
# fine-tuning changes them and may mend what a probe cannot. Wettig and others (2022) looked again at 80/10/10 with
# large models that were then fine-tuned, and report that it did no better there than `[MASK]` alone.

# %% [markdown] id="why-live"
# ## 9 · On your machine
#
# A small study, run here: tiny models, 100 steps, four ratios, five seeds, and to save time one learning rate for all,
# which favours some ratios over others: its best ratio does not compare with those of section 5. What does it come to?
# The first time this takes about two minutes on two cores; the runs are then kept. `python3 course.py experiment
# mask_ratio --full` runs the whole study, and can be stopped and gone on with.

# %% id="run-quick" tags=["nbval-ignore-output"]
quick_study = find_experiment("mask_ratio").run(full=False)
quick_study.show()
found = quick_study.best(small, 100).ratio
bound = " or more" if np.isclose(found.value, quick_study.config.ratios[-1]) else ""  # nothing was tried above
print(f"{small}, 100 steps, one rate for all: best ratio {two_digits(found)}{bound}")

# %% [markdown] id="why-repeat"
# And one model of the big study, trained anew if it was not trained on this machine. The last digits of a training
# hang on the processor and its libraries; the error beside the shipped figure, one standard error, is that of its 1,500
# sentences.

# %% id="repeat-cell" tags=["nbval-ignore-output"]
from mlm_mini.experiments.lab.study import run_study
from mlm_mini.experiments.ratio.run import ratio_folder, run_ratio_cell

kept = study.of("tiny", 300, mask_ratio=0.4)[0]
(again,) = run_study([kept.cell], run_ratio_cell, ratio_folder(), workers=1)
print(f"tiny, 300 steps, 0.4, seed 0: KL {again['kl'][0]:.4f} here, {kept.kl[0]:.4f} ± {kept.kl_error[0]:.4f} shipped")

# %% [markdown] id="recap"
# ## Recap
#
# The verdicts are those of `python3 course.py claims`: each is computed from its figures, by the rule that the next
# cell prints, and each says what share of the resamples agrees. Below 97.5% it is *undecided*; for a single figure that
# means that its 95% interval holds the threshold. Columns are the sizes and budgets at equal steps.

# %% id="recap-rules" tags=["nbval-ignore-output"]
from mlm_mini.experiments.claims.claim import Effort
from mlm_mini.experiments.claims.all_claims import measure_claims

names = ["too-few", "unstable", "too-many", "sweet-spot", "mismatch", "damage"]
claims = {row.claim.id: row for row in measure_claims(Effort(), names)}
for name, row in claims.items():
    print(f"{name:11}{row.claim.figure}:\n{'':11}{row.claim.rule}")

# %% id="recap-table" tags=["nbval-ignore-output"]
more = [(kl[at[0.5]] - kl[at[0.15]]).mean() for kl in (study.kl(*column) for column in study.columns())]
probed = ", ".join(f"{size} {c.value:+.1f} ({c.low:+.1f} to {c.high:+.1f})" for size, c in halved.items())
equal = len(study.columns())
good = (f"{sum(0.15 in best.as_good for best in bests.values())} of {len(bests)} columns ({equal} at equal steps, "
        f"which decide, and {len(bests) - equal} at equal FLOPs)")
often = f"{rises[at[0.01]].value:.1f}% of its points, at 15% at {rises[at[0.15]].value:.1f}%"
upper = claims["unstable"].finding.figure
Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| "Too few masks (e.g., 1%)": "very inefficient", "slow" | to where 1% ends, 15% is {at_least}\
{min(quick):.1f} to {max(quick):.1f} times as fast | **{claims["too-few"].verdict}** |
| and "unstable" | at 1% a curve goes up at {often}: {upper.value:+.1f} points ({upper.low:+.1f} to \
{upper.high:+.1f}); its ends scatter by {in_nats[at[0.01]]:.3f} nats, at 15% by {in_nats[at[0.15]]:.3f} | \
**{claims["unstable"].verdict}** |
| "Too many masks (e.g., 50%)": "insufficient context" | half hidden, {left[0.5]:.0%} of the context is left, \
by exact posteriors of a sample; at the same questions, the KL of training at 50% less that at 15% is \
{min(more):+.3f} to {max(more):+.3f} \
nats | **{claims["too-many"].verdict}** |
| "The 15% ratio is an empirically derived sweet spot" | the best ratio is {min(values):.2f} to {max(values):.2f} by \
size and budget; 15% is as good as the best in {good} | **{claims["sweet-spot"].verdict}** |
| masking creates a "mismatch" with clean text | a seen word costs {copied:.2f} nats after `[MASK]` alone, \
{copied_split:.2f} after 80/10/10: {copied - copied_split:.2f} less; the perfect reader pays {copying:.2f} | \
**{claims["mismatch"].verdict}** |
| which is "damaging" where half of the words are masked | from 15% to 50%, points of the probe: {probed} | \
**{claims["damage"].verdict}** |
""")

# %% [markdown] id="recap-note"
# What this does not say: the scene language is small and its sentences are short, and these three sizes are far from
# the largest. What carries over is how to ask: the same questions for everyone, equal steps *and* equal cost, seeds in
# pairs, an error bar on the best ratio, and two knobs instead of one.

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Jacob Devlin, Ming-Wei Chang, Kenton Lee and Kristina Toutanova (2019). BERT: Pre-training of deep bidirectional
#   transformers for language understanding. *NAACL*. 15%, and 80/10/10.
# - Alexander Wettig, Tianyu Gao, Zexuan Zhong and Danqi Chen (2023). Should you mask 15% in masked language modeling?
#   *EACL*. arXiv 2202.08005, where it appeared in 2022. Corruption and prediction apart, large models, GLUE and SQuAD.
# - Zachary Ankner, Naomi Saphra, Davis Blalock, Jonathan Frankle and Matthew L. Leavitt (2024). Dynamic masking rate
#   schedules for MLM pretraining. *EACL*. arXiv 2305.15096. A ratio that falls in the course of training.
# - Kevin Clark, Minh-Thang Luong, Quoc V. Le and Christopher D. Manning (2020). ELECTRA: Pre-training text encoders as
#   discriminators rather than generators. *ICLR*. A question at every token.
# - Benjamin Warner and others (2024). Smarter, better, faster, longer: A modern bidirectional encoder for fast, memory
#   efficient, and long context finetuning and inference. arXiv 2412.13663. ModernBERT masks 30%.
# - Bradley Efron (1979). Bootstrap methods: Another look at the jackknife. *Annals of Statistics* 7.
# - Student (1908). The probable error of a mean. *Biometrika* 6.
#
# Next: chapter 11 asks not how many words to hide but which.
