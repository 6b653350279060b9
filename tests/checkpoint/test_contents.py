"""What keys mean, beside an object graph or alone."""

import functools

import pytest

from estimator_ckpt.checkpoint import contents, formats, object_graph, object_keys
from estimator_ckpt.checkpoint.contents import AmbiguousNameError
from estimator_ckpt.checkpoint.naming import NamesBy
from tests.bundle import protobufs

GRAPH_KEY = object_keys.OBJECT_GRAPH_KEY
SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


def saved_nodes(**variables):
    """Those of a graph whose root has variables, their full names by attribute."""
    message = protobufs.TrackableObjectGraph()
    message.nodes.add()
    for number, (name, full_name) in enumerate(variables.items(), 1):
        message.nodes[0].children.add(node_id=number, local_name=name)
        message.nodes.add().attributes.add(
            name="VARIABLE_VALUE",
            full_name=full_name,
            checkpoint_key=f"{name}{SUFFIX}",
        )
    graph = object_graph.parse(message.SerializeToString(), "c")
    return functools.partial(object_graph.saved_nodes, graph)


def meaning(*more, names_by=NamesBy.FULL_NAME, **variables):
    keys = [f"{name}{SUFFIX}" for name in variables]
    given = [GRAPH_KEY, *keys, *more]
    return contents.of_objects(given, saved_nodes(**variables), names_by=names_by)


def test_without_a_graph_each_key_is_a_name():
    found = contents.of_names(["w", "global_step"])
    assert found.format is formats.TF1
    assert found.keys == {"w": "w", "global_step": "global_step"}
    assert found.global_step == "global_step"
    assert contents.of_names(["w"]).global_step is None


def test_objects_are_called_by_full_names_or_by_paths():
    found = meaning(a="dense/kernel")
    assert found.keys == {"dense/kernel": f"a{SUFFIX}"}
    assert found.format is formats.TF2
    assert found.state == {GRAPH_KEY}
    by_path = meaning(a="dense/kernel", names_by=NamesBy.PATH)
    assert by_path.keys == {"a": f"a{SUFFIX}"}


def test_the_step_and_the_save_counter_are_told_by_their_places():
    found = meaning(step="x", save_counter="save_counter", w="w")
    assert found.global_step == "x"
    assert f"save_counter{SUFFIX}" in found.state
    assert set(found.keys) == {"x", "w"}


def test_a_dual_checkpoint_has_each_name_beside_its_object_key():
    found = meaning("w", "v", a="w", b="v")
    assert found.format is formats.DUAL
    assert found.aliases == {"w": "w", "v": "v"}
    assert found.keys == {"w": f"a{SUFFIX}", "v": f"b{SUFFIX}"}
    partly = meaning("w", a="w", b="v")
    assert partly.format is formats.TF2
    assert partly.aliases == {"w": "w"}


def test_a_name_that_two_claim_is_of_neither():
    found = meaning(a="w", b="w", c="v")
    assert set(found.keys) == {"v"}
    assert found.ambiguous == {"w": (f"a{SUFFIX}", f"b{SUFFIX}")}
    with pytest.raises(AmbiguousNameError, match=r"^c: .*'w': .*names='path'"):
        found.require_unique("c")
    meaning(a="w").require_unique("c")


def test_what_nobody_named_is_called_by_its_path():
    found = meaning(a="", b="Variable")
    assert set(found.keys) == {"a", "b"}
    assert not found.is_by_names
    assert found.unnamed == {"a", "b"}


def test_object_keys_that_the_graph_does_not_know_are_state():
    found = meaning(f"x{SUFFIX}", "plain", a="w")
    assert f"x{SUFFIX}" in found.state
    assert found.keys["plain"] == "plain"
