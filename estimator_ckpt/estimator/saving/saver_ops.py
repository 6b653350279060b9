"""The ops that save and restore: TensorFlow's own, with the keys of a format.

The keys to restore from are not constants but a placeholder with a default: they are
chosen for each checkpoint from what it holds. So one saver restores all three formats,
whichever it saves. A value that is not read from the checkpoint (another dtype, or
nothing there) is fed in the place of what RestoreV2 would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.estimator.restoring.restore_errors import MismatchError
from estimator_ckpt.estimator.restoring.restore_keys import RestoreKeys
from estimator_ckpt.estimator.saving import saver_keys
from estimator_ckpt.estimator.saving.saver_keys import Saveables, SaverKeys
from estimator_ckpt.estimator.saving.saver_settings import Settings
from estimator_ckpt.tf_private import savers_api


class SaverOps(savers_api.SaverBuilder):
    """Builds save and restore ops with the keys of a format.

    Attributes:
      keys: the keys of what is saved, once it is collected.
      checkpoint: the user's own tf.train.Checkpoint, or None.
    """

    def __init__(self, settings: Settings, var_list: Any):
        super().__init__()
        self._settings = settings
        self._var_list = var_list
        self._placeholders: list[tuple[tf.Tensor, tuple[str, ...]]] = []
        self.keys = SaverKeys(settings.format, {}, {}, {})
        self.checkpoint: Optional[tf.train.Checkpoint] = None

    def collect(self, variables: Any) -> Saveables:
        del variables  # deferred building never has them
        format, make_checkpoint = self._settings.format, self._settings.checkpoint
        saveables: Saveables = savers_api.saveables_by_name(self._var_list)
        if saver_keys.has_object_keys(saveables):
            self.keys, saveables = saver_keys.as_given(format, saveables)
        elif make_checkpoint is not None:
            self.checkpoint = make_checkpoint()
            self.keys, saveables = saver_keys.of_checkpoint(
                format, self.checkpoint, saveables
            )
        elif format.has_object_keys:
            self.keys, saveables = saver_keys.of_dictionary(format, saveables)
        else:
            self.keys, saveables = saver_keys.of_names(format, saveables)
        return saveables

    def save_key(self, name: str) -> str:
        return self.keys.save_key(name)

    def tensor_to_save(self, name: str, tensor: tf.Tensor) -> tf.Tensor:
        is_step = name == self.keys.step and self.keys.format.has_object_keys
        return tf.cast(tensor, tf.int64) if is_step else tensor

    def is_read_alone(self, name: str) -> bool:
        return self._settings.initializes_missing or name == self.keys.step

    def restore_keys(self, names: Sequence[str]) -> tf.Tensor:
        # Its default is what this saver writes, for whoever imports the .meta file.
        keys = tf1.placeholder_with_default(
            [self.save_key(name) for name in names],
            shape=[len(names)],
            name="restore_keys",
        )
        self._placeholders.append((keys, tuple(names)))
        return keys

    def feed(
        self, session: tf1.Session, source: Checkpoint, found: RestoreKeys
    ) -> dict[tf.Tensor, Any]:
        """What restoring a checkpoint feeds: keys, and values that are not read."""
        feed: dict[tf.Tensor, Any] = {
            placeholder: [found.keys.get(name, "") for name in names]
            for placeholder, names in self._placeholders
        }
        for called in found.missing:
            for output in self.outputs[called]:
                if called in self.keys.variables:  # it is initialized afterwards
                    feed[output.tensor] = _nothing(output)
                else:  # a table: what is in it stays
                    feed[output.tensor] = session.run(output.saved)
        if found.step is not None:
            (output,) = self.outputs[found.step]
            value = source.read(found.keys[found.step])
            if value > output.dtype.max:
                raise MismatchError(
                    f"{source.prefix}: the global step is {value} there, which is more "
                    f"than this graph's {output.dtype.name} can hold: make it int64"
                )
            feed[output.tensor] = value.astype(output.dtype.as_numpy_dtype)
        return feed

    def initialize(self, session: tf1.Session, found: RestoreKeys) -> None:
        """Gives what a checkpoint lacks its initial value, after the rest is there."""
        variables = map(self.keys.variables.get, found.missing)
        session.run([variable.initializers for variable in variables if variable])

    def dtypes(self) -> dict[str, tf.DType]:
        """What is restored, with its dtype."""
        return {called: found[0].dtype for called, found in self.outputs.items()}


def _nothing(output: savers_api.Output) -> Any:
    """A value of the shape and dtype of what is restored."""
    import numpy as np

    static = None if output.saved is None else output.saved.shape
    shape = [size or 0 for size in static.as_list()] if static and static.rank else []
    if output.dtype == tf.string:
        return np.full(shape, b"", dtype=object)
    return np.zeros(shape, output.dtype.as_numpy_dtype)
