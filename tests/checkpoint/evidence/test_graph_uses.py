"""What a graph does with its variables, from its nodes and from its files."""

import shutil

import numpy as np
import pytest

import estimator_ckpt as ec
from estimator_ckpt.bundle.writer import write_bundle
from estimator_ckpt.checkpoint.evidence import graph_uses
from estimator_ckpt.checkpoint.evidence.graph_uses import GraphUse
from estimator_ckpt.checkpoint.weight_files.graph_file import GraphNode
from tests.testdata_paths import TESTDATA


def node(name, op, *inputs, flags=()):
    return GraphNode(name, op, inputs, frozenset(flags), None)


def clip(name):
    return node(f"{name}/Minimum", "Minimum", "x", "x")


def uses_of(*nodes):
    found = graph_uses.of_nodes([node("v", "VariableV2"), node("x", "Const"), *nodes])
    return set(found.get("v", ()))


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([node("m", "MatMul", "x", "v")], {GraphUse.MULTIPLIED}),
        (
            [node("r", "Identity", "v"), node("m", "MatMul", "x", "r")],
            {GraphUse.MULTIPLIED},
        ),
        (
            [node("m", "MatMul", "x", "v", flags=["transpose_b"])],
            {GraphUse.TRANSPOSED},
        ),
        ([node("m", "MatMul", "v", "x")], set()),  # from the left
        ([node("g", "GatherV2", "v", "x")], {GraphUse.LOOKED_UP}),
        ([node("g", "ResourceGather", "v", "x")], {GraphUse.LOOKED_UP}),
        (
            [node("e", "ExpandDims", "v"), node("c", "Conv2D", "x", "e")],
            {GraphUse.CONVOLVED},
        ),
        ([node("c", "Conv2DBackpropInput", "x", "v", "x")], {GraphUse.DECONVOLVED}),
        ([node("c", "DepthwiseConv2dNative", "x", "v")], {GraphUse.DEPTHWISE}),
        ([node("while/e", "Enter", "v")], {GraphUse.LOOPED}),
        ([node("l", "BlockLSTM", "x", "x", "x", "x", "v")], {GraphUse.LOOPED}),
        ([node("l", "LSTMBlockCell", "x", "x", "x", "v")], {GraphUse.LOOPED}),
        (
            [node("a/while/e", "Enter", "v"), clip("a/while/clip_by_value")],
            {GraphUse.LOOPED, GraphUse.CLIPPED},
        ),
        # Another loop clips, or what stands in none.
        (
            [node("a/while/e", "Enter", "v"), clip("a/while_1/clip_by_value")],
            {GraphUse.LOOPED},
        ),
        ([node("e", "Enter", "v"), clip("clip_by_value")], {GraphUse.LOOPED}),
        # What gradients do with weights is the other way round.
        ([node("gradients/m", "MatMul", "x", "v", flags=["transpose_b"])], set()),
        ([node("a/gradients_1/c", "Conv2DBackpropInput", "x", "v")], set()),
        (
            [
                node("d/Tensordot/Reshape", "Reshape", "v", "x"),
                node("d/Tensordot/MatMul", "MatMul", "x", "d/Tensordot/Reshape"),
            ],
            {GraphUse.MULTIPLIED},
        ),
        (
            [node("Reshape", "Reshape", "v", "x"), node("m", "MatMul", "x", "Reshape")],
            set(),
        ),
        ([node("a", "Identity", "b"), node("b", "Identity", "a")], set()),
    ],
)
def test_what_nodes_say(nodes, expected):
    assert uses_of(*nodes) == expected


def test_parts_of_a_variable_are_it():
    found = graph_uses.of_nodes(
        [
            node("table/part_0", "VariableV2"),
            node("table/part_1", "VariableV2"),
            node("g", "Gather", "table/part_1"),
        ]
    )
    assert found == {"table": {GraphUse.LOOKED_UP}}


def test_the_meta_beside_a_checkpoint_says_it():
    with ec.open_checkpoint(TESTDATA / "digits") as checkpoint:
        found = graph_uses.of_checkpoint(checkpoint)
        kernels = [n for n in checkpoint if n.endswith("/kernel")]
        for name in kernels:
            axes = len(checkpoint[name].shape)
            expected = {2: GraphUse.MULTIPLIED, 4: GraphUse.CONVOLVED}[axes]
            assert found[name] == {expected}, name
    assert kernels


def test_a_graph_that_cannot_be_read_is_no_evidence(tmp_path, caplog):
    write_bundle(tmp_path / "m", {"v": np.ones(2)})
    with ec.open_checkpoint(tmp_path / "m") as checkpoint:
        assert graph_uses.of_checkpoint(checkpoint) == {}
        assert not caplog.text
        (tmp_path / "m.meta").write_bytes(b"\xff\xff\xff")
        assert graph_uses.of_checkpoint(checkpoint) == {}
    assert "no graph to be read" in caplog.text


def test_a_damaged_meta_is_no_evidence(tmp_path):
    for path in (TESTDATA / "digits").glob("model.ckpt-300*"):
        shutil.copy(path, tmp_path)
    meta = tmp_path / "model.ckpt-300.meta"
    meta.write_bytes(meta.read_bytes()[:5000])
    with ec.open_checkpoint(tmp_path / "model.ckpt-300") as checkpoint:
        assert graph_uses.of_checkpoint(checkpoint) == {}
