"""Messages over a socket: a head, which is JSON, and values as `wire.py` encodes them."""

from __future__ import annotations

import json
import struct

MOST_MESSAGE = 64 * 2**20  # of a message; the largest that a right answer sends is a hundredth of it


class MessageError(ValueError):
    """What came is not a message of this format."""


def send(sock, head, *values):
    """Sends a message: a dict of plain data and at most two encoded values."""
    parts = [json.dumps(head).encode(), *values]
    sizes = [*map(len, parts), 0, 0][:3]
    sock.sendall(b"".join([struct.pack("<I3Q", len(parts), *sizes), *parts]))


def receive(sock, most=MOST_MESSAGE):
    """The head and the encoded values of the next message. Raises MessageError, EOFError, OSError."""
    count, *sizes = struct.unpack("<I3Q", _exactly(sock, 28))
    if not 1 <= count <= 3:
        raise MessageError("not a message")
    if sum(sizes) > most:
        raise MessageError(f"it is larger than {most // 2**20} MB")
    content = _exactly(sock, sum(sizes))
    ends = [sum(sizes[: place + 1]) for place in range(3)]
    parts = [content[end - size : end] for end, size in zip(ends, sizes, strict=True)][:count]
    try:
        head = json.loads(parts[0])
    except (ValueError, RecursionError):
        raise MessageError("a message without a head") from None
    if not isinstance(head, dict):
        raise MessageError("a message without a head")
    return head, parts[1:]


def _exactly(sock, size):
    content = sock.recv(min(size, 2**20)) if size else b""
    if len(content) == size:
        return content
    content = bytearray(content)
    while len(content) < size:
        piece = sock.recv(min(size - len(content), 2**20))
        if not piece:
            raise EOFError("the other side is gone")
        content += piece
    return bytes(content)


def buffers(content):
    """The part of an encoded value that holds its arrays."""
    return content[8 + struct.unpack_from("<Q", content)[0] :]


def without_buffers(content):
    """The other part."""
    return content[: 8 + struct.unpack_from("<Q", content)[0]]
