"""A sentence whose words can be hidden one by one: what a probe says of a noun's role, beside the exact posterior."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.experiments.probing.one_sentence import RoleShares, SentenceProbes
from mlm_mini.experiments.probing.reading import TRAINED, UNTRAINED
from mlm_mini.languages import scene_language
from mlm_mini.widgets.controls import choice, status_line
from mlm_mini.widgets.picture import MovingPicture, scrolling
from mlm_mini.widgets.spoken import Picture, Toggle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mlm_mini.model import MaskedLM

PROBE_SENTENCES = {  # the noun that is asked about, and what it is
    "the king welcomes the young soldier .": ("soldier", "patient"),
    "the soldier is welcomed by the king .": ("soldier", "patient"),
    "the cat was chased by the dog .": ("dog", "agent"),
    "the soldier runs in the park .": ("soldier", "agent"),
    "the soldier falls in the park .": ("soldier", "patient"),
}
READERS = {"exact": "exact posterior", TRAINED: "probe, trained model", UNTRAINED: "probe, random weights"}
COLORS, HATCHES = (figures.GREEN, figures.BLUE, figures.SKY), ("", "", "//")


class ProbeWidget(ipywidgets.VBox):
    """Sentences with a button for each word: pressed, the word is hidden.

    model: of the scene language; the one that the course keeps unless given. sentence: one of PROBE_SENTENCES. hidden:
    its words that are hidden at first, by their number, from 0. Raises ValueError for others, and as `SentenceProbes`.
    """

    def __init__(self, model: MaskedLM | None = None, sentence: str = next(iter(PROBE_SENTENCES)), hidden=()):
        checked(sentence, hidden)
        self.probes = probes_of(model)
        self.charts = ProbeCharts()
        self.moving = MovingPicture(self.charts.figure, self.charts.moving)
        self.sentence = choice("Sentence", list(PROBE_SENTENCES), sentence)
        self.row = ipywidgets.HBox(layout={"flex_flow": "row wrap"})
        self.status, self.picture = status_line(), Picture()
        self.sentence.observe(lambda _: self._new_sentence(()), "value")
        super().__init__([self.sentence, self.row, self.status, scrolling(self.picture, self.charts.figure)])
        self._new_sentence(hidden)

    @property
    def hidden(self) -> tuple[int, ...]:
        """The numbers of the words that are hidden."""
        return tuple(i for i, button in enumerate(self.row.children) if button.value)

    def _new_sentence(self, hidden) -> None:
        words = self.sentence.value.split()
        buttons = [Toggle(i in hidden, description=word, tooltip=f"hide {word}") for i, word in enumerate(words)]
        for button in buttons:
            button.observe(self._redraw, "value")
        self.row.children = buttons
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        text = self.charts.move(*read(self.probes, self.sentence.value, self.hidden))
        self.status.value = text
        self.picture.value = self.moving.html(f"Three bars. {text}")


def probe_figure(
    model: MaskedLM | None = None, sentence: str = next(iter(PROBE_SENTENCES)), hidden=()
) -> tuple[Figure, str]:
    """What the widget shows of a sentence with some words hidden, and its alt text. Raises what `ProbeWidget` does."""
    checked(sentence, hidden)
    charts = ProbeCharts()
    noun, role, shown, shares = read(probes_of(model), sentence, hidden)
    text = charts.move(noun, role, shown, shares)
    charts.figure.axes[0].set_title(f"{' '.join(shown)} Is the {noun} the agent?")
    return charts.figure, f"Three bars. {text}"


def checked(sentence: str, hidden) -> None:
    """Raises ValueError for a sentence that is not one of PROBE_SENTENCES, or a word that it does not have."""
    if sentence not in PROBE_SENTENCES:
        raise ValueError(f"sentence is {sentence!r}: expected one of {', '.join(map(repr, PROBE_SENTENCES))}")
    count = len(sentence.split())
    if outside := [i for i in hidden if not 0 <= i < count]:
        raise ValueError(f"hidden has {outside[0]}: the words of {sentence!r} are numbered 0 to {count - 1}")


def probes_of(model: MaskedLM | None) -> SentenceProbes:
    """Probes that have met none of the nouns that are asked about."""
    if model is None:
        from mlm_mini.training import cached_model

        model = cached_model("scenes").model
    asked = {noun for noun, _ in PROBE_SENTENCES.values()}
    return SentenceProbes(model, scene_language().vocabulary.ids(sorted(asked)))


def read(probes: SentenceProbes, sentence: str, hidden) -> tuple[str, str, list[str], RoleShares]:
    """The noun, its role, the words as they are read, and what is said of the noun."""
    noun, role = PROBE_SENTENCES[sentence]
    words = sentence.split()
    language = scene_language()
    seen = language.encode(sentence)
    seen[[i + 1 for i in hidden]] = language.vocabulary.mask_id  # [CLS] stands at 0
    shown = ["[MASK]" if i in hidden else word for i, word in enumerate(words)]
    return noun, role, shown, probes.read(seen, words.index(noun) + 1)


class ProbeCharts:
    """A bar for each reader, from the middle to the left for a patient and to the right for an agent.

    figure: with `moving`, the artists that `move` changes.
    """

    def __init__(self):
        self.figure, (ax,) = figures.new_figure(7.5, 2.2)
        place = np.arange(len(READERS))[::-1]
        self.bars = ax.barh(place, 0.1, left=0.5, height=0.6, color=COLORS, hatch=HATCHES, edgecolor="white")
        self.labels = [ax.text(1.02, y, "", va="center", fontsize=9) for y in place]
        ax.axvline(0.5, color="0.4", linewidth=1)
        ax.set_yticks(place, list(READERS.values()))
        ax.set_xticks((0, 0.25, 0.5, 0.75, 1), ("0\nsurely patient", "0.25", "0.5", "0.75", "1\nsurely agent"))
        ax.set(xlim=(-0.02, 1.14))
        ax.set_title("probability that the noun is the agent", loc="left")
        ax.grid(axis="y", visible=False)
        self.moving = (*self.bars, *self.labels)

    def move(self, noun: str, role: str, shown: list[str], shares: RoleShares) -> str:
        """Moves the bars, and says in words what they now show."""
        values = {"exact": shares.exact} | shares.probes
        for bar, label, name in zip(self.bars, self.labels, READERS, strict=True):
            p = values[name]
            bar.set_x(min(p, 0.5))
            bar.set_width(abs(p - 0.5))
            label.set_text(f"{p:.2f}")
        said = ", ".join(f"{READERS[name]} {p:.2f}" for name, p in values.items())
        return f"Read: {' '.join(shown)} The {noun} is the {role}. Probability that it is the agent: {said}."
