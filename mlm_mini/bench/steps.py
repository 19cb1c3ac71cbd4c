"""Whole steps of training beside those of `transformers`, in time and in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch

from mlm_mini.bench.limits import product_rate
from mlm_mini.bench.row import BenchRow, Side, Times, in_turns
from mlm_mini.bench.whole_steps import BOTH_PRECISIONS, PEERS, Work, ours, peer
from mlm_mini.model import ModelConfig
from mlm_mini.training.config import BFLOAT16, FLOAT32

STEP_WORDS, BATCH, LENGTH = 8192, 32, 128
STEP_SIZES = ("mini", "small")
BASE_WORDS, GPU_LENGTHS, GPU_TOKENS = 30_522, (128, 512), 64 * 128
MEMORY_BATCH = 4
BERT = "BertForMaskedLM"
# The least ratios, on CPU and on CUDA: beside BERT in float32 (in bfloat16 on CUDA), beside its best setting, and
# beside the fastest peer in any setting.
LIMITS = {"cpu": (2.4, 1.8, 1.5), "cuda": (1.0, 1.0, 1.0)}


def step_rows(rounds: int, device: torch.device, threads: int) -> Iterator[BenchRow]:
    """Three rows for each size: beside BERT in the same precision, beside BERT at its best, beside the fastest."""
    if device.type == "cuda":
        for length in GPU_LENGTHS:
            batch = fitting(lambda rows, length=length: _work("base", rows, length, device), GPU_TOKENS // length)
            if batch:
                yield from _rows_of(_work("base", batch, length, device), "base", rounds, threads)
        return
    for size in STEP_SIZES:
        yield from _rows_of(_work(size, BATCH, LENGTH, device), size, rounds, threads)


def _work(size: str, batch: int, length: int, device: torch.device) -> Work:
    words = BASE_WORDS if size == "base" else STEP_WORDS
    shape = ModelConfig.of_size(size, words, length)
    return Work(shape, batch, length, device)


def fitting(work: Callable[[int], Work], batch: int) -> int:
    """The batch, or the largest half of a half of it that the memory of the device holds for BERT; 0 if none does."""
    while batch:
        try:
            next(iter(peer(work(batch), BERT, FLOAT32, 1).ways.values()))()
        except torch.OutOfMemoryError:
            batch //= 2
        else:
            return batch
    return 0


def _rows_of(work: Work, size: str, rounds: int, threads: int) -> Iterator[BenchRow]:
    who = f"a whole step of {size}, {work.batch} x {work.length}"
    mine = [ours(work, precision, threads) for precision in BOTH_PRECISIONS]
    theirs = [peer(work, name, precision, threads) for name in PEERS for precision in BOTH_PRECISIONS]
    theirs += [side for precision in BOTH_PRECISIONS if (side := compiled(work, precision, threads))]
    times = in_turns([*mine, *theirs], rounds)
    mine, theirs = dict(zip(BOTH_PRECISIONS, times, strict=False)), times[len(BOTH_PRECISIONS) :]
    plain = FLOAT32 if work.device.type == "cpu" else BFLOAT16
    same = next(peer for peer in theirs if peer.name == f"transformers.{BERT}, {plain}")
    bert = [peer for peer in theirs if f".{BERT}" in peer.name]
    best = {"best": min(mine.values(), key=_median)}
    for (row, own, peer_), limit in zip(
        (
            (f"{who}, {plain}", mine[plain], same),
            (f"{who}, best setting", best["best"], min(bert, key=_median)),
            (f"{who}, beside the fastest", best["best"], min(theirs, key=_median)),
        ),
        LIMITS[work.device.type],
        strict=True,
    ):
        yield own.beside(peer_, row, limit, _share(own, work))


def _median(times: Times) -> float:
    return times.median


def _share(times: Times, work: Work) -> float:
    """Of the measured rate of large matrix products on this device, in the same precision."""
    precision = next(name for name in BOTH_PRECISIONS if times.name.endswith(name))
    return work.flops() / (times.median / 1e3) / product_rate(work.device, precision)


def compiled(work: Work, precision: str, threads: int) -> Side | None:
    """BERT compiled, or None where this machine has no compiler for it. It is compiled anew for each setting."""
    side = peer(work, BERT, precision, threads, compiled=True)
    try:
        for way in side.ways.values():
            way()
    except Exception:  # torch._dynamo has many of its own, and the C++ compiler may be missing
        return None
    return side


def memory_rows(device: torch.device) -> Iterator[BenchRow]:
    """The most memory that a step of `base` takes beside weights, gradients and moments."""
    work = _work("base", MEMORY_BATCH, LENGTH, device)
    precision = FLOAT32 if device.type == "cpu" else BFLOAT16
    most = partial(_peak, device)
    own, theirs = (
        most(next(iter(side.ways.values()))) for side in (ours(work, precision, 1), peer(work, BERT, precision, 1))
    )
    yield BenchRow(
        f"memory of a step of base, {MEMORY_BATCH} x {LENGTH}, {precision}",
        own,
        theirs,
        f"transformers.{BERT}",
        1.0,
        "MiB",
    )


def _peak(device: torch.device, step: Callable[[], object]) -> float:
    """MiB at the highest, above what stands before: on CUDA as its allocator counts, on a CPU by PyTorch's profiler."""
    step()  # moments are made by the first one, and stay
    if device.type == "cuda":
        before = torch.cuda.memory_allocated(device)
        torch.cuda.reset_peak_memory_stats(device)
        step()
        return (torch.cuda.max_memory_allocated(device) - before) / 2**20
    return _highest(step) / 2**20


def _highest(step: Callable[[], object]) -> int:
    """Bytes of the CPU's allocator at their highest, by the events that the profiler sees, in the order of time."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        step()
    changes = sorted(
        (event.start_ns(), event.nbytes())
        for event in profiled.profiler.kineto_results.events()
        if event.name() == "[memory]"
    )
    total = highest = 0
    for _, change in changes:
        total += change
        highest = max(highest, total)
    return highest
