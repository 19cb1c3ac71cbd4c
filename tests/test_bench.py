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
from mlm_mini.bench import data, growth, learner, limits, quality, steps, whole_steps
from mlm_mini.bench.row import BenchRow, Side, Times, in_turns, medians
from mlm_mini.bench.whole_steps import Work
from mlm_mini.course import check_times
from mlm_mini.course.exercises import all_exercises
from mlm_mini.model import ModelConfig
from mlm_mini.training.masking import Masking
from mlm_mini.widgets.steps import widget_steps

CPU = torch.device("cpu")
FIELDS = ["name", "ours", "peer", "peer_name", "ratio", "unit", "limit"]
ADDED = ["ours_spread", "peer_spread", "ours_setting", "peer_setting", "share"]


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


def test_each_side_takes_turns_at_its_best_setting():
    log = []
    ours = Side("ours", {"1 thread": sleeper(30, log, "slow"), "2 threads": sleeper(5, log, "quick")})
    found, peer = in_turns([ours, Side("peer", {"": sleeper(15, log, "peer")})], 3)
    assert log[-8:] == ["quick", "peer"] * 4
    assert (found.name, found.setting, peer.setting) == ("ours", "2 threads", "")
    assert 5 <= found.spread[0] <= found.median <= found.spread[1] < peer.median
    row = found.beside(peer, "a row", 2.0, share=0.5)
    assert (row.ours, row.peer, row.ours_setting, row.share) == (found.median, peer.median, "2 threads", 0.5)
    assert row.ratio == peer.median / found.median


def test_a_slow_version_makes_the_ratio_fall():
    """What a row is for: the same work, and ten milliseconds that somebody added to it."""
    quick, slow, peer = in_turns(
        [Side(name, {"": sleeper(ms, [], name)}) for name, ms in (("was", 5), ("is", 15), ("peer", 20))], 3
    )
    before, after = (own.beside(peer, "a row", 2.0) for own in (quick, slow))
    assert before.kept
    assert not after.kept
    assert after.ratio < before.ratio


def test_a_row_says_whether_the_promise_was_kept():
    kept, broken = BenchRow("a", 10.0, 40.0, "b", 3.0), BenchRow("a", 10.0, 20.0, "b", 3.0)
    assert (kept.ratio, kept.kept, broken.kept) == (4.0, True, False)
    assert kept.text() == "a: 10.0 ms; b: 40.0 ms; ratio 4.00, at least 3 was promised"
    assert "ratio 2.00, LESS than the 3 promised" in broken.text()
    assert list(kept.to_dict()) == FIELDS + ADDED
    told = BenchRow("a", 10.0, 40.0, "b", 3.0, "ms", (9.0, 11.0), (38.5, 41.0), "2 parts", "1 thread", 0.25)
    assert "a: 10.0 ms (9 to 11, 2 parts); b: 40.0 ms (38.5 to 41, 1 thread); ratio" in told.text()
    assert told.text().endswith("; 25% of the device's rate")
    assert json.loads(json.dumps(told.to_dict()))["ours_spread"] == [9.0, 11.0]


@pytest.mark.parametrize(("peer", "status"), [(40.0, 0), (20.0, 1)])
def test_the_command_prints_every_row_and_fails_below_a_limit(monkeypatch, capsys, peer, status):
    rows = [BenchRow("first", 1.0, 9.0, "other", 1.0), BenchRow("second", 10.0, peer, "other", 3.0)]
    asked = {}
    monkeypatch.setattr(bench, "measure", lambda **how: asked.update(how) or iter(rows))
    assert command_line.main(["bench", "--only", "step", "--device", "cpu", "--threads", "3", "--json"]) == status
    assert {name: asked[name] for name in ("only", "device", "threads")} == {
        "only": "step",
        "device": "cpu",
        "threads": 3,
    }
    printed = capsys.readouterr()
    content = json.loads(printed.out)
    assert [row["name"] for row in content["rows"]] == ["first", "second"]
    assert all(list(row) == FIELDS + ADDED for row in content["rows"])
    assert "cores" in content["machine"]["machine"]
    assert ("LESS than" in printed.err) == bool(status)


def test_a_peer_that_is_not_installed_is_named(monkeypatch, capsys):
    def missing():
        raise ModuleNotFoundError("No module named 'other'", name="other")
        yield

    groups = {"first": missing, "second": lambda: iter([BenchRow("a", 1.0, 2.0, "b", 1.0)])}
    monkeypatch.setattr(bench, "groups", lambda *_: groups)
    assert command_line.main(["bench"]) == 0
    shown = " ".join(capsys.readouterr().err.split())
    assert "first: left out, since the peer's package other is missing" in shown
    assert "-m pip install other" in shown
    assert "a: 1.0 ms" in shown
    assert command_line.main(["bench", "--only", "first"]) == 1  # nothing was measured
    with pytest.raises(ModuleNotFoundError):
        list(bench.measure(only="first"))


def test_groups_are_known_by_name(monkeypatch):
    asked = []
    names = list(bench.groups(1, CPU, 1))
    assert set(bench.ON_REQUEST) < set(names)
    monkeypatch.setattr(
        bench, "groups", lambda *_: {name: lambda name=name: iter(asked.append(name) or []) for name in names}
    )
    list(bench.measure())
    assert asked == [name for name in names if name not in bench.ON_REQUEST]
    asked.clear()
    list(bench.measure(only="floor"))
    assert asked == ["floor"]
    for wrong, said in (
        ({"only": "speed"}, "there are no rows called 'speed': expected one of step, memory"),
        ({"rounds": 0}, "rounds is 0: expected at least 1"),
        ({"threads": 0}, "threads is 0: expected at least 1"),
    ):
        with pytest.raises(ValueError, match=said):
            next(bench.measure(**wrong))
    assert command_line.main(["bench", "--only", "speed"]) == 1


# ---------------------------------------------------------------- whole steps


@pytest.fixture
def work():
    return Work(ModelConfig.tiny(300, hidden_size=64, max_position_embeddings=32), 4, 16, CPU)


def test_all_sides_of_a_step_train_a_model_of_the_same_size(work, one_thread):
    """On the same text, with as many predictions but for chance; and each step changes the weights."""
    pytest.importorskip("transformers")
    sizes = {
        name: sum(p.numel() for p in make(work.shape, work.length).parameters())
        for name, make in whole_steps.PEERS.items()
    }
    assert sizes["BertForMaskedLM"] == work.shape.count_parameters()
    small = ModelConfig.small(8192)
    modern = sum(p.numel() for p in whole_steps.modern_bert(small, 128).parameters())
    assert modern == pytest.approx(small.count_parameters(), rel=0.02)
    for side in (
        whole_steps.ours(work, "float32", 2),
        whole_steps.peer(work, "BertForMaskedLM", "float32", 2),
        whole_steps.peer(work, "ModernBertForMaskedLM", "bfloat16", 2),
    ):
        assert len(side.ways) >= 2
        for way in side.ways.values():
            way()
        assert torch.get_num_threads() == 1


def test_a_step_of_a_peer_is_a_step(work, monkeypatch, one_thread):
    pytest.importorskip("transformers")
    made = []
    monkeypatch.setitem(
        whole_steps.PEERS, "BertForMaskedLM", lambda *how: made.append(whole_steps.bert(*how)) or made[-1]
    )
    way = next(iter(whole_steps.peer(work, "BertForMaskedLM", "float32", 1).ways.values()))
    before = [weight.detach().clone() for weight in made[0].parameters()]
    way()
    moved = [not torch.equal(new, old) for new, old in zip(made[0].parameters(), before, strict=True)]
    assert sum(moved) > 0.9 * len(moved)  # positions beyond the rows have no gradient, and AdamW moves them no less
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in made[0].parameters())


def test_our_settings_are_threads_and_parts(work):
    assert list(whole_steps.ours(work, "float32", 2).ways) == [
        "1 thread",
        "2 threads",
        "2 parts, 2 threads",
        "4 parts, 2 threads",
    ]
    assert list(whole_steps.ours(work, "float32", 1).ways) == ["1 thread", "2 parts, 1 thread"]


def test_the_collator_hides_as_we_do():
    pytest.importorskip("transformers")
    vocabulary = whole_steps.random_vocabulary(300)
    ids = torch.from_numpy(np.random.default_rng(0).integers(5, 300, (64, 128)))
    ids[:, 0] = vocabulary.cls_id
    batch = whole_steps.collator_of(vocabulary)(list(ids))
    asked = batch["labels"] != -100
    assert asked.float().mean().item() == pytest.approx(whole_steps.RATIO, abs=0.01)
    assert not asked[:, 0].any()
    assert (batch["input_ids"][asked] == vocabulary.mask_id).float().mean().item() == pytest.approx(0.8, abs=0.05)


def times(name, median):
    return Times(name, median, (median, median), "")


def test_the_rows_of_a_step_have_the_right_sides(work, monkeypatch):
    """Beside BERT in the same precision, beside BERT at its best, and beside the fastest of all."""
    made = {
        "ours, float32": 10.0, "ours, bfloat16": 8.0,
        "transformers.BertForMaskedLM, float32": 40.0, "transformers.BertForMaskedLM, bfloat16": 30.0,
        "transformers.ModernBertForMaskedLM, float32": 20.0, "transformers.ModernBertForMaskedLM, bfloat16": 50.0,
        "transformers.BertForMaskedLM compiled, float32": 24.0,
    }  # fmt: skip
    monkeypatch.setattr(steps, "ours", lambda work, precision, threads: f"ours, {precision}")
    monkeypatch.setattr(steps, "peer", lambda work, name, precision, threads: f"transformers.{name}, {precision}")
    monkeypatch.setattr(
        steps,
        "compiled",
        lambda work, precision, threads: precision == "float32" and "transformers.BertForMaskedLM compiled, float32",
    )
    monkeypatch.setattr(steps, "in_turns", lambda sides, rounds: [times(name, made[name]) for name in sides])
    monkeypatch.setattr(steps, "product_rate", lambda device, precision: {"float32": 1e12, "bfloat16": 4e12}[precision])
    rows = list(steps._rows_of(work, "tiny", 3, 2))
    assert [(row.ours, row.peer, row.peer_name.removeprefix("transformers.")) for row in rows] == [
        (10, 40, "BertForMaskedLM, float32"),
        (8, 24, "BertForMaskedLM compiled, float32"),
        (8, 20, "ModernBertForMaskedLM, float32"),
    ]
    assert [row.limit for row in rows] == list(steps.LIMITS["cpu"])
    assert rows[0].share == pytest.approx(work.flops() / 0.010 / 1e12)
    assert rows[1].share == pytest.approx(work.flops() / 0.008 / 4e12)
    assert work.flops() == 64 * work.shape.training_flops_per_token(16, 0.15)


@pytest.mark.parametrize(("device", "precision"), [("cpu", "float32"), ("cuda", "bfloat16")])
def test_the_memory_of_ours_is_beside_that_of_bert(device, precision, monkeypatch):
    monkeypatch.setattr(steps, "ours", lambda work, p, threads: Side("ours", {"": (3.0, p, work.batch)}))
    monkeypatch.setattr(steps, "peer", lambda work, name, p, threads: Side(name, {"": (7.0, p, work.batch)}))
    asked = []
    monkeypatch.setattr(steps, "_peak", lambda device, step: asked.append(step[1:]) or step[0])
    (row,) = steps.memory_rows(torch.device(device))
    assert (row.ours, row.peer, row.limit, row.unit) == (3, 7, 1, "MiB")
    assert row.name == f"memory of a step of base, 4 x 128, {precision}"
    assert asked == [(precision, 4)] * 2


@pytest.mark.parametrize(
    ("device", "works"),
    [
        ("cpu", [("mini", 32, 128, 8192), ("small", 32, 128, 8192)]),
        ("cuda", [("base", 64, 128, 30522), ("base", 8, 512, 30522)]),
    ],
)
def test_steps_are_measured_at_the_sizes_of_the_device(device, works, monkeypatch):
    def rows(work, size, rounds, threads):
        yield size, work.batch, work.length, work.shape.vocab_size

    monkeypatch.setattr(steps, "_rows_of", rows)
    monkeypatch.setattr(steps, "fitting", lambda work, batch: work(batch).batch if batch > 16 else batch // 2)
    assert list(steps.step_rows(3, torch.device(device), 2)) == works
    monkeypatch.setattr(steps, "fitting", lambda work, batch: 0)
    assert bool(list(steps.step_rows(3, torch.device(device), 2))) == (device == "cpu")


def test_what_cannot_be_compiled_is_no_side(work, monkeypatch):
    def fails():
        raise RuntimeError("no compiler")

    monkeypatch.setattr(steps, "peer", lambda *_, **__: Side("compiled", {"1 thread": fails}))
    assert steps.compiled(work, "float32", 1) is None
    monkeypatch.setattr(steps, "peer", lambda *_, **__: Side("compiled", {"1 thread": lambda: None}))
    assert steps.compiled(work, "float32", 1).name == "compiled"


def test_a_batch_that_does_not_fit_is_halved(monkeypatch):
    tried = []

    def side(work, *_):
        def way():
            tried.append(work)
            if work > 16:
                raise torch.OutOfMemoryError

        return Side("BERT", {"": way})

    monkeypatch.setattr(steps, "peer", side)
    assert steps.fitting(lambda rows: rows, 64) == 16
    assert tried == [64, 32, 16]
    monkeypatch.setattr(steps, "peer", lambda work, *_: side(99))
    assert steps.fitting(lambda rows: rows, 4) == 0


@pytest.mark.parametrize(("device", "waits"), [("cuda:3", ["synchronize cuda:3"]), ("cpu", [])])
def test_a_step_is_over_when_the_gpu_is_done(device, waits, monkeypatch):
    """A GPU works on after the call that asks it to; who does not wait for it times the asking."""
    log = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device=None: log.append(f"synchronize {device}"))
    for way in whole_steps._with_threads("", 1, torch.device(device), lambda: log.append("step")).values():
        way()
    assert log == ["step", *waits]


def test_memory_on_a_gpu_is_that_of_a_later_step_beside_what_stands_before(monkeypatch):
    log = []
    for name, mib in (("memory_allocated", 100), ("reset_peak_memory_stats", 0), ("max_memory_allocated", 150)):
        monkeypatch.setattr(torch.cuda, name, lambda device, name=name, mib=mib: log.append(name) or mib * 2**20)
    assert steps._peak(torch.device("cuda"), lambda: log.append("step")) == 50
    assert log == ["step", "memory_allocated", "reset_peak_memory_stats", "step", "max_memory_allocated"]


def test_memory_on_a_cpu_is_its_highest_point():
    """Two tensors of 4 MiB at a time, one after the other three."""

    def step():
        for _ in range(3):
            a = torch.ones(2**20)
            a + 1

    assert steps._highest(step) == pytest.approx(8 * 2**20, rel=0.01)


def test_the_rate_of_products_is_counted_in_operations(monkeypatch):
    monkeypatch.setitem(limits.PRODUCT_SIDE, "cpu", 256)
    clock = iter(np.cumsum([0, 9, 0, 2, 0, 4, 0, 8, 0, 8, 0, 8]).tolist())
    monkeypatch.setattr(limits, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    limits.product_rate.cache_clear()
    assert limits.product_rate(CPU, "float32") == 2 * 256**3 / 2
    limits.product_rate.cache_clear()


# ---------------------------------------------------------------- the other rows


def test_every_short_row_can_be_measured_and_every_widget_has_one(one_thread, monkeypatch):
    few = {name: exercise for name, exercise in all_exercises().items() if name.startswith("01.")}
    monkeypatch.setattr(check_times, "all_exercises", lambda: few)
    made = [learner.gradient_rows, learner.english_posterior_rows, learner.widget_rows, learner.check_rows]
    made += [data.masking_rows] if whole_steps_have_peers() else []
    rows = [row for group in made for row in group(1)]
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
    for part in ("vmap", "posterior on English", "first check", "a check,", *widgets):
        assert part in named


def whole_steps_have_peers():
    with contextlib.suppress(ImportError):
        import transformers  # noqa: F401

        return True
    return False


def test_the_time_of_a_gradient_is_that_of_vmap_beside_the_loop(monkeypatch):
    found = SimpleNamespace(vmap=np.array([9.0, 1.0, 2.0]), loop=np.array([30.0, 50.0, 10.0]))
    monkeypatch.setattr(learner, "time_gradients", lambda *_: found)
    assert [(row.ours, row.peer, row.limit) for row in learner.gradient_rows(3)] == [(2, 30, 3)]


def test_what_a_learner_waits_for_is_beside_what_was_promised(monkeypatch):
    monkeypatch.setattr(learner, "_posteriors", lambda: SimpleNamespace(ms=11.0))
    monkeypatch.setattr(learner, "widget_steps", lambda: iter([("leak", None, SimpleNamespace(ms=13.0))]))
    monkeypatch.setattr(learner, "medians", lambda rounds, way: [way.ms])
    monkeypatch.setattr(learner, "first_check", lambda rounds: 17.0)
    monkeypatch.setattr(learner, "check_times", lambda: [19.0] * 99 + [1e6])
    made = (learner.english_posterior_rows, learner.widget_rows, learner.check_rows)
    assert [(row.name, row.ours, row.peer, row.limit) for group in made for row in group(1)] == [
        ("a posterior on English", 11, learner.POSTERIOR_MS, 1),
        ("a step of the leak", 13, learner.STEP_MS, 1),
        ("the first check in a fresh process", 17, learner.FIRST_CHECK_MS, 1),
        ("a check, of all exercises the 95th percentile", 19, learner.CHECK_MS, 1),
    ]


def test_an_exponent_is_the_slope_of_logarithms():
    sizes = np.array([64, 128, 256, 512])
    assert growth.exponent(sizes, 3e-5 * sizes**1.7) == pytest.approx(1.7)


def test_growth_is_beside_what_is_expected(monkeypatch):
    """Planted: a time that grows with the square of a step's length, width, rows or words, whatever it is."""
    monkeypatch.setattr(growth, "ours", lambda work, *_: Side("ours", {"": work}))
    grown = {"length": lambda w: w.length, "rows": lambda w: w.batch, "width": lambda w: w.shape.hidden_size}
    grown["vocabulary"] = lambda w: w.shape.vocab_size

    def squares(works, rounds):
        what = next(what for what, of in grown.items() if len({of(work) for work in works}) > 1 or what == "vocabulary")
        return np.array([[grown[what](work) ** 2.0] for work in works])

    monkeypatch.setattr(growth, "take_turns", squares)
    monkeypatch.setattr(growth, "_posterior_row", lambda rounds: None)
    rows = list(growth.growth_rows(1))[:-1]
    assert [row.ours for row in rows] == pytest.approx([2.0] * 4)
    assert [row.name.split(" with ")[1].split(",")[0].split()[0] for row in rows] == [
        "length",
        "rows",
        "width",
        "vocabulary",
    ]
    length, batch, width, vocabulary = (row.peer for row in rows)
    assert 0.2 < length < 0.6  # of as many tokens in all: attention alone grows
    assert (batch, vocabulary) == (pytest.approx(1.0), 1.0)
    assert 1.7 < width < 2
    assert not any(row.kept for row in rows if row.peer < 1.6)
    assert rows[0].name.endswith("64 to 2,048")
    assert (rows[-1].peer_name, rows[0].peer_name) == ("in proportion", "its operations")
    assert {row.unit for row in rows} == {"exponent"}


@pytest.mark.parametrize(("value", "shown"), [(12.34, "12.3 ms"), (0.2512, "0.25 ms"), (1.0, "1.0 ms")])
def test_a_short_time_keeps_two_digits(value, shown):
    assert BenchRow("a", value, 1.0, "b", 1.0).text().startswith(f"a: {shown};")


def test_rows_of_text_are_the_same_text(tmp_path, monkeypatch):
    pytest.importorskip("datasets", reason="its rows are left out where the peer is missing")
    monkeypatch.setattr(data, "BIBLE_TEXTS", 2)
    rows = list(data.text_rows(1))
    assert rows[0].ours > 0
    assert rows[0].peer > 0


def test_ours_stands_on_its_own_side_of_the_rows_of_text(monkeypatch):
    made, rounds = {"ours": 3.0, "peer": 5.0}, []

    def in_turns(sides, count):
        rounds.append(count)
        return [times(side.name, made["ours" if side.name == "ours" else "peer"]) for side in sides]

    monkeypatch.setattr(data, "in_turns", in_turns)
    monkeypatch.setattr(data, "collator_of", lambda vocabulary: None)
    corpus = SimpleNamespace(split=lambda name: SimpleNamespace(texts=lambda: ["ab"] * 500))
    monkeypatch.setattr(data, "english_corpus", lambda: corpus)
    monkeypatch.setattr(data, "english_tokenizer", lambda: None)
    masking, text = *data.masking_rows(6), *data.text_rows(6)
    assert [(row.ours, row.peer, row.limit) for row in (masking, text)] == [(3, 5, 1)] * 2
    assert masking.name == "masking of 32 x 128 tokens"
    assert text.name == "text to rows of 128, 800 characters"  # of 400 documents
    assert rounds == [60, 2]


@pytest.mark.parametrize(
    ("arrives", "patience", "theirs", "setting"),
    [
        (2000, 12.0, 200.0, "2000 steps, rate 0.001"),  # 168 s: a run that begins within them may end after them
        (4000, 6.0, 100.0, "1000 steps, rate 0.001, and not there yet"),
        (4000, 100.0, 400.0, "4000 steps, rate 0.001"),
    ],
)
def test_the_trainer_has_the_rate_that_is_best_for_it_and_so_much_time(monkeypatch, arrives, patience, theirs, setting):
    gaps = {3e-4: 0.3, 1e-3: 0.2, 3e-3: 0.5}
    monkeypatch.setattr(quality, "scenes", lambda: None)
    monkeypatch.setattr(quality, "gap", lambda model, material: model)
    monkeypatch.setattr(quality, "TIMES_OURS", patience)
    own = dict(zip(quality.RUN_LENGTHS, (0.2, 0.09, 0.05, 0.04, 0.04, 0.04), strict=True))
    monkeypatch.setattr(quality, "our_training", lambda steps, threads: (own[steps], steps / 100))
    monkeypatch.setattr(
        quality, "their_training", lambda steps, rate, threads: (0.1 if steps == arrives else gaps[rate], steps / 10)
    )
    (row,) = quality.quality_rows(2)
    assert (row.ours, row.ours_setting, row.limit, row.unit) == (14, "1400 steps", 3, "s")
    assert (row.peer, row.peer_setting) == (theirs, setting)


def test_a_wrong_answer_has_the_form_of_a_right_one():
    right = [np.zeros((2, 3)), (np.arange(3), 1.5), "text"]
    stirred = check_times._stirred(right)
    assert (stirred[0] != 0).sum() == 5  # sin(0) is 0
    assert stirred[0].shape == (2, 3)
    assert stirred[1][0] is right[1][0]
    assert stirred[1:] == [[right[1][0], 1.5], "text"]


def test_numbers_are_printed_to_four_digits():
    row = BenchRow("a", 1234.567, 2 / 3, "b", 1.0, "ms", (1.23456, 2.0), share=0.123456)
    told = row.to_dict()
    assert [told[name] for name in ("ours", "peer", "ratio", "ours_spread", "share")] == [
        1235.0,
        0.6667,
        0.00054,
        [1.235, 2.0],
        0.1235,
    ]


def test_the_soonest_run_that_arrives_is_taken(monkeypatch):
    monkeypatch.setattr(quality, "gap", lambda model, material: model)
    gaps = dict(zip(quality.RUN_LENGTHS, (0.3, 0.12, 0.09, 0.05, 0.04, 0.04), strict=True))
    assert quality.soonest(lambda steps: (gaps[steps], steps / 10), None, 0.1) == (200.0, 2000, True)
    assert quality.soonest(lambda steps: (gaps[steps], steps / 10), None, 0.04) == (400.0, 4000, True)
    assert quality.soonest(lambda steps: (0.2, 1.0), None, 0.1) == (1.0, quality.RUN_LENGTHS[-1], False)
    assert quality.soonest(lambda steps: (0.2, steps / 10), None, 0.1, 139.0) == (140.0, 1400, False)


@pytest.mark.parametrize(
    ("gaps", "ours"),
    [((0.045, 0.049, 0.055), 70.0), ((0.045, 0.049, 0.057), float("inf")), ((0.05, 0.05, 0.0499), 70.0)],
)
def test_the_race_counts_where_the_mean_of_three_seeds_arrives(monkeypatch, gaps, ours):
    asked = []

    def train(steps, threads, seed):
        asked.append((steps, threads))
        return gaps[seed], (70.0, 60.0, 95.0)[seed]

    monkeypatch.setattr(quality, "our_training", train)
    monkeypatch.setattr(quality, "gap", lambda model, material: model)
    monkeypatch.setattr(quality, "scenes", lambda: None)
    (row,) = quality.floor_rows(2)
    assert asked == [(quality.RECORD_STEPS, 2)] * 3
    assert (row.ours, row.ours_spread, row.peer, row.unit) == (ours, (60.0, 95.0), 90.0, "s")
    assert row.kept == (ours == 70.0)
    assert f"{quality.RECORD_STEPS} steps, {gaps[0]:.4f}, {gaps[1]:.4f}, {gaps[2]:.4f} nats" in row.text()


def test_the_record_is_trained_by_its_recipe(monkeypatch):
    asked = []

    def train(shape, source, config, **settings):
        asked.append((torch.get_num_threads(), shape, config, settings["device"]))
        return SimpleNamespace(model="model", curve=[SimpleNamespace(seconds=7.0)])

    monkeypatch.setattr(quality, "train", train)
    monkeypatch.setattr(quality, "exact_material", lambda *_: SimpleNamespace(source=None, evaluation=None))
    before = torch.get_num_threads()
    assert quality.our_training(30, 3, seed=2) == ("model", 7.0)
    assert torch.get_num_threads() == before
    ((threads, shape, config, device),) = asked
    assert (threads, device, shape.hidden_size) == (3, "cpu", 128)
    assert (config.steps, config.seed, config.precision, config.optimizer) == (30, 2, "fastest", "muon")
    assert config.masking == Masking(mask_ratio=0.4, method="fixed", heavy_share=0.1)
    assert (config.weight_decay, config.beta2, config.warmup) == (0.1, 0.995, 0.05)
    assert (config.learning_rate, config.embedding_rate, config.batch_size) == (4e-3, 2.5, 128)


def test_both_trainings_reach_a_model_of_scenes(one_thread):
    """A few steps: untrained models pay the logarithm of the vocabulary; their floors are the same."""
    pytest.importorskip("accelerate", reason="the Trainer needs it")
    material = quality.scenes()
    for model, seconds in (quality.our_training(3, 1), quality.their_training(3, 1e-3, 1)):
        assert seconds > 0
        assert 1 < quality.gap(model, material) < 6


def test_a_step_of_a_widget_changes_what_it_shows(one_thread):
    for name, widget, step in widget_steps():
        for _ in range(3):
            before = widget.status.value
            step()
            assert widget.status.value != before, name
