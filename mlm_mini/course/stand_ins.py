"""What exercises put in the place of what is too slow, large or dangerous to try things on: a disk, a model, books.

Beside each stands what is measured on it.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np

from mlm_mini.course import chance
from mlm_mini.course.compare import type_name
from mlm_mini.course.exercise import WrongAnswer

MOST_OPERATIONS = 12
_SPLITS = 600  # a share of them is known within 0.12, that is six standard errors
WORST_FIRST = ("half a file", "no file", "what was there before", "the new file")


class PowerCut(BaseException):
    """The machine stops. Not an Exception: there is nobody left to catch it."""


class Disk:
    """A disk that keeps what was flushed, and may lose power before any of its operations.

    A rename takes the name at once. What was written and not flushed is lost with the power: half of it is there.
    """

    def __init__(self, files: dict[str, bytes]):
        self._files = {name: (content, True) for name, content in files.items()}
        self.operations_left = math.inf  # before the power goes
        self.lost_power = False
        self.written: set[str] = set()  # the names that were written to

    def write(self, name: str, content: bytes) -> None:
        """Begin to write: in the disk's memory, not yet on it."""
        self._operate()
        self._files[name] = (content, False)
        self.written.add(name)

    def flush(self, name: str) -> None:
        """Wait until the file is really on the disk."""
        self._operate(name)
        self._files[name] = (self._files[name][0], True)

    def rename(self, old: str, new: str) -> None:
        """Give a file another name, in one step. A file that had the new name is gone."""
        self._operate(old)
        self._files[new] = self._files.pop(old)

    def delete(self, name: str) -> None:
        """Remove a file."""
        self._operate(name)
        del self._files[name]

    def exists(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return name in self._files

    def after_a_cut(self) -> dict[str, bytes]:
        """What is found when the power is back."""
        return {
            name: content if safe else content[: len(content) // 2] for name, (content, safe) in self._files.items()
        }

    def _operate(self, name: str | None = None) -> None:
        if not self.operations_left:
            self.lost_power = True
            raise PowerCut
        self.operations_left -= 1
        if name is not None and name not in self._files:
            raise FileNotFoundError(f"there is no file {name!r} on the disk")


def measured_save(function: Callable, disk: Disk, name: str, content: bytes) -> dict:
    """What is left on the disk when the power goes before operation 1, 2, ... and when it does not."""
    before = disk.after_a_cut()
    found_after_a_cut = {_what_is_there(before.get(name), before.get(name), content)}
    for operations in range(MOST_OPERATIONS):
        tried = copy.deepcopy(disk)
        tried.operations_left = operations
        with contextlib.suppress(PowerCut):
            function(tried, name, content)
        left = tried.after_a_cut()
        if tried.lost_power:
            found_after_a_cut.add(_what_is_there(left.get(name), before.get(name), content))
            continue
        return {
            "after a save without a power cut": _what_is_there(left.get(name), None, content),
            "after a power cut at the worst moment": min(found_after_a_cut, key=WORST_FIRST.index),
            "the file itself is written to": name in tried.written,
            "other files left over": len(set(left) - set(before) - {name}),
            "other files are as they were": all(left.get(other) == before[other] for other in set(before) - {name}),
        }
    raise WrongAnswer(f"After {MOST_OPERATIONS} operations on the disk your function is still not done.")


def _what_is_there(found: bytes | None, old: bytes | None, new: bytes) -> str:
    """What a reader finds. With no file before, none after is no loss."""
    if found is None:
        return "no file"
    return "the new file" if found == new else "what was there before" if found == old else "half a file"


class ToyModel:
    """A model in parts, with modes as PyTorch's modules have them.

    A sentence is a number, and the loss on it `slope` times that: who does not ask the model does not know how much. It
    pays 1 nat more for itself and for each part whose dropout is on. A sentence of None cannot be read.
    """

    def __init__(self, training: bool = True, parts: int = 2, slope: float = 2.0):
        self._slope = slope
        self._parts = [ToyModel(training, 0) for _ in range(parts)]
        self.training = training

    def train(self, mode: bool = True) -> ToyModel:
        """Set the mode of the model and of all its parts: dropout is on, or off."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> ToyModel:
        """Turn dropout off in the model and in all its parts."""
        return self.train(False)

    def children(self) -> Iterator[ToyModel]:
        """The parts."""
        yield from self._parts

    def modules(self) -> Iterator[ToyModel]:
        """The model itself, and all its parts."""
        yield self
        for part in self._parts:
            yield from part.modules()

    def __call__(self, sentence: float | None) -> float:
        if sentence is None:
            raise ValueError("a sentence is missing")
        return self._slope * float(sentence) + sum(module.training for module in self.modules())


def measured_evaluation(function: Callable, model: ToyModel, sentences: list) -> dict:
    """What evaluation gives, and what it leaves behind."""
    try:
        loss = function(model, sentences)
    except ValueError:
        loss = "a ValueError"
    return {
        "loss": loss,
        "the model is left in training mode": bool(model.training),
        "its parts are left in training mode": all(part.training for part in model.children()),
    }


def measured_state(
    function: Callable, weights: np.ndarray, moments: np.ndarray, step: int, rng: np.random.Generator
) -> dict:
    """What a state holds after the run has gone on: array contents, and what the generator would draw next."""
    run = copy.deepcopy((weights, moments, step, rng))
    state = function(*run)
    if type(state) is not dict:
        raise WrongAnswer(f"Your answer is a {type_name(state)}; expected a dict.")
    drawn_on = run[3].random(3)
    same = np.array_equal(run[0], weights) and np.array_equal(run[1], moments)
    run[0][...] -= 1.0  # the run goes on: PyTorch changes weights in place
    run[1][...] *= 0.5
    return {
        **{name: state.get(name) for name in ("weights", "moments", "step")},
        "the random numbers of a run that goes on from here": _next_numbers(state.get("rng")),
        "the run itself is left as it was": same and bool((drawn_on == rng.random(3)).all()),
    }


def _next_numbers(saved: object) -> np.ndarray | str:
    """What a generator draws that goes on from a saved state."""
    generator = np.random.default_rng(0)
    with contextlib.suppress(TypeError, ValueError, KeyError):
        generator.bit_generator.state = saved
        return generator.random(3)
    return f"no state but {type_name(saved)}"


def books(*sizes: int) -> list[list[str]]:
    """Documents of so many sentences, each of which names its document, and one more that stands in all of them."""
    return [[f"{place}:{i}" for i in range(size)] + ["amen ."] for place, size in enumerate(sizes)]


def measured_split(function: Callable, documents: list[list[str]], held_out: int, rng: np.random.Generator) -> dict:
    """What must hold for any choice of documents, and how the choices fall over many generators."""
    plain, n = copy.deepcopy(documents), len(documents)
    everything = Counter(sentence for document in documents for sentence in document)
    answers = [function(documents, held_out, rng)]
    for seed in range(_SPLITS):
        answers.append(function([list(document) for document in plain], held_out, np.random.default_rng(seed)))
    for answer in answers:
        if type(answer) not in (tuple, list) or [type(side) for side in answer] != [list, list]:
            raise WrongAnswer("The answer must be two lists of sentences: train and test.")
        if odd := [sentence for side in answer for sentence in side if not isinstance(sentence, str)]:
            raise WrongAnswer(f"The two lists must hold sentences; there is a {type_name(odd[0])} in yours.")
    train, test = (np.array([_documents_of(answer[side], n) for answer in answers]) for side in (0, 1))
    held = test & ~train
    choices = {row.tobytes() for row in held}
    return {
        "every sentence is there as often as before": all(Counter(a) + Counter(b) == everything for a, b in answers),
        "every document is on one side at least": bool((train | test).all()),
        "share of the documents that stand on both sides": chance.share(train & test),
        "share of the documents held out": chance.share(held),
        "as many documents are held out each time": len(set(held.sum(axis=1))) == 1,
        "how often documents are held out, the rarest first": np.sort(held.mean(axis=0)),
        "every choice of so many documents comes up": len(choices) >= math.comb(n, held_out),
        "the choice depends on rng": len(choices) > 1,
    }


def _documents_of(side: list[str], n: int) -> list[bool]:
    """Which documents have a sentence of their own on that side."""
    found = {sentence.split(":")[0] for sentence in side}
    return [str(place) in found for place in range(n)]
