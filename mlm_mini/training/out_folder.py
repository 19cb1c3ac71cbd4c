"""The folder that a run is to leave its model in: whose it is, whether it can be written, and who writes there now."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from mlm_mini.model import MODEL_FILES
from mlm_mini.paths import check_writable
from mlm_mini.storage import CHECKSUMS, changed_files
from mlm_mini.training.checkpoint import CheckpointError, has_checkpoint
from mlm_mini.training.workers import Workers

CHECKPOINTS, SUMMARY = "checkpoints", "training.json"
WRITTEN = (*MODEL_FILES, SUMMARY, CHECKSUMS)  # beside the checkpoints, in this order
LOCK = ".training.lock"
LAUNCH = ".launch"  # what torchrun is called that began the run


def check_out(out: Path, resume: bool) -> None:
    """Find out before the training what would make it impossible to write the model after it. Nothing is written.

    Raises OSError where nothing can be written, or where a run would replace files that no run has written;
    CheckpointError when another process trains there, or a run is there and resume is False.
    """
    check_writable(out)
    check_writable(out / CHECKPOINTS)
    if (out / LOCK).exists():
        with _locked(out):
            pass
    _check_content(out, resume)


@contextlib.contextmanager
def claimed(out: Path, resume: bool) -> Iterator[None]:
    """Makes the folder, and keeps other runs out of it. Raises as `check_out` does."""
    out.mkdir(parents=True, exist_ok=True)
    with _locked(out):
        _check_content(out, resume)
        yield


@contextlib.contextmanager
def _locked(out: Path) -> Iterator[None]:
    lock = filelock.FileLock(out / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise CheckpointError(
            f"another run is training in {out}: wait until it has ended, or choose another folder"
        ) from None
    try:
        yield
    finally:
        lock.release()


def note_launch(out: Path, workers: Workers) -> None:
    """For `was_interrupted`: who began the run in this folder."""
    if workers.launch:
        (out / LAUNCH).write_text(workers.launch, encoding="utf-8")


def was_interrupted(out: Path, workers: Workers) -> bool:
    """Whether torchrun has started these workers anew and the run in the folder is theirs, so that it is to go on."""
    if not workers.restarts:
        return False
    with contextlib.suppress(OSError, ValueError):
        return (out / LAUNCH).read_text(encoding="utf-8") == workers.launch
    return False


def _check_content(out: Path, resume: bool) -> None:
    begun = has_checkpoint(out / CHECKPOINTS)
    if begun and not resume:
        raise CheckpointError(f"{out} already holds a run: resume it, or choose another folder")
    there = [name for name in WRITTEN if os.path.lexists(out / name)]
    # An older run, or one that was killed, leaves no checksums: files beside checkpoints are then taken to be its own.
    foreign = [name for name in changed_files(out) if name in there] if begun else there
    if foreign:
        raise FileExistsError(
            f"{out} holds {', '.join(foreign)}, which this run has not written and would replace: "
            "choose another folder, or move it away"
        )
