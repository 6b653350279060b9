"""TensorFlow's protobuf messages, as far as they are read or written here.

Field numbers are those of the `.proto` files named below. Enums are int32: the bytes
are the same, and numbers that are not known yet survive. A map is a list of entries. A
shape is read as its sizes, a slice as its extents. Reading and writing: wire.py.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple, Optional

from estimator_ckpt.bundle.coding import FULL, Extent
from estimator_ckpt.bundle.protobuf.field_types import (
    BYTES,
    DOUBLE,
    FIXED32,
    FLOAT,
    INT32,
    INT64,
    STRING,
    UINT64,
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


@message(Field(1, STRING), Field(2, STRING), Field(3, STRING))
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


# tensorflow/core/util/saved_tensor_slice.proto; of its values see v1_reader.py


@message(
    Field(1, STRING),
    Field(2, SHAPE),
    Field(3, INT32),
    Field(4, SLICE, repeated=True),
)
class SavedSliceMeta(NamedTuple):
    name: str = ""
    shape: tuple[int, ...] = ()
    type: int = 0
    slice: tuple[tuple[Extent, ...], ...] = ()


@message(
    Field(1, embedded(SavedSliceMeta), repeated=True), Field(2, embedded(VersionDef))
)
class SavedTensorSliceMeta(NamedTuple):
    tensor: tuple[SavedSliceMeta, ...] = ()
    versions: VersionDef = VersionDef()


@message(Field(1, embedded(SavedTensorSliceMeta)))
class SavedTensorSlices(NamedTuple):
    meta: SavedTensorSliceMeta = SavedTensorSliceMeta()


# tensorflow/core/protobuf/meta_graph.proto

BYTES_LIST = only(Field(1, BYTES, repeated=True))


@message(Field(1, STRING), Field(2, only(Field(2, BYTES_LIST))))
class CollectionEntry(NamedTuple):
    """An entry of the map `collection_def`; its CollectionDef as its `bytes_list`."""

    key: str = ""
    value: tuple[bytes, ...] = ()


@message(Field(4, embedded(CollectionEntry), repeated=True))
class MetaGraphDef(NamedTuple):
    collection_def: tuple[CollectionEntry, ...] = ()


# tensorflow/core/framework/variable.proto


@message(Field(1, STRING), Field(4, only(Field(1, STRING))))
class VariableDef(NamedTuple):
    variable_name: str = ""
    slice_of: str = ""  # save_slice_info_def.full_name


# tensorflow/core/framework/tensor.proto


@message(
    Field(1, INT32),
    Field(2, SHAPE),
    Field(4, BYTES),
    Field(5, FLOAT, repeated=True),
    Field(6, DOUBLE, repeated=True),
    Field(7, INT32, repeated=True),
    Field(10, INT64, repeated=True),
    Field(11, INT32, repeated=True),
    Field(13, INT32, repeated=True),
    Field(16, UINT64, repeated=True),
    Field(17, UINT64, repeated=True),
)
class TensorProto(NamedTuple):
    dtype: int = 0
    tensor_shape: tuple[int, ...] = ()
    tensor_content: bytes = b""
    float_val: Sequence[float] = ()
    double_val: Sequence[float] = ()
    int_val: Sequence[int] = ()
    int64_val: Sequence[int] = ()
    bool_val: Sequence[int] = ()
    half_val: Sequence[int] = ()
    uint32_val: Sequence[int] = ()
    uint64_val: Sequence[int] = ()
