"""What the words to the right are worth, exactly, in nats: for guessing a word, and for telling whom a pronoun means.

Shape letters: B sentences, T positions.
"""

import numpy as np

from mlm_mini.languages import SceneLanguage


def side_nats(language: SceneLanguage, sentences: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The exact surprisal of one word of each of B sentences, in nats, by what is visible.

    Each is (B,), for the same words. "left": what stands before the word; "right": [CLS] and what stands behind it;
    "both". The right side tells how long a sentence is, by its [SEP] and the padding, whatever its words are:
    "left and length" shows these beside the left side.
    """
    vocabulary, ids = language.vocabulary, language.sample(sentences, rng).ids
    word = np.isin(ids, vocabulary.regular_ids)
    at = np.where(word, rng.random(ids.shape), -1.0).argmax(axis=1)[:, None]  # one word, each with the same chance
    place, rows = np.arange(ids.shape[1]), np.arange(len(ids))
    hidden = {
        "left": place >= at,
        "left and length": (place >= at) & word,
        "right": (place <= at) & (place > 0),
        "both": place == at,
    }
    answers = ids[rows, at[:, 0]]
    return {
        side: -np.log(language.posterior_at(np.where(where, vocabulary.mask_id, ids), at)[rows, 0, answers])
        for side, where in hidden.items()
    }


def referent_nats(language: SceneLanguage, sentences: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The exact surprisal of whom a pronoun means, in nats, before and after its clause: two (B,).

    What counts of `sentences` fresh scenes are those in which a pronoun leaves an even choice between two persons.
    Raises ValueError when there is none.
    """
    sample = language.sample(sentences, rng)
    chosen = sample.referent >= 0
    ids, referent, rows = sample.ids[chosen], sample.referent[chosen], np.arange(chosen.sum())
    pronouns = [i for i, token in enumerate(language.vocabulary.tokens) if language.word_class.get(token) == "PRONOUNS"]
    pronoun = np.isin(ids, pronouns).argmax(axis=1)
    unread = np.where(np.arange(ids.shape[1]) > pronoun[:, None], language.vocabulary.mask_id, ids)
    before = language.referent_posterior(unread)[rows, referent]
    after = language.referent_posterior(ids)[rows, referent]
    even = np.isclose(before, 0.5)
    if not even.any():
        raise ValueError(f"none of {sentences} sentences has a pronoun that leaves an even choice: draw more")
    return -np.log(before[even]), -np.log(after[even])
