"""Training that starts from a model: its weights and tokenizer go on, what is refused, and where a run is taken up."""

import json
import os
import shutil
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the libraries are imported: nothing here may need a network

import numpy as np
import pytest
import torch

from mlm_mini import __main__ as command_line
from mlm_mini.languages import markov_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import MaskedLM, ModelConfig, load_pretrained, load_tokenizer, trained_length
from mlm_mini.training import (
    CheckpointError,
    Reporter,
    TrainingConfig,
    evaluate,
    fill,
    find_material,
    load_folder,
    open_start,
    recipe,
    train,
    train_folder,
)
from mlm_mini.training import run as run_module
from mlm_mini.training.progress import Point, plot_curve
from mlm_mini.training.run import weights_fingerprint

pytestmark = pytest.mark.usefixtures("one_thread")
KINGS = "The king number {} went into the house of Babylon, and the queen of the house saw {} men.\n"
SHIPS = "The ship number {} went out of the harbour, and the men saw {} birds over the water.\n"
FEW = TrainingConfig.of(steps=4, batch_size=4, mask_ratio=0.3)
WORDS = ["the", "ship", "king", "men", "saw", "went", "number", "of", "out", ",", ".", "##s"]


def write_text(folder, line, files=5):
    folder.mkdir()
    for i in range(files):
        lines = (line.format(i * 20 + j, j % 7) for j in range(20))
        (folder / f"{i}.txt").write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLM_MINI_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def ships(tmp_path_factory):
    return write_text(tmp_path_factory.mktemp("domain") / "ships", SHIPS)


@pytest.fixture(scope="module")
def kings(tmp_path_factory):
    """A model of the kings, trained on rows of 16 tokens, with its tokenizer."""
    top = tmp_path_factory.mktemp("kings")
    write_text(top / "text", KINGS)
    train_folder(top / "text", "tiny", FEW, top / "model", length=16, vocabulary_size=260, device="cpu")
    return top / "model"


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """A BERT with dropout that transformers has made, with a tokenizer that lowers capitals."""
    transformers = pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("theirs")
    tokens = [
        "[PAD]",
        "[unused0]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *WORDS,
        *"abcdefghijklmnopqrstuvwxyz0123456789",
    ]
    tokens += [f"##{character}" for character in "abcdefghijklmnopqrtuvwxyz0123456789"]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n")
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    shape = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
    dropout = {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.3}
    config = transformers.BertConfig(vocab_size=len(tokens), max_position_embeddings=40, **shape, **dropout)
    transformers.BertForMaskedLM(config).save_pretrained(folder)
    return folder


def run(*arguments):
    return command_line.main(list(map(str, arguments)))


def going_on(start, text, out, *more):
    recipe = ("--steps", 4, "--batch-size", 4, "--mask-ratio", 0.3, "--device", "cpu")
    return run("train", "--from", start, "--language", text, "--out", out, *recipe, *more)


def same_weights(one, other):
    return weights_fingerprint(one) == weights_fingerprint(other)


class StopAt(Reporter):
    def __init__(self, step):
        self.step = step

    def stepped(self, step, *_):
        if step == self.step:
            raise KeyboardInterrupt


# ---------------------------------------------------------------- where it starts, and what it leaves


def test_the_first_evaluation_is_that_of_the_model_to_start_from(kings, ships, tmp_path, capsys):
    before = {path.name: path.read_bytes() for path in kings.iterdir() if path.is_file()}
    assert going_on(kings, ships, tmp_path / "out", "--length", 16) == 0
    model, tokenizer = load_folder(kings)
    material = find_material(ships, FEW, 16, tokenizer=tokenizer)
    score = evaluate(model, material.evaluation)
    summary = json.loads((tmp_path / "out" / "training.json").read_text())
    assert [point["step"] for point in summary["curve"]] == [0, 4]
    first, last = summary["curve"]
    assert first["loss"] == pytest.approx(score.loss, abs=1e-6)
    assert last["loss"] < first["loss"]
    assert (first["train_loss"], first["tokens"], first["seconds"]) == (None, 0, 0.0)
    assert f"step      0: loss {score.loss:.3f} nats" in capsys.readouterr().err
    assert summary["start"] == str(kings)
    assert before == {path.name: path.read_bytes() for path in kings.iterdir() if path.is_file()}, "it was changed"


def test_the_folder_has_the_tokenizer_and_fills_in_as_transformers_does(kings, ships, tmp_path):
    pipeline = pytest.importorskip("transformers").pipeline
    assert going_on(kings, ships, tmp_path / "out", "--length", 16) == 0
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (kings / "tokenizer.json").read_bytes()
    text = "the men [MASK] birds"
    (ours,) = fill(*load_folder(tmp_path / "out"), text, all_tokens=True)
    rows = pipeline("fill-mask", model=str(tmp_path / "out"), device="cpu")(text)
    assert [row["token_str"] for row in rows] == [candidate.token for candidate in ours]
    np.testing.assert_allclose([row["score"] for row in rows], [c.probability for c in ours], rtol=1e-4)


def test_a_bert_of_transformers_learns_on_with_its_dropout_and_opens_there_again(theirs, ships, tmp_path):
    transformers = pytest.importorskip("transformers")
    out = tmp_path / "out"
    assert going_on(theirs, ships, out, "--length", 32) == 0
    curve = json.loads((out / "training.json").read_text())["curve"]
    assert curve[-1]["loss"] < curve[0]["loss"]
    config = json.loads((out / "config.json").read_text())
    assert (config["hidden_dropout_prob"], config["attention_probs_dropout_prob"]) == (0.2, 0.3)
    assert (config["num_hidden_layers"], config["max_position_embeddings"]) == (2, 40)
    assert "trained_length" not in config, "nobody knows how long the rows were that it had learned from"
    assert load_tokenizer(out).vocabulary == load_tokenizer(theirs).vocabulary
    model, tokenizer = load_folder(out)
    ids = torch.from_numpy(tokenizer.encode("The king saw [MASK] ships, 42 men."))[None]
    theirs_again = transformers.AutoModelForMaskedLM.from_pretrained(out).eval()
    cut = transformers.AutoTokenizer.from_pretrained(out)("The king saw [MASK] ships, 42 men.")["input_ids"]
    assert ids[0].tolist() == cut
    with torch.no_grad():
        torch.testing.assert_close(model(ids), theirs_again(ids).logits, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("dropout", "same"), [(0.0, True), (0.3, False)])
def test_dropout_is_that_of_the_model(dropout, same, monkeypatch):
    """Where there is some, the first loss depends on what seeds it."""

    class Losses(Reporter):
        def stepped(self, step, loss, *_):
            losses.append(loss)

    changes, losses = {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}, []
    shape = ModelConfig.tiny(len(markov_language(6).vocabulary), **changes)
    start = MaskedLM(shape, torch.Generator().manual_seed(0)).eval()
    for seed in (0, 1):
        monkeypatch.setattr(run_module, "torch_seed", lambda *_, seed=seed: seed)
        source, config = SampledSentences(markov_language(6), 0), TrainingConfig.of(steps=1, batch_size=64)
        train(shape, source, config, start=start, report=Losses(), device="cpu")
    assert (losses[0] == losses[1]) is same
    assert not start.training


def test_a_bert_that_tells_capitals_apart_does_so_afterwards(tmp_path):
    """Its settings stand beside its tokenizer, in a file that is written anew."""
    transformers = pytest.importorskip("transformers")
    cased, text, out = tmp_path / "cased", tmp_path / "text", tmp_path / "out"
    cased.mkdir()
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "The", "KING", "É", "##é"]
    (cased / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(str(cased / "vocab.txt"), do_lower_case=False)
    tokenizer.save_pretrained(cased)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
    config = transformers.BertConfig(vocab_size=len(tokens), max_position_embeddings=20, **shape)
    transformers.BertForMaskedLM(config).save_pretrained(cased)
    write_text(text, "The KING saw the ship, É went out.\n")
    assert going_on(cased, text, out, "--length", 16) == 0
    sentence = "The KING saw the king, [MASK] É."
    cut = tokenizer(sentence).input_ids
    assert cut == load_tokenizer(out).encode(sentence).tolist()
    assert cut == transformers.AutoTokenizer.from_pretrained(out)(sentence).input_ids
    assert tokenizer.unk_token_id not in cut


def test_a_curve_from_step_0_is_drawn():
    figure = plot_curve([Point(0, None, 3.0, None, None, 0, 0, 0.0), Point(50, 2.5, 2.0, None, None, 9, 5, 1.0)], None)
    figure.canvas.draw()
    training, fixed = figure.axes[0].lines
    assert (training.get_label(), fixed.get_label()) == ("training batches", "fixed masks")
    np.testing.assert_array_equal(training.get_ydata(orig=False), [np.nan, 2.5])
    assert list(fixed.get_ydata()) == [3.0, 2.0]


def test_the_start_is_left_as_it_is_and_a_rate_of_next_to_nothing_stays_there():
    source = SampledSentences(markov_language(6), 0)
    shape = ModelConfig.tiny(len(source.vocabulary))
    start = MaskedLM(shape, torch.Generator().manual_seed(7))
    before = weights_fingerprint(start)
    still = TrainingConfig.of(steps=3, batch_size=4, mask_ratio=0.3, learning_rate=1e-12)
    result = train(shape, source, still, start=start, device="cpu")
    assert weights_fingerprint(start) == before
    for mine, first in zip(result.model.parameters(), start.parameters(), strict=True):
        torch.testing.assert_close(mine, first, rtol=0, atol=1e-9)
    with pytest.raises(ValueError, match="start is a model of another shape"):
        train(ModelConfig.mini(len(source.vocabulary)), source, still, start=start, device="cpu")


@pytest.mark.parametrize(("length", "after"), [(8, 16), (16, 16), (40, 40)])
def test_positions_count_as_trained_once_rows_reached_them(length, after, kings, ships, tmp_path):
    assert going_on(kings, ships, tmp_path / "out", "--length", length) == 0
    assert json.loads((tmp_path / "out" / "config.json").read_text())["trained_length"] == after
    assert json.loads((tmp_path / "out" / "training.json").read_text())["trained_length"] == after
    model, tokenizer = load_folder(tmp_path / "out")
    assert trained_length(model) == after
    assert fill(model, tokenizer, "the " * (after - 3) + "[MASK]")
    with pytest.raises(ValueError, match=f"was trained on {after} at most"):
        fill(model, tokenizer, "the " * (after - 2) + "[MASK]")


def test_a_language_of_the_course_goes_on_from_a_model_of_it(tmp_path):
    train_folder("markov", "tiny", FEW, tmp_path / "one", device="cpu")
    assert going_on(tmp_path / "one", "markov", tmp_path / "two") == 0
    ended = json.loads((tmp_path / "one" / "training.json").read_text())["curve"][-1]
    begun = json.loads((tmp_path / "two" / "training.json").read_text())["curve"][0]
    assert begun["gap"] == pytest.approx(ended["gap"], abs=1e-6)


def test_an_older_folder_keeps_its_own_rule_for_words(tmp_path):
    older = Path(__file__).parent / "data" / "older_run"
    assert going_on(older, "markov", tmp_path / "out") == 0
    assert (tmp_path / "out" / "tokenizer.json").read_bytes() == (older / "tokenizer.json").read_bytes()
    assert trained_length(load_folder(tmp_path / "out")[0]) is None, "the older folder does not say it"


def test_steps_are_a_quarter_for_a_model_that_has_learned_something():
    shape = ModelConfig.base(300)
    for language in ("english", "scenes"):
        for size, start in (("mini", ModelConfig.mini(300)), ("base", shape)):
            whole, quarter = (recipe(language, size=what, device="cpu") for what in (size, start))
            assert quarter.learning_rate == pytest.approx(whole.learning_rate / 4)
            assert quarter.steps == whole.steps
    assert recipe("english", size=shape, learning_rate=1e-3).learning_rate == 1e-3


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("option", "value", "what"),
    [("size", "mini", "a shape"), ("vocabulary-size", 300, "a vocabulary"), ("tokenizer", "wordpiece", "a tokenizer")],
)
def test_what_the_folder_settles_is_refused_by_name(option, value, what, kings, ships, tmp_path, capsys):
    assert going_on(kings, ships, tmp_path / "out", f"--{option}", value) == 1
    error = capsys.readouterr().err
    assert f"{option.replace('-', '_')} is {value!r}, but the model in {kings}, to start from, has {what}" in error
    assert error.rstrip().endswith(f"leave --{option} out")
    assert not (tmp_path / "out").exists()


def test_an_option_is_not_taken_for_one_that_is_not_given(ships, tmp_path, capsys):
    for option, value, message in (
        ("--vocabulary-size", 0, "a vocabulary of size 0 is too small"),
        ("--tokenizer", "", "tokenizer is ''"),
        ("--size", "", "size is ''"),
    ):
        assert run("train", "--language", ships, "--out", tmp_path / "out", option, value, "--device", "cpu") == 1
        assert message in capsys.readouterr().err


def test_rows_longer_than_the_positions_are_refused(theirs, ships, tmp_path, capsys):
    assert going_on(theirs, ships, tmp_path / "out") == 1
    assert f"length is 64, but the model in {theirs}, to start from, has 40 positions: choose --length 40 or less" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("name", ["", "nowhere", "empty", "file", "unfinished", "tokenizer", "weights"])
def test_what_is_no_model_is_said_in_a_sentence(name, kings, ships, tmp_path, capsys):
    folder = tmp_path / name if name else ""
    if name == "empty":
        folder.mkdir()
    elif name == "file":
        folder.write_text("a model")
    elif name == "unfinished":
        with pytest.raises(KeyboardInterrupt):
            train_folder("markov", "tiny", TrainingConfig(steps=99, batch_size=2), folder, report=StopAt(60))
    elif name in ("tokenizer", "weights"):
        shutil.copytree(kings, folder)
    if name == "tokenizer":
        train_folder("markov", "tiny", FEW, tmp_path / "other")
        shutil.copy(tmp_path / "other" / "tokenizer.json", folder / "tokenizer.json")
    if name == "weights":
        (folder / "model.safetensors").write_bytes(b"weights")
    message = {
        "": "--from is '': expected the folder of a model",
        "nowhere": f"there is no folder {folder}: name where it is now; a model of the",
        "empty": f"{folder}/config.json is missing: expected a model's folder, with config.json, model.safetensors",
        "file": f"{folder} is a file: expected the folder that holds config.json",
        "unfinished": f"{folder} holds a run that has not ended: end it with train --resume first",
        "tokenizer": f"in {folder} the tokenizer has 25 tokens and the model ",
        "weights": f"{folder}/model.safetensors is not a safetensors file",
    }[name]
    capsys.readouterr()
    assert going_on(folder, ships, tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert error.startswith(f"course.py train: {message}")
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_language_of_other_words_is_refused_by_name(kings, ships, tmp_path, capsys):
    train_folder("markov", "tiny", FEW, tmp_path / "markov", device="cpu")
    capsys.readouterr()
    for start, language, message in (
        (kings, "scenes", "is not that of scenes, of 404: start from a model of scenes, or give --language other text"),
        (tmp_path / "markov", "scenes", "the model to start from, of 25 tokens, is not that of scenes, of 404"),
        (tmp_path / "markov", ships, "knows 20 words of a language of its own, and can read no text such as"),
        (tmp_path / "markov", "english", "knows 20 words of a language of its own, and can read no text such as"),
    ):
        assert going_on(start, language, tmp_path / "out") == 1
        assert message in capsys.readouterr().err


def test_the_share_of_unknown_tokens_is_told_with_what_helps(kings, tmp_path, capsys):
    text = write_text(tmp_path / "text", "Ω " + KINGS)
    with pytest.warns(UserWarning, match=r"% of the train tokens are \[UNK\].*'Ω'.*the model to start from"):
        assert going_on(kings, text, tmp_path / "out", "--length", 16) == 0
    text = write_text(tmp_path / "strange", "Ω ω Ω ω ж Ж {} {}\n")
    capsys.readouterr()
    assert going_on(kings, text, tmp_path / "other", "--length", 16) == 1
    error = capsys.readouterr().err
    assert "of the train tokens are [UNK]" in error
    assert "the vocabulary is that of the model to start from: choose one that knows this text" in error
    assert "--tokenizer" not in error


# ---------------------------------------------------------------- taken up again, and gone on with


def stopped(start, text, out, step=60):
    config = TrainingConfig.of(steps=70, batch_size=4, mask_ratio=0.3)
    with pytest.raises(KeyboardInterrupt):
        train_folder(text, None, config, out, start=start, length=32, device="cpu", report=StopAt(step))
    return config


def test_a_run_goes_on_to_the_same_bits_wherever_its_start_lies_now(theirs, ships, tmp_path):
    folder = shutil.copytree(theirs, tmp_path / "theirs")
    config = stopped(open_start(folder), ships, tmp_path / "out")
    moved = open_start(shutil.move(folder, tmp_path / "moved"))
    whole = train_folder(ships, None, config, tmp_path / "whole", start=moved, length=32, device="cpu")
    ended = train_folder(ships, None, config, tmp_path / "out", start=moved, length=32, device="cpu", resume=True)
    assert same_weights(ended.model, whole.model)
    losses = [[(point.step, point.loss) for point in result.curve] for result in (ended, whole)]
    assert losses[0] == losses[1]
    assert [step for step, _ in losses[0]] == [0, 50, 70]
    again = train_folder(ships, None, config, tmp_path / "out", start=moved, length=32, device="cpu", resume=True)
    assert same_weights(again.model, whole.model)


def test_a_run_is_taken_up_from_its_own_start_alone(theirs, ships, tmp_path):
    config = stopped(open_start(theirs), ships, tmp_path / "out")
    changed = shutil.copytree(theirs, tmp_path / "changed")
    model, _ = load_pretrained(changed)
    with torch.no_grad():
        model.blocks[1].norm.bias[3] += 1e-3
    other = open_start(changed)
    other.model.load_state_dict(model.state_dict())
    options = {"length": 32, "device": "cpu", "resume": True}
    with pytest.raises(CheckpointError, match=r"start was '\w{16}' and is now '\w{16}' \(.*give --from the model"):
        train_folder(ships, None, config, tmp_path / "out", start=other, **options)
    with pytest.raises(CheckpointError, match="does not fit this run: start was"):
        train_folder(ships, "tiny", config, tmp_path / "out", **options)
    with pytest.raises(KeyboardInterrupt):
        train_folder(ships, "tiny", config, tmp_path / "new", length=32, device="cpu", report=StopAt(60))
    with pytest.raises(CheckpointError, match=r"start was None and is now '\w{16}' \(.*leave --from out where there"):
        train_folder(ships, None, config, tmp_path / "new", start=open_start(theirs), **options)


@pytest.mark.parametrize("objective", ["masked", "causal"])
def test_a_run_that_has_ended_is_made_longer_as_the_refusal_says(objective, kings, ships, tmp_path, capsys):
    out, new = tmp_path / "out", tmp_path / "new"
    settings = ("--length", 16, "--objective", objective)
    assert going_on(kings, ships, out, *settings) == 0
    assert going_on(kings, ships, out, *settings, "--steps", 9, "--resume") == 1
    error = capsys.readouterr().err
    assert "steps was 4 and is now 9" in error
    assert "train --from OUT --out NEW goes on from the model in its folder OUT" in error
    assert going_on(out, ships, new, *settings, "--steps", 9) == 0
    ended, begun = (json.loads((folder / "training.json").read_text())["curve"] for folder in (out, new))
    assert begun[0]["loss"] == pytest.approx(ended[-1]["loss"], abs=1e-6)
    assert begun[-1]["step"] == 9
