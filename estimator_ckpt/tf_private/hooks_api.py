"""CheckpointSaverHook: which saver it saves with. StopAtStepHook: where it stops.

Checked against TensorFlow 2.12 to 2.21; `tests/tf_private/test_hooks_api.py` fails,
naming the function, when it changes.
"""

from __future__ import annotations

import inspect
from typing import Any, Optional

from tensorflow.compat import v1 as tf1


def saver_of(hook: tf1.train.CheckpointSaverHook) -> Any:
    """The saver, or tf.train.Checkpoint, that a hook was made with, by way of a
    Scaffold too. None if it looks for one in the graph's collection when it saves.
    """
    if hook._saver is not None:
        return hook._saver
    return None if hook._scaffold is None else hook._scaffold.saver


def set_saver(hook: tf1.train.CheckpointSaverHook, saver: tf1.train.Saver) -> None:
    """Makes a hook save with another saver; all else of it stays."""
    hook._saver = saver
    hook._scaffold = None


def asks_for_saver(hook: tf1.train.CheckpointSaverHook) -> bool:
    """Whether a hook saves with the saver that it was given, as TensorFlow's does."""
    own: Any = type(hook)._get_saver
    return own is tf1.train.CheckpointSaverHook._get_saver


def last_step_of_session() -> Optional[int]:
    """The step at which the session that is being made stops: a job's `max_steps`.

    For a hook's `begin`, which the session calls while it is made. None if it stops at
    none.
    """
    frame = inspect.currentframe()
    for _ in range(3):  # this function, the hook, and the session
        frame = None if frame is None else frame.f_back
        session = None if frame is None else frame.f_locals.get("self")
        hooks = getattr(session, "_hooks", None)
        if isinstance(hooks, (list, tuple)):
            steps = [
                hook._last_step
                for hook in hooks
                if isinstance(hook, tf1.train.StopAtStepHook)
                and hook._num_steps is None
            ]
            return min(steps, default=None)
    return None
