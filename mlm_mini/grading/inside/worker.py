"""The process in which a submission's function runs: it is given code, then calls, and answers with plain data.

Nothing that it says is believed to be more than the answer of the function. It knows no expected answer.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.util
import inspect
import linecache
import os
import random
import sys
import threading
import traceback

import messages
import numpy as np
import wire

SUBMISSION_FILE = "<submission "
COUNTED_CHARACTERS = 20_000  # that are printed; more are not told
COURSE_ROOM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "course")


def course_file(name):
    """A module of the course that needs none of its others, loaded from its file: the package is not there yet."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(COURSE_ROOM, f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


surroundings = course_file("surroundings")


class Package(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `mlm_mini` in the texts that came with the code, and nowhere else."""

    def __init__(self, modules):
        self.modules = modules

    def find_spec(self, name, path=None, target=None):
        if name in self.modules:
            folder = any(other.startswith(name + ".") for other in self.modules)
            return importlib.util.spec_from_loader(name, self, is_package=folder)
        if name.split(".")[0] == "mlm_mini":
            raise ModuleNotFoundError(f"{name} is not at hand where this is marked", name=name)
        return None

    def exec_module(self, module):
        exec(compile(self.modules[module.__name__], f"<{module.__name__}>", "exec"), module.__dict__)


class HungUp(BaseException):
    """The judge has hung up."""


class Session:
    def __init__(self, sock):
        self.sock = sock
        self.graph = None
        self.asking = threading.Lock()  # a function may ask from threads of its own: each is to get its own reply

    def serve(self):
        while True:
            head, values = self.receive()
            {"setup": self.set_up, "call": self.call, "backward": self.backward}[head["kind"]](head, values)

    def receive(self):
        try:
            return messages.receive(self.sock, most=2**34)
        except (EOFError, OSError):
            raise HungUp from None

    # ---- the code

    def set_up(self, head, _):
        sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in repr(f)]
        sys.meta_path.insert(0, Package(head["modules"]))
        sys.path[:] = [place for place in sys.path if place and place not in head["hide"]]
        space = {"__name__": "__main__", "__builtins__": __builtins__}
        self.space, failures = space, []
        with surroundings.quiet():
            for number, text in enumerate(head["statements"]):
                file = f"{SUBMISSION_FILE}{number}>"
                linecache.cache[file] = (len(text), None, text.splitlines(True), file)
                try:
                    exec(compile(text, file, "exec", dont_inherit=True), space)
                except HungUp:
                    raise
                except BaseException as error:
                    failures.append([number, told_name(error), message_of(error)])
        self.function = space.get(head["name"])
        self.say({"kind": "ready", "failures": failures[:20], **self.described()})

    def described(self):
        function = self.function
        if inspect.isclass(function):
            return {"what": "class", "name": str(function.__name__)[:80]}
        if not callable(function):
            return {"what": "missing" if function is None else "value", "name": type(function).__name__[:80]}
        if inspect.iscoroutinefunction(function):
            return {"what": "coroutine", "name": "function"}
        try:
            found = inspect.signature(function).parameters.values()
            signature = [[p.name, int(p.kind), p.default is not p.empty] for p in found]
        except Exception:  # a strange object may have none
            signature = None
        return {"what": "function", "name": "function", "signature": signature}

    # ---- a call

    def call(self, head, values):
        decoder = wire.Decoder(far=self.remote)
        args, kwargs = decoder.decode(values[0])
        before, loaded = surroundings.global_generators(), len(sys.modules)
        answer, failed = None, None
        with surroundings.quiet() as printed:
            try:
                answer = self.function(*args, **kwargs)
            except HungUp:
                raise
            except BaseException as error:
                failed = error
        touched = surroundings.global_generators()[: len(before)] != before
        if touched:
            surroundings.restore_generators(before)
        said = {
            "global": touched and len(sys.modules) == loaded,  # libraries draw when they load; the function will again
            "printed": printed.text,
            "characters": min(printed.characters, COUNTED_CHARACTERS),
        }
        after = wire.Encoder(remote=self.stand_in).encode((args, kwargs))
        changed = b"" if after == values[0] else after
        said["kept"] = bool(changed) and messages.buffers(after) == messages.buffers(values[0])  # not sent again
        changed = messages.without_buffers(changed) if said["kept"] else changed
        if failed is not None:
            self.say({"kind": "error", **self.error(failed), **said}, changed)
            return
        self.graph = (answer, [value for value in decoder.objects if is_leaf(value)])
        self.say({"kind": "value", **said}, changed, wire.Encoder(decoder.objects).encode(answer))

    def backward(self, _, values):
        import torch

        answer, leaves = self.graph
        gradient = wire.Decoder().decode(values[0])
        found = torch.autograd.grad(answer, leaves, gradient, allow_unused=True) if leaves else ()
        self.say({"kind": "gradients"}, wire.Encoder().encode([None if g is None else g.detach() for g in found]))

    def error(self, error):
        """What an error is called, with its bases, what it says, and the line of the submission that raised it."""
        names = [[str(kind.__module__)[:80], str(kind.__qualname__)[:80]] for kind in type(error).__mro__][:12]
        line = [0, ""]
        with contextlib.suppress(Exception):
            for frame in reversed(traceback.extract_tb(error.__traceback__)):
                if frame.filename.startswith(SUBMISSION_FILE):
                    line = [frame.lineno, (frame.line or "").strip()[:200]]
                    break
        number = getattr(error, "asked_number", None)
        asked = number if type(number) is int else None
        return {"names": names, "message": message_of(error), "line": line, "asked": asked}

    # ---- the other way round: functions and objects of the judge

    def remote(self, number, name):
        return Stub(self, number, name)

    def stand_in(self, value):
        return wire.Remote(value._number, value._name) if type(value) is Stub else None

    def ask(self, number, name, args, kwargs):
        known = wire.Encoder(remote=self.stand_in).encode((args, kwargs))
        with self.asking:
            self.say({"kind": "ask", "ref": number, "name": name}, known)
            head, values = self.receive()
        if head["kind"] == "told":
            answer = wire.Decoder(far=self.remote).decode(values[0])
            return iter(answer) if head["iterator"] else answer
        base = getattr(__import__("builtins"), head["name"], None)
        ordinary = Exception if head["ordinary"] else BaseException
        if not (isinstance(base, type) and issubclass(base, BaseException)):
            base = type(head["name"], (ordinary,), {})
        error = base(head["message"])
        error.asked_number = head["number"]
        raise error

    def say(self, head, *values):
        try:
            messages.send(self.sock, head, *values)
        except OSError:
            raise HungUp from None


class Stub:
    """An object of the judge's, as far as a submission may use it: calls, methods, plain attributes."""

    def __init__(self, session, number, name):
        self.__dict__.update(_session=session, _number=number, _name=name)

    def __call__(self, *args, **kwargs):
        return self._session.ask(self._number, "__call__", args, kwargs)

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        kind = self._session.ask(self._number, "?", (name,), {})
        if kind == "method":
            return lambda *args, **kwargs: self._session.ask(self._number, name, args, kwargs)
        return self._session.ask(self._number, "get", (name,), {})

    def __setattr__(self, name, value):
        self._session.ask(self._number, "set", (name, value), {})


def is_leaf(value):
    torch = sys.modules.get("torch")
    return torch is not None and type(value) is torch.Tensor and value.requires_grad and value.is_leaf


def message_of(error):
    try:
        return str(error)[:600]
    except BaseException:  # an error of a submission's own making
        return ""


def told_name(error):
    return str(type(error).__name__)[:80]


def work(sock):
    """Serves the judge until it hangs up. Never returns."""
    try:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002, whoever draws from nobody's generator draws the same each time
        if torch := sys.modules.get("torch"):
            torch.manual_seed(0)
        Session(sock).serve()
    finally:
        os._exit(0)
