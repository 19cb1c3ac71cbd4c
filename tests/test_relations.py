"""Relations between a learner's answers and the right ones: each is found, and not claimed where it does not hold."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm_mini.course.relations import Pair, relation
from mlm_mini.course.relations.numbers import NAMED_FACTORS

RTOL, ATOL = 1e-8, 1e-10
RNG = np.random.default_rng(0)


def numbers(*shapes):
    return [RNG.normal(size=shape) for shape in shapes]


def shares(*shapes):
    """Rows that sum to one."""
    return [array / array.sum(-1, keepdims=True) for array in (RNG.random(shape) + 0.05 for shape in shapes)]


def put(array, places, value):
    """A copy with `value` at the places."""
    array = np.array(array)
    array[places] = value
    return array


def shifted(array):
    return np.concatenate([[7.5], array[:-1]])


ONE_AXIS = numbers(4, 5, 3)
TABLES = numbers((3, 4), (2, 3), (4, 4))
DEEP = numbers((2, 3, 4), (2, 2, 3), (3, 3, 2))
POSITIVE = [np.exp(array) for array in ONE_AXIS]
SINGLE = [0.5, 1.75, 2.25]
ROWS_OF_SHARES = shares((3, 4), (2, 3), (4, 4))
WHOLE = [np.array([3, 1, 4]), np.array([15, 9, 2, 6]), np.array([5, 35, 8])]
SELECTIONS = [
    np.array([[True, False, False], [False, True, True]]),
    np.array([[False, True, True, False]]),
    np.array([[True, True, False, True], [False, False, True, False]]),
]
EXCLUDED = [np.array([1.0, -np.inf, 0.5]), np.array([2.0, 0.25, -np.inf, 3.0]), np.array([-np.inf, -1.0])]
LABELS = [np.array([-100, 4, -100]), np.array([7, 9, -100, -100]), np.array([-100, 2, 5])]
SENTENCES = [["the", "chef", "cuts"], ["birds", "sing", "Loud", "songs"], ["A", "cat", "sat"]]
TEXTS = ["The chef", "birds Sing", "a Cat sat"]
NESTED = [[["a", "b"], ["c", "d"]], [["e", "f"], ["g"], ["h", "i"]], [["j", "k"], ["l", "m"]]]
COUNTS = [{"the": 0.5, "cat": 0.25, "sat": 0.25}, {"birds": 0.75, "sing": 0.25}, {"a": 0.125, "b": 0.875}]
TWO_PARTS = list(zip(ONE_AXIS, SINGLE, strict=True))
THREE_PARTS = list(zip(SINGLE, ONE_AXIS, WHOLE, strict=True))
NAMED_PARTS = [{"surprisal": array, "entropy": number} for array, number in TWO_PARTS]
ITEMS = [[(words[:place], word) for place, word in enumerate(words)] for words in SENTENCES]


@dataclass(frozen=True)
class Row:
    """A relation: what it is called here, words of its sentence, the right answers, and what the learner makes of them.

    `yours` takes the right answer, and the arguments where it names them. `given` are arguments, input by input.
    """

    name: str
    words: str
    expected: list
    yours: object
    given: list = field(default_factory=lambda: [{}, {}, {}])

    def pairs(self):
        return [
            Pair(f"input {place}", tuple(given.values()), {}, self.yours(right, **given), right, tuple(given))
            for place, (right, given) in enumerate(zip(self.expected, self.given, strict=True))
        ]


def rows_given(**named):
    """Arguments by name, as lists, input by input."""
    return [dict(zip(named, values, strict=True)) for values in zip(*named.values(), strict=True)]


LOGITS = rows_given(logits=numbers((3, 4), (2, 4), (5, 4)))
WIDE = rows_given(logits=numbers((3, 4), (3, 2), (3, 7)))
GIVEN_LABELS = rows_given(
    labels=[np.array([-100, 4, -100, 1]), np.array([7, -100, 3, 1]), np.array([1, -100, -100, -100])]
)
GIVEN_ROWS = rows_given(
    labels=[
        np.array([[-100, 4, 7], [1, 2, 9]]),
        np.array([[3, -100, -100], [1, 2, 6]]),
        np.array([[1, 2, 8], [-100, 5, -100]]),
    ]
)
GIVEN_MASKS = rows_given(mask=[np.array([True, False, True]), np.array([True] * 3), np.array([False, False, True])])
GIVEN_NUMBERS = rows_given(tau=[0.5, 2.0, 3.0])
GIVEN_WEIGHTS = rows_given(weights=[np.array([0.5, 0.25]), np.array([1.0, 2.0]), np.array([0.125, 0.75])])
BOTH_COUNTS = rows_given(
    labels=[np.array([-100, 4, -100, 1, 3]), np.array([7, -100, 3, 1]), np.array([1, -100, 2, -100, 5, 6, 8])]
)


def n_labels(labels):
    return (labels != -100).sum()


def spread(labels):
    """Different shares of 1 for the labels, and 0 where there is none."""
    weights = np.where(labels != -100, 1.0 + np.arange(labels.size), 0)
    return weights / weights.sum()


# fmt: off
FORM = [
    Row("a list for an array", "type is off: list of 4", ONE_AXIS, np.ndarray.tolist),
    Row("an array for a list", "where list of 3", [array.tolist() for array in TABLES], np.array),
    Row("floats for whole numbers", "float64 where int64", WHOLE, lambda e: e * 1.0),
    Row("whole numbers for true and false", "The values are right, but their type is off: int64", SELECTIONS,
        lambda e: e * 1),
    Row("float32", "float32", ONE_AXIS, lambda e: e.astype(np.float32)),
    Row("an axis too many", "(3, 1) where (3,)", numbers(3, 4, 5), lambda e: e[:, None]),
    Row("an axis lost", "(3,) where (3, 1)", numbers((3, 1), (4, 1), (1, 2)), np.squeeze),
    Row("flattened", "(12,) where (3, 4)", TABLES, np.ravel),
    Row("one number in an array", "(1,) where a single number", SINGLE, lambda e: np.array([e])),
    Row("repeated", "repeated: (2, 4) where (4,)", ONE_AXIS, lambda e: np.stack([e, e])),
    Row("repeated along a new axis", "repeated: (4, 3) where (4,)", ONE_AXIS, lambda e: np.stack([e] * 3, -1)),
    Row("words in an array", "The words are right", SENTENCES, np.array),
]
PARTS = [
    Row("swapped", "The first part and the second part of your answer are swapped", TWO_PARTS,
        lambda e: (e[1], e[0])),
    Row("swapped in a dict", "'surprisal' and the part 'entropy' of your answer are swapped", NAMED_PARTS,
        lambda e: {"surprisal": e["entropy"], "entropy": e["surprisal"]}),
    Row("in another order", "parts of your answer are right, but in another order", THREE_PARTS,
        lambda e: (e[1], e[2], e[0])),
    Row("one part alone", "only the second of the two parts", TWO_PARTS, lambda e: e[1]),
    Row("one too many", "only your first is asked for", SINGLE, lambda e: (e, -e)),
    Row("two too many", "the first two are right, and no more", TWO_PARTS, lambda e: (*e, 0, 1)),
    Row("a part left out", "the first is missing in yours", THREE_PARTS, lambda e: e[1:]),
    Row("one part twice", "Your second part is what the first part should be", [(1.5, 2.5), (3.5, 0.5), (0.25, 2.0)],
        lambda e: (e[0], e[0])),
    Row("one part off", "the first is right on every input; only the second is off", TWO_PARTS,
        lambda e: (e[0], np.cos(e[0]).sum())),
    Row("one part off by a factor", "Your second part is 3 times", TWO_PARTS, lambda e: (e[0], 3 * e[1])),
    Row("one key off by a factor", "Your part 'entropy' is 3 times", NAMED_PARTS,
        lambda e: e | {"entropy": 3 * e["entropy"]}),
    Row("one key off", "only 'entropy' is off", NAMED_PARTS, lambda e: e | {"entropy": np.cos(e["surprisal"]).sum()}),
    Row("each part off alike", "Of each part: your answer has the sign flipped", TWO_PARTS, lambda e: (-e[0], -e[1])),
    Row("two of three off alike", "Of each other part: your answer has the sign flipped", THREE_PARTS,
        lambda e: (-e[0], -e[1], e[2])),
    Row("two of three off", "The others are off", THREE_PARTS,
        lambda e: (np.cos(e[1]).sum(), np.tan(e[1]) * e[0], e[2])),
    Row("one of four off", "Of your four parts all but 'entropy' are right on every input; only 'entropy' is off",
        [{"a": 1.5, "b": array, "c": 0.0, "entropy": n} for array, n in TWO_PARTS],
        lambda e: e | {"entropy": np.cos(e["b"]).sum()}),
    Row("a part of another type", "Of the second part: the numbers are right", TWO_PARTS,
        lambda e: (e[0], np.array([e[1]]))),
    Row("a part of each item off",
        "Of the two parts of each item the second is right on every input; only the first is off", ITEMS,
        lambda e: [(words[:1], word) for words, word in e]),
]
SPECIAL = [
    Row("an argument", "You return `logits` unchanged", TABLES, lambda e, logits: logits,
        rows_given(logits=numbers((3, 4), 5, 2))),
    Row("the same always", "the same on every input", TABLES, lambda e: np.arange(3.0)),
    Row("zero", "Your answer is 0 everywhere", TABLES, np.zeros_like),
    Row("zero up to rounding", "Your answer is 0 everywhere", TABLES, lambda e: e - (e + 1e-17)),
    Row("NaN", "Your answer is NaN everywhere", TABLES, lambda e: e * np.nan),
    Row("true", "Your answer is True everywhere", SELECTIONS, np.ones_like),
    Row("all alike", "All numbers of your answer are equal", TABLES, lambda e: np.full_like(e, np.cos(e).sum())),
]
NUMBERS = [
    Row("sign", "sign flipped", TABLES, np.negative),
    Row("bits", "in bits", TABLES, lambda e: e / np.log(2)),
    Row("nats for bits", "ln 2 = 0.693147 times", TABLES, lambda e: e * np.log(2)),
    Row("base 10", "base 10", TABLES, lambda e: e / np.log(10)),
    Row("half", "Your answer is 0.5 times the right one", TABLES, lambda e: e / 2),
    Row("ten", "Your answer is 10 times the right one", SINGLE, lambda e: 10 * e),
    Row("plus", "the right one plus 0.25", TABLES, lambda e: e + 0.25),
    Row("minus", "the right one minus 0.25", TABLES, lambda e: e - 0.25),
    Row("one too large", "one too large", WHOLE, lambda e: e + 1),
    Row("one too small", "one too small", WHOLE, lambda e: e - 1),
    Row("complement", "1 minus the right one", ROWS_OF_SHARES, lambda e: 1 - e),
    Row("reciprocal", "the reciprocal of the right one", POSITIVE, lambda e: 1 / e),
    Row("square", "the square of the right one", TABLES, np.square),
    Row("root", "the square root of the right one", POSITIVE, np.sqrt),
    Row("logarithm", "Your answer is the logarithm of the right one", POSITIVE, np.log),
    Row("minus logarithm", "minus the logarithm of the right one", POSITIVE, lambda e: -np.log(e)),
    Row("exponential", "Your answer is the exponential of the right one", TABLES, np.exp),
    Row("exponential of minus", "the exponential of minus the right one", TABLES, lambda e: np.exp(-e)),
    Row("base 2", "logarithm to base 2", POSITIVE, np.log2),
    Row("power of 2", "2 to the power of", TABLES, np.exp2),
    Row("absolute", "Your answer is the absolute value of the right one", TABLES, np.abs),
    Row("not absolute", "The right answer is the absolute value of your answer", POSITIVE,
        lambda e: e * (-1) ** np.arange(len(e))),
    Row("no negatives", "0 in place of what is negative", TABLES, lambda e: np.maximum(e, 0)),
    Row("no positives", "0 in place of what is positive", TABLES, lambda e: np.minimum(e, 0)),
    Row("not above 1", "1 in place of what is larger", POSITIVE, lambda e: np.minimum(e, 1)),
    Row("not cut off", "The right answer is your answer with 0 in place of what is negative",
        [np.maximum(array, 0) for array in TABLES],
        lambda e: np.where(e == 0, -np.arange(e.size).reshape(e.shape) - 0.5, e)),
    Row("rounded", "the right one rounded to 2 decimals", TABLES, lambda e: np.round(e, 2)),
    Row("rounded to whole numbers", "rounded to whole numbers", [9 * array for array in TABLES], np.round),
    Row("cut to whole numbers", "cut down to a whole number", [9 * array for array in TABLES], np.trunc),
    Row("rounded down", "rounded down", [9 * array for array in TABLES], np.floor),
    Row("rounded up", "rounded up", [9 * array for array in TABLES], np.ceil),
]
COUNTED = [
    Row("rows", "n times the right one, n being the number of rows of `logits`: a sum where a mean", SINGLE,
        lambda e, logits: e * len(logits), LOGITS),
    Row("divided by the last axis", "divided by n, n being the length of the last axis of `logits`", ONE_AXIS,
        lambda e, logits: e / logits.shape[-1], WIDE),
    Row("entries", "the number of entries of `logits`", ONE_AXIS, lambda e, logits: e * logits.size, LOGITS),
    Row("labels", "the number of entries of `labels` that are not -100", SINGLE,
        lambda e, labels: e * n_labels(labels), GIVEN_LABELS),
    Row("labels of each row", "that are not -100 in each row", numbers((2, 3), (2, 4), (2, 2)),
        lambda e, labels: e * (labels != -100).sum(-1)[:, None], GIVEN_ROWS),
    Row("true", "the number of True in `mask`", SINGLE, lambda e, mask: e / mask.sum(), GIVEN_MASKS),
    Row("weights", "the sum of `weights`", SINGLE, lambda e, weights: e * weights.sum(), GIVEN_WEIGHTS),
    Row("the answer's own axis", "the last axis of the answer", ONE_AXIS, lambda e: e * len(e)),
    Row("Bessel", "n / (n - 1) times the right one, n being the number of rows of `logits`: n - 1 against n (Bessel)",
        SINGLE, lambda e, logits: e * len(logits) / (len(logits) - 1), LOGITS),
    Row("Bessel, turned", "(n - 1) / n", SINGLE, lambda e, logits: e * (len(logits) - 1) / len(logits), LOGITS),
    Row("root of n", "times the square root of n", SINGLE, lambda e, logits: e * len(logits) ** 0.5, LOGITS),
    Row("divided by a root", "divided by the square root of n", SINGLE, lambda e, logits: e / len(logits) ** 0.5,
        LOGITS),
    Row("root of Bessel's", "times the square root of n / (n - 1)", SINGLE,
        lambda e, logits: e * (len(logits) / (len(logits) - 1)) ** 0.5, LOGITS),
    Row("root of Bessel's, turned", "times the square root of (n - 1) / n", SINGLE,
        lambda e, logits: e * ((len(logits) - 1) / len(logits)) ** 0.5, LOGITS),
    Row("times an argument", "Your answer is `tau` times the right one", TABLES, lambda e, tau: e * tau,
        GIVEN_NUMBERS),
    Row("divided by an argument", "the right one divided by `tau`", TABLES, lambda e, tau: e / tau, GIVEN_NUMBERS),
    Row("squared", "times the square of `tau`", TABLES, lambda e, tau: e * tau**2, GIVEN_NUMBERS),
    Row("divided by a square", "divided by the square of `tau`", TABLES, lambda e, tau: e / tau**2, GIVEN_NUMBERS),
    Row("plus an argument", "the right one plus `tau`", TABLES, lambda e, tau: e + tau, GIVEN_NUMBERS),
    Row("minus an argument", "the right one minus `tau`", TABLES, lambda e, tau: e - tau, GIVEN_NUMBERS),
    Row("plus a logarithm", "plus the logarithm of n", ONE_AXIS, lambda e, logits: e + np.log(len(logits)), LOGITS),
    Row("minus a logarithm", "minus the logarithm of n", ONE_AXIS, lambda e, logits: e - np.log(len(logits)), LOGITS),
    Row("a share", "k / n times the right one, k being the number of entries of `labels` that are not -100, and n",
        SINGLE, lambda e, labels: e * n_labels(labels) / labels.size, BOTH_COUNTS),
]
ORDER = [
    Row("transposed", "the right one transposed", numbers((3, 3), (2, 2), (4, 4)), np.transpose),
    Row("transposed, in shape too", "the right one transposed", TABLES, np.transpose),
    Row("last two axes", "its last two axes swapped", DEEP, lambda e: e.swapaxes(-1, -2)),
    Row("first two axes", "its first two axes swapped", DEEP, lambda e: e.swapaxes(0, 1)),
    Row("second and third axes", "second and third axes swapped",
        numbers((2, 3, 4, 2), (1, 2, 3, 3)) + numbers((2, 2, 2, 4)), lambda e: e.swapaxes(1, 2)),
    Row("transposed selections", "the right one transposed", [np.tri(n, dtype=bool) for n in (3, 4, 5)],
        np.transpose),
    Row("reversed", "Your answer is the right one reversed.", ONE_AXIS, lambda e: e[::-1]),
    Row("reversed rows", "reversed, along its first axis", TABLES, lambda e: e[::-1]),
    Row("rolled on", "moved on by one place, along its last axis", TABLES, lambda e: np.roll(e, 1, -1)),
    Row("rolled back", "moved back by one place", ONE_AXIS, lambda e: np.roll(e, -1)),
    Row("shifted on", "Your answer is the right one moved on by one place", ONE_AXIS, shifted),
    Row("shifted back", "moved back by one place", ONE_AXIS, lambda e: np.append(e[1:], 0.125)),
    Row("cumulative", "the right one summed up step by step", ONE_AXIS, np.cumsum),
    Row("differences", "The right answer is yours summed up step by step", ONE_AXIS, lambda e: np.diff(e, prepend=0)),
    Row("sorted", "Your answer is the right one sorted.", numbers(4, 5, 6), np.sort),
    Row("sorted down", "sorted, the largest first", numbers(4, 5, 6), lambda e: np.sort(e)[::-1]),
    Row("not sorted", "The right answer is yours sorted", [np.sort(array) for array in numbers(6, 5, 7)],
        lambda e: np.concatenate([e[1::2][::-1], e[::2]])),
    Row("cut off in front", "without its first entry", ONE_AXIS, lambda e: e[1:]),
    Row("cut off behind", "without its last entry", TABLES, lambda e: e[:, :-1]),
    Row("one more in front", "The right answer is yours without its first entry", ONE_AXIS,
        lambda e: np.append(9.5, e)),
    Row("one more behind", "The right answer is yours without its last entry", ONE_AXIS, lambda e: np.append(e, 9.5)),
    Row("rows mixed up", "rows of your answer are the right ones, in another order", numbers((4, 3), (5, 2), (6, 3)),
        lambda e: e[np.argsort(np.cos(np.arange(len(e)) * 2.0))]),
    Row("mixed up in each row", "Each row of your answer holds the right numbers", numbers((2, 5), (3, 6), (2, 7)),
        lambda e: np.concatenate([e[:, 1::2], e[:, ::2]], 1)),
    Row("mixed up", "holds the right numbers, in another order", numbers((2, 5), (3, 4), (3, 3)),
        lambda e: e.T.reshape(e.shape)),
]
SUMS = [
    Row("not yet summed", "a number for every entry; the sum of all of them", SINGLE, lambda e, a: a * e / a.sum(),
        rows_given(a=shares(3, 4, 5))),
    Row("not yet averaged", "the mean along its last axis", ONE_AXIS,
        lambda e, noise: e[:, None] + noise - noise.mean(-1, keepdims=True),
        rows_given(noise=numbers((4, 3), (5, 3), (3, 2)))),
    Row("summed", "Your answer is the sum of the right one along its first axis", TABLES, lambda e: e.sum(0)),
    Row("averaged", "the mean of all that the right one holds", TABLES, np.mean),
    Row("the largest", "only the largest of the right one along its last axis", TABLES, lambda e: e.max(-1)),
    Row("the first", "only the first of the right one along its last axis", TABLES, lambda e: e[:, 0]),
    Row("the last of yours", "the last along its last axis is the right answer", ONE_AXIS,
        lambda e: np.stack([np.cos(e), np.tan(e), e], -1)),
    Row("diagonal", "The right answer is the diagonal of yours", ONE_AXIS,
        lambda e: np.cos(np.add.outer(e, 2 * e)) * (1 - np.eye(len(e))) + np.diag(e)),
    Row("diagonal alone", "only the diagonal of the right one", numbers((3, 3), (4, 4), (2, 2)), np.diagonal),
    Row("not yet summed and divided", "their sum divided by the number of entries of `labels` that are not -100",
        SINGLE, lambda e, labels: e * spread(labels) * n_labels(labels), GIVEN_LABELS),
]
ROWS = [
    Row("the other axis", "sum to one along its first axis; they should along the last axis", ROWS_OF_SHARES,
        lambda e: e / e.sum(0)),
    Row("all together", "sum to one all together", ROWS_OF_SHARES, lambda e: e**2 / (e**2).sum()),
    Row("a factor for each input", "Your answer is right up to a factor, another one for each input", TABLES,
        lambda e: e * np.cos(e).sum()),
    Row("a factor for each row", "Each row of your answer is right up to a factor", TABLES,
        lambda e: e * np.cos(e).sum(-1, keepdims=True)),
    Row("a factor for each column", "Each column of your answer is right up to a factor", TABLES,
        lambda e: e * np.cos(e).sum(0)),
    Row("a constant for each input", "up to a number added to all of it, another one for each input", TABLES,
        lambda e: e + np.cos(e).sum()),
    Row("a constant for each row", "Each row of your answer is right up to a number added", TABLES,
        lambda e: e + np.cos(e).sum(-1, keepdims=True)),
    Row("a constant for each column", "Each column of your answer is right up to a number added", TABLES,
        lambda e: e + np.cos(e).sum(0)),
]
PLACES = [
    Row("NaN in places", "Wherever your answer is a number it is right; elsewhere it is NaN", ONE_AXIS,
        lambda e: put(e, slice(1, 3), np.nan)),
    Row("inf in places", "elsewhere it is inf", ONE_AXIS, lambda e: put(e, slice(1, 3), np.inf)),
    Row("one value for another", "Wherever -inf is expected you have -1e+09; all else is right", EXCLUDED,
        lambda e: np.maximum(e, -1e9)),
    Row("one label for another", "Wherever -100 is expected you have 0", LABELS, lambda e: np.where(e == -100, 0, e)),
    Row("one value in places", "Your answer is right except where it is 9", ONE_AXIS, lambda e: put(e, [0, 2], 9)),
    Row("where one value is expected", "Your answer is right except where -inf is expected", EXCLUDED,
        lambda e: np.where(np.isinf(e), np.arange(len(e)) + 0.5, e)),
    Row("where an argument is False", "Your answer is right except where `mask` is False",
        numbers((3, 2), (3, 3), (3, 4)), lambda e, mask: np.where(mask[:, None], e, np.cos(e)), GIVEN_MASKS),
    Row("where a label is missing", "Your answer is right except where `labels` is -100", numbers(4, 4, 4),
        lambda e, labels: np.where(labels == -100, np.cos(e), e), GIVEN_LABELS),
    Row("on the diagonal", "Your answer is right except on the diagonal", numbers((3, 3), (4, 4), (5, 5)),
        lambda e: np.where(np.eye(len(e)) == 1, np.cos(e), e)),
    Row("off the diagonal", "Your answer is right except off the diagonal", numbers((3, 3), (4, 4), (2, 2)),
        lambda e: np.where(np.eye(len(e)) == 1, e, np.cos(e))),
    Row("above the diagonal", "Your answer is right except above the diagonal", numbers((3, 3), (4, 4), (2, 2)),
        lambda e: np.where(np.tri(len(e)) == 1, e, np.cos(e))),
    Row("below the diagonal", "Your answer is right except below the diagonal", numbers((3, 3), (4, 4), (2, 2)),
        lambda e: np.where(np.tri(len(e)).T == 1, e, np.cos(e))),
    Row("the first", "Your answer is right except for the first entry.", ONE_AXIS, lambda e: put(e, 0, np.cos(e[0]))),
    Row("the last column", "except for the last entry along the last axis", TABLES,
        lambda e: put(e, np.s_[:, -1], np.cos(e[:, -1]))),
]
TRUE_AND_FALSE = [
    Row("opposite", "True where False is expected", SELECTIONS, np.logical_not),
    Row("more", "True wherever it should be, and in other places too", SELECTIONS,
        lambda e: put(e, (0, 1), True) | put(e, (0, 0), True)),
    Row("less", "in some of the places where it should be, and nowhere else", SELECTIONS,
        lambda e: e & (np.arange(e.shape[1]) == 1)),
]
WORDS = [
    Row("reversed list", "the right one reversed", SENTENCES, lambda e: e[::-1]),
    Row("sorted list", "the right one sorted", SENTENCES, sorted),
    Row("no repetitions", "without its repetitions", [["a", "b", "a"], ["c", "c", "d", "e"], ["f", "g", "f", "g"]],
        lambda e: list(dict.fromkeys(e))),
    Row("no first item", "without its first item", SENTENCES, lambda e: e[1:]),
    Row("no last item", "without its last item", SENTENCES, lambda e: e[:-1]),
    Row("neither end", "without its first and last items", SENTENCES, lambda e: e[1:-1]),
    Row("last put first", "with the last item put first", SENTENCES, lambda e: e[-1:] + e[:-1]),
    Row("first put last", "with the first item put last", SENTENCES, lambda e: e[1:] + e[:1]),
    Row("flattened list", "inner lists joined into one", NESTED, lambda e: [inner for item in e for inner in item]),
    Row("inner lists reversed", "with each inner list reversed", NESTED, lambda e: [item[::-1] for item in e]),
    Row("joined", "joined into one text", SENTENCES, " ".join),
    Row("joined without spaces", "joined into one text without spaces", SENTENCES, "".join),
    Row("letters", "split into single letters", SENTENCES, lambda e: list("".join(e))),
    Row("other order", "holds the right items, in another order", [list("abcd"), list("efgh"), list("ijkl")],
        lambda e: [e[2], e[0], e[3], e[1]]),
    Row("a prefix", "is the beginning of the right list", [list("abcde"), list("fghij"), list("klmno")],
        lambda e: e[:2]),
    Row("a suffix", "is the end of the right list", [list("abcde"), list("fghij"), list("klmno")], lambda e: e[-2:]),
    Row("more behind", "begins with the right list, and more items follow", SENTENCES, lambda e: [*e, "x", "y"]),
    Row("more in front", "ends with the right list", SENTENCES, lambda e: ["x", *e]),
    Row("more inside", "holds all of the right items, and others", SENTENCES, lambda e: [e[0], "x", *e[1:], "y"]),
    Row("less inside", "lacks some of the right items", [list("abcde"), list("fghij"), list("klmno")],
        lambda e: [e[3], e[1]]),
    Row("one item for another", "Wherever None is expected you have '-'",
        [["a", None, "b"], [None, "c"], ["d", None, "e"]], lambda e: ["-" if item is None else item for item in e]),
    Row("numbers in a longer list", "begins with the right list", [[1, 2, 3], [4, 5], [6, 7, 8]],
        lambda e: [*e, 0, 0]),
    Row("lower case", "in lower case", TEXTS, str.lower),
    Row("upper case", "in upper case", TEXTS, str.upper),
    Row("not lower case", "The right answer is yours in lower case", [text.lower() for text in TEXTS], str.title),
    Row("stripped", "without the spaces around it", [f" {text} " for text in TEXTS], str.strip),
    Row("not stripped", "The right answer is yours without the spaces around it", TEXTS, lambda e: e + " "),
    Row("no spaces", "without any spaces", TEXTS, lambda e: e.replace(" ", "")),
    Row("backwards", "read backwards", TEXTS, lambda e: e[::-1]),
    Row("lower case words", "in lower case", [["The", "chef"], ["Birds", "sing"], ["A", "Cat"]],
        lambda e: [word.lower() for word in e]),
    Row("lower case keys", "in lower case", [{"The": 0.5, "a": 1.0}, {"B": 2.0}, {"C": 1.0, "D": 3.0}],
        lambda e: {key.lower(): value for key, value in e.items()}),
    Row("beginning of a text", "the beginning of the right text", TEXTS, lambda e: e[:3]),
    Row("end of a text", "the end of the right text", TEXTS, lambda e: e[-3:]),
    Row("text goes on", "begins with the right text", TEXTS, lambda e: e + "s"),
    Row("text before it", "ends with the right text", TEXTS, lambda e: "so " + e),
    Row("text around it", "contains the right text", TEXTS, lambda e: f"<{e}>"),
    Row("keys missing", "some of the expected keys are missing", COUNTS, lambda e: dict(list(e.items())[:1])),
    Row("keys too many", "has more keys than are expected", COUNTS, lambda e: e | {"more": 0.0}),
    Row("values of a dict", "3 times the right one", COUNTS, lambda e: {key: 3 * value for key, value in e.items()}),
]
# fmt: on
TABLE = [*FORM, *PARTS, *SPECIAL, *NUMBERS, *COUNTED, *ORDER, *SUMS, *ROWS, *PLACES, *TRUE_AND_FALSE, *WORDS]
each_relation = pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])


def unrelated(value):
    """An answer of the same form that no rule joins with the right one."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "b":
        return value ^ (np.arange(value.size).reshape(value.shape) % 3 > 0)
    if isinstance(value, (np.ndarray, float, int, np.number)):
        return np.random.default_rng(9).normal(size=np.shape(value)) * 3 + 17.3
    if isinstance(value, tuple):
        return tuple(unrelated(part) for part in value)
    if isinstance(value, dict):
        return {key: unrelated(part) for key, part in value.items()}
    return "something else" if isinstance(value, str) else ["something", "else"]


def replaced(pair, yours):
    return Pair(pair.name, pair.args, pair.kwargs, yours, pair.expected, pair.names)


def said(pairs):
    return relation(pairs, RTOL, ATOL)


@each_relation
def test_it_is_said_in_one_short_sentence(row):
    sentence = said(row.pairs())
    assert row.words in sentence
    assert len(sentence) <= 200
    assert sentence[0].isupper()
    assert sentence[-1] in ".?"


@each_relation
def test_it_is_not_said_when_one_input_does_not_fit(row):
    *others, last = row.pairs()
    assert row.words not in said([*others, replaced(last, unrelated(last.expected))])


@each_relation
def test_it_is_not_said_for_one_input_that_is_wrong(row):
    first, *others = row.pairs()
    assert said([first, *(replaced(pair, pair.expected) for pair in others)]) == ""
    assert said([first]) == ""
    assert said([]) == ""


@each_relation
def test_nothing_is_said_of_right_answers(row):
    assert said([replaced(pair, pair.expected) for pair in row.pairs()]) == ""


SYMMETRIC = [array + array.T for array in numbers((2, 2), (3, 3), (4, 4))]
# fmt: off
NOT_TELLING = [
    Row("a factor of nothing", "", [np.zeros(3)] * 3, lambda e: 2 * e),
    Row("one number, one change", "times the right one", [np.full(3, 0.5)] * 3, lambda e: 2 * e),
    Row("one number, plus something", "plus", [np.full(3, 0.5)] * 3, lambda e: e + 1),
    Row("one number, squared", "square", [np.full(3, 0.5)] * 3, np.square),
    Row("transposed but symmetric", "", SYMMETRIC, np.transpose),
    Row("transposed, one axis", "", ONE_AXIS, np.transpose),
    Row("sorted already", "", [np.arange(4.0), np.arange(5.0), np.arange(6.0)], np.sort),
    Row("an order of one", "order", [np.array([1.5]), np.array([2.5]), np.array([3.5])], lambda e: e + 1),
    Row("two numbers reversed", "reversed", [np.array([1.5, 2.5])] * 3, lambda e: e[::-1]),
    Row("few whole numbers squared", "square", [np.array([1, 2]), np.array([2, 1]), np.array([2, 2])], np.square),
    Row("absolute of what is positive", "", POSITIVE, np.abs),
    Row("a sum over one", "sum", numbers((3, 1), (4, 1), (2, 1)), lambda e: e.sum(-1)),
    Row("n the same everywhere", "n times", SINGLE, lambda e, logits: e * len(logits),
        rows_given(logits=numbers(3, 3, 3))),
    Row("rows of one number up to a factor", "factor", numbers((3, 1), (4, 1), (5, 1)), lambda e: np.cos(e) * e),
    Row("the value of two single answers", "except", [1.0, 1.0, 2.0, 3.0, 4.0], lambda e: 0.5 if e == 1 else e,
        [{}] * 5),
    Row("few true", "True", [np.array([True, False, False]), np.array([False, True, False])] * 2,
        lambda e: e | (np.arange(3) < 2), [{}] * 4),
    Row("an argument that never changes", "unchanged", numbers(3, 3, 3), lambda e, k: k, rows_given(k=[2, 2, 2])),
    Row("round numbers are not float32", "float32",
        [np.array([0.50001, 2.0]), np.array([3.0, 0.25001]), np.array([1.00001])], lambda e: np.round(e, 4)),
    Row("a part that is the same everywhere", "right on every input", [(True, 1.5), (True, 2.5), (True, 4.0)],
        lambda e: (True, np.cos(9 * e[1]))),
]
# fmt: on


@pytest.mark.parametrize("row", NOT_TELLING, ids=[row.name for row in NOT_TELLING])
def test_it_is_not_said_where_it_is_not_telling(row):
    sentence = said(row.pairs())
    assert (row.words not in sentence) if row.words else sentence == ""


def test_a_plain_number_is_preferred_to_a_count():
    pairs = Row("", "", SINGLE, lambda e, logits: 3 * e, rows_given(logits=numbers(3, 3, 3))).pairs()
    assert said(pairs) == "Your answer is 3 times the right one on every input."


@pytest.mark.parametrize(("factor", "says"), NAMED_FACTORS)
def test_factors_that_mean_something_are_named(factor, says):
    assert said(Row("", "", TABLES, lambda e: factor * e).pairs()) == says
    assert said(Row("", "", TABLES, lambda e: factor * (1 + 1e-5) * e).pairs()) != says


def test_where_a_division_has_no_answer_anything_but_a_number_is_accepted():
    given = rows_given(logits=numbers((3, 2), (2, 2), (1, 2)))
    bessel = Row("", "", SINGLE, lambda e, logits: e * np.float64(len(logits)) / (len(logits) - 1), given)
    with np.errstate(all="ignore"):
        pairs = bessel.pairs()
    assert np.isinf(pairs[-1].yours)
    assert "(Bessel)" in said(pairs)
    assert "(Bessel)" not in said([*pairs[:-1], replaced(pairs[-1], 5.5)])


def test_keyword_arguments_and_arguments_without_a_name_are_named_too():
    pairs = [Pair("", (e + 1,), {"tau": n}, e * n, e) for e, n in zip(SINGLE, (2.0, 3.0, 5.0), strict=True)]
    assert "`tau` times" in said(pairs)
    assert said([replaced(pair, pair.args[0] * 1.0) for pair in pairs]) == "You return your argument 1 unchanged."


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.lists(st.integers(1, 4), max_size=3), min_size=3, max_size=4))
def test_nothing_is_said_of_unrelated_numbers(seed, shapes):
    rng = np.random.default_rng(seed)
    pairs = [
        Pair(
            "",
            (rng.normal(size=(3, 2)), int(rng.integers(1, 9))),
            {},
            rng.normal(size=shape),
            rng.normal(size=shape),
            ("x", "k"),
        )
        for shape in shapes
    ]
    assert said(pairs) == ""


class Hostile:
    """Whatever one does with it, it raises."""

    shape, dtype = (2, 2), np.dtype("f8")

    def _raise(self, *_, **__):
        raise RuntimeError("the judge looked inside")

    __eq__ = __len__ = __iter__ = __bool__ = __float__ = __array__ = __getattr__ = __repr__ = __hash__ = _raise


class Subclass(np.ndarray):
    def __eq__(self, other):
        raise RuntimeError("the judge compared")


ENDLESS: list = []
ENDLESS.append(ENDLESS)
STRANGE = [
    Hostile(), Hostile, np.zeros(3).view(Subclass), np.ma.array([1.0, 2.0]), np.array([1, None], dtype=object),
    np.array([1 + 2j]), np.array(["2020-01-01"], dtype="M8[D]"), np.zeros(2, dtype=[("a", "f8")]), np.array([b"a"]),
    [[1.0, 2.0], [3.0]], [1, [2, [3, "a"]]], ENDLESS, 10**400, -(10**400), [10**400, 1], float("nan"), float("inf"),
    None, "", [], (), {}, {"a": {"b": []}}, {1: 2, "1": 2}, {(1, 2): 3}, {Hostile: 1}, defaultdict(list), set(),
    {1, 2}, 1j, np.zeros((0, 3)), np.zeros(()), np.zeros((1,) * 20), np.float64("nan"), np.str_("a"),
    np.datetime64("now"), (i for i in "a"), lambda: 0, ValueError("x"), ..., range(3), [Hostile()], (Hostile(), 1.0),
    {"a": Hostile()}, b"a", [None] * 3, [True, 2, "a"], "a" * 1000, ["a"] * 1000, np.full(3, np.nan),
    np.array([True, False]), np.array(7), np.uint8([250, 9]),
]  # fmt: skip
RIGHT = [
    SINGLE, ONE_AXIS, TABLES, WHOLE, SELECTIONS, SENTENCES, TEXTS, NESTED, COUNTS, TWO_PARTS, NAMED_PARTS, ITEMS,
    [None, 1.0, "a"], [[], [1], ["a"]], [np.zeros((0, 2)), np.zeros(0), np.zeros(())], [(), (1, 2), (3, 4)],
    [{}, {}, {}],
]  # fmt: skip


@pytest.mark.parametrize("expected", RIGHT, ids=range(len(RIGHT)))
def test_strange_answers_never_raise(expected):
    for strange in STRANGE:
        for others in (expected[1:], [strange, strange], [expected[2], strange]):
            pairs = [
                Pair("", (strange, 3), {"k": strange}, yours, right, ("x",))
                for yours, right in zip([strange, *others], expected, strict=True)
            ]
            assert isinstance(said(pairs), str)


def test_strange_answers_are_not_looked_into():
    for strange in (Hostile(), ENDLESS, [Hostile()], np.zeros(3).view(Subclass), {(1, 2): 3}):
        assert said([Pair("", (), {}, strange, right) for right in ONE_AXIS]) == ""


def test_no_warning_escapes_and_no_right_answer_is_changed(recwarn):
    for row in TABLE:
        before = row.pairs()
        said(before)
        for pair, again in zip(before, row.pairs(), strict=True):
            assert repr(pair.expected) == repr(again.expected)
    assert not recwarn.list


def test_large_answers_take_moments():
    expected = [RNG.normal(size=(400, 1000)) for _ in range(2)]
    began = time.process_time()
    assert "sign" in said([Pair("", (e,), {}, -e, e, ("x",)) for e in expected])
    assert said([Pair("", (e,), {}, np.cos(e) + e[::-1], e, ("x",)) for e in expected]) == ""
    assert time.process_time() - began < 5


def test_it_works_on_any_thread():
    found = []
    pairs = Row("", "", TABLES, np.negative).pairs()
    thread = threading.Thread(target=lambda: found.append(said(pairs)))
    thread.start()
    thread.join()
    assert "sign" in found[0]


def test_answers_that_are_nan_here_and_there_are_not_all_equal():
    """What is NaN on two inputs of three says nothing about numbers that are equal."""
    right = [
        np.array([[0.1, 0.9], [0.3, 0.7]]),
        np.array([[0.2, 0.8], [0.6, 0.4]]),
        np.array([[0.5, 0.25], [1.0, 2.0]]),
    ]
    yours = [np.full((2, 2), np.nan), np.full((2, 2), np.nan), np.full((2, 2), 0.5)]
    pairs = [Pair(str(place), (), {}, mine, it, ()) for place, (mine, it) in enumerate(zip(yours, right, strict=True))]
    assert "equal" not in relation(pairs, RTOL, ATOL)
