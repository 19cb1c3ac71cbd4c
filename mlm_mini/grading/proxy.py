"""A submitted function, to be called from here, that runs in a sandbox.

What it is handed goes there as plain data and what it answers comes back so: arrays that it changed, generators that it
drew from, tensors with their graph. Functions and objects among the arguments stay here, and are asked from there. The
judge sees a function like any other, and judges it by the code by which it judges a learner's at home.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import time
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from mlm_mini.course.clock import TimeLimitReached
from mlm_mini.grading.inside import messages, wire
from mlm_mini.grading.program import (
    ALTOGETHER,
    LOOPS,
    PROCESS_ENDED,
    WAITS,
    AnswerNotPlain,
    ProcessEnded,
    Program,
    Remembered,
)
from mlm_mini.grading.sandbox import Sandbox
from mlm_mini.grading.stripped import GIVEN_AWAY, package_for
from mlm_mini.grading.translation import Here, ask, made, made_error, opaque, signature_of, update, with_gradient, word

MOST_ASKED = 2**20  # bytes that a submission may hand to one of the judge's own functions
STARTS = 3  # of a process that ends before it should


class Submitted:
    """The function that a program defines. Call `described` before it is judged: it may be no function at all."""

    def __init__(self, program: Program, sandbox: Sandbox):
        self.program, self.sandbox = program, sandbox
        self.__name__ = self.__qualname__ = program.name
        self.seen = Remembered()
        self._socket: socket.socket | None = None
        self._left = sandbox.limits.altogether
        self._starts = 0

    def described(self) -> Any:
        """What to hand to the judge: this, or what stands for a class, a number or nothing. Raises ProcessEnded."""
        try:
            with self._timed():
                self._start()
        except TimeLimitReached:
            pass  # and it is kept how
        except (EOFError, ConnectionError) as error:
            with contextlib.suppress(TimeLimitReached):
                self._died(error)
        ready = self.ready if self._socket else {"what": "function"}
        if ready.get("what") == "function":
            if signature := signature_of(ready.get("signature")):
                self.__signature__ = signature
            return self
        if ready["what"] == "class":
            return type(word(ready["name"]), (), {})
        if ready["what"] == "coroutine":

            async def coroutine() -> None: ...

            return coroutine
        return None if ready["what"] == "missing" else opaque("builtins", str(ready["name"]))

    def close(self, died: bool = False) -> bool:
        """Ends the process. Returns whether its time was up before."""
        if not self._socket:
            return False
        self._socket.close()
        self._socket = None
        return self.sandbox.end(died)

    def _died(self, error: Exception) -> None:
        """Raises what is to be said of a process that is gone."""
        if self.close(died=True):
            self.seen.slow = LOOPS.format(self.sandbox.limits.seconds)
            raise TimeLimitReached(self.sandbox.limits.seconds) from None
        self.seen.ends += 1
        raise ProcessEnded(PROCESS_ENDED) from error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            with self._timed():
                return self._call(args, kwargs)
        except (EOFError, ConnectionError) as error:
            self._died(error)
        except (wire.WireError, messages.MessageError) as error:
            self.close()
            raise AnswerNotPlain(f"Your function's answer cannot be read: {error}.") from None

    # ---- the process

    def _start(self) -> None:
        if self._socket:
            return
        if self._starts == STARTS:
            raise ProcessEnded(PROCESS_ENDED)
        self._starts += 1
        began = time.monotonic()
        self._socket = self.sandbox.process(self.program.torch)
        self._until += time.monotonic() - began  # the first of all takes seconds, which are nobody's fault
        self._say(
            {
                "kind": "setup",
                "modules": package_for(self.program.exercise),
                "statements": self.program.statements,
                "name": self.program.name,
                "hide": [],
            }
        )
        self.ready, _ = self._hear()
        if self.ready.get("kind") != "ready":
            raise wire.WireError("it did not say what it is")
        self.seen.failures = self.ready.get("failures", [])

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        """Whatever interrupts a talk ends the process: what comes next would be the answer to something else."""
        limits = self.sandbox.limits
        if self._left <= 0 or self.seen.slow:
            self.seen.slow = self.seen.slow or ALTOGETHER.format(limits.altogether)
            raise TimeLimitReached(limits.seconds)
        began = time.monotonic()
        self._until = began + min(self._left, limits.waiting)
        try:
            yield
        except TimeoutError:
            each, every = WAITS.format(limits.waiting), ALTOGETHER.format(limits.altogether)
            self.seen.slow = each if self._left > limits.waiting else every
            self.close()
            raise TimeLimitReached(limits.seconds) from None
        except (TimeLimitReached, KeyboardInterrupt):
            self.seen.slow = self.seen.slow or WAITS.format(limits.judging)
            self.close()
            raise
        finally:
            self._left -= time.monotonic() - began

    def _wait(self) -> None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)

    def _say(self, head: dict, *values: bytes) -> None:
        self._wait()
        messages.send(self._socket, head, *values)

    def _hear(self, most: int = messages.MOST_MESSAGE) -> tuple[dict, list[bytes]]:
        self._wait()
        return messages.receive(self._socket, most)

    # ---- a call

    def _call(self, args: tuple, kwargs: dict) -> Any:
        self._start()
        here = Here()
        encoder = wire.Encoder(remote=here.keep)
        sent = encoder.encode((args, kwargs))
        self._say({"kind": "call"}, sent)
        head, values = self._talk(here)
        self._take_over(head)
        if values[0]:
            after = values[0] + messages.buffers(sent) if head.get("kept") else values[0]
            after_args, after_kwargs = wire.Decoder(far=here.find).decode(after)
            update(args, after_args)
            update(kwargs, after_kwargs)
        if head["kind"] == "error":
            raise self._error(head, here)
        decoder = wire.Decoder(encoder.kept, far=here.find)
        return self._with_graph(made(decoder.decode(values[1])), encoder.kept)

    def _talk(self, here: Here) -> tuple[dict, list[bytes]]:
        """Answers what is asked until the call itself is answered."""
        while True:
            head, values = self._hear()
            if head.get("kind") == "ask":
                self._answer(head, values, here)
            elif (head.get("kind"), len(values)) in (("value", 2), ("error", 1)):
                return head, values
            else:
                raise wire.WireError("neither an answer nor an error")

    def _answer(self, head: dict, values: list[bytes], here: Here) -> None:
        if len(values) != 1 or len(values[0]) > MOST_ASKED:
            raise wire.WireError("it asks with too much")
        target = here.find(head.get("ref"))
        args, kwargs = wire.Decoder(far=here.find).decode(values[0])
        try:
            answer = ask(target, str(head.get("name")), args, kwargs)
        except (TimeLimitReached, KeyboardInterrupt):
            raise
        except BaseException as error:
            here.raised.append(error)
            self._say(
                {
                    "kind": "raised",
                    "name": type(error).__name__,
                    "ordinary": isinstance(error, Exception),
                    "message": str(error)[:600],
                    "number": len(here.raised) - 1,
                }
            )
            return
        iterator = isinstance(answer, types.GeneratorType)
        encoder = wire.Encoder(remote=here.keep)
        self._say({"kind": "told", "iterator": iterator}, encoder.encode(list(answer) if iterator else answer))

    def _take_over(self, head: dict) -> None:
        """What the call did besides: it printed, or drew from a generator that belongs to nobody."""
        if head.get("global"):
            np.random.random()  # noqa: NPY002, so that whoever watches here sees it
        printed, characters = str(head.get("printed", ""))[:400], head.get("characters", 0)
        if type(characters) is int and characters > 0:
            sys.stdout.write(printed + " " * (min(characters, 20_000) - len(printed)))

    def _error(self, head: dict, here: Here) -> BaseException:
        asked = head.get("asked")
        if type(asked) is int and 0 <= asked < len(here.raised):
            return here.raised[asked]
        names = [(str(module), str(name)) for module, name in head["names"]]
        if names[0][1] == GIVEN_AWAY:
            self.seen.handed_in = True
        number, text = head["line"]
        if text:
            self.seen.line = f"line {int(number)} of your code: {str(text)[:200]}"
        return made_error(names, str(head["message"])[:600])

    def _with_graph(self, answer: Any, handed: list) -> Any:
        """The answer, from which gradients flow back to the tensors that were handed in, through the sandbox."""
        torch = sys.modules.get("torch")
        if torch is None or type(answer) is not torch.Tensor or not answer.requires_grad:
            return answer
        leaves = [value for value in handed if type(value) is torch.Tensor and value.requires_grad]
        return with_gradient(answer.detach(), leaves, self._gradients)

    def _gradients(self, gradient: Any, count: int) -> list:
        """The gradients at the tensors that were handed in. Raises ProcessEnded, AnswerNotPlain."""
        try:
            with self._timed():
                self._say({"kind": "backward"}, wire.Encoder().encode(gradient))
                head, values = self._hear()
            found = wire.Decoder().decode(values[0]) if head.get("kind") == "gradients" and len(values) == 1 else None
        except (EOFError, ConnectionError) as error:
            self._died(error)
        if type(found) is not list or len(found) != count:
            raise AnswerNotPlain("No gradient came back from your function's answer.")
        return found
