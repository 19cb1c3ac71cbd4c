"""The languages that a model can learn, one entry each: its text, its recipe, and the models that the course keeps.

A new language is one more entry in LANGUAGES. Whatever trains, keeps or compares models asks the entry.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from mlm_mini.languages import (
    Corpus,
    english_corpus,
    english_tokenizer,
    english_tokens,
    markov_language,
    polya_language,
    read_text_folder,
    scene_language,
)
from mlm_mini.languages.text_quality import warn_of_repeats
from mlm_mini.languages.token_store import TOKENIZERS, VOCABULARY_SIZE, TokenizedText
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import ModelConfig, WordLevel
from mlm_mini.paths import expand_home
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.datasets import BLOCK_LENGTH, Material
from mlm_mini.training.entries import ExactEntry, LanguageEntry
from mlm_mini.training.text_entries import INSTALLED_TEXTS, TextEntry
from mlm_mini.training.token_folder import is_token_folder, token_folder_entry

# Sentences are so short that 15% of one is a word or two. At 35% a model learns more from each batch and comes nearer
# to the floor, at the 15% of the evaluation too. Four parts keep short sentences apart from long ones (see
# `by_length`), so that little padding is computed.
SAMPLED = {"steps": 3400, "batch_size": 128, "micro_batches": 4, "mask_ratio": 0.35, "learning_rate": 3e-3}


class EnglishEntry(TextEntry):
    """The Bible in Basic English."""

    def corpus(self) -> Corpus:
        return english_corpus()

    def _tokenized(self, corpus: Corpus, vocabulary_size: int) -> tuple[FileTokenizer, TokenizedText, TokenizedText]:
        if self.tokenizer != "wordpiece":
            return super()._tokenized(corpus, vocabulary_size)
        sides = (english_tokens(split, vocabulary_size) for split in ("train", "validation"))
        return english_tokenizer(vocabulary_size), *sides


@dataclass(frozen=True, kw_only=True)
class FilesEntry(TextEntry):
    """A learner's own text file or folder. name: its path. endings: as in `read_text_folder`."""

    endings: tuple[str, ...] = ()

    def corpus(self) -> Corpus:
        path = expand_home(self.name)
        if not path.exists() and not path.is_symlink():
            raise FileNotFoundError(f"there is no language {self.name!r}: expected {', '.join(LANGUAGES)}, or a path")
        return read_text_folder(self.name, self.endings)

    def check(
        self, corpus: Corpus, tokenizer: FileTokenizer, train: TokenizedText, held_out: TokenizedText, length: int
    ) -> None:
        """Says also how much of the held-out text stands in the training text."""
        super().check(corpus, tokenizer, train, held_out, length)
        warn_of_repeats(train, held_out, length, self.name)


SHORT = {"size": "tiny", "steps": 800}  # a minute on two cores
OTHER_TEXT = {"size": "tiny", "batch_size": 64, "mask_ratio": 0.15}
LANGUAGES = {
    entry.name: entry
    for entry in (
        ExactEntry(
            name="scenes",
            make=scene_language,
            # With larger steps for the table of words a model needs far fewer steps. Not so for Markov text: the tiny
            # model then stayed 0.38 nats above its floor, in place of 0.22.
            usual=SAMPLED | {"embedding_rate": 3.0},
            # A model comes nearer to the floor when every sentence hides the same share. But if it never meets a
            # sentence with most words hidden, it does badly on one; so one sentence in ten is of that kind. After 3,400
            # steps it was 0.047 nats above the floor with such masks (0.043 to 0.050) and 0.057 without (one seed); at
            # 80% hidden, 0.055 and 0.095. With more decay and a longer memory of squared gradients as well, it was
            # 0.047 (0.044 to 0.049) and 0.052. Three seeds, 8,192 sentences, errors 0.003.
            usual_masks={"method": "fixed", "heavy_share": 0.1, "weight_decay": 0.1, "beta2": 0.995},
            kept={
                "full": {},
                "quick": {"steps": 800},
                "tiny": SHORT | {"mask_ratio": 0.15},
                "tiny, 35%": SHORT | {"mask_ratio": 0.35},
                "tiny, causal": SHORT | {"objective": "causal"},
                "tiny, diffusion": SHORT | {"objective": "diffusion"},
            },
        ),
        # A chain takes 400 steps to see that neighbors matter, an urn none.
        ExactEntry(
            name="markov", make=cache(markov_language), usual=SAMPLED, kept={"tiny": OTHER_TEXT | {"steps": 1200}}
        ),
        ExactEntry(
            name="bursty", make=cache(polya_language), usual=SAMPLED, kept={"tiny": OTHER_TEXT | {"steps": 800}}
        ),
        EnglishEntry(name="english"),
        *INSTALLED_TEXTS,
    )
}


def find_language(
    language: str | os.PathLike, tokenizer: str | FileTokenizer | WordLevel = "wordpiece", endings: Sequence[str] = ()
) -> LanguageEntry:
    """The entry of that name, or one for the text files at a path.

    tokenizer: one of TOKENIZERS, or a tokenizer that a model has learned with.
    endings: of the files to read in a folder; those of `read_text_folder` unless given.
    Raises ValueError for an empty name, another tokenizer, and for one of the two that the language has no use for.
    """
    if not os.fspath(language).strip():
        raise ValueError(f"language is {language!r}: expected {', '.join(LANGUAGES)}, or a path")
    if isinstance(tokenizer, str) and tokenizer not in TOKENIZERS:
        raise ValueError(f"tokenizer is {tokenizer!r}: expected {' or '.join(TOKENIZERS)}")
    if language not in LANGUAGES and is_token_folder(language):
        return token_folder_entry(str(language), tokenizer, endings)
    # pyrefly: ignore[bad-argument-type] a path that is no name finds nothing
    entry = LANGUAGES.get(language) or FilesEntry(name=str(language), endings=tuple(endings))
    if endings and not isinstance(entry, FilesEntry):
        raise ValueError(f"endings are {', '.join(endings)}, but {entry.name} comes with the course: give a folder")
    if isinstance(entry, ExactEntry):
        _check_exact(entry, tokenizer)
        return entry
    if isinstance(tokenizer, WordLevel):
        count = len(tokenizer.vocabulary.regular_ids)
        raise ValueError(
            f"the model to start from knows {count} words of a language of its own, and can read no text such as "
            f"{entry.name}: start from a model of text, or give --language the name of its language"
        )
    return replace(entry, tokenizer=tokenizer)


def _check_exact(entry: ExactEntry, tokenizer: str | FileTokenizer | WordLevel) -> None:
    """An exact language has a vocabulary of its own. Raises ValueError for what is not."""
    if isinstance(tokenizer, str):
        if tokenizer != "wordpiece":
            raise ValueError(f"tokenizer is {tokenizer!r}, but {entry.name} has one token for each word: leave it out")
    elif tokenizer.vocabulary != (words := entry.exact().vocabulary):
        raise ValueError(
            f"the vocabulary of the model to start from, of {len(tokenizer.vocabulary)} tokens, is not that of "
            f"{entry.name}, of {len(words)}: start from a model of {entry.name}, or give --language other text"
        )


def recipe(
    language: str | os.PathLike, *, size: str | ModelConfig = "mini", device: str | None = None, **given
) -> TrainingConfig:
    """The config for a language, with the fields that are given.

    If these say how to mask, or the objective masks nothing, the usual mix of masks is left out: a mask_ratio that is
    given is then the chance of every word in every sentence. The objective "diffusion" has all ratios, and refuses to
    be told how to mask.
    size: a model wider than `mini` has learning rates that are smaller by as much. (After Yang et al. 2021, who would
    leave that of the table of words alone.) Or the shape of a model to start from: then they are a quarter.
    device: as in `choose_device`. A GPU takes a batch in one part unless told otherwise, since a step of a small model
    lasts there as long as it takes to start its operations.
    Raises as `TrainingConfig`, `ModelConfig.of_size` and `choose_device` do.
    """
    return find_language(language).recipe(size, device, **given)


def find_material(
    language: str | os.PathLike,
    config: TrainingConfig,
    length: int = BLOCK_LENGTH,
    vocabulary_size: int = VOCABULARY_SIZE,
    tokenizer: str | FileTokenizer | WordLevel = "wordpiece",
    endings: Sequence[str] = (),
) -> Material:
    """The material for a language by name, or for the text files at a path.

    The evaluation set asks every model of one objective the same: it depends on neither `config.seed` nor the masks of
    the training, but has ratio 0.15 and nothing but [MASK]; for diffusion it has all ratios, weighed.
    length and vocabulary_size are for real text; the sentences of an exact language have a length of their own.
    tokenizer, endings: as in `find_language`.
    Raises what `read_text_folder` raises, for a path where there is no text, and as `find_language`.
    """
    return find_language(language, tokenizer, endings).material(config, length, vocabulary_size)
