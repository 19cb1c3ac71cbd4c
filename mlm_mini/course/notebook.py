"""From one source, solutions/NN_name.py, the two notebooks of a chapter: the learner's and the solution.

The source is in jupytext's percent format. Every cell has an id of its own, and exercise cells mark what a learner
must not see:

    # %% id="ex-softmax"
    # exercise: 01.softmax
    def softmax(logits, axis=-1):
        \"\"\"...\"\"\"
        # Where to start: what may be subtracted from every logit?      (stays in both notebooks)
        # <solution>
        shifted = ...                                                    (only in the solution)
        # </solution>

In the learner's notebook the marked lines become `raise NotImplementedError`. A bug clinic shows broken code there
instead: lines of the form `#| code` between `# <broken>` and `# </broken>`, which the solution leaves out.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from mlm_mini.course import elsewhere

SOURCE_NAME = re.compile(r"(\d\d)_[a-z0-9_]+\.py")
CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
EXERCISE_LINE = re.compile(r"# exercise: (\S+)")
MARKER = re.compile(r"\s*# <(/?)(solution|broken)>\s*")
BROKEN_PREFIX = "#| "
LEAK_LENGTH = 24  # a solution line at least this long, without its spaces, is no coincidence
HEADER_KEYS = {"title": str, "question": str, "minutes": int, "prerequisites": str}
METADATA = {  # what JupyterLab writes when it opens a notebook, but for the version of Python: see `saving`
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
    },
}
LINKS_ID, INSTALL_ID = "open-elsewhere", "get-the-course"  # cells that every chapter has and no source


class SourceError(ValueError):
    """A chapter's source is not as it must be. Names the file, the cell and what to do."""


@dataclass(frozen=True)
class Chapter:
    """A chapter's source: where it is, its header, and its cells with the markers still in them."""

    path: Path
    title: str
    question: str
    minutes: int
    prerequisites: str
    cells: tuple[NotebookNode, ...]

    @property
    def number(self) -> str:
        return self.path.name[:2]

    @property
    def name(self) -> str:
        return self.path.stem


def read_chapter(path: Path) -> Chapter:
    """Reads and validates solutions/NN_name.py. Raises SourceError."""
    if not SOURCE_NAME.fullmatch(path.name):
        raise SourceError(f"{path.name}: a chapter's source is called NN_name.py, in lower case")
    try:
        notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    except Exception as error:  # YAML, encodings and jupytext each have errors of their own
        raise SourceError(f"{path.name} cannot be read: {error}") from None
    header = _header(path, notebook)
    seen: set[str] = set()
    for place, cell in enumerate(notebook.cells, 1):
        cell_id = cell.metadata.pop("id", None)
        if not isinstance(cell_id, str) or not CELL_ID.fullmatch(cell_id):
            raise SourceError(f'{path.name}: cell {place} has the id {cell_id!r}; write `# %% id="some-name"`')
        if cell.cell_type not in ("code", "markdown"):
            raise SourceError(f"{path.name}: cell {cell_id!r} is of type {cell.cell_type}; write code or markdown")
        if cell_id in seen or cell_id in (LINKS_ID, INSTALL_ID):
            raise SourceError(f"{path.name}: two cells have the id {cell_id!r}")
        seen.add(cell_id)
        cell.id = cell_id
        cell.metadata.pop("lines_to_next_cell", None)  # jupytext's note to itself about blank lines
    return Chapter(path, cells=tuple(notebook.cells), **header)


def read_chapters(folder: Path) -> list[Chapter]:
    """Every chapter of the course, in order. Raises SourceError, also when two have the same number."""
    chapters = [read_chapter(path) for path in sorted(folder.glob("[0-9][0-9]_*.py"))]
    for one, following in pairwise(chapters):
        if one.number == following.number:
            raise SourceError(f"{one.path.name} and {following.path.name} have the same number")
    return chapters


def _header(path: Path, notebook: NotebookNode) -> dict:
    header = notebook.metadata.get("course", {})
    if set(header) != set(HEADER_KEYS) or any(not isinstance(header[key], HEADER_KEYS[key]) for key in header):
        raise SourceError(
            f"{path.name}: the header `course:` needs exactly {', '.join(HEADER_KEYS)}; it has {dict(header)}"
        )
    return dict(header)


def exercise_id(cell: NotebookNode) -> str | None:
    """The id of the exercise that a code cell holds, from its first line."""
    match = EXERCISE_LINE.fullmatch(cell.source.split("\n", 1)[0]) if cell.cell_type == "code" else None
    return match[1] if match else None


def is_check(cell: NotebookNode) -> bool:
    """Whether a code cell judges an exercise."""
    return cell.cell_type == "code" and cell.source.startswith("check(")


def chapter_notebook(chapter: Chapter) -> NotebookNode:
    """The learner's notebook: stubs where the solutions stand, no outputs. Raises SourceError on a leak."""
    notebook = _notebook(chapter, for_learner=True)
    _refuse_leaks(chapter, notebook)
    notebook.metadata["course"] = {"chapter": chapter.number, "built": content_hash(notebook)}
    return notebook


def solution_notebook(chapter: Chapter) -> NotebookNode:
    """The solved notebook, not yet executed."""
    notebook = _notebook(chapter, for_learner=False)
    notebook.metadata["course"] = {"chapter": chapter.number}
    return notebook


def content_hash(notebook: NotebookNode) -> str:
    """A hash of what an author or a learner writes: ids, kinds and sources of the cells, not their outputs."""
    content = [[cell.get("id", ""), cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """A copy without anything that running adds, for comparison byte for byte."""
    bare = nbformat.from_dict(json.loads(nbformat.writes(notebook)))
    bare.metadata.pop("widgets", None)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return bare


def _notebook(chapter: Chapter, for_learner: bool) -> NotebookNode:
    cells = []
    for cell in chapter.cells:
        source = cell.source
        if cell.cell_type == "code":
            source = _transformed(chapter, cell, for_learner)
        new = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[cell.cell_type]
        cells.append(new(source, id=cell.id, metadata=dict(cell.metadata)))
    first = next((place for place, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    cells.insert(first, nbformat.v4.new_code_cell(elsewhere.install_cell(), id=INSTALL_ID))
    if for_learner:
        cells.insert(min(1, first), nbformat.v4.new_markdown_cell(elsewhere.links(chapter.name), id=LINKS_ID))
    return nbformat.v4.new_notebook(cells=cells, metadata=json.loads(json.dumps(METADATA)), nbformat_minor=5)


def _transformed(chapter: Chapter, cell: NotebookNode, for_learner: bool) -> str:
    """An exercise cell with its marked regions replaced; any other code cell as it is."""
    where = f"{chapter.path.name}, cell {cell.id!r}"
    regions = _regions(where, cell.source)
    name = exercise_id(cell)
    if not name:
        if len(regions) > 1:
            raise SourceError(f"{where}: markers stand in a cell whose first line is not `# exercise: NN.name`")
        return cell.source
    kinds = [kind for kind, _ in regions]
    if kinds.count("solution") != 1 or kinds.count("broken") > 1:
        raise SourceError(f"{where}: expected one <solution> region and at most one <broken>; found {kinds}")
    lines: list[str] = []
    for kind, body in regions:
        if kind == "text" or (kind == "solution" and not for_learner):
            lines += body
        elif kind == "broken" and for_learner:
            lines += [_uncommented(where, line) for line in body]
        elif kind == "solution" and "broken" not in kinds:
            lines.append(_indent_of(body) + f'raise NotImplementedError("{name} is yours to write")')
    source = "\n".join(lines)
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise SourceError(f"{where}: not valid Python once the markers are applied: {error}") from None
    return source


def _regions(where: str, source: str) -> list[tuple[str, list[str]]]:
    """The cell's lines, cut at the markers: [("text", [...]), ("solution", [...]), ("text", [...])]."""
    regions: list[tuple[str, list[str]]] = [("text", [])]
    for line in source.split("\n"):
        marker = MARKER.fullmatch(line)
        if not marker:
            regions[-1][1].append(line)
            continue
        closing, kind = marker[1] == "/", marker[2]
        if (regions[-1][0] == kind) != closing or (not closing and regions[-1][0] != "text"):
            raise SourceError(f"{where}: the marker {line.strip()} stands without its partner")
        regions.append(("text" if closing else kind, []))
    if regions[-1][0] != "text":
        raise SourceError(f"{where}: the marker <{regions[-1][0]}> is never closed")
    return regions


def _uncommented(where: str, line: str) -> str:
    indent, prefix, code = line.partition(BROKEN_PREFIX)
    if line.strip() and (indent.strip() or not prefix):
        raise SourceError(f"{where}: a line between <broken> markers must begin with `{BROKEN_PREFIX}`: {line.strip()}")
    return indent + code


def _indent_of(lines: list[str]) -> str:
    first = next((line for line in lines if line.strip()), "")
    return first[: len(first) - len(first.lstrip())]


def _refuse_leaks(chapter: Chapter, learner: NotebookNode) -> None:
    """Raises SourceError when a line of a solution can be read anywhere in the learner's notebook."""
    shown = "\n".join(cell.source for cell in learner.cells)
    squeezed = "".join(shown.split())
    for cell in chapter.cells:
        regions = _regions(cell.id, cell.source) if exercise_id(cell) else []
        broken = {
            _squeezed(line.replace(BROKEN_PREFIX, "")) for kind, body in regions if kind == "broken" for line in body
        }
        solution = [line for kind, body in regions if kind == "solution" for line in body]
        whole = "".join(_squeezed(line) for line in solution)  # of short lines, all of them together are no coincidence
        if len(whole) >= LEAK_LENGTH and whole in squeezed:
            raise SourceError(
                f"{chapter.path.name}: the solution of cell {cell.id!r} can be read in the learner's notebook"
            )
        for line in solution:
            code = _squeezed(line)
            if len(code) >= LEAK_LENGTH and code in squeezed and code not in broken:
                raise SourceError(
                    f"{chapter.path.name}: the solution line `{line.strip()}` of cell {cell.id!r} can be read in "
                    "the learner's notebook; reword one of them"
                )
    if re.search(r"# </?(solution|broken)>", shown):
        raise SourceError(f"{chapter.path.name}: a marker is left in the learner's notebook")


def _squeezed(line: str) -> str:
    """A line of code without its comment and its spaces."""
    return "".join(line.split("#")[0].split())
