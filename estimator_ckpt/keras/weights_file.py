"""Keras's own weight files (`.weights.h5`), written by Keras.

A file of HDF5 cannot share bytes with a checkpoint, so here the model is filled and
saved: the cost is that of its bytes, and the values pass through the model, which has
its own again afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Optional

import tensorflow as tf

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, DestinationExistsError
from estimator_ckpt.keras import trackables
from estimator_ckpt.keras.described import TrackableError

_SUFFIX = ".weights.h5"


def is_one(path: files.PathLike) -> bool:
    """Whether a path is that of a Keras weight file."""
    return os.fspath(path).endswith(".h5")


def write(
    trackable: Any,
    destination: files.PathLike,
    convert: Callable[[Any, str], str],
    *,
    input_shape: Optional[Sequence[Optional[int]]],
    names: str,
    overwrite: bool,
) -> str:
    """Writes a Keras weight file.

    Args:
      trackable: a Keras model, with its optimizer if it is compiled.
      destination: the file.
      convert: writes a checkpoint for an object under a prefix.
      input_shape: what to build a model with that is not built.
      names: what variables are called, as for `convert_for`.
      overwrite: whether to replace a file that is there.

    Raises:
      TrackableError: it is no Keras model.
      CheckpointError: the file's name is none that Keras takes.
      DestinationExistsError: the file is there, and overwrite is False.
    """
    path = files.local(destination)
    if not path.endswith(_SUFFIX):
        raise CheckpointError(f"{path}: a Keras weight file ends in {_SUFFIX}")
    if not trackables.is_model(trackable):
        raise TrackableError(
            f"{path}: a Keras weight file holds a model and the optimizer that it is "
            f"compiled with, so give the model itself, not {trackable!r}"
        )
    if files.exists(path) and not overwrite:
        raise DestinationExistsError(
            f"{path}: already there; give another destination, or overwrite it "
            f"(overwrite=True, --overwrite)"
        )
    described = trackables.describe(trackable, input_shape=input_shape, names_by=names)
    every = [
        *described.variables.values(),
        *(live for optimizer in described.optimizers for live in optimizer.variables),
    ]
    files.make_dirs(os.path.dirname(path))
    with files.temporary_dir(os.path.dirname(path)) as directory:
        prefix = convert(trackable, os.path.join(directory, "checkpoint"))
        before = [(live.variable, live.value()) for live in every]
        try:
            checkpoint = tf.train.Checkpoint(trackable)
            checkpoint.restore(prefix).assert_consumed()
            new = os.path.join(directory, f"new{_SUFFIX}")
            trackable.save_weights(new)
        finally:
            for variable, value in before:
                variable.assign(value)
        files.rename(new, path)
    return path
