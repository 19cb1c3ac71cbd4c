"""The studies by name, each with a quick config for every day and a full one whose result is shipped."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlm_mini.experiments.beyond.study import Beyond, BeyondConfig, measure_beyond
from mlm_mini.experiments.company.config import QUICK_COMPANY, CompanyConfig
from mlm_mini.experiments.company.result import WordCompany
from mlm_mini.experiments.company.study import measure_company
from mlm_mini.experiments.joint.study import QUICK_AGREEMENT, Agreement, JointConfig, measure_agreement
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.parts.study import PartsConfig, RecipeParts, measure_parts
from mlm_mini.experiments.probing.study import QUICK_PROBING, Probing, ProbingConfig, measure_probing
from mlm_mini.experiments.ratio.config import QUICK_RATIO_STUDY, MaskRatioConfig
from mlm_mini.experiments.ratio.result import MaskRatio
from mlm_mini.experiments.ratio.run import measure_mask_ratio
from mlm_mini.experiments.strategy.config import QUICK_STRATEGY_STUDY, MaskStrategyConfig
from mlm_mini.experiments.strategy.result import MaskStrategy
from mlm_mini.experiments.strategy.run import measure_mask_strategy
from mlm_mini.experiments.variance.config import QUICK_RATIOS, GradientVarianceConfig
from mlm_mini.experiments.variance.few_masks import measure_few_masks
from mlm_mini.experiments.variance.few_masks_result import FewMasks, FewMasksConfig
from mlm_mini.experiments.variance.result import GradientVariance
from mlm_mini.experiments.variance.study import new_model_variance
from mlm_mini.experiments.writing.study import Writers, WritingConfig, measure_writers
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.shipped import provenance, shipped

ROOM = "experiments"


@dataclass(frozen=True)
class Experiment:
    """name: as the command line has it. quick, full: configs. measure: (config, rng, workers, finished) -> result, with
    the latter two as in `run_study`. result: the class of what comes out."""

    name: str
    quick: Any
    full: Any
    measure: Callable[[Any, np.random.Generator, int | None, Finished], Result]
    result: type[Result]
    seed: int = 0

    def run(self, full: bool, workers: int | None = None, finished: Finished = tell_nobody) -> Result:
        """Measure it, with the experiment's own seed. What was run stays in the cache."""
        config = self.full if full else self.quick
        return self.measure(config, np.random.default_rng(self.seed), workers, finished)

    def shipped(self) -> Result:
        """The full result as it was measured once. Raises ValueError when none is shipped."""
        return self.result.from_dict(shipped(ROOM, self.name)["result"])


QUICK_VARIANCE, FULL_VARIANCE = GradientVarianceConfig(ratios=QUICK_RATIOS, draws=40), GradientVarianceConfig(draws=400)
EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment("gradient_variance", QUICK_VARIANCE, FULL_VARIANCE, new_model_variance, GradientVariance),
        Experiment("few_masks", FewMasksConfig(steps=32, seeds=2), FewMasksConfig(), measure_few_masks, FewMasks),
        Experiment("mask_ratio", QUICK_RATIO_STUDY, MaskRatioConfig(), measure_mask_ratio, MaskRatio),
        Experiment("mask_strategy", QUICK_STRATEGY_STUDY, MaskStrategyConfig(), measure_mask_strategy, MaskStrategy),
        Experiment("probing", QUICK_PROBING, ProbingConfig(), measure_probing, Probing),
        Experiment("beyond", BeyondConfig(steps=(60, 40, 60), seeds=(2, 1, 1)), BeyondConfig(), measure_beyond, Beyond),
        Experiment("recipe_parts", PartsConfig(steps=50, seeds=2), PartsConfig(), measure_parts, RecipeParts),
        Experiment("word_company", QUICK_COMPANY, CompanyConfig(), measure_company, WordCompany),
        Experiment("joint_agreement", QUICK_AGREEMENT, JointConfig(), measure_agreement, Agreement),
        Experiment("writing", WritingConfig(steps=40, seeds=2, rates=()), WritingConfig(), measure_writers, Writers),
    )
}


def find_experiment(name: str) -> Experiment:
    """The experiment of that name. Raises ValueError, with the names there are, for another."""
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment {name!r}: expected one of {', '.join(sorted(EXPERIMENTS))}")
    return EXPERIMENTS[name]


def for_shipping(experiment: Experiment, result: Result, command: str) -> dict:
    """A result with what made it, as `shipped` reads it."""
    return {"experiment": experiment.name, **provenance(command), "seed": experiment.seed, "result": result.to_dict()}
