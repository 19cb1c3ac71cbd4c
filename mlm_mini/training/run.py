"""A run under way: all that changes from step to step, one step, and how it is kept in a checkpoint."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Self

import numpy as np
import torch

from mlm_mini.languages.batches import TextSource
from mlm_mini.model import MaskedLM, ModelConfig, autocast
from mlm_mini.seeds import Stream, generator, set_state, torch_seed
from mlm_mini.storage import fingerprint
from mlm_mini.training.checkpoint import Checkpoint, CheckpointError, OtherRunError
from mlm_mini.training.config import ADAMW, TrainingConfig
from mlm_mini.training.evaluation import EvaluationSet, evaluate
from mlm_mini.training.gradient import accumulate_gradient
from mlm_mini.training.objectives import Batch, Objective, by_length, objective_of
from mlm_mini.training.optimizer import (
    Optimizer,
    kept_moments,
    load_moments,
    make_optimizer,
    moment_names,
    set_learning_rates,
)
from mlm_mini.training.precision import bfloat16_pays, settled
from mlm_mini.training.progress import Point
from mlm_mini.training.stored_state import CPU_GENERATOR, CUDA_GENERATOR, check_numbers, check_tensors
from mlm_mini.training.threaded_map import Map

ADDED_LATER = {"evaluation"}  # what older checkpoints do not say of their run
# What to do where a run is to be another one, by what differs.
ADVICE = {
    "steps": "the learning rate has fallen towards 0 over the steps that were planned, so that a run is not made "
    "longer: when it has ended, train --from OUT --out NEW goes on from the model in its folder OUT",
    "start": "a name for the weights before the first step, None where a seed draws them: give --from the model that "
    "the run was started from, as it was then, in whatever folder; leave --from out where there was none",
}


class TrainingError(RuntimeError):
    """Training cannot go on. The message says at which step, why, and what to do."""


@dataclass
class Run:
    """All that changes in the course of training."""

    model: MaskedLM
    optimizer: Optimizer
    source: TextSource
    config: TrainingConfig
    objective: Objective
    rng: np.random.Generator  # of the masks
    step: int = 0  # steps taken
    tokens: int = 0  # read, without padding
    predictions: int = 0  # of them
    seconds: float = 0.0
    losses: tuple[float, int] = (0.0, 0)  # their sum and number since the last look
    curve: list[Point] = field(default_factory=list)
    evaluated_on: str | None = None  # the fingerprint of the evaluation set
    started_from: str | None = None  # that of the weights before the first step, unless the seed draws them
    low: bool | None = None  # whether products are in bfloat16; None until a trial has decided

    @classmethod
    def start(
        cls,
        model_config: ModelConfig,
        source: TextSource,
        config: TrainingConfig,
        device: torch.device,
        objective: Objective | None = None,
        start: MaskedLM | None = None,
    ) -> Self:
        """Before the first step. Seeds the device's global generator, which dropout uses.

        start: as in `first_model`.
        """
        model = first_model(model_config, config.seed, start).to(device)
        seed_dropout(torch_seed(config.seed, Stream.DROPOUT), device)
        masks, name = generator(config.seed, Stream.MASKS), start and weights_fingerprint(start)
        asks = objective or objective_of(config)
        low, optimizer = settled(config, device), make_optimizer(model, config)
        # pyrefly: ignore[bad-argument-type] a model is never false
        return cls(model, optimizer, source, config, asks, masks, started_from=name, low=low)

    @property
    def device(self) -> torch.device:
        return next(self.model.parameters()).device

    def one_step(self, map_parts: Map = map) -> tuple[int, float, int, float]:
        """One update of the weights. Returns what `Reporter.stepped` is told. map_parts: as in `accumulate_gradient`.

        Raises TrainingError, before the weights are touched, when loss or gradient is NaN or infinite.
        """
        started = time.perf_counter()
        config = self.config
        ids = by_length(self.source.next_batch(config.batch_size), self.source.vocabulary)
        batch = self.objective(ids, self.source.vocabulary, self.rng, self.model)
        set_learning_rates(self.optimizer, self.step, config)
        if self.low is None:
            self.low = self._tried(batch, map_parts)
        self.optimizer.zero_grad()
        loss, norm = self.gradient(batch, map_parts)
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingError(
                f"at step {self.step + 1} the loss is {loss} and its gradient has norm {norm}: the weights are those "
                f"of the step before; a learning_rate below {config.learning_rate:g} or a longer warmup may help"
            )
        self.optimizer.step()
        tokens, seconds = int((ids != self.source.vocabulary.pad_id).sum()), time.perf_counter() - started
        self.step += 1
        self.tokens += tokens
        self.predictions += batch.count_labels()
        self.seconds += seconds
        self.losses = self.losses[0] + loss, self.losses[1] + 1
        return self.step, loss, tokens, seconds

    def gradient(self, batch: Batch, map_parts: Map = map) -> tuple[float, float]:
        """Give the weights the gradient of a batch, clipped. Returns the loss, and the norm of the gradient before."""
        parts, precision = self.config.micro_batches, lambda: autocast(self.device, bool(self.low))
        loss = accumulate_gradient(self.model, batch, parts, precision, map_parts).item()
        return loss, torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm).item()

    def _tried(self, batch: Batch, map_parts: Map) -> bool:
        """Whether bfloat16 pays, by a trial that leaves nothing behind but gradients."""

        def gradient(low: bool) -> None:
            self.low = low
            self.optimizer.zero_grad()
            self.gradient(batch, map_parts)

        return bfloat16_pays(gradient, self.device, self.agreed)

    def agreed(self, low: bool) -> bool:
        """What all who work on this run hold, where each has tried for itself."""
        return low

    def look(self, evaluation: EvaluationSet, map_parts: Map = map) -> Point:
        """Evaluate the model and add a point to the curve. map_parts: as in `evaluate`."""
        score = evaluate(self.model, evaluation, map_parts)
        total, steps = self.losses
        train_loss = total / steps if steps else None
        self.curve.append(Point(self.step, train_loss, *score, self.tokens, self.predictions, self.seconds))
        self.losses = 0.0, 0
        return self.curve[-1]

    def checkpoint(self) -> Checkpoint:
        state = self._identity() | {
            "step": self.step,
            "tokens": self.tokens,
            "predictions": self.predictions,
            "seconds": self.seconds,
            "losses": self.losses,
            "low": bool(self.low),
            "curve": [point._asdict() for point in self.curve],
            "source_state": self.source.state,
            "mask_generator": self.rng.bit_generator.state,
        }
        optimizer = kept_moments(self.optimizer, self.model) | {CPU_GENERATOR: torch.get_rng_state()}
        if self.device.type == "cuda":
            optimizer[CUDA_GENERATOR] = torch.cuda.get_rng_state(self.device)
        return Checkpoint(state, self.model.state_dict(), optimizer)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Stand where the checkpoint stood.

        Raises OtherRunError when it is of another run, CheckpointError when something in it is not what a run writes.
        Either leaves the weights as they were.
        """
        state = checkpoint.state
        for name, mine in self._identity().items():
            theirs = state.get(name)
            if name == "training" and isinstance(theirs, dict):
                theirs = {"optimizer": ADAMW} | theirs  # older checkpoints do not say
            if theirs != mine and (name in state or name not in ADDED_LATER):
                difference = _difference(name, theirs, mine)
                advice = ADVICE.get(difference.split()[0])
                advice = f" ({advice})" if advice else ""
                raise OtherRunError(f"the checkpoint does not fit this run: {difference}{advice}")
        check_numbers(state, self.config.steps)
        check_tensors(checkpoint, self.model.state_dict(), moment_names(self.optimizer))
        set_source = partial(setattr, self.source, "state")
        for name, put in (("mask_generator", partial(set_state, self.rng)), ("source_state", set_source)):
            try:
                put(state[name])
            except ValueError as error:
                raise CheckpointError(f"{name}: {error}") from error
        self._load_tensors(checkpoint)
        self.step, self.seconds = state["step"], state["seconds"]
        self.tokens, self.predictions = state["tokens"], state["predictions"]
        if self.low is None:  # as it was, or a trial on a busy machine would change the run
            self.low = state.get("low")
        self.losses, self.curve = tuple(state["losses"]), [Point(**point) for point in state["curve"]]

    def _load_tensors(self, checkpoint: Checkpoint) -> None:
        self.model.load_state_dict(checkpoint.model)
        tensors = dict(checkpoint.optimizer)
        torch.set_rng_state(tensors.pop(CPU_GENERATOR))
        if (cuda := tensors.pop(CUDA_GENERATOR, None)) is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(cuda, self.device)
        load_moments(self.optimizer, tensors)

    def trained(self) -> MaskedLM:
        """The model as it is now, in eval mode."""
        return self.model.eval()

    def _identity(self) -> dict:
        """What must agree for one run to go on from another's checkpoint.

        The number of parts may change, for another device or less memory, and the precision: they change how sums are
        rounded.
        """
        training = self.config.to_dict()
        del training["micro_batches"], training["precision"]
        return {
            "start": self.started_from,
            "model": asdict(self.model.config),
            "training": training,
            "text": self.source.fingerprint,
            "length": self.source.length,
            "evaluation": self.evaluated_on,
        }


def first_model(model_config: ModelConfig, seed: int, start: MaskedLM | None = None) -> MaskedLM:
    """The model that a run of this seed starts from, in training mode: a copy of `start`, or else drawn on the CPU."""
    if start is not None:
        return copy.deepcopy(start).train()
    return MaskedLM(model_config, torch.Generator().manual_seed(torch_seed(seed, Stream.WEIGHTS))).train()


def weights_fingerprint(model: MaskedLM) -> str:
    """A name for the weights of a model, whatever folder they are in."""
    return fingerprint({name: weight.detach().cpu().numpy() for name, weight in model.named_parameters()})


def seed_dropout(seed: int, device: torch.device) -> None:
    """Seeds the generators of the CPU and of `device`. `torch.manual_seed` would seed every GPU of the machine."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def _difference(name: str, theirs, mine) -> str:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        different = [key for key in {**theirs, **mine} if theirs.get(key) != mine.get(key)]
        return ", ".join(f"{key} was {theirs.get(key)!r} and is now {mine.get(key)!r}" for key in different)
    return f"{name} was {theirs!r} and is now {mine!r}"
