"""Models in folders: a run from its beginning to a folder that others open."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from mlm_mini.languages.tokenizer import ENGLISH_SIZE, WordPiece
from mlm_mini.model import (
    MaskedLM,
    ModelConfig,
    WordLevel,
    choose_device,
    load_pretrained,
    load_tokenizer,
    save_pretrained,
)
from mlm_mini.storage import write_atomically
from mlm_mini.training.baselines import Comparison, compare_with_counting
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.loop import TrainingResult, train
from mlm_mini.training.material import BLOCK_LENGTH, EXACT, Material, find_material
from mlm_mini.training.progress import Reporter

SIZES = ("tiny", "mini", "small", "base")
CHECKPOINTS, SUMMARY = "checkpoints", "training.json"

# What is not said is as here. Sentences so short that 15% of them are one or two words: more to learn from at a time
# brings the model nearer to the floor, at the ratio of the evaluation too. Parts keep padding apart (see `by_length`).
SAMPLED = {"steps": 3400, "batch_size": 128, "micro_batches": 4, "mask_ratio": 0.35, "learning_rate": 3e-3}
# Larger steps for the table of words save many of the first steps. Not for Markov text: with such steps the tiny model
# stayed 0.38 nats above its floor, in place of 0.22.
SCENES = SAMPLED | {"embedding_rate": 3.0}
# Nearer still when each sentence hides the same share. But who never meets a sentence with most of its words hidden is
# lost there, so one in ten is of that kind. After 3,400 steps the gap was 0.047 nats with this (0.043 to 0.050) and
# 0.057 without (one seed); at 80% hidden, 0.055 and 0.095. With decay and a longer memory of squared gradients beside
# it, it stayed 0.047 (0.044 to 0.049) and went to 0.052 at 80% hidden. Three seeds, 8,192 sentences, errors 0.003.
MIXED_MASKS = {"method": "fixed", "heavy_share": 0.1, "weight_decay": 0.1, "beta2": 0.995}
REAL_TEXT = {"steps": 8000, "batch_size": 64, "micro_batches": 4, "mask_ratio": 0.3, "learning_rate": 2e-3}


@dataclass(frozen=True)
class FolderResult(TrainingResult):
    """comparison: the model beside models that count; None unless it fills in blanks of real text."""

    comparison: Comparison | None


def recipe(language: str | os.PathLike, *, size: str = "mini", device: str | None = None, **given) -> TrainingConfig:
    """The config for a language, with the fields that are given.

    Who says how to mask, or masks nothing, gets no more than that: a ratio is then that of each word, in all sentences.
    size: a model wider than `mini` has learning rates that are smaller by as much. (After Yang et al. 2021, who would
    leave that of the table of words alone.)
    device: as in `choose_device`. A GPU takes a batch in one part unless told otherwise, since a step of a small model
    lasts there as long as it takes to start its operations.
    Raises as `TrainingConfig`, `model_config` and `choose_device` do.
    """
    usual = SCENES if language == "scenes" else SAMPLED if language in EXACT else REAL_TEXT
    masks = {"mask_ratio", "method", "prediction_ratio"} & given.keys() or given.get("objective") == "causal"
    if language == "scenes" and not masks:
        usual = usual | MIXED_MASKS
    mini, width = (model_config(name, 1).hidden_size for name in ("mini", size))
    fields = usual | {"learning_rate": usual["learning_rate"] * min(1.0, mini / width)} | given
    if "micro_batches" not in given and isinstance(fields["batch_size"], int):
        most = fields["batch_size"] if choose_device(device).type == "cpu" else 1
        fields["micro_batches"] = max(1, min(fields["micro_batches"], most))
    return TrainingConfig(**fields)


def model_config(size: str, vocab_size: int, length: int = BLOCK_LENGTH) -> ModelConfig:
    """The config of a model of `size` for rows of `length` tokens. Raises ValueError for a size not in SIZES."""
    if size not in SIZES:
        raise ValueError(f"size is {size!r}: expected one of {', '.join(SIZES)}")
    rows = {"max_position_embeddings": length} if length > 128 else {}
    return getattr(ModelConfig, size)(vocab_size, **rows)


def train_folder(
    language: str | os.PathLike,
    size: str,
    config: TrainingConfig,
    out: str | os.PathLike,
    *,
    resume: bool = False,
    length: int = BLOCK_LENGTH,
    vocabulary_size: int = ENGLISH_SIZE,
    device: str | None = None,
    report: Reporter | None = None,
) -> FolderResult:
    """Train a model and leave it in `out`, as a folder of Hugging Face with the tokenizer in it.

    Beside the model are `checkpoints`, from which `resume` goes on, and `training.json` with configs, curve, and, for
    real text, the comparison with models that count.
    language, length, vocabulary_size: as in `find_material`; size: one of SIZES. Raises as `train` does.
    """
    out = Path(out).expanduser()
    material = find_material(language, config, length, vocabulary_size)
    shape = model_config(size, len(material.tokenizer.vocabulary), material.source.length)
    result = train(
        shape,
        material.source,
        config,
        evaluation=material.evaluation,
        out=out / CHECKPOINTS,
        resume=resume,
        device=device,
        report=report,
    )
    save_pretrained(result.model, out, material.tokenizer)
    comparison = _compare(result.model, material, config)
    summary = {
        "language": str(language),
        "text": material.source.fingerprint,
        "model": asdict(shape),
        "training": config.to_dict(),
        "floor": result.floor,
        "curve": [point._asdict() for point in result.curve],
        "comparison": comparison and comparison.to_dict(),
    }
    write_atomically(out / SUMMARY, lambda file: file.write_text(json.dumps(summary, indent=1) + "\n"))
    return FolderResult(**vars(result), comparison=comparison)


def _compare(model: MaskedLM, material: Material, config: TrainingConfig) -> Comparison | None:
    if material.blanks is None or config.objective != "masked":
        return None
    return compare_with_counting(model, material.blanks, material.train, material.tokenizer.vocabulary)


def load_folder(folder: str | os.PathLike) -> tuple[MaskedLM, WordPiece | WordLevel]:
    """The model that fills in blanks, and the tokenizer, of a folder of Hugging Face's.

    Raises as `load_pretrained` and `load_tokenizer`, and ValueError for a model that `train_folder` trained as causal.
    """
    folder = Path(folder).expanduser()
    model, _ = load_pretrained(folder)
    if _objective(folder) == "causal":
        raise ValueError(f"the model in {folder} has learned to read from the left only: it cannot fill in a blank")
    tokenizer = load_tokenizer(folder)
    if len(tokenizer.vocabulary) != model.config.vocab_size:
        raise ValueError(
            f"in {folder} the tokenizer has {len(tokenizer.vocabulary)} tokens and the model {model.config.vocab_size}"
        )
    return model, tokenizer


def _objective(folder: Path) -> str | None:
    """What the model of a folder was trained for, if `train_folder` trained it."""
    try:
        return json.loads((folder / SUMMARY).read_bytes())["training"]["objective"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
