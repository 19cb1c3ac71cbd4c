"""What the commands share: errors in one sentence, JSON, and a bar for runs that are counted."""

import argparse
import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path


class CommandError(Exception):
    """The command cannot do what was asked. The message is for the terminal."""


def add_json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="as JSON, to FILE or standard output")


def write_json(content: dict, target: str, compact: bool = False) -> None:
    """Writes to a file in one step, or to standard output for "-". compact: without spaces, for long tables."""
    from mlm_mini import storage

    layout = {"separators": (",", ":")} if compact else {"indent": 1}
    text = json.dumps(content, ensure_ascii=False, **layout) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    try:
        storage.write_atomically(Path(target), lambda temporary: temporary.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error}") from None


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
