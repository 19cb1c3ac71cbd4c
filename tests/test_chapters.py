"""The notebooks as a learner meets them: untouched, solved, and solved with a typical mistake."""

import subprocess
import symtable
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from mlm_mini.course import notebook as nb
from mlm_mini.course.exercises import find_exercise

TOP = Path(__file__).resolve().parents[1]
CHAPTERS = nb.read_chapters(TOP / "solutions")
NAMES = [chapter.name for chapter in CHAPTERS]
QUICK = ("01", "02", "03", "04")  # chapters that take seconds


def read(folder, name):
    return nbformat.read(TOP / folder / f"{name}.ipynb", as_version=4)


def nbval(path, how="--nbval"):
    """Grades a notebook as the README says, in a fresh process."""
    command = [sys.executable, "-m", "pytest", how, "-q", "-p", "no:cacheprovider", "--rootdir", str(TOP)]
    command += ["-c", str(TOP / "pyproject.toml"), str(path)]
    return subprocess.run(command, capture_output=True, text=True, cwd=path.parent, timeout=300, check=False)


@pytest.fixture
def learner_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_DATA", str(tmp_path / "data"))
    (tmp_path / "chapters").mkdir()
    return tmp_path / "chapters"


def globals_of(table):
    """The names that a cell, a `symtable` of it, needs from the cells before it, and those that it gives a value."""
    symbols = table.get_symbols()
    given = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported() or s.is_namespace()}
    needed = {s.get_name() for s in symbols if s.is_referenced()}
    inner = list(table.get_children())
    for scope in inner:
        inner += scope.get_children()
    needed = needed.union(*({s.get_name() for s in scope.get_symbols() if s.is_global()} for scope in inner))
    return needed - given, given


def leaning_on_answers(cells):
    """(cell, name) where a cell that is no check needs what the learner is to write."""
    theirs, found = set(), []
    for cell in cells:
        if cell.cell_type != "code" or nb.is_check(cell):
            continue
        needed, given = globals_of(symtable.symtable(cell.source, cell.id, "exec"))
        if nb.exercise_id(cell):
            theirs |= given
        else:
            found += [(cell.id, name) for name in sorted(needed & theirs)]
            theirs -= given
    return found


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_between_the_exercises_needs_an_answer(name):
    """So it runs in an untouched chapter as it does in the solution: these cells are the same in both."""
    assert leaning_on_answers(nb.chapter_notebook(CHAPTERS[NAMES.index(name)]).cells) == []


def test_a_cell_that_needs_an_answer_is_found():
    def cells(*sources):
        return [nbformat.v4.new_code_cell(source, id=f"c{place}") for place, source in enumerate(sources)]

    answer = "# exercise: 01.softmax\ndef softmax(x):\n    raise NotImplementedError"
    for needs in (
        "softmax(1)",
        "def f():\n    return softmax(1)",
        "[softmax(x) for x in [1]]",
        "f = lambda: softmax(1)",
    ):
        assert leaning_on_answers(cells(answer, 'check("01.softmax", softmax)', needs)) == [("c2", "softmax")]
    for does_not in (
        "def f(softmax):\n    return softmax",
        "from m import softmax",
        "from m import softmax\nsoftmax(1)",
    ):
        assert leaning_on_answers(cells(answer, does_not)) == []
    assert leaning_on_answers(cells(answer, "from m import softmax", "softmax(1)")) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name[:2] in QUICK])
def test_in_an_untouched_chapter_every_check_fails_and_every_other_cell_runs(name, learner_folder):
    notebook = read("chapters", name)
    client = NotebookClient(
        notebook, timeout=900, allow_errors=True, resources={"metadata": {"path": str(learner_folder)}}
    )
    client.extra_arguments = ["--log-level=ERROR"]
    client.execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    failed = {cell.id for cell in code if any(output.output_type == "error" for output in cell.outputs)}
    assert failed == {cell.id for cell in code if nb.is_check(cell)}
    complained = [cell.id for cell in code if any(output.get("name") == "stderr" for output in cell.outputs)]
    assert complained == []


@pytest.mark.parametrize("name", NAMES)
def test_a_solution_is_stored_executed_without_errors(name):
    for cell in read("solutions", name).cells:
        if cell.cell_type == "code":
            assert cell.execution_count, cell.id
            assert not [out for out in cell.outputs if out.output_type == "error" or out.get("name") == "stderr"], (
                cell.id
            )


@pytest.mark.parametrize("name", NAMES)
def test_every_picture_has_alt_text(name):
    for cell in read("solutions", name).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            assert "image/png" not in data, f"{cell.id}: a picture without alt text: use figures.show"
            markup = "".join(data.get("text/html", ""))
            assert markup.count("<img") == markup.count('alt="') - markup.count('alt=""'), cell.id
        if cell.cell_type == "markdown":
            assert "![](" not in cell.source


@pytest.mark.parametrize("name", NAMES)
def test_a_chapter_begins_and_ends_as_promised(name):
    chapter = CHAPTERS[NAMES.index(name)]
    first, text = chapter.cells[0].source, "\n".join(c.source for c in chapter.cells if c.cell_type == "markdown")
    assert first.startswith(f"# {chapter.number} · {chapter.title}")
    assert chapter.question in first
    assert f"{chapter.minutes} minutes" in first
    assert "You will be able to" in first
    assert "rerequisites" in first
    assert "## Recap" in text
    assert "## Where to read on" in text


def solved_notebook(name, replaced=None):
    """The learner's file of a chapter with every exercise answered as the solutions do, but for what is `replaced`."""
    notebook, solution = read("chapters", name), nb.solution_notebook(CHAPTERS[NAMES.index(name)])
    answers = {cell.id: cell.source for cell in solution.cells}
    for cell in notebook.cells:
        if exercise := nb.exercise_id(cell):
            cell.source = (replaced or {}).get(exercise, answers[cell.id])
    return notebook


def test_a_solved_chapter_passes_nbval_and_is_recorded(learner_folder, tmp_path):
    name = next(name for name in NAMES if name.startswith("02"))
    path = learner_folder / f"{name}.ipynb"
    nbformat.write(solved_notebook(name), path)
    done = nbval(path)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "failed" not in done.stdout
    assert (tmp_path / "data" / "progress.json").read_text().count('"solved"') >= 6


def test_stored_outputs_count_for_nothing_when_a_learners_notebook_is_graded(learner_folder):
    name = next(name for name in NAMES if name.startswith("01"))
    notebook = solved_notebook(name)
    first = next(place for place, cell in enumerate(notebook.cells) if nb.is_check(cell))
    notebook.cells = notebook.cells[: first + 1]  # what comes after it takes time and says nothing about stored outputs
    hint = nbformat.v4.new_code_cell('hint("01.softmax")\nprint(id(object()))', execution_count=7)
    hint.outputs = [nbformat.v4.new_output("stream", text="Hint 3 of 3, as it was shown and stored\n")]
    notebook.cells.append(hint)
    path = learner_folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    done = nbval(path, "--nbval-lax")
    assert done.returncode == 0, done.stdout[-3000:]
    check = notebook.cells[first]
    check.execution_count, check.outputs = 3, [nbformat.v4.new_output("stream", text="01.logsumexp: correct\n")]
    answer = next(cell for cell in notebook.cells if nb.exercise_id(cell))
    answer.source = "# exercise: 01.logsumexp\ndef logsumexp(logits, axis=-1):\n    return 0.0"
    nbformat.write(notebook, path)
    assert "1 failed" in nbval(path, "--nbval-lax").stdout


def test_a_typical_mistake_is_explained_in_nbvals_output(learner_folder, tmp_path):
    name = next(name for name in NAMES if name.startswith("01"))
    wrong = (
        "# exercise: 01.softmax\ndef softmax(logits, axis=-1):\n"
        "    powers = np.exp(logits)\n    return powers / powers.sum(axis=axis, keepdims=True)"
    )
    path = learner_folder / f"{name}.ipynb"
    nbformat.write(solved_notebook(name, {"01.softmax": wrong}), path)
    done = nbval(path)
    assert done.returncode == 1
    assert "1 failed" in done.stdout
    sentence = next(m.says for m in find_exercise("01.softmax").mistakes if "maximum" in m.name)
    assert sentence[:60] in done.stdout
