"""The floor and the noise of the gradient at any mask ratio, between those where they were measured."""

from dataclasses import replace

import numpy as np
import pytest

from mlm_mini.experiments.variance import masking_curves
from mlm_mini.languages.floor import Floor

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_floor_is_read_off_a_straight_line_between_two_ratios(curves):
    assert curves.floor_at(0.5) == 1.0
    assert curves.floor_at(0.26) == pytest.approx(0.85)
    assert curves.floor_at(0.9) == 1.8


def test_the_predicted_curve_is_the_experiments_own_law(curves):
    ratios, nats = curves.law
    N = round(curves.variance.tokens)
    assert np.allclose(ratios, np.arange(1, N) / N)
    k = np.arange(1, N)
    assert np.allclose(nats, curves.variance.spread * (1 / k - 1 / N))
    at_measured = nats[np.round(curves.variance.predictions).astype(int) - 1]
    assert np.allclose(at_measured, curves.variance.predicted)
    assert curves.noise_at(0.15) == nats[curves.predictions_at(0.15) - 1]


@pytest.mark.parametrize(("ratio", "nearest"), [(0.02, 0), (0.15, 3), (0.2, 3), (0.22, 4), (0.9, -1)])
def test_the_measured_ratio_that_is_nearest_is_named(curves, ratio, nearest):
    at, value = curves.nearest(ratio)
    assert at == curves.variance.ratios[nearest]
    assert value == curves.variance.variance[nearest]


def test_every_ratio_asks_for_at_least_one_token_and_not_for_all(curves):
    asked = [curves.predictions_at(ratio) for ratio in np.arange(0.02, 0.901, 0.01)]
    assert asked == sorted(asked)
    assert asked[0] >= 1
    assert asked[-1] < curves.variance.tokens


def test_a_ratio_asks_for_the_nearest_whole_number_of_tokens(curves):
    N = round(curves.variance.tokens)
    assert [curves.predictions_at(k / N) for k in (2.45, 2.55, 7.0)] == [2, 3, 7]
    assert (curves.predictions_at(1e-6), curves.predictions_at(1.0)) == (1, N - 1)
    asked = [curves.predictions_at(ratio) for ratio in curves.variance.config.ratios]
    assert asked == curves.variance.predictions.tolist()


def test_the_floor_is_measured_at_more_sentences_where_few_of_their_words_are_asked_for(curves, monkeypatch):
    drawn = {}

    class Language:
        def bayes_floor(self, ratio, rng, n):
            drawn[ratio] = n
            return Floor(1.0, 0.01, n)

    monkeypatch.setattr(masking_curves, "scene_language", Language)
    monkeypatch.setattr(masking_curves, "quick_gradient_variance", lambda rng: curves.variance)
    made = masking_curves.quick_curves.__wrapped__()
    assert (set(made.floor), set(made.floor_error)) == ({1.0}, {0.01})
    assert tuple(made.ratios) == tuple(drawn) == masking_curves.FLOOR_RATIOS
    assert (drawn[0.02], drawn[0.1], drawn[0.15], drawn[0.3], drawn[0.9]) == (30_000, 6_000, 4_000, 3_000, 3_000)


def test_curves_that_do_not_fit_together_are_refused(curves):
    with pytest.raises(ValueError, match=r"shapes \(3,\), \(2,\), \(3,\)"):
        replace(curves, floor=np.zeros(2))
    for fields in ({"method": "bernoulli"}, {"corruption": 0.95}):
        other = replace(curves.variance, config=replace(curves.variance.config, **fields))
        with pytest.raises(ValueError, match="variance has method"):
            replace(curves, variance=other)
