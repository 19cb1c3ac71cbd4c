"""How a verdict follows from figures that chance has a part in. Chapters and `claims` use the same rule.

A rule is a function that sees numbers and says a word, "holds" for instance. Its word for the measured figures is the
verdict if nearly all repetitions of the measurement would get the same word; otherwise the verdict is "undecided". What
repetitions would give is drawn from the spread of what was measured, see `Sampled`.

Shape letters: R resamples, S seeds or other independent units.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import stats

from mlm_mini.experiments.lab.intervals import LEVEL, Estimate, geometric_interval, mean_interval, percentile_interval

HOLDS, FAILS, UNDECIDED = "holds", "does not hold as worded", "undecided"
# The share of the resamples that a verdict needs. A threshold below which 97.5% of them lie, or above, is one that the
# interval of `intervals.LEVEL`, 95%, does not reach: for a rule with one figure the two say the same.
SURE = (1 + LEVEL) / 2
RESAMPLES, RESAMPLING_SEED = 4000, 0


@dataclass(frozen=True)
class Sampled:
    """A figure, its 95% interval, and what it might have been: resampled, (R,) in the unit of the figure.

    Figures of the same seeds have their resamples in common, so that what such seeds share cancels in a comparison.
    """

    estimate: Estimate
    resampled: np.ndarray

    @classmethod
    def exact(cls, value: float) -> Self:
        """Of a figure that is computed, and the same every time."""
        return cls(Estimate.exact(value), np.full(RESAMPLES, float(value)))

    @classmethod
    def mean(cls, values) -> Self:
        """The mean of S independent values, with Student's t interval. Raises what `mean_interval` raises."""
        estimate = mean_interval(values)
        return cls(estimate, _students_means(np.asarray(values, dtype=np.float64)))

    @classmethod
    def factor(cls, values) -> Self:
        """The geometric mean of S positive values, such as ratios of paired runs: the same on their logs."""
        estimate = geometric_interval(values)
        return cls(estimate, np.exp(_students_means(np.log(values))))

    @classmethod
    def jackknife(cls, whole: float, without) -> Self:
        """A factor that S paired seeds have together: whole; and what it is without each of them in turn, (S,).

        Student's t on the log, from the jackknife's pseudo-values (Tukey 1958). Where one of these factors is not above
        0, or infinite, nothing can be said: the interval has no ends.
        """
        factors = np.array([whole, *without], dtype=np.float64)
        if not ((factors > 0) & np.isfinite(factors)).all():
            return cls(Estimate(float(whole), -np.inf, np.inf), np.tile([-np.inf, np.inf], RESAMPLES // 2))
        log, logs = np.log(factors[0]), np.log(factors[1:])
        pseudo = (len(logs) - 1) * (logs.mean() - logs) + log  # their mean is the log of the whole
        return cls(Estimate(*np.exp(mean_interval(pseudo)).tolist()), np.exp(_students_means(pseudo)))

    @classmethod
    def bootstrap(cls, value: float, resampled) -> Self:
        """A figure computed anew on each of R resamples of many draws."""
        return cls(percentile_interval(value, resampled), np.asarray(resampled, dtype=np.float64))

    @property
    def value(self) -> float:
        """The figure as it was measured."""
        return self.estimate.value

    @property
    def low(self) -> float:
        """The lower end of its interval."""
        return self.estimate.low

    @property
    def high(self) -> float:
        """The upper end of its interval."""
        return self.estimate.high


def _students_means(values: np.ndarray) -> np.ndarray:
    """(R,): the mean of values (S,), off by what Student's t distribution says such a mean is off.

    The R quantiles of that distribution, each once, so that as many of them lie beyond a threshold as the interval
    says. Their order is that of the deviations from the mean under normal weights, which hang on S alone: all figures
    of the same S seeds vary together. Figures of more than 100 values have an order of their own each.
    """
    S = len(values)
    if S > 100:  # sentences, not seeds: so many weights would take much memory, and figures vary each by itself
        of_its_own = zlib.crc32(values.round(6).tobytes())
        drawn = np.random.default_rng(of_its_own).normal(size=RESAMPLES)
    else:
        rng = np.random.default_rng(RESAMPLING_SEED)
        chi = np.sqrt(rng.chisquare(S - 1, RESAMPLES))
        drawn = rng.normal(size=(RESAMPLES, S)) @ (values - values.mean()) / chi
    ranks = drawn.argsort().argsort()
    return values.mean() + values.std(ddof=1) / np.sqrt(S) * stats.t.ppf((ranks + 0.5) / RESAMPLES, S - 1)


@dataclass(frozen=True)
class Decision:
    """word: the verdict. agreement: the share of resamples with the word that the measured figures get, which is the
    verdict unless that is "undecided". leaning: that word."""

    word: str
    agreement: float
    leaning: str

    def __str__(self) -> str:
        """For a table: how sure the verdict is, and which way it leans if it is none."""
        if self.word == UNDECIDED:
            return f"{self.word} ({self.leaning}: {self.agreement:.0%} of resamples)"
        return f"{self.word} ({self.agreement:.0%} of resamples)"


def decide(rule: Callable[[Mapping[str, float]], str], figures: Mapping[str, Sampled]) -> Decision:
    """The word of `rule` for the figures, or "undecided" where less than SURE of their resamples get the same.

    rule: from a number for each name of `figures` to a word. Raises ValueError where figures differ in their number of
    resamples, or there is none.
    """
    counts = {len(figure.resampled) for figure in figures.values()}
    if len(counts) != 1:
        raise ValueError(f"the figures have {sorted(counts)} resamples: expected one number for all of them")
    said = rule({name: figure.value for name, figure in figures.items()})
    drawn = zip(*(figure.resampled.tolist() for figure in figures.values()), strict=True)
    same = [rule(dict(zip(figures, values, strict=True))) == said for values in drawn]
    agreement = float(np.mean(same))
    return Decision(said if agreement >= SURE else UNDECIDED, agreement, said)


def decide_above(figure: Sampled, threshold: float) -> Decision:
    """Holds if the figure lies above the threshold, does not if below, and is undecided where chance may say."""
    return decide(lambda values: _holds_if(values["figure"] > threshold), {"figure": figure})


def decide_below(figure: Sampled, threshold: float) -> Decision:
    """Holds if the figure lies below the threshold."""
    return decide(lambda values: _holds_if(values["figure"] < threshold), {"figure": figure})


def decide_within(figure: Sampled, low: float, high: float) -> Decision:
    """Holds if the figure lies from `low` to `high`: margins that were fixed before the measurement."""
    return decide(lambda values: _holds_if(low <= values["figure"] <= high), {"figure": figure})


def decide_columns(rule: Callable[[float], bool], columns: Mapping[str, Sampled]) -> Decision:
    """A claim that is put to several models: holds where it does for all of them; if only for some, these are named.

    rule: whether the claim holds by the figure of one column. Each column is decided by itself. The agreement is the
    share of resamples in which all columns come out as they did; where some hold and others are undecided, all but
    the latter.
    """
    each = {
        name: decide(lambda values: _holds_if(rule(values["figure"])), {"figure": f}) for name, f in columns.items()
    }
    named = {word: [name for name in each if each[name].word == word] for word in (HOLDS, FAILS, UNDECIDED)}
    counted = [name for name in columns if name not in named[UNDECIDED]] if named[HOLDS] else list(columns)
    alike = [np.array([rule(x) == rule(columns[name].value) for x in columns[name].resampled]) for name in counted]
    agreement = float(np.all(alike, axis=0).mean())
    said = _in_words(named)
    sure = agreement >= SURE and not (named[UNDECIDED] and not named[HOLDS])
    return Decision(said if sure else UNDECIDED, agreement, said)


def decide_together(verdicts: Mapping[str, Decision], in_words: Callable[[Mapping[str, str]], str]) -> Decision:
    """The verdict of several that were decided by themselves, of figures that are independent, by their names.

    in_words: from the word of each to one for all. The shares that agree multiply: those of all that are decided, and
    of what is undecided only where nothing is decided.
    """
    decided = [verdict.agreement for verdict in verdicts.values() if verdict.word != UNDECIDED]
    agreement = float(np.prod(decided or [verdict.agreement for verdict in verdicts.values()]))
    said = in_words({name: verdict.word for name, verdict in verdicts.items()})
    return Decision(said if agreement >= SURE else UNDECIDED, agreement, said)


def _holds_if(condition: bool) -> str:
    return HOLDS if condition else FAILS


def _in_words(named: Mapping[str, list[str]]) -> str:
    if len(named[HOLDS]) == sum(map(len, named.values())):
        return HOLDS
    open_ = f"; undecided for {' and '.join(named[UNDECIDED])}" if named[UNDECIDED] else ""
    if named[HOLDS]:
        return f"holds when the model is {' or '.join(named[HOLDS])}{open_}"
    return FAILS + (f" for {' and '.join(named[FAILS])}{open_}" if named[FAILS] and open_ else "")
