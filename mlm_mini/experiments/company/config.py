"""What the study of word vectors runs, and what each run found."""

from dataclasses import dataclass

from mlm_mini.experiments.company.arms import ALONE, BARKS, RARE_DOG, WHOLE_TEXT
from mlm_mini.experiments.company.baseline import GRID, CountSetting
from mlm_mini.experiments.company.figures_of import CompanyFigures
from mlm_mini.storage import fingerprint

FIRST_SEED = 1200
STRETCHES = (0.0, -1.0)  # powers of the spread, see `stretch`


@dataclass(frozen=True)
class CompanyConfig:
    """steps: of each run. looks: at which steps the table is looked at; the last is `steps`. seeds: FIRST_SEED and the
    following, so many of each arm. grid: of settings for the counts, tried with a seed that is not used again."""

    steps: int = 800
    looks: tuple[int, ...] = (0, 50, 100, 200, 400, 800)
    seeds: int = 5
    arms: tuple[str, ...] = (WHOLE_TEXT, ALONE, BARKS, RARE_DOG)
    grid: tuple[CountSetting, ...] = GRID


QUICK_COMPANY = CompanyConfig(
    steps=100, looks=(0, 100), seeds=2, arms=(WHOLE_TEXT, ALONE), grid=(CountSetting(2, 1.0, 0.75, 64, 0.5),)
)


@dataclass(frozen=True)
class CompanyCell:
    """One run. looks: as in the config; of arms but the whole language, the first and the last. settings: of counts."""

    arm: str
    seed: int
    steps: int
    looks: tuple[int, ...]
    settings: tuple[CountSetting, ...]

    @property
    def name(self) -> str:
        how = fingerprint(list(self.looks), [list(setting) for setting in self.settings])[:6]
        return f"{self.arm.replace(' ', '_').replace(',', '')}-{self.steps}-{how}-seed{self.seed}"


@dataclass(frozen=True)
class Look:
    """What is found after some steps.

    gap: to the Bayes floor of the language, in nats per hidden word. table: of the model's table of words. counts: of
    counts of the sentences that it has read, with each of the cell's settings; nothing before the first step.
    context: of the mean vectors of words in sentences, after the last block. told_apart: see `uses`.
    """

    step: int
    gap: float
    table: CompanyFigures
    counts: tuple[CompanyFigures, ...]
    context: CompanyFigures
    told_apart: float


@dataclass(frozen=True)
class CompanyScore:
    """stretched: of the last table after each of STRETCHES. changed: by how much the largest of the model's
    probabilities changed in it."""

    cell: CompanyCell
    looks: tuple[Look, ...]
    stretched: tuple[CompanyFigures, ...]
    changed: float
