"""Looks for a relation between a learner's answers and the right ones, and says it in one sentence.

A relation is said only when it holds on every input and shows on two of them; "" is better than a wrong guess. What is
looked for, in this order: the right contents in another form; parts of the answer; an argument or a constant in its
place; a rule for each number; a rule for their places; values or places that are off; rules about lists and text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from mlm_mini.course.compare import difference
from mlm_mini.course.relations.counts import counted
from mlm_mini.course.relations.form import form
from mlm_mini.course.relations.input import an_argument, the_same_always
from mlm_mini.course.relations.numbers import one_number_each, rounded
from mlm_mini.course.relations.order import mixed_up, reordered
from mlm_mini.course.relations.parts import of_parts
from mlm_mini.course.relations.places import of_true_and_false, right_but_for_a_value, right_but_for_places
from mlm_mini.course.relations.rows import normalized_otherwise
from mlm_mini.course.relations.sums import summed
from mlm_mini.course.relations.values import Answers, Near, Pair, is_plain, is_true_or_false, numeric
from mlm_mini.course.relations.words import of_words

__all__ = ["Pair", "relation"]

OF_NUMBERS: tuple[Callable[[Answers], str], ...] = (
    one_number_each,
    counted,
    reordered,
    summed,
    normalized_otherwise,
    mixed_up,
    rounded,
    right_but_for_a_value,
    right_but_for_places,
)
OF_DICTS = (one_number_each, counted, normalized_otherwise, mixed_up, rounded, right_but_for_a_value)
OF_PARTS = (one_number_each, counted)  # the places of a tuple have a meaning of their own
OF_TRUE_AND_FALSE = (of_true_and_false, reordered, right_but_for_places)


def relation(pairs: Sequence[Pair], rtol: float, atol: float) -> str:
    """How the learner's answers come of the right ones, in one sentence, or "" when no simple relation holds.

    pairs: the inputs to which both gave a value. rtol, atol: of the exercise. Never raises, whatever the answers are.
    """
    try:
        if len(pairs) < 2 or not all(is_plain(pair.yours) and is_plain(pair.expected) for pair in pairs):
            return ""
        with np.errstate(all="ignore"):
            return _explain(pairs, Near(rtol, atol), deep=2)
    except Exception:  # whatever the answers are, there is a report to finish
        return ""


def _explain(pairs: Sequence[Pair], near: Near, deep: int) -> str:
    if sum(difference(pair.yours, pair.expected, near.rtol, near.atol) is not None for pair in pairs) < 2:
        return ""
    for look in _looks(pairs, near, deep):
        try:
            if sentence := look():
                return sentence
        except Exception:  # an answer of a form that a rule did not foresee: the other rules may still know it
            continue
    return ""


def _looks(pairs: Sequence[Pair], near: Near, deep: int) -> Iterator[Callable[[], str]]:
    yield lambda: form(pairs, near)
    if deep:
        yield lambda: of_parts(pairs, near, lambda parts: _explain(parts, near, deep - 1))
    yield lambda: an_argument(pairs, near)
    yield lambda: the_same_always(pairs, near)
    answers = numeric(pairs, Near.after_a_transform(near.rtol, near.atol))
    if answers:
        for rule in _rules(pairs):
            yield lambda rule=rule: rule(answers)
    if not answers or answers.most_axes < 2:
        yield lambda: of_words(pairs, near)


def _rules(pairs: Sequence[Pair]) -> tuple[Callable[[Answers], str], ...]:
    if any(type(pair.expected) is tuple for pair in pairs):
        return OF_PARTS
    if any(type(pair.expected) is dict for pair in pairs):
        return OF_DICTS
    selects = all(is_true_or_false(value) for pair in pairs for value in (pair.yours, pair.expected))
    return OF_TRUE_AND_FALSE if selects else OF_NUMBERS
