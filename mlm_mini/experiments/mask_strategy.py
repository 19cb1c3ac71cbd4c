"""What to mask: strategies that look before they hide, beside uniform masks, at equal compute.

Each strategy asks for the same share of the words, and all models of a seed read the same sentences from the same first
weights, so that two strategies of one seed are a pair. What a strategy spends on looking is taken off its steps.

Measured are the gradients (how long, and how much of that points where the exact KL falls), the KL of the final model
to the exact posterior, its calibration, and the share of the masks that goes to pure noise. What selection by the
hidden word's own surprisal does to a perfect learner is in `two_words`.

Shape letters: S seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini import figures
from mlm_mini.experiments import selection, strategy_cell, study
from mlm_mini.experiments.result import Result
from mlm_mini.experiments.selection import ENTROPY, KEPT, KEPT_AT_RANDOM, SURPRISAL, UNIFORM, check_strategy
from mlm_mini.experiments.statistics import Estimate, mean_interval, percentile_interval
from mlm_mini.experiments.strategy_cell import LANGUAGES, NOISY, SCENES, Cell, Signal, questions_of, run_cell
from mlm_mini.experiments.study import run_study
from mlm_mini.experiments.two_words import bias, surprisal_fixed_point
from mlm_mini.languages import scene_language
from mlm_mini.processes import Finished, tell_nobody

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Arm = tuple[str, bool]  # a strategy, and whether its losses are weighted
ARMS: tuple[Arm, ...] = (
    (UNIFORM, False),
    (SURPRISAL, False),
    (SURPRISAL, True),
    (ENTROPY, False),
    (ENTROPY, True),
    (KEPT, False),
    (KEPT, True),
    (KEPT_AT_RANDOM, False),
)
MEASURES = ("kl", "kl_noise", "calibration_error", "overconfidence", "noise_share")
BIASED_QUESTIONS = 400
RESAMPLES = 2000
EFFICIENCY = "useful part per length of step"


@dataclass(frozen=True)
class MaskStrategyConfig:
    """What to train.

    languages: "scenes", "noisy" or both. arms: pairs of a strategy and whether its losses are weighted; uniform masks
    are always among them. free: strategies that are trained a second time on the first language, at equal steps, as if
    looking cost nothing. steps: of uniform masks, 64 sentences each. seeds: how many, from 0 on. probed: shares of the
    training with uniform masks after which the gradients of all arms are measured, over `probe_batches` batches each.
    Raises ValueError for unknown languages or strategies, fewer than 2 seeds or 1 step, or no uniform arm.
    """

    languages: tuple[str, ...] = (SCENES, NOISY)
    arms: tuple[Arm, ...] = ARMS
    free: tuple[str, ...] = (SURPRISAL, ENTROPY)
    steps: int = 400
    seeds: int = 5
    probed: tuple[float, ...] = (0.25, 1.0)
    probe_batches: int = 48

    def __post_init__(self):
        object.__setattr__(self, "arms", tuple((strategy, weighted) for strategy, weighted in self.arms))
        for name, least in (("seeds", 2), ("steps", 1), ("probe_batches", 2)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: expected at least {least}")
        if not self.languages or not set(self.languages) <= set(LANGUAGES):
            raise ValueError(f"languages is {self.languages}: expected some of {', '.join(map(repr, LANGUAGES))}")
        for strategy in (*(strategy for strategy, _ in self.arms), *self.free):
            check_strategy(strategy)
        if (UNIFORM, False) not in self.arms:
            raise ValueError(f"arms is {self.arms}: expected ({UNIFORM!r}, False) among them, to compare with")
        if not self.probed or any(not 0 < share <= 1 for share in self.probed):
            raise ValueError(f"probed is {self.probed}: expected shares of the training, above 0 and up to 1")

    def cells(self) -> list[Cell]:
        """Every run, one seed after the other, so that a study that was stopped has whole seeds."""
        return [replace(cell, seed=seed) for seed in range(self.seeds) for cell in self._of_one_seed()]

    def _of_one_seed(self) -> list[Cell]:
        cells = [Cell(language, *arm, 0, self.steps) for language in self.languages for arm in self.arms]
        probing = {"probed": self.probed, "arms": self.arms, "probe_batches": self.probe_batches}
        cells = [replace(cell, **probing) if cell.strategy == UNIFORM else cell for cell in cells]
        return cells + [
            Cell(self.languages[0], strategy, False, 0, self.steps, charged=False) for strategy in self.free
        ]


QUICK = MaskStrategyConfig(
    languages=(SCENES,),
    arms=((UNIFORM, False), (SURPRISAL, False), (SURPRISAL, True)),
    free=(),
    steps=40,
    probed=(1.0,),
    probe_batches=12,
)


def measure_mask_strategy(
    config: MaskStrategyConfig,
    rng: np.random.Generator,
    workers: int | None = None,
    finished: Finished = tell_nobody,
) -> MaskStrategy:
    """Every cell of `config`, trained or read from the cache.

    rng: chooses the blanks at which the exact bias is computed; the seeds of the models are in the cells. workers,
    finished: as in `run_study`. A study that was stopped goes on where it stopped.
    """
    cells = config.cells()
    found = run_study(cells, run_cell, study_folder(), workers, finished)
    scores = [CellScore.from_found(cell, content) for cell, content in zip(cells, found, strict=True)]
    posterior = questions_of(scene_language())[0].posterior
    p = rng.permutation(posterior)[:BIASED_QUESTIONS]
    return MaskStrategy(config, tuple(scores), float(bias(p, surprisal_fixed_point(p)).mean()))


def study_folder() -> Path:
    """The place in the cache for cells of this study, named after all that they have in common."""
    constants = [strategy_cell.MASK_RATIO, strategy_cell.BATCH_SIZE, strategy_cell.LEARNING_RATE]
    constants += [strategy_cell.SCORED_SENTENCES, strategy_cell.SCORING_SEED, strategy_cell.TARGET_SENTENCES]
    constants += [strategy_cell.BINS, selection.OVERSAMPLING, selection.POWER, selection.FLOOR]
    languages = [make().fingerprint for make in LANGUAGES.values()]
    return study.study_folder("mask_strategy", languages, constants)


@dataclass(frozen=True)
class CellScore:
    """What one model came to.

    steps: that it was trained for. kl, kl_noise: KL(exact, model) in nats per blank, over words, and over codes where
    there are any. calibration_error, overconfidence: see `calibration`. noise_share: of the asked positions in the last
    quarter of the training, those with a code. signals: of the config's arms on this model, if it was probed.
    cpu_seconds: on the machine that ran it.
    """

    cell: Cell
    steps: int
    kl: float
    kl_noise: float | None
    calibration_error: float
    overconfidence: float
    noise_share: float
    signals: tuple[Signal, ...]
    cpu_seconds: float

    @classmethod
    def from_found(cls, cell: Cell, found: dict) -> CellScore:
        """What `run_cell` found for a cell, as it was or as JSON has it."""
        return cls(cell, **found | {"signals": tuple(Signal(**signal) for signal in found["signals"])})


@dataclass(frozen=True)
class MaskStrategy(Result):
    """The study.

    config: which cells. scores: one for each. exact_bias: what selecting by its own surprisal costs a perfect learner
    of scenes, in nats per blank: the mean KL between exact posteriors and the fixed points of `two_words`.
    """

    config: MaskStrategyConfig
    scores: tuple[CellScore, ...]
    exact_bias: float

    def of(
        self, strategy: str, weighted: bool = False, language: str = SCENES, charged: bool = True
    ) -> list[CellScore]:
        """The scores of one arm, one for each seed. Raises ValueError when it was not run."""
        wanted = (language, strategy, weighted, charged)
        found = [
            score
            for score in self.scores
            if (score.cell.language, score.cell.strategy, score.cell.weighted, score.cell.charged) == wanted
        ]
        if not found:
            raise ValueError(
                f"no such arm: language {language!r}, {strategy!r}, weighted {weighted}, charged {charged}"
            )
        return sorted(found, key=lambda score: score.cell.seed)

    def values(self, measure: str, strategy: str, weighted: bool = False, **where) -> np.ndarray:
        """One of MEASURES, (S,). where: language, charged, as in `of`."""
        if measure not in MEASURES:
            raise ValueError(f"measure is {measure!r}: expected one of {', '.join(MEASURES)}")
        return np.array([getattr(score, measure) for score in self.of(strategy, weighted, **where)], dtype=np.float64)

    def mean(self, measure: str, strategy: str, weighted: bool = False, **where) -> Estimate:
        """Its mean over seeds, with a 95% interval."""
        return mean_interval(self.values(measure, strategy, weighted, **where))

    def versus(self, measure: str, strategy: str, weighted: bool = False, against: str = UNIFORM, **where) -> Estimate:
        """The mean difference from another unweighted strategy, uniform masks unless named, paired by seed."""
        other = {"language": where["language"]} if "language" in where else {}
        return mean_interval(self.values(measure, strategy, weighted, **where) - self.values(measure, against, **other))

    def signals(
        self, strategy: str, weighted: bool = False, after: float = 1.0, language: str = SCENES
    ) -> list[Signal]:
        """The gradients of an arm on the models of uniform masks, one for each seed."""
        wanted = (strategy, weighted, after)
        found = [
            signal
            for score in self.of(UNIFORM, language=language)
            for signal in score.signals
            if (signal.strategy, signal.weighted, signal.after) == wanted
        ]
        if not found:
            raise ValueError(f"no gradients were measured for {strategy!r}, weighted {weighted}, after {after}")
        return found

    def ratio(self, figure: str, strategy: str, weighted: bool = False, **where) -> Estimate:
        """A figure of an arm's gradients over that of uniform masks, with a bootstrap interval over seeds.

        figure: "norm", of the expected gradient; "useful", of its part that lowers the KL; "efficiency", of that part
        for a step of fixed length, useful / sqrt(batch); "nats", of the loss. where: after, language, as in `signals`.
        """
        mine, uniform = (
            np.array([[s.signal, s.batch, s.useful, s.nats] for s in self.signals(*arm, **where)])
            for arm in ((strategy, weighted), (UNIFORM, False))
        )  # (S, 4)
        chosen = np.random.default_rng(0).integers(0, len(mine), (RESAMPLES, len(mine)))
        resampled = [_figure(mine[seeds], figure) / _figure(uniform[seeds], figure) for seeds in chosen]
        return percentile_interval(_figure(mine, figure) / _figure(uniform, figure), resampled)

    def table(self) -> str:
        """One block for each language: final KL and calibration, then gradients."""
        return "\n\n".join(
            "\n".join([*self._score_lines(language), *self._signal_lines(language)])
            for language in self.config.languages
        )

    def _score_lines(self, language: str) -> list[str]:
        lines = [
            f"{language}: final models, mean and 95% interval over {self.config.seeds} seeds (KL in nats per blank)"
        ]
        lines.append(
            f"{'':28}{'steps':>6}{'KL at words':>16}{'minus uniform':>17}{'overconfidence':>16}{'on noise':>9}"
        )
        for strategy, weighted, charged in self._rows(language):
            where = {"language": language, "charged": charged}
            kl, over = (self.mean(m, strategy, weighted, **where) for m in ("kl", "overconfidence"))
            difference = with_margin(self.versus("kl", strategy, weighted, **where), "+") if strategy != UNIFORM else ""
            lines.append(
                f"{arm_name(strategy, weighted, charged):28}{self.of(strategy, weighted, **where)[0].steps:6}"
                f"{with_margin(kl):>16}{difference:>17}{over.value:16.3f}"
                f"{self.mean('noise_share', strategy, weighted, **where).value:9.0%}"
            )
        return lines

    def _signal_lines(self, language: str) -> list[str]:
        lines = []
        for after in self.config.probed:
            lines.append(
                f"{language}: gradients after {after:.0%} of a training with uniform masks, over those of uniform"
            )
            lines.append(f"{'':28}{'norm':>22}{'useful part':>22}{'per length of step':>22}")
            for strategy, weighted in self.config.arms:
                found = [
                    self.ratio(figure, strategy, weighted, after=after, language=language)
                    for figure in ("norm", "useful", "efficiency")
                ]
                cells = "".join(f"{f'{r.value:.2f} ({r.low:.2f} to {r.high:.2f})':>22}" for r in found)
                lines.append(f"{arm_name(strategy, weighted):28}{cells}")
        return lines

    def _rows(self, language: str) -> list[tuple[str, bool, bool]]:
        rows = [(strategy, weighted, True) for strategy, weighted in self.config.arms]
        free = self.config.free if language == self.config.languages[0] else ()
        return rows + [(strategy, False, False) for strategy in free]

    def plot(self) -> Figure:
        """How long the gradients are, and what became of the models, beside uniform masks, on the first language."""
        figure, (left, right) = figures.new_figure(10.0, 4.0, columns=2)
        self._plot_gradients(left)
        self._plot_kl(right)
        return figure

    def _plot_gradients(self, ax: Axes) -> None:
        arms, where = self._arms(), {"after": self.config.probed[-1], "language": self.config.languages[0]}
        rows = (
            ("norm", "expected gradient", figures.RED, "s", -0.14),
            ("efficiency", EFFICIENCY, figures.BLUE, "o", 0.14),
        )
        for figure, label, color, marker, shift in rows:
            for y, arm in enumerate(arms):
                _bar(ax, self.ratio(figure, *arm, **where), y + shift, color, marker)
            ax.plot([], [], color=color, marker=marker, markersize=5, linestyle="none", label=label)
        ax.axvline(1, color="0.4", linewidth=1)
        ax.set_yticks(range(len(arms)), [arm_name(*arm) for arm in arms])
        ax.set(ylim=(len(arms) - 0.4, -0.6), xlabel="ratio to uniform masks (log scale)", xscale="log")
        ax.set_xticks([0.5, 0.7, 1, 1.5, 2], ["0.5", "0.7", "1", "1.5", "2"])
        ax.minorticks_off()
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.13),
            ncols=2,
            handletextpad=0.1,
            columnspacing=1.0,
            frameon=False,
        )
        longest = max(arms, key=lambda arm: self.ratio("norm", *arm, **where).value)
        ratio = self.ratio("norm", *longest, **where).value
        ax.set_title(f"The longest: {arm_name(*longest)}, {ratio:.2f} times uniform")

    def _plot_kl(self, ax: Axes) -> None:
        language = self.config.languages[0]
        rows = [row for row in self._rows(language) if row[0] != UNIFORM]
        for y, (strategy, weighted, charged) in enumerate(rows):
            difference = self.versus("kl", strategy, weighted, language=language, charged=charged)
            _bar(ax, difference, y, figures.BLUE if charged else figures.ORANGE, "o" if charged else "D")
        ax.axvline(0, color="0.4", linewidth=1)
        ax.set_yticks(range(len(rows)), [arm_name(*row) for row in rows])
        ax.set(ylim=(len(rows) - 0.4, -0.6), xlabel="KL minus that of uniform masks (nats)")
        better = [arm for arm in self._arms() if self.versus("kl", *arm, language=language).high < 0]
        ax.set_title(f"Better models at equal compute: {len(better)} of {len(self._arms())}")

    def _arms(self) -> list[Arm]:
        return [arm for arm in self.config.arms if arm[0] != UNIFORM]

    def describe(self) -> str:
        """The picture in words."""
        language, after = self.config.languages[0], self.config.probed[-1]
        where = {"after": after, "language": language}
        gradients = ", ".join(
            f"{arm_name(*arm)} {self.ratio('norm', *arm, **where).value:.2f} "
            f"and {self.ratio('efficiency', *arm, **where).value:.2f}"
            for arm in self._arms()
        )
        final = ", ".join(
            f"{arm_name(*row)} {self.versus('kl', *row[:2], language=language, charged=row[2]).value:+.3f}"
            for row in self._rows(language)
            if row[0] != UNIFORM
        )
        return (
            f"Left: norm of the expected gradient, and its {EFFICIENCY}, over those of uniform masks: {gradients}. "
            f"Right: KL to the exact posterior of the final model minus that of uniform masks, in nats: {final}."
        )


def arm_name(strategy: str, weighted: bool, charged: bool = True) -> str:
    """As tables and pictures have it."""
    return strategy + (", weighted" if weighted else "") + ("" if charged else ", looking free")


def with_margin(estimate: Estimate, sign: str = "") -> str:
    """Mean and half the interval."""
    return f"{estimate.value:{sign}.3f} ± {estimate.high - estimate.value:.3f}"


def _figure(signals: np.ndarray, figure: str) -> float:
    """One figure of the gradients, from (S, 4): signal, batch, useful and nats of each seed."""
    signal, batch, useful, nats = signals.mean(axis=0)
    figures_ = {
        "norm": max(signal, 0.0) ** 0.5,
        "useful": useful,
        "efficiency": useful / batch**0.5,
        "nats": nats,
    }
    if figure not in figures_:
        raise ValueError(f"figure is {figure!r}: expected one of {', '.join(figures_)}")
    return float(figures_[figure])


def _bar(ax: Axes, estimate: Estimate, y: float, color: str, marker: str) -> None:
    bars = [[estimate.value - estimate.low], [estimate.high - estimate.value]]
    ax.errorbar(estimate.value, y, xerr=bars, color=color, marker=marker, markersize=5, capsize=2)
