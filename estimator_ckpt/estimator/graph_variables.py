"""The variables of a graph as a checkpoint sees them: by name, parts put together.

A partitioned variable is one variable with several parts; a mirrored one is one
variable with several replicas. What each is for (a trainable weight, other state of
the model, optimizer state, the global step) decides what a warm start carries.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint import roles
from estimator_ckpt.tf_private import graph_api


@dataclasses.dataclass(frozen=True)
class GraphVariable:
    """A variable of the graph, as one name in a checkpoint.

    Attributes:
      name: its name in a name-based checkpoint.
      parts: the variables that hold it; more than one if it is partitioned.
      shape: the whole variable's shape, or None where it is not static.
      dtype: its dtype.
      role: what it is for, one of those in `checkpoint.roles`.
    """

    name: str
    parts: tuple[Any, ...]
    shape: Optional[tuple[int, ...]]
    dtype: tf.DType
    role: str

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
    whole = graph_api.whole_of(variable)
    if whole:
        return whole[1]
    shape = variable.shape
    return tuple(shape.as_list()) if shape.is_fully_defined() else None


def of_graph() -> dict[str, GraphVariable]:
    """The default graph's GLOBAL_VARIABLES by name, in the order they were made."""
    parts: dict[str, list[Any]] = {}
    for variable in tf1.global_variables():
        parts.setdefault(name_of(variable), []).append(variable)
    trainable = {name_of(variable) for variable in tf1.trainable_variables()}
    step = tf1.train.get_global_step()
    step_name = None if step is None else name_of(step)
    return {
        name: GraphVariable(
            name=name,
            parts=tuple(found),
            shape=shape_of(found[0]),
            dtype=found[0].dtype.base_dtype,
            role=_role(name, trainable, parts, step_name),
        )
        for name, found in parts.items()
    }


def _role(
    name: str, trainable: set[str], all_names: Collection[str], step: Optional[str]
) -> str:
    if name == step:
        return roles.GLOBAL_STEP
    if name in trainable:
        return roles.TRAINABLE
    return roles.OPTIMIZER if roles.is_optimizer_state(name, all_names) else roles.MODEL
