"""What to train on, by name: a language with exact answers, the English corpus, or a learner's own files."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mlm_mini.languages import (
    ExactLanguage,
    english_tokenizer,
    english_tokens,
    markov_language,
    polya_language,
    read_text_folder,
    scene_language,
)
from mlm_mini.languages.batches import SampledSentences, TextBlocks, TextSource
from mlm_mini.languages.tokenizer import ENGLISH_SIZE, TokenizedText, WordPiece, text_tokenizer, text_tokens
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import WordLevel
from mlm_mini.training.baselines import Blanks, draw_blanks
from mlm_mini.training.config import ALL_MASK, TrainingConfig
from mlm_mini.training.evaluation import EvaluationSet, draw_evaluation
from mlm_mini.training.objectives import by_length

EXACT = {"scenes": scene_language, "markov": markov_language, "bursty": polya_language}
TEXT = 0  # which of a seed's generators draws the text; the others are named in `loop`
EVALUATION_SEED = 2026
EVALUATION_RATIO = 0.15
EVALUATION_SENTENCES, EVALUATION_BLOCKS = 4096, 512
BLANKS = 2048  # and so many blocks to draw them from, so that few stand in the same
BLOCK_LENGTH = 64


@dataclass(frozen=True)
class Material:
    """All that a run needs beside its configs.

    source: the text to train on. evaluation: other text, with fixed masks. tokenizer: what the ids mean.
    train, blanks: of real text, what models that count may count, and fixed blanks of the evaluation's side to compare
    them at; None for an exact language, where the floor says more, and where the text is too short for blanks.
    """

    source: TextSource
    evaluation: EvaluationSet
    tokenizer: WordPiece | WordLevel
    train: TokenizedText | None = None
    blanks: Blanks | None = None


def find_material(
    language: str | os.PathLike, config: TrainingConfig, length: int = BLOCK_LENGTH, vocabulary_size: int = ENGLISH_SIZE
) -> Material:
    """The material for "scenes", "markov", "bursty", "english", or the text files at a path.

    The evaluation set asks every model of one objective the same: it depends on neither `config.seed` nor the mask
    ratio and split of the training, but has ratio 0.15 and nothing but [MASK]. length and vocabulary_size are for
    real text; a scene has a length of its own.
    Raises what `read_text_folder` raises, for a path where there is no text.
    """
    question = replace(config, mask_ratio=EVALUATION_RATIO, split=ALL_MASK, prediction_ratio=None)
    rng = np.random.default_rng(EVALUATION_SEED)
    if language in EXACT:
        return _exact(EXACT[language](), config, question, rng)
    if language == "english":
        tokenizer = english_tokenizer(vocabulary_size)
        train, held_out = (english_tokens(split, vocabulary_size) for split in ("train", "validation"))
    else:
        if not Path(language).expanduser().exists():
            raise FileNotFoundError(
                f"there is no language {str(language)!r}: expected {', '.join(EXACT)}, english, or a path"
            )
        corpus = read_text_folder(language)
        tokenizer = text_tokenizer(corpus, vocabulary_size)
        train, held_out = (text_tokens(corpus, split, tokenizer) for split in ("train", "validation"))
    source = TextBlocks(train, tokenizer.vocabulary, length, seed=config.seed)
    blocks = TextBlocks(held_out, tokenizer.vocabulary, length, seed=EVALUATION_SEED)
    ids = blocks.next_batch(min(len(blocks), BLANKS))
    evaluation = draw_evaluation(ids[:EVALUATION_BLOCKS], tokenizer.vocabulary, question, rng)
    return Material(source, evaluation, tokenizer, train, _blanks(ids, tokenizer.vocabulary))


def _blanks(ids: np.ndarray, vocabulary: Vocabulary) -> Blanks | None:
    try:
        return draw_blanks(ids, vocabulary, BLANKS, np.random.default_rng(EVALUATION_SEED))
    except ValueError:  # a model of so little text is compared with nothing
        return None


def _exact(
    language: ExactLanguage, config: TrainingConfig, question: TrainingConfig, rng: np.random.Generator
) -> Material:
    ids = by_length(language.sample(EVALUATION_SENTENCES, rng).ids, language.vocabulary)
    evaluation = draw_evaluation(ids, language.vocabulary, question, rng, language)
    return Material(SampledSentences(language, [config.seed, TEXT]), evaluation, WordLevel(language.vocabulary))
