"""In place of tf.data.experimental.CheckpointInputPipelineHook.

TensorFlow 2.15 and earlier have it: it saves how far the input pipeline has come beside
a job's checkpoints, under the same file names as here, so that training resumes with
the elements that have not been used. TensorFlow still has what it stands on, the
collection of a graph's iterators and the ops that save one.

    MODEL_DIR/input.ckpt-STEP      the state of each iterator
    MODEL_DIR/checkpoint_input     the state file, with relative paths
    input_TASK_INDEX.ckpt-STEP     where several workers train, each its own

Checked against TensorFlow 2.16.2, 2.18.1, 2.20.0 and 2.21.0, in both directions with
files of 2.15.1.
"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any, Optional

from tensorflow.python.training.session_run_hook import SessionRunHook

from estimator_ckpt.bundle import logs

_ITERATORS = "iterators"  # the collection, as tensorflow.python.data names it


class CheckpointInputPipelineHook(SessionRunHook):
    """Saves and restores the iterators of an Estimator's input pipeline.

    Args:
      estimator: the Estimator that trains; its RunConfig says where and how often.
      external_state_policy: what to do with pipelines that depend on state outside of
        them (random ops without a seed, lookups): `fail` (the default), `warn`,
        `ignore`.
    """

    def __init__(
        self, estimator: Any, external_state_policy: Optional[str] = None
    ) -> None:
        import tensorflow as tf

        config = estimator.config
        name = "input"
        if config.num_worker_replicas > 1:
            name = f"input_{config.task_type}_{config.task_id}"
        self._directory = estimator.model_dir
        self._state_file = f"checkpoint_{name}"
        self._prefix = os.path.join(self._directory, f"{name}.ckpt")
        self._policy = external_state_policy
        self._timer = tf.compat.v1.train.SecondOrStepTimer(
            every_secs=config.save_checkpoints_secs,
            every_steps=config.save_checkpoints_steps,
        )
        self._saver: Any = None
        self._step: Any = None
        self._is_new_session = False

    def begin(self) -> None:
        import tensorflow as tf

        iterators = tf.compat.v1.get_collection(_ITERATORS)
        if not iterators:
            raise ValueError(
                "CheckpointInputPipelineHook found no iterator in the graph: the "
                "input_fn must return a tf.data.Dataset"
            )
        self._step = tf.compat.v1.train.get_or_create_global_step()
        self._saver = tf.compat.v1.train.Saver(
            [
                tf.data.experimental.make_saveable_from_iterator(
                    SimpleNamespace(_iterator_resource=iterator),
                    external_state_policy=self._policy,
                )
                for iterator in iterators
            ],
            save_relative_paths=True,
        )

    def after_create_session(self, session: Any, coord: Any) -> None:
        # Estimator's own hook starts the iterators at this moment, before or after
        # this one: what was saved is put back before the first step.
        self._is_new_session = True

    def before_run(self, run_context: Any) -> Any:
        import tensorflow as tf

        if self._is_new_session:
            self._is_new_session = False
            self._restore(run_context.session)
        return tf.compat.v1.train.SessionRunArgs(self._step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        # What was fetched may be the step of before the run, as in TensorFlow's hooks.
        if self._timer.should_trigger_for_step(run_values.results + 1):
            step = run_context.session.run(self._step)
            if self._timer.should_trigger_for_step(step):
                self._save(run_context.session, step)

    def end(self, session: Any) -> None:
        step = session.run(self._step)
        if step != self._timer.last_triggered_step():
            self._save(session, step)

    def _restore(self, session: Any) -> None:
        """Goes to where the pipeline was at the global step of this session."""
        import tensorflow as tf

        step = session.run(self._step)
        found: Optional[str] = f"{self._prefix}-{step}"
        if not tf.compat.v1.train.checkpoint_exists(found):
            found = tf.train.latest_checkpoint(self._directory, self._state_file)
            if found is not None:
                logs.logger().warning(
                    "The input pipeline goes on from %s: there is none of step %d",
                    found,
                    step,
                )
        if found is None:
            self._save(session, step)
            return
        self._saver.restore(session, found)
        self._timer.update_last_triggered_step(step)

    def _save(self, session: Any, step: Any) -> None:
        self._timer.update_last_triggered_step(step)
        self._saver.save(
            session,
            self._prefix,
            global_step=step,
            latest_filename=self._state_file,
            write_meta_graph=False,
        )
