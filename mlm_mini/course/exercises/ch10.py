"""Chapter 10: how much to mask. Two knobs, a floor, equal budgets, and what five seeds can tell.

Shapes: B sentences, T positions, N blanks, V tokens, R mask ratios, S seeds.
"""

import numpy as np

from mlm_mini.course import chance
from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import Case, Exercise, Twin, WrongAnswer

rng = np.random.default_rng


def observed_knobs(function, maskable, mask_ratio, prediction_ratio, rng):
    """Shares, because which tokens are drawn is up to chance; `maskable` is (B, T)."""

    def draw(maskable, rng):
        answer = function(maskable, mask_ratio, prediction_ratio, rng)
        if type(answer) not in (list, tuple) or len(answer) != 2:
            raise WrongAnswer(f"Your answer is a {type_name(answer)}; expected two arrays: hidden, asked.")
        return np.stack([chance.truths(answer[i], maskable, name) for i, name in enumerate(("`hidden`", "`asked`"))])

    few, ratios = maskable[:100], np.array([mask_ratio, prediction_ratio])
    drawn = np.array(chance.in_a_row(draw, chance.DRAWS_COUNTED, few, rng))
    spreads = map(chance.spread, drawn.sum(axis=(2, 3)).T.tolist(), [few.sum()] * 2, ratios)
    hidden, asked = both = draw(maskable, rng)
    if any((both == both[:, :1]).all(axis=(1, 2)) & both.any(axis=(1, 2)) & (ratios < 1)):
        raise WrongAnswer("All sentences are hidden, or asked for, at the same places.")
    return {
        "share of the other tokens that is hidden or asked for": chance.share((hidden | asked)[~maskable]),
        "share of the maskable tokens that is hidden": chance.share(hidden[maskable]),
        "share of the maskable tokens that is asked for": chance.share(asked[maskable]),
        "share of the maskable tokens on the left that is asked for": chance.share(asked[:, :9][maskable[:, :9]]),
        "share of the tokens asked for that is visible": chance.share(~hidden[asked]),
        chance.NEXT_TOKEN: [chance.beside_chance(chance.together(chosen, maskable, axis=1)) for chosen in both],
        chance.NEXT_SENTENCE: [chance.beside_chance(chance.together(chosen, maskable, axis=0)) for chosen in both],
        chance.NEXT_DRAW: bool((drawn != drawn[0]).any()),
        chance.VARIES: [chance.beside_independent(times) for times in spreads],
        chance.SAME_SEED: chance.repeatable(draw, few, rng),
    }


WORDS = np.tile(np.array([False] + [True] * 16 + [False] * 3), (30_000, 1))  # 16 words in 20 tokens
TWO_ROWS = np.array([[False, True, True, True, False], [False, True, False, False, False]])

TWO_KNOBS = Exercise(
    id="10.two-knobs",
    title="What is hidden, and what is asked",
    answers_in=("mlm_mini.training.objectives:masked_batch",),
    minutes=12,
    cases=(
        Case("two short sentences, everything hidden, everything asked for", (TWO_ROWS, 1.0, 1.0, rng(1))),
        Case("two short sentences, nothing hidden, nothing asked for", (TWO_ROWS, 0.0, 0.0, rng(1))),
        Case("30,000 sentences, 40% hidden, 15% asked for", (WORDS, 0.4, 0.15, rng(2))),
        Case("30,000 sentences, all hidden, a third asked for", (WORDS, 1.0, 1 / 3, rng(3))),
        Case("30,000 sentences, 0.5% hidden and asked for", (WORDS, 0.005, 0.005, rng(4))),
    ),
    habits=("unchanged maskable", "rng"),
    observe=observed_knobs,
    rtol=0.0,
    atol=0.0045,
    helpers={"np": np},
    mistakes="""
    - two draws that know nothing of each other: Some tokens that you ask for are visible, and need only be copied.
          (u < prediction_ratio) => (rng.random(maskable.shape) < prediction_ratio)
    - a share of what is hidden: You ask for the product of both ratios. With which chance must a hidden token be kept?
          (u < prediction_ratio) => (u < mask_ratio) & (rng.random(maskable.shape) < prediction_ratio)
    - divided by a ratio of 0 (raises): With nothing hidden you divide by zero. Is there a way without a division?
          (u < prediction_ratio) => (u < mask_ratio) & (rng.random(maskable.shape) < prediction_ratio / mask_ratio)
    - everything hidden is asked for: One knob turns both: the second ratio has no effect.
          (u < prediction_ratio) => (u < mask_ratio)
    - only what is asked for is hidden: One knob turns both. What is hidden without a question makes the context poorer.
          (u < mask_ratio) => (u < prediction_ratio)
    - the visible ones are asked for: None of the tokens that you ask for is hidden. What is learned from what can be
      seen?
          (u < prediction_ratio) => (u >= mask_ratio) & (rng.random(maskable.shape) < prediction_ratio)
       or (u < prediction_ratio) => (u >= max(mask_ratio, 1 - prediction_ratio))
    - special tokens take part: [CLS], [SEP] or padding is hidden, or asked for. Which tokens are maskable?
          u = rng => maskable = maskable | True; u = rng
       or maskable & (u < prediction_ratio) => (maskable | True) & (u < prediction_ratio)
       or maskable & (u < mask_ratio) => (maskable | True) & (u < mask_ratio)
    - the same positions in every sentence (raises): All sentences share their luck: which shape has your draw?
          maskable.shape => maskable.shape[1]
       or u = rng.random(maskable.shape) => u = rng.random()
    - one number for a whole sentence: A sentence is hidden altogether or not at all: which shape has your draw?
          maskable.shape => (len(maskable), 1)
    - the same number in every sentence: With luck of its own for each token, the number of hidden ones varies.
          u = rng.random(maskable.shape)
          => u = ((rng.random(maskable.shape) + ~maskable).argsort(1).argsort(1) + 0.5) / maskable.sum(1, keepdims=True)
    - asked from left to right: You ask for the first hidden tokens of a sentence. Which chance has the last hidden
      token?
          (u < prediction_ratio)
          => (h := maskable & (u < mask_ratio)) & (h.cumsum(1).T <= np.rint(h.sum(1) * prediction_ratio / mask_ratio)).T
    - the draw cannot be repeated
          rng.random => np.random.default_rng().random
    - rng is never used
          rng.random => np.random.default_rng(0).random
    """,
    hints="""
    - The tokens asked for are some of the hidden ones. Of all words their share is to be prediction_ratio.
    - Two ways: keep each hidden token with a suitable chance, or let one random number for each token decide both.
    - If a number below mask_ratio hides a token, which numbers should also ask for it?
    """,
)

FLOOR = Exercise(
    id="10.floor",
    title="What the best reader pays",
    minutes=12,
    cases=(
        Case("two sentences, one blank each", (np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([0, 1]))),
        Case("a word that is certain", (np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]), np.array([0, 1]))),
        Case("one blank in one sentence, three in another", (rng(1).dirichlet(np.ones(3), 4), np.array([0, 2, 2, 2]))),
        Case("blanks in no order", (rng(2).dirichlet(np.full(8, 0.3), 60), rng(3).integers(0, 40, 60))),
    ),
    habits=("unchanged posteriors", "unchanged rows", "any order rows"),
    mistakes="""
    - the mean of the sentences' means: A sentence with one blank counts as much as one with five: weigh the blanks.
          entropies.mean() => np.mean([entropies[rows == row].mean() for row in np.unique(rows)])
    - per sentence, not per blank: Your floor grows with the number of blanks in a sentence: those are its nats.
          entropies.mean() => entropies.sum() / len(np.unique(rows))
    - blanks taken for independent: Blanks of one sentence are hard or easy together. Which were drawn independently,
      blanks or sentences?
          np.bincount(rows, entropies - mean) => entropies - mean
       or np.sqrt((residuals**2).sum()) / len(entropies) => entropies.std(ddof=1) / np.sqrt(len(entropies))
    - 0 log 0 is not a number: Zero times the log of zero is NaN. What cannot happen surprises nobody.
          posteriors, where=posteriors > 0, out=np.zeros_like(posteriors) => posteriors
    - bits
          np.log( => np.log2(
    - the surprisal of the best guess: What is paid where the likeliest word does not come true?
          -(posteriors * log_p).sum(axis=1) => -np.log(posteriors.max(axis=1))
    - the scatter, not the error of the mean: That is how sentences scatter. The error shrinks with more blanks.
          (residuals**2).sum()) / len(entropies) => (residuals**2).mean())
       or / len(entropies) =>
    - a sentence scatters because it has more blanks: Take off what so many blanks cost on average: the rest is luck.
          np.bincount(rows, entropies - mean) => np.bincount(rows, entropies)
       or residuals = np.bincount(rows, entropies - mean)
          => sums = np.bincount(rows, entropies)[np.unique(rows)]; residuals = sums - sums.mean()
    - one blank of each sentence is counted: With += NumPy keeps the last only. Which function adds up where an index
      repeats?
          residuals = np.bincount(rows, entropies - mean)
          => residuals = np.zeros(rows.max() + 1); residuals[rows] += entropies - mean
    - the variance in place of its root
          np.sqrt((residuals**2).sum()) => (residuals**2).sum()
       or np.sqrt((residuals**2).sum()) / len(entropies) => (residuals**2).sum() / len(entropies) ** 2
    - the last sentences are left out: Not every sentence has a blank, so that the numbers of sentences go further than
      their count.
          np.bincount(rows, entropies - mean) => np.bincount(rows, entropies - mean)[: len(set(rows))]
    - n - 1 for n: Nearly the same, but the formula of this course has no n - 1: it divides by the number of blanks.
          / len(entropies) => / len(entropies) * np.sqrt(len(set(rows)) / (len(set(rows)) - 1))
    """,
    hints="""
    - Each blank has an entropy, in nats, with 0 log 0 = 0. The floor is the mean over all blanks.
    - Take the floor off every entropy and add up what is left within each sentence: np.bincount(rows, values) does it.
    - The error is the root of the sum of the squared residuals, divided by the number of blanks.
    """,
)

CONTEXT_NATS = Exercise(
    id="10.context-nats",
    title="Questions times answers",
    minutes=6,
    cases=(
        Case("one ratio", (np.array([1.0]), 4.0, np.array([0.5]), 10.0)),
        Case("four ratios", (np.array([0.95, 0.75, 1.5, 0.8]), 4.5, np.array([0.4, 0.05, 0.8, 0.15]), 14.0)),
    ),
    habits=("unchanged floors", "unchanged prediction_ratios", "any order floors", "any order prediction_ratios"),
    helpers={"np": np},
    mistakes="""
    - what remains unknown: You count what even the best reader has to pay. What does context save?
          (without - floors) => floors
    - the wrong way round: Your numbers are negative: with context one pays less, and the saving is what counts.
          (without - floors) => (floors - without)
    - per blank, not per sentence: Your answer does not grow with the sentence. How many blanks are asked for in one of
      `words` words?
          words * =>
       or words * prediction_ratios * =>
    - every word is a question: You multiply by all words of the sentence. Which share of the words is asked for?
          prediction_ratios * =>
    - the visible words are counted: You multiply by the share that can be seen. What visible words tell is in the floor
      already.
          prediction_ratios * => prediction_ratios * (1 - prediction_ratios) *
       or prediction_ratios * => (1 - prediction_ratios) *
    - a share, not nats: You divide by what a word costs without context: that is the share which the context tells.
          (without - floors) => (without - floors) / without
    - a bracket is missing
          (without - floors) => without - floors
    - a whole number of blanks: You round how many blanks there are. Must a mean over many sentences be a whole number?
          words * prediction_ratios => np.round(words * prediction_ratios)
       or words * prediction_ratios => np.floor(words * prediction_ratios)
    """,
    hints="""
    - How many questions does a sentence of `words` words hold?
    - Without context a word costs `without` nats, with it `floors`: what does the context tell about one blank?
    - The product of the two, for each ratio.
    """,
)

EQUAL_STEPS = Exercise(
    id="10.equal-steps",
    title="Steps for the same money",
    answers_in=("mlm_mini.experiments.ratio.config:steps_at_equal_flops",),
    minutes=8,
    cases=(
        Case("two ratios", (100, 0.1, np.array([0.9, 0.1]), 1.0, 1.0, 1.0)),
        Case("the study's tiny model", (300, 0.15, np.array([0.4, 0.01, 0.15, 0.8]), 616_000.0, 179_700.0, 0.82)),
        Case("predictions are dear", (50, 0.15, np.array([0.05, 0.3, 0.85]), 1.0, 1000.0, 0.9)),
        Case("a budget of one step", (1, 0.01, np.array([0.01, 0.5, 1.0]), 1.0, 100.0, 1.0)),
    ),
    habits=("unchanged ratios", "any order ratios"),
    mistakes="""
    - the quotient is upside down: Does the same money buy more steps where a step costs more?
          usual / costs => costs / usual
    - all costs go with the ratio: Half the ratio gets twice the steps. What do the blocks read, whatever is asked?
          costs = body + => costs =
          usual = body + => usual =
       or costs = body + => costs = body * ratios +
          usual = body + => usual = body * reference +
    - the ratio costs nothing: All ratios get the same number of steps. What does each token cost that is asked for?
          usual / costs => costs / costs
    - special tokens are asked for: You count predictions at all tokens. Which share of the tokens can be asked for?
          words * ratios => ratios
          words * reference => reference
    - rounded to one side: You cut off every fraction, or round it up. Which whole number is nearest to the budget?
          np.rint( => np.floor(
       or np.rint( => np.ceil(
    - no step at all: Where a step is dear you end with zero. A model that never learns says nothing about its ratio.
          np.maximum(1, => np.maximum(0,
    - fractions of a step: Half a step cannot be made: whole numbers, please.
          np.maximum(1, np.rint(steps * usual / costs)).astype(np.int64) => steps * usual / costs
       or .astype(np.int64) =>
    """,
    hints="""
    - What does one token cost at a ratio? The body in any case, the head for the share that is asked for.
    - That share is the ratio times the share of words among the tokens.
    - Steps times cost is the budget; it is to be what `steps` cost at the reference. Round, and take at least one.
    """,
)


def seeds_of(seed, R, S, luck=0.2, noise=0.03, size=1.0):
    """Scores (R, S): a bowl over the ratios, the luck that a seed brings to all of them, and the noise of each run."""
    bowl = size * (1 + 0.1 * (np.arange(R) - R / 2) ** 2)
    return bowl[:, None] + luck * rng(seed).normal(size=S) + noise * rng(seed + 1).normal(size=(R, S))


BEHIND = Exercise(
    id="10.behind",
    title="As good as the best",
    answers_in=("mlm_mini.experiments.lab.intervals:mean_interval",),
    minutes=10,
    cases=(
        Case("two ratios, two seeds", (np.array([[1.0, 2.0], [1.5, 2.1]]), 12.706)),
        Case("one lucky run, one unlucky", (np.array([[0.1, 3.0, 2.9], [1.0, 1.11, 1.2], [0.8, 0.91, 2.0]]), 4.303)),
        Case("eight ratios, five seeds", (seeds_of(2, 8, 5, noise=0.1), 2.776)),
        Case("large scores that hardly scatter", (seeds_of(3, 8, 5, noise=0.001, size=100), 2.776)),
    ),
    habits=("unchanged scores",),
    mistakes="""
    - two scatters instead of one
          difference.std(axis=1, ddof=1) => np.sqrt(scores.var(axis=1, ddof=1) + best.var(ddof=1))
    - 1.96 for a few values
          margin = t => margin = 1.96
    - divided by n
          ddof=1 => ddof=0
    - the scatter of single values
          / np.sqrt(scores.shape[1]) =>
    - the digits cancel
          difference.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])
          => np.sqrt(((difference**2).mean(1) - difference.mean(1) ** 2) / (scores.shape[1] - 1))
    - the best single run: You compare with the luckiest run, of all or of each seed. Which row has the lowest mean?
          scores.mean(axis=1).argmin() => np.unravel_index(scores.argmin(), scores.shape)[0]
       or scores[scores.mean(axis=1).argmin()] => scores.min(axis=0)
    - the luck of the seeds is left in: What a seed brings to all ratios should drop out: subtract within each seed.
          scores[scores.mean(axis=1).argmin()] => scores.mean(axis=1).min()
    - the ratios are counted, not the seeds: Of how many differences is each mean made, one for each ratio or for each
      seed?
          np.sqrt(scores.shape[1]) => np.sqrt(len(scores))
    - the wrong way round: Your differences are negative: how far is each ratio behind the best?
          scores - best => best - scores
    """,
    hints="""
    - Take the row with the lowest mean off every row: a difference for each ratio and seed, without the seed's luck.
    - For each ratio: the mean of its differences, and their standard deviation with n - 1.
    - The margin is t times that standard deviation, divided by the root of the number of seeds.
    """,
)

LOWEST_POINT = Exercise(
    id="10.lowest-point",
    title="Between the measured ratios",
    twin="mlm_mini.experiments.ratio.best:lowest_point",
    minutes=12,
    rtol=1e-6,
    cases=(
        Case("three ratios, the middle one lowest", (np.array([0.1, 0.2, 0.4]), np.array([1.0, 0.8, 0.9]))),
        Case("lowest at the first", (np.array([0.1, 0.2, 0.4]), np.array([0.5, 0.7, 1.0]))),
        Case("lowest at the last", (np.array([0.1, 0.2, 0.4, 0.8]), np.array([3.0, 2.0, 1.5, 1.4]))),
        Case("two equally low", (np.array([0.1, 0.2, 0.4, 0.6, 0.8]), np.array([3.0, 1.0, 2.0, 1.0, 1.4]))),
        Case("ratios at uneven distances", (np.array([0.05, 0.08, 0.4]), np.array([1.0, 0.8, 1.1]))),
        Case("scores over a factor of a hundred", (np.array([0.01, 0.1, 0.3, 0.9]), np.array([9.0, 0.2, 0.09, 1.0]))),
    ),
    habits=("unchanged ratios", "unchanged scores"),
    mistakes="""
    - the lowest measured one: Your ratio is in the list. On which side of the lowest score do its neighbors see the
      bottom?
          np.exp(-b / (2 * a)) => ratios[i]
    - the ratios themselves: From 0.01 to 0.05 is a longer way than from 0.65 to 0.8: it is factors that count.
          x, y = np.log( => x, y = (
          np.exp( => (
    - the scores themselves: Scores fall by factors too: on their log the bowl is more nearly a parabola.
          ), np.log( => ), (
    - a parabola through everything: Far from the bottom the curve is no parabola. How many points does a parabola need?
          ratios[i - 1 : i + 2] => ratios
          scores[i - 1 : i + 2] => scores
    - the right neighbor is left out: Two points make no parabola. Where does a slice end that holds i + 1?
          ratios[i - 1 : i + 2] => ratios[i - 1 : i + 1]
          scores[i - 1 : i + 2] => scores[i - 1 : i + 1]
    - beyond the end: Around the first or the last point there is no bowl, and a parabola may turn anywhere.
          i = int(np.argmin(scores)) => i = min(max(int(np.argmin(scores)), 1), len(ratios) - 2)
       or (0, len(ratios) - 1) => (0,)
    - the log of the ratio: Your answer is still a log. What undoes a logarithm?
          np.exp( => (
    - logs to one base, and back by another
          x, y = np.log( => x, y = np.log10(
       or np.exp( => 10 ** (
    - the vertex on the wrong side: Where the left neighbor is the lower one, the bottom lies to the left.
          -b / (2 * a) => b / (2 * a)
       or -b / (2 * a) => 2 * x[1] + b / (2 * a)
    - the vertex at twice the distance: Where is 2 a x + b zero, the derivative of the parabola?
          -b / (2 * a) => -b / a
       or -b / (2 * a) => -b / a - x[1]
    - multiplied by a: Python divides and multiplies from left to right: what stands below the line?
          -b / (2 * a) => -b / 2 * a
    """,
    hints="""
    - Three points: the lowest one and its neighbors to the left and right. If one is missing, answer with the end.
    - np.polyfit(x, y, 2) gives a, b and c of a x^2 + b x + c, here with logs for x and y.
    - The parabola is lowest at -b / (2 a), on the log of the ratio. Back to a ratio at the end.
    """,
)


def center_of_mass(ratios, scores):
    """Stands in for the last exercise's function: it too finds one ratio from one score for each."""
    weight = np.exp(-10 * (scores - scores.min()))
    return float((ratios * weight).sum() / weight.sum())


FOUR = np.array([0.05, 0.15, 0.4, 0.8])

BEST_INTERVAL = Exercise(
    id="10.best-interval",
    title="How sure is the best ratio?",
    twin=Twin(
        "mlm_mini.experiments.lab.intervals:mean_interval",
        lambda interval, ratios, scores, lowest, t: np.exp(interval(np.log([lowest(ratios, s) for s in scores.T]))),
    ),
    minutes=10,
    cases=(
        Case("two seeds", (FOUR, seeds_of(1, 4, 2, noise=0.1), center_of_mass, 12.706204736174694)),
        Case("four seeds", (FOUR, seeds_of(3, 4, 4, noise=0.2), center_of_mass, 3.1824463052837078)),
        Case("five noisy seeds", (FOUR, seeds_of(4, 4, 5, noise=0.4), center_of_mass, 2.7764451051977934)),
    ),
    habits=("unchanged ratios", "unchanged scores"),
    mistakes="""
    - the ratios themselves: Ratios go by factors: half as much and twice as much are equally far.
          np.log([ => np.array([
          np.exp(x) => x
    - still a log: Your answers are logs of ratios. What undoes a logarithm?
          np.exp(x) => x
    - logs to one base, and back by another
          np.log([ => np.log10([
       or np.exp(x) => 10**x
    - 1.96 for a few values
          t * => 1.96 *
    - divided by n
          ddof=1 => ddof=0
    - the scatter of single values
          / np.sqrt(len(logs)) =>
    - the lowest point of the mean: Your middle is that of the averaged scores, your margin that of the seeds' own.
          logs.mean() => np.log(lowest(ratios, scores.mean(axis=1)))
    - only measured ratios: You take the ratio with the lowest score of each seed. What does `lowest` find between the
      measured ratios?
          [lowest(ratios, of_one_seed) for of_one_seed in scores.T] => ratios[scores.argmin(axis=0)]
    - the margin comes back by itself: On the log a margin is a factor. Only the ends of the interval are ratios.
          tuple(float(np.exp(x)) for x in (middle, middle - margin, middle + margin))
          => np.exp(middle), np.exp(middle) - np.exp(margin), np.exp(middle) + np.exp(margin)
    - a row for each seed: You go through the ratios. A seed is a column of scores.
          scores.T => scores
    - from the smallest to the largest: You span all lowest points. More seeds should make an interval narrower.
          (middle, middle - margin, middle + margin) => (middle, logs.min(), logs.max())
    """,
    hints="""
    - Each seed is an experiment of its own and has a lowest point of its own: a column of scores, and `lowest`.
    - You have S numbers now. Of their logs, take the mean and the standard deviation with n - 1.
    - The margin is t times the standard deviation by the root of S, on the log. np.exp brings all three back.
    """,
)

TRUST = Exercise(
    id="10.trust",
    title="How far to trust a word",
    minutes=10,
    cases=(
        Case("two words, an even choice", (np.array([0.5]), 0.5, 0.5, 2)),
        Case("BERT's split", (np.array([0.5, 0.0001, 0.99, 0.01]), 0.1, 0.1, 400)),
        Case("an impossible word and a certain one", (np.array([0.0, 1.0]), 0.1, 0.1, 400)),
        Case("a small vocabulary", (np.array([0.1, 0.3, 0.6]), 0.3, 0.2, 5)),
    ),
    habits=("unchanged p", "any order p"),
    mistakes="""
    - what the context says is left out: All words are trusted alike. A word that fits more likely stood there.
          return true_and_seen / seen => return 0 * p + keep / (keep + random)
       or return true_and_seen / seen => return 0 * p + keep / (keep + random / V)
    - any replacement will do: You weigh keeping against replacing as such. How likely is it that this very word came
      in?
          p * keep + random / V => p * keep + random
       or p * keep + random / V => p * keep + (1 - p) * random
       or p * (keep + random / V) => p * (keep + random)
          p * keep + random / V => p * keep + random
    - a word is never replaced by itself: A uniform draw from V words takes the word itself now and then.
          p * (keep + random / V) => p * keep
    - only when it was something else: Whatever stood there may have been replaced by what is seen, the word itself too.
          p * keep + random / V => p * keep + (1 - p) * random / V
       or p * keep + random / V => p * keep + (1 - p) * random / (V - 1)
    - [MASK] is counted: Below the line stands the share that became [MASK], which is ruled out where a word is seen.
          p * keep + random / V => p * keep + random / V + (1 - keep - random)
    - not divided by all the ways: That is the chance of both. What is seen is known: divide by the chance to see it.
          true_and_seen / seen => true_and_seen
       or true_and_seen / seen => true_and_seen / (keep + random)
    """,
    hints="""
    - Bayes' rule. Above the line: the word stood there, and it was kept, or replaced by itself.
    - Below the line, all ways to see this word: it was there and was kept, or anything was, and it came in.
    - A replacement is this word with probability random / V, whatever stood there.
    """,
)

EXERCISES = (TWO_KNOBS, FLOOR, CONTEXT_NATS, EQUAL_STEPS, BEHIND, LOWEST_POINT, BEST_INTERVAL, TRUST)
