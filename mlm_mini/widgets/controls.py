"""The controls that widgets share, each with a name that a screen reader can say, and the line of text below them."""

from collections.abc import Callable

import ipywidgets
import numpy as np

from mlm_mini.widgets.spoken import Choice, LiveText, NumberSlider, WordSlider

WIDE_SLIDER = {"width": "min(100%, 42em)"}  # of a slider with its label and its field
WHOLE_LABEL = {"description_width": "initial"}  # never cut short
EXAMPLE = "the minister spoke to the activist about the protest because he advocated for change ."
LOWEST_RATIO, HIGHEST_RATIO, RATIO_STEP = 0.02, 0.9, 0.01  # of a `ratio_slider`


def two_generators(seed: int) -> tuple[np.random.Generator, np.random.Generator]:
    """For the two draws of a picture: made anew for each, so that the random numbers are the same at any ratio."""
    return np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])


def status_line(text: str = "") -> LiveText:
    """The line that says in words what a widget shows; set its `value` to plain text."""
    return LiveText(value=text)


def slider(label: str, value: float, minimum: float, maximum: float, step: float) -> NumberSlider:
    """A slider that reports every step, by mouse, finger or arrow key, as it is made."""
    return NumberSlider(value=value, min=minimum, max=maximum, step=step, description=label, layout=dict(WIDE_SLIDER))


def word_slider(label: str, words: tuple[str, ...], position: int) -> WordSlider:
    """A slider over the words of a sentence; its `value` is a position, from 0 on."""
    return WordSlider(options=numbered(words), value=position, description=label, layout=dict(WIDE_SLIDER))


def numbered(words: tuple[str, ...]) -> list[tuple[str, int]]:
    """Options of a slider: a sentence may hold the same word twice, so each has its position in front."""
    return [(f"{i} {word}", i) for i, word in enumerate(words)]


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


def choice(label: str, options: list, value=None) -> Choice:
    """A button for each option. options: names, or pairs of name and value. value: the first by default."""
    given = {} if value is None else {"value": value}
    return Choice(options=options, description=label, **given)
