"""A class: who handed in what, who wrote the same, and going on where an interrupted run stopped."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

from mlm_mini import storage
from mlm_mini.grading.archives import Found, Unreadable
from mlm_mini.grading.pool import Settings, is_final, mark_all

ALIKE = 3  # exercises that two learners wrote alike before a word is said
RARE = 0.1  # of a class: what more of them write is how one writes it


def mark_class(
    files: list[Found],
    settings: Settings,
    jobs: int,
    state: Path | None = None,
    finished: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[list[dict], dict[str, str]]:
    """The rows of all files by name and chapter, and what the sandbox could not do.

    state: a file to which each row is added when it is done, and from which rows of the same files are taken.
    """
    keys = [_key(file, settings) for file in files]
    known = _read_state(state)
    rows: dict[int, dict] = {place: known[key] for place, key in enumerate(keys) if key in known}
    finished(len(rows), len(files))
    missing = [place for place in range(len(files)) if place not in rows]
    standing: dict[str, str] = {}
    for place, row, said in mark_all([files[place] for place in missing], settings, jobs):
        rows[missing[place]] = row
        standing |= said
        if state and is_final(row):
            with open(state, "a", encoding="utf-8") as file:
                file.write(json.dumps({"key": keys[missing[place]], "row": row}) + "\n")
        finished(len(rows), len(files))
    return _together([rows[place] for place in range(len(files))]), standing


def state_file(paths: list[str], chapter: str) -> Path:
    """Where a run over these paths keeps what it has done."""
    named = json.dumps([[str(Path(path).absolute()) for path in paths], chapter])
    folder = storage.cache_folder() / "grading"
    folder.mkdir(exist_ok=True)
    return folder / f"{hashlib.sha256(named.encode()).hexdigest()[:20]}.jsonl"


def begin_state(state: Path, seed: int, resume: bool) -> int:
    """The seed to mark with: that of the interrupted run, if there is one to go on with. Starts the file."""
    if resume:
        for line in _lines(state):
            if type(line.get("seed")) is int:
                with open(state, "a", encoding="utf-8") as file:
                    file.write("\n")  # or the next row would be added to half of one, and lost with it
                return line["seed"]
    state.write_text(json.dumps({"seed": seed}) + "\n", encoding="utf-8")
    return seed


def _read_state(state: Path | None) -> dict[str, dict]:
    return {line["key"]: line["row"] for line in _lines(state) if "key" in line and "row" in line} if state else {}


def _lines(state: Path) -> list[dict]:
    """The lines that are whole: a run that was killed may have left half of one."""
    found = []
    try:
        for line in state.read_text(encoding="utf-8").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                continue
    except OSError:
        return []
    return [line for line in found if isinstance(line, dict)]


def _key(file: Found, settings: Settings) -> str:
    """What a row hangs on: the name, the content, the settings, and the course itself."""
    try:
        content = hashlib.sha256(file.read()).hexdigest()
    except Unreadable as problem:
        content = str(problem)
    limits = (settings.limits.seconds, settings.limits.memory)
    parts = (file.name, file.place, content, settings.seed, settings.chapter, limits)
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _together(rows: list[dict]) -> list[dict]:
    """The rows in order of name and chapter; the same chapter handed in twice, and functions written alike, flagged."""
    rows = sorted(rows, key=lambda row: (row["name"], row["chapter"]))
    seen: dict[tuple, int] = defaultdict(int)
    for row in rows:
        seen[row["name"], row["chapter"]] += 1
        if (count := seen[row["name"], row["chapter"]]) > 1:
            row["flags"] = [*row["flags"], f"chapter {row['chapter']} was handed in {count} times"]
    _flag_alike(rows)
    return rows


def _flag_alike(rows: list[dict]) -> None:
    """Says of each learner who wrote as many exercises in the same words, where few do."""
    writers: dict[tuple[str, str], set[str]] = defaultdict(set)
    learners: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        learners[row["chapter"]].add(row["name"])
        for one in row["exercises"]:
            if one["shape"]:
                writers[one["id"], one["shape"]].add(row["name"])
    for row in rows:
        most = max(2, int(RARE * len(learners[row["chapter"]])))
        shapes = [(one["id"], one.pop("shape")) for one in row["exercises"]]
        written = [writers[shape] for shape in shapes if shape[1]]
        shared = Counter(name for names in written if len(names) <= most for name in names if name != row["name"])
        for name, count in sorted(shared.items()):
            if count >= ALIKE and 2 * count >= len(written):
                row["flags"].append(f"{count} exercises written like those of {name}")
