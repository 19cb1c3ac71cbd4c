"""Processes for submissions where the kernel offers no sandbox that we know: macOS and Windows.

Each is started anew, in an empty folder and with a clean environment; it is ended when its time is up, and nothing
else is kept from it.
"""

from __future__ import annotations

import contextlib
import hmac
import math
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from mlm_mini.grading.startup import INSIDE, START_SECONDS, Limits, clean_environment, python

NOT_HERE = "this system has no sandbox that we know"


class PlainStarter:
    """Stands in for a zygote: `fork` starts a process, `kill` ends it."""

    standing = dict.fromkeys(("namespaces", "landlock", "privileges", "seccomp", "memory"), NOT_HERE)

    def __init__(self, limits: Limits):
        self.limits = limits
        self.process: subprocess.Popen | None = None
        self.folder = ""

    def fork(self) -> socket.socket:
        """The socket of a fresh process. Raises OSError."""
        self.kill(died=False)
        self.folder = tempfile.mkdtemp(prefix="mlm_mini_grading_")
        word = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(1)
            self.process = subprocess.Popen(
                [python(), "-s", "-P", "-B", str(INSIDE / "alone.py")],
                env=clean_environment() | {"HOME": self.folder},
                cwd=self.folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            said = f"{server.getsockname()[1]} {word} {max(1, math.ceil(self.limits.seconds))}\n"
            self.process.stdin.write(said.encode())
            self.process.stdin.close()
            return self._met(server, word.encode())

    def _met(self, server: socket.socket, word: bytes) -> socket.socket:
        """The socket of whoever knows the word. Raises OSError where the process ends before, or does not begin."""
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError):
                sock, _ = server.accept()
                sock.settimeout(START_SECONDS)
                if hmac.compare_digest(sock.recv(len(word), socket.MSG_WAITALL), word):
                    return sock
                sock.close()
        raise OSError("the process did not begin")

    def kill(self, died: bool) -> bool:
        """Ends the process with what it started, and removes its folder. Returns whether its time was up."""
        if self.process is None:
            return False
        if died:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(1)
        late = hasattr(signal, "SIGXCPU") and self.process.poll() == -signal.SIGXCPU
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.process = None
        return late

    def close(self) -> None:
        self.kill(died=False)
