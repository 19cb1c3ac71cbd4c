# ---
# jupyter:
#   course:
#     title: Masking the logits
#     question: What must never be predicted, and what happens when it leaks?
#     minutes: 90
#     prerequisites: Chapters 01 to 03
# ---

# %% [markdown] id="header"
# # 04 · Masking the logits
#
# **What must never be predicted, and what happens when it leaks?**
#
# You will be able to
#
# - exclude tokens from a prediction so that their probability, and their gradient, is exactly zero;
# - say why it has to happen before the softmax and not after;
# - measure how far a buggy prediction is from the correct one, by total variation and by the KL divergence;
# - say in which direction that divergence is infinite, in which it is finite, and what its size is;
# - say what training does to a logit that is never the answer, and what it does to one that is excluded;
# - find five bugs in masking code, of kinds that careful people have published.
#
# *90 minutes. Prerequisites: chapters 01 to 03. All but one measurement is NumPy on the CPU: on a machine with a GPU
# nothing changes, except that float16 has no number below -65,504, one more reason for minus infinity.*

# %% [markdown] id="how-it-works"
# `hint("04.exclude")` in a new cell gives one step of help at a time, and `failing("04.exclude")` hands you the
# smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run
# before yours do. Run cells one by one with Shift+Enter; *Run All* stops at the first unsolved check. In an exercise
# you may use `ref.` for anything that an earlier chapter had you build, such as `ref.softmax`.

# %% id="setup"
import numpy as np

from mlm_mini import figures
from mlm_mini import reference as ref
from mlm_mini.course import check, failing, hint
from mlm_mini.languages import scene_language

language = scene_language()
vocabulary = language.vocabulary
special_ids = vocabulary.special_ids

# %% [markdown] id="why-exclude"
# ## 1 · Tokens that are no answer
#
# A model has one output per token of its vocabulary, `[PAD]`, `[CLS]` and `[MASK]` included, and none of these is ever
# the answer to a blank. To rule them out, replace their logits before the softmax:
#
# $$z_i = -\infty \quad\text{for excluded } i, \qquad p_i = \frac{e^{z_i}}{\sum_j e^{z_j}} = 0,$$
#
# because $e^{-\infty}$ is 0, in floating point as on paper. Section 4 says who does this and who does not.

# %% [markdown] id="a-blank"
# For a blank to work with, take the exact distribution of a scene sentence, mixed with a little noise as an imperfect
# model would have it, and give the special tokens scores of their own. `[CLS]` stands highest, as in the story that the
# article this course grew from tells.

# %% id="make-logits"
ids = language.encode("the chef cuts the [MASK] .")
blank = int(np.flatnonzero(ids == vocabulary.mask_id)[0])
exact = language.posterior(ids[None])[0, blank]
logits = np.log(0.98 * exact + 0.02 / len(vocabulary))
logits[special_ids] = [-3.0, -5.0, 1.5, -4.0, -2.0]
best = np.argsort(-logits)[:6]
print("the highest logits:", ", ".join(f"{vocabulary.tokens[i]} {logits[i]:.2f}" for i in best))

# %% id="ex-exclude"
# exercise: 04.exclude
def exclude_tokens(logits, excluded):
    """A copy of the logits with -inf at the excluded tokens.

    logits: (..., V) scores, real or whole numbers; a logit may already be -inf. excluded: (n,) integer ids from 0 to
    V - 1 in any order, none at all, or some of them twice. Returns a new (..., V) float array. Raises ValueError if a
    row has no token left.
    """
    # Where to start: an array of integers cannot hold -inf. And along which axis do the tokens lie?
    # <solution>
    out = np.array(logits, dtype=np.float64)
    out[..., excluded] = -np.inf
    if np.isneginf(out).all(axis=-1).any():
        raise ValueError("a row has no token left: every one is excluded")
    return out
    # </solution>


# %% id="check-exclude"
check("04.exclude", exclude_tokens)

# %% id="fig-exclude" tags=["nbval-ignore-output"]
p_all = ref.softmax(logits)
p_words = ref.softmax(ref.exclude_tokens(logits, special_ids))
figure, axes = figures.new_figure(8.5, 2.8, columns=2)
for ax, p, title in zip(axes, (p_all, p_words), ("Everything may be predicted", "Special tokens excluded")):
    bars = ax.barh(np.arange(6)[::-1], p[best], color=figures.SKY, edgecolor="white")
    ax.set_yticks(np.arange(6)[::-1], vocabulary.words(best))
    for bar, token, value in zip(bars, best, p[best]):
        if token in special_ids:
            bar.set(facecolor=figures.RED, hatch="///", edgecolor="white")
        ax.text(value + 0.01, bar.get_y() + 0.4, f"{value:.3f}" if value else "0 exactly", va="center", fontsize=9)
    ax.set(xlim=(0, 1), xlabel="probability")
    ax.set_title(title, loc="left")
    ax.grid(axis="y", visible=False)
told = [", ".join(f"{vocabulary.tokens[i]} {p[i]:.3f}" for i in best) for p in (p_all, p_words)]
figures.show(figure, alt="Bars for the six highest logits of the blank in 'the chef cuts the [MASK] .'. With everything "
             f"allowed: {told[0]}. With the special tokens excluded: {told[1]}.")

# %% [markdown] id="zero-and-zero"
# The zero is exact, whatever the logit was, and so is the gradient's: $\partial L / \partial z_i = p_i - y_i$ is zero
# where $p_i$ is zero and $i$ is not the answer. Two other ways to get rid of a token are not as good:

# %% id="measure-exclusion"
answer = vocabulary.ids(["bread"])
huge = logits.copy()
huge[vocabulary.cls_id] = 1e4
excluded = ref.exclude_tokens(huge, special_ids)
penalized = huge - np.where(np.isin(np.arange(len(huge)), special_ids), 1e4, 0.0)
zeroed = np.where(np.isin(np.arange(len(logits)), special_ids), 0.0, ref.softmax(logits))

print("with a logit of 10,000 for [CLS]:")
print(f"  -inf before the softmax:    p([CLS]) = {ref.softmax(excluded)[vocabulary.cls_id]}")
gradient = ref.cross_entropy_gradient(excluded[None], answer)[0]
print(f"                              gradient at the special tokens: {gradient[special_ids].tolist()}")
print(f"  10,000 subtracted:          p([CLS]) = {ref.softmax(penalized)[vocabulary.cls_id]:.3f}")
print("with the logit of 1.5 from above:")
print(f"  set to 0 after the softmax: the words sum to {zeroed.sum():.3f}")

# %% [markdown] id="zero-note"
# Setting probabilities to zero afterwards loses the share that the special tokens had taken; dividing by the sum repairs
# that, unless nothing is left to divide by. With -inf there is nothing to repair.

# %% [markdown] id="why-distance"
# ## 2 · How far apart are two predictions?
#
# Now the bug. Suppose the exclusion forgets one token. The prediction $q$ is then not the correct $p$; but how wrong is
# it? One answer is the **total variation**: the share of probability that has to be moved to turn one into the other,
#
# $$\mathrm{TV}(p, q) = \tfrac{1}{2} \sum_i |p_i - q_i|.$$

# %% id="ex-total-variation"
# exercise: 04.total-variation
def total_variation(p, q):
    """Half the sum of the absolute differences: from 0 (equal) to 1 (nothing in common).

    p, q: (..., V) probabilities of the same shape. Returns (...) numbers, one for each pair of rows.
    """
    # Where to start: what one token gains another one loses. Along which axis does a distribution lie?
    # <solution>
    return 0.5 * np.abs(p - q).sum(axis=-1)
    # </solution>


# %% id="check-total-variation"
check("04.total-variation", total_variation)

# %% [markdown] id="why-kl"
# The other answer is the KL divergence of chapter 02: the surprisal added by expecting one distribution where the other
# is true. It has a direction,
#
# $$\mathrm{KL}(p, q) = \sum_i p_i \log \frac{p_i}{q_i},$$
#
# so there are two numbers to ask for. A term with $p_i = 0$ counts nothing. A term with $q_i = 0$ and $p_i > 0$ counts
# infinitely much: something happened that $q$ had called impossible.

# %% id="ex-kl-directions"
# exercise: 04.kl-directions
def kl_directions(logits, special_ids, leaked_id):
    """Both KL divergences between a correct prediction and one that forgets to exclude a token.

    logits: (..., V) scores in nats; a logit may be -inf, and then nothing leaks. special_ids: (n,) ids to exclude, in
    no particular order; leaked_id: the one of them that is forgotten.
    Returns (KL(buggy, correct), KL(correct, buggy)), each (...) nats.
    """
    # Where to start: two distributions, from two lists of excluded ids. ref.softmax and ref.kl_divergence are yours.
    # <solution>
    p = ref.softmax(ref.exclude_tokens(logits, special_ids))
    q = ref.softmax(ref.exclude_tokens(logits, special_ids[special_ids != leaked_id]))
    return ref.kl_divergence(q, p), ref.kl_divergence(p, q)
    # </solution>


# %% id="check-kl-directions"
check("04.kl-directions", kl_directions)

# %% [markdown] id="derive"
# ## 3 · What a leak costs
#
# Let $z$ be the logit of the forgotten token $c$ and $m = e^z / (e^z + \sum_{\text{words}} e^{z_j})$ the probability
# that it takes, its mass. The words keep their proportions and share the rest,
#
# $$q_i = (1 - m)\, p_i \ \text{ for words}, \qquad q_c = m, \qquad p_c = 0.$$
#
# Put that into the three definitions:
#
# $$\mathrm{TV}(p, q) = \tfrac{1}{2} \Big( \sum_i m\, p_i + m \Big) = m,$$
#
# $$\mathrm{KL}(p, q) = \sum_i p_i \log \frac{p_i}{(1 - m)\, p_i} = -\log(1 - m),$$
#
# $$\mathrm{KL}(q, p) = \dots + m \log \frac{m}{0} = \infty \quad\text{for every } m > 0.$$
#
# From correct to buggy the divergence is finite, and it is the price of the leak in nats: every true word gets
# $-\log(1 - m)$ more surprising. From buggy to correct it is infinite, however small the leak.

# %% id="measure-leak"
cls = vocabulary.cls_id
correct = ref.softmax(ref.exclude_tokens(logits, special_ids))
masses, prices, back = {}, {}, {}  # prices: KL(correct, buggy); back: KL(buggy, correct)
print("logit of [CLS]  mass m     TV   KL(correct, buggy)   -log(1 - m)   KL(buggy, correct)")
for z in (-30.0, -5.0, 0.0, 1.5, 5.0, 20.0):
    leaking = logits.copy()
    leaking[cls] = z
    buggy = ref.softmax(ref.exclude_tokens(leaking, special_ids[special_ids != cls]))
    m = buggy[cls]
    finite = max(ref.kl_divergence(correct, buggy), 0.0)  # rounding could make the smallest one -0.0000
    masses[z], prices[z], back[z] = m, finite, ref.kl_divergence(buggy, correct)
    print(f"{z:14.1f}{m:8.4f}{ref.total_variation(correct, buggy):7.4f}{finite:21.4f}{-np.log1p(-m):14.4f}"
          f"{back[z]:21}")

# %% [markdown] id="read-the-table"
# At a logit of -30 the leak takes less than one part in a million million, and no reader could notice; at 20 it takes
# all but a trace. KL(buggy, correct) is infinite in both cases. The other two numbers tell them apart.

# %% id="fig-leak" tags=["nbval-ignore-output"]
z = np.linspace(-8, 12, 81)
with_z = np.tile(logits, (len(z), 1))
with_z[:, cls] = z
buggy = ref.softmax(ref.exclude_tokens(with_z, special_ids[special_ids != cls]))
same = np.tile(correct, (len(z), 1))
figure, axes = figures.new_figure(9.0, 3.1, columns=2)
axes[0].plot(z, ref.total_variation(same, buggy), color=figures.BLUE)
axes[0].plot(z, buggy[:, cls], ":", color=figures.BLACK, linewidth=4, alpha=0.5)
axes[0].text(1.2, 0.45, "total variation, and\n(dotted) the leaked mass m")
axes[0].set(xlabel="logit of [CLS] (nats)", ylabel="share of probability", ylim=(-0.02, 1.05))
axes[0].set_title("Total variation is the leaked mass", loc="left")
axes[1].plot(z, ref.kl_divergence(same, buggy), "--", color=figures.GREEN)
axes[1].text(4.2, 2.0, "KL(correct, buggy)\n= -log(1 - m)")
axes[1].text(-7.5, 10.2, "KL(buggy, correct) is infinite at every logit", fontsize=9)
axes[1].set(xlabel="logit of [CLS] (nats)", ylabel="nats", ylim=(-0.3, 12))
axes[1].set_title("One direction is finite, the other never", loc="left")
figures.show(figure, alt="Two charts against the logit of [CLS]. Total variation coincides with the leaked mass: an S-shaped "
             "curve from 0 below -5 through 0.5 at 0 to 1 above 5. KL(correct, buggy) is near 0 below -3, 0.69 at 0 and "
             "then rises as a straight line of slope 1, to 12 nats at 12. KL(buggy, correct) is infinite everywhere.")

# %% [markdown] id="try-it"
# Move the logit yourself (arrow keys work). The bars are the candidates for the blank, black marks the correct
# probabilities. The line of text says the same in words. Here the words' logits are the exact log-probabilities of the
# scene language: a logit of 0 makes `[CLS]` as likely as all words together.

# %% id="widget-leak" tags=["nbval-ignore-output"]
from mlm_mini.widgets import leak_widget

leak_widget()

# %% [markdown] id="without-a-kernel"
# Without a running kernel the slider does not move; this is what it shows at a logit of 0.5.

# %% id="fig-leak-widget" tags=["nbval-ignore-output"]
from mlm_mini.widgets.leak import leak_figure

figure, alt = leak_figure("the chef cuts the [MASK] .", leaked_logit=0.5)
figures.show(figure, alt)

# %% [markdown] id="what-training-does"
# ## 4 · What training does to such a logit
#
# Train with the leak, and the loss pays the finite price, $-\log(1 - m)$ on every blank, never the infinite one. Its
# gradient at the leaked logit is $q_c - 0 = m$: the more the token takes, the harder training pushes it down. Below, only
# the logit of `[CLS]` is updated, with step size 1, on one blank whose answer is *bread*.

# %% id="measure-training"
leaking = logits.copy()
mass_at = {}
print("step  logit of [CLS]  mass m   loss    loss without the leak + -log(1 - m)")
for step in range(0, 31):
    buggy_logits = ref.exclude_tokens(leaking, special_ids[special_ids != cls])
    m = ref.softmax(buggy_logits)[cls]
    loss = ref.cross_entropy(buggy_logits[None], answer)
    clean = ref.cross_entropy(ref.exclude_tokens(leaking, special_ids)[None], answer)
    mass_at[step] = m
    if step % 10 == 0:
        print(f"{step:4}{leaking[cls]:16.3f}{m:8.4f}{loss:7.4f}{clean - np.log1p(-m):39.4f}")
    leaking[cls] -= ref.cross_entropy_gradient(buggy_logits[None], answer)[0, cls]

# %% [markdown] id="who-excludes"
# So a leak that training can see mends itself, slowly. BERT leaves it at that: its code excludes nothing and takes the
# softmax over the whole vocabulary. This course trains and evaluates its models in the same way, with all logits. The
# command `fill` shows answers to people, so it leaves the special tokens out before the softmax; `fill --all-tokens`
# shows the probabilities as the model has them.
#
# How much lies between the two? Here is the trained model of chapter 00 beside the same model before its training, on
# 2,000 blanks. (If chapter 00 has not run yet, the cell first trains the model, for a minute or two.)

# %% id="measure-special" tags=["nbval-ignore-output"]
import torch

from mlm_mini.model import MaskedLM
from mlm_mini.training import LiveCurve, quick_model

rng = np.random.default_rng(3)
seen = language.sample(2_000, rng).ids
places = np.array([rng.choice(np.flatnonzero(ref.maskable_positions(row, special_ids))) for row in seen])[:, None]
np.put_along_axis(seen, places, vocabulary.mask_id, axis=1)

trained = quick_model(LiveCurve).model
untrained = MaskedLM(trained.config, torch.Generator().manual_seed(0)).eval()
print("           special tokens take       excluding them  mean logit of")
print("              mean     at most       saves (nats)    special tokens  words  best word")
for name, model in (("untrained", untrained), ("trained", trained)):
    ids = torch.tensor(seen)
    with torch.no_grad():
        z = model(ids, ids != vocabulary.pad_id, torch.tensor(places))[:, 0].double().numpy()  # (2000, V)
    m = ref.softmax(z)[:, special_ids].sum(axis=-1)
    words = z[:, vocabulary.regular_ids]
    print(f"{name:10}{m.mean():9.4%}{m.max():11.4%}{-np.log1p(-m).mean():16.6f}"
          f"{z[:, special_ids].mean():16.2f}{words.mean():11.2f}{words.max(axis=-1).mean():9.2f}")

# %% [markdown] id="special-note"
# Before training, the special tokens take about their even share, 5 of 404 tokens. After it they take next to nothing,
# and leaving them out changes the loss by less than a thousandth of a nat. They did not sink below other wrong words: the
# words that fit rose far above them all. To this model a special token is one more word that is never right.
#
# The reverse is the leak of section 3: to exclude a token in training and forget to in use. How much it takes is then
# left to chance, because the loss never pushes its logit down. Nor does the logit stay where it was. It is
# $z_c = e_c \cdot h + b_c$ (chapter 06), and $h$, the model's reading of the sentence, serves all tokens; in a *tied*
# model $e_c$ is also the vector with which the token is read as input. Here is one step of gradient descent with the
# special tokens excluded:

# %% id="measure-excluded-step" tags=["nbval-ignore-output"]
from copy import deepcopy

model = deepcopy(trained)
ids = torch.tensor(language.encode("the chef cuts the [MASK] ."))[None]
special = torch.tensor(np.isin(np.arange(len(vocabulary)), special_ids))


def logits_of_blank():
    return model(ids, ids != vocabulary.pad_id, torch.tensor([[blank]]))[0]  # (1, V)


before = logits_of_blank()
before.retain_grad()
loss = torch.nn.functional.cross_entropy(before.masked_fill(special, -torch.inf), torch.tensor(answer))
loss.backward()
with torch.no_grad():
    for weight in model.parameters():
        weight -= 0.01 * weight.grad
    change = (logits_of_blank() - before)[0]
print("gradient at the special tokens' logits:", before.grad[0, special].tolist())
print("how far these logits moved:            ", [round(x, 2) for x in change[special].tolist()])
print(f"how far the words' logits moved, on average: {change[~special].abs().mean():.2f}")

# %% [markdown] id="training-note"
# The loss asked nothing of these logits, and they moved all the same, in directions that nobody chose. So whatever
# training excludes must be excluded in use as well, best by the same function. To exclude in use what training left in,
# as `fill` does, is safe.

# %% [markdown] id="clinic"
# ## 5 · Bug clinic of Part I
#
# Five patients, each with the complaint as its owner would put it. The code runs; that is the trouble. Run the check
# first to see the symptom in numbers, then find the cause, and change as little as you can. The stories are made up;
# "Where to read on" names the public code behind four of them.

# %% [markdown] id="clinic-split-story"
# ### Nearly 80/10/10
#
# *"We follow the paper: 10% of the selected tokens become random words, and of the others 90% become `[MASK]`. Our
# counts say 81/10/9. We took it for noise, but it does not go away with more data."*

# %% id="ex-clinic-split"
# exercise: 04.clinic-split
def corrupt_split(ids, selected, mask_id, random_ids, rng):
    """New ids: of the selected tokens 80% become mask_id, 10% one of random_ids, and 10% stay as they are.

    Every token meets its fate by itself. ids: (B, T) integer ids, which must stay as they are; selected: (B, T) bool;
    random_ids: (n,) ids to draw from uniformly; rng: a NumPy Generator, the only source of luck.
    """
    # Where to start: multiply the probabilities along each branch.
    # <broken>
    #| becomes_random = selected & (rng.random(ids.shape) < 0.1)
    #| becomes_mask = selected & ~becomes_random & (rng.random(ids.shape) < 0.9)
    #| drawn = rng.choice(random_ids, size=ids.shape)
    #| return np.where(becomes_mask, mask_id, np.where(becomes_random, drawn, ids))
    # </broken>
    # <solution>
    u = rng.random(ids.shape)
    becomes_mask = selected & (u < 0.8)
    becomes_random = selected & (0.8 <= u) & (u < 0.9)
    drawn = rng.choice(random_ids, size=ids.shape)
    return np.where(becomes_mask, mask_id, np.where(becomes_random, drawn, ids))
    # </solution>


# %% id="check-clinic-split"
check("04.clinic-split", corrupt_split)

# %% [markdown] id="clinic-random-story"
# ### A second `[SEP]`
#
# *"Once in a while a training sentence has `[SEP]` or `[PAD]` in its middle. I have looked at the texts, they are clean.
# It must happen when we replace tokens by random ones, but that is a single line."*

# %% id="ex-clinic-random"
# exercise: 04.clinic-random
def replace_at_random(ids, selected, V, special_ids, rng):
    """New ids: every selected token becomes one of the tokens 0 to V - 1 that are not special, all equally likely.

    Each by a draw of its own, which may happen to give the old token. ids: (B, T) integer ids, which must stay as they
    are; selected: (B, T) bool; special_ids: (n,) ids, anywhere in the vocabulary; rng: a NumPy Generator.
    """
    # Where to start: from which list should the draw be made?
    # <broken>
    #| drawn = rng.integers(0, V, size=ids.shape)
    #| return np.where(selected, drawn, ids)
    # </broken>
    # <solution>
    regular_ids = np.setdiff1d(np.arange(V), special_ids)
    return np.where(selected, rng.choice(regular_ids, size=ids.shape), ids)
    # </solution>


# %% id="check-clinic-random"
check("04.clinic-random", replace_at_random)

# %% [markdown] id="clinic-inplace-story"
# ### The model that answers `[MASK]`
#
# *"The loss fell to zero within a hundred steps. Asked to fill a blank, the model answers `[MASK]`, with certainty. And
# from epoch to epoch it got stranger: more and more of the corpus was `[MASK]`."*

# %% id="ex-clinic-inplace"
# exercise: 04.clinic-inplace
def make_example(ids, selected, mask_id):
    """(inputs, labels): mask_id where selected; the true token as label there, and -100 elsewhere.

    ids: (B, T) integer ids, which must stay as they are; selected: (B, T) bool. Returns two new (B, T) integer arrays.
    """
    # Where to start: print ids before and after the call.
    # <broken>
    #| inputs = ids
    #| inputs[selected] = mask_id
    #| labels = np.where(selected, ids, -100)
    #| return inputs, labels
    # </broken>
    # <solution>
    inputs = ids.copy()
    inputs[selected] = mask_id
    labels = np.where(selected, ids, -100)
    return inputs, labels
    # </solution>


# %% id="check-clinic-inplace"
check("04.clinic-inplace", make_example)

# %% [markdown] id="clinic-labels-story"
# ### A perfect loss
#
# *"Best run so far: the loss is 0.0 from the first step on. On the test questions the model is no better than chance,
# so the test must be wrong."*

# %% id="ex-clinic-labels"
# exercise: 04.clinic-labels
def masked_loss(logits, ids, selected):
    """The mean surprisal of the true tokens at the selected positions, in nats; 0.0 when none is selected.

    logits: (B, T, V) scores in nats; ids: (B, T) the true tokens; selected: (B, T) bool.
    """
    # Where to start: print the labels.
    # <broken>
    #| labels = np.full(ids.shape, -100)
    #| labels[selected] == ids[selected]
    #| return ref.cross_entropy(logits, labels)
    # </broken>
    # <solution>
    labels = np.full(ids.shape, -100)
    labels[selected] = ids[selected]
    return ref.cross_entropy(logits, labels)
    # </solution>


# %% id="check-clinic-labels"
check("04.clinic-labels", masked_loss)

# %% [markdown] id="clinic-cls-story"
# ### The answer is always `[CLS]`
#
# *"We exclude the special tokens before the softmax, in training and in use. Still, for many blanks the best guess is
# `[CLS]`. The list is right there in the code."*

# %% id="ex-clinic-cls"
# exercise: 04.clinic-cls
def word_probabilities(logits, special):
    """Probabilities over the vocabulary, exactly zero for every special token.

    logits: (..., V) scores in nats, of any size, which must stay as they are; special: a dict from each special token to
    its id, such as {"[CLS]": 2}. There may be more special tokens than BERT's five.
    """
    # Where to start: print the probability of each special token.
    # <broken>
    #| blocked = [special[token] for token in ("[PAD]", "[UNK]", "[SEP]", "[MASK]")]
    #| return ref.softmax(ref.exclude_tokens(logits, blocked))
    # </broken>
    # <solution>
    blocked = list(special.values())
    return ref.softmax(ref.exclude_tokens(logits, blocked))
    # </solution>


# %% id="check-clinic-cls"
check("04.clinic-cls", word_probabilities)

# %% [markdown] id="recap"
# ## Recap
#
# What must never be predicted gets the logit $-\infty$ before the softmax; then its probability and its gradient are
# exactly zero. A forgotten token of mass $m$ moves the prediction by a total variation of $m$ and costs
# $-\log(1 - m)$ nats per blank. The divergence in the other direction is infinite and says only that something
# impossible has become possible. A model trained with all logits, as BERT and ours are, learns by itself to give special
# tokens next to nothing.

# %% id="recap-table"
from IPython.display import Markdown

never = "**does not hold as worded**"
zero = ref.softmax(excluded)[cls] == 0 and gradient[cls] == 0
hijacked = "**holds when** the leaked logit is high" if masses[20.0] > 0.999 and masses[-5.0] < 0.5 else "**holds**"
endless = np.isposinf(list(back.values())).all()
one_way = "**holds when** the mean is taken over the buggy prediction; in the other direction it is $-\\log(1 - m)$"
by_size = np.allclose(list(prices.values()), -np.log1p(-np.array(list(masses.values()))), atol=1e-6)
tiny = f"{never}: the size of the disagreement is the total variation, and it can be tiny"
mended = mass_at[30] < mass_at[0]

Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| "setting the logits for invalid tokens to negative infinity so their resulting probability is zero" | \
probability {ref.softmax(excluded)[cls]} and gradient {gradient[cls]}, even beside a logit of 10,000 | \
{"**holds**, exactly" if zero else never} |
| a leaked `[CLS]` "can completely hijack the output" | at a logit of 1.5 it takes {masses[1.5]:.0%} of the probability \
({p_all[cls]:.0%} in the first picture, where all five special tokens are let in), at 20 all but a trace; at -5 less than \
{np.ceil(100 * masses[-5.0]):.0f}% | {hijacked if masses[20.0] > 0.5 else never} |
| "the Kullback-Leibler (KL) divergence [...] becomes infinite" | KL(buggy, correct) infinite at \
{sum(map(np.isposinf, back.values()))} of {len(back)} logits; KL(correct, buggy) finite: {prices[1.5]:.2f} nats at a logit of \
1.5, {prices[20.0]:.2f} at 20 | {one_way if endless and by_size else never} |
| that "signifies a fundamental and irreconcilable disagreement" | infinite even for a leak of {masses[-30.0]:.0e}; \
training shrinks the leak from {mass_at[0]:.2f} to {mass_at[30]:.2f} in 30 steps | \
{tiny if endless and masses[-30.0] < 1e-9 and mended else "**holds**"} |
""")

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Solomon Kullback and Richard A. Leibler (1951). On information and sufficiency. *Annals of Mathematical
#   Statistics* 22. The divergence in both directions, and their sum.
# - Jianhua Lin (1991). Divergence measures based on the Shannon entropy. *IEEE Transactions on Information Theory* 37.
#   A relative of KL that is never infinite.
# - Thomas M. Cover and Joy A. Thomas (2006). *Elements of Information Theory*, second edition, chapters 2 and 11. Wiley.
#   Pinsker's inequality, which ties total variation to KL.
# - Jacob Devlin, Ming-Wei Chang, Kenton Lee and Kristina Toutanova (2019). BERT: Pre-training of deep bidirectional
#   transformers for language understanding. *NAACL*. The code published with it is google-research/bert on GitHub:
#   `run_pretraining.py` takes the softmax over all tokens, and `create_pretraining_data.py` draws its random words from
#   the whole vocabulary, `[PAD]` included.
# - The bugs of the clinic, on GitHub. 81/10/9: lucidrains/mlm-pytorch, issue 6 (2022). `[PAD]` as a random word:
#   huggingface/transformers, issue 15342 (2022), kept because BERT's code does the same. Sentences masked in place, there
#   without harm: huggingface/transformers, issue 243 (2019). Special tokens among the answers: huggingface/transformers,
#   issue 6613 (2020).
#
# Next: chapter 05 builds the model that makes the logits.
