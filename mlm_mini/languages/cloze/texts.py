"""Texts to play on: where the questions come from, and the opponent, a player that gives every word a probability."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from mlm_mini.languages.cloze.pairs import one_pair
from mlm_mini.languages.english import english_corpus
from mlm_mini.languages.exact import ExactLanguage
from mlm_mini.languages.ngram import Trigram, english_trigram
from mlm_mini.languages.scene_grammar import scene_language
from mlm_mini.languages.words import split_words
from mlm_mini.reference import entropy

FEWEST_WORDS, MOST_WORDS = 6, 20  # words of an English sentence worth playing
LEAST_ENTROPY = 0.1  # nats: of a scene's blanks, those with less are certain or nearly so
MOST_DRAWS = 1000
FULL_STOP = "."


@dataclass(frozen=True)
class Question:
    """A sentence as it was written, and which of its words is hidden."""

    words: tuple[str, ...]
    index: int

    @property
    def shown(self) -> list[str]:
        return one_pair(self.words, self.index)[0]

    @property
    def answer(self) -> str:
        return self.words[self.index]


@dataclass(frozen=True)
class Player:
    """Somebody else who plays along. name: a noun phrase for a sentence. believe: its q, from what is shown alone."""

    name: str
    believe: Callable[[Question], Mapping[str, float]]


class ClozeText(ABC):
    """Where the questions come from, and the opponent: a player that gives every word a probability.

    name, source: what to call the text, and what a reader must be told about it. words: all that may be guessed.
    opponent_name: a noun phrase for a sentence. rival: a second opponent, if there is one.
    """

    name: str
    source: str
    opponent_name: str
    words: tuple[str, ...]
    rival: Player | None = None

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> Question:
        """A question. The place must be chosen without regard to the word there, or the choice would give it away."""

    @abstractmethod
    def opponent(self, question: Question) -> dict[str, float]:
        """The opponent's q over `words`, from what is shown alone."""


class SceneCloze(ClozeText):
    """Sentences of a language with exact answers, against its exact posterior: on average nobody does better."""

    name = "Scenes"
    source = "Sentences made up by the scene language of this course, whose probabilities are all known."
    opponent_name = "the exact posterior"

    def __init__(self, language: ExactLanguage, rival: Player | None = None):
        self.language = language
        self.rival = rival
        vocabulary = language.vocabulary
        self.words = tuple(word for word in vocabulary.words(vocabulary.regular_ids) if word != FULL_STOP)

    def draw(self, rng: np.random.Generator) -> Question:
        for _ in range(MOST_DRAWS):
            words = tuple(self.language.sample(1, rng).text(0).split())
            index = int(rng.integers(len(words) - 1))  # the full stop that ends every sentence stays
            question = Question(words, index)
            # A certain word is no question. Whether it is certain can be told from the visible words, so passing over
            # the sentence gives nothing away, and the exact posterior remains the best possible player.
            if entropy(list(self.opponent(question).values())) > LEAST_ENTROPY:
                return question
        raise ValueError(f"in {MOST_DRAWS} sentences of this language, every hidden word was certain: nothing to play")

    def opponent(self, question: Question) -> dict[str, float]:
        vocabulary = self.language.vocabulary
        ids = self.language.encode(" ".join(question.shown))
        posterior = self.language.posterior_at(ids[None], [[question.index + 1]])[0, 0]  # + 1 for [CLS]
        return dict(zip(self.words, posterior[vocabulary.ids(self.words)].tolist(), strict=True))


class EnglishCloze(ClozeText):
    """Sentences that people wrote, against a trigram model: what comes of counting text."""

    name = "English"
    opponent_name = "the trigram model"

    def __init__(self, sentences: Iterable[Sequence[str]], trigram: Trigram, source: str):
        """sentences: lists of words, punctuation among them, that the trigram model was not fitted to.

        Only sentences of FEWEST_WORDS to MOST_WORDS words, all known to the model, are played. ValueError if there
        is none.
        """
        self.source = source
        self.trigram = trigram
        known = trigram.vocabulary
        self.words = tuple(word for word in known.words(known.regular_ids) if is_word(word))
        self.sentences = [
            tuple(words)
            for words in sentences
            if FEWEST_WORDS <= sum(map(is_word, words)) <= MOST_WORDS and all(word in known for word in words)
        ]
        if not self.sentences:
            raise ValueError(
                f"no sentence has {FEWEST_WORDS} to {MOST_WORDS} words, all of them known to the trigram model"
            )

    def draw(self, rng: np.random.Generator) -> Question:
        words = self.sentences[rng.integers(len(self.sentences))]
        return Question(words, int(rng.choice([i for i, word in enumerate(words) if is_word(word)])))

    def opponent(self, question: Question) -> dict[str, float]:
        return trigram_distribution(self.trigram, question, self.words)


def is_word(token: str) -> bool:
    """Whether a token is a word or a number rather than a punctuation mark."""
    return any(character.isalnum() for character in token)


def trigram_distribution(trigram: Trigram, question: Question, words: Sequence[str]) -> dict[str, float]:
    """The trigram model's q over `words`, given what is shown. Words it never met share what it gives to [UNK]."""
    ids = trigram.vocabulary.ids(words)
    unknown = ids == trigram.vocabulary.unk_id
    q = trigram.posterior(question.shown, question.index)[ids] / np.where(unknown, max(unknown.sum(), 1), 1)
    return dict(zip(words, (q / q.sum()).tolist(), strict=True))


@cache
def scene_cloze() -> SceneCloze:
    """The game on the scene language of the course."""
    return SceneCloze(scene_language())


@cache
def english_cloze() -> EnglishCloze:
    """The game on the test side of the English corpus; the trigram model has counted the training side.

    Raises as `english_corpus` does when its text is not installed.
    """
    test = english_corpus().split("test")
    names = ", ".join(document.name for document in test.documents)
    source = f"{test.source}. License: {test.license}. Books played: {names}."
    return EnglishCloze([split_words(sentence) for sentence in test.sentences()], english_trigram(), source)
