"""The scene language with a tail of pure noise: what a strategy wastes its masks on if it only looks for difficulty.

After its words, each sentence has a few codes, drawn uniformly and independently of everything, as a web page has
order numbers and hashes: the chef cuts the bread . x17 x60 x02 x31. Nothing predicts them, and nothing is to be
learned from them once it is known that they are codes. It is a scene language still: a code is one more slot with a
distribution of its own, the same in every scene, so that all exact answers are there.

Shape letters: S scenes, T positions without the codes.
"""

from functools import cache

import numpy as np

from mlm_mini.languages import SceneLanguage, Vocabulary, scene_language

CODES, CODE_WORDS = 4, 64


@cache
def noisy_scenes(codes: int = CODES, code_words: int = CODE_WORDS) -> SceneLanguage:
    """The scene language, each sentence followed by `codes` codes, each one of `code_words` with equal probability.

    Raises ValueError when codes is below 1 or code_words below 2: what is certain is no noise.
    """
    if codes < 1 or code_words < 2:
        raise ValueError(f"codes is {codes} and code_words {code_words}: expected at least 1 code, of at least 2 words")
    scenes = scene_language()
    vocabulary = Vocabulary([*scenes.vocabulary.tokens, *(f"x{i:02d}" for i in range(code_words))])
    distributions = np.zeros((len(scenes.distributions) + 1, len(vocabulary)))
    distributions[:-1, : len(scenes.vocabulary)] = scenes.distributions
    distributions[-1, code_ids(vocabulary)] = 1 / code_words

    S, T = scenes.slot_distribution.shape
    ends = scenes.distributions[scenes.slot_distribution, scenes.vocabulary.sep_id] == 1  # (S, T)
    sep, place = ends.argmax(axis=1)[:, None], np.broadcast_to(np.arange(T + codes), (S, T + codes))
    noise = (sep <= place) & (place < sep + codes)
    source = np.where(place < sep, place, np.maximum(place - codes, 0))  # what followed a sentence follows its codes
    return SceneLanguage(
        vocabulary,
        scenes.prior,
        np.where(noise, len(scenes.distributions), np.take_along_axis(scenes.slot_distribution, source, axis=1)),
        distributions,
        roles=np.where(noise, 0, np.take_along_axis(scenes.roles, source, axis=1)),
        referent=scenes.referent,
        frame=scenes.frame,
        frames=scenes.frames,
        word_class=scenes.word_class | {vocabulary.tokens[i]: "CODES" for i in code_ids(vocabulary)},
    )


def code_ids(vocabulary: Vocabulary) -> np.ndarray:
    """The ids of the codes in the vocabulary of `noisy_scenes`; none in that of the plain scenes."""
    return np.arange(len(scene_language().vocabulary), len(vocabulary))
