"""One run by several processes: each takes its rows of every batch, and the gradient is the sum of what all found.

Every worker draws the same batch with the same masks, from the same seeds, and takes its rows by its rank. Nats are
divided by the number of predicted tokens of the whole batch, which a mean of the workers' means would weigh wrongly,
and gradients are added up. So the number of workers changes how sums are rounded, and nothing else: whatever a run by
one of them leaves in a checkpoint, any other number of them can go on from.

What differs is dropout. Each worker draws its own, by seed, step and rank: a run by as many workers is the same again,
also when it was interrupted, but one by more or fewer drops other units.

With fsdp (PyTorch's FSDP2; Rajbhandari et al. 2020) no worker holds more than its share of the weights, their gradient
and moments, but for the block that it computes with. On the machine's own memory that saves nothing at the start and at
the end, where every worker has all weights for a moment; a checkpoint is gathered by the first one, who writes it.
"""

from __future__ import annotations

import contextlib
import datetime
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel

from mlm_mini.languages.batches import TextSource
from mlm_mini.model import MaskedLM, ModelConfig, autocast
from mlm_mini.seeds import Stream, generator
from mlm_mini.training.batch_share import Share, share_of
from mlm_mini.training.checkpoint import Checkpoint
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.evaluation import EvaluationSet
from mlm_mini.training.gradient import part_loss
from mlm_mini.training.objectives import Batch, Objective
from mlm_mini.training.optimizer import make_optimizer
from mlm_mini.training.progress import Point
from mlm_mini.training.run import Run, TrainingError, seed_dropout
from mlm_mini.training.threaded_map import Map
from mlm_mini.training.workers import ONE_WORKER, Workers

LOST = re.compile("gloo/transport|NCCL error")
# Of one message. A worker that dies is seen at once by torchrun; this is for one that hangs. The first worker writes
# checkpoints while the others wait for it.
PATIENCE = datetime.timedelta(minutes=30)


@contextlib.contextmanager
def process_group(workers: Workers, device: torch.device) -> Iterator[None]:
    """Gloo for what is on the CPU, NCCL for what is on CUDA. All workers leave it together, unless one fails.

    Inside another one it is that one: in one life, workers can meet but once.
    """
    if dist.is_initialized():
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    store, rank, count = next(dist.rendezvous("env://", timeout=PATIENCE))
    # torchrun's store outlives the workers. Where their next life finds the addresses of the one before, it cannot
    # connect (PyTorch 2.13, gloo): so each life has names of its own.
    store = dist.PrefixStore(f"{workers.restarts} of {count}", store)
    dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=PATIENCE)
    try:
        with told_of_lost_workers():
            yield
            dist.barrier()
    finally:
        dist.destroy_process_group()


@contextlib.contextmanager
def told_of_lost_workers() -> Iterator[None]:
    """Raises TrainingError in place of what gloo and NCCL raise where another worker has died."""
    try:
        yield
    except RuntimeError as error:
        if not LOST.search(str(error)):
            raise
        raise TrainingError(
            "the connection to another worker is lost: torchrun says whether it died, and starts all anew as often as "
            "its --max-restarts allows; the last checkpoint, if there is one, is as it was"
        ) from error


@dataclass
class SharedRun(Run):
    """A run in which this process is one of several. All of them call the same methods in the same order."""

    workers: Workers = ONE_WORKER
    replica: Any = None  # the model as it is called for a gradient

    @classmethod
    def join(
        cls,
        workers: Workers,
        model_config: ModelConfig,
        source: TextSource,
        config: TrainingConfig,
        device: torch.device,
        objective: Objective | None = None,
        start: MaskedLM | None = None,
    ) -> SharedRun:
        """Before the first step, as `Run.start`."""
        # With fsdp the model is not put on the device whole, where it may not fit, but block by block.
        place = torch.device("cpu") if workers.fsdp else device
        run = cls.start(model_config, source, config, place, objective, start)
        run.workers, ask = workers, run.objective
        if workers.fsdp:
            run.replica = _sharded(run.model, device, workers.count)
            run.optimizer = make_optimizer(run.model, config)
        else:
            own = None if device.type == "cpu" else [device]
            run.replica = DistributedDataParallel(run.model, device_ids=own, gradient_as_bucket_view=True)
        run.objective = lambda ids, words, rng, model: share_of(ask(ids, words, rng, model), workers, run.step)
        return run

    def gradient(self, batch: Batch, map_parts: Map = map) -> tuple[float, float]:
        """As `Run.gradient`, of the whole batch: loss and norm are the same for all workers.

        The workers' gradients are added up while the last part goes backward, and only then. With fsdp they are after
        each part: a model that has to be shared out leaves no room for a whole gradient.
        Raises TrainingError, for all workers alike, when they have drawn different batches.
        """
        rank, count = self.workers.rank, self.workers.count
        chance = generator(self.config.seed, Stream.DROPOUT, self.step, rank)
        seed_dropout(int(chance.integers(2**63)), self.device)
        tokens, total = max(batch.count_labels(), 1), torch.zeros((), device=self.device)
        *first, last = reversed(list(batch.split(self.workers.parts(self.config))))
        for part in (*first, last):
            with self._waiting() if part is not last else contextlib.nullcontext():
                with autocast(self.device, bool(self.low)):
                    loss = part_loss(self.replica, part.to(self.device), tokens)
                total += loss.detach()
                (count * loss).backward()  # because a mean over the workers is taken of it
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        return self._added_up(total, batch), _whole(norm).item()

    def agreed(self, low: bool) -> bool:
        """What the first worker has found: all of them round alike."""
        said = torch.tensor(int(low), device=self.device)
        dist.broadcast(said, src=0)
        return bool(said)

    def _waiting(self) -> contextlib.AbstractContextManager:
        return contextlib.nullcontext() if self.workers.fsdp else self.replica.no_sync()

    def _added_up(self, loss: Tensor, batch: Batch) -> float:
        """The loss of the whole batch; all add it up in the same order."""
        said = [torch.zeros(2, dtype=torch.float64) for _ in range(self.workers.count)]
        checksum = cast(Share, batch).checksum
        dist.all_gather(said, torch.tensor([loss.item(), checksum], dtype=torch.float64))
        losses, checksums = torch.stack(said).unbind(dim=1)  # (workers, 2) -> two times (workers,)
        if other := [rank for rank, checksum in enumerate(checksums.tolist()) if checksum != checksums[0]]:
            raise TrainingError(
                f"at step {self.step + 1} worker {other[0]} has drawn another batch than worker 0: all have to read "
                "the same text and the same checkpoints, with the same versions of Python and NumPy"
            )
        return losses.sum().item()

    def look(self, evaluation: EvaluationSet, map_parts: Map = map) -> Point:
        """As `Run.look`; the workers share the rows, so that none waits for another, and all get the whole score."""
        point = super().look(evaluation, self._map_together)
        if self.workers.fsdp:
            cast(FSDPModule, self.model).reshard()  # what no backward pass has done
        return point

    def _map_together(self, function, items) -> list:
        """The builtin `map`, of which each worker does every count-th item and is told the others.

        All call `function` equally often, the last ones perhaps for nothing, since with fsdp they meet in each call.
        """
        items, count = list(items), self.workers.count
        rounds = range(self.workers.rank, -(-len(items) // count) * count, count)
        mine = [function(items[min(i, len(items) - 1)]) for i in rounds]
        said: list[Any] = [None] * count
        dist.all_gather_object(said, mine)
        return [said[i % count][i // count] for i in range(len(items))]

    def checkpoint(self) -> Checkpoint:
        """As `Run.checkpoint`; with fsdp, for the first worker alone: for the others it holds no tensors."""
        own = super().checkpoint()
        if not self.workers.fsdp:
            return own
        return Checkpoint(own.state, self._gathered(own.model), self._gathered(own.optimizer))

    def _gathered(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        whole = ((name, _whole(tensor)) for name, tensor in tensors.items())  # one at a time: a device holds no more
        return {name: tensor.cpu() for name, tensor in whole if self.workers.leads}

    def _load_tensors(self, checkpoint: Checkpoint) -> None:
        if self.workers.fsdp:
            shared = (self._shared_out(tensors) for tensors in (checkpoint.model, checkpoint.optimizer))
            checkpoint = Checkpoint(checkpoint.state, *shared)
        super()._load_tensors(checkpoint)

    def _shared_out(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Of each weight and of its moments the share of this worker; scalars and generators as they are."""
        weights = dict(self.model.named_parameters())

        def own(name: str, tensor: Tensor) -> Tensor:
            weight = weights.get(name, weights.get(name.rpartition(".")[0]))
            if weight is None or tensor.shape != weight.shape:
                return tensor
            # Each worker has read all of it: nobody has to send anything.
            place = cast(DTensor, weight)
            return distribute_tensor(tensor, place.device_mesh, place.placements, src_data_rank=None)

        return {name: own(name, tensor) for name, tensor in tensors.items()}

    def trained(self) -> MaskedLM:
        """As `Run.trained`; with fsdp, on the CPU, and for the first worker alone: the others' has no numbers."""
        if not self.workers.fsdp:
            return super().trained()
        model, weights = MaskedLM(self.model.config, None), self._gathered(self.model.state_dict())
        if weights:
            model.load_state_dict(weights, assign=True)
        return model.eval()


def _sharded(model: MaskedLM, device: torch.device, count: int) -> MaskedLM:
    """Each block by itself, and the rest of the model, in which the table of words is used at both ends."""
    # The logits are a view; who writes into them would break its gradient, and nobody does.
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module .* returned a view tensor")
    mesh = init_device_mesh(device.type, (count,))
    for part in (*model.blocks, model):
        fully_shard(part, mesh=mesh)
    return model


def _whole(tensor: Tensor) -> Tensor:
    """A tensor of which each worker has a share, put together by all of them; any other as it is."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
