"""WordPiece as BERT has it, the same in every process, and a cache that neither a crash nor a bad file can spoil."""

import dataclasses
import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import tokenizers

from mlm_mini.languages import english_corpus, split_words, token_store
from mlm_mini.languages import tokenizer as tokenizer_module
from mlm_mini.languages.corpus import SPLITS
from mlm_mini.languages.token_store import english_tokenizer, english_tokens, read_tokens, write_tokens
from mlm_mini.languages.tokenizer import WordPiece, train_wordpiece

SMALL = ["The chef cuts the bread. The bread is cut by the chef, isn't it? Nebuchadnezzar's café."] * 3
TRAIN_AND_PRINT = """if True:
    import hashlib
    from mlm_mini.languages import english_corpus, train_wordpiece
    texts = english_corpus().split("validation").texts()
    print(hashlib.sha256(train_wordpiece(texts, 2000).to_json().encode()).hexdigest())
"""


@pytest.fixture(scope="session")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def english(cache):
    """Trained once, in a cache of its own."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("MLM_MINI_CACHE", str(cache))
        return english_tokenizer.__wrapped__()


@pytest.fixture
def cached_english(english, cache, monkeypatch):
    """As a new process finds it: the file is in the cache, nothing is in memory."""
    monkeypatch.setenv("MLM_MINI_CACHE", str(cache))
    english_tokenizer.cache_clear()
    yield english
    english_tokenizer.cache_clear()


@pytest.fixture(scope="module")
def small():
    return train_wordpiece(SMALL, 300)


# ---------------------------------------------------------------- the vocabulary


def test_special_tokens_have_the_ids_that_bert_gives_them(english):
    v = english.vocabulary
    assert (v.pad_id, v.unk_id, v.cls_id, v.sep_id, v.mask_id) == (0, 100, 101, 102, 103)
    assert v.tokens[1:100] == tuple(f"[unused{i}]" for i in range(99))
    assert v.special_ids.tolist() == [0, 100, 101, 102, 103]
    assert v.regular_ids.tolist() == list(range(104, 4096))


def test_every_ascii_character_has_a_piece(small):
    text = "".join(chr(i) for i in range(33, 127))
    assert small.vocabulary.unk_id not in small.encode(f"{text} {' '.join(text)} {text.lower()[::-1]}")


def test_training_gives_the_same_vocabulary_in_every_process():
    runs = [subprocess.run([sys.executable, "-c", TRAIN_AND_PRINT], check=True, capture_output=True) for _ in range(3)]
    assert len({run.stdout for run in runs}) == 1


def test_training_gives_the_same_vocabulary_twice_in_one_process(small):
    assert train_wordpiece(iter(SMALL), 300).to_json() == small.to_json()


def test_the_size_is_an_upper_bound_that_enough_text_reaches(english, small):
    assert len(english.vocabulary) == 4096
    assert len(small.vocabulary) < 300


def test_only_the_training_side_is_trained_on(english):
    corpus = english_corpus()
    counts = {name: Counter(split_words("\n".join(corpus.split(name).texts()))) for name in ("train", "test")}
    for name in ("haman", "esther", "naomi"):  # frequent enough in the test books for a piece of their own
        assert counts["test"][name] >= 10
        assert counts["train"][name] == 0
        assert name not in english.vocabulary


@pytest.mark.parametrize(
    ("texts", "size", "error", "message"),
    [
        ("one text", 500, TypeError, "wrap it in a list"),
        (["fine", 3], 500, TypeError, "must be a str, not int"),
        ([b"bytes"], 500, TypeError, "must be a str, not bytes"),
        ([], 500, ValueError, "no text"),
        (["", " \n"], 500, ValueError, "no text"),
        (SMALL, 100, ValueError, r"size 100 is too small: 104 ids are BERT's own .* at least \d+"),
        (SMALL, 0, ValueError, "too small"),
        (SMALL, 500.0, TypeError, "size must be an int, not 500.0"),
        (SMALL, True, TypeError, "size must be an int, not True"),
    ],
)
def test_bad_training_input_is_named(texts, size, error, message):
    with pytest.raises(error, match=message):
        train_wordpiece(texts, size)


def test_the_smallest_size_that_the_error_names_is_enough():
    with pytest.raises(ValueError, match="at least") as caught:
        train_wordpiece(SMALL, 1)
    least = int(str(caught.value).rsplit(" ", 1)[1])
    assert len(train_wordpiece(SMALL, least).vocabulary) == least


@pytest.mark.parametrize(
    ("more", "pieces"),
    [
        ("", 26 + 10 + 32 + 26 + 10),  # letters, digits, signs of ASCII; letters and digits inside a word as well
        ("\u00e9", 104),  # without its accent a letter of ASCII
        ("\u00df", 106),
        ("\u00bf\u2014", 106),  # punctuation stands alone
        ("A\t", 104),
    ],
)
def test_a_character_has_a_piece_and_another_one_inside_a_word_unless_words_end_at_it(more, pieces):
    with pytest.raises(
        ValueError, match=f"this text has {pieces} pieces of one character, so .* at least {104 + pieces}"
    ):
        train_wordpiece(["a" + more], 1)


# ---------------------------------------------------------------- encode and decode


def test_a_sentence_goes_there_and_back_in_lower_case_without_accents(english):
    ids = english.encode("The King of Café, he said: go (now)!")
    assert ids.dtype == np.int64
    assert ids.ndim == 1
    assert english.tokens(ids)[:4] == ["[CLS]", "the", "king", "of"]
    assert english.tokens(ids)[-1] == "[SEP]"
    assert english.decode(ids) == "the king of cafe, he said : go ( now )!"


def test_a_mask_in_the_text_is_the_mask(english):
    ids = english.encode("the [MASK] of the house")
    assert ids.tolist().count(english.vocabulary.mask_id) == 1
    assert english.decode(ids) == "the [MASK] of the house"


def test_padding_is_not_shown_and_unknown_is(english):
    ids = np.append(english.encode("a 漢 b"), [english.vocabulary.pad_id] * 3)
    assert english.decode(ids) == "a [UNK] b"


def test_unknown_pieces_are_those_of_plain_text_in_order(small):
    assert small.unknown_pieces("a 漢 [UNK] b漢字, [MASK] 漢") == ["漢", "漢", "字", "漢"]
    assert small.unknown_pieces("a [UNK] b") == []


def test_an_empty_text_is_the_two_ends(small):
    assert small.encode("").tolist() == [101, 102]
    assert small.decode([]) == ""


@pytest.mark.parametrize("text", [None, 3, ["a"], b"a"])
def test_only_a_str_is_encoded(small, text):
    with pytest.raises(TypeError, match="must be a str"):
        small.encode(text)
    with pytest.raises(TypeError, match="must be a str"):
        list(small.encode_documents([text]))


@pytest.mark.parametrize(("ids", "error"), [([99999], ValueError), ([-1], ValueError), ([1.5], TypeError)])
def test_ids_that_are_none_are_not_decoded(small, ids, error):
    for function in (small.decode, small.tokens):
        with pytest.raises(error, match="id"):
            function(ids)


def test_held_out_text_has_almost_no_unknown_pieces_and_few_pieces_per_word(english):
    for split in ("validation", "test"):
        texts = english_corpus().split(split).texts()
        ids = np.concatenate(list(english.encode_documents(texts)))
        assert (ids == english.vocabulary.unk_id).mean() < 1e-4
        assert 1.1 < len(ids) / sum(len(text.split()) for text in texts) < 1.25  # punctuation marks are pieces too


# ---------------------------------------------------------------- files


def test_the_library_itself_opens_what_is_saved(english, tmp_path):
    english.save(tmp_path / "tokenizer.json")
    library = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    text = "The king [MASK] the people of Babylon."
    assert library.encode(text).ids == english.encode(text).tolist()
    pair = library.encode("the king", "the people")
    assert pair.tokens == ["[CLS]", "the", "king", "[SEP]", "the", "people", "[SEP]"]
    assert pair.type_ids == [0, 0, 0, 0, 1, 1, 1]
    added = json.loads((tmp_path / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
    assert [(token["id"], token["special"]) for token in added] == [(i, True) for i in (0, 100, 101, 102, 103)]


def test_what_is_saved_is_loaded(small, tmp_path):
    small.save(tmp_path / "deep" / "tokenizer.json")
    loaded = WordPiece.load(tmp_path / "deep" / "tokenizer.json")
    assert loaded.vocabulary == small.vocabulary
    assert loaded.to_json() == small.to_json()


@pytest.mark.parametrize("content", [b"", b"not json", b"{}", b"\xff\0", b"BPE", b"gap"])
def test_a_file_that_is_no_wordpiece_tokenizer_is_named(content, tmp_path):
    models = tokenizers.models
    if content == b"BPE":
        content = tokenizers.Tokenizer(models.BPE()).to_str().encode()
    if content == b"gap":
        content = tokenizers.Tokenizer(models.WordPiece({"[UNK]": 0, "a": 7}, unk_token="[UNK]")).to_str().encode()
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"tokenizer.json is not a WordPiece tokenizer"):
        WordPiece.load(tmp_path / "tokenizer.json")


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        WordPiece.load(tmp_path / "tokenizer.json")


# ---------------------------------------------------------------- the cache


def test_the_english_tokenizer_is_read_from_the_cache(cached_english, monkeypatch):
    monkeypatch.setattr(token_store, "train_wordpiece", None)  # not to be called
    assert english_tokenizer().to_json() == cached_english.to_json()


@pytest.mark.parametrize("damage", ["empty", "cut short", "other bytes"])
def test_a_damaged_tokenizer_is_trained_again_with_a_warning(damage, cached_english, cache, monkeypatch):
    (file,) = cache.glob("*/tokenizer.json")
    content = file.read_bytes()
    file.write_bytes({"empty": b"", "cut short": content[: len(content) // 2], "other bytes": b"\xff\0"}[damage])
    monkeypatch.setattr(token_store, "train_wordpiece", lambda *_: cached_english)
    with pytest.warns(UserWarning, match=r"tokenizer.json is damaged .* made again"):
        assert english_tokenizer().to_json() == cached_english.to_json()
    assert file.read_bytes() == content


@pytest.mark.parametrize("change", ["size", "text", "library"])
def test_another_recipe_is_another_file(change, cached_english, cache, monkeypatch, tmp_path):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    monkeypatch.setattr(token_store, "train_wordpiece", lambda *_: cached_english)
    if change == "text":
        shorter = dataclasses.replace(english_corpus(), documents=english_corpus().documents[:50])
        monkeypatch.setattr(token_store, "english_corpus", lambda: shorter)
    if change == "library":
        monkeypatch.setattr(tokenizers, "__version__", "0.0.1")
    english_tokenizer(4095 if change == "size" else 4096)
    (usual,) = cache.glob("*/tokenizer.json")
    (other,) = tmp_path.glob("*/tokenizer.json")
    assert usual.parent.name != other.parent.name


# ---------------------------------------------------------------- tokenized text


def test_english_tokens_are_mapped_from_a_file_with_the_beginnings_of_documents(cached_english):
    for split in SPLITS:
        tokens = english_tokens(split)
        texts = english_corpus().split(split).texts()
        assert isinstance(tokens.ids, np.memmap)
        assert tokens.ids.dtype == np.uint16
        assert len(tokens.starts) == len(texts) + 1
        for start, end in pairwise(tokens.starts):
            assert (tokens.ids[start], tokens.ids[end - 1]) == (101, 102)
        last = tokens.ids[tokens.starts[-2] : tokens.starts[-1]]
        assert last.tolist() == cached_english.encode(texts[-1]).tolist()  # paragraph by paragraph makes no difference
        with pytest.raises(ValueError, match="read-only"):
            tokens.ids[0] = 0


def test_english_tokens_are_tokenized_once(cached_english, monkeypatch):
    english_tokens("test")
    monkeypatch.setattr(token_store, "write_tokens", None)  # not to be called
    assert len(english_tokens("test").ids) > 30_000


def test_a_damaged_token_file_is_made_again_with_a_warning(cached_english, cache):
    before = np.array(english_tokens("validation").ids)
    (file,) = cache.glob("english-validation-*.npy")
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="is damaged"):
        tokens = english_tokens("validation")
    np.testing.assert_array_equal(tokens.ids, before)


def test_special_tokens_written_in_a_document_are_plain_text(small, tmp_path):
    write_tokens(tmp_path / "t.npy", small, ["a [CLS] b\n\n[SEP]", "", "[MASK]"])
    tokens = read_tokens(tmp_path / "t.npy", small.vocabulary)
    assert len(tokens.starts) == 4
    assert small.decode(tokens.ids[: tokens.starts[1]]) == "a [ cls ] b [ sep ]"
    assert small.decode(tokens.ids[tokens.starts[2] :]) == "[ mask ]"
    assert tokens.ids[tokens.starts[1] : tokens.starts[2]].tolist() == [101, 102]


def test_many_documents_make_one_plain_tokenizer(small, tmp_path, monkeypatch):
    """Anew for each of 400 short documents, it took more than half of the time."""
    fresh, made = type(small)(small._backend), []
    whole = type(small).to_json
    monkeypatch.setattr(type(small), "to_json", lambda self: made.append(self) or whole(self))
    write_tokens(tmp_path / "t.npy", fresh, ["a b", "b", "a"] * 5)
    assert made == [fresh]


def test_a_large_vocabulary_takes_wider_integers(small, tmp_path, monkeypatch):
    monkeypatch.setattr(type(small.vocabulary), "__len__", lambda _: 2**16 + 1)
    write_tokens(tmp_path / "t.npy", small, SMALL)
    assert np.load(tmp_path / "t.npy").dtype == np.int32


@pytest.mark.parametrize("size", [1, 7, 64])
def test_batches_and_cuts_of_long_lines_change_nothing(size, english, tmp_path, monkeypatch):
    text = "The king, of babylon!\n\n\tAnd  his people. \n" * 3 + "word " * 100 + "\n"
    write_tokens(tmp_path / "whole.npy", english, [text, "", text])
    monkeypatch.setattr(tokenizer_module, "BATCH_CHARACTERS", max(size, 16))
    write_tokens(tmp_path / "cut.npy", english, [text.split("\n"), [], iter(text.split("\n"))])
    assert (tmp_path / "cut.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
    assert np.load(tmp_path / "whole.npy").tolist()[: len(english.encode(text))] == english.encode(text).tolist()


def test_short_lines_are_handed_over_together(monkeypatch):
    monkeypatch.setattr(tokenizer_module, "BATCH_CHARACTERS", 8)
    assert list(tokenizer_module._batches(["abc", "", "de", "fgh", "ij kl mn op", "q"])) == [
        ["abc", "de", "fgh"],
        ["ij kl", " mn op"],
        ["q"],
    ]


def test_a_line_without_a_space_is_cut_somewhere(english, tmp_path, monkeypatch):
    monkeypatch.setattr(tokenizer_module, "BATCH_CHARACTERS", 8)
    write_tokens(tmp_path / "t.npy", english, ["a" * 50])
    assert english.decode(np.load(tmp_path / "t.npy")).replace(" ", "") == "a" * 50


def test_no_document_is_no_file(english, tmp_path):
    with pytest.raises(ValueError, match="no document to tokenize"):
        write_tokens(tmp_path / "t.npy", english, [])


def test_a_header_has_room_for_any_count(tmp_path):
    sizes = set()
    for count in (0, 1, 2**31, 10**15):
        with open(tmp_path / "header", "wb") as file:
            token_store._write_header(file, np.dtype("<u2"), count)
            sizes.add(file.tell())
    assert len(sizes) == 1


def test_documents_are_found_whatever_the_size_of_a_scan(english, tmp_path, monkeypatch):
    write_tokens(tmp_path / "t.npy", english, ["the king", "", "of babylon"])
    whole = read_tokens(tmp_path / "t.npy", english.vocabulary)
    monkeypatch.setattr(token_store, "SCAN_TOKENS", 3)
    np.testing.assert_array_equal(read_tokens(tmp_path / "t.npy", english.vocabulary).starts, whole.starts)


@pytest.mark.parametrize("ids", [[], [101], [5, 102], [101, 5], [[101, 102]]])
def test_a_file_of_other_numbers_is_refused(ids, small, tmp_path):
    np.save(tmp_path / "t.npy", np.array(ids, dtype=np.uint16))
    with pytest.raises(ValueError, match=r"t.npy does not hold tokenized documents"):
        read_tokens(tmp_path / "t.npy", small.vocabulary)
