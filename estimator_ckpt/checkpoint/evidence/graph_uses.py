"""How a graph uses its variables: what they are multiplied with, or looked up in.

The graph is that of the `.meta` beside a checkpoint, of a SavedModel, or a frozen graph
itself. A variable is followed through what hands it on as it is; gradients, which use
weights the other way round, do not count.
"""

from __future__ import annotations

import collections
import contextlib
import enum
import os
import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from estimator_ckpt.bundle import logs
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint.weight_files import graph_file
from estimator_ckpt.checkpoint.weight_files.graph_file import GraphNode

if TYPE_CHECKING:
    from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint


class GraphUse(str, enum.Enum):
    """What a graph does with a variable."""

    #: Multiplied from the right: `x @ v`.
    MULTIPLIED = "multiplied"
    #: The same with its transpose.
    TRANSPOSED = "multiplied by its transpose"
    LOOKED_UP = "looked up in"
    CONVOLVED = "convolved with"
    #: By a transposed convolution.
    DECONVOLVED = "convolved with, transposed"
    DEPTHWISE = "convolved with, by channel"
    #: Handed into a loop, as a recurrent cell's weights are, or to such a cell.
    LOOPED = "used in a loop"
    #: By a loop that clips what it computes, as `hard_sigmoid` does.
    CLIPPED = "used in a loop that clips"


Uses = Mapping[str, frozenset[GraphUse]]

_VARIABLES = frozenset({"VariableV2", "Variable", "VarHandleOp", "AutoReloadVariable"})
_ON = frozenset({"Identity", "ReadVariableOp", "Cast", "ExpandDims", "StopGradient"})
_LOOKUPS = frozenset({"Gather", "GatherV2", "ResourceGather", "ResourceGatherNd"})
_CONVOLUTIONS = {
    "Conv2D": GraphUse.CONVOLVED,
    "Conv3D": GraphUse.CONVOLVED,
    "Conv2DBackpropInput": GraphUse.DECONVOLVED,
    "Conv3DBackpropInputV2": GraphUse.DECONVOLVED,
    "DepthwiseConv2dNative": GraphUse.DEPTHWISE,
}
_PRODUCTS = {"MatMul": "transpose_b", "BatchMatMul": "adj_y", "BatchMatMulV2": "adj_y"}
#: Operations that are a recurrent cell, and their input with the kernel.
_CELLS = {"BlockLSTM": 4, "BlockLSTMV2": 4, "LSTMBlockCell": 3}
#: What the nodes of a loop's body begin with.
_IN_LOOP = re.compile(r"(?:.*/)?while(?:_\d+)?/")
_GRADIENTS = re.compile(r"(^|/)(gradients(_\d+)?|gradient_tape)/")
_PART = re.compile(r"/part_\d+$")


def of_checkpoint(checkpoint: Checkpoint) -> Uses:
    """How the graph beside a checkpoint uses its variables; empty if there is none.

    A graph that cannot be read is no evidence, and logged.
    """
    path, read = checkpoint.prefix, graph_file.nodes
    if not path.endswith(".pb"):
        path, read = f"{checkpoint.prefix}.meta", graph_file.nodes_of_meta
    if not checkpoint.store.exists(path):
        directory, name = os.path.split(checkpoint.prefix)
        path = os.path.join(os.path.dirname(directory), "saved_model.pb")
        if name != "variables" or not checkpoint.store.exists(path):
            return {}
        read = graph_file.nodes_of_saved_model
    try:
        with contextlib.closing(checkpoint.store.open_file(path)) as file:
            return of_nodes(list(read(file)))
    except (CheckpointError, ValueError) as error:
        logs.logger().warning("%s: no graph to be read: %s", path, error)
        return {}


#: Who takes what a node gives, and as its input of which place.
Takers = Mapping[str, Sequence[tuple[GraphNode, int]]]


def of_nodes(nodes: Iterable[GraphNode]) -> Uses:
    """How nodes use the variables, or the constants, among them, by name."""
    takers: dict[str, list[tuple[GraphNode, int]]] = collections.defaultdict(list)
    variables = []
    clipping = set()
    for node in nodes:
        if node.op == "Minimum" and "clip_by_value" in node.name:
            clipping.add(_loop_of(node.name))
        if node.op in _VARIABLES or node.constant is not None:
            variables.append(node.name)
        if not _GRADIENTS.search(node.name):
            for place, name in enumerate(node.inputs):
                takers[name].append((node, place))
    found: dict[str, set[GraphUse]] = collections.defaultdict(set)
    for name in variables:
        found[_PART.sub("", name)].update(_uses_of(name, takers, clipping))
    return {name: frozenset(uses) for name, uses in found.items() if uses}


def _uses_of(
    variable: str, takers: Takers, clipping: Container[str]
) -> Iterator[GraphUse]:
    """What becomes of a variable, through all that hands it on as it is."""
    waiting, seen = [variable], {variable}
    while waiting:
        for node, place in takers.get(waiting.pop(), ()):
            if not _hands_on(node, place):
                yield from _uses(node, place)
                loop = _loop_of(node.name) if node.op == "Enter" else ""
                if loop and loop in clipping:
                    yield GraphUse.CLIPPED
            elif node.name not in seen:
                seen.add(node.name)
                waiting.append(node.name)


def _loop_of(name: str) -> str:
    """The loop that a node stands in; empty: in none."""
    found = _IN_LOOP.match(name)
    return found.group() if found else ""


def _hands_on(node: GraphNode, place: int) -> bool:
    """Whether a node gives on what it takes, its axes in their order."""
    if node.op == "Reshape":  # of Dense on more than two axes
        return place == 0 and "Tensordot" in node.name
    return place == 0 and node.op in _ON


def _uses(node: GraphNode, place: int) -> Iterator[GraphUse]:
    if node.op == "Enter" or _CELLS.get(node.op) == place:
        yield GraphUse.LOOPED
    elif node.op in _LOOKUPS and place == 0:
        yield GraphUse.LOOKED_UP
    elif node.op in _CONVOLUTIONS and place == 1:
        yield _CONVOLUTIONS[node.op]
    elif node.op in _PRODUCTS and place == 1:
        is_transposed = _PRODUCTS[node.op] in node.flags
        yield GraphUse.TRANSPOSED if is_transposed else GraphUse.MULTIPLIED
