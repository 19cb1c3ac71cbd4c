"""Tokens and their ids, with BERT's five special tokens.

Every language of the course counts on the same five: [PAD] fills short rows, [UNK] stands for a word outside the
vocabulary, [CLS] and [SEP] open and close a sentence, [MASK] hides a token. None of them may ever be predicted, and
neither may BERT's `[unused7]`-style slots: `regular_ids` is the list of tokens that may.
"""

import difflib
import re
from collections.abc import Iterable

import numpy as np

PAD, UNK, CLS, SEP, MASK = SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNUSED_SLOT = re.compile(r"\[unused\d+\]")


class Vocabulary:
    """A fixed, ordered set of tokens: the id of a token is its place in `tokens`.

    tokens: distinct, non-empty strings, the five SPECIAL_TOKENS among them.
    Raises TypeError for a token that is no string, ValueError for one that is empty, repeated or missing.

    pad_id, unk_id, cls_id, sep_id, mask_id: int.
    special_ids: int64, sorted: the five above.
    regular_ids: int64, sorted: every id that may be predicted, or drawn as a random replacement.
    """

    def __init__(self, tokens: Iterable[str]):
        self.tokens = _checked_tokens(tokens)
        self._id_of = {token: i for i, token in enumerate(self.tokens)}
        self.pad_id, self.unk_id, self.cls_id, self.sep_id, self.mask_id = (self._id_of[t] for t in SPECIAL_TOKENS)
        self.special_ids = np.array(sorted(self._id_of[t] for t in SPECIAL_TOKENS), dtype=np.int64)
        self.regular_ids = np.array(
            [i for i, t in enumerate(self.tokens) if t not in SPECIAL_TOKENS and not UNUSED_SLOT.fullmatch(t)],
            dtype=np.int64,
        )
        # Shared by everyone who holds the vocabulary: a caller who writes into them should hear about it.
        self.special_ids.flags.writeable = self.regular_ids.flags.writeable = False

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self._id_of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.tokens == other.tokens

    def __hash__(self) -> int:
        return hash(self.tokens)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} tokens, {len(self.regular_ids)} regular)"

    def ids(self, words: Iterable[str]) -> np.ndarray:
        """The ids of n words: int64 (n,). A word outside the vocabulary becomes `unk_id`.

        Raises TypeError for a single string, whose letters would otherwise be looked up one by one.
        """
        if isinstance(words, str):
            raise TypeError(f"words must be a sequence of tokens, not the string {words!r}: split it first")
        return np.array([self._id_of.get(word, self.unk_id) for word in words], dtype=np.int64)

    def words(self, ids: Iterable[int]) -> list[str]:
        """The tokens of n ids: a list of n strings. Raises as `checked_ids` does."""
        return [self.tokens[i] for i in self.checked_ids(ids, ndim=1)]

    def checked_ids(self, ids, ndim: int) -> np.ndarray:
        """`ids` as an int64 array of `ndim` dimensions.

        Raises TypeError when they are not integers, ValueError when the number of dimensions is wrong or an id lies
        outside [0, V); the message names the first bad id and its index.
        """
        array = np.asarray(ids)
        if array.size and not np.issubdtype(array.dtype, np.integer):
            raise TypeError(f"ids must be integers, got dtype {array.dtype}")
        if array.ndim != ndim:
            raise ValueError(f"ids must have {ndim} dimension(s), got shape {array.shape}")
        outside = (array < 0) | (array >= len(self))
        if outside.any():
            index = tuple(int(i) for i in np.argwhere(outside)[0])
            raise ValueError(
                f"id {array[index]} at index {index} is outside the vocabulary: ids run 0..{len(self) - 1}"
            )
        return array.astype(np.int64)

    def nearest(self, word: str) -> list[str]:
        """Up to three tokens spelled like `word`, the closest first; for error messages."""
        return difflib.get_close_matches(word, self.tokens, n=3, cutoff=0.6)


def _checked_tokens(tokens: Iterable[str]) -> tuple[str, ...]:
    tokens = tuple(tokens)
    seen = set()
    for i, token in enumerate(tokens):
        if not isinstance(token, str):
            raise TypeError(f"token {i} must be a string, got {token!r}")
        if not token:
            raise ValueError(f"token {i} is empty")
        if token in seen:
            raise ValueError(f"token {token!r} appears twice, the second time at {i}: an id must name one token")
        seen.add(token)
    missing = [token for token in SPECIAL_TOKENS if token not in seen]
    if missing:
        raise ValueError(f"the vocabulary lacks {', '.join(missing)}: every language needs {' '.join(SPECIAL_TOKENS)}")
    return tokens
