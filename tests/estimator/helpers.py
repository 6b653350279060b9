"""Small estimators and readers that the tests of training share."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.compat import v1 as tf1

import estimator_ckpt as ec
from estimator_ckpt.estimator import graph_variables

FORMATS = ("tf1", "tf2", "dual")
# For tests of many seconds: tf1, saved by the Saver of TensorFlow, is for make soak.
MOSTLY = (pytest.param("tf1", marks=pytest.mark.soak), "tf2", "dual")


def input_fn():
    """Endless batches of a regression: y = x0 - 2 x1."""
    x = np.random.RandomState(0).rand(32, 2).astype("float32")
    y = (x[:, :1] - 2 * x[:, 1:]).astype("float32")
    return tf.data.Dataset.from_tensor_slices(({"x": x}, y)).repeat().batch(8)


def model_fn(features, labels, mode, params=None):
    """A dense layer with BatchNorm and Momentum: weights, state and slots."""
    params = params or {}
    training = mode == tf.estimator.ModeKeys.TRAIN
    seeded = tf1.glorot_uniform_initializer(seed=1)
    hidden = tf1.layers.dense(
        features["x"], params.get("units", 3), kernel_initializer=seeded, name="hidden"
    )
    hidden = tf1.layers.batch_normalization(hidden, training=training, name="bn")
    prediction = tf1.layers.dense(hidden, 1, kernel_initializer=seeded, name="out")
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(
            mode,
            predictions={"y": prediction},
            export_outputs={"y": tf.estimator.export.PredictOutput(prediction)},
        )
    loss = tf1.losses.mean_squared_error(labels, prediction)
    optimizer = tf1.train.MomentumOptimizer(0.1, 0.9)
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        train_op = optimizer.minimize(loss, tf1.train.get_global_step())
    return tf.estimator.EstimatorSpec(
        mode,
        loss=loss,
        train_op=train_op,
        eval_metric_ops={"mae": tf1.metrics.mean_absolute_error(labels, prediction)},
    )


def estimator(fn, model_dir, **config):
    params = config.pop("params", None)
    return tf.estimator.Estimator(
        fn,
        params=params,
        config=tf.estimator.RunConfig(
            model_dir=str(model_dir), tf_random_seed=1, **config
        ),
    )


def values(prefix_or_dir):
    """Every tensor of a checkpoint by key, as TensorFlow reads it."""
    reader = tf.train.load_checkpoint(str(prefix_or_dir))
    return {key: reader.get_tensor(key) for key in reader.get_variable_to_shape_map()}


def session_values(est, input_fn=input_fn):
    """The variables by name, as an evaluation session of `est` sees them.

    Of a partitioned variable that is cut along its first axis, the whole.
    """

    class Look(tf1.train.SessionRunHook):
        def end(self, session):
            self.found = {
                name: np.concatenate(session.run(list(variable.parts)))
                if isinstance(variable.saveable, list)
                else session.run(variable.parts[0])
                for name, variable in graph_variables.of_graph().items()
            }

    look = Look()
    est.evaluate(input_fn, steps=1, hooks=[look])
    return look.found


def latest(model_dir):
    return tf.train.latest_checkpoint(str(model_dir))


__all__ = [
    "FORMATS",
    "MOSTLY",
    "ec",
    "estimator",
    "input_fn",
    "latest",
    "model_fn",
    "session_values",
    "values",
]
