"""A job that has taken all of its steps, in a model dir that TensorFlow cannot read.

Estimator looks into the model dir for the global step before it calls the model_fn, and
trains nothing if `max_steps` are taken. Where the state file names checkpoints of
another place it finds none, and one step more is trained before it stops.
"""

from __future__ import annotations

from typing import Any, Optional

from tensorflow.compat import v1 as tf1

from estimator_ckpt.bundle import logs
from estimator_ckpt.tf_private import hooks_api

_log = logs.logger()


class FinishedHook(tf1.train.SessionRunHook):
    """Stops a session before its first step if the last one is taken already."""

    def __init__(self) -> None:
        self._last_step: Optional[int] = None
        self._global_step: Any = None

    def begin(self) -> None:
        self._last_step = hooks_api.last_step_of_session()
        self._global_step = tf1.train.get_global_step()

    def after_create_session(
        self, session: tf1.Session, coord: tf1.train.Coordinator
    ) -> None:
        if self._last_step is None or self._global_step is None:
            return
        step = session.run(self._global_step)
        if step >= self._last_step:
            _log.info("Not training: step %d of %d is taken", step, self._last_step)
            coord.request_stop()
