"""What others wrote, in our own sentences: no longer than a line, and without characters that move the cursor."""

import unicodedata

LINE = 120
OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # control, direction and the like, half a character, breaks


def printable(text: str, keep: str = "") -> str:
    """`text` with every character that a terminal would obey written as Python does, \\x1b say, but those of `keep`."""
    return "".join(c if c in keep or unicodedata.category(c) not in OBEYED else _escaped(c) for c in text)


def on_one_line(text: object, most: int = LINE) -> str:
    """The beginning of what `text` says, on one line, with a word on how much was left out."""
    text = " ".join(str(text).split())
    return printable(text if len(text) <= most else f"{text[:most]}... ({len(text) - most} characters more)")


def quoted(value: object, most: int = LINE) -> str:
    """The repr of a value as `on_one_line` cuts it; a long string keeps its quotation marks."""
    if isinstance(value, str) and len(shown := printable(repr(value))) > most:
        return f"{shown[:most]}...{shown[0]} (of {len(value)} characters)"
    return on_one_line(repr(value), most)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
