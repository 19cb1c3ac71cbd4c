"""What others wrote, in our own sentences."""

import pytest

from mlm_mini.quoting import on_one_line, printable, quoted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x9b\u202e\u2028\ud800\x00", r"\x9b\u202e\u2028\ud800\x00"),
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
