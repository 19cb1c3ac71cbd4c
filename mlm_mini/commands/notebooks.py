"""`progress`, `reset` and `build`: what the learner has solved, and the notebooks themselves."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

from mlm_mini.commands.terminal import CommandError, add_json_option, write_json


def add_notebook_commands(commands: argparse._SubParsersAction) -> None:
    progress = commands.add_parser("progress", help="what is solved, chapter by chapter")
    add_json_option(progress)
    progress.set_defaults(run=run_progress)

    reset = commands.add_parser("reset", help="a fresh copy of one chapter; yours is kept under a dated name")
    reset.add_argument("chapter", help="two digits, for example 03")
    reset.set_defaults(run=run_reset)

    build = commands.add_parser("build", help="make the notebooks from solutions/*.py")
    build.add_argument("chapters", nargs="*", metavar="CHAPTER", help="two digits each; every chapter unless given")
    build.add_argument("--check", action="store_true", help="only say what is stale; fails when anything is")
    build.add_argument("--force", action="store_true", help="overwrite chapters that were edited")
    build.add_argument("--rerun", action="store_true", help="execute every solution, changed or not")
    build.set_defaults(run=run_build)


def run_progress(options: argparse.Namespace) -> int:
    from mlm_mini.course.progress import all_progress

    try:
        rows = all_progress()
    except OSError as error:
        raise CommandError(str(error)) from None
    if options.json:
        fields = ("id", "chapter", "state", "attempts", "minutes")
        write_json({"exercises": [{name: getattr(row, name) for name in fields} for row in rows]}, options.json)
    else:
        print_progress(rows)
    return 0


def print_progress(rows: list) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Your progress", title_justify="left")
    table.add_column("chapter")
    for name in ("solved", "tried", "untouched", "minutes left"):
        table.add_column(name, justify="right")
    for chapter in dict.fromkeys(row.chapter for row in rows):
        table.add_row(chapter, *progress_counts([row for row in rows if row.chapter == chapter]))
    table.add_section()
    table.add_row("all", *progress_counts(rows))
    console = Console()
    console.print(table)
    tried = [row.id for row in rows if row.state == "tried"]
    if tried:
        console.print(f"Tried and not solved yet: {', '.join(tried)}", highlight=False)


def progress_counts(rows: list) -> list[str]:
    counts = [sum(row.state == state for row in rows) for state in ("solved", "tried", "untouched")]
    return [str(count) for count in (*counts, sum(row.minutes for row in rows if row.state != "solved"))]


def run_reset(options: argparse.Namespace) -> int:
    from mlm_mini.course import build

    with friendly_errors():
        build.reset(course_folder(), options.chapter)
    return 0


def run_build(options: argparse.Namespace) -> int:
    from mlm_mini.course import build

    with friendly_errors():
        top = course_folder()
        if not options.check:
            build.build(top, options.chapters, force=options.force, rerun=options.rerun)
            return 0
        complaints = build.stale(top, options.chapters)
    for complaint in complaints:
        print(complaint)
    print("Stale: run `python3 course.py build`." if complaints else "Every notebook is as its source builds it.")
    return 1 if complaints else 0


def course_folder() -> Path:
    """The repository's top: the folder above this package that holds solutions/. Raises CommandError."""
    top = Path(__file__).resolve().parents[2]
    if not (top / "solutions").is_dir():
        raise CommandError(f"{top} holds no solutions/ folder: run this from a clone of the course")
    return top


@contextlib.contextmanager
def friendly_errors() -> Iterator[None]:
    """Turns what a build may raise into a message without a traceback."""
    from mlm_mini.course.build import BuildError
    from mlm_mini.course.notebook import SourceError

    try:
        yield
    except (BuildError, SourceError, OSError) as error:
        raise CommandError(str(error)) from None
