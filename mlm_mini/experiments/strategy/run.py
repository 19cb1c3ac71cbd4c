"""The study of strategies as it is run: one model for each cell, trained at equal compute, probed, and scored.

All models of a seed read the same sentences from the same first weights, so that two strategies of one seed are a pair.
What a strategy spends on looking is taken off its steps.
"""

import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from mlm_mini.experiments.lab.rates import at_best_rates, try_rates
from mlm_mini.experiments.lab.recipe import BATCH_SIZE, DECIMALS, study_recipe
from mlm_mini.experiments.lab.study import score_cells, study_folder
from mlm_mini.experiments.strategy import scores, selection, signals
from mlm_mini.experiments.strategy.config import (
    STUDY_LANGUAGES,
    STUDY_RATIO,
    MaskStrategyConfig,
    StrategyCell,
    equal_steps,
)
from mlm_mini.experiments.strategy.fixed_points import bias, surprisal_fixed_point
from mlm_mini.experiments.strategy.noisy_scenes import code_ids
from mlm_mini.experiments.strategy.result import MaskStrategy, StrategyScore
from mlm_mini.languages import SceneLanguage, Vocabulary, scene_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.seeds import STRATEGY_QUESTIONS_SEED
from mlm_mini.training import Batch, train

BIASED_QUESTIONS = 400


def measure_mask_strategy(
    config: MaskStrategyConfig, rng: np.random.Generator, workers: int | None = None, finished: Finished = tell_nobody
) -> MaskStrategy:
    """Every cell of `config` at the best rate of its arm, trained or read from the cache.

    rng: chooses the blanks at which the exact bias is computed; the seeds of the models are in the cells. workers,
    finished: as in `run_study`. A study that was stopped goes on where it stopped.
    """
    how = run_strategy_cell, strategy_folder(), workers, finished
    cells = config.cells()
    tried = try_rates([replace(cell, probed=(), arms=()) for cell in cells], config.rates, *how)
    found = score_cells(StrategyScore, at_best_rates(cells, tried), *how)
    p = rng.permutation(scores.questions_of(scene_language())[0].posterior)[:BIASED_QUESTIONS]
    return MaskStrategy(config, found, float(bias(p, surprisal_fixed_point(p)).mean()), tried)


def strategy_folder() -> Path:
    """The place in the cache for cells of this study, named after all that they have in common."""
    constants = [STUDY_RATIO, BATCH_SIZE, scores.ASKED_SENTENCES, STRATEGY_QUESTIONS_SEED]
    constants += [signals.TARGET_SENTENCES, scores.BINS]
    constants += [selection.OVERSAMPLING, selection.POWER, selection.SCORE_FLOOR, selection.MORE_UNIFORM]
    languages = [make().fingerprint for make in STUDY_LANGUAGES.values()]
    return study_folder("mask_strategy", run_strategy_cell, languages, constants)


def run_strategy_cell(cell: StrategyCell) -> dict:
    """Train the model of a cell on the CPU and score it; what `StrategyScore` holds, fit for JSON."""
    started = time.process_time()
    language, steps = STUDY_LANGUAGES[cell.language](), equal_steps(cell)
    probes, found, noise = {max(1, round(share * steps)): share for share in cell.probed}, [], []

    def ask(ids: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator, model: MaskedLM) -> Batch:
        chosen = selection.select(cell.strategy, cell.weighted, ids, vocabulary, STUDY_RATIO, rng, model)
        noise.append(noise_share(ids, chosen.asked, language))
        return selection.selected_batch(ids, vocabulary, chosen)

    def probe(step: int, model: MaskedLM) -> None:
        if step in probes:
            found.extend(signals.measure_signals(model, language, cell, probes[step]))

    shape, source = ModelConfig.tiny(len(language.vocabulary)), SampledSentences(language, cell.seed)
    config = study_recipe(steps, cell.seed, learning_rate=cell.learning_rate)
    model = train(shape, source, config, objective=ask, after_step=probe, device="cpu").model
    last = noise[-max(1, steps // 4) :]
    return scores.score_model(model, language) | {
        "steps": steps,
        "noise_share": round(float(np.mean(last)), DECIMALS),
        "signals": [asdict(signal) for signal in found],
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def noise_share(ids: np.ndarray, asked: np.ndarray, language: SceneLanguage) -> float:
    """The share of the asked positions of (B, T) ids where a code stands; 0 where nothing is asked."""
    words = ids[asked]
    return float(np.isin(words, code_ids(language.vocabulary)).mean()) if words.size else 0.0
