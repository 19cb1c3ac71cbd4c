"""A chapter outside its repository: the links, the cell that says how to get the course, where progress is kept."""

import re
import sys
from importlib import metadata, util
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlm_mini.course import elsewhere
from mlm_mini.course import notebook as nb
from mlm_mini.course.progress import progress_file

TOP = Path(__file__).resolve().parents[1]
CHAPTERS = nb.read_chapters(TOP / "solutions")
TORCH = f"torch=={metadata.version('torch')}"


def install_line():
    return f"install 'mlm_mini[chapters] @ git+{elsewhere.repository()}' {TORCH}"


@pytest.fixture
def missing(monkeypatch):
    """As it is where the course is not installed."""
    found = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "mlm_mini" else found(name))


def test_every_chapter_begins_with_the_cell_and_the_links():
    for chapter in CHAPTERS:
        for notebook in (nb.chapter_notebook(chapter), nb.solution_notebook(chapter)):
            first = next(cell for cell in notebook.cells if cell.cell_type == "code")
            assert (first.id, first.source) == (nb.INSTALL_ID, elsewhere.install_cell())
        assert nb.chapter_notebook(chapter).cells[1].source == elsewhere.links(chapter.name)


def test_where_the_course_is_the_cell_does_nothing(capsys):
    exec(elsewhere.install_cell(), {})
    assert capsys.readouterr().out == ""


def test_where_it_is_missing_the_cell_says_the_line_and_pins_the_torch_that_is_there(missing):
    with pytest.raises(ModuleNotFoundError) as error:
        exec(elsewhere.install_cell(), {})
    assert str(error.value).endswith(f"%pip {install_line()}")


@pytest.mark.parametrize(("answer", "runs"), [("y", True), ("Yes", True), ("n", False), ("", False)])
def test_on_colab_it_asks_first(missing, monkeypatch, answer, runs):
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    monkeypatch.setattr("builtins.input", lambda question: answer if install_line() in question else "never asked")
    ran = []
    shell = SimpleNamespace(run_line_magic=lambda *words: ran.append(words))
    if runs:
        exec(elsewhere.install_cell(), {"get_ipython": lambda: shell})
    else:
        with pytest.raises(ModuleNotFoundError):
            exec(elsewhere.install_cell(), {"get_ipython": lambda: shell})
    assert ran == ([("pip", install_line())] if runs else [])


def test_each_service_opens_this_chapter_of_the_main_branch(monkeypatch):
    monkeypatch.setattr(elsewhere, "repository", lambda: "https://github.com/me/course")
    assert elsewhere.services("01_softmax") == {
        "Colab": "https://colab.research.google.com/github/me/course/blob/main/chapters/01_softmax.ipynb",
        "Kaggle": "https://kaggle.com/kernels/welcome?src=https://github.com/me/course/blob/main/chapters/01_softmax.ipynb",
        "Binder": "https://mybinder.org/v2/gh/me/course/main?urlpath=lab/tree/chapters/01_softmax.ipynb",
        "Codespaces": "https://codespaces.new/me/course",
    }


def test_the_address_is_the_same_wherever_it_must_be_written_out():
    """pyproject.toml says it; these pages cannot read it from there."""
    readme = (TOP / "README.md").read_text(encoding="utf-8")
    for service, address in elsewhere.services(CHAPTERS[0].name).items():
        assert address in readme, service
    citation = (TOP / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^repository-code: (.*)$", citation, re.MULTILINE)[1] == elsewhere.repository()


def test_progress_is_kept_where_the_service_keeps_files(tmp_path, monkeypatch):
    monkeypatch.setattr(elsewhere, "SERVICE_FOLDERS", (tmp_path / "not mounted", tmp_path))
    monkeypatch.delenv("MLM_MINI_DATA")
    assert progress_file() == tmp_path / "mlm_mini" / "progress.json"
    assert progress_file().parent.is_dir()
    monkeypatch.setenv("MLM_MINI_DATA", str(tmp_path / "own"))
    assert progress_file() == tmp_path / "own" / "progress.json"
