"""The definitions of loss.py against torch, finite differences and the laws they must obey."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlm_mini.reference import (
    IGNORE_INDEX,
    cross_entropy,
    cross_entropy_gradient,
    entropy,
    exclude_tokens,
    kl_divergence,
    log_softmax,
    softmax,
    surprisal,
)
from mlm_mini.reference.loss import mean_and_error

pytestmark = pytest.mark.filterwarnings("error")  # a NumPy warning is a number that went wrong on the way
examples = settings(max_examples=100, deadline=None, derandomize=True)
SHAPES = hnp.array_shapes(max_dims=3, min_side=0, max_side=5).filter(lambda shape: shape[-1] > 0)  # (..., V), V >= 1


@st.composite
def batches(draw, largest=1e4):
    """Logits (..., V) and labels (...), some of them -100."""
    shape = draw(SHAPES)
    logits = draw(hnp.arrays(np.float64, shape, elements=st.floats(-largest, largest)))
    tokens = st.integers(0, shape[-1] - 1)
    labels = draw(hnp.arrays(np.int64, shape[:-1], elements=st.one_of(st.just(IGNORE_INDEX), tokens)))
    return logits, labels


def torch_cross_entropy(logits, labels):
    """Value and gradient by autograd in float64, where at least one label is not -100."""
    z = torch.tensor(logits, requires_grad=True)
    rows = z.reshape(-1, z.shape[-1])
    loss = torch.nn.functional.cross_entropy(rows, torch.tensor(labels).reshape(-1), ignore_index=-100)
    loss.backward()
    return loss.item(), z.grad.numpy()


# Against torch, and by hand


@examples
@given(batches())
def test_value_and_gradient_agree_with_torch(batch):
    logits, labels = batch
    if (labels == IGNORE_INDEX).all():
        expected, expected_gradient = 0.0, np.zeros_like(logits)  # torch gives NaN here, which is what we avoid
    else:
        expected, expected_gradient = torch_cross_entropy(logits, labels)
    np.testing.assert_allclose(cross_entropy(logits, labels), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(cross_entropy_gradient(logits, labels), expected_gradient, rtol=1e-10, atol=1e-15)


def test_agrees_with_torch_where_tokens_are_excluded():
    rng = np.random.default_rng(0)
    logits = exclude_tokens(rng.normal(size=(2, 5, 7)), [0, 3])
    labels = rng.choice([1, 2, 4, 5, 6, IGNORE_INDEX], size=(2, 5))
    expected, expected_gradient = torch_cross_entropy(logits, labels)
    np.testing.assert_allclose(cross_entropy(logits, labels), expected, rtol=1e-13)
    np.testing.assert_allclose(cross_entropy_gradient(logits, labels), expected_gradient, rtol=1e-12, atol=1e-16)
    assert (cross_entropy_gradient(logits, labels)[..., [0, 3]] == 0).all()


def test_a_loss_by_hand():
    logits = np.log([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25]])
    labels = [0, IGNORE_INDEX, 2]
    np.testing.assert_allclose(surprisal(logits, [0, 1, 2]), np.log([2, 10, 4]), rtol=1e-15)
    np.testing.assert_allclose(cross_entropy(logits, labels), np.log(2 * 4) / 2, rtol=1e-15)
    gradient = np.array([[-0.5, 0.25, 0.25], [0, 0, 0], [0.25, 0.5, -0.75]]) / 2
    np.testing.assert_allclose(cross_entropy_gradient(logits, labels), gradient, atol=1e-16)


@pytest.mark.parametrize("shape", [(4,), (3, 4), (2, 3, 4), (2, 1, 3, 4)])
def test_surprisal_picks_the_target_of_each_row(shape):
    rng = np.random.default_rng(1)
    logits, targets = rng.normal(size=shape), rng.integers(4, size=shape[:-1])
    got = surprisal(logits, targets)
    assert got.shape == shape[:-1]
    assert got.dtype == np.float64
    for index in np.ndindex(shape[:-1]):
        assert got[index] == -log_softmax(logits[index])[targets[index]]


# Laws


@examples
@given(batches(largest=5.0))
def test_gradient_agrees_with_finite_differences(batch):
    logits, labels = batch
    h = 1e-5
    numeric = np.zeros_like(logits)
    for index in np.ndindex(logits.shape):
        step = np.zeros_like(logits)
        step[index] = h
        numeric[index] = (cross_entropy(logits + step, labels) - cross_entropy(logits - step, labels)) / (2 * h)
    np.testing.assert_allclose(cross_entropy_gradient(logits, labels), numeric, atol=1e-8)


@examples
@given(batches())
def test_gradient_rows_sum_to_zero_and_unselected_rows_are_zero(batch):
    logits, labels = batch
    gradient = cross_entropy_gradient(logits, labels)
    assert gradient.shape == logits.shape
    assert gradient.dtype == np.float64
    np.testing.assert_allclose(gradient.sum(-1), 0, atol=1e-14)
    assert (gradient[labels == IGNORE_INDEX] == 0).all()


def test_a_step_lowers_the_logits_of_all_wrong_words_and_makes_some_of_them_likelier():
    z = np.array([6.0, 5.0, 4.0, 2.5, 1.0, -1.0, -3.0])  # the blank of chapter 02; its second word is the true one
    step = -cross_entropy_gradient(z[None], np.array([1]))[0]
    assert (step > 0).tolist() == [False, True, False, False, False, False, False]
    assert (softmax(z + step) > softmax(z)).tolist() == [False, True, False, True, True, True, True]


@examples
@given(batches(), st.integers(1, 4))
def test_padding_does_not_dilute_the_loss(batch, padding):
    logits, labels = batch[0].reshape(-1, batch[0].shape[-1]), batch[1].reshape(-1)
    padded_logits = np.concatenate([logits, np.zeros((padding, logits.shape[-1]))])
    padded_labels = np.concatenate([labels, np.full(padding, IGNORE_INDEX)])
    np.testing.assert_allclose(cross_entropy(padded_logits, padded_labels), cross_entropy(logits, labels), rtol=1e-13)
    gradient = cross_entropy_gradient(padded_logits, padded_labels)
    np.testing.assert_array_equal(gradient[: len(logits)], cross_entropy_gradient(logits, labels))


@examples
@given(batches())
def test_loss_is_the_mean_surprisal_of_the_selection_and_never_negative(batch):
    logits, labels = batch
    got = cross_entropy(logits, labels)
    assert type(got) is float
    assert got >= 0
    selected = labels != IGNORE_INDEX
    if selected.all() and selected.size:
        np.testing.assert_allclose(got, surprisal(logits, labels).mean(), rtol=1e-13)


def test_expected_surprisal_is_entropy_plus_kl():
    rng = np.random.default_rng(2)
    p, logits = softmax(rng.normal(size=6)), rng.normal(size=6)
    expected = (p * surprisal(np.tile(logits, (6, 1)), np.arange(6))).sum()
    np.testing.assert_allclose(expected, entropy(p) + kl_divergence(p, softmax(logits)), rtol=1e-13)


@examples
@given(batches())
def test_inputs_are_never_modified(batch):
    for array in batch:
        array.flags.writeable = False
    cross_entropy(*batch)
    assert not np.shares_memory(cross_entropy_gradient(*batch), batch[0])
    surprisal(batch[0], np.maximum(batch[1], 0))


# Edges


def test_an_empty_selection_costs_nothing():
    logits = np.random.default_rng(3).normal(size=(2, 3, 4))
    labels = np.full((2, 3), IGNORE_INDEX)
    assert cross_entropy(logits, labels) == 0.0
    np.testing.assert_array_equal(cross_entropy_gradient(logits, labels), np.zeros((2, 3, 4)))


def test_no_rows():
    assert surprisal(np.zeros((0, 4)), []).shape == (0,)
    assert cross_entropy(np.zeros((0, 4)), []) == 0.0
    assert cross_entropy_gradient(np.zeros((0, 4)), []).shape == (0, 4)


def test_one_row_without_leading_dimensions():
    assert surprisal([0, 0], 1) == np.log(2)
    assert cross_entropy([0, 0], np.int32(1)) == np.log(2)
    np.testing.assert_array_equal(cross_entropy_gradient([0, 0], 1), [0.5, -0.5])
    assert cross_entropy([0, 0], IGNORE_INDEX) == 0.0


def test_a_sure_token_costs_zero_and_an_excluded_one_is_infinitely_surprising():
    logits = [0.0, -np.inf]
    assert str(surprisal(logits, 0)) == "0.0"  # and not -0.0
    assert surprisal(logits, 1) == np.inf
    assert cross_entropy([logits, [0.0, 0.0]], [1, 1]) == np.inf
    np.testing.assert_array_equal(cross_entropy_gradient(logits, 1), [1, -1])


LABEL_FUNCTIONS = [surprisal, cross_entropy, cross_entropy_gradient]


@pytest.mark.parametrize("function", LABEL_FUNCTIONS)
@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([[0, 1, 2], [0, 3, 2]], ValueError, r"\[1, 1\] is 3: expected a token id from 0 to 2"),
        ([[0, 1, 2], [0, 1, -1]], ValueError, r"\[1, 2\] is -1: expected a token id from 0 to 2"),
        ([0, 1, 2], ValueError, r"has shape \(3,\): expected \(2, 3\), one id per row of logits"),
        (np.zeros((2, 3, 1), int), ValueError, r"has shape \(2, 3, 1\): expected \(2, 3\)"),
        (np.zeros((2, 3)), TypeError, "has dtype float64: expected integer token ids"),
        (np.ones((2, 3), bool), TypeError, "has dtype bool: expected integer token ids"),
    ],
)
def test_bad_labels_are_refused(function, labels, error, message):
    name = "targets" if function is surprisal else "labels"
    with pytest.raises(error, match=name + ".*" + message):
        function(np.zeros((2, 3, 3)), labels)


def test_only_labels_may_be_the_ignore_index():
    with pytest.raises(ValueError, match=r"targets\[1\] is -100: expected a token id from 0 to 2$"):
        surprisal(np.zeros((2, 3)), [0, IGNORE_INDEX])
    with pytest.raises(ValueError, match=r"labels\[1\] is -101: .*, or -100 where nothing is predicted"):
        cross_entropy(np.zeros((2, 3)), [0, -101])


@pytest.mark.parametrize("function", LABEL_FUNCTIONS)
@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([0.0, np.nan], r"logits\[1, 1\] is nan"),
        ([np.inf, 0.0], r"logits\[1, 0\] is inf"),
        ([-np.inf, -np.inf], r"logits.max\(-1\)\[1\] is -inf: every token is excluded"),
    ],
)
def test_bad_logits_are_refused(function, row, message):
    with pytest.raises(ValueError, match=message):
        function([[0.0, 0.0], row], [0, 1])
    if function is not surprisal:  # the check does not depend on which positions are selected
        with pytest.raises(ValueError, match=message):
            function([[0.0, 0.0], row], [0, IGNORE_INDEX])


@pytest.mark.parametrize("function", LABEL_FUNCTIONS)
def test_an_empty_vocabulary_is_refused(function):
    with pytest.raises(ValueError, match=r"logits has shape \(2, 0\): expected at least one token"):
        function(np.zeros((2, 0)), [0, 0])


# ---- the mean of a sample


def test_the_error_of_a_ratio_is_what_it_scatters_by():
    """2,000 samples of 60 rows that differ in their counts, and with them in their sums."""
    rng = np.random.default_rng(0)
    counts = rng.integers(1, 9, size=(2000, 60))
    sums = counts * rng.normal(1.5, 0.3, size=counts.shape) + rng.normal(0, 0.5, size=counts.shape)
    found = np.array([mean_and_error(*rows) for rows in zip(sums, counts, strict=True)])
    assert found[:, 0].mean() == pytest.approx(1.5, abs=0.003)
    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.05)


def test_rows_that_count_alike_have_the_usual_error():
    values = np.random.default_rng(1).normal(size=50)
    mean, error = mean_and_error(values, np.ones(50))
    assert mean == pytest.approx(values.mean())
    assert error == pytest.approx(values.std() / np.sqrt(50))
    assert mean_and_error(values, np.full(50, 4))[1] == pytest.approx(values.std() / np.sqrt(50) / 4)
