"""Puts a diagnosis into words: at most fifteen lines, for a learner who has just pressed Shift+Enter."""

from __future__ import annotations

import inspect
import linecache
import sysconfig
import traceback
from pathlib import Path
from typing import Any

from mlm_mini.course.clock import TimeLimitReached
from mlm_mini.course.compare import Difference, type_name
from mlm_mini.course.diagnosis import Diagnosis, Problem, parameter_names, signature_complaint
from mlm_mini.course.exercise import Case, Exercise, WrongAnswer
from mlm_mini.course.run import Outcome
from mlm_mini.course.showing import call_text, lines_of, safe_text, value_text

PRINTED_WORTH_A_REMARK = 1000
MOST_BODY = 13
HANDED_IN = (
    "This calls the course's own answer from mlm_mini. It is a good place to read once yours runs; "
    "writing it yourself is where the learning is. Try a first version, however rough, and the check will help."
)
_SENTENCES = {
    "error returned": "Your function returns the {wanted}; an error is raised: which statement does that?",
    "no error": "Expected a {wanted} for this input; your function answered {answered}.",
    "changes an input": "The answer is right, but your function modifies its input ({changed}): work on a copy.",
    "global generator": "The answer is right, but your function draws from, or seeds, a generator that everybody "
    "shares (np.random, random or torch): whoever draws from it next is disturbed. Draw from one that nobody shares.",
    "generator of its own": "Your function never draws from the generator that it is handed: its luck is its own, so "
    "nobody can repeat it or go on from it.",
    "not a new object": "The numbers are right, but the answer shares its memory with an input: whoever changes one "
    "changes the other. Return something new.",
}


def refusal(exercise: Exercise, function: Any) -> str:
    """Why `function` cannot be run at all, in a sentence, or ""."""
    if inspect.isclass(function):
        return f"You handed in the class {function.__name__}; a function is expected."
    if not callable(function):
        return (
            f"You handed in a {type_name(function)}, which is not a function. "
            f'Give the function itself, without parentheses: check("{exercise.id}", {exercise.answer.name})'
        )
    if inspect.isfunction(function) and inspect.iscoroutinefunction(function):
        return "Your function is an `async def`: a call only makes a coroutine. Write a plain `def`."
    if complaint := signature_complaint(exercise, function):
        call = _call_text(exercise, exercise.cases[0])
        return f"The check calls {call}, and your function cannot be called so: {complaint}."
    return ""


def passed(found: Diagnosis) -> tuple[str, ...]:
    """The line of a right answer, with a remark where it printed a lot."""
    lines = [f"{found.exercise.id}: correct on all {len(found.expected)} inputs."]
    most = max(outcome.printed_characters for outcome in found.outcomes)
    if most > PRINTED_WORTH_A_REMARK:
        lines.append(f"(It printed {most} characters on one input; the check left them out.)")
    return tuple(lines)


def failed(exercise: Exercise, texts: list[str]) -> tuple[str, ...]:
    """The lines of a wrong answer, with what to do next."""
    lines = [line for text in texts for line in text.splitlines()]
    closing = f'One step of help: hint("{exercise.id}")'
    return (f"{exercise.id}: not right yet.", *lines[:MOST_BODY], closing)


def explanation(found: Diagnosis) -> str:
    """What is wrong, in a sentence, or "" where nothing is sure."""
    if not any(found.problems):  # the course's own answer was handed in
        return ""
    if found.mistake:
        return found.mistake.says
    if found.lookalike:
        known = "two known mistakes" if found.lookalike.parts else "a known mistake"
        return f"Where it has an answer, it is that of {known}, {found.lookalike.name}: {found.lookalike.asks}"
    if found.relation and not found.relation.endswith("off."):
        return found.relation
    if found.relation:  # it says where the answer is wrong, and not yet how
        return f"{found.relation} {found.condition}".strip()
    return _one_thing_off(found) or _one_kind_of_problem(found) or found.condition


def _one_thing_off(found: Diagnosis) -> str:
    """Of several measurements, the one or two that are off."""
    value = found.expected[found.first].value
    measured = len(value) if type(value) is dict else 0
    if 0 < len(found.off) < measured and len(found.off) <= 2:
        named = " and ".join(f'"{name}"' for name in found.off)
        are = "this is" if len(found.off) == 1 else "these are"
        return f"Of the {measured} things that are measured, only {are} not as expected: {named}."
    return ""


def _one_kind_of_problem(found: Diagnosis) -> str:
    """What is wrong with every failing input alike, other than numbers."""
    failing = [place for place, problem in enumerate(found.problems) if problem]
    first, everywhere = found.first, len(failing) == len(found.problems)
    kinds = {found.problems[place].kind for place in failing}
    difference = _difference(found.problems[first], found.outcomes[first], found.expected[first])
    if kinds <= set(_SENTENCES) and len(kinds) == 1:
        return difference.sentence
    if kinds == {"differs"} and all(found.problems[place].difference.of_type for place in failing):
        return difference.sentence if everywhere else ""
    if kinds == {"raised"}:
        raised = {type(found.outcomes[place].error).__name__ for place in failing}
        if everywhere and len(raised) == 1:
            return difference.sentence
        answers = [place for place, problem in enumerate(found.problems) if not problem]
        if any(found.expected[place].error is None for place in answers):
            often = "the only other input" if len(failing) == 1 else f"the other {len(failing)} inputs"
            error = " or ".join(sorted(raised))
            return f"Right wherever it answers; on {often} it raises {error}. {found.condition}".strip()
    return ""


def body(found: Diagnosis) -> list[str]:
    """What is wrong, the smallest failing input, both answers, the largest difference."""
    if found.handed_in:
        return [HANDED_IN]
    first = found.first
    exercise, case, yours, expected = (
        found.exercise,
        found.exercise.cases[first],
        found.outcomes[first],
        found.expected[first],
    )
    difference = _difference(found.problems[first], yours, expected)
    if isinstance(yours.error, (NotImplementedError, TimeLimitReached)):
        return [difference.sentence]
    right = found.problems.count(None)
    lines = _explained(found)
    are = "is" if right == 1 else "are"
    lines.append(f"Smallest failing input: {case.name}; {right} of {len(exercise.cases)} inputs {are} right.")
    lines += ["  " + line for line in lines_of(_call_text(exercise, case), width=110, most=2)]
    if yours.error is None:
        lines += value_text("Yours:    ", yours.value, near=difference.where)
    lines += _expected_lines(exercise, expected, difference)
    lines += _difference_lines(exercise, difference)
    if yours.printed_characters:
        shown = lines_of(yours.printed, width=80, most=1)
        lines.append(f"It printed {yours.printed_characters} characters, beginning: {shown[0] if shown else ''}")
    lines = lines[: MOST_BODY - 1]
    return [
        *lines,
        f'To try things on that input: bad = failing("{exercise.id}"); {exercise.answer.name}(*bad.args, **bad.kwargs)',
    ]


def _explained(found: Diagnosis) -> list[str]:
    if found.mistake and found.mistake.parts:
        one, other = found.mistake.parts
        return [
            f"Two known mistakes: {one.name}; and {other.name}.",
            *_indented(one.asks, most=2),
            *_indented(other.asks, most=2),
        ]
    if found.mistake:
        return [f"Known mistake: {found.mistake.name}.", *_indented(found.mistake.says, most=3)]
    text = explanation(found)
    return ["What it looks like:", *_indented(text, most=4)] if text else []


def _indented(text: str, most: int) -> list[str]:
    return ["  " + line for line in lines_of(text, width=110, most=most)]


def _expected_lines(exercise: Exercise, expected: Outcome, difference: Difference) -> list[str]:
    if expected.error is None:
        label = "Expected: about " if exercise.is_random else "Expected: "
        return value_text(label, expected.value, near=difference.where)
    return [f"Expected: {type(expected.error).__name__}: {lines_of(safe_text(str, expected.error), 90, 1)[0]}"]


def _difference_lines(exercise: Exercise, difference: Difference) -> list[str]:
    lines = difference.sentence.splitlines()
    if difference.where and difference.largest is None and difference.where not in difference.sentence:
        lines[-1] += f" It is at {difference.where}."
    if difference.largest is not None and exercise.is_random:
        lines.append(f"Difference: {difference.largest:.3g}; chance alone stays within {exercise.atol:g}")
    elif difference.largest is not None:
        at = f" at {difference.where}" if difference.where else ""
        lines.append(f"Largest difference: {difference.largest:.3g}{at}")
    return lines


def _difference(problem: Problem, yours: Outcome, expected: Outcome) -> Difference:
    """The sentence of a problem."""
    if problem.difference:
        return problem.difference
    if problem.kind == "raised":
        return Difference(_error_sentence(yours.error))
    wanted = type(expected.error).__name__
    return Difference(
        _SENTENCES[problem.kind].format(wanted=wanted, answered=type_name(yours.value), changed=yours.changed)
    )


def _call_text(exercise: Exercise, case: Case) -> str:
    named = zip(parameter_names(exercise), case.args, strict=False)
    return call_text(exercise.answer.name, [*named, *case.kwargs.items()])


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
