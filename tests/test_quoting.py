"""What others wrote, in our own sentences."""

import pytest

from mlm_mini.quoting import on_one_line, printable, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x9b\u202e\u2028\ud800\x00", r"\x9b\u202e\u2028\ud800\x00"),
        ("\u2029\u200d\x7f", r"\u2029\u200d\x7f"),
        ("héllo 漢 [MASK]", "héllo 漢 [MASK]"),
    ],
)
def test_what_a_terminal_obeys_is_escaped(text, shown):
    assert printable(text) == shown
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\x1b"


def test_what_is_long_is_cut_with_a_word_on_the_rest():
    assert on_one_line("a  b\n c") == "a b c"
    assert on_one_line("x" * 200) == "x" * 120 + "... (80 characters more)"
    assert quoted("x" * 200) == "'" + "x" * 119 + "...' (of 200 characters)"
    assert quoted("it") == "'it'"
    assert quoted({"bits": 8}) == "{'bits': 8}"
    assert len(quoted([0] * 10_000)) < 160


def test_what_just_fits_is_whole():
    assert on_one_line("x" * 120) == "x" * 120
    assert on_one_line("x" * 121) == "x" * 120 + "... (1 characters more)"
    assert quoted("x" * 118) == "'" + "x" * 118 + "'"
    assert quoted("x" * 119) == "'" + "x" * 119 + "...' (of 119 characters)"


def test_a_long_string_ends_with_the_mark_that_it_begins_with_and_counts_its_own_characters():
    assert quoted("it's " * 30, 8) == '"it\'s it..." (of 150 characters)'
    assert quoted("\x1b" * 50, 6) == "'\\x1b\\...' (of 50 characters)"
