"""Results that take longer than a chapter should: measured once, and shipped with what made them.

Each is a JSON file in the folder `results` of a room. Beside its figures stand the command, the machine and the date.
"""

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path


def shipped(room: str, name: str) -> dict:
    """A result of a room by name, "training" and "english" for one.

    Raises ValueError, with the names there are, for another.
    """
    folder = results_folder(room)
    known = sorted(file.stem for file in folder.glob("*.json"))
    if name not in known:
        raise ValueError(f"there is no shipped result {name!r}: expected one of {', '.join(known) or 'none'}")
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def results_folder(room: str) -> Path:
    """Where a room keeps its shipped results."""
    return Path(str(files(f"mlm_mini.{room}"))) / "results"


def provenance(command: str) -> dict:
    """What belongs beside figures: how they were made, when, and on what."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    software = [platform.system(), f"Python {platform.python_version()}"]
    software += [f"{name} {version(name)}" for name in ("torch", "numpy")]
    return {
        "command": command,
        "date": datetime.now(UTC).date().isoformat(),
        "machine": ", ".join([f"{cores} cores", _processor(), *software]),
    }


def _processor() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
