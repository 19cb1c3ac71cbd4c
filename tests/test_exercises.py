"""The grader's own mutation test: what must fail fails, what must pass passes, and every known mistake is named."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from mlm_mini import reference
from mlm_mini.course import chance
from mlm_mini.course import notebook as nb
from mlm_mini.course.answer import ANSWER_FILE
from mlm_mini.course.compare import difference
from mlm_mini.course.diagnosis import expected_outcomes, mistake_outcomes, same_outcomes
from mlm_mini.course.exercises import all_exercises, find_exercise
from mlm_mini.course.habits import spoiled
from mlm_mini.course.judging import judge
from mlm_mini.course.run import run_case
from mlm_mini.course.stand_ins import Disk, PowerCut, ToyModel

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"
CHAPTERS = nb.read_chapters(SOLUTIONS)
EXERCISES = all_exercises()
MISTAKES = [
    pytest.param(exercise, mistake, variant, id=f"{exercise.id}-{place}-{variant}")
    for exercise in EXERCISES.values()
    for place, mistake in enumerate(exercise.mistakes)
    for variant in range(len(mistake.ways))
]
HABITS = [(name, habit) for name, exercise in EXERCISES.items() for habit in exercise.habits]
TWINS = [name for name, exercise in EXERCISES.items() if exercise.twin]
MOST_LINES = 15
UNDO_EACH_OTHER = {  # both slips at once are the right answer, written another way
    ("01.jacobian", "p_j where p_i belongs; and p_i where p_j belongs"),
    ("06.self-attention", "scaled twice; and the scores are not scaled"),
    ("03.z-score", "n stands at the wrong place, or nowhere; and the count above, the share below"),
    ("13.paired-drop", "the variance divides by F; and F - 1 under the root"),
    ("13.paired-drop", "half of the factor; and the whole width to either side"),
}


def written_functions(notebook, wanted):
    """The function in the exercise cell of a notebook, defined after the notebook's setup cell."""
    namespace: dict = {}
    for cell in notebook.cells:
        if cell.id == "setup" or nb.exercise_id(cell) == wanted:
            exec(compile(cell.source, cell.id, "exec"), namespace)
    return namespace[find_exercise(wanted).answer.name]


def own_work(exercise):
    """The worked answer as a learner's own: the code is not that of the built answer."""
    return exercise.answer.compiled(exercise.answer.code, "<own ")


@pytest.fixture(scope="module")
def notebooks():
    made = {c.number: (nb.chapter_notebook(c), nb.solution_notebook(c)) for c in CHAPTERS}
    return {name: made[name[:2]] for name in EXERCISES}


@pytest.mark.parametrize("name", EXERCISES)
def test_stub_fails_solution_passes_and_every_hint_says_something(name, notebooks):
    learner, solved = notebooks[name]
    exercise = EXERCISES[name]
    stub = judge(exercise, written_functions(learner, name))
    assert not stub.correct
    solution = judge(exercise, written_functions(solved, name))
    assert solution.correct, "\n".join(solution.lines)
    assert len(exercise.hints) >= 3
    assert all(len(hint.split()) >= 4 for hint in exercise.hints)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_stub_says_that_it_is_not_written_or_shows_the_clinics_symptom(name, notebooks):
    cell = next(cell for cell in notebooks[name][0].cells if nb.exercise_id(cell) == name)
    verdict = judge(EXERCISES[name], written_functions(notebooks[name][0], name))
    if "NotImplementedError" in cell.source:
        assert "not written yet" in "\n".join(verdict.lines)
    else:
        assert verdict.mistake is not None, "the code that a clinic ships must be one of the known mistakes"


@pytest.mark.parametrize(("exercise", "mistake", "variant"), MISTAKES)
def test_each_known_mistake_fails_and_is_named(exercise, mistake, variant):
    verdict = judge(exercise, mistake.ways[variant].function)
    assert not verdict.correct
    assert verdict.mistake is mistake, "\n".join(verdict.lines)
    assert verdict.explanation == mistake.says
    assert any(mistake.name in line for line in verdict.lines)
    assert len(verdict.lines) <= MOST_LINES


@pytest.mark.parametrize("name", EXERCISES)
def test_no_two_mistakes_are_confused(name):
    exercise = EXERCISES[name]
    answers = [("the reference", [expected_outcomes(exercise)])]
    answers += [(mistake.name, mistake_outcomes(exercise, i)) for i, mistake in enumerate(exercise.mistakes)]
    for (one, some), (other, others) in itertools.combinations(answers, 2):
        for outcomes, theirs in itertools.product(some, others):
            assert not same_outcomes(exercise, outcomes, theirs), f"{one!r} and {other!r} answer alike on every input"


@pytest.mark.parametrize("name", EXERCISES)
def test_every_compound_is_caught(name):
    exercise = EXERCISES[name]
    expected = expected_outcomes(exercise)
    quickest = sorted(range(len(expected)), key=lambda i: expected[i].seconds)
    for compound in exercise.compounds:
        if (name, compound.name) in UNDO_EACH_OTHER:
            continue
        for way in compound.ways:
            for index in quickest:
                outcome = run_case(exercise, way.function, exercise.cases[index])
                if not same_outcomes(exercise, [outcome], [expected[index]]):
                    break
            else:
                raise AssertionError(f"passes: {compound.name}\n{way.code}")


@pytest.mark.parametrize("name", TWINS)
def test_the_twin_in_the_package_gives_the_same_answers(name):
    exercise = EXERCISES[name]
    twin = exercise.twin.function()
    for case, expected in zip(exercise.cases, expected_outcomes(exercise), strict=True):
        outcome = run_case(exercise, twin, case)
        if expected.error is not None:
            assert isinstance(outcome.error, type(expected.error)), case.name
        else:
            assert outcome.error is None, f"{case.name}: {outcome.error!r}"
            assert difference(outcome.value, expected.value, exercise.rtol, exercise.atol) is None, case.name


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_is_named_by_the_module_that_defines_it(name):
    """Or a learner's call of it would not be told from any other."""
    module, _, function = EXERCISES[name].twin.path.partition(":")
    found = EXERCISES[name].twin.path and __import__(module, fromlist=["_"])
    for part in function.split("."):
        found = getattr(found, part)
    assert (found.__module__, found.__qualname__) == (module, function)


@pytest.mark.parametrize("name", EXERCISES)
def test_handing_in_the_courses_own_answer_is_noticed(name):
    exercise = EXERCISES[name]
    handed_in = [exercise.reference, lambda *args, **kwargs: exercise.reference(*args, **kwargs)]
    if exercise.twin:
        handed_in.append(exercise.twin.function())
    for function in handed_in:
        verdict = judge(exercise, function)
        assert not verdict.correct
        assert "the course's own answer" in "\n".join(verdict.lines)


def test_the_answer_to_another_exercise_is_noticed_and_the_packages_earlier_ones_may_be_called():
    exercise = EXERCISES["01.temperature"]

    def by_the_built_answer(logits, tau):
        return EXERCISES["01.softmax"].reference(logits / tau)

    def by_the_earlier_twin(logits, tau):
        return reference.softmax(logits / tau)

    def by_a_later_twin(logits, axis=-1):
        return np.exp(reference.log_softmax(logits, axis))

    assert "the course's own answer" in "\n".join(judge(exercise, by_the_built_answer).lines)
    assert judge(exercise, by_the_earlier_twin).correct
    assert "the course's own answer" in "\n".join(judge(EXERCISES["01.softmax"], by_a_later_twin).lines)


@pytest.mark.parametrize(("name", "declared"), HABITS)
def test_who_lacks_a_habit_is_refused(name, declared):
    exercise = EXERCISES[name]
    for place, wrong in enumerate(spoiled(declared, own_work(exercise))):
        verdict = judge(exercise, wrong)
        assert not verdict.correct, f"wrong answer {place} of the habit {declared!r} passes"


@pytest.mark.parametrize("name", EXERCISES)
def test_every_exercise_with_a_generator_asks_for_its_habit(name):
    exercise = EXERCISES[name]
    parameters = exercise.answer.code.split("def " + exercise.answer.name + "(")[1].split(")")[0]
    if "rng" in parameters:
        assert "rng" in exercise.habits


@pytest.mark.parametrize("name", [name for name, exercise in EXERCISES.items() if exercise.observe])
def test_what_is_measured_can_be_measured_on_the_worked_answer(name):
    """Or every wrong answer that raises the same would pass."""
    exercise = EXERCISES[name]
    for case, expected in zip(exercise.cases, expected_outcomes(exercise), strict=True):
        assert expected.error is None, f"{case.name}: {expected.error!r}"


def test_a_learners_own_work_is_not_taken_for_the_courses():
    for exercise in EXERCISES.values():
        function = own_work(exercise)
        assert not function.__code__.co_filename.startswith(ANSWER_FILE)
        assert judge(exercise, function).correct, exercise.id


def test_every_exercise_has_its_cell_and_every_cell_its_exercise():
    cells = [name for chapter in CHAPTERS for cell in chapter.cells if (name := nb.exercise_id(cell))]
    assert sorted(cells) == sorted(EXERCISES)
    assert len(EXERCISES) >= 22


def test_every_exercise_cell_is_followed_by_its_check():
    for chapter in CHAPTERS:
        for cell, following in zip(chapter.cells, chapter.cells[1:], strict=False):
            if name := nb.exercise_id(cell):
                function = find_exercise(name).answer.name
                assert following.source == f'check("{name}", {function})'


def test_an_unknown_exercise_names_its_neighbors():
    with pytest.raises(ValueError, match=r"did you mean .*01\.softmax"):
        find_exercise("01.sofmax")
    with pytest.raises(ValueError, match="comes first"):
        find_exercise(print)


# ---- what is measured about luck


def rows(*texts):
    return np.array([[letter == "x" for letter in text] for text in texts])


@pytest.mark.parametrize(
    ("chosen", "may", "axis", "excess"),
    [
        (rows("xx.."), rows("xxxx"), 1, 1 / 3 - 2 / 9),  # of xx, x. and .. one in three, beside 2/3 and 1/3
        (rows("x.x.x"), rows("xxxxx"), 1, -1 / 4),
        (rows("x.x.x"), rows("x.x.x"), 1, 0.0),  # there are no neighbors
        (rows("xx", "..", "xx"), rows("xx", "xx", "xx"), 0, -1 / 4),
        (rows("xx", "..", "xx"), rows("xx", "xx", "xx"), 1, 2 / 3 - 4 / 9),
    ],
)
def test_neighbors_that_fare_alike_are_counted_beside_chance(chosen, may, axis, excess):
    assert chance.together(chosen, may, axis) == pytest.approx(excess, abs=1e-4)


def test_values_that_repeat_are_counted_beside_chance():
    every = np.ones((1, 5), dtype=bool)
    assert chance.alike(np.array([[1, 1, 2, 2, 1]]), every, 1) == 0  # pairs 11 12 22 21: a half, and a half by chance
    assert chance.alike(np.array([[1, 2, 1, 2, 1]]), every, 1) == -0.5
    values = np.random.default_rng(0).integers(0, 4, (200, 200))
    found, deviation = chance._excess(values, np.ones_like(values, dtype=bool), 1)
    assert abs(found) < 5 * deviation
    assert deviation == pytest.approx(np.sqrt(3 / 16 / values.size), rel=0.05)  # of draws that agree one time in four


@pytest.mark.parametrize(
    ("counts", "p", "times"),
    [
        ([0, 10], None, 5 / np.sqrt(2.5)),
        ([5, 5], None, 0.0),
        ([4, 6], 0.5, 1 / np.sqrt(2.5)),
        ([10, 10], None, 1.0),  # nothing is left to luck
        ([4, 6], 0.1, 1 / np.sqrt(0.9)),
    ],
)
def test_the_spread_of_counts_is_beside_that_of_single_draws(counts, p, times):
    assert chance.spread(counts, 10, p) == pytest.approx(times)
    assert chance.varies(counts, 10, p) == (0.4 < times < 2)


def test_what_was_found_is_said_in_words():
    said = [chance.beside_independent(times) for times in (0.39, 0.41, 1.99, 2.01)]
    assert said == ["too little", "as they should", "as they should", "too much"]
    said = [chance.beside_chance(excess) for excess in (-0.0061, -0.006, 0.006, 0.0061)]
    assert said == ["less often", "as often", "as often", "far more often"]
    assert [chance.amount(rows(text), many=False) for text in ("..", "x.", "xx")] == ["none", "some", "all"]
    assert chance.amount(rows("x..."), many=True) == 0.25
    assert chance.share(np.array([])) == 0.0


def test_draws_in_a_row_go_on_with_one_generator_and_leave_the_arguments():
    rng, given = np.random.default_rng(3), np.zeros(2)

    def draw(values, rng):
        values += 1
        return values + rng.random(2)

    expected = np.random.default_rng(3).random((3, 2)) + 1
    np.testing.assert_array_equal(chance.in_a_row(draw, 3, given, rng), expected)
    assert not given.any()
    assert rng.random() == expected[0, 0] - 1
    assert chance.repeatable(draw, given, rng)
    assert not chance.repeatable(lambda values, rng: np.random.default_rng().random(2), given, rng)


# ---- what stands in


def test_a_disk_keeps_half_of_what_was_not_flushed_and_stops_before_an_operation():
    disk = Disk({"old": b"1234"})
    disk.write("new", b"abcdef")
    assert disk.after_a_cut() == {"old": b"1234", "new": b"abc"}
    disk.flush("new")
    disk.rename("new", "old")
    assert disk.after_a_cut() == {"old": b"abcdef"}
    assert disk.written == {"new"}
    for missing in (disk.flush, disk.delete, lambda name: disk.rename(name, "newer")):
        with pytest.raises(FileNotFoundError, match="'new'"):
            missing("new")
    disk.operations_left = 1
    disk.delete("old")
    assert not disk.exists("old")
    with pytest.raises(PowerCut):
        disk.write("late", b"x")
    assert disk.lost_power
    assert disk.after_a_cut() == {}


def test_a_toy_model_pays_for_each_part_in_training():
    model = ToyModel(slope=3.0)
    assert model(2.0) == 6 + 3  # itself and two parts
    next(model.children()).eval()
    assert model(2.0) == 6 + 2
    assert model.eval()(2.0) == 6
    assert model.train() is model
    assert [part.training for part in model.modules()] == [True] * 3
    with pytest.raises(ValueError, match="missing"):
        model(None)
