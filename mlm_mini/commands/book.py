"""`book`: the worked chapters as a static site."""

import argparse
import sys
from pathlib import Path

from mlm_mini.commands.notebooks import course_folder
from mlm_mini.commands.terminal import CommandError

USUAL_PLACE = "book"  # in the folder of the course; git does not see it


def add_book_command(commands: argparse._SubParsersAction) -> None:
    book = commands.add_parser("book", help="the worked chapters as a static site that needs no installation")
    book.add_argument("chapters", nargs="*", metavar="CHAPTER", help="two digits each; every chapter unless given")
    book.add_argument(
        "--out", metavar="DIR", help="missing, empty, or a book to replace; the course's folder `book` unless given"
    )
    book.add_argument("--repository", metavar="URL", help="the course's address on the web, for links to the notebooks")
    book.set_defaults(run=run_book)


def run_book(options: argparse.Namespace) -> int:
    """Prints where the book begins."""
    from mlm_mini.book.site import BookError, build_book
    from mlm_mini.course.notebook import SourceError

    top = course_folder()
    out = Path(options.out) if options.out is not None else top / USUAL_PLACE
    if options.out is not None and not options.out.strip():
        raise CommandError(f"--out is {options.out!r}: expected a folder")
    try:
        warnings = build_book(top, out, options.chapters, checked_address(options.repository))
    except (BookError, SourceError, OSError, ValueError) as error:
        raise CommandError(str(error)) from None
    for line in warnings:
        print(line, file=sys.stderr)
    print(f"Open {out.absolute() / 'index.html'}")
    return 0


def checked_address(address: str | None) -> str | None:
    """Without a slash at its end. Raises CommandError for what is no address of a web page."""
    if address is None:
        return None
    if not address.startswith(("https://", "http://")) or set(address) & set(" \"'<>"):
        raise CommandError(f"--repository is {address!r}: expected an address such as https://github.com/NAME/COURSE")
    return address.rstrip("/")
