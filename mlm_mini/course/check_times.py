"""How long a learner waits for `check`: what `bench` measures over all exercises."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from mlm_mini.course.exercise import Exercise
from mlm_mini.course.exercises import all_exercises
from mlm_mini.course.judging import judge

FIRST = """
import time; start = time.perf_counter()
from mlm_mini.course.exercises import find_exercise
from mlm_mini.course.judging import judge
judge(find_exercise("05.attention"), lambda q, k, v, mask=None: v)
print(1e3 * (time.perf_counter() - start))
"""


def first_check(rounds: int) -> float:
    """Median milliseconds from the import of the course to the end of a first check, which fails, in a new process."""
    line = [sys.executable, "-c", FIRST]
    times = (subprocess.run(line, capture_output=True, text=True, check=True).stdout for _ in range(rounds))
    return statistics.median(map(float, times))


def check_times() -> list[float]:
    """Milliseconds of three checks of each exercise: a right answer, a known mistake, and one that nobody foresaw."""
    times = []
    for exercise in all_exercises().values():
        for function in _answers(exercise):
            start = time.perf_counter()
            judge(exercise, function)
            times.append(1e3 * (time.perf_counter() - start))
    return times


def _answers(exercise: Exercise) -> Iterator[Callable]:
    right = exercise.answer.compiled(exercise.answer.code, "<own ")
    yield right
    yield exercise.mistakes[-1].functions[0]
    yield lambda *args, **kwargs: _stirred(right(*args, **kwargs))


def _stirred(answer: object) -> object:
    """A wrong answer in the form of a right one, so that everything is tried to explain it."""
    if isinstance(answer, np.ndarray) and answer.dtype.kind == "f":
        return answer + np.sin(np.arange(answer.size)).reshape(answer.shape)
    return [_stirred(part) for part in answer] if isinstance(answer, list | tuple) else answer
