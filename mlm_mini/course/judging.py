"""`check` judges a learner's function, says what is wrong and why, and raises when it is not right."""

from __future__ import annotations

import inspect
import linecache
import os
import sysconfig
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mlm_mini.course import progress
from mlm_mini.course.compare import Difference, difference, type_name
from mlm_mini.course.exercise import Case, Exercise, Mistake, WrongAnswer
from mlm_mini.course.exercises import find_exercise
from mlm_mini.course.report import call_text, lines_of, safe_text, size, value_text
from mlm_mini.course.run import SECONDS_PER_CASE, Outcome, TimeLimitReached, run_case, same_outcome

PRINTED_WORTH_A_REMARK = 1000
HANDED_IN = (
    "This calls the course's own answer from mlm_mini. It is a good place to read once yours runs; "
    "writing it yourself is where the learning is. Try a first version, however rough, and the check will help."
)


class CheckFailed(AssertionError):
    """The learner's function is not right yet. The message is all a learner needs: no traceback is shown with it."""

    def _render_traceback_(self) -> list[str]:
        """What IPython prints instead of a traceback; nbval reports the same lines."""
        return str(self).splitlines()


@dataclass(frozen=True)
class Verdict:
    """What `judge` found. `lines` is the report; `mistake` is set when a known one was made."""

    exercise: Exercise
    correct: bool
    lines: tuple[str, ...]
    mistake: Mistake | None = None


def check(exercise_id: str, function: Callable) -> None:
    """Judges `function` as the answer to an exercise, on every input the exercise knows.

    Prints one line when it is right. Raises CheckFailed with a short report when it is not: the known mistake it makes,
    the smallest failing input, the answer, the expected answer. Raises ValueError when there is no such exercise.
    """
    __tracebackhide__ = True  # pytest then shows the report alone
    verdict = judge(find_exercise(exercise_id), function)
    if not _in_solutions():
        _remember(verdict)
    if not verdict.correct:
        raise CheckFailed("\n".join(verdict.lines)) from None
    print("\n".join(verdict.lines))


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
    refusal = _refusal(exercise, function)
    if refusal:
        return _failed(exercise, [refusal])
    expected = expected_outcomes(exercise)
    outcomes: list[Outcome] = []
    for case in exercise.cases:
        outcomes.append(run_case(exercise, function, case, seconds, watch=True))
        if outcomes[-1].from_reference:
            return _failed(exercise, [HANDED_IN])
        if isinstance(outcomes[-1].error, (TimeLimitReached, NotImplementedError)):
            break
    right = [_problem(exercise, ours, theirs) is None for ours, theirs in zip(outcomes, expected, strict=False)]
    if len(right) == len(expected) and all(right):
        remark = _printing_remark(outcomes)
        return Verdict(exercise, True, (f"{exercise.id}: correct on all {len(right)} inputs.", *remark))
    failing = [index for index, is_right in enumerate(right) if not is_right]
    # The easiest to learn from: an input with an answer before one that asks for an error, a small one before a large.
    first = min(
        failing, key=lambda index: (expected[index].error is not None, size(exercise.cases[index].args) or 10**9)
    )
    mistake = _known_mistake(exercise, outcomes)
    return _report(exercise, exercise.cases[first], outcomes[first], expected[first], mistake, right.count(True))


@cache
def expected_outcomes(exercise: Exercise) -> list[Outcome]:
    """What the reference does on every case."""
    return [run_case(exercise, exercise.reference, case) for case in exercise.cases]


@cache
def mistake_outcomes(exercise: Exercise, index: int) -> list[list[Outcome]]:
    """What each implementation of a known mistake does on every case."""
    return [
        [run_case(exercise, wrong, case) for case in exercise.cases] for wrong in exercise.mistakes[index].functions
    ]


def same_outcomes(exercise: Exercise, some: list[Outcome], others: list[Outcome]) -> bool:
    """Whether two functions did the same thing on every case."""
    pairs = zip(some, others, strict=True)
    return all(same_outcome(one, other, exercise.rtol, exercise.atol) for one, other in pairs)


def _known_mistake(exercise: Exercise, outcomes: list[Outcome]) -> Mistake | None:
    """The mistake of which an implementation does on every case what the learner's function does."""
    if len(outcomes) < len(exercise.cases):
        return None
    for index, mistake in enumerate(exercise.mistakes):
        if any(same_outcomes(exercise, outcomes, theirs) for theirs in mistake_outcomes(exercise, index)):
            return mistake
    return None


def _problem(exercise: Exercise, yours: Outcome, expected: Outcome) -> Difference | None:
    """What is wrong with one outcome, in one sentence, or None."""
    if yours.error is not None:
        return None if _same_refusal(yours, expected) else Difference(_error_sentence(yours.error))
    if expected.error is not None:
        wanted = type(expected.error).__name__
        if isinstance(yours.value, BaseException) or yours.value is type(expected.error):
            return Difference(f"Your function returns the {wanted}; an error is raised: which statement does that?")
        return Difference(f"Expected a {wanted} for this input; your function answered {type_name(yours.value)}.")
    found = difference(yours.value, expected.value, exercise.rtol, exercise.atol)
    if found:
        return found
    if yours.changed and not expected.changed:
        return Difference(
            f"The answer is right, but your function modifies its input ({yours.changed}): work on a copy."
        )
    return None


def _same_refusal(yours: Outcome, expected: Outcome) -> bool:
    return expected.error is not None and isinstance(yours.error, type(expected.error))


def _refusal(exercise: Exercise, function: Any) -> str:
    """Why `function` cannot be run at all, in a sentence, or ""."""
    name = exercise.reference.__name__
    if inspect.isclass(function):
        return f"You handed in the class {function.__name__}; a function is expected."
    if not callable(function):
        return (
            f"You handed in a {type_name(function)}, which is not a function. "
            f'Give the function itself, without parentheses: check("{exercise.id}", {name})'
        )
    if inspect.isfunction(function) and inspect.iscoroutinefunction(function):
        return "Your function is an `async def`: a call only makes a coroutine. Write a plain `def`."
    try:
        inspect.signature(function).bind(*exercise.cases[0].args, **exercise.cases[0].kwargs)
    except TypeError as error:
        return (
            f"The check calls {call_text(exercise, exercise.cases[0])}, and your function cannot be called so: {error}."
        )
    except Exception:  # a built-in function, or a strange object, may have no signature: then the call itself will tell
        pass
    return ""


def _error_sentence(error: BaseException) -> str:
    if isinstance(error, TimeLimitReached):
        return f"Your function did not finish within {error.args[0]:g} seconds: is there a loop that never ends?"
    if isinstance(error, NotImplementedError):
        return "This exercise is not written yet: replace the line `raise NotImplementedError` with your code."
    if isinstance(error, WrongAnswer):
        return str(error)
    if isinstance(error, SystemExit):
        return "Your function calls exit(): return a value instead."
    text = lines_of(safe_text(str, error), width=160, most=1)
    return f"Your function raised {type(error).__name__}{': ' + text[0] if text else ''}{_where(error)}"


def _where(error: BaseException) -> str:
    """The learner's line that raised: the last that is not in this package, an installed one, or Python's own."""
    ours, pythons = Path(__file__).resolve().parents[1], Path(sysconfig.get_path("stdlib")).resolve()
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        file = Path(frame.filename).resolve()
        if ours in file.parents or pythons in file.parents or "site-packages" in file.parts:
            continue
        source = (frame.line or linecache.getline(frame.filename, frame.lineno or 0)).strip()
        return f"\n  in line {frame.lineno} of your code: {source}" if source else ""
    return ""


def _printing_remark(outcomes: list[Outcome]) -> list[str]:
    most = max(outcomes, key=lambda outcome: outcome.printed_characters)
    if most.printed_characters > PRINTED_WORTH_A_REMARK:
        return [f"(It printed {most.printed_characters} characters on one input; the check left them out.)"]
    return []


def _report(
    exercise: Exercise, case: Case, yours: Outcome, expected: Outcome, mistake: Mistake | None, right: int
) -> Verdict:
    """At most fifteen lines: the mistake, the smallest failing input, both answers, the largest difference."""
    problem = _problem(exercise, yours, expected)
    assert problem is not None
    if isinstance(yours.error, (NotImplementedError, TimeLimitReached)):
        return _failed(exercise, [problem.sentence])
    lines: list[str] = []
    if mistake:
        lines += [
            f"Known mistake: {mistake.name}.",
            *("  " + line for line in lines_of(mistake.says, width=110, most=3)),
        ]
    are = "is" if right == 1 else "are"
    lines.append(f"Smallest failing input: {case.name}; {right} of {len(exercise.cases)} inputs {are} right.")
    lines += ["  " + line for line in lines_of(call_text(exercise, case), width=110, most=2)]
    if yours.error is None:
        lines += value_text("Yours:    ", yours.value, near=problem.where)
    if expected.error is None:
        label = "Expected: about " if exercise.is_random else "Expected: "
        lines += value_text(label, expected.value, near=problem.where)
    else:
        lines.append(f"Expected: {type(expected.error).__name__}: {lines_of(safe_text(str, expected.error), 90, 1)[0]}")
    lines += problem.sentence.splitlines()
    if problem.where and problem.largest is None and problem.where not in problem.sentence:
        lines[-1] += f" It is at {problem.where}."
    if problem.largest is not None and exercise.is_random:
        lines.append(f"Difference: {problem.largest:.3g}; chance alone stays within {exercise.atol:g}")
    elif problem.largest is not None:
        lines.append(f"Largest difference: {problem.largest:.3g}{' at ' + problem.where if problem.where else ''}")
    if yours.printed_characters:
        shown = lines_of(yours.printed, width=80, most=1)
        lines.append(f"It printed {yours.printed_characters} characters, beginning: {shown[0] if shown else ''}")
    return _failed(exercise, lines, mistake)


def _failed(exercise: Exercise, lines: list[str], mistake: Mistake | None = None) -> Verdict:
    body = [line for text in lines for line in text.splitlines()]
    closing = f'One step of help: hint("{exercise.id}")'
    return Verdict(exercise, False, (f"{exercise.id}: not right yet.", *body[:13], closing), mistake)


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
