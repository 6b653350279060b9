"""One Saver for the three formats.

It is a `tf1.train.Saver` whose ops are built when the Scaffold is finalized, so that
it sees every variable, and which differs from TensorFlow's in the keys only: names
are turned into keys as they are given to SaveV2 and RestoreV2. Slices, shards,
retention, the state file and listeners stay TensorFlow's own.

The keys to restore from are not constants but a placeholder with a default: they are
chosen for each checkpoint from what it holds. So one saver restores all three
formats, whichever it saves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import logs
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.checkpoint import (
    contents,
    formats,
    object_graph,
    object_keys,
    roles,
)
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.estimator import commits, graph_variables, restoring
from estimator_ckpt.maps.assignment import NO_RENAMES, AssignmentMap
from estimator_ckpt.tf_private import graph_api, savers_api, trackables_api

#: What the Saver calls the alias of the global step: its own name is taken.
_STEP_ALIAS = f"{object_keys.GLOBAL_STEP}:alias"

_log = logs.logger()

CheckpointFactory = Callable[[], tf.train.Checkpoint]


class RestoreError(CheckpointError):
    """A checkpoint lacks variables of the graph, or has them in another shape."""


@dataclasses.dataclass(frozen=True)
class _Saved:
    """What is saved under one name.

    Attributes:
      name: its name in a name-based checkpoint.
      object_key: its key in an object-based checkpoint, None if it has none there.
      shape: the whole variable's shape, None if unknown or not a variable.
    """

    name: str
    object_key: Optional[str] = None
    shape: Optional[tuple[int, ...]] = None


class _KeyBuilder(savers_api.SaverBuilder):
    """Builds save and restore ops with the keys of one format.

    Args:
      format: the format to save in.
      checkpoint: makes the user's own tf.train.Checkpoint, or None.
      var_list: what to save, as for `tf1.train.Saver`; None for everything.
    """

    def __init__(
        self,
        format: str,
        checkpoint: Optional[CheckpointFactory],
        var_list: Any,
    ):
        super().__init__()
        self._format = formats.parse(format)
        self._make_checkpoint = checkpoint
        self._var_list = var_list
        self._saved: dict[str, _Saved] = {}
        self._restore_inputs: list[tuple[tf.Tensor, tuple[str, ...]]] = []
        self.checkpoint: Optional[tf.train.Checkpoint] = None

    def collect(self, variables_to_save: Any) -> dict[str, Any]:
        del variables_to_save  # deferred building never has them
        saveables = savers_api.saveables_by_name(self._var_list)
        if object_keys.OBJECT_GRAPH_KEY in saveables:
            self._saved, saveables = _as_it_is(saveables)
            return saveables
        shapes = _shapes_of(saveables)
        if not self._format.has_object_keys and self._make_checkpoint is None:
            self._saved = {
                name: _Saved(name, None, shapes.get(name)) for name in saveables
            }
            return saveables
        if self._make_checkpoint is None:
            keys, graph = _default_layout(shapes)
        else:
            self.checkpoint = self._make_checkpoint()
            keys, graph, saveables = _layout_of(self.checkpoint, saveables)
        self._saved = {
            name: _Saved(name, keys.get(name), shapes.get(name)) for name in saveables
        }
        if self._format.has_object_keys:
            saveables.update(_extras(saveables, graph, keys))
        return saveables

    def save_key(self, name: str) -> str:
        saved = self._saved.get(name)
        if saved is None or saved.object_key is None:
            return name
        return saved.object_key if self._format.has_object_keys else name

    def restore_keys(self, names_to_restore: Sequence[str]) -> tf.Tensor:
        # Its default is what this saver writes, for whoever imports the .meta file.
        keys = tf1.placeholder_with_default(
            [self.save_key(name) for name in names_to_restore],
            shape=[len(names_to_restore)],
            name="restore_keys",
        )
        self._restore_inputs.append((keys, tuple(names_to_restore)))
        return keys

    def aliases(self) -> dict[str, str]:
        """For `dual`: the name keys to add, with the object keys they stand for."""
        if not self._format.has_both_keys:
            return {}
        return {
            saved.name: saved.object_key
            for saved in self._saved.values()
            if saved.object_key not in (None, saved.name)
        }

    def feed(self, source: Checkpoint) -> dict[tf.Tensor, list[str]]:
        """The keys to restore from, for a checkpoint of any format.

        Raises:
          RestoreError: a variable is missing or has another shape; names all of them.
        """
        problems = []
        chosen = {}
        for _, wanted in self._restore_inputs:
            for name in wanted:
                if name in chosen:
                    continue
                saved = self._saved.get(name, _Saved(name))
                chosen[name] = _key_in(source, saved)
                problem = _problem(source, saved, chosen[name])
                if problem:
                    problems.append(problem)
        if problems:
            listed = "; ".join(problems)
            raise RestoreError(
                f"{source.prefix} does not fit this graph: {listed}. To take over "
                f"what does fit, warm-start a new model dir from it "
                f"(warm_start_from, --warm_start_from); for renamed variables give "
                f"an assignment map (assignment_map=, --assignment_map)"
            )
        return {
            placeholder: [chosen[name] for name in wanted]
            for placeholder, wanted in self._restore_inputs
        }


class FormatSaver(savers_api.Saver):
    """A tf1 Saver that saves in `format` and restores from any.

    Args:
      format: `tf1`, `tf2` or `dual`.
      checkpoint: a zero-argument callable that gives the user's own
        `tf.train.Checkpoint`; called when the saver is built, in the graph. Its
        object keys are used. Without it they are those of
        `tf.train.Checkpoint(var_list={name: variable}, step=global_step)`.
      var_list: what to save and restore, as for `tf1.train.Saver`; None for all.
      on_damaged: what to do about a checkpoint that is not whole: `error`, or
        `fall_back` to the newest older one that is.
      assignment_map: what the variables of older checkpoints are called in the graph.
      **settings: `sharded`, `max_to_keep` and others of `tf1.train.Saver`.
    """

    def __init__(
        self,
        format: str,
        *,
        checkpoint: Optional[CheckpointFactory] = None,
        var_list: Any = None,
        on_damaged: str = "error",
        assignment_map: AssignmentMap = NO_RENAMES,
        **settings: Any,
    ):
        self.format = format
        self._assignment_map = assignment_map
        self._on_damaged = on_damaged
        self._keys = _KeyBuilder(format, checkpoint, var_list)
        super().__init__(defer_build=True, builder=self._keys, **settings)

    @property
    def checkpoint(self) -> tf.train.Checkpoint:
        """A `tf.train.Checkpoint` of the same object keys.

        Partitioned variables are left out of it: TensorFlow's Checkpoint knows only
        their parts.
        """
        if self._keys.checkpoint is None:
            everything = graph_variables.of_graph()
            step = tf1.train.get_global_step()
            tracked = {
                name: variable.saveable
                for name, variable in everything.items()
                if variable.role != roles.GLOBAL_STEP
                and not isinstance(variable.saveable, list)
            }
            self._keys.checkpoint = tf.train.Checkpoint(
                var_list=tracked, **({} if step is None else {"step": step})
            )
        return self._keys.checkpoint

    def build(self) -> None:
        """Adds the save and restore ops to the default graph."""
        super().build()
        # Where Estimator's default saver would stand, for whoever looks for one.
        if not self.is_empty and not tf1.get_collection(tf1.GraphKeys.SAVERS):
            tf1.add_to_collection(tf1.GraphKeys.SAVERS, self)

    def write(self, session: tf1.Session, prefix: str) -> Any:
        """Saves all tensors under a prefix, and the name keys that `dual` adds."""
        aliases = self._keys.aliases()
        if commits.is_there(prefix):
            with commits.beside(prefix) as temporary:
                super().write(session, temporary)
                commits.replace(temporary, prefix, aliases)
            return prefix
        written = super().write(session, prefix)
        if aliases:
            commits.add_name_keys(prefix, aliases)
        return written

    def restore(self, sess: Any, save_path: str) -> None:
        """Restores the variables from a checkpoint of any of the three formats.

        Args:
          sess: the session to restore into.
          save_path: the checkpoint's prefix.

        Raises:
          ValueError: `save_path` is None or no checkpoint.
          DamagedCheckpointError: it is not whole; names the newest one that is.
          RestoreError: the checkpoint lacks variables, or has other shapes.
        """
        if not self.is_built:  # export_saved_model never finalizes the Scaffold
            with sess.graph.as_default():
                self.build()
        if self.is_empty:
            return
        if save_path is None:
            raise ValueError("Can't load save_path when it is None.")
        prefix = tf.compat.as_text(save_path)
        try:
            self._restore(sess, prefix)
        except restoring.DamagedCheckpointError as error:
            whole = restoring.newest_whole_before(prefix)
            if whole is None:
                raise restoring.DamagedCheckpointError(
                    f"{error}. The state file names no older checkpoint that is whole"
                ) from error
            if self._on_damaged == "error":
                raise restoring.DamagedCheckpointError(
                    f"{error}. The newest one that is whole is {whole}: to train on "
                    f"from it, say on_damaged='fall_back' (--on_damaged=fall_back)"
                ) from error
            _log.warning("%s. Falling back to %s, which is whole", error, whole)
            self._restore(sess, whole)

    def _restore(self, session: tf1.Session, prefix: str) -> None:
        restoring.require_whole_files(prefix)
        source = restoring.renamed(restoring.read(prefix), self._assignment_map)
        feed = self._keys.feed(source)
        tf1.logging.info("Restoring parameters from %s", prefix)
        feed[self.saver_def.filename_tensor_name] = prefix
        with restoring.reporting_damage(prefix):
            session.run(self.saver_def.restore_op_name, feed)


def _shapes_of(saveables: Mapping[str, Any]) -> dict[str, Optional[tuple[int, ...]]]:
    """Whole shapes by name, of what is a variable; other saveables are left out."""
    in_graph = {
        graph_variables.name_of(variable): variable
        for variable in tf1.global_variables()
    }
    shapes = {}
    for name, value in saveables.items():
        if isinstance(value, (list, tuple)):
            shapes[name] = graph_variables.shape_of(value[0])
        elif isinstance(value, tf.Variable):
            shapes[name] = graph_variables.shape_of(value)
        elif savers_api.is_tensor_of_variable(value) or (
            isinstance(value, savers_api.SaveableObject)
            and len(value.specs) == 1
            and name in in_graph
        ):
            # op_list_to_dict turns a variable into its tensor, and a mirrored one
            # into a SaveableObject: the variable itself is in the graph.
            variable = in_graph.get(name)
            shapes[name] = (
                None if variable is None else graph_variables.shape_of(variable)
            )
    return shapes


def _default_layout(
    variable_names: Mapping[str, Any],
) -> tuple[dict[str, str], bytes]:
    """Object keys by name, and the object graph, of `var_list` and `step`."""
    step = tf1.train.get_global_step()
    step_name = None if step is None else graph_variables.name_of(step)
    if step_name not in variable_names:
        step_name = None
    keys = {
        name: object_keys.STEP_KEY
        if name == step_name
        else object_keys.variable_key(name)
        for name in variable_names
    }
    graph = object_graph.build(
        (name for name in variable_names if name != step_name), step=step_name
    )
    return keys, graph


def _layout_of(
    checkpoint: tf.train.Checkpoint, saveables: dict[str, Any]
) -> tuple[dict[str, str], bytes, dict[str, Any]]:
    """Object keys by name, the object graph, and what to save, of a Checkpoint.

    What it tracks gets its keys; the rest of `saveables` stays under its names,
    outside the object graph. A part of a partitioned variable that it tracks by
    itself is a variable of its own there, under its own name.
    """
    graph, tracked, others = trackables_api.tracked_by(checkpoint)
    saveables = dict(saveables)
    keys = {}
    for variable, key in tracked:
        name = graph_variables.name_of(variable)
        if isinstance(saveables.get(name), list):
            del saveables[name]
        if graph_api.whole_of(variable):
            name = variable.op.name
        if name not in saveables:
            saveables[name] = variable
        keys[name] = key
    for saveable in others:
        if saveable.name != object_keys.OBJECT_GRAPH_KEY:
            saveables[saveable.name] = saveable
    outside = sorted(set(saveables) - set(keys) - {s.name for s in others})
    if outside:
        tf1.logging.info(
            "Saved by name, since the tf.train.Checkpoint does not track them: %s",
            ", ".join(outside),
        )
    serialized = object_graph.with_save_counter(
        graph.SerializeToString(), "the tf.train.Checkpoint"
    )
    return keys, serialized, saveables


def _as_it_is(
    saveables: Mapping[str, Any],
) -> tuple[dict[str, _Saved], dict[str, Any]]:
    """What a Saver saves that writes an object-based checkpoint already.

    Such is that of `tf.keras.estimator.model_to_estimator`: its names are object
    keys, and it has an object graph, whose full names are the TF1 names.
    """
    by_key = {s.name: s for value in saveables.values() for s in value.specs}
    graph_tensor = by_key.pop(object_keys.OBJECT_GRAPH_KEY).tensor
    graph = object_graph.parse(
        tf.get_static_value(graph_tensor).item(), "the model_fn's Saver"
    )
    found = contents.of_objects(by_key, graph)
    names_by_key = {key: name for name, key in found.keys.items()}
    saved = {}
    for key, spec in by_key.items():
        is_static = key in names_by_key and spec.tensor.shape.is_fully_defined()
        shape = tuple(spec.tensor.shape.as_list()) if is_static else None
        saved[key] = _Saved(names_by_key.get(key, key), key, shape)
    kept = dict(saveables)
    kept[object_keys.OBJECT_GRAPH_KEY] = savers_api.NotRestored(
        graph_tensor, object_keys.OBJECT_GRAPH_KEY
    )
    with tf.device(_device_of(by_key)):
        return saved, {**kept, **_step_alias()}


def _extras(
    saveables: Mapping[str, Any], graph: bytes, keys: Mapping[str, str]
) -> dict[str, savers_api.NotRestored]:
    """What an object-based checkpoint holds beside the variables.

    `save_counter` follows the global step, so that TF2 code that goes on from
    `model.ckpt-700` saves `ckpt-701` next and overwrites nothing. `global_step` is
    there once more under its name, since Estimator reads `max_steps` against it.
    """
    step = tf1.train.get_global_step()
    with tf.device(_device_of(saveables)):
        extras = {object_keys.OBJECT_GRAPH_KEY: tf.constant(graph, name="object_graph")}
        if object_keys.SAVE_COUNTER_KEY not in keys.values():
            extras[object_keys.SAVE_COUNTER_KEY] = (
                tf.constant(1, tf.int64, name="save_counter")
                if step is None
                else tf.cast(step, tf.int64, name="save_counter")
            )
        alias = _step_alias() if object_keys.GLOBAL_STEP in keys else {}
    found = {key: savers_api.NotRestored(tensor, key) for key, tensor in extras.items()}
    return {**found, **alias}


def _step_alias() -> dict[str, savers_api.NotRestored]:
    """The global step once more under its name, if there is one."""
    step = tf1.train.get_global_step()
    if step is None:
        return {}
    return {
        _STEP_ALIAS: savers_api.NotRestored(tf.identity(step), object_keys.GLOBAL_STEP)
    }


def _device_of(saveables: Mapping[str, Any]) -> Any:
    """The device of one of the saveables, so that no shard is added by the extras."""
    for value in saveables.values():
        first = value[0] if isinstance(value, (list, tuple)) else value
        device = getattr(first, "device", None)
        if device is not None:
            return device
    return None


def _key_in(source: Checkpoint, saved: _Saved) -> Optional[str]:
    name = saved.name
    if saved.object_key is not None and saved.object_key in source.index:
        return saved.object_key
    if name in source.contents.keys:
        return source.contents.keys[name]
    # A hash table is saved under its name with `-keys` and `-values` behind it.
    table, dash, part = name.rpartition("-")
    key = f"{source.contents.tables.get(table, table)}{dash}{part}"
    return key if key in source.index else None


def _problem(source: Checkpoint, saved: _Saved, key: Optional[str]) -> Optional[str]:
    name = saved.name
    if key is None:
        if name in source.contents.ambiguous:
            return f"{name!r} is the full name of more than one variable there"
        return f"{name!r} is not in it"
    found = source.index[key].shape
    if saved.shape is not None and saved.shape != found:
        return f"{name!r} has shape {list(found)} there and {list(saved.shape)} here"
    return None
