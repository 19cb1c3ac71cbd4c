"""Studies of many runs: spread over processes, stopped at any moment, and gone on with where they stopped.

Each run is a cell with a name. What it found is one small JSON file in the study's folder, written atomically, so that
a study is what its folder holds: a kill loses nothing but the runs that were under way.
"""

import json
import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from mlm_mini.code import code_fingerprint
from mlm_mini.experiments.lab.result import plain, restored
from mlm_mini.processes import Finished, as_they_finish, checked_workers, tell_nobody
from mlm_mini.storage import cache_path, cached, fingerprint, waiting_lock

_Score = TypeVar("_Score")


class Cell(Protocol):
    """One run of a study: a frozen dataclass, fit to be sent to another process."""

    @property
    def name(self) -> str:
        """Different for each cell, and fit for a file's name."""


def study_folder(name: str, run: Callable[[Cell], dict], *made_of) -> Path:
    """The place in the cache for the cells of a study, named after all that they have in common.

    run: what runs a cell; its code, and all of ours that it calls, is part of the name. made_of: what else decides a
    cell beside its own fields, for `fingerprint`; PyTorch's version is added here.
    """
    return cache_path(f"{name}-{fingerprint(code_fingerprint(run.__module__), *made_of, torch.__version__)}")


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
    paths = [folder / f"{cell.name}.json" for cell in cells]
    if len(set(paths)) < len(cells):
        raise ValueError("two cells of the study have the same name")
    workers = checked_workers(workers)
    waiting = [(cell, path) for cell, path in zip(cells, paths, strict=True) if not _is_whole(path)]
    finished(len(cells) - len(waiting), len(cells))
    for done, _ in enumerate(as_they_finish(partial(_run_and_keep, run), waiting, workers), 1):
        finished(len(cells) - len(waiting) + done, len(cells))
    return [_read(path) for path in paths]


def score_cells(kind: type[_Score], cells: Iterable[Cell], *study: Any) -> tuple[_Score, ...]:
    """What a study finds, as scores: dataclasses of a cell and of what its run found. study: as in `run_study`."""
    cells = list(cells)
    found = run_study(cells, *study)
    return tuple(restored(kind, content | {"cell": plain(cell)}) for cell, content in zip(cells, found, strict=True))


def _run_and_keep(run: Callable[[Cell], dict], waiting: tuple[Cell, Path]) -> None:
    """One process runs the cell. Another that wants it at the same time waits, and then finds the file."""
    cell, path = waiting
    with waiting_lock(f"{path}.lock", f"{cell.name} of {path.parent.name}"):
        cached(path, _read, lambda file: file.write_text(json.dumps(run(cell)) + "\n", encoding="utf-8"))


def _is_whole(path: Path) -> bool:
    try:
        _read(path)
    except (OSError, ValueError):
        return False
    return True


def _read(path: Path) -> dict:
    return json.loads(path.read_bytes())
