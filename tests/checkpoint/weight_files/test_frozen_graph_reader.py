"""A frozen graph is a source: its weights by name, its shapes and axes not."""

import os
import random
import time
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.bundle.errors import (
    CheckpointError,
    CorruptDataError,
    CorruptIndexError,
    SourceChangedError,
    UnsupportedCheckpointError,
)
from estimator_ckpt.checkpoint.weight_files.frozen_graph_reader import FrozenGraphReader


@pytest.fixture(params=[False, True], ids=["reference", "resource"])
def frozen(request, tmp_path):
    """A frozen graph, and what the session saw in its variables."""
    with tf1.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 4], "x")
        with tf1.variable_scope("net", use_resource=request.param):
            kernel = tf1.get_variable("dense/kernel", [4, 3])
            bias = tf1.get_variable(
                "dense/bias", [3], initializer=tf1.zeros_initializer()
            )
            table = tf1.get_variable("table", [3, 2, 2], tf.float16)
        y = tf1.nn.relu(tf.matmul(x, kernel) + bias)
        y = tf.reshape(y, [-1, 3, 1]) * tf.constant([2.5, 3.5], name="net/factors")
        tf.add(tf.reduce_sum(y), tf.cast(tf.reduce_sum(table), tf.float32), name="out")
        session.run(tf1.global_variables_initializer())
        values = {v.op.name: session.run(v) for v in tf1.global_variables()}
        graph = tf1.graph_util.convert_variables_to_constants(
            session, session.graph_def, ["out"]
        )
    path = tmp_path / "frozen.pb"
    path.write_bytes(graph.SerializeToString())
    return path, values, graph


def test_weights_are_read_by_their_names_and_nothing_else_is(frozen):
    path, values, _ = frozen
    with ec.open_checkpoint(path) as checkpoint:
        assert set(checkpoint) == set(values)
        for name, value in values.items():
            found = checkpoint.read(name)
            assert (found.dtype, found.shape) == (value.dtype, value.shape)
            assert found.tobytes() == value.tobytes()


def test_it_is_converted(tmp_path, frozen):
    path, _, _ = frozen
    new = ec.convert(path, tmp_path / "new" / "model.ckpt", to="tf2")
    assert ec.verify(new).ok
    assert not ec.diff(path, new)
    with pytest.raises(UnsupportedCheckpointError, match="has no checksums"):
        ec.verify(path)


def test_a_table_that_was_gathered_from_a_resource_is_a_weight(tmp_path, frozen):
    _, values, graph = frozen
    nodes = [
        tf1.NodeDef(name="axis", op="Const", attr=graph.node[0].attr),
        tf1.NodeDef(name="rows", op="GatherV2", input=["net/factors", "x", "axis"]),
    ]
    whole = tf1.GraphDef(node=[*graph.node, *nodes])
    (tmp_path / "gathers.pb").write_bytes(whole.SerializeToString())
    with ec.open_checkpoint(tmp_path / "gathers.pb") as checkpoint:
        assert set(checkpoint) == {*values, "net/factors"}


def test_without_identities_floating_point_counts(tmp_path, frozen):
    _, values, graph = frozen
    kept = [node for node in graph.node if node.op == "Const"]
    (tmp_path / "optimized.pb").write_bytes(tf1.GraphDef(node=kept).SerializeToString())
    with ec.open_checkpoint(tmp_path / "optimized.pb") as checkpoint:
        assert set(checkpoint) == {*values, "net/factors"}


VALUES = [
    np.array([[1.5, -2.0], [3.0, 4.0]], np.float32),
    np.full((2, 3), 7.0, np.float32),
    np.zeros((2, 3), np.float64),
    np.array([1, 2, 3, 3, 3], np.int64),
    np.array([-1, -2], np.int32),
    np.array([True, False, False]),
    np.array([1.5, 2.5], np.float16),
    np.array([255, 1], np.uint8),
    np.array([2**32 - 1], np.uint32),
    np.array([2**64 - 1], np.uint64),
    np.array([-5, 5], np.int8),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: str(v.dtype))
@pytest.mark.parametrize("as_content", [True, False])
def test_every_encoding_is_read_as_tensorflow_reads_it(tmp_path, value, as_content):
    tensor = tf.make_tensor_proto(value)
    if not as_content:
        fields = {"float32": "float_val", "float64": "double_val", "int64": "int64_val"}
        fields |= {"bool": "bool_val", "float16": "half_val"}
        fields |= {"uint32": "uint32_val", "uint64": "uint64_val"}
        field = fields.get(value.dtype.name, "int_val")
        flat = value.view(np.uint16) if field == "half_val" else value
        while (
            len(flat.reshape(-1)) > 1 and flat.reshape(-1)[-1] == flat.reshape(-1)[-2]
        ):
            flat = flat.reshape(-1)[:-1]
        tensor.ClearField("tensor_content")
        tensor.ClearField(field)
        getattr(tensor, field).extend(flat.reshape(-1).tolist())
    assert tf.make_ndarray(tensor).tolist() == value.tolist()
    graph = tf1.GraphDef()
    node = graph.node.add(name="v", op="Const")
    node.attr["value"].tensor.CopyFrom(tensor)
    graph.node.add(name="v/read", op="Identity", input=["v"])
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    with FrozenGraphReader(str(tmp_path / "g.pb")) as reader:
        found = reader.read("v")
        assert found.dtype == value.dtype
        assert found.tobytes() == value.tobytes()


def test_what_is_no_frozen_graph_is_named(tmp_path, frozen):
    _, _, graph = frozen
    (tmp_path / "a.pb").write_bytes(b"\x08\x01\x12\x00")
    with pytest.raises(UnsupportedCheckpointError, match="of a SavedModel; give"):
        ec.open_checkpoint(tmp_path / "a.pb")
    (tmp_path / "text.pb").write_text(str(graph))
    with pytest.raises(CorruptIndexError, match="no binary GraphDef"):
        ec.open_checkpoint(tmp_path / "text.pb")


def test_a_few_bytes_cannot_stand_for_all_of_the_memory(tmp_path):
    graph = tf1.GraphDef()
    tensor = graph.node.add(name="v", op="Const").attr["value"].tensor
    tensor.dtype = 1
    tensor.tensor_shape.dim.add(size=2**40)
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(CorruptIndexError, match="stand for 4398046511104 bytes"):
        ec.open_checkpoint(tmp_path / "g.pb")
    tensor.tensor_shape.dim[0].size = 3
    tensor.tensor_content = bytes(8)
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(CorruptDataError, match="8 bytes for 3 elements"):
        ec.open_checkpoint(tmp_path / "g.pb").read("v")


def test_damaged_graphs_are_values_or_checkpoint_errors(tmp_path, frozen):
    path, _, _ = frozen
    whole, chance = path.read_bytes(), random.Random(3)
    tracemalloc.start()
    start = time.perf_counter()
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.choice((1, 2, 8))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        path.write_bytes(
            data[: chance.choice((len(data), chance.randrange(len(data))))]
        )
        try:
            with FrozenGraphReader(str(path)) as reader:
                for name in reader.index:
                    reader.read(name)
        except CheckpointError:
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.perf_counter() - start < 60
    assert peak < 600 << 20


@pytest.mark.parametrize("size", [0, 100, 5000])
def test_a_graph_that_is_cut_off_while_it_is_read_is_an_error(tmp_path, size):
    """Mapped, it would end the process with SIGBUS."""
    graph = tf1.GraphDef()
    node = graph.node.add(name="v", op="Const")
    node.attr["value"].tensor.CopyFrom(
        tf.make_tensor_proto(np.arange(1 << 20, dtype=np.float32))
    )
    graph.node.add(name="v/read", op="Identity", input=["v"])
    path = tmp_path / "g.pb"
    path.write_bytes(graph.SerializeToString())
    with FrozenGraphReader(str(path)) as reader:
        os.truncate(path, size)
        with pytest.raises(SourceChangedError, match="it was cut off while"):
            reader.read("v")


def test_a_large_graph_takes_little_memory(tmp_path):
    graph = tf1.GraphDef()
    node = graph.node.add(name="v", op="Const")
    values = np.ones(16 << 20, np.float32)
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(values))
    graph.node.add(name="v/read", op="Identity", input=["v"])
    (tmp_path / "g.pb").write_bytes(graph.SerializeToString())
    del graph, node
    tracemalloc.start()
    with FrozenGraphReader(str(tmp_path / "g.pb")) as reader:
        assert sum(float(piece.sum()) for piece in reader.iter_arrays("v")) == 16 << 20
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 << 20
