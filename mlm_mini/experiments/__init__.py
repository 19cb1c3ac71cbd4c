"""The experiments: each is a function from a small frozen config and a generator to a result that can show itself."""

from mlm_mini.experiments.catalog import EXPERIMENTS, find_experiment, for_shipping
from mlm_mini.experiments.mask_ratio import MaskRatio, MaskRatioConfig, measure_mask_ratio
from mlm_mini.experiments.preparation import prepare_chapters
from mlm_mini.experiments.result import Result
from mlm_mini.experiments.scoring import ExactQuestions, draw_questions, question_kl
from mlm_mini.experiments.statistics import Estimate, mean_interval, percentile_interval

__all__ = [
    "EXPERIMENTS",
    "Estimate",
    "ExactQuestions",
    "MaskRatio",
    "MaskRatioConfig",
    "Result",
    "draw_questions",
    "find_experiment",
    "for_shipping",
    "mean_interval",
    "measure_mask_ratio",
    "percentile_interval",
    "prepare_chapters",
    "question_kl",
]
