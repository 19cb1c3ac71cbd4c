"""Chapter 10: how much to mask. Two knobs, a floor, equal budgets, and what five seeds can tell.

Shapes: B sentences, T positions, N blanks, V tokens, R mask ratios, S seeds.
"""

import copy

import numpy as np

from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import Case, Exercise, Mistake, WrongAnswer


def rng(seed):
    return np.random.default_rng(seed)


# 10.two-knobs


def two_knobs(maskable, mask_ratio, prediction_ratio, rng):
    u = rng.random(maskable.shape)
    return maskable & (u < mask_ratio), maskable & (u < prediction_ratio)


def observed_knobs(function, maskable, mask_ratio, prediction_ratio, rng):
    """Shares, because which positions are drawn is up to chance; `maskable` is (B, T)."""
    arguments = (maskable[:50], mask_ratio, prediction_ratio)
    once, again = (checked_pair(function(*arguments, copy.deepcopy(rng)), arguments[0]) for _ in range(2))
    hidden, asked = checked_pair(function(maskable, mask_ratio, prediction_ratio, rng), maskable)
    both = maskable[:-1] & maskable[1:]
    middle = np.arange(maskable.shape[1]) < maskable.shape[1] / 2
    return {
        "share of the maskable tokens that is hidden": share(hidden[maskable]),
        "share of the maskable tokens that is asked for": share(asked[maskable]),
        "share of the tokens asked for that is hidden": share(hidden[asked]),
        "share of the other tokens that is hidden": share(hidden[~maskable]),
        "share of the other tokens that is asked for": share(asked[~maskable]),
        "of the hidden tokens to the left, the share asked for": share(asked[hidden & middle]),
        "a token and the one below it hidden together, beyond chance": covariance(hidden, both),
        "a token and the one below it asked for together, beyond chance": covariance(asked, both),
        "the same seed gives the same answer": all(np.array_equal(*pair) for pair in zip(once, again, strict=True)),
    }


def checked_pair(answer, maskable):
    """The answer, if it is two bool arrays of the right shape."""
    if type(answer) not in (list, tuple) or len(answer) != 2:
        raise WrongAnswer(f"Your answer is a {type_name(answer)}; expected two arrays: hidden, asked.")
    for name, part in zip(("hidden", "asked"), answer, strict=True):
        if type(part) is not np.ndarray or part.dtype != bool or part.shape != maskable.shape:
            raise WrongAnswer(f"`{name}` is a {type_name(part)}; expected a bool array of shape {maskable.shape}.")
    return answer


def share(truth):
    """The share of True values, 0.0 when there are none to count."""
    return float(np.mean(truth)) if truth.size else 0.0


def covariance(chosen, both):
    """How much more often than by chance a position and the one in the next row are both chosen."""
    one, other = chosen[:-1][both], chosen[1:][both]
    return share(one & other) - share(one) * share(other)


def sampled(asked_of, hidden_of=lambda u, m, p: u < m, shape=lambda s: s, spared=True, own=False):
    """A wrong `two_knobs`: what is hidden, given uniform numbers u and the ratios; what is asked, given that too and
    further uniform numbers v."""

    def knobs(maskable, mask_ratio, prediction_ratio, rng):
        draw = np.random.default_rng() if own else rng
        may = maskable if spared else np.ones_like(maskable)
        u, v = (np.broadcast_to(draw.random(shape(maskable.shape)), maskable.shape) for _ in range(2))
        hidden = may & hidden_of(u, mask_ratio, prediction_ratio)
        return hidden, may & asked_of(hidden, u, v, mask_ratio, prediction_ratio)

    return knobs


def from_the_left(hidden, u, v, m, p):
    k = np.rint(hidden.sum(axis=1, keepdims=True) * p / m)
    return hidden & (np.cumsum(hidden, axis=1) <= k)


def one_draw(hidden, u, v, m, p):
    return u < p


WORDS = np.tile(np.array([False] + [True] * 16 + [False] * 3), (20_000, 1))  # 16 words in 20 tokens
TWO_ROWS = np.array([[False, True, True, True, False], [False, True, False, False, False]])
TWO_KNOBS = Exercise(
    id="10.two-knobs",
    title="What is hidden, and what is asked",
    reference=two_knobs,
    cases=(
        Case("two short sentences, everything hidden, everything asked for", (TWO_ROWS, 1.0, 1.0, rng(1))),
        Case("20,000 sentences, 40% hidden, 15% asked for", (WORDS, 0.4, 0.15, rng(2))),
        Case("20,000 sentences, 65% hidden, 60% asked for", (WORDS, 0.65, 0.6, rng(3))),
        Case("20,000 sentences, 30% hidden, 30% asked for", (WORDS, 0.3, 0.3, rng(4))),
    ),
    observe=observed_knobs,
    rtol=0.0,
    atol=0.012,
    minutes=12,
    mistakes=(
        Mistake(
            "two draws that know nothing of each other",
            "Some tokens that you ask for are not hidden: the model has them before its eyes and needs only to copy. "
            "From which tokens must those asked for be drawn?",
            sampled(lambda hidden, u, v, m, p: v < p),
        ),
        Mistake(
            "a share of what is hidden",
            "Too few are asked for: the product of both ratios. prediction_ratio is a share of all words, and you draw "
            "from the hidden ones only. With which chance must each of these be kept?",
            sampled(lambda hidden, u, v, m, p: hidden & (v < p)),
        ),
        Mistake(
            "everything hidden is asked for",
            "One knob turns both: the share asked for is that of the hidden ones. The second ratio has no effect.",
            sampled(lambda hidden, u, v, m, p: hidden),
        ),
        Mistake(
            "only what is asked for is hidden",
            "One knob turns both: the share hidden is that of the asked ones. What is hidden and never asked for is "
            "what makes the context poorer.",
            sampled(one_draw, hidden_of=lambda u, m, p: u < p),
        ),
        Mistake(
            "the visible ones are asked for",
            "None of the tokens that you ask for is hidden. The question is to be about what cannot be seen.",
            sampled(
                lambda hidden, u, v, m, p: ~hidden & (v < p / (1 - m + 1e-9)),
            ),
            variants=(sampled(lambda hidden, u, v, m, p: ~hidden & (v < p)),),
        ),
        Mistake(
            "special tokens take part",
            "[CLS], [SEP] or padding is hidden. They are not maskable.",
            sampled(one_draw, spared=False),
        ),
        Mistake(
            "the same positions in every sentence",
            "All sentences are hidden at the same places. Each needs draws of its own: which shape has the draw?",
            sampled(one_draw, shape=lambda s: s[-1:]),
        ),
        Mistake(
            "asked from left to right",
            "You ask for the first hidden tokens of each sentence and never for the last. Every hidden token should "
            "have the same chance to be asked for.",
            sampled(from_the_left),
        ),
        Mistake(
            "a generator of its own",
            "The same seed gives another answer each time. Use the generator that was handed in.",
            sampled(one_draw, own=True),
        ),
    ),
    hints=(
        "The tokens asked for are some of the hidden ones. Of all words their share is to be prediction_ratio.",
        "Two ways: keep each hidden token with a suitable chance, or let one random number for each token decide both.",
        "If a number below mask_ratio hides a token, which numbers should also ask for it?",
    ),
)


# 10.floor


def floor(posteriors, rows):
    log_p = np.log(posteriors, where=posteriors > 0, out=np.zeros_like(posteriors))
    nats = -(posteriors * log_p).sum(axis=1)
    mean = nats.mean()
    residual = np.bincount(rows, nats - mean)
    return mean, np.sqrt((residual**2).sum()) / len(nats)


def blank_nats(posteriors):
    log_p = np.log(posteriors, where=posteriors > 0, out=np.zeros_like(posteriors))
    return -(posteriors * log_p).sum(axis=1)


def floored(mean=lambda h, rows: h.mean(), error=None, nats=blank_nats):
    """A wrong `floor`: another mean of the entropies h, another error given h, rows and the mean, other nats."""

    def clustered(h, rows, mean):
        return np.sqrt((np.bincount(rows, h - mean) ** 2).sum()) / len(h)

    def floor_(posteriors, rows):
        h = nats(posteriors)
        center = mean(h, rows)
        return center, (error or clustered)(h, rows, center)

    return floor_


def per_sentence(h, rows):
    """Sums and counts (B,) of the sentences that have a blank."""
    _, place = np.unique(rows, return_inverse=True)
    return np.bincount(place, h), np.bincount(place)


def blanks(seed, sizes, V, sparse=False):
    """Posteriors (N, V) and their sentences (N,), with sizes[b] blanks in sentence b; those of one are alike."""
    r = rng(seed)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    sharpness = np.exp(r.normal(0, 1.2, len(sizes)))[rows, None]
    p = r.gamma(0.5 / sharpness + 0.05, size=(len(rows), V)) + 1e-6
    if sparse:
        p[:, V // 2 :] = 0.0
        p[0] = np.eye(V)[0]
    return p / p.sum(axis=1, keepdims=True), rows


FLOOR = Exercise(
    id="10.floor",
    title="What the best reader pays",
    reference=floor,
    cases=(
        Case("two sentences, one blank each", (np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([0, 1]))),
        Case("one blank in one sentence, three in another", blanks(1, [1, 3], 3)),
        Case("a word that is certain", (np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]), np.array([0, 1]))),
        Case("sixty sentences", blanks(2, rng(2).integers(1, 7, 60), 8)),
        Case("sixty sentences, some without a blank", blanks(3, rng(3).integers(0, 4, 60), 8, sparse=True)),
    ),
    minutes=12,
    mistakes=(
        Mistake(
            "the mean of the sentences' means",
            "A sentence with one blank counts as much as one with five. The floor is per blank: all nats, all blanks.",
            floored(mean=lambda h, rows: (lambda s, n: (s / n).mean())(*per_sentence(h, rows))),
        ),
        Mistake(
            "per sentence, not per blank",
            "Your floor grows with the number of blanks in a sentence: those are the nats of a sentence.",
            floored(mean=lambda h, rows: per_sentence(h, rows)[0].mean()),
        ),
        Mistake(
            "blanks taken for independent",
            "The mean is right, the error is that of N separate draws. Blanks of one sentence are hard or easy "
            "together: how many independent things were drawn?",
            floored(error=lambda h, rows, mean: np.sqrt(((h - mean) ** 2).sum()) / len(h)),
            variants=(floored(error=lambda h, rows, mean: h.std(ddof=1) / np.sqrt(len(h)) if len(h) > 1 else np.nan),),
        ),
        Mistake(
            "0 log 0 is not a number",
            "Where a word is impossible you multiply zero by the log of zero and get NaN. What cannot happen "
            "surprises nobody.",
            floored(nats=lambda p: -(p * np.log(p)).sum(axis=1)),
        ),
        Mistake(
            "bits",
            "Your floor is larger by a factor of 1.44: you took logs to base 2. Nats have the natural one.",
            floored(nats=lambda p: blank_nats(p) / np.log(2)),
        ),
        Mistake(
            "the surprisal of the best guess",
            "You take what is paid if the likeliest word comes true. It does not always: every word comes with its own "
            "probability.",
            floored(nats=lambda p: -np.log(p.max(axis=1))),
        ),
        Mistake(
            "the scatter, not the error of the mean",
            "That is how much sentences scatter. The error of the mean shrinks as blanks are added.",
            floored(error=lambda h, rows, mean: np.sqrt((np.bincount(rows, h - mean) ** 2).mean())),
            variants=(floored(error=lambda h, rows, mean: np.sqrt((np.bincount(rows, h - mean) ** 2).sum())),),
        ),
        Mistake(
            "a sentence scatters because it has more blanks",
            "Your error takes the summed nats of a sentence as noise. Take off what its number of blanks lets expect: "
            "only the rest is luck.",
            floored(error=lambda h, rows, mean: np.sqrt((np.bincount(rows, h) ** 2).sum()) / len(h)),
            variants=(
                floored(
                    error=lambda h, rows, mean: (
                        np.sqrt(((per_sentence(h, rows)[0] - per_sentence(h, rows)[0].mean()) ** 2).sum()) / len(h)
                    )
                ),
            ),
        ),
    ),
    hints=(
        "Each blank has an entropy, in nats, with 0 log 0 = 0. The floor is the mean over all blanks.",
        "Take the floor off every entropy. Then add up what is left within each sentence: that is its residual.",
        "np.bincount(rows, values) adds up the values of each sentence.",
        "The error is the root of the sum of the squared residuals, divided by the number of blanks.",
    ),
)


# 10.context-nats


def context_nats(floors, without, prediction_ratios, words):
    return words * prediction_ratios * (without - floors)


RATIOS = np.array([0.05, 0.15, 0.4, 0.8])
FLOORS = np.array([0.75, 0.8, 0.95, 1.5])
CONTEXT_NATS = Exercise(
    id="10.context-nats",
    title="Questions times answers",
    reference=context_nats,
    cases=(
        Case("one ratio", (np.array([1.0]), 4.0, np.array([0.5]), 10.0)),
        Case("four ratios", (FLOORS, 4.5, RATIOS, 14.0)),
        Case("corruption held at 40%, predictions vary", (np.full(4, 0.95), 4.5, RATIOS / 2, 14.0)),
        Case("nothing to be known", (np.full(4, 4.5), 4.5, RATIOS, 14.0)),
    ),
    minutes=6,
    mistakes=(
        Mistake(
            "what remains unknown",
            "You count what even the best reader has to pay. What the context tells is the rest of what a reader "
            "without context pays.",
            lambda floors, without, prediction_ratios, words: words * prediction_ratios * floors,
        ),
        Mistake(
            "the wrong way round",
            "Your numbers are negative: with context one pays less, and the saving is what counts.",
            lambda floors, without, prediction_ratios, words: words * prediction_ratios * (floors - without),
        ),
        Mistake(
            "per blank, not per sentence",
            "That is what one blank teaches. How many blanks are asked for in a sentence?",
            lambda floors, without, prediction_ratios, words: without - floors,
            variants=(lambda floors, without, prediction_ratios, words: prediction_ratios * (without - floors),),
        ),
        Mistake(
            "every word is a question",
            "You multiply by all words of the sentence. Only a share of them is asked for.",
            lambda floors, without, prediction_ratios, words: words * (without - floors),
        ),
        Mistake(
            "the visible words are counted",
            "You multiply by the share of the words that can be seen as well. What they tell is in the floor already.",
            lambda floors, without, prediction_ratios, words: (
                words * prediction_ratios * (1 - prediction_ratios) * (without - floors)
            ),
            variants=(
                lambda floors, without, prediction_ratios, words: words * (1 - prediction_ratios) * (without - floors),
            ),
        ),
        Mistake(
            "a share, not nats",
            "You divide by what a word costs without context: that is the share of it that the context tells. Leave it "
            "in nats.",
            lambda floors, without, prediction_ratios, words: words * prediction_ratios * (without - floors) / without,
            variants=(lambda floors, without, prediction_ratios, words: (without - floors) / without,),
        ),
    ),
    hints=(
        "How many questions does a sentence of `words` words hold?",
        "Without context a word costs `without` nats, with it `floors`: what does the context tell about one blank?",
        "The product of the two, for each ratio.",
    ),
)


# 10.equal-steps


def equal_steps(steps, reference, ratios, body, head, words):
    cost = body + head * words * ratios
    return np.maximum(1, np.rint(steps * (body + head * words * reference) / cost)).astype(np.int64)


def budgeted(cost=lambda r, body, head, words: body + head * words * r, finish=None, swap=False):
    """A wrong `equal_steps`: another cost, other rounding, or the quotient upside down."""

    def right(steps):
        return np.maximum(1, np.rint(steps)).astype(np.int64)

    def steps_(steps, reference, ratios, body, head, words):
        here, there = cost(ratios, body, head, words), cost(reference, body, head, words)
        return (finish or right)(steps * (here / there if swap else there / here))

    return steps_


EQUAL_STEPS = Exercise(
    id="10.equal-steps",
    title="Steps for the same money",
    reference=equal_steps,
    cases=(
        Case("two ratios", (100, 0.1, np.array([0.1, 0.9]), 1.0, 1.0, 1.0)),
        Case("the study's tiny model", (300, 0.15, np.array([0.01, 0.15, 0.4, 0.8]), 616_000.0, 179_700.0, 0.82)),
        Case("BERT-base, 128 tokens", (10_000, 0.15, np.array([0.05, 0.15, 0.4]), 5.2e8, 1.44e8, 0.98)),
        Case("predictions are dear", (50, 0.15, np.array([0.05, 0.3, 0.8]), 1.0, 1000.0, 0.9)),
        Case("a budget of one step", (1, 0.01, np.array([0.01, 0.5, 1.0]), 1.0, 100.0, 1.0)),
    ),
    minutes=8,
    mistakes=(
        Mistake(
            "upside down",
            "You give more steps where a step costs more. For the same money it buys fewer.",
            budgeted(swap=True),
        ),
        Mistake(
            "only predictions cost",
            "With half of the ratio you take twice the steps. But the blocks read the whole sentence in any case.",
            budgeted(cost=lambda r, body, head, words: r),
        ),
        Mistake(
            "the ratio costs nothing",
            "All ratios get the same number of steps. Each token asked for has logits, and these cost.",
            budgeted(cost=lambda r, body, head, words: body + head * words + 0.0 * r),
        ),
        Mistake(
            "special tokens are asked for",
            "You count predictions at all tokens. Only `words` of them are words; the others are never asked for.",
            budgeted(cost=lambda r, body, head, words: body + head * r),
        ),
        Mistake(
            "rounded down",
            "You cut off the fraction. The nearest whole number comes nearer to the budget.",
            budgeted(finish=lambda steps: np.maximum(1, np.floor(steps)).astype(np.int64)),
            variants=(budgeted(finish=lambda steps: np.maximum(1, np.ceil(steps)).astype(np.int64)),),
        ),
        Mistake(
            "no step at all",
            "Where a step is dear you end with zero. A model that never learns says nothing about its ratio.",
            budgeted(finish=lambda steps: np.rint(steps).astype(np.int64)),
            variants=(budgeted(finish=lambda steps: np.floor(steps).astype(np.int64)),),
        ),
        Mistake(
            "fractions of a step",
            "Half a step cannot be made: whole numbers, please.",
            budgeted(finish=lambda steps: steps),
            variants=(budgeted(finish=lambda steps: np.maximum(1, np.rint(steps))),),
        ),
    ),
    hints=(
        "What does one token cost at a ratio? The body in any case, the head for the share that is asked for.",
        "That share is the ratio times the share of words among the tokens.",
        "Steps times cost is the budget; it is to be what `steps` cost at the reference. Round, and take at least one.",
    ),
)


# 10.behind


def behind(scores, t):
    mean = scores.mean(axis=1)
    difference = scores - scores[mean.argmin()]
    return difference.mean(axis=1), t * difference.std(axis=1, ddof=1) / np.sqrt(scores.shape[1])


def compared(margin=lambda d, scores, t: t * d.std(axis=1, ddof=1) / np.sqrt(d.shape[1]), against=None):
    """A wrong `behind`: another margin for differences d, or another thing to compare with."""

    def behind_(scores, t):
        d = scores - (against or (lambda s: s[s.mean(axis=1).argmin()]))(scores)
        return d.mean(axis=1), margin(d, scores, t)

    return behind_


def _unpaired(d, scores, t):
    variance = scores.var(axis=1, ddof=1) / scores.shape[1]
    return t * np.sqrt(variance + variance[scores.mean(axis=1).argmin()])


def seeds_of(seed, R, S, spread=0.2, noise=0.03):
    """Scores (R, S): a bowl over the ratios, the luck that a seed brings to all of them, and that of each run."""
    r = rng(seed)
    bowl = 1 + 0.1 * (np.arange(R) - R / 2) ** 2
    return bowl[:, None] + spread * r.normal(size=S) + noise * r.normal(size=(R, S))


BEHIND = Exercise(
    id="10.behind",
    title="As good as the best",
    reference=behind,
    cases=(
        Case("two ratios, two seeds", (np.array([[1.0, 2.0], [1.5, 2.1]]), 12.706)),
        Case("three ratios, five seeds", (seeds_of(1, 3, 5), 2.776)),
        Case("eight ratios, five seeds", (seeds_of(2, 8, 5), 2.776)),
        Case("one lucky run", (np.array([[0.1, 3.0, 3.0], [1.0, 1.1, 1.2], [1.3, 1.2, 1.4]]), 4.303)),
        Case("eight ratios, twenty seeds", (seeds_of(3, 8, 20, noise=0.2), 2.093)),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "two scatters instead of one",
            "A seed brings the same text and the same first weights to every ratio, and its luck to all of them. "
            "Subtract within a seed first: what scatters then?",
            compared(_unpaired),
        ),
        Mistake(
            "1.96 for five seeds",
            "1.96 belongs to many values. With a few the standard deviation is itself uncertain, and the interval has "
            "to be wider: that is what t is for.",
            compared(lambda d, scores, t: 1.96 * d.std(axis=1, ddof=1) / np.sqrt(d.shape[1])),
        ),
        Mistake(
            "divided by n, not by n - 1",
            "With two seeds your margin is too small by a third. The mean was taken from the same numbers: for a "
            "sample's standard deviation divide by n - 1.",
            compared(lambda d, scores, t: t * d.std(axis=1) / np.sqrt(d.shape[1])),
        ),
        Mistake(
            "the scatter of single runs",
            "Your margin says where one more run would lie. That of the mean shrinks with the root of the number of "
            "seeds.",
            compared(lambda d, scores, t: t * d.std(axis=1, ddof=1)),
        ),
        Mistake(
            "the best single run",
            "You compare with the ratio of the luckiest run, or with the best run of each seed. One run proves little: "
            "the lowest mean is meant.",
            compared(against=lambda s: s[np.unravel_index(s.argmin(), s.shape)[0]]),
            variants=(compared(against=lambda s: s.min(axis=0)),),
        ),
        Mistake(
            "compared with a single number",
            "You subtract the lowest mean. What is left still holds the luck that a seed brings to all ratios. "
            "Subtract, for each seed, the score of the best ratio with that seed.",
            compared(against=lambda s: s.mean(axis=1).min()),
        ),
        Mistake(
            "the wrong way round",
            "Your differences are negative: how far is each ratio behind the best?",
            lambda scores, t: (-compared()(scores, t)[0], compared()(scores, t)[1]),
        ),
    ),
    hints=(
        "First the ratio with the lowest mean over seeds. Its row is what all others are compared with.",
        "Subtract that row from every row: a difference for each ratio and seed, with the seed's luck taken off.",
        "For each ratio: the mean of its differences, and their standard deviation with n - 1.",
        "The margin is t times that standard deviation, divided by the root of the number of seeds.",
    ),
)


# 10.lowest-point


def lowest_point(ratios, scores):
    i = int(np.argmin(scores))
    if i in (0, len(ratios) - 1):
        return float(ratios[i])
    x, y = np.log(ratios[i - 1 : i + 2]), np.log(scores[i - 1 : i + 2])
    a, b, _ = np.polyfit(x - x[1], y, 2)
    return float(np.exp(x[1] - b / (2 * a)))


def parabola(axis=np.log, back=np.exp, score=np.log, vertex=lambda a, b: -b / (2 * a), ends=True, wide=False):
    """A wrong `lowest_point`: other axes, another vertex, no look at the ends, or all the points."""

    def lowest(ratios, scores):
        i = int(np.argmin(scores))
        if ends and i in (0, len(ratios) - 1):
            return float(ratios[i])
        middle = min(max(i, 1), len(ratios) - 2)
        near = slice(None) if wide else slice(middle - 1, middle + 2)
        center = axis(ratios[middle])
        a, b, _ = np.polyfit(axis(ratios[near]) - center, score(scores[near]), 2)
        return float(back(center + vertex(a, b)))

    return lowest


def same(x):
    return x


STUDY_RATIOS = np.array([0.01, 0.05, 0.15, 0.3, 0.4, 0.5, 0.65, 0.8])
LOWEST_POINT = Exercise(
    id="10.lowest-point",
    title="Between the measured ratios",
    reference=lowest_point,
    cases=(
        Case("three ratios, the middle one lowest", (np.array([0.1, 0.2, 0.4]), np.array([1.0, 0.8, 0.9]))),
        Case("evenly spaced in no sense", (np.array([0.1, 0.3, 0.4]), np.array([2.0, 1.0, 1.2]))),
        Case("lowest at the first", (np.array([0.1, 0.2, 0.4]), np.array([0.5, 0.7, 1.0]))),
        Case("lowest at the last", (np.array([0.1, 0.2, 0.4, 0.8]), np.array([3.0, 2.0, 1.5, 1.4]))),
        Case("a study of eight", (STUDY_RATIOS, np.array([2.64, 1.75, 1.31, 1.09, 1.02, 1.04, 1.06, 1.16]))),
        Case("scores over a factor of a hundred", (np.array([0.01, 0.1, 0.3, 0.9]), np.array([9.0, 0.2, 0.09, 1.0]))),
    ),
    minutes=12,
    rtol=1e-6,
    mistakes=(
        Mistake(
            "the lowest measured one",
            "You answer with a ratio of the list. The neighbors tell on which side of it the bottom of the bowl lies.",
            lambda ratios, scores: float(ratios[np.argmin(scores)]),
        ),
        Mistake(
            "the ratios themselves",
            "From 0.01 to 0.05 is a longer way than from 0.65 to 0.8: it is factors that count. Take the log of the "
            "ratios.",
            parabola(axis=same, back=same),
            variants=(parabola(axis=same, back=same, score=same),),
        ),
        Mistake(
            "the scores themselves",
            "Scores fall by factors too: on their log the bowl is more nearly a parabola.",
            parabola(score=same),
        ),
        Mistake(
            "a parabola through everything",
            "Far from the bottom the curve is no parabola, and eight points pull it there. Three are enough.",
            parabola(wide=True),
        ),
        Mistake(
            "beyond the end",
            "If the lowest point is the first or the last there is no bowl around it, and a parabola may turn "
            "anywhere. Nothing was measured beyond: answer with the end.",
            parabola(ends=False),
        ),
        Mistake(
            "the log of the ratio",
            "Your answer is negative: it is still a log.",
            parabola(back=same),
        ),
        Mistake(
            "the vertex on the wrong side",
            "Where the left neighbor is lower than the right one, the bottom lies to the left. Where is the derivative "
            "of a x^2 + b x zero?",
            parabola(vertex=lambda a, b: b / (2 * a)),
        ),
        Mistake(
            "the vertex at twice the distance",
            "The derivative of a x^2 + b x is 2 a x + b. Where is it zero?",
            parabola(vertex=lambda a, b: -b / a),
        ),
    ),
    hints=(
        "Three points: the lowest one and its neighbors to the left and right. If one is missing, answer with the end.",
        "np.polyfit(x, y, 2) gives a, b and c of a x^2 + b x + c, here with logs for x and y.",
        "The parabola is lowest at -b / (2 a), on the log of the ratio. Back to a ratio at the end.",
    ),
)


# 10.best-interval


def best_interval(ratios, scores, lowest, t):
    logs = np.log([lowest(ratios, of_one_seed) for of_one_seed in scores.T])
    margin = t * logs.std(ddof=1) / np.sqrt(len(logs))
    return float(np.exp(logs.mean())), float(np.exp(logs.mean() - margin)), float(np.exp(logs.mean() + margin))


def around(to=np.log, back=np.exp, margin=None, points=None, center=None):
    """A wrong `best_interval`: another scale, margin of the points x given t, other points, another center."""

    def right_margin(x, t):
        return t * x.std(ddof=1) / np.sqrt(len(x))

    def interval(ratios, scores, lowest, t):
        x = to((points or (lambda r, s, low: [low(r, column) for column in s.T]))(ratios, scores, lowest))
        x = np.asarray(x)
        middle = x.mean() if center is None else to(center(ratios, scores, lowest))
        reach = (margin or right_margin)(x, t)
        return float(back(middle)), float(back(middle - reach)), float(back(middle + reach))

    return interval


def center_of_mass(ratios, scores):
    """Stands in for the last exercise's function: it too finds one ratio from one score for each."""
    weight = np.exp(-10 * (scores - scores.min()))
    return float((ratios * weight).sum() / weight.sum())


def noisy_bowls(seed, S, noise):
    ratios = np.array([0.05, 0.15, 0.4, 0.8])
    return ratios, np.array([1.6, 1.2, 1.0, 1.1])[:, None] + noise * rng(seed).normal(size=(4, S)), center_of_mass


BEST_INTERVAL = Exercise(
    id="10.best-interval",
    title="How sure is the best ratio?",
    reference=best_interval,
    cases=(
        Case("two seeds", (*noisy_bowls(1, 2, 0.1), 12.706)),
        Case("five seeds", (*noisy_bowls(2, 5, 0.1), 2.776)),
        Case("five noisy seeds", (*noisy_bowls(3, 5, 0.4), 2.776)),
        Case("twelve seeds", (*noisy_bowls(4, 12, 0.2), 2.201)),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "the ratios themselves",
            "Right on a ruler, but ratios go by factors: half as much and twice as much are equally far. Take the log "
            "of each seed's lowest point, and come back at the end.",
            around(to=same, back=same),
        ),
        Mistake(
            "still a log",
            "Your answers are negative: they are logs of ratios.",
            around(back=same),
        ),
        Mistake(
            "1.96 for five seeds",
            "1.96 belongs to many values. The standard deviation of a few is itself uncertain, and t makes up for it.",
            around(margin=lambda x, t: 1.96 * x.std(ddof=1) / np.sqrt(len(x))),
        ),
        Mistake(
            "divided by n, not by n - 1",
            "With two seeds your margin is too small by a third. The mean was taken from the same numbers: for a "
            "sample's standard deviation divide by n - 1.",
            around(margin=lambda x, t: t * x.std() / np.sqrt(len(x))),
        ),
        Mistake(
            "the scatter of single seeds",
            "Your interval says where the lowest point of one more seed would lie. That of the mean is narrower by the "
            "root of their number.",
            around(margin=lambda x, t: t * x.std(ddof=1)),
        ),
        Mistake(
            "the lowest point of the mean",
            "Your middle is the lowest point of the averaged scores, your margin belongs to the mean of the seeds' own "
            "lowest points. Middle and margin should speak of the same thing.",
            around(center=lambda ratios, scores, lowest: lowest(ratios, scores.mean(axis=1))),
        ),
        Mistake(
            "only measured ratios",
            "You take the ratio with the lowest score of each seed and leave `lowest` aside. It looks between them.",
            around(points=lambda ratios, scores, lowest: ratios[scores.argmin(axis=0)]),
        ),
        Mistake(
            "from the smallest to the largest",
            "Your interval holds the lowest points of all seeds, and gets wider with every further one. More seeds "
            "should make it narrower.",
            lambda ratios, scores, lowest, t: (
                float(np.exp(np.mean(np.log([lowest(ratios, s) for s in scores.T])))),
                float(min(lowest(ratios, s) for s in scores.T)),
                float(max(lowest(ratios, s) for s in scores.T)),
            ),
        ),
    ),
    hints=(
        "Each seed is an experiment of its own and has a lowest point of its own: a column of scores, and `lowest`.",
        "You have S numbers now. Of their logs, take the mean and the standard deviation with n - 1.",
        "The margin is t times the standard deviation by the root of S, on the log. np.exp brings all three back.",
    ),
)


# 10.trust


def trust(p, keep, random, V):
    return p * (keep + random / V) / (p * keep + random / V)


TRUST = Exercise(
    id="10.trust",
    title="How far to trust a word",
    reference=trust,
    cases=(
        Case("two words, an even choice", (np.array([0.5]), 0.5, 0.5, 2)),
        Case("BERT's split", (np.array([0.0001, 0.01, 0.5, 0.99]), 0.1, 0.1, 400)),
        Case("an impossible word and a certain one", (np.array([0.0, 1.0]), 0.1, 0.1, 400)),
        Case("nothing is kept", (np.array([0.01, 0.5]), 0.0, 0.2, 50)),
        Case("nothing is replaced", (np.array([0.01, 0.5]), 0.2, 0.0, 50)),
        Case("a small vocabulary", (np.array([0.1, 0.3, 0.6]), 0.3, 0.2, 5)),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "what the context says is left out",
            "All words are trusted alike. A word that fits is more likely to be the one that stood there.",
            lambda p, keep, random, V: 0.0 * p + keep / (keep + random),
            variants=(lambda p, keep, random, V: 0.0 * p + keep / (keep + random / V),),
        ),
        Mistake(
            "any replacement will do",
            "You weigh keeping against replacing as such. But this very word came in: of V words one, so that a "
            "replacement is V times less likely to show it.",
            lambda p, keep, random, V: p * keep / (p * keep + random),
            variants=(
                lambda p, keep, random, V: p * keep / (p * keep + (1 - p) * random),
                lambda p, keep, random, V: p * (keep + random) / (p * keep + random),
            ),
        ),
        Mistake(
            "a word is never replaced by itself",
            "A uniform draw from V words takes the word itself now and then. That too is a way to show the right word.",
            lambda p, keep, random, V: p * keep / (p * keep + random / V),
            variants=(lambda p, keep, random, V: p * keep / (p * keep + (1 - p) * random / (V - 1)),),
        ),
        Mistake(
            "only when it was something else",
            "Below the line you count replacements of other words only. Whatever stood there, it may have been "
            "replaced by what is seen.",
            lambda p, keep, random, V: p * (keep + random / V) / (p * keep + (1 - p) * random / V),
        ),
        Mistake(
            "[MASK] is counted",
            "Below the line you have the share that became [MASK]. What is seen is a word: that case is ruled out.",
            lambda p, keep, random, V: p * (keep + random / V) / (p * keep + random / V + (1 - keep - random)),
        ),
        Mistake(
            "not divided by all the ways",
            "Your number is the probability that both happen, keeping and this word. What is seen is known: divide by "
            "the probability to see it.",
            lambda p, keep, random, V: p * (keep + random / V),
            variants=(lambda p, keep, random, V: p * keep,),
        ),
    ),
    hints=(
        "Bayes' rule. Above the line: the word stood there, and it was kept, or replaced by itself.",
        "Below the line, all ways to see this word: it was there and was kept, or anything was, and it came in.",
        "A replacement is this word with probability random / V, whatever stood there.",
    ),
)

EXERCISES = (TWO_KNOBS, FLOOR, CONTEXT_NATS, EQUAL_STEPS, BEHIND, LOWEST_POINT, BEST_INTERVAL, TRUST)
