"""Checkpoints for live objects: a Keras model and its optimizer, from a TF1 job.

The object says which keys it restores from; names, maps and layout rules say which of
the source's variables those are. The result is the source's own bytes under these
keys, and one small shard with what had to be computed.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any, Optional

from estimator_ckpt.bundle import files
from estimator_ckpt.checkpoint import naming, opening
from estimator_ckpt.checkpoint.naming import NamesBy
from estimator_ckpt.checkpoint.opening import Checkpoint
from estimator_ckpt.conversion import new_bundle
from estimator_ckpt.conversion.targets import Target
from estimator_ckpt.keras import to_names, to_objects, trackables, weights_file
from estimator_ckpt.keras.object_plans import ObjectPlan
from estimator_ckpt.keras.to_objects import Iterations, Request
from estimator_ckpt.layouts import layer_rules
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.maps.plans import Plan

_log = logging.getLogger("estimator_ckpt")


def convert_for(
    trackable: Any,
    source: files.PathLike,
    destination: files.PathLike,
    *,
    to: str = "tf2",
    assignment_map: Any = None,
    layouts: layer_rules.Layouts = None,
    optimizer_state: bool = True,
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
        values are written.
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
    target = Target.of(destination, to, data, overwrite, progress)
    naming.parse(names)
    request = _request(
        to, assignment_map, layouts, optimizer_state, iterations, strict=strict
    )
    describe = functools.partial(
        trackables.describe, input_shape=input_shape, names_by=names
    )
    if to == "tf2" and weights_file.is_one(destination):
        path = weights_file.check(trackable, destination, overwrite)
        with _opened(source, names, to) as checkpoint:
            description = describe(trackable)
            made = to_objects.plan(description, checkpoint, request)
            _report(made)
            weights_file.write(trackable, description, made, path)
        return path
    with _opened(source, names, to) as checkpoint:
        prefix = target.usable_prefix(checkpoint.prefix)
        description = describe(trackable, save_counter=save_counter)
        made = _WAYS[to](description, checkpoint, request)
        _report(made)
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
    optimizer_state: bool = True,
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
    naming.parse(names)
    request = _request(
        to, assignment_map, layouts, optimizer_state, iterations, strict=False
    )
    with _opened(source, names, to) as checkpoint:
        description = trackables.describe(
            trackable,
            save_counter=save_counter,
            input_shape=input_shape,
            names_by=names,
        )
        return _WAYS[to](description, checkpoint, request).plan


#: What plans each way.
_WAYS = {"tf2": to_objects.plan, "tf1": to_names.plan}


def _request(
    to: str,
    assignment_map: Any,
    layouts: layer_rules.Layouts,
    optimizer_state: bool,
    iterations: Iterations,
    *,
    strict: bool,
) -> Request:
    """What a user asks for, checked."""
    if to not in _WAYS:
        raise ValueError(f"unknown to {to!r}: use 'tf2', or 'tf1' for the way back")
    return Request(
        renames=AssignmentMap.of(assignment_map),
        rules=layer_rules.rules_of(layouts),
        optimizer_state=optimizer_state,
        iterations=iterations,
        strict=strict,
    )


@contextlib.contextmanager
def _opened(
    source: files.PathLike, names: naming.NamesLike, to: str
) -> Iterator[Checkpoint]:
    """The source.

    Args:
      source: its path.
      names: what variables are called.
      to: what is made of it; on the way back the object says what keys mean.
    """
    names_by = NamesBy.PATH if to == "tf1" else naming.parse(names)
    with opening.opened(source, names=names_by) as checkpoint:
        checkpoint.contents.require_unique(checkpoint.prefix)
        yield checkpoint


def _report(made: ObjectPlan) -> None:
    """Logs what becomes of each variable, and what is not as it was."""
    for item in made.plan.items:
        if item.target is None:
            continue
        _log.info("%s: %s (%s)", item.name, item.verdict.value, item.because)
        if item.verdict.is_problem:
            _log.warning("%s: %s; it keeps its own value", item.name, item.because)
    for sentence in made.warnings:
        _log.warning("%s", sentence)
