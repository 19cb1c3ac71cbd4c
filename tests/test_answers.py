"""Worked answers as text, what edits make of them, and the page on which a teacher writes the edits."""

import dataclasses
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from test_notebook import BODY, HEADER

from mlm_mini.course import notebook as nb
from mlm_mini.course.answer import ANSWER_FILE, Answer, Edit, EditError, Wrong
from mlm_mini.course.answer_building import answers_module
from mlm_mini.course.exercise import Case, Exercise
from mlm_mini.course.habits import spoiled
from mlm_mini.course.judging import judge
from mlm_mini.course.page import PageError, families, read_hints, read_mistakes

TOP = Path(__file__).resolve().parents[1]
MEAN = Answer(
    "99.mean",
    """
    import numpy as np


    def total(values):
        return values.sum()


    def mean(values, weight=1.0):
        scaled = values * weight
        return total(scaled) / len(values)
    """,
)


def made(*edits):
    return Wrong(MEAN, tuple(Edit(*edit) for edit in edits))


def test_an_answer_is_its_last_function():
    assert MEAN.name == "mean"
    assert MEAN.function(np.array([1.0, 3.0])) == 2.0
    assert MEAN.function.__code__.co_filename.startswith(ANSWER_FILE)


def test_an_edit_changes_what_it_names_and_nothing_else():
    assert made(("values * weight", "values + weight")).function(np.array([1.0, 3.0])) == 3.0
    both = made(("total(scaled)", "total(scaled) + 1"), ("values * weight", "values"))
    assert both.function(np.array([1.0, 3.0]), 5.0) == 4.5
    assert MEAN.function(np.array([1.0, 3.0])) == 2.0


@pytest.mark.parametrize(("old", "times"), [("values", 5), ("median", 0), ("", 0)])
def test_an_edit_must_fit_exactly_once(old, times):
    with pytest.raises(EditError, match=f"stands {times} times"):
        _ = made((old, "x")).code


def test_edits_that_meet_are_refused_and_make_no_compound():
    with pytest.raises(EditError, match="change the same text"):
        _ = made(("total(scaled)", "1"), ("(scaled) /", "2")).code
    assert made(("total(scaled)", "1")).combined(made(("(scaled) /", "2"))) is None
    assert made(("total(scaled)", "1")).combined(Wrong(MEAN, body="return 1")) is None
    both = made(("total(scaled)", "1")).combined(made(("values * weight", "values")))
    assert "scaled = values\n    return 1 / len(values)" in both.code


def test_an_edit_that_leaves_no_python_says_so():
    with pytest.raises(EditError, match="no valid Python"):
        _ = made(("values * weight", "values *")).function


def test_another_body_keeps_the_name_the_arguments_and_the_helpers():
    wrong = Wrong(MEAN, body="    return total(values) * weight\n")
    assert "def mean(values, weight=1.0):\n    return total(values) * weight\n" in wrong.code
    assert "def total(values):" in wrong.code


def test_a_mistake_may_call_what_the_table_hands_it():
    wrong = Wrong(MEAN, body="return middle(values)", helpers={"middle": lambda values: values[1]})
    assert wrong.function([1, 2, 3]) == 2


def test_an_answer_that_was_never_built_says_what_to_do():
    with pytest.raises(ValueError, match=r"98\.nothing has no worked answer"):
        _ = Answer("98.nothing").code


PAGE = """
- a sum: You add up
  and never divide.
      / len(values) =>
- off by one: Count again.
      len(values) => (len(values) - 1)
   or len(values) => (len(values) + 1)
- two edits: Both.
      total(scaled)
      => scaled.max()
      values * weight => values
- bits
      return total => return 1 / np.log(2) * total
- stops (raises): It stops.
      instead:
          if len(values):
              raise KeyError
          return 0
"""


def test_a_page_reads_as_it_is_written():
    found = {name: (says, raises, ways) for name, says, raises, ways in read_mistakes(PAGE, MEAN, {})}
    assert list(found) == ["a sum", "off by one", "two edits", "bits", "stops"]
    says, raises, ways = found["a sum"]
    assert (says, raises) == ("You add up and never divide.", False)
    assert ways[0].edits == (Edit("/ len(values)", ""),)
    assert [way.edits[0].new for way in found["off by one"][2]] == ["(len(values) - 1)", "(len(values) + 1)"]
    assert found["two edits"][2][0].edits == (Edit("total(scaled)", "scaled.max()"), Edit("values * weight", "values"))
    assert found["bits"][0] == families()["bits"]
    assert found["stops"][1]
    assert "    if len(values):\n        raise KeyError\n    return 0\n" in found["stops"][2][0].code


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("- no such family\n      a => b", "no sentence"),
        ("- a name: A sentence.", "no edit"),
        ("- a name: A sentence.\n      just code", "expected `old => new`"),
        ("stray line\n- a name: A sentence.\n      a => b", "belongs to none: stray line"),
    ],
)
def test_a_page_that_cannot_be_read_says_where(page, message):
    with pytest.raises(PageError, match=message):
        list(read_mistakes(page, MEAN, {}))


def test_hints_are_bullets():
    assert read_hints("- one\n  more\n- two") == ("one more", "two")


@pytest.fixture
def chapter(tmp_path):
    def write(setup, answer):
        body = BODY.replace("import numpy as np", setup).replace("    return answer_of_the_author", answer)
        path = tmp_path / "99_double.py"
        path.write_text(HEADER + textwrap.dedent(body), encoding="utf-8")
        return nb.read_chapter(path)

    return write


def answers_of(chapter):
    namespace = {}
    exec(answers_module(chapter), namespace)
    return namespace["ANSWERS"]


def test_an_answer_takes_along_the_imports_that_it_uses_and_no_others(chapter):
    made = chapter("import os\nimport numpy as np\nfrom math import pi, tau", "    return np.abs(values) * tau")
    code = answers_of(made)["99.double"]
    assert "import numpy as np\nfrom math import tau\n\n\ndef double(values):" in code
    assert "import os" not in code
    assert '"""' not in code
    assert "Where to start" not in code


def test_an_answer_must_stand_alone(chapter):
    with pytest.raises(nb.SourceError, match="the answer uses words, which the setup cell does not import"):
        answers_module(chapter("import numpy as np\nwords = [1]", "    return words"))


def test_a_check_needs_no_solutions(tmp_path):
    """As where the package was installed from a wheel."""
    shutil.copytree(TOP / "mlm_mini", tmp_path / "mlm_mini", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import mlm_mini, numpy as np\n"
        f"assert mlm_mini.__file__.startswith({str(tmp_path)!r})\n"
        "from mlm_mini.course import check\n"
        "check('01.softmax', lambda logits, axis=-1: __import__('scipy').special.softmax(logits, axis))\n"
    )
    environment = {"PYTHONPATH": str(tmp_path), "MLM_MINI_DATA": str(tmp_path / "data"), "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "01.softmax: correct on all 15 inputs.\n", done.stderr


def test_the_readmes_exercise_is_whole_and_short(chapter):
    cell, page = re.findall(r"```python\n(.*?)```", (TOP / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len((cell + page).splitlines()) <= 45
    namespace = {"np": np, "Case": Case, "Exercise": Exercise}
    exec(page, namespace)
    (exercise,) = namespace["EXERCISES"]
    answer = Answer(exercise.id, "import numpy as np\n" + cell)
    exercise = dataclasses.replace(exercise, answer=answer, mistakes=page.split('mistakes="""')[1].split('"""')[0])
    assert len(exercise.mistakes) == 5
    for mistake in exercise.mistakes:
        assert judge(exercise, mistake.functions[0]).mistake is mistake
    for declared in exercise.habits:
        for wrong in spoiled(declared, answer.compiled(answer.code, "<own ")):
            assert not judge(exercise, wrong).correct
    assert judge(exercise, lambda p: np.log(p / (1 - p))).correct
