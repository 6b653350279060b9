"""TensorFlow's deprecation warnings, cut down to one line.

tensorflow-estimator marks each of its names as deprecated, and uses hundreds that
TensorFlow marks: a job that trains writes screens of "is deprecated and will be
removed", which nobody can follow who is to change nothing.

Checked against TensorFlow 2.15.1, 2.16.2, 2.18.1, 2.20.0 and 2.21.0.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any

from estimator_ckpt.tf_private.estimator_runtime.import_hook import Watcher

_MARKS = (
    "Instructions for updating",
    "is deprecated. Please use",  # names of the v1 API
)
#: What Keras says of tf.layers and the like, as a warning of Python's.
_KERAS_MARK = r"`tf\.[\w.]+` is deprecated and will be removed"
_INSTEAD = (
    "TensorFlow's deprecation warnings are not shown; estimator-ckpt run --warnings "
    "shows them"
)


def watch(watcher: Watcher) -> None:
    """Filters TensorFlow's log from the moment TensorFlow is imported."""
    watcher.before("tensorflow", _filter)


def _filter(tensorflow: Any) -> None:
    has_said = False

    def keep(record: logging.LogRecord) -> bool:
        nonlocal has_said
        if not any(mark in str(record.msg) for mark in _MARKS):
            return True
        is_first, has_said = not has_said, True
        record.msg, record.args = _INSTEAD, ()
        return is_first

    logging.getLogger("tensorflow").addFilter(keep)
    warnings.filterwarnings("ignore", _KERAS_MARK, UserWarning)
