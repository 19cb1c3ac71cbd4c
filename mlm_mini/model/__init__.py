"""The encoder in PyTorch, the shapes it comes in, where it runs, and its home in Hugging Face's folders."""

from mlm_mini.model.config import ModelConfig
from mlm_mini.model.device import autocast, choose_device, deterministic
from mlm_mini.model.encoder import MaskedLM
from mlm_mini.model.files import MODEL_FILES
from mlm_mini.model.huggingface import LoadReport, load_pretrained, save_pretrained
from mlm_mini.model.names import from_hugging_face, to_hugging_face, to_numpy
from mlm_mini.model.tokenizer_file import load_tokenizer
from mlm_mini.model.trained_length import TRAINED_LENGTH, note_trained_length, trained_length
from mlm_mini.model.word_level import WordLevel

__all__ = [
    "MODEL_FILES",
    "TRAINED_LENGTH",
    "LoadReport",
    "MaskedLM",
    "ModelConfig",
    "WordLevel",
    "autocast",
    "choose_device",
    "deterministic",
    "from_hugging_face",
    "load_pretrained",
    "load_tokenizer",
    "note_trained_length",
    "save_pretrained",
    "to_hugging_face",
    "to_numpy",
    "trained_length",
]
