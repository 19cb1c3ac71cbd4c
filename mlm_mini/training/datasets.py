"""What a run reads: the text to train on, and the fixed questions that it is evaluated with."""

from dataclasses import dataclass, replace

import numpy as np

from mlm_mini.languages.batches import SampledSentences, TextBlocks, TextSource
from mlm_mini.languages.exact import ExactLanguage
from mlm_mini.languages.token_store import TokenizedText
from mlm_mini.languages.tokenizer import FileTokenizer, WordPiece
from mlm_mini.languages.vocabulary import Vocabulary
from mlm_mini.model import WordLevel
from mlm_mini.reference import maskable_positions
from mlm_mini.seeds import EVALUATION_SEED, Stream, generator
from mlm_mini.training.baselines import Blanks, draw_blanks
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.evaluation import EvaluationSet, draw_evaluation
from mlm_mini.training.masking import Masking
from mlm_mini.training.objectives import by_length

EVALUATION_RATIO = 0.15
EVALUATION_SENTENCES, EVALUATION_BLOCKS = 4096, 512
BLOCK_LENGTH = 64
BLANKS = 2048  # drawn from as many blocks, so that few blanks stand in the same one
# Whatever an evaluation depends on, the text aside. It is part of a model's name in the cache: two models that were
# asked different questions have different names.
EVALUATED_BY = (EVALUATION_SEED, EVALUATION_RATIO, EVALUATION_SENTENCES, EVALUATION_BLOCKS, BLOCK_LENGTH)


@dataclass(frozen=True)
class Material:
    """All that a run needs, its configs aside.

    source: the text to train on. evaluation: other text, with fixed masks. tokenizer: what the ids mean.
    train, blanks: for real text, the training tokens, from which models that count learn, and fixed blanks in held-out
    text, at which they and the model are compared. Both are None for an exact language, whose floor says more, and
    blanks also where the text is too short.
    """

    source: TextSource
    evaluation: EvaluationSet
    tokenizer: FileTokenizer | WordLevel
    train: TokenizedText | None = None
    blanks: Blanks | None = None


def exact_material(language: ExactLanguage, config: TrainingConfig) -> Material:
    """Fresh sentences to train on, and an evaluation set with its Bayes floor."""
    rng = generator(EVALUATION_SEED, Stream.EVALUATION)
    ids = by_length(language.sample(EVALUATION_SENTENCES, rng).ids, language.vocabulary)
    evaluation = draw_evaluation(ids, language.vocabulary, _fixed_question(config), rng, language)
    return Material(SampledSentences(language, config.seed), evaluation, WordLevel(language.vocabulary))


def text_material(
    tokenizer: FileTokenizer, train: TokenizedText, held_out: TokenizedText, config: TrainingConfig, length: int
) -> Material:
    """Blocks of `length` tokens of real text, and blanks to compare the model with models that count.

    Raises ValueError when the held-out text has too few known tokens to ask for any.
    """
    source = TextBlocks(train, tokenizer.vocabulary, length, seed=config.seed)
    evaluation, blanks = held_out_questions(tokenizer, held_out, config, length)
    return Material(source, evaluation, tokenizer, train, blanks)


def held_out_questions(
    tokenizer: FileTokenizer, held_out: TokenizedText, config: TrainingConfig, length: int
) -> tuple[EvaluationSet, Blanks | None]:
    """What is asked of held-out text: an evaluation set, and blanks. Raises ValueError as `text_material`."""
    blocks = TextBlocks(held_out, tokenizer.vocabulary, length, seed=EVALUATION_SEED)
    ids = blocks.next_batch(min(len(blocks), BLANKS))
    rng = generator(EVALUATION_SEED, Stream.EVALUATION)
    asked = ids[:EVALUATION_BLOCKS]
    try:
        evaluation = draw_evaluation(asked, tokenizer.vocabulary, _fixed_question(config), rng)
    except ValueError:  # in which no token was selected
        known = int(maskable_positions(asked, tokenizer.vocabulary.special_ids).sum())
        anew = ", or train anew with --tokenizer characters, which makes more of it"
        more = anew if isinstance(tokenizer, WordPiece) else ""
        raise ValueError(
            f"there is too little held-out text: {known} known tokens, of which {EVALUATION_RATIO:.0%} would be hidden "
            f"to test a model on, and none was; bring more text{more}"
        ) from None
    return evaluation, _blanks(ids, tokenizer.vocabulary)


def _fixed_question(config: TrainingConfig) -> TrainingConfig:
    """The question for every model of one objective, however it was trained: ratio 0.15, and nothing but [MASK].

    A diffusion objective has no ratio that could be another: its question is all of them.
    """
    if config.objective == "diffusion":
        return config
    return replace(config, masking=Masking(mask_ratio=EVALUATION_RATIO))


def _blanks(ids: np.ndarray, vocabulary: Vocabulary) -> Blanks | None:
    try:
        return draw_blanks(ids, vocabulary, BLANKS, generator(EVALUATION_SEED, Stream.EVALUATION, 1))
    except ValueError:  # too little text: the model is then compared with nothing
        return None
