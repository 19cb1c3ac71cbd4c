"""A word-level trigram model with interpolated Kneser-Ney smoothing, and what it says about one hidden word.

The counts decide where there are any; where they are few, the shorter context decides. For a context h and a word w

    P(w | h) = max(c(h w) - D, 0) / c(h)  +  D N(h) / c(h) * P(w | h without its first word)

where N(h) is how many different words follow h, so that the second term hands out exactly what the discount D took
away. Below the trigrams, c(h w) counts not how often h w occurs but after how many different words it does: "Francisco"
may be frequent, yet it follows one word only and should not be guessed after others. D = n1 / (n1 + 2 n2) for each
order, from the numbers of n-grams counted once and twice. Words counted once in the training text are [UNK].

R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995.
S. F. Chen and J. Goodman, "An empirical study of smoothing techniques for language modeling", Computer Speech and
Language 13 (1999), 359-394: the interpolated form, and a comparison that finds it better than the other smoothings.

T words of a sentence, V tokens in the vocabulary.
"""

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mlm_mini.languages.english import english_corpus
from mlm_mini.languages.vocabulary import CLS, SEP, SPECIAL_TOKENS, UNK, Vocabulary
from mlm_mini.languages.words import split_words

MIN_COUNT = 2
NOT_WORDS = frozenset(SPECIAL_TOKENS) - {UNK}


@dataclass(frozen=True)
class _Order:
    """One order of the model: the two factors of the equation above, found by bisection in sorted keys.

    A key numbers an n-gram: its ids are the digits of one integer to the base V.
    """

    grams: np.ndarray  # keys of h w, sorted
    discounted: np.ndarray  # max(c(h w) - D, 0) / c(h)
    contexts: np.ndarray  # keys of h, sorted
    backoff: np.ndarray  # D N(h) / c(h)

    @classmethod
    def fit(cls, grams: np.ndarray, counts: np.ndarray, size: int) -> "_Order":
        """grams: sorted distinct keys; counts: how often, or after how many different words, each occurs."""
        contexts, first, followers = np.unique(grams // size, return_index=True, return_counts=True)
        totals = np.add.reduceat(counts, first)
        discount = _discount(counts)
        discounted = (counts - discount) / np.repeat(totals, followers)
        return cls(grams, discounted, contexts, discount * followers / totals)

    def probability(self, context: np.ndarray, word: np.ndarray, shorter: np.ndarray, size: int) -> np.ndarray:
        """P(word | context) given P(word | shorter context); the arguments broadcast."""
        discounted = _look_up(self.grams, self.discounted, context * size + word, default=0.0)
        # A context never met says nothing, and leaves everything to the shorter one.
        return discounted + _look_up(self.contexts, self.backoff, context, default=1.0) * shorter


def _discount(counts: np.ndarray) -> float:
    once, twice = np.count_nonzero(counts == 1), np.count_nonzero(counts == 2)
    return once / (once + 2 * twice) if once else 0.5  # no discount at all would leave nothing for what was not seen


def _look_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, default: float) -> np.ndarray:
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], default)


class Trigram:
    """P(word | two words before). Make one with `Trigram.fit`.

    vocabulary: the words, lower case, with [UNK] for every other; [CLS] opens a sentence and [SEP] closes it.
    """

    def __init__(self, vocabulary: Vocabulary, unigram: np.ndarray, bigrams: _Order, trigrams: _Order):
        self.vocabulary = vocabulary
        self._unigram, self._bigrams, self._trigrams = unigram, bigrams, trigrams
        # What can be in a sentence: every word, and the sign for one that is not in the vocabulary.
        self._candidates = np.sort(np.append(vocabulary.regular_ids, vocabulary.unk_id))

    @classmethod
    def fit(cls, sentences: Iterable[Sequence[str]]) -> "Trigram":
        """Count the trigrams of sentences, each a sequence of words (see `split_words`).

        Raises ValueError when there is not one word, TypeError for a sentence that is a str and not a sequence of them.
        """
        sentences = [_checked_words(sentence) for sentence in sentences]
        counts = Counter(word for sentence in sentences for word in sentence)
        if not counts:
            raise ValueError("there are no words to fit a trigram model to")
        known = sorted(word for word, n in counts.items() if n >= MIN_COUNT and word != UNK)
        vocabulary = Vocabulary([*SPECIAL_TOKENS, *known])
        size = len(vocabulary)
        if size**3 >= 2**63:
            raise ValueError(f"{size:,} words are too many: a trigram of them does not fit in 64 bits")
        stream = vocabulary.ids(word for sentence in sentences for word in _framed(sentence))
        keys = (stream[:-2] * size + stream[1:-1]) * size + stream[2:]
        keys = keys[stream[2:] != vocabulary.cls_id]  # a window that reaches into the next sentence ends in [CLS]
        grams, counts = np.unique(keys, return_counts=True)
        # From here on a count is the number of different words in front: each distinct longer n-gram counts once.
        trigrams = _Order.fit(grams, counts, size)
        grams, counts = np.unique(grams % size**2, return_counts=True)
        bigrams = _Order.fit(grams, counts, size)
        return cls(vocabulary, _unigram(grams % size, vocabulary), bigrams, trigrams)

    def log_probability(self, sentence: Sequence[str]) -> float:
        """log P of the T words and of the sentence's end, in nats: T + 1 predictions. No words: P of an empty one."""
        ids = self.vocabulary.ids(_framed(_checked_words(sentence)))
        return float(np.log(self._probability(ids[:-2], ids[1:-1], ids[2:])).sum())

    def posterior(self, words: Sequence[str], position: int) -> np.ndarray:
        """P(word at `position` | all the others): (V,), summing to one, for the ids of `vocabulary`.

        By Bayes' rule it is proportional to the probability of the sentence with each word tried in turn, and only
        three factors contain the word: P(w | u v) P(x | v w) P(y | w x), with u v before it and x y behind. What
        stands at `position` is not looked at. Raises ValueError for a position outside the sentence, or when another
        word is hidden too.
        """
        words = list(_checked_words(words, hidden=position))
        if not 0 <= position < len(words):
            raise ValueError(f"position {position} is outside a sentence of {len(words)} words")
        end = self.vocabulary.sep_id
        u, v, _, x, y = np.append(self.vocabulary.ids(_framed(words)), end)[position : position + 5]
        w = self._candidates
        # Behind the last word y is a second end. Nothing was ever seen after an end: a factor that all words share.
        weight = self._probability(u, v, w) * self._probability(v, w, x) * self._probability(w, x, y)
        posterior = np.zeros(len(self.vocabulary))
        posterior[w] = weight / weight.sum()
        return posterior

    def _probability(self, u: np.ndarray, v: np.ndarray, w: np.ndarray) -> np.ndarray:
        """P(w | u v) for ids that broadcast."""
        size = len(self.vocabulary)
        bigram = self._bigrams.probability(v, w, self._unigram[w], size)
        return self._trigrams.probability(u * size + v, w, bigram, size)


def _unigram(continued: np.ndarray, vocabulary: Vocabulary) -> np.ndarray:
    """P(w) without context: (V,). The shortest context backs off to all words and the end of a sentence being alike."""
    counts = np.bincount(continued, minlength=len(vocabulary))
    possible = np.append(vocabulary.regular_ids, [vocabulary.unk_id, vocabulary.sep_id])
    uniform = np.zeros(len(vocabulary))
    uniform[possible] = 1 / len(possible)
    discount = _discount(counts)
    left_over = discount * np.count_nonzero(counts) / counts.sum()
    return np.maximum(counts - discount, 0) / counts.sum() + left_over * uniform


def _framed(sentence: Sequence[str]) -> list[str]:
    """Two openings, so that the first word too has two before it, and one end."""
    return [CLS, CLS, *sentence, SEP]


def _checked_words(sentence: Sequence[str], hidden: int | None = None) -> Sequence[str]:
    """The sentence, if it is made of words; at position `hidden` anything may stand."""
    if isinstance(sentence, str):
        raise TypeError(f"a sentence is a sequence of words, not the string {sentence!r}: use split_words")
    for position, word in enumerate(sentence):
        if position == hidden:
            continue
        if not isinstance(word, str):
            raise TypeError(f"word {position} must be a str, not {word!r}")
        if word in NOT_WORDS:
            raise ValueError(f"word {position} is {word}, which is no word: only one position may be hidden")
    return sentence


@functools.cache
def english_trigram() -> Trigram:
    """The trigram model of the English corpus, fitted to its training side in about a second, once per process."""
    return Trigram.fit(map(split_words, english_corpus().split("train").sentences()))
