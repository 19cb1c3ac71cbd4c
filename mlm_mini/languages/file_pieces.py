"""A file cut into pieces that count as documents, so that some of a single text can be held out."""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

from mlm_mini.languages.corpus import SPLITS, FileDocument, file_lines
from mlm_mini.languages.words import split_sentences

BLOCKS = 20


def blocks_of_file(document: FileDocument) -> list[FileDocument]:
    """Up to `BLOCKS` pieces of a file, each a run of neighboring paragraphs."""
    paragraphs = _count(_paragraph_starts(document.path))
    loose = paragraphs < len(SPLITS)
    starts = _line_numbers if loose else _paragraph_starts
    total = _count(starts(document.path)) if loose else paragraphs
    count = min(BLOCKS, total)
    wanted = {i * total // count for i in range(count)}
    edges = [line for i, line in enumerate(starts(document.path)) if i in wanted]
    return [
        FileDocument(f"{document.name}, part {i} of {count}", document.path, first=first, end=end, loose=loose)
        for i, (first, end) in enumerate(zip(edges, [*edges[1:], None], strict=True), start=1)
    ]


def _paragraph_starts(path: Path) -> Iterator[int]:
    """The numbers of the lines with something on them that follow an empty line, or nothing."""
    between = True
    for number, line in enumerate(file_lines(path)):
        empty = not line.strip()
        if between and not empty:
            yield number
        between = empty


def _line_numbers(path: Path) -> Iterator[int]:
    """The numbers of the lines with something on them."""
    return (number for number, line in enumerate(file_lines(path)) if line.strip())


def _count(items: Iterable) -> int:
    return sum(1 for _ in items)


def pieces_of_text(text: str) -> tuple[str, list[str]]:
    """How a single paragraph is best cut, "sentences" or "length", and up to `BLOCKS` pieces of it.

    By length, a piece ends at a space where there are spaces enough, else anywhere.
    """
    sentences, words = split_sentences(text), text.split()
    if len(sentences) >= len(SPLITS):
        return "sentences", [" ".join(part) for part in _runs(sentences)]
    if len(words) >= len(SPLITS) * BLOCKS:
        return "length", [" ".join(part) for part in _runs(words)]
    return "length", list(_runs(" ".join(words)))


def _runs(units):
    """Up to `BLOCKS` contiguous parts of a list or a str, of nearly the same number of units."""
    count = min(BLOCKS, len(units))
    edges = [len(units) * i // count for i in range(count + 1)]
    return [units[start:end] for start, end in pairwise(edges)]
