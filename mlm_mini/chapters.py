"""What the chapters read from the cache, and which of them reads it: made here before any of them asks.

Notebooks that run side by side would otherwise train on each other's cores, or wait for each other.
"""

from collections.abc import Callable
from functools import partial

from mlm_mini.experiments import find_experiment
from mlm_mini.processes import Finished, as_they_finish, checked_workers, tell_nobody
from mlm_mini.training import LANGUAGES, Reporter, cached_model

# (language, name of one of the models that are kept of it): the chapters that read it. What takes longest comes first.
MODELS = {
    ("scenes", "full"): ("07", "08", "10", "11", "12", "13", "14", "16"),
    ("scenes", "quick"): ("00", "01", "04"),
    ("scenes", "tiny, causal"): ("08", "16"),
    ("scenes", "tiny"): ("08", "09", "11", "16"),
    ("scenes", "tiny, 35%"): ("08", "16"),
    ("scenes", "tiny, diffusion"): ("16",),
    ("markov", "tiny"): ("09",),
    ("bursty", "tiny"): ("09",),
    ("python", "tiny"): ("15",),
    ("proteins", "tiny"): ("15",),
    ("greek", "tiny"): ("15",),
}
STUDIES = {"mask_ratio": ("10",), "mask_strategy": ("11",)}


def kept_fields(language: str, name: str) -> dict:
    """What `cached_model` is given for a model that is kept of a language."""
    return {"language": language, **LANGUAGES[language].kept[name]}


MARKOV, BURSTY = kept_fields("markov", "tiny"), kept_fields("bursty", "tiny")


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
    models = [partial(_train, *model) for model in MODELS]
    studies = [partial(_study, name) for name in STUDIES]
    return [models[0], *studies, *models[1:]]


def _do(task: Callable[[], None]) -> None:
    task()


def _train(language: str, name: str) -> None:
    cached_model(report=Reporter, **kept_fields(language, name))


def _study(name: str) -> None:
    find_experiment(name).run(full=False, workers=1)
