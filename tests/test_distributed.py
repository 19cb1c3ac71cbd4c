"""Several processes train one model: what comes out is what one process makes, however many there are, or die."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from together import COMMAND, CONFIGS, SHORT, STEPS, run

from mlm_mini import __main__ as command_line
from mlm_mini.model import ModelConfig
from mlm_mini.training import TrainingConfig, TrainingError, Workers
from mlm_mini.training.checkpoint import load_checkpoint
from mlm_mini.training.memory import reckoned_bytes
from mlm_mini.training.workers import ONE_WORKER

CLOSE = 1e-5
pytestmark = pytest.mark.usefixtures("one_thread")


def torchrun(count, piece, folder, *options):
    """Start workers of `together.py`; returns what each of them has found, and what torchrun said."""
    program = [str(Path(__file__).with_name("together.py")), piece, str(folder)]
    line = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count), *options, *program]
    # A worker that looks for a GPU takes seconds for it, and the test is of the CPU.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [sys.executable, *line], capture_output=True, text=True, env=environment, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads((folder / f"{piece}-{rank}.json").read_text()) for rank in range(count)], done.stderr


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """The folder of two workers, and what each has found."""
    folder = tmp_path_factory.mktemp("two")
    found, _ = torchrun(2, "two", folder)
    return folder, found


def assert_same_weights(one, other, close=CLOSE):
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(
            tensor, other[name], atol=close, rtol=0, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize("name", CONFIGS)
def test_two_workers_have_the_losses_and_the_weights_of_one(name, two, tmp_path):
    folder, found = two
    config = CONFIGS[name]
    result, losses = run(config, tmp_path)
    assert len(losses) == config.steps
    assert found[0][name] == pytest.approx(losses, abs=CLOSE)
    assert found[1][name] == []  # the first worker alone reports
    theirs, mine = load_checkpoint(folder / name), load_checkpoint(tmp_path)
    assert_same_weights(theirs.model, mine.model)
    assert_same_weights(result.model.state_dict(), mine.model, close=0)
    for what in ("step", "tokens", "predictions", "source_state", "mask_generator"):
        assert theirs.state[what] == mine.state[what]
    for their_point, my_point in zip(theirs.state["curve"], mine.state["curve"], strict=True):
        assert their_point["loss"] == pytest.approx(my_point["loss"], abs=CLOSE)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The weights of a run by one process that nobody stopped."""
    folder = tmp_path_factory.mktemp("alone")
    run(SHORT, folder)
    return load_checkpoint(folder).model


@pytest.mark.parametrize("name", ["ddp stopped", "fsdp stopped"])
def test_what_two_have_begun_one_can_end(name, two, alone, tmp_path):
    folder = tmp_path / name
    shutil.copytree(two[0] / name, folder)
    assert load_checkpoint(folder).state["step"] < STEPS
    _, losses = run(SHORT, folder, resume=True)
    assert len(losses) == STEPS - 6
    assert_same_weights(load_checkpoint(folder).model, alone)


def test_what_two_have_begun_three_can_end(two, alone, tmp_path):
    for name in ("ddp stopped", "fsdp stopped"):
        shutil.copytree(two[0] / name, tmp_path / name)
    torchrun(3, "three", tmp_path)
    for name in ("ddp stopped", "fsdp stopped"):
        ended = load_checkpoint(tmp_path / name)
        assert ended.state["step"] == STEPS
        assert_same_weights(ended.model, alone)


def test_with_dropout_as_many_workers_go_on_to_the_same_bits(two):
    whole, stopped = (load_checkpoint(two[0] / name).state for name in ("dropout", "dropout stopped"))
    assert whole["step"] == stopped["step"] == STEPS
    assert whole["checksums"] == stopped["checksums"]


def test_the_command_goes_on_after_a_worker_was_killed(tmp_path, capsys):
    found, said = torchrun(2, "command", tmp_path, "--max-restarts", "1")
    assert "exitcode: -9" in said  # of SIGKILL
    assert found == [{"restarts": 1, "status": 0}] * 2
    assert "going on after step 50 of 60" in said
    assert command_line.main([*COMMAND, str(tmp_path / "alone")]) == 0
    theirs, mine = (load_file(tmp_path / name / "model.safetensors") for name in ("out", "alone"))
    assert_same_weights(theirs, mine)


def test_gradients_are_added_up_once_in_a_step_however_many_parts_it_has(two):
    counts = two[1][0]["reductions"]
    assert counts["1"] == counts["4"] > 0


def test_with_fsdp_a_worker_keeps_its_share_alone(two):
    kept = [found["numbers kept"] for found in two[1]]
    assert sum(kept) == two[1][0]["numbers"]
    assert max(kept) < 0.55 * sum(kept)


def test_dropout_is_another_for_each_worker_and_step(two):
    seeds = [seed for found in two[1] for seed in found["seeds"]]
    assert len(set(seeds)) == 4


def test_a_loss_that_is_no_number_stops_all_workers_alike(two):
    told = [found["no number"] for found in two[1]]
    assert told[0] == told[1]
    assert told[0].startswith("at step 1 the loss is nan")


def test_workers_who_read_different_texts_are_told(two):
    told = [found["another text"] for found in two[1]]
    assert told[0] == told[1]
    assert "worker 1 has drawn another batch than worker 0" in told[0]


# ---------------------------------------------------------------- without other processes


TOLD = {"TORCHELASTIC_RUN_ID": "x", "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}


@pytest.fixture
def torchruns(monkeypatch):
    """The environment of the last of four workers, the second on its machine."""
    for name, value in TOLD.items():
        monkeypatch.setenv(name, value)


def test_a_worker_knows_what_torchrun_says(torchruns, monkeypatch):
    workers = Workers.of_torchrun(fsdp=True)
    assert (workers.rank, workers.count, workers.local_rank, workers.here) == (3, 4, 1, 2)
    assert workers.fsdp
    assert (workers.alone, workers.leads, workers.restarts) == (False, False, 0)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert Workers.of_torchrun().restarts == 1
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")  # a number of processes that another program has set says nothing
    assert Workers.of_torchrun() == ONE_WORKER


@pytest.mark.parametrize("count", [1, 2, 3, 5])
@pytest.mark.parametrize("micro_batches", [1, 3, 5, 12])
def test_all_workers_take_as_many_parts_none_empty_and_none_larger_than_that_of_one(count, micro_batches):
    config = TrainingConfig(steps=1, batch_size=12, micro_batches=micro_batches)
    shares = [range(12)[Workers(rank=rank, count=count).rows()] for rank in range(count)]
    assert sorted(row for rows in shares for row in rows) == list(range(12))
    parts = Workers(count=count).parts(config)
    assert min(map(len, shares)) >= parts
    assert -(-max(map(len, shares)) // parts) <= max(-(-12 // micro_batches), 2)


def test_what_workers_cannot_do_is_one_sentence(torchruns, monkeypatch, tmp_path, capsys):
    line = ["train", "--size", "tiny", "--steps", "1", "--device", "cpu", "--out", str(tmp_path)]
    assert command_line.main([*line, "--batch-size", "3", "--micro-batches", "1"]) == 1
    assert "batch_size is 3, and there are 4 workers" in capsys.readouterr().err
    on_gpu = ["cuda" if word == "cpu" else word for word in line]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert command_line.main(on_gpu) == 1
    assert "device is 'cuda', which this machine does not have" in capsys.readouterr().err
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert command_line.main(on_gpu) == 1
    assert "2 workers were started here, and there are 1 GPUs" in capsys.readouterr().err
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")
    assert command_line.main([*line, "--fsdp"]) == 1
    assert "with --fsdp several workers share the weights out, and this one is alone" in capsys.readouterr().err


def test_each_worker_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    workers = Workers(rank=3, count=4, local_rank=1, here=2)
    assert workers.choose_device("cuda") == torch.device("cuda", 1)
    assert ONE_WORKER.choose_device("cuda") == torch.device("cuda")
    with pytest.raises(ValueError, match="device is cuda:0, and there are 4 workers"):
        workers.choose_device("cuda:0")


def test_a_share_of_a_model_is_handed_to_nobody():
    config = TrainingConfig(steps=1, batch_size=4)
    Workers(count=2).check(config, hands_model_over=True)
    with pytest.raises(ValueError, match="reads the model, of which with fsdp no worker has more than a share"):
        Workers(count=2, fsdp=True).check(config, hands_model_over=True)
    with pytest.raises(ValueError, match="optimizer is 'muon', which works with whole matrices"):
        Workers(count=2, fsdp=True).check(replace(config, optimizer="muon"))
    Workers(count=2).check(replace(config, optimizer="muon"))


def test_workers_need_less_memory_each():
    config = TrainingConfig(steps=1, batch_size=64, micro_batches=1)
    model, on = ModelConfig.base(), torch.device("cpu")
    one, four, shared = (
        list(reckoned_bytes(model, config, 128, on, workers).values())
        for workers in (ONE_WORKER, Workers(count=4), Workers(count=4, fsdp=True))
    )
    assert four[0] == one[0]
    assert shared[0] == pytest.approx(one[0] / 4, abs=16)  # a share is rounded up to a number
    for kept in (four, shared):
        assert kept[2] == one[2] / 4  # what the blocks keep


def test_a_lost_connection_is_one_sentence_and_any_other_error_is_itself():
    from mlm_mini.training.distributed import told_of_lost_workers

    lost = "[third_party/gloo/transport/tcp/pair.cc:537] Read error [127.0.0.1]:1: Connection reset by peer."
    with pytest.raises(TrainingError, match="the connection to another worker is lost"), told_of_lost_workers():
        raise RuntimeError(lost)
    with pytest.raises(RuntimeError, match="shapes"), told_of_lost_workers():
        raise RuntimeError("shapes")


def test_one_process_loads_nothing_of_the_others(tmp_path):
    code = f"""if True:
        import sys
        from mlm_mini.__main__ import main
        assert main({[*COMMAND[:-3], "--steps", "1", "--out", str(tmp_path / "out")]!r}) == 0
        import torch
        print("mlm_mini.training.distributed" in sys.modules, torch.distributed.is_initialized())
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False"
    assert not (tmp_path / "out" / ".launch").exists()
