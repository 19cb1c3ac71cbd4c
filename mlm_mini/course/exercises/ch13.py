"""Chapter 13: probing. New words, a ceiling, a linear probe, its controls, and what the model does without a direction.

Shapes: N nouns, T positions, L layers, D the width of a position, S scenes, V tokens, F folds, k directions.
"""

import numpy as np

from mlm_mini.course import chance
from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import Case, Exercise, WrongAnswer

rng = np.random.default_rng

BALANCED = Exercise(
    id="13.balanced-accuracy",
    title="Both roles count the same",
    twin="mlm_mini.experiments.probing.probe:balanced_accuracy",
    minutes=8,
    cases=(
        Case("three agents, one patient", (np.array([True, True, False, True]), np.array([True, True, True, False]))),
        Case("a patient called agent", (np.array([True, True, True]), np.array([True, False, False]))),
        Case("always agent", (np.ones(5, dtype=bool), np.array([True, True, True, True, False]))),
        Case("no patients at all", (np.array([True, False, True]), np.ones(3, dtype=bool))),
        Case("a single patient", (np.array([False]), np.array([False]))),
        Case("two hundred nouns", (rng(1).random(200) < 0.6, rng(2).random(200) < 0.8)),
    ),
    habits=("unchanged predicted", "unchanged true"),
    mistakes="""
    - every noun counts the same: Whoever always says agent is right where agents are common. Is each role worth the
      same to you, or each noun?
          instead:
              return float((predicted == true).mean())
    - of those that were called so, how many are so: You look at the nouns that were called agents. The recall looks at
      those that are: which array chooses, and which is judged?
          predicted[true == role] == role).mean() for role in (False, True) if (true == role).any()
          => true[predicted == role] == role).mean() for role in (False, True) if (predicted == role).any()
    - one role only: Right about one role says nothing about the other: whoever always names it would be perfect.
          (False, True) => ((True,) if true.any() else (False,))
       or (False, True) => ((False,) if not true.all() else (True,))
    - a role that no noun has counts as 0: Where a role does not occur, nobody could recognize it. What is the mean over
      then?
          float(np.mean(recalls)) => float(np.sum(recalls) / 2)
    - NaN where a role does not occur: Right until one role is missing: then you divide 0 by 0. Which recalls are there
      at all?
          if (true == role).any() =>
    - a sum where a mean is meant: Whoever is always right has 2, in your count. What makes a mean of two recalls?
          float(np.mean(recalls)) => float(np.sum(recalls))
    - the recalls are multiplied: A product is 0 for whoever always says the same. Which mean do docstring and equation
      name?
          float(np.mean(recalls)) => float(np.prod(recalls))
       or float(np.mean(recalls)) => float(np.prod(recalls) ** (1 / len(recalls)))
    - the share of errors: Your number falls as the predictions get better.
          == role).mean() => != role).mean()
    - patients called agents are counted: Of the patients you count those that were called agents. Which of them were
      recognized?
          (predicted[true == role] == role).mean() => predicted[true == role].mean()
    - a role that no noun has counts as 1: A role that does not occur is neither recognized nor missed. What is the mean
      over then?
          float(np.mean(recalls)) => float((sum(recalls) + 2 - len(recalls)) / 2)
    - divided by all nouns: Each role has its own whole: the nouns that have it. You divide by all of them.
          == role).mean() => == role).sum() / len(true)
    """,
    hints="""
    - For each role look only at the nouns that truly have it. How many of these were recognized?
    - true == True chooses the agents; the share of True among predicted there is their recall.
    - Two recalls, or one where the other role does not occur, and their mean.
    """,
)


def _many(draw, times=40):
    """Many draws in a row: one of so few words may come out the same twice by chance."""
    return lambda lemmas, rng: np.array([draw(lemmas, rng) for _ in range(times)])


def observed_folds(function, lemmas, number, rng):
    """What a deal of words must have: `lemmas` is (N,), and the words are many or few."""

    def deal(lemmas, rng):
        answer = function(lemmas, number, rng)
        if not isinstance(answer, np.ndarray) or not np.issubdtype(answer.dtype, np.integer):
            raise WrongAnswer(f"Your answer is a {type_name(answer)}; expected an array of integers.")
        if answer.shape != lemmas.shape:
            raise WrongAnswer(f"Your answer has shape {answer.shape}; expected a fold for each noun, {lemmas.shape}.")
        return answer

    draws = np.array([*chance.in_a_row(deal, 39, lemmas.copy(), rng), deal(lemmas, rng)])  # (40, N)
    _, first, which = np.unique(lemmas, return_index=True, return_inverse=True)
    by_word = draws[:, first]
    sizes = np.array([np.bincount(np.clip(draw, 0, None), minlength=number) for draw in by_word])
    return {
        "smallest fold number": draws.min(),
        "largest fold number": draws.max(),
        "all nouns with one word lie in one fold": bool((draws == by_word[:, which]).all()),
        "words in the largest fold less those in the smallest": (sizes.max(axis=1) - sizes.min(axis=1)).max(),
        "the first two words lie in one fold in every deal": bool((by_word[:, 0] == by_word[:, 1]).all()),
        "the folds go round in the order of the ids": bool((np.diff(by_word, axis=1) % number == 1).all()),
        "a word lies in every fold sooner or later": bool(len(set(by_word[:, 0].tolist())) == number),
        chance.NEXT_DRAW: bool((draws != draws[0]).any()),
        chance.SAME_SEED: chance.repeatable(_many(deal), lemmas, rng),
    }


LEMMAS = np.array([907, 13, 13, 250, 907, 13, 44, 250, 250, 31, 8, 13])

FOLDS = Exercise(
    id="13.lemma-folds",
    title="Words that the probe has not met",
    answers_in=("mlm_mini.experiments.probing.probe:split_folds",),
    minutes=12,
    cases=(
        Case("six words, three folds", (LEMMAS, 3, rng(1))),
        Case("six words, four folds", (LEMMAS, 4, rng(2))),
        Case("three words, three folds", (np.array([9, 9, 9, 9, 2, 5]), 3, rng(3))),
        Case("a hundred words, some of them often", (rng(4).zipf(1.5, 2000) % 137, 6, rng(5))),
    ),
    habits=("unchanged lemmas", "rng"),
    observe=observed_folds,
    rtol=0.0,
    atol=1e-9,
    helpers={"np": np},
    mistakes="""
    - nouns are dealt, not words: The same word lies in several folds: a probe would be tested on words that it knows.
      What is it that has to be dealt?
          return (rng.permutation(len(words)) % number)[which] => return rng.permutation(len(lemmas)) % number
       or return (rng.permutation(len(words)) % number)[which] => return rng.integers(number, size=len(lemmas))
    - each word draws its fold for itself: Some folds get many words and some few, or none: with so few words that is
      luck. How do players get equal hands?
          rng.permutation(len(words)) % number => rng.integers(number, size=len(words))
    - nothing is left to chance: The folds follow the order of the ids, in which words of one kind are neighbors.
          rng.permutation(len(words)) => np.arange(len(words))
       or (rng.permutation(len(words)) % number)[which] => lemmas % number
    - neighbors lie in one fold: Only whole stretches of the ids are dealt, and words of one kind are neighbors there.
          rng.permutation(len(words)) % number
          => rng.permutation(number)[np.arange(len(words)) * number // len(words)]
    - folds are counted from one: The docstring counts folds from 0.
          % number)[which] => % number)[which] + 1
    - words are looked up by their id (raises): An id is no place in your list of words. What does return_inverse give?
          [which] => [lemmas]
    - the deal is as large as the list of nouns: Words are dealt by how often they occur, and folds hold different
      numbers of words.
          rng.permutation(len(words)) % number => rng.permutation(len(lemmas))[: len(words)] % number
    - the draw cannot be repeated
          rng.permutation => np.random.default_rng().permutation
    - rng is never used: The same folds at every call: a generator of your own starts from the same seed each time. Draw
      from the one that is handed in.
          rng.permutation => np.random.default_rng(0).permutation
    """,
    hints="""
    - Deal the words first, and give each noun the fold of its word.
    - A deck of words is shuffled and dealt one by one: the place in the shuffled deck, modulo the number of folds.
    - np.unique with return_inverse says for each noun which of the words it is: index the deal with that.
    """,
)


def scenes_of(seed, N, S, zeros=0.6):
    """Random priors, likelihoods with many zeros, and roles, of which each noun has one in some possible scene."""
    draw = rng(seed)
    likelihood = draw.random((N, S)) * (draw.random((N, S)) > zeros)
    role = draw.integers(0, 4, (N, S))
    likelihood[:, 0], role[:, 0] = draw.random(N) + 0.1, 1 + draw.integers(0, 2, N)
    return draw.dirichlet(np.ones(S)), likelihood, role == 1, role == 2


POSTERIOR = Exercise(
    id="13.role-posterior",
    title="How well anybody could do",
    minutes=12,
    cases=(
        Case(
            "two scenes, equally likely words",
            (np.array([0.75, 0.25]), np.array([[0.5, 0.5]]), np.array([[True, False]]), np.array([[False, True]])),
        ),
        Case(
            "a third scene in which the noun has neither role",
            (
                np.array([0.2, 0.3, 0.5]),
                np.array([[0.1, 0.4, 0.9]]),
                np.array([[True, False, False]]),
                np.array([[False, True, False]]),
            ),
        ),
        Case(
            "a scene that the words rule out",
            (np.array([0.5, 0.5]), np.array([[0.0, 1e-9]]), np.array([[True, False]]), np.array([[False, True]])),
        ),
        Case(
            "a long sentence, unlikely in any scene",
            (np.array([0.5, 0.5]), np.array([[3e-40, 1e-40]]), np.array([[True, False]]), np.array([[False, True]])),
        ),
        Case("four nouns, six scenes", scenes_of(1, 4, 6)),
        Case("forty nouns, eighty scenes", scenes_of(2, 40, 80)),
    ),
    habits=("unchanged prior", "unchanged likelihood", "unchanged agent", "unchanged patient"),
    helpers={"np": np},
    mistakes="""
    - scenes are counted alike: A rare scene weighs as much as a common one. How likely was each before a word was seen?
          prior * likelihood => likelihood
    - the words are not read: Your answer is the same for every noun with these roles. What do the visible words say
      about the scene?
          prior * likelihood => prior * np.ones_like(likelihood)
    - scenes with neither role are counted: Your answer and that for the patient do not add up to 1. The noun is known
      to be one or the other: by what has to be divided?
          / (as_agent + as_patient) => / weights.sum(axis=1)
    - a small number added to what is divided by: A long sentence is unlikely in any scene, and a small number is large
      beside that. When is the number below the line 0?
          / (as_agent + as_patient) => / (as_agent + as_patient + 1e-8)
       or / (as_agent + as_patient) => / (as_agent + as_patient + 1e-12)
       or / (as_agent + as_patient) => / np.maximum(as_agent + as_patient, 1e-12)
    - the likeliest scene of each role: You compare one scene for each role, the likeliest. The others of that role
      count as well.
          agent, weights, 0.0).sum(axis=1) => agent, weights, 0.0).max(axis=1)
          patient, weights, 0.0).sum(axis=1) => patient, weights, 0.0).max(axis=1)
    - not divided: These are joint probabilities: tiny where many words are seen, whatever the role.
          as_agent / (as_agent + as_patient) => as_agent
    - the odds, not the probability: You divide by the patient's share alone. Of what whole is the probability a part?
          / (as_agent + as_patient) => / as_patient
    - the patient's probability: You answer for the patient: where it is sure to be the agent, you say 0.
          return as_agent / => return as_patient /
    - the likeliest scene decides: You ask only one scene, and others may outweigh it together.
          weights = prior * likelihood
          => weights = prior * likelihood * (agent | patient); weights = weights * (weights == weights.max(1)[:, None])
    - added up over the nouns: You add up the nouns, scene by scene. Along which axis do the scenes lie?
          agent, weights, 0.0).sum(axis=1) => agent, weights, 0.0).sum(axis=0)
          patient, weights, 0.0).sum(axis=1) => patient, weights, 0.0).sum(axis=0)
    - one number for all nouns: Each noun has words of its own, and an answer of its own.
          agent, weights, 0.0).sum(axis=1) => agent, weights, 0.0).sum()
          patient, weights, 0.0).sum(axis=1) => patient, weights, 0.0).sum()
    - a mean over the scenes of each role: A role that many scenes have is likelier for it. You divide that away.
          agent, weights, 0.0).sum(axis=1) => agent, weights, 0.0).sum(axis=1) / np.maximum(agent.sum(axis=1), 1)
          patient, weights, 0.0).sum(axis=1)
          => patient, weights, 0.0).sum(axis=1) / np.maximum(patient.sum(axis=1), 1)
    - the likelier role, not how likely: You answer with a verdict. How sure is it?
          return as_agent / (as_agent + as_patient) => return (as_agent > as_patient) * 1.0
    """,
    hints="""
    - For each noun and scene, prior times likelihood is the probability of the scene together with the visible words.
    - Add these up over the scenes in which the noun is the agent, and over those in which it is the patient.
    - It is one of the two: the agent's sum, divided by both sums together.
    """,
)


def states_of(seed, L, N, T, D):
    draw = rng(seed)
    return draw.normal(size=(L, N, T, D)), draw.integers(0, T, N)


VECTOR = Exercise(
    id="13.nouns-vector",
    title="The vector at the noun",
    minutes=6,
    cases=(
        Case("one layer, two sentences", (np.arange(12.0).reshape(1, 2, 3, 2), np.array([2, 0]))),
        Case("as many sentences as positions", states_of(1, 2, 3, 3, 2)),
        Case("three layers, seven sentences", states_of(2, 3, 7, 5, 4)),
        Case("one sentence", states_of(3, 3, 1, 6, 2)),
    ),
    habits=("unchanged states", "unchanged places", "any order places"),
    mistakes="""
    - every place of every sentence: You have one axis too many: each sentence is read at the places of all sentences.
      How is sentence n paired with place n alone?
          [:, np.arange(states.shape[1]), places] => [:, :, places]
    - the mean over the sentence: You mix all positions. A mean says what the sentence has, not what this noun is in it.
          states[:, np.arange(states.shape[1]), places] => states.mean(axis=2)
    - the vector of [CLS]: You read the first position of every sentence.
          places] => 0]
    - the last layer only: The layers are asked for one by one.
          states[:, np.arange(states.shape[1]), places] => states[-1, np.arange(states.shape[1]), places]
    - the word before the noun: Places are counted from 0, as Python does it.
          places] => places - 1]
    - the word after the noun (raises): Places are counted from 0 already: nothing has to be added.
          places] => places + 1]
    - sentences and places are swapped (raises): The second axis counts sentences, the third positions. In which order
      do you name them?
          np.arange(states.shape[1]), places] => places, np.arange(states.shape[1])]
    - all are read where the first noun stands: Each sentence has its noun at a place of its own.
          places] => places[0]]
    - the layers lie on the second axis: The numbers are right, but layers and sentences have changed places.
          return states[:, np.arange(states.shape[1]), places]
          => return states[:, np.arange(states.shape[1]), places].swapaxes(0, 1)
    """,
    hints="""
    - For each sentence one position is needed, of all layers and all D numbers.
    - Two index arrays of the same length are paired: entry n of one with entry n of the other.
    - Index the second axis with the numbers of the sentences, the third with the places.
    """,
)


def sentences_of(seed, N, T, V):
    draw = rng(seed)
    return draw.integers(0, V, (N, T)), draw.integers(0, T, N), V


def counted(function, seen, places, V):
    """The answer, with counts as numbers of either kind: integers are as good as floats."""
    answer = function(seen, places, V)
    whole = isinstance(answer, np.ndarray) and np.issubdtype(answer.dtype, np.integer)
    return answer.astype(np.float64) if whole else answer


BAG = Exercise(
    id="13.bag-of-words",
    title="Words without order",
    twin="mlm_mini.experiments.probing.features:bag_of_words",
    minutes=10,
    cases=(
        Case("a word that stands twice", (np.array([[2, 1, 2, 0]]), np.array([1]), 4)),
        Case("the noun stands a second time elsewhere", (np.array([[1, 3, 1, 0]]), np.array([0]), 5)),
        Case("the same sentence, two nouns", (np.array([[4, 1, 2], [4, 1, 2]]), np.array([0, 2]), 5)),
        Case("forty sentences", sentences_of(1, 40, 9, 12)),
    ),
    habits=("unchanged seen", "unchanged places", "any order places"),
    observe=counted,
    mistakes="""
    - a word that stands twice counts once: You mark words as there or not, and the bag counts them. With += NumPy keeps
      one of several that go to the same place: which function adds up where an index repeats?
          np.add.at(bag, (rows, seen[rows, at]), 1) => bag[rows, seen[rows, at]] += 1
       or return bag => return np.minimum(bag, 1)
    - the noun is in the bag: The probe could look up the noun itself. What has to be left out?
          np.nonzero(np.arange(seen.shape[1]) != places[:, None]) => np.nonzero(np.ones_like(seen))
    - every copy of the noun is left out: Where its word stands a second time, that one is a word of the context.
          np.nonzero(np.arange(seen.shape[1]) != places[:, None])
          => np.nonzero(seen != seen[np.arange(len(seen)), places][:, None])
    - only the words before the noun: What comes after the noun is in the sentence as well.
          seen.shape[1]) != places => seen.shape[1]) < places
    - only the words after the noun: What comes before the noun is in the sentence as well.
          seen.shape[1]) != places => seen.shape[1]) > places
    - the noun alone: You count what should be left out, and leave out what should be counted.
          seen.shape[1]) != places => seen.shape[1]) == places
    - shares, not counts: Your rows sum to one. How often does each token stand there?
          return bag => return bag / bag.sum(axis=1, keepdims=True)
    - the bags of all sentences in one: All rows are alike. Each sentence has a bag of its own.
          return bag => return np.broadcast_to(bag.sum(axis=0), bag.shape).copy()
    - a place is taken for a word: The noun's position is compared with the ids of the tokens. Which numbers count
      positions?
          np.arange(seen.shape[1]) != places[:, None] => seen != places[:, None]
    """,
    hints="""
    - Which positions of each sentence count: all but one. A comparison with np.arange marks them.
    - Sentence by sentence, np.bincount counts ids, and its minlength makes all rows equally long.
    - Without a loop: np.nonzero of the marks gives rows and positions, and np.add.at adds one for each of them.
    """,
)


def nouns_to_fit(seed, N, D, size=1.0):
    draw = rng(seed)
    return size * draw.normal(size=D), float(draw.normal()), draw.normal(size=(N, D)), draw.random(N) < 0.4


LOGISTIC = Exercise(
    id="13.logistic",
    title="What a probe makes small",
    twin="mlm_mini.experiments.probing.logistic:logistic_loss",
    minutes=20,
    cases=(
        Case("one noun, no weights yet", (np.zeros(2), 0.0, np.array([[1.0, 2.0]]), np.array([True]), 0.0)),
        Case(
            "a patient and an agent", (np.array([0.5]), -1.0, np.array([[2.0], [-4.0]]), np.array([False, True]), 0.0)
        ),
        Case("a penalty", (*nouns_to_fit(1, 5, 3), 2.5)),
        Case("forty nouns", (*nouns_to_fit(2, 40, 7), 0.3)),
        Case("scores of a thousand, right and wrong", (*nouns_to_fit(3, 6, 2, 1000.0), 0.0)),
    ),
    habits=("unchanged weights", "unchanged x", "unchanged y"),
    rtol=1e-7,
    mistakes="""
    - the mean, not the sum: The equation has a sum over the nouns: against it the penalty was chosen.
          .sum() + penalty => .mean() + penalty
          x.T @ error + => x.T @ error / len(x) +
          error.sum() => error.mean()
       or .sum() + penalty => .mean() + penalty
    - the slope goes uphill where it goes down: Your gradient has the wrong sign: the steps of an optimizer would make
      the loss larger. Is it prediction minus truth?
          error = np.exp(-np.logaddexp(0.0, -z)) - y => error = y - np.exp(-np.logaddexp(0.0, -z))
    - the sign of the score is swapped: You pay most where you are surest to be right. For an agent, should a high score
      cost little or much?
          np.where(y, -z, z) => np.where(y, z, -z)
    - the score in place of the probability: Far from 0 a score says more than a probability can. What turns it into
      one?
          np.exp(-np.logaddexp(0.0, -z)) - y => z - y
    - exp overflows: Right for small scores. For scores of a thousand exp is inf, and its share NaN. Which function adds
      under the logarithm without computing the exponentials?
          np.logaddexp(0.0, np.where(y, -z, z)) => np.log(1 + np.exp(np.where(y, -z, z)))
       or np.logaddexp(0.0, np.where(y, -z, z)) => -np.log(np.where(y, 1, 0) + np.where(y, -1, 1) / (1 + np.exp(z)))
    - the logarithm is kept from 0: A score of a thousand on the wrong side costs a thousand nats. You let nobody pay
      more than about 28.
          np.logaddexp(0.0, np.where(y, -z, z))
          => -np.log(np.where(y, np.exp(-np.logaddexp(0, -z)), np.exp(-np.logaddexp(0, z))) + 1e-12)
    - the penalty is forgotten in the slope: Loss and gradient do not belong together: the second term of the loss has a
      slope too.
          + penalty * weights =>
    - the penalty is forgotten: Nothing keeps your weights small.
          + penalty / 2 * (weights**2).sum() =>
          + penalty * weights =>
    - the half is forgotten: The slope is right, but it is that of half of the squared weights, and your loss has all.
          penalty / 2 * => penalty *
    - the slope of the whole square: The loss has half of the square, and your slope is that of the whole.
          penalty * weights, => 2 * penalty * weights,
    - the bias is penalized: A bias is no reason for a penalty: it may be as large as the data want it.
          (weights**2).sum() => ((weights**2).sum() + bias**2)
          error.sum() => error.sum() + penalty * bias
    - the length, not its square: The penalty is on the squared weights.
          (weights**2).sum() => np.sqrt((weights**2).sum())
    - agents and patients have changed places: Your probe learns to call patients agents. What is y for an agent?
          np.where(y, -z, z) => np.where(y, z, -z)
          - y => - ~y
    - the bias is left out: Your scores have no bias: all planes go through the origin.
          x @ weights + bias => x @ weights
    - the slope of the bias is a mean: The loss is a sum, and so is each of its slopes.
          error.sum() => error.mean()
    - bits
          np.where(y, -z, z)).sum() => np.where(y, -z, z)).sum() / np.log(2)
    """,
    hints="""
    - z is one score for each noun. An agent pays log(1 + exp(-z)), a patient log(1 + exp(z)).
    - np.logaddexp(0, a) is log(1 + exp(a)) for any a. The probability of agent is exp(-log(1 + exp(-z))).
    - With e = p - y the gradient is x.T @ e plus the penalty's part, and for the bias the sum of e.
    """,
)


def _as_of_fair_coins(coins):
    """One half, or the share of True where it is more than six standard deviations of fair coins away."""
    share = float(coins.mean())
    return 1 / 2 if abs(share - 1 / 2) < 6 / 2 / np.sqrt(coins.size) else f"{share:.2f}, too far from 1/2 for a coin"


def observed_labels(function, lemmas, rng):
    """Shares and luck of coins that are tossed for words; `lemmas` is (N,)."""

    def toss(lemmas, rng):
        return chance.truths(function(lemmas, rng), lemmas)

    draws = np.array([*chance.in_a_row(toss, 799, lemmas.copy(), rng), toss(lemmas, rng)])  # (800, N)
    words, first, which = np.unique(lemmas, return_index=True, return_inverse=True)
    coins = draws[:, first]
    expected = 1 / 2
    return {
        "nouns with one word have one label": bool((draws == coins[:, which]).all()),
        "share of the words with True": _as_of_fair_coins(coins),
        "share of the draws in which the first word has True": float(coins[:, 0].mean()),
        "share of the draws in which the first two words fare alike": float((coins[:, 0] == coins[:, 1]).mean()),
        "share of the draws in which the first and the last word fare alike": float(
            (coins[:, 0] == coins[:, -1]).mean() if len(words) > 2 else expected
        ),
        "the most frequent word has True in": float(coins[:, np.bincount(which).argmax()].mean()),
        chance.NEXT_DRAW: bool((draws != draws[0]).any()),
        chance.SAME_SEED: chance.repeatable(_many(toss), lemmas, rng),
    }


CONTROL = Exercise(
    id="13.control-labels",
    title="Labels without a reason",
    answers_in=("mlm_mini.experiments.probing.probe:control_labels",),
    minutes=8,
    cases=(
        Case("two words", (np.array([7, 3, 7, 7]), rng(1))),
        Case("six words", (LEMMAS, rng(2))),
        Case("eighty words, some of them often", (rng(3).zipf(1.5, 600) % 83, rng(4))),
    ),
    habits=("unchanged lemmas", "rng"),
    observe=observed_labels,
    rtol=0.0,
    atol=0.16,
    helpers={"np": np},
    mistakes="""
    - a coin for each noun: The same word gets both labels. Then nobody can learn them, not even by heart, and a probe
      looks honest that is not. How many coins are there?
          (rng.random(len(words)) < 0.5)[which] => rng.random(len(lemmas)) < 0.5
    - one coin for all: All words get the same label. A coin for each word, please.
          rng.random(len(words)) < 0.5 => np.full(len(words), rng.random() < 0.5)
    - every other word: The labels follow from the ids, and the same words get them each time: that is no coin.
          rng.random(len(words)) < 0.5 => np.arange(len(words)) % 2 == 0
       or (rng.random(len(words)) < 0.5)[which] => lemmas % 2 == 0
       or (rng.random(len(words)) < 0.5)[which] => lemmas % 2 == 1
    - a coin that falls on one side: A fair coin says True half of the time.
          < 0.5 => < 0.3
       or < 0.5 => < 0.75
       or < 0.5 => < 0.6
    - exactly half of the words: As many words have True as False, each time: the label of one then says something about
      the others. A coin knows nothing of other coins.
          rng.random(len(words)) < 0.5 => rng.permutation(len(words)) % 2 == 0
    - one word in two, in turn: Which of two neighboring words gets True is tossed once for all: a coin for each word
      knows nothing of the others.
          rng.random(len(words)) < 0.5 => np.arange(len(words)) % 2 == rng.integers(2)
    - words are looked up by their id (raises): An id is no place in your list of words. What does return_inverse give?
          [which] => [lemmas]
    - the draw cannot be repeated
          rng.random => np.random.default_rng().random
    - rng is never used: The same labels at every call: a generator of your own starts from the same seed each time.
      Draw from the one that is handed in.
          rng.random => np.random.default_rng(0).random
    """,
    hints="""
    - One coin for each different word; np.unique says how many there are.
    - rng.random(n) < 0.5 is n fair coins.
    - return_inverse says for each noun which of the words it is: index the coins with that.
    """,
)

DROP = Exercise(
    id="13.paired-drop",
    title="What a hidden word costs",
    minutes=10,
    cases=(
        Case("two folds", (np.array([0.9, 0.8]), np.array([0.5, 0.6]), 12.706)),
        Case("six folds, with folds of hard words", (0.9 - 0.1 * np.arange(6), 0.7 - 0.09 * np.arange(6), 2.571)),
        Case("no change at all", (np.array([0.5, 0.7, 0.6]), np.array([0.5, 0.7, 0.6]), 4.303)),
        Case("accuracy rises", (rng(1).random(5) / 2, 0.5 + rng(2).random(5) / 2, 2.776)),
    ),
    habits=("unchanged before", "unchanged after"),
    helpers={"np": np},
    mistakes="""
    - the wrong way round: A loss of accuracy is a positive drop, by the docstring.
          before - after => after - before
    - folds are not paired: Your interval holds the scatter of easy and hard words, which is the same before and after.
      What is the scatter of the differences?
          drops.std(ddof=1) => np.sqrt(before.var(ddof=1) + after.var(ddof=1))
    - the variance divides by F: With few folds the scatter around their own mean is too small. What makes up for it?
          ddof=1 => ddof=0
    - the scatter, not the error of the mean: That is how folds scatter. The mean of F folds scatters less.
          / np.sqrt(len(drops)) =>
    - divided by F, not by its root: Your interval shrinks too fast: four times as many folds should halve it.
          / np.sqrt(len(drops)) => / len(drops)
    - the variance in place of its root: The variance has the square of the unit. What has the unit of a drop?
          drops.std(ddof=1) => drops.var(ddof=1)
    - F - 1 under the root: F - 1 belongs to the scatter, which has it already. How many drops is the mean made of?
          / np.sqrt(len(drops)) => / np.sqrt(len(drops) - 1)
    - half of the factor: The factor is for one side already.
          t * drops => t / 2 * drops
    - the scatter before: You take how the folds scatter before. The interval is about the drops: how do these scatter?
          drops.std(ddof=1) => before.std(ddof=1)
    - 1.96 in place of t: That is right where the scatter is known. With few folds it is estimated, and t is larger.
          t * drops => 1.96 * drops
    - one standard error to either side: The factor of the interval is never used.
          t * drops => drops
    - a share of what there was: You divide by the accuracy before. Points are asked for, not per cent of it.
          before - after => (before - after) / before
    - the whole width to either side: The interval is as wide as it should be to one side.
          drops.mean() - margin, drops.mean() + margin => drops.mean() - 2 * margin, drops.mean() + 2 * margin
    - the margin in place of the ends: Where does the interval begin, and where does it end?
          drops.mean() - margin, drops.mean() + margin => margin, margin
    - low and high have changed places: The second number is the lower end.
          drops.mean() - margin, drops.mean() + margin => drops.mean() + margin, drops.mean() - margin
    - the size of the drop without its sign: Where accuracy rises the drop is negative. You count gains as losses.
          before - after => np.abs(before - after)
    """,
    hints="""
    - Subtract fold by fold first. Everything else is about these F differences.
    - The standard error of their mean is their standard deviation, with F - 1, divided by the root of F.
    - The interval reaches t standard errors to either side of the mean.
    """,
)


def vectors_of(seed, N, D, k):
    draw = rng(seed)
    return draw.normal(size=(N, D)), draw.normal(size=(k, D)) * draw.uniform(0.3, 4, size=(k, 1))


def dependent(x, directions):
    return x, np.concatenate([directions, directions[:1] - 2 * directions[1:2]])


REMOVE = Exercise(
    id="13.remove-directions",
    title="Without a direction",
    twin="mlm_mini.experiments.probing.removal:remove_directions",
    minutes=15,
    cases=(
        Case("one direction of length 1", (np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([[0.0, 1.0]]))),
        Case("one direction of length 2", (np.array([[3.0, 4.0], [1.0, -1.0]]), np.array([[0.0, 2.0]]))),
        Case("two at an angle", (np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]))),
        Case("as many vectors as numbers", vectors_of(1, 4, 4, 1)),
        Case("three of eight", vectors_of(2, 10, 8, 3)),
        Case("one follows from the others", dependent(*vectors_of(3, 6, 5, 2))),
    ),
    habits=("unchanged x", "unchanged directions"),
    helpers={"np": np},
    mistakes="""
    - what was to be removed is kept: Your answer lies along the directions. The other part is wanted.
          x - x @ np.linalg.pinv(directions) @ directions => x @ np.linalg.pinv(directions) @ directions
    - the length is not taken into account: Right for directions of length 1. By what has a component to be divided, and
      how often?
          np.linalg.pinv(directions) @ => directions.T @
    - divided by the length, once: A direction enters twice: in the component, and when it is taken away.
          np.linalg.pinv(directions) @ directions
          => (directions.T / np.linalg.norm(directions, axis=1)) @ directions
    - directions at an angle are taken for perpendicular: Where two directions share a part, it is taken away twice.
          return x - x @ np.linalg.pinv(directions) @ directions
          => unit = directions / np.linalg.norm(directions, axis=1, keepdims=True); return x - x @ unit.T @ unit
    - one after the other: The second removal brings back a part of the first, where they stand at an angle. What is
      left has to be at right angles to all of them at once.
          instead:
              for direction in directions:
                  x = x - np.outer(x @ direction, direction) / (direction @ direction)
              return x
    - an inverse where there is none: Right while no direction follows from the others; then the matrix has no inverse.
      Which inverse is there for every matrix?
          np.linalg.pinv(directions) @ => directions.T @ np.linalg.inv(directions @ directions.T) @
    - only the first direction: One direction is gone, the others are still there.
          np.linalg.pinv(directions) @ directions => np.linalg.pinv(directions[:1]) @ directions[:1]
    - the sum of the directions: You remove one direction that lies between all of them.
          x @ np.linalg.pinv(directions) @ directions
          => x @ np.linalg.pinv(directions.sum(0, keepdims=True)) @ directions.sum(0, keepdims=True)
    - directions that add nothing are taken for new ones: Right while no direction follows from the others. Then what is
      left of one of them is nothing but rounding, and you take that for a direction.
          np.linalg.pinv(directions) @ directions
          => np.linalg.qr(directions.T)[0] @ np.linalg.qr(directions.T)[0].T
    - turned over, not removed: You take the component away twice: the vectors are mirrored, and a probe
      finds all of it.
          x - x @ => x - 2 * x @
    - the mean is removed as well: What the vectors have in common is not asked about.
          return x - => return x - x.mean(axis=0) -
    - the caller's arrays are changed
          return x - x @ np.linalg.pinv(directions) @ directions
          => x -= x @ np.linalg.pinv(directions) @ directions; return x
    """,
    hints="""
    - For one direction u of length 1 the part along it is (x . u) u. For another length, where does the length enter?
    - Check your answer: its product with every direction has to be 0.
    - np.linalg.pinv(W) @ W keeps what lies along the rows of W, and nothing else.
    """,
)

EXERCISES = (BALANCED, FOLDS, POSTERIOR, VECTOR, BAG, LOGISTIC, CONTROL, DROP, REMOVE)
