"""The object graph of a checkpoint, read node by node out of its bytes.

What a checkpoint's keys mean takes one look at each node. As objects, 100,000 nodes
take 60 MB; here none is there for longer than somebody looks at it. Most are variables
at the end of some path: they have attributes, and lead nowhere. Of the others, which
lead to them, it is known before what is said of those.

What is unusual is left to object_graph.py, which has every node at once, and from which
all errors come.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Optional

from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.declarations import long_varint
from estimator_ckpt.bundle.protobuf.schema import (
    SerializedTensor,
    TrackableObject,
    TrackableObjectGraph,
)
from estimator_ckpt.checkpoint import object_graph, object_keys
from estimator_ckpt.checkpoint.object_graph import Node

#: How nodes begin in a graph, and attributes and `has_checkpoint_values` in a node.
_NODE, _ATTRIBUTES, _HAS_VALUES = 0x0A, 0x12, 0x2A


class StoredGraph:
    """An object graph in a checkpoint, whose bytes are read when somebody asks.

    Attributes:
      source: the file it comes from, for messages.
    """

    def __init__(self, read: Callable[[], bytes], source: str) -> None:
        """The graph of the TrackableObjectGraph that `read` gives, serialized."""
        self._read = read
        self.source = source

    def __eq__(self, other: object) -> bool:
        """Whether both are the same bytes."""
        return isinstance(other, StoredGraph) and self._read() == other._read()

    __hash__ = None  # type: ignore[assignment]

    def parse(self) -> TrackableObjectGraph:
        """All of it as a message; as of `object_graph.parse`, with its errors."""
        return object_graph.parse(self._read(), self.source)

    @property
    def nodes(self) -> Iterator[TrackableObject]:
        """Its nodes one after another, of a graph whose `saved_nodes` were looked at.

        Those say what is wrong with a graph. Its bytes have a checksum: they are the
        same.
        """
        return map(wire.decoder(TrackableObject), wire.each(self._read(), 1))

    def saved_nodes(self, root: Optional[str] = None) -> Iterator[Node]:
        """What is in the checkpoint; as of `object_graph.saved_nodes`.

        Raises:
          CorruptIndexError: it is no object graph; of what says so a single node,
            when its turn comes.
        """
        serialized = self._read()
        paths = _Paths.of(serialized, root)
        if paths is None:
            graph = object_graph.parse(serialized, self.source)
            return object_graph.saved_nodes(graph, root)
        return _saved(serialized, paths, self.source)

    def full_names(self) -> dict[str, str]:
        """What TensorFlow called what is saved, by its key."""
        return {node.key: node.full_name for node in self.saved_nodes()}


#: The place of what has none.
_ELSEWHERE = (0, 0)


class _UnusualError(ValueError):
    """Something that is left to object_graph.py."""


class _Paths:
    """What the nodes that lead to others say of those.

    Attributes:
      attributes: those of these nodes, by their number.
      places: by number, where the only attribute begins and ends of a node that leads
        nowhere; twice 0 for the others.
      names: TF1 names by number, of what the root's dictionary has.
      root_children: the local names of the root's children, by number.
      slots: the numbers of slot variables.
    """

    def __init__(self, root: Optional[str]) -> None:
        """Nothing yet; `root` is one more name of the dictionary."""
        self.attributes: dict[int, Sequence[SerializedTensor]] = {}
        self.places = array("Q")
        self.names: list[Optional[str]] = []
        self.root_children: Mapping[int, str] = {}
        self.slots: set[int] = set()
        self._dictionaries: set[int] = set()
        self._dictionary_names = {*object_keys.NAME_DICTIONARIES, root}
        self._last = self._references = self._longest = 0

    @classmethod
    def of(cls, serialized: bytes, root: Optional[str]) -> Optional[_Paths]:
        """Those of a graph; None if anything is unusual, or it is none."""
        paths, read = cls(root), wire.decoder(TrackableObject)
        places = paths.places
        try:
            for number, (at, stop) in enumerate(_bounds(serialized)):
                place = _only_attribute(serialized, at, stop)
                places.extend(place)
                if place is _ELSEWHERE:
                    paths._add(number, read(serialized, at, stop), len(serialized))
            paths._end(len(places) // 2, len(serialized))
        except (IndexError, ValueError):
            return None
        return paths

    def _add(self, number: int, node: TrackableObject, most: int) -> None:
        children, self.attributes[number], slot_variables, _, _ = node
        for owner, _, slot in slot_variables:
            self.slots.add(slot)
            self._refer(owner, slot)
        if children:
            ids, local_names = zip(*children)
            self._refer(*ids)
            self._longest += max(map(len, local_names)) + 1
        if not number:
            self.root_children = dict(children)
            self._dictionaries.update(
                id for id, name in children if name in self._dictionary_names
            )
        if number in self._dictionaries and children:
            # A list says "0"; whose name it is, if there are two, depends on the root.
            if self.names or "0" in local_names or self._last > most:
                raise _UnusualError
            self.names = [None] * (self._last + 1)
            for id, name in children:
                self.names[id] = name

    def _refer(self, *ids: int) -> None:
        self._last = max(self._last, *ids)
        self._references += len(ids)
        if min(ids) < 0:
            raise _UnusualError

    def _end(self, count: int, size: int) -> None:
        """After the last of `count` nodes, of `size` bytes."""
        large = object_graph.may_be_large(count, self._references, self._longest, size)
        if large or self._last >= count:
            raise _UnusualError
        self.names += [None] * (count - len(self.names))


def _bounds(serialized: bytes) -> Iterator[tuple[int, int]]:
    """Where each node begins and ends.

    Raises:
      IndexError, ValueError: there is anything else, or nodes are cut off.
    """
    stop, end = 0, len(serialized)
    while stop < end:
        if serialized[stop] != _NODE:
            raise ValueError("more than nodes")
        size, at = serialized[stop + 1], stop + 2
        if size > 0x7F:
            size, at = long_varint(serialized, stop + 1)
        stop = at + size
        if stop > end:
            raise ValueError("cut off")
        yield at, stop


def _only_attribute(serialized: bytes, at: int, stop: int) -> tuple[int, int]:
    """Where the attribute of a node is that has one, and leads nowhere, as most do."""
    if at + 1 >= stop or serialized[at] != _ATTRIBUTES:
        return _ELSEWHERE
    size, at = serialized[at + 1], at + 2
    if size > 0x7F:
        size, at = long_varint(serialized, at - 1)
    end = at + size
    if end + 1 < stop and serialized[end] == _HAS_VALUES:
        stop -= 2 + serialized[end + 1]
    return (at, end) if end == stop else _ELSEWHERE


def _saved(serialized: bytes, paths: _Paths, source: str) -> Iterator[Node]:
    """What is in the checkpoint, in the order of the nodes."""
    try:
        yield from _saved_of(serialized, paths)
    except ValueError:
        object_graph.parse(serialized, source)  # says what is wrong
        raise


def _saved_of(data: bytes, paths: _Paths) -> Iterator[Node]:
    read, new = wire.decoder(SerializedTensor), tuple.__new__
    names, slots, root_children = paths.names, paths.slots, paths.root_children
    value = object_keys.VARIABLE_VALUE
    bounds = iter(paths.places)
    for number, (at, stop) in enumerate(zip(bounds, bounds)):
        attributes = (read(data, at, stop),) if stop else paths.attributes[number]
        for called, full_name, key in attributes:
            is_variable, name = called == value, names[number]
            if not is_variable and value not in [a.name for a in attributes]:
                name = None  # what is named is a variable
            is_slot, child = number in slots, root_children.get(number)
            yield new(Node, (key, full_name, name, is_variable, is_slot, child))
