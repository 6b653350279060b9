"""Checkpoints for live objects: a Keras model and its optimizer, from a TF1 job.

The object says which keys it restores from; names, maps and layout rules say which of
the source's variables those are. The result is the source's own bytes under these
keys, and one small shard with what had to be computed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Optional, Union

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint import naming, opening
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.conversion.writing import new_bundle
from estimator_ckpt.keras import (
    keras_files,
    load_into,
    object_requests,
    to_names,
    to_objects,
)
from estimator_ckpt.keras.object_plans import ObjectPlan
from estimator_ckpt.keras.object_requests import Iterations, Request
from estimator_ckpt.keras.objects import keras_3_models
from estimator_ckpt.keras.objects.descriptions import ObjectDescription, TrackableError
from estimator_ckpt.layouts import layer_rules
from estimator_ckpt.maps.plans import Plan
from estimator_ckpt.tf_private import keras_api


def convert_for(
    trackable: Any,
    source: files.PathLike,
    destination: files.PathLike,
    *,
    to: str = "tf2",
    assignment_map: Any = None,
    layouts: layer_rules.Layouts = None,
    optimizer_state: Union[bool, Regexes] = True,
    model_state: Regexes = None,
    iterations: Iterations = None,
    input_shape: Optional[Sequence[Optional[int]]] = None,
    names: naming.NamesLike = "full_name",
    strict: bool = True,
    save_counter: bool = True,
    data: str = "auto",
    overwrite: bool = False,
    progress: Optional[files.Progress] = None,
) -> str:
    """Writes the checkpoint that a live object restores everything from.

    `tf.train.Checkpoint(...).restore(prefix).assert_consumed()` passes. With
    `to="tf1"` it is the other way round: from a checkpoint that the object wrote to
    one for a tf1 Saver, with slots, beta powers and the global step.

    Args:
      trackable: a Keras model or layer, a `tf.train.Checkpoint`, a `tf.Module`, or a
        dict, which stands for `tf.train.Checkpoint(**dict)`; its keys are those of the
        result. Optimizers in it that are not built are built.
      source: a checkpoint in any format, as `open_checkpoint` takes it: of a TF1 job,
        or of another object (such as one whose optimizer is a legacy one).
      destination: the new prefix, or a directory, as for `convert`; or the path of a
        Keras file that ends in `.weights.h5`, which gets the weights of a model and,
        if it is compiled, its optimizer.
      to: `tf2` for the object, or `tf1` back from it.
      assignment_map: from the names in `source` to those of the result, as for
        `convert`.
      layouts: rules for layers that differ in more than names (LSTM, GRU, fused
        kernels), from tf1 to Keras in both directions: a list of dicts or a YAML file;
        see `layouts.layer_rules`.
      optimizer_state: whether slots and steps are converted; else the object's own
        values are written. Or regexes: they are converted, and what these match in
        the source is optimizer state, whatever the evidence says (`re.match`).
      model_state: regexes of variables of the source that are not optimizer state,
        whatever the evidence says; they win.
      iterations: the steps that the optimizer has taken, or a dict of them by the path
        of each optimizer in the object. None: from its step counter or beta powers,
        else the global step.
      input_shape: what to build a model with that is not built.
      names: what variables of an object-based source are called, as for
        `open_checkpoint`. With `path`, variables of the object that share a name are
        called by their paths, too.
      strict: whether a variable that the source lacks is an error; else it gets the
        object's own value, with a warning.
      save_counter: whether the result has one: `tf.train.Checkpoint.restore` asks for
        it, and `read` and `model.load_weights` must not find it.
      data: as for `convert`.
      overwrite: whether to replace a checkpoint that is there.
      progress: as for `convert`.

    Returns:
      The new prefix, or the path of the Keras file.

    Raises:
      ValueError: an unknown `to`, `data` or `names`.
      CheckpointNotFoundError: there is no source.
      DestinationExistsError: the destination is there, and overwrite is False.
      TrackableError: the object has no variables, or is not built.
      ConversionError: variables or slots are missing or do not fit; lists them all.
      OptimizerStateError: the source has the state of another optimizer, or none.
      AmbiguousNameError: two variables claim one name.
      AssignmentMapError: the map cannot be read, or gives two variables one name.
      LayoutRuleError: a layout rule is malformed, or does not fit.
      In all of these cases nothing is written.
    """
    way = _way(to)
    target = Target.of(destination, to, data, overwrite, progress)
    request = Request.of(
        names=names,
        assignment_map=assignment_map,
        layouts=layouts,
        optimizer_state=optimizer_state,
        model_state=model_state,
        iterations=iterations,
        strict=strict,
    )
    if target.format.has_object_keys and keras_files.is_one(destination):
        path = keras_files.check(trackable, destination, overwrite)
        with object_requests.opened(source, request) as checkpoint:
            description = load_into.described(trackable, request, input_shape)
            made = way.plan(description, checkpoint, request)
            made.log()
            keras_files.write(trackable, description, made, path)
        return path
    with object_requests.opened(source, request, way.names_by) as checkpoint:
        prefix = target.usable_prefix(checkpoint.prefix)
        description = _described(trackable, request, input_shape, save_counter)
        made = way.plan(description, checkpoint, request)
        made.log()
        with opening.as_bundle(checkpoint, os.path.dirname(prefix)) as bundle:
            new_bundle.write(bundle.bundle, made.key_moves(), prefix, target)
    return prefix


def plan_for(
    trackable: Any,
    source: files.PathLike,
    *,
    to: str = "tf2",
    assignment_map: Any = None,
    layouts: layer_rules.Layouts = None,
    optimizer_state: Union[bool, Regexes] = True,
    model_state: Regexes = None,
    iterations: Iterations = None,
    input_shape: Optional[Sequence[Optional[int]]] = None,
    names: naming.NamesLike = "full_name",
    save_counter: bool = True,
) -> Plan:
    """What `convert_for` would do with the same options. Writes nothing.

    Args:
      trackable: as for `convert_for`.
      source: as for `convert_for`.
      to: as for `convert_for`.
      assignment_map: as for `convert_for`.
      layouts: as for `convert_for`.
      optimizer_state: as for `convert_for`.
      model_state: as for `convert_for`.
      iterations: as for `convert_for`.
      input_shape: as for `convert_for`.
      names: as for `convert_for`.
      save_counter: as for `convert_for`.

    Returns:
      The plan. `reset` are values that the source does not have; `unused` also says
      what will not go on exactly as it was.

    Raises:
      As `convert_for`, but for variables that are missing or do not fit, which the
      plan shows.
    """
    way = _way(to)
    request = Request.of(
        names=names,
        assignment_map=assignment_map,
        layouts=layouts,
        optimizer_state=optimizer_state,
        model_state=model_state,
        iterations=iterations,
        strict=False,
    )
    with object_requests.opened(source, request, way.names_by) as checkpoint:
        if way.names_by is None and keras_3_models.is_one(trackable):
            description = load_into.described(trackable, request, input_shape)
        else:
            description = _described(trackable, request, input_shape, save_counter)
        return way.plan(description, checkpoint, request).plan


class _Way(NamedTuple):
    """One of the two directions.

    Attributes:
      plan: what decides what is written.
      names_by: what the source's variables are called, whatever the user says: on the
        way back the object says what keys mean. None: as the user says.
    """

    plan: Callable[[ObjectDescription, Checkpoint, Request], ObjectPlan]
    names_by: Optional[NamesBy]


_WAYS = {
    "tf2": _Way(to_objects.plan, None),
    "tf1": _Way(to_names.plan, NamesBy.PATH),
}


def _way(to: str) -> _Way:
    if to not in _WAYS:
        raise ValueError(f"unknown to {to!r}: use 'tf2', or 'tf1' for the way back")
    return _WAYS[to]


def _described(
    trackable: Any,
    request: Request,
    input_shape: Optional[Sequence[Optional[int]]],
    save_counter: bool,
) -> ObjectDescription:
    """An object that TensorFlow can restore.

    Raises:
      TrackableError: it is one of Keras 3 with another backend, among others.
    """
    if keras_3_models.is_one(trackable):
        raise TrackableError(
            f"{trackable!r}: with Keras's backend {keras_api.backend()!r} no "
            f"tf.train.Checkpoint restores it: give a destination .weights.h5 or "
            f".keras, or load_into"
        )
    return load_into.described_by_tensorflow(
        trackable, request, input_shape, save_counter
    )
