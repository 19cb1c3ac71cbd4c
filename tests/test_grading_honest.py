"""What loses no point: honest work, however it is laid out."""

import json

import numpy as np
import pytest
from submissions import answer, cell_of, chapter, code, content, written

from mlm_mini.course.diagnosis import expected_outcomes
from mlm_mini.course.exercises import all_exercises, find_exercise
from mlm_mini.course.run import same_outcome
from mlm_mini.grading import whole_numbers
from mlm_mini.grading.fresh import Bend, fresh
from mlm_mini.grading.inside import messages, wire
from mlm_mini.grading.marks import mark, mark_submission
from mlm_mini.grading.sandbox import Sandbox
from mlm_mini.grading.startup import Limits
from mlm_mini.grading.submission import take_apart
from mlm_mini.grading.translation import Here

SOFTMAX = "01.softmax"
RIGHT = """def softmax(logits, axis=-1):
    exp = np.exp(logits - np.max(logits, axis, keepdims=True))
    return exp / exp.sum(axis, keepdims=True)
"""
HELPED = """def softmax(logits, axis=-1):
    return normalized(exponentials(logits, axis), axis)
"""
EXPONENTIALS = "def exponentials(x, axis):\n    return np.exp(x - x.max(axis, keepdims=True))\n"
NORMALIZED = "def normalized(x, axis):\n    return x / x.sum(axis, keepdims=True)\n"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(Limits(seconds=20)) as sandbox:
        yield sandbox


def assert_full(notebook, exercise_id, sandbox):
    raw = notebook if isinstance(notebook, bytes) else content(notebook)
    parts = {part.exercise.id: part for part in take_apart(raw, exercise_id[:2]).parts}
    found = mark(parts[exercise_id], sandbox, seed=11)
    assert found.points == found.max_points, found
    return found


WAYS = {
    "as it is asked for": (RIGHT,),
    "by subtraction in the logarithm": (
        "def softmax(logits, axis=-1):\n    return np.exp(logits - np.logaddexp.reduce(logits, axis, keepdims=True))\n",
    ),
    "by scipy": ("import scipy.special\ndef softmax(logits, axis=-1): return scipy.special.softmax(logits, axis)",),
    "by torch": (
        ("import torch\ndef softmax(logits, axis=-1):\n"
        "    return torch.softmax(torch.from_numpy(np.ascontiguousarray(logits)), axis).numpy()"),
    ),
    "by einsum": (
        ("def softmax(logits, axis=-1):\n    z = np.moveaxis(logits, axis, -1)\n"
        "    e = np.exp(z - z.max(-1)[..., None])\n"
        "    return np.moveaxis(e / np.einsum('...v->...', e)[..., None], -1, axis)"),
    ),
    "in a loop": (
        ("def softmax(logits, axis=-1):\n    def row(z):\n        e = np.exp(z - max(z))\n        return e / sum(e)\n"
        "    return np.apply_along_axis(row, axis, logits)"),
    ),
    "as a lambda": (
        ("softmax = lambda logits, axis=-1: (lambda e: e / e.sum(axis, keepdims=True))(\n"
        "    np.exp(logits - logits.max(axis, keepdims=True)))"),
    ),
    "with types": (
        "from __future__ import annotations\nfrom numpy.typing import NDArray\n"
        "def softmax(logits: NDArray, axis: int | None = -1) -> Unknown:\n"
        + RIGHT.split("\n", 1)[1],
    ),
    "with a decorator": ("import functools\n@functools.wraps(np.exp)\ndef other(): ...\n" + RIGHT,),
    "with a decorator of its own": (
        "def counted(f):\n    def g(*a, **k):\n        return f(*a, **k)\n    return g\n@counted\n" + RIGHT,
    ),
    "with a decorator that it needs": (
        "def doubled(f):\n    return lambda *a, **k: 2 * f(*a, **k)\n@doubled\n"
        + RIGHT.replace("exp / ", "exp / 2 / "),
    ),
    "with a class that needs its decorator": (
        "from dataclasses import dataclass\n@dataclass\nclass Normalizer:\n    axis: int\n"
        "    def __call__(self, e): return e / e.sum(self.axis, keepdims=True)\n"
        + RIGHT.replace("exp / exp.sum(axis, keepdims=True)", "Normalizer(axis)(exp)"),
    ),
    "with prints": (RIGHT.replace("    return", "    print(logits)\n    return"),),
    "with an assertion": (RIGHT.replace("    return", "    assert exp.shape == logits.shape\n    return"),),
    "with a helper in its cell": (EXPONENTIALS + NORMALIZED + HELPED,),
    "with a helper in another cell": (HELPED, EXPONENTIALS, NORMALIZED),
    "with a helper of a helper": (HELPED, "def top(x, axis): return x.max(axis, keepdims=True)",
                                  EXPONENTIALS.replace("x.max(axis, keepdims=True)", "top(x, axis)"), NORMALIZED),
    "with a class": (
        "class Normalizer:\n    def __init__(self, axis): self.axis = axis\n"
        "    def __call__(self, e): return e / e.sum(self.axis, keepdims=True)\n"
        + RIGHT.replace("exp / exp.sum(axis, keepdims=True)", "Normalizer(axis)(exp)"),
    ),
    "with a constant": (RIGHT.replace("logits -", "SCALE * logits - SCALE *"), "SCALE = 2 / 2\n"),
    "with a constant that is changed": (
        RIGHT.replace("logits -", "S['a'] * logits - S['a'] *"), "S = {}\nS['a'] = 1.0\nS.update(b=2)\n"),
    "with a table made in a loop": (
        RIGHT.replace("logits -", "S[0] * logits - S[0] *"), "S = []\nfor i in range(3):\n    S.append(1.0)\n"),
    "with its own import": (RIGHT.replace("np.", "numpy."), "import numpy"),
    "with an import under another name": (RIGHT.replace("np.", "n."), "import numpy as n"),
    "with a star import": (RIGHT.replace("np.exp", "exp_").replace("np.", "np."), "from numpy import *\nexp_ = exp\n"),
    "with an import inside": (RIGHT.replace("):\n", "):\n    import numpy as other\n", 1),),
    "with the learner's earlier function": (
        "def softmax(logits, axis=-1):\n    return np.exp(logits - np.expand_dims(logsumexp(logits, axis), axis))",
        answer("01.logsumexp"),
    ),
    "with the package's earlier function": (
        "def softmax(logits, axis=-1):\n    return np.exp(logits - np.expand_dims(ref.logsumexp(logits, axis), axis))",
    ),
    "with a magic": ("%matplotlib inline\n" + RIGHT,),
    "with a cell magic": (RIGHT, "%%time\nx = 3", "!ls"),
    "with a question": (RIGHT + "\nnp.exp?\n",),
    "with a try-out below": (RIGHT + "\nsoftmax(np.array([1.0, 2.0]))\nprint('so far so good')\n",),
    "with a plot that cannot be drawn": (RIGHT, "import seaborn_that_nobody_has as s\ns.lineplot()"),
    "with a first try above": ("def softmax(logits, axis=-1):\n    return logits\n\n" + RIGHT,),
    "with other cells that fail": (RIGHT, "1 / 0", "raise KeyError", "def broken(:"),
    "with a local of a heavy name": (
        RIGHT.replace("exp ", "model ").replace("exp.", "model.").replace("np.model", "np.exp"),
        "model = quick_model('scenes')",
    ),
    "with comments in another script": ("# 答え: è vero\n" + RIGHT,),
    "with a cache": ("CACHE = {}\n" + RIGHT.replace("    return", "    CACHE[logits.shape] = 1\n    return"),),
    "with more arguments": (RIGHT.replace("axis=-1)", "axis=-1, base=np.e, *, verbose=False)"),),
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
def test_honest_work_gets_its_points(name, sandbox):
    source, *more = WAYS[name]
    assert_full(written(SOFTMAX, source, *more), SOFTMAX, sandbox)


def other_layout(change):
    notebook = written(SOFTMAX, RIGHT)
    cells = notebook["cells"]
    change(notebook, cells, cell_of(notebook, SOFTMAX))
    return notebook


def without_line(notebook, cells, place):
    cells[place]["source"] = RIGHT


def without_id(notebook, cells, place):
    for cell in cells:
        cell.pop("id", None)
    notebook["nbformat_minor"] = 4


def moved(notebook, cells, place):
    cells[place]["source"] = f"# exercise: {SOFTMAX}\n"
    cells.append(code(RIGHT))


def renumbered(notebook, cells, place):
    for number, cell in enumerate(cells):
        cell["id"] = str(number)


def split(notebook, cells, place):
    cells[place]["source"] = f"# exercise: {SOFTMAX}\n" + EXPONENTIALS
    cells.insert(place + 1, code(NORMALIZED))
    cells.insert(place + 2, code(HELPED))


def copied_as_a_stub(notebook, cells, place):
    cells.insert(0, dict(cells[place]))
    cells[place + 1]["source"] = (
        f'# exercise: {SOFTMAX}\ndef softmax(logits, axis=-1):\n    raise NotImplementedError("")'
    )


def renamed(notebook, cells, place):
    cells[place]["source"] = f"# exercise: {SOFTMAX}\n" + RIGHT.replace("def softmax", "def my_softmax")
    cells[place + 1]["source"] = f'check("{SOFTMAX}", my_softmax)'


def written_elsewhere(notebook, cells, place):
    """Under another name, in a cell that says nothing, and then given the name; another thing of that name is none."""
    cells.append(code(RIGHT.replace("def softmax", "def my_own")))
    cells.append(code(f'softmax = my_own\ncheck("{SOFTMAX}", softmax)'))
    cells.append(code("result = softmax(np.array([1.0, 2.0]))"))
    cells[place]["source"] = f"# exercise: {SOFTMAX}\ndef softmax(logits, axis=-1):\n    raise NotImplementedError"


def written_elsewhere_without_a_cell(notebook, cells, place):
    written_elsewhere(notebook, cells, place)
    del cells[place]


def other_line_ends(notebook, cells, place):
    for cell in cells:
        cell["source"] = cell["source"].replace("\n", "\r\n")


def as_lines(notebook, cells, place):
    for cell in cells:
        cell["source"] = cell["source"].splitlines(keepends=True)


def without_setup(notebook, cells, place):
    del cells[next(at for at, cell in enumerate(cells) if "import numpy" in cell["source"])]


def without_checks(notebook, cells, place):
    cells[:] = [cell for cell in cells if "check(" not in cell["source"]]


def huge_outputs(notebook, cells, place):
    cells[place]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "x" * 3_000_000}]


LAYOUTS = [
    without_line, without_id, moved, renumbered, split, copied_as_a_stub, renamed, written_elsewhere,
    written_elsewhere_without_a_cell, other_line_ends, as_lines,
    without_setup, without_checks, huge_outputs,
]  # fmt: skip


@pytest.mark.parametrize("change", LAYOUTS, ids=lambda change: change.__name__)
def test_no_layout_costs_a_point(change, sandbox):
    assert_full(other_layout(change), SOFTMAX, sandbox)


def test_a_byte_order_mark_and_an_old_format_cost_nothing(sandbox):
    notebook = written(SOFTMAX, RIGHT)
    assert_full(b"\xef\xbb\xbf" + content(notebook), SOFTMAX, sandbox)
    old = {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [
        {"cell_type": "code", "input": "".join(cell["source"]), "language": "python"}
        for cell in notebook["cells"] if cell["cell_type"] == "code"]}]}  # fmt: skip
    assert_full(json.dumps(old).encode(), SOFTMAX, sandbox)


OTHERS = {
    "00.unigram": "from collections import Counter\ndef unigram(sentences):\n"
    "    n = Counter(w for s in sentences for w in s)\n"
    "    return {w: c / sum(n.values()) for w, c in n.items()}",
    "03.maskable": "def maskable_positions(ids, special_ids):\n    return ~np.isin(ids, list(special_ids))",
    "05.causal-mask": "def causal_mask(T):\n    i = np.arange(T)\n    return i[:, None] >= i",
}


@pytest.mark.parametrize("exercise_id", OTHERS)
def test_other_ways_of_other_chapters(exercise_id, sandbox):
    assert_full(written(exercise_id, OTHERS[exercise_id]), exercise_id, sandbox)


CHAPTERS = sorted({exercise.chapter for exercise in all_exercises().values()})


@pytest.mark.parametrize("number", CHAPTERS)
def test_the_solutions_get_full_marks(number, sandbox):
    """Every chapter, on known and on fresh inputs."""
    submission = take_apart(content(chapter(number, solved=True)), number)
    lost = [one for one in mark_submission(submission, sandbox, seed=5) if one.points < one.max_points]
    assert not lost


@pytest.mark.parametrize("exercise", all_exercises().values(), ids=lambda exercise: exercise.id)
def test_every_argument_can_be_handed_over(exercise):
    """As plain data, or as what stands for it: an object that the judge alone has, of whatever kind, can be called."""
    for known in (exercise, fresh(exercise, 5)):
        for case in known.cases:
            sent = wire.Encoder(remote=Here().keep).encode((case.args, case.kwargs))
            assert b'["opaque"' not in messages.without_buffers(sent), case.name


# ---- inputs that nobody has seen


def bends():
    return [Bend(np.random.default_rng(seed)) for seed in range(20)]


def test_numbers_are_bent_by_a_rising_curve_that_leaves_some_where_they_are():
    still = np.array([-np.inf, -1e9, -1.0, 0.0, 1e-15, 1.0, 1e9])
    rising = np.array([-7.0, -2.0, -0.5, -0.1, 0.2, 0.2, 0.7, 1.5, 30.0])
    for bend in bends():
        assert bend(still).tolist() == still.tolist()
        bent = bend(rising)
        assert (np.diff(bent) >= 0).all()
        assert bent[4] == bent[5]
        assert (bent != rising).all()
        assert (np.sign(bent) == np.sign(rising)).all()
        assert ((np.abs(bent) < 1) == (np.abs(rising) < 1)).all()
        assert bend(0.5) == pytest.approx(bend(np.array([0.5]))[0])
    assert len({bend(0.5) for bend in bends()}) == 20


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_distribution_stays_one_along_its_axis_and_so_does_its_logarithm(axis):
    p = np.array([[0.1, 0.2, 0.7], [0.0, 0.5, 0.5], [0.6, 0.3, 0.1]])
    p = p if axis else p.T
    for bend in bends()[:3]:
        bent = bend(p)
        np.testing.assert_allclose(bent.sum(axis), 1, rtol=1e-12)
        assert (bent == 0).tolist() == (p == 0).tolist()
        assert not np.allclose(bent, p, rtol=1e-3)
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(np.exp(bend(np.log(p))), bent, rtol=1e-12)


def test_words_change_throughout_and_marks_of_the_course_stay():
    for bend in bends()[:5]:
        moved = bend("abz")
        assert moved != "abz"
        assert (ord(moved[1]) - ord(moved[0])) % 26 == (ord(moved[0]) - ord(moved[2])) % 26 == 1
        assert bend(["abz [MASK].", ("[CLS]", "abz")]) == [f"{moved} [MASK].", ("[CLS]", moved)]
        table = bend({"abz": 0.25, "q": 0.75})
        assert list(table) == [moved, bend("q")]
        assert sum(table.values()) == pytest.approx(1, abs=1e-12)
        assert table[moved] != 0.25
        assert bend({"abz": [2.0]}) == {"abz": [bend(2.0)]}  # names of parts, and no words of a text
        assert bend({"abz"}) == {moved}


def test_what_may_be_a_size_or_an_id_is_left_alone():
    ids, flags = np.array([3, 0, 7]), np.array([True, False])
    for value in (7, True, None, ids, flags):
        assert bends()[0](value) is value
    assert bends()[0](np.random.default_rng(1)).random() != np.random.default_rng(1).random()


@pytest.mark.filterwarnings("error")
def test_infinities_of_both_signs_stay_without_a_warning():
    value = np.array([np.inf, -np.inf, 0.25])
    np.testing.assert_array_equal(bends()[0](value)[:2], value[:2])


@pytest.mark.parametrize("name", ["01.softmax", "05.causal-mask", "07.learning-rate"])
def test_a_seed_has_inputs_of_its_own_and_other_answers(name):
    exercise = find_exercise(name)
    fresh.cache_clear()
    sent = [wire.Encoder().encode([case.args for case in fresh(exercise, seed).cases]) for seed in (1, 2)]
    known, new = expected_outcomes(exercise), expected_outcomes(fresh(exercise, 1))
    assert not all(
        same_outcome(*pair, exercise.rtol, exercise.atol, frozenset()) for pair in zip(known, new, strict=True)
    )
    fresh.cache_clear()
    assert wire.Encoder().encode([case.args for case in fresh(exercise, 1).cases]) == sent[0] != sent[1]


@pytest.mark.parametrize("seed", range(5))
def test_whole_numbers_become_others_that_make_sense(seed):
    luck, ids = np.random.default_rng(seed), np.array([[2, 9, 103, 9, 500], [0, 3, 101, 8, 3]])
    moved, special = whole_numbers.renumbered(luck, (ids, np.array([103, 2])))
    assert (np.isin(moved, special) == np.isin(ids, [103, 2])).all()
    assert ((moved[0, :, None] == moved[1]) == (ids[0, :, None] == ids[1])).all()
    (words,) = whole_numbers.other_words(luck, (ids,))
    kept = np.isin(ids, [0, 2, 3, 101, 103])
    assert (words[kept] == ids[kept]).all()
    assert (words[~kept] - ids[~kept] > 190).all()
    (shuffled,) = whole_numbers.shuffled(luck, (ids,))
    assert sorted(shuffled.ravel()) == sorted(ids.ravel())
    step, steps, warmup, highest, last = whole_numbers.longer_training(luck, (30, 100, 10, 2.0, 0.1))
    assert (step / steps, warmup / steps, last) == (0.3, 0.1, 0.1)
    assert steps > 100
    assert 1 <= highest <= 1.8
    B, T, k, *sizes = whole_numbers.flops(luck, (2, 8, 8, 3, 4, 5, 6))
    assert 8 < k <= T
    assert all(new > old for new, old in zip((B, *sizes), (2, 3, 4, 5, 6), strict=True))
    assert whole_numbers.larger(0, 2)(luck, (1, 1, 1))[1] == 1


OTHERWISE = {
    "with threads that ask": (
        "15.beam",
        ("from concurrent.futures import ThreadPoolExecutor\ndef beam_search(next_log_p, k, beam):\n"
        "    kept = [((), 0.0)]\n    with ThreadPoolExecutor(4) as pool:\n        for _ in range(k):\n"
        "            told = pool.map(next_log_p, [begun for begun, _ in kept])\n"
        "            longer = [(begun + (c,), sum_ + float(p)) for (begun, sum_), log_p in zip(kept, told)\n"
        "                      for c, p in enumerate(log_p)]\n"
        "            kept = sorted(longer, key=lambda one: -one[1])[:beam]\n"
        "    return np.array([one for one, _ in kept]).reshape(len(kept), k), np.array([one for _, one in kept])"),
    ),
    "with a NamedTuple": (
        "07.gap",
        "from typing import NamedTuple\nclass Gap(NamedTuple):\n    mean: float\n    error: float\n"
        + answer("07.gap").replace("return ", "return Gap(*(").rstrip() + "))\n",
    ),
    "with a library that draws when it is loaded": (
        SOFTMAX,
        "import os, sys\ndef softmax(logits, axis=-1):\n    sys.path.insert(0, os.getcwd())\n"
        "    with open('drawing_module.py', 'w') as file:\n        file.write('import random; random.random()')\n"
        "    import drawing_module\n" + RIGHT.split("\n", 1)[1],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_else_is_honest_gets_its_points(name, sandbox):
    exercise_id, source = OTHERWISE[name]
    assert_full(written(exercise_id, source), exercise_id, sandbox)


def test_who_draws_with_a_library_that_draws_loses(sandbox):
    source = OTHERWISE["with a library that draws when it is loaded"][1]
    source = source.replace("    return exp", "    import random; random.random()\n    return exp")
    parts = take_apart(content(written(SOFTMAX, source))).parts
    found = next(mark(part, sandbox, seed=11) for part in parts if part.exercise.id == SOFTMAX)
    assert found.points < found.max_points
    assert "generator that everybody shares" in " ".join(found.feedback.split())


def test_what_the_sandbox_does_not_permit_is_said_so(sandbox):
    source = (
        "import asyncio\ndef softmax(logits, axis=-1):\n    async def work():\n        exp = np.exp(logits)\n"
        "        return exp / exp.sum(axis, keepdims=True)\n    return asyncio.run(work())"
    )
    parts = take_apart(content(written(SOFTMAX, source))).parts
    found = next(mark(part, sandbox, seed=11) for part in parts if part.exercise.id == SOFTMAX)
    assert "refused by the sandbox" in found.feedback


def test_an_untouched_chapter_gets_nothing(sandbox):
    for number in CHAPTERS:
        marks = mark_submission(take_apart(content(chapter(number)), number), sandbox, seed=5)
        assert sum(found.points for found in marks) == 0
        assert sum(found.max_points for found in marks) > 0


def test_a_known_mistake_is_named_and_earns_a_part(sandbox):
    wrong = RIGHT.replace("logits - np.max(logits, axis, keepdims=True)", "logits")
    found = next(
        mark(part, sandbox, seed=11)
        for part in take_apart(content(written(SOFTMAX, wrong)), "01").parts
        if part.exercise.id == SOFTMAX
    )
    assert found.mistake == "no maximum subtracted"
    assert 0 < found.points <= found.max_points / 2
    assert "exp" in found.feedback
