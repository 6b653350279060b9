"""The protobuf messages of a V1 checkpoint: what its tables say of their tensors.

The values are read by v1_values.py. How messages are declared: schema.py.
"""

from __future__ import annotations

from typing import NamedTuple

from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.protobuf.field_types import INT32, STRING, Field
from estimator_ckpt.bundle.protobuf.schema import SHAPE, SLICE, VersionDef
from estimator_ckpt.bundle.protobuf.wire import embedded, message

# tensorflow/core/util/saved_tensor_slice.proto


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
