"""Text turned into ids once: tokenizers and tokens are kept in the cache folder, and tokens are mapped from their file.

N tokens of a text, D documents.
"""

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tokenizers

from mlm_mini.languages.characters import Characters, train_characters
from mlm_mini.languages.corpus import Corpus, text_lines
from mlm_mini.languages.english import english_corpus
from mlm_mini.languages.tokenizer import BERT_SLOTS, MIN_FREQUENCY, FileTokenizer, WordPiece, train_wordpiece
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.storage import cache_path, cached, fingerprint

VOCABULARY_SIZE = 4096  # of real text, unless told otherwise
TOKENIZERS = ("wordpiece", "characters")  # of real text
SCAN_TOKENS = 2**20  # ids looked at together, when documents are found
TRAINER_CHARACTERS = 2**24  # of a long corpus, what the trainer reads


@dataclass(frozen=True)
class TokenizedText:
    """Documents in a row, each from its [CLS] to its [SEP].

    ids: (N,) uint16 or int32, mapped from a file and read as it is used.
    starts: (D + 1,) int64; document d is ids[starts[d] : starts[d + 1]].
    """

    ids: np.ndarray
    starts: np.ndarray

    def pieces(self, length: int) -> Iterator[np.ndarray]:
        """The ids from first to last, `length` at a time."""
        return _pieces(self.ids, length)


def _pieces(ids: np.ndarray, length: int) -> Iterator[np.ndarray]:
    """Runs of ids (N,). Those of a mapped file are read beside the map, whose pages count as memory once touched."""
    in_file = isinstance(ids, np.memmap) and isinstance(ids.base, mmap)  # a view of a map would have the wrong offset
    for start in range(0, len(ids), length):
        if in_file:
            # pyrefly: ignore[missing-attribute] `in_file` says that it is a memmap
            offset, count = ids.offset + start * ids.itemsize, min(length, len(ids) - start)
            # pyrefly: ignore[missing-attribute] as above
            yield np.fromfile(ids.filename, ids.dtype, count=count, offset=offset)
        else:
            yield ids[start : start + length]


def write_tokens(path: Path, tokenizer: FileTokenizer, documents: Iterable[str | Iterable[str]]) -> None:
    """Tokenize documents, each a text or an iterable of its lines, into a .npy file for `read_tokens`.

    The ids are written as they come, as the smallest integers that hold them, so that memory does not grow with the
    text. Raises ValueError when there is no document.
    """
    dtype = np.dtype("<u2" if len(tokenizer.vocabulary) <= 2**16 else "<i4")
    count = 0
    with open(path, "wb") as file:
        _write_header(file, dtype, count)
        for document in documents:
            lines = text_lines(document) if isinstance(document, str) else document
            for ids in tokenizer.encode_lines(lines):
                file.write(ids.astype(dtype).tobytes())
                count += len(ids)
        if not count:
            raise ValueError("there is no document to tokenize")
        file.seek(0)
        _write_header(file, dtype, count)


def _write_header(file: BinaryIO, dtype: np.dtype, count: int) -> None:
    """The header of an array (count,). NumPy leaves room in it, so that it has the same size for every count."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, header)


def read_tokens(path: Path, vocabulary: Vocabulary) -> TokenizedText:
    """Map a file of `write_tokens` into memory. Raises ValueError if it does not run from a [CLS] to a [SEP]."""
    ids = np.load(path, mmap_mode="r")
    if ids.ndim != 1 or len(ids) < 2 or (ids[0], ids[-1]) != (vocabulary.cls_id, vocabulary.sep_id):
        raise ValueError(f"{path} does not hold tokenized documents")
    # A [CLS] is always the beginning of a document (see `encode_lines`), so that no second file has to list them.
    pieces = enumerate(_pieces(ids, SCAN_TOKENS))
    found = [np.flatnonzero(piece == vocabulary.cls_id) + i * SCAN_TOKENS for i, piece in pieces]
    return TokenizedText(ids, np.append(np.concatenate(found), len(ids)))


@functools.cache
def english_tokenizer(size: int = VOCABULARY_SIZE) -> WordPiece:
    """The tokenizer of the English corpus, trained on its training side only, and kept in the cache folder."""
    return _kept_tokenizer("english", english_corpus().split("train").texts(), size)


def english_tokens(split: str, size: int = VOCABULARY_SIZE) -> TokenizedText:
    """One side of the English corpus ("train", "validation" or "test") in the ids of `english_tokenizer(size)`."""
    texts = english_corpus().split(split).texts()
    return _kept_tokens(f"english-{split}", texts, english_tokenizer(size), texts)


def text_tokenizer(corpus: Corpus, size: int = VOCABULARY_SIZE, kind: str = "wordpiece") -> FileTokenizer:
    """A tokenizer for any corpus, trained on its training side and kept in the cache folder.

    kind: one of TOKENIZERS. Of a long corpus the trainer of WordPiece reads the beginning of each document,
    TRAINER_CHARACTERS in all: more would change the vocabulary little, and it holds its text in memory.
    Raises ValueError for another kind, and as `train_wordpiece` and `train_characters`.
    """
    documents = corpus.split("train").documents
    if kind == "characters":
        return _kept_characters(corpus, size)
    if kind not in TOKENIZERS:
        raise ValueError(f"tokenizer is {kind!r}: expected {' or '.join(TOKENIZERS)}")
    share = -(-TRAINER_CHARACTERS // len(documents))
    return _kept_tokenizer("text", [_beginning(document.lines(), share) for document in documents], size)


def text_tokens(corpus: Corpus, split: str, tokenizer: FileTokenizer) -> TokenizedText:
    """One side of any corpus in the ids of `tokenizer`, tokenized once and kept in the cache folder."""
    documents = corpus.split(split).documents
    names = [document.fingerprint() for document in documents]
    return _kept_tokens(f"text-{split}", names, tokenizer, (document.lines() for document in documents))


def _kept_tokenizer(name: str, texts: list[str], size: int) -> WordPiece:
    made_of = fingerprint(texts, size, MIN_FREQUENCY, BERT_SLOTS, tokenizers.__version__)
    return cached(
        cache_path(f"{name}-{made_of}") / "tokenizer.json",
        read=WordPiece.load,
        write=lambda file: file.write_text(train_wordpiece(texts, size).to_json(), encoding="utf-8"),
    )


def _kept_characters(corpus: Corpus, size: int) -> Characters:
    documents = corpus.split("train").documents
    lines = (line for document in documents for line in document.lines())
    made_of = fingerprint([document.fingerprint() for document in documents], size, BERT_SLOTS, tokenizers.__version__)
    return cached(
        cache_path(f"characters-{made_of}") / "tokenizer.json",
        read=Characters.load,
        write=lambda file: file.write_text(train_characters(lines, size).to_json(), encoding="utf-8"),
    )


def _kept_tokens(
    name: str, text: list[str], tokenizer: FileTokenizer, documents: Iterable[str | Iterable[str]]
) -> TokenizedText:
    """text: what the documents are named by, themselves or their fingerprints."""
    return cached(
        cache_path(f"{name}-{fingerprint(text, tokenizer.to_json())}.npy"),
        read=lambda file: read_tokens(file, tokenizer.vocabulary),
        write=lambda file: write_tokens(file, tokenizer, documents),
    )


def _beginning(lines: Iterable[str], characters: int) -> str:
    """The first lines, cut off after `characters`."""
    taken, size = [], 0
    for line in lines:
        taken.append(line[: characters - size])
        size += len(taken[-1]) + 1
        if size >= characters:
            break
    return "\n".join(taken)
