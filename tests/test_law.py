"""The noise of a gradient where the answer is known: planted draws, few of them, and where a law is said to end."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from scipy import stats

from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, SURE, UNDECIDED, Sampled
from mlm_mini.experiments.variance.config import GradientVarianceConfig
from mlm_mini.experiments.variance.gradients import moments
from mlm_mini.experiments.variance.law import FACTOR, decide_law
from mlm_mini.experiments.variance.noise import steps_for_one
from mlm_mini.experiments.variance.result import GradientVariance

RATIOS = (0.02, 0.05, 0.1, 0.3, 0.5, 0.9)


def rng(seed):
    return np.random.default_rng(seed)


def result_of(draws, config, tokens, spread=1.0, single=None):
    """What is measured of gradients (R, n, P); single: (R, n, P), of one token of each draw."""
    deviations, agreements = map(np.array, zip(*(moments(torch.tensor(d)) for d in draws), strict=True))
    token_deviations = None if single is None else np.array([moments(torch.tensor(s))[0] for s in single])
    predictions = np.array(config.ratios) * tokens
    empty = np.array([(d == 0).all(axis=1).mean() for d in draws])
    return GradientVariance(
        config, "planted", tokens, predictions, empty, deviations, agreements, token_deviations, spread
    )


# ---- draws without a question


def mean_of_chosen(population, chosen):
    return chosen @ population / np.maximum(chosen.sum(axis=1, keepdims=True), 1)


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_a_coin_for_each_of_four_tokens_against_all_sixteen_outcomes(share):
    """Two of three draws are empty at 0.1. Nothing is planted but the gradients: |E g|^2 is what the draws say."""
    population = rng(1).normal(1.5, 1.0, size=(4, 3))
    outcomes = np.array(list(product([0, 1], repeat=4)))
    weight = share ** outcomes.sum(axis=1) * (1 - share) ** (4 - outcomes.sum(axis=1))
    means = mean_of_chosen(population, outcomes)
    exact = weight @ ((means - weight @ means) ** 2).sum(axis=1)
    config = GradientVarianceConfig(ratios=(share, 0.5), method="bernoulli", draws=40_000)
    draws = [mean_of_chosen(population, rng(2).random((40_000, 4)) < each) for each in config.ratios]
    result = result_of(draws, config, 4.0, population.var(axis=0, ddof=1).sum())
    assert result.step_lost[0] == pytest.approx((1 - share) ** 4)
    assert result.empty[0] == pytest.approx((1 - share) ** 4, abs=0.01)
    assert result.predicted[0] == pytest.approx(exact, rel=0.02)
    assert result.deviations[0].mean() == pytest.approx(exact, rel=0.02)


def test_a_coin_over_fresh_text_is_predicted_as_simulated():
    config = GradientVarianceConfig(ratios=(0.2, 0.5), method="bernoulli", over="data", draws=60_000)
    draws = []
    for share in config.ratios:
        k = rng(3).binomial(5, share, size=(60_000, 1))
        noise = rng(4).normal(size=(60_000, 2)) / np.sqrt(np.maximum(k, 1))
        draws.append(np.where(k > 0, 1.0 + noise, 0.0))  # a third of the draws is empty at 0.2
    result = result_of(draws, config, 5.0, spread=2.0)
    np.testing.assert_allclose(result.predicted, result.deviations.mean(axis=1), rtol=0.02)


def test_noise_compares_at_equal_signal():
    """A step that is lost makes the mean gradient shorter; g / (1 - p) has the mean of a fixed number's gradient."""
    config = GradientVarianceConfig(ratios=(0.2, 0.6), method="bernoulli", over="data", draws=2000)
    draws, full = [], []
    for share in config.ratios:
        k = rng(5).binomial(5, share, size=(2000, 1))
        gradients = 2.0 + rng(6).normal(size=(2000, 3)) / np.sqrt(np.maximum(k, 1))
        draws.append(np.where(k > 0, gradients, 0.0))
        full.append(draws[-1] / (1 - (1 - share) ** 5))
        assert full[-1].mean() == pytest.approx(2.0, abs=0.08)
    result = result_of(draws, config, 5.0)
    for scaled, each, share in zip(result.scaled(), full, config.ratios, strict=True):
        assert scaled.value == pytest.approx(share * each.var(axis=0, ddof=1).sum(), rel=1e-6)
    ends = np.log([each.var(axis=0, ddof=1).sum() for each in full])
    assert result.slope().value == pytest.approx((ends[1] - ends[0]) / np.log(3), abs=1e-6)
    fixed = replace(result, config=replace(config, method="fixed"))
    assert not fixed.step_lost.any()
    assert fixed.scaled()[0].value == pytest.approx(0.2 * fixed.variance[0].value)


# ---- intervals of few draws


SIGMA2, RHO, MEAN2, N_DRAWS, TRIES = 2.0, 0.1, 0.5, 40, 300


def correlated(seed, n=N_DRAWS, P=60):
    """n draws at each of two ratios of 50 tokens, k = 5 and 25, whose gradients have known moments: tr Cov is
    sigma^2 (1 + (k - 1) rho) / k, sigma^2 = 2, rho = 0.1, and |E g|^2 = 0.5. And a single token of each draw."""
    r, mean, draws, single = rng(seed), np.sqrt(MEAN2 / P), [], []
    for k in (5, 25):
        shared = r.normal(size=(n, 1, P)) * np.sqrt(RHO * SIGMA2 / P)
        own = r.normal(size=(n, k, P)) * np.sqrt((1 - RHO) * SIGMA2 / P)
        tokens = mean + shared + own
        draws.append(tokens.mean(axis=1))
        single.append(tokens[:, 0])
    return result_of(draws, GradientVarianceConfig(ratios=(0.1, 0.5), over="data", draws=n), 50.0, SIGMA2, single)


@pytest.fixture(scope="module")
def repeated():
    return [correlated(seed) for seed in range(TRIES)]


def exact_variance(k):
    return SIGMA2 * (1 + (k - 1) * RHO) / k


TRUE = {
    "variance": [exact_variance(5), exact_variance(25)],
    "token_variance": [SIGMA2, SIGMA2],
    "correlation": [RHO, RHO],
    "noise_scale": [exact_variance(5) / MEAN2, exact_variance(25) / MEAN2],
}


@pytest.mark.parametrize("name", TRUE)
def test_forty_draws_find_the_figure_and_their_interval_covers_it(repeated, name):
    """A tenth of 300 intervals may miss where a twentieth should: forty skewed values, resampled."""
    found = np.array([getattr(result, name) for result in repeated])  # (tries, 2, 3)
    truth = np.array(TRUE[name])
    np.testing.assert_allclose(np.median(found[:, :, 0], axis=0), truth, rtol=0.05)
    covered = ((found[:, :, 1] <= truth) & (truth <= found[:, :, 2])).mean(axis=0)
    assert (covered >= 0.90).all(), covered
    assert (covered <= 0.985).all(), covered


def test_estimates_are_right_on_average(repeated):
    """Bessel's correction and the pairs of different draws: with 40 draws a factor of 39/40 would be seen."""
    found = np.array([[r.deviations.mean(axis=1), r.agreements.mean(axis=1)] for r in repeated])
    error = found.std(axis=0) / np.sqrt(TRIES)
    truth = np.array([TRUE["variance"], [MEAN2, MEAN2]])
    assert (np.abs(found.mean(axis=0) - truth) < 3 * error).all()
    assert (error[0] < 0.008 * truth[0]).all()  # small enough to see it


def test_the_slope_and_the_quotient_of_few_draws(repeated):
    ends = np.log(TRUE["variance"])
    slope = (ends[1] - ends[0]) / np.log(5)
    quotient = 5 * TRUE["variance"][1] / TRUE["variance"][0]
    slopes = np.array([result.slope().estimate for result in repeated])
    assert np.median(slopes[:, 0]) == pytest.approx(slope, abs=0.01)
    assert 0.90 <= ((slopes[:, 1] <= slope) & (slope <= slopes[:, 2])).mean() <= 0.985
    quotients = np.array([result.relative()[0].estimate for result in repeated])
    assert np.median(quotients[:, 0]) == pytest.approx(quotient, rel=0.02)
    assert 0.90 <= ((quotients[:, 1] <= quotient) & (quotient <= quotients[:, 2])).mean() <= 0.985


def test_the_chi_square_test_is_as_strict_as_it_says():
    """Five ratios, 60 draws, an exact law: a twentieth of the tests should reject it."""
    config = GradientVarianceConfig(ratios=RATIOS[:5], over="data", draws=60)
    chances = []
    for seed in range(300):
        draws = [rng([seed, i]).normal(size=(60, 60)) / np.sqrt(r) for i, r in enumerate(config.ratios)]
        chances.append(result_of(draws, config, 1000.0).chance_of_scatter())
    assert 0.02 < np.mean(np.array(chances) < 0.05) < 0.11
    assert np.mean(chances) == pytest.approx(0.5, abs=0.07)


def test_the_chi_square_test_weighs_each_ratio_by_its_error():
    """Of two figures that are d apart, with errors s and t, the scatter is d^2 / (s^2 + t^2), whatever s and t."""
    result = planted([1 / 0.1, 1.25 / 0.5], n=400, ratios=(0.1, 0.5))
    noisy = result.deviations.copy()
    noisy[1] = 2.5 * rng(22).gamma(0.25, 4.0, 400)  # deviates by twice its mean
    noisy[1] *= 2.5 / noisy[1].mean()
    result = replace(result, deviations=noisy)
    errors = noisy.std(axis=1) / noisy.mean(axis=1) / np.sqrt(400)
    assert errors[1] > 20 * errors[0]
    wanted = stats.chi2.sf(np.log(1.25) ** 2 / (errors**2).sum(), 1)
    assert result.chance_of_scatter() == pytest.approx(wanted, abs=0.015)


def test_what_a_draw_and_its_tokens_share_cancels_in_the_design_effect():
    result = planted([3.0, 2.0], ratios=(0.1, 0.5))
    shared = replace(result, token_deviations=result.deviations / 0.02)
    np.testing.assert_allclose(shared.design_effect, np.array([[100.0], [500.0]]) * np.full(3, 0.02))


# ---- the rule


def quotients(*centers, spread=0.03, resamples=2000, common=0.0):
    """Figures with normal resamples around the centers; `common` is the spread that all of them share."""
    shared = rng(7).normal(size=resamples)
    return [
        Sampled.bootstrap(center, center * np.exp(common * shared + spread * rng([8, i]).normal(size=resamples)))
        for i, center in enumerate(centers)
    ]


@pytest.mark.parametrize(
    ("centers", "word", "end"),
    [
        ((1.0, 1.1, 0.9, 1.0, 1.05), HOLDS, 0.9),
        ((1.0, 1.1, 0.9, 1.0, 2.0), "holds up to a ratio of 0.5", 0.5),
        ((1.0, 1.1, 0.9, 1.0, 0.5), "holds up to a ratio of 0.5", 0.5),
        ((1.0, 1.0, 2.0, 1.0, 1.0), "holds up to a ratio of 0.1", 0.1),
        ((1.0, 1.0, 1.24, 1.3, 2.0), "holds up to a ratio of 0.1", 0.1),  # undecided at 0.3 and 0.5
        ((1.0, 2.0, 2.0, 2.0, 2.0), FAILS, 0.0),
        ((0.5, 1.0, 1.0, 1.0, 1.0), FAILS, 0.0),
        ((1.26, 2.0, 2.0, 2.0, 2.0), FAILS, 0.0),  # undecided at the second, outside at the third
        ((1.0, 1.24, 1.3, 2.0, 3.0), UNDECIDED, 0.0),  # holds up to 0.1, or not even there
        ((1.0, 1.0, 1.0, 1.0, 1.24), UNDECIDED, 0.0),
        ((1.0, 1.0, 1.0, 1.0, 1.26), UNDECIDED, 0.0),  # beyond the factor, and not for sure
    ],
)
def test_the_rule(centers, word, end):
    verdict = decide_law(RATIOS, quotients(*centers))
    assert (verdict.word, verdict.end) == (word, end)
    assert (verdict.agreement >= SURE) == (word != UNDECIDED)


def test_what_is_inside_and_what_is_outside_must_be_so_together():
    """Both are so in 98% of the resamples, but not the same ones: 96% have the law hold up to 0.1 and no further."""
    share = np.arange(4000) / 4000
    inside, outside = np.where(share < 0.02, 2.0, 1.0), np.where(share >= 0.98, 1.0, 2.0)
    relative = [Sampled.exact(1.0), Sampled.bootstrap(1.0, inside), Sampled.bootstrap(2.0, outside)]
    assert decide_law(RATIOS[:4], relative).word == UNDECIDED
    relative[2] = Sampled.bootstrap(2.0, outside[::-1])  # now the same ones
    assert decide_law(RATIOS[:4], relative).word == "holds up to a ratio of 0.1"


def test_an_open_end_says_which_way_it_leans():
    verdict = decide_law(RATIOS, quotients(1.0, 1.0, 1.0, 1.0, 1.26))
    assert verdict.leaning == "holds up to a ratio of 0.5"
    assert 0.5 < verdict.agreement < 0.8
    assert decide_law(RATIOS, quotients(1.0, 1.0, 1.0, 1.0, 1.24)).leaning == HOLDS
    assert decide_law(RATIOS, quotients(1.26, 1.0, 1.0, 1.0, 1.0)).leaning == FAILS


@pytest.mark.parametrize("center", [1.0, 3.0, 0.3])
@pytest.mark.parametrize("spread", [3.0, 30.0])
def test_noise_is_no_evidence_for_or_against(center, spread):
    """Resamples from a tenth of the law to ten times it, and further: nearly none is inside, and nothing is known."""
    assert decide_law(RATIOS, quotients(*(center,) * 5, spread=spread)).word == UNDECIDED


def test_many_ratios_that_are_barely_sure_are_not_sure_together():
    barely = 1.25 * np.exp(-2.1 * 0.03)  # 98.2% of the resamples are inside
    assert decide_law(RATIOS, quotients(1.0, 1.0, 1.0, 1.0, barely)).word == HOLDS
    verdict = decide_law(RATIOS, quotients(*(barely,) * 5))
    assert verdict.word == UNDECIDED
    assert verdict.agreement == pytest.approx(0.982**5, abs=0.015)
    alike = decide_law(RATIOS, quotients(*(barely,) * 5, spread=1e-6, common=0.03))
    assert alike.word == HOLDS  # one chance, shared by all


def test_the_factor_is_the_one_that_was_fixed():
    assert FACTOR == 1.25
    for inside, beyond in ((1.24, 1.26), (1 / 1.24, 1 / 1.26)):
        assert decide_law(RATIOS, quotients(*(inside,) * 5, spread=1e-4)).word == HOLDS
        assert decide_law(RATIOS, quotients(*(beyond,) * 5, spread=1e-4)).word == FAILS
    assert decide_law(RATIOS, quotients(*(1.4,) * 5), factor=1.6).word == HOLDS


def planted(variances, n=200, ratios=RATIOS, **config):
    """A result whose squared deviations have these means, with 7% of noise in each."""
    noise = rng(20).gamma(200.0, 1 / 200.0, size=(len(variances), n))
    noise /= noise.mean(axis=1, keepdims=True)
    config = GradientVarianceConfig(ratios=tuple(ratios), draws=n, **config)
    deviations, ones = np.asarray(variances)[:, None] * noise, np.ones((len(variances), n))
    predictions = np.array(ratios) * 1000
    return GradientVariance(config, "planted", 1000.0, predictions, np.zeros(len(ratios)), deviations, ones, None, 1.0)


def test_a_result_finds_where_a_law_ends_and_says_it_everywhere():
    r = np.array(RATIOS)
    law = planted(1 / r)
    assert law.verdict().word == HOLDS
    assert law.slope().value == pytest.approx(-1, abs=1e-9)
    flat = planted(np.maximum(1 / r, 1 / 0.3))
    assert flat.verdict().word == "holds up to a ratio of 0.3"
    assert flat.verdict().end == 0.3
    assert flat.verdict(low=0.05).word == "holds up to a ratio of 0.3"
    assert flat.verdict(low=0.1).word == FAILS  # counted from 0.1 it ends within three ratios
    for text in (flat.finding(), flat.describe(), flat.table(), flat.plot().axes[0].get_title()):
        assert "inversely proportional" in text.lower()
        assert "holds up to a ratio of 0.3 (100% of resamples)" in text
    assert planted(r**-0.5).verdict().word == FAILS
    odds = planted((1 - r) / r)
    assert odds.verdict("odds").word == HOLDS != odds.verdict().word
    assert odds.slope("odds").value == pytest.approx(-1, abs=1e-9)
    assert odds.scaled("odds")[3].value == pytest.approx(1)


def test_a_law_is_looked_for_from_one_ratio_to_another():
    """One over the ratio up to 0.1, one over its root from there to 0.5, and flat behind: the slope says so."""
    r = np.array(RATIOS)
    bent = planted(np.select([r <= 0.1, r <= 0.5], [1 / r, (0.1 * r) ** -0.5], (0.1 * 0.5) ** -0.5))
    assert bent.slope(high=0.1).value == pytest.approx(-1, abs=1e-9)
    assert bent.slope(low=0.1, high=0.5).value == pytest.approx(-0.5, abs=1e-9)
    assert bent.slope(low=0.5).value == pytest.approx(0, abs=1e-9)
    assert bent.chance_of_scatter(high=0.1) > 0.99 > 1e-6 > bent.chance_of_scatter(high=0.3)
    assert bent.chance_of_scatter(low=0.1, high=0.3) < 1e-6
    assert bent.verdict().word == "holds up to a ratio of 0.1"
    assert bent.verdict(factor=2.0).word == "holds up to a ratio of 0.3"  # there the quotient is the root of 3
    assert [round(figure.value, 3) for figure in bent.relative(low=0.1)] == [1.732, 2.236, 4.025]


def test_the_table_the_picture_and_the_words_have_the_figures_of_each_ratio():
    result = planted([6.0, 3.0, 0.5], ratios=(0.1, 0.2, 0.5))
    result = replace(result, agreements=2 * result.agreements, name="two models")
    (first, second, last), noise_scale = result.variance, 6.0 / 2
    title, head, *rows, verdict = result.table().splitlines()
    assert title == "two models: 200 draws at each ratio, 1000 tokens"
    assert head.split() == ["ratio", "k", "variance", "predicted", "noise", "scale"]
    assert rows[0].split()[:3] == ["0.100", "100.0", "6"]
    assert f" {first} " in rows[0]
    assert f" {1 / 100 - 1 / 1000:.3g} " in rows[0]  # the spread is 1
    low, high = (f"{x:.3g}" for x in (first.low / 2, first.high / 2))
    assert rows[0].endswith(f" {noise_scale:.3g} ({low} to {high})")
    assert rows[2].split()[:3] == ["0.500", "500.0", "0.5"]
    assert verdict == f"inversely proportional: {FAILS} (100% of resamples)"
    (bars,) = result.plot().axes[0].containers
    np.testing.assert_allclose(bars[0].get_xydata(), [[0.1, 6.0], [0.2, 3.0], [0.5, 0.5]])
    segments = np.array(bars[2][0].get_segments())[:, :, 1]
    np.testing.assert_allclose(segments, [[e.low, e.high] for e in (first, second, last)])
    dashed = result.plot().axes[0].lines[-1]
    np.testing.assert_allclose(dashed.get_xydata(), [[0.1, 0.009], [0.2, 0.004], [0.5, 0.001]])
    slope = result.slope()
    said = result.describe()
    assert said.startswith("two models: variance of the gradient against the mask ratio")
    assert (
        f"from 6 at 0.1 to 0.5 at 0.5. Slope {slope.value:.2f}, interval {slope.low:.2f} to {slope.high:.2f}." in said
    )
    assert -1.7 < slope.low < slope.value < slope.high < -1.4
    assert result.finding().startswith(f"Log-log slope {slope.value:.2f};")


def test_a_result_whose_interval_straddles_the_factor_is_undecided_though_the_value_lies_beyond():
    variances = 1 / np.array(RATIOS)
    variances[-1] *= 1.27
    loud = planted(variances, n=20)
    assert loud.relative()[-1].value > FACTOR > loud.relative()[-1].estimate.low
    assert loud.verdict().word == UNDECIDED
    assert loud.verdict().leaning == "holds up to a ratio of 0.5"
    assert planted(variances, n=4000).verdict().word == "holds up to a ratio of 0.5"


def test_the_first_ratios_chance_is_in_every_quotient():
    """Where the first ratio has ten draws and the others many, all quotients move together."""
    result = planted(1 / np.array(RATIOS))
    noisy = result.deviations.copy()
    noisy[0] *= rng(21).gamma(1.0, 1.0, 200)
    relative = [figure.resampled for figure in replace(result, deviations=noisy).relative()]
    assert np.corrcoef(np.log(relative[0]), np.log(relative[4]))[0, 1] > 0.9


def test_two_ratios_are_enough_to_refute_a_law_and_not_to_name_an_end():
    two = RATIOS[:2]
    assert decide_law(two, quotients(1.0)).word == HOLDS
    assert decide_law(two, quotients(2.0)).word == FAILS
    assert decide_law(two, quotients(1.26)).word == UNDECIDED


def test_the_design_effect_is_what_correlation_multiplies_the_variance_by(repeated):
    found = np.array([result.design_effect for result in repeated])
    truth = np.array([1 + 4 * RHO, 1 + 24 * RHO])
    np.testing.assert_allclose(np.median(found[:, :, 0], axis=0), truth, rtol=0.03)
    covered = ((found[:, :, 1] <= truth) & (truth <= found[:, :, 2])).mean(axis=0)
    assert ((covered >= 0.90) & (covered <= 0.985)).all(), covered
    one = repeated[0]
    of_rho = 1 + (one.predictions - 1) * np.array([e.value for e in one.correlation])
    np.testing.assert_allclose([e.value for e in one.design_effect], of_rho)


@pytest.mark.parametrize("batches", [1.0, 10.0])
def test_the_steps_that_noise_costs(repeated, batches):
    truth = (MEAN2 + TRUE["variance"][0] / batches) / (MEAN2 + TRUE["variance"][1] / batches)
    found = np.array([steps_for_one(result, batches).estimate for result in repeated])
    assert np.median(found[:, 0]) == pytest.approx(truth, rel=0.02)
    assert 0.90 <= ((found[:, 1] <= truth) & (truth <= found[:, 2])).mean() <= 0.985


def test_where_the_signal_is_lost_the_steps_are_the_ratio_of_the_noise(repeated):
    lost = replace(repeated[0], agreements=-np.abs(repeated[0].agreements))
    noise = lost.deviations.mean(axis=1)
    assert steps_for_one(lost, 7.0).value == pytest.approx(noise[0] / noise[1])


def test_the_signal_is_taken_from_the_last_ratio(repeated):
    agreements = repeated[0].agreements * np.array([[100.0], [1.0]])  # at the first one it is hard to tell
    signal, noise = repeated[0].agreements[1].mean(), repeated[0].deviations.mean(axis=1) / 10
    found = steps_for_one(replace(repeated[0], agreements=agreements), 10.0)
    assert found.value == pytest.approx((signal + noise[0]) / (signal + noise[1]))
    assert found.estimate == steps_for_one(repeated[0], 10.0).estimate
