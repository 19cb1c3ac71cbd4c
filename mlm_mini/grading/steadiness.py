"""Whether a submitted function answers the same input in the same way, whenever and wherever it is asked.

A function that remembers what it drew seems to draw alike from a generator in the same state, and one that is right at
every second call seems to be right on half of the inputs. So the same inputs are put again to two processes, of which
neither knows what the other was asked, and in another order.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from mlm_mini.course.clock import TimeLimitReached
from mlm_mini.course.compare import difference, without_names
from mlm_mini.course.exercise import Exercise
from mlm_mini.course.surroundings import quiet
from mlm_mini.grading.inside import wire
from mlm_mini.grading.proxy import Submitted

UNSTEADY = (
    "On the same input, with every generator in the same state, your function answers now so and now so: it remembers\n"
    "what it was asked before, or draws luck from elsewhere, so that nobody can repeat what it does."
)


def unsteadiness(submitted: Submitted) -> str:
    """Why two fresh processes do not answer alike, the second asked in the opposite order; "" where they do.

    Ends the process that there is.
    """
    submitted.close()
    places = range(len(submitted.program.exercise.cases))
    forth = _answers(submitted, [place for place in places for _ in range(2)])
    back = _answers(submitted, reversed(places))
    first = dict(reversed(forth))
    if submitted.seen.slow:
        return submitted.seen.slow
    return "" if all(_alike(answer, first[place]) for place, answer in forth + back) else UNSTEADY


def _answers(submitted: Submitted, places: Iterable[int]) -> list[tuple[int, Any]]:
    """What a fresh process answers to some inputs, one after the other; of an error its name."""
    again = Submitted(submitted.program, submitted.sandbox)
    try:
        function = again.described()
        return [(place, _answer(submitted.program.exercise, function, place)) for place in places]
    finally:
        submitted.seen.slow = submitted.seen.slow or again.seen.slow
        again.close()


def _answer(exercise: Exercise, function: Any, place: int) -> Any:
    args, kwargs = copy.deepcopy((exercise.cases[place].args, exercise.cases[place].kwargs))
    args = exercise.prepare(args) if exercise.prepare else args
    try:
        with quiet():
            return without_names(function(*args, **kwargs))
    except (Exception, TimeLimitReached) as error:
        return type(error).__name__


def _alike(one: Any, other: Any) -> bool:
    """Whether two answers are the same up to rounding; of what is no plain data, whether they are called the same."""
    if wire.Encoder().encode(one) == wire.Encoder().encode(other):
        return True
    one, other = (answer.detach().numpy() if hasattr(answer, "detach") else answer for answer in (one, other))
    return difference(one, other, rtol=1e-6, atol=1e-9) is None
