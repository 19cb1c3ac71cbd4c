"""The name of the code that makes a result: what changes it, and what does not."""

import ast
import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlm_mini import code
from mlm_mini.code import code_fingerprint
from mlm_mini.experiments.context.objectives import run_objective_cell
from mlm_mini.experiments.lab.study import study_folder
from mlm_mini.training import LANGUAGES

TRAINING = ("mlm_mini.training.run", "mlm_mini.training.datasets")


@pytest.fixture
def edited(monkeypatch):
    """The fingerprint of `modules` after `old` became `new` in the source of `module`."""
    tree_of = code._tree

    def fingerprint(modules, module, old, new):
        text = Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8")
        assert old in text
        changed = ast.parse(text.replace(old, new))
        monkeypatch.setattr(code, "_tree", lambda name: changed if name == module else tree_of(name))
        code_fingerprint.cache_clear()
        try:
            return code_fingerprint(*modules)
        finally:
            monkeypatch.undo()
            code_fingerprint.cache_clear()

    return fingerprint


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("mlm_mini.training.run", "self.optimizer.step()", "self.optimizer.step(None)"),
        ("mlm_mini.training.objectives", "masking.heavy_share", "masking.heavy_ratio"),
        ("mlm_mini.training.optimizer", "1.0", "2.0"),
        ("mlm_mini.model.encoder", "gelu", "relu"),
        ("mlm_mini.reference.masking", "0.5", "0.25"),
        ("mlm_mini.languages.batches", "Stream.TEXT", "Stream.MASKS"),
        ("mlm_mini.seeds", "TEXT = 0", "TEXT = 10"),
        ("mlm_mini.training.evaluation", "ROWS_AT_ONCE = 256", "ROWS_AT_ONCE = 128"),
    ],
)
def test_whatever_a_training_runs_through_is_in_its_name(edited, module, old, new):
    assert edited(TRAINING, module, old, new) != code_fingerprint(*TRAINING)


def test_comments_docstrings_and_blank_lines_are_not(edited):
    same = edited(TRAINING, "mlm_mini.training.run", '"""One update', '"""Said otherwise: one update')
    assert same == code_fingerprint(*TRAINING)
    assert edited(TRAINING, "mlm_mini.training.run", "import time\n", "import time\n\n# why\n") == same


def test_what_a_training_never_touches_is_not(edited):
    assert edited(TRAINING, "mlm_mini.training.fill", "top", "most") == code_fingerprint(*TRAINING)


def test_the_code_of_a_language_is_in_the_name_of_its_models(edited):
    for name, module in (("scenes", "mlm_mini.languages.scenes"), ("markov", "mlm_mini.languages.markov")):
        assert LANGUAGES[name].made_by() == [module]
        assert edited((module,), module, "def ", "def _") != code_fingerprint(module)


def test_a_study_is_named_after_the_code_that_runs_its_cells(tmp_path, monkeypatch, edited):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    before = study_folder("x", run_objective_cell, 1)
    assert study_folder("x", run_objective_cell, 1) == before != study_folder("x", run_objective_cell, 2)
    run = (run_objective_cell.__module__,)
    assert edited(run, "mlm_mini.training.run", "self.optimizer.step()", "pass") != code_fingerprint(*run)


def test_the_name_is_the_same_in_every_process_and_quick_to_find():
    line = f"from mlm_mini.code import code_fingerprint; print(code_fingerprint(*{TRAINING!r}))"
    other = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout.strip()
    code_fingerprint.cache_clear()
    started = time.perf_counter()
    assert code_fingerprint(*TRAINING) == other
    assert time.perf_counter() - started < 5


IMPORTING = """
import mlm_mini.seeds
import mlm_minimal, numpy
from mlm_mini import storage
from mlm_mini.training import cached_model, run

def later():
    from mlm_mini.model import MaskedLM as Model
    from torch import nn
"""


def test_what_a_module_imports_is_found_wherever_it_is_imported_and_where_it_is_defined():
    found = {"seeds", "storage", "training.cached", "training.run", "model.encoder"}
    assert set(code._imported(ast.parse(IMPORTING))) == {f"mlm_mini.{name}" for name in found}


def test_the_order_in_which_modules_are_named_is_no_part_of_the_name():
    assert code_fingerprint("mlm_mini.seeds", "mlm_mini.quoting") == code_fingerprint(
        "mlm_mini.quoting", "mlm_mini.seeds"
    )
    assert code_fingerprint("mlm_mini.seeds", "mlm_mini.quoting") != code_fingerprint("mlm_mini.seeds")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('class A:\n    """Said."""\n    x = 1', 'class A:\n    """Otherwise."""\n    x = 1', True),
        ('async def f():\n    """Said."""\n    await g()', "async def f():\n    await g()", True),
        ("def f():\n    1\n    g()", "def f():\n    g()", False),
        ("def f():\n    g()\n    'a'", "def f():\n    g()\n    'b'", False),
        ("x = 'a'", "x = 'b'", False),
    ],
)
def test_only_what_documents_is_left_out(one, other, same):
    texts = [ast.dump(code._without_docstrings(ast.parse(text))) for text in (one, other)]
    assert (texts[0] == texts[1]) is same
