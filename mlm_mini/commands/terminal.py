"""What the commands share: errors in one sentence, JSON, and a bar for runs that are counted."""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mlm_mini.paths import check_writable
from mlm_mini.quoting import printable

LONGEST_LINE = 1000


class CommandError(Exception):
    """The command cannot do what was asked. The message is for the terminal."""


def add_json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", nargs="?", const="-", type=target_file, metavar="FILE", help="as JSON, to FILE or standard output"
    )


def target_file(name: str) -> str:
    """An option's name of a file to write, looked at before minutes of measuring, not after; argparse says the rest."""
    if not name.strip():
        raise argparse.ArgumentTypeError(f"the name is {name!r}: expected a file")
    try:
        if name == "-" or _is_written_into(Path(name)):
            return name
        if Path(name).is_dir():
            raise IsADirectoryError(f"{name} is a folder: expected a file")
        check_writable(Path(name).parent)
    except OSError as error:
        raise argparse.ArgumentTypeError(printable(str(error))) from None
    return name


def _is_written_into(path: Path) -> bool:
    """Whether a file is not to be replaced by a new one: a device or a FIFO, and a link such as /dev/stdout."""
    return path.is_symlink() or (path.exists() and not path.is_file() and not path.is_dir())


def write_json(content: dict, target: str, compact: bool = False) -> None:
    """Writes to a file in one step, or to standard output for "-". compact: without spaces, for long tables.

    A device, a FIFO or what a link leads to is written into, and stays what it is.

    Text is written as it is, unless the output has no such character or a terminal would obey one: then all of it is
    escaped, which in JSON means the same.
    """
    from mlm_mini import storage

    layout = {"separators": (",", ":")} if compact else {"indent": 1}
    text = json.dumps(content, ensure_ascii=False, **layout) + "\n"
    if not _can_be_shown(text, sys.stdout.encoding if target == "-" else "utf-8"):
        text = json.dumps(content, **layout) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    try:
        if _is_written_into(Path(target)):
            Path(target).write_text(text, encoding="utf-8")
        else:
            storage.write_atomically(Path(target), lambda temporary: temporary.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error}") from None


def _can_be_shown(text: str, encoding: str | None) -> bool:
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return text.isascii() or printable(text, keep="\n") == text


def escape_what_cannot_be_written() -> None:
    """Output in another encoding than UTF-8 has \\xe9 in place of a character that it lacks, and goes on."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def told(error: BaseException) -> str:
    """The message of an error, fit for a terminal: nothing that it would obey, and no line that goes on and on."""
    lines = printable(str(error), keep="\n").splitlines()
    return "\n".join(line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}..." for line in lines)


@contextlib.contextmanager
def counting_bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar for runs that are counted: what it yields is told how many are done, of how many."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn(name),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
