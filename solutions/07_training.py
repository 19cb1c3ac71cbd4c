# ---
# jupyter:
#   course:
#     title: Training
#     question: How does a random encoder come to know a language, and how far from perfect does it stay?
#     minutes: 280
#     prerequisites: Chapters 02, 03 and 06
# ---

# %% [markdown] id="header"
# # 07 · Training
#
# **How does a random encoder come to know a language, and how far from perfect does it stay?**
#
# You will be able to
#
# - write a step of AdamW, its schedule and its clipping, and say what each part was worth where it was measured;
# - measure a model against the best possible one, with an error bar;
# - stop a run at any moment and go on as if it had never stopped;
# - bring real text into a model, and a trained model into Hugging Face `transformers`;
# - find the training bugs that do not crash.
#
# *280 minutes, best in two sittings with a break after section 5. Prerequisites: chapters 02, 03 and 06. The first time,
# section 4 trains a model for three to five minutes on two cores; it is then kept. Everything runs on the CPU; with a
# GPU, `course.py train` uses it.*

# %% [markdown] id="how-it-works"
# `hint("07.adamw")` in a new cell gives one step of help at a time, and `failing("07.adamw")` hands you the smallest
# input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run before
# yours do.

# %% id="setup"
import numpy as np
import torch

from mlm_mini import figures
from mlm_mini.course import check, failing, hint
from mlm_mini.languages import scene_language

language = scene_language()

# %% [markdown] id="why-adamw"
# ## 1 · A step
#
# The gradient $g$ says in which direction the loss grows. The simplest step goes the other way, by the same multiple of
# $g$ for every weight. But within one model gradients differ much in size, as we shall see in a moment. **Adam** (Kingma
# and Ba 2015) keeps two running means for each weight, one of its gradient and one of the gradient's square. It divides
# the first by the root of the second, so that every weight moves by about the same amount:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2,$$
# $$\hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}, \qquad
# w \leftarrow w - \eta \left( \frac{\hat m}{\sqrt{\hat v} + \epsilon} + \lambda w \right).$$
#
# Both means begin at zero, so at first they are too small: after $t$ steps the shares of all gradients in $m$ add up to
# $1 - \beta_1^t$ only. The hats divide by that; the first step has $t = 1$. The last term is the W of **AdamW**
# (Loshchilov and Hutter 2019): each weight **decays** towards zero by a share $\eta \lambda$, whatever its gradient.

# %% id="ex-adamw"
# exercise: 07.adamw
def adamw_step(weight, gradient, m, v, step, rate, decay=0.01, beta1=0.9, beta2=0.98, epsilon=1e-6):
    """One step of AdamW.

    weight, gradient, m, v: arrays of one shape; step: 1 for the first; rate: the learning rate.
    Returns the new weight, m and v, without their hats, as three new arrays; those handed in stay as they are.
    """
    # Where to start: the equations, one line each, in their order.
    # <solution>
    m = beta1 * m + (1 - beta1) * gradient
    v = beta2 * v + (1 - beta2) * gradient**2
    m_hat = m / (1 - beta1**step)
    v_hat = v / (1 - beta2**step)
    return weight - rate * (m_hat / (np.sqrt(v_hat) + epsilon) + decay * weight), m, v
    # </solution>


# %% id="check-adamw"
check("07.adamw", adamw_step)

# %% [markdown] id="beside-torch"
# PyTorch's AdamW is the same. Thirty steps of both, on the same gradients (`ref.adamw_step`, so that the cell
# runs before yours does):

# %% id="measure-adamw"
from mlm_mini import reference as ref

rng = np.random.default_rng(7)
start = rng.normal(size=(4, 5))
theirs = torch.nn.Parameter(torch.from_numpy(start.copy()))
optimizer = torch.optim.AdamW([theirs], lr=0.01, weight_decay=0.1, betas=(0.9, 0.98), eps=1e-6)
ours, m, v = start, np.zeros_like(start), np.zeros_like(start)
for step in range(1, 31):
    gradient = rng.normal(size=start.shape)
    theirs.grad = torch.from_numpy(gradient)
    optimizer.step()
    ours, m, v = ref.adamw_step(ours, gradient, m, v, step, 0.01, decay=0.1)
print("after 30 steps equal within 1e-12:", bool(np.abs(ours - theirs.detach().numpy()).max() < 1e-12))

# %% [markdown] id="why-sizes"
# How much do gradients differ in size? Here is a model before its first step, and one batch. One might think that a rare
# word's vector hears of itself only when the word occurs. But the table of words is also the head's: at every blank,
# softmax lowers the score of *every* other word, so each row gets a gradient at every step.

# %% id="measure-sizes" tags=["nbval-ignore-output"]
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.training import TrainingConfig, accumulate_gradient, make_optimizer, masked_batch, recipe

model = MaskedLM(ModelConfig.tiny(len(language.vocabulary)), torch.Generator().manual_seed(0))
sentences = language.sample(128, np.random.default_rng(8)).ids
batch = masked_batch(sentences, language.vocabulary, recipe("scenes").masking, np.random.default_rng(9))
accumulate_gradient(model, batch)
sizes = {name: weight.grad.square().mean().sqrt().item() for name, weight in model.named_parameters()}
largest, smallest = (pick(sizes, key=sizes.get) for pick in (max, min))
print(f"size of a gradient: {sizes[largest]:.1e} in {largest}, {sizes[smallest]:.1e} in {smallest}")
rows = model.embeddings.words.weight.grad.norm(dim=1).numpy()
there = np.isin(np.arange(len(rows)), np.union1d(batch.ids, batch.labels))  # read, or asked for
print(f"{(~there).sum()} of {len(rows)} tokens do not occur in the batch; their rows have gradients of length "
      f"{rows[~there].min():.1e} to {rows[~there].max():.1e}, the others' median is {np.median(rows[there]):.1e}; "
      f"that of [MASK] is {rows[language.vocabulary.mask_id]:.1e}")

# %% id="every-row"
print("every row of the table has a gradient:", bool((rows > 0).all()))

# %% [markdown] id="decay-groups"
# Which weights should decay? By custom the matrices of the linear layers, and neither biases, nor the gains of LayerNorm,
# nor embeddings. `make_optimizer` has three groups, because the table of words has a rate of its own: in section 4 it is
# three times that of the rest.

# %% id="show-groups"
for group in make_optimizer(model, TrainingConfig(steps=1)).param_groups:
    shapes = sorted({tuple(weight.shape) for weight in group["params"]}, key=len)
    print(f"decay {group['weight_decay']}: {len(group['params'])} tensors, {shapes[0]} and {shapes[-1]} among them")

# %% [markdown] id="why-schedule"
# ## 2 · How large a step
#
# In the first steps AdamW's two means rest on a handful of gradients. So the rate begins small and rises, which is
# called the **warm-up**. Later it falls to zero, so that the weights may settle. Neither end of the schedule is zero
# itself, because a step of length zero would waste its batch. (Section 4 measures what warm-up, fall and clipping are
# worth.)

# %% id="ex-learning-rate"
# exercise: 07.learning-rate
def learning_rate(step, steps, warmup, highest):
    """The learning rate of one step: a linear rise to `highest`, then a linear fall.

    step: 0 to steps - 1; warmup: how many steps come before the one with the highest rate, less than steps. The rise
    would be 0 one step before the first, the fall one step after the last. warmup may be 0. Returns a float.
    """
    # Where to start: two straight lines. The rate is never above either.
    # <solution>
    rise = (step + 1) / (warmup + 1)
    fall = (steps - step) / (steps - warmup)
    return highest * min(rise, fall)
    # </solution>


# %% id="check-learning-rate"
check("07.learning-rate", learning_rate)

# %% [markdown] id="why-clip"
# A batch may have a gradient far longer than usual. **Clipping** shortens it. Take all gradients of the model as one long
# vector $g$; its length is the **norm** $\lVert g \rVert = \sqrt{\sum_i g_i^2}$. If that is above a limit $c$, everything
# is multiplied by $c / \lVert g \rVert$, so that the direction stays.

# %% id="ex-clip-gradient"
# exercise: 07.clip-gradient
def clip_gradient(gradients, largest):
    """The gradients of a model, shortened together if their common norm is above `largest`.

    gradients: a list of arrays of any shapes; largest: above 0. Returns a list of new arrays of the same shapes, also
    where nothing is shortened.
    """
    # Where to start: one norm, of all the numbers in all the arrays.
    # <solution>
    norm = np.sqrt(sum((gradient**2).sum() for gradient in gradients))
    factor = min(1.0, largest / norm) if norm > 0 else 1.0
    return [gradient * factor for gradient in gradients]
    # </solution>


# %% id="check-clip-gradient"
check("07.clip-gradient", clip_gradient)

# %% [markdown] id="why-accumulate"
# ## 3 · A batch in parts
#
# A batch that does not fit into memory goes through the model in parts, **micro-batches**, whose gradients are added up
# before the step. `mlm_mini` has another reason as well: parts of similar length need little padding, and on a CPU they
# run side by side, one on each core. The loss is a mean over predicted tokens, and parts differ in how many they have.
# What should be averaged?

# %% id="ex-accumulate"
# exercise: 07.accumulate
def accumulate(gradients, counts):
    """The gradient of the mean over all labels of a batch, from the gradients of its parts.

    gradients: a list of arrays of one shape, the gradient of the mean over the part's own labels; NaN in a part
    without labels. counts: a list, how many labels each part has. Returns one array; zeros if there is no label at
    all. The gradients handed in stay as they are.
    """
    # Where to start: what is the sum over the labels of one part?
    # <solution>
    total = np.zeros_like(gradients[0])
    for gradient, count in zip(gradients, counts):
        if count:
            total += gradient * count
    return total / max(sum(counts), 1)
    # </solution>


# %% id="check-accumulate"
check("07.accumulate", accumulate)

# %% [markdown] id="why-fixed"
# ## 4 · How far from perfect?
#
# Training draws new masks for every batch (**dynamic masking**, Liu et al. 2019). In a measurement that would be noise:
# the same model would get another loss each time. So an evaluation set is drawn once, from a generator of its own, and
# every model meets the same sentences with the same masks at every step.

# %% id="ex-fixed-masks"
# exercise: 07.fixed-masks
def fixed_masks(ids, special_ids, mask_ratio, seed):
    """Which tokens to hide, the same ones at every call with the same arguments.

    ids: (B, T) integers; special_ids: a list of ids never to be hidden, in any order; mask_ratio: the chance of each
    other token, whatever becomes of its neighbors, so that sentences differ in how many they hide; seed: an integer;
    another one gives other masks. No other random numbers may be disturbed. Returns (B, T) bool.
    """
    # Where to start: a generator made here, from the seed, and used for nothing else.
    # <solution>
    draws = np.random.default_rng(seed).random(ids.shape)
    return (draws < mask_ratio) & ~np.isin(ids, special_ids)
    # </solution>


# %% id="check-fixed-masks"
check("07.fixed-masks", fixed_masks)

# %% [markdown] id="why-gap"
# What is a good loss? For most texts nobody knows. For the scene language we do: on average, nobody pays less than its
# exact posterior, and what that pays is the **Bayes floor**. What counts is the distance to it, the **gap**. For sentence
# $b$ with $n_b$ hidden tokens, let $d_b$ be what the model pays for them minus what the exact posterior pays for *the same
# tokens*. Then
#
# $$\mathrm{gap} = \frac{\sum_b d_b}{\sum_b n_b}, \qquad
# \mathrm{error} = \frac{\sqrt{\sum_b (d_b - \mathrm{gap} \cdot n_b)^2}}{\sum_b n_b}.$$
#
# The error is a standard error. It is computed over sentences, because the tokens of one sentence are not independent; and
# it is that of a ratio, because the draw decides $n_b$ as well as $d_b$. A sentence that pays exactly the gap for each of
# its tokens has the residual $d_b - \mathrm{gap} \cdot n_b = 0$, and adds nothing to the error. A 95% interval is 1.96
# errors to either side. It covers which sentences and masks were drawn, and not the luck of training.

# %% id="ex-gap"
# exercise: 07.gap
def gap(model_nats, floor_nats, counts):
    """How much the model pays beyond the floor per hidden token, and the standard error of that, in nats.

    model_nats, floor_nats: (B,), the summed surprisal of each sentence's hidden tokens; counts: (B,), how many they
    are, 0 in some. Returns two floats, gap and error, as the equations have them: nothing makes up for a small B.
    """
    # Where to start: the differences. From here on model and floor are not needed by themselves.
    # <solution>
    difference = model_nats - floor_nats
    mean = difference.sum() / counts.sum()
    residual = difference - mean * counts
    return mean, np.sqrt((residual**2).sum()) / counts.sum()
    # </solution>


# %% id="check-gap"
check("07.gap", gap)

# %% [markdown] id="why-train"
# Now a model. `cached_model("scenes")` is a `mini` model, two blocks of width 128. It reads 3,400 batches of 128 fresh
# scene sentences, which nobody labeled. In training 35% of the words of a sentence are hidden, and 85% in one sentence of
# ten, so that the model also meets sentences of which little is left. (Why not 15%? Chapter 10 compares ratios.) The
# evaluation hides 15% of the words of 4,096 other sentences. These are easier questions, so that the curve of the
# training batches lies above it. The first time this takes three to five minutes on two cores, and the curve grows as you watch. Afterwards the model is read
# from your cache folder.

# %% id="train" tags=["nbval-ignore-output"]
from mlm_mini.training import LiveCurve, cached_model
from mlm_mini.training.progress import describe_curve, plot_curve

trained = cached_model("scenes", report=LiveCurve)
last = trained.curve[-1]
figures.show(plot_curve(trained.curve, trained.floor), alt=describe_curve(trained.curve, trained.floor))
print(f"loss {last.loss:.3f}, floor {trained.floor:.3f}: {last.gap:.3f} ± {1.96 * last.gap_error:.3f} nats above it "
      "(95% over sentences; one training seed)")
print(f"after {last.step:,} steps, {last.tokens:,} tokens read and {last.predictions:,} predicted, "
      f"in {last.seconds:.0f} s on the machine that trained it")

# %% [markdown] id="which-margin"
# Is that "at the floor"? Such a question needs a margin that is named before one looks. Let it be 0.02 nats: a model is at
# the floor if its whole interval lies below that, and above the floor if its whole interval lies above 0.

# %% id="train-facts"
MARGIN = 0.02
low, high = last.gap - 1.96 * last.gap_error, last.gap + 1.96 * last.gap_error
print("surely above the floor:", low > 0, " surely within 0.02 nats of it:", high < MARGIN,
      " surely within 0.1:", high < 0.1)
words = language.sample(20_000, np.random.default_rng(1)).ids
counted = np.bincount(words.ravel(), minlength=len(language.vocabulary))[language.vocabulary.regular_ids]
unigram_nats = ref.entropy(counted / counted.sum())  # what a reader pays who knows only how frequent each word is
closed = (unigram_nats - last.loss) / (unigram_nats - trained.floor)
print(f"who knows only the frequencies pays {unigram_nats:.1f} nats")
print("the model has gone more than 95% of the way from there to the floor:", closed > 0.95)

# %% [markdown] id="why-paired"
# How much does it matter that both pay for the same tokens? Here are 4,000 new sentences. The cell prints the standard
# error of the gap when loss and floor come from the same tokens, and when each comes from sentences of its own.

# %% id="measure-paired" tags=["nbval-ignore-output"]
from mlm_mini.reference import IGNORE_INDEX
from mlm_mini.training import draw_evaluation, surprisals

sentences = language.sample(4_000, np.random.default_rng(77))
order = np.argsort((sentences.ids != language.vocabulary.pad_id).sum(axis=1), kind="stable")
ids, frame = sentences.ids[order], sentences.frame[order]
question = recipe("scenes", mask_ratio=0.15)
evaluation = draw_evaluation(ids, language.vocabulary, question, np.random.default_rng(78), language)
with torch.no_grad():
    nats = torch.cat([surprisals(trained.model, evaluation.batch.rows(slice(i, i + 500))).sum(dim=1)
                      for i in range(0, len(ids), 500)]).double().numpy()
counts = (evaluation.batch.labels != IGNORE_INDEX).sum(dim=1).numpy()


def per_token(values):
    """Values (B,) summed over sentences, per hidden token, with its standard error."""
    mean = values.sum() / counts.sum()
    return mean, np.sqrt(((values - mean * counts) ** 2).sum()) / counts.sum()


(loss, loss_error), (floor, floor_error) = per_token(nats), per_token(evaluation.floor_nats)
gap_, paired = per_token(nats - evaluation.floor_nats)
unpaired = np.hypot(loss_error, floor_error)
print(f"gap {gap_:.3f} nats: standard error {paired:.4f} at the same tokens, {unpaired:.4f} at others, "
      f"which would take {(unpaired / paired) ** 2:.0f} times as many sentences")

# %% [markdown] id="why-where"
# In which sentences does the model still pay too much? The scene language tells how each was built:

# %% id="measure-where" tags=["nbval-ignore-output"]
beyond, rows = nats - evaluation.floor_nats, []
for number, name in enumerate(language.frames):
    chosen = frame == number
    mean = beyond[chosen].sum() / counts[chosen].sum()
    error = np.sqrt(((beyond - mean * counts)[chosen] ** 2).sum()) / counts[chosen].sum()
    rows.append((name, mean, 1.96 * error))
    print(f"{name:12} {chosen.mean():4.0%} of the sentences: gap {mean:.3f} ± {1.96 * error:.3f} (95% over sentences), "
          f"{beyond[chosen].sum() / beyond.sum():4.0%} of what is left")

# %% id="fig-where" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 2.6)
rows.sort(key=lambda row: row[1])
names, gaps, margins = zip(*rows)
ax.barh(names, gaps, xerr=margins, color=[figures.RED if name == names[-1] else figures.SKY for name in names])
for place, (value, margin) in enumerate(zip(gaps, margins)):
    ax.text(value + margin, place, f" {value:.3f}", va="center")
ax.set(xlabel="nats per hidden token above the exact posterior (95% over sentences)",
       xlim=(-0.01, 1.25 * max(np.add(gaps, margins))))
ax.grid(axis="y", visible=False)
apart = gaps[-1] - margins[-1] > max(np.add(gaps, margins)[:-1])
ax.set_title(f"{names[-1].capitalize()} sentences are furthest from perfect" if apart else
             "The kinds of sentence cannot be told apart")
figures.show(figure, alt="Bars of the gap by kind of sentence, in nats per hidden token, with 95% intervals over "
             "sentences: " + ", ".join(f"{name} {value:.3f} ± {margin:.3f}" for name, value, margin in rows) + ".")

# %% [markdown] id="where-note"
# In a coreference sentence "he" is explained by the clause after it, which fits one of two persons before it. To fill
# in such a person takes both. Chapter 08 looks at these sentences word by word.

# %% [markdown] id="why-parts"
# ### What the parts of the recipe are worth
#
# Sections 1 and 2 gave a reason for each part of the recipe, and a reason is not yet a measurement. So here the whole
# recipe stands beside the recipe without one part: the model `tiny`, 400 steps, ten seeds. All runs of one seed start
# from the same weights and read the same sentences. Every variant has a learning rate of its own, the best of four with
# another seed. A difference of up to 0.03 nats counts as none; that margin was fixed before the runs. The verdict is the
# word that at least 97.5% of the resamples get, and *undecided* if no word does. The study takes a quarter of an hour, so
# it was made once and ships with the course.

# %% id="fig-parts" tags=["nbval-ignore-output"]
from mlm_mini.experiments import find_experiment
from mlm_mini.shipped import shipped

parts, origin = find_experiment("recipe_parts").shipped(), shipped("experiments", "recipe_parts")
print(f"{origin['command']} ({origin['date']}, {origin['machine']})")
print(parts.table())
figures.show(parts.plot(), alt=parts.describe())

# %% [markdown] id="parts-note"
# Adam is worth the most by far, and the larger rate for the table and the warm-up are worth something too. Without the
# warm-up the best rate is a smaller one, so that one thing a warm-up buys is a larger rate. Of clipping, decay and the
# fall at the end, ten such runs cannot tell whether they help. All this holds for 400 steps of a small model. What a part
# is worth in a run of days, or for a model of BERT's size, the study does not say.

# %% [markdown] id="trained-heads"
# ### What the heads came to look for
#
# Chapter 05 set queries and keys by hand. These were found by training. Choose a head, and move the query word with the
# arrow keys; another sentence of the scene language can be typed.

# %% id="trained-maps"
from mlm_mini.model import to_numpy
from mlm_mini.widgets.attention import AttentionMaps, attention_figure, named_maps

weights = to_numpy(dict(trained.model.double().named_parameters()), trained.model.config.num_hidden_layers)
trained.model.float()
H = trained.model.config.num_attention_heads


def trained_heads(sentence):
    """The attention maps of the trained model for one sentence."""
    ids = language.encode(sentence)
    ids = ids[ids != language.vocabulary.pad_id]
    maps = np.stack(ref.attention_maps(ids[None], weights, H))[:, 0]  # (L, 1, H, T, T) -> (L, H, T, T)
    return AttentionMaps(tuple(language.vocabulary.words(ids)), named_maps(maps))


sentence = "the minister spoke to the activist about the protest because he advocated for change ."
maps = trained_heads(sentence)
he = maps.tokens.index("he")
print(len(maps.maps), "heads, each with a table of", len(maps.tokens), "by", len(maps.tokens), "weights")

# %% id="widget-heads" tags=["nbval-ignore-output"]
from mlm_mini.widgets import attention_widget

attention_widget(trained_heads, sentence, query=he)

# %% [markdown] id="without-a-kernel"
# Without a running kernel nothing moves. The picture shows one head, and one sentence proves nothing. So the cell below
# measures on 300 sentences how much of its weight "he" or "she" gives to the two persons that it may mean. The head is
# chosen on 100 others. What it gives them is compared with what an even look at all tokens would.

# %% id="measure-heads" tags=["nbval-ignore-output"]
from mlm_mini.experiments import mean_interval

drawn = language.sample(4_000, np.random.default_rng(12))
chosen = np.flatnonzero(drawn.referent >= 0)[:400]  # those with a pronoun that means one of two persons
ids, meant = drawn.ids[chosen], drawn.referent[chosen]
tokens, each = ids != language.vocabulary.pad_id, np.arange(len(ids))
pronoun = np.isin(ids, language.vocabulary.ids(["he", "she"])).argmax(axis=1)
after_the = np.stack([np.flatnonzero(row == language.vocabulary.ids(["the"])[0])[:2] + 1 for row in ids])
other = np.where(after_the[:, 0] == meant, after_the[:, 1], after_the[:, 0])
maps_of_all = np.stack(ref.attention_maps(ids, weights, H, tokens))  # (L, B, H, T, T)
given = maps_of_all[:, each, :, pronoun]  # (B, L, H, T): what the pronoun gives to each token
to_meant, to_other = given[each, :, :, meant], given[each, :, :, other]  # (B, L, H)
to_both = to_meant + to_other
L_best, H_best = np.unravel_index(to_both[:100].mean(axis=0).argmax(), to_both.shape[1:])
both = mean_interval(to_both[100:, L_best, H_best])
even = (2 / tokens.sum(axis=1))[100:].mean()
more = mean_interval((to_meant - to_other)[100:, L_best, H_best])
print(f"block {L_best + 1}, head {H_best + 1}: the two persons get {both.with_margin()} of a pronoun's weight; an even "
      f"look would give them {even:.2f}")
print(f"the person who is meant gets {more.with_margin('+')} more than the other (95% over {len(ids) - 100} sentences)")

# %% id="heads-facts"
by_head = [mean_interval(values) for values in (to_meant - to_other)[100:].reshape(-1, maps_of_all.shape[0] * H).T]
print("the two persons get more than half of the weight, and surely more than by an even look:",
      both.value > 0.5, both.low > even)
print("no head prefers the person who is meant, or the other, by more than 0.15:",
      all(-0.15 < d.low and d.high < 0.15 for d in by_head))

# %% id="fig-heads" tags=["nbval-ignore-output"]
name = list(maps.maps)[L_best * H + H_best]
figure, alt = attention_figure(maps, name, he)
figures.show(figure, alt)

# %% [markdown] id="why-trained-importance"
# So the head finds the persons, and not the one of them that is meant. From the one sentence in the picture we might have
# told another story.
#
# Is a weight an importance here? In chapter 05's random blocks it was, as long as there was only one. Now we ask the
# trained model. One word of each sentence is hidden, and each other key is taken away in turn. Does the order of the
# weights agree with the order of the effects, that is, of how far the blank's vector moves at the exit?

# %% id="measure-trained-importance" tags=["nbval-ignore-output"]
from scipy.stats import spearmanr

rng, ranks = np.random.default_rng(13), []
for row in language.sample(100, rng).ids:
    row = row[row != language.vocabulary.pad_id].copy()
    T, blank = len(row), rng.integers(1, len(row) - 1)
    row[blank] = language.vocabulary.mask_id
    keys = np.delete(np.arange(T), blank)
    seen = np.vstack([np.ones(T, bool), np.arange(T) != keys[:, None]])  # all keys, then without each
    y = ref.encoder(np.tile(row, (T, 1)), weights, H, seen)[:, blank]
    effect = np.linalg.norm(y[1:] - y[0], axis=-1)
    A = np.stack(ref.attention_maps(row[None], weights, H))[:, 0].mean(axis=1)  # (L, H, T, T) -> (L, T, T)
    rollout = (A[1] + np.eye(T)) / 2 @ (A[0] + np.eye(T)) / 2
    ranks.append([spearmanr(guess[blank][keys], effect).statistic for guess in (A[0], A[1], rollout)])
for name, values in zip(("weight in block 1", "weight in block 2", "rollout"), np.transpose(ranks)):
    print(f"{name}: rank correlation with the effect {mean_interval(values).with_margin()} (95% over 100 sentences)")

# %% id="trained-importance-facts"
ranks = np.array(ranks)
print("rollout tells more than the weights of either block:",
      all(mean_interval(ranks[:, 2] - ranks[:, block]).low > 0 for block in (0, 1)))

# %% [markdown] id="trained-importance-note"
# In these two trained blocks, the weights of one block tell part of what matters, and rollout tells most of it. Still, a
# picture of weights is a hint at what a head does, and no proof: a weight says where numbers came from, not what was made
# of them (Jain and Wallace 2019).

# %% [markdown] id="why-save"
# ## 5 · Stop, and go on
#
# A run of hours will be stopped: by you, by a queue, by a power cut. So every now and then, everything that changes is
# written to disk as a **checkpoint**. Two things can go wrong. The power can fail *while* the file is written. Or
# something is left out, and the run goes on differently than it would have.
#
# For the first, here is a disk that may lose power before any of its operations. `disk.write(name, content)` begins to
# write, `disk.flush(name)` waits until the file is really there; until then a power cut leaves half of it.
# `disk.rename(old, new)` gives a file another name in one step, and replaces a file that had it. There are also
# `disk.delete(name)` and `disk.exists(name)`. Whoever reads `name` later must find the old content or the new, whole.

# %% id="ex-save"
# exercise: 07.save
def save(disk, name, content):
    """Puts `content` into the file `name`, so that a power cut at any moment leaves the old file or the new one.

    disk: with write, flush, rename, delete and exists; name: text; content: bytes. In the end the content is on the
    disk and no other file has come, gone or changed.
    """
    # Where to start: not with disk.write(name, ...), for that is where the old file would be lost.
    # <solution>
    disk.write(name + ".partial", content)
    disk.flush(name + ".partial")
    disk.rename(name + ".partial", name)
    # </solution>


# %% id="check-save"
check("07.save", save)

# %% [markdown] id="why-state"
# For the second: what changes in the course of a run? The weights, AdamW's two means and its count of steps, the place in
# the schedule, the place in the text, and the random generators of masks and of dropout. Here is a small run, once
# without a stop, and once stopped on the way and continued from its last checkpoint.

# %% id="measure-resume" tags=["nbval-ignore-output"]
import tempfile

from mlm_mini.languages.batches import SampledSentences
from mlm_mini.training import Reporter, train

small = ModelConfig.tiny(len(language.vocabulary))
settings = TrainingConfig.of(steps=40, batch_size=16, mask_ratio=0.3, seed=3)


class StopAfter(Reporter):
    """Ends a run from outside, as Ctrl-C does."""

    def __init__(self, step):
        self.last = step

    def stepped(self, step, *_):
        if step == self.last:
            raise KeyboardInterrupt


def text():
    return SampledSentences(language, 3)


whole = train(small, text(), settings, device="cpu").model
with tempfile.TemporaryDirectory() as folder:
    try:
        train(small, text(), settings, out=folder, checkpoint_every=20, device="cpu", report=StopAfter(27))
    except KeyboardInterrupt:
        print("stopped after step 27; the last checkpoint is of step 20")
    resumed = train(small, text(), settings, out=folder, resume=True, device="cpu").model


def same_weights(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters()))


print("every weight the same to the last bit:", same_weights(whole, resumed))

# %% [markdown] id="why-which-part"
# And if one part had been left out? Here is the same run, but after step 20 the generator of the masks starts from the
# beginning again:

# %% id="measure-which-part" tags=["nbval-ignore-output"]
from mlm_mini.seeds import Stream, generator
from mlm_mini.training.run import Run

run = Run.start(small, text(), settings, torch.device("cpu"))
for _ in range(20):
    run.one_step()
run.rng = generator(settings.seed, Stream.MASKS)  # as if its place had not been written down
for _ in range(20):
    run.one_step()
distance = max((a - b).abs().max().item() for a, b in zip(whole.parameters(), run.model.parameters()))
print(f"masks begun anew after 20 of 40 steps: weights differ by up to {distance:.3f}")

# %% [markdown] id="pause"
# *A good place to pause: you have a trained model, and a run that can be stopped. When you come back, run the cells above
# again, which takes about a minute because the model is read from your cache, and go on below.*

# %% [markdown] id="why-wordpiece"
# ## 6 · Real text
#
# The scene language has 399 tokens, beside the special ones. English has hundreds of thousands, most of them rare, and a table with a row for
# each would be large and mostly untrained. **WordPiece** (Schuster and Nakajima 2012) keeps a few thousand pieces: all
# frequent words, and parts from which the others are put together. A piece that continues a word is written with `##`:
# `king`, `##dom`. A word is cut from left to right, each time the longest piece that fits. If at some place none fits,
# the whole word becomes `[UNK]`.

# %% id="ex-wordpiece"
# exercise: 07.wordpiece
def wordpiece(word, vocabulary):
    """A word as a list of pieces, the longest first from left to right; ["[UNK]"] if it cannot be pieced.

    word: text, at least one letter, looked up as it is written; vocabulary: a set of pieces, those that continue a
    word with "##" in front. A piece once taken is never given back, even if a shorter one would have led further.
    """
    # Where to start: a place in the word up to which it is done, and a loop that looks for the next piece from there.
    # <solution>
    pieces, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        for end in range(len(word), start, -1):
            if mark + word[start:end] in vocabulary:
                break
        else:
            return ["[UNK]"]
        pieces.append(mark + word[start:end])
        start = end
    return pieces
    # </solution>


# %% id="check-wordpiece"
check("07.wordpiece", wordpiece)

# %% [markdown] id="english-pieces"
# The pieces themselves are chosen by counting in the training text; the package `tokenizers` does that for us. On the
# English corpus of chapter 00, the Bible in Basic English:

# %% id="show-pieces"
from mlm_mini.languages import english_tokenizer, english_tokens

tokenizer = english_tokenizer()
for shown in ("the king gave an answer", "Nebuchadnezzar was unbreakable"):
    print(shown, "->", " ".join(tokenizer.vocabulary.words(tokenizer.encode(shown))[1:-1]))
tokens = english_tokens("train")
print(f"{len(tokenizer.vocabulary):,} tokens in the vocabulary; the training books are {len(tokens.ids):,} tokens long")

# %% [markdown] id="why-blocks"
# A model wants rows of one length. So the text is cut: each row is `[CLS]`, the next tokens, `[SEP]`; the last row, if
# it is short, is filled up with `[PAD]` behind its `[SEP]`. The tokens themselves stay in a file that is mapped into
# memory, and only the rows in use are read: a text may be larger than memory.

# %% id="ex-blocks"
# exercise: 07.blocks
def blocks(tokens, length, cls_id, sep_id, pad_id):
    """A text cut into rows of `length`: [CLS], length - 2 tokens, [SEP]; the last one filled up with [PAD].

    tokens: (N,) integers, N at least 1; length: at least 3. Returns (K, length) integers.
    """
    # Where to start: the tokens of row i begin at i times (length - 2).
    # <solution>
    inside = length - 2
    rows = np.full((-(-len(tokens) // inside), length), pad_id)
    for i, row in enumerate(rows):
        part = tokens[i * inside : (i + 1) * inside]
        row[0], row[1 : len(part) + 1], row[len(part) + 1] = cls_id, part, sep_id
    return rows
    # </solution>


# %% id="check-blocks"
check("07.blocks", blocks)

# %% [markdown] id="why-english"
# Does it learn? No floor is known for English, but we can compare with models that count. All are asked for the same
# tokens, one hidden at a time, in books that were kept aside. A unigram knows how frequent each token is; a trigram (a
# counting model with the smoothing of Kneser and Ney 1995, interpolated) also looks at two tokens on either side; the
# model reads the whole row. The curve below was taken on the way, with 15% of the tokens hidden at once: its figures
# are higher than that of the table, where nothing else is hidden. The training takes half an hour, so this was measured once and ships with the course, with the command that made it.

# %% id="show-english"
from mlm_mini.training import measured

english = measured("english")
print(english["command"])
print(f"{english['date']}, {english['machine']}, {english['minutes']:.0f} minutes; {english['blanks']:,} blanks")
for name, (mean, margin) in english["nats"].items():
    print(f"{name:12}{mean:6.3f} ± {margin:.3f} nats per token (95% over blanks; one training seed)")
for name, (saved, error) in english["saved"].items():
    print(f"the model pays {saved:.3f} ± {1.96 * error:.3f} nats less than the {name} (95% over the same blanks)")

# %% id="fig-english" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 3)
steps, losses = zip(*[(point["step"], point["loss"]) for point in english["curve"]])
ax.plot(steps, losses, color=figures.BLUE, marker="o", markersize=3)
ax.axhline(english["nats"]["unigram"][0], color=figures.RED, linestyle=":")
ax.text(steps[-1], english["nats"]["unigram"][0] + 0.05, "unigram", color=figures.RED, ha="right")
ax.set(xlabel="step", ylabel="nats per hidden token", ylim=(0, 6.4))
unigram = english["nats"]["unigram"][0]
plateau = max(step for step, loss in zip(steps, losses) if loss > unigram - 0.3)
ax.set_title(f"Until step {plateau:,} the model pays what the unigram pays, within 0.3 nats", loc="left")
figures.show(figure, alt=f"Loss on held-out English at 15% hidden tokens, against steps: it stays near the unigram's "
             f"{unigram:.2f} nats until step {plateau:,}, then falls to {losses[-1]:.2f} at step {steps[-1]:,}.")

# %% [markdown] id="english-note"
# The plateau is worth knowing: a model that seems to learn nothing for minutes may be about to begin. What does it know
# there, and where does it keep that? One guess is the bias of its head, one number for each word. Here a `tiny` model
# takes its first 120 steps on English, and then we take its knowledge apart. Each row is a loss on held-out text.

# %% id="measure-plateau" tags=["nbval-ignore-output"]
from mlm_mini.training import find_material

config = recipe("english", size="tiny", device="cpu", steps=1_600, batch_size=32)
material = find_material("english", config)
run = Run.start(ModelConfig.tiny(len(material.source.vocabulary)), material.source, config, torch.device("cpu"))
for _ in range(120):
    run.one_step()
asked = material.evaluation.batch.rows(slice(0, 256))
answers = asked.labels[asked.labels != IGNORE_INDEX]
head, table = run.model.head, run.model.embeddings.words.weight
with torch.no_grad():
    h = run.model.encode(asked.ids, asked.attention_mask)
    h = h.gather(1, asked.positions[:, :, None].expand(-1, -1, h.shape[-1]))[asked.labels != IGNORE_INDEX]
    h = head.norm(torch.nn.functional.gelu(head.dense(h)))  # (N, D): what the table is multiplied with
    mean = h.mean(dim=0, keepdim=True).expand_as(h)  # the same for every blank: it knows nothing of the context
    cases = {"the model": h @ table.T + head.bias, "with the bias set to zero": h @ table.T,
             "with the mean state for every blank, and no bias": mean @ table.T,
             "with the bias alone": head.bias.expand(len(h), -1)}
    plateau_nats = {name: torch.nn.functional.cross_entropy(logits, answers).item() for name, logits in cases.items()}
often = np.bincount(np.asarray(material.train.ids), minlength=len(table)) + 1
plateau_nats["the unigram"] = -np.log(often / often.sum())[answers.numpy()].mean()
for name, nats_ in plateau_nats.items():
    print(f"{name:50}{nats_:6.3f} nats")

# %% id="plateau-facts"
whole, no_bias, mean_state, bias_alone, counts_alone = plateau_nats.values()
print("the model pays what the unigram pays, within 0.2 nats:", bool(abs(whole - counts_alone) < 0.2))
print("so it does with one mean state for all blanks and no bias, within 0.05 of itself:", abs(mean_state - whole) < 0.05)
print("the bias alone pays more than 2 nats more:", bias_alone - whole > 2)

# %% [markdown] id="plateau-note"
# The bias has nothing to do with it: without it the loss hardly changes, and alone it knows next to nothing. One and the
# same vector for all blanks does as well as the model. So the frequencies sit in the product of the table with that mean
# state, and the rest of the sentence is not used yet.
#
# To train your own: `python3 course.py train --language english --out my-model`, or a folder of text files in place of
# `english`.

# %% [markdown] id="why-export"
# ## 7 · Out of the course
#
# A trained model is most useful where others can open it. `save_pretrained` writes a folder as Hugging Face's
# `transformers` has it: weights as safetensors (plain numbers, nothing that could run), a config and a tokenizer.
# `transformers` then fills the blank, and so does ours:

# %% id="measure-export" tags=["nbval-ignore-output"]
import transformers

from mlm_mini.model import save_pretrained
from mlm_mini.training import fill

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
blank = "the chef cuts the [MASK] ."
with tempfile.TemporaryDirectory() as folder:
    save_pretrained(trained.model, folder, trained.tokenizer)
    pipeline = transformers.pipeline("fill-mask", model=folder, device="cpu")
    theirs = [(row["token_str"], row["score"]) for row in pipeline(blank)]
ours = [(candidate.token, candidate.probability) for candidate in fill(trained.model, trained.tokenizer, blank)[0]]
print("transformers  ", ", ".join(f"{word} {p:.3f}" for word, p in theirs))
print("mlm_mini      ", ", ".join(f"{word} {p:.3f}" for word, p in ours))
exact = language.posterior_at(language.encode(blank)[None], [[5]])[0, 0]
best = np.argsort(-exact)[:5]
print("exact         ", ", ".join(f"{language.vocabulary.tokens[i]} {exact[i]:.3f}" for i in best))

# %% id="export-agrees"
agree = [(a[0] == b[0]) and abs(a[1] - b[1]) < 1e-4 for a, b in zip(theirs, ours)]
print("the same five words, with the same probabilities within 1e-4:", all(agree))

# %% [markdown] id="clinic"
# ## 8 · Bug clinic
#
# None of these bugs crashes. Each has been made in public code more than once. Read the complaint and the code, run the
# check to see the symptom, then repair the code.

# %% [markdown] id="clinic-zero-grad-story"
# ### The loss that swings
#
# *"With one step all is well. With forty the weights fly past the optimum, come back, and fly past it again, further
# each time. I have lowered the rate twice."*

# %% id="ex-clinic-zero-grad"
# exercise: 07.clinic-zero-grad
def descend(gradient_of, weight, rate, steps):
    """Gradient descent: the weight after so many steps.

    gradient_of: a function from a weight to its gradient, arrays of one shape; rate: the learning rate. Returns an
    array; the one handed in stays as it is.
    """
    # Where to start: print `gradient` at each step.
    # <broken>
    #| gradient = np.zeros_like(weight)
    #| for _ in range(steps):
    #|     gradient = gradient + gradient_of(weight)
    #|     weight = weight - rate * gradient
    #| return weight
    # </broken>
    # <solution>
    for _ in range(steps):
        gradient = gradient_of(weight)
        weight = weight - rate * gradient
    return weight
    # </solution>


# %% id="check-clinic-zero-grad"
check("07.clinic-zero-grad", descend)

# %% [markdown] id="clinic-padding-story"
# ### Weights that do nothing
#
# *"Padding should not count, so I weigh each place: 1 for a token, 0 for padding. But batches with much padding still
# have another loss. As if the weights were not there."*

# %% id="ex-clinic-padding"
# exercise: 07.clinic-padding
def padded_loss(nats, is_token):
    """The mean surprisal of all tokens of a batch, padding left out, in nats; 0.0 when there is none.

    nats: (B, T); is_token: (B, T) bool, False at padding, wherever that stands in a row. Every token counts the same.
    Returns a float.
    """
    # Where to start: how many numbers is `loss`?
    # <broken>
    #| loss = nats.mean()
    #| return float((loss * is_token).sum() / max(is_token.sum(), 1))
    # </broken>
    # <solution>
    return float(nats[is_token].sum() / max(is_token.sum(), 1))
    # </solution>


# %% id="check-clinic-padding"
check("07.clinic-padding", padded_loss)

# %% [markdown] id="clinic-broadcast-story"
# ### Every sentence with every weight
#
# *"Rare sentences have a larger weight. It runs, the loss looks reasonable, and the rare sentences are learned no
# better than before."*

# %% id="ex-clinic-broadcast"
# exercise: 07.clinic-broadcast
def weighted_loss(nats, weights):
    """The weighted mean of the sentences' surprisals, in nats.

    nats: (N,), one number for each sentence; weights: (N, 1), at least one above 0. Returns a float.
    """
    # Where to start: the shape of the product.
    # <broken>
    #| return float((nats * weights).mean() / weights.mean())
    # </broken>
    # <solution>
    return float((nats * weights[:, 0]).sum() / weights.sum())
    # </solution>


# %% id="check-clinic-broadcast"
check("07.clinic-broadcast", weighted_loss)

# %% [markdown] id="clinic-evaluation-story"
# ### Worse than its own training loss
#
# *"The loss on held-out text is above the training loss, and it wobbles. When I load the same model elsewhere it is
# fine."*
#
# As in PyTorch, a model consists of parts, `model.children()`, and each has a mode of its own: its `training` is True
# while its dropout is on. `model.eval()` turns dropout off in the model and in all its parts, `model.train()` turns it
# on, and `model.train(mode)` does what `mode`, True or False, says. The model here has two parts, and each of the three
# pays 1 nat more while its dropout is on.

# %% id="ex-clinic-evaluation"
# exercise: 07.clinic-evaluation
def evaluate_model(model, sentences):
    """The mean loss of the model over the sentences, without dropout. The model is left in the mode it was in.

    model: `model(sentence)` is its loss. Like one of PyTorch it has parts, all in the mode that `model.training` tells:
    model.train(mode) and model.eval() set the mode of all of them, an assignment that of the model alone. A sentence
    that cannot be read raises a ValueError, which the caller is to get. Returns a float.
    """
    # Where to start: measure a model twice, once in either mode.
    # <broken>
    #| return float(np.mean([model(sentence) for sentence in sentences]))
    # </broken>
    # <solution>
    was_training = model.training
    model.eval()
    try:
        loss = np.mean([model(sentence) for sentence in sentences])
    finally:
        model.train(was_training)
    return float(loss)
    # </solution>


# %% id="check-clinic-evaluation"
check("07.clinic-evaluation", evaluate_model)

# %% [markdown] id="clinic-resume-story"
# ### A run that goes on somewhere else
#
# *"I keep the state of the best step in a dict, and go on from it after a crash. But the weights in it are always those
# of the last step. And a run that goes on from it is not the run I stopped."*

# %% id="ex-clinic-resume"
# exercise: 07.clinic-resume
def state_of(weights, moments, step, rng):
    """Everything it takes to go on from here, as a dict with the keys "weights", "moments", "step" and "rng".

    weights, moments: arrays that the run will change in place; step: a number; rng: the np.random.Generator of the
    masks, which is not to be drawn from. The first two are kept as arrays; "rng" is to hold the generator's state, as
    rng.bit_generator.state gives it.
    """
    # Where to start: save, let the run go on, and look at what was saved.
    # <broken>
    #| return {"weights": weights, "moments": moments, "step": step}
    # </broken>
    # <solution>
    return {
        "weights": weights.copy(),
        "moments": moments.copy(),
        "step": step,
        "rng": rng.bit_generator.state,
    }
    # </solution>


# %% id="check-clinic-resume"
check("07.clinic-resume", state_of)

# %% [markdown] id="clinic-split-story"
# ### A test that was read before
#
# *"On my test set the model is splendid. On a new book it is not. I shuffled well before I split."*

# %% id="ex-clinic-split"
# exercise: 07.clinic-split
def split_documents(documents, held_out, rng):
    """The sentences to train on, and those of `held_out` documents, chosen at random, to test with.

    documents: a list of lists of sentences, which stays as it is; a sentence may stand in several documents, and goes
    where each of them goes. held_out: how many, at least 1 and fewer than there are, each choice of so many being as
    likely as any other; rng: an np.random.Generator. Returns two lists of sentences, train and test, in any order.
    """
    # Where to start: look for one document's sentences on both sides.
    # <broken>
    #| sentences = [sentence for document in documents for sentence in document]
    #| order = rng.permutation(len(sentences))
    #| cut = len(sentences) * (len(documents) - held_out) // len(documents)
    #| return [sentences[i] for i in order[:cut]], [sentences[i] for i in order[cut:]]
    # </broken>
    # <solution>
    chosen = set(rng.permutation(len(documents))[:held_out].tolist())
    train, test = [], []
    for number, document in enumerate(documents):
        (test if number in chosen else train).extend(document)
    return train, test
    # </solution>


# %% id="check-clinic-split"
check("07.clinic-split", split_documents)

# %% [markdown] id="on-a-gpu"
# ### On a GPU
#
# `course.py train` finds the GPU, and gives it each batch whole: a step of a small model lasts there as long as it takes
# to start its operations. On an H100, 200 steps of `mini` on scenes took some 8 ms each, and 27 ms each in four parts. A
# wider model needs a smaller rate: `--size small`, four blocks of width 256, has half the rate of `mini`. After 1,600
# steps on English it paid 4.2 nats with that rate, and 5.5 with the whole one, as much as for knowing how frequent words
# are (one seed each). Runs on a GPU differ in the last bits, because its sums are added in an order that varies.

# %% [markdown] id="recap"
# ## Recap
#
# The verdicts are computed. Each has a rule, and stands if at least 97.5% of the resamples agree with it; otherwise it is
# *undecided*. The first is *holds* when the model, trained on raw sentences alone, has gone more than nine tenths of the
# way from the frequencies to the floor, and on English pays less than both models that count. The second is *holds* when
# the loss at the end lies below that at the first look, at the same words. The third takes the margin of 0.02 nats from
# section 4. The resamples speak for other sentences and masks, not for other trainings: each model was trained once.

# %% id="recap-verdicts" tags=["nbval-ignore-output"]
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, RESAMPLES, Sampled, decide, decide_above, decide_below

rng = np.random.default_rng(14)


def sampled(mean, error):
    """A mean over many sentences and what others might have given, by its standard error."""
    return Sampled.bootstrap(mean, rng.normal(mean, error, RESAMPLES))


first, gap_at_end = trained.curve[0], sampled(last.gap, last.gap_error)
saved = {name: sampled(*pair) for name, pair in english["saved"].items()}


def learns(x):
    """Nine tenths of the way to the floor, and less than each model that counts."""
    way = 1 - x["gap"] / (unigram_nats - trained.floor)
    return HOLDS if way > 0.9 and min(x["unigram"], x["trigram"]) > 0 else FAILS


own_task = decide(learns, {"gap": gap_at_end} | saved)
# at the same words; the sum of two errors is at least the error of a difference
fell = sampled(first.loss - last.loss, first.gap_error + last.gap_error)
less_surprised, at_the_floor = decide_above(fell, 0), decide_below(gap_at_end, MARGIN)

# %% id="recap-table" tags=["nbval-ignore-output"]
from IPython.display import Markdown

Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| "it generates its own learning task directly from the raw text" | trained on raw scene sentences alone, a \
two-block model goes {closed:.0%} of the way from word frequencies to the exact floor; on English it pays \
{english["saved"]["trigram"][0]:.2f} ± {1.96 * english["saved"]["trigram"][1]:.2f} nats less than a smoothed trigram \
at the same tokens (95% over blanks) | **{own_task}** |
| "the training process teaches it to be less surprised next time" | mean surprisal of the same hidden words: \
{first.loss:.2f} nats after {first.step} steps, {last.loss:.2f} after {last.step:,}; it cannot fall below \
{trained.floor:.2f} | **{less_surprised}** |
| (not said there) until it is as little surprised as possible, within {MARGIN} nats | {last.gap:.3f} ± \
{1.96 * last.gap_error:.3f} nats above the floor (95% over sentences) | **{at_the_floor}** |
""")

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Diederik P. Kingma and Jimmy Ba (2015). Adam: A method for stochastic optimization. *ICLR*. arXiv 1412.6980.
# - Ilya Loshchilov and Frank Hutter (2019). Decoupled weight decay regularization. *ICLR*. arXiv 1711.05101.
# - Yinhan Liu and others (2019). RoBERTa: A robustly optimized BERT pretraining approach. arXiv 1907.11692. Dynamic
#   masking, and much else that matters in practice.
# - Mike Schuster and Kaisuke Nakajima (2012). Japanese and Korean voice search. *ICASSP*. Where WordPiece comes from.
# - Sarthak Jain and Byron C. Wallace (2019). Attention is not explanation. *NAACL*. arXiv 1902.10186.
# - Jonas Geiping and Tom Goldstein (2023). Cramming: Training a language model on a single GPU in one day. *ICML*.
#   arXiv 2212.14034.
#
# Next: chapter 08 trains the same encoder in the other direction, and measures what the right context knows.
