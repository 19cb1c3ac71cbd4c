"""One word or another of a noun's sentence is hidden, to see who needs it.

Shape letters: N nouns, T positions.
"""

import numpy as np

from mlm_mini.experiments.probing.nouns import Nouns
from mlm_mini.languages import SceneLanguage

VERB_CLASSES = ("PRESENT_VERBS", "PAST_VERBS", "PARTICIPLES")
NOTHING, VERB, AUXILIARY, BY, DETERMINER = "nothing", "the verb", "is or was", "by", "the determiner"
OTHER_WORD, HALF = "another word", "half of the words"
HIDEABLE = (NOTHING, VERB, AUXILIARY, BY, DETERMINER, OTHER_WORD, HALF)


def hide(language: SceneLanguage, nouns: Nouns, what: str, rng: np.random.Generator) -> np.ndarray:
    """The sentences with [MASK] in place of one word each, (N, T); a sentence without such a word stays whole.

    what: one of HIDEABLE. The determiner is that of the noun. Another word: one that is not the noun, the verb or the
    full stop. Half of the words: each but the noun with chance 1/2. rng: for these two. Raises ValueError for another
    name.
    """
    chosen = words_meant(language, nouns, what)
    if what == OTHER_WORD:
        u = np.where(chosen, rng.random(chosen.shape), -1.0)
        chosen = chosen & (u == u.max(axis=1, keepdims=True))
    if what == HALF:
        chosen = chosen & (rng.random(chosen.shape) < 0.5)
    return np.where(chosen, language.vocabulary.mask_id, nouns.ids)


def hide_noun(language: SceneLanguage, nouns: Nouns, seen: np.ndarray) -> np.ndarray:
    """The same sentences with the noun hidden as well, (N, T)."""
    seen = seen.copy()
    seen[np.arange(len(nouns)), nouns.places] = language.vocabulary.mask_id
    return seen


def words_meant(language: SceneLanguage, nouns: Nouns, what: str) -> np.ndarray:
    """Which positions a name of HIDEABLE stands for, (N, T) bool. Raises ValueError for another name."""
    if what not in HIDEABLE:
        raise ValueError(f"what is {what!r}: expected one of {', '.join(HIDEABLE)}")
    classes = np.array([language.word_class.get(token, "") for token in language.vocabulary.tokens])[nouns.ids]
    at = np.arange(nouns.ids.shape[1])
    if what == NOTHING:
        return np.zeros(nouns.ids.shape, dtype=bool)
    if what == VERB:
        return _first(np.isin(classes, VERB_CLASSES))
    if what == AUXILIARY:
        return classes == "AUXILIARIES"
    if what == BY:
        return nouns.ids == language.vocabulary.ids(["by"])[0]
    if what == DETERMINER:
        before = (classes == "DETERMINERS") & (at < nouns.places[:, None])
        return _first(before[:, ::-1])[:, ::-1]
    others = np.isin(nouns.ids, language.vocabulary.regular_ids) & (at != nouns.places[:, None])
    return others if what == HALF else others & ~np.isin(classes, (*VERB_CLASSES, "PUNCTUATION"))


def _first(chosen: np.ndarray) -> np.ndarray:
    """Of each row the first True alone."""
    return chosen & (chosen.cumsum(axis=1) == 1)
