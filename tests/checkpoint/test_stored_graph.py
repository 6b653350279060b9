"""Object graphs read node by node say what they say as messages."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.schema import (
    ObjectReference,
    SerializedTensor,
    SlotVariableReference,
    TrackableObject,
    TrackableObjectGraph,
)
from estimator_ckpt.checkpoint import object_graph
from estimator_ckpt.checkpoint.stored_graph import StoredGraph
from estimator_ckpt.conversion import dictionary_graph
from tests.checkpoint.test_hostile_graphs import GRAPHS

ids = st.integers(-1, 6)
local_names = st.sampled_from(["var_list", "vars", "mine", "0", "1", "step", "w", ""])
nodes = st.builds(
    TrackableObject,
    children=st.lists(st.builds(ObjectReference, ids, local_names), max_size=4).map(
        tuple
    ),
    attributes=st.lists(
        st.builds(
            SerializedTensor,
            st.sampled_from(["VARIABLE_VALUE", "table", ""]),
            st.sampled_from(["", "Variable", "dense/kernel", "n" * 200]),
            st.sampled_from(["w/.ATTRIBUTES/VARIABLE_VALUE", "k", ""]),
        ),
        max_size=2,
    ).map(tuple),
    slot_variables=st.lists(
        st.builds(SlotVariableReference, ids, st.just("m"), ids), max_size=2
    ).map(tuple),
    has_checkpoint_values=st.sampled_from([None, b"", b"\x08\x01"]),
)
graphs = st.lists(nodes, max_size=6).map(
    lambda found: wire.encode(TrackableObjectGraph(tuple(found)))
)


def both(serialized, root=None):
    """What both ways say of a graph: its nodes, or that it is none, and why."""
    answers = []
    for read in (
        lambda: object_graph.saved_nodes(object_graph.parse(serialized, "c"), root),
        lambda: StoredGraph(lambda: serialized, "c").saved_nodes(root),
    ):
        try:
            answers.append(list(read()))
        except CorruptIndexError as error:
            answers.append(str(error))
    return answers


@settings(max_examples=300, deadline=None)
@given(graphs, st.sampled_from([None, "mine"]))
def test_both_ways_agree(serialized, root):
    one, other = both(serialized, root)
    assert one == other


@settings(max_examples=300, deadline=None)
@given(graphs, st.data())
def test_both_ways_agree_on_damage(serialized, data):
    at = data.draw(st.integers(0, len(serialized)))
    rest = data.draw(st.sampled_from([b"", b"\x00", b"\x0a", b"\xff", b"\x12\x80"]))
    one, other = both(serialized[:at] + rest + serialized[at + len(rest) :])
    assert one == other


@pytest.mark.parametrize("make", GRAPHS)
def test_both_ways_agree_on_what_is_made_to_hang(make):
    one, other = both(wire.encode(TrackableObjectGraph(tuple(make()))))
    assert one == other


def test_the_nodes_of_a_dictionary_have_its_names():
    serialized = dictionary_graph.build(["a/b", "c"], step="global_step")
    found = {node.name for node in StoredGraph(lambda: serialized, "c").saved_nodes()}
    assert found == {"a/b", "c", None}


def test_a_graph_takes_hardly_more_memory_than_its_dictionary():
    serialized = dictionary_graph.build([f"layer_{i}/kernel" for i in range(5_000)])
    tracemalloc.start()
    for _ in StoredGraph(lambda: serialized, "c").saved_nodes():
        pass
    _, in_passing = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    object_graph.parse(serialized, "c")
    _, at_once = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert in_passing < at_once / 2
