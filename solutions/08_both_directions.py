# ---
# jupyter:
#   course:
#     title: Both directions
#     question: What does the right context know, in nats, and what does it cost?
#     minutes: 160
#     prerequisites: Chapters 02, 05 and 07
# ---

# %% [markdown] id="header"
# # 08 · Both directions
#
# **What does the right context know, in nats, and what does it cost?**
#
# You will be able to
#
# - train one encoder to read from the left only, or from both sides, and say what changes;
# - measure exactly what a context is worth, with an error bar;
# - find out whether a model knows whom "he" means, without asking it;
# - compare two objectives that pay different amounts even when they are perfect;
# - count what attention costs, and find the length at which its square takes over.
#
# *160 minutes. Prerequisites: chapters 02, 05 and 07. The first time, section 2 trains three tiny models, a minute or two
# in all, and the model of chapter 07 if it is not there yet; they are then kept. Everything runs on the CPU;
# on a GPU only section 5 changes, as it says.*

# %% [markdown] id="how-it-works"
# `hint("08.causal-labels")` in a new cell gives one step of help at a time, and `failing("08.causal-labels")` hands you
# the smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they
# run before yours do.

# %% id="setup"
import numpy as np
import torch

from mlm_mini import figures
from mlm_mini.course import check, failing, hint
from mlm_mini.languages import scene_language

language = scene_language()
vocabulary = language.vocabulary

# %% [markdown] id="why-causal"
# ## 1 · Two objectives, one encoder
#
# A **causal language model** (CLM) reads from left to right. With the causal mask of chapter 05 a position sees itself
# and what is before it, and is asked for the token *after* it. So every token of a sentence is a question, the `[SEP]`
# that ends it included, and nothing has to be hidden: the label of position $t$ is the token at $t + 1$.

# %% id="ex-causal-labels"
# exercise: 08.causal-labels
def causal_labels(ids, pad_id):
    """The label of each position: the token that follows it, and -100 where none follows, or padding.

    ids: (B, T) integers, each row [CLS] words [SEP] and padding. Returns a new (B, T) array of integers.
    """
    # Where to start: write a short sentence down, and under each token the one that follows it.
    # <solution>
    labels = np.full_like(ids, -100)
    labels[:, :-1] = np.where(ids[:, 1:] == pad_id, -100, ids[:, 1:])
    return labels
    # </solution>


# %% id="check-causal-labels"
check("08.causal-labels", causal_labels)

# %% [markdown] id="why-chain"
# The **chain rule** of probability makes this the probability of a sentence:
#
# $$p(w_1 \dots w_n) = \prod_{t=1}^{n} p(w_t \mid w_1 \dots w_{t-1}), \qquad
# -\ln p(w_1 \dots w_n) = \sum_{t=1}^{n} s(w_t \mid w_1 \dots w_{t-1}).$$
#
# The surprisals of a causal model add up to that of the whole sentence.

# %% id="ex-sentence-nats"
# exercise: 08.sentence-nats
def sentence_nats(logits, labels):
    """The surprisal of each sentence under a causal model, in nats.

    logits: (B, T, V), perhaps large, -inf for an excluded token; labels: (B, T) integers, -100 where nothing is asked,
    at any place. Returns (B,), the sums; 0 for a sentence without labels.
    """
    # Where to start: log-probabilities as in chapter 01, then those of the labels, then one sum for each sentence.
    # <solution>
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    asked = labels != -100
    at_labels = np.take_along_axis(log_p, np.where(asked, labels, 0)[..., None], axis=-1)[..., 0]
    return -np.where(asked, at_labels, 0.0).sum(axis=-1)
    # </solution>


# %% id="check-sentence-nats"
check("08.sentence-nats", sentence_nats)

# %% [markdown] id="why-future"
# The encoder is the same one, with one more mask. Does it really not see what comes later? Change the last word of a
# sentence and look where the output moves.

# %% id="measure-future"
from mlm_mini.model import MaskedLM, ModelConfig

model = MaskedLM(ModelConfig.tiny(len(vocabulary)), torch.Generator().manual_seed(0)).eval()
two = ("the chef cuts the bread .", "the chef cuts the cake .")
pair = torch.from_numpy(np.stack([language.encode(sentence)[:8] for sentence in two]))
print("position:      ", *range(8))
for name, causal in (("causal", True), ("both directions", False)):
    with torch.no_grad():
        logits = model(pair, causal=causal)
    moved = (logits[0] - logits[1]).abs().amax(-1) > 1e-6
    print(f"{name:15}", *("x" if m else "." for m in moved.tolist()), "  (x: the output moved; the word at 5 changed)")

# %% [markdown] id="why-sides"
# ## 2 · What a side is worth, exactly
#
# A model could be bad at using what it sees. The exact posterior of the scene language is not: it makes the best of
# any context. So hide one word, and ask it three times: with everything to the left visible, with everything to the
# right, and with both. What it pays less with the right side added is what the right side *knows*, in nats.

# %% id="ex-sides"
# exercise: 08.sides
def sides(ids, position, mask_id):
    """Three versions of a sentence in which the word at `position` is hidden.

    ids: (T,) integers, [CLS] at 0; position: at least 1. Returns a dict of new (T,) arrays: "left" shows nothing from
    the position on, "right" shows [CLS] and what stands behind the position, "both" hides that one word only.
    """
    # Where to start: np.arange(len(ids)) has the number of each number.
    # <solution>
    number = np.arange(len(ids))
    return {
        "left": np.where(number >= position, mask_id, ids),
        "right": np.where((number <= position) & (number > 0), mask_id, ids),
        "both": np.where(number == position, mask_id, ids),
    }
    # </solution>


# %% id="check-sides"
check("08.sides", sides)

# %% [markdown] id="why-value"
# The same words are asked with less and with more context. Words differ a lot in what they cost, and in a difference
# that drops out: its mean has a smaller error than if either side had been asked about words of its own.

# %% id="ex-value"
# exercise: 08.value
def value(without, with_):
    """What a context saves per word: the mean, and the lower and upper end of its 95% interval.

    without, with_: (n,) surprisals in nats of the same n words without and with the context, n at least 2.
    Returns three floats. The interval is 1.96 standard errors to either side, with n - 1 in the standard deviation.
    """
    # Where to start: one difference for each word.
    # <solution>
    saved = without - with_
    margin = 1.96 * saved.std(ddof=1) / np.sqrt(len(saved))
    return saved.mean(), saved.mean() - margin, saved.mean() + margin
    # </solution>


# %% id="check-value"
check("08.value", value)

# %% id="how-to-ask"
def one_sided(ids, positions):
    """As in the exercise, for many sentences (N, T) and one position of each (N,): a dict of three (N, T)."""
    place, at = np.arange(ids.shape[1]), positions[:, None]
    hidden = {"left": place >= at, "right": (place <= at) & (place > 0), "both": place == at}
    return {side: np.where(where, vocabulary.mask_id, ids) for side, where in hidden.items()}


def exact_sides(ids, positions):
    """Exact posterior (N, V) at one position of each sentence from the left, the right, and both."""
    return {side: language.posterior_at(seen, positions[:, None])[:, 0]
            for side, seen in one_sided(ids, positions).items()}


# %% id="how-to-score"
def surprise(p, ids, positions):
    """Surprisal (N,) in nats of the tokens that stand there, for probabilities (N, V)."""
    rows = np.arange(len(ids))
    return -np.log(p[rows, ids[rows, positions]])


def paired(without, with_):
    """The mean saving and its 95% margin, for printing."""
    difference = np.subtract(without, with_)
    return difference.mean(), 1.96 * np.sqrt(difference.var(ddof=1) / len(difference))


# %% id="measure-sides"
sample = language.sample(4_000, np.random.default_rng(8))
words = np.isin(sample.ids, vocabulary.regular_ids)
positions = np.array([np.random.default_rng([8, i]).choice(np.flatnonzero(row)) for i, row in enumerate(words)])
exact = exact_sides(sample.ids, positions)
nats = {side: surprise(p, sample.ids, positions) for side, p in exact.items()}
for side, p in exact.items():
    print(f"{side:6}{nats[side].mean():6.2f} nats; the best guess is right in {p.max(axis=1).mean():.0%}")
saved, saved_margin = paired(nats["left"], nats["both"])
print(f"with the left side known, the right side saves {saved:.2f} ± {saved_margin:.2f} nats per word (95% interval)")

# %% [markdown] id="why-models"
# That is what can be known. Do models know it? From the left we ask a causal model, which was trained for this; from
# the right and from both sides the masked model of chapter 07, which is a larger one. The tiny models that section 4
# will compare are trained here, the first time.

# %% id="train" tags=["nbval-ignore-output"]
from mlm_mini.training import LiveCurve, cached_model

OBJECTIVES = {
    "causal": {"objective": "causal"}, "masked, 15%": {"mask_ratio": 0.15}, "masked, 35%": {"mask_ratio": 0.35}}
runs = {name: cached_model("scenes", "tiny", LiveCurve, steps=800, **fields) for name, fields in OBJECTIVES.items()}
trained = cached_model("scenes", report=LiveCurve)


def model_at(model, seen, positions, causal=False):
    """The model's probabilities (N, V) for one position of each of many sentences (N, T)."""
    parts = zip(torch.from_numpy(seen).split(512), torch.from_numpy(positions)[:, None].split(512))
    with torch.no_grad():
        return torch.cat([model(ids, ids != vocabulary.pad_id, at, causal=causal)[:, 0].double().softmax(-1)
                          for ids, at in parts]).numpy()


# %% id="measure-models" tags=["nbval-ignore-output"]
seen = one_sided(sample.ids, positions)
model_p = {side: model_at(trained.model, seen[side], positions) for side in ("right", "both")}
model_p["left"] = model_at(runs["causal"].model, sample.ids, positions - 1, causal=True)
model_nats = {side: surprise(p, sample.ids, positions) for side, p in model_p.items()}
for side, reader in (("left", "causal"), ("right", "masked"), ("both", "masked")):
    print(f"{side:6}{reader} model {model_nats[side].mean():.2f} nats, the best possible {nats[side].mean():.2f}")
beyond, beyond_margin = paired(nats["left"], model_nats["both"])
print(f"both sides: the model pays {beyond:.2f} ± {beyond_margin:.2f} nats less than the best reader from the left")

# %% [markdown] id="why-kinds"
# Which words gain most? A reader from the left meets an adjective before its noun, and cannot tell where the sentence
# will end; a determiner is known from nearly anywhere.

# %% id="measure-kinds"
COARSE = {"DETERMINERS": "determiners", "PRONOUNS": "pronouns", "AUXILIARIES": "auxiliaries",
          "PREPOSITIONS": "prepositions", "PRESENT_VERBS": "verbs", "PAST_VERBS": "verbs", "PARTICIPLES": "verbs",
          "PUNCTUATION": "full stops", "CONJUNCTIONS": "others", "ADVERBS": "others"}


def kind_of(token):
    name = language.word_class.get(token, "")
    return COARSE.get(name, "adjectives" if name.endswith("ADJECTIVES") else "nouns")


kinds = np.array([kind_of(vocabulary.tokens[i]) for i in sample.ids[np.arange(len(positions)), positions]])
table = []
for kind in sorted(set(kinds), key=lambda k: -(nats["left"] - nats["both"])[kinds == k].mean()):
    chosen = kinds == kind
    if chosen.sum() >= 100:
        table.append((kind, *(abs(nats[side][chosen].mean().round(6)) for side in ("left", "right", "both"))))
        left, right, both = table[-1][1:]
        print(f"{chosen.sum():5} {kind:12} left {left:.1f}, right {right:.1f}, both {both:.1f} nats")

# %% id="fig-kinds" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 3.4)
for i, (kind, left, right, both) in enumerate(reversed(table)):
    ax.plot([both, left], [i, i], color="0.8", zorder=1)
    for x, color, marker in ((left, figures.RED, "<"), (right, figures.ORANGE, ">"), (both, figures.BLUE, "o")):
        ax.scatter(x, i, color=color, marker=marker, zorder=2)
ax.set_yticks(range(len(table)), [row[0] for row in reversed(table)])
for x, name, color in zip(table[0][1:], ("left", "right", "both"), (figures.RED, figures.ORANGE, figures.BLUE)):
    ax.annotate(name, (x, len(table) - 1), (0, 7), textcoords="offset points", color=color, ha="center")
ax.set(xlabel="exact surprisal (nats)", ylim=(-0.6, len(table) - 0.3), xlim=(-0.1, None))
ax.set_title(f"The right side is worth most for {table[0][0]}: {table[0][1] - table[0][3]:.1f} nats")
figures.show(figure, alt="Exact surprisal in nats of hidden words by kind, from the left, the right and both sides: "
             + "; ".join(f"{k} {a:.1f}, {b:.1f}, {c:.1f}" for k, a, b, c in table) + ".")

# %% [markdown] id="why-he"
# ## 3 · Who is he?
#
# > The minister spoke to the activist about the protest because **he** advocated for change.
#
# The article this course grew from says that the clause behind "he" settles whom it means. In the scene language the
# true referent of each pronoun is known, and so is its exact posterior. It follows from **Bayes' rule**: how likely
# each person was before the clause, times how likely the clause would be if that person were meant,
#
# $$p(r \mid \text{clause}) = \frac{p(r) \prod_j p(w_j \mid r)}{\sum_{r'} p(r') \prod_j p(w_j \mid r')}.$$

# %% id="ex-referent"
# exercise: 08.referent
def referent(prior, log_likelihoods):
    """The probability that each of R persons is meant, after the words of the clause.

    prior: (R,), above 0 and summing to one; log_likelihoods: (R, K), ln p(word j | person r), perhaps far below zero.
    Returns (R,), summing to one.
    """
    # Where to start: the numerator of Bayes' rule, in logs.
    # <solution>
    score = np.log(prior) + log_likelihoods.sum(axis=1)
    weights = np.exp(score - score.max())
    return weights / weights.sum()
    # </solution>


# %% id="check-referent"
check("08.referent", referent)

# %% [markdown] id="one-sentence"
# The article's sentence (the grammar has no comma), as it is read from left to right. `referent_posterior` is exact.

# %% id="measure-one-sentence"
ids = language.encode("the minister spoke to the activist about the protest because he advocated for change .")
tokens = vocabulary.words(ids)
he, minister, activist = (tokens.index(word) for word in ("he", "minister", "activist"))
for seen_up_to in range(he, he + 4):
    shown = np.where(np.arange(len(ids)) > seen_up_to, vocabulary.mask_id, ids)
    p = language.referent_posterior(shown[None])[0]
    print(f"... {' '.join(tokens[he - 1 : seen_up_to + 1]):32} minister {p[minister]:.2f}, activist {p[activist]:.2f}")

# %% [markdown] id="many-sentences"
# One sentence is an anecdote. Here are four thousand with a "he" or a "she", in many of which the clause says less:
# anybody may have "asked for help".

# %% id="measure-coreference"
many = language.sample(30_000, np.random.default_rng(88))
chosen = many.frame == language.frames.index("coreference")
ids, gold = many.ids[chosen], many.referent[chosen]
pronouns = [i for i, token in enumerate(vocabulary.tokens) if language.word_class.get(token) == "PRONOUNS"]
pronoun = np.isin(ids, pronouns).argmax(axis=1)
rows, place = np.arange(len(ids)), np.arange(ids.shape[1])
behind = place > pronoun[:, None]
before, after = (language.referent_posterior(seen) for seen in (np.where(behind, vocabulary.mask_id, ids), ids))
unsure, sure = -np.log(before[rows, gold]), -np.log(after[rows, gold])

# %% id="show-coreference"
even, settled = np.isclose(before[rows, gold], 0.5), np.isclose(before[rows, gold], 1)
print(f"{len(ids):,} sentences. Read up to the pronoun, {even.mean():.0%} leave an even choice between two persons; "
      f"in {settled.mean():.0%} the pronoun settles it, as a queen is no he; the others lean to one of the two")
best_before, best_after = before.max(axis=1).mean(), after.max(axis=1).mean()
print(f"the best guess at who is meant is right in {best_before:.0%} before the clause, in {best_after:.0%} after it; "
      f"the surprise falls from {unsure.mean():.2f} to {sure.mean():.2f} nats")
even_saved, even_margin = paired(unsure[even], sure[even])
print(f"where it was an even choice, the clause saves {even_saved:.2f} ± {even_margin:.2f} of {np.log(2):.2f} nats")

# %% [markdown] id="the-verbs-nats"
# Chapter 05 asked how many nats the verb behind "he" is worth. That depends on what else is known: hide the verb
# alone, or stop reading before and after it.

# %% id="measure-verb"
verb = pronoun + 1
without_verb = language.referent_posterior(np.where(place == verb[:, None], vocabulary.mask_id, ids))
up_to_verb = language.referent_posterior(np.where(place > verb[:, None], vocabulary.mask_id, ids))
verb_mean, verb_margin = paired(unsure, -np.log(up_to_verb[rows, gold]))
print(f"read from left to right, the verb saves {verb_mean:.2f} ± {verb_margin:.2f} nats about who is meant")
verb_mean, verb_margin = paired(-np.log(without_verb[rows, gold]), sure)
print(f"with the rest of the clause visible, {verb_mean:.3f} ± {verb_margin:.3f}: its object says it again")

# %% [markdown] id="why-probe"
# And the model? It fills blanks, and cannot be asked who is meant. But its vectors can be looked at. If reading the
# clause has changed the vector of the person who is meant, then some direction tells the two persons' vectors apart.
# On half of the sentences least squares looks for one, on the other half it is tested: a **probe**, of which chapter
# 13 has more. For comparison, the same with the words of the clause hidden; with the causal model, whose vectors of
# the two persons were made before it came to the pronoun; and with an encoder that was never trained.

# %% id="how-to-probe"
anybody = language.referent_posterior(np.where(place >= pronoun[:, None], vocabulary.mask_id, ids))
two = np.sort(np.argsort(-anybody, axis=1)[:, :2], axis=1)  # where the two persons stand
second = np.where(gold == two[:, 1], 1.0, -1.0)
clause_hidden = np.where(behind & np.isin(ids, vocabulary.regular_ids), vocabulary.mask_id, ids)


def probe(model, seen, causal=False):
    """Whether a probe on the difference of the two persons' vectors is right, for the second half of the sentences."""
    with torch.no_grad():
        hidden = torch.cat([model.encode(part, part != vocabulary.pad_id, causal=causal)
                            for part in torch.from_numpy(seen).split(512)]).double().numpy()
    difference = hidden[rows, two[:, 1]] - hidden[rows, two[:, 0]]
    half = len(difference) // 2
    direction, *_ = np.linalg.lstsq(difference[:half], second[:half], rcond=None)
    return (difference[half:] @ direction > 0) == (second[half:] > 0)


# %% id="measure-probe" tags=["nbval-ignore-output"]
untrained = MaskedLM(trained.model.config, torch.Generator().manual_seed(0)).eval()
probes = {"masked, whole sentence": probe(trained.model, ids),
          "masked, clause hidden": probe(trained.model, clause_hidden),
          "causal": probe(runs["causal"].model, ids, causal=True),
          "untrained, whole sentence": probe(untrained, ids)}
for name, right in probes.items():
    print(f"{name:27}{right.mean():.0%} ± {1.96 * right.std() / np.sqrt(len(right)):.0%} right (95% interval)")
gained, gained_margin = paired(1.0 * probes["masked, whole sentence"], 1.0 * probes["masked, clause hidden"])
print(f"the clause adds {gained:.0%} ± {gained_margin:.0%}; the best possible reader is right in {best_after:.0%}")

# %% id="fig-coreference" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 2.4)
bars = {"exact, whole sentence": best_after, **{name: right.mean() for name, right in probes.items()},
        "exact, up to the pronoun": best_before}
bars = dict(sorted(bars.items(), key=lambda bar: bar[1]))
ax.barh(list(bars), list(bars.values()), color=[figures.SKY if "exact" in name else figures.BLUE for name in bars])
for at, share in enumerate(bars.values()):
    ax.text(share, at, f" {share:.0%}", va="center")
ax.axvline(0.5, color=figures.BLACK, linestyle=":")
ax.set(xlabel="right about who is meant (dotted: a coin)", xlim=(0, 1.05))
ax.grid(axis="y", visible=False)
ax.set_title(f"The clause lifts the masked model from {probes['masked, clause hidden'].mean():.0%} to "
             f"{probes['masked, whole sentence'].mean():.0%}")
figures.show(figure, alt="Share of sentences in which the right person is found: "
             + ", ".join(f"{name} {share:.0%}" for name, share in bars.items()) + ".")

# %% [markdown] id="why-pronoun"
# Hide the pronoun itself, and the clause helps only where the two persons differ in gender. What it saves is smaller,
# and filling the blank takes two steps: whom the clause means, and that a queen is a "she". Few words are pronouns, so
# that little is to be gained, and a model learns first what gains most. A coin pays 0.69 nats.

# %% id="measure-pronoun"
pronoun_nats = {side: surprise(p, ids, pronoun) for side, p in exact_sides(ids, pronoun).items()}
mean, margin = paired(pronoun_nats["left"], pronoun_nats["both"])
print(f"{np.isin(sample.ids, pronouns).sum() / words.sum():.1%} of all words are pronouns")
print(f"a hidden one costs {pronoun_nats['left'].mean():.2f} nats from the left, {pronoun_nats['both'].mean():.2f} "
      f"from both sides: the right side saves {mean:.2f} ± {margin:.2f}")

# %% id="measure-model-pronoun" tags=["nbval-ignore-output"]
without_pronoun = np.where(place == pronoun[:, None], vocabulary.mask_id, ids)
model_pronoun = surprise(model_at(trained.model, without_pronoun, pronoun), ids, pronoun)
print(f"the model pays {model_pronoun.mean():.2f} nats for it from both sides")

# %% [markdown] id="why-compare"
# ## 4 · Which learns faster?
#
# A masked model predicts a few tokens in each pass, a causal one all of them. Is that a disadvantage? The comparison
# is easily made unfair, for the two pay different amounts even when they are perfect. So each is held against *its own
# floor*: the masked model against the exact posterior at its blanks, the causal one against the chain rule. What is
# compared are the gaps,
#
# $$\mathrm{gap} = \mathrm{loss} - \mathrm{floor}, \qquad
# \mathrm{floor}_{\text{causal}} = -\frac{\sum_b \ln p(\text{sentence } b)}{\sum_b n_b},$$
#
# with $n_b$ predicted tokens in sentence $b$.

# %% id="measure-floors"
predicted = (sample.ids != vocabulary.pad_id).sum() - len(sample)  # every token but [CLS]
floor = {"causal": -language.log_marginal(sample.ids).sum() / predicted}
for ratio in (0.15, 0.35):
    floor[f"masked, {ratio:.0%}"] = language.bayes_floor(ratio, np.random.default_rng(15), n=4_000).mean
for name, value in floor.items():
    print(f"{name:12} floor {value:.2f} nats per predicted token")

# %% [markdown] id="why-flops"
# A gap can be reached with few *steps*, with few *predictions* or with few *operations*. The last have to be counted.
# A weight costs two operations forward, a product and a sum, and four backward, at each token that meets it; a block
# has $12 D^2$ of them (four $D \times D$ matrices in attention, two of $D \times 4D$ behind it). The two products of
# attention, of queries with keys and of weights with values, each cost $2 T D$ per token forward. The head has
# $D^2 + D V$ weights and is used at a share $m$ of the tokens. Per token:
#
# $$6 \cdot 12\, L D^2 + 12\, L T D + 6\, m\, (D^2 + D V).$$

# %% id="ex-flops"
# exercise: 08.flops
def training_flops(V, D, L, T, predicted):
    """Operations to train on one token, forward and backward.

    V tokens in the vocabulary; D numbers at a position; L blocks; T tokens in the sentence; predicted: the share of
    the tokens for which logits are computed. Returns a number.
    """
    # Where to start: the weights that a token meets, in the blocks and in the head. Then attention's two products.
    # <solution>
    weights = 12 * L * D**2 + predicted * (D**2 + D * V)
    return 6 * weights + 12 * L * T * D
    # </solution>


# %% id="check-flops"
check("08.flops", training_flops)

# %% [markdown] id="why-reach"
# A curve is measured at a few points; a target lies between two. Gaps fall by factors rather than by differences, so
# between two points we go along a straight line on the logs of cost and gap.

# %% id="ex-cost-to-reach"
# exercise: 08.cost-to-reach
def cost_to_reach(costs, gaps, target):
    """What it cost until the gap first was at or below the target; None if it never was.

    costs: (n,), rising, above 0; gaps: (n,), above 0, which may rise now and then; n at least 1; target: above 0.
    Between two points the log of the cost is linear in the log of the gap. If the first point is there already: its
    cost. Returns a float, or None.
    """
    # Where to start: the first point at or below the target, and the one before it.
    # <solution>
    below = np.flatnonzero(gaps <= target)
    if not len(below):
        return None
    i = below[0]
    if i == 0:
        return float(costs[0])
    x, y = np.log(costs), np.log(gaps / target)
    share = y[i - 1] / (y[i - 1] - y[i])
    return float(np.exp(x[i - 1] + share * (x[i] - x[i - 1])))
    # </solution>


# %% id="check-cost-to-reach"
check("08.cost-to-reach", cost_to_reach)

# %% [markdown] id="three-models"
# The three tiny models of section 2 are the same encoder, and read the same sentences in the same order, 800 steps
# of 128: causal, and masked at ratios of 0.15 and 0.35. Both masked ones are evaluated at 0.15. With one seed each, a
# factor below 1.5 between two of them counts as no difference.

# %% id="measure-objectives" tags=["nbval-ignore-output"]
colors = dict(zip(runs, (figures.RED, figures.SKY, figures.BLUE)))
for name, run in runs.items():
    last = run.curve[-1]
    print(f"{name:12} floor {run.floor:.3f}, loss {last.loss:.3f}, gap {last.gap:.3f} ± {last.gap_error:.3f} nats; "
          f"{last.predictions / last.tokens:.0%} of the tokens predicted")

# %% id="how-to-count"
tiny = ModelConfig.tiny(len(vocabulary))
mean_length = (sample.ids != vocabulary.pad_id).sum(axis=1).mean()


def costs(run):
    """Steps, predictions and operations at each point of a run's curve, and its gaps."""
    steps, predictions, tokens, gaps = (np.array([float(getattr(point, name)) for point in run.curve])
                                        for name in ("step", "predictions", "tokens", "gap"))
    flops = tokens * [tiny.training_flops_per_token(mean_length, p / t) for p, t in zip(predictions, tokens)]
    return {"steps": steps, "predictions": predictions, "operations": flops}, gaps


def reached(x, gaps, target):
    """As in the exercise above."""
    i = int(np.argmax(gaps <= target))
    around = [i, i - 1]  # the smaller gap first, as np.interp wants it
    return np.exp(np.interp(np.log(target), np.log(gaps[around]), np.log(x[around])))


# %% id="measure-reach" tags=["nbval-ignore-output"]
target = 1.1 * max(costs(run)[1].min() for run in runs.values())
spent = {}
for name, run in runs.items():
    units, gaps = costs(run)
    spent[name] = {unit: reached(x, gaps, target) for unit, x in units.items()}
print(f"to come within {target:.2f} nats of its own floor")
for name, units in spent.items():
    print(f"{name:12} {units['steps']:6,.0f} steps, {units['predictions'] / 1e3:6,.0f} thousand predictions, "
          f"{units['operations'] / 1e12:6.3f} trillion operations")

# %% id="fig-objectives" tags=["nbval-ignore-output"]
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

figure, axes = figures.new_figure(9, 3, columns=3)
for ax, unit, start in zip(axes, spent["causal"], ("Masking 15%: ", "", "")):
    for (name, run), line in zip(runs.items(), ("-", "--", ":")):
        x, gaps = costs(run)
        ax.plot(x[unit], gaps, line, color=colors[name], label=name)
    ax.axhline(target, color="0.7", linewidth=1)
    ratio = spent["masked, 15%"][unit] / spent["causal"][unit]
    ax.set(xscale="log", yscale="log", xlabel=unit)
    ax.xaxis.set(major_locator=LogLocator(subs=(1, 3)), major_formatter=EngFormatter(sep=""),
                 minor_formatter=NullFormatter())
    ax.set_title(f"{start}{ratio:.1f} times the {unit}")
axes[0].set_ylabel("gap to its own floor (nats)")
axes[0].legend(loc="lower left", fontsize=9)
figures.show(figure, alt=f"Gap to its own floor against steps, predictions and operations for three objectives. To "
             f"come within {target:.2f} nats: " + "; ".join(
                 f"{name} {units['steps']:,.0f} steps, {units['predictions']:,.0f} predictions and "
                 f"{units['operations'] / 1e12:.2f} trillion operations" for name, units in spent.items()) + ".")

# %% [markdown] id="compare-note"
# What may be concluded? That each objective comes near what *it* can know, at that cost. Not that one model is better:
# what they know is different. And a gap of 0.1 nats in a question about one hidden word of a whole sentence is not the
# same feat as 0.1 nats in a guess at the next word. `python3 course.py claims` repeats the comparison with more seeds.

# %% [markdown] id="why-attention"
# ## 5 · The square
#
# Attention compares each of $n$ positions with each: $n^2$ pairs. In operations per token and block that is $4 n D$
# against the $24 D^2$ of the weights, forward. The two are equal at $n = 6 D$: for a width of 64 at 384 positions, for
# BERT-base at 4,608. PyTorch has a counter of its own:

# %% id="measure-operations"
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

long = MaskedLM(ModelConfig.tiny(100, max_position_embeddings=4096), torch.Generator().manual_seed(0)).eval()
for n in (64, 384, 2048):
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        long.encode(torch.zeros(1, n, dtype=torch.int64))
    in_weights = 2 * 24 * 64**2 * n
    print(f"{n:5} positions: {counter.get_total_flops() / 1e6:7.1f} million operations forward, "
          f"{1 - in_weights / counter.get_total_flops():.0%} of them in attention's two products")

# %% [markdown] id="why-fit"
# The clock counts other things as well. Suppose that $n$ positions take $t = a\, n + b\, n^2$ seconds. Two unknowns,
# several measurements: least squares. The time of a long run is a thousand times that of a short one, and its error
# too; for relative errors to count alike, each equation is divided by its time.

# %% id="ex-fit-quadratic"
# exercise: 08.fit-quadratic
def fit_quadratic(lengths, seconds):
    """a and b of t = a n + b n^2, and the length at which both terms are equal.

    lengths, seconds: (k,) floats above 0, in any order, k at least 2. Minimizes the sum of the squares of
    (a n + b n^2) / t - 1. Returns three floats: a, b and that length.
    """
    # Where to start: np.linalg.lstsq solves table @ unknowns = right side. What are table and right side here?
    # <solution>
    weights = 1 / seconds
    table = np.stack([lengths, lengths**2], axis=1) * weights[:, None]
    (a, b), *_ = np.linalg.lstsq(table, seconds * weights, rcond=None)
    return a, b, a / b
    # </solution>


# %% id="check-fit-quadratic"
check("08.fit-quadratic", fit_quadratic)

# %% [markdown] id="time-note"
# **What follows is an example from one machine, on one thread**, in processor time, so that other programs count
# little. Every pass also has a fixed cost, whatever its length; 128 positions are enough to make it small. On a GPU
# short sentences take no time that could be measured, because it works on all positions at once: the bend comes later
# there.

# %% id="measure-attention" tags=["nbval-ignore-output"]
import time

from scipy.optimize import nnls

lengths = 2.0 ** np.arange(7, 13)


def seconds_for(n):
    """Processor time of a pass through the encoder: the mean over half a second, or over three passes."""
    zeros, passes = torch.zeros(1, int(n), dtype=torch.int64), 0
    with torch.no_grad():
        long.encode(zeros)
        start = time.process_time()
        while passes < 3 or time.process_time() - start < 0.5:
            long.encode(zeros)
            passes += 1
    return (time.process_time() - start) / passes


threads = torch.get_num_threads()
torch.set_num_threads(1)
seconds = np.array([seconds_for(n) for n in lengths])
torch.set_num_threads(threads)

# %% id="measure-fit" tags=["nbval-ignore-output"]
(a, b), _ = nnls(np.stack([lengths, lengths**2], axis=1) / seconds[:, None], np.ones(len(lengths)))
fitted = a * lengths + b * lengths**2
for n, t, f in zip(lengths, seconds, fitted):
    print(f"{n:5.0f} positions: {t * 1e3:8.2f} ms, fitted {f * 1e3:8.2f}, {f / t - 1:+4.0%}")
crossing = a / b if b > 0 else np.inf
print(f"the two terms are equal at {crossing:,.0f} positions by the clock, at {6 * 64} by counting")

# %% id="fig-attention" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 3.2)
ax.plot(lengths, seconds * 1e3, "o", color=figures.BLACK, label="measured")
ax.plot(lengths, a * lengths * 1e3, color=figures.SKY, linestyle="--", label="a n")
ax.plot(lengths, b * lengths**2 * 1e3, color=figures.RED, linestyle=":", label="b n²")
ax.plot(lengths, fitted * 1e3, color=figures.BLUE, label="a n + b n²")
ax.set(xscale="log", yscale="log", xlabel="positions n", ylabel="milliseconds (this machine)")
ax.set_xticks(lengths, [f"{n:,.0f}" for n in lengths])
ax.minorticks_off()
ax.set_title(f"The square overtakes the line at about {crossing:,.0f} positions on this machine")
ax.legend()
figures.show(figure, alt=f"Time of a pass through the tiny encoder against its length, on logarithmic axes: from "
             f"{seconds[0] * 1e3:.1f} ms at 128 positions to {seconds[-1] * 1e3:.0f} ms at 4,096. The fitted linear "
             f"and quadratic terms cross at about {crossing:,.0f} positions.")

# %% [markdown] id="why-pll"
# ## 6 · How probable is a sentence to a masked model?
#
# A causal model says how probable a sentence is: it adds up. A masked model has no such sum. What is often used in its
# place is the **pseudo-log-likelihood** (Salazar et al. 2020): hide each word in turn, with all the others visible,
# and add up the log-probabilities.

# %% id="ex-pseudo-log-likelihood"
# exercise: 08.pseudo-log-likelihood
def pseudo_log_likelihood(ids, special_ids, mask_id, log_p):
    """The sum over the words of ln p(word | all the others).

    ids: (T,) integers, which stay as they are; special_ids: a list of ids that are no words, in any order; mask_id:
    that of [MASK]; log_p(ids, position): V log-probabilities for the token at `position`. Returns a float, 0 if there
    is no word.
    """
    # Where to start: a loop over the places, with a fresh copy of the sentence each time.
    # <solution>
    total = 0.0
    for position, token in enumerate(ids):
        if token not in special_ids:
            seen = ids.copy()
            seen[position] = mask_id
            total += log_p(seen, position)[token]
    return float(total)
    # </solution>


# %% id="check-pseudo-log-likelihood"
check("08.pseudo-log-likelihood", pseudo_log_likelihood)

# %% [markdown] id="pll-note"
# Is it the log-probability? Not even for a perfect model. Each word is judged with the help of words that were judged
# with its help: what they tell about each other is counted twice. With exact posteriors:

# %% id="measure-pll"
some = language.sample(200, np.random.default_rng(80)).ids
pll = np.zeros(len(some))
for position in range(1, some.shape[1]):
    asked = np.isin(some[:, position], vocabulary.regular_ids)
    hidden = some[asked].copy()
    hidden[:, position] = vocabulary.mask_id
    p = language.posterior_at(hidden, np.full((asked.sum(), 1), position))[:, 0]
    pll[asked] += np.log(p[np.arange(asked.sum()), some[asked, position]])
log_p_exact = language.log_marginal(some)
print(f"mean log-probability of a sentence {log_p_exact.mean():.1f}, mean pseudo-log-likelihood {pll.mean():.1f} nats")
print("the pseudo-log-likelihood is higher for every one of 200 sentences:", bool((pll > log_p_exact).all()))
print(f"correlation of the two: {np.corrcoef(pll, log_p_exact)[0, 1]:.1f}")

# %% [markdown] id="recap"
# ## Recap
#
# Each verdict is computed from the figures above. The right side: *holds* when what it saves is above zero with its
# interval, and the model with both sides pays less than anybody can from the left. "He": when that is so for what the
# clause saves, and for what it gives the probe of the model. Efficiency: when a masked model takes at least 1.5 times
# as many steps as the causal one. The square: when by the clock it overtakes the line between the shortest and the
# longest input.

# %% id="recap-table" tags=["nbval-ignore-output"]
from IPython.display import Markdown

sided = "holds" if saved > saved_margin and beyond > beyond_margin else "does not hold as worded"
he_is = "holds" if even_saved > even_margin and gained > gained_margin else "does not hold as worded"
masked, causal = spent["masked, 15%"], spent["causal"]
factor = {unit: masked[unit] / causal[unit] for unit in causal}
efficient = "holds" if factor["steps"] > 1.5 else "does not hold as worded"
amount = "fewer" if factor["predictions"] < 1 / 1.5 else "more" if factor["predictions"] > 1.5 else "about as many"
square = "holds beyond a length" if lengths[0] < crossing < lengths[-1] else "does not hold as worded"
Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| "The meaning of a word often depends just as much on what comes after it" | exact: the left side alone leaves \
{nats["left"].mean():.2f} nats per word, the right side alone {nats["right"].mean():.2f}; known beside the left, the \
right saves {saved:.2f} ± {saved_margin:.2f}. The model with both pays {beyond:.2f} ± {beyond_margin:.2f} less than \
is possible from the left | **{sided}** |
| the clause that follows "he" lets a masked model "correctly infer" who is meant | exact: where the pronoun leaves \
an even choice, the clause saves {even_saved:.2f} ± {even_margin:.2f} of 0.69 nats. It lifts the probe of the model \
from {probes["masked, clause hidden"].mean():.0%} to {probes["masked, whole sentence"].mean():.0%}; the best possible \
reader is right in {best_after:.0%} | **{he_is}** |
| "MLM models can require more training steps to converge" | to come within {target:.2f} nats of its own floor, \
masking 15% takes {factor["steps"]:.1f} times the steps of the causal model, {factor["predictions"]:.1f} times its \
predictions ({amount}) and {factor["operations"]:.1f} times its operations (one seed) | **{efficient}** |
| attention "scales quadratically with the sequence length" | for a width of 64, the square overtakes the line at 384 \
positions by counting and at about {crossing:,.0f} by the clock | **{square}** |
""")

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Jacob Devlin, Ming-Wei Chang, Kenton Lee and Kristina Toutanova (2019). BERT: Pre-training of deep bidirectional
#   transformers for language understanding. *NAACL*.
# - Kevin Clark, Minh-Thang Luong, Quoc V. Le and Christopher D. Manning (2020). ELECTRA: Pre-training text encoders as
#   discriminators rather than generators. *ICLR*. Learning from every token without giving up a side.
# - Julian Salazar, Davis Liang, Toan Q. Nguyen and Katrin Kirchhoff (2020). Masked language model scoring. *ACL*.
#   arXiv 1910.14659.
# - Carina Kauf and Anna Ivanova (2023). A better way to do masked language model scoring. *ACL*. arXiv 2305.10588. Why
#   words of several pieces need care.
# - Tri Dao, Daniel Y. Fu, Stefano Ermon, Atri Rudra and Christopher Ré (2022). FlashAttention. *NeurIPS*.
#
# Next: chapter 09 asks how noisy the gradient of a masked batch is.
