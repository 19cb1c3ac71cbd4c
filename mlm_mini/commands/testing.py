"""`test`: every test and every solution notebook."""

import argparse
import os
import sys

from mlm_mini.commands.notebooks import course_folder
from mlm_mini.commands.terminal import counting_bar

MOST_WORKERS = 4  # more pytest workers than this only compete for memory


def add_test_command(commands: argparse._SubParsersAction) -> None:
    test = commands.add_parser("test", help="run every test and every solution notebook; more arguments go to pytest")
    test.set_defaults(run=run_tests)


def run_tests(options: argparse.Namespace) -> int:
    """Runs pytest from the top of the course. What the caller adds goes to pytest: `test -k softmax`."""
    import subprocess

    if not options.extra:  # the notebooks run side by side, and would train their models on each other's cores
        from mlm_mini.chapters import prepare_chapters

        with counting_bar("models and studies") as finished:
            prepare_chapters(finished=finished)
    cores = os.cpu_count() or 1
    workers = min(cores, MOST_WORKERS)
    # Several threads that wait for each other on a busy core are many times slower than one.
    threads = os.environ.get("OMP_NUM_THREADS", str(cores // workers))
    # In a process of its own: pytest wants to be there before the modules whose assertions it rewrites.
    command = [sys.executable, "-m", "pytest", "--nbval", "-n", str(workers), *options.extra]
    return subprocess.call(command, cwd=course_folder(), env=os.environ | {"OMP_NUM_THREADS": threads})
