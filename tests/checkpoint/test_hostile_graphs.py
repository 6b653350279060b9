"""Object graphs made to hang or to fill the memory: in bounds, or refused."""

import time
import tracemalloc

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle import coding
from estimator_ckpt.bundle.errors import CorruptIndexError
from estimator_ckpt.bundle.header import Header
from estimator_ckpt.bundle.index import serialize_index, shard_path
from estimator_ckpt.bundle.protobuf import wire
from estimator_ckpt.bundle.protobuf.schema import (
    ObjectReference,
    SerializedTensor,
    SlotVariableReference,
    TrackableObject,
    TrackableObjectGraph,
)
from estimator_ckpt.bundle.writer import ShardWriter
from estimator_ckpt.checkpoint import object_graph, object_keys
from estimator_ckpt.checkpoint.contents import AmbiguousNameError

MANY = 1500


def key(number):
    return object_keys.object_key("v", f"x{number}")


def variable(name, number):
    value = SerializedTensor("VARIABLE_VALUE", name, key(number))
    return TrackableObject(attributes=(value,))


def node(*children, slots=()):
    return TrackableObject(tuple(ObjectReference(*c) for c in children), (), slots)


def repeated_children():
    variables = [variable(f"n{i}", i) for i in range(MANY)]
    top = node(*[(1, "var_list")] * MANY)
    return top, node(*[(2 + i, f"n{i}") for i in range(MANY)]), *variables


def doubled_paths():
    return *[node((i + 1, "a"), (i + 1, "b")) for i in range(100)], variable("w", 0)


def cycles():
    return (
        node((0, "a"), (1, "b")),
        node((0, "c"), (1, "d"), (2, "w")),
        variable("w", 0),
    )


def tables():
    return node(*[(1 + i, f"t{i}") for i in range(MANY)]), *[
        TrackableObject(attributes=(SerializedTensor("table", f"t{i}", f"t{i}/.A"),))
        for i in range(MANY)
    ]


def one_slot_of_many_optimizers():
    slot = (SlotVariableReference(1, "m", 2),)
    optimizers = [node((1, "x"), (2, "y"), slots=slot) for _ in range(MANY)]
    top = node((1, "w"), *[(3 + i, f"o{i}") for i in range(MANY)])
    return top, variable("w", 0), variable("w/m", 1), *optimizers


def one_full_name():
    return node(*[(1 + i, f"x{i}") for i in range(MANY)]), *[
        variable("w", i) for i in range(MANY)
    ]


def everything_below_everything():
    children = [(j, f"c{j}") for j in range(200)]
    return tuple(node(*children) for _ in range(200))


GRAPHS = [
    repeated_children,
    doubled_paths,
    cycles,
    tables,
    one_slot_of_many_optimizers,
    one_full_name,
    everything_below_everything,
]


def write(prefix, graph, keys):
    with ShardWriter(shard_path(prefix, 0, 1)) as shard:
        one = shard.add(np.float32(1.0)).serialize()
        items = {coding.name_to_key(k): one for k in keys}
        graph_key = coding.name_to_key(object_keys.OBJECT_GRAPH_KEY)
        items[graph_key] = shard.add_string(graph).serialize()
    index = serialize_index(Header(), items.items())
    prefix.with_name(f"{prefix.name}.index").write_bytes(index)


@pytest.mark.parametrize("make", GRAPHS)
def test_a_graph_of_many_references_costs_what_it_is(tmp_path, make):
    graph = wire.encode(TrackableObjectGraph(tuple(make())))
    keys = [key(i) for i in range(MANY)]
    if make is tables:
        keys = [f"t{i}/.A-{what}" for i in range(MANY) for what in ("keys", "values")]
    write(tmp_path / "c", graph, keys)
    start = time.perf_counter()
    tracemalloc.start()
    with ec.open_checkpoint(tmp_path / "c") as checkpoint:
        # Variables that share a full name have roles, too, by their paths.
        assert set(checkpoint) <= set(checkpoint.roles)
    assert not ec.diff(tmp_path / "c", tmp_path / "c")
    if make is one_full_name:
        with pytest.raises(AmbiguousNameError, match=f"and {MANY - 6} more"):
            ec.convert(tmp_path / "c", tmp_path / "d", to="tf1")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60 << 20
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (b"\x0a\x00" * 100_000, "100000 nodes, but only 0 references"),
        (
            wire.encode(
                TrackableObjectGraph(
                    tuple(node((i + 1, "a")) for i in range(20_000)) + (node(),)
                )
            ),
            "the paths to its nodes have 400",
        ),
        (
            wire.encode(
                TrackableObjectGraph(
                    (
                        node((1, "x" * 100_000)),
                        node(*[(2 + i, f"{i}") for i in range(2500)]),
                        *[node()] * 2500,
                    )
                )
            ),
            "the paths to its nodes have 250",
        ),
    ],
    ids=["empty nodes", "a chain", "below a long name"],
)
def test_what_cannot_be_meant_is_refused(graph, reason):
    tracemalloc.start()
    with pytest.raises(CorruptIndexError, match=reason):
        object_graph.parse(graph, "here")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60 * len(graph) + (1 << 20)


def test_a_name_of_nothing_but_scopes_has_few_endings():
    assert list(object_keys.endings("a/b/c")) == ["a/b/c", "b/c", "c"]
    assert list(object_keys.endings("c")) == ["c"]
    assert list(object_keys.endings("a//")) == ["a//", "/", ""]
    assert len(list(object_keys.endings("a/" * 100_000))) == 101
