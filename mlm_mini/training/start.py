"""A model to start from, of the course or of Hugging Face: its weights learn on, and its tokenizer cuts the text."""

import os
from dataclasses import dataclass
from pathlib import Path

from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import (
    MaskedLM,
    ModelConfig,
    WordLevel,
    load_pretrained,
    load_tokenizer,
    note_trained_length,
    trained_length,
)
from mlm_mini.model.files import CONFIG
from mlm_mini.paths import expand_home
from mlm_mini.training.checkpoint import has_checkpoint
from mlm_mini.training.out_folder import CHECKPOINTS

OF_ITS_OWN = {"size": "a shape", "vocabulary_size": "a vocabulary", "tokenizer": "a tokenizer"}
FROM_THE_HUB = (
    "a model of the Hugging Face Hub becomes a folder with AutoModelForMaskedLM.from_pretrained(name)"
    ".save_pretrained(folder), and the same with AutoTokenizer"
)


@dataclass(frozen=True)
class Start:
    """What a run starts from. folder: where model and tokenizer lie."""

    folder: Path
    model: MaskedLM
    tokenizer: FileTokenizer | WordLevel

    def check_options(self, **options: str | int | None) -> None:
        """Raises ValueError for the first option that is not None: what it says is settled by the folder."""
        for name, value in options.items():
            if value is not None:
                raise ValueError(
                    f"{name} is {value!r}, but the model in {self.folder}, to start from, has {OF_ITS_OWN[name]} of "
                    f"its own: leave --{name.replace('_', '-')} out"
                )

    def shape(self, length: int) -> ModelConfig:
        """That of the model. Raises ValueError where it has no positions for rows of `length` tokens."""
        positions = self.model.config.max_position_embeddings
        if length > positions:
            raise ValueError(
                f"length is {length}, but the model in {self.folder}, to start from, has {positions} positions: choose "
                f"--length {positions} or less, or another model"
            )
        return self.model.config

    def length_after(self, length: int) -> int | None:
        """The trained length once rows of `length` tokens were learned. None where nobody knows what it was before."""
        before = trained_length(self.model)
        return None if before is None else max(before, length)


def open_start(folder: str | os.PathLike) -> Start:
    """The model and the tokenizer of any folder in Hugging Face's format, to start from, whatever it was trained for.

    Raises FileNotFoundError where there is no such folder, or no model in it yet; and as `open_folder`.
    """
    if not os.fspath(folder).strip():
        raise ValueError(f"--from is {os.fspath(folder)!r}: expected the folder of a model")
    folder = expand_home(folder)
    return Start(folder, *open_folder(folder))


def open_folder(folder: Path, usual_length: int | None = None) -> tuple[MaskedLM, FileTokenizer | WordLevel]:
    """The model and the tokenizer of a folder, whatever the model was trained for.

    usual_length: what an older folder, which does not say so, was trained at; None where nobody knows.
    Raises as `load_pretrained` and `load_tokenizer`, FileNotFoundError for a run that has not ended, and ValueError for
    a tokenizer of another model.
    """
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {folder}: name where it is now; {FROM_THE_HUB}")
    if has_checkpoint(folder / CHECKPOINTS) and not (folder / CONFIG).exists():
        raise FileNotFoundError(f"{folder} holds a run that has not ended: end it with train --resume first")
    model, _ = load_pretrained(folder)
    tokenizer = load_tokenizer(folder)
    if len(tokenizer.vocabulary) != model.config.vocab_size:
        raise ValueError(
            f"in {folder} the tokenizer has {len(tokenizer.vocabulary)} tokens and the model {model.config.vocab_size}"
            ": bring the tokenizer that the model was trained with; if it is, save both anew with transformers "
            "after model.resize_token_embeddings(len(tokenizer))"
        )
    return note_trained_length(model, trained_length(model) or usual_length), tokenizer
