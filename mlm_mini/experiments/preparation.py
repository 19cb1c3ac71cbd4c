"""What the chapters read from the cache, made before any of them asks: their models and their quick studies.

Notebooks that are run side by side would otherwise train on each other's cores, or wait for each other.
"""

from collections.abc import Callable
from functools import partial

from mlm_mini.experiments.catalog import EXPERIMENTS, find_experiment
from mlm_mini.processes import Finished, as_they_finish, checked_workers, tell_nobody
from mlm_mini.training import CHAPTER_MODELS, Reporter, cached_model


def prepare_chapters(workers: int | None = None, finished: Finished = tell_nobody) -> None:
    """Make whatever the cache lacks; a training that was stopped goes on where it stopped.

    workers: processes, one thread each; as many as there are cores unless given. finished: told how many of the models
    and studies are there, of how many, at the start and after each.
    Raises ValueError for fewer than one worker, and whatever a training or a study raises.
    """
    tasks, workers = _tasks(), checked_workers(workers)
    finished(0, len(tasks))
    for done, _ in enumerate(as_they_finish(_do, tasks, workers), 1):
        finished(done, len(tasks))


def _tasks() -> list[Callable[[], None]]:
    """The longest first, so that no core is left alone with one of them at the end."""
    models = [partial(_train, fields) for fields in CHAPTER_MODELS]
    studies = [partial(_study, experiment.name) for experiment in EXPERIMENTS.values() if experiment.kept]
    return [models[0], *studies, *models[1:]]


def _do(task: Callable[[], None]) -> None:
    task()


def _train(fields: dict) -> None:
    cached_model(report=Reporter, **fields)


def _study(name: str) -> None:
    find_experiment(name).run(full=False, workers=1)
