"""What the sandbox says of itself, and what the judge makes of bytes that a hostile program wrote."""

import contextlib
import os
import select
import sys
import tempfile

import numpy as np
import pytest
from submissions import content, written

from mlm_mini.commands.grading import not_enforced
from mlm_mini.course.exercises import find_exercise
from mlm_mini.grading.inside import wire
from mlm_mini.grading.marks import mark
from mlm_mini.grading.sandbox import Sandbox
from mlm_mini.grading.startup import Limits
from mlm_mini.grading.submission import take_apart

RIGHT = "def softmax(logits, axis=-1):\n    e = np.exp(logits - logits.max(axis, keepdims=True))\n"
RIGHT += "    return e / e.sum(axis, keepdims=True)\n"
VALUES = (
    [1, 2.5, "text", None, True, b"bytes", (1, [2, {"a": {3}}])],
    [np.arange(6.0).reshape(2, 3), np.array(["a", "bc"]), np.array(3.0), np.zeros((0, 4)), np.float32(2)],
    {"nan": float("nan"), "inf": -np.inf, "large": 10**50},
)


@pytest.mark.parametrize("place", range(len(VALUES)))
def test_what_is_sent_arrives(place):
    sent = wire.Encoder().encode(VALUES[place])
    assert wire.Encoder().encode(wire.Decoder().decode(sent)) == sent


def test_an_object_that_comes_twice_stays_one():
    row = [1, 2]
    one, other = wire.Decoder().decode(wire.Encoder().encode([row, row]))
    assert one is other


def test_whatever_bytes_come_are_a_value_or_refused():
    luck = np.random.default_rng(1800)
    sent = [bytearray(wire.Encoder().encode(value)) for value in VALUES]
    for _ in range(3000):
        broken = bytearray(sent[luck.integers(len(sent))])
        for place in luck.integers(len(broken), size=luck.integers(1, 6)):
            broken[place] = luck.integers(256)
        with contextlib.suppress(wire.WireError):
            wire.Decoder().decode(bytes(broken[: luck.integers(1, len(broken) + 1)]))


def softmax_mark(source, sandbox):
    parts = take_apart(content(written("01.softmax", source)), "01").parts
    return next(mark(part, sandbox, 3) for part in parts if part.exercise is find_exercise("01.softmax"))


def test_without_a_zygote_marks_are_the_same_and_it_is_said():
    with Sandbox(Limits(seconds=5), without=("zygote",)) as sandbox:
        assert softmax_mark(RIGHT, sandbox).points == 10
        assert softmax_mark("def softmax(logits, axis=-1):\n    import os; os._exit(0)", sandbox).points == 0
        assert len(not_enforced(sandbox.standing)) == 5


@pytest.mark.parametrize("without", [(), ("zygote",)])
def test_nothing_of_a_submission_is_left_on_the_disk(without, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Sandbox(Limits(seconds=5), without) as sandbox:
        assert softmax_mark(RIGHT, sandbox).points == 10
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="a FIFO and groups of processes are for systems like Unix")
def test_without_a_zygote_what_a_submission_started_ends_with_it(tmp_path):
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    starts = f"exec 3>'{tmp_path / 'held'}'; echo begun >&3; echo; exec sleep 60"
    source = (
        "def softmax(logits, axis=-1):\n    import subprocess\n"
        f"    subprocess.Popen(['sh', '-c', {starts!r}], stdout=subprocess.PIPE).stdout.readline()\n"
    )
    with Sandbox(Limits(seconds=5), without=("zygote",)) as sandbox:
        softmax_mark(source, sandbox)
    os.set_blocking(reader, True)
    said = b""
    while select.select([reader], [], [], 20)[0] and (more := os.read(reader, 1000)):
        said += more
    assert not more  # nobody holds the other end any more
    assert said.startswith(b"begun\n")
    os.close(reader)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's own means")
def test_where_a_step_is_not_allowed_the_others_hold():
    with Sandbox(Limits(seconds=5), without=("namespaces",)) as sandbox:
        assert softmax_mark(RIGHT, sandbox).points == 10
        reads = f"def softmax(logits, axis=-1):\n    raise ValueError(open({__file__!r}).read()[:40])"
        assert "PermissionError" in softmax_mark(reads, sandbox).feedback
        assert "namespaces" in " ".join(not_enforced(sandbox.standing))
