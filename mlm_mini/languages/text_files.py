"""A learner's own files as a corpus: which are text, and which of them are held out."""

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from mlm_mini.languages.corpus import SPLITS, Corpus, FileDocument, file_lines
from mlm_mini.storage import fingerprint

TEXT_ENDINGS = (".txt", ".md")
HELD_OUT_SHARE = 0.05
BLOCKS = 20
REPLACED = "read with bytes that are not UTF-8 replaced"
ESCAPED = re.compile("[\udc80-\udcff]")


def read_text_folder(path: str | os.PathLike) -> Corpus:
    """A corpus of the .txt and .md files under a folder, or of one file whatever its ending.

    Files are UTF-8, with or without a byte order mark. Files that are empty, binary (they hold a NUL byte) or not
    readable are left out, and bytes that are not UTF-8 become U+FFFD; one warning counts and names them.

    Every file is a document. It is checked now, a line at a time, and read again when it is used: `texts` holds the
    whole corpus in memory, `lines` of a document does not. About 5% of the documents, chosen by a hash of their names,
    are for validation and as many for test, at least one each. One or two files are first cut into up to 20 contiguous
    blocks of paragraphs (of lines, when there are no empty lines), which then count as documents; `note` says so.

    Raises FileNotFoundError or PermissionError when there is nothing at `path` or it may not be read, ValueError when
    no text is found in it, or too little to hold some out.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    problems: dict[str, list[str]] = {}
    files = _usable_files(path, problems)
    if not files:
        raise _nothing_to_read(path, problems)
    if problems:
        warnings.warn(f"in {path}, {_summary(problems)}; {len(files)} file(s) were read", stacklevel=2)
    documents = [FileDocument(name, file) for name, file in files.items()]
    note = "Split by file."
    if len(documents) < len(SPLITS):
        documents = [block for document in documents for block in _blocks(document)]
        note = f"So few files were cut into {len(documents)} contiguous blocks of paragraphs, and split by block."
    if len(documents) < len(SPLITS):
        raise ValueError(f"{path} holds a single paragraph, so that nothing can be held out to test a model on")
    side = _assign_sides(document.name for document in documents)
    documents = tuple(replace(document, split=side[document.name]) for document in documents)
    return Corpus(documents, source=str(path), license="that of its owner", note=note)


def _usable_files(path: Path, problems: dict[str, list[str]]) -> dict[str, Path]:
    """Name -> path of every file with text; what is wrong with the others, and their names, goes to `problems`."""
    files = {}
    for file in [path] if path.is_file() else _find_files(path, problems):
        name = file.name if file == path else file.relative_to(path).as_posix()
        try:
            problem = _examine(file)
        except OSError as error:
            problem = f"unreadable ({error.strerror})"
        if problem in (None, REPLACED):
            files[name] = file
        if problem:
            problems.setdefault(problem, []).append(name)
    return files


def _examine(file: Path) -> str | None:
    """What is wrong with the content of a file, if anything."""
    empty = utf8 = True
    for line in file_lines(file, errors="surrogateescape"):  # which marks bytes that are not UTF-8
        if "\0" in line:
            return "binary or not UTF-8 (NUL bytes)"
        empty = empty and not line.strip()
        utf8 = utf8 and (line.isascii() or not ESCAPED.search(line))
    return "empty" if empty else None if utf8 else REPLACED


def _find_files(folder: Path, problems: dict[str, list[str]]) -> list[Path]:
    def note_folder(error: OSError) -> None:
        problems.setdefault(f"unreadable ({error.strerror})", []).append(str(error.filename))

    return sorted(
        Path(parent, name)
        for parent, _, names in os.walk(folder, onerror=note_folder)
        for name in names
        if name.lower().endswith(TEXT_ENDINGS)
    )


def _summary(problems: dict[str, list[str]]) -> str:
    """ "2 empty (a.txt, b.txt); 9 binary (c.txt, d.txt, e.txt, ...)" """
    return "; ".join(
        f"{len(names)} {reason} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
        for reason, names in problems.items()
    )


def _nothing_to_read(path: Path, problems: dict[str, list[str]]) -> Exception:
    if not problems:
        return ValueError(f"there is no {' or '.join(TEXT_ENDINGS)} file in {path}")
    kind = PermissionError if all(reason.startswith("unreadable") for reason in problems) else ValueError
    return kind(f"nothing in {path} can be read as text: {_summary(problems)}")


def _blocks(document: FileDocument) -> list[FileDocument]:
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


def _assign_sides(names: Iterable[str]) -> dict[str, str]:
    """The side of each name: by the rank of its hash, which is the same in any order and on any machine."""
    ranked = sorted(names, key=fingerprint)
    held_out = max(1, round(HELD_OUT_SHARE * len(ranked)))
    return {
        name: "test" if rank < held_out else "validation" if rank < 2 * held_out else "train"
        for rank, name in enumerate(ranked)
    }
