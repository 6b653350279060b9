"""The object graph that a conversion writes, byte for byte as protobuf writes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimator_ckpt.checkpoint import object_keys
from estimator_ckpt.conversion import dictionary_graph
from tests.bundle import protobufs


def expected(variables, root, step):
    """The same graph, put together from messages."""
    graph = protobufs.TrackableObjectGraph()
    top, dictionary = graph.nodes.add(), graph.nodes.add()
    top.children.add(node_id=1, local_name=root)

    def add(parent, local_name, full_name, key):
        parent.children.add(node_id=len(graph.nodes), local_name=local_name)
        graph.nodes.add().attributes.add(
            name="VARIABLE_VALUE", full_name=full_name, checkpoint_key=key
        )

    if step is not None:
        add(top, "step", step, object_keys.STEP_KEY)
    add(top, "save_counter", "save_counter", object_keys.SAVE_COUNTER_KEY)
    for name in variables:
        add(dictionary, name, name, object_keys.variable_key(name, root))
    return graph.SerializeToString()


@given(
    st.lists(st.text(st.characters(codec="utf-8")), max_size=200),
    st.sampled_from(["var_list", "vars", "r"]),
    st.sampled_from([None, "global_step"]),
)
def test_it_is_what_protobuf_writes(variables, root, step):
    written = dictionary_graph.build(variables, root=root, step=step)
    assert written == expected(variables, root, step)
    theirs = protobufs.TrackableObjectGraph.FromString(written)
    assert theirs.SerializeToString(deterministic=True) == written


@pytest.mark.parametrize("count", [0, 1, 20_000])
def test_of_any_size(count):
    variables = [f"layer_{i}/kernel" for i in range(count)]
    written = dictionary_graph.build(variables, step="global_step")
    assert written == expected(variables, "var_list", "global_step")
