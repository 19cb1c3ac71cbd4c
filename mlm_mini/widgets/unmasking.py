"""A sentence that is written by unmasking, under a slider over its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.writing.readers import exact_reader, model_reader
from mlm_mini.experiments.writing.sentence import WrittenSentence, frame_of, write_sentence
from mlm_mini.experiments.writing.unmasking import BY_LOT, LIKELIEST_DRAW, MOST_CERTAIN, WRITING_ORDERS
from mlm_mini.languages import scene_language
from mlm_mini.languages.vocabulary import MASK
from mlm_mini.model import MaskedLM
from mlm_mini.widgets import controls
from mlm_mini.widgets.tokens import MASKED, PLAIN, SPECIAL, State, Token, token_row

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ORDER_LABELS = {BY_LOT: "By lot", MOST_CERTAIN: "Most certain first", LIKELIEST_DRAW: "Likeliest draw first"}
BY_MODEL, BY_LANGUAGE = "the model", "the exact language"
NEWLY_WRITTEN = State("new", "+", "double", figures.RED)
LONGEST_WRITING = 15  # as many as the longest scene has words
USUAL_WORDS, USUAL_STEPS = 9, 4


class UnmaskingWidget(ipywidgets.VBox):
    """A sentence of the scene language from all hidden to all written, step by step.

    model: with the vocabulary of the scene language. words: how many the sentence has; steps: in how many it is
    written; order: one of WRITING_ORDERS; seed: of the lots and draws.
    Raises ValueError for a model of another vocabulary, a length that no scene has, steps outside 1 to 15, or another
    order.
    """

    def __init__(
        self, model: MaskedLM, words: int = USUAL_WORDS, steps: int = USUAL_STEPS, order: str = BY_LOT, seed: int = 0
    ):
        _check(model, words, steps, order)
        self.readers = {
            BY_MODEL: model_reader(model, scene_language().vocabulary),
            BY_LANGUAGE: exact_reader(scene_language()),
        }
        self.words, self.seed = words, seed
        self.who = controls.choice("Written by", [BY_MODEL, BY_LANGUAGE])
        self.order = controls.choice("Order", [(label, name) for name, label in ORDER_LABELS.items()], order)
        self.steps = controls.slider("Steps in all", steps, 1, LONGEST_WRITING, 1)
        self.slider = controls.slider("Step", 0, 0, steps, 1)
        self.button = controls.redraw_button(self._reseed)
        self.button.tooltip = "Another sentence, with other lots and draws"
        self.row, self.status = ipywidgets.HTML(), controls.status_line()
        for control in (self.who, self.order, self.steps):
            control.observe(self._rewrite, "value")
        self.slider.observe(self._redraw, "value")
        last = ipywidgets.HBox([self.slider, self.button], layout={"flex_flow": "row wrap"})
        super().__init__([self.who, self.order, self.steps, last, self.row, self.status])
        self._rewrite()

    def _reseed(self) -> None:
        self.seed += 1
        self._rewrite()

    def _rewrite(self, _: object = None) -> None:
        steps = int(self.steps.value)
        self.written = write_sentence(
            self.readers[self.who.value], scene_language(), self.words, steps, self.order.value, self.seed
        )
        self.slider.max = steps
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        step = int(self.slider.value)
        self.row.value = token_row(stage_boxes(self.written, step), "The sentence after this step")
        self.status.value = (
            f"{ORDER_LABELS[self.order.value]}, written by {self.who.value}. {describe_stage(self.written, step)}"
        )


def _check(model: MaskedLM, words: int, steps: int, order: str) -> None:
    language = scene_language()
    V, size = len(language.vocabulary), model.config.vocab_size
    if size != V:
        raise ValueError(f"model has a vocabulary of {size} tokens, the scene language {V}: give a model of scenes")
    frame_of(language, words)
    if not 1 <= steps <= LONGEST_WRITING:
        raise ValueError(f"steps is {steps}: expected a number from 1 to {LONGEST_WRITING}")
    if order not in WRITING_ORDERS:
        raise ValueError(f"order is {order!r}: expected one of {', '.join(map(repr, WRITING_ORDERS))}")


def stage_boxes(written: WrittenSentence, step: int) -> list[Token]:
    """The sentence after a step; under each word at which step it came, and what it cost there."""
    boxes = []
    for token, at, nats in zip(written.stages[step], written.step, written.surprisal, strict=True):
        if not at:
            boxes.append(Token(token, SPECIAL))
        elif token == MASK:
            boxes.append(Token(token, MASKED))
        else:
            boxes.append(Token(token, NEWLY_WRITTEN if at == step else PLAIN, f"step {at}, {nats:.1f}"))
    return boxes


def describe_stage(written: WrittenSentence, step: int) -> str:
    """What stands there after a step, in a few plain sentences."""
    n, there = int((written.step > 0).sum()), (written.step > 0) & (written.step <= step)
    text = f"After step {step} of {written.steps}, {there.sum()} of {n} words are written"
    new = [written.stages[step][t] for t in np.flatnonzero(written.step == step)] if step else []
    text += f", new: {', '.join(new)}. " if new else ". "
    text += f"They cost {written.surprisal[there].sum():.1f} nats where they were drawn. " if there.any() else ""
    if not written.possible[step]:
        first = written.possible.index(False)
        return f"{text}The language cannot produce this any more, since step {first}."
    if step < written.steps:
        return f"{text}The language can still produce it."
    return f"{text}The language can produce this sentence, for {written.nats:.1f} nats."


def unmasking_figure(
    model: MaskedLM, words: int = USUAL_WORDS, steps: int = USUAL_STEPS, order: str = BY_LOT, seed: int = 0
) -> tuple[Figure, str]:
    """All stages of a sentence that the model writes, a row for each, and the alt text that says the same.

    Raises what the widget raises.
    """
    _check(model, words, steps, order)
    language = scene_language()
    written = write_sentence(model_reader(model, language.vocabulary), language, words, steps, order, seed)
    figure, (ax,) = figures.new_figure(max(4.0, 1.05 * words), 0.8 + 0.42 * len(written.stages))
    for stage, tokens in enumerate(written.stages):
        for x, (token, at) in enumerate(zip(tokens[1:-1], written.step[1:-1], strict=True)):
            new = bool(stage) and at == stage
            color = figures.BLUE if token == MASK else figures.RED if new else "0"
            ax.text(
                x,
                -stage,
                "▢" if token == MASK else token,
                ha="center",
                va="center",
                color=color,
                fontsize=9.5,
                fontweight="bold" if new else "normal",
            )
    ax.set(xlim=(-0.6, words - 0.4), ylim=(-len(written.stages) + 0.5, 0.5), xticks=[])
    ax.set_yticks([-stage for stage in range(len(written.stages))], [f"step {s}" for s in range(len(written.stages))])
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    end = f"possible, {written.nats:.1f} nats" if written.possible[-1] else "impossible in the language"
    ax.set_title(
        f"{words} words in {steps} step{'s' if steps > 1 else ''}, {ORDER_LABELS[order].lower()}: {end}", loc="left"
    )
    stages = "; ".join(f"step {s}: {' '.join(tokens[1:-1])}" for s, tokens in enumerate(written.stages))
    return figure, f"A sentence after each step. {stages}. {describe_stage(written, steps)}"
