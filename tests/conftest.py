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


@pytest.fixture(scope="module")
def curves(one_thread):
    """A coarse floor, and few draws of the noise: for tests that only point at them."""
    import numpy as np

    from mlm_mini.experiments.variance.masking_curves import MaskingCurves
    from mlm_mini.experiments.variance.measure import quick_gradient_variance

    ratios = np.array([0.02, 0.5, 0.9])
    variance = quick_gradient_variance(np.random.default_rng(0), draws=4)
    return MaskingCurves(ratios, np.array([0.7, 1.0, 1.8]), np.full(3, 0.02), variance)
