# ---
# jupyter:
#   course:
#     title: Joint predictions
#     question: What can one pass know about several blanks?
#     minutes: 220
#     prerequisites: Chapters 02, 07, 08 and 10
# ---

# %% [markdown] id="header"
# # 14 · Joint predictions
#
# **What can one pass know about several blanks?**
#
# You will be able to
#
# - say exactly what is lost where several blanks are predicted in one pass, in nats;
# - fill blanks one after another, and choose the order;
# - tell when two blanks are independent, when their losses are, and when their gradients are;
# - test whether a model's conditionals belong to any joint distribution at all;
# - run Gibbs sampling, and find where it ends up without drawing a single sample;
# - score a sentence by pseudo-log-likelihood, and say what that never pays for.
#
# *220 minutes. Prerequisites: chapters 02, 07, 08 and 10. The study of section 6 comes with the course. Everything here
# runs on the CPU; on a GPU nothing changes.*

# %% [markdown] id="how-it-works"
# `hint("14.apart")` in a new cell gives one step of help at a time, and `failing("14.apart")` hands you the smallest
# input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they run before
# yours do.

# %% id="setup"
import numpy as np

from mlm_mini import figures
from mlm_mini import reference as ref
from mlm_mini.course import check, failing, hint
from mlm_mini.experiments import find_experiment, mean_interval
from mlm_mini.languages import scene_language

language = scene_language()
vocabulary = language.vocabulary

# %% [markdown] id="why-two"
# ## 1 · Two blanks, one pass
#
# The article this course grew from takes `The [MASK] chased the [MASK]` and says that the model "does not predict them
# independently". A model that is asked about both blanks in one pass gives two distributions, one for each. What it
# says of a *pair* of words is their product, because there is nothing else in its answer. The scene language knows the
# **joint distribution** $p(x, y)$ of the pair, given all that is visible, and its **marginals**:
#
# $$p(x) = \sum_y p(x, y), \qquad p(y) = \sum_x p(x, y), \qquad \text{one pass says } p(x)\,p(y).$$

# %% id="ex-apart"
# exercise: 14.apart
def apart(joint):
    """What one pass can say of two blanks at best: the product of the marginals of a joint distribution.

    joint: (V, W), p(first word, second word), sums to one. Returns (V, W).
    """
    # Where to start: which axis has to be summed out, so that the first word's distribution is left?
    # <solution>
    first = joint.sum(axis=1, keepdims=True)
    second = joint.sum(axis=0, keepdims=True)
    return first * second
    # </solution>


# %% id="check-apart"
check("14.apart", apart)

# %% id="measure-two"
from mlm_mini.experiments.joint.picture import read_blanks

chase = read_blanks(language, "the [MASK] chased the [MASK] .")
by_name = {token: i for i, token in enumerate(vocabulary.tokens)}
for pair in (("dog", "cat"), ("cat", "mouse"), ("officer", "thief"), ("officer", "mouse"), ("dog", "thief")):
    place = by_name[pair[0]], by_name[pair[1]]
    print(f"{' and '.join(pair):18} joint {chase.joint[place]:.3f}   one pass {chase.apart[place]:.3f}")
print(f"of what one pass says, {chase.impossible:.0%} goes to pairs that cannot be")

# %% [markdown] id="two-note"
# Both columns come from who knows the language perfectly; nobody can do better in one pass. Dogs do not chase thieves
# in this language, and officers no mice. Yet from the one pass nobody can tell: dog is a good answer to the first
# blank, and thief is one to the second.
#
# Choose a word for the first blank below. *Then* the second is asked again, and it moves. A sentence of your own may
# have two blanks or three.

# %% id="widget-joint" tags=["nbval-ignore-output"]
from mlm_mini.widgets import joint_widget

joint_widget()

# %% [markdown] id="without-a-kernel"
# Without a running kernel nothing moves; this is what it shows once *officer* is written into the first blank.

# %% id="fig-joint" tags=["nbval-ignore-output"]
from mlm_mini.widgets.joint import joint_figure

figure, alt = joint_figure("the [MASK] chased the [MASK] .", word="officer")
figures.show(figure, alt)

# %% [markdown] id="why-model-two"
# Is a trained model any different? It is asked the same: once with both blanks, and once more with *dog* written into
# the first. Within one pass nothing can be said to influence anything: both distributions are there at once, whatever
# is then chosen. What influences the second blank is a word that has been *written*, before the model reads again.

# %% id="measure-model-two" tags=["nbval-ignore-output"]
from mlm_mini.experiments.joint.readers import reader_of_language, reader_of_model
from mlm_mini.training import LiveCurve, cached_model

trained = cached_model("scenes", report=LiveCurve)
exact, model = reader_of_language(language), reader_of_model(trained.model, vocabulary)
for name, reader in (("exact", exact), ("model", model)):
    for text in ("the [MASK] chased the [MASK] .", "the dog chased the [MASK] .", "the officer chased the [MASK] ."):
        second = reader(language.encode(text)[None], np.array([[5]]))[0, 0]
        best = second.argsort()[::-1][:4]
        print(f"{name}: {text:33}", *(f"{vocabulary.tokens[i]} {second[i]:.2f} " for i in best))

# %% [markdown] id="why-cost"
# ## 2 · What it costs, in nats
#
# Predicted one by one, $m$ blanks cost the sum of their entropies on average. Predicted together they cost the entropy
# of the joint, which is never more. The difference is the **total correlation** (Watanabe 1960): how much the blanks
# know of each other. For two blanks it is their *mutual information*, often written $I(X; Y)$.
#
# $$\mathrm{TC} = \sum_{i=1}^{m} H(X_i) - H(X_1, \dots, X_m) \;=\; \mathrm{KL}\Big(p(x_1 \dots x_m),\;
# \prod_i p(x_i)\Big) \;\ge\; 0.$$

# %% id="ex-total-correlation"
# exercise: 14.total-correlation
def total_correlation(joint):
    """How many nats several blanks cost more in one pass than together.

    joint: an array with one axis for each of m blanks, (V_1, ..., V_m), which sums to one and has zeros in it.
    Returns a float, in nats.
    """
    # Where to start: the entropy of an array of any shape, with 0 log 0 = 0. Then the marginal of each axis.
    # <solution>
    def H(p):
        p = p[p > 0]
        return -(p * np.log(p)).sum()

    axes = range(joint.ndim)
    marginals = [joint.sum(axis=tuple(j for j in axes if j != i)) for i in axes]
    return sum(H(p) for p in marginals) - H(joint)
    # </solution>


# %% id="check-total-correlation"
check("14.total-correlation", total_correlation)

# %% [markdown] id="cost-how"
# Two ways to the same number, for two words hidden at random in each of 600 sentences. One is the formula, with the
# whole table over all pairs of words. The other pays: pairs of words are drawn from the joint, 50 of each sentence, and
# we see what one pass pays for them and what the joint pays.

# %% id="measure-cost"
from mlm_mini.experiments.joint.measures import total_correlation as tc_of
from mlm_mini.experiments.joint.one_pass import hide_words, drawn_excess

rng = np.random.default_rng(1410)
two = hide_words(language, 600, 2, rng)
tables = [language.joint(ids, positions) for ids, positions in zip(two.hidden, two.positions)]
formula = np.array([tc_of(table) for table in tables])
paid = np.array([drawn_excess(table, 50, rng).mean() for table in tables])
excess_gap = mean_interval(paid - formula)
print(f"total correlation {formula.mean():.3f} nats; what one pass paid more than the joint, {paid.mean():.3f}")
print(f"difference {excess_gap.value:+.4f} ({excess_gap.low:+.4f} to {excess_gap.high:+.4f}), within 0.02:",
      max(abs(excess_gap.low), abs(excess_gap.high)) < 0.02)
print(f"in {np.mean(formula < 0.001):.0%} of the sentences it is 0 to three digits; in the one with most, "
      f"{formula.max():.2f} nats")

# %% [markdown] id="cost-more"
# Most pairs tell each other nothing that the visible words have not told already. With more blanks there is more to
# disagree about. Now, in 2,000 sentences of any length, the trained model beside the *exact reader*, who knows the
# language perfectly and gives the exact distribution of each blank. Both are asked in one pass and in turn, each word
# with the true ones to its left in place. A model pays KL(exact, model) at each blank as well, so that on average its
# one pass pays no less than the total correlation.

# %% id="measure-turns" tags=["nbval-ignore-output"]
from mlm_mini.experiments.joint.one_pass import chained_total_correlation, in_turn_nats, joint_nats, one_pass_nats
from mlm_mini.experiments.lab.verdicts import Sampled, decide_above

counts, extra, saves = (2, 3, 4), {}, {}
for m in counts:  # no sentence has fewer words than four
    blanks = hide_words(language, 2_000, m, np.random.default_rng(1411), least=counts[-1])
    together = joint_nats(blanks)
    beyond = {"total correlation": chained_total_correlation(blanks),
              "exact, one pass": one_pass_nats(exact, blanks) - together,
              "model, one pass": one_pass_nats(model, blanks) - together,
              "model, in turn": in_turn_nats(model, blanks) - together}
    extra[m] = {name: mean_interval(values) for name, values in beyond.items()}
    saves[m] = {name: Sampled.mean(beyond[name] - beyond["model, in turn"]) for name in beyond if "one pass" in name}
    print(f"{m} blanks, joint {together.mean():5.2f} nats; beyond it: ",
          "; ".join(f"{name} {e.value:.3f} ± {e.high - e.value:.3f}" for name, e in extra[m].items()))

# %% id="fig-turns" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7.5, 3.4)
looks = {"exact, one pass": ("s--", figures.BLUE), "model, one pass": ("o-", figures.RED),
         "model, in turn": ("D-", figures.GREEN), "total correlation": ("+", figures.BLACK)}
for shift, (name, (style, color)) in zip((-0.03, 0, 0.03, -0.08), looks.items()):  # so that no mark hides another
    values, low, high = np.array([extra[m][name] for m in counts]).T
    ax.errorbar(np.array(counts) + shift, values, [values - low, high - values], fmt=style, color=color, capsize=3,
                label=name, markersize=10 if name == "total correlation" else 5)
ax.set(xlabel="words hidden in each sentence", ylabel="nats per sentence beyond the joint", ylim=(0, None))
ax.set_xticks(counts)
ax.legend()
saved = [1 - extra[m]["model, in turn"].value / extra[m]["model, one pass"].value for m in (counts[0], counts[-1])]
ax.set_title(f"In turn, the model saves {saved[0]:.0%} of what it pays beyond the joint at {counts[0]} blanks, "
             f"{saved[1]:.0%} at {counts[-1]}", fontsize=11)
figures.show(figure, alt="Nats per sentence beyond the exact joint, 95% intervals over 2,000 sentences of one model: "
             + "; ".join(f"{m} blanks " + ", ".join(f"{n} {e.value:.2f}" for n, e in extra[m].items()) for m in counts)
             + ".")

# %% id="say-turns" tags=["nbval-ignore-output"]
from IPython.display import Markdown

own, best = ([saves[m][f"{who}, one pass"] for m in counts] for who in ("model", "exact"))
Markdown(f"""
In turn the model pays less than in one pass: {own[0].value:.3f} nats ({own[0].low:.3f} to {own[0].high:.3f}) at
{counts[0]} blanks, {own[1].value:.3f} ({own[1].low:.3f} to {own[1].high:.3f}) at {counts[1]}, {own[2].value:.3f}
({own[2].low:.3f} to {own[2].high:.3f}) at {counts[2]}. Its own mistakes stand on both sides there. Does it, in turn,
also beat the *exact* reader in one pass, the best of all products? Only if what it learns from the words written is
more than what its mistakes cost. At {counts[0]} blanks it saves {best[0].value:+.3f} nats ({best[0].low:+.3f} to
{best[0].high:+.3f}): {decide_above(best[0], 0)}. At {counts[1]} it saves {best[1].value:+.3f} ({best[1].low:+.3f} to
{best[1].high:+.3f}): {decide_above(best[1], 0)}.
""")

# %% [markdown] id="turns-note"
# The exact reader in one pass lies on the total correlation, within the noise of the words that happened to stand
# there. The exact reader in turn is not drawn: it pays the joint to the last digit, in any order, because
# $p(x)\,p(y \mid x) = p(x, y)$. That is the whole difference between one pass and several, and no training removes it.
#
# ## 3 · One after another, but in which order?
#
# To *fill* blanks, words have to be chosen. Who fills in turn asks again after each word. From left to right is one
# order; another takes the blank of which the reader is **most certain**, the one with the lowest entropy, and so leaves
# the hard ones until more is known. (Ghazvininejad and others 2019 fill many at once and then ask again where the
# model was least sure.)

# %% id="ex-certain-first"
# exercise: 14.certain-first
def certain_first(ids, mask_id, ask):
    """Fills the blanks one after another, each time that of which the reader is most certain.

    ids: (T,) integers, mask_id at the blanks; ask(ids) gives the distributions (T, V) at all positions of such an
    array, with zeros in them. In each turn the blank with the lowest entropy gets its likeliest word. Returns (T,).
    """
    # Where to start: while there is a blank, ask. Which positions may not be chosen?
    # <solution>
    ids = ids.copy()
    while (ids == mask_id).any():
        p = ask(ids)
        log_p = np.log(p, where=p > 0, out=np.zeros_like(p))
        entropies = np.where(ids == mask_id, -(p * log_p).sum(axis=1), np.inf)
        t = entropies.argmin()
        ids[t] = p[t].argmax()
    return ids
    # </solution>


# %% id="check-certain-first"
check("14.certain-first", certain_first)

# %% [markdown] id="orders-how"
# Three words of each of 800 sentences are hidden and filled, in one pass and in three orders, by the exact reader and
# by the model; once with words that are drawn, and once with the likeliest word. The exact language then judges: can
# this sentence be said at all, and how likely are the three words together, given the rest?

# %% id="measure-orders" tags=["nbval-ignore-output"]
from mlm_mini.experiments.joint.filling import FILLING_ORDERS, fill_blanks, judged

blanks, filled, said_by = hide_words(language, 800, 3, np.random.default_rng(1420)), {}, {}
for who, reader in (("exact", exact), ("model", model)):
    for best in (False, True):
        for order in FILLING_ORDERS:
            nats = judged(blanks, fill_blanks(reader, blanks, order, np.random.default_rng(1421), best))
            said_by[who, best, order] = said = np.isfinite(nats)
            filled[who, best, order] = mean_interval(100.0 * ~said), nats[said].mean()
            share, likely = filled[who, best, order]
            print(f"{who}, {'likeliest' if best else 'drawn':10}{order:20} impossible {share.value:4.1f}% "
                  f"({max(share.low, 0):.1f} to {share.high:.1f}); the others {likely:.2f} nats")

# %% id="fig-orders" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(10, 3.2, columns=2)
for ax, best in zip(axes, (False, True)):
    for shift, (who, color, hatch) in enumerate((("exact", figures.BLUE, ""), ("model", figures.ORANGE, "//"))):
        shares = [filled[who, best, order][0] for order in FILLING_ORDERS]
        error = [[s.value - max(s.low, 0) for s in shares], [s.high - s.value for s in shares]]
        ax.bar(np.arange(4) + 0.4 * shift, [s.value for s in shares], 0.38, color=color, hatch=hatch, label=who,
               yerr=error, capsize=3, edgecolor="white")
    ax.set_xticks(np.arange(4) + 0.2, [order.replace(" ", "\n", 1) for order in FILLING_ORDERS])
    ax.set(ylabel="impossible sentences (%)", ylim=(0, 24))
    ax.grid(axis="x", visible=False)
    once, *turns = (filled["model", best, order][0].value for order in FILLING_ORDERS)
    ax.set_title(f"{'Likeliest' if best else 'Drawn'}: model {once:.0f}% at once, {min(turns):.1f} to "
                 f"{max(turns):.1f}% in turn")
axes[0].legend()
figures.show(figure, alt="Share of impossible sentences after three blanks were filled, by one model, 95% intervals "
             "over 800 sentences: " + "; ".join(f"{who}, {'likeliest' if best else 'drawn'}, {order} {share.value:.1f}%"
                                       for (who, best, order), (share, _) in filled.items()) + ".")

# %% [markdown] id="orders-note"
# For who knows the language every order is the same where words are drawn: each draws from the joint, and what cannot
# be said is never said. Where the likeliest word is taken, each order is a shortcut to the likeliest *triple*, and none
# is sure to find it. The model makes mistakes of its own on top, in any order.

# %% id="measure-mode" tags=["nbval-ignore-output"]
from mlm_mini.experiments.joint.filling import CERTAIN_FIRST, LEFT_FIRST

first_two = hide_words(language, 300, 2, np.random.default_rng(1422))
mode = np.array([np.log(language.joint(i, p).max()) for i, p in zip(first_two.hidden, first_two.positions)])
misses, orders = {}, {}
for order in (LEFT_FIRST, CERTAIN_FIRST):
    found = judged(first_two, fill_blanks(exact, first_two, order, np.random.default_rng(0), best=True))
    misses[order] = found < mode - 1e-9
    print(f"two blanks, exact reader, likeliest word, {order}: misses the likeliest pair in "
          f"{misses[order].mean():.1%}, by {(mode - found).mean():.3f} nats on average")
for best in (False, True):
    fewer = 100.0 * (said_by["model", best, CERTAIN_FIRST] * 1.0 - said_by["model", best, LEFT_FIRST])
    orders["likeliest" if best else "drawn"] = decide_above(Sampled.mean(fewer), 0)
    print(f"model, {'likeliest' if best else 'drawn'} words: the most certain first, less from left to right, "
          f"{mean_interval(-fewer).value:+.1f} points impossible ({mean_interval(-fewer).low:+.1f} to "
          f"{mean_interval(-fewer).high:+.1f}); is it better? {decide_above(Sampled.mean(fewer), 0)}")

# %% id="say-mode" tags=["nbval-ignore-output"]
rarer = mean_interval(100.0 * misses[CERTAIN_FIRST] - 100.0 * misses[LEFT_FIRST])
Markdown(f"""
So is it better to begin with what is certain than from the left? For this model and this language: {"; ".join(
    f"{words} words, {decision}" for words, decision in orders.items())}. The exact reader misses the likeliest pair in
{rarer.value:+.1f} points of the sentences more ({rarer.low:+.1f} to {rarer.high:+.1f}) than from left to right. What
is seen in the figure is one pass against turns; which order the turns have is a much smaller matter.
""")

# %% [markdown] id="why-distance"
# ## 4 · Who depends on whom
#
# The article goes on: "The losses are only truly independent if no two masked tokens are adjacent". That is a statement
# about a language, and there is a number for it: the **conditional mutual information** of two blanks, given everything
# that is visible. With $Z$ for all visible words,
#
# $$I(X; Y \mid Z) = H(X, Z) + H(Y, Z) - H(X, Y, Z) - H(Z).$$
#
# It is 0 where the two blanks are independent whatever the visible words are, and only there.

# %% id="ex-information-given"
# exercise: 14.information-given
def information_given(table):
    """What two blanks tell about each other when the rest is known: I(X; Y | Z), in nats.

    table: (K, L, C), p(x, y, z), sums to one, with zeros in it; the last axis is all that is visible, as one variable.
    Returns a float.
    """
    # Where to start: four entropies. Which axes have to be summed out for each of them?
    # <solution>
    def H(p):
        p = p[p > 0]
        return -(p * np.log(p)).sum()

    return H(table.sum(axis=1)) + H(table.sum(axis=0)) - H(table) - H(table.sum(axis=(0, 1)))
    # </solution>


# %% id="check-information-given"
check("14.information-given", information_given)

# %% [markdown] id="distance-how"
# Three small languages of three words, with sentences of eight, so that all 6,561 sentences can be listed. In a
# **first-order chain** a word hangs on the one before it. In a **second-order chain** it hangs on the two before it. In
# a **hidden Markov model** there is a chain of states that nobody sees, and each word hangs on its state. Two words are
# hidden, at a distance, and all others are visible. Beside them the scene language, sentence by sentence.

# %% id="measure-distance"
from mlm_mini.experiments.joint.chains import information_by_distance, small_languages

reach = {name: information_by_distance(table) for name, table in small_languages().items()}
many = hide_words(language, 1_200, 2, np.random.default_rng(1430))
gaps = np.diff(many.positions, axis=1)[:, 0]
nats = np.array([tc_of(language.joint(ids, places)) for ids, places in zip(many.hidden, many.positions)])
scenes = [mean_interval(nats[gaps == d]) for d in range(1, 6)]
for name, values in reach.items():
    print(f"{name:20}", *(f"distance {d}: {x:.5f}  " for d, x in enumerate(values, 1)))
print(f"{'scenes':20}", *(f"distance {d}: {e.value:.3f} ± {e.high - e.value:.3f}" for d, e in enumerate(scenes, 1)))

# %% id="fig-distance" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7.5, 3.6)
SMALLEST = 1e-5  # what is smaller is drawn on the floor
for (name, values), style, color in zip(reach.items(), ("o-", "s--", "D:"), (figures.BLUE, figures.GREEN, figures.RED)):
    distances = np.arange(1, len(values) + 1)
    ax.plot(distances, np.maximum(values, SMALLEST), style, color=color, label=name)
middle, low, high = np.array(scenes).T
ax.errorbar(range(1, 6), middle, [middle - np.maximum(low, SMALLEST), high - middle], fmt="^-.", color=figures.BLACK,
            capsize=3, label="scenes (95% over sentences;\nto the floor: reaches 0)")
ax.axhspan(SMALLEST / 2, SMALLEST, color="0.85", linewidth=0)
ax.text(1, SMALLEST * 0.7, "exactly 0", va="center", fontsize=9)
ax.set(yscale="log", ylim=(SMALLEST / 2, 8), xticks=range(1, 6), xlabel="distance of the two blanks (words)",
       ylabel="I(X; Y | all others) (nats)")
ax.legend(loc="upper center", ncols=2, fontsize=9)
far = [name for name, values in reach.items() if values[1:].max() > 1e-12]
ax.set_title(f"Not adjacent, and yet dependent in {len(far)} of the {len(reach)} languages that are listed")
figures.show(figure, alt="Conditional mutual information by distance, in nats: " + "; ".join(
    f"{name} " + ", ".join(f"{x:.5f}" for x in values) for name, values in reach.items())
    + "; scenes " + ", ".join(f"{e.value:.3f}" for e in scenes) + ".")

# %% [markdown] id="distance-note"
# So "not adjacent" is enough in a first-order chain, where a visible word between two blanks cuts them apart. It is not
# enough where words hang on what stands further back, or on something that nobody sees, and language has both: a
# sentence is *about* something. In the scene language it is the scene that ties the verb to what stands at the end.
#
# Taken by the letter the sentence says *only if*: where two blanks are adjacent, their losses depend on each other.
# That is so where words depend on their neighbors at all; if any word may follow any other alike, adjacent blanks are
# independent. And all blanks of the sentence count: with the word between them hidden as well, which the article rules
# out, two blanks at distance 2 depend on each other in a first-order chain too.

# %% id="measure-only"
from mlm_mini.experiments.joint.chains import FIRST_ORDER, first_order
from mlm_mini.experiments.joint.measures import conditional_information

even = first_order(np.full(3, 1 / 3), np.full((3, 3), 1 / 3), 6)
print(f"words drawn on their own, adjacent blanks: {information_by_distance(even)[0]:.5f} nats")
chain = small_languages()[FIRST_ORDER]
for words, given in (("between them visible", [0, 2, 4, 5, 6, 7]), ("between them hidden", [0, 4, 5, 6, 7])):
    print(f"first-order chain, two blanks at distance 2, the word {words}: "
          f"{conditional_information(chain, 1, 3, given):.5f} nats")

# %% [markdown] id="why-losses"
# ## 5 · Words, losses, gradients
#
# Independent *words* are one thing, independent *losses* another, and *gradients* a third. Take the first-order chain
# and two blanks at distance 2, which are independent given all that is visible. A covariance has two parts:
#
# $$\mathrm{Cov}(A, B) = \underbrace{E\big[\mathrm{Cov}(A, B \mid Z)\big]}_{\text{within a context}} +
# \underbrace{\mathrm{Cov}\big(E[A \mid Z],\, E[B \mid Z]\big)}_{\text{between contexts}}.$$
#
# The first is what is left where the visible words are given. The second comes from the visible words alone: an easy
# context makes both losses small. Here is a model that is nothing but a table, a softmax for each pair of neighbors,
# the same at every place, so that all blanks share its parameters. Everything is listed and nothing drawn.

# %% id="measure-losses"
from mlm_mini.experiments.joint.losses import (all_sentences, blank_gradients, blank_losses, exact_scores,
                                                one_pass_losses, parted_correlation)
from mlm_mini.experiments.joint.measures import marginal

chain, sentences = small_languages()[FIRST_ORDER], all_sentences(3, 8)
pairs = marginal(chain, [0, 1])
perfect = exact_scores(pairs / pairs.sum(axis=1, keepdims=True))
untrained, half = 0.0 * perfect, 0.5 * perfect  # half knows the direction, and not how far
for name, table in small_languages().items():
    of_loss = [parted_correlation(*one_pass_losses(table, 1, 1 + d), table, 1, 1 + d).within for d in (1, 2, 3)]
    print(f"{name:20} losses, correlation within a context at distance 1, 2, 3:", *(f"{abs(x):.4f}" for x in of_loss))
parts = {}
for name, of, scores in (("losses, perfect model", blank_losses, perfect),
                         ("gradients, perfect model", blank_gradients, perfect),
                         ("gradients, half-trained", blank_gradients, half),
                         ("gradients, untrained", blank_gradients, untrained)):
    parts[name] = parted_correlation(of(scores, sentences, 2), of(scores, sentences, 4), chain, 2, 4)
    print(f"{name:26} within a context {round(parts[name].within, 4) + 0.0:+.4f}, between contexts "
          f"{round(parts[name].between, 4) + 0.0:+.4f}")

# %% id="fig-losses" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7.5, 2.8)
place = np.arange(len(parts))[::-1]
for shift, part, color, hatch in ((0.2, "within", figures.BLUE, ""), (-0.2, "between", figures.ORANGE, "//")):
    sizes = np.array([getattr(one, part) for one in parts.values()])
    ax.barh(place + shift, sizes, 0.36, color=color, hatch=hatch, edgecolor="white", label=f"{part} contexts"
            if part == "between" else "within a context")
    for y, x in zip(place + shift, sizes):
        ax.text(x, y, f" {round(x, 3) + 0.0:.3f}", va="center", fontsize=9)
ax.axvline(0, color=figures.BLACK, linewidth=1)
ax.set_yticks(place, list(parts))
ax.set(xlabel="part of the correlation of two blanks at distance 2")
ax.set_xlim(right=1.2 * max(one.between for one in parts.values()))
ax.grid(axis="y", visible=False)
ax.legend(loc="lower right")
loss_part, gradient_part = (parts[f"{what}, perfect model"].between for what in ("losses", "gradients"))
ax.set_title(f"Perfect model: losses correlate {loss_part:.2f}, gradients {abs(gradient_part):.2f}")
figures.show(figure, alt="Correlation of two blanks at distance 2 in two parts, exact: " + "; ".join(
    f"{name}: within a context {abs(one.within):.3f}, between contexts {one.between:.3f}"
    for name, one in parts.items()) + ".")

# %% [markdown] id="losses-note"
# Within a context all four are 0: that is what independent words give. But over a corpus the *losses* of two such
# blanks are correlated even for a perfect model, through the word between them, which both read. The *gradients* of a
# perfect model are not: given its context, the expected gradient of a perfect prediction is zero, and a covariance of
# zeros is zero. Before training the expected gradient of a context is not zero, and what two contexts have in common
# shows, here in parameters that all places share. (For gradients, covariances are summed over all parameters, each with
# itself.)
#
# And losses may be independent where words are not. Let three words be heads or tails, with an even number of heads:
# given one of them, each of the other two settles the third. But either by itself is an even choice, whose loss is
# ln 2 whatever comes. A loss that never varies is independent of everything.

# %% id="measure-parity"
from mlm_mini.experiments.joint.measures import table_entropy

heads = np.indices((2, 2, 2)).sum(axis=0)
parity = np.where(heads % 2 == 0, 0.25, 0.0)
given_one = parity[:, :, 0] / parity[:, :, 0].sum()
each = -np.log(given_one.sum(axis=1))
print(f"given the third: the first two tell about each other {tc_of(given_one):.3f} nats of {np.log(2):.3f}; "
      f"their losses in one pass are {each[0]:.3f} and {each[1]:.3f} nats, whatever comes")

# %% [markdown] id="why-agree"
# ## 6 · Do the conditionals agree?
#
# The article sees "a deep connection between MLM and graphical models in statistics, like **Markov Random Fields**". A
# Markov random field is *one* joint distribution, described by what each word prefers given the others. A masked model
# has conditionals $q(x \mid y)$ and $q(y \mid x)$, learned as answers to different questions. Does any joint have both?
# Take two words $x, x'$ for the first blank and $y, y'$ for the second. Any joint has one **log odds ratio**
#
# $$\log \frac{p(x \mid y)\; p(x' \mid y')}{p(x' \mid y)\; p(x \mid y')} \;=\;
# \log \frac{p(y \mid x)\; p(y' \mid x')}{p(y' \mid x)\; p(y \mid x')},$$
#
# because $p(y)$, or $p(x)$, cancels. If the two sides differ for any four words, there is no such joint (Arnold and
# Press 1989).

# %% id="ex-odds-gap"
# exercise: 14.odds-gap
def odds_gap(first_given_second, second_given_first, one, other):
    """The log odds ratio from the one set of conditionals, less that from the other, in nats.

    first_given_second: (K, L), entry [i, j] is p(first = i | second = j); second_given_first: (K, L), entry [i, j] is
    p(second = j | first = i); all above 0. one, other: two pairs (first, second) of word numbers. Returns a float.
    """
    # Where to start: four logarithms of one table, with signs. The other table has the same four places.
    # <solution>
    (a, b), (c, d) = one, other
    p, q = np.log(first_given_second), np.log(second_given_first)
    return (p[a, b] + p[c, d] - p[c, b] - p[a, d]) - (q[a, b] + q[c, d] - q[a, d] - q[c, b])
    # </solution>


# %% id="check-odds-gap"
check("14.odds-gap", odds_gap)

# %% id="measure-four" tags=["nbval-ignore-output"]
from mlm_mini.experiments.joint.readers import conditional_tables


def two_sides(reader, text, firsts, seconds):
    """The log odds ratio of two pairs of words, from p(first | second) and from p(second | first)."""
    ids = language.encode(text)
    words = [np.array([by_name[word] for word in pair]) for pair in (firsts, seconds)]
    tables = conditional_tables(reader, ids, np.flatnonzero(ids == vocabulary.mask_id), words)
    return [float(p[0, 0] + p[1, 1] - p[1, 0] - p[0, 1]) for p in map(np.log, tables)]


fours = (("the [MASK] chased the [MASK] .", ["cat", "kitten"], ["mouse", "bird"]),
         ("the [MASK] [MASK] the bread .", ["chef", "mother"], ["cuts", "bakes"]),
         ("the [MASK] cuts the [MASK] .", ["chef", "mother"], ["bread", "cheese"]),
         ("the [MASK] visited the [MASK] because he needed glory .", ["surgeon", "mother"], ["prince", "sergeant"]))
for text, firsts, seconds in fours:
    for name, reader in (("exact", exact), ("model", model)):
        one, other = (round(side, 3) + 0.0 for side in two_sides(reader, text, firsts, seconds))
        print(f"{name}: {'/'.join(firsts):15}{'/'.join(seconds):16} {one:+.3f} from p(first | second), "
              f"{other:+.3f} from p(second | first)")

# %% [markdown] id="why-weather"
# In the first three sentences the exact ratio is 0: within one scene the words of this language are drawn on their own.
# In the last, *he* may be either person: two readings are mixed, and the ratio is neither 0 nor infinite. From both
# sides the exact answers are the same, and the model's are not; but four words are an anecdote. The study that comes
# with the course lists everything: a chain of six words, sentences of eight, in which any word may follow any other, so
# that no logarithm is infinite. Models learn it, with six seeds, and are looked at on the way: all conditionals of two
# adjacent blanks, in 40 fixed contexts.

# %% id="show-study"
study = find_experiment("joint_agreement").shipped()
exact_gap = study.exact_of("gap")
print(f"who knows the language: the gap is 0 within 1e-12 nats: {exact_gap < 1e-12}")
for step, gap, size in zip(study.config.looks, study.of("gap").T, study.of("size").T):
    print(f"after {step:5} steps: log odds ratios {mean_interval(size).with_margin()}, gap between the two "
          f"{mean_interval(gap).with_margin()} nats")

# %% id="fig-study" tags=["nbval-ignore-output"]
study.show()

# %% id="say-study"
relative = [mean_interval(column) for column in study.relative_gap.T]
peak = study.of("gap").mean(axis=0)
Markdown(f"""
Before training the two sides differ by {peak[0]:.3f} nats, after {study.config.looks[peak.argmin()]} steps by
{peak.min():.3f}, after {study.config.looks[peak.argmax()]} by {peak.max():.3f}, and at the end by {peak[-1]:.3f}. A
model that says nearly the same everywhere is nearly consistent, so that a small gap in nats may mean that little has
been learned. What tells more is the gap in terms of the log odds ratios themselves. At the looks after
{", ".join(map(str, study.config.looks))} steps it is {", ".join(f"{e.value:.0%}" for e in relative)} of them: before
training all there is to see is the noise of the first weights; at the end the interval is {relative[-1].low:.0%} to
{relative[-1].high:.0%}, over {study.config.seeds} seeds. It is
zero at none of the looks: nothing in the loss of one blank asks whether its answer fits that of another.
""")

# %% [markdown] id="why-gibbs"
# ## 7 · Gibbs sampling
#
# There is a way to draw sentences from conditionals alone. Fill the blanks with anything. Then hide one of them, draw
# it anew given all others, and go on with the next, round after round. That is **Gibbs sampling** (Geman and Geman
# 1984). Where the conditionals belong to one joint, and from every possible pair there is a way to every other, the
# words of late rounds are draws from it. Where they belong to none, the rounds still settle, on a **stationary law**
# that one more round leaves as it is.
#
# For two blanks that law can be had without a single draw: not words are sent through the rounds but a whole
# distribution over pairs, $\pi(x, y)$. To draw $x$ anew is to forget it and to put in the conditional:
#
# $$\pi(x, y) \;\leftarrow\; p(x \mid y) \sum_{x'} \pi(x', y), \qquad
# \pi(x, y) \;\leftarrow\; p(y \mid x) \sum_{y'} \pi(x, y').$$

# %% id="ex-gibbs"
# exercise: 14.gibbs
def gibbs(first_given_second, second_given_first, rounds):
    """The distribution over pairs after some rounds of Gibbs sampling, from an even start.

    first_given_second: (K, L), each column sums to one; second_given_first: (K, L), each row sums to one. In a round,
    the first word is drawn anew, then the second. Returns (K, L); for 0 rounds the even distribution.
    """
    # Where to start: an even table. Which sum forgets the first word, and keeps the second?
    # <solution>
    law = np.full(first_given_second.shape, 1 / first_given_second.size)
    for _ in range(rounds):
        law = first_given_second * law.sum(axis=0, keepdims=True)
        law = second_given_first * law.sum(axis=1, keepdims=True)
    return law
    # </solution>


# %% id="check-gibbs"
check("14.gibbs", gibbs)

# %% [markdown] id="gibbs-how"
# For exact conditionals of the study's chain, in which no pair is impossible, the law is the joint, and so is what two
# steps from left to right give. What about those of a
# model? The study has three ways to make a joint of a trained model's answers, each with its distance from the exact
# joint. And there is a fourth, which looks like the definition of a Markov random field: take the sum of all
# log-conditionals for the logarithm of a joint, up to a constant. Wang and Cho (2019) read BERT much like this, with
# its logits, and Cho took it back in a correction: every term hangs on every word, so that the conditionals of *that*
# field are not those that it was made of. The exact conditionals show it best.

# %% id="measure-laws"
from mlm_mini.experiments.joint.conditionals import conditionals_of, energy_law, gibbs_law
from mlm_mini.experiments.joint.measures import kl_tables
from mlm_mini.experiments.joint.study import draw_contexts

contexts = draw_contexts(study.config.contexts)
joints = [joint for *_, joint in contexts]
laws = [gibbs_law(conditionals_of(joint)) for joint in joints]
off = max(np.abs(law - joint).max() for law, joint in zip(laws, joints))
field = np.mean([kl_tables(joint, energy_law(conditionals_of(joint))) for joint in joints])
print(f"exact conditionals: Gibbs' law is the joint within 1e-9: {off < 1e-9}")
print(f"exact conditionals: KL from the joint to the field of their logarithms {field:.3f} nats, beside "
      f"{study.total_correlation:.3f} for one pass")
for name in ("one_pass", "in_turn", "gibbs"):
    print(f"models after {study.config.looks[-1]} steps, {name.replace('_', ' '):9}{study.at_end(name).estimate} nats")
print(f"models: the law depends on which blank is drawn last, by a total variation of "
      f"{study.at_end('rounds').estimate}; of who knows the language by {study.exact_of('rounds'):.4f}")

# %% [markdown] id="gibbs-parts"
# One thing can go wrong even with exact conditionals. One word at a time is changed, and never through a sentence that
# cannot be. Between which parts of the possible pairs is there no way?

# %% id="measure-parts"
from mlm_mini.experiments.joint.conditionals import closed_parts

for text in ("the [MASK] chased the [MASK] .", "the [MASK] cuts the [MASK] .", "the [MASK] is [MASK] by the chef ."):
    joint = read_blanks(language, text).joint
    found = closed_parts(joint)
    print(f"{text} {len(found)} part{'s' * (len(found) > 1)}")
    for part in found:
        print(f"    {joint[np.ix_(*part)].sum():4.0%}", " / ".join(", ".join(vocabulary.words(words[:4])) + (
            " ..." if len(words) > 4 else "") for words in part))

# %% [markdown] id="parts-note"
# Never does a dog that chases a cat become an officer who chases a thief: half of that would be a dog and a thief, or
# an officer and a cat. So where some combinations are impossible, the conditionals leave open how likely each part is,
# and a sampler stays in the part in which it began. For a trained model nothing is exactly impossible, so that for it
# there is always a way. Here it starts from what one pass drew. Does it mend that, sweep by sweep?

# %% id="measure-sweeps" tags=["nbval-ignore-output"]
from mlm_mini.experiments.joint.filling import ONE_PASS, gibbs_sweeps

start = fill_blanks(model, blanks, ONE_PASS, np.random.default_rng(1450))
swept = [start, *gibbs_sweeps(model, blanks, start, 8, np.random.default_rng(1451))]
wrong = [mean_interval(100.0 * np.isneginf(judged(blanks, ids))) for ids in swept]
in_turns = filled["model", False, LEFT_FIRST][0]
for sweep in (0, 1, 2, 4, 8):
    print(f"after {sweep} sweeps {wrong[sweep].value:4.1f}% impossible ({wrong[sweep].low:.1f} to "
          f"{wrong[sweep].high:.1f})")
print(f"filled from left to right, {in_turns.value:.1f}% ({in_turns.low:.1f} to {in_turns.high:.1f})")

# %% id="fig-sweeps" tags=["nbval-ignore-output"]
figure, (ax,) = figures.new_figure(7, 3.0)
middle, low, high = np.array(wrong).T
ax.errorbar(range(9), middle, [middle - low, high - middle], fmt="o-", color=figures.ORANGE, capsize=3)
ax.axhspan(in_turns.low, in_turns.high, color=figures.SKY, alpha=0.35, linewidth=0)
ax.axhline(in_turns.value, color=figures.BLUE, linestyle="--")
ax.text(8, in_turns.high, "filled from left to right", ha="right", va="bottom", color=figures.BLUE)
ax.set(xlabel="sweeps of Gibbs sampling after one pass", ylabel="impossible sentences (%)", ylim=(0, None))
ax.set_title(f"The first sweep: {wrong[0].value:.0f}% to {wrong[1].value:.0f}%; seven more: {wrong[-1].value:.0f}%")
figures.show(figure, alt="Share of impossible sentences by sweeps, 95% intervals over 800 sentences: " + ", ".join(
    f"{s.value:.1f}%" for s in wrong) + f". Filled from left to right {in_turns.value:.1f}%.")

# %% id="say-sweeps" tags=["nbval-ignore-output"]
off = np.array([100.0 * np.isneginf(judged(blanks, ids)) for ids in swept])
first_sweep, later = mean_interval(off[0] - off[1]), mean_interval(off[1] - off[8])
fewer = 100.0 * ~said_by["model", False, LEFT_FIRST] - off[8]
left, sweeps_win = mean_interval(fewer), decide_above(Sampled.mean(fewer), 0)
Markdown(f"""
The first sweep mends {first_sweep.value:.1f} points ({first_sweep.low:.1f} to {first_sweep.high:.1f}, the same
sentences before and after), the other seven {later.value:+.1f} ({later.low:+.1f} to {later.high:+.1f}). What one
turn from the left leaves impossible, less what eight sweeps leave, is {left.value:+.1f} points ({left.low:+.1f} to
{left.high:+.1f}); are sweeps better? {sweeps_win}. Where it ends is not the law of the language but that of the
model's own conditionals, however many sweeps there are.
""")

# %% [markdown] id="why-pll"
# ## 8 · Scoring a sentence
#
# How likely is a whole sentence? A causal model multiplies its way through. For a masked model chapter 08 built the
# **pseudo-log-likelihood** (after Besag 1975; for masked models Salazar and others 2020): hide one word at a time, add
# up what the model says of each, with all others in sight.
#
# $$\mathrm{PLL}(x) = \sum_t \log p(x_t \mid \text{all words but } x_t).$$
#
# It is no log-likelihood. Each word is scored with the others in sight, and *they* are scored with it in sight: what
# two words share is never paid for. Two words cost $H(X) + H(Y)$ in one pass, $H(X) + H(Y) - I$ by their joint, and
# $H(X) + H(Y) - 2I$ by minus the PLL. With exact conditionals it is on average too high by exactly
#
# $$E[\mathrm{PLL}] - E[\log p] = H(X_1, \dots, X_n) - \sum_t H(X_t \mid \text{all others}),$$
#
# which is called the *dual* total correlation (Han 1978); for two words it is $I$. One pass over a sentence of blanks
# pays what words share too often, and the pseudo-log-likelihood never. A model's conditionals add mistakes of their
# own.

# %% id="measure-pll" tags=["nbval-ignore-output"]
from mlm_mini.experiments.joint.measures import dual_total_correlation
from mlm_mini.experiments.joint.pseudo import pseudo_log_likelihood as pll_of

chain = small_languages()[FIRST_ORDER]
entropy, above, below = table_entropy(chain), tc_of(chain), dual_total_correlation(chain)
print(f"the first-order chain of section 4, 8 words: entropy {entropy:.2f} nats, one pass over 8 blanks "
      f"{entropy + above:.2f}, minus PLL {entropy - below:.2f}")
sample = language.sample(400, np.random.default_rng(1460)).ids
likely, scored = language.log_marginal(sample), {"exact": pll_of(exact, sample), "model": pll_of(model, sample)}
for who, pll in scored.items():
    over = mean_interval(pll - likely)
    print(f"scenes, {who}: PLL {pll.mean():.2f}, log-likelihood {likely.mean():.2f}, too high by {over.value:.2f} "
          f"({over.low:.2f} to {over.high:.2f}) nats; their correlation {np.corrcoef(pll, likely)[0, 1]:.2f}")
pick = np.random.default_rng(1461).integers(len(sample), size=(20_000, 2))
for who, pll in scored.items():
    swapped = np.mean((np.diff(pll[pick]) > 0) != (np.diff(likely[pick]) > 0))
    print(f"{who}: of two sentences, PLL prefers the less likely one in {swapped:.0%}")

# %% [markdown] id="why-pieces"
# It gets worse where words are cut into pieces (chapter 07). Whoever sees the end of a long word can tell its
# beginning, so that long rare words score as if they were easy. Kauf and Ivanova (2023) hide, at each piece, the
# *later* pieces of the same word as well. Then the pieces of a word pay together what the word pays:
#
# $$p(\text{piece}_1 \mid \text{context}) \; p(\text{piece}_2 \mid \text{piece}_1, \text{context}) = p(\text{word} \mid
# \text{context}).$$

# %% id="ex-hidden-pieces"
# exercise: 14.hidden-pieces
def hidden_pieces(words):
    """What is hidden while each piece is scored: the piece itself and the later pieces of its own word.

    words: (T,) integers, the number of the word that each piece belongs to, -1 at [CLS], [SEP] and padding, which are
    never hidden or scored. The pieces of a word stand side by side; numbers need not rise. Returns (T, T) bool, row t
    for piece t; rows of special tokens are False throughout.
    """
    # Where to start: compare every piece with every other: of one word? And at the same place or later?
    # <solution>
    place = np.arange(len(words))
    same_word = words[:, None] == words[None, :]
    not_earlier = place[None, :] >= place[:, None]
    return same_word & not_earlier & (words[:, None] >= 0)
    # </solution>


# %% id="check-hidden-pieces"
check("14.hidden-pieces", hidden_pieces)

# %% [markdown] id="pieces-how"
# To see it exactly, cut the words of the scene language behind their third letter, *gar|dener*, where they have more
# than four. Among so few words the tail nearly names the word, so that this cut is a harsh one. The exact posterior of
# the word gives that of its pieces. How much too high is the plain score of a word?

# %% id="measure-pieces"
from mlm_mini.experiments.joint.pseudo import piece_scores, cut_words

pieces = cut_words(list(vocabulary.tokens))
rows, places = np.nonzero(np.isin(sample, np.flatnonzero(pieces[:, 1] >= 0)))
seen = sample[rows]
seen[np.arange(len(rows)), places] = vocabulary.mask_id
posteriors = language.posterior_at(seen, places[:, None])[:, 0]
scores = np.array([piece_scores(p, pieces, w) for p, w in zip(posteriors, sample[rows, places])])
whole = np.log(posteriors[np.arange(len(rows)), sample[rows, places]])
above = mean_interval(scores[:, 0] - whole)
print(f"{len(rows):,} words of two pieces, {-whole.mean():.2f} nats each on average")
print(f"every other piece in sight: too high by {above.value:.2f} ({above.low:.2f} to {above.high:.2f}) nats; with "
      f"this cut {scores[:, 0].mean() / whole.mean():.0%} of the cost is left")
print(f"later pieces hidden: off by at most 1e-9: {np.abs(scores[:, 1] - whole).max() < 1e-9}")

# %% id="fig-pieces" tags=["nbval-ignore-output"]
figure, (left, right) = figures.new_figure(10, 3.6, columns=2)
left.plot(likely, scored["exact"], ".", color=figures.BLUE, markersize=4)
left.plot([likely.min(), 0], [likely.min(), 0], color=figures.BLACK, linewidth=1)
left.text(likely.min(), likely.min(), "  equal", va="top", fontsize=9)
left.set(xlabel="exact log-likelihood (nats)", ylabel="exact PLL (nats)")
left.set_title(f"Every sentence seems likelier: by {(scored['exact'] - likely).mean():.1f} nats on average")
right.plot(-whole, -scores[:, 0], ".", color=figures.RED, markersize=4, label="other pieces in sight")
right.plot(-whole, -scores[:, 1], "x", color=figures.GREEN, markersize=3, label="later pieces hidden")
right.set(xlabel="surprisal of the word (nats)", ylabel="surprisal of its two pieces (nats)")
right.legend(fontsize=9)
right.set_title(f"With this cut, pieces keep {scores[:, 0].mean() / whole.mean():.0%} of the surprisal, or all")
figures.show(figure, alt=f"Left, exact PLL against log-likelihood of {len(sample)} sentences: on average higher by "
             f"{(scored['exact'] - likely).mean():.2f} nats, correlation "
             f"{np.corrcoef(scored['exact'], likely)[0, 1]:.2f}. "
             f"Right, {len(rows)} words in two pieces: with the other piece in sight they cost "
             f"{-scores[:, 0].mean():.2f} nats, with the later one hidden {-scores[:, 1].mean():.2f}, as the word.")

# %% [markdown] id="clinic"
# ## 9 · Bug clinic of Part IV
#
# Four patients, from chapters 12 to 14; what is needed of the first two is said here. Their code runs, and what they
# conclude is wrong. Run the check first to see the symptom, then find the cause.

# %% [markdown] id="clinic-neighbors-story"
# ### My model knows only frequent words
#
# *"I looked up the nearest neighbors of fifty words. It is always the same ten, most of them frequent words with long
# vectors; and in first place stands the word itself. The model has learned frequency and no meaning."*
#
# The **cosine** of two vectors is that of the angle between them: their dot product, divided by both lengths.

# %% id="ex-clinic-neighbors"
# exercise: 14.clinic-neighbors
def neighbors(vectors, word, n):
    """The n words nearest to a word by cosine, the nearest first, without the word itself.

    vectors: (V, D), none of them zero, of any length; word: its number. No two words are equally near. Returns (n,)
    integers.
    """
    # Where to start: what does a cosine divide by? And who is nearest to a word?
    # <broken>
    #| scores = vectors @ vectors[word]
    #| return np.argsort(-scores)[:n]
    # </broken>
    # <solution>
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scores = unit @ unit[word]
    scores[word] = -np.inf
    return np.argsort(-scores)[:n]
    # </solution>


# %% id="check-clinic-neighbors"
check("14.clinic-neighbors", neighbors)

# %% [markdown] id="clinic-split-story"
# ### A perfect probe
#
# *"My probe tells animals from people in 99% of the cases, on tokens that it has never seen: every fifth token is held
# out. A colleague gave it random vectors, one for each word, and got 99% too. Random vectors must know a lot."*
#
# A **probe** is a small classifier that is trained to read a property off a model's vectors.

# %% id="ex-clinic-split"
# exercise: 14.clinic-split
def held_out(words):
    """Which tokens a probe of a property of words is tested on: all those of every fifth word, and no others.

    words: (N,) integers, the word of each token, in any order. Of the words that occur, in order of their numbers,
    every fifth is held out, beginning with the first. Returns (N,) bool.
    """
    # Where to start: which words have the training tokens in common with the test tokens?
    # <broken>
    #| return np.arange(len(words)) % 5 == 0
    # </broken>
    # <solution>
    _, number = np.unique(words, return_inverse=True)
    return number % 5 == 0
    # </solution>


# %% id="check-clinic-split"
check("14.clinic-split", held_out)

# %% [markdown] id="clinic-sweep-story"
# ### A sampler that does not move
#
# *"I begin with a random filling and run Gibbs sampling, here with the likeliest word in place of a draw. After a
# thousand sweeps the random words still stand there. Some sentences flip between two fillings for ever."*

# %% id="ex-clinic-sweep"
# exercise: 14.clinic-sweep
def sweep(ids, places, mask_id, ask):
    """One sweep over some places, in the order given: each gets its likeliest word given all the others as they are.

    ids: (T,) integers, words everywhere; places: (m,) integers; ask(ids) gives the distributions (T, V) at all
    positions of such an array, in which mask_id hides a word. Returns (T,).
    """
    # Where to start: what does the reader see at the place it is asked about? And at the places done before?
    # <broken>
    #| ids = ids.copy()
    #| p = ask(ids)
    #| ids[places] = p[places].argmax(axis=1)
    #| return ids
    # </broken>
    # <solution>
    ids = ids.copy()
    for t in places:
        ids[t] = mask_id
        ids[t] = ask(ids)[t].argmax()
    return ids
    # </solution>


# %% id="check-clinic-sweep"
check("14.clinic-sweep", sweep)

# %% [markdown] id="clinic-candidates-story"
# ### San Diego or San Francisco?
#
# *"A blank may hold a name of several pieces. I put in as many `[MASK]` as the name has, ask once, and take the mean of
# the log-probabilities, so that long names are not at a disadvantage. The model believes in names that do not exist,
# such as New Francisco."*

# %% id="ex-clinic-candidates"
# exercise: 14.clinic-candidates
def score(before, pieces, after, mask_id, ask):
    """log p(all pieces of a name in the gap | the words around it), filled from left to right, in nats.

    before, after: (A,) and (Z,) integers, what stands around the gap; pieces: (n,) integers, n at least 1; ask(ids)
    takes one sentence (T,) with mask_id where something is hidden and gives log-probabilities (T, V). The gap is as
    long as the name. Returns a float.
    """
    # Where to start: when the second piece is asked for, what should stand in the place of the first?
    # <broken>
    #| ids = np.concatenate([before, np.full(len(pieces), mask_id), after])
    #| place = len(before) + np.arange(len(pieces))
    #| return ask(ids)[place, pieces].mean()
    # </broken>
    # <solution>
    ids = np.concatenate([before, np.full(len(pieces), mask_id), after])
    nats = 0.0
    for t, piece in enumerate(pieces, start=len(before)):
        nats += ask(ids)[t, piece]
        ids[t] = piece
    return nats
    # </solution>


# %% id="check-clinic-candidates"
check("14.clinic-candidates", score)

# %% [markdown] id="recap"
# ## Recap
#
# The verdicts are those of `python3 course.py claims`, computed from the figures by the rules that the next cell
# prints. *Exact* figures have no interval; the others are over sentences, for one model, or over the seeds of the
# study.

# %% id="recap-rules" tags=["nbval-ignore-output"]
from mlm_mini.experiments.claims.claim import Effort
from mlm_mini.experiments.claims.all_claims import measure_claims

claims = {row.claim.id: row for row in measure_claims(Effort(), ["joint", "adjacency", "mrf"])}
for name, row in claims.items():
    print(f"{name:10}{row.claim.figure}:\n{'':10}{row.claim.rule}")

# %% id="recap-table" tags=["nbval-ignore-output"]
joint_row, adjacency, mrf = (claims[name] for name in ("joint", "adjacency", "mrf"))


def of_blanks(name):
    """A figure of the claim for two blanks and for three, with intervals."""
    found = ((m, joint_row.finding.figures[f"{name}, {m} blanks"]) for m in ("two", "three"))
    return ", ".join(f"{m} blanks {f.value:+.3f} ({f.low:+.3f} to {f.high:+.3f})" for m, f in found)


def verdicts_of(decisions):
    return "; ".join(f"{m} blanks: {decision}" for m, decision in decisions.items())


turns = {m: decide_above(joint_row.finding.figures[f"in turn, {m} blanks"], 0) for m in ("two", "three")}
reached = {name: figure.value for name, figure in adjacency.finding.figures.items()}
gap_now = mrf.finding.figures["gap of trained models"]
Markdown(f"""
| the article this course grew from | measured in this chapter | verdict |
|---|---|---|
| "the model does not predict them independently" | nats saved in sentences of any length. Beside the best that \
independent guesses can do, the model in one pass: {of_blanks("one pass")}; in turn: {of_blanks("in turn")}. In turn, \
beside its own one pass: {of_blanks("in turn beside its own one pass")} | \
**{verdicts_of(joint_row.finding.verdicts)}** |
| "The prediction for the first `[MASK]` influences the prediction for the second" | in one pass there is nothing that \
could; once *officer* is written and the second blank asked again, it moves by \
{chase.moved(by_name["officer"])[0]:.2f} nats in the language | as above |
| "The model is implicitly learning about the joint probability of the missing words" | with the true words to the \
left in place, its answers in turn are better than the best product by {of_blanks("in turn")} nats | \
**{verdicts_of(turns)}** |
| "The losses are only truly independent if no two masked tokens are adjacent" | largest conditional information of \
blanks that are not adjacent: {", ".join(f"{name} {value:.4f}" for name, value in reached.items())} nats | \
**{adjacency.verdict}** |
| and independent losses | two blanks that are independent given the rest: losses correlated by \
{parts["losses, perfect model"].correlation:.3f} over the corpus, gradients by \
{abs(parts["gradients, perfect model"].correlation):.3f} for a perfect model and \
{parts["gradients, untrained"].correlation:.3f} before training | three different questions |
| "a deep connection between MLM and graphical models in statistics, like Markov Random Fields" | exact conditionals: \
gap 0, Gibbs' law is the joint where every pair can be reached. Trained models: gap \
{gap_now.value:.3f} nats ({gap_now.low:.3f} to {gap_now.high:.3f}) | **{mrf.verdict}** |
""")

# %% [markdown] id="recap-note"
# What this does not say: the languages are small and their exact answers known, which is why anything could be said
# exactly. In real text nobody knows the total correlation of two blanks. What carries over is what does not depend on
# the language: one pass factorizes; turns do not; conditionals that were learned apart need not fit together; and a
# score that sees the answer's other half never pays for what the halves share.

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - Satosi Watanabe (1960). Information theoretical analysis of multivariate correlation. *IBM Journal of Research and
#   Development* 4. Total correlation.
# - Te Sun Han (1978). Nonnegative entropy measures of multivariate symmetric correlations. *Information and Control*
#   36. Its dual.
# - Julian Besag (1975). Statistical analysis of non-lattice data. *The Statistician* 24. Pseudo-likelihood.
# - Stuart Geman and Donald Geman (1984). Stochastic relaxation, Gibbs distributions, and the Bayesian restoration of
#   images. *IEEE Transactions on Pattern Analysis and Machine Intelligence* 6.
# - Barry C. Arnold and S. James Press (1989). Compatible conditional distributions. *Journal of the American
#   Statistical Association* 84.
# - David Heckerman, David Maxwell Chickering, Christopher Meek, Robert Rounthwaite and Carl Kadie (2000). Dependency
#   networks for inference, collaborative filtering, and data visualization. *Journal of Machine Learning Research* 1.
#   Gibbs sampling from conditionals that do not fit together.
# - Alex Wang and Kyunghyun Cho (2019). BERT has a mouth, and it must speak: BERT as a Markov random field language
#   model. *NeuralGen workshop, NAACL*. arXiv 1902.04094; Cho's correction (2019), "BERT has a mouth and must speak, but
#   it is not an MRF", says why it is none.
# - Marjan Ghazvininejad, Omer Levy, Yinhan Liu and Luke Zettlemoyer (2019). Mask-Predict: Parallel decoding of
#   conditional masked language models. *EMNLP*.
# - Julian Salazar, Davis Liang, Toan Q. Nguyen and Katrin Kirchhoff (2020). Masked language model scoring. *ACL*. arXiv
#   1910.14659.
# - Kartik Goyal, Chris Dyer and Taylor Berg-Kirkpatrick (2022). Exposing the implicit energy networks behind masked
#   language models via Metropolis-Hastings. *ICLR*. A field made of a masked model, sampled as such.
# - Lucas Torroba Hennigen and Yoon Kim (2023). Deriving language models from masked language models. *ACL*. Joints made
#   of conditionals that do not fit together.
# - Carina Kauf and Anna Ivanova (2023). A better way to do masked language model scoring. *ACL*. arXiv 2305.10588.
#
# Next: chapter 15 takes all of this beyond English.
