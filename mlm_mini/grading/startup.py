"""What every process for submissions is started with: which Python, which environment, which folders, which limits."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

INSIDE = Path(__file__).parent / "inside"
START_SECONDS = 120


@dataclass(frozen=True)
class Limits:
    """What one submitted function may take: seconds of computing, bytes of memory beyond what Python takes."""

    seconds: float = 10.0
    memory: int = 2 * 2**30

    @property
    def waiting(self) -> float:
        """Seconds that one input may take by the clock: a busy machine is nobody's fault, and who sleeps hangs."""
        return 3 * self.seconds

    @property
    def altogether(self) -> float:
        """Seconds by the clock that all inputs of an exercise may take."""
        return 3 * self.waiting

    @property
    def judging(self) -> float:
        """Seconds for one input with all that the judge does for it: what it loads or measures is not the function's,
        which has a clock of its own, so this stops nothing but a judge that hangs."""
        return self.altogether + 60


def python() -> str:
    """This Python by its real path: a link to it may lead through what is not there inside."""
    if sys.prefix == sys.base_prefix:
        return os.path.realpath(sys.executable)
    return str(Path(sys.prefix).resolve() / "bin" / Path(sys.executable).name)


def clean_environment() -> dict[str, str]:
    one = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")}
    return {"PATH": "/usr/bin:/bin", "HOME": "/box", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"} | one


def folders() -> dict[str, list[str]]:
    """What there is to read inside: Python, its packages and the system's libraries; the course, installed, is not."""
    prefix, base = Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()
    libraries = [base / "lib", *(Path(name) for name in ("/lib", "/lib64", "/usr/lib", "/usr/lib64"))]
    sites = {Path(sysconfig.get_path(kind)).resolve() for kind in ("purelib", "platlib")}
    ours = [str(path) for site in sites for path in sorted(site.glob("mlm_mini*")) if path.is_dir()]
    kept = [str(path) for path in libraries if path.exists() and not any(site.is_relative_to(path) for site in sites)]
    if prefix == base:  # without an environment of its own the packages lie inside Python's folder
        kept = [str(path) for path in libraries if path.exists()]
    parts = [str(path) for site in sites for path in sorted(site.iterdir()) if not path.name.startswith("mlm_mini")]
    named = [str(site) for site in sites]
    return {"folders": kept + named, "hidden": ours, "readable": kept + parts, "listed": named}
