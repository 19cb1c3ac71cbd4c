# ---
# jupyter:
#   course:
#     title: What to mask
#     question: Is it worth choosing what to hide?
#     minutes: 220
#     prerequisites: Chapters 03, 07, 08 and 09
# ---

# %% [markdown] id="header"
# # 11 · What to mask
#
# **Is it worth choosing what to hide?**
#
# You will be able to
#
# - let a model say which blanks are hard, without giving the answers away;
# - draw a sample that prefers the hard ones, and weigh its losses so that nothing is distorted;
# - derive what a model learns when it is asked for surprising words more often, and see the numbers agree;
# - tell a long gradient from a useful one, and a better step from a better model;
# - find five mistakes that experiments like these invite.
#
# *220 minutes, with the bug clinic of Part III. Prerequisites: chapters 03, 07, 08 and 09. The study of section 4
# comes with the course; section 7 repeats a small part of it on your machine, about a minute the first time.
# Everything here runs on the CPU; on a GPU nothing changes but the time.*

# %% [markdown] id="how-it-works"
# `hint("11.scores")` in a new cell gives one step of help at a time, and `failing("11.scores")` hands you the smallest
# input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run before
# yours do.

# %% id="setup"
import numpy as np

from mlm_mini import figures
from mlm_mini.course import check, failing, hint
from mlm_mini.languages import scene_language

language = scene_language()
vocabulary = language.vocabulary

# %% [markdown] id="why-choose"
# ## 1 · Which blanks are hard?
#
# Many words of a sentence are known from the others: in *the chef [MASK] the bread in [MASK] kitchen* nobody needs
# to think about the second blank. The article this course grew from therefore asks for masks that are chosen, and
# says that masks at hard words give "a significantly stronger expected learning signal". But how hard is a blank?
# There are two ways to ask a model, and they look alike: the **surprisal** of the word that is hidden there, and the
# **entropy** of the model's guess,
#
# $$s = -\ln q(w), \qquad H = -\sum_v q(v) \ln q(v).$$
#
# The entropy is the surprisal that the model itself expects. Only the surprisal knows which word it was; keep that
# in mind.

# %% id="ex-scores"
# exercise: 11.scores
def scores(log_q, labels):
    """How hard each of N blanks is, in nats: {"surprisal": (N,), "entropy": (N,)}.

    log_q: (N, V) log-probabilities of the model, however low, -inf for a word that is excluded; labels: (N,) the hidden
    words. The surprisal of an excluded word is inf.
    """
    # Where to start: the surprisal is one number of each row. The entropy is a mean over the row: with which weights?
    # <solution>
    q = np.exp(log_q)
    surprisal = -np.take_along_axis(log_q, labels[:, None], axis=1)[:, 0]
    entropy = -(q * np.where(q > 0, log_q, 0.0)).sum(axis=1)
    return {"surprisal": surprisal, "entropy": entropy}
    # </solution>


# %% id="check-scores"
check("11.scores", scores)

# %% [markdown] id="why-scoring"
# Where do the scores come from? From a **scoring pass**, a forward pass before the step. It is tempting to give it
# the clean sentence: every word is there, and one pass scores them all. But a model that sees a word need not guess
# it. So the words have to be hidden while they are scored, as they will be in training. Here we draw **candidates**
# uniformly, twice as many as are needed, hide all of them, score them, choose among them, and show the others again.

# %% id="measure-leak" tags=["nbval-ignore-output"]
import torch

from mlm_mini.experiments.strategy.selection import blanked_batch, score_candidates
from mlm_mini.training import LiveCurve, cached_model

model = cached_model("scenes", report=LiveCurve).model
ids = language.sample(500, np.random.default_rng(11)).ids
words = np.isin(ids, vocabulary.regular_ids)
candidates = words & (np.random.default_rng(12).random(ids.shape) < 0.3)
hidden = score_candidates(model, ids, vocabulary, candidates)
clean = blanked_batch(ids, vocabulary, np.zeros_like(words), candidates)  # the same questions, with nothing hidden
with torch.no_grad():
    log_q = model(clean.ids, clean.attention_mask, clean.positions)[clean.labels != -100].log_softmax(-1)
shown = -log_q.gather(1, clean.labels[clean.labels != -100][:, None])[:, 0].numpy()
print(f"mean surprisal of {candidates.sum():,} words: {hidden.surprisal.mean():.2f} nats where they are hidden, "
      f"{shown.mean():.2f} where they are seen")
print(f"correlation of the two: {np.corrcoef(hidden.surprisal, shown)[0, 1]:.2f}")

# %% [markdown] id="leak-note"
# This model was never asked for a word that it could see, so what it says there has never been corrected by
# anything: it is related to how hard the blank would be, and not the same. A model that was trained with 80/10/10 is
# asked for words that it sees, and learns to copy them: the nearer it comes to a perfect reader (chapter 10), the less
# its scores of seen words say about how hard they would be.

# %% [markdown] id="why-inclusion"
# ## 2 · A sample that prefers the hard ones
#
# To prefer is not to insist. If the hardest words were always taken, the model would never again be asked for an
# easy one, and would not notice when it forgets it. So each candidate gets a probability in proportion to its score,
# up to one,
#
# $$\pi_i = \min(1,\, c\, s_i), \qquad \sum_i \pi_i = k,$$
#
# with $c$ such that $k$ words are selected on average. The cap makes it a little puzzle: whoever is cut off at one
# leaves something to the others.

# %% id="ex-inclusion"
# exercise: 11.inclusion
def inclusion(scores, expected):
    """The probability min(1, c score) of each candidate to be selected, (N,), with c such that they sum to `expected`.

    scores: (N,) floats above 0, in any order; expected: above 0, at most N, perhaps no whole number.
    """
    # Where to start: without the cap, c = expected / scores.sum(). Who is above 1 then?
    # <solution>
    probability = expected * scores / scores.sum()
    while (probability > 1 + 1e-12).any():  # by more than rounding
        capped = probability >= 1
        c = (expected - capped.sum()) / scores[~capped].sum()
        probability = np.where(capped, 1.0, c * scores)
    return probability
    # </solution>


# %% id="check-inclusion"
check("11.inclusion", inclusion)

# %% [markdown] id="why-gumbel"
# With these probabilities, each candidate on its own is selected or not: a *Poisson sample*, whose size varies.
# Where exactly $k$ are wanted in each row, there is a trick. Give every position the key $\ln w_i + g_i$, with $g_i$
# drawn from the standard Gumbel distribution (that of $-\ln(-\ln u)$ for a uniform $u$ between 0 and 1; NumPy has it
# as `rng.gumbel`), and keep the $k$ largest. The first of them is position $i$ with
# probability $w_i / \sum_j w_j$, the next is the same among those that are left, and so on: a weighted draw without
# replacement, in two lines and for all rows at once (Efraimidis and Spirakis 2006; Kool and others 2019). The chances
# of being selected are not the $\pi_i$ above: whoever is not drawn first has more chances yet, so that light words come
# up more often than in proportion to their weight, and heavy ones less. The study below uses the $\pi_i$, since its
# weights have to know them.

# %% id="ex-weighted-sample"
# exercise: 11.weighted-sample
def weighted_sample(weights, k, rng):
    """Exactly k positions of each row, drawn one after another in proportion to its weights: a bool array like weights.

    weights: (B, N), 0 or more, at least k of them above 0 in each row; each row has weights and luck of its own.
    rng: a NumPy Generator, the only one to draw from; it has rng.gumbel.
    """
    # Where to start: one key for each position. Which k keys are the largest of their row?
    # <solution>
    with np.errstate(divide="ignore"):
        keys = np.log(weights) + rng.gumbel(size=weights.shape)
    order = np.argsort(-keys, axis=1)
    chosen = np.zeros(weights.shape, dtype=bool)
    np.put_along_axis(chosen, order[:, :k], True, axis=1)
    return chosen
    # </solution>


# %% id="check-weighted-sample"
check("11.weighted-sample", weighted_sample)

# %% [markdown] id="the-strategies"
# Five strategies will compete. All of them ask for 15% of the words. In the study a tenth of the mean score is added to
# every score before it is turned into a chance: so no word is ruled out, and no weight of section 3 is without bound.
#
# | strategy | hides | asks for | looks first |
# |---|---|---|---|
# | uniform | 15%, all alike | what it hides | no |
# | surprisal | what it asks for | of 30% candidates, in proportion to the surprisal of the hidden word | yes |
# | entropy | what it asks for | of 30% candidates, in proportion to the entropy of the guess | yes |
# | kept | 30%, all alike | of these, in proportion to the entropy of the guess | in the pass that is made anyway |
# | kept at random | 30%, all alike | any half of these | no; the control for *kept* |
#
# Try them on a sentence: Tab goes from control to control, the space bar presses a button, the arrow keys move the
# slider. The line of text says what the picture shows.

# %% id="widget-strategy" tags=["nbval-ignore-output"]
from mlm_mini.widgets import strategy_widget

strategy_widget(model)

# %% [markdown] id="without-a-kernel"
# Without a running kernel the widget does not move; this is what it shows for surprisal.

# %% id="fig-strategy" tags=["nbval-ignore-output"]
from mlm_mini.widgets.strategy import strategy_figure

figure, alt = strategy_figure(model, "surprisal")
figures.show(figure, alt)

# %% [markdown] id="which-words"
# On one sentence chance rules. Over thousands of them it shows what each strategy likes.

# %% id="measure-kinds" tags=["nbval-ignore-output"]
from mlm_mini.experiments.strategy.selection import select

COARSE = {"DETERMINERS": "determiner", "AUXILIARIES": "auxiliary", "PREPOSITIONS": "preposition",
          "PUNCTUATION": "full stop", "PRESENT_VERBS": "verb", "PAST_VERBS": "verb", "PARTICIPLES": "verb",
          "PRONOUNS": "other", "CONJUNCTIONS": "other", "ADVERBS": "other"}
KINDS = ("noun", "verb", "adjective", "preposition", "determiner", "auxiliary", "full stop")


def kind_of(token):
    name = language.word_class.get(token, "")
    return COARSE.get(name, "adjective" if name.endswith("ADJECTIVES") else "noun")


kinds, shares = np.array([kind_of(token) for token in vocabulary.tokens]), {}
blocks = [language.sample(500, np.random.default_rng([13, i])).ids for i in range(6)]
for strategy in ("uniform", "surprisal", "entropy"):
    rng = np.random.default_rng(14)
    asked = np.concatenate([b[select(strategy, False, b, vocabulary, 0.15, rng, model).asked] for b in blocks])
    shares[strategy] = {kind: (kinds[asked] == kind).mean() for kind in KINDS}
    print(f"{strategy:10}" + ", ".join(f"{kind} {share:.0%}" for kind, share in shares[strategy].items()))

# %% id="fig-kinds" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 3)
looks = {"uniform": (figures.BLACK, "o"), "surprisal": (figures.RED, "s"), "entropy": (figures.BLUE, "^")}
for shift, (strategy, (color, marker)) in zip((-0.15, 0.0, 0.15), looks.items()):
    y = [100 * shares[strategy][kind] for kind in KINDS]
    ax.plot(np.arange(len(KINDS)) + shift, y, marker=marker, linestyle="none", color=color, label=strategy)
ax.set_xticks(range(len(KINDS)), KINDS)
ax.set(ylabel="share of the masks (%)", ylim=(0, None))
ax.legend(frameon=False)
times = shares["surprisal"]["noun"] / shares["uniform"]["noun"]
ax.set_title(f"Selection by surprisal asks for nouns {times:.1f} times as often as uniform masks")
figures.show(figure, alt="Share of the masks by kind of word, for three strategies: " + "; ".join(
    f"{kind} " + ", ".join(f"{strategy} {shares[strategy][kind]:.0%}" for strategy in looks) for kind in KINDS) + ".")

# %% [markdown] id="why-learned"
# ## 3 · What choosing does to what is learned
#
# Surprisal and entropy pick much the same kinds of words. There is a difference all the same, and it decides
# everything. Take a single blank in a single context, where word $w$ stands with probability $p(w)$, and let $w$ be
# *asked for* with probability $s(w)$ when it stands there. By chapter 02 the gradient of one question is $q - e_w$,
# with $e_w$ the one-hot vector of the answer. So the mean gradient is
#
# $$\sum_w p(w)\, s(w)\, (q - e_w) = 0.$$
#
# Training comes to rest where it is zero. For which $q$ is that?

# %% id="ex-learned"
# exercise: 11.learned
def learned(p, s):
    """The distribution that a model learns when word w stands there with p(w) and is then asked for with s(w).

    p, s: (..., V), each row of p sums to one, s from 0 to 1, not 0 for all words that stand there. Returns a new array,
    (..., V).
    """
    # Where to start: the equation above, for the logit of one word.
    # <solution>
    questions = p * s  # how often a word is the answer to a question
    return questions / questions.sum(axis=-1, keepdims=True)
    # </solution>


# %% id="check-learned"
check("11.learned", learned)

# %% [markdown] id="learned-note"
# The model learns how often a word is *asked for*, not how often it stands there. If $s$ is the same for all words
# of a context, as an entropy is, it cancels: choosing between contexts does no harm. If $s$ is the surprisal, it
# does not cancel. Statisticians call the first kind of selection *ignorable* and the second *non-ignorable* (Rubin
# 1976): an opinion poll may call more people in one town than in another, but not more of those who will say yes.
#
# And the surprisal is that of the model in training. As it learns, its own $q$ decides what it is asked, and the
# rest point becomes an equation with $q$ on both sides:
#
# $$q(w) = \frac{-p(w) \ln q(w)}{-\sum_v p(v) \ln q(v)}.$$

# %% id="ex-fixed-point"
# exercise: 11.fixed-point
def fixed_point(p):
    """For two words, the first with probability p: the q of the first in which selection by own surprisal ends.

    p: between 0 and 1. Returns a float, right to six digits.
    """
    # Where to start: divide the equation for the first word by that for the second, and look for the q that solves it.
    # <solution>
    low, high = 0.0, 1.0
    for _ in range(60):
        q = 0.5 * (low + high)
        pull_up, pull_down = -p * np.log(q) * (1 - q), -(1 - p) * np.log1p(-q) * q
        low, high = (q, high) if pull_up > pull_down else (low, q)
    return 0.5 * (low + high)
    # </solution>


# %% id="check-fixed-point"
check("11.fixed-point", fixed_point)

# %% [markdown] id="see-it-happen"
# Does training go there? A model of two logits, one context, and the mean gradient; nothing else. Three ways to
# choose, and the same 2,000 steps for each.

# %% id="measure-two-words"
from mlm_mini import reference as ref
from mlm_mini.experiments.strategy.fixed_points import bias, softmax_fixed_point, surprisal_fixed_point

p, paths = np.array([0.9, 0.1]), {}
WAYS = {"uniform": lambda q: np.ones(2), "entropy": lambda q: np.full(2, ref.entropy(q)),
        "surprisal": lambda q: -np.log(q)}
for name, chance in WAYS.items():
    z, paths[name] = np.zeros(2), []
    for _ in range(2_000):
        q = ref.softmax(z)
        paths[name].append(q[0])
        z -= 0.2 * ((p * chance(q))[:, None] * (q - np.eye(2))).sum(axis=0)
    print(f"{name:10} q = {q[0]:.4f}, KL(p, q) = {bias(p, q):.4f} nats")
q = surprisal_fixed_point(p)
print(f"{'predicted':10} q = {q[0]:.4f}, KL(p, q) = {bias(p, q):.4f} nats")

# %% id="measure-hard"
print("the harder the choice, the flatter the model: selection with the chance q^-a ends at q ~ p^(1 / (1 + a))")
for a in (0, 1, 3, 10, 1000):
    q = softmax_fixed_point(p, a)
    print(f"a = {a:4}: q = {q[0]:.3f}, KL(p, q) = {bias(p, q):.3f} nats")
print(f"and if only the more surprising word were asked for: q = 0.5, KL(p, q) = {bias(p, np.full(2, 0.5)):.3f} nats")

# %% id="fig-two-words" tags=["nbval-ignore-output"]
grid = np.linspace(0.5, 0.999, 120)
both = np.stack([grid, 1 - grid], axis=1)
ends = {"own surprisal": surprisal_fixed_point(both), "1 / q": softmax_fixed_point(both, 1),
        "always the rarer": np.full_like(both, 0.5)}
costs = {name: bias(both, q) for name, q in ends.items()}
looks = ((figures.RED, "-", 0.96, 5), (figures.ORANGE, "--", 0.95, -16), (figures.GREEN, ":", 0.75, 8))
figure, axes = figures.new_figure(9.5, 3.3, columns=2)
for name, color, style in zip(paths, (figures.BLACK, figures.BLUE, figures.RED), ("-", "--", "-.")):
    axes[0].plot(paths[name][:600], color=color, linestyle=style)
    shift = -14 if name == "entropy" else 5
    axes[0].annotate(name, (590, paths[name][590]), (0, shift), textcoords="offset points", color=color, ha="right")
axes[0].set(xlabel="steps", ylabel="q of the likely word", ylim=(0.48, 0.95))
axes[0].set_title(f"By surprisal, 0.90 is learned as {paths['surprisal'][-1]:.2f}")
for (name, nats), (color, style, at, shift) in zip(costs.items(), looks):
    axes[1].plot(grid, nats, color=color, linestyle=style)
    axes[1].annotate(name, (at, np.interp(at, grid, nats)), (0, shift), textcoords="offset points", color=color,
                     ha="right")
axes[1].set(xlabel="true probability of the likely word", ylabel="KL(p, q) (nats)", ylim=(0, 0.7))
own, root = costs["own surprisal"], costs["1 / q"]
axes[1].set_title(f"Own surprisal costs up to {own.max():.2f} nats")
figures.show(figure, alt="Left: two logits in training, true probability 0.9. With uniform masks and masks by entropy "
             f"the model comes to 0.90, with masks by surprisal to {paths['surprisal'][-1]:.2f}. Right: KL(p, q) at "
             "the end, against the true probability of the likelier of two words: by own surprisal at most "
             f"{own.max():.2f} nats, at {grid[own.argmax()]:.2f}, by 1 / q at most {root.max():.2f}, with always the "
             "rarer word rising to 0.69.")

# %% [markdown] id="bias-on-scenes"
# How bad is it in a language? Put the exact posteriors of the scene language in the place of $p$, and solve for the
# fixed point of each blank: the answer is what selection by surprisal would cost a *perfect* learner, whatever its
# size.

# %% id="measure-scene-bias"
from mlm_mini.experiments import draw_questions

questions = draw_questions(language, 300, 0.15, np.random.default_rng(14))
nats = bias(questions.posterior, surprisal_fixed_point(questions.posterior))
likeliest, ends = questions.posterior.max(axis=1), surprisal_fixed_point(questions.posterior)
each = np.arange(len(ends)), ends.argmax(axis=1)
unsure_at_the_end = 100 * (ends[each] - questions.posterior[each]).mean()
print(f"mean over {len(nats)} blanks: {nats.mean():.3f} nats; Bayes floor {questions.floor:.2f}")
print(f"confidence in the likeliest word minus its exact probability: {unsure_at_the_end:+.1f} percentage points")
for low, high, name in ((0.0, 0.5, "below 0.5"), (0.5, 0.95, "0.5 to 0.95"), (0.95, 1.01, "above 0.95")):
    these = (low <= likeliest) & (likeliest < high)
    print(f"likeliest word {name:12}{these.mean():4.0%} of the blanks, {nats[these].mean():.3f} nats each, "
          f"{nats[these].sum() / nats.sum():4.0%} of all nats lost")

# %% [markdown] id="scene-bias-note"
# Little on average, and the table says where it comes from. Where the answer is certain there is nothing to distort. A
# blank with one likely word and a few rare ones suffers most, as in the figure above, but this language has few of
# them: most of what is lost is lost at open blanks, a little at each. A language with other blanks would pay another
# price. The bias is a property of what one selects by *and* of the text.

# %% [markdown] id="why-importance"
# Can one have the hard questions without the bias? A word that is asked for with probability $\pi$ stands for
# $1 / \pi$ words of its kind, so let its loss count that often:
#
# $$\hat L = \frac{1}{N} \sum_{i\ \text{asked}} \frac{\ell_i}{\pi_i}, \qquad
# \mathbb{E}\, \hat L = \frac{1}{N} \sum_{i = 1}^N \pi_i \frac{\ell_i}{\pi_i} = \frac{1}{N} \sum_{i=1}^N \ell_i.$$
#
# That is the estimator of Horvitz and Thompson (1952), exact in the mean. Dividing by the sum of the weights instead
# of $N$ is usually steadier and a little biased, as ratios are.

# %% id="ex-importance"
# exercise: 11.importance
def importance(nats, asked, probability):
    """The weighted mean loss over N candidates, in nats: (Horvitz-Thompson, divided by the sum of the weights).

    nats: (N,) what each would cost; asked: (N,) bool; probability: (N,) of being asked, above 0. Where nothing is
    asked both are 0.0.
    """
    # Where to start: a weight for each candidate, 0 where nothing was asked.
    # <solution>
    weights = np.where(asked, 1 / probability, 0.0)
    total = (weights * nats).sum()
    normalized = total / weights.sum() if asked.any() else 0.0
    return total / len(nats), normalized
    # </solution>


# %% id="check-importance"
check("11.importance", importance)

# %% [markdown] id="check-by-enumeration"
# Four candidates have sixteen outcomes. Go through all of them, and the claim needs no faith.

# %% id="measure-importance"
from itertools import product

losses, pi = np.array([4.0, 0.2, 1.5, 3.0]), np.array([0.9, 0.15, 0.4, 0.55])
sums = {"plain mean": 0.0, "Horvitz-Thompson": 0.0, "by the sum of weights": 0.0}
for outcome in product((False, True), repeat=4):
    asked = np.array(outcome)
    chance, weights = np.where(asked, pi, 1 - pi).prod(), asked / pi
    sums["plain mean"] += chance * losses[asked].sum() / max(asked.sum(), 1)
    sums["Horvitz-Thompson"] += chance * (weights * losses).sum() / 4
    sums["by the sum of weights"] += chance * (weights * losses).sum() / max(weights.sum(), 1e-300)
for name, mean in sums.items():
    print(f"{name:22} {mean:.4f}")
print(f"{'all four, unselected':22} {losses.mean():.4f}")

# %% [markdown] id="weights-cost"
# Nothing is free. The weights take from the hard questions what the selection gave them, and some rare easy question
# may count ten times: the variance of the gradient can grow. And one more honest footnote. If two words of a
# sentence are hidden, and each was selected by its *own* surprisal, the weight of one does not undo what the
# selection of the other says about it. Selection by entropy, scored with all candidates hidden, has no such problem:
# it depends on nothing but words that stay visible.

# %% [markdown] id="why-signal"
# ## 4 · Is the signal stronger?
#
# The claim was about the expected learning signal. For a strategy with gradient $g$ of a batch, three lengths tell
# different things, with $G$ the gradient of the exact KL over all words:
#
# $$\lVert \mathbb{E}\, g \rVert, \qquad \frac{\mathbb{E}\, g \cdot G}{\lVert G \rVert}, \qquad
# \frac{\mathbb{E}\, g \cdot G}{\lVert G \rVert \sqrt{\mathbb{E} \lVert g \rVert^2}}.$$
#
# The first is how long the expected gradient is. The second is its **useful part**, along the way down that we
# actually want. The third is what remains of it when every step has the same length, which is nearer to what an
# optimizer does: Adam and clipping divide the length away. The KL is exact here, since the posterior is known. First
# a look at a trained model on this machine, with few batches and much noise.

# %% id="measure-signal" tags=["nbval-ignore-output"]
from mlm_mini.experiments.strategy.config import StrategyCell, arm_name
from mlm_mini.experiments.strategy.signals import measure_signals

tiny = cached_model("scenes", "tiny", LiveCurve, steps=800, mask_ratio=0.15).model
arms = (("uniform", False), ("surprisal", False), ("surprisal", True))
cell = StrategyCell("scenes", "uniform", False, steps=800, seed=0, arms=arms, probe_batches=48)
signals = measure_signals(tiny, language, cell, 1.0)
for arm, signal in zip(arms, signals):
    expected = f"{signal.signal ** 0.5:.2f}" if signal.signal > 0 else "lost in the noise"
    print(f"{arm_name(*arm):20} norm of a batch {signal.batch ** 0.5:.2f}, of the expected gradient {expected}, "
          f"useful part {signal.useful:.2f}, loss {signal.nats:.2f} nats")

# %% [markdown] id="why-perfect"
# Can a gradient be long and teach nothing? Take the two words of section 3 and a *perfect* model, $q = p$. There is
# nothing left to learn, so an honest expected gradient is zero.

# %% id="measure-perfect"
for name, chance in WAYS.items():
    asked = p * chance(p)
    gradient = ((asked / asked.sum())[:, None] * (p - np.eye(2))).sum(axis=0)  # per question
    print(f"{name:10} norm of the expected gradient at the perfect model {np.linalg.norm(gradient):.3f}")

# %% [markdown] id="the-study"
# One model and 48 batches say little. The study that comes with the course trained models with uniform masks
# from five seeds and measured the gradients of every strategy on them, on the same sentences. How long it took and
# on what machine is stored with it.
#
# Two rules keep the comparison fair. Every **arm**, as the ways that a study compares are called, has a learning rate
# of its own: the best of four, tried with one seed that is not used again. And two arms are there that need no idea at
# all: uniform masks that hide 30% or 40% of the words and ask for all of them. Whoever hides more than 15% has to beat
# these.

# %% id="measure-study"
from mlm_mini.experiments import find_experiment
from mlm_mini.shipped import shipped

study, origin = find_experiment("mask_strategy").shipped(), shipped("experiments", "mask_strategy")
hours = sum(score.cpu_seconds for score in study.scores) / 3600
print(f"{len(study.scores)} trainings from {study.config.seeds} seeds, {hours:.1f} hours of one core, "
      f"{origin['date']}: {origin['command']}")
rates = {arm: study.of(*arm)[0].cell.learning_rate for arm in study.config.arms}
print(f"learning rates tried: {', '.join(f'{rate:g}' for rate in study.config.rates)}; chosen: "
      + "; ".join(f"{rate:g} for {', '.join(arm_name(*arm) for arm in rates if rates[arm] == rate)}"
                  for rate in sorted(set(rates.values()))))


def span(estimate, digits=2, sign=""):
    """A figure and its 95% interval, for printing."""
    value, low, high = (f"{number:{sign}.{digits}f}" for number in estimate)
    return f"{value} ({low} to {high})"


for after in study.config.probed:
    print(f"\nafter {after:.0%} of a training: expected gradient, its useful part, and that for steps of fixed length")
    for arm in study.config.arms[1:]:
        found = (span(study.ratio(what, *arm, after=after)) for what in ("norm", "useful", "efficiency"))
        print(f"{arm_name(*arm):22}" + "".join(f"{text:24}" for text in found).rstrip())

# %% id="fig-signal" tags=["nbval-ignore-output"]
ROWS = {"expected gradient": ("norm", figures.RED, "s"), "its useful part": ("useful", figures.ORANGE, "^"),
        "useful part, steps\nof fixed length": ("efficiency", figures.BLUE, "o")}
arms, last = study.config.arms[1:], study.config.probed[-1]
ratios = {arm: {what: study.ratio(what, *arm, after=last) for what, *_ in ROWS.values()} for arm in arms}
figure, (ax,) = figures.new_figure(8.5, 3.8)
for shift, (label, (what, color, marker)) in zip((-0.2, 0.0, 0.2), ROWS.items()):
    x = np.array([ratios[arm][what] for arm in arms])
    ax.errorbar(x[:, 0], np.arange(len(arms)) + shift, xerr=np.abs(x[:, 1:] - x[:, :1]).T, color=color, marker=marker,
                markersize=5, capsize=2, linestyle="none", label=label)
ax.axvline(1, color="0.4", linewidth=1)
ax.set_yticks(range(len(arms)), [arm_name(*arm) for arm in arms])
ax.set(ylim=(len(arms) - 0.5, -0.5), xlabel="ratio to uniform masks, after a whole training")
ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
length, useful, step = ratios["surprisal", False].values()
ax.set_title(f"By surprisal: {length.value:.1f} times the length, {span(step)} times the worth of a step")
told = (f"{arm_name(*arm)} " + ", ".join(f"{r.value:.2f}" for r in found.values()) for arm, found in ratios.items())
figures.show(figure, alt="Gradients over those of uniform masks (expected gradient, its useful part, and that for "
             f"steps of fixed length): {'; '.join(told)}.")

# %% id="read-signal"
uniform, chosen = study.signals("uniform", after=last), study.signals("surprisal", after=last)
print(f"a question costs {np.mean([s.nats for s in chosen]):.2f} nats when it is asked by surprisal, "
      f"{np.mean([s.nats for s in uniform]):.2f} with uniform masks")
print(f"expected gradient by surprisal: {span(length)} times that of uniform masks")
print(f"its useful part: {span(useful)} times; for steps of fixed length {span(step)} times")
noise = (np.mean([s.batch for s in uniform]) / np.mean([s.signal for s in uniform])) ** 0.5
print(f"with uniform masks the gradient of one batch of 64 sentences is {noise:.0f} times as long as its expectation")

# %% [markdown] id="signal-note"
# The observation of the article is right: after a whole training, harder questions have longer expected gradients, and
# a good part of the extra length is useful. (After a quarter of it, the table leaves both open: 1 is in the intervals.)
# Two things stand against it. The useful part grows less than the whole: a hidden word that surprises because it is
# *rare* pulls as hard as one that surprises because the model is *wrong*, and only the second has something to teach.
# And the noise of a batch grows with its signal, so that steps of fixed length gain less, if they gain at all: five
# seeds leave that open. The intervals are Student's, on the log of the factor, by leaving out one seed after the other
# (the jackknife, Tukey 1958).
#
# Look at the last two rows as well. Uniform masks that hide more have long gradients too, without any look at the
# words: a longer gradient is no privilege of surprising words.

# %% [markdown] id="why-cost"
# ## 5 · At equal compute
#
# Now the price. A scoring pass goes forward only, which is a third of a training pass, but the head works for all
# candidates. With $F(m)$ the operations per token of chapter 08, and $o$ candidates for each question,
#
# $$\text{uniform: } F(m), \qquad \text{scored: } F(m) + \tfrac{1}{3} F(o\, m).$$
#
# For *kept* nothing is added but the head's forward work at the candidates that are dropped.

# %% id="ex-equal-steps"
# exercise: 11.equal-steps
def equal_steps(steps, flops, mask_ratio, oversampling):
    """How many steps of a strategy that looks first cost what `steps` steps with uniform masks cost.

    flops(m): operations to train on a token, forward and back, when a share m of the tokens is predicted. mask_ratio:
    the share that is asked for; oversampling: candidates for each of them. Returns an int, the nearest, as the study
    rounds.
    """
    # Where to start: what does a scoring pass predict, and what does it leave out?
    # <solution>
    step = flops(mask_ratio)
    look = flops(oversampling * mask_ratio) / 3
    return round(steps * step / (step + look))
    # </solution>


# %% id="check-equal-steps"
check("11.equal-steps", equal_steps)

# %% [markdown] id="the-race"
# With that account every strategy of the study was trained as far as the same number of operations goes, from the
# same first weights on the same sentences, and asked the same questions at the end: the KL to the exact posterior at
# words that are hidden uniformly. Differences are paired by seed. Two strategies ran a second time as if looking
# were free.

# %% id="measure-race"
print(study.table().split("\n\n")[0].split("\nscenes: gradients")[0])

# %% id="fig-race" tags=["nbval-ignore-output"]
study.show()

# %% id="read-race"
race = {arm: study.versus("kl", *arm) for arm in arms}
better, worse = ([arm for arm in arms if race[arm].high < 0], [arm for arm in arms if race[arm].low > 0])
print(f"{len(arms)} arms beside uniform masks at 15%, on scenes; each interval is a 95% one by itself, so that of "
      f"{len(arms)} about {0.05 * len(arms):.1f} would stray from 0 by chance alone")
print("better than uniform masks at 15%, at equal compute:", "; ".join(arm_name(*arm) for arm in better) or "none")
print("worse:", "; ".join(arm_name(*arm) for arm in worse) or "none")
for more in ("uniform 30%", "uniform 40%"):
    beyond = [arm for arm in arms if arm[0] not in (more, "uniform 30%", "uniform 40%")
              and study.versus("kl", *arm, against=more).low <= 0]
    print(f"not surely worse than {more}:", "; ".join(arm_name(*arm) for arm in beyond) or "none of the strategies")
free = {strategy: study.versus("kl", strategy, charged=False) for strategy in study.config.free}
for strategy, found in free.items():
    paid = race[strategy, False]
    print(f"{strategy}: {span(found, 3, '+')} nats if looking were free, {span(paid, 3, '+')} as it is")
kept = study.versus("kl", "kept", against="kept at random")
all_asked = study.versus("kl", "uniform 30%", against="kept at random")
ahead = study.versus("kl", "uniform 30%", against="kept")
print(f"kept, beside its control that keeps at random: {span(kept, 3, '+')} nats")
print(f"uniform 30%, beside the same control: {span(all_asked, 3, '+')} nats; beside kept: {span(ahead, 3, '+')}")

# %% id="race-note" tags=["nbval-ignore-output"]
from IPython.display import Markdown

from mlm_mini.experiments.lab.verdicts import decide_above, decide_below

helps = {name: decide_below(study.difference("kl", name, charged=False), 0) for name in study.config.free}
at_edge = [arm_name(*arm) for arm in rates if rates[arm] == max(study.config.rates)]
Markdown(f"""
Does looking help, if it were free? By surprisal: {helps["surprisal"]}; by entropy: {helps["entropy"]}. But what a
scoring pass costs is more than what it brings, so that at equal compute uniform masks win. Weights do not save it:
perhaps because with the bias they take away the preference for hard questions (with free looking they were not tried).
*Kept* has its scores from the pass that is made anyway, and beats uniform masks at 15% as well as its own control.

Is that a success? Many would print it. But *kept* hides 30% of the words and asks for half of them, and there is a
simpler thing to do with 30% hidden words: ask for all, for hardly more. Count from the control, which keeps half of
them at random. Choosing the half well is worth {-kept.value:.2f} nats; asking for both halves, without choosing, is
worth {-all_asked.value:.2f}. Choosing did help, and there was something better to be had for less thought. A clever
strategy has to be compared with the cheapest thing that does as much. (At the highest of the rates that were tried,
so that a higher one might be better still: {", ".join(at_edge) or "none"}.)
""")

# %% [markdown] id="why-calibration"
# A bias need not show in the KL of a model that is still far from its end. It shows in how sure the model is. If the
# rare words are asked for too often, the likely ones seem less likely than they are: the model is
# **underconfident**. The study compares the confidence of the likeliest word with its exact probability. Uniform
# masks leave a young model a little unsure as well, so that they are the measure.

# %% id="measure-calibration"
print("mean confidence minus exact accuracy, in percent, with 95% intervals over seeds")
for arm in study.config.arms:
    off = study.mean("overconfidence", *arm)
    print(f"{arm_name(*arm):22}{span([100 * number for number in off], 1, '+')}")

# %% id="calibration-note" tags=["nbval-ignore-output"]
unsure = {name: [100 * x for x in study.versus("overconfidence", name, charged=False)] for name in study.config.free}
Markdown(f"""
By surprisal the model is far too unsure, and the weights mend it. Part of that is that it has learned less: looking is
paid for in steps. After as many steps as with uniform masks, it is
{span(unsure["surprisal"], 1, "+")} points from theirs by surprisal, and {span(unsure["entropy"], 1, "+")} by entropy
({"surely less" if unsure["entropy"][2] < 0 else "which may be nothing"}). A perfect learner would end
{-unsure_at_the_end:.1f} points too unsure by the bias of section 3: that part is where training ends, and stays. Of the
rest one may hope that it passes with training; this study is too short to tell.
""")

# %% [markdown] id="why-noise"
# ## 6 · Noise is hard too
#
# The web is full of text that nobody can guess: order numbers, hashes, the codes on parcels. A strategy that looks
# for difficulty finds it there, forever. So the study has a second language: each scene is followed by four codes,
# drawn uniformly out of 64. Their entropy is $\ln 64 = 4.16$ nats for the best of all readers, and once a model
# knows *that*, a code teaches it nothing more.

# %% id="measure-noise"
from mlm_mini.experiments.strategy.noisy_scenes import code_ids, noisy_scenes

noisy = noisy_scenes()
print(noisy.sample(1, np.random.default_rng(15)).text(0))
text = noisy.sample(2_000, np.random.default_rng(16)).ids
codes = np.isin(text, code_ids(noisy.vocabulary)).sum() / np.isin(text, noisy.vocabulary.regular_ids).sum()
print(f"{codes:.0%} of the tokens are codes. Masks that fall on them, and KL at words less that of uniform masks:")
for arm in study.config.arms:
    share, gap = study.mean("noise_share", *arm, language="noisy"), study.versus("kl", *arm, language="noisy")
    print(f"{arm_name(*arm):22}{share.value:4.0%}   {span(gap, 3, '+') if arm[0] != 'uniform' else ''}".rstrip())

# %% id="fig-noise" tags=["nbval-ignore-output"]
looks = {"uniform": ("o", figures.BLACK), "surprisal": ("s", figures.RED), "entropy": ("^", figures.BLUE),
         "kept": ("D", figures.ORANGE), "kept at random": ("v", figures.GREEN), "uniform 30%": ("P", figures.BLACK),
         "uniform 40%": ("X", figures.SKY)}
points = {name: [study.mean(what, name, language="noisy") for what in ("noise_share", "kl")] for name in looks}
figure, (ax,) = figures.new_figure(7, 3.4)
for name, (share, kl) in points.items():
    marker, color = looks[name]
    ax.errorbar(100 * share.value, kl.value, [[kl.value - kl.low], [kl.high - kl.value]], marker=marker, color=color,
                capsize=2, linestyle="none", label=name)
ax.set(xlabel="share of the masks that fall on codes (%)", ylabel="KL at words (nats)")
ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
most, plain = max(points, key=lambda name: points[name][0].value), 100 * points["uniform"][0].value
ax.set_title(f"By {most}, {100 * points[most][0].value:.0f}% of the masks fall on noise; uniform masks, {plain:.0f}%")
figures.show(figure, alt="Share of the masks on codes, and KL at words in nats: " + "; ".join(
    f"{name} {share.value:.0%}, {kl.value:.2f}" for name, (share, kl) in points.items()) + ".")

# %% [markdown] id="noise-note"
# Every strategy that looks spends more of its masks on codes, and here *kept* can no longer be told from uniform masks
# at 15%, though it beats its control. Uniform masks that hide more fall on codes as often as codes occur, and stay
# ahead.
# What would be worth asking is not what is hard but what is *still to be learned*: the surprisal above the floor.
# Here the floor is known; on real text it is not, and the proposals estimate it with a second model (Mindermann and
# others 2022).

# %% [markdown] id="why-live"
# ## 7 · On your machine
#
# A small part of the study runs here: five seeds, forty steps, three arms. It takes about a minute the first time
# and is then kept. With so little training the differences are rough; look at the intervals before you look at the
# means.

# %% id="measure-live" tags=["nbval-ignore-output"]
quick = find_experiment("mask_strategy").run(full=False)
print(quick.table())

# %% [markdown] id="live-note"
# Look at the gradients by surprisal. In models this young they are the longest of all, and how much of that is useful
# these few batches cannot tell: an interval from minus to plus infinity says that even the sign is lost in the noise.
# With the weights, length and use are those of uniform masks. A guess at the reason: so far the models know little more
# than which words are frequent, and selection by surprisal pulls exactly that apart again.

# %% [markdown] id="clinic"
# ## 8 · Bug clinic of Part III
#
# Five patients. Their code runs, their tables look convincing, and their conclusions are wrong. Run the check first
# to see the symptom, then find the cause.

# %% [markdown] id="clinic-ratio-story"
# ### Losses with an error bar
#
# *"We report the loss per question, with its standard error over sentences. Each sentence has its own loss per
# question, so we average those. With a ratio of 1% we get NaN; probably a bug in NumPy."*

# %% id="ex-clinic-ratio"
# exercise: 11.clinic-ratio
def loss_and_error(nats, counts):
    """The loss per question and its standard error over sentences, both in nats.

    nats: (B,) the sum over the questions of each sentence; counts: (B,) integers, how many questions each has, some 0.
    The error is that of chapters 07 and 10, the root of the sum of squared residuals over the number of all questions;
    nothing makes up for a small B.
    """
    # Where to start: both nats and counts vary from sentence to sentence. What is the loss a ratio of?
    # <broken>
    #| per_sentence = nats / counts
    #| return per_sentence.mean(), per_sentence.std() / np.sqrt(len(nats))
    # </broken>
    # <solution>
    loss = nats.sum() / counts.sum()
    residual = nats - loss * counts
    return loss, np.sqrt((residual**2).sum()) / counts.sum()
    # </solution>


# %% id="check-clinic-ratio"
check("11.clinic-ratio", loss_and_error)

# %% [markdown] id="clinic-ratios-story"
# ### Two percent is enough
#
# *"We trained six models at six mask ratios and kept the one with the lowest loss. It is always the smallest ratio.
# BERT's 15% must be a mistake that everybody copied."*

# %% id="ex-clinic-ratios"
# exercise: 11.clinic-ratios
def best_ratio(losses, ratios, common):
    """The ratio at which the best model was trained, when all are asked at one ratio, `common`.

    losses: (R, R), row r is the model trained at ratios[r], column c the questions at ratios[c]; ratios: (R,), in any
    order; common: one of them. Returns a float.
    """
    # Where to start: which questions does each number on the diagonal belong to?
    # <broken>
    #| own = np.diag(losses)
    #| return float(ratios[own.argmin()])
    # </broken>
    # <solution>
    same_questions = losses[:, list(ratios).index(common)]
    return float(ratios[same_questions.argmin()])
    # </solution>


# %% id="check-clinic-ratios"
check("11.clinic-ratios", best_ratio)

# %% [markdown] id="clinic-seeds-story"
# ### Highly significant
#
# *"Our strategy beats uniform masks by 0.010 ± 0.002 nats. The interval is narrow because we tested on twenty
# thousand questions: five seeds, four thousand each. A colleague ran five seeds more and found the opposite, just as
# significant."*

# %% id="ex-clinic-seeds"
# exercise: 11.clinic-seeds
def compare(ours, theirs, t):
    """The mean difference of two strategies, and the margin to either side of it in a 95% interval, both in nats.

    ours, theirs: (S, n) losses of S seeds at the same n questions, each seed a pair of runs that share text and first
    weights; t: Student's quantile for S - 1 degrees of freedom, S at least 2. Below 0 the difference says that ours is
    better. The standard deviation has S - 1 below the line.
    """
    # Where to start: how many models were trained?
    # <broken>
    #| difference = (ours - theirs).ravel()
    #| return difference.mean(), t * difference.std(ddof=1) / np.sqrt(len(difference))
    # </broken>
    # <solution>
    of_seed = (ours - theirs).mean(axis=1)
    return of_seed.mean(), t * of_seed.std(ddof=1) / np.sqrt(len(of_seed))
    # </solution>


# %% id="check-clinic-seeds"
check("11.clinic-seeds", compare)

# %% [markdown] id="clinic-cost-story"
# ### A third fewer steps
#
# *"With our strategy 200 steps are as good as 300: it is one and a half times as fast. On the cluster it takes just
# as long as before. They must have changed the machines."*

# %% id="ex-clinic-cost"
# exercise: 11.clinic-cost
def speed_up(uniform_steps, strategy_steps, training, scoring, every):
    """How many times less compute a strategy needs than uniform masks to be as good; below 1 it needs more.

    uniform_steps, strategy_steps: steps until both are as good; training: operations of a step; scoring: of a scoring
    pass, which the strategy makes at step 0 and then at every `every`-th, and uses until the next.
    """
    # Where to start: what has each of them paid?
    # <broken>
    #| return uniform_steps / strategy_steps
    # </broken>
    # <solution>
    scoring_passes = (strategy_steps + every - 1) // every
    return uniform_steps * training / (strategy_steps * training + scoring_passes * scoring)
    # </solution>


# %% id="check-clinic-cost"
check("11.clinic-cost", speed_up)

# %% [markdown] id="clinic-bessel-story"
# ### A signal out of nothing
#
# *"We measure the signal as the squared norm of the mean gradient. With eight batches it is strong, with eighty
# weak, with eight hundred it has nearly gone. So we measure with eight."*

# %% id="ex-clinic-bessel"
# exercise: 11.clinic-bessel
def signal_and_noise(gradients):
    """(the squared norm of the expected gradient, the trace of the covariance of one gradient), right on average.

    gradients: (R, P), R independent ones, at least 2, whose mean may be far larger than their scatter. The first may
    come out below 0.
    """
    # Where to start: give it pure noise. What should come out, and what does?
    # <broken>
    #| mean = gradients.mean(axis=0)
    #| return (mean**2).sum(), ((gradients - mean) ** 2).mean(axis=0).sum()
    # </broken>
    # <solution>
    R = len(gradients)
    mean = gradients.mean(axis=0)
    trace = ((gradients - mean) ** 2).sum() / (R - 1)
    return (mean**2).sum() - trace / R, trace
    # </solution>


# %% id="check-clinic-bessel"
check("11.clinic-bessel", signal_and_noise)

# %% [markdown] id="recap"
# ## Recap
#
# The verdict of the first row is that of `python3 course.py claims`, computed by the rule that the next cell prints.
# All of them follow one rule: a verdict needs 97.5% of the resamples, which for a single figure means that its 95%
# interval lies on one side of the threshold; else it is *undecided*. The share that agrees stands beside it.

# %% id="recap-rules" tags=["nbval-ignore-output"]
from mlm_mini.experiments.claims.claim import Effort
from mlm_mini.experiments.claims.all_claims import measure_claims

(claim,) = measure_claims(Effort(), ["entropy-masking"])
print(f"{claim.claim.id}: {claim.claim.figure}:\n  {claim.claim.rule}")

# %% id="recap-table" tags=["nbval-ignore-output"]
early = study.ratio("useful", "surprisal", after=study.config.probed[0])
off, mended = study.difference("overconfidence", "surprisal", charged=False), study.difference(
    "overconfidence", "surprisal", True)
on_noise = study.difference("noise_share", "entropy", language="noisy")
against = {more: study.difference("kl", "kept", against=more) for more in ("uniform", "uniform 30%", "uniform 40%")}
free_of_cost = study.difference("kl", "surprisal", charged=False)
paid = study.difference("kl", "surprisal")


def points(sampled, digits=1):
    """A share as percentage points, with its interval."""
    return span([100 * x for x in sampled.estimate], digits, "+")


Markdown(f"""
| the article this course grew from, and what it leaves open | measured in this chapter | verdict |
|---|---|---|
| masks at high-surprisal tokens "can generate a significantly stronger expected learning signal" | expected gradient \
{span(length)} times as long; the final model's KL {span(paid.estimate, 2, "+")} nats at equal compute | \
**{claim.verdict}** |
| is the part that lowers the KL longer? | after a whole training {span(useful)} times, after a quarter \
{span(early)} | \
**{decide_above(study.factor("useful", "surprisal"), 1)}** |
| is a step of fixed length worth more? | {span(step)} times | \
**{decide_above(study.factor("efficiency", "surprisal"), 1)}** |
| hard tokens force "the model to learn more": is it better after as many steps? | by surprisal, KL \
{span(free_of_cost.estimate, 2, "+")} nats beside uniform masks | **{decide_below(free_of_cost, 0)}** |
| and at equal compute, the scoring pass paid? | by surprisal {span(paid.estimate, 2, "+")} nats, by \
entropy {span(race["entropy", False], 2, "+")} | **{decide_below(paid, 0)}** |
| and where looking costs next to nothing? | *kept*, beside uniform masks at 15%: \
{span(against["uniform"].estimate, 2, "+")} nats | **{decide_below(against["uniform"], 0)}** |
| is that the best use of 30% hidden words? | *kept*, beside uniform masks that ask for all 30%: \
{span(against["uniform 30%"].estimate, 2, "+")} nats, for all 40%: {span(against["uniform 40%"].estimate, 2, "+")} | \
**{decide_below(against["uniform 30%"], 0)}** |
| selected by surprisal, is the model less sure than with uniform masks? | two words, exactly: 0.90 is learned as \
{paths["surprisal"][-1]:.2f}. The study, after as many steps: confidence {points(off)} points beside uniform masks; with weights, \
at equal compute, {points(mended)} | **{decide_below(off, 0)}** |
| does a hunt for difficulty find noise? | with codes in the text, masks by entropy fall on noise \
{points(on_noise, 0)} points more often than uniform masks | **{decide_above(on_noise, 0)}** |
""")

# %% [markdown] id="recap-note"
# What this does not say: the models are tiny, the text is simple, and four hundred steps are a short life. A larger
# model, or harder text with a cheaper way to score it, may tip the balance; that spans of words belong together is
# another matter (Joshi and others 2020; Levine and others 2021). What carries over are the questions: is the
# gradient longer, or better? What does looking cost? Does the choice look at the answer? What of the noise? And what is
# the cheapest thing that would do as well?

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - John W. Tukey (1958). Bias and confidence in not-quite large samples. *Annals of Mathematical Statistics* 29. The
#   jackknife, as an abstract of a few lines.
# - Donald B. Rubin (1976). Inference and missing data. *Biometrika* 63. When what is missing may be ignored, and
#   when not.
# - Daniel G. Horvitz and Donovan J. Thompson (1952). A generalization of sampling without replacement from a finite
#   universe. *Journal of the American Statistical Association* 47.
# - Pavlos S. Efraimidis and Paul G. Spirakis (2006). Weighted random sampling with a reservoir. *Information
#   Processing Letters* 97.
# - Wouter Kool, Herke van Hoof and Max Welling (2019). Stochastic beams and where to find them: The Gumbel-top-k
#   trick for sampling sequences without replacement. *ICML*.
# - Angelos Katharopoulos and François Fleuret (2018). Not all samples are created equal: Deep learning with
#   importance sampling. *ICML*.
# - Sören Mindermann and others (2022). Prioritized training on points that are learnable, worth learning, and not
#   yet learnt. *ICML*. Why loss alone picks noise.
# - Mandar Joshi and others (2020). SpanBERT: Improving pre-training by representing and predicting spans. *TACL* 8.
# - Yoav Levine and others (2021). PMI-Masking: Principled masking of correlated spans. *ICLR*.
# - Kevin Clark, Minh-Thang Luong, Quoc V. Le and Christopher D. Manning (2020). ELECTRA: Pre-training text encoders
#   as discriminators rather than generators. *ICLR*.
# - Chuan Guo, Geoff Pleiss, Yu Sun and Kilian Q. Weinberger (2017). On calibration of modern neural networks.
#   *ICML*.
#
# Next: part IV asks what has been learned. Chapter 12 looks at the company a word keeps.
