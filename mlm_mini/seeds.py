"""Where luck comes from: every generator of the course has its name and its number here.

One seed serves many purposes, and each draws from a stream of its own. Numbers are part of what a run is: a stream that
changes its number changes every result that was drawn from it, so a new one takes the next number that is free.
"""

import enum

import numpy as np


class Stream(enum.IntEnum):
    """What a seed is for. No two streams of one seed begin alike, and none begins as another seed's does."""

    TEXT = 0  # sentences to train on
    MASKS = 1  # what is hidden of them
    WEIGHTS = 2  # of the model before its first step
    PROBES = 3  # gradients that are measured on the way
    BLOCKS = 4  # the order of the rows of a text, anew in each epoch
    DROPOUT = 5
    EVALUATION = 6  # the sentences, masks and blanks that models are compared at


# Seeds of questions that never change, so that what was measured at different times compares. Nothing trains with them.
EVALUATION_SEED = 2026
RATIO_QUESTIONS_SEED, RATIO_LOOKS_SEED = 910, 911  # of the study of mask ratios, as the shipped results have them
STRATEGY_QUESTIONS_SEED = 1100  # of the study of strategies, likewise
WRITING_SEED = 1600  # of the study of writers
TUNING_SEED = 100  # of the runs that choose a learning rate; no study measures with it


def generator(seed: int, stream: Stream, *more: int) -> np.random.Generator:
    """The generator of one stream; `more` numbers, such as an epoch, part it further.

    PCG64 by name, because its state is written down and must remain readable.
    """
    return np.random.Generator(np.random.PCG64([seed, stream, *more]))


def torch_seed(seed: int, stream: Stream) -> int:
    """A seed for a generator of PyTorch's, which takes one number."""
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0])


def set_state(rng: np.random.Generator, state: dict) -> None:
    """Let a generator of `generator` stand where another one stood, by its `bit_generator.state`.

    Raises ValueError, which names the field, for what no such generator can have; NumPy would cut some of it off.
    """
    fields = dict(state)
    inner = fields.pop("state", None)
    if not isinstance(inner, dict):
        raise ValueError(f"state is {inner!r}: expected an object with state and inc")
    if fields.pop("bit_generator", None) != "PCG64":
        raise ValueError(f"bit_generator is {state.get('bit_generator')!r}: expected 'PCG64'")
    if fields.keys() != {"has_uint32", "uinteger"} or inner.keys() != {"state", "inc"}:
        raise ValueError(f"the fields are {sorted(state)} with {sorted(inner)}: expected those of a PCG64")
    for name, bits in (("state", 128), ("inc", 128), ("has_uint32", 1), ("uinteger", 32)):
        value = (inner | fields)[name]
        if type(value) is not int or not 0 <= value < 2**bits:
            raise ValueError(f"{name} is {value!r}: expected an integer from 0 up to 2^{bits} - 1")
    if inner["inc"] % 2 == 0:
        raise ValueError(f"inc is {inner['inc']}: expected an odd number")
    rng.bit_generator.state = state
