"""Controls whose name and value a screen reader can say, and a line of text that it speaks: views of our own.

ipywidgets gives the handle of a slider no name, and no button of a choice says that it is the one pressed. So what the
page shows of these is drawn by the small scripts in `page/`, from elements of the browser's own, which work by keyboard
and by touch. In Python they are ipywidgets' own classes.
"""

from pathlib import Path

import ipywidgets
import traitlets
from anywidget import AnyWidget

PAGE = Path(__file__).parent / "page"


class NumberSlider(AnyWidget, ipywidgets.FloatSlider):
    """A slider over numbers behind a number field."""

    _esm = PAGE / "slider.js"


class WordSlider(AnyWidget, ipywidgets.SelectionSlider):
    """A slider over words, behind a field for the position of the word, from 0 on."""

    _esm = PAGE / "slider.js"


class Choice(AnyWidget, ipywidgets.ToggleButtons):
    """A button for each option, all in sight: Tab goes from one to the next, the space bar chooses."""

    _esm = PAGE / "buttons.js"


class Toggle(AnyWidget, ipywidgets.ToggleButton):
    """A button that stays down until it is pressed again."""

    _esm = PAGE / "buttons.js"


class LiveText(AnyWidget):
    """A line of plain text, `value`, which is spoken when it changes."""

    _esm = PAGE / "live_text.js"
    value = traitlets.Unicode("").tag(sync=True)


class Picture(AnyWidget, ipywidgets.HTML):
    """A picture as an `img` element with its description; show it in a `picture.scrolling` box."""

    _esm = PAGE / "picture.js"
