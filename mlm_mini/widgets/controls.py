"""The controls that widgets share, each with a name that a screen reader can say, and the line of text below them."""

import html
from collections.abc import Callable

import ipywidgets
import numpy as np

from mlm_mini.widgets.tokens import TEXT_COLOR

WHOLE_LABEL = {"description_width": "initial"}  # never cut short
EXAMPLE = "the minister spoke to the activist about the protest because he advocated for change ."
LOWEST_RATIO, HIGHEST_RATIO, RATIO_STEP = 0.02, 0.9, 0.01  # of a `ratio_slider`


def two_generators(seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """For the two draws of a picture: made anew for each, so that the random numbers are the same at any ratio."""
    return np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])


def status_html(text: str) -> str:
    """A line of plain text that a screen reader speaks when it changes."""
    style = f"color: {TEXT_COLOR}; line-height: 1.45; max-width: 50em; margin: 6px 0"
    return f'<div role="status" aria-live="polite" aria-atomic="true" style="{style}">{html.escape(text)}</div>'


def status_line(text: str = "") -> ipywidgets.HTML:
    """The widget of a live text line; set its `value` with `status_html`."""
    return ipywidgets.HTML(status_html(text))


def slider(label: str, value: float, minimum: float, maximum: float, step: float):
    """A slider that reports every step, by mouse or arrow key, as it is made. Show it `with_field`."""
    look = {"style": WHOLE_LABEL, "layout": {"width": "min(100%, 36em)"}}
    return ipywidgets.FloatSlider(value=value, min=minimum, max=maximum, step=step, description=label, **look)


def ratio_slider(label: str, ratio: float):
    """A slider over ratios that hide some tokens and show some."""
    return slider(label, ratio, LOWEST_RATIO, HIGHEST_RATIO, RATIO_STEP)


def check_ratio(ratio: float, name: str = "mask_ratio") -> None:
    """Raises ValueError for a ratio that a `ratio_slider` does not reach."""
    if not LOWEST_RATIO <= ratio <= HIGHEST_RATIO:
        raise ValueError(f"{name} is {ratio}: expected a share from {LOWEST_RATIO} to {HIGHEST_RATIO}")


def sentence_box(sentence: str, at_enter: bool = False) -> ipywidgets.Text:
    """A text box for a sentence. at_enter: it is read at Enter, by a widget to which half a word is no sentence."""
    wide = {"width": "min(100%, 60em)"}
    return ipywidgets.Text(
        sentence, description="Sentence", continuous_update=not at_enter, style=WHOLE_LABEL, layout=wide
    )


def redraw_button(press: Callable[[], None]) -> ipywidgets.Button:
    """The button that draws other tokens at the same ratio."""
    button = ipywidgets.Button(description="Draw again", tooltip="Other random numbers, same ratio")
    button.on_click(lambda _: press())
    return button


def choice(label: str, options: list, value=None) -> ipywidgets.ToggleButtons:
    """A button for each option, all in sight: Tab goes from one to the next, the space bar chooses.

    Not a list or a row of radio buttons: a notebook that takes the arrow keys for moving from cell to cell, as
    JupyterLab does, takes them from these as well. What is chosen belongs into the text line, since no button says it.
    options: names, or pairs of name and value. value: the first by default.
    """
    given = {} if value is None else {"value": value}
    style = {**WHOLE_LABEL, "button_width": "auto"}
    return ipywidgets.ToggleButtons(options=options, description=label, style=style, **given)


def with_field(slider: ipywidgets.FloatSlider) -> ipywidgets.HBox:
    """A slider behind a number field that has taken over its label. Either moves the other.

    ipywidgets gives the handle of a slider no name that a screen reader could say, and the number beside it is a box
    without a name or a role. A number field has both, takes typed numbers, and steps with the arrow keys as well.
    """
    limits = {"min": slider.min, "max": slider.max, "step": slider.step}
    field = ipywidgets.BoundedFloatText(value=slider.value, **limits, **_label_of(slider, digits=6))
    slider.readout = False
    return _side_by_side(field, slider, "value", "value", lambda value: round(value, 9))  # 0.41000000000000003 is 0.41


def with_position(slider: ipywidgets.SelectionSlider) -> ipywidgets.HBox:
    """As `with_field`, for a slider over words: the number is the word's position, from 0 on."""
    last = len(slider.options) - 1
    field = ipywidgets.BoundedIntText(value=slider.index, min=0, max=last, **_label_of(slider, digits=5))
    slider.observe(lambda change: setattr(field, "max", len(change["new"]) - 1), "options")
    return _side_by_side(field, slider, "index", "value", lambda index: index)


def _label_of(slider, digits: int) -> dict:
    """The label of a slider for its field, which has room for it and for so many digits."""
    width = f"{digits + 0.55 * len(slider.description):.0f}em"
    return {"description": slider.description, "style": WHOLE_LABEL, "layout": {"width": width}}


def _side_by_side(field, slider, moves: str, number: str, shown: Callable) -> ipywidgets.HBox:
    ipywidgets.link((slider, moves), (field, number), transform=(shown, lambda value: value))
    slider.description = ""
    # As wide as the line has room beside the field; where that is little, a line of its own.
    slider.layout.width, slider.layout.flex = "auto", "1 1 14em"
    return ipywidgets.HBox([field, slider], layout={"flex_flow": "row wrap", "width": "min(100%, 42em)"})
