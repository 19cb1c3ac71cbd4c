"""Rows of text: every token once an epoch, in an order that can be taken up again, and never all text in memory."""

import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from mlm_mini.languages import markov_language, read_text_folder
from mlm_mini.languages.batches import SampledSentences, TextBlocks
from mlm_mini.languages.corpus import Corpus, Document
from mlm_mini.languages.token_store import TokenizedText, read_tokens, text_tokenizer, text_tokens, write_tokens
from mlm_mini.languages.tokenizer import train_wordpiece
from mlm_mini.languages.vocabulary import Vocabulary

TEXTS = [f"The chef number {i} cuts the bread and number {i + 1} eats it." for i in range(40)]


@pytest.fixture(scope="module")
def wordpiece():
    return train_wordpiece(TEXTS, 300)


@pytest.fixture
def tokens(wordpiece, tmp_path):
    write_tokens(tmp_path / "t.npy", wordpiece, TEXTS)
    return read_tokens(tmp_path / "t.npy", wordpiece.vocabulary)


# ---------------------------------------------------------------- blocks


def test_a_block_is_framed_and_the_blocks_together_are_the_text(tokens, wordpiece):
    v = wordpiece.vocabulary
    blocks = TextBlocks(tokens, v, 16, seed=0)
    rows = blocks.rows(np.arange(len(blocks)))
    assert rows.dtype == np.int64
    assert (rows[:, 0] == v.cls_id).all()
    assert (rows[:-1, -1] == v.sep_id).all()
    whole = rows[:, 1:].ravel()
    inner = rows[:-1, 1:-1].ravel().tolist() + rows[-1, 1 : (rows[-1] != v.pad_id).sum() - 1].tolist()
    assert inner == tokens.ids[1:-1].tolist()
    assert Counter(whole.tolist())[v.pad_id] < 16


@pytest.mark.parametrize("length", [3, 5, 64, 100_000])
def test_blocks_of_any_length_have_a_sep_and_padding_only_at_the_end(length, tokens, wordpiece):
    v = wordpiece.vocabulary
    rows = TextBlocks(tokens, v, length, seed=0).rows([0])
    (row,) = rows
    used = row[row != v.pad_id]
    assert used[-1] == v.sep_id
    assert (row[len(used) :] == v.pad_id).all()


def test_an_epoch_has_every_block_once_and_the_next_has_another_order(tokens, wordpiece):
    blocks = TextBlocks(tokens, wordpiece.vocabulary, 16, seed=0)
    K = len(blocks)
    in_order = sorted(map(tuple, blocks.rows(np.arange(K))))
    first, second = blocks.next_batch(K), blocks.next_batch(K)
    for epoch in (first, second):
        assert sorted(map(tuple, epoch)) == in_order
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, blocks.rows(np.arange(K)))


def test_a_batch_may_be_larger_than_the_text(wordpiece, tmp_path):
    write_tokens(tmp_path / "t.npy", wordpiece, ["the chef"])
    blocks = TextBlocks(read_tokens(tmp_path / "t.npy", wordpiece.vocabulary), wordpiece.vocabulary, 8, seed=0)
    assert len(blocks) == 1
    assert blocks.next_batch(5).shape == (5, 8)
    assert blocks.next_batch(0).shape == (0, 8)


def test_the_seed_alone_decides_the_order(tokens, wordpiece):
    def batch(seed):
        return TextBlocks(tokens, wordpiece.vocabulary, 16, seed=seed).next_batch(20)

    np.testing.assert_array_equal(batch(3), batch(3))
    assert not np.array_equal(batch(3), batch(4))


def test_the_same_ids_of_other_words_are_another_text(tokens, wordpiece):
    words = list(wordpiece.vocabulary.tokens)
    words[-2:] = reversed(words[-2:])
    one, other = (TextBlocks(tokens, v, 16, seed=0).fingerprint for v in (wordpiece.vocabulary, Vocabulary(words)))
    assert one != other


def test_any_text_has_its_own_fingerprint(tokens, wordpiece):
    other = np.array(tokens.ids)
    other[-5] += 1
    prints = {
        TextBlocks(TokenizedText(ids, tokens.starts), wordpiece.vocabulary, 16, seed=0).fingerprint
        for ids in (tokens.ids, np.array(tokens.ids), other)
    }
    assert len(prints) == 2


@pytest.mark.parametrize("length", [1, 7, 10**6])
def test_a_text_is_read_in_pieces_mapped_or_not(length, tokens):
    held, view = np.array(tokens.ids), tokens.ids[3:]
    assert isinstance(view, np.memmap)
    for ids, expected in ((tokens.ids, held), (held, held), (view, held[3:])):
        pieces = list(TokenizedText(ids, tokens.starts).pieces(length))
        assert {len(piece) for piece in pieces[:-1]} <= {length}
        np.testing.assert_array_equal(np.concatenate(pieces), expected)
        assert pieces[0].dtype == expected.dtype


def test_text_that_makes_no_block_is_refused(tokens, wordpiece):
    with pytest.raises(ValueError, match=r"length is 2: expected at least 3"):
        TextBlocks(tokens, wordpiece.vocabulary, 2, seed=0)
    nothing = TokenizedText(np.array([101, 102], dtype=np.uint16), np.array([0, 2]))
    with pytest.raises(ValueError, match="text is empty"):
        TextBlocks(nothing, wordpiece.vocabulary, 8, seed=0)


# ---------------------------------------------------------------- places


@pytest.mark.parametrize("taken", [0, 1, 7, 200])
def test_a_source_goes_on_from_a_place_that_went_through_json(taken, tokens, wordpiece):
    sources = {
        "blocks": lambda seed: TextBlocks(tokens, wordpiece.vocabulary, 16, seed=seed),
        "sentences": lambda seed: SampledSentences(markov_language(), seed),
    }
    for make in sources.values():
        source, again = make(5), make(6)
        source.next_batch(taken)
        again.state = json.loads(json.dumps(source.state))
        for n in (3, 50, 1):
            np.testing.assert_array_equal(again.next_batch(n), source.next_batch(n))


def test_sampled_sentences_are_those_of_the_language():
    language = markov_language()
    source = SampledSentences(language, 31)
    assert (source.length, source.fingerprint) == (language.length, language.fingerprint)
    assert np.isfinite(language.log_marginal(source.next_batch(50))).all()


# ---------------------------------------------------------------- any corpus, tokenized once


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    for i, text in enumerate(TEXTS):
        (tmp_path / f"{i}.txt").write_text(text + "\n\nThe end.\n")
    return read_text_folder(tmp_path)


def test_a_folder_becomes_a_tokenizer_and_tokens_that_are_kept(corpus, monkeypatch):
    tokenizer = text_tokenizer(corpus, 300)
    tokens = text_tokens(corpus, "train", tokenizer)
    assert isinstance(tokens.ids, np.memmap)
    train = corpus.split("train").documents
    assert len(tokens.starts) == len(train) + 1
    assert tokens.ids[: tokens.starts[1]].tolist() == tokenizer.encode(train[0].text).tolist()
    monkeypatch.setattr("mlm_mini.languages.token_store.write_tokens", None)  # not to be called again
    monkeypatch.setattr("mlm_mini.languages.token_store.train_wordpiece", None)
    again = text_tokens(corpus, "train", text_tokenizer(corpus, 300))
    np.testing.assert_array_equal(again.ids, tokens.ids)


def test_a_changed_file_is_tokenized_again(corpus, tmp_path):
    tokenizer = text_tokenizer(corpus, 300)
    before = len(text_tokens(corpus, "train", tokenizer).ids)
    train = corpus.split("train").documents[0]
    train.path.write_text("Other words.")
    assert len(text_tokens(corpus, "train", tokenizer).ids) < before


def test_the_trainer_reads_the_beginning_of_each_document(monkeypatch, tmp_path):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("mlm_mini.languages.token_store.TRAINER_CHARACTERS", 40)
    documents = tuple(Document(f"{i}", f"first {name}\n" * 2 + "late\n" * 90) for i, name in enumerate(("ab", "cd")))
    seen = []
    monkeypatch.setattr(
        "mlm_mini.languages.token_store.train_wordpiece",
        lambda texts, size: seen.extend(texts) or train_wordpiece(texts, size),
    )
    text_tokenizer(Corpus(documents, "", "", ""), 300)
    assert seen == ["first ab\nfirst ab\nla", "first cd\nfirst cd\nla"]


MEASURE = """if True:
    import sys
    from pathlib import Path
    from mlm_mini.languages import WordPiece, read_text_folder
    from mlm_mini.languages.token_store import text_tokens
    from mlm_mini.languages.batches import TextBlocks
    tokenizer = WordPiece.load(sys.argv[2])
    corpus = read_text_folder(sys.argv[1])
    tokens = text_tokens(corpus, "train", tokenizer)
    TextBlocks(tokens, tokenizer.vocabulary, 64, seed=0).next_batch(8)
    status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    print(*(1024 * int(status[name].split()[0]) for name in ("VmHWM", "RssFile")), tokens.ids.nbytes)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow_with_the_text(wordpiece, tmp_path, monkeypatch):
    """Ten megabytes of text more take about the same memory; held whole, text and ids would take thirty more.

    The ids are mapped from their file and count as soon as they are touched: only the rows in use may be.
    """
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))
    wordpiece.save(tmp_path / "tokenizer.json")
    measured = []
    for megabytes in (3, 13):
        file = tmp_path / f"{megabytes}.txt"
        line = " ".join(TEXTS) + "\n\n"
        file.write_text(line * (megabytes * 1_000_000 // len(line)))
        command = [sys.executable, "-c", MEASURE, str(file), str(tmp_path / "tokenizer.json")]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        measured.append([int(number) for number in shown.split()])
    peak, mapped, ids = np.subtract(*reversed(measured))
    assert peak < 8_000_000
    assert mapped < ids / 2
