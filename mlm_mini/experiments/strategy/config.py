"""Which models the study of strategies trains, and for how many steps: looking before hiding is paid for in steps."""

from dataclasses import dataclass, replace

from mlm_mini.experiments.lab.cost import flops_at_ratio
from mlm_mini.experiments.lab.rates import RATES
from mlm_mini.experiments.lab.recipe import LEARNING_RATE
from mlm_mini.experiments.strategy.noisy_scenes import noisy_scenes
from mlm_mini.experiments.strategy.selection import (
    ENTROPY,
    KEPT_AT_RANDOM,
    KEPT_LOSS,
    MORE_UNIFORM,
    OVERSAMPLING,
    SCORED,
    SURPRISAL,
    UNIFORM,
    check_strategy,
)
from mlm_mini.languages import SceneLanguage, scene_language
from mlm_mini.model import ModelConfig
from mlm_mini.seeds import TUNING_SEED
from mlm_mini.training.fields import check_range

PLAIN_SCENES, NOISY_SCENES = "scenes", "noisy"
STUDY_LANGUAGES = {PLAIN_SCENES: scene_language, NOISY_SCENES: noisy_scenes}
STUDY_RATIO = 0.15  # of the words that every strategy asks for
Arm = tuple[str, bool]  # a strategy, and whether its losses are weighted
ARMS: tuple[Arm, ...] = (
    (UNIFORM, False),
    (SURPRISAL, False),
    (SURPRISAL, True),
    (ENTROPY, False),
    (ENTROPY, True),
    (KEPT_LOSS, False),
    (KEPT_LOSS, True),
    (KEPT_AT_RANDOM, False),
    *((uniform, False) for uniform in MORE_UNIFORM),
)


@dataclass(frozen=True)
class StrategyCell:
    """One model to train.

    language: "scenes" or "noisy". steps: updates of the weights that uniform masks may take; a strategy takes fewer
    where it costs more, if it is `charged`. probed: the shares of the training after which the gradients of `arms`
    are measured, over `probe_batches` batches for each arm.
    """

    language: str
    strategy: str
    weighted: bool
    steps: int
    seed: int
    charged: bool = True
    probed: tuple[float, ...] = ()
    arms: tuple[Arm, ...] = ()
    probe_batches: int = 48
    learning_rate: float = LEARNING_RATE

    @property
    def arm(self) -> str:
        """How it trains, but for the seed and the learning rate, as a file's name."""
        words = [self.language, self.strategy.replace(" ", "_").rstrip("%"), "weighted" if self.weighted else "plain"]
        return "-".join([*words, f"{self.steps}", "charged" if self.charged else "free"])

    @property
    def name(self) -> str:
        """All fields, as a file's name."""
        probes = f"-probed{len(self.probed)}x{len(self.arms)}x{self.probe_batches}" if self.probed else ""
        return f"{self.arm}{probes}-rate{self.learning_rate:g}-seed{self.seed}"


@dataclass(frozen=True)
class MaskStrategyConfig:
    """What to train.

    languages: "scenes", "noisy" or both. arms: pairs of a strategy and whether its losses are weighted; uniform masks
    are always among them. free: strategies that are trained a second time on the first language, at equal steps, as if
    looking cost nothing. steps: of uniform masks, 64 sentences each. seeds: how many, from 0 on. probed: shares of the
    training with uniform masks after which the gradients of all arms are measured, over `probe_batches` batches each.
    rates: the learning rates that each arm is tried at; a single one is not tried but used.
    Raises ValueError for unknown languages or strategies, fewer than 2 seeds or 1 step, or no uniform arm.
    """

    languages: tuple[str, ...] = (PLAIN_SCENES, NOISY_SCENES)
    arms: tuple[Arm, ...] = ARMS
    free: tuple[str, ...] = (SURPRISAL, ENTROPY)
    steps: int = 400
    seeds: int = 5
    probed: tuple[float, ...] = (0.25, 1.0)
    probe_batches: int = 48
    rates: tuple[float, ...] = RATES

    def __post_init__(self):
        object.__setattr__(self, "arms", tuple((strategy, weighted) for strategy, weighted in self.arms))
        check_range(self, "at least 2", lambda value: value >= 2, "seeds", "probe_batches")
        check_range(self, f"up to {TUNING_SEED}, which chooses the rates", lambda value: value <= TUNING_SEED, "seeds")
        above_0 = "numbers above 0, at least 1 of them"
        check_range(self, above_0, lambda rates: rates and all(rate > 0 for rate in rates), "rates")
        check_range(self, "at least 1", lambda value: value >= 1, "steps")
        known = f"some of {', '.join(map(repr, STUDY_LANGUAGES))}"
        check_range(self, known, lambda names: names and set(names) <= set(STUDY_LANGUAGES), "languages")
        for strategy in (*(strategy for strategy, _ in self.arms), *self.free):
            check_strategy(strategy)
        among = f"({UNIFORM!r}, False) among them, to compare with"
        check_range(self, among, lambda arms: (UNIFORM, False) in arms, "arms")
        shares = "shares of the training, above 0 and up to 1"
        check_range(self, shares, lambda probed: probed and all(0 < share <= 1 for share in probed), "probed")

    def cells(self) -> list[StrategyCell]:
        """Every run, at the first of the rates, one seed after the other: a study that was stopped has whole seeds."""
        return [
            replace(cell, seed=seed, learning_rate=self.rates[0])
            for seed in range(self.seeds)
            for cell in self._of_one_seed()
        ]

    def _of_one_seed(self) -> list[StrategyCell]:
        cells = [StrategyCell(language, *arm, self.steps, 0) for language in self.languages for arm in self.arms]
        probing = {"probed": self.probed, "arms": self.arms, "probe_batches": self.probe_batches}
        cells = [replace(cell, **probing) if cell.strategy == UNIFORM else cell for cell in cells]
        free = {"language": self.languages[0], "weighted": False, "steps": self.steps, "seed": 0, "charged": False}
        return cells + [StrategyCell(strategy=strategy, **free) for strategy in self.free]


QUICK_STRATEGY_STUDY = MaskStrategyConfig(
    languages=(PLAIN_SCENES,),
    arms=((UNIFORM, False), (SURPRISAL, False), (SURPRISAL, True)),
    free=(),
    steps=40,
    probed=(1.0,),
    probe_batches=12,
    rates=(LEARNING_RATE,),
)


def step_flops(strategy: str, shape: ModelConfig, language: SceneLanguage, charged: bool = True) -> float:
    """Operations per token of the text for one step of a strategy, its scoring pass included if it is `charged`.

    A training pass costs F(m) = `training_flops_per_token` with m the share of the tokens that is predicted; a forward
    pass costs a third of it. "surprisal" and "entropy" score all candidates in a pass of their own: F(m) + F(c) / 3,
    with c the share of candidates. "kept" asks the head for all candidates and goes back from those it keeps:
    F(m) + (F(c) - F(m)) / 3. Uniform masks that hide more cost F of what they hide. Drawing and sorting are not
    counted.
    """
    check_strategy(strategy)
    ratios = STUDY_RATIO, min(1.0, OVERSAMPLING * STUDY_RATIO)
    full, candidates = (flops_at_ratio(shape, language, ratio) for ratio in ratios)
    if strategy in MORE_UNIFORM:
        return flops_at_ratio(shape, language, MORE_UNIFORM[strategy])
    if charged and strategy in SCORED:
        return full + candidates / 3
    return full + (candidates - full) / 3 if strategy == KEPT_LOSS else full


def equal_steps(cell: StrategyCell) -> int:
    """How many steps of a cell's strategy cost what cell.steps cost with uniform masks."""
    language = STUDY_LANGUAGES[cell.language]()
    shape = ModelConfig.tiny(len(language.vocabulary))
    uniform = step_flops(UNIFORM, shape, language)
    return max(1, round(cell.steps * uniform / step_flops(cell.strategy, shape, language, cell.charged)))


def arm_name(strategy: str, weighted: bool, charged: bool = True) -> str:
    """As tables and pictures have it."""
    return strategy + (", weighted" if weighted else "") + ("" if charged else ", looking free")
