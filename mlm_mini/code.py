"""A name for the code that makes a result, so that what an older code has made is never taken for it.

It changes with any statement that may run, and with no comment, docstring or blank line.
"""

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from mlm_mini.storage import fingerprint

OURS = "mlm_mini"
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def code_fingerprint(*modules: str) -> str:
    """Of modules of this package, and of all in it that they import, directly or not."""
    found, waiting = {}, list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            tree = _tree(name)
            found[name] = ast.dump(_without_docstrings(tree))
            waiting += _imported(tree)
    return fingerprint([part for name in sorted(found) for part in (name, found[name])])


@cache
def _tree(module: str) -> ast.Module:
    # pyrefly: ignore[missing-attribute] every module of this package has a file
    path = Path(importlib.util.find_spec(module).origin)
    return ast.parse(path.read_bytes())


def _imported(tree: ast.Module) -> Iterator[str]:
    """The modules of this package that a tree imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_ours(alias.name))
        # pyrefly: ignore[bad-argument-type] imports are written in full here, so there is a module
        elif isinstance(node, ast.ImportFrom) and _is_ours(node.module):
            yield from {_home(node.module, alias.name) for alias in node.names}


def _is_ours(module: str) -> bool:
    return module == OURS or module.startswith(OURS + ".")


@cache
def _home(module: str, name: str) -> str:
    """Where a name that is imported from a module is really defined: a room hands on what its modules define."""
    if (spec := importlib.util.find_spec(module)) and spec.submodule_search_locations is not None:
        if importlib.util.find_spec(f"{module}.{name}"):
            return f"{module}.{name}"
        for node in _tree(module).body:
            if isinstance(node, ast.ImportFrom) and name in {alias.asname or alias.name for alias in node.names}:
                return _home(node.module, name)
    return module


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and body:
            first = body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = body[1:]
    return tree
