"""The protobuf messages of graphs: of `.meta` files and frozen graphs what is read.

How messages are declared: schema.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from estimator_ckpt.bundle.protobuf.field_types import (
    BYTES,
    DOUBLE,
    FLOAT,
    INT32,
    INT64,
    STRING,
    UINT64,
    Field,
)
from estimator_ckpt.bundle.protobuf.schema import SHAPE
from estimator_ckpt.bundle.protobuf.wire import embedded, message, only

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
