"""What of a notebook counts: for each exercise the last complete definition, and what that needs.

Nothing is run here. A check cell, an output, or what a cell does besides giving names a value counts for nothing, so
that nothing of it can be taken for a mark.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mlm_mini.course import notebook as nb
from mlm_mini.course.exercise import Exercise
from mlm_mini.course.exercises import all_exercises
from mlm_mini.grading.archives import Unreadable
from mlm_mini.grading.notebooks import CodeCell, Notebook, read_notebook
from mlm_mini.grading.program import Program
from mlm_mini.grading.statements import Statement, statements_of

COURSE = Path(__file__).resolve().parents[2]
MOST_LISTED = 20


@dataclass(frozen=True)
class Pristine:
    """A chapter as it was handed out: its cells' ids and exercises, and its statements, those of exercises apart."""

    exercises: dict[str, str]  # of each cell's id
    given: dict[str, Statement]  # of each exercise: the function as it is handed out
    statements: tuple[Statement, ...]
    shapes: frozenset[str]


@dataclass(frozen=True)
class Part:
    """What a submission has for one exercise: a program to run, or a word why there is none; and remarks."""

    exercise: Exercise
    program: Program | None
    missing: str = ""
    remarks: tuple[str, ...] = ()
    shape: str = ""  # of the function, to compare submissions with each other


@dataclass(frozen=True)
class Submission:
    """A notebook taken apart."""

    chapter: str
    parts: tuple[Part, ...]
    remarks: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    left_out: tuple[str, ...] = field(default=())


@cache
def pristine(chapter: str) -> Pristine | None:
    """The chapter from its source; None where the course is installed without its sources."""
    source = next(iter(sorted((COURSE / "solutions").glob(f"{chapter}_*.py"))), None)
    if source is None:
        return None
    built = nb.chapter_notebook(nb.read_chapter(source))
    notebook = read_notebook(json.dumps(built).encode())
    statements = statements_of(notebook.cells)
    exercises = {cell.id: cell.exercises[0] for cell in notebook.cells if cell.exercises}
    given = {}
    for statement in statements:
        for exercise_id in statement.cell.exercises:
            if statement.defines(all_exercises()[exercise_id].answer.name):
                given[exercise_id] = statement
    others = tuple(statement for statement in statements if not statement.cell.exercises)
    return Pristine(exercises, given, others, frozenset(statement.shape for statement in statements))


def take_apart(content: bytes, chapter: str = "", name: str = "") -> Submission:
    """Raises Unreadable for what is no notebook, or of no chapter. `name` of the file may say which chapter it is."""
    notebook = read_notebook(content)
    chapter = chapter or _chapter_of(notebook, name)
    exercises = [one for one in all_exercises().values() if one.chapter == chapter]
    if not exercises:
        raise Unreadable("It is a notebook of no chapter of this course." if not chapter else f"No chapter {chapter}.")
    statements = statements_of(notebook.cells)
    taken: set[int] = set()
    parts = tuple(_part(exercise, notebook, statements, taken) for exercise in exercises)
    left = _left_out(chapter, notebook, statements, taken)
    return Submission(chapter, parts, notebook.remarks, tuple(_flags(statements)), left)


def _chapter_of(notebook: Notebook, name: str) -> str:
    named = Counter(exercise[:2] for cell in notebook.cells for exercise in cell.exercises)
    named += Counter(exercise[:2] for cell in notebook.cells for exercise, _ in cell.checks)
    known = {exercise.chapter for exercise in all_exercises().values()}
    for chapter in [*(chapter for chapter, _ in named.most_common(1)), notebook.chapter, name[:2]]:
        if chapter in known:
            return chapter
    return ""


def _part(exercise: Exercise, notebook: Notebook, statements: list[Statement], taken: set[int]) -> Part:
    handed_out = pristine(exercise.chapter)
    own = _own_cells(exercise, notebook, handed_out)
    name, remarks = _name(exercise, notebook, statements), []
    definitions = [one for one in statements if one.defines(name) and (one.cell in own or one.is_function)]
    if all(one.is_stub for one in definitions):
        known = handed_out.shapes if handed_out else frozenset()
        definitions += [one for one in statements if one.renames(name) and one.shape not in known]
    if not definitions:
        return Part(exercise, None, _why_missing(exercise, own), _unread(own))
    complete = [one for one in definitions if not one.is_stub]
    inside = [one for one in complete if one.cell in own]
    chosen = (inside or complete or definitions)[-1]
    taken |= {one.order for one in definitions}
    given = handed_out.given.get(exercise.id) if handed_out else None
    if chosen.is_stub or (given and chosen.shape == given.shape):
        return Part(exercise, None, "This exercise is not written yet.", _unread(own))
    if len({one.shape for one in complete}) > 1:
        remarks.append(f"`{name}` is defined {len(complete)} times; the last complete one counts.")
    if chosen.cell not in own:
        remarks.append(f"Not in the cell of the exercise: `{name}` was taken from code cell {chosen.cell.place}.")
    if name != exercise.answer.name:
        remarks.append(f"The function that was checked is called `{name}`.")
    needed = _needed(exercise, chosen, name, notebook, statements, handed_out)
    taken |= {one.order for one in needed}
    texts = tuple(one.text for one in needed)
    torch = exercise.prepare is not None or any("torch" in text for text in texts)
    program = Program(exercise, name, texts, torch)
    return Part(exercise, program, remarks=(*remarks, *_unread(own)), shape=chosen.shape)


def _own_cells(exercise: Exercise, notebook: Notebook, handed_out: Pristine | None) -> list[CodeCell]:
    """The cells of an exercise: by what they say, else by their id."""
    said = [cell for cell in notebook.cells if exercise.id in cell.exercises]
    ids = {one for one, other in handed_out.exercises.items() if other == exercise.id} if handed_out else set()
    return said or [cell for cell in notebook.cells if cell.id in ids]


def _name(exercise: Exercise, notebook: Notebook, statements: list[Statement]) -> str:
    """The name of the function: as it is asked for, unless another is written and handed to the check."""
    asked = exercise.answer.name
    if any(one.defines(asked) and not one.is_stub for one in statements):
        return asked
    for cell in notebook.cells:
        for checked, name in cell.checks:
            if checked == exercise.id and any(one.defines(name) and not one.is_stub for one in statements):
                return name
    return asked


def _why_missing(exercise: Exercise, own: list[CodeCell]) -> str:
    if not own:
        return f"There is no cell of this exercise, and no `{exercise.answer.name}` anywhere."
    if broken := [cell for cell in own if cell.parsed[2]]:
        return f"Its cell (code cell {broken[-1].place}) counts for nothing: {broken[-1].parsed[2]}."
    return f"Its cell does not define `{exercise.answer.name}`."


def _unread(own: list[CodeCell]) -> tuple[str, ...]:
    return tuple(f"Code cell {cell.place} was left out: {cell.parsed[2]}." for cell in own if cell.parsed[2])


def _needed(
    exercise: Exercise,
    chosen: Statement,
    name: str,
    notebook: Notebook,
    statements: list[Statement],
    handed_out: Pristine | None,
) -> list[Statement]:
    """The definition with all that it needs, in the notebook's order; what the notebook lacks, from the chapter."""
    checked = [cell.place for cell in notebook.cells if (exercise.id, name) in cell.checks]
    last = max([chosen.cell.place, *(place for place in checked[:1] if place > chosen.cell.place)])
    from_chapter: list[Statement] = []
    found: dict[int, Statement] = {chosen.order: chosen}
    done, left = {name}, set(chosen.needs)
    star = [one for one in statements if one.is_star and "mlm_mini" not in one.text]
    while left := left - done:
        wanted = min(left)  # any; the smallest, so that the order is always the same
        done.add(wanted)
        givers = _givers(wanted, statements, last)
        if not givers and handed_out:
            more = [one for one in handed_out.statements if wanted in one.gives]
            from_chapter += more
            left |= {need for one in more for need in one.needs}
        for one in givers:
            found[one.order] = one
            left |= one.needs
    chapter = sorted({one.order: one for one in from_chapter}.values(), key=lambda one: one.order)
    return [*chapter, *star, *sorted(found.values(), key=lambda one: one.order)]


def _givers(name: str, statements: list[Statement], last: int) -> list[Statement]:
    """The statements that give a name its value: up to a cell, or, where there is none, wherever."""
    every = [one for one in statements if name in one.gives]
    near = [one for one in every if one.cell.place <= last] or every
    complete = [one for one in near if not one.is_stub]
    if not complete:
        return near[-1:]
    start = next((at for at in range(len(complete) - 1, -1, -1) if _starts_anew(complete[at], name)), 0)
    givers = complete[start:]
    if not any(one.is_import for one in givers):  # a module is nobody's to change
        after = [one for one in statements if name in one.changes and givers[0].order < one.order]
        givers += [one for one in after if one.cell.place <= last]
    return givers


def _starts_anew(statement: Statement, name: str) -> bool:
    """Whether what the name meant before is of no interest any more."""
    return statement.is_import or (name not in statement.needs and not _is_compound(statement))


def _is_compound(statement: Statement) -> bool:
    """Whether a statement holds others, of which some may not be run."""
    return hasattr(statement.node, "body") and not hasattr(statement.node, "name")


def _flags(statements: list[Statement]) -> list[str]:
    """What a teacher may want to look at: parts of modules that were given another value."""
    modules = {name for one in statements if one.is_import for name in one.gives}
    patched = [one for one in statements if one.patches & modules]
    patched += [one for one in statements if one.text.lstrip().startswith("setattr(")]
    said = [(one.cell.place, one.text.strip().splitlines()[0][:80]) for one in patched]
    return [f"patches a module in code cell {place}: {line}" for place, line in said]


def _left_out(chapter: str, notebook: Notebook, statements: list[Statement], taken: set[int]) -> tuple[str, ...]:
    """What a learner added that no exercise needs, by cell, and cells that cannot be read."""
    handed_out = pristine(chapter)
    known = handed_out.shapes if handed_out else frozenset()
    lines = {}
    for one in statements:
        if one.order not in taken and one.shape not in known and not one.is_import:
            first = one.text.strip().splitlines()[0][:80]
            lines.setdefault(one.cell.place, f"code cell {one.cell.place}: {first}")
    for cell in notebook.cells:
        if cell.parsed[2]:
            lines.setdefault(cell.place, f"code cell {cell.place}: {cell.parsed[2]}")
    found = [lines[place] for place in sorted(lines)]
    return tuple(found[:MOST_LISTED] + ([f"and {len(found) - MOST_LISTED} more"] if len(found) > MOST_LISTED else []))
