"""Keras's own files (`.weights.h5`, `.keras`), written by Keras.

Such a file cannot share bytes with a checkpoint, so here the model is filled and saved:
the cost is that of its bytes, and the values pass through the model, which has its own
again afterwards.
"""

from __future__ import annotations

import os
from typing import Any

from estimator_ckpt.bundle import files
from estimator_ckpt.bundle.errors import CheckpointError
from estimator_ckpt.bundle.local_files.output_file import already_there
from estimator_ckpt.keras import assigning
from estimator_ckpt.keras.object_plans import ObjectPlan
from estimator_ckpt.keras.objects.descriptions import ObjectDescription, TrackableError
from estimator_ckpt.tf_private import keras_api

_WEIGHTS, _MODEL = ".weights.h5", ".keras"


def is_one(path: files.PathLike) -> bool:
    """Whether a path is that of a Keras file."""
    return os.fspath(path).endswith((".h5", _MODEL))


def check(trackable: Any, destination: files.PathLike, overwrite: bool) -> str:
    """The path of a Keras file that may be written.

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
    if not path.endswith((_WEIGHTS, _MODEL)):
        raise CheckpointError(
            f"{path}: a file of Keras weights ends in {_WEIGHTS}, and one of a whole "
            f"model in {_MODEL}"
        )
    if not keras_api.is_model(trackable):
        raise TrackableError(
            f"{path}: a file of Keras holds a model and the optimizer that it is "
            f"compiled with, so give the model itself, not {trackable!r}"
        )
    if files.exists(path) and not overwrite:
        raise already_there(path)
    return path


def write(
    model: Any, description: ObjectDescription, made: ObjectPlan, path: str
) -> None:
    """Writes a Keras file; the model has its own values again afterwards.

    Args:
      model: a Keras model, with its optimizer if it is compiled.
      description: the same, described.
      made: what its variables are to be.
      path: the file, which `check` has seen.

    Raises:
      TrackableError: Keras cannot save such a model whole.
    """
    directory = os.path.dirname(path)
    files.make_dirs(directory)
    with files.temporary_dir(directory) as temporary:
        with assigning.assigned_meanwhile(description, made):
            if path.endswith(_WEIGHTS):
                new = os.path.join(temporary, f"new{_WEIGHTS}")
                model.save_weights(new)
            else:
                new = os.path.join(temporary, f"new{_MODEL}")
                _save_whole(model, new, path)
        files.rename(new, path)


def _save_whole(model: Any, new: str, path: str) -> None:
    try:
        model.save(new)
    except (NotImplementedError, TypeError, ValueError) as error:  # by its layers
        raise TrackableError(
            f"{path}: Keras cannot save the model {model.name!r} whole: "
            f"{' '.join(str(error).split())}. {_WEIGHTS} needs nothing of its layers "
            f"but their variables"
        ) from error
