"""Scaffolds whose saver saves TF1, TF2 or dual checkpoints, and their decorator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional, Union, overload

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.checkpoint import formats
from estimator_ckpt.estimator import graph_variables, savers
from estimator_ckpt.estimator import model_fn_wrappers as model_fns
from estimator_ckpt.maps.assignment import AssignmentMap
from estimator_ckpt.tf_private import graph_api, savers_api

_DECORATOR = "with_scaffold"
ON_DAMAGED = ("error", "fall_back")


@overload
def with_scaffold(format: model_fns.ModelFn) -> model_fns.ModelFn: ...


@overload
def with_scaffold(
    format: str = "tf2",
    *,
    checkpoint: Optional[savers.CheckpointFactory] = None,
    on_damaged: str = "error",
    assignment_map: Any = None,
) -> Callable[[model_fns.ModelFn], model_fns.ModelFn]: ...


def with_scaffold(
    format: Union[str, model_fns.ModelFn] = "tf2",
    *,
    checkpoint: Optional[savers.CheckpointFactory] = None,
    on_damaged: str = "error",
    assignment_map: Any = None,
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
        is saved under its name. The default layout is that of
        `tf.train.Checkpoint(var_list={name: variable}, step=global_step)`.
      on_damaged: what training does when the latest checkpoint is damaged (its index
        or a shard is missing, cut off or changed): `error` stops and names the newest
        checkpoint that is whole, `fall_back` goes on from that one, with a warning.
        Nothing is deleted. Evaluation and prediction always stop.
      assignment_map: what the variables of checkpoints that were saved under other
        names are called now, as `warm_start_from` takes it: so a job goes on in its
        model dir after its model_fn was renamed. It must leave the new names alone.

    Returns:
      The decorated model_fn, or a decorator.

    Raises:
      ValueError: an unknown format or on_damaged, or a model_fn that has been
        decorated before.
      AssignmentMapError: the map is none.
    """
    if callable(format):
        return with_scaffold("tf2")(format)
    _check(format, checkpoint, on_damaged)
    renames = AssignmentMap.of(assignment_map, name_of=graph_variables.name_of)

    def decorate(model_fn: model_fns.ModelFn) -> model_fns.ModelFn:
        def change(spec: Any, config: Optional[tf.estimator.RunConfig]) -> Any:
            is_training = spec.mode == tf.estimator.ModeKeys.TRAIN
            return model_fns.with_changed_scaffold(
                spec,
                lambda own: scaffold(
                    format,
                    checkpoint=checkpoint,
                    scaffold=own,
                    config=config,
                    on_damaged=on_damaged if is_training else "error",
                    assignment_map=renames,
                ),
            )

        return model_fns.wrap(model_fn, _DECORATOR, change)

    return decorate


def scaffold(
    format: str = "tf2",
    *,
    checkpoint: Optional[savers.CheckpointFactory] = None,
    scaffold: Optional[tf1.train.Scaffold] = None,
    config: Optional[tf.estimator.RunConfig] = None,
    on_damaged: str = "error",
    assignment_map: Any = None,
) -> tf1.train.Scaffold:
    """A Scaffold whose saver saves in `format`, for MonitoredTrainingSession too.

    Args:
      format: `tf1`, `tf2` or `dual`.
      checkpoint: as for `with_scaffold`.
      scaffold: a Scaffold whose other fields to keep.
      config: a RunConfig, for `keep_checkpoint_max` and
        `keep_checkpoint_every_n_hours`; without it TensorFlow's defaults hold (the
        last 5).
      on_damaged: as for `with_scaffold`; holds whenever the saver restores.
      assignment_map: as for `with_scaffold`.

    Raises:
      ValueError: an unknown format or on_damaged, or a Scaffold that has such a
        saver already.
    """
    _check(format, checkpoint, on_damaged)
    renames = AssignmentMap.of(assignment_map, name_of=graph_variables.name_of)
    base = scaffold or tf1.train.Scaffold()
    given = base.saver
    if given is None:
        collected = tf1.get_collection(tf1.GraphKeys.SAVERS)
        given = collected[0] if len(collected) == 1 else None
    if isinstance(given, savers.FormatSaver):
        raise ValueError(
            f"this Scaffold saves {given.format!r} checkpoints already: use either "
            f"{_DECORATOR} or estimator_ckpt.scaffold, once"
        )
    settings: dict[str, Any] = {"sharded": True, "save_relative_paths": True}
    if config is not None:
        settings["max_to_keep"] = config.keep_checkpoint_max
        settings["keep_checkpoint_every_n_hours"] = config.keep_checkpoint_every_n_hours
    var_list = None
    if isinstance(given, tf.train.Checkpoint):
        if checkpoint is not None:
            raise ValueError(
                f"the model_fn's Scaffold has a tf.train.Checkpoint of its own; "
                f"drop it, or {_DECORATOR}(checkpoint=...)"
            )
        own = given
        checkpoint = lambda: own  # noqa: E731
        if not formats.parse(format).has_object_keys:
            format = formats.TF2.name  # its keys are object keys
    elif given is not None:
        if not isinstance(given, tf1.train.Saver):
            return base
        if not (formats.parse(format).has_object_keys or renames):
            return base
        var_list = savers_api.restored_by(given)
        settings.update(savers_api.retention_of(given))
    saver = savers.FormatSaver(
        format,
        checkpoint=checkpoint,
        var_list=var_list,
        on_damaged=on_damaged,
        assignment_map=renames,
        allow_empty=True,
        **settings,
    )
    return graph_api.with_fields(base, saver=saver)


def _check(
    format: str, checkpoint: Optional[savers.CheckpointFactory], on_damaged: str
) -> None:
    formats.parse(format)
    if on_damaged not in ON_DAMAGED:
        raise ValueError(
            f"unknown on_damaged {on_damaged!r}: use 'error' or 'fall_back'"
        )
    if checkpoint is not None and not callable(checkpoint):
        raise ValueError(
            "checkpoint must be a function of no arguments that makes the "
            f"tf.train.Checkpoint when the graph is complete, not {checkpoint!r}"
        )
