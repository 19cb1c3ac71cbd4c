"""Which mask ratio makes a writer? Models trained at one ratio, at all of them, and from left to right, over seeds.

All arms of a seed start from the same weights and read the same sentences, so that two of them are a pair. Each has the
learning rate at which it writes best, chosen with a seed that is not used again. What it finds holds for a short run of
a small model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini.experiments.lab.exact_questions import draw_questions, question_kl
from mlm_mini.experiments.lab.intervals import Estimate, mean_interval
from mlm_mini.experiments.lab.rates import HIGH_RATES, RateTrial, at_best_rates, best_rates, try_rates
from mlm_mini.experiments.lab.recipe import DECIMALS, study_recipe
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.lab.study import score_cells, study_folder
from mlm_mini.experiments.lab.verdicts import UNDECIDED, Decision, Sampled, decide
from mlm_mini.experiments.writing.causal import causal_nats, write_causal
from mlm_mini.experiments.writing.figure import plot_writers
from mlm_mini.experiments.writing.price import price
from mlm_mini.experiments.writing.readers import model_reader
from mlm_mini.experiments.writing.unmasking import hide_all_words, unmask
from mlm_mini.languages import Vocabulary, scene_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.seeds import WRITING_SEED
from mlm_mini.training import Batch, stratified_ratios, train
from mlm_mini.training.objectives import asking_batch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

AT_15, AT_40, AT_ALL, ONE_BY_RATIO, LEFT_TO_RIGHT = "15%", "40%", "all ratios", "all ratios, weight 1/ratio", "causal"
WRITING_ARMS = {  # fields of the recipe; ONE_BY_RATIO has an objective of its own
    AT_15: {"mask_ratio": 0.15},
    AT_40: {"mask_ratio": 0.4},
    AT_ALL: {"objective": "diffusion"},
    ONE_BY_RATIO: {"objective": "diffusion"},
    LEFT_TO_RIGHT: {"objective": "causal"},
}
JUDGED_SENTENCES, FOUR_STEPS = 500, 4
LESS, MORE = "less", "more"


@dataclass(frozen=True)
class WritingCell:
    """One run. arm: a name in WRITING_ARMS."""

    arm: str
    steps: int
    seed: int
    learning_rate: float = HIGH_RATES[1]

    @property
    def name(self) -> str:
        arm = self.arm.replace("%", "").replace(", ", "-").replace(" ", "_").replace("/", "_by_")
        return f"{arm}-{self.learning_rate:g}-{self.steps}-seed{self.seed}"


@dataclass(frozen=True)
class WritingConfig:
    """steps: of each run. seeds: 0, 1 ... so many of each arm. rates: each arm has the best of them."""

    steps: int = 400
    seeds: int = 5
    rates: tuple[float, ...] = HIGH_RATES

    def cells(self) -> list[WritingCell]:
        return [WritingCell(arm, self.steps, seed) for seed in range(self.seeds) for arm in WRITING_ARMS]


@dataclass(frozen=True)
class WritingScore:
    """price: KL(language, written) in nats per sentence, one word a step in random order, or from left to right;
    possible: the share of written sentences that the language can produce. few_price, few_possible: the same in four
    steps. kl: to the exact posterior in nats per blank, with 15% hidden. The latter three are None for a causal model.
    """

    cell: WritingCell
    price: float
    possible: float
    few_price: float | None
    few_possible: float | None
    kl: float | None


@dataclass(frozen=True)
class Writers(Result):
    """tried: every arm at every rate, by which rates were chosen; runs: those at the chosen rates."""

    config: WritingConfig
    tried: tuple[RateTrial, ...]
    runs: tuple[WritingScore, ...]

    def rate(self, arm: str) -> float:
        """The rate that was best with the seed that chooses."""
        return best_rates(self.tried).get(arm, WritingCell.learning_rate)

    def values(self, unit: str, arm: str) -> np.ndarray:
        """(S,): a figure of each seed, in their order."""
        runs = sorted((s for s in self.runs if s.cell.arm == arm), key=lambda s: s.cell.seed)
        return np.array([getattr(score, unit) for score in runs], dtype=np.float64)

    def difference(self, unit: str, arm: str, other: str) -> Estimate:
        """By how much the figure of `arm` is above that of `other`: the mean of the pairs, 95% by t over seeds."""
        return mean_interval(self.values(unit, arm) - self.values(unit, other))

    def verdict(self, unit: str, arm: str, other: str) -> Decision:
        """Whether `arm` has more of a figure than `other`, or less, if nearly all resamples of the seeds agree."""
        difference = Sampled.mean(self.values(unit, arm) - self.values(unit, other))
        return decide(lambda x: MORE if x["more"] > 0 else LESS, {"more": difference})

    def table(self) -> str:
        lines = [f"{'trained at':28}{'rate':>6}  {'price':>17}  {'possible':>15}  {'KL at 15%':>15}  (95% over seeds)"]
        for arm in WRITING_ARMS:
            cells = [f"{mean_interval(self.values('price', arm)).with_margin():>17}"]
            share = mean_interval(100 * self.values("possible", arm))
            cells.append(f"{f'{share.value:.0f}% ± {share.high - share.value:.0f}':>15}")
            kl = "" if arm == LEFT_TO_RIGHT else mean_interval(self.values("kl", arm)).with_margin()
            lines.append(f"{arm:28}{self.rate(arm):6g}  " + "  ".join([*cells, f"{kl:>15}"]))
        return "\n".join(lines)

    def plot(self) -> Figure:
        return plot_writers(self)

    def finding(self) -> str:
        """The title of the picture."""
        parts = []
        for other in (AT_15, AT_40):
            word, nats = self.verdict("price", AT_ALL, other).word, abs(self.difference("price", AT_ALL, other).value)
            known = "no telling whether more" if word == UNDECIDED else f"{nats:.1f} nats {word}"
            parts.append(f"{known} than {other}")
        return f"All ratios pay {', '.join(parts)}"

    def describe(self) -> str:
        arms = "; ".join(f"{arm} {mean_interval(self.values('price', arm))}" for arm in WRITING_ARMS)
        shares = "; ".join(f"{arm} {mean_interval(self.values('possible', arm)).value:.0%}" for arm in WRITING_ARMS)
        return f"Nats per sentence above the entropy, 95% over seeds: {arms}. Share of possible sentences: {shares}."


def measure_writers(
    config: WritingConfig, rng: np.random.Generator, workers: int | None = None, finished: Finished = tell_nobody
) -> Writers:
    """Every run of `config`, trained or read from the cache. rng: not used, since every run has a seed of its own.

    workers, finished: as in `run_study`.
    """
    folder = study_folder("writing", run_writing_cell, scene_language().fingerprint)
    how = run_writing_cell, folder, workers, finished
    tried = try_rates(config.cells(), config.rates, *how, score=lambda found: found["price"])
    return Writers(config, tried, score_cells(WritingScore, at_best_rates(config.cells(), tried), *how))


def run_writing_cell(cell: WritingCell) -> dict:
    """Train the model of a cell on the CPU; how it writes, fit for JSON."""
    language = scene_language()
    config = study_recipe(
        cell.steps, cell.seed, learning_rate=cell.learning_rate, embedding_rate=3.0, **WRITING_ARMS[cell.arm]
    )
    source = SampledSentences(language, cell.seed)
    objective = ratio_weighted_batch if cell.arm == ONE_BY_RATIO else None
    shape = ModelConfig.tiny(len(language.vocabulary))
    model = train(shape, source, config, objective=objective, device="cpu").model
    found = judge_causal(model) if cell.arm == LEFT_TO_RIGHT else judge_writer(model)
    return {name: None if value is None else round(value, DECIMALS) for name, value in found.items()}


def judge_writer(model: MaskedLM) -> dict:
    """The figures of a `WritingScore` for a model that unmasks, at the same sentences for each."""
    language, rng = scene_language(), np.random.default_rng(WRITING_SEED)
    ids = language.sample(JUDGED_SENTENCES, rng).ids
    reader, mask_id = model_reader(model, language.vocabulary), language.vocabulary.mask_id
    found = {}
    for name, steps in (("", language.length), ("few_", FOUR_STEPS)):
        found[f"{name}price"] = float(price(reader, language, ids, steps, rng).mean())
        written = unmask(reader, hide_all_words(ids, language.vocabulary), mask_id, steps, rng).ids
        found[f"{name}possible"] = float(np.isfinite(language.log_marginal(written)).mean())
    questions = draw_questions(language, JUDGED_SENTENCES, 0.15, rng)
    return found | {"kl": float(question_kl(model, questions).mean())}


def judge_causal(model: MaskedLM) -> dict:
    """The same for a causal model, which is charged for the length of a sentence as well."""
    language, rng = scene_language(), np.random.default_rng(WRITING_SEED)
    ids = language.sample(JUDGED_SENTENCES, rng).ids
    above = causal_nats(model, ids, language.vocabulary) + language.log_marginal(ids)
    possible = np.isfinite(language.log_marginal(write_causal(model, language, JUDGED_SENTENCES, rng)))
    nothing = dict.fromkeys(("few_price", "few_possible", "kl"))
    return {"price": float(above.mean()), "possible": float(possible.mean())} | nothing


def ratio_weighted_batch(ids: np.ndarray, vocabulary: Vocabulary, rng: np.random.Generator, model: MaskedLM) -> Batch:
    """As `diffusion_batch`, with the same draws, but with the weight 1 / ratio itself."""
    words, u = np.isin(ids, vocabulary.regular_ids), rng.random(ids.shape)
    ratios = stratified_ratios(len(ids), rng)[:, None]
    hidden, weights = words & (u < ratios), np.broadcast_to(1 / (ratios * words.sum()), ids.shape)
    return asking_batch(ids, vocabulary, np.where(hidden, vocabulary.mask_id, ids), hidden, weights)
