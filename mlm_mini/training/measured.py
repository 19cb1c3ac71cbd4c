"""Results of trainings that take longer than a chapter should: measured once, and shipped with what made them."""

import json
from importlib.resources import files

RESULTS = files("mlm_mini.training") / "results"


def measured(name: str) -> dict:
    """A shipped result by name, "english" for one. Beside the figures stand the command, the machine and the date.

    Raises ValueError, with the names there are, for another.
    """
    known = sorted(file.name.removesuffix(".json") for file in RESULTS.iterdir() if file.name.endswith(".json"))
    if name not in known:
        raise ValueError(f"there is no shipped result {name!r}: expected one of {', '.join(known)}")
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
