"""The protobuf messages of a bundle: header, entries, object graph.

Field numbers are those of the `.proto` files named below. Enums are int32: the bytes
are the same, and numbers that are not known yet survive. A map is a list of entries. A
shape is read as its sizes, a slice as its extents. Reading and writing: wire.py. What
few checkpoints have: v1_schema.py, graph_schema.py.
"""

from __future__ import annotations

import functools
from typing import NamedTuple, Optional

from estimator_ckpt.bundle.coding import FULL, Extent
from estimator_ckpt.bundle.protobuf.field_types import (
    BYTES,
    FIXED32,
    INT32,
    INT64,
    STRING,
    Field,
    Type,
)
from estimator_ckpt.bundle.protobuf.wire import embedded, message, only


def _cached(type: Type) -> Type:
    """The same type, but each value is read and written once."""
    return type._replace(
        read=functools.lru_cache(maxsize=1024)(type.read),
        write=functools.lru_cache(maxsize=1024)(type.write),
    )


# tensorflow/core/framework/tensor_shape.proto: TensorShapeProto and its Dim
_DIM = only(Field(1, INT64))
SHAPE = only(Field(2, _DIM, repeated=True))
# Of the many shapes in an index most are the same.
_SHAPE = _cached(SHAPE)

# tensorflow/core/framework/tensor_slice.proto: TensorSliceProto and its Extent
message(Field(1, INT64), Field(2, INT64, default=FULL))(Extent)
SLICE = only(Field(1, embedded(Extent), repeated=True))


# tensorflow/core/framework/versions.proto


@message(Field(1, INT32), Field(2, INT32), Field(3, INT32, repeated=True))
class VersionDef(NamedTuple):
    producer: int = 0
    min_consumer: int = 0
    bad_consumers: tuple[int, ...] = ()


# tensorflow/core/protobuf/tensor_bundle.proto


@message(Field(1, INT32), Field(2, INT32), Field(3, embedded(VersionDef), always=True))
class BundleHeaderProto(NamedTuple):
    num_shards: int = 0
    endianness: int = 0
    version: VersionDef = VersionDef()


#: BundleEntryProto: dtype, shape, shard_id, offset, size, crc32c, slices.
BUNDLE_ENTRY = (
    Field(1, INT32),
    Field(2, _SHAPE, always=True),
    Field(3, INT32),
    Field(4, INT64),
    Field(5, INT64),
    Field(6, FIXED32, default=None),
    Field(7, SLICE, repeated=True),
)


# tensorflow/core/protobuf/trackable_object_graph.proto


@message(Field(1, INT32), Field(2, STRING))
class ObjectReference(NamedTuple):
    node_id: int = 0
    local_name: str = ""


# Of the many attributes in a graph most are called the same.
@message(Field(1, _cached(STRING)), Field(2, STRING), Field(3, STRING))
class SerializedTensor(NamedTuple):
    name: str = ""
    full_name: str = ""
    checkpoint_key: str = ""


@message(Field(1, INT32), Field(2, STRING), Field(3, INT32))
class SlotVariableReference(NamedTuple):
    original_variable_node_id: int = 0
    slot_name: str = ""
    slot_variable_node_id: int = 0


@message(
    Field(1, embedded(ObjectReference), repeated=True),
    Field(2, embedded(SerializedTensor), repeated=True),
    Field(3, embedded(SlotVariableReference), repeated=True),
    Field(5, BYTES, default=None),
)
class TrackableObject(NamedTuple):
    children: tuple[ObjectReference, ...] = ()
    attributes: tuple[SerializedTensor, ...] = ()
    slot_variables: tuple[SlotVariableReference, ...] = ()
    has_checkpoint_values: Optional[bytes] = None  # a BoolValue
    unknown: bytes = b""  # a RegisteredSaver, and what is to come


@message(Field(1, embedded(TrackableObject), repeated=True))
class TrackableObjectGraph(NamedTuple):
    nodes: tuple[TrackableObject, ...] = ()
    unknown: bytes = b""
