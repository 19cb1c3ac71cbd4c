"""Sentences of a made-up language, as rows of token ids."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlm_mini.languages.vocabulary import Vocabulary

BLOCK = 2048  # sentences worked on at once: bounds memory whatever their number is


@dataclass(frozen=True)
class Sentences:
    """A sample. ids: (n, T) int64, each row [CLS] words [SEP] [PAD]..."""

    vocabulary: Vocabulary
    ids: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def text(self, i: int) -> str:
        """Sentence i as words with spaces between them, without [CLS], [SEP] and [PAD]."""
        return plain_text(self.vocabulary, self.ids[i])


def plain_text(vocabulary: Vocabulary, ids: np.ndarray) -> str:
    """The words of one row of ids with spaces between them, without [CLS], [SEP] and [PAD]."""
    framing = {vocabulary.cls_id, vocabulary.sep_id, vocabulary.pad_id}
    return " ".join(vocabulary.words([i for i in ids if i not in framing]))


def blocks_of(n: int) -> Iterator[slice]:
    """Slices that cut n sentences into blocks of at most BLOCK."""
    return (slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK))
