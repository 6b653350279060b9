"""What an object graph says of roles, by key."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import graph_evidence
from estimator_ckpt.checkpoint.evidence.graph_nodes import GraphNodes
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact
from estimator_ckpt.checkpoint.object_graph import parse
from tests.bundle import protobufs


def decided(objects, shapes=()):
    """What is said of objects: (path, ...) by local names, variables by their paths."""
    message = protobufs.TrackableObjectGraph()
    message.nodes.add()
    numbers, facts = {"": 0}, {}
    for path in objects:
        parent, _, name = path.rpartition("/")
        node = message.nodes.add()
        numbers[path] = len(message.nodes) - 1
        above = message.nodes[numbers[parent]]
        above.children.add(node_id=numbers[path], local_name=name)
        if path in dict(shapes):
            key = f"{path}/.ATTRIBUTES/VARIABLE_VALUE"
            node.attributes.add(name="VARIABLE_VALUE", checkpoint_key=key)
            facts[key] = dict(shapes)[path]
    nodes = parse(message.SerializeToString(), "c").nodes
    found = graph_evidence.decide(GraphNodes.of(nodes, facts))
    return {
        key.replace("/.ATTRIBUTES/VARIABLE_VALUE", ""): s for key, s in found.items()
    }


SCALAR = Fact("float32", ())


@pytest.mark.parametrize(
    ("objects", "shapes", "name", "role"),
    [
        (
            ["m", "m/total", "m/count"],
            {"m/total": SCALAR, "m/count": SCALAR},
            "m/total",
            roles.METRIC,
        ),
        (
            ["s", "s/current_loss_scale", "s/good_steps"],
            {"s/current_loss_scale": SCALAR, "s/good_steps": SCALAR},
            "s/good_steps",
            roles.LOSS_SCALE,
        ),
        (["save_counter"], {"save_counter": SCALAR}, "save_counter", roles.NO_VARIABLE),
        (
            ["model", "model/text"],
            {"model/text": Fact("string", ())},
            "model/text",
            roles.NO_VARIABLE,
        ),
    ],
)
def test_what_objects_say(objects, shapes, name, role):
    said = decided(objects, shapes)[name]
    assert said.role is role


def test_a_layer_that_counts_beside_its_weights_is_no_metric():
    objects = ["m", "m/total", "m/count", "m/kernel"]
    shapes = {"m/total": SCALAR, "m/count": SCALAR, "m/kernel": Fact("float32", (3,))}
    assert decided(objects, shapes) == {}
