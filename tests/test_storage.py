"""Files survive crashes, full disks and bad permissions; fingerprints tell everything apart."""

import errno
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from mlm_mini import storage
from mlm_mini.paths import check_regular_file
from mlm_mini.storage import cache_folder, cache_path, cached, data_folder, fingerprint, write_atomically

FOLDERS = [(cache_folder, "MLM_MINI_CACHE"), (data_folder, "MLM_MINI_DATA")]


@pytest.fixture
def old_file(tmp_path):
    path = tmp_path / "model.txt"
    path.write_text("old")
    return path


def assert_untouched(path):
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == [path.name]


# ---------------------------------------------------------------- folders


@pytest.mark.parametrize(("folder", "variable"), FOLDERS)
def test_the_environment_names_a_folder_that_is_made(folder, variable, tmp_path, monkeypatch):
    monkeypatch.setenv(variable, str(tmp_path / "a" / "b"))
    assert folder() == tmp_path / "a" / "b"
    assert folder().is_dir()
    assert not os.listdir(folder())


@pytest.mark.parametrize(("folder", "variable"), FOLDERS)
def test_an_empty_variable_counts_as_none(folder, variable, tmp_path, monkeypatch):
    monkeypatch.setenv(variable, "")
    for function in ("user_cache_path", "user_data_path"):
        monkeypatch.setattr(storage.platformdirs, function, lambda *_, **__: tmp_path / "default")
    assert folder() == tmp_path / "default"


def test_what_can_be_made_again_and_what_cannot_lie_where_the_system_keeps_such_things(tmp_path, monkeypatch):
    for _, variable in FOLDERS:
        monkeypatch.delenv(variable, raising=False)
    for function in ("user_cache_path", "user_data_path"):
        named = {("mlm_mini", False): tmp_path / function}  # with an author, Windows has a folder more
        monkeypatch.setattr(storage.platformdirs, function, lambda name, appauthor, named=named: named[name, appauthor])
    assert (cache_folder(), data_folder()) == (tmp_path / "user_cache_path", tmp_path / "user_data_path")
    assert cache_path("a") == tmp_path / "user_cache_path" / "a"


def test_a_relative_folder_is_one_of_the_folder_one_is_in(tmp_path, monkeypatch):
    for folder, variable in FOLDERS:
        monkeypatch.setenv(variable, f"of {variable}")
        monkeypatch.chdir(tmp_path)
        path = folder()
        assert (path, path.is_absolute()) == (tmp_path / f"of {variable}", True)


@pytest.mark.parametrize(("folder", "variable"), FOLDERS)
def test_a_folder_that_cannot_be_made_says_which_variable_to_set(folder, variable, old_file, monkeypatch):
    monkeypatch.setenv(variable, str(old_file / "below a file"))
    with pytest.raises(OSError, match=rf"model.txt.*cannot be written.*set {variable}"):
        folder()


@pytest.mark.parametrize(("folder", "variable"), [*FOLDERS, (lambda: cache_path("a"), "MLM_MINI_CACHE")])
def test_the_home_of_nobody_is_said_with_the_variable(folder, variable, monkeypatch):
    monkeypatch.setenv(variable, "~nobody-of-that-name/x")
    with pytest.raises(OSError, match=f"{variable} is ~nobody-of-that-name/x: no user has that name"):
        folder()


def test_a_folder_that_cannot_be_written_is_noticed(tmp_path, monkeypatch):
    def refuse(**_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    monkeypatch.setattr(storage.tempfile, "TemporaryFile", refuse)
    with pytest.raises(OSError, match="Read-only file system") as caught:
        cache_folder()
    assert caught.value.errno == errno.EROFS


# ---------------------------------------------------------------- write_atomically


def test_a_file_is_replaced_and_its_folder_made(tmp_path):
    path = tmp_path / "new" / "a.txt"
    for content in ("one", "two"):
        write_atomically(path, lambda file, content=content: file.write_text(content))
        assert path.read_text() == content
    assert os.listdir(path.parent) == ["a.txt"]


def test_the_temporary_name_keeps_the_ending_for_writers_that_look_at_it(tmp_path):
    write_atomically(tmp_path / "a.npy", lambda file: np.save(file, np.arange(3)))
    write_atomically(str(tmp_path / "b.npz"), lambda file: np.savez(file, x=np.arange(3)))
    assert sorted(os.listdir(tmp_path)) == ["a.npy", "b.npz"]
    assert np.load(tmp_path / "a.npy").tolist() == [0, 1, 2]


@pytest.mark.skipif(os.name == "nt", reason="reads the flags of a descriptor, which Windows does not tell")
def test_what_is_forced_to_disk_is_open_for_writing_or_windows_refuses(tmp_path, monkeypatch):
    import fcntl

    flags = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: flags.append(fcntl.fcntl(descriptor, fcntl.F_GETFL)))
    write_atomically(tmp_path / "a", lambda file: file.write_text("x"))
    assert [flag & os.O_ACCMODE for flag in flags] == [os.O_RDWR]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "ours", lambda file: file.write_text("x"))
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("error", [RuntimeError("half way"), KeyboardInterrupt()])
def test_a_failing_writer_leaves_the_old_file_and_nothing_else(error, old_file):
    def write(file):
        file.write_text("half")
        raise error

    with pytest.raises(type(error)):
        write_atomically(old_file, write)
    assert_untouched(old_file)


@pytest.mark.parametrize("step", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_says_so(step, old_file, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    if step != "write":
        monkeypatch.setattr(os, step, full)
    write = full if step == "write" else lambda file: file.write_text("new")
    with pytest.raises(OSError, match=r"model.txt could not be written \(No space left on device\).*intact") as caught:
        write_atomically(old_file, write)
    assert caught.value.errno == errno.ENOSPC
    assert_untouched(old_file)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_a_really_full_device_keeps_the_kind_of_error(old_file):
    def write(_):
        with open("/dev/full", "w") as file:
            file.write("x" * 10_000)

    with pytest.raises(OSError, match="intact") as caught:
        write_atomically(old_file, write)
    assert caught.value.errno == errno.ENOSPC
    assert_untouched(old_file)


def test_without_an_old_file_nothing_is_left_behind(tmp_path):
    def write(file):
        file.write_text("half")
        raise OSError("broken")  # without a number, as libraries raise it

    with pytest.raises(OSError, match=r"broken.*nothing was left"):
        write_atomically(tmp_path / "new.txt", write)
    assert not os.listdir(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("moment", ["in the writer", "before the rename"])
def test_a_process_killed_in_the_middle_of_a_save_leaves_the_old_file(moment, old_file):
    program = f"""
        import os, signal
        from pathlib import Path
        from mlm_mini.storage import write_atomically

        def die(*_):
            os.kill(os.getpid(), signal.SIGKILL)

        def write(file):
            file.write_text("half")
            if {moment == "in the writer"}:
                die()

        os.replace = die
        write_atomically(Path({str(old_file)!r}), write)
    """
    died = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert old_file.read_text() == "old"
    write_atomically(old_file, lambda file: file.write_text("new"))  # and what it left is in nobody's way
    assert old_file.read_text() == "new"


def test_only_what_is_there_and_no_file_is_refused(tmp_path, old_file):
    for fine in (old_file, tmp_path / "nothing"):
        check_regular_file(fine)
    with pytest.raises(ValueError, match="is a folder: expected a regular file"):
        check_regular_file(tmp_path)


# ---------------------------------------------------------------- cached


def read_number(path):
    return int(path.read_text())


def test_cached_writes_once_and_reads_from_then_on(tmp_path):
    written = []

    def write(file):
        written.append(file)
        file.write_text("42")

    assert [cached(tmp_path / "n", read_number, write) for _ in range(3)] == [42, 42, 42]
    assert len(written) == 1


def test_cached_makes_a_damaged_file_again_with_a_warning(tmp_path):
    (tmp_path / "n").write_text("4garbage")
    with pytest.warns(UserWarning, match=r"n is damaged .*4garbage.*made again") as warned:
        assert cached(tmp_path / "n", read_number, lambda file: file.write_text("42")) == 42
    assert warned[0].filename == __file__
    assert (tmp_path / "n").read_text() == "42"


def test_cached_does_not_hide_that_a_fresh_file_cannot_be_read(tmp_path):
    with pytest.raises(ValueError, match="invalid literal"):
        cached(tmp_path / "n", read_number, lambda file: file.write_text("never a number"))


# ---------------------------------------------------------------- fingerprint

DISTINCT = [
    (),
    ("",),
    (b"",),
    (None,),
    ([],),
    ({},),
    ("a", "bc"),
    ("ab", "c"),
    ("abc",),
    (["ab", "c"],),
    (["ab"], "c"),
    (b"abc",),
    (1,),
    (1.0,),
    (True,),
    ("1",),
    (-1,),
    (0.0,),
    (float("nan"),),
    ({"a": 1, "b": 2},),
    ({"a": 2, "b": 1},),
    ({"a": {"b": 1}},),
    ({1: "a"},),
    ({"1": "a"},),
    (np.array(1),),
    (np.arange(6),),
    (np.arange(6).reshape(2, 3),),
    (np.arange(6).reshape(3, 2),),
    (np.arange(6, dtype=np.int32),),
    (np.arange(6.0),),
    (np.arange(6).tolist(),),
    ("\udcff",),  # half a character, as in the name of a file that is not UTF-8
    ("\udcfe",),
]


def test_different_parts_have_different_fingerprints():
    prints = [fingerprint(*parts) for parts in DISTINCT]
    assert len(set(prints)) == len(DISTINCT)
    assert all(len(p) == 16 and int(p, 16) >= 0 for p in prints)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ((1, "x"), [1, "x"]),
        (np.int64(3), 3),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
        (np.arange(3, dtype="<i4"), np.arange(3, dtype=">i4")),
    ],
)
def test_equal_values_have_equal_fingerprints(one, other):
    assert fingerprint(one) == fingerprint(other)


def test_a_fingerprint_never_changes_lest_every_cache_is_lost():
    parts = ["text", b"bytes", 1, 0.5, True, None, {"b": [1, 2], "a": ()}, np.arange(3, dtype=np.int64)]
    assert fingerprint(*parts) == "9445c546b9ce1ef5"


@pytest.mark.parametrize("part", [{1, 2}, object(), np.array([object()]), len])
def test_what_has_no_stable_content_is_refused(part):
    with pytest.raises(TypeError, match=r"not \w+"):
        fingerprint(part)
