"""float32 or bfloat16 for the matrix products of a run. Where that is left open, a trial on its first batch decides.

What pays depends on the processor, the shape of the model and the batch, and no name says it. On one core of a Xeon
with AMX (batches of 32 x 128 tokens, 8,192 words, whole steps, seconds of computing) `small` took 0.58 s in bfloat16
and 1.08 s in float32, and `mini` 0.13 s and 0.21 s; but the short sentences of scenes took `mini` as long either way. A
processor without such products emulates them, many times slower.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import torch

from mlm_mini.training.config import BFLOAT16, FASTEST, TrainingConfig

TURNS = 3
# Of the time in float32. What is nearly as fast in both is left in float32, which is the same on every machine; and a
# chance of the moment should not decide.
PAYS = 0.8
EMULATED = 4.0  # times as slow as float32: no more turns, which would take a large model minutes
TRIED_ON = ("cpu", "cuda")


def settled(config: TrainingConfig, device: torch.device) -> bool | None:
    """Whether products are in bfloat16, or None where a trial is to decide."""
    if config.precision == FASTEST and device.type in TRIED_ON:
        return None
    return config.precision == BFLOAT16


def bfloat16_pays(
    gradient: Callable[[bool], object], device: torch.device, agreed: Callable[[bool], bool] = bool
) -> bool:
    """Whether a gradient takes less than PAYS of its time in bfloat16; the best of TURNS, in turns, after a warm-up.

    gradient: works one out, in bfloat16 or not. What it leaves behind is for the caller to forget; the generators that
    dropout draws from are put back. agreed: what all workers on one run hold, of what each has found: they take the
    same turns.
    """
    best: dict[bool, float] = {}
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        for turn in range(1 + TURNS):
            for low in (False, True):
                seconds = _seconds(lambda low=low: gradient(low), device)
                best[low] = seconds if turn < 2 else min(best[low], seconds)  # turn 0 warms up
            if agreed(best[True] > EMULATED * best[False]):
                return False
    return agreed(best[True] < PAYS * best[False])


def _seconds(way: Callable[[], object], device: torch.device) -> float:
    """Of computing, so that other programs count little; on a GPU, which works on after the call, until it is done."""
    if device.type == "cpu" and sys.platform != "win32":  # whose clock of computing ticks too slowly
        start = time.process_time()
        way()
        return time.process_time() - start
    start = time.perf_counter()
    way()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
