"""Takes the worked answers out of a chapter's source, as a module that judges can read without `solutions/`.

What an answer needs to stand alone goes with it: the imports of the chapter's setup cell whose names it uses, and no
others, so that a check loads nothing that it does not need.
"""

from __future__ import annotations

import ast
import builtins

from mlm_mini.course import notebook as nb
from mlm_mini.course.notebook import Chapter, SourceError


def answers_module(chapter: Chapter) -> str:
    """The text of `mlm_mini/course/answers/chNN.py`. Raises SourceError for an answer that cannot stand alone."""
    setup = next((cell.source for cell in chapter.cells if cell.id == "setup"), "")
    answers = {
        name: _answer(f"{chapter.path.name}, cell {cell.id!r}", setup, cell.source)
        for cell in nb.solution_notebook(chapter).cells
        if (name := nb.exercise_id(cell))
    }
    lines = [f'"""The worked answers of {chapter.path.name}, made by `course.py build`: do not edit."""', ""]
    lines += ["ANSWERS = {"]
    for name, code in answers.items():
        if '"""' in code:
            raise SourceError(
                f"{chapter.path.name}: the answer to {name} holds three quotes in a row; write it without"
            )
        lines.append(f'    "{name}": r"""\n{code}""",')
    return "\n".join([*lines, "}"]) + "\n"


def _answer(where: str, setup: str, cell: str) -> str:
    """The imports that an answer needs and its code, without docstrings and lines that are comments."""
    code = "\n".join(line for line in _without_docstrings(cell) if not line.lstrip().startswith("#")).strip()
    needed = _free_names(code)
    imports = []
    for node in ast.parse(setup).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound = {alias.asname or alias.name.split(".")[0] for alias in node.names}
            if bound & needed:
                kept = [alias for alias in node.names if (alias.asname or alias.name.split(".")[0]) in needed]
                node.names = kept
                imports.append(ast.unparse(node))
                needed -= bound
    if needed:
        raise SourceError(
            f"{where}: the answer uses {', '.join(sorted(needed))}, which the setup cell does not import: "
            "an answer stands alone, with imports and what its own cell defines"
        )
    return "\n".join([*imports, *(["", ""] if imports else []), code]) + "\n"


def _without_docstrings(cell: str) -> list[str]:
    lines: list[str | None] = list(cell.split("\n"))
    for node in ast.walk(ast.parse(cell)):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            first = node.body[0]
            for number in range(first.lineno - 1, first.end_lineno):
                lines[number] = None
    return [line for line in lines if line is not None]


def _free_names(code: str) -> set[str]:
    """The global names that the code reads and does not define itself."""
    tree = ast.parse(code)
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            every = node.args
            arguments = [*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg]
            bound |= {argument.arg for argument in arguments if argument}
        if isinstance(node, ast.FunctionDef):
            bound.add(node.name)
    return read - bound - set(vars(builtins))
