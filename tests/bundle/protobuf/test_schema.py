"""The declared messages against those that TensorFlow was built with."""

import pytest

from estimator_ckpt.bundle.coding import Extent
from estimator_ckpt.bundle.entry import Entry
from estimator_ckpt.bundle.protobuf import schema, wire
from tests.bundle import protobufs

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
    (schema.SavedSliceMeta, protobufs.SavedSliceMeta, {}),
    (schema.SavedTensorSliceMeta, protobufs.SavedTensorSliceMeta, {}),
    (schema.SavedTensorSlices, protobufs.SavedTensorSlices, {}),
    (schema.CollectionEntry, protobufs.MetaGraphDef.CollectionDefEntry, {}),
    (schema.MetaGraphDef, protobufs.MetaGraphDef, {}),
    (
        schema.VariableDef,
        protobufs.VariableDef,
        {"slice_of": "save_slice_info_def"},
    ),
    (schema.TensorProto, protobufs.TensorProto, {}),
]


def is_repeated(field):
    if hasattr(field, "is_repeated"):
        return field.is_repeated
    return field.label == field.LABEL_REPEATED  # until protobuf 6


@pytest.mark.parametrize(
    ("ours", "theirs", "renamed"), MESSAGES, ids=lambda m: getattr(m, "__name__", "")
)
def test_numbers_and_types_are_tensorflows(ours, theirs, renamed):
    places = wire._DECLARED[ours].places
    assert len({place.slot for place in places.values()}) >= len(
        set(ours._fields) - {"unknown"}
    )
    for tag, place in places.items():
        field = theirs.DESCRIPTOR.fields_by_number[tag >> 3]
        name = ours._fields[place.slot]
        assert field.name == renamed.get(name, name)
        assert is_repeated(field) == place.field.repeated
        assert place.field.type.is_message == (field.message_type is not None) or (
            field.message_type.name == "BoolValue"  # carried as its bytes
        )
        wire_types = {
            field.TYPE_INT32: 0,
            field.TYPE_INT64: 0,
            field.TYPE_ENUM: 0,
            field.TYPE_UINT32: 0,
            field.TYPE_UINT64: 0,
            field.TYPE_BOOL: 0,
            field.TYPE_FIXED32: 5,
            field.TYPE_FLOAT: 5,
            field.TYPE_DOUBLE: 1,
        }
        expected = wire_types.get(field.type, 2)
        assert tag & 7 == expected or (tag & 7 == 2 and place.field.repeated)


def test_every_message_of_the_schema_is_held_against_tensorflows():
    tested = {ours for ours, _, _ in MESSAGES}
    declared = {
        value
        for value in vars(schema).values()
        if isinstance(value, type) and value in wire._DECLARED
    }
    assert declared - tested == set()


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
