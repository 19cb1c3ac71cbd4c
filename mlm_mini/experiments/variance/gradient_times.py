"""How much faster the gradients of many draws are side by side than one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.lab.timing import one_thread, take_turns
from mlm_mini.experiments.variance.draws import Draws
from mlm_mini.experiments.variance.gradients import draw_gradients, loop_gradients
from mlm_mini.model import MaskedLM

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class GradientTimes(Result):
    """Milliseconds per gradient, with vmap and in a plain loop: runs that took turns, on one thread of one machine.

    sentences, tokens: B and N of the batch. predictions: k. weights: P. draws: n.
    vmap, loop: (repeats,), milliseconds per draw.
    """

    sentences: int
    tokens: int
    predictions: int
    weights: int
    draws: int
    vmap: np.ndarray
    loop: np.ndarray

    @property
    def ratio(self) -> float:
        """How many times as fast as the loop vmap is."""
        return float(np.median(self.loop) / np.median(self.vmap))

    def table(self) -> str:
        lines = [f"{'':6}ms per gradient"]
        lines += [f"{name:6}{np.median(times):15.2f}" for name, times in (("loop", self.loop), ("vmap", self.vmap))]
        return "\n".join([*lines, f"vmap is {self.ratio:.1f} times as fast: {self._size()}"])

    def _size(self) -> str:
        return (
            f"{self.draws} draws of {self.predictions} in {self.tokens} tokens of {self.sentences} sentences, "
            f"{self.weights:,} weights, one thread"
        )

    def plot(self) -> Figure:
        figure, (ax,) = figures.new_figure(6, 1.8)
        ax.barh(["vmap", "loop"], [np.median(self.vmap), np.median(self.loop)], color=[figures.BLUE, figures.ORANGE])
        ax.set(xlabel="milliseconds per gradient (this machine)")
        ax.set_title(f"Side by side, a gradient takes one part in {self.ratio:.1f} of the time")
        return figure

    def describe(self) -> str:
        return (
            f"Two bars: a gradient takes {np.median(self.vmap):.2f} ms with vmap and {np.median(self.loop):.2f} ms in "
            f"a loop. {self._size()}."
        )


def time_gradients(model: MaskedLM, draws: Draws, sentences: int, tokens: int, repeats: int = 7) -> GradientTimes:
    """Both ways on the same draws. sentences, tokens: B and N of the batch that the draws were made of."""
    ways = [lambda: draw_gradients(model, draws), lambda: loop_gradients(model, draws)]
    with one_thread():
        times = take_turns(ways, repeats) / len(draws)
    P = sum(weight.numel() for weight in model.parameters())
    return GradientTimes(sentences, tokens, int(draws.count_labels().max()), P, len(draws), *times)
