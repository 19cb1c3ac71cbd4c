"""WordPiece: words cut into pieces, so that a small vocabulary covers any text (Schuster and Nakajima 2012; Devlin et
al. 2019). Trained and run by the `tokenizers` library, with BERT's normalization, special tokens and ids, in a file
that the Hugging Face libraries open.

N pieces of a text, V tokens in the vocabulary.
"""

import os
import string
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from mlm_mini.languages.corpus import text_lines
from mlm_mini.languages.vocabulary import CLS, MASK, PAD, SEP, SPECIAL_TOKENS, UNK, Vocabulary
from mlm_mini.storage import write_atomically

# BERT's first 104 ids: the slots 1..99 are kept free, so that [MASK] is 103 in every model.
BERT_SLOTS = (PAD, *(f"[unused{i}]" for i in range(99)), UNK, CLS, SEP, MASK)
MIN_FREQUENCY = 2
LARGE = 2**17  # tokens: the trainer makes room for as many as it is told
LONGEST_WORD = 100  # characters: BERT's WordPiece makes [UNK] of a longer one
BATCH_CHARACTERS = 2**16  # text handed to the library at once: enough to occupy all cores, and soon let go of


class FileTokenizer(ABC):
    """What every tokenizer of real text can do, with a file of the `tokenizers` library. vocabulary: its tokens."""

    kind: ClassVar[str]  # completes "the file is not a"

    def __init__(self, backend: Tokenizer):
        self._backend = backend
        id_of = backend.get_vocab()
        if sorted(id_of.values()) != list(range(len(id_of))):
            raise ValueError("the ids of the tokenizer have gaps or repeats: they must run from 0 without one")
        self.vocabulary = Vocabulary(sorted(id_of, key=id_of.__getitem__))

    def encode(self, text: str) -> np.ndarray:
        """The ids of `text` with [CLS] before and [SEP] behind: int64 (N + 2,).

        A special token written out in the text, such as [MASK], is that token. Raises TypeError if text is no str.
        """
        return np.array(self._backend.encode(_checked_text(text)).ids, dtype=np.int64)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of n ids as the tokenizer keeps it, its pieces joined, without [PAD], [CLS] and [SEP]."""
        ids = self.vocabulary.checked_ids(ids, ndim=1)
        framing = [self.vocabulary.pad_id, self.vocabulary.cls_id, self.vocabulary.sep_id]
        return self._backend.decode(ids[~np.isin(ids, framing)].tolist(), skip_special_tokens=False)

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The tokens of n ids: a list of n strings such as "flesh" or "##ly"."""
        return self.vocabulary.words(ids)

    def encode_documents(self, texts: Iterable[str]) -> Iterator[np.ndarray]:
        """The ids of each text as `encode` gives them, but a "[MASK]" found in it is six characters like any other."""
        for text in texts:
            yield np.concatenate(list(self.encode_lines(text_lines(_checked_text(text)))))

    @abstractmethod
    def encode_lines(self, lines: Iterable[str]) -> Iterator[np.ndarray]:
        """The ids of one document that is given line by line, in pieces: [CLS] comes first and [SEP] last."""

    @abstractmethod
    def unknown_pieces(self, line: str) -> list[str]:
        """What became [UNK] in a line that is plain text: pieces of it, in order."""

    def unknown_characters(self, piece: str) -> list[str]:
        """The characters of a piece that no token has."""
        return [character for character in piece if self.vocabulary.unk_id in self.encode(character)]

    @classmethod
    def load(cls, path: str | os.PathLike) -> Self:
        """Read what `save` wrote. Raises FileNotFoundError, or ValueError if the file is of another kind."""
        content = Path(path).read_bytes()
        try:
            return cls(Tokenizer.from_buffer(content))
        except Exception as error:  # the library raises plain Exception for whatever is wrong with a file
            raise ValueError(f"{path} is not a {cls.kind}: {error}") from error

    def to_json(self) -> str:
        """The content of a tokenizer.json file."""
        return self._backend.to_str(pretty=True)

    def save(self, path: str | os.PathLike) -> None:
        """Write a file (usually named tokenizer.json) that `load` and the Hugging Face libraries open."""
        write_atomically(path, lambda file: file.write_text(self.to_json(), encoding="utf-8"))


class WordPiece(FileTokenizer):
    """A trained tokenizer. `vocabulary` has its tokens, in lower case; a piece that continues a word starts with ##."""

    kind = "WordPiece tokenizer"

    def __init__(self, backend: Tokenizer):
        if not isinstance(backend.model, models.WordPiece):
            raise ValueError(f"a {type(backend.model).__name__} tokenizer is not WordPiece")
        super().__init__(backend)

    def encode_lines(self, lines: Iterable[str]) -> Iterator[np.ndarray]:
        """The ids of one document that is given line by line, in pieces: [CLS] comes first and [SEP] last.

        One batch of lines is held at a time. What the library keeps about each piece takes many times the memory of the
        ids, and is let go of with the batch. All cores work on the lines of a batch.
        """
        plain = self._plain
        yield np.array([self.vocabulary.cls_id])
        for batch in _batches(lines):
            encodings = plain.encode_batch_fast(batch, add_special_tokens=False)
            yield np.fromiter(chain.from_iterable(encoding.ids for encoding in encodings), dtype=np.int64)
        yield np.array([self.vocabulary.sep_id])

    def unknown_pieces(self, line: str) -> list[str]:
        """What became [UNK] in a line that is plain text: words of it, in order."""
        encoding = self._plain.encode(line, add_special_tokens=False)
        pairs = zip(encoding.ids, encoding.offsets, strict=True)
        return [line[start:end] for token, (start, end) in pairs if token == self.vocabulary.unk_id]

    @cached_property
    def _plain(self) -> Tokenizer:
        """The same, to which a special token written in a text is text. To make it takes more than a millisecond."""
        plain = Tokenizer.from_str(self.to_json())
        plain.encode_special_tokens = True
        return plain


def _checked_text(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError(f"the text must be a str, not {type(text).__name__}")
    return text


def _batches(lines: Iterable[str]) -> Iterator[list[str]]:
    """Lists of lines with about BATCH_CHARACTERS in all. A longer line is cut at a space, where words end anyway."""
    batch, size = [], 0
    for line in lines:
        start = 0
        while start < len(line):
            end = min(start + BATCH_CHARACTERS, len(line))
            if end < len(line):
                space = line.rfind(" ", start + 1, end)
                end = space if space > start else end
            batch.append(line[start:end])
            size += end - start
            start = end
            if size >= BATCH_CHARACTERS:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def train_wordpiece(texts: Iterable[str], size: int) -> WordPiece:
    """A WordPiece vocabulary of `size` tokens (fewer if the texts are small), lower case and without accents.

    The first 104 ids are BERT's: [PAD] 0, [unused0..98] 1..99, [UNK] 100, [CLS] 101, [SEP] 102, [MASK] 103. Then come
    the characters of ASCII and of the texts, so that only a word with a character never met (or of more than 100)
    becomes [UNK]; then the learned pieces, made by joining the most frequent pair of neighbors time after time, as
    long as it is seen twice. The same texts, size and version of `tokenizers` give the same vocabulary.

    Raises TypeError for one str in place of many or for texts that are no str, ValueError when there is no text, or
    when `size` has no room for the special tokens and the characters.
    """
    texts = _checked_texts(texts)
    backend = _bert_pipeline(models.WordPiece(unk_token=UNK))
    # The trainer numbers the pieces of one character in the order of a randomly seeded hash table and breaks ties
    # between merges by number. Handing it these pieces in a fixed order makes its result repeatable.
    first = [*BERT_SLOTS, *_characters(texts, backend.normalizer)]
    if isinstance(size, bool) or not isinstance(size, int | np.integer):
        raise TypeError(f"size must be an int, not {size!r}")
    if size < len(first):
        raise ValueError(
            f"a vocabulary of size {size} is too small: {len(BERT_SLOTS)} ids are BERT's own and this text has "
            f"{len(first) - len(BERT_SLOTS)} pieces of one character, so it takes at least {len(first)}"
        )
    trainer = trainers.WordPieceTrainer(
        vocab_size=_reachable(int(size), len(first), texts),
        min_frequency=MIN_FREQUENCY,
        special_tokens=first,
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    # Built anew, because to the trainer every token of `first` is special, and only five are.
    return WordPiece(_bert_pipeline(models.WordPiece(backend.get_vocab(), unk_token=UNK)))


def _reachable(size: int, first: int, texts: list[str]) -> int:
    """A size that gives the same vocabulary, and which the trainer can make room for.

    Each join makes some word a piece shorter. So there are no more joins than letters in the different words, of which
    normalization makes four from one at the most.
    """
    if size <= LARGE:
        return size
    return min(size, first + 4 * sum(map(len, {word for text in texts for word in text.split()})))


def _checked_texts(texts: Iterable[str]) -> list[str]:
    if isinstance(texts, str):
        raise TypeError("texts must be a list of texts, not one str: wrap it in a list")
    texts = [_checked_text(text) for text in texts]
    if not any(text.strip() for text in texts):
        raise ValueError("there is no text to train a tokenizer on")
    return texts


def _bert_pipeline(model: models.WordPiece) -> Tokenizer:
    backend = Tokenizer(model)
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    if backend.token_to_id(CLS) is not None:
        ids = [(token, backend.token_to_id(token)) for token in (CLS, SEP)]
        backend.post_processor = processors.TemplateProcessing(
            single=f"{CLS} $A {SEP}", pair=f"{CLS} $A {SEP} $B:1 {SEP}:1", special_tokens=ids
        )
        backend.add_special_tokens(list(SPECIAL_TOKENS))
    return backend


def _characters(texts: list[str], normalizer: normalizers.Normalizer) -> list[str]:
    """The pieces of one character: those that start a word, then those that continue one."""
    ascii_characters = string.ascii_lowercase + string.digits + string.punctuation
    found = set(ascii_characters).union(*(normalizer.normalize_str(text) for text in texts))
    characters = sorted(c for c in found if not c.isspace())
    return characters + [f"##{c}" for c in characters if not _stands_alone(c)]


def _stands_alone(character: str) -> bool:
    """Whether BERT cuts words at this character, so that it never continues one."""
    return character in string.punctuation or unicodedata.category(character).startswith("P")
