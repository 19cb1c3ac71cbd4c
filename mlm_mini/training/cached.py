"""Models that the course trains once and then keeps: whoever asks first trains, and sees a progress bar.

A model lies in the cache folder, in a folder of Hugging Face's that is named after everything that made it. A training
that was cut short goes on where it stopped, and of two processes that ask at once, one waits for the other.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import filelock
import torch

import mlm_mini
from mlm_mini.languages import english_corpus
from mlm_mini.languages.tokenizer import ENGLISH_SIZE, WordPiece
from mlm_mini.model import MaskedLM, WordLevel, load_pretrained, load_tokenizer
from mlm_mini.storage import cache_folder, fingerprint
from mlm_mini.training import material
from mlm_mini.training.config import TrainingConfig
from mlm_mini.training.folders import CHECKPOINTS, SUMMARY, model_config, recipe, train_folder
from mlm_mini.training.material import EXACT
from mlm_mini.training.progress import Point, Reporter, TerminalProgress

DEFAULT_SIZE, QUICK_STEPS, TINY_STEPS = "mini", 800, 800
OBJECTIVES = ({"objective": "causal"}, {"mask_ratio": 0.15}, {"mask_ratio": 0.35})  # that chapter 08 compares
# For chapter 09. A chain takes 400 steps to see that neighbors matter, an urn none.
OTHER_TEXT = {"size": "tiny", "batch_size": 64, "mask_ratio": 0.15}
MARKOV, BURSTY = (OTHER_TEXT | {"language": "markov", "steps": 1200}, OTHER_TEXT | {"language": "bursty", "steps": 800})
CHAPTER_MODELS = (  # what takes longest first
    {},
    {"steps": QUICK_STEPS},
    *({"size": "tiny", "steps": TINY_STEPS} | fields for fields in OBJECTIVES),
    MARKOV,
    BURSTY,
)


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
    size: str = DEFAULT_SIZE,
    report: Callable[[], Reporter] = TerminalProgress,
    **fields,
) -> TrainedModel:
    """The model of `size` that learned a bundled language by its recipe: "scenes", "markov", "bursty" or "english".

    fields: of the TrainingConfig, where it is not to be as `recipe` has it. report: makes what shows the training, if
    there is one. Always trained on the CPU, so that the same name means the same model wherever threads do not matter.
    Raises ValueError for another language or size, and as `train_folder` does.
    """
    if language not in (*EXACT, "english"):
        known = ", ".join(EXACT)
        raise ValueError(f"language is {language!r}: expected {known} or english; use train_folder for other text")
    config = recipe(language, size=size, device="cpu", **fields)
    folder = cache_folder() / f"{language}-{size}-{_made_of(language, size, config)}"
    with filelock.FileLock(f"{folder}.lock"):
        if not (folder / SUMMARY).is_file():  # written last
            train_folder(language, size, config, folder, resume=True, device="cpu", report=report())
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)  # three times the size of the model, and of no more use
    return read_trained(folder)


def quick_model(report: Callable[[], Reporter] = TerminalProgress) -> TrainedModel:
    """A model of the scene language after a minute of training: good enough to play against, far from perfect."""
    return cached_model("scenes", report=report, steps=QUICK_STEPS)


def read_trained(folder: Path) -> TrainedModel:
    """What `train_folder` wrote. Raises as `load_pretrained` does, and OSError or ValueError for its summary."""
    summary = json.loads((folder / SUMMARY).read_bytes())
    return TrainedModel(
        model=load_pretrained(folder)[0].eval(),
        tokenizer=load_tokenizer(folder),
        config=TrainingConfig(**summary["training"]),
        curve=[Point(**point) for point in summary["curve"]],
        floor=summary["floor"],
    )


def _made_of(language: str, size: str, config: TrainingConfig) -> str:
    """A name for all that decides the weights and the curve, but for our own code, which the version stands for."""
    if language in EXACT:
        known = EXACT[language]()
        text, tokens = [known.fingerprint], len(known.vocabulary)
    else:
        text, tokens = english_corpus().texts(), ENGLISH_SIZE
    shape = asdict(model_config(size, tokens))
    questions = [material.EVALUATION_SEED, material.EVALUATION_RATIO, material.EVALUATION_SENTENCES]
    questions += [material.EVALUATION_BLOCKS, material.BLOCK_LENGTH]
    return fingerprint(text, shape, config.to_dict(), questions, [mlm_mini.__version__, torch.__version__])
