"""A row of tokens that can be read, heard and told apart without color.

Everything here is HTML with its style inline: a stored notebook keeps it, and it needs no style sheet of its own. Text
takes the theme's color, so that it can be read in a dark theme as in a light one; border colors have a contrast of at
least 3 : 1 against both.
"""

import html
from collections.abc import Iterable
from dataclasses import dataclass

from mlm_mini import figures

TEXT_COLOR = "var(--jp-ui-font-color1, inherit)"
MUTED_COLOR = "var(--jp-ui-font-color2, inherit)"
MONOSPACE = "var(--jp-code-font-family, monospace)"


@dataclass(frozen=True)
class State:
    """What became of a token: a word and a sign for everyone, a border style, and a color as the last resort.

    word: stands under the token, and is read aloud; "" for a token that nothing happened to.
    sign: one character before the word. border: a CSS border style. color: "#rrggbb", or "" for the theme's own.
    """

    word: str = ""
    sign: str = ""
    border: str = "solid"
    color: str = ""


PLAIN = State()
SPECIAL = State("special", "·", "none")
MASKED = State("masked", "▢", "solid", figures.BLUE)
RANDOM = State("random", "⇄", "dashed", figures.RED)
UNCHANGED = State("kept", "=", "double", figures.GREEN)
ASKED = State("asked", "?", "solid", figures.BLUE)
UNASKED = State("hidden only", "▢", "dashed", figures.RED)


@dataclass(frozen=True)
class Token:
    """One box of a row: what stands in it, what became of it, and an optional line of explanation below."""

    text: str
    state: State = PLAIN
    note: str = ""


def token_row(tokens: Iterable[Token], label: str) -> str:
    """A row of tokens as HTML: a list to a screen reader, boxes that wrap to the eye.

    label: what the row is, for a reader who hears it, such as "The sentence as the model reads it".
    Raises ValueError when the label is empty.
    """
    if not label.strip():
        raise ValueError("a row of tokens needs a label: say in a few words what it shows")
    boxes = "".join(_box(token) for token in tokens)
    style = f"display: flex; flex-wrap: wrap; gap: 6px; align-items: flex-start; color: {TEXT_COLOR}"
    return f'<div role="list" aria-label="{html.escape(label)}" style="{style}">{boxes}</div>'


def _box(token: Token) -> str:
    state = token.state
    width = {"none": 0, "double": 4}.get(state.border, 2)
    box = (
        f"border: {width}px {state.border} {state.color or 'transparent'}; border-radius: 5px; "
        f"padding: {5 - width}px {8 - width}px; font-family: {MONOSPACE}"
    )
    if state.color:
        box += f"; background: {state.color}1f"  # the same color at an eighth: light or dark, as the page is
    below = " ".join(html.escape(part) for part in (state.sign, state.word) if part)
    lines = [line for line in (below, html.escape(token.note)) if line]
    caption = "".join(f"<div>{line}</div>" for line in lines)
    return (
        '<div role="listitem" style="text-align: center; line-height: 1.35">'
        f'<div style="{box}">{html.escape(token.text)}</div>'
        f'<div style="font-size: 11px; color: {MUTED_COLOR}">{caption}</div></div>'
    )
