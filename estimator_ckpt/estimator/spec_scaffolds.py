"""What a model_fn's spec gets so that its job saves, restores and resumes as told."""

from __future__ import annotations

import dataclasses
from typing import Any, Optional

import tensorflow as tf
from tensorflow.compat import v1 as tf1

from estimator_ckpt.estimator import model_fn_wrappers as model_fns
from estimator_ckpt.estimator.restoring import job_dirs, resuming
from estimator_ckpt.estimator.restoring.finished_hook import FinishedHook
from estimator_ckpt.estimator.saving import replaced_savers, saver_hooks
from estimator_ckpt.estimator.saving.saver_settings import Settings
from estimator_ckpt.estimator.saving.savers import FormatSaver
from estimator_ckpt.tf_private import graph_api


def with_savers(
    spec: Any, settings: Settings, config: Optional[tf.estimator.RunConfig]
) -> Any:
    """A spec whose Scaffold and saver hooks save as the settings say."""
    is_training = spec.mode == tf.estimator.ModeKeys.TRAIN
    if not is_training:
        settings = dataclasses.replace(settings, on_damaged="error")
    was_unseen = look_at_model_dir(settings, config, is_training=is_training)
    hooks = saver_hooks.of_spec(spec) if is_training else []
    if was_unseen:
        spec = spec._replace(
            training_hooks=(*(spec.training_hooks or ()), FinishedHook())
        )

    def change(own: Optional[tf1.train.Scaffold]) -> tf1.train.Scaffold:
        base = own or tf1.train.Scaffold()
        given = replaced_savers.given_to(base)
        changed = replaced_savers.in_scaffold(base, given, settings, config)
        if isinstance(changed.saver, FormatSaver):
            saver_hooks.redirect(
                hooks,
                changed.saver,
                given,
                lambda other: replaced_savers.in_place_of(other, settings, config),
            )
        if not is_training and config is not None and config.model_dir:
            changed = _never_initial(changed, config.model_dir)
        return changed

    return model_fns.with_changed_scaffold(spec, change)


def look_at_model_dir(
    settings: Settings, config: Optional[tf.estimator.RunConfig], *, is_training: bool
) -> bool:
    """Checks that a job can go on in its model dir, and makes it ready for that.

    Returns whether TensorFlow would not have found its newest checkpoint.
    """
    if config is None or not config.model_dir:
        return False
    job_dirs.require_plain(config.model_dir)
    if is_training and config.is_chief:
        return resuming.prepare(config.model_dir, falls_back=settings.falls_back)
    return False


def _never_initial(base: tf1.train.Scaffold, model_dir: str) -> tf1.train.Scaffold:
    """A Scaffold that does not evaluate initial values beside a job's checkpoints.

    Its init_fn runs where TensorFlow restores nothing.
    """
    own = graph_api.user_init_fn(base)

    def init_fn(finalized: tf1.train.Scaffold, session: tf1.Session) -> None:
        saver = finalized.saver
        if resuming.restore_instead_of_beginning(model_dir, saver, session):
            return
        if own is not None:
            own(finalized, session)

    return graph_api.with_fields(base, init_fn=init_fn)
