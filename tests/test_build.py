"""Building, checking and resetting a course of one chapter, in a folder of its own."""

import os

import nbformat
import pytest
from test_notebook import BODY, HEADER

from mlm_mini import __main__ as command_line
from mlm_mini import storage
from mlm_mini.commands import notebooks
from mlm_mini.course import build as b
from mlm_mini.course.notebook import METADATA, SourceError

ANSWERS, CHAPTER, SOLUTION = "mlm_mini/course/answers/ch99.py", "chapters/99_double.ipynb", "solutions/99_double.ipynb"
RUNNABLE = BODY.replace('check("99.double", double)', "print(np.round(1.25, 1))")


@pytest.fixture
def top(tmp_path):
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "99_double.py").write_text(HEADER + RUNNABLE)
    return tmp_path


def read(path):
    return nbformat.read(path, as_version=4)


def edit(path):
    notebook = read(path)
    notebook.cells[2].source = "# exercise: 99.double\ndouble = 'mine'"
    nbformat.write(notebook, path)


def change_source(top):
    source = top / "solutions" / "99_double.py"
    source.write_text(source.read_text().replace("A title", "Another title"))


def test_build_writes_both_and_a_second_build_changes_nothing(top):
    said = []
    assert b.stale(top) == [f"{ANSWERS} is stale", f"{CHAPTER} is missing", f"{SOLUTION} is missing"]
    b.build(top, say=said.append)
    assert b.stale(top) == []
    chapter, solution = read(top / "chapters/99_double.ipynb"), read(top / "solutions/99_double.ipynb")
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in chapter.cells)
    printed = next(cell for cell in solution.cells if cell.get("outputs"))
    assert printed.outputs[0].text == "1.2\n"
    assert {key: solution.metadata[key] for key in METADATA} == METADATA  # nothing of this machine's Python
    before = (top / "solutions/99_double.ipynb").read_bytes()
    b.build(top, say=said.append)
    assert said[-1] == "99_double: chapter unchanged, solution unchanged"
    b.build(top, rerun=True, say=said.append)
    assert said[-1] == "99_double: chapter unchanged, solution executed"
    assert (top / "solutions/99_double.ipynb").read_bytes() == before


def test_check_sees_every_kind_of_staleness(top):
    b.build(top, say=lambda _: None)
    change_source(top)
    assert b.stale(top) == ["chapters/99_double.ipynb is stale", "solutions/99_double.ipynb is stale"]
    b.build(top, say=lambda _: None)
    solution = top / "solutions/99_double.ipynb"
    notebook = read(solution)
    notebook.cells[1].execution_count = None
    nbformat.write(notebook, solution)
    (top / "solutions/98_gone.ipynb").write_text("{}")
    (top / "chapters/98_gone.ipynb").write_text("{}")
    (top / ANSWERS).with_name("ch98.py").write_text("")
    assert b.stale(top) == [
        "solutions/99_double.ipynb was not executed to the end",
        "chapters/98_gone.ipynb has no source",
        "solutions/98_gone.ipynb has no source",
        "mlm_mini/course/answers/ch98.py has no source",
    ]
    chapter = top / "chapters/99_double.ipynb"
    chapter.write_text(chapter.read_text() + "\n")  # byte for byte
    assert "chapters/99_double.ipynb is stale" in b.stale(top)
    b.build(top, say=lambda _: None)
    assert "chapters/99_double.ipynb is stale" not in b.stale(top)
    notebook = read(chapter)
    notebook.cells[3].outputs = [nbformat.v4.new_output("stream", text="left over")]
    nbformat.write(notebook, chapter)
    assert "chapters/99_double.ipynb is stale" in b.stale(top)


@pytest.fixture
def two(top, monkeypatch):
    """A course of two chapters, for the command."""
    source = (top / "solutions/99_double.py").read_text()
    (top / "solutions/98_again.py").write_text(source.replace("99.double", "98.again"))
    monkeypatch.setattr(notebooks, "course_folder", lambda: top)
    return top


def test_the_command_checks_the_chapters_that_it_is_given(two, capsys):
    assert command_line.main(["build", "--check", "98"]) == 1
    named = [line.split()[0] for line in capsys.readouterr().out.splitlines()[:-1]]
    assert named == ["mlm_mini/course/answers/ch98.py", "chapters/98_again.ipynb", "solutions/98_again.ipynb"]
    assert command_line.main(["build", "--check"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 2 * len(named) + 1


@pytest.mark.parametrize(
    ("options", "asked"), [((), (False, False)), (("--force",), (True, False)), (("--rerun",), (False, True))]
)
def test_the_command_builds_the_chapters_that_it_is_given_as_it_is_told(options, asked, two, monkeypatch):
    calls = []
    monkeypatch.setattr(b, "build", lambda top, numbers, force, rerun: calls.append((top, numbers, (force, rerun))))
    assert command_line.main(["build", "98", *options]) == 0
    assert calls == [(two, ["98"], asked)]


def test_a_learners_edits_are_never_overwritten_unasked(top):
    b.build(top, say=lambda _: None)
    chapter = top / "chapters/99_double.ipynb"
    edit(chapter)
    mine = chapter.read_bytes()
    change_source(top)
    with pytest.raises(b.BuildError, match="reset 99"):
        b.build(top, say=lambda _: None)
    assert chapter.read_bytes() == mine
    assert "A title" in read(top / "solutions/99_double.ipynb").cells[0].source  # nothing else was written either
    b.build(top, force=True, say=lambda _: None)
    assert chapter.read_bytes() != mine


def test_a_solution_that_does_not_run_leaves_both_notebooks_as_they_were(top):
    b.build(top, say=lambda _: None)
    built = [top / ANSWERS, top / CHAPTER, top / SOLUTION]
    before = [path.read_bytes() for path in built]
    source = top / "solutions/99_double.py"
    text = source.read_text().replace("print(np.round(1.25, 1))", "1 / 0")
    source.write_text(text.replace("values + values", "2 * values"))
    with pytest.raises(b.BuildError, match="ZeroDivisionError"):
        b.build(top, force=True, say=lambda _: None)
    assert [path.read_bytes() for path in built] == before


def test_a_changed_answer_makes_the_module_of_answers_stale(top):
    b.build(top, say=lambda _: None)
    assert "answer_of_the_author = values + values" in (top / ANSWERS).read_text()
    (top / ANSWERS).write_text("ANSWERS = {}\n")
    assert b.stale(top) == [f"{ANSWERS} is stale"]
    b.build(top, say=lambda _: None)
    assert b.stale(top) == []


def test_reset_from_a_bad_source_leaves_the_chapter_in_place(top):
    b.build(top, say=lambda _: None)
    source = top / "solutions/99_double.py"
    source.write_text(source.read_text().replace("    # </solution>\n", ""))
    with pytest.raises(SourceError):
        b.reset(top, "99", say=lambda _: None)
    assert [path.name for path in (top / "chapters").iterdir()] == ["99_double.ipynb"]


def test_an_old_but_untouched_chapter_is_replaced_even_when_it_was_run(top):
    b.build(top, say=lambda _: None)
    chapter = top / "chapters/99_double.ipynb"
    notebook = read(chapter)
    notebook.cells[1].execution_count = 1
    nbformat.write(notebook, chapter)
    change_source(top)
    b.build(top, say=lambda _: None)
    assert "Another title" in read(chapter).cells[0].source


def test_reset_keeps_the_learners_file(top):
    b.build(top, say=lambda _: None)
    chapter = top / "chapters/99_double.ipynb"
    edit(chapter)
    mine = chapter.read_bytes()
    for _ in range(2):  # twice within one second must not lose the first copy
        b.reset(top, "99", say=lambda _: None)
    kept = sorted((top / "chapters").glob("99_double.kept-*.ipynb"))
    assert len(kept) == 2
    assert mine in [path.read_bytes() for path in kept]
    assert b.stale(top) == []
    with pytest.raises(b.BuildError, match="no chapter 42"):
        b.reset(top, "42")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import sys; print('oh', file=sys.stderr)", "wrote to stderr: oh"),
        (
            "import os, sys; print(os.listdir(os.environ['MLM_MINI_DATA']), file=sys.stderr)",
            r"stderr: \[\]",
        ),  # not mine
    ],
)
def test_a_solution_that_fails_or_warns_stops_the_build(top, code, message, tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "progress.json").write_text("{}")
    monkeypatch.setenv("MLM_MINI_DATA", str(tmp_path / "mine"))
    source = top / "solutions/99_double.py"
    source.write_text(source.read_text().replace("print(np.round(1.25, 1))", code))
    with pytest.raises(b.BuildError, match=message):
        b.build(top, say=lambda _: None)
    assert not (top / "solutions/99_double.ipynb").exists()
    assert not (top / ANSWERS).exists()


def test_a_chapter_that_is_no_notebook_is_left_alone(top):
    (top / "chapters").mkdir()
    (top / "chapters/99_double.ipynb").write_text("my own notes")
    with pytest.raises(b.BuildError, match="not a readable notebook"):
        b.build(top)
    assert (top / "chapters/99_double.ipynb").read_text() == "my own notes"


def test_what_a_killed_build_left_is_not_stale_and_is_removed_in_time(top):
    b.build(top, say=lambda _: None)
    folder = top / "chapters"
    old, new = (folder / f".99_double.{byte * 16}.ipynb" for byte in ("0a", "1b"))
    for path in (old, new):
        path.write_text("{")
    os.utime(old, (0, 0))
    assert b.stale(top) == []
    b.build(top, say=lambda _: None)
    assert (old.exists(), new.exists()) == (False, True)
    (folder / ".mine.ipynb").write_text("{}")
    assert b.stale(top) == ["chapters/.mine.ipynb has no source"]


def test_the_name_of_a_leftover_is_that_of_a_file_being_written(tmp_path):
    seen = []
    storage.write_atomically(tmp_path / "a.ipynb", lambda temporary: seen.append(temporary))
    assert storage.is_temporary(seen[0])
    assert not storage.is_temporary(tmp_path / "a.ipynb")
