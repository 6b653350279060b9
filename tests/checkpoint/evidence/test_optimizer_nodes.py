"""The optimizers in an object graph, by what they keep."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import optimizer_nodes
from tests.checkpoint.evidence.scenes import W, graph


@pytest.mark.parametrize(
    ("children", "slots", "style"),
    [
        ({"iter": 2, "decay": 3}, True, roles.LEGACY),
        ({"learning_rate": 3}, True, roles.LEGACY),  # its steps are the global step
        ({}, True, roles.TF1),
        ({"iter": 2, "decay": 3}, False, roles.LEGACY),
        ({"_iterations": 2, "_learning_rate": 3}, False, roles.KERAS),
        ({"_iterations": 2, "_trainable_variables": 1, "_variables": 1}, False, "3"),
        ({"_iterations": 2}, False, None),  # a layer may have these
        ({"iter": 2, "decay": 1}, False, None),  # of which one is no scalar
        ({"kernel": 1}, False, None),
    ],
)
def test_how_an_optimizer_names_its_slots(children, slots, style):
    nodes = graph(
        [children, {}, {}, {}, {}],
        slots=[(0, 1, "m", 4)] if slots else [],
        variables={1: W, 2: (), 3: (), 4: W},
    )
    expected = roles.KERAS_3 if style == "3" else style
    assert optimizer_nodes.find(nodes) == ({} if style is None else {0: expected})


def test_slots_settings_and_what_is_trained_of_a_legacy_optimizer():
    nodes = graph(
        [{"w": 1, "opt": 2}, {}, {"iter": 3, "decay": 5}, {}, {}, {}],
        slots=[(2, 1, "m", 4)],
        variables={1: W, 3: (), 4: W, 5: ()},
    )
    found = optimizer_nodes.decide(nodes, 2, roles.LEGACY, {0, 1})
    assert (found[4].role, found[4].slot) == (roles.SLOT, "m")
    assert found[4].owner == "key1"
    assert found[1].role is roles.TRAINABLE
    assert found[3].role is roles.OPTIMIZER
    assert {said.optimizer for n, said in found.items() if n != 1} == {"opt"}
