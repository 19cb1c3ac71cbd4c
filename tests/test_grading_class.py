"""A class is marked: the same with any number of jobs and after an interruption; and what is written for others."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from submissions import answer, chapter, content, hand_in, written

from mlm_mini.__main__ import main
from mlm_mini.grading import classroom, pool
from mlm_mini.grading.archives import Found, find
from mlm_mini.grading.classroom import begin_state, mark_class
from mlm_mini.grading.marks import broken_row
from mlm_mini.grading.pool import Settings
from mlm_mini.grading.reports import class_page, learner_page, page_name, write_reports
from mlm_mini.grading.startup import Limits
from mlm_mini.grading.tables import as_csv, as_gradescope, as_junit

SETTINGS = Settings(seed=3)
THREE = ("ann", "bob", "carl")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    wrong = answer("00.score").replace("math.log(", "math.log2(")
    handed_in = {
        "ann": content(chapter("00", solved=True)),
        "bob": content(written("00.score", answer("00.score"))),
        "carl": content(written("00.score", wrong)),
        "dora": b"{",
        "=emil": content(chapter("00")),
        "fred": content(chapter("00", solved=True)),
    }
    hand_in(folder, handed_in)
    return folder


@pytest.fixture(scope="module")
def rows(folder):
    return mark_class(find([str(folder)]), SETTINGS, jobs=1)[0]


def test_the_marks_of_a_class(rows):
    points = {row["name"]: (row["points"], row["max_points"]) for row in rows}
    assert points["ann"] == (36, 36)
    assert points["bob"] == (6, 36)
    assert points["=emil"] == (0, 36)
    assert points["dora"] == (0, 0)
    assert [row["name"] for row in rows] == sorted(points)
    assert not any("shape" in exercise for row in rows for exercise in row["exercises"])


def test_the_same_words_are_pointed_out(rows):
    flags = {row["name"]: " ".join(row["flags"]) for row in rows}
    assert "written like those of fred" in flags["ann"]
    assert "written like" not in flags["bob"]


def test_two_jobs_and_an_interrupted_run_give_the_same(folder, rows, tmp_path):
    state, files = tmp_path / "state.jsonl", find([str(folder)])
    begin_state(state, SETTINGS.seed, resume=False)
    assert mark_class(files, SETTINGS, jobs=2, state=state)[0] == rows
    lines = state.read_text().splitlines()
    state.write_text("\n".join(lines[:3]) + "\n" + lines[3][:40])  # killed while it wrote
    assert begin_state(state, 99, resume=True) == SETTINGS.seed
    left = []
    again, _ = mark_class(files, SETTINGS, 1, state, lambda done, total: left.append(total - done))
    assert again == rows
    assert left[0] == 4


@pytest.fixture(scope="module")
def rows_of_three(folder):
    return mark_class(find([str(folder / name) for name in THREE]), SETTINGS, jobs=1)[0]


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no SIGKILL on this system")
@pytest.mark.parametrize("kill", ["the whole group", "the parent alone"])
def test_a_killed_run_goes_on_and_marks_the_same(kill, folder, rows_of_three, tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    paths = [str(folder / name) for name in THREE]
    line = [sys.executable, "-m", "mlm_mini", "grade", *paths, "--seed", str(SETTINGS.seed), "--jobs", "1"]
    run = subprocess.Popen(line, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None and done_by(tmp_path) < 1:
        time.sleep(0.01)
    (os.killpg if kill == "the whole group" else os.kill)(run.pid, signal.SIGKILL)
    run.wait()
    assert 1 <= done_by(tmp_path) < len(THREE)
    assert main(["grade", *paths, "--resume", "--jobs", "1", "--csv", str(tmp_path / "marks.csv")]) == 0
    assert (tmp_path / "marks.csv").read_text(encoding="utf-8") == as_csv(rows_of_three)
    assert [row["points"] for row in rows_of_three][:2] == [36, 6]


def done_by(folder):
    """How many rows an interrupted run has kept."""
    texts = [path.read_text(encoding="utf-8") for path in (folder / "cache" / "grading").glob("*.jsonl")]
    return sum(text.count("\n") - 1 for text in texts)


def test_a_row_that_follows_half_a_row_is_not_lost(tmp_path):
    state = tmp_path / "state.jsonl"
    begin_state(state, 7, resume=False)
    with open(state, "a", encoding="utf-8") as file:
        file.write('{"key": "ha')  # killed while it wrote
    assert begin_state(state, 8, resume=True) == 7
    with open(state, "a", encoding="utf-8") as file:
        file.write('{"key": "whole", "row": {}}\n')
    assert begin_state(state, 9, resume=True) == 7
    assert '{"key": "whole", "row": {}}' in state.read_text(encoding="utf-8").splitlines()


CHANGES = {
    "seconds": {"limits": Limits(seconds=60)},
    "memory": {"limits": Limits(memory=2**20)},
    "seed": {"seed": 4},
    "chapter": {"chapter": "01"},
}


@pytest.mark.parametrize("name", [*CHANGES, "content", ""])
def test_a_row_is_taken_from_an_interrupted_run_where_nothing_has_changed(name, tmp_path, monkeypatch):
    def marked(files, settings, jobs):
        for place, file in enumerate(files):
            done.append(file.name)
            yield place, broken_row(file.name, "", "of a test"), {}

    monkeypatch.setattr(classroom, "mark_all", marked)
    work, state, done = tmp_path / "ann.ipynb", tmp_path / "state.jsonl", []
    for content_of, settings in ((b"1", SETTINGS), (b"2" if name == "content" else b"1", None)):
        work.write_bytes(content_of)
        mark_class(find([str(work)]), settings or replace(SETTINGS, **CHANGES.get(name, {})), 1, state)
    assert done == ["ann"] * (2 if name else 1)


@pytest.mark.parametrize("problem", [pool.MARKER_ENDED, f"{pool.NOT_MARKABLE}: no memory was left.", "It is empty."])
def test_what_the_machine_did_to_a_file_is_not_kept(problem, tmp_path, monkeypatch):
    """When a run is killed, its processes may go before the one that waits for them, and writes what became of them."""
    monkeypatch.setattr(
        classroom, "mark_all", lambda files, *_: ((n, broken_row(f.name, "", problem), {}) for n, f in enumerate(files))
    )
    work, state, left = tmp_path / "ann.ipynb", tmp_path / "state.jsonl", []
    work.write_bytes(b"")
    for _ in range(2):
        mark_class(find([str(work)]), SETTINGS, 1, state, lambda done, total: left.append(total - done))
    assert left == ([1, 0, 0] if problem == "It is empty." else [1, 0, 1, 0])


class SlowJob:
    """A job that never answers for the file "slow", but with the next one, as a process would that was left running."""

    def __init__(self, clock, ended):
        self.clock, self.ended, self.answers, self.held = clock, ended, [], []
        self.job = pool.Job(process=self, pipe=self)

    def send(self, file):
        self.held.append((broken_row(file.name, "", "of a test"), {}))
        if file.name != "slow":
            self.answers, self.held = self.answers + self.held, []

    def recv(self):
        return self.answers.pop(0)

    def is_alive(self):
        return self not in self.ended

    def kill(self):
        self.ended.append(self)

    def close(self): ...

    def join(self, seconds=None): ...


def test_a_process_that_takes_too_long_is_ended_and_no_other_file_gets_its_row(monkeypatch):
    clock, ended = [0.0], []

    def wait(pipes, timeout):
        if not any(pipe.answers for pipe in pipes):
            clock[0] += pool.MOST_SECONDS + 1
        return [pipe for pipe in pipes if pipe.answers]

    monkeypatch.setattr(pool, "wait", wait)
    monkeypatch.setattr(pool.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(pool, "_start", lambda settings: SlowJob(clock, ended).job)
    files = [Found(name, name) for name in ("slow", "one", "other")]
    rows = {place: row for place, row, _ in pool.mark_all(files, SETTINGS, jobs=1)}
    assert [rows[place]["name"] for place in range(3)] == ["slow", "one", "other"]
    assert "took longer" in rows[0]["problem"]
    assert len(ended) == 2  # that one, and at the end the one in its place


def test_csv_has_a_line_for_each_exercise(rows):
    lines = list(csv.DictReader(io.StringIO(as_csv(rows))))
    assert len(lines) == len(rows) + sum(len(row["exercises"]) for row in rows)
    assert lines[0]["name"] == "'=emil"  # no formula
    assert sum(float(line["points"]) for line in lines if line["exercise"]) == sum(row["points"] for row in rows)


def test_junit_is_xml(rows):
    suites = ElementTree.fromstring(as_junit(rows))
    assert len(suites) == len(rows)
    assert sum(int(suite.get("errors")) for suite in suites) == 1
    assert suites.find("testsuite/testcase/failure").text


def test_gradescope_gets_a_score_and_tests(rows):
    results = as_gradescope([row for row in rows if row["name"] == "carl"])
    assert results["score"] == sum(test["score"] for test in results["tests"]) < 36
    assert {test["status"] for test in results["tests"]} == {"failed"}


def test_pages_are_written_for_everybody(rows, tmp_path):
    hostile = {**rows[0], "name": "<script>alert(1)</script>/../\u202e"}
    write_reports(tmp_path / "reports", [*rows, hostile])
    written_pages = {path.name for path in (tmp_path / "reports").iterdir()}
    assert written_pages == {"index.html", *(page_name(row["name"]) for row in [*rows, hostile])}
    for path in (tmp_path / "reports").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "<script" not in text
        assert 'lang="en"' in text
        assert text.count("<h1>") == 1
        assert "http" not in text.replace("http-equiv", "")


def test_a_page_says_what_is_wrong_and_gives_a_hint(rows):
    (carl,) = (row for row in rows if row["name"] == "carl")
    page = learner_page("carl", [carl])
    score = next(one for one in carl["exercises"] if one["id"] == "00.score")
    assert score["mistake"]
    assert score["mistake"] in page
    assert "A hint:" in page
    assert score["mistake"] in class_page(rows)


def test_the_command_writes_everything(folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    out.mkdir()
    options = [f"--{kind}={out / kind}" for kind in ("json", "csv", "junit", "reports", "gradescope")]
    assert main(["grade", str(folder / "bob"), "--seed", "3", "--jobs", "1", *options]) == 0
    (row,) = json.loads((out / "json").read_text())["submissions"]
    assert {"name", "chapter", "points", "max_points", "flags", "exercises"} <= set(row)
    assert {"id", "points", "max_points", "mistake", "feedback"} <= set(row["exercises"][0])
    assert {path.name for path in out.iterdir()} == {"json", "csv", "junit", "reports", "gradescope"}
    assert "36" in capsys.readouterr().out
    assert main(["grade", str(folder / "bob"), "--resume", "--json"]) == 0  # nothing is left to do
    assert json.loads(capsys.readouterr().out)["submissions"] == [row]


def test_limits_are_those_that_the_command_is_given(folder, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    monkeypatch.setattr(classroom, "mark_class", lambda files, *given: seen.append(given) or ([], {}))
    options = ["--memory", "0.5", "--timeout", "2.5", "--jobs", "3", "--chapter", "00", "--seed", "7"]
    assert main(["grade", str(folder), *options]) == 0
    settings, jobs = seen[0][:2]
    assert (settings.limits, jobs) == (Limits(seconds=2.5, memory=2**29), 3)
    assert (settings.chapter, settings.seed) == ("00", 7)
    assert main(["grade", str(folder)]) == 0
    assert seen[1][0].limits == Limits()


def test_nothing_to_mark_is_said(tmp_path, capsys):
    assert main(["grade", str(tmp_path)]) == 1
    assert "no notebook" in capsys.readouterr().err
