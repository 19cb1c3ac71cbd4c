"""How much to mask: models trained at many ratios, asked the same questions, scored against the exact posterior.

A loss at a high ratio and one at a low ratio are answers to different questions. So every model, whatever it was
trained at, is scored at the same blanks (see `scoring`), and its text and first weights depend on the seed alone: two
ratios of one seed are a pair.

Shape letters: R mask ratios, S seeds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini.experiments import study
from mlm_mini.experiments.clean_text import read_clean_text
from mlm_mini.experiments.cost import cost_to_reach, mean_length
from mlm_mini.experiments.result import Result
from mlm_mini.experiments.scoring import ExactQuestions, draw_questions, question_kl
from mlm_mini.experiments.statistics import Estimate, mean_interval
from mlm_mini.experiments.study import run_study
from mlm_mini.languages import SceneSentences, scene_language
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import MaskedLM
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.training import EvaluationSet, TrainingConfig, draw_evaluation, train
from mlm_mini.training.config import ALL_MASK
from mlm_mini.training.evaluation import mean_and_error
from mlm_mini.training.folders import model_config
from mlm_mini.training.material import TEXT
from mlm_mini.training.objectives import by_length

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATIOS = (0.01, 0.05, 0.15, 0.3, 0.4, 0.5, 0.65, 0.8)
REFERENCE_RATIO = 0.15  # whose cost is the measure at equal FLOPs, and at which every model is scored
SCORED_AT = (0.15, 0.5)  # ratios of the questions; the first is the one that counts
SCORED_SENTENCES, PROBED_SENTENCES, SCORING_SEED = 1500, 1500, 910
BATCH_SIZE, LEARNING_RATE = 64, 3e-3
FLOOR_SENTENCES = 10_000
LOOKS, LOOKED_SENTENCES = 12, 1024  # evaluations on the way, for the cost of a given gap
BERT_SPLIT = (0.8, 0.1, 0.1)
ROUNDING = 5  # decimals kept of what a cell found: far below its error
LINES = (("SKY", "o"), ("BLUE", "s"), ("ORANGE", "D"), ("RED", "^"))  # color and marker of each column of a study
CROWDED = (0.4, 0.65)  # of RATIOS, those whose names have no room on a logarithmic axis


@dataclass(frozen=True)
class Cell:
    """One model to train. budget: "steps" or "flops", which of the two is equal to that of its neighbors."""

    size: str
    steps: int
    seed: int
    mask_ratio: float
    prediction_ratio: float | None = None
    split: tuple[float, float, float] = ALL_MASK
    budget: str = "steps"

    @property
    def name(self) -> str:
        """All fields, as a file's name."""
        knobs = f"{self.mask_ratio}" if self.prediction_ratio is None else f"{self.mask_ratio}p{self.prediction_ratio}"
        split = "" if self.split == ALL_MASK else "-" + "".join(f"{share:.1f}"[2] for share in self.split)
        return f"{self.size}-{self.steps}-{self.budget}-{knobs}{split}-seed{self.seed}"


@dataclass(frozen=True)
class MaskRatioConfig:
    """The cells of a study.

    sizes: of the model; steps: the budgets, in updates of 64 sentences. seeds: 0, 1 ... flops_steps: the budget, in
    steps at ratio 0.15, of the runs at equal FLOPs; None for no such runs. knobs: pairs of corruption and prediction
    ratio, and split_ratios: ratios at which 80/10/10 stands beside 100% [MASK]; both at the largest budget.
    knob_sizes: the sizes for the pairs. arm_seeds: how many of the seeds, the first ones, the runs at equal FLOPs, the
    pairs and 80/10/10 have.
    """

    sizes: tuple[str, ...] = ("tiny", "mini")
    steps: tuple[int, ...] = (300, 900)
    ratios: tuple[float, ...] = RATIOS
    seeds: int = 5
    flops_steps: int | None = 300
    knobs: tuple[tuple[float, float], ...] = ((0.15, 0.05), (0.4, 0.05), (0.4, 0.15), (0.65, 0.15))
    knob_sizes: tuple[str, ...] = ("tiny",)
    split_ratios: tuple[float, ...] = (0.15, 0.4)
    arm_seeds: int = 5

    def __post_init__(self):
        for name, least in (("sizes", 1), ("steps", 1), ("ratios", 3)):
            if len(getattr(self, name)) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: expected at least {least}")
        if self.seeds < 2:
            raise ValueError(f"seeds is {self.seeds}: expected at least 2, for an interval")
        if self.arm_seeds < 2:
            raise ValueError(f"arm_seeds is {self.arm_seeds}: expected at least 2, for an interval")
        if any(not 0 < ratio <= 1 for ratio in self.ratios):
            raise ValueError(f"ratios is {self.ratios}: expected shares above 0, up to 1")

    def cells(self) -> list[Cell]:
        """Every run, one seed after the other, so that a study that was stopped has whole seeds."""
        grid = [Cell(size, steps, 0, r) for size in self.sizes for steps in self.steps for r in self.ratios]
        arms = self._arms()
        of_seed = [grid + arms if seed < self.arm_seeds else grid for seed in range(self.seeds)]
        return [replace(cell, seed=seed) for seed, cells in enumerate(of_seed) for cell in cells]

    def _arms(self) -> list[Cell]:
        """All but the runs at every ratio and equal steps, of seed 0."""
        longest, cells = max(self.steps), []
        if self.flops_steps:
            cells += [
                Cell(size, steps_at_equal_flops(size, r, self.flops_steps), 0, r, budget="flops")
                for size in self.sizes
                for r in self.ratios
            ]
        cells += [Cell(size, longest, 0, c, p) for size in self.knob_sizes for c, p in self.knobs]
        cells += [Cell(size, longest, 0, r, split=BERT_SPLIT) for size in self.sizes for r in self.split_ratios]
        return cells


QUICK = MaskRatioConfig(
    sizes=("tiny",), steps=(100,), ratios=(0.05, 0.15, 0.4, 0.8), seeds=5, flops_steps=None, knobs=(), split_ratios=()
)


# ---- the study


def measure_mask_ratio(
    config: MaskRatioConfig,
    rng: np.random.Generator,
    workers: int | None = None,
    finished: Finished = tell_nobody,
) -> MaskRatio:
    """Every cell of `config`, trained or read from the cache, and the Bayes floor at each of its ratios.

    rng: for the sample of the floor; the seeds of the models are in the cells. workers, finished: as in `run_study`.
    A study that was stopped goes on where it stopped.
    """
    cells = config.cells()
    found = run_study(cells, run_cell, study_folder(), workers, finished)
    scores = [CellScore.from_found(cell, content) for cell, content in zip(cells, found, strict=True)]
    language = scene_language()
    floor = [language.bayes_floor(ratio, rng, FLOOR_SENTENCES)[:2] for ratio in config.ratios]
    return MaskRatio(config, tuple(scores), np.array(floor))


def study_folder() -> Path:
    """The place in the cache for cells of this study, named after all that they have in common."""
    constants = [BATCH_SIZE, LEARNING_RATE, SCORING_SEED, SCORED_SENTENCES, PROBED_SENTENCES, list(SCORED_AT), LOOKS]
    return study.study_folder("mask_ratio", scene_language().fingerprint, constants)


# ---- one cell


def run_cell(cell: Cell) -> dict:
    """Train the model of a cell on scenes, on the CPU, and score it; what `CellScore` holds, fit for JSON."""
    started = time.process_time()
    language = scene_language()
    config = TrainingConfig(
        steps=cell.steps,
        batch_size=BATCH_SIZE,
        micro_batches=2,
        mask_ratio=cell.mask_ratio,
        prediction_ratio=cell.prediction_ratio,
        split=cell.split,
        learning_rate=LEARNING_RATE,
        seed=cell.seed,
    )
    shape = model_config(cell.size, len(language.vocabulary))
    source = SampledSentences(language, [cell.seed, TEXT])
    looks = max(1, cell.steps // LOOKS)
    result = train(shape, source, config, evaluation=_looked_at(), evaluate_every=looks, device="cpu")
    questions, probed = fixed_questions()
    kl = [_mean_kl(result.model, at) for at in questions]
    clean = read_clean_text(result.model, *probed)
    last = result.curve[-1]
    flops = shape.training_flops_per_token(mean_length(language), last.predictions / last.tokens) * last.tokens
    return {
        "kl": [round(mean, ROUNDING) for mean, _ in kl],
        "kl_error": [round(error, ROUNDING) for _, error in kl],
        "probe_accuracy": round(clean.probe_accuracy, ROUNDING),
        "copy_nats": round(clean.copy_nats, ROUNDING),
        "flops": flops,
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
    language, rng = scene_language(), np.random.default_rng(SCORING_SEED)
    blanks = [draw_questions(language, SCORED_SENTENCES, ratio, rng) for ratio in SCORED_AT]
    return blanks, (language.sample(PROBED_SENTENCES, rng), language.sample(PROBED_SENTENCES, rng))


@cache
def _looked_at() -> EvaluationSet:
    """The evaluation set of the curves: other sentences, at the same ratio."""
    language, rng = scene_language(), np.random.default_rng(SCORING_SEED + 1)
    ids = by_length(language.sample(LOOKED_SENTENCES, rng).ids, language.vocabulary)
    return draw_evaluation(ids, language.vocabulary, TrainingConfig(steps=1), rng, language)


def steps_at_equal_flops(size: str, mask_ratio: float, steps: int) -> int:
    """The number of steps at `mask_ratio` that cost what `steps` cost at ratio 0.15: more predictions, more FLOPs."""
    language = scene_language()
    shape, length = model_config(size, len(language.vocabulary)), mean_length(language)
    words = (length - 2) / length  # the share of the tokens that may be masked
    cost, reference = (shape.training_flops_per_token(length, r * words) for r in (mask_ratio, REFERENCE_RATIO))
    return max(1, round(steps * reference / cost))


# ---- the result


@dataclass(frozen=True)
class CellScore:
    """What one model came to.

    kl, kl_error: KL(exact, model) in nats per blank at each of SCORED_AT, and its standard error over the sentences of
    the questions. probe_accuracy, copy_nats: see `CleanText`. flops, tokens, predictions: spent in training.
    curve: pairs of step and gap to the Bayes floor in nats. cpu_seconds: on the machine that ran it.
    """

    cell: Cell
    kl: tuple[float, ...]
    kl_error: tuple[float, ...]
    probe_accuracy: float
    copy_nats: float
    flops: float
    tokens: int
    predictions: int
    curve: tuple[tuple[float, ...], ...]
    cpu_seconds: float

    @classmethod
    def from_found(cls, cell: Cell, found: dict) -> CellScore:
        """What `run_cell` found."""
        pairs = tuple(tuple(pair) for pair in found["curve"])
        return cls(cell, **found | {"kl": tuple(found["kl"]), "kl_error": tuple(found["kl_error"]), "curve": pairs})


@dataclass(frozen=True)
class Best:
    """The best ratio of one column of the study.

    ratio: where the parabola through the lowest score of a seed and its neighbors, on log axes, is lowest; geometric
    mean over seeds, with its t interval. lowest: of the ratios that were run, the one with the lowest mean. as_good:
    those whose paired difference from it has an interval that holds 0 (or lies below). spread: how many nats the worst
    of `as_good` is above the lowest.
    """

    ratio: Estimate
    lowest: float
    as_good: tuple[float, ...]
    spread: float


@dataclass(frozen=True)
class MaskRatio(Result):
    """The study. config: which cells. scores: one for each. floor: for each of config.ratios, the Bayes floor and its
    standard error, in nats per masked token."""

    config: MaskRatioConfig
    scores: tuple[CellScore, ...]
    floor: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))

    def of(self, size: str, steps: int | None = None, **fields) -> np.ndarray:
        """Scores (S,) of one cell, one for each seed, as objects. fields: of the Cell, where they differ from its own
        defaults. Raises ValueError when there is none."""
        wanted = {"size": size, "prediction_ratio": None, "split": ALL_MASK, "budget": "steps"} | fields
        if steps is not None:
            wanted["steps"] = steps
        found = [s for s in self.scores if all(getattr(s.cell, name) == value for name, value in wanted.items())]
        if not found:
            raise ValueError(f"the study has no cell with {wanted}")
        return np.array(sorted(found, key=lambda score: score.cell.seed), dtype=object)

    def values(self, figure: str, size: str, steps: int | None = None, at: int = 0, **fields) -> np.ndarray:
        """One figure of one cell, (S,): a field of CellScore by name, "kl" being that at SCORED_AT[at]."""
        found = [getattr(score, figure) for score in self.of(size, steps, **fields)]
        return np.array([value[at] if isinstance(value, tuple) else value for value in found])

    def kl(self, size: str, steps: int | None = None, at: int = 0, **fields) -> np.ndarray:
        """KL(exact, model) in nats at SCORED_AT[at], over ratios and seeds: (R, S)."""
        return np.array([self.values("kl", size, steps, at, mask_ratio=r, **fields) for r in self.config.ratios])

    def steps_to_reach(self, size: str, steps: int, target: float | np.ndarray) -> np.ndarray:
        """The steps at which each curve first was within `target` nats of the floor, (R, S); inf where never.

        target: one for all, or (S,), one for each seed.
        """
        rows = [self.of(size, steps, mask_ratio=r) for r in self.config.ratios]
        targets = np.broadcast_to(target, len(rows[0]))
        return np.array(
            [[cost_to_reach(np.array(s.curve), t) for s, t in zip(row, targets, strict=True)] for row in rows]
        )

    def knobs(self, size: str, at: int = 0) -> dict[tuple[float, float], np.ndarray]:
        """KL in nats, (S,), for each pair of corruption and prediction ratio that was run at the largest budget: those
        of the config, and one ratio for both knobs where it is one of these. S: the seeds that all of them have."""
        if size not in self.config.knob_sizes:
            raise ValueError(f"size is {size!r}: the two knobs were turned for {', '.join(self.config.knob_sizes)}")
        longest, turned = max(self.config.steps), set(self.config.knobs)
        both = {(r, r) for pair in turned for r in pair if r in self.config.ratios}
        found = {
            (c, p): self.values("kl", size, longest, at, mask_ratio=c, prediction_ratio=p if c != p else None)
            for c, p in sorted(turned | both)
        }
        shared = min(map(len, found.values()))
        return {pair: kl[:shared] for pair, kl in found.items()}

    def best(self, size: str, steps: int | None = None, at: int = 0, **fields) -> Best:
        """The best ratio for a size and a budget, scored at SCORED_AT[at]."""
        return best_ratio(np.array(self.config.ratios), self.kl(size, steps, at, **fields))

    def columns(self) -> list[tuple[str, int]]:
        """The pairs of size and steps that were run at every ratio."""
        return [(size, steps) for size in self.config.sizes for steps in self.config.steps]

    def table(self) -> str:
        """KL at the fixed questions, one line a ratio, one column a size and budget."""
        lines = [f"KL(exact, model) at ratio {SCORED_AT[0]}, nats per blank: mean and 95% interval over seeds"]
        lines.append(
            f"{'trained at':12}" + "".join(f"{f'{size}, {steps:,} steps':>26}" for size, steps in self.columns())
        )
        for i, ratio in enumerate(self.config.ratios):
            means = [mean_interval(self.kl(size, steps)[i]) for size, steps in self.columns()]
            lines.append(f"{ratio:<12}" + "".join(f"{f'{m.value:.3f} ± {m.high - m.value:.3f}':>26}" for m in means))
        for size, steps in self.columns():
            best = self.best(size, steps)
            lines.append(
                f"best for {size}, {steps:,} steps: {best.ratio.value:.2f} ({best.ratio.low:.2f} to "
                f"{best.ratio.high:.2f}); as good within the error: {', '.join(map(str, best.as_good))}"
            )
        return "\n".join(lines)

    def plot(self) -> Figure:
        """KL at the fixed questions against the ratio of the training: at equal steps, and at equal FLOPs if run."""
        from mlm_mini import figures

        if not self.config.flops_steps:
            figure, (ax,) = figures.new_figure(7, 3.6)
            self._draw(ax, self.columns())
            return figure
        figure, (left, right) = figures.new_figure(10, 3.8, columns=2)
        self._draw(left, self.columns())
        self._draw(right, [(size, None) for size in self.config.sizes], budget="flops")
        right.set(ylabel="", ylim=left.get_ylim())
        return figure

    def _draw(self, ax: Axes, columns: list[tuple[str, int | None]], **fields) -> None:
        """A line for each size and budget, with filled markers where a ratio is as good as the best."""
        from matplotlib.ticker import LogLocator

        from mlm_mini import figures

        for size, steps in columns:
            color, marker = self._look(size, steps or self.config.flops_steps)
            color, best = getattr(figures, color), self.best(size, steps, **fields)
            nats = [mean_interval(row) for row in self.kl(size, steps, **fields)]
            means = np.array([m.value for m in nats])
            # On a logarithmic axis a bar can come near zero, but not to it.
            bars = [[min(m.value - m.low, 0.999 * m.value) for m in nats], [m.high - m.value for m in nats]]
            ax.errorbar(self.config.ratios, means, bars, color=color, capsize=2, linewidth=1.5)
            face = [color if r in best.as_good else "white" for r in self.config.ratios]
            ax.scatter(self.config.ratios, means, 28, face, marker=marker, edgecolors=color, zorder=3)
            name = f"{size}, {steps:,} steps" if steps else size
            ax.annotate(
                name, (self.config.ratios[-1], means[-1]), (7, 0), textcoords="offset points", color=color, va="center"
            )
        ax.set(yscale="log", ylabel="KL to the exact posterior (nats)")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_major_formatter("{x:g}")
        self.mark_ratios(ax)
        ax.set_xlim(min(self.config.ratios) * 0.85, max(self.config.ratios) * (4 if columns[0][1] else 1.8))
        ax.set_title(
            f"Equal {fields.get('budget', 'steps').replace('flops', 'FLOPs')}: {self._finding(columns, **fields)}"
        )

    def mark_ratios(self, ax: Axes) -> None:
        """Makes the horizontal axis that of the ratios of the study, on a logarithmic scale."""
        ax.set(xscale="log", xlabel="mask ratio in training")
        named = [r for r in self.config.ratios if r not in CROWDED or self.config.ratios != RATIOS]
        ax.set_xticks(named, [f"{r:g}" for r in named])
        ax.minorticks_off()

    def _look(self, size: str, steps: int) -> tuple[str, str]:
        """Color and marker of a column; one at equal FLOPs looks like that of as many steps."""
        columns = self.columns()
        at = columns.index((size, steps)) if (size, steps) in columns else self.config.sizes.index(size)
        return LINES[at % len(LINES)]

    def _finding(self, columns: list[tuple[str, int | None]], **fields) -> str:
        bests = [self.best(*column, **fields).ratio.value for column in columns]
        low, high = f"{min(bests):.2f}", f"{max(bests):.2f}"
        beyond = " or more" if np.isclose(max(bests), max(self.config.ratios)) else ""  # nothing was tried above
        return f"the best ratio is {low}{beyond}" if low == high else f"the best ratio lies at {low} to {high}{beyond}"

    def describe(self) -> str:
        """The picture in words."""
        lines = [self._in_words(f"{size}, {steps:,} steps", size, steps) for size, steps in self.columns()]
        if self.config.flops_steps:
            lines += [self._in_words(f"{size}, equal FLOPs", size, budget="flops") for size in self.config.sizes]
        return f"KL to the exact posterior in nats against the mask ratio of the training. {'; '.join(lines)}."

    def _in_words(self, name: str, size: str, steps: int | None = None, **fields) -> str:
        means = self.kl(size, steps, **fields).mean(axis=1)
        pairs = ", ".join(f"{m:.3f} at {r:g}" for r, m in zip(self.config.ratios, means, strict=True))
        best = self.best(size, steps, **fields)
        return f"{name}: {pairs}; best at {best.ratio.value:.2f}"


def paired_difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """one - other, of figures of seeds 0, 1 ..., over the seeds that both have: (S,) and (S',) give the shorter."""
    shared = min(len(one), len(other))
    return one[:shared] - other[:shared]


def best_ratio(ratios: np.ndarray, scores: np.ndarray) -> Best:
    """The ratio with the lowest score. ratios: (R,) ascending; scores: (R, S), lower is better, S at least 2 seeds.

    Each seed has a lowest point of its own, and their logs have a t interval: a bootstrap of five is too narrow.
    """
    mean = scores.mean(axis=1)
    lowest = int(mean.argmin())
    logs = np.log(lowest_points(ratios, scores))
    as_good = [i for i in range(len(ratios)) if i == lowest or mean_interval(scores[i] - scores[lowest]).low <= 0]
    return Best(
        Estimate(*np.exp(mean_interval(logs)).tolist()),
        float(ratios[lowest]),
        tuple(float(ratios[i]) for i in as_good),
        float(mean[as_good].max() - mean[lowest]),
    )


def lowest_points(ratios: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The ratio at which each seed by itself is best: ratios (R,) ascending, scores (R, S) -> (S,)."""
    return np.array([_lowest_point(np.asarray(ratios), of_one_seed) for of_one_seed in scores.T])


def _lowest_point(ratios: np.ndarray, mean: np.ndarray) -> float:
    """Where a parabola through the lowest point and its neighbors, on log axes, is lowest; at an end, the end."""
    i = int(mean.argmin())
    if i in (0, len(ratios) - 1):
        return float(ratios[i])
    x, y = np.log(ratios[i - 1 : i + 2]), np.log(mean[i - 1 : i + 2])
    a, b, _ = np.polyfit(x - x[1], y, 2)
    if a <= 0:  # three points on a line
        return float(ratios[i])
    return float(np.exp(np.clip(x[1] - b / (2 * a), x[0], x[2])))
