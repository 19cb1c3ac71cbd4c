"""The definitions of probability.py against SciPy, torch and the laws they must obey."""

import numpy as np
import pytest
import scipy.special
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlm_mini.reference import (
    entropy,
    kl_divergence,
    log_softmax,
    logsumexp,
    perplexity,
    softmax,
    softmax_jacobian,
    temperature,
    total_variation,
)

pytestmark = pytest.mark.filterwarnings("error")  # a NumPy warning is a number that went wrong on the way
examples = settings(max_examples=100, deadline=None, derandomize=True)

HARD_ROWS = np.array(
    [
        [0.0, 0.0, 0.0, 0.0],
        [1e4, -1e4, 0.0, 1.0],
        [1e4, 1e4, 1e4, 1e4 - 1],
        [-1e4, -1e4, -1e4 + 2, -1e4],
        [1.5, -np.inf, 0.25, -np.inf],
        [-np.inf, -np.inf, -np.inf, -1e4],
    ]
)


SHAPES = hnp.array_shapes(max_dims=3, min_side=0, max_side=5).filter(lambda shape: shape[-1] > 0)  # (..., V), V >= 1


@st.composite
def logit_arrays(draw, largest=1e4, shapes=SHAPES):
    """Logits (..., V) in which every token but one may be excluded."""
    shape = draw(shapes)
    logits = draw(hnp.arrays(np.float64, shape, elements=st.floats(-largest, largest)))
    excluded = draw(hnp.arrays(bool, shape))
    excluded[..., draw(st.integers(0, shape[-1] - 1))] = False
    return np.where(excluded, -np.inf, logits)


@st.composite
def distribution_pairs(draw):
    """Two distributions of one shape (..., V), with hard zeros."""
    shape = st.just(draw(SHAPES))
    return [softmax(draw(logit_arrays(largest=20.0, shapes=shape))) for _ in range(2)]


# Against SciPy and torch


@pytest.mark.parametrize(
    ("ours", "scipys"),
    [(logsumexp, scipy.special.logsumexp), (softmax, scipy.special.softmax), (log_softmax, scipy.special.log_softmax)],
)
@pytest.mark.parametrize("axis", [-1, 0, 1, 2])
def test_agrees_with_scipy_along_every_axis(ours, scipys, axis):
    logits = np.random.default_rng(0).normal(scale=30, size=(3, 4, 5))
    logits[0, 1, 2] = -np.inf
    np.testing.assert_allclose(ours(logits, axis=axis), scipys(logits, axis=axis), rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("row", HARD_ROWS)
def test_agrees_with_scipy_on_hard_logits(row):
    np.testing.assert_allclose(logsumexp(row), scipy.special.logsumexp(row), rtol=1e-15)
    np.testing.assert_allclose(softmax(row), scipy.special.softmax(row), rtol=1e-15)
    np.testing.assert_allclose(log_softmax(row), scipy.special.log_softmax(row), rtol=1e-13)


def test_log_softmax_keeps_what_the_log_of_softmax_loses():
    np.testing.assert_array_equal(log_softmax([0.0, -2000.0]), [0.0, -2000.0])


def test_logsumexp_keepdims():
    logits = np.arange(12.0).reshape(3, 4)
    assert logsumexp(logits, axis=0, keepdims=True).shape == (1, 4)
    np.testing.assert_array_equal(logsumexp(logits, keepdims=True)[:, 0], logsumexp(logits))


@examples
@given(distribution_pairs())
def test_entropy_and_divergences_agree_with_scipy(pair):
    p, q = pair
    np.testing.assert_allclose(entropy(p), scipy.special.entr(p).sum(-1), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(kl_divergence(p, q), scipy.special.rel_entr(p, q).sum(-1), rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(total_variation(p, q), np.maximum(p - q, 0).sum(-1), rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("axis", [-1, 0, 1])
def test_entropy_and_divergences_along_every_axis(axis):
    rng = np.random.default_rng(1)
    p, q = (scipy.special.softmax(rng.normal(size=(3, 4, 5)), axis=axis) for _ in range(2))
    np.testing.assert_allclose(entropy(p, axis=axis), scipy.stats.entropy(p, axis=axis), rtol=1e-13)
    np.testing.assert_allclose(kl_divergence(p, q, axis=axis), scipy.stats.entropy(p, q, axis=axis), rtol=1e-12)
    np.testing.assert_allclose(total_variation(p, q, axis=axis), np.abs(p - q).sum(axis) / 2, rtol=1e-13)


@pytest.mark.parametrize("row", HARD_ROWS)
def test_jacobian_agrees_with_autograd(row):
    expected = torch.autograd.functional.jacobian(lambda z: torch.softmax(z, 0), torch.tensor(row))
    np.testing.assert_allclose(softmax_jacobian(row), expected.numpy(), rtol=1e-12, atol=1e-15)


# Laws


@examples
@given(logit_arrays())
def test_softmax_is_a_distribution(logits):
    p = softmax(logits)
    assert p.shape == logits.shape
    assert p.dtype == np.float64
    assert (p >= 0).all()
    assert (p[np.isneginf(logits)] == 0).all()
    np.testing.assert_allclose(p.sum(-1), 1.0, rtol=1e-14)
    np.testing.assert_allclose(np.exp(log_softmax(logits)), p, rtol=1e-12, atol=1e-300)


@examples
@given(logit_arrays(), st.floats(-1e4, 1e4))
def test_a_shift_of_all_logits_changes_nothing(logits, shift):
    # z + shift is itself rounded, to about 4e-12 at 2e4
    np.testing.assert_allclose(softmax(logits + shift), softmax(logits), rtol=1e-10, atol=1e-300)
    np.testing.assert_allclose(log_softmax(logits + shift), log_softmax(logits), atol=1e-10)
    np.testing.assert_allclose(logsumexp(logits + shift), logsumexp(logits) + shift, atol=1e-10)


@examples
@given(logit_arrays())
def test_logsumexp_lies_between_the_maximum_and_log_v_above_it(logits):
    largest = logits.max(-1)
    total = logsumexp(logits)
    assert (total >= largest).all()
    assert (total <= largest + np.log(logits.shape[-1]) + 1e-11).all()


@examples
@given(logit_arrays(largest=50.0))
def test_each_row_is_treated_on_its_own(logits):
    rows = logits.reshape(-1, logits.shape[-1])
    for function in (logsumexp, softmax, log_softmax, softmax_jacobian, lambda z: temperature(z, 0.5)):
        whole = function(logits)
        for got, row in zip(whole.reshape(len(rows), *whole.shape[logits.ndim - 1 :]), rows, strict=True):
            np.testing.assert_allclose(got, function(row), rtol=1e-12, atol=1e-15)


@examples
@given(logit_arrays(largest=50.0), st.floats(0.01, 100))
def test_temperature_divides_the_logits(logits, tau):
    np.testing.assert_allclose(
        temperature(logits, tau), scipy.special.softmax(logits / tau, -1), rtol=1e-9, atol=1e-300
    )


@examples
@given(logit_arrays(largest=50.0))
def test_jacobian_rows_sum_to_zero_and_it_is_symmetric(logits):
    jacobian = softmax_jacobian(logits)
    assert jacobian.shape == (*logits.shape, logits.shape[-1])
    np.testing.assert_allclose(jacobian.sum(-1), 0, atol=1e-15)
    np.testing.assert_allclose(jacobian, np.swapaxes(jacobian, -1, -2), atol=1e-16)


@examples
@given(hnp.arrays(np.float64, st.integers(1, 6), elements=st.floats(-5, 5)))
def test_jacobian_agrees_with_finite_differences(logits):
    h = 1e-5
    steps = h * np.eye(len(logits))
    columns = (softmax(logits + steps) - softmax(logits - steps)) / (2 * h)  # row j holds d p / d z_j
    np.testing.assert_allclose(softmax_jacobian(logits), columns.T, atol=1e-9)


@examples
@given(distribution_pairs())
def test_entropy_and_divergences_stay_in_their_bounds(pair):
    p, q = pair
    entropies, kl, tv = entropy(p), kl_divergence(p, q), total_variation(p, q)
    assert (entropies >= 0).all()
    assert (entropies <= np.log(p.shape[-1]) + 1e-12).all()
    assert (kl >= -1e-12).all()
    assert (tv >= 0).all()
    assert (tv <= 1 + 1e-12).all()
    assert (tv <= np.sqrt(np.maximum(kl, 0) / 2) + 1e-7).all()  # Pinsker's inequality
    np.testing.assert_array_equal(np.isinf(kl), ((p > 0) & (q == 0)).any(-1))
    np.testing.assert_array_equal(tv, total_variation(q, p))
    np.testing.assert_array_equal(kl_divergence(p, p), np.zeros(p.shape[:-1]))


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_uniform_and_certain(size):
    uniform, certain = np.full(size, 1 / size), np.eye(size)[0]
    np.testing.assert_allclose(entropy(uniform), np.log(size), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(perplexity(entropy(uniform)), size, rtol=1e-12)
    np.testing.assert_allclose(total_variation(uniform, certain), 1 - 1 / size, rtol=1e-12, atol=1e-15)
    assert str(entropy(certain)) == "0.0"  # and not -0.0


def test_kl_is_infinite_in_one_direction_and_finite_in_the_other():
    wide, narrow = np.array([0.5, 0.25, 0.25]), np.array([0.0, 0.5, 0.5])
    assert kl_divergence(wide, narrow) == np.inf
    np.testing.assert_allclose(kl_divergence(narrow, wide), np.log(2), rtol=1e-15)


def test_kl_of_subnormal_probabilities_does_not_overflow():
    np.testing.assert_allclose(kl_divergence([1.0, 0.0], [5e-324, 1.0]), -np.log(5e-324), rtol=1e-15)


# Edges


def test_temperature_has_its_limits():
    logits = [1e4, 3.0, 1e4, -np.inf]
    np.testing.assert_array_equal(temperature(logits, 1e-308), [0.5, 0, 0.5, 0])
    np.testing.assert_allclose(temperature(logits, 1e12), [1 / 3, 1 / 3, 1 / 3, 0], rtol=1e-7)
    np.testing.assert_array_equal(temperature(logits, 1), softmax(logits))
    np.testing.assert_allclose(
        temperature([[0.0, 1.0], [2.0, 1.0]], 0.5, axis=0)[:, 0], softmax([0.0, 4.0]), rtol=1e-15
    )


@pytest.mark.parametrize("tau", [0, -1.0, np.nan, np.inf])
def test_temperature_refuses_a_tau_that_is_not_finite_and_positive(tau):
    with pytest.raises(ValueError, match=r"tau is .*: expected a finite temperature above 0"):
        temperature([0.0, 1.0], tau)


@pytest.mark.parametrize("tau", [None, "1", True, [1.0, 2.0]])
def test_temperature_refuses_a_tau_that_is_not_a_number(tau):
    with pytest.raises(TypeError, match="tau has"):
        temperature([0.0, 1.0], tau)


def test_perplexity():
    np.testing.assert_allclose(perplexity([0.0, np.log(8)]), [1, 8], rtol=1e-15)
    assert perplexity(1e4) == np.inf
    assert perplexity(np.inf) == np.inf
    for bad in (-0.1, np.nan, [1.0, np.nan]):
        with pytest.raises(ValueError, match=r"mean_surprisal.* is .*expected nats, zero or more"):
            perplexity(bad)


LOGIT_FUNCTIONS = [logsumexp, softmax, log_softmax, softmax_jacobian, lambda logits: temperature(logits, 2.0)]


@pytest.mark.parametrize("function", LOGIT_FUNCTIONS)
@pytest.mark.parametrize(
    ("logits", "error", "message"),
    [
        ([[0.0, 1.0], [np.nan, 0.0]], ValueError, r"logits\[1, 0\] is nan: expected a finite logit, or -inf"),
        ([0.0, np.inf], ValueError, r"logits\[1\] is inf"),
        ([[0.0, 1.0], [-np.inf, -np.inf]], ValueError, r"logits.max\(-1\)\[1\] is -inf: every token is excluded"),
        ([], ValueError, r"logits has shape \(0,\): expected at least one token"),
        (np.zeros((0, 0)), ValueError, r"logits has shape \(0, 0\): expected at least one token"),
        (1.0, ValueError, "logits: axis -1 is out of bounds for array of dimension 0"),
        ([True, False], TypeError, "logits has dtype bool: expected real numbers"),
        ([1j, 0], TypeError, "logits has dtype complex128"),
        (["a", "b"], TypeError, "logits has dtype <U1"),
        (None, TypeError, "logits has dtype object"),
    ],
)
def test_bad_logits_are_refused(function, logits, error, message):
    with pytest.raises(error, match=message):
        function(logits)


@pytest.mark.parametrize("function", [logsumexp, softmax, log_softmax, lambda z, axis: temperature(z, 2.0, axis)])
def test_rows_are_checked_along_the_axis(function):
    column_excluded = np.array([[-np.inf, 0.0], [-np.inf, 0.0]])
    assert np.isfinite(logsumexp(column_excluded)).all()
    with pytest.raises(ValueError, match=r"logits.max\(0\)\[0\] is -inf"):
        function(column_excluded, axis=0)
    with pytest.raises(ValueError, match="logits: axis 2 is out of bounds"):
        function(column_excluded, axis=2)


@pytest.mark.parametrize("function", LOGIT_FUNCTIONS)
def test_no_rows_give_no_rows(function):
    one_row = function(np.zeros((1, 4)))
    assert function(np.zeros((0, 4))).shape == (0, *one_row.shape[1:])


@pytest.mark.parametrize("function", LOGIT_FUNCTIONS)
@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.float16, np.float32])
def test_other_real_dtypes_are_converted_to_float64(function, dtype):
    logits = np.array([[1, 2, 3]], dtype)
    assert function(logits).dtype == np.float64
    np.testing.assert_array_equal(function(logits), function([[1.0, 2.0, 3.0]]))


@pytest.mark.parametrize("function", [entropy, lambda p: kl_divergence(p, p), lambda p: total_variation(p, p)])
@pytest.mark.parametrize(
    ("p", "error", "message"),
    [
        ([[0.5, 0.5], [1.5, -0.5]], ValueError, r"p\[1, 1\] is -0.5: expected a probability, zero or more"),
        ([np.nan, 1.0], ValueError, r"p\[0\] is nan"),
        ([np.inf, 0.0], ValueError, r"p.sum\(-1\) is inf"),
        ([[0.5, 0.5], [0.5, 0.51]], ValueError, r"p.sum\(-1\)\[1\] is 1.01: expected 1 within 1e-06"),
        ([0.5, 0.5 - 2e-6], ValueError, r"p.sum\(-1\) is 0.99999"),
        (np.zeros((3, 0)), ValueError, r"p has shape \(3, 0\): expected at least one token"),
        (1.0, ValueError, "p: axis -1 is out of bounds"),
        ([True, False], TypeError, "p has dtype bool"),
    ],
)
def test_bad_distributions_are_refused(function, p, error, message):
    with pytest.raises(error, match=message):
        function(p)


@pytest.mark.parametrize("function", [kl_divergence, total_variation])
def test_bad_pairs_are_refused(function):
    with pytest.raises(ValueError, match=r"q.sum\(-1\) is 1.5"):
        function([0.5, 0.5], [1.0, 0.5])
    with pytest.raises(ValueError, match=r"p has shape \(2,\) and q \(1, 2\): expected equal shapes"):
        function([0.5, 0.5], [[0.5, 0.5]])


def test_distributions_are_checked_along_the_axis_within_the_tolerance():
    columns = np.array([[0.5, 1.0], [0.5, 0.0]])
    np.testing.assert_allclose(entropy(columns, axis=0), [np.log(2), 0])
    with pytest.raises(ValueError, match=r"p.sum\(-1\)\[0\] is 1.5"):
        entropy(columns)
    np.testing.assert_allclose(entropy([0.5, 0.5 + 5e-7]), np.log(2), atol=1e-6)
    assert entropy(np.zeros((0, 3))).shape == (0,)
    assert entropy([0, 1]) == 0


@examples
@given(logit_arrays(largest=50.0))
def test_inputs_are_never_modified(logits):
    logits.flags.writeable = False
    for function in LOGIT_FUNCTIONS:
        assert not np.shares_memory(function(logits), logits)
    p = softmax(logits)
    p.flags.writeable = False
    for got in (entropy(p), kl_divergence(p, p), total_variation(p, p)):
        assert got.shape == p.shape[:-1]
