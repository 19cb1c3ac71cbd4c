"""Where a model runs, in which precision, and whether two runs must agree to the last bit."""

import contextlib
import os
from collections.abc import Iterator

import torch


def choose_device(name: str | None = None) -> torch.device:
    """CUDA if there is a GPU, else Apple's MPS, else the CPU; or the device of that name, such as "cpu" or "cuda:1".

    Raises ValueError for a name that PyTorch does not know or a device that this machine does not have.
    """
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name is None:
        return torch.device(next(kind for kind, here in found.items() if here))
    here = ", ".join(kind for kind, here in found.items() if here)
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device is {name!r}: expected one of {here}") from error
    if not found.get(device.type, False) or (
        device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()
    ):
        raise ValueError(f"device is {name!r}, which this machine does not have: expected one of {here}")
    return device


def autocast(device: torch.device, low: bool) -> contextlib.AbstractContextManager:
    """With `low`, matrix products in bfloat16 and float32 everywhere else; weights stay in float32. Else nothing."""
    if not low:
        return contextlib.nullcontext()
    return _cuda_bfloat16() if device.type == "cuda" else torch.autocast(device.type, torch.bfloat16)


@contextlib.contextmanager
def _cuda_bfloat16() -> Iterator[None]:
    # Without cuDNN's attention, which PyTorch takes first on recent GPUs: it met a batch whose gradient it made NaN,
    # where all other kernels agreed (PyTorch 2.11, H100). A kernel is chosen in the forward pass for the backward too.
    before = torch.backends.cuda.cudnn_sdp_enabled()
    torch.backends.cuda.enable_cudnn_sdp(False)
    try:
        with torch.autocast("cuda", torch.bfloat16):
            yield
    finally:
        torch.backends.cuda.enable_cudnn_sdp(before)


@contextlib.contextmanager
def deterministic() -> Iterator[None]:
    """Within it, the same operations on the same machine give the same bits; one that cannot do so raises an error.

    Enter it before the first matrix product on a GPU: cuBLAS reads its setting only once. On a CPU the number of
    threads has to be the same as well.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
