"""An object graph as plain data: what hangs below what, and what is trained."""

from estimator_ckpt.checkpoint.evidence.graph_nodes import GraphNodes
from estimator_ckpt.checkpoint.object_graph import parse
from tests.bundle import protobufs
from tests.checkpoint.evidence.scenes import W, graph

#: root { model { w }, opt { _trainable_variables { 0: w }, m } }
CHILDREN = [
    {"model": 1, "opt": 3},
    {"w": 2},
    {},
    {"_trainable_variables": 4, "m": 5},
    {"0": 2, "x": 5},
    {},
]
NODES = graph(CHILDREN, slots=[(3, 2, "m", 5)], variables={2: W, 5: ()})


def test_shapes_are_those_of_the_index():
    assert NODES.shape(2) == W
    assert NODES.shape(1) is None
    assert NODES.is_scalar(5)
    assert not NODES.is_scalar(2)


def test_lists_have_numbers_for_names():
    assert NODES.listed(3, "_trainable_variables") == {0: 2}
    assert NODES.listed(3, "none") == {}


def test_what_is_reached_leaves_out_what_is_trained():
    assert NODES.reached(3) == {3, 5}
    assert NODES.reached(0) == {0, 1, 2, 3, 5}
    assert NODES.reached(0, but={3}) == {0, 1, 2}


def test_owners_of_slots_and_what_optimizers_list_are_trained():
    assert NODES.trained == {2}
    assert NODES.by_full_name == {"name2": [2], "name5": [5]}


def test_paths_are_the_shortest():
    assert NODES.paths[2] == "model/w"
    assert NODES.paths[5] == "opt/m"
    assert NODES.paths[0] == ""


def test_a_message_says_the_same():
    message = protobufs.TrackableObjectGraph()
    root, w = message.nodes.add(), message.nodes.add()
    root.children.add(node_id=1, local_name="w")
    root.slot_variables.add(
        original_variable_node_id=1, slot_name="m", slot_variable_node_id=1
    )
    w.attributes.add(name="VARIABLE_VALUE", full_name="w", checkpoint_key="w/.A")
    found = GraphNodes.of(parse(message.SerializeToString(), "c").nodes, {})
    assert found.children == [{"w": 1}, {}]
    assert found.slots == [((1, "m", 1),), ()]
    assert (found.keys, found.full_names) == ({1: "w/.A"}, {1: "w"})
