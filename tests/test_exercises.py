"""The grader's own mutation test: what must fail fails, what must pass passes, and every known mistake is named."""

import itertools
from pathlib import Path

import pytest

from mlm_mini.course import notebook as nb
from mlm_mini.course.exercises import all_exercises, find_exercise
from mlm_mini.course.judging import expected_outcomes, judge, mistake_outcomes, same_outcomes

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"
CHAPTERS = nb.read_chapters(SOLUTIONS)
EXERCISES = all_exercises()
MISTAKES = [
    pytest.param(exercise, mistake, function, id=f"{exercise.id}-{place}-{variant}")
    for exercise in EXERCISES.values()
    for place, mistake in enumerate(exercise.mistakes)
    for variant, function in enumerate(mistake.functions)
]
MOST_LINES = 15


def written_functions(notebook, wanted):
    """The function in the exercise cell of a notebook, defined after the notebook's setup cell."""
    namespace: dict = {}
    for cell in notebook.cells:
        if cell.id == "setup" or nb.exercise_id(cell) == wanted:
            exec(compile(cell.source, cell.id, "exec"), namespace)
    return namespace[find_exercise(wanted).reference.__name__]


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


@pytest.mark.parametrize(("exercise", "mistake", "function"), MISTAKES)
def test_each_known_mistake_fails_and_is_named(exercise, mistake, function):
    verdict = judge(exercise, function)
    assert not verdict.correct
    assert verdict.mistake is mistake, "\n".join(verdict.lines)
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


def test_every_exercise_has_its_cell_and_every_cell_its_exercise():
    cells = [name for chapter in CHAPTERS for cell in chapter.cells if (name := nb.exercise_id(cell))]
    assert sorted(cells) == sorted(EXERCISES)
    assert len(EXERCISES) >= 22


def test_every_exercise_cell_is_followed_by_its_check():
    for chapter in CHAPTERS:
        for cell, following in zip(chapter.cells, chapter.cells[1:], strict=False):
            if name := nb.exercise_id(cell):
                function = find_exercise(name).reference.__name__
                assert following.source == f'check("{name}", {function})'


def test_an_unknown_exercise_names_its_neighbors():
    with pytest.raises(ValueError, match=r"did you mean .*01\.softmax"):
        find_exercise("01.sofmax")
    with pytest.raises(ValueError, match="comes first"):
        find_exercise(print)
