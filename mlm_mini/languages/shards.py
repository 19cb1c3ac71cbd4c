"""A text in many files of tokens, read from the middle as soon as from the beginning, and larger than any memory.

`write_shards` makes a folder of `tokens-00000.npy`, `tokens-00001.npy` and so on, each a file of `write_tokens`, and
`shards.json`, which says how many tokens each has and what its checksum was. `TextShards` reads nothing else before its
first batch: neither the tokens nor an order of all rows is ever held in memory. Processes on one machine that map the
same files share one copy of them, that of the operating system.

Shape letters: n rows, T positions of a row, K rows of a text.
"""

import contextlib
import json
import mmap
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from mlm_mini.languages.batches import TextSource, cut_rows
from mlm_mini.languages.token_store import write_tokens
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.seeds import Stream, generator
from mlm_mini.storage import fingerprint, sha256, write_atomically

SHARD_INDEX = "shards.json"
SHARD_CHARACTERS = 2**28  # of text in a file, unless told otherwise; one document is never parted
FEISTEL_ROUNDS = 4


def write_shards(
    folder: Path, tokenizer: FileTokenizer, documents: Iterable[Iterable[str]], characters: int = SHARD_CHARACTERS
) -> dict:
    """Tokenize documents, each an iterable of its lines, into files of about so many characters; returns the index.

    The index is written last: a folder that has one is whole. Raises ValueError when there is no document.
    """
    shards, waiting = [], iter(documents)
    for first in waiting:
        path = folder / f"tokens-{len(shards):05d}.npy"
        some = _some(chain([first], waiting), characters)
        write_atomically(path, lambda temporary, some=some: write_tokens(temporary, tokenizer, some))
        shards.append({"file": path.name, "tokens": len(np.load(path, mmap_mode="r")), "sha256": sha256(path)})
    if not shards:
        raise ValueError("there is no document to tokenize")
    index = {"vocabulary": fingerprint(list(tokenizer.vocabulary.tokens)), "shards": shards}
    write_atomically(folder / SHARD_INDEX, lambda file: file.write_text(json.dumps(index, indent=1), encoding="utf-8"))
    return index


def _some(documents: Iterator[Iterable[str]], characters: int) -> Iterator[Iterator[str]]:
    """Documents until so many characters have been read of them."""
    read = 0

    def counted(lines: Iterable[str]) -> Iterator[str]:
        nonlocal read
        for line in lines:
            read += len(line) + 1
            yield line

    while read < characters and (document := next(documents, None)) is not None:
        yield counted(document)


def read_index(folder: Path, vocabulary: Vocabulary) -> list[dict]:
    """The shards of a folder, in order. Raises ValueError for a file that `write_shards` did not write so."""
    path = folder / SHARD_INDEX
    try:
        index = json.loads(path.read_bytes())
        kinds = {"file": str, "tokens": int, "sha256": str}
        shards = [{name: kind(shard[name]) for name, kind in kinds.items()} for shard in index["shards"]]
        named = index["vocabulary"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no index of tokens ({error!r}): make the folder again") from error
    if named != fingerprint(list(vocabulary.tokens)):
        raise ValueError(f"{path} is of another vocabulary than the tokenizer beside it: make the folder again")
    return shards


class TextShards(TextSource):
    """Blocks of one length of a text in many files, all of them once in each epoch, in an order shuffled anew.

    Blocks are those of `TextBlocks` in each file. Which one comes next is computed from its number (`scattered`), so
    that a run which goes on after a million batches begins as soon as one that begins. seed: of the order.
    Raises ValueError when T leaves no room between [CLS] and [SEP], and as `read_index`; when a batch is read, for a
    file that has not as many tokens as the index says. The files' checksums are part of `fingerprint`; they are not
    looked at again, which would take as long as to read all.
    """

    def __init__(self, folder: Path, vocabulary: Vocabulary, length: int, seed: int):
        if length < 3:
            raise ValueError(f"length is {length}: expected at least 3, for [CLS], a token and [SEP]")
        self.vocabulary, self.length = vocabulary, length
        self._folder, self._shards, self._open = folder, read_index(folder, vocabulary), {}
        self.fingerprint = fingerprint("shards", list(vocabulary.tokens), [shard["sha256"] for shard in self._shards])
        blocks = [-(-(shard["tokens"] - 2) // (length - 2)) for shard in self._shards]
        self._starts = np.concatenate([[0], np.cumsum(blocks)])  # the first block of each file, and behind the last
        if not len(self):
            raise ValueError(f"the text in {folder} is empty: there is no token between its [CLS] and its [SEP]")
        self._seed, self._read = seed, 0

    def __len__(self) -> int:
        return int(self._starts[-1])

    def next_batch(self, n: int) -> np.ndarray:
        """The next n blocks; a batch may end one epoch and begin the next."""
        numbers = np.arange(self._read, self._read + n)
        epochs, places = np.divmod(numbers, len(self))
        blocks = np.empty(n, dtype=np.int64)
        for epoch in np.unique(epochs):
            keys = generator(self._seed, Stream.BLOCKS, int(epoch)).integers(
                2**63, size=FEISTEL_ROUNDS, dtype=np.uint64
            )
            blocks[epochs == epoch] = scattered(places[epochs == epoch], len(self), keys)
        self._read += n
        return self.rows(blocks)

    def rows(self, blocks: np.ndarray) -> np.ndarray:
        """The blocks of these numbers, 0 to K - 1: (n,) -> (n, T) int64."""
        shards = np.searchsorted(self._starts, blocks, side="right") - 1
        ids = np.empty((len(blocks), self.length), dtype=np.int64)
        for shard in np.unique(shards):
            chosen = shards == shard
            ids[chosen] = cut_rows(
                self._text(shard), blocks[chosen] - self._starts[shard], self.vocabulary, self.length
            )
        return ids

    def _text(self, shard: int) -> np.ndarray:
        """The tokens of a file without its first [CLS] and its last [SEP], mapped once they are needed."""
        if shard not in self._open:
            said = self._shards[shard]
            ids = np.load(self._folder / said["file"], mmap_mode="r")
            if ids.shape != (said["tokens"],):
                raise ValueError(
                    f"{self._folder / said['file']} has {ids.size} tokens, and {said['tokens']} were written: make the "
                    "folder again"
                )
            with contextlib.suppress(AttributeError):  # Windows does not know it
                ids.base.madvise(mmap.MADV_RANDOM)  # rows come from anywhere: what is read ahead is read for nothing
            self._open[shard] = ids[1:-1]
        return self._open[shard]

    @property
    def state(self) -> dict:
        return {"seed": self._seed, "read": self._read}

    @state.setter
    def state(self, state: dict) -> None:
        for name in ("seed", "read"):
            if type(state.get(name)) is not int or not 0 <= state[name] < 2**62:
                raise ValueError(f"{name} is {state.get(name)!r}: expected an integer, 0 or more")
        self._seed, self._read = state["seed"], state["read"]


def scattered(places: np.ndarray, K: int, keys: np.ndarray) -> np.ndarray:
    """Where each place goes in a permutation of 0 to K - 1 that is computed, not stored: (n,) -> (n,) int64.

    A Feistel network permutes the numbers of an even count of bits: each round exchanges the halves and adds to one a
    hash of the other, which can be taken off again. What lands at K or above goes through it again, and so comes back
    to a place below (Black and Rogaway 2002). keys: (rounds,) uint64, which settle the permutation.
    """
    half = np.uint64(max(1, -(-(K - 1).bit_length() // 2)))
    mask = (np.uint64(1) << half) - np.uint64(1)

    def permuted(x: np.ndarray) -> np.ndarray:
        high, low = x >> half, x & mask
        for key in keys:
            high, low = low, high ^ (_mixed(low + key) & mask)
        return high << half | low

    x = permuted(places.astype(np.uint64))
    while (outside := x >= K).any():
        x[outside] = permuted(x[outside])
    return x.astype(np.int64)


def _mixed(x: np.ndarray) -> np.ndarray:
    """The hash of SplitMix64 (Steele et al. 2014): each bit of the number changes half of those of the result."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
