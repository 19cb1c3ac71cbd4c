"""Starts processes in which a stranger's code may run, and ends them. `inside/` is what runs there.

On Linux a zygote per job is shut in and forks: a fresh process costs milliseconds. Elsewhere each is started anew, in
an empty folder, with a clean environment and a time limit, and nothing more: `standing` says what does not hold.
"""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from mlm_mini.grading.inside import messages
from mlm_mini.grading.plain import PlainStarter
from mlm_mini.grading.startup import INSIDE, START_SECONDS, Limits, clean_environment, folders, python

STEPS = {
    "namespaces": "files of this machine can be read, other processes seen, and the network used",
    "landlock": "files are kept from it by namespaces alone",
    "privileges": "it keeps the privileges of whoever marks",
    "seccomp": "it can start processes, and open sockets",
    "memory": "it can take all the memory there is",
}
LINUX = sys.platform.startswith("linux")


class SandboxError(RuntimeError):
    """No process could be started to run a submission in."""


class Sandbox:
    """Hands out one process after the other; only the last is alive. Use it as a context."""

    def __init__(self, limits: Limits, without: tuple[str, ...] = ()):
        self.limits, self.without = limits, without
        self._zygotes: dict[bool, Zygote | PlainStarter] = {}
        self.standing: dict[str, str] = {}

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        for zygote in self._zygotes.values():
            zygote.close()

    def process(self, torch: bool = False) -> socket.socket:
        """The socket of a fresh process; torch says whether PyTorch is loaded there already. Raises SandboxError."""
        for last_try in (False, True):
            try:
                if torch not in self._zygotes:
                    self._zygotes[torch] = self._started(torch)
                    self.standing = self._zygotes[torch].standing
                return self._zygotes[torch].fork()
            except (OSError, EOFError, messages.MessageError) as error:
                if torch in self._zygotes:
                    self._zygotes.pop(torch).close()
                if last_try:
                    raise SandboxError(f"no process for a submission could be started ({error})") from None
        raise AssertionError

    def _started(self, torch: bool) -> Zygote | PlainStarter:
        if LINUX and "zygote" not in self.without:
            return Zygote(self.limits, torch, self.without)
        return PlainStarter(self.limits)

    def end(self, died: bool = False) -> bool:
        """Ends the last process, and whatever it left. died: it is gone. Returns whether its time was up."""
        late = False
        for zygote in self._zygotes.values():
            with contextlib.suppress(OSError, EOFError):
                late |= zygote.kill(died)
        return late


class Zygote:
    """The process that is forked, from outside."""

    def __init__(self, limits: Limits, torch: bool, without: tuple[str, ...]):
        self.root = tempfile.mkdtemp(prefix="mlm_mini_grading_")
        ours, theirs = socket.socketpair()
        self.control = ours
        with theirs:
            self.process = subprocess.Popen(
                [python(), "-s", "-P", "-B", str(INSIDE / "zygote.py"), str(theirs.fileno())],
                env=clean_environment(),
                cwd=self.root,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE if os.environ.get("MLM_MINI_SHOW_SANDBOX") else subprocess.DEVNULL,
                start_new_session=True,
            )
        self.control.settimeout(START_SECONDS)
        options = {
            **folders(),
            "root": self.root,
            "torch": torch,
            "memory": limits.memory,
            "cpu": max(1, math.ceil(limits.seconds)),
            "without": list(without),
            "boxed": False,
        }
        try:
            messages.send(self.control, options)
            self.standing = messages.receive(self.control)[0]["standing"]
        except BaseException:
            self.close()
            raise
        self.control.settimeout(30)

    def fork(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self.control, [b'{"fork": true}'], [theirs.fileno()])
            self._answer()
        return ours

    def kill(self, died: bool) -> bool:
        self.control.sendall(b'{"kill": true, "died": true}' if died else b'{"kill": true}')
        return self._answer() == b"t"

    def _answer(self) -> bytes:
        said = self.control.recv(1)
        if not said:
            raise EOFError("the sandbox has ended")
        return said

    def close(self) -> None:
        self.control.close()  # which it takes for the end
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(3)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.root, ignore_errors=True)
