"""Points for each exercise, and what to say to the learner.

An exercise is worth its minutes. It earns all of them when the function is right on the inputs that the course shows
and on fresh ones. Otherwise it may earn up to half, in proportion to the fresh inputs that it gets right, and nothing
if these are fewer than half, or if it draws by a wrong law, or answers the same input now so and now so. Inputs that a
function which does nothing gets right are not counted, and a bug clinic, where broken code is handed out, is mended or
not. So a table of known answers earns nothing.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mlm_mini.course import report
from mlm_mini.course.clock import TimeLimitReached
from mlm_mini.course.diagnosis import Diagnosis, diagnose
from mlm_mini.course.judging import USUAL_FLOATS
from mlm_mini.grading.fresh import fresh
from mlm_mini.grading.libraries import libraries_named
from mlm_mini.grading.partial import is_drawn, part_of_the_points
from mlm_mini.grading.program import PROCESS_ENDED, REFUSED, ProcessEnded
from mlm_mini.grading.proxy import Submitted
from mlm_mini.grading.sandbox import Sandbox, SandboxError
from mlm_mini.grading.startup import Limits
from mlm_mini.grading.steadiness import unsteadiness
from mlm_mini.grading.submission import Part, Submission
from mlm_mini.quoting import printable

LONG = 400  # characters of a function's syntax tree, below which everybody writes the same
IMPORTED = "calls the course's own answer"
MEMORIZED = "right on the course's own inputs alone"


@dataclass(frozen=True)
class Mark:
    """What an exercise earned, and why. `inputs` says on how many inputs the function is right."""

    id: str
    title: str
    points: float
    max_points: float
    mistake: str = ""
    feedback: str = ""
    inputs: str = ""
    hint: str = ""
    remarks: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    shape: str = ""


def mark_submission(submission: Submission, sandbox: Sandbox, seed: int) -> list[Mark]:
    """The mark of every exercise of the chapter, each in a process of its own."""
    with np.errstate(**USUAL_FLOATS):
        return [mark(part, sandbox, seed) for part in submission.parts]


def mark(part: Part, sandbox: Sandbox, seed: int) -> Mark:
    """What one exercise earned. Whatever a submission does to the judging of it costs that submission the exercise."""
    exercise = part.exercise
    if part.program is None:
        return _mark(part, 0.0, feedback=part.missing)
    submitted = Submitted(part.program, sandbox)
    try:
        return _judged(part, submitted, sandbox.limits, seed)
    except ProcessEnded as error:
        return _mark(part, 0.0, feedback=str(error))
    except (KeyboardInterrupt, MemoryError, SandboxError):  # not the submission's fault
        raise
    except Exception as error:  # an answer that breaks the comparison itself
        return _mark(part, 0.0, feedback=f"The answer of `{exercise.answer.name}` cannot be judged ({error}).")
    finally:
        submitted.close()


def _judged(part: Part, submitted: Submitted, limits: Limits, seed: int) -> Mark:
    exercise = part.exercise
    function = submitted.described()
    if refusal := report.refusal(exercise, function):
        missing = submitted.seen.failures
        return _mark(part, 0.0, feedback=_with_failures(refusal, missing) if function is None else refusal)
    if exercise.is_random:  # fresh inputs are the known ones with other luck: who is right on them need not do both
        again = diagnose(fresh(exercise, seed), function, limits.judging, search=0.0, watched=False)
        if again.correct and not submitted.seen.handed_in:
            return _right(part, submitted, f"of fresh inputs {_count(again)}")
    search = 0.0 if exercise.is_random or exercise.prepare else math.inf  # all or nothing: no clock decides
    found = diagnose(exercise, function, limits.judging, search, watched=False)
    if refused := _refused(part, submitted, found):
        return refused
    if submitted.seen.ends and not any(problem is None for problem in found.problems):
        return _mark(part, 0.0, feedback=PROCESS_ENDED, inputs=_count(found))
    if _given_up(found):
        return _mark(part, 0.0, feedback=_feedback(found, submitted), inputs=_count(found))
    again = diagnose(fresh(exercise, seed), function, limits.judging, search=0.0, watched=False)
    if refused := _refused(part, submitted, found):
        return refused
    inputs = f"{_count(found)}; of fresh ones {_count(again)}"
    if found.correct and again.correct:
        return _right(part, submitted, inputs)
    points = part_of_the_points(exercise, again, seed)
    unsteady = unsteadiness(submitted) if points else ""
    points = 0.0 if unsteady else points
    if not found.correct:
        mistake = found.mistake.name if found.mistake else ""
        feedback = _feedback(found, submitted) + (f"\n{unsteady}" if unsteady else "")
        return _mark(part, points, mistake=mistake, feedback=feedback, inputs=inputs)
    said = "Right on the inputs that the course shows, and not on fresh ones of the same kind.\n"
    flags = () if points else (MEMORIZED,)
    return _mark(part, points, feedback=said + _feedback(again, submitted), inputs=inputs, flags=flags)


def _refused(part: Part, submitted: Submitted, found: Diagnosis) -> Mark | None:
    """The mark of who handed the course's own answer in, or took too long."""
    if submitted.seen.handed_in:
        return _mark(part, 0.0, feedback=report.HANDED_IN, flags=(IMPORTED,))
    if submitted.seen.slow:
        return _mark(part, 0.0, feedback=submitted.seen.slow, inputs=_count(found))
    return None


def _right(part: Part, submitted: Submitted, inputs: str) -> Mark:
    """Full marks; but who draws at random must draw alike from a generator in the same state, whoever asks."""
    flags = tuple(f"the answer is taken from {name}" for name in libraries_named(submitted.program))
    if unsteady := unsteadiness(submitted) if is_drawn(part.exercise) else "":
        return _mark(part, 0.0, feedback=unsteady, inputs=inputs, flags=flags)
    return _mark(part, float(part.exercise.minutes), feedback="Correct.", inputs=inputs, flags=flags)


def _mark(part: Part, points: float, **rest: Any) -> Mark:
    exercise = part.exercise
    hint = "" if points == exercise.minutes else exercise.hints[0]
    return Mark(
        exercise.id,
        exercise.title,
        points,
        float(exercise.minutes),
        hint=hint,
        remarks=part.remarks,
        shape=part.shape,
        **rest,
    )


def _given_up(found: Diagnosis) -> bool:
    """Whether the function was not tried on every input: it takes too long, or is not written."""
    return len(found.outcomes) < len(found.expected) or isinstance(found.outcomes[-1].error, TimeLimitReached)


def _count(found: Diagnosis) -> str:
    return f"{found.problems.count(None)} of {len(found.expected)} right"


def _feedback(found: Diagnosis, submitted: Submitted) -> str:
    lines = [line for text in report.body(found) for line in text.splitlines()]
    kept = [line for line in lines if not line.startswith("To try things on that input")]
    if submitted.seen.line and any("raised" in line for line in kept):
        kept.append(f"It was raised in {submitted.seen.line}")
    if any(isinstance(outcome.error, PermissionError) for outcome in found.outcomes):
        kept.append(REFUSED)
    return _with_failures("\n".join(kept), submitted.seen.failures)


def _with_failures(text: str, failures: list) -> str:
    """Statements that the function needs and that did not run explain a lot."""
    said = [f"{str(name)[:60]}: {str(message)[:160]}" for _, name, message in failures[:2] if name]
    return text + (f"\nBefore it was called, a cell that it needs failed: {'; '.join(said)}" if said else "")


def as_row(name: str, chapter: str, submission: Submission, marks: list[Mark]) -> dict:
    """A submission's marks, as `--json` has them."""
    flags = [*submission.flags, *(f"{one.id} {flag}" for one in marks for flag in one.flags)]
    exercises = []
    for one in marks:
        row = asdict(one)
        row["mistake"] = one.mistake or None
        row["shape"] = hashlib.sha256(one.shape.encode()).hexdigest()[:16] if len(one.shape) >= LONG else ""
        row["remarks"], row["flags"] = list(one.remarks), list(one.flags)
        exercises.append(row)
    return {
        "name": name,
        "chapter": chapter,
        "points": sum(one.points for one in marks),
        "max_points": sum(one.max_points for one in marks),
        "flags": flags,
        "problem": "",
        "remarks": list(submission.remarks),
        "left_out": list(submission.left_out),
        "exercises": exercises,
    }


def broken_row(name: str, chapter: str, problem: str) -> dict:
    """The row of a file that cannot be marked."""
    empty: dict = {"points": 0.0, "max_points": 0.0, "flags": ["not marked"]}
    empty["problem"] = printable(problem)  # it may quote a path
    return {"name": name, "chapter": chapter, **empty, "remarks": [], "left_out": [], "exercises": []}
