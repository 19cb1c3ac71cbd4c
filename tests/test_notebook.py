"""One source, two notebooks: the markers, the stubs, the leaks, and what a careless author would do."""

import textwrap

import nbformat
import pytest

from mlm_mini.course import notebook as nb

HEADER = """\
# ---
# jupyter:
#   course:
#     title: Softmax
#     question: How?
#     minutes: 10
#     prerequisites: none
# ---

"""
BODY = """\
# %% [markdown] id="title"
# # A title

# %% id="setup"
import numpy as np

# %% id="ex-double" tags=["keep-me"]
# exercise: 99.double
def double(values):
    \"\"\"Twice the values.\"\"\"
    # Where to start: what is x + x?
    # <solution>
    answer_of_the_author = values + values
    return answer_of_the_author
    # </solution>

# %% id="check-double"
check("99.double", double)
"""


@pytest.fixture
def chapter(tmp_path):
    def write(body=BODY, header=HEADER, name="99_double.py"):
        path = tmp_path / name
        path.write_text(header + textwrap.dedent(body), encoding="utf-8")
        return nb.read_chapter(path)

    return write


def test_header_and_cells(chapter):
    made = chapter()
    assert (made.number, made.name, made.title, made.minutes) == ("99", "99_double", "Softmax", 10)
    assert [cell.id for cell in made.cells] == ["title", "setup", "ex-double", "check-double"]


def exercise_of(notebook):
    return next(cell for cell in notebook.cells if nb.exercise_id(cell))


def test_the_learner_gets_a_stub_and_the_solution_no_markers(chapter):
    made = chapter()
    learner, solved = nb.chapter_notebook(made), nb.solution_notebook(made)
    stub, answer = exercise_of(learner).source, exercise_of(solved).source
    assert stub.splitlines()[0] == "# exercise: 99.double"
    assert stub.splitlines()[-1] == '    raise NotImplementedError("99.double is yours to write")'
    assert "answer_of_the_author" in answer
    assert "solution>" not in stub + answer
    assert "Where to start" in stub
    for notebook in (learner, solved):
        nbformat.validate(notebook)
        added = {nb.LINKS_ID, nb.INSTALL_ID}
        assert [cell.id for cell in notebook.cells if cell.id not in added] == [cell.id for cell in made.cells]
        assert exercise_of(notebook).metadata == {"tags": ["keep-me"]}


def test_a_clinic_shows_broken_code_and_the_solution_leaves_it_out(chapter):
    made = chapter(
        BODY.replace(
            "    # <solution>",
            "    # <broken>\n    #| answer = values\n    #| if len(values):\n    #|     answer = values * 3\n"
            "    #| return answer\n    # </broken>\n    # <solution>",
        )
    )
    stub = exercise_of(nb.chapter_notebook(made)).source
    assert stub.endswith("    answer = values\n    if len(values):\n        answer = values * 3\n    return answer")
    assert "values * 3" not in exercise_of(nb.solution_notebook(made)).source


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id="setup"', "", "cell 2 has the id None"),
        ('id="setup"', 'id="title"', "two cells have the id 'title'"),
        ('id="setup"', 'id="a b"', "cell 2 has the id 'a b'"),
        ("    # </solution>\n", "", "never closed"),
        ("    # <solution>\n", "", "without its partner"),
        ("# exercise: 99.double\n", "", "first line is not"),
        ("return answer_of_the_author\n", "return answer_of_the_author)\n", "not valid Python"),
        ("import numpy as np", "import numpy as np\nanswer_of_the_author = values + values", "can be read"),
        ("# # A title", "# # A title: `answer_of_the_author = values+values`", "can be read"),
        ('# %% id="setup"', '# %% [raw] id="setup"', "of type raw"),
        ("#     title: Softmax", "#     title: [Softmax", "cannot be read"),
        ("#     minutes: 10\n", "", "exactly title, question, minutes"),
        ("#     minutes: 10\n", "#     minutes: ten\n", "exactly title, question, minutes"),
    ],
)
def test_a_careless_source_is_refused(chapter, old, new, message):
    assert old in HEADER + BODY

    def build_both():
        made = chapter(BODY.replace(old, new), HEADER.replace(old, new))
        return nb.solution_notebook(made), nb.chapter_notebook(made)

    with pytest.raises(nb.SourceError, match=message):
        build_both()


def test_a_source_is_named_for_its_chapter(chapter):
    with pytest.raises(nb.SourceError, match="NN_name"):
        chapter(name="double.py")


def test_a_short_solution_that_leaks_as_a_whole_is_refused(chapter):
    body = BODY.replace("answer_of_the_author", "twice").replace(
        "import numpy as np", "twice = values + values\nreturn twice"
    )
    with pytest.raises(nb.SourceError, match=r"of cell 'ex-double' can be read"):
        nb.chapter_notebook(chapter(body))


def test_two_chapters_with_one_number_are_refused(chapter, tmp_path):
    for name in ("99_double.py", "99_triple.py"):
        chapter(name=name)
    with pytest.raises(nb.SourceError, match="have the same number"):
        nb.read_chapters(tmp_path)


def test_broken_lines_need_their_prefix(chapter):
    body = BODY.replace("    # <solution>", "    # <broken>\n    return values\n    # </broken>\n    # <solution>")
    with pytest.raises(nb.SourceError, match="must begin with"):
        nb.chapter_notebook(chapter(body))


def test_the_hash_sees_what_a_learner_writes_and_not_what_running_adds(chapter):
    notebook = nb.chapter_notebook(chapter())
    built = notebook.metadata["course"]["built"]
    notebook.cells[3].execution_count = 4
    notebook.cells[3].outputs = [nbformat.v4.new_output("stream", text="hello")]
    assert nb.content_hash(notebook) == built
    notebook.cells[2].source += "\n"
    assert nb.content_hash(notebook) != built
