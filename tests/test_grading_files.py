"""Files as learners and platforms send them: each has a row, and none ends the run."""

import io
import json
import zipfile

import pytest
from submissions import chapter, code, content

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
    "too deep": (b"[" * 200_000, "no valid JSON"),
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
    assert [file.name for file in find([str(tmp_path)])] == ["ann", "bob"]
    assert find([str(tmp_path / "nobody.ipynb")])[0].problem
