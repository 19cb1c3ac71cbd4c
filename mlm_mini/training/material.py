"""What to train on, by name: the scene language, the English corpus, or a learner's own files."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mlm_mini.languages import english_tokenizer, english_tokens, read_text_folder, scene_language
from mlm_mini.languages.batches import SampledSentences, TextBlocks, TextSource
from mlm_mini.languages.tokenizer import ENGLISH_SIZE, WordPiece, text_tokenizer, text_tokens
from mlm_mini.model import WordLevel
from mlm_mini.training.config import ALL_MASK, TrainingConfig
from mlm_mini.training.evaluation import EvaluationSet, draw_evaluation
from mlm_mini.training.objectives import by_length

TEXT = 0  # which of a seed's generators draws the text; the others are named in `loop`
EVALUATION_SEED = 2026
EVALUATION_RATIO = 0.15
EVALUATION_SENTENCES, EVALUATION_BLOCKS = 2048, 512
BLOCK_LENGTH = 64


@dataclass(frozen=True)
class Material:
    """All that a run needs beside its configs.

    source: the text to train on. evaluation: other text, with fixed masks. tokenizer: what the ids mean.
    """

    source: TextSource
    evaluation: EvaluationSet
    tokenizer: WordPiece | WordLevel


def find_material(
    language: str | os.PathLike, config: TrainingConfig, length: int = BLOCK_LENGTH, vocabulary_size: int = ENGLISH_SIZE
) -> Material:
    """The material for "scenes", "english", or the text files at a path.

    The evaluation set asks every model of one objective the same: it depends on neither `config.seed` nor the mask
    ratio and split of the training, but has ratio 0.15 and nothing but [MASK]. length and vocabulary_size are for
    real text; a scene has a length of its own.
    Raises what `read_text_folder` raises, for a path where there is no text.
    """
    question = replace(config, mask_ratio=EVALUATION_RATIO, split=ALL_MASK)
    rng = np.random.default_rng(EVALUATION_SEED)
    if language == "scenes":
        return _scenes(config, question, rng)
    if language == "english":
        tokenizer = english_tokenizer(vocabulary_size)
        train, held_out = (english_tokens(split, vocabulary_size) for split in ("train", "validation"))
    else:
        if not Path(language).expanduser().exists():
            raise FileNotFoundError(f'there is no language {str(language)!r}: expected "scenes", "english", or a path')
        corpus = read_text_folder(language)
        tokenizer = text_tokenizer(corpus, vocabulary_size)
        train, held_out = (text_tokens(corpus, split, tokenizer) for split in ("train", "validation"))
    source = TextBlocks(train, tokenizer.vocabulary, length, seed=config.seed)
    blocks = TextBlocks(held_out, tokenizer.vocabulary, length, seed=EVALUATION_SEED)
    ids = blocks.next_batch(min(len(blocks), EVALUATION_BLOCKS))
    return Material(source, draw_evaluation(ids, tokenizer.vocabulary, question, rng), tokenizer)


def _scenes(config: TrainingConfig, question: TrainingConfig, rng: np.random.Generator) -> Material:
    language = scene_language()
    ids = by_length(language.sample(EVALUATION_SENTENCES, rng).ids, language.vocabulary)
    evaluation = draw_evaluation(ids, language.vocabulary, question, rng, language)
    return Material(SampledSentences(language, [config.seed, TEXT]), evaluation, WordLevel(language.vocabulary))
