"""Scaffolds whose saver saves TF1, TF2 or dual checkpoints, and their decorator.

A program decorates its model_fns whether it trains or not: so this loads no more than
it takes to look at what a user says. What a model_fn's spec needs is loaded with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional, Union, overload

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import argument_types
from estimator_ckpt.checkpoint import formats
from estimator_ckpt.checkpoint.roles import Overruling, Regexes
from estimator_ckpt.estimator import graph_variables
from estimator_ckpt.estimator import model_fn_wrappers as model_fns
from estimator_ckpt.estimator.saving.saver_settings import (
    DECORATOR,
    ON_DAMAGED,
    ON_MISSING,
    CheckpointFactory,
    Settings,
)
from estimator_ckpt.maps.assignment import AssignmentMap


@overload
def with_scaffold(format: model_fns.ModelFn) -> model_fns.ModelFn: ...


@overload
def with_scaffold(
    format: str = "tf2",
    *,
    checkpoint: Optional[CheckpointFactory] = None,
    on_damaged: str = "error",
    on_missing: str = "error",
    assignment_map: Any = None,
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
) -> Callable[[model_fns.ModelFn], model_fns.ModelFn]: ...


@argument_types.checked
def with_scaffold(
    format: Union[str, model_fns.ModelFn] = "tf2",
    *,
    checkpoint: Optional[CheckpointFactory] = None,
    on_damaged: str = "error",
    on_missing: str = "error",
    assignment_map: Any = None,
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
) -> Any:
    """Makes a model_fn's checkpoints `format`, without touching its body.

    The spec that the model_fn returns gets a Scaffold whose saver writes checkpoints
    of this format and restores from any of them. Every other field of the spec and of
    a Scaffold of its own is kept. A saver of its own is heeded: a tf1 Saver says what
    is saved and restored under which names (with `tf1` it stays itself), a
    `tf.train.Checkpoint` is taken as `checkpoint` (with `tf1` too: its keys stay).

    Works as `@with_scaffold`, `@with_scaffold("tf1")` and
    `@with_scaffold(checkpoint=...)`, on functions, methods, callable objects and
    partials, in every mode, and on model_fns that return a TPUEstimatorSpec.

    Args:
      format: `tf1` (keys are variable names), `tf2` (keys are object keys), `dual`
        (both, pointing at the same bytes).
      checkpoint: a zero-argument callable that gives the `tf.train.Checkpoint` whose
        object keys are to be used, such as that of a Keras model and its optimizer.
        It is called when the graph is complete. What the Checkpoint does not track
        is saved under its name. The default keys are those of
        `tf.train.Checkpoint(var_list={name: variable}, step=global_step)`.
      on_damaged: what training does when the latest checkpoint is damaged (its index
        or a shard is missing, cut off or changed): `error` stops and names the newest
        checkpoint that is whole, `fall_back` goes on from that one, with a warning.
        Nothing is deleted. Evaluation and prediction always stop.
      on_missing: what to do about variables that the checkpoint lacks which is to be
        restored (the graph has changed: averages, another optimizer, a new head):
        `error` lists them, `initialize` starts them at their initial values, an
        average at its variable's value, with one warning that lists them. The global
        step stays, and what has another shape is an error still.
      assignment_map: what the variables of checkpoints that were saved under other
        names are called now, as `warm_start_from` takes it: so a job goes on in its
        model dir after its model_fn was renamed. It must leave the new names alone.
      optimizer_state: regexes of variables of these that are optimizer state, whatever
        the evidence says: slots follow what a map renames.
      model_state: the same of those that are not; this one wins.

    Returns:
      The decorated model_fn, or a decorator. A model_fn that is decorated once more
      with the same settings stays as it is.

    Raises:
      ValueError: an unknown format, on_damaged or on_missing, or a model_fn that has
        been decorated before, with other settings.
      AssignmentMapError: the map is none.
      RoleError: a regex is none.
      ModelDirError: (when the model_fn is called) TensorFlow takes the model dir's
        path for a pattern.
      DamagedCheckpointError: (when training begins) the model dir's state file is
        missing or cut off, and checkpoints are there; names the newest whole one.
    """
    if callable(format):
        return with_scaffold("tf2")(format)
    overruling = Overruling.of(optimizer_state, model_state)
    settings = _settings(
        format, checkpoint, on_damaged, on_missing, assignment_map, overruling
    )

    def decorate(model_fn: model_fns.ModelFn) -> model_fns.ModelFn:
        def change(spec: Any, config: Optional[tf.estimator.RunConfig]) -> Any:
            from estimator_ckpt.estimator import spec_scaffolds

            return spec_scaffolds.with_savers(spec, settings, config)

        return model_fns.wrap(model_fn, DECORATOR, change, settings=settings)

    return decorate


@argument_types.checked
def scaffold(
    format: str = "tf2",
    *,
    checkpoint: Optional[CheckpointFactory] = None,
    scaffold: Optional[tf1.train.Scaffold] = None,
    config: Optional[tf.estimator.RunConfig] = None,
    on_damaged: str = "error",
    on_missing: str = "error",
    assignment_map: Any = None,
    optimizer_state: Regexes = None,
    model_state: Regexes = None,
) -> tf1.train.Scaffold:
    """A Scaffold whose saver saves in `format`, for MonitoredTrainingSession too.

    Args:
      format: `tf1`, `tf2` or `dual`.
      checkpoint: as for `with_scaffold`.
      scaffold: a Scaffold whose other fields to keep.
      config: a RunConfig, for `keep_checkpoint_max` and
        `keep_checkpoint_every_n_hours`; without it TensorFlow's defaults hold (the
        last 5). With a model_dir, that is looked at as `with_scaffold` does before it
        trains.
      on_damaged: as for `with_scaffold`; holds whenever the saver restores.
      on_missing: as for `with_scaffold`.
      assignment_map: as for `with_scaffold`.
      optimizer_state: as for `with_scaffold`.
      model_state: as for `with_scaffold`.

    Raises:
      ValueError: an unknown format, on_damaged or on_missing, or a Scaffold that has
        such a saver already, with other settings.
      As `with_scaffold`, if `config` has a model_dir.
    """
    overruling = Overruling.of(optimizer_state, model_state)
    settings = _settings(
        format, checkpoint, on_damaged, on_missing, assignment_map, overruling
    )
    from estimator_ckpt.estimator import spec_scaffolds
    from estimator_ckpt.estimator.saving import replaced_savers

    spec_scaffolds.look_at_model_dir(settings, config, is_training=True)
    base = scaffold or tf1.train.Scaffold()
    return replaced_savers.in_scaffold(
        base, replaced_savers.given_to(base), settings, config
    )


def _settings(
    format: str,
    checkpoint: Optional[CheckpointFactory],
    on_damaged: str,
    on_missing: str,
    assignment_map: Any,
    overruling: Overruling,
) -> Settings:
    for name, value, choices in (
        ("on_damaged", on_damaged, ON_DAMAGED),
        ("on_missing", on_missing, ON_MISSING),
    ):
        if value not in choices:
            raise ValueError(
                f"unknown {name} {value!r}: use {' or '.join(map(repr, choices))}"
            )
    if checkpoint is not None and not callable(checkpoint):
        raise ValueError(
            "checkpoint must be a function of no arguments that makes the "
            f"tf.train.Checkpoint when the graph is complete, not {checkpoint!r}"
        )
    return Settings(
        formats.parse(format),
        checkpoint,
        on_damaged,
        on_missing,
        AssignmentMap.of(assignment_map, name_of=graph_variables.name_of),
        overruling,
    )
