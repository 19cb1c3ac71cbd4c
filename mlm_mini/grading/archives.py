"""Finds the notebooks that were handed in: files, folders, and archives as a learning platform exports them.

Nothing is unpacked to the disk. A file in an archive is read into memory, up to a limit, when its turn comes.
"""

from __future__ import annotations

import dataclasses
import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mlm_mini.quoting import printable

MOST_FILE = 300 * 2**20  # of a notebook, with its outputs
MOST_MEMBERS = 20_000
MOST_RATIO = 400  # of a file to its packed size: text with pictures stays far below
CHAPTER_FILE = re.compile(r"\d\d_[a-z0-9_]+")
NOTEBOOK_OR_ARCHIVE = (".ipynb", ".zip")
A_LINK = "This is a link, not a file: it was left alone."
A_FOLDER = "This is a folder, not a file, and there is no notebook in it."
SKIPPED = {"__MACOSX", ".ipynb_checkpoints", ".git", ".venv", "node_modules"}


class Unreadable(ValueError):
    """A file cannot be read as what it should be. The message is a sentence for the teacher."""


@dataclass(frozen=True)
class Found:
    """One file that was handed in. `members` lead to it through archives inside archives."""

    name: str  # the learner's
    path: str
    members: tuple[str, ...] = ()
    problem: str = ""

    @property
    def place(self) -> str:
        return "!".join((self.path, *self.members))

    def read(self) -> bytes:
        """Raises Unreadable."""
        if self.problem:
            raise Unreadable(self.problem)
        try:
            if not self.members:
                return _read_file(Path(self.path))
            source: Path | io.BytesIO = Path(self.path)
            for member in self.members:
                content = _read_member(source, member)
                source = io.BytesIO(content)
            return content
        except Unreadable:
            raise
        except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError) as error:
            raise Unreadable(f"It cannot be read ({error}).") from None
        except Exception as error:  # what a damaged archive makes of zlib, lzma and struct
            raise Unreadable(f"It cannot be unpacked ({type(error).__name__}: {error}).") from None


def find(paths: list[str]) -> list[Found]:
    """Everything below the paths that looks like a notebook, each with its learner's name, in a fixed order."""
    found: list[Found] = []
    for text in paths:
        path = Path(text)
        if path.is_dir():
            for file in sorted(_files(path)):
                inside = file.relative_to(path).parts
                learner = inside[0] if len(inside) > 1 else None
                if problem := A_LINK if file.is_symlink() else A_FOLDER if file.is_dir() else "":
                    found.append(Found(learner or file.stem, str(file), problem=problem))
                else:
                    found += _of_file(file, learner)
        elif path.exists():
            found += _of_file(path, None)
        else:
            found.append(Found(path.stem, text, problem="There is no such file."))
    names = _printable_names({one.name for one in found})
    return [dataclasses.replace(one, name=names[one.name]) for one in found]


def _printable_names(names: set[str]) -> dict[str, str]:
    """Names that can be written anywhere: control characters and bytes that are no text as Python writes them.

    Two that differ stay two, whatever they become; one that can be written keeps its name.
    """
    written: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(names, key=lambda name: (printable(name) != name, name)):
        new, count = printable(name), 1
        while new in taken:
            count += 1
            new = f"{printable(name)} ({count})"
        written[name] = new
        taken.add(new)
    return written


def _files(folder: Path) -> Iterator[Path]:
    """What may be a notebook: also a link, or a folder in which there is none, of that name."""
    for path in sorted(folder.iterdir()):
        if path.name in SKIPPED or path.name.startswith("."):
            continue
        named_so = path.suffix.lower() in NOTEBOOK_OR_ARCHIVE
        if path.is_dir() and not path.is_symlink():
            inside = list(_files(path))
            yield from inside or ([path] if named_so else [])
        elif named_so:
            yield path


def _of_file(path: Path, learner: str | None) -> list[Found]:
    if path.suffix.lower() == ".zip":
        return list(_of_archive(path, str(path), (), learner))
    chapter_name = CHAPTER_FILE.fullmatch(path.stem) and path.absolute().parent.name not in ("chapters", "solutions")
    name = learner or (path.absolute().parent.name if chapter_name else path.stem)
    return [Found(name, str(path))]


def _of_archive(source: Path | io.BytesIO, path: str, through: tuple[str, ...], learner: str | None) -> Iterator[Found]:
    own = learner or Path(through[-1] if through else path).stem
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                yield Found(own, path, through, f"The archive holds {len(members)} files: it was left alone.")
                return
            for member in sorted(members, key=lambda one: one.filename):
                yield from _of_member(archive, member, path, through, learner)
    except Exception as error:  # what a damaged archive makes of zipfile, zlib and struct
        yield Found(own, path, through, f"The archive cannot be read ({type(error).__name__}: {error}).")


def _of_member(archive, member, path, through, learner) -> Iterator[Found]:
    inside = PurePosixPath(member.filename.replace("\\", "/"))
    suffix = inside.suffix.lower()
    if member.is_dir() or suffix not in NOTEBOOK_OR_ARCHIVE or SKIPPED & set(inside.parts):
        return
    if inside.name.startswith("."):
        return
    many = len({PurePosixPath(name).parts[0] for name in archive.namelist() if name.strip("/")}) > 1
    parts = inside.parts if many or len(inside.parts) < 3 else inside.parts[1:]  # one folder around everything
    name = learner or (parts[0] if len(parts) > 1 else _without_chapter(inside, path))
    here = (*through, member.filename)
    if _is_outside(inside):
        named = re.sub(r"[/\\:]+", "_", member.filename)  # nobody's name: that of a learner is not to be taken
        yield Found(f"{Path(through[-1] if through else path).name} {named}", path, here, _outside(member))
        return
    if problem := _problem(member):
        yield Found(name, path, here, problem)
    elif suffix == ".ipynb":
        yield Found(name, path, here)
    elif len(through) < 2:
        content = archive.read(member)
        yield from _of_archive(io.BytesIO(content), path, here, name)
    else:
        yield Found(name, path, here, "An archive in an archive in an archive: it was left alone.")


def _without_chapter(inside: PurePosixPath, path: str) -> str:
    """Of one learner's archive of chapters, the archive names the learner."""
    return Path(path).stem if CHAPTER_FILE.fullmatch(inside.stem) else inside.stem


def _is_outside(inside: PurePosixPath) -> bool:
    return inside.is_absolute() or ".." in inside.parts or ":" in inside.parts[0]


def _outside(member: zipfile.ZipInfo) -> str:
    return f"The archive names a file outside of itself ({member.filename!r}): it was left alone."


def _problem(member: zipfile.ZipInfo) -> str:
    if stat.S_ISLNK(member.external_attr >> 16):
        return A_LINK
    if member.flag_bits & 1:
        return "It is locked with a password."
    if member.file_size > MOST_FILE or member.file_size > MOST_RATIO * max(member.compress_size, 1) + 2**20:
        return f"Unpacked it would be {member.file_size / 1e6:.0f} MB: it was left alone."
    return ""


def _read_file(path: Path) -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        raise Unreadable("It is no regular file.")
    with open(path, "rb") as file:
        content = file.read(MOST_FILE + 1)
    return _not_too_large(content)


def _read_member(source: Path | io.BytesIO, member: str) -> bytes:
    with zipfile.ZipFile(source) as archive, archive.open(member) as file:
        return _not_too_large(file.read(MOST_FILE + 1))


def _not_too_large(content: bytes) -> bytes:
    if len(content) > MOST_FILE:
        raise Unreadable(f"It is larger than {MOST_FILE / 1e6:.0f} MB: it was left alone.")
    return content
