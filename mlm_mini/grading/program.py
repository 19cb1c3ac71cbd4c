"""What is run of a submission for one exercise, and what is seen of it beside its answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from mlm_mini.course.exercise import Exercise, WrongAnswer

PROCESS_ENDED = "Your code ended the process that it runs in: os._exit, a crash, or more memory than there is."

REFUSED = (
    "What was not permitted is refused by the sandbox in which functions are marked: there are no other processes, no\n"
    "network and no files of yours, so that nothing which needs them (subprocess, asyncio, ...) can be marked."
)
LOOPS = "Your function did not finish within {:g} seconds of computing: is there a loop that never ends?"
WAITS = "Your function did not finish within {:g} seconds by the clock: does it sleep, or wait for something?"
ALTOGETHER = "On all inputs together your function took more than {:g} seconds by the clock."


class ProcessEnded(WrongAnswer):
    """The process of a submission is gone."""


class AnswerNotPlain(WrongAnswer):
    """What a submission sent is no plain data."""


@dataclass(frozen=True)
class Program:
    """What is run of a submission for one exercise: statements in order, and the name of the function they define."""

    exercise: Exercise
    name: str
    statements: tuple[str, ...]
    torch: bool = False


@dataclass
class Remembered:
    """What was seen beside answers."""

    line: str = ""  # of the submission, the last that raised
    handed_in: bool = False
    ends: int = 0
    failures: list = field(default_factory=list)
    slow: str = ""  # how it took too long, in a sentence
