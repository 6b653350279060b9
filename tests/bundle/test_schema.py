"""The messages declared at run time, against those that TensorFlow was built with."""

import pathlib
import subprocess
import sys

import pytest

import estimator_ckpt
from estimator_ckpt.bundle import schema


def _tensorflow_messages():
    from tensorflow.core.framework import (
        tensor_shape_pb2,
        tensor_slice_pb2,
        versions_pb2,
    )
    from tensorflow.core.protobuf import trackable_object_graph_pb2
    from tensorflow.python.training import checkpoint_state_pb2

    return {
        "TensorShapeProto": tensor_shape_pb2.TensorShapeProto,
        "TensorSliceProto": tensor_slice_pb2.TensorSliceProto,
        "VersionDef": versions_pb2.VersionDef,
        "TrackableObjectGraph": trackable_object_graph_pb2.TrackableObjectGraph,
        "RegisteredSaver": trackable_object_graph_pb2.RegisteredSaver,
        "CheckpointState": checkpoint_state_pb2.CheckpointState,
    }


def _assert_same_fields(ours, theirs):
    assert [(f.name, f.number) for f in ours.fields] == [
        (f.name, f.number) for f in theirs.fields
    ]
    for mine, other in zip(ours.fields, theirs.fields):
        assert mine.type == other.type, mine.full_name
        repeated = mine.LABEL_REPEATED
        assert (mine.label == repeated) == (other.label == repeated), mine.full_name
        if mine.message_type is not None:
            _assert_same_fields(mine.message_type, other.message_type)


@pytest.mark.parametrize(
    "name",
    [
        "TensorShapeProto",
        "TensorSliceProto",
        "VersionDef",
        "TrackableObjectGraph",
        "RegisteredSaver",
        "CheckpointState",
    ],
)
def test_the_fields_are_those_of_tensorflow(name):
    theirs = _tensorflow_messages()[name]
    _assert_same_fields(getattr(schema, name).DESCRIPTOR, theirs.DESCRIPTOR)


def test_unknown_fields_survive():
    entry = schema.BundleEntryProto(dtype=1, offset=5)
    known = entry.SerializeToString()
    unknown = b"\xf2\x07\x03abc"  # field 126, of a later version
    parsed = schema.BundleEntryProto.FromString(known + unknown)
    assert parsed.SerializeToString() == known + unknown


def test_whether_a_length_is_there_is_recorded():
    extent = schema.TensorSliceProto.Extent
    assert not extent.FromString(b"").HasField("length")
    assert extent.FromString(b"\x10\x00").HasField("length")


def test_there_are_no_other_names():
    with pytest.raises(AttributeError, match="NoSuchProto"):
        schema.NoSuchProto  # noqa: B018


@pytest.mark.parametrize("implementation", ["upb", "python"])
def test_every_implementation_of_protobuf_will_do(implementation):
    program = (
        "from estimator_ckpt.bundle import schema\n"
        "from google.protobuf.internal import api_implementation\n"
        f"assert api_implementation.Type() == {implementation!r}\n"
        "entry = schema.BundleEntryProto(dtype=1, offset=300)\n"
        "assert entry.SerializeToString().hex() == '080120ac02'\n"
    )
    subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        env={"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": implementation, "PATH": ""},
        cwd=pathlib.Path(estimator_ckpt.__path__[0]).parent,
    )
