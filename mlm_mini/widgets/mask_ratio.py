"""The mask ratio under a slider: which tokens of a sentence are selected, and what becomes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.languages.drawn_sentence import LONGEST, DrawnSentence, corrupt_sentence, expected_count
from mlm_mini.reference.masking import BERT_SPLIT
from mlm_mini.widgets import controls
from mlm_mini.widgets.tokens import MASKED, MUTED_COLOR, PLAIN, RANDOM, SPECIAL, TEXT_COLOR, UNCHANGED, Token, token_row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FATES = {"masked": MASKED, "random": RANDOM, "kept": UNCHANGED}  # as `DrawnSentence.fates` names them


class MaskRatioWidget(ipywidgets.VBox):
    """A sentence of the learner's choice under a slider for the mask ratio, the tokens and their counts below.

    Raises ValueError for a ratio outside [0, 1].
    """

    def __init__(self, sentence: str = controls.EXAMPLE, mask_ratio: float = 0.15, seed: int = 0):
        if not 0 <= mask_ratio <= 1:
            raise ValueError(f"mask_ratio is {mask_ratio}: expected a share from 0 to 1, such as 0.15 for 15 percent")
        self.seed = seed
        self.sentence = controls.sentence_box(sentence)
        self.slider = controls.slider("Mask ratio", mask_ratio, 0.0, 1.0, 0.01)
        self.button = controls.redraw_button(self._reseed)
        self.row = ipywidgets.HTML()
        self.status = controls.status_line()
        self.table = ipywidgets.HTML()
        self.sentence.observe(self._redraw, "value")
        self.slider.observe(self._redraw, "value")
        row = ipywidgets.HBox([self.slider, self.button], layout={"flex_flow": "row wrap"})
        super().__init__([self.sentence, row, self.row, self.status, self.table])
        self._redraw()

    def _reseed(self) -> None:
        self.seed += 1
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        ratio = self.slider.value
        drawn = corrupt_sentence(self.sentence.value, ratio, *controls.two_generators(self.seed))
        self.row.value = token_row(fate_boxes(drawn), "The sentence as the model reads it")
        self.status.value = describe_fates(drawn, ratio)
        self.table.value = counts_table(drawn, ratio)


def fate_boxes(drawn: DrawnSentence) -> list[Token]:
    """The sentence as the model reads it, and under each selected token what became of it."""
    boxes = [Token(word, PLAIN if free else SPECIAL) for word, free in zip(drawn.words, drawn.maskable, strict=True)]
    for fate, places in drawn.fates.items():
        for t in np.flatnonzero(places):
            boxes[t] = Token(drawn.read[t], FATES[fate], f"was {drawn.words[t]}")
    return boxes


def describe_fates(drawn: DrawnSentence, mask_ratio: float) -> str:
    """What the row of tokens shows, in a few plain sentences."""
    n, number = int(drawn.maskable.sum()), int(drawn.selected.sum())
    if n == 0:
        return "There is no token to select: type a sentence."
    verb = "is" if number == 1 or n == 1 else "are"
    text = f"At ratio {mask_ratio:.2f}, {number} of {n} {'token' if n == 1 else 'tokens'} {verb} selected. "
    if number:
        masked, replaced, kept = (places.sum() for places in drawn.fates.values())
        text += f"{masked} read [MASK], {replaced} replaced at random, {kept} kept. "
    text += f"The chance that none is selected is {drawn.chance_of_none(mask_ratio):.3g}."
    if drawn.cut:
        last = "token is" if drawn.cut == 1 else f"{drawn.cut} tokens are"
        text += f" The last {last} left out: the row ends after {LONGEST}."
    return text


def counts_table(drawn: DrawnSentence, mask_ratio: float) -> str:
    """The counts beside the binomial's mean and standard deviation, as an HTML table."""
    n, rows = int(drawn.maskable.sum()), [("selected", drawn.selected.sum(), mask_ratio)]
    for (fate, places), share in zip(drawn.fates.items(), BERT_SPLIT, strict=True):
        rows.append((f"{FATES[fate].sign} {fate}", places.sum(), mask_ratio * share))
    cell = "padding: 1px 14px 1px 0; border: none; font-weight: normal; text-align: "
    head = "".join(
        f'<th scope="col" style="{cell}{side}; color: {MUTED_COLOR}">{name}</th>'
        for name, side in (("tokens", "left"), ("here", "right"), ("expected", "right"))
    )
    body = "".join(
        f'<tr><th scope="row" style="{cell}left">{name}</th><td style="{cell}right">{count}</td>'
        f'<td style="{cell}right">{give_or_take(n, p)}</td></tr>'
        for name, count, p in rows
    )
    style = f"color: {TEXT_COLOR}; border-collapse: collapse; line-height: 1.5"
    return f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def give_or_take(n: int, p: float) -> str:
    """How many of n tokens are expected, give or take one standard deviation."""
    return "{:.1f} ± {:.1f}".format(*expected_count(n, p))


def mask_ratio_figure(sentence: str, ratios: tuple[float, ...], seed: int) -> tuple[Figure, str]:
    """The sentence as the model reads it at several ratios, one row each, and the alt text that says the same."""
    rows = {ratio: fate_boxes(corrupt_sentence(sentence, ratio, *controls.two_generators(seed))) for ratio in ratios}
    figure, (ax,) = figures.new_figure(9.0, 0.4 + 0.62 * len(ratios))
    for y, boxes in enumerate(rows.values()):
        for x, token in enumerate(boxes):
            _draw_token(ax, x, -y, token)
    ax.set(xlim=(-0.55, len(boxes) - 0.45), ylim=(-len(ratios) + 0.35, 0.5), xticks=[])
    ax.set_yticks(-np.arange(len(ratios)), [f"ratio {ratio:g}" for ratio in ratios])
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.set_title("The same random numbers: a larger ratio selects the same tokens and more", loc="left")
    reads = (f"at ratio {ratio:g}: {_aloud(boxes)}" for ratio, boxes in rows.items())
    return figure, f"One sentence as the model reads it at {len(ratios)} mask ratios, {'; '.join(reads)}."


def _aloud(boxes: list[Token]) -> str:
    """The tokens in a line, with a word on those that look like any other."""
    unseen = (RANDOM, UNCHANGED)
    return " ".join(f"{t.text} ({t.state.word})" if t.state in unseen else t.text for t in boxes)


def _draw_token(ax: Axes, x: int, y: int, token: Token) -> None:
    from matplotlib.patches import Rectangle

    state, twice = token.state, token.state is UNCHANGED  # a double border
    if state.color:
        box = {"facecolor": "none", "edgecolor": state.color, "linestyle": "--" if state is RANDOM else "-"}
        for inset in (0.0, 0.05) if twice else (0.0,):
            corner, width, height = (x - 0.47 + inset, y - 0.22 + inset), 0.94 - 2 * inset, 0.5 - 2 * inset
            ax.add_patch(Rectangle(corner, width, height, linewidth=1.0 if twice else 1.6, **box))
        ax.text(x, y - 0.24, f"{state.sign} {state.word}", ha="center", va="top", fontsize=7.5)
    ax.text(x, y + 0.03, token.text, ha="center", va="center", fontsize=8.5, color="0.45" if state is SPECIAL else "0")
