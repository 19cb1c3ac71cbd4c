"""What stands around a call of a learner's function: what it prints, and the random numbers that belong to nobody.

Nothing of the package is imported here, since the sandbox of the grader, in which there is none, runs this file too.
"""

from __future__ import annotations

import contextlib
import io
import random
import sys
import warnings
from collections.abc import Iterator

import numpy as np

PRINTED_KEPT = 400


class KeptText(io.TextIOBase):
    """A text stream that keeps the first characters and counts the rest."""

    def __init__(self, keep: int = PRINTED_KEPT) -> None:
        self.keep, self.text, self.characters = keep, "", 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text[: max(0, self.keep - len(self.text))]
        self.characters += len(text)
        return len(text)


@contextlib.contextmanager
def quiet() -> Iterator[KeptText]:
    """No print and no warning gets out; yields what is printed."""
    kept = KeptText()
    with (
        contextlib.redirect_stdout(kept),
        contextlib.redirect_stderr(kept),
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield kept


def global_generators() -> tuple:
    """The state of every generator that belongs to nobody: Python's, NumPy's, and PyTorch's where it is loaded."""
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002, it is looked at and never drawn from
    states = [random.getstate(), (kind, keys.tobytes(), *rest)]
    if torch := sys.modules.get("torch"):
        states.append(torch.random.get_rng_state().numpy().tobytes())
    return tuple(states)


def restore_generators(states: tuple) -> None:
    """Puts the generators that belong to nobody back, so that a draw or a seed shows again the next time."""
    python, (kind, keys, *rest), *torchs = states
    random.setstate(python)
    np.random.set_state((kind, np.frombuffer(keys, np.uint32), *rest))  # noqa: NPY002
    if torchs:
        torch = sys.modules["torch"]
        torch.random.set_rng_state(torch.frombuffer(bytearray(torchs[0]), dtype=torch.uint8))
