"""The experiments by name, each with a quick config for every day and a full one whose result is shipped."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mlm_mini.experiments import mask_ratio, mask_strategy
from mlm_mini.experiments.gradient_variance import QUICK_RATIOS, measure_gradient_variance
from mlm_mini.experiments.result import Result
from mlm_mini.experiments.variance_curve import GradientVariance, GradientVarianceConfig
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.shipped import provenance, shipped

ROOM = "experiments"


@dataclass(frozen=True)
class Experiment:
    """name: as the command line has it. quick, full: configs. measure: (config, rng, workers, finished) -> result, with
    the latter two as in `run_study`. result: the class of what comes out. kept: whether its runs stay in the cache."""

    name: str
    quick: Any
    full: Any
    measure: Callable[[Any, np.random.Generator, int | None, Finished], Result]
    result: type[Result]
    kept: bool = True
    seed: int = 0

    def run(self, full: bool, workers: int | None = None, finished: Finished = tell_nobody) -> Result:
        """Measure it, with the experiment's own seed."""
        config = self.full if full else self.quick
        return self.measure(config, np.random.default_rng(self.seed), workers, finished)

    def shipped(self) -> Result:
        """The full result as it was measured once. Raises ValueError when none is shipped."""
        return self.result.from_dict(shipped(ROOM, self.name)["result"])


def _new_model_variance(
    config: GradientVarianceConfig, rng: np.random.Generator, workers: int | None, finished: Finished
) -> GradientVariance:
    """Of a tiny model before its first step, on scenes, in this process."""
    finished(0, 1)
    shape = ModelConfig.tiny(len(scene_language().vocabulary))
    model = MaskedLM(shape, torch.Generator().manual_seed(int(rng.integers(2**31)))).eval()
    result = measure_gradient_variance(model, scene_language(), config, rng, "scenes, at initialization")
    finished(1, 1)
    return result


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            "gradient_variance",
            GradientVarianceConfig(ratios=QUICK_RATIOS, draws=40),
            GradientVarianceConfig(draws=400),
            _new_model_variance,
            GradientVariance,
            kept=False,
        ),
        Experiment(
            "mask_ratio",
            mask_ratio.QUICK,
            mask_ratio.MaskRatioConfig(),
            mask_ratio.measure_mask_ratio,
            mask_ratio.MaskRatio,
        ),
        Experiment(
            "mask_strategy",
            mask_strategy.QUICK,
            mask_strategy.MaskStrategyConfig(),
            mask_strategy.measure_mask_strategy,
            mask_strategy.MaskStrategy,
        ),
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
