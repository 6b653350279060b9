"""Checkpoints for live objects: a Keras model and its optimizer, from a TF1 job.

The object says which keys it restores from; names, maps and layout rules say which of
the source's variables those are. The result is the source's own bytes under these
keys, and one small shard with what had to be computed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator, Sequence
from typing import Any, Optional, Union

from estimator_ckpt.bundle import argument_types, files
from estimator_ckpt.checkpoint import formats, naming
from estimator_ckpt.checkpoint.formats import Format, FormatLike
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.checkpoint.opened_checkpoint import Checkpoint
from estimator_ckpt.checkpoint.roles import Regexes
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.conversion.writing import bundle_copy, drafts, new_bundle
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


@argument_types.checked
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
    return run(
        trackable,
        source,
        Target.of(destination, _one_way(to), data, overwrite, progress),
        Request.of(
            names=names,
            assignment_map=assignment_map,
            layouts=layouts,
            optimizer_state=optimizer_state,
            model_state=model_state,
            iterations=iterations,
            input_shape=input_shape,
            strict=strict,
            save_counter=save_counter,
        ),
    ).path


@argument_types.checked
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
    request = Request.of(
        names=names,
        assignment_map=assignment_map,
        layouts=layouts,
        optimizer_state=optimizer_state,
        model_state=model_state,
        iterations=iterations,
        input_shape=input_shape,
        strict=False,
        save_counter=save_counter,
    )
    return planned(trackable, source, _one_way(to), request)


@dataclasses.dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
      path: the new prefix, or the path of the Keras file.
      plan: what became of each variable.
    """

    path: str
    plan: Plan


def run(
    trackable: Any, source: files.PathLike, target: Target, request: Request
) -> Written:
    """Converts for an object, or back from it; see `convert_for`."""
    with _prepared(trackable, source, target, request) as new:
        new.made.log()
        if new.is_keras_file:
            keras_files.write(trackable, new.description, new.made, new.path)
        else:
            beside, progress = os.path.dirname(new.path), target.progress
            reader = new.checkpoint.reader
            with bundle_copy.as_bundle(reader, beside, progress) as bundle:
                draft = drafts.draft(bundle.index, new.made.key_moves())
                new_bundle.write(bundle, draft, new.path, target)
        return Written(new.path, new.made.plan)


def planned(
    trackable: Any, source: files.PathLike, format: Format, request: Request
) -> Plan:
    """What `run` would do; see `plan_for`."""
    with _opened(source, format, request) as checkpoint:
        if format.has_object_keys and keras_3_models.is_one(trackable):
            description = load_into.described(trackable, request)
        else:
            description = _described(trackable, request)
        return _made(description, checkpoint, format, request).plan


def rehearsed(
    trackable: Any, source: files.PathLike, target: Target, request: Request
) -> Plan:
    """What `run` would do, without doing it; refuses the files that it would.

    Raises:
      As `convert_for`, but for what damaged values and `strict` forbid.
    """
    with _prepared(trackable, source, target, request) as new:
        new_bundle.rehearse(new.checkpoint.reader, new.made.key_moves())
        return new.made.plan


@dataclasses.dataclass(frozen=True)
class _New:
    """What is to be written.

    Attributes:
      path: the new prefix, or the path of the Keras file; it may be written.
      is_keras_file: which of the two.
      checkpoint: the source.
      description: the object.
      made: what becomes of its variables.
    """

    path: str
    is_keras_file: bool
    checkpoint: Checkpoint
    description: ObjectDescription
    made: ObjectPlan


@contextlib.contextmanager
def _prepared(
    trackable: Any, source: files.PathLike, target: Target, request: Request
) -> Iterator[_New]:
    """Everything but the writing; errors are those of `convert_for`."""
    path, format = target.destination, target.format
    is_keras_file = format.has_object_keys and keras_files.is_one(path)
    if is_keras_file:
        path = keras_files.check(trackable, path, target.overwrite)
    with _opened(source, format, request) as checkpoint:
        if not is_keras_file:
            path = target.usable_prefix(checkpoint.prefix)
        describe = load_into.described if is_keras_file else _described
        description = describe(trackable, request)
        made = _made(description, checkpoint, format, request)
        yield _New(path, is_keras_file, checkpoint, description, made)


def _one_way(to: FormatLike) -> Format:
    """The format of one direction: object keys for the object, names back from it.

    Raises:
      ValueError: it has both keys, or is no format.
    """
    for format in formats.FORMATS:
        if to in (format, format.name) and not format.has_both_keys:
            return format
    raise ValueError(f"unknown to {to!r}: use 'tf2', or 'tf1' for the way back")


def _opened(
    source: files.PathLike, format: Format, request: Request
) -> contextlib.AbstractContextManager[Checkpoint]:
    """The source. On the way back it is the object that says what keys mean."""
    names_by = request.names_by if format.has_object_keys else NamesBy.PATH
    return object_requests.opened(source, request, names_by)


def _made(
    description: ObjectDescription,
    checkpoint: Checkpoint,
    format: Format,
    request: Request,
) -> ObjectPlan:
    """What is written: what an object restores, or what a tf1 Saver does."""
    if format.has_object_keys:
        return to_objects.plan(description, checkpoint, request)
    return to_names.plan(description, checkpoint, request)


def _described(trackable: Any, request: Request) -> ObjectDescription:
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
        trackable, request, save_counter=request.save_counter
    )
