# ---
# jupyter:
#   course:
#     title: The Transformer in PyTorch
#     question: Is it the same encoder, and what does it cost?
#     minutes: 210
#     prerequisites: Chapter 05; a first look at PyTorch tensors helps
# ---

# %% [markdown] id="header"
# # 06 · The Transformer in PyTorch
#
# **Is it the same encoder, and what does it cost?**
#
# You will be able to
#
# - write the parts of BERT's encoder as PyTorch functions through which gradients flow;
# - compute logits only at the positions that are asked about, and say what that saves;
# - write a loss that survives padding, uneven sentences and a batch without a question;
# - count the parameters and the floating-point operations of a Transformer, exactly;
# - test whether two implementations are the same function, forward and backward, by a test that is able to fail.
#
# *210 minutes. Prerequisites: chapter 05; a first look at PyTorch tensors helps. Everything here runs on the CPU. Section
# 5 uses a GPU where there is one, and says what changes.*

# %% [markdown] id="how-it-works"
# `hint("06.embeddings")` in a new cell gives one step of help at a time, and `failing("06.embeddings")` hands you the
# smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run
# before yours do. Go on with Shift+Enter; *Run All Cells* stops at the first exercise that is not solved.
#
# PyTorch adds three things to NumPy. It records what it computes, so that one call of `backward()` finds every gradient.
# It runs on GPUs. And it brings fast **kernels**, programs for one operation on one kind of processor, for much of what
# chapter 05 built by hand.
#
# The letters: B sentences, T positions, k predicted positions in each, D numbers at a position, H heads, V tokens, L
# blocks.

# %% id="setup"
import numpy as np
import torch
import torch.nn.functional as F

from mlm_mini import figures
from mlm_mini import reference as ref
from mlm_mini.course import check, failing, hint
from mlm_mini.model import MaskedLM, ModelConfig, choose_device, to_numpy

# %% [markdown] id="autograd"
# The record is called the **graph**. A tensor that is to get a gradient says so with `requires_grad_()`; whatever is
# computed from it joins the graph; `backward()` on a single number at the end walks the graph back, and adds to each
# such tensor its `.grad`. A value that leaves the graph, by `.detach()`, `.item()` or a way through NumPy, passes no
# gradient on:

# %% id="show-autograd"
x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
y = (x**2).sum()  # its derivative by x is 2x
y.backward()
print("x.grad:", x.grad, " y has a graph:", y.requires_grad, " y.detach() has one:", y.detach().requires_grad)

# %% [markdown] id="about-checks"
# The checks of this chapter compare all numbers in float64, *and the gradients*. An answer with the right numbers but cut
# off from the graph would train nothing.

# %% [markdown] id="why-embeddings"
# ## 1 · At the entrance
#
# An id is only a name for a token. What the model works with is a vector of $D$ numbers for each token, a row of a table
# that is learned. Attention does not know the order of its keys (chapter 05), so each place has a vector too. BERT adds
# a third, for inputs made of two texts: the **segment**, or token type. Then it normalizes the sum:
#
# $$x_t = \mathrm{LayerNorm}(\mathrm{word}_{i_t} + \mathrm{position}_t + \mathrm{type}_{s_t}).$$
#
# Without segment ids, everything is segment 0, and row 0 is still added. BERT was trained with it, so a copy that leaves
# it out gives other logits; section 4 measures how far off.

# %% id="ex-embeddings"
# exercise: 06.embeddings
def embed(ids, token_type_ids, words, positions, types, gain, bias):
    """What stands here, where, and in which segment, as one normalized vector for each position.

    ids: (B, T) int64; token_type_ids: (B, T) int64, or None for segment 0 everywhere; words: (V, D); positions: (P, D)
    with P at least T; types: (2, D); gain, bias: (D,) of a LayerNorm with eps 1e-12 inside the root. Returns (B, T, D),
    from which a gradient reaches every table.
    """
    # Where to start: the sum of three lookups. Indexing a table with a tensor of ids looks up a row for each.
    # <solution>
    segment = types[0] if token_type_ids is None else types[token_type_ids]
    x = words[ids] + positions[: ids.shape[1]] + segment  # (B, T, D) + (T, D) + (D,) or (B, T, D)
    return F.layer_norm(x, gain.shape, gain, bias, 1e-12)
    # </solution>


# %% id="check-embeddings"
check("06.embeddings", embed)

# %% [markdown] id="why-fused"
# ## 2 · Attention, with fewer and larger products
#
# The equations are those of chapter 05. But one large matrix product is faster than three small ones, so queries, keys
# and values come from a single matrix: `qkv_weight` (3D, D) holds the rows of $W_q$, then those of $W_k$, then those of
# $W_v$. And `F.scaled_dot_product_attention(q, k, v, attn_mask)` does scale, mask, softmax and sum in one kernel, some of
# which never store the whole (T, T) table. A boolean mask is `True` where a key takes part, as ours is.

# %% id="ex-self-attention"
# exercise: 06.self-attention
def self_attention(x, qkv_weight, qkv_bias, out_weight, out_bias, H, attention_mask=None):
    """Multi-head attention of each position to all tokens of its sentence.

    x: (B, T, D); qkv_weight: (3D, D) and qkv_bias: (3D,), queries first, then keys, then values; out_weight: (D, D) and
    out_bias: (D,); H: number of heads; attention_mask: (B, T) bool, True at tokens and False at padding, on whichever
    side it stands, with at least one token in each sentence, or None. Nobody reads padding; its own rows are computed
    like the others. Returns (B, T, D).
    """
    # Where to start: F.linear(x, qkv_weight, qkv_bias) has the shape (B, T, 3D). Which five axes are hidden in it?
    # <solution>
    B, T, D = x.shape
    qkv = F.linear(x, qkv_weight, qkv_bias).view(B, T, 3, H, D // H)  # (B, T, 3D) -> (B, T, 3, H, D/H)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)  # -> (3, B, H, T, D/H)
    mask = None if attention_mask is None else attention_mask[:, None, None, :]  # (B, T) -> (B, 1, 1, T)
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return F.linear(y.transpose(1, 2).reshape(B, T, D), out_weight, out_bias)  # (B, H, T, D/H) -> (B, T, D)
    # </solution>


# %% id="check-self-attention"
check("06.self-attention", self_attention)

# %% [markdown] id="why-gather"
# ## 3 · At the exit
#
# After the last block every position has its hidden state. But only the masked ones, 15% or so, have a question to
# answer, and the layer that answers is often the largest of all: from $D$ numbers to $V$ logits. So we pick out the
# hidden states that are needed *before* that layer. `positions` (B, k) names k positions for each sentence. A sentence
# with fewer questions repeats some position, and its label there is -100.
#
# Why not index with the boolean mask? The result has one row for each masked token. So the axis of the sentences is gone,
# the shape changes from batch to batch, and the program has to wait until the GPU has counted the tokens.

# %% id="ex-gather-positions"
# exercise: 06.gather-positions
def gather_positions(x, positions):
    """The hidden states at the positions that are asked about.

    x: (B, T, D); positions: (B, k) int64, each from 0 to T - 1, in any order, perhaps with repetitions.
    Returns (B, k, D), in the order of positions.
    """
    # Where to start: x.gather(1, index) returns the shape of its index. Which shape is wanted?
    # <solution>
    index = positions[:, :, None].expand(-1, -1, x.shape[-1])  # (B, k) -> (B, k, D)
    return x.gather(1, index)
    # </solution>


# %% id="check-gather-positions"
check("06.gather-positions", gather_positions)

# %% [markdown] id="why-head"
# The **head** turns a hidden state into a score for every word. BERT's has one more linear layer, GELU and LayerNorm, and
# then takes the dot product with every word's vector. The table of those vectors, $E$, is the one from the entrance: it is
# **tied**, one tensor used twice. What is learned about a word at one end then serves at the other, and the model has
# $V D$ fewer numbers:
#
# $$z = E\, \mathrm{LayerNorm}(\mathrm{gelu}(W h + b)) + c.$$

# %% id="ex-head"
# exercise: 06.head
def mlm_head(x, dense_weight, dense_bias, gain, bias, words, word_bias):
    """One logit for each word of the vocabulary.

    x: (..., D) hidden states, with any leading axes or none; dense_weight: (D, D), dense_bias: (D,); gain, bias: (D,) of
    a LayerNorm with eps 1e-12 inside the root; words: (V, D), the table of word embeddings itself; word_bias: (V,).
    Returns (..., V).
    """
    # Where to start: from the inside of the equation outward. F.gelu is the exact one.
    # <solution>
    x = F.gelu(F.linear(x, dense_weight, dense_bias))
    x = F.layer_norm(x, gain.shape, gain, bias, 1e-12)
    return F.linear(x, words, word_bias)  # (..., D) -> (..., V)
    # </solution>


# %% id="check-head"
check("06.head", mlm_head)

# %% [markdown] id="why-loss"
# The loss is the mean surprisal of chapter 02, over all labels of the batch that are not -100. `F.cross_entropy` knows
# -100, but for a batch without any label its mean is 0 / 0, which is NaN. One NaN spoils every average of losses, and
# stops any training loop that checks for it. We define the loss of such a batch as zero, with a gradient of zero.

# %% id="ex-masked-loss"
# exercise: 06.masked-loss
def masked_loss(logits, labels):
    """The mean surprisal of the labels in nats, each label counting the same; zero when there is none.

    logits: (B, k, V), -inf at excluded tokens, which are no labels; labels: (B, k) int64, -100 where nothing is asked,
    and left as they are. Returns a tensor of shape (), on which backward() can be called whatever the labels are.
    """
    # Where to start: F.cross_entropy with reduction="sum" leaves the division to you. By how much should you divide?
    # <solution>
    total = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")  # (B, k, V) -> (B k, V)
    return total / (labels != -100).sum().clamp(min=1)
    # </solution>


# %% id="check-masked-loss"
check("06.masked-loss", masked_loss)

# %% [markdown] id="the-module"
# ## 4 · The module, and whether it is the same
#
# A **module** is a function that carries its weights. `mlm_mini/model/encoder.py` has all the functions above but the loss
# as modules, with blocks and dropout around them. It has some 200 lines and is worth reading from top to bottom now.
# (Dropout sets some numbers to zero at random during training; here it is off.) These are the weights of a small model:

# %% id="show-module"
config = ModelConfig(vocab_size=1000, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128,
                     max_position_embeddings=64, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
model = MaskedLM(config, torch.Generator().manual_seed(0))
for name, weight in model.named_parameters():
    if not name.startswith("blocks.1"):  # the second block is like the first
        print(f"{name:32} {tuple(weight.shape)}")
print(f"{'all together':32} {sum(weight.numel() for weight in model.parameters()):,} numbers")

# %% [markdown] id="why-count"
# How many numbers is that in general? Count from the entrance to the exit. A layer has a weight matrix and a bias, a
# LayerNorm a gain and a bias.
#
# - The entrance: three tables of $V$, $P$ and 2 rows, and a LayerNorm.
# - Each of $L$ blocks: four layers from $D$ to $D$ numbers, one from $D$ to $I$ (`inner` in the code), one back, and two
#   LayerNorms.
# - The head: one layer from $D$ to $D$, a LayerNorm, and a bias for every word. Its table was counted at the entrance.

# %% id="ex-count-parameters"
# exercise: 06.count-parameters
def count_parameters(V, D, L, inner, P, types=2):
    """How many numbers BERT with its masked-language-modeling head learns.

    V tokens; D numbers at a position; L blocks; inner numbers inside a block's second half; P positions that have a
    vector; types segments. Returns a whole number.
    """
    # Where to start: one function for a layer from n to m numbers would help, and one for a LayerNorm.
    # <solution>
    def layer(n, m):
        return n * m + m

    norm = 2 * D
    embeddings = (V + P + types) * D + norm
    block = 4 * layer(D, D) + norm + layer(D, inner) + layer(inner, D) + norm
    head = layer(D, D) + norm + V
    return embeddings + L * block + head
    # </solution>


# %% id="check-count-parameters"
check("06.count-parameters", count_parameters)

# %% [markdown] id="why-parity"
# Is this the encoder of chapter 05? `ref.masked_lm` is that chapter's NumPy encoder with the head added, and
# `ref.masked_lm_gradient` its gradient, written by hand. `to_numpy` hands it the module's weights. Twelve models of random
# shapes get random sentences, with padding and with questions at random places. Logits should differ by rounding only,
# and so should the gradient of *every* weight. All this is float64 on the CPU, because some GPUs have no float64.

# %% id="how-to-compare"
def random_model(rng, dtype=torch.float64):
    """A small model of random shape, and with random weights, biases included."""
    H = int(rng.integers(1, 5))
    config = ModelConfig(
        vocab_size=int(rng.integers(5, 60)), hidden_size=H * int(rng.integers(1, 7)) * 2, num_attention_heads=H,
        num_hidden_layers=int(rng.integers(1, 4)), intermediate_size=int(rng.integers(4, 50)),
        max_position_embeddings=16, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    model = MaskedLM(config, generator).to(dtype)
    with torch.no_grad():
        for weight in model.parameters():  # as drawn for training, all biases would be zero
            weight += 0.3 * torch.randn(weight.shape, generator=generator).to(dtype)
    return model


def random_questions(rng, V):
    """ids, attention_mask, positions and labels of a few sentences of random lengths."""
    B, T, k = int(rng.integers(1, 5)), int(rng.integers(2, 13)), int(rng.integers(1, 5))
    keep = np.arange(T) < rng.integers(1, T + 1, size=(B, 1))
    labels = np.where(rng.random((B, k)) < 0.2, ref.IGNORE_INDEX, rng.integers(0, V, (B, k)))
    return rng.integers(0, V, (B, T)), keep, rng.integers(0, T, (B, k)), labels


def differences(model, ids, keep, positions, labels, causal):
    """The largest difference between PyTorch and NumPy, in the logits and in any gradient."""
    L, H = model.config.num_hidden_layers, model.config.num_attention_heads
    model.zero_grad()
    logits = model(*(torch.from_numpy(array) for array in (ids, keep, positions)), causal=causal)
    F.cross_entropy(logits.flatten(0, 1), torch.from_numpy(labels).flatten(), reduction="sum").backward()
    theirs = to_numpy({name: weight.grad for name, weight in model.named_parameters()}, L)

    weights = to_numpy(dict(model.named_parameters()), L)
    ours = ref.masked_lm(ids, weights, H, keep, positions, causal)
    upstream = ref.cross_entropy_gradient(ours, labels) * max((labels != ref.IGNORE_INDEX).sum(), 1)  # of the sum
    gradients = ref.masked_lm_gradient(upstream, ids, weights, H, keep, positions, causal)
    assert gradients.keys() == theirs.keys()
    backward = max(np.abs(gradients[name] - theirs[name]).max() for name in gradients)
    return np.abs(ours - logits.detach().numpy()).max(), backward


# %% id="measure-parity"
rng = np.random.default_rng(6)
print(" B  T  k   D  H  L   V  causal  forward within 1e-10  gradients within 1e-8")
largest = []
for trial in range(12):
    model = random_model(rng)
    questions = random_questions(rng, model.config.vocab_size)
    forward, backward = differences(model, *questions, causal=trial % 2 == 1)
    largest.append((forward, backward))
    c, (B, T), k = model.config, questions[0].shape, questions[2].shape[1]
    print(f"{B:2} {T:2} {k:2} {c.hidden_size:3} {c.num_attention_heads:2} {c.num_hidden_layers:2} {c.vocab_size:3}  "
          f"{trial % 2 == 1!s:6}  {forward < 1e-10!s:21}  {backward < 1e-8!s}")

# %% [markdown] id="able-to-fail"
# Twelve models that agree prove nothing about the thirteenth; what they are worth depends on what the comparison would
# have noticed. So we change one thing in the PyTorch model, such that every shape stays as it is, and compare again. And
# we compare in float32, which rounds by about $10^{-7}$ at each step:

# %% id="measure-changes"
def change_eps(model):
    for module in model.modules():
        if isinstance(module, torch.nn.LayerNorm):
            module.eps = 1e-5


def forget_types(model):
    model.embeddings.types.weight.data[0] = 0.0


def swap_norms(model):
    for block in model.blocks:
        block.norm, block.attention_norm = block.attention_norm, block.norm


def forward_after(change, dtype=torch.float64):
    """The largest difference of the logits, when the NumPy encoder has the weights from before the change."""
    rng = np.random.default_rng(7)
    model = random_model(rng, dtype)
    ids, keep, positions, _ = random_questions(rng, model.config.vocab_size)
    weights = to_numpy(dict(model.named_parameters()), model.config.num_hidden_layers)
    ours = ref.masked_lm(ids, weights, model.config.num_attention_heads, keep, positions)
    change(model)
    with torch.no_grad():
        logits = model(*(torch.from_numpy(array) for array in (ids, keep, positions)))
    return np.abs(ours - logits.double().numpy()).max()


changes = {"nothing changed": forward_after(lambda model: None),
           "float32": forward_after(lambda model: None, torch.float32),
           "LayerNorm eps 1e-5": forward_after(change_eps),
           "no segment vector": forward_after(forget_types),
           "norms swapped": forward_after(swap_norms)}
for name, difference in changes.items():
    print(f"{name:20} forward within 1e-10: {bool(difference < 1e-10)!s:5}  within 5e-5: {bool(difference < 5e-5)}")

# %% id="fig-parity" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(8.0, 3.2)
rows = [("float64, logits", [f for f, _ in largest], figures.BLUE, "o"),
        ("float64, gradients", [b for _, b in largest], figures.BLUE, "s")]
rows += [(name, [value], figures.RED if name != "float32" else figures.ORANGE, "D")
         for name, value in list(changes.items())[1:]]
for y, (name, values, color, marker) in enumerate(rows):
    ax.plot(np.maximum(values, 1e-17), [y] * len(values), marker, color=color, alpha=0.7)
ax.axvline(1e-10, color=figures.BLACK, linestyle="--", linewidth=1)
ax.text(1.4e-10, 5.35, "limit for float64 logits", fontsize=8)
ax.set_yticks(range(len(rows)), [name for name, *_ in rows])
ax.set(xscale="log", xlim=(1e-17, 100), ylim=(5.7, -0.6), xlabel="largest difference between PyTorch and NumPy")
slips = min(value for name, value in changes.items() if name not in ("nothing changed", "float32"))
ax.set_title(f"In float64, logits differ by at most {max(rows[0][1]):.0e}; a slip makes at least {slips:.0e}", loc="left")
figures.show(figure, alt="Largest differences between the two encoders on a logarithmic axis. Over 12 random models in "
             f"float64: logits at most {max(rows[0][1]):.0e}, gradients at most {max(rows[1][1]):.0e}. One model each: "
             + "; ".join(f"{name} {value:.0e}" for name, value in list(changes.items())[1:]) + ".")

# %% [markdown] id="why-cost"
# ## 5 · What it costs
#
# Most of the work is matrix products, and those can be counted: an $(n, m)$ matrix times an $(m, p)$ matrix
# takes $2nmp$ floating-point operations (FLOPs), a multiplication and an addition for each term. One block has four
# products with weights of $D^2$ numbers and two with $D I$ at each of $B T$ positions, and two without weights in each
# sentence: all queries with all keys, and all weights with all values. The head works at $B k$ positions.

# %% id="ex-forward-flops"
# exercise: 06.forward-flops
def forward_flops(B, T, k, V, D, L, inner):
    """Floating-point operations of all matrix products in one forward pass, with logits at k positions per sentence.

    B sentences of T positions; V tokens; D numbers at a position, inner numbers inside a block's second half; L blocks.
    The number of heads makes no difference. Returns a whole number.
    """
    # Where to start: a function for one product, 2 * n * m * p. Then list the products of a block.
    # <solution>
    def product(n, m, p):
        return 2 * n * m * p

    layers = 4 * product(B * T, D, D) + product(B * T, D, inner) + product(B * T, inner, D)
    attention = B * (product(T, D, T) + product(T, T, D))
    head = product(B * k, D, D) + product(B * k, D, V)
    return L * (layers + attention) + head
    # </solution>


# %% id="check-forward-flops"
check("06.forward-flops", forward_flops)

# %% [markdown] id="count-measured"
# PyTorch can count while it runs; does it arrive at the same number? We try the course's `tiny`, of width 64, with the
# 50,000 words that the article speaks of. If the two agree, the formula can also speak for models that are too large to
# run here.

# %% id="measure-flops"
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def products_of(config, B, T, k):
    """FLOPs of a forward pass: a third of those of training, whose backward pass has two products for each forward."""
    return round(B * T * config.training_flops_per_token(T, predicted=k / T) / 3)


B, T, k = 4, 128, 19
config = ModelConfig.tiny(50_000)
model = MaskedLM(config, torch.Generator().manual_seed(0)).eval()
rng = np.random.default_rng(8)
ids = torch.from_numpy(rng.integers(5, 50_000, (B, T)))
positions = torch.from_numpy(rng.permuted(np.tile(np.arange(T), (B, 1)), axis=1)[:, :k].copy())
labels = ids.gather(1, positions)
for name, where, count in (("all positions", None, T), ("k positions", positions, k)):
    # the kernel that is one formula after the other: what happens inside the fast one is hidden from the counter
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        model(ids, positions=where)
    formula = products_of(config, B, T, count)
    print(f"tiny, logits at {name:13}  formula {formula:14,}  PyTorch counted {counter.get_total_flops():14,}")

# %% [markdown] id="why-share"
# How much of the work is the head? Per position, its product with the table takes $2DV$ operations, and the products of
# the blocks take $24LD^2$ (with $I = 4D$, and without attention itself). So what counts is how $V$ compares with $12LD$:
# the share grows with the vocabulary, and falls with width and depth. Here the sizes stand beside each other at the *same*
# vocabulary, and beside them those that the course trains, whose scene language has 404 tokens.

# %% id="measure-share"
T, k = 128, 19
SIZES = {"tiny": ModelConfig.tiny, "mini": ModelConfig.mini, "small": ModelConfig.small, "base": ModelConfig.base}


def head_share(config, count):
    """The head's share of the FLOPs of a forward pass, with logits at `count` of 128 positions."""
    return 1 - products_of(config, 1, T, 0) / products_of(config, 1, T, count)


shares = {(name, V): (head_share(make(V), T), head_share(make(V), k))
          for name, make in SIZES.items() for V in (404, 30_522, 50_000)}
print("share of the head, with logits at all of 128 positions (at 19)")
for name in SIZES:
    print(f"{name:6}", "   ".join(f"V = {V:6,}: {shares[name, V][0]:4.0%} ({shares[name, V][1]:3.0%})"
                                 for V in (404, 30_522, 50_000)))

# %% id="fig-flops" tags=["nbval-ignore-output"]
asked = np.linspace(0, 1, 41)
figure, (ax,) = figures.new_figure(7.5, 3.4)
told = []
for name, V, color, style, above in (("tiny", 30_522, figures.RED, "--", -0.1), ("small", 30_522, figures.GREEN, "-.", 0.15),
                                     ("tiny", 404, figures.RED, "-", 0.06), ("base", 30_522, figures.BLUE, "-", -0.09)):
    cost = np.array([products_of(SIZES[name](V), 1, T, T * share) for share in asked])
    ax.plot(asked, cost / cost[-1], style, color=color)
    at = np.searchsorted(asked, 0.15)
    told.append(f"{name}, V = {V:,}: {cost[at] / cost[-1]:.2f}")
    ax.text(0.19, cost[8] / cost[-1] + above, f"{name}, V = {V:,}", color=color, va="center", fontsize=9)
ax.axvline(0.15, color="0.6", linewidth=1)
ax.text(0.14, 0.03, "15%", fontsize=9, ha="right")
ax.set(xlabel="share of positions that get logits", ylabel="FLOPs, relative to all", xlim=(0, 1), ylim=(0, 1.03))
ax.set_title(f"The head: {shares['tiny', 30_522][0]:.0%} of tiny and {shares['base', 30_522][0]:.0%} of base at 30,522 "
             f"words, {shares['tiny', 404][0]:.0%} of tiny at 404", loc="left")
figures.show(figure, alt="FLOPs of a forward pass against the share of positions that get logits, relative to logits "
             f"everywhere: straight lines that reach 1 at a share of 1. At 15%: {'; '.join(told)}.")

# %% [markdown] id="equal-loss"
# The loss must be the same either way: with logits at all positions and labels of -100 at most of them, or with logits at
# k positions only. This runs in float32, on whatever device there is. `choose_device()` takes a CUDA GPU if there is one,
# else Apple's, else the CPU.

# %% id="measure-loss"
device = choose_device()
model = model.to(device).train()
ids, positions, labels = ids.to(device), positions.to(device), labels.to(device)
everywhere = torch.full_like(ids, ref.IGNORE_INDEX).scatter(1, positions, labels)  # (B, T), -100 but at the k positions


def training_step(where):
    """Loss and gradients, with logits at all positions (None) or at k."""
    model.zero_grad()
    logits = model(ids, positions=where)
    loss = F.cross_entropy(logits.flatten(0, 1), (everywhere if where is None else labels).flatten())
    loss.backward()
    return loss.item(), model.embeddings.words.weight.grad


(dense_loss, dense_gradient), (loss, gradient) = training_step(None), training_step(positions)
print(f"the loss is {loss:.1f} nats, and log V is {np.log(50_000):.1f}: before training all words are nearly alike")
print("losses agree within 1e-6, relatively:", abs(dense_loss - loss) / loss < 1e-6)
print("gradients by the word vectors agree within 1e-6:", bool((dense_gradient - gradient).abs().max() < 1e-6))
print(f"logits of {B} sentences in float32: {4 * B * T * 50_000 / 1e6:.1f} MB everywhere, "
      f"{4 * B * k * 50_000 / 1e6:.1f} MB at k = {k} positions")

# %% [markdown] id="time-and-memory"
# And the clock? **What follows is an example from one machine; yours will differ, and no check depends on it.** Memory is
# the most that tensors held at once during a step, weights not counted. PyTorch keeps that account for CUDA; for other
# devices, the class below counts each new tensor in and, when it is gone, out. A third measurement is of the loss alone,
# from logits at all positions to their gradient and back: softmax and logarithms, and no matrix product.

# %% id="how-to-weigh"
import time
import weakref

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveBytes(TorchDispatchMode):
    """The bytes that tensors made inside it hold: now, and at their peak."""

    def __init__(self):
        super().__init__()
        self.now = self.peak = 0
        self.counted = {}  # a view shares its storage with another tensor, and must not count twice

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            storage = tensor.untyped_storage() if isinstance(tensor, torch.Tensor) else None
            if storage is not None and storage.data_ptr() and storage.data_ptr() not in self.counted:
                self.counted[storage.data_ptr()] = storage.nbytes()
                self.now += storage.nbytes()
                self.peak = max(self.peak, self.now)
                weakref.finalize(storage, self.gone, storage.data_ptr())
        return result

    def gone(self, address):
        self.now -= self.counted.pop(address, 0)


def peak_bytes(where):
    model.zero_grad(set_to_none=True)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        training_step(where)
        return torch.cuda.max_memory_allocated() - before
    with LiveBytes() as bytes_:
        training_step(where)
    return bytes_.peak


def loss_alone(logits=torch.randn(B * 128, 50_000, device=device)):
    """The loss and its gradient by given logits, at all positions."""
    logits = logits.detach().requires_grad_()
    loss = F.cross_entropy(logits, everywhere.flatten())
    loss.backward()
    return loss.item()


def seconds(step, repeats=5):
    """The quickest of a few steps, after one to warm up. loss.item() waits for the GPU."""
    times = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # several wait for each other when the machine is busy, and that is what would be measured
    for _ in range(repeats + 1):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    torch.set_num_threads(threads)
    return min(times[1:])


# %% id="measure-time" tags=["nbval-ignore-output"]
measured = {name: (seconds(lambda where=where: training_step(where)), peak_bytes(where))
            for name, where in (("all", None), ("k", positions))}
for name, (step, peak) in measured.items():
    print(f"logits at {name:3} positions: {step * 1e3:7.0f} ms per training step, {peak / 1e6:6.0f} MB at the peak")
(dense_time, dense_peak), (time_k, peak_k) = measured.values()
flops = products_of(model.config, B, T, T) / products_of(model.config, B, T, k)
print(f"ratio: {dense_time / time_k:.1f} in time, {dense_peak / peak_k:.1f} in memory, {flops:.1f} in FLOPs "
      f"(this machine, {device.type}, one thread)")
print(f"the loss alone, from logits at all positions to their gradient: {seconds(loss_alone) * 1e3:.0f} ms, no FLOP of it "
      "counted above")

# %% id="fig-cost" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(8.5, 2.4, columns=2)
places = ["all 128\npositions", "19 of 128"]
for ax, values, unit in zip(axes, ([dense_time * 1e3, time_k * 1e3], [dense_peak / 1e6, peak_k / 1e6]),
                            ("milliseconds per step", "MB at the peak")):
    bars = ax.barh(places, values, color=[figures.RED, figures.BLUE])
    for bar, value in zip(bars, values):
        ax.text(value, bar.get_y() + bar.get_height() / 2, f" {value:.0f}", va="center")
    ax.set(xlabel=f"{unit} (this machine)", xlim=(0, 1.2 * max(values)))
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
axes[0].set_title(f"{dense_time / time_k:.1f} times the time", loc="left")
axes[1].set_title(f"{dense_peak / peak_k:.1f} times the memory", loc="left")
figures.show(figure, alt="An example of one machine, a training step of the tiny model with 50,000 words: logits at all 128 "
             f"positions take {dense_time * 1e3:.0f} ms and {dense_peak / 1e6:.0f} MB, at 19 positions "
             f"{time_k * 1e3:.0f} ms and {peak_k / 1e6:.0f} MB.")

# %% [markdown] id="cost-note"
# Memory shrinks about as the FLOPs do. Time need not, because not all of it goes into matrix products: the last line says
# how much the softmax and its gradient took.

# %% [markdown] id="on-a-gpu"
# ### On a GPU
#
# The code stays as it is: `choose_device()` finds the GPU, `.to(device)` moves the model and its inputs there. Three
# things change. Steps are much faster, so that tiny models spend their time on starting kernels rather than on products.
# Time has to be measured after waiting for the GPU, which `loss.item()` does here. And matrix products may run in bfloat16
# (`mlm_mini.model.autocast`), which keeps some three digits. That pays for wide models only. Measured on an H100, one
# forward and backward pass: BERT-base with 32 sentences of 128 tokens took 15 ms in place of 56; `mini` with 128 sentences
# of 16 tokens took 3.7 ms in place of 2.9 (medians of 20; the rest is in `tests/gpu_results.md`).

# %% [markdown] id="recap"
# ## Recap
#
# Over twelve random models the module computes what chapter 05 wrote down, forward and backward, but for rounding. How
# much of the work is the last layer depends on the vocabulary beside width and depth, and only the masked positions
# need it.

# %% id="recap-table" tags=["nbval-ignore-output"]
from IPython.display import Markdown

same = all(f < 1e-10 and b < 1e-8 for f, b in largest)
equal = abs(dense_loss - loss) / loss < 1e-6
without_types = changes["no segment vector"]
cheaper = {name: products_of(SIZES[name](30_522), 1, T, T) / products_of(SIZES[name](30_522), 1, T, k) for name in SIZES}
wrong = "**does not hold as worded**"
Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| "converts each word (and the special `[MASK]` token) into a numerical vector, or **embedding**" | three tables, for \
word, place and segment; without the segment's a logit is off by {without_types:.0f} | \
{"**holds**, and it is a sum of three" if without_types > 5e-5 else wrong} |
| a Transformer "weigh[s] the importance of different context words" and "outputs a final hidden state vector [...] for \
each input position" | logits within $10^{{-10}}$ and gradients within $10^{{-8}}$ of the equations in \
{sum(f < 1e-10 and b < 1e-8 for f, b in largest)} of {len(largest)} random models | {"**holds** for these" if same else wrong} |
| "If the vocabulary has 50,000 words, we get 50,000 logits" | and they are needed at masked positions only: \
{4 * B * T * 50_000 / 1e6:.1f} MB for {B} sentences at every position, {4 * B * k * 50_000 / 1e6:.1f} MB at {k} of {T}; \
the same loss within $10^{{-6}}$ | {"**holds** for every prediction; the other positions can go without" if equal else wrong} |
| (not said there) what those logits cost | at 30,522 words, of the FLOPs of a forward pass with logits everywhere, the \
head takes {shares["tiny", 30_522][0]:.0%} in `tiny` and {shares["base", 30_522][0]:.0%} in BERT-base; logits at {k} of \
{T} positions make it {cheaper["tiny"]:.2f} and {cheaper["base"]:.2f} times cheaper; at the 404 tokens of the scene \
language, the head takes {shares["tiny", 404][0]:.0%} in `tiny` | measured |
""")

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Jacob Devlin, Ming-Wei Chang, Kenton Lee and Kristina Toutanova (2019). BERT: Pre-training of deep bidirectional
#   transformers for language understanding. *NAACL*.
# - Alexander Rush (2018). The annotated Transformer. *Workshop for NLP Open Source Software*. Equation and code, line by
#   line, as here.
# - Ofir Press and Lior Wolf (2017). Using the output embedding to improve language models. *EACL*. Why tie the decoder.
# - Tri Dao, Daniel Y. Fu, Stefano Ermon, Atri Rudra and Christopher Ré (2022). FlashAttention: Fast and memory-efficient
#   exact attention with IO-awareness. *NeurIPS*. Attention without storing the table of weights.
# - Jonas Geiping and Tom Goldstein (2023). Cramming: Training a language model on a single GPU in one day. *ICML*. What
#   is worth its FLOPs, logits at masked positions among it.
#
# Next: chapter 07 trains it, with the best possible loss drawn under the curve.
