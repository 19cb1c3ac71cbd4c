"""Models that the course trains once and then keeps: whoever asks first trains, and sees a progress bar.

Each lies in the cache folder, in a folder named after everything that made it. A training that was cut short goes on
where it stopped, and of two processes that ask at once, one waits for the other.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock
import torch

from mlm_mini.code import code_fingerprint
from mlm_mini.languages.tokenizer import WordPiece
from mlm_mini.model import MaskedLM, ModelConfig, WordLevel, load_pretrained, load_tokenizer
from mlm_mini.storage import cache_folder, fingerprint
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.datasets import EVALUATED_BY
from mlm_mini.training.languages import LANGUAGES, LanguageEntry
from mlm_mini.training.model_folder import CHECKPOINTS, SUMMARY, train_folder
from mlm_mini.training.progress import Point, Reporter, TerminalProgress


@dataclass(frozen=True)
class TrainedModel:
    """What a finished training left behind.

    model: in eval mode, on the CPU. config: how it was trained. curve: one Point for each evaluation. floor: the Bayes
    floor of the evaluation set, in nats per predicted token; None where nobody knows it.
    """

    model: MaskedLM
    tokenizer: WordPiece | WordLevel
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

    fields: of the TrainingConfig, where it is not to be as `recipe` has it. report: makes what shows the training, if
    there is one. Always trained on the CPU, so that the same name means the same model wherever threads do not matter.
    Raises ValueError for another language or size, and as `train_folder` does.
    """
    if language not in LANGUAGES:
        *known, last = LANGUAGES
        expected = f"{', '.join(known)} or {last}"
        raise ValueError(f"language is {language!r}: expected {expected}; use train_folder for other text")
    entry = LANGUAGES[language]
    config = entry.recipe(size, device="cpu", **fields)
    folder = cache_folder() / f"{language}-{size}-{_made_of(entry, size, config)}"
    with filelock.FileLock(f"{folder}.lock"):
        if not (folder / SUMMARY).is_file():  # written last
            train_folder(language, size, config, folder, resume=True, device="cpu", report=report())
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)  # three times the size of the model, and of no more use
    return read_trained(folder, config)


def quick_model(report: Callable[[], Reporter] = TerminalProgress) -> TrainedModel:
    """A model of the scene language after a minute of training: good enough to play against, far from perfect."""
    return cached_model("scenes", report=report, **LANGUAGES["scenes"].kept["quick"])


def read_trained(folder: Path, config: TrainingConfig) -> TrainedModel:
    """What `train_folder` wrote for a config. Raises as `load_pretrained` does, and OSError or ValueError."""
    summary = json.loads((folder / SUMMARY).read_bytes())
    return TrainedModel(
        model=load_pretrained(folder)[0],
        tokenizer=load_tokenizer(folder),
        config=config,
        curve=[Point(**point) for point in summary["curve"]],
        floor=summary["floor"],
    )


def _made_of(entry: LanguageEntry, size: str, config: TrainingConfig) -> str:
    """A name for all that decides the weights and the curve, our own code with it."""
    shape = asdict(ModelConfig.of_size(size, entry.count_tokens()))
    code = code_fingerprint("mlm_mini.training.run", "mlm_mini.training.datasets", *entry.made_by())
    return fingerprint(entry.text(), shape, config.to_dict(), list(EVALUATED_BY), [code, torch.__version__])
