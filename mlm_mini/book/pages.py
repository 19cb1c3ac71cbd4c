"""A worked chapter as a page: the stored notebook, with what needs a kernel replaced by what does not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mlm_mini.book.moving import MOVING
from mlm_mini.book.pictures import with_files
from mlm_mini.book.sliders import BookSlider, slider_html, with_parts
from mlm_mini.course.notebook import Chapter

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
STILL = "without-a-kernel"  # the cell that says what a picture below a widget is there for
ONLY_STILL = re.compile(r"^Without a running kernel [^;.]*; (\w)")


def page_notebook(stored: NotebookNode, chapter: Chapter, site: Path, repository: str | None) -> NotebookNode:
    """The notebook that Sphinx reads. Files that the page shows are written below `site`.

    stored: the executed solution; it is changed. repository: its address on the web, for links; None for none.
    """
    stored.metadata.pop("widgets", None)  # with it, a page would fetch scripts that look for a kernel
    moving = {cell.id: MOVING[cell.id]() for cell in stored.cells if cell.id in MOVING}
    for cell in stored.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                _output(output, site) for output in cell.outputs if WIDGET_VIEW not in output.get("data", {})
            ]
        if cell.id in moving:
            cell.outputs = [_slider_output(moving[cell.id], site)]
        if cell.id == STILL and moving:
            cell.source = still_words(cell.source)
    links = nbformat.v4.new_markdown_cell(open_links(chapter, repository), id="open-the-chapter")
    stored.cells.insert(1, links)
    return stored


def _output(output: Mapping, site: Path) -> Mapping:
    markup = output.get("data", {}).get("text/html")
    if markup:
        output["data"]["text/html"] = with_files("".join(markup), site)
    return output


def _slider_output(slider: BookSlider, site: Path) -> NotebookNode:
    slider = with_parts(slider, lambda part: with_files(part, site, smaller=True))
    return nbformat.v4.new_output("display_data", {"text/html": slider_html(slider)})


def still_words(source: str) -> str:
    """What a chapter says of the picture below a widget, where that widget moves without a kernel."""
    return ONLY_STILL.sub(lambda found: found[1].upper(), source)


def open_links(chapter: Chapter, repository: str | None) -> str:
    """Where the chapter can be opened and worked in, as a paragraph of HTML."""
    name = f"{chapter.name}.ipynb"
    ways = [
        f'<a href="chapters/{name}" download>your notebook</a>, with the exercises open',
        f'<a href="solutions/{name}" download>the worked notebook</a>, which is this page',
    ]
    if repository:
        ways.append(f'<a href="{repository}/blob/main/chapters/{name}">the notebook in its repository</a>')
    items = "".join(f"<li>{way}</li>" for way in ways)
    return (
        '<div class="book-open" role="note" aria-label="Open the chapter"><p>Open the chapter: '
        f"<code>python3 course.py learn {chapter.number}</code> in a clone of the course, or download</p>"
        f"<ul>{items}</ul></div>"
    )
