"""Our saver in the place of the one that a Scaffold would have without us.

A Saver of the model_fn's own keeps its retention, and says by its var_list what is
restored from which names; a `tf.train.Checkpoint` keeps its object keys; any other
saver stays in charge.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import logs
from estimator_ckpt.checkpoint import formats
from estimator_ckpt.estimator.saving.saver_settings import DECORATOR, Settings
from estimator_ckpt.estimator.saving.savers import FormatSaver
from estimator_ckpt.tf_private import graph_api, savers_api

_log = logs.logger()


def given_to(base: tf1.train.Scaffold) -> Any:
    """The saver that a job would have without us: a Scaffold's, or the graph's."""
    if base.saver is not None:
        return base.saver
    collected = tf1.get_collection(tf1.GraphKeys.SAVERS)
    return collected[0] if len(collected) == 1 else None


def in_scaffold(
    base: tf1.train.Scaffold,
    given: Any,
    settings: Settings,
    config: Optional[tf.estimator.RunConfig],
) -> tf1.train.Scaffold:
    """A Scaffold with our saver in the place of the given one."""
    if isinstance(given, FormatSaver):
        if given.asked == settings:
            return base
        raise ValueError(
            f"this Scaffold saves {given.settings.format.name!r} checkpoints already, "
            f"with other settings: use either {DECORATOR} or estimator_ckpt.scaffold, "
            f"once"
        )
    saver = in_place_of(given, settings, config)
    if saver is None:
        return base
    in_graph = tf1.get_collection_ref(tf1.GraphKeys.SAVERS)
    in_graph[:] = [saver if each is given else each for each in in_graph]
    return graph_api.with_fields(base, saver=saver)


def in_place_of(
    given: Any, settings: Settings, config: Optional[tf.estimator.RunConfig]
) -> Optional[FormatSaver]:
    """Our saver in the place of another, or None if that one stays in charge.

    Args:
      given: a tf1 Saver, a tf.train.Checkpoint, another saver, or None.
      settings: what the user says.
      config: the job's RunConfig, if there is one.
    """
    used = settings
    var_list = None
    options: dict[str, Any] = {"sharded": True, "save_relative_paths": True}
    if config is not None:
        options["max_to_keep"] = config.keep_checkpoint_max
        options["keep_checkpoint_every_n_hours"] = config.keep_checkpoint_every_n_hours
    if isinstance(given, tf.train.Checkpoint):
        used = _taking(given, settings)
    elif isinstance(given, tf1.train.Saver):
        if settings == Settings(formats.TF1):
            return None  # it saves and restores what we would
        var_list = savers_api.restored_by(given)
        options.update(savers_api.retention_of(given))
    elif given is not None:
        _log.warning(
            "The model_fn's saver is no tf1.train.Saver and no tf.train.Checkpoint: "
            "%r stays in charge, and says what its checkpoints are",
            given,
        )
        return None
    return FormatSaver(
        used,
        asked=settings,
        var_list=var_list,
        model_dir=None if config is None else config.model_dir,
        is_chief=config is None or config.is_chief,
        allow_empty=True,
        **options,
    )


def _taking(given: tf.train.Checkpoint, settings: Settings) -> Settings:
    """The settings, with a model_fn's own tf.train.Checkpoint as `checkpoint`."""
    if settings.checkpoint is not None:
        raise ValueError(
            f"the model_fn's Scaffold has a tf.train.Checkpoint of its own; "
            f"drop it, or {DECORATOR}(checkpoint=...)"
        )
    format = settings.format
    if not format.has_object_keys:  # they are what a Checkpoint is for
        format = formats.TF2
    return dataclasses.replace(settings, checkpoint=lambda: given, format=format)
