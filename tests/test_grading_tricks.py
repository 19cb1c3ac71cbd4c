"""What earns no point: a submission that looks for the answer, forges one, or goes for the judge."""

import dataclasses
import json

import numpy as np
import pytest
from submissions import TOP, answer, chapter, code, content, written

from mlm_mini.course.answer import Answer
from mlm_mini.course.diagnosis import Diagnosis, Problem, expected_outcomes
from mlm_mini.course.exercise import Case, Exercise
from mlm_mini.course.exercises import all_exercises, find_exercise
from mlm_mini.course.run import Outcome
from mlm_mini.grading import partial
from mlm_mini.grading.libraries import LIBRARIES, libraries_named
from mlm_mini.grading.marks import IMPORTED, MEMORIZED, mark
from mlm_mini.grading.program import Program
from mlm_mini.grading.sandbox import Sandbox
from mlm_mini.grading.startup import Limits
from mlm_mini.grading.steadiness import UNSTEADY
from mlm_mini.grading.submission import take_apart

SOFTMAX = "01.softmax"
ANSWERS, SOURCE = TOP / "mlm_mini/course/answers/ch01.py", TOP / "solutions/01_softmax.py"


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(Limits(seconds=1, memory=2**29)) as sandbox:
        yield sandbox


def marked(notebook, exercise_id, sandbox):
    parts = {part.exercise.id: part for part in take_apart(content(notebook), exercise_id[:2]).parts}
    return mark(parts[exercise_id], sandbox, seed=7)


def body(*lines, before=""):
    return before + "\ndef softmax(logits, axis=-1):\n" + "\n".join(f"    {line}" for line in lines)


def table(exercise_id):
    """A function that looks the known answers up."""
    exercise = find_exercise(exercise_id)
    known = {}
    for case, one in zip(exercise.cases, expected_outcomes(exercise), strict=True):
        axis = case.kwargs.get("axis", case.args[1] if len(case.args) > 1 else -1)
        known[f"{case.args[0].tolist()} {axis}"] = one.value.tolist()
    text = f"import json, numpy as np\nKNOWN = json.loads({json.dumps(json.dumps(known))})\n"
    return body("return np.array(KNOWN[f'{logits.tolist()} {axis}'])", before=text)


def nearest(exercise_id):
    """The same, for the input that lies next to it."""
    exercise = find_exercise(exercise_id)
    known = [
        [case.args[0].tolist(), one.value.tolist()]
        for case, one in zip(exercise.cases, expected_outcomes(exercise), strict=True)
    ]
    return body(
        "found = [(np.nansum(np.abs(np.array(x) - logits)), y) for x, y in KNOWN if np.shape(x) == logits.shape]",
        "return np.array(min(found, key=lambda pair: pair[0])[1])",
        before=f"import json, numpy as np\nKNOWN = json.loads({json.dumps(json.dumps(known))})\n",
    )


def returning(made, before="import numpy as np\n"):
    return body(f"return {made}", before=before)


def hostile(*methods):
    """An object that claims to be whatever it is compared with."""
    lines = "".join(f"    def {method}: return {value}\n" for method, value in methods)
    return returning("Odd()", f"import numpy as np\nclass Odd:\n{lines}")


FORGED = """
import os, struct, json, numpy as np
def forge(logits):
    node = json.dumps(["array", "<f8", list(logits.shape), logits.nbytes]).encode()
    value = struct.pack("<Q", len(node)) + node + np.full(logits.shape, 0.5).tobytes()
    head = json.dumps({"kind": "value", "correct": True, "points": 10}).encode()
    return struct.pack("<I3Q", 3, len(head), 0, len(value)) + head + value
"""
FIND_SESSION = "import gc; session = next(x for x in gc.get_objects() if type(x).__name__ == 'Session')"
TRICKS = {
    # the answer, from the disk
    "executes the answers": body(
        "space = {}", f"exec(open({str(ANSWERS)!r}).read(), space)", "exec(space['ANSWERS']['01.softmax'], space)",
        "return space['softmax'](logits, axis)"),
    "reads the solution": body(f"exec(open({str(SOURCE)!r}).read(), globals())", "return softmax(logits, axis)"),
    "looks for a clone": body(
        "import glob", "found = [f for f in glob.glob('/**/01_softmax*', recursive=True)]",
        "exec(open(found[0]).read(), globals())", "return softmax(logits, axis)"),
    "looks for bytecode": body(
        "import glob, marshal", "found = glob.glob('/**/ch01*.pyc', recursive=True)",
        "exec(marshal.loads(open(found[0], 'rb').read()[16:]), globals())",
        "exec(ANSWERS['01.softmax'], globals())", "return softmax(logits, axis)"),
    "looks for a wheel": body(
        "import glob, zipfile", "found = glob.glob('/**/mlm_mini*.whl', recursive=True)",
        "exec(zipfile.ZipFile(found[0]).read('mlm_mini/reference/probability.py'), globals())",
        "return softmax(logits, axis)"),
    "asks git": body(
        "import subprocess", f"text = subprocess.check_output(['git', '-C', {str(TOP)!r}, 'show', 'HEAD'])",
        "exec(text, globals())", "return softmax(logits, axis)"),
    "loads the package by its path": body(
        "import importlib.util as u", f"place = {str(TOP / 'mlm_mini/reference/probability.py')!r}",
        "spec = u.spec_from_file_location('p', place)", "module = u.module_from_spec(spec)",
        "spec.loader.exec_module(module)", "return module.softmax(logits, axis)"),
    "puts the course on the path": body(
        f"import sys; sys.path.insert(0, {str(TOP)!r}); sys.meta_path.pop(0); sys.modules.pop('mlm_mini', None)",
        "from mlm_mini.reference.probability import softmax as found", "return found(logits, axis)"),
    # the answer, from the package
    "calls the twin": body("return ref.softmax(logits, axis)", before="from mlm_mini import reference as ref\n"),
    "calls a later twin": body("return np.exp(ref.log_softmax(logits, axis))"),
    "calls what is built on it": body("return ref.temperature(logits, 1.0, axis)"),
    "hands the twin in": "from mlm_mini.reference import softmax",
    "assigns the twin": "from mlm_mini import reference as ref\nsoftmax = ref.softmax",
    "imports the answers": body(
        "from mlm_mini.course.answers.ch01 import ANSWERS", "exec(ANSWERS['01.softmax'], globals())",
        "return softmax(logits, axis)"),
    "asks the exercise": body(
        "from mlm_mini.course.exercises import find_exercise",
        "return find_exercise('01.softmax').reference(logits, axis)"),
    "executes the twin's source": body(
        "import inspect, mlm_mini.reference.probability as p", "exec(inspect.getsource(p.softmax), globals())",
        "return softmax(logits, axis)"),
    "executes the twin's text": body(
        "import sys", "texts = sys.meta_path[0].modules['mlm_mini.reference.probability']",
        "exec(texts, globals())", "return softmax(logits, axis)"),
    "copies the twin's code": body(
        "def copy(logits, axis): ...", "copy.__code__ = ref.softmax.__code__", "return copy(logits, axis)"),
    # the answer, from memory
    "searches the memory for a function": body(
        "import gc, types",
        "found = [f for f in gc.get_objects() if isinstance(f, types.FunctionType) and 'softmax' in f.__name__]",
        "other = [f for f in found if f is not softmax and 'scipy' not in (f.__module__ or '')]",
        "return other[0](logits, axis)"),
    "searches the frames": body(
        "import sys", "frame = sys._getframe()",
        "while frame:",
        "    for value in frame.f_locals.values():",
        "        if hasattr(value, 'expected'): return value.expected",
        "    frame = frame.f_back",
        "raise LookupError"),
    "searches the memory for an answer": body(
        "import gc, numpy as np",
        "found = [x for x in gc.get_objects() if type(x).__name__ in ('Exercise', 'Outcome', 'Answer')]",
        "return found[0].value"),
    "traces the judge": body(
        "import sys", "sys.settrace(lambda *a: None); sys.setprofile(lambda *a: None)", "return logits * 0.5"),
    "reads the judge's memory": body(
        "import os", "return np.frombuffer(open(f'/proc/{os.getppid()}/mem', 'rb').read(80))"),
    "attaches to the judge": body(
        "import ctypes, os", "libc = ctypes.CDLL(None, use_errno=True)",
        "if libc.ptrace(16, os.getppid(), 0, 0) < 0: raise OSError(ctypes.get_errno())", "return logits"),
    "reads another process": body(
        "import ctypes", "libc = ctypes.CDLL(None)", "buffer = (ctypes.c_char * 16)()",
        "if libc.process_vm_readv(1, buffer, 1, buffer, 1, 0) < 0: raise OSError", "return logits"),
    # known answers
    "a table of the answers": table(SOFTMAX),
    "a table, read by distance": nearest(SOFTMAX),
    # answers that claim to be equal
    "equal to everything": hostile(("__eq__(self, other)", "True"), ("__ne__(self, other)", "False")),
    "turns into an array": hostile(("__array__(self, *a, **k)", "np.full((2,), 0.5)")),
    "turns into a number": hostile(("__float__(self)", "0.5"), ("__index__(self)", "0")),
    "takes over NumPy's functions": hostile(
        ("__array_ufunc__(self, *a, **k)", "np.True_"), ("__array_function__(self, *a, **k)", "np.True_")),
    "an array that is equal to everything": body(
        "class Odd(np.ndarray):",
        "    def __eq__(self, other): return np.ones(self.shape, bool)",
        "    def __sub__(self, other): return np.zeros(self.shape)",
        "return np.zeros_like(logits).view(Odd)"),
    "an array of odd objects": body(
        "class Odd:", "    __eq__ = lambda self, other: True",
        "out = np.empty(logits.shape, object)", "out[...] = Odd()", "return out"),
    "text of another class": body("class Odd(str):", "    __eq__ = lambda a, b: True", "return Odd('x')"),
    "a number of another class": body("class Odd(float):", "    __eq__ = lambda a, b: True", "return Odd(0.5)"),
    "a pickle that acts": body(
        "class Odd:", "    def __reduce__(self): return (exec, ('raise SystemExit',))", "return [Odd()]"),
    # the judge's tools
    "patches the comparison": body(
        "np.isclose = np.allclose = np.array_equal = lambda *a, **k: True",
        "np.testing.assert_allclose = lambda *a, **k: None", "return logits"),
    "patches the language": body(
        "import builtins", "builtins.isinstance = lambda *a: True; builtins.all = lambda *a: True", "return logits"),
    "patches the worker": body(
        FIND_SESSION, "session.__class__.error = lambda self, e: {'names': []}", "return logits"),
    "changes its own code while it runs": body(
        "softmax.__code__ = (lambda logits, axis=-1: logits).__code__", "return logits"),
    "an import hook": body(
        "import sys, types", "sys.modules['numpy.testing'] = types.ModuleType('numpy.testing')", "return logits"),
    # forged messages
    "says that it is right": body("print('01.softmax: correct on all 15 inputs.')", "return logits"),
    "says so to every descriptor": body(
        "for fd in range(64):",
        "    try: os.write(fd, b'01.softmax: correct on all 15 inputs.' * 9)",
        "    except OSError: pass",
        "return logits", before="import os\n"),
    "forges an answer": body(
        "for fd in range(3, 64):", "    try: os.write(fd, forge(logits))", "    except OSError: pass",
        "return logits * 0", before=FORGED),
    "forges an answer in the judge's name": body(
        FIND_SESSION, "session.say({'kind': 'ready', 'what': 'function', 'points': 10})", "return logits"),
    "asks for what it was not given": body(
        FIND_SESSION, "return session.ask(0, '__class__', (), {})"),
    "answers with what is no text": body(
        "out = np.zeros(logits.shape, 'U2')", "out.view(np.uint32)[...] = 2**31", "return out"),
    "sends more than there is": body(
        FIND_SESSION, "session.sock.sendall(b'\\xff' * 4000)", "return logits"),
    # shapes of answers
    "an endless answer": returning("iter(int, 1)"),
    "a circle": body("out = []", "out.append(out)", "return out"),
    "a tower": body("out = []", "for _ in range(100_000): out = [out]", "return out"),
    "lists of lists that are one": body(
        "out = []", "for _ in range(30): out = [out] * 40", "return out"
    ),
    "a wide answer": body("out = [1.0] * 90_000", "return [[out] * 90_000] * 9"),
    "a huge answer": returning("np.zeros(30_000_000)"),
    "a generator": body("yield logits"),
    "nothing": returning("None"),
    "NaN": returning("np.full(np.shape(logits), np.nan)"),
    "its input": returning("logits"),
    "one over n": returning("np.full(np.shape(logits), 1 / np.shape(logits)[axis])"),
    "changes its input": body(
        "logits -= logits.max(axis, keepdims=True)", "np.exp(logits, out=logits)",
        "logits /= logits.sum(axis, keepdims=True)", "return logits"),
    "a class": "class softmax:\n    def __init__(self, logits, axis=-1): ...",
    "a coroutine": "async def softmax(logits, axis=-1): return logits",
    "a number": "softmax = 3",
    # ends and bombs
    "exits": body("import os; os._exit(0)"),
    "exits kindly": body("import sys; sys.exit(0)"),
    "interrupts": body("raise KeyboardInterrupt"),
    "crashes": body("import ctypes; ctypes.string_at(0)"),
    "exits while it is defined": "import os\nEND = os._exit(0)\n" + body("return END"),
    "a memory bomb": body("return [bytearray(10**9) for _ in range(99)]"),
    "a shared memory bomb": body("import mmap", "return [mmap.mmap(-1, 10**9) for _ in range(99)]"),
    "recursion": body("return softmax(logits, axis)"),
    "hangs": body("while True: pass"),
    "a process of its own": body("import subprocess; return subprocess.run(['true']).returncode"),
    "kills the judge": body("import os, signal", "os.kill(os.getppid(), signal.SIGKILL)", "return logits"),
    "kills its group": body("import os, signal", "os.killpg(0, signal.SIGKILL)", "return logits"),
    "a network": body("import socket; socket.create_connection(('127.0.0.1', 80), 1)", "return logits"),
    "fills the disk": body("open('big', 'wb').write(bytes(10**8))", "return logits"),
    "writes into the course": body(f"open({str(TOP / 'trick.txt')!r}, 'w').write('x')", "return logits"),
    "writes into Python": body(
        "import numpy, os", "place = os.path.dirname(os.path.dirname(numpy.__file__))",
        "open(place + '/sitecustomize.py', 'w').write('x')", "return logits"),
    "deletes everything": body("import shutil; shutil.rmtree('/', ignore_errors=True)", "return logits"),
    "leaves a thread": body(
        "import threading, time", "threading.Thread(target=lambda: time.sleep(9), daemon=False).start()",
        "return logits"),
}  # fmt: skip


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_earns_nothing(name, sandbox):
    found = marked(written(SOFTMAX, TRICKS[name]), SOFTMAX, sandbox)
    assert found.points == 0, found
    assert found.feedback
    assert not (TOP / "trick.txt").exists()


def test_what_is_known_by_heart_is_flagged(sandbox):
    assert MEMORIZED in marked(written(SOFTMAX, TRICKS["a table of the answers"]), SOFTMAX, sandbox).flags


def test_the_courses_own_answer_is_flagged(sandbox):
    assert IMPORTED in marked(written(SOFTMAX, TRICKS["calls the twin"]), SOFTMAX, sandbox).flags


SELECT = "def select_positions(maskable, mask_ratio, rng):\n"
RANDOM = {
    "always the same": SELECT + "    return maskable & (np.random.default_rng(0).random(maskable.shape) < mask_ratio)",
    "luck of its own": SELECT + "    return maskable & (np.random.default_rng().random(maskable.shape) < mask_ratio)",
    "everybody's luck": SELECT + "    return maskable & (np.random.random(maskable.shape) < mask_ratio)",
    "nothing at all": SELECT + "    return np.zeros_like(maskable)",
    "everything": SELECT + "    return maskable.copy()",
}


@pytest.mark.parametrize("name", RANDOM)
def test_luck_cannot_be_forged(name, sandbox):
    found = marked(written("03.select", RANDOM[name]), "03.select", sandbox)
    assert found.points == 0, found


REMEMBERED = """MEMORY = {}
def select_positions(maskable, mask_ratio, rng):
    import os
    key = maskable.tobytes(), mask_ratio, str(rng.bit_generator.state)
    if key not in MEMORY:
        MEMORY[key] = np.frombuffer(os.urandom(maskable.size * 4), np.uint32).reshape(maskable.shape) / 2**32
    rng.random(1)
    return maskable & (MEMORY[key] < mask_ratio)
"""


def test_luck_that_is_remembered_from_call_to_call_is_no_luck_of_the_generators(sandbox):
    found = marked(written("03.select", REMEMBERED), "03.select", sandbox)
    assert found.points == 0
    assert found.feedback == UNSTEADY


NO_PART = {
    "a model that is never asked": (
        "07.clinic-evaluation",
        (
            "def evaluate_model(model, sentences):\n    if None in sentences:\n        raise ValueError\n"
            "    return float(np.mean(sentences))"
        ),
    ),
    "one rotation for each row": (
        "03.select-fixed",
        (
            "def select_fixed(maskable, mask_ratio, rng):\n    out = np.zeros_like(maskable)\n"
            "    for row, of in enumerate(maskable):\n        w = np.flatnonzero(of)\n"
            "        k = int(np.floor(mask_ratio * len(w) + 0.5))\n        if len(w):\n"
            "            out[row, np.roll(w, int(rng.integers(len(w))))[:k]] = True\n    return out"
        ),
    ),
    "no random token is drawn": (
        "03.corrupt",
        (
            "def corrupt(ids, selected, mask_id, random_ids, rng, split=(0.8, 0.1, 0.1)):\n"
            "    u = rng.random(ids.shape)\n"
            "    r = random_ids[(np.arange(ids.size) % len(random_ids)).reshape(ids.shape)]\n"
            "    kept = np.where(selected & (u < split[0] + split[1]), r, ids)\n"
            "    return np.where(selected & (u < split[0]), mask_id, kept)"
        ),
    ),
    "special ids are the first": ("03.maskable", "def maskable_positions(ids, special_ids):\n    return ids >= 5"),
    "one knob": (
        "10.two-knobs",
        (
            "def two_knobs(maskable, mask_ratio, prediction_ratio, rng):\n"
            "    hidden = maskable & (rng.random(maskable.shape) < mask_ratio)\n    return hidden, hidden.copy()"
        ),
    ),
    "every second answer is rubbish": (
        SOFTMAX,
        (
            "CALLS = []\ndef softmax(logits, axis=-1):\n    CALLS.append(1)\n    if len(CALLS) % 2:\n"
            "        return np.full(np.shape(logits), 1 / np.shape(logits)[axis])\n"
            "    e = np.exp(logits - np.max(logits, axis, keepdims=True))\n    return e / e.sum(axis, keepdims=True)"
        ),
    ),
}


@pytest.mark.parametrize("name", NO_PART)
def test_what_is_right_by_chance_earns_no_part(name, sandbox):
    exercise_id, source = NO_PART[name]
    found = marked(written(exercise_id, source), exercise_id, sandbox)
    assert found.points == 0, found


def test_an_error_on_some_inputs_leaves_a_part_of_a_random_answer(sandbox):
    right = answer("03.select")
    first = next(line for line in right.splitlines() if "return" in line)
    guard = "    if maskable.ndim == 3:\n        raise IndexError\n"
    found = marked(written("03.select", right.replace(first, guard + first)), "03.select", sandbox)
    assert 0 < found.points <= 5, found


def diagnosis(exercise, problems, **more):
    """What was found where the answers to some inputs have such problems."""
    tried = [Outcome() for _ in problems]
    return Diagnosis(exercise, tried, tried, [kind and Problem(kind) for kind in problems], **more)


@pytest.mark.parametrize(
    ("name", "right", "kind", "points"),
    [
        (SOFTMAX, 8, "differs", 5.0),  # of 10 points at most half
        (SOFTMAX, 6, "differs", 3.5),  # 3.75, down to a half
        (SOFTMAX, 4, "raised", 2.5),
        (SOFTMAX, 3, "differs", 0.0),  # less than half
        ("03.select", 6, "raised", 3.5),
        ("03.select", 6, "differs", 0.0),  # a wrong law
        ("04.clinic-inplace", 7, "differs", 0.0),
    ],
)
def test_part_of_the_points_is_in_proportion_to_the_inputs_that_tell(name, right, kind, points, monkeypatch):
    exercise = dataclasses.replace(find_exercise(name), minutes=10)
    monkeypatch.setattr(partial, "telling", lambda *_: [True] * 8 + [False] * 4)
    problems = [None] * right + [kind] * (8 - right) + [None, kind, None, None]
    found = diagnosis(exercise, problems)
    assert partial.part_of_the_points(exercise, found, 1) == points
    for other in ({"handed_in": True}, {"expected": [*found.expected, Outcome()]}):
        assert partial.part_of_the_points(exercise, dataclasses.replace(found, **other), 1) == 0


def test_an_input_tells_nothing_where_doing_nothing_is_right():
    def case(*args, **kwargs):
        return Case(str((args, kwargs)), args, kwargs)

    empty = np.zeros((0, 3))
    exercise = Exercise(
        "99.scaled",
        "Scaled",
        (
            case(np.zeros(3), by=2),
            case(np.array([2.0, 5.0]), by=1),
            case(np.array([2.0, 5.0]), by=3),
            case(empty, by=2),
        ),
        (),
        ("Think.",),
        1,
        answer=Answer(
            "99.scaled",
            "def scaled(values, by):\n    if not values.size:\n        raise ValueError\n    return by * values\n",
        ),
    )
    assert partial.telling(exercise, 1) == [False, False, True, False]


LIBRARY = {
    "scipy": ("import scipy.special as sp", "sp.softmax(logits, axis)", "scipy.special.softmax"),
    "a function of scipy": (
        "from scipy.special import softmax as other", "other(logits, axis)", "scipy.special.softmax"),
    "torch": (
        "import torch.nn.functional as F, torch", "F.softmax(torch.tensor(logits), axis).numpy()",
        "torch.nn.functional.softmax"),
    "a tensor's method": ("import torch", "torch.tensor(logits).softmax(axis).numpy()", "torch.Tensor.softmax"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIBRARY)
def test_a_librarys_answer_is_flagged_and_costs_nothing(name, sandbox):
    line, made, full = LIBRARY[name]
    found = marked(written(SOFTMAX, returning(made, before=f"import numpy as np\n{line}\n")), SOFTMAX, sandbox)
    assert found.points == found.max_points
    assert found.flags == (f"the answer is taken from {full}",)


def test_what_the_worked_answer_takes_from_a_library_is_not_flagged():
    for exercise in all_exercises().values():
        program = Program(exercise, exercise.answer.name, (exercise.answer.code,))
        assert libraries_named(program) == [], exercise.id
    assert {name for name in LIBRARIES if name[2:]} <= set(all_exercises())


SAID = {
    "sleeps": ("import time; time.sleep(60); return logits", "3 seconds by the clock"),
    "a loop": ("while True: pass", "1 seconds of computing"),
    "contains itself": ("out = []; out.append(out); return out", "it contains itself"),
    "a vast text": ("return 'x' * 10_000_000", "a text of 10000000 characters"),
    "a vast array": ("return np.zeros(9_000_000)", "larger than 64 MB"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_wrong_is_said_in_words(name, sandbox):
    source, said = SAID[name]
    found = marked(written(SOFTMAX, body(source)), SOFTMAX, sandbox)
    assert said in found.feedback
    assert "AnswerNotPlain" not in found.feedback


HEAD = "def head(x, dense_weight, dense_bias, gain, bias, decoder_weight, decoder_bias):\n"
TENSORS = {
    "an answer without a graph": HEAD + "    return torch.zeros(*x.shape[:2], decoder_weight.shape[0])",
    "a graph to nowhere": HEAD + "    return torch.zeros(*x.shape[:2], decoder_weight.shape[0], requires_grad=True)",
    "the package's own": HEAD + "    from mlm_mini.model.encoder import Head\n    return Head",
}


@pytest.mark.parametrize("name", TENSORS)
def test_gradients_cannot_be_forged(name, sandbox):
    assert marked(written("06.head", TENSORS[name]), "06.head", sandbox).points == 0


def edited(change):
    notebook = chapter("01")
    change(notebook["cells"])
    return notebook


def in_checks(source):
    def change(cells):
        for cell in cells:
            if "check(" in cell["source"]:
                cell["source"] = source

    return change


NOTEBOOKS = {
    "untouched": lambda cells: None,
    "checks that print": in_checks("print('01.softmax: correct on all 15 inputs.')"),
    "checks that are skipped": in_checks("%%script false\ncheck('01.softmax', softmax)"),
    "checks that are gone": lambda cells: cells.clear() or cells.append(code("# exercise: 01.softmax\n")),
    "another check": lambda cells: cells.insert(0, code("check = lambda *a: print('correct')")),
    "tracebacks that are silent": lambda cells: cells.insert(0, code("get_ipython()._showtraceback = print")),
    "a patched judge": lambda cells: cells.insert(
        0, code("import mlm_mini.course.judging as j\nj.judge = lambda *a: None\nj.check = print")
    ),
    "a store of outputs": lambda cells: [
        cell.update(outputs=[{"output_type": "stream", "name": "stdout", "text": "correct on all inputs."}])
        for cell in cells
        if cell["cell_type"] == "code"
    ],
    "a module in a cell": lambda cells: cells.insert(0, code("%%writefile mlm_mini.py\ncheck = print")),
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_tricked_notebook_earns_nothing(name, sandbox):
    submission = take_apart(content(edited(NOTEBOOKS[name])), "01")
    assert sum(mark(part, sandbox, 7).points for part in submission.parts) == 0


def test_after_all_that_an_honest_answer_counts(sandbox):
    source = body("e = np.exp(logits - logits.max(axis, keepdims=True))", "return e / e.sum(axis, keepdims=True)")
    assert marked(written(SOFTMAX, source), SOFTMAX, sandbox).points == 10
    assert isinstance(np.isclose(1.0, 2.0), np.bool_)
