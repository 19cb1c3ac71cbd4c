"""Makes chapters/*.ipynb and solutions/*.ipynb from solutions/*.py, and says when they are stale.

With them goes a module of the worked answers, `mlm_mini/course/answers/chNN.py`, by which exercises are judged.

A learner's own edits are never overwritten: a chapter carries the hash of what was built, so that a chapter that was
edited can be told from one that is merely old.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mlm_mini import storage
from mlm_mini.course import notebook as nb
from mlm_mini.course.answer_building import answers_module
from mlm_mini.course.notebook import Chapter

CELL_SECONDS = 300
LEFTOVER_SECONDS = 3600


class BuildError(RuntimeError):
    """The notebooks could not be built, or are stale. The message says which and what to do."""


def build(top: Path, numbers: Iterable[str] = (), force: bool = False, rerun: bool = False, say=print) -> None:
    """Builds the chapters of those numbers, or all of them, one after the other.

    Raises BuildError, before anything is overwritten, when a learner's chapter was edited and `force` is not given;
    and when a solution does not run, which leaves both notebooks of that chapter as they were.

    A solution is executed when its source has changed, or always with `rerun`: for when the package has changed.
    """
    chapters = _chosen(top, numbers)
    if not force:
        edited = [path.name for chapter in chapters if _edited(path := chapter_path(top, chapter), chapter)]
        if edited:
            raise BuildError(
                f"chapters/{', '.join(edited)} holds edits of its own and was left alone. To keep a dated copy and get "
                f"a fresh one: reset {edited[0][:2]}. To overwrite: build --force"
            )
    _remove_leftovers(top)
    for chapter in chapters:
        with _answers_in_place(top, chapter):
            solution = _write_solution(top, chapter, rerun)
        say(f"{chapter.name}: {_write_chapter(top, chapter)}, {solution}")


def _remove_leftovers(top: Path) -> None:
    """Removes what a build that was killed was writing; what is new may belong to another one that still runs."""
    for path in [*top.glob("chapters/.*.ipynb"), *top.glob("solutions/.*.ipynb")]:
        with contextlib.suppress(OSError):
            if storage.is_temporary(path) and time.time() - path.stat().st_mtime > LEFTOVER_SECONDS:
                path.unlink()


def stale(top: Path, numbers: Iterable[str] = ()) -> list[str]:
    """What is not as the sources would build it, a sentence each; outputs are not compared."""
    chapters = _chosen(top, numbers)
    complaints = []
    for chapter in chapters:
        if _answers_differ(top, chapter):
            complaints.append(f"{answers_path(top, chapter).relative_to(top).as_posix()} is stale")
        fresh_chapter, fresh_solution = nb.chapter_notebook(chapter), nb.solution_notebook(chapter)
        complaints += _differences(chapter_path(top, chapter), fresh_chapter, executed=False)
        complaints += _differences(solution_path(top, chapter), fresh_solution, executed=True)
    if not list(numbers):
        names = {chapter.name for chapter in chapters}
        for path in sorted([*top.glob("chapters/*.ipynb"), *top.glob("solutions/*.ipynb")]):
            if not storage.is_temporary(path) and path.stem not in names and ".kept-" not in path.name:
                complaints.append(f"{path.parent.name}/{path.name} has no source")
        built = {answers_path(top, chapter) for chapter in chapters}
        for path in sorted(answers_path(top, chapters[0]).parent.glob("ch*.py")) if chapters else []:
            if path not in built:
                complaints.append(f"{path.relative_to(top).as_posix()} has no source")
    return complaints


def reset(top: Path, number: str, say=print) -> None:
    """Puts a fresh copy of one chapter in place; the learner's file is kept under a dated name."""
    (chapter,) = _chosen(top, [number])
    path, fresh = chapter_path(top, chapter), nb.chapter_notebook(chapter)  # a source with a mistake stops here
    if path.exists():
        kept = path.with_name(f"{path.stem}.kept-{datetime.now():%Y%m%d-%H%M%S}.ipynb")
        while kept.exists():
            kept = kept.with_name(kept.stem + "-again.ipynb")
        path.rename(kept)
        say(f"your copy is kept as chapters/{kept.name}")
    _write(path, fresh)
    say(f"chapters/{path.name} is fresh")


def chapter_path(top: Path, chapter: Chapter) -> Path:
    return top / "chapters" / f"{chapter.name}.ipynb"


def solution_path(top: Path, chapter: Chapter) -> Path:
    return top / "solutions" / f"{chapter.name}.ipynb"


def answers_path(top: Path, chapter: Chapter) -> Path:
    return top / "mlm_mini" / "course" / "answers" / f"ch{chapter.number}.py"


def execute(notebook: NotebookNode, folder: Path, name: str) -> None:
    """Runs every cell in place, from `folder`. Raises BuildError for a cell that fails or warns."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    metadata = dict(notebook.metadata)
    with tempfile.TemporaryDirectory() as scratch:
        # The author's own progress and hint ladder must not depend on how often a chapter was built.
        environment = os.environ | {"MLM_MINI_DATA": scratch}
        client = NotebookClient(
            notebook, kernel_name="python3", timeout=CELL_SECONDS, resources={"metadata": {"path": str(folder)}}
        )
        client.coalesce_streams = True  # or the pieces in which output arrives would depend on the machine's speed
        client.extra_arguments = ["--log-level=ERROR"]  # ipykernel warns of its own open port at every start
        try:
            client.execute(env=environment)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise BuildError(f"{name} does not run: {error}") from None
        except AssertionError:  # what nbclient makes of Ctrl-C, once its kernel is gone
            if client.km is None:
                raise KeyboardInterrupt from None
            raise
    # What the run added about this machine's Python is dropped; the state of the widgets stays, to be seen unexecuted.
    widgets = {key: value for key, value in notebook.metadata.items() if key == "widgets"}
    notebook.metadata = nbformat.from_dict(metadata | widgets)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # time stamps
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise BuildError(f"{name}, cell {cell.id!r} wrote to stderr: {output.text.strip()[:300]}")


def _chosen(top: Path, numbers: Iterable[str]) -> list[Chapter]:
    numbers = list(numbers)
    chapters = nb.read_chapters(top / "solutions")
    unknown = set(numbers) - {chapter.number for chapter in chapters}
    if unknown:
        known = ", ".join(chapter.number for chapter in chapters)
        raise BuildError(f"there is no chapter {', '.join(sorted(unknown))}; the chapters are {known}")
    return [chapter for chapter in chapters if not numbers or chapter.number in numbers]


def _edited(path: Path, chapter: Chapter) -> bool:
    """Whether a chapter's file is neither what was built last nor what would be built now."""
    if not path.exists():
        return False
    existing = _read(path)
    content = nb.content_hash(existing)
    built = existing.metadata.get("course", {}).get("built")
    return content not in (built, nb.content_hash(nb.chapter_notebook(chapter)))


def _answers_differ(top: Path, chapter: Chapter) -> bool:
    path, fresh = answers_path(top, chapter), answers_module(chapter)
    return not path.exists() or path.read_bytes() != fresh.encode("utf-8")


@contextlib.contextmanager
def _answers_in_place(top: Path, chapter: Chapter) -> Iterator[None]:
    """Writes the answers, by which the solution's own checks are judged; what was there comes back if those fail."""
    path = answers_path(top, chapter)
    before = path.read_text(encoding="utf-8") if path.exists() else None
    fresh = answers_module(chapter)
    if before != fresh:
        _write_text(path, fresh)
    try:
        yield
    except BaseException:
        if before is None:
            path.unlink()
        else:
            _write_text(path, before)
        raise


def _write_chapter(top: Path, chapter: Chapter) -> str:
    path, fresh = chapter_path(top, chapter), nb.chapter_notebook(chapter)
    if not _differences(path, fresh, executed=False):
        return "chapter unchanged"
    _write(path, fresh)
    return "chapter written"


def _write_solution(top: Path, chapter: Chapter, rerun: bool) -> str:
    path, fresh = solution_path(top, chapter), nb.solution_notebook(chapter)
    if not rerun and not _differences(path, fresh, executed=True):
        return "solution unchanged"
    execute(fresh, path.parent, path.name)
    _write(path, fresh)
    return "solution executed"


def _differences(path: Path, fresh: NotebookNode, executed: bool) -> list[str]:
    """Why the file is not the fresh notebook, as sentences. An executed one may carry outputs, and must."""
    name = f"{path.parent.name}/{path.name}"
    if not path.exists():
        return [f"{name} is missing"]
    if not executed:
        return [] if path.read_bytes() == _text(fresh).encode("utf-8") else [f"{name} is stale"]
    existing = _read(path)
    if _text(nb.without_outputs(existing)) != _text(fresh):
        return [f"{name} is stale"]
    if any(cell.execution_count is None for cell in existing.cells if cell.cell_type == "code"):
        return [f"{name} was not executed to the end"]
    return []


def _read(path: Path) -> NotebookNode:
    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:  # nbformat has no common base class for what a broken file raises
        raise BuildError(f"{path.parent.name}/{path.name} is not a readable notebook ({error})") from None


def _text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook) + "\n"


def _write(path: Path, notebook: NotebookNode) -> None:
    _write_text(path, _text(notebook))


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True, parents=True)
    storage.write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))
