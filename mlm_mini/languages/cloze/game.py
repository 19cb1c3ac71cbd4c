"""The cloze game: a sentence with a word hidden, a guess with a confidence, and a score in nats.

The cloze procedure is Taylor's (1953). The score is the surprisal of the hidden word under what the player believed,
so that a player who is sure and wrong pays for it.
"""

import difflib
import math
from dataclasses import dataclass

import numpy as np

from mlm_mini.languages.cloze.guess import guess_distribution, limited_to_one_word, score, tempered
from mlm_mini.languages.cloze.texts import ClozeText, Question

SHOWN_WORDS = 5  # of the opponent's likeliest


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
