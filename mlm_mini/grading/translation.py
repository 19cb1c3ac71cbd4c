"""What stands here for what is in the sandbox, and there for what stays here. No code of a submission is called."""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from mlm_mini.course.stand_ins import Disk, ToyModel
from mlm_mini.grading.inside import wire

USABLE_METHODS = {
    Disk: {"write", "flush", "rename", "delete", "exists"},
    ToyModel: {"train", "eval", "children", "modules"},
}
USABLE_ATTRIBUTES = {Disk: set(), ToyModel: {"training"}}
NEVER = (KeyboardInterrupt, GeneratorExit)  # errors that would end the judge, not the submission
FROM_NUMPY = {
    ("numpy.exceptions", "AxisError"): np.exceptions.AxisError,
    ("numpy.linalg", "LinAlgError"): np.linalg.LinAlgError,
}


class Here:
    """The functions and objects that stay here during a call, and the errors that they raised."""

    def __init__(self) -> None:
        self.objects: list = []
        self.raised: list[BaseException] = []

    def keep(self, value: Any) -> wire.Remote | None:
        """What stands for a value in the sandbox, if it is one that stays here: whatever can be called, of any kind."""
        if not callable(value) and type(value) not in USABLE_METHODS:
            return None
        self.objects.append(value)
        return wire.Remote(len(self.objects) - 1, type(value).__name__)

    def find(self, number: Any, _: str = "") -> Any:
        """Raises WireError for a number that was not handed out."""
        if type(number) is not int or not 0 <= number < len(self.objects):
            raise wire.WireError("it asks for an object that it was not given")
        return self.objects[number]


def ask(target: Any, name: str, args: tuple, kwargs: dict) -> Any:
    """Calls a function that stays here, or asks an object for what a submission may use of it."""
    if type(target) not in USABLE_METHODS:
        if name == "?":
            raise AttributeError("a function")
        if name != "__call__":
            raise wire.WireError("it asks a function for something else than an answer")
        return target(*args, **kwargs)
    methods, attributes = USABLE_METHODS[type(target)], USABLE_ATTRIBUTES[type(target)]
    if name == "?" and args[0] in methods:
        return "method"
    if name in ("?", "get") and args[0] in attributes:
        return "attribute" if name == "?" else getattr(target, args[0])
    if name == "set" and args[0] in attributes:
        return setattr(target, args[0], bool(args[1]))
    if name in methods or (name == "__call__" and callable(target)):
        return getattr(target, name)(*args, **kwargs)
    raise AttributeError(f"{type(target).__name__!r} object has no attribute {(args or [name])[0]!r}")


def word(text: str) -> str:
    """A name from the sandbox, fit for a sentence."""
    return "".join(letter if letter.isidentifier() or letter.isdigit() else "_" for letter in str(text))[:60] or "_"


def opaque(module: str, name: str) -> Any:
    """An object whose type has that name, and nothing else; of no module, a name in words."""
    called = word(name) if module else " ".join(word(part) for part in name.split()[:12])
    found = type(called, (), {})()
    type(found).__module__ = word(module.split(".")[0]) if module else "builtins"
    return found


def made(value: Any, depth: int = 0) -> Any:
    """A decoded answer, with objects in place of what could not be sent."""
    if type(value) is wire.Opaque:
        return opaque(value.module, value.name)
    if type(value) is list and any(type(item) in (wire.Opaque, list, tuple, dict) for item in value):
        value[:] = [made(item) for item in value]
    elif type(value) is tuple:
        return tuple([made(item) for item in value])
    elif type(value) is dict:
        for key in list(value):
            value[key] = made(value[key])
    return value


def made_error(names: list[tuple[str, str]], message: str) -> BaseException:
    """An error of that type, its bases being `names`; one of a type of its own has the first known one as base."""
    base, own = Exception, True
    for module, name in names:
        known = FROM_NUMPY.get((module, name)) or (getattr(builtins, name, None) if module == "builtins" else None)
        if isinstance(known, type) and issubclass(known, BaseException) and not issubclass(known, NEVER):
            base, own = known, (module, name) != names[0]
            break
    try:
        kind = type(word(names[0][1]), (base,), {}) if own else base
        error = kind.__new__(kind, message)
        error.args = (message,)
        str(error)
    except Exception:  # a type whose errors need more than a message
        error = Exception(message)
    return error


def update(mine: Any, theirs: Any) -> None:
    """Makes of arguments what the call made of its copies."""
    if type(mine) is not type(theirs):
        return
    if isinstance(mine, np.ndarray):
        if mine.shape == theirs.shape and mine.dtype == theirs.dtype and mine.flags.writeable:
            np.copyto(mine, theirs)
    elif isinstance(mine, np.random.Generator):
        mine.bit_generator.state = theirs.bit_generator.state
    elif type(mine) is tuple and len(mine) == len(theirs):
        for one, other in zip(mine, theirs, strict=True):
            update(one, other)
    elif type(mine) is list:
        _update_list(mine, theirs)
    elif type(mine) is dict:
        for key in [key for key in mine if key not in theirs]:
            del mine[key]
        for key, value in theirs.items():
            if key in mine and isinstance(mine[key], np.ndarray | np.random.Generator | list | dict):
                update(mine[key], value)
            else:
                mine[key] = made(value)
    elif type(mine) is set:
        mine.clear()
        mine.update(theirs)
    elif type(mine).__module__ == "torch" and mine.shape == theirs.shape:
        mine.detach().copy_(theirs.detach())


def _update_list(mine: list, theirs: list) -> None:
    """In place, and item by item where the items themselves may have been changed."""
    kinds = np.ndarray | np.random.Generator | list | dict
    for place, value in enumerate(theirs):
        if place < len(mine) and isinstance(mine[place], kinds) and type(mine[place]) is type(value):
            update(mine[place], value)
            if not isinstance(value, np.ndarray) or (mine[place].shape, mine[place].dtype) == (
                value.shape,
                value.dtype,
            ):
                continue
        mine[place : place + 1] = [made(value)]
    del mine[len(theirs) :]


def signature_of(parameters: Any) -> inspect.Signature | None:
    """The signature that was described, or None where it makes no sense."""
    try:
        return inspect.Signature(
            [
                inspect.Parameter(
                    str(name),
                    inspect._ParameterKind(kind),
                    default=None if has_default else inspect.Parameter.empty,
                )
                for name, kind, has_default in parameters
            ]
        )
    except (TypeError, ValueError):
        return None


def with_gradient(answer: Any, leaves: list, gradients: Callable) -> Any:
    """A tensor whose gradient is asked of `gradients(gradient, count)`, one for each of `leaves`."""
    import torch

    class FromTheSandbox(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, value: Any, *_: Any) -> Any:
            return value.clone()

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> tuple:
            found = gradients(gradient.contiguous(), len(leaves))
            fitting = [
                one if type(one) is torch.Tensor and one.shape == leaf.shape and one.dtype == leaf.dtype else None
                for one, leaf in zip(found, leaves, strict=True)
            ]
            return (None, *fitting)

    if not leaves:  # a graph of its own making: it flows, and to nowhere
        return answer.requires_grad_()
    return FromTheSandbox.apply(answer, *leaves)
