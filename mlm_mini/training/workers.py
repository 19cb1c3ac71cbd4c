"""One of several processes that train one model together: which one this is, and what its share of the work is.

`torchrun` starts them, tells each of them by its environment, and starts all of them anew when one dies.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import filelock
import torch

from mlm_mini.model import choose_device
from mlm_mini.storage import cache_folder
from mlm_mini.training.config import MUON, TrainingConfig

STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"  # what no other program sets


@dataclass(frozen=True, kw_only=True)
class Workers:
    """This process, and how many there are.

    rank: its number, from 0 on. count: of all workers. local_rank, here: the same on this machine alone.
    launch: a name for the torchrun that started it, on this machine. restarts: how often it did so anew, since a worker
    had died. fsdp: whether each keeps a share of the weights, their gradient and their moments; otherwise each has all.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0
    here: int = 1
    launch: str = ""
    restarts: int = 0
    fsdp: bool = False

    @classmethod
    def of_torchrun(cls, fsdp: bool = False) -> Workers:
        """What torchrun says to this process; one worker, alone, where it was started in another way.

        Raises ValueError for fsdp and no other worker.
        """
        told = os.environ if STARTED_BY_TORCHRUN in os.environ else {}
        names = {"rank": "RANK", "count": "WORLD_SIZE", "local_rank": "LOCAL_RANK", "here": "LOCAL_WORLD_SIZE"}
        numbers = {field: int(told[name]) for field, name in names.items() if name in told}
        launch = f"{told[STARTED_BY_TORCHRUN]} {os.getppid()}" if told else ""
        restarts = int(told.get("TORCHELASTIC_RESTART_COUNT", 0))
        workers = cls(**numbers, launch=launch, restarts=restarts, fsdp=fsdp)
        if fsdp and workers.alone:
            raise ValueError(
                "with --fsdp several workers share the weights out, and this one is alone: start them with "
                "torchrun --nproc-per-node 2 or more, or leave --fsdp out"
            )
        return workers

    @property
    def alone(self) -> bool:
        return self.count == 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that reports and writes."""
        return self.rank == 0

    def rows(self) -> slice:
        """Its rows of a batch. Every count-th: the rows are sorted by length, and each worker has some of every."""
        return slice(self.rank, None, self.count)

    def parts(self, config: TrainingConfig) -> int:
        """In how many parts it takes its share: the same number for all, so that they meet in each.

        Parts are as large as those of one worker would be, and none is empty.
        """
        return max(1, min(-(-config.micro_batches // self.count), config.batch_size // self.count))

    def choose_device(self, name: str | None = None) -> torch.device:
        """As `model.choose_device`; of several workers on CUDA each has a GPU of its own.

        Raises ValueError for a device on which several workers cannot meet, and for more workers than GPUs.
        """
        on = choose_device(name)
        if self.alone or on.type == "cpu":
            return on
        if on.type != "cuda" or on.index is not None:
            raise ValueError(f"device is {on}, and there are {self.count} workers: give --device cpu, or cuda for each")
        if self.local_rank >= (gpus := torch.cuda.device_count()):
            raise ValueError(
                f"{self.here} workers were started here, and there are {gpus} GPUs: start one worker for each, or give "
                "--device cpu"
            )
        return torch.device("cuda", self.local_rank)

    def check(self, config: TrainingConfig, hands_model_over: bool = False) -> None:
        """hands_model_over: whether somebody is given the model on the way, an objective or whoever measures.

        Raises ValueError where a worker would have no row of a batch, or only a share of what has to be whole.
        """
        if config.batch_size < self.count:
            raise ValueError(
                f"batch_size is {config.batch_size}, and there are {self.count} workers, who share each batch: "
                "expected a row for each of them or more"
            )
        if self.fsdp and config.optimizer == MUON:
            raise ValueError(
                "optimizer is 'muon', which works with whole matrices, and with fsdp no worker has one: leave fsdp "
                "out, or choose 'adamw'"
            )
        if self.fsdp and hands_model_over:
            raise ValueError(
                "an objective of one's own, or a function after each step, reads the model, of which with fsdp no "
                "worker has more than a share: leave fsdp out"
            )


ONE_WORKER = Workers()


@contextlib.contextmanager
def joined(workers: Workers, device: torch.device) -> Iterator[None]:
    """The workers can talk to each other within it. One that is alone needs nobody, and loads nothing for it."""
    if workers.alone:
        yield
        return
    from mlm_mini.training.distributed import process_group

    with process_group(workers, device):
        yield


@contextlib.contextmanager
def one_after_the_other(workers: Workers) -> Iterator[None]:
    """For what the first worker of a machine makes, and the others find in the cache: however long it takes."""
    with contextlib.nullcontext() if workers.alone else filelock.FileLock(cache_folder() / "workers.lock"):
        yield
