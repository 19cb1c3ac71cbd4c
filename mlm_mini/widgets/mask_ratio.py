"""The mask ratio under a slider: which tokens of a sentence are selected, and what becomes of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.languages import Vocabulary, scene_language
from mlm_mini.reference import corrupt, maskable_positions, select_positions
from mlm_mini.widgets.tokens import (
    KEPT,
    MASKED,
    MUTED_COLOR,
    PLAIN,
    RANDOM,
    SPECIAL,
    TEXT_COLOR,
    WHOLE_LABEL,
    State,
    Token,
    redraw_button,
    slider,
    status_html,
    status_line,
    token_row,
    with_field,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SENTENCE = "the minister spoke to the activist about the protest because he advocated for change ."
MOST_TOKENS = 48  # a model's input has a limit too; without one, a pasted book would fill the page
SPLIT = (0.8, 0.1, 0.1)
# A word in brackets, a word (don't and well-known are one), or a single sign: what a learner would call a token.
WORD = re.compile(r"\[\w+\]|\w+(?:['\u2019-]\w+)*|[^\w\s]")
FATES = (MASKED, RANDOM, KEPT)  # in the order of SPLIT


@dataclass(frozen=True)
class MaskedSentence:
    """A sentence as the model reads it.

    tokens: one box per token, [CLS] and [SEP] included. maskable: how many of them may be selected.
    cut: how many tokens of the sentence were left out because it was too long.
    """

    tokens: tuple[Token, ...]
    maskable: int
    cut: int

    def count(self, *states: State) -> int:
        """How many tokens met one of these fates."""
        return sum(token.state in states for token in self.tokens)


def mask_sentence(sentence: str, mask_ratio: float, seed: int) -> MaskedSentence:
    """Selects tokens of any sentence at a ratio and corrupts them 80/10/10.

    Words and punctuation marks are tokens, and so is a word in brackets, such as [MASK]; case makes no difference.
    With the same seed, a larger ratio selects the same tokens and more, and none changes its fate.
    Words that the scene language lacks join its vocabulary. Raises ValueError for a ratio outside [0, 1].
    """
    vocabulary, ids, cut = encode_any(sentence)
    maskable = maskable_positions(ids, vocabulary.special_ids)
    # A generator for each question, both new: so the uniform numbers are the same at every ratio.
    selected = select_positions(maskable, mask_ratio, np.random.default_rng([seed, 0]))
    read = corrupt(ids, selected, vocabulary.mask_id, vocabulary.regular_ids, np.random.default_rng([seed, 1]), SPLIT)
    # A random token that happens to be the old one shows as kept: the model could not tell either.
    state = np.where(read == vocabulary.mask_id, 0, np.where(read != ids, 1, 2))
    tokens = [
        Token(new, FATES[state[t]], f"was {old}") if selected[t] else Token(old, PLAIN if maskable[t] else SPECIAL)
        for t, (old, new) in enumerate(zip(vocabulary.words(ids), vocabulary.words(read), strict=True))
    ]
    return MaskedSentence(tuple(tokens), int(maskable.sum()), cut)


def encode_any(sentence: str) -> tuple[Vocabulary, np.ndarray, int]:
    """The scene language's vocabulary with the words that it lacks, the ids (T,) of any sentence, and how many tokens
    were cut off because there are more than MOST_TOKENS."""
    words = [word.upper() if word.startswith("[") else word.lower() for word in WORD.findall(sentence)]
    scene_tokens = scene_language().vocabulary.tokens
    vocabulary = Vocabulary(dict.fromkeys((*scene_tokens, *words[:MOST_TOKENS])))
    ids = vocabulary.ids(["[CLS]", *words[:MOST_TOKENS], "[SEP]"])
    return vocabulary, ids, max(0, len(words) - MOST_TOKENS)


def mask_ratio_widget(sentence: str = SENTENCE, mask_ratio: float = 0.15, seed: int = 0) -> MaskRatioWidget:
    """A sentence of the learner's choice under a slider for the mask ratio. Raises ValueError outside [0, 1]."""
    if not 0 <= mask_ratio <= 1:
        raise ValueError(f"mask_ratio is {mask_ratio}: expected a share from 0 to 1, such as 0.15 for 15 percent")
    return MaskRatioWidget(sentence, mask_ratio, seed)


class MaskRatioWidget(ipywidgets.VBox):
    """A view of `mask_sentence`: a text box, a slider and a button above, the tokens and their counts below."""

    def __init__(self, sentence: str, mask_ratio: float, seed: int):
        self.seed = seed
        self.sentence = ipywidgets.Text(
            sentence,
            description="Sentence",
            style=WHOLE_LABEL,
            layout={"width": "min(100%, 60em)"},
        )
        self.slider = slider("Mask ratio", mask_ratio, 0.0, 1.0, 0.01)
        self.button = redraw_button(self._reseed)
        self.row = ipywidgets.HTML()
        self.status = status_line()
        self.table = ipywidgets.HTML()
        self.sentence.observe(self._redraw, "value")
        self.slider.observe(self._redraw, "value")
        controls = ipywidgets.HBox([with_field(self.slider), self.button], layout={"flex_flow": "row wrap"})
        super().__init__([self.sentence, controls, self.row, self.status, self.table])
        self._redraw()

    def _reseed(self) -> None:
        self.seed += 1
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        masked = mask_sentence(self.sentence.value, self.slider.value, self.seed)
        self.row.value = token_row(masked.tokens, "The sentence as the model reads it")
        self.status.value = status_html(describe(masked, self.slider.value))
        self.table.value = counts_table(masked, self.slider.value)


def describe(masked: MaskedSentence, mask_ratio: float) -> str:
    """What the row of tokens shows, in a few plain sentences."""
    n = masked.maskable
    if n == 0:
        return "There is no token to select: type a sentence."
    number = masked.count(*FATES)
    verb = "is" if number == 1 or n == 1 else "are"
    text = f"At ratio {mask_ratio:.2f}, {number} of {n} {'token' if n == 1 else 'tokens'} {verb} selected. "
    if number:
        masks, replaced, kept = (masked.count(fate) for fate in FATES)
        text += f"{masks} read [MASK], {replaced} replaced at random, {kept} kept. "
    text += f"The chance that none is selected is {(1 - mask_ratio) ** n:.3g}."
    if masked.cut:
        last = "token is" if masked.cut == 1 else f"{masked.cut} tokens are"
        text += f" The last {last} left out: the row ends after {MOST_TOKENS}."
    return text


def counts_table(masked: MaskedSentence, mask_ratio: float) -> str:
    """The counts beside the binomial's mean and standard deviation, as an HTML table."""
    rows = [("selected", masked.count(*FATES), mask_ratio)]
    rows += [
        (f"{fate.sign} {fate.word}", masked.count(fate), mask_ratio * share)
        for fate, share in zip(FATES, SPLIT, strict=True)
    ]
    cell = "padding: 1px 14px 1px 0; border: none; font-weight: normal; text-align: "
    head = "".join(
        f'<th scope="col" style="{cell}{side}; color: {MUTED_COLOR}">{name}</th>'
        for name, side in (("tokens", "left"), ("here", "right"), ("expected", "right"))
    )
    body = "".join(
        f'<tr><th scope="row" style="{cell}left">{name}</th><td style="{cell}right">{count}</td>'
        f'<td style="{cell}right">{expected(masked.maskable, p)}</td></tr>'
        for name, count, p in rows
    )
    style = f"color: {TEXT_COLOR}; border-collapse: collapse; line-height: 1.5"
    return f'<table style="{style}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def expected(n: int, p: float) -> str:
    """Mean and standard deviation of a count of n independent draws."""
    return f"{n * p:.1f} ± {(n * p * (1 - p)) ** 0.5:.1f}"


def mask_ratio_figure(sentence: str, ratios: tuple[float, ...], seed: int) -> tuple[Figure, str]:
    """The sentence as the model reads it at several ratios, one row each, and the alt text that says the same."""
    drawn = {ratio: mask_sentence(sentence, ratio, seed) for ratio in ratios}
    figure, (ax,) = figures.new_figure(9.0, 0.4 + 0.62 * len(ratios))
    for row, masked in enumerate(drawn.values()):
        for column, token in enumerate(masked.tokens):
            _draw_token(ax, column, -row, token)
    ax.set(xlim=(-0.55, len(masked.tokens) - 0.45), ylim=(-len(ratios) + 0.35, 0.5), xticks=[])
    ax.set_yticks(-np.arange(len(ratios)), [f"ratio {ratio:g}" for ratio in ratios])
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.set_title("The same random numbers: a larger ratio selects the same tokens and more", loc="left")
    reads = (f"at ratio {ratio:g}: {_aloud(masked)}" for ratio, masked in drawn.items())
    return figure, f"One sentence as the model reads it at {len(ratios)} mask ratios, {'; '.join(reads)}."


def _aloud(masked: MaskedSentence) -> str:
    """The tokens in a line, with a word on those that look like any other."""
    unseen = (RANDOM, KEPT)
    return " ".join(f"{t.text} ({t.state.word})" if t.state in unseen else t.text for t in masked.tokens)


def _draw_token(ax: Axes, x: int, y: int, token: Token) -> None:
    state = token.state
    if state.color:
        box = {"facecolor": "none", "edgecolor": state.color, "linestyle": "--" if state is RANDOM else "-"}
        for inset in (0.0, 0.05) if state is KEPT else (0.0,):  # KEPT has a double border
            edges = (x - 0.47 + inset, y - 0.22 + inset), 0.94 - 2 * inset, 0.5 - 2 * inset
            ax.add_patch(_rectangle(*edges, linewidth=1.0 if state is KEPT else 1.6, **box))
        ax.text(x, y - 0.24, f"{state.sign} {state.word}", ha="center", va="top", fontsize=7.5)
    ax.text(x, y + 0.03, token.text, ha="center", va="center", fontsize=8.5, color="0.45" if state is SPECIAL else "0")


def _rectangle(corner: tuple[float, float], width: float, height: float, **style):
    from matplotlib.patches import Rectangle

    return Rectangle(corner, width, height, **style)
