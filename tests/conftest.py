"""What every test needs: nobody's real progress file is touched."""

import os
import tempfile

import pytest


def pytest_configure(config):
    # Kernels that nbval starts inherit it.
    config.stash[SCRATCH] = scratch = tempfile.TemporaryDirectory(prefix="mlm_mini_tests_")
    os.environ["MLM_MINI_DATA"] = scratch.name
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read once: for the tests that are deterministic


def pytest_unconfigure(config):
    config.stash[SCRATCH].cleanup()


SCRATCH = pytest.StashKey[tempfile.TemporaryDirectory]()


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """A fresh folder for the learner's progress."""
    monkeypatch.setenv("MLM_MINI_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def one_thread():
    """PyTorch on one thread: the tests run side by side, and its threads would wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
