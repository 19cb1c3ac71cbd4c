"""Two or three blanks of a scene sentence: the joint beside what one pass says, and what a written word changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets

from mlm_mini.experiments.joint.picture import ReadBlanks, read_blanks
from mlm_mini.languages import scene_language
from mlm_mini.widgets import controls
from mlm_mini.widgets.joint_charts import JointCharts
from mlm_mini.widgets.picture import MovingPicture, scrolling
from mlm_mini.widgets.spoken import Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHASE, THREE_BLANKS = "the [MASK] chased the [MASK] .", "the [MASK] chased the [MASK] in the [MASK] ."
CHOICES = 6  # words that the first blank offers
OPEN = "not yet"  # the first blank is still open
NAMES = ("second", "third")
KEPT = 4  # words named in the text, of each blank


class JointWidget(ipywidgets.VBox):
    """A sentence box, a button for each word of the first blank, a line of text, and the charts.

    Raises ValueError for a sentence that has not two or three blanks or that the scene language cannot produce, and for
    a word that is not among the choices.
    """

    def __init__(self, sentence: str = CHASE, word: str | None = None):
        self.blanks = read_blanks(scene_language(), sentence)
        self.sentence = controls.sentence_box(sentence, at_enter=True)
        self.word = controls.choice(
            "Written into the first blank:", word_choices(self.blanks), checked_word(self.blanks, word)
        )
        self.status, self.picture = controls.status_line(), Picture()
        self.shell = ipywidgets.VBox([])
        self._new_charts()
        self.sentence.observe(self._read, "value")
        self.word.observe(self._redraw, "value")
        super().__init__([self.sentence, self.word, self.status, self.shell])
        self._redraw()

    def _new_charts(self) -> None:
        self.charts = JointCharts(self.blanks)
        self.moving = MovingPicture(self.charts.figure, self.charts.moving)
        self.shell.children = [scrolling(self.picture, self.charts.figure)]

    def _read(self, _: object) -> None:
        try:
            blanks = read_blanks(scene_language(), self.sentence.value)
        except ValueError as error:
            self.status.value = f"Not read: {error}. The charts are of the sentence before."
            return
        self.word.unobserve(self._redraw, "value")  # its options change first, and its value with them
        self.blanks = blanks
        self.word.options = word_choices(blanks)
        self.word.value = OPEN
        self.word.observe(self._redraw, "value")
        self._new_charts()
        self._redraw()

    def _redraw(self, _: object = None) -> None:
        text = show_choice(self.charts, self.blanks, self.word.value)
        self.status.value = text
        self.picture.value = self.moving.html(f"{self.charts.alt} {text}")


def joint_figure(sentence: str = CHASE, word: str | None = None) -> tuple[Figure, str]:
    """What the widget shows, as a figure and its alt text. Raises what the widget raises."""
    blanks = read_blanks(scene_language(), sentence)
    charts = JointCharts(blanks)
    return charts.figure, f"{charts.alt} {show_choice(charts, blanks, checked_word(blanks, word))}"


def word_choices(blanks: ReadBlanks) -> list[str]:
    """What may be written into the first blank: nothing, or one of its likeliest words."""
    return [OPEN, *blanks.language.vocabulary.words(blanks.shown(0, CHOICES))]


def checked_word(blanks: ReadBlanks, word: str | None) -> str:
    """The choice for a word, None for none. Raises ValueError for a word that is not offered."""
    if word is not None and word not in word_choices(blanks)[1:]:
        raise ValueError(f"word is {word!r}: expected one of {', '.join(word_choices(blanks)[1:])}, or None")
    return word or OPEN


def show_choice(charts: JointCharts, blanks: ReadBlanks, choice: str) -> str:
    """Moves the charts to a choice, and says in words what they now show."""
    vocabulary = blanks.language.vocabulary
    if choice == OPEN:
        charts.move(None)
        return (
            f"{about_the_pair(blanks)} Nothing is written: this is one pass. {name_likeliest(blanks, blanks.alone[1:])}"
        )
    word = vocabulary.ids([choice])[0]
    charts.move(word)
    moved = " and ".join(f"the {NAMES[i]} by {nats:.2f}" for i, nats in enumerate(blanks.moved(word)))
    return f"With {choice} written and the rest asked again, KL(after, before) in nats: {moved}. " + name_likeliest(
        blanks, blanks.after(word)
    )


def about_the_pair(blanks: ReadBlanks) -> str:
    """What the first two blanks have in common, in a sentence or two."""
    return (
        f"The first two blanks tell {blanks.information:.2f} nats about each other; of what one pass says of pairs, "
        f"{blanks.impossible:.0%} goes to pairs that cannot be."
    )


def name_likeliest(blanks: ReadBlanks, distributions) -> str:
    """The likeliest words of the other blanks, with their probabilities."""
    tokens = blanks.language.vocabulary.tokens
    said = []
    for name, p in zip(NAMES, distributions, strict=False):
        best = [i for i in (-p).argsort(kind="stable")[:KEPT] if p[i] > 0]
        said.append(f"{name} blank: " + ", ".join(f"{tokens[i]} {p[i]:.2f}" for i in best))
    text = "; ".join(said) + "."
    return text[0].upper() + text[1:]
