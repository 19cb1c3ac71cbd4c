"""The book's first page, and the order of all others."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from mlm_mini.course.notebook import Chapter

BOOK_TITLE = "Masked language modeling, step by step"
ABOUT_THE_BOOK = (
    "Every chapter is shown worked out, with the figures and numbers that it gave. To solve the exercises yourself, "
    "clone the course and open it in JupyterLab with `python3 course.py learn`."
)
# Each part with the number of its first chapter.
BOOK_PARTS = {
    "Part I · NumPy": "00",
    "Part II · The Transformer": "05",
    "Part III · Experiments": "09",
    "Part IV · What has been learned": "12",
    "Part V · Beyond English": "15",
}


def first_page(chapters: Iterable[Chapter], readme: Path) -> str:
    """`index.md`: how the README begins, a table of the chapters, and for each part what stands in the side bar."""
    chapters = list(chapters)
    lines = [f"# {BOOK_TITLE}", "", opening(readme.read_text(encoding="utf-8")), "", ABOUT_THE_BOOK, ""]
    for part, inside in book_parts(chapters).items():
        lines += [f"## {part}", "", "| chapter | question | minutes |", "|---|---|---|"]
        lines += [f"| [{c.number} · {c.title}]({c.name}.ipynb) | {c.question} | {c.minutes} |" for c in inside]
        lines += ["", "```{toctree}", ":hidden:", f":caption: {part}", "", *(c.name for c in inside), "```", ""]
    return "\n".join(lines)


def book_parts(chapters: Iterable[Chapter]) -> dict[str, list[Chapter]]:
    """The chapters of each part that has any."""
    starts = [*BOOK_PARTS.items(), ("", "end")]
    parts = {
        part: [chapter for chapter in chapters if first <= chapter.number < following]
        for (part, first), (_, following) in pairwise(starts)
    }
    return {part: inside for part, inside in parts.items() if inside}


def opening(readme: str) -> str:
    """The README's first paragraph below its title."""
    return readme.split("\n\n")[1].strip()
