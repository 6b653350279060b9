"""The object graph of a TF2 checkpoint: which variable hangs where, under which key.

Stored in the bundle as a scalar string, a serialized TrackableObjectGraph: nodes
with children by local name, attributes (a variable's value, a table's entries) by
object key, and slot variables by optimizer. Node 0 is the root.

Source: `tensorflow/core/protobuf/trackable_object_graph.proto`; `docs/format.md`.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.schema import (
    ObjectReference,
    SerializedTensor,
    TrackableObject,
    TrackableObjectGraph,
)
from estimator_ckpt.checkpoint import object_keys

# Variables store their own path, so that real graphs stay below ten.
_MOST_PER_BYTE = 64


class Node(NamedTuple):
    """An attribute of a node that is saved: a variable, a table, an iterator.

    Attributes:
      key: its object key; of anything but a variable, the prefix of its keys.
      full_name: what TensorFlow called the variable; may be empty, made up or shared.
      name: its TF1 name where a dictionary by names holds it, else None.
      is_variable: False for tables, iterators and other saved state.
      is_slot: whether an optimizer keeps it as a slot variable.
      is_child_of_root: the local name where the root itself holds it, else None.
    """

    key: str
    full_name: str
    name: Optional[str]
    is_variable: bool
    is_slot: bool
    is_child_of_root: Optional[str]


def parse(serialized: bytes, source: str) -> TrackableObjectGraph:
    """Reads a serialized object graph and checks that its ids hold together.

    Args:
      serialized: the bytes of the `_CHECKPOINTABLE_OBJECT_GRAPH` string.
      source: the file it comes from, for messages.

    Returns:
      A graph with at least one node.

    Raises:
      CorruptIndexError: it is no such message, or a node id is out of range.
    """
    where = f"{source}: {object_keys.OBJECT_GRAPH_KEY}"
    try:
        graph = wire.decoder(TrackableObjectGraph)(serialized)
    except ValueError as error:
        raise CorruptIndexError(
            f"{where} is no object graph ({error}); restore the file from a copy"
        ) from None
    nodes = graph.nodes
    if not nodes:
        raise CorruptIndexError(f"{where} has no nodes, not even a root")
    for node_id, node in enumerate(nodes):
        if not (node.children or node.slot_variables):  # as most
            continue
        ids = [child.node_id for child in node.children]
        for slot in node.slot_variables:
            ids += [slot.original_variable_node_id, slot.slot_variable_node_id]
        if ids and not (min(ids) >= 0 and max(ids) < len(nodes)):
            other = next(id for id in ids if not 0 <= id < len(nodes))
            raise CorruptIndexError(
                f"{where}: node {node_id} refers to node {other}, but there are "
                f"{len(nodes)}"
            )
    _check_size(nodes, len(serialized), where)
    return graph


def _check_size(nodes: Sequence[TrackableObject], size: int, where: str) -> None:
    """Holds nodes and their paths to the bytes that say so.

    TensorFlow writes what the root leads to, and nothing else. Paths repeat the names
    above them: those of a long chain, or below a long name, would fill any memory.

    Raises:
      CorruptIndexError: nothing leads to many nodes, or paths are too long.
    """
    parents = [node for node in nodes if node.children or node.slot_variables]
    references = sum(len(n.children) + 2 * len(n.slot_variables) for n in parents)
    longest = sum(
        max([len(child.local_name) + 1 for child in node.children])
        for node in parents
        if node.children
    )
    if not may_be_large(len(nodes), references, longest, size):
        return
    if _is_unreached(len(nodes), references):
        raise CorruptIndexError(
            f"{where} has {len(nodes)} nodes, but only {references} references to any"
        )
    lengths, waiting = {0: 0}, collections.deque([0])
    total = 0
    while waiting:
        node_id = waiting.popleft()
        for child in nodes[node_id].children:
            if child.node_id not in lengths:
                length = lengths[node_id] + len(child.local_name) + 1
                lengths[child.node_id] = length
                total += length
                waiting.append(child.node_id)
    if total > _MOST_PER_BYTE * size:
        raise CorruptIndexError(
            f"{where}: the paths to its nodes have {total} characters, more than "
            f"{_MOST_PER_BYTE} for each of its {size} bytes"
        )


def may_be_large(count: int, references: int, longest: int, size: int) -> bool:
    """Whether nodes, or the paths to them, may be more than their bytes account for.

    Args:
      count: how many nodes there are.
      references: how often any of them is named as a child, a slot or its variable.
      longest: the length of a path that takes the longest name of each node.
      size: the bytes that say so.
    """
    return _is_unreached(count, references) or longest * count > _MOST_PER_BYTE * size


def _is_unreached(count: int, references: int) -> bool:
    """Whether nothing leads to many nodes."""
    return count > 1000 + 2 * references


def saved_nodes(
    graph: TrackableObjectGraph, root: Optional[str] = None
) -> Iterator[Node]:
    """What an object graph says is in the checkpoint, in the order of its nodes.

    Args:
      graph: an object graph, as `parse` returns it.
      root: one more name of a root's child that is a dictionary by TF1 names,
        beside `var_list` and `vars`.
    """
    nodes = graph.nodes
    dictionary_names = names_in_dictionaries(
        lambda node: ((c.node_id, c.local_name) for c in nodes[node].children),
        lambda node: any(
            attribute.name == object_keys.VARIABLE_VALUE
            for attribute in nodes[node].attributes
        ),
        root,
    )
    root_children = {
        child.node_id: child.local_name for child in graph.nodes[0].children
    }
    slots = {
        slot.slot_variable_node_id
        for node in graph.nodes
        if node.slot_variables
        for slot in node.slot_variables
    }
    return (
        Node(
            attribute.checkpoint_key,
            attribute.full_name,
            dictionary_names.get(node_id),
            attribute.name == object_keys.VARIABLE_VALUE,
            node_id in slots,
            root_children.get(node_id),
        )
        for node_id, node in enumerate(graph.nodes)
        for attribute in node.attributes
    )


def names_in_dictionaries(
    children_of: Callable[[int], Iterable[tuple[int, str]]],
    is_variable: Callable[[int], bool],
    root: Optional[str] = None,
) -> dict[int, str]:
    """TF1 names by node, of variables in the root's dictionaries by name.

    A list under the same name (`Checkpoint(var_list=[a, b])`) has local names 0, 1,
    ...: these are positions, not names.

    Args:
      children_of: gives a node's children and their local names.
      is_variable: says whether a node has a variable.
      root: one more name of a dictionary, as for `saved_nodes`.
    """
    dictionary_names = {*object_keys.NAME_DICTIONARIES, root}
    dictionaries = [node for node, name in children_of(0) if name in dictionary_names]
    found: dict[int, str] = {}
    for dictionary in dict.fromkeys(dictionaries):  # each once, whatever its names
        entries = {
            node: name for node, name in children_of(dictionary) if is_variable(node)
        }
        local_names = entries.values()
        if "0" not in local_names or set(local_names) != _positions(len(entries)):
            found.update(entries)
    return found


def _positions(count: int) -> set[str]:
    """What a list calls its elements."""
    return set(map(str, range(count)))


def _encode(graph: TrackableObjectGraph) -> bytes:
    return wire.encoder(TrackableObjectGraph)(graph)


def variable(full_name: str, key: str) -> TrackableObject:
    """The node of a variable that is saved under a key."""
    value = SerializedTensor(object_keys.VARIABLE_VALUE, full_name, key)
    return TrackableObject((), (value,))


def with_save_counter(serialized: bytes, source: str) -> bytes:
    """An object graph whose root has a `save_counter`, serialized.

    Args:
      serialized: the object graph; what its root has is kept.
      source: where it comes from, for messages.

    Raises:
      CorruptIndexError: it is no object graph.
    """
    graph = parse(serialized, source)
    root, nodes = graph.nodes[0], graph.nodes
    if any(c.local_name == object_keys.SAVE_COUNTER for c in root.children):
        return serialized
    counter = variable(object_keys.SAVE_COUNTER, object_keys.SAVE_COUNTER_KEY)
    child = ObjectReference(len(nodes), object_keys.SAVE_COUNTER)
    root = root._replace(children=(*root.children, child))
    return _encode(graph._replace(nodes=(root, *nodes[1:], counter)))


def without(graph: TrackableObjectGraph, kept: Collection[str]) -> bytes:
    """An object graph, serialized, less the attributes whose keys are not kept.

    A node without attributes holds nothing, so `assert_consumed` does not ask for it.
    """
    return _encode(graph._replace(nodes=tuple(_pruned(graph.nodes, kept))))


def _pruned(
    nodes: Iterable[TrackableObject], kept: Collection[str]
) -> Iterator[TrackableObject]:
    for node in nodes:
        remaining = tuple(
            attribute
            for attribute in node.attributes
            if attribute.name != object_keys.VARIABLE_VALUE
            or attribute.checkpoint_key in kept
        )
        if len(remaining) != len(node.attributes):
            node = node._replace(attributes=remaining, has_checkpoint_values=None)
        yield node
