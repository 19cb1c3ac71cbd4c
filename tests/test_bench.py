"""Speed is measured by `course.py bench` and never here: these tests are about the measuring."""

import contextlib
import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mlm_mini import __main__ as command_line
from mlm_mini import bench
from mlm_mini.bench import BenchRow, medians
from mlm_mini.course import check_times
from mlm_mini.course.exercises import all_exercises
from mlm_mini.experiments.lab.timing import take_turns
from mlm_mini.model import ModelConfig
from mlm_mini.widgets.steps import widget_steps

FIELDS = ["name", "ours", "peer", "peer_name", "ratio", "unit", "limit"]


def sleeper(milliseconds, log, name):
    def way():
        log.append(name)
        time.sleep(milliseconds / 1e3)

    return way


def test_both_take_turns_and_the_first_turn_is_not_counted():
    log, first = [], [50]

    def ours():
        log.append("ours")
        time.sleep(first.pop() / 1e3 if first else 0)

    quick, slow = medians(3, ours, sleeper(20, log, "peer"))
    assert log == ["ours", "peer"] * 4
    assert quick < slow
    assert slow >= 20


def test_a_row_says_whether_the_promise_was_kept():
    kept, broken = BenchRow("a", 10.0, 40.0, "b", 3.0), BenchRow("a", 10.0, 20.0, "b", 3.0)
    assert (kept.ratio, kept.kept, broken.kept) == (4.0, True, False)
    assert kept.text() == "a: 10.0 ms; b: 40.0 ms; ratio 4.00, at least 3 was promised"
    assert "ratio 2.00, LESS than the 3 promised" in broken.text()
    assert list(kept.to_dict()) == FIELDS


@pytest.mark.parametrize(("peer", "status"), [(40.0, 0), (20.0, 1)])
def test_the_command_prints_every_row_and_fails_below_a_limit(monkeypatch, capsys, peer, status):
    rows = [BenchRow("first", 1.0, 9.0, "other", 1.0), BenchRow("second", 10.0, peer, "other", 3.0)]
    monkeypatch.setattr(bench, "measure", lambda: iter(rows))
    assert command_line.main(["bench", "--json"]) == status
    printed = capsys.readouterr()
    content = json.loads(printed.out)
    assert [row["name"] for row in content["rows"]] == ["first", "second"]
    assert all(list(row) == FIELDS for row in content["rows"])
    assert "cores" in content["machine"]["machine"]
    assert ("LESS than" in printed.err) == bool(status)


def test_every_row_can_be_measured_and_every_widget_has_one(one_thread, monkeypatch):
    monkeypatch.setattr(bench, "BERT_WORDS", 300)
    monkeypatch.setattr(bench, "GPU_BATCH", 2)
    few = {name: exercise for name, exercise in all_exercises().items() if name.startswith("01.")}
    monkeypatch.setattr(check_times, "all_exercises", lambda: few)
    rows = list(bench.measure(rounds=1))
    assert all(row.ours > 0 and row.peer > 0 for row in rows)
    named = " ".join(row.name for row in rows)
    widgets = (
        "cloze",
        "mask ratio",
        "leak",
        "attention",
        "floor and noise",
        "knobs",
        "strategy",
        "projection",
        "probe",
        "joint",
        "unmasking",
    )
    for part in ("vmap", "training step", "posterior on English", "first check", "a check,", *widgets):
        assert part in named
    with pytest.raises(ValueError, match="rounds is 0: expected at least 1"):
        next(bench.measure(rounds=0))


def test_the_ways_to_step_are_one_model_and_one_loss(one_thread, monkeypatch):
    """So that their times can be compared; the rows of a GPU are made of the same three."""
    monkeypatch.setattr(bench, "BERT_WORDS", 300)
    losses, sizes, cross_entropy = [], [], torch.nn.functional.cross_entropy

    def seen(*arguments, **options):
        losses.append(cross_entropy(*arguments, **options))
        sizes.append(len(arguments[0]))
        return losses[-1]

    monkeypatch.setattr(torch.nn.functional, "cross_entropy", seen)
    config = ModelConfig.tiny(300, max_position_embeddings=bench.LENGTH)
    few, everywhere, theirs = ways = bench._ways_to_step(config, 2, torch.device("cpu"))
    for way in ways:
        way()
        assert all(weight.grad is not None for weight in way.model.parameters() if weight.requires_grad)
        way.forget()
        assert all(weight.grad is None for weight in way.model.parameters())
    assert few.model is everywhere.model is not theirs.model
    assert sizes == [2 * bench.PREDICTED, 2 * bench.LENGTH, 2 * bench.LENGTH]
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=1e-5)
    assert losses[2].item() == pytest.approx(np.log(300), rel=0.1)  # other weights, and as ignorant


@pytest.mark.parametrize(("device", "waits"), [("cuda:3", ["synchronize cuda:3"]), ("cpu", [])])
def test_a_step_is_over_when_the_gpu_is_done(device, waits, monkeypatch):
    """A GPU works on after the call that asks it to; who does not wait for it times the asking."""
    log, weight = [], torch.nn.Parameter(torch.ones(2))
    weight.register_hook(lambda gradient: log.append("backward"))
    model = torch.nn.ParameterList([weight])
    model.config = SimpleNamespace(hidden_size=2)

    def loss():
        log.append("forward")
        return weight.square().sum()

    monkeypatch.setattr(bench.Step, "device", torch.device(device))
    monkeypatch.setattr(bench, "autocast", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: log.append(f"synchronize {device}"))
    for name in ("memory_allocated", "reset_peak_memory_stats", "max_memory_allocated"):
        monkeypatch.setattr(torch.cuda, name, lambda device, name=name: log.append(name) or 0)
    step = bench.Step(model, loss)
    take_turns([step], 1)
    assert log == ["forward", "backward", *waits] * 2
    log.clear()
    step.mebibytes()
    assert log[2:] == ["forward", "backward", *waits, "max_memory_allocated"]


def sides(rows):
    return [(row.ours, row.peer, row.peer_name, row.limit, row.unit) for row in rows]


def test_each_side_of_a_training_step_is_its_own(monkeypatch):
    """Ours is on the left, its peer on the right, in time and in memory."""
    gpu = torch.device("cuda")
    ways = [SimpleNamespace(device=gpu, ms=ms, mebibytes=lambda ms=ms: 10 * ms) for ms in (1.0, 3.0, 7.0)]
    monkeypatch.setattr(bench, "medians", lambda rounds, *ways: [way.ms for way in ways])
    transformers = "transformers.BertForMaskedLM"
    times = [(1, 3, "logits everywhere", 1, "ms"), (1, 7, transformers, 1, "ms"), (3, 7, transformers, 0.9, "ms")]
    rows = list(bench._training_steps(1, ways, " of base"))
    assert sides(rows) == [*times, (10, 30, "logits everywhere", 1, "MiB"), (10, 70, transformers, 1, "MiB")]
    few_, few_too, everywhere_ = (row.name for row in rows[:3])
    assert few_ == few_too == "a training step of base, logits at 15% of the tokens"
    assert everywhere_ == "a training step of base, logits everywhere"
    ways[0].device = torch.device("cpu")
    assert sides(bench._training_steps(1, ways)) == times


def test_the_time_of_a_gradient_is_that_of_vmap_beside_the_loop(monkeypatch):
    times = SimpleNamespace(vmap=np.array([9.0, 1.0, 2.0]), loop=np.array([30.0, 50.0, 10.0]))
    monkeypatch.setattr(bench, "time_gradients", lambda *_: times)
    assert sides([bench._gradients(3)]) == [(2, 30, "one draw after the other", 3, "ms")]


def test_what_a_learner_waits_for_is_beside_what_was_promised(monkeypatch):
    def found(_):
        raise AssertionError("there is no GPU")

    monkeypatch.setattr(bench, "choose_device", lambda: torch.device("cpu"))
    monkeypatch.setattr(bench, "_training_steps_on_a_gpu", found)
    monkeypatch.setattr(bench, "_gradients", lambda rounds: BenchRow("gradient", 1.0, 2.0, "loop", 1.0))
    monkeypatch.setattr(bench, "_ways_to_step", lambda *_: [])
    monkeypatch.setattr(bench, "_training_steps", lambda *_: iter([]))
    monkeypatch.setattr(bench, "_posteriors", lambda: SimpleNamespace(ms=11.0))
    monkeypatch.setattr(bench, "widget_steps", lambda: iter([("leak", None, SimpleNamespace(ms=13.0))]))
    monkeypatch.setattr(bench, "medians", lambda rounds, way: [way.ms])
    monkeypatch.setattr(bench, "first_check", lambda rounds: 17.0)
    monkeypatch.setattr(bench, "check_times", lambda: [19.0] * 99 + [1e6])
    assert [(row.name, row.ours, row.peer, row.limit) for row in bench.measure(1)][1:] == [
        ("a posterior on English", 11, bench.POSTERIOR_MS, 1),
        ("a step of the leak", 13, bench.STEP_MS, 1),
        ("the first check in a fresh process", 17, bench.FIRST_CHECK_MS, 1),
        ("a check, of all exercises the 95th percentile", 19, bench.CHECK_MS, 1),
    ]


def test_memory_is_that_of_a_step_beside_the_weights(one_thread, monkeypatch):
    monkeypatch.setattr(bench, "BERT_WORDS", 300)
    config = ModelConfig.tiny(300, max_position_embeddings=bench.LENGTH)
    way, log = bench._ways_to_step(config, 2, torch.device("cpu"))[0], []
    way()

    def reads(name, mib):
        def read(device):
            log.append((name, way.model.head.bias.grad is not None))
            return mib * 2**20

        return read

    for name, mib in (("memory_allocated", 100), ("reset_peak_memory_stats", 0), ("max_memory_allocated", 150)):
        monkeypatch.setattr(torch.cuda, name, reads(name, mib))
    assert way.mebibytes() == 50
    # Gradients kept from the step before would count as if a step did not need them.
    assert log == [("memory_allocated", False), ("reset_peak_memory_stats", False), ("max_memory_allocated", True)]


def test_a_batch_that_does_not_fit_is_halved(monkeypatch):
    tried = []

    def warm(config, batch, device):
        tried.append(batch)
        return [batch] if batch <= 16 else []

    monkeypatch.setattr(bench, "_warm", warm)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a small GPU")
    monkeypatch.setattr(bench, "_training_steps", lambda rounds, ways, who: iter([(*ways, who)]))
    rows = list(bench._training_steps_on_a_gpu(1, torch.device("cuda")))
    assert tried == [64, 32, 16]
    assert rows == [(16, " of base, 16 rows, on a small GPU")]
    monkeypatch.setattr(bench, "_warm", lambda config, batch, device: [])
    assert list(bench._training_steps_on_a_gpu(1, torch.device("cuda"))) == []


@pytest.mark.parametrize("last", [1, 2, 4, None])
def test_steps_are_warm_or_there_are_none(last, monkeypatch):
    """last: the step that finds no memory left."""
    gone = []

    def step():
        gone.append(1)
        if len(gone) == last:
            raise torch.OutOfMemoryError

    monkeypatch.setattr(bench, "_ways_to_step", lambda *_: [step, step, step])
    ways = bench._warm(ModelConfig.tiny(300), 4, torch.device("cpu"))
    assert ways == ([] if last else [step, step, step])
    assert len(gone) == (last or 9)


def test_a_step_of_a_widget_changes_what_it_shows(one_thread):
    for name, widget, step in widget_steps():
        for _ in range(3):
            before = widget.status.value
            step()
            assert widget.status.value != before, name
