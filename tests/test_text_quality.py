"""What is wrong with the text that people bring is said once it is tokenized: unknown words, and rows seen before."""

import contextlib
import re
import warnings

import numpy as np
import pytest

from mlm_mini.languages import read_text_folder, text_quality, train_characters, train_wordpiece
from mlm_mini.languages.corpus import Corpus, Document
from mlm_mini.languages.token_store import TokenizedText
from mlm_mini.training import TrainingConfig, find_material

CONFIG = TrainingConfig(steps=1)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "text").mkdir()
    return tmp_path / "text"


def words(seed, count, alphabet="abcdefghijklmnop", size=6):
    rng = np.random.default_rng(seed)
    return " ".join("".join(rng.choice(list(alphabet), size)) for _ in range(count))


def test_proteins_are_refused_as_words_and_taken_as_characters(folder):
    for i in range(6):
        (folder / f"{i}.txt").write_text(f">protein {i}\n" + words(i, 1, "ACDEFGHIKLMNPQRSTVWY", 300) + "\n")
    with pytest.raises(ValueError, match=r"25\.0% of the train tokens are \[UNK\]") as refused:
        find_material(folder, CONFIG)
    message = str(refused.value)
    assert "which stand for 97.1% of its characters" in message  # 300 of 309
    assert "4 words of more than 100 characters" in message
    assert message.endswith("with --tokenizer characters every character is a token")
    material = find_material(folder, CONFIG, tokenizer="characters")
    assert material.tokenizer.vocabulary.unk_id not in np.asarray(material.train.ids)


def test_a_few_unknown_characters_are_said_and_named(folder):
    for i in range(20):
        (folder / f"{i}.txt").write_text(words(i, 200))
    corpus = read_text_folder(folder)
    held_out = next(d.path for d in corpus.documents if d.split == "validation")
    held_out.write_text(words(99, 100) + " ж" * 60 + " щщ" * 9)
    with pytest.warns(UserWarning, match=r"that the vocabulary does not have: 'ж' \(60\), 'щ' \(9\); bring more"):
        find_material(folder, CONFIG)


def test_plain_text_is_taken_without_a_word(folder):
    for i in range(8):
        (folder / f"{i}.txt").write_text(words(i, 300))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_material(folder, CONFIG)


def test_characters_without_room_are_said_with_the_other_remedy(folder):
    for i in range(4):
        (folder / f"{i}.txt").write_text(words(i, 100))
    with pytest.raises(ValueError, match="has them or a larger --vocabulary-size"):
        find_material(folder, CONFIG, tokenizer="characters", vocabulary_size=107)


def test_held_out_rows_that_stand_in_the_training_text_are_said(folder):
    for i in range(6):
        (folder / f"{i}.txt").write_text(words(0, 500))
    with pytest.warns(
        UserWarning, match=r"100\.0% of the held-out text \(\d+ rows of 62 tokens\) stands word for word"
    ):
        find_material(folder, CONFIG)


def test_short_rows_are_looked_for_in_longer_runs(folder):
    for i in range(6):
        (folder / f"{i}.txt").write_text(words(0, 500))
    with pytest.warns(UserWarning, match=r"100\.0% of the held-out text \(\d+ rows of 16 tokens\) stands"):
        find_material(folder, CONFIG, length=8)


def test_text_of_accents_alone_is_named(folder):
    for i in range(60):
        (folder / f"{i}.txt").write_text("\u0301\u0302\u0303 " * 20)
    with pytest.raises(
        ValueError, match=r"text, the tokenizer finds nothing in the train text but .*: bring other text"
    ):
        find_material(folder, CONFIG)
    find_material(folder, CONFIG, tokenizer="characters")


def test_the_share_of_rows_seen_is_that_of_a_search(monkeypatch):
    rng = np.random.default_rng(1)
    monkeypatch.setattr(text_quality, "WINDOWS_AT_ONCE", 50)
    ids = rng.integers(5, 9, 1000).astype(np.uint16)
    rows = np.concatenate([rng.integers(5, 9, (30, 5)), ids[42:47][None], ids[-5:][None]])
    found = [any((ids[i : i + 5] == row).all() for i in range(996)) for row in rows]
    assert 0 < np.mean(found) < 1
    assert text_quality.share_seen(rows, TokenizedText(ids, np.array([0, 1000]))) == np.mean(found)
    assert text_quality.share_seen(rows[:1, :], TokenizedText(ids[:3], np.array([0, 3]))) == 0


def test_too_little_held_out_text_is_said(folder):
    (folder / "a.txt").write_text("One.\n\nTwo.\n\nThree.")
    with pytest.raises(
        ValueError,
        match=r"too little held-out text: \d known tokens, of which 15% .* or train anew with --tokenizer characters",
    ):
        find_material(folder, CONFIG)
    (folder / "a.txt").write_text("a\n\nb\n\na")
    with pytest.raises(ValueError, match=r"too little held-out text: 2 known .*, and none was; bring more text$"):
        find_material(folder, CONFIG, tokenizer="characters")


def test_held_out_text_of_unknown_words_is_said(folder):
    for i in range(30):
        (folder / f"{i}.txt").write_text(words(i, 200))
    for document in read_text_folder(folder).documents:
        if document.split == "validation":
            document.path.write_text("ж ж ж ж ж")
    with pytest.raises(
        ValueError, match=r"100\.0% of the validation tokens are \[UNK\]: characters that .*: 'ж' \(10\)\. A model"
    ):
        find_material(folder, CONFIG)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("base64", "QmFzZTY0IGlzIGEgZ3JvdXA" * 400),
        ("thai", "ภาษาไทยเป็นภาษาที่มีระดับเสียง" * 300),
        ("khmer", "ភាសាខ្មែរគឺជាភាសា" * 400),
    ],
)
def test_one_long_word_is_refused_with_the_remedy_that_helps(name, content, folder):
    (folder / "a.txt").write_text(content, encoding="utf-8")
    with warnings.catch_warnings(record=True):  # that it is cut by length, and repeats itself
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match=r"are \[UNK\].*: with --tokenizer characters every character is a token"):
            find_material(folder, CONFIG)
        assert find_material(folder, CONFIG, tokenizer="characters").evaluation.batch.count_labels()


# ---------------------------------------------------------------- where each share begins


def unknown_shares(count, size=999):
    """A text of `size` characters without a space, of which `count` are unknown, and its tokens."""
    text = "\u0436" * count + "a" * (size - count)
    letters = train_characters(["ab"], 300)
    ids = np.concatenate(list(letters.encode_lines([text])))
    return Corpus((Document("a", text, "train"),), "letters", "", ""), "train", letters, tokens_of(ids)


def tokens_of(ids):
    return TokenizedText(np.asarray(ids), np.array([0, len(ids)]))


@pytest.mark.parametrize(
    ("count", "size", "said"), [(0, 999, None), (10, 1000, None), (11, 1000, "1.1%"), (333, 999, "33.3%")]
)
def test_a_hundredth_is_unknown_in_silence_and_a_third_with_a_word(count, size, said):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        text_quality.check_unknown(*unknown_shares(count, size))
    found = [str(warning.message) for warning in warned]
    assert len(found) == (said is not None)
    assert said is None or found[0].startswith(f"in letters, {said} of the train tokens are [UNK]: characters that")


def test_more_than_a_third_is_refused():
    with pytest.raises(ValueError, match=r"33\.4% of the train tokens are \[UNK\]: .*A model can learn nothing"):
        text_quality.check_unknown(*unknown_shares(334))


def test_of_a_long_text_the_beginning_is_looked_at_for_causes(monkeypatch):
    monkeypatch.setattr(text_quality, "EXAMINED", 10)
    corpus = Corpus(tuple(Document(str(i), f"abc{i}\nde") for i in range(3)), "", "", "")
    assert list(text_quality._lines(corpus)) == ["abc0", "de", "ab"]  # 5 with the end of the line, 3, and 2 are left


@pytest.mark.parametrize(
    ("seen", "said"), [(0, None), (1, None), (2, r"2\.0% of the held-out text \(100 rows of 20 t")]
)
def test_a_hundredth_of_the_rows_may_have_been_seen(seen, said, monkeypatch):
    """Rows of 20 tokens that are all different, some of which stand in the training text."""
    rows = np.arange(5, 2005).reshape(100, 20)
    train = tokens_of(np.concatenate([[2], *rows[:seen], np.full(50, 4), [3]]))
    held_out = tokens_of(np.concatenate([[2], *rows, [3]]))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        text_quality.warn_of_repeats(train, held_out, 22, "a text")
    assert [bool(re.match(rf"in a text, {said}", str(warning.message))) for warning in warned] == [True] * bool(said)
    monkeypatch.setattr(text_quality, "ROWS_SOUGHT", 50)
    with pytest.warns(UserWarning, match=rf"{2 * max(seen, 1)}\.0% of the held-out text \(50 rows of 20 tokens\)"):
        text_quality.warn_of_repeats(tokens_of([2, *rows[: max(seen, 1)].ravel(), 3]), held_out, 22, "a text")


def test_held_out_text_shorter_than_a_run_is_not_looked_for():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for count, sure in ((15, False), (16, True)):
            text = tokens_of([2, *range(5, 5 + count), 3])
            with pytest.raises(UserWarning, match=r"\(1 rows of 16") if sure else contextlib.nullcontext():
                text_quality.warn_of_repeats(text, text, 64, "a text")


@pytest.mark.parametrize(("rows", "train"), [([5, 6], [900, 5, 6]), ([5, 900], [5, 6, 7]), ([900, 5], [900, 5, 6])])
def test_ids_of_one_side_may_be_larger_than_those_of_the_other(rows, train):
    share = text_quality.share_seen(np.array([rows]), TokenizedText(np.array(train), np.array([0, 3])))
    assert share == (" ".join(map(str, rows)) in " ".join(map(str, train)))


def test_every_cause_is_named_with_its_remedy_and_three_characters_at_most():
    """Of 112 characters 101 are a word that is too long, and six are unknown."""
    text = "b" * 101 + " bread \u0436 \u0449 \u0436 \u044f \u0449 \u044e"
    pieces = train_wordpiece(["bread"] * 3, 300)
    ids = np.concatenate(list(pieces.encode_lines([text])))
    with pytest.raises(ValueError, match=r"87\.5% of the train tokens are \[UNK\], which stand for 95\.5%") as refused:
        text_quality.check_unknown(Corpus((Document("a", text),), "words", "", ""), "train", pieces, tokens_of(ids))
    causes = f"1 words of more than 100 characters ({'b' * 20}...) and characters that the vocabulary does not have"
    assert f": {causes}: '\u0436' (2), '\u0449' (2), '\u044f' (1). A model can" in str(refused.value)
    remedies = "with --tokenizer characters every character is a token; bring more text, so that the training side has"
    assert str(refused.value).endswith(f"A model can learn nothing from [UNK]: {remedies} them")
