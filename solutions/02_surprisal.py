# ---
# jupyter:
#   course:
#     title: Surprisal
#     question: How wrong was a guess, in numbers that can be learned from?
#     minutes: 135
#     prerequisites: Chapter 01; what a derivative is
# ---

# %% [markdown] id="header"
# # 02 · Surprisal
#
# **How wrong was a guess, in numbers that can be learned from?**
#
# You will be able to
#
# - price a guess by the surprisal of the true word, in nats, and read the price in bits and as a perplexity;
# - compute the loss of a masked language model over the masked positions, and over nothing else;
# - write its gradient by hand, and convince a skeptic that it is right;
# - say how hard a blank is at best, and what a wrong expectation costs on top;
# - find three bugs of kinds that were reported in public training code.
#
# *135 minutes. Prerequisites: chapter 01; what a derivative is. Everything here is NumPy on the CPU: on a machine with a
# GPU nothing changes.*

# %% [markdown] id="how-it-works"
# `hint("02.surprisal")` in a new cell gives one step of help at a time, and `failing("02.surprisal")` hands you the
# smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run
# before yours do. In an exercise you may use `ref.` for anything that an earlier exercise had you build, such as
# `ref.softmax` and `ref.log_softmax`. No function of yours should change the arrays it is given.

# %% id="setup"
import numpy as np
import torch

from mlm_mini import figures
from mlm_mini import reference as ref
from mlm_mini.course import check, failing, hint
from mlm_mini.languages import scene_language

words = ["jumps", "leaps", "runs", "walks", "sleeps", "table", "the"]
fox_logits = np.array([6.0, 5.0, 4.0, 2.5, 1.0, -1.0, -3.0])  # The quick brown fox [MASK] over the lazy dog

# %% [markdown] id="why-log"
# ## 1 · The price of a guess
#
# A model states probabilities, and then the true word is shown. Right or wrong would be too coarse a verdict: a model
# that gave the true word 40% did better than one that gave it 1%, even if both preferred another word. So the price
# depends on the probability $p_t$ of the true word $t$ alone:
#
# $$s = -\log p_t.$$
#
# This is the **surprisal**, a word of Tribus (1961); in studies of reading it predicts how long people dwell on a word
# (Hale 2001; Levy 2008). A sure and right guess costs 0, a word that was called impossible costs infinity, and since
# probabilities of independent guesses multiply, their surprisals add. With the natural logarithm the unit is the
# **nat**; with base 2 it is the bit, and 1 nat is 1.44 bits.

# %% id="fig-surprisal" tags=["nbval-ignore-output"]
p = np.linspace(0.002, 1, 500)
figure, (left, right) = figures.new_figure(width=9.0, height=3.4, columns=2)
left.plot(p, -np.log(p), color=figures.BLUE)
everyday = (("p = 0.9", 0.9, 0.62, 1.6), ("a coin", 1 / 2, 0.52, 0.84), ("a die", 1 / 6, 0.19, 1.94))
for name, x, x_text, y_text in everyday:
    left.plot(x, -np.log(x), "o", color=figures.RED)
    left.text(x_text, y_text, f"{name}: {-np.log(x):.2f}")
left.plot([0.89, 0.78], [0.2, 1.5], color=figures.BLACK, linewidth=0.8)
left.set(title=f"What was 90% likely costs {-np.log(0.9):.2f} nats", xlabel="probability of what happened",
         ylabel="surprisal (nats)")

p = np.logspace(-5, 0, 50)
right.plot(p, -np.log(p), color=figures.BLUE)
for name, chances in (("a die", 6), ("a birthday", 365), ("a four-digit PIN", 10_000), ("a word among 50,000", 50_000)):
    right.plot(1 / chances, np.log(chances), "o", color=figures.RED)
    right.text(1.4 / chances, np.log(chances) + 0.1, f"{name}: {np.log(chances):.2f}")
right.set(title=f"Ten times less likely costs {np.log(10):.1f} nats more", xlabel="probability of what happened",
          xscale="log", xlim=(7e-6, 7))
figures.show(figure, alt="Two plots of surprisal, minus log p, against p. On a linear axis it falls from about 6 "
             "nats near p = 0 to 0 at p = 1: a die's throw costs 1.79, a coin's 0.69, an event of probability 0.9 "
             "costs 0.11. On a logarithmic axis it is a straight line: a birthday costs 5.90, a four-digit PIN 9.21, "
             "one word among 50,000 costs 10.82.")

# %% [markdown] id="surprisal"
# The model gives logits $z$, so the price of the word $t$ is $s = -\log p_t = \log \sum_j e^{z_j} - z_t$: how far the
# true word's logit lies below the log-sum-exp of all. For a batch, `logits` has the shape (B, T, V) and `targets`,
# the ids of the true words, has the shape (B, T).

# %% id="ex-surprisal"
# exercise: 02.surprisal
def surprisal(logits, targets):
    """-log p_t for p = softmax(z): how unexpected token t was.

    logits: (..., V) scores in nats, for one position or any number; targets: (...) integer token ids from 0 to V - 1.
    Returns (...) nats, one number per position: inf where the target's logit is -inf.
    """
    # Where to start: log-probabilities of all V tokens first, then the one of the target at each position.
    # <solution>
    log_p = ref.log_softmax(logits)
    picked = np.take_along_axis(log_p, targets[..., None], axis=-1)  # (..., V) -> (..., 1)
    return -picked[..., 0]
    # </solution>


# %% id="check-surprisal"
check("02.surprisal", surprisal)

# %% [markdown] id="same-number"
# What the field calls the cross-entropy loss of a prediction is this very number. Here are the surprisals of the fox's
# blank beside PyTorch's loss, whichever word turns out to be the true one.

# %% id="measure-surprisal"
p, agree = ref.softmax(fox_logits), []
print("true word       p   -log p (nats)   (bits)   PyTorch's loss is the same")
for target, word in enumerate(words):
    nats = -np.log(p[target])
    loss = torch.nn.functional.cross_entropy(torch.tensor(fox_logits), torch.tensor(target)).item()
    agree.append(abs(loss - nats) < 1e-12)
    print(f"{word:9}{p[target]:8.4f}{nats:16.4f}{nats / np.log(2):9.4f}   {agree[-1]}")

# %% [markdown] id="cross-entropy"
# ## 2 · The loss: masked positions only
#
# A sentence has many positions and few blanks. Only the blanks are questions, and only they may count. The
# convention, shared by PyTorch and by Hugging Face (whose library `transformers` is where many of today's models are
# published), is an array of **labels** as long as the sentence: the true token's
# id where a token was masked, and -100, the **ignore index**, everywhere else. With $n$ labeled positions $k$,
#
# $$L = \frac{1}{n} \sum_k -\log p_{k, y_k}.$$
#
# Two things go wrong in practice: dividing by all positions instead of $n$, and a batch in which nothing was masked.
# There the mean of no numbers would be 0/0; ours is defined as 0.

# %% id="ex-cross-entropy"
# exercise: 02.cross-entropy
def cross_entropy(logits, labels):
    """The mean surprisal over the positions whose label is not -100.

    logits: (..., N, V) scores in nats; labels: (..., N) integer token ids from 0 to V - 1, or -100.
    Returns a float, in nats: inf when a label's logit is -inf, 0.0 when no position has a label.
    """
    # Where to start: which positions have a label? Then keep those and forget about the others.
    # <solution>
    selected = labels != -100
    s = ref.surprisal(logits[selected], labels[selected])  # (..., N, V) -> (n, V)
    return float(s.sum() / selected.sum()) if selected.any() else 0.0
    # </solution>


# %% id="check-cross-entropy"
check("02.cross-entropy", cross_entropy)

# %% id="measure-cross-entropy"
rng = np.random.default_rng(0)
logits = rng.normal(scale=3.0, size=(2, 6, 7))  # 2 sentences, 6 positions, 7 words
labels = np.array([[-100, 3, -100, 0, -100, -100], [-100, -100, 6, -100, -100, 1]])


def torch_loss(logits, labels):
    return torch.nn.functional.cross_entropy(torch.tensor(logits).flatten(0, 1), torch.tensor(labels).flatten()).item()


same = abs(ref.cross_entropy(logits, labels) - torch_loss(logits, labels)) < 1e-12
nothing = np.full_like(labels, -100)
print("four labels:  as PyTorch's:", same)
print(f"no label:     ours {ref.cross_entropy(logits, nothing)}, PyTorch's {torch_loss(logits, nothing)}")

# %% [markdown] id="gradient"
# ## 3 · What the loss asks for: p - y
#
# A number to learn from needs a slope: which logits should move, in which direction, how far? Write the surprisal of
# one blank as $\log \sum_j e^{z_j} - z_t$ and differentiate by $z_i$. The first term gives the softmax $p_i$; the
# second gives 1 for the true word and 0 for any other, which we write as $y_i$. Over $n$ labeled positions,
#
# $$\frac{\partial L}{\partial z_{ki}} = \frac{p_{ki} - y_{ki}}{n}.$$
#
# Every masked language model learns through these differences, however many layers lie below.

# %% id="fig-gradient" tags=["nbval-ignore-output"]
p = ref.softmax(fox_logits)
slope = ref.cross_entropy_gradient(fox_logits[None], np.array([1]))[0]  # the true word is "leaps"
figure, (ax,) = figures.new_figure(width=7.5, height=3.6)
bars = ax.bar(words, slope, color=[figures.BLUE if value < 0 else figures.ORANGE for value in slope])
for bar, value in zip(bars, slope):
    bar.set_hatch("//" if value < 0 else "")
    ax.text(bar.get_x() + 0.4, value + (0.04 if value > 0 else -0.1), f"{value:+.4f}", ha="center")
ax.axhline(0, color=figures.BLACK, linewidth=0.8)
ax.text(1.55, -0.55, "the true word: its logit will rise", va="center", color=figures.BLUE)
ax.text(1.55, 0.45, "every other word: its logit will fall,\nin proportion to its probability", va="center")
others = slope.sum() - slope[1]
ax.set(title=f"One step lifts the true word's logit by {-slope[1]:.2f}\nand lowers all other logits by {others:.2f} together",
       ylabel="gradient p - y", ylim=(-0.95, 0.8))
figures.show(figure, alt="Bars of the gradient p - y for the fox's blank when the true word is leaps. leaps: "
             "-0.7613. jumps +0.6489, runs +0.0878, walks +0.0196, sleeps +0.0044, table +0.0006, the +0.0001. The "
             "positive bars sum to the length of the negative one.")

# %% id="ex-gradient"
# exercise: 02.gradient
def cross_entropy_gradient(logits, labels):
    """dL/dz = (p - y) / n at the n positions whose label is not -100, and 0 at the others.

    logits: (..., N, V) scores in nats; labels: (..., N) integer token ids from 0 to V - 1, or -100.
    Returns (..., N, V), the shape of the logits; all zeros when no position has a label.
    """
    # Where to start: p and y, both of the shape of the logits. Then n, and the positions that have no label.
    # <solution>
    p = ref.softmax(logits)
    y = np.arange(logits.shape[-1]) == labels[..., None]  # (V,) beside (..., N, 1) -> (..., N, V)
    selected = labels[..., None] != -100  # (..., N, 1)
    n = max(selected.sum(), 1)  # with no label the gradient is 0, not 0 / 0
    return np.where(selected, (p - y) / n, 0.0)
    # </solution>


# %% id="check-gradient"
check("02.gradient", cross_entropy_gradient)

# %% [markdown] id="witnesses"
# Two witnesses. **Finite differences** know no calculus: they nudge each logit by $\pm 10^{-5}$ and watch the loss.
# PyTorch's **autograd**, which differentiates a program step by step by the chain rule, is shown no formula either: it
# is given the loss as exp, sum and log, and follows those three backwards.

# %% id="measure-gradient"
gradient = ref.cross_entropy_gradient(logits, labels)

by_nudging = np.zeros_like(logits)
for index in np.ndindex(logits.shape):
    nudge = np.zeros_like(logits)
    nudge[index] = 1e-5
    higher, lower = ref.cross_entropy(logits + nudge, labels), ref.cross_entropy(logits - nudge, labels)
    by_nudging[index] = (higher - lower) / 2e-5

z = torch.tensor(logits, requires_grad=True)
sentence, position = np.nonzero(labels != -100)
z_true = z[sentence, position, labels[sentence, position]]
(z[sentence, position].exp().sum(-1).log() - z_true).mean().backward()

witnesses = [bool(np.abs(gradient - other).max() < 1e-8) for other in (by_nudging, z.grad.numpy())]
print("largest difference from finite differences below 1e-8:", witnesses[0])
print("largest difference from autograd below 1e-8:          ", witnesses[1])
print("zero where there is no label:", bool((gradient[labels == -100] == 0).all()))

# %% [markdown] id="less-surprised"
# To learn is to step against the gradient. The article this course grew from says that training teaches a model "to be
# less surprised next time". On a single blank it can be watched: five steps on the fox's logits, with "leaps" as the
# true word. Each step subtracts the gradient itself (step size 1).

# %% id="measure-descent"
z, path, prices = fox_logits.copy(), [fox_logits], []
for step in range(6):
    prices.append(ref.surprisal(z, 1))
    print(f"steps taken: {step}   p(leaps) = {np.exp(-prices[-1]):.3f}, surprisal {prices[-1]:.3f} nats")
    z = z - 1.0 * ref.cross_entropy_gradient(z[None], np.array([1]))[0]
    path.append(z)

# %% [markdown] id="logits-and-probabilities"
# Look at the first step more closely. All wrong words have their logits lowered. Does each of them also become less
# likely?

# %% id="measure-first-step"
before, after = ref.softmax(path[0]), ref.softmax(path[1])
print("word      change of logit   p before   p after")
for word, change, old, new in zip(words, path[1] - path[0], before, after):
    print(f"{word:9}{change:16.4f}{old:11.4f}{new:10.4f}   {'up' if new > old else 'down'}")

# %% [markdown] id="first-step-note"
# No: only the strongest rivals do. A probability depends on the other logits too. "jumps" gave up more than "leaps" took,
# and the words whose logits hardly moved share what is left over.

# %% [markdown] id="signal"
# How strong is the push? The sizes of all entries of $p - y$ add up to $2(1 - p_t)$: the true word is short of
# $1 - p_t$, and the others have exactly that to give back. An easy blank pushes hardly at all, and no blank pushes
# harder than 2, however large its surprisal.

# %% id="measure-signal"
push = {}
for p_true in (0.99, 0.5, 0.1, 0.001):
    z = np.log([p_true, 1 - p_true])
    push[p_true] = np.abs(ref.cross_entropy_gradient(z[None], np.array([0]))).sum()
    print(f"p = {p_true:5}: surprisal {-np.log(p_true):.3f} nats, total push {push[p_true]:.3f}")

# %% [markdown] id="entropy"
# ## 4 · Entropy: how hard a blank is
#
# Some blanks are hard for everyone. A reader who knows the true probabilities $p$ still pays $-\log p_i$ whenever word
# $i$ comes, which happens with probability $p_i$. The average is the **entropy**
#
# $$H(p) = -\sum_i p_i \log p_i, \qquad 0 \log 0 = 0,$$
#
# from 0 for a certain word to $\log V$ when all $V$ words are equally likely. No model can pay less on average: it is
# the floor under the average loss on fresh sentences. On a finite sample, or on sentences learned by heart, a loss can
# fall below it.

# %% id="ex-entropy"
# exercise: 02.entropy
def entropy(p):
    """H(p) = -sum_i p_i log p_i, with 0 log 0 = 0.

    p: (..., V) probabilities that sum to one along the last axis; some may be 0.
    Returns (...) nats.
    """
    # Where to start: the surprisal of each word, weighed by how often it comes. Then think about p_i = 0.
    # <solution>
    possible = np.where(p > 0, p, 1.0)  # log 1 = 0, so an impossible word adds nothing
    return -(p * np.log(possible)).sum(-1)
    # </solution>


# %% id="check-entropy"
check("02.entropy", entropy)

# %% id="measure-entropy"
p = ref.softmax(fox_logits)
drawn = np.random.default_rng(0).choice(len(words), size=200_000, p=p)
paid = -np.log(p)[drawn]
print(f"entropy of the fox's blank:                    {ref.entropy(p):.2f} nats")
print(f"mean surprisal of 200,000 words drawn from it: {paid.mean():.2f} nats")

# %% [markdown] id="scene-entropy"
# In English nobody knows the true probabilities. The course has a small language of its own, made of scenes in kitchens
# and gardens, in which they are known exactly. Here is one of its sentences. Each word is hidden in turn, with all the
# others visible: the bar is the entropy of that blank, the surprisal to expect, and the diamond is the surprisal of the
# word that stands there.

# %% id="fig-entropy" tags=["nbval-ignore-output"]
language = scene_language()
sentence = "the chef cuts the bread in the kitchen .".split()
padding = ["[PAD]"] * (language.length - len(sentence) - 2)
ids = language.vocabulary.ids(["[CLS]", *sentence, "[SEP]", *padding])
positions = np.arange(1, len(sentence) + 1)
blanks = np.tile(ids, (len(sentence), 1))
blanks[np.arange(len(sentence)), positions] = language.vocabulary.mask_id  # row k hides word k and no other
posterior = language.posterior_at(blanks, positions[:, None])[:, 0]  # (words, V)

expected = ref.entropy(posterior)
happened = 0.0 - np.log(posterior[np.arange(len(sentence)), ids[positions]])
figure, (ax,) = figures.new_figure(width=8.0, height=3.4)
ax.bar(positions, expected, color=figures.SKY, width=0.6, label="entropy: what to expect")
ax.plot(positions, happened, "D", color=figures.RED, clip_on=False, label="surprisal: what happened")
for x, value in zip(positions, expected):
    ax.text(x, value + 0.08, f"{value:.2f}", ha="center")
certain = (expected < 0.005).sum()
ax.set(title=f"{certain} of the {len(sentence)} tokens are certain", ylabel="nats", ylim=(0, 1.2 * expected.max()))
ax.set_xticks(positions, sentence)
ax.legend(loc="upper right", frameon=False)
listed = ", ".join(f"{word} {h:.2f} ({s:.2f})" for word, h, s in zip(sentence, expected, happened))
figures.show(figure, alt=f"Entropy of each blank of the sentence '{' '.join(sentence)}', and in brackets the surprisal "
             f"of the word that stands there, in nats: {listed}.")

# %% id="measure-scene-entropy"
for word in ("chef", "cuts"):
    place = sentence.index(word)
    print(f"{word}: expected {expected[place]:.2f} nats, paid {happened[place]:.2f}")

# %% [markdown] id="scene-entropy-reading"
# Compare each diamond with its bar. "cuts" came as a surprise, because another verb was likelier there; "chef" as less
# of one than expected, because many people could stand there and a chef is among the likeliest. On average over the
# language the two agree: that is what an expectation is.

# %% [markdown] id="perplexity"
# ## 5 · Perplexity: the same, as a number of words
#
# A die has six equally likely faces and costs $\log 6$ nats. Read the other way round, a mean surprisal of $s$ nats
# is as hard as a choice among $e^s$ equally likely words. That number is the **perplexity**, and it is what papers
# report.

# %% id="ex-perplexity"
# exercise: 02.perplexity
def perplexity(mean_surprisal):
    """The number of equally likely words that would be as hard to guess.

    mean_surprisal: (...) nats per word, one number for each text or model, or a single one.
    Returns (...), each 1 or more.
    """
    # Where to start: a fair coin costs log 2 nats and has to come out as 2.
    # <solution>
    return np.exp(mean_surprisal)
    # </solution>


# %% id="check-perplexity"
check("02.perplexity", perplexity)

# %% id="measure-perplexity"
equal_words = {"a fair coin": 2, "a die": 6, "50,000 equal words": 50_000}
guesses = {name: np.log(n) for name, n in equal_words.items()} | {"the fox's blank": ref.entropy(p)}
for name, nats in guesses.items():
    print(f"{name:20}{nats:8.4f} nats   perplexity {ref.perplexity(nats):10,.2f}")

# %% [markdown] id="untrained"
# The third line is a useful one to remember. A model that has learned nothing gives all words the same probability,
# so the loss at the first step of training should be about $\log V$. If it is much larger, something is wrong before
# training has begun, and the bug clinic below shows one way to get there.
#
# Be careful when you compare perplexities. They are per token, so cutting words into pieces lowers them without a better
# model. And they depend on how much is hidden, since with more blanks every blank has less around it to go by. Below the
# reader is perfect both times, and only the question changes.

# %% id="measure-what-is-asked"
whole = 4.0  # nats for a word, cut into two pieces or not
print(f"a word of 4 nats: perplexity per word {ref.perplexity(whole):.1f}, per piece {ref.perplexity(whole / 2):.1f}")
for ratio in (0.15, 0.5):
    floor = language.bayes_floor(ratio, np.random.default_rng(0), n=2_000)
    print(f"scenes, {ratio:.0%} hidden: {floor.mean:.2f} nats per blank, perplexity {ref.perplexity(floor.mean):.1f}")

# %% [markdown] id="kl"
# ## 6 · KL divergence: what a wrong expectation costs
#
# A model expects $q$ where $p$ is true. It pays $-\log q_i$ when word $i$ comes, on average
# $H(p, q) = -\sum_i p_i \log q_i$, the cross-entropy of the two. Of that the entropy $H(p)$ could not be avoided. What
# remains is the model's own fault, the **Kullback-Leibler divergence**:
#
# $$\mathrm{KL}(p, q) = \sum_i p_i \log \frac{p_i}{q_i} = H(p, q) - H(p).$$
#
# It is never negative (because $\log x \le x - 1$), and 0 only when $q = p$. It is not symmetric: $p$ says how often
# each word comes, $q$ what it costs. A word that comes and was thought impossible costs infinity; a word that never
# comes costs nothing, whatever was expected. With one true word, $p$ is 1 there, and $H(p, q)$ is its surprisal: that
# is why the loss is called cross-entropy.

# %% id="ex-kl"
# exercise: 02.kl
def kl_divergence(p, q):
    """KL(p, q) = sum_i p_i log(p_i / q_i): the surprisal added by expecting q where p is true.

    p, q: (..., V) probabilities that sum to one along the last axis; some may be 0.
    Returns (...) nats: inf where some q_i = 0 < p_i; a term with p_i = 0 counts nothing.
    """
    # Where to start: the difference of two surprisals, weighed. Then the two kinds of zero, one after the other.
    # <solution>
    log_p = np.log(np.where(p > 0, p, 1.0))
    with np.errstate(divide="ignore"):  # log 0 = -inf is meant here
        log_q = np.log(np.where(p > 0, q, 1.0))
    return (p * (log_p - log_q)).sum(-1)
    # </solution>


# %% id="check-kl"
check("02.kl", kl_divergence)

# %% id="measure-kl"
p, q = ref.softmax(fox_logits), ref.temperature(fox_logits, 3.0)  # the truth, and a model that is too cautious
paid = -(p * np.log(q)).sum()
print(f"paid on average     H(p, q)  = {paid:.4f} nats")
print(f"not to be avoided   H(p)     = {ref.entropy(p):.4f}")
print(f"the model's fault   KL(p, q) = {ref.kl_divergence(p, q):.4f}")
print(f"the other way round KL(q, p) = {ref.kl_divergence(q, p):.4f}")

excluded = ref.softmax(np.where(np.array(words) == "the", -np.inf, fox_logits))  # the same model without "the"
print(f"KL(with, without) = {ref.kl_divergence(p, excluded)}, KL(without, with) = {ref.kl_divergence(excluded, p):.5f}")

# %% [markdown] id="kl-note"
# The last line is a preview. The word "the" had a chance of less than one in ten thousand here. Excluding it changes
# almost nothing, and makes the divergence infinite in one direction. Chapter 04 shows a bug in which this happens.

# %% [markdown] id="clinic"
# ## 7 · Bug clinic
#
# Three losses, each with a bug of a kind that was reported in public training code; "Where to read on" names a thread
# for each. Such bugs are easy to miss: nothing crashes, and often the loss still goes down. Read the user's story, which
# is made up, find the cause, repair the function. The checks know the wrong repairs too.

# %% [markdown] id="clinic-mean-story"
# ### The weights that did nothing
#
# *"Our batches are padded to the same length, and padding has weight 0. But the loss does not change when I change the
# weights. I set them to 0 for half of the words and to 5 for the rest, and got the same number to the last digit. The
# weights do arrive, I printed them."*

# %% id="ex-clinic-mean"
# exercise: 02.clinic-mean
def weighted_loss(logits, targets, weights):
    """The weighted mean of the surprisals: sum_k w_k s_k / sum_k w_k.

    logits: (..., N, V) finite scores in nats; targets: (..., N) integer token ids;
    weights: (..., N), 0 or more, not all 0.
    Returns a float, in nats.
    """
    # Where to start: write the shape of the loss beside each line.
    # <broken>
    #| loss = ref.surprisal(logits, targets).mean()
    #| loss = loss * weights
    #| return float(loss.sum() / weights.sum())
    # </broken>
    # <solution>
    loss = ref.surprisal(logits, targets) * weights  # one finite number per position until the weights have acted
    return float(loss.sum() / weights.sum())
    # </solution>


# %% id="check-clinic-mean"
check("02.clinic-mean", weighted_loss)

# %% [markdown] id="clinic-mean-note"
# A weight of 0 takes a position out only because the scores are finite here. Where a surprisal can be infinite, 0 times
# infinity is NaN, and the positions of weight 0 have to be left out first, as in section 2.

# %% [markdown] id="clinic-broadcast-story"
# ### A loss that grows with the batch
#
# *"An untrained model with 50,000 words should start at a loss of about 10.8. Ours starts at 690 with 64 positions in
# the batch, and at twice that with 128. The mask comes from the data loader as a column, one row per position.
# Whatever I mask, the loss stays the same."*

# %% id="ex-clinic-broadcast"
# exercise: 02.clinic-broadcast
def masked_mean(surprisals, mask):
    """The mean surprisal over the selected positions.

    surprisals: (N,) finite nats; mask: (N, 1), 1.0 where a position is selected, at least one, and 0.0 elsewhere.
    Returns a float, in nats.
    """
    # Where to start: the docstring gives the shapes. What does NumPy make of (N,) times (N, 1)?
    # <broken>
    #| masked = surprisals * mask
    #| return float(masked.sum() / mask.sum())
    # </broken>
    # <solution>
    selected = mask[:, 0] == 1  # (N, 1) -> (N,)
    return float(surprisals[selected].sum() / selected.sum())  # taken out, not multiplied by 0
    # </solution>


# %% id="check-clinic-broadcast"
check("02.clinic-broadcast", masked_mean)

# %% [markdown] id="clinic-empty-story"
# ### NaN on some days
#
# *"Training runs for hours, then the log says that the loss of the epoch is nan. It happens on some days and not on
# others, and only with our short texts at a low mask ratio. The model is fine: if I run the same epoch again with
# another seed, I get a number, though not quite the one my colleague gets from the same guesses."*

# %% id="ex-clinic-empty"
# exercise: 02.clinic-empty
def epoch_loss(batches):
    """The mean surprisal over all masked tokens of an epoch.

    batches: list of one array or more; array b holds the surprisals (nats, inf among them) of the n_b masked tokens of
    batch b, and n_b may be 0.
    Returns a float, in nats, in which every masked token counts the same; 0.0 when there are none at all.
    """
    # Where to start: which batch makes the NaN? And does the average ask how many tokens a batch had?
    # <broken>
    #| means = [batch.mean() for batch in batches]
    #| return float(np.mean(means))
    # </broken>
    # <solution>
    total = sum(batch.sum() for batch in batches)
    count = sum(len(batch) for batch in batches)
    return float(total / count) if count else 0.0
    # </solution>


# %% id="check-clinic-empty"
check("02.clinic-empty", epoch_loss)

# %% [markdown] id="recap"
# ## Recap
#
# A guess costs $-\log p$ of the true word, the loss is the mean of that over the masked positions, and its gradient
# is $(p - y) / n$. The entropy is the part of the loss that nobody can avoid, the KL divergence the part that can be
# learned away.

# %% id="recap-table"
from IPython.display import Markdown

never = "**does not hold**"
loss_verdict = "**holds**: surprisal for one blank, mean surprisal for many" if all(agree) and same else never
step_verdict = "**holds**, here on the logits themselves" if (np.diff(prices) < 0).all() and all(witnesses) else never
push_verdict = "**holds** for the push on the logits" if (np.diff(list(push.values())) > 0).all() else never
Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| cross-entropy: "This loss is also known as surprisal" | PyTorch's loss equal to $-\\log p$ within $10^{{-12}}$ for \
{sum(agree)} of {len(words)} words; over several blanks, equal to the mean: {same} | {loss_verdict} |
| "teaches it to be less surprised next time" | five steps against $p - y$: from {prices[0]:.3f} to {prices[-1]:.3f} nats; \
gradient equal to finite differences and autograd within $10^{{-8}}$: {all(witnesses)} | {step_verdict} |
| easy tokens yield "a weak learning signal" | total push {push[0.99]:.3f} at $p = 0.99$, {push[0.001]:.3f} at \
$p = 0.001$ | {push_verdict}; whether to mask hard words more often is another question, for chapter 11 |
""")

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Claude E. Shannon (1948). A mathematical theory of communication. *Bell System Technical Journal* 27. Where the
#   entropy comes from, and still the best introduction.
# - Claude E. Shannon (1951). Prediction and entropy of printed English. *Bell System Technical Journal* 30. People
#   guess letters, and the entropy of a language is measured.
# - Solomon Kullback and Richard A. Leibler (1951). On information and sufficiency. *Annals of Mathematical
#   Statistics* 22.
# - Frederick Jelinek, Robert L. Mercer, Lalit R. Bahl and James K. Baker (1977). Perplexity, a measure of the
#   difficulty of speech recognition tasks. *Journal of the Acoustical Society of America* 62.
# - Myron Tribus (1961). *Thermostatics and Thermodynamics*. Van Nostrand. Where the word surprisal was introduced.
# - John Hale (2001). A probabilistic Earley parser as a psycholinguistic model. *NAACL*.
# - Roger Levy (2008). Expectation-based syntactic comprehension. *Cognition* 106.
# - Thomas M. Cover and Joy A. Thomas (2006). *Elements of Information Theory*, second edition, chapter 2. Wiley.
# - The bugs of the clinic, on GitHub. A loss averaged before its mask acts: jingyaogong/minimind, issue 51 (2024, in
#   Chinese). A mask of shape (64) beside losses of shape (64, 1): pytorch/tutorials, pull request 382 (2018). NaN when
#   no token is masked: huggingface/transformers, issue 16711 (2022). A mean of means where batches differ in length:
#   meta-pytorch/torchtune, pull request 1875 (2024).
#
# Next: chapter 03 decides which words to hide, and what to put in their place.
