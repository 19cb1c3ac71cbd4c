"""Rules about lists, text and dicts: reversed, cut off, with something more, in another order, in other letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlm_mini.course.compare import DICTS, difference
from mlm_mini.course.relations.values import TEXT, Near, Pair, plain_dict

_Rule = Callable[[Any], Any]
_MOST_ITEMS = 5_000


LETTERS: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("in lower case", str.lower),
    ("in upper case", str.upper),
    ("without the spaces around it", str.strip),
    ("without any spaces", lambda text: text.replace(" ", "")),
    ("read backwards, letter by letter", lambda text: text[::-1]),
)


def _joined(items: list) -> list:
    """The items of all inner lists; a text is not a list of letters here."""
    if any(type(item) is not list for item in items):
        raise TypeError
    return [inner for item in items for inner in item]


OF_TEXTS: tuple[tuple[str, Callable[[str, str], bool]], ...] = (
    ("Your answer is the beginning of the right text; the rest is missing.", lambda y, e: e.startswith(y)),
    ("Your answer is the end of the right text; its beginning is missing.", lambda y, e: e.endswith(y)),
    ("Your answer begins with the right text, and more follows.", lambda y, e: y.startswith(e)),
    ("Your answer ends with the right text, and more comes before it.", lambda y, e: y.endswith(e)),
    ("Your answer contains the right text, and more around it.", lambda y, e: e in y),
)
# Each takes the right list to the learner's.
LISTED: tuple[tuple[str, _Rule], ...] = (
    ("reversed", lambda items: items[::-1]),
    ("sorted", lambda items: sorted(items)),
    ("without its repetitions", lambda items: list(dict.fromkeys(items))),
    ("without its first item", lambda items: items[1:]),
    ("without its last item", lambda items: items[:-1]),
    ("without its first and last items", lambda items: items[1:-1]),
    ("with the last item put first", lambda items: items[-1:] + items[:-1]),
    ("with the first item put last", lambda items: items[1:] + items[:1]),
    ("with its inner lists joined into one", _joined),
    ("with each inner list reversed", lambda items: [item[::-1] for item in items]),
    ("joined into one text", lambda items: " ".join(items)),
    ("joined into one text without spaces", lambda items: "".join(items)),
    ("split into single letters", lambda items: [letter for item in items for letter in item]),
)


@dataclass(frozen=True)
class _Pairs:
    """Both sides of every pair as Python's own lists, dicts and scalars; `wrong` are those that differ."""

    every: tuple[tuple[Any, Any], ...]
    wrong: tuple[tuple[Any, Any], ...]
    near: Near

    def same(self, yours: Any, expected: Any) -> bool:
        return difference(yours, expected, self.near.rtol, self.near.atol) is None

    def hold(self, rule: Callable[[Any, Any], bool]) -> bool:
        """Whether rule(yours, expected) holds wherever they differ, on two inputs at least."""
        try:
            return len(self.wrong) >= 2 and all(rule(yours, expected) for yours, expected in self.wrong)
        except (TypeError, AttributeError, IndexError):  # the rule is about values of another type
            return False

    def follow(self, made: _Rule) -> bool:
        """Whether `yours` is made(expected) on every input, also where that changes nothing."""

        def rule(yours: Any, expected: Any) -> bool:
            return self.same(yours, made(expected))

        return self.hold(rule) and _Pairs(self.every, self.every, self.near).hold(rule)

    def turned(self) -> _Pairs:
        """The same with the two sides exchanged."""
        exchanged = [tuple((expected, yours) for yours, expected in both) for both in (self.every, self.wrong)]
        return _Pairs(exchanged[0], exchanged[1], self.near)

    def are(self, kind: type) -> bool:
        return all(type(value) is kind for both in self.every for value in both)


def of_words(pairs: Sequence[Pair], near: Near) -> str:
    """A sentence about answers that are lists, text or dicts, or ""."""
    every = tuple((_python(pair.yours), _python(pair.expected)) for pair in pairs)
    wrong = tuple(both for both in every if difference(*both, near.rtol, near.atol))
    answers = _Pairs(every, wrong, near)
    if len(wrong) < 2:
        return ""
    return _of_dicts(answers) or _of_letters(answers) or _of_texts(answers) or _of_lists(answers)


def _python(value: Any) -> Any:
    """Arrays and tuples as lists, NumPy's scalars as Python's."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if type(value) in (list, tuple):
        return [_python(item) for item in value]
    return {key: _python(item) for key, item in plain_dict(value).items()} if type(value) in DICTS else value


def _of_letters(answers: _Pairs) -> str:
    """Rules about every text in the answer."""
    for says, change in LETTERS:
        if answers.follow(lambda value, change=change: _map_text(value, change)):
            return f"Your answer is the right one {says}."
        if answers.turned().follow(lambda value, change=change: _map_text(value, change)):
            return f"The right answer is yours {says}."
    return ""


def _map_text(value: Any, change: Callable[[str], str]) -> Any:
    if type(value) in TEXT:
        return change(value)
    if type(value) is list:
        return [_map_text(item, change) for item in value]
    if type(value) is dict:
        return {_map_text(key, change): _map_text(item, change) for key, item in value.items()}
    return value


def _of_texts(answers: _Pairs) -> str:
    if not answers.are(str) or not all(yours and expected for yours, expected in answers.wrong):
        return ""
    return next((says for says, rule in OF_TEXTS if answers.hold(rule)), "")


def _of_lists(answers: _Pairs) -> str:
    lengths = [len(expected) for _, expected in answers.every if type(expected) is list]
    if len(lengths) < len(answers.every) or max(lengths) > _MOST_ITEMS:
        return ""
    if any(len(expected) >= 3 for _, expected in answers.wrong):
        for says, made in LISTED:
            if answers.follow(made):
                return f"Your answer is the right one {says}."
    if not answers.are(list):
        return ""
    return _replaced(answers) or _cut_off_or_longer(answers)


def _cut_off_or_longer(answers: _Pairs) -> str:
    shorter = [min(len(yours), len(expected)) for yours, expected in answers.wrong]
    if 0 in shorter or sum(shorter) < 3:  # one item agrees easily
        return ""
    same = answers.same
    for says, rule in (
        ("Your answer is the beginning of the right list; the rest is missing.", lambda y, e: same(y, e[: len(y)])),
        ("Your answer is the end of the right list; its beginning is missing.", lambda y, e: same(y, e[-len(y) :])),
        ("Your answer begins with the right list, and more items follow.", lambda y, e: same(y[: len(e)], e)),
        ("Your answer ends with the right list, and more items come before it.", lambda y, e: same(y[-len(e) :], e)),
        ("Your answer holds the right items, in another order.", lambda y, e: _within(y, e) and len(y) == len(e)),
        ("Your answer lacks some of the right items and holds no others.", _within),
        ("Your answer holds all of the right items, and others.", lambda y, e: _within(e, y)),
    ):
        if answers.hold(rule):
            return says
    return ""


def _within(some: list, others: list) -> bool:
    """Whether each of some is one of the others: told by how they are written, which for plain items is enough."""
    left = Counter(repr(item) for item in others)
    left.subtract(repr(item) for item in some)
    return min(left.values(), default=0) >= 0


def _replaced(answers: _Pairs) -> str:
    """One item stands for another, everywhere."""
    found, kept = set(), set()
    for yours, expected in answers.every:
        if len(yours) != len(expected):
            return ""
        for mine, theirs in zip(yours, expected, strict=True):
            if type(mine) in (list, dict) or type(theirs) in (list, dict):
                return ""
            if answers.same(mine, theirs):
                kept.add(repr(theirs))
            else:
                found.add((repr(mine), repr(theirs)))
    if len(found) != 1 or len(kept) < 2:
        return ""
    mine, theirs = found.pop()
    return "" if theirs in kept else f"Wherever {theirs[:30]} is expected you have {mine[:30]}; all else is right."


def _of_dicts(answers: _Pairs) -> str:
    """Right values under keys that are too few or too many."""
    if not answers.are(dict):
        return ""

    def right_there(yours: dict, expected: dict) -> bool:
        common = [key for key in yours if key in expected]
        return bool(common) and all(answers.same(yours[key], expected[key]) for key in common)

    for says, rule in (
        (
            "Your answer is right where it has a key; some of the expected keys are missing.",
            lambda y, e: set(y) < set(e),
        ),
        ("Your answer is right, but has more keys than are expected.", lambda y, e: set(y) > set(e)),
    ):
        if answers.hold(lambda y, e, rule=rule: rule(y, e) and right_there(y, e)):
            return says
    return ""
