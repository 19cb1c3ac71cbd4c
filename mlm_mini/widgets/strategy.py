"""What each strategy hides of a sentence and asks for, beside what a model finds hard in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.strategy.picks import Picks, chances, sentence_picks
from mlm_mini.experiments.strategy.selection import (
    ENTROPY,
    KEPT_AT_RANDOM,
    KEPT_LOSS,
    STRATEGIES,
    SURPRISAL,
    UNIFORM,
    check_strategy,
)
from mlm_mini.languages import scene_language
from mlm_mini.widgets import controls
from mlm_mini.widgets.controls import EXAMPLE
from mlm_mini.widgets.picture import MovingPicture, scrolling
from mlm_mini.widgets.spoken import Picture
from mlm_mini.widgets.tokens import ASKED, PLAIN, SPECIAL, UNASKED, Token, token_row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import PolyCollection
    from matplotlib.figure import Figure

    from mlm_mini.model import MaskedLM

PICKS_SEED = 7  # at 0.15 uniform, surprisal and entropy pick different tokens
MOST_NATS = 8.0  # a longer bar is cut off here; its number stands under its token
LABELS = {
    UNIFORM: "uniform: every token alike",
    SURPRISAL: "surprisal of the hidden word",
    ENTROPY: "entropy of the guess",
    KEPT_LOSS: "uniform masks, loss kept where entropy is high",
    KEPT_AT_RANDOM: "uniform masks, loss kept at random",
}
RULES = {
    UNIFORM: "Every token has the same chance.",
    SURPRISAL: "Of {n} candidates those with the higher surprisal have the better chance; the others are shown again.",
    ENTROPY: "Of {n} candidates those with the higher entropy have the better chance; the others are shown again.",
    KEPT_LOSS: "All {n} candidates stay hidden; those with the higher entropy have the better chance to be asked for.",
    KEPT_AT_RANDOM: "All {n} candidates stay hidden, and each has the same chance to be asked for.",
}
ROW_LABEL = "The sentence as the model reads it, surprisal and entropy in nats under each token"
TWO_CHARTS = "Two bar charts over the tokens: surprisal and entropy, and the chance to be asked for."


class StrategyWidget(ipywidgets.VBox):
    """A scene sentence, a strategy and a mask ratio of the learner's choice: what is picked, and how hard it is.

    model: of the scene language; its scores are those of `sentence_picks`. strategy: one of `selection.STRATEGIES`.
    Raises ValueError for a model of another vocabulary, an unknown strategy, a ratio that the slider does not reach,
    from 0.02 to 0.9, or a sentence with an unknown word or a hidden one.
    """

    def __init__(
        self,
        model: MaskedLM,
        strategy: str = ENTROPY,
        sentence: str = EXAMPLE,
        mask_ratio: float = 0.15,
        seed: int = PICKS_SEED,
    ):
        _check(model, strategy, mask_ratio)
        self.model, self.seed, self.ids = model, seed, read_scene(sentence)
        self.sentence = controls.sentence_box(sentence, at_enter=True)
        self.strategy = controls.choice("Strategy", [(LABELS[name], name) for name in STRATEGIES], strategy)
        self.slider = controls.ratio_slider("Mask ratio", mask_ratio)
        self.button = controls.redraw_button(self._reseed)
        self.row, self.status, self.picture = Picture(), controls.status_line(), Picture()
        self.box = scrolling(self.picture, self._prepare())
        self.sentence.observe(self._read_again, "value")
        self.strategy.observe(self._redraw, "value")
        self.slider.observe(self._pick_again, "value")
        row = ipywidgets.HBox([self.slider, self.button], layout={"flex_flow": "row wrap"})
        super().__init__([self.sentence, self.strategy, row, self.row, self.status, self.box])
        self._pick_again()

    def _read_again(self, _: object) -> None:
        try:
            self.ids = read_scene(self.sentence.value)
        except ValueError as error:
            self.status.value = f"Not read, the picture is still that of the last sentence: {error}"
            return
        self._prepare()
        self._pick_again()

    def _prepare(self) -> Figure:
        self.charts = StrategyCharts(scene_language().vocabulary.words(self.ids))
        self.moving = MovingPicture(self.charts.figure, self.charts.moving)
        return self.charts.figure

    def _reseed(self) -> None:
        self.seed += 1
        self._pick_again()

    def _pick_again(self, _: object = None) -> None:
        vocabulary = scene_language().vocabulary
        self.picks = sentence_picks(self.model, self.ids, vocabulary, self.slider.value, self.seed)
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        strategy, ratio = self.strategy.value, self.slider.value
        text = describe_picks(self.picks, strategy, ratio)
        self.charts.move(self.picks, strategy, ratio)
        self.row.value = token_row(pick_boxes(self.picks, strategy), ROW_LABEL)
        self.status.value = text
        self.picture.value = self.moving.html(f"{TWO_CHARTS} {text}")


def strategy_figure(
    model: MaskedLM,
    strategy: str = ENTROPY,
    sentence: str = EXAMPLE,
    mask_ratio: float = 0.15,
    seed: int = PICKS_SEED,
) -> tuple[Figure, str]:
    """What the widget shows, as a figure and its alt text. Raises what the widget raises."""
    _check(model, strategy, mask_ratio)
    ids, vocabulary = read_scene(sentence), scene_language().vocabulary
    picks = sentence_picks(model, ids, vocabulary, mask_ratio, seed)
    charts = StrategyCharts(picks.tokens)
    charts.move(picks, strategy, mask_ratio)
    return charts.figure, f"{TWO_CHARTS} {describe_picks(picks, strategy, mask_ratio)}"


def read_scene(sentence: str) -> np.ndarray:
    """The ids (n,) of a sentence of the scene language, without padding.

    Raises ValueError for a word the language does not have, too many of them, or a [MASK] among them.
    """
    language = scene_language()
    ids = language.encode(sentence)
    if (ids == language.vocabulary.mask_id).any():
        raise ValueError(f"{sentence!r} has a [MASK]: give all the words, the strategies hide them themselves")
    return ids[ids != language.vocabulary.pad_id]


def _check(model: MaskedLM, strategy: str, mask_ratio: float) -> None:
    check_strategy(strategy)
    controls.check_ratio(mask_ratio)
    V, size = len(scene_language().vocabulary), model.config.vocab_size
    if size != V:
        raise ValueError(f"model has a vocabulary of {size} tokens, the scene language {V}: give a model of scenes")


def pick_boxes(picks: Picks, strategy: str) -> list[Token]:
    """The sentence as the model reads it, surprisal and entropy under each token."""
    hidden, asked = picks.hidden[strategy], picks.asked[strategy]
    scores = [f"{s:.1f} | {h:.1f}" for s, h in zip(picks.surprisal, picks.entropy, strict=True)]
    return [
        Token("[MASK]", ASKED if asked[t] else UNASKED, f"was {word}, {scores[t]}")
        if hidden[t]
        else Token(word, PLAIN, scores[t])
        if picks.maskable[t]
        else Token(word, SPECIAL)
        for t, word in enumerate(picks.tokens)
    ]


def describe_picks(picks: Picks, strategy: str, mask_ratio: float) -> str:
    """What a strategy picks, in a few plain sentences."""
    asked, words = picks.asked[strategy], picks.maskable
    n = int(words.sum())
    rule = RULES[strategy].format(n=int(picks.candidates.sum()))
    names = [f"{picks.tokens[t]} ({picks.surprisal[t]:.2f}, {picks.entropy[t]:.2f})" for t in np.flatnonzero(asked)]
    text = f"{LABELS[strategy][0].upper()}{LABELS[strategy][1:]}, at ratio {mask_ratio:.2f}. {rule} "
    if not names:
        return f"{text}This time none of the {n} tokens is asked for; {n * mask_ratio:.1f} are expected."
    return (
        f"{text}{len(names)} of {n} tokens {'is' if len(names) == 1 else 'are'} asked for, {n * mask_ratio:.1f} "
        f"expected (surprisal and entropy in nats): {', '.join(names)}. Mean {picks.surprisal[asked].mean():.2f} and "
        f"{picks.entropy[asked].mean():.2f}; of all tokens {picks.surprisal[words].mean():.2f} and "
        f"{picks.entropy[words].mean():.2f}."
    )


class StrategyCharts:
    """Two bar charts with a line for each token, and a band behind those that are asked for.

    figure: with `moving`, the artists that `move` changes.
    """

    def __init__(self, tokens: tuple[str, ...]):
        n = len(tokens)
        self.figure, (scores, chance) = figures.new_figure(9.5, 1.0 + 0.23 * n, columns=2)
        self.bands = [_bars(ax, facecolor="#E69F0050") for ax in (scores, chance)]
        self.surprisal = _bars(scores, facecolor=figures.BLUE, label="surprisal of the word")
        self.entropy = _bars(
            scores, facecolor=figures.SKY, hatch="////", edgecolor="white", label="entropy of the guess"
        )
        self.chance = _bars(chance, facecolor=figures.GREEN)
        self.fates = [chance.text(1.05, y, "", va="center", fontsize=8.5) for y in range(n)]
        self._label(scores, tokens, "nats", "How hard each token is for the model", (0, MOST_NATS))
        self._label(chance, tokens, "chance, given the candidates", "How likely it is asked for", (0, 1.5))
        chance.set_xticks((0, 0.5, 1))
        scores.legend(loc="lower right", fontsize=8.5, frameon=False)
        self.moving = (*self.bands, self.surprisal, self.entropy, self.chance, *self.fates)

    def move(self, picks: Picks, strategy: str, mask_ratio: float) -> None:
        """Shows what the strategy picks at this ratio."""
        asked, hidden = picks.asked[strategy], picks.hidden[strategy]
        for band in self.bands:
            band.set_verts(bar_corners(np.where(asked, MOST_NATS, 0.0), -0.5, 0.5))
        self.surprisal.set_verts(bar_corners(picks.surprisal, -0.38, -0.02))
        self.entropy.set_verts(bar_corners(picks.entropy, 0.02, 0.38))
        self.chance.set_verts(bar_corners(chances(picks, strategy, mask_ratio), -0.3, 0.3))
        for t, fate in enumerate(self.fates):
            state = ASKED if asked[t] else UNASKED if hidden[t] else PLAIN
            again = strategy != UNIFORM and picks.candidates[t]
            fate.set_text(f"{state.sign} {state.word}".strip() or ("shown again" if again else ""))

    def _label(self, ax: Axes, tokens: tuple[str, ...], label: str, title: str, xlim: tuple[float, float]) -> None:
        n = len(tokens)
        ax.set(xlim=xlim, ylim=(n - 0.5, -0.5), xlabel=label)
        ax.set_yticks(range(n), tokens, fontsize=8.5)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="y", visible=False)
        ax.set_title(title, loc="left")


def _bars(ax: Axes, **look) -> PolyCollection:
    """Bars that have no place yet, as one artist: drawing many takes longer."""
    from matplotlib.collections import PolyCollection

    return ax.add_collection(PolyCollection([], linewidth=0, **look))


def bar_corners(widths: np.ndarray, above: float, below: float) -> np.ndarray:
    """The corners (n, 4, 2) of horizontal bars of n `widths`, the i-th of them from y = i + above to i + below."""
    y, left = np.arange(len(widths)), np.zeros(len(widths))
    corners = ((left, y + above), (widths, y + above), (widths, y + below), (left, y + below))
    return np.stack([np.stack(corner, axis=-1) for corner in corners], axis=1)
