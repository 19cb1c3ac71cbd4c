"""The names of the weights: short ones in our modules, Hugging Face's in files and in the NumPy encoder.

They differ in one thing besides the words: queries, keys and values are one matrix here, and three there.
"""

from collections.abc import Iterator, Mapping, Set

import numpy as np
import torch
from torch import Tensor

OUTSIDE = {
    "embeddings.words.weight": ["bert.embeddings.word_embeddings.weight"],
    "embeddings.positions.weight": ["bert.embeddings.position_embeddings.weight"],
    "embeddings.types.weight": ["bert.embeddings.token_type_embeddings.weight"],
    "embeddings.norm": ["bert.embeddings.LayerNorm"],
    "head.dense": ["cls.predictions.transform.dense"],
    "head.norm": ["cls.predictions.transform.LayerNorm"],
    "head.bias": ["cls.predictions.bias"],
}
INSIDE_A_BLOCK = {
    "attention.qkv": ["attention.self.query", "attention.self.key", "attention.self.value"],
    "attention.out": ["attention.output.dense"],
    "attention_norm": ["attention.output.LayerNorm"],
    "expand": ["intermediate.dense"],
    "contract": ["output.dense"],
    "norm": ["output.LayerNorm"],
}


def pairs(blocks: int) -> Iterator[tuple[str, list[str]]]:
    """Each of our names, with the one Hugging Face name, or the three that are stacked on top of each other."""
    table = dict(OUTSIDE)
    for i in range(blocks):
        for ours, theirs in INSIDE_A_BLOCK.items():
            table[f"blocks.{i}.{ours}"] = [f"bert.encoder.layer.{i}.{name}" for name in theirs]
    for ours, theirs in table.items():
        if ours.endswith((".weight", ".bias")):
            yield ours, theirs
        else:
            for end in (".weight", ".bias"):
                yield ours + end, [name + end for name in theirs]


def to_hugging_face(tensors: Mapping[str, Tensor], blocks: int) -> dict[str, Tensor]:
    """Rename a model's weights, or anything with their names and shapes such as gradients; no tensor is copied."""
    return {
        name: piece
        for ours, theirs in pairs(blocks)
        for name, piece in zip(theirs, tensors[ours].chunk(len(theirs)), strict=True)  # (3D, ...) -> 3 x (D, ...)
    }


def from_hugging_face(tensors: Mapping[str, Tensor], blocks: int) -> dict[str, Tensor]:
    """The inverse of `to_hugging_face`, for `load_state_dict`. Raises KeyError for a name that is missing."""
    return {
        ours: torch.cat([tensors[name] for name in theirs]) if len(theirs) > 1 else tensors[theirs[0]]
        for ours, theirs in pairs(blocks)
    }


def to_numpy(tensors: Mapping[str, Tensor], blocks: int) -> dict[str, np.ndarray]:
    """Under Hugging Face's names as float64 arrays, copied: what the functions of `mlm_mini.reference` read."""
    return {
        name: tensor.detach().cpu().double().numpy().copy() for name, tensor in to_hugging_face(tensors, blocks).items()
    }


def likely_cause(names: Set[str], expected: Set[str]) -> str:
    """What most often lies in a folder in place of a BertForMaskedLM, by the names of the weights; or ""."""
    if not any("cls.predictions." in name for name in names):
        return "; without cls.predictions, the head that fills in blanks, it is a model of another task"
    for name in names:
        prefix = name.removesuffix("cls.predictions.bias")
        if prefix not in ("", name) and expected <= {other.removeprefix(prefix) for other in names}:
            return f"; its names are those of a wrapper: save what is inside, by model.{prefix}save_pretrained(folder)"
    return ""
