"""One gradient for each draw of the masks: what is seen, what is asked, and the gradients of many draws at once.

A batch is treated as one population of N maskable tokens: a draw selects some of them, wherever they stand. So one
token in a hundred can be asked for, though no sentence has a hundred.

Shape letters: n draws, B sentences, R sentences with something to predict (the most that a draw has), T positions,
N maskable tokens of a batch, k predicted tokens of a draw (the most that a draw has), P weights of the model.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from mlm_mini import figures
from mlm_mini.experiments.result import Result
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import MaskedLM
from mlm_mini.reference import IGNORE_INDEX, make_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AT_ONCE = 32  # draws that go through the model together: more of them gain nothing, and take memory


@dataclass(frozen=True)
class Draws:
    """n times a batch with some of its tokens asked for.

    ids: (n, R, T) int64, what the model sees. attention_mask: (n, R, T) bool, True at tokens; None without padding.
    places: (n, k) int64, where the predictions are read off, counted through the R T positions of a draw. labels:
    (n, k) int64, IGNORE_INDEX behind the last one of a draw that has fewer than k.
    """

    ids: Tensor
    attention_mask: Tensor | None
    places: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    def count_labels(self) -> np.ndarray:
        """How many tokens each draw asks for, (n,)."""
        return (self.labels != IGNORE_INDEX).sum(dim=1).numpy()

    def part(self, rows: slice) -> Draws:
        """Some of the draws."""
        mask = None if self.attention_mask is None else self.attention_mask[rows]
        return Draws(self.ids[rows], mask, self.places[rows], self.labels[rows])


def make_draws(ids: np.ndarray, hidden: np.ndarray, asked: np.ndarray, vocabulary: Vocabulary) -> Draws:
    """n draws from ids, hidden and asked, all (n, B, T) or of a shape that broadcasts to it.

    hidden: bool, the tokens that are replaced by [MASK]. asked: bool, those that are to be predicted.
    A sentence reads no other one, so that those with nothing to predict add nothing to the gradient: they are left out.
    """
    asked = np.asarray(asked)
    ids, hidden = (np.broadcast_to(array, asked.shape) for array in (ids, hidden))
    some = asked.any(axis=2)  # (n, B)
    R, k = max(1, int(some.sum(axis=1).max())), max(1, int(asked.sum(axis=(1, 2)).max()))
    rows = np.argsort(~some, axis=1, kind="stable")[:, :R, None]  # those with something to predict first
    ids, hidden, asked = (np.take_along_axis(array, rows, axis=1) for array in (ids, hidden, asked))  # (n, R, T)
    places = np.argsort(~asked.reshape(len(asked), -1), axis=1, kind="stable")[:, :k]
    labels = np.take_along_axis(make_labels(ids, asked).reshape(len(asked), -1), places, axis=1)
    padding = ids == vocabulary.pad_id
    seen = np.where(hidden, vocabulary.mask_id, ids)
    mask = torch.from_numpy(~padding) if padding.any() else None
    return Draws(torch.from_numpy(seen), mask, torch.from_numpy(places), torch.from_numpy(labels))


class MeanSurprisal(nn.Module):
    """The loss of one draw: the mean surprisal per predicted token, in nats; 0 where nothing is asked."""

    def __init__(self, model: MaskedLM):
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, attention_mask: Tensor | None, places: Tensor, labels: Tensor) -> Tensor:
        x = self.model.encode(ids, attention_mask).flatten(0, 1)[places]  # (R, T, D) -> (R T, D) -> (k, D)
        logits = self.model.head(x, self.model.embeddings.words.weight)  # (k, D) -> (k, V)
        nats = F.cross_entropy(logits, labels, ignore_index=IGNORE_INDEX, reduction="sum")
        return nats / (labels != IGNORE_INDEX).sum().clamp(min=1)


def draw_gradients(model: MaskedLM, draws: Draws, at_once: int = AT_ONCE) -> Tensor:
    """The gradient of each draw with respect to all weights: (n, P) float32, in the order of `model.parameters()`.

    `vmap` runs the draws side by side through one set of weights (PyTorch's torch.func): (n, P) numbers of 4 bytes
    remain, and nothing else. The model is left as it was; its dropout, if it has any, is off.
    """
    loss = MeanSurprisal(model)
    weights = {name: weight.detach() for name, weight in loss.named_parameters()}
    gradient = grad(lambda weights, *inputs: functional_call(loss, weights, inputs))
    mask_axis = None if draws.attention_mask is None else 0
    gradients = vmap(gradient, in_dims=(None, 0, mask_axis, 0, 0))
    out = torch.empty(len(draws), sum(weight.numel() for weight in weights.values()))
    # The other kernels have no rule for vmap, and would go one draw at a time.
    with _without_dropout(model), one_thread(), sdpa_kernel(SDPBackend.MATH):
        for part, rows in zip(_parts(draws, at_once), out.split(at_once), strict=True):
            each = gradients(weights, part.ids, part.attention_mask, part.places, part.labels)
            torch.cat([each[name].flatten(1) for name in weights], dim=1, out=rows)
    return out


def loop_gradients(model: MaskedLM, draws: Draws) -> Tensor:
    """The same as `draw_gradients`, one draw after the other: (n, P)."""
    loss, out = MeanSurprisal(model), []
    weights = list(loss.parameters())
    with _without_dropout(model):
        for part in _parts(draws, 1):
            mask = None if part.attention_mask is None else part.attention_mask[0]
            each = torch.autograd.grad(loss(part.ids[0], mask, part.places[0], part.labels[0]), weights)
            out.append(torch.cat([gradient.flatten() for gradient in each]))
    return torch.stack(out)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one thread: the products of a small model are too short to be worth sharing, two took as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _without_dropout(model: MaskedLM) -> Iterator[None]:
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def _parts(draws: Draws, at_once: int) -> Iterator[Draws]:
    return (draws.part(slice(first, first + at_once)) for first in range(0, len(draws), at_once))


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
    """Both ways on the same draws, on one thread, in turns, so that what else the machine does falls on both alike.

    sentences, tokens: B and N of the batch that the draws were made of.
    """
    ways, times = (draw_gradients, loop_gradients), ([], [])
    with one_thread():
        for repeat in range(repeats + 1):  # the first turn warms up
            for way, taken in zip(ways, times, strict=True):
                start = time.perf_counter()
                way(model, draws)
                if repeat:
                    taken.append((time.perf_counter() - start) * 1e3 / len(draws))
    P = sum(weight.numel() for weight in model.parameters())
    k = int(draws.count_labels().max())
    return GradientTimes(sentences, tokens, k, P, len(draws), *map(np.array, times))
