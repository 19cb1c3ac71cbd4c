"""A guess and its score. A distribution q is a dict from word to probability."""

import math
from collections.abc import Collection, Mapping, Sequence

LEAST_CONFIDENCE, MOST_CONFIDENCE = 0.01, 0.99
MOST_GUESSES = 5  # words that a guess may be spread over


def guess_distribution(guess: str, confidence: float, words: Collection[str]) -> dict[str, float]:
    """q = confidence on the guess; what is left is shared evenly by the other words.

    words: at least two distinct words, the guess among them; confidence: from 0 to 1. Raises ValueError otherwise.
    """
    return spread_distribution((guess,), confidence, words)


def spread_distribution(guesses: Sequence[str], confidence: float, words: Collection[str]) -> dict[str, float]:
    """q = confidence shared evenly by the guesses; what is left is shared evenly by the other words.

    words: distinct, the guesses among them and at least one other; confidence: that one of the guesses is right, from 0
    to 1. Raises ValueError otherwise, and for a guess that is named twice.
    """
    for guess in guesses:
        if guess not in words or len(words) <= len(guesses):
            raise ValueError(f"the guess {guess!r} must be one of more than {len(guesses)} words, got {len(words)}")
    if len(set(guesses)) != len(guesses):
        raise ValueError("a guess is named twice: once is enough")
    if not 0 <= confidence <= 1:  # NaN fails too
        raise ValueError(f"confidence is {confidence}: expected a probability from 0 to 1")
    each, rest = confidence / len(guesses), (1 - confidence) / (len(words) - len(guesses))
    return {word: each if word in guesses else rest for word in words}


def score(q: Mapping[str, float], answer: str) -> float:
    """-log q(answer) in nats: 0 for certainty, inf for a word that q rules out or does not list."""
    probability = q.get(answer, 0.0)
    return 0.0 - math.log(probability) if probability > 0 else math.inf


def limited_to_words(q: Mapping[str, float], count: int = 1) -> dict[str, float]:
    """q as a player may state it: its `count` likeliest words, with the probability that q gives them together.

    These share it evenly and the other words share the rest, and it is kept within a player's limits, see `tempered`.
    If q is the truth, no other `count` words, and no other confidence within the limits, pay less on average.
    """
    guesses = sorted(q, key=q.__getitem__, reverse=True)[:count]
    confidence, _ = tempered(min(sum(q[guess] for guess in guesses), 1.0))  # rounding may pass 1
    return spread_distribution(guesses, confidence, q)


def tempered(confidence: float) -> tuple[float, str]:
    """The confidence, kept from LEAST_CONFIDENCE to MOST_CONFIDENCE, and a sentence that says so if it was not."""
    if not 0 <= confidence <= 1:  # NaN fails too
        raise ValueError(f"confidence is {confidence}: expected a probability from 0 to 1")
    if confidence > MOST_CONFIDENCE:
        return MOST_CONFIDENCE, f"Counted as {MOST_CONFIDENCE:.0%}: sure and wrong would cost infinitely many nats."
    if confidence < LEAST_CONFIDENCE:
        return LEAST_CONFIDENCE, f"Counted as {LEAST_CONFIDENCE:.0%}: a guess ruled out by its own player is no guess."
    return confidence, ""
