"""Messages over a socket: a head, which is JSON, and values as `wire.py` encodes them."""

from __future__ import annotations

import json
import struct

MOST_MESSAGE = 64 * 2**20  # of a message; the largest that a right answer sends is a hundredth of it


class MessageError(ValueError):
    """What came is not a message of this format."""


def send(sock, head, *values):
    """Sends a message: a dict of plain data and encoded values."""
    parts = [json.dumps(head).encode(), *values]
    sock.sendall(struct.pack(f"<I{len(parts)}Q", len(parts), *map(len, parts)) + b"".join(parts))


def receive(sock, most=MOST_MESSAGE):
    """The head and the encoded values of the next message. Raises MessageError, EOFError, OSError."""
    (count,) = struct.unpack("<I", _exactly(sock, 4))
    if not 1 <= count <= 8:
        raise MessageError("not a message")
    sizes = struct.unpack(f"<{count}Q", _exactly(sock, 8 * count))
    if sum(sizes) > most:
        raise MessageError("the message is too large")
    parts = [_exactly(sock, size) for size in sizes]
    try:
        head = json.loads(bytes(parts[0]))
    except (ValueError, RecursionError):
        raise MessageError("a message without a head") from None
    if not isinstance(head, dict):
        raise MessageError("a message without a head")
    return head, parts[1:]


def _exactly(sock, size):
    content = bytearray()
    while len(content) < size:
        piece = sock.recv(min(size - len(content), 2**20))
        if not piece:
            raise EOFError("the other side is gone")
        content += piece
    return bytes(content)
