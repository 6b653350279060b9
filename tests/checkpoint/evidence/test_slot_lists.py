"""The slots of Keras optimizers: in lists, or by their names alone."""

import pytest

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.checkpoint.evidence import slot_lists
from estimator_ckpt.checkpoint.evidence.graph_nodes import GraphNodes
from estimator_ckpt.checkpoint.evidence.name_sorting import Fact

W, B = (2, 3), (3,)


def graph(slots, lists=()):
    """An optimizer (node 3) beside a dense layer.

    Args:
      slots: full names and shapes; they stand in `_variables`, from place 1 on.
      lists: places of slots in `_variables`, by the names of lists.
    """
    first = 6
    numbers = range(first, first + len(slots))
    children = [
        {"model": 1, "optimizer": 3},
        *({"kernel": 2, "bias": 5}, {}),
        {"_variables": 4, "_iterations": first + len(slots)},
        {str(place): n for place, n in enumerate(numbers, 1)},
        {},
        *[{}] * (len(slots) + 1),
    ]
    for name, places in dict(lists).items():
        children[3][name] = len(children)
        children.append({str(i): first + at for i, at in enumerate(places)})
    names = {2: "dense/kernel", 5: "dense/bias"}
    names.update(zip(numbers, (name for name, _ in slots)))
    shapes = {2: W, 5: B, **dict(zip(numbers, (shape for _, shape in slots)))}
    keys = names.copy()
    facts = {name: Fact("float32", shapes[node]) for node, name in names.items()}
    return GraphNodes(children, [[]] * len(children), keys, names, facts)


def decided(slots, lists=()):
    nodes = graph(slots, lists)
    found = slot_lists.decide(nodes, 3, roles.KERAS, "optimizer")
    return {nodes.keys[n]: (said.owner, said.slot) for n, said in found.items()}


ADAM = [
    *(("Adam/m/dense/kernel", W), ("Adam/v/dense/kernel", W)),
    *(("Adam/m/dense/bias", B), ("Adam/v/dense/bias", B)),
]


def test_lists_stand_in_the_order_of_what_is_trained():
    found = decided(ADAM, {"_momentums": [0, 2], "_velocities": [1, 3]})
    assert found == {
        "Adam/m/dense/kernel": ("dense/kernel", "m"),
        "Adam/v/dense/kernel": ("dense/kernel", "v"),
        "Adam/m/dense/bias": ("dense/bias", "m"),
        "Adam/v/dense/bias": ("dense/bias", "v"),
    }


@pytest.mark.parametrize("scope", ["Adam/", ""])
def test_without_lists_names_say_the_same(scope):
    """As TensorFlow 2.21 saves an optimizer that was restored before it was built."""
    slots = [(name.replace("Adam/", scope), shape) for name, shape in ADAM]
    found = decided(slots)
    assert found == {name: (name[-len(o) :], s) for name, o, s in split(slots)}


def split(slots):
    for name, _ in slots:
        owner = "dense/kernel" if name.endswith("dense/kernel") else "dense/bias"
        yield name, owner, name[: -len(owner) - 1].rpartition("/")[2]


def test_rows_and_columns_of_adafactor_are_of_other_shapes():
    found = decided([("r/dense/kernel", (2,)), ("c/dense/kernel", (3,))])
    assert found["r/dense/kernel"] == ("dense/kernel", "r")
    assert found["c/dense/kernel"] == ("dense/kernel", "c")


@pytest.mark.parametrize(
    "slot", [("m/dense/kernel", (3, 2)), ("m/other/kernel", W), ("odd/dense/kernel", W)]
)
def test_what_fits_no_variable_is_of_none(slot):
    assert decided([slot]) == {}


def test_averages_are_averages():
    nodes = graph([("average/dense/bias", B)])
    (said,) = slot_lists.decide(nodes, 3, roles.KERAS, "optimizer").values()
    assert (said.role, said.owner) == (roles.AVERAGE, "dense/bias")
