"""What an exercise is: data that a teacher could have written.

An exercise names what to build, the inputs to try it on, the wrong turns people take and what one would say to each,
and a ladder of hints; `page.py` says how these are written. `check` judges a learner's function with it; the tests turn
the same data on the grader itself.
"""

from __future__ import annotations

import importlib
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mlm_mini.course.answer import Answer, Wrong
from mlm_mini.course.habits import split
from mlm_mini.course.page import read_hints, read_mistakes

ROUNDING = 1e-6
ID_PATTERN = re.compile(r"\d\d\.[a-z0-9]+(-[a-z0-9]+)*")
TWIN_PATTERN = re.compile(r"mlm_mini(\.\w+)+:\w+(\.\w+)?")


class WrongAnswer(Exception):
    """Raised by an exercise's `observe` for an answer that it cannot measure; the learner reads its message."""


@dataclass(frozen=True)
class Case:
    """One input to try. `name` completes the sentence "the smallest failing input is ..."."""

    name: str
    args: tuple
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Mistake:
    """A wrong turn that people take: its name, what a good teacher would say, and the ways to take it.

    `says` tells what is seen, then what to think about; it never gives the code away. `raises` is for a mistake of
    which nothing but an error ever comes. `parts` are the two mistakes that a compound makes at once.
    """

    name: str
    says: str
    ways: tuple[Wrong, ...]
    raises: bool = False
    parts: tuple[Mistake, ...] = ()

    @property
    def asks(self) -> str:
        """What there is to think about: the questions of the sentence, or its end where it asks none.

        Beside another mistake the rest may not hold: "right for one row" is said of this one alone.
        """
        sentences = re.findall(r"\S.*?[.?](?=\s|$)", self.says)
        questions = [sentence for sentence in sentences if sentence.endswith("?")]
        return " ".join(questions) or (sentences[-1] if sentences else self.says)

    @property
    def functions(self) -> tuple[Callable, ...]:
        """Every implementation that makes this mistake."""
        return tuple(way.function for way in self.ways)


@dataclass(frozen=True)
class Twin:
    """The package's own version of an answer: "mlm_mini.room.module:function", loaded when it is needed.

    adapted   `adapted(twin, *args, **kwargs)` calls it as the answer is called, where the two differ.
    """

    path: str
    adapted: Callable | None = None

    def function(self) -> Callable:
        module, _, name = self.path.partition(":")
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        return found if self.adapted is None else lambda *args, **kwargs: self.adapted(found, *args, **kwargs)


@dataclass(frozen=True, eq=False)  # compared and hashed by identity: what it does to every case is worked out once
class Exercise:
    """A function for the learner to write, and everything needed to judge it.

    id          "NN.name", NN being the chapter.
    minutes     how long it takes a newcomer.
    cases       inputs to try. A case whose answer raises asks for the same kind of error.
    mistakes    known wrong answers, as a page (see `page.py`); no two may answer alike on every case.
    hints       a ladder, from a nudge to nearly there, a bullet each; never the code itself.
    twin        the package's own version, as text or as a Twin; a test holds it equal to the worked answer.
    answers_in  other functions of the package that give the answer away, as "mlm_mini.room.module:function".
    habits      what else is looked at, by name: see `habits.py`.
    observe     `observe(function, *args, **kwargs)` returns what is compared, for functions whose answer is random:
                a dict of named measurements. By default the answer itself is compared.
    prepare     makes of a case's arguments what the learner's function really gets (tensors, say), for `failing`.
    rtol, atol  tolerance of the comparison, as `numpy.isclose` has them.
    helpers     names that the code of mistakes may use beside those of the answer.
    answer      the worked answer; by default what was built from the solution of that id.
    """

    id: str
    title: str
    cases: tuple[Case, ...]
    mistakes: str | tuple[Mistake, ...]
    hints: str | tuple[str, ...]
    minutes: int
    twin: str | Twin | None = None
    answers_in: tuple[str, ...] = ()
    habits: tuple[str, ...] = ()
    observe: Callable | None = None
    prepare: Callable | None = None
    rtol: float = 1e-8
    atol: float = 1e-10
    helpers: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer | None = None

    def __post_init__(self) -> None:
        if not ID_PATTERN.fullmatch(self.id):
            raise ValueError(f"exercise id {self.id!r}: expected two digits, a dot and a lower-case name: 01.softmax")
        fill = object.__setattr__  # the one place where a frozen exercise is completed
        if self.answer is None:
            fill(self, "answer", Answer(self.id))
        if isinstance(self.twin, str):
            fill(self, "twin", Twin(self.twin))
        if isinstance(self.hints, str):
            fill(self, "hints", read_hints(self.hints))
        if isinstance(self.mistakes, str):
            found = read_mistakes(self.mistakes, self.answer, self.helpers)
            fill(self, "mistakes", tuple(Mistake(name, says, ways, raises) for name, says, raises, ways in found))
        self._refuse_what_is_not_whole()

    def _refuse_what_is_not_whole(self) -> None:
        for what in ("cases", "hints"):
            if not getattr(self, what):
                raise ValueError(f"exercise {self.id} has no {what}")
        for what, texts in (
            ("hint", self.hints),
            ("case", [case.name for case in self.cases]),
            ("mistake", [mistake.name for mistake in self.mistakes]),
            ("sentence", [mistake.says for mistake in self.mistakes]),
        ):
            if any(not text.strip() for text in texts):
                raise ValueError(f"exercise {self.id} has an empty {what}")
            if len(set(texts)) < len(texts):
                raise ValueError(f"exercise {self.id} has the same {what} twice")
        if self.minutes <= 0:
            raise ValueError(f"exercise {self.id}: minutes is {self.minutes}, expected more than zero")
        for declared in self.habits:
            split(declared)
        paths = ([self.twin.path] if self.twin else []) + list(self.answers_in)
        if wrong := [path for path in paths if not TWIN_PATTERN.fullmatch(path)]:
            raise ValueError(f"exercise {self.id}: {wrong[0]!r} is not of the form mlm_mini.room.module:function")

    @property
    def chapter(self) -> str:
        return self.id[:2]

    @property
    def reference(self) -> Callable:
        """The worked answer as a function."""
        return self.answer.function

    @property
    def is_random(self) -> bool:
        """Whether right answers differ by chance: then what is measured on them needs a tolerance beyond rounding."""
        return self.observe is not None and self.atol > ROUNDING

    @cached_property
    def compounds(self) -> tuple[Mistake, ...]:
        """Every two mistakes that can be made at once, as one."""
        return tuple(
            Mistake(
                f"{one.name}; and {other.name}",
                f"Two things are left. One: {one.name}. {one.asks} The other: {other.name}. {other.asks}",
                ways,
                raises=one.raises and other.raises,
                parts=(one, other),
            )
            for one, other in itertools.combinations(self.mistakes, 2)
            if (ways := tuple(_combined(one, other)))
        )


def _combined(one: Mistake, other: Mistake) -> Iterator[Wrong]:
    for first, second in itertools.product(one.ways, other.ways):
        if both := first.combined(second):
            yield both
