"""One sentence as it is written, step by step: what a reader can watch.

Shape letters: T positions, n tokens of the sentence, [CLS] and [SEP] included.
"""

from dataclasses import dataclass

import numpy as np

from mlm_mini.experiments.writing.floor_area import entropy_given_frame
from mlm_mini.experiments.writing.readers import Filler
from mlm_mini.experiments.writing.unmasking import Unmasked, unmask
from mlm_mini.languages import ExactLanguage


@dataclass(frozen=True)
class WrittenSentence:
    """steps: of which it was written in. stages: for step 0, 1 ... steps the n tokens that stand there after it. step:
    (n,) at which each was filled in, 0 for [CLS] and [SEP]; surprisal: (n,) nats of it then. possible: for each stage,
    whether the language can still produce it. nats: -log p(sentence) by the language, given the length; inf where it
    is impossible."""

    steps: int
    stages: tuple[tuple[str, ...], ...]
    step: np.ndarray
    surprisal: np.ndarray
    possible: tuple[bool, ...]
    nats: float


def frame_of(language: ExactLanguage, words: int) -> np.ndarray:
    """A sentence of so many hidden words: (1, T) ids. Raises ValueError, with the numbers there are, for others."""
    vocabulary, lengths = language.vocabulary, sentence_lengths(language)
    if words not in lengths:
        raise ValueError(f"words is {words}: expected one of {', '.join(map(str, lengths))}, as the language has it")
    return _frame(language, words, vocabulary.mask_id)


def _frame(language: ExactLanguage, words: int, mask_id: int) -> np.ndarray:
    ids = np.full((1, language.length), language.vocabulary.pad_id, dtype=np.int64)
    ids[0, 0], ids[0, 1 : words + 1], ids[0, words + 1] = (
        language.vocabulary.cls_id,
        mask_id,
        language.vocabulary.sep_id,
    )
    return ids


def sentence_lengths(language: ExactLanguage) -> list[int]:
    """How many words a sentence of the language may have, rising."""
    mask_id = language.vocabulary.mask_id
    frames = np.concatenate([_frame(language, words, mask_id) for words in range(1, language.length - 1)])
    return [words for words, p in enumerate(language.log_marginal(frames), start=1) if np.isfinite(p)]


def write_sentence(
    reader: Filler, language: ExactLanguage, words: int, steps: int, order: str, seed: int
) -> WrittenSentence:
    """A sentence of so many words, unmasked in so many steps. Raises as `frame_of` and `unmask`."""
    mask_id = language.vocabulary.mask_id
    written = unmask(reader, frame_of(language, words), mask_id, steps, np.random.default_rng(seed), order)
    stages = np.concatenate([written.after(step, mask_id) for step in range(steps + 1)])
    possible = np.isfinite(language.log_marginal(stages))
    return _as_words(
        written, stages[:, : words + 2], possible, float(entropy_given_frame(language, written.ids)[0]), language
    )


def _as_words(
    written: Unmasked, stages: np.ndarray, possible: np.ndarray, nats: float, language: ExactLanguage
) -> WrittenSentence:
    n = stages.shape[1]
    tokens = tuple(tuple(language.vocabulary.words(stage)) for stage in stages)
    return WrittenSentence(
        len(stages) - 1, tokens, written.step[0, :n], written.surprisal[0, :n], tuple(possible.tolist()), nats
    )
