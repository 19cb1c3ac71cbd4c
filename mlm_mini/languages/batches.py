"""Text as a model reads it: batches of rows of token ids, all of one length.

A source of training text has a `vocabulary`, a `length`, a `fingerprint` that names the text, `next_batch(n)`, and a
`state`: a few numbers, fit for JSON, that say where it stands. With them, a run that was stopped goes on with the very
row that it would have read next.

Shape letters: n rows asked for, T positions of a row, N tokens of a text, K rows of a text.
"""

from abc import ABC, abstractmethod

import numpy as np

from mlm_mini.languages.exact import ExactLanguage
from mlm_mini.languages.token_store import TokenizedText
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.seeds import Stream, generator, set_state
from mlm_mini.storage import fingerprint

HASHED_AT_ONCE = 2**20


class TextSource(ABC):
    """Rows of token ids, without an end.

    vocabulary: what the ids mean. length: T. fingerprint: a name for the text, which changes with any word of it.
    """

    vocabulary: Vocabulary
    length: int
    fingerprint: str

    @abstractmethod
    def next_batch(self, n: int) -> np.ndarray:
        """The next n rows: int64 (n, T), each [CLS] tokens [SEP] [PAD]..."""

    @property
    @abstractmethod
    def state(self) -> dict:
        """Where the source stands, for JSON. Assign it to a source of the same text, which then stands there too.

        Raises ValueError, which names what is wrong, for a state that no such source can have; nothing then changes.
        """

    @state.setter
    @abstractmethod
    def state(self, state: dict) -> None: ...


class SampledSentences(TextSource):
    """Fresh sentences of a language that can be sampled: no row is ever read twice.

    language: where they come from. seed: of the run; what draws the sentences is its stream TEXT.
    """

    def __init__(self, language: ExactLanguage, seed: int):
        self.language = language
        self.vocabulary = language.vocabulary
        self.length = language.length
        self.fingerprint = language.fingerprint
        self._rng = generator(seed, Stream.TEXT)

    def next_batch(self, n: int) -> np.ndarray:
        return self.language.sample(n, self._rng).ids

    @property
    def state(self) -> dict:
        # pyrefly: ignore[bad-return] NumPy promises a Mapping only; all its generators give a dict
        return self._rng.bit_generator.state

    @state.setter
    def state(self, state: dict) -> None:
        set_state(self._rng, state)


class TextBlocks(TextSource):
    """A tokenized text cut into K blocks of one length, all of them once in each epoch, in an order shuffled anew.

    Block i is [CLS], the T - 2 tokens from i (T - 2) on, and [SEP]. Every row begins with [CLS], in training as in
    later use. Blocks run across the ends of documents, where [SEP] [CLS] stays in the text as a sign: no token is
    skipped, and only the last block is padded. (Liu et al. 2019 compare ways to cut text into rows. This is the one
    that they call FULL-SENTENCES, but for the ends of sentences, at which nothing is cut here.)

    tokens: mapped from its file, of which only the rows in use are read. seed: of the order, which takes 8 bytes a
    block. Raises ValueError when T leaves no room between [CLS] and [SEP], or the text is empty.
    """

    def __init__(self, tokens: TokenizedText, vocabulary: Vocabulary, length: int, seed: int):
        if length < 3:
            raise ValueError(f"length is {length}: expected at least 3, for [CLS], a token and [SEP]")
        # The first [CLS] and the last [SEP] are those that every block gets.
        self._text = tokens.ids[1:-1]
        if not len(self._text):
            raise ValueError("the text is empty: there is no token between its [CLS] and its [SEP]")
        self.vocabulary = vocabulary
        self.length = length
        self.fingerprint = _fingerprint(tokens, vocabulary)
        self._seed = seed
        self._go_to(epoch=0, place=0)

    def __len__(self) -> int:
        return -(-len(self._text) // (self.length - 2))

    def rows(self, blocks) -> np.ndarray:
        """The blocks of these numbers, 0 to K - 1: (n,) -> (n, T) int64."""
        return cut_rows(self._text, np.asarray(blocks), self.vocabulary, self.length)

    def next_batch(self, n: int) -> np.ndarray:
        """The next n blocks; a batch may end one epoch and begin the next."""
        chosen = []
        while n > 0:
            taken = self._order[self._place : self._place + n]
            chosen.append(taken)
            n -= len(taken)
            self._place += len(taken)
            if self._place == len(self):
                self._go_to(self._epoch + 1, 0)
        return self.rows(np.concatenate(chosen) if chosen else np.empty(0, dtype=np.int64))

    @property
    def state(self) -> dict:
        return {"seed": self._seed, "epoch": self._epoch, "place": self._place}

    @state.setter
    def state(self, state: dict) -> None:
        for name, most in (("seed", None), ("epoch", None), ("place", len(self) - 1)):
            value = state.get(name)
            if type(value) is not int or value < 0 or (most is not None and value > most):
                upto = ", 0 or more" if most is None else f" from 0 to {most}"
                raise ValueError(f"{name} is {value!r}: expected an integer{upto}")
        self._seed = state["seed"]
        self._go_to(state["epoch"], state["place"])

    def _go_to(self, epoch: int, place: int) -> None:
        self._epoch, self._place = epoch, place
        self._order = generator(self._seed, Stream.BLOCKS, epoch).permutation(len(self))


def cut_rows(text: np.ndarray, blocks: np.ndarray, vocabulary: Vocabulary, length: int) -> np.ndarray:
    """The blocks of these numbers of a text (N,), as `TextBlocks` says: (n,) -> (n, T) int64."""
    places = blocks[:, None] * (length - 2) + np.arange(length - 2)  # (n,) -> (n, T - 2)
    within = places < len(text)
    ids = np.full((len(blocks), length), vocabulary.pad_id, dtype=np.int64)
    ids[:, 0] = vocabulary.cls_id
    ids[:, 1:-1][within] = text[places[within]]
    ids[np.arange(len(blocks)), within.sum(axis=1) + 1] = vocabulary.sep_id
    return ids


def _fingerprint(tokens: TokenizedText, vocabulary: Vocabulary) -> str:
    pieces = (fingerprint(np.asarray(piece)) for piece in tokens.pieces(HASHED_AT_ONCE))
    return fingerprint("text", list(vocabulary.tokens), list(pieces))
