"""Do the conditionals of a model agree with each other, before and after training?

Models learn the weather language, and are looked at on the way. At each look the conditionals of two neighboring
blanks are listed in fixed contexts, and compared with each other and with the exact joint.

Shape letters: S seeds, L looks, C contexts, K words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from mlm_mini.experiments.joint.conditionals import chained, gibbs_law, log_odds_gap, log_odds_size
from mlm_mini.experiments.joint.measures import kl_tables, table_variation, total_correlation
from mlm_mini.experiments.joint.readers import (
    BlankReader,
    conditional_tables,
    one_pass_marginals,
    reader_of_language,
    reader_of_model,
)
from mlm_mini.experiments.joint.weather import weather_language
from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.experiments.lab.recipe import DECIMALS
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.lab.study import run_study, study_folder
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.languages.batches import SampledSentences
from mlm_mini.model import ModelConfig
from mlm_mini.processes import Finished, tell_nobody
from mlm_mini.training import TrainingConfig
from mlm_mini.training.run import Run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

JOINT_CONTEXTS_SEED = 1402
AGREEMENT_LOOKS = (0, 50, 100, 200, 400, 800, 1600)
FIGURES = {  # of one look: mean over contexts, in nats unless it says otherwise
    "gap": "difference of the log odds ratios of p(a|b) and p(b|a), root mean square",
    "size": "the log odds ratios themselves, root mean square",
    "one_pass": "KL(exact joint, product of one pass)",
    "in_turn": "KL(exact joint, filled one after the other)",
    "gibbs": "KL(exact joint, stationary law of Gibbs sampling)",
    "directions": "total variation between left first and right first",
    "rounds": "total variation between the Gibbs laws of the two orders of a round",
}


@dataclass(frozen=True)
class JointConfig:
    """seeds: so many models, with seeds 0, 1 ... looks: steps at which each is looked at, the last being its end.
    contexts: sentences with two neighboring blanks."""

    seeds: int = 6
    looks: tuple[int, ...] = AGREEMENT_LOOKS
    contexts: int = 40

    def cells(self) -> list[JointCell]:
        return [JointCell(seed, self.looks, self.contexts) for seed in range(self.seeds)]


@dataclass(frozen=True)
class JointCell:
    """One model. Fields as in `JointConfig`."""

    seed: int
    looks: tuple[int, ...]
    contexts: int

    @property
    def name(self) -> str:
        return f"seed-{self.seed}-{'-'.join(map(str, self.looks))}-{self.contexts}"


@dataclass(frozen=True)
class Agreement(Result):
    """config: what was run. values: (S, L, F), F as in FIGURES. exact: (F,) the same of who knows the language.
    total_correlation: the mean over the contexts, in nats."""

    config: JointConfig
    values: np.ndarray
    exact: np.ndarray
    total_correlation: float

    def of(self, figure: str) -> np.ndarray:
        """One figure of FIGURES, (S, L)."""
        return self.values[:, :, list(FIGURES).index(figure)]

    def exact_of(self, figure: str) -> float:
        """The same of who knows the language."""
        return float(self.exact[list(FIGURES).index(figure)])

    def at_end(self, figure: str) -> Sampled:
        """A figure after training, over seeds."""
        return Sampled.mean(self.of(figure)[:, -1])

    @property
    def relative_gap(self) -> np.ndarray:
        """The gap in terms of the log odds ratios themselves, (S, L)."""
        return self.of("gap") / self.of("size")

    def table(self) -> str:
        lines = [f"step{'':6}" + "".join(f"{name:>12}" for name in FIGURES)]
        for place, step in enumerate(self.config.looks):
            lines.append(f"{step:<10}" + "".join(f"{self.of(name)[:, place].mean():12.4f}" for name in FIGURES))
        lines.append(f"{'exact':10}" + "".join(f"{self.exact_of(name):12.4f}" for name in FIGURES))
        return "\n".join(lines)

    def plot(self) -> Figure:
        from mlm_mini import figures

        figure, (left, right) = figures.new_figure(10, 3.6, columns=2)
        looks = 1 + np.array(self.config.looks)
        looks_of = (("size", "s--", figures.BLACK, "the ratios themselves"), ("gap", "o-", figures.RED, "their gap"))
        for name, style, color, label in looks_of:
            self._line(left, looks, name, style, color, label)
        lines = (("one_pass", "s--", figures.BLUE), ("in_turn", "o-", figures.GREEN), ("gibbs", "D:", figures.RED))
        labels = ("product of one pass", "one after the other", "Gibbs sampling")
        for (name, style, color), label in zip(lines, labels, strict=True):
            self._line(right, looks, name, style, color, label)
        right.axhline(self.total_correlation, color=figures.BLACK, linewidth=1)
        right.text(1, self.total_correlation, "total correlation", va="bottom")
        left.set(xscale="log", xlabel="1 + steps of training", ylabel="log odds (nats)", ylim=(0, None))
        right.set(xscale="log", yscale="log", xlabel="1 + steps of training", ylabel="KL from the exact joint (nats)")
        left.legend()
        right.legend()
        left.set_title(f"After training the two disagree by {self.relative_gap[:, -1].mean():.0%} of the ratios")
        ends = [self.of(name)[:, -1].mean() for name, _, _ in lines]
        right.set_title(f"One pass ends at {ends[0]:.2f}, in turn {ends[1]:.3f}, Gibbs {ends[2]:.3f}")
        return figure

    def _line(self, ax, looks, name: str, style: str, color: str, label: str) -> None:
        middle, low, high = np.array([mean_interval(column) for column in self.of(name).T]).T
        ax.errorbar(
            looks, middle, [middle - low, high - middle], fmt=style, color=color, capsize=2, markersize=4, label=label
        )

    def describe(self) -> str:
        ends = "; ".join(f"{text}: {self.at_end(name).estimate}" for name, text in FIGURES.items())
        return (
            f"Two charts against steps of training, means of {self.config.seeds} seeds with 95% intervals. At the end: "
            f"{ends}. The total correlation is {self.total_correlation:.3f} nats."
        )


def measure_agreement(
    config: JointConfig, rng: np.random.Generator, workers: int | None = None, finished: Finished = tell_nobody
) -> Agreement:
    """Every model of `config`, trained or read from the cache. rng: not used, since every run has a seed of its own."""
    folder = study_folder("joint_agreement", run_joint_cell, weather_language().fingerprint)
    found = run_study(config.cells(), run_joint_cell, folder, workers, finished)
    contexts = draw_contexts(config.contexts)
    correlations = [total_correlation(joint) for _, _, joint in contexts]
    exact = look_at(reader_of_language(weather_language()), contexts)
    values = np.array([one["looks"] for one in found])
    return Agreement(config, values, exact.round(12), round(float(np.mean(correlations)), DECIMALS))


def run_joint_cell(cell: JointCell) -> dict:
    """Train one model on the CPU, and look at it on the way."""
    language, contexts = weather_language(), draw_contexts(cell.contexts)
    config = TrainingConfig.of(
        steps=cell.looks[-1], seed=cell.seed, batch_size=64, micro_batches=2, mask_ratio=0.3, learning_rate=2e-3
    )
    shape = ModelConfig.tiny(len(language.vocabulary))
    looks = []
    with torch.random.fork_rng([]):
        run = Run.start(shape, SampledSentences(language, cell.seed), config, torch.device("cpu"))
        for step in range(cell.looks[-1] + 1):
            if step in cell.looks:
                reader = reader_of_model(run.model, language.vocabulary)
                looks.append(look_at(reader, contexts).round(DECIMALS).tolist())
            if step < cell.looks[-1]:
                run.one_step()
    return {"looks": looks}


Context = tuple[np.ndarray, np.ndarray, np.ndarray]  # a sentence (T,), two positions, the exact joint (K, K)


def draw_contexts(n: int, seed: int = JOINT_CONTEXTS_SEED) -> list[Context]:
    """n sentences of the weather language with two blanks side by side, and the exact joint of each two."""
    language, rng = weather_language(), np.random.default_rng(seed)
    words, found = language.vocabulary.regular_ids, []
    for ids in language.sample(n, rng).ids:
        positions = rng.integers(1, language.length - 2) + np.arange(2)
        hidden = ids.copy()
        hidden[positions] = language.vocabulary.mask_id
        found.append((ids, positions, language.joint(hidden, positions)[np.ix_(words, words)]))
    return found


def look_at(reader: BlankReader, contexts: list[Context]) -> np.ndarray:
    """The figures of FIGURES, each a mean over contexts: (F,)."""
    words = reader.vocabulary.regular_ids
    return np.mean([_figures(reader, ids, positions, joint, words) for ids, positions, joint in contexts], axis=0)


def _figures(reader: BlankReader, ids, positions, joint: np.ndarray, words: np.ndarray) -> list[float]:
    tables = conditional_tables(reader, ids, positions, [words, words])
    first, second = one_pass_marginals(reader, ids, positions, words)
    left, right = chained(first, tables[1]), chained(second, tables[0].T).T
    law, *rounds = (gibbs_law(tables, order) for order in (None, [0, 1], [1, 0]))
    return [
        log_odds_gap(tables),
        log_odds_size(tables[0]),
        kl_tables(joint, np.outer(first, second)),
        (kl_tables(joint, left) + kl_tables(joint, right)) / 2,
        kl_tables(joint, law),
        table_variation(left, right),
        table_variation(*rounds),
    ]


QUICK_AGREEMENT = JointConfig(seeds=2, looks=(0, 30, 60), contexts=8)
