"""Whether a run works in bfloat16 is tried once, where it is left open, and never changes in its course."""

import itertools
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from mlm_mini.__main__ import main
from mlm_mini.languages import markov_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import ModelConfig
from mlm_mini.training import CheckpointError, TrainingConfig, Workers, loop, precision, train
from mlm_mini.training import run as run_module
from mlm_mini.training.checkpoint import load_checkpoint
from mlm_mini.training.precision import EMULATED, PAYS, TURNS, bfloat16_pays, settled
from mlm_mini.training.stored_state import check_numbers

CPU = torch.device("cpu")
CONFIG = TrainingConfig(steps=6, batch_size=8, micro_batches=2, precision="fastest")


@pytest.fixture
def clock(monkeypatch):
    """Seconds of the two ways, [float32, bfloat16], and what was gone in which order."""
    clock = {"times": [1.0, 1.0], "gone": []}

    def seconds(way, device):
        way()
        return clock["times"][clock["gone"][-1]] * (100 if len(clock["gone"]) <= 2 else 1)  # a slow warm-up

    monkeypatch.setattr(precision, "_seconds", seconds)
    return clock


@pytest.mark.parametrize(("low", "pays"), [(0.99 * PAYS, True), (1.01 * PAYS, False), (1.0, False), (3.9, False)])
def test_bfloat16_has_to_be_clearly_faster(low, pays, clock):
    clock["times"] = [1.0, low]
    assert bfloat16_pays(clock["gone"].append, CPU) is pays
    assert clock["gone"] == [False, True] * (1 + TURNS)


@pytest.mark.parametrize(
    ("exact", "low", "pays"),
    [([9, 1, 1, 1], [9, 0.7, 3, 3], True), ([9, 5, 1, 5], [9, 0.9, 0.9, 0.9], False)],
)
def test_the_best_of_the_turns_counts(exact, low, pays, monkeypatch):
    """The first is a warm-up; then the moment may be a bad one."""
    seconds = iter([time for turn in zip(exact, low, strict=True) for time in turn])
    monkeypatch.setattr(precision, "_seconds", lambda way, device: next(seconds))
    assert bfloat16_pays(lambda low: None, CPU) is pays


@pytest.mark.parametrize(
    ("platform", "device", "events"),
    [
        ("linux", "cpu", ["process_time", "way", "process_time"]),
        ("win32", "cpu", ["perf_counter", "way", "perf_counter"]),
        ("linux", "cuda", ["perf_counter", "way", "synchronize", "perf_counter"]),
        ("darwin", "mps", ["perf_counter", "way", "perf_counter"]),
    ],
)
def test_a_cpu_is_timed_by_what_it_computes_and_a_gpu_until_it_is_done(platform, device, events, monkeypatch):
    seen, ticks = [], itertools.count(0, 3)

    def clock(name):
        return lambda: (seen.append(name), next(ticks))[1]

    clocks = {name: clock(name) for name in ("process_time", "perf_counter")}
    monkeypatch.setattr(precision, "time", SimpleNamespace(**clocks))
    monkeypatch.setattr(precision, "sys", SimpleNamespace(platform=platform))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: seen.append("synchronize"))
    assert precision._seconds(lambda: seen.append("way"), torch.device(device)) == 3
    assert seen == events


def test_what_is_emulated_is_tried_once(clock):
    clock["times"] = [1.0, 1.1 * EMULATED]
    assert not bfloat16_pays(clock["gone"].append, CPU)
    assert clock["gone"] == [False, True]


def test_workers_take_the_same_turns_and_hold_the_same(clock):
    """The first one finds that it pays, and another one, which is slower for a moment, follows."""
    asked = []
    clock["times"] = [1.0, 2 * EMULATED]
    assert bfloat16_pays(clock["gone"].append, CPU, lambda own: asked.append(own) or len(asked) > TURNS + 1)
    assert asked == [True] * (TURNS + 1) + [False]
    assert len(clock["gone"]) == 2 * (1 + TURNS)


def test_only_what_is_left_open_is_tried():
    for given, device, found in (
        ("float32", "cpu", False),
        ("bfloat16", "cpu", True),
        ("bfloat16", "cuda", True),
        ("fastest", "cpu", None),
        ("fastest", "cuda", None),
        ("fastest", "mps", False),
    ):
        assert settled(replace(CONFIG, precision=given), torch.device(device)) is found
    with pytest.raises(ValueError, match="precision is 'half': expected 'float32', 'bfloat16' or 'fastest'"):
        replace(CONFIG, precision="half")


def trained(config=CONFIG, **options):
    language = markov_language()
    shape = ModelConfig.tiny(len(language.vocabulary), hidden_dropout_prob=0.1)
    return train(shape, SampledSentences(language, 0), config, device="cpu", **options)


def weights(result):
    return torch.cat([weight.detach().flatten() for weight in result.model.parameters()])


def decide(monkeypatch, pays):
    def tried(gradient, device, agreed):
        with torch.random.fork_rng([]):
            gradient(True), gradient(False)
        return agreed(pays)

    monkeypatch.setattr(run_module, "bfloat16_pays", tried)


@pytest.mark.parametrize(("pays", "same_as"), [(True, "bfloat16"), (False, "float32")])
def test_a_trial_changes_nothing_but_the_precision(pays, same_as, monkeypatch):
    known = trained(replace(CONFIG, precision=same_as))
    decide(monkeypatch, pays)
    assert torch.equal(weights(trained()), weights(known))


def test_the_two_precisions_are_two_and_near_each_other():
    exact, low = (weights(trained(replace(CONFIG, precision=name))) for name in ("float32", "bfloat16"))
    assert not torch.equal(exact, low)
    assert exact.dtype == low.dtype == torch.float32
    assert (exact - low).norm() < 0.1 * exact.norm()


@pytest.mark.parametrize(("device", "devices"), [("cpu", []), ("cuda", [torch.device("cuda", 1)])])
def test_the_generator_of_the_gpu_is_put_back_and_that_of_no_other(device, devices, monkeypatch):
    """After a trial, and after a run."""
    asked, on = [], torch.device("cuda", 1) if device == "cuda" else CPU

    def fork(given):
        asked.append(given)
        raise Stopped

    monkeypatch.setattr(torch.random, "fork_rng", fork)
    monkeypatch.setattr(loop, "check_memory", lambda *_: None)
    monkeypatch.setattr(Workers, "choose_device", lambda *_: on)
    source = SampledSentences(markov_language(6), 0)
    for begin in (
        lambda: bfloat16_pays(lambda low: None, on),
        lambda: train(ModelConfig.tiny(len(source.vocabulary)), source, CONFIG),
    ):
        with pytest.raises(Stopped):
            begin()
    assert asked == [devices] * 2


def test_the_generators_of_dropout_are_put_back():
    before = torch.get_rng_state()
    bfloat16_pays(lambda low: torch.rand(3), CPU)
    assert torch.equal(torch.get_rng_state(), before)


class Stopped(Exception):
    pass


def stop(step, model):
    if step == 4:
        raise Stopped


@pytest.mark.parametrize("pays", [True, False])
def test_a_run_goes_on_as_it_began(pays, tmp_path, monkeypatch):
    """A trial on a busier machine may find otherwise; the weights are still those of a run in one piece."""
    decide(monkeypatch, pays)
    whole = trained()
    with pytest.raises(Stopped):
        trained(out=tmp_path, checkpoint_every=2, after_step=stop)
    decide(monkeypatch, not pays)
    assert torch.equal(weights(trained(out=tmp_path, checkpoint_every=2, resume=True)), weights(whole))
    assert load_checkpoint(tmp_path).state["low"] is pays


def test_a_precision_that_is_given_holds_from_there_on(tmp_path, monkeypatch):
    decide(monkeypatch, True)
    whole = trained()
    with pytest.raises(Stopped):
        trained(out=tmp_path, checkpoint_every=2, after_step=stop)
    assert load_checkpoint(tmp_path).state["low"]
    result = trained(replace(CONFIG, precision="float32"), out=tmp_path, checkpoint_every=2, resume=True)
    assert load_checkpoint(tmp_path).state["low"] is False
    assert 0 < (weights(result) - weights(whole)).norm() < 0.1 * weights(whole).norm()


def test_what_a_checkpoint_says_of_it_is_true_or_false(tmp_path):
    trained(replace(CONFIG, precision="float32"), out=tmp_path)
    state = load_checkpoint(tmp_path).state
    check_numbers(state, CONFIG.steps)
    check_numbers({name: value for name, value in state.items() if name != "low"}, CONFIG.steps)
    with pytest.raises(CheckpointError, match="low is 'yes': expected true or false"):
        check_numbers(state | {"low": "yes"}, CONFIG.steps)


@pytest.mark.parametrize(("options", "precision"), [([], "fastest"), (["--precision", "float32"], "float32")])
def test_train_is_as_fast_as_the_machine_allows_unless_told_otherwise(options, precision, tmp_path, monkeypatch):
    class Seen(Exception):
        pass

    def seen(language, size, config, *_, **__):
        raise Seen(config.precision)

    monkeypatch.setattr("mlm_mini.training.train_folder", seen)
    with pytest.raises(Seen, match=precision):
        main(["train", "--language", "scenes", "--out", str(tmp_path / "model"), *options])


def test_the_models_of_the_course_are_float32(tmp_path):
    from mlm_mini.training import LANGUAGES

    for entry in LANGUAGES.values():
        assert entry.recipe("mini", device="cpu").precision == "float32"
    assert json.loads(json.dumps(CONFIG.to_dict()))["precision"] == "fastest"
