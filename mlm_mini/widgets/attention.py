"""Who looks at whom: the attention weights of a sentence, head by head, with one query word picked out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.reference import entropy, perplexity
from mlm_mini.widgets.controls import choice, numbered, sentence_box, status_line, word_slider
from mlm_mini.widgets.picture import MovingPicture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_MAPPED = 32  # more words would have no room for their names
ROW_SUM_TOLERANCE = 1e-4  # wide enough for weights that were computed in float32
NAMED = 3  # so many of the most-read words stand in the text line
LEAST_NAMED = 0.005  # a smaller weight would show as 0.00
SMALLEST_DRAWN = 0.004  # a square of this weight is one pixel wide


@dataclass(frozen=True)
class AttentionMaps:
    """The attention weights of one sentence.

    tokens: T of them, as they are to be shown. maps: for the name of each head its weights (T, T), a row per query;
    rows sum to one, or to zero where a query may see nothing.
    Raises ValueError for no tokens or too many, no heads, or weights that are no such table.
    """

    tokens: tuple[str, ...]
    maps: Mapping[str, np.ndarray]

    def __post_init__(self):
        T = len(self.tokens)
        if not 1 <= T <= MOST_MAPPED:
            raise ValueError(f"the sentence has {T} tokens: an attention map shows 1 to {MOST_MAPPED}")
        if not self.maps:
            raise ValueError("maps is empty: give at least one head its weights")
        for name, weights in self.maps.items():
            if np.shape(weights) != (T, T):
                raise ValueError(f"the weights of {name!r} have shape {np.shape(weights)}: expected {(T, T)}")
            sums = np.sum(weights, axis=-1)
            proper = np.isclose(sums, 1, atol=ROW_SUM_TOLERANCE) | (sums == 0)
            if not (np.min(weights) >= 0 and proper.all()):  # written so that NaN does not pass
                raise ValueError(
                    f"the weights of {name!r} are no distributions: every row is to sum to one, or to zero"
                )


def named_maps(weights: np.ndarray) -> dict[str, np.ndarray]:
    """The weights of L blocks of H heads each, (L, H, T, T), under the names "layer 1, head 1" and so on."""
    return {f"layer {i}, head {j}": table for i, block in enumerate(weights, 1) for j, table in enumerate(block, 1)}


class AttentionWidget(ipywidgets.VBox):
    """A sentence of the learner's choice, a head and a query word, and what that word reads; at first token `query`.

    read: from a sentence to its attention maps, with the same heads each time. A ValueError that it raises for a
    sentence it does not understand is shown to the learner.
    """

    def __init__(self, read: Callable[[str], AttentionMaps], sentence: str, query: int = 0):
        self.read = read
        maps = read(sentence)
        self.sentence = sentence_box(sentence, at_enter=True)
        self.head = choice("Head", list(maps.maps))
        self.query = word_slider("Query word", maps.tokens, query)
        self.status = status_line()
        self.picture = ipywidgets.HTML()
        self._prepare(maps)
        self._redraw()
        self.sentence.observe(self._read_again, "value")
        self.head.observe(self._redraw, "value")
        self.query.observe(self._redraw, "value")
        super().__init__([self.sentence, self.head, self.query, self.status, self.picture])

    def _read_again(self, _: object) -> None:
        try:
            maps = self.read(self.sentence.value)
        except ValueError as error:
            self.status.value = f"Not read, the picture is still that of the last sentence: {error}"
            return
        self._prepare(maps)  # first, because the slider redraws as soon as its words change
        query = self.query.index
        self.query.options = numbered(maps.tokens)
        self.query.index = min(query, len(maps.tokens) - 1)
        self._redraw()

    def _prepare(self, maps: AttentionMaps) -> None:
        self.charts = AttentionCharts(maps)
        self.moving = MovingPicture(self.charts.figure, self.charts.moving)

    def _redraw(self, _: object = None) -> None:
        text = self.charts.move(self.head.value, self.query.value)
        self.status.value = text
        self.picture.value = self.moving.html(f"A map of attention weights, and one row of it as bars. {text}")


def attention_figure(maps: AttentionMaps, head: str, query: int) -> tuple[Figure, str]:
    """What the widget shows for one head and query position, as a figure and its alt text."""
    charts = AttentionCharts(maps)
    text = charts.move(head, query)
    return charts.figure, f"A map of attention weights, and one row of it as bars. {text}"


def describe_attention(maps: AttentionMaps, head: str, query: int) -> str:
    """What one query word reads, in a few plain sentences."""
    weights = np.asarray(maps.maps[head], dtype=np.float64)[query]
    asks = f"{head}: {maps.tokens[query]}, token {query} of 0 to {len(weights) - 1},"
    total = weights.sum()
    if total == 0:
        return f"{asks} may see nothing, so it reads nothing: all its weights are zero."
    spread = perplexity(entropy(weights / total))
    if len(weights) > 1 and np.ptp(weights) < LEAST_NAMED:  # of equal weights none stands out
        reads = f"most from none: each weight is {weights.mean():.2f}"
    else:
        order = [s for s in np.argsort(-weights, kind="stable")[:NAMED] if weights[s] >= LEAST_NAMED]
        reads = "most from " + ", ".join(f"{maps.tokens[s]} ({weights[s]:.2f})" for s in order)
    return f"{asks} reads {reads}. Its weights are as spread out as {spread:.1f} equal ones."


class AttentionCharts:
    """The map of a head, a square for each weight, and the row of one query as bars with numbers.

    figure: with `moving`, the artists that `move` changes.
    """

    def __init__(self, maps: AttentionMaps):
        self.maps = maps
        T = len(maps.tokens)
        self.figure, (table, row) = figures.new_figure(9.5, max(3.0, 1.3 + 0.19 * T), columns=2)
        self._draw_table(table, T)
        self._draw_row(row, T)
        self.head = None  # whose squares are drawn
        self.moving = (self.frame, self.squares, self.pointer, *self.bars, *self.numbers)

    def move(self, head: str, query: int) -> str:
        """Shows this head and this query, and says in words what there is to see."""
        if head not in self.maps.maps:
            raise ValueError(f"there is no head {head!r}: expected one of {', '.join(self.maps.maps)}")
        T = len(self.maps.tokens)
        if not 0 <= query < T:
            raise ValueError(f"query is {query}: expected a position from 0 to {T - 1}")
        weights = np.asarray(self.maps.maps[head], dtype=np.float64)
        if head != self.head:
            self.squares.set_verts(squares(weights))
            self.head = head
        self.frame.set_y(query - 0.5)
        self.pointer.set_data([-0.75], [query])
        for bar, number, weight in zip(self.bars, self.numbers, weights[query], strict=True):
            bar.set_width(weight)
            number.set_text(f"{weight:.2f}" if weight >= LEAST_NAMED else "")
            number.set_x(weight + 0.02)
        return describe_attention(self.maps, head, query)

    def _draw_table(self, ax: Axes, T: int) -> None:
        from matplotlib.collections import PolyCollection
        from matplotlib.patches import Rectangle

        self.squares = ax.add_collection(PolyCollection([], facecolor=figures.BLUE))
        self.frame = ax.add_patch(
            Rectangle((-0.5, 0), T, 1, facecolor="#E69F0040", edgecolor=figures.BLACK, zorder=0.8)
        )
        (self.pointer,) = ax.plot([], [], ">", color=figures.BLACK, markersize=6, clip_on=False)
        ax.set(xlim=(-0.5, T - 0.5), ylim=(T - 0.5, -0.5), aspect="equal", xlabel="key: the word that is read")
        ax.set_ylabel("query: the word that reads", labelpad=8)
        ax.set_xticks(range(T), self.maps.tokens, rotation=90, fontsize=8)
        ax.set_yticks(range(T), self.maps.tokens, fontsize=8)
        ax.tick_params(axis="y", length=0, pad=10)
        ax.set_title("Larger square, larger weight", loc="left")

    def _draw_row(self, ax: Axes, T: int) -> None:
        place = np.arange(T)
        # No outline: one around an empty bar would paint over the axis.
        self.bars = ax.barh(place, np.zeros(T), height=0.7, color=figures.BLUE, linewidth=0)
        self.numbers = [ax.text(0, y, "", va="center", fontsize=8) for y in place]
        ax.set(xlim=(0, 1.12), ylim=(T - 0.5, -0.5), xticks=(0, 0.5, 1), xlabel="weight in the marked row")
        ax.set_yticks(place, self.maps.tokens, fontsize=8)
        ax.grid(axis="y", visible=False)
        ax.set_title("What the marked word reads", loc="left")


def squares(weights: np.ndarray) -> np.ndarray:
    """The corners of a square of area `weights[t, s]` at x = s, y = t for each weight that can be seen: (n, 4, 2)."""
    t, s = np.nonzero(weights >= SMALLEST_DRAWN)
    half = np.sqrt(weights[t, s])[:, None] / 2
    corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    return np.stack([s, t], axis=-1)[:, None, :] + half[:, :, None] * corners
