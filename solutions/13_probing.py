# ---
# jupyter:
#   course:
#     title: Probing
#     question: Does the model know who does what to whom, and does it use it?
#     minutes: 170
#     prerequisites: Chapters 05, 07 and 08
# ---

# %% [markdown] id="header"
# # 13 · Probing
#
# **Does the model know who does what to whom, and does it use it?**
#
# You will be able to
#
# - fit a linear probe on the frozen vectors of a model, and say what its accuracy is worth;
# - build the controls without which it is worth little: new words, a control task, random weights, the bare text;
# - compute exactly how well anybody could tell the role of a noun, from any words that are left to read;
# - measure what hiding a word costs, with an interval, beside what it must cost;
# - take a direction out of a vector, and see whether the predictions miss it more than anything else that is as large.
#
# *170 minutes. Prerequisites: chapters 05, 07 and 08. The probes of this page read the model of chapter 07, a single
# one; the intervals over models come from a study that ships with the course. Everything runs on the CPU, in about a
# minute; on a GPU nothing changes.*

# %% [markdown] id="how-it-works"
# `hint("13.bag-of-words")` in a new cell gives one step of help at a time, and `failing("13.bag-of-words")` hands you
# the smallest input that failed, with both answers. The cells between the exercises use `mlm_mini`'s versions, so they
# run before yours do.

# %% id="setup"
import numpy as np

from mlm_mini import figures
from mlm_mini.course import check, failing, hint
from mlm_mini.experiments import mean_interval
from mlm_mini.languages import ROLE_AGENT, ROLE_PATIENT, scene_language

language = scene_language()
vocabulary = language.vocabulary

# %% [markdown] id="why-roles"
# ## 1 · Who does what to whom
#
# In *the officer arrests the thief* the officer acts and the thief is acted upon. Linguists call the first an
# **agent** and the second a **patient**: its **semantic role**. It is not the place in the sentence: in *the thief is
# arrested by the officer* the patient comes first, and in *the soldier falls* the only noun is no agent: falling is
# not done, it happens to somebody. The scene language says the role of each noun. The plan of the article this course
# grew from: freeze a trained model, fit a simple classifier on its vectors, the **probe**, and see how often it names
# the role.
#
# How often would be good? Look at the words first.

# %% id="show-lemmas"
from mlm_mini.experiments.probing.nouns import SENTENCE_KINDS, ROLES_ASKED, role_task

sample = language.sample(100_000, np.random.default_rng(1301))
asked = np.isin(sample.roles, ROLES_ASKED)
agent, word = sample.roles[asked] == ROLE_AGENT, sample.ids[asked]
agents, all_of = (np.bincount(w, minlength=len(vocabulary)) for w in (word[agent], word))
best_by_word = np.maximum(agents, all_of - agents).sum() / all_of.sum()
print(f"of {asked.sum():,} agents and patients {agent.mean():.0%} are agents")
print(f"who knows nothing but the word is right in {best_by_word:.0%}")
for noun in ("chef", "bread", "officer", "thief", "soldier", "cat"):
    i = vocabulary.ids([noun])[0]
    print(f"    {noun:8} agent in {agents[i] / all_of[i]:.0%}")

# %% [markdown] id="why-balanced"
# Chefs only ever act, and bread never does. A classifier that never reads the sentence does very well on such nouns,
# and so does one that always says *agent* where agents are common. Against the second there is a better measure. Let
# the **recall** of a role be the share of its nouns that are recognized. The **balanced accuracy** is the mean of both
# recalls, and whoever always says the same gets one half:
#
# $$\frac{1}{2} \Big( \frac{\#\text{agents called agents}}{\#\text{agents}} +
# \frac{\#\text{patients called patients}}{\#\text{patients}} \Big)$$

# %% id="ex-balanced"
# exercise: 13.balanced-accuracy
def balanced_accuracy(predicted, true):
    """The mean of the two recalls.

    predicted, true: (N,) bool, True for agents; N is at least 1. A role that no noun has is left out of the mean.
    Returns a float.
    """
    # Where to start: the recall of one role is a mean over those nouns that truly have it.
    # <solution>
    recalls = [(predicted[true == role] == role).mean() for role in (False, True) if (true == role).any()]
    return float(np.mean(recalls))
    # </solution>


# %% id="check-balanced"
check("13.balanced-accuracy", balanced_accuracy)

# %% [markdown] id="why-task"
# Against a classifier that knows the words there is a better set of nouns. `role_task` keeps nouns that can be both:
# of each word and each kind of sentence as many agents as patients. Sentences with a pronoun (chapter 08) are left
# out. Three kinds are kept apart: **active** and **passive** sentences, and those whose **subject stands alone**.
# There it is the only agent or patient, and something is done (*the soldier runs*) or happens (*the soldier falls*).

# %% id="show-task"
task = role_task()
nouns = task.draw(2400, np.random.default_rng(1302))
print(len(task.lemmas), "nouns can be both:", ", ".join(task.lemmas[::7]), "...")
for kind, name in enumerate(SENTENCE_KINDS):
    of_kind = nouns.where(nouns.kind == kind)
    print(f"\n{name}: {len(of_kind)} nouns, {of_kind.agent.mean():.0%} agents")
    for role in (True, False):
        i = np.flatnonzero(of_kind.agent == role)[1]
        print(f"    {vocabulary.tokens[of_kind.lemmas[i]]} is the {'agent' if role else 'patient'}:",
              language.decode(of_kind.ids[i]))

# %% [markdown] id="why-folds"
# One confound is left. A probe that has met *thief* a hundred times can learn a rule for thieves. It should learn one
# for agents. So it is tested on words that it never met: the words (linguists say **lemmas**) are dealt into parts,
# the **folds**; each fold is tested by a probe that was fitted on the others. All nouns with the same word lie in one
# fold.

# %% id="ex-folds"
# exercise: 13.lemma-folds
def lemma_folds(lemmas, number, rng):
    """Deals words into folds at random: a fold from 0 to number - 1 for each noun, (N,) integers.

    lemmas: (N,) integers, the id of the word of each noun, in any order; number: how many folds, at most as many as
    there are words; rng: a NumPy Generator, the only one to draw from. Folds have as many words, give or take one,
    though not as many nouns.
    """
    # Where to start: np.unique(..., return_inverse=True) numbers the words, and says which of them each noun is.
    # <solution>
    words, which = np.unique(lemmas, return_inverse=True)
    return (rng.permutation(len(words)) % number)[which]
    # </solution>


# %% id="check-folds"
check("13.lemma-folds", lemma_folds)

# %% [markdown] id="why-exact"
# ## 2 · How well could anybody do?
#
# Before a model is asked, the language is. A scene fixes the role of the noun at a place, so Bayes' rule gives the
# exact probability that the noun is the agent, from whatever words are left to see. With $s$ a scene and $v$ the
# visible words,
#
# $$p(\text{agent} \mid v, \text{ agent or patient}) =
# \frac{\sum_{s:\,\text{agent}} p(s)\, p(v \mid s)}{\sum_{s:\,\text{agent}} p(s)\, p(v \mid s) +
# \sum_{s:\,\text{patient}} p(s)\, p(v \mid s)}.$$

# %% id="ex-posterior"
# exercise: 13.role-posterior
def role_posterior(prior, likelihood, agent, patient):
    """p(the noun is the agent | the visible words, it is agent or patient), for each of N nouns: (N,).

    prior: (S,), p(scene). likelihood: (N, S), p(the visible words of this noun's sentence | scene), often 0.
    agent, patient: (N, S) bool, whether the noun has this role in that scene; in some scenes it has neither. For each
    noun some possible scene has one of the two.
    """
    # Where to start: one number for each noun and scene, p(scene and visible words). Which of them are added up?
    # <solution>
    weights = prior * likelihood
    as_agent = np.where(agent, weights, 0.0).sum(axis=1)
    as_patient = np.where(patient, weights, 0.0).sum(axis=1)
    return as_agent / (as_agent + as_patient)
    # </solution>


# %% id="check-posterior"
check("13.role-posterior", role_posterior)

# %% [markdown] id="ceiling-seen"
# `task.agent_posterior` does that for the scene language, and takes into account which nouns were kept; the tests
# hold it against enumeration. Whoever names the likelier role can expect to be right as often as the table says; with
# as many agents as patients, that is balanced accuracy too. No probe can expect more than this **ceiling**, whatever it
# reads. One word at a time is hidden; in the last row each word but the noun is hidden with chance one half. A dash
# stands where no sentence of the kind has such a word. The noun itself can be seen, or is hidden as well.

# %% id="show-ceiling"
from mlm_mini.experiments.probing.hiding import HIDEABLE, NOTHING, VERB
from mlm_mini.experiments.probing.reading import NOUN_MASKED, NOUN_SEEN, READ_NOUNS, Reader

reader = Reader(task, n=2400, seed=1300)
exact = {(noun, hidden): reader.ceiling(noun, hidden) for noun in READ_NOUNS for hidden in HIDEABLE}
print(f"{'hidden':20}" + "".join(f"{kind:>16}" for kind in SENTENCE_KINDS) + "    (in brackets: the noun hidden too)")
for hidden in HIDEABLE:
    both = zip(exact[NOUN_SEEN, hidden], exact[NOUN_MASKED, hidden], reader.changed(hidden) > 0)
    print(f"{hidden:20}" + "".join(f"{f'{a:.0%} ({b:.0%})' if there or hidden == NOTHING else '–':>16}"
                                   for a, b, there in both))

# %% [markdown] id="ceiling-note"
# Here stands the answer to the article's second question, before any model is asked. In actives and passives the
# place of the noun and the little words tell its role, and the verb is not needed: a reader without it loses nothing.
# Where the subject stands alone, nothing but the verb tells *runs* from *falls*, and without it there is a coin to
# toss. So the accuracy of a probe ought to drop there, and there alone.
#
# ## 3 · What a probe reads
#
# The model gives a vector for each position, after the table of words and positions (layer 0) and after each block.
# For the role of a noun, the vector at the noun is read.

# %% id="ex-vector"
# exercise: 13.nouns-vector
def nouns_vector(states, places):
    """The vectors at the nouns, layer by layer: (L, N, D).

    states: (L, N, T, D), the vectors of N sentences with T positions after each of L layers; places: (N,) integers,
    where the noun of each sentence stands, counted from 0.
    """
    # Where to start: one position for each sentence, not the same for all of them.
    # <solution>
    return states[:, np.arange(states.shape[1]), places]
    # </solution>


# %% id="check-vector"
check("13.nouns-vector", nouns_vector)

# %% [markdown] id="why-bag"
# What a probe finds in a vector may be no achievement of the model: perhaps the bare words would do. So the same probe
# is also fitted on two things that need no model. One is the position of the noun. The other is the **bag of words**:
# how often each token of the vocabulary stands in the sentence, wherever it stands. The noun itself is left out.

# %% id="ex-bag"
# exercise: 13.bag-of-words
def bag_of_words(seen, places, V):
    """How often each token stands in a sentence, the noun itself not counted: (N, V).

    seen: (N, T) ids from 0 to V - 1; places: (N,), the position of each noun. If its word stands a second time
    elsewhere, that one counts.
    """
    # Where to start: an array of zeros. What happens to bag[row, ids] += 1 where an id occurs twice?
    # <solution>
    bag = np.zeros((len(seen), V))
    rows, at = np.nonzero(np.arange(seen.shape[1]) != places[:, None])
    np.add.at(bag, (rows, seen[rows, at]), 1)
    return bag
    # </solution>


# %% id="check-bag"
check("13.bag-of-words", bag_of_words)

# %% [markdown] id="why-probe"
# ## 4 · The probe
#
# A linear probe is a logistic regression: the score $z_n = w \cdot x_n + b$ of a vector is the logarithm of
# $p / (1 - p)$, with $p$ the probability that it gives to *agent*. Fitting means making
#
# $$\mathcal{L}(w, b) = -\sum_n \ln p_n(\text{true role}) + \frac{\lambda}{2} \lVert w \rVert^2$$
#
# small. The second term, the **penalty**, makes large weights costly, so that a few odd nouns cannot bring them about;
# $\lambda$ is chosen on words that are set aside. The gradient has the form that chapter 02 found for the softmax,
# prediction minus truth. With $y_n$ equal to 1 for an agent and 0 for a patient,
#
# $$\nabla_w \mathcal{L} = \sum_n (p_n - y_n)\, x_n + \lambda w, \qquad
# \frac{\partial \mathcal{L}}{\partial b} = \sum_n (p_n - y_n).$$

# %% id="ex-logistic"
# exercise: 13.logistic
def logistic_loss(weights, bias, x, y, penalty):
    """The loss of a probe in nats, and its gradient for the weights, (D,), and for the bias: three values.

    weights: (D,); bias: a number; x: (N, D); y: (N,) bool, True for an agent. The loss is a sum over nouns, as in the
    equation, and the bias is not penalized. Scores of a thousand, either way, are no reason for inf or NaN.
    """
    # Where to start: -ln p is log(1 + exp(-z)) for an agent, and log(1 + exp(z)) for a patient.
    # <solution>
    z = x @ weights + bias
    loss = np.logaddexp(0.0, np.where(y, -z, z)).sum() + penalty / 2 * (weights**2).sum()
    error = np.exp(-np.logaddexp(0.0, -z)) - y
    return loss, x.T @ error + penalty * weights, error.sum()
    # </solution>


# %% id="check-logistic"
check("13.logistic", logistic_loss)

# %% [markdown] id="probe-fitted"
# A loss and its gradient are all that an optimizer needs. Here it fits a probe on the bag of words; scikit-learn, which
# fits all the others of this page, finds the same weights. The largest belong to verbs.

# %% id="fit-probe"
from scipy.optimize import minimize

from mlm_mini.experiments.probing.logistic import logistic_loss as loss_of
from mlm_mini.experiments.probing.probe import fit_probe

bag, alone = reader.text_features(NOUN_SEEN)["bag of words"], reader.nouns.kind == SENTENCE_KINDS.index("subject alone")
used = bag[alone].std(axis=0) > 0
x, y = bag[alone][:, used], reader.nouns.agent[alone]
x = (x - x.mean(axis=0)) / x.std(axis=0)


def flat(theta):
    loss, slope, slope_of_bias = loss_of(theta[:-1], theta[-1], x, y, 10.0)
    return loss, np.append(slope, slope_of_bias)


ours = minimize(flat, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"ftol": 1e-15, "gtol": 1e-8})
theirs = fit_probe(x, y, penalty=10.0).weights
print(f"loss {ours.fun:.1f} nats on {len(y)} nouns; scikit-learn's weights are the same within 0.001:",
      bool(np.abs(ours.x[:-1] - theirs).max() < 1e-3))
names = np.array(vocabulary.tokens)[used]
for i in np.argsort(-np.abs(theirs))[:6]:
    print(f"    {names[i]:12} speaks for {'an agent' if theirs[i] > 0 else 'a patient'}")

# %% [markdown] id="why-controls"
# ## 5 · What is an accuracy worth?
#
# Now the model of chapter 07, frozen. Each noun is read twice. The vector of a **visible** noun is what one would look
# at first; but the model was never asked about visible words. The vector of the noun when it is **hidden** is the one
# from which the word would be predicted: what the article calls the context representation. Beside it stand
# the same encoder with **random weights**, which never read a sentence, the model's **static table** of words, and the
# bare text. Each row is a probe, tested on new words; bars are 95% over six folds of words, for this one model.

# %% id="read-controls" tags=["nbval-ignore-output"]
from mlm_mini.experiments.probing import features
from mlm_mini.experiments.probing.reading import random_copy
from mlm_mini.training import LiveCurve, cached_model

model = cached_model("scenes", report=LiveCurve).model
untrained = random_copy(model, seed=1300)
last = len(model.blocks)
states = {(name, noun): reader.states(m, noun) for name, m in (("trained", model), ("random weights", untrained))
          for noun in READ_NOUNS}
text = reader.text_features(NOUN_SEEN) | {"static table": features.word_vectors(model, reader.nouns.lemmas)}
arms = {name: reader.fold_accuracy(x) for name, x in text.items()}
arms |= {f"{noun}, {name}": reader.fold_accuracy(states[name, noun][last])
         for noun in READ_NOUNS for name in ("random weights", "trained")}

# %% id="fig-controls" tags=["nbval-ignore-output"]
COLORS = [figures.BLACK] * 4 + [figures.SKY, figures.BLUE] * 2
figure, axes = figures.new_figure(10, 4, columns=3)
for kind, ax in enumerate(axes):
    for row, (folds, color) in enumerate(zip(arms.values(), COLORS)):
        middle, low, high = mean_interval(100 * folds[:, kind])
        ax.errorbar(middle, row, xerr=[[middle - low], [high - middle]], fmt="o", color=color, markersize=5, capsize=2)
    ax.axvline(100 * exact[NOUN_SEEN, NOTHING][kind], color=figures.GREEN, linestyle=":")
    ax.axvline(50, color="0.6", linewidth=1)
    ax.set_yticks(range(len(arms)), list(arms) if kind == 0 else [""] * len(arms))
    ax.set(xlim=(40, 104), xlabel="balanced accuracy (%)")
    ax.invert_yaxis()
    of_model, of_none = (100 * arms[f"noun visible, {name}"][:, kind].mean() for name in ("trained", "random weights"))
    ax.set_title(f"{SENTENCE_KINDS[kind]}, noun visible:\ntrained {of_model:.0f}%, random {of_none:.0f}%")
axes[1].text(52, 2, "coin", color="0.4", va="center", fontsize=9)
axes[1].text(98, 0, "exact ceiling", color=figures.GREEN, va="center", ha="right", fontsize=9)
figures.show(figure, alt="Balanced accuracy in % of probes on new words, in the three kinds of sentences; the exact "
             "ceiling is 100, the coin 50. " + "; ".join(
                 f"{name}: " + ", ".join(f"{100 * x:.0f}" for x in folds.mean(axis=0)) for name, folds in arms.items())
             + ".")

# %% id="controls-note" tags=["nbval-ignore-output"]
from IPython.display import Markdown

percent = {name: [f"{100 * x:.0f}%" for x in folds.mean(axis=0)] for name, folds in arms.items()}
Markdown(f"""
High accuracies, and none of them speaks for itself.

- In the vector of a *hidden* noun a probe finds the role nearly always, in all kinds of sentences. But so it does with
  random weights: {", ".join(percent["noun hidden, random weights"])}. In a model as wide as this one, little or nothing
  had to be learned for that. (The recap has five narrower ones.)
- The bare text does it as well: bag and position {", ".join(percent["bag and position"])}. The information was in the
  sentence all along. That a vector holds it says little, as long as it is easy to have.
- In the vector of a *visible* noun training makes the difference: {percent["noun visible, trained"][0]} and
  {percent["noun visible, trained"][1]} in actives and passives, beside
  {percent["noun visible, random weights"][0]} and {percent["noun visible, random weights"][1]}. Yet where the subject
  stands alone the role is found in no more than {percent["noun visible, trained"][2]}, though the verb is beside it.
""")

# %% [markdown] id="why-selectivity"
# A second control asks whether it is the probe that is clever. In a **control task** (Hewitt and Liang 2019) each
# *word* gets a label by the toss of a coin, the same wherever it stands. No vector can hold such labels for a reason:
# who gets them right has learned them by heart, from the words. The **selectivity** of a probe is its accuracy on the
# roles less that on the control task. Both are measured on words that the probe has met, in new sentences; for new
# words a coin cannot be foreseen.

# %% id="ex-control"
# exercise: 13.control-labels
def control_labels(lemmas, rng):
    """A fair coin for each word, the same for all nouns with that word: (N,) bool.

    lemmas: (N,) integers, the id of the word of each noun, in any order; rng: a NumPy Generator, the only one to draw
    from.
    """
    # Where to start: how many coins are tossed, and which of them belongs to which noun?
    # <solution>
    words, which = np.unique(lemmas, return_inverse=True)
    return (rng.random(len(words)) < 0.5)[which]
    # </solution>


# %% id="check-control"
check("13.control-labels", control_labels)

# %% id="read-selectivity" tags=["nbval-ignore-output"]
from mlm_mini.experiments.probing.reading import CONTROL_TASK, KNOWN_WORDS, ROLE

TASKS = (ROLE, KNOWN_WORDS, CONTROL_TASK)
by_layer = {(name, noun, of): [reader.fold_accuracy(x, of).mean(axis=1) for x in layers]  # (L + 1) times (folds,)
            for (name, noun), layers in states.items() for of in TASKS}
selectivity = {key: np.array(by_layer[*key, KNOWN_WORDS]) - np.array(by_layer[*key, CONTROL_TASK]) for key in states}
for (name, noun), values in selectivity.items():
    print(f"{noun}, {name:15} selectivity by layer, points:", *(f"{100 * v.mean():+6.1f}" for v in values))

# %% id="fig-selectivity" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(10, 3.6, columns=2)
LOOKS = {("trained", ROLE): ("o-", figures.BLUE, "role, new words"),
         ("random weights", ROLE): ("s--", figures.SKY, "role, new words, random weights"),
         ("trained", KNOWN_WORDS): ("D-", figures.GREEN, "role, words known"),
         ("random weights", KNOWN_WORDS): ("P--", figures.BLACK, "role, words known, random weights"),
         ("trained", CONTROL_TASK): ("^-", figures.RED, "control task"),
         ("random weights", CONTROL_TASK): ("v--", figures.ORANGE, "control task, random weights")}
for ax, noun in zip(axes, READ_NOUNS):
    for (name, of), (style, color, label) in LOOKS.items():
        middle, low, high = np.array([mean_interval(100 * v) for v in by_layer[name, noun, of]]).T
        ax.errorbar(range(last + 1), middle, [middle - low, high - middle], fmt=style, color=color, capsize=2,
                    markersize=5, label=label)
    ax.axhline(50, color="0.6", linewidth=1)
    ax.set_xticks(range(last + 1), ["table"] + [f"block {i}" for i in range(1, last + 1)])
    ax.set(ylim=(42, 104), xlabel="layer", ylabel="balanced accuracy (%)")
    ax.set_title(f"{noun}: selectivity {100 * selectivity['trained', noun][last].mean():+.0f} points, "
                 f"untrained {100 * selectivity['random weights', noun][last].mean():+.0f}")
axes[1].legend(fontsize=7, loc="center right")
figures.show(figure, alt="Balanced accuracy in %, over all kinds, after the table and each block. " + "; ".join(
    f"{noun}, {name}, {of}: " + ", ".join(f"{100 * v.mean():.0f}" for v in values)
    for (name, noun, of), values in by_layer.items()) + ".")

# %% id="selectivity-note" tags=["nbval-ignore-output"]
random_known, random_new = (100 * np.mean(by_layer["random weights", NOUN_SEEN, of][last])
                            for of in (KNOWN_WORDS, ROLE))
Markdown(f"""
In the table of words the control task is solved to
{100 * np.mean(by_layer["trained", NOUN_SEEN, CONTROL_TASK][0]):.0f}%: with so few words and so many numbers a probe
learns any labels by heart. With random weights it stays so in all layers. The trained model forgets a part of the word
on its way up, and gains the role.

With the noun hidden its word cannot be read, and can only be guessed from the others: after the last block the control
task is solved to {100 * np.mean(by_layer["trained", NOUN_MASKED, CONTROL_TASK][last]):.0f}%, where 50% is a coin.
Selectivity is high there, but for random weights too. Before the first block, where no position has read another, a
probe is right in
{100 * np.mean(by_layer["random weights", NOUN_MASKED, ROLE][0]):.0f}%; one block of random attention, which mixes the
vectors of all words, brings it to {100 * np.mean(by_layer["random weights", NOUN_MASKED, ROLE][1]):.0f}%. So the two
controls answer two questions. *Did the probe learn it by heart?* That is what a control task asks. *Did training put it
there?* That is what random weights ask. And new words are worth having: with random weights and the noun visible, a
probe names {random_known:.0f}% of the roles of words that it knows, and {random_new:.0f}% of those that it does not.
""")

# %% [markdown] id="why-verb"
# ## 6 · Without the verb
#
# Now the article's experiment: the verb is hidden "when creating the context representation", a new probe is fitted,
# and the drop is measured. Before and after are measured on the same folds, and folds of easy words are easy both
# times. So it is the differences $d_1 \dots d_F$ within the $F$ folds that are averaged, and their scatter gives the
# interval, with $t$ from Student's distribution at $F - 1$ degrees of freedom. (It is a little too short, since the
# probes of two folds share most of the words that they were fitted on; Bengio and Grandvalet 2004.)
#
# $$\bar d \pm t \, \frac{s}{\sqrt{F}}, \qquad s^2 = \frac{1}{F - 1} \sum_f (d_f - \bar d)^2.$$

# %% id="ex-drop"
# exercise: 13.paired-drop
def paired_drop(before, after, t):
    """How much accuracy is lost, and its interval: an array of three numbers, (mean, low, high).

    before, after: (F,), the accuracies of the same F folds, F at least 2; t: the factor of the interval. A drop is
    positive where the accuracy falls.
    """
    # Where to start: one difference for each fold. In which direction?
    # <solution>
    drops = before - after
    margin = t * drops.std(ddof=1) / np.sqrt(len(drops))
    return np.array([drops.mean(), drops.mean() - margin, drops.mean() + margin])
    # </solution>


# %% id="check-drop"
check("13.paired-drop", paired_drop)

# %% id="read-verb" tags=["nbval-ignore-output"]
from mlm_mini.experiments.probing.study import with_ends

whole = {noun: reader.fold_accuracy(states["trained", noun][last]) for noun in READ_NOUNS}
without = {(noun, hidden): reader.fold_accuracy(reader.states(model, noun, hidden)[last])
           for noun in READ_NOUNS for hidden in HIDEABLE[1:]}
print(f"{'points lost, this model, 95% over folds':44}" + "".join(f"{kind:>24}" for kind in SENTENCE_KINDS))
for (noun, hidden), folds in without.items():
    there, lost = reader.changed(hidden) > 0, 100 * (exact[noun, NOTHING] - exact[noun, hidden])
    drops = [with_ends(mean_interval(d)) for d in 100 * (whole[noun] - folds).T]
    print(f"{noun}, {hidden + ' hidden':31}" + "".join(f"{d if t else '–':>24}" for d, t in zip(drops, there)))
    print(f"{'    the exact posterior loses':44}"
          + "".join(f"{f'{x:.1f}' if t else '–':>24}" for x, t in zip(lost, there)))

# %% [markdown] id="why-study"
# One model is one draw. The shipped study trained five tiny models, and gave each its own nouns, folds, control labels
# and random weights; its bars are 95% over these five. Black is what the exact posterior loses.

# %% id="fig-study" tags=["nbval-ignore-output"]
from mlm_mini.experiments import find_experiment

study = find_experiment("probing").shipped()
study.show()

# %% id="verb-note" tags=["nbval-ignore-output"]
from mlm_mini.experiments.claims.probing import POINTS_MARGIN
from mlm_mini.experiments.lab.verdicts import decide_within
from mlm_mini.experiments.probing.study import sampled_points


def points(shares):
    """In points of a percentage, with a 95% interval over the five models."""
    return with_ends(mean_interval(100 * shares), sign="+")


ACTIVE, PASSIVE, ALONE = range(3)
drop, half, other = (study.drop(NOUN_MASKED, hidden) for hidden in (VERB, "half of the words", "another word"))
same = [decide_within(sampled_points(of), -POINTS_MARGIN, POINTS_MARGIN)
        for of in (drop[:, ACTIVE], drop[:, PASSIVE], other[:, ALONE])]
Markdown(f"""
With the noun hidden, and a minus for what is gained:

- Where the subject stands alone a probe loses {points(drop[:, ALONE])} points without the verb, and the exact posterior
  {100 * study.exact_drop(NOUN_MASKED, VERB)[:, ALONE].mean():.1f}: the drop is where it has to be.
- In actives it is {points(drop[:, ACTIVE])}, in passives {points(drop[:, PASSIVE])}, where the exact posterior loses
  nothing. Within {POINTS_MARGIN:g} points of no change: actives **{same[0]}**, passives **{same[1]}**.
- Hiding one other word costs {points(other[:, ALONE])} where the subject stands alone, and the exact posterior
  {100 * study.exact_drop(NOUN_MASKED, "another word")[:, ALONE].mean():.1f}. Within the same margin: **{same[2]}**.
- With half of the words hidden a probe loses {points(half[:, ALONE])} there, and the exact posterior only
  {100 * study.exact_drop(NOUN_MASKED, "half of the words")[:, ALONE].mean():.1f}. So not each drop is a word's
  importance: the rest is lost on the way, in the model or by a probe that has few such sentences to learn from.

With the noun *visible*, hiding the verb costs {points(study.drop(NOUN_SEEN, VERB)[:, ALONE])} where the subject stands
alone: there was less to lose. A drop says what the vector held of the verb, and not how important the verb is.
""")

# %% [markdown] id="why-new-verbs"
# Is it the role that was found, or the verb? In a sentence whose subject stands alone the two are one and the same for
# a probe that has met all verbs: it needs to know a list, of those that are done and those that happen. So the verbs
# are split as the nouns were: the probe is tested on sentences with *verbs* that it never met.

# %% id="read-new-verbs" tags=["nbval-ignore-output"]
for noun in READ_NOUNS:
    for name in ("trained", "random weights"):
        known, new = 100 * study.accuracy(noun, name)[:, ALONE].mean(), mean_interval(100 * study.new_verbs(noun, name))
        print(f"{noun}, {name:15} % right: verbs known {known:.0f}, new {with_ends(new, 0)}")
of_word = mean_interval(100 * study.new_verbs_by_word())
print(f"{'static table, the word alone':29} % right: verbs new {with_ends(of_word, 0)}")

# %% id="new-verbs-note" tags=["nbval-ignore-output"]
from mlm_mini.experiments.lab.verdicts import Sampled, decide
from mlm_mini.experiments.probing.hiding import words_meant


def asked(figure, threshold):
    """Whether a figure lies above a threshold, or chance may say."""
    return decide(lambda values: "yes" if values["figure"] > threshold else "no", {"figure": figure})


alone = reader.nouns.where(reader.nouns.kind == ALONE)
forms = np.unique(alone.ids[words_meant(language, alone, VERB)])
known, new = (100 * of.mean() for of in (study.accuracy(NOUN_MASKED)[:, ALONE], study.new_verbs(NOUN_MASKED)))
Markdown(f"""
From the vector of a hidden noun the role is read in {known:.0f}% of these sentences when the verbs are known, and in
{new:.0f}% when they are new. Better than a coin with new ones?
**{asked(sampled_points(study.new_verbs(NOUN_MASKED)), 50)}**. Two cautions. The five models share {len(forms)} verb
forms: the interval is over models and over how the verbs are dealt, and says nothing of other verbs. And half is not
quite what a reader of the noun alone has to expect. Each word is agent as often as patient over *all* verbs, so what a
probe has learned of it from some of them may be turned round in the rest: the table of words reaches
{100 * study.new_verbs_by_word().mean():.0f}%.
""")

# %% [markdown] id="why-use"
# ## 7 · Does the model use it?
#
# A probe says that something *can be read* from a vector. Whether the model reads it is another question. It can be
# put to the model: take the direction out of the vector, leave all the rest, and look at what is predicted then. In
# the picture of linear algebra, directions are the rows of $W$, and what is left of $x$ is its part at right angles to
# all of them,
#
# $$x' = x - x\, W^{+} W,$$
#
# where $W^{+}$ is the pseudoinverse: $W^{+} W$ keeps what lies along the rows, whatever their lengths and angles.

# %% id="ex-remove"
# exercise: 13.remove-directions
def remove_directions(x, directions):
    """What is left of vectors at right angles to some directions: a new array (N, D).

    x: (N, D); directions: (k, D), of any length above 0, at any angles; one may follow from the others.
    """
    # Where to start: for a single direction of length 1 it is x minus (its component) times (the direction).
    # <solution>
    return x - x @ np.linalg.pinv(directions) @ directions
    # </solution>


# %% id="check-remove"
check("13.remove-directions", remove_directions)

# %% [markdown] id="why-which"
# Which direction? That of the probe suggests itself. But take it out, fit a new probe on what is left, and it finds
# the role again, in another direction. One can go on (Ravfogel and others 2020), or take out the direction from the
# *mean of the patients to the mean of the agents*: then both means are the same, and no linear probe has a smaller loss
# than a constant on the vectors it is fitted on (Belrose and others 2023). On the left, what a new probe finds on new
# words; on the right, how far the predictions at the hidden noun move, as KL(before, after). One model, one fold, all
# kinds of sentences together.

# %% id="read-removal" tags=["nbval-ignore-output"]
from mlm_mini.experiments.probing import removal
from mlm_mini.experiments.probing.probe import balanced_accuracy as accuracy_of, choose_probe

vectors, roles = states["trained", NOUN_MASKED][last], reader.nouns.agent
out, seen = reader.lemma_folds == 0, reader.seen(NOUN_MASKED)
center, rng = vectors[~out].mean(axis=0), np.random.default_rng(1303)
before = removal.log_predictions(model, seen[out], reader.nouns.places[out], vocabulary.pad_id)
COUNTS = (1, 2, 4, 8, 16)
probed = removal.probed_directions(vectors[~out], roles[~out], COUNTS[-1])
changes = {("probed", k): removal.removing(probed[:k], center) for k in COUNTS}
changes |= {("random", k): removal.random_removal(vectors[~out], k, rng) for k in COUNTS}
changes["class means", 1] = removal.removing(removal.class_difference(vectors[~out], roles[~out]), center)
found = {}
for key, change in changes.items():
    left = change(vectors)
    probe = choose_probe(left[~out], roles[~out], reader.nouns.lemmas[~out])
    after = removal.log_predictions(model, seen[out], reader.nouns.places[out], vocabulary.pad_id, last, change)
    found[key] = accuracy_of(probe.scores(left[out]) > 0, roles[out]), removal.moved_nats(before, after).mean()

# %% id="fig-removal" tags=["nbval-ignore-output"]
figure, axes = figures.new_figure(10, 3.3, columns=2)
for name, style, color in (("probed", "o-", figures.BLUE), ("random", "s--", figures.ORANGE)):
    for ax, column, scale in ((axes[0], 0, 100), (axes[1], 1, 1)):
        line = [scale * found[name, k][column] for k in COUNTS]
        ax.plot(COUNTS, line, style, color=color, label=f"{name} directions")
for ax, column, scale in ((axes[0], 0, 100), (axes[1], 1, 1)):
    ax.plot(1, scale * found["class means", 1][column], "*", color=figures.RED, markersize=14, label="class means")
    ax.set_xscale("log", base=2)
    ax.set_xticks(COUNTS, COUNTS)
    ax.set(xlabel="directions taken out")
axes[0].axhline(50, color="0.6", linewidth=1)
axes[0].set(ylabel="a new probe is right (%)", ylim=(45, 103))
axes[1].set(ylabel="predictions moved (nats)", ylim=(0, None))
axes[1].legend(fontsize=9, loc="center left")
axes[0].set_title(f"Without the probe's direction, the next finds {100 * found['probed', 1][0]:.0f}%")
axes[1].set_title(f"Class means: {found['class means', 1][1]:.3f} nats, a random direction {found['random', 1][1]:.4f}")
figures.show(figure, alt="Left, the balanced accuracy in % of a new probe after directions are taken out; right, how "
             "far predictions move, in nats. " + "; ".join(
                 f"{k} {name}: {100 * a:.0f}%, {nats:.4f}" for (name, k), (a, nats) in found.items()) + ".")

# %% [markdown] id="why-kinds"
# Is it one direction in all kinds of sentences? Here is the cosine of each kind's own direction with that of all kinds
# together, and what a probe finds which is fitted on one kind only, when the direction of all has been taken out.

# %% id="read-kinds" tags=["nbval-ignore-output"]
together, left = removal.class_difference(vectors[~out], roles[~out])[0], changes["class means", 1](vectors)
for kind, name in enumerate(SENTENCE_KINDS):
    given, tested = ((reader.nouns.kind == kind) & side for side in (~out, out))
    own = removal.class_difference(vectors[given], roles[given])[0]
    probe = choose_probe(left[given], roles[given], reader.nouns.lemmas[given])
    print(f"{name:14} cosine {own @ together / np.linalg.norm(own) / np.linalg.norm(together):+.2f}, "
          f"a probe still finds the role in {accuracy_of(probe.scores(left[tested]) > 0, roles[tested]):.0%}")

# %% [markdown] id="why-far"
# So from here on each kind is taken by itself, with a direction of its own. A second trap is the control. Vectors vary
# a lot along a few directions and hardly at all along most, so a random direction is one along which there is little
# to take. A fair control goes *as far*. Along one random direction $u$, of length 1 and drawn from the vectors' own
# spread around their mean $\bar x$,
#
# $$x' = x - c\, \big((x - \bar x) \cdot u\big)\, u,$$
#
# with the $c$ for which the mean of $\lVert x' - x \rVert^2$ is that of the removal. (Where $c$ is above 1, vectors
# pass their mean.) The study did both in five models, at the hidden noun, after the first block and after the last.

# %% id="read-use" tags=["nbval-ignore-output"]
from mlm_mini.experiments.probing.removed import EQUALLY_FAR, RANDOM_REMOVED, ROLE_REMOVED

REMOVALS = (ROLE_REMOVED, EQUALLY_FAR, RANDOM_REMOVED)
moved = {(layer, what): study.removed(what, layer=layer) for layer in (1, last) for what in REMOVALS}
print(f"{'nats moved, mean of five models':36}" + "".join(f"{kind:>26}" for kind in SENTENCE_KINDS) + "   new probe")
for (layer, what), nats in moved.items():
    print(f"after block {layer}, {what:22}" + "".join(f"{with_ends(mean_interval(of), 3):>26}" for of in nats.T)
          + f"{100 * study.removed(what, 'left', layer).mean():11.0f}%")

# %% id="fig-use" tags=["nbval-ignore-output"]
times = {(layer, kind): moved[layer, ROLE_REMOVED][:, kind] / moved[layer, EQUALLY_FAR][:, kind]
         for layer in (1, last) for kind in range(3)}
uses = {key: Sampled.factor(of) for key, of in times.items()}
figure, axes = figures.new_figure(10, 3.5, columns=2)
for ax, layer in zip(axes, (1, last)):
    for what, color, marker, shift in zip(REMOVALS, (figures.BLUE, figures.ORANGE, figures.SKY), "os^", (-0.2, 0, 0.2)):
        middle, low, high = np.array([Sampled.factor(of).estimate for of in moved[layer, what].T]).T
        ax.errorbar(np.arange(3) + shift, middle, [middle - low, high - middle], fmt=marker, color=color, capsize=3,
                    label=what)
    ax.set(yscale="log", xlim=(-0.5, 2.5), ylim=(2e-4, 3))
    ax.set_xticks(range(3), SENTENCE_KINDS)
    ax.set_title(f"After block {layer}, times an equal move:\n"
                 + ", ".join(f"{name} {uses[layer, kind].value:.2f}" for kind, name in enumerate(SENTENCE_KINDS)))
axes[0].set_ylabel("predictions moved (nats)")
axes[1].legend(fontsize=9)
figures.show(figure, alt="How far predictions move in nats, geometric mean of five models with 95%: " + "; ".join(
    f"after block {layer}, {what}: " + ", ".join(
        f"{kind} {np.exp(np.log(of).mean()):.4f}" for kind, of in zip(SENTENCE_KINDS, nats.T))
    for (layer, what), nats in moved.items()) + ".")

# %% id="use-note" tags=["nbval-ignore-output"]
words = {key: decide(lambda x: "more" if x["times"] > 1 else "less", {"times": of}) for key, of in uses.items()}
cells = {key: f"{with_ends(of.estimate, 2)}: **{words[key]}**" for key, of in uses.items()}
rows = "\n".join(f"| {name} | {cells[1, kind]} | {cells[last, kind]} |" for kind, name in enumerate(SENTENCE_KINDS))
counts = {word: sum(decided.word == word for decided in words.values()) for word in ("more", "less", "undecided")}
beside_random = [decide(lambda x: "more" if x["times"] > 1 else "less", {"times": Sampled.factor(of)}).word
                 for layer in (1, last) for of in (moved[layer, ROLE_REMOVED] / moved[layer, RANDOM_REMOVED]).T]
Markdown(f"""
How far the predictions move without the role's direction, in terms of an equally far move (geometric mean and 95% over
five models):

| | after block 1 | after block {last} |
|---|---|---|
{rows}

Beside a random direction, {beside_random.count("more")} of the {len(words)} removals move the predictions more, and
look like use. Beside an equally far move it is {counts["more"]} that do, {counts["less"]} that move them less, and
{counts["undecided"]} undecided. Yet a probe finds the role in {100 * study.accuracy(NOUN_MASKED).mean():.0f}% after the
last block. *Has it* is not *uses it*: that the role can be read there says nothing of how much hangs on it. Nor does
*less* mean that it is not used: each removal moves the predictions, though something else of the same size may weigh
more.
""")

# %% [markdown] id="try-probe"
# ## 8 · Try it
#
# Choose a sentence, and press words to hide them (Tab goes from one to the next, the space bar presses). One noun is
# asked about; the bars show what probes say of it, on this model and on random weights, and what the exact posterior
# says. The probes have met none of the nouns that are asked about. Hide the verb, then the noun itself.

# %% id="widget-probe" tags=["nbval-ignore-output"]
from mlm_mini.widgets import probe_widget

probe_widget(model)

# %% [markdown] id="without-a-kernel"
# Without a running kernel the buttons do nothing; this is what they show when the verb of the last sentence is hidden.
# The exact posterior knows that nothing can be known. A probe says something all the same.

# %% id="fig-widget" tags=["nbval-ignore-output"]
from mlm_mini.widgets.probe import probe_figure

figure, alt = probe_figure(model, "the soldier falls in the park .", hidden=(2,))
figures.show(figure, alt)

# %% [markdown] id="recap"
# ## Recap
#
# The verdicts are those of `python3 course.py claims`: computed from the figures of the five models of the study, by
# the rule that the next cell prints, with the share of the resamples that agree.

# %% id="recap-rules" tags=["nbval-ignore-output"]
from mlm_mini.experiments.claims.all_claims import measure_claims
from mlm_mini.experiments.claims.claim import Effort
from mlm_mini.experiments.claims.probing import say_used

claims = {row.claim.id: row for row in measure_claims(Effort(), ["probing", "verb"])}
for name, row in claims.items():
    print(f"{name:8} {row.claim.figure}:\n{'':9}{row.claim.rule}\n{'':9}{row.verdict}")

# %% id="recap-table" tags=["nbval-ignore-output"]
def used(layer):
    return "; ".join(f"{name} {with_ends(uses[layer, kind].estimate, 2)}" for kind, name in enumerate(SENTENCE_KINDS))


def use(layer):
    return decide(say_used, {name: uses[layer, kind] for kind, name in enumerate(SENTENCE_KINDS)})


met = mean_interval(100 * study.new_verbs(NOUN_MASKED))
trained_here, random_here = (by_layer[name, NOUN_MASKED, ROLE][last].mean() for name in ("trained", "random weights"))
Markdown(f"""
| the article this course grew from | measured in this chapter, five models | verdict |
|---|---|---|
| "If the probe achieves high accuracy, it implies that the necessary information was already present in the MLM's \
embeddings." | noun visible: {100 * study.accuracy(NOUN_SEEN).mean():.0f}% on new words, selectivity \
{points(study.selectivity(NOUN_SEEN))} points; but in the table of words a probe solves a control task to \
{claims["probing"].finding.figures["control task at its best"].value:.0f}% | \
**{claims["probing"].verdict}** |
| was it training that put it there? Noun visible | beyond random weights {points(study.over_random(NOUN_SEEN))} \
points | \
**{asked(sampled_points(study.over_random(NOUN_SEEN)), POINTS_MARGIN)}** |
| and in the "context representation", noun hidden | {100 * study.accuracy(NOUN_MASKED).mean():.0f}%, selectivity \
{points(study.selectivity(NOUN_MASKED))}; but random weights reach \
{100 * study.accuracy(NOUN_MASKED, "random weights").mean():.0f}%: beyond them \
{points(study.over_random(NOUN_MASKED))} points, in the wider model of this page \
{100 * (trained_here - random_here):+.1f} | \
**{asked(sampled_points(study.over_random(NOUN_MASKED)), POINTS_MARGIN)}** |
| "If the probe's accuracy drops significantly, it confirms the verb provides a critical signal" | drop: subject alone \
{points(drop[:, ALONE])}, active {points(drop[:, ACTIVE])}, passive {points(drop[:, PASSIVE])} points | \
**{claims["verb"].verdict}** |
| is it more than a list of verbs? | subject alone, noun hidden, % right at verbs that the probe never met: \
{with_ends(met, 0)}, beside {100 * study.accuracy(NOUN_MASKED)[:, ALONE].mean():.0f} at those it met; a coin has 50 | \
**{asked(sampled_points(study.new_verbs(NOUN_MASKED)), 50)}** |
| does the model use it, more than anything else as large? | without the role's direction after block {last} the \
predictions move so many times as far as after an equally far move: {used(last)} | **{use(last)}** |
| and after block 1? | {used(1)} | **{use(1)}** |
""")

# %% [markdown] id="recap-note"
# What this does not say: the models are tiny and a sentence is short, so that a vector can hold nearly all of it.
# A linear probe finds what is there in a linear form, and no more. What carries over are the questions. What would a
# probe find in the bare text, and in random weights? Are its test words new to it? What could it find at best? And
# does the model miss what is taken away, more than anything else that is as large?

# %% [markdown] id="where-to-read-on"
# ## Where to read on
#
# - John Hewitt and Percy Liang (2019). Designing and interpreting probes with control tasks. *EMNLP*. Selectivity.
# - Elena Voita and Ivan Titov (2020). Information-theoretic probing with minimum description length. *EMNLP*. How
#   much it takes to find something, in bits, in place of how well it is found.
# - Shauli Ravfogel, Yanai Elazar, Hila Gonen, Michael Twiton and Yoav Goldberg (2020). Null it out: Guarding protected
#   attributes by iterative nullspace projection. *ACL*.
# - Yanai Elazar, Shauli Ravfogel, Alon Jacovi and Yoav Goldberg (2021). Amnesic probing: Behavioral explanation with
#   amnesic counterfactuals. *TACL* 9. Removal, beside random directions of the same number.
# - Nora Belrose, David Schneider-Joseph, Shauli Ravfogel, Ryan Cotterell, Edward Raff and Stella Biderman (2023).
#   LEACE: Perfect linear concept erasure in closed form. *NeurIPS*.
# - Yonatan Belinkov (2022). Probing classifiers: Promises, shortcomings, and advances. *Computational Linguistics* 48.
# - Yoshua Bengio and Yves Grandvalet (2004). No unbiased estimator of the variance of k-fold cross-validation. *JMLR*
#   5. Why an interval over folds is a little too short.
#
# Next: chapter 14 asks what a model knows about two hidden words at once.
