"""A learning rate for each arm of a study, so that none of them is judged at a rate that suits another.

Every arm is trained at each rate of a coarse grid, with one seed that is not used again, and keeps the rate at which
that model came nearest to the exact posterior.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from mlm_mini.experiments.lab.study import run_study
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.seeds import TUNING_SEED

RATES = (5e-4, 1.5e-3, 4e-3, 1e-2)
HIGH_RATES = (1e-3, 3e-3, 1e-2, 3e-2)  # for tiny models in short trainings: of objectives, and of the recipe's parts


class TunableCell(Protocol):
    """A cell that has a seed and a learning rate. arm: a name for all that it is beside these two."""

    seed: int
    learning_rate: float

    @property
    def arm(self) -> str: ...


_Cell = TypeVar("_Cell", bound=TunableCell)


@dataclass(frozen=True)
class RateTrial:
    """What one rate came to for one arm. nats: how far the model stayed from the exact posterior, or the floor."""

    arm: str
    learning_rate: float
    nats: float


def try_rates(
    cells: Iterable[_Cell],
    rates: tuple[float, ...],
    run: Callable[[_Cell], dict],
    folder: Path,
    workers: int | None = None,
    finished: Finished = tell_nobody,
    score: Callable[[dict], float] = lambda found: found["kl"],
) -> tuple[RateTrial, ...]:
    """Each arm of `cells` at each of `rates`, with TUNING_SEED; nothing where there is no choice.

    run, folder, workers, finished: as in `run_study`. score: of what `run` finds, the figure that should be low.
    """
    if len(rates) < 2:
        return ()
    arms = {cell.arm: replace(cell, seed=TUNING_SEED) for cell in cells}
    trials = [replace(cell, learning_rate=rate) for cell in arms.values() for rate in rates]
    found = run_study(trials, run, folder, workers, finished)
    return tuple(RateTrial(cell.arm, cell.learning_rate, score(each)) for cell, each in zip(trials, found, strict=True))


def best_rates(trials: Iterable[RateTrial]) -> dict[str, float]:
    """The rate with the lowest nats for each arm, the first of equals."""
    best: dict[str, RateTrial] = {}
    for trial in trials:
        if trial.arm not in best or trial.nats < best[trial.arm].nats:
            best[trial.arm] = trial
    return {arm: trial.learning_rate for arm, trial in best.items()}


def at_best_rates(cells: Iterable[_Cell], trials: Iterable[RateTrial]) -> list[_Cell]:
    """The cells, each at the best rate of its arm; as they are where nothing was tried."""
    best = best_rates(trials)
    return [replace(cell, learning_rate=best.get(cell.arm, cell.learning_rate)) for cell in cells]
