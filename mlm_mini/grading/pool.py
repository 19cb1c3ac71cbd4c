"""Marks many submissions at once: a process for each job, each with a sandbox of its own.

A process that dies or hangs costs the submission that it held, with a word, and is started anew.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from mlm_mini.grading.archives import Found, Unreadable
from mlm_mini.grading.startup import Limits

MOST_SECONDS = 1800  # of one submission; each exercise has a limit of its own, far below
LATE = "The process that marked this file took longer than half an hour: look at it by hand."
MARKER_ENDED = "The process that marked this file ended: look at it by hand."
NOT_MARKABLE = "It could not be marked"
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}


@dataclass(frozen=True)
class Settings:
    """How everything is marked. The same settings and submissions give the same marks, with any number of jobs."""

    seed: int
    limits: Limits = field(default_factory=Limits)
    chapter: str = ""
    without: tuple[str, ...] = ()  # steps of the sandbox to leave out, for tests


@dataclass
class Job:
    process: Any
    pipe: Connection
    holds: int | None = None
    since: float = 0.0


def mark_all(files: list[Found], settings: Settings, jobs: int) -> Iterator[tuple[int, dict, dict]]:
    """Yields the place of each file, its row, and what the sandbox could not do, as they are finished."""
    left = list(range(len(files)))[::-1]
    running = [_start(settings) for _ in range(max(1, min(jobs, len(files))))]
    try:
        while left or any(job.holds is not None for job in running):
            for job in running:
                if job.holds is None and left:
                    job.holds, job.since = left.pop(), time.monotonic()
                    with contextlib.suppress(OSError):
                        job.pipe.send(files[job.holds])
            ready = wait([job.pipe for job in running if job.holds is not None], timeout=5)
            for number, job in enumerate(running):
                if job.holds is None:
                    continue
                late = time.monotonic() - job.since > MOST_SECONDS
                if job.pipe not in ready and not late:
                    continue
                row, standing = _result(job, files[job.holds], late)
                yield job.holds, row, standing
                job.holds = None
                if not job.process.is_alive() or late:
                    _stop(job)
                    running[number] = _start(settings)
    finally:
        for job in running:
            _stop(job)


def _result(job: Job, file: Found, late: bool) -> tuple[dict, dict]:
    from mlm_mini.grading.marks import broken_row

    try:
        if not late:
            return job.pipe.recv()
    except (EOFError, OSError):
        job.process.join(5)
    return broken_row(file.name, "", LATE if late else MARKER_ENDED), {}


def is_final(row: dict) -> bool:
    """Whether a row says something of the file. Else it tells of the machine, or of a run that was being killed: the
    file is to be marked again when the run goes on.
    """
    return not row["problem"].startswith((MARKER_ENDED, NOT_MARKABLE))


def _start(settings: Settings) -> Job:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        process = context.Process(target=_work, args=(theirs, settings), daemon=True)
        process.start()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    theirs.close()
    return Job(process, ours)


def _stop(job: Job) -> None:
    job.pipe.close()
    job.process.join(0.5)
    if job.process.is_alive():
        job.process.kill()
        job.process.join()


def _work(pipe: Connection, settings: Settings) -> None:
    """What a job's process does: marks the files that it is sent until nothing more comes."""
    from mlm_mini.grading.sandbox import Sandbox

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that waits
    with Sandbox(settings.limits, settings.without) as sandbox:
        while True:
            try:
                file = pipe.recv()
            except (EOFError, OSError):
                return
            row = mark_file(file, settings, sandbox)
            try:
                pipe.send((row, sandbox.standing))
            except OSError:
                return


def mark_file(file: Found, settings: Settings, sandbox: Any) -> dict:
    """The row of one file; whatever is wrong with it is said there."""
    from mlm_mini.grading.marks import as_row, broken_row, mark_submission
    from mlm_mini.grading.sandbox import SandboxError
    from mlm_mini.grading.submission import take_apart

    stem = os.path.basename(file.members[-1] if file.members else file.path)
    try:
        submission = take_apart(file.read(), settings.chapter, stem)
    except Unreadable as problem:
        return broken_row(file.name, settings.chapter, str(problem))
    except (MemoryError, RecursionError) as error:
        return broken_row(file.name, settings.chapter, f"It is too large or too deep to read ({type(error).__name__}).")
    try:
        marks = mark_submission(submission, sandbox, settings.seed)
    except (SandboxError, MemoryError) as error:
        return broken_row(file.name, submission.chapter, f"{NOT_MARKABLE}: {error or 'no memory was left'}.")
    return as_row(file.name, submission.chapter, submission, marks)
