"""What is seen beside an answer: what a function prints, and whose random numbers it draws."""

from __future__ import annotations

import contextlib
import io
import random
import sys
import warnings

import numpy as np

KEPT_CHARACTERS, COUNTED_CHARACTERS = 400, 20_000


class Kept(io.TextIOBase):
    """Keeps the first characters that are printed, and counts the rest."""

    def __init__(self):
        self.text, self.count = "", 0

    def write(self, text):
        self.text += text[: max(0, KEPT_CHARACTERS - len(self.text))]
        self.count += len(text)
        return len(text)


@contextlib.contextmanager
def quiet(kept):
    with (
        contextlib.redirect_stdout(kept),
        contextlib.redirect_stderr(kept),
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        yield


def luck():
    """The state of every generator that belongs to nobody."""
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002
    states = [random.getstate(), (kind, keys.tobytes(), *rest)]
    if torch := sys.modules.get("torch"):
        states.append(torch.random.get_rng_state().numpy().tobytes())
    return states


def put_back(states):
    python, (kind, keys, *rest), *torchs = states
    random.setstate(python)
    np.random.set_state((kind, np.frombuffer(keys, np.uint32), *rest))  # noqa: NPY002
    if torchs:
        torch = sys.modules["torch"]
        torch.random.set_rng_state(torch.frombuffer(bytearray(torchs[0]), dtype=torch.uint8))
