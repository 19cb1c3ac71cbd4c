"""Work in several processes, and what the chapters need, made ahead."""

import os

import pytest
from spawned import leave_a_note

from mlm_mini.experiments import EXPERIMENTS, preparation, prepare_chapters
from mlm_mini.processes import as_they_finish, checked_workers
from mlm_mini.training import CHAPTER_MODELS, Reporter
from mlm_mini.training.cached import QUICK_STEPS


@pytest.mark.parametrize("workers", [1, 2])
def test_each_item_is_done_once(workers, tmp_path):
    paths = [tmp_path / str(i) for i in range(5)]
    assert sum(1 for _ in as_they_finish(leave_a_note, paths, workers)) == 5
    notes = [path.read_text(encoding="utf-8").split() for path in paths]
    assert (str(os.getpid()) in {process for process, _ in notes}) == (workers == 1)
    assert workers == 1 or {threads for _, threads in notes} == {"1"}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_is_raised_and_what_was_done_stays(workers, tmp_path):
    with pytest.raises(RuntimeError, match="no luck"):
        list(as_they_finish(leave_a_note, [tmp_path / "good", tmp_path / "bad"], workers))
    assert (tmp_path / "good").exists()


def test_nothing_is_done_for_no_items():
    assert not list(as_they_finish(leave_a_note, [], 2))


def test_there_are_as_many_workers_as_cores_unless_given():
    assert checked_workers(None) == os.cpu_count()
    assert checked_workers(3) == 3
    with pytest.raises(ValueError, match="workers is 0: expected at least 1"):
        checked_workers(0)


class Asked:
    """Stands for an experiment, and keeps how it was run."""

    def __init__(self):
        self.runs = []

    def run(self, **how):
        self.runs.append(how)


def test_what_the_chapters_need_is_made_in_one_go(monkeypatch):
    models, studies, told = [], {}, []
    monkeypatch.setattr(preparation, "cached_model", lambda **fields: models.append(fields))
    monkeypatch.setattr(preparation, "find_experiment", lambda name: studies.setdefault(name, Asked()))
    prepare_chapters(1, lambda done, total: told.append((done, total)))
    assert models == [{"report": Reporter, **fields} for fields in CHAPTER_MODELS]
    assert {"steps": QUICK_STEPS} in CHAPTER_MODELS
    assert {} in CHAPTER_MODELS
    assert studies.keys() == {name for name, experiment in EXPERIMENTS.items() if experiment.kept}
    assert all(asked.runs == [{"full": False, "workers": 1}] for asked in studies.values())
    total = len(models) + len(studies)
    assert told == [(done, total) for done in range(total + 1)]
    with pytest.raises(ValueError, match="workers is 0"):
        prepare_chapters(0)
