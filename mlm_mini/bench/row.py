"""A row of `course.py bench`: ours beside a peer; and how the sides of a row take turns, each at its best setting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np

from mlm_mini.experiments.lab.timing import take_turns

TRIALS = 2  # of each setting, before the best is chosen


@dataclass(frozen=True)
class BenchRow:
    """ours, peer: median times, or memory, in `unit`. limit: the least ratio that the course promises.

    ours_spread, peer_spread: their quartiles. ours_setting, peer_setting: the best that was found for each, such as the
    number of threads. share: of what the device can do at most, how much ours reaches; None where nothing limits it.
    """

    name: str
    ours: float
    peer: float
    peer_name: str
    limit: float
    unit: str = "ms"
    ours_spread: tuple[float, float] | None = None
    peer_spread: tuple[float, float] | None = None
    ours_setting: str = ""
    peer_setting: str = ""
    share: float | None = None

    @property
    def ratio(self) -> float:
        """How many times as much its peer takes."""
        return self.peer / self.ours

    @property
    def kept(self) -> bool:
        """Whether it takes as little as promised."""
        return self.ratio >= self.limit

    def text(self) -> str:
        """The row in a line."""
        ours = _said(self.ours, self.unit, self.ours_spread, self.ours_setting)
        peer = _said(self.peer, self.unit, self.peer_spread, self.peer_setting)
        promise = f"at least {self.limit:g} was promised" if self.kept else f"LESS than the {self.limit:g} promised"
        share = "" if self.share is None else f"; {100 * self.share:.0f}% of the device's rate"
        return f"{self.name}: {ours}; {self.peer_name}: {peer}; ratio {self.ratio:.2f}, {promise}{share}"

    def to_dict(self) -> dict:
        """As `course.py bench --json` prints it."""
        names = [field.name for field in fields(self)]
        names[names.index("limit") : names.index("unit") + 1] = ["ratio", "unit", "limit"]
        return {name: _rounded(getattr(self, name)) for name in names}


def _said(value: float, unit: str, spread: tuple[float, float] | None, setting: str) -> str:
    details = [] if spread is None else [f"{spread[0]:.4g} to {spread[1]:.4g}"]
    details += [setting] if setting else []
    shown = f"{value:.1f}" if value >= 1 else f"{value:.2g}"
    return f"{shown} {unit}" + (f" ({', '.join(details)})" if details else "")


def _rounded(value):
    if isinstance(value, tuple):
        return [_rounded(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


@dataclass(frozen=True)
class Side:
    """One who takes turns. ways: what it does, by the name of the setting in which it does it."""

    name: str
    ways: Mapping[str, Callable[[], object]]

    def at_its_best(self) -> Side:
        """The same in the one setting in which it is fastest here, after TRIALS turns of each."""
        if len(self.ways) == 1:
            return self
        times = np.median(take_turns(list(self.ways.values()), TRIALS), axis=1)
        setting = list(self.ways)[int(times.argmin())]
        return Side(self.name, {setting: self.ways[setting]})


@dataclass(frozen=True)
class Times:
    """What a side took: median and quartiles in milliseconds, at its best setting."""

    name: str
    median: float
    spread: tuple[float, float]
    setting: str

    def beside(self, peer: Times, name: str, limit: float, share: float | None = None) -> BenchRow:
        """A row of that name, in which this is ours."""
        spreads = self.spread, peer.spread, self.setting, peer.setting
        return BenchRow(name, self.median, peer.median, peer.name, limit, "ms", *spreads, share)


def in_turns(sides: Sequence[Side], rounds: int) -> list[Times]:
    """Each side at its best setting; in every round each has its turn, as `take_turns` says."""
    best = [side.at_its_best() for side in sides]
    times = take_turns([next(iter(side.ways.values())) for side in best], rounds)
    low, median, high = np.quantile(times, [0.25, 0.5, 0.75], axis=1)
    return [
        Times(side.name, float(median[i]), (float(low[i]), float(high[i])), next(iter(side.ways)))
        for i, side in enumerate(best)
    ]


def medians(rounds: int, *ways: Callable[[], object]) -> list[float]:
    """Median milliseconds of each way; they take turns, as `take_turns` says."""
    return np.median(take_turns(ways, rounds), axis=1).tolist()
