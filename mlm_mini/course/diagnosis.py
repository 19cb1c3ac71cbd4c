"""Finds out what is wrong with a learner's function: facts, which `report.py` puts into words.

It runs the function on every input, compares with the worked answer, and looks for the known mistake, or two at once,
that does the same on all of them.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from mlm_mini.course.answer import Wrong
from mlm_mini.course.clock import TimeLimitReached
from mlm_mini.course.compare import Difference, difference
from mlm_mini.course.conditions import Tried, condition
from mlm_mini.course.exercise import Case, Exercise, Mistake
from mlm_mini.course.exercises import calls_to_watch
from mlm_mini.course.relations import Pair, relation
from mlm_mini.course.run import (
    CHANGES,
    DRAWS,
    GLOBAL,
    SECONDS_PER_CASE,
    SHARES,
    Outcome,
    run_case,
    same_outcome,
)
from mlm_mini.course.watching import arrays_in

FRESH = "fresh"  # the habit of returning a new object
SEARCH_SECONDS = 0.7  # beyond the known mistakes: what is not found by then is not said


@dataclass(frozen=True)
class Problem:
    """What is wrong with one outcome: `kind` names which of the ways to be wrong, `difference` says where and how."""

    kind: str
    difference: Difference | None = None


@dataclass(frozen=True)
class Diagnosis:
    """All that is known about a function, case by case; `problems` holds None where it is right."""

    exercise: Exercise
    outcomes: list[Outcome]
    expected: list[Outcome]
    problems: list[Problem | None]
    handed_in: bool = False
    mistake: Mistake | None = None
    lookalike: Mistake | None = None  # a known mistake that gives the same answers, where the function has one
    relation: str = ""  # how the answers relate to the right ones, on every input
    off: tuple[str, ...] = ()  # of several named measurements, those that are not as expected
    condition: str = ""  # what sets the inputs that are right apart from those that are not

    @property
    def correct(self) -> bool:
        return not self.handed_in and len(self.outcomes) == len(self.expected) and not any(self.problems)

    @property
    def first(self) -> int:
        """The failing case that is easiest to learn from: one that has an answer before one that asks for an error, and
        a small one before a large."""
        failing = [index for index, problem in enumerate(self.problems) if problem]
        cases = self.exercise.cases
        return min(
            failing,
            key=lambda i: (self.expected[i].error is not None, size(cases[i].args) or 10**9, size(cases[i].kwargs)),
        )


def size(value: Any) -> int:
    """How many numbers or words a value holds: what makes one input smaller than another."""
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, dict):
        return sum(size(item) for item in value.values())
    return sum(size(item) for item in value) if isinstance(value, (list, tuple)) else 1


def diagnose(
    exercise: Exercise,
    function: Callable,
    seconds: float = SECONDS_PER_CASE,
    search: float = SEARCH_SECONDS,
    watched: bool = True,
) -> Diagnosis:
    """Runs `function` on every case, until one shows that the others need not be tried.

    seconds: for a case. search: for what is wrong, beyond the known mistakes; what is found must not depend on the
    machine where marks do. watched: whether a call of the course's own answer is looked for, which takes time.
    """
    expected = expected_outcomes(exercise)
    outcomes: list[Outcome] = []
    for case in exercise.cases:
        watch = calls_to_watch(exercise) if watched else None
        outcomes.append(run_case(exercise, function, case, seconds, watch))
        if outcomes[-1].from_reference:
            return Diagnosis(exercise, outcomes, expected, [], handed_in=True)
        if isinstance(outcomes[-1].error, (TimeLimitReached, NotImplementedError)):
            break
    problems = _problems(exercise, outcomes, expected)
    found = Diagnosis(exercise, outcomes, expected, problems)
    if found.correct or len(outcomes) < len(expected):
        return found
    deadline = time.monotonic() + search
    if mistake := _known_mistake(found) or _compound(found, deadline):
        return replace(found, mistake=mistake)
    if lookalike := _lookalike(found, deadline):
        return replace(found, lookalike=lookalike)
    return replace(found, relation=_relation(found), off=_measurements_off(found), condition=_condition(found))


@cache
def expected_outcomes(exercise: Exercise) -> list[Outcome]:
    """What the worked answer does on every case."""
    return [run_case(exercise, exercise.reference, case) for case in exercise.cases]


@cache
def outcome_of(exercise: Exercise, way: Wrong, index: int) -> Outcome:
    """What one way to make a mistake does on one case."""
    return run_case(exercise, way.function, exercise.cases[index])


def mistake_outcomes(exercise: Exercise, index: int) -> list[list[Outcome]]:
    """What each implementation of a known mistake does on every case."""
    every = range(len(exercise.cases))
    return [[outcome_of(exercise, way, case) for case in every] for way in exercise.mistakes[index].ways]


def same_outcomes(exercise: Exercise, some: list[Outcome], others: list[Outcome]) -> bool:
    """Whether two functions did the same thing on every case."""
    pairs = zip(some, others, strict=True)
    return _draws(some) == _draws(others) and all(_same(exercise, one, other) for one, other in pairs)


def _same(exercise: Exercise, one: Outcome, other: Outcome) -> bool:
    effects = frozenset({CHANGES, GLOBAL} | ({SHARES} if FRESH in exercise.habits else set()))
    return same_outcome(one, other, exercise.rtol, exercise.atol, effects)


def _draws(outcomes: list[Outcome]) -> bool:
    return any(DRAWS in outcome.kinds for outcome in outcomes)


def _problems(exercise: Exercise, outcomes: list[Outcome], expected: list[Outcome]) -> list[Problem | None]:
    own_generator = _draws(expected) and not _draws(outcomes)
    return [_problem(exercise, yours, theirs, own_generator) for yours, theirs in zip(outcomes, expected, strict=False)]


def _problem(exercise: Exercise, yours: Outcome, expected: Outcome, own_generator: bool) -> Problem | None:
    """What is wrong with one outcome, or None."""
    if yours.error is not None:
        wanted = expected.error is not None and isinstance(yours.error, type(expected.error))
        return None if wanted else Problem("raised")
    if expected.error is not None:
        returned = isinstance(yours.value, BaseException) or yours.value is type(expected.error)
        return Problem("error returned" if returned else "no error")
    found = difference(yours.value, expected.value, exercise.rtol, exercise.atol)
    if found:
        return Problem("differs", found)
    extra = yours.kinds - expected.kinds
    if CHANGES in extra:
        return Problem("changes an input")
    if GLOBAL in extra:
        return Problem("global generator")
    if own_generator and DRAWS in expected.kinds:
        return Problem("generator of its own")
    if SHARES in extra and FRESH in exercise.habits:
        return Problem("not a new object")
    return None


def _cheapest_first(found: Diagnosis, failing_first: bool = False) -> list[int]:
    """The places of the cases, quickest first: most mistakes part from an answer at the first."""
    return sorted(
        range(len(found.expected)),
        key=lambda i: (failing_first and found.problems[i] is None, found.expected[i].seconds),
    )


def _does_the_same(found: Diagnosis, way: Wrong, order: list[int]) -> bool:
    return all(_same(found.exercise, found.outcomes[i], outcome_of(found.exercise, way, i)) for i in order)


def _known_mistake(found: Diagnosis) -> Mistake | None:
    """The mistake of which a way does on every case what the learner's function does."""
    order = _cheapest_first(found)
    for mistake in found.exercise.mistakes:
        for way in mistake.ways:
            if _does_the_same(found, way, order) and _telling(found, mistake, way):
                return mistake
    return None


def _telling(found: Diagnosis, mistake: Mistake, way: Wrong) -> bool:
    """Whether the two share more than errors, which may come of anything, and draw from the same generators."""
    theirs = [outcome_of(found.exercise, way, i) for i in range(len(found.expected))]
    own_luck = any(problem and problem.kind == "generator of its own" for problem in found.problems)
    if own_luck and _draws(theirs):
        return False
    return mistake.raises or any(problem and problem.kind != "raised" for problem in found.problems)


def _compound(found: Diagnosis, deadline: float) -> Mistake | None:
    """The two mistakes that together do what the learner's function does, or None."""
    order = _cheapest_first(found, failing_first=True)
    matching: list[Mistake] = []
    for compound in found.exercise.compounds:
        for way in compound.ways:
            if time.monotonic() > deadline:
                return None
            if _does_the_same(found, way, order) and _telling(found, compound, way):
                matching.append(compound)
                break
    return _plainest(matching)


def _plainest(compounds: list[Mistake]) -> Mistake | None:
    """Of compounds that all do the same, the one that takes the least change of the answer; None of none."""
    sizes = {
        compound: min(sum(len(edit.old + edit.new) for edit in way.edits) for way in compound.ways)
        for compound in compounds
    }
    return min(compounds, key=sizes.get, default=None)


def _lookalike(found: Diagnosis, deadline: float) -> Mistake | None:
    """The known mistake that gives the same answers as a function that raises or overflows elsewhere, or None."""
    candidates = [*found.exercise.mistakes, *found.exercise.compounds]
    matching = []
    for mistake in candidates:
        if time.monotonic() > deadline:
            return None
        if any(_same_where_it_answers(found, way, bool(mistake.parts)) for way in mistake.ways):
            if not mistake.parts:
                return mistake  # a single mistake explains more than two
            matching.append(mistake)
    return _plainest(matching)


def _same_where_it_answers(found: Diagnosis, way: Wrong, compound: bool) -> bool:
    """Whether the answers agree on every case where the learner's function has one, and are wrong there.

    A mistake that has no answer where the learner's function has one is another: what is said to it may be about that.
    """
    wrong_together = common = 0
    draws = []
    for i in _cheapest_first(found):
        if not _has_answer(found.outcomes[i], found.expected[i]):
            continue
        theirs = outcome_of(found.exercise, way, i)
        if not _has_answer(theirs, found.expected[i]):
            return False
        if not _same(found.exercise, found.outcomes[i], theirs):
            return False
        draws.append(theirs)
        common += 1
        wrong_together += found.problems[i] is not None
    agree = _draws(draws) == _draws(found.outcomes)
    return agree and wrong_together > (1 if compound else 0) and common > 1


def _has_answer(outcome: Outcome, expected: Outcome) -> bool:
    """Whether a call gave a value without overflow: no more of it is NaN or infinite than is expected."""
    return outcome.error is None and _not_finite(outcome.value) <= _not_finite(expected.value)


def _not_finite(value: Any) -> int:
    arrays = [array for array in arrays_in([value]) if array.dtype.kind == "f"]
    arrays += [np.asarray(item) for item in _items(value) if isinstance(item, float)]
    return sum(int((~np.isfinite(array)).sum()) for array in arrays)


def _items(value: Any) -> list:
    return list(value) if type(value) in (list, tuple) else [value]


def _relation(found: Diagnosis) -> str:
    """How the answers relate to the right ones; "" for random answers, which agree by chance only so far."""
    if found.exercise.is_random or not any(problem and problem.kind == "differs" for problem in found.problems):
        return ""
    names = parameter_names(found.exercise)
    pairs, finite = [], []
    for case, yours, theirs in zip(found.exercise.cases, found.outcomes, found.expected, strict=True):
        if yours.error is None and theirs.error is None:
            pairs.append(Pair(case.name, case.args, case.kwargs, _main(yours.value), _main(theirs.value), names))
            if _has_answer(yours, theirs):
                finite.append(pairs[-1])
    everywhere = relation(pairs, found.exercise.rtol, found.exercise.atol)
    if everywhere or not len(pairs) / 2 <= len(finite) < len(pairs):
        return everywhere
    where_finite = relation(finite, found.exercise.rtol, found.exercise.atol)
    return f"Where nothing overflows: {where_finite}" if where_finite and not where_finite.endswith("off.") else ""


def _main(value: Any) -> Any:
    """The answer itself, where more is measured on it."""
    return value["answer"] if type(value) is dict and "answer" in value else value


def _measurements_off(found: Diagnosis) -> tuple[str, ...]:
    """Of an exercise whose answers are measured, the names of the measurements that are off on any input."""
    off: dict[str, None] = {}
    for yours, theirs in zip(found.outcomes, found.expected, strict=True):
        if type(yours.value) is not dict or type(theirs.value) is not dict or found.exercise.observe is None:
            continue
        for name, value in theirs.value.items():
            if name in yours.value and difference(yours.value[name], value, found.exercise.rtol, found.exercise.atol):
                off[name] = None
    return tuple(off)


def _condition(found: Diagnosis) -> str:
    names = parameter_names(found.exercise)
    tried = [
        Tried(case.args, case.kwargs, names, problem is None)
        for case, problem in zip(found.exercise.cases, found.problems, strict=True)
    ]
    return condition(tried)


def parameter_names(exercise: Exercise) -> tuple[str, ...]:
    """What the arguments of an exercise's function are called."""
    return tuple(inspect.signature(exercise.reference).parameters)


def signature_complaint(exercise: Exercise, function: Callable) -> str:
    """Why `function` cannot be called as the check calls it, or ""."""
    case: Case = exercise.cases[0]
    try:
        inspect.signature(function).bind(*case.args, **case.kwargs)
    except TypeError as error:
        return str(error)
    except Exception:  # a built-in function, or a strange object, may have no signature: then the call itself will tell
        pass
    return ""
