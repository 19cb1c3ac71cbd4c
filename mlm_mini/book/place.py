"""Where a book is written: whole or not at all, and never over anything but another book."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from mlm_mini.paths import check_writable, os_error

MARK = ".mlm-book.json"  # lists the files of a book, by which it is known again


def check_place(out: Path) -> None:
    """Raises OSError, before anything is made, unless a book can be written to `out`.

    It may be missing, an empty folder, or a book of this course that holds no other file.
    """
    out = out.absolute()
    check_writable(out.parent)
    if out.is_symlink() or (out.exists() and not out.is_dir()):
        raise FileExistsError(f"{out} is no folder: choose another place for the book")
    foreign = _foreign_files(out)
    if foreign:
        some = ", ".join(foreign[:3]) + (" ..." if len(foreign) > 3 else "")
        raise FileExistsError(f"{out} holds {some}, which is of no book: choose an empty folder, or a book to replace")


def _foreign_files(out: Path) -> list[str]:
    """The files in a folder, links included, that no book has put there."""
    if not out.is_dir():
        return []
    try:
        own = set(json.loads((out / MARK).read_text(encoding="utf-8"))["files"])
    except (OSError, ValueError, KeyError, TypeError):
        own = set()
    return [name for name in _files(out) if name not in own]


def _files(folder: Path) -> list[str]:
    names = []
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        names += [(Path(place) / name).relative_to(folder).as_posix() for name in files + links]
    return sorted(names)


@contextlib.contextmanager
def in_one_step(out: Path) -> Iterator[Path]:
    """A folder to write to, which becomes `out` at the end; after an error it is gone and `out` is as it was.

    Raises OSError as `check_place`, also when something came into `out` meanwhile.
    """
    out = out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished, former = (out.with_name(f".{out.name}.{uuid.uuid4().hex}.{kind}") for kind in ("new", "old"))
    try:
        unfinished.mkdir()
        yield unfinished
        (unfinished / MARK).write_text(json.dumps({"files": [*_files(unfinished), MARK]}, indent=1) + "\n", "utf-8")
        check_place(out)
        _put_in_place(unfinished, out, former)
    except OSError as error:
        reason = error.strerror or str(error)
        raise os_error(error, f"the book could not be written to {out} ({reason})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(former, ignore_errors=True)


def _put_in_place(unfinished: Path, out: Path, former: Path) -> None:
    if out.exists():
        os.replace(out, former)
    try:
        os.replace(unfinished, out)
    except OSError:
        if former.exists():
            os.replace(former, out)
        raise
