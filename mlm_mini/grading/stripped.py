"""The course's package as a submission may use it: from earlier exercises, and without the answer to this one.

Texts of modules, to be loaded in the sandbox from memory. What gives the answer away is a function there that raises.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import mlm_mini
from mlm_mini.course.exercise import Exercise
from mlm_mini.course.exercises import calls_to_watch

PACKAGE_FOLDER = Path(mlm_mini.__file__).parent
ROOMS = ("reference/*.py", "languages/cloze/pairs.py", "languages/cloze/guess.py", "experiments/lab/intervals.py")
GIVEN_AWAY = "CoursesOwnAnswer"  # what such a function raises: the name is all that the judge learns of it
SAYS = "the course's own answer is not at hand where this is marked"
GONE_BODY = f'raise type("{GIVEN_AWAY}", (RuntimeError,), {{}})("{SAYS}")'
Function = tuple[str, str]  # module and name


@cache
def package_for(exercise: Exercise) -> dict[str, str]:
    """The text of every module that is at hand for an exercise, by its name."""
    trees = _trees()
    gone = _gone(exercise)
    texts = {place: _without(tree, {name for module, name in gone if module == place}) for place, tree in trees.items()}
    parents = {".".join(module.split(".")[:depth]) for module in texts for depth in range(1, module.count(".") + 1)}
    return dict.fromkeys(parents, "") | texts


@cache
def _trees() -> dict[str, ast.Module]:
    paths = [path for room in ROOMS for path in sorted(PACKAGE_FOLDER.glob(room))]
    return {_module(path): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def _module(path: Path) -> str:
    return ".".join((PACKAGE_FOLDER.name, *path.relative_to(PACKAGE_FOLDER).with_suffix("").parts)).removesuffix(
        ".__init__"
    )


@cache
def _uses() -> dict[Function, set[Function]]:
    """Which functions each function of these modules names; a name means every function of that name."""
    homes: dict[str, set[Function]] = {}
    for module, tree in _trees().items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                homes.setdefault(node.name, set()).add((module, node.name))
    return {
        (module, node.name): {found for name in _names(node) for found in homes.get(name, ())}
        for module, tree in _trees().items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }


def _names(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


def _reached(start: set[Function], within: dict[Function, set[Function]]) -> set[Function]:
    found, left = set(), list(start)
    while left:
        function = left.pop()
        if function not in found:
            found.add(function)
            left += within.get(function, ())
    return found


def _gone(exercise: Exercise) -> set[Function]:
    """What gives the answer away, what is built on that, and what only serves it."""
    uses, calls = _uses(), calls_to_watch(exercise)
    split = {path: tuple(path.split(":")) for path in calls.given_away | calls.allowed}
    forbidden = {split[path] for path in calls.given_away}
    own = {split[path] for path in ({exercise.twin.path} if exercise.twin else set()) | set(exercise.answers_in)}
    allowed = {split[path] for path in calls.allowed} | _used_by_the_answer(exercise)
    kept = _reached(allowed, uses) - forbidden
    serving = _reached(own, uses) - kept
    broken = {function for function in uses if function not in kept and _reached({function}, uses) & (forbidden | own)}
    return (forbidden | serving | broken) - kept


def _used_by_the_answer(exercise: Exercise) -> set[Function]:
    """What the worked answer itself calls is at hand for everybody."""
    code = exercise.answer.code
    if "mlm_mini" not in code:
        return set()
    return {function for function in _uses() if re.search(rf"\b{function[1]}\b", code)}


def _without(tree: ast.Module, gone: set[str]) -> str:
    changed = ast.parse(ast.unparse(tree))
    for node in changed.body:
        if isinstance(node, ast.FunctionDef) and node.name in gone:
            node.body = ast.parse(GONE_BODY).body
            node.args.defaults = [ast.Constant(None) for _ in node.args.defaults]
    return ast.unparse(changed) + "\n"
