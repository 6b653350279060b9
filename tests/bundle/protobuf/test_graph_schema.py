"""The messages of graphs against those that TensorFlow was built with."""

import pytest

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


@pytest.mark.parametrize(
    ("ours", "theirs", "renamed"), MESSAGES, ids=lambda m: getattr(m, "__name__", "")
)
def test_numbers_and_types_are_tensorflows(ours, theirs, renamed):
    tensorflows_messages.hold(ours, theirs, renamed)


def test_every_message_here_is_held_against_tensorflows():
    tested = {ours for ours, _, _ in MESSAGES}
    assert tensorflows_messages.declared_in(graph_schema) - tested == set()
