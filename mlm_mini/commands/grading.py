"""`grade`: marks for a class, from notebooks that nobody has to trust.

How to hand out, collect, mark and discuss stands in README.md, section "Grading".
"""

import argparse
import os
import secrets
import sys
from pathlib import Path

from mlm_mini.commands.terminal import CommandError, add_json_option, counting_bar, target_file, write_json

DESCRIPTION = """Marks notebooks. PATH is a notebook, a folder (one folder per learner, or files named by learner), or a
zip archive as a learning platform exports it. Only the exercises count: each function runs in a sandbox, on the inputs
that the course shows and on fresh ones, and is judged outside of it. README.md, section "Grading", says how to hand
out, collect, mark and discuss."""


def add_grade_command(commands: argparse._SubParsersAction) -> None:
    grade = commands.add_parser("grade", help="mark notebooks, one or a class", description=DESCRIPTION)
    grade.add_argument("paths", nargs="+", metavar="PATH", help="notebooks, folders or zip archives")
    grade.add_argument("--jobs", type=positive, metavar="N", help="submissions at a time (one for each core)")
    grade.add_argument(
        "--timeout", type=seconds, default=10.0, metavar="S", help="seconds of computing for an exercise (10)"
    )
    grade.add_argument("--memory", type=gigabytes, default=2.0, metavar="GB", help="memory for each function (2)")
    grade.add_argument("--chapter", metavar="NN", help="every notebook is of this chapter")
    grade.add_argument("--seed", type=int, help="of the fresh inputs; a secret one unless given, printed at the end")
    grade.add_argument("--resume", action="store_true", help="go on where an interrupted run of the same PATHs stopped")
    add_json_option(grade)
    for name, what in (
        ("--csv", "a line for each exercise, for a spreadsheet"),
        ("--junit", "JUnit XML, as GitHub and GitLab show it"),
        ("--gradescope", "Gradescope's results.json, for one learner"),
    ):
        grade.add_argument(name, type=target_file, metavar="FILE", help=what)
    grade.add_argument("--reports", metavar="DIR", help="a page for each learner, and one for the class")
    grade.set_defaults(run=run_grade)


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected at least 1")
    return number


def seconds(text: str) -> float:
    number = float(text)
    if not 0.1 <= number <= 3600:
        raise argparse.ArgumentTypeError(f"{text}: expected seconds from 0.1 to 3600")
    return number


def gigabytes(text: str) -> float:
    number = float(text)
    if not 0.1 <= number <= 1024:
        raise argparse.ArgumentTypeError(f"{text}: expected gigabytes from 0.1 to 1024")
    return number


def run_grade(options: argparse.Namespace) -> int:
    """Marks everything, prints a table, and writes what was asked for. 0 also where marks are low or files broken."""
    from mlm_mini.grading.archives import find
    from mlm_mini.grading.classroom import begin_state, mark_class, state_file
    from mlm_mini.grading.pool import Settings
    from mlm_mini.grading.startup import Limits

    files = find(options.paths)
    if not files:
        raise CommandError(f"there is no notebook in {', '.join(options.paths)}")
    check_chapter(options.chapter)
    state = state_file(options.paths, options.chapter or "")
    seed = secrets.randbits(62) if options.seed is None else options.seed
    if options.resume and options.seed is not None:
        raise CommandError("--resume goes on with the seed of the run that was interrupted: leave --seed out")
    seed = begin_state(state, seed, options.resume)
    settings = Settings(seed, Limits(options.timeout, int(options.memory * 2**30)), options.chapter or "")
    with counting_bar("submissions") as finished:
        rows, standing = mark_class(files, settings, options.jobs or os.cpu_count() or 1, state, finished)
    write_all(options, rows, seed, standing)
    return 0


def check_chapter(chapter: str | None) -> None:
    from mlm_mini.course.exercises import all_exercises

    known = sorted({exercise.chapter for exercise in all_exercises().values()})
    if chapter is not None and chapter not in known:
        raise CommandError(f"there is no chapter {chapter!r}; the chapters with exercises are {', '.join(known)}")


def write_all(options: argparse.Namespace, rows: list[dict], seed: int, standing: dict[str, str]) -> None:
    from mlm_mini.grading import tables

    notes = not_enforced(standing)
    if options.json:
        write_json({"submissions": rows, "seed": seed, "sandbox": notes}, options.json)
    if options.csv:
        write_text(tables.as_csv(rows), options.csv)
    if options.junit:
        write_text(tables.as_junit(rows), options.junit)
    if options.gradescope:
        if len({row["name"] for row in rows}) > 1:
            raise CommandError("--gradescope is for one learner's notebooks; there are several")
        write_json(tables.as_gradescope(rows), options.gradescope)
    if options.reports:
        from mlm_mini.grading.reports import write_reports

        write_reports(Path(options.reports), rows)
    if options.json != "-":
        print_marks(rows)
    told = sys.stderr if options.json == "-" else sys.stdout
    for note in notes:
        print(f"Not enforced here: {note}.", file=told)
    print(f"The seed of the fresh inputs was {seed}.", file=told)


def write_text(text: str, target: str) -> None:
    from mlm_mini import storage

    if target == "-":
        sys.stdout.write(text)
        return
    try:
        storage.write_atomically(
            Path(target), lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n")
        )
    except OSError as error:
        raise CommandError(f"cannot write {target}: {error}") from None


def not_enforced(standing: dict[str, str]) -> list[str]:
    """What the sandbox could not do on this machine, a sentence each."""
    from mlm_mini.grading.sandbox import STEPS

    failed = {name: why for name, why in standing.items() if why}
    if "namespaces" in failed and "landlock" not in failed:
        failed["namespaces"] = f"{failed['namespaces']}; files are kept from it all the same"
    return [f"{STEPS[name]} ({name}: {why})" for name, why in failed.items() if name in STEPS]


def print_marks(rows: list[dict]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from mlm_mini.quoting import printable

    table = Table(title="Marks", title_justify="left")
    table.add_column("learner")
    table.add_column("chapter")
    table.add_column("points", justify="right")
    table.add_column("of", justify="right")
    table.add_column("to look at")
    for row in rows:
        said = row["problem"] or "; ".join(row["flags"])
        points = ("", "") if row["problem"] else (f"{row['points']:g}", f"{row['max_points']:g}")
        table.add_row(Text(row["name"]), row["chapter"], *points, Text(printable(said)))
    Console().print(table)
