"""What sets right inputs apart from wrong ones: each feature is found, and not claimed where it does not separate."""

import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlm_mini.course.conditions import Tried, condition

RNG = np.random.default_rng(0)
INF, NAN = np.inf, np.nan


def scores(*shapes):
    """Score arrays of different numbers between -1 and 1, in no order."""
    return [RNG.uniform(-1, 1, size=shape) for shape in shapes]


def arrays(*values):
    return [np.array(value) for value in values]


PLAIN = scores(4, 4, 4, 4)
MASKS = arrays([[True, False, True]], [[True, True, True]], [[True, False, True], [True, True, False]])
TOKENS = arrays([5, 7, 9], [4, 8, 11], [6, 7, 12])


@dataclass(frozen=True)
class Row:
    """A feature: what is said of the right inputs and of the wrong, an argument, and its values on both.

    `LEFT_OUT` stands for a call without the argument.
    """

    name: str
    right_ones: str
    wrong_ones: str
    argument: str
    right: list
    wrong: list

    @property
    def sentence(self):
        wrong = "only one" if len(self.wrong) == 1 else len(self.wrong)
        return f"Right on the {len(self.right)} inputs {self.right_ones}, wrong on the {wrong} {self.wrong_ones}."

    def tried(self):
        return [*(call(self, value, True) for value in self.right), *(call(self, value, False) for value in self.wrong)]


LEFT_OUT = object()


def call(row, value, right):
    """A call with the value as the second argument, after one that is always the same."""
    if value is LEFT_OUT:
        return Tried(("text",), {}, ("words", row.argument), right)
    return Tried(("text", value), {}, ("words", row.argument), right)


# fmt: off
ONE_WRONG = [
    Row("-inf", "without a score of -inf in `logits`", "that has it", "logits", PLAIN, arrays([0.5, -INF])),
    Row("NaN", "without NaN in `logits`", "that has it", "logits", PLAIN, arrays([0.5, NAN])),
    Row("very low", "without a score below -10,000 in `logits`", "that has it", "logits", PLAIN, arrays([0.5, -2e4])),
    Row("large", "without numbers beyond 1,000 in `logits`", "that has it", "logits", PLAIN, arrays([0.5, 2e3])),
    Row("no entries", "where `logits` has some entries", "where it has none", "logits", PLAIN, [np.zeros((0, 3))]),
    Row("empty list", "where `names` has some entries", "where it has none", "names", [["a", "b"], ["c"], ["d", "e"]],
        [[]]),
    Row("nothing selected", "where `mask` selects something", "where it selects nothing", "mask", MASKS,
        arrays([[False, False, False]])),
    Row("no label", "where `labels` selects something", "where it selects nothing", "labels",
        arrays([5, -100, 7], [8, 9, 10], [-100, 3, 4]), arrays([-100, -100, -100])),
    Row("a row selects nothing", "where every row of `mask` selects something", "where a row selects nothing", "mask",
        MASKS, arrays([[True, True], [False, False]])),
    Row("0", "where `ratio` is not 0", "where it is", "ratio", [0.5, 0.25, 1.0], [0.0]),
    Row("1", "where `ratio` is not 1", "where it is", "ratio", [0.5, 0.25, 0.0], [1.0]),
    Row("0 or 1", "where `ratio` is neither 0 nor 1", "where it is", "ratio", [0.5, 0.25, 0.75], [1.0, 0.0]),
    Row("another axis", "where `axis` is -1 or left out", "where it is another", "axis", [-1, LEFT_OUT, -1], [0]),
    Row("given", "that leave `tau` out", "that gives it", "tau", [LEFT_OUT] * 3, [2.5]),
    Row("a negative axis", "where `axis` is not negative", "where it is", "axis", [0, 1, 2], [-2]),
    Row("None", "where `mask` is not None", "where it is", "mask", MASKS, [None]),
    Row("a large id", "without an id above 32,767 in `ids`", "that has it", "ids", TOKENS,
        arrays([40_000, 40_001, 40_002])),
    Row("repeated", "without a repeated entry in `ids`", "that has it", "ids", TOKENS, arrays([5, 7, 5])),
    Row("repeated words", "without a repeated entry in `text`", "that has it", "text",
        [["a", "b"], ["c", "d"], ["e", "f"]], [["g", "g"]]),
    Row("a tie", "without a tie among the numbers in `logits`", "that has it", "logits", PLAIN,
        arrays([0.5, -0.25, 0.5])),
    Row("a 0", "without a 0 in `p`", "that has it", "p", PLAIN, arrays([0.0, -0.25, 0.75])),
    Row("unequal rows", "where the rows of `mask` select equally many", "where they do not", "mask", MASKS,
        arrays([[True, False, False], [True, True, False]])),
    Row("0 in front", "without a row that starts with 0 and has other entries in `ids`", "that has it", "ids",
        TOKENS, arrays([0, 7, 9])),
    Row("0 behind", "without a row that ends with 0 and has other entries in `ids`", "that has it", "ids", TOKENS,
        arrays([[5, 6, 7], [8, 9, 0]])),
    Row("False in front", "without a row that starts with False and has a True in `mask`", "that has it", "mask", MASKS,
        arrays([[False, True, True]])),
    Row("False behind", "without a row that ends with False and has a True in `mask`", "that has it", "mask",
        arrays([[True, False, True]], [[True, True, True]], [[True, False, True]]), arrays([[True, True, False]])),
    Row("a single item", "where `logits` has more items than one, or none", "where it has one", "logits", PLAIN,
        scores(1)),
    Row("float32", "where `logits` is not float32", "where it is", "logits", PLAIN, [np.float32([0.5, -0.25])]),
    Row("a list", "where `logits` is not a list", "where it is", "logits", PLAIN, [[0.5, -0.25]]),
]
MORE_WRONG = [
    Row("three -inf", "without a score of -inf in `logits`", "that have one", "logits", PLAIN,
        arrays([0.5, -INF], [-INF, 1.0], [0.25, -INF])),
    Row("unsorted", "where `places` is in ascending order", "where it is not", "places", TOKENS,
        arrays([5, 3, 9], [4, 2, 11], [6, 7, 2])),
    Row("unsorted ratios", "where `ratios` is in ascending order", "where it is not", "ratios",
        arrays([0.1, 0.2], [0.2, 0.3], [0.15, 0.4]), arrays([0.2, 0.1], [0.5, 0.3], [0.6, 0.4])),
    Row("negative", "without negative numbers in `x`", "that have some", "x",
        arrays([0.5, 0.75], [0.25, 2.5], [1.5, 3.5]), arrays([-0.5, 0.75], [0.25, -2.5], [-1.5, 3.5])),
    Row("three axes", "where `x` has fewer axes than three", "where it has three or more", "x",
        scores((2, 3), 4, (3, 2)), scores((2, 3, 2), (2, 2, 3), (3, 2, 2))),
    Row("one axis", "where `x` has no axis, or more than one", "where it has one", "x", scores((2, 3), (3, 2), (4, 2)),
        scores(4, 2, 3)),
    Row("many rows", "where `x` has a single row, or none", "where it has more", "x", scores((1, 3), 2, (1, 4)),
        scores((2, 3), (3, 2), (3, 3))),
    Row("not square", "where `x` is square, or no table", "where it is not", "x", scores((2, 2), (3, 3), (4, 4)),
        scores((2, 3), (4, 2), (3, 4))),
    Row("an axis of length 1", "where `x` has no axis of length 1", "where it has one", "x",
        scores((2, 3), (3, 3), (4, 4)), scores((1, 3), (4, 1), (1, 1, 2))),
    Row("odd", "where the length of `x` is even", "where it is odd", "x", scores(2, 4, 6), scores(3, 5, 7)),
    Row("longer", "where the length of `x` is at most 4", "where it is above that", "x", scores(2, 3, 4),
        scores(5, 8, 7)),
    Row("shorter", "where the length of `name` is at least 5", "where it is below that", "name",
        ["a chef", "birds", "a cat sat"], ["in", "the", "abcd"]),
    Row("a larger number", "where `k` is at most 4", "where it is above that", "k", [2, 3, 4], [5, 8, 7]),
    Row("a smaller number", "where `tau` is at least 2.5", "where it is below that", "tau", [2.5, 3.5, 4.5],
        [0.5, 1.5, 0.25]),
]
THE_OTHER_WAY_ROUND = [
    Row("right where 1", "where `B` is 1", "where `B` is not 1", "B", [1, 1], [2, 9, 5]),
    Row("right where given", "that give `tau`", "that leave `tau` out", "tau", [0.5, 2.5, 3.5], [LEFT_OUT] * 2),
    Row("right where single", "where `x` has a single item", "where `x` has more items than one, or none", "x",
        [["a"], ["b"]], [["c", "d"], ["e", "f", "g"], ["h", "i"]]),
    Row("right where square", "where `x` is not square", "where `x` is square, or no table", "x",
        scores((2, 3), (4, 2), (3, 4)), scores((2, 2), (3, 3), (4, 4))),
]
# fmt: on
TABLE = [*ONE_WRONG, *MORE_WRONG, *THE_OTHER_WAY_ROUND]
each_feature = pytest.mark.parametrize("row", TABLE, ids=[row.name for row in TABLE])


@each_feature
def test_it_is_said(row):
    assert condition(row.tried()) == row.sentence
    assert len(row.sentence) <= 200


@each_feature
def test_it_is_not_said_when_one_input_with_it_is_right(row):
    assert row.right_ones not in condition([*row.tried(), call(row, row.wrong[0], True)])


@each_feature
def test_it_is_not_said_when_one_input_without_it_is_wrong(row):
    assert row.right_ones not in condition([*row.tried(), call(row, row.right[0], False)])


@each_feature
def test_few_inputs_are_not_enough(row):
    assert condition([call(row, value, True) for value in row.right]) == ""
    assert condition([call(row, value, False) for value in row.wrong]) == ""
    assert condition([call(row, row.right[0], True), *(call(row, value, False) for value in row.wrong)]) == ""
    assert condition([*(call(row, value, True) for value in row.right[:2]), call(row, row.wrong[0], False)]) == ""


@pytest.mark.parametrize("row", MORE_WRONG[1:], ids=[row.name for row in MORE_WRONG[1:]])
def test_what_many_inputs_have_by_chance_needs_more_of_them(row):
    tried = [call(row, value, True) for value in row.right] + [call(row, row.wrong[0], False)]
    assert row.right_ones not in condition(tried)


def test_a_length_of_few_inputs_or_of_several_axes_is_not_said():
    """Two of six inputs are the longest by chance alone in one of fifteen cases; of a table, which axis is it?"""
    lengths = Row("", "", "", "ids", scores(2, 3, 2, 3), scores(5, 6))
    assert condition(lengths.tried()) == ""
    tables = Row("", "", "", "joint", scores((3, 2), (2, 3), (4, 3)), scores((3, 5), (2, 6), (4, 7)))
    assert "length" not in condition(tables.tried())


def test_the_most_telling_feature_comes_first():
    wrong = arrays([[0.0, -INF, 3e3]], [[-1.0, -INF, 0.0]])
    tried = Row("", "", "", "logits", PLAIN, wrong).tried()
    assert "a score of -inf in" in condition(tried)
    tried = Row("", "", "", "logits", [*PLAIN, *arrays([1.0, -INF])], wrong).tried()
    assert "a score of -inf in" not in condition(tried)


def test_the_argument_that_has_it_is_named_by_keyword_place_or_name():
    def tried(right, first, second, **given):
        return Tried((first, second), given, ("p",), right)

    plain, zero = np.array([0.5, 0.25]), np.array([0.0, 0.5])
    right = [tried(True, plain, plain, q=plain)] * 3
    assert "a 0 in `p`" in condition([*right, tried(False, zero, plain, q=plain)])
    assert "a 0 in argument 2" in condition([*right, tried(False, plain, zero, q=plain)])
    assert "a 0 in `q`" in condition([*right, tried(False, plain, plain, q=zero)])
    assert condition([*right, tried(True, plain, plain, q=zero), tried(False, zero, plain, q=zero)]).endswith("has it.")


def test_lists_in_lists_and_dicts_are_looked_into():
    plain, special = [[np.array([0.5, 0.25])], {"a": [1.5, 2.5]}], [[np.array([0.5, -INF])], {"a": [1.5, 2.5]}]
    assert "a score of -inf in `x`" in condition(Row("", "", "", "x", [plain] * 3, [special]).tried())
    plain, special = {"a": 0.5, "b": 0.25}, {"a": 0.0, "b": 1.0}
    assert "without a 0 in `q`" in condition(Row("", "", "", "q", [plain] * 3, [special]).tried())


def test_the_0_that_pads_a_batch_is_not_a_repeated_entry():
    padded = arrays([[5, 6, 0, 0], [7, 8, 9, 0]], [[5, 0, 0, 0]])
    assert condition(Row("", "", "", "ids", padded, arrays([[5, 6, 0], [7, 8, 9]])).tried()) == ""
    tried = Row("", "", "", "ids", [*padded, padded[0]], arrays([[5, 5, 0], [7, 8, 9]])).tried()
    assert "without a repeated entry in `ids`" in condition(tried)


def test_a_mask_of_0_and_1_has_no_repeated_entries():
    tried = Row("", "", "", "mask", arrays([1, 0], [0, 1], [0, 1]), arrays([1, 0, 1])).tried()
    assert "repeated" not in condition(tried)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6))
def test_nothing_is_said_of_inputs_that_are_alike(seed):
    rng = np.random.default_rng(seed)
    tried = [
        Tried((rng.normal(size=(3, 4)), np.array([1, 2, 3]), 0.25), {}, ("logits", "ids", "ratio"), place % 3 > 0)
        for place in range(6)
    ]
    said = condition(tried)
    assert said == ""


class Hostile:
    """Whatever one does with it, it raises."""

    def _raise(self, *_, **__):
        raise RuntimeError("somebody looked inside")

    __eq__ = __len__ = __iter__ = __bool__ = __float__ = __array__ = __getattr__ = __repr__ = __hash__ = _raise


ENDLESS: list = []
ENDLESS.append(ENDLESS)
# fmt: off
STRANGE = [
    Hostile(), Hostile, ENDLESS, 10**400, [10**400], float("nan"), None, "", [], (), {}, defaultdict(list), {1, 2},
    1j, b"a", np.zeros((0, 3)), np.zeros(()), np.array([None, 1]), np.array([1j]), np.array(["a", "b"]),
    np.array(["2020"], "M8[Y]"), np.uint8([1, 2]), np.ma.array([1.0]), np.random.default_rng(0), len, lambda: 0, ...,
    [Hostile()], {"a": Hostile()}, [[1.0], [2.0, 3.0]], [1, "a", None], [True, False], np.float32(1),
    np.float64("nan"), (1, (2, 3)), "text" * 999,
]
# fmt: on


def test_strange_arguments_never_raise():
    for strange in STRANGE:
        for other in (strange, 1.5, STRANGE[3]):
            for right in ([True, True, True, False], [True, False, False, True, False, True]):
                tried = [
                    Tried((strange if is_right else other,), {"k": strange}, ("x",), is_right) for is_right in right
                ]
                assert isinstance(condition(tried), str)
    assert condition([]) == ""


def test_of_large_arrays_only_the_shape_is_looked_at():
    large = RNG.normal(size=(500, 1000))
    special = large.copy()
    special[3, 3] = -INF
    began = time.process_time()
    assert condition(Row("", "", "", "x", [large] * 4, [special] * 2).tried()) == ""
    assert "three or more" in condition(Row("", "", "", "x", [large] * 4, [large[None]] * 2).tried())
    assert time.process_time() - began < 2


def test_no_warning_escapes(recwarn):
    for row in TABLE:
        condition(row.tried())
    assert not recwarn.list


def test_a_list_or_dict_of_arrays_is_looked_into():
    """Each array for itself: arrays of unlike shape make no array together."""

    def tried(weights, right):
        return Tried(({"a": weights, "b": np.ones((2, 3))},), {}, ("weights",), right)

    full = [tried(np.array([1.0, 2.0 + n]), True) for n in range(4)]
    infinite = [tried(np.array([1.0, -np.inf]), False), tried(np.array([-np.inf, 2.0]), False)]
    assert condition(full + infinite) == (
        "Right on the 4 inputs without a score of -inf in `weights`, wrong on the 2 that have one."
    )


def test_of_zeros_and_ones_nobody_says_whether_they_repeat():
    def tried(rows, right):
        return Tried((np.array(rows),), {}, ("rows",), right)

    right = [tried([0, 1, 1, 1], True), tried([0, 1], True), tried([2, 5, 7], True), tried([3, 1, 9], True)]
    assert "repeated" not in condition([*right, tried([4, 4, 2], False), tried([6, 3, 6], False)])
