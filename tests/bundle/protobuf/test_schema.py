"""The declared messages against those that TensorFlow was built with."""

import pytest

from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.protobuf import schema
from tests.bundle import protobufs
from tests.bundle.protobuf import tensorflows_messages

NODE = protobufs.TrackableObjectGraph.TrackableObject
#: Our class, TensorFlow's, and those of our names that are not TensorFlow's.
MESSAGES = [
    (Extent, protobufs.TensorSliceProto.Extent, {}),
    (Entry, protobufs.BundleEntryProto, {}),
    (schema.VersionDef, protobufs.VersionDef, {}),
    (schema.BundleHeaderProto, protobufs.BundleHeaderProto, {}),
    (schema.ObjectReference, NODE.ObjectReference, {}),
    (schema.SerializedTensor, NODE.SerializedTensor, {}),
    (schema.SlotVariableReference, NODE.SlotVariableReference, {}),
    (schema.TrackableObject, NODE, {}),
    (schema.TrackableObjectGraph, protobufs.TrackableObjectGraph, {}),
]


def test_its_messages_are_tensorflows():
    tensorflows_messages.hold(schema, MESSAGES)


@pytest.mark.parametrize("shape", [(), (0,), (3, 4), (2**62,), tuple(range(20))])
def test_a_shape_is_its_sizes(shape):
    theirs = protobufs.TensorShapeProto()
    for size in shape:
        theirs.dim.add(size=size)
    data = theirs.SerializeToString()
    assert schema.SHAPE.read(data) == shape
    assert schema.SHAPE.write(shape) == bytes([len(data)]) + data


def test_a_full_extent_is_not_the_one_that_spells_it_out():
    theirs = protobufs.TensorSliceProto()
    theirs.extent.add(start=2)
    theirs.extent.add(length=0)
    theirs.extent.add(start=1, length=5)
    found = schema.SLICE.read(theirs.SerializeToString())
    assert found == ((2, -1), (0, 0), (1, 5))
    assert schema.SLICE.write(found)[1:] == theirs.SerializeToString()
