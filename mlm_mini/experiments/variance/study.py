"""The variance of one model's gradient on one text as a run that is kept, so that a second time is quick."""

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from mlm_mini.experiments.lab.recipe import untrained_model
from mlm_mini.experiments.lab.study import run_study, study_folder
from mlm_mini.experiments.variance.config import GradientVarianceConfig
from mlm_mini.experiments.variance.measure import measure_gradient_variance
from mlm_mini.experiments.variance.result import GradientVariance
from mlm_mini.languages import ExactLanguage, scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.storage import fingerprint

TELLTALE_SENTENCES = 256  # that stand for a text, when it is asked whether it is the same


@dataclass(frozen=True)
class VarianceCell:
    """One measurement. rng: what it draws from. label: how the result calls itself."""

    model: MaskedLM
    text: ExactLanguage
    config: GradientVarianceConfig
    rng: np.random.Generator
    label: str

    @cached_property
    def name(self) -> str:
        """A fingerprint of the weights, the text, the config, and where the generator stands before the run."""
        weights = {key: tensor.detach().cpu().numpy() for key, tensor in self.model.state_dict().items()}
        sentences = self.text.sample(TELLTALE_SENTENCES, np.random.default_rng(0)).ids
        words, luck = list(self.text.vocabulary.tokens), self.rng.bit_generator.state
        return fingerprint(weights, words, sentences, asdict(self.config), luck, self.label)


def run_variance_cell(cell: VarianceCell) -> dict:
    """What `measure_gradient_variance` finds, fit for JSON."""
    return measure_gradient_variance(cell.model, cell.text, cell.config, cell.rng, cell.label).to_dict()


def kept_gradient_variance(
    model: MaskedLM,
    text: ExactLanguage,
    config: GradientVarianceConfig,
    seed: int | np.random.Generator,
    name: str = "",
    finished: Finished = tell_nobody,
) -> GradientVariance:
    """As `measure_gradient_variance` with a generator of this seed; kept in the cache, so that a second time is quick.

    Measured anew when weights, text or config differ, or the code that measures.
    """
    folder = study_folder("gradient_variance", run_variance_cell)
    cell = VarianceCell(model, text, config, np.random.default_rng(seed), name)  # a generator is taken as it is
    return GradientVariance.from_dict(run_study([cell], run_variance_cell, folder, 1, finished)[0])


def new_model_variance(
    config: GradientVarianceConfig,
    rng: np.random.Generator,
    workers: int | None = None,
    finished: Finished = tell_nobody,
) -> GradientVariance:
    """Of a tiny model before its first step, on scenes. There is one run, so that `workers` makes no difference."""
    language = scene_language()
    model = untrained_model(ModelConfig.tiny(len(language.vocabulary)), rng)
    return kept_gradient_variance(model, language, config, rng, "scenes, at initialization", finished)
