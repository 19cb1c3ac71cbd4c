"""Models in and out of Hugging Face's folders: config.json, model.safetensors, tokenizer.json.

Nothing is ever unpickled: a pickle can run any code when it is opened, a safetensors file holds numbers only.
"""

import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.languages.vocabulary import CLS, MASK, PAD, SEP, UNK, Vocabulary
from mlm_mini.model.config import ModelConfig
from mlm_mini.model.encoder import MaskedLM
from mlm_mini.model.files import (
    CONFIG,
    SHARDS,
    TOKENIZER,
    TOKENIZER_CONFIG,
    WEIGHTS,
    as_json,
    check_model_file,
    read_json_object,
)
from mlm_mini.model.names import from_hugging_face, likely_cause, to_hugging_face
from mlm_mini.model.trained_length import TRAINED_LENGTH, check_trained_length, note_trained_length, trained_length
from mlm_mini.model.word_level import WordLevel
from mlm_mini.quoting import on_one_line, quoted
from mlm_mini.storage import write_atomically

# Fields of a config.json that change what a BERT computes, and the one value of each that this encoder implements.
# They are also the defaults, so that a field which is absent is fine.
IMPLEMENTED = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "tie_word_embeddings": True,
    "is_decoder": False,
    "is_causal": False,
    "add_cross_attention": False,
    "pruned_heads": {},
    "quantization_config": None,
}
# Weights of BERT's other tasks, and a table of 0, 1, 2 ... that old versions stored: no part of this model.
NOT_NEEDED = ("bert.pooler.", "cls.seq_relationship.", "bert.embeddings.position_ids")
OLD_ENDINGS = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
TIED = {
    "cls.predictions.decoder.weight": "bert.embeddings.word_embeddings.weight",
    "cls.predictions.decoder.bias": "cls.predictions.bias",
}

LARGEST = 10**13  # of a number in a config: far beyond any model, and small enough to be multiplied
SLACK = 2**16  # a config that is off by more weights is called absurd; otherwise names are compared
PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl"}
HOW_TO_CONVERT = (
    "Pickled weights (.bin, .pt) can run any code when they are opened; if you trust their author, convert them once "
    "with transformers.AutoModelForMaskedLM.from_pretrained(folder).save_pretrained(new_folder)."
)


@dataclass(frozen=True)
class LoadReport:
    """Which weights of a checkpoint had an older name, and which were not used: names as they are in the file.

    renamed: weights that were loaded, and have another name today (gamma and beta of a LayerNorm, the decoder's bias).
    ignored: weights of the pooler and the next-sentence task, and second copies of weights that are tied.
    """

    renamed: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = []
        if self.renamed:
            parts.append(f"{len(self.renamed)} weights had old names ({self.renamed[0]} ...)")
        if self.ignored:
            parts.append(f"not needed and left out: {', '.join(self.ignored)}")
        return "; ".join(parts) or "every weight was expected under its name"


def load_pretrained(folder: str | os.PathLike) -> tuple[MaskedLM, LoadReport]:
    """The model of a folder that holds a BertForMaskedLM or BertForPreTraining, in float32 on the CPU, in eval mode.

    Reads config.json, and model.safetensors or its shards. Raises FileNotFoundError when one is missing, ValueError
    for a file that cannot be read, a config field that this encoder does not implement, or weights that are missing,
    unexpected, of another shape, NaN or infinite; the message names them. Files with pickled weights are refused.
    """
    folder = Path(folder)
    _refuse_pickles(folder)
    config, length = read_config(folder)
    weights, report = _canonical(_read_weights(folder), folder)
    _check_size(weights, config, folder)
    model = MaskedLM(config, generator=None)
    _check_weights(weights, to_hugging_face(model.state_dict(), config.num_hidden_layers), folder)
    # Copies, because what is read may be a view of the file, which could then not be replaced on Windows.
    weights = {name: tensor.to(torch.float32, copy=True) for name, tensor in weights.items()}
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{folder}: {name} holds NaN or infinite numbers, in float32: the weights are damaged")
    model.load_state_dict(from_hugging_face(weights, config.num_hidden_layers), assign=True)
    return note_trained_length(model.eval(), length), report


def save_pretrained(
    model: MaskedLM, folder: str | os.PathLike, tokenizer: FileTokenizer | WordLevel | Vocabulary
) -> None:
    """Write a folder that `load_pretrained`, AutoModelForMaskedLM and pipeline("fill-mask") open.

    A Vocabulary stands for its tokens as words. The weights are stored in float32, each file atomically. The length
    that the model was trained at, where it is noted, becomes the tokenizer's model_max_length and an extra field of
    config.json, which transformers ignores.
    Raises ValueError when the vocabulary is not of the model's size.
    """
    folder = Path(folder)
    config = model.config
    tokenizer = WordLevel(tokenizer) if isinstance(tokenizer, Vocabulary) else tokenizer
    if len(tokenizer.vocabulary) != config.vocab_size:
        raise ValueError(
            f"the vocabulary has {len(tokenizer.vocabulary)} tokens and the model {config.vocab_size}: "
            "save the model with the tokenizer that it was trained with"
        )
    tensors = to_hugging_face(model.state_dict(), config.num_hidden_layers)
    # Copies, because queries, keys and values share their memory, which the format does not allow.
    tensors = {name: tensor.to("cpu", torch.float32, copy=True) for name, tensor in tensors.items()}
    contents = {
        TOKENIZER: tokenizer.to_json(),
        TOKENIZER_CONFIG: as_json(_tokenizer_config(trained_length(model) or config.max_position_embeddings)),
        CONFIG: as_json(_hugging_face_config(model, tokenizer.vocabulary)),
    }
    # The large file first: if the disk is full, nothing of an older model in the folder has been touched.
    metadata = {"format": "pt"}  # transformers asks which framework wrote the file
    write_atomically(folder / WEIGHTS, lambda file: safetensors.torch.save_file(tensors, file, metadata))
    for name, content in contents.items():
        write_atomically(folder / name, lambda file, content=content: file.write_text(content, encoding="utf-8"))


# ---------------------------------------------------------------- configs


def read_config(folder: Path) -> tuple[ModelConfig, int | None]:
    """The config.json of a folder, and the length trained at where it says so. Raises as `load_pretrained` does."""
    path = folder / CONFIG
    given = read_json_object(path)
    for name, value in IMPLEMENTED.items():
        if given.get(name, value) != value:
            raise ValueError(f"{path}: {name} is {quoted(given[name])}; this encoder implements {value!r} only")
    for field in fields(ModelConfig):
        if isinstance(given.get(field.name), int) and given[field.name] > LARGEST:
            raise ValueError(f"{path}: {field.name} is {quoted(given[field.name])}: expected at most {LARGEST}")
    try:
        config = ModelConfig(**{field.name: given[field.name] for field in fields(ModelConfig) if field.name in given})
        check_trained_length(given.get(TRAINED_LENGTH), config.max_position_embeddings)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path}: {on_one_line(error)}") from error
    return config, given.get(TRAINED_LENGTH)


def _hugging_face_config(model: MaskedLM, vocabulary: Vocabulary) -> dict:
    fixed = {"architectures": ["BertForMaskedLM"], "model_type": "bert", "hidden_act": "gelu"}
    fixed |= {"tie_word_embeddings": True, "pad_token_id": vocabulary.pad_id}
    length = trained_length(model)
    return fixed | asdict(model.config) | ({} if length is None else {TRAINED_LENGTH: length})


def _tokenizer_config(longest: int) -> dict:
    tokens = {"pad_token": PAD, "unk_token": UNK, "cls_token": CLS, "sep_token": SEP, "mask_token": MASK}
    # The class that takes tokenizer.json as it is; BertTokenizer would rebuild its own from the list of tokens.
    return {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": longest} | tokens


# ---------------------------------------------------------------- weights


def _refuse_pickles(folder: Path) -> None:
    if folder.is_file():
        raise ValueError(f"{folder} is a file: expected the folder that holds {CONFIG} and {WEIGHTS}. {HOW_TO_CONVERT}")
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}")
    pickles = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickles and not (folder / WEIGHTS).is_file() and not (folder / SHARDS).is_file():
        raise ValueError(f"{folder} has its weights in {pickles[0]} only, and is not opened. {HOW_TO_CONVERT}")


def _read_weights(folder: Path) -> dict[str, Tensor]:
    files = [folder / WEIGHTS]
    if not files[0].is_file() and (folder / SHARDS).is_file():
        shards = read_json_object(folder / SHARDS).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(file, str) for file in shards.values()):
            raise ValueError(f"{folder / SHARDS} has no weight_map, which says where each weight is")
        files = [folder / Path(file).name for file in sorted(set(shards.values()))]  # beside the index, nowhere else
    weights = {}
    for file in files:
        check_model_file(file)
        try:
            weights |= safetensors.torch.load_file(file)
        except safetensors.SafetensorError as error:
            raise ValueError(f"{file} is not a safetensors file, or is cut short: {on_one_line(error)}") from error
    return weights


def _canonical(stored: dict[str, Tensor], folder: Path) -> tuple[dict[str, Tensor], LoadReport]:
    """The weights under their present names, each once."""
    weights, renamed, ignored = {}, [], []
    for name, tensor in sorted(stored.items()):
        old = next((end for end in OLD_ENDINGS if name.endswith(end)), None)
        if name.startswith(NOT_NEEDED):
            ignored.append(name)
        elif old:
            renamed.append(name)
            weights[name.removesuffix(old) + OLD_ENDINGS[old]] = tensor
        else:
            weights[name] = tensor
    for copy, original in TIED.items():
        if copy in weights:
            tensor = weights.pop(copy)
            (ignored if original in weights else renamed).append(copy)
            if not torch.equal(weights.setdefault(original, tensor), tensor):
                raise ValueError(f"{folder}: {copy} differs from {original}; this encoder has one weight for both")
    return weights, LoadReport(tuple(renamed), tuple(ignored))


def _check_size(weights: dict[str, Tensor], config: ModelConfig, folder: Path) -> None:
    """A config that describes far more than the files hold is refused before anything of its size is made."""
    stored, described = sum(tensor.numel() for tensor in weights.values()), config.count_parameters()
    if described > 4 * stored + SLACK:
        raise ValueError(
            f"{folder}: {CONFIG} describes a model of {described:.3g} weights ({4 * described / 1e9:.3g} GB), and the "
            f"files hold {stored:.3g}: its sizes are wrong"
        )


def _check_weights(weights: dict[str, Tensor], expected: dict[str, Tensor], folder: Path) -> None:
    lacks, adds = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
    if lacks or adds:
        problems = [f"it {verb} {_some(names)}" for verb, names in (("lacks", lacks), ("adds", adds)) if names]
        raise ValueError(
            f"{folder} does not hold the BertForMaskedLM that its {CONFIG} describes: {', '.join(problems)}"
            f"{likely_cause(weights.keys(), expected.keys())}"
        )
    for name, tensor in weights.items():
        shape, wanted = tuple(tensor.shape), tuple(expected[name].shape)
        if shape != wanted:
            raise ValueError(f"{folder}: {name} has shape {shape}, but {CONFIG} says {wanted}")
        if not tensor.is_floating_point():
            raise ValueError(f"{folder}: {name} has dtype {tensor.dtype}; quantized weights are not implemented")


def _some(names: list[str], shown: int = 4) -> str:
    """Enough of many names to see the pattern."""
    return ", ".join(on_one_line(name, 80) for name in names[:shown]) + (
        f" and {len(names) - shown} more" if len(names) > shown else ""
    )
