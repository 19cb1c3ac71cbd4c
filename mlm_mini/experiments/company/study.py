"""Tables of words in the course of training, beside counts of the same sentences, and in texts without company.

Arms: the language as it is; its words drawn alone, so that nothing but their frequency can be learned; and two in
which the dog has fewer verbs. A seed has the same first weights and the same sentences in every arm. All are tiny
models, by the recipe of the scene language.

Shape letters: V words, D width, N questions.
"""

from dataclasses import replace

import numpy as np
import torch

from mlm_mini.experiments.company.arms import WHOLE_TEXT, ArmSentences
from mlm_mini.experiments.company.baseline import TUNED_FOR, WINDOWS, CountTrial, best_setting, try_settings
from mlm_mini.experiments.company.config import (
    FIRST_SEED,
    STRETCHES,
    CompanyCell,
    CompanyConfig,
    CompanyScore,
    Look,
)
from mlm_mini.experiments.company.counts import cooccurrence
from mlm_mini.experiments.company.figures_of import CompanyFigures, company_figures
from mlm_mini.experiments.company.result import WordCompany
from mlm_mini.experiments.company.stretch import output_pair, predictions, stretch
from mlm_mini.experiments.company.truth import scene_company
from mlm_mini.experiments.company.uses import told_apart, two_uses, verb_vectors
from mlm_mini.experiments.company.vectors import mean_vectors, occurrences, table
from mlm_mini.experiments.lab.recipe import DECIMALS
from mlm_mini.experiments.lab.result import plain
from mlm_mini.experiments.lab.study import score_cells, study_folder
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.seeds import TUNING_SEED
from mlm_mini.training import find_material, recipe
from mlm_mini.training.run import Run

READ_SEED, READ = 1290, 8_000  # sentences in which words are read for their vectors in context


def measure_company(
    config: CompanyConfig, rng: np.random.Generator, workers: int | None = None, finished: Finished = tell_nobody
) -> WordCompany:
    """Every run of `config`, trained or read from the cache. rng: not used, since every run has a seed of its own.

    workers, finished: as in `run_study`.
    """
    tried = try_counts(config)
    settings = tuple(best_setting(tried, figure) for figure in TUNED_FOR)
    cells = [
        CompanyCell(arm, seed, config.steps, config.looks if arm == WHOLE_TEXT else config.looks[-1:], settings)
        for seed in range(FIRST_SEED, FIRST_SEED + config.seeds)
        for arm in config.arms
    ]
    folder = study_folder("word_company", run_company_cell, scene_language().fingerprint)
    return WordCompany(config, tried, score_cells(CompanyScore, cells, run_company_cell, folder, workers, finished))


def try_counts(config: CompanyConfig) -> tuple[CountTrial, ...]:
    """The settings of the grid on as many sentences as a model reads, drawn with the seed that chooses."""
    company, batch = scene_company(), recipe("scenes", size="tiny", device="cpu").batch_size
    ids = ArmSentences(WHOLE_TEXT, TUNING_SEED).next_batch(config.steps * batch)
    counts = {window: _counts(ids, window) for window in WINDOWS}
    trials = try_settings(counts, company, config.grid)
    return tuple(replace(trial, figures=_rounded(trial.figures)) for trial in trials)


def run_company_cell(cell: CompanyCell) -> dict:
    """Train the model of a cell on the CPU and look at it; what was found, fit for JSON."""
    config = recipe("scenes", size="tiny", device="cpu", steps=cell.steps, seed=cell.seed)
    evaluation = find_material("scenes", config).evaluation
    source, company = ArmSentences(cell.arm, cell.seed), scene_company()
    counted = ArmSentences(cell.arm, cell.seed)  # the same sentences once more, for the counts
    counts = {setting.window: np.zeros((len(company.ids),) * 2, dtype=np.int64) for setting in cell.settings}
    looks = []
    with torch.random.fork_rng([]):
        run = Run.start(ModelConfig.tiny(len(source.vocabulary)), source, config, torch.device("cpu"))
        for look in cell.looks:
            for _ in range(look - run.step):
                run.one_step()
                ids = counted.next_batch(config.batch_size)
                for window in counts:
                    counts[window] += _counts(ids, window)
            by_counting = [_figures(s.vectors(counts[s.window])) for s in cell.settings] if look else []
            looks.append(_look(run.model, look, run.look(evaluation).gap, by_counting))
    stretched, changed = _stretched(run.model)
    return {"looks": plain(looks), "stretched": plain(stretched), "changed": changed}


def _look(model: MaskedLM, step: int, gap: float, counts: list[CompanyFigures]) -> Look:
    company, language = scene_company(), scene_language()
    ids = language.sample(READ, np.random.default_rng(READ_SEED)).ids
    in_context = mean_vectors(*occurrences(model, ids, language.vocabulary), company.ids)
    apart = told_apart(verb_vectors(model, two_uses()), two_uses())
    figures = _figures(table(model, company.ids)), tuple(counts), _figures(in_context)
    return Look(step, round(gap, DECIMALS), *figures, round(apart, DECIMALS))


def _stretched(model: MaskedLM) -> tuple[list[CompanyFigures], float]:
    """The figures of the table after each stretch, and the largest change of a probability in any of them."""
    language, company = scene_language(), scene_company()
    ids = language.sample(200, np.random.default_rng(READ_SEED)).ids
    hidden, rows, bias = output_pair(model, ids, language.vocabulary.pad_id)
    before, found, changed = predictions(hidden, rows, bias), [], 0.0
    for power in STRETCHES:
        for_rows, for_hidden = stretch(rows, power)
        after = predictions(hidden @ for_hidden, rows @ for_rows, bias)
        changed = max(changed, float(np.abs(after - before).max()))
        found.append(_figures((rows @ for_rows)[company.ids]))
    return found, changed


def _counts(ids: np.ndarray, window: int) -> np.ndarray:
    vocabulary, company = scene_language().vocabulary, scene_company()
    return cooccurrence(ids, vocabulary.special_ids, len(vocabulary), window)[np.ix_(company.ids, company.ids)]


def _figures(vectors) -> CompanyFigures:
    return _rounded(company_figures(vectors, scene_company()))


def _rounded(figures: CompanyFigures) -> CompanyFigures:
    return CompanyFigures(*(round(float(figure), DECIMALS) for figure in figures))
