"""Models that the course trains once and then keeps: whoever asks first trains, and sees a progress bar.

Each lies in the cache folder, in a folder named after everything that made it. A training that was cut short goes on
where it stopped, and of two processes that ask at once, one waits for the other.
"""

import contextlib
import json
import os
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from mlm_mini.code import code_fingerprint
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import MaskedLM, WordLevel
from mlm_mini.storage import CHECKSUMS, cache_path, changed_files, fingerprint, waiting_lock
from mlm_mini.training.checkpoint import CheckpointError, has_checkpoint
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.datasets import BLOCK_LENGTH, EVALUATED_BY
from mlm_mini.training.languages import LANGUAGES, LanguageEntry, find_language
from mlm_mini.training.model_folder import CHECKPOINTS, SUMMARY, WRITTEN, open_folder, train_folder
from mlm_mini.training.progress import Point, Reporter, TerminalProgress


@dataclass(frozen=True)
class TrainedModel:
    """What a finished training left behind.

    model: in eval mode, on the CPU. config: how it was trained. curve: one Point for each evaluation. floor: the Bayes
    floor of the evaluation set, in nats per predicted token; None where nobody knows it.
    """

    model: MaskedLM
    tokenizer: FileTokenizer | WordLevel
    config: TrainingConfig
    curve: list[Point]
    floor: float | None


def cached_model(
    language: str = "scenes",
    size: str = "mini",
    report: Callable[[], Reporter] = TerminalProgress,
    **fields,
) -> TrainedModel:
    """The model of `size` that learned a language of LANGUAGES by its recipe.

    fields: of the TrainingConfig, in place of those of `recipe`. report: makes the object that shows the training, if
    there has to be one. It is always trained on the CPU, so that a GPU makes no difference to the model.
    Raises ValueError for another language or size, and as `train_folder` does.
    """
    if language not in LANGUAGES:
        *known, last = LANGUAGES
        expected = f"{', '.join(known)} or {last}"
        raise ValueError(f"language is {language!r}: expected {expected}; use train_folder for other text")
    entry = LANGUAGES[language]
    config = entry.recipe(size, device="cpu", **fields)
    folder = cache_path(f"{language}-{size}-{_made_of(entry, size, config)}")
    with contextlib.suppress(Exception):  # each kind of file has errors of its own, and `_make` looks at them
        return _read_whole(folder, config)
    with waiting_lock(f"{folder}.lock", f"the {size} model of {language}"):
        return _make(language, size, config, folder, report)


def _make(
    language: str, size: str, config: TrainingConfig, folder: Path, report: Callable[[], Reporter]
) -> TrainedModel:
    """Train what is missing, and again what is damaged; a training that was cut short goes on."""
    try:
        return _read_whole(folder, config)  # another process may have made it
    except Exception as error:
        begun = any((folder / name).exists() for name in WRITTEN) and not has_checkpoint(folder / CHECKPOINTS)
        if begun or any((folder / name).exists() for name in (SUMMARY, CHECKSUMS)):  # these are written last
            _set_aside(folder, error)
    try:
        train_folder(language, size, config, folder, resume=True, device="cpu", report=report())
    except CheckpointError as error:
        _set_aside(folder, error)
        train_folder(language, size, config, folder, resume=True, device="cpu", report=report())
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)  # three times the size of the model, and of no more use
    return read_trained(folder, config)


def _read_whole(folder: Path, config: TrainingConfig) -> TrainedModel:
    if not (folder / SUMMARY).is_file():
        raise FileNotFoundError(f"{SUMMARY} is missing")
    if changed := changed_files(folder):
        raise ValueError(f"{changed[0]} is not as it was written")
    return read_trained(folder, config)


def _set_aside(folder: Path, error: Exception) -> None:
    aside = folder.with_name(f"{folder.name}.damaged")
    shutil.rmtree(aside, ignore_errors=True)
    os.replace(folder, aside)
    warnings.warn(f"the cached model {folder} is damaged ({error}): it is kept as {aside} and made again", stacklevel=4)


def quick_model(report: Callable[[], Reporter] = TerminalProgress) -> TrainedModel:
    """A model of the scene language after a minute of training: good enough to play against, far from perfect."""
    return cached_model("scenes", report=report, **LANGUAGES["scenes"].kept["quick"])


def read_trained(folder: Path, config: TrainingConfig) -> TrainedModel:
    """What `train_folder` wrote for a config. Raises as `load_pretrained` does, and OSError or ValueError."""
    summary = json.loads((folder / SUMMARY).read_bytes())
    exact = find_language(summary["language"]).exact()
    model, tokenizer = open_folder(folder, usual_length=exact.length if exact else BLOCK_LENGTH)
    curve = [Point(**point) for point in summary["curve"]]
    return TrainedModel(model, tokenizer, config, curve, summary["floor"])


def _made_of(entry: LanguageEntry, size: str, config: TrainingConfig) -> str:
    """A name that changes with whatever the weights and the curve depend on, our own code included."""
    shape = asdict(entry.shape(size, entry.count_tokens()))
    code = code_fingerprint("mlm_mini.training.run", "mlm_mini.training.datasets", *entry.made_by())
    rows = [] if entry.row_length == BLOCK_LENGTH else [entry.row_length]  # BLOCK_LENGTH is in EVALUATED_BY
    return fingerprint(entry.text(), shape, config.to_dict(), list(EVALUATED_BY) + rows, [code, torch.__version__])
