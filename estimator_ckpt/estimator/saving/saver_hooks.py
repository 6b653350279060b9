"""CheckpointSaverHooks of a model_fn's own: they save through our savers.

Where a model_fn brings such a hook, Estimator makes none, and what the hook saves is
the job's checkpoints. Class, listeners, directory and times of the hook stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import logs
from estimator_ckpt.estimator.saving.savers import FormatSaver
from estimator_ckpt.tf_private import hooks_api

_log = logs.logger()


def of_spec(spec: Any) -> list[tf1.train.CheckpointSaverHook]:
    """The hooks of a spec that save checkpoints while it is trained."""
    hooks = (
        *(getattr(spec, "training_hooks", None) or ()),
        *(getattr(spec, "training_chief_hooks", None) or ()),
    )
    return [h for h in hooks if isinstance(h, tf1.train.CheckpointSaverHook)]


def redirect(
    hooks: list[tf1.train.CheckpointSaverHook],
    saver: FormatSaver,
    given: Any,
    in_place_of: Callable[[Any], Optional[FormatSaver]],
) -> None:
    """Makes hooks save through our savers.

    Args:
      hooks: those of a spec.
      saver: the Scaffold's saver.
      given: the saver in whose place it is; None if there was none.
      in_place_of: our saver for another one, None if that one stays as it is.
    """
    for hook in hooks:
        own = hooks_api.saver_of(hook)
        if isinstance(own, FormatSaver):
            continue
        if not hooks_api.asks_for_saver(hook):
            _warn(hook, "has a _get_saver of its own")
        elif own is None or own is given:
            hooks_api.set_saver(hook, saver)
        elif not isinstance(own, tf1.train.Saver):
            _warn(hook, f"has a saver that is no tf1.train.Saver, {own!r}")
        else:
            ours = in_place_of(own)
            if ours is not None:
                saver.build_with(ours)
                hooks_api.set_saver(hook, ours)


def _warn(hook: Any, why: str) -> None:
    _log.warning(
        "The model_fn's %s %s: what it saves stays as it is, whatever format "
        "with_scaffold was told",
        type(hook).__name__,
        why,
    )
