"""What can be wrong with a checkpoint that is to be restored.

Each takes the place of an error of TensorFlow's Saver and is one too, so that what
people's jobs catch goes on being caught.
"""

from __future__ import annotations

import tensorflow as tf

from estimator_ckpt.bundle.errors import CheckpointError


class RestoreError(CheckpointError):
    """A checkpoint lacks variables of the graph, or has others in their place."""


class MissingVariableError(RestoreError, tf.errors.NotFoundError):
    """It lacks variables; others may have another shape or dtype."""

    __str__ = Exception.__str__  # TensorFlow's looks for the op that failed

    def __init__(self, message: str) -> None:
        line = _line(message)
        tf.errors.NotFoundError.__init__(self, None, None, line)
        self.args = (line,)


class MismatchError(RestoreError, tf.errors.InvalidArgumentError):
    """Variables have another shape or dtype in it."""

    __str__ = Exception.__str__

    def __init__(self, message: str) -> None:
        line = _line(message)
        tf.errors.InvalidArgumentError.__init__(self, None, None, line)
        self.args = (line,)


class DamagedCheckpointError(CheckpointError, tf.errors.DataLossError):
    """A checkpoint is not whole: a file is missing, cut off, or was changed."""

    __str__ = Exception.__str__

    def __init__(self, message: str) -> None:
        line = _line(message)
        tf.errors.DataLossError.__init__(self, None, None, line)
        self.args = (line,)


def _line(message: str) -> str:
    return str(CheckpointError(message))
