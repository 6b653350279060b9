"""What an object graph says is saved, and its nodes."""

import pytest

from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.schema import (
    ObjectReference,
    SlotVariableReference,
    TrackableObject,
    TrackableObjectGraph,
)
from estimator_ckpt.checkpoint import object_graph
from estimator_ckpt.checkpoint.object_graph import Node


def graph_of(*nodes):
    return TrackableObjectGraph(nodes)


def parent_of(*names, first=1):
    """A node whose children are the next ones."""
    return TrackableObject(tuple(map(ObjectReference, range(first, 99), names)))


def saved(graph, root=None):
    found = object_graph.parse(wire.encode(graph), "a test")
    assert found == graph
    return list(object_graph.saved_nodes(found, root))


@pytest.mark.parametrize("dictionary", ["var_list", "vars", "mine"])
def test_a_dictionary_says_what_its_variables_are_called(dictionary):
    variables = object_graph.variable("Variable", "a"), object_graph.variable("", "b")
    graph = graph_of(parent_of(dictionary), parent_of("x/y", "0", first=2), *variables)
    assert saved(graph, "mine") == [
        Node("a", "Variable", "x/y", True, False, None),
        Node("b", "", "0", True, False, None),
    ]


def test_positions_in_a_list_are_no_names():
    variables = object_graph.variable("v", "a"), object_graph.variable("w", "b")
    graph = graph_of(parent_of("var_list"), parent_of("1", "0", first=2), *variables)
    assert [node.name for node in saved(graph)] == [None, None]


def test_slots_and_children_of_the_root():
    slot = SlotVariableReference(1, "m", 2)
    top = parent_of("step")._replace(slot_variables=(slot,))
    nodes = object_graph.variable("step", "a"), object_graph.variable("v/m", "b")
    first, second = saved(graph_of(top, *nodes))
    assert (first.is_child_of_root, first.is_slot) == ("step", False)
    assert (second.is_child_of_root, second.is_slot) == (None, True)


def test_a_reference_to_no_node_is_refused():
    with pytest.raises(CorruptIndexError, match="node 0 refers to node 1, but there"):
        saved(graph_of(parent_of("v")))
