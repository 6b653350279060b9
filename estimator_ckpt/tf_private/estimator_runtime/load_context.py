"""tf.__internal__.register_load_context_function, which tf-keras 2.15.0 calls.

tf-keras 2.15.0 asks for no TensorFlow of its own version, so that it can be installed
beside any without changing it. All of TensorFlow's internal API that it uses is still
there, but for this function: Keras told TensorFlow through it whether a model is being
loaded. From 2.16 on TensorFlow keeps that itself, in a module.

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from estimator_ckpt.tf_private.estimator_runtime.import_hook import Watcher


def watch(watcher: Watcher) -> None:
    """Puts the function in place as TensorFlow's API modules are imported."""
    watcher.after(r"tensorflow\._api\.v2(?:\.compat\.v[12])*\.__internal__", _offer)


def _offer(internal: Any) -> None:
    if not hasattr(internal, "register_load_context_function"):
        internal.register_load_context_function = _register


def _register(is_loading: Callable[[], bool]) -> None:
    """Has TensorFlow ask Keras as well as itself.

    Args:
      is_loading: Keras's function, without arguments.
    """
    from tensorflow.python.distribute import load_context

    tensorflow_is_loading = load_context.in_load_context
    load_context.in_load_context = lambda: tensorflow_is_loading() or is_loading()
