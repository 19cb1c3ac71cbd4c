"""The cloze game, and the (input, label) pairs that it is played with."""

from mlm_mini.languages.cloze.game import Game, Round, Scoreboard, checked_guesses
from mlm_mini.languages.cloze.guess import (
    LEAST_CONFIDENCE,
    MOST_CONFIDENCE,
    MOST_GUESSES,
    guess_distribution,
    limited_to_words,
    score,
    spread_distribution,
    tempered,
)
from mlm_mini.languages.cloze.pairs import all_pairs, one_pair, several_blanks, unigram
from mlm_mini.languages.cloze.questions import exact_nats, scene_questions
from mlm_mini.languages.cloze.texts import (
    FULL_STOP,
    ClozeText,
    EnglishCloze,
    Player,
    Question,
    SceneCloze,
    english_cloze,
    is_word,
    scene_cloze,
    trigram_distribution,
)

__all__ = [
    "FULL_STOP",
    "LEAST_CONFIDENCE",
    "MOST_CONFIDENCE",
    "MOST_GUESSES",
    "ClozeText",
    "EnglishCloze",
    "Game",
    "Player",
    "Question",
    "Round",
    "SceneCloze",
    "Scoreboard",
    "all_pairs",
    "checked_guesses",
    "english_cloze",
    "exact_nats",
    "guess_distribution",
    "is_word",
    "limited_to_words",
    "one_pair",
    "scene_cloze",
    "scene_questions",
    "score",
    "several_blanks",
    "spread_distribution",
    "tempered",
    "trigram_distribution",
    "unigram",
]
