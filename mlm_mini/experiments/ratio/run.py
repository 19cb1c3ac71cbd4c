"""The study of mask ratios as it is run: one model for each cell, each asked what every other one is asked.

A loss at a high ratio and one at a low ratio are answers to different questions. So every model, whatever it was
trained at, is scored at the same blanks (see `lab.exact_questions`), and its text and first weights depend on the seed
alone: two ratios of one seed are a pair.
"""

import time
from functools import cache
from pathlib import Path

import numpy as np

from mlm_mini.experiments.lab.cost import flops_spent
from mlm_mini.experiments.lab.exact_questions import ExactQuestions, draw_questions, question_kl
from mlm_mini.experiments.lab.rates import at_best_rates, try_rates
from mlm_mini.experiments.lab.recipe import BATCH_SIZE, DECIMALS, study_recipe
from mlm_mini.experiments.lab.study import score_cells, study_folder
from mlm_mini.experiments.ratio.clean_text import read_clean_text
from mlm_mini.experiments.ratio.config import SCORED_AT, MaskRatioConfig, RatioCell, study_shape
from mlm_mini.experiments.ratio.result import MaskRatio, RatioScore
from mlm_mini.languages import SceneSentences, scene_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import MaskedLM
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.reference.loss import mean_and_error
from mlm_mini.seeds import RATIO_LOOKS_SEED, RATIO_QUESTIONS_SEED
from mlm_mini.training import EvaluationSet, TrainingConfig, draw_evaluation, train
from mlm_mini.training.objectives import by_length

SCORED_SENTENCES, PROBED_SENTENCES = 1500, 1500
FLOOR_SENTENCES = 10_000
CURVE_POINTS, CURVE_SENTENCES = 12, 1024  # evaluations on the way, for the cost of a given gap


def measure_mask_ratio(
    config: MaskRatioConfig, rng: np.random.Generator, workers: int | None = None, finished: Finished = tell_nobody
) -> MaskRatio:
    """Every cell of `config` at the best rate of its arm, trained or read from the cache, and the floor at each ratio.

    rng: for the sample of the floor; the seeds of the models are in the cells. workers, finished: as in `run_study`.
    A study that was stopped goes on where it stopped.
    """
    how = run_ratio_cell, ratio_folder(), workers, finished
    tried = try_rates(config.cells(), config.rates, *how, score=lambda found: found["kl"][0])
    scores = score_cells(RatioScore, at_best_rates(config.cells(), tried), *how)
    floor = [scene_language().bayes_floor(ratio, rng, FLOOR_SENTENCES)[:2] for ratio in config.ratios]
    return MaskRatio(config, scores, np.array(floor), tried)


def ratio_folder() -> Path:
    """The place in the cache for cells of this study, named after all that they have in common."""
    sentences = [SCORED_SENTENCES, PROBED_SENTENCES, list(SCORED_AT), CURVE_POINTS]
    constants = [BATCH_SIZE, RATIO_QUESTIONS_SEED, *sentences]
    return study_folder("mask_ratio", run_ratio_cell, scene_language().fingerprint, constants)


def run_ratio_cell(cell: RatioCell) -> dict:
    """Train the model of a cell on scenes, on the CPU, and score it; what `RatioScore` holds, fit for JSON."""
    started = time.process_time()
    language = scene_language()
    masks = {"mask_ratio": cell.mask_ratio, "prediction_ratio": cell.prediction_ratio, "split": cell.split}
    config = study_recipe(cell.steps, cell.seed, learning_rate=cell.learning_rate, **masks)
    shape = study_shape(cell.size, len(language.vocabulary))
    source = SampledSentences(language, cell.seed)
    every = max(1, cell.steps // CURVE_POINTS)
    result = train(shape, source, config, evaluation=_curve_questions(), evaluate_every=every, device="cpu")
    questions, probed = fixed_questions()
    kl = [_mean_kl(result.model, at) for at in questions]
    clean = read_clean_text(result.model, *probed)
    last = result.curve[-1]
    return {
        "kl": [round(mean, DECIMALS) for mean, _ in kl],
        "kl_error": [round(error, DECIMALS) for _, error in kl],
        "probe_accuracy": round(clean.probe_accuracy, DECIMALS),
        "copy_nats": round(clean.copy_nats, DECIMALS),
        "flops": flops_spent(shape, language, last),
        "tokens": last.tokens,
        "predictions": last.predictions,
        "curve": [[point.step, round(point.gap, 3)] for point in result.curve],
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def _mean_kl(model: MaskedLM, questions: ExactQuestions) -> tuple[float, float]:
    """The mean KL over the questions, and its standard error over their sentences, in nats."""
    return mean_and_error(np.bincount(questions.rows, question_kl(model, questions)), np.bincount(questions.rows))


@cache
def fixed_questions() -> tuple[list[ExactQuestions], tuple[SceneSentences, SceneSentences]]:
    """What every model is asked: blanks at each of SCORED_AT, and scenes to fit and to test the probe on."""
    language, rng = scene_language(), np.random.default_rng(RATIO_QUESTIONS_SEED)
    blanks = [draw_questions(language, SCORED_SENTENCES, ratio, rng) for ratio in SCORED_AT]
    return blanks, (language.sample(PROBED_SENTENCES, rng), language.sample(PROBED_SENTENCES, rng))


@cache
def _curve_questions() -> EvaluationSet:
    """The evaluation set of the curves: other sentences, at the same ratio."""
    language, rng = scene_language(), np.random.default_rng(RATIO_LOOKS_SEED)
    ids = by_length(language.sample(CURVE_SENTENCES, rng).ids, language.vocabulary)
    return draw_evaluation(ids, language.vocabulary, TrainingConfig(steps=1), rng, language)
