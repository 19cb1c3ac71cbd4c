"""A worker that is started by itself, where there is no zygote: on macOS and Windows.

It reads a port and a word from its standard input, and talks to the judge at that port, who knows it by the word.
"""

import contextlib
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import worker

sys.path.pop(0)


def limit_what_can_be(cpu_seconds):
    """The limits that every Unix has. Windows has none."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 2))
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**24, 2**24))


def begin_alone():
    port, word, cpu_seconds = sys.stdin.readline().split()
    sock = socket.create_connection(("127.0.0.1", int(port)))
    sock.sendall(word.encode())
    limit_what_can_be(int(cpu_seconds))
    worker.work(sock)


if __name__ == "__main__":
    begin_alone()
