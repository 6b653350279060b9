"""The messages of V1 checkpoints against those that TensorFlow was built with."""

import pytest

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


@pytest.mark.parametrize(
    ("ours", "theirs", "renamed"), MESSAGES, ids=lambda m: getattr(m, "__name__", "")
)
def test_numbers_and_types_are_tensorflows(ours, theirs, renamed):
    tensorflows_messages.hold(ours, theirs, renamed)


def test_every_message_here_is_held_against_tensorflows():
    tested = {ours for ours, _, _ in MESSAGES}
    assert tensorflows_messages.declared_in(v1_schema) - tested == set()
