"""A cell that ends its kernel fails at once and is told so, with the command that the README has for grading."""

import queue
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest

from mlm_mini.commands import ended_kernels
from mlm_mini.commands.ended_kernels import KernelEndedError, Waiting

TOP = Path(__file__).resolve().parents[1]
FATAL = {
    "status": ("import os\nos._exit(3)", "the kernel ended by itself with exit status 3: look for a call such as exit"),
    "signal": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "the kernel ended by signal SIGKILL, as the system does when memory runs out",
    ),
}


def graded(folder, notebooks, *options):
    """The output of the README's command for notebooks, each a list of cells; nothing of it may take a cell's time."""
    for name, cells in notebooks.items():
        cells = [nbformat.v4.new_code_cell(code) for code in cells]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / f"{name}.ipynb")
    paths = [str(folder / f"{name}.ipynb") for name in notebooks]
    command = [sys.executable, "-m", "pytest", "--nbval-lax", *paths, "-rs", "-p", "no:cacheprovider", *options]
    command += ["--rootdir", str(folder), "-c", str(TOP / "pyproject.toml")]
    return subprocess.run(command, capture_output=True, text=True, cwd=TOP, timeout=400, check=False).stdout


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["here", "in a worker"])
def test_a_cell_that_ends_its_kernel_is_named_and_those_after_it_are_skipped(workers, tmp_path):
    shown = graded(tmp_path, {name: ["a = 1", code, "a", "a"] for name, (code, _) in FATAL.items()}, *workers)
    assert "2 failed, 2 passed, 4 skipped" in shown
    for name, (_, sentence) in FATAL.items():
        assert f"{name}.ipynb::Cell 1" in shown
        assert f"Cell 1: {sentence}" in shown
    assert "the kernel ended in cell 1" in shown


def test_a_kernel_that_lives_is_waited_for_as_long_as_a_cell_may_take(tmp_path):
    slow = f"import time; time.sleep({ended_kernels.LOOK + 1})"
    assert "2 passed" in graded(tmp_path, {"slow": [slow, "time"]})
    shown = graded(tmp_path, {"slower": ["import time; time.sleep(600)"]}, "--nbval-cell-timeout=3")
    assert "Timeout of 3 seconds exceeded executing cell" in shown
    assert "kernel ended" not in shown


class Silent:
    """A kernel that says nothing but what is put into `words`. lives: for how many looks."""

    def __init__(self, lives, *words):
        self.lives, self.words = lives, list(words)
        self.km = SimpleNamespace(provisioner=None)

    def is_alive(self):
        self.lives -= 1
        return self.lives >= 0

    def get_message(self, stream, timeout):
        if self.words:
            return self.words.pop(0)
        time.sleep(timeout)
        raise queue.Empty


def test_the_last_words_of_a_kernel_are_heard(monkeypatch):
    monkeypatch.setattr(ended_kernels, "LOOK", 0.01)
    wait = Waiting(Silent(2, "one", "two", "three"))
    assert [wait("iopub", timeout=5) for _ in range(3)] == ["one", "two", "three"]
    with pytest.raises(KernelEndedError, match="by itself: look for a call"):
        wait("iopub", timeout=5)


@pytest.mark.parametrize("timeout", [0.0, 0.005, 0.05])
def test_silence_of_a_kernel_that_lives_is_no_end(timeout, monkeypatch):
    monkeypatch.setattr(ended_kernels, "LOOK", 0.01)
    begun = time.monotonic()
    with pytest.raises(queue.Empty):
        Waiting(Silent(10**6))("shell", timeout=timeout)
    assert time.monotonic() - begun >= timeout
