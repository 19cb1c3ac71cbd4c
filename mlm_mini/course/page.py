"""Reads the mistakes and hints of an exercise, written as a teacher would write them on a page.

    - no maximum subtracted: Right for small scores, but exp(10000) is inf, and inf / inf is NaN. Which number may be
      subtracted from every score of a row?
          logits - logits.max(axis, keepdims=True) => logits
       or logits.max(axis, keepdims=True) => 0.0
    - bits
          np.log(p) => np.log2(p)
    - patched over: The NaN are gone, but those rows now sum to zero.
          instead:
              exp = np.exp(logits)
              return np.nan_to_num(exp / exp.sum(axis, keepdims=True))

A bullet holds the name of a mistake, what one would say to it, and the edits of the worked answer that make it; edits
on consecutive lines belong together, and `or` begins another way to make the same mistake. A name without a sentence is
that of a family (`families.py`). "(raises)" after a name says that an error is all that ever comes of the mistake.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from mlm_mini.course.answer import Answer, Edit, Wrong
from mlm_mini.course.families import FAMILIES

ARROW = "=>"
INSTEAD = "instead:"
RAISES = " (raises)"
WAYS = 6  # the column at which edits stand


class PageError(ValueError):
    """A page cannot be read. The message names the line and what is expected."""


def read_hints(text: str) -> tuple[str, ...]:
    """The hints of a page: a bullet each."""
    return tuple(" ".join(" ".join(lines).split()) for lines in _bullets(text))


@cache
def families() -> dict[str, str]:
    """The sentence of every family of mistakes, by its name."""
    return dict(" ".join(line.strip() for line in lines).split(": ", 1) for lines in _bullets(FAMILIES))


def read_mistakes(text: str, answer: Answer, helpers: Mapping[str, Any]) -> Iterator[tuple[str, str, bool, tuple]]:
    """Name, sentence, whether it only raises, and ways (`Wrong`) of each mistake of a page. Raises PageError."""
    for lines in _bullets(text):
        said = [line.strip() for line in lines if _indent(line) < WAYS and not line.startswith("   or ")]
        name, _, says = " ".join(said).partition(": ")
        raises = name.endswith(RAISES)
        name = name.removesuffix(RAISES)
        if not says and name not in families():
            raise PageError(f"the mistake {name!r} has no sentence, and no family has that name")
        ways = tuple(_ways(lines[1:], answer, helpers))
        if not ways:
            raise PageError(f"the mistake {name!r} has no edit: write `old {ARROW} new` below it")
        yield name, says or families()[name], raises, ways


def _bullets(text: str) -> Iterator[list[str]]:
    """The lines of each bullet, the first without its mark."""
    lines: list[str] = []
    for line in textwrap.dedent(text).splitlines():
        if line.startswith("- "):
            if lines:
                yield lines
            lines = [line[2:]]
        elif lines and line.strip():
            lines.append(line)
        elif line.strip():
            raise PageError(f"a page consists of bullets; this line belongs to none: {line.strip()}")
    if lines:
        yield lines


def _ways(lines: list[str], answer: Answer, helpers: Mapping[str, Any]) -> Iterator[Wrong]:
    ways: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("   or "):
            ways.append([" " * WAYS + line[6:]])
        elif _indent(line) >= WAYS:
            ways[-1].append(line)
    for way in ways:
        if way and way[0].strip() == INSTEAD:
            yield Wrong(answer, body="\n".join(way[1:]) + "\n", helpers=helpers)
        elif way:
            yield Wrong(answer, tuple(_edits(way)), helpers=helpers)


def _edits(lines: list[str]) -> Iterator[Edit]:
    """An edit a line, or on two lines of which the second begins with the arrow."""
    joined: list[str] = []
    for line in lines:
        if line.strip().startswith(ARROW) and joined:
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.strip())
    for line in joined:
        old, arrow, new = line.partition(ARROW)
        if not arrow or not old.strip():
            raise PageError(f"expected `old {ARROW} new`, got `{line}`")
        yield Edit(old.strip(), new.strip())


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
