"""A class is marked: the same with any number of jobs and after an interruption; and what is written for others."""

import argparse
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from types import SimpleNamespace

import pytest
from submissions import answer, chapter, content, hand_in, written

from mlm_mini.__main__ import main
from mlm_mini.commands.grading import gigabytes, not_enforced, positive, seconds
from mlm_mini.grading import classroom, pool
from mlm_mini.grading.archives import Found, find
from mlm_mini.grading.classroom import begin_state, mark_class
from mlm_mini.grading.marks import LONG, Mark, as_row, broken_row
from mlm_mini.grading.pool import Settings
from mlm_mini.grading.reports import class_page, learner_page, page_name, write_reports
from mlm_mini.grading.startup import Limits
from mlm_mini.grading.submission import Submission
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


# ---- tables and pages of rows that are written by hand


def row_of(name, *marks, chapter="00", **parts):
    """The row of a submission, of marks as `Mark` has them."""
    return as_row(name, chapter, Submission(chapter, (), **parts), list(marks))


def mark_of(letter, points, mistake="", **more):
    return Mark(f"00.{letter}", f"The {letter}", points, 10.0, mistake, **more)


TWO = row_of(
    "ann",
    mark_of("a", 10.0),
    mark_of("b", 2.5, "+1 at the end", feedback="So <so>\x00.", remarks=("Seen twice.",), flags=("by heart",)),
    flags=("patches a module",),
)


def test_a_row_adds_up_its_exercises():
    assert (TWO["points"], TWO["max_points"]) == (12.5, 20)
    assert TWO["flags"] == ["patches a module", "00.b by heart"]
    assert [one["mistake"] for one in TWO["exercises"]] == [None, "+1 at the end"]


@pytest.mark.parametrize(("length", "kept"), [(LONG - 1, False), (LONG, True)])
def test_the_shape_of_a_short_function_is_not_compared(length, kept):
    shapes = [row_of("a", mark_of("a", 1.0, shape=end * length))["exercises"][0]["shape"] for end in "xyx"]
    assert (shapes[0] == shapes[2] != shapes[1]) if kept else shapes == [""] * 3


def test_every_cell_of_the_csv_is_where_its_heading_says():
    assert as_csv([TWO, broken_row("@bob", "01", "-1 is no size.")]).splitlines() == [
        "name,chapter,exercise,points,max_points,mistake,flags",
        "ann,00,,12.5,20,,patches a module; 00.b by heart",
        "ann,00,00.a,10,10,,",
        "ann,00,00.b,2.5,10,'+1 at the end,by heart",
        "'@bob,01,,0,0,,not marked; -1 is no size.",
    ]


def test_junit_counts_what_failed_and_says_how_much_was_earned():
    one, other = ElementTree.fromstring(as_junit([TWO, broken_row("bob", "", "It is empty.")]))
    assert [one.get(name) for name in ("name", "tests", "failures", "errors")] == ["ann 00", "2", "1", "0"]
    assert [other.get(name) for name in ("tests", "failures", "errors")] == ["1", "0", "1"]
    right, wrong = one
    assert (right.get("name"), len(right)) == ("00.a", 0)
    assert (wrong.get("classname"), wrong[0].get("message"), wrong[0].text) == (
        "ann",
        "2.5 of 10 points",
        "So <so>\ufffd.",
    )
    assert other.find("testcase/error").get("message") == "It is empty."


def test_gradescope_has_of_each_exercise_what_it_earned_and_could():
    results = as_gradescope([TWO])
    keys = ("name", "score", "max_score", "output", "status")
    assert [tuple(test[key] for key in keys) for test in results["tests"]] == [
        ("00.a The a", 10, 10, "", "passed"),
        ("00.b The b", 2.5, 10, "So <so>\x00.\nSeen twice.", "failed"),
    ]
    assert results["score"] == 12.5
    assert "exercise by exercise" in results["output"]
    assert as_gradescope([TWO, broken_row("ann", "01", "It is empty.")])["output"] == "It is empty."


def cells_of(page, heading):
    """The rows of the table below a heading, a list of texts each."""
    body = page.split(f"<h2>{heading}</h2>")[1].split("<tbody>")[1].split("</tbody>")[0]
    return [re.sub("<[^>]+>", "|", line).strip("|").split("|") for line in body.split("</tr>") if line]


def words_of(page, heading):
    return [[part for part in line if part] for line in cells_of(page, heading)]


def test_the_page_of_the_class_counts_learners_exercises_and_mistakes():
    rows = [
        row_of("ann", mark_of("a", 10.0), mark_of("b", 10.0)),
        row_of("bob", mark_of("a", 0.0, "early"), mark_of("b", 10.0)),
        row_of("bob", mark_of("a", 0.0, "early"), mark_of("b", 0.0, "late"), chapter="01"),
        row_of("carl", mark_of("a", 10.0), mark_of("b", 5.0)),
        row_of("emil", mark_of("a", 10.0)),
        broken_row("dora", "", "It is empty."),
    ]
    page = class_page(rows)
    assert "<p>5 learners, 6 notebooks, of which 1 unreadable.</p>" in page
    assert words_of(page, "Who needs help first") == [["bob", "25%"], ["carl", "75%"]]
    assert words_of(page, "Which exercises") == [["00.a The a", "60%", "3 of 5"], ["00.b The b", "50%", "2 of 4"]]
    assert words_of(page, "Which mistakes") == [["00.a", "early", "2"], ["00.b", "late", "1"]]
    everybody = words_of(page, "Everybody")
    assert everybody[1] == ["bob", "00", "10 of 20"]
    assert everybody[-1] == ["dora", "It is empty.; not marked"]


def test_the_page_of_a_learner_explains_what_lost_points_and_nothing_else():
    row = row_of(
        "ann",
        mark_of("a", 10.0, hint="of a"),
        mark_of("b", 2.5, inputs="3 of 4 right", hint="of b"),
        mark_of("c", 0.0),
        mark_of("d", 0.0, "early <"),
        mark_of("e", 10.0, remarks=("Defined twice.",)),
        left_out=("code cell 3: x = 1",),
    )
    page = learner_page("ann", [row, broken_row("ann", "01", "It is empty.")])
    assert "Chapter 00: 22.5 of 50 points" in page
    assert "A file that could not be marked</h2><p>It is empty." in page
    states = {line[0]: line[-1] for line in words_of(page, "Chapter 00: 22.5 of 50 points")}
    assert states == {
        "The a": "right",
        "The b": "partly right",
        "The c": "not right yet",
        "The d": "a known mistake: early &lt;",
        "The e": "right",
    }
    assert re.findall(r'<h3 id="e-00-(\w)">', page) == ["b", "c", "d", "e"]
    assert "On the inputs that the course shows 3 of 4 right." in page
    assert re.findall("A hint:</strong> (of .)", page) == ["of b"]
    assert "<p>Defined twice.</p>" in page
    assert "Left out, because no exercise needs it</h3><ul><li>code cell 3: x = 1</li>" in page


def shaped(name, *shapes, chapter="00"):
    exercises = [{"id": f"{chapter}.{place}", "shape": shape} for place, shape in enumerate(shapes)]
    return {"name": name, "chapter": chapter, "flags": [], "exercises": exercises}


@pytest.mark.parametrize(
    ("ann", "bob", "others", "flagged"),
    [
        ("abc", "abc", 0, True),
        ("ab", "ab", 0, False),  # two may be chance
        ("abcde", "abcxy", 0, True),
        ("abcdefg", "abctuvw", 0, False),  # less than half of what she wrote
        ("abc    ", "abc    ", 0, True),  # of what is short nothing is known
        ("abc", "bca", 0, False),  # other exercises
        ("abc", "abc", 1, False),  # three of three: so it is written
        ("abc", "abc", 27, False),  # three of 29 are more than a tenth
        ("abc", "abc", 28, True),
    ],
)
def test_who_writes_as_few_do_is_named(ann, bob, others, flagged):
    written = {"ann": ann, "bob": bob} | {f"carl {n}": "xyz" if n else "abc" for n in range(others)}
    rows = [shaped(name, *map(str.strip, shapes)) for name, shapes in written.items()]
    flags = {row["name"]: row["flags"] for row in classroom._together(rows)}
    assert flags["bob"][:1] == (["3 exercises written like those of ann"] if flagged else [])
    assert not any("shape" in one for row in rows for one in row["exercises"])


def test_a_chapter_that_is_handed_in_again_is_pointed_out():
    rows = [shaped("bob", chapter="01"), shaped("bob"), shaped("ann"), shaped("bob")]
    found = classroom._together(rows)
    assert [(row["name"], row["chapter"], row["flags"]) for row in found] == [
        ("ann", "00", []),
        ("bob", "00", []),
        ("bob", "00", ["chapter 00 was handed in 2 times"]),
        ("bob", "01", []),
    ]


# ---- the command and its processes


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (positive, {"1": 1, "12": 12}, ("0", "-3")),
        (seconds, {"0.1": 0.1, "3600": 3600}, ("0.09", "3601", "nan", "inf")),
        (gigabytes, {"0.1": 0.1, "1024": 1024}, ("0.09", "1025", "nan")),
    ],
)
def test_limits_that_make_no_sense_are_refused(read, good, bad):
    assert {text: read(text) for text in good} == good
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match=f"^{text}: expected"):
            read(text)


@pytest.fixture
def marked(folder, tmp_path, monkeypatch):
    """What the command does with rows that are there already; it is given what follows the folder."""
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    rows, seeds = [TWO], []

    def marking(files, settings, *_):
        seeds.append(settings.seed)
        return rows, {"namespaces": "not here", "landlock": "", "seccomp": ""}

    monkeypatch.setattr(classroom, "mark_class", marking)
    return SimpleNamespace(rows=rows, seeds=seeds, run=lambda *options: main(["grade", str(folder), *options]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resume", "--seed", "3"), "leave --seed out"),
        (("--chapter", "77"), "there is no chapter '77'; the chapters with exercises are 00, 01"),
        (("--gradescope", "-"), "there are several"),
    ],
)
def test_what_cannot_be_marked_so_is_said(options, message, marked, capsys):
    marked.rows.append(broken_row("bob", "", ""))
    assert marked.run(*options) == 1
    assert message in capsys.readouterr().err


def test_the_seed_is_secret_printed_and_kept_for_a_run_that_goes_on(marked, capsys):
    for options in ((), (), ("--resume",)):
        assert marked.run(*options) == 0
    one, other, again = marked.seeds
    assert one != other == again
    said = capsys.readouterr().out
    assert f"The seed of the fresh inputs was {one}." in said
    assert "Not enforced here: files of this machine can be read" in said
    assert marked.run("--json", "--seed", "0") == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["seed"] == 0
    assert "The seed of the fresh inputs was 0." in shown.err


def test_what_landlock_makes_good_is_said_where_namespaces_are_not_allowed():
    (both,) = not_enforced({"namespaces": "refused", "landlock": "", "unknown": "x"})
    assert both.endswith("(namespaces: refused; files are kept from it all the same)")
    alone = not_enforced({"namespaces": "refused", "landlock": "too old"})
    assert len(alone) == 2
    assert not any("all the same" in line for line in alone)


def test_who_marks_has_one_thread_and_the_environment_stays(monkeypatch):
    begun = []

    class Started:
        def __init__(self, **how):
            pass

        def start(self):
            begun.append({name: os.environ.get(name) for name in pool.ONE_THREAD})

    context = SimpleNamespace(Pipe=lambda: (None, SimpleNamespace(close=lambda: None)), Process=Started)
    monkeypatch.setattr(pool.multiprocessing, "get_context", lambda how: context)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    before = dict(os.environ)
    pool._start(SETTINGS)
    assert begun == [dict.fromkeys(pool.ONE_THREAD, "1")]
    assert dict(os.environ) == before
