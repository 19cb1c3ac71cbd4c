"""Files as learners and platforms send them: each has a row, and none ends the run."""

import ast
import io
import json
import os
import sys
import zipfile
from pathlib import Path

import pytest
from submissions import answer, chapter, code, content, written

from mlm_mini.__main__ import main
from mlm_mini.grading import archives
from mlm_mini.grading.archives import Unreadable, find
from mlm_mini.grading.notebooks import read_notebook
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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_notebook_is_read_in_any_of_its_encodings(encoding):
    written_so = json.dumps(json.loads(written_in("é")), ensure_ascii=False).encode(encoding)
    assert read_notebook(written_so).cells[0].source == "é"


def written_in(*sources, **rest):
    return json.dumps({"cells": [code(source) for source in sources], "nbformat": 4, "metadata": {}, **rest}).encode()


@pytest.mark.parametrize(
    ("source", "runs", "why"),
    [
        ("%%time\n%%capture out\nx = 1", "x = 1", ""),
        ("%%timeit -n 3\nx = 1", "x = 1", ""),
        ("%%timed\nx = 1", "", "it begins with %%timed"),
        ("\n%%bash\nls", "", "it begins with %%bash"),
        ("if a:\n    !ls\nout = !ls\nb = %pwd\nnp.exp??\nx = 1", "if a:\n    pass\npass\npass\npass\nx = 1", ""),
        ("x = a % b\ny = '?'", "x = a % b\ny = '?'", ""),
        ("x =\n", "", "it is not valid Python: invalid syntax, line 1"),
        ("x" * (2**20 + 1), "", "it holds more than a million characters"),
    ],
)
def test_what_only_ipython_understands_is_left_out(source, runs, why):
    statements, _, said = read_notebook(written_in(source)).cells[0].parsed
    assert ast.unparse(ast.Module(statements, [])) == (ast.unparse(ast.parse(runs)) if runs else "")
    assert said == why


@pytest.mark.parametrize(
    "line", ["# exercise: 01.softmax", "  ## Exercise :01.softmax  ", "x = 1\n#exercise: 01.softmax\ny = 2"]
)
def test_a_cell_says_which_exercise_it_holds(line):
    (cell,) = read_notebook(written_in(line)).cells
    assert cell.exercises == ["01.softmax"]


def test_a_cell_says_what_it_checks():
    source = "check('01.softmax', mine)\n  check( \"02.kl\" , kl )\n# check('03.a', b)"
    (cell,) = read_notebook(written_in(source)).cells
    assert cell.checks == [("01.softmax", "mine"), ("02.kl", "kl")]


@pytest.mark.parametrize(
    ("metadata", "name", "chapter"),
    [
        ({"course": {"chapter": "03"}}, "02_surprisal.ipynb", "03"),
        ({"course": {"chapter": "77"}}, "02_surprisal.ipynb", "02"),
        ({}, "02.ipynb", "02"),
    ],
)
def test_a_notebook_that_names_no_exercise_is_of_the_chapter_that_is_said(metadata, name, chapter):
    raw = written_in("x = 1", metadata=metadata)
    assert take_apart(raw, name=name).chapter == chapter
    assert take_apart(raw, "01", name).chapter == "01"
    most = written_in("# exercise: 01.softmax", "check('02.kl', kl)", "# exercise: 02.kl", metadata=metadata)
    assert take_apart(most, name=name).chapter == "02"


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


@pytest.mark.parametrize(
    ("members", "names"),
    [
        (("class/Ann/01_softmax.ipynb", "class/Bob/deep/01_softmax.ipynb"), ["Ann", "Bob"]),  # one folder around all
        (("Ann/deep/01_softmax.ipynb", "Bob/01_softmax.ipynb"), ["Ann", "Bob"]),
        (("Ann/01_softmax.ipynb",), ["Ann"]),
        (("Ann.ipynb", "Bob.IPYNB"), ["Ann", "Bob"]),
        (("Ann\\01_softmax.ipynb", "Bob\\01_softmax.ipynb"), ["Ann", "Bob"]),  # as Windows writes them
        (("Ann/a.ipynb", "__MACOSX/Ann/a.ipynb", "Ann/.ipynb_checkpoints/a.ipynb", "Bob/._b.ipynb"), ["Ann"]),
        (("Ann/a.txt", "Ann/b.ipynb/", "b.py"), []),
    ],
)
def test_whose_a_file_in_an_archive_is(members, names, tmp_path):
    files = found(tmp_path, archive(dict.fromkeys(members, GOOD)))
    assert [(file.name, file.problem) for file in files] == [(name, "") for name in names]
    assert all(file.read() == GOOD for file in files)


def test_archives_are_opened_three_deep_and_no_deeper(tmp_path):
    raw, name = GOOD, "01_softmax.ipynb"
    for _ in range(3):
        raw, name = archive({name: raw}), "inner.zip"
        (file,) = found(tmp_path, raw)
        assert file.problem == ""
        assert file.read() == GOOD
    (file,) = found(tmp_path, archive({name: raw}))
    assert file.problem == "An archive in an archive in an archive: it was left alone."


def test_what_is_locked_or_too_large_or_too_many_is_left_alone(tmp_path, monkeypatch):
    raw = archive({"a.ipynb": GOOD})
    locked = bytearray(raw)
    for head, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # what says so, where the file begins and in the contents
        locked[raw.index(head) + place] |= 1
    (file,) = found(tmp_path, bytes(locked))
    assert file.problem == "It is locked with a password."
    monkeypatch.setattr(archives, "MOST_FILE", len(GOOD))
    (file,) = found(tmp_path, raw)
    assert file.read() == GOOD
    monkeypatch.setattr(archives, "MOST_FILE", len(GOOD) - 1)
    (file,) = found(tmp_path, raw)
    assert file.problem.startswith("Unpacked it would be")
    (file,) = found(tmp_path, GOOD, "a.ipynb")
    with pytest.raises(Unreadable, match=r"^It is larger than"):
        file.read()
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    members = dict.fromkeys(("a.ipynb", "b.ipynb", "c.txt"), b"{}")
    (file,) = found(tmp_path, archive(members))
    assert (file.name, file.problem) == ("class", "The archive holds 3 files: it was left alone.")
    del members["c.txt"]
    assert [file.problem for file in found(tmp_path, archive(members))] == ["", ""]


def test_a_file_with_a_chapters_name_is_named_after_its_folder(tmp_path):
    names = {}
    for place in (*(f"ann/{folder}01_softmax.ipynb" for folder in ("", "chapters/", "solutions/")), "Ann.ipynb"):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(GOOD)
        (file,) = find([str(path)])
        names[place] = file.name
    assert list(names.values()) == ["ann", "01_softmax", "01_softmax", "Ann"]


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
