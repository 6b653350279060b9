"""The variables of a graph as a checkpoint sees them: by name, parts put together.

A partitioned variable is one variable with several parts; a mirrored one is one
variable with several replicas. What each is for (a trainable weight, other state of
the model, optimizer state, the global step) decides what a warm start carries.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint import role_evidence
from estimator_ckpt.checkpoint.name_sorting import Fact
from estimator_ckpt.checkpoint.roles import AS_FOUND, Overruling, Role
from estimator_ckpt.tf_private import graph_api


@dataclasses.dataclass(frozen=True)
class GraphVariable:
    """A variable of the graph, as one name in a checkpoint.

    Attributes:
      name: its name in a name-based checkpoint.
      parts: the variables that hold it; more than one if it is partitioned.
      shape: the whole variable's shape, or None where it is not static.
      dtype: its dtype.
      role: what it is for.
      owner: the variable that a slot or an average belongs to; None if unknown.
      optimizer: what to call the optimizer that it belongs to, if known.
    """

    name: str
    parts: tuple[Any, ...]
    shape: Optional[tuple[int, ...]]
    dtype: tf.DType
    role: Role
    owner: Optional[str] = None
    optimizer: Optional[str] = None

    @property
    def saveable(self) -> Any:
        """What a Saver's var_list takes for it."""
        if len(self.parts) == 1 and graph_api.whole_of(self.parts[0]) is None:
            return self.parts[0]
        return list(self.parts)


def name_of(variable: Any) -> str:
    """A variable's name in a name-based checkpoint; of parts, that of the whole."""
    if isinstance(variable, (list, tuple)):
        variable = variable[0]
    whole = graph_api.whole_of(variable)
    return whole[0] if whole else str(variable.name).rsplit(":", 1)[0]


def shape_of(variable: Any) -> Optional[tuple[int, ...]]:
    """The whole variable's shape, or None where it is not static."""
    whole: Optional[tuple[str, tuple[int, ...]]] = graph_api.whole_of(variable)
    if whole:
        return whole[1]
    shape = variable.shape
    return tuple(shape.as_list()) if shape.is_fully_defined() else None


def of_graph(overruling: Overruling = AS_FOUND) -> dict[str, GraphVariable]:
    """The default graph's GLOBAL_VARIABLES by name, in the order they were made.

    Args:
      overruling: what a user says of their roles.
    """
    parts: dict[str, list[Any]] = {}
    for variable in tf1.global_variables():
        parts.setdefault(name_of(variable), []).append(variable)
    trained = {name_of(variable) for variable in tf1.trainable_variables()}
    step = tf1.train.get_global_step()
    shapes = {name: shape_of(found[0]) for name, found in parts.items()}
    roles = role_evidence.decide(
        {
            name: Fact(found[0].dtype.base_dtype.name, shapes[name])
            for name, found in parts.items()
        },
        global_step=None if step is None else name_of(step),
        trainable={name: name in trained for name in parts} if trained else None,
        collection="the graph's collection",
        overruling=overruling,
    )
    return {
        name: GraphVariable(
            name=name,
            parts=tuple(found),
            shape=shapes[name],
            dtype=found[0].dtype.base_dtype,
            role=roles[name].role,
            owner=roles[name].owner,
            optimizer=roles[name].optimizer,
        )
        for name, found in parts.items()
    }
