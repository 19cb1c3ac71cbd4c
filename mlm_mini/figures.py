"""One look for every picture of the course, and pictures that can be heard as well as seen.

The colors are Okabe and Ito's (2008), told apart by people with any kind of color vision, in an order whose
lightness also differs in greyscale.
"""

from __future__ import annotations

import base64
import html
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, SKY, BLACK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#000000"
STYLE = {
    "figure.dpi": 110,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 2.0,
    "legend.frameon": False,
}


def new_figure(width: float = 7.0, height: float = 3.2, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure in the course's style with its axes in a list. Sizes are in inches.

    It is not registered with pyplot, so that nothing shows it a second time and nothing keeps it alive.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        axes = [figure.add_subplot(1, columns, place + 1) for place in range(columns)]
    return figure, axes


def png(figure: Figure) -> bytes:
    """The figure as PNG."""
    from matplotlib import rc_context

    for axes in figure.axes:  # matplotlib asks for the place of a title while it is set, long before this style is on
        title = axes.get_title()
        if title:
            axes.set_title("")
            axes.set_title(title, loc="left")
    buffer = io.BytesIO()
    with rc_context(STYLE):
        figure.savefig(buffer, format="png", metadata={"Software": None})  # no version of the machine's library inside
    return buffer.getvalue()


def figure_html(figure: Figure, alt: str) -> str:
    """The figure as one `img` element with its description. Raises ValueError when the description is missing."""
    return image_html(png(figure), alt)


def image_html(content: bytes, alt: str) -> str:
    """A PNG as one `img` element with its description. Raises ValueError when the description is missing."""
    if not alt.strip():
        raise ValueError("a picture needs alt text: say in a sentence or two what it shows, numbers included")
    data = base64.b64encode(content).decode("ascii")
    return f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" style="max-width: 100%">'


def show(figure: Figure, alt: str) -> None:
    """Displays the figure in a notebook. `alt` is what someone who cannot see it needs to know."""
    from IPython.display import display

    display({"text/html": figure_html(figure, alt), "text/plain": alt}, raw=True)
