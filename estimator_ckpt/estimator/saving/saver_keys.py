"""What a saver saves, and the keys of each: by names, by objects, or as it is given.

A saver's var_list becomes saveables by name. Which object keys they get beside their
names follows from one of three things: a dictionary of all variables (the default), a
`tf.train.Checkpoint` of the user's own, or the object keys that a saver of the
model_fn's own has already.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import logs
from estimator_ckpt.checkpoint import contents, object_graph, object_keys
from estimator_ckpt.checkpoint.formats import Format
from estimator_ckpt.conversion import dictionary_graph
from estimator_ckpt.estimator import graph_variables
from estimator_ckpt.estimator.graph_variables import GraphVariable
from estimator_ckpt.tf_private import graph_api, savers_api, trackables_api

#: What the Saver calls the alias of the global step: its own name is taken.
_STEP_ALIAS = f"{object_keys.GLOBAL_STEP}:alias"

_log = logs.logger()

#: What TensorFlow's Saver takes, by the name that it has there.
Saveables = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class SaverKeys:
    """The keys of what a saver saves.

    Each is called by what TensorFlow's Saver calls it: its variable name or, in a Saver
    that has object keys already, its object key.

    Attributes:
      format: the format that is saved.
      names: the name of each in a name-based checkpoint.
      object_keys: the object keys of those that have one.
      variables: those that are variables; others are tables, iterators and the like.
      step: the global step, if it is among them.
    """

    format: Format
    names: Mapping[str, str]
    object_keys: Mapping[str, str]
    variables: Mapping[str, GraphVariable]
    step: Optional[str] = None

    def name(self, called: str) -> str:
        """Its name; a part of a table has none but what it is called."""
        return self.names.get(called, called)

    def save_key(self, called: str) -> str:
        """The key under which it is saved."""
        if not self.format.has_object_keys:
            return called
        return self.object_keys.get(called, called)

    @property
    def aliases(self) -> dict[str, str]:
        """The name keys to add to what was saved, with the object keys they repeat."""
        if not self.format.has_both_keys:
            return {}
        return {
            name: self.object_keys[called]
            for called, name in self.names.items()
            if self.object_keys.get(called, name) != name
        }


def of_names(format: Format, saveables: Saveables) -> tuple[SaverKeys, Saveables]:
    """The keys of everything under its name, and what to save."""
    variables = graph_variables.of_saveables(saveables)
    return _keys(format, saveables, {}, variables), saveables


def of_dictionary(format: Format, saveables: Saveables) -> tuple[SaverKeys, Saveables]:
    """The keys of `tf.train.Checkpoint(var_list=variables, step=global_step)`."""
    variables = graph_variables.of_saveables(saveables)
    step = _step_name()
    step = step if step in variables else None
    keys = {
        name: object_keys.STEP_KEY if name == step else object_keys.variable_key(name)
        for name in variables
    }
    graph = dictionary_graph.build(
        (name for name in variables if name != step), step=step
    )
    found = _keys(format, saveables, keys, variables)
    return found, {**saveables, **_beside(found, graph, saveables)}


def of_checkpoint(
    format: Format, checkpoint: tf.train.Checkpoint, saveables: Saveables
) -> tuple[SaverKeys, Saveables]:
    """The keys of a `tf.train.Checkpoint`.

    What it does not track stays under its name, outside the object graph. A part of a
    partitioned variable that it tracks by itself is a variable of its own there, under
    its own name.
    """
    graph, tracked, others = trackables_api.tracked_by(checkpoint)
    saved = dict(saveables)
    keys = {}
    for variable, key in tracked:
        name = graph_variables.name_of(variable)
        if isinstance(saved.get(name), list):
            del saved[name]
        if graph_api.whole_of(variable):
            name = variable.op.name
        saved.setdefault(name, variable)
        keys[name] = key
    for saveable in others:
        if saveable.name != object_keys.OBJECT_GRAPH_KEY:
            saved[saveable.name] = saveable
    outside = sorted(set(saved) - set(keys) - {other.name for other in others})
    if outside:
        _log.info(
            "Saved by name, since the tf.train.Checkpoint does not track them: %s",
            ", ".join(outside),
        )
    serialized = object_graph.with_save_counter(
        graph.SerializeToString(), "the tf.train.Checkpoint"
    )
    variables = graph_variables.of_saveables(saved)
    found = _keys(format, saved, keys, variables)
    return found, {**saved, **_beside(found, serialized, saved)}


def has_object_keys(saveables: Saveables) -> bool:
    """Whether a Saver saves an object graph: its names are object keys then."""
    return object_keys.OBJECT_GRAPH_KEY in saveables


def as_given(format: Format, saveables: Saveables) -> tuple[SaverKeys, Saveables]:
    """The keys of a Saver that writes an object-based checkpoint already.

    Such is that of `tf.keras.estimator.model_to_estimator`; the full names of its
    object graph are the TF1 names.
    """
    specs = {spec.name: spec for value in saveables.values() for spec in value.specs}
    graph_tensor = specs.pop(object_keys.OBJECT_GRAPH_KEY).tensor
    graph = object_graph.parse(
        tf.get_static_value(graph_tensor).item(), "the model_fn's Saver"
    )
    nodes = functools.partial(object_graph.saved_nodes, graph)
    of_keys = {
        key: name for name, key in contents.of_objects(specs, nodes).keys.items()
    }
    found = SaverKeys(
        format,
        names={key: of_keys.get(key, key) for key in specs},
        object_keys={key: key for key in specs},
        variables=_variables_of(specs, of_keys),
        step=next((key for key, n in of_keys.items() if n == _step_name()), None),
    )
    unread = savers_api.NotRestored(graph_tensor, object_keys.OBJECT_GRAPH_KEY)
    with tf.device(_device_of(specs)):
        kept = {**saveables, object_keys.OBJECT_GRAPH_KEY: unread, **_step_alias()}
    return found, kept


def _variables_of(
    specs: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, GraphVariable]:
    """What the graph says of the variables that a Saver calls by their keys."""
    in_graph = graph_variables.of_graph()
    found = {}
    for key, name in names.items():
        spec = specs.get(key)
        if spec is not None and spec.tensor.shape.is_fully_defined():
            known = in_graph.get(name)
            found[key] = GraphVariable(
                name,
                parts=(spec.tensor,) if known is None else known.parts,
                shape=tuple(spec.tensor.shape.as_list()),
                dtype=spec.dtype.base_dtype,
            )
    return found


def _keys(
    format: Format,
    saveables: Saveables,
    keys: Mapping[str, str],
    variables: Mapping[str, GraphVariable],
) -> SaverKeys:
    """The keys of what a Saver calls by its name."""
    step = _step_name()
    names = {name: name for name in saveables}
    return SaverKeys(format, names, keys, variables, step if step in names else None)


def _step_name() -> Optional[str]:
    step = tf1.train.get_global_step()
    return None if step is None else graph_variables.name_of(step)


def _beside(
    found: SaverKeys, graph: bytes, saveables: Saveables
) -> dict[str, savers_api.NotRestored]:
    """What an object-based checkpoint holds beside the variables.

    `save_counter` follows the global step, so that TF2 code that goes on from
    `model.ckpt-700` saves `ckpt-701` next and overwrites nothing. `global_step` is
    there once more under its name, since Estimator reads `max_steps` against it.
    """
    if not found.format.has_object_keys:
        return {}
    step = tf1.train.get_global_step()
    with tf.device(_device_of(saveables)):
        extras = {object_keys.OBJECT_GRAPH_KEY: tf.constant(graph, name="object_graph")}
        if object_keys.SAVE_COUNTER_KEY not in found.object_keys.values():
            extras[object_keys.SAVE_COUNTER_KEY] = (
                tf.constant(1, tf.int64, name="save_counter")
                if step is None
                else tf.cast(step, tf.int64, name="save_counter")
            )
        alias = _step_alias() if object_keys.GLOBAL_STEP in found.object_keys else {}
    unread = {k: savers_api.NotRestored(tensor, k) for k, tensor in extras.items()}
    return {**unread, **alias}


def _step_alias() -> dict[str, savers_api.NotRestored]:
    """The global step once more under its name, if there is one."""
    step = tf1.train.get_global_step()
    if step is None:
        return {}
    value = tf.cast(tf.identity(step), tf.int64)
    return {_STEP_ALIAS: savers_api.NotRestored(value, object_keys.GLOBAL_STEP)}


def _device_of(saveables: Saveables) -> Any:
    """The device of one of the saveables, so that no shard is added by the extras."""
    for value in saveables.values():
        first = value[0] if isinstance(value, (list, tuple)) else value
        device = getattr(first, "device", None)
        if device is not None:
            return device
    return None
