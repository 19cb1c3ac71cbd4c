"""Factors that depend on the input: the length of an axis, the number of labels, an argument of the call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import numpy as np
from numpy import asarray

from mlm_mini.course.relations.values import Answers, Both, distinct, numbers
from mlm_mini.reference import IGNORE_INDEX

MEAN = "a sum where a mean is asked, or the other way round"
BESSEL = "n - 1 against n (Bessel)"


def _length(value: Any) -> int | None:
    return len(value) if type(value) in (list, tuple) else None


def _last_axis(value: Any) -> int | None:
    return value.shape[-1] if type(value) is np.ndarray and value.ndim else None


def _rows(value: Any) -> int | None:
    return value.shape[0] if type(value) is np.ndarray and value.ndim else _length(value)


def _entries(value: Any) -> int | None:
    return value.size if type(value) is np.ndarray and value.ndim > 1 else None


def _labels(value: Any) -> np.ndarray | None:
    """Which entries are to be predicted."""
    return value != IGNORE_INDEX if type(value) is np.ndarray and value.dtype.kind == "i" and value.ndim else None


def _trues(value: Any) -> np.ndarray | None:
    return value if type(value) is np.ndarray and value.dtype.kind == "b" and value.ndim else None


def _weights(value: Any) -> np.ndarray | None:
    usable = type(value) is np.ndarray and value.dtype.kind in "if" and value.ndim and not (value < 0).any()
    return value if usable else None


def _total(of: Callable[[Any], np.ndarray | None], axis: int | None = None) -> Callable[[Any], Any]:
    def count(value: Any) -> Any:
        found = of(value)
        if found is None or (axis is not None and found.ndim < 2):
            return None
        return found.sum(axis)

    return count


def _plain_number(value: Any) -> float | None:
    if type(value) in (int, float) or (isinstance(value, np.number) and type(value).__module__ == "numpy"):
        found = numbers(value)
        return None if found is None else float(found)
    return None


_MEASURES: tuple[tuple[str, Callable[[Any], Any]], ...] = (
    ("the length of the last axis of {}", _last_axis),
    ("the number of rows of {}", _rows),
    ("the number of entries of {}", _entries),
    ("the number of entries of {} that are not -100", _total(_labels)),
    ("the number of True in {}", _total(_trues)),
    ("the number of entries of {} that are not -100 in each row", _total(_labels, -1)),
    ("the number of True in each row of {}", _total(_trues, -1)),
    ("the sum of {}", _total(_weights)),
)
# n is a count, which the sentence then explains, or the name of an argument.
FORMS: tuple[tuple[str, str, Callable], ...] = (
    ("{n} times the right one", MEAN, lambda n: n),
    ("the right one divided by {n}", MEAN, lambda n: 1 / n),
    ("{n} / ({n} - 1) times the right one", BESSEL, lambda n: n / (n - 1)),
    ("({n} - 1) / {n} times the right one", BESSEL, lambda n: (n - 1) / n),
    ("the right one times the square root of {n}", "", np.sqrt),
    ("the right one divided by the square root of {n}", "", lambda n: 1 / np.sqrt(n)),
    ("the right one times the square root of {n} / ({n} - 1)", BESSEL, lambda n: np.sqrt(n / (n - 1))),
    ("the right one times the square root of ({n} - 1) / {n}", BESSEL, lambda n: np.sqrt((n - 1) / n)),
    ("the right one times the square of {n}", "", np.square),
    ("the right one divided by the square of {n}", "", lambda n: 1 / np.square(n)),
)
ADDED: tuple[tuple[str, str, Callable], ...] = (
    ("the right one plus {n}", "", lambda n: n),
    ("the right one minus {n}", "", lambda n: -n),
    ("the right one plus the logarithm of {n}", "", np.log),
    ("the right one minus the logarithm of {n}", "", lambda n: -np.log(n)),
)
JOINS: tuple[tuple[tuple, Callable, Callable], ...] = (
    (FORMS, lambda e, wanted: e * wanted, lambda y, e: y / e),
    (ADDED, lambda e, wanted: e + wanted, lambda y, e: y - e),
)


def counted(answers: Answers) -> str:
    """A factor, or a number added, that is a simple function of a count n or of a number among the arguments."""
    if not answers.alike_in_shape or not (anchor := _anchor(answers)):
        return ""
    for text, counts, is_argument in sources(answers):
        for forms, join, undo in JOINS:
            for says, why, form in forms:
                if _may_explain(answers, anchor, undo, counts, form) and _explains(answers, join, counts, form):
                    if is_argument:
                        return f"Your answer is {says.format(n=text)}."
                    return f"Your answer is {says.format(n='n')}, n being {text}{': ' + why if why else ''}."
    return _a_share(answers, anchor)


def _a_share(answers: Answers, anchor: tuple) -> str:
    """A factor k / n of two counts: divided by all positions, say, and not by those with a label."""
    counted = [(text, counts) for text, counts, is_argument in sources(answers) if not is_argument]
    for (k, ks), (n, ns) in permutations(counted, 2):
        if any(one.ndim or other.ndim for one, other in zip(ks, ns, strict=True)):
            continue
        shares = [one / other for one, other in zip(ks, ns, strict=True)]
        # So many shares are looked at that two may fit by chance.
        if _may_explain(answers, anchor, np.divide, shares, _itself) and _explains(
            answers, np.multiply, shares, _itself, least=3
        ):
            return f"Your answer is k / n times the right one, k being {k}, and n {n}."
    return ""


def _itself(count: np.ndarray) -> np.ndarray:
    return count


def _anchor(answers: Answers) -> tuple[int, tuple[int, ...]] | None:
    """The place of the largest right number that the learner's differs from: what does not fit there fits nowhere."""
    best, found = 0.0, None
    for index, both in enumerate(answers.both):
        off = ~answers.near.close(both.yours, both.expected) & np.isfinite(both.yours) & np.isfinite(both.expected)
        sizes = np.where(off, np.abs(both.expected), -1)
        if sizes.size and sizes.max() > best:
            best, found = sizes.max(), (index, np.unravel_index(int(sizes.argmax()), sizes.shape))
    return found


def _may_explain(answers: Answers, anchor: tuple, undo: Callable, counts: list[np.ndarray], form: Callable) -> bool:
    """A quick look at one place, before all of them are looked at."""
    index, place = anchor
    both, n = answers.both[index], counts[index]
    if n.ndim > len(place):
        return False
    wanted = form(n[place[: n.ndim]]) if n.shape == both.expected.shape[: n.ndim] else np.nan
    return bool(abs(undo(both.yours[place], both.expected[place]) - wanted) <= 1e-5 * abs(wanted))


def _explains(answers: Answers, join: Callable, counts: list[np.ndarray], form: Callable, least: int = 2) -> bool:
    """Whether join(expected, form(n)) is the learner's answer on every pair, tellingly on `least` that differ in n."""
    telling, seen = 0, []
    for both, count in zip(answers.both, counts, strict=True):
        yours, expected = both.yours, both.expected
        if count.ndim > expected.ndim or count.shape != expected.shape[: count.ndim]:
            return False
        n = count.reshape(count.shape + (1,) * (expected.ndim - count.ndim)) + np.zeros_like(expected)
        wanted, right = form(n), answers.near.close(yours, expected)
        # Where n is 0 or 1 a division by n or n - 1 gives no number, and neither may the learner's.
        nothing = ~np.isfinite(wanted) & (right | ~np.isfinite(yours))
        if not (answers.near.close(yours, join(expected, wanted)) | nothing).all():
            return False
        tells = ~right & np.isfinite(wanted)
        telling += bool(tells.any())
        seen.append(n[tells])
    return telling >= (3 if answers.whole else least) and distinct(seen) >= least


def sources(answers: Answers) -> Iterator[tuple[str, list[np.ndarray], bool]]:
    """Every count that all pairs have, with its name; then the arguments that are numbers."""
    names = [
        name for name in answers.both[0].pair.arguments() if all(name in both.pair.arguments() for both in answers.both)
    ]
    for says, measure in _MEASURES:
        for name in names:
            yield from _source(answers, says.format(name), lambda both, n=name, m=measure: m(both.pair.arguments()[n]))
    yield from _source(answers, "the length of the last axis of the answer", lambda both: _last_axis(both.expected))
    for name in names:
        for text, values, _ in _source(answers, name, lambda both, n=name: _plain_number(both.pair.arguments()[n])):
            yield text, values, True


def _source(answers: Answers, says: str, of: Callable[[Both], Any]) -> Iterator[tuple[str, list[np.ndarray], bool]]:
    values = [of(both) for both in answers.both]
    if all(value is not None for value in values):
        yield says, [asarray(value, dtype=np.float64) for value in values], False
