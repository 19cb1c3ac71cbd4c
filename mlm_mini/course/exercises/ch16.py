"""Chapter 16: writing by unmasking. An area, a bound, sentences out of nothing but holes; the bug clinic of Part V.

Shapes: B sentences, T positions, V tokens, N blanks, R orders, K steps.
"""

import copy

import numpy as np

from mlm_mini.course import chance
from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import Case, Exercise, WrongAnswer

rng = np.random.default_rng


def bend(ratios):
    """Looks like the floor of the scene language."""
    return 0.8 + 0.3 * ratios + 0.95 * ratios**3


AREA = Exercise(
    id="16.area",
    title="An integral from a few points",
    answers_in=("mlm_mini.experiments.writing.floor_area:gauss_ratios",),
    minutes=12,
    cases=(
        Case("a line, one point", (lambda r: 1 + r, 1)),
        Case("a parabola, two points", (lambda r: 2 - 3 * r**2, 2)),
        Case("a cubic, two points", (bend, 2)),
        Case("a power of nine, five points", (lambda r: 0.5 + 10 * r**9, 5)),
        Case("a root, three points, which is not exact", (np.sqrt, 3)),
    ),
    mistakes="""
    - the points stay where they are: You ask for the floor at ratios below 0. What takes -1 to 0 and 1 to 1?
          (nodes + 1) / 2 => nodes
    - the points are moved, not shrunk: Your points go up to 2. What takes 2, the length of NumPy's interval, to 1?
          (nodes + 1) / 2 => nodes + 1
    - a bracket is missing
          (nodes + 1) / 2 => nodes + 1 / 2
    - the weights belong to an interval of length 2: A floor of 1 everywhere has an area of 1, and you find 2.
          .sum() / 2 => .sum()
    - all points count alike: You take the mean of the values. Gauss's points lie closer together at the ends: does each
      stand for as much of the interval?
          (weights * floor((nodes + 1) / 2)).sum() / 2 => floor((nodes + 1) / 2).mean()
    - points at equal distances, the ends included: You go from end to end in equal steps. For a curve of degree 2n - 1
      that is not exact: where does leggauss put its points?
          np.polynomial.legendre.leggauss(n) => (np.linspace(-1, 1, n), np.full(n, 2 / n))
    - the middles of equal pieces: That is the midpoint rule, exact for lines only. Which points and weights does Gauss
      take?
          np.polynomial.legendre.leggauss(n) => ((2 * np.arange(n) + 1) / n - 1, np.full(n, 2 / n))
    - a trapezoid: Between your points you draw straight lines. Which rule is asked for?
          instead:
              r = np.linspace(0, 1, n)
              return float((np.diff(r) * (floor(r)[1:] + floor(r)[:-1]) / 2).sum())
    - a point too many: You use n + 1 points. That is more exact, and not what was asked for.
          leggauss(n) => leggauss(n + 1)
    - a mean of what is weighted already: You divide by n as well. What do the weights sum to?
          .sum() / 2 => .sum() / 2 / n
    """,
    hints="""
    - leggauss(n) returns n points between -1 and 1, and n weights that sum to 2.
    - The point x of NumPy's interval stands for the ratio (x + 1) / 2.
    - The interval has half the length: so has each weight. Sum weight times floor.
    """,
)


def losses(seed, B, T, lowest=0.1):
    """Arguments for B rows of T positions, with nonsense where nothing is hidden."""
    luck = rng(seed)
    words = np.zeros((B, T), dtype=bool)
    for row, n in enumerate(luck.integers(2, T - 1, B)):
        words[row, 1 : n + 1] = True
    ratios = luck.uniform(lowest, 1, B)
    hidden = words & (luck.random((B, T)) < ratios[:, None])
    nats = np.where(hidden, luck.exponential(2, (B, T)), luck.choice([np.nan, np.inf, 0.3], (B, T)))
    return nats, hidden, words, ratios


ONE_ROW = (
    np.array([[9.0, 1.0, 2.0, 9.0]]),
    np.array([[False, True, True, False]]),
    np.array([[False, True, True, False]]),
)
TWO = (
    np.array([[9.0, 1.0, 0.5, 9.0, 9.0], [9.0, 3.0, 0.25, 2.0, 9.0]]),
    np.array([[False, False, False, False, False], [False, True, False, True, False]]),
    np.array([[False, True, True, False, False], [False, True, True, True, False]]),
)

WEIGHTED_LOSS = Exercise(
    id="16.weighted-loss",
    title="A loss that forgets its ratio",
    minutes=10,
    cases=(
        Case("one row, all hidden", (*ONE_ROW, np.array([1.0]))),
        Case("one row, all hidden at a ratio of a half", (*ONE_ROW, np.array([0.5]))),
        Case("a row with nothing hidden", (*TWO, np.array([0.05, 0.6]))),
        Case("nonsense at visible positions", losses(1, 4, 8)),
        Case("sixty rows", losses(2, 60, 12, lowest=0.01)),
    ),
    habits=("unchanged nats", "unchanged hidden", "unchanged ratios"),
    mistakes="""
    - NaN from what is visible: Zero times NaN is NaN, and zero times inf too. How do you choose without multiplying?
          np.where(hidden, nats, 0.0) => nats * hidden
    - the visible words are counted: You add up what a model says at words that it sees. Which positions are asked?
          np.where(hidden, nats, 0.0) => np.where(words, nats, 0.0)
    - no weight: At small ratios few words are hidden, and yours count no more for it. What undoes the ratio?
          .sum(axis=1) / ratios => .sum(axis=1)
    - multiplied by the ratio: Your weights are small where few words are hidden, so that these hardly count at all.
          / ratios => * ratios
    - the share that happened to be hidden: You divide by how many words were hidden, which is luck, and not by the
      ratio that they were drawn with. Is the mean still what it was?
          / ratios => / np.maximum(hidden.sum(axis=1) / words.sum(axis=1), 1e-9)
    - the blanks of a row are averaged: You take the mean over the blanks of a row before you weigh it. Its sum is what
      the ratio undoes.
          .sum(axis=1) / ratios => .sum(axis=1) / np.maximum(hidden.sum(axis=1), 1) / ratios
    - the weights are made to sum to one: You divide by the sum of the weights of the blanks. That is luck too, and the
      mean of a quotient is not the quotient of the means. What is N?
          words.sum() => (hidden.sum(axis=1) / ratios).sum()
    - in single precision: Your numbers have about seven digits. In which precision do the nats come?
          0.0).sum(axis=1) => 0.0).astype(np.float32).sum(axis=1)
       or nats, 0.0).sum(axis=1) / ratios => nats, 0.0).astype(np.float32).sum(axis=1) / ratios.astype(np.float32)
    - one ratio for all rows: You divide by the mean ratio. Each row has its own.
          / ratios => / ratios.mean()
    - the mean over the blanks: You divide by how many words are hidden. What has the weight put in their place already?
          words.sum() => hidden.sum()
    - rows with nothing hidden are left out: Their sum is 0, but their words are words of the batch. Without them the
      others count too much.
          words.sum() => words[hidden.any(axis=1)].sum()
    - divided by the number of rows: That is nats per sentence. What is the N of the equation?
          words.sum() => len(words)
    - special tokens and padding are counted: You divide by all positions. N counts words.
          words.sum() => words.size
    - the mean of the rows' means: A word of a short sentence counts for more than one of a long sentence.
          each.sum() / words.sum() => (each / words.sum(axis=1)).mean()
    """,
    hints="""
    - For each row: the sum of the nats at its hidden positions. Take 0 elsewhere, but not by multiplying.
    - Divide the sum of each row by the ratio of that row.
    - Add up the rows, and divide once, by the number of all words.
    """,
)

DRAWS = 1500


def observed_ratios(function, n, rng):
    """What can be said of ratios that are drawn at random: strata, places in them, order."""
    drawn = chance.in_a_row(function, DRAWS, n, rng)
    for answer in drawn:
        if type(answer) is not np.ndarray or answer.shape != (n,) or answer.dtype.kind != "f":
            raise WrongAnswer(f"Expected an array of {n} floats; your answer is this: {type_name(answer)}.")
    ratios = np.stack(drawn)
    stratum = np.clip(np.floor(ratios * n), 0, n - 1)
    within = ratios * n - stratum - 0.5
    rows = np.arange(n) - (n - 1) / 2
    anew = {
        chance.NEXT_DRAW: bool((ratios != ratios[0]).any()),
        chance.SAME_SEED: chance.repeatable(function, n, rng),
    }
    if not anew[chance.NEXT_DRAW]:
        return anew  # shares of one draw say nothing
    middle = stratum - (n - 1) / 2
    pairs = middle[:, 1:] * middle[:, :-1]
    return {
        "all ratios lie between 0 and 1": bool((ratios >= 0).all() and (ratios <= 1).all()),
        "share of draws with one ratio in each stratum": chance.share((np.sort(stratum) == np.arange(n)).all(axis=1)),
        "mean ratio": ratios.mean(),
        "standard deviation of the places within a stratum": within.std(),
        "how the place of a row goes with that of the next": 12 * (within[:, 1:] * within[:, :-1]).mean(),
        "how the stratum goes with the row": (stratum @ rows).mean() / (rows @ rows),
        "how the stratum of a row goes with that of the next": 12 * pairs.mean() / (n * n - 1),
        **anew,
    }


RATIOS = Exercise(
    id="16.ratios",
    title="A ratio for each row",
    answers_in=("mlm_mini.training.objectives:stratified_ratios",),
    minutes=10,
    cases=(
        Case("five rows", (5, rng(1))),
        Case("eight rows", (8, rng(2))),
        Case("forty rows", (40, rng(3))),
    ),
    habits=("rng",),
    observe=observed_ratios,
    rtol=0.0,
    atol=0.08,
    helpers={"np": np},
    mistakes="""
    - every row draws by itself: Some strata have several ratios and others none. How is each stratum to get one?
          (rng.permutation(n) + 1 - rng.random(n)) / n => rng.random(n)
       or rng.permutation(n) => rng.integers(0, n, n)
    - in order: The first row always has the lowest stratum. If rows are sorted by length, short sentences would never
      see a high ratio.
          rng.permutation(n) => np.arange(n)
    - the strata are turned, not shuffled: The next row always has the next stratum. How is each order to be as likely
      as any other?
          rng.permutation(n) => np.roll(np.arange(n), rng.integers(n))
    - only the direction is drawn: Rows have the strata upward or downward, and those in the middle always have the
      middle ones.
          rng.permutation(n) => np.arange(n)[:: rng.choice([-1, 1])]
    - always the middle of a stratum: Only n ratios ever occur. What is drawn within a stratum?
          1 - rng.random(n) => 0.5
    - always the end of a stratum: Only n ratios ever occur, and they are too large on average.
          - rng.random(n) =>
    - one luck for all rows: All ratios of a draw stand at the same place of their strata. How many numbers are drawn?
          rng.random(n) => rng.random()
    - the ratios go up to n: A ratio is a share. What is the width of a stratum?
          / n =>
    - strata of another width: Your strata do not fill the range from 0 to 1, or go beyond it. How wide is each of n?
          / n => / (n + 1)
       or / n => / (n - 1)
    - the draw cannot be repeated
          rng.random => np.random.default_rng().random
    - a generator of your own: Every batch gets the same ratios, because a generator that you make in the function
      starts from the same seed each time. Which one is there to draw from?
          rng.permutation => np.random.default_rng(0).permutation
          rng.random => np.random.default_rng(1).random
    """,
    hints="""
    - Which stratum each row gets is a permutation of 0, 1 ... n - 1.
    - Within the stratum, a number from 0 to 1 says where the ratio stands: one for each row.
    - Stratum plus place, in units of strata; a stratum is 1 / n wide.
    """,
)

MEAN_WEIGHT = Exercise(
    id="16.mean-weight",
    title="What the count knows of the ratio",
    answers_in=("mlm_mini.training.objectives:count_weights",),
    minutes=8,
    cases=(
        Case(
            "one of two words hidden", (np.array([[False, True, False, False]]), np.array([[False, True, True, False]]))
        ),
        Case("a row with nothing hidden", TWO[1:]),
        Case("four rows of several lengths", losses(3, 4, 8)[1:3]),
        Case("sixty rows", losses(4, 60, 14, lowest=0.001)[1:3]),
    ),
    habits=("unchanged hidden", "unchanged words"),
    helpers={"np": np},
    mistakes="""
    - one over the share: W / k is one over the share that came out hidden. The mean over all ratios is a little larger.
          (W + 1) / => W /
    - one over the mean ratio: You turn the mean of the ratios upside down. The mean of 1 / ratio is another number.
          (W + 1) / np.maximum(k, 1) => (W + 2) / (k + 1)
    - one is added below the line too: With all words hidden yours is 1. Look at the exponents of both integrals again.
          np.maximum(k, 1) => (k + 1)
    - infinite where nothing is hidden: There you divide by 0. A row that asks nothing weighs nothing.
          np.where(k > 0, (W + 1) / np.maximum(k, 1), 0.0) => (W + 1) / np.where(k > 0, k, 0.0)
    - a row that asks nothing has a weight: Where nothing is hidden you answer as if one word were. The docstring asks
      for something else.
          np.where(k > 0, (W + 1) / np.maximum(k, 1), 0.0) => (W + 1) / np.maximum(k, 1)
    - upside down: Your weights are below 1 and grow with the number of hidden words. Which ratio hides few?
          (W + 1) / np.maximum(k, 1) => np.maximum(k, 1) / (W + 1)
    - all positions are counted: You take [CLS], [SEP] and padding for words. How many words has each row?
          words.sum(axis=1) => words.shape[1]
    - the visible words are counted: You divide by how many words are left. Which number is k?
          hidden.sum(axis=1) => (words & ~hidden).sum(axis=1)
    - one number for the whole batch: You count the hidden words of all rows together. Each row was drawn for itself.
          hidden.sum(axis=1) => hidden.sum()
    - the columns are counted: Your answer has a weight for each position. Along which axis is a row?
          hidden.sum(axis=1), words.sum(axis=1) => hidden.sum(axis=0), words.sum(axis=0)
    - the words of the whole batch: You count the words of all rows together. How many has the row?
          words.sum(axis=1) => words.sum()
    - W counts what is visible: You take the words that are left for all words. What is the W of the exponents?
          words.sum(axis=1) => (words & ~hidden).sum(axis=1)
    - one is taken off: With all words hidden your weight is below 1. Which sum of exponents gives the factor?
          (W + 1) / => (W - 1) /
    - a little is added below the line: Nothing divides by 0 any more, but all weights are a little too small. Treat the
      rows with nothing hidden by themselves.
          np.maximum(k, 1) => (k + 1e-3)
       or np.where(k > 0, (W + 1) / np.maximum(k, 1), 0.0) => np.where(k > 0, (W + 1) / (k + 1e-6), 0.0)
    - a bracket is missing
          (W + 1) / => W + 1 /
    """,
    hints="""
    - k is how many positions of a row are hidden, W how many are words: two sums along the same axis.
    - The formula is above the exercise. What is it to be where k is 0?
    - np.where works out both of its branches, so that the division must be harmless in the other one too.
    """,
)


def costs(seed, B, R):
    """Nats (B, R) of sentences in several orders, and their numbers of words (B,)."""
    luck = rng(seed)
    words = luck.integers(3, 16, B)
    return (1.2 * words * luck.gamma(9, 1 / 9, B))[:, None] + luck.normal(0, 0.8, (B, R)), words


BOUND = Exercise(
    id="16.bound",
    title="What a model pays for a sentence",
    answers_in=("mlm_mini.reference.loss:mean_and_error",),
    minutes=10,
    cases=(
        Case("two sentences, two orders", (np.array([[4.0, 6.0], [9.0, 12.0]]), np.array([2, 7]))),
        Case("three sentences of one order each", costs(1, 3, 1)),
        Case("five sentences in three orders", costs(2, 5, 3)),
        Case("forty sentences in four orders", costs(3, 40, 4)),
    ),
    habits=("unchanged nats", "unchanged words"),
    mistakes="""
    - the orders are added up: With twice as many orders your bound is twice as large. They are measurements of one
      thing.
          nats.mean(axis=1) => nats.sum(axis=1)
    - the best order: You keep the order that came out cheapest. The more orders you try, the lower it gets: what does
      the bound say of one that is drawn by lot?
          nats.mean(axis=1) => nats.min(axis=1)
    - the mean of the probabilities: You average probabilities, not nats. That is a bound too, and a lower one, but its
      value hangs on how many orders there are.
          nats.mean(axis=1) => -np.log(np.exp(-nats).mean(axis=1))
    - the sentences are averaged, not the orders: What is left of your sentences is one number for each order. Along
      which axis are the orders?
          nats.mean(axis=1) => nats.mean(axis=0)
    - the mean of the sentences' means: A word of a short sentence counts for more. Add up first, then divide.
          of_sentence.sum() / words.sum() => (of_sentence / words).mean()
       or mean = of_sentence.sum()
          => own = of_sentence / words; return own.mean(), own.std(ddof=1) / np.sqrt(len(own)); mean = of_sentence.sum()
       or mean = of_sentence.sum()
          => own = of_sentence / words; return own.mean(), own.std() / np.sqrt(len(own)); mean = of_sentence.sum()
    - the first order alone: You use one order of each sentence and forget the others, which were paid for as well.
          nats.mean(axis=1) => nats[:, 0]
    - per sentence, not per word: Your mean grows with the length of the sentences. By what is it to be divided?
          of_sentence.sum() / words.sum() => of_sentence.mean()
       or mean = of_sentence.sum()
          => return of_sentence.mean(), of_sentence.std(ddof=1) / np.sqrt(len(words)); mean = of_sentence.sum()
       or mean = of_sentence.sum()
          => return of_sentence.mean(), of_sentence.std() / np.sqrt(len(words)); mean = of_sentence.sum()
    - the orders are taken for independent: Orders of one sentence are cheap or dear together. What was drawn
      independently, orders or sentences?
          np.sqrt((residuals**2).sum())
          => np.sqrt(((nats - mean * words[:, None]) ** 2).sum()) / nats.shape[1]
    - long sentences are taken for bad luck: A long sentence costs more because it is long. Take off what so many words
      cost on average.
          of_sentence - mean * words => of_sentence - of_sentence.mean()
    - the mean is still in it: You measure how large the sums are, not how they scatter.
          of_sentence - mean * words => of_sentence
    - the variance in place of its root
          np.sqrt((residuals**2).sum()) => (residuals**2).sum()
    - the scatter, not the error of the mean: That is how sentences scatter. The error shrinks with more words.
          (residuals**2).sum()) / words.sum() => (residuals**2).mean())
    """,
    hints="""
    - One number for each sentence: the mean over its orders.
    - All nats over all words is the mean. A residual is what a sentence costs beyond words times that.
    - The root of the sum of the squared residuals, over the number of all words.
    """,
)

SCHEDULE = Exercise(
    id="16.schedule",
    title="How many at each step",
    twin="mlm_mini.experiments.writing.unmasking:step_counts",
    minutes=8,
    cases=(
        Case("five words in two steps", (np.array([5]), 2)),
        Case("more steps than words", (np.array([2, 3]), 4)),
        Case("one step", (np.array([7, 1, 4]), 1)),
        Case("lengths in no order, one of them 0", (np.array([9, 4, 0, 15, 11]), 4)),
        Case("a word at each step", (np.array([6]), 6)),
        Case("seven steps", (np.array([15, 3, 10, 9]), 7)),
        Case("long texts", (np.arange(20, 220), 49)),
    ),
    habits=("unchanged words", "any order words"),
    helpers={"np": np},
    mistakes="""
    - the larger shares first: You fill in most when least is known. After k steps it is words k / K, rounded down.
          words * np.arange(K + 1)[:, None] // K => -(-words * np.arange(K + 1)[:, None] // K)
    - the rest comes last: All that does not divide evenly falls on your last step. By how much may steps differ?
          instead:
              counts = np.tile(words // K, (K, 1))
              counts[-1] += words - K * (words // K)
              return counts
    - the rest is never filled in: Your steps sum to less than the words: some stay hidden for ever.
          np.diff(done, axis=0) => np.tile(words // K, (K, 1))
    - each step is rounded by itself: Rounded one by one, your steps sum to more or less than the words. What is to be
      rounded instead?
          np.diff(done, axis=0) => np.tile(np.rint(words / K).astype(np.int64), (K, 1))
    - the product of a share: k / K is not exact on a computer, and words times that may fall just below a whole number.
      Which can be done first, so that nothing is rounded until the end?
          words * np.arange(K + 1)[:, None] // K
          => np.floor(words * (np.arange(K + 1)[:, None] / K)).astype(np.int64)
    - the smaller steps come first, all of them: As equal as may be, but the larger steps all stand at the end. They are
      to be spread: how many words are filled in after k steps?
          np.diff(done, axis=0) => np.sort(np.diff(done, axis=0), axis=0)
    - at least one at each step: With more steps than words yours fill in words that are not there.
          np.diff(done, axis=0) => np.maximum(1, np.diff(done, axis=0))
    - how many are there, not how many are new: Your numbers grow from step to step. What does one step add?
          np.diff(done, axis=0) => done[1:]
    - how many are left: Your numbers say what is still hidden. What does one step fill in?
          np.diff(done, axis=0) => words - done[1:]
    - fractions of a word: Half a word cannot be written: whole numbers, please.
          // K => / K
    - a row for each sentence: The steps are the rows and the sentences the columns.
          np.diff(done, axis=0) => np.diff(done, axis=0).T
    - a step is missing: You return K - 1 steps, and the last words stay hidden. What is done after K steps?
          np.arange(K + 1) => np.arange(K)
    """,
    hints="""
    - After k of K steps, words k / K are to be there, rounded down: a table with K + 1 rows.
    - A step fills in what is there after it and was not there before.
    - np.diff along the steps makes K differences of K + 1 numbers.
    """,
)


def _some(truth, many):
    return chance.share(truth) if many else "some" if truth.any() else "none"


def observed_words(function, logits, excluded, rng):
    """Shares of the tokens in each block of equal rows."""
    few = logits.copy(), excluded.copy(), copy.deepcopy(rng)
    first = function(logits, excluded, rng)
    logits, excluded, _ = few
    if type(first) is np.ndarray and first.shape != (len(logits),):
        return {"shape of the answer": str(first.shape)}
    first = chance.token_ids(first, logits[:, 0])
    drawn = [first, chance.token_ids(chance.in_a_row(function, 2, *few)[1], first)]
    blocks = np.unique(logits, axis=0, return_inverse=True)[1].ravel()
    V, many = logits.shape[1], len(logits) >= chance.MANY
    if any(((answer < 0) | (answer >= V)).any() for answer in drawn):
        raise WrongAnswer(f"Expected ids from 0 to {V - 1}.")
    counts = np.array([np.bincount(drawn[0][blocks == b], minlength=V) for b in np.unique(blocks)])
    seen = {
        "shape of the answer": str(drawn[0].shape),
        "share of the excluded tokens that are drawn": _some(excluded[drawn[0]], many),
        chance.SAME_SEED: chance.repeatable(function, *few),
    }
    if not many:  # how often an excluded token comes is luck, and what comes beside it
        return seen if excluded[drawn[0]].any() else seen | {"the only allowed tokens": drawn[0]}
    shares = counts / counts.sum(axis=1, keepdims=True)
    return seen | {
        "share of each token at blanks with equal logits": shares,
        chance.NEXT_DRAW: bool((drawn[0] != drawn[1]).any()),
    }


def blanks(seed, V, excluded, rows=36_000):
    """Three kinds of blanks in equal numbers, in no order."""
    luck = rng(seed)
    logits = luck.normal(0, 1.2, (3, V))[luck.permutation(np.arange(rows) % 3)]
    out = np.zeros(V, dtype=bool)
    out[list(excluded)] = True
    return logits, out


FAR = blanks(7, 5, [2])

DRAW = Exercise(
    id="16.draw",
    title="A word by lot",
    twin=None,
    answers_in=("mlm_mini.experiments.writing.unmasking:draw",),
    minutes=10,
    cases=(
        Case(
            "one token is allowed",
            (np.tile([[3.0, -1.0, 5.0], [0.0, 2.0, 9.0]], (6, 1)), np.array([True, False, True]), rng(1)),
        ),
        Case("three kinds of blanks, the first two tokens excluded", (*blanks(5, 6, [0, 1]), rng(2))),
        Case("excluded tokens among the others", (*blanks(6, 7, [5, 2]), rng(3))),
        Case("logits a thousand too high", (FAR[0] + 1000, FAR[1], rng(4))),
        Case("logits a thousand too low", (FAR[0] - 1000, FAR[1], rng(5))),
    ),
    habits=("unchanged logits", "rng"),
    observe=observed_words,
    rtol=0.0,
    atol=0.03,
    helpers={"np": np},
    mistakes="""
    - excluded tokens are drawn: Nobody excludes them. What has to happen before the softmax?
          np.where(excluded, -np.inf, logits) => logits
    - a logit of 0 is a logit like others: You give excluded tokens a score of 0, and they are drawn. Which score makes
      a probability of 0?
          -np.inf => 0.0
    - their share goes to nobody: You take the excluded tokens out of the probabilities, which then sum to less than
      one, and the rest of the luck falls on a token that nobody chose. Exclude them before the softmax.
          instead:
              p = np.exp(logits - logits.max(axis=1, keepdims=True))
              p = np.where(excluded, 0.0, p / p.sum(axis=1, keepdims=True))
              return (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1)
    - a place among the allowed ones: You leave the excluded tokens out and return places in what is left. Which id
      stands at such a place?
          instead:
              left = logits[:, ~excluded]
              return (left + rng.gumbel(size=left.shape)).argmax(axis=1)
    - low is not low enough: Your score for excluded tokens is a number, and the others may be lower still. Which score
      is below all numbers?
          -np.inf => -100.0
       or -np.inf => -1000.0
    - the excluded ones alone: You draw what must not be drawn. Which branch of np.where is for True?
          np.where(excluded, -np.inf, logits) => np.where(excluded, logits, -np.inf)
    - the likeliest word, always: You draw nothing: every blank of a kind gets the same word. How often should a word
      come that has a third of the probability?
          (allowed + rng.gumbel(size=allowed.shape)) => allowed
    - all words alike: You draw among the allowed words as if their logits were equal.
          -np.inf, logits => -np.inf, 0 * logits
    - too cold: Likely words come too often. At temperature 1 the logits stay as they are.
          (allowed + rng => (2 * allowed + rng
    - too hot: Unlikely words come too often. At temperature 1 the logits stay as they are.
          (allowed + rng => (allowed / 2 + rng
    - the wrong noise: The shares are not those of the softmax. Only Gumbel's noise makes the largest sum a draw from
      it.
          rng.gumbel => rng.normal
       or allowed + rng => allowed - rng
    - one luck for all blanks: Blanks with equal logits all get the same word. How many random numbers are needed?
          size=allowed.shape => size=allowed.shape[1]
    - a word for each token: You choose a blank for each token. Along which axis are the tokens?
          axis=1 => axis=0
    - the draw cannot be repeated
          rng.gumbel => np.random.default_rng().gumbel
    - a generator of your own: Every call draws the same words, because a generator that you make in the function starts
      from the same seed each time. Which one is there to draw from?
          rng.gumbel => np.random.default_rng(0).gumbel
    """,
    hints="""
    - Give the excluded tokens a logit whose exponential is 0: their share then falls to the others.
    - With Gumbel noise of its own on every logit, the token with the largest sum is a draw from the softmax.
    - rng.gumbel(size=...) makes the noise, one number for each blank and token. No softmax is needed.
    """,
)


def observed_picks(function, scores, hidden, counts, rng):
    """The picks themselves where scores settle them; where there are ties, shares."""
    one = chance.truths(function(scores, hidden, counts, rng), hidden)
    if np.ptp(scores) < 1e-6:  # who has these wrong has them wrong by luck
        last, best = np.where(one, scores, np.inf).min(axis=1), np.where(hidden & ~one, scores, -np.inf).max(axis=1)
        return {
            "rows have as many as asked for": bool((one.sum(axis=1) == counts).all()),
            "what is left has lower scores than what is filled in": bool((best < last).all()),
        }
    if len(scores) < 1000:
        return {"what is filled in": one}
    others = np.stack(chance.in_a_row(function, 2, scores, hidden, counts, rng))
    return {
        "share of rows with as many as asked for": chance.share(one.sum(axis=1) == counts),
        "share of the visible positions that are filled in": chance.share(one[~hidden]),
        "share of rows in which each position is filled in": one.mean(axis=0),
        chance.NEXT_DRAW: bool((others[0] != others[1]).any()),
        chance.SAME_SEED: chance.repeatable(function, scores, hidden, counts, rng),
    }


def picks(seed, B, T):
    """Scores without ties, of both signs, high ones at visible positions; what is hidden, and how many to fill in."""
    luck = rng(seed)
    hidden = luck.random((B, T)) < 0.6
    scores = np.where(hidden, luck.normal(-1, 1, (B, T)), luck.normal(0, 3, (B, T)))
    return scores, hidden, luck.integers(0, hidden.sum(axis=1) + 1)


def tied(seed, rows=20_000):
    """Rows of six positions, of which four are hidden, three of these with equal scores."""
    scores = 1e9 * np.tile([5.0, -2.0, -2.0, -0.5, -2.0, 7.0], (rows, 1))  # nothing small can break these ties
    hidden = np.tile([False, True, True, True, True, False], (rows, 1))
    return scores, hidden, np.full(rows, 2), rng(seed)


NEAR = (
    -1.0 - 1e-12 * np.array([rng(seed).permutation(12) for seed in range(4)]),
    np.ones((4, 12), dtype=bool),
    np.array([6, 5, 7, 4]),
)
LEFT = np.array([[False, True, True, True, True]])

PICK = Exercise(
    id="16.pick",
    title="Which blanks first",
    answers_in=("mlm_mini.experiments.writing.unmasking:pick",),
    minutes=12,
    cases=(
        Case("two of four", (np.array([[0.0, -3.0, -0.5, -1.0, -9.0]]), LEFT, np.array([2]), rng(1))),
        Case(
            "one score of minus infinity", (np.array([[0.0, -np.inf, -2.0, -1.0, -9.0]]), LEFT, np.array([4]), rng(2))
        ),
        Case("none of one row, all of another", (*picks(3, 2, 4)[:2], picks(3, 2, 4)[1].sum(axis=1) * [0, 1], rng(3))),
        Case("six rows of different counts", (*picks(4, 6, 9), rng(4))),
        Case("scores that differ in the twelfth digit", (*NEAR, rng(6))),
        Case("20,000 rows with three equal scores", tied(5)),
    ),
    habits=("unchanged scores", "unchanged hidden", "rng"),
    observe=observed_picks,
    rtol=0.0,
    atol=0.025,
    helpers={"np": np},
    mistakes="""
    - of equal scores the left one: Ties always go to the left, so that a sentence would be written from left to right
      where all is equally sure. Who decides between equal scores?
          (rng.random(scores.shape), -scores, ~hidden) => (-scores, ~hidden)
    - all rows share their lots: In a draw every row breaks its ties alike. How many random numbers are needed?
          rng.random(scores.shape) => np.tile(rng.random(scores.shape[1]), (len(scores), 1))
    - the least certain first: You fill in the lowest scores.
          -scores => scores
    - visible positions take part: Where a visible position has a high score, a blank loses its place, and too few are
      filled in.
          -scores, ~hidden => -scores
    - visible positions are filled in: You pick words that are there already. Only what is hidden can be filled in.
          -scores, ~hidden => -scores
          hidden & (ranks => (ranks
    - a visible position has a score of 0: Log-probabilities are below 0, so that what you have put at 0 comes first.
          -scores, ~hidden => np.where(hidden, -scores, 0.0)
    - the order is taken for ranks: The first entry of `order` says *which* position is first, not at which place
      position 0 comes. What turns the one into the other?
          order.argsort(axis=1) => order
       or (rng.random(scores.shape), -scores, ~hidden))
          => (rng.random(scores.shape), np.where(hidden, -scores, np.inf)))
          order.argsort(axis=1) => order
    - the lot goes before the score: np.lexsort sorts by its *last* key first.
          (rng.random(scores.shape), -scores, ~hidden) => (-scores, rng.random(scores.shape), ~hidden)
    - the keys stand the other way round: np.lexsort sorts by its *last* key first, which is your lot: scores count for
      nothing.
          (rng.random(scores.shape), -scores, ~hidden) => (~hidden, -scores, rng.random(scores.shape))
    - visible positions come first: False sorts before True. Which of the two is to be first?
          -scores, ~hidden => -scores, hidden
    - all but those: You fill in the blanks that should stay, and leave those that should be filled in.
          ranks < => ranks >=
    - a count of 0 takes all: A slice from the end, [-0:], is the whole row. What has a row to give whose count is 0?
          ranks < counts[:, None] => (ranks < counts[:, None]) | (counts == 0)[:, None]
       or hidden & (ranks < counts[:, None]) => (ranks < counts[:, None]) | (counts == 0)[:, None]
    - a little luck on the scores: You break ties by adding small random numbers. They overturn scores that are close
      but not equal, and vanish beside large ones.
          (rng.random(scores.shape), -scores, ~hidden) => (-scores + 1e-9 * rng.random(scores.shape), ~hidden)
       or (rng.random(scores.shape), -scores, ~hidden) => (-scores + 1e-6 * rng.random(scores.shape), ~hidden)
    - one too many: Ranks begin at 0.
          ranks < => ranks <=
    - as many in every row: Each row has a count of its own.
          counts[:, None] => counts.max()
       or counts[:, None] => counts[0]
    - all that reach the threshold: Where scores are equal you take all of them, more than were asked for.
          instead:
              level = np.sort(np.where(hidden, -scores, np.inf), axis=1)
              level = np.take_along_axis(level, np.maximum(counts - 1, 0)[:, None], axis=1)
              return hidden & (-scores <= level) & (counts > 0)[:, None]
    - the draw cannot be repeated
          rng.random => np.random.default_rng().random
    """,
    hints="""
    - Sort the positions of each row: hidden ones before visible ones, then high scores before low ones, then by lot.
    - np.lexsort takes several keys, the most important one last, and sorts along the last axis.
    - The argsort of an order says at which rank each position comes: fill in those whose rank is below the count.
    """,
)


class Reader:
    """Logs (T, V) that depend on every visible token and where it stands."""

    def __init__(self, seed, T, V, mask_id):
        luck = rng(seed)
        self.mask_id, self.own, self.heard = mask_id, luck.normal(0, 1, (T, V)), luck.normal(0, 1, (T, V, T, V))

    def __call__(self, ids):
        seen = np.flatnonzero(ids != self.mask_id)
        logits = self.own + self.heard[seen, ids[seen]].sum(axis=0)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def told(seed, step, V=5):
    """Arguments for a sentence that was filled in at the given steps. The last token is the mask."""
    step, mask_id = np.array(step), V - 1
    ids = rng(seed).integers(0, mask_id, len(step))
    return Reader(seed + 50, len(step), V, mask_id), ids, step, mask_id


CLINIC_LEAK = Exercise(
    id="16.clinic-leak",
    title="Bug clinic: less than the entropy",
    minutes=10,
    cases=(
        Case("one word", told(1, [0, 1, 0])),
        Case("two words in one step", told(2, [0, 1, 1, 0])),
        Case("two words in two steps, from the right", told(3, [0, 2, 1, 0])),
        Case("seven words in three steps", told(4, [0, 3, 1, 2, 2, 3, 1, 3, 0])),
        Case("a step that fills in nothing", told(5, [0, 4, 1, 4, 2, 0])),
        Case("nothing was hidden", told(6, [0, 0, 0])),
    ),
    habits=("unchanged ids", "unchanged step"),
    helpers={"np": np},
    mistakes="""
    - the answer is in view: When a word is asked for it stands there already, so that the reader only has to copy it.
      What was hidden when the step began?
          step >= now => step > now
    - all from the first pass: Every word is asked with nothing else in view, as if there were one step.
          step >= now => step >= 1
    - only this step is hidden: The words of later steps are in view. Had they been written by then?
          step >= now => step == now
    - each word sees all others: You ask for one word at a time with all others in view. Together these are not the
      probability of anything: which words were there when it was drawn?
          instead:
              nats = 0.0
              for t in np.flatnonzero(step):
                  nats -= reader(np.where(np.arange(len(ids)) == t, mask_id, ids))[t, ids[t]]
              return float(nats)
    - the words of a step see each other: You ask for the words of a step one after another, each with those before it.
      They were drawn from one pass, apart.
          instead:
              nats, left = 0.0, step > 0
              for t in np.lexsort((np.arange(len(ids)), step)):
                  if step[t]:
                      nats -= reader(np.where(left, mask_id, ids))[t, ids[t]]
                      left = left & (np.arange(len(ids)) != t)
              return float(nats)
    - the last step is free: Your steps end before the last one. What does range leave out?
          step.max() + 1 => step.max()
    - the first step is free: Steps are counted from 1, and you begin with the second.
          range(1, => range(2,
    - what was never hidden is paid for: A step 0 is no step: at such positions nothing was asked.
          range(1, => range(0,
    - all blanks pay at every step: You charge all that is hidden at each step. Which of them are filled in now?
          log_q[step == now, ids[step == now]] => log_q[step >= now, ids[step >= now]]
    - below zero: A probability is at most 1. What is the sign of its surprisal?
          nats -= => nats +=
    - per word: The cost of a sentence is the sum over its words.
          float(nats) => float(nats) / max((step > 0).sum(), 1)
    - per step: You divide by the number of steps.
          float(nats) => float(nats) / max(step.max(), 1)
    """,
    hints="""
    - Put a reader in it that is sure of every word it can see, and knows nothing else. What does it pay?
    - At step k the words of steps 1 to k - 1 are there. Those of step k are what is asked for.
    - One comparison is off by one: what is filled in now is still hidden when the reader looks.
    """,
)


def counted(seed, B, T):
    """Rows with at least one hidden word, with nonsense where nothing is hidden."""
    nats, hidden, words, _ = losses(seed, B, T)
    luck = rng(seed + 1)
    for row in np.flatnonzero(~hidden.any(axis=1)):
        t = luck.choice(np.flatnonzero(words[row]))
        hidden[row, t], nats[row, t] = True, 1.5
    return nats, hidden, words


CLINIC_COUNT = Exercise(
    id="16.clinic-count",
    title="Bug clinic: no row wasted",
    minutes=10,
    cases=(
        Case("one row, all hidden", ONE_ROW),
        Case("one of three words", (TWO[0][1:], np.array([[False, False, False, True, False]]), TWO[2][1:])),
        Case("four rows of several lengths", counted(11, 4, 8)),
        Case("sixty rows", counted(12, 60, 14)),
    ),
    habits=("unchanged nats", "unchanged hidden"),
    helpers={"np": np},
    mistakes="""
    - the weight of another lottery: With all words hidden nothing has to be made up for, and your weight is above 1.
      That weight was the mean over ratios, of which some hide nothing. How many counts are possible now?
          all_words / asked => (all_words + 1) / asked
    - one less: With all words hidden your weight is below 1, and with a single word the row counts for nothing.
          all_words / asked => (all_words - 1) / asked
    - no weight: A row with one blank stands for all of its words. By what does its sum have to be multiplied?
          all_words / asked * of_row => of_row
    - upside down: Your weights are small where few words are hidden.
          all_words / asked => asked / all_words
    - the mean over the blanks: You divide all nats by the number of all blanks, so that rows with many blanks decide,
      and those are the dear ones.
          float((all_words / asked * of_row).sum() / all_words.sum()) => float(of_row.sum() / asked.sum())
    - the mean of the rows' means: A word of a short sentence counts for more. What does L divide by?
          float((all_words / asked * of_row).sum() / all_words.sum()) => float((of_row / asked).mean())
    - divided by the number of rows: That is nats per sentence. What is the N of the equation?
          / all_words.sum() => / len(all_words)
    - special tokens and padding are counted: You divide by all positions. N counts words.
          / all_words.sum() => / words.size
    - one count for all rows: You use the mean count. Each row has its own.
          all_words / asked => all_words / asked.mean()
    - NaN from what is visible: Zero times NaN is NaN, and zero times inf too. How do you choose without multiplying?
          np.where(hidden, nats, 0.0) => nats * hidden
    - the visible words are counted: You add up what a model says at words that it sees. Which positions are asked?
          np.where(hidden, nats, 0.0) => np.where(words, nats, 0.0)
    """,
    hints="""
    - With a count k, each of the W words is hidden with probability k / W. What undoes that?
    - The counts 0 to W are W + 1 different ones; 1 to W are W.
    - Where the weight was (W + 1) / k, think again which W + 1 things were alike.
    """,
)

EXERCISES = (
    AREA,
    WEIGHTED_LOSS,
    RATIOS,
    MEAN_WEIGHT,
    BOUND,
    SCHEDULE,
    DRAW,
    PICK,
    CLINIC_LEAK,
    CLINIC_COUNT,
)
