"""Several processes train one model: what comes out is what one process makes, however many there are, or die."""

import contextlib
import datetime
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import filelock
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from together import COMMAND, CONFIGS, SHORT, STEPS, run

from mlm_mini import __main__ as command_line
from mlm_mini.languages import markov_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import ModelConfig
from mlm_mini.training import CheckpointError, TrainingConfig, TrainingError, Workers, causal_batch, loop, train
from mlm_mini.training.batch_share import share_of
from mlm_mini.training.checkpoint import load_checkpoint
from mlm_mini.training.memory import reckoned_bytes
from mlm_mini.training.out_folder import note_launch, was_interrupted
from mlm_mini.training.workers import ONE_WORKER, one_after_the_other

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
    assert workers.launch == f"x {os.getppid()}"  # of two on one machine each has a name
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
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(ValueError, match="device is mps, and there are 4 workers: give --device cpu"):
        workers.choose_device("mps")
    assert ONE_WORKER.choose_device("cuda:0") == torch.device("cuda", 0)


def test_a_share_of_a_model_is_handed_to_nobody():
    config = TrainingConfig(steps=1, batch_size=4)
    Workers(count=2).check(config, hands_model_over=True)
    with pytest.raises(ValueError, match="reads the model, of which with fsdp no worker has more than a share"):
        Workers(count=2, fsdp=True).check(config, hands_model_over=True)
    with pytest.raises(ValueError, match="optimizer is 'muon', which works with whole matrices"):
        Workers(count=2, fsdp=True).check(replace(config, optimizer="muon"))
    Workers(count=2).check(replace(config, optimizer="muon"))


@pytest.mark.parametrize("given", [{"after_step": print}, {"objective": print}])
def test_whoever_reads_the_model_on_the_way_is_told_that_there_is_only_a_share(given):
    source, shared = SampledSentences(markov_language(6), 0), Workers(count=2, fsdp=True)
    with pytest.raises(ValueError, match="reads the model, of which with fsdp no worker has more than a share"):
        train(
            ModelConfig.tiny(25), source, TrainingConfig(steps=1, batch_size=4), workers=shared, device="cpu", **given
        )


@pytest.mark.parametrize("rank", [0, 1])
def test_the_first_worker_alone_asks_whether_there_is_a_run_already(rank, tmp_path, monkeypatch):
    """The others may see what it has written just now."""

    class Joined(Exception):
        pass

    def join(*_):
        raise Joined

    (tmp_path / "step-00000001").mkdir()
    monkeypatch.setattr(loop, "joined", join)
    source, config = SampledSentences(markov_language(6), 0), TrainingConfig(steps=1, batch_size=4)
    with pytest.raises(Joined if rank else CheckpointError):
        train(ModelConfig.tiny(25), source, config, out=tmp_path, workers=Workers(rank=rank, count=2), device="cpu")


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

    for lost in (
        "[third_party/gloo/transport/tcp/pair.cc:537] Read error [127.0.0.1]:1: Connection reset by peer.",
        "NCCL error in: ProcessGroupNCCL.cpp:2356, remote process exited or there was a network error",
    ):
        with pytest.raises(TrainingError, match="the connection to another worker is lost"), told_of_lost_workers():
            raise RuntimeError(lost)
    with pytest.raises(RuntimeError, match="shapes"), told_of_lost_workers():
        raise RuntimeError("shapes")


@pytest.mark.parametrize(
    ("device", "backend", "on"),
    [("cpu", "gloo", []), ("cuda:1", "cpu:gloo,cuda:nccl", [torch.device("cuda", 1)])],
)
@pytest.mark.parametrize("error", [None, RuntimeError("shapes"), RuntimeError("NCCL error")])
def test_workers_meet_in_this_life_and_wait_for_each_other_unless_one_fails(device, backend, on, error, monkeypatch):
    from mlm_mini.training import distributed

    events, store, patience = [], object(), datetime.timedelta(minutes=30)
    stand_ins = {
        "is_initialized": lambda: False,
        "rendezvous": lambda url, timeout: (events.append((url, timeout)), iter([(store, 3, 4)]))[1],
        "PrefixStore": lambda prefix, inner: (prefix, inner),
        "init_process_group": lambda backend, **how: events.append((backend, how)),
        "barrier": lambda: events.append("all are here"),
        "destroy_process_group": lambda: events.append("left"),
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(distributed.dist, name, stand_in)
    monkeypatch.setattr(torch.cuda, "set_device", events.append)
    raised = TrainingError if "NCCL" in str(error) else RuntimeError
    told = pytest.raises(raised, match=r"shapes|is lost") if error else contextlib.nullcontext()
    with told, distributed.process_group(Workers(rank=3, count=4, restarts=1), torch.device(device)):
        events.append("within")
        if error:
            raise error
    how = {"store": ("1 of 4", store), "rank": 3, "world_size": 4, "timeout": patience}
    end = ["left"] if error else ["all are here", "left"]
    assert events == [*on, ("env://", patience), (backend, how), "within", *end]


@pytest.mark.parametrize("rank", [0, 1])
def test_a_share_has_the_rows_of_its_rank_and_a_name_for_the_whole_batch(rank):
    batch = causal_batch(markov_language(6).sample(5, np.random.default_rng(0)).ids, markov_language(6).vocabulary)
    share = share_of(batch, Workers(rank=rank, count=2), 7)
    assert torch.equal(share.labels, batch.labels[rank::2])
    assert share.count_labels() == batch.count_labels() == 5 * 7
    assert share.checksum == share_of(batch, Workers(rank=1 - rank, count=2), 7).checksum
    others = [replace(batch, **{name: getattr(batch, name).flip(0)}) for name in ("ids", "labels")]
    named = [share_of(*given).checksum for given in ((o, ONE_WORKER, 7) for o in others)]
    assert len({share.checksum, *named, share_of(batch, ONE_WORKER, 8).checksum}) == 4


def test_each_item_is_done_by_one_worker_and_told_to_all(monkeypatch):
    """Four items and three workers: all of them call equally often, two of them for nothing."""
    from mlm_mini.training import distributed

    kept, called = [], []

    def square(item):
        called.append(item)
        return item**2

    def gathered(said, mine):
        kept.append(mine)
        said[:] = (kept * 3)[:3] if len(kept) <= 3 else kept[:3]

    monkeypatch.setattr(distributed.dist, "all_gather_object", gathered)
    found = []
    for rank in (0, 1, 2, 0, 1, 2):  # the first time to hear what each has to say
        run = SimpleNamespace(workers=Workers(rank=rank, count=3))
        found.append(distributed.SharedRun._map_together(run, square, iter([2, 3, 4, 5])))
    assert found[3:] == [[4, 9, 16, 25]] * 3
    assert called[:6] == [2, 5, 3, 5, 4, 5]


def test_all_hold_what_the_first_worker_has_found(monkeypatch):
    from mlm_mini.training import distributed

    def broadcast(said, src):
        assert src == 0
        said.fill_(1 - said)

    monkeypatch.setattr(distributed.dist, "broadcast", broadcast)
    run = SimpleNamespace(device=torch.device("cpu"))
    assert [distributed.SharedRun.agreed(run, low) for low in (True, False)] == [False, True]


@pytest.mark.parametrize(("device", "ids"), [("cpu", None), ("cuda:1", [torch.device("cuda", 1)])])
@pytest.mark.parametrize("fsdp", [False, True])
def test_a_model_is_put_on_the_gpu_whole_unless_it_is_shared_out(device, ids, fsdp, monkeypatch):
    from mlm_mini.training import distributed

    device, config, begun = torch.device(device), TrainingConfig(steps=1), []

    def begin(cls, *how):
        begun.append(how)
        return SimpleNamespace(model="whole", optimizer="of the whole", objective=None)

    monkeypatch.setattr(distributed.SharedRun, "start", classmethod(begin))
    monkeypatch.setattr(distributed, "DistributedDataParallel", lambda model, **how: (model, how["device_ids"]))
    monkeypatch.setattr(distributed, "_sharded", lambda *how: how)
    monkeypatch.setattr(distributed, "make_optimizer", lambda *how: how)
    run = distributed.SharedRun.join(Workers(count=2, fsdp=fsdp), "shape", "text", config, device, "asks", "from")
    assert begun == [("shape", "text", config, torch.device("cpu") if fsdp else device, "asks", "from")]
    assert run.replica == (("whole", device, 2) if fsdp else ("whole", ids))
    assert run.optimizer == (("whole", config) if fsdp else "of the whole")


def test_the_seed_of_a_run_seeds_the_dropout_of_its_workers():
    import torch.distributed as dist

    from mlm_mini.training.distributed import SharedRun

    source, seeds = SampledSentences(markov_language(6), 0), []
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    try:
        with torch.random.fork_rng([]):
            for seed in (0, 1, 0):
                config = TrainingConfig.of(steps=1, batch_size=2, seed=seed, mask_ratio=0.5)
                run = SharedRun.join(ONE_WORKER, ModelConfig.tiny(25), source, config, torch.device("cpu"))
                run.one_step()
                seeds.append(torch.initial_seed())
    finally:
        dist.destroy_process_group()
    assert seeds[0] == seeds[2] != seeds[1]


def test_one_worker_of_a_machine_after_the_other_makes_what_is_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    lock = filelock.FileLock(tmp_path / "workers.lock")
    with one_after_the_other(Workers(count=2)), pytest.raises(filelock.Timeout):
        lock.acquire(timeout=0)
    with lock, one_after_the_other(ONE_WORKER):  # who is alone waits for nobody
        pass


def test_a_run_is_gone_on_with_by_the_workers_of_its_own_launch_alone(tmp_path):
    first, again = Workers(count=2, launch="a 1"), Workers(count=2, launch="a 1", restarts=1)
    assert not was_interrupted(tmp_path, again)  # nobody has begun
    note_launch(tmp_path, first)
    assert [was_interrupted(tmp_path, workers) for workers in (first, again)] == [False, True]
    note_launch(tmp_path, ONE_WORKER)  # which has no name, and leaves that of others
    assert was_interrupted(tmp_path, again)
    assert not was_interrupted(tmp_path, replace(again, launch="a 2"))
    (tmp_path / ".launch").write_bytes(b"\xff")
    assert not was_interrupted(tmp_path, again)


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
