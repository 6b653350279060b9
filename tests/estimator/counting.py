"""A job that counts, as small as a job can be, and what its model dir looks like."""

import numpy as np
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec

ec.enable_estimator()  # TensorFlow 2.16 and later have none of their own


def input_fn():
    return tf.data.Dataset.from_tensors((0, 0)).repeat()


def model_fn(features, labels, mode):
    """`counter` [3] is three times the step; predictions are its values."""
    step = tf1.train.get_or_create_global_step()
    counter = tf1.get_variable("counter", [3], tf.float32, tf1.zeros_initializer())
    update = tf.group(counter.assign_add(tf.ones([3])), step.assign_add(1))
    return tf.estimator.EstimatorSpec(
        mode,
        predictions={"counter": tf.expand_dims(counter, 0)},
        loss=tf.reduce_sum(counter),
        train_op=update,
    )


def job(model_dir, format="tf2", fn=model_fn, **options):
    """An Estimator that saves every step and keeps two checkpoints."""
    config = {"save_checkpoints_steps": 1, "keep_checkpoint_max": 2}
    config.update(options.pop("config", {}))
    return tf.estimator.Estimator(
        ec.with_scaffold(format, **options)(fn),
        config=tf.estimator.RunConfig(str(model_dir), **config),
    )


def train(model_dir, steps=1, format="tf2", fn=model_fn, **options):
    return job(model_dir, format, fn, **options).train(input_fn, steps=steps)


def files_of(directory):
    """Every file of the checkpoints in a directory, with its bytes."""
    return {
        path.name: path.read_bytes()
        for path in directory.iterdir()
        if ".ckpt-" in path.name or path.name == "checkpoint"
    }


def steps_in(directory):
    """The steps of which there are checkpoints, all read and found right."""
    steps = sorted(int(p.stem.rpartition("-")[2]) for p in directory.glob("*.index"))
    for step in steps:
        with ec.open_checkpoint(directory / f"model.ckpt-{step}") as found:
            assert found.global_step == step
            np.testing.assert_array_equal(found.read("counter"), [step] * 3)
    return steps
