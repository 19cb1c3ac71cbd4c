"""Notebooks to be marked, for tests of the grader: chapters in which some cells are written."""

import json
from functools import cache
from pathlib import Path

from mlm_mini.course import notebook as nb
from mlm_mini.course.exercises import find_exercise

TOP = Path(__file__).resolve().parents[1]


@cache
def _chapter(number, solved):
    source = nb.read_chapter(next((TOP / "solutions").glob(f"{number}_*.py")))
    return json.dumps(nb.solution_notebook(source) if solved else nb.chapter_notebook(source))


def chapter(number, solved=False):
    """A chapter's notebook as a dict, to be changed at will."""
    return json.loads(_chapter(number, solved))


def cell_of(notebook, exercise_id):
    """The place of the cell of an exercise."""
    return next(
        place
        for place, cell in enumerate(notebook["cells"])
        if cell["cell_type"] == "code" and "".join(cell["source"]).startswith(f"# exercise: {exercise_id}\n")
    )


def written(exercise_id, source, *more):
    """The chapter with one exercise written, and more code cells before it."""
    notebook = chapter(exercise_id[:2])
    place = cell_of(notebook, exercise_id)
    notebook["cells"][place]["source"] = f"# exercise: {exercise_id}\n{source}"
    notebook["cells"][place:place] = [code(text) for text in more]
    return notebook


def code(source, **rest):
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source, **rest}


def content(notebook):
    return json.dumps(notebook).encode()


def answer(exercise_id):
    """The worked answer, in a cell that stands alone."""
    return find_exercise(exercise_id).answer.code


def hand_in(folder, notebooks):
    """A folder per learner, each with a notebook of chapter 00. notebooks: the bytes of each, by the learner's name."""
    for name, raw in notebooks.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "00_fill_in_the_blanks.ipynb").write_bytes(raw)
