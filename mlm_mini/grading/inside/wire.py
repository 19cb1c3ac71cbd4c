"""Plain data as bytes, between the judge and the sandbox: JSON, and arrays as they lie in memory. Nothing is unpickled.

A value is a tree of nodes. Text, numbers, None and truth values are themselves; everything else is a list that begins
with its kind. What can be changed (lists, arrays, generators, ...) is numbered in the order in which it is met, so that
"the answer is the very list that was handed in" can be said: ["ref", 3].

The judge reads what a hostile program wrote: every length is checked before anything is made of it.
"""

from __future__ import annotations

import json
import struct
import sys
from collections import Counter, OrderedDict, defaultdict, namedtuple

import numpy as np

MOST_VALUE = 64 * 2**20  # of a message; the largest that a right answer sends is a hundredth of it
MOST_NODES = 200_000
DEEPEST = 40
AS_THEMSELVES = (type(None), bool, int, float, str)
ARRAY_KINDS = "biufcU"
WIDEST_TEXT = 2**14  # characters of one text in an array of texts


class WireError(ValueError):
    """What came is not a message of this format."""


# What stands for a function or an object that stays on the other side, and for what cannot be sent at all.
Remote = namedtuple("Remote", "number name")
Opaque = namedtuple("Opaque", "module name")
_UNFINISHED = object()


class Encoder:
    """Turns values into bytes. Objects met before, or given as `known`, are sent as references.

    `remote(value)` may say what stands for a value that is not plain data; None where nothing does.
    """

    def __init__(self, known=(), remote=lambda value: None):
        self.numbers = {id(value): number for number, value in enumerate(known)}
        self.kept = list(known)  # or an id could come to mean another object
        self.remote = remote

    def encode(self, value):
        self.buffers, self.nodes = [], 0
        text = json.dumps(self._node(value, 0), separators=(",", ":")).encode()
        return b"".join([struct.pack("<Q", len(text)), text, *self.buffers])

    def _numbered(self, value):
        self.numbers[id(value)] = len(self.kept)
        self.kept.append(value)

    def _node(self, value, depth):
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST_NODES:
            return ["opaque", "", "value that is too deep or too large"]
        kind = type(value)
        if kind in AS_THEMSELVES:
            if kind is int and abs(value) >= 2**4096:
                return ["opaque", "", "number of more than a thousand digits"]
            if kind is str and len(value) > 2**22:  # nobody reads more
                return ["opaque", "", f"text of {len(value)} characters"]
            return value
        if id(value) in self.numbers:
            return ["ref", self.numbers[id(value)]]
        if issubclass(kind, tuple):  # a NamedTuple too
            return ["tuple", [self._node(item, depth + 1) for item in tuple.__iter__(value)]]
        if kind is bytes:
            return ["bytes", self._buffer(value)]
        if kind.__module__ == "numpy" and isinstance(value, np.generic) and value.dtype.kind in ARRAY_KINDS:
            return ["scalar", value.dtype.str, self._buffer(value.tobytes())]
        return self._changeable(value, kind, depth)

    def _changeable(self, value, kind, depth):
        if kind is list:
            self._numbered(value)
            return ["list", [self._node(item, depth + 1) for item in value]]
        if kind in (dict, Counter, OrderedDict, defaultdict):
            self._numbered(value)
            pairs = dict.items(value)
            return ["dict", [[self._node(key, depth + 1), self._node(item, depth + 1)] for key, item in pairs]]
        if kind in (set, frozenset):
            self._numbered(value)
            return [kind.__name__, [self._node(item, depth + 1) for item in sorted(value, key=repr)]]
        if kind is np.ndarray and value.dtype.kind in ARRAY_KINDS and value.dtype.isnative:
            shared = self._view(value)
            self._numbered(value)
            return shared or self._array(value)
        if kind is np.random.Generator and type(value.bit_generator) is np.random.PCG64:
            self._numbered(value)
            return ["generator", json.dumps(value.bit_generator.state)]
        torch = sys.modules.get("torch")
        if torch is not None and kind in (torch.Tensor, torch.nn.Parameter):
            return self._tensor(value, torch)
        if (stands := self.remote(value)) is not None:
            self._numbered(value)
            return ["remote", stands.number, stands.name]
        if kind is np.ndarray:
            return ["odd array", list(value.shape)]
        return ["opaque", str(kind.__module__), str(kind.__name__)]

    def _view(self, value):
        """The node of an array that lies in the memory of one that was met before, or None."""
        for number, other in enumerate(self.kept):
            if type(other) is np.ndarray and np.may_share_memory(value, other):
                start = value.__array_interface__["data"][0] - other.__array_interface__["data"][0]
                return ["view", number, start, list(value.strides), self._array(value)]
        return None

    def _array(self, value):
        return ["array", value.dtype.str, list(value.shape), self._buffer(np.ascontiguousarray(value).tobytes())]

    def _tensor(self, value, torch):
        try:
            array = value.detach().cpu().resolve_conj().numpy()
        except Exception:  # a kind of number that NumPy lacks, or a tensor without memory of its own
            return ["opaque", "torch", "Tensor"]
        self._numbered(value)
        return ["tensor", bool(value.requires_grad), self._array(array)]

    def _buffer(self, content):
        self.buffers.append(content)
        return len(content)


class Decoder:
    """Turns bytes into values. `known` are the objects that references may mean; what is met is added.

    `far(number, name)` makes what stands for something on the other side.
    """

    def __init__(self, known=(), far=Remote):
        self.objects, self.weights = list(known), {}
        self.far = far

    def decode(self, content):
        """Raises WireError for bytes that are no value."""
        if len(content) > MOST_VALUE:
            raise WireError("the value is too large")
        try:
            (length,) = struct.unpack_from("<Q", content)
            node = json.loads(bytes(content[8 : 8 + length]))
            self.content, self.place, self.nodes = memoryview(content), 8 + length, 0
            return self._value(node, 0)
        except WireError:
            raise
        except Exception as error:  # whatever a hostile text makes of json, struct and NumPy
            raise WireError(f"not a value ({type(error).__name__})") from None

    def _value(self, node, depth):
        self.nodes += 1
        if depth > DEEPEST + 2 or self.nodes > 2 * MOST_NODES:
            raise WireError("the value is too deep or too large")
        if not isinstance(node, list):
            if type(node) not in AS_THEMSELVES:
                raise WireError("a node of no kind")
            return node
        read = getattr(self, "_read_" + str(node[0]).replace(" ", "_"), None)
        if read is None:
            raise WireError("a node of unknown kind")
        return read(node, depth + 1)

    def _added(self, value):
        self.objects.append(value)
        return value

    def _read_ref(self, node, depth):
        if not 0 <= node[1] < len(self.objects) or self.objects[node[1]] is _UNFINISHED:
            raise WireError("it contains itself")
        self.nodes += self.weights.get(node[1], 1)  # or lists of lists that are one would take for ever to walk
        if self.nodes > 2 * MOST_NODES:
            raise WireError("the value is too large")
        return self.objects[node[1]]

    def _read_tuple(self, node, depth):
        return tuple([self._value(item, depth) for item in node[1]])

    def _read_bytes(self, node, _):
        return bytes(self._take(node[1]))

    def _read_scalar(self, node, _):
        return self._numbers(node[1], (), node[2])[()]

    def _read_list(self, node, depth):
        kind = {"list": list, "set": set, "frozenset": frozenset}[node[0]]
        return self._whole(kind, lambda: [self._value(item, depth) for item in node[1]])

    _read_set = _read_frozenset = _read_list

    def _read_dict(self, node, depth):
        return self._whole(dict, lambda: {self._value(k, depth): self._value(v, depth) for k, v in node[1]})

    def _whole(self, kind, content):
        """Numbered before its content is; a reference to itself from within is refused, so there are no circles."""
        place, before = len(self.objects), self.nodes
        self.objects.append(_UNFINISHED)
        self.objects[place] = kind(content())
        self.weights[place] = self.nodes - before
        return self.objects[place]

    def _read_array(self, node, depth):
        return self._added(self._numbers(node[1], node[2], node[3]))

    def _read_view(self, node, depth):
        """An array in the memory of another; NumPy itself refuses one that reaches beyond. Its content decides."""
        content = self._numbers(*node[4][1:])
        owner = self._read_ref(node, depth)
        try:
            found = np.ndarray(content.shape, content.dtype, owner, node[2], node[3])
            content = found if found.tobytes() == content.tobytes() else content
        except (TypeError, ValueError):
            pass
        return self._added(content)

    def _read_odd_array(self, node, depth):
        return np.empty([min(int(n), 20) for n in node[1][:4]], dtype=object)

    def _read_generator(self, node, depth):
        generator = np.random.Generator(np.random.PCG64(0))
        generator.bit_generator.state = json.loads(node[1])
        return self._added(generator)

    def _read_tensor(self, node, depth):
        import torch

        tensor = torch.from_numpy(self._numbers(*node[2][1:]))
        return self._added(tensor.requires_grad_() if node[1] and tensor.is_floating_point() else tensor)

    def _read_remote(self, node, depth):
        return self._added(self.far(int(node[1]), str(node[2])))

    def _read_opaque(self, node, depth):
        return Opaque(str(node[1])[:80], str(node[2])[:80])

    def _numbers(self, dtype, shape, length):
        kind = np.dtype(str(dtype))
        if (
            kind.kind not in ARRAY_KINDS
            or kind.itemsize > 4 * WIDEST_TEXT
            or not all(type(n) is int and n >= 0 for n in shape)
        ):
            raise WireError("an array of no known kind")
        content = self._take(length)
        if not length:  # NumPy makes no array from an empty buffer
            return np.empty(shape if 0 in shape else (0,), kind)
        if kind.kind == "b":  # any byte but 0 is True, and must be the same True as others
            return (np.frombuffer(content, np.uint8) != 0).reshape(shape)
        if kind.kind == "U" and (np.frombuffer(content, np.uint32) > 0x10FFFF).any():
            raise WireError("text that is none")
        return np.frombuffer(content, kind).reshape(shape).copy()

    def _take(self, length):
        if type(length) is not int or not 0 <= length <= len(self.content) - self.place:
            raise WireError("the value ends too early")
        self.place += length
        return self.content[self.place - length : self.place]
