"""Numbers that no machine can hold are refused before anything is allocated, and those that ask nothing as well."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from mlm_mini import __main__ as command_line
from mlm_mini.languages import markov_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.languages.tokenizer import train_wordpiece
from mlm_mini.model import ModelConfig
from mlm_mini.training import TrainingConfig, Workers, causal_batch, datasets, memory, train
from mlm_mini.training.memory import check_asks, check_memory, reckoned_bytes
from mlm_mini.training.run import Run

CPU = torch.device("cpu")
TEXTS = ["the chef cuts the bread", "the baker cuts the cake"] * 3


@pytest.fixture
def text(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    (tmp_path / "text").mkdir()
    for i in range(4):
        (tmp_path / "text" / f"{i}.txt").write_text("the chef cuts the bread\n" * 40)
    return tmp_path / "text"


@pytest.mark.parametrize("value", ["100000000", "1000000000000", "100000000000000000000"])
@pytest.mark.parametrize(("language", "option"), [("text", "batch-size"), ("text", "length"), ("markov", "batch-size")])
def test_what_no_machine_holds_is_one_sentence(language, option, value, text, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(datasets, "EVALUATION_SENTENCES", 8)
    monkeypatch.setattr(memory, "_memory", lambda _: 64 * 2**30)
    line = ["train", "--size", "tiny", "--steps", "1", "--device", "cpu", "--out", str(tmp_path / "out")]
    assert (
        command_line.main([*line, "--language", {"text": str(text)}.get(language, language), f"--{option}", value]) == 1
    )
    error = capsys.readouterr().err
    assert "course.py train: this run takes about" in error
    assert "GiB of memory, and there are 64; most of it" in error
    assert value in error
    assert not (tmp_path / "out" / "model.safetensors").exists()


@pytest.mark.parametrize("size", [2**17 + 1, 10**9, 10**12, 10**20])
def test_a_vocabulary_is_no_larger_than_its_text_whatever_is_asked_for(size):
    assert train_wordpiece(TEXTS, size).to_json() == train_wordpiece(TEXTS, 4096).to_json()


def test_room_is_made_for_no_more_pieces_than_a_text_can_give(monkeypatch):
    from mlm_mini.languages import tokenizer

    monkeypatch.setattr(tokenizer, "LARGE", 200)  # so that what is asked for is cut down to what can be reached
    for texts in (TEXTS, ["한국어 텍스트 한국어 텍스트 글자"] * 3, ["ab" * 40, "ba" * 40] * 2):
        limited = train_wordpiece(texts, 5000)
        monkeypatch.setattr(tokenizer, "_reachable", lambda size, *_: size)
        assert limited.to_json() == train_wordpiece(texts, 5000).to_json()
        monkeypatch.undo()
        monkeypatch.setattr(tokenizer, "LARGE", 200)


def test_what_is_reckoned_is_near_what_is_used():
    """Against a real step: PyTorch's own account of what a batch leaves for the gradient."""
    shape = ModelConfig.tiny(500, max_position_embeddings=64)
    config = TrainingConfig.of(steps=1, batch_size=16, objective="causal")
    from mlm_mini.training.objectives import surprisals
    from mlm_mini.training.run import first_model

    model, kept = first_model(shape, 0), {}
    ids = torch.randint(4, 500, (16, 64)).numpy()
    vocabulary = type("Words", (), {"special_ids": [0, 1, 2, 3], "sep_id": 2, "pad_id": 0})
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.update({t.data_ptr(): t.nbytes}) or t, lambda t: t):
        surprisals(model, causal_batch(ids, vocabulary)).sum().backward()
    weights, batch, blocks, logits = reckoned_bytes(shape, config, 64, CPU).values()
    assert 0.5 < (blocks + logits / 3) / sum(kept.values()) < 1.1
    assert weights == 16 * sum(p.numel() for p in model.parameters())
    assert batch == 2 * ids.nbytes


@pytest.mark.parametrize(
    ("device", "threads", "dropout", "workers", "fields", "rows", "asked"),
    [
        ("cpu", 2, 0.0, 1, {}, 6, 24),  # two parts of three rows at once, of whose 120 tokens a fifth is asked for
        ("cpu", 8, 0.0, 1, {}, 12, 48),  # no more than there are parts
        ("cpu", 2, 0.1, 1, {}, 3, 12),
        ("cuda", 2, 0.0, 1, {}, 3, 12),
        ("cpu", 2, 0.0, 2, {}, 3, 12),
        ("cpu", 2, 0.0, 1, {"prediction_ratio": 0.1}, 6, 12),
        ("cpu", 2, 0.0, 1, {"mask_ratio": 0.001}, 6, 6),  # one place of each row, be it for nothing
        ("cpu", 2, 0.0, 1, {"objective": "causal"}, 6, 120),
    ],
)
def test_what_is_reckoned_is_the_product_of_what_is_there_at_once(
    device, threads, dropout, workers, fields, rows, asked, monkeypatch
):
    """Rows of 20 tokens, ten in a batch of four parts; two blocks of width 64, 256 inside; 500 tokens."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    shape = ModelConfig.tiny(500, max_position_embeddings=64, attention_probs_dropout_prob=dropout)
    config = TrainingConfig.of(**{"steps": 1, "batch_size": 10, "micro_batches": 4, "mask_ratio": 0.2} | fields)
    found = reckoned_bytes(shape, config, 20, torch.device(device), Workers(count=workers)).values()
    kept = 4 * 2 * rows * 20 * (7 * 64 + 2 * 256)
    assert list(found) == [16 * shape.count_parameters(), 2 * 8 * 10 * 20, kept, 3 * 4 * asked * 500]


def test_workers_on_one_machine_share_its_memory_and_each_has_a_gpu(monkeypatch):
    shape, config = ModelConfig.mini(4096), TrainingConfig(steps=1, batch_size=8)
    two, elsewhere = Workers(count=2, here=2), Workers(count=2, here=1)
    needed = sum(reckoned_bytes(shape, config, 64, CPU, two).values())
    monkeypatch.setattr(memory, "_memory", lambda _: 2 * needed - 2)
    with pytest.raises(ValueError, match="this run takes about 0 GiB of memory, and there are 0; most of it"):
        check_memory(shape, config, 64, CPU, two)
    check_memory(shape, config, 64, CPU, elsewhere)
    check_memory(shape, config, 64, torch.device("cuda"), two)
    monkeypatch.setattr(memory, "_memory", lambda _: 2 * needed)
    check_memory(shape, config, 64, CPU, two)


@pytest.mark.parametrize(
    ("gigabytes", "shown"), [(2.6, "3"), (4321, "4,321"), (999_999, "999,999"), (1_000_000, "1e+06"), (3e10, "3e+10")]
)
def test_a_number_of_gigabytes_is_short(gigabytes, shown):
    assert memory._gib(int(gigabytes * 2**30)) == shown


def test_a_gpu_has_memory_of_its_own(monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: SimpleNamespace(total_memory=7))
    assert memory._memory(torch.device("cuda", 1)) == memory._memory(CPU) + 7


def test_a_row_of_a_hundred_thousand_tokens_is_too_much_for_a_laptop(monkeypatch):
    monkeypatch.setattr(memory, "_memory", lambda _: 24 * 2**30)
    config = TrainingConfig.of(steps=1, batch_size=64, micro_batches=4, mask_ratio=0.3)
    with pytest.raises(ValueError, match=r"is for the logits \(batch_size 64 and length 100000, a vocabulary of 4096"):
        check_memory(ModelConfig.of_size("tiny", 4096, 100_000), config, 100_000, CPU)


def test_usual_runs_are_far_from_any_limit(monkeypatch):
    monkeypatch.setattr(memory, "_memory", lambda _: 4 * 2**30)
    for size, length in (("tiny", 64), ("mini", 64), ("small", 128)):
        check_memory(ModelConfig.of_size(size, 4096, length), TrainingConfig.of(steps=1, micro_batches=4), length, CPU)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 3 GiB"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 MiB."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7077888 bytes."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 7077888 bytes."),
    ],
)
def test_memory_that_runs_out_is_one_sentence(error, monkeypatch, tmp_path, capsys):
    def refuse(*_):
        raise error

    monkeypatch.setattr(Run, "one_step", refuse)
    line = ["train", "--language", "markov", "--size", "tiny", "--steps", "1", "--out", str(tmp_path / "out")]
    assert command_line.main(line) == 1
    assert "course.py train: memory ran out: choose more micro_batches" in capsys.readouterr().err


def test_another_error_is_not_taken_for_that(monkeypatch):
    def refuse(*_):
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(Run, "one_step", refuse)
    language = markov_language(6)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        train(ModelConfig.tiny(len(language.vocabulary)), SampledSentences(language, 0), TrainingConfig(steps=1))


def test_a_container_has_a_limit_of_its_own(tmp_path, monkeypatch):
    (tmp_path / "max").write_text("1048576\n")
    monkeypatch.setattr(memory, "LIMIT_OF_A_CONTAINER", tmp_path / "max")
    assert memory._memory(CPU) == 2**20
    (tmp_path / "max").write_text("max\n")
    whole = memory._memory(CPU)
    assert whole > 2**28
    monkeypatch.delattr(memory.os, "sysconf")
    assert memory._memory(CPU) == memory.WITHOUT_A_LIMIT
    with pytest.raises(ValueError, match="and no machine has that"):
        check_memory(ModelConfig.tiny(10**12), TrainingConfig(steps=1), 64, CPU)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mask_ratio": 1e-9}, "mask_ratio is 1e-09: a batch of 128 rows of 6 words would ask for 7.7e-07 of them"),
        ({"mask_ratio": 0.08, "method": "fixed"}, "mask_ratio is 0.08: .* would ask for 0 of them"),
        ({"mask_ratio": 0.5, "prediction_ratio": 1e-4}, "prediction_ratio is 0.0001: .* raise prediction_ratio or"),
        ({"mask_ratio": 0.15, "batch_size": 1}, "mask_ratio is 0.15: a batch of 1 rows of 6 words would ask for 0.9"),
    ],
)
def test_masks_that_hide_nothing_are_refused(fields, message):
    source = SampledSentences(markov_language(6), 0)
    config = TrainingConfig.of(**{"steps": 1} | fields)
    with pytest.raises(ValueError, match=message):
        train(ModelConfig.tiny(len(source.vocabulary)), source, config)


@pytest.mark.parametrize(
    "fields",
    [
        {"mask_ratio": 0.01},
        {"mask_ratio": 0.09, "method": "fixed"},
        {"mask_ratio": 0.08, "method": "fixed", "heavy_share": 0.1},
        {"mask_ratio": 1e-9, "objective": "causal"},
    ],
)
def test_masks_that_hide_a_little_are_not(fields):
    check_asks(TrainingConfig.of(**{"steps": 1} | fields), 8)
    check_asks(replace(TrainingConfig.of(**{"steps": 1} | fields), batch_size=64), 16)
