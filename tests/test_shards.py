"""Text in many files of tokens: the same rows as in one, in an order that is computed, from any place at once."""

import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pytest

from mlm_mini import __main__ as command_line
from mlm_mini.languages import shards as shards_module
from mlm_mini.languages.batches import TextBlocks
from mlm_mini.languages.shards import FEISTEL_ROUNDS, SHARD_INDEX, TextShards, scattered, write_shards
from mlm_mini.languages.token_store import read_tokens
from mlm_mini.languages.tokenizer import train_wordpiece
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.storage import fingerprint
from mlm_mini.training import TrainingConfig, find_language, find_material, load_folder
from mlm_mini.training.token_folder import HELD_OUT_TOKENS

TEXTS = [f"The chef number {i} cuts the bread and number {i + 1} eats it." for i in range(60)]


@pytest.fixture(scope="module")
def wordpiece():
    return train_wordpiece(TEXTS, 300)


@pytest.fixture
def folder(wordpiece, tmp_path):
    write_shards(tmp_path, wordpiece, ([text] for text in TEXTS), characters=400)
    return tmp_path


def test_files_hold_the_documents_in_order_and_none_is_parted(folder, wordpiece):
    index = json.loads((folder / SHARD_INDEX).read_text())
    texts = [read_tokens(folder / shard["file"], wordpiece.vocabulary) for shard in index["shards"]]
    assert len(texts) > 5
    assert [len(text.ids) for text in texts] == [shard["tokens"] for shard in index["shards"]]
    for shard in index["shards"]:
        assert shard["sha256"] == hashlib.sha256((folder / shard["file"]).read_bytes()).hexdigest()
    found = np.concatenate([text.ids for text in texts])
    np.testing.assert_array_equal(found, np.concatenate(list(wordpiece.encode_documents(TEXTS))))


def test_a_file_ends_with_the_document_that_fills_it(wordpiece, tmp_path):
    """Two lines of nine characters, each with its end, are twenty."""
    write_shards(tmp_path, wordpiece, ([line] for line in ["the chefs"] * 5), characters=20)
    texts = [read_tokens(path, wordpiece.vocabulary) for path in sorted(tmp_path.glob("tokens-*.npy"))]
    assert [len(text.starts) - 1 for text in texts] == [2, 2, 1]
    assert [path.name for path in sorted(tmp_path.glob("tokens-*.npy"))] == [f"tokens-0000{i}.npy" for i in range(3)]


def test_a_file_without_a_word_is_passed_over_and_a_text_without_one_refused(wordpiece, tmp_path):
    v = wordpiece.vocabulary
    write_shards(tmp_path / "some", wordpiece, ([text] for text in ["the chef", "", "the bread"]), characters=1)
    source = TextShards(tmp_path / "some", v, 4, seed=0)
    words = [word for row in source.next_batch(len(source)) for word in v.words(row) if word[0] != "["]
    whole = np.concatenate([wordpiece.encode(text)[1:-1] for text in ("the chef", "the bread")])
    assert sorted(words) == sorted(v.words(whole))
    write_shards(tmp_path / "none", wordpiece, [[""], [""]], characters=1)
    with pytest.raises(ValueError, match=r"the text in .*none is empty: there is no token between"):
        TextShards(tmp_path / "none", v, 4, seed=0)
    with pytest.raises(ValueError, match="no document to tokenize"):
        write_shards(tmp_path / "nothing", wordpiece, [])


def test_windows_knows_no_advice_on_a_map(folder, wordpiece, monkeypatch):
    expected = TextShards(folder, wordpiece.vocabulary, 16, seed=0).next_batch(9)
    monkeypatch.setattr(shards_module, "mmap", SimpleNamespace())
    np.testing.assert_array_equal(TextShards(folder, wordpiece.vocabulary, 16, seed=0).next_batch(9), expected)


def test_the_seed_decides_the_order_of_each_epoch(folder, wordpiece):
    orders = [TextShards(folder, wordpiece.vocabulary, 16, seed=seed).next_batch(60) for seed in (0, 1, 0)]
    np.testing.assert_array_equal(orders[0], orders[2])
    assert not np.array_equal(orders[0], orders[1])


def test_the_hash_is_that_of_splitmix64():
    """Against the first numbers that SplitMix64 is known to give for the seed 1234567."""
    gamma, known = 0x9E3779B97F4A7C15, [6457827717110365317, 3203168211198807973, 9817491932198370423]
    states = np.array([(1234567 + i * gamma) % 2**64 for i in (1, 2, 3)], dtype=np.uint64)
    assert shards_module._mixed(states).tolist() == known


def test_rows_are_those_of_the_blocks_of_each_file(folder, wordpiece):
    v, index = wordpiece.vocabulary, json.loads((folder / SHARD_INDEX).read_text())
    source = TextShards(folder, v, 16, seed=0)
    files = [TextBlocks(read_tokens(folder / shard["file"], v), v, 16, seed=0) for shard in index["shards"]]
    rows = np.concatenate([blocks.rows(np.arange(len(blocks))) for blocks in files])
    assert len(source) == len(rows)
    np.testing.assert_array_equal(source.rows(np.arange(len(source))), rows)
    epochs = [source.next_batch(len(source)) for _ in range(2)]
    for epoch in epochs:
        assert sorted(map(tuple, epoch)) == sorted(map(tuple, rows))
        assert not np.array_equal(epoch, rows)
    assert not np.array_equal(*epochs)


def test_a_batch_may_end_one_epoch_and_begin_the_next(folder, wordpiece):
    whole, parts = (TextShards(folder, wordpiece.vocabulary, 16, seed=4) for _ in range(2))
    n = 3 * len(whole)
    rows = np.concatenate([parts.next_batch(7) for _ in range(-(-n // 7))])
    np.testing.assert_array_equal(whole.next_batch(n), rows[:n])


@pytest.mark.parametrize("K", [1, 2, 3, 64, 65, 1000, 4097])
def test_what_is_scattered_is_a_permutation(K):
    seen = []
    for seed in range(3):
        keys = np.random.default_rng(seed).integers(2**63, size=FEISTEL_ROUNDS, dtype=np.uint64)
        order = scattered(np.arange(K), K, keys)
        np.testing.assert_array_equal(np.sort(order), np.arange(K))
        # One by one they go where they go together.
        some = np.arange(0, K, max(1, K // 5))
        np.testing.assert_array_equal(
            np.concatenate([scattered(some[i : i + 1], K, keys) for i in range(len(some))]), order[some]
        )
        seen.append(tuple(order))
    assert K < 4 or len(set(seen)) == 3


def test_an_order_looks_like_one_that_was_drawn():
    """Each place is as likely to be followed by a later one as not, and no neighbor stays one."""
    K = 2**14 + 17
    keys = np.random.default_rng(0).integers(2**63, size=FEISTEL_ROUNDS, dtype=np.uint64)
    order = scattered(np.arange(K), K, keys)
    rises = (np.diff(order) > 0).sum()
    assert abs(rises - K / 2) < 5 * np.sqrt(K / 12)  # the variance of the rises of a random order is (K + 1) / 12
    assert (np.abs(np.diff(order)) == 1).sum() < 15  # 2 are expected
    assert abs(np.corrcoef(np.arange(K), order)[0, 1]) < 5 / np.sqrt(K)


def test_from_the_middle_nothing_is_read_but_the_rows_asked_for(folder, wordpiece, monkeypatch):
    """A million batches later: no file is opened, and nothing computed, but what the next batch takes."""
    opened, computed = [], []
    load, scatter = np.load, shards_module.scattered
    monkeypatch.setattr(
        shards_module.np, "load", lambda path, **how: opened.append((path.name, how)) or load(path, **how)
    )
    monkeypatch.setattr(
        shards_module, "scattered", lambda places, *how: computed.append(len(places)) or scatter(places, *how)
    )
    source = TextShards(folder, wordpiece.vocabulary, 16, seed=0)
    source.state = {"seed": 0, "read": 4 * 10**6}
    assert (opened, computed) == ([], [])
    rows = source.next_batch(4)
    assert sum(computed) == 4
    assert len(opened) <= 4
    assert all(how == {"mmap_mode": "r"} for _, how in opened)
    again = TextShards(folder, wordpiece.vocabulary, 16, seed=9)
    again.state = {"seed": 0, "read": 4 * 10**6 - 2}
    np.testing.assert_array_equal(again.next_batch(6)[2:], rows)
    assert again.state == source.state == {"seed": 0, "read": 4 * 10**6 + 4}


@pytest.mark.parametrize(("name", "value"), [("read", -1), ("read", 1.0), ("seed", None), ("read", 2**62)])
def test_a_place_that_is_not_in_the_text_is_refused(name, value, folder, wordpiece):
    source = TextShards(folder, wordpiece.vocabulary, 16, seed=0)
    before = source.state
    with pytest.raises(ValueError, match=f"{name} is"):
        source.state = before | {name: value}
    assert source.state == before


def test_a_folder_that_is_not_as_it_was_written_is_refused(folder, wordpiece):
    v = wordpiece.vocabulary
    with pytest.raises(ValueError, match="another vocabulary"):
        TextShards(folder, train_wordpiece(TEXTS[:1], 300).vocabulary, 16, seed=0)
    with pytest.raises(ValueError, match="length is 2"):
        TextShards(folder, v, 2, seed=0)
    source = TextShards(folder, v, 16, seed=0)
    for path in folder.glob("*.npy"):
        np.save(path, np.load(path)[:-1])
    with pytest.raises(ValueError, match=r"tokens-\d+.npy has \d+ tokens"):
        source.next_batch(1)
    (folder / SHARD_INDEX).write_text("{}")
    with pytest.raises(ValueError, match="is no index of tokens"):
        TextShards(folder, v, 16, seed=0)


def test_the_fingerprint_is_that_of_the_text(folder, wordpiece, tmp_path):
    v = wordpiece.vocabulary
    write_shards(tmp_path / "same", wordpiece, ([text] for text in TEXTS), characters=400)
    write_shards(tmp_path / "other", wordpiece, ([text] for text in [*TEXTS[:-1], "the bread"]), characters=400)
    one, same, other = (
        TextShards(path, v, 16, 0).fingerprint for path in (folder, tmp_path / "same", tmp_path / "other")
    )
    assert one == same != other
    index = json.loads((tmp_path / "same" / SHARD_INDEX).read_text())
    words = Vocabulary([*v.tokens[:-2], v.tokens[-1], v.tokens[-2]])  # the same numbers, and other words
    index["vocabulary"] = fingerprint(list(words.tokens))
    (tmp_path / "same" / SHARD_INDEX).write_text(json.dumps(index))
    assert TextShards(tmp_path / "same", words, 16, 0).fingerprint != one


# ---------------------------------------------------------------- the commands


def test_a_text_is_tokenized_once_and_trained_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    (tmp_path / "text").mkdir()
    for i in range(6):
        (tmp_path / "text" / f"{i}.txt").write_text("\n".join(TEXTS[i::2] * 3))
    tokens, out = str(tmp_path / "tokens"), str(tmp_path / "out")
    line = ["tokenize", "--language", str(tmp_path / "text"), "--out", tokens, "--vocabulary-size", "300"]
    assert command_line.main([*line, "--shard-characters", "1000"]) == 0
    assert f"files are in {tokens}" in capsys.readouterr().out
    assert command_line.main(line) == 1
    assert "is not empty" in capsys.readouterr().err
    train = ["train", "--language", tokens, "--size", "tiny", "--steps", "2", "--batch-size", "4", "--device", "cpu"]
    assert command_line.main([*train, "--length", "16", "--out", out]) == 0
    model, tokenizer = load_folder(out)
    assert model.config.vocab_size == len(tokenizer.vocabulary) == len(find_language(tokens).tokenizer.vocabulary)
    capsys.readouterr()
    for more, message in (
        (["--tokenizer", "characters"], "was tokenized beforehand"),
        (["--vocabulary-size", "100"], "vocabulary_size is 100"),
        (["--ending", ".md"], "was tokenized beforehand"),
    ):
        assert command_line.main([*train, *more, "--out", str(tmp_path / "no")]) == 1
        assert message in capsys.readouterr().err
    assert command_line.main(["tokenize", "--language", tokens, "--out", str(tmp_path / "twice")]) == 1
    assert "is no text that could be tokenized" in capsys.readouterr().err


def test_what_is_held_out_is_not_trained_on(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    (tmp_path / "text").mkdir()
    for i in range(8):
        (tmp_path / "text" / f"{i}.txt").write_text(f"the word{i} of text {i}\n" * 20)
    text, tokens = str(tmp_path / "text"), tmp_path / "tokens"
    assert command_line.main(["tokenize", "--language", text, "--out", str(tokens)]) == 0
    material = find_material(str(tokens), TrainingConfig(steps=1), length=16)
    assert material.evaluation.batch.count_labels() > 0
    own = {"length": 16, "vocabulary_size": len(material.tokenizer.vocabulary)}  # which may be said as well
    again, other = (find_material(str(tokens), TrainingConfig(steps=1, seed=seed), **own) for seed in (0, 1))
    rows = [each.source.next_batch(20) for each in (material, again, other)]
    np.testing.assert_array_equal(rows[0], rows[1])
    assert not np.array_equal(rows[0], rows[2])
    assert other.evaluation.fingerprint == material.evaluation.fingerprint
    assert find_language(str(tokens), material.tokenizer).tokenizer.vocabulary == material.tokenizer.vocabulary
    for what in ({"tokenizer": train_wordpiece(TEXTS, 300)}, {"endings": [".txt"]}):
        with pytest.raises(ValueError, match="was tokenized beforehand, with a vocabulary of"):
            find_language(str(tokens), **what)
    for split, names in (("train", sorted(tokens.glob("tokens-*.npy"))), ("validation", [tokens / HELD_OUT_TOKENS])):
        texts = find_language(text).corpus().split(split).texts()
        found = np.concatenate([read_tokens(name, material.tokenizer.vocabulary).ids for name in names])
        np.testing.assert_array_equal(found, np.concatenate(list(material.tokenizer.encode_documents(texts))))
