# ---
# jupyter:
#   course:
#     title: Attention in NumPy
#     question: How does a word look at the others?
#     minutes: 220
#     prerequisites: Chapters 01 and 02; matrix products, and NumPy's axes
# ---

# %% [markdown] id="header"
# # 05 · Attention in NumPy
#
# **How does a word look at the others?**
#
# You will be able to
#
# - compute attention weights from queries and keys, and say why the scores are scaled;
# - hide padding, or the future, with a mask, and say what a query reads that may see nothing;
# - share the width of a position among several heads, without mixing positions;
# - build layer normalization, GELU and BERT's whole encoder block, each agreeing with PyTorch's own;
# - send a gradient back through attention by hand.
#
# *220 minutes; section 6 can wait for a second sitting. Prerequisites: chapters 01 and 02; matrix products, and NumPy's
# axes. Everything here is NumPy on the CPU: on a machine with a GPU nothing changes. PyTorch appears as the judge.*

# %% [markdown] id="how-it-works"
# `hint("05.attention-weights")` in a new cell gives one step of help at a time, and `failing("05.attention-weights")`
# hands you the smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s
# versions, so they run before yours do. In an exercise you may use `ref.` for anything that an earlier one had you
# build: `ref.softmax` now, and `ref.attention` once you have built attention. Go on with Shift+Enter; *Run All Cells*
# stops at the first exercise that is not solved.
#
# The letters for shapes: B sentences, T positions that ask, S positions that answer (the same ones, mostly), D numbers
# at each position, H heads of d = D / H numbers. `...` stands for leading dimensions, any or none.

# %% id="setup"
import numpy as np
from scipy.special import erf

from mlm_mini import figures
from mlm_mini import reference as ref
from mlm_mini.course import check, failing, hint
from mlm_mini.languages import scene_language
from mlm_mini.reference.layers import below, layer

language = scene_language()
vocabulary = language.vocabulary

# %% [markdown] id="why-look"
# ## 1 · Who looks at whom
#
# To fill in "the chef cuts the `[MASK]`", the blank has to learn from the words around it, and not equally from all. So
# every position sends out three vectors of $d$ numbers: a **query** $q$, what it looks for; a **key** $k$, what it
# can be found by; and a **value** $v$, what is read when it is found. How well query $t$ and key $s$ match is their dot
# product, and softmax turns the scores of one query into weights that sum to one:
#
# $$A_{ts} = \frac{\exp(q_t \cdot k_s / \sqrt{d})}{\sum_r \exp(q_t \cdot k_r / \sqrt{d})}.$$

# %% id="ex-attention-weights"
# exercise: 05.attention-weights
def attention_weights(q, k):
    """How much each query looks at each key: a row of weights for every query, summing to one.

    q: (..., T, d) queries; k: (..., S, d) keys; both stay as they are. Returns (..., T, S), for scores of any size.
    """
    # Where to start: which product of two matrices holds the dot product of every query with every key?
    # <solution>
    scores = q @ k.mT / np.sqrt(q.shape[-1])  # (..., T, d) @ (..., d, S) -> (..., T, S)
    return ref.softmax(scores)
    # </solution>


# %% id="check-attention-weights"
check("05.attention-weights", attention_weights)

# %% [markdown] id="why-scale"
# Why divide by $\sqrt{d}$? The dot product of two vectors of $d$ random numbers of size one is a sum of $d$ terms, and
# its size grows like $\sqrt{d}$. Without the scale, a wide head starts out with large scores, and softmax gives nearly
# all the weight to one key. Its gradient is then nearly zero (chapter 01), so that the head could hardly learn.

# %% id="fig-scale" tags=["nbval-ignore-output"]
widths = 2 ** np.arange(1, 10)
largest, slopes = {True: [], False: []}, {True: [], False: []}
rng = np.random.default_rng(0)
for d in widths:
    q, k = rng.normal(size=(400, 1, d)), rng.normal(size=(400, 16, d))
    for scaled in largest:
        # the definition divides by the root of d; to undo that, multiply by it
        weights = ref.attention_weights(q if scaled else q * np.sqrt(d), k)
        largest[scaled].append(weights.max(-1).mean())
        slopes[scaled].append((weights * (1 - weights)).mean())  # the derivative of a weight by its own score
print(f"width {widths[-1]}: the derivative of a weight by its own score is {slopes[True][-1]:.3f} with the scale, "
      f"{slopes[False][-1]:.3f} without")
figure, (ax,) = figures.new_figure(7.5, 3.2)
ax.plot(widths, largest[False], "s--", color=figures.RED)
ax.plot(widths, largest[True], "o-", color=figures.BLUE)
ax.axhline(1 / 16, color="0.6", linewidth=1)
ax.text(2, 0.075, "1/16: all keys alike", fontsize=9, color="0.3")
ax.text(128, 0.77, "not scaled", ha="right", color=figures.RED)
ax.text(128, 0.32, r"divided by $\sqrt{d}$", color=figures.BLUE)
ax.set(xscale="log", xlabel="width d of a head", ylabel="largest of 16 weights, mean", ylim=(0, 1), xticks=widths)
ax.set_xticklabels(widths)
ax.minorticks_off()
ax.set_title(f"Without the scale, one of 16 keys gets {largest[False][-1]:.0%} of the weight at width {widths[-1]}",
             loc="left")
figures.show(figure, alt="The mean of the largest of 16 attention weights, for random queries and keys, against the width "
             f"of a head. Scaled by the root of d it stays near {largest[True][-1]:.2f} at every width. Not scaled it "
             f"rises from {largest[False][0]:.2f} at 2 through {largest[False][5]:.2f} at 64 to "
             f"{largest[False][-1]:.2f} at 512.")

# %% [markdown] id="why-masks"
# ## 2 · What may not be read
#
# The sentences of a batch are padded to the same length, and nobody should read padding. A left-to-right model, which
# is asked for the next word, must not read what comes later. Both rules say which query may see which key. Each is
# written as a **mask** over the table of scores: `True` where a query may see a key. NumPy stretches axes of length 1,
# so a mask needs no more than the axes along which it differs.
#
# Padding concerns the keys alone, sentence by sentence. The scores of a batch have the shape (B, H, T, T): sentences,
# heads, queries, keys.

# %% id="ex-padding-mask"
# exercise: 05.padding-mask
def padding_mask(attention_mask):
    """True where a key is a token and not padding, for every head and every query.

    attention_mask: (B, T) bool, or integers 1 for a token and 0 for padding, which may stand anywhere. Returns
    (B, 1, 1, T) bool.
    """
    # Where to start: which of the four axes (B, H, T, T) does padding tell apart?
    # <solution>
    return attention_mask.astype(bool)[:, None, None, :]  # (B, T) -> (B, 1, 1, T)
    # </solution>


# %% id="check-padding-mask"
check("05.padding-mask", padding_mask)

# %% [markdown] id="about-causal"
# The causal mask is the same for all sentences and heads, so two axes are enough: query $t$ sees key $s$ if $s \le t$.
# BERT does without this mask, so that a word reads on both sides. Chapter 08 trains the same encoder both ways.

# %% id="ex-causal-mask"
# exercise: 05.causal-mask
def causal_mask(T):
    """True where the key is not later than the query.

    T: the number of positions. Returns (T, T) bool, a row for each query.
    """
    # Where to start: write it down for T = 3. Who may be seen by the first position? By the last?
    # <solution>
    return np.tri(T, dtype=bool)
    # </solution>


# %% id="check-causal-mask"
check("05.causal-mask", causal_mask)

# %% [markdown] id="why-attention"
# Now the whole of attention: hide, weigh, and read. What a query reads is the mean of the values under its weights,
#
# $$y_t = \sum_s A_{ts}\, v_s,$$
#
# where a hidden key has the score $-\infty$ before the softmax, as excluded tokens had in chapter 04. One question is
# left: what does a query read if it may see *nothing*, as in a sentence that is all padding? Its weights would be
# $0 / 0$. We have to choose, and choose **zeros**, so that later layers never meet a NaN.

# %% id="ex-attention"
# exercise: 05.attention
def attention(q, k, v, mask=None):
    """What each query reads: the values, averaged under its attention weights over the keys that it may see.

    q: (..., T, d); k, v: (..., S, d); mask: bool that broadcasts to (..., T, S), True where a query may see a key, or
    None. All stay as they are. Returns (..., T, d), zeros for a query that may see nothing. A hidden key has no weight,
    however low the scores of the others are.
    """
    # Where to start: without a mask. Then: which score gets the weight 0? ref.softmax refuses a row of -inf alone.
    # <solution>
    scores = q @ k.mT / np.sqrt(q.shape[-1])  # (..., T, d) @ (..., d, S) -> (..., T, S)
    if mask is None:
        return ref.softmax(scores) @ v
    sees = mask.any(axis=-1, keepdims=True)  # (..., T, 1)
    visible = np.where(mask, scores, -np.inf)
    weights = ref.softmax(np.where(sees, visible, 0.0))  # of a query that sees nothing, any weights will do
    return np.where(sees, weights @ v, 0.0)
    # </solution>


# %% id="check-attention"
check("05.attention", attention)

# %% [markdown] id="against-torch"
# PyTorch has attention built in, written by other people in another language. Does it agree? Its name there is
# `scaled_dot_product_attention`, and the course's own has that name too (`ref.attention` is short for it). We compare
# queries that see something: for one that sees nothing, the answer depends on which of PyTorch's programs runs.

# %% id="measure-attention"
import torch

F = torch.nn.functional


def agree(ours, theirs, within=1e-12):
    """Whether an array and a PyTorch tensor are equal, but for rounding."""
    return bool(np.abs(ours - theirs.detach().numpy()).max() < within)


rng = np.random.default_rng(1)
q, k, v = rng.normal(size=(3, 4, 2, 9, 8))  # three times B = 4 sentences, H = 2 heads, T = 9, d = 8
keep = np.arange(9) < np.array([9, 7, 4, 1])[:, None]  # the sentences have 9, 7, 4 and 1 tokens
masks = {"no mask": None, "padding": ref.padding_mask(keep), "causal": ref.causal_mask(9)}
masks["both"] = masks["padding"] & masks["causal"]
tensors = [torch.from_numpy(array) for array in (q, k, v)]
same = {}
for name, mask in masks.items():
    theirs = F.scaled_dot_product_attention(*tensors, attn_mask=None if mask is None else torch.from_numpy(mask))
    ours = ref.scaled_dot_product_attention(q, k, v, mask)
    same[name] = agree(ours, theirs)
    print(f"{name:8} agrees with PyTorch within 1e-12: {same[name]}")
sums = ref.attention_weights(q, k).sum(axis=-1)
print("the weights of every query sum to one, within 1e-12:", bool(np.abs(sums - 1).max() < 1e-12))
blind = ref.scaled_dot_product_attention(q, k, v, np.zeros((9, 9), dtype=bool))
print("what blind queries read, at most:", np.abs(blind).max())

# %% [markdown] id="by-hand"
# ## 3 · Heads that can be read
#
# What could a head look for? Here we set queries and keys by hand, from three facts about each position: where it is,
# which word stands there, and what kind of word that is. Each fact is written as a vector of zeros with a single one.
# Training finds its own queries and keys, which chapter 07 looks at; these show what attention can express.

# %% id="hand-set"
from mlm_mini.widgets.attention import AttentionMaps, attention_figure

NOT_NOUNS = {"DETERMINERS", "PRONOUNS", "AUXILIARIES", "CONJUNCTIONS", "PUNCTUATION", "PREPOSITIONS", "ADVERBS"}
VERBS = {"PRESENT_VERBS", "PAST_VERBS", "PARTICIPLES"}
ADJECTIVES = {kind for kind in language.word_class.values() if kind.endswith("ADJECTIVES")}
NOUNS = set(language.word_class.values()) - NOT_NOUNS - VERBS - ADJECTIVES


def hand_set(sentence):
    """The attention maps of five heads, whose queries and keys are set by hand, on a scene sentence."""
    ids = language.encode(sentence)
    tokens = vocabulary.words(ids[ids != vocabulary.pad_id])
    T = len(tokens)
    where, word = np.eye(T), np.eye(len(vocabulary))[ids[:T]]  # (T, T) and (T, V)
    kinds = [language.word_class.get(token, "") for token in tokens]
    noun, verb, pronoun = (np.isin(kinds, list(names))[:, None] * 1.0 for names in (NOUNS, VERBS, {"PRONOUNS"}))
    chance = np.random.default_rng(0).normal(size=(2, T, 8))
    heads = {  # name: (queries, keys)
        "the word before": (9 * np.eye(T, k=-1), where),
        "the same word": (9 * word, word),
        "a verb looks for nouns": (9 * verb, noun),
        "a pronoun looks for nouns before it": (9 * pronoun * np.tri(T), noun * where),
        "numbers drawn at random": tuple(chance),
    }
    # times the root of d, by which the definition divides, so that a 9 above is a score of 9
    maps = {name: ref.attention_weights(q * np.sqrt(q.shape[-1]), k) for name, (q, k) in heads.items()}
    return AttentionMaps(tuple(tokens), maps)


sentence = "the minister spoke to the activist about the protest because he advocated for change ."
maps = hand_set(sentence)
he = maps.tokens.index("he")
for name, weights in maps.maps.items():
    best = np.argsort(-weights[he], kind="stable")[:3]
    most = ", ".join(f"{maps.tokens[s]} {weights[he, s]:.2f}" for s in best)
    print(f"{name:36} 'he' reads", most if np.ptp(weights[he]) > 0.005 else f"all alike, {weights[he, 0]:.2f} each")

# %% [markdown] id="try-it"
# Choose a head (Tab goes to it, the space bar presses it), and move the query word with the arrow keys. The text line
# says what the picture shows. You can type another sentence of the scene language and press Enter.

# %% id="widget-attention" tags=["nbval-ignore-output"]
from mlm_mini.widgets import attention_widget

attention_widget(hand_set, sentence, query=he)

# %% [markdown] id="without-a-kernel"
# Without a running kernel nothing moves; this is what it shows for the pronoun.

# %% id="fig-attention-widget" tags=["nbval-ignore-output"]
figure, alt = attention_figure(maps, "a pronoun looks for nouns before it", he)
figures.show(figure, alt)

# %% [markdown] id="by-hand-note"
# A softmax cannot look at nothing: where all scores are equal, the head reads every position a little. Trained heads
# often put that weight on `[SEP]` instead (Clark et al. 2019).
#
# "He" finds the minister, the activist and the protest, and has no reason to prefer one. A head that also knew which
# nouns are persons would be down to two. To choose between these two takes the verb after "he". A second block could
# use it, if in the first one "he" has read "advocated": that is one thing that depth is good for. Chapter 08 measures
# how many nats that verb is worth.

# %% [markdown] id="why-heads"
# ## 4 · Several heads
#
# One softmax gives each position one answer to "what should I read?", but a word may have several such questions. So the
# $D$ numbers of a query, a key or a value are shared among $H$ heads: the first $d = D / H$ belong to head 0, the next
# $d$ to head 1, and so on. If the axis of the heads stands before that of the positions, one matrix product serves all
# heads. The reshaping is one line and easy to get wrong: several wrong ways give the right shape.

# %% id="ex-split-heads"
# exercise: 05.split-heads
def split_heads(x, H):
    """Cuts each position into H heads: the first d numbers go to head 0, and so on.

    x: (..., T, D), which stays as it is; H: the number of heads, which divides D. Returns (..., H, T, d), d = D / H.
    """
    # Where to start: cut the last axis in two first. Where does the new axis stand, and where should it be?
    # <solution>
    *leading, T, D = x.shape
    cut = x.reshape(*leading, T, H, D // H)  # (..., T, D) -> (..., T, H, d)
    return cut.swapaxes(-3, -2)  # (..., T, H, d) -> (..., H, T, d)
    # </solution>


# %% id="check-split-heads"
check("05.split-heads", split_heads)

# %% [markdown] id="why-multi-head"
# **Multi-head attention** makes queries, keys and values by three linear layers, cuts each into heads, lets every head
# attend, joins the heads again, and mixes what they found by one more linear layer:
#
# $$\mathrm{MultiHead}(x) = W_o\, [y^1 \dots y^H] + b_o, \qquad
#   y^h = \mathrm{attention}(q^h, k^h, v^h), \qquad q = W_q x + b_q, \ \dots$$
#
# Weights live in one flat dict, under the names that Hugging Face gives them, so that the dict can come from a real
# BERT: `self.query.weight` (D, D), `self.query.bias` (D,), the same for `self.key` and `self.value`, and `output.dense`
# for $W_o$ and $b_o$. `layer(weights, "self.query")` takes a weight and its bias out, and `ref.linear(x, weight, bias)`
# computes $W x + b$ at every position.

# %% id="ex-multi-head"
# exercise: 05.multi-head
def multi_head_attention(x, weights, H, mask=None):
    """Each position reads from those it may see, in H heads at once.

    x: (..., T, D); weights: dict with self.query, self.key, self.value and output.dense, each .weight (D, D) and .bias
    (D,); H: number of heads; mask: bool that broadcasts to (..., H, T, T), or None. All stay as they are. Returns
    (..., T, D). Where a query may see nothing, its head reads zeros, as above.
    """
    # Where to start: the queries are ref.split_heads(ref.linear(x, *layer(weights, "self.query")), H).
    # <solution>
    views = (ref.linear(x, *layer(weights, f"self.{name}")) for name in ("query", "key", "value"))
    q, k, v = (ref.split_heads(view, H) for view in views)
    y = ref.scaled_dot_product_attention(q, k, v, mask)
    joined = y.swapaxes(-3, -2).reshape(x.shape)  # (..., H, T, d) -> (..., T, H, d) -> (..., T, D)
    return ref.linear(joined, *layer(weights, "output.dense"))
    # </solution>


# %% id="check-multi-head"
check("05.multi-head", multi_head_attention)

# %% [markdown] id="why-norm"
# ## 5 · The rest of a block
#
# Attention is where positions meet. Everything else in the encoder looks at one position at a time. **Layer
# normalization** keeps its $D$ numbers at a size that the next layer can work with (Ba, Kiros and Hinton 2016):
#
# $$\mathrm{LayerNorm}(x) = g \cdot \frac{x - \mathrm{mean}(x)}{\sqrt{\mathrm{var}(x) + \varepsilon}} + b,$$
#
# mean and variance over the $D$ numbers of that position, and a gain $g$ and bias $b$ of $D$ numbers that are learned.
# The variance divides by $D$. BERT's $\varepsilon$ is $10^{-12}$.

# %% id="ex-layer-norm"
# exercise: 05.layer-norm
def layer_norm(x, gain, bias, eps=1e-12):
    """Each position gets mean 0 and variance 1, then a gain and a bias.

    x: (..., D); gain, bias: (D,); eps: added to the variance, which divides by D. All stay as they are. Returns
    (..., D), for numbers of any size.
    """
    # Where to start: mean and variance along the last axis, kept as an axis of length 1.
    # <solution>
    mean = x.mean(axis=-1, keepdims=True)
    variance = x.var(axis=-1, keepdims=True)
    return gain * (x - mean) / np.sqrt(variance + eps) + bias
    # </solution>


# %% id="check-layer-norm"
check("05.layer-norm", layer_norm)

# %% [markdown] id="why-gelu"
# Between two linear layers there must be something that is not linear. BERT's choice is **GELU** (Hendrycks and Gimpel
# 2016): a number, times the probability that a standard normal number is below it,
#
# $$\mathrm{gelu}(x) = x\, \Phi(x), \qquad \Phi(x) = \tfrac{1}{2} \left( 1 + \mathrm{erf}(x / \sqrt{2}) \right).$$
#
# `erf` is imported above; it takes arrays. The figure below sets it beside **ReLU**, which is $\max(0, x)$, and shows how
# far off a formula with tanh is, the hyperbolic tangent, by which many programs compute GELU.

# %% id="ex-gelu"
# exercise: 05.gelu
def gelu(x):
    """x times the standard normal distribution function of x.

    x: an array of any shape, which stays as it is. Returns the same shape.
    """
    # Where to start: the second equation, then the first.
    # <solution>
    phi = 0.5 * (1 + erf(x / np.sqrt(2)))
    return x * phi
    # </solution>


# %% id="check-gelu"
check("05.gelu", gelu)

# %% id="fig-gelu" tags=["nbval-ignore-output"]
x = np.linspace(-4, 4, 401)
by_tanh = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
error = by_tanh - ref.gelu(x)
figure, axes = figures.new_figure(9.0, 3.0, columns=2)
axes[0].plot(x, np.maximum(x, 0), "--", color=figures.ORANGE)
axes[0].plot(x, ref.gelu(x), color=figures.BLUE)
axes[0].text(0.4, 1.4, "ReLU", ha="right", color=figures.ORANGE)
axes[0].text(1.6, 0.9, "GELU", color=figures.BLUE)
axes[0].set(xlabel="x", ylabel="output", ylim=(-0.5, 4))
axes[0].set_title(f"GELU dips to {ref.gelu(x).min():.2f}, ReLU stays at 0", loc="left")
axes[1].plot(x, error * 1e4, color=figures.RED)
axes[1].set(xlabel="x", ylabel="difference, in units of 0.0001")
axes[1].set_title(f"The tanh formula is off by up to {np.abs(error).max():.4f}", loc="left")
figures.show(figure, alt=f"Left: GELU and ReLU. ReLU is 0 below 0; GELU dips to {ref.gelu(x).min():.2f} at "
             f"{x[ref.gelu(x).argmin()]:.2f} and meets ReLU from about 3 on. Right: the tanh formula minus GELU, a wavy "
             f"line between {error.min():.5f} and {error.max():.5f}.")

# %% [markdown] id="why-block"
# An **encoder block** has two halves: attention, and two linear layers with GELU between them, which take each position
# from $D$ numbers to $I = 4D$ and back. Each half has a shortcut: its input is added to its output, so that it computes
# only a change. BERT normalizes after each sum (**post-norm**):
#
# $$h = \mathrm{LayerNorm}(x + \mathrm{MultiHead}(x)),$$
#
# $$y = \mathrm{LayerNorm}(h + W_2\, \mathrm{gelu}(W_1 h + b_1) + b_2).$$
#
# The weights of the attention have the names from above with `attention.` in front, and `below(weights, "attention.")`
# is the dict without that prefix. The first LayerNorm is `attention.output.LayerNorm`, its gain called `.weight`;
# $W_1, b_1$ are `intermediate.dense`, $W_2, b_2$ are `output.dense`, and the second LayerNorm is `output.LayerNorm`.

# %% id="ex-block"
# exercise: 05.block
def encoder_block(x, weights, H, mask=None):
    """One block of BERT's encoder: attention, then two linear layers, each followed by a sum and LayerNorm.

    x: (..., T, D); weights: dict with the names above; H: number of heads; mask: bool that broadcasts to (..., H, T, T),
    or None. All stay as they are. Returns (..., T, D).
    """
    # Where to start: h. ref.multi_head_attention and ref.layer_norm(x, gain, bias) are yours already.
    # <solution>
    mixed = ref.multi_head_attention(x, below(weights, "attention."), H, mask)
    h = ref.layer_norm(x + mixed, *layer(weights, "attention.output.LayerNorm"))
    inner = ref.gelu(ref.linear(h, *layer(weights, "intermediate.dense")))  # (..., T, D) -> (..., T, I)
    outer = ref.linear(inner, *layer(weights, "output.dense"))  # (..., T, I) -> (..., T, D)
    return ref.layer_norm(h + outer, *layer(weights, "output.LayerNorm"))
    # </solution>


# %% id="check-block"
check("05.block", encoder_block)

# %% [markdown] id="against-torch-again"
# PyTorch has all of these as well: `LayerNorm`, `gelu`, `MultiheadAttention`, and a whole `TransformerEncoderLayer`.
# Its weights have other names, and one matrix there holds those of queries, keys and values. We compare with random
# weights, on sentences with padding:

# %% id="random-block"
def random_block(D, I, rng):
    """Weights of one encoder block, drawn at random."""
    shapes = {f"attention.self.{name}": (D, D) for name in ("query", "key", "value")}
    shapes |= {"attention.output.dense": (D, D), "intermediate.dense": (I, D), "output.dense": (D, I)}
    weights = {}
    for name, (outputs, inputs) in shapes.items():
        weights[f"{name}.weight"] = rng.normal(0, inputs**-0.5, (outputs, inputs))
        weights[f"{name}.bias"] = rng.normal(0, 0.1, outputs)
    for name in ("attention.output.LayerNorm", "output.LayerNorm"):
        weights[f"{name}.weight"], weights[f"{name}.bias"] = rng.normal(1, 0.1, D), rng.normal(0, 0.1, D)
    return weights


# %% id="measure-block"
rng = np.random.default_rng(2)
B, T, D, H, I = 3, 7, 12, 4, 48
weights = random_block(D, I, rng)
x = rng.normal(size=(B, T, D))
keep = np.arange(T) < np.array([7, 5, 2])[:, None]
w = {name: torch.from_numpy(array) for name, array in weights.items()}
theirs = torch.nn.TransformerEncoderLayer(D, H, I, dropout=0.0, activation="gelu", layer_norm_eps=1e-12,
                                          batch_first=True, norm_first=False, dtype=torch.float64)
names = {"self_attn.out_proj": "attention.output.dense", "linear1": "intermediate.dense", "linear2": "output.dense",
         "norm1": "attention.output.LayerNorm", "norm2": "output.LayerNorm"}
state = {f"{ours}.{part}": w[f"{name}.{part}"] for ours, name in names.items() for part in ("weight", "bias")}
for part in ("weight", "bias"):
    three = [w[f"attention.self.{name}.{part}"] for name in ("query", "key", "value")]
    state[f"self_attn.in_proj_{part}"] = torch.cat(three)
theirs.load_state_dict(state)

x_torch, padding = torch.from_numpy(x), torch.from_numpy(~keep)  # its mask is True at padding: the other custom
mixed, _ = theirs.self_attn(x_torch, x_torch, x_torch, key_padding_mask=padding)
gain, bias = layer(weights, "output.LayerNorm")
mask = ref.padding_mask(keep)
print("LayerNorm           agrees with PyTorch within 1e-12:",
      agree(ref.layer_norm(x, gain, bias), F.layer_norm(x_torch, (D,), *map(torch.from_numpy, (gain, bias)), 1e-12)))
print("GELU                agrees with PyTorch within 1e-12:", agree(ref.gelu(x), F.gelu(x_torch)))
print("multi-head          agrees with PyTorch within 1e-12:",
      agree(ref.multi_head_attention(x, below(weights, "attention."), H, mask), mixed))
print("a whole block       agrees with PyTorch within 1e-12:",
      agree(ref.encoder_block(x, weights, H, mask), theirs(x_torch, src_key_padding_mask=padding)))

# %% [markdown] id="who-notices"
# The encoder is a stack of such blocks. To see who reads from whom, change one word at the entrance and measure how far
# the vector of each position moves at the exit. To judge these distances, the cell also prints how far apart the vectors
# of two positions of one sentence are.

# %% id="fig-who-notices" tags=["nbval-ignore-output"]
rng = np.random.default_rng(3)
stack = [random_block(32, 128, rng) for _ in range(2)]
table = rng.normal(size=(len(vocabulary), 32))
before = language.encode("the chef cuts the fresh bread in the kitchen .")[:12]
after = before.copy()
after[5] = vocabulary.ids(["cold"])[0]
places = rng.normal(size=(12, 32))


def encode(ids, mask):
    """Two random blocks over words and places: (T,) -> (T, 32)."""
    x = table[ids] + places[: len(ids)]
    for block in stack:
        x = ref.encoder_block(x, block, 4, mask)
    return x


exits = encode(before, None)
apart = np.linalg.norm(exits[:, None] - exits, axis=-1)[np.triu_indices(12, k=1)]
print(f"without a mask, two positions of the sentence are {apart.mean():.1f} apart at the exit, on average")
figure, axes = figures.new_figure(9.0, 3.2, columns=2)
told, moves = [], {}
for ax, mask, name, color in zip(axes, (None, ref.causal_mask(12)), ("No mask", "Causal mask"),
                                 (figures.BLUE, figures.ORANGE)):
    change = np.linalg.norm(encode(after, mask) - encode(before, mask), axis=-1)
    ax.bar(range(12), change, color=color)
    still = np.flatnonzero(change == 0)
    moves[name] = np.flatnonzero(change)
    for t in still:
        ax.text(t, 0.02, "0", ha="center", fontsize=8)
    ax.set_xticks(range(12), vocabulary.words(before), rotation=90, fontsize=8)
    ax.set(ylim=(0, 6))
    ax.set_title(f"{name}: {12 - len(still)} of 12 positions move", loc="left")
    ax.grid(axis="x", visible=False)
    others = np.delete(change, 5)[np.delete(change, 5) > 0]
    told.append(f"{name}: {change[5]:.1f} at that position, {others.min():.1f} to {others.max():.1f} at {len(others)} "
                f"others, exactly 0 at {len(still)}")
axes[0].set_ylabel("distance moved")
figures.show(figure, alt="How far each of 12 positions moves after two random blocks when the word 'fresh', position 5, is "
             f"exchanged for 'cold'. {'. '.join(told)}.")

# %% [markdown] id="who-notices-note"
# The exchanged position moves furthest: its own word changed, and the others move only by what they read of it. The
# weights are random, so the heights of the other bars mean nothing. What counts is which bars are exactly zero.
#
# ### Does attention know the order?
#
# The equation for $A_{ts}$ has no $t - s$ in it. If the words of a sentence change places, each query should find the
# same keys with the same scores, only elsewhere. So without the vectors for places an encoder would see a bag of words.
# We can test it: shuffle the words, and look whether each still gets the same vector at the exit.

# %% id="measure-order"
order = np.random.default_rng(8).permutation(12)


def moved_by_order(with_places, mask):
    """How far a word's vector at the exit moves, at most, when the words of the sentence are shuffled."""
    y = []
    for words in (before, before[order]):
        x = table[words] + with_places * places  # the places stay where they are, the words move
        for block in stack:
            x = ref.encoder_block(x, block, 4, mask)
        y.append(x)
    return np.linalg.norm(y[1] - y[0][order], axis=-1).max()


blind, seeing, causal = (moved_by_order(*case) for case in ((0, None), (1, None), (0, ref.causal_mask(12))))
print("no vectors for places: each word has the same vector as before, within 1e-12:", bool(blind < 1e-12))
print("with them, it has another one:", bool(seeing > 0.1))
print("without them but with a causal mask, it has another one too:", bool(causal > 0.1))

# %% [markdown] id="order-note"
# Attention alone is blind to order; chapter 06 adds a vector for each place. A causal mask tells the order as well,
# because the second word sees two words and the third sees three.

# %% [markdown] id="importance"
# ### Is a weight an importance?
#
# It is tempting to read a large weight as "this word mattered". We can check: hide one key at a time from all queries,
# and see how far the vector of one position, say that of a blank, moves at the exit. Then compare the two orders, by
# weight and by effect, with Spearman's rank correlation: 1 if they are the same, 0 if they have nothing to do with each
# other. Two better measures of a word's influence have been proposed, and stand beside the weight:
#
# - the length of what is read, $\lVert A_{ts} v_s \rVert$ after the layer $W_o$: a large weight on a small value brings
#   little (Kobayashi et al. 2020);
# - **rollout**, which follows the weights through all blocks: each block's table, averaged with the identity for the
#   shortcut, is multiplied with those before it (Abnar and Zuidema 2020).

# %% id="how-to-measure-importance"
from scipy.stats import spearmanr

from mlm_mini.experiments import mean_interval
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, Sampled, decide


def weights_of(block, x, H):
    """The attention weights of a block, (H, T, T), and its values, (H, T, d)."""
    q, k, v = (ref.split_heads(ref.linear(x, *layer(block, f"attention.self.{name}")), H)
               for name in ("query", "key", "value"))
    return ref.attention_weights(q, k), v


def influence_and_effect(blocks, x, blank, H=4):
    """Three guesses at how much each key matters to the blank, (3, T - 1), and what hiding it changes, (T - 1,)."""
    T, states = len(x), [x]
    for block in blocks:
        states.append(ref.encoder_block(states[-1], block, H))
    A, v = weights_of(blocks[0], x, H)
    mix = np.stack(np.split(blocks[0]["attention.output.dense.weight"], H, axis=1))  # (D, D) -> (H, D, d)
    read = (A[:, blank, :, None] * (v @ mix.mT)).sum(axis=0)  # (H, T, D) -> (T, D)
    rollout = np.eye(T)
    for block, state in zip(blocks, states):
        rollout = (weights_of(block, state, H)[0].mean(axis=0) + np.eye(T)) / 2 @ rollout
    guesses = np.stack([A.mean(axis=0)[blank], np.linalg.norm(read, axis=-1), rollout[blank]])

    keys = np.delete(np.arange(T), blank)
    hidden = np.tile(x, (len(keys), 1, 1))  # one copy of the sentence for each key that is hidden
    for block in blocks:
        hidden = ref.encoder_block(hidden, block, H, (np.arange(T) != keys[:, None])[:, None, None])
    return guesses[:, keys], np.linalg.norm(hidden[:, blank] - states[-1][blank], axis=-1)


# %% id="fig-importance" tags=["nbval-ignore-output"]
DEPTHS, DRAWS = (1, 2, 4, 8), 200
GUESSES = ("weight in the first block", "length of what is read there", "rollout through all blocks")
rng = np.random.default_rng(4)
ranks = {}  # (depth, guess): the mean rank correlation over draws of weights and inputs, with its 95% interval
by_weight = {}  # depth: that of the weight with its resamples, for the verdict at the end
for depth in DEPTHS:
    found = []
    for _ in range(DRAWS):
        blocks, x = [random_block(32, 64, rng) for _ in range(depth)], rng.normal(size=(16, 32))
        guesses, effect = influence_and_effect(blocks, x, blank=7)
        found.append([spearmanr(guess, effect).statistic for guess in guesses])
    ranks |= {(depth, guess): mean_interval(values) for guess, values in zip(GUESSES, np.transpose(found))}
    by_weight[depth] = Sampled.mean([draw[0] for draw in found])
    print(f"{depth} random block{'s' * (depth > 1)}: "
          + "; ".join(f"{guess} {ranks[depth, guess].with_margin()}" for guess in GUESSES))
figure, (ax,) = figures.new_figure(7.5, 3.2)
for guess, color, style in zip(GUESSES, (figures.RED, figures.ORANGE, figures.BLUE), ("s--", "D-.", "o-")):
    value, low, high = np.transpose([ranks[depth, guess] for depth in DEPTHS])
    ax.errorbar(DEPTHS, value, (value - low, high - value), fmt=style, color=color, label=guess)
ax.set(xscale="log", xlabel=f"random blocks (95% over {DRAWS} draws)", ylabel="rank correlation with the effect",
       ylim=(0, 1), xticks=DEPTHS)
ax.set_xticklabels(DEPTHS)
ax.minorticks_off()
ax.legend()
ax.set_title(f"Weight and effect: {ranks[1, GUESSES[0]].value:.2f} in one random block, "
             f"{ranks[8, GUESSES[0]].value:.2f} in eight", loc="left")
figures.show(figure, alt=f"Rank correlation of three guesses at a word's influence with the effect of hiding it, means of "
             f"{DRAWS} draws with 95% intervals: " + "; ".join(f"{guess}, from one block to eight: " + ", ".join(
                 f"{ranks[depth, guess].value:.2f}" for depth in DEPTHS) for guess in GUESSES) + ".")

# %% [markdown] id="importance-note"
# In one block the weights tell much, and the length of what is read tells more. The deeper the encoder, the less one
# block's weights tell: a word also arrives by way of other words that have read it, and rollout, which counts those ways,
# tells more. Yet in eight blocks even rollout explains little.
#
# These blocks and inputs are random, so this says what depth alone does, and nothing about trained models. Jain and
# Wallace (2019) looked at trained ones and found weights and effects at odds for a *single* layer of attention. Its keys
# came out of a recurrent network, which reads word by word and carries along what it has read; in our single block they
# are the words themselves. Chapter 07 measures the weights and rollout again, in a trained encoder.

# %% [markdown] id="why-gradient"
# ## 6 · Backward
#
# Training needs gradients. Let $dY$, `upstream` in the code, be the derivative of the loss by each number that attention
# returned. What is then its derivative by $q$, $k$ and $v$? Each step forward has its equation backward. With $A$ the
# weights, and $z_{ts} = q_t \cdot k_s$ the products before they are divided by $\sqrt{d}$,
#
# $$dV = A^\top dY, \qquad dA = dY\, V^\top, \qquad
#   dz_{ts} = A_{ts} \Big( dA_{ts} - \sum_r A_{tr}\, dA_{tr} \Big) / \sqrt{d},$$
#
# $$dQ = dz\, K, \qquad dK = dz^\top Q.$$
#
# The third is the softmax's Jacobian from chapter 01, applied to a row: raising one score raises its own weight and,
# through the sum, lowers all others.

# %% id="ex-attention-gradient"
# exercise: 05.attention-gradient
def attention_gradient(upstream, q, k, v):
    """The gradient of attention without a mask, by its three arguments.

    upstream: (..., T, d), the derivative of the loss by what attention returned; q: (..., T, d); k, v: (..., S, d).
    All stay as they are. Returns (dq, dk, dv), of the shapes of q, k and v, for scores of any size.
    """
    # Where to start: A is ref.attention_weights(q, k). Then the five equations, one line each.
    # <solution>
    A = ref.attention_weights(q, k)
    dv = A.mT @ upstream  # (..., S, T) @ (..., T, d) -> (..., S, d)
    dA = upstream @ v.mT  # (..., T, d) @ (..., d, S) -> (..., T, S)
    dz = A * (dA - (A * dA).sum(axis=-1, keepdims=True)) / np.sqrt(q.shape[-1])
    return dz @ k, dz.mT @ q, dv
    # </solution>


# %% id="check-attention-gradient"
check("05.attention-gradient", attention_gradient)

# %% [markdown] id="two-judges"
# Two judges check the gradient. One is the definition of a derivative: move one number a little, and see how much the
# loss moves. That is slow and inexact, but needs no calculus. The other is PyTorch's autograd. As loss we take
# $\sum_{t} u_t \cdot y_t$ with random $u$, because its derivative by $y$ is $u$: that is our `upstream`.

# %% id="measure-gradient"
rng = np.random.default_rng(5)
q, k, v, upstream = rng.normal(size=(4, 2, 5, 6))
mask = ref.causal_mask(5)
ours = ref.scaled_dot_product_attention_gradient(upstream, q, k, v, mask)


def loss(q, k, v):
    return (upstream * ref.scaled_dot_product_attention(q, k, v, mask)).sum()


def finite_differences(function, arrays, which, step=1e-5):
    """(f(x + step) - f(x - step)) / (2 step) for each number of one of the arrays."""
    slopes = np.zeros_like(arrays[which])
    for index in np.ndindex(slopes.shape):
        moved = np.zeros_like(slopes)
        moved[index] = step
        plus, minus = (function(*arrays[:which], arrays[which] + sign * moved, *arrays[which + 1:]) for sign in (1, -1))
        slopes[index] = (plus - minus) / (2 * step)
    return slopes


tensors = [torch.from_numpy(array).requires_grad_() for array in (q, k, v)]
y = F.scaled_dot_product_attention(*tensors, attn_mask=torch.from_numpy(mask))
(torch.from_numpy(upstream) * y).sum().backward()
for which, name in enumerate(("dq", "dk", "dv")):
    close = np.abs(ours[which] - finite_differences(loss, (q, k, v), which)).max() < 1e-8
    print(f"{name}: finite differences within 1e-8: {bool(close)}, PyTorch within 1e-12: "
          f"{agree(ours[which], tensors[which].grad)}")

# %% [markdown] id="recap"
# ## Recap
#
# A position asks with a query, is found by its key and is read by its value; softmax makes the scores weights, and a
# mask takes candidates out before it. Heads share the width, and a block adds what they find to what it had.
# Everything else happens at each position alone. Built from equations, all of it agrees with PyTorch to twelve digits.
#
# The verdict on *importance* is computed. The weights tell if the correlation is above 0.7, where weights and effects
# share half of the variance of their ranks. Would another 200 draws say
# the same? **Resamples** stand in for them: 200 drawn from those there are, with repetition. The verdict stands if at
# least 97.5% of them agree with it, and is *undecided* otherwise.

# %% id="recap-table" tags=["nbval-ignore-output"]
from IPython.display import Markdown


def importance_of(x):
    if x["one"] > 0.7:
        return HOLDS if x["eight"] > 0.7 else "holds when there is one block"
    return FAILS


one, eight = (by_weight[depth].estimate for depth in (1, 8))
weighing = "**holds** for the weighing" if all(same.values()) and np.abs(sums - 1).max() < 1e-12 else f"**{FAILS}**"
everywhere, behind = len(moves["No mask"]) == 12, moves["Causal mask"].min() >= 5  # where the word was exchanged
both_sides = "**holds** without a causal mask" if everywhere and behind else f"**{FAILS}**"
importance = decide(importance_of, {"one": by_weight[1], "eight": by_weight[8]})
Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| a Transformer is "designed to weigh the importance of different context words" | weights of every query sum to one, \
and agree with PyTorch's attention within $10^{{-12}}$ | {weighing} |
| the weights are an "importance" | rank correlation with the effect of hiding a word: {one.with_margin()} in one block, \
{eight.with_margin()} in eight (random weights, {DRAWS} draws, 95%) | **{importance}** |
| it uses "the *entire* surrounding context—both left and right" | one word exchanged: every position moves, and with a \
causal mask none before it | {both_sides} |
""")

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Ashish Vaswani and others (2017). Attention is all you need. *NeurIPS*. Sections 3.2 and 3.3.
# - Jimmy Lei Ba, Jamie Ryan Kiros and Geoffrey E. Hinton (2016). Layer normalization. arXiv 1607.06450.
# - Dan Hendrycks and Kevin Gimpel (2016). Gaussian error linear units (GELUs). arXiv 1606.08415.
# - Sarthak Jain and Byron C. Wallace (2019). Attention is not explanation. *NAACL*. And the answer: Sarah Wiegreffe and
#   Yuval Pinter (2019). Attention is not not explanation. *EMNLP*.
# - Goro Kobayashi, Tatsuki Kuribayashi, Sho Yokoi and Kentaro Inui (2020). Attention is not only a weight: Analyzing
#   Transformers with vector norms. *EMNLP*.
# - Samira Abnar and Willem Zuidema (2020). Quantifying attention flow in Transformers. *ACL*. Rollout, and a flow.
# - Kevin Clark, Urvashi Khandelwal, Omer Levy and Christopher D. Manning (2019). What does BERT look at? An analysis of
#   BERT's attention. *BlackboxNLP*. Heads that look at the word before, or at a verb's object.
# - Ruibin Xiong and others (2020). On layer normalization in the Transformer architecture. *ICML*. Pre-norm or post-norm.
#
# Next: chapter 06 says the same in PyTorch, where it is fast.
