"""How much memory a run needs, estimated before any of it is taken.

Shape letters: B sentences, T positions, V tokens, D width, F width inside a block.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import torch

from mlm_mini.model import ModelConfig
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.run import TrainingError
from mlm_mini.training.workers import ONE_WORKER, Workers

FLOAT, INTEGER = 4, 8  # bytes
GIB = 2**30
WITHOUT_A_LIMIT = 2**42  # bytes, more than any machine has: taken for a machine that does not say
NO_MEMORY = re.compile("out of memory|allocate memory|not enough memory")  # of a GPU, of Linux, of Windows
LIMIT_OF_A_CONTAINER = Path("/sys/fs/cgroup/memory.max")


def check_memory(
    shape: ModelConfig, config: TrainingConfig, length: int, device: torch.device, workers: Workers = ONE_WORKER
) -> None:
    """Raises ValueError where a run needs more memory than there is; the message says what most of it is for."""
    needed, there = reckoned_bytes(shape, config, length, device, workers), _memory(device)
    if device.type == "cpu":
        there //= workers.here
    if sum(needed.values()) <= there:
        return
    largest = max(needed, key=needed.__getitem__)
    has = f"there are {there / GIB:,.0f}" if there < WITHOUT_A_LIMIT else "no machine has that"
    raise ValueError(
        f"this run takes about {_gib(sum(needed.values()))} GiB of memory, and {has}; most of it, "
        f"{_gib(needed[largest])}, is for {largest}: choose smaller ones"
    )


def reckoned_bytes(
    shape: ModelConfig, config: TrainingConfig, length: int, device: torch.device, workers: Workers = ONE_WORKER
) -> dict[str, int]:
    """Bytes of one worker by purpose, each told with the numbers that decide it; small things are left out."""
    V, D, F, B, T = shape.vocab_size, shape.hidden_size, shape.intermediate_size, config.batch_size, length
    in_turn = (
        not workers.alone or device.type != "cpu" or shape.hidden_dropout_prob or shape.attention_probs_dropout_prob
    )
    at_once = 1 if in_turn else min(torch.get_num_threads(), config.micro_batches)  # as `side_by_side` does
    rows = at_once * -(-B // (workers.count * workers.parts(config)))
    masking = config.masking
    asked = 1.0 if config.objective != "masked" else masking.prediction_ratio or masking.mask_ratio
    labels = max(rows, int(rows * T * asked))
    batch = f"batch_size {B} and length {T}"
    return {
        # each with its gradient and two moments
        f"the weights (a vocabulary of {V} tokens, {shape.max_position_embeddings} positions)": 4
        * FLOAT
        * -(-shape.count_parameters() // (workers.count if workers.fsdp else 1)),
        f"the ids of a batch ({batch})": 2 * INTEGER * B * T,  # as they were and as they are seen
        f"what each block keeps for the gradient ({batch}, in {config.micro_batches} micro_batches)": FLOAT
        * shape.num_hidden_layers
        * rows
        * T
        * (7 * D + 2 * F),
        f"the logits ({batch}, a vocabulary of {V} tokens)": 3 * FLOAT * labels * V,
    }


def _gib(count: int) -> str:
    return f"{count / GIB:,.0f}" if count < 1e6 * GIB else f"{count / GIB:.0e}"


def _memory(device: torch.device) -> int:
    """Bytes of this machine and of its GPU, or of the container that this process is in."""
    here = WITHOUT_A_LIMIT
    with contextlib.suppress(AttributeError, OSError, ValueError):  # Windows has no sysconf
        here = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        here = min(here, int(LIMIT_OF_A_CONTAINER.read_text()))
    if device.type == "cuda":
        here += torch.cuda.get_device_properties(device).total_memory
    return here


@contextlib.contextmanager
def told_of_memory() -> Iterator[None]:
    """Raises TrainingError in place of what PyTorch and NumPy raise when memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError) and not NO_MEMORY.search(str(error)):
            raise
        raise TrainingError(
            "memory ran out: choose more micro_batches, with which a step takes less of it at a time, or a smaller "
            "batch_size, length or size; the last checkpoint, if there is one, is as it was"
        ) from error


def check_asks(config: TrainingConfig, length: int) -> None:
    """Raises ValueError where a batch would ask for next to nothing, so that its loss is 0 and nothing is learned."""
    masking, words = config.masking, length - 2  # at most, between [CLS] and [SEP]
    if config.objective != "masked":
        return
    name = "mask_ratio" if masking.prediction_ratio is None else "prediction_ratio"
    ratio = getattr(masking, name)
    of_a_row = ratio * words
    if masking.method == "fixed" and of_a_row < 0.5:  # rounded, in every row
        of_a_row = 0.0
    if masking.heavy_share:
        of_a_row += masking.heavy_share * masking.heavy_ratio * words
    if of_a_row * config.batch_size < 1:
        raise ValueError(
            f"{name} is {ratio:g}: a batch of {config.batch_size} rows of {words} words would ask for "
            f"{of_a_row * config.batch_size:.2g} of them on average; expected 1 or more: raise {name} or batch_size"
        )
