"""The nodes of a GraphDef in a file: what each is called, does, takes and holds.

    file    field 1 of GraphDef: a node, again and again
    node    name 1 | op 2 | input 3, each | attr 5, each: key 1, value 2
    value   b 5, a flag; tensor 8: dtype 1, shape 2, content 4, values

A graph's constants can be gigabytes: of them only the places of their bytes are read.
The file is read and not mapped, since a file that somebody cuts off while it is mapped
ends the process.

Source: `tensorflow/core/framework/{graph,node_def,attr_value,tensor}.proto`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Optional, Union

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.field_types import LENGTH, VARINT
from estimator_ckpt.bundle.protobuf.graph_schema import TensorProto
from estimator_ckpt.bundle.protobuf.varints import read_varint, write_varint

_NODE = 1
_GRAPH_OF_META = 2
_META_OF_SAVED_MODEL = 2
_NAME, _OP, _INPUT, _ATTR = 1, 2, 3, 5
_KEY, _VALUE = 1, 2
_FLAG, _TENSOR = 5, 8
_DTYPE, _SHAPE, _CONTENT = 1, 2, 4
# What is shorter is read at once.
_SHORT = 64 << 10
_WINDOW = 4 << 10
# No name, and no shape, takes more.
_LONGEST = 64 << 10


class Range(NamedTuple):
    """Bytes of a file.

    Attributes:
      start: the first.
      stop: the one behind the last.
    """

    start: int
    stop: int

    @property
    def size(self) -> int:
        return self.stop - self.start


class Constant(NamedTuple):
    """A node's tensor.

    Attributes:
      dtype: the number of its type.
      shape: its shape.
      content: where its elements stand as they are in memory; None: they stand in
        fields by their type.
      message: where all of the TensorProto stands.
    """

    dtype: int
    shape: tuple[int, ...]
    content: Optional[Range]
    message: Range


class GraphNode(NamedTuple):
    """A node.

    Attributes:
      name: its name.
      op: what it does.
      inputs: the nodes that it takes, without `:0` and the like; those that only come
        before it are left out.
      flags: the attributes that are true: `transpose_b`.
      constant: the tensor in its attribute `value`, if there is one.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    flags: frozenset[str]
    constant: Optional[Constant]


def nodes(file: files.InputFile) -> Iterator[GraphNode]:
    """The nodes of a file with a GraphDef.

    Raises:
      ValueError: it is none.
      SourceChangedError: it was cut off meanwhile.
    """
    yield from _nodes(_Source(file), Range(0, file.size))


def nodes_of_meta(file: files.InputFile) -> Iterator[GraphNode]:
    """The nodes of the graph in a `.meta` file.

    Raises:
      As `nodes`.
    """
    source = _Source(file)
    for number, wire_type, place in _fields(source, Range(0, file.size)):
        if number == _GRAPH_OF_META and wire_type == LENGTH:
            yield from _nodes(source, place)


def nodes_of_saved_model(file: files.InputFile) -> Iterator[GraphNode]:
    """The nodes of the graphs in a `saved_model.pb`; those of functions are not there.

    Raises:
      As `nodes`.
    """
    source = _Source(file)
    for number, wire_type, meta in _fields(source, Range(0, file.size)):
        if number != _META_OF_SAVED_MODEL or wire_type != LENGTH:
            continue
        for number, wire_type, place in _fields(source, meta):
            if number == _GRAPH_OF_META and wire_type == LENGTH:
                yield from _nodes(source, place)


def values(file: files.InputFile, constant: Constant) -> TensorProto:
    """The tensor of a constant whose elements stand in fields by their type.

    Raises:
      ValueError: it cannot be read.
      SourceChangedError: the file was cut off meanwhile.
    """
    place = constant.message
    return wire.decode(TensorProto, file.read(place.start, place.size))


class _Source:
    """A file's bytes by their place, a little of them read at a time."""

    def __init__(self, file: files.InputFile) -> None:
        self._file = file
        self._start = 0
        self._held = b""

    def hold(self, place: Range) -> None:
        """Reads a place that is going to be looked at."""
        if not self._holds(place):
            self._start, self._held = (
                place.start,
                self._file.read(place.start, place.size),
            )

    def read(self, place: Range) -> bytes:
        """The bytes of a place."""
        if place.size > _LONGEST:
            raise ValueError(f"a name or a shape of {place.size} bytes")
        self.hold(place)
        at = place.start - self._start
        return self._held[at : at + place.size]

    def _holds(self, place: Range) -> bool:
        return self._start <= place.start and place.stop <= self._start + len(
            self._held
        )

    def __getitem__(self, at: int) -> int:
        if not self._start <= at < self._start + len(self._held):
            self.hold(Range(at, min(at + _WINDOW, self._file.size)))
        return self._held[at - self._start]


def _fields(source: _Source, within: Range) -> Iterator[tuple[int, int, Range]]:
    """The fields of a message: number, wire type and the place of each value."""
    at = within.start
    while at < within.stop:
        tag, at = read_varint(source, at, within.stop)  # type: ignore[arg-type]
        number, wire_type = tag >> 3, tag & 7
        if not number or wire_type not in (0, 1, 2, 5):
            raise ValueError(f"there is no field with the tag {tag}")
        if wire_type == VARINT:
            _, stop = read_varint(source, at, within.stop)  # type: ignore[arg-type]
        elif wire_type == LENGTH:
            size, at = read_varint(source, at, within.stop)  # type: ignore[arg-type]
            stop = at + size
        else:
            stop = at + (8 if wire_type == 1 else 4)
        if stop > within.stop:
            raise ValueError("a field exceeds its message")
        yield number, wire_type, Range(at, stop)
        at = stop


def _nodes(source: _Source, graph: Range) -> Iterator[GraphNode]:
    for number, wire_type, place in _fields(source, graph):
        if number == _NODE and wire_type == LENGTH:
            if place.size <= _SHORT:
                source.hold(Range(place.start, min(place.start + _SHORT, graph.stop)))
            yield _node(source, place)


def _node(source: _Source, place: Range) -> GraphNode:
    texts = {_NAME: "", _OP: ""}
    inputs: list[str] = []
    flags: set[str] = set()
    constant: Optional[Constant] = None
    for number, wire_type, value in _fields(source, place):
        if wire_type != LENGTH:
            continue
        if number in texts:
            texts[number] = str(source.read(value), "utf-8")
        elif number == _INPUT:
            text = str(source.read(value), "utf-8")
            if not text.startswith("^"):
                inputs.append(text.partition(":")[0])
        elif number == _ATTR:
            key, found = _attribute(source, value)
            if isinstance(found, Constant):
                constant = found if key == "value" else constant
            elif found:
                flags.add(key)
    return GraphNode(
        texts[_NAME], texts[_OP], tuple(inputs), frozenset(flags), constant
    )


def _attribute(
    source: _Source, place: Range
) -> tuple[str, Union[bool, Constant, None]]:
    """An attribute's name and, if it is a flag or a tensor, its value."""
    key, found = "", None
    for number, wire_type, value in _fields(source, place):
        if wire_type != LENGTH:
            continue
        if number == _KEY:
            key = str(source.read(value), "utf-8")
        elif number == _VALUE:
            found = _value(source, value)
    return key, found


def _value(source: _Source, place: Range) -> Union[bool, Constant, None]:
    for number, wire_type, value in _fields(source, place):
        if number == _TENSOR and wire_type == LENGTH:
            return _constant(source, value)
        if number == _FLAG and wire_type == VARINT:
            return bool(source[value.start])
    return None


def _constant(source: _Source, place: Range) -> Constant:
    dtype, shape, content = b"", b"", None
    for number, wire_type, value in _fields(source, place):
        if number == _CONTENT and wire_type == LENGTH:
            content = value if value.size else None
        elif number == _SHAPE and wire_type == LENGTH:
            raw = source.read(value)
            shape = b"\x12" + write_varint(len(raw)) + raw
        elif number == _DTYPE and wire_type == VARINT:
            dtype = b"\x08" + source.read(value)
    said = wire.decode(TensorProto, dtype + shape)
    return Constant(said.dtype, said.tensor_shape, content, place)
