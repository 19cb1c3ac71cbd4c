"""Files as learners and platforms send them: each has a row, and none ends the run."""

import io
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest
from submissions import answer, chapter, code, content, written

from mlm_mini.__main__ import main
from mlm_mini.grading.archives import Unreadable, find
from mlm_mini.grading.pool import Settings, mark_file
from mlm_mini.grading.submission import take_apart

GOOD = content(chapter("01"))


def notebook(**changes):
    return json.dumps({**json.loads(GOOD), **changes}).encode()


BROKEN = {
    "empty": (b"", "empty"),
    "cut off": (GOOD[: len(GOOD) // 2], "no valid JSON"),
    "no text": (b"\x89PNG\r\n\x1a\n\xff\xfe\x00", "no text"),
    "JSON, but no notebook": (b"[1, 2, 3]", "no notebook"),
    "a notebook without cells": (b'{"nbformat": 4}', "no cells"),
    "too deep": (b"[" * 200_000, "nested too deep"),
    "a number without end": (b'{"cells": [' + b"7" * 1_000_000 + b"]}", "thousands of digits"),
    "in another language": (notebook(metadata={"kernelspec": {"language": "R"}}), "in R"),
    "of no chapter": (json.dumps({"cells": [code("x = 1")], "nbformat": 4, "metadata": {}}).encode(), "no chapter"),
    "a page of a website": (b"<!DOCTYPE html><title>Sign in</title>", "no valid JSON"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_a_row_that_says_why(name, tmp_path):
    raw, said = BROKEN[name]
    (tmp_path / "work.ipynb").write_bytes(raw)
    (file,) = find([str(tmp_path)])
    row = mark_file(file, Settings(1), sandbox=None)
    assert said in row["problem"]
    assert ("cut off" in row["problem"]) == (said == "no valid JSON")
    assert row["flags"] == ["not marked"]


ODD_CELLS = [
    None, 3, "text", [], {}, {"cell_type": "code"}, {"cell_type": "code", "source": None}, {"cell_type": "code",
    "source": [1, None, "x = 1"]}, code("def f(:"), code("\x00"), code("x = " + "(" * 500), code("-" * 50_000 + "1"),
    code("'" + "\ud800" + "'"), code("x" * 2_000_000), code("%%bash\nrm -rf /"), code("from __future__ import never"),
    code("class A:\n" * 120), code("lambda: (yield)"), code("nonlocal x"), code("return 1"), code("\u202ex = 1"),
]  # fmt: skip


@pytest.mark.parametrize("place", range(len(ODD_CELLS)))
def test_an_odd_cell_is_left_out(place):
    odd = json.loads(GOOD)
    odd["cells"].insert(0, ODD_CELLS[place])
    submission = take_apart(json.dumps(odd).encode())
    assert submission.chapter == "01"
    assert {part.missing for part in submission.parts} == {"This exercise is not written yet."}


@pytest.mark.parametrize("value", [None, 3, [], "x", {"course": 3}, {"kernelspec": []}, {"language_info": {"name": 5}}])
def test_odd_metadata_is_borne(value):
    assert take_apart(notebook(metadata=value)).chapter == "01"


def test_large_notebooks_are_read():
    big = json.loads(GOOD)
    big["cells"][0]["source"] = "words " * 8_000_000  # 50 MB of prose
    big["cells"].append(code("1", outputs=[{"output_type": "stream", "text": "x" * 40_000_000}]))
    assert take_apart(json.dumps(big).encode()).chapter == "01"


def archive(members, **more):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, raw in members.items():
            file.writestr(name, raw)
    return buffer.getvalue()


def found(tmp_path, raw, name="class.zip"):
    (tmp_path / name).write_bytes(raw)
    return find([str(tmp_path / name)])


def test_an_archive_has_a_folder_for_each_learner(tmp_path):
    files = found(
        tmp_path, archive({"Ann_1_file/01_softmax.ipynb": GOOD, "Bob_2/my work.ipynb": GOOD, "note.txt": b""})
    )
    assert [file.name for file in files] == ["Ann_1_file", "Bob_2"]
    assert take_apart(files[0].read()).chapter == "01"


def test_an_archive_of_one_learner_is_named_after_it(tmp_path):
    files = found(tmp_path, archive({"01_softmax.ipynb": GOOD, "02_surprisal.ipynb": GOOD}), "Carl.zip")
    assert {file.name for file in files} == {"Carl"}


def test_an_archive_of_archives_is_read(tmp_path):
    files = found(tmp_path, archive({"Ann.zip": archive({"01_softmax.ipynb": GOOD}), "Bob.zip": b"PK nonsense"}))
    assert take_apart(files[0].read()).chapter == "01"
    assert "cannot be read" in files[1].problem


HOSTILE = {
    "outside": (archive({"../../escaped.ipynb": GOOD}), "outside"),
    "absolute": (archive({"/etc/escaped.ipynb": GOOD}), "outside"),
    "a drive": (archive({"C:/escaped.ipynb": GOOD}), "outside"),
    "a bomb": (archive({"bomb.ipynb": bytes(80_000_000)}), "left alone"),
    "a bomb in an archive": (archive({"bomb.zip": bytes(80_000_000)}), "left alone"),
    "cut off": (archive({"a.ipynb": GOOD})[:-40], "cannot be read"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_left_alone(name, tmp_path):
    raw, said = HOSTILE[name]
    (file,) = found(tmp_path, raw)
    assert said in file.problem
    assert not set(file.name) & set("/\\:")
    assert file.name not in (".", "..")
    with pytest.raises(Unreadable):
        file.read()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.zip"]


def test_a_link_in_an_archive_is_no_file(tmp_path):
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(link, "/etc/passwd")
    (one,) = found(tmp_path, buffer.getvalue())
    assert "link" in one.problem


def test_folders_are_searched_and_links_are_not_followed(tmp_path):
    (tmp_path / "ann").mkdir()
    (tmp_path / "ann" / "01_softmax.ipynb").write_bytes(GOOD)
    (tmp_path / "bob.ipynb").write_bytes(GOOD)
    (tmp_path / "ann" / ".ipynb_checkpoints").mkdir()
    (tmp_path / "ann" / ".ipynb_checkpoints" / "01_softmax.ipynb").write_bytes(GOOD)
    (tmp_path / "carl.ipynb").symlink_to(tmp_path / "bob.ipynb")
    (tmp_path / "dora.ipynb").mkdir()
    (tmp_path / "emil").mkdir()
    (tmp_path / "emil" / "01_softmax.ipynb").mkdir()
    (tmp_path / "emil" / "01_softmax.ipynb" / "01_softmax.ipynb").write_bytes(GOOD)
    files = {file.name: file for file in find([str(tmp_path)])}
    assert {name: file.problem[:16] for name, file in files.items()} == {
        "ann": "", "bob": "", "carl": "This is a link, ", "dora": "This is a folder", "emil": ""}  # fmt: skip
    assert files["emil"].read() == GOOD
    assert find([str(tmp_path / "nobody.ipynb")])[0].problem


def test_names_from_outside_of_an_archive_are_two_and_nobodys(tmp_path):
    members = {"../x/01_softmax.ipynb": GOOD, "../../x/01_softmax.ipynb": GOOD, "x/01_softmax.ipynb": GOOD}
    files = found(tmp_path, archive(members))
    assert len({file.name for file in files}) == 3
    assert [file.name for file in files if not file.problem] == ["x"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names that are no text, pipes")
def test_names_that_are_no_text_cost_nobody_a_mark(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    folder, out = tmp_path / "class", tmp_path / "out"
    for path in (folder, out):
        path.mkdir()
    raw = content(written("00.score", answer("00.score")))
    for name in (b"bad\xff.ipynb", b"bad\xfe.ipynb", b"bad\\udcff.ipynb", b"new\nline.ipynb"):
        Path(os.fsdecode(bytes(folder) + b"/" + name)).write_bytes(raw)
    names = [file.name for file in find([str(folder)])]
    assert sorted(names) == ["bad\\udcfe", "bad\\udcff", "bad\\udcff (2)", "new\\nline"]
    options = [f"--{kind}={out / kind}" for kind in ("json", "csv", "junit", "reports")]
    assert main(["grade", str(folder), "--seed", "3", "--jobs", "1", *options]) == 0
    rows = json.loads((out / "json").read_text())["submissions"]
    assert [(row["name"], row["points"]) for row in rows] == [(name, 6) for name in sorted(names)]
    assert len(list((out / "reports").iterdir())) == 5


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_no_file_or_too_large_says_so_and_no_more(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    with open(tmp_path / "vast.ipynb", "wb") as file:
        file.truncate(3 * 10**9)  # it takes no room on the disk
    for found_file, said in zip(find([str(tmp_path)]), ("It is no regular file.", "It is larger than 3"), strict=True):
        with pytest.raises(Unreadable, match=rf"^{said}") as problem:
            found_file.read()
        assert "unpacked" not in str(problem.value)
