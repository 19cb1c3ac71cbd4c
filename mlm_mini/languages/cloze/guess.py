"""A guess and its score. A distribution q is a dict from word to probability."""

import math
from collections.abc import Collection, Mapping

LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.01, 0.99


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
    """q as a player may state it: its likeliest word, with the probability that q gave it.

    The other words share the rest evenly, and the probability is kept within a player's limits, see `tempered`. With
    the true q over hundreds of words, one of which stands out, no other word or confidence pays less on average.
    """
    guess = max(q, key=q.__getitem__)
    confidence, _ = tempered(q[guess])
    return guess_distribution(guess, confidence, q)


def tempered(confidence: float) -> tuple[float, str]:
    """The confidence, kept from LEAST_CONFIDENCE to MOST_CONFIDENCE, and a sentence that says so if it was not."""
    if not 0 <= confidence <= 1:  # NaN fails too
        raise ValueError(f"confidence is {confidence}: expected a probability from 0 to 1")
    if confidence > MOST_CONFIDENCE:
        return MOST_CONFIDENCE, f"Counted as {MOST_CONFIDENCE:.0%}: sure and wrong would cost infinitely many nats."
    if confidence < LEAST_CONFIDENCE:
        return LEAST_CONFIDENCE, f"Counted as {LEAST_CONFIDENCE:.0%}: a guess ruled out by its own player is no guess."
    return confidence, ""
