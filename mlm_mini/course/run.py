"""Runs a learner's function on one case, so that nothing it does can harm the judge.

It may hang, print a million lines, change its arguments, exit, or raise: each is recorded in an `Outcome`.
"""

from __future__ import annotations

import contextlib
import copy
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlm_mini.course.clock import TimeLimitReached, time_limit
from mlm_mini.course.compare import difference, without_names
from mlm_mini.course.exercise import Case, Exercise
from mlm_mini.course.surroundings import global_generators, quiet, restore_generators
from mlm_mini.course.watching import Calls, arrays_in, generators_in, watch_calls

SECONDS_PER_CASE = 10.0

# What a call may do besides giving an answer.
CHANGES = "changes "  # an argument is no longer what it was; its name follows
GLOBAL = "draws from a generator that belongs to nobody"
DRAWS = "draws from the generator that was handed in"
SHARES = "the answer shares memory with an input"


@dataclass(frozen=True)
class Outcome:
    """What came of one call: a value, or the error that was raised, and what happened on the way."""

    value: Any = None
    error: BaseException | None = None
    effects: tuple[str, ...] = ()  # what it did besides: the constants above, CHANGES with the name of the argument
    seconds: float = 0.0
    printed: str = ""
    printed_characters: int = 0
    from_reference: bool = False

    @property
    def changed(self) -> str:
        """The name or place of an argument that the call modified, or ""."""
        return next((effect.removeprefix(CHANGES) for effect in self.effects if effect.startswith(CHANGES)), "")

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of side effect, whichever argument they met."""
        return frozenset(CHANGES if effect.startswith(CHANGES) else effect for effect in self.effects)


def run_case(
    exercise: Exercise,
    function: Callable,
    case: Case,
    seconds: float = SECONDS_PER_CASE,
    watch: Calls | None = None,
) -> Outcome:
    """Calls `function` on copies of the case's arguments and records what came of it.

    With `watch`, also whether the course's own answer was called on the way. KeyboardInterrupt is passed on, because it
    is the learner's own.
    """
    loaded = len(sys.modules)
    outcome = _run_once(exercise, function, case, seconds, watch)
    if (
        GLOBAL in outcome.effects and len(sys.modules) > loaded
    ):  # a library may draw when it is loaded: not the function
        return _run_once(exercise, function, case, seconds, watch)
    return outcome


def _run_once(exercise: Exercise, function: Callable, case: Case, seconds: float, watch: Calls | None) -> Outcome:
    args, kwargs = copy.deepcopy((case.args, case.kwargs))
    value, error = None, None
    if exercise.prepare:
        exercise.prepare(())  # the first time PyTorch is loaded, which takes seconds that are not the function's

    def answering(*args: Any, **kwargs: Any) -> Any:
        return without_names(function(*args, **kwargs))

    generators = global_generators()
    began = time.perf_counter()
    with quiet() as kept:
        try:
            with time_limit(seconds), watch_calls(watch) if watch else contextlib.nullcontext([]) as called:
                value = exercise.observe(answering, *args, **kwargs) if exercise.observe else answering(*args, **kwargs)
        except KeyboardInterrupt:
            raise
        except TimeLimitReached:
            error = TimeLimitReached(seconds)
        except BaseException as caught:  # SystemExit too
            error = caught
    effects = []
    if changed := _changed_argument(case, args, kwargs):
        effects.append(f"{CHANGES}{changed}")
    if global_generators()[: len(generators)] != generators:  # PyTorch may have been loaded meanwhile
        effects.append(GLOBAL)
        restore_generators(generators)
    if generators_in(case.args) != generators_in(args):
        effects.append(DRAWS)
    if exercise.observe is None and _shares_memory(value, (args, kwargs)):
        effects.append(SHARES)
    return Outcome(
        value=value,
        error=error,
        effects=tuple(effects),
        seconds=time.perf_counter() - began,
        printed=kept.text,
        printed_characters=kept.characters,
        from_reference=bool(called),
    )


def _changed_argument(case: Case, args: tuple, kwargs: dict) -> str:
    """The name of the first argument that no longer equals the case's, or "" when all do."""
    before = {f"argument {place}": value for place, value in enumerate(case.args, 1)} | case.kwargs
    after = {f"argument {place}": value for place, value in enumerate(args, 1)} | kwargs
    for name, value in before.items():
        plain = isinstance(value, (np.ndarray, list, dict))  # what can be modified, other than a random generator
        if plain and difference(after[name], value, rtol=0.0, atol=0.0):
            return name
    return ""


def _shares_memory(value: Any, arguments: Any) -> bool:
    """Whether the answer, or an array in it, is one of the arguments or a view of one."""
    inputs = arrays_in(arguments)
    return any(np.may_share_memory(array, given) for array in arrays_in(value) for given in inputs)


def _that_matter(outcome: Outcome, effects: frozenset[str]) -> set[str]:
    """The side effects of those kinds, with the argument that was changed."""
    return {e for e in outcome.effects if e in effects or (e.startswith(CHANGES) and CHANGES in effects)}


def same_outcome(one: Outcome, other: Outcome, rtol: float, atol: float, effects: frozenset[str]) -> bool:
    """Whether two functions did the same thing on a case: the same answer or kind of error, the same side effects.

    effects: the kinds of side effect that matter here.
    """
    if (one.error is None) != (other.error is None) or _that_matter(one, effects) != _that_matter(other, effects):
        return False
    if one.error is not None:
        return type(one.error) is type(other.error)
    return difference(one.value, other.value, rtol, atol) is None
