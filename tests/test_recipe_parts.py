"""What each part of the recipe is for: the runs differ in that part alone, and a difference gets the word it earns."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mlm_mini import figures
from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.lab import rates
from mlm_mini.experiments.lab import study as lab_study
from mlm_mini.experiments.lab.rates import HIGH_RATES, RateTrial
from mlm_mini.experiments.parts import study
from mlm_mini.seeds import TUNING_SEED
from mlm_mini.training.optimizer import learning_rate

pytestmark = pytest.mark.usefixtures("one_thread")


def made_up(more):
    """A result whose arms pay `more`, (S,) nats, than the whole recipe, whatever their rate."""
    config = study.PartsConfig(seeds=5)
    base = np.array([0.5, 0.52, 0.48, 0.51, 0.49])
    runs = tuple(
        study.PartsScore(study.PartsCell(arm, 1e-3, 400, seed), base[seed] + (arm != study.WHOLE) * more[seed])
        for arm in study.WITHOUT
        for seed in range(5)
    )
    tried = tuple(
        RateTrial(arm, rate, abs(np.log(rate / study.rates_of(arm)[1])))
        for arm in study.WITHOUT
        for rate in study.rates_of(arm)
    )
    return study.RecipeParts(config, tried, runs)


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ([0.1, 0.11, 0.09, 0.1, 0.1], "worse"),
        ([-0.1, -0.11, -0.09, -0.1, -0.1], "better"),
        ([0.001, 0.0, -0.001, 0.002, 0.0], "no difference beyond 0.03"),
        ([0.2, -0.1, 0.1, 0.0, -0.1], "undecided"),
    ],
)
def test_a_verdict_is_that_of_its_interval(more, verdict):
    result = made_up(np.array(more))
    assert result.verdict("no clipping").word == verdict
    assert verdict in result.table()
    assert verdict in result.describe()
    assert result.rate("no clipping") == HIGH_RATES[1]


def test_runs_of_a_seed_differ_in_one_part_alone():
    gaps = {arm: study.run_parts_cell(study.PartsCell(arm, 3e-3, 4, 0))["gap"] for arm in study.WITHOUT}
    assert len(set(gaps.values())) > len(gaps) / 2  # in four steps decay, for one, does next to nothing
    assert gaps["no decay"] == pytest.approx(gaps[study.WHOLE], abs=0.01)
    assert gaps == {arm: study.run_parts_cell(study.PartsCell(arm, 3e-3, 4, 0))["gap"] for arm in study.WITHOUT}


def test_the_shipped_study_has_every_arm_at_the_rate_that_its_trials_chose():
    result = find_experiment("recipe_parts").shipped()
    assert result.config == study.PartsConfig()
    for arm in study.WITHOUT:
        assert len(result.gaps(arm)) == result.config.seeds
        assert {s.cell.learning_rate for s in result.runs if s.cell.arm == arm} == {result.rate(arm)}
    assert TUNING_SEED not in {s.cell.seed for s in result.runs}


def test_what_the_chapter_says_of_the_shipped_study():
    result = find_experiment("recipe_parts").shipped()
    worse = {arm for arm in study.WITHOUT if arm != study.WHOLE and result.verdict(arm).word == "worse"}
    assert worse == {"no warm-up", "table at the rate of the rest", study.NO_ADAM}
    assert result.rate("no warm-up") < result.rate(study.WHOLE)
    assert "3 of 6 changes" in result.plot().axes[0].get_title(loc="left")


def test_where_the_rate_does_not_fall_it_stays_after_the_same_warm_up(monkeypatch):
    """The schedule is that of a training a hundred times as long, of which the first steps are taken."""
    given = []

    class Started(Exception):
        pass

    def start(shape, source, config, device):
        given.append(config)
        raise Started

    monkeypatch.setattr(study.Run, "start", start)
    for arm in (study.WHOLE, study.NO_FALL):
        with pytest.raises(Started):
            study.run_parts_cell(study.PartsCell(arm, 3e-3, 400, 0))
    whole, no_fall = ([learning_rate(step, config) for step in range(400)] for config in given)
    rising = int(400 * given[0].warmup)
    assert no_fall[:rising] == pytest.approx(whole[:rising], rel=1e-3)
    assert whole[-1] < 0.02 * max(whole)
    assert no_fall[-1] > 0.99 * max(no_fall)


def test_what_a_seed_does_to_both_recipes_cancels():
    more = made_up(np.full(5, 0.1))  # seeds differ by 0.04, and their differences by nothing
    assert more.difference("no decay") == pytest.approx((0.1, 0.1, 0.1))


def spread_out(shift=0.0):
    """A result in which every arm pays another number of nats, its runs in no order; the seeds are 0.02 apart."""
    more = {arm: 0.1 * place + shift * (place > 0) for place, arm in enumerate(study.WITHOUT)}
    luck = np.array([0.0, 0.02, -0.02, 0.01, -0.01])
    made = made_up(np.zeros(5))
    runs = [
        replace(
            run, gap=0.5 + more[run.cell.arm] + 10 * run.cell.seed + luck[run.cell.seed] * (run.cell.arm != study.WHOLE)
        )
        for run in made.runs
    ]
    return replace(made, runs=tuple(runs[i] for i in np.random.default_rng(0).permutation(len(runs))))


def test_runs_are_paired_by_their_seeds_in_whatever_order_they_come():
    found = spread_out().difference("no clipping")
    margin = 2.776445 * np.std([0.0, 0.02, -0.02, 0.01, -0.01], ddof=1) / np.sqrt(5)
    assert found == pytest.approx((0.3, 0.3 - margin, 0.3 + margin))


def test_the_table_and_the_words_have_each_arms_own_figures():
    result = spread_out()
    lines = {line[:32].strip(): line[32:] for line in result.table().splitlines()}
    margin = 2.776445 * np.std([0.0, 10.02, 19.98, 30.01, 39.99], ddof=1) / np.sqrt(5)
    assert " ".join(lines["no warm-up"].split()) == (
        f"0.003 20.600 ± {margin:.3f} +0.100 ± 0.020: worse (100% of resamples)"
    )
    assert lines[study.NO_ADAM].split()[:4] == ["0.3", "21.100", "±", f"{margin:.3f}"]
    assert lines[study.WHOLE].split() == ["0.003", "20.500", "±", "19.632"]
    assert "no decay 0.4 (0.38 to 0.42), worse" in result.describe()
    assert result.plot().axes[0].get_title(loc="left") == "6 of 6 changes make the recipe worse, 0 are undecided"


def test_the_picture_has_the_arms_from_the_least_to_the_most():
    result = spread_out(shift=-0.25)  # from -0.15 to 0.35: better, worse, and 0.05 to either side of nothing
    (axes,) = result.plot().axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [arm for arm in study.WITHOUT if arm != study.WHOLE]
    bars, dots = ([line for line in axes.lines if len(line.get_xdata()) == n and line.get_marker() == m] for n, m in
                  ((2, "None"), (1, "o")))  # fmt: skip
    for place, arm in enumerate(names):
        value, low, high = result.difference(arm)
        assert (dots[place].get_xdata()[0], dots[place].get_ydata()[0]) == (value, place)
        assert (bars[place].get_xdata().tolist(), bars[place].get_ydata().tolist()) == ([low, high], [place, place])
        word = "better" if value < 0 else "worse"
        assert result.verdict(arm).word == word
        assert (
            dots[place].get_color() == bars[place].get_color() == {"better": figures.BLUE, "worse": figures.RED}[word]
        )


@pytest.mark.parametrize(
    ("more", "word"), [(0.029, study.NONE), (0.031, "worse"), (-0.029, study.NONE), (-0.031, "better")]
)
def test_three_hundredths_of_a_nat_count_as_none(more, word):
    assert made_up(np.full(5, more)).verdict("no decay").word == word


class Planted:
    """In the place of a run: it remembers its config, and the optimizer of each step."""

    def __init__(self, config):
        self.config, self.steps, self.optimizer = (
            config,
            [],
            torch.optim.AdamW([torch.zeros(1)], lr=0.5, weight_decay=0.2),
        )

    def one_step(self):
        self.steps.append(self.optimizer)

    def look(self, evaluation):
        return SimpleNamespace(gap=0.123456)


def test_each_arm_changes_what_its_name_says_and_nothing_else(monkeypatch):
    runs = []

    def start(shape, source, config, device):
        runs.append(Planted(config))
        return runs[-1]

    material = SimpleNamespace(source=SimpleNamespace(vocabulary=range(70)), evaluation=None)
    monkeypatch.setattr(study, "find_material", lambda language, config: material)
    monkeypatch.setattr(study.Run, "start", start)
    for arm in study.WITHOUT:
        assert study.run_parts_cell(study.PartsCell(arm, 3e-3, 4, 1)) == {"gap": 0.12346}
    given = dict(zip(study.WITHOUT, runs, strict=True))
    whole = given[study.WHOLE].config
    assert (whole.steps, whole.seed, whole.learning_rate) == (4, 1, 3e-3)
    changed = {
        "no warm-up": {"warmup": 0.0},
        "no fall at the end": {"steps": 400, "warmup": whole.warmup / 100},
        "no clipping": {"clip_norm": 1e9},
        "no decay": {"weight_decay": 0.0},
        "table at the rate of the rest": {"embedding_rate": 1.0},
        "plain gradient steps": {},
    }
    assert {arm: run.config for arm, run in given.items() if arm != study.WHOLE} == {
        arm: replace(whole, **fields) for arm, fields in changed.items()
    }
    for fields in changed.values():
        assert all(getattr(whole, name) != value for name, value in fields.items())  # a part of the recipe before
    for arm, run in given.items():
        assert [type(optimizer) for optimizer in run.steps] == [
            torch.optim.SGD if arm == "plain gradient steps" else torch.optim.AdamW
        ] * 4


def test_rates_are_chosen_by_the_gap_and_plain_steps_have_rates_of_their_own(monkeypatch):
    asked = []

    def run_study(cells, run, folder, workers, finished=None):
        asked.append(list(cells))
        return [{"gap": abs(np.log(c.learning_rate / study.rates_of(c.arm)[2])) + c.seed / 1e4, "kl": 0} for c in cells]

    for module in (rates, lab_study):
        monkeypatch.setattr(module, "run_study", run_study)
    result = study.measure_parts(study.PartsConfig(steps=7, seeds=3), np.random.default_rng(0))
    assert {arm: result.rate(arm) for arm in study.WITHOUT} == {
        arm: 1.0 if arm == study.NO_ADAM else 1e-2 for arm in study.WITHOUT
    }
    assert {c.learning_rate for c in asked[1]} == {0.1, 0.3, 1.0, 3.0}
    assert {c.arm for c in asked[1]} == {study.NO_ADAM}
    assert {c.seed for c in asked[0] + asked[1]} == {TUNING_SEED}
    assert [(c.arm, c.learning_rate, c.steps, c.seed) for c in asked[2]] == [
        (arm, result.rate(arm), 7, seed) for seed in range(3) for arm in study.WITHOUT
    ]
    assert result.gaps("no decay") == pytest.approx([0.0, 1e-4, 2e-4])
