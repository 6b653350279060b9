"""The object graph of a TF2 checkpoint: which variable hangs where, under which key.

Stored in the bundle as a scalar string, a serialized TrackableObjectGraph: nodes
with children by local name, attributes (a variable's value, a table's entries) by
object key, and slot variables by optimizer. Node 0 is the root.

Source: `tensorflow/core/protobuf/trackable_object_graph.proto`; `docs/format.md`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from typing import Any, Optional

from estimator_ckpt.bundle import coding, schema
from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.checkpoint import object_keys


@dataclasses.dataclass(frozen=True)
class Node:
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


def parse(serialized: bytes, source: str) -> Any:
    """Reads a serialized object graph and checks that its ids hold together.

    Args:
      serialized: the bytes of the `_CHECKPOINTABLE_OBJECT_GRAPH` string.
      source: the file it comes from, for messages.

    Returns:
      A TrackableObjectGraph message with at least one node.

    Raises:
      CorruptIndexError: it is no such message, or a node id is out of range.
    """
    where = f"{source}: {object_keys.OBJECT_GRAPH_KEY}"
    try:
        graph = schema.TrackableObjectGraph.FromString(serialized)
    except schema.DecodeError as error:
        raise CorruptIndexError(
            f"{where} is no object graph ({error}); restore the file from a copy"
        ) from None
    if not graph.nodes:
        raise CorruptIndexError(f"{where} has no nodes, not even a root")
    for node_id, node in enumerate(graph.nodes):
        ids = [child.node_id for child in node.children]
        for slot in node.slot_variables:
            ids += [slot.original_variable_node_id, slot.slot_variable_node_id]
        for other in ids:
            if not 0 <= other < len(graph.nodes):
                raise CorruptIndexError(
                    f"{where}: node {node_id} refers to node {other}, but there are "
                    f"{len(graph.nodes)}"
                )
    return graph


def saved_nodes(graph: Any, root: Optional[str] = None) -> list[Node]:
    """What an object graph says is in the checkpoint, in the order of its nodes.

    Args:
      graph: a TrackableObjectGraph message, as `parse` returns it.
      root: one more name of a root's child that is a dictionary by TF1 names,
        beside `var_list` and `vars`.
    """
    dictionary_names = _names_in_dictionaries(graph, root)
    root_children = {
        child.node_id: child.local_name for child in graph.nodes[0].children
    }
    slots = {
        slot.slot_variable_node_id
        for node in graph.nodes
        for slot in node.slot_variables
    }
    return [
        Node(
            key=attribute.checkpoint_key,
            full_name=attribute.full_name,
            name=dictionary_names.get(node_id),
            is_variable=attribute.name == object_keys.VARIABLE_VALUE,
            is_slot=node_id in slots,
            is_child_of_root=root_children.get(node_id),
        )
        for node_id, node in enumerate(graph.nodes)
        for attribute in node.attributes
    ]


def _names_in_dictionaries(graph: Any, root: Optional[str]) -> dict[int, str]:
    """TF1 names by node id, of variables in the root's dictionaries by name.

    A list under the same name (`Checkpoint(var_list=[a, b])`) has local names 0, 1,
    ...: these are positions, not names.
    """
    found: dict[int, str] = {}
    for child in graph.nodes[0].children:
        if child.local_name not in {*object_keys.NAME_DICTIONARIES, root}:
            continue
        entries = {
            c.node_id: c.local_name
            for c in graph.nodes[child.node_id].children
            if any(
                attribute.name == object_keys.VARIABLE_VALUE
                for attribute in graph.nodes[c.node_id].attributes
            )
        }
        if sorted(entries.values()) != sorted(map(str, range(len(entries)))):
            found.update(entries)
    return found


def build(
    variables: Iterable[str],
    *,
    root: str = object_keys.ROOT,
    step: Optional[str] = None,
) -> bytes:
    """The object graph of `tf.train.Checkpoint(var_list={...}, step=...)`, serialized.

    Args:
      variables: the variable names that hang under `root`, without the step's.
      root: the name of the root's child that holds them.
      step: the global step's variable name, or None if the root has no `step`.
    """
    # Written here, since protobuf would take longer to import than a conversion takes.
    nodes = [b""]  # of the variables, behind the root and the dictionary
    root_children = [_child(1, root)]
    if step is not None:
        root_children.append(_child(len(nodes) + 1, object_keys.STEP))
        nodes.append(_variable(step, object_keys.STEP_KEY))
    root_children.append(_child(len(nodes) + 1, object_keys.SAVE_COUNTER))
    nodes.append(_variable(object_keys.SAVE_COUNTER, object_keys.SAVE_COUNTER_KEY))
    children = []
    for name in variables:
        children.append(_child(len(nodes) + 1, name))
        nodes.append(_variable(name, object_keys.variable_key(name, root)))
    nodes[0] = b"".join(children)
    return b"".join(_field(1, node) for node in (b"".join(root_children), *nodes))


def _child(node_id: int, local_name: str) -> bytes:
    """The field `children` of a node: an ObjectReference."""
    node = b"\x08" + coding.write_varint(node_id)
    return _field(1, node + _field(2, coding.name_to_key(local_name)))


def _variable(full_name: str, key: str) -> bytes:
    """A node with the field `attributes`: a SerializedTensor."""
    values = (object_keys.VARIABLE_VALUE, full_name, key)
    return _field(
        2,
        b"".join(
            _field(number, coding.name_to_key(value))
            for number, value in enumerate(values, 1)
            if value
        ),
    )


def _field(number: int, content: bytes) -> bytes:
    """A field of a message that is bytes, text or a message itself."""
    return bytes([number << 3 | 2]) + coding.write_varint(len(content)) + content


def add_save_counter(graph: Any) -> None:
    """Gives the root a `save_counter`, unless it has a child of that name."""
    if any(c.local_name == object_keys.SAVE_COUNTER for c in graph.nodes[0].children):
        return
    graph.nodes.add().MergeFromString(
        _variable(object_keys.SAVE_COUNTER, object_keys.SAVE_COUNTER_KEY)
    )
    graph.nodes[0].MergeFromString(
        _child(len(graph.nodes) - 1, object_keys.SAVE_COUNTER)
    )


def without(graph: Any, kept: Collection[str]) -> bytes:
    """An object graph, serialized, less the attributes whose keys are not kept.

    A node without attributes holds nothing, so `assert_consumed` does not ask for it.
    """
    pruned = type(graph)()
    pruned.CopyFrom(graph)
    for node in pruned.nodes:
        remaining = [
            attribute
            for attribute in node.attributes
            if attribute.name != object_keys.VARIABLE_VALUE
            or attribute.checkpoint_key in kept
        ]
        if len(remaining) != len(node.attributes):
            del node.attributes[:]
            node.attributes.extend(remaining)
            node.ClearField("has_checkpoint_values")
    return bytes(pruned.SerializeToString())
