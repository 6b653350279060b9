"""The messages of V1 checkpoints against those that TensorFlow was built with."""

from estimator_ckpt.bundle.protobuf import v1_schema
from tests.bundle import protobufs
from tests.bundle.protobuf import tensorflows_messages

#: Our class, TensorFlow's, and those of our names that are not TensorFlow's.
MESSAGES = [
    (v1_schema.SavedSliceMeta, protobufs.SavedSliceMeta, {}),
    (v1_schema.SavedTensorSliceMeta, protobufs.SavedTensorSliceMeta, {}),
    (v1_schema.SavedTensorSlices, protobufs.SavedTensorSlices, {}),
    (v1_schema.VersionDef, protobufs.VersionDef, {}),
    (v1_schema.Extent, protobufs.TensorSliceProto.Extent, {}),
]


def test_its_messages_are_tensorflows():
    tensorflows_messages.hold(v1_schema, MESSAGES)
