"""The object graph of `tf.train.Checkpoint(var_list={...}, step=...)`, as bytes.

    node 0      the root: var_list, step if there is one, save_counter
    node 1      the dictionary: a variable under each name
    node 2 ...  step, save_counter, the variables

A graph is its nodes one after another, and so are its bytes: of 100,000 variables none
is there as an object. What object graphs are: object_graph.py.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import Optional

from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.field_types import write_bytes
from estimator_ckpt.bundle.protobuf.schema import (
    ObjectReference,
    TrackableObject,
    TrackableObjectGraph,
)
from estimator_ckpt.bundle.protobuf.varints import write_varint
from estimator_ckpt.checkpoint import object_graph, object_keys


def build(
    variables: Iterable[str],
    *,
    root: str = object_keys.ROOT,
    step: Optional[str] = None,
) -> bytes:
    """The serialized object graph.

    Args:
      variables: the variable names that hang under `root`, without the step's.
      root: the name of the root's child that holds them.
      step: the global step's variable name, or None if the root has no `step`.

    Raises:
      CheckpointError: a name is no UTF-8, so that no object graph can hold it.
    """
    node = object_graph.variable
    counter = node(object_keys.SAVE_COUNTER, object_keys.SAVE_COUNTER_KEY)
    beside = {object_keys.SAVE_COUNTER: counter}
    if step is not None:
        beside = {object_keys.STEP: node(step, object_keys.STEP_KEY), **beside}
    names = list(variables)
    children = [ObjectReference(1, root)]
    # Behind the root and the dictionary.
    children += [ObjectReference(at, name) for at, name in enumerate(beside, 2)]
    top = TrackableObject(tuple(children))
    out = io.BytesIO()
    try:
        out.write(wire.encode(TrackableObjectGraph((top,))))
        out.write(_dictionary(names, 2 + len(beside)))
        out.write(wire.encode(TrackableObjectGraph(tuple(beside.values()))))
        out.writelines(_variables(names, root))
        return out.getvalue()
    except UnicodeEncodeError as error:
        raise CheckpointError(
            f"{error.object!r} is no UTF-8, and an object graph holds only such names; "
            f"write 'tf1', or give it another name (assignment_map)"
        ) from None


# The same bytes as those of messages, in a third of the time.


def _dictionary(names: Iterable[str], first: int) -> bytes:
    """The node of a dictionary in a graph; its children are the nodes from `first`."""
    children = io.BytesIO()  # which holds no child but as its bytes
    for at, name in enumerate(names, first):
        child = b"\x08" + write_varint(at) + _named(b"\x12", name)
        children.write(b"\x0a" + write_bytes(child))
    return b"\x0a" + write_bytes(children.getvalue())


def _variables(names: Iterable[str], root: str) -> Iterator[bytes]:
    """The nodes of variables under a dictionary in a graph."""
    is_value = _named(b"\x0a", object_keys.VARIABLE_VALUE)
    key_of = object_keys.variable_keys(root)
    for name in names:
        value = is_value + _named(b"\x12", name) + _named(b"\x1a", key_of(name))
        yield b"\x0a" + write_bytes(b"\x12" + write_bytes(value))


def _named(tag: bytes, text: str) -> bytes:
    """A field that holds text; none if it is empty."""
    return tag + write_bytes(text.encode("utf-8")) if text else b""
