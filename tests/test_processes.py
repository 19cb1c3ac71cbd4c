"""Work in several processes, and what the chapters need, made ahead."""

import os
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from spawned import leave_a_note

from mlm_mini import chapters, processes
from mlm_mini.chapters import prepare_chapters
from mlm_mini.experiments import EXPERIMENTS
from mlm_mini.processes import as_they_finish, checked_workers
from mlm_mini.training import LANGUAGES, Reporter

TOP = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_each_item_is_done_once(workers, tmp_path):
    paths = [tmp_path / str(i) for i in range(5)]
    assert sum(1 for _ in as_they_finish(leave_a_note, paths, workers)) == 5
    notes = [path.read_text(encoding="utf-8").split() for path in paths]
    assert (str(os.getpid()) in {process for process, _ in notes}) == (workers == 1)
    assert workers == 1 or {threads for _, threads in notes} == {"1"}


def test_a_single_item_is_done_here_and_no_process_is_started_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "ProcessPoolExecutor", lambda *_: pytest.fail("processes were started"))
    assert list(as_they_finish(leave_a_note, [tmp_path / "a"], 2)) == [None]
    assert (tmp_path / "a").read_text(encoding="utf-8").split()[0] == str(os.getpid())


@pytest.mark.parametrize(("workers", "started"), [(2, 2), (3, 3), (64, 3)])
def test_no_more_processes_are_started_than_there_are_items_and_none_is_a_fork(workers, started, monkeypatch):
    asked = []

    class Threads(ThreadPoolExecutor):
        def __init__(self, count, context, initializer):
            asked.append((count, context.get_start_method()))
            super().__init__(count)

    monkeypatch.setattr(processes, "ProcessPoolExecutor", Threads)
    assert len(list(as_they_finish(str, range(3), workers))) == 3
    assert asked == [(started, "spawn")]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_goes_wrong_is_raised_and_what_was_done_stays(workers, tmp_path):
    with pytest.raises(RuntimeError, match="no luck"):
        list(as_they_finish(leave_a_note, [tmp_path / "good", tmp_path / "bad"], workers))
    assert (tmp_path / "good").exists()


def test_after_an_error_nothing_more_is_begun(monkeypatch):
    """With threads in the place of processes, so that what is begun can wait until the rest was given up."""
    given_up, done = threading.Event(), []

    class Threads(ThreadPoolExecutor):
        def __init__(self, workers, *_):
            super().__init__(workers)

        def shutdown(self, *arguments, **named):
            super().shutdown(*arguments, **named)
            given_up.set()

    def work(item):
        if item == 0:
            raise RuntimeError("no luck")
        given_up.wait(60)
        done.append(item)

    monkeypatch.setattr(processes, "ProcessPoolExecutor", Threads)
    with pytest.raises(RuntimeError, match="no luck"):
        list(as_they_finish(work, range(20), 2))
    assert set(done) <= {1, 2}  # one beside the item that failed, and one in its place


def test_nothing_is_done_for_no_items():
    assert not list(as_they_finish(leave_a_note, [], 2))


def test_there_are_as_many_workers_as_cores_unless_given():
    assert checked_workers(None) == os.cpu_count()
    assert (checked_workers(3), checked_workers(1)) == (3, 1)
    with pytest.raises(ValueError, match="workers is 0: expected at least 1"):
        checked_workers(0)


def test_where_the_cores_cannot_be_counted_there_is_one_worker(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert checked_workers(None) == 1


class Asked:
    """Stands for an experiment, and keeps how it was run."""

    def __init__(self):
        self.runs = []

    def run(self, **how):
        self.runs.append(how)


def test_what_the_chapters_need_is_made_in_one_go(monkeypatch):
    models, studies, told = [], {}, []
    monkeypatch.setattr(chapters, "cached_model", lambda **fields: models.append(fields))
    monkeypatch.setattr(chapters, "find_experiment", lambda name: studies.setdefault(name, Asked()))
    prepare_chapters(1, lambda done, total: told.append((done, total)))
    kept = [{"language": language} | LANGUAGES[language].kept[name] for language, name in chapters.MODELS]
    assert models == [{"report": Reporter} | fields for fields in kept]
    assert {"language": "scenes", "steps": 800} in kept
    assert {"language": "scenes"} in kept
    assert studies.keys() == chapters.STUDIES.keys() <= EXPERIMENTS.keys()
    assert all(asked.runs == [{"full": False, "workers": 1}] for asked in studies.values())
    total = len(models) + len(studies)
    assert told == [(done, total) for done in range(total + 1)]
    with pytest.raises(ValueError, match="workers is 0"):
        prepare_chapters(0)


def test_the_chapters_read_what_is_said_of_them():
    """Each that asks for a kept model is named with one, and each model that is kept of a language has a reader."""
    asks = re.compile(r"^[^#\n]*\b(cached_model|quick_model)\((report|LiveCurve|\"scenes\")", re.MULTILINE)
    sources = (TOP / "solutions").glob("[0-9][0-9]_*.py")
    texts = {source.name[:2]: source.read_text(encoding="utf-8") for source in sources}
    asking = {number for number, text in texts.items() if asks.search(text)}
    for study, readers in chapters.STUDIES.items():
        assert {number for number, text in texts.items() if f'find_experiment("{study}").run(' in text} == set(readers)
    assert asking == {chapter for readers in chapters.MODELS.values() for chapter in readers}
    assert set(chapters.MODELS) == {(entry.name, name) for entry in LANGUAGES.values() for name in entry.kept}
