"""The gap of the slider: 1 to 10 letters of John's first sentence hidden, and the restorations of them."""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.beyond.lacunae import Lacuna, Restoration, beam_search, one_pass, rank_of
from mlm_mini.languages.greek import as_on_stone
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import MaskedLM

SENTENCE = "εν αρχη ην ο λογοσ και ο λογοσ ην προσ τον θεον"  # John 1:1, which is on the test side
NARROWEST, WIDEST = 1, 10


@dataclass(frozen=True)
class Restored:
    """A gap with its lists, the best first. shown: the text with a dot for each hidden letter; truth: what stood there.

    beam, one_pass: restorations; place, place_one_pass: of the truth in them, None where it is not among them.
    """

    shown: str
    truth: str
    beam: list[Restoration]
    one_pass: list[Restoration]

    @property
    def place(self) -> int | None:
        return rank_of(self.beam, self.truth)

    @property
    def place_one_pass(self) -> int | None:
        return rank_of(self.one_pass, self.truth)


def restore(model: MaskedLM, tokenizer: FileTokenizer, width: int, text: str = SENTENCE, length: int = 32) -> Restored:
    """Restorations of `width` letters in the middle of a text, of which the model is shown a row of `length` tokens.

    Raises ValueError for a width that is not from 1 to 10, and for a text with too few Greek letters.
    """
    if not NARROWEST <= width <= WIDEST:
        raise ValueError(f"width is {width}: expected {NARROWEST} to {WIDEST} letters")
    letters = as_on_stone(text)
    room = length - 2
    if len(letters) < room:
        raise ValueError(f"the text has {len(letters)} letters and spaces: expected {room} or more")
    start = (room - width) // 2
    ids = tokenizer.encode(letters[:room])
    lacuna = Lacuna(ids, 1 + start, width, "slider")
    truth = letters[start : start + width]
    shown = letters[:start] + "·" * width + letters[start + width : room]
    vocabulary = tokenizer.vocabulary
    return Restored(shown, truth, beam_search(model, lacuna, vocabulary), one_pass(model, lacuna, vocabulary))


def visible(text: str) -> str:
    """A restoration with its spaces made visible."""
    return text.replace(" ", "␣").replace("\n", "⏎")


def probabilities(restorations: list[Restoration]) -> np.ndarray:
    """(R,) from 0 to 1."""
    return np.exp([found.log_p for found in restorations])
