"""A run on disk: everything it takes to go on as if it had never stopped; `run.py` says what that is.

A checkpoint is a folder, `step-00000500`, with

    model.safetensors       the weights
    optimizer.safetensors   AdamW's moments and steps, `<weight>.exp_avg` and so on
    state.json              step, configs, generators, place in the text, curve so far, and checksums of the other two

It is written under another name, forced to disk, and then renamed. So a folder with that name is always whole, even
after a power cut. The checkpoint before it is kept until the next one is in place.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
from torch import Tensor

from mlm_mini.paths import check_regular_file

FORMAT = "mlm_mini checkpoint 1"
STATE, MODEL, OPTIMIZER = "state.json", "model.safetensors", "optimizer.safetensors"
KEPT_CHECKPOINTS = 2  # the last, and the one before it, in case the last cannot be read
PARTIAL = ".partial"


class CheckpointError(ValueError):
    """A checkpoint that cannot be used. The message says which, why, and what to do."""


class OtherRunError(CheckpointError):
    """A checkpoint that is good, but of another run. The message says in what they differ."""


@dataclass(frozen=True)
class Checkpoint:
    """state: what JSON holds, with "step" in it. model, optimizer: tensors by name, on the CPU."""

    state: dict
    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]


def save_checkpoint(folder: str | os.PathLike, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint into a run's folder; returns its own folder. Keeps KEPT_CHECKPOINTS, and removes older ones.

    Raises OSError (a full disk, say), which names the folder; earlier checkpoints are then as they were.
    """
    folder = Path(folder).absolute()
    final = folder / f"step-{checkpoint.state['step']:08d}"
    partial = final.with_name(final.name + PARTIAL)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(f"step-*{PARTIAL}"):
            shutil.rmtree(leftover)
        partial.mkdir()
        _write(partial, checkpoint)
        if final.exists():  # a damaged one, from which a run could not go on
            shutil.rmtree(final)
        os.replace(partial, final)
        _force_to_disk(folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        last = next(_newest_first(folder), None)
        kept = f"the last good checkpoint is {last}" if last else "there is no checkpoint yet"
        raise OSError(error.errno, f"{final} could not be written ({error.strerror or error}): {kept}") from error
    for old in list(_newest_first(folder))[KEPT_CHECKPOINTS:]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def _write(folder: Path, checkpoint: Checkpoint) -> None:
    contents = {
        MODEL: safetensors.torch.save(checkpoint.model),
        OPTIMIZER: safetensors.torch.save(checkpoint.optimizer),
    }
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    state = {"format": FORMAT} | checkpoint.state | {"checksums": checksums}
    contents[STATE] = json.dumps(state, allow_nan=False).encode()
    for name, content in contents.items():
        with open(folder / name, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    _force_to_disk(folder)


def _force_to_disk(folder: Path) -> None:
    """Write the folder's list of names to disk: a file whose name is lost cannot be found."""
    if os.name == "nt":  # Windows cannot open a folder, and writes such lists by itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def has_checkpoint(folder: str | os.PathLike) -> bool:
    """Whether a run's folder holds a checkpoint, good or bad."""
    return next(_newest_first(Path(folder)), None) is not None


def load_checkpoint(
    folder: str | os.PathLike, use: Callable[[Checkpoint], object] = lambda checkpoint: None
) -> Checkpoint:
    """The last checkpoint of a run's folder that is whole; a warning names those that are not.

    use: called with it, to restore the run. If it raises a CheckpointError, the checkpoint counts as damaged, and the
    one before is tried; an OtherRunError is passed on.
    Raises CheckpointError when there is none.
    """
    problems = []
    for path in _newest_first(Path(folder)):
        try:
            checkpoint = read_checkpoint(path)
        except CheckpointError as error:
            problems.append(str(error))
            continue
        try:
            use(checkpoint)
        except OtherRunError:
            raise
        except CheckpointError as error:
            problems.append(f"{path} is damaged or incomplete ({error})")
            continue
        if problems:
            warnings.warn(f"{'; '.join(problems)}; going on from {path} instead", stacklevel=2)
        return checkpoint
    if problems:
        raise CheckpointError(f"{'; '.join(problems)}: no checkpoint is left to go on from; start again elsewhere")
    raise CheckpointError(f"there is no checkpoint in {folder}: start a run there first")


def read_checkpoint(path: Path) -> Checkpoint:
    """One checkpoint. Raises CheckpointError when a file is missing or damaged, or it is not one of ours."""
    try:
        for name in (STATE, MODEL, OPTIMIZER):
            check_regular_file(path / name)
        state = json.loads((path / STATE).read_bytes())
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise CheckpointError(f"{path} is not a checkpoint of this course: its {STATE} is not {FORMAT!r}")
        tensors = []
        for name in (MODEL, OPTIMIZER):
            content = (path / name).read_bytes()
            if hashlib.sha256(content).hexdigest() != state["checksums"][name]:
                raise CheckpointError(f"{path / name} is damaged: its checksum is not the one written down")
            tensors.append(safetensors.torch.load(content))
    except (OSError, KeyError, TypeError, ValueError, RecursionError, safetensors.SafetensorError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path} is damaged or incomplete ({error})") from error
    return Checkpoint(state, *tensors)


def _newest_first(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        found = [path for path in folder.glob("step-*") if re.fullmatch("step-[0-9]+", path.name)]
        yield from sorted(found, key=lambda path: int(path.name.removeprefix("step-")), reverse=True)
