"""The gap of the slider: 1 to 10 letters of John's first sentence hidden, and the restorations of them."""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.beyond.lacunae import (
    MOST_RANKED,
    RESTORING_WAYS,
    Lacuna,
    Restoration,
    beam_search,
    ngram_beam,
    one_pass,
    rank_of,
)
from mlm_mini.experiments.beyond.ngrams import Ngram
from mlm_mini.languages.greek import as_on_stone
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import MaskedLM

SENTENCE = "εν αρχη ην ο λογοσ και ο λογοσ ην προσ τον θεον"  # John 1:1, which is on the test side
NARROWEST, WIDEST = 1, 10


@dataclass(frozen=True)
class Restored:
    """A gap with its lists. shown: the text with a dot for each hidden letter; truth: what stood there.

    lists: for each of RESTORING_WAYS the restorations, the best first.
    """

    shown: str
    truth: str
    lists: dict[str, list[Restoration]]

    def place(self, way: str) -> int | None:
        """Of the truth in a list, 1 for the first; None where it is not among them."""
        return rank_of(self.lists[way], self.truth)


def restore(
    model: MaskedLM, ngram: Ngram, tokenizer: FileTokenizer, width: int, text: str = SENTENCE, length: int = 32
) -> Restored:
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
    found = (
        one_pass(model, lacuna, vocabulary),
        beam_search(model, lacuna, vocabulary),
        ngram_beam(ngram, lacuna, vocabulary)[:MOST_RANKED],
    )
    return Restored(shown, truth, dict(zip(RESTORING_WAYS, found, strict=True)))


def visible(text: str) -> str:
    """A restoration with its spaces made visible."""
    return text.replace(" ", "␣").replace("\n", "⏎")


def probabilities(restorations: list[Restoration]) -> np.ndarray:
    """(R,) from 0 to 1."""
    return np.exp([found.log_p for found in restorations])
