"""The commands as a person types them."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlm_mini import __main__ as command_line
from mlm_mini import chapters
from mlm_mini.commands import learn, terminal
from mlm_mini.commands.notebooks import progress_counts
from mlm_mini.commands.terminal import CommandError
from mlm_mini.course import progress
from mlm_mini.course.exercises import all_exercises

TOP = Path(__file__).resolve().parents[1]


def run(*arguments):
    return command_line.main(list(arguments))


def test_every_command_has_help_and_stands_in_the_scripts_own_help(capsys):
    shown = subprocess.check_output([sys.executable, TOP / "course.py", "--help"], text=True)
    commands = command_line.command_parser()._subparsers._group_actions[0].choices
    assert set(commands) == {line.split()[2] for line in shown.splitlines() if line.startswith("    python3 course.py")}
    for name in commands:
        with pytest.raises(SystemExit) as stopped:
            run(name, "--help")
        assert stopped.value.code == 0
    assert capsys.readouterr().out.count("usage: course.py") == len(commands)


def test_progress_as_a_table_and_as_json(data_folder, capsys, tmp_path):
    first, second, *_ = all_exercises()
    progress.record_attempt(first, solved=True)
    progress.record_attempt(second, solved=False)
    assert run("progress") == 0
    table = capsys.readouterr().out
    assert f"Tried and not solved yet: {second}" in table
    assert run("progress", "--json") == 0
    shown = json.loads(capsys.readouterr().out)["exercises"]
    assert [row["id"] for row in shown] == list(all_exercises())
    assert [row["state"] for row in shown[:3]] == ["solved", "tried", "untouched"]
    assert run("progress", "--json", str(tmp_path / "progress.json")) == 0
    assert json.loads((tmp_path / "progress.json").read_text())["exercises"] == shown


@pytest.mark.parametrize(
    ("name", "message"),
    [("file/progress.json", "file is no folder"), (".", "is a folder: expected a file"), ("", "the name is ''")],
)
@pytest.mark.parametrize("command", [("progress",), ("claims",), ("experiment", "mask_ratio"), ("bench",)])
def test_a_target_that_cannot_be_written_is_found_at_once(name, message, command, data_folder, capsys, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SystemExit) as stopped:
        run(*command, "--json", str(tmp_path / name) if name else "")
    assert stopped.value.code == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert "argument --json: " in error
    assert message in error


def test_a_target_with_too_long_a_name_is_one_sentence(capsys, tmp_path):
    with pytest.raises(SystemExit):
        run("progress", "--json", str(tmp_path / ("n" * 300)))
    assert "argument --json: [Errno" in capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_behind_standard_output_is_one_sentence(options, tmp_path):
    with open("/dev/full", "w") as full:
        line = [sys.executable, "-m", "mlm_mini", "progress", *options]
        environment = os.environ | {"MLM_MINI_DATA": str(tmp_path)}
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert done.returncode
    assert "course.py progress: [Errno 28] No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_empty_model_is_not_the_courses_own(capsys):
    assert run("fill", "[MASK]", "--model", "") == 1
    assert "model is '': expected the folder of a model" in capsys.readouterr().err


def test_what_a_link_leads_to_is_written_into(data_folder, tmp_path):
    (tmp_path / "file").write_text("older " * 100_000)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert run("progress", "--json", str(tmp_path / "link")) == 0
    assert (tmp_path / "link").is_symlink()
    assert json.loads((tmp_path / "file").read_text())["exercises"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="a FIFO is for systems like Unix")
def test_a_fifo_is_written_into_and_stays_one(data_folder, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    reader = subprocess.Popen(["cat", tmp_path / "fifo"], stdout=subprocess.PIPE)
    assert run("progress", "--json", str(tmp_path / "fifo")) == 0
    assert json.loads(reader.communicate(timeout=20)[0])["exercises"]
    assert (tmp_path / "fifo").is_fifo()


def test_a_data_folder_that_cannot_be_made_is_one_sentence(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("MLM_MINI_DATA", str(tmp_path / "file" / "data"))
    assert run("progress") == 1
    assert "MLM_MINI_DATA" in capsys.readouterr().err


def test_the_test_command_hands_on_its_arguments_and_its_status(monkeypatch):
    calls = []
    monkeypatch.setattr(subprocess, "call", lambda command, cwd, env: calls.append((command, cwd, env)) or 5)
    assert run("test", "-k", "softmax") == 5
    ((command, folder, environment),) = calls
    assert int(environment["OMP_NUM_THREADS"]) >= 1
    assert command[:3] == [sys.executable, "-m", "pytest"]
    assert "--nbval" in command
    assert command[-2:] == ["-k", "softmax"]
    assert folder == TOP


@pytest.mark.parametrize(
    ("cores", "own", "workers", "threads"),
    [(1, None, 1, 1), (2, None, 2, 1), (6, None, 4, 1), (16, None, 4, 4), (16, "3", 4, 3), (None, None, 1, 1)],
)
def test_tests_share_the_cores_out(cores, own, workers, threads, monkeypatch):
    calls = []
    monkeypatch.setattr(subprocess, "call", lambda command, cwd, env: calls.append((command, env)) or 0)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if own:
        monkeypatch.setenv("OMP_NUM_THREADS", own)
    assert run("test", "-x") == 0
    ((command, environment),) = calls
    assert command[command.index("-n") + 1] == str(workers)
    assert environment["OMP_NUM_THREADS"] == str(threads)
    assert environment["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize(("more", "prepared"), [((), 1), (("-k", "softmax"), 0)])
def test_models_are_made_before_all_tests_and_not_before_some(more, prepared, monkeypatch):
    calls = []
    monkeypatch.setattr(subprocess, "call", lambda *_, **__: calls.append("pytest") or 0)
    monkeypatch.setattr(chapters, "prepare_chapters", lambda finished: calls.append("models"))
    assert run("test", *more) == 0
    assert calls == ["models"] * prepared + ["pytest"]


def test_minutes_left_leave_out_what_is_solved(data_folder):
    exercises = list(all_exercises().values())
    progress.record_attempt(exercises[0].id, solved=True)
    counts = progress_counts(progress.all_progress())
    assert counts == ["1", "0", str(len(exercises) - 1), str(sum(e.minutes for e in exercises[1:]))]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("learn", "77"), "there is no chapter '77'"),
        (("learn", "/tmp"), "there is no chapter '/tmp'"),
        (("learn", "*"), "there is no chapter '*'"),
        (("learn", "--port", "99999"), "expected a number from 1 to 65535"),
        (("reset", "77"), "there is no chapter 77"),
        (("build", "--check", "77"), "there is no chapter 77"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, message, capsys):
    assert run(*arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_an_unknown_option_is_refused(capsys):
    with pytest.raises(SystemExit):
        run("progress", "--jsn")
    assert "unrecognized arguments: --jsn" in capsys.readouterr().err


def test_a_panic_of_a_library_is_one_sentence(monkeypatch, capsys):
    def panics(*_):
        raise type("PanicException", (BaseException,), {})("no entry found\x1b[2J for key")

    monkeypatch.setattr("mlm_mini.training.quick_model", panics)
    assert run("fill", "[MASK]") == 1
    said = "course.py fill: a library stopped on what it was given: no entry found\\x1b[2J for key\n"
    assert capsys.readouterr().err == said


def test_a_port_in_use_is_named(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert run("learn", "--no-browser", "--port", str(port)) == 1
    assert f"port {port} cannot be used" in capsys.readouterr().err


def test_build_check_is_clean():
    done = subprocess.run(
        [sys.executable, "-m", "mlm_mini", "build", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_a_learners_own_settings_of_jupyter_stand_behind_the_courses(tmp_path, monkeypatch):
    from jupyterlab.labapp import LabApp

    seen = []
    monkeypatch.setattr(LabApp, "launch_instance", lambda argv: seen.append(os.environ["JUPYTER_CONFIG_PATH"]))
    for name in ("JUPYTER_TOKEN", "PYDEVD_DISABLE_FILE_VALIDATION"):
        monkeypatch.setenv(name, "1")
    monkeypatch.chdir(tmp_path)
    ours = str(TOP / "mlm_mini" / "course" / "jupyter")
    for own, folders in (("", [ours]), ("/mine", [ours, "/mine"])):
        monkeypatch.setenv("JUPYTER_CONFIG_PATH", own)
        assert run("learn", "--no-browser") == 0
        assert seen.pop().split(os.pathsep) == folders


@pytest.fixture
def served(tmp_path, monkeypatch):
    """The flags with which JupyterLab would be started."""
    from jupyterlab.labapp import LabApp

    seen = []
    monkeypatch.setattr(LabApp, "launch_instance", lambda argv: seen.append(argv))
    for name in ("JUPYTER_CONFIG_PATH", "PYDEVD_DISABLE_FILE_VALIDATION"):
        monkeypatch.setenv(name, "")
    monkeypatch.chdir(tmp_path)
    return seen


def test_a_token_is_a_secret_that_stands_in_no_list_of_processes(served, monkeypatch, capsys):
    tokens = []
    for _ in range(2):
        monkeypatch.setenv("JUPYTER_TOKEN", "")
        del os.environ["JUPYTER_TOKEN"]
        assert run("learn", "--no-browser") == 0
        tokens.append(os.environ["JUPYTER_TOKEN"])
        assert f"?token={tokens[-1]}\n" in capsys.readouterr().out
        assert Path.cwd() == TOP
    assert re.fullmatch("[0-9a-f]{48} [0-9a-f]{48}", " ".join(tokens))
    assert tokens[0] != tokens[1]
    assert not any(token in " ".join(flags) for token in tokens for flags in served)


@pytest.mark.parametrize(("user", "options"), [(0, ("--no-browser",)), (1000, ())])
def test_the_server_is_on_this_machine_alone_at_the_port_that_was_printed(user, options, served, monkeypatch, capsys):
    monkeypatch.setenv("JUPYTER_TOKEN", "x")
    monkeypatch.setattr(os, "geteuid", lambda: user, raising=False)
    assert run("learn", "02", *options) == 0
    port, page = re.search(r"http://127\.0\.0\.1:(\d+)(/\S*)\?", capsys.readouterr().out).groups()
    (flags,) = served
    assert page == "/lab/tree/chapters/02_surprisal.ipynb"
    assert {
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={TOP}",
        f"--LabApp.default_url={page}",
        "-y",
    } <= set(flags)
    assert ("--no-browser" in flags) == bool(options)
    assert ("--allow-root" in flags) == (user == 0)


def test_the_first_port_that_is_free_is_taken(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setattr(learn, "FIRST_PORT", port)
        assert port < learn.free_port(None) < port + 100
    assert learn.free_port(None) == port

    class NothingFree(socket.socket):
        def bind(self, _):
            raise OSError(98, "Address already in use")

    monkeypatch.setattr(learn.socket, "socket", NothingFree)
    with pytest.raises(CommandError, match=f"no free port from {port} to {port + 99}: choose one with --port"):
        learn.free_port(None)
    for wrong in (0, -1, 65536):
        with pytest.raises(CommandError, match=f"--port {wrong}: expected a number from 1 to 65535"):
            learn.free_port(wrong)


def test_a_copy_that_was_kept_is_no_chapter(tmp_path):
    (tmp_path / "chapters").mkdir()
    for name in ("01_softmax.kept-20260101-000000.ipynb", "02_surprisal.ipynb", "notes.ipynb"):
        (tmp_path / "chapters" / name).write_text("{}")
    assert learn.find_chapter(tmp_path, "02").name == "02_surprisal.ipynb"
    with pytest.raises(CommandError, match=r"there is no chapter '01' in .*; there are: 02$"):
        learn.find_chapter(tmp_path, "01")
    with pytest.raises(CommandError, match=r"there are: none$"):
        learn.find_chapter(tmp_path / "chapters", "01")


# ---- what the commands share


@pytest.mark.parametrize(
    ("text", "encoding", "escaped"),
    [
        ("é", "utf-8", False),
        ("é", "ascii", True),
        ("a\x9b", "utf-8", True),
        ("\u202e", "utf-8", True),
        ("☃\n", None, False),
    ],
)
def test_json_is_escaped_where_a_terminal_would_obey_it_or_cannot_write_it(text, encoding, escaped, monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(write=out.write, encoding=encoding))
    terminal.write_json({"text": text}, "-")
    assert out.getvalue() == json.dumps({"text": text}, ensure_ascii=escaped, indent=1) + "\n"


def test_json_without_spaces_is_written_in_one_step_or_is_a_sentence(tmp_path, monkeypatch):
    target = tmp_path / "table.json"
    terminal.write_json({"a": [1, 2], "b": "é"}, str(target), compact=True)
    assert target.read_text(encoding="utf-8") == '{"a":[1,2],"b":"é"}\n'
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(CommandError, match=r"cannot write .*table\.json: "):
        terminal.write_json({}, str(target))
    assert target.read_text(encoding="utf-8").startswith('{"a"')
    assert [path.name for path in tmp_path.iterdir()] == ["table.json"]


def test_no_line_of_an_error_goes_on_and_on():
    told = terminal.told(ValueError(f"a\x1b[2J\n{'b' * 1000}\n{'c' * 1001}"))
    assert told.splitlines() == ["a\\x1b[2J", "b" * 1000, "c" * 1000 + "..."]


def test_learn_serves_the_chapter_it_prints():
    environment = os.environ | {"JUPYTER_TOKEN": "a-token-for-this-test"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlm_mini", "learn", "01", "--no-browser", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        address = server.stdout.readline().split()[-1]
        assert address == f"http://127.0.0.1:{port}/lab/tree/chapters/01_softmax.ipynb?token=a-token-for-this-test"
        assert b"JupyterLab" in open_when_ready(address, server)
        contents = address.replace("/lab/tree/", "/api/contents/")
        with urllib.request.urlopen(contents) as reply:
            assert json.load(reply)["name"] == "01_softmax.ipynb"
    finally:
        server.terminate()
        server.wait(20)


def open_when_ready(address, server, tries=200):
    import time

    for _ in range(tries):
        assert server.poll() is None, "the server stopped"
        try:
            with urllib.request.urlopen(address) as reply:
                return reply.read()
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer")
