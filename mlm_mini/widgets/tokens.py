"""A row of tokens that can be read, heard and told apart without color, and the small parts that widgets share.

Everything here is HTML with its style inline: a stored notebook keeps it, and it needs no style sheet of its own. Text
takes the theme's color, so that it can be read in a dark theme as in a light one; border colors have a contrast of at
least 3 : 1 against both.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlm_mini import figures

if TYPE_CHECKING:
    import ipywidgets

TEXT_COLOR = "var(--jp-ui-font-color1, inherit)"
MUTED_COLOR = "var(--jp-ui-font-color2, inherit)"
MONOSPACE = "var(--jp-code-font-family, monospace)"
WHOLE_LABEL = {"description_width": "initial"}  # never cut short


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
KEPT = State("kept", "=", "double", figures.GREEN)


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


def status_html(text: str) -> str:
    """A line of plain text that a screen reader speaks when it changes."""
    style = f"color: {TEXT_COLOR}; line-height: 1.45; max-width: 50em; margin: 6px 0"
    return f'<div role="status" aria-live="polite" aria-atomic="true" style="{style}">{html.escape(text)}</div>'


def status_line(text: str = "") -> ipywidgets.HTML:
    """The widget of a live text line; set its `value` with `status_html`."""
    import ipywidgets

    return ipywidgets.HTML(status_html(text))


def slider(label: str, value: float, minimum: float, maximum: float, step: float):
    """A slider that reports every step, by mouse or arrow key, as it is made. Show it `with_field`."""
    import ipywidgets

    return ipywidgets.FloatSlider(
        value=value,
        min=minimum,
        max=maximum,
        step=step,
        description=label,
        style=WHOLE_LABEL,
        layout={"width": "min(100%, 36em)"},
    )


def redraw_button(press: Callable[[], None]) -> ipywidgets.Button:
    """The button that draws other tokens at the same ratio."""
    import ipywidgets

    button = ipywidgets.Button(description="Draw again", tooltip="Other random numbers, same ratio")
    button.on_click(lambda _: press())
    return button


def choice(label: str, options: list, value=None) -> ipywidgets.ToggleButtons:
    """A button for each option, all in sight: Tab goes from one to the next, the space bar chooses.

    Not a list or a row of radio buttons: a notebook that takes the arrow keys for moving from cell to cell, as
    JupyterLab does, takes them from these as well. What is chosen belongs into the text line, since no button says it.
    options: names, or pairs of name and value. value: the first by default.
    """
    import ipywidgets

    given = {} if value is None else {"value": value}
    style = {**WHOLE_LABEL, "button_width": "auto"}
    return ipywidgets.ToggleButtons(options=options, description=label, style=style, **given)


def with_field(slider: ipywidgets.FloatSlider) -> ipywidgets.HBox:
    """A slider behind a number field that has taken over its label. Either moves the other.

    ipywidgets gives the handle of a slider no name that a screen reader could say, and the number beside it is a box
    without a name or a role. A number field has both, takes typed numbers, and steps with the arrow keys as well.
    """
    import ipywidgets

    field = ipywidgets.BoundedFloatText(
        value=slider.value,
        min=slider.min,
        max=slider.max,
        step=slider.step,
        description=slider.description,
        style=WHOLE_LABEL,
        layout={"width": f"{6 + 0.55 * len(slider.description):.0f}em"},
    )
    slider.readout = False
    return _side_by_side(field, slider, "value", "value", lambda value: round(value, 9))  # 0.41000000000000003 is 0.41


def with_position(slider: ipywidgets.SelectionSlider) -> ipywidgets.HBox:
    """As `with_field`, for a slider over words: the number is the word's position, from 0 on."""
    import ipywidgets

    field = ipywidgets.BoundedIntText(
        value=slider.index,
        min=0,
        max=len(slider.options) - 1,
        description=slider.description,
        style=WHOLE_LABEL,
        layout={"width": f"{5 + 0.55 * len(slider.description):.0f}em"},
    )
    slider.observe(lambda change: setattr(field, "max", len(change["new"]) - 1), "options")
    return _side_by_side(field, slider, "index", "value", lambda index: index)


def _side_by_side(field, slider, moves: str, number: str, shown: Callable) -> ipywidgets.HBox:
    import ipywidgets

    ipywidgets.link((slider, moves), (field, number), transform=(shown, lambda value: value))
    slider.description = ""
    # What the field leaves of the line; where that is little, a line of its own.
    slider.layout.width, slider.layout.flex = "auto", "1 1 14em"
    return ipywidgets.HBox([field, slider], layout={"flex_flow": "row wrap", "width": "min(100%, 42em)"})
