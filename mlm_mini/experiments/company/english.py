"""Real English: the company of words in the Bible in Basic English, counted.

Shape letters: G groups of books, V words, N sentences, T positions.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cache

import numpy as np

from mlm_mini.experiments.company.counts import cooccurrence
from mlm_mini.experiments.company.geometry import centered, chance_purity, nearest, purity
from mlm_mini.experiments.company.ppmi import ppmi, svd_vectors
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.languages import english_corpus, split_sentences, split_words

OFTEN = 50  # times that a word has to be met to have a vector
BOOK_GROUPS = 10  # of books, each left out in turn
ENGLISH_WINDOW, ENGLISH_DIMENSIONS, ENGLISH_POWER = 2, 100, 0.5
# Words of a kind, as a reader would sort them. To try others, edit this table.
ENGLISH_KINDS = {
    "numbers": "two three four five six seven eight ten twelve hundred thousand",
    "family": "father mother son daughter brother sister wife husband sons daughters",
    "body": "hand hands foot feet eye eyes ear ears mouth head heart face",
    "animals": "ox oxen sheep goats horses asses lamb lion cattle goat lambs",
    "metals": "gold silver brass iron stone wood",
    "food": "bread wine oil meat fruit grain meal",
    "men": "david solomon saul moses aaron jacob abraham joseph samuel joshua",
    "lands": "israel egypt judah babylon moab edom assyria",
    "times": "day night morning evening month year days years months",
}


@dataclass(frozen=True, eq=False)
class EnglishCounts:
    """words: V, the most frequent first. times: (V,), how often each is met. counts: (G, V, V), those of each group of
    books."""

    words: tuple[str, ...]
    times: np.ndarray
    counts: np.ndarray


@cache
def english_counts() -> EnglishCounts:
    """Every word that is met OFTEN times, beside the others of them in its sentences. Takes a few seconds."""
    books = [[split_words(s) for s in split_sentences(book.text)] for book in english_corpus().documents]
    times = Counter(word for book in books for sentence in book for word in sentence if word[0].isalpha())
    words = tuple(word for word, n in times.most_common() if n >= OFTEN)
    place = {word: i for i, word in enumerate(words)}
    groups = [_counts([s for book in books[g::BOOK_GROUPS] for s in book], place) for g in range(BOOK_GROUPS)]
    return EnglishCounts(words, np.array([times[word] for word in words]), np.stack(groups))


def _counts(sentences: list[list[str]], place: dict[str, int]) -> np.ndarray:
    """Counts (V, V) of some sentences. A rare word or a punctuation mark keeps its place and is not counted."""
    V = len(place)
    ids = np.full((len(sentences), max(map(len, sentences))), V)
    for row, sentence in zip(ids, sentences, strict=True):
        row[: len(sentence)] = [place.get(word, V) for word in sentence]
    return cooccurrence(ids, [V], V + 1, ENGLISH_WINDOW)[:V, :V]


def english_vectors(counts) -> np.ndarray:
    """PPMI and SVD of counts (V, V): (V, ENGLISH_DIMENSIONS)."""
    return svd_vectors(ppmi(counts), ENGLISH_DIMENSIONS, ENGLISH_POWER)


def kinds_of(words) -> tuple[np.ndarray, np.ndarray]:
    """The places (n,) among the words of those that ENGLISH_KINDS sorts, and their kinds (n,)."""
    place = {word: i for i, word in enumerate(words)}
    known = [(place[word], kind) for kind, names in ENGLISH_KINDS.items() for word in names.split() if word in place]
    places, kinds = zip(*known, strict=True)
    return np.array(places), np.array(kinds)


@dataclass(frozen=True, eq=False)
class EnglishPurity:
    """measured: the share of the nearest three, among the sorted words, that are of the same kind, and its 95% interval
    over groups of books. chance: the same for neighbors at random. shuffled: (R,), for kinds dealt out at random."""

    measured: Sampled
    chance: float
    shuffled: np.ndarray


def english_purity(rng: np.random.Generator, shuffles: int = 200) -> EnglishPurity:
    """Whether words of a kind are neighbors; each group of books is left out in turn for the interval."""
    english = english_counts()
    places, kinds = kinds_of(english.words)
    total = english.counts.sum(axis=0)

    def near(counts: np.ndarray) -> np.ndarray:
        return nearest(centered(english_vectors(counts))[places], 3)

    whole = near(total)
    without = [purity(near(total - group), kinds) for group in english.counts]
    shuffled = np.array([purity(whole, rng.permutation(kinds)) for _ in range(shuffles)])
    return EnglishPurity(Sampled.jackknife(purity(whole, kinds), without), chance_purity(kinds), shuffled)
