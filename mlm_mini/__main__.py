"""The command line: `python3 course.py COMMAND` sets up the environment and hands over to this module."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

FIRST_PORT = 8888
MOST_WORKERS = 4  # more pytest workers than this only compete for memory


class CommandError(Exception):
    """The command cannot do what was asked. The message is for the terminal."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command. Returns its exit status: 0 when it did what was asked."""
    parser = command_parser()
    options, extra = parser.parse_known_args(arguments)
    if extra and options.run is not run_tests:
        parser.error(f"unrecognized arguments: {' '.join(extra)}")
    options.extra = extra
    try:
        return options.run(options)
    except CommandError as error:
        print(f"course.py {options.command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `course.py progress | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def command_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course.py", description="A course in masked language modeling.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    learn = commands.add_parser("learn", help="open the course in JupyterLab")
    learn.add_argument("chapter", nargs="?", default="00", help="two digits; 00 unless given")
    learn.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    learn.add_argument(
        "--port", type=int, help=f"the port to serve on; the first free one from {FIRST_PORT} unless given"
    )
    learn.set_defaults(run=run_learn)

    progress = commands.add_parser("progress", help="what is solved, chapter by chapter")
    add_json_option(progress)
    progress.set_defaults(run=run_progress)

    reset = commands.add_parser("reset", help="a fresh copy of one chapter; yours is kept under a dated name")
    reset.add_argument("chapter", help="two digits, for example 03")
    reset.set_defaults(run=run_reset)

    add_train_command(commands)
    fill = commands.add_parser("fill", help="what a trained model puts in the place of each [MASK]")
    fill.add_argument("text", help='for example "The chef [MASK] the bread."')
    fill.add_argument("--model", metavar="DIR", help="a folder that train made, or any of Hugging Face's with a BERT")
    fill.add_argument("--top", type=int, default=5, metavar="N", help="candidates for each blank; %(default)s")
    add_json_option(fill)
    fill.set_defaults(run=run_fill)

    experiment = commands.add_parser("experiment", help="run one experiment and print what it found")
    experiment.add_argument("name", help="mask_ratio, for example; an unknown name lists them all")
    experiment.add_argument("--full", action="store_true", help="the full study, with the result that the course ships")
    experiment.add_argument("--workers", type=int, metavar="N", help="processes; as many as cores unless given")
    experiment.add_argument(
        "--out", metavar="FILE", help="where --full writes; in its place in the course unless given"
    )
    add_json_option(experiment)
    experiment.set_defaults(run=run_experiment)

    claims = commands.add_parser("claims", help="measure every claim of the article and print the verdicts")
    claims.add_argument("ids", nargs="*", metavar="CLAIM", help="only these, variance for example; all unless given")
    claims.add_argument("--quick", action="store_true", help="smaller samples: at most five minutes on two cores")
    claims.add_argument("--workers", type=int, metavar="N", help="processes; as many as cores unless given")
    add_json_option(claims)
    claims.set_defaults(run=run_claims)

    bench = commands.add_parser("bench", help="speed, side by side with its peers, in one run")
    add_json_option(bench)
    bench.set_defaults(run=run_bench)

    test = commands.add_parser("test", help="run every test and every solution notebook; more arguments go to pytest")
    test.set_defaults(run=run_tests)

    build = commands.add_parser("build", help="make the notebooks from solutions/*.py")
    build.add_argument("chapters", nargs="*", metavar="CHAPTER", help="two digits each; every chapter unless given")
    build.add_argument("--check", action="store_true", help="only say what is stale; fails when anything is")
    build.add_argument("--force", action="store_true", help="overwrite chapters that were edited")
    build.add_argument("--rerun", action="store_true", help="execute every solution, changed or not")
    build.set_defaults(run=run_build)
    return parser


def add_train_command(commands: argparse._SubParsersAction) -> None:
    train = commands.add_parser("train", help="train a model on a bundled language or your own text files")
    train.add_argument("--language", default="scenes", help="scenes, english, or a text file or folder; %(default)s")
    train.add_argument("--out", required=True, metavar="DIR", help="the folder for the model and its checkpoints")
    train.add_argument("--size", default="mini", help="tiny, mini, small or base; %(default)s")
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint in DIR")
    train.add_argument("--length", type=int, default=64, metavar="T", help="tokens in a row of real text; %(default)s")
    train.add_argument("--vocabulary-size", type=int, default=4096, metavar="V", help="of real text; %(default)s")
    train.add_argument("--device", help="cpu, cuda or mps; the best there is unless given")
    recipe = train.add_argument_group("recipe", "what is not given is chosen for language, size and device")
    recipe.add_argument("--steps", type=int, metavar="N", help="updates of the weights")
    recipe.add_argument("--objective", help="masked or causal")
    recipe.add_argument("--mask-ratio", type=float, metavar="R", help="the share of words to hide, up to 1")
    recipe.add_argument("--split", type=float, nargs=3, help="of hidden words: the shares of [MASK], random and kept")
    recipe.add_argument("--batch-size", type=int, metavar="N", help="sentences in an update")
    recipe.add_argument(
        "--micro-batches",
        type=int,
        metavar="N",
        help="parts that a batch is cut into: 4 on a CPU, where they keep cores busy, and 1 on a GPU; more save memory",
    )
    recipe.add_argument("--learning-rate", type=float, metavar="R", help="at its highest")
    recipe.add_argument("--seed", type=int, metavar="N")
    train.set_defaults(run=run_train)


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


def run_learn(options: argparse.Namespace) -> int:
    """Serves the course until it is interrupted. Prints the address first."""
    from mlm_mini import course

    top = course_folder()
    page = f"/lab/tree/chapters/{find_chapter(top, options.chapter).name}"
    port = free_port(options.port)
    # By way of the environment, so that no other user reads it off the list of processes.
    token = os.environ.setdefault("JUPYTER_TOKEN", secrets.token_hex(24))
    print(f"Open http://127.0.0.1:{port}{page}?token={token}\nStop with Ctrl-C.", flush=True)
    os.chdir(top)
    # A course that works offline asks nobody for news or updates: the folder turns that part of JupyterLab off.
    configuration = [str(Path(course.__file__).parent / "jupyter"), os.environ.get("JUPYTER_CONFIG_PATH")]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, configuration))
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # silences a debugger's remark about frozen modules
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(argv=server_flags(top, page, port, options.no_browser))
    return 0


def find_chapter(top: Path, number: str) -> Path:
    """The learner's notebook of that chapter. Raises CommandError."""
    there = [path for path in sorted((top / "chapters").glob("[0-9][0-9]_*.ipynb")) if ".kept-" not in path.name]
    for path in there:
        if path.name[:2] == number:
            return path
    numbers = ", ".join(path.name[:2] for path in there)
    raise CommandError(f"there is no chapter {number!r} in {top / 'chapters'}; there are: {numbers or 'none'}")


def server_flags(top: Path, page: str, port: int, no_browser: bool) -> list[str]:
    """How JupyterLab is started: on this machine alone, at one page, without chatter."""
    flags = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={top}",
        f"--LabApp.default_url={page}",
        "--KernelManager.transport_encryption=auto",  # a kernel warns, in red, of a port that is open to eavesdroppers
        "--ServerApp.log_level=ERROR",
        "--LabApp.log_level=ERROR",
        "-y",  # Ctrl-C stops the server without a question
    ]
    if no_browser:
        flags.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        flags.append("--allow-root")
    return flags


def free_port(wanted: int | None) -> int:
    """`wanted` if it is free, else an error; the first free port from FIRST_PORT when none is wanted."""
    for port in [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + 100):
        if not 0 < port < 65536:
            raise CommandError(f"--port {port}: expected a number from 1 to 65535")
        with socket.socket() as probe:
            if os.name == "posix":  # as the server does it: a port that was closed a moment ago counts as free
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError as error:
                reason = error.strerror
    if wanted is not None:
        raise CommandError(f"port {wanted} cannot be used ({reason}): choose another with --port, or leave it out")
    raise CommandError(f"no free port from {FIRST_PORT} to {FIRST_PORT + 99}: choose one with --port")


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


RECIPE = ("steps", "objective", "mask_ratio", "split", "batch_size", "micro_batches", "learning_rate", "seed")


def run_train(options: argparse.Namespace) -> int:
    from mlm_mini.training import TerminalProgress, TrainingError, recipe, train_folder

    given = {name: getattr(options, name) for name in RECIPE if getattr(options, name) is not None}
    settings = {name: getattr(options, name) for name in ("resume", "length", "vocabulary_size", "device")}
    try:
        config = recipe(options.language, size=options.size, device=options.device, **given)
        result = train_folder(
            options.language, options.size, config, options.out, report=TerminalProgress(), **settings
        )
    except (TrainingError, ValueError, OSError) as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        print("Stopped. With --resume the same command goes on from the last checkpoint.", file=sys.stderr)
        raise
    if result.comparison:
        print(result.comparison.table())
    print(f'The model is in {options.out}. Try: course.py fill "... [MASK] ..." --model {options.out}')
    return 0


def run_fill(options: argparse.Namespace) -> int:
    from mlm_mini.training import fill, load_folder, quick_model

    try:
        if options.model:
            model, tokenizer = load_folder(options.model)
        else:
            quick = quick_model()
            model, tokenizer = quick.model, quick.tokenizer
        blanks = fill(model, tokenizer, options.text, options.top)
    except (ValueError, OSError) as error:
        raise CommandError(str(error)) from None
    if options.json:
        write_json({"blanks": [[candidate._asdict() for candidate in blank] for blank in blanks]}, options.json)
    else:
        print_blanks(blanks)
    return 0


def print_blanks(blanks: list) -> None:
    from rich.console import Console
    from rich.table import Table

    for number, blank in enumerate(blanks, start=1):
        table = Table(title=f"[MASK] {number} of {len(blanks)}".replace("[", r"\["), title_justify="left")
        table.add_column("token")
        for name in ("probability", "surprisal (nats)"):
            table.add_column(name, justify="right")
        for token, probability, surprisal in blank:
            table.add_row(token.replace("[", r"\["), f"{probability:.4f}", f"{surprisal:.3f}")
        Console().print(table)


def run_experiment(options: argparse.Namespace) -> int:
    """Runs a quick or a full experiment with a progress bar; a full one can be stopped and gone on with."""
    from mlm_mini.experiments import find_experiment, for_shipping
    from mlm_mini.shipped import results_folder

    if options.out and not options.full:
        raise CommandError("--out is for --full: a quick result goes to --json FILE")
    try:
        experiment = find_experiment(options.name)
        with counting_bar(options.name) as finished:
            result = experiment.run(options.full, options.workers, finished)
    except (ValueError, OSError) as error:
        raise CommandError(str(error)) from None
    except KeyboardInterrupt:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        raise
    command = f"python3 course.py experiment {options.name}{' --full' if options.full else ''}"
    content = for_shipping(experiment, result, command)
    if options.full:
        target = options.out or str(results_folder("experiments") / f"{options.name}.json")
        write_json(content, target, compact=True)
        print(f"Written to {target}.", file=sys.stderr)
    if options.json:
        write_json(content, options.json)
    else:
        print(result.table())
    return 0


def run_claims(options: argparse.Namespace) -> int:
    """Measures the claims, one after the other, and prints each verdict as soon as it is known."""
    from rich.console import Console

    from mlm_mini.experiments.claims import find_claims, measure_claims
    from mlm_mini.experiments.findings import Effort

    status = Console(stderr=True, highlight=False)
    rows = []
    try:
        wanted = find_claims(options.ids or None)
        effort = Effort(quick=options.quick, workers=options.workers)
        with status.status("") as spinner:
            for row in measure_claims(effort, [claim.id for claim in wanted], lambda c: spinner.update(c.id)):
                rows.append(row)
                status.print(f"{len(rows)} of {len(wanted)}  {row.claim.id}: {row.verdict}", soft_wrap=True)
    except (ValueError, OSError) as error:
        raise CommandError(str(error)) from None
    if options.json:
        write_json({"claims": [row.to_dict() for row in rows]}, options.json)
    else:
        print_claims(rows)
    return 0


def print_claims(rows: list) -> None:
    """Four lines a claim: the verdict, the claim, what was measured, and the rule."""
    from rich.console import Console

    console = Console(highlight=False)
    for row in rows:
        claim, finding = row.claim, row.finding
        console.print(f"\n[bold]{claim.chapter}  {claim.id}: {row.verdict}[/bold]", markup=True, soft_wrap=True)
        for line in (claim.says, f"{finding.figure} {claim.unit} ({finding.source}): {claim.figure}", claim.rule):
            console.print(f"    {line}", markup=False, soft_wrap=True)


def run_bench(options: argparse.Namespace) -> int:
    """Prints each row as it is measured. Fails when one is below its limit."""
    from rich.console import Console

    from mlm_mini import bench
    from mlm_mini.shipped import provenance

    status = Console(stderr=True, highlight=False)
    made, rows = provenance("python3 course.py bench"), []
    for row in bench.measure():
        rows.append(row)
        status.print(row.text(), soft_wrap=True)
    if options.json:
        write_json({"machine": made, "rows": [row.to_dict() for row in rows]}, options.json)
    return 0 if all(row.kept for row in rows) else 1


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


def run_tests(options: argparse.Namespace) -> int:
    """Runs pytest from the top of the course. What the caller adds goes to pytest: `test -k softmax`."""
    import subprocess

    if not options.extra:  # the notebooks run side by side, and would train their models on each other's cores
        from mlm_mini.experiments import prepare_chapters

        with counting_bar("models and studies") as finished:
            prepare_chapters(finished=finished)
    cores = os.cpu_count() or 1
    workers = min(cores, MOST_WORKERS)
    # Several threads that wait for each other on a busy core are many times slower than one.
    threads = os.environ.get("OMP_NUM_THREADS", str(cores // workers))
    # In a process of its own: pytest wants to be there before the modules whose assertions it rewrites.
    command = [sys.executable, "-m", "pytest", "--nbval", "-n", str(workers), *options.extra]
    return subprocess.call(command, cwd=course_folder(), env=os.environ | {"OMP_NUM_THREADS": threads})


def course_folder() -> Path:
    """The repository's top: the folder above this package that holds solutions/. Raises CommandError."""
    top = Path(__file__).resolve().parents[1]
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


if __name__ == "__main__":
    sys.exit(main())
