"""The wheel in an environment that has no clone beside it: chapters 00 to 05 run there, from an empty folder.

With the packages of these tests always. With the oldest or the newest that pyproject.toml allows, in an environment
that starts empty, where the environment variable MLM_MINI_TEST_VERSIONS is `oldest` or `newest`: that takes a network
connection, and gigabytes on Linux. A weekly workflow does so.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((TOP / "solutions").glob("0[0-5]_*.ipynb"))
VERSIONS = os.environ.get("MLM_MINI_TEST_VERSIONS")
BIN = "Scripts" if os.name == "nt" else "bin"
# Runs in the new environment. One shell for each chapter, in one process: its kernel's start is not what is tested.
RUN = """
import sys, nbformat
from IPython.core.interactiveshell import InteractiveShell
import mlm_mini
for path in sys.argv[1:]:
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            shell.run_cell(cell.source).raise_error()
print("all ran with", mlm_mini.__file__)
"""


def run(*command, **given):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **given)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built from a copy, since a build leaves folders behind."""
    source = tmp_path_factory.mktemp("source")
    shutil.copytree(TOP / "mlm_mini", source / "mlm_mini", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(TOP / name, source)
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet"]
    run(*pip, "--wheel-dir", source / "dist", source)
    (made,) = (source / "dist").glob("*.whl")
    return made


def bounds(versions):
    """What pip is asked for beside the wheel: each dependency at its lower bound, or nothing for the newest."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *(line for name in ("notebook", "text") for line in extras[name])]
    return [line.replace(">=", "==") for line in wanted] if versions == "oldest" else []


def make_environment(folder):
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    return folder / BIN / "python"


def run_chapters(python, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    said = run(python, "-c", RUN, *CHAPTERS, cwd=empty, env=environment | {"MPLBACKEND": "agg"})
    place = Path(re.search("all ran with (.*)", said)[1]).resolve()
    assert place.is_relative_to((tmp_path / "venv").resolve())
    assert list(empty.iterdir()) == []


def test_the_wheel_holds_all_that_the_package_reads(wheel):
    package = TOP / "mlm_mini"
    files = [path for path in package.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".py")]
    assert {".js", ".json", ".typed"} <= {path.suffix for path in files}
    names = set(zipfile.ZipFile(wheel).namelist())
    assert [path.name for path in files if path.relative_to(TOP).as_posix() not in names] == []


def test_chapters_run_from_the_wheel_beside_the_packages_that_are_here(wheel, tmp_path):
    python = make_environment(tmp_path / "venv")
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", site, wheel)
    here = [path for path in sys.path if path and Path(path).resolve() not in (TOP, TOP / "tests")]
    (site / "beside.pth").write_text("\n".join(here) + "\n")
    run_chapters(python, tmp_path)


@pytest.mark.skipif(not VERSIONS, reason="takes a network connection and gigabytes: set MLM_MINI_TEST_VERSIONS")
def test_chapters_run_from_the_wheel_with_the_ends_of_what_is_allowed(wheel, tmp_path):
    assert VERSIONS in ("oldest", "newest")
    python = make_environment(tmp_path / "venv")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    run(*pip, f"{wheel}[notebook,text]", *bounds(VERSIONS))
    run_chapters(python, tmp_path)
