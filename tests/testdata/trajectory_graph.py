"""The graph that the trajectories are trained in, for any TensorFlow that has sessions.

TensorFlow 1.15 writes the test data with it, and goes on from what was converted back.
"""

import numpy as np
import tensorflow as tf

from tests.testdata import trajectory

tf1 = tf.compat.v1


def decayed(rate):
    """A rate that falls with the global step."""
    return tf1.train.exponential_decay(rate, tf1.train.get_global_step(), 10, 0.8)


def _adagrad(start=0.1):
    return lambda: tf1.train.AdagradOptimizer(0.1, start)


def _momentum(**options):
    return lambda: tf1.train.MomentumOptimizer(0.02, 0.9, **options)


def _rmsprop(rate=0.005, **options):
    return lambda: tf1.train.RMSPropOptimizer(rate, **options)


def _adadelta():
    return tf1.train.AdadeltaOptimizer(1.0, epsilon=1e-5)


def _ftrl():
    return tf1.train.FtrlOptimizer(
        0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.01
    )


#: What makes the optimizer of each case, of those that are in TensorFlow's core.
OPTIMIZERS = {
    "gradient_descent": lambda: tf1.train.GradientDescentOptimizer(0.05),
    "momentum": _momentum(),
    "momentum_dense": _momentum(),
    "momentum_schedule_dense": lambda: tf1.train.MomentumOptimizer(decayed(0.02), 0.9),
    "nesterov": _momentum(use_nesterov=True),
    "nesterov_dense": _momentum(use_nesterov=True),
    "adam": lambda: tf1.train.AdamOptimizer(0.02),
    "adam_epsilon": lambda: tf1.train.AdamOptimizer(0.02, epsilon=1e-3),
    "adam_schedule": lambda: tf1.train.AdamOptimizer(decayed(0.02)),
    "adam_partitioned": lambda: tf1.train.AdamOptimizer(0.02),
    "adam_lstm": lambda: tf1.train.AdamOptimizer(0.02),
    "rmsprop": _rmsprop(0.01, epsilon=1e-3),
    "rmsprop_dense": _rmsprop(0.01, epsilon=1e-3),
    "rmsprop_momentum": _rmsprop(momentum=0.9),
    "rmsprop_momentum_dense": _rmsprop(momentum=0.9),
    "rmsprop_centered": _rmsprop(momentum=0.9, epsilon=1e-3, centered=True),
    "rmsprop_centered_dense": _rmsprop(momentum=0.9, epsilon=1e-3, centered=True),
    "adagrad": _adagrad(),
    "adagrad_small": _adagrad(1e-6),
    "adadelta": _adadelta,
    "adadelta_dense": _adadelta,
    "ftrl": _ftrl,
    "ftrl_dense": _ftrl,
}


def build(name, make):
    """Builds the model of a case, and its training.

    Args:
      name: of the case; one that ends in `_dense` has no sparse gradients, in
        `_partitioned` a table in three parts, in `_lstm` a recurrent layer.
      make: makes the optimizer.

    Returns:
      A function that trains on the batch of a step in a session, and the model's
      variables.
    """
    step = tf1.train.get_or_create_global_step()
    ids = tf1.placeholder(tf.int32, [None, trajectory.IDS])
    labels = tf1.placeholder(tf.float32, [None, 1])
    shape = [trajectory.ROWS, trajectory.WIDTH]
    parts = tf1.fixed_size_partitioner(3) if name.endswith("partitioned") else None
    with tf1.variable_scope("embedding", partitioner=parts):
        table = tf1.get_variable(
            "embeddings", shape, initializer=tf1.random_uniform_initializer(-1, 1)
        )
    if name.endswith("_dense"):
        net = tf.tensordot(tf.one_hot(ids, trajectory.ROWS), table, 1)
    else:
        net = tf1.nn.embedding_lookup(table, ids)  # parts by "mod"
    if name.endswith("_lstm"):
        cell = tf1.nn.rnn_cell.BasicLSTMCell(trajectory.UNITS)
        net = tf1.nn.dynamic_rnn(cell, net, dtype=tf.float32)[0][:, -1]
    else:
        net = tf.reshape(net, [-1, trajectory.IDS * trajectory.WIDTH])
        net = tf1.layers.dense(net, trajectory.UNITS, tf.nn.relu, name="hidden")
        net = tf1.layers.batch_normalization(net, training=True, name="bn")
    predicted = tf1.layers.dense(net, 1, name="out")
    loss = tf1.losses.mean_squared_error(labels, predicted)
    model = [v for v in tf1.global_variables() if v is not step]
    with tf.control_dependencies(tf1.get_collection(tf1.GraphKeys.UPDATE_OPS)):
        train_op = make().minimize(loss, step)

    def train(session, number):
        session.run(train_op, dict(zip((ids, labels), trajectory.batch(number))))

    return train, model


def values(session, model):
    """The model's variables by name; those in parts are whole."""
    parts = {}
    for variable, value in zip(model, session.run(model)):
        info = variable._save_slice_info
        name, offset = (
            (info.full_name, info.var_offset) if info else (variable.op.name, [0])
        )
        parts.setdefault(name, []).append((list(offset), value))
    return {
        name: np.concatenate([v for _, v in sorted(found, key=lambda part: part[0])])
        if len(found) > 1
        else found[0][1]
        for name, found in parts.items()
    }


def go_on(name, prefix):
    """Restores a case's checkpoint with a Saver and trains on.

    Returns:
      The global step that was restored, and the model's variables after each step, a
      dict by name for each.
    """
    with tf.Graph().as_default():
        train, model = build(name, OPTIMIZERS[name])
        saver = tf1.train.Saver()
        config = tf1.ConfigProto(
            intra_op_parallelism_threads=1, inter_op_parallelism_threads=1
        )
        with tf1.Session(config=config) as session:
            saver.restore(session, prefix)
            step = int(session.run(tf1.train.get_global_step()))
            found = []
            for number in range(trajectory.STEPS, trajectory.STEPS + trajectory.MORE):
                train(session, number)
                found.append(values(session, model))
    return step, found
