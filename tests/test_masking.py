"""The definitions of masking.py: what they promise for every input, and their proportions by statistical test.

A statistical test rejects below ALPHA at a fixed seed. Its sample is large enough to reject the mistake it is
there for, which `test_the_tests_have_the_power_they_need` shows.
"""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mlm_mini.reference import (
    IGNORE_INDEX,
    corrupt,
    cross_entropy_gradient,
    exclude_tokens,
    make_labels,
    maskable_positions,
    select_positions,
    softmax,
)

pytestmark = pytest.mark.filterwarnings("error")  # a NumPy warning is a number that went wrong on the way
examples = settings(max_examples=100, deadline=None, derandomize=True)

ALPHA = 1e-3
DRAWS = 100_000
MASK, WORD = 4, 5  # in the statistical tests every token is WORD, which is not in RANDOM_IDS: fates are told apart
RANDOM_IDS = np.arange(6, 26)
SPLITS = [(0.8, 0.1, 0.1), (1, 0, 0), (0, 1, 0), (0, 0, 1), (0.5, 0.5, 0), (0.6, 0.15, 0.25)]


@pytest.fixture
def rng():
    return np.random.default_rng(20190524)


@st.composite
def corruptions(draw):
    """Arguments of corrupt: ids (...) with any selection."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=6))
    ids = draw(hnp.arrays(np.int64, shape, elements=st.integers(0, 30)))
    selected = draw(hnp.arrays(bool, shape))
    random_ids = draw(st.sets(st.integers(5, 30), min_size=1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return ids, selected, MASK, random_ids, rng, draw(st.sampled_from(SPLITS))


def fates(ids):
    """How many WORDs became [MASK], a random token, or stayed."""
    return np.array([(ids == MASK).sum(), np.isin(ids, RANDOM_IDS).sum(), (ids == WORD).sum()])


def p_value(counts, probabilities):
    """Chi-square test of counts against probabilities; an outcome of probability zero must not occur at all."""
    counts, probabilities = np.ravel(counts), np.ravel(probabilities)
    assert (counts[probabilities == 0] == 0).all()
    counts, probabilities = counts[probabilities > 0], probabilities[probabilities > 0]
    return scipy.stats.chisquare(counts, counts.sum() * probabilities).pvalue if len(counts) > 1 else 1.0


# exclude_tokens


def test_excluded_tokens_get_no_probability_and_the_others_share_it():
    logits = np.random.default_rng(0).normal(size=(2, 3, 6))
    p = softmax(exclude_tokens(logits, [0, 4]))
    rest = [1, 2, 3, 5]
    assert (p[..., [0, 4]] == 0).all()
    np.testing.assert_allclose(p[..., rest], softmax(logits[..., rest]), rtol=1e-14)
    assert (cross_entropy_gradient(exclude_tokens(logits, [0, 4]), np.ones((2, 3), int))[..., [0, 4]] == 0).all()


@pytest.mark.parametrize(
    "excluded",
    [[3, 1], (1, 3, 3), {1, 3}, range(1, 4, 2), np.array([1, 3], np.uint8), iter([1, 3]), {1: "a", 3: "b"},
     [False, True, False, True, False], np.array([False, True, False, True, False])],
)  # fmt: skip
def test_excluded_may_be_any_iterable_of_ids_or_a_bool_array(excluded):
    got = exclude_tokens([[0, 1, 2, 3, 4]], excluded)
    np.testing.assert_array_equal(got, [[0, -np.inf, 2, -np.inf, 4]])
    assert got.dtype == np.float64


@pytest.mark.parametrize("nothing", [[], set(), np.zeros(3, bool)])
def test_excluding_nothing_gives_an_equal_copy(nothing):
    logits = np.array([[0.5, -np.inf, 2.0]])
    got = exclude_tokens(logits, nothing)
    np.testing.assert_array_equal(got, logits)
    assert not np.shares_memory(got, logits)


def test_exclude_tokens_leaves_its_input_alone():
    logits = np.zeros((2, 3))
    exclude_tokens(logits, [1])
    np.testing.assert_array_equal(logits, np.zeros((2, 3)))
    assert exclude_tokens(np.zeros((0, 3)), [1]).shape == (0, 3)


@pytest.mark.parametrize(
    ("logits", "excluded", "error", "message"),
    [
        ([0.0, 0.0], [0, 1], ValueError, r"logits.max\(-1\) is -inf: every token is excluded"),
        ([[0.0, 0.0], [0.0, -np.inf]], [0], ValueError, r"logits.max\(-1\)\[1\] is -inf"),
        ([0.0, np.nan], [1], ValueError, r"logits\[1\] is nan"),  # excluding a NaN does not mend it
        ([0.0, np.inf], [0], ValueError, r"logits\[1\] is inf"),
        ([0.0, 0.0], [0, 2], ValueError, r"excluded\[1\] is 2: expected a token id from 0 to 1"),
        ([0.0, 0.0], [-1], ValueError, r"excluded\[0\] is -1: expected a token id from 0 to 1"),
        ([0.0, 0.0], [[0]], ValueError, r"excluded has shape \(1, 1\): expected a flat collection"),
        ([0.0, 0.0], [True, False, False], ValueError, "excluded has 3 booleans: expected 2"),
        ([0.0, 0.0], [1.0], TypeError, "excluded has dtype float64: expected integer token ids"),
        ([0.0, 0.0], "ab", TypeError, "excluded has dtype <U1"),
        ([0.0, 0.0], 1, TypeError, r"excluded is 1: .*write \[1\] for one"),
        (np.zeros((2, 0)), [], ValueError, r"logits has shape \(2, 0\)"),
    ],
)
def test_exclude_tokens_refuses(logits, excluded, error, message):
    with pytest.raises(error, match=message):
        exclude_tokens(logits, excluded)


# maskable_positions


def test_special_tokens_are_not_maskable():
    ids = np.array([[2, 7, 8, 3], [2, 9, 3, 0]])
    expected = [[False, True, True, False], [False, True, False, False]]
    for special_ids in ([0, 2, 3], {0, 2, 3}, np.array([0, 2, 3])):
        got = maskable_positions(ids, special_ids)
        assert got.dtype == bool
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(maskable_positions(ids, []), np.ones((2, 4), bool))
    assert maskable_positions(7, [0])
    assert maskable_positions(np.zeros((0, 4), int), [0]).shape == (0, 4)


@pytest.mark.parametrize(
    ("ids", "special_ids", "error", "message"),
    [
        ([1, IGNORE_INDEX], [0], ValueError, r"ids\[1\] is -100: expected a token id, zero or more"),
        ([1, 2], [0, -1], ValueError, r"special_ids\[1\] is -1"),
        ([1.0, 2.0], [0], TypeError, "ids has dtype float64"),
        ([True, False], [0], TypeError, "ids has dtype bool"),
        ([1, 2], ["[PAD]"], TypeError, "special_ids has dtype <U5"),
        ([1, 2], 0, TypeError, r"special_ids is 0: .*write \[0\] for one"),
    ],
)
def test_maskable_positions_refuses(ids, special_ids, error, message):
    with pytest.raises(error, match=message):
        maskable_positions(ids, special_ids)


# select_positions

ROWS = hnp.arrays(bool, hnp.array_shapes(max_dims=3, min_side=0, max_side=8))


@examples
@given(ROWS, st.floats(0, 1), st.sampled_from(["bernoulli", "fixed"]), st.integers(0, 2**32))
def test_only_maskable_positions_are_selected(maskable, mask_ratio, method, seed):
    maskable.flags.writeable = False
    selected = select_positions(maskable, mask_ratio, np.random.default_rng(seed), method)
    assert selected.shape == maskable.shape
    assert selected.dtype == bool
    assert not (selected & ~maskable).any()
    np.testing.assert_array_equal(selected, select_positions(maskable, mask_ratio, np.random.default_rng(seed), method))


@examples
@given(ROWS, st.floats(0, 1), st.integers(0, 2**32))
def test_fixed_selects_the_rounded_share_of_each_row(maskable, mask_ratio, seed):
    selected = select_positions(maskable, mask_ratio, np.random.default_rng(seed), "fixed")
    expected = np.floor(mask_ratio * maskable.sum(-1) + 0.5)
    np.testing.assert_array_equal(selected.sum(-1), expected)


@pytest.mark.parametrize(("n", "k"), [(1, 1), (3, 2), (5, 3), (7, 4), (4, 2)])
def test_fixed_rounds_halves_up(n, k, rng):
    assert select_positions(np.ones(n, bool), 0.5, rng, "fixed").sum() == k  # np.round would go to the even number


@pytest.mark.parametrize("method", ["bernoulli", "fixed"])
def test_ratio_zero_selects_none_and_ratio_one_selects_all(method, rng):
    maskable = rng.random((50, 40)) < 0.7
    assert not select_positions(maskable, 0, rng, method).any()
    np.testing.assert_array_equal(select_positions(maskable, 1, rng, method), maskable)


@pytest.mark.parametrize("method", ["bernoulli", "fixed"])
def test_nothing_maskable_gives_an_empty_selection(method, rng):
    assert not select_positions(np.zeros((2, 5), bool), 0.5, rng, method).any()
    for shape in [(0,), (0, 5), (3, 0)]:
        assert select_positions(np.zeros(shape, bool), 0.5, rng, method).shape == shape


@pytest.mark.parametrize("mask_ratio", [0.01, 0.15, 0.5, 0.8])
def test_bernoulli_selects_the_ratio(mask_ratio, rng):
    maskable = rng.random((DRAWS // 50, 100)) < 0.5
    selected = select_positions(maskable, mask_ratio, rng)
    assert scipy.stats.binomtest(int(selected.sum()), int(maskable.sum()), mask_ratio).pvalue > ALPHA


def subset_counts(selected):
    """How often each subset of the T positions was selected: (N, T) -> (2^T,)."""
    T = selected.shape[-1]
    return np.bincount(selected @ 2 ** np.arange(T), minlength=2**T)


def test_bernoulli_selects_each_position_on_its_own(rng):
    selected = select_positions(np.ones((DRAWS, 3), bool), 0.3, rng)
    subsets = np.array([bits[::-1] for bits in itertools.product([0, 1], repeat=3)])  # row i has the bits of i
    assert p_value(subset_counts(selected), np.where(subsets, 0.3, 0.7).prod(-1)) > ALPHA


def test_fixed_selects_each_subset_equally_often(rng):
    maskable = np.tile([True, True, False, True, True], (DRAWS, 1))
    selected = select_positions(maskable, 0.5, rng, "fixed")[:, [0, 1, 3, 4]]
    pairs = np.array([bin(subset).count("1") == 2 for subset in range(16)])
    assert p_value(subset_counts(selected), pairs / 6) > ALPHA


@pytest.mark.parametrize("mask_ratio", [-0.01, 1.01, 15, np.nan, np.inf])
def test_a_ratio_that_is_not_a_share_is_refused(mask_ratio, rng):
    with pytest.raises(ValueError, match=r"mask_ratio is .*: expected a share from 0 to 1"):
        select_positions([True], mask_ratio, rng)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"maskable": [1, 0]}, TypeError, r"maskable has dtype int64: .*\.astype\(bool\)"),
        ({"maskable": True}, ValueError, r"maskable is a single value: expected \(..., T\)"),
        ({"mask_ratio": None}, TypeError, "mask_ratio has dtype object"),
        ({"mask_ratio": [0.1, 0.2]}, TypeError, r"mask_ratio has shape \(2,\): expected one number"),
        ({"rng": 0}, TypeError, r"rng is 0: .*np.random.default_rng\(seed\)"),
        ({"rng": np.random}, TypeError, "rng is <module"),
        ({"method": "exact"}, ValueError, 'method is \'exact\': expected "bernoulli" or "fixed"'),
    ],
)
def test_select_positions_refuses(change, error, message, rng):
    arguments = {"maskable": [True, False], "mask_ratio": 0.5, "rng": rng, "method": "bernoulli"}
    with pytest.raises(error, match=message):
        select_positions(**(arguments | change))


# corrupt and make_labels


@examples
@given(corruptions())
def test_corrupt_changes_nothing_but_the_selection(arguments):
    ids, selected, _, random_ids, _, split = arguments
    ids.flags.writeable = selected.flags.writeable = False
    corrupted = corrupt(*arguments)
    assert corrupted.shape == ids.shape
    assert corrupted.dtype == np.int64
    assert not np.shares_memory(corrupted, ids)
    np.testing.assert_array_equal(corrupted[~selected], ids[~selected])
    hidden, before = corrupted[selected], ids[selected]
    possible = [hidden == MASK, np.isin(hidden, list(random_ids)), hidden == before]
    assert np.any([p for p, share in zip(possible, split, strict=True) if share > 0], axis=0).all()


@examples
@given(corruptions())
def test_labels_are_the_tokens_before_corruption_where_selected(arguments):
    ids, selected = arguments[:2]
    labels = make_labels(ids, selected)
    assert labels.shape == ids.shape
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels[selected], ids[selected])
    assert (labels[~selected] == IGNORE_INDEX).all()
    np.testing.assert_array_equal(np.where(labels == IGNORE_INDEX, corrupt(*arguments), labels), ids)


@pytest.mark.parametrize("split", SPLITS)
def test_the_split_is_kept(split, rng):
    ids = np.full((DRAWS // 50, 50), WORD)
    corrupted = corrupt(ids, np.ones_like(ids, bool), MASK, RANDOM_IDS, rng, split)
    assert fates(corrupted).sum() == DRAWS
    assert p_value(fates(corrupted), split) > ALPHA


def test_the_split_is_80_10_10_when_none_is_given(rng):
    ids, selected = np.full(DRAWS, WORD), np.ones(DRAWS, bool)
    assert p_value(fates(corrupt(ids, selected, MASK, RANDOM_IDS, rng)), (0.8, 0.1, 0.1)) > ALPHA


def test_a_split_may_miss_one_by_a_rounding_error(rng):
    split = np.array([0.8, 0.1, 0.1]) * (1 - 5e-7)  # about what float32 leaves; rng.choice itself allows 1e-8
    assert corrupt([WORD], [True], MASK, RANDOM_IDS, rng, split).shape == (1,)


def test_random_replacements_are_uniform_and_independent_of_each_other(rng):
    ids = np.full((DRAWS, 2), WORD)
    corrupted = corrupt(ids, np.ones_like(ids, bool), MASK, [6, 7, 9, 9], rng, (0, 1, 0))  # 9 is listed twice
    pairs = np.array([((corrupted == pair).all(-1)).sum() for pair in itertools.product([6, 7, 9], repeat=2)])
    assert pairs.sum() == DRAWS
    assert p_value(pairs, np.full(9, 1 / 9)) > ALPHA


def test_fates_of_neighbors_are_independent(rng):
    ids = np.full((DRAWS, 2), WORD)
    corrupted = corrupt(ids, np.ones_like(ids, bool), MASK, RANDOM_IDS, rng)
    fate = np.select([corrupted == MASK, corrupted == WORD], [0, 2], 1)
    assert p_value(np.bincount(fate @ [3, 1], minlength=9), np.outer((0.8, 0.1, 0.1), (0.8, 0.1, 0.1))) > ALPHA


@pytest.mark.parametrize("wrong", [(0.81, 0.1, 0.09), (0.81, 0.09, 0.1), (0.8, 0.09, 0.11), (0.79, 0.105, 0.105)])
def test_the_tests_have_the_power_they_need(wrong, rng):
    right = np.array((0.8, 0.1, 0.1))
    noncentrality = DRAWS * ((wrong - right) ** 2 / right).sum()
    critical = scipy.stats.chi2.isf(ALPHA, df=2)
    assert scipy.stats.ncx2.sf(critical, 2, noncentrality) > 0.999  # the chance that this wrong split is rejected
    ids, selected = np.full(DRAWS, WORD), np.ones(DRAWS, bool)
    assert p_value(fates(corrupt(ids, selected, MASK, RANDOM_IDS, rng, wrong)), right) < ALPHA


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.int64])
def test_ids_of_any_integer_dtype_become_int64(dtype, rng):
    ids = np.array([[7, 8]], dtype)
    selected = np.array([[True, False]])
    np.testing.assert_array_equal(corrupt(ids, selected, MASK, [9], rng, (1, 0, 0)), [[MASK, 8]])
    np.testing.assert_array_equal(make_labels(ids, selected), [[7, IGNORE_INDEX]])
    assert corrupt(ids, selected, MASK, [9], rng).dtype == make_labels(ids, selected).dtype == np.int64


def test_empty_arrays_and_empty_selections(rng):
    ids, nothing = np.array([[7, 8]]), np.zeros((1, 2), bool)
    np.testing.assert_array_equal(corrupt(ids, nothing, MASK, [9], rng), ids)
    np.testing.assert_array_equal(make_labels(ids, nothing), [[IGNORE_INDEX, IGNORE_INDEX]])
    assert corrupt([], [], MASK, [9], rng).shape == make_labels([], []).shape == (0,)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"split": (0.8, 0.1, 0.2)}, ValueError, r"split.sum\(-1\) is 1.1.*: expected 1 within 1e-06"),
        ({"split": (1.1, -0.1, 0)}, ValueError, r"split\[1\] is -0.1: expected a probability"),
        ({"split": (np.nan, 0.5, 0.5)}, ValueError, r"split\[0\] is nan"),
        ({"split": (0.8, 0.2)}, ValueError, r"split has shape \(2,\): expected three probabilities"),
        ({"split": 0.8}, ValueError, "split: axis -1 is out of bounds"),
        ({"random_ids": []}, ValueError, "random_ids is empty: expected at least one token id"),
        ({"random_ids": [9, -1]}, ValueError, r"random_ids\[1\] is -1"),
        ({"random_ids": 9}, TypeError, r"random_ids is 9: .*write \[9\] for one"),
        ({"mask_id": -1}, ValueError, "mask_id is -1"),
        ({"mask_id": [4, 5]}, TypeError, r"mask_id has shape \(2,\): expected one token id"),
        ({"mask_id": "[MASK]"}, TypeError, "mask_id has dtype <U6"),
        ({"ids": [7, IGNORE_INDEX]}, ValueError, r"ids\[1\] is -100"),
        ({"ids": [7.0, 8.0]}, TypeError, "ids has dtype float64"),
        ({"selected": [True]}, ValueError, r"selected has shape \(1,\): expected \(2,\), the shape of ids"),
        ({"selected": [1, 0]}, TypeError, "selected has dtype int64: expected bool"),
        ({"rng": None}, TypeError, "rng is None"),
    ],
)
def test_corrupt_refuses(change, error, message, rng):
    arguments = {"ids": [7, 8], "selected": [True, False], "mask_id": MASK, "random_ids": [9], "rng": rng}
    with pytest.raises(error, match=message):
        corrupt(**(arguments | change))


@pytest.mark.parametrize(
    ("ids", "selected", "error", "message"),
    [
        ([7, -1], [True, False], ValueError, r"ids\[1\] is -1"),
        ([7, 8], [[True, False]], ValueError, r"selected has shape \(1, 2\): expected \(2,\)"),
        ([7.0, 8.0], [True, False], TypeError, "ids has dtype float64"),
        ([7, 8], [1, 0], TypeError, "selected has dtype int64"),
    ],
)
def test_make_labels_refuses(ids, selected, error, message):
    with pytest.raises(error, match=message):
        make_labels(ids, selected)
