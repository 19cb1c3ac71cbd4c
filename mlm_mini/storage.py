"""Where files live, how they are written so that a crash cannot spoil them, and how what is cached is named.

Two folders: what can be made again (tokenizers, tokenized text, trained models) is in `cache_folder()`, what cannot
(the learner's progress) is in `data_folder()`. Files made by the course are named after the `fingerprint` of
everything that made them, so that a stale one is never read, and nothing here is ever pickled.
"""

import contextlib
import hashlib
import json
import os
import re
import struct
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import filelock
import numpy as np
import platformdirs

from mlm_mini.paths import check_regular_file, expand_home, os_error

Made = TypeVar("Made")
CHECKSUMS = "checksums.json"
TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}(\.[^.]+)?")


def cache_folder() -> Path:
    """The folder for whatever can be made again, created if need be; MLM_MINI_CACHE names another one.

    Raises OSError, with what to do about it, when the folder cannot be made or written.
    """
    return _writable_folder("MLM_MINI_CACHE", _cache_place())


def cache_path(name: str) -> Path:
    """Where something of that name is in the cache, if it is. The folder is not made: it may be read-only.

    `cached` and `waiting_lock` make it when there is something to write.
    """
    return _cache_place() / name


def _cache_place() -> Path:
    return _place("MLM_MINI_CACHE", platformdirs.user_cache_path("mlm_mini", appauthor=False))


def _place(variable: str, default: Path) -> Path:
    try:
        return expand_home(os.environ.get(variable) or default).absolute()
    except ValueError as error:
        raise FileNotFoundError(f"{variable} is {error}") from None


def _ready_to_write(path: Path) -> None:
    """Raises OSError, as `cache_folder` does, for a path in a cache that cannot be written."""
    if path.absolute().is_relative_to(_cache_place()):
        cache_folder()


def data_folder() -> Path:
    """The folder for what the learner would miss, created if need be; MLM_MINI_DATA names another one.

    Raises OSError, with what to do about it, when the folder cannot be made or written.
    """
    default = platformdirs.user_data_path("mlm_mini", appauthor=False)
    return _writable_folder("MLM_MINI_DATA", _place("MLM_MINI_DATA", default))


def _writable_folder(variable: str, folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Whether the disk is read-only, or Windows forbids it, is not in the permission bits: so a file is made.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise os_error(
            error, f"the folder {folder} cannot be written ({reason}): set {variable} to a folder that can"
        ) from error
    return folder


def write_atomically(path: str | os.PathLike, write: Callable[[Path], object]) -> None:
    """Give `path` new content in one step: a reader finds the old file or the new one, never half, even after a crash.

    write(temporary_path) is called with an empty file in the same folder, whose name ends like `path` because
    writers such as `np.save` look at the ending. It is then forced to disk and renamed over `path`. The folder is
    made if need be. On any failure the temporary file is removed and `path` is as it was; an OSError (a full disk,
    say) is raised anew, naming `path` and saying so.
    """
    path = Path(path).absolute()
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)  # unlike a file from `tempfile`, it has the permissions a new file gets here
        write(temporary)
        _force_to_disk(temporary)
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        reason = error.strerror or str(error)
        before = "the file that was there is intact" if path.exists() else "nothing was left behind"
        raise os_error(error, f"{path} could not be written ({reason}): {before}") from error


def is_temporary(path: Path) -> bool:
    """Whether a file has the name of one that `write_atomically` writes to: a process that was killed leaves it."""
    return TEMPORARY.fullmatch(path.name) is not None


def _force_to_disk(path: Path) -> None:
    with open(path, "r+b") as file:  # open for writing, or Windows refuses to flush it
        os.fsync(file.fileno())


def cached(path: str | os.PathLike, read: Callable[[Path], Made], write: Callable[[Path], object]) -> Made:
    """read(path), after write_atomically(path, write) when the file is missing or damaged.

    `read` must raise on a file it cannot trust; such a file is made again, with a warning that says why. So is one
    whose SHA-256 is no longer the one that was written beside it, to `path`.sha256. (Older files have none.)
    """
    path = Path(path)
    checksum = path.with_name(path.name + ".sha256")
    if path.exists():
        try:
            if checksum.exists() and checksum.read_text(encoding="ascii") != sha256(path):
                raise ValueError("its checksum is not the one written down")
            return read(path)
        except Exception as error:  # every file format has errors of its own, and the remedy is the same for all
            warnings.warn(f"the cached file {path} is damaged ({error}) and is made again", stacklevel=2)
    _ready_to_write(path)
    checksum.unlink(missing_ok=True)
    write_atomically(path, write)
    made = read(path)
    digest = sha256(path)
    write_atomically(checksum, lambda file: file.write_text(digest, encoding="ascii"))
    return made


def sha256(path: Path) -> str:
    """Of a file, in hexadecimal; the file is not held in memory."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Write CHECKSUMS, by which `changed_files` knows the files of those names again."""
    sums = {name: sha256(folder / name) for name in names}
    write_atomically(folder / CHECKSUMS, lambda file: file.write_text(json.dumps(sums, indent=1) + "\n"))


def changed_files(folder: Path) -> list[str]:
    """The names of what is not as it was when `write_checksums` saw it, or is missing; none where it was not called."""
    if not (folder / CHECKSUMS).exists():
        return []
    try:
        check_regular_file(folder / CHECKSUMS)
        sums = dict(json.loads((folder / CHECKSUMS).read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return [CHECKSUMS]
    return [name for name, digest in sums.items() if _sha256_or_none(folder / name) != digest]


def _sha256_or_none(path: Path) -> str | None:
    try:
        check_regular_file(path)
        return sha256(path)
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def waiting_lock(path: str | os.PathLike, what: str) -> Iterator[None]:
    """Held by one process at a time. Another one that wants it waits, and says so: `what` is being made elsewhere."""
    path = Path(path)
    _ready_to_write(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        print(f"another process is making {what}: waiting until it is done", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def fingerprint(*parts: Any) -> str:
    """SHA-256 of `parts` as 16 hexadecimal characters; the same on every machine and in every process.

    Parts are None, bool, int, float, str, bytes, NumPy arrays, and lists, tuples and dicts of these. Each is hashed
    with its type and length in front, so that ("ab", "c") and ("a", "bc"), or 1, 1.0, True and "1", all differ; the
    order of a dict's keys does not matter, and a tuple counts as the list with its items. Anything else: TypeError.
    """
    digest = hashlib.sha256()
    for piece in _pieces(parts):
        digest.update(piece)
    return digest.hexdigest()[:16]


def _pieces(part: Any) -> Iterator[bytes | memoryview]:
    if isinstance(part, list | tuple):
        yield _header("list", len(part))
        for item in part:
            yield from _pieces(item)
    elif isinstance(part, dict):
        yield _header("dict", len(part))
        for key, value in sorted(
            ((b"".join(_pieces(key)), value) for key, value in part.items()), key=lambda item: item[0]
        ):
            yield key
            yield from _pieces(value)
    elif isinstance(part, np.ndarray) and not part.dtype.hasobject:
        little_endian = np.ascontiguousarray(part, part.dtype.newbyteorder("<"))
        yield _header(f"array {little_endian.dtype.str} {part.shape}", little_endian.nbytes)
        yield little_endian.tobytes()
    else:
        kind, payload = _scalar(part)
        yield _header(kind, len(payload))
        yield payload


def _header(kind: str, length: int) -> bytes:
    return f"{kind} {length}:".encode()


def _scalar(part: Any) -> tuple[str, bytes]:
    if part is None:
        return "none", b""
    if isinstance(part, bool | np.bool_):  # before int, of which bool is a subclass
        return "bool", str(bool(part)).encode()
    if isinstance(part, int | np.integer):
        return "int", str(int(part)).encode()
    if isinstance(part, float | np.floating):
        return "float", struct.pack("<d", part)
    if isinstance(part, str):
        return "str", part.encode("utf-8", "surrogatepass")
    if isinstance(part, bytes):
        return "bytes", part
    raise TypeError(
        f"a fingerprint is made of plain values, lists, dicts and arrays of numbers, not {type(part).__name__}"
    )
