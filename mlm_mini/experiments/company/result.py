"""What the study of word vectors found, with its intervals over training seeds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini.experiments.company.arms import WHOLE_TEXT
from mlm_mini.experiments.company.baseline import TUNED_FOR, CountSetting, CountTrial, best_setting
from mlm_mini.experiments.company.config import CompanyConfig, CompanyScore, Look
from mlm_mini.experiments.company.figures_of import CompanyFigures
from mlm_mini.experiments.lab.intervals import Estimate, mean_interval
from mlm_mini.experiments.lab.result import Result

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IN_TABLE, IN_CONTEXT = "table", "context"


@dataclass(frozen=True)
class WordCompany(Result):
    """tried: every setting of the counts, by which two were chosen. runs: one for each arm and seed."""

    config: CompanyConfig
    tried: tuple[CountTrial, ...]
    runs: tuple[CompanyScore, ...]

    def scores(self, arm: str = WHOLE_TEXT) -> list[CompanyScore]:
        """The runs of an arm, in the order of their seeds."""
        return sorted((run for run in self.runs if run.cell.arm == arm), key=lambda run: run.cell.seed)

    def looks(self, step: int | None = None, arm: str = WHOLE_TEXT) -> list[Look]:
        """The looks of an arm after so many steps, or at the end, in the order of the seeds."""
        step = self.config.steps if step is None else step
        return [look for run in self.scores(arm) for look in run.looks if look.step == step]

    def values(self, figure: str, step: int | None = None, arm: str = WHOLE_TEXT, of: str = IN_TABLE) -> np.ndarray:
        """(S,): a figure of the seeds. figure: of CompanyFigures. of: IN_TABLE, or IN_CONTEXT."""
        return np.array([getattr(getattr(look, of), figure) for look in self.looks(step, arm)])

    def counted(self, figure: str, step: int | None = None, arm: str = WHOLE_TEXT) -> np.ndarray:
        """(S,): the figure of counts of the same sentences, with the setting that was chosen for it, or for TUNED_FOR's
        first."""
        which = TUNED_FOR.index(figure) if figure in TUNED_FOR else 0
        return np.array([getattr(look.counts[which], figure) for look in self.looks(step, arm)])

    def stretched(self, figure: str) -> np.ndarray:
        """(P, S): the figure of the table after each of STRETCHES."""
        return np.array([[getattr(figures, figure) for figures in run.stretched] for run in self.scores()]).T

    def setting(self, figure: str) -> CountSetting:
        """The setting of the counts that was best by the figure."""
        return best_setting(self.tried, figure)

    def table(self) -> str:
        rows = {
            f"table, {self.config.steps} steps": lambda f: self.values(f),
            "table, untrained": lambda f: self.values(f, 0),
            "counts of the same sentences": lambda f: self.counted(f),
            "in context": lambda f: self.values(f, of=IN_CONTEXT),
            "in context, untrained": lambda f: self.values(f, 0, of=IN_CONTEXT),
        } | {
            f"table: {arm}": lambda f, arm=arm: self.values(f, arm=arm) for arm in self.config.arms if arm != WHOLE_TEXT
        }
        lines = [f"{'':36}" + "".join(f"{name:>16}" for name in CompanyFigures._fields)]
        lines += [
            f"{name:36}" + "".join(f"{mean_interval(of(f)).with_margin():>16}" for f in CompanyFigures._fields)
            for name, of in rows.items()
        ]
        return "\n".join(lines)

    def course(self, figure: str, counts: bool = False) -> dict[int, Estimate]:
        """The figure after each number of steps, of the table or of the counts, 95% over seeds."""
        of = self.counted if counts else self.values
        return {step: mean_interval(of(figure, step)) for step in self.config.looks if step or not counts}

    def plot(self) -> Figure:
        from mlm_mini import figures

        figure, axes = figures.new_figure(10, 3.4, columns=2)
        names = {
            "likeness": "rank correlation of cosine and\nlikeness of contexts",
            "purity": "neighbors of the same class (share)",
        }
        for ax, (name, label) in zip(axes, names.items(), strict=True):
            for counts, color, style in ((False, figures.BLUE, "o-"), (True, figures.RED, "s--")):
                course = self.course(name, counts)
                places = [self.config.looks.index(step) for step in course]
                value, low, high = np.array(list(course.values())).T
                ax.errorbar(places, value, [value - low, high - value], fmt=style, color=color, capsize=3, markersize=4)
                text, at = ("counts of the same sentences", 0) if counts else ("the model's table", len(places) // 2)
                below = (-40, -18)  # where there is no room above, and left of the rising line
                shift = (below if value[0] > 0.7 else (0, 10)) if counts else (10, -14)
                ax.annotate(text, (places[at], value[at]), shift, textcoords="offset points", color=color)
            ax.set_xticks(range(len(self.config.looks)), self.config.looks)
            ax.set(xlabel="training steps (not to scale; bars: 95% over seeds)", ylabel=label, ylim=(-0.1, 1.05))
            last = [self.course(name, counts)[self.config.steps].value for counts in (False, True)]
            ax.set_title(f"{name.capitalize()} in the end: table {last[0]:.2f}, counts {last[1]:.2f}")
        return figure

    def describe(self) -> str:
        parts = []
        for name in TUNED_FOR:
            for counts in (False, True):
                course = self.course(name, counts)
                of = "counts" if counts else "the model's table"
                parts.append(f"{name} of {of}: " + ", ".join(f"{e.value:.2f} after {s}" for s, e in course.items()))
        return "Against training steps, with 95% intervals over training seeds: " + "; ".join(parts) + "."
