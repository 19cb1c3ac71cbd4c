"""A trained model's folder: what a run leaves for others to open, and how it is opened again."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from mlm_mini.languages.token_store import VOCABULARY_SIZE
from mlm_mini.languages.tokenizer import WordPiece
from mlm_mini.model import MaskedLM, ModelConfig, WordLevel, load_pretrained, load_tokenizer, save_pretrained
from mlm_mini.storage import write_atomically
from mlm_mini.training.baselines import Comparison, compare_with_counting
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.datasets import BLOCK_LENGTH, Material
from mlm_mini.training.languages import find_material
from mlm_mini.training.loop import TrainingResult, train
from mlm_mini.training.progress import Reporter

CHECKPOINTS, SUMMARY = "checkpoints", "training.json"


@dataclass(frozen=True)
class FolderResult(TrainingResult):
    """comparison: the model beside models that count; None unless it fills in blanks of real text."""

    comparison: Comparison | None


def train_folder(
    language: str | os.PathLike,
    size: str,
    config: TrainingConfig,
    out: str | os.PathLike,
    *,
    resume: bool = False,
    length: int = BLOCK_LENGTH,
    vocabulary_size: int = VOCABULARY_SIZE,
    device: str | None = None,
    report: Reporter | None = None,
) -> FolderResult:
    """Train a model and leave it in `out`, in Hugging Face's format, with its tokenizer.

    Beside the model are `checkpoints`, from which `resume` goes on, and `training.json` with configs, curve, and, for
    real text, the comparison with models that count.
    language, length, vocabulary_size: as in `find_material`; size: one of `model.config.SIZES`. Raises as `train` does.
    """
    out = Path(out).expanduser()
    material = find_material(language, config, length, vocabulary_size)
    shape = ModelConfig.of_size(size, len(material.tokenizer.vocabulary), material.source.length)
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
    """The model that fills in blanks, and the tokenizer, of any folder in Hugging Face's format.

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
