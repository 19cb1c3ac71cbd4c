"""Inputs that nobody has seen: the cases of an exercise, changed by a secret seed so that they stay what they are.

A table of the known answers is worth nothing on them, and whoever computes the answer does not notice. What an input is
about must survive: that a row sums to one, that scores tie or are -inf, that numbers are sorted, that an id is special.
So real numbers are bent by one rising curve, alike numbers staying alike; letters change places throughout; generators
get other seeds; whole numbers, which may be sizes or ids, are left alone unless `WHOLE_NUMBERS` says what they may be.
"""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import re
import string
from functools import cache
from typing import Any

import numpy as np

from mlm_mini.course.diagnosis import expected_outcomes
from mlm_mini.course.exercise import Case, Exercise
from mlm_mini.course.run import run_case
from mlm_mini.grading.whole_numbers import KEPT_ARGUMENTS, WHOLE_NUMBERS

BRACKETED = re.compile(r"(\[[A-Z]+\])")
TRIES = 4


@cache
def fresh(exercise: Exercise, seed: int) -> Exercise:
    """The exercise with inputs of its own for this seed; no known mistakes, which are told from the known inputs."""
    cases = [_fresh_case(exercise, case, place, seed) for place, case in enumerate(exercise.cases)]
    return dataclasses.replace(exercise, cases=tuple(cases), mistakes=())


def _fresh_case(exercise: Exercise, case: Case, place: int, seed: int) -> Case:
    """A case like this one; the case itself where the worked answer does not do on others what it does on this."""
    before = expected_outcomes(exercise)[place]
    for attempt in range(TRIES):
        luck = np.random.default_rng(_number(exercise.id, place, seed, attempt))
        change = WHOLE_NUMBERS.get(exercise.id)
        args, kwargs = copy.deepcopy((case.args, case.kwargs))
        if change is not None:
            args = change(luck, args)
        bend, kept = Bend(luck), KEPT_ARGUMENTS.get(exercise.id, ())
        bent = tuple(value if place in kept else bend(value) for place, value in enumerate(args))
        new = Case(f"one like this: {case.name}", bent, {key: bend(kwargs[key]) for key in kwargs})
        after = run_case(exercise, exercise.reference, new)
        if type(after.error) is type(before.error) and type(after.value) is type(before.value):
            return new
    return case


def _number(*parts: Any) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:16], "big")


class Bend:
    """Changes the values of one case, each kind in its way, all by the same luck."""

    def __init__(self, luck: np.random.Generator):
        self.luck = luck
        self.power = float(luck.uniform(1.02, 1.12))
        self.step = int(luck.integers(1, 26))

    def __call__(self, value: Any) -> Any:
        if isinstance(value, np.ndarray):
            return self.array(value)
        if type(value) is str:
            return self.text(value)
        if isinstance(value, np.random.Generator):
            return np.random.default_rng(self.luck.integers(2**63))
        if type(value) in (list, tuple):
            return type(value)(self(item) for item in value)
        if type(value) is dict:
            return self.mapping(value)
        if type(value) is set:
            return {self(item) for item in value}
        if type(value) in (float, np.float64):
            return type(value)(self.curve(np.asarray(value))[()])
        return value

    def array(self, value: np.ndarray) -> np.ndarray:
        if value.dtype.kind != "f" or not value.size:
            return value
        for axis in range(value.ndim):
            with np.errstate(all="ignore"):
                total, logs = value.sum(axis, keepdims=True), np.exp(value).sum(axis, keepdims=True)
            if value.shape[axis] > 1 and (value >= 0).all() and np.allclose(total, 1, rtol=1e-9):
                bent = self.curve(value)
                return bent / bent.sum(axis, keepdims=True)  # still a distribution
            if value.shape[axis] > 1 and (value <= 0).all() and np.allclose(logs, 1, rtol=1e-9):
                bent = self.curve(np.exp(value))
                with np.errstate(divide="ignore"):
                    return np.log(bent / bent.sum(axis, keepdims=True))  # still its logarithm
        return self.curve(value)

    def curve(self, value: np.ndarray) -> np.ndarray:
        """A rising curve through 0, 1 and -1: what is between 0 and 1 stays there. Huge and tiny numbers stay so."""
        size = np.abs(value)
        ordinary = np.isfinite(value) & (size > 1e-12) & (size < 1e6)
        with np.errstate(all="ignore"):
            return np.where(ordinary, np.sign(value) * size**self.power, value).astype(value.dtype)

    def text(self, value: str) -> str:
        """The text with other letters; [MASK] and its like stay."""
        small = string.ascii_lowercase
        table = str.maketrans(small, small[self.step :] + small[: self.step])
        return "".join(part if BRACKETED.fullmatch(part) else part.translate(table) for part in BRACKETED.split(value))

    def mapping(self, value: dict) -> dict:
        """A table of probabilities keeps summing to one; the keys of a table of words change with the words."""
        numbers = list(value.values())
        words = bool(value) and all(type(number) is float for number in numbers)
        if words and all(type(key) is str for key in value) and abs(sum(numbers) - 1) < 1e-9:
            bent = self.curve(np.array(numbers))
            return {self.text(key): float(p) for key, p in zip(value, bent / bent.sum(), strict=True)}
        return {key: self(item) for key, item in value.items()}
