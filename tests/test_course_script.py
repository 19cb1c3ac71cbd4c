"""course.py: what it says when it cannot set up, and that an interrupted set-up is repaired."""

import ast
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "course.py"
posix = pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for Python")


@pytest.fixture
def course(tmp_path, monkeypatch):
    """The script as a module, at home in a folder of its own with one package to install."""
    spec = importlib.util.spec_from_file_location("course_script", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    venv = tmp_path / ".venv"
    monkeypatch.setattr(module, "TOP", str(tmp_path))
    monkeypatch.setattr(module, "VENV", str(venv))
    monkeypatch.setattr(module, "STAMP", str(venv / "stamp.txt"))
    monkeypatch.setattr(module, "LOG", str(venv / "setup.log"))
    monkeypatch.setattr(module, "PYTHON", str(venv / Path(module.PYTHON).relative_to(SCRIPT.parent / ".venv")))
    (tmp_path / "requirements.txt").write_text("# a comment\na-package-nobody-has-written==1.0\n")
    (tmp_path / "pyproject.toml").write_text("")
    return module


@pytest.fixture
def handed_over(course, monkeypatch):
    calls = []
    monkeypatch.setattr(course, "hand_over", lambda arguments: calls.append(arguments) or 0)
    return calls


def test_the_syntax_is_old_enough_for_any_python_to_read():
    newer = (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.AsyncFunctionDef, ast.Nonlocal)
    for node in ast.walk(ast.parse(SCRIPT.read_text())):
        assert not isinstance(node, newer), f"line {node.lineno}"
        if isinstance(node, ast.Raise):
            assert node.cause is None, f"line {node.lineno}"
        if isinstance(node, ast.arguments):
            assert not node.kwonlyargs
            assert not any(argument.annotation for argument in node.args)


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 10, 1), (3, 99, 0)])
def test_a_wrong_python_is_one_sentence(course, monkeypatch, capsys, version):
    monkeypatch.setattr(sys, "version_info", version)
    assert course.main(["learn"]) == 1
    error = capsys.readouterr().err
    assert "needs Python 3.11 to 3.14" in error
    assert error.count("\n") == 1


def test_a_missing_venv_module_is_one_sentence(course, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert course.main(["learn"]) == 1
    error = capsys.readouterr().err
    assert "without the module ensurepip" in error
    assert "python3-venv" in error


def test_no_permission_is_one_sentence(course, monkeypatch, capsys):
    monkeypatch.setattr(course, "VENV", os.path.join(os.devnull, ".venv"))
    assert course.main(["learn"]) == 1
    assert "Set-up stopped: cannot write in" in capsys.readouterr().err


def test_an_incomplete_clone_is_one_sentence(course, capsys, tmp_path):
    (tmp_path / "requirements.txt").unlink()
    assert course.main(["learn"]) == 1
    assert "requirements.txt is missing" in capsys.readouterr().err


def test_no_network_is_one_sentence(course, monkeypatch, capsys):
    # Port 9 of this machine refuses every connection, as a cable pulled out would.
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "1")
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    assert course.main(["learn"]) == 1
    captured = capsys.readouterr()
    assert "the package index cannot be reached" in captured.err
    assert course.read_stamp() is None


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("ERROR: [Errno 13] Permission denied: 'x'", "no permission"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no release for this system"),
        ("ERROR: something new", "pip failed (ERROR: something new)"),
        ("", "gave no reason; delete the folder"),
    ],
)
def test_pips_failures_are_told_by_cause(course, output, said):
    assert said in course.pip_failure(output)


def test_an_interrupted_setup_is_repaired_and_a_complete_one_not_repeated(course, handed_over, monkeypatch, capsys):
    installs = []

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(course, "run_pip", interrupted)
    assert course.main(["test"]) == 130
    assert course.read_stamp() is None
    assert handed_over == []

    monkeypatch.setattr(course, "run_pip", lambda arguments, log, total: installs.append(arguments[:2]))
    assert course.main(["test", "-x"]) == 0
    assert course.main(["progress"]) == 0
    assert handed_over == [["test", "-x"], ["progress"]]
    assert len(installs) == 2, "the second run found everything in place"

    Path(course.TOP, "requirements.txt").write_text("another==2.0\n")
    assert course.main(["progress"]) == 0
    assert len(installs) == 4, "a changed requirement is installed"
    assert "removing" not in capsys.readouterr().out


def test_half_an_environment_is_made_anew(course, handed_over, monkeypatch, capsys):
    monkeypatch.setattr(course, "run_pip", lambda *_: None)
    Path(course.PYTHON).parent.mkdir(parents=True)
    Path(course.PYTHON).write_text("not a program")
    assert course.main(["progress"]) == 0
    assert "removing an incomplete .venv" in capsys.readouterr().out
    assert course.usable_environment()
    half_a_pip = next(Path(course.VENV).glob("[Ll]ib*/**/pip/_internal/cli"))
    shutil.rmtree(half_a_pip)  # as a kill while pip was unpacked would leave it
    assert not course.usable_environment()


@posix
def test_the_commands_arguments_and_status_are_handed_over(tmp_path):
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_text("")
    shutil.copy(SCRIPT, tmp_path / "course.py")
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    python.chmod(0o755)
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import course; "
        "open(course.STAMP, 'w').write(course.fingerprint()); sys.exit(course.main(['learn', '--port', '1']))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("-m mlm_mini learn --port 1\n", 3), done.stderr


def test_progress_is_told_line_by_line_where_there_is_no_terminal(course, capsys):
    course.show_progress("package 25 of about 147: numpy", 25)
    course.show_progress("package 26 of about 147: torch", 26)
    assert capsys.readouterr().out == "  package 25 of about 147: numpy\n"


def test_on_a_terminal_progress_is_one_line_that_changes(course, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    course.show_progress("package 1 of about 147: numpy", 1)
    course.show_progress("p" * 90, 2)
    assert capsys.readouterr().out == "\r  " + "package 1 of about 147: numpy".ljust(76) + "\r  " + "p" * 76


def test_what_an_environment_is_made_from_is_in_its_name(course, monkeypatch, tmp_path):
    names = [course.fingerprint()]
    assert course.fingerprint() == names[0]
    (tmp_path / "requirements.txt").write_text("another==2.0\n")
    names.append(course.fingerprint())
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    names.append(course.fingerprint())
    monkeypatch.setattr(sys, "version_info", (3, 99, 0))
    names.append(course.fingerprint())
    (tmp_path / "moved").mkdir()
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(tmp_path / name, tmp_path / "moved")
    monkeypatch.setattr(course, "TOP", str(tmp_path / "moved"))
    names.append(course.fingerprint())
    assert len(set(names)) == 5


def test_a_stamp_without_a_python_beside_it_counts_for_nothing(course):
    Path(course.PYTHON).parent.mkdir(parents=True)
    Path(course.STAMP).write_text("made\n")
    assert course.read_stamp() is None
    Path(course.PYTHON).write_text("")
    assert course.read_stamp() == "made"


def test_who_waited_for_another_setup_does_not_repeat_it(course, monkeypatch):
    """What the other one did is there when the lock is free."""
    Path(course.PYTHON).parent.mkdir(parents=True)
    locked = course.take_lock

    def wait_for_the_other():
        Path(course.PYTHON).write_text("")
        Path(course.STAMP).write_text("wanted\n")
        return locked()

    monkeypatch.setattr(course, "take_lock", wait_for_the_other)
    monkeypatch.setattr(course, "install_packages", lambda: pytest.fail("installed again"))
    course.set_up("wanted")


@pytest.mark.skipif(os.name == "nt", reason="another way to lock")
def test_a_setup_waits_for_another_and_lets_the_next_one_in(course, monkeypatch, capsys):
    def take(seconds):
        waiting = threading.Thread(target=lambda: got.append(course.take_lock()), daemon=True)
        waiting.start()
        waiting.join(seconds)

    held, got = course.take_lock(), []
    take(0.1)
    assert got == []
    held.close()
    for _ in range(200):
        if got:
            break
        time.sleep(0.1)
    got.pop().close()
    assert capsys.readouterr().out == "Another set-up of this course is running; waiting for it.\n"

    def full():
        raise OSError(28, "No space left on device", "a file")

    monkeypatch.setattr(course, "usable_environment", full)
    with pytest.raises(course.SetupError, match=r"No space left on device \(a file\)"):
        course.set_up("wanted")
    take(20)
    got.pop().close()
    assert capsys.readouterr().out.startswith("Setting up the course in ")


def stand_in(course, script):
    """Puts a shell script in the place of the environment's Python."""
    Path(course.PYTHON).parent.mkdir(parents=True, exist_ok=True)
    Path(course.PYTHON).write_text(f"#!/bin/sh\n{script}\n")
    Path(course.PYTHON).chmod(0o755)


@posix
def test_an_environment_of_another_place_or_version_is_not_used(course):
    version = str(sys.version_info[:2])
    for said, usable in (
        (f"{version} {course.VENV}", True),
        (f"{version} /elsewhere/.venv", False),
        (f"(3, 1) {course.VENV}", False),
    ):
        stand_in(course, f"echo '{said}'")
        assert course.usable_environment() == usable
    stand_in(course, f"echo '{version} {course.VENV}'; exit 1")
    assert not course.usable_environment()


@posix
@pytest.mark.parametrize("total", [2, 0])
def test_pip_is_heard_and_logged_and_a_users_own_settings_do_not_lead_it_away(course, monkeypatch, total):
    stand_in(
        course,
        'echo "$@"; echo "Collecting numpy==2.0"; echo "Requirement already satisfied: torch in ./lib";'
        'echo "Collecting one-more"; echo "Installing collected packages: numpy";'
        'echo "$PIP_USER ${PIP_TARGET-none} ${PIP_PREFIX-none} $PIP_MINE" >&2',
    )
    for name in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_MINE"):
        monkeypatch.setenv(name, "mine")
    told, log = [], io.StringIO()
    monkeypatch.setattr(course, "show_progress", lambda *what: told.append(what))
    course.run_pip(["install", "x"], log, total)
    lines = log.getvalue().splitlines()
    assert lines[0] == "-m pip --disable-pip-version-check --no-input install x --progress-bar off"
    assert lines[-1] == "0 none none mine"
    assert (
        told
        == [
            ("package 1 of about 2: numpy==2.0", 1),
            ("package 2 of about 2: torch", 2),
            ("package 2 of about 2: one-more", 3),
            ("unpacking (about a minute)", 0),
        ][: 2 * total]
    )


@posix
def test_when_pip_fails_the_setup_stops(course, monkeypatch, capsys):
    monkeypatch.setattr(course, "usable_environment", lambda: True)
    stand_in(course, "echo 'ERROR: this first'; echo 'ERROR: then this'; exit 1")
    assert course.main(["learn"]) == 1
    said = f"pip failed (ERROR: then this); the whole story is in {course.LOG}"
    assert capsys.readouterr().err == f"Set-up stopped: {said}.\n"
    assert "ERROR: this first" in Path(course.LOG).read_text()
    assert course.read_stamp() is None


def test_packages_come_with_the_requirements_and_the_course_without_any(course, monkeypatch):
    Path(course.VENV).mkdir()
    Path(course.TOP, "requirements.txt").write_text("# a comment\n\none==1.0\ntwo==2.0  # two\n")
    asked = []
    monkeypatch.setattr(course, "run_pip", lambda arguments, log, total: asked.append((arguments, total)))
    course.install_packages()
    requirements = str(Path(course.TOP, "requirements.txt"))
    assert asked == [
        (["install", "--prefer-binary", "-r", requirements], 2),
        (["install", "--no-deps", "--no-build-isolation", "--editable", course.TOP], 0),
    ]


def test_an_environment_that_cannot_be_made_is_one_sentence(course, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, stdout=b"first line\nno room\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(course.SetupError, match=r"^Python could not make .*\.venv: no room$"):
        course.make_environment()


@pytest.mark.parametrize(("called", "status"), [(lambda command: 7, 7), (None, 130)])
def test_where_a_process_cannot_be_replaced_its_status_is_handed_on(course, monkeypatch, called, status):
    def interrupted(_):
        raise KeyboardInterrupt

    commands = []
    monkeypatch.setattr(course, "WINDOWS", True)
    call = called or interrupted
    monkeypatch.setattr(subprocess, "call", lambda command: commands.append(command) or call(command))
    assert course.hand_over(["learn", "01"]) == status
    assert commands == [[course.PYTHON, "-m", "mlm_mini", "learn", "01"]]


def test_without_a_command_it_explains_itself(course, capsys):
    assert course.main([]) == 2
    assert course.main(["--help"]) == 0
    assert "python3 course.py learn" in capsys.readouterr().out
