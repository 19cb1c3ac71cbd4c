"""One token for each character: there and back, for the library of others, for a run and what it leaves."""

import json
import os

os.environ["HF_HUB_OFFLINE"] = "1"  # read when the libraries are imported: nothing here may need a network

import numpy as np
import pytest
import tokenizers

from mlm_mini.__main__ import main
from mlm_mini.languages import Characters, english_corpus, read_text_folder, train_characters
from mlm_mini.languages.token_store import read_tokens, text_tokenizer, text_tokens, write_tokens
from mlm_mini.model import ModelConfig, WordLevel, load_tokenizer, save_pretrained, trained_length
from mlm_mini.training import fill, find_language, load_folder, unknown_words
from mlm_mini.training.checkpoint import CheckpointError, load_checkpoint
from mlm_mini.training.run import first_model

PROTEIN = "MKVLAAGIVGLPNSSCDEFHQRTWYY"
LAO = "ສະບາຍດີ"
TEXT = f"{PROTEIN}\n\n  Two spaces, a\ttab and {LAO}.\n"


@pytest.fixture
def letters():
    return train_characters(TEXT.split("\n"), 4096)


@pytest.fixture
def proteins(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    folder = tmp_path / "proteins"
    folder.mkdir()
    for i in range(6):
        (folder / f"{i}.txt").write_text("".join(rng.choice(list(PROTEIN), 400)) + "\n")
    return folder


def train_arguments(folder, out, *more):
    recipe = ("--size", "tiny", "--steps", "2", "--batch-size", "4", "--device", "cpu")
    return ["train", "--language", str(folder), "--out", str(out), *recipe, *more]


def test_a_text_goes_there_and_back_to_the_last_space(letters):
    ids = letters.encode(TEXT)
    assert len(ids) == len(TEXT) + 2
    assert (ids[0], ids[-1]) == (letters.vocabulary.cls_id, letters.vocabulary.sep_id)
    assert letters.tokens(ids)[1:4] == ["M", "K", "V"]
    assert letters.decode(ids) == TEXT
    assert np.concatenate(list(letters.encode_lines(TEXT.split("\n")))).tolist() == ids.tolist()


def test_the_special_tokens_are_those_of_wordpiece(letters):
    assert letters.vocabulary.special_ids.tolist() == [0, 100, 101, 102, 103]
    assert letters.vocabulary.tokens[104:] == tuple(sorted(set(TEXT)))
    assert letters.tokens(letters.encode("M[MASK]V")) == ["[CLS]", "M", "[MASK]", "V", "[SEP]"]
    (plain,) = letters.encode_documents(["[MASK]"])
    assert letters.tokens(plain) == ["[CLS]", "[UNK]", "M", "A", "S", "K", "[UNK]", "[SEP]"]


def test_a_character_never_met_is_unknown_and_rare_ones_give_way(letters):
    assert letters.decode(letters.encode("Mж")) == "M[UNK]"
    assert letters.unknown_pieces("Mжж") == ["ж", "ж"]
    assert set(train_characters(["aab"], 106).vocabulary.tokens[104:]) == {"a", "\n"}
    # Every line has an end, and there is one to begin with: of two lines there are three.
    assert train_characters(["aa", "b"], 105).vocabulary.tokens[104:] == ("\n",)
    assert train_characters(["bbaacc"], 106).vocabulary.tokens[104:] == ("\n", "a")  # of equals the first ones


@pytest.mark.parametrize(("lines", "size"), [([" ", ""], 4096), (["a"], 104)])
def test_no_text_or_no_room_is_an_error(lines, size):
    with pytest.raises(ValueError, match=r"no text|size 104 is too small"):
        train_characters(lines, size)


def test_a_file_of_another_kind_is_named(tmp_path):
    model = tokenizers.models.WordLevel({"[UNK]": 0}, unk_token="[UNK]")
    (tmp_path / "tokenizer.json").write_text(tokenizers.Tokenizer(model).to_str())
    with pytest.raises(ValueError, match=r"tokenizer.json is not a tokenizer of characters"):
        Characters.load(tmp_path / "tokenizer.json")


def test_tokens_are_kept_beside_those_of_wordpiece(proteins, tmp_path):
    corpus = read_text_folder(proteins)
    letters = text_tokenizer(corpus, 4096, "characters")
    assert len(text_tokens(corpus, "validation", letters).ids) == 403
    assert text_tokenizer(corpus, 4096, "characters").to_json() == letters.to_json()
    assert len(list((tmp_path / "cache").glob("*/tokenizer.json"))) == 1
    text_tokenizer(corpus, 4096)
    assert len(list((tmp_path / "cache").glob("*/tokenizer.json"))) == 2
    with pytest.raises(ValueError, match="tokenizer is 'bytes': expected wordpiece or characters"):
        text_tokenizer(corpus, 4096, "bytes")


def test_documents_are_found_again(letters, tmp_path):
    write_tokens(tmp_path / "t.npy", letters, ["a\n[CLS]", "", TEXT])
    tokens = read_tokens(tmp_path / "t.npy", letters.vocabulary)
    assert len(tokens.starts) == 4
    assert letters.decode(tokens.ids[tokens.starts[2] :]) == TEXT


def test_transformers_opens_the_folder_and_fills_alike(letters, tmp_path):
    transformers = pytest.importorskip("transformers")
    model = first_model(ModelConfig.tiny(len(letters.vocabulary)), 0).eval()
    save_pretrained(model, tmp_path, letters)
    assert load_tokenizer(tmp_path).to_json() == letters.to_json()
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert theirs(TEXT)["input_ids"] == letters.encode(TEXT).tolist()
    assert theirs.decode(theirs(TEXT)["input_ids"], skip_special_tokens=True) == TEXT
    pipeline = transformers.pipeline("fill-mask", model=str(tmp_path), tokenizer=theirs, top_k=3, device="cpu")
    (ours,) = fill(*load_folder(tmp_path), "MKV[MASK]AA", top=3, all_tokens=True)
    answers = pipeline("MKV[MASK]AA")
    assert [letters.vocabulary.tokens[answer["token"]] for answer in answers] == [c.token for c in ours]
    assert [answer["score"] for answer in answers] == pytest.approx([c.probability for c in ours], abs=1e-6)
    regular = letters.vocabulary.words(letters.vocabulary.regular_ids)
    (every,) = fill(*load_folder(tmp_path), "MKV[MASK]AA", top=len(regular))
    assert sorted(c.token for c in every) == sorted(regular)
    assert sum(c.probability for c in every) == pytest.approx(1)


def test_unknown_characters_are_named(letters):
    assert unknown_words(letters, "MжK[MASK]☃ж[UNK]") == ["ж", "☃"]
    assert unknown_words(letters, "M[UNK][MASK][SEP]") == []
    model = first_model(ModelConfig.tiny(len(letters.vocabulary)), 0)
    with pytest.raises(
        ValueError, match=r"'\\u202e' is not among .* characters: leave it out, or hide it with \[MASK\]"
    ):
        fill(model, letters, "M\u202e[MASK]")
    assert len(fill(model, letters, "M[UNK][MASK]")[0]) == 5


def test_characters_that_are_cut_otherwise_are_refused(letters, tmp_path):
    save_pretrained(first_model(ModelConfig.tiny(len(letters.vocabulary)), 0), tmp_path, letters)
    content = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))
    (tmp_path / "tokenizer.json").write_text(json.dumps(content | {"normalizer": {"type": "Lowercase"}}))
    with pytest.raises(
        ValueError, match=r"tokenizer\.json does not fit: the tokenizer does not have one token for each"
    ):
        load_tokenizer(tmp_path)


def test_words_and_characters_are_told_apart(letters, tmp_path):
    words = WordLevel(letters.vocabulary.__class__(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a"]))
    save_pretrained(first_model(ModelConfig.tiny(6), 0), tmp_path, words)
    assert isinstance(load_tokenizer(tmp_path), WordLevel)


def test_a_model_of_characters_is_trained_and_fills(proteins, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(train_arguments(proteins, out, "--tokenizer", "characters")) == 0
    printed = capsys.readouterr()
    assert "tokens of the validation text, hidden one at a time" in printed.out
    assert main(["fill", "MKV[MASK]A", "--model", str(out), "--json"]) == 0
    (blank,) = json.loads(capsys.readouterr().out)["blanks"]
    assert len(blank) == 5
    assert trained_length(load_folder(out)[0]) == json.loads((out / "config.json").read_text())["trained_length"] == 64
    assert main(["fill", "MKV[MASK]A" + 60 * "M", "--model", str(out)]) == 1
    assert "the text has 67 tokens with [CLS] and [SEP], and the model was trained on 64" in capsys.readouterr().err
    assert main(["fill", "mkv[MASK]A", "--model", str(out)]) == 1
    assert "'m' is not among the model's 21 characters: did you mean 'M'?" in capsys.readouterr().err


def test_a_run_of_words_does_not_go_on_with_characters(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    (tmp_path / "text").mkdir()
    for i in range(4):
        (tmp_path / "text" / f"{i}.txt").write_text(" ".join(f"the chef {i} cuts {j} breads" for j in range(40)))
    assert main(train_arguments(tmp_path / "text", tmp_path / "out")) == 0
    again = train_arguments(tmp_path / "text", tmp_path / "out", "--resume", "--tokenizer", "characters")
    assert main(again) == 1
    assert "the checkpoint does not fit this run: vocab_size was" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("language", "tokenizer", "message"),
    [("scenes", "characters", "one token for each word"), ("english", "bytes", "expected wordpiece or characters")],
)
def test_a_tokenizer_that_does_not_fit_is_named(language, tokenizer, message):
    with pytest.raises(ValueError, match=message):
        find_language(language, tokenizer)


def test_english_has_characters_too():
    assert find_language("english", "characters").corpus() == english_corpus()


posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFO")


@posix
@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "training.json"]
)
def test_a_fifo_in_the_folder_of_a_model_is_named_and_not_waited_for(name, letters, tmp_path):
    save_pretrained(first_model(ModelConfig.tiny(len(letters.vocabulary)), 0), tmp_path, letters)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    if name == "training.json":  # which a model of others does not have
        assert load_folder(tmp_path)[1].vocabulary == letters.vocabulary
    else:
        with pytest.raises((ValueError, FileNotFoundError), match=rf"{name} is (a FIFO: expected a regular|missing)"):
            load_folder(tmp_path)


@posix
def test_a_fifo_in_a_checkpoint_is_named_and_not_waited_for(tmp_path):
    (tmp_path / "step-00000001").mkdir()
    os.mkfifo(tmp_path / "step-00000001" / "state.json")
    with pytest.raises(CheckpointError, match=r"state\.json is a FIFO"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("arguments", [["fill", "[MASK]", "--model"], ["train", "--language", "scenes", "--out"]])
def test_the_home_of_nobody_is_a_sentence(arguments, capsys):
    assert main([*arguments, "~nobodyatall/model"]) == 1
    assert "~nobodyatall/model: no user has that name" in capsys.readouterr().err
