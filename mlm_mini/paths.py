"""Paths as people give them: whether something can be written there, and whether what is there can be read."""

import errno
import os
import tempfile
from pathlib import Path


def check_writable(folder: str | os.PathLike) -> None:
    """Raises OSError, which says what is in the way, unless files can be made in `folder`; makes nothing."""
    folder = place = Path(folder).absolute()
    try:
        while not os.path.lexists(place):
            place = place.parent
        if not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, f"{place} is no folder")
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise os_error(error, f"nothing can be written to {folder} ({reason}): choose another folder") from error


def expand_home(path: str | os.PathLike) -> Path:
    """The path with the home folder in the place of a ~ in front. Raises ValueError for ~name where no such user is."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ValueError(f"{path}: no user has that name; ./{path} is a file whose name begins with ~") from None


def check_regular_file(path: Path) -> None:
    """Raises ValueError for what exists and is no file: to read a FIFO or a device may never end."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a FIFO" if path.is_fifo() else "a device or a socket"
        raise ValueError(f"{path} is {kind}: expected a regular file")


def os_error(error: OSError, message: str) -> OSError:
    """An error of the same kind (PermissionError, ENOSPC ...) as `error` that says more."""
    return OSError(error.errno, message) if error.errno is not None else type(error)(message)
