"""Chapter 11: which words to hide, what choosing does to what is learned, and its cost; the bug clinic of Part III.

Shapes: B sentences, N candidates, V tokens, R batches or mask ratios, S seeds, n questions, P weights.
"""

import numpy as np

from mlm_mini.course.exercise import Case, Exercise, Mistake, WrongAnswer


def rng(seed):
    return np.random.default_rng(seed)


def log_softmax(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


# 11.scores


def surprisal_of(log_q, labels):
    return -np.take_along_axis(log_q, labels[:, None], axis=1)[:, 0]


def entropy_of(log_q, labels):
    q = np.exp(log_q)
    return -(q * np.where(q > 0, log_q, 0.0)).sum(axis=1)


def scores(log_q, labels):
    return {"surprisal": surprisal_of(log_q, labels), "entropy": entropy_of(log_q, labels)}


def scores_with(surprisal=surprisal_of, entropy=entropy_of):
    """A wrong `scores`, of two functions of log_q (N, V) and labels (N,)."""
    return lambda log_q, labels: {"surprisal": surprisal(log_q, labels), "entropy": entropy(log_q, labels)}


def scaled(function, factor):
    return lambda log_q, labels: factor * function(log_q, labels)


def _zero_times_infinity(log_q, labels):
    with np.errstate(invalid="ignore"):
        return -(np.exp(log_q) * log_q).sum(axis=1)


def _term_of_the_label(log_q, labels):
    s = surprisal_of(log_q, labels)
    return np.where(np.isinf(s), 0.0, np.exp(-s) * np.where(np.isinf(s), 0.0, s))


TO_BITS = 1 / np.log(2)
with np.errstate(divide="ignore"):
    LOG_EXCLUDED = np.log([[0.5, 0.25, 0.25, 0.0], [0.97, 0.01, 0.02, 0.0], [0.0, 1.0, 0.0, 0.0]])

SCORES = Exercise(
    id="11.scores",
    title="How hard is a blank?",
    reference=scores,
    cases=(
        Case("an even choice, and nearly a sure one", (np.log([[0.5, 0.5], [0.9, 0.1]]), np.array([0, 1]))),
        Case("words that are excluded", (LOG_EXCLUDED, np.array([1, 2, 1]))),
        Case("twenty blanks", (log_softmax(rng(1).normal(size=(20, 30)) * 3), rng(2).integers(0, 30, 20))),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "0 times -inf is NaN",
            "Where a word is excluded, q is 0 and its log -inf, and their product is NaN. A word that never comes "
            "adds nothing to a mean.",
            scores_with(entropy=_zero_times_infinity),
        ),
        Mistake(
            "bits, not nats",
            "Your numbers are larger by a factor of 1.44: that is a logarithm to base 2. The course counts in nats.",
            scores_with(scaled(surprisal_of, TO_BITS), scaled(entropy_of, TO_BITS)),
            variants=(scores_with(entropy=scaled(entropy_of, TO_BITS)),),
        ),
        Mistake(
            "all words count alike in the entropy",
            "Your entropy counts words that hardly ever come as much as likely ones. The mean is taken over what the "
            "model expects: how often does it expect each surprisal?",
            scores_with(entropy=lambda log_q, labels: -log_q.mean(axis=1)),
            variants=(scores_with(entropy=lambda log_q, labels: -log_q.sum(axis=1)),),
        ),
        Mistake(
            "the sign",
            "You have numbers below zero. A probability is at most one, so its logarithm is at most zero; surprisal "
            "and entropy are the negative.",
            scores_with(scaled(surprisal_of, -1), scaled(entropy_of, -1)),
            variants=(scores_with(scaled(surprisal_of, -1)), scores_with(entropy=scaled(entropy_of, -1))),
        ),
        Mistake(
            "the two are exchanged",
            "What you call surprisal does not depend on the hidden word, and what you call entropy does.",
            scores_with(entropy_of, surprisal_of),
        ),
        Mistake(
            "the surprisal of the likeliest word",
            "Your surprisal asks how sure the model is, whatever is hidden. It is the hidden word that surprises or "
            "does not.",
            scores_with(lambda log_q, labels: -log_q.max(axis=1)),
        ),
        Mistake(
            "the entropy of the hidden word alone",
            "You take the term of the hidden word and leave out the others. An entropy is a sum over all words, and "
            "knows nothing of the one that is hidden.",
            scores_with(entropy=_term_of_the_label),
        ),
    ),
    hints=(
        "The labels pick one number out of each row of log_q; np.take_along_axis does that for all rows at once.",
        "The entropy of a row is the mean surprisal that the model itself expects: a sum of q times -log q.",
        "Where q is 0 the term is 0, whatever its logarithm says: np.where can choose.",
    ),
)


# 11.inclusion


def capped_shares(scores, expected):
    capped = np.zeros(len(scores), dtype=bool)
    while True:
        c = (expected - capped.sum()) / scores[~capped].sum() if (~capped).any() else 0.0
        probability = np.where(capped, 1.0, c * scores)
        if not (probability > 1).any():
            return probability
        capped |= probability > 1


def inclusion(scores, expected):
    return capped_shares(scores, expected)


def _capped_once(scores, expected):
    probability = scores * expected / scores.sum()
    over = probability > 1
    if not over.any():
        return probability
    rest = scores[~over]
    return np.where(over, 1.0, scores * (expected - over.sum()) / rest.sum())


def _spread_evenly(scores, expected):
    probability = np.minimum(1.0, scores * expected / scores.sum())
    under = probability < 1
    if under.any():
        probability[under] += (expected - probability.sum()) / under.sum()
    return probability


def _largest(scores, expected):
    return (np.argsort(np.argsort(-scores, kind="stable")) < round(expected)).astype(np.float64)


def _softmax_scores(scores, expected):
    q = np.exp(scores - scores.max())
    return capped_shares(q / q.sum(), expected)


INCLUSION = Exercise(
    id="11.inclusion",
    title="From scores to probabilities",
    reference=inclusion,
    cases=(
        Case("one of three", (np.array([1.0, 2.0, 3.0]), 1.0)),
        Case("two of four, one score far above the others", (np.array([0.5, 1.0, 1.5, 20.0]), 2.0)),
        Case("a cap that calls for another", (np.array([1.0, 1.0, 6.0, 20.0, 2.0]), 3.0)),
        Case("forty of two hundred", (rng(1).gamma(0.3, size=200) + 1e-3, 40.0)),
        Case("half a position of five, on average", (rng(2).random(5) + 0.1, 0.5)),
        Case("all of them", (rng(3).random(6) + 0.1, 6.0)),
    ),
    minutes=15,
    mistakes=(
        Mistake(
            "a probability above one",
            "One of your probabilities is larger than 1. A position can be selected once at most: what is left over "
            "belongs to the others.",
            lambda scores, expected: scores * expected / scores.sum(),
        ),
        Mistake(
            "cut off at one, and the rest is lost",
            "None is above 1 now, but together they are fewer than were asked for. What the cap took away has to go "
            "to the others, in proportion to their scores.",
            lambda scores, expected: np.minimum(1.0, scores * expected / scores.sum()),
        ),
        Mistake(
            "capped once only",
            "After the first cap the others get more, and that can lift another above 1. Look again until nobody is.",
            _capped_once,
        ),
        Mistake(
            "the rest is shared evenly",
            "They sum to what was asked for, but what the cap left over went to all others alike. It goes in "
            "proportion to the scores: only one constant is free.",
            _spread_evenly,
        ),
        Mistake(
            "they sum to one",
            "That is a distribution, for drawing one position. Here several are wanted, each with its own chance.",
            lambda scores, expected: scores / scores.sum(),
        ),
        Mistake(
            "the highest scores, always",
            "Your answer is 0 or 1: the same positions are selected in every epoch, and easy words never. The article "
            "says preferentially, not exclusively.",
            _largest,
        ),
        Mistake(
            "a softmax of the scores",
            "A score twice as large should have twice the chance. The exponential makes much more of a difference.",
            _softmax_scores,
        ),
    ),
    hints=(
        "Without a cap, c is what makes the sum right: expected divided by the sum of the scores.",
        "Those above 1 get exactly 1. How many are still to be had from the others, and what is their c?",
        "A loop: compute c for those that are not capped, cap whoever is above 1, and stop when nobody is.",
    ),
)


# 11.weighted-sample


def weighted_sample(weights, k, rng):
    with np.errstate(divide="ignore"):
        keys = np.log(weights) + rng.gumbel(size=weights.shape)
    rank = (-keys).argsort(axis=1).argsort(axis=1)
    return rank < k


def observed_sample(function, weights, k, rng):
    """How many are selected in a row, how often each column is, and how often a row repeats the one above it."""
    selected = function(weights, k, rng)
    if type(selected) is not np.ndarray or selected.dtype != bool or selected.shape != weights.shape:
        raise WrongAnswer(f"Expected a bool array of shape {weights.shape}, the shape of the weights.")
    count = selected.sum(axis=1)
    repeats = (selected[1:] == selected[:-1]).all(axis=1).mean() if len(selected) > 1 else 0.0
    return {
        "fewest in a row": float(count.min()),
        "most in a row": float(count.max()),
        "share of rows": selected.mean(axis=0),
        "rows like the one above": float(repeats),
    }


def sample_by(keys, largest=True):
    """A wrong `weighted_sample` that takes the k largest, or smallest, of keys(weights, rng)."""

    def weighted_sample_(weights, k, rng):
        with np.errstate(divide="ignore"):
            values = keys(weights, rng)
        order = (-values if largest else values).argsort(axis=1).argsort(axis=1)
        return order < k

    return weighted_sample_


def _drawn_with_replacement(weights, k, rng):
    p = weights / weights.sum(axis=1, keepdims=True)
    selected = np.zeros(weights.shape, dtype=bool)
    for _ in range(k):
        chosen = (rng.random((len(weights), 1)) < p.cumsum(axis=1)).argmax(axis=1)
        selected[np.arange(len(weights)), chosen] = True
    return selected


def _each_on_its_own(weights, k, rng):
    p = np.minimum(1.0, k * weights / weights.sum(axis=1, keepdims=True))
    return rng.random(weights.shape) < p


MANY = 20_000
WEIGHTED_SAMPLE = Exercise(
    id="11.weighted-sample",
    title="Exactly k, the hard ones more often",
    reference=weighted_sample,
    cases=(
        Case("20,000 rows, one of four", (np.tile([1.0, 2.0, 3.0, 10.0], (MANY, 1)), 1, rng(1))),
        Case("20,000 rows, two of four", (np.tile([1.0, 2.0, 3.0, 10.0], (MANY, 1)), 2, rng(2))),
        Case("20,000 rows, three of six, one of weight 0", (np.tile([4.0, 0.0, 1, 1, 2, 0.5], (MANY, 1)), 3, rng(3))),
        Case("20,000 rows, three of five alike", (np.ones((MANY, 5)), 3, rng(4))),
    ),
    observe=observed_sample,
    rtol=0.0,
    atol=0.02,
    minutes=15,
    mistakes=(
        Mistake(
            "always the heaviest",
            "Every row selects the same positions, those with the largest weights. Heavy ones should come more "
            "often, not always: where is the chance?",
            sample_by(lambda weights, rng: weights),
        ),
        Mistake(
            "the noise is added to the weights",
            "Heavy positions come too often or too seldom. Gumbel noise belongs to logarithms: it is the log of the "
            "weight that it shifts.",
            sample_by(lambda weights, rng: weights + rng.gumbel(size=weights.shape)),
        ),
        Mistake(
            "the weights do not matter",
            "All positions come equally often, whatever their weights.",
            sample_by(lambda weights, rng: rng.gumbel(size=weights.shape)),
            variants=(sample_by(lambda weights, rng: rng.random(weights.shape)),),
        ),
        Mistake(
            "the noise has another shape",
            "The heavier come more often, but not in proportion. Only one kind of noise makes the first choice "
            "exactly proportional to the weights.",
            sample_by(lambda weights, rng: np.log(weights) + rng.random(weights.shape)),
            variants=(
                sample_by(lambda weights, rng: np.log(weights) + rng.normal(size=weights.shape)),
                sample_by(lambda weights, rng: np.log(weights) - rng.gumbel(size=weights.shape)),
                sample_by(lambda weights, rng: weights * rng.random(weights.shape)),
            ),
        ),
        Mistake(
            "the smallest keys",
            "Heavy positions come least often: you keep the smallest keys.",
            sample_by(lambda weights, rng: np.log(weights) + rng.gumbel(size=weights.shape), largest=False),
        ),
        Mistake(
            "with replacement",
            "Some rows have fewer than k: the same position was drawn twice.",
            _drawn_with_replacement,
        ),
        Mistake(
            "each on its own",
            "The number of selected positions varies from row to row. That is a Poisson sample; here it is to be k.",
            _each_on_its_own,
        ),
        Mistake(
            "one draw for all rows",
            "Rows with the same weights select the same positions: they share their noise.",
            sample_by(lambda weights, rng: np.log(weights) + rng.gumbel(size=weights.shape[1])),
        ),
    ),
    hints=(
        "Give each position a key, the log of its weight plus noise, and take the k largest keys of each row.",
        "The noise is rng.gumbel, one number for each position of each row.",
        "A weight of 0 has the log -inf, which no noise lifts: it comes last, as it should.",
        "Sort twice for ranks, as in chapter 03, and keep those below k.",
    ),
)


# 11.learned


def learned(p, s):
    asked = p * s
    return asked / asked.sum(axis=-1, keepdims=True)


LEARNED = Exercise(
    id="11.learned",
    title="What is learned from what is asked",
    reference=learned,
    cases=(
        Case("two words, the rare one asked for every time", (np.array([0.9, 0.1]), np.array([1 / 3, 1.0]))),
        Case("all asked for alike", (np.array([0.7, 0.2, 0.1]), np.array([0.15, 0.15, 0.15]))),
        Case("a word that is never asked for", (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.4, 0.0]))),
        Case("five blanks of eight words", (rng(1).dirichlet(np.ones(8), 5), rng(2).random((5, 8)))),
    ),
    minutes=8,
    mistakes=(
        Mistake(
            "the truth",
            "You return how often each word stands there. The model never hears of a word that it is not asked for.",
            lambda p, s: p + 0.0 * s,
        ),
        Mistake(
            "how often each word is asked for, and the truth forgotten",
            "A word that stands there seldom is also asked for seldom, however gladly: both count.",
            lambda p, s: s / s.sum(axis=-1, keepdims=True),
        ),
        Mistake(
            "it does not sum to one",
            "Your numbers are the shares of all blanks in which a word is asked for. What the model learns is a "
            "distribution over those that were asked.",
            lambda p, s: p * s,
        ),
        Mistake(
            "divided by the chance",
            "Words that are asked for less come out likelier. Dividing is what an importance weight does: it undoes "
            "this effect.",
            lambda p, s: (
                np.divide(p, s, where=s > 0, out=np.zeros_like(p))
                / np.divide(p, s, where=s > 0, out=np.zeros_like(p)).sum(axis=-1, keepdims=True)
            ),
        ),
        Mistake(
            "one sum for all blanks",
            "Right for one blank, too small for several: each row is a distribution of its own.",
            lambda p, s: p * s / (p * s).sum(),
        ),
        Mistake(
            "a softmax",
            "Chances multiply; nothing here is a logit. The gradient in the text is zero for one q only.",
            lambda p, s: np.exp(p * s) / np.exp(p * s).sum(axis=-1, keepdims=True),
        ),
    ),
    hints=(
        "Set the gradient to zero: the sum over w of p(w) s(w) (q - e_w). Look at the entry of one word.",
        "q times the sum of all p(w) s(w) must be the p(w) s(w) of that word.",
        "So q is proportional to p times s. What makes each row sum to one?",
    ),
)


# 11.fixed-point


def bisected(p):
    low, high = 0.0, 1.0
    for _ in range(100):
        q = (low + high) / 2
        if p * -np.log(q) * (1 - q) > (1 - p) * -np.log1p(-q) * q:
            low = q
        else:
            high = q
    return (low + high) / 2


def fixed_point(p):
    return bisected(p)


def _one_step(p):
    return p * -np.log(p) / (p * -np.log(p) + (1 - p) * -np.log1p(-p))


def _iterated(p, steps):
    q = p
    for _ in range(steps):
        mine, other = p * -np.log(q), (1 - p) * -np.log1p(-q)
        q = mine / (mine + other)
    return q


def _from_half(p):
    mine, other = p * np.log(2), (1 - p) * np.log(2)
    return mine / (mine + other)


FIXED_POINT = Exercise(
    id="11.fixed-point",
    title="Where it ends when the model chooses for itself",
    reference=fixed_point,
    cases=(
        Case("nine of ten", (0.9,)),
        Case("an even choice", (0.5,)),
        Case("three of ten", (0.3,)),
        Case("99 of 100", (0.99,)),
        Case("one of a thousand", (0.001,)),
    ),
    rtol=1e-6,
    atol=1e-8,
    minutes=15,
    mistakes=(
        Mistake(
            "one step",
            "You let the truth choose: the surprisal is that under p. The model chooses by its own q, so that q "
            "stands on both sides of the equation.",
            _one_step,
        ),
        Mistake(
            "the answer swings to and fro",
            "Put your answer into the right side, and something else comes out: each round goes past the point of "
            "rest, further than the one before. An interval that is halved cannot do that.",
            lambda p: _iterated(p, 2),
            variants=tuple(
                lambda p, steps=steps: _iterated(p, steps)
                for steps in (3, 4, 5, 8, 10, 20, 30, 50, 100, 200, 500, 1000, 10_000)
            ),
        ),
        Mistake(
            "nothing happens",
            "Your answer is p itself. With a model that is indifferent both words are asked for alike; but as soon "
            "as it knows something, it asks for the rarer one more often.",
            _from_half,
        ),
        Mistake(
            "the square root",
            "That is where selection by 1 / q ends. Here the chance is the surprisal, -log q.",
            lambda p: np.sqrt(p) / (np.sqrt(p) + np.sqrt(1 - p)),
        ),
        Mistake(
            "the other word",
            "Your number is the probability of the word that has probability 1 - p.",
            lambda p: 1 - bisected(p),
        ),
        Mistake(
            "the likely word gets likelier",
            "Your q lies further from one half than p. A word that is expected surprises less, and is asked for less.",
            lambda p: (p / -np.log(p)) / (p / -np.log(p) + (1 - p) / -np.log1p(-p)),
        ),
    ),
    hints=(
        "Write q / (1 - q) = p / (1 - p) times log(q) / log(1 - q) without fractions, all on one side.",
        "At q near 0 that difference is above zero, at q near 1 below, and it crosses zero once.",
        "Bisection: halve the interval between 0 and 1, keep the half in which the sign changes, a hundred times.",
    ),
)


# 11.importance


def importance(nats, asked, probability):
    return weighted_means(nats, asked, probability)


def weighted_means(nats, asked, probability):
    weights = asked / probability
    total = weights.sum()
    return (nats * weights).sum() / len(nats), (nats * weights).sum() / total if total > 0 else 0.0


def importance_with(weights=lambda asked, p: asked / p, plain=None, normalized=None):
    """A wrong `importance`: other weights, or another way to combine the weighted nats, the weights and N."""

    def importance_(nats, asked, probability):
        w = weights(asked, probability)
        total, N = (nats * w).sum(), len(nats)
        with np.errstate(invalid="ignore", divide="ignore"):
            first = plain(total, w, asked, N) if plain else total / N
            if normalized:
                return first, normalized(total, w, asked, N)
            return first, total / w.sum() if w.sum() > 0 else 0.0

    return importance_


def _sample(seed, N):
    probability = rng(seed).uniform(0.05, 0.9, N)
    return rng(seed + 1).gamma(2.0, size=N), rng(seed + 2).random(N) < probability, probability


IMPORTANCE = Exercise(
    id="11.importance",
    title="Weights that undo the choice",
    reference=importance,
    cases=(
        Case(
            "two of three asked", (np.array([4.0, 1.0, 9.0]), np.array([True, True, False]), np.array([1, 0.25, 0.5]))
        ),
        Case("twelve candidates", _sample(10, 12)),
        Case("three hundred candidates", _sample(20, 300)),
        Case("nothing asked", (rng(1).random(4), np.zeros(4, dtype=bool), rng(2).uniform(0.1, 1, 4))),
    ),
    minutes=12,
    mistakes=(
        Mistake(
            "multiplied by the probability",
            "A position that is asked for often should count less each time, not more.",
            importance_with(lambda asked, p: asked * p),
        ),
        Mistake(
            "no weights",
            "A plain mean over what was asked: hard words, which were asked for more often, count for more.",
            importance_with(
                lambda asked, p: asked.astype(np.float64), lambda total, w, asked, N: total / max(asked.sum(), 1)
            ),
        ),
        Mistake(
            "divided by how many were asked",
            "Each weight already makes up for those that were not asked: the weighted sum stands for all N candidates.",
            importance_with(plain=lambda total, w, asked, N: total / max(asked.sum(), 1)),
        ),
        Mistake(
            "positions that were not asked count",
            "You use losses that the model never paid: nothing was asked there.",
            importance_with(lambda asked, p: 1 / p),
        ),
        Mistake(
            "a batch in which nothing is asked is NaN",
            "0 / 0 is NaN, and one such step spoils every weight of the model. Without a question the loss is 0.",
            importance_with(normalized=lambda total, w, asked, N: total / w.sum()),
        ),
        Mistake(
            "the second is not normalized",
            "Your two numbers are the same. The second divides by the sum of the weights, which is N only on average.",
            importance_with(normalized=lambda total, w, asked, N: total / N),
        ),
        Mistake(
            "the weights of those that stay",
            "You weigh with 1 / (1 - pi), the chance of not being asked. What matters is how often a position *is*.",
            importance_with(lambda asked, p: asked / (1 - np.minimum(p, 1 - 1e-9))),
        ),
        Mistake(
            "the two are exchanged",
            "The first is the weighted sum over N, the second over the sum of the weights; yours stand the other way "
            "round.",
            lambda nats, asked, probability: weighted_means(nats, asked, probability)[::-1],
        ),
    ),
    hints=(
        "A position with probability 1/4 stands for four of its kind: it counts four times when it is asked.",
        "First the sum of weight times nats over N, the number of candidates; then the same sum over all weights.",
        "If nothing was asked the sum of the weights is 0: answer 0.0 before you divide.",
    ),
)


# 11.equal-steps


def training_flops(V, D, L, T):
    """The operations per token of chapter 08, as a function of the share that is predicted."""
    return lambda predicted: 6 * 12 * L * D**2 + 12 * L * T * D + 6 * predicted * (D**2 + D * V)


def tiny_flops(predicted):
    return training_flops(404, 64, 2, 10)(predicted)


def bert_base_flops(predicted):
    return training_flops(30522, 768, 12, 512)(predicted)


def large_vocabulary_flops(predicted):
    return training_flops(50_000, 128, 2, 128)(predicted)


def equal_steps(steps, flops, mask_ratio, oversampling):
    scoring = flops(mask_ratio * oversampling) / 3
    return int(steps * flops(mask_ratio) / (flops(mask_ratio) + scoring))


def equal_steps_with(share, whole=int):
    """A wrong `equal_steps`: share(uniform, candidates, everywhere) of the steps, of the operations of training."""

    def equal_steps_(steps, flops, mask_ratio, oversampling):
        return whole(steps * share(flops(mask_ratio), flops(mask_ratio * oversampling), flops(1.0)))

    return equal_steps_


def rounded_up(steps):
    return int(np.ceil(steps))


EQUAL_STEPS = Exercise(
    id="11.equal-steps",
    title="As many steps as one can pay for",
    reference=equal_steps,
    cases=(
        Case("the tiny model", (400, tiny_flops, 0.15, 2.0)),
        Case("four candidates for each question", (400, tiny_flops, 0.15, 4.0)),
        Case("BERT-base", (1_000_000, bert_base_flops, 0.15, 2.0)),
        Case("a large vocabulary", (500, large_vocabulary_flops, 0.15, 6.0)),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "looking costs nothing",
            "You grant all the steps. The scoring pass reads every sentence once more before the step.",
            equal_steps_with(lambda uniform, candidates, everywhere: 1.0),
        ),
        Mistake(
            "scoring is charged like training",
            "A scoring pass goes forward only. The backward pass, which is two thirds of the cost of training, is "
            "left out.",
            equal_steps_with(lambda uniform, candidates, everywhere: uniform / (uniform + candidates)),
        ),
        Mistake(
            "scoring at the mask ratio",
            "The model scores all candidates, and the head works for each: more than are asked for in the end.",
            equal_steps_with(lambda uniform, candidates, everywhere: uniform / (uniform + uniform / 3)),
        ),
        Mistake(
            "logits at every position",
            "You charge the head for all tokens. Scores are needed at the candidates only.",
            equal_steps_with(lambda uniform, candidates, everywhere: uniform / (uniform + everywhere / 3)),
        ),
        Mistake(
            "more steps for the dearer strategy",
            "Your strategy gets more steps than uniform masks, and its steps cost more.",
            equal_steps_with(lambda uniform, candidates, everywhere: (uniform + candidates / 3) / uniform),
        ),
        Mistake(
            "only the scoring is paid",
            "You divide by the cost of scoring alone. A step of the strategy scores, and then trains.",
            equal_steps_with(lambda uniform, candidates, everywhere: uniform / (candidates / 3)),
        ),
        Mistake(
            "rounded up",
            "One step more than the budget pays for: the last step has to fit in as well.",
            equal_steps_with(lambda uniform, candidates, everywhere: uniform / (uniform + candidates / 3), rounded_up),
        ),
    ),
    hints=(
        "What do `steps` steps with uniform masks cost, and what does one step of the strategy?",
        "A forward pass costs a third of a training pass at the same share of predictions.",
        "The scoring pass predicts mask_ratio * oversampling of the tokens, the training pass mask_ratio.",
        "Only whole steps count: int() leaves out the one that is no longer paid for.",
    ),
)


# 11.clinic-ratio


def loss_and_error(nats, counts):
    B, mean = len(nats), nats.sum() / counts.sum()
    residual = nats - mean * counts
    return mean, np.sqrt(B / (B - 1) * (residual**2).sum()) / counts.sum()


def _mean_of_ratios(nats, counts):
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = nats / counts
    return ratios.mean(), ratios.std(ddof=1) / np.sqrt(len(ratios))


def _mean_of_some_ratios(nats, counts):
    ratios = nats[counts > 0] / counts[counts > 0]
    return ratios.mean(), ratios.std(ddof=1) / np.sqrt(len(ratios))


def error_with(error):
    """The right mean, and a wrong error(nats, counts, mean)."""

    def loss_and_error_(nats, counts):
        mean = nats.sum() / counts.sum()
        return mean, error(nats, counts, mean)

    return loss_and_error_


def _independent(nats, counts, mean):
    B = len(nats)
    relative = (nats.std(ddof=1) / nats.mean()) ** 2 + (counts.std(ddof=1) / counts.mean()) ** 2
    return mean * np.sqrt(relative / B)


def _sentences(seed, B, ratio=0.15):
    counts = rng(seed).binomial(rng(seed + 1).integers(4, 14, B), ratio)
    return rng(seed + 2).gamma(2.0, 0.6, B) * counts, counts


CLINIC_RATIO = Exercise(
    id="11.clinic-ratio",
    title="Bug clinic: the error of a loss per token",
    reference=loss_and_error,
    cases=(
        Case("three sentences", (np.array([2.0, 1.0, 9.0]), np.array([1, 1, 4]))),
        Case("sentences of which some ask nothing", _sentences(30, 60)),
        Case("four hundred sentences", _sentences(40, 400, 0.4)),
        Case("the same number everywhere", (rng(50).gamma(2.0, size=30), np.full(30, 2))),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "a sentence without a question spoils everything",
            "0 / 0 is NaN. And where it is not, a sentence with one question counts as much as one with four: the "
            "loss is total nats over total questions.",
            _mean_of_ratios,
        ),
        Mistake(
            "the mean of ratios",
            "The NaN is gone, but you still average over sentences. In a short sentence each question then counts for "
            "more: what is reported elsewhere is the ratio of two sums.",
            _mean_of_some_ratios,
        ),
        Mistake(
            "the number of questions is taken as certain",
            "The mean is right. The error treats only the nats as random; a sentence with more questions has more of "
            "both, and that they go together makes the ratio steadier.",
            error_with(lambda nats, counts, mean: np.sqrt(len(nats)) * nats.std(ddof=1) / counts.sum()),
        ),
        Mistake(
            "numerator and denominator taken for independent",
            "You add two relative variances. That is right for numbers that know nothing of each other; here a "
            "sentence with many questions pays many nats.",
            error_with(_independent),
        ),
        Mistake(
            "Bessel's correction is missing",
            "Nearly: with few sentences your error comes out too small. One degree of freedom was spent on the mean.",
            error_with(lambda nats, counts, mean: np.sqrt(((nats - mean * counts) ** 2).sum()) / counts.sum()),
        ),
        Mistake(
            "the spread, not the error",
            "That is how far sentences lie from the mean. The mean of many of them is steadier: divide by the root "
            "of their number.",
            error_with(
                lambda nats, counts, mean: (
                    np.sqrt(((nats - mean * counts) ** 2).sum() / (len(nats) - 1)) / counts.mean()
                )
            ),
        ),
    ),
    hints=(
        "The loss per question is a ratio of two sums over sentences, and both sums are random.",
        (
            "What a sentence adds to the error is how far its nats lie from what its number of questions would cost "
            "on average: nats minus mean times counts."
        ),
        "Square these residuals, add them up, correct by B / (B - 1), take the root, divide by all questions.",
    ),
)


# 11.clinic-ratios


def best_ratio(losses, ratios, common):
    return float(ratios[losses[:, column_of(ratios, common)].argmin()])


def column_of(ratios, common):
    return int(np.flatnonzero(ratios == common)[0])


def _models(seed, common):
    """Losses of six models at the ratios of all: harder to the right, where more is hidden; the gaps by chance."""
    ratios = np.array([0.02, 0.05, 0.15, 0.3, 0.5, 0.8])
    floor = np.array([0.7, 0.8, 1.0, 1.4, 2.0, 3.1])
    return (floor + rng(seed).gamma(2.0, 0.25, (6, 6))).round(2), ratios, common


THREE_MODELS = np.array([[0.9, 1.3, 1.9], [1.0, 1.2, 1.6], [1.2, 1.35, 1.5]]), np.array([0.05, 0.15, 0.4]), 0.15
CLINIC_RATIOS = Exercise(
    id="11.clinic-ratios",
    title="Bug clinic: fewer masks are always better",
    reference=best_ratio,
    cases=(
        Case("three models", THREE_MODELS),
        Case("six models, asked at 0.15", _models(1, 0.15)),
        Case("six others, asked at 0.5", _models(2, 0.5)),
        Case("six others, asked at 0.05", _models(3, 0.05)),
    ),
    minutes=8,
    mistakes=(
        Mistake(
            "each model is asked its own questions",
            "You compare the losses along the diagonal, each at the ratio of its training. Where less is hidden every "
            "blank is easier, so that the smallest ratio wins whatever it has learned.",
            lambda losses, ratios, common: float(ratios[np.diag(losses).argmin()]),
        ),
        Mistake(
            "one model, asked at all ratios",
            "You look along a row: one model, at questions of all kinds. Which index is the model, and which the "
            "questions?",
            lambda losses, ratios, common: float(ratios[losses[column_of(ratios, common)].argmin()]),
        ),
        Mistake(
            "the place, not the ratio",
            "You return the number of the row. The answer is a mask ratio.",
            lambda losses, ratios, common: float(losses[:, column_of(ratios, common)].argmin()),
        ),
        Mistake(
            "the worst",
            "That model has the largest loss.",
            lambda losses, ratios, common: float(ratios[losses[:, column_of(ratios, common)].argmax()]),
        ),
        Mistake(
            "the smallest loss of all",
            "You take the smallest number of the whole table. It stands where the questions are easiest.",
            lambda losses, ratios, common: float(ratios[np.unravel_index(losses.argmin(), losses.shape)[0]]),
        ),
        Mistake(
            "a mean over all ratios",
            "You average over easy and hard questions, and the hard ones decide. The question was for one ratio.",
            lambda losses, ratios, common: float(ratios[losses.mean(axis=1).argmin()]),
        ),
    ),
    hints=(
        "A row is a model, a column a set of questions. On the diagonal every model has questions of its own.",
        "Questions at one ratio stand in one column: find the column of `common`.",
        "The row of its smallest loss says which model, and `ratios` at what ratio that was trained.",
    ),
)


# 11.clinic-seeds


def compare(ours, theirs, t):
    difference = ours.mean(axis=1) - theirs.mean(axis=1)
    return difference.mean(), t * difference.std(ddof=1) / np.sqrt(len(difference))


def margin_with(margin):
    """The right difference, and a wrong margin(ours, theirs, t)."""
    return lambda ours, theirs, t: (ours.mean() - theirs.mean(), margin(ours, theirs, t))


def _unpaired(ours, theirs, t):
    a, b = ours.mean(axis=1), theirs.mean(axis=1)
    return t * np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))


def _runs(seed, S, n):
    luck = rng(seed).normal(0, 0.05, (S, 1))
    nats = rng(seed + 1).gamma(1.0, 0.5, (S, n)) + luck
    return nats, nats + rng(seed + 2).normal(0.01, 0.04, (S, 1)) + rng(seed + 3).normal(0, 0.1, (S, n))


CLINIC_SEEDS = Exercise(
    id="11.clinic-seeds",
    title="Bug clinic: five seeds and twenty thousand questions",
    reference=compare,
    cases=(
        Case(
            "two seeds of three questions",
            (np.array([[1, 2, 3.0], [2, 2, 5]]), np.array([[1, 1, 1.0], [1, 4, 1]]), 12.71),
        ),
        Case("five seeds of four thousand questions", (*_runs(60, 5, 4000), 2.776)),
        Case("nine seeds of fifty questions", (*_runs(70, 9, 50), 2.306)),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "every question counts as a run",
            "Your interval is far too narrow. The questions of one seed were answered by the same model: its luck is "
            "in all of them. How many models were trained?",
            margin_with(lambda a, b, t: t * (a - b).std(ddof=1) / np.sqrt(a.size)),
            variants=(margin_with(lambda a, b, t: t * np.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size)),),
        ),
        Mistake(
            "the first seed alone",
            "One seed: its luck cannot be told from the strategy, and the interval knows the luck of the questions "
            "only.",
            lambda a, b, t: ((a[0] - b[0]).mean(), t * (a[0] - b[0]).std(ddof=1) / np.sqrt(a.shape[1])),
        ),
        Mistake(
            "the pairs are torn apart",
            "You add two variances. Both strategies of a seed read the same sentences from the same first weights; "
            "what they share goes away in their difference.",
            margin_with(_unpaired),
        ),
        Mistake(
            "Bessel's correction is missing",
            "With few seeds your interval is too narrow: the deviations are taken from the mean of these very seeds.",
            margin_with(lambda a, b, t: t * (a.mean(axis=1) - b.mean(axis=1)).std() / np.sqrt(len(a))),
        ),
        Mistake(
            "the spread, not the error",
            "That is how far seeds lie apart. The mean of several is steadier: divide by the root of their number.",
            margin_with(lambda a, b, t: t * (a.mean(axis=1) - b.mean(axis=1)).std(ddof=1)),
        ),
        Mistake(
            "no interval yet",
            "That is a standard error. A 95% interval reaches t of them to either side, and with few seeds t is large.",
            margin_with(lambda a, b, t: (a.mean(axis=1) - b.mean(axis=1)).std(ddof=1) / np.sqrt(len(a))),
        ),
        Mistake(
            "the best seed of each",
            "The more seeds, the better your result: you compare the luckiest runs. What is claimed is about the "
            "next run.",
            lambda a, b, t: (
                a.mean(axis=1).min() - b.mean(axis=1).min(),
                t * (a.mean(axis=1) - b.mean(axis=1)).std(ddof=1) / np.sqrt(len(a)),
            ),
        ),
    ),
    hints=(
        "What was drawn independently, the questions or the models? An interval counts those.",
        "One number for each seed: the difference of its two mean losses.",
        "t times the standard deviation of these numbers, with Bessel's correction, over the root of their number.",
    ),
)


# 11.clinic-cost


def speed_up(uniform_steps, strategy_steps, training, scoring, every):
    return cost_ratio(uniform_steps, strategy_steps, training, scoring, every)


def cost_ratio(uniform_steps, strategy_steps, training, scoring, every):
    passes = -(-strategy_steps // every)
    return uniform_steps * training / (strategy_steps * training + passes * scoring)


CLINIC_COST = Exercise(
    id="11.clinic-cost",
    title="Bug clinic: a third fewer steps",
    reference=speed_up,
    cases=(
        Case("a third fewer steps, scored at every step", (300, 200, 3.0, 1.0, 1)),
        Case("scored at every fourth step", (300, 202, 3.0, 1.0, 4)),
        Case("scoring with many candidates", (1000, 830, 600_000.0, 450_000.0, 1)),
        Case("scored once", (500, 450, 600_000.0, 220_000.0, 1000)),
    ),
    minutes=8,
    mistakes=(
        Mistake(
            "the scoring passes are not paid",
            "You compare steps. A step that looks first costs more: what did it cost until both were as good?",
            lambda uniform_steps, strategy_steps, training, scoring, every: uniform_steps / strategy_steps,
        ),
        Mistake(
            "scored at every step",
            "The scores are used for several steps, but you pay for a scoring pass at each.",
            lambda uniform_steps, strategy_steps, training, scoring, every: (
                uniform_steps * training / (strategy_steps * (training + scoring))
            ),
        ),
        Mistake(
            "the last scoring pass is missing",
            "When the steps are no multiple of `every`, the rest still begins with a scoring pass: round up.",
            lambda uniform_steps, strategy_steps, training, scoring, every: (
                uniform_steps * training / (strategy_steps * training + strategy_steps // every * scoring)
            ),
        ),
        Mistake(
            "both pay for scoring",
            "Uniform masks need no scores, and yours pay for them.",
            lambda uniform_steps, strategy_steps, training, scoring, every: (
                (uniform_steps * training + -(-uniform_steps // every) * scoring)
                / (strategy_steps * training + -(-strategy_steps // every) * scoring)
            ),
        ),
        Mistake(
            "upside down",
            "Above 1 should mean that the strategy is cheaper. Yours says by how much it is dearer.",
            lambda uniform_steps, strategy_steps, training, scoring, every: (
                1 / cost_ratio(uniform_steps, strategy_steps, training, scoring, every)
            ),
        ),
        Mistake(
            "a scoring pass goes forward and back",
            "You charge three times what a scoring pass costs. `scoring` is the whole cost of one already.",
            lambda uniform_steps, strategy_steps, training, scoring, every: cost_ratio(
                uniform_steps, strategy_steps, training, 3 * scoring, every
            ),
        ),
    ),
    hints=(
        "Add up what each of the two has spent until it was as good as the other.",
        "How many scoring passes fall into strategy_steps steps, when each serves `every` of them?",
        "The strategy pays for its steps and for its scoring passes, uniform masks only for their steps.",
    ),
)


# 11.clinic-bessel


def signal_and_noise(gradients):
    R = len(gradients)
    noise = gradients.var(axis=0, ddof=1).sum()
    return (gradients.mean(axis=0) ** 2).sum() - noise / R, noise


def signal_with(signal, noise=lambda g: g.var(axis=0, ddof=1).sum()):
    """A wrong `signal_and_noise` from signal(gradients, noise) and noise(gradients)."""

    def signal_and_noise_(gradients):
        found = noise(gradients)
        return signal(gradients, found), found

    return signal_and_noise_


def _squared(g):
    return (g.mean(axis=0) ** 2).sum()


CLINIC_BESSEL = Exercise(
    id="11.clinic-bessel",
    title="Bug clinic: a signal that grows when one looks less",
    reference=signal_and_noise,
    cases=(
        Case("two gradients of two weights", (np.array([[3.0, 0.0], [1.0, 2.0]]),)),
        Case("eight gradients of fifty weights", (0.5 + rng(80).normal(size=(8, 50)),)),
        Case("gradients that are nothing but noise", (rng(81).normal(size=(5, 40)),)),
        Case("gradients that are all alike", (np.ones((4, 3)),)),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "noise counts as signal, and too little of it as noise",
            "Two errors of one kind. The mean of R gradients lies near these very R, not at the true mean: the spread "
            "around it comes out too small, and its own square too large.",
            signal_with(lambda g, noise: _squared(g), lambda g: g.var(axis=0).sum()),
        ),
        Mistake(
            "noise counts as signal",
            "The noise is right. But the square of your mean gradient still holds what R draws could not average "
            "away: where there is no signal at all it must be 0 on average.",
            signal_with(lambda g, noise: _squared(g)),
        ),
        Mistake(
            "Bessel's correction is missing",
            "You take something off the signal, but with a noise that is too small: the deviations are taken from the "
            "mean of the same R gradients.",
            signal_with(lambda g, noise: _squared(g) - noise / len(g), lambda g: g.var(axis=0).sum()),
        ),
        Mistake(
            "all of the noise is taken off",
            "The noise of one gradient is not that of the mean of R: averaging has made it smaller already.",
            signal_with(lambda g, noise: _squared(g) - noise),
        ),
        Mistake(
            "cut off at zero",
            "Where the estimate falls below 0 you put 0. Then it is too large on average: the negative ones belong to "
            "it.",
            signal_with(lambda g, noise: max(_squared(g) - noise / len(g), 0.0)),
        ),
        Mistake(
            "the mean square of single gradients",
            "That is signal and noise together: the square of the length of one gradient.",
            signal_with(lambda g, noise: (g**2).sum(axis=1).mean()),
        ),
        Mistake(
            "one variance for all weights",
            "You throw all weights together, so that differences between weights count as noise. Each weight has a "
            "variance of its own; the trace adds them up.",
            signal_with(lambda g, noise: _squared(g) - noise / len(g), lambda g: g.var(ddof=1) * g.shape[1]),
        ),
    ),
    hints=(
        "Try it on pure noise: what should the signal be on average, and what do you get with few gradients?",
        "The variance of a mean of R gradients is the variance of one, divided by R.",
        "The square of the mean gradient is, on average, the signal plus noise / R.",
    ),
)

EXERCISES = (
    SCORES,
    INCLUSION,
    WEIGHTED_SAMPLE,
    LEARNED,
    FIXED_POINT,
    IMPORTANCE,
    EQUAL_STEPS,
    CLINIC_RATIO,
    CLINIC_RATIOS,
    CLINIC_SEEDS,
    CLINIC_COST,
    CLINIC_BESSEL,
)
