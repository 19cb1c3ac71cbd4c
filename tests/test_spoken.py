"""Every control of every widget has a name, and what a picture shows stands in a line that is spoken."""

import html
import re

import ipywidgets
import pytest

from mlm_mini import widgets
from mlm_mini.widgets.controls import choice, word_slider
from mlm_mini.widgets.spoken import PAGE, Choice, LiveText, NumberSlider, Picture, Toggle, WordSlider
from mlm_mini.widgets.steps import widget_steps

OURS = (NumberSlider, WordSlider, Choice, Toggle)
NAMED_BY_IPYWIDGETS = (ipywidgets.Text, ipywidgets.Combobox, ipywidgets.Button)  # axe says so, in the browser
SHOWN = (ipywidgets.HTML, LiveText, ipywidgets.Box)
NEEDS_A_MODEL_OF_GREEK = {"lacuna_widget"}  # in the browser's test


@pytest.fixture(scope="module")
def every_widget(one_thread):
    return list({id(widget): widget for _, widget, _ in widget_steps()}.values())


def parts(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        yield from parts(child)


def test_no_widget_is_left_out(every_widget):
    made = {type(widget) for widget in every_widget}
    assert {getattr(widgets, name) for name in set(widgets.__all__) - NEEDS_A_MODEL_OF_GREEK} == made


def test_every_control_is_one_that_can_be_named_and_is(every_widget):
    for widget in every_widget:
        controls = [part for part in parts(widget) if not isinstance(part, SHOWN)]
        assert controls
        for control in controls:
            assert isinstance(control, OURS + NAMED_BY_IPYWIDGETS), f"{type(widget).__name__}: {type(control)}"
            assert control.description.strip(), f"{type(widget).__name__}: {type(control)}"


def test_every_picture_has_its_text_in_a_line_that_is_spoken(every_widget):
    for widget in every_widget:
        (line,) = [part for part in parts(widget) if isinstance(part, LiveText)]
        assert line is widget.status
        assert line.value
        pictures = [part.value for part in parts(widget) if isinstance(part, ipywidgets.HTML) and "<img" in part.value]
        for picture in pictures:
            assert html.unescape(re.search(r'alt="([^"]*)"', picture)[1]).endswith(line.value)


def test_the_scripts_are_whole_and_ask_nobody_on_the_network():
    scripts = {path.name: path.read_text(encoding="utf-8") for path in PAGE.glob("*.js")}
    assert {str(view._esm) for view in (*OURS, LiveText, Picture)} == set(scripts.values())
    for script in scripts.values():
        assert "export default { render }" in script
        assert "http" not in script


def test_in_python_they_are_ipywidgets_own():
    picked = choice("Head", [("the first", 1), ("the second", 2)], 2)
    assert (picked.index, picked.value, picked.label) == (1, 2, "the second")
    words = word_slider("Word", ("a", "b", "a"), 2)
    assert [label for label, _ in words.options] == ["0 a", "1 b", "2 a"]
    words.index = 0  # as the page sends it
    assert (words.value, words.label) == (0, "0 a")
    assert Toggle(True, description="the").value
