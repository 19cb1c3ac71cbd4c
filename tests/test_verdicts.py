"""Verdicts: a word where repetitions of a measurement would say the same, and "undecided" where chance would."""

import numpy as np
import pytest

from mlm_mini.experiments.lab.intervals import mean_interval
from mlm_mini.experiments.lab.verdicts import (
    FAILS,
    HOLDS,
    SURE,
    UNDECIDED,
    Decision,
    Sampled,
    decide,
    decide_above,
    decide_below,
    decide_columns,
    decide_together,
    decide_within,
)

SEEDS = np.array([-1.2, -0.4, 0.1, 0.5, 1.0])
SEEDS = (SEEDS - SEEDS.mean()) / SEEDS.std(ddof=1)  # mean 0, standard deviation 1


def around(center, spread=1.0):
    """Five seeds with this mean and standard deviation."""
    return center + spread * SEEDS


def test_resamples_of_a_mean_have_students_distribution():
    figure = Sampled.mean(around(3.0))
    low, high = np.quantile(figure.resampled, [0.025, 0.975])
    margin = 2.776445 / np.sqrt(5)  # t for four degrees of freedom
    assert (low, high) == pytest.approx((3 - margin, 3 + margin), rel=0.002)
    assert figure.estimate == mean_interval(around(3.0))
    many = np.random.default_rng(0).normal(7, 2, 2000)
    of_many = Sampled.mean(many)
    assert of_many.resampled.std() == pytest.approx(many.std() / np.sqrt(2000), rel=0.05)
    assert of_many.resampled.mean() == pytest.approx(many.mean(), abs=0.005)


def test_a_factor_is_a_mean_of_logs():
    values = np.exp(around(1.0, 0.2))
    np.testing.assert_allclose(np.log(Sampled.factor(values).resampled), Sampled.mean(np.log(values)).resampled)
    assert Sampled.factor(values).value == pytest.approx(np.e)


def test_what_seeds_share_cancels():
    luck = np.array([3.0, -5.0, 4.0, -4.0, 2.0])
    one, other = luck + around(1.0, 0.1), luck - around(0.0, 0.1)
    difference = Sampled.mean(one).resampled - Sampled.mean(other).resampled
    assert difference.std() < 0.1 * Sampled.mean(one).resampled.std()


# The mean of five seeds with standard deviation 1 has the margin 1.242 to either side.
@pytest.mark.parametrize(
    ("center", "word"),
    [(1.5, HOLDS), (1.1, UNDECIDED), (0.2, UNDECIDED), (-0.2, UNDECIDED), (-1.1, UNDECIDED), (-1.5, FAILS)],
)
def test_a_threshold_inside_the_interval_is_undecided_though_the_value_lies_beyond_it(center, word):
    verdict = decide_above(Sampled.mean(around(center)), 0.0)
    assert verdict.word == word
    assert verdict.leaning == (HOLDS if center > 0 else FAILS)
    assert (verdict.agreement >= SURE) == (word != UNDECIDED)
    mirrored = decide_below(Sampled.mean(around(-center)), 0.0)
    assert mirrored.word == word


def test_the_interval_and_the_resamples_say_the_same():
    rng = np.random.default_rng(1)
    for values in rng.normal(0.9, 1.0, (300, 5)):
        estimate, verdict = mean_interval(values), decide_above(Sampled.mean(values), 0.0)
        expected = HOLDS if estimate.low > 0 else FAILS if estimate.high < 0 else UNDECIDED
        assert verdict.word == expected


def test_margins_that_were_fixed_before():
    narrow, wide = Sampled.mean(around(1.0, 0.05)), Sampled.mean(around(1.0, 1.0))
    assert decide_within(narrow, 0.8, 1.25).word == HOLDS
    assert decide_within(wide, 0.8, 1.25).word == UNDECIDED  # a wide interval around 1 shows no equality
    assert decide_within(narrow, 1.2, 1.5).word == FAILS


def test_an_exact_figure_leaves_nothing_to_chance():
    assert decide_above(Sampled.exact(1e-9), 0.0).word == HOLDS
    assert decide_above(Sampled.exact(0.0), 0.0).word == FAILS
    assert decide_above(Sampled.exact(0.0), 0.0).agreement == 1


def test_a_rule_over_two_figures_needs_both_sure():
    def rule(values):
        return HOLDS if values["long"] > 1 and values["better"] < 0 else FAILS

    sure, open_ = Sampled.mean(around(3.0)), Sampled.mean(around(-0.5))
    assert decide(rule, {"long": sure, "better": Sampled.mean(around(-3.0))}).word == HOLDS
    assert decide(rule, {"long": sure, "better": open_}).word == UNDECIDED
    # Where one figure rules the claim out for sure, the other does not matter.
    assert decide(rule, {"long": Sampled.mean(around(-3.0)), "better": open_}).word == FAILS


def test_figures_must_be_resampled_alike():
    with pytest.raises(ValueError, match=r"the figures have \[3, 4000\] resamples"):
        decide(lambda values: HOLDS, {"a": Sampled.exact(1), "b": Sampled.bootstrap(1.0, [1.0, 2.0, 3.0])})
    with pytest.raises(ValueError, match=r"\[\] resamples"):
        decide(lambda values: HOLDS, {})


@pytest.mark.parametrize(
    ("centers", "word"),
    [
        ((3, 3), HOLDS),
        ((-3, -3), FAILS),
        ((3, -3), "holds when the model is a"),
        ((3, 0.2), "holds when the model is a; undecided for b"),
        ((-3, 0.2), UNDECIDED),
        ((0.2, 0.2), UNDECIDED),
    ],
)
def test_columns_are_decided_one_by_one(centers, word):
    columns = {name: Sampled.mean(around(center)) for name, center in zip("ab", centers, strict=True)}
    verdict = decide_columns(lambda figure: figure > 0, columns)
    assert verdict.word == word
    if word == UNDECIDED and centers[0] < 0:
        assert verdict.leaning == "does not hold as worded for a; undecided for b"


@pytest.mark.parametrize(
    ("centers", "said"),
    [
        ((3, -3, 3), "holds when the model is a or c"),
        ((3, 0.2, 0.1), "holds when the model is a; undecided for b and c"),
        ((-3, 0.2, -3), "does not hold as worded for a and c; undecided for b"),
        ((-3, -3, -3), FAILS),
    ],
)
def test_columns_are_named_by_what_they_say(centers, said):
    columns = {name: Sampled.mean(around(center)) for name, center in zip("abc", centers, strict=True)}
    assert decide_columns(lambda figure: figure > 0, columns).leaning == said


def test_a_margin_holds_at_its_ends():
    assert [decide_within(Sampled.exact(x), 0.8, 1.25).word for x in (0.8, 1.25, 0.799, 1.251)] == [
        HOLDS, HOLDS, FAILS, FAILS,
    ]  # fmt: skip


def test_many_columns_that_are_barely_sure_are_not_sure_together():
    rng = np.random.default_rng(2)
    each = {str(i): Sampled.bootstrap(1.0, np.where(rng.random(4000) < 0.015, -1.0, 1.0)) for i in range(5)}
    assert decide_columns(lambda figure: figure > 0, dict([*each.items()][:1])).word == HOLDS
    verdict = decide_columns(lambda figure: figure > 0, each)
    assert verdict.word == UNDECIDED
    assert verdict.agreement == pytest.approx(0.985**5, abs=0.012)


def test_a_verdict_says_how_sure_it_is():
    assert str(decide_above(Sampled.mean(around(9.0)), 0.0)) == "holds (100% of resamples)"
    assert str(decide_above(Sampled.mean(around(0.0)), 9.0)).startswith("does not hold as worded (100%")
    assert str(decide_above(Sampled.exact(1.0), 0.0)) == "holds (100% of resamples)"
    said = str(decide_above(Sampled.mean(around(0.4)), 0.0))
    assert said.startswith(("undecided (holds: 7", "undecided (holds: 8"))


def test_figures_of_many_values_vary_each_by_itself():
    rng = np.random.default_rng(3)
    one, other = (Sampled.mean(rng.normal(size=300)) for _ in range(2))
    assert abs(np.corrcoef(one.resampled, other.resampled)[0, 1]) < 0.1
    paired = [Sampled.mean(0.1 * rng.normal(size=5) + np.array([0.0, 1.0, 4.0, 2.0, 8.0])) for _ in range(2)]
    assert np.corrcoef(paired[0].resampled, paired[1].resampled)[0, 1] > 0.9


def test_a_jackknife_is_about_the_whole():
    """Leaving out one of five moves the logs; the figure stays the one that all five have together."""
    whole, without = 4.0, np.exp([1.2, 1.3, 1.5, 1.6, 1.1])
    found = Sampled.jackknife(whole, without)
    assert found.value == pytest.approx(whole)
    pseudo = 5 * np.log(whole) - 4 * np.log(without)
    moved = pseudo - pseudo.mean()  # what the seeds differ by
    half = 2.776445 * moved.std(ddof=1) / np.sqrt(5)
    assert (found.low, found.high) == pytest.approx((whole * np.exp(-half), whole * np.exp(half)))


def test_verdicts_of_independent_figures_are_sure_together_or_not_at_all():
    def told(words):
        return " and ".join(words.values())

    sure, barely = Decision(HOLDS, 1.0, HOLDS), Decision(FAILS, 0.98, FAILS)
    unknown = Decision(UNDECIDED, 0.6, HOLDS)
    both = decide_together({"one": sure, "other": barely}, told)
    assert (both.word, both.agreement) == (f"{HOLDS} and {FAILS}", pytest.approx(0.98))
    twice = decide_together({"one": barely, "other": barely}, told)
    assert (twice.word, twice.agreement) == (UNDECIDED, pytest.approx(0.98**2))
    assert twice.leaning == f"{FAILS} and {FAILS}"
    with_one = decide_together({"one": sure, "other": unknown}, told)
    assert (with_one.word, with_one.agreement) == (f"{HOLDS} and {UNDECIDED}", 1.0)
    assert decide_together({"one": unknown, "other": unknown}, told).agreement == pytest.approx(0.36)
