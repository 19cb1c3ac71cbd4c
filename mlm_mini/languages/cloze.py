"""The cloze game: a sentence with a word hidden, a guess with a confidence, and a score in nats.

The cloze procedure is Taylor's (1953); the score is the surprisal of the hidden word under what the player believed,
so that a player who is sure and wrong pays for it. A distribution q is a dict from word to probability.
"""

import difflib
import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from mlm_mini.languages import scene_language
from mlm_mini.languages.corpus import english_corpus, split_words
from mlm_mini.languages.exact import ExactLanguage
from mlm_mini.languages.ngram import Trigram, english_trigram
from mlm_mini.languages.vocabulary import MASK
from mlm_mini.reference import entropy

LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.01, 0.99
SHORTEST, LONGEST = 6, 20  # words of an English sentence worth playing
LEAST_ENTROPY = 0.1  # nats: of a scene's blanks, those with less are certain or nearly so
MOST_DRAWS = 1000
TOP = 5
FULL_STOP = "."


# ---------------------------------------------------------------- text is its own label


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


# ---------------------------------------------------------------- a guess and its score


def guess_distribution(guess: str, confidence: float, words: Collection[str]) -> dict[str, float]:
    """q = confidence on the guess; what is left is shared evenly by the other words.

    words: at least two distinct words, the guess among them; confidence: from 0 to 1. Raises ValueError otherwise.
    """
    if guess not in words or len(words) < 2:
        raise ValueError(f"the guess {guess!r} must be one of at least two words, got {len(words)}")
    if not 0 <= confidence <= 1:  # NaN fails too
        raise ValueError(f"confidence is {confidence}: expected a probability from 0 to 1")
    rest = (1 - confidence) / (len(words) - 1)
    return {word: confidence if word == guess else rest for word in words}


def score(q: Mapping[str, float], answer: str) -> float:
    """-log q(answer) in nats: 0 for certainty, inf for a word that q rules out or does not list."""
    probability = q.get(answer, 0.0)
    return 0.0 - math.log(probability) if probability > 0 else math.inf


def limited_to_one_word(q: Mapping[str, float]) -> dict[str, float]:
    """What is left of q under the player's own rule: its likeliest word, at the probability that q gave it.

    The other words share the rest evenly, and the probability is kept within a player's limits, see `tempered`. With
    the true q over hundreds of words, one of which stands out, no other word or confidence pays less on average.
    """
    guess = max(q, key=q.__getitem__)
    confidence, _ = tempered(q[guess])
    return guess_distribution(guess, confidence, q)


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
        """A question. Which place is hidden must not depend on the word there, or hiding it would give it away."""

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
            # What is certain is no question. That depends on the visible words alone, so drawing another sentence
            # gives nothing away, and the exact posterior remains the best possible player.
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

        Only sentences of SHORTEST to LONGEST words, all known to the model, are played. ValueError if there are none.
        """
        self.source = source
        self.trigram = trigram
        known = trigram.vocabulary
        self.words = tuple(word for word in known.words(known.regular_ids) if is_word(word))
        self.sentences = [
            tuple(words)
            for words in sentences
            if SHORTEST <= sum(map(is_word, words)) <= LONGEST and all(word in known for word in words)
        ]
        if not self.sentences:
            raise ValueError(f"no sentence has {SHORTEST} to {LONGEST} words, all of them known to the trigram model")

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


# ---------------------------------------------------------------- a game


@dataclass(frozen=True)
class Round:
    """What was asked, believed and paid. `best` holds the opponent's likeliest words with their probabilities.

    remark: a sentence on how the confidence was changed, or "". limited_nats: what the opponent's likeliest word alone
    would have cost it. rival_nats: what the rival paid; NaN without one.
    """

    question: Question
    guess: str
    confidence: float
    remark: str
    nats: float
    opponent_nats: float
    limited_nats: float
    rival_nats: float
    best: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Scoreboard:
    """Rounds played, and mean nats per round; NaN before the first.

    Of the player, of the opponent, of the opponent when it is limited to one word as the player is, and of the rival.
    """

    rounds: int
    mean_nats: float
    opponent_mean_nats: float
    limited_mean_nats: float
    rival_mean_nats: float


class Game:
    """Rounds on one text, the same ones for the same seed: `play`, then `next_question`."""

    def __init__(self, text: ClozeText, rng: np.random.Generator):
        self.text = text
        self.rng = rng
        self.rounds: list[Round] = []
        self.question = text.draw(rng)
        self.answered = False

    def play(self, guess: str, confidence: float) -> Round:
        """Scores a guess; capitals and outer spaces do not matter.

        Raises ValueError, and scores nothing, for an empty guess, several words, a word the text does not know, a
        confidence outside [0, 1], or a question that is answered already.
        """
        if self.answered:
            raise ValueError("this sentence is answered: ask for the next one")
        guess = checked_guess(guess, self.text)
        confidence, remark = tempered(confidence)
        answer = self.question.answer
        opponent = self.text.opponent(self.question)
        played = Round(
            self.question,
            guess,
            confidence,
            remark,
            score(guess_distribution(guess, confidence, self.text.words), answer),
            score(opponent, answer),
            score(limited_to_one_word(opponent), answer),
            score(self.text.rival.believe(self.question), answer) if self.text.rival else math.nan,
            tuple(sorted(opponent.items(), key=lambda item: -item[1])[:TOP]),
        )
        self.rounds.append(played)
        self.answered = True
        return played

    def next_question(self) -> Question:
        """Another question, whether or not this one was answered."""
        self.question = self.text.draw(self.rng)
        self.answered = False
        return self.question

    def scoreboard(self) -> Scoreboard:
        if not self.rounds:
            return Scoreboard(0, math.nan, math.nan, math.nan, math.nan)
        nats = np.array([[r.nats, r.opponent_nats, r.limited_nats, r.rival_nats] for r in self.rounds])
        return Scoreboard(len(nats), *nats.mean(axis=0).tolist())


def checked_guess(guess: str, text: ClozeText) -> str:
    """The guess as the text spells it. Raises ValueError with what to do when it is not one of its words."""
    guess = guess.strip().lower()
    if not guess:
        raise ValueError("type a word first")
    if len(guess.split()) > 1:
        raise ValueError(f"{guess!r} is more than one word: one is hidden, so give one")
    if guess not in text.words:
        near = difflib.get_close_matches(guess, text.words, n=3, cutoff=0.7)
        advice = f"did you mean {' or '.join(near)}?" if near else "try another."
        raise ValueError(f"{guess!r} is not among the {len(text.words):,} words of this text: {advice}")
    return guess


def tempered(confidence: float) -> tuple[float, str]:
    """The confidence, kept from LEAST_CONFIDENCE to MOST_CONFIDENCE, and a sentence that says so if it was not."""
    if not 0 <= confidence <= 1:  # NaN fails too
        raise ValueError(f"confidence is {confidence}: expected a probability from 0 to 1")
    if confidence > MOST_CONFIDENCE:
        return MOST_CONFIDENCE, f"Counted as {MOST_CONFIDENCE:.0%}: sure and wrong would cost infinitely many nats."
    if confidence < LEAST_CONFIDENCE:
        return LEAST_CONFIDENCE, f"Counted as {LEAST_CONFIDENCE:.0%}: a guess ruled out by its own player is no guess."
    return confidence, ""


# ---------------------------------------------------------------- players compared


def scene_questions(language: ExactLanguage, n: int, rng: np.random.Generator) -> list[Question]:
    """n questions: of the pairs that n sentences supply, the full stops at their ends aside, n drawn without order."""
    sentences = language.sample(n, rng)
    texts = [tuple(sentences.text(i).split()) for i in range(n)]
    pairs = [Question(words, index) for words in texts for index in range(len(words) - 1)]
    return [pairs[i] for i in rng.choice(len(pairs), size=n, replace=False)]


def exact_nats(language: ExactLanguage, questions: Sequence[Question], left_only: bool = False) -> np.ndarray:
    """Surprisal (N,) of the exact posterior at N questions, in nats; inf for an answer that the language rules out.

    left_only: of the exact posterior given nothing but the words to the left, as a model that writes has it.
    """
    vocabulary = language.vocabulary
    ids = np.stack([language.encode(" ".join(question.shown)) for question in questions])
    positions = np.array([[question.index + 1] for question in questions])  # + 1 for [CLS]
    if left_only:
        ids = np.where(np.arange(language.length) > positions, vocabulary.mask_id, ids)
    posterior = language.posterior_at(ids, positions)[:, 0]  # (N, 1, V) -> (N, V)
    # To the left alone the sentence might end here: the player knows that a word is asked for.
    words = np.setdiff1d(vocabulary.regular_ids, vocabulary.ids([FULL_STOP]))
    answers = vocabulary.ids(question.answer for question in questions)
    with np.errstate(divide="ignore"):
        return np.log(posterior[:, words].sum(axis=1)) - np.log(posterior[np.arange(len(questions)), answers])
