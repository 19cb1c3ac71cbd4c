"""Part of an exercise's points, for a function that is not right on all inputs, and on which inputs it counts."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from mlm_mini.course.diagnosis import Diagnosis, expected_outcomes
from mlm_mini.course.exercise import Exercise
from mlm_mini.course.run import DRAWS, run_case, same_outcome
from mlm_mini.grading.fresh import fresh
from mlm_mini.grading.submission import pristine

MOST_PARTIAL = 0.5  # of an exercise's points


def part_of_the_points(exercise: Exercise, again: Diagnosis, seed: int) -> float:
    """Part of the points, for being right on at least half of the inputs that tell something.

    Where the answer is drawn at random, a wrong answer to any input shows that the law is wrong, and so on all inputs,
    also on those that are too few to show it. Then a part is left to errors on some inputs alone.
    """
    handed_out = pristine(exercise.chapter)
    given = handed_out.given.get(exercise.id) if handed_out else None
    is_clinic = "clinic" in exercise.id or (given is not None and not given.is_stub)
    if is_clinic or len(again.outcomes) < len(again.expected) or again.handed_in:
        return 0.0
    if is_drawn(exercise) and any(problem is not None and problem.kind != "raised" for problem in again.problems):
        return 0.0
    counted = [problem for problem, tells in zip(again.problems, telling(exercise, seed), strict=True) if tells]
    right = counted.count(None)
    if not counted or 2 * right < len(counted) or right == 0:
        return 0.0
    return math.floor(2 * MOST_PARTIAL * exercise.minutes * right / len(counted)) / 2


def is_drawn(exercise: Exercise) -> bool:
    """Whether a right answer is drawn from a generator that is handed in."""
    return exercise.is_random or any(DRAWS in outcome.kinds for outcome in expected_outcomes(exercise))


@cache
def telling(exercise: Exercise, seed: int) -> list[bool]:
    """Of each fresh input, whether no function that does nothing is right on it."""
    new = fresh(exercise, seed)
    return [
        not any(_agrees(new, place, idle) for idle in _idle(len(case.args) + len(case.kwargs)))
        for place, case in enumerate(new.cases)
    ]


def _agrees(exercise: Exercise, place: int, function: Callable) -> bool:
    expected = expected_outcomes(exercise)[place]
    outcome = run_case(exercise, function, exercise.cases[place])
    return same_outcome(outcome, expected, exercise.rtol, exercise.atol, frozenset())


def _idle(arguments: int) -> list[Callable]:
    """Functions that do nothing: they return an argument, a constant, or an array of one number."""

    def argument(place: int) -> Callable:
        return lambda *args, **kwargs: copy.deepcopy([*args, *kwargs.values()][place])

    def constant(value: Any) -> Callable:
        return lambda *args, **kwargs: copy.deepcopy(value)

    def filled(place: int, value: Any) -> Callable:
        return lambda *args, **kwargs: np.full_like([*args, *kwargs.values()][place], value, dtype=type(value))

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise ValueError("nothing")

    constants = (None, 0, 1, 0.0, 1.0, math.inf, math.nan, True, False, "", [], {}, ([], []))
    found = [constant(value) for value in constants] + [fails]
    for place in range(arguments):
        found += [argument(place), *(filled(place, value) for value in (0.0, 1.0, 0, 1, -100, True, False))]
    return found
