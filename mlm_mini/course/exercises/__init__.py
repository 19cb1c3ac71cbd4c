"""The exercises of the course, one module per chapter, each with a tuple `EXERCISES`.

A new chapter adds a module `chNN.py` here; nothing else lists it.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache

from mlm_mini.course.exercise import Exercise
from mlm_mini.course.watching import Calls


@cache
def all_exercises() -> dict[str, Exercise]:
    """Every exercise by its id, in the order of the chapters."""
    found: dict[str, Exercise] = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__)):
        module = importlib.import_module(f"{__name__}.{name}")
        for exercise in module.EXERCISES:
            if f"ch{exercise.chapter}" != name:
                raise ValueError(
                    f"exercise {exercise.id} stands in {name}.py; its chapter's file is ch{exercise.chapter}.py"
                )
            if exercise.id in found:
                raise ValueError(f"two exercises are called {exercise.id}")
            found[exercise.id] = exercise
    return found


def find_exercise(exercise_id: str) -> Exercise:
    """The exercise of that id. Raises ValueError that names the nearest ids when there is none."""
    exercises = all_exercises()
    if not isinstance(exercise_id, str):
        raise ValueError(
            f'the exercise\'s id comes first, as text: check("01.softmax", softmax); got {type(exercise_id).__name__}'
        )
    if exercise_id in exercises:
        return exercises[exercise_id]
    near = difflib.get_close_matches(exercise_id, exercises, n=3, cutoff=0.5) or list(exercises)[:3]
    raise ValueError(f"there is no exercise {exercise_id!r}; did you mean {' or '.join(near)}?")


@cache
def calls_to_watch(exercise: Exercise) -> Calls:
    """What a learner may not call for this exercise, and what may be called because it was built before.

    The twins of this exercise and of later ones give the answer away; those of earlier exercises are the learner's own
    work by now.
    """
    own = {exercise.twin.path} if exercise.twin else set()
    earlier, later, reached = set(), set(), False
    for other in all_exercises().values():
        reached |= other is exercise
        if other.twin:
            (later if reached else earlier).add(other.twin.path)
    forbidden = own | set(exercise.answers_in) | (later - earlier)
    return Calls(frozenset(forbidden), frozenset(earlier - forbidden))
