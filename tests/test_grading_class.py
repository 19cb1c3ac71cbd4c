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

import pytest
from submissions import answer, chapter, content, written

from mlm_mini.__main__ import main
from mlm_mini.grading.archives import find
from mlm_mini.grading.classroom import begin_state, mark_class
from mlm_mini.grading.pool import Settings
from mlm_mini.grading.reports import class_page, learner_page, page_name, write_reports
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
    for name, raw in handed_in.items():
        (folder / name).mkdir()
        (folder / name / "00_fill_in_the_blanks.ipynb").write_bytes(raw)
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


def test_nothing_to_mark_is_said(tmp_path, capsys):
    assert main(["grade", str(tmp_path)]) == 1
    assert "no notebook" in capsys.readouterr().err
