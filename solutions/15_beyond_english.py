# ---
# jupyter:
#   course:
#     title: Beyond English
#     question: What does filling in blanks learn where there are no words?
#     minutes: 190
#     prerequisites: Chapters 03, 07 and 14
# ---

# %% [markdown] id="header"
# # 15 · Beyond English
#
# **What does filling in blanks learn where there are no words?**
#
# You will be able to
#
# - train the same masked model on proteins, on Python code and on ancient Greek, and hold out what is no near relative;
# - compare it with models that count, at the same blanks and on both sides, and say which is better and by how much;
# - read from a model which amino acids it takes for one another, test that against evolution, and score a mutation;
# - restore a gap of several letters as a ranked list with probabilities, and say why one pass is not enough;
# - say what the large systems of these fields do beyond this.
#
# *190 minutes. Prerequisites: chapters 03, 07 and 14. Three small models are trained the first time, half a minute of
# one processor core each; longer trainings, from which the verdicts are, come with the course. Everything here runs
# on the CPU; on a GPU nothing changes but the time.*

# %% [markdown] id="how-it-works"
# `hint("15.letters")` in a new cell gives one step of help at a time, and `failing("15.letters")` hands you the
# smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run
# before yours do.

# %% id="setup"
import numpy as np
from scipy.stats import spearmanr

from mlm_mini import figures
from mlm_mini.course import check, failing, hint
from mlm_mini.experiments import find_experiment, mean_interval

# %% [markdown] id="why-letters"
# ## 1 · Three languages that are not English
#
# Nothing in `train` knows what a word is. It wants rows of numbers, and a number that means "hidden". So a language is
# a cutting rule and a list of tokens. For a protein the tokens are letters: a protein is a chain of **amino acids**, of
# which life uses 20, each with a letter of its own. For a text on a broken stone they are letters too, because a gap in
# a stone is so many letters wide, whatever words they belong to. With $a_1 \dots a_n$ the letters and $T$ the length of
# a row, the row is
#
# $$[\text{CLS}]\; a_1\; a_2 \dots a_n\; [\text{SEP}]\; [\text{PAD}] \dots [\text{PAD}], \qquad n \le T - 2.$$

# %% id="ex-letters"
# exercise: 15.letters
def letters(sequence, alphabet, length):
    """The row of a sequence: (length,) int64.

    Ids: [PAD] 0, [UNK] 1, [CLS] 2, [SEP] 3, [MASK] 4, and the letters of `alphabet`, a str, from 5 on in its order. A
    letter that is not in the alphabet is [UNK], a "?" is [MASK]. A sequence that is too long is cut at its end.
    """
    # Where to start: a dict from each letter to its id. How many letters have room beside [CLS] and [SEP]?
    # <solution>
    id_of = {letter: 5 + i for i, letter in enumerate(alphabet)} | {"?": 4}
    ids = [2, *(id_of.get(letter, 1) for letter in sequence[: length - 2]), 3]
    return np.array(ids + [0] * (length - len(ids)))
    # </solution>


# %% id="check-letters"
check("15.letters", letters)

# %% [markdown] id="why-these"
# Three texts, all of them from packages that are installed with the course, so that nothing is downloaded. Each is
# named with its source and its license; the cell after the list shows a piece of each as the model reads it.

# %% id="show-texts" tags=["nbval-ignore-output"]
from mlm_mini.training import LANGUAGES

corpora = {name: LANGUAGES[name].corpus() for name in ("proteins", "python", "greek")}
for name, corpus in corpora.items():
    print(f"{name}: {corpus.source}. License: {corpus.license}. {corpus.note}")
    for split in ("train", "validation", "test"):
        part = corpus.split(split)
        print(f"    {split:11}{len(part.documents):4} documents, {sum(map(len, part.texts())):9,} characters")

# %% id="show-pieces" tags=["nbval-ignore-output"]
from mlm_mini.experiments.beyond.readers import held_out_blanks, training_numbers

blanks = {name: held_out_blanks(name) for name in corpora}
tokenizers = {name: training_numbers(name)[0] for name in corpora}
for name, some in blanks.items():
    tokens = tokenizers[name].tokens(some.ids[3])
    tokens[some.places[3]] = "[MASK]"
    extra = ", the end of a line among them" if name == "proteins" else ""
    print(f"{name}, {some.names[some.documents[3]]}, a vocabulary of {len(some.vocabulary.regular_ids)}{extra}:")
    print("   ", " ".join(token.replace(" ", "␣").replace("\n", "⏎") for token in tokens))

# %% [markdown] id="text-notes"
# The proteins are one family: the **MHC class I** molecules, with which a cell shows pieces of its own proteins to the
# immune system. The Python is the standard library of the interpreter that runs this notebook, without comments and
# docstrings, which are English: ⏎ ends a line, ⇥ and ⇤ stand where the indentation becomes deeper or less deep, and the
# course's WordPiece, trained on it, cuts names into pieces (and makes capitals small, which for code is a loss). So the
# numbers of this chapter about code depend on your version of Python. The Greek is the New Testament without accents,
# punctuation and capitals, as it might stand on a stone; the spaces, here ␣, are an editor's help that stones do not
# give.
#
# ## 2 · No relatives
#
# A model that is tested on what it has read shows its memory. Chapter 07 kept whole books apart for that reason. Here
# the danger is greater: a chimpanzee's protein is nearly a human's, and the gospels of Matthew, Mark and Luke tell the
# same stories in the same words. So whole **groups** are held out, and a group is chosen as a whole: branches of the
# tree of animals, modules of Python, books that tell one story.

# %% id="ex-held-out"
# exercise: 15.held-out
def held_out(groups, ranking, share):
    """Which of N documents are held out: whole groups, in the order of `ranking`, until there are enough.

    groups: (N,) integers, the group of each document; ranking: (G,), every group once, drawn beforehand; share: of the
    documents that are to be held out at least. No group more than is needed. Returns (N,) bool.
    """
    # Where to start: how many documents has each group of the ranking, and how many are in those before it?
    # <solution>
    sizes = np.array([(groups == group).sum() for group in ranking])
    before = sizes.cumsum() - sizes
    return np.isin(groups, ranking[before < share * len(groups)])
    # </solution>


# %% id="check-held-out"
check("15.held-out", held_out)

# %% [markdown] id="why-identity"
# For proteins there is a measure of kinship. Lay two sequences side by side, with gaps where that makes them match
# better (an **alignment**), and count at how many places they have the same letter: the **identity**. All MHC molecules
# descend from one ancestor, so "no relatives" can only mean "no near ones": sharks, frogs and reptiles are held out,
# while mammals with a placenta, birds and bony fish are there to learn from. Each held-out sequence below is compared
# with those training sequences that share most runs of five letters with it. The validation text, by which every reader
# below is tuned, is not like the test: marsupials are the nearest relatives of the mammals that are read in training.

# %% id="measure-identity"
from mlm_mini.experiments.beyond.kinship import nearest_identities, repeated_runs

for side in ("validation", "test"):
    identities = nearest_identities(corpora["proteins"], 80, np.random.default_rng(1500), side)
    quarter, half, most = np.quantile(identities, [0.25, 0.5, 1])
    print(f"{side}: identity of {len(identities)} proteins with the nearest found in the training text: "
          f"half have {half:.0%} or less, a quarter {quarter:.0%} or less, the most {most:.0%}")
greek_runs = repeated_runs(corpora["greek"], 30)
print(f"Greek: runs of 30 letters that stand in the training text too: {greek_runs:.2%}; what a copied gospel would "
      f"show: {repeated_runs(corpora['greek'], 30, test='Mk', training=('Mt', 'Lk')):.2%} (Mark in Matthew and Luke)")

# %% id="measure-code-runs" tags=["nbval-ignore-output"]
print(f"Python: runs of 60 characters that stand in the training text too: {repeated_runs(corpora['python'], 60):.2%}")

# %% [markdown] id="why-top"
# ## 3 · Against models that count
#
# Two measures. The **surprisal** of the true token in nats, as everywhere in this course; and whether the truth is
# **among the $k$ best**. The second is what a historian or a biologist asks for: a short list to choose from. It has a
# trap. A model that has never met a context gives many tokens the same score, and then whether the truth is among the
# best depends on how a computer sorts equal numbers. So ties are broken by lot, and what counts is the chance: with $b$
# candidates better than the truth and $e$ as good as it, itself included,
#
# $$P(\text{in the first } k) = \min\Big(1, \max\Big(0, \frac{k - b}{e}\Big)\Big).$$

# %% id="ex-top-k"
# exercise: 15.top-k
def top_k(scores, answers, k):
    """The chance that the answer is among the k best, when equal scores are put in an order by lot.

    scores: (N, C), of every candidate at each of N blanks, in which many may be equal; answers: (N,), the true ones;
    k: from 1 to C. Returns (N,) floats from 0 to 1.
    """
    # Where to start: the score of each answer. How many scores of its row are above it, and how many equal it?
    # <solution>
    own = scores[np.arange(len(answers)), answers][:, None]
    better, alike = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return np.clip((k - better) / alike, 0.0, 1.0)
    # </solution>


# %% id="check-top-k"
check("15.top-k", top_k)

# %% [markdown] id="top-k-note"
# One more trap: among 20 amino acids, "in the first 20" is no achievement. For letters the list has to be shorter, or
# the gap longer.
#
# What must a masked model beat? Not a model that looks to the left alone: it has half of the context. A skeptic asks
# for counting on **both sides**. The simplest way fits two models, one that reads forwards and one that reads
# backwards, and takes what is on the left, $L$, and what is on the right, $R$, as independent given the token $x$. Then
# Bayes' rule says
#
# $$P(x \mid L, R) \propto \frac{P(x \mid L)\, P(x \mid R)}{P(x)}.$$

# %% id="ex-two-sided"
# exercise: 15.two-sided
def two_sided(left, right, prior):
    """P(x | L, R) of every candidate, from what either side says alone.

    left, right: (..., C), P(x | L) and P(x | R), above 0; prior: (C,), P(x), above 0. Returns (..., C), where each row
    along the last axis sums to one.
    """
    # Where to start: the right-hand side of the formula. What does the sign before it say is still to be done?
    # <solution>
    p = left * right / prior
    return p / p.sum(axis=-1, keepdims=True)
    # </solution>


# %% id="check-two-sided"
check("15.two-sided", two_sided)

# %% [markdown] id="why-divide"
# Why divide by $P(x)$? Both sides already know how frequent $x$ is, and without the division that would count twice.
#
# A better way needs no such assumption. A model of order $n$ gives a probability to every whole text, as a product of
# factors $P(\text{token} \mid n-1 \text{ tokens before})$. The hidden token stands in $n$ of these: once as the token
# that is predicted, and $n - 1$ times among those before. Their product, scaled to sum to one, is *exactly* what this
# model thinks of the blank given both sides. Both are built with Kneser-Ney smoothing as in chapter 07. All readers see
# the same row of 30 tokens, in which one is hidden. The three masked models were trained for half a minute of one core.
#
# A rival must also be given its best. A reader may know much and be too sure of it, and nats punish that: one answer
# that it held for impossible costs more than many good ones bring in. So every reader, the masked model too, gets two
# numbers: an exponent $\tau$ for its probabilities $p$, and a share $\lambda$ for the frequencies $P$,
#
# $$q(x) = (1 - \lambda) \frac{p(x)^\tau}{\sum_y p(y)^\tau} + \lambda P(x).$$
#
# Both, and the order $n$ of those that count, are the ones that pay least on blanks of the validation text.
#
# One thing did not travel by itself. In trials of one run each, models with the usual first weights had hardly left the
# unigram when their time was up. So these begin with larger weights, and their table of positions begins as sine waves,
# as in the first Transformer (Vaswani and others 2017), where "one to the left" is the same turn everywhere; and their
# rows are short. Objective, loop and encoder are those of chapter 07.

# %% id="train-models" tags=["nbval-ignore-output"]
from mlm_mini.chapters import kept_fields
from mlm_mini.experiments.beyond.blanks import model_posterior
from mlm_mini.experiments.beyond.readers import (COUNTING, MASKED_MODEL, chosen, counting_posterior, model_tuning,
                                                 posterior_of_order, scores_of, shares_of)
from mlm_mini.training import LiveCurve, cached_model

models = {name: cached_model(report=LiveCurve, **kept_fields(name, "tiny")) for name in corpora}
untuned = {(name, MASKED_MODEL): model_posterior(models[name].model, blanks[name]) for name in corpora}
posteriors, orders, tunings = {}, {}, {}
for name in corpora:
    tunings[name, MASKED_MODEL] = model_tuning(name, models[name].model)
    posteriors[name, MASKED_MODEL] = tunings[name, MASKED_MODEL].applied(untuned[name, MASKED_MODEL], shares_of(name))
    for arm in COUNTING:
        orders[name, arm], posteriors[name, arm] = counting_posterior(name, arm, blanks[name])
        tunings[name, arm] = chosen(name, arm)[1]
        untuned[name, arm] = posterior_of_order(name, arm, orders[name, arm], blanks[name])

# %% id="measure-readers" tags=["nbval-ignore-output"]
units = {(name, arm): {unit: np.array(of) for unit, of in scores_of(blanks[name], p).items()}
         for (name, arm), p in posteriors.items()}
for name in corpora:
    print(f"{name}: {len(blanks[name].ids):,} blanks in {len(blanks[name].names)} documents; margins are 95%, by t "
          "over documents")
    for arm in (*COUNTING, MASKED_MODEL):
        found, order, tuning = units[name, arm], orders.get((name, arm), ""), tunings[name, arm]
        before = np.mean(scores_of(blanks[name], untuned[name, arm])["nats"])
        print(f"    {arm:19}{order!s:>2}  {mean_interval(found['nats']).with_margin()} nats (untuned {before:.2f}; "
              f"exponent {tuning.exponent:.2f}, unigram {tuning.unigram:.2f});  first {found['top1'].mean():.0%}, "
              f"in five {found['top5'].mean():.0%}")

# %% [markdown] id="readers-note"
# Each language has candidates of its own, some twenty or some thousands, so nats can be compared within a language and
# not between them. An exponent below 1 says that a reader was too sure; where the untuned figure is far above the tuned
# one, a comparison without tuning would have measured that and not what the reader knows. Validation chooses the order
# for relatives as near as its own, which for proteins are nearer than those of the test.

# %% [markdown] id="longer-note"
# Half a minute is little. Longer trainings of the same tiny models come with the course: what they were, on which
# machine, and how to repeat them, stands in the first line. They were asked at the same blanks.

# %% id="show-study" tags=["nbval-ignore-output"]
from mlm_mini.shipped import shipped

record, study = shipped("experiments", "beyond"), find_experiment("beyond").shipped()
print(f"{record['command']}, {record['date']}, {record['machine']}; steps {dict(zip(corpora, study.config.steps))}, "
      f"training seeds {dict(zip(corpora, study.config.seeds))}")
print(study.table())

# %% id="fig-study" tags=["nbval-ignore-output"]
study.show()

# %% id="say-study" tags=["nbval-ignore-output"]
from IPython.display import Markdown

from mlm_mini.experiments.lab.verdicts import decide_above

lines = []
for name in corpora:
    best, saved, before = study.best_counting(name), study.saved(name), study.saved(name, unit="untuned")
    ahead, behind = decide_above(saved, 0.0).word == "holds", saved.high < 0
    order = study.of(name, best)[0].order
    lines.append(f"- **{name}**: against the best n-gram ({best}, order {order}) the model saves "
                 f"{saved.value:+.2f} nats ({saved.low:+.2f} to {saved.high:+.2f}): "
                 f"{'it is better' if ahead else 'it is worse' if behind else 'which is better is undecided'}. With no "
                 f"reader tuned it would have been {before.value:+.2f} against that n-gram. The model's first guess is "
                 f"right in {study.mean(name, MASKED_MODEL, 'top1').value:.0%}, that of the n-gram in "
                 f"{study.mean(name, best, 'top1').value:.0%}.")
Markdown("\n".join(lines))

# %% [markdown] id="why-counting-wins"
# Where counting wins, why? A guess that can be tested: an n-gram keeps every run of letters it has read, while a model
# of some hundred thousand weights has to squeeze them, and is still learning when its time is up. If so, more training
# should bring it nearer, and the same model after a short training should be worth an n-gram of lower order. Here is
# what both-sided n-grams of each order pay, tuned and untuned, beside the model after half a minute and after the
# longer training, both tuned. Order 1 is the unigram.

# %% id="fig-orders" tags=["nbval-ignore-output"]
from mlm_mini.experiments.beyond.blanks import surprisal_of
from mlm_mini.experiments.beyond.readers import BOTH, ORDERS, UNIGRAM, tuned_of_order

figure, axes = figures.new_figure(11, 3.4, columns=3)
lines, paid = [], {}
for ax, name in zip(axes, corpora):
    some = blanks[name]
    for label, posterior_at, style in (("untuned", posterior_of_order, "o:"), ("tuned", tuned_of_order, "o-")):
        nats = {1: units[name, UNIGRAM]["nats"]} | {
            n: some.per_document(surprisal_of(posterior_at(name, BOTH, n, some), some.answers)) for n in ORDERS[name]}
        paid[name, label] = {n: mean_interval(of) for n, of in nats.items()}
        middle, low, high = np.array(list(paid[name, label].values())).T
        ax.errorbar(list(nats), middle, [middle - low, high - middle] if label == "tuned" else None, fmt=style,
                    color=figures.BLUE if label == "tuned" else figures.SKY, markersize=4, capsize=2, label=label)
    short, long = units[name, MASKED_MODEL]["nats"].mean(), study.mean(name, MASKED_MODEL, "nats").value
    for nats, style, label in ((short, ":", "half a minute"), (long, "--", "longer")):
        ax.axhline(nats, color=figures.RED, linestyle=style, linewidth=1.5, label=f"model, {label}")
    least = min(paid[name, "tuned"], key=lambda n: paid[name, "tuned"][n].value)
    ax.set(xlabel="order n of the n-gram, both sides", xticks=list(paid[name, "tuned"]))
    ax.set_title(f"{name}: n-gram {paid[name, 'tuned'][least].value:.2f}, model {long:.2f}")
    lines.append(f"{name}: " + "; ".join(
        f"{label} n-grams " + ", ".join(f"order {n} {of.value:.2f}" for n, of in paid[name, label].items())
        for label in ("tuned", "untuned")) + f"; model {short:.2f}, longer {long:.2f}")
axes[0].set_ylabel("nats per hidden token")
axes[1].legend(fontsize=8)
figures.show(figure, alt="Nats per hidden token of both-sided n-grams against their order, with 95% intervals over "
             "documents. " + ". ".join(lines) + ".")

# %% id="say-orders" tags=["nbval-ignore-output"]
lines = []
for name in corpora:
    short, long = units[name, MASKED_MODEL]["nats"].mean(), study.mean(name, MASKED_MODEL, "nats").value
    nats = {n: of.value for n, of in paid[name, "tuned"].items()}
    worth = [max((n for n, value in nats.items() if value >= model), default=0) for model in (short, long)]
    words = [f"no more than an n-gram of order {n}" if n else "more than every order" for n in worth]
    lines.append(f"- **{name}**: after half a minute the model pays {short:.2f}, {words[0]}; after the longer training "
                 f"{long:.2f}, {words[1]}. Order {max(nats)} pays {nats[max(nats)]:.2f} when tuned and "
                 f"{paid[name, 'untuned'][max(nats)].value:.2f} untuned; the unigram {nats[1]:.2f}.")
Markdown("\n".join(lines))

# %% [markdown] id="orders-note"
# These are the highest orders at which the n-gram still pays as much as the model. If the longer training is worth a
# higher one than the short training, that fits the guess, and proves nothing about the reason. The models are not at
# their end, and what they would reach with hours, nobody has measured here. Look also at the light line of the
# proteins: untuned, a high order may pay more than the unigram, which knows nothing of the context, and yet its first
# guesses are better (the table above). It knows more and is too sure, perhaps because runs of letters that it has
# read once go on in another way in another animal.
#
# ## 4 · Proteins: what may stand for what
#
# What has a model of proteins learned? At every blank it gives a probability to each of the 20. If $a$ stands there and
# the model gives much to $b$ as well, it takes $b$ for a possible replacement. Let $P(a, b)$ be the mean over all
# blanks of what the model gives to $b$ where $a$ stands, made symmetric. The **log odds** compare it with chance:
#
# $$P(a, b) = \tfrac{1}{2N} \Big( \sum_{i:\, a_i = a} q_i(b) + \sum_{i:\, a_i = b} q_i(a) \Big), \qquad
# S(a, b) = \log \frac{P(a, b)}{p(a)\, p(b)}, \qquad p(a) = \sum_b P(a, b).$$
#
# In 1992 Henikoff and Henikoff made such a matrix from thousands of aligned proteins: BLOSUM62, by which sequences are
# compared to this day. In it, too, $P(a,b)$ is how often two amino acids share a place.

# %% id="ex-log-odds"
# exercise: 15.log-odds
def log_odds(posterior, answers):
    """S(a, b) of a model, in nats.

    posterior: (N, A), q_i, above 0: what the model says at each blank; answers: (N,), from 0 to A - 1, what stands
    there, in any order and some more often than others. Returns (A, A), symmetric.
    """
    # Where to start: an (A, A) array of zeros, to whose row a the posteriors of all blanks with a are added.
    # <solution>
    joint = np.zeros((posterior.shape[1],) * 2)
    np.add.at(joint, answers, posterior)
    joint = (joint + joint.T) / (2 * len(answers))
    margin = joint.sum(axis=1)
    return np.log(joint / np.outer(margin, margin))
    # </solution>


# %% id="check-log-odds"
check("15.log-odds", log_odds)

# %% [markdown] id="why-permute"
# Does the model's matrix agree with BLOSUM62? **Spearman's rho** compares the ranks of the 190 pairs: 1 if both put
# them in the same order, 0 if neither knows of the other. But is a rho of 0.3 much? The 190 pairs are not independent,
# because each amino acid is in 19 of them, so that no textbook formula applies. A **permutation test** asks the data:
# shuffle the *names* of the amino acids in one matrix, rows and columns together, and look how often chance does as
# well (Mantel 1967). With $n$ shufflings of which $m$ reach the measured rho, $p = (1 + m) / (1 + n)$: the measured
# order is one of those that chance may draw, so $p$ is never 0.

# %% id="ex-permutation"
# exercise: 15.permutation
def permutation_test(one, other, orders):
    """Spearman's rho of two symmetric matrices over the pairs below the diagonal, and p.

    one, other: (A, A); orders: (n, A), each row a shuffling of 0 ... A - 1, to be applied to `other`. spearmanr(x, y)
    .statistic is rho of two vectors. Returns rho and p, two floats; p counts the shufflings whose rho is as large.
    """
    # Where to start: np.tril_indices gives the places below the diagonal, np.ix_ those of a shuffled matrix.
    # <solution>
    below = np.tril_indices(len(one), -1)
    rho = spearmanr(one[below], other[below]).statistic
    drawn = [spearmanr(one[below], other[np.ix_(order, order)][below]).statistic for order in orders]
    return rho, (1 + (np.array(drawn) >= rho).sum()) / (1 + len(orders))
    # </solution>


# %% id="check-permutation"
check("15.permutation", permutation_test)

# %% id="measure-blosum" tags=["nbval-ignore-output"]
from collections import Counter

from mlm_mini.experiments.beyond.substitution import AMINO_ACIDS, blosum62, pairs_below, residue_posterior
from mlm_mini.experiments.beyond.uses import compare_substitutions
from mlm_mini.experiments.beyond.readers import PRODUCT

uses = shipped("experiments", "beyond_uses")
half_minute, longer = compare_substitutions(models["proteins"]), uses["result"]["substitutions"]
print(f"longer: {uses['command']}, {uses['date']}, {uses['machine']}, seed {uses['seed']}")
readers = {"model, half a minute": half_minute[MASKED_MODEL], "model, longer": longer[MASKED_MODEL]}
readers |= {arm: longer[arm] for arm in (PRODUCT, BOTH, UNIGRAM)}
for name, of in readers.items():
    print(f"{name:21} rho with BLOSUM62 {of['rho']:+.2f}, p = {of['p']:.3f}; shuffled names reach "
          f"{np.quantile(of['shuffled'], 0.95):+.2f} in one of 20")

# %% id="fig-blosum" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(10, 3.6, columns=2)
of = longer[MASKED_MODEL]
x, y, drawn = pairs_below(blosum62()), pairs_below(np.array(of["matrix"])), np.array(of["shuffled"])
jitter = np.random.default_rng(0).uniform(-0.2, 0.2, len(x))
axes[0].plot(x + jitter, y, "o", color=figures.SKY, markersize=4)
best, (rows, columns) = np.argsort(-y)[:6], np.tril_indices(20, -1)
for i in best:
    left = jitter[i] < 0  # the label stands on the side to which its dot was moved
    axes[0].annotate(AMINO_ACIDS[rows[i]] + AMINO_ACIDS[columns[i]], (x[i] + jitter[i], y[i]), (-4 if left else 4, 0),
                     textcoords="offset points", fontsize=9, ha="right" if left else "left", va="center")
axes[0].set(xlabel="BLOSUM62 (half bits; dots moved sideways a little)", ylabel="log odds of the longer model (nats)")
axes[0].set_title(f"190 pairs of amino acids: rho {of['rho']:.2f}")
axes[1].hist(drawn, bins=30, color=figures.SKY)
axes[1].axvline(of["rho"], color=figures.RED)
axes[1].text(of["rho"], axes[1].get_ylim()[1], "measured ", color=figures.RED, va="top", ha="right")
axes[1].set(xlabel="rho after shuffling the names", ylabel="shufflings")
axes[1].set_title(f"{(drawn >= of['rho']).sum()} of {len(drawn)} shufflings do as well: p = {of['p']:.3f}")
names = ", ".join(AMINO_ACIDS[rows[i]] + AMINO_ACIDS[columns[i]] for i in best)
figures.show(figure, alt=f"Left, the longer model's log odds of 190 pairs of amino acids against BLOSUM62: rho "
             f"{of['rho']:.2f}; highest are {names}. Right, rho after shuffling the names, {drawn.min():.2f} to "
             f"{drawn.max():.2f}: p = {of['p']:.3f}.")

# %% id="say-blosum" tags=["nbval-ignore-output"]
def rho_ahead(arm):
    """How far the longer model's rho is above that of a reader that counts, and the middle 95% of its resamplings."""
    apart = np.array(longer[MASKED_MODEL]["resampled"]) - longer[arm]["resampled"]
    return longer[MASKED_MODEL]["rho"] - longer[arm]["rho"], *np.quantile(apart, [0.025, 0.975])


gaps_to = {arm: rho_ahead(arm) for arm in (PRODUCT, BOTH)}
answered = Counter(AMINO_ACIDS[i] for i in residue_posterior(posteriors["proteins", UNIGRAM], blanks["proteins"])[1])
top_pair = AMINO_ACIDS[rows[best[0]]] + AMINO_ACIDS[columns[best[0]]]
words = "; ".join(f"{arm} {longer[arm]['rho']:+.2f}, the model less it {value:+.2f} ({low:+.2f} to {high:+.2f})"
                  for arm, (value, low, high) in gaps_to.items())
ahead = [arm for arm, (_, low, _) in gaps_to.items() if low > 0]
Markdown(f"""The controls matter. The unigram knows nothing of replacements: its rho is {longer[UNIGRAM]["rho"]:+.2f}. The
n-grams know which letters stand next to which, and this alone gives much (in brackets the middle 95% of resampled
documents): {words}. The model is surely ahead of {" and ".join(ahead) or "neither"}.
So an agreement with BLOSUM62 that chance would hardly give is no proof of anything deep:
{"part" if len(ahead) == len(gaps_to) else "perhaps all"} of it can be had by counting neighbors. Nor does a
single pair say much: the highest, {top_pair}, rests on {" and ".join(f"{answered[a]} blanks of {a}" for a in top_pair)}.""")

# %% [markdown] id="why-mutation"
# The same numbers judge a **mutation**, a change of one letter. Hide the place, and ask whether the new letter $m$ is
# likelier there than the old one $w$ (Meier and others 2021):
#
# $$s = \log q_i(m) - \log q_i(w).$$
#
# A score below 0 says that the change fits worse than what stood there. For one letter this is the *pseudo-likelihood*
# of the new sequence less that of the old, as far as the changed place is concerned.

# %% id="ex-mutation"
# exercise: 15.mutation
def mutation_scores(log_q, wild, places, mutants):
    """How much likelier each new letter is than the one that stands there, in nats.

    log_q: (L, A), log-probabilities at each place of a sequence of L, hidden alone; wild: (L,), the sequence; places:
    (M,), where each of M mutations is; mutants: (M,), what it puts there. Each is made by itself. Returns (M,) scores.
    """
    # Where to start: at places[j], the new letter is mutants[j]. Which one stood there?
    # <solution>
    return log_q[places, mutants] - log_q[places, wild[places]]
    # </solution>


# %% id="check-mutation"
check("15.mutation", mutation_scores)

# %% [markdown] id="why-natural"
# Is the score any good? Laboratories have made thousands of mutations and measured which of them break a protein;
# such data is not at hand here. But nature has made an experiment too. Two sequences of one species that differ in a
# few places are both alive. So at such a place the letter that nature put there should score higher than one drawn by
# lot. A coin wins in half of the cases. Three kinds of rivals are asked the same: the unigram, which sees frequencies
# alone; the n-grams of both sides, chosen and tuned as in section 3; and BLOSUM62, which sees the old and the new
# letter and nothing of the sequence around them.

# %% id="measure-mutations" tags=["nbval-ignore-output"]
from mlm_mini.experiments.beyond.uses import compare_mutations

short, long = compare_mutations(models["proteins"]), uses["result"]["mutations"]
model_share = np.array(long[MASKED_MODEL])
won = {"the model, half a minute": short[MASKED_MODEL], "the model, longer": model_share}
won |= {rival: long[rival] for rival in ("BLOSUM62", PRODUCT, BOTH, UNIGRAM)}
print(f"95% by t over {len(model_share)} species, in % of the cases; behind: the longer model less this rival, paired")
for name, shares in won.items():
    share, apart = mean_interval(100 * np.array(shares)), mean_interval(100 * (model_share - shares))
    print(f"{name:25} prefers nature's letter in {share.value:.0f} ({share.low:.0f} to {share.high:.0f})"
          + (f"; {apart.value:+.0f} ({apart.low:+.0f} to {apart.high:+.0f})" if name in long else ""))

# %% id="say-mutations" tags=["nbval-ignore-output"]
from mlm_mini.experiments.lab.verdicts import Sampled


def compared(apart):
    """What an interval of a difference, the model less a rival, allows to say."""
    return "is better" if apart.low > 0 else "is worse" if apart.high < 0 else "may be better or worse"


said = "; ".join(f"the model {compared(apart)} than {name}, {apart.value:+.0f} points ({apart.low:+.0f} to "
                 f"{apart.high:+.0f})"
                 for name in ("BLOSUM62", PRODUCT, BOTH, UNIGRAM)
                 for apart in [mean_interval(100 * (model_share - won[name]))])
above = decide_above(Sampled.mean(model_share), 0.5)
Markdown(f"""That the longer model prefers nature's letter more often than a coin: **{above.word}**. Against the rivals,
paired by species: {said}. That frequencies alone do worse than a coin may be because the letter drawn by lot is drawn by
its frequency, while nature changes the rare ones too; this is a guess. A model of this size knows far less than what is
published of large ones (section 7), and 32 letters are a small part of a protein.""")

# %% [markdown] id="why-antibody"
# ### A real model, opened once
#
# A model that took half a minute is a toy. AntiBERTy (Ruffolo and others 2021) is a BERT of 8 blocks that has read 558
# million **antibodies**, the proteins with which the body recognizes intruders. Its weights come in the package
# `antiberty` 0.1.3, 97 MB and therefore not installed with the course, as a PyTorch file. Such a file is a *pickle*,
# which can run any program when it is opened. `mlm_mini.experiments.beyond.antibody` converts it once, with
# `torch.load(..., weights_only=True)`, which lets nothing but numbers through, into a safetensors file; the course's
# own encoder then reads it. It is asked to fill in every letter of five antibodies that are used as medicines, hidden
# one at a time, beside the model from above, which has learned another family.

# %% id="show-antibody" tags=["nbval-ignore-output"]
from mlm_mini.experiments.beyond.antibody import open_antibody_model

antibody = shipped("experiments", "antibody")
print(f"shipped: {antibody['command']}, {antibody['date']}, {antibody['machine']}")
for reader, found in antibody["result"]["readers"].items():
    right, nats = mean_interval(100 * np.array(found["right"])), mean_interval(found["nats"])
    print(f"{reader:30} right in {right.value:.0f}% ({right.low:.0f} to {right.high:.0f}), {nats.with_margin()} nats; "
          f"95% over {len(found['nats'])} chains")
try:
    open_antibody_model()
    print("The package antiberty is installed: `open_antibody_model()` gives its model and letters.")
except FileNotFoundError as error:
    print(f"Not opened here: {error}.")

# %% [markdown] id="antibody-note"
# The five chains resemble each other and are close to natural antibodies, which AntiBERTy has read by the million; how
# much of this is memory, nobody can tell from these numbers. They show that the same encoder and the same objective,
# fill in a family of proteins well when they have read enough of it.
#
# ## 5 · Code: names and brackets
#
# In code some tokens are free and others are forced. A programmer may call a variable what he likes; but where a
# bracket was opened, one of the same kind must close, and the last that was opened closes first.

# %% id="ex-balanced"
# exercise: 15.balanced
def balanced(tokens):
    """Whether all brackets among the tokens, a list of str, are opened and closed in a possible order.

    Brackets are ( ) [ ] { }; every other token is passed over. Nothing is closed that is not open, what was opened last
    is closed first and by its own kind, and in the end nothing is left open. Returns a bool.
    """
    # Where to start: a list to which every opening bracket is added, and from which its partner takes it off again.
    # <solution>
    partner, opened = {")": "(", "]": "[", "}": "{"}, []
    for token in tokens:
        if token in partner.values():
            opened.append(token)
        elif token in partner and (not opened or opened.pop() != partner[token]):
            return False
    return not opened
    # </solution>


# %% id="check-balanced"
check("15.balanced", balanced)

# %% id="measure-kinds" tags=["nbval-ignore-output"]
from mlm_mini.experiments.beyond.code import TOKEN_KINDS, kind_of
from mlm_mini.experiments.beyond.blanks import top_k as in_first

candidates = tokenizers["python"].tokens(blanks["python"].vocabulary.regular_ids)
kinds = np.array([kind_of(candidates[i]) for i in blanks["python"].answers])
print(f"{'kind of token':20}{'share':>7}  first guess right: model, n-gram of both sides, unigram")
right = {arm: in_first(posteriors["python", arm], blanks["python"].answers, 1) for arm in (MASKED_MODEL, BOTH, UNIGRAM)}
for kind in TOKEN_KINDS:
    these = kinds == kind
    if these.sum() >= 10:
        print(f"{kind:20}{these.mean():7.0%}  " + "".join(f"{of[these].mean():7.0%}" for of in right.values()))

# %% id="say-kinds" tags=["nbval-ignore-output"]
asked = [kind for kind in TOKEN_KINDS if (kinds == kind).sum() >= 10]
model_right, ngram_right = ({kind: right[arm][kinds == kind].mean() for kind in asked} for arm in (MASKED_MODEL, BOTH))
easy, hard = max(asked, key=model_right.get), min(asked, key=model_right.get)
lost = [kind for kind in asked if model_right[kind] < ngram_right[kind]]
worst = max(asked, key=lambda kind: ngram_right[kind] - model_right[kind])
Markdown(f"""Some tokens are forced and others free: after half a minute the model is right in {model_right[easy]:.0%} where
the token is of the kind "{easy}", and in {model_right[hard]:.0%} for "{hard}". The n-gram is ahead in {len(lost)} of
{len(asked)} rows, most for "{worst}". This is the model of half a minute; the longer one was not asked by kind.""")

# %% [markdown] id="why-pairs"
# Brackets come in pairs, and that is a question about two blanks at once. Hide both brackets of a pair. One pass
# guesses each without knowing the other (chapter 14), so it may open one kind and close another. Filling in the first
# and asking again for the second should help, if the model knows that brackets match.

# %% id="measure-pairs" tags=["nbval-ignore-output"]
from mlm_mini.experiments.beyond.code import BRACKETS, fill_pairs, rows_with_pairs

rows, places = rows_with_pairs(blanks["python"].ids, tokenizers["python"])
tokens_of, truth = tokenizers["python"].tokens, np.take_along_axis(rows, places, axis=1)
filled = {name: fill_pairs(models["python"].model, tokenizers["python"], rows, places, in_turn)
          for in_turn, name in ((False, "one pass"), (True, "one after the other"))}
filled["always ( and )"] = np.tile(tokenizers["python"].vocabulary.ids(["(", ")"]), (len(rows), 1))
given = {}
for name, pair_ids in filled.items():
    pairs_filled = [tokens_of(pair) for pair in pair_ids]
    match = np.array([BRACKETS.get(a) == b for a, b in pairs_filled])
    opening = np.array([a in BRACKETS for a, _ in pairs_filled])
    closing = np.array([b in BRACKETS.values() for _, b in pairs_filled])
    given[name] = match[opening].mean(), opening.mean(), (opening & closing & ~match).sum(), (opening & closing).sum()
    print(f"{name:20} both as written {(pair_ids == truth).all(axis=1).mean():.0%}; a matching pair of brackets "
          f"{match.mean():.0%}, of {len(rows)} pairs; where the first is an opening bracket {match[opening].mean():.0%}")

# %% id="say-pairs" tags=["nbval-ignore-output"]
(once, opened, crossed, both), (in_turn, *_) = given["one pass"], given["one after the other"]
constant = (filled["always ( and )"] == truth).all(axis=1).mean()
Markdown(f"""The story told above is not what happens here. One pass gives an opening and a closing bracket of different
kinds in {crossed} of the {both} rows in which it gives one of either. What fails is the first blank: it is an opening bracket
in {opened:.0%}. Where it is one, the pair matches in {once:.0%} after one pass and in {in_turn:.0%} in turn. And brackets
are no great test: {constant:.0%} of the pairs are round ones, so that always answering "(" and ")" is as often right as
that, and matches always. By this test the model has not shown that it knows what a bracket is closed with.""")

# %% id="show-names" tags=["nbval-ignore-output"]
from mlm_mini.training.fill import fill

for line in ("for i in range ( [MASK] ( self . items ) ) : ⏎", "if not isinstance ( value , [MASK] ) : ⏎",
             "raise ValueError ( 'bad' [MASK] ⏎", "def __init__ ( [MASK] , name ) : ⏎", "import [MASK] ⏎"):
    (best,) = fill(models["python"].model, tokenizers["python"], line, top=4)
    print(f"{line:48} ", "  ".join(f"{c.token} {c.probability:.2f}" for c in best))

# %% [markdown] id="names-note"
# Which of these guesses could a programmer write there? This is the model of half a minute too; the table above says
# how seldom it is right at names.

# %% [markdown] id="why-lacunae"
# ## 6 · Greek: restoring a gap
#
# A **lacuna** is a gap in a damaged text. An editor sees how wide it is, and wants a list: what could have stood there,
# and how likely is each? With $k$ letters hidden, one pass gives $k$ distributions, and their product treats the
# letters as independent: it may put together the beginning of one word and the end of another. The chain rule does not,
#
# $$P(a_1 \dots a_k \mid \text{rest}) = \prod_{j=1}^{k} P(a_j \mid a_1 \dots a_{j-1}, \text{rest}),$$
#
# but it has $26^k$ paths. A **beam search** keeps only the $B$ best beginnings at each letter.

# %% id="ex-beam"
# exercise: 15.beam
def beam_search(next_log_p, k, beam):
    """The best texts of k letters that a beam finds, the best first.

    next_log_p: a function; next_log_p(begun) gives (C,) log-probabilities of the next letter after the letters in
    `begun`, a tuple of ints from 0 to C - 1, () at the start. beam: how many beginnings are kept after each letter.
    Returns two arrays: the letters, (R, k) int, and the log-probability of each text, (R,), with R at most `beam`.
    """
    # Where to start: a list with one pair, no letters and log-probability 0. What becomes of it with each letter?
    # <solution>
    kept = [((), 0.0)]
    for _ in range(k):
        longer = [((*begun, i), total + log_p) for begun, total in kept for i, log_p in enumerate(next_log_p(begun))]
        kept = sorted(longer, key=lambda pair: -pair[1])[:beam]
    return np.array([begun for begun, _ in kept]), np.array([total for _, total in kept])
    # </solution>


# %% id="check-beam"
check("15.beam", beam_search)

# %% id="measure-lacunae" tags=["nbval-ignore-output"]
from mlm_mini.experiments.beyond.lacunae import RESTORING_WAYS
from mlm_mini.experiments.lab.intervals import share_interval
from mlm_mini.experiments.beyond.uses import GAP_SIZES, restore_gaps

live, gaps = restore_gaps(models["greek"]), uses["result"]["gaps"]
for name, found in (("half a minute", live), ("the longer training", gaps)):
    print(f"model after {name}: gaps restored by the first guess, and within the first 20")
    for size in map(str, GAP_SIZES):
        print(f"    {size:>2} letters, {len(found[size][RESTORING_WAYS[0]])} gaps:  " + ";  ".join(
            f"{way} {np.mean(np.equal(places, 1)):.0%}, {np.mean(np.greater(places, 0)):.0%}"
            for way, places in found[size].items()))

# %% id="fig-lacunae" tags=["nbval-ignore-output"]
from scipy.stats import binomtest


def restored_by(way, most, size):
    """Whether each gap of this size is restored within the first `most` of a way's list."""
    places_in_list = np.array(gaps[str(size)][way])
    return (places_in_list > 0) & (places_in_list <= most)


figure, axes = figures.new_figure(11, 3.6, columns=2)
looks, said = dict(zip(RESTORING_WAYS, (("o:", figures.SKY), ("s-", figures.RED), ("^--", figures.BLUE)))), []
paired = {}
for ax, most, title in ((axes[0], 1, "first guess"), (axes[1], 20, "in the first 20")):
    for shift, (way, (style, color)) in zip((-0.12, 0.0, 0.12), looks.items()):
        hits = [restored_by(way, most, size) for size in GAP_SIZES]
        middle, low, high = np.array([share_interval(hit) for hit in hits]).T
        ax.errorbar(np.array(GAP_SIZES) + shift, middle, [middle - low, high - middle], fmt=style, color=color,
                    capsize=2, markersize=5, label=way)
        said.append(f"{title}, {way}: " + ", ".join(f"{share:.0%} at {size}" for share, size in zip(middle, GAP_SIZES)))
    ax.set(xlabel="letters in the gap", ylabel="gaps restored exactly", ylim=(0, 1.03), xticks=GAP_SIZES)
    one, beam, count = ({size: restored_by(way, most, size) for size in GAP_SIZES} for way in RESTORING_WAYS)
    for size in GAP_SIZES:
        better, worse = int((beam[size] & ~one[size]).sum()), int((one[size] & ~beam[size]).sum())
        p = binomtest(better, better + worse).pvalue if better + worse else 1.0
        paired[title, size] = better, worse, p
    three = " / ".join(f"{hit[3].mean():.0%}" for hit in (one, beam, count))
    ax.set_title(f"{title}, 3 letters: {three}")
axes[0].legend()
figures.show(figure, alt="Share of gaps restored exactly by the longer model, by letters in the gap. "
             + "; ".join(said) + ".")

# %% id="say-lacunae" tags=["nbval-ignore-output"]
lines = []
for title in ("first guess", "in the first 20"):
    of = {size: paired[title, size] for size in GAP_SIZES if sum(paired[title, size][:2])}
    lines.append(f"- {title}: " + "; ".join(f"{size} letters {better}:{worse}, p = {p:.2g}"
                                            for size, (better, worse, p) in of.items()))
Markdown("Gaps that the beam restores and one pass does not, against those the other way round, with the p of an exact "
         "sign test, one test for each size:\n\n" + "\n".join(lines))

# %% [markdown] id="lacunae-note"
# Error bars are 95% intervals of a share (Wilson), over gaps of different chapters; the titles give one pass, beam
# and n-gram beam in this order. The same gaps are asked of all, so the pairs in the cell above say more than the
# bars: where the beam is surely ahead of one pass, the letters depend on each other, which is chapter 14's lesson in
# practice. The model that counts restores by a beam of its own, first from the left and then weighed with what
# follows the gap, and it is the one to beat: no other line is above its own at any size.
#
# Try it: a slider for the width of the gap in the first sentence of the gospel of John, which no model here has read.
# Each list has the probability of each restoration, and its title says where the truth stands. ␣ is a space.

# %% id="widget-lacuna" tags=["nbval-ignore-output"]
from mlm_mini.experiments.beyond.readers import fitted
from mlm_mini.widgets import lacuna_widget

ngram = fitted("greek", orders["greek", BOTH])
lacuna_widget(models["greek"], ngram)

# %% [markdown] id="without-a-kernel"
# Without a running kernel the slider does not move; this is what it shows at four letters, by the model of half a
# minute. The three lists have one scale, because they differ in how sure they are.

# %% id="fig-lacuna" tags=["nbval-ignore-output"]
from mlm_mini.widgets.lacuna import lacuna_figure

figure, alt = lacuna_figure(models["greek"], ngram, 4)
figures.show(figure, alt)

# %% [markdown] id="real-systems"
# ## 7 · What real systems do beyond this
#
# - **Proteins.** ESM (Rives and others 2021; Lin and others 2023) trains the same objective on up to 250 million
#   sequences of *all* families, its second version with up to 15 billion weights. Its vectors predict which residues
#   touch in the folded protein, and its mutation scores rival methods that need alignments of the family (Meier and
#   others 2021).
# - **Code.** CodeBERT (Feng and others 2020) reads code beside its description in English, so that one can search for
#   the other, and adds ELECTRA's question at every token. Programs that *write* code are causal models, some of them
#   trained to fill a gap in the middle as well (Fried and others 2023).
# - **Ancient texts.** Ithaca (Assael and others 2022) restores Greek inscriptions from letters and words together, and
#   says where and when a text was written; its authors report that historians with Ithaca did better than
#   either alone. Aeneas (Assael and others 2025) does so for Latin, also where the width of a gap is unknown, and shows
#   the inscriptions that a restoration rests on.
#
# What they have in common with this chapter is the objective. What they have beyond it is data, size, and a task on
# top that somebody needs.

# %% [markdown] id="recap"
# ## Recap
#
# The verdicts are those of `python3 course.py claims`, from the longer trainings: each is computed from its figures, by
# the rule that the next cell prints. Intervals are over held-out documents; a rule also wants every training seed to
# agree, of which there are only two.

# %% id="recap-rules" tags=["nbval-ignore-output"]
from mlm_mini.experiments.claims.claim import Effort
from mlm_mini.experiments.claims.all_claims import measure_claims

claims = {row.claim.id: row for row in measure_claims(Effort(), ["proteins", "code", "ancient"])}
for name, row in claims.items():
    print(f"{name:10}{row.claim.figure}:\n{'':10}{row.claim.rule}")

# %% id="recap-table" tags=["nbval-ignore-output"]
languages = {"proteins": ("proteins", "the languages of biology"), "code": ("python", "computer code"),
             "ancient": ("greek", "even ancient history")}
table = ["| the article this course grew from | measured in this chapter | verdict |", "|---|---|---|"]
for claim, (name, words) in languages.items():
    row, best = claims[claim], study.best_counting(name)
    over = study.saved(name, UNIGRAM).estimate
    if row.verdict.word == "undecided":
        clear = " (beyond frequencies: surely)" if over.low > 0 else ""
    else:
        clear = ""
    table.append(f'| "from its home turf in natural language processing to ... {words}" | beyond frequencies alone: the '
                 f"model saves {over.value:.2f} nats per hidden token ({over.low:.2f} to {over.high:.2f}); against the "
                 f"best n-gram ({best}), both tuned: {row.finding.figure.value:+.2f} ({row.finding.figure.low:+.2f} to "
                 f"{row.finding.figure.high:+.2f}) | **{row.verdict.word}**{clear} |")
Markdown("\n".join(table))

# %% [markdown] id="recap-note"
# The article's sentence, word by word: "from its home turf in natural language processing to the languages of
# biology, computer code, and even ancient history". The objective travels: loop and encoder are those of chapter 07.
# That it *pays* is another matter. A tiny model with a minute or two of training has to be measured against counting
# that is given its best too, and the table says where it is ahead. A rival that is too sure loses by its sureness and
# not by what it knows; section 3 says what the same figures are with no reader tuned. What this does not say: these
# are one family of proteins, one library and one book; the splits keep near relatives apart, not distant ones; and
# what large models do with thousands of times more is in the papers below.

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Alexander Rives and others (2021). Biological structure and function emerge from scaling unsupervised learning to
#   250 million protein sequences. *PNAS* 118(15). The first ESM.
# - Joshua Meier and others (2021). Language models enable zero-shot prediction of the effects of mutations on protein
#   function. *NeurIPS*. The mutation score.
# - Zeming Lin and others (2023). Evolutionary-scale prediction of atomic-level protein structure with a language model.
#   *Science* 379.
# - Jeffrey A. Ruffolo, Jeffrey J. Gray and Jeremias Sulam (2021). Deciphering antibody affinity maturation with
#   language models and weakly supervised learning. arXiv 2112.07782. AntiBERTy.
# - Steven Henikoff and Jorja G. Henikoff (1992). Amino acid substitution matrices from protein blocks. *PNAS* 89(22).
# - Nathan Mantel (1967). The detection of disease clustering and a generalized regression approach. *Cancer Research*
#   27(2). The permutation test.
# - Zhangyin Feng and others (2020). CodeBERT: A pre-trained model for programming and natural languages. *Findings of
#   EMNLP*.
# - Daniel Fried and others (2023). InCoder: A generative model for code infilling and synthesis. *ICLR*.
# - Yannis Assael and others (2022). Restoring and attributing ancient texts using deep neural networks. *Nature* 603.
#   Ithaca.
# - Ashish Vaswani and others (2017). Attention is all you need. *NeurIPS*. Positions as waves.
# - Yannis Assael and others (2025). Contextualizing ancient texts with generative neural networks. *Nature* 645.
#   Aeneas.
# - Stanley F. Chen and Joshua Goodman (1999). An empirical study of smoothing techniques for language modeling.
#   *Computer Speech and Language* 13. Kneser-Ney.
#
# Data: UniProt Consortium (2025), UniProt: the universal protein knowledgebase; Michael W. Holmes (ed., 2010), *The
# Greek New Testament: SBL Edition*; James K. Tauber (ed.), MorphGNT: SBLGNT edition.
#
# Next: chapter 16 writes with a masked model.
