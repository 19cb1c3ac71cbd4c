"""The cloze game: a sentence with a word hidden, a guess with a confidence, and a score in nats.

The cloze procedure is Taylor's (1953). The score is the surprisal of the hidden word under what the player believed,
so that a player who is sure and wrong pays for it.
"""

import difflib
import math
import re
from dataclasses import dataclass

import numpy as np

from mlm_mini.languages.cloze.guess import MOST_GUESSES, limited_to_words, score, spread_distribution, tempered
from mlm_mini.languages.cloze.texts import ClozeText, Question

SHOWN_WORDS = 5  # of the opponent's likeliest


@dataclass(frozen=True)
class Round:
    """What was asked, believed and paid. `best` holds the opponent's likeliest words with their probabilities.

    guesses: one word, or several that share the confidence. remark: a sentence on how the confidence was changed, or
    "". limited_nats: what the opponent would have paid, had it been allowed as many words as the player named.
    rival_nats: what the rival paid; NaN without one.
    """

    question: Question
    guesses: tuple[str, ...]
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

    Of the player, of the opponent, of the opponent when it names no more words than the player did, and of the rival.
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
        """Scores a guess: a word, or up to MOST_GUESSES of them, which share the confidence. Capitals do not matter.

        Raises ValueError, and scores nothing, for an empty guess, too many words, a word the text does not know, a
        confidence outside [0, 1], or a question that is answered already.
        """
        if self.answered:
            raise ValueError("this sentence is answered: ask for the next one")
        guesses = checked_guesses(guess, self.text)
        confidence, remark = tempered(confidence)
        answer = self.question.answer
        opponent = self.text.opponent(self.question)
        played = Round(
            self.question,
            guesses,
            confidence,
            remark,
            score(spread_distribution(guesses, confidence, self.text.words), answer),
            score(opponent, answer),
            score(limited_to_words(opponent, len(guesses)), answer),
            score(self.text.rival.believe(self.question), answer) if self.text.rival else math.nan,
            tuple(sorted(opponent.items(), key=lambda item: -item[1])[:SHOWN_WORDS]),
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


def checked_guesses(guess: str, text: ClozeText) -> tuple[str, ...]:
    """The words of a guess as the text spells them, each once. Raises ValueError with what to do otherwise."""
    guesses = tuple(dict.fromkeys(word for word in re.split(r"[\s,]+", guess.lower()) if word))
    if not guesses:
        raise ValueError("type a word first")
    most = min(MOST_GUESSES, len(text.words) - 1)
    if len(guesses) > most:
        raise ValueError(f"{len(guesses)} words are too many: name {most} at most")
    for word in guesses:
        if word not in text.words:
            near = difflib.get_close_matches(word, text.words, n=3, cutoff=0.7)
            advice = f"did you mean {' or '.join(near)}?" if near else "try another."
            raise ValueError(f"{word!r} is not among the {len(text.words):,} words of this text: {advice}")
    return guesses
