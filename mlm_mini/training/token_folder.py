"""Text that was tokenized beforehand: a folder that `write_token_folder` makes, and that many processes then read."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlm_mini.languages.shards import SHARD_CHARACTERS, SHARD_INDEX, TextShards, write_shards
from mlm_mini.languages.token_store import VOCABULARY_SIZE, read_tokens, text_tokenizer, write_tokens
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import WordLevel, load_tokenizer
from mlm_mini.model.files import TOKENIZER
from mlm_mini.paths import expand_home
from mlm_mini.storage import sha256, write_atomically
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.datasets import Material, held_out_questions
from mlm_mini.training.entries import LanguageEntry
from mlm_mini.training.text_entries import REAL_TEXT, TextEntry

HELD_OUT_TOKENS = "held-out.npy"


@dataclass(frozen=True, kw_only=True)
class TokenFolderEntry(LanguageEntry):
    """name: the folder. Its text is not read before a batch is, so that nothing is said of how well it suits."""

    usual: Mapping = field(default_factory=lambda: REAL_TEXT)
    tokenizer: FileTokenizer

    @property
    def folder(self) -> Path:
        return expand_home(self.name)

    def text(self) -> list[str]:
        return [sha256(self.folder / SHARD_INDEX)]

    def count_tokens(self) -> int:
        return len(self.tokenizer.vocabulary)

    def material(self, config: TrainingConfig, length: int, vocabulary_size: int) -> Material:
        if vocabulary_size not in (VOCABULARY_SIZE, self.count_tokens()):
            raise ValueError(
                f"vocabulary_size is {vocabulary_size}, but {self.name} was tokenized with {self.count_tokens()} "
                "tokens: leave --vocabulary-size out"
            )
        source = TextShards(self.folder, self.tokenizer.vocabulary, length, config.seed)
        held_out = read_tokens(self.folder / HELD_OUT_TOKENS, self.tokenizer.vocabulary)
        evaluation, _ = held_out_questions(self.tokenizer, held_out, config, length)
        return Material(source, evaluation, self.tokenizer)


def write_token_folder(
    entry: TextEntry, folder: Path, vocabulary_size: int, characters: int = SHARD_CHARACTERS
) -> list[dict]:
    """Tokenize the text of an entry once and for all; returns what the index says of each file.

    Raises FileExistsError where there is something already, and as `text_tokenizer` and `write_shards`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: choose another folder for the tokens")
    corpus, tokenizer = entry.corpus(), entry.tokenizer
    if isinstance(tokenizer, str):
        tokenizer = text_tokenizer(corpus, vocabulary_size, tokenizer)
    train, held_out = ([d.lines() for d in corpus.split(split).documents] for split in ("train", "validation"))
    write_atomically(folder / TOKENIZER, lambda file: file.write_text(tokenizer.to_json(), encoding="utf-8"))
    write_atomically(folder / HELD_OUT_TOKENS, lambda file: write_tokens(file, tokenizer, held_out))
    return write_shards(folder, tokenizer, train, characters)["shards"]


def is_token_folder(path: str | os.PathLike) -> bool:
    return (expand_home(path) / SHARD_INDEX).is_file()


def token_folder_entry(
    name: str, tokenizer: str | FileTokenizer | WordLevel = "wordpiece", endings: Sequence[str] = ()
) -> TokenFolderEntry:
    """The entry of a folder. tokenizer: of a model to start from, if it is none's name.

    Raises ValueError for another tokenizer than the folder's own, and for endings; and as `load_tokenizer`.
    """
    own = load_tokenizer(expand_home(name))
    other = not isinstance(tokenizer, str) and tokenizer.vocabulary != own.vocabulary
    if other or tokenizer == "characters" or endings:
        raise ValueError(
            f"{name} was tokenized beforehand, with a vocabulary of {len(own.vocabulary)} tokens: leave --tokenizer "
            "and --ending out, and start from a model of the same tokenizer"
        )
    # pyrefly: ignore[bad-argument-type] `tokenize` writes no other
    return TokenFolderEntry(name=name, tokenizer=own)
