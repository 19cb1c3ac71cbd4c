"""Answers of several parts, a tuple or a dict: which of them are right, swapped, left out or off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import Any

import numpy as np

from mlm_mini.course.compare import DICTS, difference
from mlm_mini.course.relations.values import Near, Pair, plain_dict

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")
MOST = len(ORDINALS)
_MOST_CHARACTERS = 200
_PLAIN = (bool, int, float, str)
Explain = Callable[[Sequence[Pair]], str]


@dataclass(frozen=True)
class Parts:
    """The answers to all inputs, part by part, and what each part is called: alone, and among the others."""

    labels: tuple[str, ...]  # "first part", "part 'entropy'"
    short: tuple[str, ...]  # "the first", "'entropy'"
    whole: str  # "your two parts"
    yours: tuple[tuple, ...]
    expected: tuple[tuple, ...]
    pairs: tuple[Pair, ...]
    near: Near

    def agree(self, mine: int, theirs: int) -> list[bool]:
        """On which inputs the part `mine` of yours is the part `theirs` of the right answer."""
        return [_same(y[mine], e[theirs], self.near) for y, e in zip(self.yours, self.expected, strict=True)]

    def alone(self, part: int) -> list[Pair]:
        """The pairs with that part as the whole answer."""
        both = zip(self.pairs, self.yours, self.expected, strict=True)
        return [replace(pair, yours=y[part], expected=e[part]) for pair, y, e in both]

    def changes(self, part: int) -> bool:
        """Whether the right answer's part depends on the input: else it says little that yours has it too."""
        return not all(_same(e[part], self.expected[0][part], self.near) for e in self.expected)


def of_parts(pairs: Sequence[Pair], near: Near, explain: Explain) -> str:
    """A sentence about the parts of an answer, or ""; `explain` finds the relation of one part alone."""
    if columns := _columns(pairs):
        return _about_parts(_split(columns, near, "list of {} parts", "the {} parts of each item"), explain)
    if parts := _split(pairs, near, "{} part", "your {} parts"):
        return _about_parts(parts, explain)
    return _part_alone(pairs, near) or _too_many(pairs, near) or _too_few(pairs, near)


def _same(one: Any, other: Any, near: Near) -> bool:
    return difference(one, other, near.rtol, near.atol) is None


def _split(pairs: Sequence[Pair], near: Near, label: str, whole: str) -> Parts | None:
    """The parts, when both sides have the same number of them, or the same keys, on every input."""
    if count := _fixed(pair.expected for pair in pairs):
        sides = [(_as_parts(pair.yours), tuple(pair.expected)) for pair in pairs]
        if any(len(mine) != count for mine, _ in sides):
            return None
        labels = [label.format(ordinal) for ordinal in ORDINALS[:count]]
        short = [f"the {ordinal}" for ordinal in ORDINALS[:count]]
    else:
        if any(type(value) not in DICTS for pair in pairs for value in (pair.yours, pair.expected)):
            return None
        dicts = [(plain_dict(pair.yours), plain_dict(pair.expected)) for pair in pairs]
        keys, count = list(dicts[0][1]), len(dicts[0][1])
        if any(set(one) != set(keys) for both in dicts for one in both) or not 2 <= count <= MOST:
            return None
        sides = [tuple(tuple(side[key] for key in keys) for side in both) for both in dicts]
        labels, short = [f"part {key!r}" for key in keys], [repr(key) for key in keys]
    yours, expected = zip(*sides, strict=True)
    return Parts(tuple(labels), tuple(short), whole.format(NUMBERS[count]), yours, expected, tuple(pairs), near)


def _as_parts(value: Any) -> tuple:
    """The items of a list or tuple, or of an array with one axis; none of anything else."""
    if type(value) is np.ndarray and value.ndim == 1:
        return tuple(value.tolist())
    return tuple(value) if type(value) in (list, tuple) else ()


def _fixed(values: Any) -> int:
    """The number of parts that all of them have, from 2 on; 0 when they are not made of parts.

    A list of plain numbers or words is one thing; a list of arrays, or a tuple, has parts.
    """
    counts = set()
    for value in values:
        has_parts = type(value) is tuple or (type(value) is list and any(type(item) not in _PLAIN for item in value))
        counts.add(len(value) if has_parts else 0)
    count = counts.pop()
    return count if not counts and 2 <= count <= MOST else 0


def _columns(pairs: Sequence[Pair]) -> list[Pair]:
    """Lists of tuples, such as (input, label), as tuples of lists; [] when the answers are not of that form."""
    widths = {len(item) if type(item) is tuple else 0 for pair in pairs for item in _items(pair.expected)}
    if len(widths) != 1 or not 2 <= min(widths) <= MOST:
        return []
    width = min(widths)
    turned = []
    for pair in pairs:
        mine, theirs = _items(pair.yours), _items(pair.expected)
        if len(mine) != len(theirs) or any(type(item) not in (list, tuple) or len(item) != width for item in mine):
            return []
        columns = [tuple([item[place] for item in side] for place in range(width)) for side in (mine, theirs)]
        turned.append(replace(pair, yours=columns[0], expected=columns[1]))
    return turned


def _items(value: Any) -> list:
    return value if type(value) is list else []


def _about_parts(parts: Parts | None, explain: Explain) -> str:
    if parts is None:
        return ""
    every = range(len(parts.labels))
    off = [place for place in every if not all(parts.agree(place, place))]
    if any(parts.agree(place, place).count(False) < 2 for place in off):
        return ""
    if found := _exchanged(parts):
        return found
    if len(off) == 1:
        return _one_off(parts, off[0], explain)
    sentences = {explain(parts.alone(place)) for place in off}
    same = sentences.pop() if len(sentences) == 1 else ""
    if len(off) == len(parts.labels):
        return same and f"Of each part: {_lower(same)}"
    right = _right_ones(parts, off)
    if same and right:
        return _short_enough(
            f"{right}. Of each other part: {_lower(same)}", f"Of each part that is off: {_lower(same)}"
        )
    return f"{right}. The others are off." if right else ""


def _exchanged(parts: Parts) -> str:
    """The right parts in another order."""
    count = len(parts.labels)
    if count > 4:
        return ""
    agree = [[all(parts.agree(mine, theirs)) for theirs in range(count)] for mine in range(count)]
    for order in permutations(range(count)):
        if order != tuple(range(count)) and all(agree[mine][theirs] for mine, theirs in enumerate(order)):
            moved = [place for place, other in enumerate(order) if place != other]
            if len(moved) == 2:
                return f"The {parts.labels[moved[0]]} and the {parts.labels[moved[1]]} of your answer are swapped."
            return "The parts of your answer are right, but in another order."
    return ""


def _one_off(parts: Parts, off: int, explain: Explain) -> str:
    right = _right_ones(parts, [off])
    for other, label in enumerate(parts.labels):
        if other != off and parts.changes(other) and all(parts.agree(off, other)):
            return f"Your {parts.labels[off]} is what the {label} should be."
    sentence = explain(parts.alone(off))
    if not sentence:
        return f"{right}; only {parts.short[off]} is off." if right else ""
    about = _about(parts.labels[off], sentence)
    return _short_enough(f"{right}. {about}", about) if right else about


def _short_enough(text: str, shorter: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else shorter


def _right_ones(parts: Parts, off: Sequence[int]) -> str:
    """Which parts are right; "" when these are the same on every input, are few, or are too many to name."""
    right = [place for place in range(len(parts.labels)) if place not in off]
    if not any(parts.changes(place) for place in right) or len(off) > len(right) + 1:
        return ""
    if len(right) <= 2:
        are = "is" if len(right) == 1 else "are"
        return f"Of {parts.whole} {' and '.join(parts.short[at] for at in right)} {are} right on every input"
    if len(off) <= 2:
        return f"Of {parts.whole} all but {' and '.join(parts.short[at] for at in off)} are right on every input"
    return ""


def _about(label: str, sentence: str) -> str:
    """A sentence on the whole answer, said of one part."""
    start = "Your answer "
    if sentence.startswith(start):
        return f"Your {label} {sentence.removeprefix(start)}"
    return f"Of the {label}: {_lower(sentence)}"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _part_alone(pairs: Sequence[Pair], near: Near) -> str:
    """Only one of the parts is returned."""
    count = _fixed(pair.expected for pair in pairs)
    for place in range(count):
        if all(_same(pair.yours, pair.expected[place], near) for pair in pairs):
            return f"Your answer is only the {ORDINALS[place]} of the {NUMBERS[count]} parts that are asked for."
    return ""


def _too_many(pairs: Sequence[Pair], near: Near) -> str:
    """More is returned than is asked for."""
    mine, count = _fixed(pair.yours for pair in pairs), _fixed(pair.expected for pair in pairs)
    if not mine or mine <= count:
        return ""
    if not count:
        for place in range(mine):
            if all(_same(pair.yours[place], pair.expected, near) for pair in pairs):
                return f"You return {NUMBERS[mine]} things; only your {ORDINALS[place]} is asked for, and it is right."
        return ""
    if all(_same(tuple(pair.yours[:count]), tuple(pair.expected), near) for pair in pairs):
        return f"You return {NUMBERS[mine]} parts; the first {NUMBERS[count]} are right, and no more are asked for."
    return ""


def _too_few(pairs: Sequence[Pair], near: Near) -> str:
    """Some parts are left out."""
    mine, count = _fixed(pair.yours for pair in pairs), _fixed(pair.expected for pair in pairs)
    if not 0 < mine < count:
        return ""
    for left in permutations(range(count), mine) if count <= 5 else ():
        if all(_same(tuple(pair.yours), tuple(pair.expected[place] for place in left), near) for pair in pairs):
            missing = [ORDINALS[place] for place in range(count) if place not in left]
            order = "" if list(left) == sorted(left) else ", and the others in another order"
            return f"Of the {NUMBERS[count]} parts the {' and the '.join(missing)} is missing in yours{order}."
    return ""
