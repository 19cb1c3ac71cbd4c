"""Rules that take each number of the right answer to the learner's: a factor, a constant, a logarithm."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from mlm_mini.course.relations.values import Answers, Both, distinct, number_text

TWO, TEN = np.log(2), np.log(10)
NAMED_FACTORS = (
    (-1.0, "Your answer has the sign flipped on every input: it is minus the right one."),
    (1 / TWO, "Your answer is 1 / ln 2 = 1.442695 times the right one on every input: in bits, where nats are asked."),
    (TWO, "Your answer is ln 2 = 0.693147 times the right one on every input: nats are taken for bits."),
    (1 / TEN, "Your answer is 1 / ln 10 = 0.434294 times the right one on every input: a logarithm to base 10."),
    (TEN, "Your answer is ln 10 = 2.302585 times the right one on every input: a logarithm to base 10, undone."),
    (-1 / TWO, "Your answer is -1 / ln 2 times the right one on every input: in bits, and with the sign flipped."),
    (-TWO, "Your answer is -ln 2 times the right one on every input: nats taken for bits, and the sign flipped."),
)

# What `yours` is, made of the right answer; and the other way round.
MADE: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("the reciprocal of the right one", lambda e: 1 / e),
    ("the square of the right one", np.square),
    ("the square root of the right one", np.sqrt),
    ("the logarithm of the right one", np.log),
    ("minus the logarithm of the right one", lambda e: -np.log(e)),
    ("the exponential of the right one", np.exp),
    ("the exponential of minus the right one", lambda e: np.exp(-e)),
    ("the logarithm to base 2 of the right one", np.log2),
    ("2 to the power of the right one", np.exp2),
    ("the absolute value of the right one", np.abs),
    ("the right one with 0 in place of what is negative", lambda e: np.maximum(e, 0)),
    ("the right one with 0 in place of what is positive", lambda e: np.minimum(e, 0)),
    ("the right one with 1 in place of what is larger", lambda e: np.minimum(e, 1)),
)
_UNDONE = (
    ("the absolute value of your answer", np.abs),
    ("your answer with 0 in place of what is negative", lambda y: np.maximum(y, 0)),
    ("your answer with 0 in place of what is positive", lambda y: np.minimum(y, 0)),
    ("your answer with 1 in place of what is larger", lambda y: np.minimum(y, 1)),
)
ROUNDED: tuple[tuple[str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("rounded to whole numbers", np.round),
    ("cut down to a whole number", np.trunc),
    ("rounded down to a whole number", np.floor),
    ("rounded up to a whole number", np.ceil),
    ("rounded to 1 decimal", lambda e: np.round(e, 1)),
    *((f"rounded to {places} decimals", lambda e, places=places: np.round(e, places)) for places in range(2, 7)),
)
MOST_LOOKED_AT = 20_000


def one_number_each(answers: Answers) -> str:
    """The rule by which each number of `yours` comes of the one in its place, or ""."""
    if not answers.alike_in_shape:
        return ""
    answers = _thinned(answers)
    return _constant_factor(answers) or _constant_added(answers) or _complement(answers) or _made(answers)


def rounded(answers: Answers) -> str:
    """Whether `yours` is the right answer rounded, or cut to whole numbers."""
    if not answers.alike_in_shape:
        return ""
    answers = _thinned(answers)
    for says, rule in ROUNDED:
        if distinct([both.yours for both in answers.follow(rule)]) >= 2:
            return f"Your answer is the right one {says}."
    return ""


def _thinned(answers: Answers) -> Answers:
    """Of a large array every so many numbers: a rule for each number shows in a part of them too."""

    def thin(array: np.ndarray) -> np.ndarray:
        return array if array.size <= MOST_LOOKED_AT else array.ravel()[:: array.size // MOST_LOOKED_AT]

    both = tuple(Both(thin(one.yours), thin(one.expected), one.pair) for one in answers.both)
    return Answers(both, answers.near)


def _moved(answers: Answers, telling: Sequence[Both]) -> int:
    """How many different right numbers the learner's differ from: two points make a line, one makes nothing."""
    return distinct([both.expected[~answers.near.close(both.yours, both.expected)] for both in telling])


def _constant_factor(answers: Answers) -> str:
    factor = _at_largest(answers, lambda y, e: y / e)
    if factor is None or factor == 0:
        return ""
    telling = answers.follow(lambda e: factor * e)
    different = [both.expected[both.expected != 0] for both in telling]
    if distinct(different) < 2:
        return ""
    for named, says in NAMED_FACTORS:
        if np.isclose(factor, named, rtol=1e-7, atol=0):
            return says
    return f"Your answer is {number_text(factor)} times the right one on every input."


def _constant_added(answers: Answers) -> str:
    added = _at_largest(answers, lambda y, e: y - e)
    if added is None:
        return ""
    telling = answers.follow(lambda e: e + added)
    if not telling or _moved(answers, telling) < 2:
        return ""
    if answers.whole and abs(added) == 1:
        size = "large" if added > 0 else "small"
        return f"Each number of your answer is one too {size}, on every input."
    sign = "plus" if added > 0 else "minus"
    return f"Your answer is the right one {sign} {number_text(abs(added))}, on every input."


def _at_largest(answers: Answers, of: Callable[[float, float], float]) -> float | None:
    """of(yours, expected) at the largest right number of all that differ, where rounding matters least."""
    best, found = 0.0, None
    for both in answers.both:
        usable = np.isfinite(both.expected) & np.isfinite(both.yours) & (both.expected != 0)
        if not usable.any():
            continue
        place = int(np.argmax(np.where(usable, np.abs(both.expected), -1)))
        if abs(both.expected.flat[place]) > best:
            best, found = abs(both.expected.flat[place]), float(of(both.yours.flat[place], both.expected.flat[place]))
    return found


def _complement(answers: Answers) -> str:
    telling = answers.follow(lambda e: 1 - e)
    enough = telling and _moved(answers, telling) >= 2
    return "Your answer is 1 minus the right one, on every input." if enough else ""


def _made(answers: Answers) -> str:
    enough = 3 if answers.whole else 2  # few small whole numbers are the squares of each other by chance
    for says, rule in MADE:
        telling = answers.follow(rule)
        if telling and _moved(answers, telling) >= enough:
            return f"Your answer is {says}, on every input."
    for says, rule in _UNDONE:
        telling = answers.turned().follow(rule)
        if telling and _moved(answers, telling) >= enough:
            return f"The right answer is {says}, on every input."
    return ""
