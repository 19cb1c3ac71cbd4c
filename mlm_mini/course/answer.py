"""A worked answer as text, and what becomes of it when it is edited.

The text comes from the solution cell of `solutions/NN_name.py`, where the answer stands once. A mistake is an edit of
that text, so that a reader sees the slip itself and nothing else.
"""

from __future__ import annotations

import importlib
import itertools
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

ANSWER_FILE = "<worked answer "  # how the code of a worked answer is told from a learner's


class EditError(ValueError):
    """An edit does not fit the answer that it edits. The message names both."""


@dataclass(frozen=True)
class Edit:
    """`old` becomes `new`; `old` stands in the answer exactly once."""

    old: str
    new: str

    def span(self, code: str) -> tuple[int, int]:
        """Where `old` begins and ends. Raises EditError unless it is there exactly once."""
        found = code.count(self.old) if self.old else 0
        if found != 1:
            raise EditError(f"`{self.old}` stands {found} times in the answer; an edit must fit exactly once:\n{code}")
        start = code.index(self.old)
        return start, start + len(self.old)


@dataclass(frozen=True, eq=False)
class Answer:
    """The code of a worked answer: imports, helper functions, and last the function that is asked for.

    id       of the exercise, for messages.
    text     the code, or None for what `course.py build` took from the solutions.
    """

    id: str
    text: str | None = None

    @cached_property
    def code(self) -> str:
        """The source. Raises ValueError when no answer was built for this exercise."""
        if self.text is not None:
            return textwrap.dedent(self.text).strip() + "\n"
        try:
            return importlib.import_module(f"mlm_mini.course.answers.ch{self.id[:2]}").ANSWERS[self.id].lstrip("\n")
        except (ModuleNotFoundError, KeyError):
            raise ValueError(
                f"exercise {self.id} has no worked answer: write its solution cell, then run `course.py build`"
            ) from None

    @cached_property
    def name(self) -> str:
        """The name of the function that is asked for."""
        return self._last_definition[4:].split("(")[0]

    @cached_property
    def function(self) -> Callable:
        """The answer as a function."""
        return self.compiled(self.code, ANSWER_FILE)

    @property
    def _last_definition(self) -> str:
        return next(line for line in reversed(self.code.splitlines()) if line.startswith("def "))

    def spans(self, edits: tuple[Edit, ...]) -> list[tuple[int, int]]:
        """Where each edit reaches. Raises EditError when one does not fit, or two touch the same text."""
        spans = [edit.span(self.code) for edit in edits]
        ordered = sorted(spans)
        if any(end > start for (_, end), (start, _) in itertools.pairwise(ordered)):
            raise EditError(f"two edits of {self.id} change the same text: {edits}")
        return spans

    def edited(self, edits: tuple[Edit, ...]) -> str:
        """The code with every edit made. Raises EditError."""
        code = self.code
        for (start, end), edit in sorted(zip(self.spans(edits), edits, strict=True), key=lambda pair: -pair[0][0]):
            code = code[:start] + edit.new + code[end:]
        return code

    def with_body(self, body: str) -> str:
        """The code with another body for the function that is asked for."""
        start = self.code.index(self._last_definition)
        head = self.code[start:]
        head = head[: head.index(":\n") + 2]
        return self.code[:start] + head + textwrap.indent(textwrap.dedent(body), "    ")

    def compiled(self, code: str, file: str, helpers: Mapping[str, Any] | None = None) -> Callable:
        """The function that `code` defines under the answer's name, in a namespace of its own."""
        namespace: dict[str, Any] = {"__name__": file, **(helpers or {})}
        exec(compile(code, f"{file}{self.id}>", "exec"), namespace)
        return namespace[self.name]


@dataclass(frozen=True, eq=False)
class Wrong:
    """One way to make a mistake: edits of the answer, or another body for it."""

    answer: Answer
    edits: tuple[Edit, ...] = ()
    body: str = ""
    helpers: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def code(self) -> str:
        return self.answer.with_body(self.body) if self.body else self.answer.edited(self.edits)

    @cached_property
    def function(self) -> Callable:
        try:
            return self.answer.compiled(self.code, "<mistake in ", self.helpers)
        except SyntaxError as error:
            raise EditError(f"an edit of {self.answer.id} leaves no valid Python ({error}):\n{self.code}") from None

    def combined(self, other: Wrong) -> Wrong | None:
        """Both slips at once; None when one of them is another body, or both change the same text."""
        if not (self.edits and other.edits):
            return None
        try:
            self.answer.spans(self.edits + other.edits)
        except EditError:
            return None
        both = Wrong(self.answer, self.edits + other.edits, helpers={**self.helpers, **other.helpers})
        try:
            both.function  # noqa: B018, compiled here: two sound edits may make no sound code
        except EditError:
            return None
        return both
