"""WordPiece: words cut into pieces, so that a small vocabulary covers any text (Schuster and Nakajima 2012; Devlin et
al. 2019). Trained and run by the `tokenizers` library, with BERT's normalization, special tokens and ids, in a file
that the Hugging Face libraries open.

N pieces of a text, V tokens in the vocabulary, D documents.
"""

import functools
import os
import string
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from mmap import mmap
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tokenizers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from mlm_mini.languages.corpus import Corpus, english_corpus, lines_of
from mlm_mini.languages.vocabulary import CLS, MASK, PAD, SEP, SPECIAL_TOKENS, UNK, Vocabulary
from mlm_mini.storage import cache_folder, cached, fingerprint, write_atomically

# BERT's first 104 ids: the slots 1..99 are kept free, so that [MASK] is 103 in every model.
BERT_SLOTS = (PAD, *(f"[unused{i}]" for i in range(99)), UNK, CLS, SEP, MASK)
MIN_FREQUENCY = 2
ENGLISH_SIZE = 4096
BATCH_CHARACTERS = 2**16  # text handed to the library at once: enough to occupy all cores, little enough to forget
SCAN_TOKENS = 2**20
TRAINER_CHARACTERS = 2**24


class WordPiece:
    """A trained tokenizer. `vocabulary` has its tokens; a piece that continues a word starts with ##."""

    def __init__(self, backend: Tokenizer):
        if not isinstance(backend.model, models.WordPiece):
            raise ValueError(f"a {type(backend.model).__name__} tokenizer is not WordPiece")
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
        """The text of n ids, its pieces joined and in lower case, without [PAD], [CLS] and [SEP]."""
        ids = self.vocabulary.checked_ids(ids, ndim=1)
        framing = [self.vocabulary.pad_id, self.vocabulary.cls_id, self.vocabulary.sep_id]
        return self._backend.decode(ids[~np.isin(ids, framing)].tolist(), skip_special_tokens=False)

    def tokens(self, ids: Iterable[int]) -> list[str]:
        """The tokens of n ids: a list of n strings such as "flesh" or "##ly"."""
        return self.vocabulary.words(ids)

    def encode_documents(self, texts: Iterable[str]) -> Iterator[np.ndarray]:
        """The ids of each text as `encode` gives them, but a "[MASK]" found in it is six characters like any other."""
        for text in texts:
            yield np.concatenate(list(self.encode_lines(lines_of(_checked_text(text)))))

    def encode_lines(self, lines: Iterable[str]) -> Iterator[np.ndarray]:
        """The ids of one document that is given line by line, in pieces: [CLS] comes first and [SEP] last.

        No more than a batch of lines is held at a time, and what the library keeps on each piece, which takes many
        times the memory of the ids, goes with its batch. The lines of a batch are worked on by all cores.
        """
        plain = Tokenizer.from_str(self.to_json())
        plain.encode_special_tokens = True
        yield np.array([self.vocabulary.cls_id])
        for batch in _batches(lines):
            encodings = plain.encode_batch_fast(batch, add_special_tokens=False)
            yield np.fromiter(chain.from_iterable(encoding.ids for encoding in encodings), dtype=np.int64)
        yield np.array([self.vocabulary.sep_id])

    def to_json(self) -> str:
        """The content of a tokenizer.json file."""
        return self._backend.to_str(pretty=True)

    def save(self, path: str | os.PathLike) -> None:
        """Write a file (usually named tokenizer.json) that `load` and the Hugging Face libraries open."""
        write_atomically(path, lambda file: file.write_text(self.to_json(), encoding="utf-8"))

    @classmethod
    def load(cls, path: str | os.PathLike) -> "WordPiece":
        """Read what `save` wrote. Raises FileNotFoundError, or ValueError if the file is not a WordPiece tokenizer."""
        content = Path(path).read_bytes()
        try:
            return cls(Tokenizer.from_buffer(content))
        except Exception as error:  # the library raises plain Exception for whatever is wrong with a file
            raise ValueError(f"{path} is not a WordPiece tokenizer: {error}") from error


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
            end = start + BATCH_CHARACTERS
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
            f"size {size} is too small: {len(BERT_SLOTS)} ids are BERT's own and this text has "
            f"{len(first) - len(BERT_SLOTS)} pieces of one character, so it takes at least {len(first)}"
        )
    trainer = trainers.WordPieceTrainer(
        vocab_size=int(size), min_frequency=MIN_FREQUENCY, special_tokens=first, show_progress=False
    )
    backend.train_from_iterator(texts, trainer)
    # Built anew, because to the trainer every token of `first` is special, and only five are.
    return WordPiece(_bert_pipeline(models.WordPiece(backend.get_vocab(), unk_token=UNK)))


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


# ---------------------------------------------------------------- the English corpus, tokenized once


@functools.cache
def english_tokenizer(size: int = ENGLISH_SIZE) -> WordPiece:
    """The tokenizer of the English corpus, trained on its training side only, and kept in the cache folder."""
    texts = english_corpus().split("train").texts()
    made_of = fingerprint(texts, size, MIN_FREQUENCY, BERT_SLOTS, tokenizers.__version__)
    return cached(
        cache_folder() / f"english-{made_of}" / "tokenizer.json",
        read=WordPiece.load,
        write=lambda file: file.write_text(train_wordpiece(texts, size).to_json(), encoding="utf-8"),
    )


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
    """Runs of ids (N,). A mapped file is read apart from its map: what is touched there counts as memory in use."""
    in_file = isinstance(ids, np.memmap) and isinstance(ids.base, mmap)  # a view of a map would have the wrong offset
    for start in range(0, len(ids), length):
        if in_file:
            offset, count = ids.offset + start * ids.itemsize, min(length, len(ids) - start)
            yield np.fromfile(ids.filename, ids.dtype, count=count, offset=offset)
        else:
            yield ids[start : start + length]


def english_tokens(split: str, size: int = ENGLISH_SIZE) -> TokenizedText:
    """One side of the English corpus ("train", "validation" or "test") in the ids of `english_tokenizer(size)`."""
    texts = english_corpus().split(split).texts()
    tokenizer = english_tokenizer(size)
    made_of = fingerprint(texts, tokenizer.to_json())
    return cached(
        cache_folder() / f"english-{split}-{made_of}.npy",
        read=lambda file: read_tokens(file, tokenizer.vocabulary),
        write=lambda file: write_tokens(file, tokenizer, texts),
    )


def text_tokenizer(corpus: Corpus, size: int = ENGLISH_SIZE) -> WordPiece:
    """A tokenizer for any corpus, trained on its training side and kept in the cache folder.

    Of a long corpus the trainer reads the beginning of each document, TRAINER_CHARACTERS in all: more would change the
    vocabulary little, and it holds its text in memory. Raises as `train_wordpiece`.
    """
    documents = corpus.split("train").documents
    share = -(-TRAINER_CHARACTERS // len(documents))
    texts = [_beginning(document.lines(), share) for document in documents]
    made_of = fingerprint(texts, size, MIN_FREQUENCY, BERT_SLOTS, tokenizers.__version__)
    return cached(
        cache_folder() / f"text-{made_of}" / "tokenizer.json",
        read=WordPiece.load,
        write=lambda file: file.write_text(train_wordpiece(texts, size).to_json(), encoding="utf-8"),
    )


def text_tokens(corpus: Corpus, split: str, tokenizer: WordPiece) -> TokenizedText:
    """One side of any corpus in the ids of `tokenizer`, tokenized once and kept in the cache folder."""
    documents = corpus.split(split).documents
    made_of = fingerprint([document.fingerprint() for document in documents], tokenizer.to_json())
    return cached(
        cache_folder() / f"text-{split}-{made_of}.npy",
        read=lambda file: read_tokens(file, tokenizer.vocabulary),
        write=lambda file: write_tokens(file, tokenizer, (document.lines() for document in documents)),
    )


def _beginning(lines: Iterable[str], characters: int) -> str:
    """Whole lines, of which the first `characters` are taken."""
    taken, size = [], 0
    for line in lines:
        taken.append(line[: characters - size])
        size += len(taken[-1]) + 1
        if size >= characters:
            break
    return "\n".join(taken)


def write_tokens(path: Path, tokenizer: WordPiece, documents: Iterable[str | Iterable[str]]) -> None:
    """Tokenize documents, each a text or an iterable of its lines, into a .npy file for `read_tokens`.

    The ids are written as they come, as the smallest integers that hold them, so that memory does not grow with the
    text. Raises ValueError when there is no document.
    """
    dtype = np.dtype("<u2" if len(tokenizer.vocabulary) <= 2**16 else "<i4")
    count = 0
    with open(path, "wb") as file:
        _write_header(file, dtype, count)
        for document in documents:
            lines = lines_of(document) if isinstance(document, str) else document
            for ids in tokenizer.encode_lines(lines):
                file.write(ids.astype(dtype).tobytes())
                count += len(ids)
        if not count:
            raise ValueError("there is no document to tokenize")
        file.seek(0)
        _write_header(file, dtype, count)


def _write_header(file: BinaryIO, dtype: np.dtype, count: int) -> None:
    """That of an array (count,). It has the same size whatever the count: NumPy leaves room for an array to grow."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(file, header)


def read_tokens(path: Path, vocabulary: Vocabulary) -> TokenizedText:
    """Map a file of `write_tokens` into memory. Raises ValueError if it does not run from a [CLS] to a [SEP]."""
    ids = np.load(path, mmap_mode="r")
    if ids.ndim != 1 or len(ids) < 2 or (ids[0], ids[-1]) != (vocabulary.cls_id, vocabulary.sep_id):
        raise ValueError(f"{path} does not hold tokenized documents")
    # A [CLS] is only ever the beginning of a document (see `encode_lines`): no second file has to agree with this.
    pieces = enumerate(_pieces(ids, SCAN_TOKENS))
    found = [np.flatnonzero(piece == vocabulary.cls_id) + i * SCAN_TOKENS for i, piece in pieces]
    return TokenizedText(ids, np.append(np.concatenate(found), len(ids)))
