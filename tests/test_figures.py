"""Pictures have one look, a description, and nothing of the machine that made them."""

import base64
import io
import re

import pytest
from matplotlib import pyplot
from matplotlib.image import imread

from mlm_mini.figures import figure_html, image_html, new_figure, png, show


def test_a_figure_has_its_size_its_axes_side_by_side_and_the_courses_style():
    figure, axes = new_figure(6.0, 2.5, columns=3)
    figure.canvas.draw()
    assert figure.get_size_inches().tolist() == [6.0, 2.5]
    left = [ax.get_position().x0 for ax in axes]
    assert left == sorted(set(left))
    assert len({ax.get_position().y0 for ax in axes}) == 1
    for ax in axes:
        assert [name for name, spine in ax.spines.items() if spine.get_visible()] == ["left", "bottom"]
        assert ax.xaxis.get_gridlines()[0].get_visible()
        assert ax.get_axisbelow()
    assert pyplot.get_fignums() == []


def drawn():
    figure, (ax,) = new_figure(2.0, 1.0)
    ax.plot([0, 1])
    return figure


def test_a_picture_has_110_dots_to_an_inch_and_is_the_same_wherever_it_is_made():
    content = png(drawn())
    assert imread(io.BytesIO(content)).shape[:2] == (110, 220)
    assert content == png(drawn())
    assert b"Software" not in content


def test_a_title_moves_to_the_left_and_is_drawn_there():
    one, other, without = (new_figure(2.0, 1.0) for _ in range(3))
    one[1][0].set_title("A title")
    other[1][0].set_title("A title", loc="left")
    pictures = [png(figure) for figure, _ in (one, other, without)]
    assert pictures[0] == pictures[1] != pictures[2]
    assert (one[1][0].get_title(), one[1][0].get_title(loc="left")) == ("", "A title")


def test_a_picture_stands_on_a_page_with_its_description():
    markup = image_html(b"content", 'less < "more"')
    (data,) = re.findall(r'src="data:image/png;base64,([^"]*)"', markup)
    assert base64.b64decode(data) == b"content"
    assert 'alt="less &lt; &quot;more&quot;"' in markup
    for nothing in ("", " \n"):
        with pytest.raises(ValueError, match="alt text"):
            image_html(b"content", nothing)
        with pytest.raises(ValueError, match="alt text"):
            figure_html(new_figure(1.0, 1.0)[0], nothing)


def test_what_is_shown_can_be_read_where_no_picture_can_be(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append((data, raw)))
    show(drawn(), "a line")
    ((data, raw),) = shown
    assert raw
    assert data == {"text/html": figure_html(drawn(), "a line"), "text/plain": "a line"}
