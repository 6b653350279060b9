"""The variables of a graph as a checkpoint sees them: by name, parts put together.

A partitioned variable is one variable with several parts; a mirrored one is one
variable with several replicas. What each is for decides what a warm start carries.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint.roles import AS_FOUND, Overruling, Role
from estimator_ckpt.tf_private import graph_api, savers_api


@dataclasses.dataclass(frozen=True)
class GraphVariable:
    """A variable of the graph, as one name in a checkpoint.

    Attributes:
      name: its name in a name-based checkpoint.
      parts: the variables that hold it; more than one if it is partitioned.
      shape: the whole variable's shape, or None where it is not static.
      dtype: its dtype.
      role: what it is for; of what a saver was given, nobody has asked.
      owner: the variable that a slot or an average belongs to; None if unknown.
      optimizer: what to call the optimizer that it belongs to, if known.
      is_undecided: whether it could be an optimizer's, which nothing decides.
    """

    name: str
    parts: tuple[Any, ...]
    shape: Optional[tuple[int, ...]]
    dtype: tf.DType
    role: Role = Role.MODEL
    owner: Optional[str] = None
    optimizer: Optional[str] = None
    is_undecided: bool = False

    @property
    def saveable(self) -> Any:
        """What a Saver's var_list takes for it."""
        if len(self.parts) == 1 and graph_api.whole_of(self.parts[0]) is None:
            return self.parts[0]
        return list(self.parts)

    @property
    def initializers(self) -> Optional[list[tf.Operation]]:
        """The ops that give it its initial value; None if they are not known."""
        found = [getattr(part, "initializer", None) for part in self.parts]
        return None if None in found else found


def name_of(variable: Any) -> str:
    """A variable's name in a name-based checkpoint; of parts, that of the whole."""
    if isinstance(variable, (list, tuple)):
        variable = variable[0]
    whole = graph_api.whole_of(variable)
    return whole[0] if whole else str(variable.name).rsplit(":", 1)[0]


def shape_of(variable: Any) -> Optional[tuple[int, ...]]:
    """The whole variable's shape, or None where it is not static."""
    whole = graph_api.whole_of(variable)
    return tuple(whole[1]) if whole else _static(variable.shape)


def of_graph(overruling: Overruling = AS_FOUND) -> dict[str, GraphVariable]:
    """The default graph's GLOBAL_VARIABLES by name, in the order they were made.

    Args:
      overruling: what a user says of their roles.
    """
    from estimator_ckpt.checkpoint.evidence import role_evidence  # of whole graphs
    from estimator_ckpt.checkpoint.evidence.name_sorting import Fact

    everything = _described(_in_graph())
    trained = {name_of(variable) for variable in tf1.trainable_variables()}
    step = tf1.train.get_global_step()
    roles = role_evidence.decide(
        {name: Fact(v.dtype.name, v.shape) for name, v in everything.items()},
        global_step=None if step is None else name_of(step),
        trainable={name: name in trained for name in everything} if trained else None,
        collection="the graph's collection",
        overruling=overruling,
    )
    return {
        name: dataclasses.replace(
            variable,
            role=roles[name].role,
            owner=roles[name].owner,
            optimizer=roles[name].optimizer,
            is_undecided=roles[name].is_undecided,
        )
        for name, variable in everything.items()
    }


def of_saveables(saveables: Mapping[str, Any]) -> dict[str, GraphVariable]:
    """Those of a Saver's saveables that are variables, by the Saver's names.

    Args:
      saveables: what `savers_api.saveables_by_name` gives.
    """
    in_graph = _in_graph()
    parts: dict[str, Sequence[Any]] = {}
    alone = {}
    for name, value in saveables.items():
        if isinstance(value, (list, tuple)):
            parts[name] = value
        elif isinstance(value, tf.Variable):
            parts[name] = [value]
            alone[name] = _static(value.shape)  # its own shape, even if it is a part
        elif savers_api.is_tensor_of_variable(value):
            # What TensorFlow makes of a variable in a list.
            parts[name] = in_graph.get(name, [value])
        elif savers_api.is_of_one_tensor(value) and name in in_graph:
            parts[name] = in_graph[name]  # of a mirrored variable
    return {
        name: dataclasses.replace(variable, shape=alone.get(name, variable.shape))
        for name, variable in _described(parts).items()
    }


def _in_graph() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for variable in tf1.global_variables():
        found.setdefault(name_of(variable), []).append(variable)
    return found


def _described(parts: Mapping[str, Sequence[Any]]) -> dict[str, GraphVariable]:
    return {
        name: GraphVariable(
            name=name,
            parts=tuple(found),
            shape=None if isinstance(found[0], tf.Tensor) else shape_of(found[0]),
            dtype=found[0].dtype.base_dtype,
        )
        for name, found in parts.items()
    }


def _static(shape: tf.TensorShape) -> Optional[tuple[int, ...]]:
    return tuple(shape.as_list()) if shape.is_fully_defined() else None
