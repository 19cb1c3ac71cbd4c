"""Makes the book: sources into a temporary folder, Sphinx over them, and the site into its place in one step."""

from __future__ import annotations

import io
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path

import nbformat

from mlm_mini.book import mathematics
from mlm_mini.book.contents import first_page
from mlm_mini.book.pages import page_notebook
from mlm_mini.book.place import check_place, in_one_step
from mlm_mini.book.settings import sphinx_settings
from mlm_mini.course.notebook import Chapter, read_chapters

EMPTY_HEADING = re.compile(r"<th[^>]*>\s*(<p>\s*</p>)?\s*</th>")
NEEDED = ("sphinx", "myst_nb", "sphinx_book_theme")


class BookError(RuntimeError):
    """The book could not be made. The message says why, and what to do."""


def build_book(
    top: Path,
    out: Path,
    numbers: Iterable[str] = (),
    repository: str | None = None,
    say: Callable[[str], object] = print,
) -> list[str]:
    """Writes the book of the chapters of those numbers, or of all, to `out`. Returns what Sphinx warned of.

    top: the folder of the course. repository: its address on the web, for links. say: told what is being done.
    Raises BookError without the extra `book`, for an unknown chapter, and for one that is not built; OSError, with
    nothing changed, where `out` cannot be written or holds anything that is not a book.
    """
    check_extra()
    check_place(out)
    chapters = chosen_chapters(top, numbers)
    with tempfile.TemporaryDirectory(prefix="mlm_mini_book_") as scratch, in_one_step(out) as unfinished:
        source, static, site = (Path(scratch) / name for name in ("source", "static", "site"))
        for folder in (source, static, site):
            folder.mkdir()
        mathematics.copy_mathjax(static)
        for chapter in chapters:
            say(chapter.name)
            write_page(top, chapter, source, site, repository)
        (source / "index.md").write_text(first_page(chapters, top / "README.md"), encoding="utf-8")
        say("Sphinx")
        return run_sphinx(source, unfinished, Path(scratch) / "doctrees", sphinx_settings(static, site))


def check_extra() -> None:
    """Raises BookError, with the command that installs it, where the extra `book` is missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    try:
        distribution(mathematics.MATHJAX_PACKAGE)
    except PackageNotFoundError:
        missing.append(mathematics.MATHJAX_PACKAGE)
    if missing:
        raise BookError(
            f"the book needs {', '.join(missing)}, which the extra `book` installs: "
            'in the folder of the course, python -m pip install -e ".[book]"'
        )


def chosen_chapters(top: Path, numbers: Iterable[str]) -> list[Chapter]:
    """The chapters of those numbers, or all. Raises BookError for a number that no chapter has."""
    chapters, numbers = read_chapters(top / "solutions"), set(numbers)
    unknown = numbers - {chapter.number for chapter in chapters}
    if unknown:
        raise BookError(f"there is no chapter {', '.join(sorted(unknown))}")
    return [chapter for chapter in chapters if not numbers or chapter.number in numbers]


def write_page(top: Path, chapter: Chapter, source: Path, site: Path, repository: str | None) -> None:
    """One page's notebook into `source`, and what it links to into `site`."""
    for folder in ("chapters", "solutions"):
        path = top / folder / f"{chapter.name}.ipynb"
        if not path.is_file():
            raise BookError(f"{folder}/{path.name} is missing: run `python3 course.py build {chapter.number}`")
        (site / folder).mkdir(exist_ok=True)
        shutil.copyfile(path, site / folder / path.name)
    try:
        stored = nbformat.read(top / "solutions" / f"{chapter.name}.ipynb", as_version=4)
    except Exception as error:  # nbformat has no common base class for what a broken file raises
        raise BookError(f"solutions/{chapter.name}.ipynb is not a readable notebook ({error})") from None
    page = page_notebook(stored, chapter, site, repository)
    nbformat.write(page, source / f"{chapter.name}.ipynb")


def run_sphinx(source: Path, out: Path, doctrees: Path, settings: dict) -> list[str]:
    """Returns its warnings, a line each. Raises BookError when it fails."""
    from sphinx.application import Sphinx
    from sphinx.errors import SphinxError
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    warnings = io.StringIO()
    try:
        with patch_docutils(), docutils_namespace():
            app = Sphinx(
                source,
                None,
                out,
                doctrees,
                "html",
                confoverrides=settings,
                status=None,
                warning=warnings,
                freshenv=True,
            )
            app.connect("html-page-context", without_empty_headings)
            app.build(force_all=True)
    except SphinxError as error:
        raise BookError(f"Sphinx failed: {error}") from None
    remove_unread(out)
    (out / ".nojekyll").touch()  # or GitHub Pages would leave out every folder that begins with an underscore
    return [line for line in warnings.getvalue().splitlines() if line.strip()]


def without_empty_headings(_app, _page, _template, context: dict, _doctree) -> None:
    """The empty corner of a table is a plain cell: as a heading it would announce nothing to a screen reader."""
    context["body"] = EMPTY_HEADING.sub("<td></td>", context.get("body", ""))


def remove_unread(out: Path) -> None:
    """Removes what no reader's browser asks for: half of what the theme brings."""
    for folder in ("_sources", "_static/locales"):
        shutil.rmtree(out / folder, ignore_errors=True)
    for pattern in ("_static/**/*.map", "_static/*macros.html", ".buildinfo", "objects.inv"):
        for path in out.glob(pattern):
            path.unlink()
