"""Which models the study of mask ratios trains."""

from dataclasses import dataclass, replace

from mlm_mini.experiments.lab.cost import flops_at_ratio
from mlm_mini.experiments.lab.rates import RATES
from mlm_mini.experiments.lab.recipe import LEARNING_RATE
from mlm_mini.languages import scene_language
from mlm_mini.languages.checks import ALL_MASK
from mlm_mini.model import ModelConfig
from mlm_mini.reference.masking import BERT_SPLIT
from mlm_mini.seeds import TUNING_SEED
from mlm_mini.training.fields import check_range

TRAINED_RATIOS = (0.01, 0.05, 0.15, 0.3, 0.4, 0.5, 0.65, 0.8)
REFERENCE_RATIO = 0.15  # whose cost is the measure at equal FLOPs
SCORED_AT = (0.15, 0.5)  # ratios of the questions; the first is the one that counts
WIDE_SIZE = "wide"  # two blocks as `tiny` and `mini` have, each of `small`'s width: 64, 128 and 256


def study_shape(size: str, vocab_size: int) -> ModelConfig:
    """The model of a size of the study: those of `ModelConfig.of_size`, and "wide"."""
    if size == WIDE_SIZE:
        return ModelConfig.small(vocab_size, num_hidden_layers=ModelConfig.mini(vocab_size).num_hidden_layers)
    return ModelConfig.of_size(size, vocab_size)


@dataclass(frozen=True)
class RatioCell:
    """One model to train. budget: "steps" or "flops", which of the two is equal to that of its neighbors, for which the
    latter has `steps_at_equal_flops`."""

    size: str
    steps: int
    seed: int
    mask_ratio: float
    prediction_ratio: float | None = None
    split: tuple[float, float, float] = ALL_MASK
    budget: str = "steps"
    learning_rate: float = LEARNING_RATE

    @property
    def arm(self) -> str:
        """All fields but the seed and the learning rate, as a file's name."""
        knobs = f"{self.mask_ratio}" if self.prediction_ratio is None else f"{self.mask_ratio}p{self.prediction_ratio}"
        split = "" if self.split == ALL_MASK else "-" + "".join(f"{share:.1f}"[2] for share in self.split)
        return f"{self.size}-{self.steps}-{self.budget}-{knobs}{split}"

    @property
    def name(self) -> str:
        """All fields, as a file's name."""
        return f"{self.arm}-rate{self.learning_rate:g}-seed{self.seed}"


@dataclass(frozen=True)
class MaskRatioConfig:
    """The cells of a study.

    sizes: of the model; steps: the budgets, in updates of 64 sentences. largest: sizes that have the smallest of the
    budgets alone, at every ratio, and nothing else. seeds: 0, 1 ... flops_steps: the budget, in steps at ratio 0.15,
    of the runs at equal FLOPs; None for no such runs. knobs: pairs of corruption and prediction ratio, and
    split_ratios: ratios at which 80/10/10 stands beside 100% [MASK]; both at the largest budget. knob_sizes: the sizes
    for the pairs. arm_seeds: how many of the seeds, the first ones, the runs at equal FLOPs, the pairs and 80/10/10
    have. rates: the learning rates that each arm is tried at; a single one is not tried but used.
    """

    sizes: tuple[str, ...] = ("tiny", "mini")
    largest: tuple[str, ...] = (WIDE_SIZE,)
    steps: tuple[int, ...] = (300, 900)
    ratios: tuple[float, ...] = TRAINED_RATIOS
    seeds: int = 5
    flops_steps: int | None = 300
    knobs: tuple[tuple[float, float], ...] = ((0.15, 0.05), (0.4, 0.05), (0.4, 0.15), (0.65, 0.15))
    knob_sizes: tuple[str, ...] = ("tiny",)
    split_ratios: tuple[float, ...] = (0.15, 0.4)
    arm_seeds: int = 5
    rates: tuple[float, ...] = RATES

    def __post_init__(self):
        check_range(self, "at least 1", lambda values: len(values) >= 1, "sizes", "steps", "rates")
        check_range(self, "at least 3", lambda values: len(values) >= 3, "ratios")
        check_range(self, "shares above 0, up to 1", lambda values: all(0 < r <= 1 for r in values), "ratios")
        check_range(self, "numbers above 0", lambda values: all(rate > 0 for rate in values), "rates")
        seeds = f"from 2, for an interval, to {TUNING_SEED}: that seed chooses the rates"
        check_range(self, seeds, lambda value: 2 <= value <= TUNING_SEED, "seeds", "arm_seeds")

    def columns(self) -> list[tuple[str, int]]:
        """The pairs of size and steps that are run at every ratio."""
        shortest = [(size, min(self.steps)) for size in self.largest]
        return [(size, steps) for size in self.sizes for steps in self.steps] + shortest

    def cells(self) -> list[RatioCell]:
        """Every run, at the first of the rates, one seed after the other: a study that was stopped has whole seeds."""
        grid = [
            RatioCell(size, steps, 0, r, learning_rate=self.rates[0])
            for size, steps in self.columns()
            for r in self.ratios
        ]
        arms = self._arms()
        of_seed = [grid + arms if seed < self.arm_seeds else grid for seed in range(self.seeds)]
        return [replace(cell, seed=seed) for seed, cells in enumerate(of_seed) for cell in cells]

    def _arms(self) -> list[RatioCell]:
        """All but the runs at every ratio and equal steps, of seed 0."""
        longest, cells = max(self.steps), []
        if self.flops_steps:
            cells += [
                RatioCell(size, steps_at_equal_flops(size, r, self.flops_steps), 0, r, budget="flops")
                for size in self.sizes
                for r in self.ratios
            ]
        cells += [RatioCell(size, longest, 0, c, p) for size in self.knob_sizes for c, p in self.knobs]
        cells += [RatioCell(size, longest, 0, r, split=BERT_SPLIT) for size in self.sizes for r in self.split_ratios]
        return [replace(cell, learning_rate=self.rates[0]) for cell in cells]


QUICK_RATIO_STUDY = MaskRatioConfig(
    sizes=("tiny",),
    largest=(),
    steps=(100,),
    ratios=(0.05, 0.15, 0.4, 0.8),
    flops_steps=None,
    knobs=(),
    split_ratios=(),
    rates=(LEARNING_RATE,),
)


def steps_at_equal_flops(size: str, mask_ratio: float, steps: int) -> int:
    """The number of steps at `mask_ratio` that cost what `steps` cost at ratio 0.15: more predictions, more FLOPs."""
    language = scene_language()
    shape = study_shape(size, len(language.vocabulary))
    cost, reference = (flops_at_ratio(shape, language, ratio) for ratio in (mask_ratio, REFERENCE_RATIO))
    return max(1, round(steps * reference / cost))
