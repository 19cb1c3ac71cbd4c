"""What workers do that torchrun starts for `test_distributed.py`: `torchrun ... together.py PIECE FOLDER`.

Each worker leaves what it has found in FOLDER/PIECE-RANK.json.
"""

import functools
import json
import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist

from mlm_mini import __main__ as command_line
from mlm_mini.languages import scene_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import ModelConfig
from mlm_mini.training import Reporter, TrainingConfig, TrainingError, Workers, draw_evaluation, train

STEPS, EVERY, STOPPED_AT = 10, 3, 8  # of the runs that are stopped: their last checkpoint is of step 6
LONG = TrainingConfig.of(steps=50, batch_size=16, micro_batches=4, mask_ratio=0.3)
SHORT = TrainingConfig.of(steps=STEPS, batch_size=7, micro_batches=4, mask_ratio=0.3)
CONFIGS = {
    "ddp": LONG,
    "fsdp": LONG,
    "uneven": SHORT,
    "causal": TrainingConfig.of(steps=STEPS, batch_size=6, objective="causal"),
    "diffusion": TrainingConfig.of(steps=STEPS, batch_size=6, micro_batches=3, objective="diffusion"),
}
language = functools.cache(scene_language)


def source(seed=0):
    """Sentences of different lengths, so that the workers have different numbers of words to predict."""
    return SampledSentences(language(), seed)


def shape(**changes):
    small = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 33}
    none = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return ModelConfig(vocab_size=len(language().vocabulary), max_position_embeddings=64, **small | none | changes)


class Losses(Reporter):
    def __init__(self):
        self.losses = []

    def stepped(self, step, loss, *_):
        self.losses.append(loss)


def run(config, out=None, model=None, text=None, **options):
    """A run with its losses: by one process, unless it is given `workers`."""
    ids, rng = language().sample(600, np.random.default_rng(1)).ids, np.random.default_rng(2)  # three blocks of rows
    evaluation = draw_evaluation(ids, language().vocabulary, config, rng)
    shown = Losses()
    settings = {"checkpoint_every": EVERY, "evaluate_every": 10, "device": "cpu", "evaluation": evaluation} | options
    result = train(model or shape(), text or source(), config, out=out, report=shown, **settings)
    return result, shown.losses


def run_two(folder):
    """Everything that two workers are asked."""
    found = {}
    for name, config in CONFIGS.items():
        _, found[name] = run(config, folder / name, workers=Workers.of_torchrun(fsdp=name == "fsdp"))
    for name, fsdp in (("ddp stopped", False), ("fsdp stopped", True)):
        with stopped_after(STOPPED_AT):
            run(SHORT, folder / name, workers=Workers.of_torchrun(fsdp))
    model = shape(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
    run(SHORT, folder / "dropout", model, workers=Workers.of_torchrun())
    with stopped_after(STOPPED_AT):
        run(SHORT, folder / "dropout stopped", model, workers=Workers.of_torchrun())
    run(SHORT, folder / "dropout stopped", model, resume=True, workers=Workers.of_torchrun())
    found["reductions"] = {parts: reductions(parts) for parts in (1, 4)}
    found["numbers kept"], found["numbers"] = numbers_kept()
    found["seeds"] = [dropout_seed(0), dropout_seed(1)]
    found["no number"] = error_of(spoilt_on=1)
    found["another text"] = error_of(text=source(seed=Workers.of_torchrun().rank))
    return found


def run_three(folder):
    """Two go on from what two have left, the one with DDP from FSDP's checkpoint, the other the other way round."""
    run(SHORT, folder / "ddp stopped", resume=True, workers=Workers.of_torchrun(fsdp=True))
    run(SHORT, folder / "fsdp stopped", resume=True, workers=Workers.of_torchrun())
    return {}


def run_command(folder):
    """`train` as a user calls it, but that the second worker dies on its way."""
    from mlm_mini.training.distributed import SharedRun

    one_step, workers = SharedRun.one_step, Workers.of_torchrun()

    def one_step_or_die(self, *arguments):
        if workers.rank == 1 and not workers.restarts and self.step == 55:
            os.kill(os.getpid(), signal.SIGKILL)
        return one_step(self, *arguments)

    SharedRun.one_step = one_step_or_die
    return {"restarts": workers.restarts, "status": command_line.main([*COMMAND, str(folder / "out")])}


COMMAND = ["train", "--language", "markov", "--size", "tiny", "--steps", "60", "--batch-size", "8"]
COMMAND += ["--device", "cpu", "--out"]


@contextmanager
def stopped_after(step):
    """All workers stop, as by a power cut."""
    from mlm_mini.training.distributed import SharedRun

    one_step = SharedRun.one_step

    def one_step_and_stop(self, *arguments):
        if self.step == step:
            raise KeyboardInterrupt
        return one_step(self, *arguments)

    SharedRun.one_step = one_step_and_stop
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        SharedRun.one_step = one_step


def shared_run(parts=1, fsdp=False):
    from mlm_mini.training.distributed import SharedRun

    config = TrainingConfig.of(steps=STEPS, batch_size=16, micro_batches=2 * parts, mask_ratio=0.3)
    on, workers = torch.device("cpu"), Workers.of_torchrun(fsdp)
    return SharedRun.join(workers, shape(), source(), config, on)


def reductions(parts):
    """How many messages with gradients a step takes; the first step, in which DDP makes its buckets, is not counted."""
    count = 0

    def hook(_, bucket):
        nonlocal count
        count += 1
        return dist.all_reduce(bucket.buffer(), async_op=True).get_future().then(lambda done: done.value()[0])

    made = shared_run(parts)
    assert made.workers.parts(made.config) == parts
    made.replica.register_comm_hook(None, hook)
    made.one_step()
    count = 0
    made.one_step()
    return count


def numbers_kept():
    """What a worker keeps under FSDP, weights and moments, and what they are in all."""
    made = shared_run(fsdp=True)
    made.one_step()
    weights = list(made.model.parameters())
    moments = [made.optimizer.state[weight][name] for weight in weights for name in ("exp_avg", "exp_avg_sq")]
    kept = [tensor.to_local().numel() for tensor in (*weights, *moments)]
    return sum(kept), 3 * shape().count_parameters()


def dropout_seed(step):
    made = shared_run()
    for _ in range(step + 1):
        made.one_step()
    return torch.initial_seed()


def error_of(spoilt_on=None, text=None):
    """What training says, to this worker, when one of them has a loss that is no number, or another text."""
    from mlm_mini.training import distributed

    part_loss, workers = distributed.part_loss, Workers.of_torchrun()
    if workers.rank == spoilt_on:
        distributed.part_loss = lambda *given: part_loss(*given) * float("nan")
    try:
        run(SHORT, text=text, workers=workers)
    except TrainingError as error:
        return str(error)
    finally:
        distributed.part_loss = part_loss
    return None


if __name__ == "__main__":
    from mlm_mini.training.distributed import process_group

    piece, folder = sys.argv[1], Path(sys.argv[2])
    pieces = {"two": run_two, "three": run_three}
    if piece == "command":
        found = run_command(folder)
    else:
        with process_group(Workers.of_torchrun(), torch.device("cpu")):
            found = pieces[piece](folder)
    (folder / f"{piece}-{os.environ['RANK']}.json").write_text(json.dumps(found))
