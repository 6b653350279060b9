"""Every use of TensorFlow that is not public API, in one place.

TensorFlow has no public way to ask which keys its Saver would write, to change them,
or to see how Estimator reads a model_fn's arguments. Checked against TensorFlow 2.15.1
and tensorflow-estimator 2.15.0; `tests/tf_private/test_private.py` fails, naming the
function, when one of them changes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1
from tensorflow.python.checkpoint import graph_view as _graph_view
from tensorflow.python.checkpoint import util as _checkpoint_util
from tensorflow.python.client import session as _session
from tensorflow.python.ops import resource_variable_ops as _resource_variable_ops
from tensorflow.python.training import saver as _saver
from tensorflow.python.training.saving import saveable_object as _saveable_object
from tensorflow.python.training.saving import (
    saveable_object_util as _saveable_object_util,
)
from tensorflow.python.util import function_utils as _function_utils

try:
    from tensorflow.python.ops.ref_variable import RefVariable as _RefVariable
except ImportError:  # TensorFlow 2.12
    from tensorflow.python.ops.variables import RefVariable as _RefVariable

SaveableObject = _saveable_object.SaveableObject
SaveSpec = _saveable_object.SaveSpec
BulkSaverBuilder = _saver.BulkSaverBuilder


def fn_args(function: Callable[..., Any]) -> tuple[str, ...]:
    """The argument names that Estimator sees in `function`."""
    return tuple(_function_utils.fn_args(function))


def is_tensor_of_variable(value: Any) -> bool:
    """Whether a tensor is what a Saver takes for the variable it reads from."""
    return isinstance(value, tf.Tensor) and value.op.type in {
        "Variable",
        "VariableV2",
        "AutoReloadVariable",
        "VarHandleOp",
        "ReadVariableOp",
        "_VarHandlesOp",
    }


def saveables_by_name(variables: Any) -> dict[str, Any]:
    """What a Saver would save, by checkpoint key.

    Args:
      variables: a Saver's `var_list`: None for everything that the default Saver
        saves (GLOBAL_VARIABLES and SAVEABLE_OBJECTS), a list, or a dict by key.

    Returns:
      By key: a variable, a tensor of one, a SaveableObject, or the list of the parts
      of a partitioned variable.
    """
    if variables is None:
        variables = tf1.global_variables() + tf1.get_collection(
            tf1.GraphKeys.SAVEABLE_OBJECTS
        )
    if isinstance(variables, Mapping):
        return {
            name: list(value) if _is_partitioned(value) else value
            for name, value in variables.items()
        }
    return dict(_saveable_object_util.op_list_to_dict(list(variables)))


def _is_partitioned(value: Any) -> bool:
    return type(value).__name__ == "PartitionedVariable"


def whole_of(variable: Any) -> Optional[tuple[str, tuple[int, ...]]]:
    """Name and shape of the partitioned variable that `variable` is a part of.

    None for a variable that is no part of another.
    """
    info = getattr(variable, "_save_slice_info", None)
    return (info.full_name, tuple(info.full_shape)) if info else None


def has_initializer(variable: Any) -> bool:
    """Whether a variable has an initializer that `set_initializer` can replace.

    Not one that stands for replicas or parts.
    """
    kinds = (_resource_variable_ops.ResourceVariable, _RefVariable)
    return type(variable) in kinds and whole_of(variable) is None


def set_initializer(variable: Any, op: tf.Operation) -> None:
    """Makes `op` the initializer of a variable, as init_from_checkpoint does."""
    variable._initializer_op = op


def restored_by(saver: tf1.train.Saver) -> Any:
    """The `var_list` that a Saver was made with, None for everything."""
    return saver._var_list


def retention_of(saver: tf1.train.Saver) -> dict[str, Any]:
    """The settings of a Saver that say what it keeps and how it names files."""
    return {
        "sharded": saver._sharded,
        "max_to_keep": saver._max_to_keep,
        "keep_checkpoint_every_n_hours": saver._keep_checkpoint_every_n_hours,
        "pad_step_number": saver._pad_step_number,
        "save_relative_paths": saver._save_relative_paths,
    }


def user_init_fn(scaffold: tf1.train.Scaffold) -> Optional[Callable[..., None]]:
    """The `init_fn(scaffold, session)` that a Scaffold was made with, or None."""
    return scaffold._user_init_fn


def with_fields(
    scaffold: tf1.train.Scaffold,
    *,
    saver: Any = None,
    init_fn: Optional[Callable[..., None]] = None,
) -> tf1.train.Scaffold:
    """A copy of a Scaffold with another saver or init_fn, all else kept.

    A Scaffold of a class of the user's own stays of that class: only the two fields
    are set in a shallow copy of it.
    """
    if type(scaffold) is tf1.train.Scaffold:
        return tf1.train.Scaffold(
            copy_from_scaffold=scaffold, saver=saver, init_fn=init_fn
        )
    import copy

    clone = copy.copy(scaffold)
    if saver is not None:
        clone._saver = saver
    if init_fn is not None:
        clone._user_init_fn = init_fn
        clone._init_fn = lambda session: init_fn(clone, session)
    return clone


def is_trackable(value: Any) -> bool:
    """Whether a tf.train.Checkpoint can save an object."""
    return hasattr(value, "_trackable_children")


def objects_of(trackable: Any) -> tuple[Any, list[Any], list[Any]]:
    """The object graph of a trackable, as TensorFlow would save it.

    Returns:
      The TrackableObjectGraph message, the objects in the order of its nodes, and the
      SaveableObjects of all that is saved.
    """
    if isinstance(trackable, tf.train.Checkpoint):
        view = trackable._saver._graph_view  # knows the root that it was made with
    else:
        view = _graph_view.ObjectGraphView(trackable)
    saveables, graph, _ = view.serialize_object_graph()
    return graph, _checkpoint_util.list_objects(view), list(saveables)


def tracked_by(
    checkpoint: tf.train.Checkpoint,
) -> tuple[Any, list[tuple[Any, str]], list[SaveableObject]]:
    """What a `tf.train.Checkpoint` tracks, as TensorFlow itself would save it.

    Returns:
      The TrackableObjectGraph message; the variables with their object keys; and
      SaveableObjects, named by their keys, for everything else that is saved
      (tables, iterators, Python state).
    """
    graph, objects, saveables = objects_of(checkpoint)
    variables = [
        (trackable, attribute.checkpoint_key)
        for trackable, node in zip(objects, graph.nodes)
        if isinstance(trackable, tf.Variable)
        for attribute in node.attributes
    ]
    keys = {key for _, key in variables}
    others = [s for s in saveables if not keys.issuperset(x.name for x in s.specs)]
    return graph, variables, others


# Keras optimizers, checked with Keras 2.12 to 2.15, tf-keras 2.21 and Keras 3.15.


def is_legacy_optimizer(value: Any) -> bool:
    """Whether an object is an optimizer of `tf.keras.optimizers.legacy`."""
    return hasattr(value, "get_slot_names") and hasattr(value, "apply_gradients")


def is_keras_3(optimizer: Any) -> bool:
    """Whether an optimizer is one of Keras 3, and not of tf-keras."""
    version = getattr(sys.modules.get("keras"), "__version__", "")
    is_of_keras = type(optimizer).__module__.startswith("keras.")
    return is_of_keras and not version.startswith("2.")


def is_optimizer(value: Any) -> bool:
    """Whether an object is a Keras optimizer, of any generation."""
    if is_legacy_optimizer(value):
        return True
    return all(hasattr(value, x) for x in ("apply_gradients", "iterations", "build"))


def build_slots(optimizer: Any, trained: Sequence[Any]) -> None:
    """Makes an optimizer's slot variables, as its first step would."""
    if is_legacy_optimizer(optimizer):
        with tf.name_scope(optimizer._name):  # as apply_gradients has it
            optimizer._create_all_weights(trained)
    else:
        optimizer.build(trained)


def has_slots(optimizer: Any) -> bool:
    """Whether an optimizer's slot variables have been made."""
    if is_legacy_optimizer(optimizer):
        return bool(optimizer.get_slot_names())
    return bool(getattr(optimizer, "_built", getattr(optimizer, "built", False)))


def schedule_of(optimizer: Any) -> Optional[Callable[[Any], Any]]:
    """The function of the iterations that a learning rate is, None for a number."""
    if is_legacy_optimizer(optimizer):
        rate = optimizer._get_hyper("learning_rate")
    else:
        rate = optimizer._learning_rate
    if hasattr(rate, "get_config") and callable(rate):
        return rate
    return (lambda _: rate()) if callable(rate) else None


def averages_of(optimizer: Any) -> Sequence[Any]:
    """The averages of its variables that an optimizer since 2.11 keeps (use_ema)."""
    return getattr(optimizer, "_model_variables_moving_average", None) or ()


def trained_by(optimizer: Any) -> list[str]:
    """The names of the variables that an optimizer since 2.11 was built for."""
    if hasattr(optimizer, "_index_dict"):
        places = optimizer._index_dict.items()
        keys = [key for key, _ in sorted(places, key=lambda item: item[1])]
        return [re.sub(r"_\d+$", "", key) for key in keys]  # a number of TensorFlow's
    known = getattr(optimizer, "_trainable_variables", ())
    return [getattr(v, "path", v.name) for v in known]  # Keras 3 takes tf.Variable too


def place_in(optimizer: Any, variable: Any) -> Optional[int]:
    """Where a variable's slots stand in the lists of an optimizer since 2.11."""
    if hasattr(optimizer, "_index_dict"):
        place: Optional[int] = optimizer._index_dict.get(optimizer._var_key(variable))
        return place
    known = optimizer._trainable_variables
    return next((i for i, v in enumerate(known) if v is variable), None)


class Saver(tf1.train.Saver):
    """A tf1 Saver whose parts that must be reached have names.

    `build` defers to the builder, so that the variables are collected when the
    Scaffold is finalized. `write` is the part of `save` that writes the tensors;
    naming files, the state file, retention and the graph are left to TensorFlow.
    """

    def write(self, session: tf1.Session, prefix: str) -> Any:
        """Saves all tensors under a prefix; the state file does not name it yet."""
        return session.run(
            self.saver_def.save_tensor_name,
            {self.saver_def.filename_tensor_name: prefix},
        )

    def save(self, sess: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(sess, _session.SessionInterface):
            sess = _Writing(sess, self)
        return super().save(sess, *args, **kwargs)

    @property
    def is_built(self) -> bool:
        return bool(self._is_built)

    @property
    def is_empty(self) -> bool:
        return bool(self._is_empty)


class _Writing(_session.SessionInterface):
    """A session in which running a Saver's save op calls the Saver's `write`."""

    def __init__(self, session: Any, saver: Saver):
        self._session = session
        self._saver = saver

    @property
    def graph(self) -> tf.Graph:
        return self._session.graph

    @property
    def sess_str(self) -> Any:
        return self._session.sess_str

    def run(
        self,
        fetches: Any,
        feed_dict: Any = None,
        options: Any = None,
        run_metadata: Any = None,
    ) -> Any:
        definition = self._saver.saver_def
        if isinstance(fetches, str) and fetches == definition.save_tensor_name:
            prefix = feed_dict[definition.filename_tensor_name]
            return self._saver.write(self._session, prefix)
        return self._session.run(fetches, feed_dict, options, run_metadata)


class SaverBuilder(BulkSaverBuilder):
    """Builds a Saver's ops, with steps that subclasses may define.

    `collect` turns the Saver's var_list into what is saved, by name; `save_key` and
    `restore_keys` choose the keys that SaveV2 and RestoreV2 are given.
    """

    def collect(self, variables: Any) -> dict[str, Any]:
        """What is saved, by name, from the Saver's var_list (None: everything)."""
        return saveables_by_name(variables)

    def save_key(self, name: str) -> str:
        """The key under which what is called `name` is saved."""
        return name

    def restore_keys(self, names: Sequence[str]) -> Any:
        """A string tensor [len(names)]: the keys to restore from, in that order."""
        return list(names)

    def _build_internal(self, names_to_saveables: Any, **kwargs: Any) -> Any:
        return super()._build_internal(self.collect(names_to_saveables), **kwargs)

    def save_op(self, filename_tensor: tf.Tensor, saveables: Iterable[Any]) -> Any:
        keys, slices, tensors = [], [], []
        for saveable in saveables:
            for spec in saveable.specs:
                is_key = isinstance(saveable, NotRestored)
                keys.append(spec.name if is_key else self.save_key(spec.name))
                slices.append(spec.slice_spec)
                tensors.append(spec.tensor)
        return tf.raw_ops.SaveV2(
            prefix=filename_tensor,
            tensor_names=keys,
            shape_and_slices=slices,
            tensors=tensors,
        )

    def bulk_restore(
        self,
        filename_tensor: tf.Tensor,
        saveables: Sequence[Any],
        preferred_shard: int,
        restore_sequentially: bool,
    ) -> list[Any]:
        restored = [s for s in saveables if not isinstance(s, NotRestored)]
        specs = [spec for saveable in restored for spec in saveable.specs]
        tensors = iter(())
        if specs:
            with tf.device("cpu:0"):
                tensors = iter(
                    tf.raw_ops.RestoreV2(
                        prefix=filename_tensor,
                        tensor_names=self.restore_keys([s.name for s in specs]),
                        shape_and_slices=[spec.slice_spec for spec in specs],
                        dtypes=[spec.dtype for spec in specs],
                    )
                )
        return [
            None if isinstance(saveable, NotRestored) else next(tensors)
            for saveable in saveables
            for _ in saveable.specs
        ]


class RestoreBuilder(SaverBuilder):
    """Builds ops that restore, and none that save.

    Args:
      keys: the key to restore from, by the name that the Saver's var_list has.
    """

    def __init__(self, keys: Mapping[str, str]):
        super().__init__()
        self._restore_from = keys

    def restore_keys(self, names: Sequence[str]) -> list[str]:
        return [self._restore_from[name] for name in names]

    def _AddSaveOps(self, filename_tensor: Any, saveables: Any) -> Any:
        return filename_tensor

    def _AddShardedSaveOps(self, filename_tensor: Any, per_device: Any) -> Any:
        return filename_tensor


class NotRestored(SaveableObject):
    """A tensor that is saved under a key and never read back."""

    def __init__(self, tensor: tf.Tensor, key: str):
        super().__init__(tensor, [SaveSpec(tensor, "", key)], key)

    def restore(self, restored_tensors: Any, restored_shapes: Any) -> tf.Operation:
        return tf.no_op()
