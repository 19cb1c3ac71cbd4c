"""What the course knows of a language: its text, its recipe, and the models of it that are kept."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mlm_mini.languages import ExactLanguage
from mlm_mini.model import MaskedLM, ModelConfig, choose_device
from mlm_mini.training.config import MASKING_FIELDS, TrainingConfig, refuse_masking
from mlm_mini.training.datasets import BLOCK_LENGTH, Material, exact_material

GOING_ON = 1 / 4  # of the learning rate, for a model that has learned something already


@dataclass(frozen=True, kw_only=True)
class LanguageEntry(ABC):
    """What the course knows of a language.

    name: as the command line has it. usual: fields of the recipe, for a model of the width of `mini`.
    usual_masks: more of them, which apply unless the caller says how to mask.
    kept: models that the course keeps in its cache, each under a name of its own: what `cached_model` is given.
    row_length: tokens of a row of real text, unless told otherwise.
    """

    name: str
    usual: Mapping
    usual_masks: Mapping = field(default_factory=dict)
    kept: Mapping[str, Mapping] = field(default_factory=dict)
    row_length: int = BLOCK_LENGTH

    @abstractmethod
    def text(self) -> list[str]:
        """What names the text in the cache: it changes with any word."""

    def made_by(self) -> list[str]:
        """The modules of this package that draw its sentences, beside what `text` says."""
        return []

    @abstractmethod
    def count_tokens(self) -> int:
        """The size of the vocabulary, unless told otherwise."""

    @abstractmethod
    def material(self, config: TrainingConfig, length: int, vocabulary_size: int) -> Material:
        """As `find_material` says."""

    def exact(self) -> ExactLanguage | None:
        """The language with its exact answers; None where nobody knows them."""
        return None

    def shape(self, size: str, tokens: int, length: int = 0) -> ModelConfig:
        """A model of a size by name, for so many tokens and rows of so many. Raises as `ModelConfig.of_size`."""
        return ModelConfig.of_size(size, tokens, length)

    def first_model(self, shape: ModelConfig, seed: int) -> MaskedLM | None:
        """A model to begin with where it is not just drawn from the seed; None where it is."""
        return None

    def recipe(self, size: str | ModelConfig = "mini", device: str | None = None, **given) -> TrainingConfig:
        """As `recipe` says."""
        usual, objective = dict(self.usual), given.get("objective", "masked")
        if objective == "diffusion":
            refuse_masking(given)
            usual = {name: value for name, value in usual.items() if name not in MASKING_FIELDS}
        elif not {"mask_ratio", "method", "prediction_ratio"} & given.keys() and objective != "causal":
            usual |= self.usual_masks
        share, mini = 1.0, ModelConfig.of_size("mini", vocab_size=1)
        if isinstance(size, ModelConfig):
            share, shape = GOING_ON, size
        else:
            shape = ModelConfig.of_size(size, vocab_size=1)
        share *= min(1.0, mini.hidden_size / shape.hidden_size)
        fields = usual | {"learning_rate": usual["learning_rate"] * share} | given
        if "micro_batches" not in given and isinstance(fields["batch_size"], int):
            on_cpu = device == "cpu" or choose_device(device).type == "cpu"
            most = fields["batch_size"] if on_cpu else 1
            fields["micro_batches"] = max(1, min(fields["micro_batches"], most))
        return TrainingConfig.of(**fields)


@dataclass(frozen=True, kw_only=True)
class ExactEntry(LanguageEntry):
    """A language whose sentences are drawn, and whose answers are all known. make: gives the language."""

    make: Callable[[], ExactLanguage]

    def exact(self) -> ExactLanguage:
        return self.make()

    def text(self) -> list[str]:
        return [self.exact().fingerprint]

    def made_by(self) -> list[str]:
        return [type(self.exact()).__module__]

    def count_tokens(self) -> int:
        return len(self.exact().vocabulary)

    def material(self, config: TrainingConfig, length: int, vocabulary_size: int) -> Material:
        return exact_material(self.exact(), config)
