"""What the whole numbers of an exercise may become, where they are what it is about. Others are left as they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlm_mini.course.stand_ins import ToyModel

WholeNumberChange = Callable[[np.random.Generator, tuple], tuple]
BERTS = (100, 101, 102, 103)  # [UNK], [CLS], [SEP], [MASK]


def shuffled(luck: np.random.Generator, args: tuple) -> tuple:
    """Ids and truth values at other places."""

    def moved(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind in "iub":
            return luck.permutation(value.ravel()).reshape(value.shape)
        return value

    return tuple(moved(value) for value in args)


def other_words(luck: np.random.Generator, args: tuple) -> tuple:
    """Words with other ids; special tokens keep theirs."""
    step = int(luck.integers(200, 9000))

    def moved(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
            return np.where((value > 4) & ~np.isin(value, BERTS), value + step, value)
        return value

    return tuple(moved(value) for value in args)


def renumbered(luck: np.random.Generator, args: tuple) -> tuple:
    """Another numbering of all tokens, the special ones among them: no rule of thumb tells these by their ids."""
    ids = np.unique(np.concatenate([np.ravel(value) for value in args]))
    numbers = luck.choice(60_000, len(ids), replace=False)
    return tuple(numbers[np.searchsorted(ids, value)].astype(value.dtype) for value in args)


def another_model(luck: np.random.Generator, args: tuple) -> tuple:
    model, *rest = args
    return (ToyModel(model.training, slope=float(luck.uniform(1.5, 4))), *rest)


def larger(*places: int, most: int = 6) -> WholeNumberChange:
    """Sizes, each a little larger."""

    def change(luck: np.random.Generator, args: tuple) -> tuple:
        return tuple(
            int(value + luck.integers(1, most)) if place in places else value for place, value in enumerate(args)
        )

    return change


def longer_training(luck: np.random.Generator, args: tuple) -> tuple:
    """The same moment of a longer training, with another rate."""
    times = int(luck.integers(2, 10))
    step, steps, warmup, highest, *rest = args
    return (step * times, steps * times, warmup * times, highest * float(luck.uniform(0.5, 0.9)), *rest)


def with_sides(luck: np.random.Generator, args: tuple) -> tuple:
    return other_words(luck, args[:1]) + args[1:]


def another_seed(luck: np.random.Generator, args: tuple) -> tuple:
    return (*args[:3], int(luck.integers(2**31)))


def flops(luck: np.random.Generator, args: tuple) -> tuple:
    """No more positions are predicted than there are."""
    extra = int(luck.integers(1, 5))
    B, T, k, *rest = larger(0, 3, 4, 5, 6)(luck, args)
    return (B, T + extra + 3, k + extra, *rest)


WHOLE_NUMBERS: dict[str, WholeNumberChange] = {
    "03.maskable": renumbered,
    "03.labels": shuffled,
    "04.clinic-inplace": shuffled,
    "05.padding-mask": shuffled,
    "05.causal-mask": larger(0),
    "06.count-parameters": larger(0, 1, 2, 3, 4),
    "06.forward-flops": flops,
    "07.learning-rate": longer_training,
    "07.fixed-masks": another_seed,
    "07.blocks": with_sides,
    "07.clinic-evaluation": another_model,
    "08.causal-labels": with_sides,
    "08.sides": with_sides,
    "08.flops": larger(0, 1, 2, 3),
    "08.pseudo-log-likelihood": shuffled,
    "11.equal-steps": larger(0, most=90),
}
# Arguments that are real numbers by type alone: a number of positions, or one that goes with the number of seeds.
KEPT_ARGUMENTS = {"11.inclusion": (1,), "10.best-interval": (3,)}
