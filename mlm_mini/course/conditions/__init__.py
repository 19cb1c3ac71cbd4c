"""Says what sets the inputs on which a function is right apart from those on which it is wrong.

A condition is a fact about the inputs, such as a score of -inf, that all of the wrong ones have and none of the right
ones, or the other way round. The first that fits is said, of what `features.py` lists and then
`shapes.py`: the most telling come first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlm_mini.course.conditions.arguments import Argument, open_argument
from mlm_mini.course.conditions.features import VALUES, Feature, optional
from mlm_mini.course.conditions.shapes import SHAPES, limits

_LARGE_ARRAY = 100_000  # entries, beyond which only the shape of an array is looked at


@dataclass(frozen=True)
class Tried:
    """One input and whether the function was right on it. `names` are those of the positional arguments."""

    args: tuple
    kwargs: dict[str, Any]
    names: tuple[str, ...]
    right: bool


@dataclass(frozen=True)
class Call:
    """The arguments of one input by name, opened."""

    arguments: dict[str, Argument]
    right: bool


def condition(tried: Sequence[Tried]) -> str:
    """What all inputs that are wrong have and none that is right, or the reverse, in one sentence; "" when nothing.

    Of few inputs much can be said that is chance alone: one wrong input needs three right ones, and a feature that
    many inputs have by chance needs more of both.
    """
    right = sum(one.right for one in tried)
    wrong = len(tried) - right
    if wrong < 1 or right < 2 or (wrong == 1 and right < 3):
        return ""
    try:
        with np.errstate(all="ignore"):
            return _first_that_fits(_opened(tried), right, wrong)
    except Exception:  # of inputs that no rule foresees nothing is said
        return ""


def _opened(tried: Sequence[Tried]) -> list[Call]:
    """The calls with their arguments opened; labels are whole numbers of which some, on any input, are -100."""
    named = [
        {
            one.names[place] if place < len(one.names) else f"argument {place + 1}": value
            for place, value in enumerate(one.args)
        }
        | one.kwargs
        for one in tried
    ]
    opened = [{name: open_argument(value) for name, value in values.items()} for values in named]
    labels = {name for values in opened for name, argument in values.items() if argument.has_ignored}
    return [
        Call(
            {name: argument.as_labels() if name in labels else argument for name, argument in values.items()}, one.right
        )
        for values, one in zip(opened, tried, strict=True)
    ]


def _first_that_fits(calls: list[Call], right: int, wrong: int) -> str:
    for feature, name in _candidates(calls):
        has = _separates(calls, feature, name)
        if has is not None and _is_enough(feature, has, right, wrong):
            return _sentence(feature, name, has, right, wrong)
    return ""


def _is_enough(feature: Feature, wrong_has: bool, right: int, wrong: int) -> bool:
    """Whether so many inputs say something about a feature, beyond what `condition` asks of all."""
    some, many = (min(right, wrong) >= 2 and right + wrong >= least for least in (5, 6))
    if feature.by_chance and not many:
        return False
    return wrong_has or (feature.both_ways and some)


def _candidates(calls: list[Call]) -> Iterator[tuple[Feature, str]]:
    """Each feature with each argument that may have it; an argument that some calls leave out is a feature itself."""
    names = list(dict.fromkeys(name for call in calls for name in call.arguments))
    left_out = [name for name in names if any(name not in call.arguments for call in calls)]
    for feature in (*VALUES, *SHAPES):
        if feature is optional:
            yield from ((feature, name) for name in left_out)
            continue
        for name in names:
            if not (feature.looks_inside and any(_size(call, name) > _LARGE_ARRAY for call in calls)):
                yield feature, name
    for name in names:
        arguments = [call.arguments.get(name) for call in calls]
        if all(argument is not None for argument in arguments):
            yield from ((feature, name) for feature in limits(arguments, [call.right for call in calls]))


def _size(call: Call, name: str) -> int:
    return call.arguments[name].size if name in call.arguments else 0


def _separates(calls: list[Call], feature: Feature, name: str) -> bool | None:
    """True when exactly the wrong inputs have the feature, False when exactly the right ones have it, else None."""
    wrong_has = None
    for call in calls:
        argument = call.arguments.get(name)
        has = feature.test(argument, name) if argument is not None else False
        if has is None:  # it may have it or not: then nothing is said
            return None
        here = bool(has) != call.right
        if wrong_has is None:
            wrong_has = here
        elif wrong_has != here:
            return None
    return wrong_has


def _sentence(feature: Feature, name: str, wrong_has: bool, right: int, wrong: int) -> str:
    shown = name if name.startswith("argument ") else f"`{name}`"
    has, lacks = feature.has.format(shown), feature.lacks.format(shown)
    if not wrong_has:
        return f"Right on the {right} inputs {has}, wrong on the {wrong} {lacks}."
    if wrong == 1:
        return f"Right on the {right} inputs {lacks}, wrong on the only one {feature.one}."
    return f"Right on the {right} inputs {lacks}, wrong on the {wrong} {feature.many}."
