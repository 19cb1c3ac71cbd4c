"""A run that is killed ends as one that is not, to the last bit, and no mishap costs the last good checkpoint."""

import contextlib
import errno
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from devices import DEVICES, GPU

from mlm_mini.languages import markov_language
from mlm_mini.languages.batches import SampledSentences, TextBlocks
from mlm_mini.languages.token_store import TokenizedText, read_tokens, write_tokens
from mlm_mini.languages.tokenizer import train_wordpiece
from mlm_mini.model import ModelConfig, deterministic
from mlm_mini.training import CheckpointError, Reporter, TrainingConfig, TrainingError, draw_evaluation, loop, train
from mlm_mini.training import checkpoint as checkpoint_module
from mlm_mini.training import run as run_module
from mlm_mini.training.checkpoint import Checkpoint, has_checkpoint, load_checkpoint, save_checkpoint

STEPS, EVERY = 10, 3
CONFIG = TrainingConfig.of(steps=STEPS, batch_size=6, micro_batches=2, mask_ratio=0.4, split=(0.8, 0.1, 0.1))


def small_model(vocabulary, **changes):
    """Dropout is on, so that PyTorch's generator matters as well."""
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    dropout = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
    return ModelConfig(vocab_size=len(vocabulary), max_position_embeddings=32, **shape | dropout | changes)


def markov(seed=0):
    return SampledSentences(markov_language(6), seed)


def run(out=None, config=CONFIG, source=None, **options):
    source = source or markov()
    ids = source.language.sample(20, np.random.default_rng(1)).ids if isinstance(source, SampledSentences) else None
    evaluation = None if ids is None else draw_evaluation(ids, source.vocabulary, config, np.random.default_rng(2))
    settings = {"checkpoint_every": EVERY, "evaluate_every": 2, "device": "cpu", "evaluation": evaluation} | options
    return train(small_model(source.vocabulary), source, config, out=out, **settings)


def same_weights(one, other):
    pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
    return all(torch.equal(mine, theirs) for mine, theirs in pairs)


class StopAt(Reporter):
    """Fails after a step, as a power cut would."""

    def __init__(self, step):
        self.step = step

    def stepped(self, step, *_):
        if step == self.step:
            raise KeyboardInterrupt


def interrupted(out, step, **options):
    with pytest.raises(KeyboardInterrupt):
        run(out, report=StopAt(step), **options)


# ---------------------------------------------------------------- killed

RUNS = """if True:
    import json, os, signal, sys, traceback
    import torch
    torch.set_num_threads(1)
    sys.path.insert(0, sys.argv[1])
    import test_checkpoint as t
    from mlm_mini.training import checkpoint
    # PyTorch imports its compiler for the first optimizer, which takes seconds: once, before the processes part.
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])

    def run(out, event, nth):
        count = {"step": 0, "fsync": 0, "replace": 0, "replaced": 0}

        def happens(name):
            count[name] += 1
            if (name, count[name]) == (event, nth):
                os.kill(os.getpid(), signal.SIGKILL)

        fsync, replace = os.fsync, os.replace
        class Shown(t.Reporter):
            def stepped(self, *_):
                happens("step")
        def fsync_or_die(descriptor):
            happens("fsync")
            fsync(descriptor)
        def replace_or_die(*paths):
            happens("replace")
            replace(*paths)
            happens("replaced")
        checkpoint.os.fsync, checkpoint.os.replace = fsync_or_die, replace_or_die
        t.run(out, resume=True, report=Shown())

    for out, event, nth in json.loads(sys.argv[2]):
        if child := os.fork():
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            continue
        try:
            run(out, event, nth)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes of the kind that SIGKILL ends on this system")
def test_a_run_killed_again_and_again_ends_as_one_that_was_not(tmp_path):
    deaths = [
        ("step", 2),  # before there is a checkpoint
        ("step", 5),  # between two
        ("fsync", 2),  # with one of three files written
        ("replace", 1),  # with all written, but under another name
        ("replaced", 1),  # just after
    ]
    runs = [("killed", *death) for death in deaths] + [("killed", "never", 0), ("left alone", "never", 0)]
    command = [sys.executable, "-c", RUNS, os.path.dirname(__file__), json.dumps(runs)]
    # A process that has looked for a GPU cannot fork others that do, and AdamW looks.
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
    assert [int(line) for line in done.stdout.split()] == [-signal.SIGKILL] * len(deaths) + [0, 0], done.stderr
    killed, alone = load_checkpoint(tmp_path / "killed"), load_checkpoint(tmp_path / "left alone")
    assert killed.state["step"] == alone.state["step"] == STEPS
    assert killed.state["checksums"] == alone.state["checksums"]  # of weights, optimizer and PyTorch's generator
    for name in ("source_state", "mask_generator", "tokens", "predictions"):
        assert killed.state[name] == alone.state[name]
    without_time = [
        [{key: value for key, value in point.items() if key != "seconds"} for point in run.state["curve"]]
        for run in (killed, alone)
    ]
    assert without_time[0] == without_time[1]
    assert not list((tmp_path / "killed").glob("*.partial"))


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    texts = [f"The chef number {i} cuts the bread." for i in range(20)]
    wordpiece = train_wordpiece(texts, 250)
    file = tmp_path_factory.mktemp("text") / "t.npy"
    write_tokens(file, wordpiece, texts)
    tokens = read_tokens(file, wordpiece.vocabulary)
    return lambda: TextBlocks(tokens, wordpiece.vocabulary, 12, seed=3)


@pytest.mark.parametrize("objective", ["masked", "causal"])
@pytest.mark.parametrize("kind", ["sentences", "blocks"])
def test_any_source_and_objective_goes_on_to_the_same_weights(objective, kind, blocks, tmp_path):
    source = blocks if kind == "blocks" else markov
    config = TrainingConfig(steps=STEPS, batch_size=7, objective=objective)
    interrupted(tmp_path, 8, config=config, source=source())
    whole = run(config=config, source=source())
    resumed = run(tmp_path, config=config, source=source(), resume=True)
    assert same_weights(resumed.model, whole.model)
    assert [point[:5] for point in resumed.curve] == [point[:5] for point in whole.curve]


@pytest.mark.skipif(GPU != "cuda", reason="no GPU here whose generator is kept")
def test_a_run_on_a_gpu_goes_on_to_the_same_weights(tmp_path):
    """Where its operations are asked to be deterministic; dropout draws from a generator of the GPU's."""
    with deterministic():
        interrupted(tmp_path, 8, device=GPU)
        whole, resumed = run(device=GPU), run(tmp_path, device=GPU, resume=True)
    assert same_weights(resumed.model, whole.model)


@pytest.mark.parametrize("device", DEVICES)
def test_a_run_may_go_on_in_other_parts_and_elsewhere(device, tmp_path):
    """As one does for want of memory, or on another machine: the sums are rounded otherwise, and nothing else."""
    dry = small_model(markov().vocabulary, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    source = {"evaluate_every": 2, "checkpoint_every": EVERY}
    with pytest.raises(KeyboardInterrupt):
        train(dry, markov(), CONFIG, out=tmp_path, device="cpu", report=StopAt(8), **source)
    whole = train(dry, markov(), CONFIG, device="cpu", **source)
    other = train(dry, markov(), replace(CONFIG, micro_batches=3), out=tmp_path, device=device, resume=True, **source)
    for mine, theirs in zip(whole.model.parameters(), other.model.cpu().parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-3)
    assert not same_weights(whole.model, other.model)


def test_training_touches_the_generator_of_its_device_alone(monkeypatch):
    """And puts it back."""
    before = torch.get_rng_state()
    for module in (torch.cuda, torch.mps):
        monkeypatch.setattr(module, "manual_seed", lambda seed: pytest.fail("a GPU was seeded"))
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: pytest.fail("all GPUs were seeded"))
    run(config=replace(CONFIG, steps=1))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_generator_of_the_runs_gpu_is_kept_and_given_back(monkeypatch):
    """With stand-ins for a GPU; of all its generators that of one device is asked."""
    state, told, gpu = torch.arange(16, dtype=torch.uint8), [], torch.device("cuda", 1)
    with torch.random.fork_rng([]):
        made = run_module.Run.start(small_model(markov().vocabulary), markov(), CONFIG, torch.device("cpu"))
        made.one_step()
        monkeypatch.setattr(run_module.Run, "device", gpu)
        monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: (told.append(device), state)[1])
        monkeypatch.setattr(torch.cuda, "set_rng_state", lambda *given: told.append(given))
        kept = made.checkpoint()
        assert torch.equal(kept.optimizer["cuda_generator"], state)
        made.restore(replace(kept, state=json.loads(json.dumps(kept.state))))
    asked, (given, device) = told
    assert asked == device == gpu
    assert torch.equal(given, state)


def test_the_seconds_of_a_run_go_on_as_well(tmp_path, monkeypatch):
    """With a clock that ticks once when it is read, so that every step takes a second."""
    monkeypatch.setattr(run_module.time, "perf_counter", itertools.count().__next__)
    interrupted(tmp_path, 8)
    assert load_checkpoint(tmp_path).state["seconds"] == 6
    assert [(point.step, point.seconds) for point in run(tmp_path, resume=True).curve] == [
        (step, step) for step in (2, 4, 6, 8, 10)
    ]


def test_a_run_that_had_ended_is_left_as_it_is(tmp_path):
    first = run(tmp_path)
    again = run(tmp_path, resume=True)
    assert same_weights(first.model, again.model)
    assert again.curve == first.curve


def test_resuming_where_nothing_is_starts(tmp_path):
    assert same_weights(run(tmp_path / "new", resume=True).model, run().model)


# ---------------------------------------------------------------- files


def a_checkpoint(step=3):
    return Checkpoint({"step": step}, {"w": torch.arange(3.0)}, {"w.step": torch.tensor(2.0), "torch": torch.ones(4)})


def test_what_is_saved_is_loaded(tmp_path):
    folder = save_checkpoint(tmp_path / "deep" / "run", a_checkpoint())
    assert folder.name == "step-00000003"
    loaded = load_checkpoint(tmp_path / "deep" / "run")
    assert loaded.state["step"] == 3
    assert torch.equal(loaded.model["w"], torch.arange(3.0))
    assert loaded.optimizer.keys() == {"w.step", "torch"}


@pytest.mark.skipif(os.name == "nt", reason="Windows writes the list of a folder by itself")
def test_each_file_and_both_folders_are_on_the_disk_in_the_right_order(tmp_path, monkeypatch):
    """The files and their folder before it gets its name, and the folder with that name after."""
    events = []
    fsync, replace = os.fsync, os.replace

    def seen_fsync(descriptor):
        fsync(descriptor)
        events.append(os.fstat(descriptor).st_ino)

    def seen_replace(*paths):
        replace(*paths)
        events.append("renamed")

    monkeypatch.setattr(checkpoint_module.os, "fsync", seen_fsync)
    monkeypatch.setattr(checkpoint_module.os, "replace", seen_replace)
    folder = save_checkpoint(tmp_path, a_checkpoint())
    assert set(events[:3]) == {path.stat().st_ino for path in folder.iterdir()}
    assert events[3:] == [folder.stat().st_ino, "renamed", tmp_path.stat().st_ino]


def test_windows_is_not_asked_to_open_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint_module, "os", SimpleNamespace(name="nt"))  # and nothing else is asked of it
    checkpoint_module._force_to_disk(tmp_path)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts what is open by way of /proc")
@pytest.mark.parametrize("full", [False, True])
def test_nothing_is_left_open(full, tmp_path, monkeypatch):
    def fsync(_):
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    before = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(checkpoint_module.os, "fsync", fsync)
    with pytest.raises(OSError, match="No space left") if full else contextlib.nullcontext():
        checkpoint_module._force_to_disk(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_the_last_two_are_kept(tmp_path):
    for step in (3, 6, 9, 12):
        save_checkpoint(tmp_path, a_checkpoint(step))
    assert sorted(os.listdir(tmp_path)) == ["step-00000009", "step-00000012"]


def test_the_last_is_that_of_the_largest_number_however_many_digits_it_has(tmp_path):
    for step in (99_999_999, 100_000_000):
        save_checkpoint(tmp_path, a_checkpoint(step))
    assert load_checkpoint(tmp_path).state["step"] == 100_000_000
    save_checkpoint(tmp_path, a_checkpoint(100_000_001))
    assert sorted(os.listdir(tmp_path)) == ["step-100000000", "step-100000001"]


def test_a_folder_of_another_name_is_no_checkpoint(tmp_path):
    for name in ("step-", "step-\u00b2", "step-\u0663", "step-two", "step-00000003.partial"):
        (tmp_path / name).mkdir()
    assert not has_checkpoint(tmp_path)


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_full_disk_leaves_the_last_good_checkpoint(nth, tmp_path, monkeypatch):
    save_checkpoint(tmp_path, a_checkpoint(3))
    calls = []

    def fsync(_):
        calls.append(1)
        if len(calls) == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(checkpoint_module.os, "fsync", fsync)
    with pytest.raises(
        OSError, match=r"step-00000006 could not be written \(No space left.*last good .*step-00000003"
    ) as full:
        save_checkpoint(tmp_path, a_checkpoint(6))
    assert full.value.errno == errno.ENOSPC
    assert os.listdir(tmp_path) == ["step-00000003"]
    assert load_checkpoint(tmp_path).state["step"] == 3


def test_a_run_whose_disk_fills_up_can_be_taken_up_again(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        saved = []

        def save(out, checkpoint):
            saved.append(checkpoint)
            if len(saved) == 2:
                patch.setattr(checkpoint_module, "_write", full_disk)
            return save_checkpoint(out, checkpoint)

        def full_disk(*_):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        patch.setattr(loop, "save_checkpoint", save)
        with pytest.raises(OSError, match=r"step-00000006 .*last good checkpoint is .*step-00000003"):
            run(tmp_path)
    assert same_weights(run(tmp_path, resume=True).model, run().model)


def test_a_first_checkpoint_that_cannot_be_written_says_that_there_is_none(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="there is no checkpoint yet"):
        save_checkpoint(tmp_path / "file" / "run", a_checkpoint())


def test_half_a_checkpoint_of_a_killed_run_is_cleared_away(tmp_path):
    (tmp_path / "step-00000003.partial").mkdir()
    (tmp_path / "step-00000003.partial" / "model.safetensors").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="there is no checkpoint in"):
        load_checkpoint(tmp_path)
    save_checkpoint(tmp_path, a_checkpoint(6))
    assert os.listdir(tmp_path) == ["step-00000006"]


def damage(folder, name, how):
    file = folder / name
    if how == "missing":
        file.unlink()
    elif how == "cut short":
        file.write_bytes(file.read_bytes()[:-7])
    elif how == "a byte changed":
        content = bytearray(file.read_bytes())
        content[-2] ^= 1
        file.write_bytes(content)
    else:
        file.write_text(how)


DAMAGES = [
    ("model.safetensors", "missing", "damaged or incomplete"),
    ("model.safetensors", "cut short", "checksum"),
    ("optimizer.safetensors", "a byte changed", "checksum"),
    ("state.json", "missing", "damaged or incomplete"),
    ("state.json", "cut short", "damaged or incomplete"),
    ("state.json", '{"format": "of another program"}', "not a checkpoint of this course"),
    ("state.json", "[1]", "not a checkpoint of this course"),
    ("state.json", "[" * 100_000, "damaged or incomplete"),
    ("optimizer.safetensors", "missing", "damaged or incomplete"),
    ("state.json", json.dumps({"format": checkpoint_module.FORMAT}), "damaged or incomplete"),
]


@pytest.mark.parametrize(("name", "how", "message"), DAMAGES)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(name, how, message, tmp_path):
    save_checkpoint(tmp_path, a_checkpoint(3))
    damage(save_checkpoint(tmp_path, a_checkpoint(6)), name, how)
    with pytest.warns(UserWarning, match=rf"step-00000006.*{message}.*going on from .*step-00000003 instead"):
        assert load_checkpoint(tmp_path).state["step"] == 3
    shutil.rmtree(tmp_path / "step-00000003")
    with pytest.raises(CheckpointError, match=rf"step-00000006.*{message}.*no checkpoint is left"):
        load_checkpoint(tmp_path)


def test_a_run_goes_on_from_the_checkpoint_before_a_damaged_one(tmp_path):
    interrupted(tmp_path, 8)
    damage(tmp_path / "step-00000006", "model.safetensors", "cut short")
    with pytest.warns(UserWarning, match="damaged"):
        resumed = run(tmp_path, resume=True)
    assert same_weights(resumed.model, run().model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the damaged one was written anew
        run(tmp_path, resume=True)


# ---------------------------------------------------------------- runs that do not fit


def test_a_folder_with_a_run_is_not_overwritten(tmp_path):
    interrupted(tmp_path, 4)
    with pytest.raises(CheckpointError, match="already holds a run: resume it, or choose another folder"):
        run(tmp_path)
    assert os.listdir(tmp_path) == ["step-00000003"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"config": TrainingConfig(steps=STEPS, batch_size=6)},
            r"mask_ratio was 0.4 and is now 0.15, split was",
        ),
        ({"source": SampledSentences(markov_language(6, seed=1), 0)}, r"text was '\w+' and is now '\w+'"),
        ({"source": SampledSentences(markov_language(7), 0)}, r"text was "),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_with_the_difference(change, message, tmp_path):
    interrupted(tmp_path, 4)
    with pytest.raises(CheckpointError, match=f"does not fit this run: .*{message}"):
        run(tmp_path, resume=True, **change)
    assert os.listdir(tmp_path) == ["step-00000003"]


def test_a_run_that_is_to_be_longer_is_told_how_one_goes_on_instead(stopped):
    longer = replace(CONFIG, steps=STEPS + 5)
    with pytest.raises(
        CheckpointError, match=r"steps was 10 and is now 15 \(the learning .* --from OUT --out NEW goes on"
    ):
        run(stopped, resume=True, config=longer)
    with pytest.raises(CheckpointError, match=r"seed was 0 and is now 1$"):
        run(stopped, resume=True, config=replace(CONFIG, seed=1))


def test_a_run_with_muon_is_resumed_to_the_last_bit(tmp_path):
    muon = replace(CONFIG, optimizer="muon")
    interrupted(tmp_path, 4, config=muon)
    checkpoint = load_checkpoint(tmp_path)
    kept = {name.rpartition(".")[2] for name in checkpoint.optimizer if name.startswith("blocks.0.expand.weight.")}
    assert kept == {"momentum_buffer"}
    assert "head.bias.exp_avg" in checkpoint.optimizer
    with pytest.raises(CheckpointError, match="optimizer was 'muon' and is now 'adamw'"):
        run(tmp_path, resume=True)
    whole = run(config=muon).model
    assert not same_weights(whole, run().model)
    assert same_weights(run(tmp_path, resume=True, config=muon).model, whole)


def test_muons_momentum_is_checked_like_adamws_moments(tmp_path):
    muon = replace(CONFIG, optimizer="muon")
    interrupted(tmp_path, 4, config=muon)
    checkpoint = load_checkpoint(tmp_path)
    name = "blocks.0.expand.weight.momentum_buffer"
    checkpoint.optimizer[name] = checkpoint.optimizer[name][:3].contiguous()
    save_checkpoint(tmp_path, checkpoint)
    with pytest.raises(CheckpointError, match=rf"{name} has shape \(3, 16\): expected \(32, 16\)"):
        run(tmp_path, resume=True, config=muon)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    interrupted(tmp_path, 4)
    wider = small_model(markov().vocabulary, hidden_size=32)
    with pytest.raises(CheckpointError, match=r"hidden_size was 16 and is now 32$"):
        train(wider, markov(), CONFIG, out=tmp_path, resume=True, device="cpu")


@pytest.mark.parametrize("name", ["start", "model", "training", "text", "length"])
def test_a_checkpoint_that_does_not_say_of_which_run_it_is_is_of_another(name, stopped, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(stopped, out)
    changed(out, without("state", name))
    if name == "start":  # where None is what a run without one says
        run(out, resume=True)
    else:
        with pytest.raises(CheckpointError, match=rf"does not fit this run: {name} was None and is now"):
            run(out, resume=True)


def test_rows_of_another_length_are_another_run(blocks, tmp_path):
    interrupted(tmp_path, 4, source=blocks())
    shorter = TextBlocks(TokenizedText(blocks()._text.base, np.array([0, 1])), blocks().vocabulary, 10, seed=3)
    shorter.fingerprint = blocks().fingerprint  # which is that of the text
    with pytest.raises(CheckpointError, match="does not fit this run: length was 12 and is now 10"):
        run(tmp_path, resume=True, source=shorter)


def test_a_run_of_a_gpu_goes_on_without_one(stopped, tmp_path, monkeypatch):
    """Its checkpoint holds a state of the generator of the GPU, which is then of no use."""
    out = tmp_path / "run"
    shutil.copytree(stopped, out)
    state = torch.zeros(16, dtype=torch.uint8)
    changed(out, lambda checkpoint: checkpoint.optimizer.update(cuda_generator=state))
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda *_: pytest.fail("a GPU was given the state"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same_weights(run(out, resume=True).model, run().model)


def test_a_checkpoint_that_lacks_something_is_refused(tmp_path):
    interrupted(tmp_path, 4)
    checkpoint = load_checkpoint(tmp_path)
    del checkpoint.optimizer["head.bias.exp_avg"]
    save_checkpoint(tmp_path, checkpoint)
    with pytest.raises(CheckpointError, match=r"step-00000003 is damaged or incomplete .head.bias.exp_avg is missing"):
        run(tmp_path, resume=True)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_the_run_before_the_weights_are_touched(bad, tmp_path, monkeypatch):
    accumulate = run_module.accumulate_gradient
    losses = []

    def spoiled(*args):
        losses.append(accumulate(*args))
        return losses[-1] * bad if len(losses) == 5 else losses[-1]

    with monkeypatch.context() as patch:
        patch.setattr(run_module, "accumulate_gradient", spoiled)
        with pytest.raises(TrainingError, match=rf"at step 5 the loss is {bad} .*learning_rate below 0.003"):
            run(tmp_path)
    assert os.listdir(tmp_path) == ["step-00000003"]
    assert same_weights(run(tmp_path, resume=True).model, run().model)


def test_a_gradient_that_is_no_number_stops_the_run(monkeypatch):
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: torch.tensor(float("nan")))
    with pytest.raises(TrainingError, match="its gradient has norm nan"):
        run()


# ---------------------------------------------------------------- what is wrong inside


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that was stopped with two checkpoints, of steps 3 and 6."""
    out = tmp_path_factory.mktemp("stopped") / "run"
    interrupted(out, 8)
    return out


def changed(folder, change, step=6):
    """The checkpoint of a step with something else in it, and checksums that fit."""
    path = folder / f"step-{step:08d}"
    checkpoint = checkpoint_module.read_checkpoint(path)
    change(checkpoint)
    shutil.rmtree(path)
    path.mkdir()
    checkpoint_module._write(path, checkpoint)


def put(*names_and_value):
    *names, last, value = names_and_value

    def change(checkpoint):
        inner = checkpoint.state
        for name in names:
            inner = inner[name]
        inner[last] = value

    return change


def tensor(part, name, become):
    def change(checkpoint):
        tensors = getattr(checkpoint, part)
        tensors[name] = become(tensors[name])

    return change


def without(part, name):
    return lambda checkpoint: getattr(checkpoint, part).pop(name)


BIAS = "head.bias.exp_avg"
WRONG_INSIDE = [
    *((put("step", value), "step is ") for value in ("6", [6], None, -1, 0, 1_000_000, True, 6.0, 10**400)),
    *((put("tokens", value), "tokens is ") for value in ("6", None, -1, 2.5)),
    (put("predictions", [1]), "predictions is "),
    *((put("seconds", value), "seconds is ") for value in ("1", None, -1.0, {}, 10**400)),
    *((put("losses", value), "losses is ") for value in ("12", None, [1.0], 3)),
    (put("losses", [None, 2]), r"losses\[0\] is None: expected a finite number"),
    (put("losses", [1.0, 7]), r"losses\[1\] is 7: expected an integer from 0 to 6"),
    (put("curve", {}), "curve is {}: expected a list"),
    (put("curve", 0, "x"), r"curve\[0\] is 'x'"),
    (put("curve", 0, "step", 7), r"curve\[0\].step is 7: expected an integer from 1 to 6"),
    (put("curve", 0, "step", 0), r"curve\[0\].step is 0: expected an integer from 1 to 6"),
    (put("curve", 1, "step", 2), r"curve\[1\].step is 2: expected an integer from 3 to 6"),
    (put("curve", 0, "loss", None), r"curve\[0\].loss is None: expected a finite number"),
    (put("curve", 0, "tokens", "many"), r"curve\[0\].tokens is 'many'"),
    (put("source_state", []), r"source_state is \[\]: expected an object"),
    (put("source_state", "uinteger", 2**32), "source_state: uinteger is 4294967296: expected an integer from 0"),
    (put("mask_generator", "state", "state", 2**128), "mask_generator: state is 3402"),
    (put("mask_generator", "state", "inc", -1), "mask_generator: inc is -1"),
    (put("mask_generator", "state", 5), "mask_generator: state is 5"),
    (put("mask_generator", "bit_generator", "MT19937"), "bit_generator is 'MT19937': expected 'PCG64'"),
    (put("mask_generator", "has_uint32", 2), "has_uint32 is 2"),
    (tensor("optimizer", BIAS, lambda t: t[:3]), r"head.bias.exp_avg has shape \(3,\): expected \(25,\)"),
    (tensor("optimizer", BIAS, lambda t: t[:, None]), r"shape \(25, 1\): expected \(25,\)"),
    (tensor("optimizer", BIAS, lambda t: t.double()), "dtype torch.float64: expected torch.float32"),
    (tensor("optimizer", BIAS, lambda t: t * float("nan")), "head.bias.exp_avg holds NaN or infinity"),
    (tensor("optimizer", "head.bias.exp_avg_sq", lambda t: t - 1), "head.bias.exp_avg_sq is -.*expected squares"),
    (tensor("optimizer", "head.bias.step", lambda t: t + 1), "head.bias.step is 7.0: expected the step of the run, 6"),
    (tensor("optimizer", "torch_generator", lambda t: t[:9]), "torch_generator is no state of a generator"),
    (tensor("optimizer", "torch_generator", lambda t: t.float()), "torch_generator is torch.float32"),
    (without("optimizer", "torch_generator"), "torch_generator is missing"),
    (tensor("model", "head.bias", lambda t: t[:3]), r"head.bias has shape \(3,\)"),
    (without("model", "head.bias"), "head.bias is missing"),
    (lambda checkpoint: checkpoint.model.update(more=torch.ones(1)), "more is not a tensor of this run"),
    (lambda checkpoint: checkpoint.optimizer.update(more=torch.ones(1)), "more is not a tensor of this run"),
    (lambda checkpoint: checkpoint.optimizer.update(cuda_generator=torch.ones(9)), "cuda_generator is torch.float32"),
    (
        tensor("optimizer", "torch_generator", lambda t: t[:, None]),
        r"torch_generator is torch.uint8 of shape \(\d+, 1\)",
    ),
    (tensor("model", "head.bias", lambda t: t / 0), "head.bias holds NaN or infinity"),
    (lambda checkpoint: checkpoint.state["curve"][0].pop("gap"), r"curve\[0\] is .*: expected an object with step, "),
    (put("curve", 0, "more", 1), r"curve\[0\] is .*: expected an object with step, "),
    (put("curve", 0, "gap", "x"), r"curve\[0\].gap is 'x': expected a finite number"),
    (put("curve", 0, "predictions", -1), r"curve\[0\].predictions is -1: expected an integer, 0 or more"),
    (put("losses", [1.0, -1]), r"losses\[1\] is -1"),
    *((without("state", name), f"{name} is missing") for name in ("seconds", "losses", "curve", "mask_generator")),
]


@pytest.mark.parametrize(("change", "message"), WRONG_INSIDE)
def test_what_is_wrong_inside_is_named_and_the_one_before_it_used(change, message, stopped, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(stopped, out)
    changed(out, change)
    begun = []

    class Begun(Reporter):
        def begin(self, steps, step, *_):
            begun.append(step)
            raise KeyboardInterrupt

    with (
        pytest.warns(UserWarning, match=rf"(?s)step-00000006 is damaged or incomplete.*{message}.*step-00000003"),
        pytest.raises(KeyboardInterrupt),
    ):
        run(out, resume=True, report=Begun())
    assert begun == [3]
    shutil.rmtree(out / "step-00000003")
    with pytest.raises(CheckpointError, match=rf"(?s){message}.*no checkpoint is left to go on from; start again"):
        run(out, resume=True)


def test_a_run_that_goes_on_before_a_wrong_checkpoint_ends_the_same(stopped, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(stopped, out)
    changed(out, put("losses", "x"))
    with pytest.warns(UserWarning, match="losses is 'x'"):
        assert same_weights(run(out, resume=True).model, run().model)


@pytest.mark.parametrize(("name", "value"), [("place", 1000), ("place", -1), ("epoch", "0"), ("seed", None)])
def test_a_place_that_is_not_in_the_text_is_refused(name, value, blocks):
    source = blocks()
    before = source.state
    with pytest.raises(ValueError, match=f"{name} is {value!r}: expected an integer"):
        source.state = before | {name: value}
    assert source.state == before


# ---------------------------------------------------------------- what a run is evaluated on


def test_a_run_goes_on_with_its_own_evaluation_set_alone(stopped, tmp_path):
    out = tmp_path / "run"
    shutil.copytree(stopped, out)
    language = markov(0).language
    other = draw_evaluation(
        language.sample(20, np.random.default_rng(9)).ids, language.vocabulary, CONFIG, np.random.default_rng(2)
    )
    for evaluation in (other, None):
        with pytest.raises(CheckpointError, match=r"does not fit this run: evaluation was '\w+' and is now"):
            run(out, resume=True, evaluation=evaluation)
    for step in (3, 6):
        changed(out, without("state", "evaluation"), step)  # as older code wrote them
    assert run(out, resume=True).curve[-1].step == STEPS
