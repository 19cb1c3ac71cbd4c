"""What `check` says about code of every kind, on an exercise made for these tests."""

import dataclasses
import functools
import statistics
import threading
import time
from collections import Counter, defaultdict

import numpy as np
import pytest

from mlm_mini import reference
from mlm_mini.course import judging
from mlm_mini.course.compare import difference
from mlm_mini.course.exercise import Case, Exercise, Mistake
from mlm_mini.course.judging import CheckFailed, check, hint, judge
from mlm_mini.course.report import one_line, value_text
from mlm_mini.course.run import TimeLimitReached, time_limit

MOST_LINES = 15


def center(values, axis=-1):
    """The reference: subtracts the mean along an axis. An empty axis is an error."""
    if values.shape[axis] == 0:
        raise ValueError("no values to center")
    return values - values.mean(axis, keepdims=True)


def subtract_whole_mean(values, axis=-1):
    return values - values.mean()


def forget_keepdims(values, axis=-1):
    return values - values.mean(axis)


CENTER = Exercise(
    id="99.center",
    title="Center",
    reference=center,
    cases=(
        Case("two rows", (np.array([[1.0, 3.0], [5.0, 9.0]]),)),
        Case("one number", (np.array([2.0]),)),
        Case("the other axis", (np.arange(6.0).reshape(2, 3),), {"axis": 0}),
        Case("random rows", (np.random.default_rng(0).normal(size=(3, 4)),)),
        Case("nothing", (np.zeros((2, 0)),)),
    ),
    mistakes=(
        Mistake("whole mean", "Each row keeps its own offset.", subtract_whole_mean),
        Mistake("no keepdims", "The means line up with the wrong axis.", forget_keepdims),
    ),
    hints=("Think of one row.", "Which axis is averaged?", "Keep the dimension."),
    minutes=3,
)


@pytest.fixture(autouse=True)
def known(monkeypatch, data_folder):
    def find(name):
        if name != CENTER.id:
            raise ValueError(name)
        return CENTER

    monkeypatch.setattr(judging, "find_exercise", find)


def right(values, axis=-1):
    if not values.shape[axis]:
        raise ValueError("empty")
    return values - np.mean(values, axis=axis, keepdims=True)


def said(function, seconds=10.0):
    verdict = judge(CENTER, function, seconds)
    assert not verdict.correct
    assert len(verdict.lines) <= MOST_LINES
    return "\n".join(verdict.lines)


def test_a_right_answer_is_told_in_one_line(capsys):
    check("99.center", right)
    assert capsys.readouterr().out == "99.center: correct on all 5 inputs.\n"


def test_a_wrong_answer_raises_with_the_report_alone():
    with pytest.raises(CheckFailed) as caught:
        check("99.center", subtract_whole_mean)
    lines = caught.value._render_traceback_()
    assert lines == str(caught.value).splitlines()
    assert lines[0] == "99.center: not right yet."
    assert "Known mistake: whole mean." in lines
    assert isinstance(caught.value, AssertionError)


def test_report_shows_the_smallest_failing_input_both_answers_and_the_largest_difference():
    text = said(lambda values, axis=-1: right(values, axis) + (values.size > 1))
    assert "Smallest failing input: two rows; 2 of 5 inputs are right." in text
    assert "center(values=[[1., 3.], [5., 9.]])" in text
    assert "Yours:    [[0., 2.], [-1., 3.]]" in text
    assert "Expected: [[-1., 1.], [-2., 2.]]" in text
    assert "Largest difference: 1 at [0, 0]" in text
    assert 'hint("99.center")' in text


def test_each_kind_of_wrong_code_gets_its_sentence():
    assert "is a `return` missing" in said(lambda values, axis=-1: None)
    assert "is a list of 1; expected a float64 array" in said(lambda values, axis=-1: right(values, axis).tolist())
    assert "shape (4,); expected (2, 2)" in said(lambda values, axis=-1: right(values, axis).ravel())
    assert "holds int64; expected real numbers" in said(lambda values, axis=-1: right(values, axis).astype(int))
    assert "float32, which is too coarse" in said(lambda v, axis=-1: right(v, axis).astype("f4"))
    assert "which is not a function" in said(3.0)
    assert "without parentheses" in said(np.zeros(3))
    assert "the class int" in said(int)
    assert "cannot be called so" in said(lambda: 0)
    assert "not written yet" in said(unwritten)
    assert "calls exit()" in said(lambda values, axis=-1: exit(1))


def unwritten(values, axis=-1):
    raise NotImplementedError("99.center is yours to write")


def test_changed_input_is_told_even_when_the_answer_is_right():
    def in_place(values, axis=-1):
        answer = right(values, axis)
        values *= 0
        return answer

    assert "modifies its input (argument 1)" in said(in_place)


def test_an_error_of_the_learners_own_names_the_line():
    def broken(values, axis=-1):
        return values.no_such_thing

    text = said(broken)
    assert "raised AttributeError" in text
    assert "return values.no_such_thing" in text


def test_an_error_inside_the_package_names_the_learners_line_that_called_it():
    def careless(values, axis=-1):
        return reference.softmax(values * np.nan)

    text = said(careless)
    assert "raised ValueError" in text
    assert "of your code: return reference.softmax(values * np.nan)" in text


def test_an_expected_error_is_asked_for():
    text = said(lambda values, axis=-1: values - (values.mean(axis, keepdims=True) if values.size else 0))
    assert "Expected a ValueError for this input" in text
    text = said(lambda values, axis=-1: right(values, axis) if values.size else ValueError("empty"))
    assert "returns the ValueError" in text


def test_code_that_hangs_is_stopped():
    def forever(values, axis=-1):
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    begun = time.monotonic()
    assert "did not finish" in said(forever, seconds=0.2)
    assert time.monotonic() - begun < 3


def test_the_time_limit_holds_outside_the_main_thread():
    stopped = []

    def work():
        try:
            with time_limit(0.1):
                while True:
                    pass
        except TimeLimitReached:
            stopped.append(True)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    assert stopped


def test_a_swallowed_time_limit_comes_again():
    def stubborn():
        count = 0
        while True:
            try:
                while True:
                    pass
            except:  # noqa: E722
                count += 1
                if count == 2:
                    raise

    with pytest.raises(TimeLimitReached), time_limit(0.1):
        stubborn()


def test_a_lot_of_printing_is_kept_out(capsys):
    def chatty(values, axis=-1):
        print("looking at it " * 1000)
        return right(values, axis)

    check("99.center", chatty)
    out = capsys.readouterr().out
    assert "It printed 14001 characters" in out
    assert len(out) < 200
    assert "beginning: looking at it" in said(lambda values, axis=-1: print("looking at it"))


def only_at_first(values, axis=-1):
    return right(values, axis) if values.shape == (2, 2) else center(values, axis)


def in_a_thread(values, axis=-1):
    answer = []
    thread = threading.Thread(target=lambda: answer.append(center(values, axis)))
    thread.start()
    thread.join()
    return answer[0] if answer else right(values, axis)


@pytest.mark.parametrize(
    "handed_in",
    [
        center,
        functools.partial(center, axis=-1),
        lambda values, axis=-1: center(values, axis),
        functools.wraps(center)(lambda values, axis=-1: center(values, axis)),
        only_at_first,
        in_a_thread,
    ],
    ids=["itself", "partial", "wrapped in a lambda", "wraps", "after the first input", "in a thread"],
)
def test_handing_in_the_courses_answer_is_noticed_kindly(handed_in):
    assert "the course's own answer" in said(handed_in)


def test_other_functions_can_give_the_answer_away_too():
    exercise = dataclasses.replace(CENTER, answers_in=(reference.softmax,))

    def near(values, axis=-1):
        return values - reference.softmax(values, axis)

    assert judge(exercise, near).lines[1].startswith("This calls the course's own answer")
    assert not judge(CENTER, near).lines[1].startswith("This calls")


def test_only_the_expected_kind_of_error_is_accepted():
    def wrong_kind(values, axis=-1):
        if not values.size:
            raise KeyError("nothing")
        return right(values, axis)

    text = said(wrong_kind)
    assert "raised KeyError" in text
    assert "Expected: ValueError" in text


def test_a_keyword_argument_that_is_changed_is_named():
    def add(values, more):
        return values + more

    def in_place(values, more):
        more += values
        return more.copy()

    case = Case("two", (np.ones(2),), {"more": np.ones(2)})
    exercise = Exercise("99.add", "Add", add, (case,), (), ("Think of one number.",), 1)
    assert "modifies its input (more)" in "\n".join(judge(exercise, in_place).lines)


def test_code_that_swallows_its_time_limit_does_not_pass():
    def swallow(values, axis=-1):
        begun = time.monotonic()
        while time.monotonic() - begun < 0.3:
            try:
                time.sleep(0.3)
            except:  # noqa: E722
                break
        return right(values, axis)

    assert "did not finish within 0.1 seconds" in said(swallow, seconds=0.1)


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


def raise_mute(values, axis=-1):
    raise Mute


def endless(values, axis=-1):
    answer = []
    answer.append(answer)
    return answer


async def later(values, axis=-1):
    return values


class Callable:
    def __call__(self, values, axis=-1):
        return None

    def __getattr__(self, name):
        raise RuntimeError(name)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (raise_mute, "raised Mute"),
        (endless, "is a list of 1"),
        (later, "async def"),
        (lambda values, axis=-1: statistics.mean([]), "of your code: (lambda values"),
        (lambda values, axis=-1: 10**5000, "is an int"),
        (Callable(), "None"),
    ],
    ids=["mute error", "endless list", "async", "error in Python's library", "huge number", "hostile object"],
)
def test_strange_code_gets_a_sentence_and_no_traceback(function, words):
    assert words in said(function)


DIFFERENT = [
    (1.5, 1.5 + 1e-5, "1.5 where 1.50001 is expected"),
    (True, 1.0, "a bool; expected a float"),
    (2.0, 2, "a float; expected an int"),
    (np.complex128(2), 2.0, "a complex128; expected a float"),
    (np.complex128(2), 2, "a complex128; expected an int"),
    (np.timedelta64(2), 2, "a timedelta64; expected an int"),
    (np.array(None), 1.0, "expected a float"),
    (np.array("2"), 2, "expected an int"),
    (10**400, 1.0, "an int; expected a float"),
    ("a", "b", "'a' where 'b' is expected"),
    (None, "b", "None"),
    ("b", None, "a str; expected None"),
    (np.array(["a", "b"]), np.array(["a", "c"]), "b where c is expected"),
    (np.array([1, 2]), np.array([1, 3]), "2 where 3 is expected"),
    (np.array([1.0, 2.0]), np.array([1, 2]), "holds float64; expected whole numbers"),
    (np.array([1, 0]), np.array([True, False]), "holds int64; expected true or false"),
    (np.array([1j]), np.array([1.0]), "holds complex128; expected real numbers"),
    (np.array([np.nan, 1.0]), np.array([0.0, 1.0]), "nan where 0.0 is expected"),
    (np.array([1.1, 7.0, 3.0]), np.array([1.0, 2.0, 3.0]), "7.0 where 2.0 is expected"),
    ([1.0], [1.0, 2.0], "has 1 item; expected 2"),
    (np.ma.array([1.0]), np.array([1.0]), "MaskedArray"),
    ({"a": 1}, {"b": 1}, "has the keys ['a']"),
    ([("a", 1.0)], {"a": 1.0}, "a list of 1; expected a dict of 1"),
]


@pytest.mark.parametrize(("yours", "expected", "words"), DIFFERENT)
def test_what_differs_is_said(yours, expected, words):
    assert words in difference(yours, expected, 1e-8, 1e-10).sentence


ALIKE = [
    (np.float64(0.5), 0.5),
    (np.array(0.5), 0.5),
    (1, 1.0),
    (np.int32(3), 3),
    (np.str_("a"), "a"),
    ((1.0, [2]), [1.0, (2,)]),
    (np.array([np.nan, np.inf]), np.array([np.nan, np.inf])),
    (0.5, np.array(0.5)),
    (np.array([1], dtype=np.int32), np.array([1])),
]


@pytest.mark.parametrize(("yours", "expected"), ALIKE)
def test_what_agrees_is_accepted(yours, expected):
    assert difference(yours, expected, 1e-8, 1e-10) is None


def test_a_hint_is_given_even_where_nothing_can_be_remembered(monkeypatch, capsys):
    def refuse(*_):
        raise OSError("read-only")

    monkeypatch.setattr(judging.progress, "next_hint", refuse)
    with pytest.warns(UserWarning, match="read-only"):
        hint("99.center")
    assert "Hint 1 of 3" in capsys.readouterr().out


def test_the_judge_never_asks_the_learners_own_equality():
    class Agreeable(np.ndarray):
        def __eq__(self, other):
            return True

    class Liar:
        shape = (2, 2)

        def __array__(self, *args, **kwargs):
            raise AssertionError("the judge looked inside")

        def __eq__(self, other):
            return True

    assert "Agreeable" in said(lambda values, axis=-1: np.zeros((2, 2)).view(Agreeable))
    assert "Liar" in said(lambda values, axis=-1: Liar())


def test_an_interrupt_of_the_learners_is_passed_on():
    def interrupted(values, axis=-1):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(CENTER, interrupted)


def test_random_answers_are_compared_by_what_is_measured():
    def draw(n, rng):
        return rng.random(n) < 0.25

    coin = Exercise(
        id="99.coin",
        title="Coin",
        reference=draw,
        cases=(Case("many", (100_000, np.random.default_rng(0))),),
        mistakes=(Mistake("fair", "Half of yours are heads.", lambda n, rng: rng.random(n) < 0.5),),
        hints=("Compare a uniform number with the ratio.",),
        minutes=1,
        observe=lambda function, n, rng: {"share": float(np.mean(function(n, rng))), "length": len(function(n, rng))},
        rtol=0,
        atol=0.01,
    )
    assert judge(coin, lambda n, rng: rng.permutation(n) < n // 4).correct
    verdict = judge(coin, lambda n, rng: rng.integers(0, 2, n) == 1)
    assert verdict.mistake is coin.mistakes[0]
    assert any(line.startswith("Yours:    share = 0.") for line in verdict.lines)
    assert any(line.startswith("Expected: about share = 0.2") for line in verdict.lines)
    assert any("chance alone stays within 0.01" in line for line in verdict.lines)


def test_a_counter_is_as_good_as_a_dict_and_numpys_words_as_words():
    expected = {"a": 0.5, "b": 0.5}
    for yours in (Counter(a=0.5, b=0.5), defaultdict(float, expected), {np.str_(key): 0.5 for key in "ab"}):
        assert difference(yours, expected, 1e-9, 0) is None
    assert "keys ['a']" in difference(defaultdict(float, a=0.5), expected, 1e-9, 0).sentence
    assert "a tuple of 1 as a key" in difference({("a",): 1.0}, expected, 1e-9, 0).sentence


def test_a_difference_deep_inside_says_where():
    found = difference([["a"], ["b", None]], [["a"], ["b", "c"]], 0, 0)
    assert found.where == "[1][1]"
    assert found.sentence == "The part at [1][1] is None; expected a str."
    assert difference([["a"], ["b"]], [["a"], ["b", "c"]], 0, 0).sentence == "The part at [1] has 1 item; expected 2."


def test_a_mistake_has_variants():
    wrong = tuple(lambda values, axis=-1, n=n: values - n for n in (100, 200, 300))
    exercise = dataclasses.replace(CENTER, mistakes=(Mistake("a constant", "Not the mean.", wrong[0], wrong[1:]),))
    for function in wrong:
        assert judge(exercise, function).mistake is exercise.mistakes[0]
    assert judge(exercise, lambda values, axis=-1: values - 400).mistake is None


def test_a_report_shows_the_part_that_differs_and_the_shape_of_what_is_large():
    assert value_text("Yours: ", {"a": {"b": 1.5, "c": 2.5}}, near="['a']['c']") == ["Yours: a = c = 2.5"]
    assert one_line(np.zeros((30, 40))) == "float64 array of shape (30, 40)"


def test_hints_go_one_step_at_a_time_and_stay_at_the_last(capsys):
    for _ in range(4):
        hint("99.center")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"Hint {n} of 3 for 99.center" for n in (1, 2, 3, 3)]
    assert "worked answer" in lines[2]


def test_a_progress_file_that_cannot_be_written_does_not_fail_a_check(monkeypatch, capsys):
    def refuse(*_):
        raise OSError("disk full")

    monkeypatch.setattr(judging.progress, "record_attempt", refuse)
    with pytest.warns(UserWarning, match="disk full"):
        check("99.center", right)
    assert "correct" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "softmax"}, "exercise id"),
        ({"cases": ()}, "no cases"),
        ({"hints": ("ok then", " ")}, "empty hint"),
        ({"hints": ("same", "same")}, "same hint twice"),
        ({"minutes": 0}, "minutes is 0"),
    ],
)
def test_an_exercise_that_is_not_whole_is_refused(change, message):
    fields = {
        name: getattr(CENTER, name) for name in ("id", "title", "reference", "cases", "mistakes", "hints", "minutes")
    }
    with pytest.raises(ValueError, match=message):
        Exercise(**(fields | change))
