"""What a checkpoint holds, looked at before any of it is used: each number's type and range, each tensor's shape.

A checkpoint may be whole and still be wrong: edited, or written by a program that failed. PyTorch's optimizer does not
check it: where moments are smaller than their weight, it reads memory behind their end.
"""

import math
import reprlib
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any, get_args, get_type_hints

import torch
from torch import Tensor

from mlm_mini.training.checkpoint import Checkpoint, CheckpointError
from mlm_mini.training.progress import Point

KIND_NAMES = {int: "an integer", float: "a finite number", list: "a list", dict: "an object", bool: "true or false"}
CPU_GENERATOR, CUDA_GENERATOR = "torch_generator", "cuda_generator"


def check_numbers(state: Mapping, steps: int) -> None:
    """The numbers of a run of that many steps. Raises CheckpointError, which names the first field that is wrong."""
    step = _checked(state, "step", int, least=1, most=steps)
    for name in ("tokens", "predictions"):
        _checked(state, name, int, least=0)
    _checked(state, "seconds", float, least=0)
    losses = _checked(state, "losses", list)
    if len(losses) != 2:
        raise _wrong("losses", losses, "a sum and how many were added")
    parts = {"losses[0]": losses[0], "losses[1]": losses[1]}
    _checked(parts, "losses[0]", float)
    _checked(parts, "losses[1]", int, least=0, most=step)
    before = -1 if state.get("start") else 0  # only a run that starts from a model is evaluated before its first step
    for i, point in enumerate(_checked(state, "curve", list)):
        before = _check_point(f"curve[{i}]", point, before, step)
    for name in ("source_state", "mask_generator"):
        _checked(state, name, dict)
    if "low" in state:  # older checkpoints do not say
        _checked(state, "low", bool)


def _check_point(name: str, point: Any, before: int, step: int) -> int:
    """One point of the curve; returns its step, which is later than that of the point before."""
    if not isinstance(point, dict) or point.keys() != set(Point._fields):
        raise _wrong(name, point, f"an object with {', '.join(Point._fields)}")
    named = {f"{name}.{field}": value for field, value in point.items()}
    for field, hint in get_type_hints(Point).items():
        kind = get_args(hint)[0] if get_args(hint) else hint
        if not (kind is not hint and point[field] is None):
            _checked(named, f"{name}.{field}", kind, least=0 if kind is int else None)
    return _checked(named, f"{name}.step", int, least=before + 1, most=step)


def check_tensors(
    checkpoint: Checkpoint, weights: Mapping[str, Tensor], moment_names: Mapping[str, Sequence[str]]
) -> None:
    """weights: all that the model keeps. moment_names: what the optimizer keeps of each, by the weight's name.

    Raises CheckpointError, which names the first tensor that is wrong.
    """
    _check_like(checkpoint.model, weights)
    scalar = torch.zeros((), dtype=torch.float32)
    moments = {
        f"{name}.{key}": scalar if key == "step" else weights[name]
        for name, keys in moment_names.items()
        for key in keys
    }
    generators = (CPU_GENERATOR, CUDA_GENERATOR)
    _check_like({name: t for name, t in checkpoint.optimizer.items() if name not in generators}, moments)
    for name, tensor in checkpoint.optimizer.items():
        if name.endswith(".exp_avg_sq") and (tensor < 0).any():
            raise _wrong(name, tensor.min().item(), "squares, which are 0 or more")
        if name.endswith(".step") and tensor.item() != checkpoint.state["step"]:
            raise _wrong(name, tensor.item(), f"the step of the run, {checkpoint.state['step']}")
    _check_generators(checkpoint.optimizer)


def _check_like(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    if lacks := sorted(expected.keys() - found.keys()):
        raise CheckpointError(f"{lacks[0]} is missing")
    if adds := sorted(found.keys() - expected.keys()):
        raise CheckpointError(f"{adds[0]} is not a tensor of this run")
    for name, tensor in found.items():
        wanted = expected[name]
        for what in ("shape", "dtype"):
            mine, theirs = getattr(wanted, what), getattr(tensor, what)
            if mine != theirs:
                shown = (tuple(theirs), tuple(mine)) if what == "shape" else (theirs, mine)
                raise CheckpointError(f"{name} has {what} {shown[0]}: expected {shown[1]}")
        if not tensor.isfinite().all():
            raise CheckpointError(f"{name} holds NaN or infinity: expected finite numbers")


def _check_generators(tensors: Mapping[str, Tensor]) -> None:
    """Try the states of the generators, on one that nobody uses."""
    if CPU_GENERATOR not in tensors:
        raise CheckpointError(f"{CPU_GENERATOR} is missing")
    for name in tensors.keys() & {CPU_GENERATOR, CUDA_GENERATOR}:
        if tensors[name].dtype != torch.uint8 or tensors[name].ndim != 1:
            raise CheckpointError(
                f"{name} is {tensors[name].dtype} of shape {tuple(tensors[name].shape)}: expected a row of bytes"
            )
    try:
        torch.Generator().set_state(tensors[CPU_GENERATOR])
    except RuntimeError as error:
        raise CheckpointError(f"{CPU_GENERATOR} is no state of a generator ({error})") from error


def _checked(values: Mapping, name: str, kind: type, least: float | None = None, most: float | None = None) -> Any:
    """A field of that kind, within its range. Raises CheckpointError."""
    if name not in values:
        raise CheckpointError(f"{name} is missing")
    value = values[name]
    expected = KIND_NAMES[kind]
    if least is not None:
        expected += f" from {least} to {most}" if most is not None else f", {least} or more"
    right = isinstance(value, Real if kind is float else kind) and (kind is bool or not isinstance(value, bool))
    if right and kind is float:
        right = _is_finite(value)
    if right and least is not None:
        right = value >= least and (most is None or value <= most)
    if not right:
        raise _wrong(name, value, expected)
    return value


def _is_finite(value: Real) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float holds
        return False


def _wrong(name: str, value: Any, expected: str) -> CheckpointError:
    return CheckpointError(f"{name} is {reprlib.repr(value)}: expected {expected}")
