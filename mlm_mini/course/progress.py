"""Remembers what a learner has solved, outside the repository, so that a fresh clone does not lose it.

The file is small JSON. A lock lets two notebooks write at once, and each write replaces the file in one step.
"""

from __future__ import annotations

import json
import os
import warnings
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mlm_mini import storage
from mlm_mini.course.elsewhere import kept_folder
from mlm_mini.course.exercises import all_exercises

VERSION = 1
LOCK_SECONDS = 10


@dataclass(frozen=True)
class ExerciseProgress:
    """One row of the progress table. `state` is "solved", "tried" or "untouched"."""

    id: str
    title: str
    minutes: int
    state: str
    attempts: int

    @property
    def chapter(self) -> str:
        return self.id[:2]


def progress_file() -> Path:
    """MLM_MINI_DATA says where, or the service that lends the machine, or else the system."""
    kept = None if os.environ.get("MLM_MINI_DATA") else kept_folder()
    if kept:
        kept.mkdir(exist_ok=True)
    return (kept or storage.data_folder()) / "progress.json"


def record_attempt(exercise_id: str, solved: bool) -> None:
    """Counts one attempt. What was solved once stays solved."""

    def attempt(entry: dict) -> None:
        entry["attempts"] = entry.get("attempts", 0) + 1
        if solved and "solved" not in entry:
            entry["solved"] = datetime.now().astimezone().isoformat(timespec="seconds")

    _update(exercise_id, attempt)


def next_hint(exercise_id: str, available: int) -> int:
    """The index of the hint to show now. Each call moves one step on, and stays at the last."""
    shown = 0

    def step(entry: dict) -> None:
        nonlocal shown
        shown = min(entry.get("hints", 0), available - 1)
        entry["hints"] = shown + 1

    _update(exercise_id, step)
    return shown


def all_progress() -> list[ExerciseProgress]:
    """Every exercise of the course with its state, in the order of the chapters."""
    entries = _read(progress_file())
    rows = []
    for exercise in all_exercises().values():
        entry = entries.get(exercise.id, {})
        attempts = entry.get("attempts", 0)
        state = "solved" if "solved" in entry else "tried" if attempts else "untouched"
        rows.append(ExerciseProgress(exercise.id, exercise.title, exercise.minutes, state, attempts))
    return rows


def _update(exercise_id: str, change) -> None:
    from filelock import FileLock

    path = progress_file()
    with FileLock(str(path) + ".lock", timeout=LOCK_SECONDS):
        entries = _read(path)
        change(entries.setdefault(exercise_id, {}))
        text = json.dumps({"version": VERSION, "exercises": entries}, indent=1, sort_keys=True)
        storage.write_atomically(path, lambda temporary: temporary.write_text(text + "\n", encoding="utf-8"))


def _read(path: Path) -> dict[str, dict]:
    """The entries by exercise id. A file that cannot be understood is kept aside under a dated name, not erased."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        text = ""
    try:
        content = json.loads(text)
        entries = content["exercises"]
        if content["version"] != VERSION or not all(isinstance(entry, dict) for entry in entries.values()):
            raise ValueError("another version")
        return entries
    except (ValueError, KeyError, TypeError, AttributeError):
        aside = path.with_name(f"progress.unreadable-{datetime.now():%Y%m%d-%H%M%S}.json")
        path.rename(aside)
        warnings.warn(f"{path} could not be read; it is kept as {aside.name} and progress starts anew.", stacklevel=2)
        return {}
