"""A learner's own files as a corpus: which are text, and which of them are held out."""

import os
import re
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from mlm_mini.languages.corpus import SPLITS, Corpus, Document, FileDocument, file_lines
from mlm_mini.languages.file_pieces import blocks_of_file, pieces_of_text
from mlm_mini.paths import check_regular_file, expand_home
from mlm_mini.storage import fingerprint

TEXT_ENDINGS = (".txt", ".md")
HELD_OUT_SHARE = 0.05
FEWEST_CHARACTERS = 200  # of a text that has to be cut within its paragraph
UNREADABLE = 0.01  # the share of characters that are no text from which a file is not read
BEGINNING = 4096  # bytes that tell whether files of some ending may be text
REPLACED = "read with bytes that are not UTF-8 replaced"
NOT_UTF8 = "not UTF-8 (save as UTF-8, or: iconv -f ENCODING -t UTF-8 OLD > NEW)"
NULS = "binary or not UTF-8 (NUL bytes; if it is UTF-16: iconv -f UTF-16 -t UTF-8 OLD > NEW)"
CONTROLS = "binary (full of control characters)"
PDF = "PDF (extract the text first: pdftotext OLD NEW)"
IRREGULAR = "not a regular file"
ESCAPED = re.compile("[\udc80-\udcff]")
CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f]")  # but for ESC, which colors a log


def read_text_folder(path: str | os.PathLike, endings: Iterable[str] = ()) -> Corpus:
    """A corpus of the .txt and .md files under a folder, or of one file whatever its ending.

    endings: such as ".py", of the files of a folder that are read in place of these. What is hidden (.git, .venv), and
    other virtual environments, are passed over.
    Files are UTF-8, with or without a byte order mark. Files that are empty, binary or not readable are left out, and
    those with more than 1% of characters that are not UTF-8, or control characters; fewer become U+FFFD. One warning
    counts and names them.

    Every file is a document. It is checked now, a line at a time, and read again when it is used: `texts` holds the
    whole corpus in memory, `lines` of a document does not. About 5% of the documents, chosen by a hash of their names,
    are for validation and as many for test, at least one each. One or two files are first cut into up to 20 contiguous
    blocks of paragraphs (of lines, when there are no empty lines), which then count as documents; `note` says so. A
    single paragraph is cut by sentences or by length, with a warning.

    Raises FileNotFoundError or PermissionError when there is nothing at `path` or it may not be read, ValueError when
    no text is found in it, or too little to hold some out, or for an ending that is none.
    """
    path = expand_home(path)
    if path.is_symlink() and not path.exists():
        raise FileNotFoundError(f"{path} is a link that leads nowhere, or in a circle")
    if not path.exists():
        raise FileNotFoundError(f"there is no file or folder {path}")
    if not path.is_dir():
        check_regular_file(path)
    endings = _checked_endings(path, endings)
    problems: dict[str, list[str]] = {}
    files = _usable_files(path, endings, problems)
    if not files:
        raise _nothing_to_read(path, endings, problems)
    if problems:
        warnings.warn(f"in {path}, {_summary(problems)}; {len(files)} file(s) were read", stacklevel=2)
    documents = [FileDocument(name, file) for name, file in files.items()]
    note = "Split by file."
    if len(documents) < len(SPLITS):
        blocks = [block for document in documents for block in blocks_of_file(document)]
        note = f"So few files were cut into {len(blocks)} contiguous blocks of paragraphs, and split by block."
        if len(blocks) < len(SPLITS):
            blocks, note = _pieces(path, documents)
            warnings.warn(f"{path}: {note}", stacklevel=2)
        documents = blocks
    side = _assign_sides(document.name for document in documents)
    documents = tuple(replace(document, split=side[document.name]) for document in documents)
    return Corpus(documents, source=str(path), license="that of its owner", note=note)


def _pieces(path: Path, documents: list[FileDocument]) -> tuple[list[Document], str]:
    """The texts cut within their paragraphs, and a sentence that says so."""
    texts = {document.name: document.text for document in documents}
    size = sum(len(text.strip()) for text in texts.values())
    if size < FEWEST_CHARACTERS:
        raise ValueError(
            f"{path} holds {size} characters in a single paragraph, so that nothing can be held out to test a model "
            f"on: expected {FEWEST_CHARACTERS} or more, or three paragraphs"
        )
    pieces, ways = [], []
    for name, text in texts.items():
        way, parts = pieces_of_text(text)
        ways.append(way)
        pieces += [Document(f"{name}, part {i} of {len(parts)}", part) for i, part in enumerate(parts, start=1)]
    ways = " and ".join(dict.fromkeys(ways))
    return pieces, f"A single paragraph was cut into {len(pieces)} pieces by {ways}, and split by piece."


def _checked_endings(path: Path, endings: Iterable[str]) -> tuple[str, ...]:
    endings = tuple(endings)
    for ending in endings:
        if not re.fullmatch(r"(\.\w[\w+-]*)+", ending):
            raise ValueError(f"ending is {ending!r}: expected a dot and letters, such as .py")
    if endings and not path.is_dir():
        raise ValueError(f"endings choose among the files of a folder, and {path} is a file: leave them out")
    return tuple(ending.lower() for ending in endings) or TEXT_ENDINGS


def _usable_files(path: Path, endings: tuple[str, ...], problems: dict[str, list[str]]) -> dict[str, Path]:
    """Name -> path of every file with text; what is wrong with the others, and their names, goes to `problems`."""
    files = {}
    chosen = [path] if path.is_file() else [f for f in _find_files(path, problems) if f.name.lower().endswith(endings)]
    for file in chosen:
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
    if not file.is_file():
        return IRREGULAR
    empty, characters, bad, controls = True, 0, 0, 0
    for line in file_lines(file, errors="surrogateescape"):  # which marks bytes that are not UTF-8
        if not characters and line.startswith("%PDF-"):
            return PDF
        if "\0" in line:
            return NULS
        empty = empty and not line.strip()
        characters += len(line) + 1
        bad += 0 if line.isascii() else len(ESCAPED.findall(line))
        controls += 0 if line.isprintable() else len(CONTROL.findall(line))
    if controls > UNREADABLE * characters:
        return CONTROLS
    if bad > UNREADABLE * characters:
        return NOT_UTF8
    return "empty" if empty else REPLACED if bad else None


def _find_files(folder: Path, problems: dict[str, list[str]]) -> list[Path]:
    """All that is no folder under a folder, but for what is hidden."""

    def note_folder(error: OSError) -> None:
        problems.setdefault(f"unreadable ({error.strerror})", []).append(str(error.filename))

    found = []
    for parent, folders, names in os.walk(folder, onerror=note_folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        folders[:] = [name for name in folders if not Path(parent, name, "pyvenv.cfg").exists()]
        found += [Path(parent, name) for name in names if not name.startswith(".")]
    return sorted(found)


def _summary(problems: dict[str, list[str]]) -> str:
    """ "2 empty (a.txt, b.txt); 9 binary (c.txt, d.txt, e.txt, ...)" """
    return "; ".join(
        f"{len(names)} {reason} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
        for reason, names in problems.items()
    )


def _nothing_to_read(path: Path, endings: tuple[str, ...], problems: dict[str, list[str]]) -> Exception:
    if not problems:
        return ValueError(f"there is no {' or '.join(endings)} file in {path}: {_what_is_there(path)}")
    kind = PermissionError if all(reason.startswith("unreadable") for reason in problems) else ValueError
    return kind(f"nothing in {path} can be read as text: {_summary(problems)}")


def _what_is_there(folder: Path) -> str:
    """ "it holds 12 .py, 1 .png; to read text of another ending: --ending .py, or name one file" """
    files = [file for file in _find_files(folder, {}) if file.is_file()]
    if not files:
        return "it holds no file, or hidden ones only"
    counts = Counter(file.suffix.lower() for file in files).most_common()
    text = next((ending for ending, _ in counts if ending and _may_be_text(files, ending)), None)
    remedy = f"to read them: --ending {text} (may be repeated), or name one file" if text else "name one text file"
    holds = ", ".join(f"{count} {ending or 'without an ending'}" for ending, count in counts[:5])
    return f"it holds {holds}{', ...' if len(counts) > 5 else ''}; {remedy}"


def _may_be_text(files: list[Path], ending: str) -> bool:
    """Whether the first file of an ending begins without a NUL byte."""
    try:
        with next(file for file in files if file.suffix.lower() == ending).open("rb") as file:
            return b"\0" not in file.read(BEGINNING)
    except OSError:
        return False


def _assign_sides(names: Iterable[str]) -> dict[str, str]:
    """The side of each name: by the rank of its hash, which is the same in any order and on any machine."""
    ranked = sorted(names, key=fingerprint)
    held_out = max(1, round(HELD_OUT_SHARE * len(ranked)))
    return {
        name: "test" if rank < held_out else "validation" if rank < 2 * held_out else "train"
        for rank, name in enumerate(ranked)
    }
