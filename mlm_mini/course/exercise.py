"""What an exercise is: data that a teacher could have written.

An exercise names what to build, the inputs to try it on, the wrong turns people take and what one would say to each,
and a ladder of hints. `check` judges a learner's function with it; the tests turn the same data on the grader itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

ROUNDING = 1e-6
ID_PATTERN = re.compile(r"\d\d\.[a-z0-9]+(-[a-z0-9]+)*")


class WrongAnswer(Exception):
    """Raised by an exercise's `observe` for an answer that it cannot measure; the learner reads its message."""


@dataclass(frozen=True)
class Case:
    """One input to try. `name` completes the sentence "the smallest failing input is ..."."""

    name: str
    args: tuple
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mistake:
    """A wrong turn that people take: its name, what a good teacher would say, and an implementation that takes it.

    `says` tells what is seen, then what to think about; it never gives the code away. `variants` are other ways to make
    the same mistake that give other answers, such as -1e9 in place of -1e4.
    """

    name: str
    says: str
    function: Callable
    variants: tuple[Callable, ...] = ()

    @property
    def functions(self) -> tuple[Callable, ...]:
        """Every implementation that makes this mistake."""
        return (self.function, *self.variants)


@dataclass(frozen=True, eq=False)  # compared and hashed by identity: what it does to every case is worked out once
class Exercise:
    """A function for the learner to write, and everything needed to judge it.

    id          "NN.name", NN being the chapter.
    reference   the right answer; the learner's function takes the same arguments.
    cases       inputs to try. A case whose reference raises asks for the same kind of error.
    mistakes    known wrong answers; no two may answer alike on every case.
    hints       a ladder, from a nudge to nearly there; never the code itself.
    minutes     how long it takes a newcomer.
    observe     `observe(function, *args, **kwargs)` returns what is compared, for functions whose answer is random:
                a dict of named measurements. By default the answer itself is compared.
    rtol, atol  tolerance of the comparison, as `numpy.isclose` has them.
    answers_in  functions of `mlm_mini` that give the answer away when the learner's code calls them
                (the reference itself always counts).
    """

    id: str
    title: str
    reference: Callable
    cases: tuple[Case, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    minutes: int
    observe: Callable | None = None
    rtol: float = 1e-8
    atol: float = 1e-10
    answers_in: tuple[Callable, ...] = ()

    def __post_init__(self) -> None:
        if not ID_PATTERN.fullmatch(self.id):
            raise ValueError(f"exercise id {self.id!r}: expected two digits, a dot and a lower-case name: 01.softmax")
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

    @property
    def chapter(self) -> str:
        return self.id[:2]

    @property
    def is_random(self) -> bool:
        """Whether right answers differ by chance: then what is measured on them needs a tolerance beyond rounding."""
        return self.observe is not None and self.atol > ROUNDING
