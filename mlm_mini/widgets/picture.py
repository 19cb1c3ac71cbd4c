"""A figure that is redrawn many times a second, because most of it stays as it is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import ipywidgets
from matplotlib.image import imsave

from mlm_mini.figures import image_html
from mlm_mini.widgets.spoken import Picture

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure

QUICKLY = {"compress_level": 1}  # of 9: takes about half the time of the usual 6, and a few more bytes
LEGIBLE = 0.66  # of its size: the smallest at which the course's figures are still read with ease


def scrolling(picture: Picture, figure: Figure) -> ipywidgets.Box:
    """A box around the widget of a picture: it shrinks with the page while it can be read, then it scrolls sideways.

    The box scrolls and not the picture, so that it stays where it is when the picture is replaced. Where it scrolls,
    Tab stops at it, so that the arrow keys can scroll it.
    """
    picture.layout.min_width = f"{round(LEGIBLE * figure.bbox.width)}px"
    return ipywidgets.Box([picture], layout={"overflow": "auto"})


class MovingPicture:
    """A figure of which only the `moving` artists change: all else is drawn once and kept as a background.

    Drawing axes, ticks and labels takes some 20 ms per axes; drawing a dot on a finished background takes under one.
    """

    def __init__(self, figure: Figure, moving: Sequence[Artist]):
        self.canvas = figure.canvas
        self.moving = tuple(moving)
        for artist in self.moving:
            artist.set_animated(True)  # left out when the figure is drawn as a whole
        self.canvas.draw()
        self._background = self.canvas.copy_from_bbox(figure.bbox)

    def html(self, alt: str) -> str:
        """The picture as it is now, as one `img` element. Raises ValueError when the description is missing."""
        self.canvas.restore_region(self._background)
        for artist in self.moving:
            artist.axes.draw_artist(artist)
        buffer = io.BytesIO()
        imsave(buffer, self.canvas.buffer_rgba(), format="png", metadata={"Software": None}, pil_kwargs=QUICKLY)
        return image_html(buffer.getvalue(), alt)
