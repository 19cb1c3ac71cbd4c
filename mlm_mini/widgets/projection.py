"""Word vectors laid flat: type a word, and its nearest words light up."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import ipywidgets

from mlm_mini import figures
from mlm_mini.experiments.company.projection import OF_TABLE, SOURCES, Plane, scene_planes
from mlm_mini.widgets.controls import WHOLE_LABEL, choice, status_line
from mlm_mini.widgets.picture import MovingPicture, scrolling
from mlm_mini.widgets.spoken import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlm_mini.model import MaskedLM

LIT = 8  # words that light up
WORD_SIGNS = {  # which words have a sign and a color of their own; the others are small and grey
    "people": ("^", figures.BLUE),
    "animals": ("o", figures.RED),
    "verbs": ("s", figures.GREEN),
}
ANIMALS = {"PETS", "LIVESTOCK", "PREDATORS", "PREY"}
PEOPLE = """COOKS MEDICS FARMERS BUILDERS ARTISTS SCHOLARS SOLDIERS OFFICERS THIEVES POLITICIANS ACTIVISTS CIVILIANS
CHILDREN KIN ROYALS CLERGY"""


class ProjectionWidget(ipywidgets.VBox):
    """The words of the scene language on the plane in which their vectors spread most.

    model: one that learned the scene language. word: the one that is marked at first. source: whose vectors are shown.
    Raises ValueError for a model of another language, and for a word or a source that there is not.
    """

    def __init__(self, model: MaskedLM, word: str = "cat", source: str = OF_TABLE):
        check_source(source)
        self.planes = scene_planes(model)
        self.planes[source].place(word)
        self.word = ipywidgets.Combobox(
            value=word,
            options=sorted(self.planes[source].words),
            description="Word",
            placeholder="a word of the scene language",
            style=WHOLE_LABEL,
        )
        self.source = choice("Vectors of", list(self.planes), source)
        self.status = status_line()
        self.picture = Picture()
        self.shown = word
        self.charts = {name: ProjectionChart(plane) for name, plane in self.planes.items()}
        self.moving = {name: MovingPicture(chart.figure, chart.moving) for name, chart in self.charts.items()}
        self.word.observe(lambda _: self.redraw(), "value")
        self.source.observe(lambda _: self.redraw(), "value")
        super().__init__([self.source, self.word, self.status, scrolling(self.picture, self.charts[source].figure)])
        self.redraw()

    def redraw(self) -> None:
        """Shows the word that was typed; while it is none, says so, and the picture stays."""
        typed = self.word.value.strip().lower()
        source = self.source.value
        if typed in self.planes[source].words:
            self.shown = typed
        text = self.charts[source].mark(self.shown)
        if typed != self.shown:
            text = f"{typed!r} is no word of the scene language: " + text if typed else "Type a word. " + text
        self.status.value = text
        self.picture.value = self.moving[source].html(describe(self.charts[source], source, self.shown))


def projection_figure(model: MaskedLM, word: str = "cat", source: str = OF_TABLE) -> tuple[Figure, str]:
    """What the widget shows for one word, as a figure and its alt text. Raises what `ProjectionWidget` raises."""
    check_source(source)
    chart = ProjectionChart(scene_planes(model)[source])
    chart.mark(word)
    seen = chart.plane.seen_in_plane(word, LIT)
    chart.figure.axes[0].set_title(
        f"Of the {LIT} words nearest to {word}, {seen} are among the {LIT} nearest on the plane"
    )
    return chart.figure, describe(chart, source, word)


class ProjectionChart:
    """All words as dots, and `moving` artists: the marked word and its LIT nearest, with their names in a column.

    figure: as wide as the page.
    """

    def __init__(self, plane: Plane):
        self.plane = plane
        self.figure, (ax,) = figures.new_figure(9.0, 5.0)
        groups = [group_of(kind) for kind in plane.classes]
        for group in ("", *WORD_SIGNS):
            mark, color = WORD_SIGNS.get(group, (".", "0.6"))
            mine = [i for i, name in enumerate(groups) if name == group]
            ax.plot(*plane.points[mine].T, mark, color=color, markersize=4, alpha=0.45, label=group or "all others")
        self.lines = [ax.plot([], [], color=figures.BLACK, linewidth=0.6)[0] for _ in range(LIT + 1)]
        (self.lit,) = ax.plot([], [], "o", color=figures.ORANGE, markeredgecolor=figures.BLACK, markersize=7)
        (self.marked,) = ax.plot([], [], "*", color=figures.BLACK, markersize=15)
        (left, self.bottom), (right, self.top) = plane.points.min(axis=0), plane.points.max(axis=0)
        self.column = right + 0.1 * (right - left)
        self.labels = [ax.text(self.column, 0, "", va="center") for _ in range(LIT + 1)]
        first, second = plane.shares
        ax.set(xlabel=f"first principal component ({first:.0%} of the spread)")
        ax.set(ylabel=f"second principal component ({second:.0%})")
        ax.set_xlim(left - 0.05 * (right - left), right + 0.28 * (right - left))
        ax.legend(loc="lower right", fontsize=9)
        self.moving = (*self.lines, self.lit, self.marked, *self.labels)

    def mark(self, word: str) -> str:
        """Moves the marks to a word and its nearest, and says in words what is shown. Raises ValueError for a word that
        is not there."""
        plane = self.plane
        near = plane.neighbors(word, LIT)
        names = [word, *(name for name, _ in near)]
        x, y = plane.points[[plane.place(name) for name in names]].T
        self.marked.set_data(x[:1], y[:1])
        self.lit.set_data(x[1:], y[1:])
        heights = in_column(y, self.bottom + 0.3 * (self.top - self.bottom), self.top)  # above the legend
        for line, label, name, at_x, at_y, height in zip(self.lines, self.labels, names, x, y, heights, strict=True):
            line.set_data([at_x, self.column], [at_y, height])
            label.set(text=f" {name}", y=height, weight="bold" if name == word else "normal")
        listed = ", ".join(f"{name} {cosine:.2f}" for name, cosine in near)
        seen = plane.seen_in_plane(word, LIT)
        return (
            f"Nearest to {word} in all {plane.vectors.shape[1]} dimensions, with their cosines: {listed}. Of these "
            f"{LIT}, {seen or 'none'} {'is' if seen == 1 else 'are'} among the {LIT} nearest in the plane, which holds "
            f"{plane.shares.sum():.0%} of the spread."
        )


def in_column(heights, bottom: float, top: float) -> list[float]:
    """Heights for labels in a column, in the order of the given ones, evenly apart and around their middle."""
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    step = (top - bottom) / (2 * len(order))
    start = sum(heights) / len(order) - step * (len(order) - 1) / 2
    start = min(max(start, bottom), top - step * (len(order) - 1))
    return [start + step * order.index(i) for i in range(len(order))]


def describe(chart: ProjectionChart, source: str, word: str) -> str:
    """The picture in words."""
    kinds = ", ".join(WORD_SIGNS)
    return (
        f"{len(chart.plane.words)} words as dots on a plane, {kinds} with signs of their own; vectors of {source}. "
        + (chart.mark(word))
    )


@cache
def group_of(kind: str) -> str:
    """The group of a class of the lexicon; "" for one without a sign of its own."""
    if kind in ANIMALS:
        return "animals"
    if kind in PEOPLE.split():
        return "people"
    return "verbs" if kind in {"PRESENT_VERBS", "PAST_VERBS", "PARTICIPLES"} else ""


def check_source(source: str) -> None:
    """Raises ValueError for vectors that there are not."""
    if source not in SOURCES:
        raise ValueError(f"source is {source!r}: expected one of {', '.join(map(repr, SOURCES))}")
