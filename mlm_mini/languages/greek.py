"""Koine Greek: the New Testament as it might stand on a stone, letters and spaces and nothing else."""

import functools
import unicodedata
from collections import defaultdict

from mlm_mini.languages.corpus import Corpus, Document
from mlm_mini.languages.package_files import read_package_files

GREEK_PACKAGE, GREEK_RELEASE = "py-sblgnt", "0.10"
FOLDER = "pysblgnt/sblgnt"
BOOKS = (  # in the order of the files, which begin with 61
    [
        "Mt",
        "Mk",
        "Lk",
        "Jn",
        "Ac",
        "Ro",
        "1Co",
        "2Co",
        "Ga",
        "Eph",
        "Php",
        "Col",
        "1Th",
        "2Th",
        "1Ti",
        "2Ti",
        "Tit",
        "Phm",
        "Heb",
        "Jas",
        "1Pe",
        "2Pe",
        "1Jn",
        "2Jn",
        "3Jn",
        "Jud",
        "Re",
    ]
)
FILES_SHA256 = "f95833b147bb182786750700423625528dcb38f1508ea7585bce52e730a352f9"
GREEK_LETTERS = "αβγδεζηθικλμνξοπρστυφχψω"
FIRST_FILE, WORD_COLUMN = 61, 5  # the number of the first file, and the column of the word without punctuation
# Books that tell the same story or copy each other are on one side: the gospels of Matthew, Mark and Luke with Acts,
# the letters of Paul (Ephesians with Colossians), 2 Peter with Jude; and those under the name of John.
HELD_OUT_BOOKS = {"validation": ("Heb", "Jas"), "test": ("Jn", "1Jn", "2Jn", "3Jn", "Re")}


@functools.cache
def greek_corpus() -> Corpus:
    """The Greek New Testament: 27 books, each chapter a document, "Jn 3" for one. Both sides have whole books.

    Accents, breathings, punctuation and capitals, which no writer of the time used, are taken off, and both forms of
    the sigma are one. The spaces between words are an editor's too, but stay. Raises as `read_package_files`.
    """
    names = [f"{FOLDER}/{FIRST_FILE + i}-{book}-morphgnt.txt" for i, book in enumerate(BOOKS)]
    contents = read_package_files(GREEK_PACKAGE, GREEK_RELEASE, names, FILES_SHA256, "the Greek text")
    side = {book: split for split, books in HELD_OUT_BOOKS.items() for book in books}
    return Corpus(
        documents=tuple(
            Document(f"{book} {number}", chapter, side.get(book, "train"))
            for book, content in zip(BOOKS, contents, strict=True)
            for number, chapter in enumerate(_chapters(content.decode("utf-8")), start=1)
        ),
        source=f"The Greek New Testament, SBL edition (M. W. Holmes 2010), in {GREEK_PACKAGE} {GREEK_RELEASE}",
        license="text: SBLGNT, CC BY 4.0; analysis of its words: MorphGNT, CC BY-SA 3.0; package: MIT",
        note="Split by book, with books that tell the same story on one side: the first three gospels and Acts to "
        "train on, the books under the name of John for the test.",
    )


def _chapters(lines: str) -> list[str]:
    """The words of each chapter, with spaces between them."""
    words = defaultdict(list)
    for line in lines.splitlines():
        columns = line.split(" ")
        words[columns[0][:4]].append(as_on_stone(columns[WORD_COLUMN]))  # 010203 is verse 3 of chapter 2 of book 1
    return [" ".join(filter(None, chapter)) for chapter in words.values()]


def as_on_stone(text: str) -> str:
    """Greek text without accents, capitals and punctuation: GREEK_LETTERS, and one space where there was any.

    Of "Ἐν ἀρχῇ ἦν ὁ λόγος," it leaves "εν αρχη ην ο λογοσ".
    """
    letters = unicodedata.normalize("NFD", text.lower()).replace("ς", "σ")
    return " ".join("".join(c for c in letters if c in GREEK_LETTERS or c.isspace()).split())
