"""How a graph uses its variables, told from its nodes."""

import pytest

from estimator_ckpt.checkpoint.evidence import graph_uses
from estimator_ckpt.checkpoint.evidence.graph_uses import GraphUse
from estimator_ckpt.checkpoint.weight_files.graph_file import GraphNode


def node(name, op, *inputs, flags=()):
    return GraphNode(name, op, tuple(inputs), frozenset(flags), None)


V = node("v", "VarHandleOp")
READ = node("v/Read", "ReadVariableOp", "v")


@pytest.mark.parametrize(
    ("nodes", "use"),
    [
        ([node("y", "MatMul", "x", "v/Read")], GraphUse.MULTIPLIED),
        (
            [node("y", "MatMul", "x", "v/Read", flags=["transpose_b"])],
            GraphUse.TRANSPOSED,
        ),
        (
            [node("y", "BatchMatMulV2", "x", "v/Read", flags=["adj_y"])],
            GraphUse.TRANSPOSED,
        ),
        ([node("y", "ResourceGather", "v", "ids")], GraphUse.LOOKED_UP),
        ([node("y", "Conv2D", "x", "v/Read")], GraphUse.CONVOLVED),
        ([node("y", "Conv2DBackpropInput", "s", "v/Read", "x")], GraphUse.DECONVOLVED),
        ([node("y", "DepthwiseConv2dNative", "x", "v/Read")], GraphUse.DEPTHWISE),
        ([node("y", "Enter", "v/Read")], GraphUse.LOOPED),
        (
            [node("c", "Cast", "v/Read"), node("y", "MatMul", "x", "c")],
            GraphUse.MULTIPLIED,
        ),
    ],
)
def test_what_a_graph_does_with_a_variable(nodes, use):
    assert graph_uses.of_nodes([V, READ, *nodes]) == {"v": {use}}


@pytest.mark.parametrize(
    "use",
    [
        node("gradients/y", "MatMul", "x", "v/Read"),  # the other way round
        node("y", "MatMul", "v/Read", "x"),  # from the left
        node("y", "Add", "v/Read", "x"),
        node("y", "Gather", "ids", "v/Read"),
    ],
)
def test_what_says_nothing_of_a_variable(use):
    assert graph_uses.of_nodes([V, READ, use]) == {}


def test_the_parts_of_a_variable_are_used_as_one():
    parts = [node(f"w/part_{i}", "VariableV2") for i in range(2)]
    uses = [node(f"y{i}", "MatMul", "x", f"w/part_{i}") for i in range(2)]
    assert graph_uses.of_nodes([*parts, *uses]) == {"w": {GraphUse.MULTIPLIED}}


def test_nodes_in_a_circle_come_to_an_end():
    circle = [node("a", "Identity", "v"), node("v", "Identity", "a")]
    assert graph_uses.of_nodes([V, *circle]) == {}
