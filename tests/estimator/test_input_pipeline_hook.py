"""tf.data.experimental.CheckpointInputPipelineHook: TensorFlow's own, or ours."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.estimator import runtime

runtime.enable_estimator()
BATCHES = 40


def model_fn(features, labels, mode):
    """Keeps what it is fed: seen[step] is the element of that step."""
    step = tf1.train.get_global_step()
    seen = tf1.get_variable("seen", [BATCHES], initializer=tf1.zeros_initializer())
    with tf.control_dependencies([tf1.scatter_update(seen, step, features)]):
        train_op = tf1.assign_add(step, 1)
    return tf.estimator.EstimatorSpec(mode, loss=features, train_op=train_op)


def input_fn():
    shuffled = tf.data.Dataset.range(BATCHES).shuffle(BATCHES, seed=7)
    return shuffled.map(lambda x: (tf.cast(x, tf.float32), x))


def train(fn, model_dir, steps, stops_at=None):
    est = tf.estimator.Estimator(
        fn, str(model_dir), tf.estimator.RunConfig(save_checkpoints_steps=4)
    )

    class Stop(tf1.train.SessionRunHook):
        def after_run(self, run_context, run_values):
            if run_context.session.run(tf1.train.get_global_step()) == stops_at:
                raise KeyboardInterrupt

    hook = tf1.data.experimental.CheckpointInputPipelineHook(est)
    est.train(input_fn, steps=steps, hooks=[hook, Stop()])
    return est


@pytest.mark.parametrize("format", [None, "tf2"])
def test_training_resumes_with_the_elements_that_were_not_used(tmp_path, format):
    fn = ec.with_scaffold(format)(model_fn) if format else model_fn
    train(fn, tmp_path, steps=10)
    est = train(fn, tmp_path, steps=20)
    seen = est.get_variable_value("seen") if format is None else None
    if seen is None:
        with ec.open_checkpoint(tmp_path) as checkpoint:
            seen = checkpoint.read("seen")
    assert len(set(seen[:30])) == 30
    assert not np.array_equal(seen[:30], np.sort(seen[:30]))
    assert tf.train.latest_checkpoint(str(tmp_path), "checkpoint_input").endswith(
        "input.ckpt-30"
    )
    assert est.latest_checkpoint().endswith("model.ckpt-30")


def test_after_an_interruption_it_goes_on_from_its_checkpoint(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        train(model_fn, tmp_path, steps=20, stops_at=11)
    first = tf.train.latest_checkpoint(str(tmp_path))
    start = int(first.rpartition("-")[2])
    assert 0 < start < 11
    seen = train(model_fn, tmp_path, steps=20).get_variable_value("seen")
    assert len(set(seen[: start + 20])) == start + 20


def test_it_needs_an_iterator(tmp_path):
    est = tf.estimator.Estimator(model_fn, str(tmp_path))
    hook = tf.data.experimental.CheckpointInputPipelineHook(est)
    with tf.Graph().as_default():
        tf1.train.get_or_create_global_step()
        # TensorFlow 2.15 says no more than: No variables to save
        with pytest.raises(ValueError, match=r"iterator|No variables"):
            hook.begin()
