# ---
# jupyter:
#   course:
#     title: Both directions
#     question: What does the right context know, in nats, and what does it cost?
#     minutes: 220
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
# *220 minutes. Prerequisites: chapters 02, 05 and 07. The first time, section 2 trains three tiny models and section 4
# many short ones, each a few minutes of two cores, and the model of chapter 07 if it is not there yet; all are then
# kept. Everything runs on the CPU; on a GPU only section 5 changes, as it says.*

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
# and what is before it, and is asked for the token *after* it. Nothing has to be hidden, and every token but the first
# is asked for, the `[SEP]` at the end included: the label of position $t$ is the token at $t + 1$.

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
# The encoder is the same one, with one more mask. Does it really not see what comes later? Change one word of a
# sentence and look at which positions the output moves.

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
# A model may make poor use of what it sees. The exact posterior of the scene language makes the best of any context.
# So hide one word, and ask for it three times: with everything to the left visible, with everything to the right, and
# with both. How much cheaper the word becomes when the right side is added is what the right side *knows*, in nats.

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
# The same words are asked with less and with more context. Some words cost far more than others, whatever the context.
# Subtract the two costs of each word, and that part is gone: the mean difference has a smaller error than the
# difference between the means of two separate samples of words.

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

# %% [markdown] id="why-length"
# Not all of this is about words. The right side also shows the `[SEP]` and the padding, and with them *how long* the
# sentence is; the reader from the left does not know whether three words are still to come or ten. So give that
# reader the length as well: hide the words from the position on, and leave `[SEP]` and padding visible.

# %% id="measure-length"
from_here = np.arange(sample.ids.shape[1]) >= positions[:, None]
left_and_length = language.posterior_at(np.where(from_here & words, vocabulary.mask_id, sample.ids), positions[:, None])
nats["left and length"] = surprise(left_and_length[:, 0], sample.ids, positions)
length_saved, length_margin = paired(nats["left"], nats["left and length"])
words_saved, words_margin = paired(nats["left and length"], nats["both"])
print(f"left and length: {nats['left and length'].mean():.2f} nats; the right side alone: {nats['right'].mean():.2f}")
print(f"of {saved:.2f} nats that the right side saves, the length accounts for {length_saved:.2f} ± "
      f"{length_margin:.2f}, its words for {words_saved:.2f} ± {words_margin:.2f}")

# %% [markdown] id="why-models"
# A masked model always sees the length, so that its advantage over a causal one contains both parts. The words alone
# are worth the second.
#
# All this can be known. Do models know it? From the left we ask a tiny causal model, which was trained for this; from
# the right and from both sides the masked model of chapter 07, which is a larger one. The tiny models that section 4
# compares are trained here, the first time.

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
# Which words gain most? From the left, an adjective comes before the noun that it must fit, and a full stop comes as
# news. A determiner can be guessed from either side.

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
# each person $r$ was before the clause, times how likely the clause would be if that person were meant. By the chain
# rule the latter is a product over the words of the clause, each given the person *and the words before it*:
#
# $$p(r \mid w_1 \dots w_K) \propto p(r) \prod_{j=1}^{K} p(w_j \mid r, w_1 \dots w_{j-1}),$$
#
# where $p(r)$, and every factor, is also given what was read up to the pronoun, and $\propto$ means: divide by the
# sum over all persons. Leave $w_1 \dots w_{j-1}$ out and you have **naive Bayes**, which treats the words as
# independent once the person is known. That is a model of the language, not a law; below we see how far off it is.

# %% id="ex-referent"
# exercise: 08.referent
def referent(prior, log_likelihoods):
    """The probability that each of R persons is meant, after the words of the clause.

    prior: (R,), above 0 and summing to one; log_likelihoods: (R, K), ln p(word j | person r, words before j), perhaps
    far below zero. Returns (R,), summing to one.
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

# %% [markdown] id="why-naive"
# And naive Bayes? Show one word of the clause at a time, with the rest of it hidden, and let Bayes' rule multiply what
# each says about the two persons as if none had heard of the others.

# %% id="measure-naive"
unread = np.where(behind, vocabulary.mask_id, ids)
anybody = language.referent_posterior(np.where(place >= pronoun[:, None], vocabulary.mask_id, ids))
two = np.sort(np.argsort(-anybody, axis=1)[:, :2], axis=1)  # where the two persons stand
prior, truth = (np.take_along_axis(p, two, axis=1) for p in (before, after))
possible = prior > 1e-12
log_prior = np.log(np.where(possible, prior, 1e-300))
score = log_prior.copy()  # ln p(r), to which each word adds ln p(r | word) - ln p(r)
for t in range(1, ids.shape[1]):
    told = np.flatnonzero(behind[:, t] & (ids[:, t] != vocabulary.pad_id))
    seen = unread[told]
    seen[:, t] = ids[told, t]
    p = np.take_along_axis(language.referent_posterior(seen), two[told], axis=1)
    with np.errstate(divide="ignore"):
        score[told] += np.where(possible[told], np.log(p) - log_prior[told], 0.0)
naive = np.exp(score - score.max(axis=1, keepdims=True))
naive /= naive.sum(axis=1, keepdims=True)
naive_off = abs(naive - truth / truth.sum(axis=1, keepdims=True)).max(axis=1)
print(f"naive Bayes is off by {naive_off.mean():.3f} on average and by {naive_off.max():.2f} at most; "
      f"by more than 0.05 in {(naive_off > 0.05).mean():.0%} of the sentences")

# %% [markdown] id="the-verbs-nats"
# Chapter 05 asked how many nats the verb behind "he" is worth. That depends on what else is known. Compare reading up
# to the pronoun with reading one word further, up to the verb; then compare a sentence without its verb with all of it.

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
# On half of the sentences least squares looks for it, on the other half it is tested: a **probe**, of which chapter 13
# has more. Controls: the same sentences with the words of the clause hidden, and an encoder that was never trained.
#
# Where does one look in a causal model? At the two persons it cannot know: it made their vectors before it came to the
# pronoun. A probe of these is right half of the time by construction, and says nothing about the model. What the clause
# told a causal model can only be in *later* vectors. So there is a second probe, the same for all models. It also gets
# the products of the persons' difference with the vector at `[SEP]`, number by number: does the end of the sentence
# fit the one person better than the other?

# %% id="how-to-probe"
second = np.where(gold == two[:, 1], 1.0, -1.0)
end = (ids != vocabulary.pad_id).sum(axis=1) - 1
clause_hidden = np.where(behind & np.isin(ids, vocabulary.regular_ids), vocabulary.mask_id, ids)


def probe(model, seen, causal=False, ends=False):
    """Whether a probe is right about who is meant, for the second half of the sentences."""
    with torch.no_grad():
        hidden = torch.cat([model.encode(part, part != vocabulary.pad_id, causal=causal)
                            for part in torch.from_numpy(seen).split(512)]).double().numpy()
    features = hidden[rows, two[:, 1]] - hidden[rows, two[:, 0]]
    if ends:
        features = np.hstack([features, features * hidden[rows, end]])
    half = len(features) // 2
    direction, *_ = np.linalg.lstsq(features[:half], second[:half], rcond=None)
    return (features[half:] @ direction > 0) == (second[half:] > 0)


# %% id="measure-probe" tags=["nbval-ignore-output"]
untrained = MaskedLM(trained.model.config, torch.Generator().manual_seed(0)).eval()
READERS = {"masked": (trained.model, ids), "masked, clause hidden": (trained.model, clause_hidden),
           "tiny, masked": (runs["masked, 15%"].model, ids), "tiny, causal": (runs["causal"].model, ids),
           "tiny, causal, clause hidden": (runs["causal"].model, clause_hidden), "untrained": (untrained, ids)}
probes, with_end = ({name: probe(reader, seen, "causal" in name, ends) for name, (reader, seen) in READERS.items()}
                    for ends in (False, True))
print(f"{'right about who is meant':30}the two persons   and the end of the sentence")
for name in READERS:
    shares = (f"{x.mean():.0%} ± {1.96 * x.std(ddof=1) / np.sqrt(len(x)):.0%}" for x in (probes[name], with_end[name]))
    print(f"{name:30}{next(shares):18}{next(shares)}")
gains = 1.0 * probes["masked"] - probes["masked, clause hidden"]
gained, gained_margin = paired(probes["masked"] * 1.0, probes["masked, clause hidden"] * 1.0)
print(f"95% intervals over sentences. The clause adds {gained:.0%} ± {gained_margin:.0%} to the masked model's "
      f"persons; the best possible reader is right in {best_after:.0%}")

# %% id="fig-coreference" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7.5, 3.1)
names = sorted(READERS, key=lambda name: probes[name].mean())
LOOKS = (("probe of the two persons", probes, "o", figures.BLUE),
         ("with the end of the sentence", with_end, "D", figures.ORANGE))
for name, found, marker, color in LOOKS:
    margins = [1.96 * found[n].std(ddof=1) / np.sqrt(len(found[n])) for n in names]
    ax.errorbar([found[n].mean() for n in names], names, xerr=margins, fmt=marker, color=color, capsize=2, label=name,
                zorder=3)
LINES = (0.5, "a coin"), (best_before, "exact, up to\nthe pronoun"), (best_after, "exact, whole\nsentence")
for share, name in LINES:
    ax.axvline(share, color=figures.BLACK, linestyle=":", linewidth=1)
    ax.annotate(name, (share, 1), (2, -2), xycoords=("data", "axes fraction"), textcoords="offset points", va="top",
                fontsize=8)
ax.set(xlabel="share of sentences in which the probe is right", xlim=(0.45, 1.05), ylim=(-0.5, len(names) + 0.6))
ax.legend(loc="lower right", fontsize=8)
ax.set_title(f"The clause moves the masked model's persons from {probes['masked, clause hidden'].mean():.0%} to "
             f"{probes['masked'].mean():.0%}")
figures.show(figure, alt="Share of sentences in which a probe finds the right person, from the vectors of the two "
             "persons, and with the end of the sentence: "
             + "; ".join(f"{n} {probes[n].mean():.0%}, {with_end[n].mean():.0%}" for n in names)
             + f". Exact: {best_before:.0%} up to the pronoun, {best_after:.0%} for the whole sentence.")

# %% [markdown] id="probe-note"
# So the causal model has taken in part of what the clause says, as the control without the clause confirms, though its
# persons say nothing. To compare "masked" with "causal" at the persons alone is to compare where one looks. What
# reading in both directions changes is *which* vectors know: in a masked model also those of words that came before the
# clue. (The first model is larger than the tiny ones; compare these with each other.)

# %% [markdown] id="why-pronoun"
# Hide the pronoun itself, and the clause helps only where the two persons differ in gender. Filling the blank then
# takes two steps: whom the clause means, and that a queen is a "she". The right side saves less here than it did about
# the referent. A coin pays 0.69 nats.

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
# A masked model predicts a few tokens in each pass, a causal one all of them. Is that a disadvantage? Their losses do
# not compare, for the two pay different amounts even when they are perfect. So each is held against *its own floor*:
# the masked model against the exact posterior at its blanks, the causal one against the chain rule. We compare the
# gaps,
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

# %% [markdown] id="below-the-floor"
# In a study gaps are estimates, and one may come out at zero or below, which has no logarithm. It has reached any
# target; `mlm_mini`'s version, which is used below, then takes the cost of that point.

# %% [markdown] id="three-models"
# The three tiny models of section 2 are the same encoder, and read the same sentences in the same order, 800 steps
# of 128: causal, and masked at ratios of 0.15 and 0.35. Both masked ones are evaluated at 0.15. One seed each, so
# these curves are an illustration.

# %% id="measure-objectives" tags=["nbval-ignore-output"]
colors = dict(zip(runs, (figures.RED, figures.SKY, figures.BLUE)))
for name, run in runs.items():
    last = run.curve[-1]
    print(f"{name:12} floor {run.floor:.3f}, loss {last.loss:.3f}, gap {last.gap:.3f} ± {1.96 * last.gap_error:.3f} "
          f"nats (95%, over sentences); {last.predictions / last.tokens:.0%} of the tokens predicted")

# %% id="how-to-count"
tiny = ModelConfig.tiny(len(vocabulary))
mean_length = (sample.ids != vocabulary.pad_id).sum(axis=1).mean()


def costs(run):
    """Steps, predictions and operations at each point of a run's curve, and its gaps."""
    steps, predictions, tokens, gaps = (np.array([float(getattr(point, name)) for point in run.curve])
                                        for name in ("step", "predictions", "tokens", "gap"))
    flops = tokens * [tiny.training_flops_per_token(mean_length, p / t) for p, t in zip(predictions, tokens)]
    return {"steps": steps, "predictions": predictions, "operations": flops}, gaps


# %% id="measure-reach" tags=["nbval-ignore-output"]
from mlm_mini.experiments.lab.cost import cost_to_reach as cost_until
from mlm_mini.training import recipe
from mlm_mini.training.optimizer import learning_rate

target = 1.1 * max(costs(run)[1].min() for run in runs.values())
spent = {}
for name, run in runs.items():
    units, gaps = costs(run)
    spent[name] = {unit: cost_until(np.column_stack([x, gaps]), target) for unit, x in units.items()}
print(f"to come within {target:.2f} nats of its own floor")
plan = recipe("scenes", size="tiny", steps=800)
for name, units in spent.items():
    share = learning_rate(round(units["steps"]), plan) / plan.learning_rate
    print(f"{name:12} {units['steps']:4,.0f} steps, where the rate is at {share:.0%} of its highest; "
          f"{units['predictions'] / 1e3:4,.0f} thousand predictions, {units['operations'] / 1e12:.3f} trillion "
          "operations")

# %% [markdown] id="why-own-schedule"
# Look at the rates. The causal model passes the target early, at a high learning rate; the masked model reaches it at
# the very end, when the rate is almost down to zero, and a falling rate lowers a gap by itself. Steps to a target on
# one curve mix the objective with the schedule. And a rate that suits one objective may not suit the other.
#
# A fair question is: how long a training must be *planned*, to end within the target? So train each objective for 240
# steps, for 120, and so on down to a few, each with the whole schedule; at a rate of its own, the one of four that is
# best for 240 steps, on a seed that is not used again; with five seeds, for an interval over trainings. Batches of 64 keep this short, and leave the masked
# model far from its floor; `python3 course.py claims` trains longer.

# %% id="measure-efficiency" tags=["nbval-ignore-output"]
from mlm_mini.experiments.context.objectives import HIGH_RATES, measure_objectives
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, Sampled, decide, decide_above

found = measure_objectives(240, seeds=5)
print(f"rates tried: {', '.join(f'{rate:g}' for rate in HIGH_RATES)}; chosen:", found.rates)
print(f"to end within {found.target.min():.2f} to {found.target.max():.2f} nats of its own floor (95%, over seeds),")
for unit, factor in (("steps", found.steps), ("predictions", found.predictions), ("operations", found.flops)):
    print(f"the masked objective takes {factor.estimate} times the {unit} of the causal one")

# %% id="fig-objectives" tags=["nbval-ignore-output"]
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

figure, (left, right) = figures.new_figure(9, 3.2, columns=2)
for (name, run), line in zip(runs.items(), ("-", "--", ":")):
    x, gaps = costs(run)
    left.plot(x["steps"], gaps, line, color=colors[name], label=name)
left.axhline(target, color="0.7", linewidth=1)
left.annotate(f"{target:.2f} nats", (1, target), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=9)
for name, ends, look in zip(("masked, 15%", "causal"), zip(*found.ends), ("s--", "o-")):
    x, y = (np.array([[end[key] for end in one] for one in ends]) for key in ("steps", "gap"))
    right.plot(x.T, y.T, look, color=colors[name], linewidth=1, markersize=4, label=[name] + ["_"] * (len(x) - 1))
right.axhline(found.target.mean(), color="0.7", linewidth=1)
right.annotate(f"{found.target.mean():.2f} nats", (1, found.target.mean()), xycoords=("axes fraction", "data"),
               ha="right", va="bottom", fontsize=9)
for ax, unit in ((left, "step of one training"), (right, "steps of a training of its own")):
    ax.set(xscale="log", yscale="log", xlabel=unit)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set(major_locator=LogLocator(subs=(1, 3)), minor_formatter=NullFormatter(),
                 major_formatter=StrMethodFormatter("{x:g}"))
left.set_ylabel("gap to its own floor (nats)")
left.legend(loc="lower left", fontsize=9)
one_curve = spent["masked, 15%"]["steps"] / spent["causal"]["steps"]
left.set_title(f"On one curve: {one_curve:.1f} times the steps")
right.set_title(f"Whole trainings: {found.steps.value:.1f} ({found.steps.estimate.low:.1f} to "
                f"{found.steps.estimate.high:.1f}) times")
figures.show(figure, alt="Gap to its own floor on logarithmic axes. Left, against the step, one training of each of "
             f"three objectives; to come within {target:.2f} nats: " + "; ".join(
                 f"{name} {units['steps']:,.0f} steps" for name, units in spent.items())
             + f". Right, the ends of whole trainings of {found.ends[0][0][0]['steps']} to {found.ends[0][0][-1]['steps']} "
             "steps with five seeds; within "
             f"{found.target.mean():.2f} nats the masked objective takes {found.steps.estimate} times the steps.")

# %% [markdown] id="compare-note"
# What may be concluded? How much of its own training each objective needs to come near what *it* can know. Not that one
# model is better: they know different things. And a gap of 0.1 nats in a question about one hidden word of a whole
# sentence is not the same feat as 0.1 nats in a guess at the next word.

# %% [markdown] id="why-attention"
# ## 5 · The square
#
# Attention compares each of $n$ positions with each: $n^2$ pairs. In operations per token and block that is $4 n D$
# against the $24 D^2$ of the weights, forward. The two are equal at $n = 6 D$: for a width of 64 at 384 positions, for
# BERT-base at 4,608. PyTorch has a counter of its own. It counts the operations it knows, and of the attention kernels
# for the CPU it knows the plain one only: the **fused** one (FlashAttention, Dao et al. 2022), which PyTorch takes
# unless told otherwise, does the same products and goes uncounted.

# %% id="measure-operations"
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

long = MaskedLM(ModelConfig.tiny(100, max_position_embeddings=2048), torch.Generator().manual_seed(0)).eval()
for n in (64, 384, 2048):
    for name, kernel in (("plain", SDPBackend.MATH), ("fused", SDPBackend.FLASH_ATTENTION)):
        with torch.no_grad(), sdpa_kernel(kernel), FlopCounterMode(display=False) as counter:
            long.encode(torch.zeros(1, n, dtype=torch.int64))
        in_weights = 2 * 24 * 64**2 * n
        print(f"{n:5} positions, {name}: {counter.get_total_flops() / 1e6:7.1f} million operations counted, "
              f"{1 - in_weights / counter.get_total_flops():.0%} of them in attention's two products")

# %% [markdown] id="why-fit"
# The clock counts other things as well. The plain kernel writes all $n^2$ scores into memory and reads them again; the
# fused one works on small tiles and never has them all. Suppose that $n$ positions take $t = a\, n + b\, n^2$ seconds.
# Two unknowns, several measurements: least squares. The time of a long run is a thousand times that of a short one, and
# its error too; for relative errors to count alike, each equation is divided by its time.

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
# **What follows is an example from one machine, on one thread.** Each kernel is timed by itself, over seven rounds in
# which every length has its turn; each round has a fit of its own, and their scatter gives the interval. Every pass
# also has a fixed cost, whatever its length; 128 positions are enough to make it small. On a GPU short sentences take
# no time that could be measured, because it works on all positions at once: the bend comes later there.

# %% id="measure-attention" tags=["nbval-ignore-output"]
from mlm_mini.experiments.context.attention_cost import KERNELS, measure_attention_cost

lengths = 2 ** np.arange(7, 13)
timed = {kernel: measure_attention_cost(lengths, 7, np.random.default_rng(0), kernel) for kernel in KERNELS}
for kernel, cost in timed.items():
    low, high = cost.crossing.estimate[1:]
    print(f"{kernel}: the two terms are equal at {cost.crossing.value:,.0f} positions by the clock ({low:,.0f} to "
          f"{high:,.0f}, 95%, over rounds), at {cost.counted} by counting")

# %% id="fig-attention" tags=["nbval-ignore-output"]
from scipy.optimize import nnls

figure, (ax,) = figures.new_figure(7, 3.4)
missed = {}  # by the fit, at the longest
for (kernel, cost), color, marker in zip(timed.items(), (figures.RED, figures.BLUE), ("s", "o")):
    milliseconds = np.median(cost.seconds, axis=1) * 1e3
    (a, b), _ = nnls(np.stack([lengths, lengths**2], axis=1) / milliseconds[:, None], np.ones(len(lengths)))
    missed[kernel] = (a * lengths[-1] + b * lengths[-1] ** 2) / milliseconds[-1] - 1
    ax.plot(lengths, milliseconds, marker, color=color, label=f"{kernel}: measured, and a n + b n²")
    ax.plot(lengths, a * lengths + b * lengths**2, color=color)
    ax.plot(lengths, a * lengths, "--", color=color, linewidth=1)
ax.set(xscale="log", yscale="log", xlabel="positions n (dashed: a n alone)", ylabel="milliseconds (this machine)",
       ylim=(milliseconds.min() / 2, None))
ax.set_xticks(lengths, [f"{n:,}" for n in lengths])
ax.minorticks_off()
fused, plain = timed["fused"], timed["plain"]
ax.set_title(f"The square overtakes the line at about {fused.crossing.value:,.0f} positions, fused; "
             f"{plain.crossing.value:,.0f}, plain")
ax.legend()
figures.show(figure, alt="Time of a pass through the tiny encoder against its length, on logarithmic axes, for two "
             "attention kernels: " + "; ".join(
                 f"{kernel}, from {np.median(c.seconds[0]) * 1e3:.1f} ms at 128 positions to "
                 f"{np.median(c.seconds[-1]) * 1e3:.0f} ms at 4,096, the fitted terms crossing at {c.crossing.estimate}"
                 for kernel, c in timed.items()) + " positions.")
print("Two terms are not the whole of a machine's time. At 4,096 positions the fit is off by "
      + " and ".join(f"{off:+.0%} ({kernel})" for kernel, off in missed.items())
      + ":\nthe more, the rougher the crossing, whatever the interval over rounds says.")

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
# Is it the log-probability? Not even for a perfect model. Each word is guessed from all the others, and each of these
# with its help in turn: what two words tell about each other is counted twice. And the length is given away: `[SEP]`
# stays visible, while the chain rule charges for where a sentence ends. With exact posteriors, and the exact
# probability of a sentence of that length (every word hidden, `[SEP]` and padding visible):

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
only_length = np.where(np.isin(some, vocabulary.regular_ids), vocabulary.mask_id, some)
log_p_length = language.log_marginal(only_length)
print(f"mean log-probability of a sentence {log_p_exact.mean():.1f}, mean pseudo-log-likelihood {pll.mean():.1f} nats")
print("the pseudo-log-likelihood is higher for every one of 200 sentences:", bool((pll > log_p_exact).all()))
print(f"correlation of the two: {np.corrcoef(pll, log_p_exact)[0, 1]:.1f}")
gap = (pll - log_p_exact).mean()
print(f"of the {gap:.1f} nats between them, {-log_p_length.mean():.1f} are the length; "
      f"{gap + log_p_length.mean():.1f} are what words tell about each other")

# %% [markdown] id="recap"
# ## Recap
#
# Each verdict is computed from the figures above, and is a word only if at least 97.5% of their resamples get the same
# word; otherwise it is *undecided*. The right side *holds* when it saves more than nothing beside the left, its length
# not counted, and the model with both pays less than anybody can from the left. "He": when the clause saves more than
# half of an even choice's 0.69 nats, and adds to what a probe of the model finds. Efficiency: when the masked objective
# takes more steps. The square: from the length on at which it overtakes the line by the clock, if that lies among the
# measured ones, for both kernels. The share of resamples that agree stands beside each verdict.

# %% id="recap-verdicts" tags=["nbval-ignore-output"]
def both_above(first, least, second):
    """Holds if two figures lie above their thresholds, the second one's being 0."""
    return decide(lambda x: HOLDS if x["first"] > least and x["second"] > 0 else FAILS,
                  {"first": Sampled.mean(first), "second": Sampled.mean(second)})


def where_the_square_leads(x):
    reached = [length for length in x.values() if length <= lengths[-1]]
    if len(reached) < len(x):
        return FAILS
    return HOLDS if max(reached) <= lengths[0] else "holds beyond a length"


sided = both_above(nats["left and length"] - nats["both"], 0.0, nats["left"] - model_nats["both"])
he_is = both_above((unsure - sure)[even], np.log(2) / 2, gains)
efficient = decide_above(found.steps, 1.0)
square = decide(where_the_square_leads, {kernel: cost.crossing for kernel, cost in timed.items()})

# %% id="recap-table" tags=["nbval-ignore-output"]
from IPython.display import Markdown

Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| "The meaning of a word often depends just as much on what comes after it" | exact: the left side alone leaves \
{nats["left"].mean():.2f} nats per word, the right side alone {nats["right"].mean():.2f}; known beside the left, the \
right saves {saved:.2f} ± {saved_margin:.2f}, of which {length_saved:.2f} are the sentence's length and \
{words_saved:.2f} ± {words_margin:.2f} its words. The model with both pays {beyond:.2f} ± {beyond_margin:.2f} less \
than is possible from the left | **{sided}** |
| the clause that follows "he" lets a masked model "correctly infer" who is meant | exact: where the pronoun leaves \
an even choice, the clause saves {even_saved:.2f} ± {even_margin:.2f} of 0.69 nats. It lifts the probe of the model \
from {probes["masked, clause hidden"].mean():.0%} to {probes["masked"].mean():.0%}; the best possible \
reader is right in {best_after:.0%}. Of two models of the same tiny size, with the end of the sentence added, the causal \
one is right in {with_end["tiny, causal"].mean():.0%}, the masked one in {with_end["tiny, masked"].mean():.0%} | \
**{he_is}** |
| "MLM models can require more training steps to converge" | to end a training within {found.target.mean():.2f} nats \
of its own floor, masking 15% takes {found.steps.estimate} times the steps of the causal model, \
{found.predictions.estimate} times its predictions and {found.flops.estimate} times its operations (five seeds, each \
objective at its own rate) | **{efficient}** |
| attention "scales quadratically with the sequence length" | for a width of 64, the square overtakes the line at 384 \
positions by counting; by the clock at {fused.crossing.estimate} with the fused kernel, at {plain.crossing.estimate} \
with the plain one | **{square}** |
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
