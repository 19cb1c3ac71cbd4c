"""Studies of many runs: spread over processes, stopped at any moment, and gone on with where they stopped.

Each run is a cell with a name. What it found is one small JSON file in the study's folder, written atomically, so that
a study is what its folder holds: nothing is lost by a kill but the runs that were under way.
"""

import json
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Protocol, TypeVar

import filelock
import torch

import mlm_mini
from mlm_mini.experiments.result import Result
from mlm_mini.processes import Finished, as_they_finish, checked_workers, tell_nobody
from mlm_mini.storage import cache_folder, cached, fingerprint, write_atomically

Kept = TypeVar("Kept", bound=Result)


def study_folder(name: str, *made_of) -> Path:
    """The place in the cache for the cells of a study, named after all that they have in common.

    made_of: what decides a cell beside its own fields, for `fingerprint`; our own code and PyTorch's are added here.
    """
    return cache_folder() / f"{name}-{fingerprint(*made_of, mlm_mini.__version__, torch.__version__)}"


def kept_result(kind: type[Kept], name: str, measure: Callable[[], Kept], *made_of, code: Iterable[ModuleType]) -> Kept:
    """What `measure` finds, kept in the cache: measured once, and by one process at a time, then read.

    made_of: all that decides it, for `fingerprint`. code: the modules that measure it: after a change in their source
    it is measured anew, which would be too much to ask of the hours in a `study_folder`.
    """
    source = [Path(module.__file__).read_bytes() for module in code]
    path = study_folder(name, *made_of, source).with_suffix(".json")
    with filelock.FileLock(f"{path}.lock"):
        return cached(
            path,
            lambda file: kind.from_json(file.read_text(encoding="utf-8")),
            lambda file: file.write_text(measure().to_json(), encoding="utf-8"),
        )


class Cell(Protocol):
    """One run of a study: a frozen dataclass, fit to be sent to another process."""

    @property
    def name(self) -> str:
        """Different for each cell, and fit for a file's name."""


def run_study(
    cells: Iterable[Cell],
    run: Callable[[Cell], dict],
    folder: str | os.PathLike,
    workers: int | None = None,
    finished: Finished = tell_nobody,
) -> list[dict]:
    """What `run` finds for each cell, in the order of the cells; those already in `folder` are read from there.

    run: a function at the top of a module, from a cell to a dict fit for JSON. workers: processes, one thread each; as
    many as there are cores unless given, and 1 runs in this process. finished: told how many cells are done, of how
    many, at the start and after each.
    Raises ValueError for two cells of one name, or fewer than one worker, and whatever a run raises: the cells that
    finished before are kept.
    """
    cells, folder = list(cells), Path(folder)
    if len({cell.name for cell in cells}) < len(cells):
        raise ValueError("two cells of the study have the same name")
    workers = checked_workers(workers)
    folder.mkdir(parents=True, exist_ok=True)
    waiting = [cell for cell in cells if _read(folder, cell) is None]
    finished(len(cells) - len(waiting), len(cells))
    run_one = partial(_run_and_keep, run, folder)
    for done, _ in enumerate(as_they_finish(run_one, waiting, workers), len(cells) - len(waiting) + 1):
        finished(done, len(cells))
    return [_read(folder, cell) for cell in cells]


def _run_and_keep(run: Callable[[Cell], dict], folder: Path, cell: Cell) -> None:
    text = json.dumps(run(cell)) + "\n"
    write_atomically(_path(folder, cell), lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _path(folder: Path, cell: Cell) -> Path:
    return folder / f"{cell.name}.json"


def _read(folder: Path, cell: Cell) -> dict | None:
    """What was kept of a cell; None where there is nothing, or nothing that can be read."""
    try:
        return json.loads(_path(folder, cell).read_bytes())
    except (OSError, ValueError):
        return None
