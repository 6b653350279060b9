"""A checkpoint into a live object, without a file in between."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any, Optional, Union

from estimator_ckpt.bundle import argument_types, files
from estimator_ckpt.checkpoint import naming
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.keras import assigning, object_requests, to_objects
from estimator_ckpt.keras.object_requests import Iterations, Request
from estimator_ckpt.keras.objects import keras_3_models
from estimator_ckpt.keras.objects.descriptions import ObjectDescription, TrackableError
from estimator_ckpt.layouts import layer_rules
from estimator_ckpt.maps.plans import Plan


@argument_types.checked
def load_into(
    trackable: Any,
    source: files.PathLike,
    *,
    assignment_map: Any = None,
    layouts: layer_rules.Layouts = None,
    optimizer_state: Union[bool, Regexes] = True,
    model_state: Regexes = None,
    iterations: Iterations = None,
    input_shape: Optional[Sequence[Optional[int]]] = None,
    names: naming.NamesLike = "full_name",
    strict: bool = True,
) -> Plan:
    """Gives a live object the values of a checkpoint: `convert_for` without a file.

    For models of tf.keras, tf-keras and Keras 3, with any of its backends; a compiled
    model has its optimizer with it. What the source does not have keeps its value, as
    `convert_for` would write it.

    Args:
      trackable: a Keras model or layer, a `tf.train.Checkpoint`, a `tf.Module`, or a
        dict of these and of optimizers. What is not built is built.
      source: as for `convert_for`.
      assignment_map: as for `convert_for`.
      layouts: as for `convert_for`.
      optimizer_state: as for `convert_for`.
      model_state: as for `convert_for`.
      iterations: as for `convert_for`.
      input_shape: as for `convert_for`.
      names: as for `convert_for`.
      strict: as for `convert_for`.

    Returns:
      What became of each variable.

    Raises:
      As `convert_for`. Then no variable has changed: everything is decided, and what
      is read is checked against its checksums, before the first is assigned.
    """
    request = Request.of(
        names=names,
        assignment_map=assignment_map,
        layouts=layouts,
        optimizer_state=optimizer_state,
        model_state=model_state,
        iterations=iterations,
        input_shape=input_shape,
        strict=strict,
        save_counter=False,
    )
    with object_requests.opened(source, request) as checkpoint:
        description = described(trackable, request)
        made = to_objects.plan(description, checkpoint, request)
        made.log()
        assigning.assign(description, made)
        return made.plan


def described(trackable: Any, request: Request) -> ObjectDescription:
    """An object described for its variables to be assigned."""
    if keras_3_models.is_one(trackable):
        return keras_3_models.describe(trackable, input_shape=request.input_shape)
    return described_by_tensorflow(trackable, request, save_counter=False)


def described_by_tensorflow(
    trackable: Any, request: Request, *, save_counter: bool
) -> ObjectDescription:
    """An object of TensorFlow's described.

    Raises:
      TrackableError: TensorFlow is not installed, among others.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise TrackableError(
            f"{trackable!r} is nothing of Keras 3 with another backend than "
            f"TensorFlow, and TensorFlow, which all else needs, is not installed"
        )
    from estimator_ckpt.keras.objects import trackables  # imports TensorFlow

    return trackables.describe(
        trackable,
        save_counter=save_counter,
        input_shape=request.input_shape,
        names_by=request.names_by,
    )
