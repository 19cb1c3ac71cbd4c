"""Progress outlives the repository, two writers at once, and a broken file."""

import json
import multiprocessing
import warnings
from datetime import datetime

import pytest

from mlm_mini.course import check, progress
from mlm_mini.course.exercises import all_exercises
from mlm_mini.course.judging import CheckFailed

NAMES = list(all_exercises())
ATTEMPTS = 15


def rows():
    return {row.id: row for row in progress.all_progress()}


def test_states_go_from_untouched_to_tried_to_solved_and_stay(data_folder):
    name = NAMES[0]
    assert rows()[name].state == "untouched"
    progress.record_attempt(name, solved=False)
    assert rows()[name].state == "tried"
    progress.record_attempt(name, solved=True)
    progress.record_attempt(name, solved=False)
    assert rows()[name].state == "solved"
    assert rows()[name].attempts == 3
    assert list(rows()) == NAMES


def test_check_records_the_attempt_but_not_in_the_solutions_folder(data_folder, tmp_path, monkeypatch):
    def stub(*args, **kwargs):
        raise NotImplementedError

    for name in ("chapters", "solutions"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "solutions")
    with pytest.raises(CheckFailed):
        check(NAMES[0], stub)
    assert rows()[NAMES[0]].state == "untouched"
    monkeypatch.chdir(tmp_path / "chapters")
    with pytest.raises(CheckFailed):
        check(NAMES[0], stub)
    assert rows()[NAMES[0]].state == "tried"


def record_many(name, start):
    start.wait(60)  # so that they do write at once
    for _ in range(ATTEMPTS):
        progress.record_attempt(name, solved=False)


def test_two_processes_writing_at_once_lose_nothing(data_folder):
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(3)
    writers = [context.Process(target=record_many, args=(name, start)) for name in (NAMES[0], NAMES[0], NAMES[1])]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert rows()[NAMES[0]].attempts == 2 * ATTEMPTS
    assert rows()[NAMES[1]].attempts == ATTEMPTS


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"version": 1}', '{"version": 1, "exercises": {"a": 3}}', "\udcff"]
)
def test_a_file_that_cannot_be_read_is_kept_aside(data_folder, content):
    path = progress.progress_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.warns(UserWarning, match="progress starts anew"):
        progress.record_attempt(NAMES[0], solved=True)
    (aside,) = data_folder.glob("progress.unreadable-*.json")
    assert aside.read_bytes() == content.encode("utf-8", "surrogateescape")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rows()[NAMES[0]].state == "solved"


def test_the_file_is_plain_json(data_folder):
    progress.record_attempt(NAMES[0], solved=True)
    content = json.loads(progress.progress_file().read_text())
    assert content["version"] == 1
    assert content["exercises"][NAMES[0]]["attempts"] == 1


def test_what_was_solved_keeps_its_day(data_folder):
    before = {"version": 1, "exercises": {NAMES[0]: {"attempts": 2, "solved": "2026-01-01T00:00:00+00:00"}}}
    data_folder.mkdir(exist_ok=True)
    progress.progress_file().write_text(json.dumps(before))
    progress.record_attempt(NAMES[0], solved=True)
    progress.record_attempt(NAMES[1], solved=True)
    entries = json.loads(progress.progress_file().read_text())["exercises"]
    assert entries[NAMES[0]] == {"attempts": 3, "solved": "2026-01-01T00:00:00+00:00"}
    solved = datetime.fromisoformat(entries[NAMES[1]]["solved"])
    assert abs(datetime.now().astimezone() - solved).total_seconds() < 50


def test_a_file_of_a_later_version_is_kept_aside(data_folder):
    data_folder.mkdir(exist_ok=True)
    progress.progress_file().write_text('{"version": 2, "exercises": {}}')
    with pytest.warns(UserWarning, match="progress starts anew"):
        assert progress.all_progress()[0].state == "untouched"
    assert len(list(data_folder.glob("progress.unreadable-*.json"))) == 1


def test_the_hint_ladder_starts_at_the_first_and_stays_at_the_last(data_folder):
    assert [progress.next_hint("01.softmax", 3) for _ in range(5)] == [0, 1, 2, 2, 2]
    assert progress.next_hint("01.other", 3) == 0
