"""The folder that a run leaves its model in: nothing of others is replaced, and two runs do not share it."""

import errno
import json
import os
import shutil
import subprocess
import sys
import textwrap
import warnings

import filelock
import pytest

from mlm_mini import __main__ as command_line
from mlm_mini import storage
from mlm_mini.languages import markov_language
from mlm_mini.training import (
    CheckpointError,
    Reporter,
    TrainingConfig,
    datasets,
    load_folder,
    model_folder,
    open_start,
    train_folder,
)
from mlm_mini.training.out_folder import LOCK, WRITTEN

CONFIG = TrainingConfig(steps=2, batch_size=4)


class Stepped(Reporter):
    def __init__(self):
        self.steps = []

    def stepped(self, step, *_):
        self.steps.append(step)


class StopAtOnce(Reporter):
    def stepped(self, step, *_):
        if step == 2:
            raise KeyboardInterrupt


def trained(out, **options):
    return train_folder("markov", "tiny", CONFIG, out, device="cpu", **options)


@pytest.fixture(scope="module", autouse=True)
def few_questions():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "EVALUATION_SENTENCES", 64)
        yield


@pytest.fixture(scope="module")
def done(few_questions, tmp_path_factory):
    out = tmp_path_factory.mktemp("done") / "model"
    trained(out)
    return out


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_all_that_is_written_is_listed(done):
    there = set(os.listdir(done)) - {LOCK}
    assert there == {*WRITTEN, "checkpoints"}
    assert storage.changed_files(done) == []


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize("name", [*WRITTEN])
def test_a_file_of_others_is_not_replaced(name, resume, tmp_path):
    (tmp_path / name).write_text("downloaded")
    shown = Stepped()
    with pytest.raises(FileExistsError, match=rf"holds {name}, which this run has not written.*choose another folder"):
        trained(tmp_path, resume=resume, report=shown)
    assert (tmp_path / name).read_text() == "downloaded"
    assert os.listdir(tmp_path) == [name]
    assert shown.steps == []


def test_what_is_in_nobodys_way_may_stay(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    trained(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_model_that_was_changed_after_the_run_is_not_replaced(done, tmp_path):
    out = tmp_path / "model"
    shutil.copytree(done, out)
    (out / "model.safetensors").write_bytes(b"tuned further")
    before = contents(out)
    with pytest.raises(FileExistsError, match=r"holds model.safetensors, which this run has not written"):
        trained(out, resume=True)
    assert contents(out) == before
    (out / "model.safetensors").unlink()  # but what is missing is written again
    trained(out, resume=True)
    assert (out / "model.safetensors").read_bytes() == (done / "model.safetensors").read_bytes()


@pytest.mark.parametrize("content", ["[" * 100_000, "null", "3", b"\xff"])
def test_checksums_that_cannot_be_read_are_not_replaced(content, done, tmp_path):
    out = tmp_path / "model"
    shutil.copytree(done, out)
    (out / storage.CHECKSUMS).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileExistsError, match=r"holds checksums.json, which this run has not written"):
        trained(out, resume=True)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a FIFO is for systems like Unix")
@pytest.mark.parametrize("name", [storage.CHECKSUMS, "training.json"])
def test_a_fifo_in_the_place_of_a_file_is_not_waited_for(name, done, tmp_path):
    out = tmp_path / "model"
    shutil.copytree(done, out)
    (out / name).unlink()
    os.mkfifo(out / name)
    with pytest.raises(FileExistsError, match=rf"holds {name}, which this run has not written"):
        trained(out, resume=True)


def test_a_byte_that_changed_after_the_run_is_told_to_who_opens_the_model(done, tmp_path):
    out = tmp_path / "model"
    shutil.copytree(done, out)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_folder(out)
    content = bytearray((out / "model.safetensors").read_bytes())
    content[-2] ^= 1
    (out / "model.safetensors").write_bytes(content)
    with pytest.warns(UserWarning, match=r"model\.safetensors is not as train wrote it: unless some") as warned:
        load_folder(out)
    assert warned[0].filename == __file__


def test_checksums_of_an_older_model_do_not_outlive_it(done, tmp_path, monkeypatch):
    """Where the disk is full halfway, what is new would be taken for what others have changed."""
    out = tmp_path / "model"
    shutil.copytree(done, out)
    monkeypatch.setattr(model_folder, "save_pretrained", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        trained(out, resume=True)
    assert not (out / storage.CHECKSUMS).exists()
    monkeypatch.undo()
    (out / "model.safetensors").write_bytes(b"half")
    trained(out, resume=True)
    assert (out / "model.safetensors").read_bytes() == (done / "model.safetensors").read_bytes()


def test_the_summary_says_what_the_run_was(done):
    found = json.loads((done / "training.json").read_text())
    assert found["text"] == markov_language().fingerprint
    assert (found["language"], found["start"], found["comparison"]) == ("markov", None, None)
    assert found["training"] == CONFIG.to_dict()
    assert found["model"]["vocab_size"] == len(markov_language().vocabulary)
    with pytest.raises(ValueError, match="model is ' ': expected the folder of a model"):
        load_folder(" ")


def test_a_folder_may_be_named_by_way_of_the_home(done, tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):  # of Unix, of Windows
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(done.parent)
    shutil.copytree(done, tmp_path / "models" / "one")
    model, _ = load_folder("~/models/one")
    assert model.config == open_start("~/models/one").model.config == load_folder(done)[0].config
    trained("~/models/new")
    assert (tmp_path / "models" / "new" / "model.safetensors").is_file()


@pytest.mark.parametrize("options", [{"length": 64}, {"vocabulary_size": 300}, {"length": -1}])
def test_what_an_exact_language_settles_is_refused(options, tmp_path):
    (name,) = options
    with pytest.raises(ValueError, match=rf"{name} is .*, but markov settles that by itself: leave --{name[:6]}"):
        trained(tmp_path / "model", **options)
    assert os.listdir(tmp_path) == []


def test_a_run_that_ended_is_written_again_alike(done, tmp_path):
    out = tmp_path / "model"
    shutil.copytree(done, out)
    trained(out, resume=True)
    assert contents(out) == contents(done)
    (out / storage.CHECKSUMS).unlink()  # as older runs have it
    trained(out, resume=True)
    with pytest.raises(CheckpointError, match=r"model already holds a run: resume it, or choose another folder"):
        trained(out)


@pytest.mark.parametrize("place", ["file", "file/below", "file/far/below"])
def test_a_place_that_is_a_file_is_found_before_the_first_step(place, tmp_path):
    (tmp_path / "file").write_text("x")
    shown = Stepped()
    with pytest.raises(OSError, match=r"nothing can be written to .*file is no folder.*choose another folder"):
        trained(tmp_path / place, report=shown)
    assert shown.steps == []
    assert (tmp_path / "file").read_text() == "x"


def test_who_asks_for_the_number_of_the_error_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotADirectoryError) as refused:
        trained(tmp_path / "file" / "below")
    assert refused.value.errno == errno.ENOTDIR


@pytest.mark.parametrize("place", ["link", "link/below"])
def test_a_link_that_leads_nowhere_is_found_before_the_first_step(place, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    shown = Stepped()
    with pytest.raises(OSError, match=r"nothing can be written to .*link is no folder.*choose another folder"):
        trained(tmp_path / place, report=shown)
    assert shown.steps == []
    assert os.listdir(tmp_path) == ["link"]


def test_checkpoints_that_are_a_file_are_found_before_the_first_step(tmp_path):
    (tmp_path / "checkpoints").write_text("x")
    with pytest.raises(OSError, match="checkpoints is no folder"):
        trained(tmp_path, report=Stepped())


@pytest.mark.parametrize("place", ["", "new", "new/and deeper"])
def test_a_folder_that_cannot_be_written_is_found_before_the_first_step(place, tmp_path, monkeypatch):
    def refuse(**_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(storage.tempfile, "TemporaryFile", refuse)
    shown = Stepped()
    with pytest.raises(OSError, match=r"nothing can be written to .* \(Read-only file system\): choose") as caught:
        trained(tmp_path / place, report=shown)
    assert caught.value.errno == errno.EROFS
    assert shown.steps == []
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever may write anywhere is not refused")
def test_a_folder_without_permission_is_found_before_the_first_step(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="nothing can be written"):
        trained(tmp_path / "new")


def test_where_nothing_is_written_no_folder_is_made(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no language 'klingon'"):
        train_folder("klingon", "tiny", CONFIG, tmp_path / "new", device="cpu")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("option", ["out", "language"])
@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_name_is_not_the_current_folder(option, value, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for i in range(5):
        (tmp_path / f"{i}.txt").write_text("The chef cuts the bread.\n" * 20)
    before = contents(tmp_path)
    given = {"out": "model", "language": "markov"} | {option: value}
    line = ["train", "--steps", "1", "--size", "tiny", "--out", given["out"], "--language", given["language"]]
    assert command_line.main(line) == 1
    assert f"{option} is {value!r}: expected " in capsys.readouterr().err
    assert contents(tmp_path) == before


# ---------------------------------------------------------------- two at a time


@pytest.mark.parametrize("resume", [False, True])
def test_a_second_run_is_told_of_the_first(resume, tmp_path, monkeypatch):
    refused = []

    class Second(Reporter):
        def stepped(self, step, *_):
            with pytest.raises(
                CheckpointError, match=r"another run is training in .*wait until it has ended, or choose"
            ):
                trained(tmp_path, resume=resume)
            refused.append(step)

    write = model_folder._write

    def written(*arguments):
        with pytest.raises(CheckpointError, match="another run is training in"):
            trained(tmp_path, resume=True)
        refused.append("written")
        return write(*arguments)

    monkeypatch.setattr(model_folder, "_write", written)
    trained(tmp_path, report=Second())
    assert refused == [1, 2, "written"]


def test_a_run_that_begins_while_another_reads_its_text_is_told_as_well(tmp_path, monkeypatch):
    find = model_folder.find_material
    held = filelock.FileLock(tmp_path / LOCK)

    def slow(*arguments):
        held.acquire()
        return find(*arguments)

    monkeypatch.setattr(model_folder, "find_material", slow)
    with pytest.raises(CheckpointError, match="another run is training in"):
        trained(tmp_path)
    held.release()
    assert not (tmp_path / "checkpoints").exists()


def test_a_run_that_was_stopped_leaves_the_folder_free(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, report=StopAtOnce())
    trained(tmp_path, resume=True)


def test_a_process_that_was_killed_leaves_the_folder_free(tmp_path):
    program = f"""
        import os, signal, sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        from pathlib import Path
        from mlm_mini.training.out_folder import claimed

        with claimed(Path({str(tmp_path)!r}), False):
            os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    """
    assert subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False).returncode
    trained(tmp_path)
    assert json.loads((tmp_path / "training.json").read_text())["language"] == "markov"
