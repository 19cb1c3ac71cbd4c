"""`check` judges a learner's function, says what is wrong and why, and raises when it is not right."""

from __future__ import annotations

import copy
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlm_mini.course import progress, report
from mlm_mini.course.diagnosis import Diagnosis, diagnose
from mlm_mini.course.exercise import Exercise, Mistake
from mlm_mini.course.exercises import find_exercise
from mlm_mini.course.run import SECONDS_PER_CASE

# What NumPy does unless told otherwise: a notebook's np.seterr is for the learner's own numbers, not for the judge's.
USUAL_FLOATS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
_failing: dict[str, FailingInput] = {}  # of each exercise, what its last check in this notebook failed on


class CheckFailed(AssertionError):
    """The learner's function is not right yet. The message is all a learner needs: no traceback is shown with it."""

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback; nbval reports the same lines."""
        return str(self).splitlines()


@dataclass(frozen=True)
class Verdict:
    """What `judge` found. `lines` is the report.

    mistake       the known mistake that was made, if it was one.
    explanation   the sentence that says what is wrong: that of the known mistake, how the answers relate to the right
                  ones, or what sets the failing inputs apart; "" where nothing is sure.
    failing       the failing input that the report shows.
    """

    exercise: Exercise
    correct: bool
    lines: tuple[str, ...]
    mistake: Mistake | None = None
    explanation: str = ""
    failing: FailingInput | None = None


@dataclass(frozen=True)
class FailingInput:
    """An input on which a function is not right, to try things on: `softmax(*bad.args, **bad.kwargs)`.

    yours is what the function answered, or the exception that it raised; expected is what it should have.
    """

    args: tuple
    kwargs: dict[str, Any]
    yours: Any
    expected: Any


def check(exercise_id: str, function: Callable) -> None:
    """Judges `function` as the answer to an exercise, on every input the exercise knows.

    Prints one line when it is right. Raises CheckFailed with a short report when it is not: the known mistake it makes,
    the smallest failing input, the answer, the expected answer. Raises ValueError when there is no such exercise.
    """
    __tracebackhide__ = True  # pytest then shows the report alone
    with np.errstate(**USUAL_FLOATS):
        verdict = judge(find_exercise(exercise_id), function)
    _failing.pop(exercise_id, None)
    if verdict.failing:
        _failing[exercise_id] = verdict.failing
    if not _in_solutions():
        _remember(verdict)
    if not verdict.correct:
        raise CheckFailed("\n".join(verdict.lines)) from None
    print("\n".join(verdict.lines))


def failing(exercise_id: str) -> FailingInput:
    """The smallest input on which the last `check` of this exercise failed, with both answers.

    Raises ValueError when no check of it has failed since this notebook was started.
    """
    exercise = find_exercise(exercise_id)
    if exercise_id not in _failing:
        name = exercise.answer.name
        raise ValueError(f'nothing has failed yet: run check("{exercise_id}", {name}) first, then failing again')
    return copy.deepcopy(_failing[exercise_id])  # what is tried on it must not change it


def hint(exercise_id: str) -> None:
    """Prints the next hint for an exercise: one step more at each call."""
    exercise = find_exercise(exercise_id)
    count = len(exercise.hints)
    try:
        index = progress.next_hint(exercise.id, count)
    except Exception as error:  # no place to remember how far one is: the first hint is better than none
        warnings.warn(f"your progress could not be saved ({error}): this is the first hint.", stacklevel=2)
        index = 0
    last = (
        f" The last one: a worked answer stands in solutions/, chapter {exercise.chapter}."
        if index == count - 1
        else ""
    )
    print(f"Hint {index + 1} of {count} for {exercise.id}: {exercise.hints[index]}{last}")


def judge(exercise: Exercise, function: Any, seconds: float = SECONDS_PER_CASE) -> Verdict:
    """Runs `function` on the exercise's cases and says what is right or wrong with it. Records nothing."""
    if refusal := report.refusal(exercise, function):
        return Verdict(exercise, False, report.failed(exercise, [refusal]))
    found = diagnose(exercise, function, seconds)
    if found.correct:
        return Verdict(exercise, True, report.passed(found))
    lines = report.failed(exercise, report.body(found))
    return Verdict(exercise, False, lines, found.mistake, report.explanation(found), _failing_input(found))


def _failing_input(found: Diagnosis) -> FailingInput | None:
    if not any(found.problems):
        return None
    exercise, first = found.exercise, found.first
    args, kwargs = copy.deepcopy((exercise.cases[first].args, exercise.cases[first].kwargs))
    yours, expected = found.outcomes[first], found.expected[first]
    return FailingInput(
        exercise.prepare(args) if exercise.prepare else args,
        kwargs,
        yours.value if yours.error is None else yours.error,
        expected.value if expected.error is None else expected.error,
    )


def _remember(verdict: Verdict) -> None:
    """Records the attempt. A progress file that cannot be written is worth a warning, never a failed check."""
    try:
        progress.record_attempt(verdict.exercise.id, verdict.correct)
    except Exception as error:  # a full disk, no permission, a lock that another notebook holds
        warnings.warn(f"your progress could not be saved ({error}); the verdict below stands.", stacklevel=3)


def _in_solutions() -> bool:
    """Whether this is a notebook in solutions/, whose checks are not the learner's."""
    folder = Path(os.getcwd())
    return folder.name == "solutions" and (folder.parent / "chapters").is_dir()
