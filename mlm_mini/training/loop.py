"""The training loop: draw a batch, step, and now and then look at how far there is to go."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from mlm_mini.languages.batches import TextSource
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.training.checkpoint import CheckpointError, has_checkpoint, load_checkpoint, save_checkpoint
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.evaluation import EvaluationSet
from mlm_mini.training.memory import check_asks, check_memory, told_of_memory
from mlm_mini.training.objectives import Objective
from mlm_mini.training.progress import Point, Reporter, describe_curve, plot_curve
from mlm_mini.training.run import Run
from mlm_mini.training.threaded_map import side_by_side
from mlm_mini.training.workers import ONE_WORKER, Workers, joined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EVALUATIONS, FEWEST_STEPS = 20, 50  # evaluations in a run, and steps between two, unless told otherwise


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
    start: MaskedLM | None = None,
    objective: Objective | None = None,
    evaluation: EvaluationSet | None = None,
    out: str | os.PathLike | None = None,
    resume: bool = False,
    evaluate_every: int | None = None,
    checkpoint_every: int | None = None,
    device: str | None = None,
    report: Reporter | None = None,
    after_step: Callable[[int, MaskedLM], None] | None = None,
    workers: Workers = ONE_WORKER,
) -> TrainingResult:
    """Train a model on the text of `source`, as `config` says.

    start: a model of that shape to start from, which is left as it is; the seed draws the first weights unless given.
    objective: what the model is asked at each step; that of `config` unless given.
    evaluation: looked at every `evaluate_every` steps (20 times in all, unless given, or less in a short run), at the
    end, and, with `start`, before the first step.
    out: a folder for checkpoints, written every `checkpoint_every` steps (at each evaluation unless given) and at the
    end. resume: go on from the last checkpoint there, if there is one. On a CPU, with the same number of threads, the
    weights are then the same to the last bit as without the interruption.
    device: as in `choose_device`. report: told of every step, to show it; nothing is shown without one.
    after_step: called after each step with its number, from 1 on, and the model, for whoever measures on the way.
    workers: which of several processes this is, which train one model together; each calls `train` with the same
    arguments, and `out` is a folder that all of them see. The first one decides, reports and writes, and has the
    trained model; with `workers.fsdp` that of the others has no numbers.

    Raises CheckpointError when `out` already holds a run and resume is False, or that run had another config, model,
    start, text or evaluation set; TrainingError when the loss is no longer a finite number, or memory runs out; OSError
    when a checkpoint cannot be written. Each leaves the last good checkpoint as it was. ValueError when model, start
    and text do not fit, when the memory of the machine is too small, or when next to nothing would be asked for; and as
    `Workers.check` and `Workers.choose_device`.
    """
    _check_fit(model_config, source, start)
    if objective is None:
        check_asks(config, source.length)
    workers.check(config, hands_model_over=bool(objective or after_step))
    on = workers.choose_device(device)
    check_memory(model_config, config, source.length, on, workers)
    resume = resume or not workers.leads  # the others stand where the first one does
    if out is not None and not resume and has_checkpoint(out):
        raise CheckpointError(f"{out} already holds a run: resume it, or choose another folder")
    looks = evaluate_every or max(FEWEST_STEPS, -(-config.steps // EVALUATIONS))
    saves = checkpoint_every or looks
    # Dropout draws from the device's global generator. The caller's is put back, and no other device is touched.
    with torch.random.fork_rng([on] if on.type == "cuda" else []), joined(workers, on):
        run = _start(workers, model_config, source, config, on, objective, start)
        # pyrefly: ignore[bad-assignment] an evaluation set is never false
        run.evaluated_on = evaluation and evaluation.fingerprint
        if resume and out is not None and has_checkpoint(out):
            load_checkpoint(out, use=run.restore)
        floor = evaluation.floor if evaluation else None
        with (
            told_of_memory(),
            side_by_side(run.model, config.micro_batches if workers.alone else 1) as map_parts,
            (workers.leads and report) or Reporter() as shown,
        ):
            shown.begin(config.steps, run.step, floor, run.curve)
            if evaluation and start is not None and not run.step:
                shown.evaluated(run.look(evaluation, map_parts))
            while run.step < config.steps:
                shown.stepped(*run.one_step(map_parts))
                if after_step:
                    after_step(run.step, run.model)
                if evaluation and (run.step % looks == 0 or run.step == config.steps):
                    shown.evaluated(run.look(evaluation, map_parts))
                if out is not None and (run.step % saves == 0 or run.step == config.steps):
                    checkpoint = run.checkpoint()
                    if workers.leads:
                        save_checkpoint(out, checkpoint)
        return TrainingResult(run.trained(), run.curve, floor)


def _start(workers: Workers, *how) -> Run:
    """Before the first step. how: as in `Run.start`."""
    if workers.alone:
        return Run.start(*how)
    from mlm_mini.training.distributed import SharedRun  # one process has no use for it

    return SharedRun.join(workers, *how)


def _check_fit(model_config: ModelConfig, source: TextSource, start: MaskedLM | None) -> None:
    if start is not None and start.config != model_config:
        raise ValueError(f"start is a model of another shape, {start.config}: expected {model_config}")
    if model_config.vocab_size != len(source.vocabulary):
        raise ValueError(f"the model has {model_config.vocab_size} tokens and the text {len(source.vocabulary)}")
    if model_config.max_position_embeddings < source.length:
        raise ValueError(
            f"the model has {model_config.max_position_embeddings} positions, and the rows of the text {source.length}"
        )
