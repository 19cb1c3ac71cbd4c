"""Where files live, how they are written so that a crash cannot spoil them, and how what is cached is named.

Two folders: what can be made again (tokenizers, tokenized text, trained models) is in `cache_folder()`, what cannot
(the learner's progress) is in `data_folder()`. Files made by the course are named after the `fingerprint` of
everything that made them, so that a stale one is never read, and nothing here is ever pickled.
"""

import contextlib
import hashlib
import os
import struct
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import platformdirs

Made = TypeVar("Made")


def cache_folder() -> Path:
    """The folder for whatever can be made again, created if need be; MLM_MINI_CACHE names another one.

    Raises OSError, with what to do about it, when the folder cannot be made or written.
    """
    return _writable_folder("MLM_MINI_CACHE", platformdirs.user_cache_path("mlm_mini", appauthor=False))


def data_folder() -> Path:
    """The folder for what the learner would miss, created if need be; MLM_MINI_DATA names another one.

    Raises OSError, with what to do about it, when the folder cannot be made or written.
    """
    return _writable_folder("MLM_MINI_DATA", platformdirs.user_data_path("mlm_mini", appauthor=False))


def _writable_folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable) or default).expanduser().absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Whether the disk is read-only, or Windows forbids it, is not in the permission bits: so a file is made.
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise _os_error(
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
        raise _os_error(error, f"{path} could not be written ({reason}): {before}") from error


def _force_to_disk(path: Path) -> None:
    with open(path, "r+b") as file:  # open for writing, or Windows refuses to flush it
        os.fsync(file.fileno())


def _os_error(error: OSError, message: str) -> OSError:
    """An error of the same kind (PermissionError, ENOSPC ...) as `error` that says more."""
    return OSError(error.errno, message) if error.errno is not None else type(error)(message)


def cached(path: str | os.PathLike, read: Callable[[Path], Made], write: Callable[[Path], object]) -> Made:
    """read(path), after write_atomically(path, write) when the file is missing or damaged.

    `read` must raise on a file it cannot trust; such a file is made again, with a warning that says why.
    """
    path = Path(path)
    if path.exists():
        try:
            return read(path)
        except Exception as error:  # every file format has errors of its own, and the remedy is the same for all
            warnings.warn(f"the cached file {path} is damaged ({error}) and is made again", stacklevel=2)
    write_atomically(path, write)
    return read(path)


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
