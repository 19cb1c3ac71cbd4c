"""Where a model runs, in which precision, and whether two runs must agree to the last bit."""

import contextlib
import os
from collections.abc import Iterator

import torch

WIDE = 512  # at 256 bfloat16 was slower, on an H100 and on a CPU with AMX; at 512 it was 1.5 times as fast on both


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


def autocast(device: torch.device, width: int) -> contextlib.AbstractContextManager:
    """Matrix products in bfloat16 where that is faster for a model of this width, and float32 everywhere else.

    That takes a model at least WIDE, on CUDA from Ampere on or a CPU with AMX. A small model spends its time on
    starting operations, and conversions are more of them; CPUs without AMX emulate bfloat16. Weights stay in float32.
    """
    faster = {"cuda": _cuda_has_bfloat16, "cpu": _cpu_has_amx}.get(device.type, lambda _: False)
    if width < WIDE or not faster(device):
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


def _cuda_has_bfloat16(device: torch.device) -> bool:
    return bool(torch.version.hip) or torch.cuda.get_device_capability(device) >= (8, 0)


def _cpu_has_amx(_: torch.device) -> bool:
    return torch.cpu._is_amx_tile_supported()  # PyTorch has no public name for it


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
