"""The training loop: draw a batch, step, and now and then look at how far there is to go."""

from __future__ import annotations

import math
import os
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from mlm_mini.languages.batches import TextSource
from mlm_mini.model import MaskedLM, ModelConfig, autocast, choose_device
from mlm_mini.training.checkpoint import (
    Checkpoint,
    CheckpointError,
    has_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.evaluation import EvaluationSet, evaluate
from mlm_mini.training.objectives import by_length, make_batch
from mlm_mini.training.optimizer import accumulate_gradient, make_optimizer, set_learning_rates
from mlm_mini.training.parts import Map, side_by_side
from mlm_mini.training.progress import Point, Reporter, describe_curve, plot_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LOOKS, FEWEST_STEPS = 20, 50  # evaluations in a run, and steps between two, unless told otherwise
MASKS, WEIGHTS = 1, 2  # what else the seed is for: each use has a generator of its own


class TrainingError(RuntimeError):
    """Training cannot go on. The message says at which step, why, and what to do."""


@dataclass(frozen=True)
class TrainingResult:
    """A trained model, in eval mode, and the way there.

    curve: one Point for each evaluation. floor: the Bayes floor of the evaluation set in nats, None if unknown.
    """

    model: MaskedLM
    curve: list[Point]
    floor: float | None

    def plot(self) -> Figure:
        """The loss against the steps, with the Bayes floor under it."""
        return plot_curve(self.curve, self.floor)

    def show(self) -> None:
        """Displays the plot in a notebook, with its description."""
        from mlm_mini import figures

        figures.show(self.plot(), describe_curve(self.curve, self.floor))


def train(
    model_config: ModelConfig,
    source: TextSource,
    config: TrainingConfig,
    *,
    evaluation: EvaluationSet | None = None,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    evaluate_every: int | None = None,
    checkpoint_every: int | None = None,
    device: str | None = None,
    report: Reporter | None = None,
) -> TrainingResult:
    """Train a new model on the text of `source`, as `config` says.

    evaluation: looked at every `evaluate_every` steps (20 times in all, unless given, or less in a short run) and at
    the end.
    out: a folder for checkpoints, written every `checkpoint_every` steps (at each evaluation unless given) and at the
    end. resume: go on from the last checkpoint there, if there is one. On a CPU, with the same number of threads, the
    weights are then the same to the last bit as without the interruption.
    device: as in `choose_device`. report: told of every step, to show it; nothing is shown without one.

    Raises CheckpointError when `out` already holds a run and resume is False, or that run had another config, model or
    text; TrainingError when the loss is no longer a finite number; OSError when a checkpoint cannot be written. Each
    leaves the last good checkpoint as it was. ValueError when model and text do not fit.
    """
    _check_fit(model_config, source)
    if out is not None and not resume and has_checkpoint(out):
        raise CheckpointError(f"{out} already holds a run: resume it, or choose another folder")
    looks = evaluate_every or max(FEWEST_STEPS, -(-config.steps // LOOKS))
    saves = checkpoint_every or looks
    on = choose_device(device)
    # Dropout draws from the device's global generator. The caller's is put back, and no other device is touched.
    with torch.random.fork_rng([on] if on.type == "cuda" else []):
        run = Run.start(model_config, source, config, on)
        if resume and out is not None and has_checkpoint(out):
            run.restore(load_checkpoint(out))
        floor = evaluation.floor if evaluation else None
        with side_by_side(run.model, config.micro_batches) as map_parts, report or Reporter() as shown:
            shown.begin(config.steps, run.step, floor, run.curve)
            while run.step < config.steps:
                shown.stepped(*run.one_step(map_parts))
                if evaluation and (run.step % looks == 0 or run.step == config.steps):
                    shown.evaluated(run.look(evaluation, map_parts))
                if out is not None and (run.step % saves == 0 or run.step == config.steps):
                    save_checkpoint(out, run.checkpoint())
    return TrainingResult(run.model.eval(), run.curve, floor)


@dataclass
class Run:
    """All that changes in the course of training."""

    model: MaskedLM
    optimizer: torch.optim.AdamW
    source: TextSource
    config: TrainingConfig
    rng: np.random.Generator  # of the masks
    step: int = 0  # steps taken
    tokens: int = 0  # read, without padding
    predictions: int = 0  # of them
    seconds: float = 0.0
    losses: tuple[float, int] = (0.0, 0)  # their sum and number since the last look
    curve: list[Point] = field(default_factory=list)

    @classmethod
    def start(cls, model_config: ModelConfig, source: TextSource, config: TrainingConfig, device: torch.device) -> Run:
        """Before the first step. Seeds the device's global generator, which dropout uses."""
        model = first_model(model_config, config.seed).to(device)
        _seed_dropout(_weights_seed(config.seed), device)
        masks = np.random.Generator(np.random.PCG64([config.seed, MASKS]))
        return cls(model, make_optimizer(model, config), source, config, masks)

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
        batch = make_batch(ids, self.source.vocabulary, config, self.rng)
        set_learning_rates(self.optimizer, self.step, config)
        self.optimizer.zero_grad()
        parts, precision = config.micro_batches, lambda: autocast(self.device, self.model.config.hidden_size)
        loss = accumulate_gradient(self.model, batch, parts, precision, map_parts).item()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip_norm).item()
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

    def look(self, evaluation: EvaluationSet, map_parts: Map = map) -> Point:
        """Evaluate the model and add a point to the curve. map_parts: as in `evaluate`."""
        score = evaluate(self.model, evaluation, map_parts)
        total, steps = self.losses
        self.curve.append(Point(self.step, total / steps, *score, self.tokens, self.predictions, self.seconds))
        self.losses = 0.0, 0
        return self.curve[-1]

    def checkpoint(self) -> Checkpoint:
        state = self._identity() | {
            "step": self.step,
            "tokens": self.tokens,
            "predictions": self.predictions,
            "seconds": self.seconds,
            "losses": self.losses,
            "curve": [point._asdict() for point in self.curve],
            "source_state": self.source.state,
            "mask_generator": self.rng.bit_generator.state,
        }
        optimizer = {
            f"{name}.{key}": tensor
            for name, parameter in self.model.named_parameters()
            for key, tensor in self.optimizer.state[parameter].items()
        }
        optimizer["torch_generator"] = torch.get_rng_state()
        if self.device.type == "cuda":
            optimizer["cuda_generator"] = torch.cuda.get_rng_state(self.device)
        return Checkpoint(state, self.model.state_dict(), optimizer)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Stand where the checkpoint stood. Raises CheckpointError when it is of another run."""
        state = checkpoint.state
        for name, mine in self._identity().items():
            theirs = state.get(name)
            if theirs != mine:
                raise CheckpointError(f"the checkpoint does not fit this run: {_difference(name, theirs, mine)}")
        try:
            self._load_tensors(checkpoint)
            self.source.state = state["source_state"]
            self.rng.bit_generator.state = state["mask_generator"]
            self.step, self.seconds = state["step"], state["seconds"]
            self.tokens, self.predictions = state["tokens"], state["predictions"]
            self.losses, self.curve = tuple(state["losses"]), [Point(**point) for point in state["curve"]]
        except (KeyError, TypeError, RuntimeError) as error:
            raise CheckpointError(f"the checkpoint of step {state.get('step')} is incomplete: {error}") from error

    def _load_tensors(self, checkpoint: Checkpoint) -> None:
        self.model.load_state_dict(checkpoint.model)
        tensors = dict(checkpoint.optimizer)
        torch.set_rng_state(tensors.pop("torch_generator"))
        if (cuda := tensors.pop("cuda_generator", None)) is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state(cuda, self.device)
        named = self.optimizer.state_dict()
        names = [name for group in named["param_groups"] for name in group["param_names"]]
        moments = {i: {key: tensors[f"{name}.{key}"] for key in MOMENTS} for i, name in enumerate(names)}
        self.optimizer.load_state_dict({"state": moments, "param_groups": named["param_groups"]})

    def _identity(self) -> dict:
        """What must agree for one run to go on from another's checkpoint.

        The number of parts may change, for another device or less memory: it changes how sums are rounded.
        """
        training = self.config.to_dict()
        del training["micro_batches"]
        return {
            "model": asdict(self.model.config),
            "training": training,
            "text": self.source.fingerprint,
            "length": self.source.length,
        }


def first_model(model_config: ModelConfig, seed: int) -> MaskedLM:
    """The model that a run of this seed starts from, on the CPU, in training mode."""
    return MaskedLM(model_config, torch.Generator().manual_seed(_weights_seed(seed))).train()


def _seed_dropout(seed: int, device: torch.device) -> None:
    """On the CPU and on `device`: `torch.manual_seed` would seed every GPU of the machine as well."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def _weights_seed(seed: int) -> int:
    return int(np.random.SeedSequence([seed, WEIGHTS]).generate_state(1)[0])


MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def _difference(name: str, theirs, mine) -> str:
    if isinstance(theirs, dict) and isinstance(mine, dict):
        different = [key for key in {**theirs, **mine} if theirs.get(key) != mine.get(key)]
        return ", ".join(f"{key} was {theirs.get(key)!r} and is now {mine.get(key)!r}" for key in different)
    return f"{name} was {theirs!r} and is now {mine!r}"


def _check_fit(model_config: ModelConfig, source: TextSource) -> None:
    if model_config.vocab_size != len(source.vocabulary):
        raise ValueError(f"the model has {model_config.vocab_size} tokens and the text {len(source.vocabulary)}")
    if model_config.max_position_embeddings < source.length:
        raise ValueError(
            f"the model has {model_config.max_position_embeddings} positions, and the rows of the text {source.length}"
        )
