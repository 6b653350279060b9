"""Private names of TensorFlow's that moved, and that jobs use (TensorFlow Mesh does).

`tensorflow.python.framework.ops.register_tensor_conversion_function` is in a module of
its own since TensorFlow 2.13; 2.15.1 lacks the old name as well.

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

from typing import Any

from estimator_ckpt.tf_private.estimator_runtime.import_hook import Watcher

_NAME = "register_tensor_conversion_function"


def watch(watcher: Watcher) -> None:
    """Puts the old names in place when their modules are imported."""
    watcher.after(r"tensorflow\.python\.framework\.ops", _offer)


def _offer(ops: Any) -> None:
    if not hasattr(ops, _NAME):
        from tensorflow.python.framework import tensor_conversion_registry

        setattr(ops, _NAME, getattr(tensor_conversion_registry, _NAME))
