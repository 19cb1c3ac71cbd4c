"""What may be wrong with a text that people bring, once it is tokenized: words that became [UNK], rows seen before.

N tokens of a text, R rows, L tokens of a row.
"""

import warnings
from collections import Counter
from collections.abc import Iterator

import numpy as np

from mlm_mini.languages.characters import Characters
from mlm_mini.languages.corpus import Corpus
from mlm_mini.languages.token_store import TokenizedText
from mlm_mini.languages.tokenizer import LONGEST_WORD, FileTokenizer

LOUD, TOO_MUCH = 0.01, 1 / 3  # the share of a text in [UNK] that is said, and that is refused
EXAMINED = 2**22  # characters of a long text that are looked at for causes
SHOWN = 3  # causes
TELLING = 16  # shorter rows of any text recur by chance
SEEN = 0.01  # the share of held-out rows in the training text that is said
WINDOWS_AT_ONCE = 2**18  # tokens: of a few arrays of 64 bits each, some megabytes
ROWS_SOUGHT = 4096  # of the held-out text that are looked for
BASE = np.uint64(0x9E3779B97F4A7C15)  # any odd number


def check_words(corpus: Corpus, split: str, text: TokenizedText) -> None:
    """Raises ValueError when nothing of one side of a corpus is left in its tokens, `text`: of accents alone, say."""
    if len(text.ids) <= 2 * (len(text.starts) - 1):  # [CLS] and [SEP] of each document
        raise ValueError(
            f"in {corpus.source}, the tokenizer finds nothing in the {split} text but spaces, accents and the like: "
            "bring other text, or train anew with --tokenizer characters"
        )


def check_unknown(
    corpus: Corpus, split: str, tokenizer: FileTokenizer, text: TokenizedText, given: bool = False
) -> None:
    """Warns when more than LOUD of one side of a corpus became [UNK]; raises ValueError when it is more than TOO_MUCH.

    The share is that of the tokens, or of the characters where it is larger: of a protein one [UNK] hides hundreds.
    text: the tokens of that side. given: whether the tokenizer came with a model, and was not trained on the corpus.
    """
    share = _share_unknown(text, tokenizer)
    if not share:
        return
    hidden, causes, remedy = _causes(corpus.split(split), tokenizer)
    worst = max(share, hidden)
    if worst <= LOUD:
        return
    if given:
        remedy = "the vocabulary is that of the model to start from: choose one that knows this text, or train one anew"
    stand_for = f", which stand for {hidden:.1%} of its characters" if hidden > share else ""
    found = f"in {corpus.source}, {share:.1%} of the {split} tokens are [UNK]{stand_for}: {causes}"
    if worst > TOO_MUCH:
        raise ValueError(f"{found}. A model can learn nothing from [UNK]: {remedy}")
    warnings.warn(f"{found}; {remedy}", stacklevel=2)


def _share_unknown(text: TokenizedText, tokenizer: FileTokenizer) -> float:
    """The share of [UNK] among the tokens beside [CLS] and [SEP]."""
    unknown = sum(np.count_nonzero(piece == tokenizer.vocabulary.unk_id) for piece in text.pieces(WINDOWS_AT_ONCE))
    return unknown / max(1, len(text.ids) - 2 * (len(text.starts) - 1))


def _causes(corpus: Corpus, tokenizer: FileTokenizer) -> tuple[float, str, str]:
    """The share of the characters that [UNK] stands for; its most frequent causes, and what to do, in words."""
    strange, long_words = Counter(), []
    hidden = total = 0
    for line in _lines(corpus):
        total += sum(map(len, line.split()))
        for piece in tokenizer.unknown_pieces(line):
            hidden += len(piece)
            if len(piece) > LONGEST_WORD:
                long_words.append(piece[:20])
            else:
                strange.update(set(tokenizer.unknown_characters(piece)) or {piece})
    causes, remedies = [], []
    if long_words:
        causes.append(f"{len(long_words):,} words of more than {LONGEST_WORD} characters ({long_words[0]}...)")
        remedies.append("with --tokenizer characters every character is a token")
    if strange:
        named = ", ".join(f"{character!r} ({count:,})" for character, count in strange.most_common(SHOWN))
        causes.append(f"characters that the vocabulary does not have: {named}")
        larger = " or a larger --vocabulary-size" if isinstance(tokenizer, Characters) else ""
        remedies.append(f"bring more text, so that the training side has them{larger}")
    return hidden / max(1, total), " and ".join(causes), "; ".join(remedies)


def _lines(corpus: Corpus) -> Iterator[str]:
    """The lines of a corpus, up to EXAMINED characters in all."""
    left = EXAMINED
    for document in corpus.documents:
        for line in document.lines():
            if left <= 0:
                return
            yield line[:left]
            left -= len(line) + 1


def warn_of_repeats(train: TokenizedText, held_out: TokenizedText, length: int, source: str) -> None:
    """Warns when more than SEEN of the held-out rows, `length` tokens each, stand in the training text as they are.

    Shorter rows than TELLING are looked for in runs of TELLING.
    """
    inside = length - 2  # without [CLS] and [SEP]
    text = np.asarray(held_out.ids[1 : min(len(held_out.ids) - 1, 1 + ROWS_SOUGHT * inside)], dtype=np.int64)
    width = min(max(inside, TELLING), len(text))
    if width < TELLING:
        return
    rows = text[: len(text) // width * width].reshape(-1, width)  # (R, L)
    share = share_seen(rows, train)
    if share > SEEN:
        warnings.warn(
            f"in {source}, {share:.1%} of the held-out text ({len(rows):,} rows of {width} tokens) stands word for "
            "word in the training text: on that a model is asked what it remembers. Remove what is repeated, or bring "
            "text in which less is",
            stacklevel=2,
        )


def share_seen(rows: np.ndarray, train: TokenizedText) -> float:
    """The share of rows (R, L) that are a run of tokens of the training text.

    A run of ids x_i ... has the name sum_j w(x_(i+j)) b^j in 64 bits, with a random w for each id and an odd b. The
    names of all runs are differences of one cumulative sum, so that they take a few operations a token.
    """
    width = rows.shape[1]
    names = np.random.default_rng(0).integers(2**64, size=1 + int(max(rows.max(), _largest(train))), dtype=np.uint64)
    powers = np.cumprod(np.full(width, BASE, dtype=np.uint64))  # b, b^2 ...
    wanted = (names[rows] * powers).sum(axis=1, dtype=np.uint64)
    known = np.unique(wanted)
    seen = np.zeros(len(known), dtype=bool)
    before = np.empty(0, dtype=train.ids.dtype)
    for piece in train.pieces(WINDOWS_AT_ONCE):
        ids = np.concatenate([before, piece])
        if len(ids) >= width:
            runs = _run_names(names[ids], width)
            place = np.minimum(np.searchsorted(known, runs), len(known) - 1)
            seen[place[known[place] == runs]] = True
        before = ids[max(0, len(ids) - width + 1) :]
    return float(seen[np.searchsorted(known, wanted)].mean())


def _run_names(values: np.ndarray, width: int) -> np.ndarray:
    """The name of each run of `width` values (N,): (N - width + 1,). Arithmetic is modulo 2^64, without rounding."""
    powers = np.cumprod(np.full(len(values), BASE, dtype=np.uint64))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(values * powers, dtype=np.uint64)])
    back = np.cumprod(np.full(len(values), pow(int(BASE), -1, 2**64), dtype=np.uint64))  # 1/b, 1/b^2 ...
    runs = sums[width:] - sums[:-width]  # of run i, each term has b^i too many
    return runs * np.concatenate([np.ones(1, dtype=np.uint64), back])[: len(runs)]


def _largest(text: TokenizedText) -> int:
    return max(int(piece.max()) for piece in text.pieces(WINDOWS_AT_ONCE))
