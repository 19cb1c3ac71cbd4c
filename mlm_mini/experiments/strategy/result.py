"""What the study of strategies found: gradients and final models, each beside those of uniform masks.

Measured are the gradients (how long, and how much of that points where the exact KL falls), the KL of the final model
to the exact posterior, its calibration, and the share of the masks that goes to pure noise. What selection by the
hidden word's own surprisal does to a perfect learner is in `fixed_points`.

Shape letters: S seeds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlm_mini.experiments.lab.intervals import Estimate, mean_interval
from mlm_mini.experiments.lab.rates import RateTrial
from mlm_mini.experiments.lab.result import Result
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.experiments.strategy.config import PLAIN_SCENES, Arm, MaskStrategyConfig, StrategyCell, arm_name
from mlm_mini.experiments.strategy.figure import EFFICIENCY, plot_strategies
from mlm_mini.experiments.strategy.selection import UNIFORM
from mlm_mini.experiments.strategy.signals import Signal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = ("kl", "kl_noise", "calibration_error", "overconfidence", "noise_share")


@dataclass(frozen=True)
class StrategyScore:
    """What one model came to.

    steps: that it was trained for. kl, kl_noise: KL(exact, model) in nats per blank, over words, and over codes where
    there are any. calibration_error, overconfidence: see `calibration`. noise_share: of the asked positions in the last
    quarter of the training, those with a code. signals: of the config's arms on this model, if it was probed.
    cpu_seconds: on the machine that ran it.
    """

    cell: StrategyCell
    steps: int
    kl: float
    kl_noise: float | None
    calibration_error: float
    overconfidence: float
    noise_share: float
    signals: tuple[Signal, ...]
    cpu_seconds: float


@dataclass(frozen=True)
class MaskStrategy(Result):
    """The study.

    config: which cells. scores: one for each. exact_bias: what selecting by its own surprisal costs a perfect learner
    of scenes, in nats per blank: the mean KL between exact posteriors and the `surprisal_fixed_point` of each.
    tried: the rates from which each arm's was chosen.
    """

    config: MaskStrategyConfig
    scores: tuple[StrategyScore, ...]
    exact_bias: float
    tried: tuple[RateTrial, ...] = ()

    def of(
        self, strategy: str, weighted: bool = False, language: str = PLAIN_SCENES, charged: bool = True
    ) -> list[StrategyScore]:
        """The scores of one arm, one for each seed. Raises ValueError when it was not run."""
        wanted = {"language": language, "strategy": strategy, "weighted": weighted, "charged": charged}
        found = [s for s in self.scores if all(getattr(s.cell, name) == value for name, value in wanted.items())]
        if not found:
            raise ValueError(f"no such arm: {', '.join(f'{name} {value!r}' for name, value in wanted.items())}")
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
        return self.difference(measure, strategy, weighted, against, **where).estimate

    def difference(
        self, measure: str, strategy: str, weighted: bool = False, against: str = UNIFORM, **where
    ) -> Sampled:
        """As `versus`, for a verdict."""
        other = {"language": where["language"]} if "language" in where else {}
        return Sampled.mean(self.values(measure, strategy, weighted, **where) - self.values(measure, against, **other))

    def signals(
        self, strategy: str, weighted: bool = False, after: float = 1.0, language: str = PLAIN_SCENES
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
        """A figure of an arm's gradients over that of uniform masks, with its interval over seeds.

        figure: "norm", of the expected gradient; "useful", of its part that lowers the KL; "efficiency", of that part
        for a step of fixed length, useful / sqrt(batch); "nats", of the loss. where: after, language, as in `signals`.
        """
        return self.factor(figure, strategy, weighted, **where).estimate

    def factor(self, figure: str, strategy: str, weighted: bool = False, **where) -> Sampled:
        """As `ratio`, for a verdict. Means over seeds are compared, since the signal of a single seed may be lost in
        its noise; so the jackknife says how sure the factor is."""
        mine, uniform = (
            np.array([[s.signal, s.batch, s.useful, s.nats] for s in self.signals(*arm, **where)])
            for arm in ((strategy, weighted), (UNIFORM, False))
        )  # (S, 4)

        def of(seeds: np.ndarray) -> float:
            one, other = _figure(mine[seeds], figure), _figure(uniform[seeds], figure)
            return one / other if other > 0 else np.inf

        every = np.arange(len(mine))
        if mine.tolist() == uniform.tolist():
            return Sampled.exact(1.0)
        return Sampled.jackknife(of(every), [of(every != seed) for seed in every])

    def rows(self, language: str) -> list[tuple[str, bool, bool]]:
        """What was trained on a language: strategy, whether weighted, and whether charged for looking."""
        free = self.config.free if language == self.config.languages[0] else ()
        return [(*arm, True) for arm in self.config.arms] + [(strategy, False, False) for strategy in free]

    def arms(self) -> list[Arm]:
        """All of the config but uniform masks."""
        return [arm for arm in self.config.arms if arm[0] != UNIFORM]

    def table(self) -> str:
        """One block for each language: final KL and calibration, then gradients."""
        return "\n\n".join(
            "\n".join([*self._score_lines(language), *self._signal_lines(language)])
            for language in self.config.languages
        )

    def _score_lines(self, language: str) -> list[str]:
        noisy = language != PLAIN_SCENES  # elsewhere there is no noise for a mask to fall on
        over_seeds = f"mean and 95% interval over {self.config.seeds} seeds (KL in nats per blank)"
        lines = [f"{language}: final models, {over_seeds}"]
        lines += [
            f"{'':28}{'steps':>6}{'KL at words':>16}{'minus uniform':>17}{'overconfidence':>16}"
            + "  masks on noise" * noisy
        ]
        for strategy, weighted, charged in self.rows(language):
            where = {"language": language, "charged": charged}
            kl, over, noise = (
                self.mean(measure, strategy, weighted, **where) for measure in ("kl", "overconfidence", "noise_share")
            )
            apart = "" if strategy == UNIFORM else self.versus("kl", strategy, weighted, **where).with_margin("+")
            steps = self.of(strategy, weighted, **where)[0].steps
            figures_ = f"{kl.with_margin():>16}{apart:>17}{over.value:16.3f}" + f"{noise.value:16.0%}" * noisy
            lines.append(f"{arm_name(strategy, weighted, charged):28}{steps:6}{figures_}")
        return lines

    def _signal_lines(self, language: str) -> list[str]:
        lines = []
        for after in self.config.probed:
            lines.append(
                f"{language}: gradients after {after:.0%} of a training with uniform masks, over those of uniform"
            )
            lines.append(f"{'':28}{'norm':>22}{'useful part':>22}{'per length of step':>22}")
            for arm in self.config.arms:
                found = [
                    self.ratio(figure, *arm, after=after, language=language)
                    for figure in ("norm", "useful", "efficiency")
                ]
                cells = "".join(f"{f'{r.value:.2f} ({r.low:.2f} to {r.high:.2f})':>22}" for r in found)
                lines.append(f"{arm_name(*arm):28}{cells}")
        return lines

    def plot(self) -> Figure:
        return plot_strategies(self)

    def describe(self) -> str:
        """The picture in words."""
        language, after = self.config.languages[0], self.config.probed[-1]
        where = {"after": after, "language": language}
        gradients = ", ".join(
            f"{arm_name(*arm)} {self.ratio('norm', *arm, **where).value:.2f} "
            f"and {self.ratio('efficiency', *arm, **where).value:.2f}"
            for arm in self.arms()
        )
        final = ", ".join(
            f"{arm_name(*row)} {self.versus('kl', *row[:2], language=language, charged=row[2]).value:+.3f}"
            for row in self.rows(language)
            if row[0] != UNIFORM
        )
        return (
            f"Left: norm of the expected gradient, and its {EFFICIENCY}, over those of uniform masks: {gradients}. "
            f"Right: KL to the exact posterior of the final model minus that of uniform masks, in nats: {final}."
        )


def _figure(signals: np.ndarray, figure: str) -> float:
    """One figure of the gradients, from (S, 4): signal, batch, useful and nats of each seed."""
    signal, batch, useful, nats = signals.mean(axis=0)
    known = {"norm": max(signal, 0.0) ** 0.5, "useful": useful, "efficiency": useful / batch**0.5, "nats": nats}
    if figure not in known:
        raise ValueError(f"figure is {figure!r}: expected one of {', '.join(known)}")
    return float(known[figure])
