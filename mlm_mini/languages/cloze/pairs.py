"""Text is its own label: the pairs of input and answer that a sentence supplies."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from mlm_mini.languages.vocabulary import MASK


def one_pair(words: Sequence[str], index: int) -> tuple[list[str], str]:
    """The sentence with [MASK] at `index`, and the word that stood there: (input_words, label)."""
    return [*words[:index], MASK, *words[index + 1 :]], words[index]


def all_pairs(words: Sequence[str]) -> list[tuple[list[str], str]]:
    """The n pairs that a sentence of n words supplies: each word hidden once, in order."""
    return [one_pair(words, index) for index in range(len(words))]


def several_blanks(words: Sequence[str], positions: Collection[int]) -> tuple[list[str], list[str | None]]:
    """[MASK] at each of `positions`; labels has the same length: the word where it is hidden, None where it shows."""
    input_words = [MASK if i in positions else word for i, word in enumerate(words)]
    return input_words, [word if i in positions else None for i, word in enumerate(words)]


def unigram(sentences: Iterable[Sequence[str]]) -> dict[str, float]:
    """Each word's share of all words. Raises ValueError when there is no word to count."""
    counts = Counter(word for words in sentences for word in words)
    if not counts:
        raise ValueError("the sentences hold no word to count")
    total = counts.total()
    return {word: count / total for word, count in counts.items()}
