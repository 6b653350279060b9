"""Keras's own weight files (`.weights.h5`), written by Keras.

A file of HDF5 cannot share bytes with a checkpoint, so here the model is filled and
saved: the cost is that of its bytes, and the values pass through the model, which has
its own again afterwards.
"""

from __future__ import annotations

import os
from typing import Any

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError, DestinationExistsError
from estimator_ckpt.keras import loading
from estimator_ckpt.keras.descriptions import ObjectDescription, TrackableError
from estimator_ckpt.keras.object_plans import ObjectPlan
from estimator_ckpt.tf_private import keras_api

_SUFFIX = ".weights.h5"


def is_one(path: files.PathLike) -> bool:
    """Whether a path is that of a Keras weight file."""
    return os.fspath(path).endswith(".h5")


def check(trackable: Any, destination: files.PathLike, overwrite: bool) -> str:
    """The path of a weight file that may be written.

    Args:
      trackable: what is to be in it.
      destination: the file.
      overwrite: whether to replace a file that is there.

    Raises:
      TrackableError: it is no Keras model.
      CheckpointError: the file's name is none that Keras takes.
      DestinationExistsError: the file is there, and overwrite is False.
    """
    path = files.local(destination)
    if not path.endswith(_SUFFIX):
        raise CheckpointError(f"{path}: a Keras weight file ends in {_SUFFIX}")
    if not keras_api.is_model(trackable):
        raise TrackableError(
            f"{path}: a Keras weight file holds a model and the optimizer that it is "
            f"compiled with, so give the model itself, not {trackable!r}"
        )
    if files.exists(path) and not overwrite:
        raise DestinationExistsError(
            f"{path}: already there; give another destination, or overwrite it "
            f"(overwrite=True, --overwrite)"
        )
    return path


def write(
    model: Any, description: ObjectDescription, made: ObjectPlan, path: str
) -> None:
    """Writes a Keras weight file; the model has its own values again afterwards.

    Args:
      model: a Keras model, with its optimizer if it is compiled.
      description: the same, described.
      made: what its variables are to be.
      path: the file, which `check` has seen.
    """
    files.make_dirs(os.path.dirname(path))
    with files.temporary_dir(os.path.dirname(path)) as directory:
        new = os.path.join(directory, f"new{_SUFFIX}")
        with loading.loaded_meanwhile(description, made):
            model.save_weights(new)
        files.rename(new, path)
