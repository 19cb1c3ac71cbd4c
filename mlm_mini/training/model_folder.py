"""A trained model's folder: what a run leaves for others to open, and how it is opened again."""

import contextlib
import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mlm_mini.languages.token_store import VOCABULARY_SIZE
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import (
    TRAINED_LENGTH,
    MaskedLM,
    ModelConfig,
    WordLevel,
    note_trained_length,
    save_pretrained,
    trained_length,
)
from mlm_mini.paths import check_regular_file, expand_home
from mlm_mini.storage import CHECKSUMS, changed_files, write_atomically, write_checksums
from mlm_mini.training.baselines import Comparison, compare_with_counting
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.datasets import Material
from mlm_mini.training.entries import LanguageEntry
from mlm_mini.training.languages import find_language, find_material
from mlm_mini.training.loop import TrainingResult, train
from mlm_mini.training.memory import check_memory
from mlm_mini.training.out_folder import (
    CHECKPOINTS,
    SUMMARY,
    WRITTEN,
    check_out,
    claimed,
    note_launch,
    was_interrupted,
)
from mlm_mini.training.progress import Reporter
from mlm_mini.training.start import Start, open_folder
from mlm_mini.training.workers import ONE_WORKER, Workers, one_after_the_other


@dataclass(frozen=True)
class FolderResult(TrainingResult):
    """comparison: the model beside models that count; None unless it fills in blanks of real text."""

    comparison: Comparison | None


def train_folder(
    language: str | os.PathLike,
    size: str | None,
    config: TrainingConfig,
    out: str | os.PathLike,
    *,
    start: Start | None = None,
    resume: bool = False,
    length: int | None = None,
    vocabulary_size: int | None = None,
    tokenizer: str | None = None,
    endings: Sequence[str] = (),
    device: str | None = None,
    report: Reporter | None = None,
    workers: Workers = ONE_WORKER,
) -> FolderResult:
    """Train a model and leave it in `out`, in Hugging Face's format, with its tokenizer.

    Beside the model are `checkpoints`, from which `resume` goes on, and `training.json` with configs, curve, and, for
    real text, the comparison with models that count.
    language, length, vocabulary_size, tokenizer, endings: as in `find_material`, if not None; size: one of
    `model.config.SIZES`. An exact language has a length and a vocabulary of its own, so that these are then None.
    start: what `open_start` has opened, a model to start from, with its tokenizer. It has a size, a vocabulary_size and
    a tokenizer of its own, so that these are then None.
    workers: as in `train`. The first one keeps the folder; the others only read what it has written there. Where one
    has died and torchrun starts them anew, their run goes on, with `resume` or without.
    Raises as `find_material`, `train` and `check_out` do, and ValueError for what does not go with `start`.
    """
    if not os.fspath(out).strip():
        raise ValueError(f"out is {os.fspath(out)!r}: expected a folder for the model and its checkpoints")
    out = expand_home(out)
    resume = resume or was_interrupted(out, workers)
    if workers.leads:
        check_out(out, resume)  # now, not after minutes of tokenizing
    if start:
        start.check_options(size=size, vocabulary_size=vocabulary_size, tokenizer=tokenizer)
        # pyrefly: ignore[bad-assignment] from here on a name or a tokenizer, as `find_language` takes it
        tokenizer = start.tokenizer
    tokenizer = "wordpiece" if tokenizer is None else tokenizer
    entry = find_language(language, tokenizer, endings)
    exact = entry.exact()
    if exact:
        _check_not_given(language, length=length, vocabulary_size=vocabulary_size)
    length = entry.row_length if length is None else length
    tokens = VOCABULARY_SIZE if vocabulary_size is None else vocabulary_size
    if not exact:  # real text is cut into rows of that length
        on = workers.choose_device(device)
        check_memory(_shape(entry, size, start, 1, length), config, length, on, workers)
    with one_after_the_other(workers):
        material = find_material(language, config, length, tokens, tokenizer, endings)
    if start:  # of an exact language too, whose words an older folder cuts by another rule
        material = replace(material, tokenizer=start.tokenizer)
    shape = _shape(entry, size, start, len(material.tokenizer.vocabulary), material.source.length)
    with claimed(out, resume) if workers.leads else contextlib.nullcontext():
        if workers.leads:
            note_launch(out, workers)
        result = train(
            shape,
            material.source,
            config,
            start=start.model if start else entry.first_model(shape, config.seed),
            evaluation=material.evaluation,
            out=out / CHECKPOINTS,
            resume=resume,
            device=device,
            report=report,
            workers=workers,
        )
        length = material.source.length
        note_trained_length(result.model, start.length_after(length) if start else length)
        comparison = _write(result, material, config, str(language), start, out) if workers.leads else None
    return FolderResult(**vars(result), comparison=comparison)


def _check_not_given(language: str | os.PathLike, **options: int | None) -> None:
    for name, value in options.items():
        if value is not None:
            option = name.replace("_", "-")
            raise ValueError(f"{name} is {value}, but {language} settles that by itself: leave --{option} out")


def _shape(entry: LanguageEntry, size: str | None, start: Start | None, tokens: int, length: int) -> ModelConfig:
    # pyrefly: ignore[bad-argument-type] without a start the size has been filled in
    return start.shape(length) if start else entry.shape(size, tokens, length)


def _write(
    result: TrainingResult, material: Material, config: TrainingConfig, language: str, start: Start | None, out: Path
) -> Comparison | None:
    """All of WRITTEN; returns the comparison in it."""
    (out / CHECKSUMS).unlink(missing_ok=True)
    save_pretrained(result.model, out, material.tokenizer)
    comparison = _compare(result.model, material, config)
    summary = {
        "language": language,
        "start": start and str(start.folder),
        "text": material.source.fingerprint,
        "model": asdict(result.model.config),
        TRAINED_LENGTH: trained_length(result.model),
        "training": config.to_dict(),
        "floor": result.floor,
        "curve": [point._asdict() for point in result.curve],
        "comparison": comparison and comparison.to_dict(),
    }
    write_atomically(out / SUMMARY, lambda file: file.write_text(json.dumps(summary, indent=1) + "\n"))
    write_checksums(out, [name for name in WRITTEN if name != CHECKSUMS])
    return comparison


def _compare(model: MaskedLM, material: Material, config: TrainingConfig) -> Comparison | None:
    if material.blanks is None or config.objective == "causal":
        return None
    # pyrefly: ignore[bad-argument-type] where there are blanks there is text to train on
    return compare_with_counting(model, material.blanks, material.train, material.tokenizer.vocabulary)


def load_folder(folder: str | os.PathLike) -> tuple[MaskedLM, FileTokenizer | WordLevel]:
    """The model that fills in blanks, and the tokenizer, of any folder in Hugging Face's format.

    Warns of files that are not as `train_folder` wrote them.
    Raises as `open_folder`, and ValueError for a model that `train_folder` trained as causal.
    """
    if not os.fspath(folder).strip():
        raise ValueError(f"model is {os.fspath(folder)!r}: expected the folder of a model")
    folder = expand_home(folder)
    if _objective(folder) == "causal":
        raise ValueError(f"the model in {folder} has learned to read from the left only: it cannot fill in a blank")
    model, tokenizer = open_folder(folder)
    if changed := changed_files(folder):
        warnings.warn(
            f"in {folder}, {', '.join(changed)} is not as train wrote it: unless somebody changed it, it is damaged",
            stacklevel=2,
        )
    return model, tokenizer


def _objective(folder: Path) -> str | None:
    """What the model of a folder was trained for, if `train_folder` trained it."""
    try:
        check_regular_file(folder / SUMMARY)
        return json.loads((folder / SUMMARY).read_bytes())["training"]["objective"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
