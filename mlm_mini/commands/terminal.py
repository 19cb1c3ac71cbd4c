"""What the commands share: errors in one sentence, JSON, and a bar for runs that are counted."""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mlm_mini.quoting import printable

LONGEST_LINE = 1000


class CommandError(Exception):
    """The command cannot do what was asked. The message is for the terminal."""


def add_json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="as JSON, to FILE or standard output")


def write_json(content: dict, target: str, compact: bool = False) -> None:
    """Writes to a file in one step, or to standard output for "-". compact: without spaces, for long tables.

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
