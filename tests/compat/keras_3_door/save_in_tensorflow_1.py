"""Trains the model in TensorFlow 1.15, saves it as a Saver does, and freezes it.

python -m tests.compat.keras_3_door.save_in_tensorflow_1 DIRECTORY
"""

import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

from tests.compat.keras_3_door import door_sizes as sizes


def outputs(training):
    """The model's outputs, in the names of tf.layers and of a BasicLSTMCell."""
    layers = tf.layers
    x = layers.conv2d(sizes.IMAGES, sizes.FILTERS, 3, padding="same", name="conv")
    x = tf.nn.relu(layers.batch_normalization(x, training=training, name="bn"))
    depthwise = tf.keras.layers.DepthwiseConv2D(
        3, padding="same", depth_multiplier=sizes.MULTIPLIER, name="depthwise"
    )
    x = layers.separable_conv2d(
        depthwise(x), sizes.POINTS, 3, padding="same", name="separable"
    )
    rows = tf.reshape(x, [-1, sizes.ROWS, sizes.COLUMNS * sizes.POINTS])
    cell = tf.nn.rnn_cell.BasicLSTMCell(sizes.UNITS)
    _, state = tf.nn.dynamic_rnn(cell, rows, dtype=tf.float32)
    return layers.dense(state.h, sizes.OUTPUTS, name="out")


def main(directory):
    training = tf.placeholder_with_default(False, [], name="training")
    made = tf.identity(outputs(training), name="outputs")
    loss = tf.reduce_mean(tf.square(made - sizes.LABELS))
    step = tf.train.get_or_create_global_step()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        optimizer = tf.train.AdamOptimizer(sizes.RATE, epsilon=sizes.EPSILON)
        train = optimizer.minimize(loss, step)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(sizes.STEPS):
            session.run(train, {training: True})
        prefix = os.path.join(directory, "saver", "model.ckpt")
        tf.train.Saver().save(session, prefix, step)
        np.save(os.path.join(directory, "tensorflow_1.npy"), session.run(made))
        frozen = tf.graph_util.convert_variables_to_constants(
            session, session.graph_def, ["outputs"]
        )
    with open(os.path.join(directory, "frozen.pb"), "wb") as file:
        file.write(frozen.SerializeToString())


if __name__ == "__main__":
    main(sys.argv[1])
