"""Chapter 08: reading from one side and from both, what the other side is worth, and what attention costs.

Shapes: B sentences, T positions, V tokens, D numbers at a position, L blocks.
"""

import numpy as np

from mlm_mini.course.exercise import Case, Exercise, Mistake
from mlm_mini.reference import IGNORE_INDEX


def rng(seed):
    return np.random.default_rng(seed)


# 08.causal-labels


def causal_labels(ids, pad_id):
    labels = np.full_like(ids, IGNORE_INDEX)
    following = ids[:, 1:]
    labels[:, :-1] = np.where(following == pad_id, IGNORE_INDEX, following)
    return labels


def _rolled(ids, pad_id):
    following = np.roll(ids, -1, axis=1)
    return np.where(following == pad_id, IGNORE_INDEX, following)


def shifted(source, keep):
    """Wrong labels: those of `source(ids)` (B, T - 1) at all places but the last, where `keep(source, ids)`."""

    def labels(ids, pad_id):
        out = np.full_like(ids, IGNORE_INDEX)
        found = source(ids)
        out[:, :-1] = np.where(keep(found, ids, pad_id), found, IGNORE_INDEX)
        return out

    return labels


def _word_before(ids, pad_id):
    labels = np.full_like(ids, IGNORE_INDEX)
    labels[:, 1:] = np.where(ids[:, 1:] == pad_id, IGNORE_INDEX, ids[:, :-1])
    return labels


SCENE_IDS = np.array([[2, 17, 30, 9, 3, 0, 0], [2, 11, 12, 13, 14, 15, 3], [2, 40, 3, 0, 0, 0, 0]])
CAUSAL_LABELS = Exercise(
    id="08.causal-labels",
    title="What comes next",
    reference=causal_labels,
    cases=(
        Case("two words", (np.array([[2, 7, 8, 3]]), 0)),
        Case("sentences of unlike length", (SCENE_IDS, 0)),
        Case("BERT's ids", (np.array([[101, 2054, 2003, 102], [101, 2748, 102, 1]]), 1)),
    ),
    minutes=8,
    mistakes=(
        Mistake(
            "the label is the token itself",
            "Each position is asked for the token that it sees: the model only has to copy. The label of a position is "
            "the token after it.",
            lambda ids, pad_id: np.where(ids == pad_id, IGNORE_INDEX, ids),
        ),
        Mistake(
            "the token before",
            "Your labels look back. A position has seen what is before it; it is to say what comes next.",
            _word_before,
        ),
        Mistake(
            "the first token comes again at the end",
            "The last position is asked for [CLS], the first token of its own row, as if the row were a ring. Nothing "
            "follows the last position.",
            _rolled,
        ),
        Mistake(
            "padding is predicted",
            "After [SEP] the model is asked for padding, which is easy and teaches nothing, and lowers the mean.",
            shifted(lambda ids: ids[:, 1:], lambda found, ids, pad_id: np.ones_like(found, dtype=bool)),
        ),
        Mistake(
            "the end is not predicted",
            "The token that ends the sentence has no label. That a sentence ends here is news as well: without it the "
            "surprisals do not add up to the sentence's.",
            shifted(
                lambda ids: ids[:, 1:],
                lambda found, ids, pad_id: (
                    (found != pad_id) & (np.append(found[:, 1:], np.full((len(ids), 1), pad_id), axis=1) != pad_id)
                ),
            ),
        ),
        Mistake(
            "the first word is not predicted",
            "The position of [CLS] has no label. It is there that the first word is to be guessed, from nothing.",
            shifted(
                lambda ids: ids[:, 1:],
                lambda found, ids, pad_id: (found != pad_id) & (np.arange(found.shape[1]) > 0),
            ),
        ),
    ),
    hints=(
        "Write a sentence down, and under each token the one that follows it.",
        "The labels are the ids moved by one place; what stands at the last place?",
        "Where the following token is padding there is nothing to predict: -100.",
    ),
)


# 08.sentence-nats


def sentence_nats(logits, labels):
    shifted_ = logits - logits.max(axis=-1, keepdims=True)
    log_p = shifted_ - np.log(np.exp(shifted_).sum(axis=-1, keepdims=True))
    at = np.take_along_axis(log_p, np.where(labels == IGNORE_INDEX, 0, labels)[..., None], axis=-1)[..., 0]
    return -np.where(labels == IGNORE_INDEX, 0.0, at).sum(axis=-1)


def token_nats(logits, labels):
    """Surprisal at each place and which places count, for wrong answers that begin there."""
    z = logits - logits.max(axis=-1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
    asked = labels != IGNORE_INDEX
    return -np.take_along_axis(log_p, np.where(asked, labels, 0)[..., None], axis=-1)[..., 0], asked


def _summed(combine):
    return lambda logits, labels: combine(*token_nats(logits, labels))


def _labels_of(seed, B, T, V):
    labels = rng(seed).integers(0, V, (B, T))
    return np.where(np.arange(T) < rng(seed + 1).integers(1, T + 1, (B, 1)), labels, IGNORE_INDEX)


SENTENCE_NATS = Exercise(
    id="08.sentence-nats",
    title="The surprisal of a whole sentence",
    reference=sentence_nats,
    cases=(
        Case("one sentence of two tokens", (np.log(np.array([[[0.5, 0.5], [0.9, 0.1]]])), np.array([[0, 1]]))),
        Case("three sentences", (rng(1).normal(size=(3, 5, 7)), _labels_of(2, 3, 5, 7))),
        Case("logits of a thousand", (rng(3).normal(size=(2, 4, 6)) * 1000, _labels_of(4, 2, 4, 6))),
        Case("a sentence without labels", (rng(5).normal(size=(1, 3, 4)), np.full((1, 3), IGNORE_INDEX))),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "the mean, not the sum",
            "The chain rule multiplies probabilities, so surprisals add up. A mean is the surprisal per token.",
            _summed(lambda nats, asked: np.where(asked, nats, 0).sum(-1) / np.maximum(asked.sum(-1), 1)),
        ),
        Mistake(
            "places without a label count",
            "Where the label is -100 nothing was asked, and you add something. In NumPy -100 is an index from the end.",
            _summed(lambda nats, asked: nats.sum(-1)),
        ),
        Mistake(
            "the sign",
            "That is the log-probability, which is below zero. Surprisal is its negative.",
            _summed(lambda nats, asked: -np.where(asked, nats, 0).sum(-1)),
        ),
        Mistake(
            "one number for all sentences",
            "You add up all sentences. Each has a surprisal of its own.",
            _summed(lambda nats, asked: np.where(asked, nats, 0).sum()),
        ),
        Mistake(
            "logits taken for probabilities",
            "You add the logits at the labels. They become log-probabilities only by subtracting the log of the sum of "
            "their exponentials.",
            lambda logits, labels: (
                -np.where(
                    labels == IGNORE_INDEX,
                    0.0,
                    np.take_along_axis(logits, np.where(labels == IGNORE_INDEX, 0, labels)[..., None], -1)[..., 0],
                ).sum(-1)
            ),
        ),
        Mistake(
            "the probability of the sentence",
            "You multiply the probabilities. The product of many is soon too small for a computer: add their logs.",
            _summed(lambda nats, asked: np.exp(-np.where(asked, nats, 0).sum(-1))),
        ),
    ),
    hints=(
        "The chain rule: p(sentence) is the product of the probability of each token given those before it.",
        "The log of a product is a sum of logs, and each surprisal is the negative of one of them.",
        "Places with -100 add nothing; a stable log-softmax survives large logits.",
    ),
)


# 08.sides


def sides(ids, position, mask_id):
    place = np.arange(len(ids))
    return {
        "left": np.where(place >= position, mask_id, ids),
        "right": np.where((place <= position) & (place > 0), mask_id, ids),
        "both": np.where(place == position, mask_id, ids),
    }


def wrong_sides(left=None, right=None, both=None):
    """Wrong `sides`: left, right and both tell which places are hidden, (places, position) -> bool."""
    left = left or (lambda place, position: place >= position)
    right = right or (lambda place, position: (place <= position) & (place > 0))
    both = both or (lambda place, position: place == position)

    def sides_(ids, position, mask_id):
        place = np.arange(len(ids))
        return {
            name: np.where(hidden(place, position), mask_id, ids)
            for name, hidden in (("left", left), ("right", right), ("both", both))
        }

    return sides_


SIDES = Exercise(
    id="08.sides",
    title="One side, the other, both",
    reference=sides,
    cases=(
        Case("the middle word of three", (np.array([2, 11, 12, 13, 3]), 2, 4)),
        Case("the first word", (np.array([2, 11, 12, 13, 3, 0]), 1, 4)),
        Case("the last word", (np.array([2, 11, 12, 13, 3, 0]), 3, 4)),
        Case("BERT's ids", (np.array([101, 2054, 2003, 2009, 102]), 2, 103)),
    ),
    minutes=8,
    mistakes=(
        Mistake(
            "the word itself is still there",
            "One of your inputs shows the very word that is asked for. It must be hidden in all three.",
            wrong_sides(left=lambda place, position: place > position),
            variants=(
                wrong_sides(right=lambda place, position: (place < position) & (place > 0)),
                wrong_sides(
                    left=lambda place, position: place > position,
                    right=lambda place, position: (place < position) & (place > 0),
                ),
            ),
        ),
        Mistake(
            "left and right are exchanged",
            "In `left` you hide what stands to the left. The name says what can be seen.",
            wrong_sides(
                left=lambda place, position: (place <= position) & (place > 0),
                right=lambda place, position: place >= position,
            ),
        ),
        Mistake(
            "[CLS] is hidden",
            "In `right` you hide [CLS] as well. It opens every sentence and so gives nothing away, and a model has "
            "never seen one without it.",
            wrong_sides(right=lambda place, position: place <= position),
        ),
        Mistake(
            "the end of the sentence can still be seen",
            "In `left` the tokens after the last word are visible: where the sentence ends is news from the right.",
            wrong_sides(left=lambda place, position: (place >= position) & (place < place[-1])),
            variants=(wrong_sides(left=lambda place, position: (place >= position) & (place < place[-1] - 1)),),
        ),
        Mistake(
            "only the neighbors are hidden",
            "You hide the word and one neighbor. A side is everything up to the end of the sentence.",
            wrong_sides(
                left=lambda place, position: (place == position) | (place == position + 1),
                right=lambda place, position: ((place == position) | (place == position - 1)) & (place > 0),
            ),
        ),
        Mistake(
            "with both sides nothing is left",
            "In `both` everything is hidden but one word, or all: both sides are to be seen there.",
            wrong_sides(both=lambda place, position: place > 0),
            variants=(wrong_sides(both=lambda place, position: (place != position) & (place > 0)),),
        ),
    ),
    hints=(
        "Number the places 0, 1, 2 ... and compare them with `position`.",
        "`left` shows only what stands before the position; everything from it on is [MASK].",
        "`right` shows only what stands behind it, and [CLS] at place 0.",
    ),
)


# 08.value


def value(without, with_):
    saved = without - with_
    mean = saved.mean()
    margin = 1.96 * saved.std(ddof=1) / np.sqrt(len(saved))
    return mean, mean - margin, mean + margin


def interval(saved_of=lambda a, b: a - b, margin_of=lambda s: 1.96 * s.std(ddof=1) / np.sqrt(len(s))):
    """A wrong `value`."""

    def value_(without, with_):
        saved = saved_of(without, with_)
        return saved.mean(), saved.mean() - margin_of(saved), saved.mean() + margin_of(saved)

    return value_


def _unpaired(without, with_):
    mean = without.mean() - with_.mean()
    margin = 1.96 * np.sqrt(without.var(ddof=1) / len(without) + with_.var(ddof=1) / len(with_))
    return mean, mean - margin, mean + margin


VALUE = Exercise(
    id="08.value",
    title="What a context is worth",
    reference=value,
    cases=(
        Case("three words", (np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.0, 2.9]))),
        Case("two hundred words", (rng(1).gamma(2, 1, 200), rng(2).gamma(1, 1, 200))),
        Case("no difference", (rng(3).random(20), rng(3).random(20))),
        Case("a context that misleads", (rng(4).random(9), rng(4).random(9) + 0.3 * rng(5).random(9))),
    ),
    minutes=8,
    mistakes=(
        Mistake(
            "the wrong way round",
            "A context that helps has a positive value: how much less is paid with it?",
            interval(saved_of=lambda without, with_: with_ - without),
        ),
        Mistake(
            "two scatters instead of one",
            "Both numbers belong to the same word. Words differ a lot, and that difference is in both: subtract first.",
            _unpaired,
        ),
        Mistake(
            "the scatter of single words",
            "Your interval says where a single word lies. That of the mean shrinks with the root of how many words "
            "there are.",
            interval(margin_of=lambda s: 1.96 * s.std(ddof=1)),
        ),
        Mistake(
            "divided by n, not by n - 1",
            "The mean was taken from the same numbers, so they lie closer to it than to the true one. For the sample's "
            "standard deviation divide by n - 1.",
            interval(margin_of=lambda s: 1.96 * s.std() / np.sqrt(len(s))),
        ),
        Mistake(
            "one standard error",
            "One standard error on either side catches the mean 68 times in 100. For 95 it takes 1.96.",
            interval(margin_of=lambda s: s.std(ddof=1) / np.sqrt(len(s))),
        ),
        Mistake(
            "divided by n instead of its root",
            "The error of a mean shrinks with the root of the number of words.",
            interval(margin_of=lambda s: 1.96 * s.std(ddof=1) / len(s)),
        ),
    ),
    hints=(
        "For each word: what it costs without the context, minus what it costs with it.",
        "The value is the mean of these differences; its standard error is their standard deviation by root n.",
        "NumPy's std divides by n unless ddof says otherwise. The interval is 1.96 standard errors to either side.",
    ),
)


# 08.referent


def referent(prior, log_likelihoods):
    score = np.log(prior) + log_likelihoods.sum(axis=1)
    weights = np.exp(score - score.max())
    return weights / weights.sum()


def _weights(prior, log_likelihoods):
    score = np.log(prior) + log_likelihoods.sum(axis=1)
    return np.exp(score - score.max())


def _direct(prior, log_likelihoods):
    product = prior * np.exp(log_likelihoods.sum(axis=1))
    with np.errstate(invalid="ignore"):
        return product / product.sum()


REFERENT = Exercise(
    id="08.referent",
    title="Who is he?",
    reference=referent,
    cases=(
        Case("two persons, a clause of one word", (np.array([0.5, 0.5]), np.log(np.array([[0.1], [0.4]])))),
        Case("two persons, three words", (np.array([0.5, 0.5]), np.log(rng(1).uniform(0.01, 0.5, (2, 3))))),
        Case("one is mentioned more often", (np.array([0.8, 0.2]), np.log(np.array([[0.2, 0.3], [0.3, 0.4]])))),
        Case("three persons", (np.array([0.2, 0.5, 0.3]), np.log(rng(2).uniform(0.01, 0.5, (3, 4))))),
        Case("a long clause of rare words", (np.array([0.5, 0.5]), rng(3).normal(-20, 1, (2, 80)))),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "the prior is left out",
            "Right when both were equally likely before. Otherwise what was known before the clause is lost.",
            lambda prior, log_likelihoods: (
                _weights(np.ones_like(prior), log_likelihoods) / _weights(np.ones_like(prior), log_likelihoods).sum()
            ),
        ),
        Mistake(
            "not normalized",
            "Your numbers do not sum to one. Somebody is meant, so divide by their sum.",
            lambda prior, log_likelihoods: prior * np.exp(log_likelihoods.sum(axis=1)),
        ),
        Mistake(
            "the words are averaged",
            "Every word of the clause counts fully: independent pieces of evidence multiply, and their logs add.",
            lambda prior, log_likelihoods: (
                _weights(prior, log_likelihoods.mean(axis=1, keepdims=True))
                / _weights(prior, log_likelihoods.mean(axis=1, keepdims=True)).sum()
            ),
        ),
        Mistake(
            "probabilities are added",
            "You add the probabilities of the words. All of them were said, so their probabilities multiply.",
            lambda prior, log_likelihoods: (
                prior * np.exp(log_likelihoods).sum(axis=1) / (prior * np.exp(log_likelihoods).sum(axis=1)).sum()
            ),
        ),
        Mistake(
            "a long clause gives 0 / 0",
            "The product of eighty small probabilities is zero for a computer. Only differences of logs matter: take "
            "off the largest before you exponentiate.",
            _direct,
        ),
        Mistake(
            "the last word decides alone",
            "Only one word of the clause is used.",
            lambda prior, log_likelihoods: (
                _weights(prior, log_likelihoods[:, -1:]) / _weights(prior, log_likelihoods[:, -1:]).sum()
            ),
            variants=(
                lambda prior, log_likelihoods: (
                    _weights(prior, log_likelihoods[:, :1]) / _weights(prior, log_likelihoods[:, :1]).sum()
                ),
            ),
        ),
    ),
    hints=(
        "Bayes' rule: how likely each person was before, times how likely the clause is if that person is meant.",
        "In logs: log prior plus the sum of the words' log-probabilities. What turns such scores into probabilities?",
        "It is a softmax, and large negative scores need the same care as in chapter 01.",
    ),
)


# 08.flops


def training_flops(V, D, L, T, predicted):
    return 6 * 12 * L * D**2 + 12 * L * T * D + 6 * predicted * (D**2 + D * V)


def counted(pass_=6, weights=12, attention=lambda L, T, D: 12 * L * T * D, head=lambda m, V, D: m * (D**2 + D * V)):
    """A wrong `training_flops`."""
    return lambda V, D, L, T, predicted: pass_ * weights * L * D**2 + attention(L, T, D) + pass_ * head(predicted, V, D)


FLOPS = Exercise(
    id="08.flops",
    title="What a token costs",
    reference=training_flops,
    cases=(
        Case("a model of one number", (2, 1, 1, 1, 1.0)),
        Case("tiny, 15% predicted", (404, 64, 2, 17, 0.15)),
        Case("BERT-base", (30522, 768, 12, 128, 0.15)),
        Case("BERT-base, 512 tokens, everything predicted", (30522, 768, 12, 512, 1.0)),
        Case("nothing predicted", (1000, 32, 3, 64, 0.0)),
    ),
    minutes=12,
    mistakes=(
        Mistake(
            "forward only",
            "That is the cost of reading. Training goes back as well, and the way back costs twice the way forward: "
            "6 for each weight, not 2.",
            counted(pass_=2, attention=lambda L, T, D: 4 * L * T * D),
            variants=(counted(pass_=2),),
        ),
        Mistake(
            "the head at every position",
            "You count logits everywhere. Only a share of the tokens is predicted.",
            counted(head=lambda m, V, D: D**2 + D * V),
        ),
        Mistake(
            "attention costs nothing",
            "Your count does not grow with the sentence. The products of queries with keys and of weights with values "
            "have no weights of their own, but each token needs them with every other.",
            counted(attention=lambda L, T, D: 0),
        ),
        Mistake(
            "attention for the whole sentence",
            "The cost of a sentence has T squared in it; the cost of one token has T.",
            counted(attention=lambda L, T, D: 12 * L * T**2 * D),
        ),
        Mistake(
            "half of attention",
            "There are two products for each pair: of a query with a key, and of a weight with a value.",
            counted(attention=lambda L, T, D: 6 * L * T * D),
        ),
        Mistake(
            "the feed-forward part is missing",
            "A block has four D by D matrices in its attention, and two of D by 4 D behind it.",
            counted(weights=4),
            variants=(counted(weights=8),),
        ),
        Mistake(
            "the head's own layer is missing",
            "Before the decoder the head has a layer from D to D.",
            counted(head=lambda m, V, D: m * D * V),
        ),
    ),
    hints=(
        "A weight costs 2 operations forward (a product and a sum) and 4 backward, at every token that meets it.",
        "A block has 4 D^2 weights in attention and 8 D^2 in the feed-forward part. The head has D^2 + D V.",
        "Attention itself: 2 T D operations for the scores and 2 T D for the sums, in each block, three times in all.",
    ),
)


# 08.cost-to-reach


def cost_to_reach(costs, gaps, target):
    if gaps[0] <= target:
        return float(costs[0])
    for i in range(1, len(gaps)):
        if gaps[i] <= target:
            share = np.log(gaps[i - 1] / target) / np.log(gaps[i - 1] / gaps[i])
            return float(costs[i - 1] * (costs[i] / costs[i - 1]) ** share)
    return None


def reaching(between=None, first=True, never=lambda costs, gaps, target: None):
    """A wrong `cost_to_reach`: another way between two points, from another end, or another answer for never."""

    def on_logs(costs, gaps, i, target):
        share = np.log(gaps[i - 1] / target) / np.log(gaps[i - 1] / gaps[i])
        return float(costs[i - 1] * (costs[i] / costs[i - 1]) ** share)

    between = between or on_logs

    def cost(costs, gaps, target):
        if gaps[0] <= target and first:
            return float(costs[0])
        crossings = [i for i in range(1, len(gaps)) if gaps[i] <= target < gaps[i - 1]]
        if not crossings:
            return never(costs, gaps, target)
        return between(costs, gaps, crossings[0 if first else -1], target)

    return cost


COSTS = np.array([100.0, 200.0, 400.0, 800.0])
WOBBLY = np.array([1.0, 0.4, 0.6, 0.2])
COST = Exercise(
    id="08.cost-to-reach",
    title="What it takes to get there",
    reference=cost_to_reach,
    cases=(
        Case("between two points", (np.array([100.0, 400.0]), np.array([1.0, 0.25]), 0.5)),
        Case("at a point", (COSTS, np.array([1.0, 0.5, 0.25, 0.1]), 0.25)),
        Case("never", (COSTS, np.array([1.0, 0.5, 0.25, 0.1]), 0.05)),
        Case("from the start", (COSTS, np.array([0.4, 0.3, 0.2, 0.1]), 0.5)),
        Case("a curve that rises again", (COSTS, WOBBLY, 0.5)),
        Case("on a long way", (np.array([1e3, 1e4, 1e6]), np.array([2.0, 0.9, 0.03]), 0.1)),
    ),
    minutes=12,
    mistakes=(
        Mistake(
            "a straight line between the points",
            "Gaps shrink by factors, not by differences: on the logs of cost and gap a curve is nearly straight, and "
            "there you should interpolate.",
            reaching(
                lambda costs, gaps, i, target: float(
                    costs[i - 1] + (costs[i] - costs[i - 1]) * (gaps[i - 1] - target) / (gaps[i - 1] - gaps[i])
                )
            ),
        ),
        Mistake(
            "the first point below",
            "You answer with the first measured point below the target. The curve crossed it earlier.",
            reaching(lambda costs, gaps, i, target: float(costs[i])),
        ),
        Mistake(
            "the last crossing",
            "A curve may rise again; what is asked is when it first got there.",
            reaching(first=False, never=lambda costs, gaps, target: float(costs[0]) if gaps[0] <= target else None),
        ),
        Mistake(
            "an answer where there is none",
            "The curve never gets there. A run that stopped too early says nothing about what comes later: None.",
            reaching(never=lambda costs, gaps, target: float(costs[-1])),
            variants=(reaching(never=lambda costs, gaps, target: float("inf")),),
        ),
        Mistake(
            "only the gap on a log scale",
            "You interpolate the logs of the gaps, but the costs themselves. Both go by factors.",
            reaching(
                lambda costs, gaps, i, target: float(
                    costs[i - 1]
                    + (costs[i] - costs[i - 1]) * np.log(gaps[i - 1] / target) / np.log(gaps[i - 1] / gaps[i])
                )
            ),
        ),
    ),
    hints=(
        "Go along the curve to the first point that is at or below the target. The crossing lies just before it.",
        "What share of the way from one log gap to the next has to be gone? Go the same share between the log costs.",
        "Two special cases: the first point is below already, and no point is.",
    ),
)


# 08.fit-quadratic


def fit_quadratic(lengths, seconds):
    columns = np.stack([lengths, lengths**2], axis=1) / seconds[:, None]
    (a, b), *_ = np.linalg.lstsq(columns, np.ones(len(lengths)), rcond=None)
    return a, b, a / b


def fitted(weights, columns=lambda n: [n, n**2], ratio=lambda a, b: a / b):
    """A wrong `fit_quadratic`: other weights, columns or ratio."""

    def fit(lengths, seconds):
        w = weights(lengths, seconds)
        table = np.stack(columns(lengths), axis=1) * w[:, None]
        solution, *_ = np.linalg.lstsq(table, seconds * w, rcond=None)
        a, b = solution[-2:]
        return a, b, ratio(a, b)

    return fit


def measured_times(seed, a, b, noise):
    n = 2.0 ** np.arange(6, 12)
    return n, (a * n + b * n**2) * np.exp(rng(seed).normal(0, noise, len(n)))


FIT = Exercise(
    id="08.fit-quadratic",
    title="A line and a square",
    reference=fit_quadratic,
    cases=(
        Case("without noise", measured_times(1, 1e-5, 2e-8, 0.0)),
        Case("with some noise", measured_times(2, 3e-6, 1e-8, 0.1)),
        Case("nearly a line", measured_times(3, 1e-5, 1e-9, 0.05)),
        Case("nearly a square", measured_times(4, 1e-7, 1e-8, 0.05)),
    ),
    minutes=12,
    rtol=1e-6,
    mistakes=(
        Mistake(
            "the longest run decides everything",
            "Least squares of seconds: the longest times have the largest errors and drown the others. An error of a "
            "tenth should count the same everywhere: divide each line by its time.",
            fitted(lambda n, t: np.ones_like(t)),
        ),
        Mistake(
            "an intercept",
            "You fit a constant as well, which takes part of the linear term with it. The model here has two terms.",
            fitted(lambda n, t: 1 / t, columns=lambda n: [np.ones_like(n), n, n**2]),
            variants=(fitted(lambda n, t: np.ones_like(t), columns=lambda n: [np.ones_like(n), n, n**2]),),
        ),
        Mistake(
            "the ratio upside down",
            "At which n is a n equal to b n squared?",
            fitted(lambda n, t: 1 / t, ratio=lambda a, b: b / a),
        ),
        Mistake(
            "the root of the ratio",
            "a n = b n^2 has one n on either side that cancels.",
            fitted(lambda n, t: 1 / t, ratio=lambda a, b: np.sqrt(a / b)),
        ),
        Mistake(
            "weighted by the time",
            "You multiply each line by its time, so that the longest counts even more. Divide.",
            fitted(lambda n, t: t),
        ),
        Mistake(
            "divided by n, not by the time",
            "Dividing by n makes relative errors count alike only where time is proportional to n. Divide by the time.",
            fitted(lambda n, t: 1 / n),
        ),
    ),
    hints=(
        "Two unknowns, a and b, and as many equations a n + b n^2 = t as there are measurements: least squares.",
        "To let relative errors count, divide each equation by its t; the right side is then 1.",
        "np.linalg.lstsq takes a table with a column for n / t and one for n^2 / t. The terms are equal at a / b.",
    ),
)


# 08.pseudo-log-likelihood


def pseudo_log_likelihood(ids, special_ids, mask_id, log_p):
    total = 0.0
    for position, token in enumerate(ids):
        if token not in special_ids:
            seen = ids.copy()
            seen[position] = mask_id
            total += log_p(seen, position)[token]
    return float(total)


def a_model(seed, V=12):
    """log p of the token at a position: it depends on all visible tokens, and is never told the hidden one."""
    table, where = rng(seed).normal(size=(V, V)), rng(seed + 1).normal(size=(20, V))

    def log_p(ids, position):
        z = table[ids].sum(axis=0) + where[position]
        return z - np.log(np.exp(z).sum())

    return log_p


def scored(seen_of, counts=lambda token, special_ids: token not in special_ids, finish=lambda total, n: total):
    """A wrong `pseudo_log_likelihood`."""

    def pll(ids, special_ids, mask_id, log_p):
        places = [t for t, token in enumerate(ids) if counts(token, special_ids)]
        total = sum(log_p(seen_of(ids, t, mask_id, places), t)[ids[t]] for t in places)
        return float(finish(total, max(len(places), 1)))

    return pll


def hide(ids, places, mask_id):
    seen = ids.copy()
    seen[places] = mask_id
    return seen


def _one(ids, t, mask_id, places):
    return hide(ids, [t], mask_id)


PLL_SPECIAL = [0, 1, 2, 3, 4]
PLL = Exercise(
    id="08.pseudo-log-likelihood",
    title="A sentence, one blank at a time",
    reference=pseudo_log_likelihood,
    cases=(
        Case("one word", (np.array([2, 7, 3]), PLL_SPECIAL, 4, a_model(1))),
        Case("four words", (np.array([2, 7, 8, 9, 10, 3]), PLL_SPECIAL, 4, a_model(2))),
        Case("a word that comes twice", (np.array([2, 7, 8, 7, 3, 0, 0]), PLL_SPECIAL, 4, a_model(3))),
        Case("no word", (np.array([2, 3]), PLL_SPECIAL, 4, a_model(4))),
    ),
    minutes=10,
    mistakes=(
        Mistake(
            "nothing is hidden",
            "The model sees the word it is asked about.",
            scored(lambda ids, t, mask_id, places: ids.copy()),
        ),
        Mistake(
            "everything is hidden at once",
            "Each word is to be guessed with all others visible. One pass with all of them hidden is another question.",
            scored(lambda ids, t, mask_id, places: hide(ids, places, mask_id)),
        ),
        Mistake(
            "hidden words stay hidden",
            "From one word to the next more and more is hidden: the sentence has to be whole again before the next one "
            "is hidden.",
            scored(lambda ids, t, mask_id, places: hide(ids, [p for p in places if p <= t], mask_id)),
            variants=(scored(lambda ids, t, mask_id, places: hide(ids, [p for p in places if p >= t], mask_id)),),
        ),
        Mistake(
            "special tokens are asked too",
            "[CLS] and [SEP] are no words, and cost next to nothing or very much.",
            scored(_one, counts=lambda token, special_ids: True),
        ),
        Mistake(
            "the mean",
            "That is the score per word. The sum is asked for.",
            scored(_one, finish=lambda total, n: total / n),
        ),
        Mistake(
            "the sign",
            "A log-probability is below zero; you have turned it into a surprisal.",
            scored(_one, finish=lambda total, n: -total),
        ),
        Mistake(
            "all copies of the word are hidden",
            "Where a word comes twice you hide both. Hide the place, not the word.",
            scored(lambda ids, t, mask_id, places: np.where(ids == ids[t], mask_id, ids)),
        ),
    ),
    hints=(
        "A loop over the places; special tokens are passed over.",
        "In each round a fresh copy of the sentence, with [MASK] at one place.",
        "log_p(seen, position) gives a row for all tokens: which of them was there?",
    ),
)

EXERCISES = (CAUSAL_LABELS, SENTENCE_NATS, SIDES, VALUE, REFERENT, FLOPS, COST, FIT, PLL)
