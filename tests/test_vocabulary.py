"""The vocabulary: which ids are special, which are regular, and what it says to wrong input."""

import numpy as np
import pytest

from mlm_mini.languages.vocabulary import SPECIAL_TOKENS, Vocabulary

small = Vocabulary([*SPECIAL_TOKENS, "cat", "dog"])


def test_ids_and_words_are_inverse():
    assert small.words(small.ids(["cat", "[MASK]", "dog"])) == ["cat", "[MASK]", "dog"]
    assert small.ids(["cat", "unicorn"]).tolist() == [5, small.unk_id]
    assert small.ids([]).dtype == np.int64
    assert small.words([]) == []


def test_special_ids_are_found_by_name_and_not_by_place():
    vocabulary = Vocabulary(["dog", "[MASK]", "[PAD]", "cat", "[SEP]", "[UNK]", "[CLS]"])
    named = [vocabulary.pad_id, vocabulary.unk_id, vocabulary.cls_id, vocabulary.sep_id, vocabulary.mask_id]
    assert named == [2, 5, 6, 4, 1]
    assert vocabulary.special_ids.tolist() == [1, 2, 4, 5, 6]
    assert vocabulary.regular_ids.tolist() == [0, 3]


def test_unused_slots_are_neither_special_nor_regular():
    vocabulary = Vocabulary([*SPECIAL_TOKENS, "[unused0]", "[unused12]", "[", "unused", "[unused]"])
    assert vocabulary.words(vocabulary.regular_ids) == ["[", "unused", "[unused]"]
    assert len(vocabulary.special_ids) == 5


def test_shared_arrays_cannot_be_written():
    for ids in (small.special_ids, small.regular_ids):
        with pytest.raises(ValueError, match="read-only"):
            ids[0] = 3


def test_equality_membership_and_length():
    assert small == Vocabulary(list(small.tokens))
    assert small != Vocabulary([*SPECIAL_TOKENS, "dog", "cat"])
    assert hash(small) == hash(Vocabulary(small.tokens))
    assert "cat" in small
    assert "unicorn" not in small
    assert len(small) == 7


@pytest.mark.parametrize(
    ("tokens", "error", "message"),
    [
        ([*SPECIAL_TOKENS, "cat", "cat"], ValueError, "'cat' appears twice, the second time at 6:"),
        ((t for t in SPECIAL_TOKENS if t not in ("[UNK]", "[SEP]")), ValueError, r"lacks \[UNK\], \[SEP\]: every"),
        (SPECIAL_TOKENS[:-1], ValueError, r"lacks \[MASK\]"),
        ([], ValueError, "lacks"),
        ([*SPECIAL_TOKENS, ""], ValueError, "token 5 is empty"),
        ([*SPECIAL_TOKENS, 7], TypeError, "token 5 must be a string, got 7"),
    ],
)
def test_bad_tokens(tokens, error, message):
    with pytest.raises(error, match=message):
        Vocabulary(tokens)


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([0, 7], ValueError, "id 7 at index .1,. is outside"),
        ([-1], ValueError, "id -1"),
        ([1.0], TypeError, "float64"),
        ([[1]], ValueError, "1 dimension"),
        ([True], TypeError, "bool"),
    ],
)
def test_bad_ids(ids, error, message):
    with pytest.raises(error, match=message):
        small.words(ids)


def test_a_bare_string_is_not_a_list_of_words():
    with pytest.raises(TypeError, match="split it first"):
        small.ids("cat")


def test_nearest_words():
    assert small.nearest("cats")[0] == "cat"
    assert small.nearest("xyzzy") == []
    assert Vocabulary([*SPECIAL_TOKENS, *(f"cat{i}" for i in range(5)), "cats"]).nearest("cat") == [
        "cats",
        "cat4",
        "cat3",
    ]
    assert small.nearest("cart") == ["cat"]
