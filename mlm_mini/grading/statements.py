"""The statements at the top of a notebook's cells: which names each gives a value, and which it needs."""

from __future__ import annotations

import ast
import symtable
from dataclasses import dataclass
from functools import cached_property

from mlm_mini.grading.notebooks import CodeCell

NOT_WRITTEN = "NotImplementedError"


@dataclass(frozen=True, eq=False)
class Statement:
    """One statement at the top level of a cell. `order` counts through the notebook."""

    order: int
    cell: CodeCell
    node: ast.stmt
    text: str

    @cached_property
    def names(self) -> tuple[frozenset[str], frozenset[str]]:
        """The names that it gives a value, and those of other statements that it needs, also later, when called."""
        try:
            table = symtable.symtable(self.text, "<cell>", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return frozenset(), frozenset()
        given, needed = set(), set()
        for symbol in table.get_symbols():
            if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
                given.add(symbol.get_name())
            if symbol.is_referenced():
                needed.add(symbol.get_name())
        for inner in _inner_tables(table):
            needed |= {symbol.get_name() for symbol in inner.get_symbols() if symbol.is_global()}
        return frozenset(given), frozenset(needed)

    @property
    def gives(self) -> frozenset[str]:
        return self.names[0]

    @property
    def needs(self) -> frozenset[str]:
        return self.names[1]

    @cached_property
    def changes(self) -> frozenset[str]:
        """The names of objects that it changes in place: `table[3] = 1`, `table.append(1)`, also inside a loop."""
        found: set[str] = set()
        left: list[ast.AST] = [self.node]
        while left:
            node = left.pop()
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            left += [inner for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.stmt | ast.excepthandler)]
            if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found |= {_root(target) for target in targets}
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                found.add(_root(node.value.func))
        return frozenset(found - {""})

    @property
    def patches(self) -> frozenset[str]:
        """The names of objects of which it gives a part another value."""
        return frozenset() if isinstance(self.node, ast.Expr) else self.changes

    @property
    def is_star(self) -> bool:
        return isinstance(self.node, ast.ImportFrom) and self.node.names[0].name == "*"

    @property
    def is_import(self) -> bool:
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    def defines(self, name: str) -> bool:
        """Whether it makes a function, or anything else, of that name: an import is nobody's own work."""
        return name in self.gives and not isinstance(self.node, ast.AugAssign)

    @property
    def is_function(self) -> bool:
        """Whether it makes a function: what else has the name of one, elsewhere, is a coincidence."""
        return isinstance(self.node, ast.FunctionDef) or isinstance(getattr(self.node, "value", None), ast.Lambda)

    def renames(self, name: str) -> bool:
        """Whether it gives the name to something that was made elsewhere, as in `softmax = my_own`."""
        if not isinstance(self.node, ast.Assign) or name in self.needs:
            return False
        made_elsewhere = isinstance(self.node.value, ast.Name | ast.Attribute | ast.Call)
        return made_elsewhere and [ast.unparse(target) for target in self.node.targets] == [name]

    @property
    def is_stub(self) -> bool:
        """Whether it is a function of which nothing is written yet."""
        if not isinstance(self.node, ast.FunctionDef):
            return False
        body = [part for part in self.node.body if not _is_text(part)]
        return all(isinstance(part, ast.Pass) or _is_text(part) or _raises_stub(part) for part in body)

    @cached_property
    def shape(self) -> str:
        """The statement without its documentation, comments and layout, to compare with another."""
        node = ast.parse(self.text).body[0]
        for part in ast.walk(node):
            if isinstance(part, ast.FunctionDef | ast.ClassDef) and part.body and _is_text(part.body[0]):
                part.body = part.body[1:] or [ast.Pass()]
        return ast.dump(node)


def statements_of(cells: tuple[CodeCell, ...]) -> list[Statement]:
    """Every statement at the top of the cells that can be read, in order."""
    found: list[Statement] = []
    for cell in cells:
        nodes, text, _ = cell.parsed
        lines = text.split("\n")
        future = "".join(ast.unparse(node) + "\n" for node in nodes if _is_future(node))
        for before, node in zip([None, *nodes], nodes, strict=False):
            if not _is_future(node):
                found.append(Statement(len(found), cell, node, future + _text(node, lines, before)))
    return found


def _text(node: ast.stmt, lines: list[str], before: ast.stmt | None) -> str:
    """The statement as it was written; where two share a line, as Python would write it."""
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
    alone = node.col_offset == 0 and (before is None or before.end_lineno < first)
    last = lines[node.end_lineno - 1].encode()[node.end_col_offset :].decode(errors="replace").strip()
    if not alone or (last and not last.startswith("#")):
        return ast.unparse(node)
    return "\n".join(lines[first - 1 : node.end_lineno]) + "\n"


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def _inner_tables(table: symtable.SymbolTable):
    for inner in table.get_children():
        yield inner
        yield from _inner_tables(inner)


def _root(node: ast.AST) -> str:
    """The name at the left of `name.part[3].other`; "" for a plain name, which is not changed but given a value."""
    inner = node
    while isinstance(inner, ast.Attribute | ast.Subscript):
        inner = inner.value
    return inner.id if isinstance(inner, ast.Name) and inner is not node else ""


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _raises_stub(node: ast.AST) -> bool:
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(raised, ast.Name) and raised.id == NOT_WRITTEN
