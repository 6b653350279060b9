"""TensorFlow's Saver: how it names, builds, writes and restores what it saves.

TensorFlow has no public way to ask which keys its Saver would write, or to change them.
Checked against TensorFlow 2.15.1; `tests/tf_private/test_savers_api.py` fails, naming
the function, when one of them changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1
from tensorflow.python.client import session as _session
from tensorflow.python.training import saver as _saver
from tensorflow.python.training.saving import saveable_object as _saveable_object
from tensorflow.python.training.saving import (
    saveable_object_util as _saveable_object_util,
)

SaveableObject = _saveable_object.SaveableObject
SaveSpec = _saveable_object.SaveSpec
BulkSaverBuilder = _saver.BulkSaverBuilder


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
    def kept(self) -> list[tuple[str, float]]:
        """The prefixes that retention counts, oldest first, with their times."""
        return list(self._last_checkpoints)

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


class Output(NamedTuple):
    """A tensor that is restored.

    Attributes:
      tensor: what RestoreV2 gives, and what may be fed in its place.
      dtype: its dtype.
      saved: what is saved of the same; None in a Saver that only restores.
    """

    tensor: tf.Tensor
    dtype: tf.DType
    saved: Optional[tf.Tensor]


class SaverBuilder(BulkSaverBuilder):
    """Builds a Saver's ops, with steps that subclasses may define.

    `collect` turns the Saver's var_list into what is saved, by name; `save_key` and
    `restore_keys` choose the keys that SaveV2 and RestoreV2 are given. What
    `is_read_alone` gets a RestoreV2 of its own, which does not run if its outputs are
    fed: `outputs` has them, by name.
    """

    def __init__(self) -> None:
        super().__init__()
        self.outputs: dict[str, list[Output]] = {}
        self._saved: dict[int, tf.Tensor] = {}

    def collect(self, variables: Any) -> Mapping[str, Any]:
        """What is saved, by name, from the Saver's var_list (None: everything)."""
        return saveables_by_name(variables)

    def save_key(self, name: str) -> str:
        """The key under which what is called `name` is saved."""
        return name

    def restore_keys(self, names: Sequence[str]) -> Any:
        """A string tensor [len(names)]: the keys to restore from, in that order."""
        return list(names)

    def is_read_alone(self, name: str) -> bool:
        """Whether what is called `name` is restored by ops of its own."""
        return False

    def tensor_to_save(self, name: str, tensor: tf.Tensor) -> tf.Tensor:
        """What is saved under a name for the tensor that has it."""
        return tensor

    def _build_internal(self, names_to_saveables: Any, **kwargs: Any) -> Any:
        return super()._build_internal(self.collect(names_to_saveables), **kwargs)

    def save_op(self, filename_tensor: tf.Tensor, saveables: Iterable[Any]) -> Any:
        keys, slices, tensors = [], [], []
        for saveable in saveables:
            for spec in saveable.specs:
                is_key = isinstance(saveable, NotRestored)
                # Asked for once: it may make an op, and the graph is finalized later.
                tensor = self._saved[id(spec)] = spec.tensor
                keys.append(spec.name if is_key else self.save_key(spec.name))
                slices.append(spec.slice_spec)
                tensors.append(
                    tensor if is_key else self.tensor_to_save(spec.name, tensor)
                )
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
        together, groups = [], []
        for saveable in saveables:
            if isinstance(saveable, NotRestored):
                continue
            alone = self.is_read_alone(saveable.name)
            if alone:
                groups.append(list(saveable.specs))
            else:
                together += saveable.specs
        tensors = {}
        for specs in [together, *groups]:
            for spec, tensor in zip(specs, self._read(filename_tensor, specs)):
                tensors[id(spec)] = tensor
                dtype = tf.as_dtype(spec.dtype).base_dtype
                output = Output(tensor, dtype, self._saved.get(id(spec)))
                self.outputs.setdefault(spec.name, []).append(output)
        return [
            tensors.get(id(spec)) for saveable in saveables for spec in saveable.specs
        ]

    def _read(self, filename_tensor: tf.Tensor, specs: Sequence[Any]) -> list[Any]:
        if not specs:
            return []
        with tf.device("cpu:0"):
            return list(
                tf.raw_ops.RestoreV2(
                    prefix=filename_tensor,
                    tensor_names=self.restore_keys([spec.name for spec in specs]),
                    shape_and_slices=[spec.slice_spec for spec in specs],
                    dtypes=[spec.dtype for spec in specs],
                )
            )


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


def is_of_one_tensor(value: Any) -> bool:
    """Whether a SaveableObject saves a single tensor, as those of variables do."""
    return isinstance(value, SaveableObject) and len(value.specs) == 1


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
