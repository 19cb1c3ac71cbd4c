"""The experiments: each is a function from a small frozen config and a generator to a result that can show itself.

A folder for each study, a lab that they share, and the claims, which read the studies.
"""

from mlm_mini.experiments.catalog import EXPERIMENTS, find_experiment, for_shipping
from mlm_mini.experiments.lab.exact_questions import ExactQuestions, draw_questions, question_kl
from mlm_mini.experiments.lab.intervals import Estimate, mean_interval, percentile_interval
from mlm_mini.experiments.lab.result import Result

__all__ = [
    "EXPERIMENTS",
    "Estimate",
    "ExactQuestions",
    "Result",
    "draw_questions",
    "find_experiment",
    "for_shipping",
    "mean_interval",
    "percentile_interval",
    "question_kl",
]
