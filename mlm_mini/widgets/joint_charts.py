"""The charts of the joint widget: two maps over pairs of words, and the bars of the blanks that are still open."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.joint.picture import ReadBlanks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROWS, COLUMNS = 6, 12  # words shown of the first blank, and of the others


class JointCharts:
    """Maps of the joint and of the product for the first two blanks, and bars for the second blank and the third.

    figure: with `moving`, the artists that `move` changes.
    """

    def __init__(self, blanks: ReadBlanks):
        self.blanks = blanks
        words = [blanks.shown(0, ROWS), *(blanks.shown(i, COLUMNS) for i in range(1, len(blanks.positions)))]
        self.words = words
        names = [blanks.language.vocabulary.words(shown) for shown in words]
        self.figure, axes = figures.new_figure(3.6 * (1 + len(words)), 3.7, columns=1 + len(words))
        part = np.ix_(words[0], words[1])
        top = blanks.joint[part].max()
        self.frames = []
        wasted = f"One pass: {blanks.impossible:.0%} on impossible pairs"
        titled = (axes[0], blanks.joint, f"Joint (darkest: {top:.2f})"), (axes[1], blanks.apart, wasted)
        for ax, table, title in titled:
            self._map(ax, table[part], blanks.joint[part] == 0, top, names)
            ax.set_title(title, loc="left")
        axes[1].set_xlabel("second blank (colors as on the left)")
        self.bars, self.labels = [], []
        for i, ax in enumerate(axes[2:], start=1):
            self._bars(ax, with_the_rest(blanks.alone[i], words[i]), [*names[i], "all others"])
            ax.set_title(f"{('Second', 'Third')[i - 1]} blank", loc="left")
        self.moving = (*self.frames, *chain(*self.bars), *chain(*self.labels))

    @property
    def alt(self) -> str:
        """What the charts are."""
        shown = self.blanks.language.decode(self.blanks.ids)
        other = "the second blank" if len(self.words) == 2 else "the second and the third blank"
        return (
            f"Two maps over pairs of words for the first two blanks of {shown!r}, the joint and the product of one "
            f"pass, on one scale of color, crosses where a pair is impossible; and bars for the words of {other}."
        )

    def move(self, word: int | None) -> None:
        """Frames the row of the word that is written, and sets the bars to what the other blanks then hold."""
        row = None if word is None else int(np.flatnonzero(self.words[0] == word)[0])
        for frame in self.frames:
            frame.set_visible(row is not None)
            frame.set_y((row or 0) - 0.5)
        after = self.blanks.alone[1:] if word is None else self.blanks.after(word)
        for p, words, bars, labels in zip(after, self.words[1:], self.bars, self.labels, strict=True):
            for bar, label, share in zip(bars, labels, with_the_rest(p, words), strict=True):
                bar.set_width(share)
                label.set_text(f"{share:.2f}")

    def _map(self, ax: Axes, table: np.ndarray, impossible: np.ndarray, top: float, names: list[list[str]]) -> None:
        from matplotlib.patches import Rectangle

        ax.imshow(table, cmap="Blues", vmin=0, vmax=top, aspect="auto")
        rows, columns = np.nonzero(impossible)
        ax.plot(columns, rows, "x", color="0.45", markersize=4, markeredgewidth=0.8)
        ax.set_xticks(range(len(names[1])), names[1], rotation=60, ha="right", rotation_mode="anchor", fontsize=8.5)
        ax.set_yticks(range(len(names[0])), names[0], fontsize=8.5)
        ax.tick_params(length=0)
        ax.grid(visible=False)
        ax.set_xlabel("second blank")
        ax.set_ylabel("first blank")
        frame = Rectangle(
            (-0.5, -0.5), table.shape[1], 1, fill=False, edgecolor=figures.RED, linewidth=2.5, clip_on=False
        )
        self.frames.append(ax.add_patch(frame))

    def _bars(self, ax: Axes, before: np.ndarray, names: list[str]) -> None:
        place = np.arange(len(names))[::-1]
        self.bars.append(ax.barh(place, before, height=0.6, color=figures.ORANGE, linewidth=0))
        self.labels.append([ax.text(1.03, y, "", va="center", fontsize=8.5) for y in place])
        ax.plot(before, place, "k|", markersize=13, markeredgewidth=2)
        ax.set_yticks(place, names, fontsize=8.5)
        ax.set(xlim=(0, 1.2), xticks=(0, 0.5, 1), xlabel="probability (black: in one pass)")
        ax.grid(axis="y", visible=False)


def with_the_rest(p: np.ndarray, words: np.ndarray) -> np.ndarray:
    """The probabilities of some words, and of all others together: (W + 1,) of p (V,), words (W,)."""
    return np.append(p[words], max(0.0, 1 - p[words].sum()))
