"""One sentence of any words under masks, as it is drawn before a learner's eyes.

Shape letters: T tokens, [CLS] and [SEP] included.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.languages.scene_grammar import scene_language
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.languages.words import split_words_and_masks
from mlm_mini.reference import corrupt, maskable_positions, select_positions

LONGEST = 48  # tokens; a model's input has a limit too, and a pasted book would fill the page


@dataclass(frozen=True)
class DrawnSentence:
    """A sentence, and what is hidden of it.

    words, read: T tokens, as they were written and as the model reads them. maskable: (T,) bool, the tokens that may be
    selected. selected: (T,) bool, those that are; asked: (T,) bool, those of them that are to be predicted. cut: how
    many tokens were left out because the sentence is too long.
    """

    words: tuple[str, ...]
    read: tuple[str, ...]
    maskable: np.ndarray
    selected: np.ndarray
    asked: np.ndarray
    cut: int

    @property
    def fates(self) -> dict[str, np.ndarray]:
        """Which of the selected tokens read [MASK], another token, or what they were: (T,) bool each, in this order.

        A random token that happens to be the old one counts as kept: the model could not tell either.
        """
        masked = np.array([token == "[MASK]" for token in self.read]) & self.selected
        changed = np.array([new != old for new, old in zip(self.read, self.words, strict=True)]) & self.selected
        return {"masked": masked, "random": changed & ~masked, "kept": self.selected & ~changed}

    def chance_of_none(self, mask_ratio: float) -> float:
        """That of selecting no token at this ratio."""
        return (1 - mask_ratio) ** int(self.maskable.sum())


def corrupt_sentence(
    sentence: str, mask_ratio: float, rng: np.random.Generator, fates_rng: np.random.Generator
) -> DrawnSentence:
    """Selects tokens of any sentence with probability mask_ratio, asks for all of them, and corrupts them 80/10/10.

    rng: for the selection; fates_rng: for what becomes of it. From the same two a larger ratio selects the same tokens
    and more, and none changes its fate. Raises ValueError for a ratio outside [0, 1].
    """
    vocabulary, ids, cut = encode_any(sentence)
    selected = select_positions(maskable_positions(ids, vocabulary.special_ids), mask_ratio, rng)
    read = corrupt(ids, selected, vocabulary.mask_id, vocabulary.regular_ids, fates_rng)
    return _drawn(vocabulary, ids, read, selected, selected, cut)


def hide_and_ask(
    sentence: str, mask_ratio: float, prediction_ratio: float, rng: np.random.Generator, asked_rng: np.random.Generator
) -> DrawnSentence:
    """Hides tokens of any sentence, all as [MASK], and asks for some of these, as training does with two ratios.

    prediction_ratio: the share of all tokens that is asked for, at most mask_ratio. rng: for what is hidden; asked_rng:
    for what of it is asked for. From the same two a larger mask_ratio hides the same tokens and more.
    Raises ValueError for a mask_ratio that is no share above 0, or a prediction_ratio that is larger.
    """
    if not 0 <= prediction_ratio <= mask_ratio or not mask_ratio:
        raise ValueError(f"prediction_ratio is {prediction_ratio}: expected a share up to mask_ratio, {mask_ratio}")
    vocabulary, ids, cut = encode_any(sentence)
    hidden = select_positions(maskable_positions(ids, vocabulary.special_ids), mask_ratio, rng)
    asked = select_positions(hidden, prediction_ratio / mask_ratio, asked_rng)
    return _drawn(vocabulary, ids, np.where(hidden, vocabulary.mask_id, ids), hidden, asked, cut)


def _drawn(vocabulary, ids, read, selected, asked, cut) -> DrawnSentence:
    words, read = (tuple(vocabulary.words(tokens)) for tokens in (ids, read))
    return DrawnSentence(words, read, maskable_positions(ids, vocabulary.special_ids), selected, asked, cut)


def encode_any(sentence: str) -> tuple[Vocabulary, np.ndarray, int]:
    """The scene language's vocabulary with the words that it lacks, the ids (T,) of any sentence, and how many tokens
    were cut off because there are more than LONGEST.

    Words and punctuation marks are tokens, and so is a word in brackets, such as [MASK]; case makes no difference.
    """
    words = [word.upper() if word.startswith("[") else word.lower() for word in split_words_and_masks(sentence)]
    vocabulary = Vocabulary(dict.fromkeys((*scene_language().vocabulary.tokens, *words[:LONGEST])))
    ids = vocabulary.ids(["[CLS]", *words[:LONGEST], "[SEP]"])
    return vocabulary, ids, max(0, len(words) - LONGEST)


def expected_count(n: int, p: float) -> tuple[float, float]:
    """Mean and standard deviation of the number of successes among n independent draws of probability p."""
    return n * p, (n * p * (1 - p)) ** 0.5
