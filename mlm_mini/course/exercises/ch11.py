"""Chapter 11: which words to hide, what choosing does to what is learned, and its cost; the bug clinic of Part III.

Shapes: B sentences, N candidates, V tokens, R batches or mask ratios, S seeds, n questions, P weights.
"""

import copy

import numpy as np

from mlm_mini.course import chance
from mlm_mini.course.exercise import Case, Exercise, Twin

rng = np.random.default_rng

FAR_BEHIND = np.array([[0.0, -1000.0, -2e10, -np.inf], [np.log(0.5), np.log(0.5), -1000.0, -2e10]])

SCORES = Exercise(
    id="11.scores",
    title="How hard is a blank?",
    minutes=10,
    cases=(
        Case("an even choice, and nearly a sure one", (np.log([[0.5, 0.5], [0.9, 0.1]]), np.array([0, 1]))),
        Case("one blank, one word excluded", (np.array([[np.log(0.75), np.log(0.25), -np.inf]]), np.array([1]))),
        Case("words that are far behind", (FAR_BEHIND, np.array([1, 3]))),
        Case("a hidden word that is excluded", (FAR_BEHIND, np.array([3, 0]))),
        Case("three blanks of three words", (np.log(rng(3).dirichlet(np.ones(3), 3)), np.array([2, 2, 0]))),
        Case("twenty blanks", (np.log(rng(1).dirichlet(np.ones(30), 20)), rng(2).integers(0, 30, 20))),
        Case("a large vocabulary", (np.log(rng(4).dirichlet(np.ones(40_000), 2)), np.array([39_999, 7]))),
    ),
    habits=("unchanged log_q", "unchanged labels", "low scores log_q", "large ids labels"),
    rtol=1e-10,  # a small number inside the logarithm shows where there are many words
    mistakes="""
    - 0 times -inf is NaN: That is q log q of an excluded word. What does a word that never comes add to a mean?
          np.where(q > 0, log_q, 0.0) => log_q
    - bits
          return => surprisal, entropy = surprisal / np.log(2), entropy / np.log(2); return
       or "entropy": entropy => "entropy": entropy / np.log(2)
    - every word counts the same
          q * np.where(q > 0, log_q, 0.0) => log_q
       or (q * np.where(q > 0, log_q, 0.0)).sum => log_q.mean
       or (q * np.where(q > 0, log_q, 0.0)).sum => np.where(np.isinf(log_q), 0.0, log_q).mean
    - the sign is wrong: You have numbers below zero. The logarithm of a probability is at most zero; what are the two
      scores?
          return => surprisal, entropy = -surprisal, -entropy; return
       or surprisal = -np => surprisal = np
       or entropy = -( => entropy = (
    - the two are exchanged: What you call surprisal does not depend on the hidden word, and what you call entropy does.
          "surprisal": surprisal, "entropy": entropy => "surprisal": entropy, "entropy": surprisal
    - the surprisal of the likeliest word: You ask how sure the model is, whatever is hidden. Which word is to surprise
      the model?
          np.take_along_axis(log_q, labels[:, None], axis=1)[:, 0] => log_q.max(axis=1)
    - the entropy of the hidden word alone: An entropy is a sum over all words, and knows nothing of the hidden one.
          (q * np.where(q > 0, log_q, 0.0)).sum(axis=1) => -surprisal * np.exp(-surprisal)
    - the logarithm of a finished softmax
          np.take_along_axis(log_q => np.take_along_axis(np.log(q)
    - a small number inside the logarithm: It changes all words for the sake of those that never come. What does a word
      of probability 0 add to a mean?
          np.where(q > 0, log_q, 0.0) => np.log(q + 1e-12)
       or np.where(q > 0, log_q, 0.0) => np.log(q + 1e-12)
          np.take_along_axis(log_q => np.take_along_axis(np.log(q + 1e-12)
    - NaN and infinity patched over
          np.take_along_axis(log_q => np.take_along_axis(np.nan_to_num(log_q)
    """,
    hints="""
    - The labels pick one number out of each row of log_q; np.take_along_axis does that for all rows at once.
    - The entropy of a row is the mean surprisal that the model itself expects: a sum of q times -log q.
    - Where q is 0 the term is 0, whatever its logarithm says: np.where can choose.
    """,
)

INCLUSION = Exercise(
    id="11.inclusion",
    title="From scores to probabilities",
    twin="mlm_mini.experiments.strategy.selection:inclusion_probabilities",
    minutes=15,
    cases=(
        Case("one of three", (np.array([1.0, 2.0, 3.0]), 1.0)),
        Case("three of five, one score far above the others", (np.array([0.5, 20.0, 1.0, 1.5, 0.5]), 3.0)),
        Case("a cap that calls for another and another", (np.array([64.0, 1.0, 4.0, 16.0, 256.0, 1.0]), 4.9)),
        Case("forty of two hundred", (rng(1).gamma(0.3, size=200) + 1e-3, 40.0)),
        Case("half a position of fifteen, on average", (rng(2).random(15) + 0.1, 0.5)),
        Case("all of them", (rng(3).random(6) + 0.1, 6.0)),
        Case("one of one", (np.array([0.3]), 1.0)),
    ),
    habits=("unchanged scores", "any order scores"),
    mistakes="""
    - a probability above one: A position can be selected once at most: what is left over belongs to the others.
          while (probability > 1 + 1e-12).any() => while False
    - cut off at one, and the rest is lost: Together they are fewer than was asked for. Who gets what the cap took away?
          expected * scores / scores.sum() => np.minimum(1.0, expected * scores / scores.sum())
    - capped too few times: After a cap the others get more, which can lift another above 1. After how many caps is no
      probability above 1?
          while (probability > 1 + 1e-12).any() => if (probability > 1).any()
       or while (probability > 1 + 1e-12).any() => if (probability > 1).any()
          return probability => return np.minimum(probability, 1)
       or while (probability > 1 + 1e-12).any() => for _ in range(2)
    - the rest is shared evenly: What the cap left over goes to the others by their scores, not to all alike.
          np.where(capped, 1.0, c * scores)
          => np.where(capped, 1.0, probability + (expected - np.minimum(1, probability).sum()) / (~capped).sum())
    - the probabilities sum to one: That is for drawing one position. How many positions are expected?
          expected * scores => scores
    - the highest scores, always: Your answer is 0 or 1: easy words are never asked for. To prefer is not to insist.
          probability = expected => return 1.0 * ((-scores).argsort().argsort() < round(expected)); expected
    - a softmax of the scores: A score twice as large should have twice the chance, and an exponential makes more of it.
          probability = expected => scores = np.exp(scores - scores.max()); probability = expected
    - all are made smaller: Your largest is 1, and all others shrank with it. Only probabilities above 1 are to be cut
      off.
          / scores.sum() => / max(scores.sum(), expected * scores.max())
    - stretched after the cut: You cut off at 1 and then stretched all, those at 1 as well. Which probabilities may grow
      after a cut?
          while (probability > 1 + 1e-12).any() => while False
          return probability => return np.minimum(1, probability) * expected / np.minimum(1, probability).sum()
    - the capped still share: Those at 1 take no part of what is left: among whose scores is the rest to be shared?
          scores[~capped].sum() => scores.sum()
    - the capped are not counted: Those at 1 have used up a part of what was expected: how much is left for the others?
          (expected - capped.sum()) => expected
    - c is at most one: Right where the scores are large. What is c where all scores are small?
          return probability => return np.minimum(probability, scores)
    - the order of the scores is lost: You return the probabilities sorted. Whose probability comes first?
          return probability => return np.sort(probability)[::-1]
       or return probability => return np.sort(probability)
    """,
    hints="""
    - Without a cap, c is what makes the sum right: expected divided by the sum of the scores.
    - Those above 1 get exactly 1. How many are still to be had from the others, and what is their c?
    - A loop: compute c for those that are not capped, cap whoever is above 1, and stop when nobody is.
    """,
)


def measured_sample(function, weights, k, rng):
    """How many are selected in a row, how often each position and each two, and whether luck is each row's own."""
    few = (weights[:50].copy(), k, copy.deepcopy(rng))
    selected = chance.truths(function(weights, k, rng), weights)
    draws = np.stack(chance.in_a_row(function, chance.DRAWS_COUNTED, *few))
    seen = {
        "fewest in a row": draws.sum(axis=2).min(),
        "most in a row": draws.sum(axis=2).max(),
        "a position of weight 0 is selected": bool(draws[:, few[0] == 0].any()),
        chance.SAME_SEED: chance.repeatable(function, *few),
    }
    if len(weights) == 1:
        return seen
    halves = np.split(selected.astype(float), 2)
    return seen | {
        "how often each position is selected, and each two, in either half": [h.T @ h / len(h) for h in halves],
        "share of rows that are like the row above": chance.share((selected[1:] == selected[:-1]).all(axis=1)),
        chance.NEXT_DRAW: chance.share((draws[1:] == draws[:-1]).all(axis=2)) < 0.9,
        chance.VARIES: chance.varies(draws[:, :, 2].sum(axis=1), 50),
    }


def rows_of(one, other):
    """Weights of 20,000 rows, the first half unlike the second."""
    return np.repeat([one, other], 10_000, axis=0).astype(float)


SAMPLE = Exercise(
    id="11.weighted-sample",
    title="Exactly k, the hard ones more often",
    minutes=15,
    cases=(
        Case("one row, both that have a weight", (np.array([[2.0, 0.0, 1.0]]), 2, rng(5))),
        Case("20,000 rows, one of four", (rows_of([1, 2, 3, 10], [10, 1, 4, 1]), 1, rng(56))),
        Case("20,000 rows, two of four", (rows_of([1, 2, 3, 10], [10, 1, 4, 1]), 2, rng(48))),
        Case("three of six, one of weight 0", (rows_of([4, 0, 1, 1.5, 2, 0.5], [1, 2, 9, 1.5, 0, 1]), 3, rng(28))),
    ),
    observe=measured_sample,
    atol=0.03,  # six standard errors of a share of 10,000 rows
    habits=("unchanged weights", "rng"),
    mistakes="""
    - always the heaviest: Heavy positions should come more often, not always: where is the chance?
          np.log(weights) + rng.gumbel(size=weights.shape) => weights
       or size=weights.shape => size=(len(weights), 1)
    - the noise is added to the weights: Gumbel noise belongs to logarithms: it is the log of the weight that it shifts.
          np.log(weights) => weights
       or np.log(weights) => weights / weights.sum(axis=1, keepdims=True)
    - the weights do not matter: All positions come equally often, whatever their weights.
          np.log(weights) + =>
       or np.log(weights) + rng.gumbel => rng.random
    - the noise has another shape: The heavier come more often, but not in proportion. With which noise has the largest
      key a chance in proportion to its weight?
          rng.gumbel => rng.random
       or rng.gumbel => rng.normal
       or + rng.gumbel => - rng.gumbel
       or np.log(weights) + rng.gumbel => weights * rng.random
    - the smallest keys: Heavy positions come least often. At which end of the order do the heavy positions stand?
          -keys => keys
    - with replacement: Some rows have fewer than k: the same position was drawn twice.
          np.argsort(-keys, axis=1)
          => np.stack([(np.log(weights) + rng.gumbel(size=weights.shape)).argmax(axis=1) for _ in range(k)], axis=1)
    - each on its own: The number of selected positions varies from row to row, as in a Poisson sample. How many
      positions are to be selected?
          chosen = => return rng.random(weights.shape) < k * weights / weights.sum(axis=1, keepdims=True); chosen =
    - one too many: Every row has one more than k. Where does a slice of k places end?
          order[:, :k] => order[:, : k + 1]
    - one too few: Every row has one less than k. Is the k-th largest key among those that are selected?
          order[:, :k] => order[:, : k - 1]
    - one draw for all rows: Rows with the same weights select the same positions: they share their noise.
          size=weights.shape => size=weights.shape[1]
    - the weights of one row for all: Every row is drawn as if it had the weights of the first.
          np.log(weights) => np.log(weights[0])
    - argsort taken for ranks: argsort says which position comes first, second, third. Which array says the rank of each
      position?
          np.put_along_axis(chosen, order[:, :k], True, axis=1) => chosen = order < k
    - a generator of one's own
          keys = => rng = np.random.default_rng(0); keys =
       or rng.gumbel => np.random.default_rng().gumbel
       or rng.gumbel => np.random.gumbel
    """,
    hints="""
    - Give each position a key, the log of its weight plus rng.gumbel noise of its own; which k of a row are taken?
    - A weight of 0 has the log -inf, which no noise lifts: it comes last, as it should.
    - Sort the keys of each row, largest first; the first k places of that order say which positions are selected.
    """,
)

LEARNED = Exercise(
    id="11.learned",
    title="What is learned from what is asked",
    twin="mlm_mini.experiments.strategy.fixed_points:learned_distribution",
    minutes=8,
    cases=(
        Case("two words, the rare one asked for every time", (np.array([0.9, 0.1]), np.array([1 / 3, 1.0]))),
        Case("all asked for every time", (np.array([0.5, 0.25, 0.25]), np.ones(3))),
        Case("a word that is never asked for", (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.4, 0.0]))),
        Case("three blanks of three words", (rng(3).dirichlet(np.ones(3), 3), rng(4).random((3, 3)))),
        Case("five blanks of eight words", (rng(1).dirichlet(np.ones(8), 5), rng(2).random((5, 8)))),
        Case("leading dimensions (2, 3)", (rng(5).dirichlet(np.ones(4), (2, 3)), rng(6).random((2, 3, 4)))),
    ),
    habits=("unchanged p", "unchanged s", "fresh", "leading p 1"),
    helpers={"np": np},
    mistakes="""
    - the truth, not what is learned: You return how often each word stands there. The model never hears of a word that
      is not asked for.
          p * s => p + 0 * s
    - the truth is forgotten: You return how often each word is asked for where it stands. How often does each word
      stand there?
          p * s => s
    - it does not sum to one: These are shares of all blanks. What are the shares of the blanks that were asked for?
          / questions.sum(axis=-1, keepdims=True) =>
    - divided by the chance: Words that are asked for less come out likelier. To divide is to undo a selection.
          p * s => np.where(s > 0, p / s, 0)
       or p * s => p / s
    - one sum for all blanks: Each row is a distribution of its own: what does it sum to?
          questions.sum(axis=-1, keepdims=True) => questions.sum()
    - the sums are lined up with the words: Each row meets the sums of others, or NumPy refuses. Which argument of a sum
      keeps its axis?
          axis=-1, keepdims=True => axis=-1
    - summed along the first axis
          axis=-1 => axis=0
    - the second axis, wherever the words are
          axis=-1 => axis=1
    - a softmax: Chances multiply; nothing here is a logit. The gradient in the text is zero for one q only.
          p * s => np.exp(p * s)
    """,
    hints="""
    - Set the gradient to zero: the sum over w of p(w) s(w) (q - e_w). Look at the entry of one word.
    - q times the sum of all p(w) s(w) must be the p(w) s(w) of that word.
    - So q is proportional to p times s. What makes each row sum to one?
    """,
)


def iterated(p, steps, edge=0.0):
    q = p
    for _ in range(steps):
        q = np.clip(q, edge, 1 - edge)
        mine, other = -p * np.log(q), -(1 - p) * np.log1p(-q)
        q = mine / (mine + other)
    return q


STEPS_OF_ITERATION = (2, 3, 4, 5, 8, 9, 10, 19, 20, 50)  # beyond 30 all are NaN
SWINGING = "\n       or ".join(
    f"low, high = 0.0, 1.0 => return iterated(p, {steps})"
    for steps in (*STEPS_OF_ITERATION, "1000, 1e-12", "999, 1e-12")
)

REST = Exercise(
    id="11.fixed-point",
    title="Where it ends when the model chooses for itself",
    twin=Twin(
        "mlm_mini.experiments.strategy.fixed_points:surprisal_fixed_point", lambda twin, p: float(twin([p, 1 - p])[0])
    ),
    minutes=15,
    cases=tuple(Case(f"{p:.1%} and {1 - p:.1%}", (p,)) for p in (0.9, 0.5, 0.3, 0.99, 0.001)),
    rtol=1e-6,
    atol=1e-8,
    helpers={"iterated": iterated},
    mistakes=f"""
    - one step only: You let the truth choose. The model chooses by its own q, so that q stands on both sides.
          low, high = 0.0, 1.0 => return iterated(p, 1)
    - the answer swings to and fro: Each round goes past the point of rest, to the other side. Within what
      can the answer be kept, so that no round goes too far?
          {SWINGING}
    - the answer is p: A model that knows something asks more for the rarer word.
          low, high = 0.0, 1.0 => return p
    - the square root: That is where selection by 1 / q ends. Here the chance is the surprisal, -log q.
          low, high = 0.0, 1.0 => return p**0.5 / (p**0.5 + (1 - p) ** 0.5)
    - the other word: Your number is the probability of the word that has probability 1 - p.
          return 0.5 * (low + high) => return 1 - 0.5 * (low + high)
    - the likely word gets likelier: Is a word that surprises less asked for more, or less?
          low, high = 0.0, 1.0 => return p * np.log1p(-p) / (p * np.log1p(-p) + (1 - p) * np.log(p))
       or np.log(q) * (1 - q) => np.log1p(-q) * (1 - q)
          np.log1p(-q) * q => np.log(q) * q
    - the wrong half is kept: You end at 0 or 1. On which side of the point of rest is q pulled up?
          pull_up > pull_down => pull_up < pull_down
    - only the likelier half is searched: Right for a word with p above one half. Where does a word end
      with p below one half?
          0.0, 1.0 => 0.5, 1.0
    - q stands on one side only: You found where both words are asked for equally often. In which terms of the
      equation is q?
          * (1 - q), => ,
          np.log1p(-q) * q => np.log1p(-q)
    """,
    hints="""
    - Write q / (1 - q) = p / (1 - p) times log(q) / log(1 - q) without fractions, all on one side.
    - At q near 0 that difference is above zero, at q near 1 below, and it crosses zero once.
    - Bisection: halve the interval between 0 and 1, keep the half in which the sign changes, a hundred times.
    """,
)


def asked_sample(seed, N):
    probability = rng(seed).uniform(0.05, 0.9, N)
    return rng(seed + 1).gamma(2.0, size=N), rng(seed + 2).random(N) < probability, probability


IMPORTANCE = Exercise(
    id="11.importance",
    title="Weights that undo the choice",
    answers_in=("mlm_mini.experiments.strategy.selection:_weights",),
    minutes=12,
    cases=(
        Case("two of three asked", (np.array([4.0, 9, 1]), np.array([True, False, True]), np.array([1, 0.5, 0.25]))),
        Case("one candidate, asked for", (np.array([3.0]), np.array([True]), np.array([0.2]))),
        Case("twelve candidates", asked_sample(10, 12)),
        Case("three hundred candidates", asked_sample(20, 300)),
        Case("nothing asked", (rng(1).random(4), np.zeros(4, dtype=bool), rng(2).uniform(0.1, 1, 4))),
    ),
    habits=("unchanged nats", "unchanged asked", "unchanged probability"),
    rtol=1e-13,  # a small number added to the sum of the weights shows
    atol=1e-14,
    mistakes="""
    - multiplied by the probability: A position that is asked for often should count less each time, not more.
          1 / probability => probability
    - no weights: Hard words were asked for more often, and count for more. What makes up for being asked more often?
          1 / probability => 1.0
       or 1 / probability => 1.0
          len(nats) => max(asked.sum(), 1)
    - divided by how many were asked: Each weight makes up for those that were not asked. For how many candidates do all
      weights stand?
          len(nats) => max(asked.sum(), 1)
       or total / weights.sum() => total / asked.sum()
    - the first is not divided by N: Your first number grows with the candidates. What is a mean loss over N candidates?
          return total / len(nats) => return total
    - positions that were not asked count: You use losses or weights of candidates for which the model never paid.
          np.where(asked, 1 / probability, 0.0) => 1 / probability
       or np.where(asked, 1 / probability, 0.0) => 1 / probability
          if asked.any() else 0.0 =>
       or weights.sum() if => (1 / probability).sum() if
    - a batch in which nothing is asked is NaN: 0 / 0 spoils every weight of the model. What does the docstring ask for?
          if asked.any() else 0.0 =>
    - the second is not normalized: Your two numbers are the same. The sum of the weights is N only on average.
          total / weights.sum() => total / len(nats)
    - the weights of those that stay: You weigh by the chance of not being asked. What matters is the chance of being
      asked.
          1 / probability => 1 / (1 - probability)
    - the two are exchanged: The first is the weighted sum over N, the second that over the sum of the weights.
          total / len(nats), normalized => normalized, total / len(nats)
    - a small number added to what is divided by
          weights.sum() if => (weights.sum() + 1e-12) if
    """,
    hints="""
    - A position with probability 1/4 stands for four of its kind: it counts four times when it is asked.
    - First the sum of weight times nats over N, the number of candidates; then the same sum over all weights.
    - If nothing was asked the sum of the weights is 0: answer 0.0 before you divide.
    """,
)


def training_flops(V, D, L, T):
    """The operations per token of chapter 08, as a function of the share that is predicted."""
    return lambda predicted: 6 * 12 * L * D**2 + 12 * L * T * D + 6 * predicted * (D**2 + D * V)


STEPS = Exercise(
    id="11.equal-steps",
    title="As many steps as one can pay for",
    minutes=10,
    cases=(
        Case("the tiny model of the study", (400, training_flops(404, 64, 2, 10), 0.15, 2.0)),
        Case("four candidates for each question", (401, training_flops(404, 64, 2, 10), 0.15, 4.0)),
        Case("BERT-base", (1_000_000, training_flops(30522, 768, 12, 512), 0.15, 2.0)),
        Case("a large vocabulary", (500, training_flops(50_000, 128, 2, 128), 0.15, 6.0)),
    ),
    mistakes="""
    - looking costs nothing: You grant all the steps. The scoring pass reads every sentence once more before the step.
          (step + look) => step
    - scoring is charged like training: A scoring pass goes forward only: what share of the cost of a pass is that?
          / 3 =>
    - scoring at the mask ratio: The head works for each candidate, and they are more than are asked for in the end.
          oversampling * =>
    - logits at every position: You charge the head for all tokens. Scores are needed at the candidates only.
          oversampling * mask_ratio => 1.0
    - more steps for the dearer strategy: Your strategy gets more steps than uniform masks, and its steps cost more.
          step / (step + look) => (step + look) / step
    - only the scoring is paid: You divide by the cost of scoring alone. A step of the strategy scores, and then trains.
          (step + look) => look
    - rounded up: The nearest whole number is asked for, as the study has it: what becomes of a fraction below a half?
          round( => 1 + int(
    - cut off, not rounded: The nearest whole number is asked for: what do int and // make of a fraction above a half?
          round( => int(
    - another share of a pass: The way back costs twice the way forward: what share of both is the way forward?
          / 3 => * 2 / 3
       or / 3 => / 2
    - every candidate is read by itself: A sentence is read once, whatever is hidden in it. Which part of the cost grows
      with candidates?
          flops(oversampling * mask_ratio) => oversampling * flops(mask_ratio)
    """,
    hints="""
    - What do `steps` steps with uniform masks cost, and what does one step of the strategy?
    - A forward pass costs a third of a training pass at the same share of predictions.
    - The scoring pass predicts mask_ratio * oversampling of the tokens. At the end, round() finds the nearest number.
    """,
)


def sentences(seed, B, ratio=0.15):
    counts = rng(seed).binomial(rng(seed + 1).integers(4, 14, B), ratio)
    return rng(seed + 2).gamma(2.0, 0.6, B) * counts, counts


RATIO = Exercise(
    id="11.clinic-ratio",
    title="Bug clinic: the error of a loss per token",
    twin="mlm_mini.reference.loss:mean_and_error",
    minutes=10,
    cases=(
        Case("three sentences", (np.array([2.0, 1.0, 9.0]), np.array([1, 1, 4]))),
        Case("sentences of which some ask nothing", sentences(30, 60)),
        Case("four hundred sentences", sentences(40, 400, 0.4)),
        Case("the same number everywhere", (rng(50).gamma(2.0, size=30), np.full(30, 2))),
    ),
    habits=("unchanged nats", "unchanged counts"),
    helpers={
        "free": lambda nats, counts: nats / np.maximum(counts, 1),
        "own": lambda nats, counts: nats[counts > 0] / counts[counts > 0],
        "error": lambda values, ddof=0: values.std(ddof=ddof) / np.sqrt(len(values)),
    },
    mistakes="""
    - the mean of ratios: You average over sentences, so that a question in a short one counts for more than others.
          loss = => return own(nats, counts).mean(), error(own(nats, counts)); loss =
       or loss = => return own(nats, counts).mean(), error(own(nats, counts), ddof=1); loss =
       or nats.sum() / counts.sum() => own(nats, counts).mean()
    - a sentence without a question gives NaN: In a mean over sentences one without a question is 0 / 0, and a short one
      counts as much as a long one.
          loss = => return (nats / counts).mean(), error(nats / counts); loss =
       or loss = => return (nats / counts).mean(), error(nats / counts, ddof=1); loss =
    - the mean of ratios, with a sentence without a question as free: You average over sentences. Which mean gives every
      question the same weight, and a sentence without one none?
          loss = => return free(nats, counts).mean(), error(free(nats, counts)); loss =
       or loss = => return free(nats, counts).mean(), error(free(nats, counts), ddof=1); loss =
       or nats.sum() / counts.sum() => free(nats, counts).mean()
    - the error of another mean: Your error is that of the mean of the sentences' own losses.
          np.sqrt((residual**2).sum()) / counts.sum() => error(own(nats, counts))
       or np.sqrt((residual**2).sum()) / counts.sum() => error(own(nats, counts), ddof=1)
    - the counts are taken as certain: More questions bring more nats: the two scatter together, and their ratio less
      than the nats.
          loss * counts => nats.mean()
    - nats and counts are taken for independent: You add two relative variances, but a sentence with many questions pays
      many nats.
          np.sqrt((residual**2).sum()) / counts.sum()
          => loss * np.hypot(error(nats) / nats.mean(), error(counts) / counts.mean())
    - Bessel's correction: Your error is larger by the root of B / (B - 1). What does the docstring say of a small B?
          return loss, => return loss, (len(nats) / (len(nats) - 1)) ** 0.5 *
    - the spread, not the error: So far apart do sentences lie. How does the error of a mean shrink as sentences are
      added?
          (residual**2).sum() => len(nats) * (residual**2).sum()
       or np.sqrt((residual**2).sum()) / counts.sum() => np.sqrt((residual**2).mean())
    - per sentence, not per question: Your loss grows with the questions in a sentence. Among what are all nats to be
      shared?
          nats.sum() / counts.sum() => nats.mean()
       or loss = => return nats.mean(), error(nats); loss =
    """,
    hints="""
    - The loss per question is a ratio of two sums over sentences, and both sums are random.
    - How far do the nats of a sentence lie from what its number of questions would cost on average, mean times counts?
    - Square these residuals, add them up, take the root, divide by all questions.
    """,
)


def models(seed, common, order=range(6)):
    """Losses of six models at the ratios of all: harder where more is hidden; the gaps by chance."""
    ratios, floor = np.array([[0.02, 0.05, 0.15, 0.3, 0.5, 0.8], [0.7, 0.8, 1.0, 1.4, 2.0, 3.1]])[:, list(order)]
    return (floor + rng(seed).gamma(2.0, 0.25, (6, 6))).round(2), ratios, common


THREE_MODELS = np.array([[0.9, 1.3, 1.9], [1.0, 1.2, 1.6], [1.2, 1.35, 1.5]]), np.array([0.05, 0.15, 0.4]), 0.15

RATIOS = Exercise(
    id="11.clinic-ratios",
    title="Bug clinic: fewer masks are always better",
    minutes=8,
    cases=(
        Case("three models", THREE_MODELS),
        Case("one model", (np.array([[1.5]]), np.array([0.15]), 0.15)),
        Case("six models, asked at 0.15", models(1, 0.15)),
        Case("six others, asked at 0.5", models(2, 0.5)),
        Case("six in no order, asked at 0.05", models(3, 0.05, (3, 0, 5, 1, 4, 2))),
        Case("six in falling order, asked at 0.3", models(4, 0.3, range(5, -1, -1))),
    ),
    habits=("unchanged losses", "unchanged ratios", "any order ratios"),
    helpers={"np": np},
    mistakes="""
    - to each model its own questions: You compare along the diagonal. Where less is hidden every blank is easier, for
      any model.
          losses[:, list(ratios).index(common)] => np.diag(losses)
       or losses[:, list(ratios).index(common)] => (np.diag(losses) - losses.min(axis=0))
    - one model, asked at all ratios: You look along a row. Which index is the model, and which the questions?
          losses[:, list(ratios).index(common)] => losses[list(ratios).index(common)]
    - the place, not the ratio: You return a place in the list. Which ratio stands at that place?
          ratios[same_questions.argmin()] => same_questions.argmin()
    - the loss, not the ratio: At which ratio was the model trained that has the smallest loss?
          ratios[same_questions.argmin()] => same_questions.min()
    - the worst model: You choose the largest loss. Is a large loss good?
          argmin => argmax
    - the smallest loss of all: The smallest number of the whole table stands where questions are easiest.
          same_questions.argmin() => np.unravel_index(losses.argmin(), losses.shape)[0]
    - a mean over all ratios: You average over easy and hard questions, and the hard ones decide. At which ratio are all
      to be asked?
          losses[:, list(ratios).index(common)] => losses.mean(axis=1)
    - a ratio taken for a place: As a whole number 0.15 is 0. At which place in `ratios` does `common` stand?
          list(ratios).index(common) => int(common)
    """,
    hints="""
    - A row is a model, a column a set of questions. On the diagonal every model has questions of its own.
    - Questions at one ratio stand in one column: find the column of `common`.
    - The row of its smallest loss says which model, and `ratios` at what ratio that was trained.
    """,
)


def runs(seed, S, n):
    """Losses of S seeds at n questions; those of a seed share their luck."""
    ours = rng(seed + 1).gamma(1.0, 0.5, (S, n)) + rng(seed).normal(0, 0.05, (S, 1))
    return ours, ours + rng(seed + 2).normal(0.01, 0.04, (S, 1)) + rng(seed + 3).normal(0, 0.1, (S, n))


SEEDS = Exercise(
    id="11.clinic-seeds",
    title="Bug clinic: five seeds and twenty thousand questions",
    answers_in=("mlm_mini.experiments.lab.intervals:mean_interval",),
    minutes=10,
    cases=(
        Case("two seeds of three questions", (np.diag([1.0, 2, 5])[:2], np.array([[1, 1, 1.0], [1, 4, 1]]), 12.706)),
        Case("three seeds of one question", (*runs(50, 3, 1), 4.303)),
        Case("four seeds of four questions", (*runs(80, 4, 4), 3.182)),
        Case("five seeds of four thousand questions", (*runs(60, 5, 4000), 2.776)),
    ),
    habits=("unchanged ours", "unchanged theirs"),
    mistakes="""
    - every question counts as a run: The luck of a model is in all its answers. How many models were trained?
          .mean(axis=1) => .ravel()
       or .mean(axis=1) => .mean(axis=0)
       or of_seed.std(ddof=1) / np.sqrt(len(of_seed))
          => np.sqrt((ours.var(ddof=1) + theirs.var(ddof=1)) / ours.size)
    - the scatter of the questions: You divide by the number of seeds, but what scatters are single questions.
          of_seed.std(ddof=1) => (ours - theirs).std(ddof=1)
    - the first seed alone: The luck of one seed cannot be told from the strategy: your interval knows only that of
      questions.
          (ours - theirs).mean(axis=1) => (ours - theirs)[0]
    - two scatters instead of one
          of_seed.std(ddof=1) => np.sqrt(ours.mean(axis=1).var(ddof=1) + theirs.mean(axis=1).var(ddof=1))
    - divided by n
          ddof=1 =>
    - the scatter of single values
          / np.sqrt(len(of_seed)) =>
    - one standard error
          t * =>
    - 1.96 for a few values
          t * => 1.96 *
    - the wrong way round: Below 0 the difference is to say that ours is better. What is subtracted from what?
          (ours - theirs) => (theirs - ours)
    - the best seed of each: You compare the luckiest runs, and the more seeds, the luckier. What of the next run?
          of_seed.mean(), => ours.mean(axis=1).min() - theirs.mean(axis=1).min(),
    """,
    hints="""
    - What was drawn independently, the questions or the models? An interval counts those.
    - One number for each seed: the difference of its two mean losses.
    - t times the standard deviation of these numbers, with Bessel's correction, over the root of their number.
    """,
)

COST = Exercise(
    id="11.clinic-cost",
    title="Bug clinic: a third fewer steps",
    minutes=8,
    cases=(
        Case("a third fewer steps, scored at every step", (300, 200, 3.0, 1.0, 1)),
        Case("scored at every fourth step", (300, 202, 3.0, 1.0, 4)),
        Case("scored at every fifth step, and as many steps", (200, 200, 3.0, 1.0, 5)),
        Case("scored once", (500, 450, 600_000.0, 220_000.0, 1000)),
    ),
    mistakes="""
    - the steps alone are compared: Your answer is the ratio of the steps, whatever scoring costs. Who pays for scores,
      and who does not?
          + scoring_passes * scoring =>
    - scored at every step: The scores are used for several steps, but you pay for a scoring pass at each.
          (strategy_steps + every - 1) // every => strategy_steps
    - a scoring pass is missing: The first pass is made at step 0. When is the last, if the steps are no multiple of
      `every`?
          (strategy_steps + every - 1) // every => strategy_steps // every
       or (strategy_steps + every - 1) => (strategy_steps - 1)
    - a scoring pass too many: Where the steps are a multiple of `every`, your last pass comes after the last step.
          (strategy_steps + every - 1) // every => strategy_steps // every + 1
    - a part of a scoring pass: You pay for a pass in shares of the steps it serves. A pass is made whole or not at all.
          (strategy_steps + every - 1) // every => strategy_steps / every
    - both pay for scoring: Uniform masks need no scores, and yours pay for them.
          uniform_steps * training / => (uniform_steps * training + (uniform_steps + every - 1) // every * scoring) /
    - the quotient is upside down: Above 1 should mean that the strategy is cheaper. Which of the two costs stands above
      the line?
          uniform_steps * training / => 1 / (uniform_steps * training) *
    - another price of a pass: `scoring` is the whole cost of one scoring pass already, which goes forward only.
          * scoring) => * 3 * scoring)
       or * scoring) => * scoring / 3)
    """,
    hints="""
    - Add up what each of the two has spent until it was as good as the other.
    - How many scoring passes fall into strategy_steps steps, when each serves `every` of them?
    - The strategy pays for its steps and for its scoring passes, uniform masks only for their steps.
    """,
)

BESSEL = Exercise(
    id="11.clinic-bessel",
    title="Bug clinic: a signal that grows when one looks less",
    answers_in=("mlm_mini.experiments.strategy.signals:squared_norms",),
    minutes=10,
    cases=(
        Case("two gradients of two weights", (np.array([[3.0, 0.0], [1.0, 2.0]]),)),
        Case("two gradients of one weight, far from zero", (np.array([[2.0**27 - 1], [2.0**27 + 1]]),)),
        Case("three gradients of three weights", (1 + rng(82).normal(size=(3, 3)),)),
        Case("eight gradients of fifty weights", (0.5 + rng(80).normal(size=(8, 50)),)),
        Case("gradients that are nothing but noise", (rng(95).normal(size=(5, 40)),)),
        Case("gradients that are all alike", (np.ones((4, 3)),)),
    ),
    habits=("unchanged gradients",),
    mistakes="""
    - noise counts as signal: Where there is no signal you should find 0 on average. What did R draws not average away?
          - trace / R =>
    - divided by n
          / (R - 1) => / R
    - all of the noise is taken off: You take off the noise of one gradient. How much noise is left in the mean of R?
          trace / R, => trace,
    - cut off at zero: Where the estimate falls below 0 you put 0, and then it is too large on average.
          (mean**2).sum() - trace / R => max((mean**2).sum() - trace / R, 0.0)
    - the mean square of single gradients: The square of one gradient's length is signal and noise together.
          (mean**2).sum() - trace / R => (gradients**2).sum() / R
    - one mean for all weights
          ((gradients - mean) ** 2).sum() / (R - 1) => gradients.var(ddof=1) * mean.size
       or ((gradients - mean) ** 2).sum() / (R - 1) => gradients.var(ddof=1)
    - the mean over the weights
          ((gradients - mean) ** 2).sum() => ((gradients - mean) ** 2).sum(axis=0).mean()
    - each row is centered by itself
          gradients - mean => gradients - gradients.mean(axis=1, keepdims=True)
    - the mean is still in it
          (gradients - mean) ** 2 => gradients**2
    """,
    hints="""
    - Try it on pure noise: what should the signal be on average, and what do you get with few gradients?
    - The variance of a mean of R gradients is the variance of one, divided by R.
    - The square of the mean gradient is, on average, the signal plus noise / R.
    """,
)

EXERCISES = (SCORES, INCLUSION, SAMPLE, LEARNED, REST, IMPORTANCE, STEPS, RATIO, RATIOS, SEEDS, COST, BESSEL)
