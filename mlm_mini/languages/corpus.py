"""What a corpus is: documents, and the side of the split that each is on.

Every document is on one side as a whole. If sentences were split instead, a model could be tested on a passage that it
has all but read: the next sentence of the same story, or the same story told by another book.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from mlm_mini.languages.words import split_sentences

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Document:
    """A text and the side of the split it is on; paragraphs are separated by an empty line."""

    name: str
    text: str = field(repr=False)
    split: str = "train"

    def lines(self) -> Iterator[str]:
        """The lines of the text, one by one."""
        return text_lines(self.text)

    def fingerprint(self) -> str:
        """A name for the text, which changes with any word of it."""
        return _fingerprint(self.lines())


@dataclass(frozen=True)
class FileDocument:
    """A document that stays in its file and is read anew each time. Only `text` holds it in memory as a whole.

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
        return islice(file_lines(self.path), self.first, self.end)

    def fingerprint(self) -> str:
        """A name for the text, which changes with any word of it."""
        return _fingerprint(self.lines())


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


def text_lines(text: str) -> Iterator[str]:
    """The lines of `text` one by one; unlike `split`, it never holds the text twice."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def file_lines(path: Path, errors: str = "replace") -> Iterator[str]:
    """The lines of a UTF-8 file as `text_lines` gives those of its text, whatever ends a line in it."""
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
