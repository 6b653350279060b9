"""A job's first run, which begins with the variables of an old checkpoint.

Later ones resume: a job whose model dir has a checkpoint is not warm-started.
"""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import files, logs
from estimator_ckpt.estimator import model_fn_wrappers as model_fns
from estimator_ckpt.estimator.restoring import job_dirs, job_sources, resuming
from estimator_ckpt.estimator.warm_starts.carried_values import Vocabularies
from estimator_ckpt.estimator.warm_starts.warm_start_hook import (
    WarmStart,
    with_warm_start,
)
from estimator_ckpt.maps.choices import Choice
from estimator_ckpt.tf_private import graph_api

_log = logs.logger()


def warm_started(
    spec: Any,
    config: Optional[tf.estimator.RunConfig],
    source: files.PathLike,
    choice: Choice,
    *,
    vocabularies: Vocabularies,
    strict: bool,
) -> Any:
    """The spec for training, of a job that is to begin with old variables.

    Args:
      spec: the model_fn's, in TRAIN mode.
      config: the job's; None if nobody gave one.
      source: where the old variables are.
      choice: which are carried.
      vocabularies: those that rows follow, by variable name.
      strict: whether what cannot be carried is an error.

    Raises:
      As `warm_start_from` says for when training begins.
    """
    if config is not None and config.model_dir:
        job_dirs.require_plain(config.model_dir)
        existing = resuming.what_is_there(config.model_dir)
        if existing is not None:
            _log.info("Not warm-starting: %s is there already", existing)
            return _guarded(spec, config.model_dir)
    if config is not None and not config.is_chief:
        return spec
    start = WarmStart(job_sources.resolve(source), choice, vocabularies, strict)
    return with_warm_start(spec, start)


def _guarded(spec: Any, model_dir: str) -> Any:
    """The spec of a job that is to resume: its session must not be initialized."""

    def change(own: Optional[tf1.train.Scaffold]) -> tf1.train.Scaffold:
        base = own or tf1.train.Scaffold()
        own_init_fn = graph_api.user_init_fn(base)

        def init_fn(finalized: tf1.train.Scaffold, session: tf1.Session) -> None:
            resuming.require_fresh(model_dir)
            if own_init_fn is not None:
                own_init_fn(finalized, session)

        return graph_api.with_fields(base, init_fn=init_fn)

    return model_fns.with_changed_scaffold(spec, change)
