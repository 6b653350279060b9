"""The messages of graphs against those that TensorFlow was built with."""

from estimator_ckpt.bundle.protobuf import graph_schema
from tests.bundle import protobufs
from tests.bundle.protobuf import tensorflows_messages

#: Our class, TensorFlow's, and those of our names that are not TensorFlow's.
MESSAGES = [
    (graph_schema.CollectionEntry, protobufs.MetaGraphDef.CollectionDefEntry, {}),
    (graph_schema.MetaGraphDef, protobufs.MetaGraphDef, {}),
    (
        graph_schema.VariableDef,
        protobufs.VariableDef,
        {"slice_of": "save_slice_info_def"},
    ),
    (graph_schema.TensorProto, protobufs.TensorProto, {}),
]


def test_its_messages_are_tensorflows():
    tensorflows_messages.hold(graph_schema, MESSAGES)
